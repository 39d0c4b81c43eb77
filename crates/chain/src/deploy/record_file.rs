//! The file of a deployment's record.

use super::record::DeployRecord;
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, BufRead, BufReader, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// A file with the record of a deployment: one JSON document per line, of which the last complete one is
/// valid. A line is synced to disk before [`Self::save`] returns; a line that was cut off when the process
/// or the machine stopped is ignored. The file is locked while it is open, so that two processes never use
/// one record.
#[derive(Debug)]
pub struct RecordFile {
    path: PathBuf,
    file: File,
}

/// The reason why a record can't be read or written. Without a record nothing is sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordFileError {
    /// The file can't be read or written.
    #[error("{} can't be read or written: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
    /// Another process has the file open.
    #[error("{} is in use: another process deploys by it; wait until it has ended", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The last line isn't a record of this version.
    #[error(
        "{}:{line}: expected the record of a deployment, found something else ({source}); remove the file to \
         begin anew, with contracts that the chain has already taken over",
        path.display()
    )]
    BadLine {
        /// The file.
        path: PathBuf,
        /// The line number, counted from 1.
        line: usize,
        /// The parse error.
        #[source]
        source: serde_json::Error,
    },
}

impl RecordFile {
    /// Opens the file at `path` and reads its record; `None` if the file is new.
    ///
    /// # Errors
    ///
    /// If another process has the file open, it can't be read or written, or it isn't a record.
    pub fn open(path: &Path) -> Result<(Self, Option<DeployRecord>), RecordFileError> {
        let failed = |source| RecordFileError::Io { path: path.to_owned(), source };
        let mut options = OpenOptions::new();
        let opened = options.read(true).write(true).create(true).truncate(false).open(path);
        let mut file = opened.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(RecordFileError::InUse { path: path.to_owned() });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        sync_folder(path).map_err(failed)?;
        let LastLine { text, number, end } = last_line(&file).map_err(failed)?;
        let record = match number {
            0 => None,
            line => Some(serde_json::from_slice(&text).map_err(|source| {
                RecordFileError::BadLine { path: path.to_owned(), line, source }
            })?),
        };
        file.set_len(end).and_then(|()| file.seek(SeekFrom::End(0))).map_err(failed)?;
        Ok((Self { path: path.to_owned(), file }, record))
    }

    /// Writes a record, which replaces the one before it.
    ///
    /// # Errors
    ///
    /// If the file can't be written. In that case, the record before it stays valid.
    pub fn save(&mut self, record: &DeployRecord) -> Result<(), RecordFileError> {
        let written = self.append(record);
        written.map_err(|source| RecordFileError::Io { path: self.path.clone(), source })
    }

    fn append(&mut self, record: &DeployRecord) -> io::Result<()> {
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        let end = self.file.stream_position()?;
        let written = self.file.write_all(&line).and_then(|()| self.file.sync_data());
        if written.is_err() {
            // An incomplete line before the next one would make the file unreadable.
            let _ = self.file.set_len(end).and_then(|()| self.file.seek(SeekFrom::Start(end)));
        }
        written
    }

    /// Removes the file, after the finished deployment was saved elsewhere.
    ///
    /// # Errors
    ///
    /// If the file can't be removed.
    pub fn remove(self) -> Result<(), RecordFileError> {
        let removed = fs::remove_file(&self.path);
        removed.map_err(|source| RecordFileError::Io { path: self.path, source })
    }
}

/// The last complete line of a file.
#[derive(Default)]
struct LastLine {
    text: Vec<u8>,
    /// The line number, counted from 1; 0 if there is none.
    number: usize,
    /// The end of the line, in bytes from the start of the file.
    end: u64,
}

fn last_line(file: &File) -> io::Result<LastLine> {
    let (mut reader, mut last) = (BufReader::new(file), LastLine::default());
    loop {
        let mut text = Vec::new();
        let length = reader.read_until(b'\n', &mut text)?;
        if text.pop() != Some(b'\n') {
            return Ok(last);
        }
        last = LastLine { text, number: last.number + 1, end: last.end + length as u64 };
    }
}

/// Ensures that a new file is still in its folder after a power cut.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| Path::new("."))).and_then(|folder| folder.sync_all())
}
