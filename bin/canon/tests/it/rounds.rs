//! `canon round`.

use snapbox::{assert_data_eq, cmd::Command, file};

use crate::{
    chain::Chain,
    live::{about, about_from, fails, json, with_proposal},
    servers::{Folder, without_logs},
    support::{stdout, while_served, without_hashes},
};

/// The output of a command on a terminal of 80 columns.
fn narrow(command: Command) -> String {
    let text = stdout(command);
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    without_hashes(&text)
}

/// A chain in a running round with four signals, one of them for another payload, a missed slot, and two
/// slots without a proposer.
async fn running() -> Chain {
    let mut chain = Chain::new().await;
    let (payload, rival) = (chain.payload, chain.set.registry);
    for (slot, payload) in [(10, payload), (12, payload), (13, rival), (16, payload)] {
        chain.signal(slot, payload).await;
    }
    chain
}

#[tokio::test(flavor = "multi_thread")]
async fn the_running_round_shows_each_slot_and_what_the_quorum_takes() {
    let folder = Folder::new("round");
    let chain = running().await;
    while_served(move || {
        let round = || about(&chain, &folder, "round");
        assert_data_eq!(narrow(round()), file!["round.txt"].raw());
        let document = json(round());
        let slots = document["slots"].as_array().unwrap();
        let state = |index: usize| slots[index]["state"].as_str().unwrap();
        let states: Vec<_> = (0..10).map(state).collect();
        let (signaled, nobody, to_come) = ("signaled", "nobody_drawn", "to_come");
        let (first, second) =
            ([signaled, "missed", signaled, signaled, nobody], [nobody, signaled]);
        assert_eq!(states, [&first[..], &second, &[to_come; 3]].concat());
        assert_eq!(slots[3]["payload"], chain.set.registry.to_string());
        assert_eq!(slots[3]["slot"], "13");
        let payloads = document["payloads"].as_array().unwrap();
        assert_eq!((&payloads[0]["count"], &payloads[1]["count"]), (&3.into(), &1.into()));
        // The leader needs all three remaining slots. It had signals in 3 of the 5 slots with a
        // proposer.
        let wins = document["odds"]["wins"].as_f64().unwrap();
        assert!((wins - 0.6_f64.powi(3)).abs() < 1e-12, "{wins}");
        assert_eq!(document["unknown"].as_array().unwrap().len(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_winner_is_shown_with_how_long_it_can_be_pushed_and_then_as_its_proposal() {
    let folder = Folder::new("round-over");
    let mut chain = Chain::new().await;
    let payload = chain.payload;
    for slot in 10..16 {
        chain.signal(slot, payload).await;
    }
    chain.pass(20);
    let (chain, folder) = while_served(move || {
        let round = |arguments| about(&chain, &folder, arguments);
        assert_data_eq!(narrow(round("round 1")), file!["round-pushable.txt"].raw());
        let document = json(round("round 1"));
        assert_eq!(document["outcome"]["kind"], "pushable");
        // The round can be pushed until the end of round 6, whose last slot is 69.
        let until = document["outcome"]["until"].as_u64().unwrap();
        assert_eq!(until, 1_767_225_600 + 70 * 24 - 1);
        let earlier = json(round("round"))["earlier"].clone();
        assert_eq!(
            (&earlier[0]["round"], &earlier[0]["outcome"]["kind"]),
            (&"1".into(), &"pushable".into())
        );
        (chain, folder)
    })
    .await;
    let mut chain = chain;
    chain.push(1).await;
    while_served(move || {
        let round = |arguments| about(&chain, &folder, arguments);
        let document = json(round("round 1"));
        assert_eq!(
            (&document["outcome"]["kind"], &document["outcome"]["proposal"]),
            (&"pushed".into(), &0.into())
        );
        assert!(stdout(round("round 1")).contains("pushed: it is proposal 0"));
        assert_eq!(json(round("round 0"))["outcome"]["kind"], "no_signals");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rounds_that_are_too_new_or_too_old_are_refused_with_the_bounds() {
    let folder = Folder::new("round-bounds");
    let chain = with_proposal().await;
    while_served(move || {
        let round = |arguments| about(&chain, &folder, arguments);
        let said = fails(round("round 3"), 2);
        assert!(said.contains("round 3 hasn't begun: expected a round from 0 to 2"), "{said}");
        assert!(stdout(round("round 2")).contains("Round 2 of"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_logs_what_is_unknown_is_said_instead_of_shown_as_missed() {
    let folder = Folder::new("round-no-logs");
    let chain = running().await;
    let endpoint = without_logs(chain.address());
    while_served(move || {
        let endpoint = format!("http://{endpoint}");
        let round = |arguments| about_from(&endpoint, &chain, &folder, arguments);
        let text = narrow(round("round"));
        assert!(text.contains("3 of the 6 that win, 3 slots left"), "{text}");
        assert!(text.contains("Not known\n  who proposed and signaled: "), "{text}");
        assert!(!text.contains("no signal\n"), "{text}");
        let document = json(round("round"));
        assert!(document["slots"].is_null() && document["payloads"].is_null(), "{document}");
        // Without logs it isn't known whether round 0 had signals.
        assert_eq!(json(round("round 0"))["outcome"]["kind"], "unknown");
    })
    .await;
}
