//! Signing, recording and sending one transaction.

use super::{IntentSender, Pass, RENEWAL};
use crate::{
    error::{Error, Result},
    rejection::Rejection,
    tx::{
        fees::Fees,
        journal::JournaledTransaction,
        nonce_use::{NonceUse, Version},
        report::TxEvent,
    },
};
use alloy_consensus::TxEip1559;
use alloy_primitives::B256;
use alloy_transport::RpcError;
use canon_protocol::BlockNumber;
use canon_views::{Intent, IntentId};

/// The number of consecutive refusals in unknown words after which other intents may use the nonce of a
/// transaction.
const MAX_REFUSALS: u32 = 8;

/// The endpoint's answer to a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// A node has the transaction.
    Taken,
    /// This node refuses the transaction, and will do so as long as nothing changes. Another node may have
    /// it.
    Refused,
    /// The transaction may be accepted later, or already was.
    Unclear,
}

/// What became of a new transaction in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recording {
    /// It is recorded, and so may be out whatever a node answers.
    Recorded,
    /// It couldn't be signed or recorded, and isn't sent.
    Failed,
}

/// When a node first said that it has a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    Now,
    Before,
}

impl IntentSender {
    /// Signs, records and sends a transaction under a nonce, with fees that suffice to replace the earlier
    /// ones.
    pub(super) async fn send(
        &mut self,
        nonce: u64,
        intent: Option<Intent>,
        mut tx: TxEip1559,
        what: &'static str,
        pass: &mut Pass,
    ) -> Recording {
        let id = intent.as_ref().map(Intent::id);
        let version = match self.sign(nonce, intent, &mut tx, what, pass).await {
            Ok(version) => version,
            Err(error) => {
                pass.fail(id, error);
                return Recording::Failed;
            }
        };
        let used = self.nonces.entry(nonce).or_default();
        let to_beat = used.to_beat;
        used.push(version.clone());
        let answer = self.broadcast(nonce, &version, pass).await;
        if answer == Answer::Refused
            && let Some(used) = self.nonces.get_mut(&nonce)
        {
            // This node doesn't have the transaction, so there are no new fees to beat.
            used.to_beat = to_beat;
        }
        Recording::Recorded
    }

    /// Sends a version of a nonce, and records the endpoint's answer.
    pub(super) async fn broadcast(
        &mut self,
        nonce: u64,
        version: &Version,
        pass: &mut Pass,
    ) -> Answer {
        let sent = self.account.broadcast(version.what(), &version.raw).await;
        let Some(used) = self.nonces.get_mut(&nonce) else { return Answer::Unclear };
        let error = match sent {
            Ok(()) => {
                (used.is_stuck, used.refusals) = (false, 0);
                if used.note_taken(version.hash) == Taken::Now {
                    let transaction = version.hash;
                    pass.report(version.id(), TxEvent::Sent { transaction, nonce });
                }
                return Answer::Taken;
            }
            Err(error) => error,
        };
        let answer = used.note_refusal(&error);
        if error.rejection() == Some(Rejection::Underpriced) {
            self.raise_floor(version.fees(), pass.head.number);
        }
        pass.fail(version.id(), error);
        answer
    }

    /// Raises the fees of new transactions after a node refused one as too cheap: at most one step per
    /// block, whatever the number of refusals.
    fn raise_floor(&mut self, refused: Fees, now: BlockNumber) {
        if self.floor.is_none_or(|(_, since)| since != now) {
            self.floor = Some((refused.outbid(), now));
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
        let fees = self.offer(nonce, intent.as_ref().map(Intent::id).as_ref(), pass)?;
        (tx.max_fee_per_gas, tx.max_priority_fee_per_gas) = (fees.max_fee, fees.tip);
        let signed = self.account.sign(what, tx).await?;
        let since = pass.head.number;
        let (since_hash, mined_in) = (pass.head.hash, None);
        let journaled =
            JournaledTransaction { raw: signed.raw, intent, since, since_hash, mined_in };
        self.journal.record(&journaled)?;
        let JournaledTransaction { raw, intent, .. } = journaled;
        let (hash, tx) = (signed.hash, tx.clone());
        Ok(Version { hash, raw, tx, intent, since, mined_in, is_taken: false })
    }

    /// The fees of the next transaction under a nonce, for an intent if it is for one.
    pub(super) fn offer(&self, nonce: u64, intent: Option<&IntentId>, pass: &Pass) -> Result<Fees> {
        let (base_fee, policy) = (pass.next.base_fee, self.policy(intent));
        let known = self.nonces.get(&nonce).map(|used| used.to_beat);
        // A pool of this chain may have an unproven transaction.
        let fees = match known.into_iter().chain(self.unproven_fees(nonce)).reduce(Fees::max) {
            Some(to_beat) => policy.replacement(to_beat, base_fee),
            None => {
                let is_recent = |(_, since): &(Fees, BlockNumber)| {
                    pass.head.number.steps_since(*since).is_some_and(|age| age < RENEWAL)
                };
                let floor = self.floor.filter(is_recent).map(|(floor, _)| floor);
                policy.offer(base_fee, floor)
            }
        };
        Ok(fees?)
    }
}

impl NonceUse {
    /// Notes that a node has a version.
    fn note_taken(&mut self, hash: B256) -> Taken {
        let mut versions = self.versions.iter_mut();
        match versions.find(|version| version.hash == hash && !version.is_taken) {
            Some(version) => {
                version.is_taken = true;
                Taken::Now
            }
            None => Taken::Before,
        }
    }

    /// Records the reason why a node refused a version. That node or another one may have the version
    /// nevertheless, because a provider can pass a transaction to several nodes and return one answer.
    fn note_refusal(&mut self, error: &Error) -> Answer {
        let is_answer = matches!(error, Error::Rpc { source: RpcError::ErrorResp(_), .. });
        match error.rejection() {
            Some(Rejection::Underpriced) => self.is_outbid = true,
            Some(Rejection::ReplacementUnderpriced) => {
                // If there is no other version, the pool has a transaction that this sender doesn't know.
                // It isn't outbid before it had time to be mined.
                self.is_outbid = self.versions.len() > 1;
                let all = self.versions.iter().map(Version::fees);
                self.to_beat = all.fold(self.to_beat, Fees::max);
            }
            Some(Rejection::InsufficientFunds | Rejection::GasCap | Rejection::Unacceptable) => {
                self.is_stuck = true;
                return Answer::Refused;
            }
            None if is_answer && !error.is_rate_limit() => {
                self.refusals += 1;
                self.is_stuck |= self.refusals >= MAX_REFUSALS;
            }
            _ => {}
        }
        Answer::Unclear
    }
}
