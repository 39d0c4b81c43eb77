//! The methods of development nodes, by the names that viem's test client and other tools use.

use alloy_primitives::{Address, U256, bytes};
use alloy_provider::Provider;
use canon_devchain::{Devchain, DevchainConfig, serve};
use serde_json::{Value, json};

use crate::{
    code,
    support::{auto, call, deploy, dev, manual, provider, read, refusal, request, send},
};

#[tokio::test]
async fn every_action_of_viems_test_client_is_there() {
    // The methods of viem 2.57 with the mode "anvil", then those of "hardhat", whose parameters may
    // differ.
    let account = Address::repeat_byte(5);
    let hash = "0x0000000000000000000000000000000000000000000000000000000000000001";
    for mode in ["anvil", "hardhat"] {
        let (chain, provider) = manual();
        chain.set_balance(account, U256::from(10).pow(U256::from(18)));
        let named: [(&str, Value, Value); 18] = [
            ("dropTransaction", json!([hash]), Value::Null),
            ("getAutomine", json!([]), json!(false)),
            ("impersonateAccount", json!([account]), Value::Null),
            ("mine", json!(["0x2", "0x0"]), Value::Null),
            ("removeBlockTimestampInterval", json!([]), json!(false)),
            ("setBlockTimestampInterval", json!([5]), Value::Null),
            ("removeBlockTimestampInterval", json!([]), json!(true)),
            ("setBalance", json!([account, "0xde0b6b3a7640000"]), Value::Null),
            ("setCode", json!([dev(&chain, 9), "0x00"]), Value::Null),
            ("setCoinbase", json!([account]), Value::Null),
            ("setLoggingEnabled", json!([true]), Value::Null),
            ("setNextBlockBaseFeePerGas", json!(["0x5"]), Value::Null),
            ("setNonce", json!([account, "0x3"]), Value::Null),
            ("setStorageAt", json!([account, "0x1", hash]), json!(true)),
            ("stopImpersonatingAccount", json!([account]), Value::Null),
            ("reset", json!([{ "forking": { "blockNumber": null } }]), Value::Null),
            ("reset", json!([]), Value::Null),
            ("dropAllTransactions", json!([]), Value::Null),
        ];
        for (action, params, expected) in named {
            // Hardhat itself doesn't have these, so that its name stands for nothing.
            if mode == "hardhat" && action.contains("BlockTimestampInterval") {
                continue;
            }
            let method: &'static str = format!("{mode}_{action}").leak();
            let found = request(&provider, method, params).await;
            assert_eq!(found.unwrap(), expected, "{method}");
        }
        for (method, params) in [
            ("evm_increaseTime", json!(["0x5"])),
            ("evm_mine", json!([{ "blocks": "0x1" }])),
            ("evm_setAutomine", json!([false])),
            ("evm_setBlockGasLimit", json!(["0x1c9c380"])),
            ("evm_setIntervalMining", json!([0])),
            ("evm_setNextBlockTimestamp", json!(["0x70000000"])),
            ("evm_snapshot", json!([])),
            ("evm_revert", json!(["0x1"])),
            ("txpool_content", json!([])),
            ("txpool_inspect", json!([])),
            ("txpool_status", json!([])),
        ] {
            request(&provider, method, params).await.unwrap();
        }
        let dump: &'static str = format!("{mode}_dumpState").leak();
        let load: &'static str = format!("{mode}_loadState").leak();
        let state = request(&provider, dump, json!([])).await.unwrap();
        assert_eq!(request(&provider, load, json!([state])).await.unwrap(), json!(true));
        let price: &'static str = format!("{mode}_setMinGasPrice").leak();
        assert_eq!(refusal(request(&provider, price, json!(["0x1"])).await).0, -32602);
        // Another chain can't be forked.
        let url: &'static str = format!("{mode}_setRpcUrl").leak();
        assert_eq!(refusal(request(&provider, url, json!(["http://x"])).await).0, -32601);
        let forking = json!([{ "forking": { "jsonRpcUrl": "http://x" } }]);
        let reset: &'static str = format!("{mode}_reset").leak();
        assert_eq!(refusal(request(&provider, reset, forking).await).0, -32602);
    }
}

#[tokio::test]
async fn settings_of_blocks_hold_until_they_are_changed() {
    let (chain, provider) = manual();
    let ask = async |method, params| request(&provider, method, params).await.unwrap();
    let coinbase = Address::repeat_byte(0xcb);
    ask("anvil_setCoinbase", json!([coinbase])).await;
    ask("evm_setBlockGasLimit", json!(["0x5f5e100"])).await;
    ask("anvil_setBlockTimestampInterval", json!([7])).await;
    let start = chain.timestamp();
    for index in 1..=3 {
        let mined = chain.mine().unwrap();
        assert_eq!(mined.timestamp, start + 7 * index);
        let block = ask("eth_getBlockByNumber", json!(["latest", false])).await;
        assert_eq!(block["miner"], json!(coinbase));
        assert_eq!(block["gasLimit"], "0x5f5e100");
    }
    assert_eq!(ask("eth_coinbase", json!([])).await, json!(coinbase));
    ask("anvil_removeBlockTimestampInterval", json!([])).await;
    assert_eq!(chain.mine().unwrap().timestamp, start + 22);
    let small = request(&provider, "evm_setBlockGasLimit", json!(["0x1387"])).await;
    assert_eq!(refusal(small).0, -32602);
    // A dump has them all.
    let copy = Devchain::from_bytes(&chain.to_bytes()).unwrap();
    assert_eq!(copy.to_bytes(), chain.to_bytes());
    assert_eq!(copy.mine().unwrap(), chain.mine().unwrap());
}

#[tokio::test]
async fn a_reset_starts_again_from_genesis() {
    let config = DevchainConfig {
        seed: 4,
        genesis_timestamp: 1_000,
        alloc: vec![(Address::repeat_byte(3), U256::from(33))],
        ..DevchainConfig::default()
    };
    let fresh = Devchain::new(config.clone());
    let chain = Devchain::new(config);
    let provider = provider(&chain);
    let cell = deploy(&provider, code::cell()).await;
    request(&provider, "evm_setBlockGasLimit", json!(["0x5f5e100"])).await.unwrap();
    request(&provider, "evm_setAutomine", json!([false])).await.unwrap();
    chain.set_balance(Address::repeat_byte(3), U256::from(44));
    // A reset of a loaded chain leads to its genesis as well.
    let loaded = Devchain::from_bytes(&chain.to_bytes()).unwrap();
    for chain in [chain, loaded] {
        let provider = crate::support::provider(&chain);
        request(&provider, "anvil_reset", json!([])).await.unwrap();
        assert_eq!(chain.to_bytes(), fresh.to_bytes());
        assert!(provider.get_code_at(cell).await.unwrap().is_empty());
        send(&provider, call(dev(&chain, 1), bytes!(""))).await;
        assert_eq!(chain.block_number(), 1);
    }
}

#[tokio::test]
async fn the_pool_can_be_looked_into() {
    let (chain, provider) = manual();
    let [sender, other] = [dev(&chain, 0), dev(&chain, 1)];
    let tx = |nonce: u64| {
        json!([{ "from": sender, "to": other, "nonce": format!("{nonce:#x}"), "gas": "0x5208",
                 "value": "0x7", "gasPrice": "0x77359400" }])
    };
    for nonce in [0, 1, 5] {
        request(&provider, "eth_sendTransaction", tx(nonce)).await.unwrap();
    }
    let content = request(&provider, "txpool_content", json!([])).await.unwrap();
    let sender_key = serde_json::to_value(sender).unwrap();
    let sender_key = sender_key.as_str().unwrap();
    let nonces = |place: &Value| -> Vec<String> {
        place[sender_key].as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(nonces(&content["pending"]), ["0", "1"]);
    assert_eq!(nonces(&content["queued"]), ["5"]);
    assert_eq!(content["pending"][sender_key]["1"]["nonce"], "0x1");
    assert_eq!(content["pending"][sender_key]["1"]["blockHash"], Value::Null);
    let lines = request(&provider, "txpool_inspect", json!([])).await.unwrap();
    let expected = format!("{other}: 7 wei + 21000 gas × 2000000000 wei");
    assert_eq!(lines["queued"][sender_key]["5"], expected);
    let of_sender = request(&provider, "txpool_contentFrom", json!([sender])).await.unwrap();
    assert_eq!(of_sender["pending"], content["pending"][sender_key]);
    let of_other = request(&provider, "txpool_contentFrom", json!([other])).await.unwrap();
    assert_eq!(of_other, json!({ "pending": {}, "queued": {} }));
    let status = request(&provider, "txpool_status", json!([])).await.unwrap();
    assert_eq!(status, json!({ "pending": "0x2", "queued": "0x1" }));
    request(&provider, "anvil_removePoolTransactions", json!([sender])).await.unwrap();
    assert_eq!(chain.pool_size(), 0);
}

#[tokio::test]
async fn anyone_sends_unsigned_transactions() {
    let (chain, provider) = auto();
    let stranger = Address::repeat_byte(8);
    chain.set_balance(stranger, U256::from(10).pow(U256::from(18)));
    let tx = json!([{ "from": stranger, "to": dev(&chain, 0), "value": "0x1" }]);
    let refused = request(&provider, "eth_sendTransaction", tx.clone()).await;
    assert_eq!(refusal(refused).0, -32000);
    let hash = request(&provider, "eth_sendUnsignedTransaction", tx).await.unwrap();
    let receipt = request(&provider, "eth_getTransactionReceipt", json!([hash])).await.unwrap();
    assert_eq!((&receipt["status"], &receipt["from"]), (&json!("0x1"), &json!(stranger)));
}

#[tokio::test]
async fn a_rollback_removes_blocks_with_their_transactions() {
    let (chain, provider) = auto();
    let cell = deploy(&provider, code::cell()).await;
    send(&provider, call(cell, U256::from(1).to_be_bytes::<32>())).await;
    let before = chain.block_hash();
    send(&provider, call(cell, U256::from(2).to_be_bytes::<32>())).await;
    chain.mine().unwrap();
    request(&provider, "anvil_rollback", json!([2])).await.unwrap();
    assert_eq!((chain.block_number(), chain.block_hash()), (2, before));
    assert_eq!(chain.pool_size(), 0);
    assert_eq!(U256::from_be_bytes(read(&provider, cell).await.0), U256::from(1));
    let deep = request(&provider, "anvil_rollback", json!([3])).await;
    assert_eq!(refusal(deep).0, -32000);
}

#[tokio::test(start_paused = true)]
async fn a_server_mines_at_intervals() {
    let (chain, provider) = auto();
    let server = serve(chain.clone(), ([127, 0, 0, 1], 0).into()).await.unwrap();
    let start = chain.timestamp();
    request(&provider, "evm_setIntervalMining", json!([12])).await.unwrap();
    let interval = request(&provider, "anvil_getIntervalMining", json!([])).await.unwrap();
    assert_eq!(interval, json!(12));
    assert_eq!(request(&provider, "anvil_getAutomine", json!([])).await.unwrap(), json!(false));
    // The clock is paused: it moves only while nothing else can be done.
    while chain.block_number() < 3 {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    assert_eq!(chain.timestamp(), start + 36);
    // This doesn't end mining at intervals, but the next one does.
    request(&provider, "evm_setAutomine", json!([false])).await.unwrap();
    let interval = request(&provider, "anvil_getIntervalMining", json!([])).await.unwrap();
    assert_eq!(interval, json!(12));
    request(&provider, "evm_setIntervalMining", json!([0])).await.unwrap();
    let number = chain.block_number();
    tokio::time::sleep(std::time::Duration::from_secs(1_000)).await;
    assert_eq!(chain.block_number(), number);
    let interval = request(&provider, "anvil_getIntervalMining", json!([])).await.unwrap();
    assert_eq!(interval, Value::Null);
    server.shutdown().await.unwrap();
}
