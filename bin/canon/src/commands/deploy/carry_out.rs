//! Carrying out a deployment: sending its steps, recording them, and waiting for their confirmations.

use std::{
    ops::ControlFlow,
    sync::{Arc, Mutex, PoisonError},
};

use alloy_primitives::{Address, U256};
use canon_chain::{
    Client, Sender, Wait,
    deploy::{
        BegunStep, DeployError, DeployManifest, DeployProgress, DeployRecord, DeployedSet,
        RecordFile, RecordFileError, deploy,
    },
};
use canon_protocol::text::{Rounding, ether};
use eyre::eyre;

use super::{
    failures::{GoOn, RecordState},
    finish::{self, Finished},
    prepare::{Beginning, Prepared, Session},
};
use crate::{
    chain::unreached,
    deployer::{Confirmation, confirm, interrupted, note_on_wait, wait_for},
    exit::Failure,
    output,
};

/// The number of times that the contracts are read again after an endpoint failed.
const MAX_RETRIES: u32 = 5;

impl Prepared {
    /// Carries out the deployment.
    pub(super) async fn carry_out(self, confirmations: u64) -> Result<Finished, Failure> {
        let file = self.open_record()?;
        let Self { session, sender, record, beginning, .. } = self;
        let go_on = GoOn::after(beginning, RecordState::Kept);
        let begun = Arc::new(Mutex::new(record.begun.clone()));
        let wait = waiting(session.client.clone(), sender.address(), Arc::clone(&begun));
        let mut recorder = Recorder { file, failure: None, begun };
        let run = Run { session: &session, go_on, sender, record };
        let outcome = tokio::select! {
            outcome = run.until_confirmed(&mut recorder, wait, confirmations) => outcome,
            failure = interrupted() => Err(Failure { next: go_on.command(), ..failure }),
        };
        if let Some(error) = recorder.failure {
            return Err(go_on.unrecorded(error));
        }
        let Deployed { set, manifest, gas, fee } = outcome?;
        finish::write(&session.manifest, &manifest, go_on)?;
        if let Some(file) = recorder.file {
            // With the manifest, the same command only removes the record.
            file.remove().map_err(|error| GoOn::Repeat.unrecorded(error))?;
        }
        Ok(Finished { manifest, set, gas, fee, file: session.manifest })
    }

    /// Opens the file of the record. `None` if somebody else signs: then nothing is sent, and the chain has everything.
    fn open_record(&self) -> Result<Option<RecordFile>, Failure> {
        let Self { session, found, beginning, .. } = self;
        let (file, found_now) = match beginning {
            Beginning::Unsigned => (None, None),
            Beginning::New | Beginning::Resumed => {
                let opened = RecordFile::open(&session.record).map_err(|error| {
                    GoOn::after(*beginning, session.record_state()).unrecorded(error)
                })?;
                (Some(opened.0), opened.1)
            }
        };
        if found_now != *found || session.manifest.exists() {
            return Err(Failure::refused(
                eyre!("{} has changed since this was shown", session.record.display()),
                "run the command again, with --resume if another process has begun",
            ));
        }
        Ok(file)
    }
}

/// Waits between two polls. Once a minute, a note says what helps.
fn waiting(client: Client, account: Address, begun: Arc<Mutex<Option<BegunStep>>>) -> impl Wait {
    move |looks| {
        let (client, begun) = (client.clone(), Arc::clone(&begun));
        async move {
            let begun = begun.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(note) = note_on_wait(&client, account, begun.as_ref(), looks).await {
                output::note(&note);
            }
            wait_for(looks).await
        }
    }
}

/// The record of a deployment while it is carried out.
struct Recorder {
    /// `None` if somebody else signs.
    file: Option<RecordFile>,
    /// The reason why the record couldn't be saved, after which the deployment stops.
    failure: Option<RecordFileError>,
    /// The step whose transaction was signed last.
    begun: Arc<Mutex<Option<BegunStep>>>,
}

impl Recorder {
    /// Shows the progress and saves the record. Stops the deployment if the record can't be saved, and before it sends
    /// anything that somebody else has to sign.
    fn save(&mut self, record: &DeployRecord, progress: DeployProgress) -> ControlFlow<()> {
        show(progress);
        self.begun.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&record.begun);
        let saved = match (&mut self.file, progress) {
            (Some(file), _) => file.save(record),
            (None, DeployProgress::Paying | DeployProgress::Begun(_)) => {
                return ControlFlow::Break(());
            }
            (None, _) => Ok(()),
        };
        match saved {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failure = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

fn show(progress: DeployProgress) {
    match progress {
        DeployProgress::Finished(done) => {
            let hash = done.receipt.map(|receipt| receipt.transaction.to_string());
            let hash = hash.unwrap_or_else(|| "the chain had it already".to_owned());
            output::text(&format!("done: {}\n      {hash}\n", done.step));
        }
        DeployProgress::Outrun { step, failed } => {
            let cost = failed.map_or_else(String::new, |failed| {
                let (hash, fee) = (failed.hash, ether(failed.fee, Rounding::Up));
                format!("; the transaction of this deployment, {hash}, failed and cost {fee} ether")
            });
            output::note(&format_args!("{step}: somebody else did it first{cost}"));
        }
        DeployProgress::Replaced(done) => output::note(&format_args!(
            "{}: its block was replaced; waiting until another one has it",
            done.step
        )),
        _ => {}
    }
}

/// A deployment whose steps have their confirmations.
struct Deployed {
    set: DeployedSet,
    manifest: DeployManifest,
    /// The gas that this deployment's own transactions used.
    gas: u64,
    /// Their fees, in wei.
    fee: U256,
}

/// A deployment that is being carried out.
struct Run<'a> {
    session: &'a Session,
    go_on: GoOn,
    sender: Sender,
    record: DeployRecord,
}

impl Run<'_> {
    /// Does the steps, again if blocks are replaced, until all have their confirmations.
    async fn until_confirmed(
        mut self,
        recorder: &mut Recorder,
        mut wait: impl Wait,
        confirmations: u64,
    ) -> Result<Deployed, Failure> {
        let (client, go_on) = (&self.session.client, self.go_on);
        loop {
            let (set, manifest) = self.until_deployed(recorder, &mut wait).await?;
            let known = manifest.steps.iter().filter_map(|step| step.receipt);
            let known: Vec<_> = known.collect();
            // What nobody knows the block of counts from the one in which it was seen.
            let seen = match known.len() == manifest.steps.len() {
                true => None,
                false => Some(client.head().await.map_err(unreached)?.number),
            };
            let confirmed = confirm(client, &known, seen, confirmations, go_on.command()).await;
            match confirmed.map_err(|failure| Failure { next: go_on.command(), ..failure })? {
                Confirmation::Reached => {
                    let fee = self.record.fee(client).await.map_err(unreached)?;
                    return Ok(Deployed { set, manifest, gas: self.record.gas_used(), fee });
                }
                Confirmation::Replaced => {}
            }
        }
    }

    /// Does the steps once, and reads what the manifest says about them.
    async fn until_deployed(
        &mut self,
        recorder: &mut Recorder,
        wait: &mut impl Wait,
    ) -> Result<(DeployedSet, DeployManifest), Failure> {
        let Self { session, go_on, sender, record } = self;
        let mut retries = 0;
        loop {
            let save = |record: &DeployRecord, progress| recorder.save(record, progress);
            let deployed = match deploy(sender, &session.checked, record, wait, save).await {
                Ok(set) => DeployManifest::of(&session.client, record).await.map(|it| (set, it)),
                Err(error) => Err(error),
            };
            match deployed {
                // A block can be replaced while the contracts are read.
                Err(DeployError::Chain(error)) if error.is_temporary() && retries < MAX_RETRIES => {
                    output::note(&error);
                    wait_for(retries).await;
                    retries += 1;
                }
                deployed => return deployed.map_err(|error| go_on.undeployed(error)),
            }
        }
    }
}
