//! States saved on disk, from which a follower continues.
//!
//! A file contains the state in JSON on one line and its keccak256 on the next, so that damage is detected.
//! The hash isn't a proof: anyone who can write to the folder can forge a state, and is trusted not to.

use crate::{fold::Fold, identity::SetIdentity};
use alloy_primitives::keccak256;
use canon_protocol::{BlockNumber, ForeignText, Proposal, SetState, actions_hash};
use canon_views::BlockView;
use core::time::Duration;
use serde::{Deserialize, Serialize};
use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

/// The version of the file format. Files of other versions are refused.
const VERSION: u32 = 4;

/// The end of the name of a file that is being written.
const NEW: &str = ".new";

/// The time after which a file that is being written has lost its writer.
const LONGEST_WRITE: Duration = Duration::from_secs(60 * 60);

/// The most characters of a parse error that an error message shows.
const MAX_REASON: usize = 200;

/// A set's state after a block that is unlikely to be replaced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    version: u32,
    identity: SetIdentity,
    block: BlockView,
    state: Arc<SetState>,
}

/// A failure to read or write a checkpoint. The caller decides what to do; all blocks can be read again
/// instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file can't be read or written.
    #[error("{} can't be read or written: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
    /// The path isn't a regular file, but for example a folder or a pipe.
    #[error("{} isn't a regular file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The hash in the file doesn't match its content.
    #[error("{} is damaged: its content doesn't have the hash that the file ends with", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The file isn't damaged, but its content isn't a checkpoint.
    #[error(
        "{} isn't a checkpoint: {}", path.display(), ForeignText::new(&source.to_string()).up_to(MAX_REASON)
    )]
    NotACheckpoint {
        /// The file.
        path: PathBuf,
        /// The parse error, which can quote the file.
        #[source]
        source: serde_json::Error,
    },
    /// The file was written by another version of this program.
    #[error("{} has version {found} where {VERSION} was expected", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// The version of the file.
        found: u32,
    },
    /// The parts of the file contradict each other: they are of different sets or blocks, or a proposal's
    /// actions don't have the hash that holders vote on.
    #[error("{} contradicts itself", path.display())]
    Contradictory {
        /// The file.
        path: PathBuf,
    },
    /// The file's block isn't on the endpoint's chain, whose newest block is older. Either a development
    /// chain was restarted, or the number is wrong.
    #[error("{} is of block {block}, which the endpoint's chain doesn't have", path.display())]
    NotOnChain {
        /// The file.
        path: PathBuf,
        /// The number of the file's block.
        block: BlockNumber,
    },
    /// The file belongs to another set, or was made with other origins.
    #[error("{} is of another set, or of other origins of contracts", path.display())]
    OtherSet {
        /// The file.
        path: PathBuf,
    },
}

impl Checkpoint {
    /// The checkpoint of a fold; `None` before the first block.
    pub(crate) fn of(identity: &SetIdentity, fold: &Fold) -> Option<Self> {
        let Fold { block, state, .. } = fold.clone();
        Some(Self { version: VERSION, identity: identity.clone(), block: block?, state })
    }

    pub(crate) fn into_parts(self) -> (SetIdentity, Fold) {
        (self.identity, Fold { block: Some(self.block), is_marked: false, state: self.state })
    }

    /// The set.
    pub const fn identity(&self) -> &SetIdentity {
        &self.identity
    }

    /// The block.
    pub const fn block(&self) -> BlockView {
        self.block
    }

    /// The state after the block.
    pub fn state(&self) -> &SetState {
        &self.state
    }

    /// Writes the checkpoint to `path` and replaces an existing file. A reader sees either the old file or
    /// the new one, even if the program is killed.
    ///
    /// # Errors
    ///
    /// If the folder can't be written to.
    pub fn write(&self, path: &Path) -> Result<(), CheckpointError> {
        let failed = |source| CheckpointError::Io { path: path.to_owned(), source };
        let (file, new) = create_beside(path).map_err(failed)?;
        let written = self.write_to(file).and_then(|()| fs::rename(&new, path));
        written.map_err(|source| {
            let _ = fs::remove_file(&new);
            failed(source)
        })?;
        // The checkpoint is written, so a failure here costs nothing but space.
        let _ = remove_stale(path);
        Ok(())
    }

    fn write_to(&self, mut file: File) -> io::Result<()> {
        let mut content = serde_json::to_vec(self)?;
        let hash = hash_line(&content);
        content.extend_from_slice(hash.as_bytes());
        file.write_all(&content)?;
        file.sync_all()
    }

    /// The checkpoint at `path`, if `is_wanted` accepts its set; `None` if there is no file.
    ///
    /// # Errors
    ///
    /// If the file can't be read, is damaged, isn't a checkpoint of this version, or is of another set.
    pub fn read(
        path: &Path,
        is_wanted: impl FnOnce(&SetIdentity) -> bool,
    ) -> Result<Option<Self>, CheckpointError> {
        let Some(file) = read_file(path)? else { return Ok(None) };
        let end = file.iter().rposition(|byte| *byte == b'\n').unwrap_or(file.len());
        let (content, hash) = file.split_at(end);
        // Files of other versions may have no hash.
        if let Ok(Version { version: found }) = serde_json::from_slice(content)
            && found != VERSION
        {
            return Err(CheckpointError::Version { path: path.to_owned(), found });
        }
        if hash != hash_line(content).as_bytes() {
            return Err(CheckpointError::Damaged { path: path.to_owned() });
        }
        let checkpoint: Self = serde_json::from_slice(content)
            .map_err(|source| CheckpointError::NotACheckpoint { path: path.to_owned(), source })?;
        let identity = &checkpoint.identity;
        let (state, block) = (&checkpoint.state, checkpoint.block.number);
        let fits = *state.addresses() == identity.addresses
            && state.is_complete()
            && state.governance().proposals().iter().all(has_its_actions)
            && state.block().number <= block
            && identity.first_block <= block;
        if !fits {
            return Err(CheckpointError::Contradictory { path: path.to_owned() });
        }
        if !is_wanted(identity) {
            return Err(CheckpointError::OtherSet { path: path.to_owned() });
        }
        Ok(Some(checkpoint))
    }
}

/// The name of a new file beside `path`.
fn name_beside(path: &Path, number: &str) -> OsString {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(number);
    name
}

/// Creates a new file beside `path`, which no other writer uses: the first number that isn't taken.
fn create_beside(path: &Path) -> io::Result<(File, PathBuf)> {
    for number in 0..=u16::MAX {
        let new = path.with_file_name(name_beside(path, &format!(".{number}{NEW}")));
        match File::create_new(&new) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            created => return Ok((created?, new)),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Removes the new files that writers left beside `path` when they were killed. `path` has just been written.
fn remove_stale(path: &Path) -> io::Result<()> {
    let now = fs::metadata(path)?.modified()?;
    let beginning = name_beside(path, ".");
    for entry in path.parent().unwrap_or(path).read_dir()? {
        let entry = entry?;
        let name = entry.file_name();
        let is_new = name.as_encoded_bytes().starts_with(beginning.as_encoded_bytes())
            && name.as_encoded_bytes().ends_with(NEW.as_bytes());
        if is_new && entry.metadata()?.modified()? + LONGEST_WRITE < now {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// The content of a regular file; `None` if there is none.
fn read_file(path: &Path) -> Result<Option<Vec<u8>>, CheckpointError> {
    // Opening a pipe would block until someone writes to it.
    let found = fs::metadata(path);
    if found.as_ref().is_ok_and(|found| !found.is_file()) {
        return Err(CheckpointError::NotAFile { path: path.to_owned() });
    }
    match found.and_then(|_| fs::read(path)) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(CheckpointError::Io { path: path.to_owned(), source }),
    }
}

/// The last line of a file, after its content: the content's hash.
fn hash_line(content: &[u8]) -> String {
    format!("\n{:#x}", keccak256(content))
}

/// Whether a proposal's actions match the hash that holders vote on.
fn has_its_actions(proposal: &Proposal) -> bool {
    actions_hash(proposal.actions()) == proposal.actions_hash()
}

/// The part of the format that all versions share.
#[derive(Deserialize)]
struct Version {
    version: u32,
}
