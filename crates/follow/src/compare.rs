//! The view of a set that people are shown, by both makers: the events, and the contracts' own answers.

use alloy_primitives::B256;
use canon_protocol::BlockNumber;
use canon_views::{PayloadView, Present};
use serde_json::Value;
use std::collections::BTreeSet;

/// A value of a view for which the events and the contracts' own answers don't agree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "at block {block} ({hash}) {field} is {folded} by the events and {answered} by the contracts' answers"
)]
pub struct ViewDifference {
    /// The block.
    pub block: BlockNumber,
    /// The block's hash.
    pub hash: B256,
    /// The path of the value in the view's JSON, such as `governance.proposals.0.tally.yea`.
    pub field: String,
    /// The value by the events, in JSON; `nothing` if they don't give one.
    pub folded: String,
    /// The value by the contracts' answers, likewise.
    pub answered: String,
}

/// The result of comparing a state with the contracts' own answers.
#[derive(Debug)]
pub enum Comparison {
    /// They agree.
    Agrees,
    /// The state isn't that of the chain.
    Differs(Box<ViewDifference>),
    /// The contracts' answers aren't those of a set, or the endpoint says so. It shows nothing about the state.
    NotComparable(canon_chain::Error),
}

/// Compares what the events give with what the contracts answer to the same question at the same block.
///
/// Rollups that the events don't show to be of the set are left out. If the canonical one or Proposals is
/// among those, so is what depends on it: signals, and the RewardDistributor.
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

/// The path to a value that differs, and both values.
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
