//! Signed messages, and the check of their signatures.
//!
//! A signature is valid if ECDSA recovers the signer from it (65 bytes, low s, never address 0), or
//! otherwise if the signer has code of its own that accepts it (ERC-1271). ECDSA is checked first whether
//! or not there is code, so the key of an account with an EIP-7702 delegation can still sign.

use crate::{
    external::{CodeKind, ExternalContracts},
    questions,
    set_state::SetState,
};
use alloy_primitives::{Address, B256, Signature, U256, uint};
use alloy_sol_types::{Eip712Domain, SolStruct, eip712_domain, sol};

sol! {
    /// A sequencer's signed message: a signal in one slot of one rollup. Domain name "Proposals".
    #[derive(Debug, PartialEq, Eq)]
    struct Signal {
        /// The payload that is signaled for.
        address payload;
        /// The slot in which it counts.
        uint256 slot;
        /// The rollup whose slot it is.
        address instance;
    }

    /// A holder's signed message: a ballot. Domain name "Governance".
    #[derive(Debug, PartialEq, Eq)]
    struct Ballot {
        /// The proposal.
        uint256 proposalId;
        /// The hash of the proposal's actions, since another proposal may have the number after a
        /// reorganization.
        bytes32 actionsHash;
        /// The power to cast, in base units.
        uint256 amount;
        /// True for a ballot for the proposal, false for one against it.
        bool support;
        /// The holder of the power.
        address voter;
        /// The voter's nonce for this proposal.
        uint256 nonce;
        /// The last timestamp at which it can be used.
        uint256 deadline;
    }

    /// A holder's signed message: an allowance (ERC-2612). The domain's name is the asset's.
    #[derive(Debug, PartialEq, Eq)]
    struct Permit {
        /// The owner of the asset.
        address owner;
        /// The account that gets the allowance.
        address spender;
        /// The amount, in base units.
        uint256 value;
        /// The owner's permit nonce.
        uint256 nonce;
        /// The last timestamp at which it can be used.
        uint256 deadline;
    }
}

/// The EIP-712 domain of the set's contract at `contract`, with version "1" and the chain's ID, so that no
/// signature is valid on two chains or for two contracts.
pub fn signing_domain(name: &str, chain_id: u64, contract: Address) -> Eip712Domain {
    eip712_domain! {
        name: name.to_owned(),
        version: "1",
        chain_id: chain_id,
        verifying_contract: contract,
    }
}

impl Signal {
    /// The hash that the slot's proposer signs, for the Proposals contract at `proposals`.
    pub fn signing_hash(&self, chain_id: u64, proposals: Address) -> B256 {
        self.eip712_signing_hash(&signing_domain("Proposals", chain_id, proposals))
    }
}

impl Ballot {
    /// The hash that the voter signs, for the Governance at `governance`.
    pub fn signing_hash(&self, chain_id: u64, governance: Address) -> B256 {
        self.eip712_signing_hash(&signing_domain("Governance", chain_id, governance))
    }
}

impl Permit {
    /// The hash that the owner signs, for the asset at `asset`, whose `name()` is `asset_name`.
    pub fn signing_hash(&self, chain_id: u64, asset: Address, asset_name: &str) -> B256 {
        self.eip712_signing_hash(&signing_domain(asset_name, chain_id, asset))
    }
}

impl SetState {
    /// The hash that `owner` signs for its next permit, which sets its allowance for `spender` to `value`.
    pub fn permit_hash(
        &self,
        owner: Address,
        spender: Address,
        value: U256,
        deadline: U256,
    ) -> B256 {
        let (asset, at) = (self.asset(), self.addresses());
        let nonce = asset.nonce(owner).to_word();
        let permit = Permit { owner, spender, value, nonce, deadline };
        permit.signing_hash(at.chain_id, at.asset, asset.names().0)
    }
}

/// The parts `v`, `r` and `s` of a signature of 65 bytes, or `None` if it has another length.
pub fn signature_parts(signature: &[u8]) -> Option<(u8, B256, B256)> {
    let (r, rest) = signature.split_first_chunk::<32>()?;
    let (s, v) = rest.split_first_chunk::<32>()?;
    let [v] = v else { return None };
    Some((*v, B256::from(r), B256::from(s)))
}

/// Half the order of secp256k1: the largest accepted `s`, since `(r, n − s)` would be a second valid
/// signature ([EIP-2](https://eips.ethereum.org/EIPS/eip-2)).
const HALF_ORDER: U256 =
    uint!(0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0_U256);

/// The reason why ECDSA recovers no signer; OpenZeppelin's `ECDSA` has an error for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unrecoverable {
    /// `s` is in the upper half.
    HighS,
    /// The signature recovers no address.
    Invalid,
}

/// Recovers the signer of `digest`.
pub(crate) fn recover(digest: B256, v: u8, r: B256, s: B256) -> Result<Address, Unrecoverable> {
    let (r, s) = (U256::from_be_bytes(r.0), U256::from_be_bytes(s.0));
    if s > HALF_ORDER {
        return Err(Unrecoverable::HighS);
    }
    let odd = match v {
        27 => false,
        28 => true,
        _ => return Err(Unrecoverable::Invalid),
    };
    match Signature::new(r, s, odd).recover_address_from_prehash(&digest) {
        Ok(signer) if !signer.is_zero() => Ok(signer),
        _ => Err(Unrecoverable::Invalid),
    }
}

/// Whether `signature` is a valid signature of `signer` over `digest`.
pub(crate) fn is_valid(
    signer: Address,
    digest: B256,
    signature: &[u8],
    external: &dyn ExternalContracts,
) -> bool {
    recovers(signer, digest, signature)
        || (external.code(signer).kind == CodeKind::Contract
            && accepts(signer, digest, signature, external))
}

/// Whether the contract at `account` accepts `signature` over `digest` by
/// [ERC-1271](https://eips.ethereum.org/EIPS/eip-1271): with one clean word.
fn accepts(
    account: Address,
    digest: B256,
    signature: &[u8],
    external: &dyn ExternalContracts,
) -> bool {
    let magic = B256::right_padding_from(questions::VALID_SIGNATURE.as_slice());
    let answer = external.ask(account, &questions::is_valid_signature(digest, signature));
    answer.is_ok_and(|answer| answer[..] == magic[..])
}

fn recovers(signer: Address, digest: B256, signature: &[u8]) -> bool {
    signature_parts(signature).is_some_and(|(v, r, s)| recover(digest, v, r, s) == Ok(signer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::b256;

    // The vector of EIP-2's discussion in go-ethereum's crypto tests.
    const DIGEST: B256 =
        b256!("0xce0677bb30baa8cf067c88db9811f4333d131bf8bcf12fe7065d211dce971008");
    const R: B256 = b256!("0x90f27b8b488db00b00606796d2987f6a5f59ae62ea05effe84fef5b8b0e54998");
    const S: B256 = b256!("0x4a691139ad57a3f0b906637673aa2f63d1f55cb1a69199d4009eea23ceaddc93");

    fn signer() -> Address {
        recover(DIGEST, 28, R, S).unwrap()
    }

    fn bytes(s: B256, v: u8) -> Vec<u8> {
        [R.as_slice(), s.as_slice(), &[v]].concat()
    }

    fn order_minus(s: B256) -> B256 {
        let order = HALF_ORDER * U256::from(2) + U256::from(1);
        B256::from(order - U256::from_be_bytes(s.0))
    }

    #[test]
    fn only_the_canonical_form_counts() {
        let signer = signer();
        assert!(recovers(signer, DIGEST, &bytes(S, 28)));
        assert!(!recovers(signer, DIGEST, &bytes(S, 27)));
        assert!(!recovers(signer, DIGEST, &bytes(S, 1)));
        assert!(!recovers(signer, DIGEST, &bytes(order_minus(S), 27)));
        assert_eq!(recover(DIGEST, 27, R, order_minus(S)), Err(Unrecoverable::HighS));
        // `HALF_ORDER` is the largest s that isn't refused as too high.
        let half = |more| B256::from(HALF_ORDER + U256::from(more));
        assert_ne!(recover(DIGEST, 28, R, half(0_u8)), Err(Unrecoverable::HighS));
        assert_eq!(recover(DIGEST, 28, R, half(1)), Err(Unrecoverable::HighS));
        assert!(!recovers(signer, DIGEST, &bytes(S, 28)[..64]));
        assert!(!recovers(signer, DIGEST, &[bytes(S, 28), vec![0]].concat()));
        assert!(!recovers(signer, DIGEST, &[]));
        assert!(!recovers(Address::ZERO, DIGEST, &[0; 65]));
    }
}
