//! Answers of Governance.

use super::{Voters, Walk, number};
use crate::Governance;
use alloy_primitives::{Address, U256};
use canon_protocol::{
    Amount, Configuration, Ending, GovernanceRefusal, Origin, Payment, Proposal, Refusal, Timestamp,
};
use std::collections::BTreeSet;

impl Walk<'_> {
    pub(super) fn governance(&mut self) {
        let (set, at) = (self.set, self.set.addresses().governance);
        let governance = set.governance();
        self.same(at, Governance::ASSETCall {}, set.addresses().asset);
        let proposer = governance.governance_proposer();
        self.same(at, Governance::governanceProposerCall {}, proposer);
        self.configurations(at);
        let floor = governance.exit_floor();
        self.same(
            at,
            Governance::exitFloorCall {},
            Governance::exitFloorReturn {
                delay: floor.delay.to_word(),
                until: floor.until.to_word(),
            },
        );
        self.powers(at);
        self.proposals_of(at);
        self.withdrawals(at);
    }

    fn configurations(&mut self, at: Address) {
        let governance = self.set.governance();
        let sol = |configuration: Configuration| Governance::Configuration::from(configuration);
        self.same(at, Governance::getConfigurationCall {}, sol(governance.configuration()));
        let count = governance.configurations().len();
        self.same(at, Governance::numberOfConfigurationsCall {}, number(count));
        for id in 0..=count {
            let id = number(id);
            let configuration = governance.configuration_at(id).map(sol).map_err(Refusal::from);
            self.ask(at, Governance::configurationAtCall { id }, configuration);
        }
    }

    /// Power now, and at and just after snapshots.
    fn powers(&mut self, at: Address) {
        let (governance, now) = (self.set.governance(), self.now);
        let after = |time: Timestamp| Timestamp::new(time.get() + 1);
        let accounts = self.accounts();
        self.powers_at(at, now, &accounts);
        // The extremes: the time before anybody had power, and a time that isn't over yet.
        let sample = match self.voters {
            Voters::Known => &BTreeSet::from([Address::ZERO]),
            Voters::Everyone => &accounts,
        };
        for time in [Some(Timestamp::ZERO), after(now)].into_iter().flatten() {
            self.powers_at(at, time, sample);
        }
        let proposals = governance.proposals().iter().rev();
        match self.voters {
            Voters::Known => {
                for proposal in proposals {
                    let voters = proposal.ballots().map(|(voter, _)| voter).collect();
                    self.powers_at(at, proposal.deadlines().pending, &voters);
                }
            }
            Voters::Everyone => {
                let snapshots = proposals.take(8).map(|proposal| proposal.deadlines().pending);
                let times = snapshots.flat_map(|time| [Some(time), after(time)]).flatten();
                for time in times.collect::<BTreeSet<_>>() {
                    self.powers_at(at, time, &accounts);
                }
            }
        }
    }

    /// The total power at a time, and the power of some accounts.
    fn powers_at(&mut self, at: Address, time: Timestamp, accounts: &BTreeSet<Address>) {
        let (governance, now) = (self.set.governance(), self.now);
        let word = |power: Result<Amount, GovernanceRefusal>| {
            power.map(Amount::to_word).map_err(Refusal::from)
        };
        let timestamp = time.to_word();
        let total = word(governance.total_power_at(time, now));
        self.ask(at, Governance::totalPowerAtCall { timestamp }, total);
        for owner in accounts {
            let power = word(governance.power_at(*owner, time, now));
            self.ask(at, Governance::powerAtCall { owner: *owner, timestamp }, power);
        }
    }

    fn proposals_of(&mut self, at: Address) {
        let (governance, now) = (self.set.governance(), self.now);
        let count = governance.proposals().len();
        self.same(at, Governance::proposalCountCall {}, number(count));
        let accounts = self.accounts();
        for id in 0..=count {
            let id = number(id);
            let found = governance.proposal(id).map_err(Refusal::from);
            let found = found.map(|(_, proposal)| proposal);
            let stored = found.clone().map(|proposal| Governance::Proposal {
                config: (*proposal.configuration()).into(),
                state: match proposal.ending() {
                    Ending::Open => 0,
                    Ending::Executed => 5,
                    Ending::Dropped => 6,
                },
                payload: proposal.payload(),
                governanceProposer: match proposal.origin() {
                    Origin::Lock => at,
                    Origin::Pushed { by, .. } => by,
                },
                creation: proposal.creation().to_word(),
                summedBallot: Governance::Ballot {
                    yea: proposal.tally().yea.to_word(),
                    nea: proposal.tally().nea.to_word(),
                },
            });
            self.ask(at, Governance::getProposalCall { id }, stored);
            let state = found.clone().map(|proposal| governance.state(proposal, now) as u8);
            self.ask(at, Governance::getProposalStateCall { id }, state);
            let hash = found.clone().map(|proposal| proposal.actions_hash());
            self.ask(at, Governance::actionsHashCall { id }, hash);
            let until = found.clone().map(|proposal| proposal.deadlines().objections_until);
            let until = until.map(Timestamp::to_word);
            self.ask(at, Governance::objectionsUntilCall { id }, until);
            for user in self.voters_on(found.as_ref().ok().copied(), &accounts) {
                let ballot = found.as_ref().map(|proposal| proposal.ballot(user));
                let ballot = ballot.unwrap_or_default();
                self.same(
                    at,
                    Governance::ballotsCall { id, user },
                    Governance::ballotsReturn {
                        yea: ballot.yea.to_word(),
                        nea: ballot.nea.to_word(),
                    },
                );
                let nonce = governance.ballot_nonce(id, user).to_word();
                self.same(at, Governance::ballotNonceCall { id, holder: user }, nonce);
            }
        }
    }

    /// The accounts that are asked for their ballots on a proposal, out of all `accounts`.
    fn voters_on(
        &self,
        proposal: Option<&Proposal>,
        accounts: &BTreeSet<Address>,
    ) -> BTreeSet<Address> {
        if self.voters == Voters::Everyone {
            return accounts.clone();
        }
        let ballots = proposal.into_iter().flat_map(|proposal| proposal.ballots());
        let nonces = proposal.into_iter().flat_map(|proposal| proposal.ballot_nonces());
        let known = ballots.map(|(voter, _)| voter).chain(nonces.map(|(voter, _)| voter));
        let mut voters: BTreeSet<_> = known.collect();
        let silent = accounts.iter().rev().find(|account| !voters.contains(*account)).copied();
        voters.extend(silent);
        voters
    }

    fn withdrawals(&mut self, at: Address) {
        let governance = self.set.governance();
        let count = governance.withdrawals().len();
        self.same(at, Governance::withdrawalCountCall {}, number(count));
        for id in 0..=count {
            let id: U256 = number(id);
            let found = governance.withdrawal(id).map_err(Refusal::from);
            let stored = found.map(|(_, withdrawal)| Governance::Withdrawal {
                amount: withdrawal.amount.to_word(),
                unlocksAt: withdrawal.unlocks_at.to_word(),
                recipient: withdrawal.recipient,
                claimed: withdrawal.payment == Payment::Claimed,
            });
            self.ask(at, Governance::getWithdrawalCall { id }, stored);
        }
    }
}
