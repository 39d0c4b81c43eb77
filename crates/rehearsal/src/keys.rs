//! Keys and random draws, all derived from the scenario's seed.

use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_signer_local::PrivateKeySigner;
use canon_protocol::Amount;

/// The account that deploys contracts assembled from opcodes.
pub(crate) const BYTECODE_DEPLOYER: &str = "bytecode deployer";

/// A value that is derived only from the seed, a name and a number.
fn derive(seed: u64, name: &str, number: u64) -> B256 {
    let mut preimage = b"canon rehearsal ".to_vec();
    preimage.extend(name.as_bytes());
    preimage.extend(seed.to_be_bytes());
    preimage.extend(number.to_be_bytes());
    keccak256(preimage)
}

/// The key of actor `number` of a role. Anyone can derive it, so it is for the embedded chain only.
pub(crate) fn key(seed: u64, role: &str, number: u64) -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&derive(seed, role, number))
        .expect("a keccak hash is a valid key but for one in 2^128")
}

/// An address whose key isn't needed.
pub(crate) fn address(seed: u64, role: &str, number: u64) -> Address {
    Address::from_word(derive(seed, role, number))
}

/// A number below `bound`, which must not be 0.
pub(crate) fn draw(seed: u64, name: &str, number: u64, bound: u128) -> u128 {
    let hash = U256::from_be_bytes(derive(seed, name, number).0);
    let rest: U256 = hash % U256::from(bound.max(1));
    u128::try_from(rest).unwrap_or_default()
}

/// An amount between two others, a whole number of tokens above the smaller one.
pub(crate) fn amount(seed: u64, number: u64, least: Amount, most: Amount) -> Amount {
    let unit = Amount::TOKEN.get();
    let steps = (most.get() - least.get()) / unit;
    let drawn = draw(seed, "tokens", number, steps + 1);
    Amount::new(least.get() + drawn * unit).unwrap_or(most)
}

/// The numbers below `count`, shuffled by the seed.
pub(crate) fn shuffled(seed: u64, name: &str, count: u64) -> Vec<u64> {
    let mut order: Vec<u64> = (0..count).collect();
    // The algorithm of Fisher and Yates, from the end.
    for last in (1..order.len()).rev() {
        let other = draw(seed, name, last as u64, last as u128 + 1);
        order.swap(last, usize::try_from(other).unwrap_or(last));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_and_numbers_have_keys_of_their_own() {
        let addresses =
            [key(1, "holder", 0), key(1, "holder", 1), key(1, "keeper", 0), key(2, "holder", 0)]
                .map(|key| key.address());
        for (position, address) in addresses.iter().enumerate() {
            assert!(!addresses[position + 1..].contains(address));
        }
    }

    #[test]
    fn amounts_stay_in_their_range() {
        let (least, most) =
            (Amount::of(5 * Amount::TOKEN.get()), Amount::of(7 * Amount::TOKEN.get()));
        let drawn: Vec<_> = (0..50).map(|number| amount(1, number, least, most)).collect();
        assert!(drawn.iter().all(|amount| (least..=most).contains(amount)));
        assert!(drawn.contains(&least) && drawn.contains(&most));
        assert_eq!(amount(1, 0, least, least), least);
    }

    #[test]
    fn shuffling_keeps_every_number() {
        let mut order = shuffled(1, "x", 40);
        assert_ne!(order, (0..40).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..40).collect::<Vec<_>>());
    }
}
