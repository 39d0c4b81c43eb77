//! Endpoints that fail, lag and switch between forks.

use crate::{
    network::{Choice, Habit, Network},
    support::{Recording, client, fresh, insist, run, source, step},
};
use alloy_primitives::{Address, U256};
use alloy_rpc_client::RpcClient;
use alloy_sol_types::SolEvent;
use canon_abi::{Asset, Governance};
use canon_chain::{FINALITY, Severity};
use canon_devchain::Devchain;
use canon_faults::{Answer, Faults};
use canon_follow::{
    Advance, ChainSource, ComparisonScope, FollowError, Follower, SourceError, check_every_view,
};
use canon_protocol::SetState;
use canon_testkit::histories::Rng;
use canon_views::Question;
use tower::Layer;

/// The stages of a chain: it grows, its end is replaced, and it grows again.
fn stages() -> Vec<Devchain> {
    let recording = Recording::shared();
    let last = recording.heights.len() - 1;
    let replaced = recording.fork(last - 2, 5, 1);
    vec![recording.chain(last - 3), replaced, recording.chain(last - 1), recording.chain(last)]
}

/// Follows the stages in order. Returns the final state and the number of requests.
async fn follow_stages(stages: &[Devchain], failing: Option<u64>) -> (SetState, u64) {
    let network = Network::new(stages.iter().map(Devchain::transport), Choice::Node(0));
    if let Some(request) = failing {
        network.fail(request);
    }
    // The first request is for the chain id, which is already known.
    let source = loop {
        let provider = alloy_provider::ProviderBuilder::default().connect_client(network.client());
        if let Ok(client) = canon_chain::Client::connect(provider).await {
            break ChainSource::new(client, ComparisonScope::Everything);
        }
    };
    let mut follower = Follower::new(source, Recording::shared().identity.clone());
    for (node, stage) in stages.iter().enumerate() {
        network.choose(Choice::Node(node));
        let advance = insist(&mut follower).await;
        // The second stage ends with other blocks than the third one. This is reported regardless of the
        // failing request.
        assert_eq!(advance == Advance::Reorganized, node == 2, "stage {node}, {failing:?}");
        assert_eq!(follower.block().unwrap().hash, stage.block_hash());
    }
    (follower.state().clone(), network.requests())
}

#[test]
fn whichever_request_fails_the_end_is_the_same() {
    run(async {
        let stages = stages();
        let expected = fresh(&stages[3], &Recording::shared().identity).await;
        let (state, requests) = follow_stages(&stages, None).await;
        assert_eq!(state, expected);
        assert!(requests > 50, "{requests}");
        for failing in 0..requests {
            let (state, _) = follow_stages(&stages, Some(failing)).await;
            assert_eq!(state, expected, "request {failing} failed");
        }
    });
}

/// The number of requests for blocks and logs that a follower needs for 60 new blocks, at an endpoint that
/// refuses `percent` of the requests.
async fn requests_for_new_blocks(seed: u64, percent: u64) -> u64 {
    let recording = Recording::shared();
    let height = recording.heights.len() / 2;
    let faults = Faults::default();
    let chain = recording.fork(height, 60, 1);
    let nodes = [recording.chain(height).transport(), chain.transport()];
    let network = Network::new(nodes, Choice::Node(0));
    let rpc = RpcClient::new(faults.layer(network.clone()), true);
    let scope = ComparisonScope::Asked(Question::default());
    let source = ChainSource::new(client(rpc).await, scope);
    let mut follower = Follower::new(source, recording.identity.clone());
    follower.catch_up().await.unwrap();
    network.choose(Choice::Node(1));
    faults.take_requests();
    let mut rng = Rng::new(seed);
    faults.answer(move |_| match rng.chance(percent, 100) {
        true => Answer::Refusal(-32005, "too many requests".to_owned()),
        false => Answer::Node,
    });
    // A failed comparison isn't repeated here. It costs as much as a view.
    while follower.block().unwrap().hash != chain.block_hash() {
        if let Err(error) = follower.catch_up().await {
            assert_eq!(error.severity(), Severity::Retry, "{error}");
        }
    }
    faults.take_requests().values().sum()
}

#[test]
fn an_endpoint_that_refuses_many_requests_costs_few_more() {
    run(async {
        let least = requests_for_new_blocks(0, 0).await;
        for percent in [10, 20] {
            for seed in 0..10 {
                let requests = requests_for_new_blocks(seed, percent).await;
                // Without reusing earlier answers it would take thousands.
                assert!(requests <= 2 * least, "seed {seed}: {requests}, {least} without refusals");
            }
        }
    });
}

#[test]
fn endpoints_have_habits() {
    let recording = Recording::shared();
    run(async {
        let chain = recording.newest();
        let expected = fresh(&chain, &recording.identity).await;
        let mut requests = Vec::new();
        for habit in [
            Habit::None,
            Habit::HidesTimesOfLogs,
            Habit::GivesWrongTimesOfLogs,
            Habit::RefusesRangesAbove(100),
            Habit::RefusesRangesAbove(10),
        ] {
            let network = Network::new([chain.transport()], Choice::Node(0));
            network.adopt(habit);
            let source =
                ChainSource::new(client(network.client()).await, ComparisonScope::Everything);
            let mut follower = Follower::new(source, recording.identity.clone());
            follower.catch_up().await.unwrap();
            assert!(*follower.state() == expected, "{habit:?}");
            requests.push(network.requests());
        }
        let [plain, without_times, wrong_times, within_100, within_10] = requests[..] else {
            unreachable!()
        };
        assert_eq!(wrong_times, without_times);
        assert!(
            plain < without_times && plain < within_100 && within_100 < within_10,
            "{requests:?}"
        );
        let network = Network::new([chain.transport()], Choice::Node(0));
        network.adopt(Habit::RefusesRangesAbove(9));
        let source = ChainSource::new(client(network.client()).await, ComparisonScope::Everything);
        let mut follower = Follower::new(source, recording.identity.clone());
        let outcome = follower.catch_up().await;
        let refused = matches!(outcome, Err(FollowError::Source(SourceError::RangeTooLong(_))));
        assert!(refused, "{outcome:?}");
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains("too long"), "{error}");
    });
}

#[test]
fn logs_that_were_left_out_are_read_when_others_miss_them() {
    let recording = Recording::shared();
    run(async {
        let chain = recording.newest();
        let expected = fresh(&chain, &recording.identity).await;
        let network = Network::new([chain.transport()], Choice::Node(0));
        network.adopt(Habit::LeavesOut(Governance::Deposit::SIGNATURE_HASH));
        let source = ChainSource::new(client(network.client()).await, ComparisonScope::Everything);
        let mut follower = Follower::new(source, recording.identity.clone());
        let mut last = None;
        for _ in 0..10 {
            last = follower.catch_up().await.err();
        }
        let error = last.expect("withdrawals of power that nobody has");
        assert!(matches!(error, FollowError::Unfoldable(_)), "{error}");
        assert_eq!(error.severity(), Severity::Stop);
        // The endpoint returns complete answers again.
        network.adopt(Habit::None);
        assert_eq!(insist(&mut follower).await, Advance::Reorganized);
        assert!(*follower.state() == expected);
    });
}

#[test]
fn a_range_of_which_a_node_has_the_first_blocks_alone_is_read_again() {
    let recording = Recording::shared();
    let last = recording.heights.len() - 1;
    run(async {
        let chain = recording.newest();
        let expected = fresh(&chain, &recording.identity).await;
        for height in [last / 2, last - 3] {
            let lagging = recording.chain(height);
            assert!(lagging.block_number() + FINALITY < chain.block_number());
            // Only the logs of the old blocks come from a node that lags.
            let choice = Choice::SecondFor("eth_getLogs");
            let network = Network::new([chain.transport(), lagging.transport()], choice);
            let source =
                ChainSource::new(client(network.client()).await, ComparisonScope::Everything);
            let mut follower = Follower::new(source, recording.identity.clone());
            // It refuses a range that goes beyond its head.
            assert!(follower.step().await.is_err());
            network.choose(Choice::Node(0));
            assert_eq!(insist(&mut follower).await, Advance::Extended);
            assert!(*follower.state() == expected);
        }
    });
}

#[test]
fn blocks_without_markers_are_read_too() {
    let recording = Recording::shared();
    run(async {
        let blocks = 6 * FINALITY;
        let chain = recording.fork(recording.heights.len() / 2, blocks, 1);
        let source = source(&chain).await;
        let client = source.client().clone();
        let mut follower = Follower::new(source, recording.identity.clone());
        follower.catch_up().await.unwrap();
        let [owner, spender] = [2, 1].map(Address::with_last_byte);
        let allowance = follower.state().asset().allowance(owner, spender);
        assert_eq!(allowance, U256::from(1_000 + blocks - 1));
        check_every_view(&client, follower.state(), &follower.block().unwrap()).await.unwrap();
    });
}

#[test]
fn omitted_logs_that_nothing_misses_show_in_the_contracts_answers() {
    let recording = Recording::shared();
    run(async {
        let chain = recording.newest();
        let expected = fresh(&chain, &recording.identity).await;
        let network = Network::new([chain.transport()], Choice::Node(0));
        network.adopt(Habit::LeavesOut(Asset::Approval::SIGNATURE_HASH));
        let source = ChainSource::new(client(network.client()).await, ComparisonScope::Everything);
        let mut follower = Follower::new(source, recording.identity.clone());
        let error = follower.catch_up().await.unwrap_err();
        let FollowError::Differs(difference) = &error else { panic!("{error}") };
        assert!(difference.field.ends_with(".allowance"), "{difference}");
        assert_eq!(error.severity(), Severity::Retry);
        let mut last = error;
        for _ in 0..10 {
            last = follower.catch_up().await.unwrap_err();
        }
        assert!(matches!(last, FollowError::Unfoldable(_)), "{last}");
        network.adopt(Habit::None);
        assert_eq!(insist(&mut follower).await, Advance::Reorganized);
        assert!(*follower.state() == expected);
    });
}

#[test]
fn one_answer_of_a_deep_fork_is_not_believed() {
    let recording = Recording::shared();
    let height = recording.heights.len() / 2;
    let [ours, other] = [(1, 100), (2, 110)].map(|(fork, more)| recording.fork(height, more, fork));
    run(async {
        let network = Network::new([ours.transport(), other.transport()], Choice::Node(0));
        let source = ChainSource::new(client(network.client()).await, ComparisonScope::Everything);
        let mut follower = Follower::new(source, recording.identity.clone());
        insist(&mut follower).await;
        let (state, block) = (follower.state().clone(), follower.block());
        for _ in 0..5 {
            network.choose(Choice::Node(1));
            let answer = step(&mut follower).await;
            assert!(!matches!(answer, Ok(Advance::Reorganized)), "{answer:?}");
            network.choose(Choice::Node(0));
            insist(&mut follower).await;
            assert!(*follower.state() == state && follower.block() == block);
        }
        network.choose(Choice::Node(1));
        assert_eq!(insist(&mut follower).await, Advance::Reorganized);
        assert!(*follower.state() == fresh(&other, &recording.identity).await);
    });
}

#[test]
fn another_chain_is_refused() {
    let recording = Recording::shared();
    run(async {
        let mut identity = recording.identity.clone();
        identity.addresses.chain_id += 1;
        let mut follower = Follower::new(source(&recording.newest()).await, identity);
        let error = follower.step().await.unwrap_err();
        assert!(matches!(error, FollowError::OtherChain { .. }), "{error}");
        assert_eq!((error.severity(), follower.block()), (Severity::Stop, None));
    });
}

#[test]
fn a_reorganization_that_begins_before_any_request_ends_in_the_new_chain() {
    let recording = Recording::shared();
    let height = recording.heights.len() / 2;
    // The reorganizations are within the window, and deeper.
    for (old, new) in [(10, 12), (FINALITY + 30, FINALITY + 32)] {
        let nodes = [recording.fork(height, old, 1), recording.fork(height, new, 2)];
        run(async {
            let expected = fresh(&nodes[1], &recording.identity).await;
            let mut switch = 0;
            loop {
                let transports = nodes.iter().map(Devchain::transport);
                let network = Network::new(transports, Choice::SecondFrom(switch));
                let source =
                    ChainSource::new(client(network.client()).await, ComparisonScope::Everything);
                let mut follower = Follower::new(source, recording.identity.clone());
                insist(&mut follower).await;
                let was_late = network.requests() <= switch;
                network.choose(Choice::Node(1));
                insist(&mut follower).await;
                assert!(*follower.state() == expected, "{old} blocks, before request {switch}");
                if was_late {
                    break;
                }
                switch += 1;
            }
            assert!(switch > 10, "{switch}");
        });
    }
}

#[test]
fn a_replacement_below_the_first_earlier_state_ends_in_the_new_chain() {
    let recording = Recording::shared();
    let newest = recording.newest();
    // All blocks from the first height on are replaced, so no kept state is on the new chain.
    let more = newest.block_number() - recording.chain(0).block_number() + 1;
    let nodes = [newest, recording.fork(0, more, 1)];
    run(async {
        let expected = fresh(&nodes[1], &recording.identity).await;
        let mut switch = 0;
        loop {
            let transports = nodes.iter().map(Devchain::transport);
            let network = Network::new(transports, Choice::SecondFrom(switch));
            // Ranges are short, so that the logs take many requests and several earlier states are kept.
            network.adopt(Habit::RefusesRangesAbove(100));
            let source =
                ChainSource::new(client(network.client()).await, ComparisonScope::Everything);
            let mut follower = Follower::new(source, recording.identity.clone());
            insist(&mut follower).await;
            let was_late = network.requests() <= switch;
            if was_late {
                assert_eq!(follower.block().unwrap().hash, nodes[0].block_hash());
            }
            network.choose(Choice::Node(1));
            insist(&mut follower).await;
            assert!(*follower.state() == expected, "before request {switch}");
            if was_late {
                break;
            }
            switch += 7;
        }
        assert!(switch > 50, "{switch}");
    });
}

/// A node, and the state after its newest block.
struct Node {
    chain: Devchain,
    state: SetState,
}

impl Node {
    async fn new(chain: Devchain) -> Self {
        let state = fresh(&chain, &Recording::shared().identity).await;
        Self { chain, state }
    }
}

#[test]
fn nodes_that_lag_and_fork_cost_time_and_never_an_event() {
    let recording = Recording::shared();
    let last = recording.heights.len() - 1;
    run(async {
        // The nodes are up to date, a little behind, far behind, on two other forks, and on a longer fork.
        let mut nodes = Vec::new();
        for chain in [
            recording.newest(),
            recording.chain(last - 1),
            recording.chain(last / 2),
            recording.fork(last - 1, 9, 1),
            recording.fork(last, 2, 2),
        ] {
            nodes.push(Node::new(chain).await);
        }
        let mut compared = 0;
        for seed in 0..200 {
            let transports = nodes.iter().map(|node| node.chain.transport());
            let network = Network::new(transports, Choice::MostlyFirst(Rng::new(seed)));
            let source =
                ChainSource::new(client(network.client()).await, ComparisonScope::Everything);
            let mut follower = Follower::new(source, recording.identity.clone());
            for turn in 0..40 {
                if turn == 20 {
                    network.choose(Choice::Any(Rng::new(seed)));
                }
                if step(&mut follower).await.is_err() {
                    continue;
                }
                let at = follower.block().map(|block| block.hash);
                let node = nodes.iter().find(|node| Some(node.chain.block_hash()) == at);
                if let Some(node) = node {
                    assert!(*follower.state() == node.state, "seed {seed}, block {at:?}");
                    compared += 1;
                }
            }
            network.choose(Choice::Node(nodes.len() - 1));
            insist(&mut follower).await;
            let newest = &nodes[nodes.len() - 1];
            assert!(*follower.state() == newest.state, "seed {seed}");
        }
        assert!(compared > 200, "{compared} states were compared on the way");
    });
}
