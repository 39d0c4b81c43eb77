//! The conversion of a scenario file to a scenario that can be simulated.

use std::ops::RangeInclusive;

use canon_protocol::{
    Amount, Configuration, Fraction, ProposeConfiguration, RollupParameters, RoundRules, Seconds,
    Timestamp, text,
};
use toml::value::Datetime;

use super::{
    examine::Examiner,
    model::{
        AssetPlan, BallotPlan, BallotTime, ChangedList, Does, End, HolderGroup, KeeperPlan, L1,
        PayloadKind, ProposalPlan, RollupKind, RollupPlan, Route, Scenario, Sequencers,
        SignalingPlan,
    },
    raw::{
        Field, RawAsset, RawGovernance, RawHolders, RawKeeper, RawL1, RawProposal, RawRollup,
        RawScenario, RawSequencers, RawSignaling,
    },
};

/// 2026-12-01T09:00:00Z.
const START: Timestamp = Timestamp::of(1_796_115_600);
/// The largest number of sequencers in a scenario. More would take hours, and no chain has as many.
pub const MAX_SEQUENCERS: u64 = 10_000;
/// The largest number of holders in a scenario. More would take hours as well.
pub const MAX_HOLDERS: u64 = 100_000;

/// The largest number of slots in a round. The longest round in use has 1,000.
const MAX_SLOTS: u64 = 10_000;
/// The default rules of signaling.
const SIX_OF_TEN: RoundRules = match RoundRules::new(6, 10) {
    Ok(rules) => rules,
    Err(_) => unreachable!(),
};

/// The bounds of votingDelay, votingDuration, executionDelay and gracePeriod.
const PHASE: RangeInclusive<Seconds> = Seconds::MINUTE..=Seconds::of(90 * Seconds::DAY.get());
const LOCK_DELAY: RangeInclusive<Seconds> = Seconds::MINUTE..=Seconds::of(365 * Seconds::DAY.get());
/// The largest quorum and differential.
const MAX_VOTE_FRACTION: Fraction = Fraction::percent(90);
/// The bounds of delays that the scenario itself adds.
const WAIT: RangeInclusive<Seconds> = Seconds::ZERO..=Seconds::of(365 * Seconds::DAY.get());

const fn whole_tokens(count: u128) -> Amount {
    Amount::of(count * Amount::TOKEN.get())
}

const fn minutes(count: u64) -> Seconds {
    Seconds::of(count * Seconds::MINUTE.get())
}

pub(super) fn validate(raw: &RawScenario, ex: &mut Examiner<'_>) -> Scenario {
    if raw.title.get_ref().trim().is_empty() {
        ex.expected(&raw.title, "title", "a line that says what happens");
    }
    let l1 = l1(&raw.l1, ex);
    let scenario = Scenario {
        title: raw.title.get_ref().trim().to_owned(),
        seed: ex.whole("seed", &raw.seed, 1, 0..=u64::MAX),
        l1,
        asset: asset(&raw.asset, ex),
        rollup: rollup(&raw.rollup, l1, ex),
        signaling: signaling(&raw.signaling, ex),
        governance: governance(&raw.governance, ex),
        sequencers: sequencers(&raw.sequencers, ex),
        holders: raw.holders.iter().enumerate().map(|(i, raw)| holders(i, raw, ex)).collect(),
        keeper: keeper(&raw.keeper, ex),
        proposals: raw.proposals.iter().enumerate().map(|(i, raw)| proposal(i, raw, ex)).collect(),
    };
    population(raw, &scenario, ex);
    money(raw, &scenario, ex);
    scenario
}

fn l1(raw: &RawL1, ex: &mut Examiner<'_>) -> L1 {
    L1 {
        start: start(&raw.start, ex),
        block_time: ex.seconds(
            "l1.block_time",
            &raw.block_time,
            Seconds::of(12),
            Seconds::SECOND..=Seconds::HOUR,
        ),
        gas_limit: ex.whole(
            "l1.gas_limit",
            &raw.gas_limit,
            60_000_000,
            17_000_000..=1_000_000_000_000,
        ),
    }
}

fn start(raw: &Field<Datetime>, ex: &mut Examiner<'_>) -> Timestamp {
    let Some(value) = raw else { return START };
    text::time::parse(&value.get_ref().to_string()).unwrap_or_else(|error| {
        ex.expected(raw, "l1.start", error.expected());
        START
    })
}

fn asset(raw: &RawAsset, ex: &mut Examiner<'_>) -> AssetPlan {
    let billion = whole_tokens(1_000_000_000);
    AssetPlan {
        supply: ex.tokens("asset.supply", &raw.supply, billion, Amount::TOKEN),
        issuance: ex.tokens("asset.issuance", &raw.issuance, Amount::TOKEN, Amount::ZERO),
        reward_pool: ex.tokens(
            "asset.reward_pool",
            &raw.reward_pool,
            whole_tokens(10_000),
            Amount::ZERO,
        ),
    }
}

fn rollup(raw: &RawRollup, l1: L1, ex: &mut Examiner<'_>) -> RollupPlan {
    let plan = RollupPlan {
        slot: ex.seconds("rollup.slot", &raw.slot, Seconds::of(24), Seconds::SECOND..=Seconds::DAY),
        epoch: ex.whole("rollup.epoch", &raw.epoch, 8, 2..=10_000),
        stake: ex.tokens("rollup.stake", &raw.stake, whole_tokens(100), Amount::of(1)),
        exit_delay: ex.seconds("rollup.exit_delay", &raw.exit_delay, minutes(20), WAIT),
        reward: ex.tokens("rollup.reward", &raw.reward, whole_tokens(5), Amount::ZERO),
        blocks_before: ex.whole("rollup.blocks_before", &raw.blocks_before, 4, 0..=10_000),
        blocks_after: ex.whole("rollup.blocks_after", &raw.blocks_after, 4, 0..=10_000),
    };
    let blocks = plan.slot.get() / l1.block_time.get();
    if !plan.slot.get().is_multiple_of(l1.block_time.get()) || blocks < 2 {
        let block_time = text::Duration(l1.block_time);
        let expected = format!("a multiple of l1.block_time ({block_time}), at least twice that");
        ex.expected(&raw.slot, "rollup.slot", &expected);
    }
    let after_first_slot = plan.slot.checked_mul(plan.epoch - 1).unwrap_or(Seconds::MAX);
    let needed = RollupParameters::MIN_AFTER_FIRST_SLOT;
    if after_first_slot < needed {
        let needed = text::Duration(needed);
        let expected = format!("so many slots that an epoch lasts {needed} after its first slot");
        ex.expected(&raw.epoch, "rollup.epoch", &expected);
    }
    let two_epochs = plan.epoch_length() + plan.epoch_length();
    if plan.exit_delay < two_epochs {
        let expected = format!("at least two epochs ({})", text::Duration(two_epochs));
        match &raw.exit_delay {
            None => {
                let fits =
                    format!("epochs that fit twice into {}", text::Duration(plan.exit_delay));
                ex.expected(&raw.epoch, "rollup.epoch", &fits);
            }
            given => ex.expected(given, "rollup.exit_delay", &expected),
        }
    }
    plan
}

fn signaling(raw: &RawSignaling, ex: &mut Examiner<'_>) -> SignalingPlan {
    let n = ex.whole("signaling.quorum", &raw.quorum, 6, 2..=MAX_SLOTS);
    let m = ex.whole("signaling.round", &raw.round, 10, 2..=MAX_SLOTS);
    let patience = ex.whole("signaling.patience", &raw.patience, 3, 1..=1_000);
    let [n, m] = [n, m].map(|slots| u32::try_from(slots).unwrap_or(u32::MAX));
    let rules = RoundRules::new(n, m).unwrap_or_else(|_| {
        if raw.quorum.is_some() {
            let least = RoundRules::min_n(m);
            let expected = format!("more than half of the round's {m} slots ({least} to {m})");
            ex.expected(&raw.quorum, "signaling.quorum", &expected);
        } else {
            let most = RoundRules::max_m(n);
            let expected = format!("a length of which {n} is more than half ({n} to {most})");
            ex.expected(&raw.round, "signaling.round", &expected);
        }
        SIX_OF_TEN
    });
    let silent = &raw.silent_epochs;
    let silent_epochs = ex.whole("signaling.silent_epochs", silent, 0, 0..=1_000);
    SignalingPlan { rules, patience, silent_epochs }
}

fn governance(raw: &RawGovernance, ex: &mut Examiner<'_>) -> Configuration {
    let hour = Seconds::HOUR;
    let one_part = Fraction::of(1);
    Configuration {
        voting_delay: ex.seconds("governance.voting_delay", &raw.voting_delay, hour, PHASE),
        voting_duration: ex.seconds(
            "governance.voting_duration",
            &raw.voting_duration,
            hour,
            PHASE,
        ),
        execution_delay: ex.seconds(
            "governance.execution_delay",
            &raw.execution_delay,
            hour,
            PHASE,
        ),
        grace_period: ex.seconds("governance.grace_period", &raw.grace_period, hour, PHASE),
        quorum: ex.fraction(
            "governance.quorum",
            &raw.quorum,
            Fraction::percent(10),
            one_part..=MAX_VOTE_FRACTION,
        ),
        vote_differential: ex.fraction(
            "governance.differential",
            &raw.differential,
            Fraction::percent(4),
            Fraction::ZERO..=MAX_VOTE_FRACTION,
        ),
        minimum_votes: ex.tokens(
            "governance.minimum_votes",
            &raw.minimum_votes,
            whole_tokens(1_000),
            Amount::of(1),
        ),
        propose_config: ProposeConfiguration {
            lock_delay: ex.seconds(
                "governance.lock_delay",
                &raw.lock_delay,
                Seconds::DAY,
                LOCK_DELAY,
            ),
            lock_amount: ex.tokens(
                "governance.lock_amount",
                &raw.lock_amount,
                whole_tokens(20_000),
                Amount::of(2),
            ),
        },
    }
}

fn sequencers(raw: &RawSequencers, ex: &mut Examiner<'_>) -> Sequencers {
    let any = 0..=MAX_SEQUENCERS;
    let plan = Sequencers {
        count: ex.whole("sequencers.count", &raw.count, 24, 1..=MAX_SEQUENCERS),
        offline: ex.whole("sequencers.offline", &raw.offline, 0, any.clone()),
        silent: ex.whole("sequencers.silent", &raw.silent, 0, any.clone()),
        stay: ex.whole("sequencers.stay", &raw.stay, 0, any.clone()),
        pioneers: ex.whole("sequencers.pioneers", &raw.pioneers, 0, any.clone()),
        squatted: ex.whole("sequencers.squatted", &raw.squatted, 0, any),
    };
    if plan.offline > plan.count {
        let expected = format!("at most sequencers.count ({})", plan.count);
        ex.expected(&raw.offline, "sequencers.offline", &expected);
        return plan;
    }
    let online = plan.count - plan.offline;
    let expected = format!("at most those online ({online})");
    if plan.silent > online {
        ex.expected(&raw.silent, "sequencers.silent", &expected);
    }
    if plan.stay > online {
        ex.expected(&raw.stay, "sequencers.stay", &expected);
    }
    let moving = online.saturating_sub(plan.stay);
    if plan.squatted > moving {
        let expected = format!("at most those who move ({moving})");
        ex.expected(&raw.squatted, "sequencers.squatted", &expected);
    }
    plan
}

fn holders(position: usize, raw: &RawHolders, ex: &mut Examiner<'_>) -> HolderGroup {
    let field = |name: &str| format!("holders[{position}].{name}");
    let count = Some(raw.count.clone());
    let (least, most) = ex.token_range(&field("tokens"), &raw.tokens);
    let ballot_time = match raw.late.as_ref().is_some_and(|late| *late.get_ref()) {
        true => BallotTime::LastBlock,
        false => BallotTime::FirstBlock,
    };
    if ballot_time == BallotTime::LastBlock
        && !matches!(raw.ballot.get_ref(), BallotPlan::For | BallotPlan::Against)
    {
        let expected = "\"for\" or \"against\", since the ballots are late";
        ex.expected(&raw.ballot, &field("ballot"), expected);
    }
    HolderGroup {
        count: ex.whole(&field("count"), &count, 1, 1..=MAX_HOLDERS),
        least,
        most,
        ballot: *raw.ballot.get_ref(),
        leave: raw.leave.as_ref().is_some_and(|leave| *leave.get_ref()),
        ballot_time,
    }
}

fn keeper(raw: &RawKeeper, ex: &mut Examiner<'_>) -> KeeperPlan {
    KeeperPlan {
        push_delay: ex.seconds("keeper.push_delay", &raw.push_delay, Seconds::ZERO, WAIT),
        execute_delay: ex.seconds("keeper.execute_delay", &raw.execute_delay, Seconds::ZERO, WAIT),
        retry_after: ex.seconds(
            "keeper.retry_after",
            &raw.retry_after,
            minutes(10),
            Seconds::MINUTE..=*WAIT.end(),
        ),
        changed_list: match raw.frozen_list.as_ref().is_none_or(|frozen| *frozen.get_ref()) {
            true => ChangedList::ExecutePublished,
            false => ChangedList::Ignore,
        },
    }
}

fn proposal(position: usize, raw: &RawProposal, ex: &mut Examiner<'_>) -> ProposalPlan {
    let field = |name: &str| format!("proposals[{position}].{name}");
    if raw.azip.get_ref().trim().is_empty() {
        ex.expected(&raw.azip, &field("azip"), "the document's name, such as \"AZIP-42\"");
    }
    let blocks_ahead = ex.whole(&field("blocks_ahead"), &raw.blocks_ahead, 0, 0..=100_000);
    let plan = ProposalPlan {
        azip: raw.azip.get_ref().trim().to_owned(),
        does: *raw.does.get_ref(),
        by: value_or_default(&raw.by),
        payload: value_or_default(&raw.payload),
        rollup: value_or_default(&raw.rollup),
        blocks_ahead,
        gate_opens_after: ex.seconds(
            &field("gate_opens_after"),
            &raw.gate_opens_after,
            minutes(15),
            WAIT,
        ),
        expect: *raw.expect.get_ref(),
        because: raw.because.as_ref().map(|reason| *reason.get_ref()),
        refusals: raw.refusals.iter().map(|name| name.get_ref().clone()).collect(),
    };
    if plan.payload != PayloadKind::Gated && raw.gate_opens_after.is_some() {
        ex.expected(
            &raw.gate_opens_after,
            &field("gate_opens_after"),
            "payload = \"gated\" with it",
        );
    }
    if plan.rollup == RollupKind::Forged && plan.does != Does::Upgrade {
        let expected = format!(
            "\"genuine\", or {} = \"upgrade\", since only an upgrade deploys a rollup",
            field("does")
        );
        ex.expected(&raw.rollup, &field("rollup"), &expected);
    }
    if plan.rollup == RollupKind::Forged && plan.expect == End::Executed {
        let expected = format!(
            "\"genuine\", or another {} than \"executed\", since the payload refuses a forged rollup",
            field("expect")
        );
        ex.expected(&raw.rollup, &field("rollup"), &expected);
    }
    if plan.because.is_some() && plan.expect != End::Rejected {
        ex.expected(&raw.because, &field("because"), "expect = \"rejected\" with it");
    }
    if plan.by == Route::Lock
        && matches!(plan.expect, End::Dropped | End::NoQuorum | End::RoundExpired)
    {
        ex.expected(
            &raw.expect,
            &field("expect"),
            "\"executed\", \"rejected\" or \"expired\", since the lock needs no signals",
        );
    }
    for name in &raw.refusals {
        if !crate::refusal::is_known(name.get_ref()) {
            let expected = "the name of an error of the contracts, such as \
                            \"Governance__ActionFailed\"";
            ex.expected(name, &field("refusals"), expected);
        }
    }
    plan
}

fn value_or_default<T: Copy + Default>(raw: &Field<T>) -> T {
    raw.as_ref().map_or_else(T::default, |value| *value.get_ref())
}

/// Checks the relations between the groups of a scenario.
fn population(raw: &RawScenario, scenario: &Scenario, ex: &mut Examiner<'_>) {
    if scenario.proposals.is_empty() {
        ex.missing("proposals", "at least one [[proposals]]");
    }
    if scenario.holders.is_empty() {
        ex.missing("holders", "at least one [[holders]]");
    }
    let holders = scenario.holder_count();
    if let Some(last) = raw.holders.last().filter(|_| holders > MAX_HOLDERS) {
        let expected = format!("at most {} holders in all", text::grouped(MAX_HOLDERS));
        ex.expected(&last.count, &format!("holders[{}].count", raw.holders.len() - 1), &expected);
    }
    for (position, proposal) in scenario.proposals.iter().enumerate() {
        let same = |other: &&ProposalPlan| other.azip == proposal.azip;
        if scenario.proposals[..position].iter().any(|other| same(&other)) {
            let field = format!("proposals[{position}].azip");
            ex.expected(&raw.proposals[position].azip, &field, "a name that no other proposal has");
        }
    }
    let upgrades = scenario.proposals.iter().any(|proposal| proposal.does == Does::Upgrade);
    if !upgrades && scenario.sequencers.pioneers > 0 {
        let expected = "0, since no proposal brings a new rollup";
        ex.expected(&raw.sequencers.pioneers, "sequencers.pioneers", expected);
    }
    if !upgrades && scenario.sequencers.squatted > 0 {
        let expected = "0, since no proposal brings a new rollup";
        ex.expected(&raw.sequencers.squatted, "sequencers.squatted", expected);
    }
}

/// Checks that the supply is enough.
fn money(raw: &RawScenario, scenario: &Scenario, ex: &mut Examiner<'_>) {
    let supply = scenario.asset.supply;
    let needed = scenario.tokens_needed();
    if needed.is_none_or(|needed| needed > supply) {
        let needed = needed.map_or_else(|| "2^96 tokens".to_owned(), text::tokens);
        let expected = format!("at least {needed} for the stakes, locks and rewards");
        ex.expected(&raw.asset.supply, "asset.supply", &expected);
    } else {
        voting_power(raw, scenario, ex);
    }
    let richest = scenario.holders.iter().map(|group| group.least).max().unwrap_or_default();
    let lock = scenario.governance.propose_config.lock_amount;
    let locked = scenario.proposals.iter().position(|proposal| proposal.by == Route::Lock);
    if let Some(position) = locked.filter(|_| richest < lock) {
        let most = scenario.holders.iter().map(|group| group.most).max().unwrap_or_default();
        let why = if most < lock { "has less" } else { "may be drawn below it" };
        let message = format!(
            "expected a holder with governance.lock_amount ({}), but every holder {why}: \
             raise holders[].tokens to at least that, lower governance.lock_amount to {}, or \
             use by = \"signals\"",
            text::tokens(lock),
            text::tokens(richest),
        );
        let field = format!("proposals[{position}].by");
        ex.problem(&raw.proposals[position].by, &field, message);
    }
}

/// Checks the bounds of a configuration that depend on the supply.
fn voting_power(raw: &RawScenario, scenario: &Scenario, ex: &mut Examiner<'_>) {
    let supply = scenario.asset.supply;
    let part = |share: u128| Amount::of(supply.get() / share);
    if scenario.governance.minimum_votes > part(2) {
        let expected = format!("at most half of asset.supply ({})", text::Tokens(part(2)));
        ex.expected(&raw.governance.minimum_votes, "governance.minimum_votes", &expected);
    }
    if scenario.governance.propose_config.lock_amount > part(10) {
        let expected = format!("at most a tenth of asset.supply ({})", text::Tokens(part(10)));
        ex.expected(&raw.governance.lock_amount, "governance.lock_amount", &expected);
    }
}
