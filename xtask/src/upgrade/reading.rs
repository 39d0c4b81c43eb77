//! What `round`, `status` and `forecast` print, beside the contracts.

use eyre::Result;
use serde_json::{Value, json};

use super::{
    deploy::{Set, check_configuration},
    session::{Session, amount_of, number_of},
};

/// Compares the counts of a round with what was signaled.
pub(super) async fn tally(
    s: &mut Session,
    set: &Set,
    payload: &str,
    round: u64,
    slot: u64,
    count: u64,
) -> Result<()> {
    let round = round.to_string();
    let arguments = [&*set.rollup, &round];
    let function = "rounds(address,uint256)(uint256,address,bool)";
    let chain = s.cast.call(&set.proposals, function, &arguments).await?;
    s.ledger.same("last slot", &slot.into(), &chain[0])?;
    s.ledger.same("leader", &payload.into(), &chain[1])?;
    let arguments = [&*set.rollup, &round, payload];
    let function = "yeaCount(address,uint256,address)(uint256)";
    let chain = s.cast.call(&set.proposals, function, &arguments).await?;
    s.ledger.same("signals", &count.into(), &chain)
}

/// Compares `round` with Proposals.
pub(super) async fn check_round(
    s: &mut Session,
    set: &Set,
    payload: &str,
    round: u64,
) -> Result<Value> {
    let document = s.reports("round", &[]).await?;
    let round_text = round.to_string();
    s.same(&document, "/round", &round.into())?;
    s.check((&document, "/round"), (&set.proposals, "getCurrentRound()(uint256)", &[])).await?;
    s.check((&document, "/rollup"), (&set.registry, "getRollup()(address)", &[])).await?;
    s.check((&document, "/needed"), (&set.proposals, "N()(uint256)", &[])).await?;
    let start = number_of(&document, "/first_slot")?.to_string();
    let function = "getTimestampForSlot(uint256)(uint256)";
    s.check((&document, "/start"), (&set.rollup, function, &[&start])).await?;
    let function = "yeaCount(address,uint256,address)(uint256)";
    let arguments = [&*set.rollup, &round_text, payload];
    let chain = s.cast.call(&set.proposals, function, &arguments).await?;
    match document["leader"].is_null() {
        true => s.ledger.same("no signals", &0.into(), &chain)?,
        false => {
            s.same(&document, "/leader/count", &chain)?;
            s.same(&document, "/payloads/0/count", &chain)?;
        }
    }
    Ok(document)
}

/// Compares `status` with Proposals, Governance and the Registry.
pub(super) async fn status(s: &mut Session, set: &Set) -> Result<Value> {
    let rollup = s.cast.call(&set.registry, "getRollup()(address)", &[]).await?;
    let rollup = rollup.as_str().unwrap_or_default();
    let epoch = amount_of(&s.cast.call(rollup, "getCurrentEpoch()(uint256)", &[]).await?)?;
    // The epoch that is shown is that of the next block.
    let document = s.reports("status", &[epoch, epoch + 1]).await?;
    let present = &document["present"];
    let signaling = "currentStatus()(uint256,uint256,address,uint256,uint256)";
    let chain = s.cast.call(&set.proposals, signaling, &[]).await?;
    for (name, place) in [("round", 1), ("first_free_slot", 4)] {
        s.same(present, &format!("/signaling/status/{name}"), &chain[place])?;
    }
    if !present["signaling"]["status"]["leader"].is_null() {
        s.same(present, "/signaling/status/leader/payload", &chain[2])?;
        s.same(present, "/signaling/status/leader/count", &chain[3])?;
    }
    s.check((present, "/addresses/rollup"), (&set.registry, "getRollup()(address)", &[])).await?;
    let now = number_of(present, "/block/timestamp")?.to_string();
    let total = "totalPowerAt(uint256)(uint256)";
    s.check((present, "/governance/total_power"), (&set.governance, total, &[&now])).await?;
    let count = s.cast.call(&set.governance, "proposalCount()(uint256)", &[]).await?;
    let found = present["governance"]["proposals"].as_array().map(Vec::len);
    s.ledger.same("proposals", &json!(found), &count)?;
    let count = "withdrawalCount()(uint256)";
    s.check((present, "/governance/withdrawal_count"), (&set.governance, count, &[])).await?;
    Ok(document)
}

/// Compares the state that `forecast` starts from with the rollup and Proposals.
pub(super) async fn forecast(
    s: &mut Session,
    set: &Set,
    payload: &str,
    signals: u64,
) -> Result<()> {
    let document = s.reads(None, &format!("forecast --payload {payload} --json")).await?;
    let chain = &document["chain"];
    s.check((chain, "/epoch"), (&set.rollup, "getCurrentEpoch()(uint256)", &[])).await?;
    let epoch = chain["epoch"].as_str().unwrap_or_default();
    s.check((chain, "/seats"), (&set.rollup, "getSetSize(uint256)(uint256)", &[epoch])).await?;
    s.same(chain, "/payload/signals", &signals.into())?;
    check_configuration(s, &document, "/configuration", &set.governance).await
}
