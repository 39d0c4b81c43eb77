//! The fees that are suggested to clients, and the fee history.

use alloy_rpc_types_eth::FeeHistory;

use crate::{block::Block, chain::Chain};

/// The suggested priority fee: 1 gwei per gas. Transactions don't compete for space.
pub(crate) const SUGGESTED_TIP: u128 = 1_000_000_000;

/// The largest number of blocks in one answer, as in other nodes.
const MAX_FEE_HISTORY: u64 = 1024;

/// The largest number of percentiles in one request, as in geth.
pub(crate) const MAX_PERCENTILES: usize = 100;

impl Chain {
    /// The base fees, gas used ratios and priority fees of `count` blocks up to `newest`, which must
    /// exist. Of no blocks there is nothing, as in geth.
    pub(crate) fn fee_history(
        &self,
        count: u64,
        newest: u64,
        percentiles: Option<&[f64]>,
    ) -> FeeHistory {
        if count == 0 {
            return FeeHistory::default();
        }
        let count = count.min(MAX_FEE_HISTORY).min(newest + 1);
        let oldest = newest + 1 - count;
        let blocks = &self.blocks[oldest as usize..=newest as usize];
        let after = self.blocks.get(newest as usize + 1);
        let next_base_fee = after.map_or_else(|| self.next_base_fee(), Block::base_fee);
        FeeHistory {
            base_fee_per_gas: blocks
                .iter()
                .map(Block::base_fee)
                .chain([next_base_fee])
                .map(u128::from)
                .collect(),
            gas_used_ratio: blocks
                .iter()
                .map(|block| block.header.gas_used as f64 / block.header.gas_limit as f64)
                .collect(),
            base_fee_per_blob_gas: vec![1; count as usize + 1],
            blob_gas_used_ratio: vec![0.0; count as usize],
            oldest_block: oldest,
            // Without percentiles there are no rewards, as in geth.
            reward: percentiles.filter(|percentiles| !percentiles.is_empty()).map(|percentiles| {
                blocks.iter().map(|block| rewards_at(block, percentiles)).collect()
            }),
        }
    }
}

/// The priority fee at each percentile of the gas used in a block; zeros for an empty block.
fn rewards_at(block: &Block, percentiles: &[f64]) -> Vec<u128> {
    let rewards = block.rewards();
    percentiles
        .iter()
        .map(|percentile| {
            let threshold = (block.header.gas_used as f64 * percentile / 100.0) as u64;
            let mut gas = 0;
            let reached = rewards.iter().find(|reward| {
                gas += reward.gas_used;
                gas >= threshold
            });
            reached.or_else(|| rewards.last()).map_or(0, |reward| reward.reward)
        })
        .collect()
}
