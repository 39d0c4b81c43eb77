//! The files of an earlier run: its manifest if it finished the deployment, otherwise the record from which it is resumed.

use std::path::{Path, PathBuf};

use alloy_primitives::Address;
use canon_chain::{
    Client,
    deploy::{CheckedParameters, DeployError, DeployRecord},
};
use eyre::eyre;

use super::{
    failures::{GoOn, OTHER_RECORD},
    prepare::Beginning,
};
use crate::{chain::unreached, exit::Failure};

/// The path of the record of an unfinished deployment.
pub(super) fn record_of(manifest: &Path) -> PathBuf {
    let mut name = manifest.as_os_str().to_owned();
    name.push(".unfinished");
    name.into()
}

/// Refuses a deployment that is finished, and one that has begun unless it is resumed.
pub(super) fn ensure_unfinished(
    manifest: &Path,
    record: &Path,
    beginning: Beginning,
) -> Result<(), Failure> {
    if manifest.exists() {
        return Err(Failure::bad_input(
            eyre!("{} exists: this deployment is finished", manifest.display()),
            "`canon audit --manifest` checks it; another set needs another --manifest, and another salt in [origin]",
        ));
    }
    if record.exists() && beginning != Beginning::Resumed {
        let next = match beginning {
            Beginning::Unsigned => {
                "go on with --resume and the key that has begun it, without --unsigned; another set needs another \
                 --manifest, and another salt in [origin]"
            }
            Beginning::New | Beginning::Resumed => {
                "go on with --resume; another set needs another --manifest, and another salt in [origin]"
            }
        };
        return Err(Failure::bad_input(
            eyre!("{} exists: this deployment is begun and not finished", record.display()),
            next,
        ));
    }
    Ok(())
}

/// Checks that a record is of this chain, this deployer and these parameters.
pub(super) async fn ensure_of(
    record: &DeployRecord,
    path: &Path,
    client: &Client,
    deployer: Address,
    checked: &CheckedParameters,
) -> Result<(), Failure> {
    let chain = client.chain_id();
    if record.chain_id != chain {
        let error = DeployError::OtherChain { record: record.chain_id, chain };
        return Err(Failure { next: OTHER_RECORD, ..GoOn::Resume.undeployed(error) });
    }
    if record.deployer != deployer {
        let (record, key) = (record.deployer, deployer);
        return Err(GoOn::Resume.undeployed(DeployError::OtherDeployer { record, key }));
    }
    if record.parameters != *checked.raw() {
        return Err(GoOn::Resume.undeployed(DeployError::OtherParameters));
    }
    if !record.is_known_to(client).await.map_err(unreached)? {
        let (path, count) = (path.display(), record.receipts().count());
        return Err(Failure::bad_input(
            eyre!(
                "{path}: expected the chain with the {count} transactions of this record, found none of them: this is \
                 another chain with the id {chain}, such as a fork, or a development chain that began anew"
            ),
            OTHER_RECORD,
        ));
    }
    Ok(())
}
