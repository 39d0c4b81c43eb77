//! The state at the end, read from the chain and compared with what the story has to lead to.
//!
//! What is expected is computed from the scenario and from what the actors did, by the protocol's
//! own rules; what is found comes from the contracts alone.

mod check;
mod contracts;
mod fates;
mod governance;
mod invariants;
mod signals;

use alloy_primitives::Address;
use alloy_sol_types::SolCall;
use canon_bindings::Asset;
use canon_protocol::{Amount, TooLarge};

pub use check::{Check, Relation};

use crate::{
    error::{During, Error, Result},
    world::World,
};

/// All checks, by area.
pub(crate) async fn all(world: &World<'_>) -> Result<Vec<Check>> {
    let desk = Desk { world };
    let mut checks = desk.fates();
    checks.extend(desk.registry().await?);
    checks.extend(desk.proposals().await?);
    checks.extend(desk.governance().await?);
    checks.extend(desk.rollups().await?);
    checks.extend(desk.tokens().await?);
    checks.extend(desk.ownership().await?);
    checks.extend(desk.invariants().await?);
    Ok(checks)
}

/// Where the chain's answers are laid beside the story.
#[derive(Clone, Copy, Debug)]
struct Desk<'w, 'a> {
    world: &'w World<'a>,
}

const READING: &str = "checking the state at the end";

impl Desk<'_, '_> {
    /// What a contract answers now.
    async fn ask<C: SolCall>(&self, to: Address, call: C) -> Result<C::Return> {
        let stage = &self.world.stage;
        stage.client().read(stage.head(), to, call).await.during(READING)
    }

    async fn balance(&self, owner: Address) -> Result<Amount> {
        let call = Asset::balanceOfCall { owner };
        fit(self.ask(self.world.set.asset, call).await?)
    }

    fn name(&self, address: &Address) -> String {
        if address.is_zero() { "nobody".to_owned() } else { self.world.name(*address) }
    }
}

/// A number that the protocol bounds.
fn fit<T>(number: impl TryInto<T, Error = TooLarge>) -> Result<T> {
    number.try_into().map_err(|error: TooLarge| Error::Unexpected(error.to_string()))
}
