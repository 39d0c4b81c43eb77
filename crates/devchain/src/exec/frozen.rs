//! The state on which calls are executed: a chain's own, or one that was taken out of it.

use alloy_primitives::B256;

use super::{View, Watch};
use crate::{
    block::Block,
    chain::Chain,
    state::{Values, Version},
};

/// The number of blocks whose hashes a contract can read (`BLOCKHASH`).
const HASHES: u64 = 256;

/// The hashes of blocks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hashes<'a> {
    /// Those of a chain.
    Of(&'a [Block]),
    /// A copy of those from this number on.
    From(u64, &'a [B256]),
}

impl Hashes<'_> {
    /// The hash of a block; zero if it isn't known.
    pub(crate) fn get(&self, number: u64) -> B256 {
        let hash = match self {
            Self::Of(blocks) => blocks.get(number as usize).map(|block| block.hash),
            Self::From(first, hashes) => {
                number.checked_sub(*first).and_then(|index| hashes.get(index as usize).copied())
            }
        };
        hash.unwrap_or_default()
    }
}

/// The state for calls, and the watch that can stop them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Base<'a> {
    pub(crate) state: &'a Values,
    pub(crate) hashes: Hashes<'a>,
    pub(crate) watch: &'a Watch,
}

impl<'a> Base<'a> {
    pub(crate) const fn view(&self, version: Option<Version>) -> View<'a> {
        View { state: self.state, version, hashes: self.hashes }
    }
}

/// The state of a chain as it was when it was taken, for calls outside the chain's lock.
#[derive(Debug)]
pub(crate) struct Frozen {
    state: Values,
    first: u64,
    hashes: Vec<B256>,
}

impl Frozen {
    pub(crate) fn base<'a>(&'a self, watch: &'a Watch) -> Base<'a> {
        let hashes = Hashes::From(self.first, self.hashes.as_slice());
        Base { state: &self.state, hashes, watch }
    }
}

impl Chain {
    /// The chain's own state.
    pub(crate) fn base<'a>(&'a self, watch: &'a Watch) -> Base<'a> {
        Base { state: &self.state, hashes: Hashes::Of(&self.blocks), watch }
    }

    /// Takes out the state, with the hashes that a contract can read in the block of this number.
    pub(crate) fn freeze(&self, number: u64) -> Frozen {
        let first = number.saturating_sub(HASHES).min(self.blocks.len() as u64);
        let blocks = self.blocks[first as usize..].iter().take(HASHES as usize + 1);
        let hashes = blocks.map(|block| block.hash).collect();
        Frozen { state: self.state.values(), first, hashes }
    }
}
