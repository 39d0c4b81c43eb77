//! The arguments that choose the account that sends, and the opening of its key.

use std::{
    env,
    ffi::OsString,
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
};

use alloy_primitives::Address;
use canon_chain::{
    AccountSigner, Client, Expected, FoundryKeystores, KeyError, KeySource, Secret, UnlockedAccount,
};
use canon_protocol::{ForeignText, text::address};
use canon_toml_file::looks_like_a_secret;
use clap::Args;
use console::Term;
use eyre::{Report, eyre};

use crate::{
    exit::Failure,
    input::{home_folder, quantity, whole},
    output,
};

/// The environment variable with a private key. It isn't an argument of clap, so that no message repeats
/// its value.
const PRIVATE_KEY: &str = "CANON_PRIVATE_KEY";

const ONE_SOURCE: &str = "name one of --account, --keystore, --interactive, --private-key-file, \
                          --mnemonic-file, or --unlocked with --from; or set CANON_PRIVATE_KEY";
const OTHER_KEY: &str = "check the flags under \"Signing\" in --help";

/// The account that sends, and the source of its key. There is exactly one source; a flag goes before the
/// environment.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Signing")]
pub(crate) struct SignerArgs {
    /// Keystore of this name in ~/.foundry/keystores
    #[arg(long, value_name = "NAME")]
    account: Option<String>,

    /// Keystore file, as "cast wallet import" writes it
    #[arg(long, value_name = "FILE")]
    keystore: Option<PathBuf>,

    /// File with the keystore's password [default: asked on the terminal]
    #[arg(long, value_name = "FILE", env = "ETH_PASSWORD", hide_env_values = true)]
    password_file: Option<PathBuf>,

    /// Ask for a private key on the terminal
    #[arg(long)]
    interactive: bool,

    /// File with a private key; the variable CANON_PRIVATE_KEY holds one itself
    #[arg(long, value_name = "FILE")]
    private_key_file: Option<PathBuf>,

    /// File with a mnemonic (BIP-39, English)
    #[arg(long, value_name = "FILE")]
    mnemonic_file: Option<PathBuf>,

    /// Number of the mnemonic's account [default: 0]
    #[arg(long, value_name = "N", requires = "mnemonic_file", value_parser = whole(0..=MAX_INDEX))]
    mnemonic_index: Option<u32>,

    /// Let the endpoint sign, which only development nodes do
    #[arg(long, requires = "from")]
    unlocked: bool,

    /// Account that sends; another key than its own is refused
    #[arg(long, value_name = "ADDRESS", value_parser = quantity(address::parse))]
    from: Option<Address>,
}

/// The highest index of an account key that isn't hardened (BIP-32).
const MAX_INDEX: u32 = (1 << 31) - 1;

/// A command's requirement for the account that sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// A key that signs.
    Key,
    /// An address. Without a key, the one in `--from` suffices.
    Address,
}

/// An account that sends, before the chain is connected.
#[derive(Clone, Debug)]
pub(crate) enum Opened {
    /// A signer that needs no endpoint.
    Ready(AccountSigner),
    /// The address of an account for which the endpoint signs.
    AtEndpoint(Address),
}

/// The source of the key.
#[derive(Clone, Debug)]
enum Source {
    Key(KeySource),
    AtEndpoint(Address),
    None(Address),
}

impl SignerArgs {
    /// Opens the key. Asks on the terminal for a password or a key, if the source requires it. Doesn't
    /// use the chain.
    ///
    /// # Errors
    ///
    /// If there is no source or more than one, the key can't be opened, or it belongs to another account
    /// than `--from`.
    pub(crate) fn open(&self, need: Need) -> Result<Opened, Failure> {
        let home = home_folder();
        match self.source(need, env::var_os(PRIVATE_KEY), home.as_deref())? {
            Source::AtEndpoint(from) => Ok(Opened::AtEndpoint(from)),
            Source::None(from) => Ok(Opened::Ready(AccountSigner::Watched(from))),
            Source::Key(source) => {
                for file in source.exposed_files() {
                    let file = ForeignText::new(file.as_os_str().as_encoded_bytes()).to_string();
                    output::note(&format_args!(
                        "other users of this machine can read {file}: make it yours only, with chmod 600"
                    ));
                }
                let signer = AccountSigner::Local(source.open(ask).map_err(no_key)?);
                self.expect(&signer)?;
                Ok(Opened::Ready(signer))
            }
        }
    }

    /// The source of the key. `private_key` is the value of [`PRIVATE_KEY`], and `home` the home
    /// directory.
    fn source(
        &self,
        need: Need,
        private_key: Option<OsString>,
        home: Option<&Path>,
    ) -> Result<Source, Failure> {
        let mut sources = self.flags(home)?;
        if sources.len() > 1 {
            let flags: Vec<_> = sources.iter().map(|(flag, _)| *flag).collect();
            let report =
                eyre!("{}: expected one source of a key, found {}", flags.join(", "), flags.len());
            return Err(Failure::bad_input(report, ONE_SOURCE));
        }
        if let Some((_, source)) = sources.pop() {
            return Ok(source);
        }
        // `--from` takes precedence over the environment, which may have another account's key.
        if let (Need::Address, Some(from)) = (need, self.from) {
            return Ok(Source::None(from));
        }
        if let Some(key) = private_key.filter(|key| !key.is_empty()) {
            // A value that isn't UTF-8 becomes an empty key, which is refused.
            let key = key.into_string().unwrap_or_default();
            return Ok(Source::Key(KeySource::PrivateKey(Secret::new(key))));
        }
        Err(match need {
            Need::Address => Failure::bad_input(
                eyre!("--from: expected the account that sends, found nothing"),
                "name the account with --from, or its key",
            ),
            Need::Key => {
                Failure::bad_input(eyre!("expected the key that signs, found none"), ONE_SOURCE)
            }
        })
    }

    /// The sources chosen by flags, with the flags.
    fn flags(&self, home: Option<&Path>) -> Result<Vec<(&'static str, Source)>, Failure> {
        let mut sources = Vec::new();
        let mut add = |flag, source| sources.push((flag, source));
        let password_file = || self.password_file.clone();
        if let Some(name) = &self.account {
            if looks_like_a_secret(name) {
                let report = eyre!(
                    "--account: expected the name of a keystore, found what looks like a key or a mnemonic"
                );
                return Err(Failure::bad_input(
                    report,
                    "no flag takes a secret: put it into a file for --private-key-file or --mnemonic-file",
                ));
            }
            let home = home.ok_or_else(|| {
                let report = eyre!(
                    "HOME: expected the folder with .foundry/keystores, found no absolute path"
                );
                Failure::bad_input(report, "set HOME, or name the file with --keystore")
            })?;
            let file = FoundryKeystores::in_home(home).file(name).map_err(no_key)?;
            let password_file = password_file();
            add("--account", Source::Key(KeySource::Keystore { file, password_file }));
        }
        if let Some(file) = self.keystore.clone() {
            let password_file = password_file();
            add("--keystore", Source::Key(KeySource::Keystore { file, password_file }));
        }
        if self.interactive {
            add("--interactive", Source::Key(KeySource::PrivateKeyPrompt));
        }
        if let Some(file) = self.private_key_file.clone() {
            add("--private-key-file", Source::Key(KeySource::PrivateKeyFile(file)));
        }
        if let Some(file) = self.mnemonic_file.clone() {
            let index = self.mnemonic_index.unwrap_or_default();
            add("--mnemonic-file", Source::Key(KeySource::Mnemonic { file, index }));
        }
        if let Some(from) = self.from.filter(|_| self.unlocked) {
            add("--unlocked", Source::AtEndpoint(from));
        }
        Ok(sources)
    }

    /// Refuses the key of another account than `--from`.
    fn expect(&self, signer: &AccountSigner) -> Result<(), Failure> {
        let found = signer.address();
        match self.from {
            Some(expected) if expected != found => Err(Failure::bad_input(
                eyre!("--from: expected {found}, whose key was given, found {expected}"),
                "name the other key, or omit --from",
            )),
            _ => Ok(()),
        }
    }
}

impl Opened {
    /// The address of the account.
    pub(crate) const fn address(&self) -> Address {
        match self {
            Self::Ready(signer) => signer.address(),
            Self::AtEndpoint(address) => *address,
        }
    }

    /// Returns the signer for a chain.
    ///
    /// # Errors
    ///
    /// If the endpoint should sign for the account, but doesn't.
    pub(crate) async fn on(self, client: &Client) -> Result<AccountSigner, Failure> {
        match self {
            Self::Ready(signer) => Ok(signer),
            Self::AtEndpoint(from) => {
                let account = UnlockedAccount::new(client.clone(), from).await.map_err(no_key)?;
                Ok(AccountSigner::Unlocked(account))
            }
        }
    }
}

/// Asks for a secret on the terminal, without echoing it.
fn ask(what: &str) -> io::Result<Secret> {
    // The library returns an empty text if stderr isn't a terminal.
    let terminal = Term::stderr();
    if !(terminal.is_term() && io::stdin().is_terminal()) {
        return Err(io::Error::new(io::ErrorKind::NotConnected, "stdin or stderr isn't one"));
    }
    terminal.write_str(&format!("Enter {what}: "))?;
    terminal.read_secure_line().map(Secret::new)
}

fn no_key(error: KeyError) -> Failure {
    match error {
        KeyError::Endpoint(error) => Failure::internal(
            Report::msg(error.to_string()).wrap_err("the endpoint doesn't say for whom it signs"),
            "--unlocked is for development nodes: use a key of your own elsewhere",
        ),
        // A path that doesn't exist may be the password itself.
        KeyError::Unreadable { file, expected: expected @ Expected::Password, source }
            if !file.exists() =>
        {
            let report = eyre!(
                "--password-file (ETH_PASSWORD): expected {expected} in the named file, which can't be read ({source})"
            );
            Failure::bad_input(
                report,
                "the flag and the variable name a file that has the password",
            )
        }
        error => {
            let next = match &error {
                KeyError::WrongPassword(_) => "run the command again with the right password",
                KeyError::NotAsked { .. } => {
                    "name a file: --password-file (ETH_PASSWORD), --private-key-file or --mnemonic-file"
                }
                KeyError::NoAccount { .. } => {
                    "name one of those with --account, or a keystore's file with --keystore"
                }
                _ => OTHER_KEY,
            };
            Failure::bad_input(Report::msg(error.to_string()), next)
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    const FROM: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
    const KEY: &str = "0x00000000000000000000000000000000000000000000000000000000000000aa";

    #[derive(Debug, Parser)]
    struct Parsed {
        #[command(flatten)]
        signer: SignerArgs,
    }

    fn args(arguments: &str) -> Result<SignerArgs, clap::Error> {
        let arguments = std::iter::once("canon").chain(arguments.split_whitespace());
        Ok(Parsed::try_parse_from(arguments)?.signer)
    }

    fn source(arguments: &str, need: Need, variable: Option<&str>) -> Result<Source, String> {
        let args = args(arguments).unwrap();
        let home = Some(Path::new("/nowhere"));
        args.source(need, variable.map(OsString::from), home)
            .map_err(|failure| failure.report.to_string())
    }

    #[test]
    fn exactly_one_source_of_a_key_is_taken() {
        for (arguments, variable, refusal) in [
            ("--private-key-file k", None, None),
            ("--interactive", None, None),
            ("", Some(KEY), None),
            // A flag takes precedence over the environment.
            ("--keystore k", Some(KEY), None),
            ("", None, Some("expected the key that signs, found none")),
            ("", Some(""), Some("expected the key that signs, found none")),
            (&format!("--from {FROM}"), None, Some("expected the key that signs, found none")),
            (
                "--keystore k --interactive",
                None,
                Some("--keystore, --interactive: expected one source of a key, found 2"),
            ),
            (
                &format!("--mnemonic-file m --unlocked --from {FROM}"),
                None,
                Some("--mnemonic-file, --unlocked: expected one source of a key, found 2"),
            ),
        ] {
            let found = source(arguments, Need::Key, variable).map(drop);
            assert_eq!(found.err().as_deref(), refusal, "{arguments} {variable:?}");
        }
        for arguments in ["--unlocked", "--mnemonic-index 1"] {
            assert!(args(arguments).is_err(), "{arguments}");
        }
    }

    #[test]
    fn reading_needs_no_key_but_accepts_one() {
        let from = format!("--from {FROM}");
        assert!(matches!(source(&from, Need::Address, None), Ok(Source::None(_))));
        assert!(matches!(source(&from, Need::Address, Some(KEY)), Ok(Source::None(_))));
        assert!(matches!(source("", Need::Address, Some(KEY)), Ok(Source::Key(_))));
        let file = format!("{from} --private-key-file k");
        assert!(matches!(source(&file, Need::Address, None), Ok(Source::Key(_))));
        assert!(source("", Need::Address, None).unwrap_err().starts_with("--from: expected"));
    }

    #[test]
    fn a_key_in_the_place_of_a_name_is_not_repeated() {
        let said = source(&format!("--account {KEY}"), Need::Key, None).unwrap_err();
        assert!(!said.contains("aa"), "{said}");
        let said = source("--account nobody", Need::Key, None).unwrap_err();
        assert!(said.contains("there is no keystore nobody in /nowhere"), "{said}");
    }

    #[test]
    fn another_accounts_key_is_refused() {
        let with = |from: &str| {
            let key = Secret::new(KEY.to_owned());
            let signer = AccountSigner::Local(KeySource::PrivateKey(key).open(ask).unwrap());
            let found = signer.address();
            (args(&format!("--from {from}")).unwrap().expect(&signer), found)
        };
        let (refused, found) = with(FROM);
        assert!(refused.unwrap_err().report.to_string().contains(&found.to_string()));
        assert!(with(&found.to_string()).0.is_ok());
    }
}
