//! Sequencers signal for the payload until it is a proposal.

use eyre::{Result, ensure, eyre};
use serde_json::Value;

use super::{
    deploy::{Set, give_ether, list},
    payload::Upgrade,
    people::{Identity, People, Person},
    reading::{self, check_round, tally},
    session::{Session, amount_of, number_of, text_of},
    staking,
};

/// Signals until the payload has its quorum, and pushes it when the round is over.
pub(super) async fn signal(
    s: &mut Session,
    people: &People,
    set: &Set,
    upgrade: &Upgrade,
) -> Result<()> {
    s.ledger.step("signal")?;
    let payload = &upgrade.payload;
    let epoch = staking::record_seed(s, people, set).await?;
    let round = epoch * Set::EPOCH_SLOTS / Set::ROUND_SLOTS;
    let first = round * Set::ROUND_SLOTS;
    s.jump(set.slot_start(first)).await?;
    let document = check_round(s, set, payload, round).await?;
    for (index, slot) in list(&document, "slots")?.iter().enumerate() {
        let time = set.slot_start(number_of(slot, "/slot")?).to_string();
        let at = format!("/slots/{index}/proposer");
        s.check((&document, &at), (&set.rollup, "getProposerAt(uint256)(address)", &[&time]))
            .await?;
    }
    let drawn = list(&document, "slots")?.iter().map(|slot| people.identity(&slot["proposer"]));
    let drawn: Vec<_> = drawn.collect::<Result<_>>()?;

    let proposer = &drawn[0].proposer;
    let other = people.identities.iter().find(|one| one.proposer.address != proposer.address);
    let other = other.ok_or_else(|| eyre!("there is one sequencer only"))?;
    s.refuses(&other.proposer, &format!("signal {payload}"), 4, &proposer.address).await?;
    for (count, (index, way)) in (1..).zip(SIGNALS) {
        let slot = first + u64::try_from(index)?;
        // A proposer that has the slot before as well would signal in it.
        let is_last = index > 0 && drawn[index - 1].attester == drawn[index].attester;
        let way = if is_last && way == Way::Waiting { Way::Direct } else { way };
        signal_in(s, people, (set, payload), drawn[index], slot, way).await?;
        tally(s, set, payload, round, slot, count).await?;
    }

    s.jump(set.slot_start(first + 8)).await?;
    s.refuses(&drawn[8].proposer, &format!("signal {payload}"), 1, "can't help").await?;
    let document = check_round(s, set, payload, round).await?;
    for (index, slot) in list(&document, "slots")?.iter().enumerate() {
        let is_signaled = SIGNALS.iter().any(|(signaled, _)| *signaled == index);
        let state = match index {
            8.. => "to_come",
            _ if is_signaled => "signaled",
            _ => "missed",
        };
        s.ledger.same("fate of a slot", &slot["state"], &state.into())?;
    }
    reading::forecast(s, set, payload, 6).await?;
    reading::status(s, set).await?;
    s.refuses(&people.team, "push", 4, "once it is over").await?;
    s.jump(set.slot_start(first + Set::ROUND_SLOTS)).await?;
    push(s, people, set, upgrade, round).await
}

/// A way to signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Direct,
    /// The command is started before the slot begins.
    Waiting,
    /// The proposer, who may have no ether, signs and the operator submits.
    Signed,
    /// The same, submitted by a command that is started before the slot begins.
    SignedWaiting,
}

/// The slots of the round that bring its six signals, and how. The others are missed.
const SIGNALS: [(usize, Way); 6] = [
    (0, Way::Signed),
    (1, Way::Direct),
    (3, Way::Waiting),
    (4, Way::Signed),
    (5, Way::Direct),
    (7, Way::SignedWaiting),
];

/// Signals in a slot.
async fn signal_in(
    s: &mut Session,
    people: &People,
    (set, payload): (&Set, &str),
    identity: &Identity,
    slot: u64,
    way: Way,
) -> Result<()> {
    let (proposer, start) = (&identity.proposer, set.slot_start(slot));
    let outcome = match way {
        Way::Direct => {
            ether_for(s, proposer).await?;
            s.jump(start).await?;
            s.sends(proposer, &format!("signal {payload}")).await?
        }
        Way::Waiting => {
            ether_for(s, proposer).await?;
            s.jump(start - Set::SLOT).await?;
            s.waits(proposer, &format!("signal {payload}"), start).await?
        }
        Way::Signed => {
            s.jump(start).await?;
            let submit = signed(s, identity, (set, payload), slot).await?;
            s.sends(&people.operator, &submit).await?
        }
        Way::SignedWaiting => {
            s.jump(start - Set::SLOT).await?;
            let submit = signed(s, identity, (set, payload), slot).await?;
            s.waits(&people.operator, &submit, start).await?
        }
    };
    s.same(&outcome, "/transactions/0/changed/slot", &slot.into())?;
    s.same(&outcome, "/transactions/0/changed/payload", &payload.into())
}

/// Signs a signal, and returns the command that submits it.
async fn signed(
    s: &mut Session,
    identity: &Identity,
    (set, payload): (&Set, &str),
    slot: u64,
) -> Result<String> {
    let proposer = &identity.proposer;
    let command = format!("signal {payload} --sign --slot {slot} --yes");
    let signed = s.reads(Some(proposer), &command).await?;
    s.same(&signed, "/domain/verifyingContract", &(&*set.proposals).into())?;
    s.check((&signed, "/message/instance"), (&set.registry, "getRollup()(address)", &[])).await?;
    s.canon.folder.write("signal.json", signed.to_string());
    verify(s, &proposer.address, "signal.json", &signed).await?;
    Ok("signal --signature signal.json".to_owned())
}

/// Checks with cast that typed data was signed by `signer`.
pub(super) async fn verify(
    s: &mut Session,
    signer: &str,
    file: &str,
    signed: &Value,
) -> Result<()> {
    let signature = text_of(signed, "signature")?;
    let file = s.canon.folder.file(file).display().to_string();
    let command =
        ["wallet", "verify", "--data", "--from-file", "--address", signer, &file, signature];
    let said = s.cast.text(&command).await?;
    s.ledger.says("signature of the typed data", &said, "succeeded")
}

/// Gives a proposer ether to signal with, once.
async fn ether_for(s: &Session, proposer: &Person) -> Result<()> {
    match s.cast.text(&["balance", &proposer.address]).await?.as_str() {
        "0" => give_ether(s, &proposer.address, "1ether").await,
        _ => Ok(()),
    }
}

/// Makes the winner a proposal.
async fn push(
    s: &mut Session,
    people: &People,
    set: &Set,
    upgrade: &Upgrade,
    round: u64,
) -> Result<()> {
    s.ledger.step("push")?;
    let pushable = s.reports(&format!("round {round}"), &[]).await?;
    s.ledger.same("outcome", &pushable["outcome"]["kind"], &"pushable".into())?;
    let chain = s.cast.call(&set.proposals, "pushableRounds()(uint256[])", &[]).await?;
    s.same(&pushable, "/round", &chain[0])?;
    let outcome = s.sends(&people.team, "push").await?;
    let text = round.to_string();
    let arguments = [&*set.rollup, &text];
    let function = "proposalOf(address,uint256)(bool,uint256)";
    let chain = s.cast.call(&set.proposals, function, &arguments).await?;
    s.same(&outcome, "/transactions/0/changed/proposal", &chain[1])?;
    s.same(&outcome, "/transactions/0/changed/round", &round.into())?;
    let function = "rounds(address,uint256)(uint256,address,bool)";
    let chain = s.cast.call(&set.proposals, function, &arguments).await?;
    s.ledger.same("pushed", &true.into(), &chain[2])?;
    let hash = s.cast.call(&set.governance, "actionsHash(uint256)(bytes32)", &["0"]).await?;
    s.ledger.same("actions hash", &upgrade.actions_hash, &hash)?;
    s.refuses(&people.team, "push", 4, "no round has a winner").await?;
    s.refuses(&people.team, &format!("push {round}"), 1, "was pushed already").await?;
    let pushed = s.reports(&format!("round {round}"), &[]).await?;
    let proposal = s
        .cast
        .call(&set.proposals, "latestProposalOf(address)(bool,uint256)", &[&upgrade.payload])
        .await?;
    s.same(&pushed, "/outcome/proposal", &proposal[1])?;
    ensure!(amount_of(&proposal[1])? == 0, "expected the first proposal, found {proposal}");
    reading::status(s, set).await?;
    Ok(())
}
