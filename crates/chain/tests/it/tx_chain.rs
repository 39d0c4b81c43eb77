//! A chain with a set, an account that acts through intents, and faults in between.

use crate::test_chain::{self, client_by, newest_view};
use alloy_consensus::TxEnvelope;
use alloy_eips::Decodable2718;
use alloy_primitives::{Address, B256, Bytes, U256, bytes};
use alloy_provider::Provider;
use alloy_rpc_types_eth::Filter;
use alloy_signer_local::PrivateKeySigner;
use alloy_sol_types::SolEvent;
use canon_abi::{Asset, Governance};
use canon_chain::{
    Client, FINALITY, IntentSender,
    tx::{FeePolicy, Journal, JournaledTransaction, MemoryJournal, TxEvent, TxReport},
};
use canon_devchain::{Devchain, Mining, OldTransactions, ReorgOptions};
use canon_faults::Faults;
use canon_protocol::{Amount, BlockNumber, Epoch, Timestamp};
use canon_views::{
    BlockView, IntendedAction, Intent, IntentId, Question, RequestId, SetAddresses, SetId,
};
use core::slice::from_ref;
use std::collections::BTreeMap;

/// A recipient of tokens.
pub(crate) const SOMEBODY: Address = Address::repeat_byte(0xaa);

pub(crate) struct TxChain {
    pub(crate) devchain: Devchain,
    /// A client that never fails.
    pub(crate) client: Client,
    /// A client with planned faults.
    pub(crate) faulty: Client,
    pub(crate) faults: Faults,
    pub(crate) set: SetAddresses,
    pub(crate) key: PrivateKeySigner,
}

impl TxChain {
    /// A chain with the set with the tests' parameters, whose supply the account holds. Blocks are mined on
    /// request.
    pub(crate) async fn new() -> Self {
        let (chain, set) = test_chain::deployed().await;
        chain.devchain.set_mining(Mining::Manual);
        let faults = Faults::default();
        let faulty = client_by(&faults, &chain.devchain).await;
        let test_chain::TestChain { devchain, client, mut accounts } = chain;
        let key = accounts.remove(0);
        Self { devchain, client, faulty, faults, set: set.deployment, key }
    }

    pub(crate) const fn account(&self) -> Address {
        self.key.address()
    }

    /// A new process with the contents of the journal.
    pub(crate) fn sender(&self, journal: &MemoryJournal) -> IntentSender {
        self.sender_with(journal, FeePolicy::default())
    }

    pub(crate) fn sender_with(&self, journal: &MemoryJournal, fees: FeePolicy) -> IntentSender {
        let (client, key) = (self.faulty.clone(), self.key.clone());
        IntentSender::new(client, key, fees, journal.clone()).unwrap()
    }

    pub(crate) async fn head(&self) -> BlockView {
        self.client.head().await.unwrap()
    }

    /// Settles mined transactions, and pursues intents for the next block.
    pub(crate) async fn pursue(
        &self,
        sender: &mut IntentSender,
        intents: &[Intent],
    ) -> Vec<TxReport> {
        let mut reports = sender.settle(self.head().await).await;
        reports.extend(sender.pursue(intents, self.next()).await);
        reports
    }

    /// The time of the next block.
    pub(crate) fn next(&self) -> Timestamp {
        Timestamp::of(self.devchain.next_timestamp())
    }

    /// As [`Self::pursue`], and mines the next block.
    pub(crate) async fn pursue_and_mine(
        &self,
        sender: &mut IntentSender,
        intents: &[Intent],
    ) -> Vec<TxReport> {
        let reports = self.pursue(sender, intents).await;
        self.devchain.mine().unwrap();
        reports
    }

    pub(crate) fn mine(&self, blocks: u64) {
        for _ in 0..blocks {
            self.devchain.mine().unwrap();
        }
    }

    /// Replaces the newest blocks. Only the given ones of their transactions are still on the chain or in
    /// the pool.
    pub(crate) fn reorganize(&self, depth: u64, blocks: Vec<Vec<Bytes>>) {
        let old = OldTransactions::Drop;
        let reorg = self.devchain.reorg(ReorgOptions { depth, blocks, old }).unwrap();
        assert_eq!(reorg.excluded, []);
    }

    pub(crate) const fn intent(&self, action: IntendedAction) -> Intent {
        let set = SetId { chain_id: self.client.chain_id(), governance: self.set.governance };
        Intent { set, action, until: None }
    }

    pub(crate) fn approve(&self, order: u64, amount: u64) -> Intent {
        let (holder, request) = (self.account(), RequestId::of(order));
        let (asset, amount) = (self.set.asset, Amount::of(amount.into()));
        self.intent(IntendedAction::Approve { holder, request, asset, amount })
    }

    pub(crate) fn lock(&self, order: u64, amount: u64) -> Intent {
        let (holder, request, amount) =
            (self.account(), RequestId::of(order), Amount::of(amount.into()));
        self.intent(IntendedAction::Lock {
            holder,
            request,
            beneficiary: None,
            amount,
            permit: None,
        })
    }

    pub(crate) fn withdraw(&self, order: u64, amount: u64) -> Intent {
        let (holder, request, to) = (self.account(), RequestId::of(order), SOMEBODY);
        let amount = Amount::of(amount.into());
        self.intent(IntendedAction::Withdraw { holder, request, to, amount })
    }

    /// An intent that calls `setupEpoch()` of a contract of any kind.
    pub(crate) const fn call(&self, contract: Address, number: u64) -> Intent {
        let (rollup, epoch) = (contract, Epoch::of(number));
        self.intent(IntendedAction::RecordSeed { rollup, epoch })
    }

    pub(crate) async fn allowance(&self) -> U256 {
        let call = Asset::allowanceCall { owner: self.account(), spender: self.set.governance };
        self.client.read(self.head().await.hash.into(), self.set.asset, call).await.unwrap()
    }

    pub(crate) async fn power(&self) -> Amount {
        let mut question = Question::default();
        question.add_holder(self.account(), &BTreeMap::new());
        let view = newest_view(&self.client, self.set.registry, &question).await.unwrap();
        view.holders[&self.account()].power
    }

    /// The amounts in all events `E` of a contract, in order.
    pub(crate) async fn amounts<E: SolEvent>(
        &self,
        emitter: Address,
        amount: impl Fn(&E) -> U256,
    ) -> Vec<u64> {
        let filter = Filter::new()
            .from_block(BlockNumber::ZERO.get())
            .address(emitter)
            .event_signature(E::SIGNATURE_HASH);
        let logs = self.client.provider().get_logs(&filter).await.unwrap();
        let events = logs.iter().map(|log| E::decode_log(&log.inner).unwrap().data);
        events.map(|event| amount(&event).to()).collect()
    }

    pub(crate) async fn deposits(&self) -> Vec<u64> {
        let amount = |event: &Governance::Deposit| event.amount;
        let mut deposits = self.amounts(self.set.governance, amount).await;
        deposits.sort_unstable();
        deposits
    }

    pub(crate) async fn is_mined(&self, transaction: B256) -> bool {
        let receipt = self.client.provider().get_transaction_receipt(transaction).await;
        receipt.unwrap().is_some()
    }
}

/// The hashes of the sent transactions, in order.
pub(crate) fn sent(reports: &[TxReport]) -> Vec<B256> {
    let sent = reports.iter().filter_map(|report| match report.event {
        TxEvent::Sent { transaction, .. } => Some(transaction),
        _ => None,
    });
    sent.collect()
}

/// The confirmed intents, in order.
pub(crate) fn confirmed(reports: &[TxReport]) -> Vec<IntentId> {
    let confirmed = reports.iter().filter_map(|report| match report.event {
        TxEvent::Confirmed(_) => report.intent,
        _ => None,
    });
    confirmed.collect()
}

/// The messages of the failures.
pub(crate) fn failures(reports: &[TxReport]) -> Vec<String> {
    let failed = reports.iter().filter_map(|report| match &report.event {
        TxEvent::Failed(error) => Some(error.to_string()),
        _ => None,
    });
    failed.collect()
}

/// Mines blocks without transactions from the pool.
pub(crate) fn mine_past_the_pool(chain: &TxChain, blocks: u64) {
    for _ in 0..blocks {
        chain.devchain.mine_unsigned(&[]).unwrap();
    }
}

/// Code that uses 26 gas in each of `rounds` rounds.
pub(crate) fn burner(rounds: u32) -> Bytes {
    let [_, a, b, c] = rounds.to_be_bytes();
    [&[0x62, a, b, c][..], &bytes!("5b60019003806004570000")[..]].concat().into()
}

/// The transactions in a journal, oldest first.
pub(crate) fn journaled(journal: &MemoryJournal) -> Vec<(JournaledTransaction, TxEnvelope)> {
    let all = journal.load().unwrap().transactions.into_iter();
    all.map(|one| {
        let tx = TxEnvelope::decode_2718_exact(&one.raw).unwrap();
        (one, tx)
    })
    .collect()
}

pub(crate) fn transactions(journal: &MemoryJournal) -> Vec<TxEnvelope> {
    journaled(journal).into_iter().map(|(_, tx)| tx).collect()
}

pub(crate) fn superseded(reports: &[TxReport]) -> Vec<IntentId> {
    let superseded = reports.iter().filter_map(|report| match report.event {
        TxEvent::Superseded { .. } => report.intent,
        _ => None,
    });
    superseded.collect()
}

pub(crate) fn taken_back(reports: &[TxReport]) -> Vec<B256> {
    let taken_back = reports.iter().filter_map(|report| match report.event {
        TxEvent::TakenBack { transaction } => Some(transaction),
        _ => None,
    });
    taken_back.collect()
}

/// An account that has locked nothing yet and may lock 100.
pub(crate) async fn ready(chain: &TxChain) -> (MemoryJournal, IntentSender) {
    let journal = MemoryJournal::default();
    let mut sender = chain.sender(&journal);
    let approve = chain.approve(0, 100);
    chain.pursue_and_mine(&mut sender, from_ref(&approve)).await;
    assert_eq!(confirmed(&chain.pursue(&mut sender, &[]).await), [approve.id()]);
    (journal, sender)
}

/// Mines blocks until the use of an order's nonce in the newest block is final. Checks that the order is
/// sent again in the next block, and not before.
pub(crate) async fn sent_once_final(chain: &TxChain, sender: &mut IntentSender, orders: &[Intent]) {
    let used = chain.head().await.number.get();
    for age in 0..FINALITY {
        let reports = chain.pursue_and_mine(sender, orders).await;
        assert!(sent(&reports).is_empty(), "{age}");
        let told = failures(&reports);
        assert!(told.len() == usize::from(age == 0), "told once: {age}: {told:?}");
        let until = used + FINALITY;
        let text = format!(
            " in block {used} without doing it; a transaction for it can still be mined in its place, so nothing is \
             sent for the same before block {until}; wait"
        );
        assert!(told.iter().all(|told| told.ends_with(&text)), "{told:?}");
    }
    assert_eq!(sent(&chain.pursue_and_mine(sender, orders).await).len(), 1);
}
