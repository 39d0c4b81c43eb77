//! Secrets, and the files that contain them.

use super::error::{Expected, KeyError};
use canon_protocol::ForeignText;
use core::fmt;
use std::{fs, path::Path};
use zeroize::Zeroizing;

/// A password, a private key or a mnemonic, as a person wrote it. It has no `Display`, its `Debug` hides
/// it, and it is erased when it is dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// A secret.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([hidden])")
    }
}

/// Reads the secret in a file, without trailing white space.
pub(super) fn read(file: &Path, expected: Expected) -> Result<Secret, KeyError> {
    let bytes = crate::read_file(file).map(Zeroizing::new);
    let bytes = bytes.map_err(|source| KeyError::unreadable(file, expected, source))?;
    let Ok(text) = core::str::from_utf8(&bytes) else {
        return Err(KeyError::file(file, expected, "bytes that aren't text (UTF-8)"));
    };
    match text.trim_end() {
        "" => Err(KeyError::file(file, expected, "an empty file")),
        text => Ok(Secret::new(text.to_owned())),
    }
}

/// A path in a form that is safe to print on a terminal.
pub(super) fn shown(file: &Path) -> String {
    ForeignText::new(file.as_os_str().as_encoded_bytes()).to_string()
}

/// Whether other users of the machine can read a file.
#[cfg(unix)]
pub(super) fn is_exposed(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    /// Read permission for the group and for all others.
    const OTHERS: u32 = 0o044;
    fs::metadata(file)
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & OTHERS != 0)
}

#[cfg(not(unix))]
pub(super) const fn is_exposed(_: &Path) -> bool {
    false
}
