//! The transactions signed for one step, or for the deployment proxy, of which at most one is mined.

use super::{
    error::DeployError,
    record::{BegunStep, ProxyPayment},
    step::Step,
};
use crate::{
    Client, Confirmed, ContractCall, Error, Rejection, Sender, Wait, Waited, confirm::wait_until,
    sender::SignedCall,
};
use alloy_primitives::{Address, Bytes};

/// Transactions with the same call and nonce, each for more than the one before.
#[derive(Clone, Debug)]
pub(super) struct Versions {
    pub(super) newest: SignedCall,
    /// Those whose place it has taken, oldest first.
    pub(super) replaced: Vec<SignedCall>,
}

/// The end of the wait for a step.
#[derive(Debug)]
enum Awaited {
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

    /// Those that are recorded; `None` if one isn't of this account or doesn't make `call`.
    pub(super) fn recorded(
        newest: &Bytes,
        replaced: &[Bytes],
        from: Address,
        call: &ContractCall,
    ) -> Option<Self> {
        let signed = |raw| SignedCall::recorded(raw, from, call.clone());
        let replaced: Option<Vec<_>> = replaced.iter().map(signed).collect();
        Some(Self { newest: signed(newest)?, replaced: replaced? })
    }

    /// What a record needs in order to go on with those of a step.
    pub(super) fn record(&self, step: Step) -> BegunStep {
        let ProxyPayment { nonce, raw, replaced } = self.record_payment();
        BegunStep { step, nonce, raw, replaced }
    }

    /// What a record needs in order to go on with those of the payment for the deployment proxy.
    pub(super) fn record_payment(&self) -> ProxyPayment {
        let replaced = self.replaced.iter().map(|one| one.raw().clone()).collect();
        ProxyPayment { nonce: self.nonce(), raw: self.newest.raw().clone(), replaced }
    }

    /// Adds one that takes the place of the newest one.
    fn replace(&mut self, newer: SignedCall) {
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

    /// Reads the receipt, and once more if there is none: it may come later than what the transaction did.
    ///
    /// # Errors
    ///
    /// As [`Client::confirm`].
    pub(super) async fn late_receipt(
        &self,
        client: &Client,
        wait: &mut impl Wait,
    ) -> Result<Option<Confirmed>, Error> {
        let found = self.confirm(client).await?;
        if found.is_some() {
            return Ok(found);
        }
        wait.wait(0).await;
        self.confirm(client).await
    }

    /// Sends the newest one and waits until one is mined. If the base fee rises above what it offers, or a node finds
    /// it too cheap, one with higher fees takes its place. `begin` records each before it is sent.
    ///
    /// # Errors
    ///
    /// The errors of `begin`, and those of sending and of [`Client::confirm`], which `failed` makes its own.
    pub(super) async fn deliver(
        mut self,
        sender: &mut Sender,
        wait: &mut impl Wait,
        mut begin: impl FnMut(&Self) -> Result<(), DeployError>,
        failed: impl Fn(Error) -> DeployError,
    ) -> Result<Confirmed, DeployError> {
        let client = sender.client().clone();
        loop {
            begin(&self)?;
            let is_refused = match sender.broadcast(self.newest.clone()).await {
                Ok(_) => false,
                Err(error) => match error.rejection() {
                    Some(Rejection::Underpriced | Rejection::ReplacementUnderpriced) => true,
                    // It may be one of these that has used the nonce.
                    Some(Rejection::NonceTooLow) => {
                        let confirmed = self.late_receipt(&client, wait).await.map_err(&failed)?;
                        return confirmed.ok_or_else(|| failed(error));
                    }
                    _ => return Err(failed(error)),
                },
            };
            match self.await_mined(&client, is_refused, wait).await.map_err(&failed)? {
                Awaited::Mined(confirmed) => return Ok(confirmed),
                Awaited::TooCheap => {}
            }
            let next = client.next_block().await.map_err(&failed)?;
            match sender.outbid(&self.newest, next).await.map_err(&failed)? {
                Some(newer) => self.replace(newer),
                None if wait.wait(0).await == Waited::GiveUp => {
                    return Err(failed(self.not_mined()));
                }
                None => {}
            }
        }
    }

    /// Waits until one is mined, or none can be for what the newest one offers. `is_refused` says that a node has found
    /// that one too cheap.
    ///
    /// # Errors
    ///
    /// As [`Client::confirm`]; [`Error::NotMined`] if `wait` gives up.
    async fn await_mined(
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
    const fn not_mined(&self) -> Error {
        let pending = self.newest.pending();
        Error::NotMined { what: pending.call().what(), hash: pending.hash() }
    }
}
