//! The source of the parameters: a preset or a chain.

use clap::{Args, ValueEnum};
use eyre::eyre;

use super::bad;
use crate::{
    chain::{ChainArgs, ChainSettings},
    exit::Failure,
};

/// Parameter sets that come with the deployer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Preset {
    /// 6 of 10 signals, slots of 24 s, delays of an hour.
    Tests,
    /// 600 of 1,000 signals, slots of 72 s, delays of days.
    MainnetLike,
}

impl Preset {
    /// The name, as it is typed and printed.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Tests => "tests",
            Self::MainnetLike => "mainnet-like",
        }
    }
}

/// The source of the parameters.
#[derive(Clone, Debug, Args)]
pub(super) struct Source {
    /// Parameters of a set that isn't deployed [default: mainnet-like]
    #[arg(long, value_enum)]
    preset: Option<Preset>,

    #[command(flatten)]
    chain: ChainArgs,
}

/// The source to use.
#[derive(Debug)]
pub(super) enum ChosenSource {
    Preset(Preset),
    Chain(ChainSettings),
}

impl Source {
    /// Flags take precedence over the environment and the file, where an endpoint may always be set: only a
    /// Registry makes a chain the source.
    pub(super) fn choose(&self) -> Result<ChosenSource, Failure> {
        let typed = self.chain.first_typed();
        if let Some(preset) = self.preset {
            return match typed {
                Some(flag) => Err(bad(eyre!(
                    "{flag}: expected no --preset, since the parameters are read from the chain"
                ))),
                None => Ok(ChosenSource::Preset(preset)),
            };
        }
        if typed.is_none() && !self.chain.has_registry()? {
            return Ok(ChosenSource::Preset(Preset::MainnetLike));
        }
        Ok(ChosenSource::Chain(self.chain.settings()?))
    }
}
