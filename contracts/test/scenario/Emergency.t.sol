// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "canon/interfaces/ICommon.sol";
import {Configuration, IGovernance, ProposalState, Withdrawal} from "canon/interfaces/IGovernance.sol";
import {IProposals} from "canon/interfaces/IProposals.sol";
import {IRollup} from "canon/interfaces/IRollup.sol";
import {HostileRollup} from "../mocks/HostileRollup.sol";
import {SetLib} from "../Set.sol";
import {Scenario} from "./Scenario.sol";

/// @notice The way past sequencers, when a rollup or a Proposals contract is dead.
contract EmergencyTest is Scenario {
    function _newProposals() internal returns (IProposals) {
        return IProposals(vm.deployCode(SetLib.artifact("Proposals"), abi.encode(registry, SetLib.N, SetLib.M)));
    }

    /// @return refusal How Proposals refuses from then on.
    function _killRollup(uint256 how) internal returns (bytes memory refusal) {
        how = bound(how, 0, 5);
        _abandon(rollup);
        if (how == 0) {
            vm.etch(address(rollup), "");
        } else if (how == 1) {
            vm.etch(address(rollup), abi.encodePacked(hex"ef0100", address(box)));
        } else {
            vm.etch(address(rollup), address(new HostileRollup(address(0), 0, address(0))).code);
            HostileRollup.Mode mode = HostileRollup.Mode(how - 1);
            if (how == 5) mode = HostileRollup.Mode.Burn;
            HostileRollup(address(rollup)).setModes(mode, mode);
        }
        refusal = how < 2
            ? abi.encodeWithSelector(ICommon.NoCode.selector, address(rollup))
            : abi.encodeWithSelector(ICommon.NoAnswer.selector, address(rollup), IRollup.getCurrentSlot.selector);
    }

    /// forge-config: default.fuzz.runs = 32
    function testFuzz_emergency_aDeadRollupIsReplacedThroughTheLock(uint256 how) public {
        // A round was won before the rollup died; it can't be pushed any more.
        uint256 round = _win(_boxPayload(1));
        bytes memory refusal = _killRollup(how);
        (bool success, bytes memory answer) =
            address(proposals).call{gas: 5_000_000}(abi.encodeCall(IProposals.pushProposal, (round)));
        vm.assertFalse(success);
        vm.assertEq(answer, refusal);

        IRollup next = SetLib.rollup(set);
        _stakeAll(next);
        _enactByLock(SetLib.upgradePayload(set, address(next)));
        vm.assertEq(registry.getRollup(), address(next));
        // And signaling works again.
        _toEpoch(next, 2);
        _push(_win(_boxPayload(2)));
    }

    /// forge-config: default.fuzz.runs = 32
    function testFuzz_emergency_aDeadProposalsIsReplacedThroughTheLock(bool gone) public {
        vm.etch(address(proposals), gone ? bytes("") : bytes(hex"fe"));
        IProposals next = _newProposals();
        _enactByLock(_proposalsPayload(address(next)));
        vm.assertEq(governance.governanceProposer(), address(next));
        proposals = next;
        _push(_win(_boxPayload(2)));
    }

    /// forge-config: default.fuzz.runs = 32
    function testFuzz_emergency_bothDeadAreReplacedInOneProposalEach(uint256 how) public {
        _killRollup(how);
        vm.etch(address(proposals), hex"fe");
        IRollup next = SetLib.rollup(set);
        _stakeAll(next);
        IProposals newProposals = _newProposals();
        uint256 a = _proposeByLock(alice, SetLib.upgradePayload(set, address(next)));
        uint256 b = _proposeByLock(bob, _proposalsPayload(address(newProposals)));
        _toExecutable(b);
        _to(_lastActive(a));
        _assertState(a, ProposalState.Rejected);
        governance.execute(b);
        a = _enactByLock(SetLib.upgradePayload(set, address(next)));
        proposals = newProposals;
        _toEpoch(next, 2);
        _push(_win(_boxPayload(2)));
        _assertState(a, ProposalState.Executed);
    }

    function test_emergency_replacingProposalsDropsNoProposalThroughTheLock() public {
        uint256 replacement = _proposeByLock(alice, _proposalsPayload(address(_newProposals())));
        uint256 locked = _proposeByLock(bob, _boxPayload(1));
        uint256 pushed = _propose(_boxPayload(2));
        _accept(replacement);
        _accept(locked);
        _accept(pushed);
        _to(_lastQueued(replacement) + 1);
        governance.execute(replacement);
        _assertState(pushed, ProposalState.Dropped);
        vm.assertEq(governance.getProposal(locked).governanceProposer, address(governance));
        _to(_lastQueued(locked) + 1);
        governance.execute(locked);
        vm.assertEq(box.value(), 1);
    }

    function testFuzz_emergency_theLockIsWithheldForTheLongerDelay(uint256 lockDelay, uint256 votingDuration) public {
        Configuration memory c = SetLib.configuration();
        c.proposeConfig.lockDelay = bound(lockDelay, 60, 365 days);
        c.votingDuration = bound(votingDuration, 60, 90 days);
        _deploy(c);
        uint256 exit = c.votingDelay / 5 + c.votingDuration + c.executionDelay;
        uint256 start = _now();
        address payload = _boxPayload(1);
        vm.prank(alice);
        governance.proposeWithLock(payload, address(0xCA5E));
        Withdrawal memory w = governance.getWithdrawal(0);
        vm.assertEq(w.amount, c.proposeConfig.lockAmount);
        vm.assertEq(w.recipient, address(0xCA5E));
        uint256 longer = c.proposeConfig.lockDelay > exit ? c.proposeConfig.lockDelay : exit;
        vm.assertEq(w.unlocksAt, start + longer);
        vm.assertEq(governance.powerAt(alice, _now()), POWER - c.proposeConfig.lockAmount);
    }

    function testFuzz_emergency_theLockAmountIsNeededInFullAndNow(uint256 amount) public {
        amount = bound(amount, 1, 2 * 1000e18);
        address small = _holder("small", amount);
        address payload = _boxPayload(1);
        if (amount < 1000e18) {
            _expectRevert(
                abi.encodeWithSelector(
                    IGovernance.Governance__InsufficientPower.selector, small, amount, 1000e18
                )
            );
        }
        vm.prank(small);
        governance.proposeWithLock(payload, small);
        vm.assertEq(governance.proposalCount(), amount < 1000e18 ? 0 : 1);
    }

    function test_emergency_theLockedPowerDoesNotVote() public {
        address small = _holder("small", 1000e18);
        uint256 id = _proposeByLock(small, _boxPayload(1));
        _to(_lastPending(id) + 1);
        _expectRevert(abi.encodeWithSelector(IGovernance.Governance__InsufficientPower.selector, small, 0, 1));
        _vote(small, id, 1, true);
    }

    function test_emergency_aRefusedPayloadCostsNothing() public {
        _expectRevert(abi.encodeWithSelector(ICommon.NoCode.selector, address(0xE0A)));
        vm.prank(alice);
        governance.proposeWithLock(address(0xE0A), alice);
        vm.assertEq(governance.powerAt(alice, _now()), POWER);
        vm.assertEq(governance.withdrawalCount(), 0);
        address payload = _boxPayload(1);
        _expectRevert(abi.encodeWithSelector(ICommon.ZeroAddress.selector));
        vm.prank(alice);
        governance.proposeWithLock(payload, address(0));
    }

    function test_emergency_oneHolderCannotPassAloneWhatTheOthersRefuse() public {
        uint256 id = _proposeByLock(alice, _boxPayload(1));
        _to(_lastPending(id) + 1);
        _vote(alice, id, POWER - 1000e18, true);
        _vote(bob, id, POWER, false);
        _to(_lastActive(id) + 1);
        _assertState(id, ProposalState.Rejected);
    }

    /// @dev A Proposals contract that proposes something useless all the time can't keep others from proposing and
    /// deciding.
    function test_emergency_aHostileProposalsThatFloodsIsReplaced() public {
        Flooder flooder = new Flooder(governance, _boxPayload(9));
        _enactByLock(_proposalsPayload(address(flooder)));
        uint256 rescue = _proposeByLock(alice, _proposalsPayload(address(proposals)));
        for (uint256 i; i < 20; ++i) {
            flooder.flood(10);
            skip(60);
        }
        _toExecutable(rescue);
        governance.execute(rescue);
        _assertState(rescue + 1, ProposalState.Dropped);
        vm.assertEq(governance.governanceProposer(), address(proposals));
    }
}

/// @notice A Proposals contract that proposes without anybody's signal.
contract Flooder {
    IGovernance private immutable GOVERNANCE;
    address private immutable PAYLOAD;

    constructor(IGovernance governance, address payload) {
        (GOVERNANCE, PAYLOAD) = (governance, payload);
    }

    function flood(uint256 count) external {
        for (uint256 i; i < count; ++i) {
            GOVERNANCE.propose(PAYLOAD);
        }
    }
}
