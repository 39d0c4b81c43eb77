//! `canon rehearse`: carries out a whole upgrade on an embedded L1.

use std::{
    io::{self, IsTerminal as _},
    path::PathBuf,
    time::Duration,
};

use canon_protocol::text::{grouped, number};
use canon_rehearsal::{
    Rehearsal, RehearsalProgress, Report,
    scenario::{MAX_HOLDERS, MAX_SEQUENCERS, Scenario},
};
use clap::Args;
use terminal_size::{Width, terminal_size_of};

use crate::{
    command_help::CommandHelp,
    exit::{Exit, Failure},
    input::whole,
    output, progress,
    toml_file::TomlFile,
};

/// Carry out a complete upgrade on an embedded L1, with the real contracts
///
/// Deploys the whole set on a chain inside this process, stakes, locks, signals, pushes, votes,
/// executes and moves the stake, and prints what happened: when, who, what, for how much gas. At
/// the end the state of every contract is compared with what it should be.
///
/// Nothing leaves this machine, and no node is needed. The same scenario and seed print the same
/// bytes.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Rehearse {
    /// Scenario to simulate, in TOML [default: a successful upgrade]
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,

    /// Sequencers on the old rollup; the share that misbehaves stays the same
    #[arg(long, value_name = "N", value_parser = whole(1..=MAX_SEQUENCERS))]
    sequencers: Option<u64>,

    /// Holders; every group keeps its share
    #[arg(long, value_name = "N", value_parser = holder_count)]
    holders: Option<u64>,

    /// Derives all keys, amounts and draws [default: the scenario's]
    #[arg(long, value_name = "S", value_parser = whole(0..=u64::MAX))]
    seed: Option<u64>,

    /// Print the report as JSON: times in seconds, amounts in base units; numbers that can exceed 2^53
    /// are strings
    #[arg(long)]
    json: bool,

    /// Print the default scenario, every field explained, and exit
    #[arg(long, conflicts_with_all = ["scenario", "sequencers", "holders", "seed", "json"])]
    print_scenario: bool,
}

const HELP: CommandHelp = CommandHelp::alone("all checks hold")
    .failed(&["a check failed"])
    .input(&["the scenario"])
    .after(
        "\
Examples:
  canon rehearse
  canon rehearse --sequencers 48 --holders 200 --seed 7
  canon rehearse --scenario scenarios/tie.toml
  canon rehearse --print-scenario > mine.toml
  canon rehearse --json | jq '.checks[] | select(.holds | not)'",
    );

impl Rehearse {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        if self.print_scenario {
            output::result(canon_rehearsal::scenario::DEFAULT)?;
            return Ok(Exit::Success);
        }
        let scenario = self.scenario()?;
        let report = run(&scenario)?;
        match self.json {
            true => output::json(&report)?,
            false => output::result(&report.to_text_within(columns()))?,
        }
        Ok(if report.passed { Exit::Success } else { Exit::CheckFailed })
    }

    fn scenario(&self) -> Result<Scenario, Failure> {
        let scenario = match &self.scenario {
            None => Scenario::read("the default scenario", canon_rehearsal::scenario::DEFAULT),
            Some(path) => {
                let file = TomlFile::read(path, "name a scenario file, as in scenarios/*.toml")?;
                Scenario::read(file.name(), file.text())
            }
        };
        let mut scenario = scenario.map_err(|error| {
            Failure::bad_input(
                eyre::Report::new(error).wrap_err("the scenario can't be simulated"),
                "correct the lines above; `canon rehearse --print-scenario` explains every field",
            )
        })?;
        let scaled = |flag: &str, error| {
            Failure::bad_input(
                eyre::Report::new(error).wrap_err(format!("{flag} doesn't fit the scenario")),
                "choose another number",
            )
        };
        if let Some(count) = self.sequencers {
            let flag = format!("--sequencers {count}");
            scenario = scenario.with_sequencers(count).map_err(|error| scaled(&flag, error))?;
        }
        if let Some(count) = self.holders {
            let flag = format!("--holders {count}");
            scenario = scenario.with_holders(count).map_err(|error| scaled(&flag, error))?;
        }
        if let Some(seed) = self.seed {
            scenario = scenario.with_seed(seed);
        }
        Ok(scenario)
    }
}

/// Parses the number of holders for clap. The least number is checked later, since the scenario decides it.
fn holder_count(text: &str) -> Result<u64, String> {
    let most = grouped(MAX_HOLDERS);
    number::parse(text).map_err(|_| {
        format!("expected a whole number, from that of the scenario's groups of holders to {most}")
    })
}

/// The width of the terminal, but at least what the report needs. Unlimited if stdout isn't one.
fn columns() -> usize {
    let terminal = Some(io::stdout()).filter(io::Stdout::is_terminal).and_then(terminal_size_of);
    terminal.map_or(usize::MAX, |(Width(columns), _)| usize::from(columns).max(80))
}

fn run(scenario: &Scenario) -> Result<Report, Failure> {
    let failed = |report: eyre::Report| {
        Failure::internal(
            report.wrap_err("the rehearsal can't go on"),
            "this is a bug, or the scenario asks for something impossible; try another --seed, and report \
             it with the scenario",
        )
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.map_err(|error| failed(error.into()))?;
    let bar = progress::bar("The chain starts", 1)?;
    bar.enable_steady_tick(Duration::from_millis(100));
    let mut progress = |step: RehearsalProgress| {
        bar.set_length(step.of);
        bar.set_position(step.done);
        bar.set_prefix(format!("{}: {}", step.chapter, step.doing));
    };
    let report = runtime.block_on(async {
        let rehearsal = Rehearsal::run(scenario, &mut progress).await?;
        rehearsal.report().await
    });
    bar.finish_and_clear();
    report.map_err(|error| failed(error.into()))
}
