//! Equal seeds give equal reports, bit for bit; another seed gives another report.

use std::collections::BTreeSet;

use canon_protocol::Timestamp;

use crate::support::{run, scenario};

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let scenario = scenario("upgrade");
    let (one, two) = (run(&scenario), run(&scenario));
    assert_eq!(one.to_text(), two.to_text());
    assert_eq!(serde_json::to_string(&one).unwrap(), serde_json::to_string(&two).unwrap());
}

#[test]
fn another_seed_gives_another_timeline() {
    let scenario = scenario("upgrade");
    let (one, two) = (run(&scenario), run(&scenario.clone().with_seed(2)));
    assert!(one.passed && two.passed);
    assert_ne!(one.timeline, two.timeline);
}

#[test]
fn a_rehearsal_may_go_on_after_the_last_year_of_four_digits() {
    let mut scenario = scenario("upgrade");
    scenario.l1.start = Timestamp::of(253_402_297_200);
    let report = run(&scenario);
    assert!(report.passed, "{}", report.to_text());
    let text = report.to_text();
    assert!(text.contains("Fri 9999-12-31") && text.contains("Sat +10000-01-01"), "{text}");
}

#[test]
fn a_report_fits_the_columns_that_it_gets() {
    let mut report = run(&scenario("upgrade"));
    report.checks[0].holds = false;
    let plain = |text: String| -> String {
        let parts = text.split('\x1b');
        parts.map(|part| part.split_once('m').map_or(part, |(_, text)| text)).collect()
    };
    let widest = |text: &str| text.lines().map(|line| line.chars().count()).max();
    for columns in [80, 90, 98] {
        assert_eq!(widest(&plain(report.to_text_within(columns))), Some(columns));
    }
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<BTreeSet<_>>();
    let (narrow, wide) = (plain(report.to_text_within(80)), plain(report.to_text()));
    assert_eq!(widest(&wide), Some(98));
    let (narrow, wide) = (words(&narrow), words(&wide));
    let lost: Vec<_> = wide.difference(&narrow).filter(|word| !word.contains('─')).collect();
    assert!(lost.is_empty(), "{lost:?}");
}

#[test]
fn more_actors_are_no_problem() {
    let scenario = scenario("upgrade").with_sequencers(48).unwrap().with_holders(100).unwrap();
    let report = run(&scenario);
    assert!(report.passed, "{}", report.to_text());
    assert_eq!((report.sequencers, report.holders), (48, 100));
}
