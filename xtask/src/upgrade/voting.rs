//! Holders vote on the proposal, and it is executed.

use eyre::{Result, ensure};
use serde_json::Value;

use super::{
    deploy::{Set, check_configuration, finalize, list},
    locking::{self, SAFE},
    payload::Upgrade,
    people::People,
    reading,
    session::{Session, amount_of, number_of, text_of, tokens},
    signaling::verify,
};

const STATES: [&str; 8] =
    ["Pending", "Active", "Queued", "Executable", "Rejected", "Executed", "Dropped", "Expired"];

const PROPOSAL: &str = "getProposal(uint256)((((uint256,uint256),uint256,uint256,uint256,uint256,uint256,uint256,uint256),uint8,address,address,uint256,(uint256,uint256)))";

/// The ballots, in tokens: for it by the holder, with a signature and by the Safe; against it while voting
/// lasts, and afterwards.
const FOR: [u64; 3] = [4_000_000, 600_000, 1_500_000];
const AGAINST: [u64; 2] = [1_000_000, 500_000];

/// Votes in three ways, and objects after the vote.
pub(super) async fn vote(s: &mut Session, people: &People, set: &Set) -> Result<()> {
    s.ledger.step("vote")?;
    let (holder, team, cold) = (&people.holder, &people.team, &people.cold);
    let document = check_proposal(s, set, "Pending").await?;
    check_configuration(s, &document, "/configuration", &set.governance).await?;
    s.refuses(holder, "vote 0 for", 4, "voting on proposal 0 starts at").await?;
    finalize(s).await?;
    let created = number_of(&document, "/creation")?;
    let (voting, objections) = (created + Set::HOUR + 1, created + 2 * Set::HOUR + 1);
    s.jump(voting).await?;
    check_proposal(s, set, "Active").await?;
    dates(s, voting + Set::HOUR).await?;

    let hash = text_of(&document, "actions_hash")?;
    let other = "0x1111111111111111111111111111111111111111111111111111111111111111";
    s.refuses(holder, &format!("vote 0 for --actions-hash {other}"), 1, "does something else")
        .await?;
    s.refuses(team, "vote 0 against --amount 2500000.5", 1, "expected at most 2,500,000").await?;
    let outcome = s.sends(holder, &format!("vote 0 for --actions-hash {hash}")).await?;
    cast(s, set, &holder.address, Some((&outcome, "Yea", FOR[0])), [FOR[0], 0]).await?;

    let command = format!("vote 0 for --amount {} --sign --yes", FOR[1]);
    let ballot = s.reads(Some(cold), &command).await?;
    s.same(&ballot, "/message/voter", &(&*cold.address).into())?;
    s.same(&ballot, "/message/amount", &amount(FOR[1]))?;
    let function = "ballotNonce(uint256,address)(uint256)";
    let arguments = ["0", &*cold.address];
    s.check((&ballot, "/message/nonce"), (&set.governance, function, &arguments)).await?;
    let hash = s.cast.call(&set.governance, "actionsHash(uint256)(bytes32)", &["0"]).await?;
    s.same(&ballot, "/message/actionsHash", &hash)?;
    s.canon.folder.write("ballot.json", ballot.to_string());
    verify(s, &cold.address, "ballot.json", &ballot).await?;
    let ether = s.cast.text(&["balance", &cold.address]).await?;
    s.ledger.same("ether of the signer", &0.into(), &ether.into())?;
    let submit = "vote 0 --signature ballot.json";
    let outcome = s.sends(&people.operator, submit).await?;
    cast(s, set, &cold.address, Some((&outcome, "Yea", FOR[1])), [FOR[1], 0]).await?;
    s.refuses(&people.operator, submit, 1, "nonce: expected 1, found 0").await?;

    let batch = s.reads(None, &format!("vote 0 for --unsigned safe --from {SAFE}")).await?;
    ensure!(list(&batch, "transactions")?.len() == 1, "expected one ballot: {batch}");
    locking::carry_out(s, &batch).await?;
    cast(s, set, SAFE, None, [FOR[2], 0]).await?;

    let outcome = s.sends(team, &format!("vote 0 against --amount {}", AGAINST[0])).await?;
    cast(s, set, &team.address, Some((&outcome, "Nea", AGAINST[0])), [0, AGAINST[0]]).await?;
    check_proposal(s, set, "Active").await?;
    locking::power(s, set, &team.address).await?;
    reading::status(s, set).await?;

    s.jump(objections).await?;
    check_proposal(s, set, "Queued").await?;
    s.refuses(&people.cold, "vote 0 for", 1, "only ballots against it").await?;
    let outcome = s.sends(team, &format!("vote 0 against --amount {}", AGAINST[1])).await?;
    cast(s, set, &team.address, Some((&outcome, "Nea", AGAINST[1])), [0, AGAINST[0] + AGAINST[1]])
        .await?;
    let document = check_proposal(s, set, "Queued").await?;
    for (side, amounts) in [("yea", &FOR[..]), ("nea", &AGAINST[..])] {
        let total = tokens(amounts.iter().sum());
        s.same(&document, &format!("/tally/{side}"), &total.into())?;
    }
    let ballots = list(&document, "ballots")?;
    for (index, ballot) in ballots.iter().enumerate() {
        let chain = ballots_of(s, set, text_of(ballot, "holder")?).await?;
        s.same(&document, &format!("/ballots/{index}/yea"), &chain[0])?;
        s.same(&document, &format!("/ballots/{index}/nea"), &chain[1])?;
    }
    s.ledger.same("holders that voted", &ballots.len().into(), &4.into())
}

/// Compares what canon says it cast, if it did, and all ballots of the holder on the chain, in tokens for and
/// against.
async fn cast(
    s: &mut Session,
    set: &Set,
    holder: &str,
    outcome: Option<(&Value, &str, u64)>,
    expected: [u64; 2],
) -> Result<()> {
    let chain = ballots_of(s, set, holder).await?;
    s.ledger.same("ballots for", &amount(expected[0]), &chain[0])?;
    s.ledger.same("ballots against", &amount(expected[1]), &chain[1])?;
    let Some((outcome, side, cast)) = outcome else { return Ok(()) };
    s.same(outcome, "/transactions/0/changed/proposal", &0.into())?;
    s.same(outcome, "/transactions/0/changed/support", &side.into())?;
    s.same(outcome, "/transactions/0/changed/amount", &amount(cast))
}

/// Tokens as cast prints their base units.
fn amount(count: u64) -> Value {
    match count {
        0 => 0.into(),
        _ => tokens(count).into(),
    }
}

async fn ballots_of(s: &Session, set: &Set, holder: &str) -> Result<Value> {
    s.cast.call(&set.governance, "ballots(uint256,address)(uint256,uint256)", &["0", holder]).await
}

/// Compares `proposal 0` with Governance.
async fn check_proposal(s: &mut Session, set: &Set, state: &str) -> Result<Value> {
    let chain = s.cast.call(&set.governance, PROPOSAL, &["0"]).await?;
    let derived =
        [boundaries(&chain)?, vec![s.height().await?.into(), s.now().await?.into()]].concat();
    let document = s.reports("proposal 0", &derived).await?;
    let found = s.cast.call(&set.governance, "getProposalState(uint256)(uint8)", &["0"]).await?;
    let found = found.as_u64().and_then(|state| STATES.get(usize::try_from(state).ok()?));
    s.same(&document, "/state", &serde_json::json!(found))?;
    s.ledger.same("state by the calendar", &document["state"], &state.into())?;
    for (pointer, place) in [
        ("/payload", "/2"),
        ("/pushed_by", "/3"),
        ("/creation", "/4"),
        ("/tally/yea", "/5/0"),
        ("/tally/nea", "/5/1"),
        ("/configuration/voting_delay", "/0/1"),
    ] {
        s.same(&document, pointer, &chain.pointer(place).cloned().unwrap_or_default())?;
    }
    let hash = s.cast.call(&set.governance, "actionsHash(uint256)(bytes32)", &["0"]).await?;
    s.same(&document, "/actions_hash", &hash)?;
    Ok(document)
}

/// The first seconds of the periods of a proposal, by its configuration.
fn boundaries(proposal: &Value) -> Result<Vec<u128>> {
    let number = |place| amount_of(proposal.pointer(place).unwrap_or(&Value::Null));
    let [delay, vote, execution, grace] =
        [number("/0/1")?, number("/0/2")?, number("/0/3")?, number("/0/4")?];
    let start = number("/4")? + delay + 1;
    let end = start + vote;
    Ok(vec![start, end, end + execution / 2, end + execution, end + execution + grace])
}

/// Checks that the calendar has the end of the vote at `ends`.
async fn dates(s: &mut Session, ends: u64) -> Result<()> {
    let calendar = s.reads(None, "calendar --json").await?;
    let events = calendar.as_array().into_iter().flatten();
    let end = events.into_iter().find(|event| event["event"]["voting_ends"]["id"] == 0);
    let end = end.map(|event| event["time"].clone()).unwrap_or_default();
    s.ledger.same("end of the vote", &end, &ends.into())
}

/// Executes the proposal when its delay is over.
pub(super) async fn execute(
    s: &mut Session,
    people: &People,
    set: &Set,
    upgrade: &Upgrade,
) -> Result<()> {
    s.ledger.step("execute")?;
    let document = check_proposal(s, set, "Queued").await?;
    s.refuses(&people.operator, "execute", 4, "it can be executed from").await?;
    s.jump(number_of(&document, "/creation")? + 3 * Set::HOUR + 1).await?;
    check_proposal(s, set, "Executable").await?;
    let outcome = s.sends(&people.operator, "execute").await?;
    s.same(&outcome, "/transactions/0/changed/proposal", &0.into())?;
    let rollup = s.cast.call(&set.registry, "getRollup()(address)", &[]).await?;
    s.ledger.same("canonical rollup", &(&*upgrade.rollup).into(), &rollup)?;
    s.refuses(&people.operator, "execute", 4, "no proposal is open").await?;
    s.refuses(&people.operator, "execute 0", 1, "executed already").await?;
    check_proposal(s, set, "Executed").await?;
    let document = reading::status(s, set).await?;
    s.same(&document, "/present/addresses/rollup", &rollup)?;
    s.refuses(&people.operator, &format!("signal {}", upgrade.payload), 1, "can't be executed")
        .await
}
