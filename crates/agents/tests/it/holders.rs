//! Holders; each test is about one property.

use crate::{
    process::{AnyRole, Process, Status},
    test_chain::{BLOCK, TestChain, key, tokens},
    views::Maker,
};
use alloy_primitives::Address;
use canon_agents::{Agent, Holder};
use canon_chain::{
    IntentSender, calls,
    tx::{FeePolicy, MemoryJournal},
};
use canon_protocol::{
    Amount, Deadlines, ProposalId, ProposalState, Seconds, Support, Tally, Timestamp, WithdrawalId,
};
use canon_views::{
    IntentSubject, LockMethod, Order, OrderAmount, OrderStatus, Question, RequestId, WaitsFor,
};
use std::collections::BTreeMap;

const ID: ProposalId = ProposalId::ZERO;

const fn lock(amount: u128) -> Order {
    Order::Lock { amount: tokens(amount), method: LockMethod::Permit }
}

/// An order to vote on the proposal, with the actions that it has now.
pub(crate) async fn vote(chain: &TestChain, support: Support, amount: OrderAmount) -> Order {
    let actions_hash = chain.look().await.proposal(ID).unwrap().actions_hash;
    Order::Vote { id: ID, actions_hash, support, amount }
}

pub(crate) const fn tally(yea: u128, nea: u128) -> Tally {
    Tally { yea: tokens(yea), nea: tokens(nea) }
}

fn holder(number: u64) -> Address {
    key("holder", number).address()
}

/// A chain with holders of these numbers of tokens, whose orders to lock them are confirmed.
pub(crate) async fn locked<const N: usize>(
    amounts: [u128; N],
    maker: Maker,
) -> (TestChain, Process) {
    let mut chain = TestChain::new().await;
    let mut process = Process::new(&chain, maker).await;
    for (number, amount) in (0..).zip(amounts) {
        chain.endow(holder(number), tokens(amount)).await;
        process.add_holder(number, [lock(amount)]);
    }
    process.run_block(&chain).await;
    process.act(&chain).await;
    let locks = (0..).zip(amounts).map(|(number, _)| lock_of(number, 0));
    assert_eq!(process.confirmed(), locks.collect::<Vec<_>>());
    (chain, process)
}

/// Makes a proposal through the lock. The deployer keeps 9,000 tokens of power.
pub(crate) async fn propose(chain: &mut TestChain) -> Deadlines {
    let (_, plan) = chain.upgrade("1").await;
    chain.propose(plan.payload).await;
    chain.look().await.proposal(ID).unwrap().deadlines()
}

fn lock_of(number: u64, order: u64) -> IntentSubject {
    IntentSubject::Lock { holder: holder(number), request: RequestId::of(order) }
}

fn withdrawal_of(number: u64, order: u64) -> IntentSubject {
    IntentSubject::Withdraw { holder: holder(number), request: RequestId::of(order) }
}

fn ballot(number: u64, support: Support) -> IntentSubject {
    IntentSubject::Vote { holder: holder(number), id: ID, support }
}

pub(crate) async fn cast(chain: &TestChain, number: u64) -> Tally {
    chain.holder(holder(number), [ID]).await.ballots[&ID].cast
}

fn status(process: &Process, actor: usize, order: RequestId) -> OrderStatus {
    match process.status(actor) {
        Status::Orders(orders) => orders[&order],
        other => panic!("{other:?} is no holder's"),
    }
}

#[tokio::test]
async fn power_at_the_snapshot_is_what_is_cast() {
    for maker in Maker::ALL {
        let (mut chain, mut process) = locked([1_000, 500], maker).await;
        let deadlines = propose(&mut chain).await;
        // Tokens locked in time count, and power given up in time doesn't.
        let first =
            process.order(0, vote(&chain, Support::Yea, OrderAmount::Exactly(tokens(300))).await);
        process.order(0, vote(&chain, Support::Nea, OrderAmount::Exactly(tokens(100))).await);
        let amount = OrderAmount::Exactly(tokens(200));
        process.order(1, Order::Withdraw { amount, to: holder(1) });
        process.order(1, vote(&chain, Support::Nea, OrderAmount::All).await);
        let before = process.entries.len();
        process.run_blocks(&chain, 3).await;
        assert_eq!(
            process.confirmed_since(before),
            [withdrawal_of(1, 1)],
            "nothing is cast while Pending"
        );
        let voting = OrderStatus::Waiting(WaitsFor::Voting(deadlines.voting_starts()));
        assert_eq!(status(&process, 0, first), voting);
        chain.skip_until_next_is(deadlines.voting_starts());
        process.run_block(&chain).await;
        // The rest of the power, on the other side or the same.
        process.order(0, vote(&chain, Support::Yea, OrderAmount::All).await);
        process.run_blocks(&chain, 2).await;
        assert_eq!(cast(&chain, 0).await, tally(900, 100));
        assert_eq!(cast(&chain, 1).await, tally(0, 300));
        let ballots = [
            ballot(0, Support::Yea),
            ballot(0, Support::Nea),
            ballot(1, Support::Nea),
            ballot(0, Support::Yea),
        ];
        assert_eq!(process.confirmed_since(before)[1..], ballots);
        assert_eq!(process.failures(), [""; 0]);

        // No power is left, and later it is too late.
        let late =
            process.order(0, vote(&chain, Support::Nea, OrderAmount::Exactly(tokens(200))).await);
        process.run_block(&chain).await;
        let (needed, available) = (tokens(100), Amount::ZERO);
        assert_eq!(status(&process, 0, late), OrderStatus::Short { needed, available });
        chain.skip_until_next_is(deadlines.objections_until + Seconds::SECOND);
        process.run_block(&chain).await;
        assert_eq!(status(&process, 0, late), OrderStatus::TooLate);
    }
}

/// The test's own agent: [`Process`] doesn't wait for finality.
#[tokio::test]
async fn nothing_is_cast_on_a_proposal_that_is_not_final() {
    for maker in Maker::ALL {
        let (mut chain, _) = locked([1_000], maker).await;
        let deadlines = propose(&mut chain).await;
        let creation = chain.look().await.proposal(ID).unwrap().creation;
        let mut role = Holder::new(holder(0));
        let order = vote(&chain, Support::Yea, OrderAmount::All).await;
        let number = role.add(order, RequestId::of(1));
        let (fees, journal) = (FeePolicy::default(), MemoryJournal::default());
        let sender = IntentSender::new(chain.client.clone(), key("holder", 0), fees, journal);
        let mut agent = Agent::new(role, sender.unwrap()).unwrap();
        let mut views = maker.start(chain.client.clone(), chain.identity.clone());
        let mut question = Question::default();
        agent.extend(&mut question);
        chain.skip_until_next_is(deadlines.voting_starts());
        let is_final = async || {
            let block = chain.client.final_block().await.unwrap();
            block.is_some_and(|block| block.timestamp >= creation)
        };
        let mut waited = 0;
        while !is_final().await {
            let view = views.view(&question, BLOCK).await.unwrap();
            let tick = agent.tick(&view).await;
            let waits = OrderStatus::Waiting(WaitsFor::Finality);
            assert_eq!((tick.status[&number], tick.reports.len()), (waits, 0));
            chain.mine();
            waited += 1;
        }
        assert!(waited > 50, "{waited} blocks");
        let view = views.view(&question, BLOCK).await.unwrap();
        assert_eq!(agent.tick(&view).await.status[&number], OrderStatus::Due);
        chain.mine();
        assert_eq!(cast(&chain, 0).await, tally(1_000, 0));
    }
}

#[tokio::test]
async fn a_ballot_fits_the_first_and_the_last_second() {
    for maker in Maker::ALL {
        let (mut chain, mut process) = locked([1_000], maker).await;
        let deadlines = propose(&mut chain).await;
        process.order(0, vote(&chain, Support::Yea, OrderAmount::All).await);
        let start = deadlines.voting_starts();
        let (before, first) = (Timestamp::of(start.get() - 1), start);
        let (last, after) = (deadlines.active, deadlines.active + Seconds::SECOND);
        for (time, expected) in [
            (before, Amount::ZERO),
            (first, tokens(1_000)),
            (last, tokens(1_000)),
            (after, Amount::ZERO),
        ] {
            let snapshot = chain.devchain.snapshot();
            // A new process, with a copy of the journal.
            let mut process = process.copy(&chain).await;
            chain.skip_until_next_is(time);
            process.run_block(&chain).await;
            assert_eq!(chain.now(), time);
            assert_eq!(cast(&chain, 0).await.yea, expected, "at {time}");
            assert_eq!(process.failures(), [""; 0]);
            chain.devchain.revert(snapshot).unwrap();
        }
    }
}

#[tokio::test]
async fn an_objection_fits_the_first_half_of_the_execution_delay() {
    for maker in Maker::ALL {
        for (seconds_late, cast_against, state) in
            [(0, tokens(20_000), ProposalState::Rejected), (1, Amount::ZERO, ProposalState::Queued)]
        {
            let (mut chain, mut process) = locked([20_000, 1_000], maker).await;
            let deadlines = propose(&mut chain).await;
            chain.skip_until_next_is(deadlines.voting_starts());
            let governance = chain.addresses().governance;
            chain.send(calls::vote(governance, ID, tokens(9_000), Support::Yea)).await;
            // The next block is the last one in which ballots against count, or the one that is too late.
            chain.skip_until_next_is(deadlines.objections_until + Seconds::of(seconds_late));
            process.order(0, vote(&chain, Support::Nea, OrderAmount::All).await);
            let late = process.order(1, vote(&chain, Support::Yea, OrderAmount::All).await);
            process.run_block(&chain).await;
            assert_eq!(status(&process, 1, late), OrderStatus::TooLate);
            process.run_block(&chain).await;
            assert_eq!(cast(&chain, 0).await.nea, cast_against);
            assert_eq!(cast(&chain, 1).await.yea, Amount::ZERO);
            assert_eq!(chain.look().await.proposal(ID).unwrap().state, state);
            assert_eq!(process.failures(), [""; 0]);
        }
    }
}

#[tokio::test]
async fn what_is_withdrawn_comes_back_by_itself() {
    for maker in Maker::ALL {
        let (chain, mut process) = locked([1_000], maker).await;
        let to = holder(0);
        process.order(0, Order::Withdraw { amount: OrderAmount::All, to });
        // Views without history contain the withdrawals asked for.
        process.also_asked.withdrawals.insert(WithdrawalId::ZERO);
        let before = process.entries.len();
        process.run_block(&chain).await;
        let start = chain.now();
        process.run_block(&chain).await;
        assert_eq!(process.confirmed_since(before), [withdrawal_of(0, 1)]);
        // The delay: a fifth of the voting delay, the voting duration and the execution delay.
        let unlocks_at = start + Seconds::of(720 + 3600 + 3600);
        for (time, expected) in [
            (Timestamp::of(unlocks_at.get() - 1), Amount::ZERO),
            (unlocks_at + Seconds::of(12), tokens(1_000)),
        ] {
            chain.skip_until_next_is(time);
            process.run_block(&chain).await;
            assert_eq!(chain.holder(to, []).await.balance, expected, "at {time}");
        }
        process.run_block(&chain).await;
        let paid = IntentSubject::PayWithdrawal { id: WithdrawalId::ZERO };
        assert_eq!(process.confirmed_since(before), [withdrawal_of(0, 1), paid]);
        assert_eq!(process.failures(), [""; 0]);
        assert!(process.actors[0].is_settled());
    }
}

#[tokio::test]
async fn a_withdrawal_to_somebody_else_is_paid_as_well() {
    // Only the history contains the holder that gave up the power.
    let (chain, mut process) = locked([1_000], Maker::Fold).await;
    let to = key("recipient", 0).address();
    process.order(0, Order::Withdraw { amount: OrderAmount::All, to });
    process.run_blocks(&chain, 2).await;
    chain.skip_until_next_is(chain.now() + Seconds::of(720 + 3600 + 3600));
    process.run_blocks(&chain, 2).await;
    let paid = IntentSubject::PayWithdrawal { id: WithdrawalId::ZERO };
    assert_eq!(process.confirmed().last(), Some(&paid));
    assert_eq!(chain.holder(to, []).await.balance, tokens(1_000));
    assert_eq!(process.failures(), [""; 0]);
}

#[tokio::test]
async fn an_approval_does_as_well() {
    for maker in Maker::ALL {
        let mut chain = TestChain::new().await;
        chain.endow(holder(0), tokens(1_000)).await;
        let mut process = Process::new(&chain, maker).await;
        let method = LockMethod::Approval;
        process.add_holder(0, [Order::Lock { amount: tokens(400), method }]);
        process.run_blocks(&chain, 3).await;
        let approval = IntentSubject::Approve { holder: holder(0), request: RequestId::of(0) };
        assert_eq!(process.confirmed(), [approval, lock_of(0, 0)]);
        let stands = chain.holder(holder(0), []).await;
        assert_eq!((stands.balance, stands.power), (tokens(600), tokens(400)));
        assert!(stands.allowance.is_zero());
        assert_eq!(process.failures(), [""; 0]);
    }
}

#[tokio::test]
async fn an_order_after_a_restart_is_not_taken_for_one_of_before() {
    let mut chain = TestChain::new().await;
    chain.endow(holder(0), tokens(1_000)).await;
    let mut process = Process::new(&chain, Maker::Fold).await;
    process.add_holder(0, [lock(300)]);
    process.run_blocks(&chain, 2).await;
    assert_eq!(process.confirmed(), [lock_of(0, 0)]);
    match &mut process.actors[0].agent.role {
        AnyRole::Holder(role) => role.orders.clear(),
        other => panic!("{other:?} is no holder"),
    }
    process.restart(&chain);
    assert_eq!(process.order(0, lock(200)), RequestId::of(1));
    assert_eq!(process.order(0, lock(100)), RequestId::of(2), "though none of them was sent yet");
    process.run_blocks(&chain, 4).await;
    assert!(process.confirmed().ends_with(&[lock_of(0, 1), lock_of(0, 2)]));
    assert_eq!(chain.holder(holder(0), []).await.power, tokens(600));
}

#[tokio::test]
async fn orders_follow_each_other() {
    for maker in Maker::ALL {
        let mut chain = TestChain::new().await;
        chain.endow(holder(0), tokens(1_000)).await;
        let mut process = Process::new(&chain, maker).await;
        let amount = OrderAmount::Exactly(tokens(50));
        // With two permits in a row, each has the nonce after the last one.
        let orders = [lock(300), lock(200), Order::Withdraw { amount, to: holder(0) }, lock(100)];
        process.add_holder(0, orders);
        process.run_block(&chain).await;
        let waiting = OrderStatus::Waiting(WaitsFor::Order(RequestId::of(0)));
        let statuses = [OrderStatus::Due, waiting, waiting, waiting];
        let statuses = (0..).map(RequestId::of).zip(statuses).collect::<BTreeMap<_, _>>();
        assert_eq!(*process.status(0), Status::Orders(statuses));
        process.run_blocks(&chain, 4).await;
        let expected = [lock_of(0, 0), lock_of(0, 1), withdrawal_of(0, 2), lock_of(0, 3)];
        assert_eq!(process.confirmed(), expected);
        assert_eq!(process.failures(), [""; 0]);
        let stands = chain.holder(holder(0), []).await;
        assert_eq!((stands.balance, stands.power), (tokens(400), tokens(550)));
    }
}

#[tokio::test]
async fn an_order_beyond_its_means_waits_and_nothing_is_sent() {
    let (chain, mut process) = locked([1_000], Maker::Reads).await;
    let amount = OrderAmount::Exactly(tokens(5_000));
    let withdraw = process.order(0, Order::Withdraw { amount, to: holder(0) });
    let before = process.entries.len();
    process.run_blocks(&chain, 3).await;
    let (needed, available) = (tokens(5_000), tokens(1_000));
    assert_eq!(status(&process, 0, withdraw), OrderStatus::Short { needed, available });
    assert_eq!(process.entries.len(), before);
}

#[tokio::test]
async fn a_refusal_is_reported_once_and_tried_until_it_ends() {
    for maker in Maker::ALL {
        let (chain, mut process) = locked([1_000], maker).await;
        let to = holder(0);
        process.order(0, Order::Withdraw { amount: OrderAmount::All, to });
        let governance = chain.addresses().governance;
        let before = process.entries.len();
        // Governance refuses every call for a while. Views are of an older block and don't show that.
        let view = process.look().await.unwrap();
        let snapshot = chain.devchain.snapshot();
        let refusal = alloy_primitives::bytes!("60006000fd");
        chain.devchain.set_code(governance, refusal).unwrap();
        for _ in 0..5 {
            process.tick(0, &view).await;
        }
        let failures = process.failures();
        assert_eq!(failures.len(), 1, "{failures:?}");
        assert!(failures[0].contains("initiateWithdraw"), "{failures:?}");
        chain.devchain.revert(snapshot).unwrap();
        process.run_blocks(&chain, 2).await;
        assert_eq!(process.confirmed_since(before), [withdrawal_of(0, 1)]);
        assert_eq!(process.failures(), failures, "nothing else failed");
    }
}

#[tokio::test]
async fn what_is_stuck_is_sent_again_with_higher_fees() {
    for maker in Maker::ALL {
        let mut chain = TestChain::new().await;
        chain.endow(holder(0), tokens(1_000)).await;
        let mut process = Process::new(&chain, maker).await;
        process.add_holder(0, [lock(1_000)]);
        // The base fee is above the offer at first, and again after eight blocks.
        let mut sent = Vec::new();
        for (base_fee, blocks, expected) in [(10, 8, 1), (40, 8, 2), (20, 1, 3), (20, 1, 3)] {
            for _ in 0..blocks {
                chain.devchain.set_base_fee_next(base_fee * 1_000_000_000);
                process.run_block(&chain).await;
            }
            sent = process.sent_since(0);
            assert_eq!(sent.len(), expected, "{}", process.log());
        }
        assert!(sent.iter().all(|subject| *subject == lock_of(0, 0)));
        assert_eq!(process.confirmed(), [lock_of(0, 0)], "{}", process.log());
        assert_eq!(process.failures(), [""; 0]);
        assert_eq!(chain.devchain.nonce(holder(0)), 1, "one of the three was mined");
        assert_eq!(chain.holder(holder(0), []).await.power, tokens(1_000));
    }
}
