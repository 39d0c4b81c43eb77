//! The set is deployed and audited.

use std::fs;

use eyre::{Result, ensure, eyre};
use serde_json::Value;

use super::{
    people::People,
    session::{BLOCK, Session, text_of, tokens},
};

/// The deterministic deployment proxy, which this anvil lacks at first.
pub(super) const FACTORY: &str = "0x4e59b44847b379578588920cA78FbF26c0B4956C";

const MANIFEST: &str = "deployment.manifest.json";

/// The addresses of the set, and its clock.
#[derive(Clone, Debug)]
pub(super) struct Set {
    pub(super) asset: String,
    pub(super) registry: String,
    pub(super) proposals: String,
    pub(super) governance: String,
    pub(super) rollup: String,
    /// The first second of slot 0.
    pub(super) genesis: u64,
}

impl Set {
    pub(super) const SLOT: u64 = 24;
    /// The slots of an epoch and of a round, which is a part of one epoch.
    pub(super) const EPOCH_SLOTS: u64 = 20;
    pub(super) const ROUND_SLOTS: u64 = 10;
    /// The length of each of the preset's delays, and of the exit delay.
    pub(super) const HOUR: u64 = 3_600;

    pub(super) const fn slot_start(&self, slot: u64) -> u64 {
        self.genesis + slot * Self::SLOT
    }

    pub(super) const fn epoch_at(&self, time: u64) -> u64 {
        (time - self.genesis) / (Self::SLOT * Self::EPOCH_SLOTS)
    }
}

/// Deploys the set as the team.
pub(super) async fn deploy(s: &mut Session, people: &People) -> Result<Set> {
    s.ledger.step("deploy")?;
    write_file(s).await?;
    let deploy = format!("deploy deployment.toml --rpc-url {}", s.cast.url);
    s.refuses(&people.forgetful, &deploy, 2, "password").await?;
    let team = &people.team.address;
    let planned = s.reads(None, &format!("{deploy} --dry-run --json --from {team}")).await?;
    let nothing = Value::from("0x");
    ensure!(s.cast.text(&["code", FACTORY]).await? == "0x", "anvil has the factory already");
    for index in 0..list(&planned, "contracts")?.len() {
        let address = text_of(&planned, &format!("contracts/{index}/address"))?;
        let code = s.cast.text(&["code", address]).await?;
        s.ledger.same("no code yet", &nothing, &code.into())?;
    }

    let said = s.prints(Some(&people.team), &format!("{deploy} --yes")).await?;
    let lines = said.lines().skip_while(|line| !line.starts_with("canon.toml")).skip(1);
    let settings: Vec<_> = lines.take_while(|line| !line.is_empty()).map(str::trim).collect();
    s.canon.folder.write("canon.toml", settings.join("\n"));
    let manifest = manifest(s)?;
    for contract in list(&manifest, "contracts")? {
        s.ledger.says("printed address", &said, text_of(contract, "address")?)?;
    }
    check_manifest(s, people, &manifest, &planned).await?;
    let set = found(&manifest)?;
    check_wiring(s, &set, &manifest, team).await?;

    s.refuses(&people.team, &deploy, 2, "this deployment is finished").await?;

    let config = s.reads(None, "config --json").await?;
    s.ledger.says("registry of canon.toml", &config.to_string(), &set.registry)?;
    let chain_id = s.cast.text(&["chain-id"]).await?;
    s.ledger.says(
        "chain id of canon.toml",
        &settings.join("\n"),
        &format!("chain-id = {chain_id}"),
    )?;
    Ok(set)
}

/// Writes the file with the preset's parameters, but for epochs of two rounds.
pub(super) async fn write_file(s: &mut Session) -> Result<()> {
    let printed = s.prints(None, "deploy --print-config --preset tests").await?;
    s.ledger.says("epoch_slots", &printed, "\nepoch_slots = 16\n")?;
    let adapted = printed.replace("\nepoch_slots = 16\n", "\nepoch_slots = 20\n");
    s.canon.folder.write("deployment.toml", adapted);
    Ok(())
}

/// The set that was deployed, by its manifest.
pub(super) fn deployed(s: &Session) -> Result<Set> {
    found(&manifest(s)?)
}

fn manifest(s: &Session) -> Result<Value> {
    Ok(serde_json::from_str(&fs::read_to_string(s.canon.folder.file(MANIFEST))?)?)
}

/// Compares the manifest with the plan and with the chain's code and receipts.
async fn check_manifest(
    s: &mut Session,
    people: &People,
    manifest: &Value,
    planned: &Value,
) -> Result<()> {
    s.same(manifest, "/deployer", &people.team.address.clone().into())?;
    let contracts = list(manifest, "contracts")?;
    ensure!(contracts.len() == 8, "expected 8 contracts, found {}", contracts.len());
    for index in 0..contracts.len() {
        let at = |name| format!("/contracts/{index}/{name}");
        let address = text_of(manifest, &at("address"))?;
        s.ledger.same(
            "address as planned",
            &planned["contracts"][index]["address"],
            &address.into(),
        )?;
        let hash = s.cast.text(&["codehash", address]).await?;
        s.ledger.same("code_hash", &contracts[index]["code_hash"], &hash.into())?;
        let receipt =
            s.cast.json(&["receipt", text_of(manifest, &at("creation/transaction"))?]).await?;
        s.ledger.same("creation succeeded", &"0x1".into(), &receipt["status"])?;
        let block = s.cast.text(&["to-dec", text_of(&receipt, "blockNumber")?]).await?;
        s.ledger.same("creation.block", &contracts[index]["creation"]["block"], &block.into())?;
    }
    let code = s.cast.text(&["codesize", FACTORY]).await?;
    s.ledger.same("size of the factory's code", &69.into(), &code.into())
}

/// The set of a manifest.
fn found(manifest: &Value) -> Result<Set> {
    let address = |name: &str| {
        let contracts = manifest["contracts"].as_array().into_iter().flatten();
        let mut named = contracts.filter(|contract| contract["contract"] == name);
        let address = named.next().and_then(|contract| contract["address"].as_str());
        address.map(str::to_owned).ok_or_else(|| eyre!("the manifest has no {name}"))
    };
    let genesis = manifest["genesis"].as_u64();
    Ok(Set {
        asset: address("Asset")?,
        registry: address("Registry")?,
        proposals: address("Proposals")?,
        governance: address("Governance")?,
        rollup: address("Rollup")?,
        genesis: genesis.ok_or_else(|| eyre!("the manifest has no genesis"))?,
    })
}

/// Compares who owns what, and the parameters of the file.
async fn check_wiring(s: &mut Session, set: &Set, manifest: &Value, team: &str) -> Result<()> {
    let Set { asset, registry, proposals, governance, rollup, .. } = set;
    let of = |index: usize| format!("/contracts/{index}/address");
    s.check((manifest, &of(7)), (registry, "getRollup()(address)", &[])).await?;
    s.check((manifest, &of(3)), (registry, "owner()(address)", &[])).await?;
    s.check((manifest, &of(4)), (asset, "owner()(address)", &[])).await?;
    s.check((manifest, &of(3)), (rollup, "owner()(address)", &[])).await?;
    s.check((manifest, &of(2)), (governance, "governanceProposer()(address)", &[])).await?;
    s.check((manifest, "/parameters/asset/name"), (asset, "name()(string)", &[])).await?;
    s.check((manifest, "/parameters/signaling/n"), (proposals, "N()(uint256)", &[])).await?;
    s.check((manifest, "/parameters/signaling/m"), (proposals, "M()(uint256)", &[])).await?;
    s.check((manifest, "/genesis"), (rollup, "GENESIS_TIME()(uint256)", &[])).await?;
    for (file, function) in [
        (Set::SLOT, "SLOT_DURATION()(uint256)"),
        (Set::EPOCH_SLOTS, "EPOCH_DURATION()(uint256)"),
        (Set::HOUR, "EXIT_DELAY()(uint256)"),
    ] {
        let chain = s.cast.call(rollup, function, &[]).await?;
        s.ledger.same(function, &file.into(), &chain)?;
    }
    let supply = s.cast.call(asset, "balanceOf(address)(uint256)", &[team]).await?;
    s.ledger.same("initial supply", &tokens(100_000_000).into(), &supply)
}

/// Audits the set with the manifest.
pub(super) async fn audit(s: &mut Session, set: &Set) -> Result<()> {
    s.ledger.step("audit")?;
    let report = s.reads(None, &format!("audit --manifest {MANIFEST} --json")).await?;
    for (index, contract) in list(&report, "contracts")?.iter().enumerate() {
        let address = text_of(contract, "address")?;
        let hash = s.cast.text(&["codehash", address]).await?;
        s.same(&report, &format!("/contracts/{index}/code_hash"), &hash.into())?;
        if !contract["owner"].is_null() {
            let owner = s.cast.call(address, "owner()(address)", &[]).await?;
            s.same(&report, &format!("/contracts/{index}/owner"), &owner)?;
        }
    }
    for (pointer, contract, function) in [
        ("/parameters/n", &set.proposals, "N()(uint256)"),
        ("/parameters/m", &set.proposals, "M()(uint256)"),
        ("/parameters/minimum_stake", &set.rollup, "MINIMUM_STAKE()(uint256)"),
        ("/parameters/exit_delay", &set.rollup, "EXIT_DELAY()(uint256)"),
        ("/parameters/total_supply", &set.asset, "totalSupply()(uint256)"),
        ("/parameters/symbol", &set.asset, "symbol()(string)"),
    ] {
        s.check((&report, pointer), (contract, function, &[])).await?;
    }
    check_configuration(s, &report, "/parameters/configuration", &set.governance).await?;
    let timestamp = s.cast.text(&["block", "latest", "--field", "timestamp"]).await?;
    s.same(&report, "/block/timestamp", &timestamp.into())
}

/// Compares a configuration with Governance's.
pub(super) async fn check_configuration(
    s: &mut Session,
    document: &Value,
    pointer: &str,
    governance: &str,
) -> Result<()> {
    let function = "getConfiguration()(((uint256,uint256),uint256,uint256,uint256,uint256,uint256,uint256,uint256))";
    let chain = s.cast.call(governance, function, &[]).await?;
    for (name, place) in [
        ("propose_config/lock_delay", "/0/0"),
        ("propose_config/lock_amount", "/0/1"),
        ("voting_delay", "/1"),
        ("voting_duration", "/2"),
        ("execution_delay", "/3"),
        ("grace_period", "/4"),
        ("quorum", "/5"),
        ("vote_differential", "/6"),
        ("minimum_votes", "/7"),
    ] {
        let value = chain.pointer(place).cloned().unwrap_or_default();
        s.same(document, &format!("{pointer}/{name}"), &value)?;
    }
    Ok(())
}

/// Sends tokens and ether to those who need them.
pub(super) async fn fund(s: &Session, people: &People, set: &Set, safe: &str) -> Result<()> {
    for (who, amount) in [
        (&*people.operator.address, 10_000),
        (&people.holder.address, 8_000_000),
        (safe, 2_000_000),
    ] {
        let amount = tokens(amount);
        let transfer = [&set.asset, "transfer(address,uint256)", who, &amount];
        let flags = people.team.flags.iter().map(String::as_str);
        s.cast.send(&transfer.into_iter().chain(flags).collect::<Vec<_>>()).await?;
    }
    Ok(())
}

/// Sends ether from anvil's own account.
pub(super) async fn give_ether(s: &Session, who: &str, amount: &str) -> Result<()> {
    let accounts = s.rpc("eth_accounts", Value::Array(Vec::new())).await?;
    let from = text_of(&accounts, "0")?;
    s.cast.send(&["--unlocked", "--from", from, "--value", amount, who]).await
}

/// A list in a document.
pub(super) fn list<'a>(document: &'a Value, name: &str) -> Result<&'a [Value]> {
    let list = document[name].as_array().filter(|list| !list.is_empty());
    list.map(Vec::as_slice).ok_or_else(|| eyre!("no list {name} in {document}"))
}

/// Mines blocks until no reorganization that canon allows for replaces the newest one.
pub(super) async fn finalize(s: &Session) -> Result<()> {
    let _: Value = s.rpc("anvil_mine", serde_json::json!([canon_chain::FINALITY, BLOCK])).await?;
    Ok(())
}
