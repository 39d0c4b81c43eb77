//! Attacks: each test says what should hold, and fails.

use crate::{
    tx::{ready, transactions},
    tx_chain::{TxChain, confirmed, failures},
};
use alloy_consensus::Transaction;
use alloy_primitives::{Address, Bytes};
use alloy_provider::Provider;
use canon_chain::{Client, Endpoint, Sender, Timeouts, tx::MemoryJournal};
use canon_faults::{Answer, params};
use core::slice::from_ref;
use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// A process is stopped with a transaction in flight; its owner cancels that with a wallet. A week later it goes
/// on, with a node that keeps the state of 128 blocks, as most do.
#[tokio::test]
async fn a_nonce_that_a_wallet_used_while_the_process_was_stopped_blocks_nothing() {
    let chain = TxChain::new().await;
    let (journal, mut sender) = ready(&chain).await;
    let lock = chain.lock(1, 7);
    let before = chain.devchain.snapshot();
    chain.pursue(&mut sender, from_ref(&lock)).await;
    drop(sender);
    // The pool has lost it, and the wallet takes the nonce.
    chain.devchain.revert(before).unwrap();
    let nonce = transactions(&journal).last().unwrap().nonce();
    let mut other = Sender::new(chain.client.clone(), chain.key.clone()).with_nonce(nonce);
    let nothing = canon_chain::calls::approve(
        chain.set.asset,
        Address::with_last_byte(9),
        canon_protocol::Amount::of(1),
    );
    let next = chain.client.next_block().await.unwrap();
    let _ = other.submit(nothing, canon_chain::Checks::Full, next).await.unwrap();
    chain.mine(301);
    let head = Arc::new(AtomicU64::new(0));
    let newest = Arc::clone(&head);
    chain.faults.answer(move |request| {
        let at = params(request)[1]
            .as_str()
            .and_then(|text| u64::from_str_radix(text.strip_prefix("0x")?, 16).ok());
        match at {
            Some(at)
                if request.method() == "eth_getTransactionCount"
                    && at + 128 < newest.load(Ordering::Relaxed) =>
            {
                Answer::Refusal(-32000, "missing trie node: state is not available".to_owned())
            }
            _ => Answer::Node,
        }
    });
    let mut sender = chain.sender(&journal);
    let mut said = Vec::new();
    for _ in 0..100 {
        head.store(chain.head().await.number.get(), Ordering::Relaxed);
        said.extend(failures(&chain.pursue_and_mine(&mut sender, from_ref(&lock)).await));
    }
    println!("{} failures, the last: {:?}", said.len(), said.last());
    assert_eq!(
        chain.deposits().await,
        [7],
        "the lock waits for ever; may be done: {}",
        sender.may_be_done(&lock.id())
    );
}

/// The most memory that this process had, in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

/// An endpoint answers `eth_chainId` with two gigabytes.
#[tokio::test]
async fn an_answer_without_end_takes_no_memory_without_end() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut part = vec![b'1'; 1 << 20];
        let _ = stream.read(&mut part);
        part.fill(b'1');
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2147483648\r\n\r\n\"");
        for _ in 0..2048 {
            if stream.write_all(&part).is_err() {
                break;
            }
        }
    });
    let before = peak();
    let endpoint: Endpoint = format!("http://{address}/").parse().unwrap();
    let timeouts = Timeouts { request: Duration::from_secs(30), ..Timeouts::default() };
    let outcome: Result<Client, _> = endpoint.connect(timeouts).await;
    println!("{}", outcome.unwrap_err());
    let grown = peak() - before;
    assert!(grown < 256, "one answer took {grown} MiB");
}

/// A payload that returns what was voted on while nobody pays for gas, as in `eth_call`, and reverts in every
/// transaction. The list that was frozen would execute it (`executeWith`), and is never tried.
#[tokio::test]
async fn a_payload_that_withholds_its_list_in_transactions_only_is_executed() {
    use crate::tx_executing::{PAYLOAD, executable, trace};
    use alloy_sol_types::SolCall;
    let chain = TxChain::new().await;
    let actions = [trace(&chain)];
    let intent = executable(&chain, &actions).await;
    let list = actions.iter().cloned().map(Into::into).collect();
    let data = canon_abi::UpgradePayload::getActionsCall::abi_encode_returns(&list);
    let length = u16::try_from(data.len()).unwrap().to_be_bytes();
    let code = [
        // GASPRICE, JUMPI
        &[0x3a, 0x60, 0x10, 0x57, 0x61][..],
        &length,
        &[0x60, 0x14, 0x5f, 0x39, 0x61],
        &length,
        &[0x5f, 0xf3, 0x5b, 0x5f, 0x5f, 0xfd],
        &data,
    ]
    .concat();
    chain.devchain.set_code(PAYLOAD, Bytes::from(code)).unwrap();
    let journal = MemoryJournal::default();
    let mut sender = chain.sender(&journal);
    let before = chain.devchain.balance(chain.account());
    let (mut done, mut said) = (Vec::new(), Vec::new());
    for _ in 0..50 {
        let reports = chain.pursue_and_mine(&mut sender, from_ref(&intent)).await;
        done.extend(confirmed(&reports));
        said.extend(failures(&reports));
    }
    let paid = before - chain.devchain.balance(chain.account());
    println!("{} failures, the last: {:?}; {paid} wei were paid", said.len(), said.last());
    assert_eq!(done, [intent.id()], "it is never executed");
}

/// `Debug` of a client, whose URL has a key.
#[tokio::test]
async fn a_clients_debug_has_no_secret() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut part = [0; 4096];
            let _ = stream.read(&mut part);
            let body = r#"{"jsonrpc":"2.0","id":0,"result":"0x1"}"#;
            let head = format!(
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
    });
    let endpoint: Endpoint =
        format!("http://alice:pa55word@{address}/v2/SECRETKEY?token=QUERYSECRET").parse().unwrap();
    let client = endpoint.connect(Timeouts::default()).await.unwrap();
    let shown =
        format!("{client:?}{client:#?}{:?}{:?}", client.provider(), client.provider().client());
    println!("{shown}");
    for secret in ["alice", "pa55word", "SECRETKEY", "QUERYSECRET", "YWxpY2U6cGE1NXdvcmQ"] {
        assert!(!shown.contains(secret), "{secret}");
    }
}
