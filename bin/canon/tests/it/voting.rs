//! `canon vote`.

use std::process::Stdio;

use alloy_primitives::{Address, Bytes};
use canon_devchain::Mining;
use canon_protocol::{Action, Amount, Support};
use serde_json::Value;
use snapbox::{assert_data_eq, cmd::Command, file};

use crate::{
    chain::{Chain, tokens},
    live::{about, about_from, fails, json, with_proposal},
    sending::{process, shown, stable},
    servers::{Folder, without_logs},
    signaling::two_faced,
    support::{stdout, while_served},
    terminal::{Ended, OnTerminal},
};

/// Returns a command by one of the chain's accounts. Account 0 holds all power.
pub(crate) fn by(chain: &Chain, folder: &Folder, account: usize, arguments: &str) -> Command {
    about(chain, folder, arguments).env("CANON_PRIVATE_KEY", chain.key(account))
}

/// A chain with a final proposal that takes ballots.
async fn voting() -> Chain {
    let chain = with_proposal().await;
    chain.pass(171);
    chain
}

/// The power cast for and against proposal 0.
fn tally(chain: &Chain, folder: &Folder) -> (String, String) {
    let document = json(about(chain, folder, "proposal 0"));
    let side = |name: &str| document["tally"][name].as_str().unwrap().to_owned();
    (side("yea"), side("nea"))
}

fn base_units(count: u128) -> String {
    tokens(count).get().to_string()
}

/// Amounts can have 18 decimals.
#[tokio::test(flavor = "multi_thread")]
async fn amounts_of_many_digits_fit_a_terminal() {
    let folder = Folder::new("vote-digits");
    let mut chain = voting().await;
    let odd = Amount::of(1_234_567_890_123_456_789_012);
    chain.vote(0, odd, Support::Yea).await;
    chain.vote(0, odd, Support::Nea).await;
    while_served(move || {
        let dry_run = "vote 0 for --amount 0.000000000000000001 --dry-run";
        let texts =
            [stdout(by(&chain, &folder, 0, dry_run)), stdout(about(&chain, &folder, "proposal 0"))];
        for line in texts.iter().flat_map(|text| text.lines()) {
            assert!(line.chars().count() <= 80, "{line}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ballot_shows_the_actions_and_how_the_vote_stands_and_casts_what_is_left() {
    let folder = Folder::new("vote");
    let mut chain = voting().await;
    // Power that is locked after the snapshot doesn't count.
    chain.lock(tokens(500)).await;
    chain.vote(0, tokens(900), Support::Yea).await;
    while_served(move || {
        let vote = |arguments| by(&chain, &folder, 0, arguments);
        let (result, said) = shown(vote("vote 0 against --amount 200 --yes"));
        assert_data_eq!(result, file!["vote.txt"].raw());
        assert_data_eq!(said, file!["vote-words.txt"].raw());
        assert_eq!(tally(&chain, &folder), (base_units(900), base_units(200)));
        let document = json(vote("vote 0 for --yes"));
        let changed = &document["transactions"][0]["changed"];
        assert_eq!(
            (&changed["kind"], &changed["amount"]),
            (&"voted".into(), &base_units(8_900).into())
        );
        assert_eq!(tally(&chain, &folder), (base_units(9_800), base_units(200)));
        let said = fails(vote("vote 0 for --yes"), 1);
        assert!(said.contains("has cast all of its power, 10,000 tokens"), "{said}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ballot_against_that_makes_the_quorum_is_warned_of() {
    let folder = Folder::new("vote-quorum");
    let mut chain = voting().await;
    chain.vote(0, tokens(900), Support::Yea).await;
    while_served(move || {
        let preview = |amount| {
            let arguments = format!("vote 0 against --amount {amount} --dry-run");
            stdout(by(&chain, &folder, 0, &arguments))
        };
        // The quorum is 1,000 of 10,000 tokens.
        assert!(!preview("99.999999").contains("warning"));
        let text = preview("100");
        assert!(text.contains("WITH IT THE PROPOSAL PASSES as it stands"), "{text}");
        let text = preview("900");
        assert!(text.contains("ballots for it can then make it pass"), "{text}");
        assert_eq!(tally(&chain, &folder).1, "0", "nothing was sent");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ballot_that_cannot_count_is_refused_before_anything_is_sent() {
    let folder = Folder::new("vote-refused");
    let chain = with_proposal().await;
    let (chain, folder) = while_served(move || {
        let vote = |arguments| by(&chain, &folder, 0, arguments);
        let said = fails(vote("vote 0 for --yes"), 4);
        assert!(said.contains("voting on proposal 0 starts at 2026-01-01 01:08:02 UTC"), "{said}");
        (chain, folder)
    })
    .await;
    chain.pass(171);
    let (chain, folder) = while_served(move || {
        let vote = |arguments| by(&chain, &folder, 0, arguments);
        for (arguments, code, says) in [
            ("vote 1 for --yes", 2, "proposal 1 doesn't exist: expected an id from 0 to 0"),
            ("vote 0 yes --yes", 2, "invalid value 'yes' for '[for|against]'"),
            ("vote 0 --yes", 2, "the side is after the id, as in `canon vote 5 for`"),
            ("vote for 0 --yes", 2, "expected the id of the proposal first: canon vote 5 for"),
            ("vote 0 for --amount 0 --yes", 2, "expected more than 0 tokens"),
            (
                "vote 0 for --amount 10000.000000000000000001 --yes",
                1,
                "expected at most 10,000 tokens, found 10,000.000000000000000001",
            ),
            ("vote 0 for", 2, "expected a terminal on which to ask"),
        ] {
            let said = fails(vote(arguments), code);
            assert!(said.contains(says), "{arguments}: {said}");
        }
        let other = format!("vote 0 for --actions-hash 0x{} --yes", "11".repeat(32));
        let said = fails(vote(&other), 1);
        assert!(
            said.contains("--actions-hash: expected 0x1111")
                && said.contains("does something else"),
            "{said}"
        );
        let said = fails(by(&chain, &folder, 1, "vote 0 for --yes"), 1);
        assert!(said.contains("had no power at the snapshot"), "{said}");
        assert_eq!(tally(&chain, &folder), ("0".into(), "0".into()));
        // The right hash is accepted.
        let hash = json(about(&chain, &folder, "proposal 0"))["actions_hash"].clone();
        let right =
            format!("vote 0 for --amount 900 --actions-hash {} --yes", hash.as_str().unwrap());
        shown(vote(&right));
        assert_eq!(tally(&chain, &folder).0, base_units(900));
        (chain, folder)
    })
    .await;
    // Voting has ended, with 900 of the 1,000 tokens that must be cast.
    chain.pass(400);
    while_served(move || {
        let said = fails(by(&chain, &folder, 0, "vote 0 for --yes"), 1);
        assert!(said.contains("proposal 0 takes no ballots: it is Rejected"), "{said}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_voting_only_objections_are_taken_and_only_in_time() {
    let folder = Folder::new("vote-objection");
    let mut chain = voting().await;
    chain.vote(0, tokens(1_000), Support::Yea).await;
    // Voting ends after 2 h 8 min, and objections half an hour later.
    chain.pass(325);
    let (chain, folder) = while_served(move || {
        let vote = |arguments: &str| by(&chain, &folder, 0, arguments);
        let said = fails(vote("vote 0 for --yes"), 1);
        assert!(said.contains("proposal 0 takes only ballots against it: voting ended"), "{said}");
        // One of the ballots leaves the proposal passed, the other one ends it.
        for (amount, rejects) in [("1", false), ("9000", true)] {
            let words = stdout(vote(&format!("vote 0 against --amount {amount} --dry-run")));
            assert_eq!(words.contains("THIS BALLOT REJECTS"), rejects, "{words}");
        }
        shown(vote("vote 0 against --amount 1 --yes"));
        (chain, folder)
    })
    .await;
    chain.pass(400);
    while_served(move || {
        let said = fails(by(&chain, &folder, 0, "vote 0 against --yes"), 1);
        assert!(said.contains("takes no ballots any more: objections ended"), "{said}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_that_a_reorganization_can_replace_is_not_voted_on_unless_somebody_insists() {
    let folder = Folder::new("vote-unfinal");
    let mut chain = Chain::new().await;
    let payload = chain.payload;
    for slot in 10..16 {
        chain.signal(slot, payload).await;
    }
    chain.pass(20);
    chain.push(1).await;
    chain.pass(171);
    let (chain, folder) = while_served(move || {
        let vote = |arguments| by(&chain, &folder, 0, arguments);
        for arguments in ["vote 0 for --yes", "vote 0 for --sign --yes"] {
            let said = fails(vote(arguments), 4);
            assert!(
                said.contains("isn't final: another proposal can still take its place"),
                "{said}"
            );
        }
        // Waiting doesn't help with these, so they are told before.
        let said = fails(vote("vote 0 for --amount 10001 --yes"), 1);
        assert!(said.contains("expected at most 10,000 tokens"), "{said}");
        let said = fails(by(&chain, &folder, 1, "vote 0 for --yes"), 1);
        assert!(said.contains("had no power at the snapshot"), "{said}");
        shown(vote("vote 0 for --amount 1 --yes --allow-unfinal"));
        (chain, folder)
    })
    .await;
    // The proposal's block is final after 64 further blocks. There are two so far.
    for _ in 0..61 {
        chain.chain.mine().unwrap();
    }
    let (chain, folder) = while_served(move || {
        let said = fails(by(&chain, &folder, 0, "vote 0 for --yes"), 4);
        assert!(said.contains(", 1 block before it"), "{said}");
        (chain, folder)
    })
    .await;
    chain.chain.mine().unwrap();
    while_served(move || shown(by(&chain, &folder, 0, "vote 0 for --yes"))).await;
}

/// While a person thinks, a reorganization puts another proposal in the place of the one that was shown.
#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_that_was_replaced_after_it_was_shown_gets_no_ballot() {
    for (flag, says) in [
        ("", "the chain has changed since this was shown: it would do something else now"),
        ("--sign", "proposal 0 isn't any more what was shown; nothing was signed"),
    ] {
        let folder = Folder::new("vote-replaced");
        let mut chain = Chain::new().await;
        let data = vec![1, 2, 3, 4].into();
        let rival = chain.payload_of(vec![Action { target: chain.set.asset, data }]);
        let before = chain.chain.snapshot();
        chain.propose(chain.payload, 1).await;
        chain.pass(171);
        while_served(move || {
            let arguments = format!("vote 0 for --allow-unfinal {flag}");
            let mut command = OnTerminal::start(process(&chain, &folder, 0, &arguments));
            let asked = command.read_until(" it? [y/N] ").to_owned();
            assert!(asked.contains(&format!("payload     {}", chain.payload)), "{asked}");
            chain.chain.revert(before).unwrap();
            chain.renew_sender();
            tokio::runtime::Handle::current().block_on(chain.propose(rival, 1));
            chain.pass(171);
            chain.chain.mine().unwrap();
            let nonce = chain.chain.nonce(chain.account(0));
            command.answer("y");
            let Ended { code, result, said } = command.ended();
            assert_eq!((code, &*result), (Some(1), ""), "{said}");
            assert!(said.contains(says), "{said}");
            assert_eq!(chain.chain.nonce(chain.account(0)), nonce, "{said}");
            assert_eq!(json(about(&chain, &folder, "proposal 0"))["payload"], rival.to_string());
            assert_eq!(tally(&chain, &folder), ("0".into(), "0".into()));
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ballot_can_be_signed_without_ether_and_submitted_once_by_anyone() {
    let folder = Folder::new("vote-sign");
    let chain = voting().await;
    while_served(move || {
        let signed =
            by(&chain, &folder, 0, "vote 0 for --amount 1500 --sign --yes").output().unwrap();
        let said = crate::support::said(signed.stderr);
        assert!(signed.status.success(), "{said}");
        assert_data_eq!(stable(&said), file!["vote-sign-words.txt"].raw());
        let ballot = folder.file("ballot.json");
        std::fs::write(&ballot, &signed.stdout).unwrap();
        let document: Value = serde_json::from_slice(&signed.stdout).unwrap();
        assert_data_eq!(
            stable(&serde_json::to_string_pretty(&document).unwrap()),
            file!["vote-sign.json"].raw()
        );
        assert_eq!(tally(&chain, &folder).0, "0", "nothing was sent");
        let submit = |arguments: &str| {
            let arguments = format!("vote {arguments} --signature {} --yes", ballot.display());
            by(&chain, &folder, 1, &arguments)
        };
        for (arguments, code, says) in [
            ("1", 2, "--signature: proposalId: expected 1, found 0"),
            (
                "0 against",
                2,
                "--signature: support: expected a ballot against it, found one for it",
            ),
            (
                &*format!("0 --actions-hash 0x{}", "11".repeat(32)),
                1,
                "--signature: actionsHash: expected 0x1111",
            ),
        ] {
            let said = fails(submit(arguments), code);
            assert!(said.contains(says), "{said}");
        }
        let (result, said) = shown(submit("0"));
        assert!(result.starts_with("Cast 1,500 tokens for proposal 0\n"), "{result}");
        assert!(said.contains("Submit a ballot: 1,500 tokens for proposal 0"), "{said}");
        assert_eq!(tally(&chain, &folder).0, base_units(1_500));
        let said = fails(submit("0"), 1);
        assert!(
            said.contains(
                "nonce: expected 1, found 0: it was submitted already, or voided, or another one signed with the same nonce"
            ),
            "{said}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_ballot_that_was_changed_or_is_for_another_chain_is_refused_by_its_field() {
    let folder = Folder::new("vote-forged");
    let chain = voting().await;
    while_served(move || {
        let ballot = stdout(by(&chain, &folder, 0, "vote 0 for --amount 1500 --sign --yes"));
        let submit = |text: &str| {
            let file = folder.file("forged.json");
            std::fs::write(&file, text).unwrap();
            by(&chain, &folder, 1, &format!("vote 0 --signature {} --yes", file.display()))
        };
        let more = (base_units(1_500), base_units(9_000));
        let hash = json(about(&chain, &folder, "proposal 0"))["actions_hash"].clone();
        let hash = hash.as_str().unwrap().trim_start_matches("0x").to_owned();
        let other_actions = format!("--signature: actionsHash: expected 0x{hash}, found 0x1111");
        for (from, to, code, says) in [
            (&*more.0, &*more.1, 1, "expected the signature of"),
            ("\"support\": true", "\"support\": false", 1, "expected the signature of"),
            ("\"chainId\": 31337", "\"chainId\": 1", 2, "domain.chainId: expected 31337, found 1"),
            (
                "\"Governance\"",
                "\"Proposals\"",
                2,
                "domain.name: expected Governance, found Proposals",
            ),
            ("\"nonce\": \"0\"", "\"nonce\": \"7\"", 1, "nonce: expected 0, found 7"),
            (&*hash, &*"1".repeat(64), 1, &*other_actions),
            ("\"nonce\": \"0\"", "\"nonce\": 0.5", 2, "line"),
            ("{", "", 2, "forged.json: invalid type"),
        ] {
            assert!(ballot.contains(from), "{from}: {ballot}");
            let said = fails(submit(&ballot.replacen(from, to, 1)), code);
            assert!(said.contains(says), "{says}: {said}");
        }
        assert_eq!(tally(&chain, &folder), ("0".into(), "0".into()));
        // The ballot can also come from stdin.
        let piped = by(&chain, &folder, 1, "vote 0 --signature - --yes").stdin(ballot);
        shown(piped);
        assert_eq!(tally(&chain, &folder).0, base_units(1_500));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_ballot_of_more_than_is_left_is_refused_by_its_field() {
    let folder = Folder::new("vote-too-much");
    let chain = voting().await;
    while_served(move || {
        let ballot = stdout(by(&chain, &folder, 0, "vote 0 for --sign --yes"));
        shown(by(&chain, &folder, 0, "vote 0 for --amount 200 --yes"));
        let submit = by(&chain, &folder, 1, "vote 0 --signature - --yes").stdin(ballot);
        let said = fails(submit, 1);
        let expected = "--signature: amount: expected at most 9,800 tokens, found 10,000: 0x";
        assert!(said.contains(expected) && !said.contains("--amount"), "{said}");
        assert!(said.contains("next: ask the voter for another one"), "{said}");
    })
    .await;
}

/// The conditions of a command are checked even if an interrupted one without them has sent the same ballot.
#[tokio::test(flavor = "multi_thread")]
async fn a_ballot_that_was_interrupted_does_not_satisfy_a_command_with_another_hash() {
    let folder = Folder::new("vote-resumed-hash");
    let chain = voting().await;
    while_served(move || {
        chain.chain.set_mining(Mining::Manual);
        let mut first = process(&chain, &folder, 0, "vote 0 for --yes");
        let first = first.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut first = first.spawn().unwrap();
        while chain.chain.pool_size() == 0 {
            assert!(first.try_wait().unwrap().is_none(), "it waits");
            std::thread::yield_now();
        }
        first.kill().unwrap();
        first.wait().unwrap();
        chain.chain.mine().unwrap();
        let other = format!("vote 0 for --yes --actions-hash 0x{}", "11".repeat(32));
        let said = fails(by(&chain, &folder, 0, &other), 1);
        assert!(said.contains("`canon vote 0 for --amount all` was interrupted"), "{said}");
        assert!(said.contains("--actions-hash: expected 0x1111"), "{said}");
        assert_eq!(tally(&chain, &folder).0, base_units(10_000));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ballots_that_were_voided_cannot_be_submitted() {
    let folder = Folder::new("vote-void");
    let chain = voting().await;
    while_served(move || {
        let ballot = stdout(by(&chain, &folder, 0, "vote 0 for --sign --yes"));
        let (result, said) = shown(by(&chain, &folder, 0, "vote 0 --invalidate --yes"));
        assert_data_eq!(result, file!["vote-invalidate.txt"].raw());
        assert!(
            said.contains("Void all ballots on proposal 0 that the account has signed"),
            "{said}"
        );
        assert!(said.contains("   ballots that it signs afterwards are valid\n"), "{said}");
        let submit = by(&chain, &folder, 1, "vote 0 --signature - --yes").stdin(ballot);
        let said = fails(submit, 1);
        assert!(
            said.contains(
                "nonce: expected 4,294,967,296, found 0: it was submitted already, or voided"
            ),
            "{said}"
        );
        // Ballots that are signed from now on are valid.
        let ballot = stdout(by(&chain, &folder, 0, "vote 0 for --sign --yes"));
        shown(by(&chain, &folder, 1, "vote 0 --signature - --yes").stdin(ballot));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn actions_that_are_not_known_are_not_voted_on_by_number_alone() {
    let folder = Folder::new("vote-no-logs");
    let chain = voting().await;
    let endpoint = without_logs(chain.address());
    while_served(move || {
        let hash = json(about(&chain, &folder, "proposal 0"))["actions_hash"].clone();
        let empty = Folder::new("vote-no-logs-empty");
        let endpoint = format!("http://{endpoint}");
        let vote = |arguments: &str| {
            let command = about_from(&endpoint, &chain, &empty, arguments);
            command.env("CANON_PRIVATE_KEY", chain.key(0))
        };
        // The hash proves what the payload lists.
        let text = stdout(vote("vote 0 for --amount 1 --dry-run"));
        assert!(text.contains(&format!("     1. {}:\n        0x", chain.expect)), "{text}");
        chain.replace(chain.payload, Bytes::from_static(&[0xfd]));
        let said = fails(vote("vote 0 for --yes"), 3);
        assert!(said.contains("the actions of proposal 0 aren't known"), "{said}");
        assert!(said.contains("name the actions with --actions-hash"), "{said}");
        let named =
            format!("vote 0 for --amount 1 --yes --actions-hash {}", hash.as_str().unwrap());
        let (_, said) = shown(vote(&named));
        assert!(
            said.contains(
                "those of --actions-hash: neither the set's history nor the payload has them"
            ),
            "{said}"
        );
        // A signed ballot names them, too.
        let ballot = stdout(by(&chain, &folder, 0, "vote 0 for --sign --yes"));
        let (_, said) = shown(vote("vote 0 --signature - --yes").stdin(ballot));
        let expected =
            "those of the signed ballot: neither the set's history nor the payload has them";
        assert!(said.contains(expected) && !said.contains("--actions-hash"), "{said}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_logs_the_actions_are_those_that_the_payload_returns_if_the_hash_proves_it() {
    let chain = voting().await;
    let folder = Folder::new("proposal-no-logs");
    let endpoint = format!("http://{}", without_logs(chain.address()));
    while_served(move || {
        let proposal = || about_from(&endpoint, &chain, &folder, "proposal 0");
        let first = format!("  1. {}:\n     0x", chain.expect);
        assert!(stdout(proposal()).contains(&first), "{}", stdout(proposal()));
        let document = json(proposal());
        assert_eq!(document["actions"][0]["target"], chain.expect.to_string());
        assert!(document["payload_now"].is_null(), "{document}");
        let other = Address::repeat_byte(2);
        chain.replace(chain.payload, two_faced(chain.set.governance, other, other));
        let text = stdout(proposal());
        let marked = "  not known, since the set's history isn't\n  warning: the payload returns others now, with hash\n";
        assert!(text.contains(marked) && text.contains(&format!("    1. {other}: 0x01020304")), "{text}");
        let document = json(proposal());
        assert!(document["actions"].is_null(), "{document}");
        assert_ne!(document["payload_now"]["actions_hash"], document["actions_hash"]);
        assert_eq!(document["payload_now"]["actions"][0]["target"], other.to_string());
        chain.replace(chain.payload, Bytes::from_static(&[0xfd]));
        let text = stdout(proposal());
        assert!(text.contains("isn't\n  the payload returns none now\n"), "{text}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_printed_for_a_multisig_votes_when_it_is_executed() {
    let folder = Folder::new("vote-unsigned");
    let chain = voting().await;
    while_served(move || {
        let holder = chain.account(0);
        let printed = |form: &str, amount: u32| {
            let arguments =
                format!("vote 0 for --amount {amount} --unsigned{form} --from {holder}");
            let text = stdout(about(&chain, &folder, &arguments));
            serde_json::from_str::<Value>(&text).unwrap()
        };
        chain.execute_as(holder, &printed("", 7));
        assert_eq!(tally(&chain, &folder).0, base_units(7));
        let batch = printed("=safe", 8);
        chain.execute_as(holder, &batch["transactions"][0]);
        assert_eq!(tally(&chain, &folder).0, base_units(15));
    })
    .await;
}
