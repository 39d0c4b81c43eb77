//! The deterministic deployment proxy.

use alloy_primitives::{Address, B256, Bytes, hex, keccak256};
use alloy_provider::Provider;
use canon_devchain::DEPLOYMENT_PROXY;

use crate::{
    code,
    support::{auto, call, read, send},
};

/// The code of the proxy on public chains, from the init code of the transaction that created it
/// (Arachnid/deterministic-deployment-proxy).
const CODE: [u8; 69] = hex!(
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0"
    "3601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3"
);

fn calldata(salt: B256, init_code: &[u8]) -> Bytes {
    [salt.as_slice(), init_code].concat().into()
}

#[tokio::test]
async fn it_is_there_from_genesis_as_on_anvil() {
    let (chain, provider) = auto();
    assert_eq!(chain.block_number(), 0);
    let code = provider.get_code_at(DEPLOYMENT_PROXY).await.unwrap();
    assert_eq!(code.as_ref(), CODE);
    assert_eq!(provider.get_transaction_count(DEPLOYMENT_PROXY).await.unwrap(), 0);
    assert!(provider.get_balance(DEPLOYMENT_PROXY).await.unwrap().is_zero());
}

#[tokio::test]
async fn it_creates_at_the_address_of_salt_and_init_code() {
    let (chain, provider) = auto();
    let init_code = code::init(&code::cell());
    for salt in [B256::ZERO, keccak256("salt")] {
        let expected = DEPLOYMENT_PROXY.create2_from_code(salt, &init_code);
        let request = call(DEPLOYMENT_PROXY, calldata(salt, &init_code));
        let answer = provider.call(request.clone()).await.unwrap();
        assert_eq!(Address::from_slice(&answer), expected);
        assert!(send(&provider, request.clone()).await.status());
        assert_eq!(provider.get_code_at(expected).await.unwrap(), code::cell());
        assert_eq!(read(&provider, expected).await, B256::ZERO);
        // A second creation at the same address is refused without a reason.
        let error = provider.call(request).await.unwrap_err();
        let data = error.as_error_resp().unwrap().as_revert_data();
        assert_eq!(data.unwrap_or_default(), Bytes::new());
    }
    assert_eq!(chain.nonce(DEPLOYMENT_PROXY), 2);
}
