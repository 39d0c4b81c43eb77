//! Reaching the chain, and reading the set on it.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    env,
    future::Future,
    ops::RangeInclusive,
    path::PathBuf,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, U256};
use canon_chain::{Client, EndpointChecks, EndpointNote, Endpoints, Error, SlotSignal, Timeouts};
use canon_follow::{HistoryProgress, OpenedSet, open_set};
use canon_protocol::{Action, BlockNumber, Seconds, Timestamp};
use canon_views::{BlockView, Present, Question};
use eyre::{Report, eyre};
use indicatif::{ProgressBar, ProgressStyle};

use super::settings::ChainSettings;
use crate::{exit::Failure, output};

const OTHER_ENDPOINT: &str = "check --rpc-url (ETH_RPC_URL), or name another endpoint";
const OTHER_REGISTRY: &str = "check --registry (CANON_REGISTRY), and that --rpc-url is its chain";
const SET_IT: &str = "name it as a flag, in the environment, or in canon.toml";

/// The time from one block of Ethereum to the next.
pub(crate) const BLOCK_TIME: Seconds = Seconds::of(12);

/// A chain that answers, and the Registry of the set on it.
#[derive(Debug)]
pub(crate) struct Chain {
    client: Client,
    registry: Address,
    /// What was told of the set: once, however often it is read.
    told: RefCell<BTreeSet<String>>,
}

/// Runs what waits for a chain.
///
/// # Errors
///
/// Its own, or if this system doesn't let a program wait.
pub(crate) fn run<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::internal(error.into(), "please report this"))?;
    runtime.block_on(work)
}

impl ChainSettings {
    /// Connects to the first endpoint that can be trusted. Whatever is skipped is told on stderr.
    ///
    /// # Errors
    ///
    /// If no endpoint or Registry is named, or no endpoint can be trusted.
    pub(crate) async fn connect(&self) -> Result<Chain, Failure> {
        let missing = |name: &str, what: &str| {
            Failure::bad_input(eyre!("{name}: expected {what}, found nothing"), SET_IT)
        };
        let endpoints = self.rpc_url.iter().flat_map(|setting| setting.value.iter().cloned());
        let mut endpoints = endpoints.collect::<Vec<_>>().into_iter();
        let first = endpoints.next().ok_or_else(|| {
            missing("--rpc-url (ETH_RPC_URL)", "an endpoint of the chain with the set")
        })?;
        let registry = self.registry.as_ref().ok_or_else(|| {
            missing("--registry (CANON_REGISTRY)", "the address of the set's Registry")
        })?;
        let checks = EndpointChecks {
            chain_id: self.chain_id.as_ref().map(|setting| setting.value),
            registry: Some(registry.value),
            clock: Arc::new(now),
        };
        let note = |note: EndpointNote| output::note(&note);
        let endpoints = Endpoints::new(first, endpoints);
        let client = endpoints.connect(checks, Timeouts::default(), note).await;
        let client = client.map_err(|error| unread(registry.value, error))?;
        Ok(Chain { client, registry: registry.value, told: RefCell::default() })
    }
}

/// The present time by the system's clock.
#[expect(clippy::disallowed_methods, reason = "the binary is where time comes in")]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::new(since.as_secs()).unwrap_or(Timestamp::MAX)
}

impl Chain {
    /// The chain.
    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// The Registry of the set.
    pub(crate) const fn registry(&self) -> Address {
        self.registry
    }

    fn note(&self, text: String) {
        if self.told.borrow_mut().insert(text.clone()) {
            output::note(&text);
        }
    }

    /// The set at the newest block. `question` is given the expected time of the next block.
    ///
    /// # Errors
    ///
    /// If the set can't be read.
    pub(crate) async fn present(
        &self,
        question: impl FnOnce(Timestamp) -> Question,
    ) -> Result<Present, Failure> {
        let head = self.client.head().await.map_err(|error| unread(self.registry, error))?;
        self.present_at(head, question).await
    }

    /// The same, unless the newest block is still the one with the hash `shown`.
    ///
    /// # Errors
    ///
    /// If the set can't be read.
    pub(crate) async fn present_after(
        &self,
        shown: Option<B256>,
        question: impl FnOnce(Timestamp) -> Question,
    ) -> Result<Option<Present>, Failure> {
        let head = self.client.head().await.map_err(|error| unread(self.registry, error))?;
        if Some(head.hash) == shown {
            return Ok(None);
        }
        self.present_at(head, question).await.map(Some)
    }

    async fn present_at(
        &self,
        head: BlockView,
        question: impl FnOnce(Timestamp) -> Question,
    ) -> Result<Present, Failure> {
        let question = question(head.timestamp + BLOCK_TIME);
        let view = self.client.view_at(self.registry, &question, head.hash.into()).await;
        view.map_err(|error| unread(self.registry, error))
    }

    /// The set at the newest block, with its history if that can be had. A state is kept in the user's
    /// folder for caches, so that the next command needn't read all blocks again.
    ///
    /// # Errors
    ///
    /// If not even the present can be read.
    pub(crate) async fn history(
        &self,
        question: impl FnOnce(Timestamp) -> Question,
    ) -> Result<OpenedSet, Failure> {
        let unread = |error| unread(self.registry, error);
        let head = self.client.head().await.map_err(unread)?;
        let question = question(head.timestamp + BLOCK_TIME);
        let bar = bar()?;
        let progress = |HistoryProgress { block, head, .. }: HistoryProgress| {
            bar.set_length(head.get());
            bar.set_position(block.get());
        };
        let cache = cache_folder().ok_or_else(|| {
            let report = eyre!("HOME: expected a folder in which a state of the set can be kept");
            Failure::bad_input(report, "set HOME, or XDG_CACHE_HOME")
        })?;
        let opened =
            open_set(&self.client, self.registry, &question, &cache, progress, tokio::time::sleep)
                .await;
        bar.finish_and_clear();
        let opened = opened.map_err(unread)?;
        for note in &opened.notes {
            self.note(note.to_string());
        }
        if let Some(reason) = &opened.no_history {
            self.note(format!("the set's history isn't known: {reason}"));
        }
        for contract in &opened.unknown {
            self.note(format!(
                "the origin of the contract at {contract} isn't known, so the history lacks its events"
            ));
        }
        Ok(opened)
    }

    /// The time of the newest block that can't be replaced any more; `None` if there is none yet.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer.
    pub(crate) async fn final_time(&self) -> Result<Option<Timestamp>, Failure> {
        let block = self.client.final_block().await;
        Ok(block.map_err(|error| unread(self.registry, error))?.map(|block| block.timestamp))
    }

    /// Whether an account has code of its own.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer.
    pub(crate) async fn has_code(&self, account: Address) -> Result<bool, Failure> {
        let code = self.client.code(BlockId::latest(), account).await;
        Ok(code.map_err(|error| unread(self.registry, error))?.is_some())
    }

    /// What `spender` may take of an asset that `owner` has, in the block with this hash.
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
        allowance.map_err(|error| unread(self.registry, error))
    }

    /// The actions that a payload lists in the block with this hash.
    ///
    /// # Errors
    ///
    /// If there is no code, or the list doesn't decode.
    pub(crate) async fn payload_actions(
        &self,
        at: B256,
        payload: Address,
    ) -> Result<Vec<Action>, Failure> {
        let actions = self.client.payload_actions(at.into(), payload).await;
        actions.map_err(|error| match error {
            error if error.is_of_the_contracts() => Failure::refused(
                Report::msg(error.to_string())
                    .wrap_err(format!("no actions can be read from the payload {payload}")),
                "check the payload's address, and that --rpc-url is its chain",
            ),
            error => unread(self.registry, error),
        })
    }

    /// The time of a block.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't have it.
    pub(crate) async fn block_time(&self, number: BlockNumber) -> Result<Timestamp, Failure> {
        let block = self.client.block(number.get().into()).await;
        Ok(block.map_err(|error| unread(self.registry, error))?.timestamp)
    }

    /// The signals that Proposals counted in those of `blocks` whose time is `within` a range.
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

/// `$XDG_CACHE_HOME/canon`, otherwise `~/.cache/canon`.
fn cache_folder() -> Option<PathBuf> {
    let named = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = named.or_else(|| Some(env::home_dir()?.join(".cache")))?;
    Some(folder.join("canon"))
}

/// A progress bar on stderr, which is shown only if that is a terminal.
fn bar() -> Result<ProgressBar, Failure> {
    let style =
        ProgressStyle::with_template("{spinner} Reading blocks {bar:30.cyan/dim} {pos}/{len}")
            .map_err(|error| Failure::internal(error.into(), "please report this"))?;
    Ok(ProgressBar::new(0).with_style(style.progress_chars("━╸─")))
}

/// The failure if the set can't be read.
fn unread(registry: Address, error: Error) -> Failure {
    match error {
        error if error.is_of_the_contracts() => {
            let title = format!("no set can be read from --registry {registry}");
            Failure::bad_input(eyre!("{error}").wrap_err(title), OTHER_REGISTRY)
        }
        error => Failure::internal(
            Report::msg(error.to_string()).wrap_err("the chain can't be read"),
            OTHER_ENDPOINT,
        ),
    }
}
