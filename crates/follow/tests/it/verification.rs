//! States for which the comparison with the contracts' answers isn't possible.

use crate::{
    opening::{Deployed, client_by, folder},
    support::{client, fresh, insist, run, source},
};
use alloy_json_rpc::SerializedRequest;
use alloy_primitives::{Address, B256, Bytes, U256, hex};
use alloy_sol_types::{SolCall, SolEvent};
use canon_abi::{Asset, Governance, Proposals};
use canon_chain::{Client, Error, FINALITY};
use canon_devchain::{Devchain, UnsignedCall};
use canon_faults::{Answer, Faults, params};
use canon_follow::{
    Advance, ChainSource, ComparisonScope, FollowError, Follower, OpenNote, SourceError,
    Verification,
};
use canon_protocol::BlockNumber;
use canon_views::Question;
use serde_json::json;
use std::{fs, path::Path};

/// A false answer of an endpoint about the contracts of a valid set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FalseAnswer {
    NoCode,
    Reverts,
    Empty,
    TooLarge,
    OtherRegistry,
}

impl FalseAnswer {
    const ALL: [Self; 5] =
        [Self::NoCode, Self::Reverts, Self::Empty, Self::TooLarge, Self::OtherRegistry];

    /// Whether an error is the one that this false answer causes.
    const fn is_shown_by(self, error: &Error) -> bool {
        match self {
            Self::NoCode => matches!(error, Error::NoCode { .. }),
            Self::Reverts => matches!(error, Error::NoAnswer { .. }),
            Self::Empty => matches!(error, Error::BadAnswer { .. }),
            Self::TooLarge => matches!(error, Error::OutOfRange { .. }),
            Self::OtherRegistry => matches!(error, Error::Inconsistent { .. }),
        }
    }

    fn answer(self, request: &SerializedRequest) -> Answer {
        let asked = params(request);
        if request.method() == "eth_call" {
            let call = &asked[0];
            if call["to"].is_null() {
                return Answer::Refusal(-32000, "no creation is executed".to_owned());
            }
            let data = call["input"].as_str().or_else(|| call["data"].as_str()).unwrap();
            let data: Bytes = data.parse().unwrap();
            let is = |selector: [u8; 4]| data.starts_with(&selector);
            return match self {
                Self::Reverts if is(Asset::balanceOfCall::SELECTOR) => {
                    Answer::Refusal(3, "execution reverted".to_owned())
                }
                Self::Empty if is(Asset::balanceOfCall::SELECTOR) => Answer::Result(json!("0x")),
                Self::TooLarge if is(Asset::balanceOfCall::SELECTOR) => {
                    Answer::Result(json!(B256::repeat_byte(0xff)))
                }
                Self::OtherRegistry if is(Proposals::REGISTRYCall::SELECTOR) => {
                    Answer::Result(json!(Address::repeat_byte(7).into_word()))
                }
                _ => Answer::Node,
            };
        }
        match request.method() {
            "eth_getCode" if self == Self::NoCode => Answer::Result(json!("0x")),
            _ => Answer::Node,
        }
    }
}

/// A chain with a set and a holder, whose allowance is part of the views.
pub(crate) fn chain_with_holder() -> Devchain {
    let Deployed { set, .. } = Deployed::shared();
    let chain = Deployed::shared().chain(150, 1);
    let (holder, amount) = (Address::with_last_byte(2), U256::from(5));
    let mint = Asset::mintCall { to: holder, amount }.abi_encode().into();
    let approve = Asset::approveCall { spender: set.governance, amount }.abi_encode();
    let deposit = Governance::depositCall { onBehalfOf: holder, amount }.abi_encode().into();
    let calls = [
        (set.issuer, set.asset, mint),
        (holder, set.asset, approve.clone().into()),
        (holder, set.governance, deposit),
        (holder, set.asset, approve.into()),
    ];
    for (from, to, input) in calls {
        let call = UnsignedCall { from, to: Some(to), input };
        let (_, executed) = chain.mine_unsigned(&[call]).unwrap();
        assert!(executed.iter().all(|call| call.end.is_success()), "{executed:?}");
    }
    chain
}

#[test]
fn a_lying_endpoint_verifies_nothing() {
    let deployed = Deployed::shared();
    let chain = chain_with_holder();
    run(async {
        let identity = deployed.identity(&client(chain.client()).await).await;
        for false_answer in FalseAnswer::ALL {
            for leaves_out in [false, true] {
                let faults = Faults::default();
                let client = client_by(&faults, &chain).await;
                faults.answer(move |request| match request.method() {
                    "eth_getLogs" if leaves_out => Answer::Changed(Box::new(|mut logs| {
                        let approval = json!(Asset::Approval::SIGNATURE_HASH);
                        logs.as_array_mut().unwrap().retain(|log| log["topics"][0] != approval);
                        logs
                    })),
                    _ => false_answer.answer(request),
                });
                let mut follower = Follower::new(
                    ChainSource::new(client.clone(), ComparisonScope::Everything),
                    identity.clone(),
                );
                assert!(
                    matches!(follower.verification(), Verification::Verified),
                    "{false_answer:?}"
                );
                insist(&mut follower).await;
                assert_eq!(follower.block().unwrap().hash, chain.block_hash());
                let Verification::NotComparable(error) = follower.verification() else {
                    panic!("{false_answer:?}: {:?}", follower.verification());
                };
                assert!(false_answer.is_shown_by(error), "{false_answer:?}: {error}");
                // The same block isn't compared repeatedly.
                faults.take_requests();
                assert_eq!(follower.step().await.unwrap(), Advance::UpToDate);
                assert_eq!(faults.take_requests().get("eth_call"), None, "{false_answer:?}");

                faults.answer(|_| Answer::Node);
                let compared = follower.verify().await;
                match leaves_out {
                    true => {
                        assert!(matches!(compared, Err(FollowError::Differs(_))), "{compared:?}");
                        assert!(matches!(follower.verification(), Verification::Pending));
                    }
                    false => {
                        compared.unwrap();
                        assert!(matches!(follower.verification(), Verification::Verified));
                    }
                }
            }
        }
    });
}

#[test]
fn a_set_that_is_opened_without_a_verification_says_so() {
    let deployed = Deployed::shared();
    let chain = chain_with_holder();
    run(async {
        // The first view of the present doesn't ask for this holder, but the comparison does.
        let mut question = Question::default();
        question.holders.insert(Address::with_last_byte(2), Default::default());
        let open = async |client: &Client, cache: &Path| {
            deployed.open_asking(client, &question, cache).await
        };
        for false_answer in [FalseAnswer::Reverts, FalseAnswer::Empty, FalseAnswer::TooLarge] {
            let cache = folder("not-verified");
            let faults = Faults::default();
            let client = client_by(&faults, &chain).await;
            faults.answer(move |request| false_answer.answer(request));
            let opened = open(&client, &cache).await;
            assert!(opened.view.history.is_some(), "{false_answer:?}: {opened:?}");
            let [OpenNote::NotVerified(error)] = &opened.notes[..] else {
                panic!("{false_answer:?}: {:?}", opened.notes);
            };
            assert!(false_answer.is_shown_by(error), "{false_answer:?}: {error}");
            let text = opened.notes[0].to_string();
            assert!(text.starts_with("not verified: "), "{text}");
            // The file that it writes isn't verified either.
            let again = open(&client, &cache).await;
            assert!(matches!(again.notes[..], [OpenNote::NotVerified(_)]), "{:?}", again.notes);
            faults.answer(|_| Answer::Node);
            let again = open(&client, &cache).await;
            assert!(again.notes.is_empty(), "{:?}", again.notes);
            fs::remove_dir_all(&cache).unwrap();
        }
    });
}

#[test]
fn a_block_without_the_logs_that_its_bloom_shows_is_not_verified() {
    let deployed = Deployed::shared();
    run(async {
        for false_answer in [None, Some(FalseAnswer::NoCode)] {
            let chain = chain_with_holder();
            let faults = Faults::default();
            let client = client_by(&faults, &chain).await;
            let identity = deployed.identity(&client).await;
            let mut follower = Follower::new(
                ChainSource::new(client, ComparisonScope::Everything),
                identity.clone(),
            );
            follower.catch_up().await.unwrap();
            assert!(matches!(follower.verification(), Verification::Verified));

            // The node has the block, but hasn't indexed its logs yet.
            faults.answer(move |request| match request.method() {
                "eth_getLogs" => Answer::Result(json!([])),
                _ => false_answer.map_or(Answer::Node, |false_answer| false_answer.answer(request)),
            });
            let (spender, amount) = (deployed.set.governance, U256::from(7));
            let input = Asset::approveCall { spender, amount }.abi_encode().into();
            let from = Address::with_last_byte(2);
            let call = UnsignedCall { from, to: Some(deployed.set.asset), input };
            chain.mine_unsigned(&[call]).unwrap();
            let number = BlockNumber::of(chain.block_number());
            match false_answer {
                None => {
                    let missing = FollowError::Source(SourceError::MissingLogs(number));
                    for _ in 0..2 {
                        let error = follower.catch_up().await.unwrap_err();
                        assert_eq!(error.to_string(), missing.to_string());
                        assert_ne!(follower.block().unwrap().number, number);
                    }
                    // The logs stay missing, and the contracts' answers reveal it.
                    let error = follower.catch_up().await.unwrap_err();
                    assert!(matches!(error, FollowError::Differs(_)), "{error}");
                    assert!(matches!(follower.verification(), Verification::Pending));
                    faults.answer(|_| Answer::Node);
                    faults.take_requests();
                    follower.catch_up().await.unwrap();
                    // Only the window is read again.
                    let requests = faults.take_requests();
                    assert!(requests["eth_getLogs"] <= 2 * FINALITY + 2, "{requests:?}");
                }
                Some(_) => {
                    insist(&mut follower).await;
                    let verification = follower.verification();
                    let is_open = matches!(verification, Verification::NotComparable(_));
                    assert!(is_open, "{verification:?}");
                    // At a later block, the answers can be compared.
                    faults.answer(|_| Answer::Node);
                    chain.mine().unwrap();
                    let error = follower.catch_up().await.unwrap_err();
                    assert!(matches!(error, FollowError::Differs(_)), "{error}");
                    insist(&mut follower).await;
                }
            }
            assert!(matches!(follower.verification(), Verification::Verified));
            assert!(*follower.state() == fresh(&chain, &identity).await);
        }
    });
}

#[test]
fn a_full_block_is_proven_by_its_own_logs_and_costs_no_comparison() {
    let deployed = Deployed::shared();
    let chain = chain_with_holder();
    run(async {
        let faults = Faults::default();
        let client = client_by(&faults, &chain).await;
        let identity = deployed.identity(&client).await;
        let mut follower =
            Follower::new(ChainSource::new(client, ComparisonScope::Everything), identity.clone());
        follower.catch_up().await.unwrap();

        // The code emits 1,000 logs with four topics each, after which the bloom may contain everything.
        let logs = hex!("6103e8 5b 80 8119 8260201b 8360401b 5f5f a4 60019003 80600357 00");
        let (spender, amount) = (deployed.set.governance, U256::from(7));
        let approve = Asset::approveCall { spender, amount }.abi_encode().into();
        let from = Address::with_last_byte(2);
        let calls = [
            UnsignedCall { from, to: None, input: logs.into() },
            UnsignedCall { from, to: Some(deployed.set.asset), input: approve },
        ];
        let (_, executed) = chain.mine_unsigned(&calls).unwrap();
        assert!(executed.iter().all(|call| call.end.is_success()), "{executed:?}");
        let allowance = |follower: &Follower<ChainSource>| {
            follower.state().asset().allowance(from, deployed.set.governance)
        };
        assert_ne!(allowance(&follower), amount);

        faults.take_requests();
        follower.catch_up().await.unwrap();
        let requests = faults.take_requests();
        assert_eq!(requests.get("eth_call"), None, "{requests:?}");
        assert_eq!(requests["eth_getLogs"], 1, "{requests:?}");
        assert!(matches!(follower.verification(), Verification::Verified));
        assert_eq!(allowance(&follower), amount);
        assert!(*follower.state() == fresh(&chain, &identity).await);

        // Of all but the newest of many blocks, only the set's logs are read, and the state is compared
        // once.
        for _ in 0..8 {
            chain.mine_unsigned(&calls).unwrap();
        }
        follower.catch_up().await.unwrap();
        let requests = faults.take_requests();
        assert_eq!(requests["eth_getLogs"], 4 * 2 + 4, "{requests:?}");
        follower.verify().await.unwrap();
        assert_eq!(requests["eth_call"], faults.take_requests()["eth_call"]);
        assert!(matches!(follower.verification(), Verification::Verified));
    });
}

/// Makes a contract with this code the Proposals contract in force.
fn put_into_office(chain: &Devchain, governance: Address, code: &[u8]) -> Address {
    // PUSH code, MSTORE; RETURN its bytes, which are at the end of the word.
    let (push, length) = (0x5f + code.len() as u8, code.len() as u8);
    let init_code =
        [&[push], code, &[0x60, 0, 0x52, 0x60, length, 0x60, 32 - length, 0xf3]].concat();
    let from = Address::with_last_byte(3);
    let proposals = from.create(0);
    let call = Governance::updateGovernanceProposerCall { newGovernanceProposer: proposals };
    let input = call.abi_encode().into();
    let calls = [
        UnsignedCall { from, to: None, input: init_code.into() },
        UnsignedCall { from: governance, to: Some(governance), input },
    ];
    let (_, executed) = chain.mine_unsigned(&calls).unwrap();
    assert!(executed.iter().all(|call| call.end.is_success()), "{executed:?}");
    proposals
}

#[test]
fn a_set_whose_proposals_reverts_is_verified_but_for_signals() {
    let deployed = Deployed::shared();
    let chain = deployed.chain(150, 1);
    let cache = folder("reverting-proposals");
    run(async {
        // INVALID
        let proposals = put_into_office(&chain, deployed.set.governance, &[0xfe]);
        let opened = deployed.open(&client(chain.client()).await, &cache).await;
        assert!(opened.no_history.is_none() && opened.notes.is_empty(), "{opened:?}");
        assert!(opened.unknown.iter().eq([&proposals]), "{:?}", opened.unknown);
        assert!(opened.view.present.signaling.is_none());
    });
    fs::remove_dir_all(&cache).unwrap();
}

#[test]
fn a_set_whose_proposals_contradicts_it_is_followed_and_not_verified() {
    let deployed = Deployed::shared();
    let chain = deployed.chain(150, 1);
    run(async {
        let identity = deployed.identity(&client(chain.client()).await).await;
        // The contract returns 7 for every call, so its Registry is another one.
        let seven = [0x60, 7, 0x60, 0, 0x52, 0x60, 32, 0x60, 0, 0xf3];
        let proposals = put_into_office(&chain, deployed.set.governance, &seven);
        let mut follower = Follower::new(source(&chain).await, identity);
        follower.catch_up().await.unwrap();
        assert_eq!(follower.state().governance().governance_proposer(), proposals);
        let Verification::NotComparable(error) = follower.verification() else {
            panic!("{:?}", follower.verification());
        };
        assert!(matches!(**error, Error::Inconsistent { .. }), "{error}");
        let [owner, spender] = [2, 1].map(Address::with_last_byte);
        let allowance = follower.state().asset().allowance(owner, spender);
        assert_eq!(allowance, U256::from(10_000 + 149));
    });
}
