//! Command-line arguments.

use std::{
    any::TypeId,
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use canon_chain::without_secrets;
use canon_toml_file::looks_like_a_secret;
use clap::{
    Arg, ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand,
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::{
    command_help::WIDTH,
    commands::{
        audit, calendar, completions, config, deploy, devchain, drop, execute, forecast, keeper,
        lock, man, payload, power, proposal, propose, push, rehearse, rollup, round, setup_epoch,
        signal, stake, status, unlock, vote, withdraw,
    },
    exit::{Exit, Failure},
};

/// Upgrade governance for rollups: sequencers signal, holders vote, anyone executes
#[derive(Debug, Parser)]
#[command(name = "canon", version, propagate_version = true, max_term_width = WIDTH, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
`canon rehearse`, `devchain`, `forecast`, `config`, `completions` and `man` need no chain, nor does `canon deploy --print-config`. All other \
commands need an endpoint and, apart from `canon deploy`, a Registry: by --rpc-url and --registry, ETH_RPC_URL and CANON_REGISTRY, or in canon.toml.

`canon help COMMAND` explains a command and its exit codes.";

#[derive(Debug, Subcommand)]
enum Command {
    Rehearse(rehearse::Rehearse),
    Devchain(devchain::ServeDevchain),
    Forecast(Box<forecast::Forecast>),
    Deploy(Box<deploy::Deploy>),
    Audit(audit::Audit),
    Rollup(rollup::Rollup),
    Payload(payload::Payload),
    Status(status::Status),
    Round(round::Round),
    Proposal(proposal::Proposal),
    Power(power::Power),
    Calendar(calendar::Calendar),
    Lock(Box<lock::Lock>),
    Unlock(Box<unlock::Unlock>),
    Withdraw(Box<withdraw::Withdraw>),
    Vote(Box<vote::Vote>),
    Propose(Box<propose::Propose>),
    Signal(Box<signal::Signal>),
    Stake(stake::Stake),
    Push(Box<push::Push>),
    Execute(Box<execute::Execute>),
    Drop(Box<drop::DropProposal>),
    SetupEpoch(Box<setup_epoch::SetupEpoch>),
    Keeper(Box<keeper::RunKeeper>),
    Config(config::Config),
    Completions(completions::Completions),
    Man(man::Man),
}

impl Cli {
    /// Parses the command line.
    ///
    /// # Errors
    ///
    /// clap's errors, which also carry the texts of `--help` and `--version`. [`refusal`] renders them.
    pub(crate) fn read() -> Result<Self, clap::Error> {
        let mut command = with_negative_values(without_empty_variables(Self::command()));
        let matches = command.try_get_matches_from_mut(env::args_os());
        let mut matches = matches.map_err(|error| with_tip(with_usage(error, &command)))?;
        require_paths(&command, &matches)?;
        Self::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
    }

    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self.command {
            Command::Rehearse(command) => command.run(),
            Command::Devchain(command) => command.run(),
            Command::Forecast(command) => command.run(),
            Command::Deploy(command) => command.run(),
            Command::Audit(command) => command.run(),
            Command::Rollup(command) => command.run(),
            Command::Payload(command) => command.run(),
            Command::Status(command) => command.run(),
            Command::Round(command) => command.run(),
            Command::Proposal(command) => command.run(),
            Command::Power(command) => command.run(),
            Command::Calendar(command) => command.run(),
            Command::Lock(command) => command.run(),
            Command::Unlock(command) => command.run(),
            Command::Withdraw(command) => command.run(),
            Command::Vote(command) => command.run(),
            Command::Propose(command) => command.run(),
            Command::Signal(command) => command.run(),
            Command::Stake(command) => command.run(),
            Command::Push(command) => command.run(),
            Command::Execute(command) => command.run(),
            Command::Drop(command) => command.run(),
            Command::SetupEpoch(command) => command.run(),
            Command::Keeper(command) => command.run(),
            Command::Config(command) => command.run(),
            Command::Completions(command) => command.run(),
            Command::Man(command) => command.run(),
        }
    }
}

/// Refuses a secret in the place of a path, which later errors would repeat.
fn require_paths(command: &clap::Command, matches: &ArgMatches) -> Result<(), clap::Error> {
    let paths = command.get_arguments().filter(|argument| takes_a_path(argument));
    for argument in paths {
        let values = matches.get_many::<PathBuf>(argument.get_id().as_str()).into_iter().flatten();
        if values.into_iter().any(|path| is_a_secret(path)) {
            let message = format!(
                "invalid value for '{argument}': expected the path of a file, found what looks like a key or a \
                 mnemonic\n\nA flag takes no secret: put it into a file, and name that\n"
            );
            return Err(clap::Error::raw(ErrorKind::ValueValidation, message).with_cmd(command));
        }
    }
    let Some((name, matches)) = matches.subcommand() else { return Ok(()) };
    let subcommand = command.find_subcommand(name);
    subcommand.map_or(Ok(()), |subcommand| require_paths(subcommand, matches))
}

/// Whether the value of an argument is a path.
fn takes_a_path(argument: &Arg) -> bool {
    argument.get_action().takes_values()
        && argument.get_value_parser().type_id() == TypeId::of::<PathBuf>()
}

/// Whether a path is rather a secret: it looks like one, and there is no such file.
fn is_a_secret(path: &Path) -> bool {
    looks_like_a_secret(&path.to_string_lossy()) && !path.exists()
}

/// Replaces the usage in an error by the one in the command's help. clap's own adds the arguments that were found,
/// also those of the environment, as if they were required.
fn with_usage(mut error: clap::Error, root: &clap::Command) -> clap::Error {
    if error.get(ContextKind::Usage).is_some() {
        let mut names = env::args_os().skip(1);
        let mut command = root;
        while let Some(found) = names.next().and_then(|name| command.find_subcommand(name)) {
            command = found;
        }
        let usage = command.clone().render_usage();
        error.insert(ContextKind::Usage, ContextValue::StyledStr(usage));
    }
    error
}

/// Adds a tip to the error for a ballot without a side, and for a scenario that is named without its flag.
fn with_tip(mut error: clap::Error) -> clap::Error {
    let is_vote = env::args_os().nth(1).is_some_and(|command| command == "vote");
    if is_vote && error.kind() == ErrorKind::MissingRequiredArgument {
        let tip = "the side is after the id, as in `canon vote 5 for`; a signed ballot has its own, with --signature";
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
        return error;
    }
    let argument = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(argument)) if error.kind() == ErrorKind::UnknownArgument => {
            argument
        }
        _ => return error,
    };
    if env::args_os().nth(1).is_none_or(|command| command != "rehearse")
        || !argument.ends_with(".toml")
    {
        return error;
    }
    let tip = format!("name the scenario with its flag: --scenario {argument}");
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    error
}

/// Returns a command that treats empty environment variables as unset.
fn without_empty_variables(command: clap::Command) -> clap::Command {
    let is_empty = |arg: &Arg| {
        let value = arg.get_env().and_then(env::var_os);
        value.is_some_and(|value| value.is_empty())
    };
    command
        .mut_args(|arg| if is_empty(&arg) { arg.env(None::<&str>) } else { arg })
        .mut_subcommands(without_empty_variables)
}

/// Returns a command that accepts negative numbers such as `-5` as values. The parser of the value then refuses
/// them and names what it expects.
fn with_negative_values(command: clap::Command) -> clap::Command {
    command
        .mut_args(|arg| {
            let takes_values = arg.get_action().takes_values();
            arg.allow_negative_numbers(takes_values)
        })
        .mut_subcommands(with_negative_values)
}

/// Renders clap's message about refused arguments, with styles. The message repeats arguments, and a user may
/// have put a key or a URL with a key in the place of another value. Keys are hidden, and of URLs only scheme
/// and host remain.
pub(crate) fn refusal(error: &clap::Error) -> String {
    let arguments = env::args_os().chain(variables(&Cli::command()));
    let arguments: Vec<_> = arguments.map(|text| text.to_string_lossy().into_owned()).collect();
    without_arguments(&error.render().ansi().to_string(), &arguments)
}

/// Replaces arguments in a message, and their values after `=`, by forms without secrets.
fn without_arguments(message: &str, arguments: &[String]) -> String {
    let values = arguments.iter().filter_map(|argument| argument.split_once('='));
    let mut texts: Vec<_> = values.map(|(_, value)| value).collect();
    texts.extend(arguments.iter().map(String::as_str));
    // An existing file is a path, not a URL without its scheme.
    texts.retain(|text| !text.is_empty() && !Path::new(text).is_file());
    // One argument can be part of another. Longer ones come first, since they are only recognized while they are
    // whole.
    texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
    texts.into_iter().fold(message.to_owned(), |message, text| message.replace(text, &shown(text)))
}

/// Returns an argument without its secrets: a text in the form of a key or a mnemonic is hidden, and URLs lose
/// theirs.
fn shown(argument: &str) -> String {
    match looks_like_a_secret(argument) {
        true => "[hidden]".to_owned(),
        false => without_secrets(argument),
    }
}

/// Returns the values of all environment variables that a command and its subcommands read.
fn variables(command: &clap::Command) -> Vec<OsString> {
    let own = command.get_arguments().filter_map(|arg| env::var_os(arg.get_env()?));
    own.chain(command.get_subcommands().flat_map(variables)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_that_is_part_of_another_does_not_keep_it_from_being_hidden() {
        let url = "http://host/v2/SECRETKEY";
        let message = format!("invalid value '{url}' for '--registry'");
        for arguments in [["/v2", url], [url, "/v2"], ["/v2", &format!("--registry={url}")]] {
            let arguments = arguments.map(str::to_owned);
            let shown = without_arguments(&message, &arguments);
            assert_eq!(shown, "invalid value 'http://host' for '--registry'", "{arguments:?}");
        }
    }

    /// Every argument of a command and its subcommands, with the names of the command.
    fn arguments(command: &clap::Command) -> Vec<(Vec<String>, Arg)> {
        let own = command.get_arguments().map(|argument| (Vec::new(), argument.clone()));
        let further = command.get_subcommands().flat_map(|subcommand| {
            let name = subcommand.get_name().to_owned();
            arguments(subcommand).into_iter().map(move |(mut names, argument)| {
                names.insert(0, name.clone());
                (names, argument)
            })
        });
        own.chain(further).collect()
    }

    #[test]
    fn a_secret_in_the_place_of_any_path_is_refused_and_not_repeated() {
        let (key, mnemonic) = (format!("0x{}", "ab".repeat(32)), ["test"; 12].join(" "));
        let mut found = std::collections::BTreeSet::new();
        let mut command = Cli::command();
        command.build();
        for (names, argument) in arguments(&command) {
            let is_file = argument
                .get_value_names()
                .unwrap_or_default()
                .iter()
                .any(|name| ["FILE", "DIR", "FOLDER", "PATH"].contains(&name.as_str()));
            assert!(!is_file || takes_a_path(&argument), "{names:?} {argument}");
            if !takes_a_path(&argument) {
                continue;
            }
            for secret in [&key, &mnemonic] {
                let flag = argument.get_long().map(|long| format!("--{long}"));
                let typed = [vec!["canon".to_owned()], names.clone()].concat().into_iter();
                let typed = typed.chain(flag).chain([secret.clone()]);
                // What else a command requires is left out.
                let mut command = Cli::command().ignore_errors(true);
                let matches = command.try_get_matches_from_mut(typed).unwrap();
                let refused = require_paths(&command, &matches).unwrap_err();
                let said = refused.render().to_string();
                let start = format!("error: invalid value for '{argument}': expected the path");
                assert!(said.starts_with(&start) && !said.contains(secret), "{said}");
            }
            found.insert(argument.to_string());
        }
        for flag in ["--keystore", "--password-file", "--signature", "--config", "--manifest"] {
            assert!(found.contains(&format!("{flag} <FILE>")), "{flag}: {found:?}");
        }
    }

    #[test]
    fn a_key_or_a_mnemonic_in_the_wrong_place_is_hidden() {
        let mnemonic = ["test"; 12].join(" ");
        for secret in [&"ab".repeat(32), &format!("0x{}", "ab".repeat(32)), &mnemonic] {
            let message = format!("invalid value '{secret}' for '<AMOUNT>'");
            let shown = without_arguments(&message, std::slice::from_ref(secret));
            assert_eq!(shown, "invalid value '[hidden]' for '<AMOUNT>'");
        }
    }
}
