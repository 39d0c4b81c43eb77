//! The chain that both systems run on. The gas and the events of its transactions are known.

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::{BlockId, Encodable2718};
use alloy_network::{TransactionBuilder, TxSignerSync};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, keccak256, utils::Unit};
use alloy_provider::{DynProvider, Provider, ProviderBuilder};
use alloy_rpc_types_eth::{TransactionReceipt, TransactionRequest};
use alloy_signer_local::PrivateKeySigner;
use alloy_sol_types::{SolCall, SolEvent};
use canon_chain::{Client, Error};
use canon_devchain::{DEPLOYMENT_PROXY, Devchain, DevchainConfig, SnapshotId};
use canon_protocol::{Create2, Seconds};
use canon_views::{Present, Question};
use eyre::{Result, WrapErr, ensure, eyre};
use tokio::runtime::{Builder, Runtime};

/// A fee per gas that the base fee never exceeds here.
const MAX_FEE_PER_GAS: u128 = 100_000_000_000;

/// The largest gas limit of a transaction (EIP-7825).
const GAS_LIMIT: u64 = 1 << 24;

/// An in-process L1.
#[derive(Debug)]
pub(super) struct Chain {
    devchain: Devchain,
    provider: DynProvider,
    runtime: Runtime,
}

impl Chain {
    pub(super) fn new() -> Result<Self> {
        let runtime = Builder::new_current_thread().build().wrap_err("no runtime")?;
        let devchain = Devchain::new(DevchainConfig::default());
        let provider = ProviderBuilder::default().connect_client(devchain.client()).erased();
        Ok(Self { devchain, provider, runtime })
    }

    pub(super) fn id(&self) -> u64 {
        self.devchain.chain_id()
    }

    /// The time of the newest block.
    pub(super) fn now(&self) -> u64 {
        self.devchain.timestamp()
    }

    /// The set whose Registry is at an address, at the newest block.
    pub(super) fn read_set(&self, registry: Address) -> Result<Present, Error> {
        self.runtime.block_on(async {
            let client = Client::connect(self.provider.clone()).await?;
            client.view(registry, &Question::default(), BlockId::latest(), Seconds::SECOND).await
        })
    }

    /// Sets the timestamp of the next block, which views that are called before it see as well.
    pub(super) fn at(&self, timestamp: u64) -> Result<()> {
        self.devchain.set_next_timestamp(timestamp).wrap_err("time goes forward only")
    }

    pub(super) fn snapshot(&self) -> SnapshotId {
        self.devchain.snapshot()
    }

    pub(super) fn revert(&self, snapshot: SnapshotId) -> Result<()> {
        self.devchain.revert(snapshot).wrap_err("the snapshot is gone")
    }

    /// An account with ether for `label`. Its address has no zero byte, like nearly all real ones: a zero byte in
    /// calldata would be cheaper.
    pub(super) fn account(&self, label: &str) -> Result<PrivateKeySigner> {
        self.find_account(label, |address| address)
    }

    /// Deploys a contract at an address without zero bytes. `label` distinguishes its deployer from all others.
    pub(super) fn deploy(&self, label: &str, creation: Bytes) -> Result<Address> {
        let deployer = self.find_account(label, |address| address.create(0))?;
        let receipt = self
            .transact(&deployer, TxKind::Create, creation)
            .wrap_err_with(|| format!("{label} can't be deployed"))?;
        receipt.contract_address.ok_or_else(|| eyre!("the receipt of {label} names no contract"))
    }

    /// Creates a contract with CREATE2 through the deterministic deployment proxy, at an address without zero bytes.
    pub(super) fn create2(&self, init_code: &Bytes) -> Result<Create2> {
        let creation = (0_u64..)
            .map(|salt| Create2::new(DEPLOYMENT_PROXY, U256::from(salt).into(), init_code))
            .find(|creation| !creation.address().contains(&0))
            .ok_or_else(|| eyre!("no salt"))?;
        let sender = self.account("deployment proxy's caller")?;
        let input = [creation.salt.as_slice(), init_code].concat().into();
        self.transact(&sender, TxKind::Call(creation.factory), input)
            .wrap_err("a contract can't be created with CREATE2")?;
        Ok(creation)
    }

    /// Calls a contract in a transaction that must succeed.
    pub(super) fn send<C: SolCall>(
        &self,
        from: &PrivateKeySigner,
        to: Address,
        call: &C,
    ) -> Result<Sent> {
        let input = Bytes::from(call.abi_encode());
        let receipt = self
            .transact(from, TxKind::Call(to), input.clone())
            .wrap_err_with(|| format!("{} of {to} failed", C::SIGNATURE))?;
        Ok(Sent { call: C::SIGNATURE, input, receipt, timestamp: self.now() })
    }

    /// Calls a view in the environment of the next block.
    pub(super) fn ask<C: SolCall>(&self, to: Address, call: &C) -> Result<C::Return> {
        let request = TransactionRequest::default().with_to(to).with_input(call.abi_encode());
        let answer = self
            .runtime
            .block_on(self.provider.call(request).into_future())
            .wrap_err_with(|| format!("{to} doesn't answer {}", C::SIGNATURE))?;
        C::abi_decode_returns(&answer)
            .wrap_err_with(|| format!("{to} answers nonsense to {}", C::SIGNATURE))
    }

    fn find_account(
        &self,
        label: &str,
        shown: impl Fn(Address) -> Address,
    ) -> Result<PrivateKeySigner> {
        for attempt in 0_u32.. {
            let key = keccak256(format!("canon gas benchmark: {label} {attempt}"));
            let signer = PrivateKeySigner::from_bytes(&key).wrap_err("not a key")?;
            if !shown(signer.address()).contains(&0) {
                self.devchain.set_balance(signer.address(), U256::from(100) * Unit::ETHER.wei());
                return Ok(signer);
            }
        }
        unreachable!("nine addresses of ten have no zero byte")
    }

    fn transact(
        &self,
        from: &PrivateKeySigner,
        to: TxKind,
        input: Bytes,
    ) -> Result<TransactionReceipt> {
        let mut tx = TxEip1559 {
            chain_id: self.id(),
            nonce: self.devchain.nonce(from.address()),
            gas_limit: GAS_LIMIT,
            max_fee_per_gas: MAX_FEE_PER_GAS,
            to,
            input,
            ..TxEip1559::default()
        };
        let signature = from.sign_transaction_sync(&mut tx).wrap_err("signing failed")?;
        let raw = TxEnvelope::from(tx.into_signed(signature)).encoded_2718();
        let hash = self.devchain.send_raw(&raw).wrap_err("the chain refuses the transaction")?;
        let receipt = self.receipt(hash)?;
        ensure!(receipt.status(), "the transaction reverted after {} gas", receipt.gas_used);
        Ok(receipt)
    }

    fn receipt(&self, hash: B256) -> Result<TransactionReceipt> {
        self.runtime
            .block_on(self.provider.get_transaction_receipt(hash))
            .wrap_err("the receipt can't be read")?
            .ok_or_else(|| eyre!("transaction {hash} wasn't mined"))
    }
}

/// A transaction that succeeded.
#[derive(Debug)]
pub(super) struct Sent {
    call: &'static str,
    input: Bytes,
    receipt: TransactionReceipt,
    timestamp: u64,
}

impl Sent {
    /// The gas used, as in the receipt.
    pub(super) const fn gas(&self) -> u64 {
        self.receipt.gas_used
    }

    /// The time of its block.
    pub(super) const fn timestamp(&self) -> u64 {
        self.timestamp
    }

    pub(super) const fn input(&self) -> &Bytes {
        &self.input
    }

    /// Checks the effect of the transaction: `emitter` must have emitted exactly `event`.
    pub(super) fn emitted<E: SolEvent>(self, emitter: Address, event: &E) -> Result<Self> {
        let expected = event.encode_log_data();
        let logs = self.receipt.logs();
        ensure!(
            logs.iter().any(|log| log.address() == emitter && *log.data() == expected),
            "{} succeeded without the expected {}",
            self.call,
            E::SIGNATURE,
        );
        Ok(self)
    }
}
