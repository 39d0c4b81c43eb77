//! Won rounds of all rollups and Proposals contracts that a set ever had.

use super::{Leader, PushWindow};
use crate::{
    set_state::SetState,
    units::{Round, Timestamp},
};
use alloy_primitives::Address;

/// A round that a payload won.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WonRound {
    /// The round.
    pub round: Round,
    /// The rollup whose slots it consists of.
    pub instance: Address,
    /// The Proposals contract that counted its signals.
    pub proposals: Address,
}

impl SetState {
    /// The first round that `payload` won, whether or not it was pushed.
    pub fn round_won_by(&self, payload: Address) -> Option<WonRound> {
        self.all_proposals().find_map(|(proposals, counted)| {
            counted.instances().find_map(|instance| {
                let is_won = |leader: Leader| {
                    leader.payload == payload && counted.rules().is_won(leader.count)
                };
                let mut rounds = counted.rounds(instance);
                let won = rounds.find(|(_, tally)| tally.leader.is_some_and(is_won));
                won.map(|(round, _)| WonRound { round, instance, proposals })
            })
        })
    }

    /// The push window at `now` of a won round. Rounds of a replaced rollup or Proposals contract are
    /// [expired](PushWindow::Expired).
    ///
    /// Returns `None` if the rollup or the Proposals contract isn't part of the set, or if `now` is before
    /// genesis.
    pub fn push_window(&self, won: &WonRound, now: Timestamp) -> Option<PushWindow> {
        let (clock, counted) = (self.rollup(won.instance)?.clock(), self.proposals(won.proposals)?);
        let slot = clock.slot_at(now)?.max(counted.newest_slot(won.instance).unwrap_or_default());
        let is_replaced = self.registry().rollup() != won.instance
            || self.governance().governance_proposer() != won.proposals;
        if is_replaced {
            return Some(PushWindow::Expired);
        }
        let rules = counted.rules();
        Some(rules.push_window(won.round, rules.round_of(slot)))
    }
}
