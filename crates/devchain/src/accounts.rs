//! The dev accounts, whose keys the chain has.

use alloy_primitives::{B256, keccak256};
use alloy_signer_local::PrivateKeySigner;

/// Derives the dev accounts of a seed: the private key of account `i` is
/// `keccak256("canon devchain account" ‖ seed ‖ i)`, both numbers as 8 big-endian bytes.
///
/// Anyone can derive these keys. Never send anything of value to them.
pub fn dev_accounts(seed: u64, count: usize) -> Vec<PrivateKeySigner> {
    (0..count as u64)
        .map(|index| {
            PrivateKeySigner::from_bytes(&derive("canon devchain account", seed, &[index]))
                .expect("a keccak hash is a valid key but for one in 2^128")
        })
        .collect()
}

/// A value that is derived only from a name, the seed and some numbers.
pub(crate) fn derive(name: &str, seed: u64, numbers: &[u64]) -> B256 {
    let mut preimage = name.as_bytes().to_vec();
    preimage.extend(seed.to_be_bytes());
    preimage.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
    keccak256(preimage)
}
