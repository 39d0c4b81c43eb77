//! A set to look at: deployed as the deployer does it, on a chain that does nothing by itself.

use alloy_primitives::{Address, U256, keccak256};
use canon_protocol::{
    Action, Addresses, Amount, AssetCall, BlockNumber, Call, Configuration, Constructor, Context,
    Fraction, GovernanceCall, IssuerCall, L1Block, Log, OwnershipCall, ProposalId, ProposalsCall,
    ProposeConfiguration, RawRollupParameters, Refusal, RegistryCall, RollupCall, Round, Seconds,
    SetState, Slot, Support, Timestamp,
};
use canon_testkit::histories::{Behavior, Foreign, Put};
use canon_views::{BlockView, Question, SetView};
use std::{collections::BTreeSet, sync::Arc};

pub(crate) const T: u128 = Amount::TOKEN.get();
pub(crate) const START: u64 = 1_000_000;
/// Seconds.
pub(crate) const SLOT: u64 = 24;
/// Slots.
pub(crate) const EPOCH: u64 = 4;
pub(crate) const EPOCH_SECONDS: u64 = SLOT * EPOCH;
pub(crate) const EXIT_DELAY: u64 = 3 * EPOCH_SECONDS;
pub(crate) const N: u32 = 3;
pub(crate) const M: u32 = 5;
pub(crate) const STAKE: u128 = 100 * T;

pub(crate) const ASSET: Address = Address::with_last_byte(0xa1);
pub(crate) const REGISTRY: Address = Address::with_last_byte(0xa2);
pub(crate) const GOVERNANCE: Address = Address::with_last_byte(0xa3);
pub(crate) const ISSUER: Address = Address::with_last_byte(0xa4);
pub(crate) const DISTRIBUTOR: Address = Address::with_last_byte(0xa5);
pub(crate) const PROPOSALS: Address = Address::with_last_byte(0xb1);
pub(crate) const ROLLUP: Address = Address::with_last_byte(0xb2);
pub(crate) const NEW_ROLLUP: Address = Address::with_last_byte(0xb3);
pub(crate) const NEW_PROPOSALS: Address = Address::with_last_byte(0xb4);
pub(crate) const PAYLOAD: Address = Address::with_last_byte(0xc1);

/// The account of this name.
pub(crate) fn named(name: &str) -> Address {
    Address::from_word(keccak256(name))
}

pub(crate) fn tokens(count: u128) -> U256 {
    U256::from(count * T)
}

pub(crate) const CONFIGURATION: Configuration = Configuration {
    propose_config: ProposeConfiguration {
        lock_delay: Seconds::of(5000),
        lock_amount: Amount::of(500 * T),
    },
    voting_delay: Seconds::of(100),
    voting_duration: Seconds::of(200),
    execution_delay: Seconds::of(300),
    grace_period: Seconds::of(400),
    quorum: Fraction::percent(10),
    vote_differential: Fraction::percent(4),
    minimum_votes: Amount::of(1000 * T),
};

#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) state: SetState,
    pub(crate) block: L1Block,
    pub(crate) foreign: Foreign,
    /// Whether somebody calls `setupEpoch` in time for whatever epoch comes.
    pub(crate) is_kept: bool,
}

impl Chain {
    /// The whole set, owned by Governance, with the supply at `treasury` and nobody staked.
    pub(crate) fn deployed() -> Self {
        let addresses = Addresses {
            chain_id: 31337,
            asset: ASSET,
            registry: REGISTRY,
            governance: GOVERNANCE,
            issuer: ISSUER,
            distributor: DISTRIBUTOR,
            expect: Address::with_last_byte(0xa6),
        };
        let block = L1Block { number: BlockNumber::of(1), timestamp: Timestamp::of(START) };
        let (state, foreign) = (SetState::new(addresses), Foreign::default());
        let mut chain = Self { state, block, foreign, is_kept: false };
        let owner = named("deployer");
        chain.deploy(
            ASSET,
            Constructor::Asset {
                name: "Canon".to_owned(),
                symbol: "CAN".to_owned(),
                owner,
                initial_holder: named("treasury"),
                initial_supply: tokens(1_000_000),
            },
        );
        chain.deploy(REGISTRY, Constructor::Registry { owner });
        chain.deploy_proposals(PROPOSALS);
        let configuration = CONFIGURATION.into();
        let (asset, proposals) = (ASSET, PROPOSALS);
        chain.deploy(GOVERNANCE, Constructor::Governance { asset, proposals, configuration });
        let owner = GOVERNANCE;
        chain.deploy(ISSUER, Constructor::Issuer { asset, rate: U256::from(T), owner });
        let (registry, block_reward) = (REGISTRY, tokens(5));
        let distributor = Constructor::Distributor { asset, registry, block_reward, owner };
        chain.deploy(DISTRIBUTOR, distributor);
        chain.deploy_rollup(ROLLUP);
        chain.ok("deployer", REGISTRY, RegistryCall::Upgrade { rollup: ROLLUP });
        for (contract, new_owner) in [(ASSET, ISSUER), (REGISTRY, GOVERNANCE)] {
            chain.ok("deployer", contract, OwnershipCall::TransferOwnership { new_owner });
        }
        chain.ok("anyone", ISSUER, IssuerCall::AcceptAsset);
        chain.ok("anyone", GOVERNANCE, GovernanceCall::AcceptOwnership { target: REGISTRY });
        chain
    }

    /// The set with this many stakers and a keeper, at the beginning of the first epoch that has
    /// proposers.
    pub(crate) fn staked(stakers: usize) -> Self {
        let mut chain = Self::deployed();
        chain.is_kept = true;
        for number in 0..stakers {
            chain.stake(ROLLUP, number);
        }
        chain.wait(2 * EPOCH_SECONDS);
        chain
    }

    /// `staked` with this many tokens of power of `alice` and of `bob`.
    pub(crate) fn voting(alice: u128, bob: u128) -> Self {
        let mut chain = Self::staked(3);
        for (holder, power) in [("alice", alice), ("bob", bob)] {
            if power > 0 {
                chain.lock(holder, power);
            }
        }
        chain
    }

    pub(crate) fn deploy(&mut self, contract: Address, constructor: Constructor) {
        let logs = self.with_context(self.block, named("deployer"), |context| {
            self.state.deploy(contract, &constructor, context)
        });
        self.apply(&logs.unwrap());
    }

    pub(crate) fn deploy_proposals(&mut self, contract: Address) {
        let (n, m) = (U256::from(N), U256::from(M));
        self.deploy(contract, Constructor::Proposals { registry: REGISTRY, n, m });
    }

    pub(crate) fn deploy_rollup(&mut self, contract: Address) {
        let parameters = RawRollupParameters {
            asset: ASSET,
            registry: REGISTRY,
            reward_distributor: DISTRIBUTOR,
            owner: GOVERNANCE,
            genesis_time: self.now().to_word(),
            slot_duration: U256::from(SLOT),
            epoch_duration: U256::from(EPOCH),
            minimum_stake: U256::from(STAKE),
            exit_delay: U256::from(EXIT_DELAY),
        };
        self.deploy(contract, Constructor::Rollup(parameters));
    }

    pub(crate) const fn now(&self) -> Timestamp {
        self.block.timestamp
    }

    /// A block this much later.
    pub(crate) fn wait(&mut self, seconds: u64) {
        self.jump(self.now() + Seconds::of(seconds));
    }

    /// A block at `time`.
    pub(crate) fn jump(&mut self, time: Timestamp) {
        if self.is_kept {
            self.keep(time);
        }
        self.block = self.block_at(time);
    }

    /// The next block, if it comes at `time`.
    pub(crate) fn block_at(&self, time: Timestamp) -> L1Block {
        assert!(time >= self.now(), "time goes on");
        L1Block { number: self.block.number.next(), timestamp: time }
    }

    /// In every rollup the seed of the epoch of `until` is recorded in the epoch before, as early as
    /// that is possible.
    fn keep(&mut self, until: Timestamp) {
        let calls = self.state.rollups().filter_map(|(address, rollup)| {
            let clock = rollup.clock();
            let recording = clock.epoch_at(until)?.previous()?;
            let time = clock.seed_recording_start(recording)?.max(self.now());
            (clock.epoch_at(time) == Some(recording)).then_some((time, address))
        });
        for (time, rollup) in calls.collect::<BTreeSet<_>>() {
            self.block = self.block_at(time);
            self.ok("keeper", rollup, RollupCall::SetupEpoch);
        }
    }

    /// What `call` does if `caller` makes it in `block` and nothing else happens before.
    pub(crate) fn decide_in(
        &self,
        block: L1Block,
        caller: Address,
        contract: Address,
        call: &Call,
    ) -> Result<Vec<Log>, Refusal> {
        self.with_context(block, caller, |context| self.state.decide(contract, call, context))
    }

    pub(crate) fn with_context<R>(
        &self,
        block: L1Block,
        caller: Address,
        run: impl FnOnce(&Context<'_>) -> R,
    ) -> R {
        let external = self.foreign.at(block.timestamp);
        let prevrandao = keccak256(block.number.get().to_be_bytes()).into();
        run(&Context { caller, block, prevrandao, external: &external })
    }

    /// A call in the present block.
    pub(crate) fn send(
        &mut self,
        caller: Address,
        contract: Address,
        call: impl Into<Call>,
    ) -> Result<Vec<Log>, Refusal> {
        let logs = self.decide_in(self.block, caller, contract, &call.into())?;
        self.apply(&logs);
        Ok(logs)
    }

    /// A call that must succeed.
    #[track_caller]
    pub(crate) fn ok(&mut self, caller: &str, contract: Address, call: impl Into<Call>) {
        if let Err(refusal) = self.send(named(caller), contract, call) {
            panic!("refused: {refusal}");
        }
    }

    pub(crate) fn apply(&mut self, logs: &[Log]) {
        for log in logs {
            self.state.evolve(log, self.block).unwrap();
        }
    }

    /// The set at the present block; the next block is expected at `next`.
    pub(crate) fn view(&self, next: Timestamp) -> SetView {
        self.view_of(&Question::everything(&self.state, next))
    }

    pub(crate) fn view_of(&self, question: &Question) -> SetView {
        let state = Arc::new(self.state.clone());
        let block = BlockView {
            number: self.block.number,
            hash: keccak256(self.block.number.get().to_be_bytes()),
            parent: keccak256(self.block.number.get().saturating_sub(1).to_be_bytes()),
            base_fee: 1_000_000_000,
            timestamp: self.now(),
        };
        SetView::of_state(state, &self.foreign.at(self.now()), block, question)
    }

    /// The view for a block that comes in this many seconds.
    pub(crate) fn view_in(&self, seconds: u64) -> SetView {
        self.view(self.now() + Seconds::of(seconds))
    }

    /// Gives `name` this many tokens of the treasury.
    pub(crate) fn fund(&mut self, name: &str, count: u128) {
        let call = AssetCall::Transfer { to: named(name), amount: tokens(count) };
        self.ok("treasury", ASSET, call);
    }

    /// Gives `name` this many tokens and locks them as its power.
    pub(crate) fn lock(&mut self, name: &str, count: u128) {
        self.fund(name, count);
        let (amount, on_behalf_of) = (tokens(count), named(name));
        self.ok(name, ASSET, AssetCall::Approve { spender: GOVERNANCE, amount });
        self.ok(name, GOVERNANCE, GovernanceCall::Deposit { on_behalf_of, amount });
    }

    /// Staker number `number` joins `rollup`.
    pub(crate) fn stake(&mut self, rollup: Address, number: usize) {
        let withdrawer = format!("withdrawer {number}");
        self.fund(&withdrawer, STAKE / T);
        let amount = U256::from(STAKE);
        self.ok(&withdrawer, ASSET, AssetCall::Approve { spender: rollup, amount });
        let call = RollupCall::Deposit {
            attester: named(&format!("attester {number}")),
            proposer: named(&format!("proposer {number}")),
            withdrawer: named(&withdrawer),
            amount,
        };
        self.ok(&withdrawer, rollup, call);
    }

    /// A payload with this list.
    pub(crate) fn write(&mut self, payload: Address, actions: &[Action]) {
        let behavior = Behavior::payload(actions);
        let hash = keccak256(format!("{behavior:?}"));
        self.foreign.put(payload, Put::Program(behavior.into()), hash);
    }

    pub(crate) fn slot(&self) -> Slot {
        let (_, rollup) = self.state.canonical_rollup().unwrap();
        rollup.slot_at(self.now()).unwrap()
    }

    /// The first second of a slot of the canonical rollup.
    pub(crate) fn slot_start(&self, slot: Slot) -> Timestamp {
        let (_, rollup) = self.state.canonical_rollup().unwrap();
        rollup.clock().slot_start(slot).unwrap()
    }

    /// The proposer of the canonical rollup's slot at `time`.
    pub(crate) fn proposer_at(&self, time: Timestamp) -> Address {
        let (_, rollup) = self.state.canonical_rollup().unwrap();
        rollup.member_at(time, time).unwrap().unwrap().proposer()
    }

    /// Signals for `payload` in the present slot, then waits for the next.
    pub(crate) fn signal(&mut self, payload: Address) {
        let proposer = self.proposer_at(self.now());
        self.send(proposer, PROPOSALS, ProposalsCall::Vote { payload }).unwrap();
        self.wait(SLOT);
    }

    /// Waits for the first slot of a round.
    pub(crate) fn next_round(&mut self) {
        let rest = u64::from(M) - self.slot().get() % u64::from(M);
        self.wait(rest * SLOT);
    }

    /// A round won by `payload`; then it is the first slot of the next.
    pub(crate) fn win(&mut self, payload: Address) -> Round {
        self.next_round();
        let round = self.state.proposals(PROPOSALS).unwrap().rules().round_of(self.slot());
        for _ in 0..N {
            self.signal(payload);
        }
        self.next_round();
        round
    }

    /// A payload with this list, signaled for and pushed: the id of its proposal.
    pub(crate) fn propose(&mut self, payload: Address, actions: &[Action]) -> ProposalId {
        self.write(payload, actions);
        let round = self.win(payload).to_word();
        let id = ProposalId::of(self.state.governance().proposals().len() as u64);
        self.ok("anyone", PROPOSALS, ProposalsCall::PushProposal { round });
        id
    }

    pub(crate) fn vote(&mut self, name: &str, id: ProposalId, count: u128, is_for: bool) {
        let support = if is_for { Support::Yea } else { Support::Nea };
        let (id, amount) = (id.to_word(), tokens(count));
        self.ok(name, GOVERNANCE, GovernanceCall::Vote { id, amount, support });
    }

    /// A proposal with this list that `alice` has accepted; it is the first second in which it can be
    /// executed.
    pub(crate) fn accept(&mut self, payload: Address, actions: &[Action]) -> ProposalId {
        let id = self.propose(payload, actions);
        let deadlines = self.state.governance().proposals().last().unwrap().deadlines();
        self.jump(deadlines.voting_starts());
        self.vote("alice", id, 1500, true);
        self.jump(deadlines.earliest_execution());
        id
    }
}

/// A list that does nothing of note.
pub(crate) fn harmless() -> Vec<Action> {
    vec![action(REGISTRY, OwnershipCall::TransferOwnership { new_owner: Address::ZERO })]
}

/// One call of Governance.
pub(crate) fn action(target: Address, call: impl Into<Call>) -> Action {
    Action { target, data: call.into().abi_encode() }
}
