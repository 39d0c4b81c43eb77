//! Sends what intents ask for.

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
    sender::{Checks, Sender},
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

/// Every so many blocks without a receipt a transaction is replaced by one that offers more: it may be
/// stuck, or lost.
const RENEWAL: u64 = 8;

/// A key that sends what intents ask for, one transaction for each.
pub struct IntentSender {
    account: Account,
    fees: FeePolicy,
    checks: Checks,
    journal: Box<dyn Journal>,
    /// All nonces whose use isn't final.
    nonces: BTreeMap<u64, NonceUse>,
    /// Transactions of the journal that aren't known to belong to this chain. They are never sent.
    unproven: Vec<Unproven>,
    /// Intents that are done on this chain for good and that only the journal knows to be.
    done: BTreeSet<IntentId>,
    /// Intents that the journal says are done, and that aren't known to be done on this chain.
    elsewhere: Vec<DoneElsewhere>,
    /// The newest block that was seen.
    newest: Option<BlockView>,
    /// The newest block whose number is known by its hash.
    numbered: Option<B256>,
    /// The block for which it is settled what became of them; `None` if that failed.
    head: Option<BlockView>,
    /// The last block for which it was settled.
    settled: Option<B256>,
    /// The number of transactions of the account up to that block; up to an earlier one if there were none
    /// to settle.
    count: u64,
    /// The least offer of a new transaction after one was refused as offering too little, and the time of that
    /// refusal.
    floor: Option<(Fees, BlockNumber)>,
    /// Failures that were reported and last.
    reported: ReportedFailures<Option<IntentId>>,
}

/// The facts known and found out for one block.
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
    /// Goes on where the journal ends. What it has belongs to a chain that has the blocks its sender saw: on
    /// another one it isn't sent.
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
            checks: Checks::Full,
            journal: Box::new(journal),
            nonces: BTreeMap::new(),
            unproven,
            done: BTreeSet::new(),
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

    /// Sets the checks before a transaction is sent. Default: everything.
    #[must_use]
    pub const fn with_checks(mut self, checks: Checks) -> Self {
        self.checks = checks;
        self
    }

    /// A sender with the same key, for what isn't an intent. It asks for its nonce.
    pub fn sender(&self) -> Sender {
        Sender::of_account(self.account.clone())
    }

    /// The key's address.
    pub const fn address(&self) -> Address {
        self.account.address()
    }

    /// The chain it sends to.
    pub const fn client(&self) -> &Client {
        self.account.client()
    }

    /// Whether an intent is done, as of the block that was [settled](Self::settle) last. Intents that are
    /// [completed by the state](canon_views::Completion::State) are forgotten after 64 blocks, others never.
    pub fn is_done(&self, id: &IntentId) -> bool {
        self.done.contains(id) || self.has_effect(Effect::Done(*id))
    }

    fn has_effect(&self, effect: Effect) -> bool {
        let mut mined = self.nonces.values().filter_map(|used| used.mined.as_ref());
        mined.any(|mined| mined.effect == effect)
    }

    /// The progress of an intent, as of the block that was [settled](Self::settle) last. Anything that follows
    /// from its not being done mustn't be done unless it is [`IntentProgress::Open`].
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

    /// Finds out what became of all transactions up to `head`. Call it for every block, or less often,
    /// before it is decided what is due: that can depend on what [is done](Self::is_done).
    ///
    /// A failure is reported, and the attempt made again at the next call. If nothing is in flight, and `head`
    /// follows the block of the last call, nothing is asked. If `head` is older than a block that was seen,
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

    /// Sends what is wanted and isn't sent yet, sends again what may be lost or stuck, and gives up what
    /// isn't wanted any more, in a block that is expected at `next` and follows the one that was
    /// [settled](Self::settle). If that failed it does nothing.
    ///
    /// `intents` are all that are due according to the state after the settled block: what is mined by
    /// then and due all the same is sent once more. One whose [completion](Intent::completion) is the journal's
    /// isn't, and is sent again only once another use of its nonce is final. So is a ballot that would be counted
    /// beside an earlier one. Those whose time is over at `next` count as not wanted.
    ///
    /// A failure is reported, and the attempt made again at the next call; one failure doesn't keep anything
    /// else from being tried. A refusal that lasts is reported once.
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

    /// Remembers the newest block that was seen.
    async fn note_head(&mut self, head: &BlockView) -> Result<()> {
        if let Some(newest) = &self.newest
            && check_head(head, newest).is_err()
        {
            // The number that was seen may have been the wrong one.
            let number = self.client().block(newest.hash.into()).await?.number;
            check_head(head, &BlockView { number, ..*newest })?;
            self.numbered = Some(newest.hash);
        }
        // The number of a block that follows another one is the next.
        let continued = [head.hash, head.parent];
        self.numbered = self.numbered.filter(|hash| continued.contains(hash)).map(|_| head.hash);
        self.newest = Some(*head);
        Ok(())
    }

    /// Checks that the endpoint's block of the head's hash has the head's number. It isn't asked if that
    /// follows from the blocks before.
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

    /// The nonce that isn't used yet and that an intent is bound to.
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
