//! Reaching the chain, and reading the set on it.

use std::{
    env,
    future::Future,
    ops::RangeInclusive,
    path::PathBuf,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, U256};
use canon_chain::{
    Client, EndpointChecks, EndpointNote, EndpointProblem, Endpoints, Error, NoEndpoint,
    SlotSignal, Timeouts,
};
use canon_follow::{HistoryProgress, OpenSubject, OpenedSet, open_set};
use canon_protocol::{Action, BlockNumber, Seconds, Timestamp};
use canon_views::{BlockView, Present, Question};
use eyre::{Report, eyre};

use super::{
    notes::Notes,
    settings::{ChainSettings, Setting},
};
use crate::{exit::Failure, output, progress};

const OTHER_ENDPOINT: &str = "check --rpc-url (ETH_RPC_URL), or name another endpoint";
const OTHER_REGISTRY: &str = "check --registry (CANON_REGISTRY), and that --rpc-url is its chain";
const OTHER_CHAIN: &str =
    "name an endpoint of that chain, or correct the chain id that is expected";
const SET_IT: &str = "name it as a flag, in the environment, or in canon.toml";

/// The time between two blocks of Ethereum.
pub(crate) const BLOCK_TIME: Seconds = Seconds::of(12);

/// A connected chain, and the Registry of the set on it.
#[derive(Debug)]
pub(crate) struct Chain {
    client: Client,
    registry: Setting<Address>,
    notes: Notes,
}

/// Runs a future to completion.
///
/// # Errors
///
/// The future's own, or a failure to start the runtime.
pub(crate) fn run<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::internal(error.into(), "please report this"))?;
    runtime.block_on(work)
}

impl ChainSettings {
    /// Connects to the first endpoint that passes all checks. Endpoints that are skipped are named on stderr.
    ///
    /// # Errors
    ///
    /// If no endpoint or Registry is named, or no endpoint passes the checks.
    pub(crate) async fn connect(&self) -> Result<Chain, Failure> {
        let endpoints = self.endpoints()?;
        let registry = self.registry.as_ref().ok_or_else(|| {
            missing("--registry (CANON_REGISTRY)", "the address of the set's Registry")
        })?;
        let notes = Notes::new(self.named_endpoints());
        let client = self.connect_to(&endpoints, Some(registry.value), &notes).await;
        let client = client.map_err(|error| match is_without_registry(&error) {
            true => unread(registry, error),
            false => self.unconnected(&endpoints, error),
        })?;
        Ok(Chain { client, registry: registry.clone(), notes })
    }

    /// Connects like [`Self::connect`], but to a chain that may have no set.
    ///
    /// # Errors
    ///
    /// If no endpoint is named, or none passes the checks.
    pub(crate) async fn connect_without_set(&self) -> Result<Client, Failure> {
        let endpoints = self.endpoints()?;
        let notes = Notes::new(self.named_endpoints());
        let client = self.connect_to(&endpoints, None, &notes).await;
        client.map_err(|error| self.unconnected(&endpoints, error))
    }

    fn endpoints(&self) -> Result<Setting<Endpoints>, Failure> {
        let endpoints = self.rpc_url.as_ref().and_then(|setting| {
            let (first, others) = setting.value.split_first()?;
            let value = Endpoints::new(first.clone(), others.iter().cloned());
            Some(Setting { value, origin: setting.origin.clone() })
        });
        endpoints.ok_or_else(|| {
            missing("--rpc-url (ETH_RPC_URL)", "an endpoint of the chain with the set")
        })
    }

    async fn connect_to(
        &self,
        endpoints: &Setting<Endpoints>,
        registry: Option<Address>,
        notes: &Notes,
    ) -> Result<Client, Error> {
        let checks = EndpointChecks {
            chain_id: self.chain_id.as_ref().map(|setting| setting.value),
            registry,
            clock: Arc::new(now),
        };
        // The problem of a single endpoint is the error itself, so it needs no note.
        let is_skipped = self.rpc_url.as_ref().is_some_and(|setting| setting.value.len() > 1);
        let note = move |note: EndpointNote| {
            if is_skipped {
                output::note(&note);
            }
        };
        let connection = endpoints.value.connect(checks, Timeouts::default(), note);
        notes.waited(connection).await
    }

    /// The endpoints as a list without secrets.
    fn named_endpoints(&self) -> String {
        let endpoints = self.rpc_url.iter().flat_map(|setting| &setting.value);
        endpoints.map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}

fn missing(name: &str, what: &str) -> Failure {
    Failure::bad_input(eyre!("{name}: expected {what}, found nothing"), SET_IT)
}

/// The current time of the system's clock.
#[expect(clippy::disallowed_methods, reason = "the binary is where time comes in")]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::new(since.as_secs()).unwrap_or(Timestamp::MAX)
}

impl Chain {
    /// The client of the chain.
    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// The Registry of the set.
    pub(crate) const fn registry(&self) -> Address {
        self.registry.value
    }

    /// The set at the newest block.
    ///
    /// # Errors
    ///
    /// If the set can't be read.
    pub(crate) async fn present(&self, question: Question) -> Result<Present, Failure> {
        self.present_in(BLOCK_TIME, question).await
    }

    /// Reads the set as [`Self::present`] does, with another expected time between blocks.
    ///
    /// # Errors
    ///
    /// If the set can't be read.
    pub(crate) async fn present_in(
        &self,
        block_time: Seconds,
        question: Question,
    ) -> Result<Present, Failure> {
        let present = self.notes.waited(self.read(block_time, &question)).await?;
        self.note_age(&present.block);
        Ok(present)
    }

    async fn read(&self, block_time: Seconds, question: &Question) -> Result<Present, Failure> {
        let unread = |error| unread(&self.registry, error);
        let (head, until_next) = self.head_and_next(block_time).await?;
        let at = head.hash.into();
        let view = self.client.view(self.registry.value, question, at, until_next).await;
        view.map_err(unread)
    }

    /// The newest block, and the expected time from it to the next one.
    async fn head_and_next(&self, block_time: Seconds) -> Result<(BlockView, Seconds), Failure> {
        let read = self.client.head_and_next_time(block_time).await;
        let (head, next) = read.map_err(|error| self.unread(error))?;
        Ok((head, next.since(head.timestamp).unwrap_or(block_time)))
    }

    /// The time between the newest two blocks, at most [`BLOCK_TIME`]: a transaction can be mined that soon.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer.
    pub(crate) async fn observed_block_time(&self) -> Result<Seconds, Failure> {
        let head = self.client.head().await.map_err(|error| self.unread(error))?;
        let Some(parent) = head.number.previous() else { return Ok(BLOCK_TIME) };
        let passed = head.timestamp.since(self.block_time(parent).await?);
        Ok(passed.unwrap_or(BLOCK_TIME).min(BLOCK_TIME))
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
        self.read(BLOCK_TIME, &question).await.map(Some)
    }

    /// The set at the newest block, with its history if that is available. A state is stored in the user's
    /// cache folder, so that the next command doesn't read all blocks again.
    ///
    /// # Errors
    ///
    /// If the current state of the set can't be read, or there is no folder for the cache.
    pub(crate) async fn history(&self, question: Question) -> Result<OpenedSet, Failure> {
        self.history_in(BLOCK_TIME, question).await
    }

    /// Reads the set as [`Self::history`] does, with another expected time between blocks.
    ///
    /// # Errors
    ///
    /// As [`Self::history`].
    pub(crate) async fn history_in(
        &self,
        block_time: Seconds,
        question: Question,
    ) -> Result<OpenedSet, Failure> {
        let unread = |error| unread(&self.registry, error);
        let (head, block_time) = self.notes.waited(self.head_and_next(block_time)).await?;
        self.note_age(&head);
        let bar = progress::bar("Reading blocks", 0)?;
        let progress = |HistoryProgress { block, head, .. }: HistoryProgress| {
            bar.set_length(head.get());
            bar.set_position(block.get());
        };
        let cache = cache_folder().ok_or_else(|| {
            let report = eyre!("HOME: expected a folder in which a state of the set can be kept");
            Failure::bad_input(report, "set HOME, or XDG_CACHE_HOME")
        })?;
        let subject = OpenSubject {
            client: &self.client,
            registry: self.registry.value,
            question: &question,
            block_time,
        };
        let opened = open_set(subject, &cache, progress, tokio::time::sleep).await;
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

    /// Shows a note if the newest block may be old: see [`Notes::age`].
    pub(crate) fn note_age(&self, block: &BlockView) {
        self.notes.age(self.client.chain_id(), now().since(block.timestamp).unwrap_or_default());
    }

    /// The time of the newest final block; `None` if no block is final yet.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer.
    pub(crate) async fn final_time(&self) -> Result<Option<Timestamp>, Failure> {
        let block = self.client.final_block().await;
        Ok(block.map_err(|error| self.unread(error))?.map(|block| block.timestamp))
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

    /// The actions that a payload returns to Governance in the block with this hash. A proposal would freeze
    /// them.
    ///
    /// # Errors
    ///
    /// If there is no code, or the list doesn't decode.
    pub(crate) async fn payload_actions(
        &self,
        at: B256,
        governance: Address,
        payload: Address,
    ) -> Result<Vec<Action>, Failure> {
        let actions = self.client.payload_actions(governance, at.into(), payload).await;
        actions.map_err(|error| match error {
            error if error.is_of_the_contracts() => Failure::refused(
                Report::msg(error.to_string())
                    .wrap_err(format!("no actions can be read from the payload {payload}")),
                "check the payload's address, and that --rpc-url is its chain",
            ),
            error => self.unread(error),
        })
    }

    /// The time of a block.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't have it.
    pub(crate) async fn block_time(&self, number: BlockNumber) -> Result<Timestamp, Failure> {
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
fn cache_folder() -> Option<PathBuf> {
    let named = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = named.or_else(|| Some(env::home_dir()?.join(".cache")))?;
    Some(folder.join("canon"))
}

impl ChainSettings {
    /// The failure if no endpoint can be used.
    fn unconnected(&self, endpoints: &Setting<Endpoints>, error: Error) -> Failure {
        let Error::NoEndpoint { source: NoEndpoint(notes), .. } = &error else {
            return unreached(error);
        };
        let origin = &endpoints.origin;
        let reason = |note: &EndpointNote| match (&note.problem, &self.chain_id) {
            (EndpointProblem::OtherChain { expected, .. }, Some(one)) if one.value == *expected => {
                format!("{} ({})", note.problem, one.origin)
            }
            (problem, _) => problem.to_string(),
        };
        let is_other =
            |note: &EndpointNote| matches!(note.problem, EndpointProblem::OtherChain { .. });
        let are_others = self.chain_id.is_some() && notes.iter().all(is_other);
        let (title, reason) = match &notes[..] {
            [note] => {
                (format!("the endpoint {} ({origin}) can't be used", note.endpoint), reason(note))
            }
            notes => {
                let reason = |note: &EndpointNote| format!("{}: {}", note.endpoint, reason(note));
                let reasons: Vec<_> = notes.iter().map(reason).collect();
                (format!("none of the endpoints ({origin}) can be used"), reasons.join("\n"))
            }
        };
        let report = Report::msg(reason).wrap_err(title);
        match are_others {
            true => Failure::bad_input(report, OTHER_CHAIN),
            false => Failure::internal(report, OTHER_ENDPOINT),
        }
    }
}

/// Whether all endpoints were refused because they have no contract at the Registry's address.
fn is_without_registry(error: &Error) -> bool {
    let is_missing = |note: &EndpointNote| matches!(note.problem, EndpointProblem::NoRegistry(_));
    matches!(error, Error::NoEndpoint { source: NoEndpoint(notes), .. } if notes.iter().all(is_missing))
}

/// The failure if the set can't be read.
fn unread(registry: &Setting<Address>, error: Error) -> Failure {
    if error.is_of_the_contracts() {
        unreadable_set(registry, eyre!("{error}"))
    } else if is_without_registry(&error) {
        unreadable_set(registry, eyre!("the Registry has no code at {}", registry.value))
    } else {
        unreached(error)
    }
}

/// The failure if the chain can't be read.
pub(crate) fn unreached(error: Error) -> Failure {
    Failure::internal(
        Report::msg(error.to_string()).wrap_err("the chain can't be read"),
        OTHER_ENDPOINT,
    )
}

fn unreadable_set(registry: &Setting<Address>, reason: Report) -> Failure {
    let Setting { value, origin } = registry;
    Failure::bad_input(
        reason.wrap_err(format!("no set can be read from the Registry {value} ({origin})")),
        OTHER_REGISTRY,
    )
}

#[cfg(test)]
mod tests;
