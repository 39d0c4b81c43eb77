//! `eth_call` and `eth_estimateGas`.

use alloy_eips::eip2930::AccessListItem;
use alloy_network::TransactionBuilder;
use alloy_primitives::{Address, B256, Bytes, U256, bytes};
use alloy_provider::Provider;
use alloy_rpc_types_eth::{
    BlockOverrides, TransactionRequest,
    state::{AccountOverride, StateOverride, StateOverridesBuilder},
};
use alloy_sol_types::{Panic, Revert, SolError};
use alloy_transport::TransportError;
use canon_devchain::DevchainConfig;
use serde_json::json;

use crate::{
    code,
    support::{auto, call, deploy, dev, read, refusal, request, send, start},
};

fn word(n: u8) -> B256 {
    B256::with_last_byte(n)
}

#[tokio::test]
async fn old_blocks_answer_with_their_state_and_surroundings() {
    let (chain, provider) = start(DevchainConfig { history_blocks: 5, ..Default::default() });
    let cell = deploy(&provider, code::cell()).await;
    let surroundings = deploy(&provider, code::surroundings()).await;
    let mut numbers = Vec::new();
    for n in 1..=7 {
        numbers.push(send(&provider, call(cell, word(n))).await.block_number.unwrap());
    }
    let get = call(cell, bytes!(""));
    for n in 2..=7_u8 {
        let number = numbers[usize::from(n) - 1];
        let read = provider.call(get.clone()).block(number.into()).await.unwrap();
        assert_eq!(read[..], word(n)[..], "block {number}");
        let slot = provider.get_storage_at(cell, U256::ZERO).block_id(number.into()).await.unwrap();
        assert_eq!(slot, U256::from(n));

        let block = provider.get_block_by_number(number.into()).await.unwrap().unwrap().header;
        let words =
            provider.call(call(surroundings, bytes!(""))).block(block.hash.into()).await.unwrap();
        let words: Vec<U256> = words.chunks(32).map(U256::from_be_slice).collect();
        assert_eq!(words[0], U256::from(number));
        assert_eq!(words[1], U256::from(block.timestamp));
        assert_eq!(B256::from(words[2]), block.mix_hash);
        assert_eq!(words[3], U256::ZERO, "who offers no price sees no base fee");
        assert_eq!(B256::from(words[4]), block.parent_hash);
    }
    let error = provider.call(get.clone()).block(numbers[0].into()).await.unwrap_err();
    let expected = format!("the state is kept from block {} on", numbers[1]);
    assert!(error.to_string().contains(&expected), "{error}");
    let unknown = format!("header for hash not found: {}", word(1));
    let answer = provider.call(get.clone()).block(word(1).into()).await;
    assert_eq!(refusal(answer), (-32000, unknown));
    let head = chain.block_number();
    let future = format!("header not found: the head is block {head}");
    assert_eq!(refusal(provider.call(get).block(1000.into()).await), (-32000, future));
    let nonce = provider.get_transaction_count(dev(&chain, 0)).number(numbers[2]).await.unwrap();
    assert_eq!(nonce, numbers[2]);

    // The pending block has the current state and the environment of the next block.
    chain.set_next_timestamp(chain.timestamp() + 77).unwrap();
    let words = provider.call(call(surroundings, bytes!(""))).await.unwrap();
    assert_eq!(U256::from_be_slice(&words[..32]), U256::from(chain.block_number() + 1));
    assert_eq!(U256::from_be_slice(&words[32..64]), U256::from(chain.timestamp() + 77));
    assert_eq!(words[128..160], chain.block_hash()[..]);
}

#[tokio::test]
async fn hashes_of_old_blocks_are_in_the_history_contract() {
    let (chain, provider) = auto();
    let first = chain.mine().unwrap();
    for _ in 0..300 {
        chain.mine().unwrap();
    }
    let contract = alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS;
    let hash = provider.call(call(contract, word(1))).latest().await.unwrap();
    assert_eq!(hash[..], first.hash[..]);
}

fn revert_of(error: &TransportError) -> (i64, String, Option<Bytes>) {
    let payload = error.as_error_resp().unwrap();
    (payload.code, payload.message.to_string(), payload.as_revert_data())
}

#[tokio::test]
async fn reverts_carry_their_data() {
    let (_, provider) = auto();
    let reverter = deploy(&provider, code::reverter()).await;
    let custom = bytes!("deadbeef0011");
    let reason = Revert::from("too early").abi_encode();
    let panic = Panic::from(0x11).abi_encode();
    for (data, message) in [
        (custom, "execution reverted"),
        (bytes!(""), "execution reverted"),
        (reason.into(), "execution reverted: too early"),
        (panic.into(), "execution reverted: panic code 0x11"),
    ] {
        let expected = (3, message.to_owned(), Some(data.clone()));
        let error = provider.call(call(reverter, data.clone())).await.unwrap_err();
        assert_eq!(revert_of(&error), expected);
        let error = provider.estimate_gas(call(reverter, data)).await.unwrap_err();
        assert_eq!(revert_of(&error), expected);
    }
    // An invalid opcode is not a revert.
    let invalid = deploy(&provider, bytes!("fe")).await;
    let error = provider.call(call(invalid, bytes!(""))).await.unwrap_err();
    assert_eq!(error.as_error_resp().unwrap().code, -32000);
}

#[tokio::test]
async fn estimates_suffice_and_are_tight() {
    let (chain, provider) = auto();
    let estimate = async |tx: TransactionRequest| provider.estimate_gas(tx).await.unwrap();
    let transfer = TransactionRequest::default().with_to(dev(&chain, 1)).with_value(U256::ONE);
    assert_eq!(estimate(transfer.with_from(dev(&chain, 0))).await, 21_000);

    let cell = deploy(&provider, code::cell()).await;
    // Three levels of calls that each keep back a 64th of the gas.
    let once = deploy(&provider, code::forwarder(cell)).await;
    let twice = deploy(&provider, code::forwarder(once)).await;
    for to in [cell, once, twice] {
        // First a slot that is set, then one that is cleared and refunded.
        for value in [5, 0] {
            let tx = call(to, word(value)).with_from(dev(&chain, 0));
            let gas = estimate(tx.clone()).await;
            let snapshot = chain.snapshot();
            let too_little = tx.clone().with_gas_limit(gas - 1 - gas * 2 / 100);
            assert!(!send(&provider, too_little).await.status());
            chain.revert(snapshot).unwrap();
            assert!(send(&provider, tx.with_gas_limit(gas)).await.status());
        }
    }
    let poor = Address::repeat_byte(9);
    let tx = transfer_from(poor).with_value(U256::ONE).with_gas_price(1_000_000_000);
    let error = provider.estimate_gas(tx).await.unwrap_err().to_string();
    assert!(error.contains("insufficient funds for transfer"), "{error}");
    chain.set_balance(poor, U256::from(20_000_000_000_000_u64));
    let error = provider
        .estimate_gas(transfer_from(poor).with_gas_price(1_000_000_000))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("gas required exceeds allowance (20000)"), "{error}");
}

fn transfer_from(from: Address) -> TransactionRequest {
    TransactionRequest::default().with_to(Address::repeat_byte(8)).with_from(from)
}

#[tokio::test]
async fn access_lists_name_what_a_call_looks_at() {
    let (chain, provider) = auto();
    let cell = deploy(&provider, code::cell()).await;
    let forwarder = deploy(&provider, code::forwarder(cell)).await;
    let tx = call(forwarder, word(5)).with_from(dev(&chain, 0));
    let list = provider.create_access_list(&tx).await.unwrap();
    assert_eq!(list.error, None);
    let item = AccessListItem { address: cell, storage_keys: vec![word(0)] };
    assert_eq!(list.access_list.0, [item]);
    let tx = TransactionRequest { access_list: Some(list.access_list), ..tx };
    let used = send(&provider, tx.with_gas_limit(200_000)).await.gas_used;
    assert_eq!(list.gas_used, U256::from(used));
    // A list in the request is part of the answer.
    let given = AccessListItem { address: Address::repeat_byte(0xff), storage_keys: vec![word(9)] };
    let again = AccessListItem { address: cell, storage_keys: vec![word(0), word(0)] };
    let tx = TransactionRequest {
        access_list: Some(vec![given.clone(), again].into()),
        ..call(forwarder, word(6)).with_from(dev(&chain, 0))
    };
    let list = provider.create_access_list(&tx).await.unwrap();
    let item = AccessListItem { address: cell, storage_keys: vec![word(0)] };
    let expected = if cell < given.address { [item, given] } else { [given, item] };
    assert_eq!(list.access_list.0, expected);
    let reverter = deploy(&provider, code::reverter()).await;
    let list = provider.create_access_list(&call(reverter, bytes!("00"))).await.unwrap();
    assert_eq!(list.error.unwrap(), "execution reverted");
    assert!(list.access_list.0.is_empty());
}

#[tokio::test]
async fn overrides_change_state_and_block_for_one_call() {
    let (_, provider) = auto();
    let cell = deploy(&provider, code::cell()).await;
    send(&provider, call(cell, word(5))).await;
    let get = call(cell, bytes!(""));
    let with = async |overrides: StateOverride| {
        B256::from_slice(&provider.call(get.clone()).overrides(overrides).await.unwrap())
    };
    let diff = StateOverridesBuilder::default().with_state_diff(cell, [(word(0), word(8))]);
    assert_eq!(with(diff.build()).await, word(8));
    let all = StateOverridesBuilder::default().with_state(cell, [(word(1), word(8))]);
    assert_eq!(with(all.build()).await, word(0));
    let code = StateOverridesBuilder::default().with_code(cell, code::surroundings());
    let block = BlockOverrides::default().with_time(123).with_number(U256::from(456));
    let words = provider
        .call(get.clone())
        .overrides(code.build())
        .with_block_overrides(block)
        .await
        .unwrap();
    assert_eq!(U256::from_be_slice(&words[..32]), U256::from(456));
    assert_eq!(U256::from_be_slice(&words[32..64]), U256::from(123));
    let both = AccountOverride::default()
        .with_state([(word(0), word(1))])
        .with_state_diff([(word(0), word(1))]);
    let both = StateOverridesBuilder::default().append(cell, both);
    let expected = (-32602, "account has both 'state' and 'stateDiff'".to_owned());
    assert_eq!(refusal(provider.call(get.clone()).overrides(both.build()).await), expected);
    assert_eq!(read(&provider, cell).await, word(5));
}

#[tokio::test]
async fn contradictory_requests_and_senders_without_ether_are_named() {
    let (chain, provider) = auto();
    let (from, to, poor) = (dev(&chain, 0), Address::repeat_byte(1), Address::repeat_byte(0xaa));
    for (fields, expected) in [
        (json!({ "gasPrice": "0x77359400", "maxFeePerGas": "0x77359400" }), "both gasPrice and"),
        (json!({ "input": "0x01", "data": "0x02" }), "input"),
        (json!({ "chainId": "0x1" }), "chainId does not match node's (have=1, want=31337)"),
        (json!({ "maxFeePerBlobGas": "0x1" }), "blob transactions are not supported"),
    ] {
        for method in ["eth_call", "eth_estimateGas", "eth_sendTransaction", "eth_signTransaction"]
        {
            let mut tx = json!({ "from": from, "to": to, "gas": "0x186a0" });
            tx.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            let (code, message) = refusal(request(&provider, method, json!([tx])).await);
            assert_eq!(code, -32602, "{method} {fields}");
            assert!(message.contains(expected), "{method} {fields}: {message}");
        }
    }
    let tx = json!({ "from": poor, "to": to, "gas": "0x5208", "maxFeePerGas": "0x77359400" });
    assert_eq!(
        refusal(request(&provider, "eth_call", json!([tx])).await).1,
        format!(
            "insufficient funds for gas * price + value: address {poor} have 0 want 42000000000000"
        )
    );
}
