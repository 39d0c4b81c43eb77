//! Pauses before retries, without real waiting.

use crate::{
    network::{Choice, Network},
    opening::{Deployed, client_by, folder, question, subject},
    support::{client, run},
};
use canon_chain::Client;
use canon_faults::{Answer, Faults};
use canon_follow::{HistoryCache, OpenedSet, open_set};
use core::{future, time::Duration};
use std::fs;

/// Opens the set, and returns the requested pauses. `paused` gets the sum so far.
async fn open(client: &Client, paused: impl Fn(Duration) + Sync) -> (OpenedSet, Vec<Duration>) {
    let (cache, registry) = (folder("pauses"), Deployed::shared().set.registry);
    let mut pauses = Vec::new();
    let pause = |time: Duration| {
        pauses.push(time);
        paused(pauses.iter().sum());
        future::ready(())
    };
    let mut known = HistoryCache::new(&cache);
    let opened =
        open_set(subject(client, registry, &question()), &mut known, |_| (), pause).await.unwrap();
    let _ = fs::remove_dir_all(&cache);
    (opened, pauses)
}

#[test]
fn pauses_grow_or_are_those_that_the_endpoint_asks_for() {
    let chain = Deployed::shared().chain(150, 1);
    let growing = [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 16_000, 16_000, 16_000, 16_000];
    for (words, expected) in [
        ("the method is not available", growing.map(Duration::from_millis)),
        ("rate limited, try again in 4s", [Duration::from_secs(4); 11]),
    ] {
        run(async {
            let faults = Faults::default();
            let client = client_by(&faults, &chain).await;
            let (opened, pauses) = open(&client, |_| ()).await;
            assert!(opened.no_history.is_none() && pauses.is_empty(), "{pauses:?}");
            faults.answer(move |request| match request.method() {
                "eth_getLogs" => Answer::Refusal(-32005, words.to_owned()),
                _ => Answer::Node,
            });
            let (opened, pauses) = open(&client, |_| ()).await;
            assert!(opened.no_history.is_some(), "{opened:?}");
            assert_eq!(pauses, expected, "{words}");
        });
    }
}

#[test]
fn a_node_that_lags_for_a_minute_costs_time_and_not_the_history() {
    let deployed = Deployed::shared();
    let [newest, lagging] = [300, 40].map(|blocks| deployed.chain(blocks, 1));
    run(async {
        // Only logs come from a node that lags.
        let nodes = [newest.transport(), lagging.transport()];
        let network = Network::new(nodes, Choice::SecondFor("eth_getLogs"));
        let client = client(network.client()).await;
        let minute = Duration::from_secs(60);
        let catch_up = |paused| {
            if paused >= minute {
                network.choose(Choice::Node(0));
            }
        };
        let (opened, pauses) = open(&client, catch_up).await;
        assert!(opened.no_history.is_none() && opened.notes.is_empty(), "{opened:?}");
        assert_eq!(opened.view.present.block.hash, newest.block_hash());
        assert!(pauses.iter().sum::<Duration>() >= minute, "{pauses:?}");
    });
}
