//! A contract outside the set that accepts the ownership that a passed proposal offers it, and
//! returns it after a while.

use super::abi::{GOVERNANCE_PROPOSER, PROPOSAL_COUNT};
use super::{Behavior, Conduct, Director, Foreign, Program, Put, Step, call, foreign::answer_word};
use alloy_primitives::{Address, Bytes, Selector, U256};
use alloy_sol_types::{SolCall, sol};
use canon_protocol::{Action, GovernanceCall, OwnershipCall, RegistryCall, SetState, Timestamp};

sol! {
    function getProposalState(uint256 id);
    function propose(address payload);
    function giveBack();
    function upgrade();
}

/// A contract that takes ownership.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taker {
    /// The contract outside the set.
    address: Address,
    /// The contract of the set that it takes over: mostly the Registry, to whose owner winners are
    /// pushed.
    takes: Address,
}

impl Director {
    /// Writes the taker, or replaces its code.
    pub(super) fn write_taker(&mut self, set: &SetState, now: Timestamp) -> Option<Step> {
        let at = *set.addresses();
        let taker = match self.taker {
            Some(taker) => taker,
            None => {
                let takes = *self.rng.pick(&[at.registry, at.registry, at.issuer])?;
                Taker { address: self.new_address(), takes }
            }
        };
        self.taker = Some(taker);
        let first = self.taker_behavior(set, taker);
        let later = if self.rng.chance(1, 2) {
            Some((self.soon(now), self.taker_behavior(set, taker)))
        } else {
            None
        };
        Some(Step::Put(taker.address, Put::Program(Program { first, later })))
    }

    /// The behavior of the taker: it does what an owner can do, and answers roughly as Governance
    /// does.
    fn taker_behavior(&mut self, set: &SetState, taker: Taker) -> Behavior {
        let Taker { takes, .. } = taker;
        let at = *set.addresses();
        let own = |call: OwnershipCall| Action { target: takes, data: call.abi_encode() };
        let back = OwnershipCall::TransferOwnership { new_owner: at.governance };
        let rollup = self.any_rollup(set).map(|(rollup, _)| rollup).unwrap_or_default();
        let upgrade = RegistryCall::Upgrade { rollup }.abi_encode();
        let count = match self.rng.below(6) {
            0 => answer_word(U256::MAX),
            1 => Conduct::Reverts(self.noise()),
            _ => answer_word(U256::from(self.rng.below(5))),
        };
        let state = match self.rng.below(6) {
            0 => Conduct::Reverts(self.noise()),
            _ => answer_word(U256::from(self.rng.below(9))),
        };
        let propose = match self.rng.below(10) {
            0 => Conduct::Reverts(self.noise()),
            1 => Conduct::Answers(Bytes::new()),
            2 => Conduct::Calls(vec![own(back.clone())]),
            3..7 => answer_word(U256::ZERO),
            _ => answer_word(U256::from(1)),
        };
        let listens_to = set.governance().governance_proposer().into_word();
        Behavior {
            functions: vec![
                (PROPOSAL_COUNT, count),
                (GOVERNANCE_PROPOSER, Conduct::Answers(listens_to.into())),
                (Selector::new(getProposalStateCall::SELECTOR), state),
                (Selector::new(proposeCall::SELECTOR), propose),
                (Selector::new(giveBackCall::SELECTOR), Conduct::Calls(vec![own(back)])),
                (
                    Selector::new(upgradeCall::SELECTOR),
                    Conduct::Calls(vec![Action { target: at.registry, data: upgrade }]),
                ),
            ],
            otherwise: Conduct::Calls(vec![own(OwnershipCall::AcceptOwnership)]),
        }
    }

    /// The offer of ownership to the taker, if there is a taker.
    pub(super) fn offer(&self) -> Option<(Address, OwnershipCall)> {
        let Taker { address, takes } = self.taker?;
        Some((takes, OwnershipCall::TransferOwnership { new_owner: address }))
    }

    /// The list whose only action is that offer.
    pub(super) fn handover_to_taker(&self) -> Option<Vec<Action>> {
        let (target, call) = self.offer()?;
        Some(vec![Action { target, data: call.abi_encode() }])
    }

    /// Makes the taker accept the offered ownership, and return it after a while. Until then, winners
    /// are pushed to it.
    pub(super) fn take_or_give_back(
        &mut self,
        set: &SetState,
        now: Timestamp,
        foreign: &Foreign,
    ) -> Option<Step> {
        let Taker { address, takes } = self.taker?;
        let governance = set.addresses().governance;
        let ownership = set.ownership(takes);
        let caller = self.anybody();
        let transaction = |data| Some(Step::Transaction { caller, target: address, data });
        if ownership.pending_owner() == address {
            return transaction(Bytes::new());
        }
        if ownership.owner() != address {
            return None;
        }
        if ownership.pending_owner() == governance {
            let accept = GovernanceCall::AcceptOwnership { target: takes };
            return Some(call(caller, governance, accept));
        }
        match self.rng.below(150) {
            0 => transaction(giveBackCall::SELECTOR.into()),
            1 => transaction(upgradeCall::SELECTOR.into()),
            2..30 => self.push(set, now, foreign),
            _ => None,
        }
    }
}
