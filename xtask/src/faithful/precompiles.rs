//! Inputs for the precompiled contracts, most of them valid.

use alloy_eips::eip4844::kzg_to_versioned_hash;
use alloy_primitives::{B256, U256, hex};
use alloy_signer::SignerSync;

use super::sequence::Sequence;

/// The generators of BLS12-381, with coordinates in the encoding of EIP-2537.
const BLS_G1: [u8; 128] = hex!(
    "0000000000000000000000000000000017f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac58"
    "6c55e83ff97a1aeffb3af00adb22c6bb"
    "0000000000000000000000000000000008b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3ed"
    "d03cc744a2888ae40caa232946c5e7e1"
);
const BLS_G2: [u8; 256] = hex!(
    "00000000000000000000000000000000024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d177"
    "0bac0326a805bbefd48056c8c121bdb8"
    "0000000000000000000000000000000013e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049"
    "334cf11213945d57e5ac7d055d042b7e"
    "000000000000000000000000000000000ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c"
    "923ac9cc3baca289e193548608b82801"
    "000000000000000000000000000000000606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab"
    "3f370d275cec1da1aaa9075ff05f79be"
);

/// The generator of the second group of BN254 (EIP-197), and the field's modulus.
const BN_G2: [u8; 128] = hex!(
    "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"
    "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"
    "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"
    "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa"
);
const BN_MODULUS: U256 = U256::from_limbs([
    0x3c20_8c16_d87c_fd47,
    0x9781_6a91_6871_ca8d,
    0xb850_45b6_8181_585d,
    0x3064_4e72_e131_a029,
]);

/// A P-256 signature: hash, r, s and the coordinates of the key.
const P256: [u8; 160] = hex!(
    "4cee90eb86eaa050036147a12d49004b6b9c72bd725d39d4785011fe190f0b4d"
    "a73bd4903f0ce3b639bbbf6e8e80d16931ff4bcf5993d58468e8fb19086e8cac"
    "36dbcd03009df8c59286b162af3bd7fcc0450c9aa81be5d10d312af6c66b1d60"
    "4aebd3099c618202fcfe16ae7770b0c49ab5eadf74b754204a3bb6060e44eff3"
    "7618b065f9832de4ca6ca971a7a1adc826d0f7c00181a5fb2ddf79ae00b4e10e"
);

fn word(n: u64) -> B256 {
    U256::from(n).into()
}

/// Returns the address of a precompile, its name, and an input for it.
pub(super) fn random(s: &mut Sequence) -> (u16, &'static str, Vec<u8>) {
    match s.below(18) {
        0 => {
            let hash = s.word();
            let signature = s.signer(0).sign_hash_sync(&hash).expect("a local key signs");
            let v = word(27 + u64::from(signature.v()));
            let (r, s) = (signature.r().into(), signature.s().into());
            (1, "ecrecover", [hash, v, r, s].concat())
        }
        1 => (2, "sha256", random_bytes(s)),
        2 => (3, "ripemd160", random_bytes(s)),
        3 => (4, "identity", random_bytes(s)),
        4 => {
            let lengths = [1 + s.below(64), 1 + s.below(40), 1 + s.below(64)];
            let numbers = s.bytes(lengths.iter().sum());
            (5, "modexp", [lengths.map(word).concat(), numbers.to_vec()].concat())
        }
        5 => (6, "bn254 add", [word(1), word(2), word(1), word(2)].concat()),
        6 => (7, "bn254 mul", [word(1), word(2), s.word()].concat()),
        7 => {
            // e(P, Q) · e(−P, Q) = 1
            let minus = (BN_MODULUS - U256::from(2)).into();
            let plus = [[word(1), word(2)].concat(), BN_G2.to_vec()].concat();
            (8, "bn254 pairing", [plus, [word(1), minus].concat(), BN_G2.to_vec()].concat())
        }
        8 => {
            let rounds = (s.below(40) as u32).to_be_bytes();
            let state = s.bytes(64 + 128 + 16);
            (9, "blake2f", [&rounds[..], &state, &[s.below(2) as u8]].concat())
        }
        9 => {
            // The zero polynomial is zero everywhere, and its proof is the point at infinity.
            let mut infinity = [0; 48];
            infinity[0] = 0xc0;
            let mut z = s.word();
            z[0] = 0;
            let hash = kzg_to_versioned_hash(&infinity);
            let point = [hash, z, B256::ZERO].concat();
            (10, "kzg point evaluation", [&point[..], &infinity, &infinity].concat())
        }
        10 => (11, "bls g1 add", [BLS_G1, BLS_G1].concat()),
        11 => (12, "bls g1 msm", [&BLS_G1[..], s.word().as_slice()].concat().repeat(2)),
        12 => (13, "bls g2 add", [BLS_G2, [0; 256]].concat()),
        13 => (14, "bls g2 msm", [&BLS_G2[..], s.word().as_slice()].concat()),
        14 => (15, "bls pairing", [&BLS_G1[..], &BLS_G2].concat().repeat(2)),
        15 => (16, "bls map to g1", field_element(s)),
        16 => (17, "bls map to g2", [field_element(s), field_element(s)].concat()),
        _ => (256, "p256verify", P256.to_vec()),
    }
}

fn random_bytes(s: &mut Sequence) -> Vec<u8> {
    let length = s.below(200);
    s.bytes(length).to_vec()
}

/// An element of the base field of BLS12-381: 64 bytes, below the modulus.
fn field_element(s: &mut Sequence) -> Vec<u8> {
    let mut element = [[0; 32], s.word().0].concat();
    element[16..32].copy_from_slice(&s.word()[16..]);
    element[16] &= 0x0f;
    element
}
