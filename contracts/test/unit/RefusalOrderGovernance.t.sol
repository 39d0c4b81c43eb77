// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Configuration, IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {Action, IPayload} from "canon/interfaces/IPayload.sol";
import {SetLib} from "../Set.sol";
import {BallotMessage, TypedData} from "../TypedData.sol";
import {Box} from "../mocks/Box.sol";
import {Delegation} from "../mocks/Delegation.sol";
import {MeasuredAnswer} from "../mocks/MeasuredAnswer.sol";
import {RawAnswer} from "../mocks/RawAnswer.sol";
import {GovernanceFixture} from "./GovernanceFixture.t.sol";
import {RefusalOrderBase} from "./RefusalOrderBase.t.sol";

/// @notice The order of Governance's refusals.
contract RefusalOrderGovernanceTest is GovernanceFixture, RefusalOrderBase {
    /// @dev The first second since construction that storage can't hold.
    uint256 private constant TOO_LATE = 2 ** 32;

    address internal target;

    function setUp() public override {
        super.setUp();
        target = address(governance);
    }

    function _selfDeposit(address depositor, address onBehalfOf) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IGovernance.Governance__SelfDeposit.selector, depositor, onBehalfOf);
    }

    function _zeroAmount() private pure returns (bytes memory) {
        return abi.encodeWithSelector(IGovernance.Governance__ZeroAmount.selector);
    }

    function _noPower(address holder, uint256 needed) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IGovernance.Governance__InsufficientPower.selector, holder, 0, needed);
    }

    function _notSelf() private pure returns (bytes memory) {
        return abi.encodeWithSelector(IGovernance.Governance__NotSelf.selector, STRANGER);
    }

    function _unreadable(address payload) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IGovernance.Governance__UnreadableActions.selector, payload);
    }

    function _unknown(uint256 id, uint256 count) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IGovernance.Governance__UnknownProposal.selector, id, count);
    }

    function _notActive(uint256 id, ProposalState state) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IGovernance.Governance__NotActive.selector, id, state);
    }

    function _notExecutable(uint256 id, ProposalState state) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IGovernance.Governance__NotExecutable.selector, id, state);
    }

    function _outOfBounds(bytes32 field, uint256 value, uint256 min, uint256 max) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IGovernance.Governance__OutOfBounds.selector, field, value, min, max);
    }

    /*//////////////////////////////////////////////////////////////
                             CONFIGURATION
    //////////////////////////////////////////////////////////////*/

    /// @dev Everything below its bounds; `voteDifferential`, which has none, above.
    function _nothing() private pure returns (Configuration memory c) {
        c.voteDifferential = 1e18;
    }

    /// @dev Amounts within their bounds don't fit only if the asset's supply doesn't.
    function test_constructor_refusesInOrder() public {
        MeasuredAnswer scripted = new MeasuredAnswer();
        scripted.distort(IERC20.totalSupply.selector, 0, true);
        Configuration memory c = _nothing();
        _refusedConstruction("Governance", abi.encode(CODELESS, address(0), c), _noCode(CODELESS));
        // No Proposals contract is in office yet, so address 0 is the present one. It has no code either.
        _refusedConstruction(
            "Governance",
            abi.encode(scripted, address(0), c),
            abi.encodeWithSelector(IGovernance.Governance__InvalidGovernanceProposer.selector, address(0))
        );
        _refusedConstruction("Governance", abi.encode(scripted, CODELESS, c), _noCode(CODELESS));
        // What the asset reverts with: nothing.
        _refusedConstruction("Governance", abi.encode(scripted, proposals, c), "");

        uint256 max = type(uint256).max;
        scripted.set(IERC20.totalSupply.selector, max);
        bytes memory refusal;
        for (uint256 field; field < 9; ++field) {
            (c, refusal) = _withFirstFault(c, field, max / 10, max / 2);
            _refusedConstruction("Governance", abi.encode(scripted, proposals, c), refusal);
        }
        c = SetLib.configuration();
        c.proposeConfig.lockAmount = 2 ** 96 + 1;
        c.minimumVotes = 2 ** 96 + 2;
        _refusedConstruction("Governance", abi.encode(scripted, proposals, c), _tooLarge(2 ** 96 + 2, type(uint96).max));
        c.minimumVotes = 2 ** 96 - 1;
        _refusedConstruction("Governance", abi.encode(scripted, proposals, c), _tooLarge(2 ** 96 + 1, type(uint96).max));
        c.proposeConfig.lockAmount = 2 ** 96 - 1;
        _acceptedConstruction("Governance", abi.encode(scripted, proposals, c));
    }

    /// @dev No amount within the bounds of a change fails to fit.
    function test_updateConfiguration_refusesInOrder() public {
        Configuration memory c = _nothing();
        _refused(STRANGER, target, abi.encodeCall(IGovernance.updateConfiguration, (c)), _notSelf());
        bytes memory refusal;
        for (uint256 field; field < 9; ++field) {
            (c, refusal) = _withFirstFault(c, field, 1000e18, 1000e18);
            _refused(target, target, abi.encodeCall(IGovernance.updateConfiguration, (c)), refusal);
        }
        _accepted(target, target, abi.encodeCall(IGovernance.updateConfiguration, (SetLib.configuration())));
    }

    /// @dev One second after the last that storage can hold, under the last configuration that can have a number.
    function test_updateConfiguration_refusesTimesBeforeNumbers() public {
        _lock(majority, MAJORITY);
        _setConfigurationId(type(uint16).max);
        bytes memory call_ = abi.encodeCall(IGovernance.updateConfiguration, (SetLib.configuration()));
        vm.warp(START + TOO_LATE);
        _refused(target, target, call_, _tooLarge(TOO_LATE, type(uint32).max));
        vm.warp(START + TOO_LATE - 1);
        _refused(target, target, call_, _tooLarge(2 ** 16, type(uint16).max));
        _setConfigurationId(type(uint16).max - 1);
        _accepted(target, target, call_);
    }

    /// @dev Puts configuration number `id` in force. It was never stored, so all its values are 0.
    function _setConfigurationId(uint256 id) private {
        vm.record();
        governance.numberOfConfigurations();
        (bytes32[] memory reads,) = vm.accesses(target);
        vm.assertEq(reads.length, 1, "the word with the counters");
        uint256 word = uint256(vm.load(target, reads[0]));
        vm.store(target, reads[0], bytes32(word & ~(uint256(type(uint16).max) << 224) | id << 224));
        vm.assertEq(governance.numberOfConfigurations(), id + 1);
    }

    /// @dev `c` with what is before `field` mended, and the refusal of `field`.
    function _withFirstFault(Configuration memory c, uint256 field, uint256 maxLockAmount, uint256 maxMinimumVotes)
        private
        pure
        returns (Configuration memory, bytes memory)
    {
        Configuration memory right = SetLib.configuration();
        if (field == 0) return (c, _outOfBounds("lockDelay", 0, 60, 365 days));
        c.proposeConfig.lockDelay = right.proposeConfig.lockDelay;
        if (field == 1) return (c, _outOfBounds("lockAmount", 0, 2, maxLockAmount));
        c.proposeConfig.lockAmount = right.proposeConfig.lockAmount;
        if (field == 2) return (c, _outOfBounds("votingDelay", 0, 60, 90 days));
        c.votingDelay = right.votingDelay;
        if (field == 3) return (c, _outOfBounds("votingDuration", 0, 60, 90 days));
        c.votingDuration = right.votingDuration;
        if (field == 4) return (c, _outOfBounds("executionDelay", 0, 60, 90 days));
        c.executionDelay = right.executionDelay;
        if (field == 5) return (c, _outOfBounds("gracePeriod", 0, 60, 90 days));
        c.gracePeriod = right.gracePeriod;
        if (field == 6) return (c, _outOfBounds("quorum", 0, 1, 0.9e18));
        c.quorum = right.quorum;
        if (field == 7) return (c, _outOfBounds("voteDifferential", 1e18, 0, 0.9e18));
        c.voteDifferential = right.voteDifferential;
        return (c, _outOfBounds("minimumVotes", 0, 1, maxMinimumVotes));
    }

    /// @dev The present Proposals contract, whose code is gone.
    function test_updateGovernanceProposer_refusesInOrder() public {
        bytes memory call_ = abi.encodeCall(IGovernance.updateGovernanceProposer, (proposals));
        vm.etch(proposals, "");
        _refused(STRANGER, target, call_, _notSelf());
        _refused(
            target,
            target,
            call_,
            abi.encodeWithSelector(IGovernance.Governance__InvalidGovernanceProposer.selector, proposals)
        );
        _refused(target, target, abi.encodeCall(IGovernance.updateGovernanceProposer, (CODELESS)), _noCode(CODELESS));
        _accepted(target, target, abi.encodeCall(IGovernance.updateGovernanceProposer, (address(box))));
    }

    /// @dev An account that delegated has no code of its own, and would refuse as what it runs does.
    function test_acceptOwnership_refusesInOrder() public {
        Delegation.set(CODELESS, address(asset));
        _refused(STRANGER, target, abi.encodeCall(IGovernance.acceptOwnership, (CODELESS)), _noCode(CODELESS));
        bytes memory call_ = abi.encodeCall(IGovernance.acceptOwnership, (address(asset)));
        _refused(STRANGER, target, call_, _notOwner(target));
        Ownable2Step(address(asset)).transferOwnership(target);
        _accepted(STRANGER, target, call_);
    }

    /*//////////////////////////////////////////////////////////////
                                 POWER
    //////////////////////////////////////////////////////////////*/

    /// @dev A transfer of nothing is never refused.
    function test_deposit_refusesInOrder() public {
        vm.warp(START + TOO_LATE);
        bytes memory late = _tooLarge(TOO_LATE, type(uint32).max);
        _refused(target, target, _depositCall(address(0), 0), _selfDeposit(target, address(0)));
        _refused(STRANGER, target, _depositCall(target, 0), _selfDeposit(STRANGER, target));
        _refused(STRANGER, target, _depositCall(address(0), 0), _zeroAddress());
        _refused(STRANGER, target, _depositCall(address(0), 1), _zeroAddress());
        _refused(STRANGER, target, _depositCall(STRANGER, 0), _zeroAmount());
        _refused(
            STRANGER,
            target,
            _depositCall(STRANGER, 1),
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, target, 0, 1)
        );
        _refused(address(this), target, _depositCall(STRANGER, 1), late);
        vm.warp(START + TOO_LATE - 1);
        _accepted(address(this), target, _depositCall(STRANGER, 1));
    }

    function _depositCall(address onBehalfOf, uint256 amount) private pure returns (bytes memory) {
        return abi.encodeCall(IGovernance.deposit, (onBehalfOf, amount));
    }

    /// @dev The permit, which is no permit, is tried first, and refuses nothing.
    function test_depositWithPermit_refusesInOrder() public {
        _refused(target, target, _permitCall(address(0), 0), _selfDeposit(target, address(0)));
        _refused(STRANGER, target, _permitCall(target, 0), _selfDeposit(STRANGER, target));
        _refused(STRANGER, target, _permitCall(address(0), 0), _zeroAddress());
        _refused(STRANGER, target, _permitCall(STRANGER, 0), _zeroAmount());
        _refused(
            STRANGER,
            target,
            _permitCall(STRANGER, 1),
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, target, 0, 1)
        );
        _accepted(address(this), target, _permitCall(STRANGER, 1));
    }

    function _permitCall(address onBehalfOf, uint256 amount) private pure returns (bytes memory) {
        return abi.encodeCall(IGovernance.depositWithPermit, (onBehalfOf, amount, 0, 0, 0, 0));
    }

    /// @dev Nothing is never more than the power there is.
    function test_initiateWithdraw_refusesInOrder() public {
        _lock(majority, 1);
        vm.warp(START + TOO_LATE);
        _refused(STRANGER, target, abi.encodeCall(IGovernance.initiateWithdraw, (address(0), 0)), _zeroAddress());
        _refused(STRANGER, target, abi.encodeCall(IGovernance.initiateWithdraw, (address(0), 1)), _zeroAddress());
        _refused(STRANGER, target, abi.encodeCall(IGovernance.initiateWithdraw, (STRANGER, 0)), _zeroAmount());
        bytes memory call_ = abi.encodeCall(IGovernance.initiateWithdraw, (STRANGER, 1));
        _refused(STRANGER, target, call_, _noPower(STRANGER, 1));
        _refused(majority, target, call_, _tooLarge(TOO_LATE, type(uint32).max));
        vm.warp(START + TOO_LATE - 1);
        _accepted(majority, target, call_);
    }

    /// @dev In a Governance that lives when times have hardly 40 bits.
    function test_withdrawal_refusesTimesInOrder() public {
        uint256 origin = 2 ** 40 - 1 - TOO_LATE;
        vm.warp(origin);
        _deploy(SetLib.configuration());
        target = address(governance);
        _lock(majority, 1000e18);
        bytes memory withdrawal = abi.encodeCall(IGovernance.initiateWithdraw, (STRANGER, 1));
        bytes memory proposal = abi.encodeCall(IGovernance.proposeWithLock, (CODELESS, STRANGER));
        vm.warp(origin + TOO_LATE);
        _refused(majority, target, withdrawal, _tooLarge(TOO_LATE, type(uint32).max));
        _refused(majority, target, proposal, _tooLarge(TOO_LATE, type(uint32).max));
        vm.warp(origin + TOO_LATE - 1);
        uint256 present = 2 ** 40 - 2;
        uint256 delay = _exitDelay(SetLib.configuration());
        _refused(majority, target, withdrawal, _tooLarge(present + delay, type(uint40).max));
        _refused(majority, target, proposal, _tooLarge(present + 30 days, type(uint40).max));
        vm.warp(2 ** 40 - 1 - delay);
        _accepted(majority, target, withdrawal);
    }

    /// @dev What isn't known isn't locked, and what was claimed isn't locked any more.
    function test_finaliseWithdraw_refusesInOrder() public {
        bytes memory call_ = abi.encodeCall(IGovernance.finaliseWithdraw, (0));
        bytes memory unknown = abi.encodeWithSelector(IGovernance.Governance__UnknownWithdrawal.selector, 0, 0);
        _refused(STRANGER, target, call_, unknown);
        _lock(majority, 1);
        _accepted(majority, target, abi.encodeCall(IGovernance.initiateWithdraw, (STRANGER, 1)));
        uint256 unlocksAt = governance.getWithdrawal(0).unlocksAt;
        _refused(
            STRANGER,
            target,
            call_,
            abi.encodeWithSelector(IGovernance.Governance__NotUnlocked.selector, START, unlocksAt)
        );
        vm.warp(unlocksAt);
        _accepted(STRANGER, target, call_);
        _refused(STRANGER, target, call_, abi.encodeWithSelector(IGovernance.Governance__AlreadyClaimed.selector, 0));
    }

    /*//////////////////////////////////////////////////////////////
                               PROPOSING
    //////////////////////////////////////////////////////////////*/

    function test_propose_refusesInOrder() public {
        address bad = address(new RawAnswer("", false));
        vm.warp(START + TOO_LATE);
        bytes memory call_ = abi.encodeCall(IGovernance.propose, (CODELESS));
        _refused(
            STRANGER,
            target,
            call_,
            abi.encodeWithSelector(IGovernance.Governance__NotGovernanceProposer.selector, STRANGER, proposals)
        );
        _refused(proposals, target, call_, _noCode(CODELESS));
        _refused(proposals, target, abi.encodeCall(IGovernance.propose, (bad)), _unreadable(bad));
        call_ = abi.encodeCall(IGovernance.propose, (_payload()));
        _refused(proposals, target, call_, _tooLarge(TOO_LATE, type(uint32).max));
        vm.warp(START + TOO_LATE - 1);
        _accepted(proposals, target, call_);
    }

    /// @dev The power is given up before the payload is looked at.
    function test_proposeWithLock_refusesInOrder() public {
        address bad = address(new RawAnswer("", false));
        _lock(majority, 1000e18);
        vm.warp(START + TOO_LATE);
        _refused(STRANGER, target, abi.encodeCall(IGovernance.proposeWithLock, (CODELESS, address(0))), _zeroAddress());
        bytes memory call_ = abi.encodeCall(IGovernance.proposeWithLock, (CODELESS, STRANGER));
        _refused(STRANGER, target, call_, _noPower(STRANGER, 1000e18));
        _refused(majority, target, call_, _tooLarge(TOO_LATE, type(uint32).max));
        vm.warp(START + TOO_LATE - 1);
        _refused(STRANGER, target, call_, _noPower(STRANGER, 1000e18));
        _refused(majority, target, call_, _noCode(CODELESS));
        _refused(majority, target, abi.encodeCall(IGovernance.proposeWithLock, (bad, STRANGER)), _unreadable(bad));
        _accepted(majority, target, abi.encodeCall(IGovernance.proposeWithLock, (_payload(), STRANGER)));
    }

    /*//////////////////////////////////////////////////////////////
                                VOTING
    //////////////////////////////////////////////////////////////*/

    /// @dev Never wrong together are the state and the time for objections, and no amount and too little power.
    function test_vote_refusesInOrder() public {
        bytes memory nothing = abi.encodeCall(IGovernance.vote, (0, 0, false));
        bytes memory one = abi.encodeCall(IGovernance.vote, (0, 1, false));
        _refused(STRANGER, target, nothing, _unknown(0, 0));
        _refused(STRANGER, target, one, _unknown(0, 0));
        _arm();
        uint256 id = _push(_payload());
        _refused(STRANGER, target, nothing, _notActive(id, ProposalState.Pending));
        _refused(STRANGER, target, one, _notActive(id, ProposalState.Pending));
        _approve(id);
        uint256 active = vm.getBlockTimestamp();

        // The first second in which objections aren't taken any more.
        uint256 last = governance.objectionsUntil(id);
        vm.warp(last + 1);
        bytes memory over = abi.encodeWithSelector(IGovernance.Governance__ObjectionsOver.selector, id, last + 1, last);
        bytes memory support = abi.encodeCall(IGovernance.vote, (id, 0, true));
        _refused(STRANGER, target, support, _notActive(id, ProposalState.Queued));
        _refused(STRANGER, target, nothing, over);
        _refused(STRANGER, target, one, over);

        vm.warp(active);
        _refused(STRANGER, target, nothing, _zeroAmount());
        _refused(STRANGER, target, one, _noPower(STRANGER, 1));
        _accepted(address(this), target, abi.encodeCall(IGovernance.deposit, (STRANGER, 1)));
        id = _push(_payload());
        vm.warp(_lastPending(id) + 1);
        _accepted(STRANGER, target, abi.encodeCall(IGovernance.vote, (id, 1, false)));
    }

    /// @dev The proposal, the signature, the state, the deadline, the amount.
    function test_voteWithSig_refusesInOrder() public {
        (address voter, uint256 key) = account("voter");
        BallotMessage memory b = BallotMessage(0, 0, 0, false, voter, 0, START - 1);
        uint256 otherKey = key + 1;
        _refused(STRANGER, target, _signed(b, otherKey), _unknown(0, 0));
        _arm();
        uint256 id = _push(_payload());
        b.actionsHash = governance.actionsHash(id);
        bytes memory invalid = abi.encodeWithSelector(IGovernance.Governance__InvalidSignature.selector, voter, 0);
        _refused(STRANGER, target, _signed(b, otherKey), invalid);
        _refused(STRANGER, target, _signed(b, key), _notActive(id, ProposalState.Pending));
        _approve(id);
        uint256 active = vm.getBlockTimestamp();

        uint256 last = governance.objectionsUntil(id);
        vm.warp(last + 1);
        _refused(STRANGER, target, _signed(b, otherKey), invalid);
        _refused(
            STRANGER,
            target,
            _signed(b, key),
            abi.encodeWithSelector(IGovernance.Governance__ObjectionsOver.selector, id, last + 1, last)
        );

        vm.warp(active);
        bytes memory expired =
            abi.encodeWithSelector(IGovernance.Governance__SignatureExpired.selector, active, START - 1);
        _refused(STRANGER, target, _signed(b, key), expired);
        b.amount = 1;
        _refused(STRANGER, target, _signed(b, key), expired);
        b.deadline = active;
        _refused(STRANGER, target, _signed(b, key), _noPower(voter, 1));
        b.amount = 0;
        _refused(STRANGER, target, _signed(b, key), _zeroAmount());

        _lock(voter, 1);
        b.proposalId = _push(_payload());
        vm.warp(_lastPending(b.proposalId) + 1);
        (b.amount, b.deadline) = (1, vm.getBlockTimestamp());
        _accepted(STRANGER, target, _signed(b, key));
    }

    function _signed(BallotMessage memory b, uint256 key) private view returns (bytes memory) {
        return abi.encodeCall(
            IGovernance.voteWithSig,
            (b.proposalId, b.amount, b.support, b.voter, b.deadline, TypedData.sign(key, b, target))
        );
    }

    /*//////////////////////////////////////////////////////////////
                               EXECUTING
    //////////////////////////////////////////////////////////////*/

    /// @dev A list that can't be read isn't another list than the one voted on.
    function test_execute_refusesInOrder() public {
        bytes memory call_ = abi.encodeCall(IGovernance.execute, (0));
        _refused(STRANGER, target, call_, _unknown(0, 0));
        box.setRefuses(true);
        _arm();
        address payload = _payload();
        uint256 id = _push(payload);
        bytes memory question = abi.encodeCall(IPayload.getActions, ());
        vm.mockCallRevert(payload, question, "");
        _refused(STRANGER, target, call_, _notExecutable(id, ProposalState.Pending));
        _approve(id);
        vm.warp(_ends(id)[2] + 1);
        _refused(STRANGER, target, call_, _unreadable(payload));
        bytes memory other = abi.encode(_boxAction(2));
        vm.mockCall(payload, question, other);
        _refused(STRANGER, target, call_, _actionsChanged(id, other));
        vm.clearMockedCalls();
        _refused(STRANGER, target, call_, _boxFailed(0, 1));
        box.setRefuses(false);
        _accepted(STRANGER, target, call_);
    }

    function test_executeWith_refusesInOrder() public {
        Action[] memory right = _boxAction(1);
        Action[] memory wrong = _boxAction(2);
        bytes memory call_ = abi.encodeCall(IGovernance.executeWith, (0, wrong));
        _refused(STRANGER, target, call_, _unknown(0, 0));
        box.setRefuses(true);
        _arm();
        uint256 id = _push(_payload());
        _refused(STRANGER, target, call_, _notExecutable(id, ProposalState.Pending));
        _approve(id);
        vm.warp(_ends(id)[2] + 1);
        _refused(STRANGER, target, call_, _actionsChanged(id, abi.encode(wrong)));
        call_ = abi.encodeCall(IGovernance.executeWith, (id, right));
        _refused(STRANGER, target, call_, _boxFailed(0, 1));
        box.setRefuses(false);
        _accepted(STRANGER, target, call_);
    }

    /// @dev Of each action its target is checked before it is called. An account that delegated to code that refuses
    /// has no code of its own, and a call of it fails; here the asset becomes such an account, too.
    function test_action_isRefusedInOrder() public {
        address refusing = address(0x5f5ffd);
        vm.etch(refusing, hex"5f5ffd");
        _arm();
        Delegation.set(address(asset), refusing);
        Delegation.set(CODELESS, refusing);
        uint256 id = _passed(_list(_one(address(asset), "")));
        _refused(
            STRANGER,
            target,
            abi.encodeCall(IGovernance.execute, (id)),
            abi.encodeWithSelector(IGovernance.Governance__ActionOnAsset.selector, 0)
        );
        id = _passed(_list(_one(CODELESS, "")));
        _refused(
            STRANGER,
            target,
            abi.encodeCall(IGovernance.execute, (id)),
            abi.encodeWithSelector(IGovernance.Governance__ActionWithoutCode.selector, 0, CODELESS)
        );
        id = _passed(_list(_one(refusing, "")));
        _refused(
            STRANGER,
            target,
            abi.encodeCall(IGovernance.execute, (id)),
            abi.encodeWithSelector(IGovernance.Governance__ActionFailed.selector, 0, refusing, "")
        );
    }

    /// @dev Of several actions that are wrong the first is reported, whatever is wrong with it.
    function test_actions_ofSeveralTheFirstIsReported() public {
        Action[] memory actions = new Action[](3);
        actions[0] = Action(address(box), abi.encodeCall(Box.set, (1)));
        actions[1] = Action(CODELESS, "");
        actions[2] = Action(address(asset), "");
        box.setRefuses(true);
        uint256 id = _passed(_list(actions));
        bytes memory call_ = abi.encodeCall(IGovernance.execute, (id));
        _refused(STRANGER, target, call_, _boxFailed(0, 1));
        box.setRefuses(false);
        _refused(
            STRANGER,
            target,
            call_,
            abi.encodeWithSelector(IGovernance.Governance__ActionWithoutCode.selector, 1, CODELESS)
        );
        vm.etch(CODELESS, hex"00");
        _refused(STRANGER, target, call_, abi.encodeWithSelector(IGovernance.Governance__ActionOnAsset.selector, 2));
    }

    /// @dev What was dropped is in the state Dropped, so the last two are never wrong together.
    function test_dropProposal_refusesInOrder() public {
        bytes memory call_ = abi.encodeCall(IGovernance.dropProposal, (0));
        _refused(STRANGER, target, call_, _unknown(0, 0));
        uint256 id = _push(_payload());
        _refused(
            STRANGER,
            target,
            call_,
            abi.encodeWithSelector(IGovernance.Governance__NotDropped.selector, id, ProposalState.Pending)
        );
        _setProposer(_newProposals());
        _accepted(STRANGER, target, call_);
        _refused(STRANGER, target, call_, abi.encodeWithSelector(IGovernance.Governance__AlreadyDropped.selector, id));
    }

    function _actionsChanged(uint256 id, bytes memory list) private view returns (bytes memory) {
        return abi.encodeWithSelector(
            IGovernance.Governance__ActionsChanged.selector, id, governance.actionsHash(id), keccak256(list)
        );
    }

    /// @dev Action number `index`, which sets the box to `value`, failed since the box refuses.
    function _boxFailed(uint256 index, uint256 value) private view returns (bytes memory) {
        bytes memory reason = abi.encodeWithSelector(Box.Refused.selector, value);
        return abi.encodeWithSelector(IGovernance.Governance__ActionFailed.selector, index, box, reason);
    }
}
