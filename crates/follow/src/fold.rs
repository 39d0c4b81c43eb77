//! A set's state after a block, from the logs up to it.

use crate::{
    error::FollowError,
    identity::SetIdentity,
    source::{BlockId, PlacedLog},
};
use alloy_primitives::{Address, map::AddressMap};
use canon_protocol::{BlockNumber, Event, L1Block, Log, Role, SetState};
use std::collections::BTreeSet;

/// A set's state after a block.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fold {
    /// The block; `None` before the first one.
    pub(crate) block: Option<BlockId>,
    pub(crate) state: SetState,
}

/// The contracts of the set that are new in some blocks, with their roles. The first events of a
/// constructor come before the one by which the contract shows what it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Newborn(AddressMap<Role>);

impl Newborn {
    /// Those that `births`, logs with the topics of [`SetIdentity::birth_topics`], show.
    pub(crate) fn among(identity: &SetIdentity, births: &[PlacedLog]) -> Self {
        let born = |placed: &PlacedLog| Some((placed.log.address, identity.newborn(&placed.log)?));
        Self(births.iter().filter_map(born).collect())
    }
}

impl Fold {
    /// Before the set's first event.
    pub(crate) fn new(identity: &SetIdentity) -> Self {
        Self { block: None, state: SetState::new(identity.addresses) }
    }

    /// The block that comes next.
    pub(crate) fn next(&self, identity: &SetIdentity) -> BlockNumber {
        self.block.map_or(identity.first_block, |block| block.number.next())
    }

    /// The contracts whose logs are followed.
    pub(crate) fn emitters(&self, identity: &SetIdentity, newborn: &Newborn) -> BTreeSet<Address> {
        let rollups = self.state.rollups().map(|(rollup, _)| rollup);
        let proposals = self.state.all_proposals().map(|(proposals, _)| proposals);
        let fixed = identity.fixed();
        fixed.into_iter().chain(rollups).chain(proposals).chain(newborn.0.keys().copied()).collect()
    }

    /// Applies the logs of the blocks up to `block`. If that fails, the state is between two blocks.
    pub(crate) fn apply(
        &mut self,
        identity: &SetIdentity,
        block: BlockId,
        logs: &[PlacedLog],
        newborn: &Newborn,
    ) -> Result<(), FollowError> {
        for placed in logs {
            let log = self.decode(placed, newborn)?;
            let at = L1Block { number: placed.block.number, timestamp: placed.timestamp };
            self.state.evolve(&log, at).map_err(|source| FollowError::Apply {
                block: placed.block.number,
                index: placed.index,
                first_block: identity.first_block,
                source,
            })?;
        }
        self.block = Some(block);
        Ok(())
    }

    fn decode(&self, placed: &PlacedLog, newborn: &Newborn) -> Result<Log, FollowError> {
        let emitter = placed.log.address;
        let role = newborn.0.get(&emitter).copied().or_else(|| self.state.role_of(emitter));
        let event = role.and_then(|role| Event::from_log_data(role, &placed.log.data));
        let event = event.ok_or(FollowError::UnknownEvent {
            block: placed.block.number,
            index: placed.index,
            emitter,
        })?;
        Ok(Log { emitter, event })
    }
}
