//! The history of a set that was read before.

use crate::{
    chain_source::ChainSource,
    checkpoint::{Checkpoint, CheckpointError},
    follower::Follower,
};
use alloy_primitives::{Address, ChainId};
use std::{
    fs::{self, DirBuilder},
    io,
    path::{Path, PathBuf},
};

/// The history that was read before: by other programs, which save states in a folder, and by this one.
///
/// The folder has one file per chain and Registry. Several programs may use it at once; anyone who can write to it is
/// trusted.
#[derive(Debug)]
pub struct HistoryCache {
    folder: PathBuf,
    follower: Option<Follower<ChainSource>>,
}

impl HistoryCache {
    /// The history in a folder, which is created when a state is saved.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), follower: None }
    }

    /// The path of a set's saved state.
    pub(crate) fn file(&self, chain_id: ChainId, registry: Address) -> PathBuf {
        self.folder.join(format!("{chain_id}-{registry:#x}.json"))
    }

    /// Takes the state of a set that this program has read.
    pub(crate) fn take(
        &mut self,
        chain_id: ChainId,
        registry: Address,
    ) -> Option<Follower<ChainSource>> {
        self.follower.take().filter(|follower| {
            let set = follower.identity().addresses;
            (set.chain_id, set.registry) == (chain_id, registry)
        })
    }

    /// Keeps a state for the next time that this program asks.
    pub(crate) fn keep(&mut self, follower: Follower<ChainSource>) {
        self.follower = Some(follower);
    }

    /// Saves a checkpoint at `path` in the folder. If the folder doesn't exist, it is created with access for its
    /// owner only. Programs that write at once replace each other's files as a whole; an older state only costs the
    /// next program time.
    pub(crate) fn save(&self, checkpoint: &Checkpoint, path: &Path) -> Result<(), CheckpointError> {
        let failed = |source| CheckpointError::Io { path: self.folder.clone(), source };
        let mut folder = DirBuilder::new();
        folder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
        folder.create(&self.folder).map_err(failed)?;
        checkpoint.write(path)
    }

    /// Removes the file at `path` in the folder.
    pub(crate) fn discard(&self, path: &Path) -> Result<(), CheckpointError> {
        match fs::remove_file(path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(CheckpointError::Io { path: path.to_owned(), source })
            }
            _ => Ok(()),
        }
    }
}
