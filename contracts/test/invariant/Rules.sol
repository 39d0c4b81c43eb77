// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @notice The rules that always hold, whatever the actors do. This is the only list of them: the handler checks them
/// by name, and a test asks for the breaches of all.
enum Rule {
    GovernanceSolvency,
    RollupSolvency,
    TotalPower,
    PastPower,
    Ballots,
    Tallies,
    TallyLimit,
    SignalLimit,
    Signals,
    OneWinner,
    Pushes,
    Execution,
    OneExecution,
    Acceptance,
    PublishedActions,
    CreationTimes,
    States,
    Rejections,
    Finality,
    Majorities,
    Bounds,
    Registry,
    Ownership,
    Strangers,
    EarlyExit,
    Withdrawals,
    Configuration,
    Signatures,
    OneProposer,
    ClosedSets,
    Seeds,
    Stakes,
    Blocks,
    Rewards
}

using {name} for Rule global;

/// @notice Returns `rule` in words, for the message of a failure.
function name(Rule rule) pure returns (string memory) {
    if (rule == Rule.GovernanceSolvency) return "Governance is solvent";
    if (rule == Rule.RollupSolvency) return "rollups are solvent";
    if (rule == Rule.TotalPower) return "the total power is the sum of the holders' powers";
    if (rule == Rule.PastPower) return "power is what was locked at that second";
    if (rule == Rule.Ballots) return "ballots are within the holder's power";
    if (rule == Rule.Tallies) return "a tally is the sum of its ballots";
    if (rule == Rule.TallyLimit) return "a tally is within the total power";
    if (rule == Rule.SignalLimit) return "the signals of a round are within its slots";
    if (rule == Rule.Signals) return "counts and leaders follow the signals";
    if (rule == Rule.OneWinner) return "at most one payload wins a round";
    if (rule == Rule.Pushes) return "a pushed round had a winner, and its proposal exists";
    if (rule == Rule.Execution) return "a proposal is executed within its window";
    if (rule == Rule.OneExecution) return "a proposal is executed once";
    if (rule == Rule.Acceptance) return "an executed proposal was accepted";
    if (rule == Rule.PublishedActions) return "executed actions were published";
    if (rule == Rule.CreationTimes) return "creation times never decrease";
    if (rule == Rule.States) return "states follow the specification";
    if (rule == Rule.Rejections) return "a rejected proposal stays rejected";
    if (rule == Rule.Finality) return "a tally is final after the last objection";
    if (rule == Rule.Majorities) return "a majority against prevents execution";
    if (rule == Rule.Bounds) return "configurations are within bounds";
    if (rule == Rule.Registry) return "the Registry only grows";
    if (rule == Rule.Ownership) return "ownership moves by its owner";
    if (rule == Rule.Strangers) return "strangers have no rights";
    if (rule == Rule.EarlyExit) return "voters stay locked until execution";
    if (rule == Rule.Withdrawals) return "withdrawals are paid once, in time and in full";
    if (rule == Rule.Configuration) return "configuration and exit floor follow the formula";
    if (rule == Rule.Signatures) return "a signature counts once, for its signer";
    if (rule == Rule.OneProposer) return "a slot has one proposer";
    if (rule == Rule.ClosedSets) return "closed sets never change";
    if (rule == Rule.Seeds) return "seeds never change";
    if (rule == Rule.Stakes) return "stakes join, leave and move by their rules";
    if (rule == Rule.Blocks) return "a block is its proposer's, one per slot";
    if (rule == Rule.Rewards) return "rewards are paid to the canonical rollup, once per slot";
    revert("a rule without a name");
}
