//! Rules of votes, delays and the lock.

use super::{
    FindingLevel::{Error, Warning},
    Rule,
    RuleSubject::Set,
    SetFacts, WEEKEND, above, above_part, below, below_part, days,
};
use crate::deploy::parameters::GovernanceParameters;
use canon_protocol::{
    Fraction, Seconds,
    text::{Duration, Percent},
    withdrawal_delay,
};

/// The time after which a block of L1 is final, with a margin.
const TIME_TO_FINALITY: Seconds = Seconds::of(15 * 60);

pub(super) static RULES: [Rule; 17] = [
    Rule {
        id: "short-voting-delay",
        level: Error,
        subject: Set,
        broken: |facts| below("voting starts after", votes(facts).voting_delay, WEEKEND),
        why: "whoever is away for a weekend can neither lock tokens nor leave before the vote",
        source: "docs/risks.md: Delays near their minimum",
    },
    Rule {
        id: "unfinal-proposals",
        level: Error,
        subject: Set,
        broken: |facts| below("voting starts after", votes(facts).voting_delay, TIME_TO_FINALITY),
        why: "a proposal's number isn't final when ballots begin, so a ballot may count for another one",
        source: "docs/risks.md: Reorganizations and splits of L1",
    },
    Rule {
        id: "short-vote",
        level: Error,
        subject: Set,
        broken: |facts| below("a vote lasts", votes(facts).voting_duration, WEEKEND),
        why: "a vote is over in a weekend, and depends on few L1 blocks",
        source: "docs/risks.md: Delays near their minimum",
    },
    Rule {
        id: "short-objections",
        level: Error,
        subject: Set,
        broken: |facts| {
            let half = votes(facts).execution_delay.get() / 2;
            let what = "ballots against count after the vote for";
            below(what, Seconds::new(half).unwrap_or(Seconds::MAX), WEEKEND)
        },
        why: "a quorum that is carried in the last second stays unanswered over a weekend; half of the \
              execution delay is for objections",
        source: "docs/risks.md: Late refusals can't be answered",
    },
    Rule {
        id: "short-grace",
        level: Error,
        subject: Set,
        broken: |facts| below("a proposal can be executed for", votes(facts).grace_period, WEEKEND),
        why: "what passed expires over a weekend, or while L1 is full",
        source: "docs/risks.md: Windows are measured in seconds of L1",
    },
    Rule {
        id: "slow-decisions",
        level: Warning,
        subject: Set,
        broken: |facts| {
            let GovernanceParameters { voting_delay, voting_duration, execution_delay, .. } =
                *votes(facts);
            let decision = voting_delay + voting_duration + execution_delay;
            above("a proposal is executed at the earliest after", decision, days(60))
        },
        why: "a repair that is needed at once comes too late, and so does the change of these delays",
        source: "docs/risks.md: Nobody can stop or undo a proposal in an emergency",
    },
    Rule {
        id: "slow-withdrawals",
        level: Warning,
        subject: Set,
        broken: |facts| {
            let delay = withdrawal_delay(&votes(facts).configuration());
            above("a withdrawal takes", delay, days(60))
        },
        why: "few lock tokens that they can't have back for months, and only locked tokens count",
        source: "docs/risks.md: Leaving takes `D` and can't be canceled",
    },
    Rule {
        id: "low-quorum",
        level: Error,
        subject: Set,
        broken: |facts| {
            let (quorum, least) = (votes(facts).quorum, Fraction::percent(10));
            share(quorum < least, "the quorum is", quorum, "at least", least)
        },
        why: "few holders carry a vote that the others miss",
        source: "docs/risks.md: A proposal that passes can do almost anything",
    },
    Rule {
        id: "high-quorum",
        level: Error,
        subject: Set,
        broken: |facts| {
            let (quorum, most) = (votes(facts).quorum, Fraction::percent(50));
            share(quorum > most, "the quorum is", quorum, "at most", most)
        },
        why: "power whose keys are lost, or that stays silent, stops everything",
        source: "docs/risks.md: Quorum and differential near their maximum",
    },
    Rule {
        id: "bare-majority",
        level: Warning,
        subject: Set,
        broken: |facts| {
            let (differential, least) = (votes(facts).vote_differential, Fraction::percent(1));
            share(differential < least, "the differential is", differential, "at least", least)
        },
        why: "a vote that is nearly a tie is decided by the last ballot",
        source: "docs/risks.md: Late refusals can't be answered",
    },
    Rule {
        id: "high-differential",
        level: Error,
        subject: Set,
        broken: |facts| {
            let (differential, most) = (votes(facts).vote_differential, Fraction::percent(50));
            share(differential > most, "the differential is", differential, "at most", most)
        },
        why: "less than a quarter of the power cast is a veto",
        source: "docs/risks.md: Quorum and differential near their maximum",
    },
    Rule {
        id: "low-minimum-votes",
        level: Error,
        subject: Set,
        broken: |facts| {
            let found = votes(facts).minimum_votes.get();
            below_part(facts, "minimum_votes is", found, 100)
        },
        why: "while few tokens are locked, less than a hundredth of the supply decides everything",
        source: "docs/risks.md: A proposal that passes can do almost anything",
    },
    Rule {
        id: "high-minimum-votes",
        level: Warning,
        subject: Set,
        broken: |facts| {
            let found = votes(facts).minimum_votes.get();
            above_part(facts, "minimum_votes is", found, (1, 4))
        },
        why: "tokens that are staked, or not locked, don't count, so no proposal may ever reach it",
        source: "docs/risks.md: Tokens that aren't locked don't count",
    },
    Rule {
        id: "low-lock-amount",
        level: Error,
        subject: Set,
        broken: |facts| below_part(facts, "lock_amount is", votes(facts).lock_amount.get(), 1_000),
        why: "many can afford proposals without signals, each of which asks for the holders' attention",
        source: "docs/risks.md: The lock's amount comes back",
    },
    Rule {
        id: "high-lock-amount",
        level: Error,
        subject: Set,
        broken: |facts| {
            above_part(facts, "lock_amount is", votes(facts).lock_amount.get(), (1, 20))
        },
        why: "few holders or none can raise it, and the lock is the way out when signaling is dead",
        source: "docs/risks.md: A captured or absent set of sequencers",
    },
    Rule {
        id: "short-lock-delay",
        level: Warning,
        subject: Set,
        broken: short_lock_delay,
        why: "it has no effect: a proposal without signals costs no more than leaving",
        source: "docs/risks.md: The lock's amount comes back",
    },
    Rule {
        id: "long-lock-delay",
        level: Warning,
        subject: Set,
        broken: |facts| above("lock_delay is", votes(facts).lock_delay, days(180)),
        why: "nobody gives up tokens for that long, and the lock is the way out when signaling is dead",
        source: "docs/risks.md: A captured or absent set of sequencers",
    },
];

const fn votes<'a>(facts: &SetFacts<'a>) -> &'a GovernanceParameters {
    &facts.parameters.governance
}

fn share(
    is_broken: bool,
    what: &str,
    found: Fraction,
    bound: &str,
    limit: Fraction,
) -> Option<String> {
    let (found, limit) = (Percent::of(found), Percent::of(limit));
    is_broken.then(|| format!("{what} {found}, expected {bound} {limit}"))
}

fn short_lock_delay(facts: &SetFacts<'_>) -> Option<String> {
    let governance = votes(facts);
    let delay = withdrawal_delay(&governance.configuration());
    let (found, withdrawal) = (Duration(governance.lock_delay), Duration(delay));
    (governance.lock_delay <= delay).then(|| {
        format!("lock_delay is {found}, expected more than the {withdrawal} of a withdrawal")
    })
}
