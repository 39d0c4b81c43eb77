//! The status as text: one screen of 80 columns and 24 lines for an ordinary set.

use canon_protocol::{
    Amount, Seconds, Slot, Timestamp,
    text::{Duration, Time, count, grouped},
};
use canon_views::{
    AvailableAction, CalendarEntry, IntendedAction, Opportunity, Present, ProposalView, RollupView,
    SetView, SignalingView, available_actions, calendar,
};

use crate::page::{self, AvailableText, Page, line, share, until, wrapped_line};

/// The maximum number of entries that are shown of a list.
const SHOWN_PROPOSALS: usize = 2;
const SHOWN_EVENTS: usize = 5;
const SHOWN_ACTIONS: usize = 5;

/// The least width of the time that is left, so that the column rarely moves between two blocks.
const LEFT_WIDTH: usize = 13;

pub(super) fn render(view: &SetView) -> String {
    let present = &view.present;
    let mut page = Page::default();
    line!(page, "Set of Registry {} on chain {}", present.addresses.registry, present.chain_id);
    line!(page, "Block {} at {}", present.block.number, Time(present.block.timestamp));
    line!(page, "");
    rollup(&mut page, present);
    signaling(&mut page, present);
    proposals(&mut page, present);
    next(&mut page, view);
    now(&mut page, view);
    page.into_text()
}

fn rollup(page: &mut Page, present: &Present) {
    line!(page, "Rollup     {}", present.addresses.rollup);
    let Some(rollup) = present.canonical_rollup() else {
        line!(page, "           doesn't answer; holders can still propose: canon propose");
        return;
    };
    line!(page, "           {}", slot(rollup, present.next));
}

/// The epoch, the slot and the seats of the rollup for the next block.
fn slot(rollup: &RollupView, next: Timestamp) -> String {
    let Some(slot) = rollup.slot else {
        let genesis = rollup.clock.genesis;
        return format!("slot 0 starts at {} ({})", Time(genesis), until(next, genesis));
    };
    let epoch = rollup.clock.epoch_of(slot);
    let seats = match (rollup.set_size, rollup.next_set_size) {
        (Some(0), Some(0)) => "no seats, nor in the next epoch".to_owned(),
        (Some(0), Some(next)) => {
            format!("no seats; {} from epoch {} on", count(next.into(), "seat"), epoch.next())
        }
        (Some(seats), _) => {
            let drawn = if rollup.proposer.is_none() { "; nobody is drawn" } else { "" };
            format!("{}{drawn}", count(seats.into(), "seat"))
        }
        (None, _) => "an unknown number of seats".to_owned(),
    };
    format!("next block: epoch {epoch}, slot {slot}, {seats}")
}

fn signaling(page: &mut Page, present: &Present) {
    let Some(SignalingView { rules, status: at_block, .. }) = &present.signaling else {
        line!(page, "Signals    can't be read: the rollup or Proposals doesn't answer");
        return;
    };
    // As in `canon round`.
    let (round, free) = (at_block.round, first_usable(present, at_block.first_free_slot));
    let left = rules.slots_left(round, free);
    line!(
        page,
        "Signals    round {}, at this block: {} of {} signals win, {} left",
        round,
        grouped(rules.n()),
        grouped(rules.m()),
        count(left, "slot"),
    );
    match at_block.leader {
        None => match present.canonical_rollup().and_then(RollupView::first_draw) {
            Some(epoch) => line!(page, "           nobody can signal before epoch {epoch}"),
            None => line!(page, "           none in this round"),
        },
        Some(leader) => {
            let prospect =
                match (rules.is_won(leader.count), rules.can_win(leader.count, round, free)) {
                    (true, _) => "; it has won",
                    (false, true) => "",
                    (false, false) => "; it can't win any more",
                };
            line!(page, "           {} for {}{prospect}", grouped(leader.count), leader.payload);
        }
    }
}

/// The first slot from `free` on that may have a proposer, as far as the contracts' own views tell.
fn first_usable(present: &Present, free: Slot) -> Slot {
    let silent = present.canonical_rollup().and_then(|rollup| {
        let epoch = rollup.clock.epoch_of(rollup.slot.filter(|_| rollup.proposer.is_none())?);
        // Until an epoch begins, its seed can be recorded.
        let has_begun = rollup.clock.epoch_at(present.block.timestamp) == Some(epoch);
        let first = rollup.first_draw().unwrap_or_else(|| epoch.next());
        has_begun.then(|| rollup.clock.first_slot(first)).flatten()
    });
    silent.map_or(free, |first| first.max(free))
}

fn proposals(page: &mut Page, present: &Present) {
    let all = &present.governance.proposals;
    let count = match all.len() {
        0 => "none".to_owned(),
        count => grouped(count as u64).to_string(),
    };
    let locked = match present.governance.total_power {
        Amount::ZERO => "nobody has locked tokens to vote with".to_owned(),
        Amount::TOKEN => "1 token is locked".to_owned(),
        locked => format!("{} are locked", page::tokens(locked)),
    };
    line!(page, "Proposals  {count}; {locked}");
    let now = present.block.timestamp;
    let live: Vec<_> = all.iter().rev().filter(|one| one.state_at(now).is_live()).collect();
    for proposal in live.iter().take(SHOWN_PROPOSALS) {
        proposal_lines(page, proposal, now);
    }
    if let Some(more) = live.len().checked_sub(SHOWN_PROPOSALS).filter(|more| *more > 0) {
        line!(page, "           {} more are open", grouped(more as u64));
    }
    if live.is_empty()
        && let Some(last) = all.last()
    {
        line!(page, "           the last one, {}, is {}", last.id, last.state_at(now));
    }
}

fn proposal_lines(page: &mut Page, proposal: &ProposalView, now: Timestamp) {
    let (state, verdict) = (page::state(proposal, now), page::verdict(proposal, now));
    wrapped_line!(page, &format!("  {:>6}   ", proposal.id), "{state}; {verdict}");
    line!(
        page,
        "           for {}, against {} of all power",
        share(proposal.tally.yea, proposal.total_power),
        share(proposal.tally.nea, proposal.total_power),
    );
}

/// The next changes, except those that are no [news](page::is_news).
fn next(page: &mut Page, view: &SetView) {
    let (now, canonical) = (view.present.block.timestamp, view.present.addresses.rollup);
    let mut entries = calendar(view);
    entries.retain(|entry| page::is_news(&entry.event, canonical));
    line!(page, "\nNext");
    if entries.is_empty() {
        line!(page, "  nothing with a date");
    }
    // The line about the others can as well be that of the last one.
    let shown = if entries.len() == SHOWN_EVENTS + 1 { entries.len() } else { SHOWN_EVENTS };
    let more = entries.split_off(shown.min(entries.len())).len();
    let left = |entry: &CalendarEntry| until(now, entry.time);
    let widths = entries.iter().map(|one| left(one).len());
    let width = widths.max().unwrap_or_default().max(LEFT_WIDTH);
    for entry in &entries {
        let (left, time) = (left(entry), Time(entry.time).without_zone());
        let prefix = format!("  {left:<width$}  {time}  ");
        wrapped_line!(page, &prefix, "{}", page::event(&entry.event));
    }
    if more > 0 {
        line!(page, "  and {} more: `canon calendar` lists all", grouped(more as u64));
    }
}

fn now(page: &mut Page, view: &SetView) {
    let present = &view.present;
    let (now, next) = (present.block.timestamp, present.next);
    line!(page, "\nNow, in the next block, expected at {}", Time(next).beside(now));
    let mut available = available_actions(view);
    // The slots of earlier rollups count nothing.
    available.retain(|one| match &one.opportunity {
        Opportunity::Anyone(IntendedAction::RecordSeed { rollup, .. }) => {
            *rollup == present.addresses.rollup
        }
        _ => true,
    });
    let Standing { urgent, always } = Standing::of(present, &available);
    for (who, what) in &urgent {
        line!(page, "  {who:<10} {what}");
    }
    for one in available.iter().take(SHOWN_ACTIONS) {
        action(page, one, now);
    }
    if let Some(more) = available.len().checked_sub(SHOWN_ACTIONS).filter(|more| *more > 0) {
        line!(page, "  and {} more: --json lists all", grouped(more as u64));
    }
    for (who, what) in &always {
        line!(page, "  {who:<10} {what}");
    }
    earlier(page, present);
    for (position, what) in unread(view).iter().enumerate() {
        let label = if position == 0 { "not read" } else { "" };
        line!(page, "  {label:<10} {what}");
    }
}

/// An action with its command and the time left, which get a line of their own if they don't fit.
fn action(page: &mut Page, available: &AvailableAction, now: Timestamp) {
    let AvailableText { who, what, command } = page::available(available);
    let left = last_chance(available, now);
    let prefix = format!("  {who:<10} ");
    let end = format!("{}{left}", command.unwrap_or_default());
    let end = end.trim_start();
    let separator = if end.starts_with("canon") { ": " } else { " " };
    let line = format!("{prefix}{what}{separator}{end}");
    if line.chars().count() <= page::WIDTH {
        line!(page, "{line}");
    } else {
        wrapped_line!(page, &prefix, "{what}{}", separator.trim_end());
        line!(page, "{:1$}{end}", "", prefix.len());
    }
}

/// The stakes in rollups that were canonical before, as far as they were read.
fn earlier(page: &mut Page, present: &Present) {
    let canonical = present.addresses.rollup;
    for (address, rollup) in present.rollups.iter().filter(|(address, _)| **address != canonical) {
        let left = rollup.next_set_size.or(rollup.set_size).unwrap_or_default();
        if left > 0 {
            let (left, are) =
                (count(left.into(), "attester"), if left == 1 { "is" } else { "are" });
            line!(page, "  operators  {left} {are} left in an earlier rollup,");
            line!(page, "             {address}:");
            line!(page, "             canon stake move, canon stake exit");
        }
    }
}

/// The actions that may be possible too, but of accounts that only the history names; with the commands that
/// show them.
fn unread(view: &SetView) -> Vec<String> {
    if view.history.is_some() {
        return Vec::new();
    }
    let present = &view.present;
    let withdrawals = present.governance.withdrawal_count;
    let withdrawals = (withdrawals > 0).then(|| {
        let so_far = count(withdrawals, "withdrawal");
        format!("which of {so_far} can be paid: canon power HOLDER")
    });
    let has_seats = present.rollups.values().any(|rollup| rollup.set_size > Some(0));
    let stakes = has_seats.then(|| "exits and moves that are due: canon stake status".to_owned());
    withdrawals.into_iter().chain(stakes).collect()
}

/// What anybody with tokens can do at any time.
struct Standing {
    /// What a new set needs before it can be governed, with the accounts that do it.
    urgent: Vec<(&'static str, String)>,
    /// The rest, with the accounts that do it.
    always: Vec<(&'static str, String)>,
}

impl Standing {
    /// `available` are the actions that are shown besides.
    fn of(present: &Present, available: &[AvailableAction]) -> Self {
        let rollup = present.canonical_rollup();
        let is_lock = |one: &AvailableAction| matches!(one.opportunity, Opportunity::Lock { .. });
        let stake = rollup.map(|rollup| {
            let least = page::tokens(rollup.minimum_stake);
            ("operators", format!("stake {least} or more: canon stake deposit"))
        });
        let lock = (!available.iter().any(is_lock))
            .then(|| ("holders", "lock tokens to vote with: canon lock".to_owned()));
        let is_empty = rollup
            .is_some_and(|rollup| (rollup.set_size, rollup.next_set_size) == (Some(0), Some(0)));
        let (urgent_stake, stake) = if is_empty { (stake, None) } else { (None, stake) };
        let is_unlocked = present.governance.total_power.is_zero();
        let (urgent_lock, lock) = if is_unlocked { (lock, None) } else { (None, lock) };
        let always = match (stake, lock) {
            (Some(_), Some(_)) => {
                let both = "stake or lock tokens: canon stake deposit, canon lock";
                vec![("anyone", both.to_owned())]
            }
            (stake, lock) => stake.into_iter().chain(lock).collect(),
        };
        Self { urgent: urgent_stake.into_iter().chain(urgent_lock).collect(), always }
    }
}

/// The time left for an action; empty if it has no deadline.
fn last_chance(available: &AvailableAction, now: Timestamp) -> String {
    let left = available.until.and_then(|until| (until + Seconds::SECOND).since(now));
    left.map_or_else(String::new, |left| format!(" ({} left)", Duration(left).rounded()))
}

#[cfg(test)]
mod tests {
    use alloy_primitives::Address;
    use canon_protocol::{Payment, WithdrawalId};
    use canon_testkit::{
        chain::{Chain, ROLLUP, harmless},
        small_set::{EPOCH_SECONDS, SLOT},
    };
    use canon_views::{BlockView, Question, WithdrawalView};

    use super::*;

    const PAYLOAD: Address = Address::with_last_byte(0xf1);

    /// The set of a chain, with this time until the next block.
    fn view(chain: &Chain, until_next: Seconds) -> SetView {
        let block = BlockView { timestamp: chain.now(), ..BlockView::default() };
        let (question, foreign) = (Question::default(), &chain.foreign);
        let present = Present::of_state(&chain.set, foreign, block, &question, until_next);
        present.into()
    }

    #[test]
    fn the_slot_is_of_the_next_block_and_the_slots_left_are_of_this_one() {
        let mut chain = Chain::staked(3);
        chain.next_round();
        let now = view(&chain, Seconds::ZERO).present;
        let rules = now.signaling.as_ref().unwrap().rules;
        let clock = *now.canonical_clock().unwrap();
        let (round, m) = (rules.round_of(chain.slot()), u64::from(rules.m()));
        let left = count((round.get() + 1) * m - chain.slot().get(), "slot");
        let first = rules.first_slot(round).get();
        for slot in [chain.slot().get(), first + 1, first + m - 1, first + m] {
            let start = clock.slot_start(Slot::of(slot)).unwrap();
            let until_next = start.since(chain.now()).unwrap_or_default();
            let text = render(&view(&chain, until_next));
            assert!(text.contains(&format!(", slot {slot}, ")), "{text}");
            assert!(text.contains(&format!("round {round}, at this block: ")), "{text}");
            assert!(text.contains(&format!(", {left} left")), "{text}");
        }
    }

    #[test]
    fn a_set_without_stakes_and_locks_says_what_it_waits_for() {
        let text = render(&view(&Chain::deployed(), Seconds::ZERO));
        let (_, text) = text.split_once("b2\n").unwrap();
        let shown = "           next block: epoch 0, slot 0, no seats, nor in the next epoch
Signals    round 0, at this block: 3 of 5 signals win, 0 slots left
           nobody can signal before epoch 2
Proposals  none; nobody has locked tokens to vote with

Next
  in 2 min       1970-01-12 13:48:40  round 0 ends
  in 2 min       1970-01-12 13:48:40  the seed of epoch 2 can be recorded
  in 3 min 12 s  1970-01-12 13:49:52  epoch 2 starts: slots can have proposers

Now, in the next block, expected at 13:46:40
  operators  stake 100 tokens or more: canon stake deposit
  holders    lock tokens to vote with: canon lock
";
        assert_eq!(text, shown);
    }

    #[test]
    fn between_the_first_stakes_and_the_first_slot_more_can_stake_and_lock() {
        let mut chain = Chain::deployed();
        chain.is_kept = true;
        chain.stake(ROLLUP, 0);
        chain.lock("alice", 1);
        chain.wait(EPOCH_SECONDS + SLOT);
        let text = render(&view(&chain, Seconds::of(SLOT)));
        let (_, text) = text.split_once("\nSignals").unwrap();
        assert!(text.contains("\n           nobody can signal before epoch 2\n"), "{text}");
        assert!(text.contains("\nProposals  none; 1 token is locked\n"), "{text}");
        assert!(text.contains("  epoch 2 starts: slots can have proposers\n"), "{text}");
        let always = "  anyone     stake or lock tokens: canon stake deposit, canon lock\n";
        assert!(text.contains(always), "{text}");
    }

    #[test]
    fn whoever_wants_to_vote_is_told_to_lock_before_the_vote_starts() {
        let mut chain = Chain::voting(2_000, 0);
        chain.push(PAYLOAD, harmless());
        let text = render(&view(&chain, Seconds::SECOND));
        let lock = "\n  holders    lock to vote on proposal 0: canon lock (";
        assert!(text.contains(lock) && !text.contains("lock tokens to vote with"), "{text}");
        assert!(text.contains("\n  operators  stake 100 tokens or more: "), "{text}");
        let starts = view(&chain, Seconds::SECOND).present.governance.proposals[0].dates();
        chain.jump(starts.voting_starts);
        let text = render(&view(&chain, Seconds::SECOND));
        for side in ["for", "against"] {
            let vote = format!("  holders    vote {side} proposal 0: canon vote 0 {side} (");
            assert!(text.contains(&vote), "{text}");
        }
        assert!(!text.contains("lock to vote"), "{text}");
    }

    #[test]
    fn the_time_left_never_touches_the_date() {
        let mut chain = Chain::staked(3);
        chain.next_round();
        let mut view = view(&chain, Seconds::ZERO);
        view.present.governance.exit_floor.until = chain.now() + Seconds::of(83_000);
        let text = render(&view);
        assert!(text.contains("\n  in 23 h 3 min  1970-"), "{text}");
        view.present.governance.exit_floor.until = chain.now() + Seconds::of(12 * 60 + 33);
        let text = render(&view);
        assert!(text.contains("\n  in 12 min 34 s  1970-"), "{text}");
    }

    #[test]
    fn no_line_is_wider_than_a_terminal() {
        let mut chain = Chain::staked(3);
        chain.next_round();
        let text = render(&view(&chain, Seconds::ZERO));
        assert!(text.contains(" can signal in slot"), "{text}");
        assert!(text.contains(":\n             canon signal PAYLOAD ("), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }

    #[test]
    fn what_only_the_history_knows_is_named_with_the_command_that_shows_it() {
        let mut view = view(&Chain::staked(3), Seconds::ZERO);
        view.present.governance.withdrawal_count = 3;
        let text = render(&view);
        let unread = "
  not read   which of 3 withdrawals can be paid: canon power HOLDER
             exits and moves that are due: canon stake status
";
        assert!(text.contains(unread), "{text}");
    }

    #[test]
    fn events_that_are_left_out_are_counted_and_a_single_one_is_shown_instead() {
        let chain = Chain::staked(3);
        let mut view = view(&chain, Seconds::ZERO);
        let shown = |view: &SetView| {
            let text = render(view);
            let (_, next) = text.split_once("\nNext\n").unwrap();
            next.split_once("\n\n").unwrap().0.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        let before = shown(&view).len();
        for id in 0..SHOWN_EVENTS as u64 + 2 {
            let withdrawal = WithdrawalView {
                recipient: Default::default(),
                amount: Default::default(),
                unlocks_at: chain.now() + Seconds::of(1_000_000),
                payment: Payment::Due,
            };
            view.present.withdrawals.insert(WithdrawalId::of(id), withdrawal);
            let (lines, all) = (shown(&view), before + 1 + id as usize);
            assert_eq!(lines.len(), all.min(SHOWN_EVENTS + 1), "{lines:?}");
            if all > SHOWN_EVENTS + 1 {
                let more = all - SHOWN_EVENTS;
                let last = format!("  and {more} more: `canon calendar` lists all");
                assert_eq!(lines[SHOWN_EVENTS], last);
            }
        }
    }
}
