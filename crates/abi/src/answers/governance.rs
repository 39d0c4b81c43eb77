//! Governance.

use super::{ExpectedAnswer, Walk, number};
use crate::Governance;
use alloy_primitives::{Address, U256};
use canon_protocol::{
    Amount, Configuration, Ending, GovernanceRefusal, Origin, Payment, Refusal, Timestamp,
};
use std::collections::BTreeSet;

impl<E, F: FnMut(ExpectedAnswer) -> Result<(), E>> Walk<'_, F> {
    pub(super) fn governance(&mut self) -> Result<(), E> {
        let (set, at) = (self.set, self.set.addresses().governance);
        let governance = set.governance();
        self.same(at, Governance::ASSETCall {}, set.addresses().asset)?;
        let proposer = governance.governance_proposer();
        self.same(at, Governance::governanceProposerCall {}, proposer)?;
        self.configurations(at)?;
        let floor = governance.exit_floor();
        self.same(
            at,
            Governance::exitFloorCall {},
            Governance::exitFloorReturn {
                delay: floor.delay.to_word(),
                until: floor.until.to_word(),
            },
        )?;
        self.powers(at)?;
        self.proposals_of(at)?;
        self.withdrawals(at)
    }

    fn configurations(&mut self, at: Address) -> Result<(), E> {
        let governance = self.set.governance();
        let sol = |configuration: Configuration| Governance::Configuration::from(configuration);
        self.same(at, Governance::getConfigurationCall {}, sol(governance.configuration()))?;
        let count = governance.configurations().len();
        self.same(at, Governance::numberOfConfigurationsCall {}, number(count))?;
        for id in 0..=count {
            let id = number(id);
            let configuration = governance.configuration_at(id).map(sol).map_err(Refusal::from);
            self.ask(at, Governance::configurationAtCall { id }, configuration)?;
        }
        Ok(())
    }

    /// Power at every time that matters, and just after it.
    fn powers(&mut self, at: Address) -> Result<(), E> {
        let (governance, now) = (self.set.governance(), self.now);
        let snapshots = governance.proposals().iter().rev().take(8);
        let snapshots = snapshots.map(|proposal| proposal.deadlines().pending);
        let after = |time: Timestamp| Timestamp::new(time.get() + 1);
        let times: BTreeSet<Timestamp> = snapshots
            .flat_map(|time| [Some(time), after(time)])
            .chain([Some(Timestamp::ZERO), Some(now), after(now)])
            .flatten()
            .collect();
        let word = |power: Result<Amount, GovernanceRefusal>| {
            power.map(Amount::to_word).map_err(Refusal::from)
        };
        let accounts = self.accounts();
        for time in times {
            let timestamp = time.to_word();
            let total = word(governance.total_power_at(time, now));
            self.ask(at, Governance::totalPowerAtCall { timestamp }, total)?;
            for owner in &accounts {
                let power = word(governance.power_at(*owner, time, now));
                self.ask(at, Governance::powerAtCall { owner: *owner, timestamp }, power)?;
            }
        }
        Ok(())
    }

    fn proposals_of(&mut self, at: Address) -> Result<(), E> {
        let (governance, now) = (self.set.governance(), self.now);
        let count = governance.proposals().len();
        self.same(at, Governance::proposalCountCall {}, number(count))?;
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
            self.ask(at, Governance::getProposalCall { id }, stored)?;
            let state = found.clone().map(|proposal| governance.state(proposal, now) as u8);
            self.ask(at, Governance::getProposalStateCall { id }, state)?;
            let hash = found.clone().map(|proposal| proposal.actions_hash());
            self.ask(at, Governance::actionsHashCall { id }, hash)?;
            let until = found.clone().map(|proposal| proposal.deadlines().objections_until);
            let until = until.map(Timestamp::to_word);
            self.ask(at, Governance::objectionsUntilCall { id }, until)?;
            for user in &accounts {
                let ballot = found.as_ref().map(|proposal| proposal.ballot(*user));
                let ballot = ballot.unwrap_or_default();
                self.same(
                    at,
                    Governance::ballotsCall { id, user: *user },
                    Governance::ballotsReturn {
                        yea: ballot.yea.to_word(),
                        nea: ballot.nea.to_word(),
                    },
                )?;
                let nonce = governance.ballot_nonce(id, *user).to_word();
                self.same(at, Governance::ballotNonceCall { id, holder: *user }, nonce)?;
            }
        }
        Ok(())
    }

    fn withdrawals(&mut self, at: Address) -> Result<(), E> {
        let governance = self.set.governance();
        let count = governance.withdrawals().len();
        self.same(at, Governance::withdrawalCountCall {}, number(count))?;
        for id in 0..=count {
            let id: U256 = number(id);
            let found = governance.withdrawal(id).map_err(Refusal::from);
            let stored = found.map(|(_, withdrawal)| Governance::Withdrawal {
                amount: withdrawal.amount.to_word(),
                unlocksAt: withdrawal.unlocks_at.to_word(),
                recipient: withdrawal.recipient,
                claimed: withdrawal.payment == Payment::Claimed,
            });
            self.ask(at, Governance::getWithdrawalCall { id }, stored)?;
        }
        Ok(())
    }
}
