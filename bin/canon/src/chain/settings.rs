//! The settings in force, and the source of each value.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use alloy_primitives::{Address, ChainId};
use canon_chain::Endpoint;
use canon_protocol::ForeignText;
use eyre::{Report, eyre};

use super::{
    file::{FileSettings, parse},
    keeper_table::KeeperFile,
};
use crate::exit::Failure;

/// The file that is read if none is named.
const DEFAULT_FILE: &str = "canon.toml";

/// A value and its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting<T> {
    pub(crate) value: T,
    pub(crate) origin: Origin,
}

/// The origin of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// This flag.
    Flag(&'static str),
    /// This environment variable.
    Environment(&'static str),
    /// A settings file.
    File(PathBuf),
}

impl Origin {
    /// The flag, if that is the origin.
    pub(super) const fn flag(&self) -> Option<&'static str> {
        match self {
            Self::Flag(name) => Some(name),
            Self::Environment(_) | Self::File(_) => None,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Environment(name) => f.write_str(name),
            Self::File(path) => {
                write!(f, "{}", ForeignText::new(path.as_os_str().as_encoded_bytes()))
            }
        }
    }
}

/// The settings for reaching the chain; `None` for those that weren't given.
#[derive(Clone, Debug, Default)]
pub(crate) struct ChainSettings {
    /// At least one endpoint, in the order in which they are tried.
    pub(crate) rpc_url: Option<Setting<Vec<Endpoint>>>,
    pub(crate) registry: Option<Setting<Address>>,
    /// The chain id to expect.
    pub(crate) chain_id: Option<Setting<ChainId>>,
    /// The file's table for `canon keeper`.
    pub(crate) keeper: Box<KeeperFile>,
}

impl ChainSettings {
    /// Reads the settings from the file at `path`, otherwise from [`DEFAULT_FILE`] in the working
    /// directory, if that exists.
    ///
    /// # Errors
    ///
    /// If the file can't be read, has a mistake, or was named and doesn't exist.
    pub(super) fn read(path: Option<&Path>) -> Result<Self, Failure> {
        let file = path.unwrap_or_else(|| Path::new(DEFAULT_FILE));
        let text = match canon_chain::read_text(file) {
            Ok(text) => text,
            Err(error) if path.is_none() && error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => {
                let report =
                    Report::new(error).wrap_err(format!("{} can't be read", file.display()));
                return Err(Failure::bad_input(report, "name a file of settings with --config"));
            }
        };
        let FileSettings { rpc_url, registry, chain_id, keeper } =
            parse(&text).map_err(|mistake| {
                // The line isn't quoted: a URL in it may contain a key.
                let report = eyre!("{}:{mistake}", file.display());
                Failure::bad_input(
                    report,
                    "correct the file; `canon config --help` lists its settings",
                )
            })?;
        let origin = || Origin::File(file.to_owned());
        Ok(Self {
            rpc_url: rpc_url.map(|value| Setting { value, origin: origin() }),
            registry: registry.map(|value| Setting { value, origin: origin() }),
            chain_id: chain_id.map(|value| Setting { value, origin: origin() }),
            keeper: Box::new(keeper),
        })
    }

    /// Sets the Registry to the one of a manifest, which is more specific than the environment and a file of
    /// settings.
    ///
    /// # Errors
    ///
    /// If a flag names another one.
    pub(crate) fn of_manifest(self, value: Address, manifest: &Path) -> Result<Self, Failure> {
        match &self.registry {
            Some(Setting { value: typed, origin: Origin::Flag(flag) }) if *typed != value => {
                Err(Failure::bad_input(
                    eyre!(
                        "{}: the manifest is of {value}, {flag} names {typed}",
                        manifest.display()
                    ),
                    "omit one of the two",
                ))
            }
            _ => {
                let origin = Origin::File(manifest.to_owned());
                Ok(Self { registry: Some(Setting { value, origin }), ..self })
            }
        }
    }

    /// Replaces settings with the given ones, where there are some.
    pub(super) fn under(
        self,
        rpc_url: Option<Setting<Vec<Endpoint>>>,
        registry: Option<Setting<Address>>,
        chain_id: Option<Setting<ChainId>>,
    ) -> Self {
        Self {
            rpc_url: rpc_url.or(self.rpc_url),
            registry: registry.or(self.registry),
            chain_id: chain_id.or(self.chain_id),
            keeper: self.keeper,
        }
    }
}
