//! Histories, carried out by the rules alone.

use crate::{
    chain::{
        ASSET, Chain, DISTRIBUTOR, GOVERNANCE, ROLLUP, START, at, contract, key, named, tokens,
    },
    invariants::Guard,
};
use alloy::{
    primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256},
    signers::{SignerSync, local::PrivateKeySigner},
};
use canon_protocol::{
    AssetCall, Call, Ending, Event, GovernanceCall, GovernanceRefusal, Refusal, Seconds, World,
    histories::{Cast, Director, Pace, Put, Staker, Step},
};
use std::collections::{BTreeMap, BTreeSet};

const HOLDERS: usize = 5;
const STAKERS: usize = 6;

fn cast() -> (Cast, BTreeMap<Address, PrivateKeySigner>) {
    let mut keys = BTreeMap::new();
    let mut person = |name: String| {
        let key = key(&name);
        let address = key.address();
        keys.insert(address, key);
        address
    };
    let holders: Vec<_> = (0..HOLDERS).map(|number| person(format!("holder {number}"))).collect();
    let stakers: Vec<_> = (0..STAKERS)
        .map(|number| Staker {
            attester: person(format!("attester {number}")),
            proposer: person(format!("proposer {number}")),
            withdrawer: person(format!("withdrawer {number}")),
        })
        .collect();
    let wallets = vec![holders[0], stakers[0].proposer];
    (Cast { holders, stakers, stranger: person("stranger".to_owned()), wallets }, keys)
}

/// What has been seen in a history.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) events: BTreeSet<String>,
    pub(crate) refusals: BTreeSet<String>,
    pub(crate) states: BTreeSet<u8>,
    pub(crate) executed: usize,
}

/// A history in progress.
#[derive(Debug)]
pub(crate) struct Play {
    pub(crate) chain: Chain,
    pub(crate) seen: Seen,
    director: Director,
    guard: Guard,
    deployed: u64,
}

impl Play {
    /// The set with everybody funded, some staked and some power locked.
    pub(crate) fn new(seed: u64) -> Self {
        let (cast, keys) = cast();
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
        let director = Director::new(seed, cast, Pace::SharedBlocks, sign);
        let guard = Guard::new(&chain.world);
        Self { chain, seen: Seen::default(), director, guard, deployed: 0 }
    }

    /// So many steps, with everything checked after each.
    pub(crate) fn run(&mut self, steps: usize) {
        for _ in 0..steps {
            self.step();
        }
    }

    fn step(&mut self) {
        let (wait, step) =
            self.director.next(&self.chain.world, self.chain.now(), &self.chain.foreign.written);
        if wait.get() > 0 {
            self.chain.wait(wait.get());
        }
        match step {
            Step::Put(account, put) => self.put(account, put),
            Step::Deploy(deployment) => {
                let contract = self.next_contract();
                match self.chain.try_deploy(contract, &deployment) {
                    Ok(logs) => {
                        self.chain.foreign.deploy(contract);
                        self.chain.record(logs);
                        self.guard.deployed(&self.chain.world, contract);
                    }
                    Err(refusal) => self.refused(&refusal),
                }
            }
            Step::Call { caller, contract, call } => {
                let before = self.chain.world.clone();
                let outcome = self.chain.send(caller, contract, call.clone());
                self.came(&before, Some(&call), outcome);
            }
            Step::Transaction { caller, target, data } => {
                let before = self.chain.world.clone();
                let outcome = self.chain.transact(caller, target, &data);
                self.came(&before, None, outcome);
            }
        }
        let governance = self.chain.world.governance();
        for proposal in governance.proposals() {
            self.seen.states.insert(governance.state(proposal, self.chain.now()) as u8);
        }
        self.guard.check(&self.chain);
    }

    /// Every put changes the hash: two contracts of different conduct never share one.
    fn put(&mut self, account: Address, put: Put) {
        let hash = match &put {
            Put::Nothing => KECCAK256_EMPTY,
            _ => keccak256(format!("{put:?}")),
        };
        self.chain.foreign.written.put(account, put, hash);
    }

    fn came(&mut self, before: &World, call: Option<&Call>, outcome: Result<Vec<Event>, Refusal>) {
        match outcome {
            Ok(events) => {
                for event in &events {
                    self.seen.events.insert(kind(event));
                }
                self.guard.called(before, &self.chain, call, &events);
            }
            Err(refusal) => {
                assert_eq!(self.chain.world, *before, "a refused call changes nothing");
                self.refused(&refusal);
            }
        }
    }

    fn refused(&mut self, refusal: &Refusal) {
        let mut refusal = refusal.clone();
        self.seen.refusals.insert(kind(&refusal));
        // What an action failed with counts as well.
        while let Refusal::Governance(GovernanceRefusal::ActionFailed { reason, .. }) = &refusal {
            refusal = Refusal::abi_decode(reason);
            self.seen.refusals.insert(kind(&refusal));
        }
    }

    fn next_contract(&mut self) -> Address {
        self.deployed += 1;
        contract(1000 + self.deployed)
    }

    /// The state that the events alone give.
    pub(crate) fn folded(&self) -> World {
        let mut world = World::new(*self.chain.world.addresses());
        for (block, log) in &self.chain.history {
            world.evolve(log, *block).expect("the history fits");
        }
        world
    }

    /// Whether whoever has most of the asset can still make Governance act, whatever has happened;
    /// unless what passed asks for more than that.
    pub(crate) fn can_act(&self) -> bool {
        let mut chain = self.chain.clone();
        let balance = chain.world.asset().balance_of(named("treasury"));
        let path = chain.world.governance().lock_path(chain.now(), balance);
        if !path.is_open() || balance < path.given_up {
            return self.guard.was_closed();
        }
        let balance = balance.to_word();
        let approve = AssetCall::Approve { spender: GOVERNANCE, amount: balance };
        chain.ok("treasury", ASSET, approve);
        let on_behalf_of = named("alice");
        let deposit = GovernanceCall::Deposit { on_behalf_of, amount: balance };
        chain.ok("treasury", GOVERNANCE, deposit);
        let harmless = crate::chain::action(GOVERNANCE, GovernanceCall::InvalidateNonce);
        chain.govern(contract(1), vec![harmless]).is_ok()
    }

    /// Checks what needs the whole history.
    pub(crate) fn end(&self) {
        self.guard.end(&self.chain);
        assert_eq!(self.folded(), self.chain.world, "the state follows from the events");
        // After 136 years it stores no more times, and that is the end of it.
        let age = self.chain.now().since(at(START)).unwrap();
        if age + Seconds::of(400 * 86_400) < Seconds::of(1 << 32) {
            assert!(self.can_act(), "governance can act");
        }
    }
}

/// The names of a message and of its contract.
fn kind(message: &impl std::fmt::Debug) -> String {
    let text = format!("{message:?}");
    let end = text.find([' ', '{', ')']).unwrap_or(text.len());
    text[..end].to_owned()
}

/// A history of this seed; the seed is named if anything is wrong with it.
pub(crate) fn play(seed: u64, steps: usize) -> Seen {
    struct Replay(u64, usize);
    impl Drop for Replay {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("replay with play({}, {})", self.0, self.1);
            }
        }
    }
    let _replay = Replay(seed, steps);
    let mut play = Play::new(seed);
    play.run(steps);
    play.end();
    let proposals = play.chain.world.governance().proposals();
    let executed = proposals.iter().filter(|proposal| proposal.ending() == Ending::Executed);
    Seen { executed: executed.count(), ..play.seen }
}
