//! Differences are found, and shown by few steps.

use alloy::primitives::{Address, U256};
use canon_bindings::init_code;
use canon_devchain::UnsignedCall;
use canon_differential::{History, Lockstep, Mismatch};
use canon_protocol::Deployment;

/// `timeOfLastMint` of the Issuer, as its storage layout has it.
const LAST_MINT: U256 = U256::from_limbs([2, 0, 0, 0]);

/// Puts a Proposals contract that wants one signal more in the place of the one in office.
fn more_signals(lockstep: &Lockstep) {
    let (world, chain) = (lockstep.world(), lockstep.chain());
    let proposals = world.governance().governance_proposer();
    let rules = world.proposals(proposals).unwrap().rules();
    let deployment = Deployment::Proposals {
        registry: world.addresses().registry,
        n: U256::from(rules.n() + 1),
        m: U256::from(rules.m()),
    };
    let from = Address::repeat_byte(1);
    let deploy = UnsignedCall { from, to: None, input: init_code(&deployment) };
    let snapshot = chain.snapshot();
    let (_, executed) = chain.mine_unsigned(&[deploy]).unwrap();
    chain.revert(snapshot).unwrap();
    chain.set_code(proposals, executed[0].output.clone()).unwrap();
}

#[test]
fn a_wrong_outcome_is_shown_by_few_steps() {
    let meddle = |lockstep: &Lockstep, turn: u64| {
        if turn == 0 {
            more_signals(lockstep);
        }
    };
    let history = History { seed: 2, calls: 1000 };
    let difference = history.play_with(meddle).unwrap_err();
    assert!(matches!(difference.mismatch, Mismatch::Outcome { .. }), "{difference}");
    let found = difference.steps.len();
    assert!(found > 20, "it takes a while to show: {found} steps");

    let always = |lockstep: &Lockstep, _: u64| more_signals(lockstep);
    let shrunk = difference.shrink_with(always);
    assert!(matches!(shrunk.mismatch, Mismatch::Outcome { .. }));
    // A payload, seeds, some signals, and who has to be in the set for the draws.
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
    let meddle = |lockstep: &Lockstep, turn: u64| {
        if turn == 100 {
            let issuer = lockstep.world().addresses().issuer;
            lockstep.chain().set_storage(issuer, LAST_MINT, U256::from(1));
        }
    };
    let difference = history.play_with(meddle).unwrap_err();
    let Mismatch::View { view, .. } = &difference.mismatch else { panic!("{difference}") };
    assert!(view.starts_with("timeOfLastMint()"), "{view}");
}
