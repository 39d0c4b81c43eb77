//! How stakes left a rollup. The contracts forget them; the events have them.

use crate::{
    client::Client,
    error::{Error, InRange, Result},
};
use alloy_primitives::Address;
use alloy_rpc_types_eth::{Filter, Log};
use alloy_sol_types::SolEvent;
use canon_abi::Rollup;
use canon_protocol::{Amount, BlockNumber};
use core::ops::RangeInclusive;

/// The payment or the move of an attester's whole stake, according to its event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Departure {
    /// The stake.
    pub amount: Amount,
    /// The block of the event.
    pub block: BlockNumber,
    /// The destination of the stake.
    pub destination: Destination,
}

/// The destination of a stake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// It was paid to this account.
    Account(Address),
    /// It was deposited into another rollup.
    Rollup {
        /// The other rollup.
        rollup: Address,
        /// The attester for which it was deposited.
        attester: Address,
    },
}

impl Client {
    /// The last payment or move of an attester's stake in `blocks`; `None` if there is none.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer, refuses even short ranges, or the logs aren't those of a rollup.
    pub async fn last_departure(
        &self,
        rollup: Address,
        attester: Address,
        blocks: RangeInclusive<BlockNumber>,
    ) -> Result<Option<Departure>> {
        let topics =
            vec![Rollup::WithdrawFinalised::SIGNATURE_HASH, Rollup::MoveFinalised::SIGNATURE_HASH];
        let filter =
            Filter::new().address(rollup).event_signature(topics).topic1(attester.into_word());
        let logs = self.logs(&filter, blocks).await?;
        let unreadable = || Error::BadAnswer { what: "eth_getLogs", address: rollup };
        let Some(log) = logs.last() else { return Ok(None) };
        let (amount, destination) = destination(log).ok_or_else(unreadable)?;
        let block = log.block_number.ok_or_else(unreadable)?;
        let amount = amount.try_into().in_range("an amount of stake")?;
        Ok(Some(Departure { amount, block: BlockNumber::of(block), destination }))
    }
}

fn destination(log: &Log) -> Option<(alloy_primitives::U256, Destination)> {
    if log.topic0() == Some(&Rollup::WithdrawFinalised::SIGNATURE_HASH) {
        let event = Rollup::WithdrawFinalised::decode_log_validate(&log.inner).ok()?;
        Some((event.amount, Destination::Account(event.recipient)))
    } else {
        let event = Rollup::MoveFinalised::decode_log_validate(&log.inner).ok()?;
        let (rollup, attester) = (event.newRollup, event.newAttester);
        Some((event.amount, Destination::Rollup { rollup, attester }))
    }
}
