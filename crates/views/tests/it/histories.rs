//! Views and duties in random histories, compared with the rules.

use crate::chain::{
    ASSET, BLOCK_HASH, Chain, DISTRIBUTOR, GOVERNANCE, ROLLUP, SLOT, ViewedChain as _, named,
    tokens,
};
use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256, keccak256};
use canon_protocol::{
    Amount, AssetCall, AttesterStatus, CodeKind, CommonRefusal, Create2, Event, GovernanceCall,
    GovernanceRefusal, Log, ProposalId, ProposalsCall, Refusal, RollupCall, RollupEvent, Seconds,
    Support, Timestamp,
};
use canon_testkit::histories::{Accounts, Director, Put, Rate, Step};
use canon_views::{
    BlockDuty, Completion, IntendedAction, IntendedCall, Intent, IntentId, IntentProgress,
    LockMethod, MovePlan, Order, OrderAmount, OrderStatus, PayOut, Present, Question, RequestId,
    SequencerIdentity, SetView, SignalDecision, SignalPlan, StatusRule, calendar, holder, keeper,
    mover, sequencer,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

const HOLDERS: usize = 4;
const STAKERS: usize = 5;

/// A random history that is checked after every step.
struct History {
    chain: Chain,
    director: Director,
    accounts: Accounts,
    deployed: u64,
    /// The number of times that each kind of intent was offered and accepted.
    accepted: BTreeMap<&'static str, usize>,
}

impl History {
    /// A set in which all accounts have funds, some have staked and some have locked power.
    fn new(seed: u64) -> Self {
        let accounts = Accounts::numbered(HOLDERS, STAKERS, named);
        let mut chain = Chain::deployed();
        chain.ok("treasury", ASSET, AssetCall::Transfer { to: DISTRIBUTOR, amount: tokens(60) });
        for number in 0..HOLDERS {
            let name = format!("holder {number}");
            chain.lock(&name, 2000);
            chain.fund(&name, 5000);
            if number > 0 {
                let amount = tokens(9000);
                chain.ok(&name, ASSET, AssetCall::Approve { spender: GOVERNANCE, amount });
            }
        }
        for number in 0..STAKERS {
            let name = format!("withdrawer {number}");
            chain.fund(&name, 1000);
            if number % 2 == 0 {
                chain.stake(ROLLUP, number);
            }
            let amount = U256::MAX;
            chain.ok(&name, ASSET, AssetCall::Approve { spender: ROLLUP, amount });
        }
        let director = Director::new(seed, accounts.clone(), Rate::OneCallPerBlock, |_, _| None);
        Self { chain, director, accounts, deployed: 0, accepted: BTreeMap::new() }
    }

    /// Takes the next step; its block is a new one.
    fn step(&mut self) {
        let Chain { set, foreign, .. } = &self.chain;
        let (wait, step) = self.director.next(set, self.chain.now(), &foreign.written);
        self.chain.wait(wait.get());
        // The history isn't read here, and the chain is cloned often.
        self.chain.history.clear();
        match step {
            Step::Put(account, put) => {
                let hash = match &put {
                    Put::Nothing => KECCAK256_EMPTY,
                    _ => keccak256(format!("{put:?}")),
                };
                self.chain.foreign.written.put(account, put, hash);
            }
            Step::Deploy(constructor) => {
                self.deployed += 1;
                let salt = B256::from(U256::from(self.deployed));
                let creation =
                    Create2::new(named("proxy"), salt, format!("{constructor:?}").as_bytes());
                let contract = creation.address();
                if let Ok(logs) = self.chain.try_deploy(contract, &constructor) {
                    self.chain.foreign.deploy(contract);
                    self.chain.foreign.written.know_creation(creation);
                    self.chain.record(logs);
                }
            }
            Step::Call { caller, contract, call } => {
                let _ = self.chain.send(caller, contract, call);
            }
            Step::Transaction { caller, target, data } => {
                let _ = self.chain.transact(caller, target, &data);
            }
        }
    }

    /// The times at which the next block may come: soon, and around the next changes.
    fn times(&self) -> Vec<Timestamp> {
        let now = self.chain.now();
        let soon = [1, 12, SLOT].map(|seconds| now + Seconds::of(seconds));
        let changes = calendar(&self.chain.view(now + Seconds::SECOND));
        let changes = changes.into_iter().take(2).flat_map(|entry| {
            let before = Timestamp::new(entry.time.get() - 1).unwrap();
            [before, entry.time]
        });
        let times = soon.into_iter().chain(changes);
        times.filter(|time| *time > now).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Checks the view for one of the times at which the next block may come, each in turn.
    fn check(&mut self, turn: usize) {
        let times = self.times();
        let next = times[turn % times.len()];
        let view = self.chain.view(next);
        self.check_view(&view.present);
        self.check_keeper(&view);
        match turn % 12 {
            0 => self.check_sequencers(&view),
            4 => self.check_holders(next),
            _ => {}
        }
        if turn.is_multiple_of(3) {
            self.check_movers(next);
        }
    }

    /// Checks that the view gives the same results as the rules.
    fn check_view(&self, present: &Present) {
        let (state, now) = (&self.chain.set, self.chain.now());
        let proposals = state.governance().governance_proposer();
        let pushable = state.pushable_rounds(proposals, now, &self.chain.foreign);
        assert_eq!(present.pushable_at(now), pushable.unwrap_or_default(), "pushable rounds");
        let governance = state.governance();
        for (view, proposal) in present.governance.proposals.iter().zip(governance.proposals()) {
            assert_eq!(view.state, governance.state(proposal, now));
            assert_eq!(view.state_at(present.next), governance.state(proposal, present.next));
            assert_eq!(view.tabulation(), governance.tabulation(proposal));
            for (address, stands) in &present.holders {
                let Some(ballot) = stands.ballots.get(&view.id) else { continue };
                assert_eq!(ballot.left(), governance.castable(proposal, *address));
            }
        }
    }

    /// The outcome of `call` if it is made at `next`.
    fn decide(
        &self,
        next: Timestamp,
        caller: Address,
        IntendedCall { contract, call }: &IntendedCall,
    ) -> Result<Vec<Log>, Refusal> {
        self.chain.decide_in(self.chain.block_at(next), caller, *contract, call)
    }

    /// Checks that the rules accept every intent of a duty, unless code outside the set decides it. Checks
    /// also that `again`, the same duty one second later, doesn't return an intent that was executed.
    fn check_intents(
        &mut self,
        next: Timestamp,
        caller: Address,
        intents: &[Intent],
        again: impl Fn(&Chain, Timestamp) -> Vec<Intent>,
    ) {
        let ids: BTreeSet<IntentId> = intents.iter().map(Intent::id).collect();
        assert_eq!(ids.len(), intents.len(), "no intent twice: {intents:?}");
        let mut seen: BTreeMap<_, usize> = BTreeMap::new();
        for intent in intents {
            // There can be many payments, of which some are tried.
            let count = seen.entry(kind(intent)).or_default();
            *count += 1;
            if *count > 2 {
                continue;
            }
            assert!(intent.is_useful_at(next), "{intent:?} is late at {next}");
            let call = intent.call(None).expect("nothing needs a permit here");
            let mut outcome = self.decide(next, caller, &call);
            if let Err(Refusal::Governance(refusal)) = &outcome
                && refusal.is_withheld_list()
                && let Some(fallback) = intent.fallback_call()
            {
                outcome = self.decide(next, caller, &fallback);
            }
            match outcome {
                Ok(logs) => {
                    *self.accepted.entry(kind(intent)).or_default() += 1;
                    self.check_done(next, intent, &logs, &again);
                }
                Err(refusal) => assert!(
                    self.is_excused(intent, &refusal),
                    "{intent:?} at {next} is refused: {refusal}"
                ),
            }
            if let Some(until) = intent.until {
                let late = until + Seconds::SECOND;
                let offered = again(&self.chain, late);
                assert!(
                    offered.iter().all(|late| late.id() != intent.id()),
                    "{intent:?} is offered at {late}"
                );
            }
        }
    }

    fn check_done(
        &self,
        next: Timestamp,
        intent: &Intent,
        logs: &[Log],
        again: &impl Fn(&Chain, Timestamp) -> Vec<Intent>,
    ) {
        let mut chain = self.chain.clone();
        chain.is_kept = false;
        chain.jump(next);
        chain.record(logs.to_vec());
        if intent.completion() == Completion::State {
            let offered = again(&chain, next + Seconds::SECOND);
            assert!(
                offered.iter().all(|more| more.id() != intent.id()),
                "{intent:?} was done at {next} and is offered again"
            );
        }
        if let IntendedAction::RecordSeed { epoch, .. } = intent.action {
            let records = |log: &Log| matches!(log.event, Event::Rollup(RollupEvent::SeedRecorded { epoch: of, .. }) if of == epoch);
            assert!(logs.iter().any(records), "{intent:?} records nothing");
        }
    }

    /// Whether the reason for refusing an intent isn't part of the view.
    fn is_excused(&self, intent: &Intent, refusal: &Refusal) -> bool {
        let state = &self.chain.set;
        match (intent.action.clone(), refusal) {
            // A canonical rollup of another implementation may report anything at any time, and a payload
            // may list anything.
            (IntendedAction::Push { .. }, Refusal::Governance(refusal))
                if refusal.is_of_list() =>
            {
                true
            }
            // The target may be foreign code.
            (IntendedAction::Push { .. } | IntendedAction::FinalizeMove { .. }, _)
                if state.canonical_rollup().is_none() =>
            {
                true
            }
            // Governance stores no times after 136 years. The effects of actions have to be checked by the
            // account that executes them.
            (_, Refusal::Common(CommonRefusal::ValueTooLarge { .. }))
            | (
                IntendedAction::Execute { .. },
                Refusal::Governance(
                    GovernanceRefusal::ActionFailed { .. }
                    | GovernanceRefusal::ActionOnAsset { .. }
                    | GovernanceRefusal::ActionWithoutCode { .. },
                )
                | Refusal::OutsideTheSet(_),
            )
            // The contract that pays for blocks may be foreign code.
            | (IntendedAction::ProposeBlock { .. }, Refusal::OutsideTheSet(_)) => true,
            _ => false,
        }
    }

    fn check_keeper(&mut self, view: &SetView) {
        let next = view.present.next;
        let intents = keeper(view, PayOut::Everything);
        let keep = |chain: &Chain, next| keeper(&chain.view(next), PayOut::Everything);
        let anyone = named("anyone");
        self.check_intents(next, anyone, &intents, keep);

        let offered: BTreeSet<IntentId> = intents.iter().map(Intent::id).collect();
        // Only one of the rounds that a payload won is included.
        let pushed: BTreeSet<Address> = intents.iter().filter_map(pushed_payload).collect();
        for intent in self.everything(&view.present) {
            let is_taken = |call: Option<IntendedCall>| {
                call.is_some_and(|call| self.decide(next, anyone, &call).is_ok())
            };
            if is_taken(intent.call(None)) || is_taken(intent.fallback_call()) {
                let is_pushed =
                    pushed_payload(&intent).is_some_and(|payload| pushed.contains(&payload));
                assert!(
                    is_pushed || offered.contains(&intent.id()),
                    "{intent:?} is accepted at {next} and not offered"
                );
            }
        }
    }

    /// All conceivable intents of the keeper's kinds.
    fn everything(&self, present: &Present) -> Vec<Intent> {
        let state = &self.chain.set;
        let set = canon_views::SetId { chain_id: present.chain_id, governance: GOVERNANCE };
        let intent = |action| Intent { set, action, until: None };
        let mut all = Vec::new();
        if state.canonical_rollup().is_some() {
            let (proposals, rollup) = (present.addresses.proposals, present.addresses.rollup);
            let rounds = state.proposals(proposals).into_iter().flat_map(|it| it.rounds(rollup));
            all.extend(rounds.flat_map(|(round, tally)| {
                let payload = tally.leader.map_or(Address::ZERO, |leader| leader.payload);
                [round, round.next()].map(|round| {
                    let actions_hash = None;
                    intent(IntendedAction::Push { proposals, rollup, round, payload, actions_hash })
                })
            }));
        }
        for (id, proposal) in (0..).map(ProposalId::of).zip(state.governance().proposals()) {
            let frozen_actions = Some(Arc::clone(proposal.actions()));
            all.push(intent(IntendedAction::Execute { id, frozen_actions }));
            all.push(intent(IntendedAction::Drop { id }));
        }
        let withdrawals = 0..state.governance().withdrawals().len() as u64;
        all.extend(withdrawals.map(|id| {
            let id = canon_protocol::WithdrawalId::of(id);
            intent(IntendedAction::PayWithdrawal { id })
        }));
        for (rollup, state) in state.rollups() {
            for member in state.registrations() {
                let attester = member.attester();
                if let Some(exit) = member.exit() {
                    let exitable_at = exit.exitable_at;
                    all.push(intent(IntendedAction::PayExit { rollup, attester, exitable_at }));
                }
                if let Some(moving) = member.moving() {
                    let (new_attester, ready_at) = (None, moving.ready_at);
                    all.push(intent(IntendedAction::FinalizeMove {
                        rollup,
                        attester,
                        new_attester,
                        ready_at,
                    }));
                }
            }
        }
        all
    }

    fn check_sequencers(&mut self, view: &SetView) {
        let present = &view.present;
        let next = present.next;
        let proposers: BTreeSet<_> =
            self.accounts.stakers.iter().map(|staker| staker.proposer).collect();
        let payloads: Vec<_> = present.payloads.iter().rev().take(2).collect();
        for (rollup, proposer) in
            present.rollups.keys().flat_map(|rollup| proposers.iter().map(|one| (*rollup, *one)))
        {
            for blocks in [BlockDuty::Propose(BLOCK_HASH), BlockDuty::Skip] {
                let identity = SequencerIdentity { proposer, rollup, blocks };
                for (payload, seen) in &payloads {
                    let plan = SignalPlan::new(**payload, seen.code.hash, B256::ZERO);
                    let forced = SignalPlan { status: StatusRule::Force, ..plan };
                    for plan in [plan, forced] {
                        let duty = sequencer(present, &identity, Some(&plan));
                        let again = |chain: &Chain, next| {
                            sequencer(&chain.view(next).present, &identity, Some(&plan)).intents
                        };
                        self.check_intents(next, proposer, &duty.intents, again);
                    }
                    let vote = ProposalsCall::Vote { payload: **payload };
                    let proposals = present.addresses.proposals;
                    let vote = IntendedCall { contract: proposals, call: vote.into() };
                    let is_canonical = present.addresses.rollup == rollup;
                    let duty = sequencer(present, &identity, Some(&forced));
                    assert_eq!(
                        duty.status == SignalDecision::Signal,
                        is_canonical
                            && present.signaling.is_some()
                            && seen.code.kind == CodeKind::Contract
                            && self.decide(next, proposer, &vote).is_ok(),
                        "{identity:?} {:?} at {next}",
                        duty.status
                    );
                }
            }
        }
    }

    fn check_holders(&mut self, next: Timestamp) {
        let governance = self.chain.set.governance();
        let count = governance.proposals().len() as u64;
        let numbered = (0..count).map(ProposalId::of).zip(governance.proposals());
        let newest = numbered.skip(governance.proposals().len().saturating_sub(3));
        let votes = newest.flat_map(|(id, proposal)| {
            [Support::Yea, Support::Nea].map(|support| Order::Vote {
                id,
                actions_hash: proposal.actions_hash(),
                support,
                amount: OrderAmount::All,
            })
        });
        let (method, to) = (LockMethod::Approval, named("recipient"));
        let orders = votes.chain([
            Order::Withdraw { amount: OrderAmount::All, to },
            Order::Lock { amount: Amount::of(7), method },
        ]);
        let orders: Vec<_> = orders.collect();
        for address in self.accounts.holders.clone() {
            for order in &orders {
                let plan = BTreeMap::from([(RequestId::of(1), *order)]);
                let duty = |chain: &Chain, next| {
                    let mut question = Question::default();
                    question.add_holder(address, &plan);
                    holder(&chain.view_of(next, &question), address, &plan, |_| {
                        IntentProgress::Open
                    })
                };
                let now = duty(&self.chain, next);
                self.check_intents(next, address, &now.intents, |chain, next| {
                    duty(chain, next).intents
                });
                if let Order::Vote { id, support, .. } = *order {
                    let amount = U256::ONE;
                    let vote = GovernanceCall::Vote { id: id.to_word(), amount, support };
                    let vote = IntendedCall { contract: GOVERNANCE, call: vote.into() };
                    assert_eq!(
                        now.status[&RequestId::of(1)] == OrderStatus::Due,
                        self.decide(next, address, &vote).is_ok(),
                        "{order:?} of {address} at {next}: {:?}",
                        now.status
                    );
                }
            }
        }
    }

    fn check_movers(&mut self, next: Timestamp) {
        let state = &self.chain.set;
        let canonical = state.registry().rollup();
        let members = state.rollups().flat_map(|(from, rollup)| {
            let stakers = self.accounts.stakers.iter();
            let members = stakers.filter_map(|staker| rollup.member(staker.attester));
            members.map(move |member| MovePlan {
                withdrawer: member.withdrawer(),
                attester: member.attester(),
                from,
                to: canonical,
                spare: named("spare"),
            })
        });
        for plan in members.filter(|plan| plan.from != plan.to).collect::<Vec<_>>() {
            let duty = |chain: &Chain, next| {
                let mut question = Question::default();
                question.add_move(&plan);
                mover(&chain.view_of(next, &question).present, &plan).intents
            };
            let intents = duty(&self.chain, next);
            self.check_intents(next, plan.withdrawer, &intents, duty);
            let from = self.chain.set.rollup(plan.from).unwrap();
            let member = from.member(plan.attester).unwrap();
            let moving = member.moving().filter(|moving| moving.new_rollup == plan.to);
            let call = RollupCall::FinaliseMove { attester: plan.attester };
            let call = IntendedCall { contract: plan.from, call: call.into() };
            if moving.is_some() && self.decide(next, plan.withdrawer, &call).is_ok() {
                let finalizes =
                    |intent: &Intent| matches!(intent.action, IntendedAction::FinalizeMove { .. });
                assert!(intents.iter().any(finalizes), "{plan:?} at {next}");
            }
            assert_ne!(member.status(), AttesterStatus::None);
        }
    }
}

const fn pushed_payload(intent: &Intent) -> Option<Address> {
    match intent.action {
        IntendedAction::Push { payload, .. } => Some(payload),
        _ => None,
    }
}

const fn kind(intent: &Intent) -> &'static str {
    match intent.action {
        IntendedAction::Signal { .. } => "signal",
        IntendedAction::ProposeBlock { .. } => "block",
        IntendedAction::RecordSeed { .. } => "seed",
        IntendedAction::Push { .. } => "push",
        IntendedAction::Execute { .. } => "execute",
        IntendedAction::Drop { .. } => "drop",
        IntendedAction::PayWithdrawal { .. } => "withdrawal",
        IntendedAction::PayExit { .. } => "exit",
        IntendedAction::Approve { .. } => "approve",
        IntendedAction::Lock { .. } => "lock",
        IntendedAction::Vote { .. } => "vote",
        IntendedAction::Withdraw { .. } => "withdraw",
        IntendedAction::AnnounceMove { .. } => "announce",
        IntendedAction::FinalizeMove { new_attester: None, .. } => "move",
        IntendedAction::FinalizeMove { new_attester: Some(_), .. } => "move as",
        IntendedAction::SignalSigned { .. }
        | IntendedAction::VoteSigned { .. }
        | IntendedAction::InvalidateBallots { .. }
        | IntendedAction::Propose { .. }
        | IntendedAction::ApproveStake { .. }
        | IntendedAction::Stake { .. }
        | IntendedAction::ExitStake { .. }
        | IntendedAction::SetCoinbase { .. }
        | IntendedAction::Create { .. } => "none of a duty's",
    }
}

/// The kinds of intents that the histories must reach: all except for the rare move under another attester.
const KINDS: [&str; 14] = [
    "announce",
    "approve",
    "block",
    "drop",
    "execute",
    "exit",
    "lock",
    "move",
    "push",
    "seed",
    "signal",
    "vote",
    "withdraw",
    "withdrawal",
];

fn run(seed: u64, steps: usize) -> BTreeMap<&'static str, usize> {
    struct Replay(u64, usize);
    impl Drop for Replay {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("replay with run({}, {})", self.0, self.1);
            }
        }
    }
    let _replay = Replay(seed, steps);
    let mut history = History::new(seed);
    for turn in 0..steps {
        history.step();
        history.check(turn);
    }
    history.accepted
}

#[test]
fn duties_ask_for_what_the_rules_accept_and_nothing_else() {
    let mut accepted: BTreeMap<_, usize> = BTreeMap::new();
    for seed in 0..4 {
        for (kind, count) in run(seed, 1200) {
            *accepted.entry(kind).or_default() += count;
        }
    }
    let missing: Vec<_> = KINDS.into_iter().filter(|kind| !accepted.contains_key(kind)).collect();
    assert_eq!(missing, [""; 0], "{accepted:#?}");
}
