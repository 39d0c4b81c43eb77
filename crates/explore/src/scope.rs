//! The scopes that are explored: their beginnings, possible steps and bounds.

use crate::payloads::Payload;
use canon_protocol::{Amount, Configuration, Fraction, Seconds};

/// The length of a slot in seconds.
pub(crate) const SLOT: u64 = 60;
/// The length of an epoch in slots.
pub(crate) const EPOCH: u64 = 2;
/// The number of slots in a round.
pub(crate) const M: u64 = 3;
/// The number of signals that win a round.
pub(crate) const N: u64 = 2;
/// Seconds from leaving the first rollup until the stake is paid, and from announcing a move until it
/// can be made.
pub(crate) const EXIT_DELAY: u64 = 2 * EPOCH * SLOT;
/// The supply: the least with which Governance can be constructed, and the stakes.
pub(crate) const SUPPLY: u128 = 24;

/// The first configuration. The deadlines of a proposal up to the end of Queued have different offsets
/// from the beginning of a slot.
pub(crate) const LONG: Configuration = Configuration {
    voting_delay: Seconds::of(65),
    voting_duration: Seconds::of(70),
    execution_delay: Seconds::of(81),
    quorum: Fraction::percent(30),
    minimum_votes: Amount::of(3),
    ..Configuration::LEAST
};

/// The configuration that [`Payload::Shorten`] sets.
pub(crate) const SHORT: Configuration = Configuration {
    voting_delay: Configuration::LEAST.voting_delay,
    voting_duration: Configuration::LEAST.voting_duration,
    execution_delay: Configuration::LEAST.execution_delay,
    ..LONG
};

/// A kind of step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Anyone records the next epoch's seed.
    SetupEpoch,
    /// A slot's proposer signals.
    Signal,
    /// Anyone pushes a round's winner.
    Push,
    /// A holder locks a unit.
    Deposit,
    /// A holder gives up a unit of power, and later gets it back.
    Withdraw,
    /// A holder proposes through the lock.
    Propose,
    /// A holder casts a unit for a proposal.
    VoteFor,
    /// A holder casts a unit against a proposal.
    VoteAgainst,
    /// Anyone executes with the actions that the payload lists.
    Execute,
    /// Anyone executes with a list of actions.
    ExecuteWith,
    /// Anyone stores that a proposal is dropped.
    Drop,
    /// A staker moves to the second rollup.
    Move,
}

/// The beginning of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// The second in which everything was deployed and staked.
    Deployment,
    /// The first second of epoch 2, the seed of which is recorded: its slots have proposers.
    Signals,
    /// The first second of round 2, after this payload has won round 1.
    Winner(Payload),
}

/// A scope that is small enough to try every step in it.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The name on the command line.
    pub name: &'static str,
    /// The subject, in a sentence.
    pub about: &'static str,
    /// The beginning.
    pub start: Start,
    /// Units that Alice and Bob have locked.
    pub power: [u64; 2],
    /// Units that Alice and Bob have and haven't locked.
    pub free: [u64; 2],
    /// Units that are locked for an account that never votes.
    pub silent: u64,
    /// The kinds of steps.
    pub kinds: &'static [Kind],
    /// The payloads that are signaled for and proposed.
    pub payloads: &'static [Payload],
    /// The largest number of proposals before their last deadline.
    pub open_proposals: usize,
    /// The largest number of unpaid withdrawals.
    pub due_withdrawals: usize,
    /// Whether every state is checked for the holders' ability to make Governance act.
    pub holders_can_act: bool,
    /// The last second in which steps are tried, from the start; `None` for no limit.
    pub seconds: Option<u64>,
}

/// Every ballot, on one proposal after another.
const BALLOTS: Scope = Scope {
    name: "ballots",
    about: "one proposal through the lock after another, for ever: every ballot and execution",
    start: Start::Deployment,
    power: [3, 3],
    free: [0, 0],
    silent: 1,
    kinds: &[Kind::Propose, Kind::VoteFor, Kind::VoteAgainst, Kind::Execute, Kind::ExecuteWith],
    payloads: &[Payload::Upgrade],
    open_proposals: 1,
    due_withdrawals: 1,
    holders_can_act: true,
    seconds: None,
};

const LEAVING: Scope = Scope {
    name: "leaving",
    about: "a proposal through the lock, and holders who lock and leave all the time",
    power: [3, 2],
    kinds: &[
        Kind::Propose,
        Kind::VoteFor,
        Kind::VoteAgainst,
        Kind::Execute,
        Kind::Deposit,
        Kind::Withdraw,
    ],
    due_withdrawals: 2,
    seconds: Some(300),
    ..BALLOTS
};

const SHORTENING: Scope = Scope {
    name: "shortening",
    about: "two proposals through the lock, one of which shortens the delays, and holders who leave",
    silent: 2,
    kinds: &[Kind::Propose, Kind::VoteFor, Kind::Execute, Kind::Withdraw],
    payloads: &[Payload::Shorten],
    open_proposals: 2,
    due_withdrawals: 3,
    holders_can_act: false,
    seconds: Some(360),
    ..BALLOTS
};

/// Six units pay for three locks, the third of which may follow the execution that shortens the delays.
const LOCKS: Scope = Scope {
    name: "locks",
    about: "three proposals through the lock, one of which shortens the delays",
    power: [4, 2],
    silent: 1,
    kinds: &[Kind::Propose, Kind::VoteFor, Kind::Execute],
    holders_can_act: true,
    ..SHORTENING
};

const SIGNALS: Scope = Scope {
    name: "signals",
    about: "three stakers signal for two payloads, and what wins is pushed",
    power: [0, 0],
    kinds: &[Kind::SetupEpoch, Kind::Signal, Kind::Push],
    payloads: &[Payload::Upgrade, Payload::Shorten],
    open_proposals: 2,
    due_withdrawals: 0,
    holders_can_act: false,
    seconds: Some(4 * M * SLOT),
    ..BALLOTS
};

const REPLACEMENT: Scope = Scope {
    name: "replacement",
    about: "an upgrade that was signaled for, while holders replace Proposals and put it back",
    start: Start::Winner(Payload::Upgrade),
    kinds: &[Kind::Push, Kind::Propose, Kind::VoteFor, Kind::Execute, Kind::Drop],
    payloads: &[Payload::Replace, Payload::Restore],
    open_proposals: 2,
    due_withdrawals: 2,
    seconds: Some(330),
    ..BALLOTS
};

const MOVES: Scope = Scope {
    name: "moves",
    about: "an upgrade that was signaled for, and stakers who move and signal on",
    start: Start::Winner(Payload::Upgrade),
    kinds: &[Kind::SetupEpoch, Kind::Signal, Kind::Push, Kind::VoteFor, Kind::Execute, Kind::Move],
    power: [2, 0],
    holders_can_act: false,
    seconds: Some(240),
    ..BALLOTS
};

impl Scope {
    /// The scopes that are explored in seconds.
    pub const QUICK: &[Self] = &[BALLOTS, LEAVING, SHORTENING, LOCKS, SIGNALS, REPLACEMENT, MOVES];

    /// The scopes that are explored in minutes.
    pub const LARGE: &[Self] = &[
        Self { name: "leaving-long", free: [0, 1], seconds: Some(330), ..LEAVING },
        Self {
            name: "shortening-long",
            payloads: &[Payload::Shorten, Payload::Upgrade],
            seconds: Some(480),
            ..SHORTENING
        },
        Self { name: "signals-long", seconds: Some(5 * M * SLOT), ..SIGNALS },
        Self { name: "replacement-long", seconds: Some(600), ..REPLACEMENT },
        Self { name: "moves-long", seconds: Some(300), ..MOVES },
    ];

    /// All scopes.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        Self::QUICK.iter().chain(Self::LARGE)
    }

    /// The scope with this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::all().find(|scope| scope.name == name)
    }

    pub(crate) fn allows(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }

    /// Whether any possible step depends on slots.
    pub(crate) fn has_slots(&self) -> bool {
        [Kind::SetupEpoch, Kind::Signal, Kind::Push, Kind::Move]
            .into_iter()
            .any(|kind| self.allows(kind))
    }
}
