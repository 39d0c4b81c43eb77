//! A deployment: the preview, and the files that are kept on disk.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use alloy_primitives::{Address, U256, keccak256};
use canon_chain::{
    AccountSigner, Client, Sender,
    deploy::{
        CheckedParameters, DeployError, DeployManifest, DeployProgress, DeployRecord,
        PROXY_CREATOR, RecordFile, SetPlan, SimulatedSteps, Step, deploy, ensure_can_be_finished,
        find_done, simulate_steps,
    },
};
use canon_protocol::{
    ForeignText,
    text::{Rounding, ether},
};
use canon_views::BlockView;
use eyre::{Report, eyre};
use serde::Serialize;

use super::{
    finish::Finished,
    proxy::ProxyCreation,
    render::{self, GenesisSource, PreviewOrigin},
};
use crate::{
    chain::unreached,
    deployer::{self, Confirmation, confirm, ensure_funds, interrupted, note_on_wait, wait_for},
    exit::Failure,
    judgement::Judgement,
    output,
    send::{UnsignedForm, UnsignedStep, print_unsigned},
};

const GO_ON: &str = "run the same command with --resume to go on";

const NOTHING_PRINTED: &str =
    "nothing was printed: remove the cause, then run the same command again";

/// What to know about transactions that aren't one batch.
const OUT_OF_ORDER: &str = "each transaction needs those with the numbers in its `after`: mined before them, it fails or has no effect, and \
     the same command prints it again";

const VERIFIES: &str =
    "once they are mined, run the same command again: it verifies the set and writes the manifest";

const HANDS_OVER: &str = "once they are mined, run the same command again: it prints the last two transactions, which hand the Registry \
     over. Before the rollup is canonical they would make a set that nobody can finish";

pub(super) const RESUME: &str = "remove the cause, then run the same command with --resume";

/// The next step if a record is of another chain.
const OTHER_RECORD: &str = "use the endpoint of the record's chain; to deploy on this one, name another --manifest, \
     or delete the record";

/// The number of times that the contracts are read again after an endpoint failed.
const MAX_RETRIES: u32 = 5;

/// A deployment to carry out: its set, its chain and its files.
pub(super) struct Session {
    pub(super) client: Client,
    pub(super) checked: CheckedParameters,
    pub(super) manifest: PathBuf,
    pub(super) record: PathBuf,
    pub(super) judgement: Judgement,
}

/// A deployment that can be sent.
pub(super) struct Prepared {
    session: Session,
    sender: Sender,
    /// The content of the record's file; `None` if there is none.
    found: Option<DeployRecord>,
    beginning: Beginning,
    /// The record of this run, or that of an earlier run.
    record: DeployRecord,
    /// The record, with the steps that the chain has.
    on_chain: DeployRecord,
    plan: SetPlan,
    /// The creation of the deployment proxy that comes first; `None` if it isn't needed.
    proxy: Option<ProxyCreation>,
    balance: U256,
    /// The highest possible fee as fees are offered now, in wei, without the steps that are done.
    most_fee: U256,
}

/// The result of a dry run as JSON.
#[derive(Serialize)]
pub(super) struct PreparedDocument<'a> {
    #[serde(with = "canon_protocol::text::decimal")]
    chain_id: u64,
    #[serde(with = "canon_protocol::text::address")]
    deployer: Address,
    contracts: Vec<PlannedDocument>,
    /// The steps whose effects the chain has.
    done: Vec<Step>,
    rules: &'a Judgement,
    gas: u64,
    /// The fee in wei.
    most_fee: String,
    /// The creation of the deployment proxy that comes first; `None` if it isn't needed.
    proxy: Option<ProxyDocument>,
}

#[derive(Serialize)]
struct ProxyDocument {
    #[serde(with = "canon_protocol::text::address")]
    creator: Address,
    /// The wei that the deployer pays to the creator.
    payment: String,
}

#[derive(Serialize)]
struct PlannedDocument {
    contract: &'static str,
    #[serde(with = "canon_protocol::text::address")]
    address: Address,
}

/// The way in which a deployment begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    /// Nothing of it is there.
    New,
    /// It goes on with an earlier run, and takes over contracts that the chain has.
    Resumed,
    /// Somebody else signs its transactions, as many as the chain lacks.
    Unsigned,
}

/// The path of the record of an unfinished deployment.
pub(super) fn record_of(manifest: &Path) -> PathBuf {
    let mut name = manifest.as_os_str().to_owned();
    name.push(".unfinished");
    name.into()
}

/// A finished deployment, whose manifest is written and whose record is still there: the process ended between the two.
pub(super) struct Leftover {
    manifest: DeployManifest,
    record: DeployRecord,
    file: RecordFile,
}

/// Finds a finished deployment that has left its record. `None` if there is no manifest, or the record isn't that of the
/// same finished deployment.
///
/// # Errors
///
/// If another process has the record open, or it can't be read.
pub(super) fn leftover(manifest: &Path, record: &Path) -> Result<Option<Leftover>, Failure> {
    if !manifest.exists() || !record.exists() {
        return Ok(None);
    }
    let (file, found) = RecordFile::open(record).map_err(unrecorded)?;
    let text = canon_chain::read_text(manifest).unwrap_or_default();
    let written = DeployManifest::parse(&text).ok();
    let both = written.zip(found.filter(|found| found.next().is_none()));
    let both = both.filter(|(written, found)| written.is_of(found));
    Ok(both.map(|(manifest, record)| Leftover { manifest, record, file }))
}

impl Leftover {
    /// Removes the record, if the deployment is that of these parameters by this account, and the chain has its
    /// contracts. Returns the manifest.
    pub(super) async fn finish(
        self,
        client: &Client,
        checked: &CheckedParameters,
        deployer: Address,
        path: &Path,
    ) -> Result<DeployManifest, Failure> {
        let Self { manifest, record, file } = self;
        ensure_of(&record, path, client, deployer, checked).await?;
        let head = client.head().await.map_err(unreached)?;
        let newest = record.newest_block();
        if head.number < newest {
            let found = head.number;
            return Err(Failure::internal(
                eyre!(
                    "expected block {newest}, in which the deployment ended, found block {found}"
                ),
                "wait until the endpoint has caught up, or use another one",
            ));
        }
        for planned in &manifest.contracts {
            let (contract, address) = (ForeignText::new(&planned.contract), planned.address);
            let code = client.code(head.hash.into(), address).await.map_err(unreached)?;
            let found = match code {
                Some(code) if keccak256(&code) == planned.code_hash => continue,
                Some(_) => "other code",
                None => "no code",
            };
            return Err(Failure::refused(
                eyre!("expected {contract} at {address} as in the manifest, found {found}"),
                "`canon audit --manifest` shows what is wrong",
            ));
        }
        file.remove().map_err(unrecorded)?;
        Ok(manifest)
    }
}

/// Checks that a record is of this chain, this deployer and these parameters.
async fn ensure_of(
    record: &DeployRecord,
    path: &Path,
    client: &Client,
    deployer: Address,
    checked: &CheckedParameters,
) -> Result<(), Failure> {
    let chain = client.chain_id();
    if record.chain_id != chain {
        let error = DeployError::OtherChain { record: record.chain_id, chain };
        return Err(Failure { next: OTHER_RECORD, ..undeployed(error) });
    }
    if record.deployer != deployer {
        let (record, key) = (record.deployer, deployer);
        return Err(undeployed(DeployError::OtherDeployer { record, key }));
    }
    if record.parameters != *checked.raw() {
        return Err(undeployed(DeployError::OtherParameters));
    }
    if !record.is_known_to(client).await.map_err(unreached)? {
        let (path, count) = (path.display(), record.receipts().count());
        return Err(Failure::bad_input(
            eyre!(
                "{path}: expected the chain with the {count} transactions of this record, found none of them: this is \
                 another chain with the id {chain}, such as a fork, or a development chain that began anew"
            ),
            OTHER_RECORD,
        ));
    }
    Ok(())
}

/// Refuses a deployment that is finished, and one that has begun unless it is resumed.
pub(super) fn ensure_unfinished(
    manifest: &Path,
    record: &Path,
    beginning: Beginning,
) -> Result<(), Failure> {
    if manifest.exists() {
        return Err(Failure::bad_input(
            eyre!("{} exists: this deployment is finished", manifest.display()),
            "`canon audit --manifest` checks it; another set needs another --manifest, and another salt in [origin]",
        ));
    }
    if record.exists() && beginning != Beginning::Resumed {
        return Err(Failure::bad_input(
            eyre!("{} exists: this deployment is begun and not finished", record.display()),
            "go on with --resume; another set needs another --manifest, and another salt in [origin]",
        ));
    }
    Ok(())
}

impl Session {
    /// Reads what the preview shows, and runs all checks that are possible before anything is sent.
    pub(super) async fn prepare(
        self,
        signer: AccountSigner,
        beginning: Beginning,
    ) -> Result<Prepared, Failure> {
        let (client, deployer) = (&self.client, signer.address());
        let head = client.head().await.map_err(unreached)?;
        let parameters = self.checked.raw().clone();
        let found = match self.record.exists() {
            true => RecordFile::open(&self.record).map_err(unrecorded)?.1,
            false => None,
        };
        let new = || DeployRecord::new(client.chain_id(), deployer, parameters);
        let mut record = found.clone().unwrap_or_else(new);
        ensure_of(&record, &self.record, client, deployer, &self.checked).await?;
        // Fixes the genesis: the rollup's address follows from it, so the preview and the
        // deployment need the same one.
        let given = record.parameters.rollup.genesis;
        let genesis = *record.genesis.get_or_insert_with(|| given.unwrap_or(head.timestamp));
        let plan = SetPlan::new(&record.parameters, deployer, genesis);
        ensure_can_be_finished(client, &plan).await.map_err(unfinishable)?;
        match (begun_on_chain(client, &plan, &head).await?, beginning) {
            (Some((contract, address)), Beginning::New) => {
                return Err(Failure::bad_input(
                    eyre!("the chain has {contract} at {address} already, with the same arguments"),
                    "to take it over, add --resume; for another set, choose another salt in [origin]",
                ));
            }
            (None, Beginning::Resumed) if !self.record.exists() => {
                return Err(Failure::bad_input(
                    eyre!(
                        "--resume: expected a deployment that has begun, found neither its record {} nor a \
                         contract of it on the chain",
                        self.record.display()
                    ),
                    "leave --resume out to begin; for another deployment, name its file and --manifest",
                ));
            }
            _ => {}
        }
        if let Some((contract, refusal)) = plan.refusals(head.timestamp).into_iter().next() {
            return Err(undeployed(DeployError::Constructor { contract, refusal }));
        }
        let mut on_chain = record.read_again(client).await.map_err(unreached)?;
        find_done(client, &plan, &mut on_chain).await.map_err(undeployed)?;
        if beginning == Beginning::Unsigned {
            record = on_chain.clone();
        }
        let sender = Sender::new(client.clone(), signer);
        let balance = client.balance(deployer).await.map_err(unreached)?;
        let next = client.next_block().await.map_err(unreached)?;
        let fees = sender.fees(next).map_err(|error| undeployed(error.into()))?;
        // Whoever signs elsewhere is told to create it first; and all that is left may not need it.
        let proxy = match (beginning, on_chain.next()) {
            (Beginning::Unsigned, _) | (_, None) => None,
            (Beginning::New | Beginning::Resumed, Some(_)) => {
                let origin = &record.parameters.origin;
                ProxyCreation::needed(client, head.hash, origin).await?
            }
        };
        let gas = most_gas(&on_chain, proxy);
        let most_fee = U256::from(gas) * U256::from(fees.max_fee);
        let session = self;
        Ok(Prepared {
            session,
            sender,
            found,
            beginning,
            record,
            on_chain,
            plan,
            proxy,
            balance,
            most_fee,
        })
    }
}

/// The most gas that the deployer pays for: the steps that aren't done, and the payment for the deployment proxy.
fn most_gas(on_chain: &DeployRecord, proxy: Option<ProxyCreation>) -> u64 {
    on_chain.most_gas_left() + proxy.map_or(0, |proxy| proxy.gas())
}

/// The name and the address of a contract of the plan that the chain has already.
async fn begun_on_chain(
    client: &Client,
    plan: &SetPlan,
    head: &BlockView,
) -> Result<Option<(&'static str, Address)>, Failure> {
    // Expect takes no arguments, so sets share one contract.
    for step in Step::ALL.into_iter().filter(|step| *step != Step::Expect) {
        let Some(planned) = plan.contract(step) else { continue };
        if client.code(head.hash.into(), planned.address()).await.map_err(unreached)?.is_some() {
            return Ok(Some((planned.contract().name(), planned.address())));
        }
    }
    Ok(None)
}

impl Prepared {
    /// The text that a user should read before anything is sent.
    pub(super) fn words(&self) -> String {
        let is_kept = self.found.is_some() || self.record.parameters.rollup.genesis.is_some();
        let preview = render::Preview {
            record: &self.on_chain,
            genesis: if is_kept { GenesisSource::Kept } else { GenesisSource::NewestBlock },
            plan: &self.plan,
            judgement: &self.session.judgement,
            origin: self.origin(),
            proxy: self.proxy,
            balance: self.balance,
            most_gas: most_gas(&self.on_chain, self.proxy),
            most_fee: self.most_fee,
        };
        preview.render()
    }

    /// Whose work the contracts are that the chain has.
    fn origin(&self) -> PreviewOrigin {
        // Sets with the same factory and salt share Expect.
        let mut done = self.on_chain.done.iter().filter(|done| done.step != Step::Expect);
        match self.beginning == Beginning::Resumed && self.found.is_none() && done.next().is_some()
        {
            true => PreviewOrigin::Unrecorded,
            false => PreviewOrigin::Own,
        }
    }

    /// The question for consent.
    pub(super) fn question(&self) -> &'static str {
        match self.origin() {
            PreviewOrigin::Own => "Deploy this set?",
            PreviewOrigin::Unrecorded => "Take over what is there, and deploy the rest?",
        }
    }

    pub(super) fn document(&self) -> PreparedDocument<'_> {
        let planned = Step::ALL.into_iter().filter_map(|step| self.plan.contract(step));
        let contracts = planned.map(|planned| PlannedDocument {
            contract: planned.contract().name(),
            address: planned.address(),
        });
        let done = self.on_chain.done.iter().map(|done| done.step).collect();
        PreparedDocument {
            chain_id: self.record.chain_id,
            deployer: self.record.deployer,
            contracts: contracts.collect(),
            done,
            rules: &self.session.judgement,
            gas: most_gas(&self.on_chain, self.proxy),
            most_fee: self.most_fee.to_string(),
            proxy: self.proxy.map(|ProxyCreation { payment }| ProxyDocument {
                creator: PROXY_CREATOR,
                payment: payment.to_string(),
            }),
        }
    }

    /// Refuses a deployment that the deployer can't pay for.
    pub(super) fn ensure_funds(&self) -> Result<(), Failure> {
        let payment = self.proxy.map_or(U256::ZERO, |proxy| proxy.payment);
        ensure_funds(self.balance, self.most_fee.saturating_add(payment))
    }

    /// Whether the chain has the effects of all steps.
    pub(super) fn is_on_chain(&self) -> bool {
        self.on_chain.next().is_none()
    }

    /// Prints the transactions that the chain lacks, for somebody else to sign.
    pub(super) async fn print(&self, form: UnsignedForm) -> Result<(), Failure> {
        let Self { sender, on_chain, plan, .. } = self;
        let steps: Vec<_> = match form {
            // A batch is mined as a whole or not at all.
            UnsignedForm::Safe => on_chain.steps_left().collect(),
            UnsignedForm::Transaction => on_chain.steps_in_any_order().collect(),
        };
        let simulated = simulate_steps(sender, plan, on_chain, &steps).await;
        match simulated.map_err(|error| deployer::undeployed(error, NOTHING_PRINTED))? {
            SimulatedSteps::All => {}
            SimulatedSteps::First(error) => output::note(&format_args!(
                "only the first transaction was simulated, since this endpoint can't simulate several in order: {error}"
            )),
        }
        let number = |of: &Step| steps.iter().position(|step| step == of).map(|index| index + 1);
        let unsigned = |step: &Step| {
            let call = deployer::unsigned(&plan.call(*step), step.most_gas())?;
            let after = step.requires().iter().filter_map(number).collect();
            Ok(UnsignedStep { title: step.to_string(), call, after })
        };
        let unsigned = steps.iter().map(unsigned).collect::<Result<_, Failure>>()?;
        let (client, account) = (sender.client(), sender.address());
        print_unsigned(form, client, account, "canon deploy", unsigned).await?;
        match form {
            UnsignedForm::Safe => {}
            UnsignedForm::Transaction => output::note(&OUT_OF_ORDER),
        }
        match steps.len() == on_chain.steps_left().count() {
            true => output::note(&VERIFIES),
            false => output::note(&HANDS_OVER),
        }
        Ok(())
    }

    /// Carries out the deployment.
    pub(super) async fn deploy(self, confirmations: u64) -> Result<Finished, Failure> {
        let Self { session, mut sender, found, mut record, .. } = self;
        let (mut file, found_now) = RecordFile::open(&session.record).map_err(unrecorded)?;
        if found_now != found || session.manifest.exists() {
            return Err(Failure::refused(
                eyre!("{} has changed since this was shown", session.record.display()),
                "run the command again, with --resume if another process has begun",
            ));
        }
        let mut unsaved = None;
        let mut save = |record: &DeployRecord, progress: DeployProgress| {
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
                DeployProgress::Replaced(done) => {
                    output::note(&format_args!(
                        "{}: its block was replaced; waiting until another one has it",
                        done.step
                    ));
                }
                _ => {}
            }
            match file.save(record) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    unsaved = Some(error);
                    ControlFlow::Break(())
                }
            }
        };
        let deployment = async {
            let (client, account) = (session.client.clone(), sender.address());
            let mut wait = move |looks| {
                let client = client.clone();
                async move {
                    if let Some(note) = note_on_wait(&client, account, looks).await {
                        output::note(&note);
                    }
                    wait_for(looks).await
                }
            };
            let mut retries = 0;
            let (set, manifest) = loop {
                let deployed = async {
                    let (sender, record, save) = (&mut sender, &mut record, &mut save);
                    let set = deploy(sender, &session.checked, record, &mut wait, save).await?;
                    let manifest = DeployManifest::of(&session.client, record).await?;
                    Ok::<_, DeployError>((set, manifest))
                };
                let (set, manifest) = match deployed.await {
                    // A block can be replaced while the contracts are read.
                    Err(DeployError::Chain(error))
                        if error.is_temporary() && retries < MAX_RETRIES =>
                    {
                        output::note(&error);
                        wait_for(retries).await;
                        retries += 1;
                        continue;
                    }
                    deployed => deployed.map_err(undeployed)?,
                };
                let known = manifest.steps.iter().filter_map(|step| step.receipt);
                let known: Vec<_> = known.collect();
                // What nobody knows the block of counts from the one in which it was seen.
                let seen = match known.len() == manifest.steps.len() {
                    true => None,
                    false => Some(session.client.head().await.map_err(unreached)?.number),
                };
                let confirmed = confirm(&session.client, &known, seen, confirmations).await;
                match confirmed.map_err(go_on)? {
                    Confirmation::Reached => break (set, manifest),
                    Confirmation::Replaced => {}
                }
            };
            let fee = record.fee(&session.client).await.map_err(unreached)?;
            Ok((set, manifest, record.gas_used(), fee))
        };
        let outcome = tokio::select! {
            outcome = deployment => outcome,
            failure = interrupted() => Err(go_on(failure)),
        };
        if let Some(error) = unsaved {
            return Err(unrecorded(error));
        }
        let (set, manifest, gas, fee) = outcome?;
        super::finish::write(&session.manifest, &manifest)?;
        file.remove().map_err(unrecorded)?;
        Ok(Finished { manifest, set, gas, fee, file: session.manifest })
    }
}

fn unrecorded(error: canon_chain::deploy::RecordFileError) -> Failure {
    Failure::internal(
        Report::new(error).wrap_err("the record of the deployment can't be kept"),
        "nothing is sent without it: correct this, then go on with --resume",
    )
}

fn go_on(failure: Failure) -> Failure {
    Failure { next: GO_ON, ..failure }
}

/// The failure before a deployment begins. Its salt is the only way out if a contract belongs to another set, or if the
/// set can't be finished.
fn unfinishable(error: DeployError) -> Failure {
    const OTHER_SALT: &str = "choose another salt in [origin]";
    match error {
        error @ DeployError::OtherSet { .. } => Failure::bad_input(eyre!("{error}"), OTHER_SALT),
        error @ DeployError::Unfinishable { found: None, .. } => {
            Failure::refused(eyre!("{error}"), OTHER_SALT)
        }
        error @ DeployError::Unfinishable { .. } => {
            Failure::bad_input(eyre!("{error}"), "correct rollup.genesis, or choose another salt")
        }
        error => undeployed(error),
    }
}

fn undeployed(error: DeployError) -> Failure {
    deployer::undeployed(error, RESUME)
}
