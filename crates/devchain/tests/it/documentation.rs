//! The README names the methods that are there, and those that aren't.

use std::collections::BTreeSet;

use regex_lite::Regex;
use serde_json::json;

use crate::support::{auto, refusal, request};

const README: &str = include_str!("../../README.md");

/// The names of all methods that are there.
pub(crate) fn all_methods() -> Vec<&'static str> {
    methods("Methods").into_iter().collect()
}

/// The names of methods that are missing for a reason.
pub(crate) fn missing_methods() -> BTreeSet<&'static str> {
    methods("Not there on purpose")
}

/// The names of methods in a section.
fn methods(title: &str) -> BTreeSet<&'static str> {
    let (_, rest) = README.split_once(&format!("\n## {title}\n")).unwrap();
    let section = rest.split("\n## ").next().unwrap();
    let name = Regex::new("`([a-z0-9]+_[A-Za-z0-9_]+)`").unwrap();
    name.captures_iter(section).map(|found| found.get(1).unwrap().as_str()).collect()
}

#[tokio::test]
async fn the_readme_is_right_about_the_methods() {
    let (_, provider) = auto();
    let there = methods("Methods");
    let missing = missing_methods();
    assert!(there.len() > 100, "{}", there.len());
    for (methods, is_there) in [(&there, true), (&missing, false)] {
        for method in methods {
            let code = request(&provider, method, json!([]))
                .await
                .err()
                .map(|error| refusal::<()>(Err(error)).0);
            assert_eq!(code != Some(-32601), is_there, "{method}: {code:?}");
        }
    }
}

#[tokio::test]
async fn every_method_refuses_more_parameters_than_it_takes_before_it_does_anything() {
    let (chain, provider) = auto();
    let before = chain.to_bytes();
    for method in methods("Methods") {
        let many = json!([null, null, null, null, null]);
        let (code, message) = refusal(request(&provider, method, many).await);
        assert_eq!(code, -32602, "{method}");
        let most = message.strip_prefix("too many arguments, want at most ");
        let most = most.unwrap_or_else(|| panic!("{method}: {message}"));
        let most: usize = most.split(':').next().unwrap().parse().unwrap();
        assert!(most <= 4, "{method}: {most}");
    }
    assert_eq!(chain.to_bytes(), before);
    let dev = chain.dev_accounts()[0].address();
    for (method, params) in [
        ("eth_blockNumber", json!(["x", 1])),
        ("eth_getBalance", json!([dev, "latest", "x"])),
        ("anvil_setBalance", json!([dev, "0x1", "x"])),
        ("personal_sign", json!(["0x00", dev, "password"])),
        ("evm_mine", json!(["0x0", 1])),
    ] {
        let (code, message) = refusal(request(&provider, method, params).await);
        assert!(code == -32602 && message.starts_with("too many arguments"), "{method}: {message}");
    }
    assert_eq!(chain.to_bytes(), before);
}

/// The names in the code, as far as they are written in full, are those in the README.
#[test]
fn the_readme_names_every_method() {
    let there = methods("Methods");
    let name = Regex::new(
        "\"((?:eth|net|web3|personal|txpool|debug|evm|anvil|hardhat|devchain)_[A-Za-z0-9_]+)\"",
    );
    let name = name.unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/rpc");
    let mut found = BTreeSet::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let source = std::fs::read_to_string(path).unwrap();
            let names = name.captures_iter(&source);
            found.extend(names.map(|found| found.get(1).unwrap().as_str().to_owned()));
        }
    }
    let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
    let unnamed: Vec<_> = found.difference(&there).collect();
    assert!(found.len() > 100 && unnamed.is_empty(), "not in the README: {unnamed:?}");
}
