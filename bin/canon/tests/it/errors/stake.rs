//! `canon stake`; and how it is shown.

use alloy_primitives::Address;
use snapbox::file;

use crate::{
    chain::{Chain, tokens},
    staking::upgraded,
    transcript::Transcript,
};

const fn attester(number: u8) -> Address {
    Address::repeat_byte(number)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stake_that_cannot_be_moved_or_paid_says_why_and_when_it_can() {
    let mut t = Transcript::new("errors-stake");
    let mut shown = Transcript::new("shown-stake");
    let mut chain = Chain::new().await;
    chain.give(1, tokens(300)).await;
    let governance = chain.set.governance;
    let rollup = chain.further_rollup(2, governance).await.address();
    let other_rollup = chain.further_rollup(3, governance).await.address();
    let of_another_set = chain.further_rollup(4, Address::repeat_byte(0x98)).await.address();
    let (one, two, three) = (attester(1), attester(2), attester(3));
    let (registry, receiver, account) = (chain.set.registry, attester(0xbb), chain.account(1));
    let deposit = |attester: Address, amount: &str, more: &str| {
        format!(
            "stake deposit {amount} --attester {attester} --proposer {account} --withdrawer {account}{more} --yes"
        )
    };
    t.by(&chain, 1, &deposit(attester(9), "99.9", ""));
    t.by(&chain, 1, &deposit(attester(9), "300.5", ""));
    t.by(&chain, 1, &deposit(one, "100", ""));
    t.by(&chain, 1, &deposit(attester(9), "100", &format!(" --rollup {registry}")));
    t.by(&chain, 1, &format!("stake exit {one} --to {receiver} --yes"));
    t.by(&chain, 0, &format!("stake exit {one} --to {registry} --yes"));
    t.by(&chain, 0, &format!("stake exit {} --to {receiver} --yes", attester(0x77)));
    t.by(&chain, 0, &format!("stake exit {one} --to {receiver} --rollup {registry} --yes"));
    t.by(&chain, 0, &format!("stake claim {one} --yes"));
    t.by(&chain, 0, &format!("stake move {one} --yes"));
    t.by(&chain, 0, &format!("stake move {one} --to {} --yes", attester(0x99)));
    t.by(&chain, 1, &format!("stake move {one} --to {rollup} --yes"));
    t.by(&chain, 0, &format!("stake move {one} --to {} --yes", chain.set.asset));
    t.by(&chain, 0, &format!("stake move {one} --to {of_another_set} --yes"));
    t.by(&chain, 1, &deposit(attester(9), "100", &format!(" --rollup {of_another_set}")));
    t.by(&chain, 0, &format!("stake finish {one} --yes"));
    t.by(&chain, 1, &format!("stake coinbase {one} {receiver} --yes"));
    t.by(&chain, 0, &format!("stake coinbase {one} {registry} --yes"));
    t.about(&chain, &format!("stake status {}", attester(0x77)));

    shown.about(
        &chain,
        &deposit(attester(9), "100", &format!(" --dry-run --from {account}")).replace(" --yes", ""),
    );
    shown.about(
        &chain,
        &deposit(attester(9), "100", &format!(" --unsigned --from {account}"))
            .replace(" --yes", ""),
    );
    shown.by(&chain, 0, &format!("stake coinbase {two} {receiver} --yes"));
    shown.by(&chain, 0, &format!("stake exit {one} --to {receiver} --yes"));
    shown.by(&chain, 0, &format!("stake move {two} --to {rollup} --yes"));
    t.note("attester 1 is leaving, and attester 2 has announced a move");
    t.by(&chain, 0, &format!("stake exit {one} --to {receiver} --yes"));
    t.by(&chain, 0, &format!("stake claim {one} --yes"));
    t.by(&chain, 0, &format!("stake move {one} --to {rollup} --yes"));
    t.by(&chain, 0, &format!("stake coinbase {one} {receiver} --yes"));
    t.by(&chain, 0, &format!("stake move {two} --to {rollup} --yes"));
    t.by(&chain, 0, &format!("stake finish {two} --yes"));
    shown.about(
        &chain,
        &format!("stake exit {two} --to {receiver} --dry-run --from {}", chain.account(0)),
    );
    shown.about(
        &chain,
        &format!("stake move {two} --to {other_rollup} --dry-run --from {}", chain.account(0)),
    );
    chain.renew_sender();
    chain.record_seed_of(12).await;
    chain.pass(12);
    shown.note("leaving, moving, and validating with slots");
    shown.about(&chain, &format!("stake status {one} {two} {three}"));
    chain.pass(100_000);
    t.note("the delays are over, and the new rollup isn't canonical");
    t.by(&chain, 0, &format!("stake finish {two} --yes"));
    shown.by(&chain, 2, &format!("stake claim {one} --yes"));
    t.note("the stake of attester 1 is paid");
    t.by(&chain, 0, &format!("stake claim {one} --yes"));
    t.is(file!["stake.txt"].raw());
    shown.is(file!["../shown/stake.txt"].raw());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_is_finished_and_shown_in_the_new_rollup() {
    let mut t = Transcript::new("errors-finish");
    let mut shown = Transcript::new("shown-finish");
    let (chain, rollup) = upgraded(&t.folder).await;
    let (one, two) = (attester(1), attester(2));
    shown.about(&chain, &format!("stake status {one}"));
    shown.by(&chain, 1, &format!("stake finish {one} --yes"));
    shown.about(&chain, &format!("stake finish {two} --unsigned --from {}", chain.account(1)));
    shown.about(&chain, &format!("stake status {one} {two}"));
    let account = chain.account(1);
    let squat = format!(
        "stake deposit 100 --attester {two} --proposer {account} --withdrawer {account} --yes"
    );
    assert_eq!(Transcript::new("squat").by(&chain, 1, &squat).code, 0);
    t.note("somebody else has registered attester 2 in the new rollup");
    t.by(&chain, 0, &format!("stake finish {two} --yes"));
    let finish = format!("stake finish {two} --rollup {}", chain.set.rollup);
    t.by(&chain, 0, &format!("{finish} --yes"));
    t.by(&chain, 1, &format!("{finish} --as {} --yes", attester(0x22)));
    shown.by(&chain, 0, &format!("{finish} --as {} --yes", attester(0x22)));
    t.by(&chain, 0, &format!("stake finish {one} --rollup {rollup} --yes"));
    t.about(&chain, "round 46");
    t.is(file!["finish.txt"].raw());
    shown.is(file!["../shown/finish.txt"].raw());
}
