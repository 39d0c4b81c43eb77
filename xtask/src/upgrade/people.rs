//! The people of the upgrade, their keystores, and the sequencers' signing keys.

use std::fs;

use canon_testkit::TestFolder;
use eyre::{Result, eyre};
use serde_json::Value;

use super::programs::Cast;

/// The number of signing keys in the sequencer set.
pub(super) const IDENTITIES: usize = 8;

/// The folder of Foundry's keystores in `HOME`.
const KEYSTORES: &str = ".foundry/keystores";

/// An account, and the flags that tell canon and cast where its key is.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) address: String,
    pub(super) flags: Vec<String>,
}

impl Person {
    /// The flags that say who it is, without the paths of files.
    pub(super) fn shown(&self) -> String {
        let pairs = self.flags.chunks(2).filter(|pair| !pair[0].ends_with("-file"));
        pairs.map(|pair| format!(" {}", pair.join(" "))).collect()
    }
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
    /// The team with a wrong password.
    pub(super) forgetful: Person,
    pub(super) identities: Vec<Identity>,
    /// Attester and proposer that register in the new rollup at once.
    pub(super) early: [String; 2],
    /// The attester under which a stake moves.
    pub(super) renamed: String,
    /// An address at which the holder wants its tokens.
    pub(super) vault: String,
}

impl People {
    /// Makes a keystore for each person in `HOME`, and a mnemonic file with the signing keys.
    pub(super) async fn new(cast: &Cast, folder: &TestFolder) -> Result<Self> {
        fs::create_dir_all(folder.file(KEYSTORES))?;
        let team = person(cast, folder, "team").await?;
        let mut forgetful = team.clone();
        if let Some(file) = forgetful.flags.last_mut() {
            *file = private(folder, "wrong.password", "another password")?;
        }
        let count = (2 * IDENTITIES + 4).to_string();
        let made = cast.json(&["wallet", "new-mnemonic", "--accounts", &count]).await?;
        let phrase = made["mnemonic"].as_str().unwrap_or_default();
        let file = private(folder, "sequencers.mnemonic", phrase)?;
        let address = |index: usize| {
            let address = made["accounts"][index]["address"].as_str();
            address.map(str::to_owned).ok_or_else(|| eyre!("cast derived no account {index}"))
        };
        let identities = (0..IDENTITIES).map(|index| {
            let flags = ["--mnemonic-file", &file, "--mnemonic-index", &index.to_string()];
            let flags = flags.map(str::to_owned).into();
            let proposer = Person { address: address(index)?, flags };
            Ok(Identity { attester: address(IDENTITIES + index)?, proposer })
        });
        let others = 2 * IDENTITIES;
        Ok(Self {
            team,
            operator: person(cast, folder, "operator").await?,
            holder: person(cast, folder, "holder").await?,
            cold: person(cast, folder, "cold").await?,
            forgetful,
            identities: identities.collect::<Result<_>>()?,
            early: [address(others)?, address(others + 1)?],
            renamed: address(others + 2)?,
            vault: address(others + 3)?,
        })
    }

    /// The signing keys of the proposer at an address.
    pub(super) fn identity(&self, proposer: &Value) -> Result<&Identity> {
        let found = self.identities.iter().find(|one| *proposer == *one.proposer.address);
        found.ok_or_else(|| eyre!("{proposer} is no proposer of the set"))
    }
}

/// Makes a keystore, which canon and cast find by its name.
async fn person(cast: &Cast, folder: &TestFolder, name: &str) -> Result<Person> {
    let keystores = folder.file(KEYSTORES).display().to_string();
    let password = format!("password of {name}");
    let command = ["wallet", "new", &keystores, name, "--unsafe-password", &password];
    let made = cast.json(&command).await?;
    let address = made[0]["address"].as_str().map(str::to_owned);
    let address = address.ok_or_else(|| eyre!("cast made no keystore {name}: {made}"))?;
    let password = private(folder, &format!("{name}.password"), &password)?;
    let flags = ["--account", name, "--password-file", &password].map(str::to_owned);
    Ok(Person { address, flags: flags.into() })
}

/// Writes a file that only its owner can read, and returns its path.
fn private(folder: &TestFolder, name: &str, text: &str) -> Result<String> {
    use std::os::unix::fs::PermissionsExt as _;
    let file = folder.write(name, text);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
    Ok(file.display().to_string())
}
