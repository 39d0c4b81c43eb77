//! The shapes of requests, answers and errors, checked against the specification of Ethereum's
//! JSON-RPC.
//!
//! `tests/fixtures/openrpc.json` has all methods of the namespaces that the devchain has, from the
//! OpenRPC
//! document of <https://github.com/ethereum/execution-apis> (CC0-1.0).

use alloy_json_rpc::ErrorPayload;
use alloy_network::TransactionBuilder;
use alloy_primitives::{Address, B256, U256, bytes};
use alloy_provider::DynProvider;
use alloy_rpc_types_eth::TransactionRequest;
use canon_devchain::Mining;
use regex_lite::Regex;
use serde_json::{Map, Value, json};

use crate::{
    code,
    documentation::missing_methods,
    support::{auto, call, deploy, dev, manual, request},
};

/// Methods whose answers have another shape, for a reason that the README gives.
const OTHER_ANSWERS: [&str; 1] = ["eth_signTransaction"];

/// The document, and the differences found so far.
struct Schemas {
    document: Value,
    wrong: Vec<String>,
}

impl Schemas {
    fn read() -> Self {
        let document = include_str!("../fixtures/openrpc.json");
        Self { document: serde_json::from_str(document).unwrap(), wrong: Vec::new() }
    }

    fn methods(&self) -> Vec<String> {
        self.document["methods"].as_object().unwrap().keys().cloned().collect()
    }

    /// Why a value doesn't fit a schema; `None` if it does. Of `oneOf`, more than one may fit, as
    /// both kinds of an empty list do.
    fn misfit(&self, schema: &Value, value: &Value, place: &str) -> Option<String> {
        let schema = schema.as_object().unwrap();
        schema.iter().find_map(|(keyword, rule)| self.breaks(schema, keyword, rule, value, place))
    }

    fn breaks(
        &self,
        schema: &Map<String, Value>,
        keyword: &str,
        rule: &Value,
        value: &Value,
        place: &str,
    ) -> Option<String> {
        let wrong = |holds: bool| {
            (!holds).then(|| format!("{place}: {keyword} {rule} doesn't hold for {value}"))
        };
        let all =
            |rules: &Value, check: &dyn Fn(&Value) -> Option<String>| -> Vec<Option<String>> {
                rules.as_array().unwrap().iter().map(check).collect()
            };
        match keyword {
            "$ref" => {
                let name = rule.as_str().unwrap().strip_prefix("#/components/schemas/").unwrap();
                self.misfit(&self.document["components"]["schemas"][name], value, place)
            }
            "type" => wrong(match rule.as_str().unwrap() {
                "null" => value.is_null(),
                "boolean" => value.is_boolean(),
                "string" => value.is_string(),
                "number" => value.is_number(),
                "integer" => value.is_u64() || value.is_i64(),
                "array" => value.is_array(),
                "object" => value.is_object(),
                other => panic!("unknown type {other}"),
            }),
            "pattern" => {
                let pattern = Regex::new(rule.as_str().unwrap()).unwrap();
                wrong(value.as_str().is_none_or(|text| pattern.is_match(text)))
            }
            "const" => wrong(value == rule),
            "enum" => wrong(rule.as_array().unwrap().contains(value)),
            "not" => wrong(self.misfit(rule, value, place).is_some()),
            "patternProperties" => {
                let members = || value.as_object().into_iter().flatten();
                rule.as_object().unwrap().iter().find_map(|(pattern, schema)| {
                    let pattern = Regex::new(pattern).unwrap();
                    members().filter(|(name, _)| pattern.is_match(name)).find_map(
                        |(name, value)| self.misfit(schema, value, &format!("{place}.{name}")),
                    )
                })
            }
            "minimum" => wrong(value.as_f64().is_none_or(|found| found >= rule.as_f64().unwrap())),
            "maximum" => wrong(value.as_f64().is_none_or(|found| found <= rule.as_f64().unwrap())),
            "required" => {
                let Value::Object(members) = value else { return None };
                let mut names = rule.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
                let missing = names.find(|name| !members.contains_key(*name))?;
                Some(format!("{place}: {missing} is missing in {value}"))
            }
            "items" => {
                let items = value.as_array().into_iter().flatten().enumerate();
                items
                    .map(|(index, item)| self.misfit(rule, item, &format!("{place}[{index}]")))
                    .find_map(|misfit| misfit)
            }
            "properties" => rule.as_object().unwrap().iter().find_map(|(name, schema)| {
                self.misfit(schema, value.get(name)?, &format!("{place}.{name}"))
            }),
            "additionalProperties" => {
                let known = schema.get("properties").and_then(Value::as_object);
                let patterns: Vec<Regex> = schema
                    .get("patternProperties")
                    .and_then(Value::as_object)
                    .into_iter()
                    .flat_map(|patterns| patterns.keys().map(|key| Regex::new(key).unwrap()))
                    .collect();
                let members = value.as_object().into_iter().flatten();
                let mut others = members
                    .filter(|(name, _)| known.is_none_or(|known| !known.contains_key(*name)))
                    .filter(|(name, _)| !patterns.iter().any(|pattern| pattern.is_match(name)));
                match rule {
                    Value::Bool(false) => {
                        let (name, _) = others.next()?;
                        Some(format!("{place}: {name} isn't known"))
                    }
                    Value::Object(_) => others.find_map(|(name, value)| {
                        self.misfit(rule, value, &format!("{place}.{name}"))
                    }),
                    _ => None,
                }
            }
            "allOf" => all(rule, &|schema| self.misfit(schema, value, place))
                .into_iter()
                .find_map(|misfit| misfit),
            "anyOf" | "oneOf" => {
                let misfits = all(rule, &|schema| self.misfit(schema, value, place));
                let misfits: Option<Vec<String>> = misfits.into_iter().collect();
                misfits.map(|misfits| format!("none of these fits:\n  {}", misfits.join("\n  ")))
            }
            other => panic!("unknown keyword {other}"),
        }
    }

    /// Checks a request and its answer.
    fn check(&mut self, method: &str, params: &Value, answer: &Value) {
        self.check_params(method, params);
        if !OTHER_ANSWERS.contains(&method) {
            let misfit = self.misfit(&self.document["methods"][method]["result"], answer, method);
            self.wrong.extend(misfit.map(|misfit| format!("{method} {params}: {misfit}")));
        }
    }

    fn check_params(&mut self, method: &str, params: &Value) {
        let schemas = self.document["methods"][method]["params"].as_array().unwrap();
        let values = params.as_array().unwrap();
        let mut wrong = Vec::new();
        if values.len() > schemas.len() {
            wrong.push(format!("{method} {params}: found more parameters than {}", schemas.len()));
        }
        for (index, schema) in schemas.iter().enumerate() {
            match values.get(index) {
                Some(value) => {
                    let misfit = self.misfit(&schema["schema"], value, &format!("param {index}"));
                    wrong.extend(misfit.map(|misfit| format!("{method} {params}: {misfit}")));
                }
                None if schema["required"] == true => {
                    wrong.push(format!("{method} {params}: parameter {index} is missing"));
                }
                None => {}
            }
        }
        self.wrong.extend(wrong);
    }

    /// Checks the refusal of a request, whose parameters fit all the same.
    fn check_error(&mut self, method: &str, params: &Value, code: i64, error: &ErrorPayload) {
        self.check_params(method, params);
        assert_eq!(error.code, code, "{method} {params}: {error}");
        let known = self.document["methods"][method]["errors"].as_array().unwrap();
        let Some(known) = known.iter().find(|known| known["code"] == code) else {
            self.wrong.push(format!("{method} {params}: the document has no code {code}"));
            return;
        };
        if let Some(schema) = known.get("data") {
            let data = error.data.as_ref().map_or("null", |data| data.get());
            let misfit = self.misfit(schema, &serde_json::from_str(data).unwrap(), "data");
            self.wrong.extend(misfit.map(|misfit| format!("{method} {params}: {misfit}")));
        }
    }
}

async fn error_of(provider: &DynProvider, method: &'static str, params: &Value) -> ErrorPayload {
    let error = request(provider, method, params.clone()).await.unwrap_err();
    error.as_error_resp().unwrap_or_else(|| panic!("no refusal: {error}")).clone()
}

#[tokio::test]
async fn answers_have_the_shapes_of_the_specification() {
    let (chain, provider) = manual();
    chain.set_mining(Mining::Auto);
    let [sender, other] = [dev(&chain, 0), dev(&chain, 1)];
    let cell = deploy(&provider, code::cell()).await;
    let reverter = deploy(&provider, code::reverter()).await;
    chain.set_mining(Mining::Manual);
    // Transactions of all types in one block; one of them fails.
    let access_list =
        serde_json::from_value(json!([{ "address": cell, "storageKeys": [] }])).unwrap();
    let word = B256::with_last_byte(7);
    let mut transactions = vec![
        call(cell, word).with_gas_price(2_000_000_000),
        TransactionRequest {
            access_list: Some(access_list),
            ..call(cell, word).with_gas_price(2_000_000_000)
        },
        call(cell, word),
        call(reverter, bytes!("00")),
        TransactionRequest::default().with_deploy_code(code::init(&code::cell())),
    ];
    let authorization = alloy_eips::eip7702::Authorization {
        chain_id: U256::from(chain.chain_id()),
        address: cell,
        nonce: 0,
    };
    let signer = &chain.dev_accounts()[3];
    let hash = authorization.signature_hash();
    let signature = alloy_signer::SignerSync::sign_hash_sync(signer, &hash).unwrap();
    transactions.push(TransactionRequest {
        authorization_list: Some(vec![authorization.into_signed(signature)]),
        ..call(other, bytes!(""))
    });
    let mut hashes = Vec::new();
    for transaction in transactions {
        let transaction = transaction.with_from(sender).with_gas_limit(200_000);
        let transaction = serde_json::to_value(transaction).unwrap();
        let hash = request(&provider, "eth_sendTransaction", json!([transaction])).await.unwrap();
        hashes.push(hash);
    }
    let logs = request(&provider, "eth_newFilter", json!([{}])).await.unwrap();
    let blocks = request(&provider, "eth_newBlockFilter", json!([])).await.unwrap();
    let block = json!(chain.mine().unwrap().hash);
    // Some wait in the pool.
    for nonce in ["0x0", "0x3"] {
        let tx = json!([{ "from": other, "to": sender, "nonce": nonce, "gas": "0x5208" }]);
        request(&provider, "eth_sendTransaction", tx).await.unwrap();
    }
    let number = json!("0x3");
    let call = json!({ "from": sender, "to": cell, "data": word });
    let list =
        |params: &[&Value]| Value::from(params.iter().map(|p| (*p).clone()).collect::<Vec<_>>());
    let full = json!(true);
    let hashes_only = json!(false);
    let zero = json!("0x0");
    let unknown = json!(B256::ZERO);
    let latest = json!("latest");
    let address = json!(cell);
    let simulated = json!({
        "blockStateCalls": [
            { "calls": [call, { "from": sender, "to": reverter, "data": "0x01" }] },
            { "blockOverrides": { "number": "0x9" }, "calls": [] },
        ],
        "traceTransfers": true,
        "returnFullTransactions": true,
    });
    let mut cases: Vec<(&'static str, Value)> = vec![
        ("eth_call", list(&[&call, &latest])),
        ("eth_estimateGas", list(&[&call])),
        ("eth_createAccessList", list(&[&call])),
        ("eth_feeHistory", json!(["0x2", "latest", [10.0, 90.0]])),
        ("eth_feeHistory", json!(["0x2", "latest", []])),
        ("eth_getBalance", list(&[&address, &latest])),
        ("eth_getCode", list(&[&address, &latest])),
        ("eth_getStorageAt", list(&[&address, &zero, &latest])),
        ("eth_getTransactionCount", list(&[&address, &latest])),
        ("eth_getBlockByHash", list(&[&block, &full])),
        ("eth_getBlockByHash", list(&[&unknown, &full])),
        ("eth_getBlockByNumber", list(&[&number, &hashes_only])),
        ("eth_getBlockByNumber", json!(["0x0", true])),
        ("eth_getBlockReceipts", list(&[&number])),
        ("eth_getBlockReceipts", list(&[&unknown])),
        ("eth_getBlockTransactionCountByHash", list(&[&block])),
        ("eth_getBlockTransactionCountByNumber", list(&[&number])),
        ("eth_getTransactionByBlockHashAndIndex", list(&[&block, &zero])),
        ("eth_getTransactionByBlockNumberAndIndex", list(&[&number, &zero])),
        ("eth_getLogs", json!([{ "fromBlock": "0x0" }])),
        ("eth_getFilterLogs", list(&[&logs])),
        ("eth_getFilterChanges", list(&[&logs])),
        ("eth_getFilterChanges", list(&[&blocks])),
        ("eth_newFilter", json!([{}])),
        ("eth_uninstallFilter", list(&[&logs])),
        ("eth_sign", json!([sender, "0x01"])),
        ("eth_simulateV1", list(&[&simulated, &latest])),
        ("eth_sendTransaction", json!([{ "from": dev(&chain, 5), "to": cell }])),
        ("txpool_contentFrom", json!([other])),
        ("debug_traceBlockByHash", list(&[&block])),
        ("debug_traceBlockByNumber", list(&[&number, &json!({ "enableMemory": true })])),
        ("debug_getRawBlock", list(&[&number])),
        ("debug_getRawHeader", list(&[&number])),
        ("debug_getRawReceipts", list(&[&number])),
    ];
    let signed = json!([{ "from": dev(&chain, 6), "to": cell }]);
    let raw = request(&provider, "eth_signTransaction", signed).await.unwrap();
    cases.push(("eth_sendRawTransaction", json!([raw])));
    cases.push(("eth_signTransaction", json!([{ "from": dev(&chain, 6), "to": cell }])));
    for hash in &hashes {
        for method in [
            "eth_getTransactionByHash",
            "eth_getTransactionReceipt",
            "debug_traceTransaction",
            "debug_getRawTransaction",
        ] {
            cases.push((method, json!([hash])));
        }
    }
    let without_parameters = [
        "eth_accounts",
        "eth_baseFee",
        "eth_blobBaseFee",
        "eth_blockNumber",
        "eth_chainId",
        "eth_coinbase",
        "eth_config",
        "eth_gasPrice",
        "eth_maxPriorityFeePerGas",
        "eth_newBlockFilter",
        "eth_newPendingTransactionFilter",
        "eth_syncing",
        "net_version",
        "txpool_content",
        "txpool_status",
    ];
    cases.extend(without_parameters.map(|method| (method, json!([]))));

    let mut schemas = Schemas::read();
    let mut left = schemas.methods();
    for (method, params) in cases {
        let answer = request(&provider, method, params.clone()).await.unwrap();
        schemas.check(method, &params, &answer);
        left.retain(|name| name != method);
    }
    // The README gives the reason for each that isn't there.
    left.retain(|method| !missing_methods().contains(method.as_str()));
    assert_eq!(left, [""; 0], "methods without a case");
    assert!(schemas.wrong.is_empty(), "{}", schemas.wrong.join("\n"));
}

#[tokio::test]
async fn parameters_that_do_not_fit_the_specification_are_refused() {
    let (chain, provider) = auto();
    let before = chain.to_bytes();
    let schemas = Schemas::read();
    for method in schemas.methods() {
        let params = schemas.document["methods"][&method]["params"].as_array().unwrap();
        if params.is_empty() || missing_methods().contains(method.as_str()) {
            continue;
        }
        let method: &'static str = method.leak();
        let error = error_of(&provider, method, &json!([])).await;
        assert_eq!(error.code, -32602, "{method} without parameters: {error}");
        for value in [json!(true), json!("text"), json!([[]]), json!(-1)] {
            assert!(schemas.misfit(&params[0]["schema"], &value, "").is_some(), "{method} {value}");
            let error = error_of(&provider, method, &json!([value])).await;
            assert_eq!(error.code, -32602, "{method} with {value}: {error}");
        }
    }
    assert_eq!(chain.to_bytes(), before);
}

#[tokio::test]
async fn errors_have_the_codes_and_the_data_of_the_specification() {
    let (chain, provider) = auto();
    let reverter = deploy(&provider, code::reverter()).await;
    let (poor, rich) = (Address::repeat_byte(9), dev(&chain, 1));
    let mut schemas = Schemas::read();
    let revert = json!([{ "to": reverter, "input": "0x0102" }]);
    let simulated = |block: Value, validation: bool| json!([{ "blockStateCalls": [block], "validation": validation }]);
    let calls = |call: Value| json!({ "calls": [call] });
    let fees = "0x77359400";
    for (method, params, code) in [
        ("eth_call", revert.clone(), 3),
        ("eth_estimateGas", revert, 3),
        ("eth_sendRawTransaction", json!(["0x00"]), -32000),
        ("eth_sendTransaction", json!([{ "from": poor, "to": rich }]), -32000),
        (
            "eth_simulateV1",
            simulated(
                calls(json!({ "from": dev(&chain, 0), "nonce": "0x0", "maxFeePerGas": fees })),
                true,
            ),
            -38010,
        ),
        (
            "eth_simulateV1",
            simulated(calls(json!({ "from": rich, "nonce": "0x9", "maxFeePerGas": fees })), true),
            -38011,
        ),
        ("eth_simulateV1", simulated(calls(json!({ "from": rich })), true), -38012),
        ("eth_simulateV1", simulated(calls(json!({ "gas": "0x0" })), false), -38013),
        (
            "eth_simulateV1",
            simulated(calls(json!({ "from": poor, "value": "0x1" })), false),
            -38014,
        ),
        ("eth_simulateV1", simulated(calls(json!({ "gas": "0xffffffffff" })), false), -38015),
        (
            "eth_simulateV1",
            simulated(json!({ "blockOverrides": { "number": "0x0" } }), false),
            -38020,
        ),
        (
            "eth_simulateV1",
            simulated(json!({ "blockOverrides": { "time": "0x1" } }), false),
            -38021,
        ),
        (
            "eth_simulateV1",
            simulated(json!({ "blockOverrides": { "number": "0xffff" } }), false),
            -38026,
        ),
    ] {
        let error = error_of(&provider, method, &params).await;
        schemas.check_error(method, &params, code, &error);
    }
    assert!(schemas.wrong.is_empty(), "{}", schemas.wrong.join("\n"));
}
