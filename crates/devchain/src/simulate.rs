//! `eth_simulateV1`: blocks that build on each other and on the chain, without becoming part of it.

use std::sync::Arc;

use alloy_consensus::{BlockHeader, Header, SignableTransaction, TxEnvelope};
use alloy_eips::{
    eip1559::{BaseFeeParams, calc_next_block_base_fee},
    eip2935::HISTORY_STORAGE_ADDRESS,
    eip7825::MAX_TX_GAS_LIMIT_OSAKA,
};
use alloy_primitives::{B256, Bytes, U256};
use alloy_rpc_types_eth::{
    BlockOverrides, Log, TransactionRequest,
    simulate::{
        MAX_SIMULATE_BLOCKS, SimBlock, SimCallResult, SimulateError, SimulatePayload,
        SimulatedBlock,
    },
};
use revm::{
    DatabaseCommit, DatabaseRef,
    context::result::{ExecutionResult, HaltReason},
    database::CacheDB,
};
use revm_inspectors::transfer::TransferInspector;

use crate::{
    block::{Block, Outcome, StateVersions, Tx, open_header, placeholder_signature},
    calls::{MAX_CALL_GAS, Target, call_env, override_account},
    exec::{self, Checks, Setting, View, Watch},
    mining::history_slot,
    rpc::{
        convert,
        error::{RpcResult, coded, execution_reverted, invalid_params, server_error, simulation},
    },
    transactions,
};

/// The seconds from a block to the next one, if no time is given for it.
const BLOCK_SECONDS: u64 = 12;

/// The largest number of bytes that the calls of a simulation return and log.
const MAX_BYTES: usize = 16 << 20;

/// The bytes of a log without data, as far as they count.
const MIN_LOG_BYTES: usize = 250;

/// The state of a simulation after its last block.
struct Simulation<'a> {
    db: CacheDB<View<'a>>,
    parent: Header,
    parent_hash: B256,
    chain_id: u64,
    watch: &'a Watch,
    /// Gas that is left for the calls of all blocks.
    gas_left: u64,
    /// Bytes that are left for what the calls of all blocks return and log.
    bytes_left: usize,
    /// Whether calls must be valid transactions.
    validates: bool,
    /// Whether transfers of ether are logged as if they were those of a token.
    logs_transfers: bool,
    /// Whether blocks are answered with whole transactions.
    is_full: bool,
}

/// The number and the time of a block, and the request for it. Blocks in a gap between numbers have none.
type Planned = (u64, u64, SimBlock);

impl Target<'_> {
    pub(crate) fn simulate(self, payload: SimulatePayload) -> RpcResult<Vec<SimulatedBlock>> {
        let planned = plan(payload.block_state_calls, &self.header)?;
        let mut simulation = Simulation {
            parent_hash: self.header.hash_slow(),
            parent: self.header,
            db: CacheDB::new(self.view),
            chain_id: self.chain_id,
            watch: self.watch,
            gas_left: MAX_CALL_GAS,
            bytes_left: MAX_BYTES,
            validates: payload.validation,
            logs_transfers: payload.trace_transfers,
            is_full: payload.return_full_transactions,
        };
        planned.into_iter().map(|planned| simulation.block(planned)).collect()
    }
}

/// Places the blocks one after another, and fills the gaps between their numbers.
fn plan(blocks: Vec<SimBlock>, base: &Header) -> RpcResult<Vec<Planned>> {
    if blocks.is_empty() {
        return Err(invalid_params("empty input"));
    }
    let (mut number, mut time) = (base.number, base.timestamp);
    let mut planned = Vec::new();
    for block in blocks {
        let overrides = block.block_overrides.clone().unwrap_or_default();
        let next = overrides
            .number
            .map_or_else(|| number.saturating_add(1), |number| number.saturating_to());
        if next <= number {
            let message = format!("block numbers must be in order: {next} <= {number}");
            return Err(coded(simulation::BLOCK_NUMBER, message));
        }
        if next - base.number > MAX_SIMULATE_BLOCKS {
            return Err(coded(simulation::LIMIT, "too many blocks"));
        }
        for gap in number + 1..next {
            time = time.saturating_add(BLOCK_SECONDS);
            planned.push((gap, time, SimBlock::default()));
        }
        let next_time = overrides.time.unwrap_or_else(|| time.saturating_add(BLOCK_SECONDS));
        if next_time <= time {
            let message = format!("block timestamps must be in order: {next_time} <= {time}");
            return Err(coded(simulation::TIMESTAMP, message));
        }
        (number, time) = (next, next_time);
        planned.push((number, time, block));
    }
    Ok(planned)
}

impl Simulation<'_> {
    fn block(&mut self, (number, time, requested): Planned) -> RpcResult<SimulatedBlock> {
        let header = self.header(number, time, requested.block_overrides.unwrap_or_default());
        for (address, account) in requested.state_overrides.into_iter().flatten() {
            override_account(&mut self.db, address, account)?;
        }
        let (slot, parent) = history_slot(&header);
        let Ok(()) = self.db.insert_account_storage(HISTORY_STORAGE_ADDRESS, slot, parent);
        let mut block_gas = header.gas_limit;
        let (mut executed, mut calls) = (Vec::new(), Vec::new());
        for call in requested.calls {
            let (tx, outcome, call) = self.call(call, &header, block_gas)?;
            block_gas -= outcome.gas_used;
            self.gas_left = self.gas_left.saturating_sub(outcome.gas_used);
            executed.push((Arc::new(tx), outcome));
            calls.push(call);
        }
        let block = Block::seal(header, executed, StateVersions::default());
        for (position, call) in calls.iter_mut().enumerate() {
            let receipt = convert::receipt(&block, position);
            call.logs = receipt.inner.logs().to_vec();
        }
        self.db.cache.block_hashes.insert(U256::from(number), block.hash);
        let answer = SimulatedBlock { inner: convert::block(&block, self.is_full), calls };
        (self.parent, self.parent_hash) = (block.header, block.hash);
        Ok(answer)
    }

    fn header(&self, number: u64, time: u64, overrides: BlockOverrides) -> Header {
        let BlockOverrides { gas_limit, coinbase, random, base_fee, .. } = overrides;
        let parent = &self.parent;
        let regular = if self.validates {
            let base_fee = parent.base_fee_per_gas().unwrap_or_default().min(u64::MAX / 2);
            let (used, limit) = (parent.gas_used, parent.gas_limit);
            calc_next_block_base_fee(used, limit, base_fee, BaseFeeParams::ethereum())
        } else {
            0
        };
        open_header(
            self.parent_hash,
            number,
            time,
            gas_limit.unwrap_or(parent.gas_limit),
            base_fee.map_or(regular, |base_fee| base_fee.saturating_to()),
            coinbase.unwrap_or(parent.beneficiary),
            random.unwrap_or_default(),
        )
    }

    /// Executes a call and keeps its effects. The logs of the result have no place yet.
    fn call(
        &mut self,
        mut request: TransactionRequest,
        header: &Header,
        block_gas: u64,
    ) -> RpcResult<(Tx, Outcome, SimCallResult)> {
        let from = *request.from.get_or_insert_default();
        let Ok(sender) = self.db.basic_ref(from);
        let nonce = *request.nonce.get_or_insert_with(|| sender.map_or(0, |info| info.nonce));
        let most_gas = if self.validates { MAX_TX_GAS_LIMIT_OSAKA } else { u64::MAX };
        let gas = *request.gas.get_or_insert(block_gas.min(most_gas));
        if gas > block_gas {
            let message = format!("block gas limit reached: {gas} >= {block_gas}");
            return Err(coded(simulation::BLOCK_GAS, message));
        }
        // As in geth, the simulation as a whole has a limit, which cuts the gas of a call.
        let gas = gas.min(self.gas_left);
        request.gas = Some(gas);
        request.chain_id.get_or_insert(self.chain_id);
        request.to.get_or_insert(alloy_primitives::TxKind::Create);
        if request.gas_price.is_none() {
            request.max_fee_per_gas.get_or_insert(0);
            request.max_priority_fee_per_gas.get_or_insert(0);
        }
        let mut env = call_env(request.clone(), self.chain_id)?;
        (env.gas_limit, env.nonce) = (gas, nonce);
        let tx: TxEnvelope =
            transactions::typed(request)?.into_signed(placeholder_signature(from)).into();
        let is_creation = env.kind.is_create();

        let checks = if self.validates {
            Checks::OfTransaction { is_impersonated: false }
        } else {
            Checks::OfCall
        };
        let (block, chain_id, watch) = (exec::block_env(header), self.chain_id, self.watch);
        let setting = Setting { block, chain_id, checks, watch };
        let done = if self.logs_transfers {
            let transfers = TransferInspector::new(false).with_logs(true);
            exec::inspect(&self.db, &setting, env, transfers)
        } else {
            exec::transact(&self.db, &setting, env)
        };
        let done = done.map_err(|invalid| {
            coded(simulation::code(invalid.kind), format!("err: {invalid} (supplied gas {gas})"))
        })?;
        self.db.commit(done.state);
        let (success, used) = (done.result.is_success(), *done.result.gas());
        let (output, logs, error) = match done.result {
            ExecutionResult::Success { output, logs, .. } => (output.into_data(), logs, None),
            ExecutionResult::Revert { output, .. } => {
                let error = reverted(&output);
                (output, Vec::new(), Some(error))
            }
            ExecutionResult::Halt { reason, .. } => {
                (Bytes::new(), Vec::new(), Some(halted(&reason)))
            }
        };
        let log_bytes = |log: &alloy_primitives::Log| MIN_LOG_BYTES + log.data.data.len();
        let bytes = output.len() + logs.iter().map(log_bytes).sum::<usize>();
        let left = self.bytes_left.checked_sub(bytes);
        self.bytes_left = left.ok_or_else(|| {
            server_error(format!("the calls return and log more than {MAX_BYTES} bytes"))
        })?;
        let gas_used = used.tx_gas_used();
        let result = SimCallResult {
            return_data: output,
            logs: Vec::<Log>::new(),
            gas_used,
            max_used_gas: Some(used.total_gas_spent().max(used.floor_gas())),
            status: success,
            error,
        };
        let contract_address = is_creation.then(|| from.create(nonce));
        let outcome = Outcome::without_data(success, gas_used, logs);
        let outcome = Outcome { contract_address, ..outcome };
        Ok((Tx::new_unchecked(tx, from), outcome, result))
    }
}

fn reverted(data: &Bytes) -> SimulateError {
    let error = execution_reverted(data);
    SimulateError {
        code: SimulateError::EXECUTION_REVERTED_CODE,
        message: error.message.into_owned(),
        data: Some(data.clone()),
    }
}

fn halted(reason: &HaltReason) -> SimulateError {
    let message = match reason {
        HaltReason::OutOfGas(_) => "out of gas".to_owned(),
        other => other.to_string(),
    };
    SimulateError { code: SimulateError::VM_EXECUTION_ERROR_CODE, message, data: None }
}
