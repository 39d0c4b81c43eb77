//! Opening a set with its Registry's address.

use crate::{
    network::{Choice, Habit, Network},
    support::{BLOCK_TIME, client, file_content, forge_file, no_pause, run},
};
use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, U256};
use alloy_rpc_client::RpcClient;
use alloy_sol_types::SolCall;
use canon_abi::{Contract, Registry, Rollup};
use canon_chain::{
    Client, Error, NoWait, Sender,
    deploy::{
        Create2Origin, DeployRecord, ExamineError, NotGenuine, SetExaminer, SetParameters, deploy,
    },
};
use canon_devchain::{Devchain, DevchainConfig, UnsignedCall};
use canon_faults::{Answer, Fault, FaultPlan, Faults};
use canon_follow::{
    ChainSource, Checkpoint, CheckpointError, ComparisonScope, FindError, Follower, HistoryCache,
    HistoryError, OpenNote, OpenSubject, OpenedSet, SetIdentity, check_every_view, open_set,
};
use canon_protocol::BlockNumber;
use canon_testkit::histories::Rng;
use canon_views::{Question, SetAddresses};
use core::ops::ControlFlow;
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};
use tower::Layer;

/// A chain with a newly deployed set.
pub(crate) struct Deployed {
    pub(crate) chain: Vec<u8>,
    pub(crate) set: SetAddresses,
    first_block: BlockNumber,
}

impl Deployed {
    pub(crate) fn with(origin: Create2Origin) -> Self {
        run(async {
            let chain = Devchain::new(DevchainConfig::default());
            let client = client(chain.client()).await;
            let mut deployer = Sender::new(client.clone(), chain.dev_accounts().remove(0));
            let parameters = SetParameters { origin, ..SetParameters::tests() }.check().unwrap();
            let raw = parameters.raw().clone();
            let mut record = DeployRecord::new(client.chain_id(), deployer.address(), raw);
            let go_on = |_: &DeployRecord, _| ControlFlow::Continue(());
            let wait = &mut NoWait;
            let deployed = deploy(&mut deployer, &parameters, &mut record, wait, go_on);
            let set = deployed.await.unwrap().deployment;
            let first_block = record.first_block().unwrap();
            Self { chain: chain.to_bytes(), set, first_block }
        })
    }

    /// The deployed set that most tests share.
    pub(crate) fn shared() -> &'static Self {
        static DEPLOYED: OnceLock<Deployed> = OnceLock::new();
        DEPLOYED.get_or_init(|| Self::with(Create2Origin::default()))
    }

    /// The chain with `blocks` more blocks, each with an allowance that depends on the fork.
    pub(crate) fn chain(&self, blocks: u64, fork: u64) -> Devchain {
        let chain = Devchain::from_bytes(&self.chain).unwrap();
        for block in 0..blocks {
            let spender = Address::with_last_byte(1);
            let call = canon_abi::Asset::approveCall {
                spender,
                amount: U256::from(fork * 10_000 + block),
            };
            let input = call.abi_encode().into();
            let from = Address::with_last_byte(2);
            let call = UnsignedCall { from, to: Some(self.set.asset), input };
            let (_, executed) = chain.mine_unsigned(&[call]).unwrap();
            assert!(executed.iter().all(|call| call.end.is_success()), "{executed:?}");
        }
        chain
    }

    pub(crate) async fn open(&self, client: &Client, cache: &Path) -> OpenedSet {
        self.open_asking(client, &question(), cache).await
    }

    pub(crate) async fn open_asking(
        &self,
        client: &Client,
        question: &Question,
        cache: &Path,
    ) -> OpenedSet {
        self.open_again(client, question, &mut HistoryCache::new(cache)).await
    }

    pub(crate) async fn open_again(
        &self,
        client: &Client,
        question: &Question,
        cache: &mut HistoryCache,
    ) -> OpenedSet {
        let subject = subject(client, self.set.registry, question);
        open_set(subject, cache, |_| (), no_pause).await.unwrap()
    }

    pub(crate) async fn identity(&self, client: &Client) -> SetIdentity {
        SetIdentity::find(client, self.set.registry, |_, _| (), &mut no_pause).await.unwrap()
    }
}

pub(crate) fn question() -> Question {
    Question::default()
}

pub(crate) const fn subject<'a>(
    client: &'a Client,
    registry: Address,
    question: &'a Question,
) -> OpenSubject<'a> {
    OpenSubject { client, registry, question, block_time: BLOCK_TIME }
}

/// A folder that only this test uses and that doesn't exist yet.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("canon-open-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    let _ = fs::remove_file(&folder);
    folder
}

/// The only file in a folder.
pub(crate) fn only_file(folder: &Path) -> PathBuf {
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

pub(crate) async fn client_by(faults: &Faults, chain: &Devchain) -> Client {
    client(RpcClient::new(faults.layer(chain.transport()), true)).await
}

/// Fails if the set has no history, or has notes.
#[track_caller]
fn assert_complete(opened: &OpenedSet) {
    assert!(opened.no_history.is_none() && opened.notes.is_empty(), "{opened:?}");
    assert!(opened.view.history.is_some() && opened.unknown.is_empty(), "{opened:?}");
}

#[test]
fn the_identity_follows_from_the_registry() {
    let salt = B256::repeat_byte(9);
    for origin in [Create2Origin::default(), Create2Origin { salt, ..Create2Origin::default() }] {
        let deployed = Deployed::with(origin);
        let chain = deployed.chain(50, 1);
        run(async {
            for habit in [Habit::None, Habit::RefusesRangesAbove(10)] {
                let network = Network::new([chain.transport()], Choice::Node(0));
                network.adopt(habit);
                let client = client(network.client()).await;
                let pause = &mut no_pause;
                let found = SetIdentity::find(
                    &client,
                    deployed.set.registry,
                    |block, head| {
                        assert!(block <= head && block < deployed.first_block);
                    },
                    pause,
                );
                let found = found.await.unwrap();
                let (chain_id, set) = (client.chain_id(), &deployed.set);
                let expected = SetIdentity::of(chain_id, set, origin, found.first_block).unwrap();
                assert_eq!(found, expected, "{habit:?}");
                // The deployer may have created the proxy before.
                let first = found.first_block.get();
                assert!(first >= deployed.first_block.get() && first > 0, "{found:?}");

                let mut follower = Follower::new(
                    ChainSource::new(client.clone(), ComparisonScope::Everything),
                    found,
                );
                follower.catch_up().await.unwrap();
                let block = follower.block().unwrap();
                check_every_view(&client, follower.state(), &block).await.unwrap();
            }
        });
    }
}

#[test]
fn a_registry_whose_events_are_forged_has_no_history() {
    let deployed = Deployed::shared();
    let chain = deployed.chain(3, 1);
    let cache = folder("forged");
    run(async {
        let faults = Faults::default();
        let client = client_by(&faults, &chain).await;
        // The constructor's events contain another deployer.
        faults.answer(|request| match request.method() {
            "eth_getTransactionReceipt" => Answer::Changed(Box::new(|mut receipt| {
                for log in receipt["logs"].as_array_mut().unwrap() {
                    if let Some(topic) = log["topics"].get_mut(2) {
                        *topic = json!(B256::with_last_byte(7));
                    }
                }
                receipt
            })),
            _ => Answer::Node,
        });
        let found =
            SetIdentity::find(&client, deployed.set.registry, |_, _| (), &mut no_pause).await;
        let Err(FindError::UnknownOrigin(ExamineError::NotGenuine(reason))) = &found else {
            panic!("{found:?}");
        };
        assert!(matches!(reason, NotGenuine::OtherAddress { .. }), "{reason:?}");
        let text = found.unwrap_err().to_string();
        assert!(text.contains("history can't be folded"), "{text}");

        let opened = deployed.open(&client, &cache).await;
        assert!(opened.view.history.is_none() && opened.unknown.is_empty(), "{opened:?}");
        assert_eq!(opened.view.present.addresses, deployed.set);
        let reason = opened.no_history.unwrap();
        assert!(matches!(reason, HistoryError::Find(FindError::UnknownOrigin(_))), "{reason}");
        assert!(!cache.exists());
    });
}

#[test]
fn where_no_contract_is_there_is_no_set() {
    let chain = Deployed::shared().chain(0, 1);
    run(async {
        let client = client(chain.client()).await;
        let nowhere = Address::repeat_byte(5);
        let found = SetIdentity::find(&client, nowhere, |_, _| (), &mut no_pause).await;
        assert!(matches!(found, Err(FindError::Chain(Error::NoCode { .. }))), "{found:?}");
        let mut cache = HistoryCache::new(folder("nowhere"));
        let opened =
            open_set(subject(&client, nowhere, &question()), &mut cache, |_| (), no_pause).await;
        assert!(matches!(opened, Err(Error::NoCode { .. })), "{opened:?}");
    });
}

#[test]
fn a_set_that_was_opened_before_costs_few_requests() {
    let deployed = Deployed::shared();
    let cache = folder("warm");
    run(async {
        let chain = deployed.chain(2_000, 1);
        let faults = Faults::default();
        let client = client_by(&faults, &chain).await;
        faults.take_requests();
        let cold = deployed.open(&client, &cache).await;
        assert_complete(&cold);
        assert_eq!(cold.view.present.block.hash, chain.block_hash());
        let before: u64 = faults.take_requests().values().sum();
        let warm = deployed.open(&client, &cache).await;
        assert_complete(&warm);
        assert_eq!(warm.view, cold.view);
        let requests = faults.take_requests();
        let after: u64 = requests.values().sum();
        // Most requests are for the window's blocks: a header and logs for each.
        assert!(after < before && after < 200, "{before}, then {requests:?}");
    });
    let file = only_file(&cache);
    let name = file.file_name().unwrap().to_str().unwrap().to_owned();
    assert!(name.contains(&format!("{:#x}", deployed.set.registry)), "{name}");
    fs::remove_dir_all(&cache).unwrap();
}

#[test]
fn whichever_request_kills_it_the_next_one_is_complete() {
    let deployed = Deployed::shared();
    let chain = deployed.chain(150, 1);
    run(async {
        let fresh = deployed.open(&client(chain.client()).await, &folder("fresh")).await.view;
        let mut killed = 0;
        loop {
            let cache = folder("killed");
            let faults = Faults::default();
            let client = client_by(&faults, &chain).await;
            faults.set(FaultPlan::At(killed, Fault::KilledBefore));
            let ended = tokio::select! {
                opened = deployed.open(&client, &cache) => Some(opened),
                () = faults.killed() => None,
            };
            faults.end();
            let again = deployed.open(&client, &cache).await;
            assert_complete(&again);
            assert!(again.view == fresh, "killed before packet {killed}");
            only_file(&cache);
            fs::remove_dir_all(&cache).unwrap();
            if ended.is_some() {
                break;
            }
            killed += 5;
        }
        assert!(killed > 20, "{killed}");
    });
}

#[test]
fn an_endpoint_that_fails_at_times_is_asked_again_and_not_for_ever() {
    let deployed = Deployed::shared();
    let chain = deployed.chain(150, 1);
    run(async {
        let fresh = deployed.open(&client(chain.client()).await, &folder("plain")).await.view;
        for seed in 0..5 {
            let faults = Faults::default();
            let client = client_by(&faults, &chain).await;
            let faulty = vec![Fault::Lost, Fault::AnswerLost];
            faults.set(FaultPlan::Random { rng: Rng::new(seed), percent: 10, faults: faulty });
            let cache = folder("fails");
            let opened = deployed.open(&client, &cache).await;
            assert_complete(&opened);
            assert!(opened.view == fresh, "seed {seed}");
            let _ = fs::remove_dir_all(&cache);
        }
        // This endpoint never returns logs.
        let faults = Faults::default();
        let client = client_by(&faults, &chain).await;
        faults.answer(|request| match request.method() {
            "eth_getLogs" => Answer::Refusal(-32601, "the method is not available".to_owned()),
            _ => Answer::Node,
        });
        let opened = deployed.open(&client, &folder("refused")).await;
        assert!(opened.no_history.is_some() && opened.view.history.is_none(), "{opened:?}");
        assert_eq!(opened.view.present, fresh.present);
    });
}

#[test]
fn a_file_that_is_of_no_use_is_noted_and_replaced() {
    let deployed = Deployed::shared();
    let chain = deployed.chain(150, 1);
    let cache = folder("of-no-use");
    run(async {
        let client = client(chain.client()).await;
        let fresh = deployed.open(&client, &cache).await;
        assert_complete(&fresh);
        let path = only_file(&cache);
        let good = fs::read_to_string(&path).unwrap();
        let other_set = || {
            let mut content = file_content(&path);
            for part in ["/identity/addresses/governance", "/state/addresses/governance"] {
                *content.pointer_mut(part).unwrap() = json!(Address::repeat_byte(3));
            }
            forge_file(&path, &content);
            fs::read_to_string(&path).unwrap()
        };
        for bad in [
            good[..good.len() / 2].to_owned(),
            String::new(),
            good.replacen("\"version\":4", "\"version\":0", 1),
            other_set(),
        ] {
            fs::write(&path, bad).unwrap();
            let opened = deployed.open(&client, &cache).await;
            assert!(matches!(opened.notes[..], [OpenNote::NotRead(_)]), "{:?}", opened.notes);
            assert!(opened.view == fresh.view);
            assert_complete(&deployed.open(&client, &cache).await);
        }
        fs::remove_dir_all(&cache).unwrap();

        // The folder can be neither read nor created, because a file has its path.
        fs::write(&cache, "").unwrap();
        let opened = deployed.open(&client, &cache.join("below")).await;
        let is_noted =
            matches!(opened.notes[..], [OpenNote::NotWritten(CheckpointError::Io { .. })]);
        assert!(is_noted, "{:?}", opened.notes);
        assert!(opened.view == fresh.view);
        fs::remove_file(&cache).unwrap();
    });
}

#[test]
fn a_file_that_is_of_no_use_is_discarded_where_no_block_is_final_yet() {
    let deployed = Deployed::shared();
    let chain = deployed.chain(1, 1);
    let cache = folder("young");
    fs::create_dir_all(&cache).unwrap();
    let path = cache.join(format!("{}-{:#x}.json", chain.chain_id(), deployed.set.registry));
    fs::write(&path, "{").unwrap();
    run(async {
        let client = client(chain.client()).await;
        let opened = deployed.open(&client, &cache).await;
        assert!(matches!(opened.notes[..], [OpenNote::NotRead(_)]), "{:?}", opened.notes);
        assert!(!path.exists());
        assert!(deployed.open(&client, &cache).await.notes.is_empty());
    });
    fs::remove_dir_all(&cache).unwrap();
}

#[test]
fn two_at_once_leave_one_whole_file() {
    let deployed = Deployed::shared();
    let chain = deployed.chain(150, 1);
    let cache = folder("two");
    run(async {
        let client = client(chain.client()).await;
        let both = tokio::join!(deployed.open(&client, &cache), deployed.open(&client, &cache));
        assert_complete(&both.0);
        assert_complete(&both.1);
        assert!(both.0.view == both.1.view);
    });
    let path = only_file(&cache);
    let identity = file_content(&path)["identity"].take();
    let identity: SetIdentity = serde_json::from_value(identity).unwrap();
    let checkpoint = Checkpoint::read(&path, |found| found == &identity).unwrap().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| (0..20).for_each(|_| checkpoint.write(&path).unwrap()));
        }
        for _ in 0..40 {
            assert!(Checkpoint::read(&path, |found| found == &identity).unwrap().is_some());
        }
    });
    only_file(&cache);
    fs::remove_dir_all(&cache).unwrap();
}

#[test]
fn a_chain_that_was_replaced_since_is_read_again() {
    let deployed = Deployed::shared();
    let [old, new] = [(200, 1), (210, 2)].map(|(blocks, fork)| deployed.chain(blocks, fork));
    let cache = folder("replaced");
    run(async {
        let before = deployed.open(&client(old.client()).await, &cache).await;
        assert_complete(&before);
        let client = client(new.client()).await;
        let after = deployed.open(&client, &cache).await;
        assert_complete(&after);
        assert!(after.view != before.view);
        let fresh = deployed.open(&client, &folder("other")).await;
        assert!(after.view == fresh.view);
    });
    fs::remove_dir_all(&cache).unwrap();
}

/// Makes Governance list a rollup with the canonical one's parameters. It is created by the deployment
/// proxy with this salt, or without CREATE2.
async fn list_rollup(chain: &Devchain, set: &SetAddresses, salt: Option<B256>) -> Address {
    let client = client(chain.client()).await;
    let head = client.head().await.unwrap();
    let origin = Create2Origin::default();
    let examiner = SetExaminer::new(&client, origin, BlockNumber::ZERO, head);
    let arguments = examiner.contract::<Rollup::constructorCall>(set.rollup).await.unwrap();
    let init_code = Contract::Rollup.init_code(&arguments);
    let from = Address::with_last_byte(3);
    let (rollup, to, input) = match salt {
        Some(salt) => {
            let origin = Create2Origin { salt, ..origin };
            let input = [salt.as_slice(), &init_code].concat();
            (origin.create2(&init_code).address(), Some(origin.factory), input.into())
        }
        None => (from.create(0), None, init_code),
    };
    let upgrade = Registry::upgradeCall { rollup }.abi_encode().into();
    let calls = [
        UnsignedCall { from, to, input },
        UnsignedCall { from: set.governance, to: Some(set.registry), input: upgrade },
    ];
    let (_, executed) = chain.mine_unsigned(&calls).unwrap();
    assert!(executed.iter().all(|call| call.end.is_success()), "{executed:?}");
    rollup
}

#[test]
fn rollups_of_another_origin_are_found_or_named() {
    let deployed = Deployed::shared();
    for salt in [Some(B256::repeat_byte(8)), None] {
        let chain = deployed.chain(100, 1);
        let cache = folder("another-origin");
        run(async {
            let client = client(chain.client()).await;
            assert_complete(&deployed.open(&client, &cache).await);
            let rollup = list_rollup(&chain, &deployed.set, salt).await;
            // The set is opened with the earlier identity and without.
            let warm = deployed.open(&client, &cache).await;
            let cold = deployed.open(&client, &folder("nothing-yet")).await;
            for opened in [&warm, &cold] {
                assert!(opened.no_history.is_none() && opened.notes.is_empty(), "{opened:?}");
                let expected: &[Address] = if salt.is_some() { &[] } else { &[rollup] };
                assert!(opened.unknown.iter().eq(expected), "{:?}", opened.unknown);
                let (registry, latest) = (deployed.set.registry, BlockId::latest());
                let present = client.view(registry, &question(), latest, BLOCK_TIME).await.unwrap();
                assert_eq!(opened.view.present, present);
                assert_eq!(present.addresses.rollup, rollup);
            }
            assert!(warm.view == cold.view);
        });
        fs::remove_dir_all(&cache).unwrap();
    }
}
