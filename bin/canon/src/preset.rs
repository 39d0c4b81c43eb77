//! Parameters of a set that are ready to use.

use canon_chain::deploy::SetParameters;
use clap::ValueEnum;

/// Parameters that come with the deployer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Preset {
    /// 6 of 10 signals, slots of 24 s, delays of an hour
    Tests,
    /// 600 of 1,000 signals, slots of 72 s, delays of days
    MainnetLike,
}

impl Preset {
    /// The name, as it is typed and printed.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Tests => "tests",
            Self::MainnetLike => "mainnet-like",
        }
    }

    /// The parameters.
    pub(crate) fn parameters(self) -> SetParameters {
        match self {
            Self::Tests => SetParameters::tests(),
            Self::MainnetLike => SetParameters::mainnet_like(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_typed_by_the_name_that_is_printed() {
        for preset in Preset::value_variants() {
            assert_eq!(Preset::from_str(preset.name(), false), Ok(*preset));
        }
    }

    #[test]
    fn presets_have_the_parameters_that_their_help_says() {
        let of = |preset: Preset| {
            let SetParameters { signaling, rollup, .. } = preset.parameters();
            (signaling.n, signaling.m, rollup.slot_duration.get())
        };
        assert_eq!(of(Preset::Tests), (6, 10, 24));
        assert_eq!(of(Preset::MainnetLike), (600, 1000, 72));
    }
}
