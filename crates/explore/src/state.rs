//! A state of the search: the set and the time.

use crate::payloads::Payloads;
use alloy_primitives::{Address, U256};
use canon_protocol::{
    BlockNumber, Context, Ending, Epoch, Governance, L1Block, Proposal, ProposalState, Rollup,
    SetState, Timestamp,
};
use std::rc::Rc;

/// The set at a time. Clones share the set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The contracts.
    pub set: Rc<SetState>,
    /// The timestamp of the next call's block.
    pub now: Timestamp,
}

impl State {
    pub(crate) fn new(set: SetState, now: Timestamp) -> Self {
        Self { set: Rc::new(set), now }
    }

    pub(crate) fn governance(&self) -> &Governance {
        self.set.governance()
    }

    /// Whether the Proposals contract that pushed `proposal` was replaced.
    pub(crate) fn is_dropped(&self, proposal: &Proposal) -> bool {
        self.governance().state(proposal, self.now) == ProposalState::Dropped
    }

    /// Whether the seed of `epoch`, the present or the next, is recorded.
    pub(crate) fn has_seed(&self, rollup: &Rollup, epoch: Epoch) -> bool {
        rollup.seed(epoch, self.now).is_ok_and(|seed| seed.is_some())
    }

    /// The proposals that aren't over: neither executed nor stored as dropped, and not past their
    /// last deadline.
    pub(crate) fn open_proposals(&self) -> impl Iterator<Item = &Proposal> {
        self.governance().proposals().iter().filter(|proposal| {
            proposal.ending() == Ending::Open && self.now <= proposal.deadlines().executable
        })
    }
}

/// The context of a call by `caller` at `now`.
///
/// A block's number is its timestamp, and all blocks have the same randomness: the stakers can all
/// do the same, so it doesn't matter which of them draws a slot.
pub(crate) fn context(caller: Address, now: Timestamp, external: &Payloads) -> Context<'_> {
    let block = L1Block { number: BlockNumber::of(now.get()), timestamp: now };
    Context { caller, block, prevrandao: U256::from(1), external }
}
