//! Keys from all supported sources, and errors without secrets.

use crate::test_chain::{chain, client_by};
use alloy_consensus::{SignableTransaction, TxEnvelope};
use alloy_eips::eip2718::Encodable2718;
use alloy_network::TxSignerSync;
use alloy_primitives::{Address, Bytes, U256, address, hex};
use alloy_rpc_types_eth::TransactionRequest;
use alloy_signer_local::PrivateKeySigner;
use canon_abi::Asset;
use canon_chain::{
    AccountSigner, ContractCall, FoundryKeystores, KeyError, KeySource, NoWait, Secret, Sender,
    UnlockedAccount,
};
use canon_faults::{Answer, Faults, params};
use canon_testkit::{Counter, TestFolder};
use serde_json::{Value, json};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The key and address of an example in the specification of Web3 Secret Storage.
const KEY: &str = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";
const ADDRESS: Address = address!("0x008aeeda4d805471df9b2a5b0f38a0c3bcba786b");
const PASSWORD: &str = "testpassword";

/// An example of that specification.
const PBKDF2: &str = r#"{"crypto": {"cipher": "aes-128-ctr", "cipherparams":
{"iv": "6087dab2f9fdbbfaddc31a909735c1e6"}, "ciphertext":
"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46", "kdf": "pbkdf2", "kdfparams":
{"c": 262144, "dklen": 32, "prf": "hmac-sha256", "salt":
"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"}, "mac":
"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},
"id": "3198bc9c-6672-5ab3-d995-4942343ae5b6", "version": 3}"#;

/// A keystore with the cost that geth uses, made with OpenSSL.
const SCRYPT: &str = r#"{"crypto": {"cipher": "aes-128-ctr", "cipherparams":
{"iv": "83dbcc02d8ccb40e466191a123791e0e"}, "ciphertext":
"b160ff7e6d855b53a3f8d65e4b2850584cfaa01751807f19d07c298de16f802d", "kdf": "scrypt", "kdfparams":
{"dklen": 32, "n": 262144, "p": 1, "r": 8, "salt":
"ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19"}, "mac":
"daeeba49ffae86381ae33f74c05dc0038888a7806267a04a1ae2183a7f2b7b17"},
"id": "3198bc9c-6672-5ab3-d995-4942343ae5b6", "version": 3}"#;

/// The mnemonic of development nodes, and its first two accounts.
const MNEMONIC: &str = "test test test test test test test test test test test junk";
const ACCOUNTS: [Address; 2] = [
    address!("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"),
    address!("0x70997970C51812dc3A010C7d01b50e0d17dc79C8"),
];

/// The answer if there is no terminal to ask a person.
fn no_terminal(_: &str) -> io::Result<Secret> {
    Err(io::Error::other("there is no terminal"))
}

fn typed(text: &str) -> impl FnOnce(&str) -> io::Result<Secret> {
    let secret = Secret::new(text.to_owned());
    move |_| Ok(secret)
}

/// All texts of an error.
fn said(error: &KeyError) -> String {
    let mut said = format!("{error}\n{error:?}\n{error:#?}");
    let mut cause: Option<&dyn core::error::Error> = Some(error);
    while let Some(error) = cause {
        said.push_str(&format!("\n{error}\n{error:?}"));
        cause = error.source();
    }
    said
}

/// The reason why a source has no key, after checking that neither the error nor the source shows any word
/// of `secret`.
#[track_caller]
fn refused(source: &KeySource, secret: &str) -> String {
    let error = source.open(no_terminal).unwrap_err();
    let said = format!("{} {source:?} {source:#?}", said(&error));
    for word in secret.split_whitespace().filter(|word| word.len() > 3) {
        // Not even the second half of a key may be shown.
        let part = if word.len() > 20 { &word[word.len() / 2..] } else { word };
        assert!(!said.contains(part), "{part} is shown: {said}");
    }
    error.to_string()
}

const fn keystore(file: PathBuf, password_file: Option<PathBuf>) -> KeySource {
    KeySource::Keystore { file, password_file }
}

#[test]
fn keystores_of_foundry_and_of_geth_open() {
    let directory = TestFolder::new("keystores");
    let password = directory.write("password", format!("{PASSWORD}\n"));
    // This is equivalent to `cast wallet import`.
    let key = hex::decode(KEY).unwrap();
    eth_keystore::encrypt_key(directory.path(), &mut Counter(1), key, PASSWORD, Some("foundry"))
        .unwrap();
    directory.write("pbkdf2", PBKDF2);
    directory.write("scrypt", SCRYPT);
    for name in ["foundry", "pbkdf2", "scrypt"] {
        let source = keystore(directory.file(name), Some(password.clone()));
        assert_eq!(source.open(no_terminal).unwrap().address(), ADDRESS, "{name}");
    }
    let source = keystore(directory.file("foundry"), None);
    assert_eq!(source.open(typed(PASSWORD)).unwrap().address(), ADDRESS);
    // The first letter of the password is missing.
    let wrong = directory.write("wrong", &PASSWORD[1..]);
    let said =
        refused(&keystore(directory.file("foundry"), Some(wrong)), &format!("{PASSWORD} {KEY}"));
    let file = directory.file("foundry");
    let expected = format!(
        "the password doesn't open the keystore {}; check the password and the file",
        file.display()
    );
    assert_eq!(said, expected);
}

#[test]
fn a_keystore_that_names_another_account_than_its_key_s_is_refused() {
    let directory = TestFolder::new("named-accounts");
    let key = hex::decode(KEY).unwrap();
    eth_keystore::encrypt_key(directory.path(), &mut Counter(1), key, PASSWORD, Some("foundry"))
        .unwrap();
    let text = fs::read_to_string(directory.file("foundry")).unwrap();
    let open = |address: Value| {
        let mut store: Value = serde_json::from_str(&text).unwrap();
        store["address"] = address;
        let source = keystore(directory.write("named", store.to_string()), None);
        source.open(typed(PASSWORD))
    };
    // geth writes it without 0x and in lower case, others with a checksum; some leave it empty.
    let lower = ADDRESS.to_string().to_lowercase();
    let own = [json!(lower[2..]), json!(lower), json!(ADDRESS.to_string()), json!(""), json!(null)];
    for address in own {
        assert_eq!(open(address.clone()).unwrap().address(), ADDRESS, "{address}");
    }
    let [other, _] = ACCOUNTS;
    let said = said(&open(json!(other.to_string())).unwrap_err());
    assert!(said.contains(&format!("names the account {other}, but has the key of {ADDRESS}; ")));
    assert!(!said.contains(KEY), "{said}");
}

/// A file that isn't a keystore can be a secret named by mistake.
#[test]
fn what_is_no_keystore_is_refused_before_a_password_is_needed() {
    let directory = TestFolder::new("no-keystores");
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut store: Value = serde_json::from_str(SCRYPT).unwrap();
        change(&mut store);
        store.to_string()
    };
    for (text, found) in [
        (KEY.to_owned(), "(line 1, column "),
        (format!("0x{KEY}"), "(line 1, column "),
        (format!("\"{KEY}\""), "a value of the wrong kind (line 1, column "),
        (MNEMONIC.to_owned(), "text that isn't JSON (line 1, column 2)"),
        (format!("{{\"crypto\": \"{KEY}\"}}"), "a value of the wrong kind (line 1, column "),
        (String::new(), "text that isn't JSON (line 1, column 0)"),
        ("{}".to_owned(), "missing field `crypto` (line 1, column 2)"),
        (
            changed(&|store| drop(store["crypto"]["kdfparams"]["n"].take())),
            "a value of the wrong kind",
        ),
        (changed(&|store| store["version"] = json!(4)), "version 4"),
        (
            changed(&|store| store["crypto"]["cipher"] = json!("aes-256-gcm")),
            "another crypto.cipher than",
        ),
        (
            changed(&|store| store["crypto"]["cipherparams"]["iv"] = json!("00")),
            "an iv of 16 bytes",
        ),
        (changed(&|store| store["crypto"]["ciphertext"] = json!("00")), "of other than 32 bytes"),
        (
            changed(&|store| store["crypto"]["kdfparams"]["dklen"] = json!(16)),
            "of other than 32 bytes",
        ),
        (
            changed(&|store| store["crypto"]["kdfparams"]["n"] = json!(1000)),
            "n of 1000, which is no power of 2",
        ),
        (
            changed(&|store| store["crypto"]["kdfparams"]["n"] = json!(1 << 30)),
            "more than 1024 MiB of memory",
        ),
        (
            changed(&|store| store["crypto"]["kdfparams"]["p"] = json!(1 << 20)),
            "crypto.kdfparams with n · r · p of 2199023255552, more than 33554432: ",
        ),
        (
            PBKDF2.replace("262144", "4000000000"),
            "crypto.kdfparams.c of 4000000000, more than 10000000: ",
        ),
        (changed(&|store| store["address"] = json!("Alice")), "an address that isn't 20 bytes"),
        (
            PBKDF2.replace("hmac-sha256", "hmac-sha1"),
            "another crypto.kdfparams.prf than hmac-sha256",
        ),
    ] {
        let source = keystore(directory.write("file", &text), None);
        let said = refused(&source, &format!("{KEY} {MNEMONIC}"));
        let file = directory.file("file");
        let expected = "a keystore (JSON, version 3, as \"cast wallet import\" writes it)";
        assert!(
            said.starts_with(&format!("expected {expected} in {}, found ", file.display())),
            "{said}"
        );
        assert!(said.contains(found), "{said} isn't {found}");
    }
    let said = refused(&keystore(directory.file("nothing"), None), "");
    assert!(said.contains("nothing, which can't be read (No such file"), "{said}");
}

#[test]
fn without_a_terminal_a_missing_password_is_an_error() {
    let directory = TestFolder::new("no-terminal");
    let source = keystore(directory.write("store", SCRYPT), None);
    let file = directory.file("store");
    assert_eq!(
        refused(&source, PASSWORD),
        format!(
            "expected the password of the keystore {} from a terminal (there is no terminal); without \
             one, name a file that has it",
            file.display()
        )
    );
    let said = refused(&KeySource::PrivateKeyPrompt, "");
    assert!(said.starts_with("expected the private key from a terminal"), "{said}");
}

#[test]
fn a_mistyped_account_is_answered_with_those_that_exist() {
    let home = TestFolder::new("accounts");
    let keystores = FoundryKeystores::in_home(home.path());
    let directory = home.file(".foundry/keystores");
    let said = |name| keystores.file(name).unwrap_err().to_string();
    let there = format!("there is no keystore alcie in {}; there", directory.display());
    assert_eq!(
        said("alcie"),
        format!("{there} is none at all: make one with \"cast wallet import\"")
    );
    for name in ["bob", "alice", "e\u{1b}ve"] {
        home.write(&format!(".foundry/keystores/{name}"), SCRYPT);
    }
    assert_eq!(said("alcie"), format!("{there} are: alice, bob, e\\u{{1b}}ve"));
    assert!(said("").contains("alice, bob"), "a directory is no keystore");
    assert_eq!(keystores.file("alice").unwrap(), directory.join("alice"));
}

#[test]
fn private_keys_are_taken_as_people_write_them_and_never_repeated() {
    let directory = TestFolder::new("keys");
    for text in [
        KEY.to_owned(),
        format!("0x{KEY}"),
        format!("{}\n", KEY.to_uppercase()),
        format!("  0x{KEY} \r\n"),
    ] {
        let file = KeySource::PrivateKeyFile(directory.write("key", &text));
        assert_eq!(file.open(no_terminal).unwrap().address(), ADDRESS);
        let value = KeySource::PrivateKey(Secret::new(text.clone()));
        assert_eq!(value.open(no_terminal).unwrap().address(), ADDRESS);
        assert_eq!(KeySource::PrivateKeyPrompt.open(typed(&text)).unwrap().address(), ADDRESS);
    }
    for (text, found) in [
        (KEY[1..].to_owned(), "63 characters without 0x"),
        (format!("{KEY}0"), "65 characters without 0x"),
        (format!("{KEY}\n{KEY}"), "129 characters without 0x"),
        (format!("é{}", &KEY[2..]), "a character that isn't a hexadecimal digit"),
        (format!("0X{}", &KEY[2..]), "a character that isn't a hexadecimal digit"),
        ("0".repeat(64), "a number that is no key"),
        ("f".repeat(64), "a number that is no key"),
        (" ".to_owned(), "characters without 0x"),
    ] {
        let value = refused(&KeySource::PrivateKey(Secret::new(text.clone())), &text);
        let expected = "expected a private key (64 hexadecimal digits, with or without 0x)";
        assert!(value.starts_with(expected) && value.contains(found), "{value} isn't {found}");
        let file = directory.write("key", &text);
        let said = refused(&KeySource::PrivateKeyFile(file.clone()), &text);
        let found = if text == " " { "an empty file" } else { found };
        let expected = format!("{expected} in {}, found ", file.display());
        assert!(said.starts_with(&expected) && said.contains(found), "{said} isn't {found}");
    }
    let file = directory.write("key", [0xff, 0xfe]);
    assert!(
        refused(&KeySource::PrivateKeyFile(file), "").contains("bytes that aren't text (UTF-8)")
    );
}

#[test]
fn mnemonics_give_the_accounts_that_other_wallets_give() {
    let directory = TestFolder::new("mnemonics");
    let source =
        |text: &str, index| KeySource::Mnemonic { file: directory.write("words", text), index };
    for (index, address) in (0..).zip(ACCOUNTS) {
        let spaced = format!("\n {}\r\n", MNEMONIC.replace(' ', " \t\n"));
        for text in [MNEMONIC, &spaced] {
            assert_eq!(source(text, index).open(no_terminal).unwrap().address(), address);
        }
    }
    for (text, index, found) in [
        (MNEMONIC, 1 << 31, "index 2147483648, which isn't below 2^31"),
        ("zebra zebra", 0, "found 2 words"),
        (
            MNEMONIC.replace("junk", "zebraa").as_str(),
            0,
            "found a word at place 12 that isn't in the list",
        ),
        (MNEMONIC.replace("junk", "zebra").as_str(), 0, "found words whose checksum is wrong"),
        (KEY, 0, "found 1 word"),
    ] {
        let said = refused(&source(text, index), "zebraa zebra 7a28b5ba57c53603b0b07b56bba752f7");
        let expected = "expected a mnemonic (12, 15, 18, 21 or 24 English words of BIP-39) in ";
        assert!(said.starts_with(expected) && said.contains(found), "{said} isn't {found}");
    }
}

#[test]
#[cfg(unix)]
fn files_that_others_can_read_are_named() {
    use std::os::unix::fs::PermissionsExt;
    let directory = TestFolder::new("modes");
    let file = directory.write("secret", PASSWORD);
    let index = 0;
    for (mode, is_exposed) in [(0o600, false), (0o640, true), (0o604, true), (0o400, false)] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        for source in [
            KeySource::PrivateKeyFile(file.clone()),
            KeySource::Mnemonic { file: file.clone(), index },
            keystore(PathBuf::from("/dev/null"), Some(file.clone())),
        ] {
            let exposed: &[&Path] = if is_exposed { &[&file] } else { &[] };
            assert_eq!(source.exposed_files(), exposed, "{mode:o}");
        }
        // A keystore is encrypted, so it isn't exposed.
        assert!(keystore(file.clone(), None).exposed_files().is_empty());
    }
}

/// A node that changes the transaction it is asked to sign, and signs it with a key.
fn signing(
    key: &PrivateKeySigner,
    change: fn(&mut TransactionRequest),
    shape: fn(Bytes) -> Value,
) -> Faults {
    let (faults, key) = (Faults::default(), key.clone());
    faults.answer(move |request| match request.method() {
        "eth_signTransaction" => {
            let mut request: TransactionRequest =
                serde_json::from_value(params(request)[0].clone()).unwrap();
            change(&mut request);
            let mut tx = request.build_consensus_tx().unwrap().eip1559().unwrap().clone();
            let signature = key.sign_transaction_sync(&mut tx).unwrap();
            let raw = TxEnvelope::from(tx.into_signed(signature)).encoded_2718();
            Answer::Result(shape(raw.into()))
        }
        _ => Answer::Node,
    });
    faults
}

#[tokio::test]
async fn an_unlocked_account_sends_what_was_asked_and_nothing_else() {
    let test = chain().await;
    let key = &test.accounts[3];
    // This contract accepts every call.
    test.devchain.set_code(ADDRESS, vec![0_u8]).unwrap();
    let call = || ContractCall::new(ADDRESS, &Asset::acceptOwnershipCall {});
    let bare: fn(Bytes) -> Value = |raw| json!(raw);
    let in_object: fn(Bytes) -> Value = |raw| json!({ "raw": raw, "tx": {} });
    for shape in [bare, in_object] {
        let client = client_by(&signing(key, |_| {}, shape), &test.devchain).await;
        let account = UnlockedAccount::new(client.clone(), key.address()).await.unwrap();
        let before = test.devchain.nonce(key.address());
        Sender::new(client, account).send(call(), &mut NoWait).await.unwrap();
        assert_eq!(test.devchain.nonce(key.address()), before + 1);
    }

    let nothing: fn(&mut TransactionRequest) = |_| {};
    let change_value: fn(&mut TransactionRequest) = |request| request.value = Some(U256::ONE);
    for (key, change) in [(key, change_value), (&test.accounts[4], nothing)] {
        let client = client_by(&signing(key, change, bare), &test.devchain).await;
        let account =
            UnlockedAccount::new(client.clone(), test.accounts[3].address()).await.unwrap();
        let before = test.devchain.block_number();
        let error = Sender::new(client, account).send(call(), &mut NoWait).await.unwrap_err();
        assert!(error.to_string().contains("signed another transaction"), "{error}");
        assert_eq!(test.devchain.block_number(), before);
    }
}

#[tokio::test]
async fn the_embedded_chain_signs_for_its_accounts_and_a_watched_account_signs_nothing() {
    let test = chain().await;
    test.devchain.set_code(ADDRESS, vec![0_u8]).unwrap();
    let call = || ContractCall::new(ADDRESS, &Asset::acceptOwnershipCall {});
    let from = test.accounts[3].address();
    let before = test.devchain.nonce(from);
    let account = UnlockedAccount::new(test.client.clone(), from).await.unwrap();
    let signer = AccountSigner::Unlocked(account);
    assert_eq!(signer.address(), from);
    Sender::new(test.client.clone(), signer).send(call(), &mut NoWait).await.unwrap();
    assert_eq!(test.devchain.nonce(from), before + 1);
    let watched = Sender::new(test.client.clone(), AccountSigner::Watched(from));
    let error = watched.clone().send(call(), &mut NoWait).await.unwrap_err();
    assert!(error.to_string().contains("only its address is known"), "{error}");
    assert_eq!(test.devchain.nonce(from), before + 1);
}

#[tokio::test]
async fn an_account_that_the_node_does_not_have_is_answered_with_those_that_it_has() {
    let test = chain().await;
    let error = UnlockedAccount::new(test.client.clone(), ADDRESS).await.unwrap_err();
    let said = error.to_string();
    assert!(
        said.starts_with(&format!("the endpoint doesn't sign for {ADDRESS}; it signs for 0x")),
        "{said}"
    );
    assert!(test.accounts.iter().all(|key| said.contains(&key.address().to_string())), "{said}");
}
