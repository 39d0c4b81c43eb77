//! Differences are found, and shrunk to few steps.

use crate::faults::{Fault, What, created};
use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;
use canon_abi::{Governance, Proposals, Rollup, init_code};
use canon_differential::{Difference, Differs, History, Lockstep, Mismatch};
use canon_protocol::{Constructor, RawRollupParameters};

/// The storage slot of `timeOfLastMint` in the Issuer.
const LAST_MINT: U256 = U256::from_limbs([2, 0, 0, 0]);

/// Replaces the Proposals contract in force by one that requires one more signal.
fn more_signals(lockstep: &Lockstep) {
    let set = lockstep.set();
    let proposals = set.governance().governance_proposer();
    let rules = set.proposals(proposals).unwrap().rules();
    let constructor = Constructor::Proposals {
        registry: set.addresses().registry,
        n: U256::from(rules.n() + 1),
        m: U256::from(rules.m()),
    };
    let code = created(lockstep, init_code(&constructor));
    lockstep.chain().set_code(proposals, code).unwrap();
}

/// Replaces all rollups by rollups whose exit delay is one second longer.
fn longer_exits(lockstep: &Lockstep) {
    for (address, rollup) in lockstep.set().rollups() {
        let mut parameters = RawRollupParameters::from(*rollup.parameters());
        parameters.exit_delay += U256::ONE;
        let code = created(lockstep, init_code(&Constructor::Rollup(parameters)));
        lockstep.chain().set_code(address, code).unwrap();
    }
}

#[test]
fn a_wrong_outcome_is_shown_by_few_steps() {
    let before_step = |lockstep: &Lockstep, index: u64| {
        if index == 0 {
            more_signals(lockstep);
        }
    };
    let history = History { seed: 2, calls: 1000 };
    let difference = history.run_with(before_step).unwrap_err();
    assert!(matches!(difference.mismatch, Mismatch::Outcome { .. }), "{difference}");
    let found = difference.steps.len();
    assert!(found > 20, "it takes a while to show: {found} steps");

    let always = |lockstep: &Lockstep, _: u64| more_signals(lockstep);
    let shrunk = difference.clone().shrink_with(always);
    assert_eq!(difference.shrink_with(always), shrunk, "the same steps every time");
    assert!(matches!(shrunk.mismatch, Mismatch::Outcome { .. }));
    // A payload, seeds, some signals, and the stakers needed for the draws.
    assert!(shrunk.steps.len() <= 10, "{shrunk}");
    let text = shrunk.to_string();
    assert!(text.starts_with("seed 2, 1000 calls: "), "{text}");
    assert!(text.contains("calls Proposals: Proposals(Vote"), "{text}");
    assert!(text.contains("the rules:") && text.contains("the bytecode:"), "{text}");
    assert!(text.ends_with("`cargo xtask differential --seed 2 --calls 1000`"), "{text}");
}

#[test]
fn a_wrong_answer_is_found_when_the_whole_state_is_compared() {
    let history = History { seed: 6, calls: 1500 };
    let before_step = |lockstep: &Lockstep, index: u64| {
        if index == 100 {
            let issuer = lockstep.set().addresses().issuer;
            lockstep.chain().set_storage(issuer, LAST_MINT, U256::from(1));
        }
    };
    let difference = history.run_with(before_step).unwrap_err();
    let Mismatch::View(view) = &difference.mismatch else { panic!("{difference}") };
    assert_eq!(view.function, "timeOfLastMint()");
}

/// The largest number of steps that may be needed to show a fault of one call.
const FEW: usize = 12;

/// The first difference in the histories of 60 seeds, if `before_step` plants a fault.
fn difference(name: &str, before_step: &mut impl FnMut(&Lockstep, u64)) -> Box<Difference> {
    let histories = (0..60).map(|seed| History { seed, calls: 1000 });
    let mut outcomes = histories.map(|history| history.run_with(&mut *before_step));
    outcomes.find_map(Result::err).unwrap_or_else(|| panic!("no history meets {name}"))
}

/// Shrinks the difference that `before_step` causes and checks the result.
fn shrinks(name: &str, mut before_step: impl FnMut(&Lockstep, u64)) -> Difference {
    let difference = difference(name, &mut before_step);
    let (seed, steps) = (difference.history.seed, difference.steps.len());
    let shrunk = difference.clone().shrink_with(&mut before_step);
    let text = format!("{name}, seed {seed}: {shrunk}");
    let replays = shrunk.shrunk.unwrap().replays;
    println!("{name}, seed {seed}: {} of {steps} steps, {replays} replays", shrunk.steps.len());
    assert!(shrunk.steps.len() <= FEW, "{text}");
    assert!(replays <= 1000, "{text}");
    assert!(shrunk.mismatch.is_like(&difference.mismatch), "{}\n{text}", difference.mismatch);
    assert_eq!(shrunk.replay_with(&mut before_step).as_ref(), Some(&shrunk.mismatch), "{text}");
    assert_eq!(shrunk.replay(), None, "without the fault: {text}");
    // No step can be left out.
    for left_out in 0..shrunk.steps.len() {
        let mut fewer = shrunk.clone();
        fewer.steps.remove(left_out);
        let shown = fewer.replay_with(&mut before_step);
        let alike = shown.is_some_and(|shown| shown.is_like(&shrunk.mismatch));
        assert!(!alike, "without step {left_out}: {text}");
    }
    shrunk
}

/// The contracts in which faults are planted.
fn governance(lockstep: &Lockstep) -> Vec<Address> {
    vec![lockstep.set().addresses().governance]
}

fn proposals(lockstep: &Lockstep) -> Vec<Address> {
    lockstep.set().all_proposals().map(|(address, _)| address).collect()
}

fn rollups(lockstep: &Lockstep) -> Vec<Address> {
    lockstep.set().rollups().map(|(address, _)| address).collect()
}

#[test]
fn a_fault_of_one_call_is_shown_by_few_steps() {
    use What::{OneMore, ReturnsZero};
    type Place = fn(&Lockstep) -> Vec<Address>;
    let later = 3..=u64::MAX;
    let faults: [(&str, Place, Fault); 10] = [
        (
            "a ballot against counts one more",
            governance,
            Fault::new(Governance::voteCall::SELECTOR, OneMore(1)).only(2, 0..=0),
        ),
        (
            "a ballot on the fourth proposal",
            governance,
            Fault::new(Governance::voteCall::SELECTOR, ReturnsZero).only(0, later.clone()),
        ),
        (
            "a signed ballot on the fourth proposal",
            governance,
            Fault::new(Governance::voteWithSigCall::SELECTOR, ReturnsZero).only(0, later.clone()),
        ),
        ("a deposit", governance, Fault::new(Governance::depositCall::SELECTOR, OneMore(1))),
        (
            "a deposit by permit",
            governance,
            Fault::new(Governance::depositWithPermitCall::SELECTOR, ReturnsZero),
        ),
        ("a signal", proposals, Fault::new(Proposals::voteCall::SELECTOR, ReturnsZero)),
        ("a push", proposals, Fault::new(Proposals::pushProposalCall::SELECTOR, ReturnsZero)),
        (
            "an execution of a later proposal",
            governance,
            Fault::new(Governance::executeCall::SELECTOR, ReturnsZero).only(0, 2..=u64::MAX),
        ),
        (
            "the payment of a later withdrawal",
            governance,
            Fault::new(Governance::finaliseWithdrawCall::SELECTOR, ReturnsZero).only(0, later),
        ),
        (
            "a stake that moves",
            rollups,
            Fault::new(Rollup::finaliseMove_1Call::SELECTOR, ReturnsZero),
        ),
    ];
    for (name, place, mut fault) in faults {
        shrinks(name, |lockstep, _| {
            for contract in place(lockstep) {
                fault.plant(lockstep, contract);
            }
        });
    }
}

#[test]
fn a_missing_signal_is_shown_by_few_steps() {
    let shrunk = shrinks("a signal too many", |lockstep, _| more_signals(lockstep));
    let Mismatch::Outcome { kind, .. } = shrunk.mismatch else { panic!("{shrunk}") };
    assert!(matches!(kind.differs, Differs::Event { .. } | Differs::Refusal { .. }), "{shrunk}");
}

#[test]
fn an_exit_that_takes_longer_is_shown_by_few_steps() {
    shrinks("an exit a second later", |lockstep, _| longer_exits(lockstep));
}
