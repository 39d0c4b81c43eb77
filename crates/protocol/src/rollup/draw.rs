//! The draw of a slot's proposer.

use crate::units::Slot;
use alloy_primitives::{U256, keccak256};

/// The number of the member that proposes in `slot`: `keccak256(abi.encode(seed, slot)) mod size`, or
/// `None` if the set is empty.
///
/// `seed` and `size` are the results of `getSeed(epoch)` and `getSetSize(epoch)` for the slot's epoch. An
/// epoch without a recorded seed has no proposers. The probabilities of two members differ by at most
/// `size` / 2^256.
pub fn draw(seed: U256, slot: Slot, size: u64) -> Option<u64> {
    if size == 0 {
        return None;
    }
    let mut preimage = [0; 64];
    preimage[..32].copy_from_slice(&seed.to_be_bytes::<32>());
    preimage[56..].copy_from_slice(&slot.get().to_be_bytes());
    let hash = U256::from_be_bytes(keccak256(preimage).0);
    u64::try_from(hash % U256::from(size)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_sol_types::SolValue;

    #[test]
    fn the_draw_is_the_documented_formula() {
        for (seed, slot, size) in [(0, 0, 1), (7, 0, 48), (u64::MAX, 1_234_567, u64::MAX)] {
            let seed = U256::from(seed) << 130;
            let hash = keccak256((seed, U256::from(slot)).abi_encode());
            let expected = U256::from_be_bytes(hash.0) % U256::from(size);
            assert_eq!(draw(seed, Slot::of(slot), size).map(U256::from), Some(expected));
        }
    }

    #[test]
    fn nobody_draws_from_an_empty_set() {
        assert_eq!(draw(U256::from(1), Slot::ZERO, 0), None);
    }
}
