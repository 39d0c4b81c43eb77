//! Dumps: a whole chain as bytes, for storage in a file.
//!
//! A dump consists of [`MAGIC`], the version of the format in one byte, the keccak hash of the
//! rest, and the rest: the chain's image in RLP.

use alloy_primitives::{B256, keccak256};
use alloy_rlp::{Decodable, Encodable};

use crate::{
    chain::Chain,
    error::{Error, Result},
    image::{self, ChainImage},
};

const MAGIC: &[u8] = b"canon-devchain";

/// The version of the format. It increases with each change that older code can't read.
const VERSION: u8 = 2;

pub(crate) fn dump(chain: &Chain) -> Vec<u8> {
    let mut image = Vec::new();
    ChainImage::of(chain).encode(&mut image);
    [MAGIC, &[VERSION], keccak256(&image).as_slice(), &image].concat()
}

/// Whether a dump would have more than this number of bytes, without making it. It may have a few more even if not.
pub(crate) fn is_larger(chain: &Chain, limit: usize) -> bool {
    let mut left = limit;
    !image::sizes(chain).all(|size| match left.checked_sub(size) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    })
}

pub(crate) fn load(dump: &[u8]) -> Result<Chain> {
    let rest = dump.strip_prefix(MAGIC).ok_or(Error::NotADump)?;
    let (&version, rest) = rest.split_first().ok_or(Error::NotADump)?;
    if version != VERSION {
        return Err(Error::DumpVersion { found: version, supported: VERSION });
    }
    let (hash, mut image) = rest.split_at_checked(B256::len_bytes()).ok_or(Error::NotADump)?;
    if keccak256(image) != B256::from_slice(hash) {
        return Err(Error::DumpDamaged("its checksum doesn't match".to_owned()));
    }
    let image = ChainImage::decode(&mut image).map_err(|e| Error::DumpDamaged(e.to_string()))?;
    image.restore().map_err(|error| Error::DumpDamaged(error.to_string()))
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, U256, bytes};

    use super::*;
    use crate::{Devchain, DevchainConfig, UnsignedCall};

    #[test]
    fn the_size_of_a_dump_is_known_before_it_is_made() {
        let chain = Devchain::new(DevchainConfig::default());
        let is_close = |what: &str| {
            let size = chain.to_bytes().len();
            let chain = chain.lock();
            assert!(!is_larger(&chain, size), "{what}: {size}");
            assert!(is_larger(&chain, size - size / 10), "{what}: {size}");
        };
        (0..300).for_each(|_| drop(chain.mine()));
        is_close("empty blocks");
        let logger = Address::repeat_byte(1);
        // LOG2(0, 64, 1, 2), SSTORE(NUMBER, TIMESTAMP)
        chain.set_code(logger, bytes!("6002600160405fa2424355")).unwrap();
        for _ in 0..500 {
            let call =
                UnsignedCall { from: logger, to: Some(logger), input: vec![7_u8; 200].into() };
            chain.mine_unsigned(&[call.clone(), call]).unwrap();
        }
        is_close("transactions with logs and writes");
        for index in 0..10_000_u64 {
            chain.set_storage(logger, U256::from(index), U256::MAX);
            chain.set_balance(Address::left_padding_from(&index.to_be_bytes()), U256::from(index));
        }
        is_close("accounts and slots");
        chain.set_code(Address::repeat_byte(2), vec![0_u8; 1 << 20]).unwrap();
        is_close("code");
    }
}
