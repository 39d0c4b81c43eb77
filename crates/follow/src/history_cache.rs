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
    path::PathBuf,
};

/// The history that was read before: by other programs, which save states in a folder, and by this one.
///
/// The folder has one file per chain and Registry. Several programs may use it at once; anyone who can write to it is
/// trusted.
#[derive(Debug, Default)]
pub struct HistoryCache {
    folder: Option<PathBuf>,
    follower: Option<Follower<ChainSource>>,
}

impl HistoryCache {
    /// The history in a folder, which is created when a state is saved.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: Some(folder.into()), follower: None }
    }

    /// The history that only this program remembers.
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// The path of a set's saved state; `None` without a folder.
    pub(crate) fn file(&self, chain_id: ChainId, registry: Address) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(format!("{chain_id}-{registry:#x}.json")))
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

    /// Saves a checkpoint in the file of its set, if there is a folder. If the folder doesn't exist, it is created with
    /// access for its owner only. Programs that write at once replace each other's files as a whole; an older state
    /// only costs the next program time.
    pub(crate) fn save(
        &self,
        checkpoint: &Checkpoint,
        chain_id: ChainId,
        registry: Address,
    ) -> Result<(), CheckpointError> {
        let Some((folder, file)) = self.folder.as_ref().zip(self.file(chain_id, registry)) else {
            return Ok(());
        };
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        let created = builder.create(folder);
        created.map_err(|source| CheckpointError::Io { path: folder.clone(), source })?;
        checkpoint.write(&file)
    }

    /// Removes the file of a set, if there is one.
    pub(crate) fn discard(
        &self,
        chain_id: ChainId,
        registry: Address,
    ) -> Result<(), CheckpointError> {
        let Some(path) = self.file(chain_id, registry) else { return Ok(()) };
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(CheckpointError::Io { path, source })
            }
            _ => Ok(()),
        }
    }
}
