//! Parameters of a set, as written in a file.

use canon_l1::deploy::SetParameters;
use canon_protocol::{Amount, Seconds};

#[test]
fn presets_are_deployable_and_survive_a_file() {
    for preset in [SetParameters::tests(), SetParameters::mainnet_like()] {
        let text = toml::to_string(&preset).unwrap();
        assert_eq!(toml::from_str::<SetParameters>(&text).unwrap(), preset);
        let checked = preset.clone().check().unwrap();
        assert_eq!(*checked.raw(), preset);
        assert_eq!(checked.rounds().n(), preset.signalling.n);
    }
}

#[test]
fn the_file_has_units() {
    let text = toml::to_string(&SetParameters::mainnet_like()).unwrap();
    for line in [
        r#"voting_delay = "3d""#,
        r#"slot_duration = "1m 12s""#,
        r#"quorum = "20%""#,
        r#"initial_supply = "10000000000""#,
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[test]
fn unknown_and_misspelt_settings_are_refused() {
    let text = toml::to_string(&SetParameters::tests()).unwrap();
    for (from, to) in [
        ("quorum =", "quorom ="),
        ("quorum = \"10%\"", "quorum = \"10\""),
        ("voting_delay = \"1h\"", "voting_delay = 3600"),
        ("n = 6", "n = -6"),
    ] {
        let changed = text.replace(from, to);
        assert_ne!(changed, text);
        assert!(toml::from_str::<SetParameters>(&changed).is_err(), "{to}");
    }
}

#[test]
fn all_problems_are_told_at_once() {
    let mut parameters = SetParameters::tests();
    parameters.asset.symbol = " ".into();
    parameters.signalling.n = 5;
    parameters.governance.voting_delay = Seconds::of(59);
    parameters.rollup.minimum_stake = Amount::ZERO;
    let error = parameters.check().unwrap_err();
    let expected = "the parameters can't be deployed:
- signalling: 5 of 10: N must be above M / 2, at most M and at least 2, and M below 2^24
- asset: the symbol is empty
- governance: Governance__OutOfBounds(field: votingDelay, value: 59, min: 60, max: 7776000); choose a value within the bounds
- rollup: Rollup__ZeroMinimumStake(); choose a minimum stake above 0";
    assert_eq!(error.to_string(), expected);
    assert_eq!(error.problems().len(), 4);
}

#[test]
fn a_set_without_its_way_out_is_no_set() {
    let mut parameters = SetParameters::tests();
    let (supply, lock) = (parameters.asset.initial_supply, parameters.governance.lock_amount);
    let most = supply.checked_sub(lock).unwrap();
    parameters.governance.minimum_votes = most;
    assert!(parameters.clone().check().is_ok());
    parameters.governance.minimum_votes = most.checked_add(Amount::of(1)).unwrap();
    let error = parameters.check().unwrap_err().to_string();
    assert!(error.contains("governance: no proposal through the lock can pass"), "{error}");
    assert!(error.contains("lower minimumVotes or lockAmount"), "{error}");
}
