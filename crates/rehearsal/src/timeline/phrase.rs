//! The texts of events. No other module has any.

use super::{
    event::{Side, TimelineEvent, Window},
    who::Who,
};
use canon_protocol::{
    RollupBlock, Seconds, Timestamp,
    text::{Duration, Shortened, Time, Tokens, count, grouped, tokens},
};

use crate::scenario::{Does, End, Reason, Route};

/// The tone of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    /// Waiting, or a line that only explains the one before.
    Quiet,
    /// The subject of the timeline.
    Strong,
    /// A goal reached.
    Good,
    /// A refusal or a failure, whether intended or not.
    Bad,
}

/// An event in words, with lines that explain it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Phrase {
    pub(crate) tone: Tone,
    pub(crate) text: String,
    pub(crate) details: Vec<String>,
}

impl Phrase {
    const fn new(tone: Tone, text: String) -> Self {
        Self { tone, text, details: Vec::new() }
    }

    fn with(self, details: Vec<String>) -> Self {
        Self { details, ..self }
    }
}

/// The text of an event. Times on the same day as `now` have no date.
pub(crate) fn phrase(who: Who, event: &TimelineEvent, now: Timestamp) -> Phrase {
    use Tone::{Bad, Good, Plain, Quiet, Strong};
    let at = |time| ahead(time, now);
    // The ending of a verb with a single subject.
    let s = if who.is_many() { "" } else { "s" };
    let (tone, text) = match event {
        TimelineEvent::SetDeployed { contracts } => {
            let names: Vec<_> = contracts.iter().map(|contract| contract.name).collect();
            let (last, others) = names.split_last().unwrap_or((&"nothing", &[]));
            (Plain, format!("deploys {} and {last}", others.join(", ")))
        }
        TimelineEvent::OwnershipAccepted => {
            let text = "Governance accepts the Registry, the Issuer the Asset; \
                        nobody else owns anything";
            (Plain, text.to_owned())
        }
        TimelineEvent::TokensHandedOut { stakes, holders, rewards } => {
            let (stakes, holders) = (Tokens(*stakes), Tokens(*holders));
            let rewards = Tokens(*rewards);
            let text = format!(
                "hands out tokens: {holders} to holders, {stakes} for stakes, \
                 {rewards} to the RewardDistributor"
            );
            (Plain, text)
        }
        TimelineEvent::Staked { rollup, each, first_slot } => {
            let each = tokens(*each);
            let text = format!(
                "stake {each} each on rollup {rollup}; they draw from slot {first_slot} on"
            );
            (Plain, text)
        }
        TimelineEvent::Locked { total } => {
            (Plain, format!("lock{s} {} in Governance", tokens(*total)))
        }
        TimelineEvent::Quiet { seconds, blocks, seeds, until } => {
            let seconds = Duration(*seconds).rounded();
            let blocks = match blocks {
                1 => "skipped in one block".to_owned(),
                blocks => count(*blocks, "empty block").to_string(),
            };
            let seeds = match seeds {
                0 => String::new(),
                seeds => format!(", {} recorded", count(*seeds, "seed")),
            };
            (Quiet, format!("… {seconds} of quiet ({blocks}{seeds}) until {until} …"))
        }
        TimelineEvent::BlockProposed { rollup, number, slot, reward } => {
            let earned = match reward.is_zero() {
                true => "earns nothing".to_owned(),
                false => format!("earns {}", tokens(*reward)),
            };
            (Plain, format!("block {number} of rollup {rollup} in slot {slot}, {earned}"))
        }
        TimelineEvent::SlotMissed { rollup, slot } => {
            (Quiet, format!("leaves slot {slot} of rollup {rollup} without a block"))
        }
        TimelineEvent::NoProposer { rollup, slot, seeded } => {
            let why = if *seeded { "the epoch's set is empty" } else { "its epoch has no seed" };
            (Quiet, format!("slot {slot} of rollup {rollup} has no proposer: {why}"))
        }
        TimelineEvent::Silent { slot, round, rollup_block } => {
            let text = format!(
                "proposes block {rollup_block} without a signal in slot {slot} (round {round})"
            );
            (Quiet, text)
        }
        TimelineEvent::Agreed { azip, does, by, height } => {
            (Strong, agreed(azip, *does, *by, *height))
        }
        TimelineEvent::RollupDeployed { rollup, address, .. } => {
            (Plain, format!("deploy rollup {rollup} at {}", Shortened(*address)))
        }
        TimelineEvent::RollupForged { rollup, address, stake } => {
            let text = format!(
                "forge rollup {rollup} at {}: the genuine code over storage with a staker of {} \
                 that nobody paid",
                Shortened(*address),
                tokens(*stake)
            );
            (Bad, text)
        }
        TimelineEvent::ForgeryFound { rollup, expected } => {
            let text = format!(
                "finds that rollup {rollup} isn't genuine: with its arguments it would be at {}",
                Shortened(*expected)
            );
            (Good, text)
        }
        TimelineEvent::Squatted { rollup, attesters, each } => {
            let attesters = count(*attesters, "mover");
            let each = tokens(*each);
            let text = format!(
                "registers the attesters of {attesters} on rollup {rollup} as its own, \
                 with {each} each"
            );
            (Bad, text)
        }
        TimelineEvent::Silence { rollup, epochs, until } => {
            let (epochs, until) = (count(*epochs, "epoch"), at(*until));
            let text = format!(
                "nobody calls rollup {rollup} until {until}: {epochs} will have no seed, and so no \
                 proposers"
            );
            (Bad, text)
        }
        TimelineEvent::Overturned { azip, tally, total, rejected } => {
            let cast = tally.cast().unwrap_or_default();
            let turnout = cast.get().saturating_mul(100) / total.get().max(1);
            let (yea, nea) = (Tokens(tally.yea), Tokens(tally.nea));
            let text = format!(
                "{azip} is rejected after all: {yea} for, {nea} against, turnout {turnout} %"
            );
            return Phrase::new(Bad, text).with(vec![because(*rejected).to_owned()]);
        }
        TimelineEvent::ProposalsDeployed { address } => {
            (Plain, format!("deploy a new Proposals at {}", Shortened(*address)))
        }
        TimelineEvent::PayloadDeployed { azip, address, actions } => {
            let text = format!("publish the payload of {azip} at {}:", Shortened(*address));
            return Phrase::new(Plain, text).with(numbered(actions));
        }
        TimelineEvent::Signaled { azip, slot, round, count, needed, rollup_block } => {
            let text = format!(
                "signals {count}/{needed} for {azip} and proposes block {rollup_block} in slot {slot} \
                 (round {round})"
            );
            (Plain, text)
        }
        TimelineEvent::SignaledMore {
            azip,
            from,
            to,
            round,
            signals,
            blocks,
            count: signaled,
            needed,
        } => {
            let (signals, blocks) = (count(*signals, "signal"), count(*blocks, "block"));
            let text = format!(
                "{signals} for {azip} and {blocks} in slots {from} to {to} (round {round}): \
                 {signaled}/{needed}"
            );
            (Plain, text)
        }
        TimelineEvent::QuorumReached { azip, round, pushable_from, pushable_until } => {
            let (from, until) = (at(*pushable_from), at(*pushable_until));
            (Good, format!("{azip} wins round {round}; it can be pushed from {from} to {until}"))
        }
        TimelineEvent::RoundLost { azip, round, count, needed } => {
            (Bad, format!("round {round} is over: {count}/{needed} signals for {azip}, no winner"))
        }
        TimelineEvent::GaveUp { azip, rounds } => {
            (Bad, format!("give {azip} up after {}", count(*rounds, "round")))
        }
        TimelineEvent::Pushed { azip, round, proposal, actions, voting_from } => {
            let (actions, from) = (count(*actions, "action"), at(*voting_from));
            let text = format!(
                "pushes round {round}: {azip} is proposal {proposal} with {actions} frozen; \
                 ballots from {from}"
            );
            (Strong, text)
        }
        TimelineEvent::ProposedWithLock {
            azip,
            proposal,
            amount,
            unlocks_at,
            actions,
            voting_from,
        } => {
            let (amount, unlocks) = (Tokens(*amount), at(*unlocks_at));
            let (actions, from) = (count(*actions, "action"), at(*voting_from));
            let text = format!(
                "gives up power of {amount} until {unlocks}: {azip} is proposal {proposal} \
                 with {actions} frozen; ballots from {from}"
            );
            (Strong, text)
        }
        TimelineEvent::Balloted { azip, side, power } => {
            let side = match side {
                Side::For => "for",
                Side::Against => "against",
                Side::Both => "half for, half against",
            };
            (Plain, format!("vote{s} {side} {azip} with {}", tokens(*power)))
        }
        TimelineEvent::LeaveStarted { total, unlocks_at } => {
            let (total, unlocks) = (Tokens(*total), at(*unlocks_at));
            (Plain, format!("give{s} up power of {total}; the tokens unlock at {unlocks}"))
        }
        TimelineEvent::Withdrawn { total } => {
            (Plain, format!("withdraw{s} {} from Governance", tokens(*total)))
        }
        TimelineEvent::VoteClosed { .. } => return vote_closed(event, now),
        TimelineEvent::MovesAnnounced { rollup, ready_at } => {
            let ready = at(*ready_at);
            (Plain, format!("announce{s} to move to rollup {rollup}; ready at {ready}"))
        }
        TimelineEvent::PayloadShifted { azip, actions } => {
            let text = format!("the payload of {azip} lists other actions now:");
            return Phrase::new(Bad, text).with(numbered(actions));
        }
        TimelineEvent::Refused { tried, refusal } => {
            let reason = refusal.root.as_ref().map(|root| format!("because of {root}"));
            let text = format!("{tried}: refused with {}", refusal.name);
            return Phrase::new(Bad, text).with(reason.into_iter().collect());
        }
        TimelineEvent::RefusedAgain { tried, times } => {
            (Bad, format!("{tried} {}: refused in the same way", count(*times, "more time")))
        }
        TimelineEvent::GateOpened => {
            (Plain, "opens the gate that the payload waits for".to_owned())
        }
        TimelineEvent::Executed { azip, proposal, with_list, effect } => {
            let how = if *with_list { "executes with the frozen list" } else { "executes" };
            (Good, format!("{how} proposal {proposal} ({azip}): {effect}"))
        }
        TimelineEvent::DropStored { azip, proposal } => {
            (Plain, format!("stores that proposal {proposal} ({azip}) is dropped"))
        }
        TimelineEvent::Over { azip, end } => {
            let tone = if *end == End::Executed { Good } else { Bad };
            (tone, format!("{azip} {}", ended(*end)))
        }
        TimelineEvent::SeedRecorded { rollup, epoch } => {
            (Quiet, format!("records the seed of epoch {epoch} of rollup {rollup}"))
        }
        TimelineEvent::Moved { rollup, total, first_slot, renamed } => {
            let total = tokens(*total);
            let text = format!(
                "move{s} {total} of stake to rollup {rollup}; they draw from slot {first_slot} on"
            );
            let renamed = (*renamed > 0).then(|| {
                let renamed = grouped(*renamed);
                format!("{renamed} of them under other attesters, since theirs were taken")
            });
            return Phrase::new(Plain, text).with(renamed.into_iter().collect());
        }
    };
    Phrase::new(tone, text)
}

fn agreed(azip: &str, does: Does, by: Route, height: RollupBlock) -> String {
    let what = match does {
        Does::Upgrade => "a new rollup",
        Does::ReplaceProposals => "a new Proposals contract",
    };
    match by {
        Route::Signals => {
            format!("{azip} is agreed: {what}; signals begin after block {height}")
        }
        Route::Lock => format!("{azip} is agreed: {what}, proposed without signals"),
    }
}

fn vote_closed(event: &TimelineEvent, now: Timestamp) -> Phrase {
    let at = |time| Time(time).beside(now);
    let TimelineEvent::VoteClosed { azip, rejected, tally, total, quorum: _, executable } = event
    else {
        return Phrase::new(Tone::Plain, String::new());
    };
    let cast = tally.cast().unwrap_or_default();
    let turnout = cast.get().saturating_mul(100) / total.get().max(1);
    let (yea, nea) = (Tokens(tally.yea), Tokens(tally.nea));
    let result = if rejected.is_none() { "accepted" } else { "rejected" };
    let text = format!("{azip} is {result}: {yea} for, {nea} against, turnout {turnout} %");
    let tone = if rejected.is_none() { Tone::Good } else { Tone::Bad };
    let detail = match (executable, rejected) {
        (Some(Window { from, until }), _) => {
            Some(format!("it can be executed from {} through {}", ahead(*from, now), at(*until)))
        }
        (None, Some(reason)) => Some(because(*reason).to_owned()),
        (None, None) => None,
    };
    Phrase::new(tone, text).with(detail.into_iter().collect())
}

/// The reason of a lost vote, in words.
pub(crate) const fn because(reason: Reason) -> &'static str {
    match reason {
        Reason::MinimumVotes => "too little is locked",
        Reason::Turnout => "too little was cast",
        Reason::Tie => "a tie",
        Reason::Against => "the votes for it don't exceed those against by enough",
    }
}

/// The end of a proposal, in a word or two.
pub(crate) const fn outcome(end: End) -> &'static str {
    match end {
        End::Executed => "executed",
        End::Rejected => "rejected",
        End::Expired => "expired",
        End::Dropped => "dropped",
        End::NoQuorum => "no round won",
        End::RoundExpired => "round expired",
    }
}

/// The end of a proposal, as a predicate after its name.
const fn ended(end: End) -> &'static str {
    match end {
        End::Executed => "is executed",
        End::Rejected => "is rejected",
        End::Expired => "expires: nobody executed it in time",
        End::Dropped => "is dropped: the Proposals contract that pushed it was replaced",
        End::NoQuorum => "never becomes a proposal: no round was won",
        End::RoundExpired => "never becomes a proposal: its round was not pushed in time",
    }
}

fn numbered(actions: &[String]) -> Vec<String> {
    actions.iter().enumerate().map(|(index, action)| format!("{}. {action}", index + 1)).collect()
}

/// `09:00:12 (in 1 h)`, for a time after `now`.
fn ahead(time: Timestamp, now: Timestamp) -> String {
    let text = Time(time).beside(now);
    match time.since(now) {
        Some(left) if left > Seconds::ZERO => {
            format!("{text} (in {})", Duration(left).to_minutes().rounded())
        }
        _ => text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use canon_protocol::{Round, Slot};

    use super::*;

    #[test]
    fn a_time_to_come_says_in_how_long() {
        let now = Timestamp::of(1_796_115_612);
        for (seconds, text) in [
            (0, "09:00:12"),
            (60, "09:01:12 (in 1 min)"),
            (3_601, "10:00:13 (in 1 h)"),
            (86_400, "12-02 09:00:12 (in 1 d)"),
        ] {
            assert_eq!(ahead(now + Seconds::of(seconds), now), text);
        }
        assert_eq!(ahead(now, now + Seconds::DAY), "12-01 09:00:12");
    }

    #[test]
    fn the_line_of_a_slot_names_all_that_its_gas_paid_for() {
        let (slot, round, rollup_block) = (Slot::of(35), Round::of(3), RollupBlock::of(10));
        let text = |who, event: &TimelineEvent| phrase(who, event, Timestamp::ZERO).text;
        let azip = || "AZIP-42".to_owned();
        let signaled = TimelineEvent::Signaled {
            azip: azip(),
            slot,
            round,
            count: 3,
            needed: 6,
            rollup_block,
        };
        assert_eq!(
            text(Who::Sequencer(6), &signaled),
            "signals 3/6 for AZIP-42 and proposes block 10 in slot 35 (round 3)"
        );
        assert_eq!(
            text(Who::Sequencer(6), &TimelineEvent::Silent { slot, round, rollup_block }),
            "proposes block 10 without a signal in slot 35 (round 3)"
        );
        let group = |signals, blocks| TimelineEvent::SignaledMore {
            azip: azip(),
            from: Slot::of(30),
            to: slot,
            round,
            signals,
            blocks,
            count: 1_100,
            needed: 1_200,
        };
        for (signals, blocks, says) in [
            (1_000, 1_050, "1,000 signals for AZIP-42 and 1,050 blocks"),
            (1, 1, "1 signal for AZIP-42 and 1 block"),
        ] {
            let says = format!("{says} in slots 30 to 35 (round 3): 1100/1200");
            assert_eq!(text(Who::Sequencers(2), &group(signals, blocks)), says);
        }
    }
}
