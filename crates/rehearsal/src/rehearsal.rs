//! A rehearsal, as its callers see it.

use canon_devchain::Devchain;
use canon_protocol::SetState;

use crate::{
    checks,
    checks::Check,
    error::Result,
    progress::{Progress, Reporter},
    report::Report,
    scenario::Scenario,
    steps,
    upgrade_run::UpgradeRun,
};

/// A scenario that was simulated to its end, on a chain that is still there.
#[derive(Debug)]
pub struct Rehearsal<'a> {
    run: UpgradeRun<'a>,
}

impl<'a> Rehearsal<'a> {
    /// Simulates a scenario. `progress` is called with the progress, often.
    ///
    /// Reads no clock, no randomness and nothing outside of its arguments: equal scenarios give
    /// equal rehearsals.
    ///
    /// # Errors
    ///
    /// If something happens that the scenario rules out and no check reports.
    /// An end that the scenario does not expect is not an error: [`Self::checks`] reports it.
    pub async fn run(
        scenario: &'a Scenario,
        progress: &'a mut dyn FnMut(Progress),
    ) -> Result<Self> {
        Ok(Self { run: steps::simulate(scenario, Reporter::new(progress)).await? })
    }

    /// The chain as the rehearsal left it.
    pub const fn chain(&self) -> &Devchain {
        self.run.driver.chain()
    }

    /// The address of the set's Registry, from which all others are found.
    pub const fn registry(&self) -> alloy_primitives::Address {
        self.run.set.addresses().registry
    }

    /// The set's state at the end, folded from the events of the rehearsal's transactions.
    pub fn state(&self) -> &SetState {
        self.run.state()
    }

    /// Compares the chain, as it is now, with what the scenario has to lead to.
    ///
    /// # Errors
    ///
    /// If a contract doesn't answer.
    pub async fn checks(&self) -> Result<Vec<Check>> {
        checks::all(&self.run).await
    }

    /// The timeline, the checks and the gas.
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
