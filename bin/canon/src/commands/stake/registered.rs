//! A registered attester at the newest block.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::Address;
use canon_follow::OpenedSet;
use canon_protocol::{AttesterStatus, Seconds, SetState, Timestamp};
use canon_views::{AttesterView, IntendedAction, Intent, Present, Question, SetView};
use eyre::eyre;

use super::{
    AttesterArgs,
    departed::{departure, departures},
};
use crate::{answer, chain::Chain, exit::Failure};

pub(super) const SEE_STATUS: &str = "`canon stake status` shows where attesters are registered";

/// An attester that is registered in a rollup.
#[derive(Debug)]
pub(super) struct RegisteredAttester {
    pub(super) present: Present,
    pub(super) rollup: Address,
    pub(super) attester: Address,
    pub(super) view: AttesterView,
    /// The time from leaving the rollup until the stake is paid.
    pub(super) exit_delay: Seconds,
    /// All rollups of the set; empty if its history isn't known.
    pub(super) rollups: Vec<Address>,
}

impl RegisteredAttester {
    /// Reads an attester.
    ///
    /// # Errors
    ///
    /// If it isn't registered in the rollup, or no rollup is named and it is registered in several.
    pub(super) async fn read(chain: &Chain, args: AttesterArgs) -> Result<Self, Failure> {
        let AttesterArgs { attester, rollup } = args;
        let OpenedSet { view, .. } = chain.history(asked(rollup, attester)).await?;
        let SetView { mut present, history, .. } = view;
        let rollups = history.iter().flat_map(|history| history.rollups());
        let rollups = rollups.map(|(rollup, _)| rollup).collect();
        let located = history.as_deref().map(|history| locate(history, attester));
        let rollup = match (rollup, located.as_deref()) {
            (Some(rollup), _) => rollup,
            (None, Some([only])) => *only,
            (None, Some([_, _, ..])) => {
                let rollups = located.unwrap_or_default();
                return Err(ambiguous(attester, &rollups, present.addresses.rollup));
            }
            (None, Some([]) | None) => present.addresses.rollup,
        };
        if present.attester(rollup, attester).is_none() {
            present = chain.present(asked(Some(rollup), attester)).await?;
        }
        let seen = present.rollups.get(&rollup).ok_or_else(|| {
            let report = eyre!("the rollup at {rollup} doesn't answer as Canon's rollups do");
            Failure::refused(report, SEE_STATUS)
        })?;
        let (view, exit_delay) = (answer::attester(&present, rollup, attester)?, seen.exit_delay);
        if view.status == AttesterStatus::None {
            let title = format!("attester {attester} has no stake in rollup {rollup} now");
            let seen = SetView { present, history };
            let reasons = match args.rollup {
                Some(rollup) => departure(chain, &seen, rollup, attester).await?,
                None => departures(chain, &seen, attester).await?,
            };
            let report = match reasons {
                Some(reason) => eyre!(reason).wrap_err(title),
                None => eyre!(title),
            };
            return Err(Failure::refused(report, SEE_STATUS));
        }
        Ok(Self { present, rollup, attester, view, exit_delay, rollups })
    }

    /// Refuses an account other than the withdrawer.
    ///
    /// # Errors
    ///
    /// If the account isn't the withdrawer. The error names the withdrawer.
    pub(super) fn require_withdrawer(&self, account: Address) -> Result<(), Failure> {
        let withdrawer = self.view.withdrawer;
        if account == withdrawer {
            return Ok(());
        }
        let attester = self.attester;
        let report =
            eyre!("only {withdrawer} decides about the stake of {attester}, not {account}");
        Err(Failure::refused(report, "send it from the account that is its withdrawer"))
    }

    /// The intent of an action on the attester.
    pub(super) const fn intent(&self, action: IntendedAction) -> Intent {
        Intent { set: self.present.set_id(), action, until: None }
    }

    /// The time of the newest block.
    pub(super) const fn now(&self) -> Timestamp {
        self.present.block.timestamp
    }
}

/// The question about an attester of a rollup.
fn asked(rollup: Option<Address>, attester: Address) -> Question {
    let rollups = rollup.map(|rollup| (rollup, BTreeSet::from([attester])));
    Question { rollups: BTreeMap::from_iter(rollups), ..Question::default() }
}

/// The rollups in which an attester is registered.
fn locate(history: &SetState, attester: Address) -> Vec<Address> {
    let rollups = history.rollups().filter(|(_, rollup)| rollup.member(attester).is_some());
    rollups.map(|(rollup, _)| rollup).collect()
}

fn ambiguous(attester: Address, rollups: &[Address], canonical: Address) -> Failure {
    let rollups = rollups.iter().map(|rollup| match *rollup == canonical {
        true => format!("{rollup} (canonical)"),
        false => rollup.to_string(),
    });
    let rollups: Vec<_> = rollups.collect();
    let report =
        eyre!("attester {attester} is registered in several rollups: {}", rollups.join(", "));
    Failure::bad_input(report, "name the one that is meant with --rollup")
}
