//! Ballots that a holder signs and anyone submits.

use alloy_primitives::B256;
use canon_protocol::{Nonce, Support, text::Time};
use canon_views::{IntendedAction, Intent, OrderAmount};
use eyre::eyre;

use super::{
    WantedBallot,
    subject::{ANOTHER_BALLOT, BallotSubject, BallotValue, last_second},
};
use crate::{
    chain::Chain,
    exit::{Exit, Failure},
    output,
    page::{Page, lasts, line, side, tokens},
    send::{self, SendArgs, Step},
    signing::Opened,
    typed_data::{BallotMessage, SignedMessage, TypedMessage as _},
};

/// The submitter's expectations of a ballot, as far as they were typed.
#[derive(Clone, Copy, Debug)]
pub(super) struct BallotExpectation {
    pub(super) id: u64,
    pub(super) side: Option<Support>,
    pub(super) actions_hash: Option<B256>,
}

/// A ballot to be signed, with its description.
struct BallotDraft {
    message: BallotMessage,
    words: Vec<String>,
    details: Vec<String>,
}

/// Signs a ballot and prints it.
pub(super) async fn sign(
    args: &SendArgs,
    opened: Opened,
    chain: &Chain,
    wanted: &WantedBallot,
) -> Result<Exit, Failure> {
    let signer = opened.on(chain.client()).await?;
    let read = async || {
        let expects = wanted.actions_hash.map(BallotValue::Typed);
        let subject = BallotSubject::read(chain, wanted.id, signer.address(), expects).await?;
        let governance = subject.present().addresses.governance;
        draft(chain, &subject, wanted).await.map(|draft| (draft, governance))
    };
    let (shown, _) = read().await?;
    let mut page = Page::default();
    line!(page, "By {}, for anyone to submit:", signer.address());
    line!(page, "");
    page.step(&[&shown.words, &shown.details]);
    args.consent(&page.into_text(), "Sign it?").await?;
    // The proposal is read again, since blocks have passed since it was shown.
    let (draft, governance) = read().await?;
    if (&draft.words, &draft.message) != (&shown.words, &shown.message) {
        let report =
            eyre!("proposal {} isn't any more what was shown; nothing was signed", wanted.id);
        return Err(Failure::refused(report, "run it again to see what it is now"));
    }
    let chain_id = chain.client().chain_id();
    let hash = draft.message.signing_hash(chain_id, governance);
    let signature = send::sign(&signer, "the ballot", &hash).await?;
    output::json(&SignedMessage::new(draft.message, chain_id, governance, &signature))?;
    Ok(Exit::Success)
}

async fn draft(
    chain: &Chain,
    subject: &BallotSubject,
    wanted: &WantedBallot,
) -> Result<BallotDraft, Failure> {
    let WantedBallot { support, .. } = *wanted;
    subject.require_taken(support)?;
    let amount = subject.amount(BallotValue::Typed(wanted.amount))?;
    subject.require_final(chain, wanted.finality).await?;
    let proposal = &subject.proposal;
    let message = BallotMessage {
        proposal_id: proposal.id,
        actions_hash: proposal.actions_hash,
        amount,
        support: support == Support::Yea,
        voter: subject.holder,
        nonce: subject.ballot.nonce,
        deadline: last_second(proposal, support),
    };
    let title = format!("Cast {} {} proposal {}", tokens(amount), side(support), proposal.id);
    let mut words = vec![title];
    words.extend(subject.words());
    let mut details = subject.details(support, amount);
    details.push(format!(
        "nonce {}, valid until {}, inclusive",
        message.nonce,
        Time(message.deadline)
    ));
    details.push(
        "warning: of all ballots signed with this nonce, only the first submitted".to_owned(),
    );
    details.push("         counts; all others are void then".to_owned());
    Ok(BallotDraft { message, words, details })
}

/// Submits a signed ballot.
pub(super) async fn submit(
    args: &SendArgs,
    opened: Opened,
    chain: &Chain,
    expected: BallotExpectation,
    document: &SignedMessage<BallotMessage>,
) -> Result<Exit, Failure> {
    let message = &document.message;
    require_expected(expected, message)?;
    let BallotMessage { voter, nonce, .. } = *message;
    let command = format!("canon vote {} --signature of {voter} with nonce {nonce}", expected.id);
    let plan = async |_| {
        let expects = Some(BallotValue::Signed(message.actions_hash));
        let subject = BallotSubject::read(chain, expected.id, voter, expects).await?;
        submission(chain, &subject, document).await.map(|step| vec![step])
    };
    send::send(args, opened, chain, &command, &plan).await
}

/// Refuses a ballot that differs from the expectations.
fn require_expected(expected: BallotExpectation, message: &BallotMessage) -> Result<(), Failure> {
    let other = |report| Failure::bad_input(report, "check the file, and what was typed");
    let found = message.proposal_id.get();
    if expected.id != found {
        let report = eyre!("--signature: proposalId: expected {}, found {found}", expected.id);
        return Err(other(report));
    }
    let found = message.side();
    if let Some(expected) = expected.side.filter(|expected| *expected != found) {
        let (expected, found) = (side(expected), side(found));
        return Err(other(eyre!(
            "--signature: support: expected a ballot {expected} it, found one {found} it"
        )));
    }
    let found = message.actions_hash;
    if let Some(expected) = expected.actions_hash.filter(|expected| *expected != found) {
        let report = eyre!("--signature: actionsHash: expected {expected}, found {found}");
        return Err(Failure::refused(report, "don't submit it: the ballot is about other actions"));
    }
    Ok(())
}

async fn submission(
    chain: &Chain,
    subject: &BallotSubject,
    document: &SignedMessage<BallotMessage>,
) -> Result<Step, Failure> {
    let message = &document.message;
    let present = subject.present();
    document.require_for(present.chain_id, present.addresses.governance)?;
    let (support, now) = (message.side(), present.block.timestamp);
    require_nonce(message.nonce, subject.ballot.nonce)?;
    subject.require_taken(support)?;
    if message.deadline < present.next {
        let report = eyre!("the ballot could be used until {}, inclusive", Time(message.deadline));
        return Err(Failure::refused(report, ANOTHER_BALLOT));
    }
    let amount = OrderAmount::Exactly(message.amount);
    let amount = subject.amount(BallotValue::Signed(amount))?;
    let signature = match document.recover() {
        Some((signer, signature)) if signer == message.voter => signature,
        // A contract decides which signatures it accepts; the simulation checks this one.
        _ if chain.has_code(message.voter).await? => document.signature.clone(),
        Some((signer, _)) => {
            let voter = message.voter;
            let report =
                eyre!("--signature: expected the signature of {voter}, found that of {signer}");
            return Err(Failure::refused(report, ANOTHER_BALLOT));
        }
        None => return Err(document.without_signer(ANOTHER_BALLOT)),
    };
    let BallotMessage { proposal_id: id, voter: holder, nonce, deadline, .. } = *message;
    let action =
        IntendedAction::VoteSigned { holder, id, nonce, support, amount, deadline, signature };
    let until_last = deadline.min(last_second(&subject.proposal, support));
    let intent = Intent { set: present.set_id(), action, until: Some(until_last) };
    let title = format!("Submit a ballot: {} {} proposal {id}", tokens(amount), side(support));
    let mut words = vec![title, format!("voter       {holder}")];
    words.extend(subject.words());
    let mut step = Step::new(intent, words);
    step.details = subject.details(support, amount);
    step.details.push(format!("signed {}", lasts(now, deadline)));
    Ok(step)
}

/// Refuses a ballot with a nonce other than the next one.
fn require_nonce(found: Nonce, expected: Nonce) -> Result<(), Failure> {
    let why = match found.cmp(&expected) {
        std::cmp::Ordering::Equal => return Ok(()),
        std::cmp::Ordering::Less => {
            "it was submitted already, or voided, or another one signed with the same nonce was submitted"
        }
        std::cmp::Ordering::Greater => "another ballot of the voter comes first",
    };
    let report = eyre!("--signature: nonce: expected {expected}, found {found}: {why}");
    Err(Failure::refused(report, "`canon proposal` shows who has voted"))
}

/// Voids all ballots on a proposal that the account has signed so far.
pub(super) async fn invalidate(
    args: &SendArgs,
    opened: Opened,
    chain: &Chain,
    id: u64,
) -> Result<Exit, Failure> {
    let command = format!("canon vote {id} --invalidate");
    let plan = async |planned: send::Planned| {
        let holder = planned.account;
        let (present, proposal, ballot) = super::subject::ballot_of(chain, id, holder).await?;
        let nonce = ballot.nonce;
        let action = IntendedAction::InvalidateBallots { holder, id: proposal, nonce };
        let intent = Intent { set: present.set_id(), action, until: None };
        let words = vec![
            format!("Void all ballots on proposal {proposal} that the account has signed"),
            format!("Governance  {}", present.addresses.governance),
            "ballots that it signs afterwards are valid".to_owned(),
        ];
        Ok(vec![Step::new(intent, words)])
    };
    send::send(args, opened, chain, &command, &plan).await
}
