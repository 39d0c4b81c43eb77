//! A signal that the proposer of the slot sends.

use canon_protocol::Slot;
use canon_views::{IntendedAction, Intent, SignalDecision};

use super::{
    Patience, Wanted,
    subject::{NextSlot, SignalSubject},
    wait,
};
use crate::{
    chain::Chain,
    exit::{Exit, Failure},
    page::Page,
    send::{self, LaterStep, SendArgs, Step, consent_before_wait},
    signing::Opened,
};

/// Signals in the slot of the next block, or with `Patience::Wait` in the proposer's next slot.
pub(super) async fn signal(
    mut args: SendArgs,
    opened: Opened,
    chain: &Chain,
    mut wanted: Wanted,
    patience: Patience,
) -> Result<Exit, Failure> {
    let proposer = opened.address();
    let mut awaited = None;
    if patience == Patience::Wait {
        let subject = SignalSubject::read(chain, &wanted).await?;
        let decision = subject.decide(&wanted, proposer);
        if let NextSlot::At { slot, start } = subject.next_slot_of(proposer) {
            if matches!(decision, SignalDecision::OtherSlot | SignalDecision::SlotUsed) {
                // The question comes first, since nobody may be at the terminal when the slot begins.
                let step = step_in(&subject, slot, proposer)?;
                let bound = subject.bound(&wanted);
                let later = LaterStep { step, bound };
                (args, wanted) = consent_before_wait(args, chain.client(), proposer, later).await?;
                wait::until_slot(chain, slot, start).await?;
            }
            awaited = Some((slot, start));
        }
    }
    let command = format!("canon signal {}", wanted.payload);
    let plan = async |planned: send::Planned| {
        let subject = SignalSubject::read(chain, &wanted).await?;
        step(&subject, &wanted, planned.account).map(|step| vec![step])
    };
    let send = async || send::send(&args, opened.clone(), chain, &command, &plan).await;
    match awaited {
        Some((slot, start)) => wait::send_in_slot(chain, slot, start, send).await,
        None => send().await,
    }
}

/// A signal in words, without a simulation.
pub(super) fn shown(subject: &SignalSubject, slot: Slot) -> Result<String, Failure> {
    let mut page = Page::default();
    page.step(&[&subject.words(slot)?, &subject.details(slot)]);
    Ok(page.into_text())
}

fn step(
    subject: &SignalSubject,
    wanted: &Wanted,
    proposer: alloy_primitives::Address,
) -> Result<Step, Failure> {
    let decision = subject.decide(wanted, proposer);
    if let Some(failure) = subject.refusal(decision, proposer) {
        return Err(failure);
    }
    let (rollup, _) = subject.signaling()?;
    step_in(subject, rollup.slot.unwrap_or_default(), proposer)
}

/// The signal in a slot of the proposer.
fn step_in(
    subject: &SignalSubject,
    slot: Slot,
    proposer: alloy_primitives::Address,
) -> Result<Step, Failure> {
    let (rollup, _) = subject.signaling()?;
    let present = subject.present();
    let action = IntendedAction::Signal {
        proposals: present.addresses.proposals,
        rollup: present.addresses.rollup,
        slot,
        payload: subject.payload,
        proposer,
    };
    let intent = Intent { set: present.set_id(), action, until: rollup.clock.slot_end(slot) };
    let mut step = Step::new(intent, subject.words(slot)?);
    step.details = subject.details(slot);
    Ok(step)
}
