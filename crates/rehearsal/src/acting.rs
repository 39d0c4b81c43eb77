//! The work of agents: in each block they read the set and do what is due, until nothing is left to do.

use alloy_sol_types::SolCall;
use canon_abi::Governance;
use canon_agents::Tick;
use canon_chain::{
    Confirmed, Error as ChainError,
    tx::{TxEvent, TxReport},
};
use canon_protocol::Timestamp;
use canon_views::{IntentSubject, Question, SetView, SignalDecision};

use crate::{
    error::{During, Error, Result},
    participants::Participants,
    timeline::Spent,
    upgrade_run::UpgradeRun,
};

/// The gas assumed for a transaction before the first receipt of its kind.
const GAS_GUESS: u64 = 300_000;

/// The identity of one of the participants' agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AgentRef {
    /// The keeper.
    Keeper,
    /// The proposer of a sequencer, by the sequencer's index.
    Proposer(usize),
    /// The withdrawer of a sequencer whose stake moves, by the sequencer's index.
    Mover(usize),
    /// A holder, by its index.
    Holder(usize),
}

/// The result of the agents' work.
#[derive(Debug, Default)]
pub(crate) struct Acted {
    pub(crate) spent: Spent,
    /// Confirmed intents and the agents that did them, in the order of confirmation.
    pub(crate) done: Vec<(AgentRef, IntentSubject, Confirmed)>,
    /// Intents that the contracts refused.
    pub(crate) refused: Vec<(IntentSubject, ChainError)>,
    /// The first decision of a proposer about signaling.
    pub(crate) decision: Option<SignalDecision>,
}

impl Acted {
    /// Adds the result of later work.
    fn add(&mut self, later: Self) {
        self.spent = self.spent.and(later.spent);
        self.done.extend(later.done);
        self.refused.extend(later.refused);
        self.decision = self.decision.or(later.decision);
    }
}

/// The name of an intent in the table of gas. For an order of a holder, it is `act`.
fn kind(act: &'static str, subject: &IntentSubject, confirmed: &Confirmed) -> &'static str {
    match subject {
        IntentSubject::Signal { .. } => "signal",
        IntentSubject::ProposeBlock { .. } => "propose a block",
        IntentSubject::RecordSeed { .. } => "record a seed",
        IntentSubject::Push { .. } => "push",
        IntentSubject::Execute { .. } if is_with_list(confirmed) => "execute with the frozen list",
        IntentSubject::Execute { .. } => "execute",
        IntentSubject::Drop { .. } => "drop",
        IntentSubject::Approve { .. } => "approve",
        IntentSubject::Lock { .. } | IntentSubject::Withdraw { .. } => act,
        IntentSubject::Vote { .. } => "vote",
        IntentSubject::PayWithdrawal { .. } => "withdraw",
        IntentSubject::PayExit { .. } => "pay an exit",
        IntentSubject::AnnounceMove { .. } => "announce a move",
        IntentSubject::FinalizeMove { .. } => "finish a move",
        IntentSubject::SignalSigned { .. } => "submit a signal",
        IntentSubject::VoteSigned { .. } => "submit a ballot",
        IntentSubject::InvalidateBallots { .. } => "void ballots",
        IntentSubject::Propose { .. } => "propose through the lock",
        IntentSubject::ApproveStake { .. } => "approve a stake",
        IntentSubject::Stake { .. } => "stake",
        IntentSubject::ExitStake { .. } => "exit",
        IntentSubject::SetCoinbase { .. } => "set a coinbase",
        IntentSubject::Create { .. } => "create a contract",
    }
}

/// Whether an execution passed the list that was published when the proposal was made (`executeWith`).
pub(crate) fn is_with_list(confirmed: &Confirmed) -> bool {
    confirmed.what == Governance::executeWithCall::SIGNATURE
}

impl Participants {
    /// Adds to a question what an agent needs to know.
    fn extend(&self, member: AgentRef, question: &mut Question) {
        match member {
            AgentRef::Keeper => self.keeper.extend(question),
            AgentRef::Proposer(index) => self.sequencers[index].agent.extend(question),
            AgentRef::Mover(index) => {
                if let Some(mover) = &self.sequencers[index].mover {
                    mover.extend(question);
                }
            }
            AgentRef::Holder(index) => self.holders[index].agent.extend(question),
        }
    }

    async fn tick(&mut self, member: AgentRef, view: &SetView, acted: &mut Acted) -> Vec<TxReport> {
        match member {
            AgentRef::Keeper => self.keeper.tick(view).await.reports,
            AgentRef::Proposer(index) => {
                let Tick { status, reports, .. } = self.sequencers[index].agent.tick(view).await;
                acted.decision.get_or_insert(status);
                reports
            }
            AgentRef::Mover(index) => match &mut self.sequencers[index].mover {
                Some(mover) => mover.tick(view).await.reports,
                None => Vec::new(),
            },
            AgentRef::Holder(index) => self.holders[index].agent.tick(view).await.reports,
        }
    }
}

impl UpgradeRun<'_> {
    /// Lets agents send what is due in the next block, which they expect at `until` or earlier. Returns the
    /// results of earlier transactions, and the agents with transactions in flight.
    ///
    /// Refusals are returned; any other failure ends the rehearsal.
    async fn tick(
        &mut self,
        act: &'static str,
        members: &[AgentRef],
        until: Timestamp,
    ) -> Result<(Acted, Vec<AgentRef>)> {
        let next = self.driver.next_time().min(until);
        let ask = |participants: &Participants, question: &mut Question| {
            members.iter().for_each(|member| participants.extend(*member, question));
        };
        let view = self.view(next, ask).await?;
        let (mut acted, mut in_flight) = (Acted::default(), Vec::new());
        for member in members {
            let reports = self.participants.tick(*member, &view, &mut acted).await;
            if self.note(act, *member, reports, &mut acted)? {
                in_flight.push(*member);
            }
        }
        Ok((acted, in_flight))
    }

    /// Lets agents do what is due, as many in a block as fit, until none of them has anything left to do or
    /// in flight.
    pub(crate) async fn act(
        &mut self,
        act: &'static str,
        members: &[AgentRef],
        until: Timestamp,
    ) -> Result<Acted> {
        let mut acted = Acted::default();
        let add = |_: &mut Self, later| {
            acted.add(later);
            Ok(())
        };
        self.act_with(act, members, until, add).await?;
        Ok(acted)
    }

    /// As [`Self::act`], but calls `after_tick` with the results of each block before the next block is
    /// mined.
    pub(crate) async fn act_with(
        &mut self,
        act: &'static str,
        members: &[AgentRef],
        until: Timestamp,
        mut after_tick: impl FnMut(&mut Self, Acted) -> Result<()>,
    ) -> Result<()> {
        let (mut spent, mut done) = (Spent::default(), 0);
        let mut in_flight = Vec::new();
        let mut waiting = members.iter().copied();
        let mut gas_each = GAS_GUESS;
        loop {
            let room = (self.scenario.l1.gas_limit / gas_each).max(1);
            let room = usize::try_from(room).unwrap_or(usize::MAX);
            let mut ticking = in_flight;
            ticking.extend(waiting.by_ref().take(room));
            if ticking.is_empty() {
                return Ok(());
            }
            let acted;
            (acted, in_flight) = self.tick(act, &ticking, until).await?;
            spent = spent.and(acted.spent);
            done += acted.done.len() as u64;
            after_tick(self, acted)?;
            self.progress(act, done, members.len() as u64);
            if !in_flight.is_empty() {
                self.mine_all().await?;
            }
            if let Some(used) = spent.gas.checked_div(spent.transactions) {
                // The estimate is a little above the mean. Transactions that don't fit wait for the next
                // block.
                gas_each = used + used / 8;
            }
        }
    }

    /// As [`Self::act`], for intents that must succeed: a refusal ends the rehearsal.
    pub(crate) async fn act_all(
        &mut self,
        act: &'static str,
        members: &[AgentRef],
    ) -> Result<Acted> {
        let mut acted = self.act(act, members, Timestamp::MAX).await?;
        match acted.refused.pop() {
            Some((_, error)) => Err(error).during(act),
            None => Ok(acted),
        }
    }

    /// Adds the results of an agent's transactions. Returns whether it sent new ones.
    fn note(
        &mut self,
        act: &'static str,
        member: AgentRef,
        reports: Vec<TxReport>,
        acted: &mut Acted,
    ) -> Result<bool> {
        let mut has_sent = false;
        for TxReport { intent, event } in reports {
            match (event, intent) {
                (TxEvent::Sent { .. }, _) => has_sent = true,
                (TxEvent::Confirmed(confirmed), Some(id)) => {
                    let kind = kind(act, &id.subject, &confirmed);
                    self.driver.gas.record(kind, confirmed.gas_used);
                    acted.spent.add(confirmed.gas_used);
                    acted.done.push((member, id.subject, confirmed));
                }
                (TxEvent::Failed(error), Some(id)) if error.as_revert().is_some() => {
                    acted.refused.push((id.subject, error));
                }
                (TxEvent::Failed(error), _) => return Err(error).during(act),
                _ => return Err(Error::NotIncluded { act, time: self.driver.now() }),
            }
        }
        Ok(has_sent)
    }
}
