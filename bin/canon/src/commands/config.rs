//! `canon config`: shows the settings in force and their origins.

use std::fmt::Display;

use clap::Args;
use serde::Serialize;

use crate::{
    chain::{ChainArgs, ChainSettings, Setting},
    command_help::CommandHelp,
    exit::{Exit, Failure},
    output,
    page::{Page, line},
};

/// Show the settings in force, and where each value is from
///
/// A flag takes precedence over the environment, and the environment over the file. Of a URL only scheme and host are
/// shown, since the rest can be a key.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Config {
    /// Print JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    chain: ChainArgs,
}

const HELP: CommandHelp = CommandHelp::alone("the settings were printed")
    .input(&["canon.toml"])
    .internal("the output can't be written")
    .after(
        "\
canon.toml:
  rpc-url = \"http://localhost:8545\"  # or a list: [\"https://…\", \"/run/geth.ipc\"]
  registry = \"0x…\"
  chain-id = 1

  [keeper]  # `canon keeper --help` lists its settings",
    );

/// A setting in JSON.
#[derive(Debug, Serialize)]
struct ShownSetting {
    name: &'static str,
    /// `None` if the setting isn't given.
    value: Option<String>,
    origin: Option<String>,
}

impl Config {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let shown = shown(&self.chain.settings()?);
        match self.json {
            true => output::json(&shown)?,
            false => output::report(&render(&shown))?,
        }
        Ok(Exit::Success)
    }
}

fn shown(settings: &ChainSettings) -> [ShownSetting; 3] {
    let ChainSettings { rpc_url, registry, chain_id, .. } = settings;
    let urls = rpc_url.as_ref().map(|Setting { value, origin }| Setting {
        value: value.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        origin: origin.clone(),
    });
    [
        setting("rpc-url", urls.as_ref()),
        setting("registry", registry.as_ref()),
        setting("chain-id", chain_id.as_ref()),
    ]
}

fn setting<T: Display>(name: &'static str, setting: Option<&Setting<T>>) -> ShownSetting {
    ShownSetting {
        name,
        value: setting.map(|setting| setting.value.to_string()),
        origin: setting.map(|setting| setting.origin.to_string()),
    }
}

fn render(settings: &[ShownSetting]) -> String {
    let mut page = Page::default();
    for ShownSetting { name, value, origin } in settings {
        match (value, origin) {
            (Some(value), Some(origin)) => line!(page, "{name:<10} {value}  ({origin})"),
            _ => line!(page, "{name:<10} not set"),
        }
    }
    page.into_text()
}
