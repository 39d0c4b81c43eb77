//! Chains without the deployment proxy, and other factories.

use crate::test_chain::{TestChain, chain, client_by, parameters};
use alloy_primitives::{Address, B256, Bytes, U256, address, hex};
use alloy_provider::Provider;
use canon_chain::{
    Error, NoWait, Sender, Waited,
    deploy::{
        ContractPlan, Create2Origin, DEPLOYMENT_PROXY, DeployError, DeployProgress, DeployRecord,
        ProxyPayment, SetParameters, deploy,
    },
};
use canon_devchain::Mining;
use canon_faults::{Answer, Faults, params};
use canon_protocol::Constructor;
use core::ops::ControlFlow;

const CREATOR: Address = address!("0x3fab184622dc19b6109349b94811493bf2a45362");

const fn go_on(_: &DeployRecord, _: DeployProgress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// A chain without the proxy, and the proxy's code.
async fn without_proxy() -> (TestChain, Bytes) {
    let chain = chain().await;
    assert_eq!(DEPLOYMENT_PROXY, canon_devchain::DEPLOYMENT_PROXY);
    let code = chain.client.provider().get_code_at(DEPLOYMENT_PROXY).await.unwrap();
    chain.devchain.set_code(DEPLOYMENT_PROXY, Bytes::new()).unwrap();
    (chain, code)
}

fn registry(origin: Create2Origin) -> ContractPlan {
    ContractPlan::new(origin, Constructor::Registry { owner: Address::repeat_byte(1) })
}

#[tokio::test]
async fn a_chain_without_the_proxy_gets_it() {
    let (chain, code) = without_proxy().await;
    let mut record = chain.record();
    chain.go_on(&mut record, go_on).await.unwrap();
    let found = chain.client.provider().get_code_at(DEPLOYMENT_PROXY).await.unwrap();
    assert_eq!(found, code);
    // There was one payment to the creator, who used its only nonce.
    assert_eq!((chain.devchain.nonce(record.deployer), chain.devchain.nonce(CREATOR)), (14, 1));
}

#[tokio::test]
async fn the_creator_gets_only_what_it_lacks() {
    let (chain, _) = without_proxy().await;
    let cost = U256::from(10_000_000_000_000_000_u64);
    chain.devchain.set_balance(CREATOR, cost);
    chain.go_on(&mut chain.record(), go_on).await.unwrap();
    assert_eq!(chain.devchain.nonce(chain.accounts[0].address()), 13);
}

#[tokio::test]
async fn a_payment_that_is_still_in_the_pool_is_not_made_twice() {
    let (chain, _) = without_proxy().await;
    chain.devchain.set_mining(Mining::Manual);
    let mut record = chain.record();
    let error = chain.go_on(&mut record, go_on).await.unwrap_err();
    assert!(matches!(error, DeployError::Chain(Error::NotMined { .. })), "{error}");
    let payment = record.proxy_payment.clone().unwrap();
    for _ in 0..2 {
        let error = chain.go_on(&mut record, go_on).await.unwrap_err();
        assert!(matches!(error, DeployError::Chain(Error::NotMined { .. })), "{error}");
        assert_eq!(record.proxy_payment.as_ref(), Some(&payment));
    }
    // Another record doesn't know it.
    let error = chain.go_on(&mut chain.record(), go_on).await.unwrap_err();
    let unexpected =
        matches!(error, DeployError::Chain(Error::UnexpectedNonce { expected: 0, found: 1 }));
    assert!(unexpected, "{error}");
    assert_eq!(chain.devchain.pool_size(), 1);
    chain.devchain.mine().unwrap();
    chain.devchain.set_mining(Mining::Auto);
    chain.go_on(&mut record, go_on).await.unwrap();
    assert_eq!(chain.devchain.nonce(chain.accounts[0].address()), 14);
}

/// The process was killed after it had sent the payment, and goes on with an endpoint whose balances lag behind.
#[tokio::test]
async fn a_payment_that_a_lagging_endpoint_does_not_show_is_not_made_twice() {
    for is_mined in [false, true] {
        let (chain, _) = without_proxy().await;
        chain.devchain.set_mining(Mining::Manual);
        let mut saved = None;
        let save = |record: &DeployRecord, progress| {
            if progress == DeployProgress::Paying {
                saved = Some(crate::deploying::saved(record));
            }
            ControlFlow::Continue(())
        };
        chain.go_on(&mut chain.record(), save).await.unwrap_err();
        let mut record = saved.unwrap();
        if is_mined {
            chain.devchain.mine().unwrap();
        }
        chain.devchain.set_mining(Mining::Auto);
        let faults = Faults::default();
        faults.answer(|request| {
            let is_creators = params(request)[0] == serde_json::json!(CREATOR);
            match request.method() == "eth_getBalance" && is_creators {
                true => Answer::Result(serde_json::json!("0x0")),
                false => Answer::Node,
            }
        });
        let client = client_by(&faults, &chain.devchain).await;
        let mut sender = Sender::new(client, chain.accounts[0].clone());
        let mine = |_| {
            let _ = chain.devchain.mine();
            core::future::ready(Waited::Again)
        };
        let mut wait = mine;
        deploy(&mut sender, &parameters(), &mut record, &mut wait, go_on).await.unwrap();
        assert_eq!(chain.devchain.nonce(record.deployer), 14, "{is_mined}");
    }
}

#[tokio::test]
async fn a_payment_of_somebody_else_in_a_record_is_refused() {
    let (chain, _) = without_proxy().await;
    let mut record = chain.record();
    record.proxy_payment = Some(ProxyPayment { nonce: 0, raw: Bytes::new(), replaced: Vec::new() });
    let error = chain.go_on(&mut record, go_on).await.unwrap_err();
    assert!(matches!(error, DeployError::OtherPayment), "{error}");
    assert_eq!(chain.devchain.nonce(record.deployer), 0);
}

#[tokio::test]
async fn something_else_at_the_proxys_address_is_found() {
    let (chain, code) = without_proxy().await;
    chain.devchain.set_code(DEPLOYMENT_PROXY, code.slice(1..)).unwrap();
    let error = chain.go_on(&mut chain.record(), go_on).await.unwrap_err();
    assert!(matches!(error, DeployError::OtherProxy), "{error}");
    assert_eq!(chain.devchain.nonce(chain.accounts[0].address()), 0);
}

#[tokio::test]
async fn another_factory_creates_elsewhere() {
    let (chain, code) = without_proxy().await;
    let factory = Address::repeat_byte(0xfa);
    let origin = Create2Origin { factory, salt: B256::with_last_byte(3) };
    let parameters = SetParameters { origin, ..SetParameters::tests() };
    let text = toml::to_string(&parameters).unwrap();
    assert_eq!(toml::from_str::<SetParameters>(&text).unwrap(), parameters);
    let mut record = DeployRecord { parameters, ..chain.record() };

    let error = chain.go_on(&mut record, go_on).await.unwrap_err();
    let DeployError::Chain(Error::NoCode { address, .. }) = error else { panic!("{error}") };
    assert_eq!(address, factory);

    chain.devchain.set_code(factory, code).unwrap();
    let set = chain.go_on(&mut record, go_on).await.unwrap();
    let proxys = chain.client.provider().get_code_at(DEPLOYMENT_PROXY).await.unwrap();
    assert!(proxys.is_empty(), "nobody needs it");
    assert_ne!(set.expect, registry(Create2Origin::default()).address());
}

#[tokio::test]
async fn a_base_fee_above_what_the_creation_pays_is_waited_for() {
    let (chain, _) = without_proxy().await;
    let cost = U256::from(10_000_000_000_000_000_u64);
    chain.devchain.set_balance(CREATOR, cost);
    chain.devchain.set_base_fee_next(100_000_000_001);
    let mut record = chain.record();
    let error = chain.go_on(&mut record, go_on).await.unwrap_err();
    assert!(matches!(error, DeployError::ProxyNotMined { .. }), "{error}");
    // The transaction waits in the pool, where the next attempt finds it.
    chain.devchain.set_base_fee_next(1_000_000_000);
    chain.devchain.mine().unwrap();
    chain.go_on(&mut record, go_on).await.unwrap();
}

/// Somebody else sends the transaction first, and this node has seen less or more of that.
#[tokio::test]
async fn a_proxy_that_somebody_else_creates_meanwhile_is_as_good() {
    for words in ["nonce too low", "insufficient funds for gas * price + value", "no"] {
        let (chain, _) = without_proxy().await;
        let faults = Faults::default();
        let devchain = chain.devchain.clone();
        faults.answer(move |request| {
            let params = params(request);
            let raw = params[0].as_str().unwrap_or_default();
            if request.method() != "eth_sendRawTransaction" || !raw.starts_with("0xf8a58085174876")
            {
                return Answer::Node;
            }
            devchain.send_raw(&hex::decode(raw).unwrap()).unwrap();
            Answer::Refusal(-32000, words.to_owned())
        });
        let client = client_by(&faults, &chain.devchain).await;
        let mut sender = Sender::new(client, chain.accounts[0].clone());
        let mut record = chain.record();
        deploy(&mut sender, &parameters(), &mut record, &mut NoWait, go_on).await.unwrap();
    }
}

#[tokio::test]
async fn a_refused_proxy_says_what_to_do() {
    let (chain, _) = without_proxy().await;
    // Like geth's default, this endpoint refuses transactions without a chain id.
    let faults = Faults::default();
    faults.answer(|request| {
        let params = params(request);
        let raw = params[0].as_str().unwrap_or_default();
        match request.method() == "eth_sendRawTransaction" && raw.starts_with("0xf8a58085174876") {
            true => Answer::Refusal(
                -32000,
                "only replay-protected (EIP-155) transactions allowed over RPC".to_owned(),
            ),
            false => Answer::Node,
        }
    });
    let client = client_by(&faults, &chain.devchain).await;
    let mut sender = Sender::new(client, chain.accounts[0].clone());
    let mut record = chain.record();
    let stopped = deploy(&mut sender, &parameters(), &mut record, &mut NoWait, go_on).await;
    let error = stopped.unwrap_err();
    assert!(matches!(error, DeployError::ProxyRefused { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("only replay-protected"), "{text}");
    assert!(text.ends_with("(geth: --rpc.allow-unprotected-txs), or choose another factory"));
}
