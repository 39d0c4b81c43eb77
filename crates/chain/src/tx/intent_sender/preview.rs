//! The transaction of an intent, without sending it.

use super::{IntentSender, Pass, origin::DoneElsewhere};
use crate::{client::NextBlock, error::Result, tx::fees::Fees};
use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_provider::Provider;
use canon_protocol::Timestamp;
use canon_views::{BlockView, Intent, IntentId, OrderId};

/// A transaction as it would be sent now: executed on the newest state with its gas limit, it succeeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The function that is called, by its signature.
    pub what: &'static str,
    /// The contract that is called.
    pub to: Address,
    /// The function and its arguments.
    pub input: Bytes,
    /// Wei that are sent along.
    pub value: U256,
    /// The most gas that it uses.
    pub gas_limit: u64,
    /// The fees that it offers for its gas.
    pub fees: Fees,
}

impl Preview {
    /// The most that it costs, in wei: all of its gas at its price, and what is sent along.
    pub fn max_cost(&self) -> U256 {
        U256::from(self.gas_limit) * U256::from(self.fees.max_fee) + self.value
    }
}

impl IntentSender {
    /// The transaction for an intent as it would be sent in the block after `head`, expected at `next`.
    /// Nothing is recorded or sent.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`](crate::Error::Refused) with the contract's reason, and whatever else would keep it
    /// from being sent.
    pub async fn preview(
        &self,
        intent: &Intent,
        head: &BlockView,
        next: Timestamp,
    ) -> Result<Preview> {
        let pass = Pass::new(*head, NextBlock::after(head, next));
        let (call, gas_limit) = self.check(intent, &pass).await?;
        let fees = self.fees.offer(pass.next.base_fee, None)?;
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

    /// The first number after all those of orders that it knows.
    pub fn next_order(&self) -> OrderId {
        let unproven = self.unproven.iter().filter_map(|one| one.version.intent.as_ref());
        let sent = self.transactions().filter_map(|(_, intent)| intent).chain(unproven);
        let sent = sent.filter_map(|intent| intent.action.subject().order());
        let done = self.done.iter().chain(self.elsewhere.iter().map(DoneElsewhere::id));
        let done = done.filter_map(|id| id.subject.order());
        let last = sent.chain(done).max();
        OrderId(last.map_or(0, |last| last.0.saturating_add(1)))
    }

    /// All transactions that aren't forgotten: the hash of each, and what it is for; `None` if it only uses
    /// its nonce.
    pub fn transactions(&self) -> impl Iterator<Item = (B256, Option<&Intent>)> {
        let versions = self.nonces.values().flat_map(|used| &used.versions);
        versions.map(|version| (version.hash, version.intent.as_ref()))
    }

    /// Whether a transaction of an intent can still be mined, as of the block that was
    /// [settled](Self::settle) last.
    pub fn may_be_mined(&self, id: &IntentId) -> bool {
        self.nonce_of(id).is_some()
    }

    /// The intents whose transactions aren't mined, as of the block that was
    /// [settled](Self::settle) last, with the hash of the newest one of each.
    pub fn pending_intents(&self) -> impl Iterator<Item = (B256, &Intent)> {
        let undecided = self.nonces.values().filter(|used| used.mined.is_none());
        undecided.filter_map(|used| {
            let version = used.current()?;
            Some((version.hash, version.intent.as_ref()?))
        })
    }
}
