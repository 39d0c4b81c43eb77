//! The status as text: one screen of 80 columns and 24 lines for an ordinary set.

use canon_protocol::{
    Amount, Epoch, Seconds, Timestamp,
    text::{Duration, Time, Tokens, count, grouped},
};
use canon_views::{
    AvailableAction, CalendarEntry, Present, ProposalView, RollupView, SetView, SignalingView,
    available_actions, calendar,
};

use crate::page::{self, Page, line, share, until, wrapped_line};

/// The maximum number of entries that are shown of a list.
const SHOWN_PROPOSALS: usize = 2;
const SHOWN_EVENTS: usize = 6;
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
        line!(page, "           doesn't answer; proposals can still be made through the lock");
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
    let (round, free) = (at_block.round, at_block.first_free_slot);
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
        None => match first_draw(present) {
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

fn proposals(page: &mut Page, present: &Present) {
    let all = &present.governance.proposals;
    let count = match all.len() {
        0 => "none".to_owned(),
        count => grouped(count as u64).to_string(),
    };
    let locked = match present.governance.total_power {
        Amount::ZERO => "nobody has locked tokens to vote with".to_owned(),
        locked => format!("{} tokens are locked", Tokens(locked)),
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
    line!(page, "  {:>6}   {}", proposal.id, page::state(proposal, now));
    wrapped_line!(
        page,
        "           ",
        "for {}, against {} of all power: {}",
        share(proposal.tally.yea, proposal.total_power),
        share(proposal.tally.nea, proposal.total_power),
        page::verdict(proposal, now),
    );
}

/// The next changes, except those of epochs.
fn next(page: &mut Page, view: &SetView) {
    let entries = calendar(view);
    let is_news = |entry: &&CalendarEntry| !page::is_of_epochs(&entry.event);
    line!(page, "\nNext");
    let now = view.present.block.timestamp;
    let left = |entry: &CalendarEntry| until(now, entry.time);
    let widths = entries.iter().filter(is_news).take(SHOWN_EVENTS).map(|one| left(one).len());
    let width = widths.max().unwrap_or_default().max(LEFT_WIDTH);
    let mut shown = entries.iter().filter(is_news).peekable();
    if shown.peek().is_none() {
        line!(page, "  nothing with a date");
    }
    for entry in shown.by_ref().take(SHOWN_EVENTS) {
        let (left, time) = (left(entry), Time(entry.time).without_zone());
        let prefix = format!("  {left:<width$}  {time}  ");
        wrapped_line!(page, &prefix, "{}", page::event(&entry.event));
    }
    match shown.count() {
        0 => {}
        more => line!(page, "  and {} more: `canon calendar` lists all", grouped(more as u64)),
    }
}

fn now(page: &mut Page, view: &SetView) {
    let (present, available) = (&view.present, available_actions(view));
    line!(page, "\nNow");
    let beginnings = beginnings(present);
    let unread = unread(view);
    for (who, what) in &beginnings {
        line!(page, "  {who:<10} {what}");
    }
    if available.is_empty() && beginnings.is_empty() && unread.is_empty() {
        line!(page, "  nothing can be done");
    }
    for one in available.iter().take(SHOWN_ACTIONS) {
        let (who, what) = page::available(one);
        let left = last_chance(one, present.block.timestamp);
        wrapped_line!(page, &format!("  {who:<10} "), "{what}{left}");
    }
    if let Some(more) = available.len().checked_sub(SHOWN_ACTIONS).filter(|more| *more > 0) {
        line!(page, "  and {} more: --json lists all", grouped(more as u64));
    }
    for (position, what) in unread.iter().enumerate() {
        let label = if position == 0 { "not read" } else { "" };
        line!(page, "  {label:<10} {what}");
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
    let has_seats = present.canonical_rollup().and_then(|rollup| rollup.set_size) > Some(0);
    let stakes = has_seats.then(|| "exits and moves that are due: canon stake status".to_owned());
    withdrawals.into_iter().chain(stakes).collect()
}

/// The actions that a new set needs before it can be governed, with the accounts that take them.
fn beginnings(present: &Present) -> Vec<(&'static str, String)> {
    let rollup = present.canonical_rollup().filter(|_| first_draw(present).is_some());
    let stake = rollup.map(|rollup| {
        let least = page::tokens(rollup.minimum_stake);
        ("operators", format!("stake {least} or more: canon stake deposit"))
    });
    let is_unlocked = present.governance.total_power.is_zero();
    let lock = is_unlocked.then(|| ("holders", "lock tokens to vote with: canon lock".to_owned()));
    stake.into_iter().chain(lock).collect()
}

/// The first epoch in which a stake made now draws slots; `None` if the canonical rollup has seats
/// earlier.
fn first_draw(present: &Present) -> Option<Epoch> {
    let rollup = present.canonical_rollup()?;
    let epoch = rollup.clock.epoch_of(rollup.slot?);
    let is_empty = (rollup.set_size, rollup.next_set_size) == (Some(0), Some(0));
    is_empty.then(|| epoch.next().next())
}

/// The time left for an action; empty if it has no deadline.
fn last_chance(available: &AvailableAction, now: Timestamp) -> String {
    let left = available.until.and_then(|until| (until + Seconds::SECOND).since(now));
    left.map_or_else(String::new, |left| format!(" ({} left)", Duration(left).rounded()))
}

#[cfg(test)]
mod tests {
    use canon_protocol::{Payment, WithdrawalId};
    use canon_testkit::chain::Chain;
    use canon_views::{BlockView, Question, WithdrawalView};

    use super::*;

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
            let start = clock.slot_start(canon_protocol::Slot::of(slot)).unwrap();
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
Signals    round 0, at this block: 3 of 5 signals win, 5 slots left
           nobody can signal before epoch 2
Proposals  none; nobody has locked tokens to vote with

Next
  in 2 min       1970-01-12 13:48:40  round 0 ends

Now
  operators  stake 100 tokens or more: canon stake deposit
  holders    lock tokens to vote with: canon lock
";
        assert_eq!(text, shown);
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
    fn events_that_are_left_out_are_counted() {
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
        }
        let lines = shown(&view);
        assert_eq!(lines.len(), SHOWN_EVENTS + 1, "{lines:?}");
        let last = format!("  and {} more: `canon calendar` lists all", before + 2);
        assert_eq!(lines[SHOWN_EVENTS], last);
    }
}
