//! Transactions that recorded no seed: the contract accepts the call all the same.

use alloy_primitives::Address;
use canon_chain::{Client, Error};
use canon_protocol::{Epoch, Seconds, text::Time};
use canon_views::{IntendedAction, Question, SeedStatus};
use eyre::{Report, eyre};

use super::{outbox::Delivered, outcome::Change};
use crate::exit::Failure;

/// Finds out why a step recorded no seed, at the block of its transaction. Returns a note if the seed had been
/// recorded before; `None` if the step recorded one, or isn't meant to.
///
/// # Errors
///
/// If no seed can be recorded in that block, or it can't be read.
pub(super) async fn unrecorded(
    client: &Client,
    registry: Address,
    Delivered { step, transaction, change }: &Delivered,
) -> Result<Option<String>, Failure> {
    let IntendedAction::RecordSeed { rollup, .. } = step.intent.action else { return Ok(None) };
    let (Change::NothingRecorded, Some(transaction)) = (change, transaction) else {
        return Ok(None);
    };
    let question =
        Question { rollups: [(rollup, Default::default())].into(), ..Question::default() };
    let at = transaction.block.get().into();
    let present = client.view(registry, &question, at, Seconds::ZERO).await.map_err(unread)?;
    let block = &present.block;
    let seen = present.rollups.get(&rollup);
    let seen =
        seen.ok_or_else(|| Failure::refused(eyre!("the rollup {rollup} doesn't answer"), AGAIN))?;
    let epoch = seen.clock.epoch_at(block.timestamp).unwrap_or(Epoch::ZERO);
    match seen.seed {
        SeedStatus::Recorded => {
            Ok(Some(format!("the seed of epoch {} had been recorded before", epoch.next())))
        }
        SeedStatus::NotYet => {
            let next = epoch.next();
            let title = format!("the seed of epoch {next} isn't recorded");
            let report = match seen.clock.seed_recording_start(epoch) {
                None => eyre!(title),
                Some(time) => eyre!(
                    "the block of the transaction is in the first slot of epoch {epoch}: the seed can be recorded \
                     from {} on",
                    Time(time)
                )
                .wrap_err(title),
            };
            Err(Failure::nothing_to_do(report, "run the command again then"))
        }
        // Another block has taken the place of the one that included the transaction.
        SeedStatus::Missing(epoch) => {
            Err(Failure::refused(eyre!("the seed of epoch {epoch} isn't recorded"), AGAIN))
        }
    }
}

const AGAIN: &str = "run the command again";

fn unread(error: Error) -> Failure {
    let report = Report::msg(error.to_string());
    Failure::internal(report.wrap_err("whether the seed is recorded isn't known"), AGAIN)
}
