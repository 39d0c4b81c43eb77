//! The people of the upgrade, their keystores, and the sequencers' signing keys.

use std::fs;

use canon_testkit::TestFolder;
use eyre::{Result, ensure, eyre};
use serde_json::Value;

use super::programs::Cast;

/// The number of signing keys in the sequencer set.
pub(super) const IDENTITIES: usize = 8;

/// The number of addresses that aren't registered at first.
const SPARE: usize = 3;

/// An account, and the flags that tell canon and cast where its key is.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) address: String,
    pub(super) flags: Vec<String>,
}

/// A sequencer's keys. The attester's own is never used.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) attester: String,
    pub(super) proposer: Person,
}

/// Everybody who takes part.
#[derive(Debug)]
pub(super) struct People {
    /// Deploys, and gets the initial supply.
    pub(super) team: Person,
    /// Stakes for the sequencers.
    pub(super) operator: Person,
    pub(super) holder: Person,
    /// A holder without ether, who only signs.
    pub(super) cold: Person,
    /// The team's key with a wrong password.
    pub(super) forgetful: Person,
    pub(super) identities: Vec<Identity>,
    /// Addresses of attesters and proposers that aren't registered at first.
    pub(super) spare: Vec<String>,
}

impl People {
    /// Makes the keystores of three people in `HOME`, and a mnemonic file for the signing keys.
    pub(super) async fn new(cast: &Cast, folder: &TestFolder) -> Result<Self> {
        let keystores = folder.file(".foundry/keystores");
        fs::create_dir_all(&keystores)?;
        let keystores = keystores.display().to_string();
        let mut people = Vec::new();
        for name in ["team", "operator", "holder", "cold"] {
            let password = format!("password of {name}");
            let made = cast
                .json(&["wallet", "new", &keystores, name, "--unsafe-password", &password])
                .await?;
            let address = made[0]["address"].as_str();
            let address = address.ok_or_else(|| eyre!("cast made no keystore: {made}"))?.to_owned();
            let password = private(folder, &format!("{name}.password"), &password)?;
            let flags = ["--account", name, "--password-file", &password].map(str::to_owned);
            people.push(Person { address, flags: flags.into() });
        }
        let [team, operator, holder, cold] = &people[..] else { unreachable!("four were made") };
        let mut forgetful = team.clone();
        if let Some(file) = forgetful.flags.last_mut() {
            *file = private(folder, "wrong.password", "another password")?;
        }

        let count = (2 * IDENTITIES + SPARE).to_string();
        let made = cast.json(&["wallet", "new-mnemonic", "--accounts", &count]).await?;
        let phrase = made["mnemonic"].as_str().unwrap_or_default();
        let file = private(folder, "sequencers.mnemonic", phrase)?;
        let accounts = made["accounts"].as_array().into_iter().flatten();
        let addresses = accounts.filter_map(|account| account["address"].as_str());
        let mut proposers: Vec<_> = addresses.map(str::to_owned).collect();
        ensure!(proposers.len() == 2 * IDENTITIES + SPARE, "cast derived no accounts");
        let mut attesters = proposers.split_off(IDENTITIES);
        let spare = attesters.split_off(IDENTITIES);
        let identities = attesters.into_iter().zip(proposers).enumerate();
        let identities = identities.map(|(index, (attester, address))| {
            let flags = ["--mnemonic-file", &file, "--mnemonic-index", &index.to_string()];
            let flags = flags.map(str::to_owned).into();
            Identity { attester, proposer: Person { address, flags } }
        });
        Ok(Self {
            team: team.clone(),
            operator: operator.clone(),
            holder: holder.clone(),
            cold: cold.clone(),
            forgetful,
            identities: identities.collect(),
            spare,
        })
    }

    /// The signing keys of the proposer at an address.
    pub(super) fn identity(&self, proposer: &Value) -> Result<&Identity> {
        let found = self.identities.iter().find(|one| *proposer == *one.proposer.address);
        found.ok_or_else(|| eyre!("{proposer} is no proposer of the set"))
    }
}

/// Writes a file that only its owner can read, and returns its path.
fn private(folder: &TestFolder, name: &str, text: &str) -> Result<String> {
    use std::os::unix::fs::PermissionsExt as _;
    let file = folder.write(name, text);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
    Ok(file.display().to_string())
}
