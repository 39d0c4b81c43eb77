//! An invalid file gets an error with the file, the line, the column, the field and the expected
//! value.

use canon_protocol::{Amount, Timestamp};
use canon_rehearsal::scenario::{ScaleError, Scenario};
use snapbox::{assert_data_eq, str};

/// The smallest valid file.
const MINIMAL: &str = r#"
title = "T"
[[holders]]
count = 1
tokens = 100
ballot = "for"
[[proposals]]
azip = "AZIP-1"
does = "upgrade"
expect = "executed"
"#;

#[track_caller]
fn refused(text: &str) -> String {
    Scenario::read("bad.toml", text).unwrap_err().to_string()
}

#[test]
fn a_minimal_file_is_good() {
    Scenario::read("good.toml", MINIMAL).unwrap();
}

#[test]
fn no_toml() {
    assert_data_eq!(
        refused("title = \"T\nseed = 1"),
        str![[r#"
bad.toml:1:11: title: invalid basic string, expected `"`
  |
1 | title = "T
  |           ^
"#]]
    );
}

#[test]
fn an_unknown_field() {
    assert_data_eq!(
        refused(&format!("{MINIMAL}\n[rollup]\nslots = \"24 s\"")),
        str![[r#"
bad.toml:13:1: rollup.slots: unknown field `slots`, expected one of `slot`, `epoch`, `stake`, `exit_delay`, `reward`, `blocks_before`, `blocks_after`
   |
13 | slots = "24 s"
   | ^^^^^
"#]]
    );
}

#[test]
fn an_unknown_word() {
    let text = MINIMAL.replace("\"executed\"", "\"passed\"");
    assert_data_eq!(
        refused(&text),
        str![[r#"
bad.toml:10:10: proposals[0].expect: unknown variant `passed`, expected one of `executed`, `rejected`, `expired`, `dropped`, `no-quorum`, `round-expired`
   |
10 | expect = "passed"
   |          ^^^^^^^^
"#]]
    );
}

#[test]
fn a_wrong_type() {
    assert_data_eq!(
        refused(&format!("{MINIMAL}\n[signaling]\nquorum = true")),
        str![[r#"
bad.toml:13:10: signaling.quorum: expected a whole number from 2 to 10,000, found true
   |
13 | quorum = true
   |          ^^^^
"#]]
    );
}

/// A number without a unit gets the same error, whatever its type.
#[test]
fn percentages_without_a_sign() {
    let says = |quorum: &str| refused(&format!("{MINIMAL}\n[governance]\nquorum = {quorum}"));
    assert_data_eq!(
        says("0.1"),
        str![[r#"
bad.toml:13:10: governance.quorum: expected a percentage up to 100 such as "10 %", found 0.1
   |
13 | quorum = 0.1
   |          ^^^
"#]]
    );
    assert_data_eq!(
        says("10"),
        str![[r#"
bad.toml:13:10: governance.quorum: expected a percentage up to 100 such as "10 %", found 10
   |
13 | quorum = 10
   |          ^^
"#]]
    );
}

#[test]
fn a_lock_that_nobody_is_certain_to_have() {
    let says = |tokens: &str| {
        let text = MINIMAL.replace("tokens = 100", &format!("tokens = {tokens}"));
        refused(&text.replace("does =", "by = \"lock\"\ndoes ="))
    };
    assert_data_eq!(
        says("\"5,000 to 50,000\""),
        str![[r#"
bad.toml:9:6: proposals[0].by: expected a holder with governance.lock_amount (20,000 tokens), but every holder may be drawn below it: raise holders[].tokens to at least that, lower governance.lock_amount to 5,000 tokens, or use by = "signals"
  |
9 | by = "lock"
  |      ^^^^^^
"#]]
    );
    assert_data_eq!(
        says("19_999"),
        str![[r#"
bad.toml:9:6: proposals[0].by: expected a holder with governance.lock_amount (20,000 tokens), but every holder has less: raise holders[].tokens to at least that, lower governance.lock_amount to 19,999 tokens, or use by = "signals"
  |
9 | by = "lock"
  |      ^^^^^^
"#]]
    );
    let text = MINIMAL.replace("tokens = 100", "tokens = 20_000");
    Scenario::read("good.toml", &text.replace("does =", "by = \"lock\"\ndoes =")).unwrap();
}

#[test]
fn a_forged_rollup_names_the_key_to_change() {
    let forged = MINIMAL.replace("does =", "rollup = \"forged\"\ndoes =");
    assert_data_eq!(
        refused(&forged),
        str![[r#"
bad.toml:9:10: proposals[0].rollup: expected "genuine", or another proposals[0].expect than "executed", since the payload refuses a forged rollup, found "forged"
  |
9 | rollup = "forged"
  |          ^^^^^^^^
"#]]
    );
    let rejected = forged.replace("\"executed\"", "\"rejected\"");
    Scenario::read("good.toml", &rejected).unwrap();
    assert_data_eq!(
        refused(&rejected.replace("\"upgrade\"", "\"replace-proposals\"")),
        str![[r#"
bad.toml:9:10: proposals[0].rollup: expected "genuine", or proposals[0].does = "upgrade", since only an upgrade deploys a rollup, found "forged"
  |
9 | rollup = "forged"
  |          ^^^^^^^^
"#]]
    );
}

#[test]
fn a_missing_field() {
    assert_data_eq!(
        refused(&MINIMAL.replace("azip = \"AZIP-1\"", "")),
        str![[r#"
bad.toml:7:1: proposals[0]: missing field `azip`
  |
7 | [[proposals]]
  | ^^^^^^^^^^^^^
"#]]
    );
}

#[test]
fn nothing_to_play() {
    assert_data_eq!(
        refused("title = \"T\""),
        str![[r#"
bad.toml: proposals: expected at least one [[proposals]]

bad.toml: holders: expected at least one [[holders]]
"#]]
    );
}

#[test]
fn wrong_units() {
    let text = format!(
        "{MINIMAL}
[l1]
start = 2026-12-01
[rollup]
slot = 24
stake = \"-5\"
[governance]
quorum = \"101 %\"
differential = 0.04
voting_delay = [1]
grace_period = {{ hours = 1 }}
minimum_votes = 0.5
[signaling]
quorum = true
"
    );
    assert_data_eq!(
        refused(&text),
        str![[r#"
bad.toml:13:9: l1.start: expected a time with its offset from UTC, such as 2026-12-01T09:00:00Z, found 2026-12-01
   |
13 | start = 2026-12-01
   |         ^^^^^^^^^^

bad.toml:15:8: rollup.slot: expected a duration such as "90 s", "1 h 30 min" or "3 d", found 24
   |
15 | slot = 24
   |        ^^

bad.toml:16:9: rollup.stake: expected an amount of tokens from 0.000000000000000001 to 79,228,162,514.264337593543950335, found "-5"
   |
16 | stake = "-5"
   |         ^^^^

bad.toml:18:10: governance.quorum: expected a percentage from 0 % to 100 %, found "101 %"
   |
18 | quorum = "101 %"
   |          ^^^^^^^

bad.toml:19:16: governance.differential: expected a percentage up to 100 such as "10 %", found 0.04
   |
19 | differential = 0.04
   |                ^^^^

bad.toml:20:16: governance.voting_delay: expected a duration such as "90 s", "1 h 30 min" or "3 d", found [1]
   |
20 | voting_delay = [1]
   |                ^^^

bad.toml:21:16: governance.grace_period: expected a duration such as "90 s", "1 h 30 min" or "3 d", found { hours = 1 }
   |
21 | grace_period = { hours = 1 }
   |                ^^^^^^^^^^^^^

bad.toml:22:17: governance.minimum_votes: expected tokens, such as 1000, "1,000" or "0.5", found 0.5
   |
22 | minimum_votes = 0.5
   |                 ^^^

bad.toml:24:10: signaling.quorum: expected a whole number from 2 to 10,000, found true
   |
24 | quorum = true
   |          ^^^^
"#]]
    );
}

/// A value of the right form but out of range gets an error with the bounds, however large it is.
#[test]
fn values_beyond_all_bounds() {
    let text = MINIMAL.replace("title = \"T\"", "title = \"T\"\nseed = 18446744073709551616");
    let text = format!(
        "{text}
[l1]
start = 1969-12-31T23:59:59Z
gas_limit = 99999999999999999999999999999999999999
[asset]
supply = \"79,228,162,515\"
issuance = 79_228_162_515
reward_pool = \"0.0000000000000000001\"
[governance]
grace_period = \"99999999999999999999999 d\"
"
    );
    assert_data_eq!(
        refused(&text),
        str![[r#"
bad.toml:3:8: seed: expected a whole number from 0 to 18,446,744,073,709,551,615, found 18446744073709551616
  |
3 | seed = 18446744073709551616
  |        ^^^^^^^^^^^^^^^^^^^^

bad.toml:14:9: l1.start: expected a time from 1970-01-01 00:00:00 UTC to +36812-02-20 00:36:15 UTC, found 1969-12-31T23:59:59Z
   |
14 | start = 1969-12-31T23:59:59Z
   |         ^^^^^^^^^^^^^^^^^^^^

bad.toml:15:13: l1.gas_limit: expected a whole number from 17,000,000 to 1,000,000,000,000, found 99999999999999999999999999999999999999
   |
15 | gas_limit = 99999999999999999999999999999999999999
   |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

bad.toml:17:10: asset.supply: expected an amount of tokens from 1 to 79,228,162,514.264337593543950335, found "79,228,162,515"
   |
17 | supply = "79,228,162,515"
   |          ^^^^^^^^^^^^^^^^

bad.toml:18:12: asset.issuance: expected an amount of tokens from 0 to 79,228,162,514.264337593543950335, found 79_228_162_515
   |
18 | issuance = 79_228_162_515
   |            ^^^^^^^^^^^^^^

bad.toml:19:15: asset.reward_pool: expected tokens with at most 18 decimals, found "0.0000000000000000001"
   |
19 | reward_pool = "0.0000000000000000001"
   |               ^^^^^^^^^^^^^^^^^^^^^^^

bad.toml:21:16: governance.grace_period: expected a duration from 1 min to 90 d, found "99999999999999999999999 d"
   |
21 | grace_period = "99999999999999999999999 d"
   |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^
"#]]
    );
}

#[test]
fn values_at_the_bounds() {
    let text = MINIMAL.replace("title = \"T\"", "title = \"T\"\nseed = 18446744073709551615");
    let text =
        format!("{text}\n[l1]\nstart = 9999-12-31T23:00:00Z\n[asset]\nsupply = \"79,228,162,514\"");
    let scenario = Scenario::read("good.toml", &text).unwrap();
    assert_eq!(scenario.seed, u64::MAX);
    assert_eq!(scenario.l1.start, Timestamp::of(253_402_297_200));
    assert_eq!(scenario.asset.supply, Amount::of(79_228_162_514 * Amount::TOKEN.get()));
}

#[test]
fn other_spellings_mean_the_same() {
    let fields = |[stake, exit_delay, quorum, delay]: [&str; 4]| {
        let text = format!(
            "{MINIMAL}\n[rollup]\nstake = {stake}\nexit_delay = \"{exit_delay}\"\n[governance]\n\
             quorum = \"{quorum}\"\nvoting_delay = \"{delay}\""
        );
        Scenario::read("good.toml", &text).unwrap()
    };
    let written = fields(["\"1,000\"", "1 h 30 min", "33.3 %", "1 d 12 h"]);
    assert_eq!(fields(["1000", "90m", "33.3%", "1d 12h"]), written);
    assert_eq!(fields(["\"1_000\"", "1 hour 30 minutes", " 33.30 % ", "36h"]), written);
    assert_eq!(fields(["1_000", "5400s", "33.3%", "1 day 12 hours"]), written);
}

#[test]
fn out_of_bounds() {
    let text = format!(
        "{MINIMAL}
[signaling]
quorum = 5
[governance]
voting_delay = \"30 s\"
grace_period = \"91 d\"
[rollup]
exit_delay = \"1 min\"
slot = \"30 s\"
[sequencers]
count = 4
offline = 5
"
    );
    assert_data_eq!(
        refused(&text),
        str![[r#"
bad.toml:13:10: signaling.quorum: expected more than half of the round's 10 slots (6 to 10), found 5
   |
13 | quorum = 5
   |          ^

bad.toml:15:16: governance.voting_delay: expected a duration from 1 min to 90 d, found "30 s"
   |
15 | voting_delay = "30 s"
   |                ^^^^^^

bad.toml:16:16: governance.grace_period: expected a duration from 1 min to 90 d, found "91 d"
   |
16 | grace_period = "91 d"
   |                ^^^^^^

bad.toml:18:14: rollup.exit_delay: expected at least two epochs (8 min), found "1 min"
   |
18 | exit_delay = "1 min"
   |              ^^^^^^^

bad.toml:19:8: rollup.slot: expected a multiple of l1.block_time (12 s), at least twice that, found "30 s"
   |
19 | slot = "30 s"
   |        ^^^^^^

bad.toml:22:11: sequencers.offline: expected at most sequencers.count (4), found 5
   |
22 | offline = 5
   |           ^
"#]]
    );
}

#[test]
fn what_does_not_go_together() {
    let text = r#"title = "T"
[asset]
supply = "1,000"
[[holders]]
count = 3
tokens = "500 to 1,000"
ballot = "for"
[[proposals]]
azip = "AZIP-1"
does = "replace-proposals"
by = "lock"
expect = "no-quorum"
because = "tie"
refusals = ["Governance__ActionFailed", "NotAnError"]
[[proposals]]
azip = "AZIP-1"
does = "upgrade"
gate_opens_after = "1 h"
expect = "executed"
"#;
    assert_data_eq!(
        refused(text),
        str![[r#"
bad.toml:3:10: asset.supply: expected at least 15,400 tokens for the stakes, locks and rewards, found "1,000"
  |
3 | supply = "1,000"
  |          ^^^^^^^

bad.toml:11:6: proposals[0].by: expected a holder with governance.lock_amount (20,000 tokens), but every holder has less: raise holders[].tokens to at least that, lower governance.lock_amount to 500 tokens, or use by = "signals"
   |
11 | by = "lock"
   |      ^^^^^^

bad.toml:12:10: proposals[0].expect: expected "executed", "rejected" or "expired", since the lock needs no signals, found "no-quorum"
   |
12 | expect = "no-quorum"
   |          ^^^^^^^^^^^

bad.toml:13:11: proposals[0].because: expected expect = "rejected" with it, found "tie"
   |
13 | because = "tie"
   |           ^^^^^

bad.toml:14:41: proposals[0].refusals: expected the name of an error of the contracts, such as "Governance__ActionFailed", found "NotAnError"
   |
14 | refusals = ["Governance__ActionFailed", "NotAnError"]
   |                                         ^^^^^^^^^^^^

bad.toml:16:8: proposals[1].azip: expected a name that no other proposal has, found "AZIP-1"
   |
16 | azip = "AZIP-1"
   |        ^^^^^^^^

bad.toml:18:20: proposals[1].gate_opens_after: expected payload = "gated" with it, found "1 h"
   |
18 | gate_opens_after = "1 h"
   |                    ^^^^^
"#]]
    );
}

#[test]
fn what_the_constructors_would_refuse() {
    let text = format!(
        "{MINIMAL}
[l1]
block_time = \"1 s\"
[asset]
supply = \"20,000\"
reward_pool = 0
[rollup]
slot = \"2 s\"
epoch = 12
[governance]
quorum = \"90.1 %\"
differential = \"91 %\"
lock_delay = \"366 d\"
minimum_votes = \"10,000.5\"
lock_amount = \"2,000.5\"
"
    );
    assert_data_eq!(
        refused(&text),
        str![[r#"
bad.toml:19:9: rollup.epoch: expected so many slots that an epoch lasts 24 s after its first slot, found 12
   |
19 | epoch = 12
   |         ^^

bad.toml:21:10: governance.quorum: expected at most 90 %, found "90.1 %"
   |
21 | quorum = "90.1 %"
   |          ^^^^^^^^

bad.toml:22:16: governance.differential: expected at most 90 %, found "91 %"
   |
22 | differential = "91 %"
   |                ^^^^^^

bad.toml:23:14: governance.lock_delay: expected a duration from 1 min to 365 d, found "366 d"
   |
23 | lock_delay = "366 d"
   |              ^^^^^^^

bad.toml:24:17: governance.minimum_votes: expected at most half of asset.supply (10,000), found "10,000.5"
   |
24 | minimum_votes = "10,000.5"
   |                 ^^^^^^^^^^

bad.toml:25:15: governance.lock_amount: expected at most a tenth of asset.supply (2,000), found "2,000.5"
   |
25 | lock_amount = "2,000.5"
   |               ^^^^^^^^^
"#]]
    );
}

#[test]
fn forgers_squatters_and_late_voters() {
    let text = r#"title = "T"
[signaling]
silent_epochs = "many"
[sequencers]
count = 4
offline = 1
stay = 1
squatted = 3
[[holders]]
count = 1
tokens = 100
ballot = "none"
late = true
[[proposals]]
azip = "AZIP-1"
does = "upgrade"
rollup = "forged"
expect = "executed"
"#;
    assert_data_eq!(
        refused(text),
        str![[r#"
bad.toml:3:17: signaling.silent_epochs: expected a whole number from 0 to 1,000, found "many"
  |
3 | silent_epochs = "many"
  |                 ^^^^^^

bad.toml:8:12: sequencers.squatted: expected at most those who move (2), found 3
  |
8 | squatted = 3
  |            ^

bad.toml:12:10: holders[0].ballot: expected "for" or "against", since the ballots are late, found "none"
   |
12 | ballot = "none"
   |          ^^^^^^

bad.toml:17:10: proposals[0].rollup: expected "genuine", or another proposals[0].expect than "executed", since the payload refuses a forged rollup, found "forged"
   |
17 | rollup = "forged"
   |          ^^^^^^^^
"#]]
    );
}

#[test]
fn too_many_or_too_few() {
    let scenario = Scenario::read("good.toml", MINIMAL).unwrap();
    let refused = |result: Result<Scenario, ScaleError>| result.unwrap_err().to_string();
    assert_data_eq!(
        refused(scenario.clone().with_holders(0)),
        str!["holders must be 1 to 100,000, not 0"]
    );
    assert_data_eq!(
        refused(scenario.with_sequencers(20_000)),
        str!["sequencers must be 1 to 10,000, not 20,000"]
    );
    let rich = Scenario::read("rich.toml", &MINIMAL.replace("100", "100000")).unwrap();
    assert_data_eq!(
        refused(rich.with_holders(100_000)),
        str!["the scenario's asset.supply of 1,000,000,000 tokens isn't enough for so many"]
    );
}

#[test]
fn groups_keep_their_share() {
    let text = MINIMAL.replace(
        "[[proposals]]",
        "[[holders]]\ncount = 3\ntokens = 1\nballot = \"against\"\n[[proposals]]",
    );
    let scenario = Scenario::read("good.toml", &text).unwrap().with_holders(41).unwrap();
    let counts: Vec<_> = scenario.holders.iter().map(|group| group.count).collect();
    assert_eq!(counts, [1, 40]);
    assert_eq!(scenario.holder_count(), 41);
}
