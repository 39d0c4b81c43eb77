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
    // A length beyond the end of the data, and a text that isn't valid UTF-8.
    let mut lying = hex!("08c379a0").to_vec();
    lying.extend(U256::from(32).to_be_bytes::<32>());
    lying.extend(U256::MAX.to_be_bytes::<32>());
    assert!(matches!(decode_revert(&lying).kind(), RevertKind::Unknown { .. }));
    let mut huge = hex!("4e487b71").to_vec();
    huge.extend(U256::MAX.to_be_bytes::<32>());
    assert!(matches!(decode_revert(&huge).kind(), RevertKind::Unknown { .. }));
}

/// `Error(string)` with this text.
fn message(text: &[u8]) -> Vec<u8> {
    let mut data = hex!("08c379a0").to_vec();
    data.extend(U256::from(32).to_be_bytes::<32>());
    data.extend(U256::from(text.len()).to_be_bytes::<32>());
    data.extend(text);
    data.resize(4 + 64 + text.len().next_multiple_of(32), 0);
    data
}

#[test]
fn texts_of_others_are_shown_without_control_sequences() {
    for (text, shown) in [
        ("it's over".as_bytes(), r#""it's over""#),
        (b"\x1b[31mred\x07", r#""\u{1b}[31mred\u{7}""#),
        ("A \u{202e}evil\u{200b}".as_bytes(), r#""A \u{202e}evil\u{200b}""#),
        // Invisible letters, which Rust's escapes leave unchanged.
        ("a\u{3164}\u{fe0f}".as_bytes(), r#""a\u{3164}\u{fe0f}""#),
        (b"end\" of it", r#""end\" of it""#),
    ] {
        let revert = decode_revert(&message(text));
        assert_eq!(revert.to_string(), shown);
        assert_eq!(format!("{revert:?}"), format!("Revert({shown})"));
        let outer = Governance::Governance__ActionFailed {
            index: U256::ZERO,
            target: Address::ZERO,
            reason: message(text).into(),
        };
        let outer = decode_revert(&outer.abi_encode()).to_string();
        assert!(outer.ends_with(&format!("reason: {shown})")), "{outer}");
    }
    // Invalid UTF-8 is replaced and doesn't hide control characters.
    let invalid = decode_revert(&message(b"\xff\x1b")).to_string();
    assert!(invalid.contains(r"\u{1b}") && !invalid.contains('\u{1b}'), "{invalid}");
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
