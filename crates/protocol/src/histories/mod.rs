//! Random histories of the set, for tests of whatever has to agree with these rules.
//!
//! A [`Director`] looks at the world and says what happens next: mostly what people would do there,
//! often at the very second where something changes, sometimes nonsense. The same seed and the same
//! answers give the same history, whoever carries it out: this crate's rules alone, or the compiled
//! contracts beside them.

mod configurations;
mod crowd;
mod moments;
mod plans;
mod rng;
mod sequencers;
mod stakers;
mod voters;

pub use rng::Rng;

use crate::{
    messages::Call,
    outside::Action,
    rollup::Rollup,
    units::{Amount, Seconds, Timestamp},
    world::World,
};
use alloy::primitives::{Address, B256, Bytes, U256};
use core::fmt;

/// Who stakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Staker {
    /// The staker.
    pub attester: Address,
    /// Signals and proposes for it.
    pub proposer: Address,
    /// Has the asset, and decides about the stake.
    pub withdrawer: Address,
}

/// Who acts. All of them should have some of the asset, but for the stranger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cast {
    /// Those who lock the asset.
    pub holders: Vec<Address>,
    /// Those who stake it.
    pub stakers: Vec<Staker>,
    /// Somebody else.
    pub stranger: Address,
}

impl Cast {
    /// Everybody.
    fn people(&self) -> impl Iterator<Item = Address> {
        let stakers = self.stakers.iter().flat_map(|staker| [staker.proposer, staker.withdrawer]);
        self.holders.iter().copied().chain(stakers).chain([self.stranger])
    }
}

/// What happens next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A call, which may well be refused.
    Call {
        /// Who sends it.
        caller: Address,
        /// Where to.
        contract: Address,
        /// The call.
        call: Call,
    },
    /// A payload that lists these actions is deployed; [`Director::listed`] tells where.
    Payload(Vec<Action>),
    /// A contract of the set is deployed: a rollup or a Proposals contract.
    Deploy(crate::Deployment),
}

/// Whether blocks hold one call each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Time goes on before every call.
    OneCallPerBlock,
    /// Several calls may share a block.
    SharedBlocks,
}

/// Signs digests for the people whose key it has.
type Signer = Box<dyn Fn(Address, B256) -> Option<Bytes>>;

/// Says what happens next.
pub struct Director {
    rng: Rng,
    cast: Cast,
    pace: Pace,
    sign: Signer,
    payloads: Vec<Address>,
}

impl fmt::Debug for Director {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Director")
            .field("rng", &self.rng)
            .field("payloads", &self.payloads)
            .finish_non_exhaustive()
    }
}

impl Director {
    /// A director of one history. `sign` answers with an ECDSA signature of 65 bytes.
    pub fn new(
        seed: u64,
        cast: Cast,
        pace: Pace,
        sign: impl Fn(Address, B256) -> Option<Bytes> + 'static,
    ) -> Self {
        Self { rng: Rng::new(seed), cast, pace, sign: Box::new(sign), payloads: Vec::new() }
    }

    /// A payload that was asked for stands at `payload`.
    pub fn listed(&mut self, payload: Address) {
        self.payloads.push(payload);
    }

    /// How long after `now` the next thing happens, and what it is.
    pub fn next(&mut self, world: &World, now: Timestamp) -> (Seconds, Step) {
        let wait = self.wait(world, now);
        let now = now + wait;
        // What makes no sense now is drawn again.
        loop {
            if let Some(step) = self.step(world, now) {
                return (wait, step);
            }
        }
    }

    fn step(&mut self, world: &World, now: Timestamp) -> Option<Step> {
        match self.rng.below(100) {
            0..22 => self.signal(world, now),
            22..28 => self.push(world, now),
            28..32 => self.lock_asset(world),
            32..36 => self.leave(world, now),
            36..62 => self.vote(world, now),
            62..74 => self.execute(world, now),
            74 => self.drop_proposal(world),
            75..77 => self.propose_with_lock(world),
            77..85 => self.stake(world, now),
            85..89 => self.propose_block(world, now),
            89..92 => self.handle_asset(world, now),
            92..95 => self.list_payload(world),
            95 => self.deploy(world, now),
            _ => self.meddle(world),
        }
    }

    /// Part of `amount`: mostly sensible, sometimes all of it and a unit more, or nothing.
    fn part(&mut self, amount: Amount) -> U256 {
        let whole = amount.to_word();
        match self.rng.below(20) {
            0 => U256::ZERO,
            1 => whole + U256::from(1),
            2 => U256::from(1),
            3 => self.rng.pick(&[U256::MAX, U256::from(1) << 96]).copied().unwrap_or_default(),
            4..10 => whole,
            _ => whole / U256::from(self.rng.below(8) + 1),
        }
    }

    /// Somebody of the cast.
    fn anybody(&mut self) -> Address {
        let people: Vec<Address> = self.cast.people().collect();
        self.rng.pick(&people).copied().unwrap_or_default()
    }

    /// A payload that was deployed lately.
    fn payload(&mut self) -> Option<Address> {
        let recent = self.recent_payloads().to_vec();
        self.rng.pick(&recent).copied()
    }

    /// What people talk about.
    fn recent_payloads(&self) -> &[Address] {
        &self.payloads[self.payloads.len().saturating_sub(6)..]
    }

    /// The canonical rollup, mostly; sometimes any other of the set.
    fn some_rollup<'a>(&mut self, world: &'a World) -> Option<(Address, &'a Rollup)> {
        if self.rng.chance(5, 6)
            && let Some(canonical) = world.canonical_rollup()
        {
            return Some(canonical);
        }
        let rollups: Vec<_> = world.rollups().collect();
        self.rng.pick(&rollups).copied()
    }

    /// The Proposals contract in office, mostly; sometimes any other.
    fn some_proposals(&mut self, world: &World) -> Option<Address> {
        if self.rng.chance(9, 10) {
            return Some(world.governance().governance_proposer());
        }
        let proposals: Vec<_> = world.all_proposals().map(|(address, _)| address).collect();
        self.rng.pick(&proposals).copied()
    }
}

fn call(caller: Address, contract: Address, call: impl Into<Call>) -> Step {
    Step::Call { caller, contract, call: call.into() }
}
