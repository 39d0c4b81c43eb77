//! Tests that `docs/json.md` lists every key of the `--json` outputs, with the types of its values.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use alloy_primitives::{Address, Bytes};
use canon_devchain::DEPLOYMENT_PROXY;
use canon_protocol::Support;
use serde_json::Value;

use crate::{
    chain::{Chain, tokens},
    deploy::{EmptyChain, folder_with},
    live::{about, json, with_proposal},
    sending::{ACCOUNT, by, with_winner},
    sending_anyone::{harmless, with_accepted},
    servers::Folder,
    shape::{Shape, documented, page, type_of},
    support::{canon, stdout, while_served},
};

/// Checks that the documented output of commands is their actual output.
fn are_documented(commands: &[(&str, Vec<Value>)]) {
    let wrong = commands.iter().filter_map(|(command, documents)| {
        let printed = Shape::of(documents).text();
        (documented(command) != printed).then(|| format!("`{command}` prints\n\n{printed}\n"))
    });
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "docs/json.md says something else:\n{}", wrong.join("\n"));
}

/// Checks that all addresses in a document have checksums.
fn has_checksums(value: &Value) {
    match value {
        Value::String(text) if type_of(text) == "address" => {
            let address: alloy_primitives::Address = text.parse().unwrap();
            assert_eq!(*text, address.to_string());
        }
        Value::Array(items) => items.iter().for_each(has_checksums),
        Value::Object(object) => {
            for (key, value) in object {
                has_checksums(&Value::from(&**key));
                has_checksums(value);
            }
        }
        _ => {}
    }
}

/// An outcome without the keys that depend on the kind of a change. A unit test checks those.
fn outline(mut outcome: Value) -> Value {
    for transaction in outcome["transactions"].as_array_mut().unwrap() {
        transaction["changed"].as_object_mut().unwrap().retain(|key, _| key == "kind");
    }
    outcome
}

#[test]
fn what_rehearsals_print_is_documented() {
    let scenarios = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    // The large scenario prints the same keys, and takes minutes.
    let files: BTreeSet<_> = fs::read_dir(scenarios)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .filter(|path| path.file_stem().is_some_and(|name| name != "large"))
        .collect();
    let of_files = files.iter().map(|file| canon().arg("rehearse").arg("--scenario").arg(file));
    let commands = std::iter::once(canon().arg("rehearse")).chain(of_files);
    let documents: Vec<_> = commands.map(json).collect();
    documents.iter().for_each(has_checksums);
    are_documented(&[("canon rehearse --json", documents)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_commands_about_a_set_print_is_documented() {
    // A set before any signal, with a round to push, and with a proposal before, during and after its vote. Each
    // has values, and lacks others, that the rest doesn't.
    let (fresh, won, pending) = (Chain::new().await, with_winner().await, with_proposal().await);
    // The next block is in the same slot.
    pending.pass(23);
    // Attesters are in the set from epoch 2 on.
    fresh.pass(8);
    let mut voting = with_proposal().await;
    voting.go_to(200);
    voting.vote(0, tokens(900), Support::Yea).await;
    voting.signal(204, voting.payload).await;
    let mut accepted = Chain::new().await;
    let harmless = accepted.payload_of(vec![harmless(&accepted)]);
    with_accepted(&mut accepted, harmless).await;
    accepted.pass(480);
    while_served(move || {
        let all = [
            (&fresh, Folder::new("json-fresh")),
            (&won, Folder::new("json-won")),
            (&pending, Folder::new("json-pending")),
            (&accepted, Folder::new("json-accepted")),
            (&voting, Folder::new("json-voting")),
        ];
        let of_last = |chains: usize, arguments: &str| -> Vec<Value> {
            let last = all.iter().rev().take(chains);
            last.map(|(chain, folder)| json(about(chain, folder, arguments))).collect()
        };
        let of_all = |arguments: &str| of_last(all.len(), arguments);
        let of_proposals = |arguments: &str| of_last(3, arguments);
        let ask = |arguments: &str| of_last(1, arguments).remove(0);
        let free = |arguments: &str| json(canon().args(arguments.split_whitespace()));
        let payload = voting.payload;
        let mut forecasts = of_all("forecast");
        forecasts.extend([
            ask(&format!("forecast --payload {payload}")),
            json(about(&won, &all[1].1, &format!("forecast --payload {}", won.payload))),
            free("forecast --outage 5 --campaigns 20"),
            free("forecast --outage 5 --campaigns 100 --signaling 90%"),
            free("forecast --start 2026-12-01T09:00:00Z"),
            free("forecast --signaling 0%"),
            free("forecast --missed 60%"),
        ]);
        let mut proposals = of_proposals("proposal 0");
        let statuses = of_all("status");
        let (chain, folder) = &all[3];
        stdout(by(chain, folder, "execute --yes"));
        proposals.push(json(about(chain, folder, "proposal 0")));
        let documents = [
            ("canon status --json", statuses),
            ("canon proposal --json", of_all("proposal")),
            ("canon proposal ID --json", proposals),
            ("canon calendar --json", of_all("calendar")),
            ("canon config --json", vec![ask("config"), json(canon().arg("config"))]),
            ("canon forecast --json", forecasts),
        ];
        for (_, printed) in &documents {
            printed.iter().for_each(has_checksums);
        }
        are_documented(&documents);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_commands_about_rounds_holders_and_attesters_print_is_documented() {
    let folder = Folder::new("json-people");
    let mut chain = with_proposal().await;
    let (rollup, _) = chain.next_rollup().await;
    chain.go_to(200);
    chain.vote(0, tokens(900), Support::Yea).await;
    chain.withdraw(chain.account(1), tokens(10)).await;
    chain.signal(204, chain.payload).await;
    while_served(move || {
        let (payload, holder, other) = (chain.payload, chain.account(0), chain.account(1));
        let ask = |arguments: &str| json(about(&chain, &folder, arguments));
        let by = |arguments: &str| {
            about(&chain, &folder, arguments).env("CANON_PRIVATE_KEY", chain.key(0))
        };
        let signed = |arguments: &str| {
            let text = stdout(by(&format!("{arguments} --sign --yes")));
            serde_json::from_str::<Value>(&text).unwrap()
        };
        let (leaving, moving) = (Address::repeat_byte(1), Address::repeat_byte(2));
        json(by(&format!("stake exit {leaving} --to {other} --yes")));
        json(by(&format!("stake move {moving} --to {rollup} --yes")));
        let documents = [
            ("canon round --json", vec![ask("round"), ask("round 0"), ask("round 1")]),
            ("canon power --json", vec![ask(&format!("power {holder}"))]),
            ("canon stake status --json", vec![ask("stake status")]),
            ("canon vote --sign", vec![signed("vote 0 for")]),
            ("canon signal --sign", vec![signed(&format!("signal {payload} --force"))]),
        ];
        for (_, printed) in &documents {
            printed.iter().for_each(has_checksums);
        }
        are_documented(&documents);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_commands_that_send_print_is_documented() {
    let folder = Folder::new("json-sending");
    let mut chain = with_winner().await;
    chain.give(ACCOUNT, tokens(100)).await;
    while_served(move || {
        let from = chain.account(ACCOUNT);
        let ask = |arguments: &str| {
            let printed = stdout(by(&chain, &folder, arguments));
            serde_json::from_str::<Value>(&printed).unwrap()
        };
        let simulated =
            |arguments: &str| ask(&format!("{arguments} --dry-run --json --from {from}"));
        let unsigned = |form: &str| ask(&format!("push --unsigned {form} --from {from}"));
        // Several transactions are a list of the same objects.
        let several = ask(&format!("lock 5 --unsigned --from {from}"));
        let mut transactions = several.as_array().unwrap().clone();
        assert_eq!(transactions.len(), 2);
        transactions.push(unsigned("transaction"));
        let documents = [
            (
                "canon … --dry-run --json",
                vec![simulated("push"), simulated("lock 5"), simulated("lock 5 --permit")],
            ),
            ("canon … --unsigned", transactions),
            ("canon … --unsigned safe", vec![unsigned("safe")]),
            ("canon … --yes --json", {
                let done = ["push", "lock 5", "unlock 5"];
                done.map(|arguments| outline(ask(&format!("{arguments} --yes --json")))).into()
            }),
        ];
        for (_, printed) in &documents {
            printed.iter().for_each(has_checksums);
        }
        are_documented(&documents);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_deployments_print_is_documented() {
    let (chain, without_proxy) = (EmptyChain::new().await, EmptyChain::new().await);
    without_proxy.chain.set_code(DEPLOYMENT_PROXY, Bytes::new()).unwrap();
    let folder = folder_with("json-deploy", "tests", str::to_owned);
    while_served(move || {
        let planned = json(chain.deploy(&folder, "--dry-run"));
        let planned_with_proxy = json(without_proxy.deploy(&folder, "--dry-run"));
        let manifest = json(chain.deploy(&folder, "--yes"));
        let registry = manifest["contracts"][1]["address"].as_str().unwrap();
        let ask = |arguments: &str| chain.about(&folder, registry, arguments);
        let file = folder.file("rollup.toml");
        fs::write(&file, stdout(ask("rollup deploy --print-config"))).unwrap();
        let rollup = format!("rollup deploy {} --yes", file.display());
        let rollups = vec![json(ask(&rollup)), json(ask(&rollup))];
        let payload =
            format!("payload upgrade {} --uri x --yes", rollups[0]["rollup"].as_str().unwrap());
        let documents = [
            ("canon deploy --dry-run --json", vec![planned, planned_with_proxy]),
            ("canon deploy --json", vec![manifest.clone()]),
            ("canon audit --json", vec![json(ask("audit"))]),
            ("canon rollup deploy --json", rollups),
            ("canon payload upgrade --json", vec![json(ask(&payload)), json(ask(&payload))]),
        ];
        for (_, printed) in &documents {
            printed.iter().for_each(has_checksums);
        }
        are_documented(&documents);
    })
    .await;
}

/// The names with which documents name different quantities, or that another standard defines.
const OF_SEVERAL_QUANTITIES: [&str; 10] = [
    // An account of a domain (EIP-712), a transaction of a wallet, and a batch of Safe.
    "chainId", "version", // A block's number, and a transaction's in a list.
    "number",  // A number of people, of tokens, of signals, or of gas.
    "holders", "needed", "total",
    // A rehearsal names its parameters: signals, and durations.
    "blocks", "quorum", "round", "slot",
];

#[test]
fn equally_named_numbers_have_one_type() {
    let page = page();
    let mut types = BTreeMap::<&str, BTreeSet<&str>>::new();
    let blocks = page.split("\n```text\n").skip(1).filter_map(|rest| rest.split("\n```").next());
    for (name, found) in blocks.flat_map(str::lines).filter_map(|line| line.split_once(": ")) {
        let numbers = found.split(" or ").filter(|kind| ["integer", "decimal"].contains(kind));
        types.entry(name.trim().trim_end_matches('?')).or_default().extend(numbers);
    }
    let several = types.iter().filter(|(_, kinds)| kinds.len() > 1).map(|(name, _)| *name);
    assert_eq!(several.collect::<BTreeSet<_>>(), OF_SEVERAL_QUANTITIES.into());
    for (name, kind) in [("block", "decimal"), ("chain_id", "decimal"), ("time", "integer")] {
        assert_eq!(types[name], [kind].into(), "{name}");
    }
}
