//! Dumps, and determinism.

use alloy_network::TransactionBuilder;
use alloy_primitives::{B256, U256, bytes, keccak256};
use alloy_provider::Provider;
use alloy_rlp::{BufMut, Encodable, Header};
use canon_devchain::{Devchain, DevchainConfig, Error, Mining, ReorgOptions};

use crate::{
    code,
    support::{call, deploy, dev, provider, send, start},
};

/// A chain with some of everything: contracts, history, a reorg, a pool.
async fn lived_in(seed: u64) -> Devchain {
    let (chain, provider) = start(DevchainConfig {
        seed,
        history_blocks: 10,
        alloc: vec![(alloy_primitives::Address::repeat_byte(5), U256::from(5))],
        ..DevchainConfig::default()
    });
    let cell = deploy(&provider, code::cell()).await;
    for n in 0..20 {
        let word = B256::with_last_byte(n % 7);
        send(&provider, call(cell, word).with_from(dev(&chain, usize::from(n % 3)))).await;
    }
    chain.reorg(ReorgOptions { depth: 2, ..Default::default() }).unwrap();
    chain.set_balance(cell, U256::from(9));
    chain.impersonate(cell);
    chain.set_next_timestamp(chain.timestamp() + 99).unwrap();
    chain.set_prevrandao_next(B256::repeat_byte(3));
    chain.set_mining(Mining::Manual);
    let _ = provider.send_transaction(call(cell, B256::with_last_byte(1))).await.unwrap();
    chain
}

#[tokio::test]
async fn equal_inputs_make_equal_chains() {
    let (first, second) = (lived_in(1).await, lived_in(1).await);
    assert_eq!(first.block_hash(), second.block_hash());
    assert_eq!(first.to_bytes(), second.to_bytes());
    assert_ne!(first.block_hash(), lived_in(2).await.block_hash());
}

#[tokio::test]
async fn dumps_restore_the_whole_chain() {
    let chain = lived_in(1).await;
    let path = std::env::temp_dir().join(format!("canon-devchain-{}", std::process::id()));
    chain.dump(&path).unwrap();
    let loaded = Devchain::load(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(loaded.to_bytes(), chain.to_bytes());

    // Both chains behave alike after it, forwards and backwards.
    let (ours, theirs) = (provider(&chain), provider(&loaded));
    let filter = alloy_rpc_types_eth::Filter::new().from_block(0);
    assert_eq!(ours.get_logs(&filter).await.unwrap(), theirs.get_logs(&filter).await.unwrap());
    for number in [1, 12, 15, 19] {
        let block = async |provider: &alloy_provider::DynProvider| {
            let receipts = provider.get_block_receipts(number.into()).await.unwrap();
            let cell = code::init(&code::cell());
            let nonce = provider.get_transaction_count(dev(&chain, 0)).number(number).await.ok();
            (
                provider.get_block_by_number(number.into()).full().await.unwrap(),
                receipts,
                cell,
                nonce,
            )
        };
        assert_eq!(block(&ours).await, block(&theirs).await);
    }
    assert_eq!(chain.mine().unwrap(), loaded.mine().unwrap());
    for chain in [&chain, &loaded] {
        chain.reorg(ReorgOptions { depth: 6, ..Default::default() }).unwrap();
        chain.mine().unwrap();
    }
    assert_eq!(loaded.to_bytes(), chain.to_bytes());
}

/// A list or a string of RLP.
#[derive(Clone, Debug, PartialEq)]
enum Item {
    List(Vec<Item>),
    String(Vec<u8>),
}

impl Item {
    fn read(bytes: &mut &[u8]) -> Self {
        let Header { list, payload_length } = Header::decode(bytes).unwrap();
        let (mut payload, rest) = bytes.split_at(payload_length);
        *bytes = rest;
        if !list {
            return Self::String(payload.to_vec());
        }
        let mut items = Vec::new();
        while !payload.is_empty() {
            items.push(Self::read(&mut payload));
        }
        Self::List(items)
    }

    fn at(&mut self, index: usize) -> &mut Self {
        let Self::List(items) = self else { panic!("not a list: {self:?}") };
        &mut items[index]
    }

    fn set(&mut self, number: u64) {
        *self = Self::String(U256::from(number).to_be_bytes_trimmed_vec());
    }

    fn items(&mut self) -> &mut Vec<Self> {
        let Self::List(items) = self else { panic!("not a list: {self:?}") };
        items
    }
}

impl Encodable for Item {
    fn encode(&self, out: &mut dyn BufMut) {
        match self {
            Self::List(items) => items.encode(out),
            Self::String(bytes) => bytes.as_slice().encode(out),
        }
    }
}

/// The bytes before the image: the magic word, the version and the checksum.
const PREFIX: usize = 14 + 1 + 32;

/// A dump with this image and its checksum.
fn sealed(good: &[u8], image: &[u8]) -> Vec<u8> {
    [&good[..15], keccak256(image).as_slice(), image].concat()
}

// The places of parts in the lists of an image.
const BLOCKS: usize = 7;
const STATE: usize = 9;
const HEADER_GAS_LIMIT: usize = 9;
const HEADER_TIME: usize = 11;

#[tokio::test]
async fn dumps_that_break_a_rule_are_refused_despite_a_right_checksum() {
    let good = lived_in(1).await.to_bytes();
    let load = |change: &dyn Fn(&mut Item)| {
        let mut image = Item::read(&mut &good[PREFIX..]);
        change(&mut image);
        Devchain::from_bytes(&sealed(&good, &alloy_rlp::encode(&image)))
    };
    assert_eq!(load(&|_| ()).unwrap().to_bytes(), good);
    /// Changes block 1, and gives it the hash of its new header.
    fn block(image: &mut Item, change: impl FnOnce(&mut Item)) {
        let block = image.at(BLOCKS).at(1);
        change(block);
        let hash = keccak256(alloy_rlp::encode(&*block.at(0)));
        *block.at(1) = Item::String(hash.to_vec());
    }
    let refused: [(&str, &dyn Fn(&mut Item)); 13] = [
        ("more gas used than its limit", &|image| {
            block(image, |block| block.at(0).at(HEADER_GAS_LIMIT).set(1));
        }),
        ("more gas used than a transaction's limit", &|image| {
            block(image, |block| block.at(5).at(0).at(1).set(u64::MAX));
        }),
        ("a transaction has no receipt", &|image| {
            block(image, |block| block.at(5).items().clear())
        }),
        ("its contents say", &|image| {
            // The difficulty, which is zero since the merge.
            block(image, |block| block.at(0).at(7).set(1));
        }),
        ("its contents say", &|image| block(image, |block| block.at(5).at(0).at(0).set(0))),
        ("the timestamp of block 1", &|image| {
            let genesis = image.at(BLOCKS).at(0).at(0).at(HEADER_TIME).clone();
            block(image, |block| *block.at(0).at(HEADER_TIME) = genesis);
        }),
        ("block 2 does not follow", &|image| drop(image.at(BLOCKS).items().remove(1))),
        ("there is no block", &|image| image.at(BLOCKS).items().clear()),
        ("don't fit together", &|image| image.at(BLOCKS).at(1).at(2).set(u64::MAX)),
        ("versions of history", &|image| image.at(STATE).at(0).set(u64::MAX)),
        ("aren't in order", &|image| image.at(STATE).at(2).items().reverse()),
        ("the code of", &|image| image.at(STATE).at(1).items().clear()),
        ("reorgs are too many", &|image| image.at(2).set(u64::MAX)),
    ];
    for (expected, change) in refused {
        let Err(Error::DumpDamaged(why)) = load(change) else { panic!("loaded: {expected}") };
        assert!(why.contains(expected), "{why}, expected: {expected}");
    }
}

/// A chain from a dump with any changed byte is refused, or works.
#[tokio::test]
async fn no_damage_breaks_the_program() {
    let good = lived_in(1).await.to_bytes();
    let mut loaded = 0;
    for index in (PREFIX..good.len()).step_by(37) {
        for flipped in [0x01, 0x80] {
            let mut image = good[PREFIX..].to_vec();
            image[index - PREFIX] ^= flipped;
            let Ok(chain) = Devchain::from_bytes(&sealed(&good, &image)) else { continue };
            loaded += 1;
            chain.mine().unwrap();
            let _ = chain.reorg(ReorgOptions { depth: 3, ..Default::default() });
            let _ = provider(&chain).get_fee_history(5, 1.into(), &[50.0]).await;
            let _ = chain.to_bytes();
        }
    }
    assert!(loaded > 0);
}

#[tokio::test]
async fn damaged_dumps_are_refused() {
    let good = lived_in(1).await.to_bytes();
    let load = |bytes: &[u8]| Devchain::from_bytes(bytes).unwrap_err();
    assert!(matches!(load(b""), Error::NotADump));
    assert!(matches!(load(b"{\"block\": {}}"), Error::NotADump));
    assert!(matches!(load(&good[..20]), Error::NotADump));
    let mut other = good.clone();
    other[14] = 99;
    assert!(matches!(load(&other), Error::DumpVersion { found: 99, supported: 2 }));
    for index in [15, 60, good.len() / 2, good.len() - 1] {
        let mut damaged = good.clone();
        damaged[index] ^= 1;
        assert!(matches!(load(&damaged), Error::DumpDamaged(_)));
    }
    assert!(matches!(load(&good[..good.len() - 1]), Error::DumpDamaged(_)));
    let missing = Devchain::load("/nonexistent/dump").unwrap_err().to_string();
    assert!(missing.starts_with("can't access /nonexistent/dump"), "{missing}");
}

#[tokio::test]
async fn dumps_travel_over_rpc() {
    let chain = lived_in(1).await;
    let dump: alloy_primitives::Bytes =
        provider(&chain).raw_request("devchain_dump".into(), ()).await.unwrap();
    let other = Devchain::new(DevchainConfig::default());
    let loaded: bool = provider(&other).raw_request("devchain_load".into(), [dump]).await.unwrap();
    assert!(loaded);
    assert_eq!(other.to_bytes(), chain.to_bytes());
    let refused = provider(&other)
        .raw_request::<_, bool>("devchain_load".into(), [bytes!("00")])
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("not a dump"), "{refused}");
}
