//! The reasons why parameters can't be deployed, by the fields of their file.

use alloy_primitives::U256;
use canon_abi::{Contract, decode_revert};
use canon_protocol::{
    Amount, AssetRefusal, CommonRefusal, Fraction, GovernanceRefusal, ProposalsRefusal, Refusal,
    RollupRefusal, RoundRules, Seconds, Timestamp,
    text::{self, Duration, Percent, Time, grouped},
};
use core::fmt;

/// The problems of parameters: at least one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the parameters can't be deployed:{}", Lines(.problems))]
pub struct InvalidParameters {
    problems: Vec<ParameterProblem>,
}

/// A value that a constructor refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterProblem {
    /// The field, such as `governance.voting_delay`; empty if the problem concerns no single field.
    pub field: String,
    /// The expected value, and the value found.
    pub message: String,
}

struct Lines<'a>(&'a [ParameterProblem]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|problem| write!(f, "\n- {problem}"))
    }
}

impl fmt::Display for ParameterProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.field {
            "" => f.write_str(&self.message),
            field => write!(f, "{field}: {}", self.message),
        }
    }
}

impl InvalidParameters {
    pub(super) const fn of(problems: Vec<ParameterProblem>) -> Self {
        Self { problems }
    }

    /// All problems, in the order of the contracts.
    pub fn problems(&self) -> &[ParameterProblem] {
        &self.problems
    }
}

impl ParameterProblem {
    pub(super) fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }

    /// The problem that corresponds to a constructor's refusal.
    pub(super) fn of(contract: Contract, refusal: &Refusal) -> Self {
        let known = match refusal {
            Refusal::Asset(refusal) => of_asset(refusal),
            Refusal::Proposals(refusal) => of_proposals(refusal),
            Refusal::Governance(refusal) => of_governance(refusal),
            Refusal::Rollup(refusal) => of_rollup(refusal),
            // The other numbers of a rollup are checked against their bounds when they are read.
            Refusal::Common(CommonRefusal::ValueTooLarge { value, max })
                if contract == Contract::Rollup =>
            {
                let message = format!("expected at most {}, found {}", whole(max), whole(value));
                Some(Self::new("rollup.epoch_slots", message))
            }
            _ => None,
        };
        known.unwrap_or_else(|| Self::new("", format!("{contract}: {}", sentence(refusal))))
    }
}

fn of_asset(refusal: &AssetRefusal) -> Option<ParameterProblem> {
    let AssetRefusal::InvalidReceiver { receiver } = refusal else { return None };
    let message = format!("expected the address of an account, found {receiver}");
    Some(ParameterProblem::new("asset.initial_holder", message))
}

fn of_proposals(refusal: &ProposalsRefusal) -> Option<ParameterProblem> {
    let ProposalsRefusal::InvalidQuorum { n, m } = refusal else { return None };
    let slots = u32::try_from(*m).ok().filter(|m| (2..=RoundRules::MAX_M).contains(m));
    Some(match slots {
        Some(m) => {
            let (least, m, n) = (grouped(RoundRules::min_n(m)), grouped(m), whole(n));
            let message = format!(
                "expected more than half of the m = {m} slots and at most all: {least} to {m}, found {n}"
            );
            ParameterProblem::new("signaling.n", message)
        }
        None => {
            let message =
                format!("expected 2 to {}, found {}", grouped(RoundRules::MAX_M), whole(m));
            ParameterProblem::new("signaling.m", message)
        }
    })
}

/// The problem of a value outside Governance's bounds, in the units of its field.
fn of_governance(refusal: &GovernanceRefusal) -> Option<ParameterProblem> {
    let GovernanceRefusal::OutOfBounds { field, value, min, max } = refusal else {
        return None;
    };
    let name = field.iter().copied().take_while(|byte| *byte != 0).collect();
    let name = String::from_utf8(name).ok()?;
    let mut key = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            key.push('_');
        }
        key.push(letter.to_ascii_lowercase());
    }
    let shown = |value: &U256| match &*key {
        "lock_amount" | "minimum_votes" => tokens(value),
        "quorum" | "vote_differential" => {
            let fraction = u64::try_from(*value).ok().and_then(Fraction::new);
            fraction.map_or_else(|| whole(value), |fraction| Percent::of(fraction).to_string())
        }
        _ => duration(value),
    };
    let message = format!("expected {} to {}, found {}", shown(min), shown(max), shown(value));
    Some(ParameterProblem::new(format!("governance.{key}"), message))
}

fn of_rollup(refusal: &RollupRefusal) -> Option<ParameterProblem> {
    let (field, message) = match refusal {
        RollupRefusal::GenesisInFuture { genesis_time, timestamp } => (
            "genesis",
            format!(
                "expected at most the newest block's time, {}, found {}",
                time(timestamp),
                time(genesis_time)
            ),
        ),
        RollupRefusal::ZeroDuration { slot_duration, .. } if slot_duration.is_zero() => {
            ("slot_duration", "expected at least 1 s, found 0 s".to_owned())
        }
        RollupRefusal::ZeroDuration { .. } => {
            ("epoch_slots", "expected at least 2 slots, found 0".to_owned())
        }
        RollupRefusal::ZeroMinimumStake => {
            ("minimum_stake", "expected more than 0 tokens, found 0".to_owned())
        }
        RollupRefusal::EpochTooShort { seconds_after_first_slot, minimum } => (
            "epoch_slots",
            format!(
                "expected at least {} after the first slot of an epoch, found {}: an epoch needs more \
                 slots, or longer ones",
                duration(minimum),
                duration(seconds_after_first_slot)
            ),
        ),
        RollupRefusal::ExitDelayOutOfBounds { exit_delay, min, max } => (
            "exit_delay",
            format!(
                "expected two epochs to 365 days, {} to {}, found {}",
                duration(min),
                duration(max),
                duration(exit_delay)
            ),
        ),
        _ => return None,
    };
    Some(ParameterProblem::new(format!("rollup.{field}"), message))
}

fn whole(number: &U256) -> String {
    u128::try_from(*number)
        .map_or_else(|_| number.to_string(), |number| grouped(number).to_string())
}

fn tokens(amount: &U256) -> String {
    let amount = u128::try_from(*amount).ok().and_then(Amount::new);
    text::tokens(amount.unwrap_or(Amount::MAX))
}

fn duration(seconds: &U256) -> String {
    let seconds = u64::try_from(*seconds).ok().and_then(Seconds::new);
    Duration(seconds.unwrap_or(Seconds::MAX)).to_string()
}

fn time(time: &U256) -> String {
    let time = u64::try_from(*time).ok().and_then(Timestamp::new);
    Time(time.unwrap_or(Timestamp::MAX)).to_string()
}

/// A refusal as a sentence with a hint.
fn sentence(refusal: &Refusal) -> String {
    let revert = decode_revert(&refusal.abi_encode());
    let hint = revert.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
    format!("{revert}{hint}")
}
