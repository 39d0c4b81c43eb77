//! Reaching the chain.

use std::{
    cell::RefCell,
    future::Future,
    sync::{Arc, Once},
    time::{SystemTime, UNIX_EPOCH},
};

use alloy_primitives::Address;
use canon_chain::{
    Client, EndpointChecks, EndpointNote, EndpointProblem, Endpoints, Error, NoEndpoint, Timeouts,
};
use canon_follow::HistoryCache;
use canon_protocol::Timestamp;
use eyre::{Report, eyre};

use super::{
    notes::Notes,
    settings::{ChainSettings, Setting},
};
use crate::{
    exit::{Failure, Reason, ReasonKind},
    output,
};

const OTHER_ENDPOINT: &str = "check --rpc-url (ETH_RPC_URL), or name another endpoint";
const OTHER_REGISTRY: &str = "check --registry (CANON_REGISTRY), and that --rpc-url is its chain";
const OTHER_CHAIN: &str =
    "name an endpoint of that chain, or correct the chain id that is expected";
const SET_IT: &str = "name it as a flag, in the environment, or in canon.toml";

/// A connected chain, and the Registry of the set on it.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(super) client: Client,
    pub(super) registry: Setting<Address>,
    pub(super) notes: Notes,
    /// The history that this command has read; `None` before.
    pub(super) history: RefCell<Option<HistoryCache>>,
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
        self.connect_telling(|note| output::note(&note)).await
    }

    /// Connects like [`Self::connect`]. `tell` is given what [`Self::connect`] shows on stderr, also later.
    ///
    /// # Errors
    ///
    /// As [`Self::connect`].
    pub(crate) async fn connect_telling(
        &self,
        tell: impl Fn(String) + Send + Sync + 'static,
    ) -> Result<Chain, Failure> {
        let endpoints = self.endpoints()?;
        let registry = self.named_registry()?;
        let client = self.connect_to(&endpoints, Some(registry.value), tell).await;
        let client = client.map_err(|error| match is_without_registry(&error) {
            true => unread(registry, error),
            false => self.unconnected(&endpoints, error),
        })?;
        let notes = Notes::default();
        Ok(Chain { client, registry: registry.clone(), notes, history: RefCell::default() })
    }

    /// Connects like [`Self::connect`], but to a chain that may have no set.
    ///
    /// # Errors
    ///
    /// If no endpoint is named, or none passes the checks.
    pub(crate) async fn connect_without_set(&self) -> Result<Client, Failure> {
        let endpoints = self.endpoints()?;
        let tell = |note: String| output::note(&note);
        let client = self.connect_to(&endpoints, None, tell).await;
        client.map_err(|error| self.unconnected(&endpoints, error))
    }

    /// The Registry.
    ///
    /// # Errors
    ///
    /// If none is named.
    pub(crate) fn registry(&self) -> Result<Address, Failure> {
        self.named_registry().map(|setting| setting.value)
    }

    fn named_registry(&self) -> Result<&Setting<Address>, Failure> {
        self.registry.as_ref().ok_or_else(|| {
            missing("--registry (CANON_REGISTRY)", "the address of the set's Registry")
        })
    }

    /// Checks that an endpoint is named.
    ///
    /// # Errors
    ///
    /// If none is.
    pub(crate) fn require_endpoint(&self) -> Result<(), Failure> {
        self.endpoints().map(drop)
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
        tell: impl Fn(String) + Send + Sync + 'static,
    ) -> Result<Client, Error> {
        let checks = EndpointChecks {
            chain_id: self.chain_id.as_ref().map(|setting| setting.value),
            registry,
            clock: Arc::new(now),
        };
        // The problem of a single endpoint is the error itself, so it needs no note.
        let is_skipped = self.rpc_url.as_ref().is_some_and(|setting| setting.value.len() > 1);
        let tell = Arc::new(tell);
        let tell_of_waiting = Arc::clone(&tell);
        let note = move |note: EndpointNote| {
            if is_skipped {
                tell(note.to_string());
            }
        };
        // One note is enough, however many requests of the command take long.
        let (waiting, is_told) = (self.named_endpoints(), Once::new());
        let slow = move || {
            is_told.call_once(|| tell_of_waiting(format!("waiting for an answer from {waiting}")));
        };
        endpoints.value.connect(checks, Timeouts::default(), note, slow).await
    }

    /// The endpoints as a list without secrets.
    pub(crate) fn named_endpoints(&self) -> String {
        let endpoints = self.rpc_url.iter().flat_map(|setting| &setting.value);
        endpoints.map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}

fn missing(name: &str, what: &str) -> Failure {
    Failure::bad_input(eyre!("{name}: expected {what}, found nothing"), SET_IT)
}

/// The current time of the system's clock.
#[expect(clippy::disallowed_methods, reason = "the binary is where time comes in")]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::new(since.as_secs()).unwrap_or(Timestamp::MAX)
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
        let report = match error.is_temporary() {
            true => Report::new(Reason::new(ReasonKind::Passing, reason)),
            false => Report::msg(reason),
        };
        let report = report.wrap_err(title);
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
pub(super) fn unread(registry: &Setting<Address>, error: Error) -> Failure {
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
    let report = match error.is_temporary() {
        true => Report::new(Reason::new(ReasonKind::Passing, error.to_string())),
        false => Report::msg(error.to_string()),
    };
    Failure::internal(report.wrap_err("the chain can't be read"), OTHER_ENDPOINT)
}

pub(super) fn unreadable_set(registry: &Setting<Address>, reason: Report) -> Failure {
    let Setting { value, origin } = registry;
    Failure::bad_input(
        reason.wrap_err(format!("no set can be read from the Registry {value} ({origin})")),
        OTHER_REGISTRY,
    )
}

#[cfg(test)]
mod tests;
