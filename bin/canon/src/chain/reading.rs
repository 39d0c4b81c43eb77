//! Reading the set on a connected chain.

use std::{env, ops::RangeInclusive, path::PathBuf};

use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, ChainId, U256};
use canon_chain::{
    BlockTime, Client, Departure, Error, L1_SLOT, PayloadError, SlotSignal, VettedPayload,
};
use canon_follow::{HistoryCache, HistoryProgress, OpenSubject, OpenedSet, open_set};
use canon_protocol::{Action, BlockNumber, Seconds, Timestamp};
use canon_views::{BlockView, Present, Question, SetView};
use eyre::Report;

use super::connect::{Chain, now, unread, unreadable_set};
use crate::{exit::Failure, input::home_folder, progress};

/// The public networks of Ethereum, whose blocks are at least [`L1_SLOT`] apart: mainnet, Sepolia, Hoodi and Holesky.
const ETHEREUM: [ChainId; 4] = [1, 11_155_111, 560_048, 17_000];

impl Chain {
    /// The client of the chain.
    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// The Registry of the set.
    pub(crate) const fn registry(&self) -> Address {
        self.registry.value
    }

    /// The set at the newest block, with slots and sets as of the expected time of the next one.
    ///
    /// # Errors
    ///
    /// If the set can't be read.
    pub(crate) async fn present(&self, question: Question) -> Result<Present, Failure> {
        let present = self.read(&question).await?;
        self.note_age(&present.block);
        Ok(present)
    }

    /// The set at the newest block, with slots and sets as of the time of that block.
    ///
    /// # Errors
    ///
    /// If the set can't be read.
    pub(crate) async fn present_at_head(&self, question: Question) -> Result<Present, Failure> {
        let latest = BlockId::latest();
        let view = self.client.view(self.registry.value, &question, latest, Seconds::ZERO).await;
        let present = view.map_err(|error| self.unread(error))?;
        self.note_age(&present.block);
        Ok(present)
    }

    async fn read(&self, question: &Question) -> Result<Present, Failure> {
        let view = self.client.newest_view(self.registry.value, question, self.block_time()).await;
        view.map_err(|error| self.unread(error))
    }

    /// The expected time between two blocks.
    pub(crate) fn block_time(&self) -> BlockTime {
        match ETHEREUM.contains(&self.client.chain_id()) {
            true => BlockTime::Known(L1_SLOT),
            false => BlockTime::Observed,
        }
    }

    /// The time between the newest two blocks, from a second to [`L1_SLOT`]: a transaction can be mined that soon. It
    /// isn't read where it is known.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer.
    pub(crate) async fn observed_block_time(&self) -> Result<Seconds, Failure> {
        if let BlockTime::Known(time) = self.block_time() {
            return Ok(time);
        }
        let head = self.client.head().await.map_err(|error| self.unread(error))?;
        let Some(parent) = head.number.previous() else { return Ok(L1_SLOT) };
        let passed = head.timestamp.since(self.timestamp_of(parent).await?);
        Ok(passed.unwrap_or(L1_SLOT).clamp(Seconds::SECOND, L1_SLOT))
    }

    /// The failure if the set can't be read.
    pub(crate) fn unread(&self, error: Error) -> Failure {
        unread(&self.registry, error)
    }

    /// The failure for contracts that aren't a usable set.
    pub(crate) fn unusable_set(&self, reason: Report) -> Failure {
        unreadable_set(&self.registry, reason)
    }

    /// The set at the newest block; `None` if that is still the one with the hash `shown`. Shows no notes,
    /// since callers poll.
    ///
    /// # Errors
    ///
    /// If the set can't be read.
    pub(crate) async fn present_after(
        &self,
        shown: Option<B256>,
        question: Question,
    ) -> Result<Option<Present>, Failure> {
        if let Some(shown) = shown {
            let head = self.client.head().await.map_err(|error| self.unread(error))?;
            if head.hash == shown {
                return Ok(None);
            }
        }
        self.read(&question).await.map(Some)
    }

    /// The set at the newest block, with its history if that is available. A state is stored in the user's
    /// cache folder, so that the next command doesn't read all blocks again; this command follows on from its own.
    /// Without such a folder, only this command remembers the state.
    ///
    /// # Errors
    ///
    /// If the current state of the set can't be read.
    pub(crate) async fn history(&self, question: Question) -> Result<OpenedSet, Failure> {
        let unread = |error| unread(&self.registry, error);
        let read = self.client.head_and_next_time(self.block_time()).await;
        let (head, next) = read.map_err(unread)?;
        let block_time = next.since(head.timestamp).unwrap_or(L1_SLOT);
        self.note_age(&head);
        let bar = progress::bar("Reading blocks", 0)?;
        let progress = |HistoryProgress { block, head, .. }: HistoryProgress| {
            if block > head {
                self.notes.once(format!(
                    "the endpoint's newest block, {head}, is older than one that was read before, {block}: waiting \
                     until it has that, for up to 16 seconds"
                ));
            }
            bar.set_length(head.get());
            bar.set_position(block.get());
        };
        let mut cache = self.history.take().unwrap_or_else(|| self.stored_history());
        let subject = OpenSubject {
            client: &self.client,
            registry: self.registry.value,
            question: &question,
            block_time,
        };
        let opened = open_set(subject, &mut cache, progress, tokio::time::sleep).await;
        self.history.replace(Some(cache));
        bar.finish_and_clear();
        let opened = opened.map_err(unread)?;
        for note in &opened.notes {
            self.notes.once(note.to_string());
        }
        if let Some(reason) = &opened.no_history {
            self.notes.once(format!("the set's history isn't known: {reason}"));
        }
        for contract in &opened.unknown {
            self.notes.once(format!(
                "the origin of the contract at {contract} isn't known, so the history lacks its events"
            ));
        }
        Ok(opened)
    }

    /// The history that earlier commands stored, if there is a folder for it.
    fn stored_history(&self) -> HistoryCache {
        cache_folder().map_or_else(
            || {
                self.notes.once(
                    "HOME: expected a folder in which the set's history can be kept, found no absolute path: each \
                     command reads all of it again; set HOME, or XDG_CACHE_HOME"
                        .to_owned(),
                );
                HistoryCache::in_memory()
            },
            HistoryCache::new,
        )
    }

    /// Shows a note if the newest block may be old: see [`age`](super::notes::Notes::age).
    pub(crate) fn note_age(&self, block: &BlockView) {
        self.notes.age(self.client.chain_id(), now().since(block.timestamp).unwrap_or_default());
    }

    /// The newest final block; `None` if no block is final yet.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer.
    pub(crate) async fn final_block(&self) -> Result<Option<BlockView>, Failure> {
        self.client.final_block().await.map_err(|error| self.unread(error))
    }

    /// The first block at `time` or later, among the ones after `before` up to `head`.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer.
    pub(crate) async fn first_block_at(
        &self,
        time: Timestamp,
        before: BlockNumber,
        head: BlockNumber,
    ) -> Result<BlockNumber, Failure> {
        let found = self.client.first_block_since(time, before.next()..=head).await;
        Ok(found.map_err(|error| self.unread(error))?.unwrap_or(head))
    }

    /// Whether an account has code of its own. An EIP-7702 delegation doesn't count.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer.
    pub(crate) async fn has_code(&self, account: Address) -> Result<bool, Failure> {
        let code = self.client.code(BlockId::latest(), account).await;
        Ok(code.map_err(|error| self.unread(error))?.is_some())
    }

    /// The amount of `owner`'s asset that `spender` may take, in the block with this hash.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer.
    pub(crate) async fn allowance(
        &self,
        at: B256,
        asset: Address,
        owner: Address,
        spender: Address,
    ) -> Result<U256, Failure> {
        let allowance = self.client.allowance(at.into(), asset, owner, spender).await;
        allowance.map_err(|error| self.unread(error))
    }

    /// The recipient of the rewards of an attester's blocks, in the block with this hash.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer.
    pub(crate) async fn coinbase(
        &self,
        at: B256,
        rollup: Address,
        attester: Address,
    ) -> Result<Address, Failure> {
        let coinbase = self.client.coinbase(at.into(), rollup, attester).await;
        coinbase.map_err(|error| self.unread(error))
    }

    /// The last payment or move of an attester's stake, of a set whose history is known; `None` if it isn't found.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer, or its logs aren't those of a rollup.
    pub(crate) async fn last_departure(
        &self,
        view: &SetView,
        rollup: Address,
        attester: Address,
    ) -> Result<Option<Departure>, Error> {
        // Version 0 isn't a rollup. No stake left a rollup of the set before the set had its first one.
        let history = view.history.as_ref();
        let Some(first) = history.and_then(|history| history.registry().snapshots().get(1)) else {
            return Ok(None);
        };
        let blocks = first.block_number..=view.present.block.number;
        self.client.last_departure(rollup, attester, blocks).await
    }

    /// The actions that a payload returns to Governance in the block with this hash. A proposal would freeze
    /// them.
    ///
    /// # Errors
    ///
    /// If there is no code, or the list doesn't decode or is empty.
    pub(crate) async fn payload_actions(
        &self,
        at: B256,
        governance: Address,
        payload: Address,
    ) -> Result<Vec<Action>, Failure> {
        let vetted =
            VettedPayload::vet_at(&self.client, at.into(), governance, payload, None).await;
        vetted.map(VettedPayload::into_actions).map_err(|error| match error {
            PayloadError::Unreadable(error) if !error.is_of_the_contracts() => self.unread(error),
            error => Failure::refused(
                Report::msg(error.to_string())
                    .wrap_err(format!("no actions can be read from the payload {payload}")),
                "check the payload's address, and that --rpc-url is its chain",
            ),
        })
    }

    /// Whether the Registry lists a contract as a rollup, in the block with this hash.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer.
    pub(crate) async fn is_listed(
        &self,
        at: B256,
        registry: Address,
        rollup: Address,
    ) -> Result<bool, Failure> {
        let is_listed = self.client.is_listed(at.into(), registry, rollup).await;
        is_listed.map_err(|error| self.unread(error))
    }

    /// The rollups that were canonical before the present one, newest first: at most `most`.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer.
    pub(crate) async fn earlier_rollups(
        &self,
        at: B256,
        most: usize,
    ) -> Result<Vec<Address>, Failure> {
        let earlier = self.client.earlier_rollups(at.into(), self.registry.value, most).await;
        earlier.map_err(|error| self.unread(error))
    }

    /// The time of a block.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't have it.
    pub(crate) async fn timestamp_of(&self, number: BlockNumber) -> Result<Timestamp, Failure> {
        let block = self.client.block(number.get().into()).await;
        Ok(block.map_err(|error| self.unread(error))?.timestamp)
    }

    /// The signals that Proposals counted in those of `blocks` whose time is in the range `within`.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't have the blocks or their logs.
    pub(crate) async fn signals(
        &self,
        proposals: Address,
        blocks: RangeInclusive<BlockNumber>,
        within: RangeInclusive<Timestamp>,
    ) -> Result<Vec<SlotSignal>, Error> {
        let (client, last) = (&self.client, *blocks.end());
        let Some(first) = client.first_block_since(*within.start(), blocks).await? else {
            return Ok(Vec::new());
        };
        let after = *within.end() + Seconds::SECOND;
        let end = client.first_block_since(after, first..=last).await?;
        let last = end.map_or(Some(last), BlockNumber::previous).unwrap_or(first);
        client.signals(proposals, first..=last).await
    }
}

/// The folder for caches: `$XDG_CACHE_HOME/canon`, otherwise `~/.cache/canon`.
pub(crate) fn cache_folder() -> Option<PathBuf> {
    let named = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = named.or_else(|| Some(home_folder()?.join(".cache")))?;
    Some(folder.join("canon"))
}
