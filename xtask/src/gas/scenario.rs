//! The scenario that both systems run: the same calls, in the same order, with the same amounts.

use alloy_primitives::{Address, U256};
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use canon_abi::{Asset, Governance, Proposals, Registry, Rollup};
use canon_protocol::Signal;
use eyre::{Result, ensure, eyre};

use super::{
    chain::{Chain, Sent},
    samples::{Call, Samples},
    set::{self, EPOCH, Effect, M, N, Payload, PayloadKind, SLOT, Set, Staker, tokens},
};

/// The number of epochs without a change of the set before measurements.
const QUIET_EPOCHS: u64 = 5;
/// Seconds from the beginning of a slot to its signal.
const SIGNAL: u64 = 12;
/// Seconds from the beginning of an epoch to `setupEpoch`. It is in the second slot, in which the
/// seed can first be recorded, and before that slot's signal.
const SET_UP: u64 = SLOT + 4;
/// The amount of measured deposits, ballots and withdrawals, in tokens.
const AMOUNT: u64 = 100;
/// Half of the deposit of each earlier holder, and the amount of deciding ballots, in tokens.
const MUCH: u64 = 5_000;
/// Holders whose power changes often: the measured call, and the numbers of changes before and
/// since the snapshot.
const CHANGEABLE: [(Call, u64, u64); 3] = [
    (Call::BallotAfterChange100, 99, 1),
    (Call::BallotAfterChange10000, 9_999, 1),
    (Call::BallotAfterChanges, 8_000, 2_000),
];

/// A system while it is measured.
pub(super) struct Scenario<'a> {
    chain: &'a Chain,
    set: &'a Set,
    /// The account that pushes, executes and submits the signatures of others.
    keeper: PrivateKeySigner,
    /// The holders from the beginning of the scenario.
    old_holders: [PrivateKeySigner; 2],
    /// The holders of [`CHANGEABLE`].
    changeable: Vec<PrivateKeySigner>,
    /// The newest epoch for which `setupEpoch` was called.
    epoch: u64,
    samples: Samples,
}

/// Makes all measured calls.
pub(super) fn run(chain: &Chain, set: &Set) -> Result<Samples> {
    let holder = |label: &str| chain.account(&format!("{} holder {label}", set.name));
    let mut scenario = Scenario {
        chain,
        set,
        keeper: holder("keeper")?,
        old_holders: [holder("0")?, holder("1")?],
        changeable: Vec::new(),
        epoch: (chain.now() - set.genesis) / SLOT / EPOCH,
        samples: Samples::default(),
    };
    scenario.begin()?;
    scenario.lock_and_leave()?;
    scenario.stake()?;
    if set.is_ours {
        scenario.signal_with_signatures()?;
        scenario.signal_in_a_changed_seat()?;
    }
    scenario.change_the_leader()?;
    for (kind, payloads) in &set.payloads {
        let ids = scenario.signal_and_push(*kind, payloads)?;
        scenario.vote(ids)?;
        scenario.execute_all(*kind, payloads, ids)?;
    }
    scenario.vote_after_changes()?;
    Ok(scenario.samples)
}

impl Scenario<'_> {
    /* time */

    /// Sets the next block's timestamp to `timestamp`, after calling `setupEpoch` in the epochs
    /// until then.
    fn at(&mut self, timestamp: u64) -> Result<()> {
        loop {
            let set_up = self.set.genesis + (self.epoch + 1) * EPOCH * SLOT + SET_UP;
            if set_up > timestamp {
                return self.chain.at(timestamp);
            }
            // The call is later if earlier transactions have passed that second.
            self.chain.at(set_up.max(self.chain.now() + 1))?;
            self.chain.send(&self.keeper, self.set.rollup, &Rollup::setupEpochCall {})?;
            self.epoch += 1;
        }
    }

    /// The first round that hasn't begun yet.
    fn next_round(&self) -> u64 {
        (self.chain.now() - self.set.genesis) / SLOT / M + 1
    }

    /// Goes to the middle of a slot. Returns the key of its proposer.
    fn enter(&mut self, slot: u64) -> Result<&PrivateKeySigner> {
        self.at(self.middle_of(slot))?;
        let proposer = self.chain.ask(self.set.rollup, &Rollup::getCurrentProposerCall {})?;
        Ok(&self.staker(proposer)?.proposer)
    }

    const fn middle_of(&self, slot: u64) -> u64 {
        self.set.genesis + slot * SLOT + SIGNAL
    }

    fn staker(&self, proposer: Address) -> Result<&Staker> {
        let staker = self.set.stakers.get(&proposer);
        staker.ok_or_else(|| eyre!("{proposer} proposes a slot and is no staker"))
    }

    /* the first ever */

    /// Makes the first deposits, the first withdrawal, a round and its proposal.
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
        self.round(round, self.set.other_payload, false)?;
        // Without a signal in the next round before the push, the pushed round isn't archived yet.
        self.at(self.set.genesis + (round + 1) * M * SLOT)?;
        let (_, sent) = self.push(round, self.set.other_payload)?;
        self.samples.add(Call::PushEver, &sent);
        Ok(())
    }

    /// Gives a holder tokens, and Governance an allowance that is large enough but not unlimited.
    fn fund(&self, holder: &PrivateKeySigner) -> Result<()> {
        let (to, amount) = (holder.address(), tokens(10 * MUCH));
        let asset = self.set.asset;
        self.chain.send(&self.set.treasury, asset, &Asset::transferCall { to, amount })?;
        let approval = Asset::approveCall { spender: self.set.governance, amount };
        self.chain.send(holder, asset, &approval)?;
        Ok(())
    }

    /* holders */

    /// Measures deposits and withdrawals. Two holders alternate so that each history of power is
    /// written with an even and an odd number of checkpoints, in all combinations.
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

    /* stakers */

    /// Measures stakes of the treasury, each in a new seat.
    fn stake(&mut self) -> Result<()> {
        let (rollup, treasury) = (self.set.rollup, &self.set.treasury);
        let amount = self.chain.ask(rollup, &Rollup::MINIMUM_STAKECall {})?;
        let allowance = amount * U256::from(10);
        let approval = Asset::approveCall { spender: rollup, amount: allowance };
        self.chain.send(treasury, self.set.asset, &approval)?;
        // These stakers leave at once, so that none of them is in a set that is drawn later.
        for number in 0..3 {
            let staker = set::staker(self.chain, &format!("{} late {number}", self.set.name))?;
            let sent = set::deposit(self.chain, rollup, treasury, &staker, amount)?;
            self.samples.add(Call::Stake, &sent);
            self.leave(&staker)?;
        }
        Ok(())
    }

    fn leave(&self, staker: &Staker) -> Result<()> {
        let (attester, recipient) = (staker.attester, self.set.treasury.address());
        let leave = Rollup::initiateWithdrawCall { attester, recipient };
        self.chain.send(&staker.withdrawer, self.set.rollup, &leave)?;
        Ok(())
    }

    /* signals and pushes */

    /// The next round that begins together with an epoch, so that its first signal is also the first one of
    /// the epoch.
    fn round_of_an_epoch(&self) -> u64 {
        let mut round = self.next_round();
        while !(round * M).is_multiple_of(EPOCH) {
            round += 1;
        }
        round
    }

    /// Measures rounds and pushes of two payloads. Returns the ids of the proposals.
    fn signal_and_push(&mut self, kind: PayloadKind, payloads: &[Payload; 2]) -> Result<[U256; 2]> {
        let first = self.round_of_an_epoch();
        for (round, payload) in (first..).zip(payloads) {
            self.round(round, payload.address, true)?;
        }
        // Signals of a later round make sure that both rounds that are pushed are archived.
        self.round(first + 2, self.set.other_payload, false)?;
        let call = match kind {
            PayloadKind::Published => Some(Call::PushPublished),
            PayloadKind::Replacing => Some(Call::PushReplacing),
            PayloadKind::Upgrading => Some(Call::PushUpgrading),
            PayloadKind::ChangingOne | PayloadKind::ChangingAll => None,
        };
        let mut ids = [U256::ZERO; 2];
        for ((round, payload), id) in (first..).zip(payloads).zip(&mut ids) {
            let (pushed, sent) = self.push(round, payload.address)?;
            if let Some(call) = call {
                self.samples.add(call, &sent);
            }
            *id = pushed;
        }
        Ok(ids)
    }

    /// Measures signals by which a payload takes the lead from another one.
    fn change_the_leader(&mut self) -> Result<()> {
        let slot = self.next_round() * M;
        let [(_, [one, two]), ..] = &self.set.payloads[..] else { return Ok(()) };
        for (offset, payload, is_measured) in
            [(0, one, false), (1, two, false), (2, two, true), (3, one, false), (4, one, true)]
        {
            let key = self.enter(slot + offset)?.clone();
            let sent = self.signal(&key, slot + offset, payload.address)?;
            if is_measured {
                self.samples.add(Call::SignalLeaderChange, &sent);
            }
        }
        Ok(())
    }

    /// Measures signals of proposers whose seats changed hands since the set was closed.
    fn signal_in_a_changed_seat(&mut self) -> Result<()> {
        let payload = self.set.other_payload;
        let slot = self.round_of_an_epoch() * M;
        let key = self.enter(slot)?.clone();
        self.signal(&key, slot, payload)?;
        for offset in 1..4 {
            let timestamp = U256::from(self.middle_of(slot + offset));
            let proposer =
                self.chain.ask(self.set.rollup, &Rollup::getProposerAtCall { timestamp })?;
            // A staker that was drawn before has left already; the draw is the same.
            if self
                .chain
                .ask(
                    self.set.rollup,
                    &Rollup::getInfoCall { attester: self.staker(proposer)?.attester },
                )?
                .status
                == 1
            {
                self.leave(self.staker(proposer)?)?;
            }
            let key = self.enter(slot + offset)?.clone();
            let sent = self.signal(&key, slot + offset, payload)?;
            self.samples.add(Call::SignalChangedSeat, &sent);
        }
        Ok(())
    }

    /// Makes a signal in every slot of a round.
    fn round(&mut self, round: u64, payload: Address, measured: bool) -> Result<()> {
        for count in 1..=M {
            let slot = round * M + count - 1;
            let key = self.enter(slot)?.clone();
            let sent = self.signal(&key, slot, payload)?;
            match (measured, count) {
                // The signal that wins the round emits a further event, so it isn't measured.
                (false, _) | (_, N) => {}
                (_, 1) => self.samples.add(Call::SignalFirst, &sent),
                _ => self.samples.add(Call::SignalLater, &sent),
            }
        }
        Ok(())
    }

    fn signal(&self, key: &PrivateKeySigner, slot: u64, payload: Address) -> Result<Sent> {
        let sent = self.chain.send(key, self.set.proposals, &Proposals::voteCall { payload })?;
        self.counted(sent, payload, slot / M, key.address())
    }

    /// Measures a round of signatures that the keeper submits.
    fn signal_with_signatures(&mut self) -> Result<()> {
        let round = self.round_of_an_epoch();
        let payload = self.set.other_payload;
        let (proposals, instance) = (self.set.proposals, self.set.rollup);
        for count in 1..=M {
            let slot = round * M + count - 1;
            let key = self.enter(slot)?.clone();
            let signal = Signal { payload, slot: U256::from(slot), instance };
            let digest = signal.signing_hash(self.chain.id(), proposals);
            let signature = key.sign_hash_sync(&digest)?;
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

    /// The duration of a proposal's state, plus a slot to be in the next state.
    const fn wait(delay: U256) -> u64 {
        delay.as_limbs()[0] + SLOT
    }

    /// Measures ballots: the first of two proposals is contested, and the second one is accepted
    /// unanimously.
    fn vote(&mut self, [contested, unanimous]: [U256; 2]) -> Result<()> {
        self.at(self.chain.now() + Self::wait(self.set.configuration.votingDelay))?;
        let [one, other] = self.old_holders.clone();
        for (voter, id, yea) in [(&one, contested, false), (&other, unanimous, true)] {
            for number in 0..3 {
                let sent = self.ballot(voter, id, tokens(AMOUNT), yea)?;
                let call = if number == 0 { Call::BallotFirst } else { Call::BallotLater };
                self.samples.add(call, &sent);
            }
        }
        self.ballot(&other, contested, tokens(MUCH), true)?;
        self.ballot(&one, unanimous, tokens(MUCH), true)?;
        Ok(())
    }

    /// Measures executions. Each proposal is executed in the same state, in which no power has
    /// changed since its snapshot; the payload that both systems have is also executed after a
    /// change.
    fn execute_all(
        &mut self,
        kind: PayloadKind,
        payloads: &[Payload; 2],
        ids: [U256; 2],
    ) -> Result<()> {
        let c = &self.set.configuration;
        let wait = Self::wait(c.votingDuration) + Self::wait(c.executionDelay);
        self.at(self.chain.now() + wait)?;
        let snapshot = self.chain.snapshot();
        for (id, payload) in ids.into_iter().zip(payloads) {
            let call = match kind {
                PayloadKind::Published => Call::ExecutePublished,
                PayloadKind::Replacing => Call::ExecuteReplacing,
                PayloadKind::ChangingOne => Call::ChangeOne,
                PayloadKind::ChangingAll => Call::ChangeAll,
                PayloadKind::Upgrading => Call::ExecuteUpgrading,
            };
            self.execute_once(call, id, payload)?;
        }
        if kind == PayloadKind::Published {
            let [holder, _] = self.old_holders.clone();
            self.deposit(&holder, tokens(AMOUNT))?;
            for (id, payload) in ids.into_iter().zip(payloads) {
                self.execute_once(Call::ExecuteAfterChange, id, payload)?;
            }
            self.chain.revert(snapshot)?;
        }
        Ok(())
    }

    fn execute_once(&mut self, call: Call, id: U256, payload: &Payload) -> Result<()> {
        let snapshot = self.chain.snapshot();
        let governance = self.set.governance;
        let sent = self.chain.send(&self.keeper, governance, &Governance::executeCall { id })?;
        let sent = sent.emitted(governance, &Governance::ProposalExecuted { proposalId: id })?;
        let state = self.chain.ask(governance, &Governance::getProposalCall { id })?.state;
        ensure!(state == 5, "proposal {id} isn't stored as executed");
        let sent = match payload.effect {
            Effect::Proposals(appointed) => sent.emitted(
                payload.emitter,
                &Governance::GovernanceProposerUpdated { governanceProposer: appointed },
            )?,
            Effect::Configuration => {
                let time = U256::from(sent.timestamp());
                sent.emitted(payload.emitter, &Governance::ConfigurationUpdated { time })?
            }
            Effect::Canonical(rollup) => sent.emitted(
                payload.emitter,
                &Registry::InstanceAdded { instance: rollup, version: U256::from(2) },
            )?,
        };
        self.samples.add(call, &sent);
        self.chain.revert(snapshot)?;
        Ok(())
    }

    /// Measures later ballots of holders whose power changed since the snapshot.
    fn vote_after_changes(&mut self) -> Result<()> {
        for (number, (_, before, _)) in CHANGEABLE.into_iter().enumerate() {
            let label = format!("{} changeable holder {number}", self.set.name);
            let holder = self.chain.account(&label)?;
            self.fund(&holder)?;
            for _ in 0..before {
                self.deposit(&holder, U256::ONE)?;
            }
            self.changeable.push(holder);
        }
        // Nobody recorded a seed in the epochs of these deposits.
        self.at(self.chain.now() + QUIET_EPOCHS * EPOCH * SLOT)?;
        let round = self.next_round();
        self.round(round, self.set.other_payload, false)?;
        self.at(self.set.genesis + (round + 1) * M * SLOT)?;
        let (id, _) = self.push(round, self.set.other_payload)?;
        self.at(self.chain.now() + Self::wait(self.set.configuration.votingDelay))?;
        for ((call, _, since), holder) in CHANGEABLE.into_iter().zip(&self.changeable) {
            for _ in 0..since {
                self.deposit(holder, U256::ONE)?;
            }
            self.ballot(holder, id, U256::ONE, false)?;
            let sent = self.ballot(holder, id, U256::ONE, false)?;
            self.samples.add(call, &sent);
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
}
