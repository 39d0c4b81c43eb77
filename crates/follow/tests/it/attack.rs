//! Attacks: each test says what should hold, and fails.

use crate::{
    network::{Choice, Network},
    opening::{Deployed, client_by, folder, only_file, question},
    support::{Recording, client, fresh, insist, run},
};
use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::SolCall;
use canon_abi::{Asset, Governance, UpgradePayload};
use canon_chain::{NoWait, Sender, deploy::{DeployRecord, SetParameters, deploy}};
use canon_devchain::{Devchain, DevchainConfig, UnsignedCall};
use canon_faults::{Answer, Faults};
use canon_follow::{Advance, ChainSource, Follower, OpenedSet, SetIdentity};
use core::ops::ControlFlow;
use canon_protocol::Action;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, atomic::{AtomicBool, Ordering}},
};

const PAYLOAD: Address = Address::repeat_byte(0xf1);

/// Mines a block with an allowance.
fn approve(chain: &Devchain, asset: Address, amount: u64) {
    let call = Asset::approveCall { spender: Address::with_last_byte(1), amount: U256::from(amount) };
    let input = call.abi_encode().into();
    let call = UnsignedCall { from: Address::with_last_byte(2), to: Some(asset), input };
    let (_, executed) = chain.mine_unsigned(&[call]).unwrap();
    assert!(executed.iter().all(|call| call.success), "{executed:?}");
}

/// A follower of a chain that answers with lies while the switch is on.
async fn lied_to(
    lie: impl Fn(&alloy_json_rpc::SerializedRequest) -> Answer + Send + 'static,
) -> (Devchain, Follower<ChainSource>, Arc<AtomicBool>, &'static Recording) {
    let recording = Recording::shared();
    let chain = recording.newest();
    let faults = Faults::default();
    let client = client_by(&faults, &chain).await;
    let lies = Arc::new(AtomicBool::new(false));
    let is_on = Arc::clone(&lies);
    faults.answer(move |request| match is_on.load(Ordering::Relaxed) {
        true => lie(request),
        false => Answer::Node,
    });
    let mut follower = Follower::new(ChainSource::new(client), recording.identity.clone());
    insist(&mut follower).await;
    assert_eq!(follower.catch_up().await.unwrap(), Advance::UpToDate);
    (chain, follower, lies, recording)
}

/// A header's bloom is believed, though its hash isn't computed: one header without it, and the block's events
/// are lost for ever.
#[test]
fn a_header_with_an_empty_bloom_costs_no_event() {
    run(async {
        let (chain, mut follower, lies, recording) = lied_to(|request| {
            if !request.method().starts_with("eth_getBlockBy") {
                return Answer::Node;
            }
            Answer::Changed(Box::new(|mut block| {
                if block.is_object() {
                    block["logsBloom"] = json!(format!("0x{}", "00".repeat(256)));
                }
                block
            }))
        })
        .await;
        lies.store(true, Ordering::Relaxed);
        approve(&chain, recording.identity.addresses.asset, 424_242);
        let advance = follower.catch_up().await;
        println!("with the lie: {advance:?}");
        lies.store(false, Ordering::Relaxed);
        for block in 0..200 {
            if block > 0 {
                chain.mine().unwrap();
            }
            println!("{:?}", insist(&mut follower).await);
        }
        assert_eq!(follower.block().unwrap().hash, chain.block_hash());
        let honest = fresh(&chain, &recording.identity).await;
        assert!(*follower.state() == honest, "an event is lost for ever, and the follower is up to date");
    });
}

/// The same for a node that has a new block and not yet the index of its logs.
#[test]
fn a_node_that_has_no_logs_of_its_newest_block_yet_costs_no_event() {
    run(async {
        let (chain, mut follower, lies, recording) = lied_to(|request| match request.method() {
            "eth_getLogs" => Answer::Result(json!([])),
            _ => Answer::Node,
        })
        .await;
        lies.store(true, Ordering::Relaxed);
        approve(&chain, recording.identity.addresses.asset, 424_242);
        let advance = follower.catch_up().await;
        println!("with the lie: {advance:?}");
        lies.store(false, Ordering::Relaxed);
        for _ in 0..200 {
            chain.mine().unwrap();
            insist(&mut follower).await;
        }
        let honest = fresh(&chain, &recording.identity).await;
        assert!(*follower.state() == honest, "an event is lost for ever, and the follower is up to date");
    });
}

/// A header's time is believed too.
#[test]
fn a_header_with_another_time_is_refused() {
    run(async {
        let (chain, mut follower, lies, recording) = lied_to(|request| {
            let number = matches!(request.method(), "eth_getBlockByNumber" | "eth_getBlockByHash" | "eth_getLogs");
            if !number {
                return Answer::Node;
            }
            Answer::Changed(Box::new(|mut answer| {
                let later = |time: &mut Value| {
                    if let Some(text) = time.as_str() {
                        let seconds = u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap();
                        *time = json!(format!("{:#x}", seconds + 1_000));
                    }
                };
                if answer.is_object() {
                    later(&mut answer["timestamp"]);
                } else if let Some(logs) = answer.as_array_mut() {
                    logs.iter_mut().for_each(|log| later(&mut log["blockTimestamp"]));
                }
                answer
            }))
        })
        .await;
        lies.store(true, Ordering::Relaxed);
        approve(&chain, recording.identity.addresses.asset, 424_242);
        let advance = follower.catch_up().await;
        println!("with the lie: {advance:?}");
        lies.store(false, Ordering::Relaxed);
        for _ in 0..200 {
            insist(&mut follower).await;
            chain.mine().unwrap();
        }
        insist(&mut follower).await;
        let honest = fresh(&chain, &recording.identity).await;
        assert!(*follower.state() == honest, "the state has a time that no block has");
        assert!(advance.is_err(), "{advance:?}");
    });
}

async fn deployed_on(chain_id: u64) -> (Devchain, Address) {
    let chain = Devchain::new(DevchainConfig { chain_id, ..DevchainConfig::default() });
    let client = client(chain.client()).await;
    let mut deployer = Sender::new(client.clone(), chain.dev_accounts().remove(0));
    let parameters = SetParameters::tests().check().unwrap();
    let raw = parameters.raw().clone();
    let mut record = DeployRecord::new(client.chain_id(), deployer.address(), raw);
    let go_on = |_: &DeployRecord, _| ControlFlow::Continue(());
    let set = deploy(&mut deployer, &parameters, &mut record, &mut NoWait, go_on).await.unwrap();
    (chain, set.deployment.registry)
}

/// A set has the same addresses on every chain. An endpoint that is switched to another one is followed there.
#[test]
fn a_chain_id_that_changes_midway_is_noticed() {
    run(async {
        let ((main, registry), (test, other)) = (deployed_on(1).await, deployed_on(11_155_111).await);
        assert_eq!(registry, other, "the set has the same addresses on both chains");
        (0..100).for_each(|_| drop(main.mine().unwrap()));
        let network = Network::new([main.transport(), test.transport()], Choice::Node(0));
        let client = client(network.client()).await;
        let identity = SetIdentity::find(&client, registry, |_, _| ()).await.unwrap();
        let mut follower = Follower::new(ChainSource::new(client), identity);
        insist(&mut follower).await;
        assert_eq!(follower.block().unwrap().hash, main.block_hash());
        (0..300).for_each(|_| drop(test.mine().unwrap()));
        network.choose(Choice::Node(1));
        let mut said = Vec::new();
        for _ in 0..20 {
            match follower.catch_up().await {
                Ok(advance) => said.push(format!("{advance:?}")),
                Err(error) => said.push(error.to_string()),
            }
        }
        println!("{said:#?}");
        // It held: nobody is told that it is up to date. The state is the other chain's all the same.
        assert!(said.iter().all(|said| said != "UpToDate" && said != "Reorganized" && said != "Extended"));
    });
}

/// As `Deployed::open`, but for its own check of the progress.
async fn open(deployed: &Deployed, client: &canon_chain::Client, cache: &Path) -> OpenedSet {
    canon_follow::open_set(client, deployed.set.registry, &question(), cache, |_| ()).await.unwrap()
}

/// A development chain that was begun anew, or a file with a block far ahead: no history until the file is deleted
/// by hand.
#[test]
fn a_file_of_a_longer_chain_is_left() {
    let deployed = Deployed::shared();
    let [old, new] = [(400, 1), (150, 2)].map(|(blocks, fork)| deployed.chain(blocks, fork));
    let cache = folder("longer");
    run(async {
        deployed.open(&client(old.client()).await, &cache).await;
        let client = client(new.client()).await;
        for _ in 0..3 {
            let opened = open(deployed, &client, &cache).await;
            println!("{:?} {:?}", opened.no_history, opened.notes);
        }
        let opened = open(deployed, &client, &cache).await;
        assert!(opened.no_history.is_none(), "{}", opened.no_history.unwrap());
    });
}

/// A damaged number has the same effect on the chain that the file is of.
#[test]
fn a_file_with_a_block_that_cannot_be_is_left() {
    let deployed = Deployed::shared();
    let chain = deployed.chain(200, 1);
    let cache = folder("number");
    run(async {
        let client = client(chain.client()).await;
        deployed.open(&client, &cache).await;
        let path = only_file(&cache);
        for number in [u64::MAX, 1_000_000] {
            let mut written: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            written["block"]["number"] = json!(number.to_string());
            fs::write(&path, written.to_string()).unwrap();
            let opened = open(deployed, &client, &cache).await;
            assert!(opened.no_history.is_none(), "{}", opened.no_history.unwrap());
        }
    });
}

fn lists(actions: &[Action]) -> Bytes {
    let actions = actions.iter().cloned().map(Into::into).collect();
    let data = UpgradePayload::getActionsCall::abi_encode_returns(&actions);
    let length = u16::try_from(data.len()).unwrap().to_be_bytes();
    let head = [&[0x61][..], &length, &[0x60, 0x0c, 0x5f, 0x39, 0x61], &length, &[0x5f, 0xf3]].concat();
    [&head[..], &data].concat().into()
}

/// Whoever deployed the set and has the supply.
fn whale(chain: &Devchain) -> Address {
    run(async {
        let client = client(chain.client()).await;
        Sender::new(client, chain.dev_accounts().remove(0)).address()
    })
}

/// A chain whose set has holders, a withdrawal, a proposal and a ballot, all older than a window.
fn busy() -> (&'static Deployed, Devchain) {
    let deployed = Deployed::shared();
    let chain = deployed.chain(3, 1);
    let set = deployed.set;
    let whale = whale(&chain);
    let action = Action { target: set.registry, data: Bytes::from_static(&[1, 2, 3, 4]) };
    chain.set_code(PAYLOAD, lists(&[action])).unwrap();
    let tokens = |tokens: u64| U256::from(tokens) * U256::from(10).pow(U256::from(18));
    let call = |to: Address, input: Vec<u8>| UnsignedCall { from: whale, to: Some(to), input: input.into() };
    let calls = [
        call(set.asset, Asset::approveCall { spender: set.governance, amount: tokens(50_000) }.abi_encode()),
        call(set.governance, Governance::depositCall { onBehalfOf: whale, amount: tokens(20_000) }.abi_encode()),
        call(set.governance, Governance::depositCall { onBehalfOf: Address::with_last_byte(7), amount: tokens(10) }.abi_encode()),
        call(set.governance, Governance::initiateWithdrawCall { to: Address::with_last_byte(8), amount: tokens(5) }.abi_encode()),
        call(set.governance, Governance::proposeWithLockCall { payload: PAYLOAD, to: whale }.abi_encode()),
    ];
    for call in calls {
        let (_, executed) = chain.mine_unsigned(&[call]).unwrap();
        assert!(executed.iter().all(|call| call.success), "{executed:?}");
    }
    (0..150).for_each(|_| drop(chain.mine().unwrap()));
    (deployed, chain)
}

fn is_fine(opened: &OpenedSet) -> bool {
    opened.no_history.is_none() && opened.notes.is_empty() && opened.unknown.is_empty()
}

async fn forge(
    (deployed, chain): (&'static Deployed, Devchain),
    name: &str,
    change: impl Fn(&mut Value),
) -> (OpenedSet, OpenedSet) {
    let cache = folder(name);
    let client = client(chain.client()).await;
    let honest = deployed.open(&client, &cache).await;
    assert!(is_fine(&honest), "{honest:?}");
    let path = only_file(&cache);
    let mut file: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    change(&mut file);
    fs::write(&path, file.to_string()).unwrap();
    let opened = open(deployed, &client, &cache).await;
    fs::remove_dir_all(&cache).unwrap();
    (honest, opened)
}

/// What a person is shown of a proposal are the frozen actions. The file's are believed: nothing compares them with
/// their hash.
#[test]
fn forged_actions_in_a_file_are_not_shown() {
    let busy = busy();
    run(async {
        let (_, opened) = forge(busy, "actions", |file| {
            let actions = &mut file["state"]["governance"]["proposals"][0]["actions"];
            println!("{actions}");
            actions[0]["data"] = json!("0xdeadbeef");
        })
        .await;
        println!("notes {:?}, no history: {:?}", opened.notes, opened.no_history);
        let history = opened.view.history.unwrap();
        let proposal = &history.governance().proposals()[0];
        assert_eq!(
            canon_protocol::actions_hash(proposal.actions()),
            proposal.actions_hash(),
            "shown: {:?}",
            proposal.actions()
        );
    });
}

/// The set's Expect tells whether an action is an assertion. It is taken from the file.
#[test]
fn a_forged_expect_in_a_file_is_not_believed() {
    let busy = busy();
    run(async {
        let (honest, opened) = forge(busy, "expect", |file| {
            let evil = json!(Address::repeat_byte(0xee));
            file["identity"]["addresses"]["expect"] = evil.clone();
            file["state"]["addresses"]["expect"] = evil;
        })
        .await;
        println!("notes {:?}, no history: {:?}", opened.notes, opened.no_history);
        let expect = |opened: &OpenedSet| opened.view.history.as_ref().unwrap().addresses().expect;
        assert_eq!(expect(&opened), expect(&honest), "{:?}", opened.notes);
    });
}

/// All leaves of a file, and how to alter each.
fn leaves(value: &Value, path: String, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(key, value)| leaves(value, format!("{path}/{key}"), found));
        }
        Value::Array(list) => {
            (0..).zip(list).for_each(|(index, value): (usize, _)| leaves(value, format!("{path}/{index}"), found));
        }
        _ => found.push(path),
    }
}

fn alter(leaf: &mut Value) -> bool {
    let altered = match &*leaf {
        Value::String(text) if text.starts_with("0x") && text.len() > 2 => {
            let (head, last) = text.split_at(text.len() - 1);
            json!(format!("{}{}", head.to_lowercase(), if last == "1" { "2" } else { "1" }))
        }
        Value::String(text) => match text.parse::<u128>() {
            Ok(number) => json!((number + 1).to_string()),
            Err(_) => return false,
        },
        Value::Number(number) => json!(number.as_u64().unwrap_or_default() + 1),
        Value::Bool(is) => json!(!is),
        _ => return false,
    };
    *leaf = altered;
    true
}

/// Each value of the file altered, one after the other: whoever opens the set sees the set, or no history.
#[test]
fn no_value_of_a_file_can_be_forged_unnoticed() {
    let (deployed, chain) = busy();
    run(async {
        let cache = folder("fuzz");
        let client = client(chain.client()).await;
        let honest = deployed.open(&client, &cache).await;
        assert!(is_fine(&honest), "{honest:?}");
        let path = only_file(&cache);
        let good = fs::read_to_string(&path).unwrap();
        println!("{}", &good[..good.len().min(6_000)]);
        let file: Value = serde_json::from_str(&good).unwrap();
        let mut all = Vec::new();
        leaves(&file, String::new(), &mut all);
        let mut outcomes: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for leaf in &all {
            let mut forged = file.clone();
            let value = forged.pointer_mut(leaf).unwrap();
            let before = value.to_string();
            if !alter(value) {
                continue;
            }
            let after = value.to_string();
            fs::write(&path, forged.to_string()).unwrap();
            let opened = open(deployed, &client, &cache).await;
            let outcome = match (&opened.no_history, opened.view == honest.view) {
                (Some(_), _) => "no history",
                (None, true) if opened.notes.is_empty() => "right (mended)",
                (None, true) => "right, noted",
                (None, false) if opened.view.present == honest.view.present => "WRONG HISTORY",
                (None, false) => "WRONG PRESENT",
            };
            let why = opened.no_history.map(|why| why.to_string()).unwrap_or_default();
            if outcome == "WRONG PRESENT" {
                println!("{leaf}:\n{:?}\n{:?}", opened.view.present, honest.view.present);
            }
            outcomes.entry(outcome).or_default().push(format!("{leaf}: {before} -> {after} {why}"));
        }
        for (outcome, leaves) in &outcomes {
            println!("== {outcome}: {}", leaves.len());
            if outcome.starts_with("WRONG") || *outcome == "no history" {
                leaves.iter().for_each(|leaf| println!("   {leaf}"));
            }
        }
        let is_wrong = outcomes.keys().any(|outcome| outcome.starts_with("WRONG"));
        assert!(!is_wrong, "altered values were shown");
    });
}

/// A forged file speaks to the terminal: what is wrong with it is said in its own words.
#[test]
fn what_is_said_of_a_file_has_no_control_characters() {
    let busy = busy();
    run(async {
        let (_, opened) = forge(busy, "escapes", |file| {
            file["identity"]["\u{1b}]0;owned\u{7}\u{1b}[2J\u{202e}"] = json!(1);
        })
        .await;
        let said = opened.notes.iter().map(ToString::to_string).collect::<String>();
        println!("{said:?}");
        assert!(!said.contains(|one: char| one.is_control() || one == '\u{202e}'), "{said:?}");
    });
}

/// A file that is a pipe: whoever opens the set waits for ever.
#[test]
fn a_pipe_in_the_place_of_a_file_keeps_nobody_waiting() {
    let (deployed, chain) = busy();
    let cache = folder("pipe");
    let (done, is_done) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        run(async {
            let client = client(chain.client()).await;
            deployed.open(&client, &cache).await;
            let path = only_file(&cache);
            fs::remove_file(&path).unwrap();
            let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
            assert!(made.success());
            open(deployed, &client, &cache).await;
            done.send(()).unwrap();
        });
    });
    is_done.recv_timeout(std::time::Duration::from_secs(20)).expect("it waits for ever");
}

/// The present that is shown is wrong too, and stays so: an allowance of a holder whose block came with an empty
/// bloom.
#[test]
fn a_view_of_a_follower_that_is_up_to_date_is_what_the_contracts_answer() {
    run(async {
        let (chain, mut follower, lies, recording) = lied_to(|request| {
            if !request.method().starts_with("eth_getBlockBy") {
                return Answer::Node;
            }
            Answer::Changed(Box::new(|mut block| {
                if block.is_object() {
                    block["logsBloom"] = json!(format!("0x{}", "00".repeat(256)));
                }
                block
            }))
        })
        .await;
        let (holder, _) = follower.state().governance().holders().next().unwrap();
        let at = recording.identity.addresses;
        let call = Asset::approveCall { spender: at.governance, amount: U256::from(424_242) };
        let call = UnsignedCall { from: holder, to: Some(at.asset), input: call.abi_encode().into() };
        lies.store(true, Ordering::Relaxed);
        chain.mine_unsigned(&[call]).unwrap();
        follower.catch_up().await.unwrap();
        lies.store(false, Ordering::Relaxed);
        for _ in 0..150 {
            chain.mine().unwrap();
            assert_eq!(follower.catch_up().await.unwrap(), Advance::Extended);
        }
        assert_eq!(follower.catch_up().await.unwrap(), Advance::UpToDate);
        let question = canon_views::Question {
            holders: [(holder, Default::default())].into(),
            ..canon_views::Question::new(canon_protocol::Timestamp::of(10_000_000_000))
        };
        let folded = follower.view(&question).await.unwrap().present;
        let answered = client(chain.client()).await.view(at.registry, &question).await.unwrap().present;
        assert_eq!(folded.holders, answered.holders);
    });
}

/// One value of an answer is garbage: the wrong type, or a number at the edge.
fn spoil(answer: Value, rng: &mut canon_testkit::histories::Rng) -> Value {
    let mut answer = answer;
    let mut all = Vec::new();
    leaves(&answer, String::new(), &mut all);
    let Some(leaf) = rng.pick(&all).cloned() else { return answer };
    let garbage = [
        json!(null),
        json!("0xffffffffffffffff"),
        json!("0xfffffffffffffffe"),
        json!("0x7fffffffffffffff"),
        json!(format!("0x{}", "ff".repeat(32))),
        json!("0x"),
        json!("\u{1b}[31m"),
        json!(-1),
        json!(1e300),
        json!([]),
        json!({}),
        json!("0x".to_owned() + &"00".repeat(100_000)),
    ];
    let garbage = rng.pick(&garbage).cloned().unwrap();
    match answer.pointer_mut(&leaf) {
        Some(value) => *value = garbage,
        None => answer = garbage,
    }
    answer
}

/// Garbage in one answer of ten, by seed: nothing panics or hangs, no error has control characters, and afterwards
/// the state is the chain's.
#[test]
fn garbage_costs_time_and_nothing_else() {
    use canon_testkit::histories::Rng;
    let recording = Recording::shared();
    let chain = recording.newest();
    let honest = run(fresh(&chain, &recording.identity));
    let mut outcomes: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let started = std::time::Instant::now();
    let mut said = std::collections::BTreeSet::new();
    for seed in 0..400 {
        if started.elapsed().as_secs() > 100 {
            println!("stopped before seed {seed}");
            break;
        }
        let (bytes, honest) = (recording.heights.last().unwrap().clone(), honest.clone());
        let thread = std::thread::spawn(move || {
            run(async move {
                let chain = Devchain::from_bytes(&bytes).unwrap();
                let faults = Faults::default();
                let client = client_by(&faults, &chain).await;
                let mut rng = Rng::new(seed);
                faults.answer(move |_| {
                    if !rng.chance(1, 10) {
                        return Answer::Node;
                    }
                    let mut rng = Rng::new(rng.below(u64::MAX));
                    Answer::Changed(Box::new(move |answer| spoil(answer, &mut rng)))
                });
                let recording = Recording::shared();
                let mut follower = Follower::new(ChainSource::new(client), recording.identity.clone());
                let mut said = Vec::new();
                for _ in 0..60 {
                    match follower.catch_up().await {
                        Ok(Advance::UpToDate) => break,
                        Ok(_) => {}
                        Err(error) => said.push((error.severity(), error.to_string())),
                    }
                }
                faults.answer(|_| Answer::Node);
                let mut stuck = 0;
                while follower.block().map(|block| block.hash) != Some(chain.block_hash()) && stuck < 60 {
                    stuck += 1;
                    if let Err(error) = follower.catch_up().await {
                        said.push((error.severity(), format!("honest again: {error}")));
                    }
                }
                let outcome = match (*follower.state() == honest, stuck < 60) {
                    (_, false) => "NEVER ARRIVES",
                    (false, true) => "WRONG STATE",
                    (true, true) => "right",
                };
                (outcome, said)
            })
        });
        let outcome = match thread.join() {
            Ok((outcome, errors)) => {
                for (severity, error) in errors {
                    if error.contains(char::is_control) {
                        outcomes.entry("CONTROL CHARACTERS".to_owned()).or_default().push(seed);
                    }
                    let short: String = error.chars().filter(|one| !one.is_ascii_digit()).take(110).collect();
                    said.insert(format!("{severity:?}: {short}"));
                }
                outcome.to_owned()
            }
            Err(panic) => format!("PANIC {:?}", panic.downcast_ref::<String>()),
        };
        outcomes.entry(outcome).or_default().push(seed);
    }
    said.iter().for_each(|said| println!("{said}"));
    println!("{outcomes:?}");
    assert!(outcomes.keys().all(|outcome| outcome == "right"), "{:?}", outcomes.keys());
}

/// The same for a view by reads.
#[test]
fn garbage_in_a_view_panics_nowhere() {
    use canon_testkit::histories::Rng;
    let recording = Recording::shared();
    let chain = recording.newest();
    let honest = run(fresh(&chain, &recording.identity));
    let question = canon_views::Question::everything(&honest, canon_protocol::Timestamp::of(chain.timestamp() + 12));
    let mut outcomes: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let started = std::time::Instant::now();
    for seed in 0..3_000 {
        if started.elapsed().as_secs() > 60 {
            println!("stopped before seed {seed}");
            break;
        }
        let (bytes, question) = (recording.heights.last().unwrap().clone(), question.clone());
        let registry = recording.identity.addresses.registry;
        let thread = std::thread::spawn(move || {
            run(async move {
                let chain = Devchain::from_bytes(&bytes).unwrap();
                let faults = Faults::default();
                let client = client_by(&faults, &chain).await;
                let good = client.view(registry, &question).await.unwrap();
                let mut rng = Rng::new(seed);
                faults.answer(move |_| {
                    if !rng.chance(1, 4) {
                        return Answer::Node;
                    }
                    let mut rng = Rng::new(rng.below(u64::MAX));
                    Answer::Changed(Box::new(move |answer| spoil(answer, &mut rng)))
                });
                match client.view(registry, &question).await {
                    Ok(view) if view == good => "right".to_owned(),
                    Ok(_) => "WRONG".to_owned(),
                    Err(error) if error.to_string().contains(char::is_control) => format!("CONTROL {error:?}"),
                    Err(_) => "refused".to_owned(),
                }
            })
        });
        let outcome = thread.join().unwrap_or_else(|panic| format!("PANIC {:?}", panic.downcast_ref::<String>()));
        outcomes.entry(outcome).or_default().push(seed);
    }
    for (outcome, seeds) in &outcomes {
        println!("{outcome}: {} {:?}", seeds.len(), &seeds[..seeds.len().min(8)]);
    }
    assert!(!outcomes.keys().any(|outcome| outcome.starts_with("PANIC") || outcome.starts_with("CONTROL")));
}

/// One header with a wrong parent, once: it is kept, and blocks the follower although every later answer is honest.
#[test]
fn one_wrong_header_does_not_block_a_follower() {
    run(async {
        let once = Arc::new(AtomicBool::new(true));
        let rule = Arc::clone(&once);
        let (chain, mut follower, lies, _) = lied_to(move |request| {
            let is_header = request.method() == "eth_getBlockByNumber"
                && !request.params().unwrap().get().contains("latest");
            if !is_header || !rule.swap(false, Ordering::Relaxed) {
                return Answer::Node;
            }
            Answer::Changed(Box::new(|mut block| {
                block["parentHash"] = json!(format!("0x{}", "ff".repeat(32)));
                block
            }))
        })
        .await;
        (0..5).for_each(|_| drop(chain.mine().unwrap()));
        lies.store(true, Ordering::Relaxed);
        let mut said = Vec::new();
        for attempt in 0..40 {
            match follower.catch_up().await {
                Ok(_) => {
                    println!("arrived at attempt {attempt}");
                    break;
                }
                Err(error) => said.push(format!("{:?}: {error}", error.severity())),
            }
        }
        assert!(!once.load(Ordering::Relaxed), "one header was wrong");
        println!("{} failures, the last: {:?}", said.len(), said.last());
        let mut blocks = 0;
        while follower.block().unwrap().hash != chain.block_hash() && blocks < 300 {
            chain.mine().unwrap();
            blocks += 1;
            let _ = follower.catch_up().await;
        }
        println!("it arrives {blocks} blocks later");
        assert!(said.len() < 5, "{} attempts with honest answers failed, and {blocks} blocks", said.len());
    });
}

/// The same by a number: the error says to stop.
#[test]
fn one_header_with_a_wrong_number_does_not_stop_a_follower() {
    run(async {
        let once = Arc::new(AtomicBool::new(true));
        let rule = Arc::clone(&once);
        let (chain, mut follower, lies, _) = lied_to(move |request| {
            if request.method() != "eth_getBlockByHash" || !rule.swap(false, Ordering::Relaxed) {
                return Answer::Node;
            }
            Answer::Changed(Box::new(|mut block| {
                block["number"] = json!("0x1");
                block
            }))
        })
        .await;
        (0..2).for_each(|_| drop(chain.mine().unwrap()));
        lies.store(true, Ordering::Relaxed);
        let mut said = Vec::new();
        for _ in 0..40 {
            if let Err(error) = follower.catch_up().await {
                said.push(format!("{:?}: {error}", error.severity()));
            }
        }
        println!("{} failures, the last: {:?}, lied {}", said.len(), said.last(), !once.load(Ordering::Relaxed));
        assert!(said.iter().all(|said| !said.starts_with("Stop")), "{:?}", said.first());
    });
}

/// Numbers at the edges in what contracts answer: views, calendars and duties panic nowhere.
#[test]
fn numbers_at_the_edges_panic_nowhere() {
    use canon_testkit::histories::Rng;
    use canon_views::{BlockDuty, MovePlan, PayOut, SequencerIdentity, SignalPlan};
    let recording = Recording::shared();
    let chain = recording.newest();
    let honest = run(fresh(&chain, &recording.identity));
    let next = canon_protocol::Timestamp::of(chain.timestamp() + 12);
    let mut question = canon_views::Question::everything(&honest, next);
    let registry = recording.identity.addresses.registry;
    let mut outcomes: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let started = std::time::Instant::now();
    let faults = Faults::default();
    let shared = run(client_by(&faults, &chain));
    question.payloads.insert(PAYLOAD);
    for seed in 0..20_000 {
        if started.elapsed().as_secs() > 40 {
            println!("stopped before seed {seed}");
            break;
        }
        let mut rng = Rng::new(seed);
        let lying: std::collections::BTreeSet<_> = question.rollups.keys().copied().collect();
        faults.answer(move |request| {
            if request.method() != "eth_call" {
                return Answer::Node;
            }
            let call = canon_faults::params(request)[0].clone();
            let Some(to) = call["to"].as_str().and_then(|to| to.parse::<Address>().ok()) else {
                // Plain calls are easier to lie to.
                return Answer::Refusal(-32000, "no lens here".to_owned());
            };
            let odds = if lying.contains(&to) { 12 } else { 1_500 };
            if !rng.chance(1, odds) {
                return Answer::Node;
            }
            let mut rng = Rng::new(rng.below(u64::MAX));
            Answer::Changed(Box::new(move |answer| {
                let Some(text) = answer.as_str() else { return answer };
                let mut bytes = alloy_primitives::hex::decode(text).unwrap();
                let words = bytes.len() / 32;
                if words == 0 {
                    return answer;
                }
                let at = 32 * rng.below(words as u64) as usize;
                let edges: [u128; 13] = [
                    0, 1, 2, (1 << 32) - 1, (1 << 40) - 1, (1 << 40) - 2, 1 << 53, 1 << 63, u64::MAX.into(),
                    u128::from(u64::MAX) - 1, (1 << 96) - 1, 1_767_225_600, 7_776_000,
                ];
                let edge = rng.pick(&edges).copied().unwrap();
                bytes[at..at + 16].fill(0);
                bytes[at + 16..at + 32].copy_from_slice(&edge.to_be_bytes());
                json!(alloy_primitives::hex::encode_prefixed(bytes))
            }))
        });
        let (client, question) = (shared.clone(), question.clone());
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            run(async {
                let view = match client.view(registry, &question).await {
                    Ok(view) => view,
                    Err(error) => {
                        if seed < 12 {
                            println!("{error}");
                        }
                        return "refused".to_owned();
                    }
                };
                let _ = serde_json::to_string(&view.present).unwrap();
                let _ = canon_views::calendar(&view);
                let _ = canon_views::available_actions(&view);
                let _ = canon_views::keeper(&view, PayOut::Everything);
                let present = &view.present;
                let rollup = present.addresses.rollup;
                for (rollup_at, seen) in &present.rollups {
                    let proposer = seen.proposer.unwrap_or_default();
                    let identity = SequencerIdentity { proposer, rollup: *rollup_at, blocks: BlockDuty::Propose };
                    for (payload, seen) in &present.payloads {
                        let plan = SignalPlan::new(*payload, seen.code.hash);
                        let _ = canon_views::sequencer(present, &identity, Some(&plan));
                    }
                    for (attester, seen) in &seen.attesters {
                        let plan = MovePlan { withdrawer: seen.withdrawer, attester: *attester, from: *rollup_at, to: rollup, spare: PAYLOAD };
                        let _ = canon_views::mover(present, &plan);
                    }
                }
                for proposal in &present.governance.proposals {
                    let _ = (proposal.tabulation(), proposal.votes_missing(), proposal.deadlines());
                }
                for holder in present.holders.keys() {
                    let orders = (0..).zip(&present.governance.proposals).map(|(number, proposal)| {
                        let order = canon_views::Order::Vote {
                            id: proposal.id,
                            support: canon_protocol::Support::Nea,
                            share: canon_views::OrderAmount::All,
                        };
                        (canon_views::OrderId(number), order)
                    });
                    let _ = canon_views::holder(&view, *holder, &orders.collect());
                }
                "seen".to_owned()
            })
        }));
        let outcome = outcome.unwrap_or_else(|panic| {
            format!("PANIC {:?} {:?}", panic.downcast_ref::<String>(), panic.downcast_ref::<&str>())
        });
        outcomes.entry(outcome).or_default().push(seed);
    }
    for (outcome, seeds) in &outcomes {
        println!("{outcome}: {} {:?}", seeds.len(), &seeds[..seeds.len().min(8)]);
    }
    assert!(!outcomes.keys().any(|outcome| outcome.starts_with("PANIC")));
}
