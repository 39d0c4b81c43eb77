//! Checks of the final state: the values found on the chain, and the expected ones.
//!
//! The found values are answers of the contracts' views. The expected ones follow from the state folded
//! from the events of the rehearsal's transactions, and from the scenario.

mod check;
mod contracts;
mod fates;
mod governance;
mod invariants;
mod signals;

use alloy_primitives::Address;
use alloy_sol_types::SolCall;
use canon_abi::Asset;
use canon_protocol::{Amount, BlockNumber, Seconds, SetState, TooLarge};
use canon_views::{Present, Question};

pub use check::{Check, Relation};

use crate::{
    error::{During, Error, Result},
    upgrade_run::UpgradeRun,
};

/// All checks, by area.
pub(crate) async fn all(run: &UpgradeRun<'_>) -> Result<Vec<Check>> {
    let (registry, question) = (run.set.addresses().registry, Question::default());
    let block_time = run.driver.next_time().since(run.driver.now()).unwrap_or(Seconds::ZERO);
    let view = run.driver.client().view(registry, &question, run.driver.head(), block_time).await;
    let inspection = Inspection { run, found: view.during(READING)? };
    let mut checks = inspection.fates();
    checks.extend(inspection.registry().await?);
    checks.extend(inspection.proposals().await?);
    checks.extend(inspection.governance().await?);
    checks.extend(inspection.rollups().await?);
    checks.extend(inspection.tokens().await?);
    checks.extend(inspection.ownership().await?);
    checks.extend(inspection.invariants().await?);
    Ok(checks)
}

/// The comparison of the chain's answers with the expected state.
#[derive(Debug)]
struct Inspection<'w, 'a> {
    run: &'w UpgradeRun<'a>,
    /// The set, as read from the contracts' views.
    found: Present,
}

const READING: &str = "checking the state at the end";

impl Inspection<'_, '_> {
    /// The expected state.
    fn expected(&self) -> &SetState {
        self.run.state()
    }

    /// The rollup that was canonical in an L1 block.
    fn canonical_in(&self, block: BlockNumber) -> Option<Address> {
        let snapshots = self.expected().registry().snapshots().iter();
        snapshots.rev().find(|one| one.block_number <= block).map(|one| one.rollup)
    }

    /// The answer of a contract at the newest block.
    async fn ask<C: SolCall>(&self, to: Address, call: C) -> Result<C::Return> {
        let driver = &self.run.driver;
        driver.client().read(driver.head(), to, call).await.during(READING)
    }

    async fn balance(&self, owner: Address) -> Result<Amount> {
        let call = Asset::balanceOfCall { owner };
        fit(self.ask(self.run.set.addresses().asset, call).await?)
    }

    fn name(&self, address: &Address) -> String {
        if address.is_zero() { "nobody".to_owned() } else { self.run.set.name(*address) }
    }
}

/// Converts a number that the protocol bounds.
fn fit<T>(number: impl TryInto<T, Error = TooLarge>) -> Result<T> {
    number.try_into().map_err(|error: TooLarge| Error::Unexpected(error.to_string()))
}
