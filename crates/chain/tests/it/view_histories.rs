//! The view read from the contracts equals the one that the rules fold from the events.

use crate::{
    limited_endpoint::{Conduct, LimitedEndpoint},
    test_chain::BLOCK_TIME,
};
use alloy_eips::BlockId;
use alloy_primitives::Address;
use canon_chain::{Client, Error};
use canon_differential::{History, Lockstep};
use canon_protocol::{
    BlockNumber, CodeKind, ExternalContracts, ProposalId, Seconds, SetState, WithdrawalId,
};
use canon_testkit::histories::Rng;
use canon_views::{Present, Question};
use std::collections::{BTreeMap, BTreeSet};
use tokio::runtime::{Builder, Runtime};

/// The minimum number of steps between two comparisons.
const STEPS: u64 = 12;

/// The numbers of comparisons.
#[derive(Debug, Default)]
struct Compared {
    views: u64,
    /// Sets without a readable view.
    refused: u64,
    /// Views without signaling.
    without_signaling: u64,
    /// Views in which a rollup of another implementation is canonical.
    foreign: u64,
    /// Rounds with a leader.
    rounds: u64,
    ballots: u64,
    proposals: u64,
    attesters: u64,
    payloads: u64,
    withdrawals: u64,
}

/// Clients of one chain.
struct Clients {
    with_lens: (LimitedEndpoint, Client),
    without: (LimitedEndpoint, Client),
}

impl Clients {
    async fn new(lockstep: &Lockstep) -> Self {
        // The gas cap is geth's.
        let creation_gas = Some(50_000_000);
        let conduct = Conduct { creation_gas, ..Conduct::default() };
        let with_lens = LimitedEndpoint::new(lockstep.chain(), conduct);
        let conduct = Conduct { refuses_creation: true, ..Conduct::default() };
        let without = LimitedEndpoint::new(lockstep.chain(), conduct);
        let clients = (with_lens.client().await, without.client().await);
        Self { with_lens: (with_lens, clients.0), without: (without, clients.1) }
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

fn compare_history(seed: u64, calls: u64, compared: &mut Compared) {
    let runtime = runtime();
    let mut rng = Rng::new(seed ^ 0x7265_6164_7321);
    let mut clients = None;
    let mut next = 0;
    let history = History { seed, calls };
    history
        .run_with(|lockstep, step| {
            // Calls that wait for their block and would change something aren't on the chain yet.
            let chain = lockstep.chain();
            let newest = BlockNumber::of(chain.block_number());
            if step < next || lockstep.set().block().number > newest {
                return;
            }
            next = step + STEPS;
            runtime.block_on(async {
                if clients.is_none() {
                    clients = Some(Clients::new(lockstep).await);
                }
                let clients = clients.as_ref().unwrap();
                let what = format!("seed {seed}, step {step}");
                compare(lockstep, clients, &mut rng, compared, &what).await;
            });
        })
        .unwrap_or_else(|difference| panic!("{difference}"));
}

async fn compare(
    lockstep: &Lockstep,
    clients: &Clients,
    rng: &mut Rng,
    compared: &mut Compared,
    what: &str,
) {
    let state = lockstep.set();
    let block = clients.without.1.head().await.unwrap();
    clients.without.0.take_packets();
    let external = lockstep.foreign().at(block.timestamp);
    let everything = (Question::everything(state), BLOCK_TIME);
    let random = (random_question(state, lockstep, rng), random_block_time(rng));
    let refused = !is_readable(state, &external);
    for (question, block_time) in [everything, random] {
        let expected = Present::of_state(state, &external, block, &question, block_time);
        for ((endpoint, client), trips) in [(&clients.with_lens, 2), (&clients.without, 5)] {
            let what = format!("{what}, at most {trips} round trips, {question:?}");
            let registry = state.addresses().registry;
            let view = client.view(registry, &question, BlockId::latest(), block_time).await;
            let packets = endpoint.take_packets();
            if refused {
                let error = view.expect_err(&what);
                assert!(!matches!(error, Error::Rpc { .. }), "{what}: {error}");
                continue;
            }
            let view = view.unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(view, expected, "{what}");
            let exceeding: Vec<_> = packets.iter().skip(trips).flatten().collect();
            assert!(packets.len() == 2 || trips > 2, "{what}");
            assert!(exceeding.is_empty(), "{what}: {exceeding:?}");
        }
        compared.foreign += u64::from(!refused && state.canonical_rollup().is_none());
        compared.add(&expected, refused);
    }
}

impl Compared {
    fn add(&mut self, present: &Present, refused: bool) {
        self.views += 1;
        if refused {
            self.refused += 1;
            return;
        }
        let rounds = present.signaling.as_ref().map_or(0, |signaling| signaling.rounds.len());
        self.without_signaling += u64::from(present.signaling.is_none());
        self.rounds += rounds as u64;
        self.proposals += present.governance.proposals.len() as u64;
        let ballots = present.holders.values().map(|holder| holder.ballots.len() as u64);
        self.ballots += ballots.sum::<u64>();
        let attesters = present.rollups.values().map(|rollup| rollup.attesters.len() as u64);
        self.attesters += attesters.sum::<u64>();
        self.payloads += present.payloads.len() as u64;
        self.withdrawals += present.withdrawals.len() as u64;
    }
}

/// Whether the contracts form a readable set: Governance owns the Registry, and Proposals and the owner of
/// the Asset have code.
fn is_readable(state: &SetState, external: &dyn ExternalContracts) -> bool {
    let at = state.addresses();
    let has_code = |account| {
        state.role_of(account).is_some() || external.code(account).kind == CodeKind::Contract
    };
    state.ownership(at.registry).owner() == at.governance
        && has_code(state.governance().governance_proposer())
        && has_code(state.ownership(at.asset).owner())
}

/// A random question about existing and missing subjects.
fn random_question(state: &SetState, lockstep: &Lockstep, rng: &mut Rng) -> Question {
    let all = Question::everything(state);
    let mut accounts: Vec<Address> = all.holders.keys().chain(&all.payloads).copied().collect();
    accounts.extend(state.rollups().flat_map(|(rollup, it)| {
        let members = it.registrations().iter();
        members.flat_map(|member| [member.attester(), member.proposer()]).chain([rollup])
    }));
    let at = state.addresses();
    accounts.extend([at.registry, at.governance, at.asset, at.issuer, at.reward_distributor]);
    accounts.extend([Address::ZERO, Address::repeat_byte(0x77), state.registry().rollup()]);
    accounts.push(lockstep.set().governance().governance_proposer());
    let mut some = |most: u64| -> Vec<Address> {
        let count = rng.below(most + 1);
        (0..count).filter_map(|_| rng.pick(&accounts).copied()).collect()
    };
    let rollups: BTreeMap<_, BTreeSet<_>> =
        some(4).into_iter().map(|rollup| (rollup, some(5).into_iter().collect())).collect();
    let payloads = some(5).into_iter().collect();
    let holders = some(5);
    let ids = state.governance().proposals().len() as u64 + 2;
    let mut proposals = || {
        let count = rng.below(4);
        (0..count).map(|_| ProposalId::of(rng.below(ids))).collect::<BTreeSet<_>>()
    };
    let holders = holders.into_iter().map(|holder| (holder, proposals())).collect();
    let ids = state.governance().withdrawals().len() as u64 + 2;
    let count = rng.below(6);
    let withdrawals = (0..count).map(|_| WithdrawalId::of(rng.below(ids))).collect();
    Question { rollups, payloads, holders, withdrawals }
}

/// A few seconds, an epoch, or several epochs.
fn random_block_time(rng: &mut Rng) -> Seconds {
    let most = *rng.pick(&[1, 30, 200, 2_000]).unwrap();
    Seconds::of(rng.between(1, most))
}

/// The seeds cover rollups of other implementations (9, 12), no signaling (12), a takeover of the Registry
/// (12), nearly the maximum supply (3), one call per block (even) and several (odd).
const SEEDS: [u64; 4] = [2, 3, 9, 12];

#[test]
fn what_is_read_is_what_the_rules_fold() {
    let mut compared = Compared::default();
    for seed in SEEDS {
        compare_history(seed, 1_500, &mut compared);
    }
    let Compared { views, refused, without_signaling, foreign, .. } = compared;
    for part in [refused, without_signaling, foreign] {
        assert!(part > 0 && part < views, "{compared:?}");
    }
    let Compared { rounds, ballots, proposals, attesters, payloads, withdrawals, .. } = compared;
    for count in [rounds, ballots, proposals, attesters, payloads, withdrawals] {
        assert!(count > views, "{compared:?}");
    }
}
