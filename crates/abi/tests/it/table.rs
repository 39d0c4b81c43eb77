//! Every custom error of every contract, with sample arguments.

use alloy_dyn_abi::{DynSolType, DynSolValue, JsonAbiExt, Specifier};
use alloy_json_abi::Error;
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::{Panic, PanicKind, Revert as Message, SolCall, SolError};
use canon_abi::{
    Argument, Contract, Expect, Governance, Proposals, Revert, RevertKind, Rollup, decode_revert,
};
use canon_protocol::{GovernanceRefusal, ProposalState, Refusal};
use std::collections::BTreeMap;

/// A small value of a type. Different `n` give different values.
fn sample(kind: &DynSolType, n: u8) -> DynSolValue {
    match kind {
        DynSolType::Bool => DynSolValue::Bool(true),
        DynSolType::Uint(bits) => DynSolValue::Uint(U256::from(n), *bits),
        DynSolType::Address => DynSolValue::Address(Address::repeat_byte(0x10 + n)),
        DynSolType::FixedBytes(4) => {
            let mut word = B256::ZERO;
            word[..4].copy_from_slice(&Rollup::getCurrentSlotCall::SELECTOR);
            DynSolValue::FixedBytes(word, 4)
        }
        DynSolType::FixedBytes(size) => {
            DynSolValue::FixedBytes(B256::right_padding_from(b"quorum"), *size)
        }
        DynSolType::Bytes => DynSolValue::Bytes(
            Expect::Expect__Canonical {
                expected: Address::repeat_byte(1),
                found: Address::repeat_byte(2),
            }
            .abi_encode(),
        ),
        DynSolType::String => DynSolValue::String("a name".into()),
        DynSolType::Tuple(kinds) | DynSolType::CustomStruct { tuple: kinds, .. } => {
            DynSolValue::Tuple(samples(kinds, n))
        }
        other => panic!("no error has a {other}"),
    }
}

fn samples(kinds: &[DynSolType], n: u8) -> Vec<DynSolValue> {
    kinds.iter().zip(n..).map(|(kind, n)| sample(kind, n)).collect()
}

fn encode(error: &Error) -> Vec<u8> {
    let kinds: Vec<_> = error.inputs.iter().map(|input| input.resolve().unwrap()).collect();
    error.abi_encode_input(&samples(&kinds, 1)).unwrap()
}

fn errors() -> BTreeMap<String, &'static Error> {
    let errors = Contract::ALL.iter().flat_map(|contract| contract.artifact().abi().errors());
    errors.map(|error| (error.name.clone(), error)).collect()
}

#[test]
fn every_error_is_named_with_its_arguments() {
    let mut text = String::new();
    for (name, error) in errors() {
        let revert = decode_revert(&encode(error));
        let RevertKind::Custom { name: decoded, arguments, .. } = revert.kind() else {
            panic!("{name} is {revert}");
        };
        assert_eq!(*decoded, name);
        let names: Vec<_> = arguments.iter().map(Argument::name).collect();
        let declared: Vec<_> = error.inputs.iter().map(|input| input.name.as_str()).collect();
        assert_eq!(names, declared);
        text += &format!("{revert}\n");
        if let Some(hint) = revert.hint() {
            text += &format!("    {hint}\n");
        }
    }
    snapbox::assert_data_eq!(text, snapbox::file!["errors.txt"].raw());
}

#[test]
fn every_custom_error_is_a_refusal_of_the_protocol() {
    // These errors belong to libraries, and no state of the set leads to them.
    const LIBRARIES: &[&str] = &[
        "ECDSAInvalidSignatureLength",
        "InvalidShortString",
        "SafeERC20FailedOperation",
        "StringTooLong",
    ];
    for (name, error) in errors() {
        let known = !matches!(decode_revert(&encode(error)).refusal(), Refusal::Foreign(_));
        assert_ne!(known, LIBRARIES.contains(&name.as_str()), "{name}");
    }
}

#[test]
fn an_error_is_also_what_the_bindings_make_of_it() {
    let error =
        Proposals::Proposals__RoundNotOver { round: U256::from(8), currentRound: U256::from(8) };
    let revert = decode_revert(&error.abi_encode());
    assert_eq!(revert.to_string(), "Proposals__RoundNotOver(round: 8, currentRound: 8)");
    assert_eq!(revert.hint(), Some("wait until the round is over"));
    assert!(revert.is::<Proposals::Proposals__RoundNotOver>());
    assert!(!revert.is::<Proposals::Proposals__RoundExpired>());
    assert_eq!(revert.decoded::<Proposals::Proposals__RoundNotOver>(), Some(error));
    assert_eq!(revert.argument("round").unwrap().text(), "8");
    assert_eq!(revert.argument("nothing"), None);
}

#[test]
fn states_have_their_names() {
    for state in ProposalState::ALL {
        let error = Governance::Governance__NotActive { id: U256::ZERO, state: state as u8 };
        let revert = decode_revert(&error.abi_encode());
        assert_eq!(revert.argument("state").unwrap().text(), state.to_string());
        let refusal = GovernanceRefusal::NotActive { id: U256::ZERO, state };
        assert_eq!(revert.refusal(), refusal.into());
    }
    let error = Governance::Governance__NotActive { id: U256::ZERO, state: 8 };
    let revert = decode_revert(&error.abi_encode());
    assert_eq!(revert.argument("state").unwrap().text(), "8");
}

#[test]
fn a_failed_action_shows_why_it_failed() {
    let inner = Expect::Expect__Canonical {
        expected: Address::repeat_byte(1),
        found: Address::repeat_byte(2),
    };
    let outer = Governance::Governance__ActionFailed {
        index: U256::from(2),
        target: Address::repeat_byte(3),
        reason: inner.abi_encode().into(),
    };
    let revert = decode_revert(&outer.abi_encode());
    assert_eq!(
        revert.to_string(),
        "Governance__ActionFailed(index: 2, target: 0x0303030303030303030303030303030303030303, \
         reason: Expect__Canonical(expected: 0x0101010101010101010101010101010101010101, \
         found: 0x0202020202020202020202020202020202020202))"
    );
    assert!(revert.root().is::<Expect::Expect__Canonical>());
    assert_eq!(
        revert.hint(),
        Some("another upgrade came first: this payload was made for another canonical rollup")
    );

    // Without a nested reason, the hint is that of the outer error.
    let outer = Governance::Governance__ActionFailed { reason: Default::default(), ..outer };
    let revert = decode_revert(&outer.abi_encode());
    assert!(revert.to_string().ends_with("reason: no revert data)"), "{revert}");
    assert!(revert.hint().is_some());
}

#[test]
fn messages_and_panics() {
    let revert = |data: Vec<u8>| decode_revert(&data);
    let text = |revert: Revert| revert.to_string();
    assert_eq!(text(revert(Message::from("no \"way\"").abi_encode())), r#""no \"way\"""#);
    for (kind, expected) in [
        (PanicKind::Generic, "panic 0x00: generic/unspecified error"),
        (PanicKind::Assert, "panic 0x01: assertion failed"),
        (PanicKind::UnderOverflow, "panic 0x11: arithmetic underflow or overflow"),
        (PanicKind::DivisionByZero, "panic 0x12: division or modulo by zero"),
        (PanicKind::EnumConversionError, "panic 0x21: failed to convert value into enum type"),
        (PanicKind::StorageEncodingError, "panic 0x22: storage byte array incorrectly encoded"),
        (PanicKind::EmptyArrayPop, "panic 0x31: called `.pop()` on an empty array"),
        (PanicKind::ArrayOutOfBounds, "panic 0x32: array out-of-bounds access"),
        (PanicKind::ResourceError, "panic 0x41: memory allocation error"),
        (PanicKind::InvalidInternalFunction, "panic 0x51: called an invalid internal function"),
    ] {
        assert_eq!(text(revert(Panic::from(kind).abi_encode())), expected);
    }
    assert_eq!(text(revert(Panic::from(0x99_u64).abi_encode())), "panic 0x99");
}
