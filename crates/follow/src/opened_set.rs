//! A set with its history, for programs that read it once and exit.

use crate::{
    chain_source::ChainSource,
    checkpoint::{Checkpoint, CheckpointError},
    compare::ComparisonScope,
    error::FollowError,
    find::{FindError, origins},
    follower::{Advance, Follower, Verification},
    history_cache::HistoryCache,
    identity::SetIdentity,
    retries::{Failure, Pause, Retries},
    source::SetSource,
};
use alloy_eips::BlockId;
use alloy_primitives::Address;
use canon_chain::{Client, Error, Severity};
use canon_protocol::{BlockNumber, SENTINEL, Seconds, SetState};
use canon_views::{BlockView, Present, Question, SetView};
use core::time::Duration;
use std::{collections::BTreeSet, sync::Arc};

/// The number of reorganizations after which reading is given up, because the endpoint's nodes are on
/// different forks.
const MOST_REORGANIZATIONS: u32 = 16;

/// A set at the newest block, with its history if available.
#[derive(Debug)]
pub struct OpenedSet {
    /// The set.
    pub view: SetView,
    /// The reason why the view has no history; `None` if it has one.
    pub no_history: Option<HistoryError>,
    /// Listed rollups, and the Proposals contract in force, with unknown origins. The history lacks their
    /// events. Empty without a history.
    pub unknown: BTreeSet<Address>,
    /// Notes for people about how the view was made.
    pub notes: Vec<OpenNote>,
}

/// The set to open, and the question about it.
#[derive(Clone, Copy, Debug)]
pub struct OpenSubject<'a> {
    /// The chain.
    pub client: &'a Client,
    /// The set's Registry.
    pub registry: Address,
    /// The parts of the view beyond those that every view has.
    pub question: &'a Question,
    /// The expected time from the newest block to the next one.
    pub block_time: Seconds,
}

/// The reason why the history of a set isn't available.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// The set's identity isn't known.
    #[error(transparent)]
    Find(#[from] FindError),
    /// The events can't be read or folded.
    #[error(transparent)]
    Follow(#[from] FollowError),
    /// The endpoint's newest block is older than a block that was read before and is on its chain.
    #[error(
        "the endpoint's newest block is older than block {block}, which was read before; use an endpoint that \
         is up to date"
    )]
    Behind {
        /// The block that was read before.
        block: BlockNumber,
    },
    /// The endpoint's answers were repeatedly of different forks.
    #[error(
        "the endpoint's blocks were replaced {MOST_REORGANIZATIONS} times while they were read; use another \
         endpoint, or try again later"
    )]
    Forks,
}

/// A note for people about how a set's view was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenNote {
    /// The history couldn't be compared with the contracts' answers, which aren't those of a set. Events
    /// may be missing.
    #[error(
        "not verified: the contracts' own answers can't be compared with the history ({0}); compare it with \
         that of another endpoint"
    )]
    NotVerified(#[source] Arc<Error>),
    /// The file with an earlier state of the set wasn't used.
    #[error("the saved state couldn't be used ({0}) and is discarded: all blocks were read again")]
    NotRead(#[source] CheckpointError),
    /// The state wasn't saved, so the next program reads the same blocks again.
    #[error(
        "the state couldn't be saved ({0}), so the next command takes as long; check the folder's permissions"
    )]
    NotWritten(#[source] CheckpointError),
}

/// The progress of reading a set's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryProgress {
    /// The last block that was read.
    pub block: BlockNumber,
    /// The newest block. It is older than the last one that was read while the endpoint lags, which is waited for.
    pub head: BlockNumber,
    /// The number of folded events, without those before a saved state.
    pub events: u64,
}

/// Opens the set that `subject` names, at the newest block, with its history.
///
/// The history is compared with the contracts' answers about the parts that every view has and those in the
/// question. The cost doesn't depend on the number of other accounts.
///
/// Only the blocks since the state in `cache` are read. If the history isn't available, the present is read from the
/// contracts, and [`OpenedSet::no_history`] has the reason. `pause` is called before each retry.
///
/// # Errors
///
/// If the present can't be read either.
pub async fn open_set(
    subject: OpenSubject<'_>,
    cache: &mut HistoryCache,
    mut progress: impl FnMut(HistoryProgress),
    mut pause: impl Pause,
) -> Result<OpenedSet, Error> {
    let pause = &mut pause;
    let mut notes = Vec::new();
    match history(&subject, cache, &mut notes, &mut progress, pause).await {
        Ok((view, unknown)) => Ok(OpenedSet { view, no_history: None, unknown, notes }),
        Err(error) => {
            let view = subject.read(subject.question, BlockId::latest(), pause).await?;
            let unknown = BTreeSet::new();
            Ok(OpenedSet { view, no_history: Some(error), unknown, notes })
        }
    }
}

impl OpenSubject<'_> {
    /// The chain as a source. States are compared within the question.
    fn source(&self) -> ChainSource {
        ChainSource::new(self.client.clone(), ComparisonScope::Asked(self.question.clone()))
    }

    /// Reads the set from the contracts' views.
    async fn read(
        &self,
        question: &Question,
        at: BlockId,
        pause: &mut impl Pause,
    ) -> Result<SetView, Error> {
        let mut retries = Retries::QUESTION;
        loop {
            match self.client.view(self.registry, question, at, self.block_time).await {
                Err(error) if retries.allow(&error, pause).await => {}
                outcome => return outcome.map(SetView::from),
            }
        }
    }
}

/// The set with its history, and the contracts with unknown origins.
async fn history(
    subject: &OpenSubject<'_>,
    cache: &mut HistoryCache,
    notes: &mut Vec<OpenNote>,
    progress: &mut impl FnMut(HistoryProgress),
    pause: &mut impl Pause,
) -> Result<(SetView, BTreeSet<Address>), HistoryError> {
    let (follower, mut view) = match follow_on(subject, cache, progress, pause).await? {
        Some(followed) => followed,
        None => open(subject, cache, notes, progress, pause).await?,
    };
    if let Verification::NotComparable(error) = follower.verification() {
        notes.push(OpenNote::NotVerified(Arc::clone(error)));
    }
    let unknown = contracts_of_unknown_origin(follower.state());
    if has_unknown_in_office(&follower) {
        // The events don't show the signals, but the contracts do.
        let at = view.present.block.hash.into();
        let answered = subject.read(subject.question, at, pause).await;
        view.present = answered.map_err(FindError::from)?.present;
    }
    cache.keep(follower);
    Ok((view, unknown))
}

/// Follows the chain from the state that this program has read before; `None` if there is none, or the origin of a
/// contract in office isn't known.
async fn follow_on(
    subject: &OpenSubject<'_>,
    cache: &mut HistoryCache,
    progress: &mut impl FnMut(HistoryProgress),
    pause: &mut impl Pause,
) -> Result<Option<(Follower<ChainSource>, SetView)>, HistoryError> {
    let follower = cache.take(subject.client.chain_id(), subject.registry);
    let Some(mut follower) = follower else { return Ok(None) };
    follower.compare_for(ComparisonScope::Asked(subject.question.clone()));
    let view = catch_up(&mut follower, subject, progress, pause).await?;
    Ok((!has_unknown_in_office(&follower)).then_some((follower, view)))
}

/// Follows the chain from the saved state, or from the set's first block, and saves the state.
async fn open(
    subject: &OpenSubject<'_>,
    cache: &HistoryCache,
    notes: &mut Vec<OpenNote>,
    progress: &mut impl FnMut(HistoryProgress),
    pause: &mut impl Pause,
) -> Result<(Follower<ChainSource>, SetView), HistoryError> {
    let OpenSubject { client, registry, .. } = *subject;
    let now = subject.read(&Question::default(), BlockId::latest(), pause).await;
    let now = now.map_err(FindError::from)?.present;
    let path = cache.file(client.chain_id(), registry);
    let read = |path| Checkpoint::read(path, |identity| is_of(identity, &now));
    let checkpoint = path.as_deref().map_or(Ok(None), read);
    let checkpoint = checkpoint.unwrap_or_else(|error| {
        notes.push(OpenNote::NotRead(error));
        None
    });
    let source = subject.source();
    let before = checkpoint.as_ref().map(Checkpoint::block);
    let mut follower = match checkpoint {
        Some(checkpoint) => Follower::resume(source.clone(), checkpoint),
        None => begin(subject, &now, progress, pause).await?,
    };
    let caught_up = catch_up(&mut follower, subject, progress, pause).await;
    let mut view = match (caught_up, before.zip(path)) {
        (Err(HistoryError::Behind { .. }), Some((block, path)))
            if !has_block(source, &block, pause).await? =>
        {
            let block = block.number;
            notes.push(OpenNote::NotRead(CheckpointError::NotOnChain { path, block }));
            follower = begin(subject, &now, progress, pause).await?;
            catch_up(&mut follower, subject, progress, pause).await?
        }
        (caught_up, _) => caught_up?,
    };
    if before.is_some() && has_unknown_in_office(&follower) {
        // The file's identity may be older than the origins of these contracts.
        let (set, block) = (&view.present.addresses, view.present.block);
        let mut identity = follower.identity().clone();
        let mut found = origins(client, set, identity.first_block, block, pause).await?;
        found.retain(|origin| !identity.origins.contains(origin));
        if !found.is_empty() {
            identity.origins.append(&mut found);
            follower = Follower::new(subject.source(), identity);
            view = catch_up(&mut follower, subject, progress, pause).await?;
        }
    }
    let after = follower.checkpoint().filter(|after| Some(after.block()) != before);
    let is_unusable = |note: &OpenNote| matches!(note, OpenNote::NotRead(_));
    let written = match after {
        Some(checkpoint) => cache.save(&checkpoint, client.chain_id(), registry),
        // A young chain has no state to save yet, and the next program shouldn't meet the same file.
        None if notes.iter().any(is_unusable) => cache.discard(client.chain_id(), registry),
        None => Ok(()),
    };
    if let Err(error) = written {
        // The note about an unusable file says that it is discarded, which isn't the case now.
        notes.retain(|note| !is_unusable(note));
        notes.push(OpenNote::NotWritten(error));
    }
    Ok((follower, view))
}

/// A follower of the contracts in office, which starts at the set's first block.
async fn begin(
    subject: &OpenSubject<'_>,
    now: &Present,
    progress: &mut impl FnMut(HistoryProgress),
    pause: &mut impl Pause,
) -> Result<Follower<ChainSource>, HistoryError> {
    let searched = |block, head| progress(HistoryProgress { block, head, events: 0 });
    let client = subject.client;
    let identity = SetIdentity::find_of(client, &now.addresses, now.block, searched, pause).await?;
    Ok(Follower::new(subject.source(), identity))
}

/// Whether the endpoint's chain has a block.
async fn has_block(
    mut source: ChainSource,
    block: &BlockView,
    pause: &mut impl Pause,
) -> Result<bool, HistoryError> {
    let mut retries = Retries::QUESTION;
    loop {
        let found = source.header_at(block.number).await;
        match found.map_err(|error| HistoryError::Follow(error.into())) {
            Err(error) if retries.allow(&error, pause).await => {}
            found => return Ok(found?.is_some_and(|header| header.block.hash == block.hash)),
        }
    }
}

/// Whether an identity matches the contracts in office, with an Expect that follows from one of its
/// origins.
fn is_of(identity: &SetIdentity, now: &Present) -> bool {
    let (known, found) = (&identity.addresses, &now.addresses);
    let contracts = [found.registry, found.governance, found.asset, found.issuer];
    known.chain_id == now.chain_id
        && identity.expect_follows()
        && [known.registry, known.governance, known.asset, known.issuer] == contracts
}

/// Listed rollups and the Proposals contract in force that the state doesn't have.
fn contracts_of_unknown_origin(state: &SetState) -> BTreeSet<Address> {
    let listed = state.registry().snapshots().iter().map(|snapshot| snapshot.rollup);
    let rollups = listed.filter(|rollup| *rollup != SENTINEL && state.rollup(*rollup).is_none());
    let proposer = state.governance().governance_proposer();
    let proposer = Some(proposer).filter(|proposer| state.proposals(*proposer).is_none());
    rollups.chain(proposer).collect()
}

/// Whether the canonical rollup or the Proposals contract in force has an unknown origin.
fn has_unknown_in_office(follower: &Follower<ChainSource>) -> bool {
    let state = follower.state();
    let proposer = state.governance().governance_proposer();
    state.canonical_rollup().is_none() || state.proposals(proposer).is_none()
}

/// Follows the chain to the newest block, and returns the view there. Gives up after several failures in a
/// row.
async fn catch_up(
    follower: &mut Follower<ChainSource>,
    subject: &OpenSubject<'_>,
    progress: &mut impl FnMut(HistoryProgress),
    pause: &mut impl Pause,
) -> Result<SetView, HistoryError> {
    let (mut retries, mut lags) = (Retries::PROGRESS, Retries::LAG);
    let mut reorganizations = 0;
    loop {
        let before = follower.block().map(|block| block.number);
        let error = match follower.step().await {
            Ok(Advance::UpToDate) => {
                match follower.view(subject.question, subject.block_time).await {
                    Ok(view) => return Ok(view),
                    Err(error) => Some(error.into()),
                }
            }
            Ok(Advance::Behind) => Some(HistoryError::Behind { block: before.unwrap_or_default() }),
            Ok(Advance::Reorganized) => {
                reorganizations += 1;
                (reorganizations == MOST_REORGANIZATIONS).then_some(HistoryError::Forks)
            }
            Ok(Advance::Extended) => None,
            Err(error) => Some(error.into()),
        };
        if let (Some(block), Some(head)) = (follower.block(), follower.head()) {
            let (block, head, events) = (block.number, head.number, follower.events());
            progress(HistoryProgress { block, head, events });
            if Some(block) > before {
                retries = Retries::PROGRESS;
            }
        }
        if let Some(error) = error {
            let retries = match error {
                HistoryError::Behind { .. } => &mut lags,
                _ => &mut retries,
            };
            if !retries.allow(&error, pause).await {
                return Err(error);
            }
        }
    }
}

impl HistoryError {
    /// The severity: what a program does about it.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Find(error) => error.severity(),
            Self::Follow(error) => error.severity(),
            Self::Behind { .. } => Severity::Retry,
            Self::Forks => Severity::Stop,
        }
    }
}

impl Failure for HistoryError {
    fn severity(&self) -> Severity {
        self.severity()
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Find(error) => error.retry_after(),
            Self::Follow(FollowError::Source(error)) => error.retry_after(),
            _ => None,
        }
    }
}
