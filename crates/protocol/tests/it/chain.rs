//! A set to try things on: deployed as the deployer does it, with whatever code a test wants around
//! it.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use alloy_sol_types::{SolCall, SolValue, sol};
use canon_protocol::{
    Action, Addresses, Amount, AssetCall, BlockNumber, Call, Code, CodeKind, Configuration,
    Constructor, Context, Event, ExpectCall, ExternalContracts, GovernanceCall, IssuerCall,
    L1Block, Log, OwnershipCall, ProposalsCall, RawConfiguration, RawRollupParameters, Reaction,
    Refusal, RegistryCall, Role, RollupCall, Round, Seconds, SetState, Slot, Timestamp,
};
use canon_testkit::{
    histories::{self, ForeignAt},
    small_set,
};
use std::collections::{BTreeMap, BTreeSet};

sol! {
    function getActions();
    function isValidSignature(bytes32 digest, bytes signature);
}

pub(crate) use small_set::{
    EPOCH, EPOCH_SECONDS, EXIT_DELAY, LOCK_AMOUNT, M, N, SLOT, STAKE, SUPPLY, TOKEN as T,
    configuration,
};

pub(crate) const START: u64 = 1_000_000;

/// The account of this name; [`key`] signs for it.
pub(crate) fn named(name: &str) -> Address {
    key(name).address()
}

pub(crate) fn key(name: &str) -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&keccak256(name)).unwrap()
}

/// `name`'s ECDSA signature over `digest`.
pub(crate) fn sign(name: &str, digest: B256) -> Bytes {
    key(name).sign_hash_sync(&digest).unwrap().as_bytes().into()
}

/// A contract of the test's own.
pub(crate) fn contract(number: u64) -> Address {
    Address::from_word(B256::from(U256::from(0xc0de_0000_u64 + number)))
}

pub(crate) fn tokens(count: u128) -> U256 {
    U256::from(count * T)
}

pub(crate) fn word(address: Address) -> U256 {
    address.into_word().into()
}

pub(crate) const fn at(timestamp: u64) -> Timestamp {
    Timestamp::of(timestamp)
}

/// A field of a configuration.
pub(crate) type Field = fn(&mut RawConfiguration) -> &mut U256;

/// The fields with their bounds, when lockAmount and minimumVotes may be so much.
pub(crate) const fn bounds(
    lock_amount: u128,
    minimum_votes: u128,
) -> [(&'static str, Field, u128, u128); 9] {
    const DAY: u128 = Seconds::DAY.get() as u128;
    [
        ("lockDelay", |c| &mut c.propose_config.lock_delay, 60, 365 * DAY),
        ("lockAmount", |c| &mut c.propose_config.lock_amount, 2, lock_amount),
        ("votingDelay", |c| &mut c.voting_delay, 60, 90 * DAY),
        ("votingDuration", |c| &mut c.voting_duration, 60, 90 * DAY),
        ("executionDelay", |c| &mut c.execution_delay, 60, 90 * DAY),
        ("gracePeriod", |c| &mut c.grace_period, 60, 90 * DAY),
        ("quorum", |c| &mut c.quorum, 1, 9 * T / 10),
        ("voteDifferential", |c| &mut c.vote_differential, 0, 9 * T / 10),
        ("minimumVotes", |c| &mut c.minimum_votes, 1, minimum_votes),
    ]
}

/// Everything outside the set, as the test wants it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Foreign {
    pub(crate) code: BTreeMap<Address, Code>,
    pub(crate) actions: BTreeMap<Address, Option<Vec<Action>>>,
    pub(crate) words: BTreeMap<(Address, Vec<u8>), U256>,
    /// Wallets with the digests that they accept.
    pub(crate) accepted: BTreeSet<(Address, B256)>,
    pub(crate) reactions: BTreeMap<Address, Reaction>,
    /// Code that a history writes.
    pub(crate) written: histories::Foreign,
    /// The time of the present block.
    now: Timestamp,
}

impl ExternalContracts for Foreign {
    fn code(&self, account: Address) -> Code {
        match self.written(account) {
            Some(written) => written.code(account),
            None => self.code.get(&account).copied().unwrap_or_default(),
        }
    }

    fn ask(&self, target: Address, data: &[u8]) -> Result<Bytes, Bytes> {
        if let Some(written) = self.written(target) {
            return written.ask(target, data);
        }
        if let Ok(call) = isValidSignatureCall::abi_decode(data) {
            let accepted = self.accepted.contains(&(target, call.digest));
            let magic = B256::right_padding_from(&isValidSignatureCall::SELECTOR);
            return if accepted { Ok(magic.into()) } else { Err(Bytes::new()) };
        }
        if data == getActionsCall::SELECTOR {
            let list = self.actions.get(&target).cloned().flatten().ok_or_else(Bytes::new)?;
            let list: Vec<_> =
                list.into_iter().map(|action| (action.target, action.data)).collect();
            return Ok(list.abi_encode().into());
        }
        let word = self.words.get(&(target, data.to_vec()));
        word.map(|word| word.to_be_bytes::<32>().into()).ok_or_else(Bytes::new)
    }

    fn call(&self, caller: Address, target: Address, data: &Bytes) -> Reaction {
        match self.written(target) {
            Some(written) => written.call(caller, target, data),
            None => self.reactions.get(&target).cloned().unwrap_or(Reaction::Calls(Vec::new())),
        }
    }
}

impl Foreign {
    /// What a history has put at `account`, if it has.
    fn written(&self, account: Address) -> Option<ForeignAt<'_>> {
        self.written.get(account).map(|_| self.written.at(self.now))
    }

    /// Code of its own at `account`.
    pub(crate) fn deploy(&mut self, account: Address) {
        let hash = keccak256(account);
        self.code.insert(account, Code { kind: CodeKind::Contract, hash });
    }

    /// A payload that lists `actions`.
    pub(crate) fn list(&mut self, payload: Address, actions: Vec<Action>) {
        self.deploy(payload);
        self.actions.insert(payload, Some(actions));
    }

    /// `target` answers `word` to `selector`.
    pub(crate) fn answer(&mut self, target: Address, signature: &str, word: U256) {
        self.words.insert((target, keccak256(signature)[..4].to_vec()), word);
    }
}

pub(crate) const fn addresses() -> Addresses {
    const fn at(last: u8) -> Address {
        Address::with_last_byte(last)
    }
    Addresses {
        chain_id: 31337,
        asset: at(0xa1),
        registry: at(0xa2),
        governance: at(0xa3),
        issuer: at(0xa4),
        distributor: at(0xa5),
        expect: at(0xa6),
    }
}

pub(crate) const PROPOSALS: Address = Address::with_last_byte(0xb1);
pub(crate) const ROLLUP: Address = Address::with_last_byte(0xb2);
pub(crate) const GOVERNANCE: Address = addresses().governance;
pub(crate) const ASSET: Address = addresses().asset;
pub(crate) const REGISTRY: Address = addresses().registry;
pub(crate) const DISTRIBUTOR: Address = addresses().distributor;
pub(crate) const ISSUER: Address = addresses().issuer;
pub(crate) const EXPECT: Address = addresses().expect;

/// The set on a chain that does nothing by itself.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) set: SetState,
    pub(crate) block: L1Block,
    pub(crate) foreign: Foreign,
    pub(crate) history: Vec<(L1Block, Log)>,
    /// Whether somebody calls `setupEpoch` in time for whatever epoch comes.
    pub(crate) is_kept: bool,
}

impl Chain {
    /// Before anything is deployed.
    pub(crate) fn empty() -> Self {
        Self {
            set: SetState::new(addresses()),
            block: L1Block { number: BlockNumber::of(1), timestamp: at(START) },
            foreign: Foreign { now: at(START), ..Foreign::default() },
            history: Vec::new(),
            is_kept: false,
        }
    }

    /// The whole set, owned by Governance, with the supply at `treasury` and nobody staked.
    pub(crate) fn deployed() -> Self {
        Self::deployed_with(Amount::of(SUPPLY))
    }

    /// The same with this supply.
    pub(crate) fn deployed_with(supply: Amount) -> Self {
        let deployer = named("deployer");
        let mut chain = Self::empty();
        chain.deploy(ASSET, small_set::asset(deployer, named("treasury"), supply));
        chain.deploy(REGISTRY, Constructor::Registry { owner: deployer });
        chain.deploy_proposals(PROPOSALS);
        chain.deploy(GOVERNANCE, small_set::governance(ASSET, PROPOSALS));
        chain.deploy(ISSUER, small_set::issuer(&addresses()));
        chain.deploy(DISTRIBUTOR, small_set::distributor(&addresses()));
        chain.deploy_rollup(ROLLUP);
        chain.ok("deployer", REGISTRY, RegistryCall::Upgrade { rollup: ROLLUP });
        for (contract, new_owner) in [(ASSET, ISSUER), (REGISTRY, GOVERNANCE)] {
            let call = OwnershipCall::TransferOwnership { new_owner };
            chain.ok("deployer", contract, call);
        }
        chain.ok("anyone", ISSUER, IssuerCall::AcceptAsset);
        chain.ok("anyone", GOVERNANCE, GovernanceCall::AcceptOwnership { target: REGISTRY });
        chain
    }

    /// The set with this many stakers and a keeper, two epochs later, at the beginning of an epoch: no
    /// call records a seed then.
    pub(crate) fn staked(stakers: usize) -> Self {
        let mut chain = Self::deployed();
        chain.is_kept = true;
        for number in 0..stakers {
            chain.stake(ROLLUP, number);
        }
        chain.wait(2 * EPOCH_SECONDS);
        chain
    }

    /// `staked` with this much power of `alice` and of `bob`.
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
        let logs = self.try_deploy(contract, &constructor).unwrap();
        self.record(logs);
    }

    pub(crate) fn try_deploy(
        &self,
        contract: Address,
        constructor: &Constructor,
    ) -> Result<Vec<Log>, Refusal> {
        self.set.deploy(contract, constructor, &self.context(named("deployer")))
    }

    pub(crate) fn deploy_proposals(&mut self, contract: Address) {
        self.deploy(contract, small_set::proposals(REGISTRY));
    }

    pub(crate) fn rollup_parameters(&self) -> RawRollupParameters {
        small_set::rollup_parameters(&addresses(), self.now())
    }

    pub(crate) fn deploy_rollup(&mut self, contract: Address) {
        self.deploy(contract, Constructor::Rollup(self.rollup_parameters()));
    }

    pub(crate) const fn now(&self) -> Timestamp {
        self.block.timestamp
    }

    /// A block this much later.
    pub(crate) fn wait(&mut self, seconds: u64) {
        let until = self.now() + Seconds::of(seconds);
        if self.is_kept {
            self.keep(until);
        }
        self.advance(until.since(self.now()).unwrap().get());
    }

    /// In every rollup the seed of the epoch of `until` is recorded in the epoch before, as early as that
    /// is possible.
    fn keep(&mut self, until: Timestamp) {
        let calls = self.set.rollups().filter_map(|(address, rollup)| {
            let clock = rollup.clock();
            let recording = clock.epoch_at(until)?.previous()?;
            let time = clock.seed_recording_start(recording)?.max(self.now());
            let is_in_time = clock.epoch_at(time) == Some(recording);
            is_in_time.then_some((time, address))
        });
        let calls: BTreeSet<_> = calls.collect();
        for (time, rollup) in calls {
            self.advance(time.since(self.now()).unwrap().get());
            self.ok("keeper", rollup, RollupCall::SetupEpoch);
        }
    }

    fn advance(&mut self, seconds: u64) {
        self.block.timestamp = self.block.timestamp + Seconds::of(seconds);
        self.block.number = self.block.number.next();
        self.foreign.now = self.block.timestamp;
    }

    /// A block at `timestamp`.
    pub(crate) fn jump(&mut self, timestamp: Timestamp) {
        let seconds = timestamp.since(self.now()).expect("time goes on");
        self.wait(seconds.get());
    }

    /// What `prevrandao` is in the present block.
    pub(crate) fn prevrandao(&self) -> U256 {
        keccak256(self.block.number.to_word().to_be_bytes::<32>()).into()
    }

    pub(crate) fn context(&self, caller: Address) -> Context<'_> {
        let prevrandao = self.prevrandao();
        Context { caller, block: self.block, prevrandao, external: &self.foreign }
    }

    /// A call, as a transaction of the present block. What holds of every call is checked here.
    pub(crate) fn send(
        &mut self,
        caller: Address,
        contract: Address,
        call: impl Into<Call>,
    ) -> Result<Vec<Event>, Refusal> {
        let call = call.into();
        if let Some(role) = self.set.role_of(contract) {
            let decoded = Call::abi_decode(role, &call.abi_encode());
            assert_eq!(decoded.as_ref(), Some(&call), "the calldata says the same");
        }
        let decision = self.set.decide(contract, &call, &self.context(caller));
        self.carry_out(decision)
    }

    /// What `payload` lists now.
    pub(crate) fn listed(&self, payload: Address) -> Vec<Action> {
        let answer = self.foreign.ask(payload, &getActionsCall::SELECTOR).unwrap();
        let list = Vec::<(Address, Bytes)>::abi_decode(&answer).unwrap();
        list.into_iter().map(|(target, data)| Action { target, data }).collect()
    }

    /// A transaction with any calldata to any account.
    pub(crate) fn transact(
        &mut self,
        caller: Address,
        target: Address,
        data: &Bytes,
    ) -> Result<Vec<Event>, Refusal> {
        let decision = self.set.decide_raw(target, data, &self.context(caller));
        self.carry_out(decision)
    }

    /// Applies the events that were decided; returns them.
    fn carry_out(&mut self, decision: Result<Vec<Log>, Refusal>) -> Result<Vec<Event>, Refusal> {
        match decision {
            Ok(logs) => {
                let events = logs.iter().map(|log| log.event.clone()).collect();
                self.record(logs);
                Ok(events)
            }
            Err(refusal) => {
                // A refusal that the rules don't decide has no bytes.
                if !matches!(refusal, Refusal::OutsideTheSet(_)) {
                    assert_eq!(Refusal::abi_decode(&refusal.abi_encode()), refusal);
                }
                Err(refusal)
            }
        }
    }

    pub(crate) fn record(&mut self, logs: Vec<Log>) {
        for log in logs {
            self.set.evolve(&log, self.block).expect("what was decided can happen");
            if let Some(role) = self.set.role_of(log.emitter).filter(|role| *role != Role::Expect) {
                let decoded = Event::from_log_data(role, &log.event.to_log_data());
                assert_eq!(decoded.as_ref(), Some(&log.event), "the log says the same");
            }
            self.history.push((self.block, log));
        }
    }

    /// A call that must succeed.
    #[track_caller]
    pub(crate) fn ok(
        &mut self,
        caller: &str,
        contract: Address,
        call: impl Into<Call>,
    ) -> Vec<Event> {
        match self.send(named(caller), contract, call) {
            Ok(events) => events,
            Err(refusal) => panic!("refused: {refusal}"),
        }
    }

    /// A call that must be refused exactly so.
    #[track_caller]
    pub(crate) fn refused(
        &mut self,
        caller: &str,
        contract: Address,
        call: impl Into<Call>,
        refusal: impl Into<Refusal>,
    ) {
        let before = self.set.clone();
        assert_eq!(self.send(named(caller), contract, call), Err(refusal.into()));
        assert_eq!(self.set, before);
    }

    /// Gives `name` this many tokens of the treasury.
    pub(crate) fn fund(&mut self, name: &str, count: u128) {
        let call = AssetCall::Transfer { to: named(name), amount: tokens(count) };
        self.ok("treasury", ASSET, call);
    }

    /// Gives `name` this many tokens and locks them as its power.
    pub(crate) fn lock(&mut self, name: &str, count: u128) {
        self.fund(name, count);
        let amount = tokens(count);
        self.ok(name, ASSET, AssetCall::Approve { spender: GOVERNANCE, amount });
        let on_behalf_of = named(name);
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

    /// The proposer of the canonical rollup's present slot.
    pub(crate) fn proposer(&self) -> Address {
        let (_, rollup) = self.set.canonical_rollup().unwrap();
        rollup.member_at(self.now(), self.now()).unwrap().unwrap().proposer()
    }

    /// The name of that proposer, among the first hundred stakers.
    pub(crate) fn proposer_name(&self) -> String {
        let proposer = self.proposer();
        let names = (0..100).map(|number| format!("proposer {number}"));
        names.into_iter().find(|name| named(name) == proposer).unwrap()
    }

    pub(crate) fn slot(&self) -> Slot {
        let (_, rollup) = self.set.canonical_rollup().unwrap();
        rollup.slot_at(self.now()).unwrap()
    }

    /// Signals for `payload` in the present slot, then waits for the next.
    pub(crate) fn signal(&mut self, payload: Address) -> Vec<Event> {
        let proposer = self.proposer();
        let events = self.send(proposer, PROPOSALS, ProposalsCall::Vote { payload }).unwrap();
        self.wait(SLOT);
        events
    }

    /// Waits for the first slot of a round.
    pub(crate) fn next_round(&mut self) {
        let rest = u64::from(M) - self.slot().get() % u64::from(M);
        self.wait(rest * SLOT);
    }

    /// A round won by `payload`; then it is the first slot of the next.
    pub(crate) fn win(&mut self, payload: Address) -> Round {
        self.next_round();
        let round = self.set.proposals(PROPOSALS).unwrap().rules().round_of(self.slot());
        for _ in 0..N {
            self.signal(payload);
        }
        self.next_round();
        round
    }

    /// A payload with this list, signaled for and pushed: the id of its proposal.
    pub(crate) fn push(&mut self, payload: Address, actions: Vec<Action>) -> U256 {
        self.foreign.list(payload, actions);
        let round = self.win(payload).to_word();
        let id = U256::from(self.set.governance().proposals().len());
        self.ok("anyone", PROPOSALS, ProposalsCall::PushProposal { round });
        id
    }

    /// A proposal of `alice` through the lock.
    pub(crate) fn lock_propose(&mut self, payload: Address, actions: Vec<Action>) -> U256 {
        self.foreign.list(payload, actions);
        let id = U256::from(self.set.governance().proposals().len());
        let call = GovernanceCall::ProposeWithLock { payload, to: named("alice") };
        self.ok("alice", GOVERNANCE, call);
        id
    }

    /// Waits until `id` is Executable, with `amount` of `alice` for it.
    pub(crate) fn pass(&mut self, id: U256, amount: u128) {
        let (_, proposal) = self.set.governance().proposal(id).unwrap();
        let deadlines = proposal.deadlines();
        self.jump(deadlines.voting_starts());
        let support = canon_protocol::Support::Yea;
        self.ok("alice", GOVERNANCE, GovernanceCall::Vote { id, amount: tokens(amount), support });
        self.jump(deadlines.earliest_execution());
    }

    /// A passed proposal of `alice` that does `actions`, executed.
    pub(crate) fn govern(
        &mut self,
        payload: Address,
        actions: Vec<Action>,
    ) -> Result<Vec<Event>, Refusal> {
        let id = self.lock_propose(payload, actions);
        let (_, proposal) = self.set.governance().proposal(id).unwrap();
        let all = self.set.governance().castable(proposal, named("alice")).get() / T;
        self.pass(id, all);
        self.send(named("anyone"), GOVERNANCE, GovernanceCall::Execute { id })
    }
}

/// An action of the set's own functions.
pub(crate) fn action(target: Address, call: impl Into<Call>) -> Action {
    Action { target, data: call.into().abi_encode() }
}

/// The one action that makes `configuration` the configuration.
pub(crate) fn update(configuration: Configuration) -> Vec<Action> {
    let configuration = Box::new(configuration.into());
    vec![action(GOVERNANCE, GovernanceCall::UpdateConfiguration { configuration })]
}

/// A list that changes nothing.
pub(crate) fn harmless() -> Vec<Action> {
    vec![action(EXPECT, ExpectCall::OwnerIs { target: ASSET, expected: ISSUER })]
}
