//! Agents of all roles that act on one chain, block by block.

use crate::{
    test_chain::{BLOCK, TestChain, attester, connect, key},
    views::{Maker, Views},
};
use alloy_primitives::Address;
use alloy_rpc_client::RpcClient;
use alloy_signer_local::PrivateKeySigner;
use canon_agents::{Agent, AgentRole, Holder, Keeper, Mover, Recheck, Sequencer};
use canon_chain::{
    Client, FINALITY, IntentSender,
    tx::{FeePolicy, Journal, MemoryJournal, TxEvent, TxReport},
};
use canon_faults::{FaultPlan, Faults};
use canon_protocol::{BlockNumber, Epoch, Slot};
use canon_views::{
    BlockDuty, Duty, IntentId, IntentProgress, IntentSubject, MovePhase, MovePlan, Order,
    OrderStatus, PayOut, Question, RequestId, SequencerIdentity, SetView, SignalDecision,
    SignalPlan,
};
use std::collections::BTreeMap;
use tower::Layer;

/// The number of the first spare attester.
const SPARES: u64 = 0x1000;

/// Any role.
#[derive(Clone, Debug)]
pub(crate) enum AnyRole {
    Sequencer(Sequencer),
    Holder(Holder),
    Keeper(Keeper),
    Mover(Mover),
}

/// The status of any duty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Signal(SignalDecision),
    Orders(BTreeMap<RequestId, OrderStatus>),
    Keeps,
    Move(MovePhase),
}

impl AgentRole for AnyRole {
    type Status = Status;

    fn required_account(&self) -> Option<Address> {
        match self {
            Self::Sequencer(role) => role.required_account(),
            Self::Holder(role) => role.required_account(),
            Self::Keeper(role) => role.required_account(),
            Self::Mover(role) => role.required_account(),
        }
    }

    fn extend(&self, question: &mut Question) {
        match self {
            Self::Sequencer(role) => role.extend(question),
            Self::Holder(role) => role.extend(question),
            Self::Keeper(role) => role.extend(question),
            Self::Mover(role) => role.extend(question),
        }
    }

    fn duty(&self, view: &SetView, progress: &dyn Fn(&IntentId) -> IntentProgress) -> Duty<Status> {
        fn of<S>(duty: Duty<S>, status: impl FnOnce(S) -> Status) -> Duty<Status> {
            Duty { status: status(duty.status), intents: duty.intents }
        }
        match self {
            Self::Sequencer(role) => of(role.duty(view, progress), Status::Signal),
            Self::Holder(role) => of(role.duty(view, progress), Status::Orders),
            Self::Keeper(role) => of(role.duty(view, progress), |()| Status::Keeps),
            Self::Mover(role) => of(role.duty(view, progress), Status::Move),
        }
    }

    async fn recheck(
        &self,
        client: &Client,
        view: &SetView,
        duty: &mut Duty<Status>,
        is_in_flight: &(dyn Fn(&IntentId) -> bool + Sync),
    ) -> Recheck {
        // A run of an upgrade has fewer blocks than finality takes, so holders don't wait for it here.
        let (Self::Sequencer(role), Status::Signal(decision)) = (self, &duty.status) else {
            return Recheck::NotMade;
        };
        let mut own = Duty { status: *decision, intents: std::mem::take(&mut duty.intents) };
        let checked = role.recheck(client, view, &mut own, is_in_flight).await;
        *duty = Duty { status: Status::Signal(own.status), intents: own.intents };
        checked
    }
}

/// An agent, and the parts needed to restart it.
pub(crate) struct Actor {
    pub(crate) agent: Agent<AnyRole>,
    pub(crate) journal: MemoryJournal,
    /// The last status of its duty; `None` before the first block.
    pub(crate) status: Option<Status>,
    /// The number of its restarts.
    restarts: u32,
    client: Client,
    key: PrivateKeySigner,
    fees: FeePolicy,
}

/// A report of an agent.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The agent's number.
    pub(crate) actor: usize,
    /// The number of the agent's restarts so far.
    restarts: u32,
    /// The newest block at the time of the report.
    pub(crate) block: BlockNumber,
    pub(crate) report: TxReport,
}

/// A process: agents that act on one view, through one endpoint.
pub(crate) struct Process {
    /// The faults of the endpoint.
    pub(crate) faults: Faults,
    client: Client,
    pub(crate) views: Views,
    pub(crate) actors: Vec<Actor>,
    pub(crate) entries: Vec<Entry>,
    /// The reasons why there was no view of a block.
    view_failures: Vec<String>,
    /// The number of attempts at a view in each block.
    pub(crate) attempts: u32,
    /// A question that views answer in addition to those of the agents.
    pub(crate) also_asked: Question,
}

impl Actor {
    fn new(
        role: AnyRole,
        client: &Client,
        key: PrivateKeySigner,
        journal: MemoryJournal,
        fees: FeePolicy,
    ) -> Self {
        let sender = IntentSender::new(client.clone(), key.clone(), fees, journal.clone());
        let agent = Agent::new(role, sender.unwrap()).unwrap();
        Self { agent, journal, status: None, restarts: 0, client: client.clone(), key, fees }
    }

    /// Replaces the agent by one that continues from the journal.
    pub(crate) fn restart(&mut self) {
        let (role, key) = (self.agent.role.clone(), self.key.clone());
        let restarts = self.restarts + 1;
        let journal = self.journal.clone();
        *self = Self { restarts, ..Self::new(role, &self.client, key, journal, self.fees) };
    }

    /// Replaces the agent by one with an empty journal.
    pub(crate) fn restart_without_journal(&mut self) {
        self.journal = MemoryJournal::default();
        self.restart();
    }

    /// Whether no transaction is in flight.
    pub(crate) fn is_settled(&self) -> bool {
        self.agent.sender().in_flight().next().is_none()
    }
}

impl Process {
    /// A process without agents, with views that `maker` makes.
    pub(crate) async fn new(chain: &TestChain, maker: Maker) -> Self {
        let faults = Faults::default();
        let client = connect(RpcClient::new(faults.layer(chain.devchain.transport()), true)).await;
        let views = maker.start(client.clone(), chain.identity.clone());
        faults.set(FaultPlan::Never);
        Self {
            faults,
            client,
            views,
            actors: Vec::new(),
            entries: Vec::new(),
            view_failures: Vec::new(),
            attempts: 1,
            also_asked: Question::default(),
        }
    }

    /// Adds an agent with an empty journal. Returns its number.
    pub(crate) fn add(&mut self, role: AnyRole, key: PrivateKeySigner) -> usize {
        self.add_with(role, key, MemoryJournal::default())
    }

    /// Adds an agent that continues from a journal. Returns its number.
    pub(crate) fn add_with(
        &mut self,
        role: AnyRole,
        key: PrivateKeySigner,
        journal: MemoryJournal,
    ) -> usize {
        // Some tests use base fees above the default cap.
        let fees = FeePolicy { cap: None, ..FeePolicy::default() };
        self.actors.push(Actor::new(role, &self.client, key, journal, fees));
        self.actors.len() - 1
    }

    /// Adds the proposer of a staker, which signals for the payload of `plan`.
    pub(crate) fn add_sequencer(
        &mut self,
        number: u64,
        rollup: Address,
        blocks: BlockDuty,
        plan: Option<SignalPlan>,
    ) -> usize {
        let key = key("proposer", number);
        let identity = SequencerIdentity { proposer: key.address(), rollup, blocks };
        self.add(AnyRole::Sequencer(Sequencer { identity, plan }), key)
    }

    /// Adds a keeper with ether.
    pub(crate) fn add_keeper(&mut self, chain: &TestChain, pay_out: PayOut) -> usize {
        let key = key("keeper", 0);
        chain.fund(key.address());
        let keeper = Keeper { pay_out, ..Keeper::default() };
        self.add(AnyRole::Keeper(keeper), key)
    }

    /// Adds a holder with orders.
    pub(crate) fn add_holder<const N: usize>(&mut self, number: u64, orders: [Order; N]) -> usize {
        let key = key("holder", number);
        let mut holder = Holder::new(key.address());
        for order in orders {
            holder.add(order, RequestId::default());
        }
        self.add(AnyRole::Holder(holder), key)
    }

    /// Adds the withdrawer of a staker, which moves its stake.
    pub(crate) fn add_mover(&mut self, number: u64, from: Address, to: Address) -> usize {
        let key = key("withdrawer", number);
        let (attester, spare) = (attester(number), attester(SPARES + number));
        let plan = MovePlan { withdrawer: key.address(), attester, from, to, spare };
        self.add(AnyRole::Mover(Mover { plan }), key)
    }

    pub(crate) fn address(&self, actor: usize) -> Address {
        self.actors[actor].agent.address()
    }

    pub(crate) fn status(&self, actor: usize) -> &Status {
        self.actors[actor].status.as_ref().unwrap()
    }

    pub(crate) fn sequencer(&mut self, actor: usize) -> &mut Sequencer {
        match &mut self.actors[actor].agent.role {
            AnyRole::Sequencer(role) => role,
            other => panic!("{other:?} is no sequencer"),
        }
    }

    /// Gives a holder an order.
    pub(crate) fn order(&mut self, actor: usize, order: Order) -> RequestId {
        let agent = &mut self.actors[actor].agent;
        let unused = agent.sender().next_request();
        match &mut agent.role {
            AnyRole::Holder(role) => role.add(order, unused),
            other => panic!("{other:?} is no holder"),
        }
    }

    /// The question of all agents.
    fn question(&self) -> Question {
        let mut question = self.also_asked.clone();
        for actor in &self.actors {
            actor.agent.extend(&mut question);
        }
        question
    }

    /// Makes a view for all agents, as [`Self::act`] does.
    pub(crate) async fn look(&mut self) -> Result<SetView, String> {
        let question = self.question();
        self.views.view(&question, BLOCK).await
    }

    /// Makes all agents act on the present block, unless there is no view of it. If a request ends the
    /// process, another one continues.
    pub(crate) async fn act(&mut self, chain: &TestChain) {
        let faults = self.faults.clone();
        tokio::select! {
            biased;
            () = faults.killed() => self.restart(chain),
            () = self.act_on_view() => {}
        }
    }

    async fn act_on_view(&mut self) {
        for _ in 0..self.attempts {
            match self.look().await {
                Ok(view) => {
                    for actor in 0..self.actors.len() {
                        self.tick(actor, &view).await;
                    }
                    return;
                }
                Err(error) => self.view_failures.push(error),
            }
        }
    }

    /// Makes one agent act on a view.
    pub(crate) async fn tick(&mut self, actor: usize, view: &SetView) {
        let tick = self.actors[actor].agent.tick(view).await;
        self.actors[actor].status = Some(tick.status);
        let block = view.present.block.number;
        let restarts = self.actors[actor].restarts;
        let entries = tick.reports.into_iter();
        self.entries.extend(entries.map(|report| Entry { actor, restarts, block, report }));
    }

    /// Another process with the same agents, and with copies of their journals.
    pub(crate) async fn copy(&self, chain: &TestChain) -> Self {
        let mut copy = Self::new(chain, self.views.maker()).await;
        copy.also_asked = self.also_asked.clone();
        for Actor { agent, key, journal, .. } in &self.actors {
            let journal = MemoryJournal::new(journal.load().unwrap());
            copy.add_with(agent.role.clone(), key.clone(), journal);
        }
        copy
    }

    /// Limits what the agents' transactions offer, in wei per gas.
    pub(crate) fn set_cap(&mut self, cap: u128) {
        for actor in &mut self.actors {
            actor.fees.cap = Some(cap);
            actor.restart();
        }
    }

    /// Replaces the process by one that continues from the journals.
    pub(crate) fn restart(&mut self, chain: &TestChain) {
        let maker = self.views.maker();
        self.views = maker.start(self.client.clone(), chain.identity.clone());
        self.actors.iter_mut().for_each(Actor::restart);
    }

    /// Makes all agents act on the present block, and mines the next one.
    pub(crate) async fn run_block(&mut self, chain: &TestChain) {
        self.act(chain).await;
        chain.mine();
    }

    pub(crate) async fn run_blocks(&mut self, chain: &TestChain, blocks: u32) {
        for _ in 0..blocks {
            self.run_block(chain).await;
        }
    }

    /// Runs until `is_it` holds for a new entry. Panics after this number of blocks.
    pub(crate) async fn run_until(
        &mut self,
        chain: &TestChain,
        blocks: u32,
        is_it: impl Fn(&Entry) -> bool,
    ) {
        for _ in 0..blocks {
            let before = self.entries.len();
            self.run_block(chain).await;
            if self.entries[before..].iter().any(&is_it) {
                return;
            }
        }
        panic!("not within {blocks} blocks:\n{}", self.log());
    }

    /// Forgets the reports made so far.
    pub(crate) fn forget_reports(&mut self) {
        self.entries.clear();
        self.view_failures.clear();
    }

    /// The confirmed intents, in order: block by block, and in each in the order of the agents' numbers.
    pub(crate) fn confirmed(&self) -> Vec<IntentSubject> {
        self.confirmed_since(0)
    }

    /// The slots whose signals were confirmed, in order.
    pub(crate) fn signaled(&self) -> Vec<Slot> {
        let slots = self.confirmed().into_iter().filter_map(|subject| match subject {
            IntentSubject::Signal { slot, .. } => Some(slot),
            _ => None,
        });
        slots.collect()
    }

    /// The slots of a rollup whose blocks were confirmed, in order, with their proposers.
    pub(crate) fn proposed(&self, on: Address) -> Vec<(Slot, Address)> {
        let slots = self.entries.iter().filter_map(|entry| match entry.confirmed()? {
            IntentSubject::ProposeBlock { rollup, slot } if rollup == on => {
                Some((slot, self.address(entry.actor)))
            }
            _ => None,
        });
        slots.collect()
    }

    /// The epochs of a rollup whose seeds were confirmed, in order, with the accounts that recorded them.
    pub(crate) fn seeded(&self, on: Address) -> Vec<(Epoch, Address)> {
        let epochs = self.entries.iter().filter_map(|entry| match entry.confirmed()? {
            IntentSubject::RecordSeed { rollup, epoch } if rollup == on => {
                Some((epoch, self.address(entry.actor)))
            }
            _ => None,
        });
        epochs.collect()
    }

    /// The intents confirmed from an entry on.
    pub(crate) fn confirmed_since(&self, entry: usize) -> Vec<IntentSubject> {
        self.entries[entry..].iter().filter_map(Entry::confirmed).collect()
    }

    /// The intents confirmed to one agent, in order. Each transaction counts once: a process that starts
    /// again reports those of the last 64 blocks again.
    ///
    /// Fails if anything else was confirmed twice.
    pub(crate) fn confirmed_to(&self, actor: usize) -> Vec<IntentSubject> {
        let mut seen = BTreeMap::new();
        for entry in self.entries.iter().filter(|entry| entry.actor == actor) {
            let TxEvent::Confirmed(confirmed) = &entry.report.event else { continue };
            let Some(subject) = entry.subject() else { continue };
            let again = seen.insert(subject, (confirmed.hash, entry.restarts));
            if let Some((hash, restarts)) = again {
                let log = self.log();
                assert_eq!(hash, confirmed.hash, "{subject:?} was done twice:\n{log}");
                assert!(restarts < entry.restarts, "{subject:?} was reported twice:\n{log}");
                let age = entry.block.steps_since(confirmed.block).unwrap();
                assert!(age <= FINALITY, "{subject:?} was final when reported again:\n{log}");
            }
        }
        seen.into_keys().collect()
    }

    /// The intents sent from an entry on, in order.
    pub(crate) fn sent_since(&self, entry: usize) -> Vec<IntentSubject> {
        self.entries[entry..].iter().filter_map(Entry::sent).collect()
    }

    /// The failures as texts, in order, those of views first.
    pub(crate) fn failures(&self) -> Vec<String> {
        let views = self.view_failures.iter().cloned();
        views.chain(self.failures_since(0)).collect()
    }

    pub(crate) fn failures_since(&self, entry: usize) -> Vec<String> {
        self.entries[entry..].iter().filter_map(Entry::failure).collect()
    }

    /// The failures of one agent from an entry on.
    pub(crate) fn failures_of(&self, actor: usize, entry: usize) -> Vec<String> {
        let own = self.entries[entry..].iter().filter(|entry| entry.actor == actor);
        own.filter_map(Entry::failure).collect()
    }

    /// All reports, one per line.
    pub(crate) fn log(&self) -> String {
        let line = |entry: &Entry| {
            let Entry { actor, block, report, .. } = entry;
            let what = match &report.event {
                TxEvent::Failed(error) => format!("failed: {error}"),
                TxEvent::Sent { nonce, .. } => format!("sent as {nonce}"),
                TxEvent::Confirmed(_) => "confirmed".to_owned(),
                other => format!("{other:?}"),
            };
            let subject = report.intent.map(|id| id.subject);
            format!("block {block}, agent {actor}: {subject:?} {what}\n")
        };
        self.entries.iter().map(line).collect()
    }
}

impl Entry {
    /// The intent that it confirms.
    pub(crate) fn confirmed(&self) -> Option<IntentSubject> {
        self.subject().filter(|_| matches!(self.report.event, TxEvent::Confirmed(_)))
    }

    /// The intent that it sends.
    pub(crate) fn sent(&self) -> Option<IntentSubject> {
        self.subject().filter(|_| matches!(self.report.event, TxEvent::Sent { .. }))
    }

    pub(crate) fn failure(&self) -> Option<String> {
        match &self.report.event {
            TxEvent::Failed(error) => Some(error.to_string()),
            _ => None,
        }
    }

    fn subject(&self) -> Option<IntentSubject> {
        self.report.intent.map(|id| id.subject)
    }
}

/// A predicate on the intent that an entry confirms.
pub(crate) fn is_done(test: impl Fn(IntentSubject) -> bool) -> impl Fn(&Entry) -> bool {
    move |entry| entry.confirmed().is_some_and(&test)
}
