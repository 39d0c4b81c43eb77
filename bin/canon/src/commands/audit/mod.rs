//! `canon audit`: checks whether a set is what it should be.

mod render;

use std::path::{Path, PathBuf};

use canon_chain::{
    audit::{AuditError, AuditReport, audit},
    deploy::{DeployManifest, FindingLevel},
};
use canon_protocol::ForeignText;
use canon_toml_file::may_have_a_secret;
use clap::{Args, ValueEnum};
use eyre::{Report, WrapErr as _, eyre};

use crate::{
    chain::{self, ChainArgs},
    command_help::CommandHelp,
    exit::{Exit, Failure},
    output, progress,
};

/// Check a set that anybody deployed: its contracts, their owners, and what its parameters mean
///
/// Only the Registry's address is needed. Every contract in office is compared with the artifacts of this
/// program: its address must follow from its creation code and the arguments in its constructor's events
/// (CREATE2). With the manifest of the deployment, that is checked too.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Audit {
    /// File that `canon deploy` wrote; its Registry takes precedence over CANON_REGISTRY and canon.toml
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,

    /// Lowest level of a finding for which the exit code is 1
    #[arg(long, value_name = "LEVEL", default_value = "error")]
    fail_on: FailOn,

    /// Print Markdown
    #[arg(long, conflicts_with = "json")]
    markdown: bool,

    /// Print JSON: addresses checksummed, numbers that can exceed 2^53 as strings
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    chain: ChainArgs,
}

/// The level of a finding.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum FailOn {
    /// Something to know
    Note,
    /// It hurts in some circumstances
    Warning,
    /// It hurts for certain, or lets somebody take over
    Error,
}

/// The format of the report, as the flags say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReportFormat {
    Text,
    Markdown,
    Json,
}

/// The maximum number of characters of a parser's message, which repeats a part of the file.
const MAX_REASON: usize = 500;

const HELP: CommandHelp = CommandHelp::reading("no finding reaches --fail-on")
    .failed(&["a finding does"])
    .input(&["the manifest"])
    .after(
        "\
Examples:
  canon audit --rpc-url http://localhost:8545 --registry 0x…
  canon audit --manifest deployment.manifest.json --fail-on warning
  canon audit --markdown > audit.md",
    );

impl From<FailOn> for FindingLevel {
    fn from(level: FailOn) -> Self {
        match level {
            FailOn::Note => Self::Note,
            FailOn::Warning => Self::Warning,
            FailOn::Error => Self::Error,
        }
    }
}

impl Audit {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let format = self.format();
        let manifest = self.manifest.as_deref().map(read).transpose()?;
        let mut settings = self.chain.settings()?;
        if let (Some(path), Some(manifest)) = (&self.manifest, &manifest) {
            let registry = manifest.registry().ok_or_else(|| {
                unusable(path, eyre!("contracts: expected one of the name Registry, found none"))
            })?;
            settings = settings.of_manifest(registry, path)?;
        }
        let report = chain::run(async {
            let chain = settings.connect().await?;
            let head = chain.client().head().await;
            let head = head.map_err(|error| chain.unread(error))?;
            chain.note_age(&head);
            let bar = progress::bar("Reading blocks", 0)?;
            bar.set_length(head.number.get());
            let searched = |block: canon_protocol::BlockNumber| bar.set_position(block.get());
            let report = audit(chain.client(), chain.registry(), manifest.as_ref(), searched).await;
            bar.finish_and_clear();
            report.map_err(|error| match error {
                AuditError::Chain(error) => chain.unread(error),
                error => Failure::internal(
                    Report::msg(error.to_string()).wrap_err("the set can't be audited"),
                    "use an endpoint that has the logs of old blocks",
                ),
            })
        })?;
        show(&report, format)?;
        let fails = report.worst().is_some_and(|worst| worst >= self.fail_on.into());
        Ok(if fails { Exit::CheckFailed } else { Exit::Success })
    }

    const fn format(&self) -> ReportFormat {
        match (self.json, self.markdown) {
            (true, _) => ReportFormat::Json,
            (false, true) => ReportFormat::Markdown,
            (false, false) => ReportFormat::Text,
        }
    }
}

fn show(report: &AuditReport, format: ReportFormat) -> Result<(), Failure> {
    match format {
        ReportFormat::Text => output::report(&render::text(report)),
        ReportFormat::Markdown => output::result(&render::markdown(report)),
        ReportFormat::Json => output::json(report),
    }
}

fn read(path: &Path) -> Result<DeployManifest, Failure> {
    let text =
        canon_chain::read_text(path).wrap_err_with(|| format!("{} can't be read", path.display()));
    let text = text.map_err(|report| {
        Failure::bad_input(report, "name the file that `canon deploy` wrote, or omit --manifest")
    })?;
    DeployManifest::parse(&text).map_err(|error| {
        let reason = error.to_string();
        // It may be another file than the user meant.
        if may_have_a_secret(&reason) {
            let (line, column) = (error.line(), error.column());
            return unusable(
                path,
                eyre!("expected its fields, found another value at {line}:{column}"),
            );
        }
        unusable(path, eyre!("{}", ForeignText::new(&reason).up_to(MAX_REASON)))
    })
}

fn unusable(path: &Path, report: Report) -> Failure {
    let title = format!("{} isn't the manifest of a deployment", path.display());
    let next = "name the file that `canon deploy` wrote, or omit --manifest";
    Failure::bad_input(report.wrap_err(title), next)
}
