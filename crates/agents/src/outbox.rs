//! A sender and what it has in flight.

use crate::{
    outcome::{Act, Outcome},
    view::View,
};
use canon_chain::{Checks, Confirmed, ContractCall, Pending, Result, Sender};
use canon_protocol::BlockNumber;

/// After so many blocks without its receipt a transaction is asked for by its hash: a block may
/// have been missed.
const PATIENCE: u64 = 4;

/// Every so many blocks without its receipt a transaction is sent again with higher fees, under the
/// same nonce: it may be stuck, or lost.
const RENEWAL: u64 = 8;

#[derive(Debug)]
pub(crate) struct Outbox {
    sender: Sender,
    in_flight: Vec<Flight>,
    /// What was refused when it was tried last, and why.
    refused: Vec<(Act, String)>,
    /// How many it knows of.
    reorganizations: u64,
}

#[derive(Debug)]
struct Flight {
    act: Act,
    /// The transaction and those that replace it: at most one of them will be mined.
    sent: Vec<Pending>,
    since: BlockNumber,
}

impl Outbox {
    pub(crate) const fn new(sender: Sender) -> Self {
        Self { sender, in_flight: Vec::new(), refused: Vec::new(), reorganizations: 0 }
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
        call: ContractCall,
        checks: Checks,
        view: &View,
    ) -> Result<Outcome> {
        self.notice(view);
        match self.sender.submit(call, checks, view.next_block()).await {
            Ok(pending) => {
                let transaction = pending.hash();
                let (sent, since) = (vec![pending], view.head().number);
                self.in_flight.push(Flight { act, sent, since });
                Ok(Outcome::Sent { act, transaction })
            }
            Err(error) if error.is_temporary() => Err(error),
            Err(error) => Ok(Outcome::Failed { act, error }),
        }
    }

    /// The same for what is tried again in every block: a refusal is reported once, not in each block.
    pub(crate) async fn keep_trying(
        &mut self,
        act: Act,
        call: ContractCall,
        checks: Checks,
        view: &View,
    ) -> Result<Option<Outcome>> {
        let outcome = self.submit(act, call, checks, view).await?;
        Ok(self.unless_reported(outcome))
    }

    /// The outcome, unless it is a refusal that was reported before.
    pub(crate) fn unless_reported(&mut self, outcome: Outcome) -> Option<Outcome> {
        let reported = self.refused.iter().position(|(act, _)| *act == outcome.act());
        let Outcome::Failed { act, error } = &outcome else {
            reported.map(|index| self.refused.swap_remove(index));
            return Some(outcome);
        };
        let why = error.to_string();
        match reported {
            Some(index) if self.refused[index].1 == why => return None,
            Some(index) => self.refused[index].1 = why,
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
        self.notice(view);
        let mut flights = core::mem::take(&mut self.in_flight).into_iter();
        while let Some(mut flight) = flights.next() {
            let act = flight.act;
            let checked = self.receipt(view, &flight).await;
            match checked {
                Ok(Some(confirmed)) => outcomes.push(Outcome::Done { act, confirmed }),
                Ok(None) if expired(&act) => {
                    // The newest one; the others have its nonce.
                    if let Some(pending) = flight.sent.last() {
                        self.sender.give_up(pending).await?;
                        outcomes.push(Outcome::Missed { act, transaction: pending.hash() });
                    }
                }
                Ok(None) => {
                    self.renew(view, &mut flight).await;
                    self.in_flight.push(flight);
                }
                Err(error) if error.is_temporary() => {
                    self.in_flight.push(flight);
                    self.in_flight.extend(flights);
                    return Err(error);
                }
                Err(error) => outcomes.push(Outcome::Failed { act, error }),
            }
        }
        Ok(outcomes)
    }

    const fn notice(&mut self, view: &View) {
        if view.reorganizations() > self.reorganizations {
            // Transactions that were mined may be lost.
            self.sender.resync();
            self.reorganizations = view.reorganizations();
        }
    }

    async fn receipt(&self, view: &View, flight: &Flight) -> Result<Option<Confirmed>> {
        let client = self.sender.client();
        let late = flight.age(view) >= PATIENCE;
        for pending in &flight.sent {
            let found = match view.receipt(pending.hash()) {
                Some(receipt) => Some(client.check(pending, receipt).await?),
                None if late => client.confirm(pending).await?,
                None => None,
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Sends it again if it is time. That the endpoint refuses is no news: it may be mined now.
    async fn renew(&mut self, view: &View, flight: &mut Flight) {
        let age = flight.age(view);
        let Some(last) = flight.sent.last().filter(|_| age > 0 && age.is_multiple_of(RENEWAL))
        else {
            return;
        };
        // What came before it may be lost, with a block that isn't on the chain any more.
        if self.sender.fill_gap(last, view.next_block()).await.is_err() {
            return;
        }
        if let Ok(renewed) = self.sender.replace(last, view.next_block()).await {
            flight.sent.push(renewed);
        }
    }
}

impl Flight {
    /// Blocks since it was sent.
    fn age(&self, view: &View) -> u64 {
        view.head().number.steps_since(self.since).unwrap_or_default()
    }
}
