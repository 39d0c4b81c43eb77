//! The actions that a payload lists.

use crate::{
    client::Client,
    error::{Error, Result},
};
use alloy_eips::BlockId;
use alloy_primitives::{Address, B256};
use canon_abi::{Registry, UpgradePayload};
use canon_protocol::{Action, actions_hash};

impl Client {
    /// The actions that a payload lists at a block for Governance as the caller, which are those that a
    /// proposal freezes. A payload can return other actions to other callers. Once there is a proposal, its
    /// frozen actions count, which are in the history of a [`SetView`](canon_views::SetView).
    ///
    /// # Errors
    ///
    /// If there is no code, or the list can't be decoded.
    pub async fn payload_actions(
        &self,
        governance: Address,
        at: BlockId,
        payload: Address,
    ) -> Result<Vec<Action>> {
        self.expect_code(at, "the payload", payload).await?;
        self.listed_actions(governance, at, payload).await
    }

    /// The actions of [`Self::payload_actions`], for a payload whose code was read before.
    pub(crate) async fn listed_actions(
        &self,
        governance: Address,
        at: BlockId,
        payload: Address,
    ) -> Result<Vec<Action>> {
        let call = UpgradePayload::getActionsCall {};
        let actions = self.read_as(Some(governance), at, payload, call).await?;
        Ok(actions.into_iter().map(Action::from).collect())
    }

    /// Whether the Registry lists a contract as a rollup: the present one, or an earlier one. It takes each only
    /// once.
    ///
    /// # Errors
    ///
    /// If the Registry doesn't answer.
    pub async fn is_listed(&self, at: BlockId, registry: Address, rollup: Address) -> Result<bool> {
        self.read(at, registry, Registry::isRollupRegisteredCall { rollup }).await
    }

    /// Checks, in one request, that a payload whose code is known still lists the actions with a hash at a
    /// block, for Governance as the caller. The hash is keccak256 of `abi.encode(actions)`.
    ///
    /// # Errors
    ///
    /// [`Error::ActionsChanged`] if it lists others; another error if the list can't be decoded.
    pub async fn expect_actions(
        &self,
        governance: Address,
        at: BlockId,
        payload: Address,
        expected: B256,
    ) -> Result<()> {
        let found = actions_hash(&self.listed_actions(governance, at, payload).await?);
        if found == expected {
            Ok(())
        } else {
            Err(Error::ActionsChanged { payload, expected, found })
        }
    }
}
