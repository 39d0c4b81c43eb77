//! Failures that last, so that each is reported once.

use crate::{
    error::Error,
    rejection::Rejection,
    tx::{
        fees::AboveCap,
        report::{TxEvent, TxReport},
    },
};
use alloy_primitives::{Address, B256, ChainId};
use canon_abi::Revert;
use canon_views::IntentId;
use core::mem::{self, Discriminant};
use std::collections::BTreeMap;

/// Failures that were reported and last, by intent.
#[derive(Debug, Default)]
pub(super) struct ReportedFailures(BTreeMap<Option<IntentId>, LastingFailure>);

/// What of a failure is the same in every block for which it lasts: balances and fees aren't.
#[derive(Debug, PartialEq)]
struct LastingFailure {
    kind: Discriminant<Error>,
    /// What was done when it failed.
    what: &'static str,
    detail: Detail,
}

/// What tells failures of one kind apart.
#[derive(Debug, PartialEq)]
enum Detail {
    None,
    /// In wei per gas.
    FeeCap(u128),
    Rejection(Rejection),
    Revert(Revert),
    Account(Address),
    Chain(ChainId),
    Transaction(B256),
}

impl ReportedFailures {
    /// The reports of a block without failures that were reported for the block before and last. Remembers
    /// those that last.
    pub(super) fn leave_out(&mut self, reports: Vec<TxReport>) -> Vec<TxReport> {
        let mut lasting = BTreeMap::new();
        let mut news = Vec::new();
        for report in reports {
            if let TxEvent::Failed(error) = &report.event
                && let Some(failure) = LastingFailure::of(error)
            {
                let is_known = self.0.get(&report.intent) == Some(&failure);
                lasting.insert(report.intent, failure);
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
            error if error.is_temporary() => return None,
            Error::Rejected { what, rejection, .. } => (*what, Detail::Rejection(*rejection)),
            Error::Refused { what, revert } => (*what, Detail::Revert(revert.clone())),
            Error::Reverted { what, hash, .. }
            | Error::RevertedForNoKnownReason { what, hash }
            | Error::OutOfGas { what, hash, .. }
            | Error::EventMissing { what, hash, .. }
            | Error::LogsMissing { what, hash, .. }
            | Error::NotMined { what, hash } => (*what, Detail::Transaction(*hash)),
            Error::NotCanonical { transaction, .. }
            | Error::NonceUserUnknown { transaction, .. } => {
                ("", Detail::Transaction(*transaction))
            }
            Error::OtherChain { found, .. } => ("", Detail::Chain(*found)),
            Error::OtherAccount { expected, .. } => ("", Detail::Account(*expected)),
            Error::NoCode { what, address }
            | Error::NoAnswer { what, address }
            | Error::BadAnswer { what, address }
            | Error::Inconsistent { what, found: address, .. } => {
                (*what, Detail::Account(*address))
            }
            Error::ActionsChanged { payload, .. } => ("", Detail::Account(*payload)),
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
