//! `canon power`.

use alloy_primitives::Address;
use canon_protocol::{Amount, Support};
use snapbox::{assert_data_eq, file};

use crate::{
    chain::tokens,
    live::{about, about_from, fails, json, with_proposal},
    servers::{Folder, without_logs},
    support::{canon, stdout, while_served, without_hashes},
};

#[tokio::test(flavor = "multi_thread")]
async fn power_is_that_of_the_snapshot_and_each_withdrawal_has_its_second() {
    let folder = Folder::new("power");
    let mut chain = with_proposal().await;
    let (holder, receiver) = (chain.account(0), Address::repeat_byte(7));
    chain.go_to(171);
    chain.withdraw(receiver, tokens(100)).await;
    chain.vote(0, tokens(900), Support::Yea).await;
    chain.vote(0, tokens(50), Support::Nea).await;
    chain.withdraw(holder, tokens(30)).await;
    let (chain, folder) = while_served(move || {
        let power = || about(&chain, &folder, &format!("power {holder}"));
        let text = stdout(power());
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert_data_eq!(without_hashes(&text), file!["power.txt"].raw());
        let document = json(power());
        let amount = |value: &serde_json::Value, count| *value == tokens(count).get().to_string();
        assert!(amount(&document["power"], 9_870), "{document}");
        // Power that was given up after the snapshot can still be cast.
        let ballot = &document["ballots"][0];
        assert!(amount(&ballot["power"], 10_000) && amount(&ballot["left"], 9_050), "{ballot}");
        let due = document["withdrawals"].as_array().unwrap();
        assert_eq!(due[0]["recipient"], receiver.to_string());
        // The withdrawal delay: a fifth of the voting delay, the voting duration and the execution
        // delay.
        let delay = 3600 / 5 + 3600 + 3600;
        assert_eq!(due[0]["unlocks_at"], 1_767_225_600 + 171 * 24 + delay);
        // The flag --from names the holder, too.
        assert_eq!(json(about(&chain, &folder, &format!("power --from {holder}"))), document);
        (chain, folder)
    })
    .await;
    let mut chain = chain;
    chain.go_to(171 + 7_920 / 24);
    chain.pay(0).await;
    while_served(move || {
        let document = json(about(&chain, &folder, &format!("power {holder}")));
        assert_eq!(document["paid_withdrawals"], 1);
        assert_eq!(document["withdrawals"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn withdrawals_that_others_made_due_to_an_account_are_its_own_too() {
    let folder = Folder::new("power-of-others");
    let mut chain = with_proposal().await;
    let (other, account) = (chain.account(0), chain.account(5));
    chain.withdraw(account, tokens(30)).await;
    chain.withdraw(account, Amount::of(1)).await;
    let (mut chain, folder) = while_served(move || {
        let power = || about(&chain, &folder, &format!("power {account}"));
        let text = stdout(power());
        assert!(text.contains("\nWithdrawals, 2 to be paid\n"), "{text}");
        assert!(text.contains(&format!("     0  30 tokens to {account}\n")), "{text}");
        assert!(text.contains(&format!("        from {other}, who gave the power up\n")), "{text}");
        assert!(text.contains("1 made by others, of less than 1 token each: see --json"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        let document = json(power());
        let due = document["withdrawals"].as_array().unwrap();
        assert_eq!(due.len(), 2, "{document}");
        for one in due {
            assert_eq!(one["recipient"], account.to_string());
            assert_eq!(one["holder"], other.to_string());
        }
        (chain, folder)
    })
    .await;
    chain.go_to(2_000);
    chain.pay(0).await;
    while_served(move || {
        let document = json(about(&chain, &folder, &format!("power {account}")));
        assert_eq!(document["paid_withdrawals"], 1);
        assert_eq!(document["withdrawals"].as_array().unwrap().len(), 1);
        let text = stdout(about(&chain, &folder, &format!("power {account}")));
        assert!(text.contains("\nWithdrawals, 1 to be paid; 1 other paid\n"), "{text}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn withdrawals_that_are_not_known_are_not_shown_as_none() {
    let folder = Folder::new("power-no-logs");
    let chain = with_proposal().await;
    let (holder, endpoint) = (chain.account(0), without_logs(chain.address()));
    while_served(move || {
        let endpoint = format!("http://{endpoint}");
        let power = || about_from(&endpoint, &chain, &folder, &format!("power {holder}"));
        let text = stdout(power());
        assert!(text.contains("Not known\n  its withdrawals: "), "{text}");
        assert!(!text.contains("Withdrawals"), "{text}");
        assert!(json(power())["withdrawals"].is_null());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_a_vote_the_power_that_will_count_can_still_be_locked() {
    let folder = Folder::new("power-pending");
    let mut chain = with_proposal().await;
    let holder = chain.account(5);
    chain.give(5, tokens(1)).await;
    while_served(move || {
        let text = stdout(about(&chain, &folder, &format!("power {holder}")));
        assert!(text.contains("\n  balance  1 token that isn't locked\n"), "{text}");
        let pending = "
     0  Pending: 0 tokens now
        what is locked before voting starts counts: canon lock
        it starts at 2026-01-01 01:08:02 UTC (in ";
        assert!(text.contains(pending), "{text}");
        assert!(!text.contains("to cast"), "{text}");
    })
    .await;
}

#[test]
fn power_without_a_holder_is_refused_before_the_chain_is_asked() {
    let said = fails(canon().arg("power"), 2);
    assert!(said.contains("HOLDER: expected the address of a holder, found nothing"), "{said}");
}
