//! Attesters without a stake, and how their stakes left.

use alloy_primitives::Address;
use canon_chain::{Departure, Destination};
use canon_protocol::text::{Time, tokens};
use canon_views::SetView;

use crate::{chain::Chain, exit::Failure};

/// How the stakes of an attester that has none now left the set's rollups: when, how much, and where to. `None` if it
/// had none as far as is known. If the endpoint doesn't say how, the text says so.
///
/// # Errors
///
/// If the endpoint doesn't have a block in which one left.
pub(super) async fn departures(
    chain: &Chain,
    view: &SetView,
    attester: Address,
) -> Result<Option<String>, Failure> {
    let rollups = view.history.iter().flat_map(|history| history.rollups());
    let mut reasons = Vec::new();
    for (rollup, _) in rollups {
        reasons.extend(departure(chain, view, rollup, attester).await?);
    }
    Ok((!reasons.is_empty()).then(|| reasons.join("; ")))
}

/// How the stake of an attester that has none now left one rollup; `None` if it had none there as far as
/// is known. If the endpoint doesn't say how, the text says so.
///
/// # Errors
///
/// If the endpoint doesn't have the block in which it left.
pub(super) async fn departure(
    chain: &Chain,
    view: &SetView,
    rollup: Address,
    attester: Address,
) -> Result<Option<String>, Failure> {
    let Some(history) = &view.history else { return Ok(None) };
    let state = history.rollup(rollup);
    let had_stake = state
        .is_some_and(|state| state.registrations().iter().any(|one| one.attester() == attester));
    if !had_stake {
        return Ok(None);
    }
    let found = chain.last_departure(view, rollup, attester).await;
    let unknown = |reason: &str| {
        Ok(Some(format!(
            "it had a stake in rollup {rollup}; when and how that left isn't known: {reason}"
        )))
    };
    let Departure { amount, block, destination } = match found {
        Ok(Some(departure)) => departure,
        Ok(None) => return unknown("the endpoint's logs have neither its payment nor its move"),
        Err(error) => return unknown(&error.to_string()),
    };
    let (amount, time) = (tokens(amount), Time(chain.timestamp_of(block).await?));
    Ok(Some(match destination {
        Destination::Account(recipient) => format!(
            "its stake of {amount} in rollup {rollup} was paid to {recipient} at {time}, in block {block}"
        ),
        Destination::Rollup { rollup: to, attester: as_ } if as_ == attester => format!(
            "its stake of {amount} has moved from rollup {rollup} to rollup {to} at {time}, in block {block}"
        ),
        Destination::Rollup { rollup: to, attester: as_ } => format!(
            "its stake of {amount} has moved from rollup {rollup} to rollup {to}, for attester {as_}, at \
             {time}, in block {block}"
        ),
    }))
}
