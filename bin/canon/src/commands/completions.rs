//! `canon completions`: lets a shell complete commands and flags.

use clap::{Args, CommandFactory as _};
use clap_complete::{Shell, generate};

use crate::{
    cli::Cli,
    exit::{Exit, Failure},
    output,
};

/// Print a script with which a shell completes commands and flags
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Completions {
    /// Shell that reads the script
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

const AFTER_HELP: &str = "\
Examples:
  source <(canon completions bash)
  canon completions bash > ~/.local/share/bash-completion/completions/canon
  canon completions zsh > ~/.zfunc/_canon
  canon completions fish > ~/.config/fish/completions/canon.fish

Exit codes:
  0  the script was printed
  2  bad input: flags, or an unknown shell
  3  the output can't be written";

impl Completions {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let mut script = Vec::new();
        generate(self.shell, &mut Cli::command(), "canon", &mut script);
        output::result(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Success)
    }
}
