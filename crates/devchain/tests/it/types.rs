//! Each transaction type, and the rules that all types obey.

use alloy_consensus::{
    SignableTransaction, TxEip1559, TxEip2930, TxEip7702, TxEnvelope, TxLegacy, TxType,
};
use alloy_eips::{
    eip2718::Encodable2718,
    eip2930::{AccessList, AccessListItem},
    eip7702::Authorization,
};
use alloy_network::{TransactionBuilder, TxSignerSync};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256};
use alloy_provider::Provider;
use alloy_rpc_types_eth::TransactionRequest;
use alloy_signer::SignerSync;
use canon_devchain::Devchain;

use crate::{
    code,
    support::{auto, call, deploy, dev, read, refusal, send},
};

/// Signs with a dev account and sends the bytes.
fn send_signed<T>(chain: &Devchain, from: usize, mut tx: T) -> Result<B256, String>
where
    T: SignableTransaction<Signature>,
    TxEnvelope: From<alloy_consensus::Signed<T>>,
{
    let signature = chain.dev_accounts()[from].sign_transaction_sync(&mut tx).unwrap();
    let raw = TxEnvelope::from(tx.into_signed(signature)).encoded_2718();
    chain.send_raw(&raw).map_err(|error| error.to_string())
}

const GWEI: u128 = 1_000_000_000;

fn legacy(nonce: u64) -> TxLegacy {
    TxLegacy {
        chain_id: Some(31337),
        nonce,
        gas_price: 2 * GWEI,
        gas_limit: 21_000,
        to: TxKind::Call(Address::repeat_byte(1)),
        ..TxLegacy::default()
    }
}

#[tokio::test]
async fn executes_legacy_and_access_list_transactions() {
    let (chain, provider) = auto();
    let hash = send_signed(&chain, 0, legacy(0)).unwrap();
    let receipt = provider.get_transaction_receipt(hash).await.unwrap().unwrap();
    assert_eq!(receipt.transaction_type(), TxType::Legacy);
    assert_eq!(receipt.effective_gas_price, 2 * GWEI);
    // A transaction without replay protection (before EIP-155) is accepted too.
    send_signed(&chain, 0, TxLegacy { chain_id: None, ..legacy(1) }).unwrap();

    let cell = deploy(&provider, code::cell()).await;
    let item = AccessListItem { address: cell, storage_keys: vec![B256::ZERO] };
    let tx = TxEip2930 {
        chain_id: 31337,
        nonce: chain.nonce(dev(&chain, 0)),
        gas_price: 2 * GWEI,
        gas_limit: 100_000,
        to: TxKind::Call(cell),
        access_list: AccessList(vec![item]),
        input: B256::with_last_byte(7).into(),
        ..TxEip2930::default()
    };
    let hash = send_signed(&chain, 0, tx).unwrap();
    let receipt = provider.get_transaction_receipt(hash).await.unwrap().unwrap();
    assert!(receipt.status());
    assert_eq!(receipt.transaction_type(), TxType::Eip2930);
    let mined = provider.get_transaction_by_hash(hash).await.unwrap().unwrap();
    assert_eq!(mined.inner.signer(), dev(&chain, 0));
}

#[tokio::test]
async fn pays_the_base_fee_and_the_tip() {
    let (chain, provider) = auto();
    let (sender, coinbase) = (dev(&chain, 0), Address::ZERO);
    let (before, reward) = (chain.balance(sender), chain.balance(coinbase));
    let tx = TxEip1559 {
        chain_id: 31337,
        gas_limit: 21_000,
        max_fee_per_gas: 5 * GWEI,
        max_priority_fee_per_gas: 3 * GWEI,
        to: TxKind::Call(Address::repeat_byte(1)),
        value: U256::from(5),
        ..TxEip1559::default()
    };
    let hash = send_signed(&chain, 0, tx).unwrap();
    let receipt = provider.get_transaction_receipt(hash).await.unwrap().unwrap();
    assert_eq!(receipt.effective_gas_price, 4 * GWEI);
    assert_eq!(before - chain.balance(sender), U256::from(21_000 * 4 * GWEI + 5));
    assert_eq!(chain.balance(coinbase) - reward, U256::from(21_000 * 3 * GWEI));
    let mined = provider.get_transaction_by_hash(hash).await.unwrap().unwrap();
    assert_eq!(mined.effective_gas_price, Some(4 * GWEI));
}

#[tokio::test]
async fn delegates_and_calls_through_the_delegation() {
    let (chain, provider) = auto();
    let cell = deploy(&provider, code::cell()).await;
    let delegating = &chain.dev_accounts()[3];
    let authorization = Authorization { chain_id: U256::from(31337), address: cell, nonce: 0 };
    let signature = delegating.sign_hash_sync(&authorization.signature_hash()).unwrap();
    let tx = TxEip7702 {
        chain_id: 31337,
        nonce: chain.nonce(dev(&chain, 0)),
        gas_limit: 200_000,
        max_fee_per_gas: 3 * GWEI,
        max_priority_fee_per_gas: GWEI,
        to: delegating.address(),
        authorization_list: vec![authorization.into_signed(signature)],
        input: B256::with_last_byte(9).into(),
        ..TxEip7702::default()
    };
    let hash = send_signed(&chain, 0, tx).unwrap();
    let receipt = provider.get_transaction_receipt(hash).await.unwrap().unwrap();
    assert_eq!(receipt.transaction_type(), TxType::Eip7702);
    assert_eq!(receipt.logs()[0].address(), delegating.address());
    assert_eq!(chain.nonce(delegating.address()), 1);
    let designator: Bytes = [&[0xef, 0x01, 0x00], cell.as_slice()].concat().into();
    assert_eq!(provider.get_code_at(delegating.address()).await.unwrap(), designator);
    let word = read(&provider, delegating.address()).await;
    assert_eq!(word, B256::with_last_byte(9));
    // An account with a delegation still sends transactions.
    let tx = TransactionRequest::default()
        .with_from(delegating.address())
        .with_to(cell)
        .with_input(B256::with_last_byte(1));
    assert!(send(&provider, tx).await.status());
}

#[tokio::test]
async fn refuses_what_mainnet_refuses() {
    let (chain, _) = auto();
    let refusal = |tx: TxLegacy| send_signed(&chain, 0, tx).unwrap_err();
    assert_eq!(
        refusal(TxLegacy { chain_id: Some(1), ..legacy(0) }),
        "invalid sender: invalid chain id for signer: have 1 want 31337"
    );
    assert_eq!(
        refusal(TxLegacy { gas_limit: 20_999, ..legacy(0) }),
        "intrinsic gas too low: gas 20999, minimum needed 21000"
    );
    // EIP-7623: 1000 bytes that are not zero cost at least 40 gas each.
    let input = Bytes::from(vec![1; 1000]);
    assert_eq!(
        refusal(TxLegacy { gas_limit: 60_999, input: input.clone(), ..legacy(0) }),
        "insufficient gas for floor data gas cost: gas 60999, minimum needed 61000"
    );
    assert_eq!(
        refusal(TxLegacy { gas_limit: (1 << 24) + 1, ..legacy(0) }),
        "transaction gas limit too high (cap: 16777216, tx: 16777217)"
    );
    assert_eq!(
        refusal(TxLegacy { gas_limit: 60_000_001, ..legacy(0) }),
        "exceeds block gas limit: transaction gas limit 60000001, block gas limit 60000000"
    );
    let too_long = vec![0; 49_153].into();
    assert_eq!(
        refusal(TxLegacy { to: TxKind::Create, input: too_long, ..legacy(0) }),
        "max initcode size exceeded: code size 49153, limit 49152"
    );
    let tip_above_fee = TxEip1559 {
        chain_id: 31337,
        gas_limit: 21_000,
        max_fee_per_gas: 1,
        max_priority_fee_per_gas: 2,
        ..TxEip1559::default()
    };
    assert!(
        send_signed(&chain, 0, tip_above_fee)
            .unwrap_err()
            .starts_with("max priority fee per gas higher than max fee per gas: address 0x")
    );
    let unauthorized = TxEip7702 {
        chain_id: 31337,
        gas_limit: 100_000,
        max_fee_per_gas: 2 * GWEI,
        ..TxEip7702::default()
    };
    assert_eq!(
        send_signed(&chain, 0, unauthorized).unwrap_err(),
        "set code tx must have at least one authorization tuple"
    );
    let error = chain.send_raw(b"nonsense").unwrap_err();
    assert!(matches!(error, canon_devchain::Error::Undecodable(_)), "{error}");
    assert_eq!(chain.block_number(), 0);
    // The floor is paid if execution costs less.
    let hash = send_signed(&chain, 0, TxLegacy { gas_limit: 70_000, input, ..legacy(0) }).unwrap();
    assert_eq!(chain.gas_used(hash), Some(61_000));
}

#[tokio::test]
async fn sends_for_impersonated_accounts_even_with_code() {
    let (chain, provider) = auto();
    let contract = deploy(&provider, code::cell()).await;
    let target = deploy(&provider, code::cell()).await;
    chain.set_balance(contract, U256::from(10).pow(U256::from(18)));
    let tx = call(target, B256::with_last_byte(3)).with_from(contract);
    let send = || provider.raw_request::<_, B256>("eth_sendTransaction".into(), [tx.clone()]);
    let no_key = canon_devchain::Error::UnknownSigner(contract).to_string();
    assert_eq!(refusal(send().await), (-32000, no_key.clone()));
    chain.impersonate(contract);
    let hash = send().await.unwrap();
    let receipt = provider.get_transaction_receipt(hash).await.unwrap().unwrap();
    assert_eq!((receipt.status(), receipt.from), (true, contract));
    chain.stop_impersonating(contract);
    assert_eq!(refusal(send().await), (-32000, no_key));
}
