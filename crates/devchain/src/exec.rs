//! The execution of transactions and calls. No other file runs the EVM.

use std::{collections::BTreeMap, convert::Infallible};

use alloy_consensus::{Header, Transaction, Typed2718};
use alloy_primitives::{Address, B256, Bytes, Log, U256};
use revm::{
    Database, DatabaseRef, ExecuteEvm, InspectEvm, Inspector, MainBuilder, MainnetEvm,
    bytecode::Bytecode,
    context::{
        BlockEnv, TxEnv,
        either::Either,
        result::{ExecResultAndState, ExecutionResult, HaltReason},
    },
    context_interface::{block::BlobExcessGasAndPrice, cfg::gas},
    database_interface::WrapDatabaseRef,
    handler::MainnetContext,
    precompile::{PrecompileSpecId, Precompiles},
    primitives::hardfork::SpecId,
    state::AccountInfo,
};

use crate::{
    block::{Block, Outcome, Tx, is_impersonated},
    state::{State, Values, Version},
};

mod frozen;
mod invalid;
mod watch;

pub(crate) use frozen::{Base, Frozen, Hashes};
pub(crate) use invalid::{Invalid, InvalidKind};
pub(crate) use watch::{Watch, abort};

/// The rules of mainnet since December 2025 (Osaka).
const SPEC: SpecId = SpecId::OSAKA;

/// The contracts that the EVM has without code, by their names in EIP-7910.
pub(crate) fn precompiles() -> BTreeMap<String, Address> {
    let precompiles = Precompiles::new(PrecompileSpecId::from_spec_id(SPEC));
    let named = precompiles.inner().iter();
    named.map(|(address, contract)| (contract.id().name().to_owned(), *address)).collect()
}

/// The state at the head, on which the transactions of a block are executed.
struct Head<'a> {
    state: &'a mut State,
    blocks: &'a [Block],
}

/// The state after a block, or the current one, for reading only.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    pub(crate) state: &'a Values,
    /// The version to read; `None` for the current state.
    pub(crate) version: Option<Version>,
    pub(crate) hashes: Hashes<'a>,
}

impl Database for Head<'_> {
    type Error = Infallible;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, Infallible> {
        Ok(self.state.account(address).cloned())
    }

    fn code_by_hash(&mut self, hash: B256) -> Result<Bytecode, Infallible> {
        Ok(self.state.code(hash).cloned().unwrap_or_default())
    }

    fn storage(&mut self, address: Address, key: U256) -> Result<U256, Infallible> {
        Ok(self.state.slot(address, key))
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, Infallible> {
        Ok(self.blocks.get(number as usize).map_or(B256::ZERO, |block| block.hash))
    }
}

impl<'a> View<'a> {
    pub(crate) fn account(&self, address: Address) -> Option<&'a AccountInfo> {
        match self.version {
            None => self.state.account(address),
            Some(version) => self.state.account_at(address, version),
        }
    }

    pub(crate) fn slot(&self, address: Address, key: U256) -> U256 {
        match self.version {
            None => self.state.slot(address, key),
            Some(version) => self.state.slot_at(address, key, version),
        }
    }

    pub(crate) fn code(&self, address: Address) -> Bytes {
        self.account(address)
            .and_then(|info| info.code.as_ref())
            .map(Bytecode::original_bytes)
            .unwrap_or_default()
    }
}

impl DatabaseRef for View<'_> {
    type Error = Infallible;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Infallible> {
        Ok(self.account(address).cloned())
    }

    fn code_by_hash_ref(&self, hash: B256) -> Result<Bytecode, Infallible> {
        Ok(self.state.code(hash).cloned().unwrap_or_default())
    }

    fn storage_ref(&self, address: Address, key: U256) -> Result<U256, Infallible> {
        Ok(self.slot(address, key))
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, Infallible> {
        Ok(self.hashes.get(number))
    }
}

/// Executes the transactions of one block on top of the head.
pub(crate) struct Session<'a> {
    evm: MainnetEvm<MainnetContext<Head<'a>>>,
}

impl<'a> Session<'a> {
    pub(crate) fn new(
        state: &'a mut State,
        blocks: &'a [Block],
        header: &Header,
        chain_id: u64,
    ) -> Self {
        let evm = MainnetContext::new(Head { state, blocks }, SPEC)
            .with_block(block_env(header))
            .modify_cfg_chained(|cfg| cfg.chain_id = chain_id)
            .build_mainnet();
        Self { evm }
    }

    /// Executes a transaction and keeps its effects. Impersonated senders may have code, so
    /// EIP-3607 isn't applied to them.
    pub(crate) fn execute(&mut self, tx: &Tx) -> Result<Outcome, Invalid> {
        self.evm.ctx.modify_cfg(|cfg| cfg.disable_eip3607 = is_impersonated(tx));
        let done = self.evm.transact(tx_env(tx))?;
        self.evm.ctx.modify_db(|head| head.state.commit(done.state));
        let contract_address = tx.is_create().then(|| tx.signer().create(tx.nonce()));
        let gas_used = done.result.tx_gas_used();
        let (end, logs) = CallEnd::of(done.result);
        Ok(Outcome { end, gas_used, logs, contract_address })
    }
}

/// The end of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallEnd {
    /// It succeeded and returned this data.
    Success(Bytes),
    /// It reverted with this data.
    Revert(Bytes),
    /// It ended by an exceptional halt, such as running out of gas.
    Halt {
        /// The reason, in words.
        reason: String,
        /// Whether more gas might have helped.
        out_of_gas: bool,
    },
}

impl CallEnd {
    /// The end of an execution, and the logs that it leaves.
    fn of(result: ExecutionResult) -> (Self, Vec<Log>) {
        match result {
            ExecutionResult::Success { output, logs, .. } => {
                (Self::Success(output.into_data()), logs)
            }
            ExecutionResult::Revert { output, .. } => (Self::Revert(output), Vec::new()),
            ExecutionResult::Halt { reason, .. } => {
                let out_of_gas = matches!(reason, HaltReason::OutOfGas(_));
                (Self::Halt { reason: reason.to_string(), out_of_gas }, Vec::new())
            }
        }
    }

    /// Whether the call succeeded.
    pub const fn is_success(&self) -> bool {
        matches!(self, Self::Success(_))
    }

    /// The returned data; `None` if the call didn't succeed.
    pub fn success(self) -> Option<Bytes> {
        match self {
            Self::Success(data) => Some(data),
            Self::Revert(_) | Self::Halt { .. } => None,
        }
    }
}

#[derive(Debug)]
pub(crate) struct CallResult {
    pub(crate) end: CallEnd,
    /// Gas used before refunds, at least the floor of EIP-7623.
    pub(crate) gas_spent: u64,
    /// Gas used, as a receipt would have it.
    pub(crate) gas_used: u64,
}

/// The checks that a transaction must pass before it is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checks {
    /// Those of `eth_call`: none of nonce, base fee, EIP-3607 and the cap of EIP-7825, so that a call may
    /// use the gas of a whole block.
    OfCall,
    /// Those of a transaction in a block. Impersonated senders may have code, so EIP-3607 isn't applied
    /// to them.
    OfTransaction { is_impersonated: bool },
}

/// The circumstances under which a transaction is executed.
#[derive(Clone, Debug)]
pub(crate) struct Setting<'a> {
    pub(crate) block: BlockEnv,
    pub(crate) chain_id: u64,
    pub(crate) checks: Checks,
    pub(crate) watch: &'a Watch,
}

impl Setting<'_> {
    fn context<DB: DatabaseRef>(&self, db: DB) -> MainnetContext<WrapDatabaseRef<DB>> {
        let context = MainnetContext::new(WrapDatabaseRef(db), SPEC).with_block(self.block.clone());
        context.modify_cfg_chained(|cfg| {
            cfg.chain_id = self.chain_id;
            match self.checks {
                Checks::OfCall => {
                    cfg.disable_nonce_check = true;
                    cfg.disable_base_fee = true;
                    cfg.disable_eip3607 = true;
                    cfg.tx_gas_limit_cap = Some(u64::MAX);
                }
                Checks::OfTransaction { is_impersonated } => cfg.disable_eip3607 = is_impersonated,
            }
        })
    }
}

/// The result of a transaction, with its effects, which aren't kept.
pub(crate) type Transacted = ExecResultAndState<ExecutionResult>;

/// Executes a transaction without keeping its effects.
pub(crate) fn transact<DB: DatabaseRef>(
    db: DB,
    setting: &Setting<'_>,
    tx: TxEnv,
) -> Result<Transacted, Invalid> {
    let context = setting.context(db);
    // What nobody can stop needn't ask at every instruction whether it was.
    if setting.watch.is_watched() {
        return Ok(context.build_mainnet_with_inspector(setting.watch).inspect_tx(tx)?);
    }
    Ok(context.build_mainnet().transact(tx)?)
}

/// Like [`transact`], with an inspector. Each kind of inspector has its own copy of the interpreter.
pub(crate) fn inspect<DB: DatabaseRef, I>(
    db: DB,
    setting: &Setting<'_>,
    tx: TxEnv,
    inspector: I,
) -> Result<Transacted, Invalid>
where
    I: Inspector<MainnetContext<WrapDatabaseRef<DB>>>,
{
    let inspector = (setting.watch, inspector);
    Ok(setting.context(db).build_mainnet_with_inspector(inspector).inspect_tx(tx)?)
}

/// Executes a transaction as `eth_call` does.
pub(crate) fn call<DB: DatabaseRef>(
    db: DB,
    setting: &Setting<'_>,
    tx: TxEnv,
) -> Result<CallResult, Invalid> {
    let ExecResultAndState { result, .. } = transact(db, setting, tx)?;
    let gas = *result.gas();
    Ok(CallResult {
        end: CallEnd::of(result).0,
        gas_spent: gas.total_gas_spent().max(gas.floor_gas()),
        gas_used: gas.tx_gas_used(),
    })
}

/// The intrinsic gas of a transaction and its floor (EIP-7623).
pub(crate) fn intrinsic_gas(tx: &TxEnv) -> (u64, u64) {
    let gas = gas::calculate_initial_tx_gas_for_tx(tx, SPEC, None);
    (gas.initial_total_gas(), gas.floor_gas())
}

pub(crate) fn block_env(header: &Header) -> BlockEnv {
    BlockEnv {
        number: U256::from(header.number),
        beneficiary: header.beneficiary,
        timestamp: U256::from(header.timestamp),
        gas_limit: header.gas_limit,
        basefee: header.base_fee_per_gas.unwrap_or_default(),
        difficulty: U256::ZERO,
        prevrandao: Some(header.mix_hash),
        blob_excess_gas_and_price: Some(BlobExcessGasAndPrice::new_with_spec(0, SPEC)),
        slot_num: 0,
    }
}

pub(crate) fn tx_env(tx: &Tx) -> TxEnv {
    TxEnv {
        tx_type: tx.ty(),
        caller: tx.signer(),
        gas_limit: tx.gas_limit(),
        gas_price: tx.max_fee_per_gas(),
        kind: tx.kind(),
        value: tx.value(),
        data: tx.input().clone(),
        nonce: tx.nonce(),
        chain_id: tx.chain_id(),
        access_list: tx.access_list().cloned().unwrap_or_default(),
        gas_priority_fee: tx.max_priority_fee_per_gas(),
        authorization_list: tx
            .authorization_list()
            .unwrap_or_default()
            .iter()
            .cloned()
            .map(Either::Left)
            .collect(),
        blob_hashes: Vec::new(),
        max_fee_per_blob_gas: 0,
    }
}
