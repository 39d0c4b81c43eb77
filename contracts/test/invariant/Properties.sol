// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Test} from "../Test.sol";
import {Handler} from "./Handler.sol";

/// @notice The properties that always hold, one function each, asked of the handler and of the contracts behind it.
abstract contract Properties is Test {
    Handler internal handler;

    function setUp() public virtual {
        vm.warp(1_750_000_000);
        handler = new Handler();
    }

    function _holds(string memory rule) private view {
        string memory breach = handler.breach(rule);
        vm.assertTrue(bytes(breach).length == 0, string.concat(rule, ": ", breach));
    }

    /// @dev Asset balance of Governance ≥ total power + unclaimed withdrawals; exactly, but for what was sent to it.
    function _governanceIsSolvent() internal view {
        (uint256 balance, uint256 power, uint256 due, uint256 modelDue, uint256 gifts) = handler.solvency();
        vm.assertGe(balance, power + due, "balance");
        vm.assertEq(balance, power + due + gifts, "exactly");
        vm.assertEq(due, modelDue, "due");
    }

    function _rollupsAreSolvent() internal view {
        vm.assertEq(handler.insolventRollup(), address(0), "an insolvent rollup");
    }

    function _totalPowerIsTheSumOfTheHolders() internal view {
        (bool sum,) = handler.powerAgrees(handler.steps());
        vm.assertTrue(sum, "sum");
    }

    function _powerIsWhatWasLockedAtThatSecond() internal view {
        (, bool model) = handler.powerAgrees(handler.steps() + 1);
        vm.assertTrue(model, "model");
    }

    function _ballotsAreWithinTheHoldersPower() internal view {
        (bool within,,) = handler.ballotsAgree();
        vm.assertTrue(within, "within");
        _holds("ballots");
    }

    function _aProposalsSumsAreTheSumOfItsBallots() internal view {
        (, bool sums,) = handler.ballotsAgree();
        vm.assertTrue(sums, "sums");
    }

    function _aProposalsSumsAreWithinTheTotal() internal view {
        (,, bool total) = handler.ballotsAgree();
        vm.assertTrue(total, "total");
    }

    function _signalsOfARoundAreWithinItsSlots() internal view {
        (bool within,,,) = handler.roundsAgree();
        vm.assertTrue(within, "within");
    }

    function _countsAndLeadersAreThoseOfTheSignals() internal view {
        (, bool counts,,) = handler.roundsAgree();
        vm.assertTrue(counts, "counts");
        _holds("signals");
    }

    function _atMostOnePayloadOfARoundReachesN() internal view {
        (,, bool winner,) = handler.roundsAgree();
        vm.assertTrue(winner, "winner");
        _holds("one winner");
    }

    function _aPushedRoundHadAWinnerAndItsProposalExists() internal view {
        (,,, bool pushed) = handler.roundsAgree();
        vm.assertTrue(pushed, "pushed");
        _holds("pushes");
    }

    function _noProposalIsExecutedEarlyOrAfterItExpired() internal view {
        _holds("execution");
    }

    function _noProposalIsExecutedTwice() internal view {
        (bool once,,,) = handler.proposalsAgree();
        vm.assertTrue(once, "once");
    }

    function _executedMeansAccepted() internal view {
        (, bool accepted,,) = handler.proposalsAgree();
        vm.assertTrue(accepted, "accepted");
    }

    function _whatIsExecutedIsWhatWasPublished() internal view {
        (,, bool hashes,) = handler.proposalsAgree();
        vm.assertTrue(hashes, "hashes");
        _holds("actions");
    }

    function _creationTimesDoNotDecrease() internal view {
        (,,, bool times) = handler.proposalsAgree();
        vm.assertTrue(times, "times");
    }

    function _statesAreThoseOfTheSpecificationAndLeadForward() internal view {
        _holds("states");
    }

    function _afterActiveNoBallotAccepts() internal view {
        _holds("refusals");
    }

    function _afterTheLastObjectionNothingChanges() internal view {
        _holds("finality");
    }

    function _nothingIsExecutedAgainstAMajority() internal view {
        _holds("majorities");
    }

    function _configurationsAreWithinBounds() internal view {
        _holds("bounds");
    }

    function _theRegistryOnlyGrows() internal view {
        vm.assertTrue(handler.registryAgrees(), "registryAgrees");
        _holds("registry");
    }

    function _onlyGovernanceMovesOwnership() internal view {
        vm.assertTrue(handler.ownersAgree(), "ownersAgree");
        _holds("owners");
        _holds("strangers");
    }

    function _noVoterHoldsTokensAgainBeforeTheExecution() internal view {
        _holds("early exit");
    }

    function _withdrawalsArePaidOnceInTimeAndInFull() internal view {
        vm.assertTrue(handler.withdrawalsAgree(), "withdrawalsAgree");
        _holds("withdrawals");
    }

    function _configurationAndExitFloorFollowTheFormula() internal view {
        (bool configuration, bool floor) = handler.configurationAgrees();
        vm.assertTrue(configuration, "configuration");
        vm.assertTrue(floor, "floor");
    }

    function _noSignatureIsUsedTwiceOrForAnother() internal view {
        vm.assertTrue(handler.noncesAgree(), "noncesAgree");
        _holds("signatures");
    }

    function _atMostOneProposerPerSlot() internal view {
        _holds("one proposer per slot");
    }

    function _closedSetsAndSeedsNeverChange() internal {
        handler.checkSets();
        _holds("closed sets");
        _holds("seeds");
    }

    function _stakesJoinLeaveAndMoveByTheirRules() internal view {
        _holds("stakes");
    }

    function _blocksAreTheirProposersOncePerSlot() internal view {
        vm.assertTrue(handler.blocksAgree(), "blocksAgree");
        _holds("blocks");
    }

    function _rewardsGoToTheCanonicalRollupOncePerSlotAndTimestamp() internal view {
        vm.assertTrue(handler.moneyAgrees(), "moneyAgrees");
        _holds("rewards");
    }

    /// @dev Whatever rollup, Proposals, configuration and proposals there are: a holder of `lockAmount` can propose, and
    /// what everybody accepts is executed.
    function _holdersOfTheLockAmountCanAct() internal {
        uint256 snapshot = vm.snapshotState();
        string memory obstacle = handler.lockPathActs();
        vm.revertToState(snapshot);
        vm.assertTrue(bytes(obstacle).length == 0, obstacle);
    }

    function _everything() internal {
        _governanceIsSolvent();
        _rollupsAreSolvent();
        _totalPowerIsTheSumOfTheHolders();
        _powerIsWhatWasLockedAtThatSecond();
        _ballotsAreWithinTheHoldersPower();
        _aProposalsSumsAreTheSumOfItsBallots();
        _aProposalsSumsAreWithinTheTotal();
        _signalsOfARoundAreWithinItsSlots();
        _countsAndLeadersAreThoseOfTheSignals();
        _atMostOnePayloadOfARoundReachesN();
        _aPushedRoundHadAWinnerAndItsProposalExists();
        _noProposalIsExecutedEarlyOrAfterItExpired();
        _noProposalIsExecutedTwice();
        _executedMeansAccepted();
        _whatIsExecutedIsWhatWasPublished();
        _creationTimesDoNotDecrease();
        _statesAreThoseOfTheSpecificationAndLeadForward();
        _afterActiveNoBallotAccepts();
        _afterTheLastObjectionNothingChanges();
        _nothingIsExecutedAgainstAMajority();
        _configurationsAreWithinBounds();
        _theRegistryOnlyGrows();
        _onlyGovernanceMovesOwnership();
        _noVoterHoldsTokensAgainBeforeTheExecution();
        _withdrawalsArePaidOnceInTimeAndInFull();
        _configurationAndExitFloorFollowTheFormula();
        _noSignatureIsUsedTwiceOrForAnother();
        _atMostOneProposerPerSlot();
        _closedSetsAndSeedsNeverChange();
        _stakesJoinLeaveAndMoveByTheirRules();
        _blocksAreTheirProposersOncePerSlot();
        _rewardsGoToTheCanonicalRollupOncePerSlotAndTimestamp();
    }
}
