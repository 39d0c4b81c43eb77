//! Signatures of the accounts whose keys the chain has.

use alloy_consensus::{TxEnvelope, transaction::SignerRecoverable};
use alloy_eips::Decodable2718;
use alloy_primitives::{Address, B256, Bytes, Signature, b256, eip191_hash_message};
use serde_json::{Value, json};

use crate::support::{auto, dev, refusal, request};

fn recover(signature: &Value, hash: &B256) -> Address {
    let bytes: Bytes = serde_json::from_value(signature.clone()).unwrap();
    assert!(matches!(bytes[64], 27 | 28), "{bytes}");
    Signature::from_raw(&bytes).unwrap().recover_address_from_prehash(hash).unwrap()
}

/// The example of EIP-712.
fn mail() -> Value {
    json!({
        "types": {
            "EIP712Domain": [
                { "name": "name", "type": "string" },
                { "name": "version", "type": "string" },
                { "name": "chainId", "type": "uint256" },
                { "name": "verifyingContract", "type": "address" },
            ],
            "Person": [{ "name": "name", "type": "string" }, { "name": "wallet", "type": "address" }],
            "Mail": [
                { "name": "from", "type": "Person" },
                { "name": "to", "type": "Person" },
                { "name": "contents", "type": "string" },
            ],
        },
        "primaryType": "Mail",
        "domain": {
            "name": "Ether Mail",
            "version": "1",
            "chainId": 1,
            "verifyingContract": "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC",
        },
        "message": {
            "from": { "name": "Cow", "wallet": "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826" },
            "to": { "name": "Bob", "wallet": "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB" },
            "contents": "Hello, Bob!",
        },
    })
}

/// The hash that EIP-712 gives for its example.
const MAIL: B256 = b256!("0xbe609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2");

#[tokio::test]
async fn listed_accounts_sign_messages_and_typed_data() {
    let (chain, provider) = auto();
    let accounts = request(&provider, "eth_accounts", json!([])).await.unwrap();
    assert_eq!(accounts.as_array().unwrap().len(), chain.dev_accounts().len());
    let message = Bytes::from_static(b"Example");
    let hash = eip191_hash_message(&message);
    for account in accounts.as_array().unwrap() {
        let expected: Address = serde_json::from_value(account.clone()).unwrap();
        let signed = request(&provider, "eth_sign", json!([account, message])).await.unwrap();
        assert_eq!(recover(&signed, &hash), expected);
        let personal = request(&provider, "personal_sign", json!([message, account])).await;
        assert_eq!(personal.unwrap(), signed);
        // ethers sends the text of an object.
        for data in [mail(), json!(mail().to_string())] {
            // web3.py has the name of EIP-712 itself.
            for method in ["eth_signTypedData_v4", "eth_signTypedData"] {
                let signed = request(&provider, method, json!([account, data])).await.unwrap();
                assert_eq!(recover(&signed, &MAIL), expected);
            }
        }
        let tx = json!([{ "from": account, "to": account, "value": "0x1" }]);
        let raw = request(&provider, "eth_signTransaction", tx).await.unwrap();
        let raw: Bytes = serde_json::from_value(raw).unwrap();
        let tx = TxEnvelope::decode_2718_exact(&raw).unwrap();
        assert_eq!(tx.recover_signer().unwrap(), expected);
        chain.send_raw(&raw).unwrap();
    }
}

#[tokio::test]
async fn other_accounts_do_not_sign() {
    let (chain, provider) = auto();
    let stranger = Address::repeat_byte(7);
    // An impersonated account sends, but nobody has its key.
    chain.impersonate(stranger);
    let expected = (-32000, canon_devchain::Error::UnknownSigner(stranger).to_string());
    for (method, params) in [
        ("eth_sign", json!([stranger, "0x00"])),
        ("personal_sign", json!(["0x00", stranger])),
        ("eth_signTypedData_v4", json!([stranger, mail()])),
        ("eth_signTransaction", json!([{ "from": stranger, "to": stranger }])),
    ] {
        assert_eq!(refusal(request(&provider, method, params).await), expected, "{method}");
    }
    // That nobody can sign comes before all that is wrong with the transaction.
    chain.stop_impersonating(stranger);
    for method in ["eth_sendTransaction", "eth_signTransaction"] {
        let tx = json!([{ "from": stranger, "to": stranger, "value": "0x1" }]);
        assert_eq!(refusal(request(&provider, method, tx).await), expected, "{method}");
    }
    assert!(expected.1.starts_with("unknown account: no signer available for 0x07070707"));
    let account = dev(&chain, 0);
    let mut other = mail();
    other["primaryType"] = json!("Letter");
    for (method, params) in [
        ("eth_sign", json!([account, "text"])),
        ("personal_sign", json!([account, "0x00"])),
        ("eth_signTypedData_v4", json!([account, "{}"])),
        ("eth_signTypedData_v4", json!([account, other])),
        // A draft of EIP-712 had a list, and the account after it.
        ("eth_signTypedData", json!([[{ "type": "string", "name": "a", "value": "b" }], account])),
        ("eth_signTransaction", json!([{ "to": account }])),
        ("eth_signTransaction", json!([{ "from": account, "to": account, "chainId": "0x1" }])),
    ] {
        let refused = refusal(request(&provider, method, params.clone()).await);
        assert_eq!(refused.0, -32602, "{method} {params}: {refused:?}");
    }
}
