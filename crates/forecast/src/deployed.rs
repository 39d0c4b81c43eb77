//! The state of a deployed set at one block, as a forecast needs it.

use alloy_primitives::{Address, ChainId};
use canon_protocol::{
    Amount, BlockNumber, CodeKind, Epoch, PushableRound, SignalingStatus, Slot, Timestamp, text,
};
use canon_views::{Present, ProposalView, SetAddresses};
use serde::Serialize;

use crate::{
    campaign::{CampaignStart, Terms},
    plan::{Baseline, BaselineOrigin, DeployedState, LiveProposal},
};

/// The parts of a [`Present`] that a forecast starts from and reports.
#[derive(Debug, Serialize)]
pub struct SetSnapshot {
    /// The chain.
    #[serde(with = "text::decimal")]
    pub chain_id: ChainId,
    /// The block.
    pub block: BlockNumber,
    /// The time of the block: now.
    pub time: Timestamp,
    /// The contracts in office.
    #[serde(flatten)]
    pub addresses: SetAddresses,
    /// The status of signaling.
    pub status: SignalingStatus,
    /// The epoch that runs.
    pub epoch: Epoch,
    /// The number of seats that draw the slots of this epoch: the set as it was when the epoch before began.
    pub seats: u32,
    /// The number of seats that draw the slots of the next epoch.
    pub next_seats: u32,
    /// The payload that was asked about.
    pub payload: Option<PayloadStanding>,
    #[serde(skip)]
    terms: Terms,
    #[serde(skip)]
    minimum_stake: Amount,
    #[serde(skip)]
    total_power: Amount,
}

/// The signals, rounds and proposal of a payload.
#[derive(Debug, Serialize)]
pub struct PayloadStanding {
    /// The payload.
    #[serde(with = "text::address")]
    pub address: Address,
    /// The number of its signals in the present round.
    pub signals: u32,
    /// Rounds that it has won and that can be pushed now, oldest first.
    pub pushable: Vec<PushableRound>,
    /// Its newest proposal that was pushed.
    pub proposal: Option<ProposalView>,
}

/// A reason why nothing can be forecast for a deployed set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// The canonical rollup isn't one of Canon.
    #[error(
        "the canonical rollup {0} doesn't answer as Canon's rollups do, so no signals can be forecast"
    )]
    UnknownRollup(Address),
    /// The Proposals contract in force isn't one of Canon.
    #[error(
        "Proposals at {0} doesn't answer as Canon's Proposals does, so no signals can be counted"
    )]
    UnknownProposals(Address),
    /// The rollup's slots don't follow its clock, with which dates are computed.
    #[error(
        "the canonical rollup {rollup} reports slot {slot} at second {time}, which its own GENESIS_TIME \
         and SLOT_DURATION contradict, so no date can be computed"
    )]
    SlotContradictsClock {
        /// The canonical rollup.
        rollup: Address,
        /// The slot that it reports.
        slot: Slot,
        /// The time of the block.
        time: Timestamp,
    },
    /// There is no contract at the payload's address, or `present` doesn't include the payload.
    #[error("there is no code at the payload {0}")]
    NoPayload(Address),
}

impl SetSnapshot {
    /// The set as it is at `present`, the next block of which is expected at the block's own time. If a
    /// `payload` is given, `present` must know it.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`], if the set's slots or signals can't be forecast.
    pub fn of(present: &Present, payload: Option<Address>) -> Result<Self, SnapshotError> {
        let at = present.addresses;
        let rollup = present.canonical_rollup().ok_or(SnapshotError::UnknownRollup(at.rollup))?;
        let signaling =
            present.signaling.as_ref().ok_or(SnapshotError::UnknownProposals(at.proposals))?;
        let status = signaling.status;
        let sizes = rollup.set_size.zip(rollup.next_set_size);
        let sizes = sizes.filter(|_| rollup.slot == Some(status.slot));
        let (seats, next_seats) = sizes.ok_or(SnapshotError::SlotContradictsClock {
            rollup: at.rollup,
            slot: status.slot,
            time: present.block.timestamp,
        })?;
        let standing = payload.map(|payload| PayloadStanding::of(present, payload)).transpose()?;
        Ok(Self {
            chain_id: present.chain_id,
            block: present.block.number,
            time: present.block.timestamp,
            addresses: at,
            status,
            epoch: rollup.clock.epoch_of(status.slot),
            seats,
            next_seats,
            payload: standing,
            terms: Terms {
                rules: signaling.rules,
                clock: rollup.clock,
                configuration: present.governance.configuration,
            },
            minimum_stake: rollup.minimum_stake,
            total_power: present.governance.total_power,
        })
    }
}

impl PayloadStanding {
    fn of(present: &Present, payload: Address) -> Result<Self, SnapshotError> {
        let view = present.payloads.get(&payload);
        let view = view.filter(|view| view.code.kind == CodeKind::Contract);
        let view = view.ok_or(SnapshotError::NoPayload(payload))?;
        let rounds = present.pushable_at(present.block.timestamp).into_iter();
        let won = rounds.filter(|pushable| pushable.winner.payload == payload);
        Ok(Self {
            address: payload,
            signals: view.signals,
            pushable: won.collect(),
            proposal: present.newest_pushed(payload).copied(),
        })
    }
}

impl Baseline {
    /// The baseline of a campaign that goes on from a deployed set.
    pub fn deployed(set: &SetSnapshot) -> Self {
        let payload = set.payload.as_ref();
        let proposal = payload.and_then(|payload| payload.proposal.as_ref());
        let live = proposal.filter(|proposal| proposal.state.is_live());
        let live_proposal = live.map(|proposal| LiveProposal {
            creation: proposal.creation,
            configuration: proposal.configuration,
        });
        let oldest = payload.and_then(|payload| payload.pushable.first());
        Self {
            terms: set.terms,
            minimum_stake: set.minimum_stake,
            total_power: set.total_power,
            start: CampaignStart {
                slot: set.status.first_free_slot,
                round: set.status.round,
                counted: payload.map_or(0, |payload| payload.signals),
            },
            now: set.time,
            origin: BaselineOrigin::Deployed(DeployedState {
                epoch: set.epoch,
                seats: set.seats,
                pushable: oldest.map(|pushable| pushable.round),
                live_proposal,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use canon_protocol::{ProposalsCall, Seconds};
    use canon_testkit::{
        chain::{Chain, PROPOSALS, ROLLUP, harmless},
        small_set::STAKE,
    };
    use canon_views::{BlockView, Question};

    const PAYLOAD: Address = Address::with_last_byte(0xf1);

    /// Three stakers and a payload.
    fn chain() -> Chain {
        let mut chain = Chain::staked(3);
        chain.foreign.list(PAYLOAD, harmless());
        chain
    }

    fn present(chain: &Chain) -> Present {
        let question = Question { payloads: [PAYLOAD].into(), ..Question::default() };
        let (number, timestamp) = (chain.block.number, chain.now());
        let (hash, parent, base_fee) = Default::default();
        let block = BlockView { number, hash, parent, timestamp, base_fee };
        Present::of_state(&chain.set, &chain.foreign, block, &question, Seconds::ZERO)
    }

    fn baseline(chain: &Chain) -> Baseline {
        Baseline::deployed(&SetSnapshot::of(&present(chain), Some(PAYLOAD)).unwrap())
    }

    fn state(baseline: &Baseline) -> DeployedState {
        let BaselineOrigin::Deployed(state) = baseline.origin else { panic!("{baseline:?}") };
        state
    }

    #[test]
    fn a_campaign_goes_on_from_the_round_that_runs() {
        let mut chain = chain();
        chain.next_round();
        chain.signal(PAYLOAD);
        let found = baseline(&chain);
        let rules = *chain.set.proposals(PROPOSALS).unwrap().rules();
        let clock = *chain.set.rollup(ROLLUP).unwrap().clock();
        let configuration = chain.set.governance().configuration();
        assert_eq!(found.terms, Terms { rules, clock, configuration });
        assert_eq!(found.minimum_stake, Amount::of(STAKE));
        let status = present(&chain).signaling.unwrap().status;
        let (slot, round) = (status.first_free_slot, rules.round_of(chain.slot()));
        assert_eq!(found.start, CampaignStart { slot, round, counted: 1 });
        assert_eq!(found.now, chain.now());
        let epoch = clock.epoch_of(chain.slot());
        let state = state(&found);
        assert_eq!((state.epoch, state.seats), (epoch, 3));
        assert_eq!((state.pushable, state.live_proposal), (None, None));
    }

    #[test]
    fn a_won_round_and_a_live_proposal_are_known() {
        let mut chain = chain();
        let round = chain.win(PAYLOAD);
        assert!(chain.win(PAYLOAD) > round, "another round is won later");
        assert_eq!(state(&baseline(&chain)).pushable, Some(round));
        let call = ProposalsCall::PushProposal { round: round.to_word() };
        chain.ok("anyone", PROPOSALS, call);
        let state = state(&baseline(&chain));
        assert_eq!(state.pushable, None, "the payload can't be pushed twice");
        let live = state.live_proposal.unwrap();
        assert_eq!(live.creation, chain.now());
        assert_eq!(live.configuration, chain.set.governance().configuration());
    }

    #[test]
    fn what_cannot_be_forecast_is_refused() {
        let chain = chain();
        let whole = present(&chain);
        let of = |present: &Present| SetSnapshot::of(present, Some(PAYLOAD)).map(drop);
        assert_eq!(of(&whole), Ok(()));
        let without_rollup = Present { rollups: Default::default(), ..whole.clone() };
        assert_eq!(of(&without_rollup), Err(SnapshotError::UnknownRollup(ROLLUP)));
        let without_signaling = Present { signaling: None, ..whole.clone() };
        assert_eq!(of(&without_signaling), Err(SnapshotError::UnknownProposals(PROPOSALS)));
        let without_payload = Present { payloads: Default::default(), ..whole.clone() };
        assert_eq!(of(&without_payload), Err(SnapshotError::NoPayload(PAYLOAD)));
        let mut other_slot = whole;
        other_slot.rollups.get_mut(&ROLLUP).unwrap().slot = Some(chain.slot().next());
        let (slot, time) = (chain.slot(), chain.now());
        let expected = SnapshotError::SlotContradictsClock { rollup: ROLLUP, slot, time };
        assert_eq!(of(&other_slot), Err(expected));
    }
}
