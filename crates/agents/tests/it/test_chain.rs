//! A set on a chain that mines on request.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_provider::{Provider, ProviderBuilder};
use alloy_rpc_client::RpcClient;
use alloy_rpc_types_eth::TransactionRequest;
use alloy_signer_local::PrivateKeySigner;
use alloy_sol_types::SolCall;
use canon_abi::Rollup;
use canon_chain::{
    BlockId, Client, Confirmed, ContractCall, NoWait, Sender, VettedPayload, calls,
    deploy::{
        Create2Origin, DeployRecord, DeployedSet, SetParameters, Upgrade, deploy, plan_rollup,
        plan_upgrade_payload,
    },
};
use canon_devchain::{Devchain, DevchainConfig, Mining};
use canon_follow::SetIdentity;
use canon_protocol::{Amount, ProposalId, Seconds, Timestamp};
use canon_views::{HolderView, Present, Question, SetAddresses, SignalPlan};
use core::ops::ControlFlow;
use tokio::sync::OnceCell;

/// The time between two L1 blocks. A slot has two.
pub(crate) const BLOCK: Seconds = Seconds::of(12);

/// The stake of each staker.
pub(crate) const STAKE: Amount = tokens(100);

/// The randomness of all blocks, so that it doesn't matter in which one a seed is recorded.
const RANDOMNESS: B256 = B256::repeat_byte(0x5e);

/// The hash of the blocks that sequencers propose.
pub(crate) const BLOCK_HASH: B256 = B256::repeat_byte(0xb7);

pub(crate) const fn tokens(count: u128) -> Amount {
    Amount::of(count * Amount::TOKEN.get())
}

/// The key of this name and number.
pub(crate) fn key(name: &str, number: u64) -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&keccak256(format!("{name} {number}"))).unwrap()
}

pub(crate) fn attester(number: u64) -> Address {
    Address::left_padding_from(&(0xa77e_0000 + number).to_be_bytes())
}

pub(crate) struct TestChain {
    pub(crate) devchain: Devchain,
    /// A client whose endpoint doesn't fail.
    pub(crate) client: Client,
    pub(crate) set: DeployedSet,
    pub(crate) identity: SetIdentity,
    pub(crate) deployer: Sender,
}

/// A copy of a chain at some block, from which several tests can start.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    chain: Vec<u8>,
    set: DeployedSet,
    identity: SetIdentity,
}

impl TestChain {
    /// The set of the tests' parameters, with epochs of two slots and rounds won by 6 of 10.
    pub(crate) async fn new() -> Self {
        static IMAGE: OnceCell<Image> = OnceCell::const_new();
        Self::at(IMAGE.get_or_init(|| deployed(parameters())).await).await
    }

    /// The set with rounds won by 2 of 3, so that a proposal takes less time.
    pub(crate) async fn with_short_rounds() -> Self {
        static IMAGE: OnceCell<Image> = OnceCell::const_new();
        let mut parameters = parameters();
        (parameters.signaling.n, parameters.signaling.m) = (2, 3);
        Self::at(IMAGE.get_or_init(|| deployed(parameters)).await).await
    }

    /// The chain of an image.
    pub(crate) async fn at(image: &Image) -> Self {
        let Image { chain, set, identity } = image;
        let devchain = Devchain::from_bytes(chain).unwrap();
        let client = connect(devchain.client()).await;
        let deployer = Sender::new(client.clone(), devchain.dev_accounts().remove(0));
        Self { devchain, client, set: *set, identity: identity.clone(), deployer }
    }

    /// An image of the present chain.
    pub(crate) fn image(&self) -> Image {
        let (set, identity) = (self.set, self.identity.clone());
        Image { chain: self.devchain.to_bytes(), set, identity }
    }

    pub(crate) const fn addresses(&self) -> SetAddresses {
        self.set.deployment
    }

    /// Sends a call of the deployer and mines it. The deployer does the work that no agent does.
    pub(crate) async fn send(&mut self, call: ContractCall) -> Confirmed {
        let mut deployer = self.deployer.clone();
        let confirmed = self.send_by(&mut deployer, call).await;
        self.deployer = deployer;
        confirmed
    }

    /// Sends a call of another account and mines it.
    pub(crate) async fn send_by(&self, sender: &mut Sender, call: ContractCall) -> Confirmed {
        self.devchain.set_mining(Mining::Auto);
        let confirmed = sender.send(call, &mut NoWait).await.unwrap();
        self.devchain.set_mining(Mining::Manual);
        confirmed
    }

    /// A sender with ether.
    pub(crate) fn sender(&self, key: PrivateKeySigner) -> Sender {
        self.fund(key.address());
        Sender::new(self.client.clone(), key)
    }

    pub(crate) fn fund(&self, account: Address) {
        self.devchain.set_balance(account, U256::from(10).pow(U256::from(21)));
    }

    /// Registers stakers on a rollup, each with a proposer and a withdrawer of its own.
    pub(crate) async fn stake(&mut self, rollup: Address, count: u64) {
        for number in 0..count {
            self.stake_with_proposer(rollup, number, number).await;
        }
    }

    /// Registers a staker on a rollup. Its proposer is that of a staker with another number.
    pub(crate) async fn stake_with_proposer(&mut self, rollup: Address, number: u64, other: u64) {
        let proposer = key("proposer", other).address();
        let withdrawer = key("withdrawer", number).address();
        self.fund(proposer);
        self.fund(withdrawer);
        self.send(calls::approve(self.addresses().asset, rollup, STAKE)).await;
        self.send(calls::stake(rollup, attester(number), proposer, withdrawer, STAKE)).await;
    }

    /// Gives tokens to an account.
    pub(crate) async fn endow(&mut self, account: Address, amount: Amount) {
        self.fund(account);
        self.send(calls::transfer(self.addresses().asset, account, amount)).await;
    }

    /// Locks tokens of the deployer as power of `holder`.
    pub(crate) async fn lock_for(&mut self, holder: Address, amount: Amount) {
        let SetAddresses { asset, governance, .. } = self.addresses();
        self.send(calls::approve(asset, governance, amount)).await;
        self.send(calls::lock(governance, holder, amount)).await;
    }

    /// Deploys a further rollup, and the payload that makes it canonical.
    pub(crate) async fn upgrade(&mut self, document: &str) -> (Address, SignalPlan) {
        self.devchain.set_mining(Mining::Auto);
        let set = self.set.deployment;
        let (origin, distributor) = (Create2Origin::default(), self.set.reward_distributor);
        let (settings, now) = (parameters().rollup, self.now());
        let genesis = settings.genesis.unwrap_or(now);
        let rollup = plan_rollup(origin, &set, distributor, &settings, genesis);
        self.deployer.send(rollup.call(), &mut NoWait).await.unwrap();
        let upgrade = Upgrade {
            expect: self.set.expect,
            new_rollup: rollup.create2(),
            expected_canonical: set.rollup,
            uri: document.into(),
        };
        let payload = plan_upgrade_payload(origin, set.registry, &upgrade);
        self.deployer.send(payload.call(), &mut NoWait).await.unwrap();
        let payload = payload.address();
        self.devchain.set_mining(Mining::Manual);
        (rollup.address(), signal_plan(&self.client, set.governance, payload).await)
    }

    /// Proposes through the lock. The deployer keeps 9,000 tokens of power.
    pub(crate) async fn propose(&mut self, payload: Address) {
        let holder = self.deployer.address();
        self.lock_for(holder, tokens(10_000)).await;
        let governance = self.addresses().governance;
        self.send(calls::propose_with_lock(governance, payload, holder)).await;
    }

    /// Makes a call as Governance, without a proposal.
    pub(crate) async fn as_governance(&self, to: Address, call: impl SolCall) {
        let governance = self.addresses().governance;
        self.devchain.impersonate(governance);
        self.fund(governance);
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

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::of(self.devchain.timestamp())
    }

    /// The time of the next block.
    pub(crate) fn next(&self) -> Timestamp {
        self.now() + BLOCK
    }

    /// Mines the next block.
    pub(crate) fn mine(&self) {
        self.mine_at(self.next());
    }

    fn mine_at(&self, time: Timestamp) {
        self.devchain.set_prevrandao_next(RANDOMNESS);
        self.devchain.set_next_timestamp(time.get()).unwrap();
        self.devchain.mine().unwrap();
    }

    /// Lets time pass without blocks, so that the next block is at `time`.
    pub(crate) fn skip_until_next_is(&self, time: Timestamp) {
        let now = Timestamp::of(time.get() - BLOCK.get());
        if now > self.now() {
            self.mine_at(now);
        }
    }

    /// The set at the newest block, with the expectations for the next one.
    pub(crate) async fn look(&self) -> Present {
        self.ask(Question::default()).await
    }

    pub(crate) async fn ask(&self, question: Question) -> Present {
        let (registry, latest) = (self.addresses().registry, BlockId::latest());
        self.client.view(registry, &question, latest, BLOCK).await.unwrap()
    }

    /// A holder, with its ballots on proposals `voted`.
    pub(crate) async fn holder<const N: usize>(
        &self,
        holder: Address,
        voted: [ProposalId; N],
    ) -> HolderView {
        let mut question = Question::default();
        question.holders.insert(holder, voted.into());
        self.ask(question).await.holders.remove(&holder).unwrap()
    }
}

/// A client of the chain.
pub(crate) async fn connect(rpc: RpcClient) -> Client {
    Client::connect(ProviderBuilder::default().connect_client(rpc)).await.unwrap()
}

fn parameters() -> SetParameters {
    let mut parameters = SetParameters::tests();
    parameters.rollup.epoch_slots = 2;
    parameters
}

async fn deployed(parameters: SetParameters) -> Image {
    let block_time = BLOCK.get();
    let devchain = Devchain::new(DevchainConfig { block_time, ..DevchainConfig::default() });
    let client = connect(devchain.client()).await;
    let mut deployer = Sender::new(client.clone(), devchain.dev_accounts().remove(0));
    let parameters = parameters.check().unwrap();
    let raw = parameters.raw().clone();
    let mut record = DeployRecord::new(client.chain_id(), deployer.address(), raw);
    let go_on = |_: &DeployRecord, _| ControlFlow::Continue(());
    let set = deploy(&mut deployer, &parameters, &mut record, &mut NoWait, go_on).await.unwrap();
    devchain.set_mining(Mining::Manual);
    let first_block = record.first_block().unwrap();
    let (chain_id, origin) = (client.chain_id(), Create2Origin::default());
    let identity = SetIdentity::of(chain_id, &set.deployment, origin, first_block).unwrap();
    Image { chain: devchain.to_bytes(), set, identity }
}

/// A plan that signals for a payload at once, as long as its code and its list stay the same.
pub(crate) async fn signal_plan(
    client: &Client,
    governance: Address,
    payload: Address,
) -> SignalPlan {
    let latest = BlockId::latest();
    let vetted = VettedPayload::vet_at(client, latest, governance, payload, None).await.unwrap();
    SignalPlan::new(payload, vetted.code_hash(), vetted.actions_hash())
}

/// Announces the move of an attester to another rollup.
pub(crate) fn announce_move(rollup: Address, attester: Address, to: Address) -> ContractCall {
    ContractCall::new(rollup, &Rollup::initiateMoveCall { attester, newRollup: to })
}

/// Removes an attester from the set.
pub(crate) fn exit_stake(rollup: Address, attester: Address, recipient: Address) -> ContractCall {
    ContractCall::new(rollup, &Rollup::initiateWithdrawCall { attester, recipient })
}
