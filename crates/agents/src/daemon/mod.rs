//! A program that runs one agent for as long as nothing ends it.
//!
//! [`Daemon::turn`] looks for a new block, makes one view of it, lets the agent act, and returns the [events](Event)
//! that people are told of, and the time until the next turn. The program that runs it logs the events and waits. No
//! clock is read here: the time is an argument.
//!
//! A failing endpoint ends nothing. The daemon keeps the last view, says once that the chain can't be read and once
//! that it can again, and meanwhile still raises alarms for steps whose time ends.

mod event;
pub mod metrics;
mod obstacles;
mod watch;
mod words;

pub use event::{Event, Level};
pub use metrics::Observed;
pub use watch::Watch;

use crate::agent::{Agent, AgentRole, Deadline, Part};
use alloy_primitives::U256;
use canon_chain::{
    Error, IntentSender, Rejection, Severity,
    tx::{TxEvent, TxReport},
};
use canon_follow::{HistoryProgress, OpenedSet, Pause};
use canon_protocol::{
    BlockNumber, ProposalState, Seconds, Timestamp,
    text::{Rounding, ether},
};
use canon_views::{IntendedAction, Intent, IntentId, Question, SetView, Window};
use core::time::Duration;
use metrics::Counts;
use obstacles::Obstacles;
use std::collections::{BTreeMap, BTreeSet};

/// The shortest time between two looks for a new block.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// The longest time between two looks while the chain can't be read, unless the endpoint asks for a longer one.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The blocks that a transaction has to be mined in before its step counts as not done.
const BLOCKS_TO_MINE: u64 = 3;

/// A running agent.
#[derive(Debug)]
pub struct Daemon<R> {
    agent: Agent<R>,
    watch: Watch,
    /// The time before the end of a window at which an alarm is raised.
    alarm_before: Seconds,
    /// The last view, and the time at which it was made.
    last: Option<(SetView, Timestamp)>,
    /// Whether the agent has to act once more on the last view, since an endpoint failed.
    is_unfinished: bool,
    outage: Option<Outage>,
    obstacles: Obstacles,
    /// The blocks in which the transactions in flight were sent.
    sent: BTreeMap<IntentId, BlockNumber>,
    /// The steps that an alarm was raised for.
    alarmed: BTreeSet<IntentId>,
    /// The notes that were given.
    noted: BTreeSet<String>,
    /// Whether the history wasn't known in the last view.
    is_history_lost: bool,
    deadlines: Vec<Deadline>,
    /// The number of intents that the agent pursued last.
    due: u64,
    /// The account's balance, and the block after which it was read.
    balance: Option<(U256, BlockNumber)>,
    counts: Counts,
    last_turn: Timestamp,
}

/// The time in which the chain can't be read.
#[derive(Clone, Debug)]
struct Outage {
    since: Timestamp,
    /// The turns that failed.
    failures: u32,
    reason: String,
}

/// What a turn brought.
#[derive(Debug)]
#[must_use]
pub struct Turn {
    /// The events, in order.
    pub events: Vec<Event>,
    /// The time to wait until the next turn.
    pub pause: Duration,
    /// The failure that ends the daemon: nothing that it does later would help.
    pub fatal: Option<Error>,
}

impl<R: AgentRole> Daemon<R> {
    /// A daemon that has seen no block. It raises an alarm for a step that isn't done when `alarm_before` is left of
    /// the time for it, or a quarter of that time if that is less.
    pub fn new(agent: Agent<R>, watch: Watch, alarm_before: Seconds) -> Self {
        Self {
            agent,
            watch,
            alarm_before,
            last: None,
            is_unfinished: false,
            outage: None,
            obstacles: Obstacles::default(),
            sent: BTreeMap::new(),
            alarmed: BTreeSet::new(),
            noted: BTreeSet::new(),
            is_history_lost: false,
            deadlines: Vec::new(),
            due: 0,
            balance: None,
            counts: Counts::default(),
            last_turn: Timestamp::ZERO,
        }
    }

    /// The numbers of the daemon after its last turn.
    pub fn observed(&self) -> Observed {
        let view = self.view();
        let present = view.map(|view| &view.present);
        let closes = self.deadlines.iter().map(|deadline| deadline.window.closes);
        Observed {
            last_turn: self.last_turn,
            is_reachable: self.outage.is_none() && self.counts.turns > 0,
            is_in_step: self.is_in_step(),
            has_history: view.is_some_and(|view| view.history.is_some()),
            block: present.map_or(0, |present| present.block.number.get()),
            block_time: present.map_or(Timestamp::ZERO, |present| present.block.timestamp),
            base_fee: present.map_or(0, |present| present.block.base_fee),
            balance: self.balance.map_or(U256::ZERO, |(balance, _)| balance),
            open_windows: self.deadlines.len() as u64,
            next_close: closes.min().unwrap_or(Timestamp::ZERO),
            due: self.due,
            in_flight: self.sender().in_flight().count() as u64,
            alarms: self.alarmed.len() as u64,
            counts: self.counts,
        }
    }

    /// The sender of the agent's transactions.
    pub const fn sender(&self) -> &IntentSender {
        self.agent.sender()
    }

    /// The last view of the set; `None` before the first.
    pub fn view(&self) -> Option<&SetView> {
        self.last.as_ref().map(|(view, _)| view)
    }

    /// Whether the daemon is in step with the chain: it has seen the newest block that an endpoint has.
    pub const fn is_in_step(&self) -> bool {
        self.last.is_some() && self.outage.is_none()
    }

    /// Looks for a new block once, at the time `now`, and lets the agent act on it. `progress` is called while a long
    /// history is read, and `pause` before a request of it is repeated.
    pub async fn turn(
        &mut self,
        now: Timestamp,
        progress: impl FnMut(HistoryProgress),
        pause: impl Pause,
    ) -> Turn {
        let mut turn = Turn { events: Vec::new(), pause: SHORTEST_PAUSE, fatal: None };
        let mut question = Question::default();
        self.agent.extend(&mut question);
        let failure = match self.watch.look(&question, progress, pause).await {
            Err(error) => Some(error),
            Ok(look) => {
                let is_new = look.opened.is_some();
                if let Some(opened) = look.opened {
                    self.note_opened(opened, now, &mut turn);
                }
                turn.pause =
                    until_next(look.head.timestamp + look.block_time, now, look.block_time);
                match is_new || self.is_unfinished {
                    true => self.act(&mut turn).await,
                    false => None,
                }
            }
        };
        match failure {
            None => self.note_answer(now, &mut turn),
            Some(error) => self.note_outage(error, now, &mut turn),
        }
        self.raise_alarms(now, &mut turn);
        turn.events.iter().for_each(|event| self.counts.add(event));
        self.counts.turns += 1;
        self.last_turn = now;
        turn
    }

    /// Lets the agent act on the last view. Returns the failure of an endpoint, after which it acts once more.
    async fn act(&mut self, turn: &mut Turn) -> Option<Error> {
        let (view, _) = self.last.as_ref()?;
        let tick = self.agent.tick(view).await;
        let block = view.present.block.number;
        let ids: BTreeSet<_> = tick.pursued.iter().map(Intent::id).collect();
        let watched = self.deadlines.iter().map(|deadline| deadline.window.intent.id());
        self.obstacles.begin_block(&ids.into_iter().chain(watched).collect());
        let mut endpoint_failure = None;
        for TxReport { intent, event } in tick.reports {
            match event {
                TxEvent::Sent { transaction, nonce } => {
                    self.obstacles.clear(intent);
                    if let Some(id) = intent {
                        self.sent.entry(id).or_insert(block);
                    }
                    turn.events.push(Event::Sent { intent, transaction, nonce });
                }
                TxEvent::Confirmed(confirmed) => {
                    self.obstacles.clear(intent);
                    let (transaction, block, fee) =
                        (confirmed.hash, confirmed.block, confirmed.fee);
                    turn.events.push(Event::Done { intent, transaction, block, fee });
                }
                TxEvent::TakenBack { transaction } => {
                    turn.events.push(Event::TakenBack { intent, transaction });
                }
                TxEvent::Superseded { by } => turn.events.push(Event::Superseded { intent, by }),
                TxEvent::Failed(error) if is_of_endpoint(&error) => endpoint_failure = Some(error),
                TxEvent::Failed(error) => {
                    let mut reason = error.to_string();
                    let pursued = tick.pursued.iter().find(|one| Some(one.id()) == intent);
                    if error.rejection() == Some(Rejection::InsufficientFunds)
                        && let Some(missing) = self.missing_ether(pursued).await
                    {
                        reason = missing;
                    }
                    if self.obstacles.is_news(intent, &error, &reason) {
                        turn.events.push(Event::Failed { intent, reason });
                    }
                    if error.severity() == Severity::Stop {
                        turn.fatal = Some(error);
                    }
                }
                other => turn.events.push(Event::Note { text: format!("{other:?}") }),
            }
        }
        let in_flight: BTreeSet<_> =
            self.sender().in_flight().filter_map(|one| one.intent.map(Intent::id)).collect();
        self.sent.retain(|id, _| in_flight.contains(id));
        self.due = tick.pursued.len() as u64;
        self.is_unfinished = endpoint_failure.is_some();
        self.read_balance(block, !turn.events.is_empty()).await;
        endpoint_failure
    }

    /// Reads the account's balance, if it may have changed or was read long ago. A failure doesn't matter.
    async fn read_balance(&mut self, block: BlockNumber, may_have_changed: bool) {
        let is_recent =
            |(_, read): (U256, BlockNumber)| block.steps_since(read).is_some_and(|age| age < 50);
        if (may_have_changed || !self.balance.is_some_and(is_recent))
            && let Ok(balance) = self.sender().balance().await
        {
            self.balance = Some((balance, block));
        }
    }

    /// What the account lacks to pay for an intent, in words; `None` if that isn't known.
    async fn missing_ether(&self, intent: Option<&Intent>) -> Option<String> {
        let (view, _) = self.last.as_ref()?;
        let (sender, present) = (self.sender(), &view.present);
        let balance = sender.balance().await.ok()?;
        let preview = match sender.preview(intent?, &present.block, present.next).await {
            Err(error @ Error::TooLittleEther { .. }) => return Some(error.to_string()),
            preview => preview.ok()?,
        };
        let needed = U256::from(preview.gas_limit).saturating_mul(U256::from(preview.fees.max_fee));
        let missing = needed.saturating_sub(balance);
        Some(format!(
            "the account has {} ether and it may cost {}: {} are missing; send ether to {}",
            ether(balance, Rounding::Down),
            ether(needed, Rounding::Up),
            ether(missing, Rounding::Up),
            sender.address()
        ))
    }

    /// Notes a new view of the set.
    fn note_opened(&mut self, opened: OpenedSet, now: Timestamp, turn: &mut Turn) {
        let OpenedSet { view, no_history, unknown, notes } = opened;
        if self.last.is_none() {
            let (block, has_history) = (view.present.block.number, view.history.is_some());
            let addresses = view.present.addresses;
            turn.events.push(Event::InStep { block, has_history, addresses });
        }
        let notes = notes.iter().map(ToString::to_string);
        let was_lost = core::mem::replace(&mut self.is_history_lost, view.history.is_none());
        if was_lost != self.is_history_lost {
            let text = match &no_history {
                Some(reason) => format!(
                    "the set's history isn't known, so payments and withheld actions may be missed: {reason}"
                ),
                None => "the set's history is known again".to_owned(),
            };
            turn.events.push(Event::Note { text });
        }
        let unknown = unknown.iter().map(|contract| {
            format!(
                "the origin of the contract at {contract} isn't known, so its events are left out"
            )
        });
        for text in notes.chain(unknown) {
            if self.noted.insert(text.clone()) {
                turn.events.push(Event::Note { text });
            }
        }
        let deadlines = self.agent.role.deadlines(&view);
        let before = core::mem::replace(&mut self.deadlines, deadlines);
        for window in before.iter().map(|deadline| &deadline.window) {
            let intent = window.intent.id();
            let is_open = self.deadlines.iter().any(|one| one.window.intent.id() == intent);
            if !is_open && is_missed(window, &view) {
                turn.events.push(Event::Missed { intent, closed: window.closes });
            }
        }
        self.last = Some((view, now));
    }

    fn note_answer(&mut self, now: Timestamp, turn: &mut Turn) {
        if let Some(outage) = self.outage.take() {
            let after = now.since(outage.since).unwrap_or_default();
            turn.events.insert(0, Event::Reachable { after });
        }
    }

    fn note_outage(&mut self, error: Error, now: Timestamp, turn: &mut Turn) {
        let before = self.outage.as_ref();
        let failures = before.map_or(0, |outage| outage.failures);
        let growing = SHORTEST_PAUSE.saturating_mul(2_u32.saturating_pow(failures));
        turn.pause = error.retry_after().unwrap_or_else(|| growing.min(LONGEST_PAUSE));
        // Before the first view, the set may never have been there.
        let is_fatal = error.severity() == Severity::Stop
            || self.last.is_none() && error.is_of_the_contracts();
        let reason = error.to_string();
        if before.is_none() {
            turn.events.push(Event::Unreachable { error: reason.clone() });
        }
        let since = before.map_or(now, |outage| outage.since);
        self.outage = Some(Outage { since, failures: failures.saturating_add(1), reason });
        if is_fatal {
            turn.fatal = Some(error);
        }
    }

    /// Raises an alarm for each step whose time ends soon and that isn't done, once.
    fn raise_alarms(&mut self, now: Timestamp, turn: &mut Turn) {
        let Some((view, seen)) = &self.last else { return };
        // Without new blocks, time passes all the same.
        let time = view.present.next + now.since(*seen).unwrap_or_default();
        let head = view.present.block.number;
        let open: BTreeSet<_> = self.deadlines.iter().map(|one| one.window.intent.id()).collect();
        self.alarmed.retain(|id| open.contains(id));
        for Deadline { window, part } in &self.deadlines {
            let intent = window.intent.id();
            let sent = self.sent.get(&intent);
            let has_time = sent.is_some_and(|sent| {
                self.outage.is_none()
                    && head.steps_since(*sent).unwrap_or_default() < BLOCKS_TO_MINE
            });
            if has_time
                || !window.is_closing(time, self.alarm_before)
                || !self.alarmed.insert(intent)
            {
                continue;
            }
            let reason = self.why_not(&window.intent, *part, view);
            let (closes, left) = (window.closes, window.left(time));
            turn.events.push(Event::Alarm { intent, closes, left, reason });
        }
    }

    /// The reason why a step isn't done.
    fn why_not(&self, intent: &Intent, part: Part, view: &SetView) -> String {
        let id = intent.id();
        if part == Part::LeftOut {
            return "its payload isn't on the list of this keeper".to_owned();
        }
        if let Some(outage) = &self.outage {
            return format!("the chain can't be read: {}", outage.reason);
        }
        let of_it = |one: &canon_chain::tx::InFlight<'_>| one.intent.map(Intent::id) == Some(id);
        if let Some(one) = self.sender().in_flight().find(of_it) {
            let obstacle = self.obstacles.of(id).map(|text| format!(" ({text})"));
            return format!("{} isn't mined yet{}", one.hash, obstacle.unwrap_or_default());
        }
        if let Some(reason) = self.obstacles.of(id) {
            return reason.to_owned();
        }
        if !self.agent.role.may_begin(self.agent.address(), view, intent) {
            return "it is the turn of another keeper".to_owned();
        }
        "it was not tried yet".to_owned()
    }
}

/// The time until the next block is expected, or a second if it should be there already.
fn until_next(expected: Timestamp, now: Timestamp, block_time: Seconds) -> Duration {
    let left = expected.since(now).unwrap_or_default().min(block_time);
    Duration::from_secs(left.get()).max(SHORTEST_PAUSE)
}

/// Whether an error is an endpoint's failure to answer.
const fn is_of_endpoint(error: &Error) -> bool {
    matches!(error, Error::Rpc { .. } | Error::NoEndpoint { .. })
}

/// Whether the time for a step is over and nobody took it.
fn is_missed(window: &Window, view: &SetView) -> bool {
    let present = &view.present;
    match &window.intent.action {
        IntendedAction::Push { payload, .. } => {
            let mut proposals = present.governance.proposals.iter();
            let is_pushed =
                proposals.any(|one| one.payload == *payload && one.creation >= window.opens);
            present.next > window.closes && !is_pushed
        }
        IntendedAction::Execute { id, .. } => present
            .proposal(*id)
            .is_some_and(|proposal| proposal.state_at(present.next) == ProposalState::Expired),
        _ => false,
    }
}
