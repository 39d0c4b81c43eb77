//! `canon lock`, `canon unlock` and `canon withdraw`.

use std::{process::Stdio, str::FromStr as _};

use alloy_primitives::{Address, U256};
use canon_chain::calls;
use canon_devchain::{Mining, UnsignedCall};
use canon_protocol::Amount;
use serde_json::Value;
use snapbox::{assert_data_eq, file};

use crate::{
    chain::{Chain, tokens},
    live::with_proposal,
    sending::{ACCOUNT, about, by, fails, process, shown, stable},
    servers::Folder,
    support::{said, stdout, while_served},
    terminal::{Ended, OnTerminal},
};

/// A chain on which the account has 100 tokens.
pub(crate) async fn with_tokens() -> Chain {
    let mut chain = Chain::new().await;
    chain.give(ACCOUNT, tokens(100)).await;
    chain
}

/// The power that an account could give up, as text.
fn power(chain: &Chain, folder: &Folder, account: usize) -> String {
    let from = chain.account(account);
    let document =
        stdout(about(chain, folder, &format!("unlock all --dry-run --json --from {from}")));
    let document: Value = serde_json::from_str(&document).unwrap();
    document["steps"][0]["words"][0].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn lock_sends_an_approval_of_just_the_amount_and_then_the_deposit() {
    let folder = Folder::new("lock");
    let chain = with_tokens().await;
    while_served(move || {
        let (result, said) = shown(by(&chain, &folder, "lock 5 --yes"));
        assert_data_eq!(result, file!["lock.txt"].raw());
        assert_data_eq!(said, file!["lock-words.txt"].raw());
        assert_eq!(chain.chain.nonce(chain.account(ACCOUNT)), 2);
        // The same command makes another lock.
        let document = stdout(by(&chain, &folder, "lock 5 --yes --json"));
        let document: Value = serde_json::from_str(&document).unwrap();
        let changed = &document["transactions"][1]["changed"];
        assert_eq!(changed["kind"], "locked");
        assert_eq!(changed["amount"], tokens(5).get().to_string());
        assert_eq!(changed["holder"], chain.account(ACCOUNT).to_string());
        assert!(power(&chain, &folder, ACCOUNT).starts_with("Give up 10 power"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permit_makes_a_lock_one_transaction() {
    let folder = Folder::new("permit");
    let chain = with_tokens().await;
    while_served(move || {
        let output = by(&chain, &folder, "lock all --permit --yes").output().unwrap();
        let (result, said) = (String::from_utf8(output.stdout).unwrap(), said(output.stderr));
        assert!(result.starts_with("Locked 100 tokens as power of 0x"), "{said}");
        assert!(said.contains("calls depositWithPermit at 0x"), "{said}");
        let (governance, asset) = (chain.set.governance, chain.set.asset);
        let permit = format!(
            "signs a permit for Governance {governance}\n   to take 100 tokens of asset {asset}\n   the permit \
             can be used until 2026-01-02 00:"
        );
        assert!(said.contains(&permit), "{said}");
        assert_eq!(chain.chain.nonce(chain.account(ACCOUNT)), 1);
        // An account without tokens is refused before anything has to be signed.
        let from = chain.account(2);
        for arguments in ["--unsigned --from", "--yes --unlocked --from"] {
            let command = format!("lock all --permit {arguments} {from}");
            assert!(fails(about(&chain, &folder, &command), 1).contains("has no tokens to lock"));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permit_is_signed_only_with_consent() {
    let folder = Folder::new("permit-consent");
    let chain = with_tokens().await;
    while_served(move || {
        let unsigned = fails(by(&chain, &folder, "lock 5 --permit --unsigned"), 2);
        assert!(unsigned.contains("expected a terminal on which to ask, found none"), "{unsigned}");
        assert!(unsigned.contains("add --yes to sign without asking"), "{unsigned}");
        let dry_run = stdout(by(&chain, &folder, "lock 5 --permit --dry-run"));
        assert!(dry_run.contains("is simulated once that is signed"), "{dry_run}");
        let output = by(&chain, &folder, "lock 5 --permit --unsigned --yes").output().unwrap();
        let (result, said) = (String::from_utf8(output.stdout).unwrap(), said(output.stderr));
        assert!(output.status.success(), "{said}");
        let printed: Value = serde_json::from_str(&result).unwrap();
        assert_eq!(printed["to"], chain.set.governance.to_string());
        let note = format!(
            "what is printed contains a signed permit: whoever has it can let Governance {} take 5 tokens of the \
             account, until 2026-01-02 00:",
            chain.set.governance
        );
        assert!(said.contains(&note), "{said}");
        let lock = |form: &str| {
            let arguments = format!("lock 5 --permit {form}");
            let mut command = OnTerminal::start(process(&chain, &folder, ACCOUNT, &arguments));
            let shown = command.read_until("Sign it? [y/N] ").to_owned();
            assert!(shown.contains("to take 5 tokens of asset "), "{shown}");
            assert!(shown.contains("the permit can be used until 2026-01-02 00:"), "{shown}");
            assert!(!shown.contains("calls depositWithPermit"), "{shown}");
            command
        };
        for form in ["", "--unsigned"] {
            let mut command = lock(form);
            command.answer("n");
            let Ended { code, result, said } = command.ended();
            assert_eq!((code, &*result), (Some(1), ""), "{said}");
            assert!(said.contains("the answer was no: nothing was signed or sent"), "{said}");
        }
        assert_eq!(chain.chain.nonce(chain.account(ACCOUNT)), 0);
        let mut command = lock("");
        command.answer("y");
        command.read_until("Send it? [y/N] ");
        command.answer("y");
        let Ended { code, said, .. } = command.ended();
        assert_eq!((code, chain.chain.nonce(chain.account(ACCOUNT))), (Some(0), 1), "{said}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unlocking_says_what_becomes_of_the_votes() {
    let folder = Folder::new("unlock-votes");
    let chain = with_proposal().await;
    while_served(move || {
        let unlock = || {
            let command = about(&chain, &folder, "unlock 5 --dry-run");
            stdout(command.env("CANON_PRIVATE_KEY", chain.key(0)))
        };
        let (to_come, past) = (
            "warning: it doesn't count for votes whose snapshot is to come: proposal 0",
            "note: it still counts for votes whose snapshot is past: proposal 0",
        );
        let words = unlock();
        assert!(words.contains(to_come) && !words.contains(past), "{words}");
        chain.pass(171);
        let words = unlock();
        assert!(!words.contains(to_come) && words.contains(past), "{words}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn power_is_locked_for_another_holder() {
    let folder = Folder::new("for");
    let chain = with_tokens().await;
    while_served(move || {
        let holder = chain.account(5);
        for (arguments, locked) in [("", "Give up 7 power"), ("--permit", "Give up 14 power")] {
            let arguments = format!("lock 7 {arguments} --yes --for {holder}");
            let output = by(&chain, &folder, &arguments).output().unwrap();
            let [result, said] = [output.stdout, output.stderr].map(String::from_utf8);
            let (result, said) = (result.unwrap(), said.unwrap());
            assert!(said.contains(&format!("as power of {holder}\n")), "{said}");
            let warning = format!("   warning: only {holder} can give the power\n");
            assert!(said.contains(&warning), "{said}");
            assert!(said.contains("   the account that sends has "), "{said}");
            assert!(
                result.contains(&format!("Locked 7 tokens as power of {holder}\n")),
                "{result}"
            );
            assert!(power(&chain, &folder, 5).starts_with(locked));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn locking_or_unlocking_too_much_is_refused_with_the_missing_amount() {
    let folder = Folder::new("short");
    let chain = with_tokens().await;
    while_served(move || {
        let said = stable(&fails(by(&chain, &folder, "lock 100.5 --yes"), 1));
        assert_data_eq!(said, file!["lock-short.txt"].raw());
        let said = stable(&fails(by(&chain, &folder, "unlock 3 --yes"), 1));
        assert_data_eq!(said, file!["unlock-short.txt"].raw());
        assert!(
            fails(by(&chain, &folder, "unlock all --yes"), 1).contains("has no power to give up")
        );
        for amount in ["0", "-1", "x", "0.0000000000000000001"] {
            let said = fails(by(&chain, &folder, "lock --yes").args(["--", amount]), 2);
            assert!(said.contains("for '<AMOUNT>': expected"), "{said}");
        }
        assert_eq!(chain.chain.nonce(chain.account(ACCOUNT)), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_a_safe_does_both_steps_in_order() {
    let folder = Folder::new("lock-unsigned");
    let chain = with_tokens().await;
    while_served(move || {
        let from = chain.account(ACCOUNT);
        let printed = |form: &str| -> Value {
            let arguments = format!("lock 5 {form} --from {from}");
            serde_json::from_str(&stdout(about(&chain, &folder, &arguments))).unwrap()
        };
        let batch = printed("--unsigned safe");
        let transactions = printed("--unsigned");
        let transactions = transactions.as_array().unwrap();
        assert_eq!(transactions.len(), 2);
        for (call, transaction) in
            batch["transactions"].as_array().unwrap().iter().zip(transactions)
        {
            assert_eq!((&call["to"], &call["data"]), (&transaction["to"], &transaction["data"]));
        }
        // The transactions succeed in order, each within its gas limit.
        for transaction in transactions {
            chain.execute_as(from, transaction);
        }
        assert!(power(&chain, &folder, ACCOUNT).starts_with("Give up 5 power"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unlock_and_withdraw_pay_to_whom_it_is_due_and_not_before() {
    let folder = Folder::new("unlock");
    let chain = with_tokens().await;
    while_served(move || {
        shown(by(&chain, &folder, "lock 50 --permit --yes"));
        let withdraw =
            |arguments: &str| by(&chain, &folder, &format!("withdraw {arguments} --yes"));
        assert!(fails(withdraw(""), 4).contains("has nothing to withdraw now"));
        assert!(fails(withdraw("0"), 2).contains("there are no withdrawals yet"));
        let to = chain.account(7);
        let (result, said) = shown(by(&chain, &folder, &format!("unlock 20 --yes --to {to}")));
        assert_data_eq!(result, file!["unlock.txt"].raw());
        assert_data_eq!(said, file!["unlock-words.txt"].raw());
        shown(by(&chain, &folder, "unlock all --yes"));
        let early = stable(&fails(withdraw(""), 4));
        assert_data_eq!(early, file!["withdraw-early.txt"].raw());
        assert!(fails(withdraw("1"), 4).contains("withdrawal 1 of 30 tokens can be paid from"));
        assert!(fails(withdraw("0 2"), 2).contains("expected an id from 0 to 1"));
        chain.pass(2000);
        let stranger =
            || about(&chain, &folder, "withdraw 1 --yes").env("CANON_PRIVATE_KEY", chain.key(2));
        assert!(fails(stranger(), 1).contains("withdrawal 1 is somebody else's: it is due to 0x"));
        let (result, said) = shown(withdraw(""));
        assert_data_eq!(result, file!["withdraw.txt"].raw());
        assert_data_eq!(said, file!["withdraw-words.txt"].raw());
        assert!(fails(withdraw("1"), 1).contains("withdrawal 1 is paid already"));
    })
    .await;
}

/// Anybody can make any number of withdrawals due to an account, and each costs it a transaction.
#[tokio::test(flavor = "multi_thread")]
async fn dust_that_others_withdraw_to_an_account_is_left_out_unless_named() {
    let folder = Folder::new("withdraw-dust");
    let mut chain = with_tokens().await;
    chain.lock(tokens(10)).await;
    let account = chain.account(ACCOUNT);
    for amount in [Amount::of(1), Amount::of(2), tokens(1), Amount::of(3)] {
        chain.withdraw(account, amount).await;
    }
    while_served(move || {
        chain.pass(2000);
        let withdraw =
            |arguments: &str| by(&chain, &folder, &format!("withdraw {arguments} --yes"));
        let (result, said) = shown(withdraw(""));
        assert!(result.starts_with("Withdrawal 2 is paid\n"), "{result}");
        assert_eq!(result.matches("is paid").count(), 1, "{result}");
        let left_out =
            "left out: withdrawals 0, 1 and 3, which others made, of less than 1 token each";
        assert!(said.contains(left_out), "{said}");
        let nothing = fails(withdraw(""), 4);
        assert!(nothing.contains("has nothing to withdraw now"), "{nothing}");
        assert!(nothing.contains(left_out), "{nothing}");
        let (result, _) = shown(withdraw("0 3"));
        assert_eq!(result.matches("is paid").count(), 2, "{result}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_cannot_pay_for_all_steps_begins_with_none() {
    let folder = Folder::new("lock-poor");
    let chain = with_tokens().await;
    while_served(move || {
        let account = chain.account(ACCOUNT);
        let dry = stdout(by(&chain, &folder, "lock 5 --dry-run --json"));
        let dry: Value = serde_json::from_str(&dry).unwrap();
        let steps = dry["steps"].as_array().unwrap();
        // The lock can't be simulated before the approval is mined.
        assert!(steps.len() == 2 && steps[1]["function"].is_null(), "{dry}");
        let cost = |step: &Value| U256::from_str(step["max_cost"].as_str().unwrap()).unwrap();
        let needed = cost(&steps[0]) + cost(&steps[1]);
        chain.chain.set_balance(account, needed - U256::ONE);
        for arguments in ["lock 5 --yes", "lock 5 --dry-run"] {
            let said = fails(by(&chain, &folder, arguments), 1);
            assert!(said.contains("is needed: 0.000000000000000001 is missing"), "{said}");
        }
        assert_eq!(chain.chain.nonce(account), 0);
        chain.chain.set_balance(account, needed);
        shown(by(&chain, &folder, "lock 5 --yes"));
    })
    .await;
}

/// Sends an account 1 base unit of tokens and 1 of power.
fn dust(chain: &Chain, account: Address) {
    let (set, from) = (chain.set, chain.account(0));
    let (tokens, power) = (
        calls::transfer(set.asset, account, Amount::of(1)),
        calls::lock(set.governance, account, Amount::of(1)),
    );
    let calls = [(set.asset, tokens), (set.governance, power)].map(|(to, call)| UnsignedCall {
        from,
        to: Some(to),
        input: call.input().clone(),
    });
    let (_, executed) = chain.chain.mine_unsigned(&calls).unwrap();
    assert!(executed.iter().all(|one| one.end.is_success()), "{executed:?}");
}

/// A stranger does so at the question and after each transaction. The command may have been killed before that.
#[tokio::test(flavor = "multi_thread")]
async fn dust_that_a_stranger_sends_stops_no_command_for_all() {
    let deposit = format!(
        "stake deposit --attester {} --proposer {} --withdrawer {} all",
        Address::repeat_byte(9),
        Address::repeat_byte(10),
        Address::repeat_byte(11)
    );
    for (command, done) in [
        ("lock all", "Locked 100 tokens as power"),
        ("unlock all", ": 50 tokens, due to"),
        (&*deposit, "100 tokens are staked"),
    ] {
        for is_killed in [false, true] {
            let folder = Folder::new("dust");
            let mut chain = with_tokens().await;
            let account = chain.account(ACCOUNT);
            chain.lock_for(account, tokens(50)).await;
            let command = command.to_owned();
            while_served(move || {
                chain.chain.set_mining(Mining::Manual);
                let await_sent = |is_running: &mut dyn FnMut() -> bool| {
                    while chain.chain.pool_size() == 0 && is_running() {
                        std::thread::yield_now();
                    }
                };
                if is_killed {
                    let arguments = format!("{command} --yes");
                    let mut first = process(&chain, &folder, ACCOUNT, &arguments);
                    let mut first = first.stderr(Stdio::null()).spawn().unwrap();
                    await_sent(&mut || first.try_wait().unwrap().is_none());
                    first.kill().unwrap();
                    first.wait().unwrap();
                    chain.chain.mine().unwrap();
                    dust(&chain, account);
                }
                let mut process = OnTerminal::start(process(&chain, &folder, ACCOUNT, &command));
                // What a killed run has done isn't asked about again.
                if !(is_killed && command.starts_with("unlock")) {
                    process.read_until("Send it? [y/N] ");
                    dust(&chain, account);
                    process.answer("y");
                }
                while process.is_running() {
                    await_sent(&mut || process.is_running());
                    chain.chain.mine().unwrap();
                    dust(&chain, account);
                }
                let Ended { code, result, said } = process.ended();
                assert_eq!(code, Some(0), "{command} {is_killed}: {said}");
                assert!(result.contains(done), "{command} {is_killed}: {result}");
            })
            .await;
        }
    }
}
