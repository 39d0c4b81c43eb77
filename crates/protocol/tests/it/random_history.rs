//! Random histories, executed by the rules alone.

use crate::{
    chain::{
        ASSET, Chain, DISTRIBUTOR, GOVERNANCE, ROLLUP, START, contract, harmless, key, named,
        tokens,
    },
    invariants::Guard,
    lock_path::is_open_at,
};
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, Signature, U256, keccak256};
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use canon_protocol::{
    Action, AssetCall, Ballot, Call, Constructor, Create2, Ending, Event, ExpectCall,
    ExpectRefusal, GovernanceCall, GovernanceEvent, GovernanceRefusal, L1Block, Proposal,
    ProposalId, Refusal, RollupEvent, Seconds, SetState,
};
use canon_testkit::histories::{Accounts, Director, Put, Rate, Step};
use std::collections::{BTreeMap, BTreeSet};

const HOLDERS: usize = 5;
const STAKERS: usize = 6;

fn accounts() -> (Accounts, BTreeMap<Address, PrivateKeySigner>) {
    let mut keys = BTreeMap::new();
    let mut accounts = Accounts::numbered(HOLDERS, STAKERS, |name| {
        let key = key(name);
        let address = key.address();
        keys.insert(address, key);
        address
    });
    accounts.wallets = vec![accounts.holders[0], accounts.stakers[0].proposer];
    (accounts, keys)
}

/// The calls and events seen in a history.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The names of events, except for those of constructors.
    pub(crate) events: BTreeSet<String>,
    /// The names of refusals, including those of actions.
    pub(crate) refusals: BTreeSet<String>,
    pub(crate) states: BTreeSet<u8>,
    pub(crate) executed: usize,
    /// The number of times that each scene was reached.
    pub(crate) scenes: BTreeMap<&'static str, usize>,
}

/// The scenes that histories have to reach.
pub(crate) const SCENES: [&str; 10] = [
    "an accepted proposal is tipped by a ballot against it",
    "a ballot against it comes in the second half",
    "a signed ballot overtakes one on another proposal",
    "an invalidated ballot is submitted",
    "a ballot was signed for other actions",
    "a signed ballot lapsed",
    "a squatted mover moves under another attester",
    "an upgrade is executed that asserts its creation",
    "an assertion of a creation fails",
    "a payload lists too much",
];

/// A history in progress.
#[derive(Debug)]
pub(crate) struct RandomHistory {
    pub(crate) chain: Chain,
    pub(crate) seen: Seen,
    director: Director,
    guard: Guard,
    deployed: u64,
    /// The proposal of the last submitted ballot that each holder signed.
    signed_for: BTreeMap<Address, ProposalId>,
}

impl RandomHistory {
    /// A set in which all accounts have funds, some have staked and some have locked power.
    pub(crate) fn new(seed: u64) -> Self {
        let (accounts, keys) = accounts();
        let mut chain = Chain::deployed();
        chain.ok("treasury", ASSET, AssetCall::Transfer { to: DISTRIBUTOR, amount: tokens(60) });
        for number in 0..HOLDERS {
            let name = format!("holder {number}");
            chain.lock(&name, 2000);
            chain.fund(&name, 5000);
            chain.ok(
                &name,
                ASSET,
                AssetCall::Approve { spender: GOVERNANCE, amount: tokens(9000) },
            );
        }
        for number in 0..STAKERS {
            let name = format!("withdrawer {number}");
            chain.fund(&name, 1000);
            let amount = U256::MAX;
            chain.ok(&name, ASSET, AssetCall::Approve { spender: ROLLUP, amount });
            if number % 2 == 0 {
                chain.stake(ROLLUP, number);
                chain.ok(&name, ASSET, AssetCall::Approve { spender: ROLLUP, amount });
            }
        }
        let sign = move |signer: Address, digest: B256| -> Option<Bytes> {
            let signature = keys.get(&signer)?.sign_hash_sync(&digest).ok()?;
            Some(signature.as_bytes().into())
        };
        let director = Director::new(seed, accounts, Rate::SharedBlocks, sign);
        let guard = Guard::new(&chain.set);
        Self {
            chain,
            seen: Seen::default(),
            director,
            guard,
            deployed: 0,
            signed_for: BTreeMap::new(),
        }
    }

    /// Runs this number of steps, and checks everything after each.
    pub(crate) fn run(&mut self, steps: usize) {
        for _ in 0..steps {
            self.step();
        }
    }

    /// Takes this number of further steps. Returns them with their blocks.
    pub(crate) fn steps_taken(&mut self, count: usize) -> Vec<(L1Block, Step)> {
        let mut taken = Vec::new();
        for _ in 0..count {
            let step = self.step();
            taken.push((self.chain.block, step));
        }
        taken
    }

    fn step(&mut self) -> Step {
        let (wait, step) =
            self.director.next(&self.chain.set, self.chain.now(), &self.chain.foreign.written);
        let taken = step.clone();
        if wait.get() > 0 {
            self.chain.wait(wait.get());
        }
        match step {
            Step::Put(account, put) => self.put(account, put),
            Step::Deploy(constructor) => {
                let creation = self.creation(&constructor);
                let contract = creation.address();
                match self.chain.try_deploy(contract, &constructor) {
                    Ok(logs) => {
                        self.chain.foreign.deploy(contract);
                        self.chain.foreign.written.know_creation(creation);
                        self.chain.record(logs);
                        self.guard.deployed(&self.chain.set, contract);
                    }
                    Err(refusal) => self.refused(&refusal),
                }
            }
            Step::Call { caller, contract, call } => {
                let before = self.chain.set.clone();
                let outcome = self.chain.send(caller, contract, call.clone());
                self.came(&before, Some(&call), outcome);
            }
            Step::Transaction { caller, target, data } => {
                let before = self.chain.set.clone();
                let outcome = self.chain.transact(caller, target, &data);
                self.came(&before, None, outcome);
            }
        }
        let governance = self.chain.set.governance();
        for proposal in governance.proposals() {
            self.seen.states.insert(governance.state(proposal, self.chain.now()) as u8);
        }
        self.guard.check(&self.chain);
        taken
    }

    /// Puts code at an account. The hash follows from the behavior, so two contracts of different behavior
    /// never share one.
    fn put(&mut self, account: Address, put: Put) {
        let hash = match &put {
            Put::Nothing => KECCAK256_EMPTY,
            _ => keccak256(format!("{put:?}")),
        };
        self.chain.foreign.written.put(account, put, hash);
    }

    fn came(
        &mut self,
        before: &SetState,
        call: Option<&Call>,
        outcome: Result<Vec<Event>, Refusal>,
    ) {
        match outcome {
            Ok(events) => {
                for event in &events {
                    self.seen.events.insert(event.name());
                }
                self.scenes(&events);
                self.guard.called(before, &self.chain, call, &events);
            }
            Err(refusal) => {
                assert_eq!(self.chain.set, *before, "a refused call changes nothing");
                self.scene_of(call, &refusal);
                self.refused(&refusal);
            }
        }
    }

    fn refused(&mut self, refusal: &Refusal) {
        let mut refusal = refusal.clone();
        self.seen.refusals.insert(refusal.name());
        // The refusal with which an action failed counts as well.
        while let Refusal::Governance(GovernanceRefusal::ActionFailed { reason, .. }) = &refusal {
            refusal = Refusal::abi_decode(reason);
            self.seen.refusals.insert(refusal.name());
        }
    }

    /// A creation through the deterministic deployment proxy, with a new salt every time.
    fn creation(&mut self, constructor: &Constructor) -> Create2 {
        self.deployed += 1;
        let salt = B256::from(U256::from(self.deployed));
        Create2::new(contract(1000), salt, format!("{constructor:?}").as_bytes())
    }

    fn saw(&mut self, scene: &'static str) {
        *self.seen.scenes.entry(scene).or_default() += 1;
    }

    /// Counts the scenes of an accepted call.
    fn scenes(&mut self, events: &[Event]) {
        for event in events {
            match event {
                Event::Governance(GovernanceEvent::NonceUsed { proposal_id, holder, .. }) => {
                    let last = self.signed_for.insert(*holder, *proposal_id);
                    if last.is_some_and(|last| last > *proposal_id) {
                        self.saw("a signed ballot overtakes one on another proposal");
                    }
                }
                Event::Rollup(RollupEvent::MoveFinalised {
                    attester,
                    new_rollup,
                    new_attester,
                    ..
                }) => {
                    let there = self.chain.set.rollup(*new_rollup);
                    let is_squatted = there.is_some_and(|there| there.member(*attester).is_some());
                    if attester != new_attester && is_squatted {
                        self.saw("a squatted mover moves under another attester");
                    }
                }
                Event::Governance(GovernanceEvent::ProposalExecuted { proposal_id }) => {
                    let proposal = self.chain.set.governance().proposal(proposal_id.to_word());
                    let actions = proposal.unwrap().1.actions().to_vec();
                    let asserts = |action: &Action| {
                        let call = ExpectCall::abi_decode(&action.data);
                        matches!(call, Some(ExpectCall::CreatedBy { .. }))
                    };
                    if actions.len() == 4 && actions.iter().any(asserts) {
                        self.saw("an upgrade is executed that asserts its creation");
                    }
                }
                _ => {}
            }
        }
    }

    /// Counts the scene of a refused call.
    fn scene_of(&mut self, call: Option<&Call>, refusal: &Refusal) {
        let governance = self.chain.set.governance();
        let scene = match (call, refusal) {
            (_, Refusal::Governance(GovernanceRefusal::ObjectionsOver { .. })) => {
                "a ballot against it comes in the second half"
            }
            (_, Refusal::Governance(GovernanceRefusal::SignatureExpired { .. })) => {
                "a signed ballot lapsed"
            }
            (_, Refusal::Governance(GovernanceRefusal::ActionsTooLong { .. })) => {
                "a payload lists too much"
            }
            (_, Refusal::Governance(GovernanceRefusal::InvalidSignature { nonce, .. }))
                if *nonce >= U256::from(1_u64 << 32) =>
            {
                "an invalidated ballot is submitted"
            }
            (
                Some(Call::Governance(GovernanceCall::VoteWithSig {
                    proposal_id,
                    amount,
                    support,
                    voter,
                    deadline,
                    signature,
                })),
                Refusal::Governance(GovernanceRefusal::InvalidSignature { .. }),
            ) => {
                let (id, proposal) = governance.proposal(*proposal_id).unwrap();
                let expected = proposal.ballot_message(id, *voter, *amount, *support, *deadline);
                let is_signed_for = |actions_hash| {
                    let message = Ballot { actionsHash: actions_hash, ..expected.clone() };
                    let digest = message.signing_hash(31337, GOVERNANCE);
                    let signature = Signature::from_raw(signature).ok();
                    let signer = signature.map(|s| s.recover_address_from_prehash(&digest));
                    matches!(signer, Some(Ok(signer)) if signer == *voter)
                };
                let hashes = governance.proposals().iter().map(Proposal::actions_hash);
                if !BTreeSet::from_iter(hashes).into_iter().any(is_signed_for) {
                    return;
                }
                "a ballot was signed for other actions"
            }
            (_, Refusal::Expect(ExpectRefusal::Creation { .. })) => {
                "an assertion of a creation fails"
            }
            (_, Refusal::Governance(GovernanceRefusal::ActionFailed { reason, .. })) => {
                return self.scene_of(None, &Refusal::abi_decode(reason));
            }
            _ => return,
        };
        self.saw(scene);
    }

    /// The state folded from the events alone.
    pub(crate) fn folded(&self) -> SetState {
        let mut set = SetState::new(*self.chain.set.addresses());
        for (block, log) in &self.chain.history {
            set.evolve(log, *block).expect("the history fits");
        }
        set
    }

    /// Whether the holder of most of the asset can still make Governance act.
    pub(crate) fn can_act(&self) -> bool {
        let mut chain = self.chain.clone();
        let balance = chain.set.asset().balance_of(named("treasury"));
        assert!(
            is_open_at(chain.set.governance(), chain.now(), balance),
            "{balance} can be locked"
        );
        let balance = balance.to_word();
        let approve = AssetCall::Approve { spender: GOVERNANCE, amount: balance };
        chain.ok("treasury", ASSET, approve);
        let on_behalf_of = named("alice");
        let deposit = GovernanceCall::Deposit { on_behalf_of, amount: balance };
        chain.ok("treasury", GOVERNANCE, deposit);
        chain.govern(contract(1), harmless()).is_ok()
    }

    /// Checks the invariants that need the whole history.
    pub(crate) fn end(&self) {
        self.guard.end(&self.chain);
        assert_eq!(self.folded(), self.chain.set, "the state follows from the events");
        // After 136 years the contract stores no more times and so can't act any more.
        let age = self.chain.now().since(START).unwrap();
        if age + Seconds::of(400 * 86_400) < Seconds::of(1 << 32) {
            assert!(self.can_act(), "governance can act");
        }
    }
}

/// Runs the history of this seed. A failure names the seed.
pub(crate) fn run_history(seed: u64, steps: usize) -> Seen {
    struct Replay(u64, usize);
    impl Drop for Replay {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("replay with run_history({}, {})", self.0, self.1);
            }
        }
    }
    let _replay = Replay(seed, steps);
    let mut history = RandomHistory::new(seed);
    history.run(steps);
    history.end();
    let proposals = history.chain.set.governance().proposals();
    let executed = proposals.iter().filter(|proposal| proposal.ending() == Ending::Executed);
    let executed = executed.count();
    let tipped = history.guard.tipped();
    if tipped > 0 {
        history.seen.scenes.insert("an accepted proposal is tipped by a ballot against it", tipped);
    }
    Seen { executed, ..history.seen }
}
