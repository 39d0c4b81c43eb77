//! The source of the parameters: a preset or a chain.

use clap::Args;
use eyre::eyre;

use super::bad;
use crate::{
    chain::{ChainArgs, ChainSettings},
    exit::Failure,
    preset::Preset,
};

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
