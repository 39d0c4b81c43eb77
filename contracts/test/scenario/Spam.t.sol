// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IGovernance} from "canon/interfaces/IGovernance.sol";
import {Configuration} from "canon/interfaces/IGovernance.sol";
import {IProposals} from "canon/interfaces/IProposals.sol";
import {SetLib} from "../Set.sol";
import {Scenario} from "./Scenario.sol";

/// @notice Deposits, proposals, ballots, withdrawals and stakers in masses must not make the calls of others expensive.
contract SpamTest is Scenario {
    /// @dev What a stranger's thousand dust deposits may add to a call: ten more reads of cold storage, for the search in
    /// the history.
    uint256 internal constant SEARCH = 10 * 2_500;
    /// @dev Differences of a warm or cold word, a zero or non-zero byte.
    uint256 internal constant NOISE = 3_000;

    function _cold() internal {
        address[6] memory all = [
            address(governance),
            address(proposals),
            address(asset),
            address(registry),
            address(rollup),
            address(set.rewardDistributor)
        ];
        for (uint256 i; i < all.length; ++i) {
            vm.cool(all[i]);
        }
    }

    /// @dev Gas of a call, all storage cold.
    function _gas(address from, address target, bytes memory data) internal returns (uint256 used) {
        _cold();
        vm.prank(from);
        uint256 before = gasleft();
        (bool success, bytes memory answer) = target.call(data);
        used = before - gasleft();
        vm.assertTrue(success, string(answer));
    }

    /// @dev The same, undone.
    function _probe(address from, address target, bytes memory data) internal returns (uint256 used) {
        uint256 snapshot = vm.snapshotState();
        used = _gas(from, target, data);
        vm.revertToState(snapshot);
    }

    function _dust(address holder, uint256 count) internal {
        vm.startPrank(treasury);
        asset.approve(address(governance), count);
        for (uint256 i; i < count; ++i) {
            skip(1);
            governance.deposit(holder, 1);
        }
        vm.stopPrank();
    }

    function test_spam_aThousandDustDepositsDoNotMakeTheHoldersCallsExpensive() public {
        uint256 id = _propose(_boxPayload(1));
        _to(_lastPending(id) + 1);
        bytes memory vote = abi.encodeCall(IGovernance.vote, (id, POWER, true));
        bytes memory withdraw = abi.encodeCall(IGovernance.initiateWithdraw, (alice, POWER));
        uint256 voteBefore = _probe(alice, address(governance), vote);
        uint256 withdrawBefore = _probe(alice, address(governance), withdraw);

        _dust(alice, 1000);
        uint256 voteAfter = _probe(alice, address(governance), vote);
        uint256 withdrawAfter = _probe(alice, address(governance), withdraw);
        vm.assertLe(voteAfter, voteBefore + SEARCH + NOISE, "vote");
        vm.assertLe(withdrawAfter, withdrawBefore + 17_100 + NOISE, "withdraw");
        vm.assertLe(voteAfter, 110_000, "vote, absolutely");
        vm.assertLe(withdrawAfter, 140_000, "withdraw, absolutely");

        // The dust came too late for this snapshot and counts for the next.
        _expectRevert(
            abi.encodeWithSelector(IGovernance.Governance__InsufficientPower.selector, alice, POWER, POWER + 1)
        );
        _vote(alice, id, POWER + 1, true);
        vm.assertEq(governance.powerAt(alice, _now()), POWER + 1000);
    }

    function test_spam_dustBeforeTheSnapshotNeitherHidesNorMisplacesPower() public {
        _dust(alice, 300);
        uint256 id = _propose(_boxPayload(1));
        _dust(alice, 300);
        _to(_lastPending(id) + 1);
        _dust(alice, 400);
        uint256 vote = _gas(alice, address(governance), abi.encodeCall(IGovernance.vote, (id, POWER + 600, true)));
        vm.assertLe(vote, 110_000, "vote");
        for (uint256 i; i < 10; ++i) {
            // Any second in the past is still answered right.
            vm.assertEq(governance.powerAt(alice, _now() - i * 40), POWER + 1000 - i * 40);
        }
    }

    function test_spam_aThousandChangesOfTheTotalDoNotMakeExecutionExpensive() public {
        uint256 id = _propose(_boxPayload(1));
        _toExecutable(id);
        bytes memory execute = abi.encodeCall(IGovernance.execute, (id));
        uint256 before = _probe(bob, address(governance), execute);
        _dust(alice, 1000);
        uint256 later = _probe(bob, address(governance), execute);
        vm.assertLe(later, before + SEARCH + NOISE);
    }

    function test_spam_proposalsDoNotMakeOthersCallsExpensive() public {
        Configuration memory c = SetLib.configuration();
        c.proposeConfig.lockAmount = 2;
        vm.prank(address(governance));
        governance.updateConfiguration(c);
        address payload = _boxPayload(1);
        uint256 first = _proposeByLock(alice, payload);
        uint256 round = _win(_boxPayload(2));
        bytes memory push = abi.encodeCall(IProposals.pushProposal, (round));
        bytes memory lock = abi.encodeCall(IGovernance.proposeWithLock, (payload, bob));
        uint256 pushBefore = _probe(bob, address(proposals), push);
        uint256 lockBefore = _probe(bob, address(governance), lock);
        for (uint256 i; i < 500; ++i) {
            vm.prank(alice);
            governance.proposeWithLock(payload, alice);
        }
        vm.assertLe(_probe(bob, address(proposals), push), pushBefore + NOISE, "push");
        vm.assertLe(_probe(bob, address(governance), lock), lockBefore + NOISE + 17_100, "lock");
        _to(_lastPending(first) + 1);
        vm.assertLe(
            _gas(bob, address(governance), abi.encodeCall(IGovernance.vote, (first, POWER, true))), 80_000, "vote"
        );
    }

    function test_spam_ballotsAndWithdrawalsDoNotMakeOthersCallsExpensive() public {
        uint256 id = _propose(_boxPayload(1));
        _to(_lastPending(id) + 1);
        _vote(alice, id, 1, true);
        bytes memory vote = abi.encodeCall(IGovernance.vote, (id, POWER, false));
        bytes memory withdraw = abi.encodeCall(IGovernance.initiateWithdraw, (bob, POWER));
        uint256 voteBefore = _probe(bob, address(governance), vote);
        uint256 withdrawBefore = _probe(bob, address(governance), withdraw);
        for (uint256 i; i < 500; ++i) {
            vm.startPrank(alice);
            governance.vote(id, 1, i % 2 == 0);
            governance.initiateWithdraw(alice, 1);
            vm.stopPrank();
            if (i % 10 == 0) skip(1);
        }
        vm.assertLe(_probe(bob, address(governance), vote), voteBefore + SEARCH + NOISE, "vote");
        vm.assertLe(_probe(bob, address(governance), withdraw), withdrawBefore + 17_100 + NOISE, "withdraw");
        uint256 finalise = _now() + 1 days;
        _to(finalise);
        vm.assertLe(
            _gas(bob, address(governance), abi.encodeCall(IGovernance.finaliseWithdraw, (250))), 60_000, "finalise"
        );
    }

    function test_spam_manyPayloadsInARoundDoNotMakeSignalsExpensive() public {
        _toNextRound(rollup);
        address payload = _boxPayload(1);
        _signal(rollup, payload);
        _to(_now() + SetLib.SLOT);
        uint256 before =
            _probe(rollup.getCurrentProposer(), address(proposals), abi.encodeCall(IProposals.vote, (payload)));
        for (uint256 i; i < SetLib.M - 2; ++i) {
            _signal(rollup, _boxPayload(10 + i));
            _to(_now() + SetLib.SLOT);
        }
        uint256 later =
            _probe(rollup.getCurrentProposer(), address(proposals), abi.encodeCall(IProposals.vote, (payload)));
        vm.assertLe(later, before + NOISE);
    }

    function test_spam_stakersDoNotMakeDrawsOrSignalsExpensive() public {
        _toNextRound(rollup);
        address payload = _boxPayload(1);
        _signal(rollup, payload);
        _to(_now() + SetLib.SLOT);
        bytes memory vote = abi.encodeCall(IProposals.vote, (payload));
        uint256 before = _probe(rollup.getCurrentProposer(), address(proposals), vote);
        for (uint256 i; i < 500; ++i) {
            _stake(rollup, address(uint160(0xA000 + i)), address(uint160(0xB000 + i)), address(0xC));
        }
        _toEpoch(rollup, rollup.getCurrentEpoch() + 2);
        vm.assertEq(rollup.getSetSize(rollup.getCurrentEpoch()), ATTESTERS + 500);
        _toNextRound(rollup);
        _signal(rollup, payload);
        _to(_now() + SetLib.SLOT);
        uint256 later = _probe(rollup.getCurrentProposer(), address(proposals), vote);
        vm.assertLe(later, before + NOISE);
    }
}
