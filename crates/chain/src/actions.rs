//! What a payload lists.

use crate::{client::Client, error::Result};
use alloy_eips::BlockId;
use alloy_primitives::Address;
use canon_abi::UpgradePayload;
use canon_protocol::Action;

impl Client {
    /// The actions that a payload lists at a block. Once it is a proposal, the ones that count are those
    /// that were frozen with it, which the history of a [`SetView`](canon_views::SetView) has.
    ///
    /// # Errors
    ///
    /// If there is no code, or the list doesn't decode.
    pub async fn payload_actions(&self, at: BlockId, payload: Address) -> Result<Vec<Action>> {
        self.expect_code(at, "the payload", payload).await?;
        let actions = self.read(at, payload, UpgradePayload::getActionsCall {}).await?;
        Ok(actions.into_iter().map(Action::from).collect())
    }
}
