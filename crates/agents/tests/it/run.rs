//! A whole upgrade in few blocks, by one agent of each role, step by step.

use crate::{
    process::Process,
    test_chain::{
        BLOCK, BLOCK_HASH, Image, TestChain, announce_move, attester, exit_stake, key, tokens,
    },
    views::{Maker, Views},
};
use alloy_primitives::{Address, B256};
use canon_chain::{
    calls,
    tx::{Journal, JournalContents, MemoryJournal},
};
use canon_devchain::{OldTransactions, ReorgOptions, SnapshotId};
use canon_faults::FaultPlan;
use canon_protocol::{
    Amount, AttesterStatus, Payment, ProposalId, ProposalState, SetState, Support, WithdrawalId,
};
use canon_views::{
    BlockDuty, IntentSubject, LockMethod, Order, OrderAmount, PayOut, Question, SetView, SignalPlan,
};
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::OnceCell;

const ID: ProposalId = ProposalId::ZERO;

/// More blocks than any step takes, also at an endpoint that fails one request in six on a chain that is reorganized.
const MAX_BLOCKS: u32 = 150;

/// The agents that take part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    Sequencer,
    Holder,
    Keeper,
    Mover,
}

/// The parts of the upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// Locks, withdrawals, and the announcement of the move.
    Orders,
    /// Signals and the push.
    Signals,
    Vote,
    Execution,
    /// The stakes move, and due amounts are paid.
    Moves,
    /// The stakers of the new rollup propose blocks.
    NewBlocks,
}

impl Who {
    pub(crate) const ALL: [Self; 4] = [Self::Sequencer, Self::Holder, Self::Keeper, Self::Mover];
}

impl Step {
    pub(crate) const ALL: [Self; 6] =
        [Self::Orders, Self::Signals, Self::Vote, Self::Execution, Self::Moves, Self::NewBlocks];
}

/// The participants and their orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Participants {
    /// All participants, with all orders. Holder and keeper pay the same withdrawal, and mover and keeper
    /// finalize the same move. Of two such transactions one fails or isn't sent, depending on timing.
    All,
    /// The keeper pays nobody, so that it takes nothing from the others.
    KeeperPaysNobody,
    /// There is no mover, and the holder withdraws nothing, so that the keeper does all payments.
    KeeperAlonePays,
    /// The holder has its power already and only votes, so that no order depends on the journal alone.
    HolderOnlyVotes,
}

/// A set before the upgrade. The mover moves the stake of staker 0, staker 1 has left, staker 2 has
/// announced its move to the new rollup, and the deployer has given up power. All three payments are due
/// long before the execution.
struct Start {
    image: Image,
    new: Address,
    plan: SignalPlan,
}

/// The state at the beginning of a step, to return to.
#[derive(Debug)]
pub(crate) struct StepStart {
    step: Step,
    snapshot: SnapshotId,
    journals: BTreeMap<Who, JournalContents>,
    /// The views of the processes and of the test, which have seen all blocks so far.
    views: (Vec<Views>, Views),
}

pub(crate) struct Run {
    pub(crate) chain: TestChain,
    pub(crate) processes: Vec<Process>,
    /// The process of each agent, and the agent's number in it.
    places: BTreeMap<Who, (usize, usize)>,
    participants: Participants,
    /// The number of the block before the present step.
    step_start: u64,
    /// The views of the test itself.
    views: Views,
}

impl Start {
    async fn get() -> &'static Self {
        static START: OnceCell<Start> = OnceCell::const_new();
        START.get_or_init(Self::new).await
    }

    async fn new() -> Self {
        let mut chain = TestChain::with_short_rounds().await;
        let old = chain.addresses().rollup;
        // All slots belong to one sequencer.
        for number in 0..3 {
            chain.stake_with_proposer(old, number, 0).await;
        }
        let (new, plan) = chain.upgrade("1").await;
        chain.endow(key("holder", 0).address(), tokens(5_000)).await;
        chain.fund(key("keeper", 0).address());
        let deployer = chain.deployer.address();
        chain.lock_for(deployer, tokens(100)).await;
        let withdraw = calls::withdraw(chain.addresses().governance, recipient(), tokens(100));
        chain.send(withdraw).await;
        let [mut leaver, mut mover] = [1, 2].map(|number| chain.sender(key("withdrawer", number)));
        chain.send_by(&mut leaver, exit_stake(old, attester(1), recipient())).await;
        chain.send_by(&mut mover, announce_move(old, attester(2), new)).await;
        Self { image: chain.image(), new, plan }
    }
}

fn recipient() -> Address {
    key("recipient", 0).address()
}

impl Run {
    /// A run at its beginning, with all agents in one process, except `apart`, which has its own.
    pub(crate) async fn new(maker: Maker, participants: Participants, apart: Option<Who>) -> Self {
        let Start { image, new, plan } = Start::get().await;
        let mut chain = TestChain::at(image).await;
        let (old, new) = (chain.addresses().rollup, *new);
        if participants == Participants::HolderOnlyVotes {
            chain.lock_for(key("holder", 0).address(), tokens(2_500)).await;
        }
        let mut processes = Vec::new();
        if apart.is_some() {
            // The process of those whose endpoint doesn't fail.
            processes.push(Process::new(&chain, Maker::Fold).await);
        }
        processes.push(Process::new(&chain, maker).await);
        for process in &mut processes {
            // Views without history contain the entries asked for.
            let asked = &mut process.also_asked;
            asked.withdrawals.extend([0, 1].map(WithdrawalId::of));
            asked.rollups.insert(old, [0, 1, 2].map(attester).into());
            asked.rollups.insert(new, [0, 2].map(attester).into());
        }
        let mut places = BTreeMap::new();
        for who in Who::ALL {
            let number = usize::from(apart == Some(who));
            let process = &mut processes[number];
            let actor = match who {
                Who::Sequencer => {
                    process.add_sequencer(0, old, BlockDuty::Propose(BLOCK_HASH), None)
                }
                Who::Holder => add_holder(process, participants, plan.actions_hash),
                Who::Keeper if participants == Participants::KeeperPaysNobody => {
                    process.add_keeper(&chain, PayOut::No)
                }
                Who::Keeper => process.add_keeper(&chain, PayOut::Everything),
                Who::Mover if participants == Participants::KeeperAlonePays => continue,
                Who::Mover => process.add_mover(0, old, new),
            };
            places.insert(who, (number, actor));
        }
        let views = Maker::Fold.start(chain.client.clone(), chain.identity.clone());
        let step_start = chain.devchain.block_number();
        Self { chain, processes, places, participants, step_start, views }
    }

    /// Replaces the newest blocks by empty ones, but none before the present step: intents with a deadline
    /// couldn't be repeated after the time that was skipped.
    pub(crate) fn reorganize(&self, depth: u64, old: OldTransactions) {
        let devchain = &self.chain.devchain;
        let depth = depth.min(devchain.block_number() - self.step_start);
        devchain.reorg(ReorgOptions { depth, old, ..ReorgOptions::default() }).unwrap();
    }

    /// Saves the state at the beginning of a step, to return to it.
    pub(crate) async fn save(&mut self, step: Step) -> StepStart {
        let journals = self.places.iter().map(|(who, (process, actor))| {
            (*who, self.processes[*process].actors[*actor].journal.load().unwrap())
        });
        let journals = journals.collect();
        self.look().await;
        let mut views = (Vec::new(), self.views.clone());
        for process in &mut self.processes {
            process.look().await.unwrap();
            views.0.push(process.views.clone());
        }
        StepStart { step, snapshot: self.chain.devchain.snapshot(), journals, views }
    }

    /// Returns to the beginning of a step. The agents are restarted with the journals of that time, and
    /// nothing fails.
    pub(crate) async fn come_back_to(&mut self, start: &mut StepStart) {
        self.chain.devchain.revert(start.snapshot).unwrap();
        start.snapshot = self.chain.devchain.snapshot();
        self.step_start = self.chain.devchain.block_number();
        for (who, journal) in &start.journals {
            let (process, actor) = self.place(*who);
            process.actors[actor].journal = MemoryJournal::new(journal.clone());
            process.actors[actor].restart();
        }
        self.set_up(start.step).await;
        self.views = start.views.1.clone();
        for (process, views) in self.processes.iter_mut().zip(&start.views.0) {
            process.views = views.clone();
            process.forget_reports();
            process.faults.set(FaultPlan::Never);
        }
    }

    /// The process that `who` is in, and its number there.
    pub(crate) fn place(&mut self, who: Who) -> (&mut Process, usize) {
        let (process, actor) = self.places[&who];
        (&mut self.processes[process], actor)
    }

    /// Changes the agents' settings at the beginning of a step.
    pub(crate) async fn set_up(&mut self, step: Step) {
        let Start { new, plan, .. } = *Start::get().await;
        let old = self.chain.addresses().rollup;
        let (process, actor) = self.place(Who::Sequencer);
        let sequencer = process.sequencer(actor);
        sequencer.plan = (step >= Step::Signals).then_some(plan);
        sequencer.identity.rollup = if step >= Step::NewBlocks { new } else { old };
    }

    /// Advances to the beginning of a step, through blocks or time in which nothing relevant happens.
    pub(crate) async fn go_to(&mut self, step: Step) {
        let view = self.look().await.present;
        let deadlines = view.proposal(ID).map(|proposal| proposal.deadlines());
        match (step, deadlines) {
            (Step::Signals, _) => {
                // The first L1 block of the first slot of a round.
                while !self.is_round_start().await {
                    self.block().await;
                }
            }
            (Step::Vote, Some(deadlines)) => {
                self.chain.skip_until_next_is(deadlines.voting_starts());
            }
            (Step::Execution, Some(deadlines)) => {
                self.chain.skip_until_next_is(deadlines.earliest_execution());
            }
            _ => {}
        }
        self.step_start = self.chain.devchain.block_number();
        self.set_up(step).await;
    }

    /// Whether the next block is the first one of a round in which signals are possible.
    async fn is_round_start(&mut self) -> bool {
        let view = self.look().await.present;
        let rules = view.signaling.as_ref().unwrap().rules;
        let rollup = view.canonical_rollup().unwrap();
        let slot = rollup.slot.unwrap();
        let starts = rollup.clock.slot_start(rules.first_slot(rules.round_of(slot))).unwrap();
        rollup.proposer.is_some() && view.next.get() < starts.get() + BLOCK.get()
    }

    /// The views of the test itself.
    async fn look(&mut self) -> SetView {
        let (old, new) = (self.chain.addresses().rollup, Start::get().await.new);
        let mut question = Question::default();
        question.rollups.insert(old, [0, 1, 2].map(attester).into());
        question.rollups.insert(new, [0, 2].map(attester).into());
        question.holders.insert(key("holder", 0).address(), [ID].into());
        question.withdrawals.extend([0, 1].map(WithdrawalId::of));
        self.views.view(&question, BLOCK).await.unwrap()
    }

    /// Makes all agents act.
    pub(crate) async fn act(&mut self) {
        for process in &mut self.processes {
            process.act(&self.chain).await;
        }
    }

    /// Makes all agents act, and mines a block.
    pub(crate) async fn block(&mut self) {
        self.act().await;
        self.chain.mine();
    }

    pub(crate) async fn blocks(&mut self, count: u32) {
        for _ in 0..count {
            self.block().await;
        }
    }

    /// Runs a step to its end. `after_block` is called after every block.
    pub(crate) async fn step(&mut self, step: Step, mut after_block: impl FnMut(&mut Self)) {
        for _ in 0..MAX_BLOCKS {
            self.block().await;
            after_block(self);
            if self.is_over(step).await {
                return;
            }
        }
        let present = self.look().await.present;
        let (proposal, rollups) = (present.proposal(ID), &present.rollups);
        panic!(
            "{step:?} isn't over after {MAX_BLOCKS} blocks: {proposal:?} {rollups:?}\n{}",
            self.log()
        );
    }

    /// Whether the agents have done all of a step.
    async fn is_over(&mut self, step: Step) -> bool {
        let view = self.look().await.present;
        let (old, new) = (self.chain.addresses().rollup, Start::get().await.new);
        let stands = |rollup, number| view.attester(rollup, attester(number)).unwrap();
        let is_moved = |number| stands(new, number).status == AttesterStatus::Validating;
        let is_paid = |id| {
            let withdrawal = view.withdrawals.get(&WithdrawalId::of(id));
            withdrawal.is_none_or(|withdrawal| withdrawal.payment != Payment::Due)
        };
        let (pays, moves) = (
            self.participants != Participants::KeeperPaysNobody,
            self.participants != Participants::KeeperAlonePays,
        );
        let proposal = view.proposal(ID);
        let power = power(self.participants);
        match step {
            Step::Orders => {
                let holder = &view.holders[&key("holder", 0).address()];
                let is_locked = holder.power == power
                    && view.governance.withdrawal_count == withdrawals(self.participants);
                is_locked && (stands(old, 0).moving.is_some() || !moves)
            }
            Step::Signals => proposal.is_some(),
            Step::Vote => {
                let has_left = stands(old, 1).status == AttesterStatus::None;
                proposal.unwrap().tally.yea == power && (has_left || !pays)
            }
            Step::Execution => {
                let is_executed = proposal.unwrap().state == ProposalState::Executed;
                is_executed && (is_paid(0) || !pays) && is_paid(1)
            }
            Step::Moves => (is_moved(0) || !moves) && (is_moved(2) || !pays),
            Step::NewBlocks => view.rollups[&new].head.is_some(),
        }
    }

    /// The set's state.
    pub(crate) async fn state(&mut self) -> Arc<SetState> {
        self.look().await.history.unwrap()
    }

    /// The set's state, without the parts that depend on when things happened: times, slots, entries that
    /// each slot has one of, and whether a lock found an allowance or needed a permit.
    pub(crate) async fn outcome(&mut self) -> Value {
        let mut state = serde_json::to_value(&*self.state().await).unwrap();
        forget_times(&mut state);
        let asset = state["asset"].as_object_mut().unwrap();
        asset.remove("nonces").unwrap();
        state
    }

    /// The intents confirmed to `who` that don't belong to a slot or an epoch, sorted. Fails if anything
    /// was [confirmed twice](Process::confirmed_to).
    pub(crate) fn confirmed_to(&mut self, who: Who) -> Vec<IntentSubject> {
        let (process, actor) = self.place(who);
        let mut confirmed = process.confirmed_to(actor);
        confirmed.retain(|subject| !is_of_slot_or_epoch(subject));
        confirmed
    }

    /// The number of transactions that each agent's account has sent, in order of the agents.
    pub(crate) fn transaction_counts(&self) -> Vec<u64> {
        let actors = self.processes.iter().flat_map(|process| &process.actors);
        actors.map(|actor| self.chain.devchain.nonce(actor.agent.address())).collect()
    }

    pub(crate) fn log(&self) -> String {
        let logs = self
            .processes
            .iter()
            .map(|process| format!("{}\n{:#?}", process.log(), process.failures()));
        logs.collect()
    }
}

/// Whether each slot or epoch has an intent of this kind.
pub(crate) const fn is_of_slot_or_epoch(subject: &IntentSubject) -> bool {
    matches!(
        subject,
        IntentSubject::Signal { .. }
            | IntentSubject::ProposeBlock { .. }
            | IntentSubject::RecordSeed { .. }
    )
}

/// Fails if two values differ, and shows where.
pub(crate) fn assert_same(found: &Value, expected: &Value, case: impl Fn() -> String) {
    fn differ(path: String, found: &Value, expected: &Value, differences: &mut Vec<String>) {
        match (found, expected) {
            (Value::Object(found), Value::Object(expected)) if found.keys().eq(expected.keys()) => {
                for ((key, found), expected) in found.iter().zip(expected.values()) {
                    differ(format!("{path}.{key}"), found, expected, differences);
                }
            }
            (Value::Array(found), Value::Array(expected)) if found.len() == expected.len() => {
                for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
                    differ(format!("{path}[{index}]"), found, expected, differences);
                }
            }
            _ if found == expected => {}
            _ => differences.push(format!("{path} is {found} where {expected} was expected")),
        }
    }
    let mut differences = Vec::new();
    differ(String::new(), found, expected, &mut differences);
    assert!(differences.is_empty(), "{}\n{}", differences.join("\n"), case());
}

const fn power(participants: Participants) -> Amount {
    match participants {
        Participants::KeeperAlonePays => tokens(3_000),
        Participants::All | Participants::KeeperPaysNobody | Participants::HolderOnlyVotes => {
            tokens(2_500)
        }
    }
}

/// The number of withdrawals of the deployer and of the holder.
const fn withdrawals(participants: Participants) -> u64 {
    match participants {
        Participants::All | Participants::KeeperPaysNobody => 2,
        Participants::KeeperAlonePays | Participants::HolderOnlyVotes => 1,
    }
}

fn add_holder(process: &mut Process, participants: Participants, actions_hash: B256) -> usize {
    let lock = |amount, method| Order::Lock { amount: tokens(amount), method };
    let (support, amount) = (Support::Yea, OrderAmount::All);
    let vote = Order::Vote { id: ID, actions_hash, support, amount };
    let to = key("holder", 0).address();
    let withdraw = Order::Withdraw { amount: OrderAmount::Exactly(tokens(500)), to };
    let (approval, permit) = (lock(2_000, LockMethod::Approval), lock(1_000, LockMethod::Permit));
    match participants {
        Participants::HolderOnlyVotes => process.add_holder(0, [vote]),
        Participants::KeeperAlonePays => process.add_holder(0, [approval, permit, vote]),
        Participants::All | Participants::KeeperPaysNobody => {
            process.add_holder(0, [approval, permit, withdraw, vote])
        }
    }
}

/// Removes the parts that depend on when, and in what order, things happened.
fn forget_times(state: &mut Value) {
    match state {
        Value::Object(fields) => {
            for field in [
                // Times.
                "block",
                "block_number",
                "creation",
                "execution",
                "unlocks_at",
                "last_mint",
                "last_payment",
                "ready_at",
                "exitable_at",
                // Entries that each slot or epoch has one of.
                "last_slots",
                "head",
                "instances",
                "seats",
                // The order in which stakes arrived.
                "seat",
            ] {
                fields.remove(field);
            }
            if let Some(Value::Array(registrations)) = fields.get_mut("registrations") {
                registrations.sort_by_key(|one| one["attester"].to_string());
            }
            if let Some(power) = fields.get_mut("power") {
                for holder in power["holders"].as_array_mut().into_iter().flatten() {
                    // Only the present power is kept.
                    let newest = holder[1].as_array().and_then(|history| history.last());
                    holder[1] = newest.map_or(Value::Null, |newest| newest[1].clone());
                }
            }
            fields.values_mut().for_each(forget_times);
        }
        Value::Array(values) => values.iter_mut().for_each(forget_times),
        _ => {}
    }
}
