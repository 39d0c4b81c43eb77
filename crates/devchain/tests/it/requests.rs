//! Whatever a client asks for, it gets an answer, and the chain stays usable.

use alloy_primitives::{Address, U256};
use canon_devchain::{Devchain, DevchainConfig};
use canon_testkit::properties;
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

use crate::{
    code,
    support::{dev, provider, request},
};

const METHODS: &[&str] = &[
    "anvil_addBalance",
    "anvil_autoImpersonateAccount",
    "anvil_dropTransaction",
    "anvil_impersonateAccount",
    "anvil_loadState",
    "anvil_mine",
    "anvil_removePoolTransactions",
    "anvil_reorg",
    "anvil_reset",
    "anvil_rollback",
    "anvil_setBalance",
    "anvil_setBlockGasLimit",
    "anvil_setBlockTimestampInterval",
    "anvil_setCode",
    "anvil_setCoinbase",
    "anvil_setNextBlockBaseFeePerGas",
    "anvil_setNonce",
    "anvil_setPrevRandao",
    "anvil_setStorageAt",
    "debug_traceCall",
    "debug_traceTransaction",
    "devchain_reorg",
    "eth_call",
    "eth_createAccessList",
    "eth_estimateGas",
    "eth_feeHistory",
    "eth_getBalance",
    "eth_getBlockByHash",
    "eth_getBlockByNumber",
    "eth_getBlockReceipts",
    "eth_getFilterChanges",
    "eth_getFilterLogs",
    "eth_getLogs",
    "eth_getStorageAt",
    "eth_getTransactionByBlockNumberAndIndex",
    "eth_getTransactionCount",
    "eth_newBlockFilter",
    "eth_newFilter",
    "eth_newPendingTransactionFilter",
    "eth_sendRawTransaction",
    "eth_sendTransaction",
    "eth_sendUnsignedTransaction",
    "eth_sign",
    "eth_signTransaction",
    "eth_signTypedData_v4",
    "eth_simulateV1",
    "eth_uninstallFilter",
    "evm_increaseTime",
    "evm_mine",
    "evm_revert",
    "evm_setAutomine",
    "evm_setIntervalMining",
    "evm_setNextBlockTimestamp",
    "evm_snapshot",
    "personal_sign",
    "txpool_content",
    "txpool_inspect",
    "web3_sha3",
];

fn quantity() -> impl Strategy<Value = Value> {
    const EDGES: &[u64] = &[0, 1, 2, 5, 21_000, 60_000_000, u64::MAX / 2, u64::MAX - 1, u64::MAX];
    prop_oneof![
        select(EDGES).prop_map(|number| json!(format!("{number:#x}"))),
        select(EDGES).prop_map(|number| json!(number)),
        Just(json!(format!("{:#x}", u128::MAX))),
        Just(json!(format!("{:#x}", U256::MAX))),
    ]
}

fn address() -> impl Strategy<Value = Value> {
    let accounts = dev_accounts();
    prop_oneof![select(accounts), Just(cell()), Just(Address::ZERO)].prop_map(|a| json!(a))
}

fn dev_accounts() -> Vec<Address> {
    canon_devchain::dev_accounts(0, 3).iter().map(|signer| signer.address()).collect()
}

fn cell() -> Address {
    Address::repeat_byte(0xce)
}

fn transaction() -> impl Strategy<Value = Value> {
    let member = prop_oneof![
        (select(&["from", "to"][..]), address().boxed()),
        (
            select(
                &["gas", "gasPrice", "maxFeePerGas", "maxPriorityFeePerGas", "value", "nonce"][..]
            ),
            quantity().boxed()
        ),
        (select(&["data", "input"][..]), Just(json!("0x01")).boxed()),
        (Just("chainId"), quantity().boxed()),
    ];
    let members = vec(member, 0..6);
    (address(), address(), members).prop_map(|(from, to, members)| {
        let mut tx = json!({ "from": from, "to": to });
        for (name, value) in members {
            tx[name] = value;
        }
        tx
    })
}

fn value() -> impl Strategy<Value = Value> {
    let range = (block(), block()).prop_map(|(a, b)| json!({ "fromBlock": a, "toBlock": b }));
    prop_oneof![
        3 => quantity(),
        3 => address(),
        3 => transaction(),
        2 => block(),
        1 => range,
        1 => vec(select(&[0.0, 50.0, 100.0, -1.0, 1e300][..]), 0..4).prop_map(|list| json!(list)),
        1 => any::<bool>().prop_map(|flag| json!(flag)),
        1 => select(&["", "0x", "0x00", "0xzz", "text"][..]).prop_map(|text| json!(text)),
        1 => Just(Value::Null),
        1 => Just(json!({})),
        1 => Just(json!([])),
        1 => Just(json!({ "tracer": "callTracer" })),
        1 => transaction().prop_map(|tx| json!({ "blockStateCalls": [{ "calls": [tx] }] })),
    ]
}

fn block() -> impl Strategy<Value = Value> {
    let tags = select(&["latest", "earliest", "pending", "safe", "finalized"][..]);
    prop_oneof![tags.prop_map(|tag| json!(tag)), quantity()]
}

/// Whether a request is allowed to take long, so that random ones would.
fn is_long(method: &str, params: &Value) -> bool {
    let more = |value: &Value| match value {
        Value::Number(number) => number.as_u64().is_some_and(|number| number > 100),
        Value::String(text) => {
            u64::from_str_radix(text.trim_start_matches("0x"), 16).is_ok_and(|n| n > 100)
        }
        _ => false,
    };
    method == "anvil_mine" && params.get(0).is_some_and(more)
}

proptest! {
    #![proptest_config(properties(400))]

    #[test]
    fn any_requests_are_answered(
        requests in vec((select(METHODS), vec(value(), 0..4).prop_map(Value::from)), 1..24),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let chain = Devchain::new(DevchainConfig::default());
            chain.set_code(cell(), code::cell()).unwrap();
            let provider = provider(&chain);
            for (method, params) in requests {
                if !is_long(method, &params) {
                    // A panic would fail the test.
                    let _ = request(&provider, method, params).await;
                }
            }
            assert!(chain.mine().is_ok());
            assert!(chain.timestamp() < u64::MAX / 2 + 1_000);
            let balance = request(&provider, "eth_getBalance", json!([dev(&chain, 0), "latest"]));
            balance.await.unwrap();
        });
    }
}
