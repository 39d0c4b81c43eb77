//! `canon deploy`: deploys a whole set.

mod carry_out;
mod document;
mod earlier_run;
mod failures;
mod file;
mod finish;
mod leftover;
mod prepare;
mod proxy;
mod render;
pub(crate) mod template;
mod unsigned;

use std::path::{Path, PathBuf};

use canon_chain::deploy::{DeployManifest, SetFacts, broken_rules};
use clap::Args;

use crate::{
    chain::{self, ChainArgs},
    command_help::CommandHelp,
    exit::{Exit, Failure},
    judgement::Judgement,
    output,
    preset::Preset,
    send::{Extent, Format, SendArgs, lock_account},
    style::styled,
};

pub(crate) use file::named_genesis;
pub(crate) use render::meaning;

use document::PreparedDocument;
use earlier_run::{already_finished, ensure_not_begun, found_manifest, record_of};
use file::Deployment;
use leftover::Leftover;
use prepare::{Beginning, Session};

/// Deploy a set of contracts from a file of parameters, and verify every step
///
/// All addresses are shown before anything is sent. Each step is recorded on disk before it is sent and
/// verified on the chain before the next one begins, so a deployment that was interrupted goes on with
/// --resume. At the end no contract is the deployer's, and a manifest says how to recompute every address.
///
/// --unsigned prints the transactions that the chain lacks, for a multisig or another wallet, each with those that must
/// be mined before it; those that hand the Registry over come last, once the rollup is canonical. When the chain lacks
/// none, the same command verifies the set and writes the manifest.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Deploy {
    /// File with the parameters
    #[arg(value_name = "FILE", required_unless_present = "print_config")]
    file: Option<PathBuf>,

    /// Print a file of parameters, every field explained, and exit
    #[arg(long, conflicts_with_all = ["file", "resume", "manifest", "yes", "dry_run", "unsigned", "json"])]
    print_config: bool,

    /// Parameters to print
    #[arg(long, value_name = "NAME", requires = "print_config", default_value = "mainnet-like")]
    preset: Preset,

    /// Go on with a deployment that was interrupted, and take over contracts that the chain has already
    #[arg(long, conflicts_with = "unsigned")]
    resume: bool,

    /// File to write the manifest to [default: FILE with the ending .manifest.json]
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,

    #[command(flatten)]
    send: SendArgs,

    #[command(flatten)]
    chain: ChainArgs,
}

/// The next step if stdout doesn't take the result.
const IN_MANIFEST: &str = "the manifest has it: `canon audit --manifest` checks the set";

const HELP: CommandHelp = CommandHelp::alone(
    "the set was deployed and verified; with --dry-run and --unsigned, it can be",
)
.failed(&[
    "the chain refuses a step",
    "the account lacks ether",
    "the parameters break a rule and the file doesn't accept it",
    "the set can't be finished",
])
.input(&[
    "the file",
    "canon.toml",
    "no key",
    "a deployment that is finished or not begun",
    "a salt that another set has",
])
.internal("no endpoint answers, or an internal error")
.after(
    "\
Examples:
  canon deploy --print-config > deployment.toml
  canon deploy deployment.toml --rpc-url http://localhost:8545 --account deployer
  canon deploy deployment.toml --resume --rpc-url http://localhost:8545 --account deployer
  canon deploy deployment.toml --unsigned safe --from 0x…",
);

impl Deploy {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let Some(file) = &self.file else {
            let text = template::set(&self.preset.parameters());
            let text =
                text.map_err(|error| Failure::internal(error.into(), "please report this"))?;
            output::result(&text)?;
            return Ok(Exit::Success);
        };
        let Deployment { parameters: checked, accepted } = Deployment::read(file)?;
        if let Extent::Print(_) = self.send.extent() {
            named_genesis(&checked.raw().rollup)?;
        }
        let manifest = self.manifest.clone();
        let manifest = manifest.unwrap_or_else(|| file.with_extension("manifest.json"));
        let record = record_of(&manifest);
        let beginning = match (self.send.extent(), self.resume) {
            (Extent::Print(_), _) => Beginning::Unsigned,
            (_, true) => Beginning::Resumed,
            (_, false) => Beginning::New,
        };
        let leftover = match self.send.extent() {
            Extent::Send(_) => Leftover::find(&manifest, &record)?,
            Extent::Simulate | Extent::Print(_) => None,
        };
        let settings = self.chain.settings()?;
        if leftover.is_none() {
            if let Some(found) = found_manifest(&manifest, &checked)? {
                let client = chain::run(settings.connect_without_set())?;
                return Err(already_finished(&manifest, &found, client.chain_id()));
            }
            ensure_not_begun(&record, beginning)?;
        }
        let signer = self.send.open()?;
        chain::run(async {
            let client = settings.connect_without_set().await?;
            if let Some(leftover) = leftover {
                let deployer = signer.on(&client).await?.address();
                let finished = leftover.finish(&client, &checked, deployer, &record).await?;
                return self.show_complete(&finished, &manifest, &record);
            }
            let facts = SetFacts { parameters: checked.raw(), initial_holder_has: None };
            let judgement = Judgement::new(broken_rules(&facts, client.chain_id()), accepted);
            for rule in judgement.unneeded() {
                output::note(&format_args!("accept names {rule}, which isn't broken"));
            }
            judgement.ensure_accepted()?;
            let signer = signer.on(&client).await?;
            let _lock = match self.send.extent() {
                Extent::Send(_) => Some(lock_account(&client, signer.address(), "canon deploy")?),
                Extent::Simulate | Extent::Print(_) => None,
            };
            let session = Session { client, checked, manifest, record, judgement };
            let prepared = session.prepare(signer, beginning).await?;
            let words = prepared.words();
            match (self.send.extent(), self.send.format()) {
                (Extent::Simulate, Format::Json) => {
                    output::json(&PreparedDocument::of(&prepared))?;
                    return prepared.ensure_funds().map(|()| Exit::Success);
                }
                (Extent::Simulate, Format::Text) => {
                    output::report(&words)?;
                    return prepared.ensure_funds().map(|()| Exit::Success);
                }
                (Extent::Print(form), _) if !prepared.is_on_chain() => {
                    output::text(&words);
                    prepared.print(form).await?;
                    return Ok(Exit::Success);
                }
                _ => {
                    prepared.ensure_funds()?;
                    self.send.consent(&words, prepared.question()).await?;
                }
            }
            let finished = prepared.carry_out(self.send.confirmations()).await?;
            match self.send.format() {
                Format::Json => {
                    output::outcome(&output::to_json(&finished.manifest)?, IN_MANIFEST)?
                }
                Format::Text => output::outcome(&styled(&finished.render(&settings)), IN_MANIFEST)?,
            }
            Ok(Exit::Success)
        })
    }

    /// Shows that an earlier run finished the deployment, and only left its record.
    fn show_complete(
        &self,
        finished: &DeployManifest,
        manifest: &Path,
        record: &Path,
    ) -> Result<Exit, Failure> {
        let (manifest, record) = (manifest.display(), record.display());
        output::note(&format_args!(
            "an earlier run ended after it had written the manifest; its record {record} is removed"
        ));
        match self.send.format() {
            Format::Json => output::outcome(&output::to_json(finished)?, IN_MANIFEST)?,
            Format::Text => output::outcome(
                &format!(
                    "The deployment is complete\n  manifest           {manifest}\n\nNext\n  canon audit --manifest {manifest}\n"
                ),
                IN_MANIFEST,
            )?,
        }
        Ok(Exit::Success)
    }
}
