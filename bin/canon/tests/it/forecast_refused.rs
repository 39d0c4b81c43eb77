//! Bad input of `canon forecast`.

use snapbox::{cmd::Command, str};

use crate::{
    forecast::{File, forecast, text},
    support::stdout,
};

/// Runs a command with bad input: the code is 2, stdout is empty, and the error names the field and
/// what was expected.
fn refused(command: Command, expected: impl snapbox::IntoData) {
    command.assert().code(2).stdout_eq("").stderr_eq(expected);
}

#[test]
fn bad_flags() {
    for (arguments, says) in [
        ("--signaling 110%", "'--signaling <SHARE>': expected a share from 0 % to 100 %"),
        ("--turnout -1", "'--turnout <SHARE>': expected a share from 0 % to 100 %"),
        ("--start tomorrow", "'--start <TIME>': expected a time with its offset from UTC"),
        ("--start 2026-02-29T09:00:00Z", "'--start <TIME>': expected a day of the calendar"),
        (
            "--start 1969-12-31T23:59:59Z",
            "expected a time from 1970-01-01 00:00:00 UTC to +36812-02-20 00:36:15 UTC",
        ),
        ("--outage 0", "'--outage <SLOTS>': expected a number of slots from 1 to 1,000,000"),
        ("--outage 1000001", "'--outage <SLOTS>': expected a number of slots from 1 to 1,000,000"),
        (
            "--missed 1",
            "'--missed <SHARE>': expected a share with its sign: write 1%, or a fraction",
        ),
        ("--signaling 62", "'--signaling <SHARE>': expected a share with its sign: write 62%"),
        ("--signaling x", "'--signaling <SHARE>': expected a share such as \"70 %\" or 0.7"),
        ("--sequencers 0", "'--sequencers <N>': expected a whole number from 1 to 4,294,967,295"),
        ("--signaling=-10%", "'--signaling <SHARE>': expected a share from 0 % to 100 %"),
        ("--rival -1", "'--rival <SHARE>': expected a share from 0 % to 100 %"),
        ("--missed -0.1", "'--missed <SHARE>': expected a share from 0 % to 100 %"),
        ("--for -1", "'--for <SHARE>': expected a share from 0 % to 100 %"),
        ("--signaling -5%", "'--signaling <SHARE>': expected a share from 0 % to 100 %"),
        ("--rival -0.5%", "'--rival <SHARE>': expected a share from 0 % to 100 %"),
        ("--turnout --json", "'--turnout <SHARE>': expected a share such as"),
        ("--start -5", "'--start <TIME>': expected a time with its offset from UTC"),
        ("--outage -5", "'--outage <SLOTS>': expected a number of slots from 1 to 1,000,000"),
        ("--sequencers -1", "'--sequencers <N>': expected a whole number from 1 to 4,294,967,295"),
        ("--quorum -1", "'--quorum <N>': expected a whole number from 0 to 4,294,967,295"),
        ("--round -1", "'--round <M>': expected a whole number from 0 to 4,294,967,295"),
        ("--late -1", "'--late <SLOTS>': expected a whole number from 0 to 4,294,967,295"),
        (
            "--outage 5 --campaigns -1",
            "'--campaigns <N>': expected a whole number from 1 to 1,000,000",
        ),
        (
            "--outage 5 --seed -1",
            "'--seed <S>': expected a whole number from 0 to 18,446,744,073,709,551,615",
        ),
        ("--rpc-url localhost", "'--rpc-url <URL>': expected the URL of an endpoint"),
        ("--registry 0x12", "'--registry <ADDRESS>': expected an address of 40 hexadecimal digits"),
        (
            "--registry 5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "'--registry <ADDRESS>': expected an address with a right EIP-55 checksum",
        ),
        (
            "--quorum 5 --round 10",
            "--quorum 5: expected more than half of the slots of a round, and no more than all: 6 to 10 with \
             --round 10",
        ),
        ("--round 10", "--quorum 600 (from the preset): expected more than half"),
        ("--quorum 5", "501 to 1,000 with --round 1000 (from the preset)"),
        ("--quorum 11 --round 10", "--quorum 11: expected more than half"),
        ("--quorum 1 --round 1", "--round 1: expected a number of slots from 2 to 16,777,215"),
        ("--late 1000", "--late: expected fewer than the 1,000 slots of a round, found 1,000"),
        ("--operators no.toml", "no.toml can't be read"),
        ("--start 1970-01-01T00:00:00Z --late 1", "--start: expected a time after 1970"),
    ] {
        let output = forecast(arguments).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), &*output.stdout), (Some(2), &b""[..]), "{arguments}");
        assert!(stderr.contains(says), "{arguments}: {stderr}");
    }
}

#[test]
fn a_chain_needs_both_flags() {
    refused(
        forecast("--rpc-url http://localhost:1"),
        str![[r#"
error: --registry (CANON_REGISTRY): expected the address of the set's Registry, found nothing

next: name it as a flag, in the environment, or in canon.toml

"#]],
    );
    let registry = "0x00000000000000000000000000000000000000aa";
    refused(
        forecast("").args(["--registry", registry]),
        str![[r#"
error: --rpc-url (ETH_RPC_URL): expected an endpoint of the chain with the set, found nothing

next: name it as a flag, in the environment, or in canon.toml

"#]],
    );
    refused(
        forecast("--preset tests").args(["--registry", registry]),
        str![[r#"
error: --registry: expected no --preset, since the parameters are read from the chain

next: `canon forecast --help` explains every flag

"#]],
    );
    refused(
        forecast("").args(["--payload", registry]),
        str![[r#"
error: --payload 0x00000000000000000000000000000000000000AA: expected --rpc-url and --registry too, since signals are counted on a chain

next: `canon forecast --help` explains every flag

"#]],
    );
    // Foundry's variable alone changes nothing: a Registry is needed, too.
    let url = "http://localhost:1";
    assert_eq!(stdout(forecast("").env("ETH_RPC_URL", url)), stdout(forecast("")));
    let help = stdout(forecast("--help").env("ETH_RPC_URL", "http://localhost/key"));
    assert!(!help.contains("localhost/key"), "{help}");
}

#[test]
fn bad_operators() {
    let file = File::new(
        "bad",
        "[[operator]]\nseats = 1\nstake = 5\nside = \"for\"\nmissed = 0\n\
         [[operator]]\nstake = \"199999\"\nside = \"yes\"\nmissed = \"2%\"\n",
    );
    refused(
        file.forecast(""),
        str![[r#"
error: --operators [..]bad.toml has mistakes

  [..]bad.toml:2:9: operator[0].seats: expected seats or stake, found both
    |
  2 | seats = 1
    |         ^

  [..]bad.toml:7:9: operator[1].stake: expected at least one seat, 200,000 tokens, found "199999"
    |
  7 | stake = "199999"
    |         ^^^^^^^^

  [..]bad.toml:8:8: operator[1].side: expected "for", "rival" or "silent", found "yes"
    |
  8 | side = "yes"
    |        ^^^^^

next: correct the lines above; --help shows what an operator has

"#]],
    );
}

#[test]
fn shares_of_the_same_seats_are_at_most_all_of_them() {
    refused(
        forecast("--signaling 80% --rival 0.3"),
        str![[r#"
error: --signaling 80 %, --rival 30 %: expected shares that sum to 100 % at most, found 110 %

next: lower one of the two; `canon forecast --help` shows their defaults

"#]],
    );
    refused(
        forecast("--signaling 90.000000000000001%"),
        str![[r#"
error: --signaling 90.000000000000001 %, --rival 10 % (default): expected shares that sum to 100 % at most, found 100.000000000000001 %

next: lower one of the two; `canon forecast --help` shows their defaults

"#]],
    );
    let text = text(forecast("--signaling 70% --rival 30%"));
    assert!(text.contains("70 % signal for the payload, 30 % for a rival"), "{text}");
}

#[test]
fn a_dead_endpoint_is_code_3() {
    forecast("--rpc-url http://127.0.0.1:1 --registry 0x00000000000000000000000000000000000000aa")
        .assert()
        .code(3)
        .stdout_eq("")
        .stderr_eq(str![[r#"
error: the endpoint http://127.0.0.1:1 (--rpc-url) can't be used
  because Connection refused (os error 111)

next: check --rpc-url (ETH_RPC_URL), or name another endpoint

"#]]);
}
