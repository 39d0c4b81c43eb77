//! Won rounds, and their push windows.

use crate::chain::{Chain, GOVERNANCE, N, PROPOSALS, REGISTRY, ROLLUP, action, contract, harmless};
use alloy_primitives::Address;
use canon_protocol::{
    Action, GovernanceCall, PushWindow, RegistryCall, Round, Timestamp, WonRound,
};

const PAYLOAD: Address = Address::with_last_byte(0xf1);
const OTHER: Address = Address::with_last_byte(0xf2);

/// A set with a round that `PAYLOAD` won with the last possible signal, after rounds in which it had fewer.
fn won() -> (Chain, WonRound) {
    let mut chain = Chain::staked(3);
    for payload in [PAYLOAD, OTHER] {
        chain.foreign.list(payload, harmless());
    }
    chain.next_round();
    for _ in 1..N {
        chain.signal(PAYLOAD);
    }
    assert_eq!(chain.set.round_won_by(PAYLOAD), None, "a signal is missing");
    chain.next_round();
    for _ in 0..N {
        chain.signal(PAYLOAD);
    }
    let round = chain.set.proposals(PROPOSALS).unwrap().rules().round_of(chain.slot());
    let won = WonRound { round, instance: ROLLUP, proposals: PROPOSALS };
    assert_eq!(chain.set.round_won_by(PAYLOAD), Some(won));
    assert_eq!(chain.set.round_won_by(OTHER), None);
    (chain, won)
}

/// The first second of a round.
fn start(chain: &Chain, round: Round) -> Timestamp {
    let rules = *chain.set.proposals(PROPOSALS).unwrap().rules();
    let clock = *chain.set.rollup(ROLLUP).unwrap().clock();
    clock.slot_start(rules.first_slot(round)).unwrap()
}

#[test]
fn a_won_round_can_be_pushed_for_five_rounds() {
    let (chain, won) = won();
    for (rounds, seconds, window) in [
        (0, 0, PushWindow::NotOver),
        (1, -1, PushWindow::NotOver),
        (1, 0, PushWindow::Open),
        (6, -1, PushWindow::Open),
        (6, 0, PushWindow::Expired),
    ] {
        let start = start(&chain, Round::of(won.round.get() + rounds));
        let now = Timestamp::of(start.get().saturating_add_signed(seconds));
        let found = chain.set.push_window(&won, now);
        assert_eq!(found, Some(window), "{seconds} s from the start of {rounds} rounds later");
    }
    let foreign = WonRound { instance: contract(5), ..won };
    assert_eq!(chain.set.push_window(&foreign, chain.now()), None);
}

#[test]
fn a_won_round_of_a_contract_that_was_replaced_has_expired() {
    let next = contract(1);
    let proposals = GovernanceCall::UpdateGovernanceProposer { new_governance_proposer: next };
    let rollup = RegistryCall::Upgrade { rollup: next };
    type Deploy = fn(&mut Chain, Address);
    let cases: [(Deploy, Action); 2] = [
        (Chain::deploy_rollup, action(REGISTRY, rollup)),
        (Chain::deploy_proposals, action(GOVERNANCE, proposals)),
    ];
    for (deploy, replace) in cases {
        let (mut chain, won) = won();
        let open = start(&chain, won.round.next());
        chain.lock("alice", 50_000);
        deploy(&mut chain, next);
        assert_eq!(chain.set.push_window(&won, open), Some(PushWindow::Open));
        chain.govern(contract(9), vec![replace.clone()]).unwrap();
        assert_eq!(chain.set.push_window(&won, open), Some(PushWindow::Expired), "{replace:?}");
        assert_eq!(chain.set.round_won_by(PAYLOAD), Some(won), "{replace:?}");
    }
}
