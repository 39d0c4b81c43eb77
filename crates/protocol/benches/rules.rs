//! Benchmarks of the number of calls per second that the rules decide and apply, and of look-ups as the
//! number of holders grows. Run with `cargo bench -p canon-protocol`.

#![allow(clippy::unwrap_used, reason = "a benchmark builds its own set")]
#![allow(missing_docs, reason = "divan's macros")]
#![allow(dead_code, unused_imports, unreachable_pub, reason = "the tests need more of this module")]

#[path = "../tests/it/chain.rs"]
mod chain;

use alloy_primitives::{Address, B256, U256};
use canon_protocol::{
    AssetCall, Call, Constructor, Context, Epoch, GovernanceCall, Log, ProposalsCall, RollupEvent,
    Seconds, Support,
};
use chain::{ASSET, Chain, EPOCH, GOVERNANCE, REGISTRY, ROLLUP, SLOT, T, contract, named};
use divan::{Bencher, black_box, counter::ItemsCount};

/// The number of holders in the measured calls.
const HOLDERS: u64 = 100_000;
/// The number of members of the set in the measured signals.
const STAKERS: usize = 1_000;
/// The numbers of holders for which look-ups are compared.
const CROWDS: [u64; 3] = [100, 10_000, 1_000_000];

/// The number of calls over which a sample takes the mean.
const SAMPLE: u32 = 10_000;

fn main() {
    divan::main();
}

/// Holder number `number`.
fn holder(number: u64) -> Address {
    Address::from_word(B256::from(U256::from(0x1_0000_0000 + number)))
}

/// Decides a call and applies its events.
fn perform(chain: &mut Chain, caller: Address, contract: Address, call: &Call) {
    let (block, prevrandao) = (chain.block, U256::ZERO);
    let context = Context { caller, block, prevrandao, external: &chain.foreign };
    for log in chain.set.decide(contract, call, &context).unwrap() {
        chain.set.evolve(&log, block).unwrap();
    }
}

/// A set with this number of stakers and holders, whose proposal 0 is Active.
fn voting(stakers: usize, holders: u64) -> Chain {
    let mut chain = Chain::staked(stakers);
    chain.lock("alice", 10_000);
    let treasury = named("treasury");
    let approve = AssetCall::Approve { spender: GOVERNANCE, amount: U256::MAX };
    perform(&mut chain, treasury, ASSET, &approve.into());
    for number in 0..holders {
        let on_behalf_of = holder(number);
        // The amount is small enough for a million deposits.
        let deposit = GovernanceCall::Deposit { on_behalf_of, amount: U256::from(T / 10) };
        perform(&mut chain, treasury, GOVERNANCE, &deposit.into());
    }
    let id = chain.lock_propose(contract(1), chain::harmless());
    let (_, proposal) = chain.set.governance().proposal(id).unwrap();
    let starts = proposal.deadlines().voting_starts();
    chain.jump(starts);
    chain
}

/// Ballots, one of each holder in turn.
#[divan::bench(sample_count = 100, sample_size = SAMPLE)]
fn ballots(bencher: Bencher<'_, '_>) {
    let mut chain = voting(3, HOLDERS);
    let vote =
        GovernanceCall::Vote { id: U256::ZERO, amount: U256::from(1), support: Support::Yea };
    let vote = Call::from(vote);
    let mut number = 0;
    bencher.counter(ItemsCount::new(1_u64)).bench_local(|| {
        number = (number + 1) % HOLDERS;
        perform(&mut chain, holder(number), GOVERNANCE, black_box(&vote));
    });
}

/// Records the seeds of the next `count` epochs.
fn record_seeds(chain: &mut Chain, count: u64) {
    let rollup = chain.set.rollup(ROLLUP).unwrap();
    let present = rollup.clock().epoch_at(chain.now()).unwrap().get();
    for epoch in (present..present + count).map(Epoch::of) {
        let rollup = chain.set.rollup(ROLLUP).unwrap();
        if rollup.seed(epoch, chain.now()).is_ok_and(|seed| seed.is_some()) {
            continue;
        }
        let event = RollupEvent::SeedRecorded { epoch, seed: epoch.to_word() }.into();
        chain.set.evolve(&Log { emitter: ROLLUP, event }, chain.block).unwrap();
    }
}

/// Signals in consecutive slots, each by the member that is drawn; 600 of 1,000 win.
#[divan::bench(sample_count = 100, sample_size = SAMPLE)]
fn signals(bencher: Bencher<'_, '_>) {
    let mut chain = voting(STAKERS, HOLDERS);
    let (n, m) = (U256::from(600), U256::from(1000));
    let proposals = contract(2);
    chain.deploy(proposals, Constructor::Proposals { registry: REGISTRY, n, m });
    let vote = Call::from(ProposalsCall::Vote { payload: contract(1) });
    // The seeds of all epochs are recorded first, so the proposer of every slot is known.
    record_seeds(&mut chain, u64::from(100 * SAMPLE) / EPOCH + 2);
    let mut time = chain.now();
    let drawn: Vec<_> = (0..=100 * SAMPLE)
        .map(|_| {
            time = time + Seconds::of(SLOT);
            let rollup = chain.set.rollup(ROLLUP).unwrap();
            rollup.member_at(time, time).unwrap().unwrap().proposer()
        })
        .collect();
    let mut drawn = drawn.into_iter().cycle();
    bencher.counter(ItemsCount::new(1_u64)).bench_local(|| {
        chain.block.timestamp = chain.block.timestamp + Seconds::of(SLOT);
        perform(&mut chain, drawn.next().unwrap(), proposals, black_box(&vote));
    });
}

/// The tabulation of a vote.
#[divan::bench(args = CROWDS)]
fn tabulation(bencher: Bencher<'_, '_>, holders: u64) {
    let chain = voting(3, holders);
    let governance = chain.set.governance();
    let proposal = &governance.proposals()[0];
    bencher.bench_local(|| governance.tabulation(black_box(proposal)));
}

/// The power of holders at the snapshot, each in turn.
#[divan::bench(args = CROWDS)]
fn power_at(bencher: Bencher<'_, '_>, holders: u64) {
    let chain = voting(3, holders);
    let governance = chain.set.governance();
    let snapshot = governance.proposals()[0].deadlines().pending;
    // Always the same hundred, so that this measures the look-up and not the machine's cache.
    let asked: Vec<_> = (0..100).map(|number| holder(number * (holders / 100))).collect();
    let mut turn = 0;
    bencher.bench_local(|| {
        turn = (turn + 1) % asked.len();
        governance.power_at(black_box(asked[turn]), snapshot, chain.now())
    });
}
