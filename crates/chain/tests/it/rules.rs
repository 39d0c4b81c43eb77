//! The rules for parameters, each tested at its exact boundary.

use canon_chain::deploy::{
    BrokenRule, FindingLevel, Rule, SetFacts, SetParameters, broken_rules, rules,
    rules_broken_by_rollup,
};
use canon_protocol::{Amount, Fraction, Seconds};
use snapbox::{assert_data_eq, str};
use std::collections::BTreeSet;

const MAINNET: u64 = 1;
const SUPPLY: u128 = 10_000_000_000;

fn broken(parameters: &SetParameters, chain_id: u64) -> Vec<BrokenRule> {
    broken_rules(&SetFacts { parameters, initial_holder_has: None }, chain_id)
}

const fn tokens(count: u128) -> Amount {
    Amount::of(count * Amount::TOKEN.get())
}

const fn more(amount: Amount) -> Amount {
    Amount::of(amount.get() + 1)
}

const fn less(amount: Amount) -> Amount {
    Amount::of(amount.get() - 1)
}

const fn days(count: u64) -> u64 {
    count * 86_400
}

/// A change to parameters.
type Change = fn(&mut SetParameters);

/// A rule, a change that keeps it, and the least change that breaks it.
const BOUNDARIES: [(&str, Change, Change); 29] = [
    ("one-early-staker", |p| p.rollup.epoch_slots = 199, |p| p.rollup.epoch_slots = 200),
    (
        "short-epochs",
        |p| (p.rollup.slot_duration, p.rollup.epoch_slots) = (Seconds::of(24), 25),
        |p| (p.rollup.slot_duration, p.rollup.epoch_slots) = (Seconds::of(24), 24),
    ),
    ("rounds-without-winner", |p| short_slots(p, 6, 5, 9), |p| short_slots(p, 4, 5, 9)),
    ("rounds-without-winner", |p| short_slots(p, 5, 2, 5), |p| short_slots(p, 6, 6, 10)),
    // 5 of 9 with 6 s: 54 s, more than 48 s and less than 60 s.
    ("rounds-with-few-blocks", |p| short_slots(p, 6, 4, 9), |p| short_slots(p, 6, 5, 9)),
    ("rounds-with-few-blocks", |p| short_slots(p, 6, 5, 10), |p| short_slots(p, 7, 10, 17)),
    ("slots-below-l1-slot", |p| slot(p, 12), |p| slot(p, 11)),
    ("slots-of-one-l1-block", |p| slot(p, 24), |p| slot(p, 23)),
    ("uneven-slots", |p| slot(p, 72), |p| slot(p, 73)),
    ("short-time-to-push", |p| p.signaling.m = 720, |p| p.signaling.m = 719),
    ("long-rounds", |p| p.signaling.m = 36_000, |p| p.signaling.m = 36_001),
    ("unaccountable-stake", |p| exit_after(p, 1), |p| exit_after(p, 0)),
    (
        "slow-exit",
        |p| p.rollup.exit_delay = Seconds::of(days(180)),
        |p| p.rollup.exit_delay = Seconds::of(days(180) + 1),
    ),
    (
        "cheap-seats",
        |p| (p.signaling.n, p.rollup.minimum_stake) = (1_000, tokens(SUPPLY / 1_000_000)),
        |p| (p.signaling.n, p.rollup.minimum_stake) = (1_000, less(tokens(SUPPLY / 1_000_000))),
    ),
    (
        "dear-seats",
        |p| p.rollup.minimum_stake = tokens(SUPPLY / 200),
        |p| p.rollup.minimum_stake = more(tokens(SUPPLY / 200)),
    ),
    (
        "short-voting-delay",
        |p| p.governance.voting_delay = Seconds::of(days(3)),
        |p| p.governance.voting_delay = Seconds::of(days(3) - 1),
    ),
    (
        "unfinal-proposals",
        |p| p.governance.voting_delay = Seconds::of(900),
        |p| p.governance.voting_delay = Seconds::of(899),
    ),
    (
        "short-vote",
        |p| p.governance.voting_duration = Seconds::of(days(3)),
        |p| p.governance.voting_duration = Seconds::of(days(3) - 1),
    ),
    (
        "short-objections",
        |p| p.governance.execution_delay = Seconds::of(days(6)),
        |p| p.governance.execution_delay = Seconds::of(days(6) - 1),
    ),
    (
        "short-grace",
        |p| p.governance.grace_period = Seconds::of(days(3)),
        |p| p.governance.grace_period = Seconds::of(days(3) - 1),
    ),
    // The sum of a fifth of 5 d, and 59 d.
    ("slow-withdrawals", |p| withdrawal(p, 0), |p| withdrawal(p, 1)),
    (
        "low-quorum",
        |p| p.governance.quorum = Fraction::percent(10),
        |p| p.governance.quorum = Fraction::of(Fraction::percent(10).get() - 1),
    ),
    (
        "high-quorum",
        |p| p.governance.quorum = Fraction::percent(50),
        |p| p.governance.quorum = Fraction::of(Fraction::percent(50).get() + 1),
    ),
    (
        "bare-majority",
        |p| p.governance.vote_differential = Fraction::percent(1),
        |p| p.governance.vote_differential = Fraction::of(Fraction::percent(1).get() - 1),
    ),
    (
        "high-differential",
        |p| p.governance.vote_differential = Fraction::percent(50),
        |p| p.governance.vote_differential = Fraction::of(Fraction::percent(50).get() + 1),
    ),
    (
        "low-minimum-votes",
        |p| p.governance.minimum_votes = tokens(SUPPLY / 100),
        |p| p.governance.minimum_votes = less(tokens(SUPPLY / 100)),
    ),
    (
        "high-minimum-votes",
        |p| p.governance.minimum_votes = tokens(SUPPLY / 4),
        |p| p.governance.minimum_votes = more(tokens(SUPPLY / 4)),
    ),
    (
        "low-lock-amount",
        |p| p.governance.lock_amount = tokens(SUPPLY / 1_000),
        |p| p.governance.lock_amount = less(tokens(SUPPLY / 1_000)),
    ),
    (
        "high-lock-amount",
        |p| p.governance.lock_amount = tokens(SUPPLY / 20),
        |p| p.governance.lock_amount = more(tokens(SUPPLY / 20)),
    ),
];

/// Further boundaries.
const MORE_BOUNDARIES: [(&str, Change, Change); 5] = [
    ("slow-decisions", |p| decision(p, 0), |p| decision(p, 1)),
    ("short-lock-delay", |p| lock_delay(p, 1), |p| lock_delay(p, 0)),
    (
        "long-lock-delay",
        |p| p.governance.lock_delay = Seconds::of(days(180)),
        |p| p.governance.lock_delay = Seconds::of(days(180) + 1),
    ),
    ("large-mint", |p| issue(p, 0), |p| issue(p, 1)),
    (
        "rewards-above-issuance",
        |p| p.asset.block_reward = tokens(50 * 72),
        |p| p.asset.block_reward = more(tokens(50 * 72)),
    ),
];

const fn slot(parameters: &mut SetParameters, seconds: u64) {
    parameters.rollup.slot_duration = Seconds::of(seconds);
}

const fn short_slots(parameters: &mut SetParameters, seconds: u64, n: u32, m: u32) {
    slot(parameters, seconds);
    (parameters.signaling.n, parameters.signaling.m) = (n, m);
}

/// The whole way is 6 rounds of 20 h, 3 d, and three times 7 d.
const fn exit_after(parameters: &mut SetParameters, seconds: u64) {
    let whole_way = 6 * 72_000 + days(3) + 3 * days(7);
    parameters.rollup.exit_delay = Seconds::of(whole_way + seconds);
}

const fn withdrawal(parameters: &mut SetParameters, seconds: u64) {
    parameters.governance.voting_delay = Seconds::of(days(5));
    parameters.governance.voting_duration = Seconds::of(days(52));
    parameters.governance.execution_delay = Seconds::of(days(7) + seconds);
}

const fn decision(parameters: &mut SetParameters, seconds: u64) {
    parameters.governance.voting_delay = Seconds::of(days(30));
    parameters.governance.voting_duration = Seconds::of(days(20));
    parameters.governance.execution_delay = Seconds::of(days(10) + seconds);
}

/// The boundary is a fifth of 3 d, and twice 7 d.
const fn lock_delay(parameters: &mut SetParameters, seconds: u64) {
    parameters.governance.lock_delay = Seconds::of(days(3) / 5 + 2 * days(7) + seconds);
}

/// One token per second is a fifth of the supply per year.
const fn issue(parameters: &mut SetParameters, units: u128) {
    parameters.asset.initial_supply = tokens(5 * 365 * 86_400);
    parameters.asset.issued_per_second = Amount::of(Amount::TOKEN.get() + units);
}

#[test]
fn each_rule_breaks_at_its_boundary_and_not_before() {
    let mut tried = BTreeSet::from(["supply-in-one-hand"]);
    for (rule, keep, break_it) in BOUNDARIES.iter().chain(&MORE_BOUNDARIES) {
        tried.insert(*rule);
        let breaks = |change: &Change| {
            let mut parameters = SetParameters::mainnet_like();
            change(&mut parameters);
            broken(&parameters, MAINNET).into_iter().find(|broken| broken.rule == *rule)
        };
        assert_eq!(breaks(keep), None, "{rule}");
        let found = breaks(break_it).unwrap_or_else(|| panic!("{rule} isn't broken"));
        assert!(found.found.contains("expected"), "{found}");
    }
    let all: BTreeSet<_> = rules().map(|rule| rule.id).collect();
    assert_eq!(tried, all, "every rule has a boundary");
    assert_eq!(rules().count(), all.len(), "names are distinct");
}

#[test]
fn what_each_rule_says() {
    let lines: Vec<_> = rules()
        .map(|Rule { id, level, subject, why, source, .. }| {
            format!("{level}: {subject:?}: {id}: {why} ({source})")
        })
        .collect();
    assert_data_eq!(
        lines.join("\n"),
        str![[r#"
error: Rollup: one-early-staker: whoever alone has staked when a rollup becomes canonical draws every slot for up to three epochs, and can win a round in them (docs/risks.md: One fresh stake can own a new rollup)
error: Rollup: short-epochs: few missed or censored L1 blocks make an epoch without proposers (docs/risks.md: Short epochs)
error: Rollup: rounds-without-winner: each signal needs an L1 block of its own, so only the lock is left (docs/risks.md: Slots shorter than an L1 slot)
error: Rollup: rounds-with-few-blocks: each signal needs an L1 block of its own, and every one of the round's has to carry one (docs/risks.md: Slots shorter than an L1 slot)
error: Rollup: slots-below-l1-slot: many slots have no L1 block, and the proposer of the block before an epoch can know its seed (docs/risks.md: Slots shorter than an L1 slot)
warning: Rollup: slots-of-one-l1-block: one missed L1 block loses the slot (docs/risks.md: Slots shorter than an L1 slot)
warning: Rollup: uneven-slots: slots have different numbers of L1 blocks, so some seats get less time than others (docs/risks.md: Slots shorter than an L1 slot)
warning: Rollup: short-time-to-push: a round that is won on a Friday is lost on Monday if no keeper runs (docs/risks.md: Nobody is paid for the steps that anyone can do)
warning: Rollup: long-rounds: an upgrade that is needed at once waits for a round (docs/risks.md: Slots shorter than an L1 slot)
error: Rollup: unaccountable-stake: whoever is to be slashed leaves before the proposal is executed: stake isn't accountable (docs/risks.md: Slashing is slower than leaving)
warning: Rollup: slow-exit: operators can't leave or change keys in reasonable time (docs/risks.md: `EXIT_DELAY`)
error: Rollup: cheap-seats: the sequencer set belongs to whoever registers most often; the minimum can't be changed later (docs/risks.md: `MINIMUM_STAKE`)
warning: Rollup: dear-seats: the supply is enough for few sequencers, and what is staked has no vote (docs/risks.md: `MINIMUM_STAKE`)
error: Set: short-voting-delay: whoever is away for a weekend can neither lock tokens nor leave before the vote (docs/risks.md: Delays near their minimum)
error: Set: unfinal-proposals: a proposal's number isn't final when ballots begin, so a ballot may count for another one (docs/risks.md: Reorganizations and splits of L1)
error: Set: short-vote: a vote is over in a weekend, and depends on few L1 blocks (docs/risks.md: Delays near their minimum)
error: Set: short-objections: a quorum that is carried in the last second stays unanswered over a weekend; half of the execution delay is for objections (docs/risks.md: Late refusals can't be answered)
error: Set: short-grace: what passed expires over a weekend, or while L1 is full (docs/risks.md: Windows are measured in seconds of L1)
warning: Set: slow-decisions: a repair that is needed at once comes too late, and so does the change of these delays (docs/risks.md: Nobody can stop or undo a proposal in an emergency)
warning: Set: slow-withdrawals: few lock tokens that they can't have back for months, and only locked tokens count (docs/risks.md: Leaving takes `D` and can't be canceled)
error: Set: low-quorum: few holders carry a vote that the others miss (docs/risks.md: A proposal that passes can do almost anything)
error: Set: high-quorum: power whose keys are lost, or that stays silent, stops everything (docs/risks.md: Quorum and differential near their maximum)
warning: Set: bare-majority: a vote that is nearly a tie is decided by the last ballot (docs/risks.md: Late refusals can't be answered)
error: Set: high-differential: less than a quarter of the power cast is a veto (docs/risks.md: Quorum and differential near their maximum)
error: Set: low-minimum-votes: while few tokens are locked, less than a hundredth of the supply decides everything (docs/risks.md: A proposal that passes can do almost anything)
warning: Set: high-minimum-votes: tokens that are staked, or not locked, don't count, so no proposal may ever reach it (docs/risks.md: Tokens that aren't locked don't count)
error: Set: low-lock-amount: many can afford proposals without signals, each of which asks for the holders' attention (docs/risks.md: The lock's amount comes back)
error: Set: high-lock-amount: few holders or none can raise it, and the lock is the way out when signaling is dead (docs/risks.md: A captured or absent set of sequencers)
warning: Set: short-lock-delay: it has no effect: a proposal without signals costs no more than leaving (docs/risks.md: The lock's amount comes back)
warning: Set: long-lock-delay: nobody gives up tokens for that long, and the lock is the way out when signaling is dead (docs/risks.md: A captured or absent set of sequencers)
error: Set: large-mint: after a quiet year one vote makes tokens with which its winners carry the next (docs/risks.md: Minting)
warning: Set: rewards-above-issuance: rewards end when what was sent to the RewardDistributor is paid out (docs/risks.md: Rewards are best effort)
warning: Set: supply-in-one-hand: one account decides every vote, for or against, and one lost key stops everything (docs/risks.md: A proposal that passes can do almost anything)
"#]]
    );
}

#[test]
fn half_of_the_supply_in_one_hand_is_no_majority() {
    let parameters = SetParameters::mainnet_like();
    let breaks = |has: Option<Amount>| {
        let facts = SetFacts { parameters: &parameters, initial_holder_has: has };
        broken_rules(&facts, MAINNET).iter().any(|broken| broken.rule == "supply-in-one-hand")
    };
    let half = tokens(SUPPLY / 2);
    assert!(!breaks(None) && !breaks(Some(half)) && breaks(Some(more(half))));
}

#[test]
fn a_mainnet_like_set_breaks_no_rule() {
    assert_eq!(broken(&SetParameters::mainnet_like(), MAINNET), []);
}

#[test]
fn parameters_at_the_ends_of_their_types_are_judged() {
    let mut parameters = SetParameters::mainnet_like();
    parameters.asset.initial_supply = Amount::ZERO;
    parameters.rollup.slot_duration = Seconds::MAX;
    parameters.rollup.epoch_slots = u64::MAX;
    parameters.rollup.minimum_stake = Amount::MAX;
    parameters.asset.issued_per_second = Amount::MAX;
    (parameters.signaling.n, parameters.signaling.m) = (0, u32::MAX);
    assert!(broken(&parameters, MAINNET).len() > 5);
    (parameters.rollup.slot_duration, parameters.signaling.m) = (Seconds::ZERO, 0);
    assert!(broken(&parameters, MAINNET).len() > 5);
}

#[test]
fn errors_are_warnings_on_development_chains() {
    let parameters = SetParameters::tests();
    let on = |chain| broken(&parameters, chain);
    assert_eq!(on(MAINNET).iter().map(|broken| broken.level).max(), Some(FindingLevel::Error));
    for chain in canon_chain::DEVELOPMENT_CHAINS {
        assert_eq!(on(chain).len(), on(MAINNET).len());
        assert!(on(chain).iter().all(|broken| broken.level == FindingLevel::Warning));
    }
}

#[test]
fn a_further_rollup_is_not_blamed_for_the_set() {
    let parameters = SetParameters::tests();
    let facts = SetFacts { parameters: &parameters, initial_holder_has: None };
    let of_rollup = rules_broken_by_rollup(&facts, MAINNET);
    let names: Vec<_> = of_rollup.iter().map(|broken| broken.rule).collect();
    let expected = [
        "one-early-staker",
        "short-epochs",
        "short-time-to-push",
        "unaccountable-stake",
        "cheap-seats",
    ];
    assert_eq!(names, expected);
}

#[test]
fn what_a_set_for_tests_breaks() {
    let lines: Vec<_> =
        broken(&SetParameters::tests(), MAINNET).iter().map(ToString::to_string).collect();
    assert_data_eq!(
        lines.join("\n"),
        str![[r#"
error: one-early-staker: N is 6, expected more than the 48 slots of three epochs; whoever alone has staked when a rollup becomes canonical draws every slot for up to three epochs, and can win a round in them (docs/risks.md: One fresh stake can own a new rollup)
error: short-epochs: an epoch lasts 6 min 24 s, expected at least 10 min; few missed or censored L1 blocks make an epoch without proposers (docs/risks.md: Short epochs)
warning: short-time-to-push: a won round can be pushed for 20 min, expected at least 3 d; a round that is won on a Friday is lost on Monday if no keeper runs (docs/risks.md: Nobody is paid for the steps that anyone can do)
error: unaccountable-stake: stake that leaves is paid after 1 h, expected more than the 4 h 24 min of a proposal's whole way; whoever is to be slashed leaves before the proposal is executed: stake isn't accountable (docs/risks.md: Slashing is slower than leaving)
error: cheap-seats: the stake of N seats is 600 tokens, expected at least 100,000; the sequencer set belongs to whoever registers most often; the minimum can't be changed later (docs/risks.md: `MINIMUM_STAKE`)
error: short-voting-delay: voting starts after 1 h, expected at least 3 d; whoever is away for a weekend can neither lock tokens nor leave before the vote (docs/risks.md: Delays near their minimum)
error: short-vote: a vote lasts 1 h, expected at least 3 d; a vote is over in a weekend, and depends on few L1 blocks (docs/risks.md: Delays near their minimum)
error: short-objections: ballots against count after the vote for 30 min, expected at least 3 d; a quorum that is carried in the last second stays unanswered over a weekend; half of the execution delay is for objections (docs/risks.md: Late refusals can't be answered)
error: short-grace: a proposal can be executed for 1 h, expected at least 3 d; what passed expires over a weekend, or while L1 is full (docs/risks.md: Windows are measured in seconds of L1)
error: low-minimum-votes: minimum_votes is 1,000 tokens, expected at least 1,000,000; while few tokens are locked, less than a hundredth of the supply decides everything (docs/risks.md: A proposal that passes can do almost anything)
error: low-lock-amount: lock_amount is 1,000 tokens, expected at least 100,000; many can afford proposals without signals, each of which asks for the holders' attention (docs/risks.md: The lock's amount comes back)
warning: short-lock-delay: lock_delay is 1 h, expected more than the 2 h 12 min of a withdrawal; it has no effect: a proposal without signals costs no more than leaving (docs/risks.md: The lock's amount comes back)
error: large-mint: one proposal can mint 31,536,000 tokens, expected at most 20,000,000; after a quiet year one vote makes tokens with which its winners carry the next (docs/risks.md: Minting)
"#]]
    );
}
