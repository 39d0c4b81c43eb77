//! What happened to users of earlier commands, and must not happen to users of these.

use std::process::Stdio;

use alloy_primitives::Address;
use canon_chain::{ContractCall, calls};
use canon_devchain::{Mining, UnsignedCall};
use canon_protocol::{GovernanceCall, ProposalId, Round, Support, Timestamp, text::Time};
use serde_json::Value;
use snapbox::cmd::Command;

use crate::{
    chain::{Chain, tokens},
    live::{about, fails, json, with_proposal},
    sending::process,
    sending_anyone::{action, harmless},
    servers::Folder,
    support::{said, stdout, while_served, without_hashes},
};

/// The index of the account that sends in these tests, unless it is a holder.
const ANYBODY: usize = 1;

fn by(chain: &Chain, folder: &Folder, account: usize, arguments: &str) -> Command {
    about(chain, folder, arguments).env("CANON_PRIVATE_KEY", chain.key(account))
}

/// The changes that a command made, one for each transaction.
fn changes(command: Command) -> Vec<Value> {
    let document = json(command);
    let transactions = document["transactions"].as_array().unwrap();
    transactions.iter().map(|transaction| transaction["changed"].clone()).collect()
}

/// The states of all proposals.
fn states(chain: &Chain, folder: &Folder) -> Vec<String> {
    let list = json(about(chain, folder, "proposal"));
    let states = list.as_array().unwrap().iter().map(|one| one["state"].as_str().unwrap());
    states.map(str::to_owned).collect()
}

/// Whether a call by anybody would succeed at a time.
fn succeeds_at(chain: &Chain, time: u64, call: &ContractCall) -> bool {
    let snapshot = chain.chain.snapshot();
    chain.chain.set_next_timestamp(time).unwrap();
    let from = Address::repeat_byte(0xde);
    let to = call.to().to().copied();
    let input = call.input().clone();
    let (_, executed) = chain.chain.mine_unsigned(&[UnsignedCall { from, to, input }]).unwrap();
    chain.chain.revert(snapshot).unwrap();
    executed[0].end.is_success()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_running_round_is_never_pushed_even_if_it_is_won() {
    let folder = Folder::new("running-round");
    let mut chain = Chain::new().await;
    let [first, second] = [1, 2].map(|_| chain.payload_of(vec![harmless(&chain)]));
    for (round, payload) in [(1, first), (3, second)] {
        chain.win(payload, round).await;
    }
    while_served(move || {
        let push = |round: &str| by(&chain, &folder, ANYBODY, &format!("push {round} --yes"));
        let status = json(about(&chain, &folder, "status"));
        assert_eq!(status["present"]["signaling"]["status"]["round"], "3");
        let said = fails(push("3"), 4);
        assert!(said.contains("round 3 is won and can be pushed once it is over at "), "{said}");
        let pushed = changes(push(""));
        assert_eq!(pushed.len(), 1, "{pushed:?}");
        assert_eq!((&pushed[0]["round"], &pushed[0]["proposal"]), (&"1".into(), &0.into()));
        let said = fails(push(""), 4);
        assert!(said.contains("round 3 is won and can be pushed once it is over at "), "{said}");
        assert_eq!(chain.chain.nonce(chain.account(ANYBODY)), 1);
        chain.pass(40);
        let pushed = changes(push(""));
        assert_eq!((&pushed[0]["round"], &pushed[0]["proposal"]), (&"3".into(), &1.into()));
    })
    .await;
}

/// Scripts took the number of proposals minus 1, which is the newest one.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_proposal_is_executed_by_its_own_id_while_newer_ones_wait() {
    let folder = Folder::new("older-proposal");
    let mut chain = Chain::new().await;
    let payloads = [1, 2, 3].map(|_| chain.payload_of(vec![harmless(&chain)]));
    for (payload, round) in payloads.into_iter().zip([1, 3, 40]) {
        chain.propose(payload, round).await;
        if round == 3 {
            chain.go_to(200);
            chain.vote(1, tokens(5_000), Support::Yea).await;
        }
    }
    chain.pass(495);
    while_served(move || {
        assert_eq!(states(&chain, &folder), ["Rejected", "Executable", "Pending"]);
        let executed = changes(by(&chain, &folder, ANYBODY, "execute --yes"));
        assert_eq!(executed.len(), 1, "{executed:?}");
        assert_eq!(
            (&executed[0]["kind"], &executed[0]["proposal"]),
            (&"executed".into(), &1.into())
        );
        assert_eq!(states(&chain, &folder), ["Rejected", "Executed", "Pending"]);
        assert_eq!(chain.chain.nonce(chain.account(ANYBODY)), 1);
    })
    .await;
}

/// The date of an event in `canon calendar --json`.
fn date(calendar: &Value, event: &str, key: &str, value: impl Into<Value>) -> u64 {
    let value = value.into();
    let mut entries = calendar.as_array().unwrap().iter();
    let entry = entries.find(|entry| entry["event"][event][key] == value);
    entry.unwrap_or_else(|| panic!("no {event} {value} in {calendar}"))["time"].as_u64().unwrap()
}

/// The date of an event in iCalendar.
fn icalendar_date(text: &str, identifier: &str) -> String {
    let unfolded = text.replace("\r\n ", "");
    let mut events = unfolded.split("BEGIN:VEVENT\r\n");
    let event = events.find(|event| event.contains(&format!("UID:{identifier}-"))).unwrap();
    event.lines().find_map(|line| line.strip_prefix("DTSTART:")).unwrap().to_owned()
}

/// A time as iCalendar has it.
fn in_icalendar(time: u64) -> String {
    let text = Time(Timestamp::of(time)).without_zone().to_string();
    text.replace(['-', ':'], "").replace(' ', "T") + "Z"
}

/// A time as pages have it.
fn shown(time: u64) -> String {
    Time(Timestamp::of(time)).without_zone().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seconds_in_which_a_round_can_be_pushed_are_shown_as_the_contracts_have_them() {
    let folder = Folder::new("push-seconds");
    let mut chain = Chain::new().await;
    let payload = chain.payload;
    chain.win(payload, 1).await;
    let push = calls::push(chain.set.proposals, chain.set.governance, Round::of(1));
    while_served(move || {
        let printed = |arguments: &str| stdout(about(&chain, &folder, arguments));
        let calendar = || json(about(&chain, &folder, "calendar"));
        let over = date(&calendar(), "round_ends", "round", "1");
        assert!(!succeeds_at(&chain, over - 1, &push) && succeeds_at(&chain, over, &push));
        assert_eq!(icalendar_date(&printed("calendar"), "round-ends-1"), in_icalendar(over));
        assert!(printed("status").contains(&format!("{}  round 1 ends", shown(over))));
        assert_eq!(json(about(&chain, &folder, "round"))["end"], over - 1);

        chain.pass(20);
        let expired = date(&calendar(), "push_expires", "round", "1");
        assert!(succeeds_at(&chain, expired - 1, &push) && !succeeds_at(&chain, expired, &push));
        assert_eq!(icalendar_date(&printed("calendar"), "push-expires-1"), in_icalendar(expired));
        let status = printed("status");
        let line = format!("{}  round 1 can't be pushed any more", shown(expired));
        assert!(status.contains(&line), "{status}");
        let text = printed("round 1");
        assert!(text.contains(&format!("until {} UTC, inclusive", shown(expired - 1))), "{text}");
        assert_eq!(json(about(&chain, &folder, "round 1"))["outcome"]["until"], expired - 1);
        let status = json(about(&chain, &folder, "status"));
        let mut available = status["available"].as_array().unwrap().iter();
        let until = available.find(|one| !one["opportunity"]["anyone"]["push"].is_null()).unwrap();
        assert_eq!(until["until"], expired - 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seconds_in_which_a_proposal_can_be_executed_are_shown_as_the_contracts_have_them() {
    let folder = Folder::new("execute-seconds");
    let mut chain = Chain::new().await;
    let payload = chain.payload_of(vec![harmless(&chain)]);
    chain.propose(payload, 1).await;
    chain.go_to(200);
    chain.vote(0, tokens(5_000), Support::Yea).await;
    let execute = calls::execute(chain.set.governance, ProposalId::of(0));
    while_served(move || {
        let printed = |arguments: &str| stdout(about(&chain, &folder, arguments));
        let calendar = json(about(&chain, &folder, "calendar"));
        let (proposal, status) = (printed("proposal 0"), printed("status"));
        let ical = printed("calendar");
        for (event, identifier, before, in_proposal, in_status) in [
            (
                "executable",
                "executable-0",
                false,
                "executable from",
                "proposal 0 can be executed, if it passes",
            ),
            ("expires", "expires-0", true, "expires", "proposal 0 expires, if it isn't executed"),
        ] {
            let time = date(&calendar, event, "id", 0);
            assert_eq!(succeeds_at(&chain, time - 1, &execute), before, "{event}");
            assert_eq!(succeeds_at(&chain, time, &execute), !before, "{event}");
            assert_eq!(icalendar_date(&ical, identifier), in_icalendar(time));
            let line = format!("  {in_proposal:<15}  {} UTC", shown(time));
            assert!(proposal.contains(&line), "{line}: {proposal}");
            let line = format!("{}  {in_status}", shown(time));
            assert!(status.contains(&line), "{line}: {status}");
        }
        let early = fails(by(&chain, &folder, ANYBODY, "execute --yes"), 4);
        let from = date(&calendar, "executable", "id", 0);
        assert!(early.contains(&format!("executed from {} UTC on", shown(from))), "{early}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ballot_without_an_amount_casts_the_power_of_the_snapshot_even_if_none_is_left_now() {
    let folder = Folder::new("power-at-snapshot");
    let mut chain = with_proposal().await;
    let holder = chain.account(0);
    chain.go_to(171);
    chain.vote(0, tokens(900), Support::Nea).await;
    chain.withdraw(holder, tokens(10_000)).await;
    while_served(move || {
        let power = json(about(&chain, &folder, &format!("power {holder}")));
        assert_eq!((&power["power"], &power["total_power"]), (&"0".into(), &"0".into()));
        let cast = changes(by(&chain, &folder, 0, "vote 0 for --yes"));
        assert_eq!(cast[0]["amount"], tokens(9_100).get().to_string());
        let tally = json(about(&chain, &folder, "proposal 0"))["tally"].clone();
        assert_eq!(tally["yea"], tokens(9_100).get().to_string());
        assert_eq!(tally["nea"], tokens(900).get().to_string());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_words_for_and_against_cast_a_ballot() {
    let folder = Folder::new("words");
    let chain = with_proposal().await;
    chain.pass(171);
    while_served(move || {
        let block = chain.chain.block_number();
        let words = [
            "yes",
            "no",
            "y",
            "n",
            "yea",
            "nay",
            "yay",
            "nea",
            "aye",
            "true",
            "false",
            "1",
            "0",
            "FOR",
            "For",
            "AGAINST",
            "Against",
            "f",
            "fo",
            "a",
            "agains",
            "fore",
            "against!",
            "for.",
            " for",
            "for ",
            "for,against",
            "pro",
            "contra",
            "con",
            "support",
            "oppose",
            "in-favor",
            "abstain",
            "none",
            "all",
            "",
            "-",
            "-1",
            "--for",
            "--against",
            "--in-favor",
            "--in-favor=yea",
            "--yea",
            "--support",
            "--side=for",
        ];
        for word in words {
            for more in [&["--yes"][..], &["--sign", "--yes"], &["--dry-run"]] {
                let said = fails(by(&chain, &folder, 0, "vote 0").arg(word).args(more), 2);
                assert!(said.starts_with("error: "), "{word}: {said}");
            }
        }
        // Nor are two words, or none.
        for arguments in ["vote 0 --yes", "vote 0 for against --yes", "vote for 0 --yes"] {
            fails(by(&chain, &folder, 0, arguments), 2);
        }
        let tally = || json(about(&chain, &folder, "proposal 0"))["tally"].clone();
        assert_eq!(tally(), serde_json::json!({ "yea": "0", "nea": "0" }));
        assert_eq!(chain.chain.block_number(), block);
        assert!(!folder.file("state").exists(), "nothing was recorded to be sent");
        for (word, side) in [("for", "yea"), ("against", "nea")] {
            changes(by(&chain, &folder, 0, &format!("vote 0 {word} --amount 1 --yes")));
            assert_eq!(tally()[side], tokens(1).get().to_string());
        }
    })
    .await;
}

/// A command, and lines that it prints. Those that end with `…` go on.
type Act<'a> = (usize, &'a str, &'a [&'a str]);

/// Runs commands by accounts of the chain.
fn run(chain: &Chain, folder: &Folder, acts: &[Act<'_>]) {
    for (account, arguments, lines) in acts {
        let output = by(chain, folder, *account, arguments).output().unwrap();
        let result = without_hashes(&String::from_utf8(output.stdout).unwrap());
        let said = said(output.stderr);
        assert!(output.status.success(), "{arguments}: {said}");
        for line in *lines {
            let is_it = |found: &str| match line.strip_suffix('…') {
                Some(start) => found.starts_with(start),
                None => found == *line,
            };
            assert!(result.lines().any(is_it), "{arguments}: {line}: {result}");
        }
    }
}

/// Runs a command while somebody else makes a call that does the same, in the block before that of its transaction.
/// Returns what it says.
fn overtaken(chain: &Chain, folder: &Folder, arguments: &str, call: &ContractCall) -> String {
    chain.chain.set_mining(Mining::Manual);
    let mut command = process(chain, folder, ANYBODY, arguments);
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    while chain.chain.pool_size() == 0 {
        assert!(child.try_wait().unwrap().is_none(), "{arguments}: it waits");
        std::thread::yield_now();
    }
    let (to, input) = (call.to().to().copied(), call.input().clone());
    let from = Address::repeat_byte(0xde);
    let (_, executed) = chain.chain.mine_unsigned(&[UnsignedCall { from, to, input }]).unwrap();
    assert!(executed[0].end.is_success(), "{arguments}: {:?}", executed[0]);
    chain.chain.mine().unwrap();
    while child.try_wait().unwrap().is_none() {
        if chain.chain.pool_size() > 0 {
            chain.chain.mine().unwrap();
        }
        std::thread::yield_now();
    }
    let ended = child.wait_with_output().unwrap();
    let said = said(ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{arguments}: {said}");
    assert_eq!(ended.stdout, b"", "{arguments}: {said}");
    chain.chain.set_mining(Mining::Auto);
    said
}

/// Anyone can push and execute, so several accounts may try to at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_push_or_an_execution_that_somebody_else_overtakes_says_so_and_is_not_sent_again() {
    let folder = Folder::new("overtaken");
    let mut chain = Chain::new().await;
    let payload = chain.payload_of(vec![harmless(&chain)]);
    chain.win(payload, 1).await;
    chain.pass(20);
    let (push, execute) = (
        calls::push(chain.set.proposals, chain.set.governance, Round::of(1)),
        calls::execute(chain.set.governance, ProposalId::of(0)),
    );
    let (mut chain, folder) = while_served(move || {
        let said = overtaken(&chain, &folder, "push --yes", &push);
        assert!(said.contains("the transaction failed"), "{said}");
        let said = fails(by(&chain, &folder, ANYBODY, "push 1 --yes"), 1);
        assert!(said.contains("because it was pushed already: it is proposal 0"), "{said}");
        assert_eq!(states(&chain, &folder), ["Pending"]);
        (chain, folder)
    })
    .await;
    chain.renew_sender();
    chain.go_to(200);
    chain.vote(0, tokens(5_000), Support::Yea).await;
    chain.pass(480);
    while_served(move || {
        let said = overtaken(&chain, &folder, "execute --yes", &execute);
        assert!(said.contains("the transaction failed"), "{said}");
        let said = fails(by(&chain, &folder, ANYBODY, "execute 0 --yes"), 1);
        assert!(said.contains("because it is executed already"), "{said}");
        assert_eq!(chain.chain.nonce(chain.account(ANYBODY)), 2, "one transaction for each");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_act_of_an_upgrade_has_its_command() {
    let folder = Folder::new("acts");
    let mut chain = Chain::new().await;
    let (rollup, upgrade) = chain.next_rollup().await;
    let successor = Address::repeat_byte(0x77);
    chain.replace(successor, alloy_primitives::Bytes::from_static(&[0]));
    let replace = GovernanceCall::UpdateGovernanceProposer { new_governance_proposer: successor };
    let replacement = chain.payload_of(vec![action(chain.set.governance, replace)]);
    let dropped = chain.payload_of(vec![harmless(&chain)]);
    chain.win(upgrade, 1).await;
    chain.pass(20);
    let attester = Address::repeat_byte(1);
    let holder = chain.account(0);
    let (chain, folder) = while_served(move || {
        run(
            &chain,
            &folder,
            &[
                (1, "round 1", &["         won by 0x[..] with 6", "         anyone can push it"]),
                (1, "push --yes", &["The winner of round 1 is proposal 0"]),
                (
                    1,
                    "calendar",
                    &[
                        "UID:executable-0-31337-0x[..]@canon",
                        "UID:voting-starts-0-31337-0x[..]@canon",
                    ],
                ),
                (
                    1,
                    &format!("payload upgrade {rollup} --uri x --dry-run"),
                    &["     4. Registry.upgrade(new rollup)"],
                ),
                (
                    0,
                    &format!("stake move {attester} --to {rollup} --yes"),
                    &["The move of 0x[..] to 0x[..] is announced"],
                ),
                (
                    0,
                    "unlock 10 --yes",
                    &["Withdrawal 0: 10 tokens, due to 0x[..] from 2026-01-01 02:20:03 UTC on"],
                ),
                (
                    1,
                    &format!("power {holder}"),
                    &["     0  Pending: …", "Withdrawals, 1 to be paid…"],
                ),
            ],
        );
        (chain, folder)
    })
    .await;
    let mut chain = chain;
    chain.renew_sender();
    chain.propose(replacement, 4).await;
    for id in [0, 1] {
        chain.go_to(210 + id);
        chain.vote(id, tokens(5_000), Support::Yea).await;
    }
    chain.propose(dropped, 45).await;
    chain.pass(515);
    while_served(move || {
        let dry_run = format!("execute 0 --dry-run --from {}", chain.account(1));
        run(
            &chain,
            &folder,
            &[
                (1, &dry_run, &["Carry out proposal 0", "     4. Registry.upgrade(…"]),
                (1, "execute 0 --yes", &["Proposal 0 is executed"]),
                (1, "execute --yes", &["Proposal 1 is executed"]),
                (1, "drop --yes", &["Proposal 2 is recorded as dropped"]),
                (1, &format!("stake finish {attester} --yes"), &["The stake of 0x[..] has moved"]),
                (0, "withdraw --yes", &["Withdrawal 0 is paid"]),
            ],
        );
        assert_eq!(states(&chain, &folder), ["Executed", "Executed", "Dropped"]);
    })
    .await;
}
