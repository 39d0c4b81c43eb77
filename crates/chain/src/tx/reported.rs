//! Persistent failures, so that each is reported only once.

use crate::{error::Error, rejection::Rejection, tx::fees::AboveCap};
use alloy_primitives::{Address, B256, ChainId};
use canon_abi::Revert;
use core::mem::{self, Discriminant};
use std::collections::BTreeMap;

/// Persistent failures that were reported, by what failed.
#[derive(Debug)]
pub struct ReportedFailures<K>(BTreeMap<K, LastingFailure>);

/// The part of a failure that stays the same in every block. Balances and fees aren't part of it.
#[derive(Debug, PartialEq)]
struct LastingFailure {
    kind: Discriminant<Error>,
    /// The step that failed.
    what: &'static str,
    detail: Detail,
}

/// The details that distinguish failures of one kind.
#[derive(Debug, PartialEq)]
enum Detail {
    None,
    /// In wei per gas.
    FeeCap(u128),
    Rejection(Rejection),
    Revert(Revert),
    Account(Address),
    /// The payload, and the hash of the actions that it no longer returns.
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
    /// Filters the reports of one round of attempts: leaves out failures that were also reported in the
    /// round before. Remembers the persistent failures of this round only. `failure` returns what failed,
    /// and the error, if a report is of a failure.
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
    /// The persistent part of an error; `None` if the next block may be enough to remove it.
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
            Error::OtherAccount { expected: account, .. }
            | Error::OtherFamily { registry: account, .. }
            | Error::Unread { registry: account } => ("", Detail::Account(*account)),
            Error::NoCode { what, address }
            | Error::NoAnswer { what, address }
            | Error::BadAnswer { what, address }
            | Error::Inconsistent { what, found: address, .. } => {
                (*what, Detail::Account(*address))
            }
            Error::NotCreated { what, contract, hash } => {
                (*what, hash.map_or(Detail::Account(*contract), Detail::Transaction))
            }
            Error::ActionsChanged { payload, expected, .. } => {
                ("", Detail::OtherActions(*payload, *expected))
            }
            Error::Rpc { what, .. }
            | Error::NoEndpoint { what, .. }
            | Error::TooMuchGas { what, .. }
            | Error::MoreGas { what, .. }
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
