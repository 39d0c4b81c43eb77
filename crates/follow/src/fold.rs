//! The state of a set after a block, folded from the logs up to it.

use crate::{error::FollowError, identity::SetIdentity, source::PlacedLog};
use alloy_primitives::Address;
use canon_protocol::{BlockNumber, Constructor, Log, SetState};
use canon_views::BlockView;
use std::{collections::BTreeSet, sync::Arc};

/// The state of a set after a block. A clone shares the state until one of them changes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fold {
    /// The block; `None` before the first one.
    pub(crate) block: Option<BlockView>,
    /// Whether the block has a log that [marks](SetIdentity::marker_topics) ranges.
    pub(crate) is_marked: bool,
    pub(crate) state: Arc<SetState>,
}

impl Fold {
    /// The state before the set's first event.
    pub(crate) fn new(identity: &SetIdentity) -> Self {
        Self { block: None, is_marked: false, state: Arc::new(SetState::new(identity.addresses)) }
    }

    /// The number of the next block.
    pub(crate) fn next(&self, identity: &SetIdentity) -> BlockNumber {
        self.block.map_or(identity.first_block, |block| block.number.next())
    }

    /// The contracts whose logs are followed. `deployments` are the logs of these blocks with the topics of
    /// [`SetIdentity::deployment_topics`].
    pub(crate) fn emitters(
        &self,
        identity: &SetIdentity,
        deployments: &[PlacedLog],
    ) -> BTreeSet<Address> {
        let is_genuine = |placed: &&PlacedLog| self.decode(identity, placed).is_some();
        let deployed = deployments.iter().filter(is_genuine).map(|placed| placed.log.address);
        let rollups = self.state.rollups().map(|(rollup, _)| rollup);
        let proposals = self.state.all_proposals().map(|(proposals, _)| proposals);
        let fixed = identity.fixed();
        fixed.into_iter().chain(rollups).chain(proposals).chain(deployed).collect()
    }

    /// Applies the logs of the blocks up to `block`. After an error, the state may be in the middle of a
    /// block.
    pub(crate) fn apply(
        &mut self,
        identity: &SetIdentity,
        block: BlockView,
        logs: &[PlacedLog],
    ) -> Result<(), FollowError> {
        for placed in logs {
            let (emitter, block) = (placed.log.address, placed.block.number);
            let Some(log) = self.decode(identity, placed) else {
                if self.state.role_of(emitter).is_none() {
                    // Its constructor is still running. The event that makes it a contract of the set comes
                    // later.
                    continue;
                }
                return Err(FollowError::UnknownEvent { block, index: placed.index, emitter });
            };
            let state = Arc::make_mut(&mut self.state);
            state.evolve(&log, placed.block).map_err(|source| FollowError::Apply {
                block,
                index: placed.index,
                first_block: identity.first_block,
                source,
            })?;
        }
        if !self.state.is_complete() {
            return Err(FollowError::Incomplete(block.number));
        }
        self.is_marked = logs.iter().any(|log| log.hash == block.hash && log.is_marker());
        self.block = Some(block);
        Ok(())
    }

    fn decode(&self, identity: &SetIdentity, placed: &PlacedLog) -> Option<Log> {
        let is_genuine =
            |contract, constructor: &Constructor| identity.is_genuine(contract, constructor);
        self.state.decode_log(placed.log.address, &placed.log.data, &is_genuine)
    }
}
