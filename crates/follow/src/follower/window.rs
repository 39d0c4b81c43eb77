//! The newest blocks, read one by one.

use super::{Advance, Follower, WINDOW, unread_logs::UnreadLogs};
use crate::{
    error::{FollowError, SourceError},
    source::{Header, PlacedLog, SetSource},
};
use alloy_primitives::B256;
use canon_protocol::BlockNumber;
use canon_views::BlockView;
use std::collections::{BTreeMap, VecDeque};

/// The newest blocks.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    /// The blocks applied to the state, oldest first.
    pub(super) blocks: VecDeque<WindowBlock>,
    /// Headers by hash whose blocks may come next. They are kept when a request fails.
    unread: BTreeMap<B256, Header>,
    /// Logs of blocks that may come next. They are kept when a request fails.
    pub(super) logs: UnreadLogs,
}

/// A block that may still be replaced.
#[derive(Clone, Debug)]
pub(super) struct WindowBlock {
    pub(super) block: BlockView,
    pub(super) logs: Vec<PlacedLog>,
}

impl<S: SetSource> Follower<S> {
    /// Makes the window's blocks part of the base state, if they are still on the chain. Used when the
    /// chain has grown by more than a window since the last step.
    pub(super) async fn settle_window(&mut self) -> Result<Advance, FollowError> {
        let Some(newest) = self.window.blocks.back() else { return Ok(Advance::Extended) };
        let newest = newest.block;
        let next = newest.number.next();
        let after = self.source.header_at(next).await?.ok_or(SourceError::NoBlock(next))?;
        if after.block.parent == newest.hash {
            self.window.blocks.clear();
            self.base = self.current.clone();
        } else {
            self.drop_window();
        }
        Ok(Advance::Extended)
    }

    /// Reads the headers from the newest block down to a known one, then the logs of these blocks.
    pub(super) async fn read_new_blocks(&mut self, head: Header) -> Result<Advance, FollowError> {
        let lowest = self.base.next(&self.identity);
        if head.block.number < lowest {
            return Ok(Advance::Behind);
        }
        self.read_likely_ancestors(&head).await?;
        let mut new = Vec::new();
        let mut header = head;
        let ancestor = loop {
            if self.is_known(header.block.hash) {
                break Some(header.block);
            }
            new.push(header);
            if header.block.number == lowest {
                // Its parent is the base block, or another block with the same number.
                break self.base.block.filter(|base| base.hash == header.block.parent);
            }
            let child = header.block;
            header = match self.window.unread.get(&child.parent) {
                Some(parent) => *parent,
                None => {
                    let parent = self.source.header(child.parent).await?;
                    let Some(parent) = parent else {
                        // The child may have a wrong parent.
                        self.window.unread.remove(&child.hash);
                        return Err(SourceError::UnknownBlock(child.parent).into());
                    };
                    self.window.unread.insert(child.parent, parent);
                    parent
                }
            };
            if header.block.number.next() != child.number {
                // One of the two is wrong, and it isn't known which.
                self.window.unread.remove(&child.hash);
                self.window.unread.remove(&child.parent);
                return Err(
                    SourceError::Malformed("a block's number isn't its parent's plus 1").into()
                );
            }
        };
        if ancestor.is_none() && self.base.block.is_some() {
            self.window.unread.remove(&header.block.hash);
            return self.contradicted();
        }
        self.recovery.contradictions = 0;
        if new.is_empty() {
            return Ok(Advance::Behind);
        }
        let kept = ancestor.map_or(0, |ancestor| {
            self.window
                .blocks
                .iter()
                .take_while(|known| known.block.number <= ancestor.number)
                .count()
        });
        if kept < self.window.blocks.len() {
            self.window.blocks.truncate(kept);
            self.recovery.taken_back = true;
            self.replay()?;
        }
        new.reverse();
        self.read_blocks(&new, head.block.number).await?;
        self.window.unread.clear();
        Ok(Advance::Extended)
    }

    /// Reads the logs of the blocks that come next, oldest first, and applies them block by block.
    async fn read_blocks(&mut self, new: &[Header], head: BlockNumber) -> Result<(), FollowError> {
        self.window.logs.keep_only(new);
        let mut failed = BTreeMap::new();
        for (position, header) in new.iter().enumerate() {
            let hash = header.block.hash;
            let applied = loop {
                if let Some(error) = failed.remove(&hash) {
                    break Err(FollowError::Source(error));
                }
                match self.read_logs(header, head) {
                    Ok(Some(logs)) => break self.apply_block(header.block, logs),
                    Ok(None) => failed = self.request_logs(&new[position..], head).await?,
                    Err(error) => break Err(error.into()),
                }
            };
            if let Err(error) = applied {
                // Unless the endpoint failed, the header or the logs may be wrong.
                if !matches!(error, FollowError::Source(SourceError::Chain(_))) {
                    self.window.unread.remove(&hash);
                    self.window.logs.forget(hash);
                }
                return Err(error);
            }
        }
        self.window.logs = UnreadLogs::default();
        Ok(())
    }

    /// Reads the headers between the known ones and `head`, if there are several. They are requested by
    /// number in one batch, which is faster than one request per parent. After a reorganization, some of
    /// them aren't ancestors.
    async fn read_likely_ancestors(&mut self, head: &Header) -> Result<(), SourceError> {
        let (next, head) = (self.current.next(&self.identity), head.block.number);
        self.window.unread.retain(|_, header| (next..head).contains(&header.block.number));
        let known = self.window.unread.values().map(|header| header.block.number.next()).max();
        let first = known.unwrap_or(next);
        if first.next() >= head {
            return Ok(());
        }
        let headers = self.source.headers_at(first..=BlockNumber::of(head.get() - 1)).await?;
        self.window.unread.extend(headers.into_iter().map(|header| (header.block.hash, header)));
        Ok(())
    }

    /// Whether the state has applied this block and can return to it.
    fn is_known(&self, hash: B256) -> bool {
        let window = self.window.blocks.iter().map(|known| known.block);
        self.base.block.into_iter().chain(window).any(|block| block.hash == hash)
    }

    fn apply_block(&mut self, block: BlockView, logs: Vec<PlacedLog>) -> Result<(), FollowError> {
        if let Err(error) = self.current.apply(&self.identity, block, &logs) {
            // The logs already applied of this block are undone.
            self.replay()?;
            return Err(self.not_applied(error));
        }
        self.forget_failure(block.number);
        self.events += logs.len() as u64;
        self.window.blocks.push_back(WindowBlock { block, logs });
        while self.window.blocks.len() as u64 > WINDOW {
            let Some(oldest) = self.window.blocks.pop_front() else { break };
            self.base.apply(&self.identity, oldest.block, &oldest.logs)?;
            self.keep_base();
        }
        Ok(())
    }

    /// Recomputes the current state from the base state and the window.
    fn replay(&mut self) -> Result<(), FollowError> {
        let mut current = self.base.clone();
        for WindowBlock { block, logs } in &self.window.blocks {
            current.apply(&self.identity, *block, logs)?;
        }
        self.current = current;
        Ok(())
    }
}
