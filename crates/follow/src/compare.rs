//! The view of a set that people see, compared between the events and the contracts' answers.

use alloy_primitives::B256;
use canon_protocol::{BlockNumber, SetState};
use canon_views::{PayloadView, Present, Question};
use serde_json::Value;
use std::{borrow::Cow, collections::BTreeSet};

/// A value of a view for which the events and the contracts' answers disagree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "at block {block} ({hash}) {field} is {folded} by the events and {answered} by the contracts' answers"
)]
pub struct ViewDifference {
    /// The block.
    pub block: BlockNumber,
    /// The block's hash.
    pub hash: B256,
    /// The path of the value in the JSON of the view, such as `governance.proposals.0.tally.yea`.
    pub field: String,
    /// The value according to the events, in JSON; `nothing` if there is none.
    pub folded: String,
    /// The value according to the contracts' answers, likewise.
    pub answered: String,
}

/// The accounts, payloads and withdrawals for which a state is compared with the contracts' answers. The
/// parts that every view has are always compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ComparisonScope {
    /// All that the state contains. The cost grows with their number.
    Everything,
    /// Those in a question. The cost doesn't depend on the number of others.
    Asked(Question),
}

impl ComparisonScope {
    /// The question whose answers are compared with `state`.
    pub(crate) fn question(&self, state: &SetState) -> Cow<'_, Question> {
        match self {
            Self::Everything => Cow::Owned(Question::everything(state)),
            Self::Asked(question) => Cow::Borrowed(question),
        }
    }

    /// Whether this comparison covers everything that `other` covers. A question can ask for something that
    /// a state doesn't contain, so [`Self::Everything`] doesn't cover every question.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Asked(asked), Self::Asked(other)) => asked.covers(other),
            _ => self == other,
        }
    }
}

/// The result of comparing a state with the contracts' answers.
#[derive(Debug)]
pub enum Comparison {
    /// The state agrees with the answers.
    Agrees,
    /// The state isn't that of the chain.
    Differs(Box<ViewDifference>),
    /// The contracts' answers don't form a view of a set, or the endpoint reports so. This proves nothing
    /// about the state.
    NotComparable(canon_chain::Error),
}

/// Compares the view according to the events with the contracts' answers to the same question at the same
/// block.
///
/// Rollups that don't belong to the set according to the events are left out. If the canonical rollup or
/// Proposals is one of these contracts, the signals and the RewardDistributor are left out too.
///
/// # Errors
///
/// The first difference.
pub fn compare_present(folded: &Present, answered: &Present) -> Result<(), ViewDifference> {
    if folded == answered {
        return Ok(());
    }
    let knows_signals =
        folded.signaling.is_some() && folded.rollups.contains_key(&folded.addresses.rollup);
    let comparable = |present: &Present| {
        let mut present = present.clone();
        present.rollups.retain(|rollup, _| folded.rollups.contains_key(rollup));
        if !knows_signals {
            present.signaling = None;
            present.addresses.reward_distributor = None;
            for payload in present.payloads.values_mut() {
                *payload = PayloadView { round: None, signals: 0, ..*payload };
            }
        }
        serde_json::to_value(present).expect("a view has a form in JSON")
    };
    let (folded_values, answered_values) = (comparable(folded), comparable(answered));
    let Some((path, folded_value, answered_value)) = difference(&folded_values, &answered_values)
    else {
        return Ok(());
    };
    let text = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), Value::to_string);
    Err(ViewDifference {
        block: folded.block.number,
        hash: folded.block.hash,
        field: path.join("."),
        folded: text(folded_value),
        answered: text(answered_value),
    })
}

/// The path of a value that differs, with both values.
type Difference<'a> = (Vec<String>, Option<&'a Value>, Option<&'a Value>);

/// The first difference between two values.
fn difference<'a>(one: &'a Value, other: &'a Value) -> Option<Difference<'a>> {
    let below = |key: String, one: Option<&'a Value>, other: Option<&'a Value>| {
        let (mut path, one, other) = match (one, other) {
            (Some(one), Some(other)) => difference(one, other)?,
            _ => (Vec::new(), one, other),
        };
        path.insert(0, key);
        Some((path, one, other))
    };
    match (one, other) {
        _ if one == other => None,
        (Value::Object(one), Value::Object(other)) => {
            let keys: BTreeSet<_> = one.keys().chain(other.keys()).collect();
            keys.into_iter().find_map(|key| below(key.clone(), one.get(key), other.get(key)))
        }
        (Value::Array(one), Value::Array(other)) => (0..one.len().max(other.len()))
            .find_map(|index| below(index.to_string(), one.get(index), other.get(index))),
        _ => Some((Vec::new(), Some(one), Some(other))),
    }
}
