//! A set with sequencers and holders, on a chain that mines on request.

use alloy_json_rpc::{RequestPacket, ResponsePacket};
use alloy_primitives::{Address, Bytes, U256, keccak256};
use alloy_provider::Provider;
use alloy_rpc_client::RpcClient;
use alloy_rpc_types_eth::TransactionRequest;
use alloy_signer_local::PrivateKeySigner;
use alloy_sol_types::SolCall;
use alloy_transport::{TransportError, TransportFut};
use canon_agents::{
    Act, Holder, Keeper, Mover, Order, Outcome, Sequencer, SignalPlan, VettedPayload, View, Watcher,
};
use canon_chain::{
    Checks, Client, NoWait, Sender, calls,
    deploy::{
        Create2Origin, DeployRecord, DeployedSet, SetParameters, Upgrade, deploy, deploy_rollup,
        deploy_upgrade_payload,
    },
};
use canon_devchain::{Devchain, DevchainConfig, DevchainTransport, Mining};
use canon_protocol::{Amount, Seconds, Timestamp};
use canon_views::BlockView;
use core::{
    ops::ControlFlow,
    sync::atomic::{AtomicU64, Ordering},
    task::{Context, Poll},
};
use std::sync::Arc;

/// Seconds between two L1 blocks: a slot has two.
pub(crate) const BLOCK: u64 = 12;

/// What each staker stakes.
pub(crate) const STAKE: Amount = Amount::of(100 * Amount::TOKEN.get());

pub(crate) const fn tokens(count: u128) -> Amount {
    Amount::of(count * Amount::TOKEN.get())
}

/// Counts what is asked of the chain.
#[derive(Clone)]
struct Counting {
    inner: DevchainTransport,
    requests: Arc<AtomicU64>,
}

impl tower::Service<RequestPacket> for Counting {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        tower::Service::poll_ready(&mut self.inner, context)
    }

    fn call(&mut self, request: RequestPacket) -> TransportFut<'static> {
        self.requests.fetch_add(request.len() as u64, Ordering::Relaxed);
        tower::Service::call(&mut self.inner, request)
    }
}

pub(crate) struct TestChain {
    pub(crate) chain: Devchain,
    pub(crate) client: Client,
    pub(crate) set: DeployedSet,
    pub(crate) watcher: Watcher,
    pub(crate) deployer: Sender,
    requests: Arc<AtomicU64>,
}

impl TestChain {
    /// The set of the tests' parameters, with epochs of two slots.
    pub(crate) async fn new() -> Self {
        let chain = Devchain::new(DevchainConfig { block_time: BLOCK, ..Default::default() });
        let requests = Arc::new(AtomicU64::new(0));
        let transport = Counting { inner: chain.transport(), requests: requests.clone() };
        let provider = alloy_provider::ProviderBuilder::default()
            .connect_client(RpcClient::new(transport, true));
        let client = Client::connect(provider).await.unwrap();
        let mut deployer = Sender::new(client.clone(), chain.dev_accounts().remove(0));
        let parameters = parameters().check().unwrap();
        let raw = parameters.raw().clone();
        let mut record = DeployRecord::new(client.chain_id(), deployer.address(), raw);
        let set = deploy(&mut deployer, &parameters, &mut record, &mut NoWait, |_, _| {
            ControlFlow::Continue(())
        })
        .await
        .unwrap();
        let watcher = Watcher::new(client.clone(), set.deployment.registry);
        Self { chain, client, set, watcher, deployer, requests }
    }

    /// Requests since the last time.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.swap(0, Ordering::Relaxed)
    }

    /// Somebody with ether.
    pub(crate) fn sender(&self, name: &str, number: u64) -> Sender {
        let seed = keccak256(format!("{name} {number}"));
        let key = PrivateKeySigner::from_bytes(&seed).unwrap();
        self.chain.set_balance(key.address(), U256::from(10).pow(U256::from(21)));
        Sender::new(self.client.clone(), key).with_nonce(0)
    }

    pub(crate) async fn send(&mut self, call: canon_chain::ContractCall) -> canon_chain::Confirmed {
        self.deployer.send(call, &mut NoWait).await.unwrap()
    }

    /// Stakers on a rollup, each with a proposer and a withdrawer of its own.
    pub(crate) async fn stakers(&mut self, rollup: Address, count: u64) -> Vec<Sequencer> {
        let supply = tokens(1_000_000);
        self.send(calls::approve(self.set.deployment.asset, rollup, supply)).await;
        let mut stakers = Vec::new();
        for number in 0..count {
            let sender = self.sender("proposer", number);
            let (proposer, withdrawer) = (sender.address(), self.withdrawer(number).address());
            let stake = calls::stake(rollup, attester(number), proposer, withdrawer, STAKE);
            self.send(stake).await;
            stakers.push(Sequencer::new(sender, rollup));
        }
        stakers
    }

    /// Who decides about a staker's stake.
    pub(crate) fn withdrawer(&self, number: u64) -> Sender {
        self.sender("withdrawer", number)
    }

    /// Moves a staker.
    pub(crate) fn mover(&self, number: u64, from: Address, to: Address) -> Mover {
        Mover::new(self.withdrawer(number), attester(number), from, to)
    }

    /// Holders of so many tokens each, who want to lock them.
    pub(crate) async fn holders(&mut self, amounts: &[u128]) -> Vec<Holder> {
        let mut holders = Vec::new();
        for (number, amount) in (0..).zip(amounts) {
            let sender = self.sender("holder", number);
            let to = sender.address();
            self.send(calls::transfer(self.set.deployment.asset, to, tokens(*amount))).await;
            let mut holder = Holder::new(sender);
            holder.queue(Order::LockWithPermit(tokens(*amount)));
            holders.push(holder);
        }
        holders
    }

    pub(crate) fn keeper(&self) -> Keeper {
        Keeper::new(self.sender("keeper", 0))
    }

    /// A further rollup and the payload that makes it canonical.
    pub(crate) async fn upgrade(&mut self) -> (Address, SignalPlan) {
        let (set, distributor) = (self.set.deployment, self.set.reward_distributor);
        let parameters = parameters().rollup;
        let sender = &mut self.deployer;
        let (origin, wait) = (Create2Origin::default(), &mut NoWait);
        let rollup = deploy_rollup(sender, origin, &set, distributor, &parameters, wait).await;
        let rollup = rollup.unwrap();
        let upgrade = Upgrade {
            expect: self.set.expect,
            new_rollup: rollup.create2,
            expected_canonical: set.rollup,
            uri: "https://azip.example/1".into(),
        };
        let payload = deploy_upgrade_payload(sender, origin, &set, &upgrade, wait).await;
        let (rollup, payload) = (rollup.address(), payload.unwrap().address());
        self.watcher.watch_payload(payload);
        self.watcher.watch_rollup(rollup);
        let vetted = VettedPayload::vet(&self.client, payload, None).await.unwrap();
        (rollup, SignalPlan::new(vetted))
    }

    /// Governance does something, however it came to that.
    pub(crate) async fn as_governance(&self, to: Address, call: impl SolCall) {
        let governance = self.set.deployment.governance;
        self.chain.impersonate(governance);
        self.chain.set_balance(governance, U256::from(10).pow(U256::from(18)));
        let request = TransactionRequest {
            from: Some(governance),
            to: Some(to.into()),
            input: Bytes::from(call.abi_encode()).into(),
            gas: Some(300_000),
            ..TransactionRequest::default()
        };
        let sent = self.client.provider().send_transaction(request).await.unwrap();
        let hash = *sent.tx_hash();
        self.mine();
        let receipt = self.client.provider().get_transaction_receipt(hash).await;
        assert!(receipt.unwrap().unwrap().status());
    }

    /// From now on blocks are mined only on request.
    pub(crate) fn begin(&self) {
        self.chain.set_mining(Mining::Manual);
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::of(self.chain.timestamp())
    }

    pub(crate) async fn look(&mut self) -> View {
        let next = self.now() + Seconds::of(BLOCK);
        self.watcher.look(next).await.unwrap()
    }

    /// Mines the block that the last view expected.
    pub(crate) fn mine(&self) {
        self.chain.set_next_timestamp(self.chain.timestamp() + BLOCK).unwrap();
        self.chain.mine().unwrap();
    }

    /// Lets time pass without blocks.
    pub(crate) fn skip_to(&self, time: Timestamp) {
        if time.get() > self.chain.timestamp() {
            self.chain.set_next_timestamp(time.get()).unwrap();
            self.chain.mine().unwrap();
        }
    }

    pub(crate) async fn head(&self) -> BlockView {
        self.client.head().await.unwrap()
    }
}

pub(crate) fn attester(number: u64) -> Address {
    Address::left_padding_from(&(0xa77e_0000 + number).to_be_bytes())
}

fn parameters() -> SetParameters {
    let mut parameters = SetParameters::tests();
    parameters.rollup.epoch_slots = 2;
    parameters
}

/// Everybody.
#[derive(Default)]
pub(crate) struct Participants {
    pub(crate) sequencers: Vec<Sequencer>,
    pub(crate) holders: Vec<Holder>,
    pub(crate) keepers: Vec<Keeper>,
    pub(crate) movers: Vec<Mover>,
    pub(crate) outcomes: Vec<Outcome>,
}

impl Participants {
    /// One block: everybody acts, then it is mined.
    pub(crate) async fn play(&mut self, chain: &mut TestChain) {
        let view = chain.look().await;
        for sequencer in &mut self.sequencers {
            self.outcomes.extend(sequencer.tick(&view).await.unwrap());
        }
        for holder in &mut self.holders {
            self.outcomes.extend(holder.tick(&view).await.unwrap());
        }
        for keeper in &mut self.keepers {
            self.outcomes.extend(keeper.tick(&view).await.unwrap());
        }
        for mover in &mut self.movers {
            self.outcomes.extend(mover.tick(&view).await.unwrap());
        }
        chain.mine();
    }

    /// Plays until `end`, or for as many blocks.
    pub(crate) async fn play_until(
        &mut self,
        chain: &mut TestChain,
        blocks: u32,
        mut end: impl FnMut(&Outcome) -> bool,
    ) {
        for _ in 0..blocks {
            let before = self.outcomes.len();
            self.play(chain).await;
            if self.outcomes[before..].iter().any(&mut end) {
                return;
            }
        }
        panic!("not within {blocks} blocks:\n{}", self.story());
    }

    pub(crate) async fn play_for(&mut self, chain: &mut TestChain, blocks: u32) {
        for _ in 0..blocks {
            self.play(chain).await;
        }
    }

    /// What was done and confirmed.
    pub(crate) fn done(&self) -> impl Iterator<Item = Act> {
        self.outcomes.iter().filter_map(|outcome| match outcome {
            Outcome::Done { act, .. } => Some(*act),
            _ => None,
        })
    }

    pub(crate) fn failures(&self) -> Vec<String> {
        let failed = |outcome: &&Outcome| matches!(outcome, Outcome::Failed { .. });
        self.outcomes.iter().filter(failed).map(ToString::to_string).collect()
    }

    pub(crate) fn story(&self) -> String {
        self.outcomes.iter().map(|outcome| format!("{outcome}\n")).collect()
    }
}

pub(crate) fn is_done(test: impl Fn(Act) -> bool) -> impl FnMut(&Outcome) -> bool {
    move |outcome| matches!(outcome, Outcome::Done { act, .. } if test(*act))
}

/// Checks that cost nothing.
pub(crate) const BLIND: Checks = Checks::AtReceipt { gas_limit: 400_000 };
