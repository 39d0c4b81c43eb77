// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IAsset} from "canon/interfaces/IAsset.sol";
import {Configuration, IGovernance, Proposal, ProposalState, Withdrawal} from "canon/interfaces/IGovernance.sol";
import {Action} from "canon/interfaces/IPayload.sol";
import {IProposals} from "canon/interfaces/IProposals.sol";
import {IRegistry} from "canon/interfaces/IRegistry.sol";
import {IRollup} from "canon/interfaces/IRollup.sol";
import {Box} from "../mocks/Box.sol";
import {ListPayload} from "../mocks/ListPayload.sol";
import {Set, SetLib} from "../Set.sol";
import {Test} from "../Test.sol";

/// @notice A set with stakers and holders, and the ways from a payload to its execution.
abstract contract Scenario is Test {
    uint256 internal constant START = 1_750_000_000;
    uint256 internal constant ATTESTERS = 8;
    uint256 internal constant ROUND = SetLib.M * SetLib.SLOT;
    uint256 internal constant EPOCH = SetLib.EPOCH * SetLib.SLOT;
    uint256 internal constant POWER = 100_000e18;

    Set internal set;
    IAsset internal asset;
    IRegistry internal registry;
    IProposals internal proposals;
    IGovernance internal governance;
    IRollup internal rollup;
    Box internal box;

    /// @dev Who got the initial supply.
    address internal treasury = address(0x7EA5);
    /// @dev Holders, with `POWER` each.
    address internal alice;
    address internal bob;

    mapping(address proposer => uint256) internal keyOf;

    /// @dev Rollups with stakers, whose draws somebody keeps alive.
    IRollup[] private _kept;

    function setUp() public virtual {
        vm.warp(START);
        _deploy(SetLib.configuration());
        _stakeAll(rollup);
        _toEpoch(rollup, 2);
    }

    /*//////////////////////////////////////////////////////////////
                                 STARTING
    //////////////////////////////////////////////////////////////*/

    function _deploy(Configuration memory c) internal {
        set = SetLib.deploy(treasury, c);
        (asset, registry, proposals) = (set.asset, set.registry, set.proposals);
        (governance, rollup) = (set.governance, set.rollup);
        box = new Box();
        alice = _holder("alice", POWER);
        bob = _holder("bob", POWER);
    }

    /// @dev An account with `amount` of power.
    function _holder(string memory name, uint256 amount) internal returns (address who) {
        uint256 key;
        (who, key) = account(name);
        keyOf[who] = key;
        _fund(who, amount);
        _lock(who, amount);
    }

    function _fund(address who, uint256 amount) internal {
        vm.prank(treasury);
        asset.transfer(who, amount);
    }

    function _lock(address who, uint256 amount) internal {
        vm.startPrank(who);
        asset.approve(address(governance), amount);
        governance.deposit(who, amount);
        vm.stopPrank();
    }

    function _stakeAll(IRollup instance) internal {
        for (uint256 i; i < ATTESTERS; ++i) {
            _stake(instance, i);
        }
    }

    /// @dev Attester number `i` joins, with a proposer and a withdrawer of its own.
    function _stake(IRollup instance, uint256 i) internal {
        string memory number = vm.toString(i);
        (address proposer, uint256 key) = account(string.concat("proposer ", number));
        keyOf[proposer] = key;
        _stake(instance, _attester(i), proposer, _withdrawer(i));
    }

    function _stake(IRollup instance, address attester, address proposer, address withdrawer) internal {
        _keep(instance);
        vm.startPrank(treasury);
        asset.approve(address(instance), SetLib.STAKE);
        instance.deposit(attester, proposer, withdrawer, SetLib.STAKE);
        vm.stopPrank();
    }

    function _attester(uint256 i) internal returns (address) {
        return addressOf(string.concat("attester ", vm.toString(i)));
    }

    function _withdrawer(uint256 i) internal returns (address) {
        return addressOf(string.concat("withdrawer ", vm.toString(i)));
    }

    /*//////////////////////////////////////////////////////////////
                                   TIME
    //////////////////////////////////////////////////////////////*/

    function _now() internal view returns (uint256) {
        return vm.getBlockTimestamp();
    }

    /// @dev Forward to `timestamp`, where another random number awaits. On the way somebody calls `setupEpoch`, so that
    /// every rollup with stakers has proposers then.
    function _to(uint256 timestamp) internal {
        uint256[] memory calls = new uint256[](_kept.length);
        for (uint256 i; i < calls.length; ++i) {
            calls[i] = _lastCallFor(_kept[i], timestamp);
        }
        // The earliest first.
        for (uint256 done; done < calls.length; ++done) {
            uint256 next;
            for (uint256 i = 1; i < calls.length; ++i) {
                if (calls[i] < calls[next]) next = i;
            }
            if (calls[next] == type(uint256).max) break;
            _toInSilence(calls[next]);
            _kept[next].setupEpoch();
            calls[next] = type(uint256).max;
        }
        _toInSilence(timestamp);
    }

    /// @dev Forward to `timestamp`, and nobody calls anything on the way.
    function _toInSilence(uint256 timestamp) internal {
        if (timestamp > _now()) skip(timestamp - _now());
        vm.prevrandao(keccak256(abi.encode("random", timestamp)));
    }

    /// @dev When `setupEpoch` has to be called for the epoch of `timestamp`; never if that is the present one.
    function _lastCallFor(IRollup instance, uint256 timestamp) private view returns (uint256 time) {
        if (timestamp <= _now()) return type(uint256).max;
        uint256 epoch = instance.getEpochAt(timestamp);
        if (epoch == instance.getCurrentEpoch()) return type(uint256).max;
        time = instance.getTimestampForSlot((epoch - 1) * instance.EPOCH_DURATION() + 1);
        if (time < _now()) time = _now();
    }

    /// @dev Nobody calls `instance` on the way any more, for instance because it is dead.
    function _abandon(IRollup instance) internal {
        for (uint256 i; i < _kept.length; ++i) {
            if (_kept[i] != instance) continue;
            _kept[i] = _kept[_kept.length - 1];
            _kept.pop();
            return;
        }
    }

    /// @dev Somebody keeps the draws of `instance` alive from now on.
    function _keep(IRollup instance) internal {
        for (uint256 i; i < _kept.length; ++i) {
            if (_kept[i] == instance) return;
        }
        _kept.push(instance);
    }

    function _toSlot(IRollup instance, uint256 slot) internal {
        _to(instance.getTimestampForSlot(slot));
    }

    function _toEpoch(IRollup instance, uint256 epoch) internal {
        _toSlot(instance, epoch * SetLib.EPOCH);
    }

    /// @dev Forward to the first second of the next round.
    function _toNextRound(IRollup instance) internal {
        _toSlot(instance, (instance.getCurrentSlot() / SetLib.M + 1) * SetLib.M);
    }

    /// @dev The seconds of a proposal: the last of Pending, Active, Queued and Executable.
    function _lastPending(uint256 id) internal view returns (uint256) {
        Proposal memory p = governance.getProposal(id);
        return p.creation + p.config.votingDelay;
    }

    function _lastActive(uint256 id) internal view returns (uint256) {
        return _lastPending(id) + governance.getProposal(id).config.votingDuration;
    }

    /// @dev The last second in which ballots against are taken.
    function _lastObjection(uint256 id) internal view returns (uint256) {
        return _lastActive(id) + governance.getProposal(id).config.executionDelay / 2;
    }

    function _lastQueued(uint256 id) internal view returns (uint256) {
        return _lastActive(id) + governance.getProposal(id).config.executionDelay;
    }

    function _lastExecutable(uint256 id) internal view returns (uint256) {
        return _lastQueued(id) + governance.getProposal(id).config.gracePeriod;
    }

    /*//////////////////////////////////////////////////////////////
                                 PAYLOADS
    //////////////////////////////////////////////////////////////*/

    function _action(address target, bytes memory data) internal pure returns (Action[] memory actions) {
        actions = new Action[](1);
        actions[0] = Action(target, data);
    }

    function _setBox(uint256 value) internal view returns (Action[] memory) {
        return _action(address(box), abi.encodeCall(Box.set, (value)));
    }

    function _payload(address target, bytes memory data) internal returns (address) {
        return address(new ListPayload(_action(target, data)));
    }

    function _boxPayload(uint256 value) internal returns (address) {
        return address(new ListPayload(_setBox(value)));
    }

    function _configurationPayload(Configuration memory c) internal returns (address) {
        return _payload(address(governance), abi.encodeCall(IGovernance.updateConfiguration, (c)));
    }

    function _proposalsPayload(address newProposals) internal returns (address) {
        return _payload(address(governance), abi.encodeCall(IGovernance.updateGovernanceProposer, (newProposals)));
    }

    /*//////////////////////////////////////////////////////////////
                          FROM PAYLOAD TO EXECUTION
    //////////////////////////////////////////////////////////////*/

    function _signal(IRollup instance, address payload) internal {
        vm.prank(instance.getCurrentProposer());
        proposals.vote(payload);
    }

    /// @dev One signal in each of the next `count` slots, the present one included.
    function _signal(IRollup instance, address payload, uint256 count) internal {
        uint256 slot = instance.getCurrentSlot();
        for (uint256 i; i < count; ++i) {
            _toSlot(instance, slot + i);
            _signal(instance, payload);
        }
    }

    /// @dev `payload` wins the next round of the canonical rollup; now is the first second after it.
    function _win(address payload) internal returns (uint256 round) {
        IRollup instance = IRollup(registry.getRollup());
        _toNextRound(instance);
        round = instance.getCurrentSlot() / SetLib.M;
        _signal(instance, payload, SetLib.N);
        _toNextRound(instance);
    }

    function _push(uint256 round) internal returns (uint256 id) {
        id = governance.proposalCount();
        proposals.pushProposal(round);
    }

    function _propose(address payload) internal returns (uint256 id) {
        return _push(_win(payload));
    }

    function _vote(address voter, uint256 id, uint256 amount, bool support) internal {
        vm.prank(voter);
        governance.vote(id, amount, support);
    }

    /// @dev Alice and Bob accept proposal `id` as soon as they can.
    function _accept(uint256 id) internal {
        _to(_lastPending(id) + 1);
        _vote(alice, id, governance.powerAt(alice, _lastPending(id)), true);
        _vote(bob, id, governance.powerAt(bob, _lastPending(id)), true);
    }

    /// @dev Accepted, and in its first executable second.
    function _toExecutable(uint256 id) internal {
        _accept(id);
        _to(_lastQueued(id) + 1);
        _assertState(id, ProposalState.Executable);
    }

    /// @dev From a payload to its execution.
    function _enact(address payload) internal returns (uint256 id) {
        id = _propose(payload);
        _toExecutable(id);
        governance.execute(id);
    }

    /// @dev The same past the sequencers, at Alice's expense.
    function _enactByLock(address payload) internal returns (uint256 id) {
        id = _proposeByLock(alice, payload);
        _toExecutable(id);
        governance.execute(id);
    }

    function _proposeByLock(address who, address payload) internal returns (uint256 id) {
        id = governance.proposalCount();
        vm.prank(who);
        governance.proposeWithLock(payload, who);
    }

    function _assertState(uint256 id, ProposalState expected) internal view {
        vm.assertEq(uint256(governance.getProposalState(id)), uint256(expected), "state of proposal");
    }

    function _expectRevert(bytes memory data) internal {
        vm.expectRevert(data);
    }
}
