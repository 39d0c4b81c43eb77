//! `canon completions`: lets a shell complete commands and flags.

use clap::{Args, CommandFactory as _};
use clap_complete::{Shell, generate};

use crate::{
    cli::Cli,
    command_help::CommandHelp,
    exit::{Exit, Failure},
    output,
};

/// Print a script with which a shell completes commands and flags
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Completions {
    /// Shell that reads the script
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

const HELP: CommandHelp = CommandHelp::alone("the script was printed")
    .input(&["an unknown shell"])
    .internal("the output can't be written")
    .after(
        "\
Examples:
  source <(canon completions bash)
  canon completions bash > ~/.local/share/bash-completion/completions/canon
  canon completions zsh > ~/.zfunc/_canon
  canon completions fish > ~/.config/fish/completions/canon.fish",
    );

impl Completions {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let mut script = Vec::new();
        generate(self.shell, &mut Cli::command(), "canon", &mut script);
        output::result(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Success)
    }
}
