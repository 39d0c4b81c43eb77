//! `eth_call`, `eth_estimateGas`, and what else is read from the state of a block and takes time.

use alloy_consensus::{Header, TrieAccount, proofs::storage_root};
use alloy_eips::{eip2930::AccessListResult, eip7825::MAX_TX_GAS_LIMIT_OSAKA};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, keccak256, map::U256Map};
use alloy_rpc_types_eth::{
    BlockOverrides, TransactionRequest,
    state::{AccountOverride, StateOverride},
};
use revm::{
    bytecode::Bytecode,
    context::{BlockEnv, TxEnv, either::Either},
    database::CacheDB,
};
use revm_inspectors::access_list::AccessListInspector;

use crate::{
    chain::Chain,
    exec::{self, Base, CallEnd, CallResult, Checks, Invalid, InvalidKind, Setting, View, Watch},
    rpc::error::{
        OrServerError, RpcError, RpcResult, execution_reverted, invalid_params, server_error,
    },
    state::Version,
};

/// The gas of a plain transfer, and the least that any transaction uses.
const TRANSFER_GAS: u64 = 21_000;

/// The gas that the callee gets in addition if a call transfers value (EIP-150).
const CALL_STIPEND: u64 = 2_300;

/// The most gas of a call, whatever the limit of a block is. A call can't be stopped within a precompile: all of it
/// in the slowest one takes some two seconds.
pub(crate) const MAX_CALL_GAS: u64 = 150_000_000;

/// The relative amount by which an estimate may exceed the least sufficient gas limit, as in geth. It shortens the
/// search.
const ESTIMATE_TOLERANCE: f64 = 0.015;

/// The block on which a call is executed.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The version of the state; `None` for the current one.
    version: Option<Version>,
    pub(crate) header: Header,
    pub(crate) chain_id: u64,
}

/// The state and the block on which a call is executed.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    pub(crate) view: View<'a>,
    pub(crate) header: Header,
    pub(crate) chain_id: u64,
    pub(crate) watch: &'a Watch,
}

/// The changes to state and block for a call.
#[derive(Debug, Default)]
pub(crate) struct Overrides {
    pub(crate) state: Option<StateOverride>,
    pub(crate) block: Option<BlockOverrides>,
}

/// A call that can be executed any number of times.
pub(crate) struct Prepared<'a> {
    pub(crate) db: CacheDB<View<'a>>,
    pub(crate) setting: Setting<'a>,
    pub(crate) tx: TxEnv,
    /// The gas that the sender can pay for.
    affordable_gas: u64,
}

impl Chain {
    /// The state after a block, with the block's own environment. `None` is the pending block: the current state,
    /// with the environment of the next block.
    pub(crate) fn place(&self, number: Option<u64>) -> RpcResult<Place> {
        let chain_id = self.config.chain_id;
        Ok(match number {
            None => Place { version: None, header: self.next_header(), chain_id },
            Some(number) => Place {
                version: self.view(number).or_server_error()?.version,
                header: self.blocks[number as usize].header.clone(),
                chain_id,
            },
        })
    }
}

impl Place {
    pub(crate) fn on(self, base: Base<'_>) -> Target<'_> {
        let Self { version, header, chain_id } = self;
        Target { view: base.view(version), header, chain_id, watch: base.watch }
    }
}

impl<'a> Target<'a> {
    pub(crate) fn call(
        self,
        request: TransactionRequest,
        overrides: Overrides,
    ) -> RpcResult<Bytes> {
        let prepared = self.prepare(request, overrides)?;
        prepared.check_funds()?;
        match prepared.run(prepared.tx.gas_limit).or_server_error()?.end {
            CallEnd::Success(data) => Ok(data),
            CallEnd::Revert(data) => Err(execution_reverted(&data)),
            CallEnd::Halt { reason, .. } => Err(server_error(reason)),
        }
    }

    /// Returns a gas limit with which the transaction succeeds, at most 1.5 % above the least one.
    ///
    /// The search is geth's
    /// ([`gasestimator.go`](https://github.com/ethereum/go-ethereum/blob/master/eth/gasestimator/gasestimator.go)),
    /// with one shortcut before it: the gas spent before refunds is never more than needed, and it is
    /// enough unless the 63/64 rule leaves an inner call short of gas.
    pub(crate) fn estimate(
        self,
        request: TransactionRequest,
        overrides: Overrides,
    ) -> RpcResult<u64> {
        let prepared = self.prepare(request, overrides)?;
        let cap = prepared.tx.gas_limit.min(MAX_TX_GAS_LIMIT_OSAKA);
        if prepared.is_transfer() && prepared.succeeds(TRANSFER_GAS).or_server_error()? {
            return Ok(TRANSFER_GAS);
        }
        let exceeds = || server_error(format!("gas required exceeds allowance ({cap})"));
        let most = match prepared.run(cap) {
            Err(invalid) if invalid.kind == InvalidKind::TooLittleGas => return Err(exceeds()),
            result => result.or_server_error()?,
        };
        match most.end {
            CallEnd::Success(_) => {}
            CallEnd::Revert(data) => return Err(execution_reverted(&data)),
            CallEnd::Halt { out_of_gas: true, .. } => return Err(exceeds()),
            CallEnd::Halt { reason, .. } => return Err(server_error(reason)),
        }
        let (mut low, mut high) = (most.gas_used.saturating_sub(1), cap);
        if most.gas_spent < high {
            if prepared.succeeds(most.gas_spent).or_server_error()? {
                return Ok(most.gas_spent);
            }
            low = most.gas_spent;
        }
        let optimistic = (most.gas_spent + CALL_STIPEND) * 64 / 63;
        if optimistic < high {
            let succeeds = prepared.succeeds(optimistic).or_server_error()?;
            if succeeds { high = optimistic } else { low = optimistic }
        }
        while low + 1 < high && (high - low) as f64 / high as f64 >= ESTIMATE_TOLERANCE {
            // The result is rarely far above the gas used.
            let middle = (low + (high - low) / 2).min(low * 2);
            let succeeds = prepared.succeeds(middle).or_server_error()?;
            if succeeds { high = middle } else { low = middle }
        }
        Ok(high)
    }

    /// The accounts and slots that a call accesses, without those that are warm from the start, and the gas that
    /// the call uses with that list (EIP-2930).
    pub(crate) fn access_list(self, request: TransactionRequest) -> RpcResult<AccessListResult> {
        let mut prepared = self.prepare(request, Overrides::default())?;
        let gas_limit = prepared.tx.gas_limit;
        // As in geth, a list in the request is part of the answer.
        let mut inspector = AccessListInspector::new(prepared.tx.access_list.clone());
        exec::inspect(&prepared.db, &prepared.setting, prepared.tx.clone(), &mut inspector)
            .or_server_error()?;
        let access_list = inspector.into_access_list();
        prepared.tx.access_list = access_list.clone();
        prepared.tx.tx_type = prepared.tx.tx_type.max(1);
        let result = prepared.run(gas_limit).or_server_error()?;
        let error = match result.end {
            CallEnd::Success(_) => None,
            CallEnd::Revert(data) => Some(execution_reverted(&data).message.into_owned()),
            CallEnd::Halt { reason, .. } => Some(reason),
        };
        Ok(AccessListResult { access_list, gas_used: U256::from(result.gas_used), error })
    }

    /// An account. Blocks have no root of all accounts, but the one of an account's storage follows from its
    /// slots.
    pub(crate) fn account(self, address: Address) -> RpcResult<TrieAccount> {
        let Self { view, watch, .. } = self;
        let info = view.account(address).cloned().unwrap_or_default();
        let slots = view.state.slots(address, view.version);
        let slots = slots.take_while(|_| !watch.is_stopped());
        let mut hashed: Vec<_> =
            slots.map(|(key, value)| (keccak256(B256::from(key)), value)).collect();
        hashed.sort_unstable_by_key(|(key, _)| *key);
        let root = storage_root(hashed.into_iter().take_while(|_| !watch.is_stopped()));
        watch.check().or_server_error()?;
        Ok(TrieAccount::new(info.nonce, info.balance, root, info.code_hash))
    }

    pub(crate) fn prepare(
        self,
        request: TransactionRequest,
        overrides: Overrides,
    ) -> RpcResult<Prepared<'a>> {
        let Self { view, header, chain_id, watch } = self;
        let mut block = exec::block_env(&header);
        if let Some(overrides) = overrides.block {
            override_block(&mut block, overrides);
        }
        let mut db = CacheDB::new(view);
        for (address, account) in overrides.state.into_iter().flatten() {
            override_account(&mut db, address, account)?;
        }
        let gas = request.gas;
        let mut tx = call_env(request, chain_id)?;
        tx.gas_limit = gas.unwrap_or(u64::MAX).min(block.gas_limit).min(MAX_CALL_GAS);
        let affordable_gas = if tx.gas_price == 0 {
            // As in geth, a call that offers no price sees a base fee of zero.
            block.basefee = 0;
            u64::MAX
        } else {
            affordable_gas(&db, &tx)?
        };
        tx.gas_limit = tx.gas_limit.min(affordable_gas);
        let setting = Setting { block, chain_id, checks: Checks::OfCall, watch };
        Ok(Prepared { db, setting, tx, affordable_gas })
    }
}

impl Prepared<'_> {
    /// Refuses a call whose sender can't pay for its start, in geth's words.
    fn check_funds(&self) -> RpcResult<()> {
        let (intrinsic, floor) = exec::intrinsic_gas(&self.tx);
        let needed = intrinsic.max(floor);
        if self.affordable_gas >= needed {
            return Ok(());
        }
        let cost = U256::from(needed) * U256::from(self.tx.gas_price) + self.tx.value;
        let Ok(info) = revm::DatabaseRef::basic_ref(&self.db, self.tx.caller);
        let balance = info.map_or(U256::ZERO, |info| info.balance);
        Err(server_error(format!(
            "insufficient funds for gas * price + value: address {} have {balance} want {cost}",
            self.tx.caller
        )))
    }

    fn run(&self, gas_limit: u64) -> Result<CallResult, Invalid> {
        let tx = TxEnv { gas_limit, ..self.tx.clone() };
        exec::call(&self.db, &self.setting, tx)
    }

    /// Whether the call succeeds with this gas limit. If it was stopped, that isn't known.
    fn succeeds(&self, gas_limit: u64) -> Result<bool, Invalid> {
        match self.run(gas_limit) {
            Ok(result) => Ok(result.end.is_success()),
            Err(invalid) if invalid.kind == InvalidKind::Stopped => Err(invalid),
            Err(_) => Ok(false),
        }
    }

    fn is_transfer(&self) -> bool {
        let TxKind::Call(to) = self.tx.kind else { return false };
        let no_code = revm::DatabaseRef::basic_ref(&self.db, to)
            .is_ok_and(|info| info.is_none_or(|info| info.is_empty_code_hash()));
        self.tx.data.is_empty() && no_code
    }
}

/// The gas that the sender can pay for at the offered price, after the value that it sends.
fn affordable_gas(db: &CacheDB<View<'_>>, tx: &TxEnv) -> RpcResult<u64> {
    let Ok(info) = revm::DatabaseRef::basic_ref(db, tx.caller);
    let balance = info.map_or(U256::ZERO, |info| info.balance);
    let available = balance
        .checked_sub(tx.value)
        .ok_or_else(|| server_error("insufficient funds for transfer"))?;
    Ok((available / U256::from(tx.gas_price)).saturating_to())
}

/// Whether the transaction has a fee of EIP-1559.
const fn by_fees(request: &TransactionRequest) -> bool {
    request.max_fee_per_gas.is_some() || request.max_priority_fee_per_gas.is_some()
}

/// Refuses a transaction whose fields contradict each other, or the chain.
pub(crate) fn check_request(request: &TransactionRequest, chain_id: u64) -> RpcResult<()> {
    if request.gas_price.is_some() && by_fees(request) {
        return Err(invalid_params(
            "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified",
        ));
    }
    let has_blobs = request.blob_versioned_hashes.is_some()
        || request.max_fee_per_blob_gas.is_some()
        || request.sidecar.is_some();
    if has_blobs {
        return Err(invalid_params("blob transactions are not supported by the devchain"));
    }
    if let Some(found) = request.chain_id.filter(|found| *found != chain_id) {
        return Err(invalid_params(format!(
            "chainId does not match node's (have={found}, want={chain_id})"
        )));
    }
    request.input.unique_input().map_err(|error| invalid_params(error.to_string()))?;
    Ok(())
}

pub(crate) fn call_env(request: TransactionRequest, chain_id: u64) -> RpcResult<TxEnv> {
    check_request(&request, chain_id)?;
    let by_fees = by_fees(&request);
    let authorizations = request.authorization_list.unwrap_or_default();
    let access_list = request.access_list.unwrap_or_default();
    let tx_type = if !authorizations.is_empty() {
        4
    } else if by_fees {
        2
    } else {
        u8::from(!access_list.is_empty())
    };
    let data = request.input.into_input();
    Ok(TxEnv {
        tx_type,
        caller: request.from.unwrap_or_default(),
        gas_limit: 0,
        gas_price: request.gas_price.or(request.max_fee_per_gas).unwrap_or_default(),
        kind: request.to.unwrap_or(TxKind::Create),
        value: request.value.unwrap_or_default(),
        data: data.unwrap_or_default(),
        nonce: request.nonce.unwrap_or_default(),
        chain_id: Some(request.chain_id.unwrap_or(chain_id)),
        access_list,
        gas_priority_fee: (tx_type >= 2)
            .then(|| request.max_priority_fee_per_gas.unwrap_or_default()),
        authorization_list: authorizations.into_iter().map(Either::Left).collect(),
        blob_hashes: Vec::new(),
        max_fee_per_blob_gas: 0,
    })
}

fn override_block(block: &mut BlockEnv, overrides: BlockOverrides) {
    let BlockOverrides { number, difficulty, time, gas_limit, coinbase, random, base_fee, .. } =
        overrides;
    block.number = number.unwrap_or(block.number);
    block.difficulty = difficulty.unwrap_or(block.difficulty);
    block.timestamp = time.map_or(block.timestamp, U256::from);
    block.gas_limit = gas_limit.unwrap_or(block.gas_limit);
    block.beneficiary = coinbase.unwrap_or(block.beneficiary);
    block.prevrandao = random.or(block.prevrandao);
    block.basefee = base_fee.map_or(block.basefee, |fee| fee.saturating_to());
}

pub(crate) fn override_account(
    db: &mut CacheDB<View<'_>>,
    address: Address,
    account: AccountOverride,
) -> Result<(), RpcError> {
    let AccountOverride { balance, nonce, code, state, state_diff, move_precompile_to } = account;
    if move_precompile_to.is_some() {
        return Err(invalid_params("movePrecompileToAddress is not supported by the devchain"));
    }
    let Ok(info) = revm::DatabaseRef::basic_ref(db, address);
    let mut info = info.unwrap_or_default();
    info.balance = balance.unwrap_or(info.balance);
    info.nonce = nonce.unwrap_or(info.nonce);
    if let Some(code) = code {
        let code =
            Bytecode::new_raw_checked(code).map_err(|error| invalid_params(error.to_string()))?;
        info.code_hash = code.hash_slow();
        info.code = Some(code);
    }
    db.insert_account_info(address, info);
    let words = |(key, value): (B256, B256)| (key.into(), value.into());
    match (state, state_diff) {
        (Some(_), Some(_)) => Err(invalid_params("account has both 'state' and 'stateDiff'")),
        (Some(state), None) => {
            let slots: U256Map<U256> = state.into_iter().map(words).collect();
            let Ok(()) = db.replace_account_storage(address, slots);
            Ok(())
        }
        (None, diff) => {
            for (key, value) in diff.into_iter().flatten().map(words) {
                let Ok(()) = db.insert_account_storage(address, key, value);
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DevchainConfig;

    #[test]
    fn an_account_is_not_hashed_after_its_request_was_stopped() {
        let mut chain = Chain::new(DevchainConfig::default());
        chain.state.set_slot(Address::ZERO, U256::ONE, U256::ONE);
        let watch = Watch::new();
        let account = || chain.place(None).unwrap().on(chain.base(&watch)).account(Address::ZERO);
        assert_ne!(account().unwrap().storage_root, TrieAccount::default().storage_root);
        watch.stop();
        assert!(account().unwrap_err().message.starts_with("execution aborted"));
    }
}
