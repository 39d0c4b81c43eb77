//! The README names the methods that are there, and those that aren't.

use std::collections::BTreeSet;

use regex_lite::Regex;
use serde_json::json;

use crate::support::{auto, refusal, request};

const README: &str = include_str!("../../README.md");

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
    let missing = methods("Not there on purpose");
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
