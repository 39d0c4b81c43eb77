//! Calls that bypass the pool and JSON, with their results, for tests that make hundreds of
//! thousands of them.

use std::sync::Arc;

use alloy_consensus::{SignableTransaction, TxEnvelope, TxLegacy};
use alloy_eips::eip7825::MAX_TX_GAS_LIMIT_OSAKA;
use alloy_primitives::{Address, Bytes, Log, TxKind, U256};
use revm::context::TxEnv;

use crate::{
    block::{Tx, placeholder_signature},
    chain::Chain,
    error::{Error, Result},
    exec::{self, CallEnd, Checks, Setting, Watch},
    mining::MinedBlock,
};

/// An unsigned call from any account, contracts included. It has the largest gas limit of a
/// transaction (EIP-7825) and pays nothing for its gas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsignedCall {
    /// The caller.
    pub from: Address,
    /// The account that is called; `None` deploys `input`.
    pub to: Option<Address>,
    /// Calldata, or creation code.
    pub input: Bytes,
}

/// The result of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executed {
    /// Its end, with the data that it returned or reverted with.
    pub end: CallEnd,
    /// Its logs, in order.
    pub logs: Vec<Log>,
    /// The gas it used, in gas units.
    pub gas_used: u64,
    /// The address of the contract that it deployed.
    pub contract: Option<Address>,
}

impl Chain {
    pub(crate) fn mine_unsigned(
        &mut self,
        calls: &[UnsignedCall],
    ) -> Result<(MinedBlock, Vec<Executed>)> {
        let needed = MAX_TX_GAS_LIMIT_OSAKA.saturating_mul(calls.len() as u64);
        if needed > self.config.gas_limit {
            return Err(Error::Transaction(format!(
                "{} calls may need {needed} gas, and a block has {}: raise `gas_limit`",
                calls.len(),
                self.config.gas_limit
            )));
        }
        self.check_room()?;
        // Without a base fee, senders need no balance.
        let base_fee = self.next.base_fee.replace(0);
        let mut transactions = Vec::with_capacity(calls.len());
        for (index, call) in calls.iter().enumerate() {
            let earlier = calls[..index].iter().filter(|other| other.from == call.from).count();
            let nonce = self.state.nonce(call.from) + earlier as u64;
            transactions.push(Arc::new(self.unsigned(call, nonce)));
        }
        let done = self.execute(transactions, u64::MAX);
        if let Some((_, why)) = done.excluded.first() {
            self.state.rollback(done.before);
            self.next.base_fee = base_fee;
            return Err(Error::Transaction(why.clone()));
        }
        let results = done
            .executed
            .iter()
            .map(|(_, outcome)| Executed {
                end: outcome.end.clone(),
                logs: outcome.logs.clone(),
                gas_used: outcome.gas_used,
                contract: outcome.contract_address,
            })
            .collect();
        Ok((self.seal(done), results))
    }

    fn unsigned(&self, call: &UnsignedCall, nonce: u64) -> Tx {
        let transaction = TxLegacy {
            chain_id: Some(self.config.chain_id),
            nonce,
            gas_price: 0,
            gas_limit: MAX_TX_GAS_LIMIT_OSAKA,
            to: call.to.map_or(TxKind::Create, TxKind::Call),
            value: U256::ZERO,
            input: call.input.clone(),
        };
        let signed = transaction.into_signed(placeholder_signature(call.from));
        Tx::new_unchecked(TxEnvelope::from(signed), call.from)
    }

    /// Calls a view at the head, in the environment of the head's block but with a base fee of
    /// zero.
    pub(crate) fn read(&self, to: Address, input: Bytes) -> Result<CallEnd> {
        let mut block = exec::block_env(&self.head().header);
        block.basefee = 0;
        let tx = TxEnv {
            gas_limit: self.config.gas_limit,
            kind: TxKind::Call(to),
            data: input,
            chain_id: Some(self.config.chain_id),
            ..TxEnv::default()
        };
        let (chain_id, watch) = (self.config.chain_id, &Watch::default());
        let setting = Setting { block, chain_id, checks: Checks::OfCall, watch };
        let result = exec::call(self.view(self.head().number())?, &setting, tx);
        Ok(result.map_err(|invalid| Error::Transaction(invalid.to_string()))?.end)
    }
}
