//! `canon signal`.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Stdio},
};

use alloy_primitives::{Address, Bytes, U256, keccak256};
use alloy_sol_types::SolValue as _;
use canon_payload::{Assembler, op};
use serde_json::Value;
use snapbox::{assert_data_eq, cmd::Command, file};

use crate::{
    chain::Chain,
    live::{about, fails, json, with_proposal},
    sending::{process, shown, stable},
    servers::Folder,
    support::{stdout, while_served},
    terminal::{Ended, OnTerminal},
};

/// Returns a command by one of the chain's accounts. Account 0 is the proposer of every drawn slot.
fn by(chain: &Chain, folder: &Folder, account: usize, arguments: &str) -> Command {
    about(chain, folder, arguments).env("CANON_PRIVATE_KEY", chain.key(account))
}

/// A chain in slot 12. Slots are drawn up to slot 13.
async fn in_slot_12() -> Chain {
    let mut chain = Chain::new().await;
    chain.record_seed_of(12).await;
    chain.pass(12);
    chain
}

/// The slots of round 1 that have a signal.
fn signals(chain: &Chain, folder: &Folder) -> Vec<u64> {
    let slots = json(about(chain, folder, "round 1"))["slots"].clone();
    let signaled = slots.as_array().unwrap().iter().filter(|slot| slot["state"] == "signaled");
    signaled.map(|slot| slot["slot"].as_str().unwrap().parse().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_shows_the_actions_and_is_sent_once_in_ones_own_slot() {
    let folder = Folder::new("signal");
    let chain = in_slot_12().await;
    while_served(move || {
        let signal =
            |account| by(&chain, &folder, account, &format!("signal {} --yes", chain.payload));
        let said = fails(signal(1), 1);
        assert!(
            said.contains("slot 12 is 0x")
                && said.contains("is the proposer of no attester of the canonical rollup"),
            "{said}"
        );
        // Waiting doesn't help.
        let waiting = format!("signal {} --yes --wait", chain.payload);
        assert_eq!(fails(by(&chain, &folder, 1, &waiting), 1), said);
        let (result, said) = shown(signal(0));
        assert_data_eq!(result, file!["signal.txt"].raw());
        assert_data_eq!(said, file!["signal-words.txt"].raw());
        assert_eq!(signals(&chain, &folder), [12]);
        let said = fails(signal(0), 4);
        assert!(said.contains("slot 12 has its signal"), "{said}");
        assert!(said.contains("is 13, at 2026-01-01 00:05:12 UTC"), "{said}");
        assert_eq!(signals(&chain, &folder), [12]);
    })
    .await;
}

/// On a chain whose blocks come a second apart, the block after one that is 2 seconds before the end of a slot is still
/// in that slot.
#[tokio::test(flavor = "multi_thread")]
async fn a_fast_chain_takes_a_signal_in_the_last_seconds_of_its_slot() {
    let folder = Folder::new("signal-fast");
    let chain = in_slot_12().await;
    while_served(move || {
        let start = chain.chain.timestamp();
        for second in [21, 22] {
            chain.chain.set_next_timestamp(start + second).unwrap();
            chain.chain.mine().unwrap();
        }
        shown(by(&chain, &folder, 0, &format!("signal {} --yes", chain.payload)));
        assert_eq!(signals(&chain, &folder), [12]);
        assert_eq!(chain.chain.timestamp(), start + 23);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_list_no_actions_or_others_than_expected_are_not_signaled_for() {
    let folder = Folder::new("signal-payload");
    let chain = in_slot_12().await;
    while_served(move || {
        let signal = |arguments: &str| by(&chain, &folder, 0, &format!("signal {arguments} --yes"));
        let said = fails(signal(&Address::repeat_byte(9).to_string()), 1);
        assert!(said.contains("there is no contract at the payload"), "{said}");
        let said = fails(signal(&chain.set.registry.to_string()), 1);
        assert!(said.contains("no actions can be read from the payload"), "{said}");
        let empty = chain.payload_of(Vec::new());
        let said = fails(signal(&empty.to_string()), 1);
        assert!(said.contains("lists no actions; Governance would refuse it"), "{said}");
        let other = format!("{} --actions-hash 0x{}", chain.payload, "11".repeat(32));
        let said = fails(signal(&other), 1);
        assert!(said.contains("--actions-hash: expected 0x1111"), "{said}");
        let mistyped = chain.payload.to_string().to_ascii_uppercase().replacen("0X", "0x", 1);
        let mistyped = mistyped.replacen(['A', 'B', 'C', 'D', 'E', 'F'], "a", 1);
        let said = fails(signal(&mistyped), 2);
        assert!(said.contains("EIP-55 checksum"), "{said}");
        assert_eq!(signals(&chain, &folder), [0_u64; 0]);
    })
    .await;
}

/// The code of a payload that returns one list of actions to Governance and another one to all
/// other callers.
pub(crate) fn two_faced(
    governance: Address,
    told_governance: Address,
    told_others: Address,
) -> Bytes {
    const CALLER: u8 = 0x33;
    let list = |target: Address| vec![(target, Bytes::from_static(&[1, 2, 3, 4]))].abi_encode();
    let selector: [u8; 4] = keccak256("getActions()")[..4].try_into().unwrap();
    let mut code = Assembler::new();
    code.selector().on(selector, "actions").fail(&[]);
    code.label("actions").ops(&[CALLER]).push(U256::from_be_slice(governance.as_slice()));
    code.ops(&[op::EQ]).jump_if("governance");
    code.answer(&list(told_others));
    code.label("governance").answer(&list(told_governance));
    code.runtime()
}

#[tokio::test(flavor = "multi_thread")]
async fn actions_are_shown_as_governance_would_freeze_them() {
    let folder = Folder::new("signal-two-faced");
    let mut chain = in_slot_12().await;
    let (told_governance, told_others) = (Address::repeat_byte(2), Address::repeat_byte(1));
    let code = two_faced(chain.set.governance, told_governance, told_others);
    chain.replace(chain.payload, code);
    let lock = chain.lock_amount().await;
    chain.lock(lock).await;
    while_served(move || {
        for command in ["signal", "propose --to 0x00000000000000000000000000000000000000aa"] {
            let arguments = format!("{command} {} --dry-run", chain.payload);
            let text = stdout(by(&chain, &folder, 0, &arguments));
            assert!(text.contains(&format!("1. {told_governance}: 0x01020304")), "{text}");
            assert!(!text.contains(&told_others.to_string()), "{text}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_whose_proposal_is_open_is_not_signaled_for_unless_somebody_insists() {
    let folder = Folder::new("signal-live");
    let mut chain = with_proposal().await;
    chain.record_seed_of(32).await;
    chain.pass(32);
    while_served(move || {
        let signal = |flags: &str| {
            by(&chain, &folder, 0, &format!("signal {} --yes {flags}", chain.payload))
        };
        let said = fails(signal(""), 1);
        assert!(said.contains("can't help: its proposal 0 is Pending"), "{said}");
        shown(signal("--force"));
    })
    .await;
}

/// Starts `canon signal --wait`, and returns it when it has printed a text.
fn waiting(chain: &Chain, folder: &Folder, says: &str) -> Child {
    let arguments = format!("signal {} --wait --yes", chain.payload);
    let mut child = process(chain, folder, 0, &arguments).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut text = String::new();
    while !text.contains(says) {
        assert!(said.read_line(&mut text).unwrap() > 0, "{text}");
    }
    // What else it prints has to be read.
    std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::stderr()));
    child
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_goes_on_after_a_block_that_came_before_the_slot() {
    let folder = Folder::new("signal-early");
    let mut chain = Chain::new().await;
    // Nobody is drawn for slot 11. Blocks come every 12 s, so the next one is expected in slot 12.
    chain.record_seed_of(12).await;
    chain.chain.set_next_timestamp(chain.chain.timestamp() + 12).unwrap();
    chain.chain.mine().unwrap();
    while_served(move || {
        // It comes after a second.
        let mut child = waiting(&chain, &folder, "reverted in 0x");
        assert_eq!((chain.slot(), signals(&chain, &folder)), (11, Vec::new()));
        chain.pass(12);
        assert!(child.wait().unwrap().success());
        assert_eq!(signals(&chain, &folder), [12]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_sends_in_the_next_own_slot_and_not_before() {
    let folder = Folder::new("signal-wait");
    let chain = in_slot_12().await;
    let other = chain.payload;
    while_served(move || {
        shown(by(&chain, &folder, 0, &format!("signal {other} --yes")));
        // The command prints that it waits after it has read the chain. The slot begins only then.
        let mut child = waiting(&chain, &folder, "waiting for slot 13");
        assert_eq!(signals(&chain, &folder), [12]);
        chain.pass(13);
        assert!(child.wait().unwrap().success());
        assert_eq!(signals(&chain, &folder), [12, 13]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_goes_on_after_a_missed_slot_to_the_next_own_one() {
    let folder = Folder::new("signal-missed");
    let mut chain = in_slot_12().await;
    let payload = chain.payload;
    let first = by(&chain, &folder, 0, &format!("signal {payload} --yes"));
    tokio::task::block_in_place(|| shown(first));
    chain.renew_sender();
    let arguments = format!("signal {payload} --wait --yes");
    let mut child = process(&chain, &folder, 0, &arguments).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let read_until = |said: &mut BufReader<std::process::ChildStderr>, text: &str| {
        let mut read = String::new();
        while !read.contains(text) {
            let length = tokio::task::block_in_place(|| said.read_line(&mut read).unwrap());
            assert_ne!(length, 0, "{text}: {read}");
        }
        read
    };
    let words = "Expect.canonicalIs";
    let read = read_until(&mut said, "waiting for slot 13");
    assert!(read.contains(words), "{read}");
    // No block comes in slot 13, and nobody is drawn for slots 14 and 15.
    chain.pass(14);
    let read = read_until(&mut said, "waiting for the next draw");
    assert!(read.contains("the slot was missed: slot 13 is over; trying your next slot"), "{read}");
    chain.record_seed_of(16).await;
    let mut later = read_until(&mut said, "waiting for slot 16");
    chain.pass(16);
    // What else it prints has to be read.
    let rest = std::thread::spawn(move || std::io::read_to_string(said).unwrap());
    let ended = tokio::task::block_in_place(|| child.wait().unwrap());
    assert!(ended.success());
    later.push_str(&rest.join().unwrap());
    assert!(
        later.contains("Changed since it was shown:\nSignal for a payload in slot 16"),
        "{later}"
    );
    assert!(!later.contains(words), "the preview is shown again: {later}");
    tokio::task::block_in_place(|| assert_eq!(signals(&chain, &folder), [12, 16]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_that_lists_other_actions_after_the_question_gets_no_signal() {
    for is_signed in [false, true] {
        let folder = Folder::new("signal-changed");
        let chain = in_slot_12().await;
        while_served(move || {
            let payload = chain.payload;
            shown(by(&chain, &folder, 0, &format!("signal {payload} --yes")));
            let nonce = chain.chain.nonce(chain.account(0));
            let mut arguments = format!("signal {payload} --wait");
            if is_signed {
                let sign = format!("signal {payload} --sign --yes --slot 13");
                let file = folder.file("signal.json");
                std::fs::write(&file, stdout(by(&chain, &folder, 0, &sign))).unwrap();
                arguments.push_str(&format!(" --signature {}", file.display()));
            }
            let mut command = OnTerminal::start(process(&chain, &folder, 0, &arguments));
            let question = match is_signed {
                true => "Send it in that slot? [y/N] ",
                false => "Send it in that slot, or if that is missed in your next one? [y/N] ",
            };
            let asked = stable(command.read_until(question));
            let start = asked.find("From 0x").unwrap();
            if !is_signed {
                assert_data_eq!(&asked[start..], file!["signal-wait-words.txt"].raw());
            }
            assert!(asked.contains("costs up to # ether: # gas at # gwei"), "{asked}");
            command.answer("y");
            command.read_until("waiting for slot 13");
            let other = Address::repeat_byte(2);
            chain.replace(payload, two_faced(chain.set.governance, other, other));
            chain.pass(13);
            let Ended { code, said, .. } = command.ended();
            assert_eq!(code, Some(1), "{said}");
            assert!(
                said.contains("the payload lists other actions than were shown: expected the hash"),
                "{said}"
            );
            assert_eq!(signals(&chain, &folder), [12]);
            assert_eq!(chain.chain.nonce(chain.account(0)), nonce, "{said}");
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_that_lists_other_actions_after_it_was_shown_is_not_signed_for() {
    let folder = Folder::new("signal-sign-changed");
    let chain = in_slot_12().await;
    while_served(move || {
        let arguments = format!("signal {} --sign", chain.payload);
        let mut command = OnTerminal::start(process(&chain, &folder, 0, &arguments));
        command.read_until("Sign it? [y/N] ");
        let other = Address::repeat_byte(2);
        chain.replace(chain.payload, two_faced(chain.set.governance, other, other));
        chain.chain.mine().unwrap();
        command.answer("y");
        let Ended { code, result, said } = command.ended();
        assert_eq!((code, &*result), (Some(1), ""), "{said}");
        assert!(
            said.contains("the payload isn't any more what was shown; nothing was signed"),
            "{said}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_signal_is_submitted_by_anyone_in_its_slot_alone() {
    let folder = Folder::new("signal-sign");
    let chain = in_slot_12().await;
    let (chain, folder) = while_served(move || {
        let sign = |flags: &str| {
            by(&chain, &folder, 0, &format!("signal {} --sign --yes {flags}", chain.payload))
        };
        let document: Value = serde_json::from_str(&stdout(sign("--slot 13"))).unwrap();
        assert_eq!(
            (&document["primaryType"], &document["message"]["slot"]),
            (&"Signal".into(), &"13".into())
        );
        std::fs::write(folder.file("13.json"), document.to_string()).unwrap();
        // By default, the signal is for the next slot.
        std::fs::write(folder.file("12.json"), stdout(sign(""))).unwrap();
        let said = fails(sign("--slot 11"), 2);
        assert!(said.contains("--slot: expected a slot from 12 on, found 11"), "{said}");
        let said = fails(
            by(&chain, &folder, 1, &format!("signal {} --sign --yes --slot 13", chain.payload)),
            1,
        );
        assert!(said.contains("--slot: expected a slot of 0x"), "{said}");
        let submit = |slot: u64| {
            let file = folder.file(&format!("{slot}.json"));
            by(&chain, &folder, 1, &format!("signal --signature {} --yes", file.display()))
        };
        let said = fails(submit(13), 4);
        assert!(said.contains("slot 13 begins at 2026-01-01 00:05:12 UTC"), "{said}");
        let (_, said) = shown(submit(12));
        assert!(said.contains("who signed it"), "{said}");
        assert_eq!(signals(&chain, &folder), [12]);
        (chain, folder)
    })
    .await;
    chain.pass(14);
    while_served(move || {
        let file = folder.file("13.json");
        let late = by(&chain, &folder, 1, &format!("signal --signature {} --yes", file.display()));
        let said = fails(late, 1);
        assert!(said.contains("slot 13 is over"), "{said}");
        assert_eq!(signals(&chain, &folder), [12]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_that_somebody_else_signed_is_refused() {
    let folder = Folder::new("signal-forged");
    let chain = in_slot_12().await;
    while_served(move || {
        let sign = by(&chain, &folder, 0, &format!("signal {} --sign --yes", chain.payload));
        let text = stdout(sign);
        let submit = |text: &str| {
            let file = folder.file("forged.json");
            std::fs::write(&file, text).unwrap();
            by(&chain, &folder, 1, &format!("signal --signature {} --yes", file.display()))
        };
        let payload = chain.payload.to_string();
        for (from, to, code, says) in [
            ("\"slot\": \"12\"", "\"slot\": \"13\"", 4, "slot 13 begins"),
            (
                &*chain.set.rollup.to_string(),
                &*payload,
                1,
                "instance: expected the canonical rollup",
            ),
            (&*chain.set.proposals.to_string(), &*payload, 2, "domain.verifyingContract: expected"),
        ] {
            assert!(text.contains(from), "{from}: {text}");
            let said = fails(submit(&text.replacen(from, to, 1)), code);
            assert!(said.contains(says), "{says}: {said}");
        }
        // For another slot, the signature recovers another signer.
        let later = by(&chain, &folder, 0, &format!("signal {payload} --sign --yes --slot 13"));
        let moved = stdout(later).replacen("\"slot\": \"13\"", "\"slot\": \"12\"", 1);
        let said = fails(submit(&moved), 1);
        assert!(said.contains("--signature: expected the signature of"), "{said}");
        assert_eq!(signals(&chain, &folder), [0_u64; 0]);
    })
    .await;
}
