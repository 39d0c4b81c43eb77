//! Holders lock tokens, and take them out again after the upgrade.

use eyre::{Result, ensure};
use serde_json::{Value, json};

use super::{
    deploy::{Set, list},
    people::People,
    session::{Session, amount_of, number_of, text_of, tokens},
    staking::BALANCE,
};

const POWER: &str = "powerAt(address,uint256)(uint256)";

/// The contract that holds power: a Safe, whose transactions are carried out as they are printed.
pub(super) const SAFE: &str = "0x5afe5afE5afE5afE5afE5aFe5aFe5Afe5Afe5AfE";

/// The power that people have after this.
const LOCKED: [u64; 4] = [4_000_000, 2_500_000, 1_000_000, 1_500_000];

/// Power is made by an approval, with a permit, for somebody else, and by a Safe.
pub(super) async fn lock(s: &mut Session, people: &People, set: &Set) -> Result<()> {
    s.ledger.step("lock")?;
    let [holder, team, cold, safe] = LOCKED;
    let nobodys = "0x00000000000000000000000000000000000000C0";
    s.refuses(&people.holder, "lock 9000000", 1, "1,000,000 less than").await?;
    let outcome = s.sends(&people.holder, &format!("lock {holder}")).await?;
    transactions(&outcome, 2)?;
    locked(s, set, &outcome, 1, &people.holder.address).await?;
    let outcome = s.sends(&people.team, &format!("lock {team} --permit")).await?;
    transactions(&outcome, 1)?;
    locked(s, set, &outcome, 0, &people.team.address).await?;
    let for_cold = format!("lock {cold} --for {}", people.cold.address);
    let outcome = s.sends(&people.holder, &for_cold).await?;
    locked(s, set, &outcome, 1, &people.cold.address).await?;

    let batch = s.reads(None, &format!("lock {safe} --unsigned safe --from {SAFE}")).await?;
    ensure!(
        list(&batch, "transactions")?.len() == 2,
        "expected an approval and a deposit: {batch}"
    );
    carry_out(s, &batch).await?;
    let chain = power_of(s, set, SAFE).await?;
    s.ledger.same("power of the Safe", &tokens(safe).into(), &chain)?;
    for who in [&people.holder.address, &people.team.address, &people.cold.address, SAFE, nobodys] {
        power(s, set, who).await?;
    }
    Ok(())
}

fn transactions(outcome: &Value, expected: usize) -> Result<()> {
    let found = list(outcome, "transactions")?.len();
    ensure!(found == expected, "expected {expected} transactions, found {found}: {outcome}");
    Ok(())
}

/// Compares what became power with the power of its holder.
async fn locked(
    s: &mut Session,
    set: &Set,
    outcome: &Value,
    index: usize,
    who: &str,
) -> Result<()> {
    let at = |name: &str| format!("/transactions/{index}/changed/{name}");
    s.same(outcome, &at("holder"), &who.into())?;
    let power = power_of(s, set, who).await?;
    s.same(outcome, &at("amount"), &power)
}

async fn power_of(s: &Session, set: &Set, who: &str) -> Result<Value> {
    let now = s.now().await?.to_string();
    s.cast.call(&set.governance, POWER, &[who, &now]).await
}

/// Carries out what was printed for a Safe, each transaction exactly as it is, and returns their number.
pub(super) async fn carry_out(s: &mut Session, batch: &Value) -> Result<usize> {
    let chain_id = s.cast.text(&["chain-id"]).await?;
    s.same(batch, "/chainId", &chain_id.into())?;
    s.same(batch, "/meta/createdFromSafeAddress", &SAFE.into())?;
    let _: Value = s.rpc("anvil_impersonateAccount", json!([SAFE])).await?;
    let transactions = list(batch, "transactions")?;
    for transaction in transactions {
        let (to, data) = (text_of(transaction, "to")?, text_of(transaction, "data")?);
        let value = text_of(transaction, "value")?;
        s.cast.send(&["--unlocked", "--from", SAFE, "--value", value, to, data]).await?;
    }
    let _: Value = s.rpc("anvil_stopImpersonatingAccount", json!([SAFE])).await?;
    Ok(transactions.len())
}

/// Compares `power` with Governance and the Asset.
pub(super) async fn power(s: &mut Session, set: &Set, who: &str) -> Result<Value> {
    let document = s.reports(&format!("power {who}"), &[]).await?;
    let now = number_of(&document, "/time")?.to_string();
    s.check((&document, "/balance"), (&set.asset, BALANCE, &[who])).await?;
    s.check((&document, "/power"), (&set.governance, POWER, &[who, &now])).await?;
    let total = "totalPowerAt(uint256)(uint256)";
    s.check((&document, "/total_power"), (&set.governance, total, &[&now])).await?;
    for (index, withdrawal) in document["withdrawals"].as_array().into_iter().flatten().enumerate()
    {
        let id = number_of(withdrawal, "/id")?.to_string();
        let chain = withdrawal_of(s, set, &id).await?;
        for (name, place) in [("amount", 0), ("unlocks_at", 1), ("recipient", 2)] {
            s.same(&document, &format!("/withdrawals/{index}/{name}"), &chain[place])?;
        }
        s.ledger.same("not paid", &false.into(), &chain[3])?;
    }
    Ok(document)
}

async fn withdrawal_of(s: &Session, set: &Set, id: &str) -> Result<Value> {
    let function = "getWithdrawal(uint256)((uint256,uint256,address,bool))";
    s.cast.call(&set.governance, function, &[id]).await
}

/// Power is given up, and paid when its delay is over.
pub(super) async fn unlock(s: &mut Session, people: &People, set: &Set) -> Result<()> {
    s.ledger.step("unlock")?;
    let elsewhere = &people.vault;
    s.refuses(&people.team, "unlock 2500000.5", 1, "0.5").await?;
    let mut last = 0;
    for (who, arguments, to) in [
        (&people.team, "unlock 1000000".to_owned(), &people.team.address),
        (&people.holder, format!("unlock all --to {elsewhere}"), elsewhere),
    ] {
        let outcome = s.sends(who, &arguments).await?;
        let changed = |name: &str| format!("/transactions/0/changed/{name}");
        let id = number_of(&outcome, &changed("withdrawal"))?.to_string();
        let chain = withdrawal_of(s, set, &id).await?;
        for (name, place) in [("amount", 0), ("unlocks_at", 1), ("to", 2)] {
            s.same(&outcome, &changed(name), &chain[place])?;
        }
        s.same(&outcome, &changed("to"), &(&**to).into())?;
        last = number_of(&outcome, &changed("unlocks_at"))?;
    }
    s.refuses(&people.team, "withdraw", 4, "can be paid from").await?;
    for who in [&people.team, &people.holder] {
        let document = power(s, set, &who.address).await?;
        s.ledger.same("withdrawals", &list(&document, "withdrawals")?.len().into(), &1.into())?;
    }

    s.jump(last).await?;
    for (who, to, amount) in
        [(&people.team, &people.team.address, 1_000_000), (&people.holder, elsewhere, LOCKED[0])]
    {
        let before = amount_of(&s.cast.call(&set.asset, BALANCE, &[to]).await?)?;
        let outcome = s.sends(who, "withdraw").await?;
        let paid = amount_of(&s.cast.call(&set.asset, BALANCE, &[to]).await?)? - before;
        s.ledger.same("paid", &tokens(amount).into(), &paid.to_string().into())?;
        let id = number_of(&outcome, "/transactions/0/changed/withdrawal")?.to_string();
        let chain = withdrawal_of(s, set, &id).await?;
        s.ledger.same("claimed", &true.into(), &chain[3])?;
        s.refuses(who, "withdraw", 4, "nothing to withdraw now").await?;
        s.refuses(who, &format!("withdraw {id}"), 1, "paid already").await?;
    }
    let document = power(s, set, &people.team.address).await?;
    let locked = s.cast.call(&set.asset, BALANCE, &[&*set.governance]).await?;
    s.same(&document, "/total_power", &locked)
}
