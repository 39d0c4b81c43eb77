//! Commands that show a set on a chain.

use std::path::Path;

use canon_protocol::Support;
use serde_json::Value;
use snapbox::{assert_data_eq, cmd::Command, file};

use crate::{
    chain::{Chain, tokens},
    sending::by,
    sending_anyone::{harmless, with_accepted},
    servers::{Folder, closed_port, without_logs},
    support::{canon, stdout, while_served, without_hashes},
};

/// Returns a command about a set, with its own cache folder.
pub(crate) fn about(chain: &Chain, folder: &Folder, arguments: &str) -> Command {
    about_from(&chain.url(), chain, folder, arguments)
}

/// Returns the same command with another endpoint.
pub(crate) fn about_from(
    endpoint: &str,
    chain: &Chain,
    folder: &Folder,
    arguments: &str,
) -> Command {
    let registry = chain.set.registry.to_string();
    canon()
        .args(arguments.split_whitespace())
        .args(["--rpc-url", endpoint, "--registry", &registry])
        .env("XDG_CACHE_HOME", folder.file("cache"))
        .env("XDG_STATE_HOME", folder.file("state"))
}

/// The output of a command on a terminal of 80 columns and 24 lines.
fn screen(command: Command) -> String {
    let text = stdout(command);
    assert!(text.lines().count() <= 24, "{text}");
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    without_hashes(&text)
}

pub(crate) fn json(command: Command) -> Value {
    serde_json::from_str(&stdout(command.arg("--json"))).unwrap()
}

/// Runs a command that fails with this code, and returns its error.
pub(crate) fn fails(command: Command, code: i32) -> String {
    let output = command.output().unwrap();
    let said = crate::support::said(output.stderr);
    assert_eq!((output.status.code(), &*output.stdout), (Some(code), &b""[..]), "{said}");
    said
}

/// A chain with a payload that won round 1 and is proposal 0.
pub(crate) async fn with_proposal() -> Chain {
    let mut chain = Chain::new().await;
    let payload = chain.payload;
    for slot in 10..16 {
        chain.signal(slot, payload).await;
    }
    chain.pass(20);
    chain.push(1).await;
    // Caches only store states at blocks that are too old to be replaced.
    for _ in 0..70 {
        chain.chain.mine().unwrap();
    }
    chain
}

#[tokio::test(flavor = "multi_thread")]
async fn status_fits_a_screen() {
    let folder = Folder::new("status");
    let mut chain = Chain::new().await;
    let payload = chain.payload;
    chain.signal(12, payload).await;
    chain.signal(13, payload).await;
    while_served(move || {
        let status = || about(&chain, &folder, "status");
        assert_data_eq!(screen(status()), file!["status.txt"].raw());
        let document = json(status());
        assert_eq!(document["present"]["signaling"]["status"]["leader"]["count"], 2);
        assert_eq!(document["present"]["addresses"]["registry"], chain.set.registry.to_string());
        let available = document["available"].as_array().unwrap();
        assert!(available.iter().all(|one| one.get("opportunity").is_some()), "{available:?}");
        assert!(!document["calendar"].as_array().unwrap().is_empty());
    })
    .await;
}

#[test]
fn a_watch_that_no_terminal_shows_is_refused() {
    let said = fails(canon().args(["status", "--watch"]), 2);
    assert!(
        said.contains("--watch: expected a terminal on stdout, found a file or a pipe"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_block_of_a_development_chain_is_noted() {
    let folder = Folder::new("old-block");
    let chain = with_proposal().await;
    while_served(move || {
        let said = |arguments: &str| {
            String::from_utf8(about(&chain, &folder, arguments).output().unwrap().stderr).unwrap()
        };
        for command in [
            "status",
            "calendar",
            "round",
            "proposal",
            "proposal 0",
            "power 0x00000000000000000000000000000000000000aa",
            "stake status",
            "forecast --sequencers 8",
            "audit",
            "rollup deploy --print-config",
            "lock 1 --dry-run --from 0x00000000000000000000000000000000000000aa",
        ] {
            let said = said(command);
            let notes = said.lines().filter(|line| line.starts_with("note: the newest block is "));
            let notes: Vec<_> = notes.collect();
            assert!(matches!(notes[..], [note] if note.contains(" old: ")), "{command}: {said}");
        }
        // The block is later than the system's clock.
        chain.chain.set_next_timestamp(10_000_000_000).unwrap();
        chain.chain.mine().unwrap();
        assert_eq!(said("status"), "");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn status_shows_the_stakes_that_an_upgrade_left_behind() {
    let folder = Folder::new("left-behind");
    let (chain, rollup) = crate::staking::upgraded(&folder).await;
    while_served(move || {
        let status = || about(&chain, &folder, "status");
        let (text, former) = (screen(status()), chain.set.rollup);
        assert!(text.contains(" left in an earlier rollup,\n"), "{text}");
        assert!(text.contains(":\n             canon stake move, canon stake exit\n"), "{text}");
        assert!(text.contains("  not read   which of 1 withdrawal"), "{text}");
        assert!(text.contains("exits and moves that are due: canon stake status\n"), "{text}");
        // The slots of the earlier rollup count nothing.
        assert_eq!(text.matches("seed of epoch").count(), 1, "{text}");
        let present = json(status())["present"].clone();
        assert_eq!(present["addresses"]["rollup"], rollup.to_string());
        assert!(present["rollups"].get(former.to_string()).is_some(), "{present}");
    })
    .await;
}

#[test]
fn a_hash_that_is_too_short_is_refused_with_its_form() {
    for command in ["vote 5 for", "signal 0x00000000000000000000000000000000000000aa"] {
        let command = canon().args(command.split(' ')).args(["--actions-hash", "0x12"]);
        let said = fails(command, 2);
        assert!(said.contains("expected 32 bytes in hexadecimal: 0x and 64 digits"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn status_shows_what_is_voted_on() {
    let folder = Folder::new("voting");
    let mut chain = with_proposal().await;
    chain.go_to(200);
    chain.vote(0, tokens(900), Support::Yea).await;
    chain.vote(0, tokens(50), Support::Nea).await;
    while_served(move || {
        let status = || about(&chain, &folder, "status");
        assert_data_eq!(screen(status()), file!["status-voting.txt"].raw());
        let ballots = json(about(&chain, &folder, "proposal 0"))["ballots"].clone();
        assert_eq!(ballots[0]["yea"], tokens(900).get().to_string());
        assert_eq!(ballots[0]["nea"], tokens(50).get().to_string());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_is_shown_with_its_frozen_actions_and_dates() {
    let folder = Folder::new("proposal");
    let chain = with_proposal().await;
    while_served(move || {
        let proposal = |arguments: &str| about(&chain, &folder, arguments);
        let text = stdout(proposal("proposal 0"));
        assert_data_eq!(without_hashes(&text), file!["proposal.txt"].raw());
        // Values that users compare before they vote aren't shortened.
        assert!(text.contains(&chain.payload.to_string()), "{text}");
        assert_data_eq!(
            without_hashes(&stdout(proposal("proposal"))),
            file!["proposals.txt"].raw()
        );
        let document = json(proposal("proposal 0"));
        let hash = document["actions_hash"].as_str().unwrap();
        assert!(text.contains(hash), "{hash}: {text}");
        let actions = document["actions"].as_array().unwrap();
        let last = actions.last().unwrap()["words"].as_str().unwrap();
        assert!(last.starts_with("Registry.upgrade("), "{last}");
        assert_eq!(document["ballots"].as_array().unwrap().len(), 0);
        // The state is in the cache.
        let kept = std::fs::read_dir(folder.file("cache/canon")).unwrap().count();
        assert_eq!(kept, 1);
        let missing = fails(proposal("proposal 1"), 2);
        assert!(
            missing.contains("proposal 1 doesn't exist: expected an id from 0 to 0"),
            "{missing}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_executed_proposal_is_shown_with_the_time_and_the_block_of_its_execution() {
    let (folder, without) = (Folder::new("executed"), Folder::new("executed-without-logs"));
    let mut chain = Chain::new().await;
    let payload = chain.payload_of(vec![harmless(&chain)]);
    with_accepted(&mut chain, payload).await;
    chain.pass(480);
    while_served(move || {
        let before = json(about(&chain, &folder, "proposal 0"));
        assert_eq!(before["execution"], Value::Null);
        stdout(by(&chain, &folder, "execute --yes"));
        let (block, time) = (chain.chain.block_number(), chain.chain.timestamp());
        chain.pass(500);
        let text = stdout(about(&chain, &folder, "proposal 0"));
        assert_data_eq!(without_hashes(&text), file!["proposal-executed.txt"].raw());
        assert!(text.contains(&format!("in block {block}\n")), "{text}");
        let document = json(about(&chain, &folder, "proposal 0"));
        assert_eq!(document["execution"]["number"], block.to_string());
        assert_eq!(document["execution"]["timestamp"], time);
        // Without logs the history isn't known.
        let endpoint = format!("http://{}", without_logs(chain.address()));
        let ask = || about_from(&endpoint, &chain, &without, "proposal 0");
        let text = stdout(ask());
        let line = "  executed         not known, since the set's history isn't\n";
        assert!(text.contains(line), "{text}");
        assert_eq!(json(ask())["execution"], Value::Null);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_cache_is_told_and_changes_nothing() {
    let folder = Folder::new("damaged");
    let chain = with_proposal().await;
    while_served(move || {
        let proposal = || about(&chain, &folder, "proposal 0");
        let before = stdout(proposal());
        let kept = std::fs::read_dir(folder.file("cache/canon")).unwrap().next().unwrap().unwrap();
        std::fs::write(kept.path(), "{\"version\":").unwrap();
        let output = proposal().output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), before);
        let said = crate::support::said(output.stderr);
        assert!(said.starts_with("note: ") && said.contains("read again"), "{said}");
        assert_eq!(stdout(proposal()), before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_that_cannot_be_kept_is_one_note() {
    let folder = Folder::new("no-cache");
    let chain = with_proposal().await;
    while_served(move || {
        std::fs::write(folder.file("cache"), "").unwrap();
        let output = about(&chain, &folder, "proposal 0").output().unwrap();
        let said = crate::support::said(output.stderr);
        assert!(output.status.success(), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.starts_with("note: the state couldn't be saved ("), "{said}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dates_are_a_calendar() {
    let folder = Folder::new("calendar");
    let chain = with_proposal().await;
    while_served(move || {
        let text = stdout(about(&chain, &folder, "calendar"));
        let lines: Vec<_> = text.split("\r\n").collect();
        assert_eq!((lines[0], lines[lines.len() - 2]), ("BEGIN:VCALENDAR", "END:VCALENDAR"));
        assert!(lines.iter().all(|line| line.len() <= 75 && !line.contains('\n')), "{text}");
        let count = |start: &str| lines.iter().filter(|line| line.starts_with(start)).count();
        let entries = json(about(&chain, &folder, "calendar")).as_array().unwrap().len();
        assert!(entries >= 2, "{text}");
        for start in ["BEGIN:VEVENT", "END:VEVENT", "UID:", "DTSTAMP:", "DTSTART:", "SUMMARY:"] {
            assert_eq!(count(start), entries, "{start}");
        }
        let mut identifiers: Vec<_> = text
            .replace("\r\n ", "")
            .split("\r\n")
            .filter(|line| line.starts_with("UID:"))
            .map(str::to_owned)
            .collect();
        identifiers.sort();
        identifiers.dedup();
        assert_eq!(identifiers.len(), entries, "identifiers are distinct");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_come_from_flags_then_the_environment_then_the_file() {
    let folder = Folder::new("settings");
    let chain = Chain::new().await;
    let registry = chain.set.registry;
    let other = "0x00000000000000000000000000000000000000aa";
    while_served(move || {
        let file = folder.file("canon.toml");
        let url = chain.url();
        std::fs::write(&file, format!("rpc-url = \"{url}/?token=KEY\"\nregistry = \"{other}\"\n"))
            .unwrap();
        let config = || canon().arg("config").arg("--config").arg(&file);
        let shown = stdout(config());
        assert!(
            shown.contains(&format!("rpc-url    {url}  (")) && !shown.contains("KEY"),
            "{shown}"
        );
        assert!(shown.contains("chain-id   not set"), "{shown}");
        let shown = stdout(config().env("CANON_REGISTRY", registry.to_string()));
        assert!(shown.contains(&format!("{registry}  (CANON_REGISTRY)")), "{shown}");
        let shown =
            config().env("CANON_REGISTRY", other).args(["--registry", &registry.to_string()]);
        assert!(stdout(shown).contains(&format!("{registry}  (--registry)")));
        // Commands use these settings.
        let status = |command: Command| command.arg("--config").arg(&file);
        let found = status(canon().arg("status")).env("CANON_REGISTRY", registry.to_string());
        assert!(stdout(found).contains(&registry.to_string()));
        let refused = fails(status(canon().arg("status")), 2);
        let says =
            "no set can be read from the Registry 0x00000000000000000000000000000000000000AA (";
        assert!(refused.contains(says) && refused.contains("canon.toml)"), "{refused}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_are_tried_in_order_and_each_skipped_one_is_told() {
    let folder = Folder::new("order");
    let chain = Chain::new().await;
    let dead = format!("http://{}", closed_port());
    while_served(move || {
        let status = || about(&chain, &folder, "status");
        let list = format!("{dead}/KEY,{}", chain.url());
        let registry = chain.set.registry.to_string();
        let output =
            canon().args(["status", "--registry", &registry]).env("ETH_RPC_URL", &list).output();
        let output = output.unwrap();
        assert!(output.status.success());
        let said = crate::support::said(output.stderr);
        assert!(
            said.starts_with("note: ") && said.contains(&dead) && !said.contains("KEY"),
            "{said}"
        );
        let wrong = fails(status().args(["--chain-id", "1"]), 2);
        assert!(wrong.contains("31337 and 1 was expected"), "{wrong}");
    })
    .await;
}

#[test]
fn missing_settings_are_named() {
    let nowhere = |arguments: &[&str]| {
        canon().args(arguments).current_dir(std::env::temp_dir().join(Path::new("/")))
    };
    let said = fails(nowhere(&["status"]), 2);
    assert!(said.contains("--rpc-url (ETH_RPC_URL): expected an endpoint"), "{said}");
    let said = fails(nowhere(&["status", "--rpc-url", "http://localhost:1"]), 2);
    assert!(said.contains("--registry (CANON_REGISTRY): expected the address"), "{said}");
    let said = fails(nowhere(&["config", "--config", "/nowhere/canon.toml"]), 2);
    assert!(said.contains("/nowhere/canon.toml can't be read"), "{said}");
}
