//! Opening sets with a wrong file.

use crate::{
    opening::{Deployed, folder, only_file},
    support::{client, file_content, forge_file, run},
};
use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::SolCall;
use canon_abi::{Asset, Governance, UpgradePayload};
use canon_chain::{Client, Sender};
use canon_devchain::{Devchain, UnsignedCall};
use canon_follow::{CheckpointError, OpenNote, OpenedSet};
use canon_protocol::Action;
use serde_json::{Value, json};
use std::{fs, path::Path};

const PAYLOAD: Address = Address::repeat_byte(0xf1);

/// The code of a payload that lists these actions.
fn payload_code(actions: &[Action]) -> Bytes {
    let actions = actions.iter().cloned().map(Into::into).collect();
    let data = UpgradePayload::getActionsCall::abi_encode_returns(&actions);
    let length = u16::try_from(data.len()).unwrap().to_be_bytes();
    // PUSH2 length, PUSH1 12, PUSH0, CODECOPY; PUSH2 length, PUSH0, RETURN
    let copy = [&[0x61][..], &length, &[0x60, 12, 0x5f, 0x39]].concat();
    [&copy[..], &[0x61], &length, &[0x5f, 0xf3], &data].concat().into()
}

/// A chain with a proposal that is older than a window.
async fn chain_with_proposal() -> Devchain {
    let deployed = Deployed::shared();
    let (chain, set) = (deployed.chain(3, 1), &deployed.set);
    let deployer = chain.dev_accounts().remove(0);
    let from = Sender::new(client(chain.client()).await, deployer).address();
    let action = Action { target: set.registry, data: Bytes::from_static(&[1, 2, 3, 4]) };
    chain.set_code(PAYLOAD, payload_code(&[action])).unwrap();
    let tokens = |tokens: u64| U256::from(tokens) * U256::from(10).pow(U256::from(18));
    let spender = set.governance;
    let approve = Asset::approveCall { spender, amount: tokens(50_000) }.abi_encode();
    let deposit = Governance::depositCall { onBehalfOf: from, amount: tokens(20_000) }.abi_encode();
    let propose = Governance::proposeWithLockCall { payload: PAYLOAD, to: from }.abi_encode();
    let calls = [(set.asset, approve), (set.governance, deposit), (set.governance, propose)];
    for (to, input) in calls {
        let call = UnsignedCall { from, to: Some(to), input: input.into() };
        let (_, executed) = chain.mine_unsigned(&[call]).unwrap();
        assert!(executed.iter().all(|call| call.end.is_success()), "{executed:?}");
    }
    (0..150).for_each(|_| drop(chain.mine().unwrap()));
    chain
}

/// Opens the shared set with its file, which can't be used. Checks that the result equals `fresh`, and that
/// the next time there are no notes.
async fn open_anew(client: &Client, cache: &Path, fresh: &OpenedSet) -> CheckpointError {
    let deployed = Deployed::shared();
    let mut opened = deployed.open(client, cache).await;
    assert!(opened.no_history.is_none() && opened.view == fresh.view, "{opened:?}");
    let Some(OpenNote::NotRead(error)) = opened.notes.pop() else { panic!("it used the file") };
    assert!(opened.notes.is_empty(), "{:?}", opened.notes);
    let again = deployed.open(client, cache).await;
    assert!(again.no_history.is_none() && again.notes.is_empty(), "{again:?}");
    error
}

#[test]
fn a_file_of_a_longer_chain_is_replaced() {
    let deployed = Deployed::shared();
    let [old, new] = [(400, 1), (150, 2)].map(|(blocks, fork)| deployed.chain(blocks, fork));
    let cache = folder("longer");
    run(async {
        deployed.open(&client(old.client()).await, &cache).await;
        let client = client(new.client()).await;
        let fresh = deployed.open(&client, &folder("longer-fresh")).await;
        let error = open_anew(&client, &cache, &fresh).await;
        assert!(matches!(error, CheckpointError::NotOnChain { .. }), "{error}");
    });
    fs::remove_dir_all(&cache).unwrap();
}

#[test]
fn a_file_of_a_block_that_cannot_be_is_replaced() {
    let deployed = Deployed::shared();
    let chain = deployed.chain(200, 1);
    let cache = folder("impossible-block");
    run(async {
        let client = client(chain.client()).await;
        let fresh = deployed.open(&client, &cache).await;
        for number in [u64::MAX, 1_000_000] {
            let path = only_file(&cache);
            let mut content = file_content(&path);
            content["block"]["number"] = json!(number.to_string());
            forge_file(&path, &content);
            let error = open_anew(&client, &cache, &fresh).await;
            assert!(matches!(error, CheckpointError::NotOnChain { .. }), "{error}");
        }
    });
    fs::remove_dir_all(&cache).unwrap();
}

#[test]
fn a_forged_file_is_replaced_and_described_without_control_characters() {
    run(async {
        let chain = chain_with_proposal().await;
        let client = client(chain.client()).await;
        let cache = folder("forged-file");
        let fresh = Deployed::shared().open(&client, &cache).await;
        let history = fresh.view.history.as_ref().unwrap();
        assert_eq!(history.governance().proposals().len(), 1);
        let actions: fn(&mut Value) = |content| {
            let proposal = &mut content["state"]["governance"]["proposals"][0];
            assert_eq!(proposal["actions"][0]["data"], json!("0x01020304"));
            proposal["actions"][0]["data"] = json!("0xdeadbeef");
        };
        let expect: fn(&mut Value) = |content| {
            for part in ["/identity/addresses/expect", "/state/addresses/expect"] {
                *content.pointer_mut(part).unwrap() = json!(Address::repeat_byte(0xee));
            }
        };
        let escapes: fn(&mut Value) = |content| {
            content["identity"]["\u{1b}]0;title\u{7}\u{1b}[2J\u{202e}"] = json!(1);
        };
        let mut found = Vec::new();
        for change in [actions, expect, escapes] {
            let path = only_file(&cache);
            let mut content = file_content(&path);
            change(&mut content);
            forge_file(&path, &content);
            let error = open_anew(&client, &cache, &fresh).await;
            let text = error.to_string();
            found.push(match error {
                CheckpointError::Contradictory { .. } => "contradictory",
                CheckpointError::OtherSet { .. } => "other set",
                CheckpointError::NotACheckpoint { .. } => "not a checkpoint",
                error => panic!("{error}"),
            });
            let is_hidden = |one: char| one.is_control() || one == '\u{202e}';
            assert!(!text.contains(is_hidden), "{text:?}");
        }
        assert_eq!(found, ["contradictory", "other set", "not a checkpoint"]);
        fs::remove_dir_all(&cache).unwrap();
    });
}

#[cfg(unix)]
#[test]
fn a_folder_is_for_its_owner_and_a_pipe_in_it_keeps_nobody_waiting() {
    use std::os::unix::fs::PermissionsExt;

    let deployed = Deployed::shared();
    let chain = deployed.chain(150, 1);
    let cache = folder("pipe");
    run(async {
        let client = client(chain.client()).await;
        let fresh = deployed.open(&client, &cache).await;
        assert_eq!(fs::metadata(&cache).unwrap().permissions().mode() & 0o777, 0o700);
        let path = only_file(&cache);
        fs::remove_file(&path).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        let error = open_anew(&client, &cache, &fresh).await;
        assert!(matches!(error, CheckpointError::NotAFile { .. }), "{error}");
    });
    fs::remove_dir_all(&cache).unwrap();
}
