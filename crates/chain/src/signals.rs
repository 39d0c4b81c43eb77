//! The signals of a round, slot by slot. The contracts store only counts; the events contain each signal.

use crate::{
    client::{Client, block_time},
    error::{Error, Result},
    view::{BatchedRequest, decode_reply},
};
use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{Address, B256};
use alloy_rpc_types_eth::{Filter, Header, Log};
use alloy_sol_types::SolEvent;
use alloy_transport::RpcError;
use canon_abi::Proposals;
use canon_protocol::{BlockNumber, Round, Slot, Timestamp, text};
use core::ops::RangeInclusive;
use serde::Serialize;

/// The number of blocks that one round trip of a search requests.
const PROBES: u64 = 16;

/// A signal, according to its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SlotSignal {
    /// The slot of the signal.
    pub slot: Slot,
    /// The round in which it counts.
    pub round: Round,
    /// The payload.
    #[serde(with = "text::address")]
    pub payload: Address,
    /// The slot's proposer.
    #[serde(with = "text::address")]
    pub proposer: Address,
}

impl Client {
    /// The signals that the Proposals contract at `proposals` counted in `blocks`, oldest first, for all
    /// canonical rollups. An endpoint that lags may omit the newest without an error.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer, refuses even short ranges, or the logs aren't those of signals.
    pub async fn signals(
        &self,
        proposals: Address,
        blocks: RangeInclusive<BlockNumber>,
    ) -> Result<Vec<SlotSignal>> {
        let topics = vec![Proposals::SlotUsed::SIGNATURE_HASH, Proposals::VoteCast::SIGNATURE_HASH];
        let filter = Filter::new().address(proposals).event_signature(topics);
        let logs = self.logs(&filter, blocks).await?;
        let unreadable = || Error::BadAnswer { what: "eth_getLogs", address: proposals };
        signals_of(&logs).ok_or_else(unreadable)
    }

    /// The first of `blocks` at or after `time`; `None` if all are earlier.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't have one of the blocks.
    pub async fn first_block_since(
        &self,
        time: Timestamp,
        blocks: RangeInclusive<BlockNumber>,
    ) -> Result<Option<BlockNumber>> {
        // The block is in `start..=end`. If there is none, `end` is past the range.
        let (mut start, mut end) = (blocks.start().get(), blocks.end().get().saturating_add(1));
        while start < end {
            let step = (end - start).div_ceil(PROBES);
            let probes: Vec<_> = (start..end).step_by(usize::try_from(step).unwrap_or(1)).collect();
            let times = self.block_times(&probes).await?;
            // Times never decrease along the chain.
            let earlier = times.iter().take_while(|found| **found < time).count();
            if let Some(not_before) = probes.get(earlier) {
                end = *not_before;
            }
            match earlier.checked_sub(1).and_then(|last| probes.get(last)) {
                Some(before) => start = before + 1,
                None => break,
            }
        }
        let found = BlockNumber::of(end);
        Ok(blocks.contains(&found).then_some(found))
    }

    /// The times of the canonical blocks with these numbers.
    async fn block_times(&self, numbers: &[u64]) -> Result<Vec<Timestamp>> {
        const WHAT: &str = "eth_getBlockByNumber";
        let requests = numbers
            .iter()
            .map(|number| BatchedRequest::new(WHAT, (BlockNumberOrTag::Number(*number), false)));
        let requests = requests.collect::<Result<Vec<_>>>()?;
        let replies = self.batch(&requests).await?.into_iter();
        let times = replies.map(|reply| {
            let header = decode_reply::<Option<Header>>(WHAT, reply)?;
            let header = header.ok_or_else(|| Error::rpc(WHAT, RpcError::NullResp))?;
            block_time(&header)
        });
        times.collect()
    }
}

/// The signals in the logs of a Proposals contract, in which a log with the slot precedes each signal.
/// `None` if the logs aren't in that order.
fn signals_of(logs: &[Log]) -> Option<Vec<SlotSignal>> {
    let mut signals = Vec::with_capacity(logs.len() / 2);
    let mut named: Option<(Option<B256>, Slot)> = None;
    for log in logs {
        if log.topic0() == Some(&Proposals::SlotUsed::SIGNATURE_HASH) {
            let event = Proposals::SlotUsed::decode_log_validate(&log.inner).ok()?;
            named = Some((log.transaction_hash, Slot::try_from(event.slot).ok()?));
        } else {
            let event = Proposals::VoteCast::decode_log_validate(&log.inner).ok()?;
            let (transaction, slot) = named.take()?;
            let round = Round::try_from(event.round).ok()?;
            if transaction != log.transaction_hash {
                return None;
            }
            let (payload, proposer) = (event.payload, event.voter);
            signals.push(SlotSignal { slot, round, payload, proposer });
        }
    }
    Some(signals)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::U256;

    fn log(event: &impl SolEvent, transaction: u8) -> Log {
        let inner = alloy_primitives::Log { address: Address::ZERO, data: event.encode_log_data() };
        let transaction_hash = Some(B256::repeat_byte(transaction));
        Log { inner, transaction_hash, ..Log::default() }
    }

    fn used(slot: u64, transaction: u8) -> Log {
        log(&Proposals::SlotUsed { slot: U256::from(slot) }, transaction)
    }

    fn cast(round: u64, transaction: u8) -> Log {
        let (payload, voter) = (Address::repeat_byte(7), Address::repeat_byte(8));
        log(&Proposals::VoteCast { payload, round: U256::from(round), voter }, transaction)
    }

    #[test]
    fn each_signal_is_of_the_slot_named_before_it() {
        let found = signals_of(&[used(10, 1), cast(1, 1), used(11, 1), cast(1, 1)]).unwrap();
        let slots: Vec<_> = found.iter().map(|signal| signal.slot.get()).collect();
        assert_eq!(slots, [10, 11]);
        assert_eq!(found[0].round, Round::of(1));
        assert_eq!(found[0].proposer, Address::repeat_byte(8));
    }

    #[test]
    fn logs_with_a_gap_are_refused_instead_of_shown_at_the_wrong_slot() {
        for logs in [
            vec![cast(1, 1)],
            vec![used(10, 1), cast(1, 2)],
            vec![used(10, 1), cast(1, 1), cast(1, 1)],
        ] {
            assert_eq!(signals_of(&logs), None);
        }
    }
}
