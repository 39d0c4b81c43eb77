//! Rules for the parameters of a set, about values that the constructors accept but that cause problems.
//!
//! [`rules`] returns all of them. They judge parameters before a deployment, and those of a deployed set.

mod asset;
mod governance;
mod signaling;

use super::parameters::SetParameters;
use crate::DEVELOPMENT_CHAINS;
use alloy_primitives::ChainId;
use canon_protocol::{
    Amount, LIFETIME_IN_ROUNDS, Seconds,
    text::{self, Duration, Tokens},
};
use core::fmt;
use serde::{Deserialize, Serialize};

/// The severity of a finding, in ascending order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingLevel {
    /// A fact worth knowing.
    Note,
    /// A value that is harmful in some circumstances.
    Warning,
    /// A value that is certainly harmful, or that allows a takeover.
    Error,
}

impl fmt::Display for FindingLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// The subject of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleSubject {
    /// Parameters that stay the same if another rollup becomes canonical.
    Set,
    /// Parameters of a rollup, alone or together with the set's.
    Rollup,
}

/// Parameters, with facts that only a chain shows.
#[derive(Clone, Copy, Debug)]
pub struct SetFacts<'a> {
    /// The parameters. For a deployed set, they are those in force, with the present supply as the initial
    /// one.
    pub parameters: &'a SetParameters,
    /// The tokens and the power that the receiver of the initial supply has now; `None` before the
    /// deployment, when it is going to receive everything.
    pub initial_holder_has: Option<Amount>,
}

/// A rule for parameters.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The name of the rule, by which a file accepts that it is broken.
    pub id: &'static str,
    /// The severity of breaking it.
    pub level: FindingLevel,
    /// The subject of the rule.
    pub subject: RuleSubject,
    /// Returns the value found and the value expected, if the rule is broken.
    pub broken: fn(&SetFacts<'_>) -> Option<String>,
    /// The consequence for a set that breaks it.
    pub why: &'static str,
    /// The page and section that explain it.
    pub source: &'static str,
}

/// A rule that parameters break.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BrokenRule {
    /// The name of the rule.
    pub rule: &'static str,
    /// The severity on this chain.
    pub level: FindingLevel,
    /// The value found and the value expected.
    pub found: String,
    /// The consequence for a set that breaks the rule.
    pub why: &'static str,
    /// The page and section that explain it.
    pub source: &'static str,
}

impl fmt::Display for BrokenRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, level, found, why, source } = self;
        write!(f, "{level}: {rule}: {found}; {why} ({source})")
    }
}

static RULES: [&[Rule]; 3] = [&signaling::RULES, &governance::RULES, &asset::RULES];

/// All rules, in display order.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    RULES.iter().copied().flatten()
}

/// The rules that a set breaks. On development chains, errors are reported as warnings.
pub fn broken_rules(facts: &SetFacts<'_>, chain_id: ChainId) -> Vec<BrokenRule> {
    broken_among(rules(), facts, chain_id)
}

/// The rules about rollups that a further rollup breaks in a set with these facts.
pub fn rules_broken_by_rollup(facts: &SetFacts<'_>, chain_id: ChainId) -> Vec<BrokenRule> {
    let of_rollup = rules().filter(|rule| rule.subject == RuleSubject::Rollup);
    broken_among(of_rollup, facts, chain_id)
}

fn broken_among(
    rules: impl Iterator<Item = &'static Rule>,
    facts: &SetFacts<'_>,
    chain_id: ChainId,
) -> Vec<BrokenRule> {
    let most = match DEVELOPMENT_CHAINS.contains(&chain_id) {
        true => FindingLevel::Warning,
        false => FindingLevel::Error,
    };
    let broken = rules.filter_map(|rule| {
        let Rule { id, level, why, source, .. } = *rule;
        let found = (rule.broken)(facts)?;
        Some(BrokenRule { rule: id, level: level.min(most), found, why, source })
    });
    broken.collect()
}

/// A message if `found` is less than `least`.
fn below(what: &str, found: Seconds, least: Seconds) -> Option<String> {
    let (found_text, least_text) = (Duration(found), Duration(least));
    (found < least).then(|| format!("{what} {found_text}, expected at least {least_text}"))
}

/// A message if `found` is more than `most`.
fn above(what: &str, found: Seconds, most: Seconds) -> Option<String> {
    let (found_text, most_text) = (Duration(found), Duration(most));
    (found > most).then(|| format!("{what} {found_text}, expected at most {most_text}"))
}

/// A message if an amount is less than one part in `parts` of the supply.
fn below_part(facts: &SetFacts<'_>, what: &str, found: u128, parts: u128) -> Option<String> {
    let supply = facts.parameters.asset.initial_supply.get();
    let least = supply.div_ceil(parts);
    (found < least).then(|| {
        format!(
            "{what} {}, expected at least {}",
            text::tokens(amount(found)),
            Tokens(amount(least))
        )
    })
}

/// A message if an amount is more than `parts` in `of` of the supply.
fn above_part(
    facts: &SetFacts<'_>,
    what: &str,
    found: u128,
    (parts, of): (u128, u128),
) -> Option<String> {
    let most = facts.parameters.asset.initial_supply.get() / of * parts;
    (found > most).then(|| {
        format!("{what} {}, expected at most {}", text::tokens(amount(found)), Tokens(amount(most)))
    })
}

fn amount(units: u128) -> Amount {
    Amount::new(units).unwrap_or(Amount::MAX)
}

/// The length of a round.
fn round(parameters: &SetParameters) -> Seconds {
    let slot = parameters.rollup.slot_duration;
    slot.checked_mul(parameters.signaling.m.into()).unwrap_or(Seconds::MAX)
}

/// The length of an epoch.
fn epoch(parameters: &SetParameters) -> Seconds {
    let rollup = &parameters.rollup;
    rollup.slot_duration.checked_mul(rollup.epoch_slots).unwrap_or(Seconds::MAX)
}

/// The longest time from the first signal of a round to the execution of its proposal.
pub fn whole_way(parameters: &SetParameters) -> Seconds {
    let signaled_and_pushed = round(parameters).checked_mul(1 + LIFETIME_IN_ROUNDS);
    let governance = &parameters.governance;
    signaled_and_pushed.unwrap_or(Seconds::MAX)
        + governance.voting_delay
        + governance.voting_duration
        + governance.execution_delay
        + governance.grace_period
}

const fn days(count: u64) -> Seconds {
    Seconds::of(count * Seconds::DAY.get())
}

/// The time from Friday evening to Monday morning, plus a day to act.
const WEEKEND: Seconds = days(3);
