//! The status of signaling, slot by slot.

use crate::chain::{Chain, M, N, PROPOSALS, ROLLUP, SLOT, harmless};
use alloy_primitives::Address;
use canon_protocol::{Leader, ProposalsCall, Round, SignalingStatus, Slot};
use canon_testkit::properties;
use proptest::{collection::vec, proptest};

const PAYLOADS: [Address; 2] = [Address::with_last_byte(0xf1), Address::with_last_byte(0xf2)];

/// The round of a slot, by division.
fn round_of(slot: u64) -> u64 {
    slot / u64::from(M)
}

/// The number of signals for `payload` among those given.
fn count(signals: &[Address], payload: Address) -> u32 {
    signals.iter().filter(|signal| **signal == payload).count() as u32
}

/// Compares the status of the present slot with the one computed from the signals given so far, with their
/// slots.
fn check(chain: &Chain, signals: &[(u64, Address)]) {
    let slot = chain.slot().get();
    let round = round_of(slot);
    let is_used = signals.last().is_some_and(|(used, _)| *used == slot);
    let of_round = signals.iter().filter(|(used, _)| round_of(*used) == round);
    let of_round: Vec<Address> = of_round.map(|(_, payload)| *payload).collect();
    // A payload becomes the leader when it first has more signals than the leader so far.
    let mut leader: Option<Leader> = None;
    for (index, payload) in of_round.iter().enumerate() {
        let count = count(&of_round[..=index], *payload);
        if leader.is_none_or(|leader| count > leader.count) {
            leader = Some(Leader { payload: *payload, count });
        }
    }
    let proposals = chain.set.proposals(PROPOSALS).unwrap();
    let external = chain.foreign.at(chain.now());
    let status = chain.set.signaling(PROPOSALS, chain.now(), &external).unwrap();
    let expected = SignalingStatus {
        instance: ROLLUP,
        slot: Slot::of(slot),
        round: Round::of(round),
        leader,
        first_free_slot: Slot::of(slot + u64::from(is_used)),
    };
    assert_eq!(status, expected);
    assert_eq!(status.is_free(Slot::of(slot)), !is_used, "slot {slot}");
    assert!(status.is_free(Slot::of(slot + 1)), "slot {slot}");
    let end = (round + 1) * u64::from(M);
    let free = (slot..end).filter(|one| *one != slot || !is_used).count() as u32;
    for payload in PAYLOADS {
        let most = count(&of_round, payload) + free;
        assert_eq!(status.can_win(proposals.rules(), most - free), most >= N, "slot {slot}");
    }
}

proptest! {
    #![proptest_config(properties(64))]

    /// Checks the status at the first and the last second of each slot, and after its signal, across the
    /// boundaries of rounds.
    #[test]
    fn the_status_is_what_counting_signals_says(
        start in 0..u64::from(M),
        choices in vec(0..=PAYLOADS.len(), 4 * M as usize),
    ) {
        let mut chain = Chain::staked(3);
        for payload in PAYLOADS {
            chain.foreign.list(payload, harmless());
        }
        chain.next_round();
        chain.wait(start * SLOT);
        let first = round_of(chain.slot().get());
        let mut signals = Vec::new();
        for choice in choices {
            check(&chain, &signals);
            if let Some(payload) = choice.checked_sub(1).map(|index| PAYLOADS[index]) {
                let proposer = chain.proposer();
                chain.send(proposer, PROPOSALS, ProposalsCall::Vote { payload }).unwrap();
                signals.push((chain.slot().get(), payload));
                check(&chain, &signals);
            }
            chain.wait(SLOT - 1);
            check(&chain, &signals);
            chain.wait(1);
        }
        assert_eq!(round_of(chain.slot().get()) - first, 4);
    }
}
