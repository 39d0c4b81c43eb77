//! The transaction of an intent, without sending it.

use super::{IntentSender, Pass};
use crate::{client::NextBlock, error::Result, tx::fees::Fees};
use alloy_eips::BlockId;
use alloy_primitives::{Address, Bytes, U256};
use alloy_provider::Provider;
use canon_protocol::Timestamp;
use canon_views::{BlockView, Intent};

/// The transaction that would be sent now. With its gas limit it succeeds on the newest state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The signature of the called function.
    pub what: &'static str,
    /// The called contract.
    pub to: Address,
    /// The encoded call.
    pub input: Bytes,
    /// The value in wei.
    pub value: U256,
    /// The gas limit.
    pub gas_limit: u64,
    /// The fees that the transaction offers.
    pub fees: Fees,
}

impl IntentSender {
    /// Returns the transaction that would be sent for an intent in the block after `head`, expected at
    /// `next`. Nothing is recorded or sent.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`](crate::Error::Refused) with the contract's reason, or any other error that would
    /// keep it from being sent.
    pub async fn preview(
        &self,
        intent: &Intent,
        head: &BlockView,
        next: Timestamp,
    ) -> Result<Preview> {
        let pass = Pass::new(*head, NextBlock::after(head, next));
        let (call, gas_limit) = self.check(intent, &pass).await?;
        let fees = self.policy(Some(&intent.id())).offer(pass.next.base_fee, None)?;
        let to = call.to().to().copied().unwrap_or_default();
        let (what, value) = (call.what(), call.value());
        Ok(Preview { what, to, input: call.input().clone(), value, gas_limit, fees })
    }

    /// The account's balance in wei, including the effects of its transactions in the pool.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer.
    pub async fn balance(&self) -> Result<U256> {
        let balance = self.client().provider().get_balance(self.address());
        let balance = balance.block_id(BlockId::pending()).await;
        balance.map_err(|source| crate::Error::rpc("eth_getBalance", source))
    }
}
