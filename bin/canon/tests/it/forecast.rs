//! `canon forecast`.

use snapbox::{assert_data_eq, cmd::Command, file, str};

use crate::support::{canon, stdout};

pub(crate) fn forecast(arguments: &str) -> Command {
    canon().arg("forecast").args(arguments.split_whitespace())
}

/// The output of a command, whose lines must fit a terminal.
pub(crate) fn text(command: Command) -> String {
    let text = stdout(command);
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    text
}

/// A text without line breaks.
pub(crate) fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A file that lists operators. It is removed on drop.
pub(crate) struct File(pub(crate) std::path::PathBuf);

impl File {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("canon-{}-{name}.toml", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    pub(crate) fn forecast(&self, arguments: &str) -> Command {
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
    assert!(text.contains("  wins a later round       37.70 %  signals on average: 5"), "{text}");
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
    let why =
        "with 52 % of it for the proposal, it fails: the power for it is only 5,200,000 tokens";
    assert!(flat(&outvoted).contains(why), "{outvoted}");
    let missed = said("--turnout 9.9999% --for 100%");
    assert!(
        flat(&missed).contains("it fails: the power cast is only 9,999,900 tokens"),
        "{missed}"
    );
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
fn events_with_probability_0_are_called_never() {
    let text = text(forecast("--signaling 0% --rival 0%"));
    let never = "            never            never            never            never";
    assert!(text.contains(never), "{text}");
    assert!(text.contains("  wins a later round          none  signals on average: 0"), "{text}");
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
