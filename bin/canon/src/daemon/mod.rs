//! Programs that run one agent until somebody stops them: the edges around [`canon_agents::daemon`].

mod log;
mod serve;
mod start;

pub(crate) use log::{LogFormat, Logged, line};
pub(crate) use serve::{Published, Server};
pub(crate) use start::{Identity, patiently, settings_hash};

use std::{cell::Cell, future::Future};

use canon_agents::{AgentRole, daemon::Daemon};
use canon_chain::{EndpointProblem, Error};
use canon_follow::HistoryProgress;
use canon_protocol::{
    Seconds,
    text::{count, grouped},
};
use eyre::Report;

use crate::{
    chain::{Chain, now},
    exit::{Exit, Failure},
    send,
    stop::Stop,
};

/// The time between two lines about a history that takes long to read.
const PROGRESS: Seconds = Seconds::MINUTE;

/// Runs a program until it ends or is stopped, and logs why. Whatever it was doing is dropped: nothing is half done,
/// since the journal has what is in flight.
pub(crate) async fn until_stopped(stop: &mut Stop, program: impl Future<Output = Failure>) -> Exit {
    tokio::select! {
        biased;
        signal = stop.wait() => {
            line(&Logged::stopped(signal));
            Exit::Success
        }
        failure = program => {
            line(&Logged::ended(&failure));
            failure.exit
        }
    }
}

/// Lets a daemon take its turns, for ever. Returns the failure that ends it.
pub(crate) async fn drive<R: AgentRole>(
    daemon: &mut Daemon<R>,
    chain: &Chain,
    published: &Published,
) -> Failure {
    let told = Cell::new(now());
    let progress = |seen: HistoryProgress| {
        let time = now();
        published.alive(time);
        if time.since(told.get()).is_some_and(|passed| passed >= PROGRESS) {
            told.set(time);
            line(&Logged::info("reading", reading(&seen)));
        }
    };
    loop {
        let turn = daemon.turn(now(), progress, tokio::time::sleep).await;
        for event in &turn.events {
            line(&Logged::event(event));
        }
        published.set(daemon.observed());
        if let Some(error) = turn.fatal {
            return ended(chain, error);
        }
        tokio::time::sleep(turn.pause).await;
        told.set(now());
    }
}

fn reading(seen: &HistoryProgress) -> String {
    let HistoryProgress { block, head, events } = seen;
    let (block, head) = (grouped(block.get()), grouped(head.get()));
    format!("reading the set's history: block {block} of {head}, {}", count(*events, "event"))
}

/// The failure that ends a daemon.
fn ended(chain: &Chain, error: Error) -> Failure {
    let is_other =
        |problem: &EndpointProblem| matches!(problem, EndpointProblem::OtherChain { .. });
    match &error {
        Error::NoEndpoint { source, .. } if source.0.iter().all(|note| is_other(&note.problem)) => {
            let next = "name an endpoint of that chain, or correct the chain id that is expected";
            Failure::bad_input(Report::msg(error.to_string()), next)
        }
        Error::NoEndpoint { .. } | Error::Rpc { .. } => chain.unread(error),
        other if other.is_of_the_contracts() => chain.unread(error),
        _ => send::ended(error),
    }
}
