//! Encrypted keys (Web3 Secret Storage, version 3).

use super::{
    KEY_LENGTH,
    error::{Expected, KeyError},
    secret::Secret,
};
use alloy_primitives::Address;
use alloy_signer_local::PrivateKeySigner;
use canon_protocol::ForeignText;
use eth_keystore::{EthKeystore, KdfparamsType, KeystoreError, decrypt_key};
use serde::Deserialize;
use serde_json::error::Category;
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// The cipher of keystores, and the length of its initialization vector in bytes.
const CIPHER: (&str, usize) = ("aes-128-ctr", 16);

/// The maximum memory for deriving a key from a password, in bytes: 4 times what geth's keystores need.
const MAX_MEMORY: u64 = 1 << 30;

/// The maximum n · r · p of scrypt, which its time grows with: 16 times that of geth's keystores.
const MAX_SCRYPT_WORK: u128 = 1 << 25;

/// The maximum number of rounds of PBKDF2: 38 times those of geth's keystores.
const MAX_ROUNDS: u128 = 10_000_000;

/// The directory of a user's Foundry keystores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundryKeystores(PathBuf);

impl FoundryKeystores {
    /// The directory `.foundry/keystores` in a user's home directory.
    pub fn in_home(home: &Path) -> Self {
        Self(home.join(".foundry").join("keystores"))
    }

    /// The keystore with this name.
    ///
    /// # Errors
    ///
    /// [`KeyError::NoAccount`], with the names of the existing keystores.
    pub fn file(&self, name: &str) -> Result<PathBuf, KeyError> {
        let file = self.0.join(name);
        if file.is_file() {
            return Ok(file);
        }
        let mut accounts = names(&self.0).unwrap_or_default();
        accounts.sort();
        let name = ForeignText::new(name).to_string();
        Err(KeyError::NoAccount { name, directory: self.0.clone(), accounts })
    }
}

/// The names of the files in a directory.
fn names(directory: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.path().is_file() {
            names.push(ForeignText::new(entry.file_name().as_encoded_bytes()).to_string());
        }
    }
    Ok(names)
}

/// The key in a keystore. The password is requested only if the file is a keystore.
pub(super) fn open(
    file: &Path,
    password: impl FnOnce() -> Result<Secret, KeyError>,
) -> Result<PrivateKeySigner, KeyError> {
    let unreadable = |source| KeyError::unreadable(file, Expected::Keystore, source);
    let other = |found: String| KeyError::file(file, Expected::Keystore, found);
    // A file that isn't a keystore may contain a secret.
    let text = Zeroizing::new(crate::read_file(file).map_err(unreadable)?);
    let named = check(&text).map_err(other)?;
    let password = password()?;
    let key = decrypt_key(file, password.expose()).map_err(|error| match error {
        KeystoreError::MacMismatch => KeyError::WrongPassword(file.to_owned()),
        _ => other("parameters of its key derivation that don't work".to_owned()),
    })?;
    let key = Zeroizing::new(key);
    let signer = PrivateKeySigner::from_slice(&key)
        .map_err(|_| other("a number that is no key".to_owned()))?;
    match named.filter(|named| *named != signer.address()) {
        Some(named) => {
            Err(KeyError::OtherAccount { file: file.to_owned(), named, found: signer.address() })
        }
        None => Ok(signer),
    }
}

/// The account that a keystore names. Foundry's name none.
#[derive(Deserialize)]
struct NamedAccount {
    address: Option<String>,
}

/// Checks that a text is a keystore that can be decrypted, and returns the account that it names. The library that
/// decrypts it relies on these lengths. The error describes the mistake.
fn check(text: &[u8]) -> Result<Option<Address>, String> {
    let store: EthKeystore =
        serde_json::from_slice(text).map_err(|error| not_a_keystore(&error))?;
    let crypto = &store.crypto;
    let length = match &crypto.kdfparams {
        KdfparamsType::Pbkdf2 { dklen, c, prf, .. } if prf == "hmac-sha256" => {
            at_most("crypto.kdfparams.c", (*c).into(), MAX_ROUNDS)?;
            *dklen
        }
        KdfparamsType::Pbkdf2 { .. } => {
            return Err("another crypto.kdfparams.prf than hmac-sha256".to_owned());
        }
        KdfparamsType::Scrypt { n, .. } if !n.is_power_of_two() => {
            return Err(format!("crypto.kdfparams.n of {n}, which is no power of 2"));
        }
        KdfparamsType::Scrypt { dklen, n, r, p, .. } => {
            let [n, r, p] = [*n, *r, *p].map(u64::from);
            if n.saturating_mul(r).saturating_mul(128) > MAX_MEMORY {
                return Err(format!(
                    "crypto.kdfparams that take more than {} MiB of memory",
                    MAX_MEMORY >> 20
                ));
            }
            let work = u128::from(n.saturating_mul(r)).saturating_mul(p.into());
            at_most("crypto.kdfparams with n · r · p", work, MAX_SCRYPT_WORK)?;
            *dklen
        }
    };
    let (cipher, iv_length) = CIPHER;
    if store.version != 3 {
        return Err(format!("version {}", store.version));
    }
    if crypto.cipher != cipher || crypto.cipherparams.iv.len() != iv_length {
        return Err(format!("another crypto.cipher than {cipher} with an iv of {iv_length} bytes"));
    }
    if usize::from(length) != KEY_LENGTH || crypto.ciphertext.len() != KEY_LENGTH {
        return Err(format!(
            "crypto.kdfparams.dklen or crypto.ciphertext of other than {KEY_LENGTH} bytes"
        ));
    }
    let named: NamedAccount =
        serde_json::from_slice(text).map_err(|error| not_a_keystore(&error))?;
    let named = named.address.filter(|address| !address.is_empty());
    let named = named.map(|address| address.parse::<Address>());
    named.transpose().map_err(|_| "an address that isn't 20 bytes in hexadecimal".to_owned())
}

/// Checks a parameter that the time of the key derivation grows with.
fn at_most(what: &str, found: u128, most: u128) -> Result<(), String> {
    match found > most {
        true => Err(format!("{what} of {found}, more than {most}: opening it would take too long")),
        false => Ok(()),
    }
}

/// The mistake in a JSON text. Most messages of the parser repeat a part of the text; those about missing
/// fields don't.
fn not_a_keystore(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let what = match error.classify() {
        Category::Data if message.starts_with("missing field `") => {
            message.split(" at line").next().unwrap_or_default()
        }
        Category::Data => "a value of the wrong kind",
        _ => "text that isn't JSON",
    };
    format!("{what} (line {}, column {})", error.line(), error.column())
}
