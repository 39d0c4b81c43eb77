//! A sender and what it has in flight.

use crate::{
    outcome::{Act, Outcome},
    view::View,
};
use canon_l1::{Call, Checks, Error, Pending, Result, Sender};
use canon_protocol::BlockNumber;

/// After so many blocks without its receipt a transaction is asked for by its hash: a block may
/// have been missed.
const PATIENCE: u64 = 4;

#[derive(Debug)]
pub(crate) struct Desk {
    sender: Sender,
    in_flight: Vec<Flight>,
    /// What was refused when it was tried last, and why.
    refused: Vec<(Act, String)>,
}

#[derive(Debug)]
struct Flight {
    act: Act,
    pending: Pending,
    since: BlockNumber,
}

impl Desk {
    pub(crate) const fn new(sender: Sender) -> Self {
        Self { sender, in_flight: Vec::new(), refused: Vec::new() }
    }

    pub(crate) const fn sender(&self) -> &Sender {
        &self.sender
    }

    pub(crate) const fn is_idle(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// Whether something that satisfies `test` is in flight.
    pub(crate) fn has(&self, test: impl Fn(&Act) -> bool) -> bool {
        self.in_flight.iter().any(|flight| test(&flight.act))
    }

    /// Sends a transaction. What a contract refuses is an outcome; an endpoint that fails is an
    /// error.
    pub(crate) async fn submit(
        &mut self,
        act: Act,
        call: Call,
        checks: Checks,
        view: &View,
    ) -> Result<Outcome> {
        match self.sender.submit(call, checks, view.next_block()).await {
            Ok(pending) => {
                let transaction = pending.hash();
                self.in_flight.push(Flight { act, pending, since: view.head().number });
                Ok(Outcome::Sent { act, transaction })
            }
            Err(error @ Error::Rpc { .. }) => Err(error),
            Err(error) => Ok(Outcome::Failed { act, error }),
        }
    }

    /// The same for what is tried again in every block: a refusal is told once, not in each block.
    pub(crate) async fn keep_trying(
        &mut self,
        act: Act,
        call: Call,
        checks: Checks,
        view: &View,
    ) -> Result<Option<Outcome>> {
        let outcome = self.submit(act, call, checks, view).await?;
        Ok(self.unless_told(outcome))
    }

    /// The outcome, unless it is a refusal that was told before.
    pub(crate) fn unless_told(&mut self, outcome: Outcome) -> Option<Outcome> {
        let told = self.refused.iter().position(|(act, _)| *act == outcome.act());
        let Outcome::Failed { act, error } = &outcome else {
            told.map(|told| self.refused.swap_remove(told));
            return Some(outcome);
        };
        let why = error.to_string();
        match told {
            Some(told) if self.refused[told].1 == why => return None,
            Some(told) => self.refused[told].1 = why,
            None => self.refused.push((*act, why)),
        }
        Some(outcome)
    }

    /// What became of the transactions in flight. `expired` tells which of those that aren't mined
    /// are of no use any more.
    pub(crate) async fn settle(
        &mut self,
        view: &View,
        expired: impl Fn(&Act) -> bool,
    ) -> Result<Vec<Outcome>> {
        let mut outcomes = Vec::new();
        let client = self.sender.client().clone();
        let mut waiting = Vec::new();
        for flight in core::mem::take(&mut self.in_flight) {
            let Flight { act, ref pending, since } = flight;
            let hash = pending.hash();
            let receipt = view.blocks().iter().find_map(|block| block.get(hash));
            let age = view.head().number.steps_since(since).unwrap_or_default();
            let checked = match receipt {
                Some(receipt) => client.check(pending, receipt).await.map(Some),
                None if age >= PATIENCE => client.confirm(pending).await,
                None => Ok(None),
            };
            match checked {
                Ok(Some(confirmed)) => outcomes.push(Outcome::Done { act, confirmed }),
                Ok(None) if expired(&act) => {
                    outcomes.push(Outcome::Missed { act, transaction: hash });
                }
                Ok(None) => waiting.push(flight),
                Err(error @ Error::Rpc { .. }) => {
                    waiting.push(flight);
                    self.in_flight.extend(waiting);
                    return Err(error);
                }
                Err(error) => outcomes.push(Outcome::Failed { act, error }),
            }
        }
        self.in_flight = waiting;
        Ok(outcomes)
    }
}
