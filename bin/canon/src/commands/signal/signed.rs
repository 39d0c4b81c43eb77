//! Signals that the proposer of a slot signs and anyone submits.

use alloy_primitives::{Address, Bytes};
use canon_protocol::{Slot, text::Time};
use canon_views::{IntendedAction, Intent, SignalDecision};
use eyre::eyre;

use super::{
    SlotWait, WantedSignal, direct,
    subject::{NextSlot, SEE_STAKES, SignalSubject, without_proposer},
    wait,
};
use crate::{
    chain::Chain,
    exit::{Exit, Failure},
    output,
    page::until,
    send::{self, SendArgs, Step, consent_before_wait},
    signing::Opened,
    typed_data::{SignalMessage, SignedMessage, TypedMessage as _},
};

/// Signs a signal and prints it.
pub(super) async fn sign(
    args: &SendArgs,
    opened: Opened,
    chain: &Chain,
    wanted: &WantedSignal,
    slot: Option<Slot>,
) -> Result<Exit, Failure> {
    let signer = opened.on(chain.client()).await?;
    let subject = SignalSubject::read(chain, wanted).await?;
    let slot = slot_to_sign(&subject, wanted, signer.address(), slot)?;
    let shown = direct::shown(&subject, slot)?;
    let words = subject.words(slot)?;
    args.consent(&shown, "Sign it?").await?;
    // The payload is read again, since blocks have passed since it was shown.
    let subject = SignalSubject::read(chain, wanted).await?;
    if subject.words(slot)? != words {
        let report = eyre!("the payload isn't any more what was shown; nothing was signed");
        return Err(Failure::refused(report, "run it again to see what it is now"));
    }
    let addresses = &subject.present().addresses;
    let message = SignalMessage { payload: wanted.payload, slot, instance: addresses.rollup };
    let chain_id = chain.client().chain_id();
    let hash = message.signing_hash(chain_id, addresses.proposals);
    let signature = send::sign(&signer, "the signal", &hash).await?;
    output::json(&SignedMessage::new(message, chain_id, addresses.proposals, &signature))?;
    Ok(Exit::Success)
}

/// The requested slot, if the proposer may have it. The proposer's next slot if none was requested.
fn slot_to_sign(
    subject: &SignalSubject,
    wanted: &WantedSignal,
    proposer: Address,
    slot: Option<Slot>,
) -> Result<Slot, Failure> {
    let (rollup, signaling) = subject.signaling()?;
    if let decision @ SignalDecision::Status(_) = subject.decide(wanted, proposer) {
        subject.require(decision, proposer)?;
    }
    let Some(slot) = slot else {
        return match subject.next_slot_of(proposer) {
            NextSlot::At { slot, .. } => Ok(slot),
            NextSlot::NoAttester => {
                let report =
                    eyre!("{proposer} is the proposer of no attester of the canonical rollup");
                Err(Failure::refused(report, SEE_STAKES))
            }
            NextSlot::NotDrawn | NextSlot::Unknown => {
                let report = eyre!("no later slot is known to be {proposer}'s");
                Err(Failure::nothing_to_do(
                    report,
                    "name one with --slot, or run it again in the next epoch",
                ))
            }
        };
    };
    if !signaling.status.is_free(slot) {
        let first = signaling.status.first_free_slot;
        let report = eyre!("--slot: expected a slot from {first} on, found {slot}, which is over");
        return Err(Failure::bad_input(report, "name a slot to come"));
    }
    let history = subject.view.history.as_ref();
    let state = history.and_then(|history| history.rollup(subject.present().addresses.rollup));
    let drawn = state.and_then(|state| state.drawn(slot)).map(|member| member.proposer());
    if let Some(other) = drawn.filter(|other| *other != proposer) {
        let report =
            eyre!("--slot: expected a slot of {proposer}, found {slot}, which is {other}'s");
        return Err(Failure::refused(report, "leave --slot out to sign for your next slot"));
    }
    if drawn.is_none() {
        let start = rollup.clock.slot_start(slot);
        let start = start.map(|start| format!(", at {},", Time(start))).unwrap_or_default();
        output::note(&format_args!("the proposer of slot {slot}{start} isn't known yet"));
    }
    Ok(slot)
}

/// Submits a signed signal.
pub(super) async fn submit(
    mut args: SendArgs,
    opened: Opened,
    chain: &Chain,
    mut wanted: WantedSignal,
    slot_wait: SlotWait,
    document: &SignedMessage<SignalMessage>,
) -> Result<Exit, Failure> {
    let message = &document.message;
    if wanted.payload != message.payload {
        let (expected, found) = (wanted.payload, message.payload);
        let report = eyre!("--signature: payload: expected {expected}, found {found}");
        return Err(Failure::bad_input(report, "check the file, and what was typed"));
    }
    let command = format!("{} --signature of slot {}", wanted.typed(), message.slot);
    let mut awaited = None;
    if slot_wait == SlotWait::Wait {
        let subject = SignalSubject::read(chain, &wanted).await?;
        require_for(&subject, document)?;
        let (rollup, _) = subject.signaling()?;
        awaited = rollup.clock.slot_start(message.slot);
        let begins = rollup.slot.is_none_or(|slot| slot < message.slot);
        if let Some(start) = awaited.filter(|_| begins) {
            // The draw may not say yet whose slot it is.
            let step = step(&subject, document, None, document.signature.clone())?;
            let question = "Send it in that slot?";
            let (client, account) = (chain.client(), opened.address());
            args = consent_before_wait(args, client, account, step, question).await?;
            wanted = subject.bound(&wanted);
            wait::until_slot(chain, message.slot, start).await?;
        }
    }
    let plan = async |_| {
        let subject = SignalSubject::read(chain, &wanted).await?;
        submission(chain, &subject, &wanted, document).await.map(|step| vec![step])
    };
    let send = async || send::send(&args, opened.clone(), chain, &command, &plan).await;
    match awaited {
        Some(start) => wait::send_in_slot(chain, message.slot, start, send).await,
        None => send().await,
    }
}

/// Refuses a signal for another chain, contract or rollup.
fn require_for(
    subject: &SignalSubject,
    document: &SignedMessage<SignalMessage>,
) -> Result<(), Failure> {
    let present = subject.present();
    document.require_for(present.chain_id, present.addresses.proposals)?;
    let (expected, found) = (present.addresses.rollup, document.message.instance);
    if expected != found {
        let report =
            eyre!("--signature: instance: expected the canonical rollup {expected}, found {found}");
        return Err(Failure::refused(
            report,
            "ask the proposer to sign for the canonical rollup: signals for others don't count",
        ));
    }
    Ok(())
}

async fn submission(
    chain: &Chain,
    subject: &SignalSubject,
    wanted: &WantedSignal,
    document: &SignedMessage<SignalMessage>,
) -> Result<Step, Failure> {
    require_for(subject, document)?;
    let (present, message) = (subject.present(), &document.message);
    let (rollup, signaling) = subject.signaling()?;
    let (slot, now) = (message.slot, present.block.timestamp);
    let is_over = rollup.slot.is_some_and(|next| next > slot);
    if is_over || !signaling.status.is_free(slot) {
        let report = match is_over {
            true => eyre!("slot {slot} is over"),
            false => eyre!("slot {slot} has its signal already, from this document or another one"),
        };
        return Err(Failure::refused(
            report,
            "`canon round` shows it; if another one is needed, ask the proposer to sign for a later slot",
        ));
    }
    if rollup.slot != Some(slot) {
        let start = rollup.clock.slot_start(slot);
        let start = start.map(|start| format!(" at {} ({})", Time(start), until(now, start)));
        let report = eyre!("slot {slot} begins{}", start.unwrap_or_default());
        return Err(Failure::nothing_to_do(report, "with --wait, the command waits for that slot"));
    }
    let Some(proposer) = rollup.proposer else {
        let report = eyre!(without_proposer(rollup, slot));
        return Err(Failure::refused(report, "ask the proposer to sign for a later slot"));
    };
    let signature = match document.recover() {
        Some((signer, signature)) if signer == proposer => signature,
        // A contract decides which signatures it accepts; the simulation checks this one.
        _ if chain.has_code(proposer).await? => document.signature.clone(),
        Some((signer, _)) => {
            let report = eyre!(
                "--signature: expected the signature of {proposer}, whose slot {slot} is, found that of {signer}"
            );
            return Err(Failure::refused(report, "ask the slot's proposer to sign for it"));
        }
        None => return Err(document.without_signer("ask the proposer for another one")),
    };
    subject.require(subject.decide(wanted, proposer), proposer)?;
    step(subject, document, Some(proposer), signature)
}

/// The submission in the slot of the signal. `proposer` is the slot's proposer, if the draw is known.
fn step(
    subject: &SignalSubject,
    document: &SignedMessage<SignalMessage>,
    proposer: Option<Address>,
    signature: Bytes,
) -> Result<Step, Failure> {
    let (present, message) = (subject.present(), &document.message);
    let (slot, payload) = (message.slot, message.payload);
    let (rollup, _) = subject.signaling()?;
    let action = IntendedAction::SignalSigned {
        proposals: present.addresses.proposals,
        rollup: present.addresses.rollup,
        slot,
        payload,
        signature,
    };
    let intent = Intent { set: present.set_id(), action, until: rollup.clock.slot_end(slot) };
    let mut words = subject.words(slot)?;
    if let Some(proposer) = proposer {
        words.insert(1, format!("proposer   {proposer}, who signed it"));
    }
    let mut step = Step::new(intent, words);
    step.details = subject.details(slot);
    Ok(step)
}
