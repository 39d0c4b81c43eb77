//! The deployer: the order of its steps, postconditions, interruptions and tampering.

use crate::test_chain::{TestChain, chain, create, deployed, newest_view, parameters};
use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, Bytes, U256, address};
use canon_abi::{Asset, Contract, Registry};
use canon_chain::{
    Error, NoWait, Waited, calls,
    deploy::{
        Create2Origin, DeployError, DeployProgress, DeployRecord, DeployedSet, SetParameters,
        SetPlan, Step, StepReceipt, deploy,
    },
};
use canon_protocol::Timestamp;
use canon_views::{Question, SetAddresses};
use core::ops::ControlFlow;

const STRANGER: Address = address!("0x00000000000000000000000000000000000000aa");

pub(crate) const fn go_on(_: &DeployRecord, _: DeployProgress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Deploys until `last` is done.
pub(crate) async fn until(chain: &TestChain, last: Step) -> DeployRecord {
    let mut record = chain.record();
    let stopped = chain
        .go_on(&mut record, |_, progress| match progress {
            DeployProgress::Finished(done) if done.step == last => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        })
        .await;
    assert!(matches!(stopped, Err(DeployError::Stopped { .. })), "{stopped:?}");
    record
}

/// The record after being written to a file and read back.
pub(crate) fn saved(record: &DeployRecord) -> DeployRecord {
    toml::from_str(&toml::to_string(record).unwrap()).unwrap()
}

#[tokio::test]
async fn every_step_is_reported_in_order_with_its_gas() {
    let chain = chain().await;
    let mut record = chain.record();
    let mut reported = Vec::new();
    let set = chain
        .go_on(&mut record, |record, progress| {
            reported.push((progress, saved(record)));
            ControlFlow::Continue(())
        })
        .await
        .unwrap();
    let begun = reported.iter().filter_map(|(progress, record)| match progress {
        DeployProgress::Begun(begun) => Some((begun, record)),
        _ => None,
    });
    for ((begun, record), (step, nonce)) in begun.zip(Step::ALL.into_iter().zip(0..)) {
        let recorded = record.begun.as_ref().unwrap();
        assert_eq!((*begun, recorded.step, recorded.nonce), (step, step, nonce));
        assert!(!record.is_done(step));
    }
    assert_eq!(reported.len(), 2 * Step::ALL.len());
    assert_eq!(record.next(), None);
    assert_eq!(record.begun, None);
    let gas: u64 = record.done.iter().map(|done| done.receipt.unwrap().gas_used).sum();
    assert_eq!(record.gas_used(), gas);
    for done in &record.done {
        let (used, most) = (done.receipt.unwrap().gas_used, done.step.most_gas());
        // Gas that is refunded at the end is needed nevertheless.
        assert!((most / 2..=most * 9 / 10).contains(&used), "{}: {used} of {most}", done.step);
    }
    assert_eq!(record.most_gas_left(), 0);
    let fee = record.fee(&chain.client).await.unwrap();
    assert!(fee > U256::from(gas), "{fee}");
    let unknown = StepReceipt { transaction: B256::ZERO, ..record.done[0].receipt.unwrap() };
    let error = unknown.fee(&chain.client).await.unwrap_err();
    assert!(error.is_temporary(), "{error}");
    assert!(record.done.iter().all(|done| done.receipt.unwrap().gas_used > 20_000));
    assert_eq!(record.address(Step::Expect), Some(set.expect));
    assert_eq!(record.first_block(), Some(record.done[0].receipt.unwrap().block));

    let question = Question::default();
    let view = newest_view(&chain.client, set.deployment.registry, &question).await.unwrap();
    let found = view.addresses;
    assert_eq!(found, set.deployment);
    assert_eq!(found.reward_distributor, Some(set.reward_distributor));
}

#[tokio::test]
async fn nothing_is_left_with_the_deployer() {
    let (chain, set) = deployed().await;
    let (at, deployer) =
        (chain.client.head().await.unwrap().hash.into(), chain.accounts[0].address());
    let SetAddresses { registry, asset, issuer, governance, rollup, .. } = set.deployment;
    for (contract, owner) in [
        (asset, issuer),
        (issuer, governance),
        (registry, governance),
        (rollup, governance),
        (set.reward_distributor, governance),
    ] {
        assert_eq!(chain.client.read(at, contract, Registry::ownerCall {}).await.unwrap(), owner);
        let pending = chain.client.read(at, contract, Registry::pendingOwnerCall {}).await;
        assert_eq!(pending.unwrap(), Address::ZERO);
        let error = chain.send(0, calls::offer_ownership(contract, deployer)).await.unwrap_err();
        let revert = error.as_revert().unwrap();
        assert!(revert.is::<Registry::OwnableUnauthorizedAccount>(), "{error}");
    }
}

#[tokio::test]
async fn an_interruption_after_any_step_is_made_good() {
    let chain = chain().await;
    let mut record = chain.record();
    let mut runs = 0;
    let set: DeployedSet = loop {
        record = saved(&record);
        let mut verified = 0;
        let done = record.done.len();
        let outcome = chain
            .go_on(&mut record, |_, progress| match progress {
                DeployProgress::Verified(_) => {
                    verified += 1;
                    ControlFlow::Continue(())
                }
                DeployProgress::Finished(_) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            })
            .await;
        assert_eq!(verified, done, "what was done is verified again");
        runs += 1;
        match outcome {
            Ok(set) => break set,
            Err(DeployError::Stopped { step }) => assert_eq!(Some(step), record.next()),
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(runs, Step::ALL.len());
    assert_eq!(chain.devchain.nonce(record.deployer), 13);
    // A second run verifies everything and sends nothing.
    assert_eq!(chain.go_on(&mut record, go_on).await.unwrap(), set);
    assert_eq!(chain.devchain.nonce(record.deployer), 13);
}

#[tokio::test]
async fn a_stop_at_a_verified_step_names_the_first_step_that_is_left() {
    let chain = chain().await;
    let mut record = until(&chain, Step::Proposals).await;
    let mut verified = 0;
    let stopped = chain
        .go_on(&mut record, |_, progress| {
            assert!(matches!(progress, DeployProgress::Verified(_)), "{progress:?}");
            verified += 1;
            ControlFlow::Break(())
        })
        .await;
    assert_eq!(verified, 1);
    let Err(DeployError::Stopped { step }) = stopped else { panic!("{stopped:?}") };
    assert_eq!(step, Step::Governance);
    // Once all steps are done, there is nothing to stop.
    let set = chain.go_on(&mut record, go_on).await.unwrap();
    let again = chain.go_on(&mut record, |_, _| ControlFlow::Break(())).await;
    assert_eq!(again.unwrap(), set);
}

#[tokio::test]
async fn an_interruption_after_sending_any_step_does_not_send_it_twice() {
    let chain = chain().await;
    let mut record = chain.record();
    for step in Step::ALL {
        // The newest saved record is the one before the transaction was sent.
        let mut newest = record.clone();
        let run = chain
            .go_on(&mut record, |record, progress| match progress {
                DeployProgress::Begun(begun) if begun == step => {
                    newest = saved(record);
                    ControlFlow::Continue(())
                }
                DeployProgress::Finished(done) if done.step == step => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            })
            .await;
        assert!(matches!(run, Ok(_) | Err(DeployError::Stopped { .. })), "{run:?}");
        assert_eq!(newest.begun.as_ref().unwrap().step, step);
        record = newest;
    }
    let set = chain.go_on(&mut record, go_on).await.unwrap();
    assert_eq!(chain.devchain.nonce(record.deployer), 13);
    assert!(
        record.done.iter().all(|done| done.receipt.is_some()),
        "its own transactions are known"
    );
    assert_eq!(record.address(Step::Registry), Some(set.deployment.registry));
}

#[tokio::test]
async fn a_step_that_was_begun_and_not_sent_is_sent() {
    let chain = chain().await;
    let mut record = chain.record();
    let stopped = chain
        .go_on(&mut record, |_, progress| match progress {
            DeployProgress::Begun(Step::OfferAsset) => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        })
        .await;
    assert!(matches!(stopped, Err(DeployError::Stopped { step: Step::OfferAsset })));
    chain.go_on(&mut saved(&record), go_on).await.unwrap();
    assert_eq!(chain.devchain.nonce(record.deployer), 13);
}

/// The base fee rises after a transaction is signed: before it is sent, or while it is in the pool.
#[tokio::test]
async fn a_step_whose_fee_has_become_too_low_is_sent_for_more_also_by_a_later_run() {
    for rises_in_pool in [false, true] {
        let chain = chain().await;
        chain.devchain.set_mining(canon_devchain::Mining::Manual);
        let rise = || chain.devchain.set_base_fee_next(30_000_000_000);
        let devchain = &chain.devchain;
        let mut is_risen = false;
        let mut wait = |_| {
            if rises_in_pool && !is_risen {
                is_risen = true;
                rise();
            }
            // The pool keeps what offers too little.
            devchain.mine().unwrap();
            std::future::ready(Waited::Again)
        };
        let mut record = chain.record();
        let mut begun = 0;
        let progress = |record: &DeployRecord, progress| {
            if progress == DeployProgress::Begun(Step::Asset) {
                begun += 1;
                if begun == 1 && !rises_in_pool {
                    rise();
                }
                // The process ends when the second version is recorded.
                if begun == 2 {
                    assert_eq!(record.begun.as_ref().unwrap().replaced.len(), 1);
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        };
        let mut sender = chain.sender(0);
        let checked = parameters();
        let stopped = deploy(&mut sender, &checked, &mut record, &mut wait, progress).await;
        assert!(matches!(stopped, Err(DeployError::Stopped { step: Step::Asset })), "{stopped:?}");
        let mut record = saved(&record);
        deploy(&mut chain.sender(0), &checked, &mut record, &mut wait, go_on).await.unwrap();
        assert_eq!(chain.devchain.nonce(record.deployer), 13);
    }
}

#[tokio::test]
async fn a_record_is_bound_to_its_chain_its_key_and_its_parameters() {
    let chain = chain().await;
    let record = until(&chain, Step::Registry).await;

    let mut other = DeployRecord { chain_id: 1, ..record.clone() };
    let error = chain.go_on(&mut other, go_on).await.unwrap_err();
    assert!(matches!(error, DeployError::OtherChain { record: 1, chain: 31337 }), "{error}");

    let mut same = record.clone();
    let sent = deploy(&mut chain.sender(1), &parameters(), &mut same, &mut NoWait, go_on).await;
    assert!(matches!(sent, Err(DeployError::OtherDeployer { .. })));

    let mut raw = SetParameters::tests();
    raw.asset.symbol = "OTHER".into();
    let changed = raw.check().unwrap();
    let sent = deploy(&mut chain.sender(0), &changed, &mut same, &mut NoWait, go_on).await;
    assert!(matches!(sent, Err(DeployError::OtherParameters)));

    assert_eq!(chain.devchain.nonce(record.deployer), 2, "nothing was sent");
}

#[tokio::test]
async fn a_contract_that_is_gone_is_found() {
    let chain = chain().await;
    let mut record = until(&chain, Step::Proposals).await;
    let proposals = record.address(Step::Proposals).unwrap();
    chain.devchain.set_code(proposals, Bytes::new()).unwrap();
    let error = chain.go_on(&mut record, go_on).await.unwrap_err();
    let DeployError::NotCreated { contract, address } = error else { panic!("{error}") };
    assert_eq!((contract, address), (Contract::Proposals, proposals));
    assert_eq!(chain.devchain.nonce(record.deployer), 3, "nothing was sent");
}

#[tokio::test]
async fn a_factory_that_creates_nothing_is_found() {
    let chain = chain().await;
    let factory = Address::repeat_byte(0xfa);
    // STOP: every call succeeds.
    chain.devchain.set_code(factory, Bytes::from_static(&[0])).unwrap();
    let origin = Create2Origin { factory, ..Create2Origin::default() };
    let parameters = SetParameters { origin, ..SetParameters::tests() };
    let mut record = DeployRecord { parameters, ..chain.record() };
    let error = chain.go_on(&mut record, go_on).await.unwrap_err();
    let DeployError::Step { step: Step::Asset, source } = error else { panic!("{error}") };
    assert!(matches!(source, Error::NotCreated { hash: None, .. }), "{source}");
    assert!(record.done.is_empty());
    assert_eq!(chain.devchain.nonce(record.deployer), 0, "nothing was sent");
}

#[tokio::test]
async fn another_address_in_the_record_is_found() {
    let chain = chain().await;
    let mut record = until(&chain, Step::Registry).await;
    // A genuine Registry that belongs to somebody else.
    let call = canon_chain::ContractCall::create(
        Contract::Registry,
        &Registry::constructorCall { initialOwner: STRANGER },
    );
    let other = chain.send(1, call).await.unwrap().created.unwrap();
    let expected = std::mem::replace(&mut record.done[1].address, other);
    let error = chain.go_on(&mut record, go_on).await.unwrap_err();
    let DeployError::OtherAddress { step, expected: found, record } = error else {
        panic!("{error}")
    };
    assert_eq!((step, found, record), (Step::Registry, expected, other));
}

#[tokio::test]
async fn rights_that_were_given_away_meanwhile_are_found() {
    for (last, created) in [(Step::Asset, Step::Asset), (Step::Upgrade, Step::Registry)] {
        let chain = chain().await;
        let mut record = until(&chain, last).await;
        let contract = record.address(created).unwrap();
        chain.send(0, calls::offer_ownership(contract, STRANGER)).await.unwrap();
        let error = chain.go_on(&mut record, go_on).await.unwrap_err();
        let text = error.to_string();
        let DeployError::Postcondition { what, address, .. } = error else { panic!("{error}") };
        assert_eq!((what, address), ("pendingOwner()", contract));
        assert!(
            text.contains("is 0x00000000000000000000000000000000000000AA, expected nobody;"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn tokens_may_move_between_the_steps() {
    let chain = chain().await;
    let mut record = until(&chain, Step::Governance).await;
    let asset = record.address(Step::Asset).unwrap();
    let amount = canon_protocol::Amount::TOKEN;
    chain.send(0, calls::transfer(asset, STRANGER, amount)).await.unwrap();
    let set = chain.go_on(&mut record, go_on).await.unwrap();
    let at = BlockId::from(chain.client.head().await.unwrap().hash);
    let call = Asset::balanceOfCall { owner: STRANGER };
    let balance = chain.client.read(at, set.deployment.asset, call).await.unwrap();
    assert_eq!(balance, amount.to_word());
}

#[tokio::test]
async fn a_transaction_that_is_not_mined_stops_the_deployment() {
    let chain = chain().await;
    let mut record = until(&chain, Step::Issuer).await;
    chain.devchain.set_mining(canon_devchain::Mining::Manual);
    let error = chain.go_on(&mut record, go_on).await.unwrap_err();
    let DeployError::Step { step: Step::RewardDistributor, source } = error else {
        panic!("{error}");
    };
    assert!(matches!(source, Error::NotMined { .. }) && source.is_temporary());
    // The transaction is mined after all, and the contract is taken over.
    chain.devchain.mine().unwrap();
    chain.devchain.set_mining(canon_devchain::Mining::Auto);
    chain.go_on(&mut record, go_on).await.unwrap();
    assert_eq!(chain.devchain.nonce(record.deployer), 13);
}

#[tokio::test]
async fn a_transaction_that_is_still_in_the_pool_is_not_sent_twice() {
    let chain = chain().await;
    let mut record = until(&chain, Step::Issuer).await;
    chain.devchain.set_mining(canon_devchain::Mining::Manual);
    for _ in 0..3 {
        let error = chain.go_on(&mut record, go_on).await.unwrap_err();
        assert!(matches!(error, DeployError::Step { .. }), "{error}");
        assert_eq!(record.begun.as_ref().unwrap().nonce, 5);
    }
    assert_eq!(chain.devchain.pool_size(), 1);
    chain.devchain.mine().unwrap();
    chain.devchain.set_mining(canon_devchain::Mining::Auto);
    chain.go_on(&mut record, go_on).await.unwrap();
    assert_eq!(chain.devchain.nonce(record.deployer), 13);
}

#[tokio::test]
async fn the_genesis_is_decided_before_anything_is_sent() {
    let chain = chain().await;
    let now = chain.devchain.timestamp();
    let mut record = chain.record();
    let stopped = chain.go_on(&mut record, |_, _| ControlFlow::Break(())).await;
    assert!(matches!(stopped, Err(DeployError::Stopped { step: Step::Asset })), "{stopped:?}");
    assert_eq!(record.genesis, Some(Timestamp::of(now)));
    chain.devchain.increase_time(1000);
    let set = chain.go_on(&mut saved(&record), go_on).await.unwrap();
    let question = Question::default();
    let view = newest_view(&chain.client, set.deployment.registry, &question).await.unwrap();
    assert_eq!(Some(view.canonical_clock().unwrap().genesis), record.genesis);
    assert_eq!(view.signaling.unwrap().rules.n(), 6);
}

#[tokio::test]
async fn all_addresses_are_known_before_anything_is_sent() {
    let salt = B256::with_last_byte(7);
    let mut found = Vec::new();
    for origin in [Create2Origin::default(), Create2Origin { salt, ..Create2Origin::default() }] {
        let chain = chain().await;
        let parameters = SetParameters { origin, ..SetParameters::tests() };
        let genesis = Timestamp::of(chain.devchain.timestamp());
        let plan = SetPlan::new(&parameters, chain.accounts[0].address(), genesis);
        let mut record = DeployRecord { parameters, ..chain.record() };
        let set = chain.go_on(&mut record, go_on).await.unwrap();
        let SetAddresses { registry, asset, issuer, governance, proposals, rollup, .. } =
            set.deployment;
        for (step, address) in [
            (Step::Asset, asset),
            (Step::Registry, registry),
            (Step::Proposals, proposals),
            (Step::Governance, governance),
            (Step::Issuer, issuer),
            (Step::RewardDistributor, set.reward_distributor),
            (Step::Expect, set.expect),
            (Step::Rollup, rollup),
        ] {
            assert_eq!(plan.address(step), address, "{step}");
            let create2 = plan.contract(step).unwrap().create2();
            assert_eq!((create2.address(), create2.salt), (address, origin.salt), "{step}");
            found.push(address);
        }
    }
    let set: std::collections::BTreeSet<_> = found.iter().collect();
    assert_eq!(set.len(), 16, "another salt, other addresses");
}

#[tokio::test]
async fn what_the_chain_has_already_is_taken_as_done() {
    let chain = chain().await;
    let mut record = chain.record();
    let genesis = Timestamp::of(chain.devchain.timestamp());
    let plan = SetPlan::new(&record.parameters, record.deployer, genesis);
    // Anybody can create the contracts of the next steps.
    for step in [Step::Expect, Step::Registry] {
        let creation = plan.contract(step).unwrap();
        create(&mut chain.sender(1), creation).await.unwrap();
    }
    record.genesis = Some(genesis);
    let set = chain.go_on(&mut record, go_on).await.unwrap();
    assert_eq!(set.deployment.registry, plan.address(Step::Registry));
    assert_eq!(chain.devchain.nonce(record.deployer), 11);
    assert_eq!(record.first_block(), None, "older contracts than the record");
    let there = record.done.iter().filter(|done| done.receipt.is_none()).map(|done| done.step);
    assert_eq!(there.collect::<Vec<_>>(), [Step::Registry, Step::Expect]);

    // Without the record, nothing is sent again.
    let mut lost = DeployRecord { genesis: Some(genesis), ..chain.record() };
    assert_eq!(chain.go_on(&mut lost, go_on).await.unwrap(), set);
    assert_eq!(chain.devchain.nonce(record.deployer), 11);
}

#[tokio::test]
async fn anybody_may_accept_for_the_set() {
    let chain = chain().await;
    let mut record = until(&chain, Step::OfferRegistry).await;
    let (asset, issuer) = (record.address(Step::Asset), record.address(Step::Issuer));
    chain.send(1, calls::issuer_accept(issuer.unwrap(), asset.unwrap())).await.unwrap();
    chain.go_on(&mut record, go_on).await.unwrap();
    assert_eq!(chain.devchain.nonce(record.deployer), 12);
}

#[tokio::test]
async fn constructors_are_asked_before_anything_is_sent() {
    let chain = chain().await;
    let now = Timestamp::of(chain.devchain.timestamp());
    let mut parameters = SetParameters::tests();
    parameters.rollup.genesis = Some(now + canon_protocol::Seconds::SECOND);
    let checked = parameters.clone().check().unwrap();
    let mut record = DeployRecord { parameters, ..chain.record() };
    let deployed = deploy(&mut chain.sender(0), &checked, &mut record, &mut NoWait, go_on).await;
    let error = deployed.unwrap_err();
    assert!(
        matches!(error, DeployError::Constructor { contract: Contract::Rollup, .. }),
        "{error}"
    );
    let says = "a constructor would refuse its arguments: rollup.genesis: expected at most the newest block's time, ";
    assert!(error.to_string().starts_with(says), "{error}");
    assert_eq!(chain.devchain.nonce(record.deployer), 0);
}
