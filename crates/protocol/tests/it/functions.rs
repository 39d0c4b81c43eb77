//! Properties of the plain functions.

use alloy_primitives::{U256, keccak256};
use canon_protocol::{
    Amount, Configuration, ConfigurationId, Deadlines, Epoch, ExitFloor, Fraction, RoundRules,
    Seconds, Slot, SlotClock, Tally, Timestamp, draw, tabulate,
};
use canon_testkit::properties;
use core::num::NonZeroU64;
use proptest::{collection::vec, prelude::Strategy, proptest};

fn seconds() -> impl Strategy<Value = Seconds> {
    (60..5000u64).prop_map(Seconds::of)
}

fn configuration() -> impl Strategy<Value = Configuration> {
    (seconds(), seconds(), seconds(), 0..=100u64, 0..=100u64).prop_map(
        |(voting_delay, voting_duration, execution_delay, quorum, differential)| Configuration {
            voting_delay,
            voting_duration,
            execution_delay,
            grace_period: Seconds::MINUTE,
            quorum: Fraction::percent(quorum),
            vote_differential: Fraction::percent(differential),
            ..Configuration::default()
        },
    )
}

proptest! {
    #![proptest_config(properties(256))]

    /// For every change of the configuration: a holder that has power after a proposal's snapshot gets the
    /// asset no sooner than the proposal can be executed.
    #[test]
    fn nobody_is_out_before_execution(
        changes in vec((configuration(), 1..3000u64), 1..8),
        created in 0..20_000u64,
        left in 0..40_000u64,
    ) {
        let (first, _) = changes[0];
        let mut current = first;
        let mut floor = ExitFloor::default();
        let mut frozen = first;
        let mut at_withdrawal = (first, floor);
        let mut now = Timestamp::of(1);
        for (next, later) in changes {
            now = now + Seconds::of(later);
            floor = floor.after_replacing(&current, now);
            current = next;
            if now.get() <= created {
                frozen = current;
            }
            if now.get() <= left {
                at_withdrawal = (current, floor);
            }
        }
        let deadlines = Deadlines::new(Timestamp::of(created), &frozen);
        let (configuration, floor) = at_withdrawal;
        let left = Timestamp::of(left);
        if left > deadlines.pending {
            let unlocks_at = left + floor.delay_at(left, &configuration);
            assert!(unlocks_at >= deadlines.earliest_execution());
        }
    }

    #[test]
    fn more_friends_never_hurt(
        configuration in configuration(),
        total in 1..1u128 << 96,
        yea in 0..1u128 << 96,
        nea in 0..1u128 << 96,
        more in 0..1u128 << 96,
    ) {
        let yea = yea % (total + 1);
        let nea = nea % (total - yea + 1);
        let more = more % (total - yea - nea + 1);
        let accepted = |yea, nea| {
            let tally = Tally { yea: Amount::of(yea), nea: Amount::of(nea) };
            tabulate(&configuration, Amount::of(total), tally).is_accepted()
        };
        if accepted(yea, nea) {
            assert!(accepted(yea + more, nea));
        }
        // A proposal with as much power against it as for it isn't accepted, unless no power has to be cast
        // at all.
        if yea > 0 && nea >= yea {
            assert!(!accepted(yea, nea));
        }
    }

    #[test]
    fn every_second_has_one_slot(
        genesis in 0..1u64 << 39,
        slot_duration in 1..10_000u64,
        epoch_duration in 1..1000u64,
        age in 0..1u64 << 38,
    ) {
        let clock = SlotClock {
            genesis: Timestamp::of(genesis),
            slot_duration: NonZeroU64::new(slot_duration).unwrap(),
            epoch_duration: NonZeroU64::new(epoch_duration).unwrap(),
        };
        let time = Timestamp::of(genesis + age);
        let slot = clock.slot_at(time).unwrap();
        assert!(clock.slot_start(slot).unwrap() <= time && time <= clock.slot_end(slot).unwrap());
        assert_eq!(clock.slot_at(clock.slot_start(slot).unwrap()), Some(slot));
        assert_eq!(clock.slot_at(clock.slot_end(slot).unwrap() + Seconds::SECOND), Some(slot.next()));
        let epoch = clock.epoch_at(time).unwrap();
        let first = clock.first_slot(epoch).unwrap();
        assert!(first <= slot && slot < clock.first_slot(epoch.next()).unwrap());
        assert_eq!(clock.epoch_at(clock.epoch_start(epoch).unwrap()), Some(epoch));
    }

    #[test]
    fn every_slot_has_one_round(n in 2..50u32, rest in 0..49u32, slot in 0..1u64 << 60) {
        let m = n + rest.min(n - 1);
        let rules = RoundRules::new(n, m).unwrap();
        let slot = Slot::of(slot);
        let round = rules.round_of(slot);
        assert!(rules.first_slot(round) <= slot && slot <= rules.last_slot(round));
        assert_eq!(rules.first_slot(round.next()), rules.last_slot(round).next());
        assert!(2 * n > m, "two payloads of a round can't both win");
    }
}

#[test]
fn everybody_draws_as_often_as_everybody_else() {
    let members = 10u64;
    let mut drawn = vec![0u32; 10];
    for slot in 0..20_000 {
        let seed = U256::from_be_bytes(keccak256([(slot / 32) as u8, (slot / 8192) as u8]).0);
        let index = draw(seed, Slot::of(slot), members).unwrap();
        drawn[usize::try_from(index).unwrap()] += 1;
    }
    assert!(drawn.iter().all(|count| (1800..2200).contains(count)), "{drawn:?}");
}

#[test]
fn quantities_are_read_as_they_are_written() {
    assert_eq!(format!("{} {:?}", Slot::of(7), Slot::of(7)), "7 Slot(7)");
    assert_eq!(Epoch::of(3).steps_since(Epoch::of(1)), Some(2));
    assert_eq!(ConfigurationId::MAX.next(), ConfigurationId::MAX);
    assert_eq!(
        (Seconds::MINUTE, Seconds::HOUR.get(), Seconds::DAY.get()),
        (Seconds::of(60), 3600, 86_400)
    );
    assert_eq!(Seconds::HOUR.checked_mul(24), Some(Seconds::DAY));
    assert_eq!(Seconds::MAX.checked_mul(1), Some(Seconds::MAX));
    assert_eq!(Seconds::MAX.checked_mul(2), None);
    assert_eq!(Seconds::of(2).checked_mul(u64::MAX), None);
}
