//! A round as text of at most 80 columns.

use std::{cmp::Reverse, collections::BTreeMap};

use alloy_primitives::Address;
use anstyle::Style;
use canon_forecast::odds::Prospect;
use canon_protocol::{
    ForeignText, Leader, Timestamp,
    text::{Time, count, grouped},
};

use super::{
    document::{RoundDocument, SlotState, StripSlot},
    outcome::RoundOutcome,
};
use crate::{
    commands::forecast::text::chance,
    page::{self, Page, lasts, line, wrapped},
    style::{FAINT, LEADER, WARNING},
};

/// The number of slots in a line of the strip, and in a group of slots.
const LINE: usize = 50;
const GROUP: usize = 10;

/// The maximum number of entries that are shown of a list.
const SHOWN_PROPOSERS: usize = 10;
const SHOWN_EARLIER: usize = 5;

pub(super) fn render(round: &RoundDocument) -> String {
    let mut page = Page::default();
    line!(page, "Round {} of rollup {}", round.round, round.rollup);
    if round.rollup != round.canonical {
        line!(page, "  an earlier one: {} is canonical now", round.canonical);
    }
    dates(&mut page, round);
    signals(&mut page, round);
    if let Some(slots) = &round.slots {
        let letters = letters(round);
        strip(&mut page, slots, &letters);
        legend(&mut page, round, slots, &letters);
        proposers(&mut page, slots, round);
    }
    if !round.unknown.is_empty() {
        line!(page, "\nNot known");
        for reason in &round.unknown {
            for text in wrapped(reason, 78) {
                line!(page, "  {}", ForeignText::new(&text));
            }
        }
    }
    earlier(&mut page, round);
    line!(page, "\nAs of block {}, {}", round.block, Time(round.time));
    page.into_text()
}

fn dates(page: &mut Page, round: &RoundDocument) {
    let slots = format!("slots {} to {}", round.first_slot, round.last_slot);
    match (round.start, round.end, &round.outcome) {
        (_, Some(end), RoundOutcome::Running) => {
            line!(page, "  {slots}");
            line!(page, "  {}", lasts(round.time, end));
        }
        (Some(start), Some(end), _) => {
            line!(
                page,
                "  {slots}, {} to {} UTC",
                Time(start).without_zone(),
                Time(end).beside(start)
            );
        }
        _ => line!(page, "  {slots}, whose times aren't known"),
    }
}

fn signals(page: &mut Page, round: &RoundDocument) {
    let needed = grouped(round.needed);
    if round.outcome != RoundOutcome::Running {
        line!(page, "\nResult   {needed} signals win");
        for line in result(&round.outcome, round.time) {
            line!(page, "         {line}");
        }
        return;
    }
    let left = count(round.slots_left, "slot");
    match round.leader {
        None => line!(page, "\nSignals  none yet; {needed} win, {left} left"),
        Some(Leader { payload, count }) => {
            line!(page, "\nSignals  {} of the {needed} that win, {left} left", grouped(count));
            line!(page, "         for {payload}");
        }
    }
    let Some(chance) = &round.odds else { return };
    match chance.odds.prospect {
        Prospect::Won => line!(page, "Quorum   reached: it can be pushed once the round is over"),
        Prospect::Lost => line!(page, "Quorum   can't be reached any more in this round"),
        Prospect::Open => {
            line!(
                page,
                "Quorum   chance {}, if the slots left bring signals",
                self::chance(chance.odds.wins)
            );
            line!(
                page,
                "         as often as those so far ({} of {})",
                grouped(chance.odds.counted),
                grouped(chance.observed_slots)
            );
        }
    }
}

/// The outcome of a round, in lines.
fn result(outcome: &RoundOutcome, now: Timestamp) -> Vec<String> {
    let won = |winner: &Leader| format!("won by {} with {}", winner.payload, grouped(winner.count));
    match outcome {
        RoundOutcome::Running => vec!["running".to_owned()],
        RoundOutcome::NoSignals => vec!["nobody signaled".to_owned()],
        RoundOutcome::NotWon { leader } => {
            let most = grouped(leader.count);
            vec![
                format!("no winner; the most signals, {most}, were for"),
                leader.payload.to_string(),
            ]
        }
        RoundOutcome::Pushed { winner, proposal } => {
            vec![won(winner), format!("pushed: it is proposal {proposal}")]
        }
        RoundOutcome::PushedElsewhere { winner, governance } => {
            vec![
                won(winner),
                format!("pushed to {governance},"),
                "which isn't this set's Governance".to_owned(),
            ]
        }
        RoundOutcome::Pushable { winner, until } => {
            let lines = [won(winner), "anyone can push it".to_owned()].into_iter();
            lines.chain(until.map(|last| lasts(now, last))).collect()
        }
        RoundOutcome::WaitsForProposal { winner, proposal, until } => vec![
            won(winner),
            format!("it can't be pushed while its proposal {proposal} is open"),
            match until {
                Some(last) => {
                    let left = page::until(now, *last);
                    format!("too old to be pushed after {} ({left})", Time(*last))
                }
                None => "too old to be pushed".to_owned(),
            },
        ],
        RoundOutcome::CodeChanged { winner } => {
            vec![won(winner), "it can't be pushed: its code isn't what was signaled for".to_owned()]
        }
        RoundOutcome::Expired { winner } => {
            vec![won(winner), "it wasn't pushed in time".to_owned()]
        }
        RoundOutcome::Unknown => {
            vec!["not known: there were no signals, or the winner was pushed".to_owned()]
        }
    }
}

/// The letter of each payload. The leader has the first one; payloads beyond the alphabet share a sign.
fn letters(round: &RoundDocument) -> BTreeMap<Address, char> {
    let payloads = round.payloads.iter().flatten().map(|counted| counted.payload);
    payloads.zip(('A'..='Z').chain(std::iter::repeat('+'))).collect()
}

fn strip(page: &mut Page, slots: &[StripSlot], letters: &BTreeMap<Address, char>) {
    line!(page, "");
    for part in slots.chunks(LINE) {
        let first = part.first().map_or(0, |first| first.slot.get());
        let mut text = format!("  {first:>8} ");
        for group in part.chunks(GROUP) {
            text.push(' ');
            for slot in group {
                let (sign, style) = sign(slot, letters);
                text.push_str(&format!("{style}{sign}{style:#}"));
            }
        }
        line!(page, "{text}");
    }
}

fn sign(slot: &StripSlot, letters: &BTreeMap<Address, char>) -> (char, Style) {
    match (slot.state, slot.payload) {
        (SlotState::Signaled, payload) => {
            let letter = payload.and_then(|payload| letters.get(&payload)).copied().unwrap_or('+');
            (letter, if letter == 'A' { LEADER } else { WARNING })
        }
        (SlotState::Missed, _) => ('·', Style::new()),
        (SlotState::NobodyDrawn, _) => ('x', FAINT),
        (SlotState::ToCome, _) => ('_', FAINT),
    }
}

fn legend(
    page: &mut Page,
    round: &RoundDocument,
    slots: &[StripSlot],
    letters: &BTreeMap<Address, char>,
) {
    line!(page, "");
    let mut others = 0;
    for Leader { payload, count: signals } in round.payloads.iter().flatten() {
        match letters.get(payload) {
            Some('+') | None => others += 1,
            Some(letter) => {
                let style = if *letter == 'A' { LEADER } else { WARNING };
                let signals = count(u64::from(*signals), "signal");
                line!(page, "  {style}{letter}{style:#}  {payload}  {signals}");
            }
        }
    }
    if others > 0 {
        line!(page, "  +  {}", count(others, "other payload"));
    }
    let has = |state| slots.iter().any(|slot| slot.state == state);
    for (state, sign, meaning) in [
        (SlotState::Missed, '·', "no signal"),
        (SlotState::NobodyDrawn, 'x', "nobody was drawn: no seed, or an empty set"),
        (SlotState::ToCome, '_', "to come"),
    ] {
        if has(state) {
            line!(page, "  {sign}  {meaning}");
        }
    }
}

/// The number of slots that each proposer had so far, and the number of its signals.
fn proposers(page: &mut Page, slots: &[StripSlot], round: &RoundDocument) {
    let mut had = BTreeMap::<Address, (u64, u64)>::new();
    for slot in slots {
        let signaled = match slot.state {
            SlotState::Signaled => 1,
            SlotState::Missed => 0,
            SlotState::NobodyDrawn | SlotState::ToCome => continue,
        };
        let Some(proposer) = slot.proposer else { continue };
        let (all, used) = had.entry(proposer).or_default();
        (*all, *used) = (*all + 1, *used + signaled);
    }
    if had.is_empty() {
        return;
    }
    let so_far = if round.outcome == RoundOutcome::Running { " so far" } else { "" };
    line!(page, "\nProposers{so_far}");
    let mut had: Vec<_> = had.into_iter().collect();
    had.sort_by_key(|(proposer, (all, _))| (Reverse(*all), *proposer));
    for (proposer, (all, signaled)) in had.iter().take(SHOWN_PROPOSERS) {
        line!(page, "  {proposer}  signaled in {signaled} of {}", count(*all, "slot"));
    }
    if let Some(more) = had.len().checked_sub(SHOWN_PROPOSERS).filter(|more| *more > 0) {
        line!(page, "  and {} more: --json lists each slot", grouped(more as u64));
    }
}

fn earlier(page: &mut Page, round: &RoundDocument) {
    if round.earlier.is_empty() {
        return;
    }
    line!(page, "\nEarlier rounds with signals");
    for earlier in round.earlier.iter().take(SHOWN_EARLIER) {
        let lines = result(&earlier.outcome, round.time);
        for (index, text) in lines.iter().enumerate() {
            match index {
                0 => line!(page, "  {:>8}  {text}", earlier.round),
                _ => line!(page, "            {text}"),
            }
        }
    }
    if let Some(more) = round.earlier.len().checked_sub(SHOWN_EARLIER).filter(|more| *more > 0) {
        line!(page, "  and {} more: --json lists all", grouped(more as u64));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use canon_protocol::{BlockNumber, Round, Slot};

    /// A round of 1000 slots in all states, for this number of payloads.
    fn large(payloads: u8) -> RoundDocument {
        let payload =
            |number: u64| Address::with_last_byte((number % u64::from(payloads)) as u8 + 1);
        let slot = |number: u64| {
            let state = match number % 4 {
                _ if number >= 900 => SlotState::ToCome,
                0 | 1 => SlotState::Signaled,
                2 => SlotState::Missed,
                _ => SlotState::NobodyDrawn,
            };
            let proposer =
                (state != SlotState::NobodyDrawn).then(|| Address::with_last_byte(number as u8));
            let payload = (state == SlotState::Signaled).then(|| payload(number));
            StripSlot { slot: Slot::of(12_345_000 + number), state, proposer, payload }
        };
        let leader = Leader { payload: payload(0), count: 300 };
        let counted =
            (0..payloads).map(|number| Leader { payload: payload(number.into()), count: 450 });
        RoundDocument {
            chain_id: 1,
            block: BlockNumber::of(25_000_000),
            time: Timestamp::of(1_800_000_000),
            rollup: Address::repeat_byte(0xab),
            canonical: Address::repeat_byte(0xac),
            round: Round::of(12_345),
            first_slot: Slot::of(12_345_000),
            last_slot: Slot::of(12_345_999),
            start: Some(Timestamp::of(1_799_935_200)),
            end: Some(Timestamp::of(1_800_007_199)),
            needed: 600,
            slots_left: 100,
            leader: Some(leader),
            outcome: RoundOutcome::Running,
            payloads: Some(counted.collect()),
            odds: None,
            slots: Some((0..1000).map(slot).collect()),
            unknown: Vec::new(),
            earlier: Vec::new(),
        }
    }

    /// The text without styles, as it is written to a file.
    fn plain(round: &RoundDocument) -> String {
        anstream::adapter::strip_str(&render(round)).to_string()
    }

    #[test]
    fn a_round_of_a_thousand_slots_fits_80_columns_and_shows_each_slot_once() {
        let text = plain(&large(2));
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        let strip: Vec<_> = text.lines().filter(|line| line.starts_with("  12345")).collect();
        assert_eq!(strip.len(), 20, "{text}");
        assert_eq!(strip[1].split_whitespace().next(), Some("12345050"));
        let slots = strip.iter().flat_map(|line| line.chars().skip(11)).filter(|c| *c != ' ');
        assert_eq!(slots.count(), 1000);
    }

    #[test]
    fn more_payloads_than_letters_share_one_sign() {
        let text = plain(&large(40));
        assert!(
            text.contains("\n  Z  0x") && text.contains("\n  +  14 other payloads\n"),
            "{text}"
        );
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }

    #[test]
    fn every_outcome_fits_80_columns() {
        let mut round = large(1);
        let winner = Leader { payload: Address::repeat_byte(0xab), count: 600 };
        let (proposal, until) =
            (canon_protocol::ProposalId::of(123), Some(Timestamp::of(1_800_100_000)));
        let governance = Address::repeat_byte(0xcd);
        for outcome in [
            RoundOutcome::NoSignals,
            RoundOutcome::NotWon { leader: winner },
            RoundOutcome::Pushed { winner, proposal },
            RoundOutcome::PushedElsewhere { winner, governance },
            RoundOutcome::Pushable { winner, until },
            RoundOutcome::WaitsForProposal { winner, proposal, until },
            RoundOutcome::CodeChanged { winner },
            RoundOutcome::Expired { winner },
            RoundOutcome::Unknown,
        ] {
            round.outcome = outcome;
            let text = plain(&round);
            for line in text.lines() {
                assert!(line.chars().count() <= 80, "{line}");
            }
        }
    }
}
