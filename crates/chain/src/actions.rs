//! What a payload lists, and what a proposal froze.

use crate::{
    client::Client,
    error::{Error, Result},
    read::ProposalSnapshot,
};
use alloy_eips::BlockId;
use alloy_primitives::{Address, B256};
use alloy_provider::Provider;
use alloy_rpc_types_eth::Filter;
use alloy_sol_types::SolEvent;
use canon_abi::{Governance, UpgradePayload};
use canon_protocol::{Action, BlockNumber, Timestamp, actions_hash};
use canon_views::BlockView;

impl Client {
    /// What a payload lists now. Only before it is a proposal: afterwards show
    /// [`Self::frozen_actions`].
    ///
    /// # Errors
    ///
    /// If there is no code, or the list doesn't decode.
    pub async fn payload_actions(&self, at: BlockId, payload: Address) -> Result<Vec<Action>> {
        self.expect_code(at, "the payload", payload).await?;
        let actions = self.read(at, payload, UpgradePayload::getActionsCall {}).await?;
        Ok(actions.into_iter().map(Action::from).collect())
    }

    /// What a proposal does if it is executed: the list published when it was made, checked against
    /// the hash that Governance stores.
    ///
    /// It asks one block for logs: the proposal's creation time is that block's.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't have the block or its logs, or sends a list with another hash.
    pub async fn frozen_actions(
        &self,
        governance: Address,
        proposal: &ProposalSnapshot,
    ) -> Result<Vec<Action>> {
        let what = "ProposalFrozen";
        let unknown = Error::BadAnswer { what, address: governance };
        let Some(block) = self.block_at(proposal.creation).await? else { return Err(unknown) };
        let filter = Filter::new()
            .at_block_hash(block.hash)
            .address(governance)
            .event_signature(Governance::ProposalFrozen::SIGNATURE_HASH)
            .topic1(B256::from(proposal.id.to_word()));
        let logs = self.provider().get_logs(&filter).await;
        let logs = logs.map_err(|source| Error::rpc(what, source))?;
        let frozen = logs.iter().filter_map(|log| {
            Governance::ProposalFrozen::decode_log_validate(&log.inner).ok().map(|log| log.data)
        });
        let lists = frozen.map(|f| f.actions.into_iter().map(Action::from).collect::<Vec<_>>());
        let mut genuine = lists.filter(|list| actions_hash(list) == proposal.actions_hash);
        genuine.next().ok_or(unknown)
    }

    /// The block of this very second, if there is one. Asks as many blocks as a binary search
    /// needs.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't have one of them.
    pub async fn block_at(&self, time: Timestamp) -> Result<Option<BlockView>> {
        let mut newest = self.head().await?;
        if newest.timestamp < time {
            return Ok(None);
        }
        let mut low = 0;
        while low < newest.number.get() {
            let middle = low + (newest.number.get() - low) / 2;
            let block = self.block(BlockId::number(middle)).await?;
            if block.timestamp < time { low = middle + 1 } else { newest = block }
        }
        debug_assert_eq!(newest.number, BlockNumber::of(low));
        Ok((newest.timestamp == time).then_some(newest))
    }
}
