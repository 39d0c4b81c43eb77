//! Failures that last, so that each is reported once.

use crate::{error::Error, rejection::Rejection, tx::fees::AboveCap};
use alloy_primitives::{Address, B256, ChainId};
use canon_abi::Revert;
use core::mem::{self, Discriminant};
use std::collections::BTreeMap;

/// Failures that were reported and last, by what failed.
#[derive(Debug)]
pub struct ReportedFailures<K>(BTreeMap<K, LastingFailure>);

/// The part of a failure that is the same in every block for which it lasts: balances and fees aren't.
#[derive(Debug, PartialEq)]
struct LastingFailure {
    kind: Discriminant<Error>,
    /// The step that failed.
    what: &'static str,
    detail: Detail,
}

/// The facts that distinguish failures of one kind.
#[derive(Debug, PartialEq)]
enum Detail {
    None,
    /// In wei per gas.
    FeeCap(u128),
    Rejection(Rejection),
    Revert(Revert),
    Account(Address),
    /// The list of a payload isn't the one with this hash.
    OtherActions(Address, B256),
    Chain(ChainId),
    Transaction(B256),
}

impl<K> Default for ReportedFailures<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord> ReportedFailures<K> {
    /// The reports of one round of attempts without failures that were reported for the round before and last.
    /// Remembers those that last, and forgets all others. `failure` returns what failed and why, for a report of
    /// a failure.
    pub fn leave_out<R>(
        &mut self,
        reports: Vec<R>,
        failure: impl Fn(&R) -> Option<(K, &Error)>,
    ) -> Vec<R> {
        let mut lasting = BTreeMap::new();
        let mut news = Vec::new();
        for report in reports {
            if let Some((what, error)) = failure(&report)
                && let Some(failure) = LastingFailure::of(error)
            {
                let is_known = self.0.get(&what) == Some(&failure);
                lasting.insert(what, failure);
                if is_known {
                    continue;
                }
            }
            news.push(report);
        }
        self.0 = lasting;
        news
    }
}

impl LastingFailure {
    /// `None` for a failure that may be over in the next block.
    fn of(error: &Error) -> Option<Self> {
        let (what, detail) = match error {
            Error::AboveCap(AboveCap::Total { cap: limit, .. } | AboveCap::Tip { limit, .. }) => {
                ("", Detail::FeeCap(*limit))
            }
            Error::NonceUseNotFinal { by, .. } => ("", Detail::Transaction(*by)),
            error if error.is_temporary() => return None,
            Error::Rejected { what, rejection, .. } => (*what, Detail::Rejection(*rejection)),
            Error::Refused { what, revert } => (*what, Detail::Revert(revert.clone())),
            Error::Reverted { what, hash, .. }
            | Error::RevertedForNoKnownReason { what, hash }
            | Error::OutOfGas { what, hash, .. }
            | Error::EventMissing { what, hash, .. }
            | Error::LogsMissing { what, hash, .. }
            | Error::NotMined { what, hash } => (*what, Detail::Transaction(*hash)),
            Error::Unproven { transaction, .. }
            | Error::CompletionUnproven { transaction, .. }
            | Error::NotCanonical { transaction, .. }
            | Error::NonceUserUnknown { transaction, .. } => {
                ("", Detail::Transaction(*transaction))
            }
            Error::OtherChain { found, .. } => ("", Detail::Chain(*found)),
            Error::OtherAccount { expected: account, .. } | Error::Unread { registry: account } => {
                ("", Detail::Account(*account))
            }
            Error::NoCode { what, address }
            | Error::NoAnswer { what, address }
            | Error::BadAnswer { what, address }
            | Error::Inconsistent { what, found: address, .. } => {
                (*what, Detail::Account(*address))
            }
            Error::ActionsChanged { payload, expected, .. } => {
                ("", Detail::OtherActions(*payload, *expected))
            }
            Error::Rpc { what, .. }
            | Error::NoEndpoint { what, .. }
            | Error::TooMuchGas { what, .. }
            | Error::TooLittleEther { what, .. }
            | Error::OutOfRange { what, .. }
            | Error::Signing { what, .. } => (*what, Detail::None),
            Error::Journal(_) | Error::Head(_) | Error::UnexpectedNonce { .. } => {
                ("", Detail::None)
            }
        };
        Some(Self { kind: mem::discriminant(error), what, detail })
    }
}
