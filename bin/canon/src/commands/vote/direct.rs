//! A ballot that its holder sends.

use canon_views::{IntendedAction, Intent};

use super::{
    Wanted,
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
    wanted: &Wanted,
) -> Result<Exit, Failure> {
    let Wanted { id, support, amount, .. } = *wanted;
    let how_much = shown_amount(amount);
    let command = format!("canon vote {id} {} --amount {how_much}", side(support));
    let plan = async |planned: send::Planned| {
        let expects = wanted.actions_hash.map(BallotValue::Typed);
        let subject = BallotSubject::read(chain, id, planned.account, expects).await?;
        step(chain, &subject, wanted).await.map(|step| vec![step])
    };
    send::send(args, opened, chain, &command, &plan).await
}

async fn step(chain: &Chain, subject: &BallotSubject, wanted: &Wanted) -> Result<Step, Failure> {
    let Wanted { support, .. } = *wanted;
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
