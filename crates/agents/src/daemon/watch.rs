//! Following a set, block by block.

use alloy_primitives::{Address, B256};
use canon_chain::{BlockId, BlockTime, Client, Error, L1_SLOT};
use canon_follow::{
    HistoryCache, HistoryError, HistoryProgress, OpenSubject, OpenedSet, Pause, open_set,
};
use canon_protocol::{BlockNumber, Seconds};
use canon_views::{BlockView, Question, SetView};
use std::collections::BTreeSet;

/// The blocks after which a history is read again that wasn't available. To try it may mean to read all blocks.
const HISTORY_AGAIN: u64 = 32;

/// A set that is followed.
#[derive(Debug)]
pub struct Watch {
    client: Client,
    registry: Address,
    block_time: BlockTime,
    cache: HistoryCache,
    /// The block of the last view.
    seen: Option<B256>,
    /// The block up to which the present alone is read, since the history wasn't available.
    present_until: Option<BlockNumber>,
}

/// The newest block that an endpoint has, and the set at it.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) head: BlockView,
    /// The expected time from this block to the next.
    pub(super) block_time: Seconds,
    /// The set; `None` if the block is that of the last look.
    pub(super) opened: Option<OpenedSet>,
}

impl Watch {
    /// A set that no block of was seen yet. What is read before is in `cache`.
    pub const fn new(
        client: Client,
        registry: Address,
        block_time: BlockTime,
        cache: HistoryCache,
    ) -> Self {
        Self { client, registry, block_time, cache, seen: None, present_until: None }
    }

    /// The set at the newest block, unless it is still that of the last look.
    pub(super) async fn look(
        &mut self,
        question: &Question,
        progress: impl FnMut(HistoryProgress),
        pause: impl Pause,
    ) -> Result<Look, Error> {
        let (head, next) = self.client.head_and_next_time(self.block_time).await?;
        let block_time = next.since(head.timestamp).unwrap_or(L1_SLOT);
        if self.seen == Some(head.hash) {
            return Ok(Look { head, block_time, opened: None });
        }
        let is_present_enough = self.present_until.is_some_and(|until| head.number < until);
        let opened = match is_present_enough {
            true => self.present(question, block_time).await?,
            false => {
                let (client, registry) = (&self.client, self.registry);
                let subject = OpenSubject { client, registry, question, block_time };
                let opened = open_set(subject, &mut self.cache, progress, pause).await?;
                let again = BlockNumber::of(head.number.get().saturating_add(HISTORY_AGAIN));
                // An endpoint that lags has the history again soon.
                let fails = matches!(
                    opened.no_history,
                    Some(HistoryError::Find(_) | HistoryError::Follow(_))
                );
                self.present_until = fails.then_some(again);
                opened
            }
        };
        self.seen = Some(opened.view.present.block.hash);
        Ok(Look { head, block_time, opened: Some(opened) })
    }

    /// The set at the newest block, without its history.
    async fn present(&self, question: &Question, time: Seconds) -> Result<OpenedSet, Error> {
        let present = self.client.view(self.registry, question, BlockId::latest(), time).await?;
        let view = SetView::from(present);
        Ok(OpenedSet { view, no_history: None, unknown: BTreeSet::new(), notes: Vec::new() })
    }
}
