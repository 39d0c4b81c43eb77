//! The files of an account's commands: the journal of its transactions, and the record of a command
//! that has begun and whose outcome wasn't shown yet.

use std::{
    env,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use alloy_primitives::{Address, B256, ChainId, hex};
use canon_chain::{
    Client, lock_file,
    tx::{FileJournal, JournalError},
    write_file,
};
use canon_protocol::{BlockNumber, ForeignText, text};
use canon_views::RequestId;
use eyre::{Report, WrapErr as _, eyre};
use serde::{Deserialize, Serialize};

use super::Step;
use crate::{
    exit::{Failure, Reason, ReasonKind},
    input::home_folder,
};

/// The files of one account on one chain.
#[derive(Clone, Debug)]
pub(super) struct AccountFiles {
    folder: PathBuf,
    /// The name of the files that belong to the account on this chain.
    name: String,
    /// The name of the files that belong to the account on all chains with this id.
    shared: String,
}

/// The lock of an account. While it exists, no other process sends for the account on any chain with the same id.
#[derive(Debug)]
pub(crate) struct AccountLock {
    /// The file that names the holder.
    user: PathBuf,
    #[expect(dead_code, reason = "dropping the file unlocks it")]
    file: File,
}

impl Drop for AccountLock {
    fn drop(&mut self) {
        // Before the file is unlocked, so that it isn't the name of the next holder that is removed.
        let _ = fs::remove_file(&self.user);
    }
}

/// The number of bytes of a chain's genesis hash that are part of file names.
const GENESIS_BYTES: usize = 8;

/// The record of a command that has begun and whose outcome wasn't shown yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Begun {
    /// The command, as it is typed.
    pub(super) command: String,
    /// The Registry of the command's set.
    #[serde(with = "text::address")]
    pub(super) registry: Address,
    /// The number of the command's request.
    pub(super) request: RequestId,
    /// The transactions in the journal when the command began.
    pub(super) earlier: Vec<B256>,
    /// The steps of the command, in order.
    pub(super) steps: Vec<Step>,
    /// The transaction that was mined without doing its work, if the command ended because of it. Kept because
    /// the block of the transaction may be replaced.
    pub(super) failed: Option<B256>,
}

/// The folder with the state of the user's commands: `$XDG_STATE_HOME/canon`, otherwise
/// `~/.local/state/canon`.
///
/// # Errors
///
/// If there is no home directory.
pub(crate) fn state_folder() -> Result<PathBuf, Failure> {
    let named = env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = named.or_else(|| Some(home_folder()?.join(".local").join("state")));
    let folder = folder.ok_or_else(|| {
        let report = eyre!(
            "HOME: expected a folder in which sent transactions are remembered, found no absolute path"
        );
        Failure::bad_input(report, "set HOME, or XDG_STATE_HOME")
    })?;
    Ok(folder.join("canon"))
}

impl AccountFiles {
    /// Names the files of an account on a chain. Chains with the same id but different first blocks
    /// have different files.
    pub(super) fn new(folder: &Path, chain_id: ChainId, genesis: B256, account: Address) -> Self {
        let (genesis, _) = genesis.split_at(GENESIS_BYTES);
        let name = format!("{chain_id}-{}-{account:#x}", hex::encode_prefixed(genesis));
        let shared = format!("{chain_id}-{account:#x}");
        Self { folder: folder.to_owned(), name, shared }
    }

    /// Locks the account for a command.
    ///
    /// # Errors
    ///
    /// If the lock can't be taken, or another process sends for the account.
    pub(super) fn lock(&self, command: &str) -> Result<AccountLock, Failure> {
        let unusable = |error: io::Error| self.unusable(error.into());
        create_private(&self.folder).map_err(unusable)?;
        let path = self.shared_file("lock");
        let file = lock_file(&path).map_err(unusable)?.ok_or_else(|| self.in_use(&path))?;
        // The file only helps a user who finds the account locked. Whoever reads it finds all of it or nothing.
        let (user, holder) = (self.shared_file("user"), std::process::id());
        let _ = write_file(&user, format!("process {holder}: {command}\n").as_bytes());
        Ok(AccountLock { user, file })
    }

    /// Opens the journal of an account that is locked.
    ///
    /// # Errors
    ///
    /// If it can't be read, or another process has it open.
    pub(super) fn journal(&self, _: &AccountLock) -> Result<FileJournal, Failure> {
        FileJournal::open(&self.file("journal")).map_err(|error| match error {
            JournalError::InUse { path } => self.in_use(&path),
            error => self.unusable(error.into()),
        })
    }

    /// The failure for a file that another process has locked.
    fn in_use(&self, path: &Path) -> Failure {
        let holder = fs::read_to_string(self.shared_file("user")).unwrap_or_default();
        // The holder may not have written its name yet, and one that was killed leaves its name.
        let holder = match holder.trim_end() {
            "" => "the process that holds it hasn't written its name yet".to_owned(),
            last => format!("the last holder to write its name is {}", ForeignText::new(last)),
        };
        let report = eyre!("{} is locked; {holder}", path.display())
            .wrap_err("another command sends for this account");
        Failure::internal(report, "wait until it has ended, then run this one again")
    }

    /// Reads the record of the command whose outcome wasn't shown.
    ///
    /// # Errors
    ///
    /// If it can't be read.
    pub(super) fn begun(&self) -> Result<Option<Begun>, Failure> {
        let file = self.file("begun");
        let text = match fs::read(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.unusable(error.into())),
        };
        let begun = serde_json::from_slice(&text);
        let begun = begun.wrap_err_with(|| format!("{} can't be read", file.display()));
        begun.map(Some).map_err(|report| {
            let next = "restore the file, or move it away once none of the account's transactions is pending";
            Failure::internal(report, next)
        })
    }

    /// Replaces the record by that of another command. The file is on disk when this returns.
    ///
    /// # Errors
    ///
    /// If it can't be written. In that case nothing is sent.
    pub(super) fn begin(&self, begun: &Begun) -> Result<(), Failure> {
        let written = serde_json::to_vec(begun)
            .map_err(io::Error::from)
            .and_then(|text| write_file(&self.file("begun"), &text));
        written.map_err(|error| self.unusable(error.into()))
    }

    /// Removes the record, after the outcome of the command was shown.
    ///
    /// # Errors
    ///
    /// If the file can't be removed. In that case the command is reported once more.
    pub(super) fn end(&self) -> Result<(), Failure> {
        match fs::remove_file(self.file("begun")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(self.unusable(error.into()))
            }
            _ => sync(&self.folder).map_err(|error| self.unusable(error.into())),
        }
    }

    fn file(&self, kind: &str) -> PathBuf {
        self.folder.join(format!("{}.{kind}", self.name))
    }

    fn shared_file(&self, kind: &str) -> PathBuf {
        self.folder.join(format!("{}.{kind}", self.shared))
    }

    fn unusable(&self, report: Report) -> Failure {
        let folder = self.folder.display();
        let report = report.wrap_err(format!("{folder}: sent transactions can't be remembered"));
        Failure::internal(
            report,
            "check the folder and its permissions: nothing is sent without it",
        )
    }
}

/// The hash of a chain's block 0, which tells chains with the same id apart. The block named "earliest" doesn't: to a
/// node with pruned history, that is the first block that the node has.
///
/// # Errors
///
/// If the endpoint doesn't answer, or doesn't have the block.
pub(super) async fn genesis(client: &Client) -> Result<B256, Failure> {
    let unusable = |report: Report| {
        let report = report.wrap_err("sent transactions are remembered by the hash of block 0");
        let next = "use the --rpc-url (ETH_RPC_URL) of a node that has block 0, then run the command again";
        Failure::internal(report.wrap_err("nothing was sent"), next)
    };
    let block = client.block(0.into()).await;
    let block = block.map_err(|error| {
        unusable(match error.is_temporary() {
            true => Report::new(Reason::new(ReasonKind::Passing, error.to_string())),
            false => Report::msg(error.to_string()),
        })
    })?;
    match block.number {
        BlockNumber::ZERO => Ok(block.hash),
        other => Err(unusable(eyre!("expected block 0, found block {other}"))),
    }
}

/// Creates a folder that only its owner can access.
fn create_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Writes the names in a folder to disk.
fn sync(folder: &Path) -> io::Result<()> {
    match cfg!(unix) {
        true => File::open(folder)?.sync_all(),
        false => Ok(()),
    }
}
