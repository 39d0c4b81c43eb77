//! The reasons why a key isn't available.

use super::secret::shown;
use alloy_primitives::Address;
use core::fmt;
use std::{
    io,
    path::{Path, PathBuf},
};

/// The reason why a key isn't available. The texts say what to do, and contain no secrets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A file can't be read.
    #[error("expected {expected} in {}, which can't be read ({source})", shown(.file))]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The expected content.
        expected: Expected,
        /// The reason.
        #[source]
        source: io::Error,
    },
    /// A file has other content.
    #[error("expected {expected} in {}, found {found}", shown(.file))]
    File {
        /// The file.
        file: PathBuf,
        /// The expected content.
        expected: Expected,
        /// The mistake, without repeating the content.
        found: String,
    },
    /// A text isn't a private key.
    #[error("expected {}, found {}", Expected::PrivateKey, .0)]
    NoPrivateKey(
        /// The mistake, without repeating the content.
        String,
    ),
    /// A keystore can't be decrypted.
    #[error("the password doesn't open the keystore {}; check the password and the file", shown(.0))]
    WrongPassword(
        /// The keystore.
        PathBuf,
    ),
    /// A keystore has the key of another account than the one that it names.
    #[error(
        "the keystore {} names the account {named}, but has the key of {found}; use the keystore of the account that \
         you mean",
        shown(.file)
    )]
    OtherAccount {
        /// The keystore.
        file: PathBuf,
        /// The account that it names.
        named: Address,
        /// The account of its key.
        found: Address,
    },
    /// There is no keystore with this name.
    #[error("there is no keystore {name} in {}; {}", shown(.directory), there_are(.accounts))]
    NoAccount {
        /// The name.
        name: String,
        /// The directory of Foundry's keystores.
        directory: PathBuf,
        /// The names of the existing keystores, sorted.
        accounts: Vec<String>,
    },
    /// A person couldn't be asked.
    #[error("expected {what} from a terminal ({source}); without one, name a file that has it")]
    NotAsked {
        /// The question.
        what: String,
        /// The reason.
        #[source]
        source: io::Error,
    },
    /// The endpoint doesn't return the accounts for which it signs.
    #[error(transparent)]
    Endpoint(#[from] crate::Error),
    /// A node doesn't sign for an account.
    #[error("the endpoint doesn't sign for {from}; {}", signs_for(.accounts))]
    NotUnlocked {
        /// The account.
        from: Address,
        /// The accounts for which the node signs.
        accounts: Vec<Address>,
    },
}

/// The expected content of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// An encrypted key.
    Keystore,
    /// A password.
    Password,
    /// A private key.
    PrivateKey,
    /// A mnemonic.
    Mnemonic,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keystore => "a keystore (JSON, version 3, as \"cast wallet import\" writes it)",
            Self::Password => "a password",
            Self::PrivateKey => "a private key (64 hexadecimal digits, with or without 0x)",
            Self::Mnemonic => "a mnemonic (12, 15, 18, 21 or 24 English words of BIP-39)",
        })
    }
}

impl KeyError {
    pub(super) fn unreadable(file: &Path, expected: Expected, source: io::Error) -> Self {
        Self::Unreadable { file: file.to_owned(), expected, source }
    }

    pub(super) fn file(file: &Path, expected: Expected, found: impl Into<String>) -> Self {
        Self::File { file: file.to_owned(), expected, found: found.into() }
    }
}

fn there_are(accounts: &[String]) -> String {
    match accounts {
        [] => "there is none at all: make one with \"cast wallet import\"".to_owned(),
        accounts => format!("there are: {}", accounts.join(", ")),
    }
}

fn signs_for(accounts: &[Address]) -> String {
    let accounts: Vec<_> = accounts.iter().map(Address::to_string).collect();
    match accounts.is_empty() {
        true => "it signs for none: use a key of your own".to_owned(),
        false => format!("it signs for {}", accounts.join(", ")),
    }
}
