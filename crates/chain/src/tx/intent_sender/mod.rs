//! Sending the transactions of intents.

mod known;
mod nonce_user;
mod origin;
mod preview;
mod pursuing;
mod sending;
mod settling;

pub use known::InFlight;
pub use origin::UnprovenTransaction;
pub use preview::Preview;

use crate::{
    client::{Client, NextBlock},
    error::{Error, Result},
    sender::Sender,
    tx::{
        account::Account,
        fees::{FeePolicy, Fees},
        head::{HeadError, check_head},
        journal::Journal,
        nonce_use::{Effect, NonceUse, Version},
        report::{TxEvent, TxReport},
        reported::ReportedFailures,
    },
};
use alloy_network::FullSigner;
use alloy_primitives::{Address, B256, Signature};
use canon_protocol::{BlockNumber, Timestamp};
use canon_views::{BlockView, Intent, IntentId, IntentProgress};
use core::fmt;
use origin::{DoneElsewhere, Unproven};
use std::collections::{BTreeMap, BTreeSet};

/// The number of blocks without a receipt after which a transaction is replaced by one with higher fees,
/// because it may be stuck or lost.
const RENEWAL: u64 = 8;

/// A key that carries out intents, with one transaction for each.
pub struct IntentSender {
    account: Account,
    fees: FeePolicy,
    /// The highest gas limits of intents, where one was agreed to.
    gas_limits: BTreeMap<IntentId, u64>,
    /// The highest prices of intents, in wei per gas, where they are lower than the policy's cap.
    price_limits: BTreeMap<IntentId, u128>,
    journal: Box<dyn Journal>,
    /// All nonces whose use isn't final.
    nonces: BTreeMap<u64, NonceUse>,
    /// Transactions of the journal that aren't known to belong to this chain. They are never sent.
    unproven: Vec<Unproven>,
    /// Intents that are done on this chain for good, of which the state has no record.
    done: BTreeSet<IntentId>,
    /// Intents whose transactions aren't forgotten once they are done for good.
    kept: BTreeSet<IntentId>,
    /// Intents that are done according to the journal, but aren't known to be done on this chain.
    elsewhere: Vec<DoneElsewhere>,
    /// The newest block seen.
    newest: Option<BlockView>,
    /// The hash of the newest block whose number was checked.
    numbered: Option<B256>,
    /// The block for which all transactions are settled; `None` if settling failed.
    head: Option<BlockView>,
    /// The last block for which all transactions were settled.
    settled: Option<B256>,
    /// The number of transactions of the account up to that block, or up to an earlier one if there were
    /// none to settle.
    count: u64,
    /// The lowest fees of a new transaction, after another one was refused for too low fees, and the block
    /// of that refusal.
    floor: Option<(Fees, BlockNumber)>,
    /// Failures that were reported and persist.
    reported: ReportedFailures<Option<IntentId>>,
}

/// The facts known about one block, and the reports collected for it.
struct Pass {
    head: BlockView,
    next: NextBlock,
    reports: Vec<TxReport>,
    /// The first nonce that the pool doesn't have.
    pool: Option<u64>,
}

impl Pass {
    const fn new(head: BlockView, next: NextBlock) -> Self {
        Self { head, next, reports: Vec::new(), pool: None }
    }

    fn report(&mut self, intent: Option<IntentId>, event: TxEvent) {
        self.reports.push(TxReport { intent, event });
    }

    fn fail(&mut self, intent: Option<IntentId>, error: impl Into<Error>) {
        self.report(intent, TxEvent::Failed(error.into()));
    }
}

impl IntentSender {
    /// Creates a sender that continues from the contents of a journal. A journaled transaction belongs to
    /// the chain that has the blocks its sender saw, and isn't sent on any other.
    ///
    /// # Errors
    ///
    /// If the journal can't be read, or has transactions of another account or chain.
    pub fn new(
        client: Client,
        key: impl FullSigner<Signature> + Send + Sync + 'static,
        fees: FeePolicy,
        journal: impl Journal + 'static,
    ) -> Result<Self> {
        Self::of_account(Account::new(client, key), fees, journal)
    }

    pub(crate) fn of_account(
        account: Account,
        fees: FeePolicy,
        journal: impl Journal + 'static,
    ) -> Result<Self> {
        let contents = journal.load()?;
        let mut unproven = Vec::new();
        for journaled in contents.transactions {
            let block = journaled.block();
            let (version, signer) = Version::restore(journaled, &journal.name())?;
            if signer != account.address() {
                return Err(Error::OtherAccount { expected: signer, found: account.address() });
            }
            let (expected, found) = (version.tx.chain_id, account.client().chain_id());
            if expected != found {
                return Err(Error::OtherChain { expected, found });
            }
            unproven.push(Unproven::new(version, block));
        }
        Ok(Self {
            account,
            fees,
            gas_limits: BTreeMap::new(),
            price_limits: BTreeMap::new(),
            journal: Box::new(journal),
            nonces: BTreeMap::new(),
            unproven,
            done: BTreeSet::new(),
            kept: BTreeSet::new(),
            elsewhere: contents.completed.into_iter().map(DoneElsewhere::new).collect(),
            newest: None,
            numbered: None,
            head: None,
            settled: None,
            count: 0,
            floor: None,
            reported: ReportedFailures::default(),
        })
    }

    /// Sets the highest gas limit of an intent's new transactions. If the intent needs more, it isn't sent, and
    /// [`Error::MoreGas`] is reported.
    pub fn limit_gas(&mut self, intent: IntentId, most: u64) {
        self.gas_limits.insert(intent, most);
    }

    /// Replaces the highest prices that the transactions of intents offer, in wei per gas. The cap of the policy holds
    /// for all others, and for these too. A transaction that was sent already may offer more.
    pub fn limit_prices(&mut self, limits: BTreeMap<IntentId, u128>) {
        self.price_limits = limits;
    }

    /// The policy for the transactions of an intent, or for those that only use a nonce.
    fn policy(&self, intent: Option<&IntentId>) -> FeePolicy {
        let limit = intent.and_then(|id| self.price_limits.get(id)).copied();
        let cap = self.fees.cap.into_iter().chain(limit).min();
        FeePolicy { cap, ..self.fees }
    }

    /// Sets the intents whose transactions stay in the journal even if they are done for good, so that a
    /// caller that starts again knows them. All others are forgotten then.
    pub fn keep(&mut self, intents: impl IntoIterator<Item = IntentId>) {
        self.kept = intents.into_iter().collect();
    }

    /// A sender with the same key, for calls that aren't intents. It reads its nonce from the chain.
    pub fn sender(&self) -> Sender {
        Sender::of_account(self.account.clone())
    }

    /// The address of the key.
    pub const fn address(&self) -> Address {
        self.account.address()
    }

    /// The client of the chain on which the transactions are sent.
    pub const fn client(&self) -> &Client {
        self.account.client()
    }

    /// Whether an intent is done, as of the block that was [settled](Self::settle) last. Intents that are
    /// [completed by the state](canon_views::Completion::State) are forgotten after 64 blocks, others
    /// never.
    pub fn is_done(&self, id: &IntentId) -> bool {
        self.done.contains(id) || self.has_effect(Effect::Done(*id))
    }

    fn has_effect(&self, effect: Effect) -> bool {
        let mut mined = self.nonces.values().filter_map(|used| used.mined.as_ref());
        mined.any(|mined| mined.effect == effect)
    }

    /// The progress of an intent, as of the block that was [settled](Self::settle) last. Only
    /// [`IntentProgress::Open`] means that the intent isn't done; never act on that assumption otherwise.
    pub fn progress(&self, id: &IntentId) -> IntentProgress {
        if self.is_done(id) {
            IntentProgress::Done
        } else if self.has_effect(Effect::Unclear(*id))
            || self.may_have_done(id).is_some()
            || self.may_be_completed(id).is_some()
            || self.nonce_of(id).is_some_and(|nonce| nonce < self.count)
        {
            IntentProgress::Unconfirmed
        } else {
            IntentProgress::Open
        }
    }

    /// Settles which transactions are mined as of `head`. Call it for every block, or less often, but
    /// before deciding what is due: that can depend on which intents [are done](Self::is_done).
    ///
    /// Failures are reported and retried at the next call. If no transaction is pending and `head` follows
    /// the block of the last call, the endpoint isn't asked. If `head` is older than a block seen before,
    /// [`HeadError::Older`] is reported, and nothing is sent until the next call.
    pub async fn settle(&mut self, head: BlockView) -> Vec<TxReport> {
        let mut pass = Pass::new(head, NextBlock::after(&head, head.timestamp));
        self.head = None;
        if let Err(error) = self.note_head(&head).await {
            pass.fail(None, error);
            return pass.reports;
        }
        if let Err(error) = self.prove(&head).await {
            pass.fail(None, error);
            return pass.reports;
        }
        let is_open = self.nonces.values().any(|used| !self.is_settled(used, &head));
        if is_open || self.unproven.iter().any(Unproven::is_unknown) {
            match self.account.transaction_count(head.hash.into()).await {
                Ok(count) => {
                    self.decide_all(count, &mut pass).await;
                    self.count = count;
                }
                Err(error) => {
                    pass.fail(None, error);
                    return pass.reports;
                }
            }
        }
        self.journal_blocks(&mut pass);
        (self.settled, self.head) = (Some(head.hash), Some(head));
        pass.reports
    }

    /// Sends the transactions of intents that have none, resends those that may be lost or stuck, and gives
    /// up those that are no longer wanted. They are for the block expected at `next`, after the one that
    /// was [settled](Self::settle). Does nothing if settling failed.
    ///
    /// `intents` are all that are due according to the state after the settled block. If an intent is due
    /// although its transaction is mined, it is sent again. Not so one whose [completion](Intent::completion)
    /// is the journal's: it is sent again only once another use of its nonce is final. The same holds for a
    /// ballot that could be counted in addition to an earlier one. Intents that expire before `next` aren't sent.
    /// If they are in flight, they are given up once the newest block shows that the next one is too late.
    ///
    /// Failures are reported and retried at the next call, and don't prevent other attempts. A refusal that
    /// persists is reported once.
    pub async fn pursue(&mut self, intents: &[Intent], next: Timestamp) -> Vec<TxReport> {
        let Some(head) = self.head else { return Vec::new() };
        let mut pass = Pass::new(head, NextBlock::after(&head, next));
        self.forget_what_is_final(&mut pass).await;
        let wanted = self.wanted(intents, next, &mut pass);
        let mut free = self.carry_on(&wanted, &mut pass).await;
        for intent in &wanted {
            self.start(intent, &wanted, &mut free, &mut pass).await;
        }
        self.give_up(free, &mut pass).await;
        self.fill_gaps(&mut pass).await;
        self.reported.leave_out(pass.reports, TxReport::failure)
    }

    /// Records the newest block seen.
    async fn note_head(&mut self, head: &BlockView) -> Result<()> {
        if let Some(newest) = &self.newest
            && check_head(head, newest).is_err()
        {
            // The number recorded for the newest block may be wrong.
            let number = self.client().block(newest.hash.into()).await?.number;
            check_head(head, &BlockView { number, ..*newest })?;
            self.numbered = Some(newest.hash);
        }
        // If a block follows one with a checked number, its own number is correct too.
        let continued = [head.hash, head.parent];
        self.numbered = self.numbered.filter(|hash| continued.contains(hash)).map(|_| head.hash);
        self.newest = Some(*head);
        Ok(())
    }

    /// Checks that the endpoint's block with the head's hash has the head's number. The endpoint isn't
    /// asked if that follows from earlier blocks.
    async fn check_number(&mut self, head: &BlockView) -> Result<()> {
        let (hash, found) = (head.hash, head.number);
        if self.numbered == Some(hash) {
            return Ok(());
        }
        let expected = self.client().block(hash.into()).await?.number;
        if expected == found {
            self.numbered = Some(hash);
            Ok(())
        } else {
            Err(HeadError::WrongNumber { hash, expected, found }.into())
        }
    }

    /// The unused nonce to which an intent is bound.
    fn nonce_of(&self, id: &IntentId) -> Option<u64> {
        let mut undecided = self.nonces.iter().filter(|(_, used)| used.mined.is_none());
        undecided.find(|(_, used)| used.is_for(id)).map(|(nonce, _)| *nonce)
    }
}

impl fmt::Debug for IntentSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntentSender")
            .field("address", &self.address())
            .field("nonces", &self.nonces)
            .finish_non_exhaustive()
    }
}
