//! The state of a deployed set at one block.

use alloy_primitives::Address;
use canon_chain::Error;
use canon_forecast::deployed::{SetSnapshot, SnapshotError};
use canon_views::Question;
use eyre::eyre;

use crate::{
    chain::{self, ChainSettings},
    exit::Failure,
};

const OTHER_PAYLOAD: &str = "check --payload, and that --rpc-url is its chain";

/// Reads the state at the newest block. Slots and sets are those at the time of that block.
pub(super) fn snapshot(
    settings: &ChainSettings,
    payload: Option<Address>,
) -> Result<SetSnapshot, Failure> {
    chain::run(async {
        let chain = settings.connect().await?;
        let payloads = payload.into_iter().collect();
        let question = Question { payloads, ..Question::default() };
        let present = chain.present_at_head(question).await?;
        let snapshot = SetSnapshot::of(&present, payload).map_err(|error| match error {
            SnapshotError::NoPayload(address) => {
                let error = Error::NoCode { what: "the payload", address };
                let title = format!("no payload can be read from --payload {address}");
                Failure::bad_input(eyre!("{error}").wrap_err(title), OTHER_PAYLOAD)
            }
            error => chain.unusable_set(error.into()),
        })?;
        if let Some(payload) = payload {
            // A payload that lists no actions can win a round, but never becomes a proposal.
            let (at, governance) = (present.block.hash, present.addresses.governance);
            let client = chain.client();
            let actions = client.payload_actions(governance, at.into(), payload).await;
            actions.map_err(|error| match error.is_of_the_contracts() {
                true => {
                    let title = format!("no actions can be read from --payload {payload}");
                    Failure::bad_input(eyre!("{error}").wrap_err(title), OTHER_PAYLOAD)
                }
                false => chain.unread(error),
            })?;
        }
        Ok(snapshot)
    })
}
