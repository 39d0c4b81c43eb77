//! The sequence of transactions, generated from a seed.

use std::collections::BTreeMap;

use alloy_consensus::TxEnvelope;
use alloy_eips::{
    eip2718::Encodable2718,
    eip2930::AccessList,
    eip7702::{Authorization, SignedAuthorization},
};
use alloy_network::{
    EthereumWallet, NetworkTransactionBuilder, TransactionBuilder, TransactionBuilder7702,
};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, bytes, keccak256};
use alloy_rpc_types_eth::TransactionRequest;
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use canon_devchain::Devchain;
use canon_testkit::histories::Rng;
use eyre::Result;

use super::{CHAIN_ID, asm::Asm, contracts, precompiles};

/// A transaction before it is signed, and the accounts to compare after it.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) kind: &'static str,
    /// The index of the dev account that sends it.
    pub(super) from: usize,
    pub(super) to: TxKind,
    pub(super) value: U256,
    pub(super) input: Bytes,
    /// The gas limit; `None` for the devchain's estimate.
    pub(super) gas: Option<u64>,
    pub(super) authorizations: Vec<SignedAuthorization>,
    pub(super) access_list: Option<AccessList>,
    /// Accounts to compare in addition to sender, target and coinbase.
    pub(super) touched: Vec<Address>,
}

/// Contracts that succeed even if an inner call or creation fails.
const FORGIVING: [&str; 8] = [
    "factory",
    "factory2",
    "splitter",
    "recursion",
    "call",
    "callcode",
    "delegatecall",
    "staticcall",
];

/// A transaction that every chain should refuse.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) why: &'static str,
    pub(super) raw: Bytes,
    /// Whether anvil refuses it too. Otherwise anvil accepts it and mines an empty block.
    pub(super) by_anvil: bool,
}

/// A gas limit that is enough for all but the heaviest transactions.
pub(super) const PLENTY: u64 = 1_000_000;

/// The number of accounts that send transactions. The others delegate.
const SENDERS: u64 = 6;

pub(super) struct Sequence {
    rng: Rng,
    pub(super) chain: Devchain,
    signers: Vec<PrivateKeySigner>,
    wallet: EthereumWallet,
    contracts: BTreeMap<&'static str, Address>,
}

impl Sequence {
    pub(super) fn new(seed: u64, chain: Devchain) -> Self {
        let signers = chain.dev_accounts();
        let mut wallet = EthereumWallet::default();
        signers.iter().for_each(|signer| wallet.register_signer(signer.clone()));
        let deployer = signers[0].address();
        let contracts = contracts::all();
        let contracts = contracts.iter().zip(0..).map(|(c, n)| (c.0, deployer.create(n))).collect();
        Self { rng: Rng::new(seed), chain, signers, wallet, contracts }
    }

    /// A pseudo-random number below `bound`.
    pub(super) const fn below(&mut self, bound: u64) -> u64 {
        self.rng.below(bound)
    }

    pub(super) fn word(&mut self) -> B256 {
        let n = self.below(u64::MAX);
        keccak256(n.to_be_bytes())
    }

    pub(super) fn bytes(&mut self, length: u64) -> Bytes {
        // A third of the bytes are zero, because those cost less.
        (0..length).map(|_| self.below(384).saturating_sub(128) as u8).collect()
    }

    pub(super) fn at(&self, contract: &'static str) -> Address {
        self.contracts[contract]
    }

    pub(super) fn signer(&self, index: usize) -> &PrivateKeySigner {
        &self.signers[index]
    }

    pub(super) fn dev(&self, index: usize) -> Address {
        self.signers[index].address()
    }

    /// Whether the step may succeed although a call inside it failed.
    pub(super) fn forgives(&self, step: &Step) -> bool {
        FORGIVING.iter().any(|contract| step.to == TxKind::Call(self.at(contract)))
    }

    /// An account that never delegates.
    pub(super) fn anyone(&mut self) -> Address {
        let index = self.below(SENDERS);
        self.dev(index as usize)
    }

    /// An account that most likely doesn't exist.
    pub(super) fn nobody(&mut self) -> Address {
        Address::from_word(self.word())
    }

    pub(super) fn step(
        &mut self,
        kind: &'static str,
        to: Address,
        input: impl Into<Bytes>,
    ) -> Step {
        Step {
            kind,
            from: self.below(SENDERS) as usize,
            to: TxKind::Call(to),
            value: U256::ZERO,
            input: input.into(),
            gas: None,
            authorizations: Vec::new(),
            access_list: None,
            touched: Vec::new(),
        }
    }

    pub(super) fn call(&mut self, contract: &'static str, input: impl Into<Bytes>) -> Step {
        let to = self.at(contract);
        self.step(contract, to, input)
    }

    pub(super) fn create(&mut self, kind: &'static str, init: impl Into<Bytes>) -> Step {
        let step = self.step(kind, Address::ZERO, init);
        Step { to: TxKind::Create, ..step }
    }

    /// Deploys every contract, from the first account.
    pub(super) fn deployments(&mut self) -> Vec<Step> {
        let deploy = |(_, runtime): (_, Bytes)| {
            let step = self.create("deployment", Asm::init(&runtime));
            Step { from: 0, ..step }
        };
        contracts::all().into_iter().map(deploy).collect()
    }

    /// Signs a step with the sender's present nonce. The type is drawn from those that can
    /// represent the step.
    pub(super) async fn sign(&mut self, step: &Step, gas: u64) -> Result<(Bytes, B256)> {
        let nonce = self.chain.nonce(self.dev(step.from));
        self.sign_at(step, gas, nonce).await
    }

    pub(super) async fn sign_at(
        &mut self,
        step: &Step,
        gas: u64,
        nonce: u64,
    ) -> Result<(Bytes, B256)> {
        let mut tx = self.request(step).with_nonce(nonce).with_gas_limit(gas);
        tx.chain_id = Some(CHAIN_ID);
        let price = 2 * u128::from(self.chain.next_base_fee()) + u128::from(self.below(1 << 30));
        let by_fees = !step.authorizations.is_empty() || self.below(2) == 0;
        if by_fees {
            tx.set_max_fee_per_gas(price);
            tx.set_max_priority_fee_per_gas(self.below(3_000_000_000).into());
            // A tip above the fee cap would be refused.
            tx.max_priority_fee_per_gas = tx.max_priority_fee_per_gas.min(Some(price));
        } else {
            tx.set_gas_price(price);
            if self.below(2) == 0 && tx.access_list.is_none() {
                tx.access_list = Some(AccessList::default());
            }
        }
        let tx: TxEnvelope = tx.build(&self.wallet).await?;
        Ok((tx.encoded_2718().into(), *tx.tx_hash()))
    }

    /// The step as a call.
    pub(super) fn request(&self, step: &Step) -> TransactionRequest {
        let mut tx = TransactionRequest::default()
            .with_from(self.dev(step.from))
            .with_value(step.value)
            .with_input(step.input.clone());
        tx.to = Some(step.to);
        tx.access_list.clone_from(&step.access_list);
        if !step.authorizations.is_empty() {
            tx.set_authorization_list(step.authorizations.clone());
        }
        tx
    }

    pub(super) fn logs(&mut self, contract: &'static str) -> Step {
        let length = self.below(200);
        let data = self.bytes(length);
        self.call(contract, data)
    }

    /// A call through a contract that stores whether the inner call succeeded.
    pub(super) fn nested(&mut self, how: &'static str, target: Address, input: &[u8]) -> Step {
        let step = self.call(how, [target.into_word().as_slice(), input].concat());
        Step { touched: vec![target], ..step }
    }

    pub(super) fn authorize(
        &self,
        account: usize,
        address: Address,
        nonce: u64,
        chain_id: u64,
    ) -> SignedAuthorization {
        let authorization = Authorization { chain_id: U256::from(chain_id), address, nonce };
        let signature = self.signers[account]
            .sign_hash_sync(&authorization.signature_hash())
            .expect("a local key signs");
        authorization.into_signed(signature)
    }

    /// Delegates account 6 to a cell or account 7 to a wallet, and calls the account.
    pub(super) fn delegate(&mut self, kind: &'static str, contract: &'static str) -> Step {
        let account = if contract == "wallet" { 7 } else { 6 };
        let (address, target) = (self.dev(account), self.at(contract));
        let authorization = self.authorize(account, target, self.chain.nonce(address), CHAIN_ID);
        let input =
            if contract == "wallet" { Bytes::from(vec![0; 64]) } else { self.word().into() };
        let step = self.step(kind, address, input);
        Step { authorizations: vec![authorization], ..step }
    }

    pub(super) fn precompile(&mut self) -> Step {
        let (address, kind, input) = precompiles::random(self);
        let target = Address::from_word(U256::from(address).into());
        let step = self.nested("staticcall", target, &input);
        Step { kind, gas: Some(2_000_000), ..step }
    }

    /// Transactions for one block, several of them by one sender, in the order of their nonces.
    pub(super) fn crowd(&mut self) -> Vec<Step> {
        let mut steps = Vec::new();
        for _ in 0..12 {
            let word = self.word();
            let step = match self.below(4) {
                0 => self.call("cell", word),
                1 => self.call("ten slots", word),
                2 => self.call("reverter", word),
                _ => Step { value: U256::from(3), ..self.step("", Address::ZERO, bytes!("")) },
            };
            steps.push(Step { gas: Some(400_000), ..step });
        }
        steps
    }

    /// Transactions that are invalid, each for one reason.
    pub(super) async fn refusals(&mut self) -> Result<Vec<Refusal>> {
        let to = self.anyone();
        const FLOOR: &str = "gas below the floor of EIP-7623";
        const OTHER_CHAIN: &str = "another chain's id";
        let step = Step { from: 1, ..self.step("", to, bytes!("")) };
        let (nonce, balance) = (self.chain.nonce(self.dev(1)), self.chain.balance(self.dev(1)));
        let mut refusals = Vec::new();
        let mut add = |why, (raw, _): (Bytes, B256)| {
            let by_anvil = !matches!(why, FLOOR | OTHER_CHAIN);
            refusals.push(Refusal { why, raw, by_anvil });
        };
        add("nonce too low", self.sign_at(&step, 21_000, nonce - 1).await?);
        add("gas below the intrinsic cost", self.sign_at(&step, 20_999, nonce).await?);
        add("gas above the cap of EIP-7825", self.sign_at(&step, (1 << 24) + 1, nonce).await?);
        add("gas above the block's limit", self.sign_at(&step, 60_000_001, nonce).await?);
        let heavy = Step { input: vec![1; 1000].into(), ..step.clone() };
        add(FLOOR, self.sign_at(&heavy, 60_000, nonce).await?);
        let rich = Step { value: balance, ..step.clone() };
        add("insufficient funds", self.sign_at(&rich, 21_000, nonce).await?);
        let long = Step { to: TxKind::Create, input: vec![0; 49_153].into(), ..step.clone() };
        add("init code too long", self.sign_at(&long, PLENTY, nonce).await?);
        let mut tx = self.request(&step).with_nonce(nonce).with_gas_limit(21_000);
        tx.chain_id = Some(1);
        tx.set_gas_price(10_000_000_000);
        let tx: TxEnvelope = tx.build(&self.wallet).await?;
        add(OTHER_CHAIN, (tx.encoded_2718().into(), B256::ZERO));
        Ok(refusals)
    }
}
