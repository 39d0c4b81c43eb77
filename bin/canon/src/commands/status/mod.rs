//! `canon status`: shows the state of a set, and what can be done now.

mod earlier;
mod render;
mod watch;

use canon_views::{
    AvailableAction, CalendarEntry, Present, Question, SetView, available_actions, calendar,
};
use clap::Args;
use serde::Serialize;
use tokio::sync::mpsc::unbounded_channel;

use crate::{
    chain::{self, ChainArgs},
    command_help::CommandHelp,
    exit::{Exit, Failure},
    output,
};

/// Show where everything stands, what happens next, and what can be done now and by whom
///
/// Everything is read from the chain at one block, found from the Registry alone.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Status {
    /// Print JSON: times in Unix seconds, amounts in base units; numbers that can exceed 2^53 are strings
    #[arg(long)]
    json: bool,

    /// Draw the status anew with each block, until Ctrl-C; needs a terminal
    #[arg(long, conflicts_with = "json")]
    watch: bool,

    #[command(flatten)]
    chain: ChainArgs,
}

const HELP: CommandHelp = CommandHelp::reading("the status was printed").after(
    "\
Examples:
  canon status --rpc-url http://localhost:8545 --registry 0x…
  canon status --watch
  canon status --json | jq '.available[]'",
);

/// The status as JSON.
#[derive(Debug, Serialize)]
struct StatusDocument<'a> {
    /// The set at the block.
    present: &'a Present,
    /// The changes that come with time alone, earliest first.
    calendar: Vec<CalendarEntry>,
    /// The actions that are possible in the next block.
    available: Vec<AvailableAction>,
}

impl Status {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let settings = self.chain.settings()?;
        if self.watch {
            let terminal = watch::Terminal::of_stdout()?;
            // A note in the middle of the screen would replace a line of it.
            let (sender, notes) = unbounded_channel();
            let tell = move |note| _ = sender.send(note);
            let watched =
                async { watch::run(settings.connect_telling(tell).await?, notes, terminal).await };
            return chain::run(watched).map(|()| Exit::Success);
        }
        let present = chain::run(async {
            let chain = settings.connect().await?;
            let present = chain.present(Question::default()).await?;
            earlier::with_earlier_rollups(&chain, present).await
        })?;
        let view = SetView { present, history: None };
        match self.json {
            true => output::json(&document(&view))?,
            false => output::report(&render::render(&view))?,
        }
        Ok(Exit::Success)
    }
}

fn document(view: &SetView) -> StatusDocument<'_> {
    let (calendar, available) = (calendar(view), available_actions(view));
    StatusDocument { present: &view.present, calendar, available }
}
