//! The parameters of a set, as written in a file.

use alloy_primitives::Address;
use canon_chain::deploy::SetParameters;
use canon_protocol::{Amount, Fraction, LIFETIME_IN_ROUNDS, Seconds};

#[test]
fn presets_are_deployable_and_survive_a_file() {
    for preset in [SetParameters::tests(), SetParameters::mainnet_like()] {
        let text = toml::to_string(&preset).unwrap();
        assert_eq!(toml::from_str::<SetParameters>(&text).unwrap(), preset);
        let checked = preset.clone().check().unwrap();
        assert_eq!(*checked.raw(), preset);
        assert_eq!(checked.rounds().n(), preset.signaling.n);
    }
}

/// Stake that leaves is then still accountable when a proposal that slashes it is executed as late as
/// possible.
#[test]
fn stake_of_a_mainnet_like_set_leaves_after_the_whole_way_of_a_proposal() {
    let SetParameters { signaling, governance, rollup, .. } = SetParameters::mainnet_like();
    let round = rollup.slot_duration.checked_mul(signaling.m.into()).unwrap();
    let signaled_and_pushed = round.checked_mul(1 + LIFETIME_IN_ROUNDS).unwrap();
    let whole_way = signaled_and_pushed
        + governance.voting_delay
        + governance.voting_duration
        + governance.execution_delay
        + governance.grace_period;
    assert!(rollup.exit_delay > whole_way, "{} s, {whole_way} s", rollup.exit_delay);
}

#[test]
fn the_file_has_units() {
    let text = toml::to_string(&SetParameters::mainnet_like()).unwrap();
    for line in [
        r#"voting_delay = "3 d""#,
        r#"slot_duration = "1 min 12 s""#,
        r#"quorum = "20 %""#,
        r#"initial_supply = "10,000,000,000""#,
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[test]
fn unknown_and_misspelled_settings_are_refused() {
    let text = toml::to_string(&SetParameters::tests()).unwrap();
    for (from, to) in [
        ("quorum =", "quorom ="),
        ("n = 6", "n = -6"),
        ("name = \"Canon Test\"", "name = \"Canon Test\"\ninitial_holder = \"0x12\""),
    ] {
        let changed = text.replace(from, to);
        assert_ne!(changed, text);
        assert!(toml::from_str::<SetParameters>(&changed).is_err(), "{to}");
    }
}

#[test]
fn a_value_that_is_refused_is_named_with_what_was_expected() {
    let text = toml::to_string(&SetParameters::tests()).unwrap();
    let mistyped = "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
    for (from, to, says) in [
        ("quorum = \"10 %\"", "quorum = \"10\"", "expected a percentage up to 100 such as"),
        ("quorum = \"10 %\"", "quorum = \"101 %\"", "expected a percentage from 0 % to 100 %"),
        ("voting_delay = \"1 h\"", "voting_delay = 3600", "expected a duration such as"),
        (
            "initial_supply = \"100,000,000\"",
            "initial_supply = \"79,228,162,515\"",
            "from 0 to 79,228,162,514.264337593543950335, found \"79,228,162,515\"",
        ),
        (
            "name = \"Canon Test\"",
            &*format!("name = \"Canon Test\"\ninitial_holder = \"{mistyped}\""),
            "expected an address with a right EIP-55 checksum",
        ),
    ] {
        let changed = text.replace(from, to);
        assert_ne!(changed, text);
        let error = toml::from_str::<SetParameters>(&changed).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

/// Files with older spellings are read with the same result.
#[test]
fn other_spellings_mean_the_same() {
    let mut parameters = SetParameters::tests();
    parameters.asset.initial_holder = Some(Address::repeat_byte(0xaa));
    parameters.rollup.slot_duration = Seconds::of(72);
    let text = toml::to_string(&parameters).unwrap();
    let mut other = text.clone();
    let holder = Address::repeat_byte(0xaa).to_string();
    for (from, to) in [
        ("\"1 h\"", "\"60m\""),
        ("\"1 min 12 s\"", "\"1m 12s\""),
        ("\"10 %\"", "\"10%\""),
        ("\"100,000,000\"", "\"100000000\""),
        ("\"1,000\"", "1000"),
        (&*holder, &*holder.to_lowercase()),
    ] {
        assert!(other.contains(from), "{from} is not in\n{text}");
        other = other.replace(from, to);
    }
    assert_eq!(toml::from_str::<SetParameters>(&other).unwrap(), parameters);
}

#[test]
fn all_problems_are_told_at_once() {
    let mut parameters = SetParameters::tests();
    parameters.asset.symbol = " ".into();
    parameters.signaling.n = 5;
    parameters.governance.voting_delay = Seconds::of(59);
    parameters.rollup.minimum_stake = Amount::ZERO;
    let error = parameters.clone().check().unwrap_err();
    let expected = "the parameters can't be deployed:
- asset.symbol: expected a text, found an empty one
- signaling.n: expected more than half of the m = 10 slots and at most all: 6 to 10, found 5
- governance.voting_delay: expected 1 min to 90 d, found 59 s
- rollup.minimum_stake: expected more than 0 tokens, found 0";
    assert_eq!(error.to_string(), expected);
    assert_eq!(error.problems().len(), 4);
    parameters.asset.initial_holder = Some(Address::ZERO);
    let error = parameters.check().unwrap_err();
    assert_eq!(error.problems()[1].field, "asset.initial_holder", "{error}");
}

/// For every bound of a constructor, the error uses the terms of the file.
#[test]
fn a_value_out_of_bounds_is_named_by_its_field_with_the_bounds_and_the_value() {
    let found = |change: &dyn Fn(&mut SetParameters)| {
        let mut parameters = SetParameters::tests();
        change(&mut parameters);
        let of_rollup = parameters.rollup.check();
        let error = parameters.check().unwrap_err();
        let [problem] = error.problems() else { panic!("{error}") };
        let is_of_rollup = problem.field.starts_with("rollup.");
        assert_eq!(of_rollup.err(), is_of_rollup.then(|| error.clone()));
        problem.to_string()
    };
    let zero = "0x0000000000000000000000000000000000000000";
    for (problem, expected) in [
        (
            found(&|set| set.asset.initial_holder = Some(Address::ZERO)),
            &*format!("asset.initial_holder: expected the address of an account, found {zero}"),
        ),
        (
            found(&|set| set.signaling.n = 11),
            "signaling.n: expected more than half of the m = 10 slots and at most all: 6 to 10, found 11",
        ),
        (
            found(&|set| set.signaling.m = 1 << 24),
            "signaling.m: expected 2 to 16,777,215, found 16,777,216",
        ),
        (found(&|set| set.signaling.m = 1), "signaling.m: expected 2 to 16,777,215, found 1"),
        (
            found(&|set| set.governance.quorum = Fraction::percent(91)),
            "governance.quorum: expected 0.0000000000000001 % to 90 %, found 91 %",
        ),
        (
            found(&|set| set.governance.lock_delay = Seconds::of(366 * 86_400)),
            "governance.lock_delay: expected 1 min to 365 d, found 366 d",
        ),
        (
            found(&|set| set.rollup.slot_duration = Seconds::ZERO),
            "rollup.slot_duration: expected at least 1 s, found 0 s",
        ),
        (
            found(&|set| set.rollup.epoch_slots = 0),
            "rollup.epoch_slots: expected at least 2 slots, found 0",
        ),
        (
            found(&|set| set.rollup.epoch_slots = 1),
            "rollup.epoch_slots: expected at least 24 s after the first slot of an epoch, found 0 s: an epoch \
             needs more slots, or longer ones",
        ),
        (
            found(&|set| set.rollup.epoch_slots = 1 << 40),
            "rollup.epoch_slots: expected at most 1,099,511,627,775, found 1,099,511,627,776",
        ),
        (
            found(&|set| set.rollup.exit_delay = Seconds::of(767)),
            "rollup.exit_delay: expected two epochs to 365 days, 12 min 48 s to 365 d, found 12 min 47 s",
        ),
    ] {
        assert_eq!(problem, expected);
    }
}

#[test]
fn what_governance_needs_depends_on_the_supply() {
    let tokens = |count: u128| Amount::of(count * Amount::TOKEN.get());
    let parameters = |minimum_votes, lock_amount| {
        let mut parameters = SetParameters::tests();
        parameters.asset.initial_supply = tokens(1000);
        parameters.governance.minimum_votes = minimum_votes;
        parameters.governance.lock_amount = lock_amount;
        parameters.check()
    };
    let more = |amount: Amount| amount.checked_add(Amount::of(1)).unwrap();
    assert!(parameters(tokens(500), tokens(100)).is_ok());
    for (minimum_votes, lock_amount, field) in [
        (more(tokens(500)), tokens(100), "minimum_votes"),
        (tokens(500), more(tokens(100)), "lock_amount"),
    ] {
        let error = parameters(minimum_votes, lock_amount).unwrap_err().to_string();
        let expected = format!("governance.{field}: expected 0.00000000000000000");
        assert!(error.contains(&expected), "{error}");
    }
}
