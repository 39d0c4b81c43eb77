//! What both systems are put through: the same calls, in the same order, with the same amounts.

use alloy::{
    primitives::{Address, U256},
    signers::{SignerSync, local::PrivateKeySigner},
    sol,
    sol_types::{SolStruct, eip712_domain},
};
use canon_bindings::{Asset, Governance, Proposals, Registry, Rollup};
use eyre::{Result, ensure, eyre};

use super::{
    chain::{Chain, Sent},
    samples::{Call, Samples},
    set::{EPOCH, M, N, SLOT, Set, Upgrade, tokens},
};

sol! {
    struct Signal {
        address payload;
        uint256 slot;
        address instance;
    }
}

/// Epochs without a change of the set before anything is measured.
const QUIET_EPOCHS: u64 = 5;
/// Seconds between the beginning of a slot and its signal.
const SIGNAL: u64 = 12;
/// Seconds between the beginning of an epoch and `setupEpoch`: after the signal of its first slot,
/// as when the set-up comes with that slot's block.
const SET_UP: u64 = 20;
/// What the measured deposits, ballots and withdrawals are of, in tokens.
const AMOUNT: u64 = 100;
/// What holders who were there before have and what decides a ballot, in tokens.
const MUCH: u64 = 5_000;

/// A system under measurement.
pub(super) struct Scenario<'a> {
    chain: &'a Chain,
    set: &'a Set,
    /// Pushes, executes and submits others' signatures.
    keeper: PrivateKeySigner,
    /// Holders since the beginning.
    old_holders: [PrivateKeySigner; 2],
    /// The newest epoch for which `setupEpoch` was called.
    epoch: u64,
    samples: Samples,
}

/// Makes all calls that are measured.
pub(super) fn run(chain: &Chain, set: &Set) -> Result<Samples> {
    let holder = |label: &str| chain.account(&format!("{} holder {label}", set.name));
    let mut scenario = Scenario {
        chain,
        set,
        keeper: holder("keeper")?,
        old_holders: [holder("0")?, holder("1")?],
        epoch: (chain.now() - set.genesis) / SLOT / EPOCH,
        samples: Samples::default(),
    };
    scenario.begin()?;
    scenario.lock_and_leave()?;
    let (replacing, upgrading) = scenario.signal_and_push()?;
    scenario.decide(&replacing, &upgrading)?;
    Ok(scenario.samples)
}

impl Scenario<'_> {
    /* time */

    /// Makes the next block's timestamp `timestamp`, after `setupEpoch` in the epochs until then.
    fn at(&mut self, timestamp: u64) -> Result<()> {
        loop {
            let set_up = self.set.genesis + (self.epoch + 1) * EPOCH * SLOT + SET_UP;
            if set_up > timestamp {
                return self.chain.at(timestamp);
            }
            // Late if transactions in a row have passed the moment.
            self.chain.at(set_up.max(self.chain.now() + 1))?;
            self.chain.send(&self.keeper, self.set.rollup, &Rollup::setupEpochCall {})?;
            self.epoch += 1;
        }
    }

    /// The first round that hasn't begun.
    fn next_round(&self) -> u64 {
        (self.chain.now() - self.set.genesis) / SLOT / M + 1
    }

    /// Goes to the middle of a slot. Returns who signals there.
    fn enter(&mut self, slot: u64) -> Result<&PrivateKeySigner> {
        self.at(self.set.genesis + slot * SLOT + SIGNAL)?;
        let proposer = self.chain.ask(self.set.rollup, &Rollup::getCurrentProposerCall {})?;
        let key = self.set.proposers.get(&proposer);
        key.ok_or_else(|| eyre!("slot {slot} is proposed by {proposer}, who is no staker"))
    }

    /* the first ever */

    /// Holders, a withdrawal, a round and a proposal.
    fn begin(&mut self) -> Result<()> {
        self.at(self.chain.now() + QUIET_EPOCHS * EPOCH * SLOT)?;
        for holder in self.old_holders.clone() {
            self.fund(&holder)?;
            let sent = self.deposit(&holder, tokens(2 * MUCH))?;
            if self.samples.get(Call::DepositEver).is_none() {
                self.samples.add(Call::DepositEver, &sent);
            }
        }
        let [holder, _] = self.old_holders.clone();
        let sent = self.withdraw(&holder)?;
        self.samples.add(Call::WithdrawEver, &sent);
        let round = self.next_round();
        self.round(round, self.set.payloads.earlier, false)?;
        // Nobody signals in the next round before the push: this one is pushed unarchived.
        self.at(self.set.genesis + (round + 1) * M * SLOT)?;
        let (_, sent) = self.push(round, self.set.payloads.earlier)?;
        self.samples.add(Call::PushEver, &sent);
        Ok(())
    }

    /// Gives a holder tokens and Governance an allowance that never runs out nor is without limit.
    fn fund(&self, holder: &PrivateKeySigner) -> Result<()> {
        let (to, amount) = (holder.address(), tokens(10 * MUCH));
        let asset = self.set.asset;
        self.chain.send(&self.set.treasury, asset, &Asset::transferCall { to, amount })?;
        let approval = Asset::approveCall { spender: self.set.governance, amount };
        self.chain.send(holder, asset, &approval)?;
        Ok(())
    }

    /* holders */

    /// Deposits and withdrawals. The order of two holders' is such that every history of power is
    /// met with an even and an odd number of checkpoints, in all combinations.
    fn lock_and_leave(&mut self) -> Result<()> {
        let mut holders = Vec::new();
        for number in 2..6 {
            let holder = self.chain.account(&format!("{} holder {number}", self.set.name))?;
            self.fund(&holder)?;
            let sent = self.deposit(&holder, tokens(AMOUNT))?;
            self.samples.add(Call::DepositFirst, &sent);
            holders.push(holder);
        }
        let [one, other] = [&holders[0], &holders[1]];
        for _ in 0..4 {
            let mut four = 0;
            for _ in 0..4 {
                let sent = self.deposit(one, tokens(AMOUNT))?;
                self.samples.add(Call::DepositLater, &sent);
                four += sent.gas();
            }
            let sent = self.deposit(other, tokens(AMOUNT))?;
            self.samples.add(Call::DepositLater, &sent);
            self.samples.add_gas(Call::DepositMean, four.div_ceil(4), sent.input());
        }
        for _ in 0..4 {
            for holder in [one, one, other] {
                let sent = self.withdraw(holder)?;
                self.samples.add(Call::Withdraw, &sent);
            }
        }
        Ok(())
    }

    fn deposit(&self, holder: &PrivateKeySigner, amount: U256) -> Result<Sent> {
        let (governance, on_behalf_of) = (self.set.governance, holder.address());
        let deposit = Governance::depositCall { onBehalfOf: on_behalf_of, amount };
        let sent = self.chain.send(holder, governance, &deposit)?;
        let event =
            Governance::Deposit { depositor: on_behalf_of, onBehalfOf: on_behalf_of, amount };
        sent.emitted(governance, &event)
    }

    fn withdraw(&self, holder: &PrivateKeySigner) -> Result<Sent> {
        let (governance, amount) = (self.set.governance, tokens(AMOUNT));
        let recipient = self.set.treasury.address();
        let id = self.chain.ask(governance, &Governance::withdrawalCountCall {})?;
        let withdraw = Governance::initiateWithdrawCall { to: recipient, amount };
        self.chain.send(holder, governance, &withdraw)?.emitted(
            governance,
            &Governance::WithdrawInitiated { withdrawalId: id, recipient, amount },
        )
    }

    /* signals and pushes */

    /// Measures rounds and pushes of all payloads. Returns the ids of those that replace Proposals
    /// and of those that upgrade.
    fn signal_and_push(&mut self) -> Result<(Vec<U256>, Vec<U256>)> {
        let payloads = &self.set.payloads;
        let replacing = payloads.replacing.map(|(payload, _)| payload);
        let upgrading = payloads.upgrading.map_or(Vec::new(), |(payloads, _)| payloads.to_vec());
        // So that some signals are an epoch's first act, one of them also the first of its round.
        let mut first = self.next_round();
        while !(first * M).is_multiple_of(EPOCH) {
            first += 1;
        }
        let won: Vec<_> = (first..).zip(replacing.iter().chain(&upgrading).copied()).collect();
        for (round, payload) in &won {
            self.round(*round, *payload, true)?;
        }
        // Signals of a later round make sure that all rounds that are pushed are archived.
        let round = self.next_round();
        if self.set.signed {
            self.signed_round(round, payloads.earlier)?;
        } else {
            self.round(round, payloads.earlier, false)?;
        }
        let mut ids = Vec::new();
        for (round, payload) in won {
            let call = match upgrading.contains(&payload) {
                false => Call::PushReplacing,
                true => Call::PushUpgrading,
            };
            let (id, sent) = self.push(round, payload)?;
            self.samples.add(call, &sent);
            ids.push(id);
        }
        let upgrading = ids.split_off(replacing.len());
        Ok((ids, upgrading))
    }

    /// A signal in every slot of a round.
    fn round(&mut self, round: u64, payload: Address, measured: bool) -> Result<()> {
        for count in 1..=M {
            let slot = round * M + count - 1;
            let key = self.enter(slot)?.clone();
            let vote = Proposals::voteCall { payload };
            let sent = self.chain.send(&key, self.set.proposals, &vote)?;
            let sent = self.counted(sent, payload, round, key.address())?;
            match (measured, count) {
                // The signal that wins the round has an event more.
                (false, _) | (_, N) => {}
                (_, 1) => self.samples.add(Call::SignalFirst, &sent),
                _ => self.samples.add(Call::SignalLater, &sent),
            }
        }
        Ok(())
    }

    /// The same with signatures that the keeper submits.
    fn signed_round(&mut self, round: u64, payload: Address) -> Result<()> {
        let (proposals, instance) = (self.set.proposals, self.set.rollup);
        let domain = eip712_domain! {
            name: "Proposals",
            version: "1",
            chain_id: self.chain.id(),
            verifying_contract: proposals,
        };
        for count in 1..=M {
            let slot = round * M + count - 1;
            let key = self.enter(slot)?.clone();
            let signal = Signal { payload, slot: U256::from(slot), instance };
            let signature = key.sign_hash_sync(&signal.eip712_signing_hash(&domain))?;
            let signature = signature.as_bytes().into();
            let vote = Proposals::voteWithSigCall { payload, signature };
            let sent = self.chain.send(&self.keeper, proposals, &vote)?;
            let sent = self.counted(sent, payload, round, key.address())?;
            match count {
                N => {}
                1 => self.samples.add(Call::SignedFirst, &sent),
                _ => self.samples.add(Call::SignedLater, &sent),
            }
        }
        Ok(())
    }

    fn counted(&self, sent: Sent, payload: Address, round: u64, voter: Address) -> Result<Sent> {
        let event = Proposals::VoteCast { payload, round: U256::from(round), voter };
        sent.emitted(self.set.proposals, &event)
    }

    fn push(&self, round: u64, payload: Address) -> Result<(U256, Sent)> {
        let (proposals, governance) = (self.set.proposals, self.set.governance);
        let id = self.chain.ask(governance, &Governance::proposalCountCall {})?;
        let round = U256::from(round);
        let sent = self
            .chain
            .send(&self.keeper, proposals, &Proposals::pushProposalCall { round })?
            .emitted(proposals, &Proposals::ProposalPushed { payload, round })?
            .emitted(governance, &Governance::Proposed { proposalId: id, proposal: payload })?;
        Ok((id, sent))
    }

    /* ballots and executions */

    /// Of each kind of proposal the first is contested and the second accepted unanimously. Each
    /// is then executed in the same state, in which no power changed since its snapshot.
    fn decide(&mut self, replacing: &[U256], upgrading: &[U256]) -> Result<()> {
        let c = &self.set.configuration;
        let wait = |delay: U256| delay.to::<u64>() + SLOT;
        let (pending, active) = (wait(c.votingDelay), wait(c.votingDuration));
        let queued = wait(c.executionDelay);

        self.at(self.chain.now() + pending)?;
        let [one, other] = self.old_holders.clone();
        for ids in [replacing, upgrading] {
            let [contested, unanimous] = ids else { continue };
            for (voter, id, yea) in [(&one, contested, false), (&other, unanimous, true)] {
                for number in 0..3 {
                    let sent = self.ballot(voter, *id, tokens(AMOUNT), yea)?;
                    let call = if number == 0 { Call::BallotFirst } else { Call::BallotLater };
                    self.samples.add(call, &sent);
                }
            }
            self.ballot(&other, *contested, tokens(MUCH), true)?;
            self.ballot(&one, *unanimous, tokens(MUCH), true)?;
        }

        self.at(self.chain.now() + active + queued)?;
        for (id, (_, appointed)) in replacing.iter().zip(self.set.payloads.replacing) {
            let snapshot = self.chain.snapshot();
            let event = Governance::GovernanceProposerUpdated { governanceProposer: appointed };
            let sent = self.execute(*id)?.emitted(self.set.governance, &event)?;
            self.samples.add(Call::ExecuteReplacing, &sent);
            self.chain.revert(snapshot)?;
        }
        let Some((_, Upgrade { registry, new_rollup })) = self.set.payloads.upgrading else {
            return Ok(());
        };
        for id in upgrading {
            let snapshot = self.chain.snapshot();
            let event = Registry::InstanceAdded { instance: new_rollup, version: U256::from(2) };
            let sent = self.execute(*id)?.emitted(registry, &event)?;
            self.samples.add(Call::ExecuteUpgrading, &sent);
            self.chain.revert(snapshot)?;
        }
        Ok(())
    }

    fn ballot(&self, voter: &PrivateKeySigner, id: U256, amount: U256, yea: bool) -> Result<Sent> {
        let governance = self.set.governance;
        let event =
            Governance::VoteCast { proposalId: id, voter: voter.address(), support: yea, amount };
        self.chain
            .send(voter, governance, &Governance::voteCall { id, amount, support: yea })?
            .emitted(governance, &event)
    }

    fn execute(&self, id: U256) -> Result<Sent> {
        let governance = self.set.governance;
        let sent = self.chain.send(&self.keeper, governance, &Governance::executeCall { id })?;
        let sent = sent.emitted(governance, &Governance::ProposalExecuted { proposalId: id })?;
        let state = self.chain.ask(governance, &Governance::getProposalCall { id })?.state;
        ensure!(state == 5, "proposal {id} isn't stored as executed");
        Ok(sent)
    }
}
