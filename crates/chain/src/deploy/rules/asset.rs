//! Rules of the token.

use super::{
    FindingLevel::{Error, Warning},
    Rule,
    RuleSubject::Set,
    SetFacts, above_part, amount,
};
use canon_protocol::{
    Seconds,
    text::{self, Tokens},
};

/// The time for which an unused allowance of the Issuer accrues, in seconds.
const YEAR: u128 = 365 * Seconds::DAY.get() as u128;

pub(super) static RULES: [Rule; 3] = [
    Rule {
        id: "large-mint",
        level: Error,
        subject: Set,
        broken: |facts| {
            let year = facts.parameters.asset.issued_per_second.get().saturating_mul(YEAR);
            above_part(facts, "one proposal can mint", year, (1, 5))
        },
        why: "after a quiet year one vote makes tokens with which its winners carry the next",
        source: "docs/risks.md: Minting",
    },
    Rule {
        id: "rewards-above-issuance",
        level: Warning,
        subject: Set,
        broken: rewards_above_issuance,
        why: "rewards end when what was sent to the RewardDistributor is paid out",
        source: "docs/risks.md: Rewards are best effort",
    },
    Rule {
        id: "supply-in-one-hand",
        level: Warning,
        subject: Set,
        broken: |facts| {
            let found = facts.initial_holder_has?.get();
            above_part(facts, "the receiver of the initial supply has", found, (1, 2))
        },
        why: "one account decides every vote, for or against, and one lost key stops everything",
        source: "docs/risks.md: A proposal that passes can do almost anything",
    },
];

fn rewards_above_issuance(facts: &SetFacts<'_>) -> Option<String> {
    let (asset, slot) = (&facts.parameters.asset, facts.parameters.rollup.slot_duration);
    let (reward, issued) =
        (asset.block_reward.get(), asset.issued_per_second.get().saturating_mul(slot.get().into()));
    (reward > issued).then(|| {
        let (reward, issued) = (text::tokens(amount(reward)), Tokens(amount(issued)));
        format!("a block pays {reward}, expected at most the {issued} that a slot can mint")
    })
}
