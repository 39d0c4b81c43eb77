// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Properties} from "./Properties.sol";

/// @notice What forge needs to know about the handler.
abstract contract Campaign is Properties {
    struct Selectors {
        address target;
        bytes4[] selectors;
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() public view returns (Selectors[] memory targets) {
        targets = new Selectors[](1);
        targets[0] = Selectors(address(handler), handler.actions());
    }
}

/// @notice All properties together in many sequences: one campaign, since forge runs one per function. The handler looks
/// at each of its steps and remembers what it saw; the contracts are compared with the model after every fourth.
contract ProtocolInvariants is Campaign {
    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.shrink-run-limit = 200
    function invariant_everythingHolds() public {
        if (handler.steps() % 4 == 0) _everything();
    }

    /// @dev Once per sequence, since it acts out a whole proposal.
    function afterInvariant() public {
        _everything();
        _holdersOfTheLockAmountCanAct();
    }
}

/// @notice The same properties by name, in fewer and shorter sequences.
contract NamedInvariants is Campaign {
    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 64
    function invariant_governanceIsSolvent() public view {
        _governanceIsSolvent();
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 64
    function invariant_rollupsAreSolvent() public view {
        _rollupsAreSolvent();
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 64
    function invariant_totalPowerIsTheSumOfTheHolders() public view {
        _totalPowerIsTheSumOfTheHolders();
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 64
    function invariant_powerIsWhatWasLockedAtThatSecond() public view {
        _powerIsWhatWasLockedAtThatSecond();
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 64
    function invariant_ballotsAreWithinTheHoldersPower() public view {
        _ballotsAreWithinTheHoldersPower();
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 64
    function invariant_aProposalsSumsAreTheSumOfItsBallots() public view {
        _aProposalsSumsAreTheSumOfItsBallots();
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 64
    function invariant_aProposalsSumsAreWithinTheTotal() public view {
        _aProposalsSumsAreWithinTheTotal();
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 64
    function invariant_signalsOfARoundAreWithinItsSlots() public view {
        _signalsOfARoundAreWithinItsSlots();
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 64
    function invariant_countsAndLeadersAreThoseOfTheSignals() public view {
        _countsAndLeadersAreThoseOfTheSignals();
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 64
    function invariant_atMostOnePayloadOfARoundReachesN() public view {
        _atMostOnePayloadOfARoundReachesN();
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 64
    function invariant_aPushedRoundHadAWinnerAndItsProposalExists() public view {
        _aPushedRoundHadAWinnerAndItsProposalExists();
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 64
    function invariant_noProposalIsExecutedEarlyOrAfterItExpired() public view {
        _noProposalIsExecutedEarlyOrAfterItExpired();
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 64
    function invariant_noProposalIsExecutedTwice() public view {
        _noProposalIsExecutedTwice();
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 64
    function invariant_executedMeansAccepted() public view {
        _executedMeansAccepted();
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 64
    function invariant_whatIsExecutedIsWhatWasPublished() public view {
        _whatIsExecutedIsWhatWasPublished();
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 64
    function invariant_creationTimesDoNotDecrease() public view {
        _creationTimesDoNotDecrease();
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 64
    function invariant_statesAreThoseOfTheSpecificationAndLeadForward() public view {
        _statesAreThoseOfTheSpecificationAndLeadForward();
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 64
    function invariant_afterActiveNoBallotAccepts() public view {
        _afterActiveNoBallotAccepts();
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 64
    function invariant_afterTheLastObjectionNothingChanges() public view {
        _afterTheLastObjectionNothingChanges();
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 64
    function invariant_nothingIsExecutedAgainstAMajority() public view {
        _nothingIsExecutedAgainstAMajority();
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 64
    function invariant_configurationsAreWithinBounds() public view {
        _configurationsAreWithinBounds();
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 64
    function invariant_theRegistryOnlyGrows() public view {
        _theRegistryOnlyGrows();
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 64
    function invariant_onlyGovernanceMovesOwnership() public view {
        _onlyGovernanceMovesOwnership();
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 64
    function invariant_noVoterHoldsTokensAgainBeforeTheExecution() public view {
        _noVoterHoldsTokensAgainBeforeTheExecution();
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 64
    function invariant_withdrawalsArePaidOnceInTimeAndInFull() public view {
        _withdrawalsArePaidOnceInTimeAndInFull();
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 64
    function invariant_configurationAndExitFloorFollowTheFormula() public view {
        _configurationAndExitFloorFollowTheFormula();
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 64
    function invariant_noSignatureIsUsedTwiceOrForAnother() public view {
        _noSignatureIsUsedTwiceOrForAnother();
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 64
    function invariant_atMostOneProposerPerSlot() public view {
        _atMostOneProposerPerSlot();
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 64
    function invariant_closedSetsAndSeedsNeverChange() public {
        _closedSetsAndSeedsNeverChange();
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 64
    function invariant_stakesJoinLeaveAndMoveByTheirRules() public view {
        _stakesJoinLeaveAndMoveByTheirRules();
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 64
    function invariant_blocksAreTheirProposersOncePerSlot() public view {
        _blocksAreTheirProposersOncePerSlot();
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 64
    function invariant_rewardsGoToTheCanonicalRollupOncePerSlotAndTimestamp() public view {
        _rewardsGoToTheCanonicalRollupOncePerSlotAndTimestamp();
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 64
    function invariant_holdersOfTheLockAmountCanAct() public {
        if (handler.steps() % 8 != 0) return;
        _holdersOfTheLockAmountCanAct();
    }
}
