//! Waiting for a slot, block by block.

use std::time::Duration;

use alloy_primitives::B256;
use canon_chain::L1_SLOT;
use canon_protocol::{
    Seconds, Slot, Timestamp,
    text::{self, Time},
};
use canon_views::{BlockView, Present, Question};
use eyre::Report;

use super::subject::signaling;
use crate::{
    chain::Chain,
    deployer::interrupted,
    exit::{Exit, Failure, Reason, ReasonKind},
    output,
    page::until,
};

/// The time between two polls for a new block.
const INTERVAL: Duration = Duration::from_secs(1);

/// The number of polls between two notes on a wait without a new block, about a minute.
const POLLS_PER_NOTE: u64 = 60 / INTERVAL.as_secs();

/// The blocks that show that a slot has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Evidence {
    /// The block before it, if the next one comes as soon as the last ones did.
    NextBlock,
    /// A block of the slot.
    Head,
}

/// The reason why nothing can be sent in a slot now.
pub(super) const fn missed(reason: String) -> Reason {
    Reason::new(ReasonKind::MissedSlot, reason)
}

/// Whether a slot was missed: a later one is as good.
pub(super) fn is_missed(failure: &Failure) -> bool {
    failure.is_for(ReasonKind::MissedSlot) || failure.is_for(ReasonKind::OutOfSlot)
}

/// Shows why a slot was missed.
pub(super) fn tell_missed(failure: &Failure) {
    output::note(&format_args!("the slot was missed: {:#}; trying your next slot", failure.report));
}

/// The polls since the newest block was seen, and the notes on them.
#[derive(Debug, Default)]
pub(super) struct Silence {
    /// That block; `None` before there was one.
    head: Option<BlockView>,
    polls: u64,
    /// Whether a poll failed since then, which was noted.
    has_failed: bool,
}

impl Silence {
    fn since(head: BlockView) -> Self {
        Self { head: Some(head), ..Self::default() }
    }

    /// Waits for the next poll after one that found no newer block.
    async fn after_none(&mut self) {
        if let Some(note) = self.none() {
            output::note(&note);
        }
        tokio::time::sleep(INTERVAL).await;
    }

    /// Waits for the next poll after one that failed.
    ///
    /// # Errors
    ///
    /// The failure, if trying again doesn't help.
    pub(super) async fn after_failure(&mut self, failure: Failure) -> Result<(), Failure> {
        if let Some(note) = self.failed(failure)? {
            output::note(&note);
        }
        tokio::time::sleep(INTERVAL).await;
        Ok(())
    }

    /// The note on a poll that found no newer block, if one is due.
    fn none(&mut self) -> Option<String> {
        self.polls += 1;
        let is_due = self.polls.is_multiple_of(POLLS_PER_NOTE);
        self.head.filter(|_| is_due).map(|head| {
            let waited = text::Duration(Seconds::of(self.polls * INTERVAL.as_secs())).rounded();
            format!(
                "no new block for about {waited}, since block {} at {}; if another endpoint has newer ones, end this \
                 with Ctrl-C and run the same command with that one",
                head.number,
                Time(head.timestamp)
            )
        })
    }

    /// The note on a poll that failed, if one is due: the first since the newest block, and one each minute.
    fn failed(&mut self, failure: Failure) -> Result<Option<String>, Failure> {
        if !failure.is_for(ReasonKind::Passing) {
            return Err(failure);
        }
        self.polls += 1;
        let is_due = self.polls.is_multiple_of(POLLS_PER_NOTE) || !self.has_failed;
        self.has_failed = true;
        Ok(is_due.then(|| format!("{:#}; the wait goes on, until Ctrl-C ends it", failure.report)))
    }
}

/// Waits until there is a newer block than the one with this hash.
///
/// # Errors
///
/// If the chain can't be read, and trying again doesn't help.
pub(super) async fn next_block(chain: &Chain, shown: B256) -> Result<(), Failure> {
    let mut silence = Silence::default();
    loop {
        match chain.client().head().await {
            Ok(head) if head.hash != shown => return Ok(()),
            Ok(head) => {
                silence.head = Some(head);
                silence.after_none().await;
            }
            Err(error) => silence.after_failure(chain.unread(error)).await?,
        }
    }
}

/// Waits until the next block is expected in a slot.
///
/// # Errors
///
/// If the slot is over, or the chain can't be read, and trying again doesn't help.
pub(super) async fn until_slot(chain: &Chain, slot: Slot, start: Timestamp) -> Result<(), Failure> {
    until_shown(chain, slot, start, Evidence::NextBlock).await
}

/// Sends in a slot. If a transaction came too early, waits for a block of the slot and sends once more.
///
/// # Errors
///
/// Those of `send`; and if the slot is over by then, or the chain can't be read, and trying again doesn't help.
pub(super) async fn send_in_slot(
    chain: &Chain,
    slot: Slot,
    start: Timestamp,
    send: impl AsyncFn() -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    match send().await {
        Err(failure) if failure.is_for(ReasonKind::OutOfSlot) => {
            output::note(&failure.report.root_cause());
            // The first attempt handles Ctrl-C, so that it no longer ends the program by itself.
            tokio::select! {
                biased;
                failure = interrupted() => return Err(failure),
                waited = until_shown(chain, slot, start, Evidence::Head) => waited?,
            }
            send().await
        }
        ended => ended,
    }
}

async fn until_shown(
    chain: &Chain,
    slot: Slot,
    start: Timestamp,
    evidence: Evidence,
) -> Result<(), Failure> {
    let mut silence = Silence::default();
    loop {
        match newer_present(chain, silence.head.map(|head| head.hash), evidence).await {
            Ok(None) => silence.after_none().await,
            Err(failure) => silence.after_failure(failure).await?,
            Ok(Some((present, block_time))) => {
                match progress(&present, block_time, slot)? {
                    Progress::Begun => return Ok(()),
                    Progress::Waiting if silence.head.is_none() => {
                        let left = until(present.block.timestamp, start);
                        output::note(&format_args!(
                            "waiting for slot {slot}, at {} ({left})",
                            Time(start)
                        ));
                    }
                    Progress::Waiting => {}
                }
                silence = Silence::since(present.block);
                tokio::time::sleep(INTERVAL).await;
            }
        }
    }
}

/// The set at the newest block, and the time until the next one; `None` if that is still the block with the hash
/// `shown`.
async fn newer_present(
    chain: &Chain,
    shown: Option<B256>,
    evidence: Evidence,
) -> Result<Option<(Present, Seconds)>, Failure> {
    let present = chain.present_after(shown, Question::default()).await?;
    let Some(present) = present else { return Ok(None) };
    let block_time = match evidence {
        Evidence::NextBlock => chain.observed_block_time().await?,
        Evidence::Head => Seconds::ZERO,
    };
    Ok(Some((present, block_time)))
}

/// Whether the slot of the next block is the awaited one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Waiting,
    Begun,
}

/// Whether the block after `present` is expected in a slot, if it comes `block_time` later.
fn progress(present: &Present, block_time: Seconds, slot: Slot) -> Result<Progress, Failure> {
    let (rollup, signaling) = signaling(present)?;
    let head = present.block.timestamp;
    // The endpoint's pending block is later after missed blocks, or on a node that mines on request.
    let is_late = present.next > head + L1_SLOT && block_time > Seconds::ZERO;
    let next = if is_late { present.next } else { head + block_time };
    // The rollup's first slot hasn't begun.
    let Some(next) = rollup.clock.slot_at(next) else { return Ok(Progress::Waiting) };
    if next > slot || !signaling.status.is_free(slot) {
        let reason = match next > slot {
            true => format!("slot {slot} is over"),
            false => format!("slot {slot} has its signal"),
        };
        return Err(Failure::refused(
            Report::new(missed(reason)),
            "run it again for the next slot",
        ));
    }
    Ok(if next == slot { Progress::Begun } else { Progress::Waiting })
}

#[cfg(test)]
mod tests {
    use canon_chain::{EndpointNote, EndpointProblem, Error, NoEndpoint};
    use canon_protocol::BlockNumber;
    use canon_testkit::{chain::Chain as TestChain, small_set::SLOT};
    use eyre::eyre;

    use super::*;
    use crate::chain::unreached;

    /// The failure of a command whose only endpoint has a problem.
    fn unanswered(problem: EndpointProblem) -> Failure {
        let endpoint = "http://localhost:8545".parse().unwrap();
        let source = NoEndpoint(vec![EndpointNote { endpoint, problem }]);
        unreached(Error::NoEndpoint { what: "the newest block", source })
    }

    #[test]
    fn a_wait_without_blocks_is_noted_each_minute() {
        let (number, timestamp) = (BlockNumber::of(77), Timestamp::of(1_767_225_600));
        let head = BlockView { number, timestamp, ..BlockView::default() };
        let mut silence = Silence::since(head);
        let noted = (1..=150).filter_map(|poll| Some((poll, silence.none()?)));
        let notes: Vec<(u64, String)> = noted.collect();
        let [(60, first), (120, second)] = &*notes else { panic!("{notes:?}") };
        let said = "no new block for about 1 min, since block 77 at 2026-01-01 00:00:00 UTC; ";
        assert!(first.starts_with(said), "{first}");
        assert!(second.starts_with("no new block for about 2 min, "), "{second}");
    }

    #[test]
    fn a_wait_goes_on_after_a_failure_that_may_pass_and_notes_it_once_and_each_minute() {
        let mut silence = Silence::default();
        let passing =
            || unanswered(EndpointProblem::Failed("the connection was closed".to_owned()));
        let noted = |silence: &mut Silence| silence.failed(passing()).unwrap();
        let first = noted(&mut silence).unwrap();
        assert!(first.contains("the connection was closed"), "{first}");
        assert!(first.ends_with("; the wait goes on, until Ctrl-C ends it"), "{first}");
        let notes: Vec<u64> = (2..=130).filter(|_| noted(&mut silence).is_some()).collect();
        assert_eq!(notes, [60, 120]);
        // What has another cause ends it.
        let other = unanswered(EndpointProblem::OtherChain { expected: 1, found: 2 });
        assert!(silence.failed(other).is_err());
        let missed = Failure::refused(Report::new(missed("it is over".to_owned())), "run it again");
        assert!(silence.failed(missed).is_err());
    }

    #[test]
    fn a_slot_is_missed_only_for_a_reason_of_that_type() {
        let next = "run it again";
        let other_slot = eyre!("the next one is 9").wrap_err(missed("slot 7 is used".to_owned()));
        let other_slot = other_slot.wrap_err("nothing was sent");
        assert!(is_missed(&Failure::nothing_to_do(other_slot, next)));
        assert!(is_missed(&Failure::refused(Report::new(missed("it is over".to_owned())), next)));
        // The same exit code for another reason.
        assert!(!is_missed(&Failure::nothing_to_do(eyre!("nothing is left to send"), next)));
        assert!(!is_missed(&Failure::internal(eyre!("no endpoint answers"), next)));
    }

    #[test]
    fn a_slot_is_neither_signaled_in_early_nor_when_it_is_over() {
        let chain = TestChain::staked(3);
        let next = Slot::of(chain.slot().get() + 1);
        // The time from the slot's first block to the head, to the pending block, and between blocks.
        let progress = |head: u64, pending: u64, block_time: u64| {
            let timestamp = chain.now() + Seconds::of(head);
            let block = BlockView { number: BlockNumber::of(1), timestamp, ..BlockView::default() };
            let (question, pending) = (Question::default(), Seconds::of(pending));
            let present = Present::of_state(&chain.set, &chain.foreign, block, &question, pending);
            progress(&present, Seconds::of(block_time), next)
                .map_err(|failure| failure.report.to_string())
        };
        let usual = L1_SLOT.get();
        assert_eq!(progress(SLOT - usual - 1, usual, usual), Ok(Progress::Waiting));
        assert_eq!(progress(SLOT - usual, usual, usual), Ok(Progress::Begun));
        // Blocks that come faster: the next one isn't 12 s away.
        assert_eq!(progress(SLOT - usual, usual, 2), Ok(Progress::Waiting));
        assert_eq!(progress(SLOT - 3, usual, 2), Ok(Progress::Waiting));
        assert_eq!(progress(SLOT - 2, usual, 2), Ok(Progress::Begun));
        assert_eq!(progress(2 * SLOT - 3, usual, 2), Ok(Progress::Begun));
        assert!(progress(2 * SLOT - 2, usual, 2).unwrap_err().contains("is over"));
        // After missed blocks, the pending block says when the next one comes.
        assert_eq!(progress(0, SLOT + usual, usual), Ok(Progress::Begun));
        // After a transaction that came too early, a block of the slot.
        assert_eq!(progress(SLOT - 1, SLOT + usual, 0), Ok(Progress::Waiting));
        assert_eq!(progress(SLOT, usual, 0), Ok(Progress::Begun));
    }
}
