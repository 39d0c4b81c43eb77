//! The actions that a payload lists.

use crate::{
    client::Client,
    error::{Error, Result},
};
use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, U256};
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

    /// The rollups that were canonical before the present one, newest first: at most `most`.
    ///
    /// # Errors
    ///
    /// If the Registry doesn't answer.
    pub async fn earlier_rollups(
        &self,
        at: BlockId,
        registry: Address,
        most: usize,
    ) -> Result<Vec<Address>> {
        let versions = self.read(at, registry, Registry::numberOfVersionsCall {}).await?;
        // The last version is the present rollup, and version 0 isn't one.
        let present = u64::try_from(versions).unwrap_or(u64::MAX).saturating_sub(1);
        let mut rollups = Vec::new();
        for version in (1..present).rev().take(most) {
            let call = Registry::getSnapshotCall { version: U256::from(version) };
            rollups.push(self.read(at, registry, call).await?.rollup);
        }
        Ok(rollups)
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
