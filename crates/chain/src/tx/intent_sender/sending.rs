//! Signing, recording and sending one transaction.

use super::{IntentSender, Pass, RENEWAL};
use crate::{
    error::Result,
    rejection::Rejection,
    tx::{fees::Fees, journal::JournaledTransaction, nonce_use::Version, report::TxEvent},
};
use alloy_consensus::TxEip1559;
use canon_protocol::BlockNumber;
use canon_views::Intent;

impl IntentSender {
    /// Signs, records and sends a transaction under a nonce: with what it takes to replace those that
    /// have it. Whether it may be out.
    pub(super) async fn send(
        &mut self,
        nonce: u64,
        intent: Option<Intent>,
        mut tx: TxEip1559,
        what: &'static str,
        pass: &mut Pass,
    ) -> bool {
        let id = intent.as_ref().map(Intent::id);
        let version = match self.sign(nonce, intent, &mut tx, what, pass).await {
            Ok(version) => version,
            Err(error) => {
                pass.fail(id, error);
                return false;
            }
        };
        let (transaction, raw) = (version.hash, version.raw.clone());
        let used = self.nonces.entry(nonce).or_default();
        let to_beat = used.to_beat;
        used.push(version);
        match self.account.broadcast(what, &raw).await {
            Ok(()) => {
                let used = self.nonces.get_mut(&nonce);
                if let Some(last) = used.and_then(|used| used.versions.last_mut()) {
                    last.is_taken = true;
                }
                self.floor = None;
                pass.report(id, TxEvent::Sent { transaction, nonce });
                true
            }
            Err(error) => {
                let is_out = match error.rejection() {
                    // It doesn't say that this one wasn't mined: on the way to the node it may have been
                    // doubled.
                    None | Some(Rejection::NonceTooLow) => true,
                    Some(rejection) => {
                        self.retract(nonce, rejection, to_beat, pass);
                        if let Err(error) = self.journal.forgotten(transaction) {
                            pass.fail(None, error);
                        }
                        false
                    }
                };
                pass.fail(id, error);
                is_out
            }
        }
    }

    async fn sign(
        &mut self,
        nonce: u64,
        intent: Option<Intent>,
        tx: &mut TxEip1559,
        what: &'static str,
        pass: &Pass,
    ) -> Result<Version> {
        let base_fee = pass.next.base_fee;
        let fees = match self.nonces.get(&nonce) {
            Some(used) => self.fees.replacement(used.to_beat, base_fee)?,
            None => {
                let is_recent = |(_, since): &(Fees, BlockNumber)| {
                    pass.head.number.steps_since(*since).is_some_and(|age| age < RENEWAL)
                };
                let floor = self.floor.filter(is_recent).map(|(floor, _)| floor);
                self.fees.offer(base_fee, floor)?
            }
        };
        (tx.max_fee_per_gas, tx.max_priority_fee_per_gas) = (fees.max_fee, fees.tip);
        let signed = self.account.sign(what, tx).await?;
        let since = pass.head.number;
        let journaled = JournaledTransaction { raw: signed.raw, intent, since };
        self.journal.record(&journaled)?;
        let JournaledTransaction { raw, intent, since } = journaled;
        Ok(Version { hash: signed.hash, raw, tx: tx.clone(), intent, since, is_taken: false })
    }

    /// A node refused the newest version of a nonce when it was sent for the first time, so it isn't out.
    /// `to_beat` is what was to beat before it.
    fn retract(&mut self, nonce: u64, rejection: Rejection, to_beat: Fees, pass: &mut Pass) {
        let Some(used) = self.nonces.get_mut(&nonce) else { return };
        let offered = used.versions.pop().map(|version| version.fees()).unwrap_or_default();
        let is_only = used.versions.is_empty();
        let is_outbid =
            matches!(rejection, Rejection::Underpriced | Rejection::ReplacementUnderpriced);
        if is_outbid {
            used.is_outbid = true;
        } else {
            used.to_beat = to_beat;
        }
        if is_only {
            self.nonces.remove(&nonce);
        }
        match rejection {
            Rejection::Underpriced if is_only => {
                self.floor = Some((self.fees.outbid(offered), pass.head.number));
            }
            // The pool has a transaction that isn't known here.
            Rejection::ReplacementUnderpriced if is_only => pass.unused_from = nonce + 1,
            _ => {}
        }
    }
}
