//! Random histories of the set, for tests that compare the rules with other implementations of them.
//!
//! A [`Director`] reads the state and chooses the next step: mostly what users would do, often in the
//! very second in which something changes, sometimes nonsense, sometimes an attack. The same seed and the
//! same outcomes give the same history, whether the rules execute it alone or together with the compiled
//! contracts. The director also writes the code outside the set: [`Program`]s that are simple enough for
//! both.

mod abi;
mod anybody;
mod configurations;
mod contracts;
mod foreign;
mod plans;
mod rng;
mod sequencers;
mod stakers;
mod takeover;
mod times;
mod voters;

pub use foreign::{Behavior, Conduct, Foreign, ForeignAt, Program, Put};
pub use rng::Rng;

use abi::{CURRENT_PROPOSER, CURRENT_SLOT};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use canon_protocol::{
    Amount, Call, Constructor, ExternalContracts, ProposalId, Rollup, Seconds, SetState, Slot,
    Timestamp,
};
use core::fmt;
use std::collections::VecDeque;

/// A staker's accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Staker {
    /// The attester.
    pub attester: Address,
    /// The proposer, which signals and proposes blocks.
    pub proposer: Address,
    /// The withdrawer, which has the asset and decides about the stake.
    pub withdrawer: Address,
}

/// The accounts that act. All of them should have some of the asset, except for the stranger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accounts {
    /// The holders that lock the asset.
    pub holders: Vec<Address>,
    /// The stakers.
    pub stakers: Vec<Staker>,
    /// An account without any role.
    pub stranger: Address,
    /// The accounts among those above that are contracts and sign by ERC-1271, or delegate by EIP-7702.
    /// Their code changes.
    pub wallets: Vec<Address>,
}

impl Accounts {
    /// This number of holders and stakers, without wallets. `account` returns the address for a name:
    /// "holder 0", "attester 0", "proposer 0", "withdrawer 0" and so on, and "stranger".
    pub fn numbered(
        holders: usize,
        stakers: usize,
        mut account: impl FnMut(&str) -> Address,
    ) -> Self {
        let holders = (0..holders).map(|number| account(&format!("holder {number}"))).collect();
        let mut staker = |number| Staker {
            attester: account(&format!("attester {number}")),
            proposer: account(&format!("proposer {number}")),
            withdrawer: account(&format!("withdrawer {number}")),
        };
        let stakers = (0..stakers).map(&mut staker).collect();
        Self { holders, stakers, stranger: account("stranger"), wallets: Vec::new() }
    }

    /// All accounts that act.
    fn people(&self) -> impl Iterator<Item = Address> {
        let stakers = self.stakers.iter().flat_map(|staker| [staker.proposer, staker.withdrawer]);
        self.holders.iter().copied().chain(stakers).chain([self.stranger])
    }
}

/// A step of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A call, which may well be refused.
    Call {
        /// The sender.
        caller: Address,
        /// The destination.
        contract: Address,
        /// The call.
        call: Call,
    },
    /// A transaction with any calldata, to any account.
    Transaction {
        /// The sender.
        caller: Address,
        /// The destination.
        target: Address,
        /// Calldata.
        data: Bytes,
    },
    /// Code outside the set appears, changes or is removed.
    Put(Address, Put),
    /// A contract of the set is deployed: a rollup or a Proposals contract.
    Deploy(Constructor),
}

/// The number of calls in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// Every call has its own block.
    OneCallPerBlock,
    /// Several calls may share a block.
    SharedBlocks,
}

/// Signs digests for the accounts with a known key.
type Signer = Box<dyn Fn(Address, B256) -> Option<Bytes>>;

/// Chooses the steps of a history.
pub struct Director {
    rng: Rng,
    accounts: Accounts,
    rate: Rate,
    sign: Signer,
    payloads: Vec<Address>,
    /// Contracts outside the set that claim to be rollups.
    impostors: Vec<Address>,
    /// A contract outside the set that takes the ownership of one of the set.
    taker: Option<takeover::Taker>,
    /// Signed ballots that may be submitted later or again, with their proposals.
    signed: Vec<(ProposalId, Step)>,
    /// The number of contracts written so far.
    written: u64,
    /// The steps that follow, each with its time after the step before it.
    agenda: VecDeque<(Seconds, Step)>,
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
    /// A director of one history. `sign` returns an ECDSA signature of 65 bytes, or `None` for an account
    /// without a key.
    pub fn new(
        seed: u64,
        accounts: Accounts,
        rate: Rate,
        sign: impl Fn(Address, B256) -> Option<Bytes> + 'static,
    ) -> Self {
        Self {
            rng: Rng::new(seed),
            accounts,
            rate,
            sign: Box::new(sign),
            payloads: Vec::new(),
            impostors: Vec::new(),
            taker: None,
            signed: Vec::new(),
            written: 0,
            agenda: VecDeque::new(),
        }
    }

    /// The next step, and the time from `now` until it is taken.
    pub fn next(&mut self, set: &SetState, now: Timestamp, foreign: &Foreign) -> (Seconds, Step) {
        if let Some((wait, step)) = self.agenda.pop_front() {
            return (wait.max(self.min_wait()), step);
        }
        let wait = self.wait(set, now);
        let now = now + wait;
        // A kind of step that is impossible now is drawn again.
        loop {
            if let Some(step) = self.step(set, now, foreign) {
                return (wait, step);
            }
        }
    }

    /// Schedules `steps` as the next ones, without waiting.
    fn then(&mut self, steps: impl IntoIterator<Item = Step>) {
        self.agenda.extend(steps.into_iter().map(|step| (Seconds::ZERO, step)));
    }

    /// Takes the first step off the agenda.
    fn first_of_agenda(&mut self) -> Option<Step> {
        self.agenda.pop_front().map(|(_, step)| step)
    }

    fn step(&mut self, set: &SetState, now: Timestamp, foreign: &Foreign) -> Option<Step> {
        // Steps that are only possible for a short time are often taken.
        if self.rng.chance(1, 4)
            && let Some(step) = (self.poke(set))
                .or_else(|| self.take_or_give_back(set, now, foreign))
                .or_else(|| self.follow(set, now, foreign))
                .or_else(|| self.urgent(set, now))
        {
            return Some(step);
        }
        // Without a recorded seed, the next epoch has no proposers.
        if self.rng.chance(9, 10)
            && let Some(step) = self.keep(set, now)
        {
            return Some(step);
        }
        match self.rng.below(211) {
            0..42 => self.signal(set, now, foreign),
            42..54 => self.push(set, now, foreign),
            54..63 => self.lock_asset(set),
            63..70 => self.leave(set, now),
            70..116 => self.vote(set, now),
            116..121 => self.submit_signed(set, now),
            121..146 => self.execute(set, now),
            146 => self.drop_proposal(set, now),
            147..150 => self.propose_with_lock(set),
            150..165 => self.stake(set, now),
            165..173 => self.propose_block(set, now),
            173..179 => self.handle_asset(set, now),
            179..186 => self.write_payload(set, now, foreign),
            186 | 187 => self.deploy(set, now),
            188 | 189 => self.write_else(set, now, foreign),
            190..193 => self.garble(set, now, foreign),
            193..200 => self.trespass(set, foreign),
            200..207 => self.object(set, now),
            207 => self.pass_list(set, now, foreign),
            _ => self.finish_move(set, now),
        }
    }

    /// The present slot by the canonical rollup's own answer, which may be false.
    fn present_slot(&self, set: &SetState, now: Timestamp, foreign: &Foreign) -> Option<Slot> {
        match set.canonical_rollup() {
            Some((_, rollup)) => rollup.slot_at(now).ok(),
            None => {
                let question = CURRENT_SLOT;
                let answer = foreign.at(now).ask(set.registry().rollup(), question.as_slice());
                U256::try_from_be_slice(&answer.ok()?)?.try_into().ok()
            }
        }
    }

    /// The proposer of the present slot by the canonical rollup's own answer, which may be false.
    fn present_proposer(
        &self,
        set: &SetState,
        now: Timestamp,
        foreign: &Foreign,
    ) -> Option<Address> {
        match set.canonical_rollup() {
            Some((_, rollup)) => rollup.member_at(now, now).ok()?.map(|member| member.proposer()),
            None => {
                let question = CURRENT_PROPOSER;
                let answer = foreign.at(now).ask(set.registry().rollup(), question.as_slice());
                abi::to_address(U256::try_from_be_slice(&answer.ok()?)?)
            }
        }
    }

    /// A part of `amount`: mostly a sensible one, sometimes zero, one unit too much or an extreme value.
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

    /// An address for a contract that is about to be written.
    fn new_address(&mut self) -> Address {
        self.written += 1;
        let name = [self.rng.next_u64().to_be_bytes(), self.written.to_be_bytes()].concat();
        Address::from_word(keccak256(name))
    }

    /// Any of the accounts that act.
    fn anybody(&mut self) -> Address {
        let people: Vec<Address> = self.accounts.people().collect();
        self.rng.pick(&people).copied().unwrap_or_default()
    }

    /// One of the newest payloads.
    fn payload(&mut self) -> Option<Address> {
        let recent = self.recent_payloads().to_vec();
        self.rng.pick(&recent).copied()
    }

    /// The payloads that accounts signal for and propose.
    fn recent_payloads(&self) -> &[Address] {
        &self.payloads[self.payloads.len().saturating_sub(6)..]
    }

    /// A rollup of the set: mostly the canonical one.
    fn some_rollup<'a>(&mut self, set: &'a SetState) -> Option<(Address, &'a Rollup)> {
        if self.rng.chance(5, 6)
            && let Some(canonical) = set.canonical_rollup()
        {
            return Some(canonical);
        }
        self.any_rollup(set)
    }

    /// Any rollup of the set.
    fn any_rollup<'a>(&mut self, set: &'a SetState) -> Option<(Address, &'a Rollup)> {
        let rollups: Vec<_> = set.rollups().collect();
        self.rng.pick(&rollups).copied()
    }

    /// A Proposals contract: mostly the one in force.
    fn some_proposals(&mut self, set: &SetState) -> Option<Address> {
        if self.rng.chance(9, 10) {
            return Some(set.governance().governance_proposer());
        }
        let proposals: Vec<_> = set.all_proposals().map(|(address, _)| address).collect();
        self.rng.pick(&proposals).copied()
    }
}

fn call(caller: Address, contract: Address, call: impl Into<Call>) -> Step {
    Step::Call { caller, contract, call: call.into() }
}
