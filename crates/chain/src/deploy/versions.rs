//! The transactions signed for one step, of which at most one is mined.

use super::{record::BegunStep, step::Step};
use crate::{Client, Confirmed, Error, Wait, confirm::wait_until, sender::SignedCall};

/// Transactions with the same call and nonce, each for more than the one before.
#[derive(Clone, Debug)]
pub(super) struct Versions {
    pub(super) newest: SignedCall,
    /// Those whose place it has taken, oldest first.
    pub(super) replaced: Vec<SignedCall>,
}

/// The end of the wait for a step.
#[derive(Debug)]
pub(super) enum Awaited {
    /// One of the transactions was mined, and succeeded.
    Mined(Confirmed),
    /// None can be mined for what the newest one offers.
    TooCheap,
}

impl Versions {
    pub(super) const fn new(signed: SignedCall) -> Self {
        Self { newest: signed, replaced: Vec::new() }
    }

    pub(super) const fn nonce(&self) -> u64 {
        self.newest.pending().nonce()
    }

    /// What a record needs in order to go on with them.
    pub(super) fn record(&self, step: Step) -> BegunStep {
        let replaced = self.replaced.iter().map(|one| one.raw().clone()).collect();
        BegunStep { step, nonce: self.nonce(), raw: self.newest.raw().clone(), replaced }
    }

    /// Adds one that takes the place of the newest one.
    pub(super) fn replace(&mut self, newer: SignedCall) {
        self.replaced.push(core::mem::replace(&mut self.newest, newer));
    }

    /// Checks the receipt of the one that was mined; `None` if none was.
    ///
    /// # Errors
    ///
    /// As [`Client::confirm`].
    pub(super) async fn confirm(&self, client: &Client) -> Result<Option<Confirmed>, Error> {
        for version in [&self.newest].into_iter().chain(self.replaced.iter().rev()) {
            if let Some(confirmed) = client.confirm(version.pending()).await? {
                return Ok(Some(confirmed));
            }
        }
        Ok(None)
    }

    /// Waits until one is mined, or none can be for what the newest one offers. `is_refused` says that a node has found
    /// that one too cheap.
    ///
    /// # Errors
    ///
    /// As [`Client::confirm`]; [`Error::NotMined`] if `wait` gives up.
    pub(super) async fn await_mined(
        &self,
        client: &Client,
        is_refused: bool,
        wait: &mut impl Wait,
    ) -> Result<Awaited, Error> {
        let awaited = wait_until(wait, async || {
            if let Some(confirmed) = self.confirm(client).await? {
                return Ok(Some(Awaited::Mined(confirmed)));
            }
            let is_outbid = client.next_block().await?.base_fee > self.newest.fees().max_fee;
            Ok::<_, Error>((is_refused || is_outbid).then_some(Awaited::TooCheap))
        });
        awaited.await?.ok_or_else(|| self.not_mined())
    }

    /// The error if none was mined.
    pub(super) const fn not_mined(&self) -> Error {
        let pending = self.newest.pending();
        Error::NotMined { what: pending.call().what(), hash: pending.hash() }
    }
}
