//! A ballot that its holder sends.

use canon_views::{IntendedAction, Intent};

use super::{
    FinalityRule, WantedBallot,
    subject::{BallotSubject, BallotValue, last_second},
};
use crate::{
    chain::Chain,
    exit::{Exit, Failure},
    input::shown_amount,
    page::{side, tokens},
    send::{self, SendArgs, Step},
    signing::Opened,
};

/// Casts a ballot.
pub(super) async fn vote(
    args: &SendArgs,
    opened: Opened,
    chain: &Chain,
    wanted: &WantedBallot,
) -> Result<Exit, Failure> {
    let command = typed(wanted);
    let plan = async |planned: send::Planned| {
        let expects = wanted.actions_hash.map(BallotValue::Typed);
        let subject = BallotSubject::read(chain, wanted.id, planned.account, expects).await?;
        step(chain, &subject, wanted).await.map(|step| vec![step])
    };
    send::send(args, opened, chain, &command, &plan).await
}

/// The command as it is typed, with its conditions: a command with others is another one, which checks them before it
/// does anything.
pub(super) fn typed(wanted: &WantedBallot) -> String {
    let WantedBallot { id, support, amount, actions_hash, finality } = *wanted;
    let how_much = shown_amount(amount);
    let mut command = format!("canon vote {id} {} --amount {how_much}", side(support));
    if let Some(hash) = actions_hash {
        command.push_str(&format!(" --actions-hash {hash}"));
    }
    if finality == FinalityRule::Ignored {
        command.push_str(" --allow-unfinal");
    }
    command
}

async fn step(
    chain: &Chain,
    subject: &BallotSubject,
    wanted: &WantedBallot,
) -> Result<Step, Failure> {
    let WantedBallot { support, .. } = *wanted;
    subject.require_taken(support)?;
    let amount = subject.amount(BallotValue::Typed(wanted.amount))?;
    subject.require_final(chain, wanted.finality).await?;
    let (holder, id) = (subject.holder, subject.proposal.id);
    let action = IntendedAction::Vote { holder, id, support, amount };
    let until = Some(last_second(&subject.proposal, support));
    let intent = Intent { set: subject.present().set_id(), action, until };
    let title = format!("Cast {} {} proposal {id}", tokens(amount), side(support));
    let mut words = vec![title];
    words.extend(subject.words());
    let mut step = Step::new(intent, words);
    step.details = subject.details(support, amount);
    Ok(step)
}
