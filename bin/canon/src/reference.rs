//! `docs/commands.md`: the reference of all commands, generated from their definitions.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::Path,
};

use clap::{
    Arg, Command, CommandFactory as _,
    builder::{PossibleValue, StyledStr},
};
use snapbox::{Assert, Data};

use crate::{cli::Cli, commands::man::sections};

/// The sections of the help that several commands share: the list under each title.
type Shared = BTreeMap<String, String>;

const INTRODUCTION: &str = "\
# Commands

All commands with their arguments, options and exit codes: what `canon COMMAND --help` prints. `cargo xtask commands`
writes this page.

";

/// The titles of sections that are specific to a command.
const ARGUMENTS: &str = "Arguments";
const OPTIONS: &str = "Options";

const METRICS: &str = "\
# Metrics

The metrics of `canon keeper --listen ADDRESS`, at `/metrics` in Prometheus' text format. `cargo xtask commands` writes
this page.

| metric | kind | what it says |
| --- | --- | --- |
";

#[test]
fn the_metrics_page_has_every_metric_that_is_emitted() {
    let rows = canon_agents::daemon::metrics::METRICS
        .iter()
        .map(|one| format!("| `{}` | {} | {} |\n", one.name, one.kind.name(), one.help));
    is_generated("metrics.md", METRICS.to_owned() + &rows.collect::<String>());
}

#[test]
fn the_commands_page_is_generated_from_the_helps() {
    is_generated("commands.md", reference());
}

/// Compares a page of the documentation with what is generated. `cargo xtask commands` writes it.
fn is_generated(name: &'static str, generated: String) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    let written = Data::read_from(&page, None).raw();
    // `cargo xtask commands` sets the variable.
    let compared =
        Assert::new().action_env("SNAPSHOTS").try_eq(Some(&name), generated.into(), written);
    if let Err(difference) = compared {
        panic!("docs/{name} isn't what is generated: run `cargo xtask commands`\n{difference}");
    }
}

/// Each command has its own section, or is in the list of those that print the outcome of sending.
#[test]
fn the_page_of_json_shapes_has_every_command_with_json() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/json.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, sending) = page.split_once("\n## `canon … --yes --json`\n").unwrap();
    let (sending, _) = sending.split_once("\n\n").unwrap();
    let listed: BTreeSet<_> = sending.split('`').skip(1).step_by(2).collect();
    let headings = page.lines().filter_map(|line| line.strip_prefix("## `")?.strip_suffix('`'));
    let sections: BTreeSet<_> = headings
        .filter_map(|heading| heading.strip_suffix("--json"))
        .map(|heading| {
            heading.split(" --").next().unwrap_or_default().trim().trim_end_matches(" ID")
        })
        .filter(|name| *name != "canon …")
        .collect();
    let mut root = Cli::command().disable_help_subcommand(true);
    root.build();
    let has_json = |command: &&Command| command.get_arguments().any(|arg| arg.get_id() == "json");
    let commands = leaves(&root);
    let expected: BTreeSet<_> = commands.into_iter().filter(has_json).map(name).collect();
    let found: BTreeSet<_> = listed.union(&sections).copied().collect();
    assert_eq!(found, expected);
    assert!(listed.is_disjoint(&sections), "{listed:?} {sections:?}");
}

fn reference() -> String {
    let mut root = Cli::command().disable_help_subcommand(true);
    root.build();
    let commands = leaves(&root);
    let shared = shared(&commands);
    let mut page = INTRODUCTION.to_owned();
    page.push_str("| | |\n| --- | --- |\n");
    for command in &commands {
        let name = name(command);
        let _ = writeln!(page, "| [{name}](#{}) | {} |", anchor(name), text(command.get_about()));
    }
    for command in &commands {
        page.push_str(&described(command, &shared));
    }
    page.push_str("\n## Options of several commands\n");
    for (title, list) in &shared {
        let _ = write!(page, "\n### {title}\n\n{list}");
    }
    page
}

/// The commands without subcommands, in the order of the help.
fn leaves(command: &Command) -> Vec<&Command> {
    if command.has_subcommands() {
        return command.get_subcommands().flat_map(leaves).collect();
    }
    vec![command]
}

/// The most frequent list under each title, if several commands have it.
fn shared(commands: &[&Command]) -> Shared {
    let mut counts = BTreeMap::<_, BTreeMap<_, usize>>::new();
    for (title, list) in commands.iter().flat_map(|command| lists(command)) {
        *counts.entry(title).or_default().entry(list).or_default() += 1;
    }
    counts.retain(|title, _| ![ARGUMENTS, OPTIONS].contains(&&**title));
    let most = counts.into_iter().filter_map(|(title, lists)| {
        let (list, count) = lists.into_iter().max_by_key(|(_, count)| *count)?;
        (count > 1).then_some((title, list))
    });
    most.collect()
}

/// The lists of a command's arguments and options with their titles, in the order of the help.
fn lists(command: &Command) -> Vec<(String, String)> {
    let mut lists = Vec::<(String, String)>::new();
    let is_shown = |arg: &&Arg| !matches!(arg.get_id().as_str(), "help" | "version");
    let mut arguments: Vec<_> = command.get_arguments().filter(is_shown).collect();
    arguments.sort_by_key(|arg| (!arg.is_positional(), arg.get_help_heading().is_some()));
    for arg in arguments {
        let default = if arg.is_positional() { ARGUMENTS } else { OPTIONS };
        let title = arg.get_help_heading().unwrap_or(default);
        match lists.iter_mut().find(|(known, _)| known == title) {
            Some((_, list)) => list.push_str(&item(arg)),
            None => lists.push((title.to_owned(), item(arg))),
        }
    }
    lists
}

/// An argument or option as a list item.
fn item(arg: &Arg) -> String {
    let help = arg.get_long_help().or_else(|| arg.get_help());
    let mut item = format!("- `{arg}`: {}", text(help));
    let values = arg.get_default_values().iter().map(|value| value.to_string_lossy());
    let default = values.collect::<Vec<_>>().join(", ");
    // The default of a flag without a value isn't shown.
    if !default.is_empty() && arg.get_action().takes_values() {
        let _ = write!(item, " [default: {default}]");
    }
    if let Some(variable) = arg.get_env() {
        let _ = write!(item, " [env: `{}`]", variable.to_string_lossy());
    }
    let values = match arg.get_action().takes_values() {
        true => arg.get_possible_values(),
        false => Vec::new(),
    };
    if values.iter().any(|value| value.get_help().is_none()) {
        let names: Vec<_> = values.iter().map(PossibleValue::get_name).collect();
        let _ = write!(item, " [possible values: {}]", names.join(", "));
    }
    item.push('\n');
    for value in values {
        if let Some(help) = value.get_help() {
            let _ = writeln!(item, "  - `{}`: {help}", value.get_name());
        }
    }
    item
}

/// The section of a command.
fn described(command: &Command, shared: &Shared) -> String {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let about = text(command.get_long_about().or_else(|| command.get_about()));
    let mut page = format!("\n## {}\n\n{about}\n\n```text\n{usage}\n```\n", name(command));
    let mut elsewhere = Vec::new();
    for (title, list) in lists(command) {
        if shared.get(&title) == Some(&list) {
            elsewhere.push(format!("[{title}](#{})", anchor(&title)));
        } else {
            let _ = write!(page, "\n**{title}**\n\n{list}");
        }
    }
    if !elsewhere.is_empty() {
        let _ = write!(page, "\nFurther options: {}\n", elsewhere.join(", "));
    }
    for (title, lines) in sections(command) {
        let _ = match &*title {
            "Exit codes" => write!(page, "\n**{title}**\n\n{}", exit_codes(&lines)),
            _ => write!(page, "\n**{title}**\n\n```text\n{}\n```\n", lines.join("\n")),
        };
    }
    page
}

/// A list of exit codes from the lines of the help: each code starts with its number, and its further
/// lines are indented.
fn exit_codes(lines: &[String]) -> String {
    let mut list = String::new();
    for line in lines {
        match line.split_once("  ") {
            Some(("", more)) => {
                let _ = write!(list, " {}", more.trim());
            }
            Some((code, meaning)) => {
                let break_ = if list.is_empty() { "" } else { "\n" };
                let _ = write!(list, "{break_}- `{code}`: {meaning}");
            }
            None => list.push_str(line),
        }
    }
    list + "\n"
}

/// The full name of a command, as it is typed.
fn name(command: &Command) -> &str {
    command.get_bin_name().unwrap_or_default()
}

/// The anchor of a heading in links.
fn anchor(heading: &str) -> String {
    heading.to_lowercase().replace(' ', "-")
}

/// A text of the definitions, which is valid Markdown as it is.
fn text(text: Option<&StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}
