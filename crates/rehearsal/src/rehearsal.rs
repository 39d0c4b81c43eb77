//! A rehearsal from outside.

use canon_devchain::Devchain;

use crate::{
    acts, checks,
    checks::Check,
    error::Result,
    progress::{Progress, Reporter},
    report::Report,
    scenario::Scenario,
    world::World,
};

/// A scenario that was played to its end, on a chain that is still there.
#[derive(Debug)]
pub struct Rehearsal<'a> {
    world: World<'a>,
}

impl<'a> Rehearsal<'a> {
    /// Plays a scenario. `progress` hears how far it is; it may be called often.
    ///
    /// Reads no clock, no randomness and nothing outside of its arguments: equal scenarios give
    /// equal rehearsals.
    ///
    /// # Errors
    ///
    /// If something happens that the scenario doesn't want to happen and that no check could show.
    /// A different end than the scenario expects is no error: [`Self::checks`] shows it.
    pub async fn play(
        scenario: &'a Scenario,
        progress: &'a mut dyn FnMut(Progress),
    ) -> Result<Self> {
        Ok(Self { world: acts::play(scenario, Reporter::new(progress)).await? })
    }

    /// The chain as the rehearsal left it.
    pub const fn chain(&self) -> &Devchain {
        self.world.stage.chain()
    }

    /// The address of the set's Registry, from which all others are found.
    pub const fn registry(&self) -> alloy_primitives::Address {
        self.world.set.registry
    }

    /// Compares the chain, as it is now, with what the story has to lead to.
    ///
    /// # Errors
    ///
    /// If a contract doesn't answer.
    pub async fn checks(&self) -> Result<Vec<Check>> {
        checks::all(&self.world).await
    }

    /// The story, the checks and the gas.
    ///
    /// # Errors
    ///
    /// As [`Self::checks`].
    pub async fn report(&self) -> Result<Report> {
        let (world, checks) = (&self.world, self.checks().await?);
        let end = (world.stage.now(), world.stage.block().get());
        let gas = world.stage.gas.rows();
        Ok(Report::new(world.scenario, world.timeline.clone(), checks, gas, end))
    }
}
