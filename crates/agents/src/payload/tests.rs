//! The setting and the decision, as tables.

use super::*;
use crate::view::{RollupView, Seed, Signaling};
use alloy_primitives::{address, map::AddressMap};
use canon_chain::{Deployment, RollupRules, SignalStatus};
use canon_protocol::{
    Amount, BlockNumber, ProposalId, ProposalState, Round, RoundRules, Seconds, Slot, SlotClock,
    Timestamp,
};
use canon_views::BlockView;
use core::num::NonZeroU64;

const PAYLOAD: Address = address!("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
const OWN: Address = address!("0x00000000000000000000000000000000000000a1");
const OTHER: Address = address!("0x00000000000000000000000000000000000000a2");

#[test]
fn the_setting_is_an_address_without_a_typing_error() {
    for text in [
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        " 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\n",
        "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
        "0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED",
    ] {
        assert_eq!(setting(&[(PROPOSAL_PAYLOAD, text)]).unwrap().0, Some(PAYLOAD), "{text}");
    }
    for (text, says) in [
        // One digit mistyped, one letter's case.
        ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAee", "right EIP-55 checksum"),
        ("0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "right EIP-55 checksum"),
        ("latest", "40 hexadecimal digits"),
        ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeA", "40 hexadecimal digits"),
        ("canon.eth", "40 hexadecimal digits"),
    ] {
        let error = setting(&[(ALIASES[0], text)]).unwrap_err();
        assert!(matches!(error, PayloadError::NotAnAddress { .. }), "{text}");
        let error = error.to_string();
        assert!(error.starts_with(ALIASES[0]) && error.contains(says), "{error}");
    }
}

fn setting(variables: &[(&str, &str)]) -> Result<(Option<Address>, Vec<String>), PayloadError> {
    payload_setting(variables.iter().map(|(name, value)| ((*name).into(), (*value).into())))
}

#[test]
fn the_setting_has_several_names_and_no_others() {
    let text = PAYLOAD.to_checksum(None);
    for name in [PROPOSAL_PAYLOAD, ALIASES[0], ALIASES[1]] {
        assert_eq!(setting(&[("PATH", "/bin"), (name, &text)]).unwrap(), (Some(PAYLOAD), vec![]));
        assert_eq!(setting(&[(name, " ")]).unwrap(), (None, vec![]));
        assert!(setting(&[(name, "0x12")]).is_err());
    }
    for name in
        ["PROPOSAL_PAYLOAD_ADDRESS", "GOVERNANCE_PAYLOAD", "proposal_payload", "VOTE_PAYLOAD"]
    {
        assert_eq!(setting(&[(name, &text)]).unwrap(), (None, vec![name.to_owned()]));
    }
    assert_eq!(setting(&[("PAYLOAD", &text), ("PROPOSAL", "1")]).unwrap(), (None, vec![]));
    assert_eq!(
        setting(&[(PROPOSAL_PAYLOAD, &text), (ALIASES[0], &text)]).unwrap().0,
        Some(PAYLOAD)
    );
    let other = OTHER.to_checksum(None);
    let error = setting(&[(ALIASES[0], &text), (PROPOSAL_PAYLOAD, &other)]).unwrap_err();
    assert!(matches!(error, PayloadError::Contradiction { .. }), "{error}");
}

/// A view in which a signal is due: slot 23, so round 2 of rounds of 10 slots.
fn view(status: PayloadStatus) -> View {
    let rules = RollupRules {
        clock: SlotClock {
            genesis: Timestamp::ZERO,
            slot_duration: NonZeroU64::new(24).unwrap(),
            epoch_duration: NonZeroU64::new(16).unwrap(),
        },
        minimum_stake: Amount::of(1),
        exit_delay: Seconds::HOUR,
    };
    let rollup = RollupView {
        rules,
        slot: Some(Slot::of(23)),
        proposer: Some(OWN),
        block: RollupBlock::of(100),
        block_slot: Some(Slot::of(22)),
        seed: Seed::Recorded,
    };
    let status_now = SignalStatus {
        slot: Slot::of(22),
        round: Round::of(2),
        leader: None,
        count: 0,
        first_free_slot: Slot::of(23),
    };
    View {
        head: BlockView {
            number: BlockNumber::of(1),
            hash: Default::default(),
            parent: Default::default(),
            timestamp: Timestamp::of(550),
            base_fee: 0,
        },
        next: Timestamp::of(562),
        deployment: Deployment {
            registry: OTHER,
            governance: OTHER,
            proposals: OTHER,
            asset: OTHER,
            issuer: OTHER,
            rollup: OWN,
            reward_distributor: None,
        },
        rollups: AddressMap::from_iter([(OWN, rollup)]),
        signaling: Some(Signaling {
            rules: RoundRules::new(6, 10).unwrap(),
            status: status_now,
            pushable: Vec::new(),
        }),
        proposals: Vec::new(),
        payloads: AddressMap::from_iter([(PAYLOAD, status)]),
        blocks: Vec::new(),
        reorganizations: 0,
    }
}

fn plan() -> SignalPlan {
    let code_hash = B256::ZERO;
    SignalPlan::new(VettedPayload { address: PAYLOAD, code_hash, actions: Arc::new([]) })
}

#[test]
fn every_status_of_the_payload_decides() {
    use PayloadStatus as Is;
    use SignalDecision::{Signal, Status};
    let id = ProposalId::of(4);
    let round = Round::of(2);
    let cases = [
        (Is::None, true),
        (Is::Signaling { round, count: 5 }, true),
        (Is::QuorumReached { round }, false),
        (Is::QuorumReached { round: Round::of(1) }, false),
        (Is::Live { id, state: ProposalState::Pending }, false),
        (Is::Live { id, state: ProposalState::Active }, false),
        (Is::Live { id, state: ProposalState::Queued }, false),
        (Is::Live { id, state: ProposalState::Executable }, false),
        (Is::Executed { id }, false),
        (Is::Rejected { id }, true),
        (Is::Expired { id }, true),
        (Is::Dropped { id }, true),
    ];
    for (status, signals) in cases {
        let expected = if signals { Signal } else { Status(status) };
        assert_eq!(decide_signal(Some(&plan()), OWN, &view(status)), expected, "{status:?}");
        let force = SignalPlan { status: StatusRule::Force, ..plan() };
        assert_eq!(decide_signal(Some(&force), OWN, &view(status)), Signal, "{status:?}");
    }
}

#[test]
fn whatever_is_not_known_forbids() {
    use SignalDecision as Decision;
    let good = || view(PayloadStatus::None);
    let decide = |plan: Option<&SignalPlan>, view: View| decide_signal(plan, OWN, &view);
    let plan = plan();
    assert_eq!(decide(Some(&plan), good()), Decision::Signal);
    assert_eq!(decide(None, good()), Decision::NoPayload);
    assert_eq!(decide(Some(&plan), View { signaling: None, ..good() }), Decision::Unknown);
    assert_eq!(
        decide(Some(&plan), View { payloads: Default::default(), ..good() }),
        Decision::Unknown
    );
    assert_eq!(
        decide(Some(&plan), View { rollups: Default::default(), ..good() }),
        Decision::Unknown
    );
    let mut before_genesis = good();
    before_genesis.rollups.get_mut(&OWN).unwrap().slot = None;
    assert_eq!(decide(Some(&plan), before_genesis), Decision::Unknown);
    let mut replaced = good();
    replaced.deployment.rollup = OTHER;
    for status in [StatusRule::Respect, StatusRule::Force] {
        let plan = SignalPlan { status, ..plan.clone() };
        assert_eq!(decide(Some(&plan), replaced.clone()), Decision::NotCanonical);
    }
    let mut used = good();
    used.signaling.as_mut().unwrap().status.first_free_slot = Slot::of(24);
    assert_eq!(decide(Some(&plan), used), Decision::SlotUsed);
}

#[test]
fn the_agreed_block_is_waited_for() {
    let (from, block) = (RollupBlock::of(101), RollupBlock::of(100));
    let decision = decide_signal(Some(&plan().from_block(from)), OWN, &view(PayloadStatus::None));
    assert_eq!(decision, SignalDecision::TooEarly { block, from });
    let decision = decide_signal(Some(&plan().from_block(block)), OWN, &view(PayloadStatus::None));
    assert_eq!(decision, SignalDecision::Signal);
}

#[test]
fn a_hopeless_round_is_skipped_on_request() {
    // From slot 27 on there are three slots left, the own one included.
    for (count, hopeless) in [(3, false), (2, true), (0, true)] {
        let status = match count {
            0 => PayloadStatus::None,
            count => PayloadStatus::Signaling { round: Round::of(2), count },
        };
        let mut view = view(status);
        view.rollups.get_mut(&OWN).unwrap().slot = Some(Slot::of(27));
        let skip = SignalPlan { hopeless: HopelessRule::Skip, ..plan() };
        let expected = if hopeless { SignalDecision::Hopeless } else { SignalDecision::Signal };
        assert_eq!(decide_signal(Some(&skip), OWN, &view), expected, "{count}");
        assert_eq!(decide_signal(Some(&plan()), OWN, &view), SignalDecision::Signal);
    }
    // Signals of another round don't help.
    let mut view = view(PayloadStatus::Signaling { round: Round::of(1), count: 5 });
    view.rollups.get_mut(&OWN).unwrap().slot = Some(Slot::of(27));
    let skip = SignalPlan { hopeless: HopelessRule::Skip, ..plan() };
    assert_eq!(decide_signal(Some(&skip), OWN, &view), SignalDecision::Hopeless);
}

#[test]
fn an_assertion_needs_the_sets_expect() {
    use alloy_sol_types::SolCall;
    let canonical =
        canon_abi::Expect::canonicalIsCall { registry: OTHER, expected: OWN }.abi_encode();
    let upgrade = canon_abi::Registry::upgradeCall { rollup: OWN }.abi_encode();
    let expect = OTHER;
    for (target, data, expected) in [
        (expect, canonical.clone(), true),
        (OWN, canonical.clone(), false),
        (expect, upgrade, false),
        (expect, canonical[..3].to_vec(), false),
        (expect, Vec::new(), false),
    ] {
        let action = Action { target, data: data.into() };
        assert_eq!(is_assertion(&action, expect), expected, "{action:?}");
    }
}
