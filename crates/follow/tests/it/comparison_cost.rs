//! The coverage and the cost of the comparison of an opened set.

use crate::{
    opening::{Deployed, client_by, folder},
    support::run,
};
use alloy_primitives::{Address, U256};
use alloy_sol_types::{SolCall, SolEvent};
use canon_abi::{Asset, Governance};
use canon_devchain::{Devchain, UnsignedCall};
use canon_faults::{Answer, Faults};
use canon_follow::{ChainSource, ComparisonScope, Follower, OpenedSet, Verification};
use canon_protocol::Amount;
use canon_views::Question;
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs};

const WHALE: Address = Address::with_last_byte(2);
/// The number of blocks with deposits, three in each.
const BLOCKS: u64 = 700;

fn mine(chain: &Devchain, calls: &[UnsignedCall]) {
    let (_, executed) = chain.mine_unsigned(calls).unwrap();
    assert!(executed.iter().all(|call| call.end.is_success()), "{executed:?}");
}

fn call(from: Address, to: Address, call: &impl SolCall) -> UnsignedCall {
    UnsignedCall { from, to: Some(to), input: call.abi_encode().into() }
}

fn holder(number: u64) -> Address {
    Address::from_word(U256::from(0x1_0000 + number).into())
}

/// A set with this number of holders. The number of deposits doesn't depend on it.
fn chain_with(holders: u64) -> Devchain {
    let Deployed { set, .. } = Deployed::shared();
    let chain = Deployed::shared().chain(0, 1);
    let amount = U256::from(3 * BLOCKS);
    let approve = Asset::approveCall { spender: set.governance, amount };
    mine(&chain, &[call(set.issuer, set.asset, &Asset::mintCall { to: WHALE, amount })]);
    mine(&chain, &[call(WHALE, set.asset, &approve)]);
    for block in 0..BLOCKS {
        let deposit = |number| {
            let on_behalf_of = holder((3 * block + number) % holders);
            let deposit = Governance::depositCall { onBehalfOf: on_behalf_of, amount: U256::ONE };
            call(WHALE, set.governance, &deposit)
        };
        mine(&chain, &[0, 1, 2].map(deposit));
    }
    (0..100).for_each(|_| drop(chain.mine().unwrap()));
    chain
}

fn holders(opened: &OpenedSet) -> usize {
    assert!(opened.no_history.is_none() && opened.notes.is_empty(), "{opened:?}");
    opened.view.history.as_ref().unwrap().governance().holders().count()
}

/// A question about one holder.
fn about(holder: Address) -> Question {
    Question { holders: [(holder, Default::default())].into(), ..Question::default() }
}

/// The requests, by method, to open a set with a saved state.
async fn warm_requests(chain: &Devchain, expected: u64) -> BTreeMap<String, u64> {
    let deployed = Deployed::shared();
    let cache = folder(&format!("cost-{expected}"));
    let faults = Faults::default();
    let client = client_by(&faults, chain).await;
    deployed.open_asking(&client, &about(holder(0)), &cache).await;
    faults.take_requests();
    let opened = deployed.open_asking(&client, &about(holder(0)), &cache).await;
    assert_eq!(holders(&opened) as u64, expected);
    fs::remove_dir_all(&cache).unwrap();
    faults.take_requests()
}

#[test]
fn opening_a_set_costs_the_same_with_3_holders_and_with_2100() {
    let [few, many] = [3, 3 * BLOCKS].map(chain_with);
    run(async {
        let requests = warm_requests(&few, 3).await;
        assert_eq!(requests, warm_requests(&many, 3 * BLOCKS).await);
        // There is one view of the present and one comparison, both with the lens.
        assert!(requests["eth_call"] <= 10, "{requests:?}");
        // The requests that a comparison of every holder would take.
        let faults = Faults::default();
        let client = client_by(&faults, &many).await;
        let identity = Deployed::shared().identity(&client).await;
        let source = ChainSource::new(client, ComparisonScope::Everything);
        let mut follower = Follower::new(source, identity);
        follower.catch_up().await.unwrap();
        faults.take_requests();
        follower.verify().await.unwrap();
        let everything = faults.take_requests();
        assert!(everything["eth_call"] > 40, "{everything:?}");
    });
}

/// The endpoint omits a transfer between two accounts about which nobody asks.
#[test]
fn a_lost_transfer_is_found_when_one_of_its_accounts_is_asked_about() {
    let deployed = Deployed::shared();
    let chain = deployed.chain(3, 1);
    let [sender, recipient] = [WHALE, holder(7)];
    let amount = U256::from(5);
    let set = &deployed.set;
    mine(&chain, &[call(set.issuer, set.asset, &Asset::mintCall { to: sender, amount })]);
    mine(&chain, &[call(sender, set.asset, &Asset::transferCall { to: recipient, amount })]);
    (0..150).for_each(|_| drop(chain.mine().unwrap()));
    let cache = folder("lost-transfer");
    run(async {
        let faults = Faults::default();
        let client = client_by(&faults, &chain).await;
        faults.answer(move |request| match request.method() {
            "eth_getLogs" => Answer::Changed(Box::new(move |mut logs| {
                let is_lost = |log: &Value| {
                    log["topics"][0] == json!(Asset::Transfer::SIGNATURE_HASH)
                        && log["topics"][1] == json!(sender.into_word())
                };
                logs.as_array_mut().unwrap().retain(|log| !is_lost(log));
                logs
            })),
            _ => Answer::Node,
        });
        let balance = |opened: &OpenedSet| {
            opened.view.history.as_ref().unwrap().asset().balance_of(recipient)
        };
        let opened = deployed.open(&client, &cache).await;
        assert!(opened.no_history.is_none() && opened.notes.is_empty(), "{opened:?}");
        assert_eq!(balance(&opened), Amount::ZERO, "nothing that was asked depends on it");
        faults.answer(|_| Answer::Node);
        for asked in [sender, recipient] {
            let copy = folder("lost-transfer-copy");
            fs::create_dir_all(&copy).unwrap();
            for file in fs::read_dir(&cache).unwrap() {
                let file = file.unwrap();
                fs::copy(file.path(), copy.join(file.file_name())).unwrap();
            }
            let opened = deployed.open_asking(&client, &about(asked), &copy).await;
            assert!(opened.no_history.is_none() && opened.notes.is_empty(), "{opened:?}");
            assert_eq!(balance(&opened), Amount::of(5), "{asked}");
            fs::remove_dir_all(&copy).unwrap();
        }
    });
    fs::remove_dir_all(&cache).unwrap();
}

/// An agent's follower is asked about one account after the other.
#[test]
fn a_question_about_another_account_is_compared_once() {
    let chain = chain_with_old_blocks();
    run(async {
        let faults = Faults::default();
        let client = client_by(&faults, &chain).await;
        let identity = Deployed::shared().identity(&client).await;
        let scope = |holder| ComparisonScope::Asked(about(holder));
        let source = ChainSource::new(client, scope(WHALE));
        let mut follower = Follower::new(source, identity);
        follower.catch_up().await.unwrap();
        for (asked, compares) in [(WHALE, false), (holder(1), true), (holder(1), false)] {
            follower.compare_for(scope(asked));
            let is_pending = matches!(follower.verification(), Verification::Pending);
            assert_eq!(is_pending, compares, "{asked}");
            faults.take_requests();
            follower.catch_up().await.unwrap();
            assert_eq!(faults.take_requests().contains_key("eth_call"), compares, "{asked}");
            assert!(matches!(follower.verification(), Verification::Verified));
        }
    });
}

/// A chain with blocks that are read in ranges, so that the state must be compared.
fn chain_with_old_blocks() -> Devchain {
    Deployed::shared().chain(150, 1)
}
