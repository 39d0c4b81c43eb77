//! States on disk, to go on from.

use crate::{fold::Fold, identity::SetIdentity};
use canon_protocol::{BlockNumber, SetState};
use canon_views::BlockView;
use core::hash::BuildHasher;
use serde::{Deserialize, Serialize};
use std::{
    collections::hash_map::RandomState,
    fs::{self, File},
    io::{self, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

/// The version of the file's shape. A file of another version is refused.
const VERSION: u32 = 1;

/// A set's state after a block that is unlikely to be replaced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    version: u32,
    identity: SetIdentity,
    block: BlockView,
    state: Arc<SetState>,
}

/// Why a checkpoint can't be read or written. What to do is the caller's: all blocks can be read again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file can't be read or written.
    #[error("{} can't be read or written: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file isn't a checkpoint, or is damaged.
    #[error("{} isn't a checkpoint, or is damaged: {source}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What doesn't fit.
        #[source]
        source: serde_json::Error,
    },
    /// The file is of another version of this program.
    #[error("{} has version {found} where {VERSION} was expected", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// The file contradicts itself.
    #[error("{} contradicts itself", path.display())]
    Contradictory {
        /// The file.
        path: PathBuf,
    },
    /// The file's block isn't on the endpoint's chain, whose newest block is older: a development chain began anew,
    /// or the number is wrong.
    #[error("{} is of block {block}, which the endpoint's chain doesn't have", path.display())]
    NotOnChain {
        /// The file.
        path: PathBuf,
        /// The number of the file's block.
        block: BlockNumber,
    },
    /// The file is of another set, or of other settings.
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

    /// Writes the checkpoint in the place of what `path` has. A reader sees the old file or the new one,
    /// whenever the program is killed.
    ///
    /// # Errors
    ///
    /// If the folder can't be written to.
    pub fn write(&self, path: &Path) -> Result<(), CheckpointError> {
        let failed = |source| CheckpointError::Io { path: path.to_owned(), source };
        let mut name = path.file_name().unwrap_or_default().to_owned();
        // Drawn, so that no two writers share a file: processes in different containers may have the same id.
        name.push(format!(".{:016x}.new", RandomState::new().hash_one(&name)));
        let new = path.with_file_name(name);
        let written = self.write_new(&new).and_then(|()| fs::rename(&new, path));
        written.map_err(|source| {
            let _ = fs::remove_file(&new);
            failed(source)
        })
    }

    fn write_new(&self, path: &Path) -> io::Result<()> {
        let mut file = BufWriter::new(File::create_new(path)?);
        serde_json::to_writer(&mut file, self)?;
        file.flush()?;
        file.get_ref().sync_all()
    }

    /// The checkpoint of the set with `identity` at `path`; `None` if there is no file.
    ///
    /// # Errors
    ///
    /// If the file can't be read, isn't a checkpoint of this version, or is of another set.
    pub fn read(path: &Path, identity: &SetIdentity) -> Result<Option<Self>, CheckpointError> {
        let found = Self::read_any(path)?;
        if found.as_ref().is_some_and(|found| found.identity != *identity) {
            return Err(CheckpointError::OtherSet { path: path.to_owned() });
        }
        Ok(found)
    }

    /// The checkpoint of any set at `path`.
    pub(crate) fn read_any(path: &Path) -> Result<Option<Self>, CheckpointError> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(CheckpointError::Io { path: path.to_owned(), source }),
        };
        let damaged = |source| CheckpointError::Damaged { path: path.to_owned(), source };
        let value: serde_json::Value =
            serde_json::from_reader(BufReader::new(file)).map_err(damaged)?;
        let found = Version::deserialize(&value).map_err(damaged)?.version;
        if found != VERSION {
            return Err(CheckpointError::Version { path: path.to_owned(), found });
        }
        let checkpoint: Self = serde_json::from_value(value).map_err(damaged)?;
        let identity = &checkpoint.identity;
        let (state, block) = (&checkpoint.state, checkpoint.block.number);
        let fits = *state.addresses() == identity.addresses
            && state.is_complete()
            && state.block().number <= block
            && identity.first_block <= block;
        if !fits {
            return Err(CheckpointError::Contradictory { path: path.to_owned() });
        }
        Ok(Some(checkpoint))
    }
}

/// The part of a file that every version has.
#[derive(Deserialize)]
struct Version {
    version: u32,
}
