//! `canon stake status`: shows attesters, their stakes, exits and moves.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::Address;
use canon_follow::OpenedSet;
use canon_protocol::{
    AttesterStatus, BlockNumber, Epoch, Member, Rollup, Seconds, Slot, SlotClock, Timestamp,
    text::{self, Duration, Time, grouped},
};
use canon_views::{AttesterView, Present, Question, SetView};
use clap::Args;
use eyre::eyre;
use serde::Serialize;

use super::departed::departures;
use crate::{
    answer,
    chain::{self, Chain, ChainArgs},
    command_help::CommandHelp,
    exit::{Exit, Failure},
    input::nonzero_address,
    output,
    page::{Page, line, tokens, until},
};

/// Show attesters: their stake, their next slots, and exits and moves with their dates
///
/// Without an attester, all that are registered. They are from the events of the set.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Status {
    /// Attesters [default: all]
    #[arg(value_name = "ATTESTER", value_parser = nonzero_address)]
    attesters: Vec<Address>,

    /// Print JSON: times in Unix seconds, amounts in base units; numbers that can exceed 2^53 are strings
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    chain: ChainArgs,
}

const HELP: CommandHelp = CommandHelp::reading("the attesters were printed")
    .failed(&["one of them has no stake now", "the canonical rollup doesn't answer"])
    .internal(
        "no endpoint answers, all attesters are asked for and the set's history isn't known, or an internal error",
    );

/// The maximum number of attesters and of slots that are shown.
const SHOWN_ATTESTERS: usize = 20;
const SHOWN_SLOTS: usize = 6;
const SLOTS_IN_LINE: usize = 2;

/// Attesters at a block.
#[derive(Debug, Serialize)]
struct StakeDocument {
    #[serde(with = "text::decimal")]
    chain_id: u64,
    block: BlockNumber,
    /// The time of the block.
    time: Timestamp,
    /// The canonical rollup.
    #[serde(with = "text::address")]
    canonical: Address,
    attesters: Vec<ShownAttester>,
}

/// An attester of a rollup.
#[derive(Debug, Serialize)]
struct ShownAttester {
    #[serde(with = "text::address")]
    attester: Address,
    #[serde(with = "text::address")]
    rollup: Address,
    #[serde(flatten)]
    view: AttesterView,
    /// The recipient of the rewards of its blocks.
    #[serde(with = "text::address")]
    coinbase: Address,
    /// The coming slots drawn for the attester in this epoch and the next one, if the rollup is canonical; `None` if
    /// the history isn't known.
    next_slots: Option<Vec<DrawnSlot>>,
    /// The epoch after the next one with its start, if the attester is in the set only then.
    #[serde(skip)]
    draws_from: Option<(Epoch, Timestamp)>,
    /// The next epoch with its start, if it can draw the attester and its seed isn't recorded yet.
    #[serde(skip)]
    undrawn: Option<(Epoch, Timestamp)>,
}

/// A drawn slot.
#[derive(Clone, Copy, Debug, Serialize)]
struct DrawnSlot {
    slot: Slot,
    /// The first second of the slot.
    start: Timestamp,
    /// The last second of the slot.
    #[serde(skip)]
    end: Timestamp,
}

impl DrawnSlot {
    /// The time until the slot, or what is left of the running one: `now, 18 s left`.
    fn left(&self, now: Timestamp) -> String {
        match (self.end + Seconds::SECOND).since(now) {
            Some(left) if self.start <= now => format!("now, {} left", Duration(left).rounded()),
            _ => until(now, self.start),
        }
    }
}

impl Status {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let settings = self.chain.settings()?;
        let document = chain::run(async {
            let chain = settings.connect().await?;
            let opened = chain.history(Question::default()).await?;
            let attesters = match (&opened.view.history, self.attesters.is_empty()) {
                (Some(_), _) => known(&opened.view, &self.attesters),
                (None, _) if opened.view.present.canonical_rollup().is_none() => {
                    let rollup = opened.view.present.addresses.rollup;
                    let report = eyre!(
                        "no attesters are known: the canonical rollup {rollup} doesn't answer"
                    );
                    return Err(Failure::refused(report, "`canon status` shows what is known"));
                }
                (None, true) => return Err(unknown(&opened)),
                (None, false) => {
                    let canonical = opened.view.present.addresses.rollup;
                    let asked: BTreeSet<_> = self.attesters.iter().copied().collect();
                    let question = Question {
                        rollups: BTreeMap::from([(canonical, asked)]),
                        ..Question::default()
                    };
                    answered(&chain, &chain.present(question).await?, canonical).await?
                }
            };
            require_all(&chain, &opened.view, &self.attesters, &attesters).await?;
            let present = &opened.view.present;
            Ok(StakeDocument {
                chain_id: present.chain_id,
                block: present.block.number,
                time: present.block.timestamp,
                canonical: present.addresses.rollup,
                attesters,
            })
        })?;
        match self.json {
            true => output::json(&document)?,
            false => output::report(&render(&document))?,
        }
        Ok(Exit::Success)
    }
}

/// The failure if all attesters are requested and the history isn't known.
fn unknown(opened: &OpenedSet) -> Failure {
    let report = eyre!("which attesters there are isn't known");
    let report = match &opened.no_history {
        Some(reason) => eyre!("{reason}").wrap_err(report),
        None => report,
    };
    Failure::internal(report, "name attesters, or use an endpoint that has the set's logs")
}

/// The requested attesters from the history, or all attesters if none is requested.
fn known(view: &SetView, asked: &[Address]) -> Vec<ShownAttester> {
    let (now, next) = (view.present.block.timestamp, view.present.next);
    let canonical = view.present.addresses.rollup;
    let rollups = view.history.iter().flat_map(|history| history.rollups());
    let attesters = rollups.flat_map(|(rollup, state)| {
        let (seated, later) = (seated(state, now), draws_later(state.clock(), now));
        let registered = state.registrations().iter().filter(|member| {
            member.status() != AttesterStatus::None
                && (asked.is_empty() || asked.contains(&member.attester()))
        });
        registered.map(move |member| {
            let clock = state.clock();
            let first = clock.slot_at(next).unwrap_or_default();
            let epochs = clock.epoch_at(now).into_iter().flat_map(|epoch| [epoch, epoch.next()]);
            // The slots of other rollups count nothing.
            let epochs = epochs.filter(|_| rollup == canonical);
            let is_own = |slot: &Slot| {
                state.drawn(*slot).is_some_and(|drawn| drawn.attester() == member.attester())
            };
            let slots = epochs
                .filter_map(|epoch| state.slots_of(member.proposer(), epoch, now).ok())
                .flatten()
                .filter(|slot| *slot >= first && is_own(slot))
                .filter_map(|slot| {
                    let (start, end) = (clock.slot_start(slot)?, clock.slot_end(slot)?);
                    Some(DrawnSlot { slot, start, end })
                });
            let next_epoch = clock.epoch_at(now).map(Epoch::next);
            let undrawn = next_epoch.filter(|epoch| rollup == canonical && !state.has_seed(*epoch));
            let is_later = member.status() == AttesterStatus::Validating
                && !seated.contains(&member.attester());
            ShownAttester {
                attester: member.attester(),
                rollup,
                view: member.into(),
                coinbase: member.coinbase(),
                next_slots: Some(slots.collect()),
                draws_from: later.filter(|_| is_later),
                undrawn: undrawn.and_then(|epoch| Some((epoch, clock.epoch_start(epoch)?))),
            }
        })
    });
    attesters.collect()
}

/// The attesters in the set of this epoch or of the next one.
fn seated(rollup: &Rollup, now: Timestamp) -> BTreeSet<Address> {
    let epochs = rollup.clock().epoch_at(now).into_iter().flat_map(|epoch| [epoch, epoch.next()]);
    let members = epochs.flat_map(|epoch| {
        let size = rollup.set_size(epoch, now).unwrap_or_default();
        (0..size).filter_map(move |index| rollup.member_of(epoch, index, now).ok())
    });
    members.map(Member::attester).collect()
}

/// The epoch in whose set an attester is that registers now, and its first second.
pub(crate) fn draws_later(clock: &SlotClock, now: Timestamp) -> Option<(Epoch, Timestamp)> {
    let epoch = clock.epoch_at(now)?.next().next();
    Some((epoch, clock.epoch_start(epoch)?))
}

/// The attesters from a rollup's own views.
async fn answered(
    chain: &Chain,
    present: &Present,
    rollup: Address,
) -> Result<Vec<ShownAttester>, Failure> {
    let attesters = answer::rollup(present, rollup)?.attesters.iter();
    let mut shown = Vec::new();
    for (attester, view) in attesters.filter(|(_, view)| view.status != AttesterStatus::None) {
        shown.push(ShownAttester {
            attester: *attester,
            rollup,
            view: *view,
            coinbase: chain.coinbase(present.block.hash, rollup, *attester).await?,
            next_slots: None,
            draws_from: None,
            undrawn: None,
        });
    }
    Ok(shown)
}

/// Refuses an attester without a stake, and says how its stake left if that is known.
async fn require_all(
    chain: &Chain,
    view: &SetView,
    asked: &[Address],
    found: &[ShownAttester],
) -> Result<(), Failure> {
    let missing = asked.iter().find(|one| found.iter().all(|shown| shown.attester != **one));
    let Some(attester) = missing else { return Ok(()) };
    let title = format!("attester {attester} has no stake now");
    let report = match (departures(chain, view, *attester).await?, &view.history) {
        (Some(reasons), _) => eyre!(reasons).wrap_err(title),
        (None, Some(_)) => eyre!("attester {attester} has never been registered"),
        (None, None) => {
            let canonical = view.present.addresses.rollup;
            eyre!("attester {attester} has no stake in the canonical rollup {canonical} now")
        }
    };
    Err(Failure::refused(report, "`canon stake status` shows all attesters"))
}

fn render(document: &StakeDocument) -> String {
    let mut page = Page::default();
    if document.attesters.is_empty() {
        line!(page, "No attester is registered");
    }
    for shown in document.attesters.iter().take(SHOWN_ATTESTERS) {
        attester(&mut page, shown, document);
    }
    if let Some(more) =
        document.attesters.len().checked_sub(SHOWN_ATTESTERS).filter(|more| *more > 0)
    {
        line!(page, "and {} more: --json lists all", grouped(more as u64));
    }
    line!(page, "\nAs of block {}, {}", grouped(document.block.get()), Time(document.time));
    page.into_text()
}

fn attester(page: &mut Page, shown: &ShownAttester, document: &StakeDocument) {
    let ShownAttester { attester, rollup, view, .. } = shown;
    let now = document.time;
    line!(page, "{attester}  {}, {}", view.status, tokens(view.stake));
    let canonical = if *rollup == document.canonical { "canonical" } else { "not canonical" };
    line!(page, "  rollup      {rollup}, {canonical}");
    line!(page, "  proposer    {}", view.proposer);
    line!(page, "  withdrawer  {}", view.withdrawer);
    line!(page, "  coinbase    {}", shown.coinbase);
    if let Some(all) = shown.next_slots.as_ref().filter(|_| *rollup == document.canonical) {
        let slots: Vec<_> = all
            .iter()
            .take(SHOWN_SLOTS)
            .map(|drawn| format!("{} ({})", drawn.slot, drawn.left(now)))
            .collect();
        match (slots.is_empty(), shown.draws_from.or(shown.undrawn)) {
            (true, Some((epoch, start))) => {
                let (start, left) = (Time(start), until(now, start));
                line!(page, "  slots       from epoch {epoch} on, at {start} ({left})");
                if shown.draws_from.is_none() {
                    line!(page, "              drawn once its seed is recorded: canon setup-epoch");
                }
            }
            (true, None) => {
                line!(page, "  slots       none drawn for it in this epoch and the next");
            }
            (false, _) => {
                for (position, slots) in slots.chunks(SLOTS_IN_LINE).enumerate() {
                    let label = if position == 0 { "slots" } else { "" };
                    line!(page, "  {label:<10}  {}", slots.join(", "));
                }
                if let Some(more) = all.len().checked_sub(SHOWN_SLOTS).filter(|more| *more > 0) {
                    let more = grouped(more as u64);
                    line!(page, "              and {more} more: --json lists all");
                }
            }
        }
    }
    if let Some(exit) = view.exit {
        let left = until(now, exit.exitable_at);
        line!(page, "  leaving     due at {} ({left})", Time(exit.exitable_at));
        line!(page, "              to {}", exit.recipient);
    }
    if let Some(moving) = view.moving {
        let left = until(now, moving.ready_at);
        line!(page, "  moving      from {} on ({left})", Time(moving.ready_at));
        line!(page, "              to {}", moving.new_rollup);
        if moving.new_rollup != document.canonical {
            line!(page, "              and only once that rollup is canonical");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_that_are_left_out_are_counted() {
        for (drawn, more) in [(6, None), (7, Some("and 1 more")), (2_000, Some("and 1,994 more"))] {
            let time = Timestamp::of(1_800_000_000);
            let slots =
                (0..drawn).map(|slot| DrawnSlot { slot: Slot::of(slot), start: time, end: time });
            let attester = ShownAttester {
                attester: Address::repeat_byte(1),
                rollup: Address::repeat_byte(2),
                view: AttesterView::default(),
                coinbase: Address::repeat_byte(3),
                next_slots: Some(slots.collect()),
                draws_from: None,
                undrawn: None,
            };
            let text = render(&StakeDocument {
                chain_id: 1,
                block: BlockNumber::of(1),
                time,
                canonical: attester.rollup,
                attesters: vec![attester],
            });
            let line = more.map(|more| format!("\n              {more}: --json lists all\n"));
            assert_eq!(text.contains(" more: "), more.is_some(), "{text}");
            assert!(line.is_none_or(|line| text.contains(&line)), "{text}");
        }
    }
}
