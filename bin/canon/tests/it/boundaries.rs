//! The last seconds before something becomes possible, on a chain whose blocks come faster than those of Ethereum.

use canon_protocol::Support;
use serde_json::Value;

use crate::{
    chain::{Chain, tokens},
    live::{about, fails, json, with_proposal},
    servers::Folder,
    support::{stdout, while_served},
    voting::by,
};

/// Mines blocks two seconds apart, the last one this number of seconds before a time.
fn come_near(chain: &Chain, time: u64, seconds: u64) {
    let times = [time - seconds - 2, time - seconds].into_iter();
    for time in times.filter(|time| *time > chain.chain.timestamp()) {
        chain.chain.set_next_timestamp(time).unwrap();
        chain.chain.mine().unwrap();
    }
}

/// The kinds of the actions that `status` finds possible.
fn possible(chain: &Chain, folder: &Folder) -> Vec<String> {
    let status = json(about(chain, folder, "status"));
    let (block, next) = (&status["present"]["block"]["timestamp"], &status["present"]["next"]);
    assert_eq!(next.as_u64().unwrap() - block.as_u64().unwrap(), 2);
    let kind = |one: &Value| {
        let opportunity = &one["opportunity"];
        let kind = opportunity.get("anyone").unwrap_or(opportunity).as_object().unwrap();
        kind.keys().next().unwrap().clone()
    };
    status["available"].as_array().unwrap().iter().map(kind).collect()
}

/// `status`, the plan of a command and its simulation expect the next block at the same time, so nobody is told to do
/// what is refused a moment later.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_too_early_by_seconds_is_not_due_yet_and_says_when_it_is() {
    let folder = Folder::new("boundaries");
    let chain = with_proposal().await;
    let (mut chain, folder) = while_served(move || {
        let starts = date(&chain, &folder, "voting_starts");
        come_near(&chain, starts, 4);
        let said = fails(by(&chain, &folder, 0, "vote 0 for --yes"), 4);
        assert!(
            said.contains("voting on proposal 0 starts at") && said.contains("(in 4 s)"),
            "{said}"
        );
        assert!(!possible(&chain, &folder).contains(&"vote".to_owned()));
        assert!(possible(&chain, &folder).contains(&"lock".to_owned()));
        let status = stdout(about(&chain, &folder, "status"));
        let lock = "holders    lock to vote on proposal 0: canon lock (4 s left)";
        assert!(status.contains(lock), "{status}");
        come_near(&chain, starts, 2);
        assert!(possible(&chain, &folder).contains(&"vote".to_owned()));
        chain.chain.set_next_timestamp(starts).unwrap();
        (chain, folder)
    })
    .await;
    chain.vote(0, tokens(5_000), Support::Yea).await;
    while_served(move || {
        let executable = date(&chain, &folder, "executable");
        come_near(&chain, executable, 4);
        let said = fails(by(&chain, &folder, 0, "execute 0 --yes"), 4);
        assert!(said.contains("it can be executed from") && said.contains("(in 4 s)"), "{said}");
        assert!(!possible(&chain, &folder).contains(&"execute".to_owned()));
        come_near(&chain, executable, 0);
        assert!(possible(&chain, &folder).contains(&"execute".to_owned()));
        let status = stdout(about(&chain, &folder, "status"));
        assert!(status.contains("anyone     execute proposal 0: canon execute 0 ("), "{status}");
    })
    .await;
}

/// The date of an event about proposal 0.
fn date(chain: &Chain, folder: &Folder, event: &str) -> u64 {
    let calendar = json(about(chain, folder, "calendar"));
    let mut entries = calendar.as_array().unwrap().iter();
    let entry = entries.find(|entry| entry["event"][event]["id"] == 0);
    entry.unwrap_or_else(|| panic!("no {event} in {calendar}"))["time"].as_u64().unwrap()
}
