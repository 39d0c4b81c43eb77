//! The file of a deployment's record.

use super::record::DeployRecord;
use crate::line_file::{LineFile, LineFileError, PartialLine};
use std::{
    io,
    path::{Path, PathBuf},
};

/// A file with the record of a deployment: one JSON document per line, of which the last complete one is
/// valid. A line is synced to disk before [`Self::save`] returns; a line that was cut off when the process
/// or the machine stopped is ignored. The file is locked while it is open, so that two processes never use
/// one record.
#[derive(Debug)]
pub struct RecordFile {
    file: LineFile,
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
    /// A part of a line couldn't be written, and couldn't be removed either.
    #[error(transparent)]
    PartialLine(PartialLine),
    /// The last line isn't a record of this version.
    #[error(
        "{}:{line}: expected the record of a deployment, found something else ({source}); remove the file to \
         begin anew; contracts that the chain has already are taken over then",
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

impl RecordFileError {
    fn of(path: &Path, error: LineFileError) -> Self {
        let path = path.to_owned();
        match error {
            LineFileError::Io(source) => Self::Io { path, source },
            LineFileError::InUse => Self::InUse { path },
            LineFileError::PartialLine(partial) => Self::PartialLine(partial),
            LineFileError::TooLong { line } => {
                let source = serde::de::Error::custom("it is too long");
                Self::BadLine { path, line, source }
            }
        }
    }
}

impl RecordFile {
    /// Opens the file at `path` and reads its record; `None` if the file is new.
    ///
    /// # Errors
    ///
    /// If another process has the file open, it can't be read or written, or it isn't a record.
    pub fn open(path: &Path) -> Result<(Self, Option<DeployRecord>), RecordFileError> {
        let mut last = None;
        let file = LineFile::open(path, |text, line| {
            last = Some((text, line));
            Ok::<_, LineFileError>(())
        });
        let file = file.map_err(|error| RecordFileError::of(path, error))?;
        let bad_line =
            |line| move |source| RecordFileError::BadLine { path: path.to_owned(), line, source };
        let record = match last {
            None => None,
            Some((text, line)) => Some(serde_json::from_slice(&text).map_err(bad_line(line))?),
        };
        Ok((Self { file }, record))
    }

    /// Writes a record, which replaces the one before it.
    ///
    /// # Errors
    ///
    /// If the file can't be written. In that case, the record before it stays valid.
    pub fn save(&mut self, record: &DeployRecord) -> Result<(), RecordFileError> {
        let added = self.file.add(record);
        added.map_err(|error| RecordFileError::of(self.file.path(), error))
    }

    /// Removes the file, after the finished deployment was saved elsewhere.
    ///
    /// # Errors
    ///
    /// If the file can't be removed.
    pub fn remove(self) -> Result<(), RecordFileError> {
        let path = self.file.path().to_owned();
        self.file.remove().map_err(|source| RecordFileError::Io { path, source })
    }
}
