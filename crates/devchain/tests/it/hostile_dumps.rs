//! Dumps that somebody has changed, with checksums and hashes that fit.

use alloy_primitives::{Address, B256, U256, bytes, keccak256};
use alloy_rlp::{BufMut, Encodable, Header};
use canon_devchain::{Devchain, DevchainConfig, Mining, ReorgOptions};
use canon_testkit::properties;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{dev, provider, request};

/// A list or a string of RLP.
#[derive(Clone, Debug)]
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

    fn items(&mut self) -> &mut Vec<Self> {
        let Self::List(items) = self else { panic!("not a list: {self:?}") };
        items
    }

    /// The number of all lists and strings in it.
    fn count(&self) -> usize {
        match self {
            Self::List(items) => 1 + items.iter().map(Self::count).sum::<usize>(),
            Self::String(_) => 1,
        }
    }

    /// The one at this position of all that it contains.
    fn at(&mut self, position: usize) -> &mut Self {
        if position == 0 {
            return self;
        }
        let mut left = position - 1;
        for item in self.items() {
            let count = item.count();
            if left < count {
                return item.at(left);
            }
            left -= count;
        }
        panic!("no position {position}");
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

const BLOCKS: usize = 7;

/// Gives the blocks the hashes of their headers and parents.
fn rehash(image: &mut Item) {
    let Some(Item::List(blocks)) = image.items().get_mut(BLOCKS) else { return };
    let mut parent = B256::ZERO;
    for block in blocks {
        let Item::List(parts) = block else { return };
        let [Item::List(header), Item::String(hash), ..] = &mut parts[..] else { return };
        if let Some(first) = header.first_mut() {
            *first = Item::String(parent.to_vec());
        }
        parent = keccak256(alloy_rlp::encode(&*header));
        *hash = parent.to_vec();
    }
}

fn number(number: u64) -> Item {
    Item::String(U256::from(number).to_be_bytes_trimmed_vec())
}

/// A change of a dump.
#[derive(Clone, Debug)]
struct Change {
    place: prop::sample::Index,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Number(u64),
    /// All bits are set.
    Full,
    Flip(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    Repeat(prop::sample::Index),
}

impl Change {
    fn apply(&self, image: &mut Item) {
        let place = self.place.index(image.count());
        let item = image.at(place);
        match (item, &self.kind) {
            (item @ Item::String(_), Kind::Number(new)) => *item = number(*new),
            (Item::String(bytes), Kind::Full) => bytes.fill(0xff),
            (Item::String(bytes), Kind::Flip(at, bits)) if !bytes.is_empty() => {
                let at = at.index(bytes.len());
                bytes[at] ^= bits;
            }
            (Item::List(items), Kind::Remove(at)) if !items.is_empty() => {
                items.remove(at.index(items.len()));
            }
            (Item::List(items), Kind::Repeat(at)) if !items.is_empty() => {
                let again = items[at.index(items.len())].clone();
                items.push(again);
            }
            _ => {}
        }
    }
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let numbers = prop_oneof![
        Just(0),
        Just(1),
        Just(u64::MAX / 2),
        Just(u64::MAX / 2 + 1),
        Just(u64::MAX - 1),
        Just(u64::MAX),
        any::<u64>(),
        any::<u8>().prop_map(u64::from),
    ];
    let kind = prop_oneof![
        4 => numbers.prop_map(Kind::Number),
        1 => Just(Kind::Full),
        2 => (any::<prop::sample::Index>(), 1..=u8::MAX).prop_map(|(at, bits)| Kind::Flip(at, bits)),
        1 => any::<prop::sample::Index>().prop_map(Kind::Remove),
        1 => any::<prop::sample::Index>().prop_map(Kind::Repeat),
    ];
    let change = (any::<prop::sample::Index>(), kind);
    prop::collection::vec(change.prop_map(|(place, kind)| Change { place, kind }), 1..4)
}

/// A short dump with some of everything.
async fn dump() -> Vec<u8> {
    let chain = Devchain::new(DevchainConfig { dev_accounts: 2, ..DevchainConfig::default() });
    let provider = provider(&chain);
    let logger = Address::repeat_byte(1);
    // LOG0(0, 0), SSTORE(NUMBER, TIMESTAMP)
    chain.set_code(logger, bytes!("5f5fa0424355")).unwrap();
    let tx = |gas: &str| json!([{ "from": dev(&chain, 0), "to": logger, "gas": gas }]);
    for _ in 0..2 {
        request(&provider, "eth_sendTransaction", tx("0x20000")).await.unwrap();
    }
    chain.reorg(ReorgOptions { depth: 1, ..Default::default() }).unwrap();
    chain.set_mining(Mining::Manual);
    request(&provider, "eth_sendTransaction", tx("0x20001")).await.unwrap();
    chain.mine().unwrap();
    request(&provider, "eth_sendTransaction", tx("0x20002")).await.unwrap();
    chain.set_next_timestamp(chain.timestamp() + 9).unwrap();
    chain.set_base_fee_next(1_000_000_000);
    chain.to_bytes()
}

fn changed(good: &[u8], change: impl FnOnce(&mut Item)) -> Vec<u8> {
    let mut image = Item::read(&mut &good[PREFIX..]);
    change(&mut image);
    rehash(&mut image);
    let image = alloy_rlp::encode(&image);
    [&good[..15], keccak256(&image).as_slice(), &image].concat()
}

/// Uses a chain in many ways. Refusals are fine, panics aren't.
async fn live_on(chain: &Devchain) {
    let ours = provider(chain);
    let account = json!(Address::repeat_byte(1));
    let number = chain.block_number();
    let ask = async |method: &'static str, params: Value| {
        let _ = request(&ours, method, params).await;
    };
    for block in 0..=number.min(5) {
        let block = json!(format!("{block:#x}"));
        ask("eth_getBlockByNumber", json!([block, true])).await;
        ask("eth_getBlockReceipts", json!([block])).await;
        ask("eth_getAccount", json!([account, block])).await;
        ask("eth_call", json!([{ "to": account }, block])).await;
        ask("eth_feeHistory", json!(["0x5", block, [0.0, 50.0, 100.0]])).await;
        ask("debug_traceBlockByNumber", json!([block, { "tracer": "callTracer" }])).await;
        ask("debug_getRawBlock", json!([block])).await;
    }
    ask("eth_getLogs", json!([{ "fromBlock": "0x0" }])).await;
    ask("eth_getBlockByNumber", json!(["pending", true])).await;
    ask("txpool_content", json!([])).await;
    ask("eth_gasPrice", json!([])).await;
    let from = chain.dev_accounts().first().map(|signer| signer.address());
    ask("eth_getTransactionCount", json!([from, "pending"])).await;
    ask("evm_snapshot", json!([])).await;
    for _ in 0..3 {
        ask("eth_sendTransaction", json!([{ "from": from, "to": account, "gas": "0x20000" }]))
            .await;
        chain.mine().unwrap();
    }
    assert!(chain.block_number() >= number + 3);
    for depth in ["0x1", "0x4", "0x2"] {
        ask("devchain_reorg", json!([depth])).await;
        ask("anvil_rollback", json!(["0x1"])).await;
    }
    ask("evm_revert", json!(["0x1"])).await;
    let _ = Devchain::from_bytes(&chain.to_bytes());
    ask("anvil_reset", json!([])).await;
    chain.mine().unwrap();
}

proptest! {
    #![proptest_config(properties(300))]

    #[test]
    fn a_changed_dump_is_refused_or_a_chain_that_works(changes in changes()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let dump = changed(&dump().await, |image| {
                changes.iter().for_each(|change| change.apply(image));
            });
            if let Ok(chain) = Devchain::from_bytes(&dump) {
                live_on(&chain).await;
            }
        });
    }
}

#[tokio::test]
async fn numbers_that_could_not_increase_are_refused() {
    let good = dump().await;
    live_on(&Devchain::from_bytes(&changed(&good, |_| ())).unwrap()).await;
    let refused: [(&str, &dyn Fn(&mut Item)); 5] = [
        ("versions of history", &|image| image.items()[9].items()[0] = number(u64::MAX)),
        ("reorgs are too many", &|image| image.items()[2] = number(u64::MAX)),
        ("more gas used than its limit", &|image| {
            let block = image.items()[BLOCKS].items()[1].items();
            // The same transaction once more.
            let transaction = block[4].items()[0].clone();
            block[4].items().push(transaction);
            let mut outcome = block[5].items()[0].clone();
            outcome.items()[1] = number(u64::MAX);
            block[5].items().push(outcome);
        }),
        ("more gas used than its limit", &|image| {
            let block = image.items()[BLOCKS].items()[1].items();
            block[0].items()[9] = number(1);
        }),
        ("a transaction of the pool", &|image| {
            let transaction = image.items()[8].items()[0].items();
            let Item::String(encoded) = &transaction[1] else { panic!("no transaction") };
            // A transaction of EIP-1559, whose second value is the nonce.
            let mut fields = Item::read(&mut &encoded[1..]);
            fields.items()[1] = number(u64::MAX);
            let encoded = [&encoded[..1], &alloy_rlp::encode(&fields)].concat();
            transaction[1] = Item::String(encoded);
        }),
    ];
    for (expected, change) in refused {
        let error = Devchain::from_bytes(&changed(&good, change)).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}, expected: {expected}");
    }
}
