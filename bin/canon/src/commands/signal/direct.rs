//! A signal that the proposer of the slot sends.

use alloy_primitives::{Address, B256};
use canon_protocol::{Slot, Timestamp};
use canon_views::{IntendedAction, Intent, SignalDecision};

use super::{
    SlotWait, WantedSignal,
    subject::{NextSlot, SignalSubject},
    wait,
};
use crate::{
    answer,
    chain::Chain,
    deployer::interrupted,
    exit::{Exit, Failure},
    output,
    page::Page,
    send::{self, SendArgs, Step, consent_before_wait},
    signing::Opened,
};

/// Signals in the slot of the next block, or with `SlotWait::Wait` in the first of the proposer's next slots in which
/// a signal can be sent.
pub(super) async fn signal(
    mut args: SendArgs,
    opened: Opened,
    chain: &Chain,
    mut wanted: WantedSignal,
    slot_wait: SlotWait,
) -> Result<Exit, Failure> {
    let proposer = opened.address();
    let command = wanted.typed();
    let mut tried = None;
    loop {
        let mut awaited = None;
        if slot_wait == SlotWait::Wait {
            awaited = tokio::select! {
                biased;
                failure = interrupted() => Err(failure),
                slot = own_slot(&mut args, chain, &mut wanted, proposer, &mut tried) => slot,
            }?;
        }
        let plan = async |planned: send::Planned| {
            let subject = SignalSubject::read(chain, &wanted).await?;
            step(&subject, &wanted, planned.account).map(|step| vec![step])
        };
        let send = async || send::send(&args, opened.clone(), chain, &command, &plan).await;
        let Some((slot, start)) = awaited else { return send().await };
        match wait::send_in_slot(chain, slot, start, send).await {
            Err(failure) if wait::is_missed(&failure) => wait::tell_missed(&failure),
            ended => return ended,
        }
    }
}

/// Waits for the proposer's next slot, after asking unless consent was given. Returns the slot and its start; `None` if
/// there is none to wait for. `tried` is the slot that was tried last, and the
/// newest block then.
async fn own_slot(
    args: &mut SendArgs,
    chain: &Chain,
    wanted: &mut WantedSignal,
    proposer: Address,
    tried: &mut Option<(Slot, B256)>,
) -> Result<Option<(Slot, Timestamp)>, Failure> {
    let mut is_told = false;
    let mut silence = wait::Silence::default();
    loop {
        let subject = match SignalSubject::read(chain, wanted).await {
            // The wait has begun already.
            Err(failure) if tried.is_some() => {
                silence.after_failure(failure).await?;
                continue;
            }
            read => read?,
        };
        let (head, decision) = (subject.present().block.hash, subject.decide(wanted, proposer));
        let is_not_now = matches!(decision, SignalDecision::OtherSlot | SignalDecision::SlotUsed);
        match subject.next_slot_of(proposer) {
            // Nothing has changed since.
            NextSlot::At { slot, .. } if *tried == Some((slot, head)) => {
                wait::next_block(chain, head).await?;
            }
            NextSlot::At { slot, start } => {
                *tried = Some((slot, head));
                if is_not_now {
                    // The question comes first, since nobody may be at the terminal when the slot begins.
                    let step = step_in(&subject, slot, proposer)?;
                    let question = "Send it in that slot, or if that is missed in your next one?";
                    let client = chain.client();
                    let consented =
                        consent_before_wait(args.clone(), client, proposer, step, question);
                    *args = consented.await?;
                    *wanted = subject.bound(wanted);
                    match wait::until_slot(chain, slot, start).await {
                        Err(failure) if wait::is_missed(&failure) => {
                            wait::tell_missed(&failure);
                            continue;
                        }
                        waited => waited?,
                    }
                }
                return Ok(Some((slot, start)));
            }
            // The next seed may draw it.
            NextSlot::NotDrawn if is_not_now && tried.is_some() => {
                if !is_told {
                    output::note(&"waiting for the next draw: no later slot is known to be yours");
                    is_told = true;
                }
                wait::next_block(chain, head).await?;
            }
            NextSlot::NotDrawn | NextSlot::NoAttester | NextSlot::Unknown => return Ok(None),
        }
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
    wanted: &WantedSignal,
    proposer: Address,
) -> Result<Step, Failure> {
    subject.require(subject.decide(wanted, proposer), proposer)?;
    let (rollup, _) = subject.signaling()?;
    step_in(subject, answer::slot(rollup)?, proposer)
}

/// The signal in a slot of the proposer.
fn step_in(subject: &SignalSubject, slot: Slot, proposer: Address) -> Result<Step, Failure> {
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
