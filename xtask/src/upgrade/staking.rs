//! Sequencers stake, and take their stake elsewhere after the upgrade.

use eyre::{Result, eyre};
use serde_json::{Value, json};

use super::{
    deploy::{Set, list},
    people::{IDENTITIES, People},
    session::{Session, amount_of, number_of, text_of, tokens},
};

const STAKE: u64 = 100;

const STATES: [&str; 4] = ["None", "Validating", "Living", "Exiting"];

const INFO: &str = "getInfo(address)(uint256,address,address,uint8)";

/// The operator stakes for eight signing keys.
pub(super) async fn deposit(s: &mut Session, people: &People, set: &Set) -> Result<()> {
    s.ledger.step("stake")?;
    for identity in &people.identities {
        let (attester, proposer) = (&identity.attester, &identity.proposer.address);
        register(s, people, &set.rollup, attester, proposer, "").await?;
    }
    let first = &people.identities[0];
    let again = format!(
        "stake deposit --attester {} --proposer {} --withdrawer {} {STAKE}",
        first.attester, first.proposer.address, people.operator.address
    );
    s.refuses(&people.operator, &again, 1, "is registered").await?;
    status(s, set, IDENTITIES).await?;
    Ok(())
}

/// The operator stakes for an attester, with an approval before.
async fn register(
    s: &mut Session,
    people: &People,
    rollup: &str,
    attester: &str,
    proposer: &str,
    more: &str,
) -> Result<()> {
    let withdrawer = &people.operator.address;
    let command = format!(
        "stake deposit --attester {attester} --proposer {proposer} --withdrawer {withdrawer} {STAKE}{more}"
    );
    let outcome = s.sends(&people.operator, &command).await?;
    let chain = s.cast.call(rollup, INFO, &[attester]).await?;
    s.same(&outcome, "/transactions/0/changed/amount", &chain[0])?;
    s.same(&outcome, "/transactions/1/changed/amount", &chain[0])?;
    s.ledger.same(
        "attester",
        &outcome["transactions"][1]["changed"]["attester"],
        &attester.into(),
    )?;
    s.ledger.same("withdrawer", &(&**withdrawer).into(), &chain[1])?;
    s.ledger.same("proposer", &proposer.into(), &chain[2])?;
    s.ledger.same("status", &1.into(), &chain[3])
}

/// Compares `stake status` with the rollups, for every attester that it lists.
pub(super) async fn status(s: &mut Session, set: &Set, expected: usize) -> Result<Value> {
    let canonical = s.cast.call(&set.registry, "getRollup()(address)", &[]).await?;
    let mut derived = Vec::new();
    for rollup in [&*set.rollup, canonical.as_str().unwrap_or_default()] {
        // An attester that has no slot is shown with the first epoch in which it can have one: the next one while its
        // seed isn't recorded, or the one after it.
        let present = amount_of(&s.cast.call(rollup, "getCurrentEpoch()(uint256)", &[]).await?)?;
        for epoch in [present + 1, present + 2] {
            let slot = (epoch * u128::from(Set::EPOCH_SLOTS)).to_string();
            let start = "getTimestampForSlot(uint256)(uint256)";
            let start = s.cast.call(rollup, start, &[&slot]).await?;
            derived.extend([epoch, amount_of(&start)?]);
        }
    }
    let document = s.reports("stake status", &derived).await?;
    let attesters = list(&document, "attesters")?;
    s.ledger.same("attesters", &expected.into(), &attesters.len().into())?;
    s.check((&document, "/canonical"), (&set.registry, "getRollup()(address)", &[])).await?;
    for (index, attester) in attesters.iter().enumerate() {
        let at = |name: &str| format!("/attesters/{index}/{name}");
        let (address, rollup) = (text_of(attester, "attester")?, text_of(attester, "rollup")?);
        let chain = s.cast.call(rollup, INFO, &[address]).await?;
        s.same(&document, &at("stake"), &chain[0])?;
        s.same(&document, &at("withdrawer"), &chain[1])?;
        s.same(&document, &at("proposer"), &chain[2])?;
        let status = chain[3].as_u64().and_then(|status| STATES.get(usize::try_from(status).ok()?));
        s.same(&document, &at("status"), &json!(status))?;
        if !attester["exit"].is_null() {
            let exit = s.cast.call(rollup, "getExit(address)(uint256,address)", &[address]).await?;
            s.same(&document, &at("exit/exitable_at"), &exit[0])?;
            s.same(&document, &at("exit/recipient"), &exit[1])?;
        }
        if !attester["moving"].is_null() {
            let moving =
                s.cast.call(rollup, "getMove(address)(address,uint256)", &[address]).await?;
            s.same(&document, &at("moving/new_rollup"), &moving[0])?;
            s.same(&document, &at("moving/ready_at"), &moving[1])?;
        }
    }
    Ok(document)
}

/// Moves to the second slot of the next epoch and records the seed of the one after it.
pub(super) async fn record_seed(s: &mut Session, people: &People, set: &Set) -> Result<u64> {
    let next = set.epoch_at(s.now().await?) + 1;
    s.jump(set.slot_start(next * Set::EPOCH_SLOTS + 1)).await?;
    let outcome = s.sends(&people.operator, "setup-epoch").await?;
    let epoch = next + 1;
    let seed =
        s.cast.call(&set.rollup, "getSeed(uint256)(bool,uint256)", &[&epoch.to_string()]).await?;
    s.ledger.same("seed recorded", &true.into(), &seed[0])?;
    s.same(&outcome, "/transactions/0/changed/epoch", &epoch.into())?;
    s.refuses(&people.operator, "setup-epoch", 4, "recorded").await?;
    Ok(epoch)
}

/// A team that trusts the upgrade stakes in the new rollup before it is canonical.
pub(super) async fn deposit_early(s: &mut Session, people: &People, new: &str) -> Result<()> {
    let more = format!(" --rollup {new}");
    let [attester, proposer] = &people.early;
    register(s, people, new, attester, proposer, &more).await
}

/// One stake moves, one moves under another attester, one leaves, and a coinbase is chosen.
pub(super) async fn leave(s: &mut Session, people: &People, set: &Set, new: &str) -> Result<()> {
    s.ledger.step("move stakes")?;
    let attester = |index: usize| &*people.identities[index].attester;
    let (moving, renamed, leaving) = (attester(0), attester(1), attester(2));
    let (operator, holder) = (&people.operator, &people.holder.address);
    let expected = IDENTITIES + 1;

    let command = format!("stake coinbase {} {holder}", attester(3));
    let outcome = s.sends(operator, &command).await?;
    let coinbase =
        s.cast.call(&set.rollup, "getCoinbase(address)(address)", &[attester(3)]).await?;
    s.same(&outcome, "/transactions/0/changed/coinbase", &coinbase)?;
    for (attester, more) in [(moving, ""), (renamed, &*format!(" --to {new}"))] {
        let outcome = s.sends(operator, &format!("stake move {attester}{more}")).await?;
        let chain =
            s.cast.call(&set.rollup, "getMove(address)(address,uint256)", &[attester]).await?;
        s.same(&outcome, "/transactions/0/changed/to", &chain[0])?;
    }
    s.refuses(operator, &format!("stake finish {moving}"), 4, "can go to").await?;
    let not_withdrawer = format!("stake exit {leaving} --to {holder}");
    s.refuses(&people.holder, &not_withdrawer, 1, "withdrawer").await?;
    let outcome = s.sends(operator, &not_withdrawer).await?;
    s.same(&outcome, "/transactions/0/changed/attester", &leaving.into())?;
    s.refuses(operator, &format!("stake claim {leaving}"), 4, "is due at").await?;
    let document = status(s, set, expected).await?;

    let ready = list(&document, "attesters")?.iter();
    let times = ready.filter_map(|one| number_of(one, "/exit/exitable_at").ok());
    s.jump(times.max().ok_or_else(|| eyre!("no exit is announced"))?).await?;
    let before = amount_of(&s.cast.call(&set.asset, BALANCE, &[holder]).await?)?;
    let outcome = s.sends(operator, &format!("stake claim {leaving}")).await?;
    s.same(&outcome, "/transactions/0/changed/attester", &leaving.into())?;
    let paid = amount_of(&s.cast.call(&set.asset, BALANCE, &[holder]).await?)? - before;
    s.ledger.same("paid to the holder", &tokens(STAKE).into(), &paid.to_string().into())?;
    s.refuses(operator, &format!("stake claim {leaving}"), 1, "was paid to").await?;

    let other = &*people.renamed;
    for (attester, there, more) in
        [(moving, moving, String::new()), (renamed, other, format!(" --as {other}"))]
    {
        let outcome = s.sends(operator, &format!("stake finish {attester}{more}")).await?;
        s.same(&outcome, "/transactions/0/changed/new_attester", &there.into())?;
        let chain = s.cast.call(new, INFO, &[there]).await?;
        s.ledger.same("stake there", &tokens(STAKE).into(), &chain[0])?;
        let chain = s.cast.call(&set.rollup, INFO, &[attester]).await?;
        s.ledger.same("stake here", &0.into(), &chain[0])?;
    }
    status(s, set, expected - 1).await?;
    for (rollup, stakes) in [(&*set.rollup, IDENTITIES - 3), (new, 3)] {
        let count = s.cast.call(rollup, "getActiveAttesterCount()(uint256)", &[]).await?;
        s.ledger.same("attesters of a rollup", &stakes.into(), &count)?;
    }
    Ok(())
}

pub(super) const BALANCE: &str = "balanceOf(address)(uint256)";
