//! `canon setup-epoch`.

use std::io::{BufRead as _, BufReader, Read as _};

use alloy_primitives::Address;
use canon_devchain::{Mining, UnsignedCall};
use canon_protocol::RollupCall;
use snapbox::{assert_data_eq, file};

use crate::{
    chain::Chain,
    live::about,
    sending::{by, fails, shown, stable, start},
    servers::Folder,
    support::{said, stdout, while_served},
};

#[tokio::test(flavor = "multi_thread")]
async fn setup_epoch_records_a_missing_seed_and_says_when_the_next_is_due() {
    let folder = Folder::new("setup-epoch");
    let chain = Chain::new().await;
    while_served(move || {
        // This is the second slot of an epoch, and the seed of the next epoch isn't recorded.
        chain.pass(41);
        let (result, said) = shown(by(&chain, &folder, "setup-epoch --yes"));
        assert_data_eq!(result, file!["setup-epoch.txt"].raw());
        assert_data_eq!(said, file!["setup-epoch-words.txt"].raw());
        let again = fails(by(&chain, &folder, "setup-epoch --yes"), 4);
        assert_data_eq!(stable(&again), file!["setup-epoch-nothing.txt"].raw());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_in_the_first_slot_records_nothing_and_says_when_it_can() {
    let folder = Folder::new("setup-epoch-early");
    let chain = Chain::new().await;
    while_served(move || {
        // The next block is expected 12 s later, in the second slot of the epoch, and comes in the first one.
        chain.pass(40);
        let after = |seconds| {
            chain.chain.set_next_timestamp(chain.chain.timestamp() + seconds).unwrap();
        };
        after(13);
        chain.chain.mine().unwrap();
        after(1);
        let output = by(&chain, &folder, "setup-epoch --yes").output().unwrap();
        let (result, said) = (String::from_utf8(output.stdout).unwrap(), said(output.stderr));
        assert_eq!(output.status.code(), Some(4), "{said}");
        assert!(result.starts_with("Nothing was recorded\n  hash   0x"), "{result}");
        let (_, error) = said.split_once("error: ").unwrap();
        assert_eq!(
            error,
            "the seed of epoch 21 isn't recorded\n  \
             because the block of the transaction is in the first slot of epoch 20: the seed can be recorded from \
             2026-01-01 00:16:24 UTC on\n\n\
             next: run the command again then\n"
        );
        chain.go_to(41);
        let (result, _) = shown(by(&chain, &folder, "setup-epoch --yes"));
        assert!(result.starts_with("The seed of epoch 21 is recorded\n"), "{result}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_that_somebody_else_recorded_first_is_said_to_have_been_recorded() {
    let folder = Folder::new("setup-epoch-late");
    let chain = Chain::new().await;
    while_served(move || {
        chain.pass(41);
        chain.chain.set_mining(Mining::Manual);
        let mut command = start(&chain, &folder, "setup-epoch --yes");
        let mut stderr = BufReader::new(command.stderr.take().unwrap());
        let mut text = String::new();
        while !text.contains("note: sent 0x") {
            assert_ne!(stderr.read_line(&mut text).unwrap(), 0, "{text}");
        }
        let (from, to) = (Address::repeat_byte(0xde), Some(chain.set.rollup));
        let input = RollupCall::SetupEpoch.abi_encode();
        chain.chain.mine_unsigned(&[UnsignedCall { from, to, input }]).unwrap();
        chain.chain.mine().unwrap();
        stderr.read_to_string(&mut text).unwrap();
        let output = command.wait_with_output().unwrap();
        let result = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}");
        assert!(result.starts_with("Nothing was recorded\n"), "{result}");
        assert!(text.ends_with("note: the seed of epoch 21 had been recorded before\n"), "{text}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_that_draws_nobody_is_not_recorded_and_stakes_come_first() {
    let folder = Folder::new("setup-epoch-empty");
    // The stakes of epoch 0 have seats from epoch 2 on.
    let chain = Chain::new().await;
    while_served(move || {
        let said = fails(by(&chain, &folder, "setup-epoch --yes"), 4);
        assert!(said.contains("the next epoch has no seats, so its seed draws nobody"), "{said}");
        let first = "have seats from epoch 2 on, whose seed can be recorded from 2026-01-01 00:01:12 UTC on (in ";
        assert!(said.contains(first) && said.contains("next: `canon stake deposit`"), "{said}");
        let status = || about(&chain, &folder, "status");
        assert!(!stdout(status()).contains("record the seed"), "{}", stdout(status()));
        chain.pass(3);
        assert!(stdout(status()).contains("record the seed of epoch 2"), "{}", stdout(status()));
        shown(by(&chain, &folder, "setup-epoch --yes"));
    })
    .await;
}
