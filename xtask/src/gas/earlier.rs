//! The earlier system, linked and deployed from its published bytecode.

use std::{
    fs,
    path::{Path, PathBuf},
};

use alloy_primitives::{Address, B256, Bytes, U256, hex, keccak256};
use alloy_sol_types::{SolValue, sol};
use canon_abi::{Governance, Registry, Rollup};
use canon_chain::{Error, RelatedFamily};
use eyre::{Result, WrapErr, ensure, eyre};

use super::{
    chain::Chain,
    set::{self, EPOCH, Effect, M, N, Payload, PayloadKind, SLOT, STAKERS, Set, tokens},
};

/// The version against which the limits were set.
pub(super) const VERSION: &str = "0.67.1";

/// The libraries with which its rollup is linked, with the files that declare them.
const LIBRARIES: [(&str, &str); 2] = [
    ("ExtRollupLib", "src/core/libraries/RollupLibs/ExtRollupLib.sol"),
    ("LeonidasLib", "src/core/libraries/LeonidasLib/LeonidasLib.sol"),
];

sol! {
    interface IEarlierAsset {
        function mint(address to, uint256 amount) external;
    }
    interface IEarlierPayload {
        function NEW_GOVERNANCE_PROPOSER() external view returns (address);
    }
    struct EarlierRollupConfiguration {
        uint256 slotDuration;
        uint256 epochDuration;
        uint256 targetCommitteeSize;
        uint256 proofClaimWindow;
        uint256 minimumStake;
    }
}

/// The published package.
#[derive(Debug)]
pub(super) struct Package {
    folder: PathBuf,
    /// The placeholders for library addresses in bytecode, with the addresses.
    links: Vec<(String, String)>,
}

impl Package {
    pub(super) fn open() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let folder = root.join("contracts/node_modules/@aztec/l1-artifacts");
        let manifest = fs::read_to_string(folder.join("package.json"))
            .wrap_err("the earlier system's npm package isn't there: run `npm ci` in contracts/")?;
        let manifest: serde_json::Value =
            serde_json::from_str(&manifest).wrap_err("its package.json is no JSON")?;
        let version = manifest["version"].as_str().unwrap_or_default();
        ensure!(
            version == VERSION,
            "the earlier system's npm package is {version}, not {VERSION}: run `npm ci` in contracts/"
        );
        Ok(Self { folder: folder.join("dest"), links: Vec::new() })
    }

    /// The creation code of a contract, linked.
    fn bytecode(&self, name: &str) -> Result<Bytes> {
        let file = self.folder.join(format!("{name}Bytecode.js"));
        let script = fs::read_to_string(&file).wrap_err_with(|| {
            format!("{name}Bytecode.js isn't there: run `npm ci` in contracts/")
        })?;
        let mut code = script
            .split_once(&format!("export const {name}Bytecode = \"0x"))
            .and_then(|(_, rest)| rest.split_once('"'))
            .map(|(code, _)| code.to_owned())
            .ok_or_else(|| eyre!("{name}Bytecode.js exports no bytecode"))?;
        for (placeholder, address) in &self.links {
            code = code.replace(placeholder, address);
        }
        let code = hex::decode(code).wrap_err_with(|| format!("{name} can't be linked"))?;
        Ok(code.into())
    }

    fn deploy(&self, chain: &Chain, name: &str, arguments: &[u8]) -> Result<Address> {
        self.deploy_as(chain, &format!("earlier {name}"), name, arguments)
    }

    fn deploy_as(
        &self,
        chain: &Chain,
        label: &str,
        name: &str,
        arguments: &[u8],
    ) -> Result<Address> {
        let code = self.bytecode(name)?;
        chain.deploy(label, [&code, arguments].concat().into())
    }

    /// Deploys the published payload, which replaces Proposals by one that it creates itself.
    pub(super) fn payload(
        &self,
        chain: &Chain,
        label: &str,
        registry: Address,
        governance: Address,
    ) -> Result<Payload> {
        let name = "NewGovernanceProposerPayload";
        let address = self.deploy_as(chain, label, name, &registry.abi_encode())?;
        let appointed = chain.ask(address, &IEarlierPayload::NEW_GOVERNANCE_PROPOSERCall {})?;
        Ok(Payload { address, emitter: governance, effect: Effect::Proposals(appointed) })
    }

    /// Deploys a library, and links contracts that are deployed later with it.
    fn link(&mut self, chain: &Chain, name: &str, file: &str) -> Result<()> {
        let address = self.deploy(chain, name, &[])?;
        // The placeholder of solc: the first 34 digits of the hash of the fully qualified name.
        let hash = hex::encode(keccak256(format!("{file}:{name}")));
        self.links.push((format!("__${}$__", &hash[..34]), hex::encode(address)));
        Ok(())
    }
}

/// Deploys the whole system: canonical rollup, 48 stakers, payloads.
pub(super) fn deploy(chain: &Chain) -> Result<Set> {
    let name = "earlier";
    let mut package = Package::open()?;
    for (library, file) in LIBRARIES {
        package.link(chain, library, file)?;
    }
    let treasury = chain.account("earlier treasury")?;
    let owner = treasury.address();

    let asset = ("Earlier".to_owned(), "EARLY".to_owned(), owner).abi_encode_params();
    let asset = package.deploy(chain, "TestERC20", &asset)?;
    chain.send(
        &treasury,
        asset,
        &IEarlierAsset::mintCall { to: owner, amount: tokens(10_000_000) },
    )?;
    let registry = package.deploy(chain, "Registry", &owner.abi_encode())?;
    let proposals = (registry, U256::from(N), U256::from(M)).abi_encode();
    let proposals = package.deploy(chain, "GovernanceProposer", &proposals)?;
    let governance = package.deploy(chain, "Governance", &(asset, proposals).abi_encode())?;
    let portal = (registry, asset, B256::repeat_byte(1)).abi_encode();
    let portal = package.deploy(chain, "FeeJuicePortal", &portal)?;
    let distributor = (asset, registry, owner).abi_encode();
    let distributor = package.deploy(chain, "RewardDistributor", &distributor)?;
    let rollup = EarlierRollupConfiguration {
        slotDuration: U256::from(SLOT),
        epochDuration: U256::from(EPOCH),
        targetCommitteeSize: U256::from(STAKERS),
        proofClaimWindow: U256::from(13),
        minimumStake: tokens(100),
    };
    let rollup =
        (portal, distributor, asset, B256::ZERO, B256::ZERO, owner, rollup).abi_encode_params();
    let rollup = package.deploy(chain, "Rollup", &rollup)?;

    let upgraded = Registry::InstanceAdded { instance: rollup, version: U256::from(1) };
    chain
        .send(&treasury, registry, &Registry::upgradeCall { rollup })?
        .emitted(registry, &upgraded)?;
    // Its payloads read the owner of the Registry when they list their actions.
    chain.send(&treasury, registry, &Registry::transferOwnershipCall { newOwner: governance })?;
    let read = chain.read_set(registry);
    ensure!(
        matches!(&read, Err(Error::OtherFamily { family: RelatedFamily::Aztec067, .. })),
        "the earlier system isn't recognized: {read:?}"
    );
    let published = |label: &str| package.payload(chain, label, registry, governance);
    let configuration = chain.ask(governance, &Governance::getConfigurationCall {})?;
    let [one, all] = set::changed(&configuration);
    let changing = |label: &str, configuration: &Governance::Configuration| {
        set::changing(chain, &format!("earlier {label}"), governance, configuration)
    };
    Ok(Set {
        name,
        asset,
        rollup,
        proposals,
        governance,
        genesis: chain.ask(rollup, &Rollup::GENESIS_TIMECall {})?.to(),
        stakers: set::stake(chain, name, asset, rollup, &treasury)?,
        treasury,
        other_payload: published("earlier payload 0")?.address,
        payloads: vec![
            (
                PayloadKind::Published,
                [published("earlier payload 1")?, published("earlier payload 2")?],
            ),
            (PayloadKind::ChangingOne, [changing("one 1", &one)?, changing("one 2", &one)?]),
            (PayloadKind::ChangingAll, [changing("all 1", &all)?, changing("all 2", &all)?]),
        ],
        configuration,
        is_ours: false,
    })
}
