//! The keys of people: where they are kept, and how they become signers.
//!
//! Nothing here reads a terminal or the environment, and nothing shows a secret: a [`Secret`] can't be displayed,
//! and a [`KeyError`] names files and positions in them, never their content. Secrets are erased from memory when
//! they are no longer needed, as far as the libraries that derive keys do that.

mod account_signer;
mod error;
mod keystore;
mod secret;
mod unlocked;

pub use account_signer::AccountSigner;
pub use error::{Expected, KeyError};
pub use keystore::FoundryKeystores;
pub use secret::Secret;
pub use unlocked::UnlockedAccount;

use alloy_primitives::hex;
use alloy_signer_local::{
    LocalSignerError, MnemonicBuilder, PrivateKeySigner,
    coins_bip39::{English, MnemonicError, Wordlist},
};
use std::{
    io,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// The length of a private key, in bytes.
const KEY_LENGTH: usize = 32;

/// The lengths of mnemonics, in words (BIP-39).
const MNEMONIC_LENGTHS: [usize; 5] = [12, 15, 18, 21, 24];

/// The place where a key is kept.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// An encrypted key (Web3 Secret Storage, version 3), as `cast wallet import` writes it.
    Keystore {
        /// The keystore.
        file: PathBuf,
        /// The file with the password. If `None`, a person is asked.
        password_file: Option<PathBuf>,
    },
    /// A file with a private key in hexadecimal, with or without `0x`.
    PrivateKeyFile(PathBuf),
    /// A private key in hexadecimal, with or without `0x`: the value of an environment variable.
    PrivateKey(Secret),
    /// A private key that a person is asked for.
    PrivateKeyPrompt,
    /// A file with a mnemonic (BIP-39, English).
    Mnemonic {
        /// The file.
        file: PathBuf,
        /// The INDEX in the path `m/44'/60'/0'/0/INDEX` (BIP-44). Below 2^31.
        index: u32,
    },
}

impl KeySource {
    /// Opens the key. `ask` asks a person for what its argument names, without showing the input; it is
    /// called at most once, and fails if there is no terminal. A keystore takes up to a few seconds of
    /// computing.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if there is no such key, or the person can't be asked.
    pub fn open(
        &self,
        ask: impl FnOnce(&str) -> io::Result<Secret>,
    ) -> Result<PrivateKeySigner, KeyError> {
        let ask = |what: &str| {
            ask(what).map_err(|source| KeyError::NotAsked { what: what.to_owned(), source })
        };
        match self {
            Self::Keystore { file, password_file } => {
                keystore::open(file, || match password_file {
                    Some(file) => secret::read(file, Expected::Password),
                    None => ask(&format!("the password of the keystore {}", secret::shown(file))),
                })
            }
            Self::PrivateKeyFile(file) => {
                let text = secret::read(file, Expected::PrivateKey)?;
                private_key(&text)
                    .map_err(|found| KeyError::file(file, Expected::PrivateKey, found))
            }
            Self::PrivateKey(text) => private_key(text).map_err(KeyError::NoPrivateKey),
            Self::PrivateKeyPrompt => {
                private_key(&ask("the private key")?).map_err(KeyError::NoPrivateKey)
            }
            Self::Mnemonic { file, index } => {
                let text = secret::read(file, Expected::Mnemonic)?;
                mnemonic(&text, *index)
                    .map_err(|found| KeyError::file(file, Expected::Mnemonic, found))
            }
        }
    }

    /// The files with unencrypted secrets that other users of the machine can read, so that a person can be
    /// warned. Always empty on systems without Unix permissions.
    pub fn exposed_files(&self) -> Vec<&Path> {
        let file = match self {
            Self::Keystore { password_file, .. } => password_file.as_ref(),
            Self::PrivateKeyFile(file) | Self::Mnemonic { file, .. } => Some(file),
            Self::PrivateKey(_) | Self::PrivateKeyPrompt => None,
        };
        file.map(PathBuf::as_path).into_iter().filter(|file| secret::is_exposed(file)).collect()
    }
}

/// Parses a private key. The error describes the mistake.
fn private_key(text: &Secret) -> Result<PrivateKeySigner, String> {
    let text = text.expose().trim();
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let mut key = Zeroizing::new([0; KEY_LENGTH]);
    if digits.len() != 2 * KEY_LENGTH {
        return Err(format!("{} characters without 0x", digits.chars().count()));
    }
    hex::decode_to_slice(digits, &mut *key)
        .map_err(|_| "a character that isn't a hexadecimal digit".to_owned())?;
    PrivateKeySigner::from_slice(&*key)
        .map_err(|_| "a number that is no key (0, or above the curve's order)".to_owned())
}

/// The key of a mnemonic. The error describes the mistake.
fn mnemonic(text: &Secret, index: u32) -> Result<PrivateKeySigner, String> {
    let words: Vec<_> = text.expose().split_whitespace().collect();
    if !MNEMONIC_LENGTHS.contains(&words.len()) {
        let plural = if words.len() == 1 { "" } else { "s" };
        return Err(format!("{} word{plural}", words.len()));
    }
    if let Some(place) = words.iter().position(|word| English::get_index(word).is_err()) {
        return Err(format!("a word at place {} that isn't in the list", place + 1));
    }
    let phrase = Zeroizing::new(words.join(" "));
    let key = MnemonicBuilder::from_phrase(phrase.as_str()).index(index);
    key.and_then(|builder| builder.build()).map_err(|error| match error {
        LocalSignerError::Bip39Error(MnemonicError::InvalidPhrase(_)) => {
            "words whose checksum is wrong: check their spelling and order".to_owned()
        }
        LocalSignerError::MnemonicBuilderError(_) => {
            format!("index {index}, which isn't below 2^31")
        }
        _ => format!("no key at index {index}"),
    })
}
