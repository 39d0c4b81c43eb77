//! Answers of Proposals contracts.

use super::Walk;
use crate::Proposals as Sol;
use alloy_primitives::{Address, B256, U256};
use canon_protocol::{LIFETIME_IN_ROUNDS, Proposals, Pushed, Refusal, Round, Slot};
use std::collections::BTreeSet;

impl Walk<'_> {
    pub(super) fn proposals(&mut self, at: Address, proposals: &Proposals) {
        let rules = proposals.rules();
        let registry = proposals.registry();
        let owner = self.set.ownership(registry).owner();
        self.same(at, Sol::NCall {}, U256::from(rules.n()));
        self.same(at, Sol::MCall {}, U256::from(rules.m()));
        self.same(at, Sol::LIFETIME_IN_ROUNDSCall {}, U256::from(LIFETIME_IN_ROUNDS));
        self.same(at, Sol::REGISTRYCall {}, registry);
        self.same(at, Sol::getGovernanceCall {}, owner);
        let slot = Slot::of(self.now.get());
        let round = rules.round_of(slot).to_word();
        self.same(at, Sol::computeRoundCall { slot: slot.to_word() }, round);
        self.status(at);

        let instances = proposals.instances();
        let listed = self.set.registry().snapshots().iter().map(|snapshot| snapshot.rollup);
        let instances: BTreeSet<_> = instances.chain(listed).collect();
        let mut payloads = BTreeSet::from([Address::ZERO]);
        for instance in instances {
            let newest = proposals.newest_slot(instance);
            self.same(
                at,
                Sol::newestSlotCall { instance },
                Sol::newestSlotReturn {
                    exists: newest.is_some(),
                    slot: newest.unwrap_or_default().to_word(),
                },
            );
            self.rounds(at, proposals, instance, &mut payloads);
        }
        // If another contract owns the Registry, proposals are looked up in that contract.
        if owner != self.set.addresses().governance {
            return;
        }
        for payload in payloads {
            let id = proposals.latest_proposal_of(payload);
            self.same(
                at,
                Sol::latestProposalOfCall { payload },
                Sol::latestProposalOfReturn {
                    exists: id.is_some(),
                    proposalId: id.map_or(U256::ZERO, |id| id.to_word()),
                },
            );
        }
    }

    /// The answers about the current slot. They are left out if a lying rollup reports a slot above
    /// 64 bits: the rules don't represent such a slot, and nobody can signal in it.
    fn status(&mut self, at: Address) {
        let status = self.set.signaling(at, self.now, self.external);
        if status.as_ref().is_ok_and(|status| status.slot == Slot::MAX) {
            return;
        }
        let round = status.clone().map(|status| status.round.to_word());
        self.ask(at, Sol::getCurrentRoundCall {}, round);
        let status = status.map(|status| Sol::currentStatusReturn {
            slot: status.slot.to_word(),
            round: status.round.to_word(),
            leader: status.leader.map_or(Address::ZERO, |leader| leader.payload),
            count: status.leader.map_or(U256::ZERO, |leader| U256::from(leader.count)),
            firstFreeSlot: status.first_free_slot.to_word(),
        });
        let present = status.as_ref().map_or(U256::ZERO, |status| status.round);
        self.ask(at, Sol::currentStatusCall {}, status);
        self.winners(at, Round::try_from(present).unwrap_or_default());
        let pushable = self.set.pushable_rounds(at, self.now, self.external);
        if matches!(pushable, Err(Refusal::OutsideTheSet(_))) {
            return;
        }
        let pushable =
            pushable.map(|rounds| rounds.iter().map(|pushable| pushable.round.to_word()).collect());
        self.ask(at, Sol::pushableRoundsCall {}, pushable)
    }

    /// The winners of the rounds that may be pushed in round `present`, and of one round before and
    /// after them.
    fn winners(&mut self, at: Address, present: Round) {
        let first = present.get().saturating_sub(LIFETIME_IN_ROUNDS + 1);
        for round in (first..=present.get()).map(Round::of) {
            let winner = self.set.winner(at, round, self.now, self.external);
            if matches!(winner, Err(Refusal::OutsideTheSet(_))) {
                continue;
            }
            let payload = winner.map(|leader| leader.payload);
            self.ask(at, Sol::winnerOfCall { round: round.to_word() }, payload);
        }
    }

    fn rounds(
        &mut self,
        at: Address,
        proposals: &Proposals,
        instance: Address,
        payloads: &mut BTreeSet<Address>,
    ) {
        for (round, tally) in proposals.rounds(instance) {
            let round = round.to_word();
            self.same(
                at,
                Sol::roundsCall { instance, round },
                Sol::roundsReturn {
                    lastVote: tally.last_slot.unwrap_or_default().to_word(),
                    leader: tally.leader.map_or(Address::ZERO, |leader| leader.payload),
                    executed: tally.pushed.is_some(),
                },
            );
            let proposal = match tally.pushed {
                None => Some((false, U256::ZERO)),
                Some(Pushed::Proposal(id)) => Some((true, id.to_word())),
                Some(Pushed::Elsewhere(_)) => None,
            };
            if let Some((exists, proposal_id)) = proposal {
                self.same(
                    at,
                    Sol::proposalOfCall { instance, round },
                    Sol::proposalOfReturn { exists, proposalId: proposal_id },
                );
            }
            let nobody = (Address::ZERO, (0, B256::ZERO));
            let pins = tally.payloads.iter().map(|(payload, pin)| {
                payloads.insert(*payload);
                (*payload, (pin.count, pin.code_hash))
            });
            for (payload, (count, code_hash)) in pins.chain([nobody]).collect::<Vec<_>>() {
                let call = Sol::yeaCountCall { instance, round, payload };
                self.same(at, call, U256::from(count));
                let call = Sol::pinnedCodeHashCall { instance, round, payload };
                self.same(at, call, code_hash);
            }
        }
    }
}
