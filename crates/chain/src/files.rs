//! Files that survive the end of the process and of the machine, and that only one process uses; and those that people
//! name, which can be any.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Write as _},
    path::{Path, PathBuf},
};

/// The most bytes that a file of a person can have. What has more, such as a device without an end, isn't meant.
const MAX_LENGTH: u64 = 16 * 1024 * 1024;

/// Opens and locks a file, which is created for its owner only if it doesn't exist. `None` if another process has it
/// locked. Dropping the file unlocks it.
///
/// # Errors
///
/// If the file can't be opened.
pub fn lock_file(path: &Path) -> io::Result<Option<File>> {
    let file = private_file().truncate(false).open(path)?;
    let Some(file) = locked(file)? else { return Ok(None) };
    // Another process may have replaced the file in between, and have the lock of the one that is there now.
    if !is_at(&file, path)? {
        return Ok(None);
    }
    // A file that isn't in its folder after a power cut would be as bad as none.
    sync_folder(path)?;
    Ok(Some(file))
}

/// Reads a file that a person has named.
///
/// # Errors
///
/// If it can't be read, or has more than 16 MiB.
pub fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let length = file.metadata()?.len().min(MAX_LENGTH);
    read_all(file, length as usize)
}

/// Reads a file that a person has named, and that should be text.
///
/// # Errors
///
/// If it can't be read, isn't UTF-8, or has more than 16 MiB.
pub fn read_text(path: &Path) -> io::Result<String> {
    text(read_file(path)?)
}

/// Reads the text on stdin.
///
/// # Errors
///
/// If it can't be read, isn't UTF-8, or has more than 16 MiB.
pub fn read_stdin() -> io::Result<String> {
    text(read_all(io::stdin().lock(), 0)?)
}

/// Reads to the end. With the right length the bytes, which may be a secret, are in one place in memory only.
fn read_all(source: impl Read, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(length + 1);
    source.take(MAX_LENGTH + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_LENGTH {
        let message = format!("expected at most {} MiB, found more", MAX_LENGTH >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|_| {
        io::Error::new(io::ErrorKind::InvalidData, "expected text (UTF-8), found other bytes")
    })
}

/// Writes a file, or replaces it. Whenever the process or the machine ends, the file has its old content or the new
/// one, which is on the disk when this returns.
///
/// # Errors
///
/// If the file can't be written. The old content stays.
pub fn write_file(path: &Path, content: &[u8]) -> io::Result<()> {
    let new_path = beside(path);
    let mut new = File::create(&new_path)?;
    new.write_all(content)?;
    put_in_place(&new, &new_path, path)
}

/// The options for a file that only its owner can use.
pub(crate) fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The file, locked; `None` if another process has it locked.
pub(crate) fn locked(file: File) -> io::Result<Option<File>> {
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// The path of the file that takes the place of another one.
pub(crate) fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".new");
    name.into()
}

/// Moves a written file to the place of another one.
pub(crate) fn put_in_place(new: &File, new_path: &Path, path: &Path) -> io::Result<()> {
    new.sync_all()?;
    fs::rename(new_path, path)?;
    sync_folder(path)
}

/// Whether an open file is the one at `path`.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let id = |data: fs::Metadata| (data.dev(), data.ino());
    match fs::metadata(path) {
        Ok(found) => Ok(id(found) == id(file.metadata()?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// An open file can't be replaced here.
#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "it can fail on Unix")]
fn is_at(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

/// Makes sure that a file is in its folder after a power cut.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| Path::new("."))).and_then(|folder| folder.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;
    use canon_testkit::TestFolder;

    #[test]
    fn a_file_has_one_user_and_its_owner_alone_can_read_it() {
        let folder = TestFolder::new("one-user");
        let path = folder.file("lock");
        let file = lock_file(&path).unwrap().unwrap();
        assert!(lock_file(&path).unwrap().is_none());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        drop(file);
        assert!(lock_file(&path).unwrap().is_some());
    }

    #[cfg(unix)]
    #[test]
    fn who_locks_a_file_that_was_replaced_is_not_misled() {
        let folder = TestFolder::new("replaced-lock");
        let path = folder.file("lock");
        let old = private_file().truncate(false).open(&path).unwrap();
        write_file(&path, b"new").unwrap();
        let old = locked(old).unwrap().unwrap();
        assert!(!is_at(&old, &path).unwrap());
        assert!(lock_file(&path).unwrap().is_some());
    }

    #[test]
    fn a_file_is_replaced_at_once() {
        let folder = TestFolder::new("written");
        let path = folder.file("file");
        write_file(&path, b"old").unwrap();
        // The process ended while it wrote the new content.
        fs::write(beside(&path), b"ne").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        write_file(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert!(!beside(&path).exists());
    }
}
