//! A set on an in-process chain, served over HTTP.

use std::{net::SocketAddr, ops::ControlFlow};

use alloy_primitives::{Address, B256, Bytes, U256, hex};
use alloy_provider::{Provider as _, ProviderBuilder};
use canon_chain::{
    BlockId, Client, ContractCall, NoWait, Sender, calls,
    deploy::{
        ContractPlan, Create2Origin, DeployRecord, SetParameters, Upgrade, deploy, plan_rollup,
        plan_upgrade_payload,
    },
};
use canon_devchain::{Devchain, DevchainConfig, ServerHandle, UnsignedCall, serve};
use canon_payload::{Assembler, op};
use canon_protocol::{
    Action, Amount, Constructor, Create2, ProposalId, Round, Seconds, Support, Timestamp,
    WithdrawalId,
};
use canon_views::{IntendedAction, Intent, Question, SetAddresses, SetId};
use serde_json::{Value, json};
use snapbox::cmd::Command;

use crate::support::canon;

/// The first second of slot 0: 1 January 2026, 00:00 UTC.
const GENESIS: u64 = 1_767_225_600;

/// The duration of a slot in seconds.
const SLOT: u64 = 24;

/// A chain with a set. It has the parameters for tests with epochs of two slots, 8 seats with the same
/// proposer, and 10,000 locked tokens.
pub(crate) struct Chain {
    pub(crate) chain: Devchain,
    pub(crate) set: SetAddresses,
    /// A payload that can be pushed.
    pub(crate) payload: Address,
    /// The contract whose assertions payloads call.
    pub(crate) expect: Address,
    sender: Sender,
    server: ServerHandle,
}

impl Chain {
    pub(crate) async fn new() -> Self {
        let config = DevchainConfig { genesis_timestamp: GENESIS, ..Default::default() };
        let chain = Devchain::new(config);
        let client = ProviderBuilder::default().connect_client(chain.client());
        let client = Client::connect(client).await.unwrap();
        let mut sender = Sender::new(client.clone(), chain.dev_accounts().remove(0));
        let mut parameters = SetParameters::tests();
        parameters.rollup.genesis = Some(Timestamp::of(GENESIS));
        parameters.rollup.epoch_slots = 2;
        let checked = parameters.clone().check().unwrap();
        let mut record = DeployRecord::new(client.chain_id(), sender.address(), parameters);
        let go_on = |_: &DeployRecord, _| ControlFlow::Continue(());
        let set = deploy(&mut sender, &checked, &mut record, &mut NoWait, go_on).await.unwrap();
        let server = serve(chain.clone(), SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let (expect, set) = (set.expect, set.deployment);
        let origin = Create2Origin::default();
        let upgrade = Upgrade {
            expect,
            // Any contract will do as the rollup, since nobody executes the payload.
            new_rollup: ContractPlan::expect(origin).create2(),
            expected_canonical: set.rollup,
            uri: String::new(),
        };
        let payload = plan_upgrade_payload(origin, set.registry, &upgrade);
        sender.send(payload.call(), &mut NoWait).await.unwrap();
        let payload = payload.address();
        let mut chain = Self { chain, set, payload, expect, sender, server };
        let everything = tokens(1_000_000);
        chain.send(calls::approve(set.asset, set.rollup, everything)).await;
        chain.send(calls::approve(set.asset, set.governance, everything)).await;
        let holder = chain.sender.address();
        chain.send(calls::lock(set.governance, holder, tokens(10_000))).await;
        for number in 1..=8 {
            chain.stake(number).await;
        }
        chain
    }

    /// Updates the sender after a command sent transactions from the same account.
    pub(crate) fn renew_sender(&mut self) {
        let signer = self.chain.dev_accounts().remove(0);
        self.sender = Sender::new(self.sender.client().clone(), signer);
    }

    /// Sends a transaction of account 0.
    pub(crate) async fn send(&mut self, call: ContractCall) {
        self.sender.send(call, &mut NoWait).await.unwrap();
    }

    /// Stakes for a seat. All seats have the same proposer, which therefore can signal in every slot.
    pub(crate) async fn stake(&mut self, number: u8) {
        let (attester, owner) = (Address::repeat_byte(number), self.sender.address());
        let stake = calls::stake(self.set.rollup, attester, owner, owner, tokens(100));
        self.send(stake).await;
    }

    /// The slot of the newest block.
    pub(crate) fn slot(&self) -> u64 {
        (self.chain.timestamp() - GENESIS) / SLOT
    }

    /// Moves the next block to the first second of a slot.
    pub(crate) fn go_to(&self, slot: u64) {
        self.chain.set_next_timestamp(GENESIS + slot * SLOT).unwrap();
    }

    /// Mines a block without transactions in the first second of a slot.
    pub(crate) fn pass(&self, slot: u64) {
        self.go_to(slot);
        self.chain.mine().unwrap();
    }

    /// Records the seed of a slot's epoch in the second slot of the epoch before, unless that slot is
    /// over.
    pub(crate) async fn record_seed_of(&mut self, slot: u64) {
        let second = (slot / 2 * 2).saturating_sub(1);
        let (now, start) = (self.chain.timestamp(), GENESIS + second * SLOT);
        if now < start {
            self.go_to(second);
        }
        if now < start + SLOT - 1 {
            self.send(calls::setup_epoch(self.set.rollup)).await;
        }
    }

    /// Signals in the first second of a slot.
    pub(crate) async fn signal(&mut self, slot: u64, payload: Address) {
        self.record_seed_of(slot).await;
        self.go_to(slot);
        self.send(calls::signal(self.set.proposals, payload)).await;
    }

    /// Casts the holder's power on a proposal.
    pub(crate) async fn vote(&mut self, id: u64, amount: Amount, support: Support) {
        let governance = self.set.governance;
        self.send(calls::vote(governance, ProposalId::of(id), amount, support)).await;
    }

    /// Locks tokens as the holder's power.
    pub(crate) async fn lock(&mut self, amount: Amount) {
        self.lock_for(self.sender.address(), amount).await;
    }

    /// Locks tokens of the holder as power of an account.
    pub(crate) async fn lock_for(&mut self, holder: Address, amount: Amount) {
        self.send(calls::lock(self.set.governance, holder, amount)).await;
    }

    /// The lock amount: the power that a proposal through the lock costs.
    pub(crate) async fn lock_amount(&self) -> Amount {
        let (registry, question) = (self.set.registry, Question::default());
        let view =
            self.sender.client().view(registry, &question, BlockId::latest(), Seconds::SECOND);
        let present = view.await.unwrap();
        present.governance.configuration.propose_config.lock_amount
    }

    /// Deploys a second rollup for this set, and the payload that makes it canonical.
    pub(crate) async fn next_rollup(&mut self) -> (Address, Address) {
        let new_rollup = self.further_rollup(2, self.set.governance).await;
        let (expect, expected_canonical) = (self.expect, self.set.rollup);
        let upgrade = Upgrade { expect, new_rollup, expected_canonical, uri: String::new() };
        let payload = plan_upgrade_payload(Create2Origin::default(), self.set.registry, &upgrade);
        self.send(payload.call()).await;
        (new_rollup.address(), payload.address())
    }

    /// Deploys a rollup with an exit delay of some hours, of which the first rollup has one, that is owned by `owner`.
    pub(crate) async fn further_rollup(&mut self, hours: u64, owner: Address) -> Create2 {
        let mut parameters = SetParameters::tests().rollup;
        parameters.epoch_slots = 2;
        // With the parameters of another rollup, it would have the same address.
        parameters.exit_delay = Seconds::of(hours * 3600);
        let set = SetAddresses { governance: owner, ..self.set };
        let (origin, genesis) = (Create2Origin::default(), Timestamp::of(GENESIS));
        let distributor = set.reward_distributor.unwrap();
        let rollup = plan_rollup(origin, &set, distributor, &parameters, genesis);
        self.send(rollup.call()).await;
        rollup.create2()
    }

    /// Creates a RewardDistributor for this set that is owned by `owner`, and pays 7 tokens a block.
    pub(crate) async fn distributor(&mut self, owner: Address) -> Address {
        let SetAddresses { asset, registry, .. } = self.set;
        let block_reward = tokens(7).to_word();
        let constructor = Constructor::Distributor { asset, registry, block_reward, owner };
        let origin = Create2Origin { salt: B256::with_last_byte(7), ..Create2Origin::default() };
        let plan = ContractPlan::new(origin, constructor);
        self.send(plan.call()).await;
        plan.address()
    }

    /// Makes a rollup canonical, as a proposal would.
    pub(crate) fn upgrade(&self, rollup: Address) {
        let input = [&hex!("0900f010")[..], &rollup.into_word()[..]].concat().into();
        let (from, to) = (self.set.governance, Some(self.set.registry));
        let (_, executed) = self.chain.mine_unsigned(&[UnsignedCall { from, to, input }]).unwrap();
        assert!(executed[0].end.is_success(), "{:?}", executed[0]);
    }

    /// Gives up power of the holder. The tokens are due to the account `to`.
    pub(crate) async fn withdraw(&mut self, to: Address, amount: Amount) {
        self.send(calls::withdraw(self.set.governance, to, amount)).await;
    }

    /// Pays a withdrawal.
    pub(crate) async fn pay(&mut self, id: u64) {
        let chain_id = self.sender.client().chain_id();
        let set = SetId { chain_id, governance: self.set.governance };
        let action = IntendedAction::PayWithdrawal { id: WithdrawalId::of(id) };
        let intent = Intent { set, action, until: None };
        self.send(ContractCall::of_intent(&intent).unwrap()).await;
    }

    /// Pushes a round.
    pub(crate) async fn push(&mut self, round: u64) {
        let (proposals, governance) = (self.set.proposals, self.set.governance);
        self.send(calls::push(proposals, governance, Round::of(round))).await;
    }

    /// The code of a contract.
    pub(crate) async fn code(&self, contract: Address) -> Bytes {
        self.sender.client().provider().get_code_at(contract).await.unwrap()
    }

    /// Replaces the code of a contract.
    pub(crate) fn replace(&self, contract: Address, code: Bytes) {
        self.chain.set_code(contract, code).unwrap();
    }

    /// Deploys a payload with these actions.
    pub(crate) fn payload_of(&self, actions: Vec<Action>) -> Address {
        let actions: Vec<_> = actions.into_iter().map(Into::into).collect();
        let from = Address::repeat_byte(0xde);
        let input = canon_payload::constant_payload(&actions, "");
        let (_, executed) =
            self.chain.mine_unsigned(&[UnsignedCall { from, to: None, input }]).unwrap();
        executed[0].contract.unwrap()
    }

    /// Lets a payload win a round with six signals, in its first slots.
    pub(crate) async fn win(&mut self, payload: Address, round: u64) {
        for slot in round * 10..round * 10 + 6 {
            self.signal(slot, payload).await;
        }
    }

    /// Lets a payload win a round, and pushes it in the first slot after the round.
    pub(crate) async fn propose(&mut self, payload: Address, round: u64) {
        self.win(payload, round).await;
        self.pass(round * 10 + 10);
        self.push(round).await;
    }

    /// Transfers tokens to one of the chain's accounts.
    pub(crate) async fn give(&mut self, account: usize, amount: Amount) {
        let to = self.account(account);
        self.send(calls::transfer(self.set.asset, to, amount)).await;
    }

    /// Transfers the ownership of a contract to a stranger.
    pub(crate) fn give_away(&self, contract: Address, owner: Address) {
        let stranger = Address::repeat_byte(0x99);
        let offer = [&hex!("f2fde38b")[..], &stranger.into_word()[..]].concat();
        for (from, input) in [(owner, offer), (stranger, hex!("79ba5097").to_vec())] {
            let call = UnsignedCall { from, to: Some(contract), input: input.into() };
            let (_, executed) = self.chain.mine_unsigned(&[call]).unwrap();
            assert!(executed[0].end.is_success(), "{:?}", executed[0]);
        }
    }

    /// Executes a transaction that a command printed as it is, with its gas limit, from an account without a key.
    pub(crate) fn execute_as(&self, from: Address, printed: &Value) {
        execute_as(&self.chain, from, printed);
    }

    /// Executes a batch that a command printed for a Safe, by one call of a contract at the Safe's address that makes
    /// all calls of the batch or fails.
    pub(crate) fn execute_batch(&self, safe: Address, batch: &Value) {
        let text = |call: &Value, name: &str| call[name].as_str().unwrap().to_owned();
        let mut code = Assembler::new();
        for call in batch["transactions"].as_array().unwrap() {
            let data: Bytes = text(call, "data").parse().unwrap();
            let to: Address = text(call, "to").parse().unwrap();
            code.in_memory(&data).ops(&[op::PUSH0, op::PUSH0]).push(U256::from(data.len()));
            code.ops(&[op::PUSH0]).push(text(call, "value").parse().unwrap());
            code.push(U256::from_be_slice(to.as_slice())).ops(&[op::GAS, op::CALL, op::ISZERO]);
            code.jump_if("failed");
        }
        code.ops(&[op::STOP]).label("failed").fail(&[]);
        let before = tokio::runtime::Handle::current().block_on(self.code(safe));
        self.replace(safe, code.runtime());
        let from = Address::repeat_byte(0xde);
        let call = UnsignedCall { from, to: Some(safe), input: Bytes::new() };
        let (_, executed) = self.chain.mine_unsigned(&[call]).unwrap();
        assert!(executed[0].end.is_success(), "{batch}: {:?}", executed[0]);
        self.replace(safe, before);
    }

    /// The private key of one of the chain's accounts. Account 0 sends all transactions that prepare a
    /// test.
    pub(crate) fn key(&self, account: usize) -> String {
        self.chain.dev_accounts()[account].to_bytes().to_string()
    }

    /// The address of one of the chain's accounts.
    pub(crate) fn account(&self, account: usize) -> Address {
        self.chain.dev_accounts()[account].address()
    }

    /// The address of the server.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.server.addr()
    }

    /// The URL of the server.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Returns `canon forecast` about this set, with further arguments.
    pub(crate) fn forecast(&self, arguments: &str) -> Command {
        self.forecast_from(&self.url(), arguments)
    }

    /// Returns the same command with another endpoint.
    pub(crate) fn forecast_from(&self, endpoint: &str, arguments: &str) -> Command {
        let registry = self.set.registry.to_string();
        canon()
            .args(["forecast", "--rpc-url", endpoint, "--registry", &registry])
            .args(arguments.split_whitespace())
    }
}

/// Executes a transaction that a command printed as it is, with its gas limit, from an account without a key.
pub(crate) fn execute_as(chain: &Devchain, from: Address, printed: &Value) {
    let ether = U256::from(10).pow(U256::from(18));
    chain.set_balance(from, chain.balance(from).max(ether));
    chain.impersonate(from);
    let number = |name: &str| match &printed[name] {
        Value::String(text) => json!(format!("{:#x}", text.parse::<U256>().unwrap())),
        Value::Number(number) => json!(format!("{:#x}", number.as_u64().unwrap())),
        other => other.clone(),
    };
    let transaction = json!({
        "from": from, "to": printed["to"], "data": printed["data"], "value": number("value"),
        "gas": number("gas"), "chainId": number("chainId"),
    });
    let client = chain.client();
    let receipt: Value = tokio::runtime::Handle::current().block_on(async {
        let hash: B256 = client.request("eth_sendTransaction", (transaction,)).await.unwrap();
        client.request("eth_getTransactionReceipt", (hash,)).await.unwrap()
    });
    chain.stop_impersonating(from);
    assert_eq!(receipt["status"], "0x1", "{printed}: {receipt}");
}

pub(crate) const fn tokens(count: u128) -> Amount {
    Amount::of(count * Amount::TOKEN.get())
}
