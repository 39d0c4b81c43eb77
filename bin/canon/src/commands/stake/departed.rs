//! Attesters without a stake, and how their stakes left.

use alloy_primitives::Address;
use canon_chain::{Departure, Destination};
use canon_protocol::text::{Time, Tokens};
use canon_views::SetView;

use crate::{chain::Chain, exit::Failure};

/// How the stakes of an attester that has none now left the set's rollups: when, how much, and where to. `None` if it
/// had none as far as is known.
///
/// # Errors
///
/// If the endpoint doesn't answer.
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
/// is known.
///
/// # Errors
///
/// If the endpoint doesn't answer.
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
    let Some(Departure { amount, block, destination }) =
        chain.last_departure(view, rollup, attester).await
    else {
        return Ok(Some(format!("it has left rollup {rollup}: its stake was paid or moved")));
    };
    let (amount, time) = (Tokens(amount), Time(chain.block_time(block).await?));
    Ok(Some(match destination {
        Destination::Account(recipient) => format!(
            "its stake of {amount} tokens in rollup {rollup} was paid to {recipient} at {time}, in block {block}"
        ),
        Destination::Rollup { rollup: to, attester: as_ } if as_ == attester => format!(
            "its stake of {amount} tokens has moved from rollup {rollup} to rollup {to} at {time}, in block {block}"
        ),
        Destination::Rollup { rollup: to, attester: as_ } => format!(
            "its stake of {amount} tokens has moved from rollup {rollup} to rollup {to}, for attester {as_}, at \
             {time}, in block {block}"
        ),
    }))
}
