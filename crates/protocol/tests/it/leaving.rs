//! Withdrawals: no holder whose ballot counts has the asset back before execution.

use crate::chain::{ASSET, Chain, GOVERNANCE, T, action, configuration, contract, named, tokens};
use alloy_primitives::{Address, U256};
use canon_protocol::{
    Amount, AssetEvent, CommonRefusal, Configuration, Event, ExitFloor, GovernanceCall,
    GovernanceEvent, GovernanceRefusal, Payment, Seconds, Timestamp, WithdrawalId,
};

/// The withdrawal delay of the first configuration: floor(100 / 5) + 200 + 300.
const DELAY: u64 = 520;

const fn withdraw(to: Address, amount: U256) -> GovernanceCall {
    GovernanceCall::InitiateWithdraw { to, amount }
}

fn unlocks_at(chain: &Chain) -> Timestamp {
    chain.set.governance().withdrawals().last().unwrap().unlocks_at
}

#[test]
fn a_withdrawal_is_paid_once_from_its_second_on() {
    let mut chain = Chain::voting(10, 0);
    let start = chain.now();
    let carol = named("carol");
    let events = chain.ok("alice", GOVERNANCE, withdraw(carol, tokens(4)));
    let (id, amount) = (WithdrawalId::ZERO, Amount::of(4 * T));
    let unlocks_at = start + Seconds::of(DELAY);
    assert_eq!(
        events,
        [
            GovernanceEvent::WithdrawInitiated { withdrawal_id: id, recipient: carol, amount },
            GovernanceEvent::WithdrawalQueued { id, holder: named("alice"), unlocks_at },
        ]
        .map(Event::from)
    );

    let finalize = GovernanceCall::FinaliseWithdraw { id: U256::ZERO };
    chain.jump(start + Seconds::of(DELAY - 1));
    let (timestamp, when) = (chain.now().to_word(), unlocks_at.to_word());
    let too_early = GovernanceRefusal::NotUnlocked { timestamp, unlocks_at: when };
    chain.refused("anyone", GOVERNANCE, finalize.clone(), too_early);

    chain.jump(unlocks_at);
    let events = chain.ok("anyone", GOVERNANCE, finalize.clone());
    assert_eq!(
        events,
        [
            Event::from(GovernanceEvent::WithdrawFinalised { withdrawal_id: id }),
            Event::from(AssetEvent::Transfer { from: GOVERNANCE, to: carol, amount }),
        ]
    );
    assert_eq!(chain.set.governance().withdrawals()[0].payment, Payment::Claimed);
    let claimed = GovernanceRefusal::AlreadyClaimed { id: U256::ZERO };
    chain.refused("anyone", GOVERNANCE, finalize, claimed);
}

#[test]
fn nothing_leaves_for_nobody() {
    let mut chain = Chain::voting(10, 0);
    let alice = named("alice");
    let zero = Address::ZERO;
    chain.refused("alice", GOVERNANCE, withdraw(zero, tokens(1)), CommonRefusal::ZeroAddress);
    let nothing = GovernanceRefusal::ZeroAmount;
    chain.refused("alice", GOVERNANCE, withdraw(alice, U256::ZERO), nothing);
    for needed in [tokens(10) + U256::from(1), U256::MAX] {
        let available = tokens(10);
        let too_much = GovernanceRefusal::InsufficientPower { holder: alice, available, needed };
        chain.refused("alice", GOVERNANCE, withdraw(alice, needed), too_much);
    }
}

#[test]
fn who_leaves_in_the_first_four_fifths_of_pending_is_out_before_execution() {
    let mut chain = Chain::voting(2000, 10);
    let id = chain.lock_propose(contract(1), Vec::from([expectation()]));
    let (_, proposal) = chain.set.governance().proposal(id).unwrap();
    let deadlines = proposal.deadlines();
    let created = chain.now();
    for (later, is_out) in [(0, true), (80, true), (81, false), (100, false), (101, false)] {
        chain.jump(created + Seconds::of(later));
        chain.ok("bob", GOVERNANCE, withdraw(named("bob"), tokens(1)));
        let out = unlocks_at(&chain) < deadlines.earliest_execution();
        assert_eq!(out, is_out, "{later} s after creation");
    }
}

fn expectation() -> canon_protocol::Action {
    let call =
        canon_protocol::ExpectCall::OwnerIs { target: ASSET, expected: crate::chain::ISSUER };
    action(crate::chain::EXPECT, call)
}

/// A configuration with a withdrawal delay of 132 s.
const fn hasty() -> Configuration {
    Configuration {
        voting_delay: Seconds::of(60),
        voting_duration: Seconds::of(60),
        execution_delay: Seconds::of(60),
        ..configuration()
    }
}

/// Replaces the configuration. Returns the time of the change.
fn reconfigure(chain: &mut Chain, next: Configuration) -> Timestamp {
    let update = GovernanceCall::UpdateConfiguration { configuration: Box::new(next.into()) };
    chain.govern(contract(50), vec![action(GOVERNANCE, update)]).unwrap();
    chain.now()
}

#[test]
fn a_faster_configuration_lets_nobody_out_early() {
    let mut chain = Chain::voting(50_000, 10);
    let replaced = reconfigure(&mut chain, hasty());
    let floor = chain.set.governance().exit_floor();
    let until = replaced + Seconds::of(600);
    assert_eq!(floor, ExitFloor { delay: Seconds::of(DELAY), until });
    for (time, delay) in [(replaced, DELAY), (until, DELAY), (until + Seconds::SECOND, 132)] {
        chain.jump(time);
        chain.ok("bob", GOVERNANCE, withdraw(named("bob"), tokens(1)));
        assert_eq!(unlocks_at(&chain), time + Seconds::of(delay));
    }
}

#[test]
fn a_slower_configuration_holds_at_once() {
    let mut chain = Chain::voting(50_000, 10);
    let slow = Configuration { voting_duration: Seconds::of(10_000), ..configuration() };
    let replaced = reconfigure(&mut chain, slow);
    chain.ok("bob", GOVERNANCE, withdraw(named("bob"), tokens(1)));
    assert_eq!(unlocks_at(&chain), replaced + Seconds::of(10_320));
}

#[test]
fn the_lock_delay_yields_to_a_longer_withdrawal_delay() {
    let mut chain = Chain::voting(50_000, 0);
    let slow = Configuration { voting_duration: Seconds::of(10_000), ..configuration() };
    reconfigure(&mut chain, slow);
    chain.lock_propose(contract(60), vec![expectation()]);
    assert_eq!(unlocks_at(&chain), chain.now() + Seconds::of(10_320));
}
