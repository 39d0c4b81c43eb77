//! The lock path, on which holders propose without sequencers. It is open exactly if the holders who can
//! lock the asset can pass a proposal with it, and no configuration closes it.
//!
//! A proposal through the lock passes if enough power is left at its snapshot. The power given up for it
//! counts again only if it is paid out and locked again before the snapshot:
//!
//! | the lock's amount is paid | power at the snapshot, at most |
//! |---|---|
//! | up to the last second of Pending | all of the asset that can be locked |
//! | later | that less `lockAmount` |
//!
//! If all of it is cast for the proposal, only `minimumVotes` can reject it.

use crate::chain::{
    ASSET, Chain, GOVERNANCE, LOCK_AMOUNT, SUPPLY, T, bounds, configuration, contract, harmless,
    named, update,
};
use alloy_primitives::U256;
use canon_protocol::{
    Action, Amount, AssetCall, Configuration, Event, Governance, GovernanceCall, GovernanceEvent,
    ProposeConfiguration, RawConfiguration, Refusal, Seconds, Support, Timestamp, withdrawal_delay,
};
use canon_testkit::properties;
use proptest::{
    array::uniform9,
    prelude::{Just, Strategy, any, prop_oneof},
    proptest,
};

/// Whether the holders of `lockable`, all of it locked, can pass a proposal through the lock under
/// `configuration` if the lock's amount is withheld for `delay`.
fn is_open(configuration: &Configuration, delay: Seconds, lockable: Amount) -> bool {
    let is_paid_in_time = delay <= configuration.voting_delay;
    lockable.checked_sub(configuration.propose_config.lock_amount).is_some_and(|rest| {
        let power = if is_paid_in_time { lockable } else { rest };
        power >= configuration.minimum_votes
    })
}

/// Whether the lock path is open at `now`.
pub(crate) fn is_open_at(governance: &Governance, now: Timestamp, lockable: Amount) -> bool {
    is_open(&governance.configuration(), governance.lock_delay(now), lockable)
}

/// Whether the lock path is open once earlier configurations no longer lengthen the delay.
pub(crate) fn is_open_later(governance: &Governance, lockable: Amount) -> bool {
    let configuration = governance.configuration();
    let delay = withdrawal_delay(&configuration).max(configuration.propose_config.lock_delay);
    is_open(&configuration, delay, lockable)
}

#[test]
fn what_is_paid_in_the_last_second_of_pending_counts_again() {
    for (minimum, lock, delay, open) in [
        (998, 2, 101, true),
        (999, 2, 101, false),
        (1000, 2, 101, false),
        (1000, 2, 100, true),
        (1, 1000, 101, false),
        (1, 1000, 100, true),
        (1, 999, 101, true),
        (1, 1001, 101, false),
        (1, 1001, 100, false),
    ] {
        let configuration = Configuration {
            propose_config: ProposeConfiguration {
                lock_amount: Amount::of(lock),
                ..ProposeConfiguration::default()
            },
            voting_delay: Seconds::of(100),
            minimum_votes: Amount::of(minimum),
            ..Configuration::default()
        };
        let found = is_open(&configuration, Seconds::of(delay), Amount::of(1000));
        assert_eq!(found, open, "{minimum} of 1000, lock {lock}, delay {delay}");
    }
}

/// A set in which Alice has all of the asset and has locked it.
fn whole() -> Chain {
    let mut chain = Chain::deployed();
    let amount = U256::from(SUPPLY);
    chain.ok("treasury", ASSET, AssetCall::Transfer { to: named("alice"), amount });
    chain.ok("alice", ASSET, AssetCall::Approve { spender: GOVERNANCE, amount: U256::MAX });
    chain.ok("alice", GOVERNANCE, GovernanceCall::Deposit { on_behalf_of: named("alice"), amount });
    chain
}

/// Pays Alice's last withdrawal, and locks the amount again.
fn come_back(chain: &mut Chain) {
    let (id, last) = chain.set.governance().withdrawals().iter().enumerate().next_back().unwrap();
    let (id, unlocks_at, amount) = (U256::from(id), last.unlocks_at, last.amount.to_word());
    chain.jump(unlocks_at);
    chain.ok("anyone", GOVERNANCE, GovernanceCall::FinaliseWithdraw { id });
    chain.ok("alice", GOVERNANCE, GovernanceCall::Deposit { on_behalf_of: named("alice"), amount });
}

/// Casts all power that `holder` has now on proposal `id`.
fn cast_all(chain: &mut Chain, holder: &str, id: U256, support: Support) -> Result<(), Refusal> {
    let governance = chain.set.governance();
    let (_, proposal) = governance.proposal(id).unwrap();
    let amount = governance.castable(proposal, named(holder)).to_word();
    let vote = GovernanceCall::Vote { id, amount, support };
    chain.send(named(holder), GOVERNANCE, vote).map(|_| ())
}

/// Whether Alice can pass a proposal through the lock now, if she does all that she can for it.
fn passes(chain: &mut Chain) -> bool {
    chain.foreign.list(contract(2), harmless());
    let id = U256::from(chain.set.governance().proposals().len());
    let propose = GovernanceCall::ProposeWithLock { payload: contract(2), to: named("alice") };
    if chain.send(named("alice"), GOVERNANCE, propose).is_err() {
        return false;
    }
    let governance = chain.set.governance();
    let (_, proposal) = governance.proposal(id).unwrap();
    let deadlines = proposal.deadlines();
    if governance.withdrawals().last().unwrap().unlocks_at <= deadlines.pending {
        come_back(chain);
    }
    chain.jump(deadlines.voting_starts());
    if cast_all(chain, "alice", id, Support::Yea).is_err() {
        return false;
    }
    chain.jump(deadlines.earliest_execution());
    chain.send(named("anyone"), GOVERNANCE, GovernanceCall::Execute { id }).is_ok()
}

/// The position of each field of a configuration between its bounds: 0 is the least value, 255 the largest.
fn choices() -> impl Strategy<Value = [u8; 9]> {
    uniform9(prop_oneof![Just(0), Just(255), any::<u8>()])
}

/// The configuration for these positions that is accepted as the successor of `in_force` at this total
/// power.
fn chosen(choices: [u8; 9], in_force: &Configuration, power: Amount) -> Configuration {
    let lock_amount = in_force.propose_config.lock_amount.get().max(power.get() / 10);
    let minimum_votes = in_force.minimum_votes.get().max(power.get() / 2);
    let mut raw = RawConfiguration::from(*in_force);
    let fields = bounds(lock_amount, minimum_votes).into_iter().zip(choices);
    for ((_, field, least, most), choice) in fields {
        *field(&mut raw) = U256::from(least + (most - least) * u128::from(choice) / 255);
    }
    Configuration::check_change(&raw, in_force, power).unwrap()
}

proptest! {
    #![proptest_config(properties(200))]

    #[test]
    fn it_is_open_exactly_when_those_who_can_lock_the_asset_can_use_it(
        choices in choices(),
        lost in prop_oneof![Just(0), 0..SUPPLY, 4 * SUPPLY / 10..6 * SUPPLY / 10],
    ) {
        let mut chain = whole();
        let power = Amount::of(SUPPLY - LOCK_AMOUNT);
        let next = chosen(choices, &configuration(), power);
        chain.govern(contract(1), update(next)).unwrap();
        // The delay of the old configuration is over when its lock is paid.
        come_back(&mut chain);
        if lost > 0 {
            let (to, amount) = (contract(9), U256::from(lost));
            chain.ok("alice", GOVERNANCE, GovernanceCall::InitiateWithdraw { to, amount });
        }
        let lockable = Amount::of(SUPPLY - lost);
        let is_open = is_open_at(chain.set.governance(), chain.now(), lockable);
        assert_eq!(is_open, is_open_later(chain.set.governance(), lockable));
        assert!(lost > SUPPLY * 4 / 10 || is_open, "four tenths may be lost");
        assert_eq!(passes(&mut chain), is_open, "{next:?}");
    }

    /// Every allowed configuration can be replaced by every allowed one, although a holder of a single unit
    /// votes against it and four tenths of the power have left.
    #[test]
    fn every_allowed_configuration_can_be_changed_again(
        first in choices(),
        second in choices(),
        leaving in 0..=390_u128,
    ) {
        const POWER: u128 = 600_000;
        let mut chain = Chain::deployed();
        let share = POWER * leaving / 1000;
        chain.lock("alice", POWER - share);
        if share > 0 {
            chain.lock("carol", share);
        }
        chain.fund("dust", 1);
        let one = U256::from(1);
        chain.ok("dust", ASSET, AssetCall::Approve { spender: GOVERNANCE, amount: one });
        let on_behalf_of = named("dust");
        chain.ok("dust", GOVERNANCE, GovernanceCall::Deposit { on_behalf_of, amount: one });

        // The power when the first change is executed: its lock's amount is gone.
        let power = Amount::of(POWER * T + 1 - LOCK_AMOUNT);
        let first = chosen(first, &configuration(), power);
        change(&mut chain, first);
        if share > 0 {
            let (to, amount) = (named("carol"), U256::from(share * T));
            chain.ok("carol", GOVERNANCE, GovernanceCall::InitiateWithdraw { to, amount });
        }
        let left = chain.set.governance().total_power();
        let power = left.checked_sub(first.propose_config.lock_amount).unwrap();
        let second = chosen(second, &first, power);
        change(&mut chain, second);
        assert_eq!(chain.set.governance().configuration(), second);
    }
}

/// Makes Alice pass `next` through the lock, against a holder of a single unit.
fn change(chain: &mut Chain, next: Configuration) {
    let actions: Vec<Action> = update(next);
    let id = chain.lock_propose(contract(1), actions);
    let (_, proposal) = chain.set.governance().proposal(id).unwrap();
    let deadlines = proposal.deadlines();
    chain.jump(deadlines.voting_starts());
    cast_all(chain, "alice", id, Support::Yea).unwrap();
    cast_all(chain, "dust", id, Support::Nea).unwrap();
    chain.jump(deadlines.earliest_execution());
    let events = chain.ok("anyone", GOVERNANCE, GovernanceCall::Execute { id });
    let is_set = |event: &Event| {
        matches!(event, Event::Governance(GovernanceEvent::ConfigurationSet { configuration, .. })
            if **configuration == next)
    };
    assert!(events.iter().any(is_set), "{events:?}");
}

#[test]
fn what_is_withheld_longer_for_a_while_closes_it_for_a_while() {
    let mut chain = whole();
    // The lock's amount is paid before the snapshot, since only then all power can be there.
    let half = Configuration {
        propose_config: ProposeConfiguration {
            lock_delay: Seconds::of(60),
            lock_amount: Amount::of(500 * T),
        },
        voting_delay: Seconds::of(400),
        voting_duration: Seconds::of(60),
        execution_delay: Seconds::of(60),
        minimum_votes: Amount::of(SUPPLY / 4),
        ..configuration()
    };
    chain.govern(contract(1), update(half)).unwrap();
    let lockable = half.minimum_votes;
    let governance = chain.set.governance();
    // The delay is 520 s as long as the old configuration matters.
    assert!(!is_open_at(governance, chain.now(), lockable));
    assert!(is_open_later(governance, lockable));
    come_back(&mut chain);
    assert!(is_open_at(chain.set.governance(), chain.now(), lockable));
    assert!(passes(&mut chain));
}
