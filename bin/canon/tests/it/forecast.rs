//! `canon forecast`.

use alloy_primitives::{Address, Bytes, bytes, hex, keccak256};
use snapbox::{assert_data_eq, cmd::Command, file, str};

use crate::{
    chain::Chain,
    support::{canon, stdout, while_served, without_hashes},
};

fn forecast(arguments: &str) -> Command {
    canon().arg("forecast").args(arguments.split_whitespace())
}

/// The output of a command, whose lines must fit a terminal.
fn text(command: Command) -> String {
    let text = stdout(command);
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    text
}

/// A text without line breaks.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A file that lists operators. It is removed on drop.
struct File(std::path::PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("canon-{}-{name}.toml", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    fn forecast(&self, arguments: &str) -> Command {
        forecast(arguments).arg("--operators").arg(&self.0)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn the_default() {
    assert_data_eq!(text(forecast("")), file!["forecast.txt"].raw());
}

#[test]
fn a_plan_with_dates() {
    let arguments = "--preset tests --sequencers 24 --late 3 --start 2026-12-01T10:00:00+01:00";
    assert_data_eq!(text(forecast(arguments)), file!["forecast-dates.txt"].raw());
}

#[test]
fn a_share_that_is_not_whole_seats_says_how_it_is_rounded() {
    let rounded = |arguments: &str| -> Vec<_> {
        let text = text(forecast(arguments));
        let lines = text.lines().filter(|line| line.contains("rounded"));
        lines.map(str::to_owned).collect()
    };
    let shares = "--sequencers 10 --signaling 62% --rival";
    let signaling = "62 % of 10 seats is rounded to 6 for the payload";
    assert_eq!(rounded(&format!("{shares} 10%")), [signaling]);
    let rival = "15 % of 10 seats is rounded to 2 for a rival";
    assert_eq!(rounded(&format!("{shares} 15%")), [signaling, rival]);
    assert_eq!(rounded("--sequencers 10"), [""; 0]);
}

#[test]
fn operators_by_stake() {
    let file = File::new(
        "stake",
        r#"
            [[operator]]
            stake = "120000000.5"
            side = "for"
            missed = "1%"

            [[operator]]
            seats = 120
            side = "rival"
            missed = 0.05

            [[operator]]
            stake = 60000000
            side = "for"
            missed = "10%"
        "#,
    );
    let text = text(file.forecast("--outage 200 --campaigns 50"));
    assert_data_eq!(text, file!["forecast-operators.txt"].raw());
}

#[test]
fn the_same_seed_prints_the_same() {
    let simulated = |seed| {
        let arguments = "--preset tests --sequencers 24 --outage 5 --campaigns 40 --seed";
        stdout(forecast(arguments).arg(seed))
    };
    assert!(simulated("1").contains("Each side is one operator, offline as a whole"));
    assert_eq!(simulated("1"), simulated("1"));
    assert_ne!(simulated("1"), simulated("2"));
}

#[test]
fn json_is_the_same_forecast() {
    let arguments =
        "--preset tests --sequencers 20 --signaling 50% --rival 50% --missed 0% --late 4";
    let text = stdout(forecast(arguments));
    let json = stdout(forecast(arguments).arg("--json"));
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&report["signals"], &report["slots"]), (&6.into(), &10.into()));
    assert!(text.starts_with("6 of 10 signals win a round of 4 min"));
    assert_eq!(report["round_seconds"], 240);
    let near = |value: &serde_json::Value, exact: f64| {
        assert!(
            (value.as_f64().unwrap() / exact - 1.0).abs() < 1e-12,
            "{value} instead of {exact}"
        );
    };
    // The first round needs all of its six remaining slots, a later round at least six of ten, each
    // with probability one half.
    near(&report["first_round"]["wins"], 1.0 / 64.0);
    assert_eq!(report["first_round"]["slots_left"], 6);
    assert!(text.contains("  wins the first round      1.56 %  6 of 10 slots left"), "{text}");
    near(&report["later_rounds"]["wins"], 386.0 / 1024.0);
    assert!(text.contains("  wins a later round       37.70 %  5 signals on average"), "{text}");
    // The probability of no win, 63/64 · 0.623^(rounds − 1), is at most one half after 3 rounds,
    // and 1 % after 11.
    let rounds = |index: usize| report["milestones"][index]["at"]["rounds"].as_u64().unwrap();
    assert_eq!([0, 1, 2, 3].map(rounds), [1, 3, 6, 11]);
    let after = |index: usize| &report["milestones"][index]["at"]["executable"]["after"];
    // The rest of the round, the delays of three hours, and one second.
    assert_eq!(*after(0), 144 + 3 * 3600 + 1);
    assert_eq!(*after(1), 144 + 2 * 240 + 3 * 3600 + 1);
    assert!(report["milestones"][0]["at"]["executable"].get("time").is_none());
    let half = &report["hostile"]["minorities"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&half["seats"], &half["share"]), (&10.into(), &0.5.into()));
    near(&half["pushes"], 386.0 / 1024.0);
    near(&half["blocks"], 638.0 / 1024.0);
    assert_eq!(report["vote"]["result"], "Accepted");
    assert_eq!(report["vote"]["quorum"], "10000000000000000000000000");
    assert!(text.contains("a turnout of 10 %, which is 10,000,000 tokens"), "{text}");
}

#[test]
fn votes_are_what_the_flags_say() {
    let said = |arguments: &str| text(forecast(&format!("--preset tests {arguments}")));
    let passes = said("--turnout 10% --for 52.1%");
    assert!(
        flat(&passes)
            .contains("at a turnout of 10 % with 52.1 % of it for the proposal, it passes"),
        "{passes}"
    );
    let needs = "more than 5,200,000 (52.00 %) must be for the proposal";
    assert!(flat(&passes).contains(needs), "{passes}");
    // A share equal to the limit isn't enough.
    let outvoted = said("--turnout 10% --for 0.52");
    let why = "with 52 % of it for the proposal, it fails: only 5,200,000 are for it";
    assert!(flat(&outvoted).contains(why), "{outvoted}");
    let missed = said("--turnout 9.9999% --for 100%");
    assert!(flat(&missed).contains("it fails: only 9,999,900 are cast"), "{missed}");
    assert!(flat(&missed).contains("at a turnout of 9.9999 %, nothing passes"), "{missed}");
}

#[test]
fn dates_after_the_end_of_time_are_not_called_impossible() {
    let text = text(forecast("--start +36812-02-20T00:36:15Z"));
    assert!(text.contains("too late") && !text.contains("never"), "{text}");
    let says = "  too late: after +36812-02-20 00:36:15, the last time that a chain can have";
    assert!(text.contains(says), "{text}");
}

#[test]
fn what_never_happens_is_called_so() {
    let text = text(forecast("--signaling 0% --rival 0%"));
    let never = "            never            never            never            never";
    assert!(text.contains(never), "{text}");
    assert!(text.contains("  wins a later round          none  0 signals on average"), "{text}");
}

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
        ("--quorum 5", "501 to 1000 with --round 1000 (from the preset)"),
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

  [..]bad.toml:7:9: operator[1].stake: expected at least the 200,000 tokens of one seat, found "199999"
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
fn an_earliest_round_without_a_chance_has_no_date() {
    let said = |arguments: &str| text(forecast(&format!("--signaling 66% {arguments}")));
    let when = |text: &str| {
        let (_, when) = text.split_once("\nTimes ").unwrap();
        when.split_once("\n\n").unwrap().0.to_owned()
    };
    let late = said("--late 300");
    assert_data_eq!(
        when(&late),
        str![[r#"
from the start of the campaign, if everyone acts immediately and the
holders accept
                     earliest             50 %             90 %             99 %
  rounds                    –                2                2                2
  pushed                    –         1 d 10 h         1 d 10 h         1 d 10 h
  vote opens                –         4 d 10 h         4 d 10 h         4 d 10 h
  vote ends                 –        11 d 10 h        11 d 10 h        11 d 10 h
  executed                  –        18 d 10 h        18 d 10 h        18 d 10 h
  expires                   –        25 d 10 h        25 d 10 h        25 d 10 h
  –: a probability below 0.005 %; within 1 round it is 5e-36
"#]]
    );
    let dated = said("--late 300 --start 2026-12-01T09:00:00Z");
    assert_data_eq!(
        when(&dated),
        str![[r#"
in UTC, if everyone acts immediately and the holders accept
                     earliest             50 %             90 %             99 %
  rounds                    –                2                2                2
  pushed                    –   Wed 2026-12-02   Wed 2026-12-02   Wed 2026-12-02
                                      19:00:00         19:00:00         19:00:00
                                   in 1 d 10 h      in 1 d 10 h      in 1 d 10 h
  vote opens                –   Sat 2026-12-05   Sat 2026-12-05   Sat 2026-12-05
                                      19:00:01         19:00:01         19:00:01
                                   in 4 d 10 h      in 4 d 10 h      in 4 d 10 h
  vote ends                 –   Sat 2026-12-12   Sat 2026-12-12   Sat 2026-12-12
                                      19:00:01         19:00:01         19:00:01
                                  in 11 d 10 h     in 11 d 10 h     in 11 d 10 h
  executed                  –   Sat 2026-12-19   Sat 2026-12-19   Sat 2026-12-19
                                      19:00:01         19:00:01         19:00:01
                                  in 18 d 10 h     in 18 d 10 h     in 18 d 10 h
  expires                   –   Sat 2026-12-26   Sat 2026-12-26   Sat 2026-12-26
                                      19:00:01         19:00:01         19:00:01
                                  in 25 d 10 h     in 25 d 10 h     in 25 d 10 h
  –: a probability below 0.005 %; within 1 round it is 5e-36
"#]]
    );
    assert!(!said("").contains('–'));
}

#[test]
fn operators_share_the_default_of_missed_slots_and_the_grammar_of_amounts() {
    let file = File::new(
        "defaults",
        "[[operator]]\nstake = \"60,000,000\"\nside = \"for\"\n\
         [[operator]]\nstake = 60_000_000\nside = \"rival\"\nmissed = \"2%\"\n",
    );
    let text = text(file.forecast(""));
    for side in ["for   ", "rival "] {
        let row = format!("300           60,000,000                      {side}       2 %");
        assert!(text.contains(&row), "{text}");
    }
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

const HALF: &str = "--signaling 50% --rival 25% --missed 0%";

#[tokio::test]
async fn a_running_round_on_a_chain() {
    let mut chain = Chain::new().await;
    let payload = chain.payload;
    chain.signal(30, payload).await;
    // The ninth seat draws slots from the epoch after the next one.
    chain.go_to(31);
    chain.stake(9).await;
    chain.signal(32, payload).await;
    chain.signal(33, payload).await;

    let arguments = format!("{HALF} --payload {payload}");
    let command = chain.forecast(&arguments);
    let found = while_served(|| text(command)).await;
    assert_data_eq!(without_hashes(&found), file!["forecast-chain.txt"].raw());

    let command = chain.forecast(&arguments).arg("--json");
    let report: serde_json::Value =
        serde_json::from_str(&while_served(|| stdout(command)).await).unwrap();
    // Three of the six remaining slots must have a signal, each with probability one half.
    let near = |value: &serde_json::Value, exact: f64| {
        assert!(
            (value.as_f64().unwrap() / exact - 1.0).abs() < 1e-12,
            "{value} instead of {exact}"
        );
    };
    let first = &report["first_round"];
    assert_eq!((&first["counted"], &first["slots_left"]), (&3.into(), &6.into()));
    assert_eq!((&first["needed"], &first["prospect"]), (&3.into(), &"open".into()));
    near(&first["wins"], 42.0 / 64.0);
    near(&report["later_rounds"]["wins"], 386.0 / 1024.0);
    assert_eq!((&report["chain"]["seats"], &report["chain"]["next_seats"]), (&8.into(), &9.into()));
    assert_eq!(report["vote"]["total_power"], "10000000000000000000000");
    // Slot 33 begins 792 s after genesis, and round 4 begins with slot 40.
    let (genesis, now) = (1_767_225_600_u64, 1_767_225_600 + 33 * 24);
    assert_eq!(report["chain"]["time"], now);
    let milestone = |index: usize| report["milestones"][index]["at"].clone();
    let pushable = |round: u64| genesis + (round + 1) * 240;
    // The probability of a win, 1 − 22/64 · 0.623^(rounds − 1), is 66 %, 79 %, 87 % and 92 %, and
    // 99 % after nine rounds.
    for (index, rounds, round) in [(0, 1, 3), (1, 1, 3), (2, 4, 6), (3, 9, 11)] {
        let at = milestone(index);
        let expected = (&rounds.into(), &round.to_string().into());
        assert_eq!((&at["rounds"], &at["round"]), expected, "{index}");
        let execution = pushable(round) + 3 * 3600 + 1;
        assert_eq!(at["pushable"]["time"], pushable(round), "{index}");
        assert_eq!(at["executable"]["time"], execution, "{index}");
        assert_eq!(at["executable"]["after"], execution - now, "{index}");
        assert_eq!(at["expires"]["time"], pushable(round) + 4 * 3600 + 1, "{index}");
    }
    assert!(found.contains("03:16:01"), "{found}");

    // The forecast can assume another set.
    let command = chain.forecast(&format!("{HALF} --sequencers 4"));
    let other = while_served(|| text(command)).await;
    let set = "set 8 seats in epoch 16, 9 in the next; this forecast assumes another set";
    assert!(other.starts_with("6 of 10") && other.contains("\n4 seats with 100 tokens"), "{other}");
    assert!(flat(&other).contains(set), "{other}");

    // The settings can also come from the environment.
    let by_flags = chain.forecast(HALF);
    let by_environment = forecast(HALF)
        .env("ETH_RPC_URL", chain.url())
        .env("CANON_REGISTRY", chain.set.registry.to_string());
    assert_eq!(
        while_served(|| stdout(by_flags)).await,
        while_served(|| stdout(by_environment)).await
    );
}

#[tokio::test]
async fn a_round_that_is_lost_and_one_that_is_won() {
    let mut chain = Chain::new().await;
    let (payload, rival) = (chain.payload, chain.payload_of(Vec::new()));
    for slot in 30..33 {
        chain.signal(slot, payload).await;
    }
    chain.signal(33, rival).await;
    chain.pass(38);
    let command = chain.forecast(&format!("{HALF} --payload {payload}"));
    let lost = while_served(|| text(command)).await;
    assert!(lost.contains("3 of 6 signals: too few slots left for 3 more"), "{lost}");
    assert!(lost.contains("  round     3: 2 of 10 slots left; the next free slot is 38"), "{lost}");
    assert!(lost.contains("  wins the first round        none  2 of 10 slots left"), "{lost}");
    // The earliest win is in the next round, which ends with slot 49 at 00:20.
    assert!(lost.contains("\n                     00:20:00         00:24:00 "), "{lost}");

    for slot in 40..46 {
        chain.signal(slot, payload).await;
    }
    chain.pass(49);
    let command = chain.forecast(&format!("--signaling 0% --rival 0% --payload {payload}"));
    let won = while_served(|| text(command)).await;
    assert!(won.contains("6 of 6 signals: the round is won"), "{won}");
    assert!(won.contains("  wins the first round         won  1 of 10 slots left"), "{won}");
    assert_eq!(won.matches("00:20:00").count(), 4, "{won}");

    // The next round has begun. The last one can be pushed until the end of slot 99.
    chain.pass(52);
    let about = format!("--payload {payload}");
    let command = chain.forecast(&about);
    let over = while_served(|| text(command)).await;
    let push = "round 4 is won: anyone can push it until 2026-01-01 00:39:59 UTC";
    assert!(flat(&over).contains(push), "{over}");
    assert!(over.contains("0 of 6 signals: no more needed"), "{over}");
    let won = "has won already: round 4 can be pushed now, and needs no more signals";
    assert!(over.contains(won) && !over.contains("wins the first round"), "{over}");
    let command = chain.forecast(&format!("--payload {rival}"));
    let rival = while_served(|| text(command)).await;
    assert!(!rival.contains("is won: anyone can push it"), "the round is another's: {rival}");
    // Slot 52 begins at 00:20:48. The round can be pushed at once, with any signals.
    assert_eq!(over.matches("00:20:48").count(), 1 + 4, "{over}");
    assert_eq!(over.matches("03:20:49").count(), 4, "{over}");

    // After the push the proposal's own times count. It is made one second after the start of slot
    // 52.
    chain.push(4).await;
    chain.pass(100);
    let command = chain.forecast(&about);
    let pushed = while_served(|| text(command)).await;
    assert!(
        flat(&pushed)
            .contains("proposal 0 is Pending: the payload can't be pushed again before that ends"),
        "{pushed}"
    );
    let won = "has won already: it is proposal 0, and needs no more signals";
    assert!(pushed.contains(won) && !pushed.contains("wins the first round"), "{pushed}");
    assert_eq!(pushed.matches("00:20:49").count(), 4, "{pushed}");
    assert_eq!(pushed.matches("passed").count(), 4, "{pushed}");
    assert_eq!(pushed.matches("03:20:50").count(), 4, "{pushed}");
}

#[tokio::test]
async fn operators_of_a_chain() {
    let chain = Chain::new().await;
    chain.pass(30);
    let entry = |seats: u32, side: &str| {
        let stake = seats * 100;
        format!("[[operator]]\nstake = {stake}\nside = \"{side}\"\nmissed = 0\n")
    };
    let file = File::new("chain", &(entry(4, "for") + &entry(2, "rival")));
    let command = chain.forecast("").arg("--operators").arg(&file.0);
    let found = while_served(|| text(command)).await;
    assert!(
        flat(&found)
            .contains("8 seats with 100 tokens or more each 50 % signal for the payload, 25 %"),
        "{found}"
    );
    assert!(found.contains("2 more draw slots and are assumed silent"), "{found}");
    assert!(found.contains("  wins a later round       37.70 %"), "{found}");
    let file = File::new("too-many", &entry(9, "for"));
    let command = chain.forecast("").arg("--operators").arg(&file.0);
    let output = while_served(|| command.output().unwrap()).await;
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    let says = "expected no more than the 8 seats that draw in epoch 15, found 9";
    assert!(stderr.contains(says), "{stderr}");
}

#[tokio::test]
async fn what_is_no_set_is_refused() {
    let chain = Chain::new().await;
    let says = async |command: Command, code: i32, says: &str| {
        let output = while_served(|| command.output().unwrap()).await;
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), &*output.stdout), (Some(code), &b""[..]), "{stderr}");
        assert!(stderr.contains(says), "{stderr}");
    };
    // The seats draw slots from epoch 2 on.
    let empty =
        "--sequencers: expected a number of seats, since the canonical rollup's set of epoch";
    says(chain.forecast(""), 2, empty).await;
    chain.pass(30);
    says(
        chain.forecast("--late 3"),
        2,
        "--late: expected no such flag with --registry, since its value is read from the chain",
    )
    .await;
    let late = forecast("--late 3")
        .env("ETH_RPC_URL", chain.url())
        .env("CANON_REGISTRY", chain.set.registry.to_string());
    says(late, 2, "--late: expected no such flag with a Registry (CANON_REGISTRY), since").await;
    let nobody = "--payload 0x00000000000000000000000000000000000000aa";
    // The error names the flag that is wrong.
    let blamed = "no payload can be read from --payload 0x00000000000000000000000000000000000000AA\n  \
                  because the payload has no code at 0x0000";
    says(chain.forecast(nobody), 2, blamed).await;
    let other = format!("--payload {}", chain.set.asset);
    says(chain.forecast(&other), 2, "no actions can be read from --payload").await;
    let nobody = forecast("--registry 0x00000000000000000000000000000000000000aa");
    let nobody = nobody.env("ETH_RPC_URL", chain.url());
    says(nobody, 2, "the Registry has no code at 0x0000").await;
    // The address of another contract is given for the Registry.
    let asset = format!("--registry {}", chain.set.asset);
    let other = forecast(&asset).env("ETH_RPC_URL", chain.url());
    says(other, 2, "no set can be read from the Registry").await;
    // Sets with a rollup or Proposals other than Canon's are refused.
    let (rollup, proposals) = (chain.set.rollup, chain.set.proposals);
    let no_rollup = format!(
        "no set can be read from the Registry {} (--registry)\n  because the canonical rollup {rollup} doesn't answer as \
         Canon's rollups do, so no signals can be forecast",
        chain.set.registry
    );
    let no_proposals =
        format!("because Proposals at {proposals} doesn't answer as Canon's Proposals");
    let original = Address::repeat_byte(0xee);
    chain.replace(original, chain.code(rollup).await);
    for (contract, code, reason) in [
        // The code is missing, stops, or answers every call with 1.
        (rollup, bytes!(), &*no_rollup),
        (rollup, bytes!("00"), &no_rollup),
        (rollup, bytes!("600160005260206000f3"), &no_rollup),
        (proposals, bytes!("60006000fd"), &no_proposals),
        (proposals, bytes!("600160005260206000f3"), "because the Registry of Proposals is 0x0000"),
        (rollup, lying_about_its_slot(original), "reports slot 7 at second 1767226320, which its"),
    ] {
        let code_before = chain.code(contract).await;
        chain.replace(contract, code);
        says(chain.forecast("--sequencers 8"), 2, reason).await;
        chain.replace(contract, code_before);
    }
}

/// Code of a rollup that reports slot 7 as the present one and otherwise answers like the code at
/// `original`.
fn lying_about_its_slot(original: Address) -> Bytes {
    let selector = &keccak256("getCurrentSlot()")[..4];
    let code: [&[u8]; 6] = [
        // A call of `getCurrentSlot` jumps to byte 0x3c.
        &hex!("60003560e01c63"),
        selector,
        &hex!("14603c57"),
        // All other calls are delegated.
        &[&hex!("3660006000376000600036600073"), original.as_slice()].concat(),
        &hex!("5af43d6000803e3d6000f3"),
        &hex!("5b600760005260206000f3"),
    ];
    code.concat().into()
}
