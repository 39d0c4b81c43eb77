//! The public handle of a rehearsal.

use canon_devchain::Devchain;
use canon_protocol::SetState;

use crate::{
    checks,
    checks::Check,
    error::Result,
    progress::{RehearsalProgress, Reporter},
    report::Report,
    scenario::Scenario,
    steps,
    upgrade_run::UpgradeRun,
};

/// A scenario that was simulated to its end, with the chain in its final state.
#[derive(Debug)]
pub struct Rehearsal<'a> {
    run: UpgradeRun<'a>,
}

impl<'a> Rehearsal<'a> {
    /// Simulates a scenario. Calls `progress` often.
    ///
    /// Reads no clock, no randomness and nothing apart from its arguments: equal scenarios give
    /// equal rehearsals.
    ///
    /// # Errors
    ///
    /// If something happens that the scenario rules out and no check reports. An unexpected end of
    /// a proposal isn't an error: [`Self::checks`] reports it.
    pub async fn run(
        scenario: &'a Scenario,
        progress: &'a mut dyn FnMut(RehearsalProgress),
    ) -> Result<Self> {
        Ok(Self { run: steps::simulate(scenario, Reporter::new(progress)).await? })
    }

    /// The chain in its final state.
    pub const fn chain(&self) -> &Devchain {
        self.run.driver.chain()
    }

    /// The address of the set's Registry, from which all other contracts are found.
    pub const fn registry(&self) -> alloy_primitives::Address {
        self.run.set.addresses().registry
    }

    /// The set's final state, folded from the events of the rehearsal's transactions.
    pub fn state(&self) -> &SetState {
        self.run.state()
    }

    /// Compares the present state of the chain with the results that the scenario must have.
    ///
    /// # Errors
    ///
    /// If a contract doesn't answer.
    pub async fn checks(&self) -> Result<Vec<Check>> {
        checks::all(&self.run).await
    }

    /// Returns the timeline, the checks and the gas.
    ///
    /// # Errors
    ///
    /// As [`Self::checks`].
    pub async fn report(&self) -> Result<Report> {
        let (run, checks) = (&self.run, self.checks().await?);
        let end = (run.driver.now(), run.driver.block());
        let gas = run.driver.gas.rows();
        Ok(Report::new(run.scenario, run.timeline.clone(), checks, gas, end))
    }
}
