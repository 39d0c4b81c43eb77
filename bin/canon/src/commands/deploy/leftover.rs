//! A finished deployment whose record is still there.

use std::path::Path;

use alloy_primitives::{Address, keccak256};
use canon_chain::{
    Client,
    deploy::{CheckedParameters, DeployManifest, DeployRecord, RecordFile},
    read_text,
};
use canon_protocol::ForeignText;
use eyre::{Report, eyre};

use super::{earlier_run::ensure_of, failures::GoOn};
use crate::{chain::unreached, exit::Failure};

/// A finished deployment, whose manifest is written and whose record is still there: the process ended between the two.
pub(super) struct Leftover {
    manifest: DeployManifest,
    record: DeployRecord,
    file: RecordFile,
}

impl Leftover {
    /// Finds a finished deployment that has left its record. `None` if there is no manifest, or the record isn't that of
    /// the same finished deployment.
    ///
    /// # Errors
    ///
    /// If another process has the record open, or one of the files can't be read.
    pub(super) fn find(manifest: &Path, record: &Path) -> Result<Option<Self>, Failure> {
        if !manifest.exists() || !record.exists() {
            return Ok(None);
        }
        let (file, found) =
            RecordFile::open(record).map_err(|error| GoOn::Repeat.unrecorded(error))?;
        let text = read_text(manifest).map_err(|error| {
            let unread = format!("the manifest {} can't be read", manifest.display());
            Failure::bad_input(
                Report::new(error).wrap_err(unread),
                "make it readable, then run the same command again, or name another --manifest",
            )
        })?;
        let written = DeployManifest::parse(&text).ok();
        let both = written.zip(found.filter(|found| found.next().is_none()));
        let both = both.filter(|(written, found)| written.is_of(found));
        Ok(both.map(|(manifest, record)| Self { manifest, record, file }))
    }

    /// Removes the record, if the deployment is that of these parameters by this account, and the chain has its
    /// contracts. Returns the manifest.
    pub(super) async fn finish(
        self,
        client: &Client,
        checked: &CheckedParameters,
        deployer: Address,
        path: &Path,
    ) -> Result<DeployManifest, Failure> {
        let Self { manifest, record, file } = self;
        ensure_of(&record, path, client, deployer, checked).await?;
        let head = client.head().await.map_err(unreached)?;
        let newest = record.newest_block();
        if head.number < newest {
            let found = head.number;
            return Err(Failure::internal(
                eyre!(
                    "expected block {newest}, in which the deployment ended, found block {found}"
                ),
                "wait until the endpoint has caught up, or use another one",
            ));
        }
        for planned in &manifest.contracts {
            let (contract, address) = (ForeignText::new(&planned.contract), planned.address);
            let code = client.code(head.hash.into(), address).await.map_err(unreached)?;
            let found = match code {
                Some(code) if keccak256(&code) == planned.code_hash => continue,
                Some(_) => "other code",
                None => "no code",
            };
            return Err(Failure::refused(
                eyre!("expected {contract} at {address} as in the manifest, found {found}"),
                "`canon audit --manifest` shows what is wrong",
            ));
        }
        file.remove().map_err(|error| GoOn::Repeat.unrecorded(error))?;
        Ok(manifest)
    }
}
