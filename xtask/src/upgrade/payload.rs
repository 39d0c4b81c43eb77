//! The new rollup, and the payload that makes it canonical.

use eyre::Result;
use serde_json::Value;

use super::{
    deploy::{FACTORY, list},
    people::People,
    session::{Session, text_of},
};

/// The rollup that is to become canonical, and the payload that makes it so.
#[derive(Clone, Debug)]
pub(super) struct Upgrade {
    pub(super) rollup: String,
    pub(super) payload: String,
    pub(super) actions_hash: Value,
}

const URI: &str = "https://azip.example/7";

/// Deploys the rollup and its payload as the team.
pub(super) async fn deploy(s: &mut Session, people: &People) -> Result<Upgrade> {
    s.ledger.step("new rollup and payload")?;
    let printed = s.prints(None, "rollup deploy --print-config").await?;
    s.ledger.says("slots as they are", &printed, "epoch_slots = 20\n")?;
    s.canon.folder.write("rollup.toml", printed);
    let done = s.sends(&people.team, "rollup deploy rollup.toml").await?;
    let rollup = text_of(&done, "rollup")?.to_owned();
    s.check((&done, "/arguments/0/value/registry"), (&rollup, "REGISTRY()(address)", &[])).await?;
    let values = done.pointer("/arguments/0/value").cloned().unwrap_or_default();
    for (name, function) in [
        ("owner", "owner()(address)"),
        ("genesisTime", "GENESIS_TIME()(uint256)"),
        ("slotDuration", "SLOT_DURATION()(uint256)"),
        ("epochDuration", "EPOCH_DURATION()(uint256)"),
        ("minimumStake", "MINIMUM_STAKE()(uint256)"),
        ("exitDelay", "EXIT_DELAY()(uint256)"),
        ("asset", "ASSET()(address)"),
    ] {
        s.check((&values, &format!("/{name}")), (&rollup, function, &[])).await?;
    }
    let (salt, hash) = (text_of(&done, "salt")?, text_of(&done, "init_code_hash")?);
    let create2 = ["create2", "--deployer", FACTORY, "--salt", salt, "--init-code-hash", hash];
    let address = s.cast.text(&create2).await?;
    s.same(&done, "/rollup", &address.into())?;

    let command = format!("payload upgrade {rollup} --uri {URI}");
    let done = s.sends(&people.team, &command).await?;
    let payload = text_of(&done, "payload")?.to_owned();
    s.check((&done, "/uri"), (&payload, "getURI()(string)", &[])).await?;
    let listed = s.cast.text(&["call", &payload, "getActions()"]).await?;
    let hash = s.cast.text(&["keccak", &listed]).await?;
    s.same(&done, "/actions_hash", &hash.into())?;
    let actions = s.cast.call(&payload, "getActions()((address,bytes)[])", &[]).await?;
    for index in 0..list(&done, "actions")?.len() {
        s.same(&done, &format!("/actions/{index}/target"), &actions[index][0])?;
        s.same(&done, &format!("/actions/{index}/data"), &actions[index][1])?;
    }
    Ok(Upgrade { rollup, payload, actions_hash: done["actions_hash"].clone() })
}
