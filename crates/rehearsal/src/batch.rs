//! Many agents who do the same, as many to a block as fit.

use canon_agents::{Act, Holder, Mover, Outcome, View};
use canon_chain::Confirmed;

use crate::{
    error::{During, Error, Result},
    participants::Participants,
    timeline::Spent,
    upgrade_run::UpgradeRun,
};

/// Before the first receipt says what a transaction of the kind uses.
const GAS_GUESS: u64 = 300_000;

/// Whose agents act.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role {
    Holders,
    Movers,
}

enum Agent<'a> {
    Holder(&'a mut Holder),
    Mover(&'a mut Mover),
}

impl Agent<'_> {
    async fn tick(self, view: &View) -> canon_chain::Result<Vec<Outcome>> {
        match self {
            Self::Holder(agent) => agent.tick(view).await,
            Self::Mover(agent) => agent.tick(view).await,
        }
    }
}

fn agent(participants: &mut Participants, role: Role, index: usize) -> Option<Agent<'_>> {
    match role {
        Role::Holders => Some(Agent::Holder(&mut participants.holders.get_mut(index)?.agent)),
        Role::Movers => Some(Agent::Mover(participants.sequencers.get_mut(index)?.mover.as_mut()?)),
    }
}

/// What the members of a batch did.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) spent: Spent,
    /// Who did what, in the order of their members.
    pub(crate) acts: Vec<(usize, Act, Confirmed)>,
}

/// The name of an act in the table of gas.
pub(crate) const fn kind(act: &Act) -> &'static str {
    match act {
        Act::Signal { .. } => "signal",
        Act::ProposeBlock { .. } => "propose a block",
        Act::RecordSeed { .. } => "record a seed",
        Act::Push { .. } => "push",
        Act::Execute { .. } => "execute",
        Act::ExecuteFrozen { .. } => "execute with the frozen list",
        Act::Drop { .. } => "drop",
        Act::Approve { .. } => "approve",
        Act::Lock { .. } => "lock with a permit",
        Act::Vote { .. } => "vote",
        Act::Withdraw { .. } => "leave",
        Act::FinaliseWithdrawal { .. } => "withdraw",
        Act::AnnounceMove { .. } => "announce a move",
        Act::FinaliseMove { .. } => "finish a move",
        _ => "other",
    }
}

impl UpgradeRun<'_> {
    /// Lets these agents do what they have to do now, and waits until it is done. Whatever is
    /// refused ends the rehearsal: crowds do only what has to work.
    pub(crate) async fn crowd(
        &mut self,
        act: &'static str,
        role: Role,
        members: &[usize],
    ) -> Result<Done> {
        let mut done = Done::default();
        let mut waiting = members.iter().copied();
        let mut in_flight: Vec<usize> = Vec::new();
        let mut gas_each = GAS_GUESS;
        self.progress(act, 0, members.len() as u64);
        loop {
            let view = self.look().await?;
            let room = (self.scenario.l1.gas_limit / gas_each).max(1);
            let room = usize::try_from(room).unwrap_or(usize::MAX);
            let mut ticking = std::mem::take(&mut in_flight);
            ticking.extend(waiting.by_ref().take(room));
            if ticking.is_empty() {
                return Ok(done);
            }
            for member in ticking {
                let Some(agent) = agent(&mut self.cast, role, member) else { continue };
                let outcomes = agent.tick(&view).await.during(act)?;
                let mut sent = false;
                for outcome in outcomes {
                    match outcome {
                        Outcome::Sent { .. } => sent = true,
                        Outcome::Done { act, confirmed } => {
                            self.driver.gas.record(kind(&act), confirmed.gas_used);
                            done.spent.add(confirmed.gas_used);
                            done.acts.push((member, act, confirmed));
                        }
                        Outcome::Failed { error, .. } => return Err(error).during(act),
                        Outcome::Skipped { act, why } => {
                            let what =
                                format!("{act}, which has to work, came to nothing: {why:?}");
                            return Err(Error::Unexpected(what));
                        }
                        _ => return Err(Error::NotIncluded { act, time: self.driver.now() }),
                    }
                }
                if sent {
                    in_flight.push(member);
                }
            }
            self.progress(act, done.acts.len() as u64, members.len() as u64);
            if !in_flight.is_empty() {
                self.driver.mine_all()?;
            }
            if let Some(used) = done.spent.gas.checked_div(done.spent.transactions) {
                // A little more than the mean: what doesn't fit waits for the next block.
                gas_each = used + used / 8;
            }
        }
    }
}
