//! `canon man`: prints manual pages in roff.

use std::{
    fs,
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
};

use clap::{Args, Command, CommandFactory as _};
use clap_mangen::{
    Man as Page,
    roff::{Roff, roman},
};
use eyre::{WrapErr as _, eyre};

use crate::{
    cli::Cli,
    command_help::CommandHelp,
    exit::{Exit, Failure},
    output,
};

/// Print a manual page for `man`, or write all of them to a folder
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Man {
    /// Command that the page describes [default: canon itself]
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,

    /// Write all pages to this folder, which is created if it is missing
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    out: Option<PathBuf>,
}

const HELP: CommandHelp = CommandHelp::alone("the page was printed, or all pages were written")
    .input(&["a command that doesn't exist", "stdout is a terminal"])
    .internal("the pages can't be written")
    .after(
        "\
Examples:
  canon man stake deposit | man -l -
  canon man --out ~/.local/share/man/man1",
    );

impl Man {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        // Names such as `canon-stake-deposit` exist only after a command is built.
        let mut root = Cli::command().disable_help_subcommand(true);
        root.build();
        let Some(folder) = &self.out else {
            require_reader(&self.command)?;
            let page = page(find(&root, &self.command)?);
            let page =
                page.map_err(|error| Failure::internal(error.into(), "please report this"))?;
            output::result(&String::from_utf8_lossy(&page))?;
            return Ok(Exit::Success);
        };
        fs::create_dir_all(folder)
            .and_then(|()| write_all(&root, folder))
            .wrap_err_with(|| format!("the pages can't be written to {}", folder.display()))
            .map_err(|report| Failure::internal(report, "name a folder that you can write to"))?;
        Ok(Exit::Success)
    }
}

/// Refuses to print a page on a terminal, which would show it as its source.
fn require_reader(names: &[String]) -> Result<(), Failure> {
    if !io::stdout().is_terminal() {
        return Ok(());
    }
    let typed = names.iter().fold("canon man".to_owned(), |typed, name| format!("{typed} {name}"));
    let report = eyre!(
        "stdout: expected a file or a pipe, found a terminal, which can't show a page: `{typed} | man -l -` shows it"
    );
    let next = "`canon man --out ~/.local/share/man/man1` installs all pages for `man`; `canon help` shows the same";
    Err(Failure::bad_input(report, next))
}

/// The subcommand with these names, from the outermost to the innermost.
fn find<'a>(root: &'a Command, names: &[String]) -> Result<&'a Command, Failure> {
    names.iter().try_fold(root, |command, name| {
        command.find_subcommand(name).ok_or_else(|| {
            let typed = command.get_bin_name().filter(|typed| !typed.is_empty());
            let typed = typed.unwrap_or_else(|| root.get_name());
            Failure::bad_input(
                eyre!("COMMAND: expected a command, found `{typed} {name}`"),
                "`canon help` lists the commands",
            )
        })
    })
}

/// Writes the pages of a command and its subcommands.
fn write_all(command: &Command, folder: &Path) -> io::Result<()> {
    let name = Page::new(command.clone()).get_filename();
    fs::write(folder.join(name), page(command)?)?;
    command.get_subcommands().try_for_each(|command| write_all(command, folder))
}

/// Returns the page of a command.
///
/// clap's own page joins everything after the options into one paragraph. Here each section keeps its
/// lines.
fn page(command: &Command) -> io::Result<Vec<u8>> {
    let version = command.get_version().unwrap_or_default();
    // No date is set: roff would omit an empty one and show the source in its place.
    let page =
        Page::new(command.clone()).date(" ").source(format!("canon {version}")).manual("Canon");
    let mut text = Vec::new();
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    page.render_synopsis_section(&mut text)?;
    page.render_description_section(&mut text)?;
    page.render_options_section(&mut text)?;
    if command.has_subcommands() {
        page.render_subcommands_section(&mut text)?;
    }
    let mut roff = Roff::default();
    for (title, lines) in sections(command) {
        roff.control("SH", [&*title.to_uppercase()]).control("nf", []);
        for line in lines {
            roff.text([roman(line)]);
        }
        roff.control("fi", []);
    }
    roff.to_writer(&mut text)?;
    Ok(text)
}

/// The sections that follow the options in a command's help: titles, and lines without their indentation.
pub(crate) fn sections(command: &Command) -> Vec<(String, Vec<String>)> {
    let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let mut sections = Vec::<(String, Vec<String>)>::new();
    for line in text.lines() {
        match (line.strip_prefix("  "), sections.last_mut()) {
            (Some(line), Some((_, lines))) => lines.push(line.to_owned()),
            _ if line.is_empty() => {}
            _ => sections.push((line.trim_end_matches(':').to_owned(), Vec::new())),
        }
    }
    sections
}
