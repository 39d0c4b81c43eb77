use super::*;
use alloy_primitives::address;

const OWN: Address = address!("0x00000000000000000000000000000000000000a1");
const PAYLOAD: Address = address!("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
const OTHER: Address = address!("0x00000000000000000000000000000000000000a2");

#[test]
fn the_setting_is_an_address_without_a_typing_error() {
    for text in [
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        " 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\n",
        "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
        "0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED",
    ] {
        assert_eq!(setting(&[(PROPOSAL_PAYLOAD, text)]).unwrap().0, Some(PAYLOAD), "{text}");
    }
    for (text, says) in [
        // One digit mistyped, one letter's case.
        ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAee", "right EIP-55 checksum"),
        ("0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "right EIP-55 checksum"),
        ("latest", "40 hexadecimal digits"),
        ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeA", "40 hexadecimal digits"),
        ("canon.eth", "40 hexadecimal digits"),
    ] {
        let error = setting(&[(ALIASES[0], text)]).unwrap_err();
        assert!(matches!(error, PayloadError::NotAnAddress { .. }), "{text}");
        let error = error.to_string();
        assert!(error.starts_with(ALIASES[0]) && error.contains(says), "{error}");
    }
}

fn setting(variables: &[(&str, &str)]) -> Result<(Option<Address>, Vec<String>), PayloadError> {
    payload_setting(variables.iter().map(|(name, value)| ((*name).into(), (*value).into())))
}

#[test]
fn the_setting_has_several_names_and_no_others() {
    let text = PAYLOAD.to_checksum(None);
    for name in [PROPOSAL_PAYLOAD, ALIASES[0], ALIASES[1]] {
        assert_eq!(setting(&[("PATH", "/bin"), (name, &text)]).unwrap(), (Some(PAYLOAD), vec![]));
        assert_eq!(setting(&[(name, " ")]).unwrap(), (None, vec![]));
        assert!(setting(&[(name, "0x12")]).is_err());
    }
    for name in
        ["PROPOSAL_PAYLOAD_ADDRESS", "GOVERNANCE_PAYLOAD", "proposal_payload", "VOTE_PAYLOAD"]
    {
        assert_eq!(setting(&[(name, &text)]).unwrap(), (None, vec![name.to_owned()]));
    }
    assert_eq!(setting(&[("PAYLOAD", &text), ("PROPOSAL", "1")]).unwrap(), (None, vec![]));
    assert_eq!(
        setting(&[(PROPOSAL_PAYLOAD, &text), (ALIASES[0], &text)]).unwrap().0,
        Some(PAYLOAD)
    );
    let other = OTHER.to_checksum(None);
    let error = setting(&[(ALIASES[0], &text), (PROPOSAL_PAYLOAD, &other)]).unwrap_err();
    assert!(matches!(error, PayloadError::Contradiction { .. }), "{error}");
}

#[test]
fn an_assertion_needs_the_sets_expect() {
    use alloy_sol_types::SolCall;
    let canonical =
        canon_abi::Expect::canonicalIsCall { registry: OTHER, expected: OWN }.abi_encode();
    let upgrade = canon_abi::Registry::upgradeCall { rollup: OWN }.abi_encode();
    let expect = OTHER;
    for (target, data, expected) in [
        (expect, canonical.clone(), true),
        (OWN, canonical.clone(), false),
        (expect, upgrade, false),
        (expect, canonical[..3].to_vec(), false),
        (expect, Vec::new(), false),
    ] {
        let action = Action { target, data: data.into() };
        assert_eq!(is_assertion(&action, expect), expected, "{action:?}");
    }
}
