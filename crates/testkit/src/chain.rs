//! A set on a chain that does nothing by itself, with any code that a test wants around it.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use crate::{
    histories::{self, ForeignAt},
    small_set::{self, EPOCH_SECONDS, M, N, SLOT, STAKE, SUPPLY, TOKEN},
};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use alloy_sol_types::{SolCall, SolValue, sol};
use canon_protocol::{
    Action, Addresses, Amount, AssetCall, BlockNumber, Call, Code, CodeKind, Constructor, Context,
    Event, ExpectCall, ExternalContracts, GovernanceCall, IssuerCall, L1Block, Log, OwnershipCall,
    ProposalsCall, RawRollupParameters, Reaction, Refusal, RegistryCall, Role, RollupCall, Round,
    Seconds, SetState, Slot, Support, Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

sol! {
    function getActions();
    function isValidSignature(bytes32 digest, bytes signature);
}

/// The time of the first block.
pub const START: Timestamp = Timestamp::of(1_000_000);

/// The address of the account with this name; [`key`] returns its key.
pub fn named(name: &str) -> Address {
    key(name).address()
}

/// The private key of the account with this name.
pub fn key(name: &str) -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&keccak256(name)).unwrap()
}

/// `name`'s ECDSA signature over `digest`.
pub fn sign(name: &str, digest: B256) -> Bytes {
    key(name).sign_hash_sync(&digest).unwrap().as_bytes().into()
}

/// This many tokens, in base units.
pub fn tokens(count: u128) -> U256 {
    U256::from(count * TOKEN)
}

/// All code outside the set, as a test defines it.
#[derive(Clone, Debug, Default)]
pub struct Foreign {
    /// The kind and hash of the code of accounts.
    pub code: BTreeMap<Address, Code>,
    /// The lists of payloads; `None` for a payload that reverts.
    pub actions: BTreeMap<Address, Option<Vec<Action>>>,
    /// The words that contracts return, by contract and calldata.
    pub words: BTreeMap<(Address, Vec<u8>), U256>,
    /// Wallets with the digests that they accept.
    pub accepted: BTreeSet<(Address, B256)>,
    /// The reactions of contracts to calls. Any other contract does nothing.
    pub reactions: BTreeMap<Address, Reaction>,
    /// Code that a history writes.
    pub written: histories::Foreign,
    /// The time of the present block.
    now: Timestamp,
}

/// All code outside the set as of a time.
#[derive(Clone, Copy, Debug)]
struct AsOf<'a> {
    foreign: &'a Foreign,
    time: Timestamp,
}

impl<'a> AsOf<'a> {
    /// The code that a history has put at `account`, if any.
    fn written(&self, account: Address) -> Option<ForeignAt<'a>> {
        let written = &self.foreign.written;
        written.get(account).map(|_| written.at(self.time))
    }
}

impl ExternalContracts for AsOf<'_> {
    fn code(&self, account: Address) -> Code {
        match self.written(account) {
            Some(written) => written.code(account),
            None => self.foreign.code.get(&account).copied().unwrap_or_default(),
        }
    }

    fn ask(&self, target: Address, data: &[u8]) -> Result<Bytes, Bytes> {
        if let Some(written) = self.written(target) {
            return written.ask(target, data);
        }
        if let Ok(call) = isValidSignatureCall::abi_decode(data) {
            let accepted = self.foreign.accepted.contains(&(target, call.digest));
            let magic = B256::right_padding_from(&isValidSignatureCall::SELECTOR);
            return if accepted { Ok(magic.into()) } else { Err(Bytes::new()) };
        }
        if data == getActionsCall::SELECTOR {
            let list =
                self.foreign.actions.get(&target).cloned().flatten().ok_or_else(Bytes::new)?;
            let list: Vec<_> =
                list.into_iter().map(|action| (action.target, action.data)).collect();
            return Ok(list.abi_encode().into());
        }
        let word = self.foreign.words.get(&(target, data.to_vec()));
        word.map(|word| word.to_be_bytes::<32>().into()).ok_or_else(Bytes::new)
    }

    fn call(&self, caller: Address, target: Address, data: &Bytes) -> Reaction {
        match self.written(target) {
            Some(written) => written.call(caller, target, data),
            None => {
                self.foreign.reactions.get(&target).cloned().unwrap_or(Reaction::Calls(Vec::new()))
            }
        }
    }
}

impl ExternalContracts for Foreign {
    fn code(&self, account: Address) -> Code {
        self.at(self.now).code(account)
    }

    fn ask(&self, target: Address, data: &[u8]) -> Result<Bytes, Bytes> {
        self.at(self.now).ask(target, data)
    }

    fn call(&self, caller: Address, target: Address, data: &Bytes) -> Reaction {
        self.at(self.now).call(caller, target, data)
    }
}

impl Foreign {
    /// The same code as of `time`.
    pub fn at(&self, time: Timestamp) -> impl ExternalContracts {
        AsOf { foreign: self, time }
    }

    /// Gives `account` code of its own.
    pub fn deploy(&mut self, account: Address) {
        let hash = keccak256(account);
        self.code.insert(account, Code { kind: CodeKind::Contract, hash });
    }

    /// Deploys a payload that lists `actions`.
    pub fn list(&mut self, payload: Address, actions: Vec<Action>) {
        self.deploy(payload);
        self.actions.insert(payload, Some(actions));
    }

    /// Makes `target` return `word` from the function with this signature.
    pub fn answer(&mut self, target: Address, signature: &str, word: U256) {
        self.words.insert((target, keccak256(signature)[..4].to_vec()), word);
    }
}

/// The addresses of the contracts.
pub const ADDRESSES: Addresses = Addresses {
    chain_id: 31337,
    asset: ASSET,
    registry: REGISTRY,
    governance: GOVERNANCE,
    issuer: ISSUER,
    reward_distributor: DISTRIBUTOR,
    expect: EXPECT,
};
/// The Asset.
pub const ASSET: Address = Address::with_last_byte(0xa1);
/// The Registry.
pub const REGISTRY: Address = Address::with_last_byte(0xa2);
/// Governance.
pub const GOVERNANCE: Address = Address::with_last_byte(0xa3);
/// The Issuer.
pub const ISSUER: Address = Address::with_last_byte(0xa4);
/// The RewardDistributor.
pub const DISTRIBUTOR: Address = Address::with_last_byte(0xa5);
/// Expect.
pub const EXPECT: Address = Address::with_last_byte(0xa6);
/// The first Proposals contract.
pub const PROPOSALS: Address = Address::with_last_byte(0xb1);
/// The first rollup.
pub const ROLLUP: Address = Address::with_last_byte(0xb2);

/// The set on a chain that does nothing by itself.
#[derive(Clone, Debug)]
pub struct Chain {
    /// The set.
    pub set: SetState,
    /// The present block.
    pub block: L1Block,
    /// All code outside the set.
    pub foreign: Foreign,
    /// All events so far, with their blocks.
    pub history: Vec<(L1Block, Log)>,
    /// Whether a keeper calls `setupEpoch` in time for each epoch.
    pub is_kept: bool,
}

impl Chain {
    /// A chain on which nothing is deployed.
    pub fn empty() -> Self {
        Self {
            set: SetState::new(ADDRESSES),
            block: L1Block { number: BlockNumber::of(1), timestamp: START },
            foreign: Foreign { now: START, ..Foreign::default() },
            history: Vec::new(),
            is_kept: false,
        }
    }

    /// The whole set, owned by Governance, with the supply at `treasury` and no stakers.
    pub fn deployed() -> Self {
        Self::deployed_with(Amount::of(SUPPLY))
    }

    /// As [`Self::deployed`], with this supply.
    pub fn deployed_with(supply: Amount) -> Self {
        let deployer = named("deployer");
        let mut chain = Self::empty();
        chain.deploy(ASSET, small_set::asset(deployer, named("treasury"), supply));
        chain.deploy(REGISTRY, Constructor::Registry { owner: deployer });
        chain.deploy_proposals(PROPOSALS);
        chain.deploy(GOVERNANCE, small_set::governance(ASSET, PROPOSALS));
        chain.deploy(ISSUER, small_set::issuer(&ADDRESSES));
        chain.deploy(DISTRIBUTOR, small_set::distributor(&ADDRESSES));
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

    /// The set with `stakers` stakers and a keeper, two epochs later at the beginning of an epoch. No
    /// seed has to be recorded then.
    pub fn staked(stakers: usize) -> Self {
        let mut chain = Self::deployed();
        chain.is_kept = true;
        for number in 0..stakers {
            chain.stake(ROLLUP, number);
        }
        chain.wait(2 * EPOCH_SECONDS);
        chain
    }

    /// The set with three stakers, and with this many tokens of power of `alice` and of `bob`.
    pub fn voting(alice: u128, bob: u128) -> Self {
        let mut chain = Self::staked(3);
        for (holder, power) in [("alice", alice), ("bob", bob)] {
            if power > 0 {
                chain.lock(holder, power);
            }
        }
        chain
    }

    /// Deploys a contract of the set.
    pub fn deploy(&mut self, contract: Address, constructor: Constructor) {
        let logs = self.try_deploy(contract, &constructor).unwrap();
        self.record(logs);
    }

    /// Returns the events of a deployment of a contract of the set, or its refusal.
    pub fn try_deploy(
        &self,
        contract: Address,
        constructor: &Constructor,
    ) -> Result<Vec<Log>, Refusal> {
        self.set.deploy(contract, constructor, &self.context(named("deployer")))
    }

    /// Deploys a Proposals contract.
    pub fn deploy_proposals(&mut self, contract: Address) {
        self.deploy(contract, small_set::proposals(REGISTRY));
    }

    /// The parameters of a rollup that begins now.
    pub fn rollup_parameters(&self) -> RawRollupParameters {
        small_set::rollup_parameters(&ADDRESSES, self.now())
    }

    /// Deploys a rollup that begins now.
    pub fn deploy_rollup(&mut self, contract: Address) {
        self.deploy(contract, Constructor::Rollup(self.rollup_parameters()));
    }

    /// The time of the present block.
    pub const fn now(&self) -> Timestamp {
        self.block.timestamp
    }

    /// Begins a block this many seconds later.
    pub fn wait(&mut self, seconds: u64) {
        self.jump(self.now() + Seconds::of(seconds));
    }

    /// Begins a block at `time`.
    pub fn jump(&mut self, time: Timestamp) {
        if self.is_kept {
            self.keep(time);
        }
        self.begin(time);
    }

    /// Records in every rollup the seed of the epoch of `until`, as early as possible in the epoch
    /// before.
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
            self.begin(time);
            self.ok("keeper", rollup, RollupCall::SetupEpoch);
        }
    }

    /// The next block, if it has the timestamp `time`.
    pub fn block_at(&self, time: Timestamp) -> L1Block {
        assert!(time >= self.now(), "time goes on");
        L1Block { number: self.block.number.next(), timestamp: time }
    }

    fn begin(&mut self, time: Timestamp) {
        self.block = self.block_at(time);
        self.foreign.now = time;
    }

    /// The value of `prevrandao` in the present block.
    pub fn prevrandao(&self) -> U256 {
        keccak256(self.block.number.to_word().to_be_bytes::<32>()).into()
    }

    /// The context of a call by `caller` in the present block.
    pub fn context(&self, caller: Address) -> Context<'_> {
        let prevrandao = self.prevrandao();
        Context { caller, block: self.block, prevrandao, external: &self.foreign }
    }

    /// Makes a call in a transaction of the present block, and checks that its encoding decodes to the
    /// same call.
    pub fn send(
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

    /// The actions that `payload` lists now.
    pub fn listed(&self, payload: Address) -> Vec<Action> {
        let answer = self.foreign.ask(payload, &getActionsCall::SELECTOR).unwrap();
        let list = Vec::<(Address, Bytes)>::abi_decode(&answer).unwrap();
        list.into_iter().map(|(target, data)| Action { target, data }).collect()
    }

    /// Sends a transaction with any calldata to any account.
    pub fn transact(
        &mut self,
        caller: Address,
        target: Address,
        data: &Bytes,
    ) -> Result<Vec<Event>, Refusal> {
        let decision = self.set.decide_raw(target, data, &self.context(caller));
        self.carry_out(decision)
    }

    /// Applies the events of a decision, and returns them.
    fn carry_out(&mut self, decision: Result<Vec<Log>, Refusal>) -> Result<Vec<Event>, Refusal> {
        match decision {
            Ok(logs) => {
                let events = logs.iter().map(|log| log.event.clone()).collect();
                self.record(logs);
                Ok(events)
            }
            Err(refusal) => {
                // A refusal that the rules don't decide has no encoding.
                if !matches!(refusal, Refusal::OutsideTheSet(_)) {
                    assert_eq!(Refusal::abi_decode(&refusal.abi_encode()), refusal);
                }
                Err(refusal)
            }
        }
    }

    /// Applies events of the present block.
    pub fn record(&mut self, logs: Vec<Log>) {
        for log in logs {
            self.set.evolve(&log, self.block).expect("what was decided can happen");
            if let Some(role) = self.set.role_of(log.emitter).filter(|role| *role != Role::Expect) {
                let decoded = Event::from_log_data(role, &log.event.to_log_data());
                assert_eq!(decoded.as_ref(), Some(&log.event), "the log says the same");
            }
            self.history.push((self.block, log));
        }
    }

    /// Makes a call that must succeed.
    #[track_caller]
    pub fn ok(&mut self, caller: &str, contract: Address, call: impl Into<Call>) -> Vec<Event> {
        match self.send(named(caller), contract, call) {
            Ok(events) => events,
            Err(refusal) => panic!("refused: {refusal}"),
        }
    }

    /// Makes a call that must be refused with exactly this refusal.
    #[track_caller]
    pub fn refused(
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

    /// Gives `name` this many tokens from the treasury.
    pub fn fund(&mut self, name: &str, count: u128) {
        let call = AssetCall::Transfer { to: named(name), amount: tokens(count) };
        self.ok("treasury", ASSET, call);
    }

    /// Gives `name` this many tokens and locks them as its power.
    pub fn lock(&mut self, name: &str, count: u128) {
        self.fund(name, count);
        let amount = tokens(count);
        self.ok(name, ASSET, AssetCall::Approve { spender: GOVERNANCE, amount });
        let on_behalf_of = named(name);
        self.ok(name, GOVERNANCE, GovernanceCall::Deposit { on_behalf_of, amount });
    }

    /// Stakes on `rollup` as staker `number`.
    pub fn stake(&mut self, rollup: Address, number: usize) {
        let withdrawer = format!("withdrawer {number}");
        self.fund(&withdrawer, STAKE / TOKEN);
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

    /// The proposer of the present slot of the canonical rollup.
    pub fn proposer(&self) -> Address {
        let (_, rollup) = self.set.canonical_rollup().unwrap();
        rollup.member_at(self.now(), self.now()).unwrap().unwrap().proposer()
    }

    /// The name of that proposer, among the first 100 stakers.
    pub fn proposer_name(&self) -> String {
        let proposer = self.proposer();
        let names = (0..100).map(|number| format!("proposer {number}"));
        names.into_iter().find(|name| named(name) == proposer).unwrap()
    }

    /// The present slot of the canonical rollup.
    pub fn slot(&self) -> Slot {
        let (_, rollup) = self.set.canonical_rollup().unwrap();
        rollup.slot_at(self.now()).unwrap()
    }

    /// Signals for `payload` in the present slot, then waits for the next.
    pub fn signal(&mut self, payload: Address) -> Vec<Event> {
        let proposer = self.proposer();
        let events = self.send(proposer, PROPOSALS, ProposalsCall::Vote { payload }).unwrap();
        self.wait(SLOT);
        events
    }

    /// Waits for the first slot of a round.
    pub fn next_round(&mut self) {
        let rest = u64::from(M) - self.slot().get() % u64::from(M);
        self.wait(rest * SLOT);
    }

    /// Makes `payload` win the next round, and waits for the first slot after it.
    pub fn win(&mut self, payload: Address) -> Round {
        self.next_round();
        let round = self.set.proposals(PROPOSALS).unwrap().rules().round_of(self.slot());
        for _ in 0..N {
            self.signal(payload);
        }
        self.next_round();
        round
    }

    /// Lists the actions, and has the payload signaled for and pushed. Returns the id of its proposal.
    pub fn push(&mut self, payload: Address, actions: Vec<Action>) -> U256 {
        self.foreign.list(payload, actions);
        let round = self.win(payload).to_word();
        let id = U256::from(self.set.governance().proposals().len());
        self.ok("anyone", PROPOSALS, ProposalsCall::PushProposal { round });
        id
    }

    /// Makes a proposal through the lock as `alice`, and returns its id.
    pub fn lock_propose(&mut self, payload: Address, actions: Vec<Action>) -> U256 {
        self.foreign.list(payload, actions);
        let id = U256::from(self.set.governance().proposals().len());
        let call = GovernanceCall::ProposeWithLock { payload, to: named("alice") };
        self.ok("alice", GOVERNANCE, call);
        id
    }

    /// Casts this many tokens of `alice` for proposal `id`, and waits until it is executable.
    pub fn pass(&mut self, id: U256, amount: u128) {
        let (_, proposal) = self.set.governance().proposal(id).unwrap();
        let deadlines = proposal.deadlines();
        self.jump(deadlines.voting_starts());
        let support = Support::Yea;
        self.ok("alice", GOVERNANCE, GovernanceCall::Vote { id, amount: tokens(amount), support });
        self.jump(deadlines.earliest_execution());
    }

    /// Proposes `actions` through the lock as `alice`, votes with all her power, and executes the
    /// proposal.
    pub fn govern(
        &mut self,
        payload: Address,
        actions: Vec<Action>,
    ) -> Result<Vec<Event>, Refusal> {
        let id = self.lock_propose(payload, actions);
        let (_, proposal) = self.set.governance().proposal(id).unwrap();
        let all = self.set.governance().castable(proposal, named("alice")).get() / TOKEN;
        self.pass(id, all);
        self.send(named("anyone"), GOVERNANCE, GovernanceCall::Execute { id })
    }
}

/// An action that calls a function of the set.
pub fn action(target: Address, call: impl Into<Call>) -> Action {
    Action { target, data: call.into().abi_encode() }
}

/// A list that changes nothing.
pub fn harmless() -> Vec<Action> {
    vec![action(EXPECT, ExpectCall::OwnerIs { target: ASSET, expected: ISSUER })]
}
