//! Data that no honest contract sends.

use alloy_primitives::{Address, Bytes, U256, hex};
use alloy_sol_types::SolError;
use canon_abi::{Governance, RevertKind, decode_revert};

#[test]
fn what_is_not_known_is_shown_as_it_is() {
    assert_eq!(decode_revert(&[]).to_string(), "no revert data");
    assert_eq!(*decode_revert(&[]).kind(), RevertKind::Empty);
    assert!(decode_revert(&[]).hint().is_some());
    assert_eq!(decode_revert(&hex!("010203")).to_string(), "malformed revert data 0x010203");
    assert_eq!(
        decode_revert(&hex!("deadbeef00")).to_string(),
        "unknown error 0xdeadbeef (0xdeadbeef00)"
    );
}

#[test]
fn arguments_that_do_not_fit_make_the_error_unknown() {
    let error = Governance::Governance__UnknownProposal { id: U256::ONE, count: U256::ZERO };
    let data = error.abi_encode();
    for length in 4..data.len() {
        let revert = decode_revert(&data[..length]);
        assert!(matches!(revert.kind(), RevertKind::Unknown { .. }), "{length}: {revert}");
        assert_eq!(revert.data().len(), length);
    }
    // A length that claims more than there is, and a text that isn't one.
    let mut lying = hex!("08c379a0").to_vec();
    lying.extend(U256::from(32).to_be_bytes::<32>());
    lying.extend(U256::MAX.to_be_bytes::<32>());
    assert!(matches!(decode_revert(&lying).kind(), RevertKind::Unknown { .. }));
    let mut huge = hex!("4e487b71").to_vec();
    huge.extend(U256::MAX.to_be_bytes::<32>());
    assert!(matches!(decode_revert(&huge).kind(), RevertKind::Unknown { .. }));
}

#[test]
fn nesting_is_bounded() {
    let mut data = Bytes::new();
    for index in 0..1000 {
        let error = Governance::Governance__ActionFailed {
            index: U256::from(index),
            target: Address::ZERO,
            reason: data,
        };
        data = error.abi_encode().into();
        if data.len() > 100_000 {
            break;
        }
    }
    let revert = decode_revert(&data);
    let levels = revert.to_string().matches("Governance__ActionFailed").count();
    assert_eq!(levels, 5);
}
