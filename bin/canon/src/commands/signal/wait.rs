//! Waiting for a slot, block by block.

use std::time::Duration;

use canon_protocol::{Slot, Timestamp, text::Time};
use canon_views::{Present, Question};
use eyre::eyre;

use super::subject::signaling;
use crate::{chain::Chain, exit::Failure, output, page::until};

/// The time between two polls for a new block.
const INTERVAL: Duration = Duration::from_secs(1);

/// Waits until the next block is expected in a slot.
///
/// # Errors
///
/// If the slot is over, or the chain can't be read.
pub(super) async fn until_slot(chain: &Chain, slot: Slot, start: Timestamp) -> Result<(), Failure> {
    let mut shown = None;
    loop {
        if let Some(present) = chain.present_after(shown, Question::default()).await? {
            match progress(&present, slot)? {
                Progress::Begun => return Ok(()),
                Progress::Waiting if shown.is_none() => {
                    let left = until(present.block.timestamp, start);
                    output::note(&format_args!(
                        "waiting for slot {slot}, at {} ({left})",
                        Time(start)
                    ));
                }
                Progress::Waiting => {}
            }
            shown = Some(present.block.hash);
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Whether the slot of the next block is the awaited one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Waiting,
    Begun,
}

/// Whether the block after `present` is expected in a slot.
fn progress(present: &Present, slot: Slot) -> Result<Progress, Failure> {
    let (rollup, signaling) = signaling(present)?;
    let next = rollup.slot.unwrap_or_default();
    if next > slot || !signaling.status.is_free(slot) {
        let report = match signaling.status.is_free(slot) {
            true => eyre!("slot {slot} is over"),
            false => eyre!("slot {slot} has its signal, or a later one has"),
        };
        return Err(Failure::refused(report, "run it again for the next slot"));
    }
    Ok(if next == slot { Progress::Begun } else { Progress::Waiting })
}

#[cfg(test)]
mod tests {
    use canon_protocol::BlockNumber;
    use canon_testkit::{chain::Chain as TestChain, small_set::SLOT};
    use canon_views::BlockView;

    use super::*;

    #[test]
    fn a_slot_is_neither_signaled_in_early_nor_when_it_is_over() {
        let chain = TestChain::staked(3);
        let slot = chain.slot();
        let progress = |after: u64| {
            let timestamp = chain.now();
            let block = BlockView { number: BlockNumber::of(1), timestamp, ..BlockView::default() };
            let (question, after) = (Question::default(), canon_protocol::Seconds::of(after));
            let present = Present::of_state(&chain.set, &chain.foreign, block, &question, after);
            progress(&present, Slot::of(slot.get() + 1))
                .map_err(|failure| failure.report.to_string())
        };
        assert_eq!(progress(SLOT - 1), Ok(Progress::Waiting));
        assert_eq!(progress(SLOT), Ok(Progress::Begun));
        assert_eq!(progress(2 * SLOT - 1), Ok(Progress::Begun));
        assert!(progress(2 * SLOT).unwrap_err().contains("is over"));
    }
}
