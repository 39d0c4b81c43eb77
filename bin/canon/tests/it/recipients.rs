//! Accounts that could do nothing with what they get.

use alloy_primitives::Address;
use canon_chain::deploy::{ContractPlan, Create2Origin, DEPLOYMENT_PROXY};

use crate::{
    chain::{Chain, tokens},
    sending::{ACCOUNT, about, by, fails},
    servers::Folder,
    support::while_served,
};

#[tokio::test(flavor = "multi_thread")]
async fn the_zero_address_and_contracts_of_the_set_get_nothing() {
    let folder = Folder::new("recipients");
    let mut chain = Chain::new().await;
    chain.give(ACCOUNT, tokens(200)).await;
    while_served(move || {
        let (zero, one) = (Address::ZERO, Address::repeat_byte(1));
        let is_nobodys = "expected an address other than the zero address, which is nobody's";
        for arguments in [
            format!("lock 5 --for {zero}"),
            format!("unlock 5 --to {zero}"),
            format!("propose {one} --to {zero}"),
            format!("stake exit {one} --to {zero}"),
            format!("stake coinbase {one} {zero}"),
            format!("stake deposit 100 --attester {zero} --proposer {one} --withdrawer {one}"),
            format!("stake deposit 100 --attester {one} --proposer {zero} --withdrawer {one}"),
            format!("stake deposit 100 --attester {one} --proposer {one} --withdrawer {zero}"),
        ] {
            let said = fails(by(&chain, &folder, &format!("{arguments} --yes")), 2);
            assert!(said.contains(is_nobodys), "{arguments}: {said}");
        }
        let set = &chain.set;
        let new = Address::repeat_byte(0x99);
        for (arguments, flag, what) in [
            (format!("lock 5 --for {}", set.governance), "--for", "Governance"),
            (format!("unlock 5 --to {}", set.asset), "--to", "Asset"),
            (format!("propose {} --to {}", chain.payload, set.proposals), "--to", "Proposals"),
            (
                format!(
                    "stake deposit 100 --attester {new} --proposer {one} --withdrawer {}",
                    set.rollup
                ),
                "--withdrawer",
                "canonical rollup",
            ),
        ] {
            let said = fails(by(&chain, &folder, &format!("{arguments} --yes")), 2);
            let says = format!("{flag}: expected an account that can use its tokens, found the ");
            assert!(said.contains(&says) && said.contains(what), "{arguments}: {said}");
        }
        let exit = format!("stake exit {one} --to {} --yes", set.registry);
        let said = fails(about(&chain, &folder, &exit).env("CANON_PRIVATE_KEY", chain.key(0)), 2);
        assert!(said.contains("found the set's Registry"), "{said}");
        // Nothing was approved.
        assert_eq!(chain.chain.nonce(chain.account(ACCOUNT)), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_to_a_place_from_which_tokens_never_return() {
    let folder = Folder::new("dead-ends");
    let mut chain = Chain::new().await;
    chain.give(ACCOUNT, tokens(200)).await;
    while_served(move || {
        let expect = ContractPlan::expect(Create2Origin::default()).address();
        let (one, new) = (Address::repeat_byte(1), Address::repeat_byte(0x99));
        for (place, what) in [
            (expect, "the contract Expect"),
            (
                "0x000000000000000000000000000000000000dEaD".parse().unwrap(),
                "an address for tokens",
            ),
            (Address::with_last_byte(1), "a precompiled contract"),
            (DEPLOYMENT_PROXY, "the deterministic deployment proxy"),
        ] {
            for (arguments, flag) in [
                (format!("lock 5 --for {place}"), "--for"),
                (format!("unlock 5 --to {place}"), "--to"),
                (format!("propose {} --to {place}", chain.payload), "--to"),
                (
                    format!(
                        "stake deposit 100 --attester {new} --proposer {one} --withdrawer {place}"
                    ),
                    "--withdrawer",
                ),
            ] {
                let said = fails(by(&chain, &folder, &format!("{arguments} --yes")), 2);
                let says =
                    format!("{flag}: expected an account that can use its tokens, found {what}");
                assert!(said.contains(&says), "{arguments}: {said}");
            }
            for (arguments, flag) in [
                (format!("stake exit {one} --to {place}"), "--to"),
                (format!("stake coinbase {one} {place}"), "ADDRESS"),
            ] {
                let command = about(&chain, &folder, &format!("{arguments} --yes"));
                let said = fails(command.env("CANON_PRIVATE_KEY", chain.key(0)), 2);
                let says =
                    format!("{flag}: expected an account that can use its tokens, found {what}");
                assert!(said.contains(&says), "{arguments}: {said}");
            }
        }
        assert_eq!(chain.chain.nonce(chain.account(ACCOUNT)), 0);
    })
    .await;
}
