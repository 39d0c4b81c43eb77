//! The logs of the newest blocks, requested for many blocks at once.

use super::{Follower, Verification, WINDOW};
use crate::{
    error::SourceError,
    identity::SetIdentity,
    source::{Header, PlacedLog, Selection, SetSource, are_all_logs},
};
use alloy_primitives::{Address, B256, Bloom};
use canon_protocol::BlockNumber;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The number of newest blocks of which all logs are read. A node can have these blocks before their logs
/// are indexed. Of the other blocks only the set's logs are read, because all logs of so many blocks are a
/// large answer.
const NEWEST_BLOCKS: u64 = 4;

/// The most requests for logs that are sent at once: two for each block of a window.
const MOST_REQUESTS: usize = 2 * WINDOW as usize;

/// Logs that were read of blocks that aren't applied yet.
#[derive(Clone, Debug, Default)]
pub(super) struct UnreadLogs {
    blocks: BTreeMap<B256, BlockAnswers>,
    /// The number of times that a whole batch of requests failed. Each halves the next one: the endpoint may take too
    /// long for so many.
    failures: u32,
}

/// The answers about one block.
#[derive(Clone, Debug, Default)]
struct BlockAnswers {
    all: Option<Vec<PlacedLog>>,
    deployments: Option<Vec<PlacedLog>>,
    of_set: Option<LogsOfSet>,
}

/// The logs of these contracts in one block.
#[derive(Clone, Debug)]
struct LogsOfSet {
    emitters: Arc<BTreeSet<Address>>,
    logs: Vec<PlacedLog>,
}

/// The logs that one request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    All,
    Deployments,
    OfSet,
}

impl UnreadLogs {
    /// Drops the logs of all blocks but these.
    pub(super) fn keep_only(&mut self, headers: &[Header]) {
        let wanted: BTreeSet<_> = headers.iter().map(|header| header.block.hash).collect();
        self.blocks.retain(|hash, _| wanted.contains(hash));
    }

    /// Drops the logs of one block.
    pub(super) fn forget(&mut self, hash: B256) {
        self.blocks.remove(&hash);
    }

    /// The logs that may show new contracts.
    fn deployments(&self) -> Vec<PlacedLog> {
        self.blocks.values().flat_map(BlockAnswers::deployments).cloned().collect()
    }
}

impl BlockAnswers {
    /// The bloom that all logs of the block have to match; `None` if only the set's logs of it are read.
    fn bloom(&self, header: &Header, head: BlockNumber) -> Option<Bloom> {
        let is_among_newest = head.get() < header.block.number.get().saturating_add(NEWEST_BLOCKS);
        header.bloom.filter(|_| is_among_newest || self.all.is_some())
    }

    /// The logs that may show new contracts.
    fn deployments(&self) -> &[PlacedLog] {
        self.all.as_ref().or(self.deployments.as_ref()).map_or(&[], Vec::as_slice)
    }

    /// The parts to request before the logs of these contracts are known. Logs that the block doesn't have by its
    /// bloom aren't requested.
    fn missing(
        &self,
        header: &Header,
        head: BlockNumber,
        emitters: &BTreeSet<Address>,
    ) -> Vec<Part> {
        let may_have =
            |selection: Selection<'_>| header.bloom.is_none_or(|bloom| selection.may_be_in(&bloom));
        let has_deployments = may_have(Selection::Events(&SetIdentity::deployment_topics()));
        let has_ours = may_have(Selection::Emitters(emitters));
        if self.bloom(header, head).is_some() {
            let is_missing = (has_deployments || has_ours) && self.all.is_none();
            return is_missing.then_some(Part::All).into_iter().collect();
        }
        let knows_ours =
            self.of_set.as_ref().is_some_and(|known| emitters.is_subset(&known.emitters));
        let deployments = has_deployments && self.deployments.is_none();
        let parts = [(deployments, Part::Deployments), (has_ours && !knows_ours, Part::OfSet)];
        parts.into_iter().filter_map(|(is_missing, part)| is_missing.then_some(part)).collect()
    }
}

impl<S: SetSource> Follower<S> {
    /// The set's logs of the block that comes next; `None` if some of them have to be [requested](Self::request_logs)
    /// first.
    ///
    /// # Errors
    ///
    /// [`SourceError::MissingLogs`] if the answer lacks logs that the block's bloom shows.
    pub(super) fn read_logs(
        &mut self,
        header: &Header,
        head: BlockNumber,
    ) -> Result<Option<Vec<PlacedLog>>, SourceError> {
        let none = BlockAnswers::default();
        let known = self.window.logs.blocks.get(&header.block.hash).unwrap_or(&none);
        let emitters = self.current.emitters(&self.identity, known.deployments());
        if !known.missing(header, head, &emitters).is_empty() {
            return Ok(None);
        }
        let logs: &[_] = match (known.bloom(header, head), &known.all) {
            (Some(bloom), Some(logs)) => {
                if !are_all_logs(logs, &bloom) {
                    self.recovery.note_missing_logs(&header.block)?;
                    self.verification = Verification::Pending;
                }
                logs
            }
            (Some(_), None) => &[],
            (None, _) => {
                // Only a comparison shows whether some are missing.
                if known.deployments.is_some() || known.of_set.is_some() {
                    self.verification = Verification::Pending;
                }
                match &known.of_set {
                    Some(known) => &known.logs,
                    None => &[],
                }
            }
        };
        let ours = logs.iter().filter(|log| emitters.contains(&log.log.address));
        Ok(Some(ours.cloned().collect()))
    }

    /// Requests the logs of these blocks that aren't known yet, in one batch as far as the endpoint takes it. Returns
    /// the errors by block; the answers about other blocks are kept.
    ///
    /// # Errors
    ///
    /// If there is no answer at all.
    pub(super) async fn request_logs(
        &mut self,
        new: &[Header],
        head: BlockNumber,
    ) -> Result<BTreeMap<B256, SourceError>, SourceError> {
        let unread = &self.window.logs;
        let topics = SetIdentity::deployment_topics();
        let emitters = Arc::new(self.current.emitters(&self.identity, &unread.deployments()));
        let none = BlockAnswers::default();
        let parts = new.iter().flat_map(|header| {
            let known = unread.blocks.get(&header.block.hash).unwrap_or(&none);
            let missing = known.missing(header, head, &emitters);
            missing.into_iter().map(|part| (header.block, part))
        });
        let parts: Vec<_> = parts.collect();
        let most = MOST_REQUESTS.checked_shr(unread.failures).unwrap_or_default().max(1);
        let mut failed = BTreeMap::new();
        for parts in parts.chunks(most) {
            let selection = |part| match part {
                Part::All => Selection::All,
                Part::Deployments => Selection::Events(&topics),
                Part::OfSet => Selection::Emitters(&emitters),
            };
            let asked: Vec<_> =
                parts.iter().map(|(block, part)| (*block, selection(*part))).collect();
            let answers = self.source.logs_of_blocks(&asked).await;
            let unread = &mut self.window.logs;
            let answers = answers.inspect_err(|_| unread.failures += 1)?;
            if answers.len() != parts.len() {
                return Err(SourceError::Malformed("the logs of some blocks are missing"));
            }
            for ((block, part), answer) in parts.iter().zip(answers) {
                let logs = match answer {
                    Ok(logs) => logs,
                    Err(error) => {
                        failed.entry(block.hash).or_insert(error);
                        continue;
                    }
                };
                let known = unread.blocks.entry(block.hash).or_default();
                match part {
                    Part::All => known.all = Some(logs),
                    Part::Deployments => known.deployments = Some(logs),
                    Part::OfSet => {
                        let emitters = Arc::clone(&emitters);
                        known.of_set = Some(LogsOfSet { emitters, logs });
                    }
                }
            }
        }
        Ok(failed)
    }
}
