//! `canon deploy`, `audit`, `rollup deploy` and `payload upgrade`.

use std::fs;

use alloy_primitives::{Address, Bytes};
use serde_json::Value;
use snapbox::file;

use crate::{
    deploy::{EmptyChain, folder_with},
    support::{canon, stdout},
    transcript::Transcript,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_that_cannot_be_made_or_checked_says_why() {
    let mut t = Transcript::new("errors-deployments");
    let chain = EmptyChain::new().await;
    let folder = folder_with("errors-deployments-set", "tests", str::to_owned);
    let printed = tokio::task::block_in_place(|| stdout(chain.deploy(&folder, "--yes --json")));
    let manifest: Value = serde_json::from_str(&printed).unwrap();
    let address = |name: &str| {
        let mut contracts = manifest["contracts"].as_array().unwrap().iter();
        let found = contracts.find(|one| one["contract"] == name).unwrap();
        found["address"].as_str().unwrap().to_owned()
    };
    let registry = address("Registry");
    let ask = |arguments: &str| {
        canon()
            .args(arguments.split_whitespace())
            .args(["--rpc-url", &chain.url(), "--registry", &registry])
            .env("XDG_STATE_HOME", folder.file("state"))
            .env("CANON_PRIVATE_KEY", chain.key())
    };
    let add = |t: &mut Transcript, arguments: &str| t.add(arguments, ask(arguments));
    let rollup_file = t.folder.file("rollup.toml");
    let rollup_toml = tokio::task::block_in_place(|| stdout(ask("rollup deploy --print-config")));
    fs::write(&rollup_file, &rollup_toml).unwrap();
    let deploy_a_rollup = format!("deploy {} --yes", rollup_file.display());
    t.add(
        &deploy_a_rollup,
        canon()
            .args(deploy_a_rollup.split_whitespace())
            .args(["--rpc-url", &chain.url()])
            .env("XDG_STATE_HOME", folder.file("state"))
            .env("CANON_PRIVATE_KEY", chain.key()),
    );
    add(&mut t, "rollup deploy /nowhere/rollup.toml --yes");
    let line = rollup_toml.lines().find(|line| line.starts_with("genesis = ")).unwrap();
    let timeless = t.folder.write("timeless.toml", rollup_toml.replace(line, ""));
    add(&mut t, &format!("rollup deploy {} --yes", timeless.display()));
    let set_file = folder.file("deployment.toml");
    let set_file = t.folder.write("deployment.toml", fs::read_to_string(set_file).unwrap());
    add(&mut t, &format!("rollup deploy {} --yes", set_file.display()));
    let rollup = format!("rollup deploy {} --yes --json", rollup_file.display());
    let deployed: Value =
        tokio::task::block_in_place(|| serde_json::from_str(&stdout(ask(&rollup))).unwrap());
    let new_rollup = deployed["rollup"].as_str().unwrap();
    add(&mut t, &format!("rollup deploy {} --unsigned", rollup_file.display()));
    add(&mut t, &format!("payload upgrade {} --uri x --yes", Address::repeat_byte(9)));
    add(&mut t, &format!("payload upgrade {} --uri x --yes", address("Asset")));
    add(&mut t, &format!("payload upgrade {} --uri x --yes", address("Rollup")));
    let upgrade = format!("payload upgrade {new_rollup} --uri x");
    tokio::task::block_in_place(|| stdout(ask(&format!("{upgrade} --yes"))));
    add(&mut t, &format!("{upgrade} --unsigned"));
    let other = t.folder.write(
        "without-registry.json",
        printed.replace("\"contract\": \"Registry\"", "\"contract\": \"Asset\""),
    );
    t.add(
        &format!("audit --manifest {}", other.display()),
        canon().args(["audit", "--rpc-url", &chain.url(), "--manifest"]).arg(&other),
    );
    add(&mut t, "audit --manifest /nowhere/deployment.manifest.json");
    let expect: Address = address("Expect").parse().unwrap();
    chain.chain.set_code(expect, Bytes::new()).unwrap();
    t.note("there is no Expect");
    add(&mut t, &format!("{upgrade}2 --yes"));
    t.is(file!["deployments.txt"].raw());
}
