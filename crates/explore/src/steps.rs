//! The steps that are possible in a state, and their results.

use crate::{
    accounts::{ANYONE, GOVERNANCE, Holder, ROLLUPS, Staker, UNIT},
    payloads::{Payload, Payloads},
    scope::{Kind, M, Scope},
    state::{State, context},
    times::next_time,
};
use alloy_primitives::Address;
use canon_protocol::{
    Call, Context, GovernanceCall, LIFETIME_IN_ROUNDS, Log, Payment, ProposalId, ProposalsCall,
    Refusal, RollupCall, Round, SetState, Support, Timestamp, WithdrawalId,
};
use std::{fmt, rc::Rc};

/// A step from one state to the next: a call, or a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Waits until this second.
    Wait(Timestamp),
    /// Anyone calls `setupEpoch` of the rollup with this index.
    SetupEpoch(usize),
    /// This staker signals.
    Signal(Staker, Payload),
    /// Anyone pushes the winner of this round.
    Push(Round),
    /// This holder locks one unit.
    Deposit(Holder),
    /// This holder gives up one unit of power.
    Withdraw(Holder),
    /// Anyone finalizes this withdrawal.
    Finalize(WithdrawalId),
    /// This holder proposes through the lock.
    Propose(Holder, Payload),
    /// This holder casts one unit.
    Vote(Holder, ProposalId, Support),
    /// Anyone executes this proposal with the actions that its payload lists.
    Execute(ProposalId),
    /// Anyone executes this proposal with the actions of this payload.
    ExecuteWith(ProposalId, Payload),
    /// Anyone stores that this proposal is dropped.
    Drop(ProposalId),
    /// This staker announces that it moves to the second rollup.
    AnnounceMove(Staker),
    /// Anyone completes the move of this staker.
    FinishMove(Staker),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rollup = |index: &usize| if *index == 0 { "first" } else { "second" };
        match self {
            Self::Wait(_) => f.write_str("time passes"),
            Self::SetupEpoch(index) => {
                write!(f, "anyone sets up the epoch of the {} rollup", rollup(index))
            }
            Self::Signal(staker, payload) => write!(f, "{staker} signals for {payload}"),
            Self::Push(round) => write!(f, "anyone pushes round {round}"),
            Self::Deposit(holder) => write!(f, "{holder} locks 1"),
            Self::Withdraw(holder) => write!(f, "{holder} gives up 1"),
            Self::Finalize(id) => write!(f, "withdrawal {id} is paid"),
            Self::Propose(holder, payload) => write!(f, "{holder} proposes {payload}"),
            Self::Vote(holder, id, Support::Yea) => write!(f, "{holder} votes 1 for proposal {id}"),
            Self::Vote(holder, id, Support::Nea) => {
                write!(f, "{holder} votes 1 against proposal {id}")
            }
            Self::Execute(id) => write!(f, "anyone executes proposal {id}"),
            Self::ExecuteWith(id, payload) => {
                write!(f, "anyone executes proposal {id} with the actions of {payload}")
            }
            Self::Drop(id) => write!(f, "anyone drops proposal {id}"),
            Self::AnnounceMove(staker) => write!(f, "{staker} announces its move"),
            Self::FinishMove(staker) => write!(f, "the move of {staker} is completed"),
        }
    }
}

impl Step {
    /// The caller, the contract and the call; `None` for a wait.
    pub(crate) fn call(self, state: &State) -> Option<(Address, Address, Call)> {
        let proposer = state.governance().governance_proposer();
        let payload_of = |payload: Payload| payload.address();
        Some(match self {
            Self::Wait(_) => return None,
            Self::SetupEpoch(index) => (ANYONE, ROLLUPS[index], RollupCall::SetupEpoch.into()),
            Self::Signal(staker, payload) => {
                let payload = payload_of(payload);
                (staker.address(), proposer, ProposalsCall::Vote { payload }.into())
            }
            Self::Push(round) => {
                let round = round.to_word();
                (ANYONE, proposer, ProposalsCall::PushProposal { round }.into())
            }
            Self::Deposit(holder) => {
                let on_behalf_of = holder.address();
                let call = GovernanceCall::Deposit { on_behalf_of, amount: UNIT };
                (on_behalf_of, GOVERNANCE, call.into())
            }
            Self::Withdraw(holder) => {
                let to = holder.address();
                (to, GOVERNANCE, GovernanceCall::InitiateWithdraw { to, amount: UNIT }.into())
            }
            Self::Finalize(id) => {
                let id = id.to_word();
                (ANYONE, GOVERNANCE, GovernanceCall::FinaliseWithdraw { id }.into())
            }
            Self::Propose(holder, payload) => {
                let (payload, to) = (payload_of(payload), holder.address());
                (to, GOVERNANCE, GovernanceCall::ProposeWithLock { payload, to }.into())
            }
            Self::Vote(holder, id, support) => {
                let call = GovernanceCall::Vote { id: id.to_word(), amount: UNIT, support };
                (holder.address(), GOVERNANCE, call.into())
            }
            Self::Execute(id) => {
                (ANYONE, GOVERNANCE, GovernanceCall::Execute { id: id.to_word() }.into())
            }
            Self::ExecuteWith(id, payload) => {
                let (id, actions) = (id.to_word(), payload.actions());
                (ANYONE, GOVERNANCE, GovernanceCall::ExecuteWith { id, actions }.into())
            }
            Self::Drop(id) => {
                (ANYONE, GOVERNANCE, GovernanceCall::DropProposal { id: id.to_word() }.into())
            }
            Self::AnnounceMove(staker) => {
                let (attester, new_rollup) = (staker.address(), ROLLUPS[1]);
                (attester, ROLLUPS[0], RollupCall::InitiateMove { attester, new_rollup }.into())
            }
            Self::FinishMove(staker) => {
                let attester = staker.address();
                (ANYONE, ROLLUPS[0], RollupCall::FinaliseMove { attester }.into())
            }
        })
    }
}

/// The function that decides calls: [`SetState::decide`], or a wrong version of it.
pub type Decide = fn(&SetState, Address, &Call, &Context<'_>) -> Result<Vec<Log>, Refusal>;

/// The steps that may be tried in `state`, whether or not the rules allow them.
fn candidates(scope: &Scope, state: &State) -> Vec<Step> {
    let mut steps = Vec::with_capacity(64);
    let governance = state.governance();
    let count = governance.proposals().len() as u64;
    let proposals = || (0..count).map(ProposalId::of);
    let holders = || Holder::ALL.into_iter();
    let payloads = || scope.payloads.iter().copied();
    let due = || {
        let withdrawals = (0..).map(WithdrawalId::of).zip(governance.withdrawals());
        withdrawals.filter(|(_, withdrawal)| withdrawal.payment == Payment::Due)
    };
    let ballots = |support| {
        proposals().flat_map(move |id| Holder::ALL.map(|holder| Step::Vote(holder, id, support)))
    };
    let can_leave = due().count() < scope.due_withdrawals;
    let can_propose = state.open_proposals().count() < scope.open_proposals;
    for kind in scope.kinds {
        match kind {
            Kind::SetupEpoch => steps.extend((0..ROLLUPS.len()).map(Step::SetupEpoch)),
            Kind::Signal => {
                steps.extend(Staker::ALL.into_iter().flat_map(|staker| {
                    payloads().map(move |payload| Step::Signal(staker, payload))
                }))
            }
            Kind::Push if can_propose => {
                let present = present_round(state);
                let oldest = present.saturating_sub(LIFETIME_IN_ROUNDS + 1);
                steps.extend((oldest..=present).map(|round| Step::Push(Round::of(round))));
            }
            Kind::Deposit => steps.extend(holders().map(Step::Deposit)),
            Kind::Withdraw if can_leave => steps.extend(holders().map(Step::Withdraw)),
            Kind::Propose if can_propose && can_leave => steps.extend(
                holders().flat_map(|holder| payloads().map(move |it| Step::Propose(holder, it))),
            ),
            Kind::VoteFor => steps.extend(ballots(Support::Yea)),
            Kind::VoteAgainst => steps.extend(ballots(Support::Nea)),
            Kind::Execute => steps.extend(proposals().map(Step::Execute)),
            Kind::ExecuteWith => steps.extend(
                proposals().flat_map(|id| Payload::ALL.map(|it| Step::ExecuteWith(id, it))),
            ),
            Kind::Drop => steps.extend(proposals().map(Step::Drop)),
            Kind::Move => steps.extend(
                Staker::ALL
                    .into_iter()
                    .flat_map(|it| [Step::AnnounceMove(it), Step::FinishMove(it)]),
            ),
            Kind::Push | Kind::Withdraw | Kind::Propose => {}
        }
    }
    steps.extend(due().map(|(id, _)| Step::Finalize(id)));
    steps
}

/// The number of the present slot's round. All rollups have the same clock.
pub(crate) fn present_round(state: &State) -> u64 {
    let clock = state.set.rollup(ROLLUPS[0]).map(canon_protocol::Rollup::clock);
    clock.and_then(|clock| clock.slot_at(state.now)).unwrap_or_default().get() / M
}

/// The steps that `decide` allows in `state`, with the states that they lead to.
pub(crate) fn successors(
    scope: &Scope,
    end: Timestamp,
    decide: Decide,
    payloads: &Payloads,
    state: &State,
) -> Vec<(Step, State)> {
    let mut successors: Vec<_> = candidates(scope, state)
        .into_iter()
        .filter_map(|step| Some((step, apply(decide, payloads, state, step)?)))
        .collect();
    if let Some(time) = next_time(scope, state).filter(|time| *time <= end) {
        successors.push((Step::Wait(time), State { set: Rc::clone(&state.set), now: time }));
    }
    successors
}

/// The state after `step`; `None` if `decide` refuses it or it changes nothing.
pub(crate) fn apply(
    decide: Decide,
    payloads: &Payloads,
    state: &State,
    step: Step,
) -> Option<State> {
    if let Step::Wait(now) = step {
        return Some(State { set: Rc::clone(&state.set), now });
    }
    let (caller, contract, call) = step.call(state)?;
    let context = context(caller, state.now, payloads);
    let logs =
        decide(&state.set, contract, &call, &context).ok().filter(|logs| !logs.is_empty())?;
    let mut set = SetState::clone(&state.set);
    for log in &logs {
        set.evolve(log, context.block).expect("what was decided fits the state");
    }
    Some(State::new(set, state.now))
}
