//! Files of one JSON document a line.

use crate::files::{beside, lock_file, locked, private_file, put_in_place};
use serde::Serialize;
use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// The greatest length of a line in bytes: several times that of a transaction with the largest list of actions.
const MAX_LINE: u64 = 1 << 24;

/// A file of one JSON document a line, for its owner only. A line is on the disk before a method returns. A last
/// line that isn't whole was cut off by the end of a process or of the machine: it doesn't count, and is removed.
/// While the file is open it is locked.
#[derive(Debug)]
pub(crate) struct LineFile {
    path: PathBuf,
    file: File,
    /// The length of the whole lines, in bytes.
    length: u64,
}

/// The reason why a file of lines can't be read or written.
#[derive(Debug)]
pub(crate) enum LineFileError {
    /// The storage failed.
    Io(io::Error),
    /// Another process has the file open.
    InUse,
    /// A part of a line couldn't be written, and couldn't be removed either.
    PartialLine(PartialLine),
    /// A line is longer than any that is written; counted from 1.
    TooLong { line: usize },
}

/// A file that ends with a part of a line, which couldn't be removed.
#[derive(Debug, thiserror::Error)]
#[error(
    "{} ends with a part of a line that can't be removed ({source}); make the disk writable, and cut the file to \
     {length} bytes if it has more",
    path.display()
)]
pub struct PartialLine {
    /// The file.
    pub path: PathBuf,
    /// The length of the whole lines, in bytes.
    pub length: u64,
    /// The error of the operating system.
    #[source]
    pub source: io::Error,
}

impl From<io::Error> for LineFileError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl LineFile {
    /// Opens the file at `path`; one that doesn't exist is created, with its folders. `read` gets each whole line
    /// and its number, counted from 1.
    pub(crate) fn open<E: From<LineFileError>>(
        path: &Path,
        read: impl FnMut(Vec<u8>, usize) -> Result<(), E>,
    ) -> Result<Self, E> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(LineFileError::Io)?;
        }
        let file = lock_file(path).map_err(LineFileError::Io)?.ok_or(LineFileError::InUse)?;
        let length = read_lines(&file, read)?;
        let mut file = Self { path: path.to_owned(), file, length };
        file.remove_partial_line()?;
        Ok(file)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a line.
    pub(crate) fn add(&mut self, line: &impl Serialize) -> Result<(), LineFileError> {
        let text = text(line)?;
        if text.len() as u64 > MAX_LINE {
            // It couldn't be read again.
            return Err(io::Error::from(io::ErrorKind::FileTooLarge).into());
        }
        self.remove_partial_line()?;
        let written = self.file.write_all(&text).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            self.remove_partial_line()?;
            return Err(error.into());
        }
        self.length += text.len() as u64;
        Ok(())
    }

    /// Replaces all lines. Whenever the process or the machine ends, the file has the old lines or the new ones.
    pub(crate) fn replace<L: Serialize>(
        &mut self,
        lines: impl IntoIterator<Item = L>,
    ) -> Result<(), LineFileError> {
        let new_path = beside(&self.path);
        // Whoever opens the new file by its path finds it locked as well.
        let new = private_file().truncate(true).open(&new_path)?;
        let mut new = locked(new)?.ok_or(LineFileError::InUse)?;
        let mut all = Vec::new();
        for line in lines {
            all.extend(text(&line)?);
        }
        new.write_all(&all)?;
        put_in_place(&new, &new_path, &self.path)?;
        (self.file, self.length) = (new, all.len() as u64);
        Ok(())
    }

    /// Removes the file.
    pub(crate) fn remove(self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }

    /// Removes what was written of a line that failed: before another one it would make the file unreadable.
    fn remove_partial_line(&mut self) -> Result<(), LineFileError> {
        let length = self.length;
        let removed = self.file.set_len(length);
        let removed = removed.and_then(|()| self.file.seek(SeekFrom::Start(length)));
        removed.map(drop).map_err(|source| {
            LineFileError::PartialLine(PartialLine { path: self.path.clone(), length, source })
        })
    }
}

fn text(line: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    Ok(text)
}

/// Reads the lines of a file, and returns the length of those that are whole, in bytes.
fn read_lines<E: From<LineFileError>>(
    file: &File,
    mut read: impl FnMut(Vec<u8>, usize) -> Result<(), E>,
) -> Result<u64, E> {
    let (mut reader, mut whole, mut number) = (BufReader::new(file), 0, 0);
    loop {
        let mut text = Vec::new();
        let mut limited = reader.by_ref().take(MAX_LINE);
        let length = limited.read_until(b'\n', &mut text).map_err(LineFileError::Io)? as u64;
        number += 1;
        if text.pop() != Some(b'\n') {
            if length == MAX_LINE {
                return Err(LineFileError::TooLong { line: number }.into());
            }
            return Ok(whole);
        }
        read(text, number)?;
        whole += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use canon_testkit::TestFolder;
    use std::fs::OpenOptions;

    impl LineFile {
        /// Runs `change` while the file can't be written to.
        fn while_read_only(&mut self, change: impl FnOnce(&mut Self)) {
            let file = File::open(&self.path).unwrap();
            let writable = core::mem::replace(&mut self.file, file);
            change(self);
            self.file = writable;
        }
    }

    fn open(path: &Path) -> Result<(LineFile, Vec<String>), LineFileError> {
        let mut lines = Vec::new();
        let file = LineFile::open(path, |line, _| {
            lines.push(serde_json::from_slice(&line).unwrap());
            Ok::<_, LineFileError>(())
        })?;
        Ok((file, lines))
    }

    #[test]
    fn a_part_of_a_line_that_cannot_be_removed_is_an_error_and_never_stays_before_another_line() {
        let folder = TestFolder::new("partial-line");
        let path = folder.file("lines");
        let mut file = open(&path).unwrap().0;
        file.add(&"one").unwrap();
        // A disk that can't be written to, and lost a write.
        file.while_read_only(|file| {
            let error = file.add(&"two").unwrap_err();
            let is_partial =
                matches!(&error, LineFileError::PartialLine(PartialLine { length: 6, .. }));
            assert!(is_partial, "{error:?}");
        });
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"\"tw").unwrap();
        file.add(&"three").unwrap();
        drop(file);
        assert_eq!(open(&path).unwrap().1, ["one", "three"]);
    }

    #[test]
    fn lines_are_replaced_at_once_wherever_the_process_ends() {
        let folder = TestFolder::new("replaced");
        let path = folder.file("lines");
        let mut file = open(&path).unwrap().0;
        for line in ["one", "two", "three"] {
            file.add(&line).unwrap();
        }
        drop(file);
        let new_text = "\"two\"\n\"four\"\n";
        // The process ended while it wrote the new file.
        for length in 0..=new_text.len() {
            fs::write(beside(&path), &new_text[..length]).unwrap();
            let (mut file, lines) = open(&path).unwrap();
            assert_eq!(lines, ["one", "two", "three"], "{length}");
            file.replace(["two", "four"]).unwrap();
            file.add(&"five").unwrap();
            assert!(!beside(&path).exists());
            drop(file);
            let (mut file, lines) = open(&path).unwrap();
            assert_eq!(lines, ["two", "four", "five"], "{length}");
            file.replace(["one", "two", "three"]).unwrap();
        }
    }

    #[test]
    fn a_file_is_locked_before_and_after_it_is_replaced() {
        let folder = TestFolder::new("locked");
        let path = folder.file("lines");
        let mut file = open(&path).unwrap().0;
        assert!(matches!(open(&path), Err(LineFileError::InUse)));
        file.replace(["one"]).unwrap();
        assert!(matches!(open(&path), Err(LineFileError::InUse)));
        drop(file);
        assert_eq!(open(&path).unwrap().1, ["one"]);
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = TestFolder::new("mode");
        let path = folder.file("folder/lines");
        let mut file = open(&path).unwrap().0;
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        file.replace(["one"]).unwrap();
        assert_eq!(mode(), 0o600);
    }

    #[test]
    fn a_line_longer_than_any_that_is_written_is_not_read_to_its_end() {
        let folder = TestFolder::new("long-line");
        let path = folder.file("lines");
        fs::write(&path, "\"one\"\n").unwrap();
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        // The rest is zeros, and takes no space on the disk.
        file.set_len(1 << 34).unwrap();
        assert!(matches!(open(&path), Err(LineFileError::TooLong { line: 2 })));
    }
}
