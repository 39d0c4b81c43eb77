//! A whole upgrade in few blocks, by one agent of each role, step by step.

use crate::{
    company::Company,
    test_chain::{Image, TestChain, attester, key, tokens},
    views::Maker,
};
use alloy_primitives::Address;
use canon_chain::{
    calls,
    tx::{Journal, JournalContents, MemoryJournal},
};
use canon_follow::{ChainSource, Follower};
use canon_protocol::{
    Amount, AttesterStatus, Payment, ProposalId, ProposalState, Seconds, Support, WithdrawalId,
};
use canon_views::{
    BlockDuty, IntentSubject, LockMethod, Order, PayOut, Present, Question, Share, SignalPlan,
};
use serde_json::Value;
use std::collections::BTreeMap;
use tokio::sync::OnceCell;

const ID: ProposalId = ProposalId::ZERO;

/// More blocks than any step takes, faults and all.
const MAX_BLOCKS: u32 = 150;

/// Those who act.
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
    /// Signals and the push; locks, withdrawals and the announcement of the move meanwhile.
    Proposal,
    Vote,
    Execution,
    /// Stakes follow, and what is due is paid.
    Moves,
    /// The stakers of the new rollup propose blocks.
    NewBlocks,
}

impl Who {
    pub(crate) const ALL: [Self; 4] = [Self::Sequencer, Self::Holder, Self::Keeper, Self::Mover];
}

impl Step {
    pub(crate) const ALL: [Self; 5] =
        [Self::Proposal, Self::Vote, Self::Execution, Self::Moves, Self::NewBlocks];
}

/// Who takes part, and what they want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cast {
    /// All, with all orders. Holder and keeper pay the same withdrawal, mover and keeper finalize the same
    /// move: of two transactions one fails, or isn't sent, as it happens.
    All,
    /// The keeper pays nobody, so that it takes nothing from the others.
    KeeperPaysNobody,
    /// There is no mover, and the holder withdraws nothing, so that they take nothing from the keeper.
    KeeperAlonePays,
    /// The holder has its power already, and only votes: no order that only the journal knows to be done.
    HolderOnlyVotes,
}

/// A set before the upgrade: staker 0 moves by a mover; staker 1 left; staker 2 announced its move to the
/// new rollup; the deployer gave up power. All three are due long before the execution.
struct Start {
    image: Image,
    new: Address,
    plan: SignalPlan,
}

/// The beginning of a step.
#[derive(Clone, Debug)]
pub(crate) struct StepStart {
    pub(crate) step: Step,
    image: Image,
    journals: BTreeMap<Who, JournalContents>,
}

pub(crate) struct Run {
    pub(crate) chain: TestChain,
    pub(crate) companies: Vec<Company>,
    /// The company and the number in it.
    places: BTreeMap<Who, (usize, usize)>,
    new: Address,
}

impl Start {
    async fn get() -> &'static Self {
        static START: OnceCell<Start> = OnceCell::const_new();
        START.get_or_init(Self::new).await
    }

    async fn new() -> Self {
        let mut chain = TestChain::with_short_rounds().await;
        let old = chain.addresses().rollup;
        // All slots are one sequencer's.
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
        chain.send_by(&mut leaver, calls::unstake(old, attester(1), recipient())).await;
        chain.send_by(&mut mover, calls::announce_move(old, attester(2), new)).await;
        // Where a seed can be recorded, and a round begins soon.
        chain.mine();
        Self { image: chain.image(), new, plan }
    }
}

fn recipient() -> Address {
    key("recipient", 0).address()
}

impl Run {
    /// The beginning, with everybody in one company; but for `apart`, who has one of its own.
    pub(crate) async fn new(maker: Maker, cast: Cast, apart: Option<Who>) -> Self {
        let start = Start::get().await;
        let mut run = Self::at(&start.image, maker, cast, apart, &BTreeMap::new()).await;
        if cast == Cast::HolderOnlyVotes {
            run.chain.lock_for(key("holder", 0).address(), tokens(2_500)).await;
        }
        run
    }

    /// The beginning of a step.
    pub(crate) async fn at_step(
        start: &StepStart,
        maker: Maker,
        cast: Cast,
        apart: Option<Who>,
    ) -> Self {
        let mut run = Self::at(&start.image, maker, cast, apart, &start.journals).await;
        if start.step == Step::NewBlocks {
            run.serve_new_rollup();
        }
        run
    }

    async fn at(
        image: &Image,
        maker: Maker,
        cast: Cast,
        apart: Option<Who>,
        journals: &BTreeMap<Who, JournalContents>,
    ) -> Self {
        let Start { new, plan, .. } = *Start::get().await;
        let chain = TestChain::at(image).await;
        let old = chain.addresses().rollup;
        let mut companies = vec![Company::new(&chain, maker).await];
        if apart.is_some() {
            companies.push(Company::new(&chain, maker).await);
        }
        let mut places = BTreeMap::new();
        for who in Who::ALL {
            if who == Who::Mover && cast == Cast::KeeperAlonePays {
                continue;
            }
            let number = usize::from(apart == Some(who));
            let company = &mut companies[number];
            let actor = match who {
                Who::Sequencer => company.add_sequencer(0, old, BlockDuty::Propose, Some(plan)),
                Who::Holder => add_holder(company, cast),
                Who::Keeper => {
                    let pay_out = match cast {
                        Cast::KeeperPaysNobody => PayOut::No,
                        _ => PayOut::Everything,
                    };
                    company.add_keeper(&chain, pay_out)
                }
                Who::Mover => company.add_mover(0, old, new),
            };
            let journal = journals.get(&who).cloned().unwrap_or_default();
            company.actors[actor].journal = MemoryJournal::new(journal);
            company.actors[actor].restart();
            // Views without history have what is asked for.
            let asked = &mut company.also_asked;
            asked.withdrawals.extend([0, 1].map(WithdrawalId::of));
            asked.rollups.insert(old, [0, 1, 2].map(attester).into());
            asked.rollups.insert(new, [0, 2].map(attester).into());
            places.insert(who, (number, actor));
        }
        Self { chain, companies, places, new }
    }

    /// The company that `who` is in, and its number there.
    pub(crate) fn place(&mut self, who: Who) -> (&mut Company, usize) {
        let (company, actor) = self.places[&who];
        (&mut self.companies[company], actor)
    }

    /// Where a step begins, to come back to.
    pub(crate) fn step_start(&self, step: Step) -> StepStart {
        let journals = self.places.iter().map(|(who, (company, actor))| {
            (*who, self.companies[*company].actors[*actor].journal.load().unwrap())
        });
        StepStart { step, image: self.chain.image(), journals: journals.collect() }
    }

    /// Skips the time in which nothing happens before a step.
    pub(crate) async fn skip_to(&mut self, step: Step) {
        let view = self.chain.look().await;
        let deadlines = view.proposal(ID).map(|proposal| proposal.deadlines());
        match (step, deadlines) {
            (Step::Vote, Some(deadlines)) => {
                self.chain.skip_until_next_is(deadlines.voting_starts());
            }
            (Step::Execution, Some(deadlines)) => {
                self.chain.skip_until_next_is(deadlines.earliest_execution());
            }
            (Step::NewBlocks, _) => self.serve_new_rollup(),
            _ => {}
        }
    }

    /// The operator of the sequencer goes to the new rollup.
    fn serve_new_rollup(&mut self) {
        let new = self.new;
        let (company, actor) = self.place(Who::Sequencer);
        company.sequencer(actor).identity.rollup = new;
    }

    /// Everybody acts, and a block is mined.
    pub(crate) async fn block(&mut self) {
        for company in &mut self.companies {
            company.act(&self.chain).await;
        }
        self.chain.mine();
    }

    pub(crate) async fn blocks(&mut self, count: u32) {
        for _ in 0..count {
            self.block().await;
        }
    }

    /// Plays a step to its end. `disturb` is called after every block.
    pub(crate) async fn step(
        &mut self,
        step: Step,
        cast: Cast,
        mut disturb: impl FnMut(&mut Self),
    ) {
        for _ in 0..MAX_BLOCKS {
            self.block().await;
            disturb(self);
            if self.is_over(step, cast).await {
                return;
            }
        }
        panic!("{step:?} isn't over after {MAX_BLOCKS} blocks:\n{}", self.story());
    }

    /// Whether all of a step is done that the agents do.
    async fn is_over(&self, step: Step, cast: Cast) -> bool {
        let (old, holder) = (self.chain.addresses().rollup, key("holder", 0).address());
        let mut question = Question::new(self.chain.next());
        question.rollups.insert(old, [0, 1, 2].map(attester).into());
        question.rollups.insert(self.new, [0, 2].map(attester).into());
        question.holders.insert(holder, [ID].into());
        question.withdrawals.extend([0, 1].map(WithdrawalId::of));
        let view = self.chain.ask(question).await;
        let moves =
            |number| view.attester(old, attester(number)).is_some_and(|here| here.moving.is_some());
        let is_moved = |number| {
            let there = view.attester(self.new, attester(number));
            there.is_some_and(|there| there.status == AttesterStatus::Validating)
        };
        let is_paid = |id| {
            let paid =
                |withdrawal: &canon_views::WithdrawalView| withdrawal.payment != Payment::Due;
            view.withdrawals.get(&WithdrawalId::of(id)).is_none_or(paid)
        };
        let pays = cast != Cast::KeeperPaysNobody;
        let proposal = view.proposal(ID);
        match step {
            Step::Proposal => {
                let is_announced = cast == Cast::KeeperAlonePays || moves(0);
                proposal.is_some() && is_announced && view.holders[&holder].power == power(cast)
            }
            Step::Vote => {
                let has_left =
                    view.attester(old, attester(1)).unwrap().status == AttesterStatus::None;
                proposal.unwrap().tally.yea == power(cast) && (has_left || !pays)
            }
            Step::Execution => {
                let is_executed = proposal.unwrap().state == ProposalState::Executed;
                is_executed && (is_paid(0) || !pays) && is_paid(1)
            }
            Step::Moves => (cast == Cast::KeeperAlonePays || is_moved(0)) && (is_moved(2) || !pays),
            Step::NewBlocks => {
                let head = view.rollups[&self.new].head;
                head.is_some_and(|head| head.number.get() >= 2)
            }
        }
    }

    /// The set's state, without what depends on when things happened: times, slots, and what there is one
    /// of for each slot.
    pub(crate) async fn outcome(&self) -> Value {
        let source = ChainSource::new(self.chain.client.clone());
        let mut follower = Follower::new(source, self.chain.identity.clone());
        follower.catch_up().await.unwrap();
        let mut state = serde_json::to_value(follower.state()).unwrap();
        forget_times(&mut state);
        state
    }

    /// The set's state.
    pub(crate) async fn state(&self) -> canon_protocol::SetState {
        let source = ChainSource::new(self.chain.client.clone());
        let mut follower = Follower::new(source, self.chain.identity.clone());
        follower.catch_up().await.unwrap();
        follower.state().clone()
    }

    /// What was confirmed to `who` that isn't of a slot or an epoch, in no particular order.
    pub(crate) fn confirmed_to(&mut self, who: Who) -> Vec<IntentSubject> {
        let (company, actor) = self.place(who);
        let mut confirmed = company.confirmed_to(actor);
        confirmed.retain(|subject| {
            !matches!(
                subject,
                IntentSubject::Signal { .. }
                    | IntentSubject::ProposeBlock { .. }
                    | IntentSubject::RecordSeed { .. }
            )
        });
        confirmed.sort_unstable();
        confirmed
    }

    pub(crate) fn story(&self) -> String {
        let stories = self
            .companies
            .iter()
            .map(|company| format!("{}\n{:#?}", company.story(), company.failures()));
        stories.collect()
    }
}

const fn power(cast: Cast) -> Amount {
    match cast {
        Cast::KeeperAlonePays => tokens(3_000),
        Cast::All | Cast::KeeperPaysNobody | Cast::HolderOnlyVotes => tokens(2_500),
    }
}

fn add_holder(company: &mut Company, cast: Cast) -> usize {
    let lock = |amount, method| Order::Lock { amount: tokens(amount), method };
    let vote = Order::Vote { id: ID, support: Support::Yea, share: Share::All };
    let withdraw = Order::Withdraw { share: Share::Exactly(tokens(500)), to: recipient() };
    let (approval, permit) = (lock(2_000, LockMethod::Approval), lock(1_000, LockMethod::Permit));
    match cast {
        Cast::HolderOnlyVotes => company.add_holder(0, [vote]),
        Cast::KeeperAlonePays => company.add_holder(0, [approval, permit, vote]),
        Cast::All | Cast::KeeperPaysNobody => {
            company.add_holder(0, [approval, permit, withdraw, vote])
        }
    }
}

/// Removes what depends on when things happened.
fn forget_times(state: &mut Value) {
    match state {
        Value::Object(fields) => {
            for time in [
                "block",
                "block_number",
                "creation",
                "unlocks_at",
                "last_mint",
                "last_payment",
                "last_slots",
                "ready_at",
                "exitable_at",
                "seats",
                "head",
                "instances",
            ] {
                fields.remove(time);
            }
            if let Some(power) = fields.get_mut("power") {
                for holder in power["holders"].as_array_mut().into_iter().flatten() {
                    for checkpoint in holder[1].as_array_mut().into_iter().flatten() {
                        checkpoint[0].take();
                    }
                }
            }
            fields.values_mut().for_each(forget_times);
        }
        Value::Array(values) => values.iter_mut().for_each(forget_times),
        _ => {}
    }
}
