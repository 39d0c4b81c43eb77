//! The daemon of a keeper, turn by turn. The tests are named after what they prevent.

use crate::{
    keepers::{Due, WITHDRAWAL, accepted},
    process::Process,
    test_chain::{BLOCK, BLOCK_HASH, TestChain, connect, key, tokens},
    views::Maker,
};
use alloy_primitives::{Address, B256, Bytes, U256, bytes, keccak256};
use alloy_rpc_client::RpcClient;
use canon_agents::{
    Agent, Keeper, PriceLimit, Turns,
    daemon::{Daemon, Event, Level, Turn, Watch},
};
use canon_chain::{
    BlockTime, Client, IntentSender, calls,
    tx::{FeePolicy, Journal, MemoryJournal},
};
use canon_devchain::{OldTransactions, ReorgOptions, SnapshotId};
use canon_faults::{Answer, Fault, FaultPlan, Faults, params};
use canon_follow::HistoryCache;
use canon_protocol::{ProposalId, ProposalState, Seconds, Support, Timestamp};
use canon_views::{BlockDuty, IntentSubject, PayOut};
use serde_json::json;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tower::Layer;

const ID: ProposalId = ProposalId::ZERO;
const EXECUTION: IntentSubject = IntentSubject::Execute { id: ID };
const GWEI: u128 = 1_000_000_000;

/// A running daemon, and what a restart needs.
struct Kept {
    daemon: Daemon<Keeper>,
    faults: Faults,
    client: Client,
    journal: MemoryJournal,
    role: Keeper,
    registry: Address,
    number: u64,
    events: Vec<Event>,
}

fn everything() -> Keeper {
    Keeper { pay_out: PayOut::Everything, ..Keeper::default() }
}

fn daemon(
    client: &Client,
    journal: &MemoryJournal,
    role: &Keeper,
    registry: Address,
    number: u64,
) -> Daemon<Keeper> {
    let ceiling = role.price_limit.map(|limit| limit.ceiling);
    let fees =
        FeePolicy { cap: ceiling.or_else(|| FeePolicy::default().cap), ..FeePolicy::default() };
    let sender = IntentSender::new(client.clone(), key("keeper", number), fees, journal.clone());
    let agent = Agent::new(role.clone(), sender.unwrap()).unwrap();
    let (time, cache) = (BlockTime::Known(BLOCK), HistoryCache::in_memory());
    Daemon::new(agent, Watch::new(client.clone(), registry, time, cache), Seconds::of(6 * 3_600))
}

impl Kept {
    /// A keeper with ether.
    async fn new(chain: &TestChain, role: Keeper) -> Self {
        chain.fund(key("keeper", 0).address());
        Self::without_ether(chain, role, 0).await
    }

    async fn without_ether(chain: &TestChain, role: Keeper, number: u64) -> Self {
        let faults = Faults::default();
        let client = connect(RpcClient::new(faults.layer(chain.devchain.transport()), true)).await;
        let (journal, registry) = (MemoryJournal::default(), chain.addresses().registry);
        let daemon = daemon(&client, &journal, &role, registry, number);
        Self { daemon, faults, client, journal, role, registry, number, events: Vec::new() }
    }

    /// Replaces the process by one that continues from the journal.
    fn restart(&mut self) {
        let Self { client, journal, role, registry, number, .. } = self;
        self.daemon = daemon(client, journal, role, *registry, *number);
    }

    /// Takes a turn. A request that ends the process ends it, and the next one begins.
    async fn turn_at(&mut self, now: Timestamp) -> Option<Turn> {
        let faults = self.faults.clone();
        let turn = tokio::select! {
            biased;
            () = faults.killed() => None,
            turn = self.daemon.turn(now, |_| {}, |_| async {}) => Some(turn),
        };
        match &turn {
            Some(turn) => self.events.extend(turn.events.iter().cloned()),
            None => self.restart(),
        }
        turn
    }

    async fn turn(&mut self, chain: &TestChain) {
        let turn = self.turn_at(chain.now()).await;
        assert!(turn.is_none_or(|turn| turn.fatal.is_none()));
    }

    /// Takes a turn in each of some blocks.
    async fn blocks(&mut self, chain: &TestChain, count: u32) {
        for _ in 0..count {
            self.turn(chain).await;
            chain.mine();
        }
        self.turn(chain).await;
    }

    fn done(&self) -> Vec<IntentSubject> {
        let done = self.events.iter().filter(|event| matches!(event, Event::Done { .. }));
        let done = done.filter_map(|event| Some(event.intent()?.subject));
        done.filter(|one| !matches!(one, IntentSubject::RecordSeed { .. })).collect()
    }

    /// The events with this name about anything but seeds, as texts.
    fn told(&self, name: &str) -> Vec<String> {
        let is_seed = |event: &Event| {
            let subject = event.intent().map(|id| id.subject);
            matches!(subject, Some(IntentSubject::RecordSeed { .. }))
        };
        let told = self.events.iter().filter(|event| event.name() == name && !is_seed(event));
        told.map(ToString::to_string).collect()
    }

    /// The number of transactions in the journal that execute the proposal.
    fn executions(&self) -> usize {
        let transactions = self.journal.load().unwrap().transactions;
        let intents = transactions.iter().filter_map(|one| one.intent.as_ref());
        intents.filter(|intent| intent.id().subject == EXECUTION).count()
    }

    fn log(&self) -> String {
        self.events.iter().map(|event| format!("{event}\n")).collect()
    }
}

/// A set with an accepted proposal, whose execution is possible in the next block.
async fn executable() -> (TestChain, Address, canon_protocol::Deadlines) {
    let mut chain = TestChain::new().await;
    let (new, plan) = chain.upgrade("1").await;
    let deadlines = accepted(&mut chain, plan.payload).await;
    // Before the newest block, so that its replacement doesn't take the ether back.
    chain.fund(key("keeper", 0).address());
    chain.skip_until_next_is(deadlines.earliest_execution());
    (chain, new, deadlines)
}

async fn is_executed(chain: &TestChain) -> bool {
    chain.look().await.proposal(ID).unwrap().state == ProposalState::Executed
}

/// The number of transactions of a keeper that were mined.
fn mined(chain: &TestChain, number: u64) -> u64 {
    chain.devchain.nonce(key("keeper", number).address())
}

#[tokio::test]
async fn b14_b15_a_round_is_pushed_and_its_proposal_executed_in_the_first_block_that_can() {
    let mut chain = TestChain::with_short_rounds().await;
    let rollup = chain.addresses().rollup;
    chain.stake(rollup, 1).await;
    chain.lock_for(chain.deployer.address(), tokens(9_000)).await;
    let (new, plan) = chain.upgrade("1").await;
    let mut sequencers = Process::new(&chain, Maker::Reads).await;
    sequencers.add_sequencer(0, rollup, BlockDuty::Propose(BLOCK_HASH), Some(plan));
    let mut kept = Kept::new(&chain, everything()).await;
    let mut pushable_since = None;
    for _ in 0..60 {
        let view = chain.look().await;
        if pushable_since.is_none() && !view.pushable_at(view.next).is_empty() {
            pushable_since = Some(view.block.number);
        }
        sequencers.act(&chain).await;
        kept.turn(&chain).await;
        if !kept.done().is_empty() {
            break;
        }
        chain.mine();
    }
    let [push @ IntentSubject::Push { round, .. }] = kept.done()[..] else {
        panic!("{}", kept.log())
    };
    let view = chain.look().await;
    // Not the running round, which can never be pushed, and in the first block in which it could.
    assert!(round < view.signaling.as_ref().unwrap().status.round);
    assert_eq!(view.block.number.steps_since(pushable_since.unwrap()), Some(1));
    let deadlines = view.proposal(ID).unwrap().deadlines();
    chain.skip_until_next_is(deadlines.voting_starts());
    let governance = chain.addresses().governance;
    chain.send(calls::vote(governance, ID, tokens(9_000), Support::Yea)).await;
    chain.skip_until_next_is(deadlines.queued);
    kept.blocks(&chain, 1).await;
    assert!(!is_executed(&chain).await);
    kept.blocks(&chain, 1).await;
    assert_eq!(chain.now(), deadlines.queued + BLOCK);
    assert_eq!(chain.look().await.addresses.rollup, new);
    assert_eq!(kept.done(), [push, EXECUTION]);
    assert_eq!(kept.told("alarm"), [""; 0], "{}", kept.log());
    assert_eq!(kept.told("failed"), [""; 0]);
    // The seeds of the new rollup's epochs come without being asked for.
    kept.blocks(&chain, 8).await;
    let seeds = kept.events.iter().filter(|event| {
        let subject = event.intent().map(|id| id.subject);
        let is_seed =
            matches!(subject, Some(IntentSubject::RecordSeed { rollup, .. }) if rollup == new);
        is_seed && matches!(event, Event::Done { .. })
    });
    assert!(seeds.count() >= 2, "{}", kept.log());
    assert_eq!(kept.daemon.observed().counts.missed, 0);
}

#[tokio::test]
async fn a_payload_that_withholds_its_actions_does_not_stop_its_execution() {
    let (chain, new, _) = {
        let mut chain = TestChain::new().await;
        let (new, plan) = chain.upgrade("1").await;
        let deadlines = accepted(&mut chain, plan.payload).await;
        chain.devchain.set_code(plan.payload, bytes!("60006000fd")).unwrap();
        chain.skip_until_next_is(deadlines.earliest_execution());
        (chain, new, deadlines)
    };
    let mut kept = Kept::new(&chain, Keeper::default()).await;
    kept.blocks(&chain, 1).await;
    assert_eq!(chain.look().await.addresses.rollup, new, "{}", kept.log());
    assert_eq!(kept.done(), [EXECUTION]);
}

#[tokio::test]
async fn what_is_due_to_others_is_paid_only_if_told_to() {
    for (role, paid) in [(Keeper::default(), false), (everything(), true)] {
        let due = Due::new().await;
        let mut kept = Kept::new(&due.chain, role).await;
        due.switch().await;
        due.chain.skip_until_next_is(due.unlocks_at);
        kept.blocks(&due.chain, 3).await;
        let mut done = kept.done();
        done.sort_unstable();
        let mut all = [due.exit(), WITHDRAWAL, due.moved()];
        all.sort_unstable();
        assert_eq!(done, if paid { &all[..] } else { &[] }, "{}", kept.log());
    }
}

#[tokio::test]
async fn a_payload_that_is_not_on_the_list_is_left_alone_and_told_once_before_it_is_too_late() {
    let (chain, _, deadlines) = executable().await;
    let payloads = Some([Address::repeat_byte(7)].into());
    let mut kept = Kept::new(&chain, Keeper { payloads, ..Keeper::default() }).await;
    kept.blocks(&chain, 2).await;
    let quarter = Seconds::of(900);
    let closing = Timestamp::of(deadlines.executable.get() - quarter.get());
    chain.skip_until_next_is(Timestamp::of(closing.get() - 1));
    kept.turn(&chain).await;
    assert_eq!(kept.told("alarm"), [""; 0]);
    chain.skip_until_next_is(closing + BLOCK);
    kept.blocks(&chain, 3).await;
    let alarms = kept.told("alarm");
    assert_eq!(alarms.len(), 1, "{}", kept.log());
    assert!(alarms[0].starts_with("the execution of proposal 0 isn't done"), "{alarms:?}");
    assert!(alarms[0].ends_with("its payload isn't on the list of this keeper"), "{alarms:?}");
    let alarm = kept.events.iter().find(|event| event.name() == "alarm").unwrap();
    assert_eq!(alarm.level(), Level::Error);
    assert_eq!(kept.daemon.observed().alarms, 1);
    // Nobody did it.
    chain.skip_until_next_is(deadlines.executable + BLOCK);
    kept.blocks(&chain, 2).await;
    assert_eq!(kept.told("missed").len(), 1, "{}", kept.log());
    assert_eq!(kept.done(), []);
    assert_eq!(
        mined(&chain, 0),
        kept.events.iter().filter(|one| one.name() == "done").count() as u64
    );
}

#[tokio::test]
async fn a_step_on_the_list_is_taken() {
    let mut chain = TestChain::new().await;
    let (_, plan) = chain.upgrade("1").await;
    let deadlines = accepted(&mut chain, plan.payload).await;
    chain.skip_until_next_is(deadlines.earliest_execution());
    let payloads = Some([plan.payload].into());
    let mut kept = Kept::new(&chain, Keeper { payloads, ..Keeper::default() }).await;
    kept.blocks(&chain, 1).await;
    assert_eq!(kept.done(), [EXECUTION]);
}

#[tokio::test]
async fn a_price_limit_saves_fees_while_there_is_time_and_costs_no_execution() {
    let (chain, _, deadlines) = executable().await;
    let price_limit = Some(PriceLimit { limit: 2 * GWEI, ceiling: 500 * GWEI });
    let mut kept = Kept::new(&chain, Keeper { price_limit, ..Keeper::default() }).await;
    let expensive = |time| {
        chain.devchain.set_base_fee_next(100 * GWEI as u64);
        chain.skip_until_next_is(time);
    };
    let left =
        |sixteenths: u64| Timestamp::of(deadlines.executable.get() - 3_599 * sixteenths / 16);
    // A quarter of the time and more is left: it waits, says so once, and warns at the quarter.
    for time in [left(14), left(8), left(6)] {
        expensive(time);
        kept.turn(&chain).await;
    }
    assert_eq!(kept.told("failed").len(), 1, "{}", kept.log());
    assert!(kept.told("failed")[0].contains("a gas price of 101 gwei is needed and the cap is 2"));
    assert_eq!(kept.told("alarm"), [""; 0]);
    expensive(left(4));
    kept.turn(&chain).await;
    let alarms = kept.told("alarm");
    assert!(alarms.len() == 1 && alarms[0].contains("a gas price of 101 gwei"), "{alarms:?}");
    assert_eq!(kept.told("sent"), [""; 0]);
    // At half of the way to the ceiling, the price is below the limit.
    expensive(left(2));
    kept.blocks(&chain, 1).await;
    assert!(is_executed(&chain).await, "{}", kept.log());
    assert_eq!(kept.done(), [EXECUTION]);
    assert_eq!(kept.told("alarm").len(), 1);
}

#[tokio::test]
async fn a_keeper_without_ether_says_how_much_is_missing_and_goes_on_when_it_has_some() {
    let due = Due::new().await;
    let chain = &due.chain;
    let mut kept = Kept::without_ether(chain, everything(), 0).await;
    chain.skip_until_next_is(due.exitable_at);
    kept.blocks(chain, 4).await;
    let account = key("keeper", 0).address();
    let failed = kept.told("failed");
    let is_of_exit = |text: &&String| text.starts_with("the payment of the stake");
    let of_exit: Vec<_> = failed.iter().filter(is_of_exit).collect();
    assert_eq!(of_exit.len(), 1, "{}", kept.log());
    assert!(of_exit[0].contains("the account has 0 ether and it may cost"), "{of_exit:?}");
    assert!(of_exit[0].ends_with(&format!("are missing; send ether to {account}")), "{of_exit:?}");
    chain.fund(account);
    kept.blocks(chain, 12).await;
    assert!(kept.done().contains(&due.exit()), "{}", kept.log());
}

#[tokio::test]
async fn an_execution_without_ether_is_an_alarm_with_the_missing_amount() {
    let (chain, _, deadlines) = executable().await;
    let mut kept = Kept::without_ether(&chain, Keeper::default(), 1).await;
    kept.blocks(&chain, 2).await;
    chain.skip_until_next_is(Timestamp::of(deadlines.executable.get() - 600));
    kept.blocks(&chain, 2).await;
    let alarms = kept.told("alarm");
    assert_eq!(alarms.len(), 1, "{}", kept.log());
    assert!(alarms[0].contains("ether and") && alarms[0].contains("are missing"), "{alarms:?}");
}

#[tokio::test]
async fn an_execution_that_fails_is_an_alarm_with_the_reason_and_costs_nothing() {
    let (chain, new, deadlines) = executable().await;
    chain.devchain.set_code(new, Bytes::new()).unwrap();
    let mut kept = Kept::new(&chain, Keeper::default()).await;
    kept.blocks(&chain, 2).await;
    chain.skip_until_next_is(Timestamp::of(deadlines.executable.get() - 600));
    kept.blocks(&chain, 3).await;
    let alarms = kept.told("alarm");
    assert!(alarms.len() == 1 && alarms[0].contains("reason: NoAnswer("), "{}", kept.log());
    assert_eq!(kept.told("failed").len(), 1);
    assert_eq!(kept.told("sent"), [""; 0]);
}

#[tokio::test]
async fn b9_endpoints_that_are_gone_for_long_are_told_of_twice_and_need_no_restart() {
    let (chain, _, deadlines) = executable().await;
    let mut kept = Kept::new(&chain, Keeper::default()).await;
    // The first view, in which nothing can be sent.
    kept.faults.set(FaultPlan::Method("eth_sendRawTransaction", Fault::Lost));
    kept.turn(&chain).await;
    kept.faults.set(FaultPlan::by(|_| Some(Fault::Lost)));
    let mut pauses = Vec::new();
    let mut now = chain.now();
    for _ in 0..200 {
        let turn = kept.turn_at(now).await.unwrap();
        assert!(turn.fatal.is_none());
        pauses.push(turn.pause.as_secs());
        now = now + Seconds::of(turn.pause.as_secs());
    }
    assert_eq!(kept.told("unreachable").len(), 1, "{}", kept.log());
    assert!(pauses.is_sorted() && pauses.ends_with(&[30]), "{pauses:?}");
    assert!(now > deadlines.executable, "the outage is long enough");
    // Time passes without blocks too, so the alarm comes in time, with the reason.
    let alarms = kept.told("alarm");
    assert_eq!(alarms.len(), 1, "{}", kept.log());
    assert!(alarms[0].contains("the chain can't be read"), "{alarms:?}");
    assert!(!kept.daemon.observed().is_reachable && !kept.daemon.is_in_step());
    // The chain had no blocks meanwhile.
    kept.faults.end();
    kept.blocks(&chain, 1).await;
    assert_eq!(kept.told("reachable").len(), 1);
    assert!(is_executed(&chain).await, "{}", kept.log());
    assert!(kept.daemon.observed().is_reachable && kept.daemon.is_in_step());
}

#[tokio::test]
async fn b9_a_node_that_calls_a_transaction_underpriced_gets_another_without_a_restart() {
    let (chain, ..) = executable().await;
    let mut kept = Kept::new(&chain, Keeper::default()).await;
    let refusals = Arc::new(Mutex::new(5));
    kept.faults.answer(move |request| {
        let mut left = refusals.lock().unwrap();
        if request.method() != "eth_sendRawTransaction" || *left == 0 {
            return Answer::Node;
        }
        *left -= 1;
        Answer::Refusal(-32000, "replacement transaction underpriced".to_owned())
    });
    kept.blocks(&chain, 8).await;
    assert_eq!(kept.done(), [EXECUTION], "{}", kept.log());
}

#[tokio::test]
async fn a_process_killed_at_any_request_goes_on_and_sends_nothing_twice() {
    let (chain, ..) = executable().await;
    let mut start = chain.devchain.snapshot();
    let packets = killed_at(&chain, &mut start, FaultPlan::Never).await;
    assert!(packets > 20, "{packets}");
    for packet in 0..packets {
        for fault in [Fault::KilledAfter, Fault::AnswerLost] {
            killed_at(&chain, &mut start, FaultPlan::At(packet, fault)).await;
        }
    }
}

/// Executes a proposal at an endpoint with faults, from a snapshot on. Returns the number of packets of four blocks.
async fn killed_at(chain: &TestChain, start: &mut SnapshotId, plan: FaultPlan) -> u64 {
    chain.devchain.revert(*start).unwrap();
    *start = chain.devchain.snapshot();
    let mut kept = Kept::new(chain, Keeper::default()).await;
    kept.faults.set(plan);
    for _ in 0..4 {
        // A process that was killed is started again at once.
        while kept.turn_at(chain.now()).await.is_none() {}
        chain.mine();
    }
    let packets = kept.faults.packets();
    kept.faults.end();
    kept.blocks(chain, 2).await;
    assert!(is_executed(chain).await, "{}", kept.log());
    assert!(kept.done().contains(&EXECUTION), "{}", kept.log());
    assert_eq!(kept.executions(), 1, "{}", kept.log());
    packets
}

#[tokio::test]
async fn stale_heads_lead_to_no_second_transaction() {
    let (chain, ..) = executable().await;
    let mut kept = Kept::new(&chain, Keeper::default()).await;
    kept.blocks(&chain, 1).await;
    assert_eq!(kept.done(), [EXECUTION]);
    // Blocks of before the execution, as from a node that lags behind.
    let old = chain.devchain.block_number() - 1;
    kept.faults.answer(move |request| {
        let at = params(request).get(0).cloned().unwrap_or_default();
        match (request.method(), at == "latest") {
            ("eth_getBlockByNumber", true) => {
                Answer::Asked(json!([format!("{old:#x}"), params(request)[1]]))
            }
            _ => Answer::Node,
        }
    });
    for _ in 0..4 {
        kept.turn(&chain).await;
        chain.mine();
    }
    kept.faults.answer(|_| Answer::Node);
    kept.blocks(&chain, 2).await;
    assert_eq!(kept.done(), [EXECUTION], "{}", kept.log());
    assert_eq!(kept.executions(), 1, "{}", kept.log());
}

#[tokio::test]
async fn a_reorganization_of_8_blocks_takes_an_execution_back_and_it_is_done_again() {
    for old in [OldTransactions::Drop, OldTransactions::ReturnToPool] {
        let (chain, ..) = executable().await;
        let mut kept = Kept::new(&chain, Keeper::default()).await;
        // Eight blocks, the first of which has the execution.
        kept.blocks(&chain, 8).await;
        assert_eq!(kept.done(), [EXECUTION]);
        chain.devchain.reorg(ReorgOptions { depth: 8, old, ..ReorgOptions::default() }).unwrap();
        assert!(!is_executed(&chain).await);
        kept.blocks(&chain, 3).await;
        assert!(is_executed(&chain).await, "{}", kept.log());
        assert_eq!(kept.told("taken_back").len(), 1, "{}", kept.log());
        assert_eq!(kept.done(), [EXECUTION; 2], "{}", kept.log());
    }
}

/// Lets three keepers act on the same blocks, whose nodes haven't met each other's transactions: each is broadcast only
/// after all have acted. Returns the reverted transactions.
async fn three(chain: &TestChain, turns: &Turns) -> usize {
    let held = Arc::new(Mutex::new(Vec::new()));
    let mut keepers = Vec::new();
    for number in 0..3 {
        chain.fund(key("keeper", number).address());
        let role = Keeper { turns: turns.clone(), ..Keeper::default() };
        let kept = Kept::without_ether(chain, role, number).await;
        let held = held.clone();
        kept.faults.answer(move |request| {
            if request.method() != "eth_sendRawTransaction" {
                return Answer::Node;
            }
            let raw: Bytes = serde_json::from_value(params(request)[0].clone()).unwrap();
            let hash: B256 = keccak256(&raw);
            held.lock().unwrap().push(raw);
            Answer::Result(json!(hash))
        });
        keepers.push(kept);
    }
    for _ in 0..16 {
        for kept in &mut keepers {
            kept.turn(chain).await;
        }
        for raw in held.lock().unwrap().drain(..) {
            // One that was sent before is known, or too late.
            let _ = chain.devchain.send_raw(&raw);
        }
        chain.mine();
    }
    for kept in &mut keepers {
        kept.turn(chain).await;
    }
    assert!(is_executed(chain).await);
    let done: usize = keepers.iter().map(|kept| kept.done().len()).sum();
    assert_eq!(done, 1, "the execution is done once");
    let reverted = keepers.iter().flat_map(|kept| kept.told("failed"));
    reverted.filter(|text| text.contains(" reverted in ")).count()
}

#[tokio::test]
async fn three_keepers_that_take_turns_pay_for_no_execution_twice() {
    let accounts: [Address; 3] = [0, 1, 2].map(|number| key("keeper", number).address());
    for offset in 0..6 {
        let (chain, ..) = executable().await;
        for _ in 0..offset {
            chain.mine();
        }
        let reverted = three(&chain, &Turns::Among(accounts.into())).await;
        assert_eq!(reverted, 0, "from block {}", chain.devchain.block_number());
    }
}

#[tokio::test]
async fn of_three_keepers_that_do_not_know_of_each_other_few_pay_for_nothing() {
    let mut reverted = [0, 0];
    for offset in 0..6 {
        for (turns, sum) in [Turns::AtOnce, Turns::Drawn].iter().zip(&mut reverted) {
            let (chain, ..) = executable().await;
            for _ in 0..offset {
                chain.mine();
            }
            *sum += three(&chain, turns).await;
        }
    }
    // Those that act at once all send in each of the six races.
    assert!(reverted[0] == 12 && reverted[1] <= 2, "{reverted:?}");
}

#[tokio::test]
async fn a_turn_without_a_new_block_asks_once_and_waits_for_the_next() {
    let (chain, ..) = executable().await;
    let mut kept = Kept::new(&chain, Keeper::default()).await;
    kept.blocks(&chain, 3).await;
    kept.faults.set(FaultPlan::Never);
    let turn = kept.turn_at(chain.now()).await.unwrap();
    assert_eq!(kept.faults.packets(), 1);
    assert_eq!((turn.events.len(), turn.pause), (0, Duration::from_secs(BLOCK.get())));
    let late = chain.now() + Seconds::of(13);
    assert_eq!(kept.turn_at(late).await.unwrap().pause, Duration::from_secs(1));
    assert_eq!(kept.daemon.observed().balance, chain.devchain.balance(key("keeper", 0).address()));
    assert!(kept.daemon.observed().balance > U256::ZERO);
}
