//! Tests of failing endpoints, with in-process chains and a paused clock.

use super::*;
use crate::{Client, Error, Rejection, Result};
use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718;
use alloy_network::TxSignerSync;
use alloy_primitives::{Address, TxKind};
use alloy_provider::{Provider, ProviderBuilder, RootProvider};
use canon_devchain::{Devchain, DevchainConfig, Mining};
use canon_faults::{Answer, Fault, FaultPlan, Faults};
use canon_protocol::Timestamp;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::time::advance;
use tower::Layer;

const CHAIN: ChainId = 560_048;
const OTHER: ChainId = 11_155_111;
const REGISTRY: Address = Address::repeat_byte(0x11);
const HEADS: &str = "eth_getBlockByNumber";
/// An ordinary request, which the tests count at each endpoint.
const BALANCE: &str = "eth_getBalance";

/// A chain with a contract at [`REGISTRY`], and block 40 as its newest.
fn chain(chain_id: ChainId) -> Devchain {
    let chain = Devchain::new(DevchainConfig { chain_id, ..DevchainConfig::default() });
    chain.set_code(REGISTRY, vec![0xfe_u8]).unwrap();
    mine_40(&chain);
    chain
}

fn mine_40(chain: &Devchain) {
    for _ in 0..40 {
        chain.mine().unwrap();
    }
}

/// Endpoints with faults, and the notes about them.
struct Setup {
    faults: Vec<Faults>,
    failover: Failover,
    notes: Arc<Mutex<Vec<EndpointNote>>>,
}

/// Endpoints of these chains, named `http://a`, `http://b` and so on. The clock has the time of the first
/// chain's newest block.
fn endpoints(chains: &[&Devchain]) -> Setup {
    endpoints_at(chains, chains[0].timestamp())
}

fn endpoints_at(chains: &[&Devchain], now: u64) -> Setup {
    endpoints_by(chains, move || now)
}

fn endpoints_by(chains: &[&Devchain], clock: impl Fn() -> u64 + Send + Sync + 'static) -> Setup {
    let faults: Vec<_> = chains.iter().map(|_| Faults::default()).collect();
    let nodes = chains.iter().zip(&faults).zip('a'..).map(|((chain, faults), name)| {
        let transport = BoxTransport::new(faults.layer(chain.transport()));
        let endpoint = format!("http://{name}/SECRETKEY").parse().unwrap();
        Node::new(endpoint, move || {
            let transport = transport.clone();
            Box::pin(async move { Ok(transport) })
        })
    });
    let clock = Arc::new(move || Timestamp::of(clock()));
    let checks = EndpointChecks { chain_id: None, registry: Some(REGISTRY), clock };
    let notes = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&notes);
    let note = move |note| noted.lock().unwrap().push(note);
    Setup { failover: Failover::new(nodes.collect(), checks, note, || {}), faults, notes }
}

impl Setup {
    fn provider(&self) -> RootProvider {
        let rpc = RpcClient::new(self.failover.clone(), true);
        ProviderBuilder::default().connect_client(rpc)
    }

    async fn connect(&self) -> Result<Client> {
        Client::connect(self.provider()).await
    }

    /// An ordinary request.
    async fn balance(&self) -> TransportResult<()> {
        self.provider().get_balance(REGISTRY).await.map(drop)
    }

    /// The number of ordinary requests to each endpoint since the last call.
    fn asked(&self) -> Vec<u64> {
        let asked = |faults: &Faults| faults.take_requests().get(BALANCE).copied().unwrap_or(0);
        self.faults.iter().map(asked).collect()
    }

    fn break_down(&self, place: usize) {
        self.faults[place].set(FaultPlan::by(|_| Some(Fault::Lost)));
    }

    /// The notes since the last call.
    fn notes(&self) -> Vec<String> {
        self.notes.lock().unwrap().drain(..).map(|note| note.to_string()).collect()
    }
}

/// The problems in an error that lists all endpoints.
fn problems(error: &TransportError) -> Vec<EndpointProblem> {
    let no_endpoint = NoEndpoint::of(error).unwrap_or_else(|| panic!("{error}"));
    no_endpoint.0.iter().map(|note| note.problem.clone()).collect()
}

/// Makes an endpoint return heads from `blocks` blocks before.
fn lower_heads(faults: &Faults, blocks: u64) {
    change_heads(faults, move |number, time| (number - blocks, time - 12 * blocks));
}

/// Makes an endpoint return heads with another number and time.
fn change_heads(faults: &Faults, change: impl Fn(u64, u64) -> (u64, u64) + Send + Sync + 'static) {
    let change = Arc::new(change);
    faults.answer(move |request| match request.method() {
        HEADS => {
            let change = Arc::clone(&change);
            Answer::Changed(Box::new(move |mut block| {
                let field =
                    |name: &str| -> U64 { serde_json::from_value(block[name].clone()).unwrap() };
                let (number, time) = change(field("number").to(), field("timestamp").to());
                block["number"] = serde_json::to_value(U64::from(number)).unwrap();
                block["timestamp"] = serde_json::to_value(U64::from(time)).unwrap();
                block
            }))
        }
        _ => Answer::Node,
    });
}

#[tokio::test(start_paused = true)]
async fn an_error_of_one_endpoint_never_wins_over_the_answer_of_another() {
    let chain = chain(CHAIN);
    let setup = endpoints(&[&chain, &chain]);
    setup.balance().await.unwrap();
    for fault in
        [Fault::Lost, Fault::AnswerLost, Fault::HttpStatus(503, "no"), Fault::HttpStatus(429, "no")]
    {
        setup.faults[0].set(FaultPlan::Method(BALANCE, fault));
        setup.asked();
        setup.balance().await.unwrap();
        assert_eq!(setup.asked(), [1, 1]);
        setup.faults[0].end();
        advance(MAX_REST).await;
    }
}

#[tokio::test(start_paused = true)]
async fn no_endpoint_is_asked_before_its_turn() {
    let chain = chain(CHAIN);
    let setup = endpoints(&[&chain, &chain, &chain]);
    setup.connect().await.unwrap();
    for _ in 0..5 {
        setup.balance().await.unwrap();
    }
    assert_eq!(setup.asked(), [5, 0, 0]);
    assert_eq!(setup.faults[1].packets(), 0, "not even to be checked");

    // The first one is used again once its rest is over, and not before.
    setup.break_down(0);
    setup.balance().await.unwrap();
    setup.faults[0].end();
    setup.balance().await.unwrap();
    assert_eq!(setup.asked(), [1, 2, 0]);
    advance(FIRST_REST).await;
    setup.balance().await.unwrap();
    assert_eq!(setup.asked(), [1, 0, 0]);
    assert_eq!(setup.notes(), ["http://a is skipped: connection reset"]);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_of_another_chain_is_never_used() {
    let (meant, other) = (chain(CHAIN), chain(OTHER));
    // The missing Registry alone wouldn't exclude the endpoint for good.
    other.set_code(REGISTRY, Bytes::new()).unwrap();
    let setup = endpoints(&[&meant, &other]);
    setup.connect().await.unwrap();
    setup.break_down(0);
    for _ in 0..3 {
        let problems = problems(&setup.balance().await.unwrap_err());
        assert_eq!(problems[1], EndpointProblem::OtherChain { expected: CHAIN, found: OTHER });
        advance(2 * MAX_REST).await;
    }
    assert_eq!(setup.asked()[1], 0);
    assert_eq!(setup.faults[1].packets(), 3, "it is checked once");
    let note = format!("http://b is skipped: its chain id is {OTHER} and {CHAIN} was expected");
    assert_eq!(setup.notes()[1], note);
}

#[tokio::test(start_paused = true)]
async fn the_first_endpoint_is_not_used_if_another_chain_is_meant() {
    let (other, meant) = (chain(OTHER), chain(CHAIN));
    let setup = endpoints(&[&other, &meant]);
    let checks = EndpointChecks { chain_id: Some(CHAIN), ..setup.failover.0.checks.clone() };
    let shared = Arc::into_inner(setup.failover.0).unwrap();
    let failover = Failover::new(shared.nodes, checks, shared.note, || {});
    let setup = Setup { failover, ..setup };
    assert_eq!(setup.connect().await.unwrap().chain_id(), CHAIN);
    setup.balance().await.unwrap();
    assert_eq!(setup.asked(), [0, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_chain_without_the_registry_is_not_taken_for_the_right_one() {
    let (empty, delegated, meant) = (chain(CHAIN), chain(CHAIN), chain(CHAIN));
    empty.set_code(REGISTRY, Bytes::new()).unwrap();
    delegated.set_code(REGISTRY, [&[0xef, 0x01, 0x00][..], &[0x22; 20]].concat()).unwrap();
    let setup = endpoints(&[&empty, &delegated, &meant]);
    setup.balance().await.unwrap();
    assert_eq!(setup.asked(), [0, 0, 1]);
    let said = format!("it has no code at the Registry's address {REGISTRY}");
    assert!(setup.notes().iter().all(|note| note.contains(&said)));
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_not_in_sync_is_not_believed() {
    let chain_of = |id| {
        let chain = chain(id);
        let head = chain.timestamp();
        (chain, head)
    };
    let (chain, head) = chain_of(CHAIN);
    let most = MAX_HEAD_AGE.as_secs();
    endpoints_at(&[&chain], head + most).connect().await.unwrap();
    let error = endpoints_at(&[&chain], head + most + 1).connect().await.unwrap_err();
    let said = "its newest block 40 is 5 min 1 s old, expected 5 min at most";
    assert!(error.to_string().contains(said), "{error}");

    // An endpoint that stops later isn't used either.
    let now = Arc::new(AtomicU64::new(head));
    let clock = Arc::clone(&now);
    let client =
        endpoints_by(&[&chain], move || clock.load(Ordering::Relaxed)).connect().await.unwrap();
    client.head().await.unwrap();
    now.fetch_add(most + 1, Ordering::Relaxed);
    let error = client.head().await.unwrap_err();
    assert!(error.to_string().contains(said), "{error}");

    for id in DEVELOPMENT_CHAINS {
        let (chain, head) = chain_of(id);
        endpoints_at(&[&chain], head + 1_000 * most).connect().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_goes_back_is_not_believed() {
    let chain = chain(CHAIN);
    let setup = endpoints(&[&chain, &chain]);
    let client = setup.connect().await.unwrap();
    lower_heads(&setup.faults[0], MAX_BLOCKS_BEHIND);
    assert_eq!(client.head().await.unwrap().number.get(), 40 - MAX_BLOCKS_BEHIND);
    lower_heads(&setup.faults[0], MAX_BLOCKS_BEHIND + 1);
    assert_eq!(client.head().await.unwrap().number.get(), 40);
    let behind = "its newest block is 34, but there was a block 40 before";
    assert_eq!(setup.notes(), [format!("http://a is skipped: {behind}")]);

    // An endpoint that was behind from the start isn't used either.
    lower_heads(&setup.faults[1], MAX_BLOCKS_BEHIND + 1);
    advance(MAX_REST).await;
    let error = client.head().await.unwrap_err().to_string();
    let both = format!("no endpoint can be used (http://a: {behind}; http://b: {behind})");
    assert!(error.contains(&both), "{error}");
    setup.balance().await.unwrap_err();
}

/// An endpoint that forged a head isn't excluded by its own next head either.
#[tokio::test(start_paused = true)]
async fn a_head_that_is_made_up_bars_no_endpoint_in_sync() {
    for ahead in [0, MAX_TIME_AHEAD.as_secs()] {
        let chain = chain(CHAIN);
        let setup = endpoints(&[&chain, &chain]);
        change_heads(&setup.faults[0], move |number, time| (number + 1_000_000, time + ahead));
        let client = setup.connect().await.unwrap();
        assert_eq!(client.head().await.unwrap().number.get(), 1_000_040);
        setup.break_down(0);
        assert_eq!(client.head().await.unwrap().number.get(), 40);
        // An endpoint that lags is excluded by the time of that head.
        lower_heads(&setup.faults[1], MAX_BLOCKS_BEHIND + 1);
        let error = client.head().await.unwrap_err().to_string();
        let behind = "its newest block is 34, but there was a block 1,000,040 before";
        assert!(error.contains(behind), "{error}");
        setup.faults[0].end();
        lower_heads(&setup.faults[0], 0);
        assert_eq!(client.head().await.unwrap().number.get(), 40);
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_of_the_future_is_not_believed() {
    let chain = chain(CHAIN);
    let setup = endpoints(&[&chain, &chain]);
    let ahead = MAX_TIME_AHEAD.as_secs() + 1;
    change_heads(&setup.faults[0], move |number, time| (number + 1_000_000, time + ahead));
    let client = setup.connect().await.unwrap();
    assert_eq!(client.head().await.unwrap().number.get(), 40);
    let time = chain.timestamp() + ahead;
    let note = format!(
        "http://a is skipped: its newest block 1,000,040 has the Unix time {time}, 1 min 1 s ahead of the clock, \
         expected 1 min at most; check this machine's clock, or use another endpoint"
    );
    assert_eq!(setup.notes(), [note]);
}

#[tokio::test(start_paused = true)]
async fn a_time_that_no_contract_can_have_is_not_believed_of_a_development_chain_either() {
    let chain = chain(DEVELOPMENT_CHAINS[0]);
    let setup = endpoints(&[&chain]);
    change_heads(&setup.faults[0], |number, _| (number, 1 << 40));
    let error = setup.connect().await.unwrap_err();
    let said = "its newest block 40 has the Unix time 1099511627776, ";
    assert!(error.to_string().contains(said), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_only_endpoint_is_not_believed_either_if_its_head_goes_back() {
    let chain = chain(CHAIN);
    let setup = endpoints(&[&chain]);
    let client = setup.connect().await.unwrap();
    lower_heads(&setup.faults[0], 10);
    let error = client.head().await.unwrap_err();
    assert!(matches!(error, Error::NoEndpoint { .. }) && error.is_temporary(), "{error}");
    lower_heads(&setup.faults[0], 0);
    assert_eq!(client.head().await.unwrap().number.get(), 40);
}

#[tokio::test(start_paused = true)]
async fn a_developer_may_take_blocks_back() {
    let chain = chain(DEVELOPMENT_CHAINS[0]);
    let client = endpoints(&[&chain]).connect().await.unwrap();
    let snapshot = chain.snapshot();
    mine_40(&chain);
    assert_eq!(client.head().await.unwrap().number.get(), 80);
    chain.revert(snapshot).unwrap();
    assert_eq!(client.head().await.unwrap().number.get(), 40);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_asks_to_be_left_alone_is_left_alone() {
    let chain = chain(CHAIN);
    for chains in [vec![&chain], vec![&chain; 2]] {
        let setup = endpoints(&chains);
        setup.connect().await.unwrap();
        setup.faults[0].answer(|request| match request.method() {
            BALANCE => Answer::Refusal(-32005, "rate limited, try again in 40s".to_owned()),
            _ => Answer::Node,
        });
        assert_eq!(setup.balance().await.is_ok(), chains.len() > 1);
        // The same holds if there is no other endpoint any more.
        (1..chains.len()).for_each(|other| setup.break_down(other));
        let packets = setup.faults[0].packets();
        setup.balance().await.unwrap_err();
        advance(Duration::from_secs(39)).await;
        setup.balance().await.unwrap_err();
        assert_eq!(setup.faults[0].packets(), packets);
        advance(Duration::from_secs(1)).await;
        setup.faults[0].answer(|_| Answer::Node);
        setup.balance().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_cannot_ask_to_be_left_alone_for_ever() {
    let mut state = EndpointState::default();
    let retry_after = Some(Duration::from_secs(1_000_000));
    state.begin_rest(&EndpointProblem::Busy { retry_after });
    assert!(state.is_barred());
    advance(MAX_REST).await;
    assert!(!state.is_barred());
}

#[tokio::test(start_paused = true)]
async fn a_dead_endpoint_does_not_slow_every_request_down() {
    let chain = chain(CHAIN);
    let setup = endpoints(&[&chain, &chain]);
    setup.connect().await.unwrap();
    setup.break_down(0);
    let mut asked = Vec::new();
    for second in 0..700 {
        setup.balance().await.unwrap();
        if setup.faults[0].take_requests().values().sum::<u64>() > 0 {
            asked.push(second);
        }
        advance(Duration::from_secs(1)).await;
    }
    assert_eq!(asked, [0, 1, 3, 7, 15, 31, 63, 127, 255, 511]);
    assert_eq!(setup.notes().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn requests_that_fail_together_are_one_failure() {
    let chain = chain(CHAIN);
    let setup = endpoints(&[&chain, &chain]);
    setup.connect().await.unwrap();
    let shared = &setup.failover.0;
    for _ in 0..8 {
        shared.distrust(&shared.nodes[0], EndpointProblem::Failed("down".to_owned()));
    }
    assert_eq!(shared.nodes[0].state().failures, 1);
    assert_eq!(setup.notes().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_refuses_is_an_answer() {
    let chain = chain(CHAIN);
    let setup = endpoints(&[&chain, &chain]);
    setup.connect().await.unwrap();
    for (code, words) in [
        (3, "execution reverted: too many requests"),
        (-32000, "nonce too low"),
        (-32601, "the method doesn't exist"),
        (-32005, "query returned more than 10000 results"),
        (-32005, "Transaction gas limit exceeds block gas limit"),
    ] {
        setup.faults[0].answer(move |_| Answer::Refusal(code, words.to_owned()));
        let error = setup.balance().await.unwrap_err();
        assert_eq!(error.as_error_resp().unwrap().message, words);
    }
    for status in [400, 413] {
        setup.faults[0].set(FaultPlan::by(move |_| Some(Fault::HttpStatus(status, "too large"))));
        let error = setup.balance().await.unwrap_err();
        assert_eq!(error.as_transport_err().unwrap().as_http_error().unwrap().status, status);
    }
    assert_eq!(setup.faults[1].packets(), 0);
    assert!(setup.notes().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_transaction_whose_answer_is_lost_is_in_one_block_once() {
    let chain = chain(CHAIN);
    chain.set_mining(Mining::Manual);
    let setup = endpoints(&[&chain, &chain]);
    setup.connect().await.unwrap();
    setup.faults[0].set(FaultPlan::Method("eth_sendRawTransaction", Fault::AnswerLost));
    let key = chain.dev_accounts().remove(0);
    let mut tx = TxEip1559 {
        chain_id: CHAIN,
        gas_limit: 21_000,
        max_fee_per_gas: 10_000_000_000,
        to: TxKind::Call(key.address()),
        ..TxEip1559::default()
    };
    let signature = key.sign_transaction_sync(&mut tx).unwrap();
    let raw = TxEnvelope::from(tx.into_signed(signature)).encoded_2718();
    let sent = setup.provider().send_raw_transaction(&raw).await;
    assert_eq!(Rejection::of(&sent.unwrap_err()), Some(Rejection::AlreadyKnown));
    assert_eq!(chain.pool_size(), 1);
    chain.mine().unwrap();
    chain.mine().unwrap();
    assert_eq!(chain.nonce(key.address()), 1);
}

#[tokio::test(start_paused = true)]
async fn the_only_endpoint_is_tried_again_at_once() {
    let chain = chain(CHAIN);
    let setup = endpoints(&[&chain]);
    let client = setup.connect().await.unwrap();
    for _ in 0..10 {
        setup.break_down(0);
        // The first error is the endpoint's own, the second one that of the checks.
        let error = client.head().await.unwrap_err();
        assert!(error.to_string().contains("connection reset") && error.is_temporary(), "{error}");
    }
    setup.faults[0].end();
    setup.balance().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn if_all_fail_each_is_named_with_its_reason_and_without_its_key() {
    let (meant, other) = (chain(CHAIN), chain(OTHER));
    let setup = endpoints(&[&meant, &other, &meant]);
    setup.connect().await.unwrap();
    setup.faults[0].set(FaultPlan::by(|_| Some(Fault::HttpStatus(503, "\u{1b}[31mdown"))));
    setup.break_down(2);
    let error = Error::rpc("eth_call", setup.balance().await.unwrap_err());
    assert_eq!(
        error.to_string(),
        format!(
            "eth_call: no endpoint can be used (http://a: HTTP error 503 with body: \\u{{1b}}[31mdown; \
             http://b: its chain id is {OTHER} and {CHAIN} was expected; http://c: connection reset); \
             try again, or name another endpoint"
        )
    );
    assert!(!format!("{error:?} {:?}", setup.notes()).contains("SECRETKEY"));
    assert!(error.is_temporary());
}

#[tokio::test(start_paused = true)]
async fn wrong_endpoints_are_not_waited_for() {
    let (one, other) = (chain(CHAIN), chain(CHAIN));
    for chain in [&one, &other] {
        chain.set_code(REGISTRY, Bytes::new()).unwrap();
    }
    let error = endpoints(&[&one, &other]).connect().await.unwrap_err();
    assert!(!error.is_temporary(), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_chain_id_costs_no_request_after_the_checks() {
    let chain = chain(CHAIN);
    let setup = endpoints(&[&chain]);
    assert_eq!(setup.connect().await.unwrap().chain_id(), CHAIN);
    assert_eq!(setup.provider().get_chain_id().await.unwrap(), CHAIN);
    assert_eq!(setup.faults[0].packets(), 3);
}
