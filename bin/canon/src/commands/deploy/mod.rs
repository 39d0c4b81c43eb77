//! `canon deploy`: deploys a whole set.

mod file;
mod finish;
mod render;
mod session;
pub(crate) mod template;

use std::path::PathBuf;

use canon_chain::deploy::{SetFacts, SetParameters, broken_rules};
use clap::{Args, ValueEnum};

use crate::{
    chain::{self, ChainArgs},
    deployer::ask,
    exit::{Exit, Failure},
    input::whole,
    judgement::Judgement,
    output,
    send::Consent,
    signing::{Need, SignerArgs},
};

pub(crate) use render::meaning;

use file::Deployment;
use session::Session;

/// Deploy a set of contracts from a file of parameters, and verify every step
///
/// All addresses are shown before anything is sent. Each step is recorded on disk before it is sent and
/// verified on the chain before the next one begins, so a deployment that was interrupted goes on with
/// --resume. At the end the deployer owns nothing, and a manifest says how to recompute every address.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Deploy {
    /// File with the parameters
    #[arg(value_name = "FILE", required_unless_present = "print_config")]
    file: Option<PathBuf>,

    /// Print a file of parameters, every field explained, and exit
    #[arg(long, conflicts_with_all = ["file", "resume", "manifest", "yes", "dry_run", "json"])]
    print_config: bool,

    /// Parameters to print
    #[arg(long, value_name = "NAME", requires = "print_config", default_value = "mainnet-like")]
    preset: Preset,

    /// Go on with a deployment that was interrupted, and take over contracts that the chain has already
    #[arg(long)]
    resume: bool,

    /// File to write the manifest to [default: FILE with the ending .manifest.json]
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,

    /// Don't ask before sending
    #[arg(long)]
    yes: bool,

    /// Stop before anything is sent; the address in --from suffices
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,

    /// Blocks to wait for after the last step, with the one that has it
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = whole(1..=canon_chain::FINALITY))]
    confirmations: u64,

    /// Print the manifest as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    signer: SignerArgs,

    #[command(flatten)]
    chain: ChainArgs,
}

/// Parameters that are ready to use.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Preset {
    /// Everything within an hour, for a chain of a development node
    Tests,
    /// Delays of days, and stake that is accountable
    MainnetLike,
}

const AFTER_HELP: &str = "\
Examples:
  canon deploy --print-config > deployment.toml
  canon deploy deployment.toml --rpc-url http://localhost:8545 --account deployer
  canon deploy deployment.toml --resume --rpc-url http://localhost:8545 --account deployer

Exit codes:
  0  the set was deployed and verified; with --dry-run, it can be
  1  the chain refuses a step, or the parameters break a rule and the file doesn't accept it
  2  bad input: flags, the file, canon.toml, a key, or a deployment that is finished or not begun
  3  no endpoint answers, or an internal error";

impl Deploy {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let Some(file) = &self.file else {
            let parameters = match self.preset {
                Preset::Tests => SetParameters::tests(),
                Preset::MainnetLike => SetParameters::mainnet_like(),
            };
            let text = template::set(&parameters);
            let text =
                text.map_err(|error| Failure::internal(error.into(), "please report this"))?;
            output::result(&text)?;
            return Ok(Exit::Success);
        };
        let Deployment { parameters: checked, accepted } = Deployment::read(file)?;
        let manifest = self.manifest.clone();
        let manifest = manifest.unwrap_or_else(|| file.with_extension("manifest.json"));
        let record = session::record_of(&manifest);
        session::ensure_unfinished(&manifest, &record, self.resume)?;
        let settings = self.chain.settings()?;
        let need = if self.dry_run { Need::Address } else { Need::Key };
        let signer = self.signer.open(need)?;
        chain::run(async {
            let client = settings.connect_without_set().await?;
            let facts = SetFacts { parameters: checked.raw(), initial_holder_has: None };
            let judgement = Judgement::new(broken_rules(&facts, client.chain_id()), accepted);
            for rule in judgement.unneeded() {
                output::note(&format_args!("accept names {rule}, which isn't broken"));
            }
            judgement.ensure_accepted()?;
            let signer = signer.on(&client).await?;
            let session = Session { client, checked, manifest, record, judgement };
            let prepared = session.prepare(signer, self.resume).await?;
            let words = prepared.words();
            if self.dry_run {
                match self.json {
                    true => output::json(&prepared.document())?,
                    false => output::result(&words)?,
                }
                return Ok(Exit::Success);
            }
            output::text(&words);
            ask("Deploy this set?", if self.yes { Consent::Given } else { Consent::Ask })?;
            let finished = prepared.deploy(self.confirmations).await?;
            match self.json {
                true => output::json(&finished.manifest)?,
                false => output::result(&finished.render(&settings))?,
            }
            Ok(Exit::Success)
        })
    }
}
