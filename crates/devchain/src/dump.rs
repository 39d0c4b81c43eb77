//! Dumps: a whole chain as bytes, for storage in a file.
//!
//! A dump consists of [`MAGIC`], the version of the format in one byte, the keccak hash of the
//! rest, and the rest: the chain's image in RLP.

use alloy_primitives::{B256, keccak256};
use alloy_rlp::{Decodable, Encodable};

use crate::{
    chain::Chain,
    error::{Error, Result},
    image::ChainImage,
};

const MAGIC: &[u8] = b"canon-devchain";

/// The version of the format. It increases with each change that older code can't read.
const VERSION: u8 = 2;

pub(crate) fn dump(chain: &Chain) -> Vec<u8> {
    let mut image = Vec::new();
    ChainImage::of(chain).encode(&mut image);
    [MAGIC, &[VERSION], keccak256(&image).as_slice(), &image].concat()
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
