//! Rules of rounds, slots, epochs and stake.

use super::{
    FindingLevel::{Error, Warning},
    Rule,
    RuleSubject::Rollup,
    SetFacts, WEEKEND, above, above_part, below, below_part, days, epoch, round, whole_way,
};
use crate::client::L1_SLOT;
use canon_protocol::{
    LIFETIME_IN_ROUNDS, Seconds,
    text::{Duration, grouped},
};

pub(super) static RULES: [Rule; 13] = [
    Rule {
        id: "one-early-staker",
        level: Error,
        subject: Rollup,
        broken: one_early_staker,
        why: "whoever alone has staked when a rollup becomes canonical draws every slot for up to three \
              epochs, and can win a round in them",
        source: "docs/risks.md: One fresh stake can own a new rollup",
    },
    Rule {
        id: "short-epochs",
        level: Error,
        subject: Rollup,
        broken: |facts| below("an epoch lasts", epoch(facts.parameters), Seconds::of(10 * 60)),
        why: "few missed or censored L1 blocks make an epoch without proposers",
        source: "docs/risks.md: Short epochs",
    },
    Rule {
        id: "rounds-without-winner",
        level: Error,
        subject: Rollup,
        broken: rounds_without_winner,
        why: "each signal needs an L1 block of its own, so only the lock is left",
        source: "docs/risks.md: Slots shorter than an L1 slot",
    },
    Rule {
        id: "rounds-with-few-blocks",
        level: Error,
        subject: Rollup,
        broken: rounds_with_few_blocks,
        why: "each signal needs an L1 block of its own, and every one of the round's has to carry one",
        source: "docs/risks.md: Slots shorter than an L1 slot",
    },
    Rule {
        id: "slots-below-l1-slot",
        level: Error,
        subject: Rollup,
        broken: |facts| below("a slot lasts", slot(facts), L1_SLOT),
        why: "many slots have no L1 block, and the proposer of the block before an epoch can know its seed",
        source: "docs/risks.md: Slots shorter than an L1 slot",
    },
    Rule {
        id: "slots-of-one-l1-block",
        level: Warning,
        subject: Rollup,
        broken: |facts| below("a slot lasts", slot(facts), Seconds::of(2 * L1_SLOT.get())),
        why: "one missed L1 block loses the slot",
        source: "docs/risks.md: Slots shorter than an L1 slot",
    },
    Rule {
        id: "uneven-slots",
        level: Warning,
        subject: Rollup,
        broken: |facts| {
            let slot = slot(facts);
            let (text, l1_slot) = (Duration(slot), Duration(L1_SLOT));
            (!slot.get().is_multiple_of(L1_SLOT.get()))
                .then(|| format!("a slot lasts {text}, expected a multiple of {l1_slot}"))
        },
        why: "slots have different numbers of L1 blocks, so some seats get less time than others",
        source: "docs/risks.md: Slots shorter than an L1 slot",
    },
    Rule {
        id: "short-time-to-push",
        level: Warning,
        subject: Rollup,
        broken: |facts| {
            let window = round(facts.parameters).checked_mul(LIFETIME_IN_ROUNDS);
            below("a won round can be pushed for", window.unwrap_or(Seconds::MAX), WEEKEND)
        },
        why: "a round that is won on a Friday is lost on Monday if no keeper runs",
        source: "docs/risks.md: Nobody is paid for the steps that anyone can do",
    },
    Rule {
        id: "long-rounds",
        level: Warning,
        subject: Rollup,
        broken: |facts| above("a round lasts", round(facts.parameters), days(30)),
        why: "an upgrade that is needed at once waits for a round",
        source: "docs/risks.md: Slots shorter than an L1 slot",
    },
    Rule {
        id: "unaccountable-stake",
        level: Error,
        subject: Rollup,
        broken: unaccountable_stake,
        why: "whoever is to be slashed leaves before the proposal is executed: stake isn't accountable",
        source: "docs/risks.md: Slashing is slower than leaving",
    },
    Rule {
        id: "slow-exit",
        level: Warning,
        subject: Rollup,
        broken: |facts| {
            above("stake that leaves is paid after", facts.parameters.rollup.exit_delay, days(180))
        },
        why: "operators can't leave or change keys in reasonable time",
        source: "docs/risks.md: `EXIT_DELAY`",
    },
    Rule {
        id: "cheap-seats",
        level: Error,
        subject: Rollup,
        broken: |facts| {
            let what = "the stake of N seats is";
            below_part(facts, what, stake_of(facts, facts.parameters.signaling.n.into()), 1_000)
        },
        why: "the sequencer set belongs to whoever registers most often; the minimum can't be changed later",
        source: "docs/risks.md: `MINIMUM_STAKE`",
    },
    Rule {
        id: "dear-seats",
        level: Warning,
        subject: Rollup,
        broken: |facts| {
            above_part(facts, "the stake of 100 seats is", stake_of(facts, 100), (1, 2))
        },
        why: "the supply is enough for few sequencers, and what is staked has no vote",
        source: "docs/risks.md: `MINIMUM_STAKE`",
    },
];

const fn slot(facts: &SetFacts<'_>) -> Seconds {
    facts.parameters.rollup.slot_duration
}

const fn stake_of(facts: &SetFacts<'_>, seats: u128) -> u128 {
    facts.parameters.rollup.minimum_stake.get().saturating_mul(seats)
}

fn one_early_staker(facts: &SetFacts<'_>) -> Option<String> {
    let (n, slots) = (facts.parameters.signaling.n, facts.parameters.rollup.epoch_slots);
    let three_epochs = slots.saturating_mul(3);
    (u64::from(n) <= three_epochs).then(|| {
        let (n, slots) = (grouped(n), grouped(three_epochs));
        format!("N is {n}, expected more than the {slots} slots of three epochs")
    })
}

/// Between the first and the last of N signals are at least N − 1 L1 blocks.
fn rounds_without_winner(facts: &SetFacts<'_>) -> Option<String> {
    let (n, round) = (facts.parameters.signaling.n, round(facts.parameters));
    let needed = L1_SLOT.get() * u64::from(n).saturating_sub(1);
    let is_broken = slot(facts) < L1_SLOT && round.get() <= needed;
    is_broken.then(|| too_few_blocks(round, n, needed + 1))
}

fn rounds_with_few_blocks(facts: &SetFacts<'_>) -> Option<String> {
    let (n, round) = (facts.parameters.signaling.n, round(facts.parameters));
    let needed = L1_SLOT.get() * u64::from(n);
    // Shorter rounds break the other rule.
    let least = needed.saturating_sub(L1_SLOT.get()) + 1;
    let is_broken = slot(facts) < L1_SLOT && (least..needed).contains(&round.get());
    is_broken.then(|| too_few_blocks(round, n, needed))
}

fn too_few_blocks(round: Seconds, n: u32, least: u64) -> String {
    let (round, least) = (Duration(round), Duration(Seconds::new(least).unwrap_or(Seconds::MAX)));
    let n = grouped(n);
    format!("a round lasts {round}, expected at least {least} for the L1 blocks of N = {n} signals")
}

fn unaccountable_stake(facts: &SetFacts<'_>) -> Option<String> {
    let (exit, way) = (facts.parameters.rollup.exit_delay, whole_way(facts.parameters));
    let (exit_text, way_text) = (Duration(exit), Duration(way));
    (exit <= way).then(|| {
        format!(
            "stake that leaves is paid after {exit_text}, expected more than the {way_text} of a \
             proposal's whole way"
        )
    })
}
