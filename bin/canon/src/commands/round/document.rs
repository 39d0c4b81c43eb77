//! A round as a document: the JSON output, and the source of the text.

use std::{cmp::Reverse, collections::BTreeMap};

use alloy_primitives::Address;
use canon_chain::SlotSignal;
use canon_forecast::{Electorate, odds::RunningRoundOdds};
use canon_protocol::{
    BlockNumber, Leader, Round, RoundTally, Slot, Timestamp,
    text::{self, count},
};
use canon_views::{SetView, SignalingView};
use serde::Serialize;

use super::{
    RollupRounds,
    outcome::{RoundOutcome, outcome},
};

/// The maximum number of slots in a round for which each slot is listed.
const MOST_SLOTS: u32 = 20_000;

/// The signals of a round from the events, or the reason why they aren't known.
#[derive(Debug)]
pub(super) enum Signals {
    Known(Vec<SlotSignal>),
    Unknown(String),
}

/// A round.
#[derive(Debug, Serialize)]
pub(super) struct RoundDocument {
    #[serde(with = "text::decimal")]
    pub(super) chain_id: u64,
    /// The block at which the round is shown.
    pub(super) block: BlockNumber,
    /// The time of the block.
    pub(super) time: Timestamp,
    /// The rollup to which the slots belong.
    #[serde(with = "text::address")]
    pub(super) rollup: Address,
    /// The rollup that is canonical now.
    #[serde(with = "text::address")]
    pub(super) canonical: Address,
    pub(super) round: Round,
    pub(super) first_slot: Slot,
    pub(super) last_slot: Slot,
    /// The first second of the round; `None` if the rollup's slots aren't known.
    pub(super) start: Option<Timestamp>,
    /// The last second of the round; `None` if the rollup's slots aren't known.
    pub(super) end: Option<Timestamp>,
    /// The number of signals that win.
    pub(super) needed: u32,
    /// The number of slots that can still bring a signal. If the slots aren't known, it includes those of epochs without
    /// a seed or with an empty set, which can't.
    pub(super) slots_left: u64,
    /// The leader of the running round, or of the round at its end.
    pub(super) leader: Option<Leader>,
    pub(super) outcome: RoundOutcome,
    /// The signals of each payload, most signals first; `None` if they aren't known.
    pub(super) payloads: Option<Vec<Leader>>,
    /// The probability that the leader wins, if the remaining slots bring signals for it as often as the
    /// slots so far did. `None` if there is no leader or the round is over.
    pub(super) odds: Option<RoundChance>,
    /// All slots of the round; `None` if they aren't known.
    pub(super) slots: Option<Vec<StripSlot>>,
    /// The parts that aren't known, with the reasons.
    pub(super) unknown: Vec<String>,
    /// The earlier rounds that had signals, newest first. Empty unless this is the running round.
    pub(super) earlier: Vec<EarlierRound>,
}

/// A probability, and the slots from which it is estimated.
#[derive(Debug, Serialize)]
pub(super) struct RoundChance {
    /// The number of slots so far that had a proposer, or of all slots so far if that isn't known.
    pub(super) observed_slots: u32,
    #[serde(flatten)]
    pub(super) odds: RunningRoundOdds,
}

/// A round before the running one.
#[derive(Debug, Serialize)]
pub(super) struct EarlierRound {
    pub(super) round: Round,
    pub(super) outcome: RoundOutcome,
}

/// A slot of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct StripSlot {
    pub(super) slot: Slot,
    pub(super) state: SlotState,
    /// The proposer drawn for the slot; `None` if nobody was drawn, or the draw isn't decided yet.
    #[serde(with = "text::address::option")]
    pub(super) proposer: Option<Address>,
    /// The payload that the proposer signaled for.
    #[serde(with = "text::address::option")]
    pub(super) payload: Option<Address>,
}

/// The state of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SlotState {
    /// The proposer signaled.
    Signaled,
    /// The proposer didn't signal.
    Missed,
    /// Nobody could signal: no seed was recorded for its epoch, or the set was empty.
    NobodyDrawn,
    /// The slot can still bring a signal.
    ToCome,
}

impl RoundDocument {
    /// Creates the document of a round that isn't later than the running one.
    pub(super) fn new(rounds: &RollupRounds<'_>, round: Round, signals: Signals) -> Self {
        let RollupRounds { view, rollup, proposals, rules, clock, .. } = *rounds;
        let present = &view.present;
        let (first_slot, last_slot) = (rules.first_slot(round), rules.last_slot(round));
        let history = view.history.as_ref();
        let counted = history.and_then(|history| history.proposals(proposals));
        let tally = counted.map(|counted| counted.round(rollup, round));
        let mut unknown = Vec::new();
        let slots = match slots(rounds, round, tally.flatten(), signals) {
            Ok(slots) => Some(slots),
            Err(reason) => {
                unknown.push(reason);
                None
            }
        };
        if counted.is_none() {
            unknown.push("the signals of payloads other than the leader".to_owned());
        }
        let running = rounds.running.filter(|signaling| signaling.status.round == round);
        let candidate = rounds.candidate(round);
        let leader = match running {
            Some(signaling) => signaling.status.leader,
            None => tally.flatten().map_or_else(|| Some(candidate?.leader), |tally| tally.leader),
        };
        let odds = running.and_then(|signaling| chance(view, signaling, slots.as_deref(), leader));
        let slots_left = running.map(|signaling| match &slots {
            Some(slots) => {
                slots.iter().filter(|slot| slot.state == SlotState::ToCome).count() as u64
            }
            None => rules.slots_left(round, signaling.status.first_free_slot),
        });
        let earlier = running.map(|signaling| earlier(rounds, signaling));
        Self {
            chain_id: present.chain_id,
            block: present.block.number,
            time: present.block.timestamp,
            rollup,
            canonical: present.addresses.rollup,
            round,
            first_slot,
            last_slot,
            start: clock.and_then(|clock| clock.slot_start(first_slot)),
            end: clock.and_then(|clock| clock.slot_end(last_slot)),
            needed: rules.n(),
            slots_left: slots_left.unwrap_or_default(),
            leader,
            outcome: outcome(rounds, round),
            payloads: counted.map(|_| tally.flatten().map(payloads).unwrap_or_default()),
            odds,
            slots,
            unknown,
            earlier: earlier.unwrap_or_default(),
        }
    }
}

/// The signals of each payload, most signals first. Of payloads with equally many, the leader is first.
fn payloads(tally: &RoundTally) -> Vec<Leader> {
    let is_leader = |payload: Address| tally.leader.is_some_and(|leader| leader.payload == payload);
    let counts =
        tally.payloads.iter().map(|(payload, pin)| Leader { payload: *payload, count: pin.count });
    let mut counts: Vec<_> = counts.collect();
    counts.sort_by_key(|one| (Reverse(one.count), !is_leader(one.payload), one.payload));
    counts
}

/// The slots of a round, or the reason why they aren't known.
fn slots(
    rounds: &RollupRounds<'_>,
    round: Round,
    tally: Option<&RoundTally>,
    signals: Signals,
) -> Result<Vec<StripSlot>, String> {
    let signals = match signals {
        Signals::Known(signals) => signals,
        Signals::Unknown(reason) => return Err(format!("who proposed and signaled: {reason}")),
    };
    let (view, rules) = (rounds.view, &rounds.rules);
    if rules.m() > MOST_SLOTS {
        return Err(format!(
            "each slot: only rounds of up to {} are listed",
            count(MOST_SLOTS.into(), "slot")
        ));
    }
    let rollup = view.history.as_ref().and_then(|history| history.rollup(rounds.rollup));
    let rollup = rollup.ok_or("who proposed: the origin of the rollup isn't known")?;
    let by_slot: BTreeMap<_, _> = signals.iter().map(|signal| (signal.slot, signal)).collect();
    let counted = tally.into_iter().flat_map(|tally| tally.payloads.values());
    let counted: u64 = counted.map(|pin| u64::from(pin.count)).sum();
    if by_slot.len() as u64 != counted {
        return Err(format!(
            "who signaled: the endpoint's logs have {} of the {} that were counted; try another endpoint",
            by_slot.len(),
            count(counted, "signal")
        ));
    }
    let numbers = rules.first_slot(round).get()..=rules.last_slot(round).get();
    // A seed can still be recorded for a later epoch. The set of the next one is known, and that of others isn't.
    let now = view.present.block.timestamp;
    let present_epoch = rollup.clock().epoch_at(now);
    let is_silent = |epoch| {
        Some(epoch) <= present_epoch || rollup.set_size(epoch, now).is_ok_and(|size| size == 0)
    };
    let is_to_come = |slot: Slot| {
        rounds.running.is_some_and(|signaling| slot >= signaling.status.first_free_slot)
    };
    let slot = |slot: Slot| {
        let signal = by_slot.get(&slot);
        let proposer = rollup.drawn(slot).map(|member| member.proposer());
        let state = match (signal, proposer) {
            (Some(_), _) => SlotState::Signaled,
            (None, None) if is_silent(rollup.clock().epoch_of(slot)) => SlotState::NobodyDrawn,
            (None, _) if is_to_come(slot) => SlotState::ToCome,
            (None, _) => SlotState::Missed,
        };
        StripSlot { slot, state, proposer, payload: signal.map(|signal| signal.payload) }
    };
    Ok(numbers.map(Slot::of).map(slot).collect())
}

/// The probability that the leader wins the running round.
fn chance(
    view: &SetView,
    signaling: &SignalingView,
    slots: Option<&[StripSlot]>,
    leader: Option<Leader>,
) -> Option<RoundChance> {
    let (rules, status) = (signaling.rules, &signaling.status);
    let over = status.first_free_slot.get().saturating_sub(rules.first_slot(status.round).get());
    let drawn = slots.map(|slots| {
        let could_signal =
            |slot: &&StripSlot| matches!(slot.state, SlotState::Signaled | SlotState::Missed);
        slots.iter().filter(could_signal).count() as u64
    });
    let observed_slots = u32::try_from(drawn.unwrap_or(over)).ok()?;
    let counted = leader?.count;
    let electorate = Electorate::observed(counted, observed_slots).ok()?;
    let first_free = first_with_proposer(view, status.first_free_slot);
    let odds = RunningRoundOdds::new(rules, &electorate, status.round, first_free, counted);
    Some(RoundChance { observed_slots, odds })
}

/// The first slot from `slot` on that may have a proposer. An epoch that began without a seed has none.
fn first_with_proposer(view: &SetView, slot: Slot) -> Slot {
    let history = view.history.as_ref();
    let rollup = history.and_then(|history| history.rollup(view.present.addresses.rollup));
    let clock = rollup.map(|rollup| (rollup, rollup.clock()));
    let silent = clock.and_then(|(rollup, clock)| {
        let epoch = clock.epoch_of(slot);
        let has_begun = clock.epoch_at(view.present.block.timestamp) == Some(epoch);
        let is_silent = has_begun && rollup.drawn(slot).is_none();
        is_silent.then(|| clock.first_slot(epoch.next())).flatten()
    });
    silent.unwrap_or(slot)
}

/// The earlier rounds that had signals, newest first.
fn earlier(of: &RollupRounds<'_>, signaling: &SignalingView) -> Vec<EarlierRound> {
    let status = &signaling.status;
    let history = of.view.history.as_ref();
    let counted = history.and_then(|history| history.proposals(of.proposals));
    let mut rounds: Vec<_> = match counted {
        Some(counted) => counted.rounds(of.rollup).map(|(round, _)| round).collect(),
        None => signaling.rounds.iter().map(|candidate| candidate.round).collect(),
    };
    rounds.retain(|round| *round < status.round);
    rounds.sort_unstable_by_key(|round| Reverse(*round));
    let shown = |round| EarlierRound { round, outcome: outcome(of, round) };
    rounds.into_iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use canon_forecast::odds::Prospect;
    use canon_protocol::Seconds;
    use canon_testkit::chain::{Chain, harmless};
    use canon_views::{BlockView, Question};

    use super::*;

    const PAYLOAD: Address = Address::with_last_byte(0xf1);

    /// A chain with three stakers in the first slot of a round.
    fn chain() -> Chain {
        let mut chain = Chain::staked(3);
        chain.foreign.list(PAYLOAD, harmless());
        chain.next_round();
        chain
    }

    /// The running round, with signals in these slots according to the endpoint's logs.
    fn running(chain: &Chain, slots: impl IntoIterator<Item = Slot>) -> RoundDocument {
        document(chain, slots, |rounds| rounds)
    }

    /// The running round as one of the rounds that `change` returns.
    fn document(
        chain: &Chain,
        slots: impl IntoIterator<Item = Slot>,
        change: impl Fn(RollupRounds<'_>) -> RollupRounds<'_>,
    ) -> RoundDocument {
        let block = BlockView {
            number: chain.block.number,
            timestamp: chain.now(),
            ..BlockView::default()
        };
        let question = Question::default();
        let state = Arc::new(chain.set.clone());
        let view = SetView::of_state(state, &chain.foreign, block, &question, Seconds::ZERO);
        let signaling = view.present.signaling.as_ref().unwrap();
        let round = signaling.status.round;
        let signal = |slot| {
            let proposer = Address::with_last_byte(0xf2);
            SlotSignal { slot, round, payload: PAYLOAD, proposer }
        };
        let signals = slots.into_iter().map(signal).collect();
        let rounds = change(RollupRounds::canonical(&view, signaling));
        RoundDocument::new(&rounds, round, Signals::Known(signals))
    }

    #[test]
    fn a_round_of_an_earlier_rollup_is_over_in_all_its_slots() {
        let mut chain = chain();
        let slot = chain.slot();
        chain.signal(PAYLOAD);
        let earlier = document(&chain, [slot], |rounds| RollupRounds { running: None, ..rounds });
        assert!(matches!(earlier.outcome, RoundOutcome::NotWon { .. }), "{:?}", earlier.outcome);
        assert_eq!(earlier.leader.unwrap().count, 1);
        assert_eq!((earlier.slots_left, earlier.odds.is_none()), (0, true));
        let states: Vec<_> = earlier.slots.unwrap().iter().map(|slot| slot.state).collect();
        assert_eq!(states[0], SlotState::Signaled);
        assert!(!states.contains(&SlotState::ToCome), "{states:?}");
    }

    #[test]
    fn signals_that_an_endpoint_left_out_are_not_shown_as_missed_slots() {
        let mut chain = chain();
        let slot = chain.slot();
        chain.signal(PAYLOAD);
        let whole = running(&chain, [slot]);
        assert_eq!(whole.slots.unwrap()[0].state, SlotState::Signaled);
        let partial = running(&chain, []);
        assert!(partial.slots.is_none());
        let reason = "the endpoint's logs have 0 of the 1 signal that were counted";
        assert!(partial.unknown[0].contains(reason), "{:?}", partial.unknown);
        // The contracts' own counts are known nevertheless.
        assert_eq!(partial.leader.unwrap().count, 1);
    }

    #[test]
    fn slots_that_an_empty_set_draws_nobody_for_are_not_left() {
        let round = running(&Chain::deployed(), []);
        // A stake that is made now draws slots from epoch 2 on, which is after the round.
        let slots = round.slots.unwrap();
        assert!(slots.iter().all(|slot| slot.state == SlotState::NobodyDrawn), "{slots:?}");
        assert_eq!(round.slots_left, 0);
    }

    #[test]
    fn the_slots_left_of_a_silent_epoch_bring_no_quorum() {
        let mut chain = chain();
        let first = chain.slot();
        // Nobody records the seed of the epoch that begins in the middle of the round.
        chain.is_kept = false;
        chain.signal(PAYLOAD);
        chain.signal(PAYLOAD);
        let round = running(&chain, [first, first.next()]);
        let states: Vec<_> = round.slots.unwrap().iter().map(|slot| slot.state).collect();
        let (signaled, nobody) = (SlotState::Signaled, SlotState::NobodyDrawn);
        assert_eq!(states, [signaled, signaled, nobody, nobody, nobody]);
        assert_eq!(round.slots_left, 0);
        let odds = round.odds.unwrap().odds;
        assert_eq!((odds.needed, odds.slots_left), (1, 0));
        assert_eq!((odds.prospect, odds.wins), (Prospect::Lost, 0.0));
    }
}
