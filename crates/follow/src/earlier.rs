//! Earlier states to return to.

use crate::fold::Fold;
use canon_protocol::BlockNumber;

/// The factor by which the distances of kept states from the newest block grow. About seven states are
/// enough for ten years.
const GROWTH: u64 = 8;

/// Earlier states, oldest first, at increasing distances from the newest block. The cost of a
/// reorganization or a wrong answer is a small multiple of the blocks affected.
#[derive(Clone, Debug, Default)]
pub(crate) struct EarlierStates(Vec<Fold>);

impl EarlierStates {
    /// Keeps `fold` if it is much closer to the block `head` than the state that was kept last. `first` is
    /// the set's first block.
    pub(crate) fn keep(&mut self, fold: &Fold, first: BlockNumber, head: BlockNumber) {
        let distance = |fold: &Fold| {
            let number = fold.block.map_or(first, |block| block.number);
            head.get().saturating_sub(number.get())
        };
        let whole = head.get().saturating_sub(first.get());
        if distance(fold).saturating_mul(GROWTH) > self.0.last().map_or(whole, distance) {
            return;
        }
        self.0.push(fold.clone());
        let mut index = 1;
        while index + 1 < self.0.len() {
            let [older, newer] = [index - 1, index + 1].map(|index| distance(&self.0[index]));
            if older < newer.saturating_mul(GROWTH) {
                self.0.remove(index);
            } else {
                index += 1;
            }
        }
    }

    /// Removes and returns the newest state after skipping `skipped` newer ones, which are removed too.
    pub(crate) fn pop(&mut self, skipped: usize) -> Option<Fold> {
        self.0.truncate(self.0.len().saturating_sub(skipped));
        self.0.pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use canon_protocol::{Addresses, SetState};
    use canon_views::BlockView;
    use std::sync::Arc;

    /// The distances of the kept states, if old blocks arrive `step` at a time.
    fn distances(blocks: u64, step: usize) -> Vec<u64> {
        let mut earlier = EarlierStates::default();
        let state = SetState::new(Addresses::default()).into();
        for number in (0..=blocks).step_by(step) {
            let block = BlockView { number: BlockNumber::of(number), ..BlockView::default() };
            let fold = Fold { block: Some(block), is_marked: false, state: Arc::clone(&state) };
            earlier.keep(&fold, BlockNumber::ZERO, BlockNumber::of(number + 64));
        }
        let number = |fold: &Fold| fold.block.unwrap().number.get();
        earlier.0.iter().map(|fold| blocks + 64 - number(fold)).collect()
    }

    #[test]
    fn distances_grow_and_leave_no_gap() {
        for (blocks, step) in [(1_000, 1), (300_000, 1), (300_000, 50), (3_000_000, 7)] {
            let mut kept = distances(blocks, step);
            kept.reverse();
            assert!(kept.len() as u32 <= 2 * blocks.ilog(GROWTH), "{blocks}: {kept:?}");
            // The blocks read again are at most some 60 times the blocks replaced.
            assert!(kept[0] <= 64 * (GROWTH + 1), "{blocks}: {kept:?}");
            let is_near = |pair: &[u64]| pair[1] <= pair[0] * GROWTH * GROWTH;
            assert!(kept.windows(2).all(is_near), "{blocks}: {kept:?}");
            assert!(kept[kept.len() - 1] * GROWTH * GROWTH >= blocks, "{blocks}: {kept:?}");
        }
    }
}
