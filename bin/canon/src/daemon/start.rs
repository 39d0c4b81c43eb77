//! The start of a daemon, which waits for its endpoints.

use std::time::Duration;

use alloy_primitives::{Address, hex, keccak256};
use serde_json::Value;

use super::{
    log::{Logged, line, span},
    serve::Published,
};
use crate::{
    chain::now,
    exit::{Failure, ReasonKind},
};

/// The longest time between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Whose daemon it is, on each line of its log.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) registry: Address,
    pub(crate) account: Address,
}

impl Identity {
    /// The span with the fields of each line.
    pub(crate) fn span(&self) -> tracing::Span {
        span(&self.registry, &self.account)
    }
}

/// Attempts something until it doesn't fail for a reason that may pass, and logs once that it does and once that it
/// doesn't any more.
///
/// # Errors
///
/// A failure that doesn't pass by itself.
pub(crate) async fn patiently<T>(
    published: &Published,
    mut attempt: impl AsyncFnMut() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut pause = Duration::from_secs(1);
    let mut has_failed = false;
    loop {
        published.alive(now());
        match attempt().await {
            Err(failure) if failure.is_for(ReasonKind::Passing) => {
                if !has_failed {
                    let report = format!("{:#}", failure.report);
                    let text =
                        format!("not started yet, and tried again until it can be: {report}");
                    line(&Logged::warn("unreachable", text));
                }
                has_failed = true;
                tokio::time::sleep(pause).await;
                pause = (2 * pause).min(LONGEST_PAUSE);
            }
            ended => {
                if has_failed && ended.is_ok() {
                    line(&Logged::info("reachable", "the chain can be read".to_owned()));
                }
                return ended;
            }
        }
    }
}

/// The beginning of the hash of a daemon's settings, by which two runs can be compared.
pub(crate) fn settings_hash(settings: &Value) -> String {
    let hash = keccak256(settings.to_string());
    hex::encode_prefixed(&hash[..8])
}
