//! `canon lock`, `unlock`, `withdraw` and `propose`; and how they are shown.

use alloy_primitives::Address;
use canon_chain::calls;
use canon_devchain::{Mining, UnsignedCall};
use canon_protocol::Amount;
use snapbox::file;

use crate::{
    chain::{Chain, tokens},
    transcript::{Transcript, start},
};

/// Runs a command of two steps. After the first one, an approval, the account takes it back.
fn with_less_allowance(t: &mut Transcript, chain: &Chain, spender: Address, arguments: &str) {
    let account = chain.account(1);
    chain.chain.set_mining(Mining::Manual);
    let child = start(t, chain, 1, arguments);
    let output = tokio::task::block_in_place(|| {
        while chain.chain.pool_size() == 0 {
            std::thread::yield_now();
        }
        chain.chain.mine().unwrap();
        let call = calls::approve(chain.set.asset, spender, Amount::of(1));
        let call =
            UnsignedCall { from: account, to: Some(chain.set.asset), input: call.input().clone() };
        chain.chain.mine_unsigned(&[call]).unwrap();
        chain.chain.set_mining(Mining::Auto);
        child.wait_with_output().unwrap()
    });
    t.append(arguments, output);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_who_lacks_something_is_told_what_and_how_much() {
    let mut t = Transcript::new("errors-holders");
    let mut shown = Transcript::new("shown-holders");
    let mut chain = Chain::new().await;
    chain.give(1, tokens(100)).await;
    t.by(&chain, 1, "lock 100.5 --yes");
    t.by(&chain, 2, "lock all --yes");
    t.by(&chain, 1, &format!("lock 5 --for {} --yes", chain.set.governance));
    let from = chain.account(1);
    t.about(&chain, &format!("lock 5 --permit --unsigned --from {from}"));
    t.by(&chain, 1, "unlock 3 --yes");
    t.by(&chain, 1, "unlock all --yes");
    t.by(&chain, 1, "withdraw --yes");
    t.by(&chain, 1, "withdraw 0 --yes");
    t.note("the allowance is taken back between the two steps");
    with_less_allowance(&mut t, &chain, chain.set.governance, "lock 7 --yes");
    let stake = |amount: &str| {
        let (attester, one) = (Address::repeat_byte(0x99), chain.account(1));
        format!(
            "stake deposit {amount} --attester {attester} --proposer {one} --withdrawer {one} --yes"
        )
    };
    with_less_allowance(&mut t, &chain, chain.set.rollup, &stake("100"));

    shown.about(&chain, &format!("lock 5 --dry-run --from {from}"));
    shown.about(&chain, &format!("lock 5 --unsigned --from {from}"));
    shown.by(&chain, 1, "lock 20 --permit --yes");
    shown.about(&chain, &format!("unlock 5 --dry-run --from {from}"));
    shown.about(&chain, &format!("unlock 5 --unsigned --from {from}"));
    for (amount, to) in [("5", from), ("6", chain.account(3))] {
        assert_eq!(
            Transcript::new("unlock")
                .by(&chain, 1, &format!("unlock {amount} --to {to} --yes"))
                .code,
            0
        );
    }
    t.note("withdrawals 0 and 1 are made, and not due yet");
    t.by(&chain, 1, "withdraw --yes");
    t.by(&chain, 1, "withdraw 1 --yes");
    t.by(&chain, 1, "withdraw 0 2 --yes");
    t.by(&chain, 2, "withdraw 0 --yes");
    chain.pass(1000);
    shown.by(&chain, 1, "withdraw --yes");
    t.note("they are paid");
    t.by(&chain, 1, "withdraw 0 --yes");
    t.by(&chain, 1, "withdraw --yes");
    let (payload, to) = (chain.payload, Address::repeat_byte(0xaa));
    t.by(&chain, 1, &format!("propose {payload} --to {to} --yes"));
    t.by(&chain, 0, &format!("propose {} --to {to} --yes", chain.set.registry));
    t.by(&chain, 0, &format!("propose {payload} --to {} --yes", chain.set.registry));
    t.by(&chain, 0, &format!("propose {payload} --yes"));
    let holder = chain.account(0);
    shown.about(&chain, &format!("propose {payload} --to {to} --dry-run --from {holder}"));
    shown.about(&chain, &format!("propose {payload} --to {to} --unsigned safe --from {holder}"));
    t.is(file!["holders.txt"].raw());
    shown.is(file!["../shown/holders.txt"].raw());
}
