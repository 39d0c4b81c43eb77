//! The files of an earlier run: its manifest if it finished the deployment, otherwise the record from which it is resumed.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use alloy_primitives::{Address, ChainId};
use canon_chain::{
    Client,
    deploy::{CheckedParameters, DeployError, DeployManifest, DeployRecord, SetParameters},
    read_text,
};
use canon_protocol::text::count;
use eyre::{Report, eyre};

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

/// The next step if something else is where the manifest is to be written.
const NOT_OVERWRITTEN: &str = "it isn't overwritten: name another --manifest, or move it away; another set also needs \
     another salt in [origin]";

/// The manifest at the path at which one is to be written; `None` if nothing is there.
///
/// # Errors
///
/// If there is anything else, or a manifest of other parameters.
pub(super) fn found_manifest(
    path: &Path,
    checked: &CheckedParameters,
) -> Result<Option<DeployManifest>, Failure> {
    if !path.exists() {
        return Ok(None);
    }
    let shown = path.display();
    let other = |report: Report| Failure::bad_input(report, NOT_OVERWRITTEN);
    let text = read_text(path).map_err(|error| {
        other(Report::new(error).wrap_err(format!("{shown} exists, and can't be read")))
    })?;
    let found = DeployManifest::parse(&text).map_err(|error| {
        other(eyre!(
            "{shown}: expected no file, found one that isn't a deployment's manifest: {error}"
        ))
    })?;
    match found.parameters == *checked.raw() {
        true => Ok(Some(found)),
        false => Err(other(eyre!(
            "{shown}: expected no file, found the manifest of a deployment with other parameters, on chain {}",
            found.chain_id
        ))),
    }
}

/// The failure for a manifest of the same parameters, on this chain or another one.
pub(super) fn already_finished(path: &Path, found: &DeployManifest, chain: ChainId) -> Failure {
    let (shown, of) = (path.display(), found.chain_id);
    match of == chain {
        true => Failure::bad_input(
            eyre!("{shown} exists: this deployment is finished"),
            "`canon audit --manifest` checks it; another set needs another --manifest, and another salt in [origin]",
        ),
        false => Failure::bad_input(
            eyre!(
                "{shown}: expected no file, found the manifest of a deployment on chain {of}, and this is chain {chain}"
            ),
            NOT_OVERWRITTEN,
        ),
    }
}

/// Refuses a deployment that has begun, unless it is resumed.
pub(super) fn ensure_not_begun(record: &Path, beginning: Beginning) -> Result<(), Failure> {
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

/// The fields that differ between the parameters of a record and those of the file.
fn differences(recorded: &SetParameters, found: &SetParameters) -> Vec<String> {
    let table = |parameters| toml::Table::try_from(parameters).unwrap_or_default();
    let (recorded, found) = (table(recorded), table(found));
    let field = |table: &toml::Table, section: &str, name: &str| {
        let value = table.get(section).and_then(|section| section.get(name));
        value.map_or_else(|| "nothing".to_owned(), ToString::to_string)
    };
    let sections = recorded.iter().chain(&found);
    let names = sections.flat_map(|(section, fields)| {
        let names = fields.as_table().into_iter().flat_map(toml::Table::keys);
        names.map(move |name| (section.as_str(), name.as_str()))
    });
    let names: BTreeSet<_> = names.collect();
    let differing = names.into_iter().filter_map(|(section, name)| {
        let (expected, found) = (field(&recorded, section, name), field(&found, section, name));
        let text = || format!("{section}.{name}: expected {expected} as recorded, found {found}");
        (expected != found).then(text)
    });
    differing.collect()
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
        let differences = differences(&record.parameters, checked.raw());
        let report = eyre!(differences.join("; ")).wrap_err(DeployError::OtherParameters);
        let next = "restore these fields in the file, then run the same command; for another set, name another \
                    --manifest, and another salt in [origin]";
        return Err(Failure::bad_input(report, next));
    }
    if !record.is_known_to(client).await.map_err(unreached)? {
        let (path, sent) = (path.display(), record.receipts().count());
        let sent = count(sent as u64, "transaction");
        return Err(Failure::bad_input(
            eyre!(
                "{path}: expected the chain with {sent} of this record, found none of them: this is \
                 another chain with the id {chain}, such as a fork, or a development chain that began anew"
            ),
            OTHER_RECORD,
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use canon_protocol::{Amount, Fraction, Timestamp};

    use super::*;

    #[test]
    fn each_field_that_was_changed_since_the_record_is_named() {
        let recorded = SetParameters::tests();
        assert!(differences(&recorded, &recorded).is_empty());
        let mut edited = recorded.clone();
        edited.governance.quorum = Fraction::percent(30);
        edited.rollup.genesis = Some(Timestamp::of(7));
        edited.rollup.minimum_stake = Amount::TOKEN;
        assert_eq!(
            differences(&recorded, &edited),
            [
                "governance.quorum: expected \"10 %\" as recorded, found \"30 %\"",
                "rollup.genesis: expected nothing as recorded, found 7",
                "rollup.minimum_stake: expected \"100\" as recorded, found \"1\"",
            ]
        );
    }
}
