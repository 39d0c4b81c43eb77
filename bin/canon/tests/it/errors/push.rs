//! `canon push`, and what keeps any command from sending.

use alloy_primitives::U256;
use snapbox::file;

use crate::{chain::Chain, live::about_from, servers::without_logs, transcript::Transcript};

#[tokio::test(flavor = "multi_thread")]
async fn a_round_that_cannot_be_pushed_says_which_of_the_causes_it_is() {
    let mut t = Transcript::new("errors-push");
    let mut shown = Transcript::new("shown-rounds");
    let mut chain = Chain::new().await;
    let payload = chain.payload;
    t.by(&chain, 0, "push --yes");
    t.by(&chain, 0, "push 0 --yes");
    t.by(&chain, 0, "push 18446744073709551615 --yes");
    for slot in 10..16 {
        chain.signal(slot, payload).await;
    }
    t.by(&chain, 0, "push 1 --yes");
    chain.signal(20, payload).await;
    chain.pass(30);
    t.note("round 0 had no signal, round 1 was won, round 2 had one signal");
    t.by(&chain, 0, "push 0 --yes");
    t.by(&chain, 0, "push 2 --yes");
    shown.note("no winner");
    shown.about(&chain, "round 2");
    shown.note("no signal");
    shown.about(&chain, "round 0");
    for form in ["--dry-run", "--unsigned", "--unsigned safe"] {
        shown.about(&chain, &format!("push {form} --from {}", chain.account(5)));
    }
    chain.renew_sender();
    chain.push(1).await;
    t.by(&chain, 0, "push 1 --yes");
    shown.note("pushed");
    shown.about(&chain, "round 1");
    for slot in 32..38 {
        chain.signal(slot, payload).await;
    }
    chain.pass(40);
    t.note("round 3 was won by the same payload");
    t.by(&chain, 0, "push 3 --yes");
    t.by(&chain, 0, "push --yes");
    shown.note("waits for its payload's proposal");
    shown.about(&chain, "round 3");
    let endpoint = format!("http://{}", without_logs(chain.address()));
    let without_history = |t: &mut Transcript, arguments: &str| {
        let command =
            about_from(&endpoint, &chain, &crate::servers::Folder::new("errors-push-2"), arguments);
        t.add(arguments, command.env("CANON_PRIVATE_KEY", chain.key(0)));
    };
    t.note("from an endpoint without logs");
    without_history(&mut t, "push 1 --yes");
    let mut code = chain.code(payload).await.to_vec();
    code.push(0);
    chain.replace(payload, code.into());
    t.note("the payload has other code now");
    t.by(&chain, 0, "push 3 --yes");
    shown.note("its payload has other code now");
    shown.about(&chain, "round 3");
    chain.pass(95);
    t.note("round 9 is running");
    t.by(&chain, 0, "push 3 --yes");
    t.by(&chain, 0, "push 2 --yes");
    shown.note("expired");
    shown.about(&chain, "round 3");
    t.note("from an endpoint without logs");
    without_history(&mut t, "push 3 --yes");
    chain.replace(chain.set.proposals, [0xfd].into());
    t.note("Proposals fails on every call");
    t.by(&chain, 0, "push --yes");
    t.is(file!["push.txt"].raw());
    shown.is(file!["../shown/round.txt"].raw());
}

#[tokio::test(flavor = "multi_thread")]
async fn reasons_that_keep_a_command_from_sending_are_named() {
    let mut t = Transcript::new("errors-sending");
    let chain = crate::sending::with_winner().await;
    t.by(&chain, 0, "push");
    t.about(&chain, "push --yes");
    t.about(&chain, "push --dry-run");
    let other = format!("push --yes --from {}", chain.account(2));
    t.by(&chain, 1, &other);
    t.about(&chain, "push --yes --unlocked --from 0x00000000000000000000000000000000000000aa");
    t.about(&chain, "push --yes --interactive");
    chain.chain.set_balance(chain.account(1), U256::from(1_000));
    t.by(&chain, 1, "push --yes");
    t.is(file!["sending.txt"].raw());
}
