//! The transactions that agents have on the chain, compared with their reports.

use crate::run::{Run, Who, is_of_slot_or_epoch};
use alloy_primitives::{Address, B256};
use alloy_provider::Provider;
use canon_chain::{BlockId, tx::TxEvent};
use canon_protocol::{Round, Timestamp};
use canon_views::IntentSubject;
use std::collections::{BTreeMap, BTreeSet};

/// The transactions of one account that succeeded, without transfers to itself, which only use a nonce.
type Succeeded = BTreeMap<Address, BTreeSet<B256>>;

impl Run {
    /// Checks each agent's transactions after a block: it reported those that succeeded, and no others, as
    /// confirmed; each of them does another intent, except approvals; and an intent got another nonce only after it couldn't be
    /// mined under the first one. Returns the intents that are done and don't belong to a slot or an epoch,
    /// without their times, sorted.
    pub(crate) async fn done_since(&mut self, block: u64, case: &str) -> Vec<IntentSubject> {
        // The agents haven't seen the newest block yet.
        self.act().await;
        let succeeded = self.succeeded_since(block).await;
        let log = self.log();
        let mut all_done = Vec::new();
        for who in Who::ALL {
            let (process, actor) = self.place(who);
            let succeeded = succeeded.get(&process.address(actor)).cloned().unwrap_or_default();
            let mut confirmed = BTreeMap::new();
            let mut nonces = BTreeMap::new();
            for entry in process.entries.iter().filter(|entry| entry.actor == actor) {
                let Some(id) = entry.report.intent else { continue };
                match &entry.report.event {
                    TxEvent::Confirmed(one) => {
                        nonces.remove(&id);
                        if succeeded.contains(&one.hash) {
                            confirmed.insert(one.hash, id.subject);
                        }
                    }
                    TxEvent::Sent { nonce, .. } => {
                        let before = *nonces.entry(id).or_insert(*nonce);
                        let subject = id.subject;
                        assert_eq!(*nonce, before, "{subject:?} was sent again: {case}: {log}");
                    }
                    _ => {
                        nonces.remove(&id);
                    }
                }
            }
            let reported: BTreeSet<_> = confirmed.keys().copied().collect();
            assert_eq!(reported, succeeded, "{who:?} reports other transactions: {case}: {log}");
            let mut done = BTreeSet::new();
            for subject in confirmed.into_values() {
                // Another lock can use an allowance, which is then given again.
                let may_repeat = matches!(subject, IntentSubject::Approve { .. });
                let is_new = done.insert(subject);
                assert!(is_new || may_repeat, "{subject:?} is done twice: {case}: {log}");
            }
            let done = done.into_iter().filter(|subject| !is_of_slot_or_epoch(subject));
            all_done.extend(done.map(without_times));
        }
        all_done.sort_unstable();
        all_done
    }

    /// The transactions after a block that succeeded, by sender.
    async fn succeeded_since(&self, block: u64) -> Succeeded {
        let mut succeeded = Succeeded::new();
        for number in block + 1..=self.chain.devchain.block_number() {
            let at = BlockId::number(number);
            let receipts = self.chain.client.provider().get_block_receipts(at).await;
            for receipt in receipts.unwrap().unwrap() {
                if receipt.status() && receipt.to != Some(receipt.from) {
                    let of_sender = succeeded.entry(receipt.from).or_default();
                    of_sender.insert(receipt.transaction_hash);
                }
            }
        }
        succeeded
    }
}

/// The intent without the parts that depend on when earlier ones were done.
const fn without_times(mut subject: IntentSubject) -> IntentSubject {
    match &mut subject {
        IntentSubject::Push { round, .. } => *round = Round::ZERO,
        IntentSubject::FinalizeMove { ready_at: time, .. }
        | IntentSubject::PayExit { exitable_at: time, .. } => *time = Timestamp::ZERO,
        _ => {}
    }
    subject
}
