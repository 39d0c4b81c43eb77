//! Commands without a number that find several things to do.

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::SolValue as _;
use canon_payload::{Assembler, op};
use canon_protocol::{Action, ExpectCall, GovernanceCall, Support, actions_hash};
use serde_json::Value;
use snapbox::cmd::Command;

use crate::{
    chain::{Chain, tokens},
    live::json,
    sending::{ACCOUNT, about, by, fails, process, shown},
    sending_anyone::{action, harmless},
    servers::Folder,
    support::while_served,
    terminal::{Ended, OnTerminal},
};

/// The values of a key in what a command changed, one for each of its transactions.
fn changed(chain: &Chain, folder: &Folder, command: &str, key: &str) -> Vec<Value> {
    let document = json(by(chain, folder, command));
    let transactions = document["transactions"].as_array().unwrap();
    transactions.iter().map(|one| one["changed"][key].clone()).collect()
}

fn states(chain: &Chain, folder: &Folder) -> Vec<Value> {
    let list = json(about(chain, folder, "proposal"));
    list.as_array().unwrap().iter().map(|one| one["state"].clone()).collect()
}

fn sent(chain: &Chain) -> u64 {
    chain.chain.nonce(chain.account(ACCOUNT))
}

/// Makes payloads proposals 0, 1 and so on, which can all be executed once this returns.
async fn accepted(chain: &mut Chain, payloads: &[Address]) {
    for (payload, round) in payloads.iter().zip([1, 3, 5]) {
        chain.propose(*payload, round).await;
    }
    chain.pass(215);
    for id in 0..payloads.len() as u64 {
        chain.vote(id, tokens(5_000), Support::Yea).await;
    }
    chain.pass(530);
}

#[tokio::test(flavor = "multi_thread")]
async fn push_makes_the_winner_of_every_round_that_is_due_a_proposal() {
    let folder = Folder::new("due-rounds");
    let mut chain = Chain::new().await;
    let payloads = [1, 2, 3].map(|_| chain.payload_of(vec![harmless(&chain)]));
    for (payload, round) in payloads.into_iter().zip([1, 2, 3]) {
        chain.win(payload, round).await;
    }
    while_served(move || {
        // Round 3 is still running.
        let rounds = changed(&chain, &folder, "push --yes", "round");
        assert_eq!(rounds, ["1", "2"]);
        let list = json(about(&chain, &folder, "proposal"));
        let found: Vec<_> = list.as_array().unwrap().iter().map(|one| &one["payload"]).collect();
        assert_eq!(found, [&payloads[0].to_string(), &payloads[1].to_string()]);
        fails(by(&chain, &folder, "push --yes"), 4);
        assert_eq!(sent(&chain), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn push_makes_a_payload_that_won_two_rounds_one_proposal() {
    let folder = Folder::new("due-twice");
    let mut chain = Chain::new().await;
    let payload = chain.payload_of(vec![harmless(&chain)]);
    chain.win(payload, 1).await;
    chain.win(payload, 2).await;
    chain.pass(30);
    while_served(move || {
        assert_eq!(changed(&chain, &folder, "push --yes", "round"), ["1"]);
        let said = fails(by(&chain, &folder, "push --yes"), 4);
        assert!(said.contains("no round has a winner that can be pushed"), "{said}");
        let said = fails(by(&chain, &folder, "push 2 --yes"), 4);
        assert!(said.contains("proposal 0 of the same payload is still open"), "{said}");
        assert_eq!(states(&chain, &folder), ["Pending"]);
        assert_eq!(sent(&chain), 1);
    })
    .await;
}

/// The code of a payload that returns these actions until its first storage slot is set.
fn withholding(actions: Vec<Action>) -> Bytes {
    let actions: Vec<_> = actions.into_iter().map(|one| (one.target, one.data)).collect();
    let mut code = Assembler::new();
    code.ops(&[op::PUSH0, op::SLOAD]).jump_if("withheld").answer(&actions.abi_encode());
    code.label("withheld").fail(&[]);
    code.runtime()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_that_withholds_its_actions_does_not_keep_another_one_from_being_pushed() {
    let folder = Folder::new("due-withheld");
    let mut chain = Chain::new().await;
    let second = chain.payload_of(vec![harmless(&chain)]);
    let first = Address::repeat_byte(0x66);
    chain.replace(first, withholding(vec![harmless(&chain)]));
    chain.win(first, 1).await;
    chain.win(second, 2).await;
    chain.pass(30);
    chain.chain.set_storage(first, U256::ZERO, U256::ONE);
    while_served(move || {
        let (result, said) = shown(by(&chain, &folder, "push --yes"));
        assert!(result.starts_with("The winner of round 2 is proposal 0\n"), "{result}");
        let left_out = "left out: round 1: no actions can be read from the payload 0x[..]: ";
        assert!(said.contains(left_out), "{said}");
        for command in ["push --yes", "push 1 --yes"] {
            let said = fails(by(&chain, &folder, command), 1);
            assert!(said.contains("no actions can be read from the payload 0x"), "{said}");
        }
        assert_eq!(sent(&chain), 1);
    })
    .await;
}

/// The code of a payload that lists the first actions in calls without a gas price, as most reads are, and the second
/// ones in transactions.
fn lists_others_when_mined(shown: Vec<Action>, frozen: Vec<Action>) -> Bytes {
    let encoded = |actions: Vec<Action>| {
        let actions: Vec<_> = actions.into_iter().map(|one| (one.target, one.data)).collect();
        actions.abi_encode()
    };
    let mut code = Assembler::new();
    code.ops(&[op::GASPRICE]).jump_if("sent").answer(&encoded(shown));
    code.label("sent").answer(&encoded(frozen));
    code.runtime()
}

/// Runs a command whose payload freezes other actions than were shown: its outcome is shown, and it fails.
fn froze_others(command: Command, kind: &str, shown: B256, frozen: B256) {
    let output = command.arg("--json").output().unwrap();
    let said = crate::support::said(output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let transactions = document["transactions"].as_array().unwrap();
    let changed = &transactions.last().unwrap()["changed"];
    assert_eq!(
        (&changed["kind"], &changed["proposal"], &changed["actions_hash"]),
        (&kind.into(), &0.into(), &frozen.to_string().into()),
        "{document}"
    );
    let error = format!(
        "error: proposal 0 froze other actions than were shown, with the hash {frozen} instead of {shown}: vote \
         against it\n"
    );
    assert!(said.contains(&error), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_that_lists_other_actions_when_it_is_pushed_or_proposed_is_reported() {
    let mut chain = Chain::new().await;
    let lock = chain.lock_amount().await;
    chain.lock(lock).await;
    let shown = vec![harmless(&chain)];
    let frozen = vec![harmless(&chain), harmless(&chain)];
    let hashes = (actions_hash(&shown), actions_hash(&frozen));
    let [payload, second] = [0x66, 0x67].map(Address::repeat_byte);
    chain.replace(payload, lists_others_when_mined(shown.clone(), frozen.clone()));
    chain.replace(second, lists_others_when_mined(shown, frozen));
    let before = chain.chain.snapshot();
    chain.win(payload, 1).await;
    let honest = chain.payload_of(vec![harmless(&chain)]);
    chain.win(honest, 2).await;
    chain.pass(30);
    while_served(move || {
        // The other round is pushed all the same.
        let folder = Folder::new("due-two-faced");
        let output = by(&chain, &folder, "push --yes").output().unwrap();
        let result = String::from_utf8(output.stdout).unwrap();
        let said = crate::support::said(output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(result.contains("The winner of round 1 is proposal 0\n"), "{result}");
        assert!(result.contains("The winner of round 2 is proposal 1\n"), "{result}");
        assert!(said.contains("error: proposal 0 froze other actions than were shown"), "{said}");
        assert!(!said.contains("proposal 1 froze"), "{said}");
        // Once that was shown, the same command is a new one.
        fails(by(&chain, &folder, "push --yes"), 4);
        chain.chain.revert(before).unwrap();
        let folder = Folder::new("due-two-faced-lock");
        let propose = format!("propose {second} --to {} --yes", chain.account(0));
        let propose = about(&chain, &folder, &propose);
        let propose = propose.env("CANON_PRIVATE_KEY", chain.key(0));
        froze_others(propose, "proposed", hashes.0, hashes.1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn execute_carries_out_every_proposal_that_is_due() {
    let folder = Folder::new("due-proposals");
    let mut chain = Chain::new().await;
    let payloads = [1, 2].map(|_| chain.payload_of(vec![harmless(&chain)]));
    accepted(&mut chain, &payloads).await;
    while_served(move || {
        assert_eq!(changed(&chain, &folder, "execute --yes", "proposal"), [0, 1]);
        assert_eq!(states(&chain, &folder), ["Executed", "Executed"]);
        fails(by(&chain, &folder, "execute --yes"), 4);
        assert_eq!(sent(&chain), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_whose_actions_fail_does_not_keep_another_one_from_being_executed() {
    let folder = Folder::new("due-fails");
    let mut chain = Chain::new().await;
    let (registry, expected) = (chain.set.registry, chain.set.governance);
    let wrong = action(chain.expect, ExpectCall::CanonicalIs { registry, expected });
    let [first, last] = [1, 2].map(|_| chain.payload_of(vec![harmless(&chain)]));
    let fails_always = chain.payload_of(vec![wrong]);
    accepted(&mut chain, &[first, fails_always, last]).await;
    while_served(move || {
        let (result, said) = shown(by(&chain, &folder, "execute --yes"));
        assert_eq!(result.matches("is executed").count(), 2, "{result}");
        let left_out = "left out: Carry out proposal 1: execute(uint256) was refused: Governance__ActionFailed(";
        assert!(said.contains(left_out), "{said}");
        assert_eq!(states(&chain, &folder), ["Executed", "Executable", "Executed"]);
        for command in ["execute --yes", "execute 1 --yes"] {
            let said = fails(by(&chain, &folder, command), 1);
            assert!(said.contains("nothing was sent"), "{said}");
            assert!(said.contains("was refused: Governance__ActionFailed("), "{said}");
        }
        assert_eq!(sent(&chain), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_proposals_that_exclude_each_other_the_older_one_is_executed() {
    let folder = Folder::new("due-excludes");
    let mut chain = Chain::new().await;
    let (rollup, upgrade) = chain.next_rollup().await;
    let second = chain.payload_of(vec![harmless(&chain)]);
    accepted(&mut chain, &[upgrade, second]).await;
    while_served(move || {
        let output = by(&chain, &folder, "execute --yes").output().unwrap();
        let result = String::from_utf8(output.stdout).unwrap();
        let said = crate::support::said(output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(result.starts_with("Proposal 0 is executed\n"), "{result}");
        assert!(said.contains("error: only a part is done: Carry out proposal 0 (0x"), "{said}");
        assert!(said.ends_with("next: run the command again to see what it would do\n"), "{said}");
        let status = json(about(&chain, &folder, "status"));
        assert_eq!(status["present"]["addresses"]["rollup"], rollup.to_string());
        let said = fails(by(&chain, &folder, "execute --yes"), 1);
        assert!(said.contains("another upgrade came first"), "{said}");
        assert_eq!(sent(&chain), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn drop_records_every_proposal_that_is_dropped() {
    let folder = Folder::new("due-drops");
    let mut chain = Chain::new().await;
    let successor = Address::repeat_byte(0x77);
    chain.replace(successor, Bytes::from_static(&[0]));
    let replace = GovernanceCall::UpdateGovernanceProposer { new_governance_proposer: successor };
    let first = chain.payload_of(vec![action(chain.set.governance, replace)]);
    let [second, third] = [1, 2].map(|_| chain.payload_of(vec![harmless(&chain)]));
    chain.propose(first, 1).await;
    chain.go_to(200);
    chain.vote(0, tokens(5_000), Support::Yea).await;
    chain.propose(second, 45).await;
    chain.propose(third, 47).await;
    chain.pass(485);
    while_served(move || {
        shown(by(&chain, &folder, "execute --yes"));
        let drops = changed(&chain, &folder, "drop --yes", "proposal");
        assert_eq!(drops, [1, 2]);
        let list = json(about(&chain, &folder, "proposal"));
        assert_eq!(
            (&list[1]["ending"], &list[2]["ending"]),
            (&"Dropped".into(), &"Dropped".into())
        );
        fails(by(&chain, &folder, "drop --yes"), 4);
        assert_eq!(sent(&chain), 3);
    })
    .await;
}

/// The holder pays a withdrawal while its recipient reads what the command would do.
#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_did_meanwhile_does_not_keep_the_rest_from_being_done() {
    let folder = Folder::new("due-elsewhere");
    let mut chain = Chain::new().await;
    let account = chain.account(ACCOUNT);
    for amount in 1..=3 {
        chain.withdraw(account, tokens(amount)).await;
    }
    chain.pass(400);
    while_served(move || {
        let mut command = OnTerminal::start(process(&chain, &folder, ACCOUNT, "withdraw --json"));
        command.read_until("Send it? [y/N] ");
        let other = Folder::new("due-elsewhere-other");
        let by_other =
            about(&chain, &other, "withdraw 1 --yes").env("CANON_PRIVATE_KEY", chain.key(0));
        shown(by_other);
        command.answer("y");
        let Ended { code, result, said } = command.ended();
        assert_eq!(code, Some(0), "{said}");
        let note = "not sent, since it isn't due any more: Pay withdrawal 1: 2 tokens";
        assert!(said.contains(note), "{said}");
        let document: Value = serde_json::from_str(&result).unwrap();
        let paid = document["transactions"].as_array().unwrap().iter();
        let paid: Vec<_> = paid.map(|one| &one["changed"]["withdrawal"]).collect();
        assert_eq!(paid, [0, 2]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn withdraw_pays_all_of_the_account_that_are_due_and_no_others() {
    let folder = Folder::new("due-withdrawals");
    let mut chain = Chain::new().await;
    let (account, other) = (chain.account(ACCOUNT), chain.account(5));
    for (to, amount) in [(account, 1), (other, 2), (account, 3), (account, 4)] {
        chain.withdraw(to, tokens(amount)).await;
    }
    // This one is due an hour later than the others.
    chain.go_to(150);
    chain.withdraw(account, tokens(5)).await;
    chain.pass(400);
    while_served(move || {
        let paid = changed(&chain, &folder, "withdraw --yes", "withdrawal");
        assert_eq!(paid, [0, 2, 3]);
        let power = json(about(&chain, &folder, &format!("power {account}")));
        assert_eq!(power["balance"], tokens(8).get().to_string());
        let said = fails(by(&chain, &folder, "withdraw --yes"), 4);
        assert!(said.contains("withdrawal 4 of 5 tokens can be paid from "), "{said}");
        assert_eq!(sent(&chain), 3);
    })
    .await;
}
