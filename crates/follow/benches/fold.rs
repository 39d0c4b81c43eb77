//! Folding logs from memory into a state on one core, including their decoding.

use alloy_primitives::{Address, B256, U256, keccak256, map::B256Map};
use alloy_provider::{DynProvider, Provider, ProviderBuilder};
use alloy_rpc_types_eth::{Block, Filter};
use canon_chain::{block_view, deploy::Create2Origin};
use canon_differential::{History, Lockstep, salts};
use canon_follow::{
    Comparison, Follower, Header, PlacedLog, RangeLogs, Selection, SetIdentity, SetSource,
    SourceError,
};
use canon_protocol::{BlockNumber, Constructor, L1Block, SetState};
use canon_views::BlockView;
use core::ops::RangeInclusive;
use divan::{Bencher, counter::ItemsCount};
use std::sync::{Arc, LazyLock};

/// The number of calls in the history.
const CALLS: u64 = 20_000;

fn main() {
    divan::main();
}

/// A recorded chain in memory.
#[derive(Clone)]
struct Recorded {
    identity: SetIdentity,
    headers: Arc<[Header]>,
    by_hash: Arc<B256Map<usize>>,
    logs: Arc<[PlacedLog]>,
}

static RECORDED: LazyLock<Recorded> = LazyLock::new(|| {
    let mut recorded = None;
    let before_step = |lockstep: &Lockstep, index: u64| {
        if index.is_multiple_of(1_000) {
            let set = lockstep.set();
            let rollups = set
                .rollups()
                .map(|(at, rollup)| (at, Constructor::Rollup((*rollup.parameters()).into())));
            let proposals = set.all_proposals().map(|(at, proposals)| {
                let [n, m] = [proposals.rules().n(), proposals.rules().m()].map(U256::from);
                (at, Constructor::Proposals { registry: proposals.registry(), n, m })
            });
            let origins = rollups.chain(proposals).filter_map(|(at, made_by)| origin(at, &made_by));
            let origins = origins.collect();
            let addresses = *set.addresses();
            let identity = SetIdentity { addresses, first_block: BlockNumber::ZERO, origins };
            recorded = Some((lockstep.chain().clone(), identity));
        }
    };
    History { seed: 4, calls: CALLS }.run_with(before_step).expect("no difference");
    let (chain, identity) = recorded.expect("a history has steps");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let provider: DynProvider =
            ProviderBuilder::default().connect_client(chain.client()).erased();
        let mut headers = Vec::new();
        for number in 0..=chain.block_number() {
            let block: Option<Block> = provider.get_block(number.into()).await.expect("an answer");
            let header = block.expect("a block").header;
            let block = block_view(&header).expect("a time of 40 bits");
            headers.push(Header { block, bloom: Some(header.logs_bloom) });
        }
        let logs = provider.get_logs(&Filter::new().from_block(0)).await.expect("logs");
        let place = |log: alloy_rpc_types_eth::Log| {
            let BlockView { number, timestamp, hash, .. } =
                headers[log.block_number.expect("mined") as usize].block;
            PlacedLog {
                block: L1Block { number, timestamp },
                hash,
                index: log.log_index.expect("mined"),
                log: log.inner,
            }
        };
        let logs = logs.into_iter().map(place).collect();
        let by_hash =
            headers.iter().enumerate().map(|(at, header)| (header.block.hash, at)).collect();
        Recorded { identity, headers: headers.into(), by_hash: Arc::new(by_hash), logs }
    })
});

/// The origin of the contract that a history created at this address. Each step has its own salt.
fn origin(contract: Address, constructor: &Constructor) -> Option<Create2Origin> {
    let init_code_hash = keccak256(canon_abi::init_code(constructor));
    let mut origins =
        salts(4 * CALLS).map(|salt| Create2Origin { salt, ..Create2Origin::default() });
    origins.find(|origin| origin.factory.create2(origin.salt, init_code_hash) == contract)
}

impl Recorded {
    fn select(
        &self,
        blocks: RangeInclusive<BlockNumber>,
        selection: Selection<'_>,
    ) -> Vec<PlacedLog> {
        let first = self.logs.partition_point(|log| log.block.number < *blocks.start());
        let end = self.logs.partition_point(|log| log.block.number <= *blocks.end());
        self.logs[first..end].iter().filter(|log| selection.selects(log)).cloned().collect()
    }
}

impl SetSource for Recorded {
    async fn chain_id(&mut self) -> Result<u64, SourceError> {
        Ok(self.identity.addresses.chain_id)
    }

    async fn header_at(&mut self, number: BlockNumber) -> Result<Option<Header>, SourceError> {
        Ok(self.headers.get(number.get() as usize).copied())
    }

    async fn headers_at(
        &mut self,
        numbers: RangeInclusive<BlockNumber>,
    ) -> Result<Vec<Header>, SourceError> {
        let [first, last] = [numbers.start(), numbers.end()].map(|number| number.get() as usize);
        Ok(self.headers[first..=last].to_vec())
    }

    async fn newest(&mut self) -> Result<Header, SourceError> {
        Ok(self.headers[self.headers.len() - 1])
    }

    async fn header(&mut self, hash: B256) -> Result<Option<Header>, SourceError> {
        Ok(self.by_hash.get(&hash).map(|at| self.headers[*at]))
    }

    async fn logs_of_blocks(
        &mut self,
        asked: &[(BlockView, Selection<'_>)],
    ) -> Result<Vec<Result<Vec<PlacedLog>, SourceError>>, SourceError> {
        let logs = |(block, selection): &(BlockView, _)| {
            self.select(block.number..=block.number, *selection)
        };
        Ok(asked.iter().map(logs).map(Ok).collect())
    }

    async fn range_logs(
        &mut self,
        blocks: RangeInclusive<BlockNumber>,
        selection: Selection<'_>,
    ) -> Result<RangeLogs, SourceError> {
        let [first, last] =
            [blocks.start(), blocks.end()].map(|end| self.headers[end.get() as usize].block);
        Ok(RangeLogs { first, last, logs: self.select(blocks, selection) })
    }

    async fn compare(&mut self, _: &SetState, _: &BlockView) -> Result<Comparison, SourceError> {
        Ok(Comparison::Agrees)
    }
}

/// A new follower that catches up to the newest block, in events per second.
#[divan::bench(sample_count = 10)]
fn from_the_first_block(bencher: Bencher<'_, '_>) {
    let recorded = &*RECORDED;
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    bencher.counter(ItemsCount::new(recorded.logs.len())).bench_local(|| {
        let mut follower = Follower::new(recorded.clone(), recorded.identity.clone());
        runtime.block_on(follower.catch_up()).expect("it arrives")
    });
}
