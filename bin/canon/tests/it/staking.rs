//! `canon stake`.

use alloy_primitives::Address;
use snapbox::{assert_data_eq, cmd::Command, file};

use crate::{
    chain::{Chain, tokens},
    live::{about, about_from, fails, json},
    sending::{shown, stable},
    servers::{Folder, forward, relay, without_logs},
    support::{stdout, while_served},
};

/// Returns a command by one of the chain's accounts. Account 0 is the proposer and withdrawer of
/// attesters 1 to 8.
fn by(chain: &Chain, folder: &Folder, account: usize, arguments: &str) -> Command {
    about(chain, folder, arguments).env("CANON_PRIVATE_KEY", chain.key(account))
}

const fn attester(number: u8) -> Address {
    Address::repeat_byte(number)
}

/// The output of `canon stake status` for an attester.
fn status(chain: &Chain, folder: &Folder, number: u8) -> serde_json::Value {
    let arguments = format!("stake status {}", attester(number));
    json(about(chain, folder, &arguments))["attesters"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stake_is_approved_for_just_its_amount_and_deposited() {
    let folder = Folder::new("stake-deposit");
    let mut chain = Chain::new().await;
    chain.give(1, tokens(300)).await;
    while_served(move || {
        let deposit = |number: u8, amount: &str| {
            let (attester, proposer, withdrawer) = (attester(number), chain.account(2), chain.account(3));
            let arguments = format!(
                "stake deposit --attester {attester} --proposer {proposer} --withdrawer {withdrawer} {amount} --yes"
            );
            by(&chain, &folder, 1, &arguments)
        };
        for (number, amount, says) in [
            (9, "99.9", "expected at least 100 tokens, the rollup's least stake, found 99.9"),
            (9, "300.5", "has 300 tokens, expected the 300.5 to stake: 0.5 missing"),
            (1, "100", "is registered in rollup 0x"),
        ] {
            let said = fails(deposit(number, amount), 1);
            assert!(said.contains(says), "{said}");
        }
        let (result, said) = shown(deposit(9, "100"));
        assert_data_eq!(result, file!["stake-deposit.txt"].raw());
        assert_data_eq!(said, file!["stake-deposit-words.txt"].raw());
        let view = status(&chain, &folder, 9);
        assert_eq!((&view["status"], &view["stake"]), (&"Validating".into(), &tokens(100).get().to_string().into()));
        assert_eq!(view["proposer"], chain.account(2).to_string());
        assert_eq!(view["withdrawer"], chain.account(3).to_string());
        // The approval is used up, so the next stake needs its own.
        let document = json(deposit(10, "all"));
        assert_eq!(document["transactions"].as_array().unwrap().len(), 2);
        assert_eq!(status(&chain, &folder, 10)["stake"], tokens(200).get().to_string());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stake_leaves_by_its_withdrawer_and_is_paid_when_its_time_has_come() {
    let folder = Folder::new("stake-exit");
    let chain = Chain::new().await;
    let receiver = Address::repeat_byte(0xaa);
    let (chain, folder) = while_served(move || {
        let one = attester(1);
        let said =
            fails(by(&chain, &folder, 1, &format!("stake exit {one} --to {receiver} --yes")), 1);
        assert!(said.contains("decides about the stake of"), "{said}");
        let said = fails(by(&chain, &folder, 0, &format!("stake claim {one} --yes")), 1);
        assert!(said.contains("isn't leaving: it is Validating"), "{said}");
        let other = attester(0x77);
        let said =
            fails(by(&chain, &folder, 0, &format!("stake exit {other} --to {receiver} --yes")), 1);
        assert!(said.contains("has no stake in rollup"), "{said}");
        let (result, said) =
            shown(by(&chain, &folder, 0, &format!("stake exit {one} --to {receiver} --yes")));
        assert_data_eq!(result, file!["stake-exit.txt"].raw());
        assert_data_eq!(said, file!["stake-exit-words.txt"].raw());
        let said =
            fails(by(&chain, &folder, 0, &format!("stake exit {one} --to {receiver} --yes")), 4);
        assert!(said.contains("is leaving already"), "{said}");
        let said = fails(by(&chain, &folder, 1, &format!("stake claim {one} --yes")), 4);
        assert!(said.contains("is due at"), "{said}");
        let text = stdout(about(&chain, &folder, &format!("stake status {one}")));
        assert_data_eq!(stable(&text), file!["stake-status.txt"].raw());
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        (chain, folder)
    })
    .await;
    chain.pass(100_000);
    while_served(move || {
        let (result, said) =
            shown(by(&chain, &folder, 1, &format!("stake claim {} --yes", attester(1))));
        assert!(result.contains("is paid"), "{result}");
        assert!(said.contains("100 tokens to 0x[..]"), "{said}");
        let said = fails(by(&chain, &folder, 1, &format!("stake claim {} --yes", attester(1))), 1);
        let paid = format!(
            "its stake of 100 tokens in rollup {} was paid to {receiver} at 2026-01-28 ",
            chain.set.rollup
        );
        assert!(said.contains(&paid), "{said}");
        let status = |number: u8| format!("stake status {}", attester(number));
        let said = fails(about(&chain, &folder, &status(1)), 1);
        assert!(said.contains("has no stake now") && said.contains(&paid), "{said}");
        let said = fails(about(&chain, &folder, &status(0x77)), 1);
        assert!(said.contains("has never been registered"), "{said}");
        let server = chain.address();
        let without_departures = relay(move |request| {
            let topics = &request["params"][0]["topics"];
            let of_attester = topics[1].to_string().contains(&"01".repeat(20));
            let asks = request["method"] == "eth_getLogs" && of_attester;
            let failed = serde_json::json!({"code": -32000, "message": "out of order"});
            let id = &request["id"];
            let failed = serde_json::json!({"jsonrpc": "2.0", "id": id, "error": failed});
            Some(if asks { failed } else { forward(server, request) })
        });
        let endpoint = format!("http://{without_departures}");
        // The folder has the history, so only the departure is asked for.
        let said = fails(about_from(&endpoint, &chain, &folder, &status(1)), 1);
        let unknown = format!(
            "it had a stake in rollup {}; when and how that left isn't known: eth_getLogs: ",
            chain.set.rollup
        );
        assert!(said.contains(&unknown), "{said}");
        let endpoint = format!("http://{}", without_logs(chain.address()));
        let empty = Folder::new("stake-exit-no-logs");
        let said = fails(about_from(&endpoint, &chain, &empty, &status(1)), 1);
        assert!(said.contains("has no stake in the canonical rollup 0x"), "{said}");
        assert_eq!(
            json(about(&chain, &folder, "stake status"))["attesters"].as_array().unwrap().len(),
            7
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_is_announced_and_not_completed_before_its_target_is_canonical() {
    let folder = Folder::new("stake-move");
    let mut chain = Chain::new().await;
    let (to, _) = chain.next_rollup().await;
    let (chain, folder) = while_served(move || {
        let one = attester(1);
        let said = fails(by(&chain, &folder, 0, &format!("stake move {one} --yes")), 2);
        assert!(said.contains("--to: expected another rollup"), "{said}");
        let nowhere = attester(0x99);
        let said =
            fails(by(&chain, &folder, 0, &format!("stake move {one} --to {nowhere} --yes")), 1);
        assert!(said.contains("--to: there is no contract at"), "{said}");
        let said = fails(by(&chain, &folder, 0, &format!("stake finish {one} --yes")), 1);
        assert!(said.contains("no move of attester"), "{said}");
        let announce = || by(&chain, &folder, 0, &format!("stake move {one} --to {to} --yes"));
        let (result, said) = shown(announce());
        assert_data_eq!(result, file!["stake-move.txt"].raw());
        assert_data_eq!(said, file!["stake-move-words.txt"].raw());
        let said = fails(announce(), 4);
        assert!(said.contains("is announced: the stake can go from"), "{said}");
        let said = fails(by(&chain, &folder, 0, &format!("stake finish {one} --yes")), 4);
        let both = said.contains(" UTC on (in 1 h), and only once that rollup is canonical");
        assert!(both, "{said}");
        assert_eq!(status(&chain, &folder, 1)["moving"]["new_rollup"], to.to_string());
        (chain, folder)
    })
    .await;
    chain.pass(100_000);
    while_served(move || {
        let said = fails(by(&chain, &folder, 0, &format!("stake finish {} --yes", attester(1))), 4);
        assert!(
            said.contains("once that rollup is canonical; 0x")
                && said.contains("wait until a proposal makes it canonical"),
            "{said}"
        );
    })
    .await;
}

/// Returns the arguments with which account 1 registers attester 9 in a rollup.
fn deposit_in(chain: &Chain, rollup: Address) -> String {
    let (attester, account) = (attester(9), chain.account(1));
    format!(
        "stake deposit 100 --attester {attester} --proposer {account} --withdrawer {account} --rollup {rollup}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn no_stake_goes_to_a_rollup_that_is_not_genuine_or_of_another_set() {
    let folder = Folder::new("stake-foreign");
    let mut chain = Chain::new().await;
    chain.give(1, tokens(300)).await;
    let stranger = Address::repeat_byte(0x99);
    let of_another_set = chain.further_rollup(3, stranger).await.address();
    // It has the code of a genuine rollup, and its own storage.
    let forged = Address::repeat_byte(0x55);
    let code = chain.code(chain.set.rollup).await;
    chain.replace(forged, code);
    while_served(move || {
        let (one, asset, governance) = (attester(1), chain.set.asset, chain.set.governance);
        let nonces = [0, 1].map(|account| chain.chain.nonce(chain.account(account)));
        let move_to = |to: Address| {
            fails(by(&chain, &folder, 0, &format!("stake move {one} --to {to} --yes")), 1)
        };
        let deposit = |rollup: Address| {
            fails(by(&chain, &folder, 1, &format!("{} --yes", deposit_in(&chain, rollup))), 1)
        };
        for said in [move_to(of_another_set), deposit(of_another_set)] {
            let owner = format!("was constructed with owner {stranger}, expected {governance}");
            assert!(said.contains(&format!("the rollup {of_another_set} isn't genuine")), "{said}");
            assert!(said.contains(&owner) && said.contains("belongs to another set"), "{said}");
            assert!(!said.contains("Allow the rollup"), "{said}");
        }
        for other in [forged, asset] {
            let said = move_to(other);
            assert!(said.contains(&format!("the rollup {other} isn't genuine")), "{said}");
            let said = deposit(other);
            let answers =
                [format!("the rollup {other} isn't genuine"), "doesn't answer".to_owned()];
            assert!(answers.iter().any(|text| said.contains(text)), "{said}");
            assert!(!said.contains("Allow the rollup"), "{said}");
        }
        let after = [0, 1].map(|account| chain.chain.nonce(chain.account(account)));
        assert_eq!(after, nonces, "nothing was sent");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stake_in_another_rollup_says_what_proves_it_and_whether_signals_will_count() {
    let folder = Folder::new("stake-proven");
    let (mut chain, rollup) = upgraded(&folder).await;
    chain.renew_sender();
    let next = chain.further_rollup(3, chain.set.governance).await.address();
    while_served(move || {
        let former = chain.set.rollup;
        let deposit = |rollup| {
            let arguments = format!("{} --dry-run", deposit_in(&chain, rollup));
            stdout(by(&chain, &folder, 1, &arguments))
        };
        let words = deposit(next);
        assert!(words.contains("proven: created from the artifact by\n"), "{words}");
        assert!(words.contains(", and can become canonical\n"), "{words}");
        assert!(words.contains("note: signals don't count there until it is canonical"), "{words}");
        let words = deposit(former);
        assert!(words.contains("proven: the set's Registry lists it"), "{words}");
        assert!(words.contains("warning: signals never count there"), "{words}");
        assert!(!deposit(rollup).contains("proven"), "the canonical one needs no proof");
        let moving = |to: Address, more: &str| {
            let arguments =
                format!("stake move {} --to {to} --rollup {former} {more}", attester(3));
            by(&chain, &folder, 0, &arguments)
        };
        let (three, to) = (attester(3), attester(0xaa));
        let exit = format!("stake exit {three} --to {to} --rollup {former} --dry-run");
        let words = stdout(by(&chain, &folder, 0, &exit));
        assert!(words.contains("note: `canon stake move` would take it"), "{words}");
        let words = stdout(moving(next, "--dry-run"));
        assert!(words.contains("proven: created from the artifact by\n"), "{words}");
        // Attester 9 is in the canonical rollup, from which no stake can go back.
        let stake = by(&chain, &folder, 1, &format!("{} --yes", deposit_in(&chain, rollup)));
        shown(stake);
        let back = format!("stake move {} --to {former} --rollup {rollup} --yes", attester(9));
        let said = fails(by(&chain, &folder, 1, &back), 1);
        assert!(said.contains("was canonical before, and can't become it again"), "{said}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rewards_go_where_the_withdrawer_says() {
    let folder = Folder::new("stake-coinbase");
    let chain = Chain::new().await;
    while_served(move || {
        let coinbase = |account| {
            let arguments = format!("stake coinbase {} {} --yes", attester(1), attester(0xbb));
            by(&chain, &folder, account, &arguments)
        };
        assert_eq!(status(&chain, &folder, 1)["coinbase"], chain.account(0).to_string());
        let said = fails(coinbase(1), 1);
        assert!(said.contains("decides about the stake of"), "{said}");
        let document = json(coinbase(0));
        let changed = &document["transactions"][0]["changed"];
        assert_eq!(
            (&changed["kind"], &changed["coinbase"]),
            (&"coinbase_set".into(), &attester(0xbb).to_string().into())
        );
        let endpoint = format!("http://{}", without_logs(chain.address()));
        let asked = format!("stake status {}", attester(1));
        let unknown = Folder::new("stake-coinbase-no-logs");
        for document in [
            json(about(&chain, &folder, &asked)),
            json(about_from(&endpoint, &chain, &unknown, &asked)),
        ] {
            assert_eq!(document["attesters"][0]["coinbase"], attester(0xbb).to_string());
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_printed_for_a_multisig_stakes_when_it_is_executed() {
    let folder = Folder::new("stake-unsigned");
    let mut chain = Chain::new().await;
    let staker = chain.account(1);
    chain.give(1, tokens(100)).await;
    while_served(move || {
        let arguments = format!(
            "stake deposit --attester {} --proposer {staker} --withdrawer {staker} 100 --unsigned --from {staker}",
            attester(9)
        );
        let printed: serde_json::Value =
            serde_json::from_str(&stdout(about(&chain, &folder, &arguments))).unwrap();
        for transaction in printed.as_array().unwrap() {
            chain.execute_as(staker, transaction);
        }
        assert_eq!(status(&chain, &folder, 9)["status"], "Validating");
    })
    .await;
}

/// A set whose second rollup has become canonical by commands alone. Attesters 1 and 2 announced their
/// moves before.
pub(crate) async fn upgraded(folder: &Folder) -> (Chain, Address) {
    let mut chain = Chain::new().await;
    let (rollup, payload) = chain.next_rollup().await;
    let lock = chain.lock_amount().await;
    chain.lock(lock).await;
    chain.give(1, tokens(100)).await;
    let state = folder.file("");
    let does = move |chain: &Chain, arguments: &str| {
        let registry = chain.set.registry.to_string();
        let command = crate::support::canon()
            .args(arguments.split_whitespace())
            .args(["--yes", "--rpc-url", &chain.url(), "--registry", &registry])
            .env("XDG_CACHE_HOME", state.join("cache"))
            .env("XDG_STATE_HOME", state.join("state"))
            .env("CANON_PRIVATE_KEY", chain.key(0));
        shown(command);
    };
    let (chain, does) = while_served(move || {
        for number in 1..=2 {
            does(&chain, &format!("stake move {} --to {rollup}", attester(number)));
        }
        does(&chain, &format!("propose {payload} --to {}", attester(0xaa)));
        (chain, does)
    })
    .await;
    // The delays are one hour each, which is 150 slots.
    chain.pass(160);
    for _ in 0..64 {
        chain.chain.mine().unwrap();
    }
    let (chain, does) = while_served(move || {
        does(&chain, "vote 0 for");
        (chain, does)
    })
    .await;
    chain.pass(470);
    let chain = while_served(move || {
        does(&chain, "execute 0");
        chain
    })
    .await;
    (chain, rollup)
}

#[tokio::test(flavor = "multi_thread")]
async fn stakes_arrive_in_the_new_rollup_also_if_their_attester_is_taken_there() {
    let folder = Folder::new("stake-arrives");
    let (chain, rollup) = upgraded(&folder).await;
    while_served(move || {
        let does =
            |account, arguments: &str| by(&chain, &folder, account, &format!("{arguments} --yes"));
        let squatter = chain.account(1);
        let squat = format!(
            "stake deposit --attester {} --proposer {squatter} --withdrawer {squatter} 100",
            attester(2)
        );
        // The new rollup is canonical now, and therefore the default.
        shown(does(1, &squat));
        // Anyone can complete a move.
        let old = chain.set.rollup;
        let (result, _) = shown(does(1, &format!("stake finish {}", attester(1))));
        assert!(result.contains("has moved"), "{result}");
        let said = fails(
            does(0, &format!("stake exit {} --to {squatter} --rollup {old}", attester(1))),
            1,
        );
        let moved = format!("has moved from rollup {old} to rollup {rollup} at 2026-");
        assert!(said.contains("has no stake in rollup") && said.contains(&moved), "{said}");
        assert_eq!(status(&chain, &folder, 1)["rollup"], rollup.to_string());
        // Attester 2 is registered in both rollups.
        let finish = format!("stake finish {}", attester(2));
        let said = fails(does(0, &finish), 2);
        assert!(said.contains("is registered in several rollups: "), "{said}");
        let finish = format!("{finish} --rollup {old}");
        let said = fails(does(0, &finish), 1);
        assert!(said.contains("is registered in rollup") && said.contains("--as"), "{said}");
        let finish = format!("{finish} --as {}", attester(0x22));
        let said = fails(does(1, &finish), 1);
        assert!(said.contains("decides about the stake of"), "{said}");
        let (result, said) = shown(does(0, &finish));
        assert!(result.contains("has moved, under attester 0x[..]"), "{result}");
        assert!(said.contains("as     0x[..]"), "{said}");
        assert_eq!(status(&chain, &folder, 0x22)["withdrawer"], chain.account(0).to_string());
        // The default target of moves is the canonical rollup.
        let (_, said) = shown(does(0, &format!("stake move {}", attester(3))));
        assert!(said.contains("the stake can go about"), "{said}");
        assert!(!said.contains("only once that rollup is canonical"), "{said}");
        assert_eq!(status(&chain, &folder, 3)["moving"]["new_rollup"], rollup.to_string());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rounds_from_before_the_rollup_was_canonical_are_those_of_the_earlier_one() {
    let folder = Folder::new("round-too-old");
    let (chain, rollup) = upgraded(&folder).await;
    while_served(move || {
        let said = fails(about(&chain, &folder, "round 46"), 2);
        let expected = "round 46 is older than the canonical rollup's time in office: expected a round from 47 to 47";
        assert!(said.contains(expected) && said.contains("next: --rollup shows"), "{said}");
        let document = json(about(&chain, &folder, "round"));
        let names = |document: &serde_json::Value| {
            ["round", "rollup", "canonical"].map(|key| document[key].as_str().unwrap().to_owned())
        };
        let (old, new) = (chain.set.rollup.to_string(), rollup.to_string());
        assert_eq!(names(&document), ["47", &new, &new]);
        let of_old = |round: &str| about(&chain, &folder, &format!("round {round} --rollup {old}"));
        for (round, shown) in [("", "47"), ("46", "46"), ("0", "0")] {
            let document = json(of_old(round));
            assert_eq!(names(&document), [shown, &*old, &*new]);
            assert_eq!(document["outcome"]["kind"], "no_signals", "{document}");
            assert_eq!(document["slots"].as_array().unwrap().len(), 10);
        }
        let text = stdout(of_old("46"));
        let title = format!("Round 46 of rollup {old}\n  an earlier one: {new} is canonical now\n");
        assert!(text.starts_with(&title), "{text}");
        let said = fails(of_old("48"), 2);
        assert!(said.contains("expected a round from 0 to 47"), "{said}");
        let other = format!("round --rollup {}", chain.set.registry);
        let said = fails(about(&chain, &folder, &other), 2);
        assert!(said.contains(&format!("expected a rollup that was canonical, found {}: {old}", chain.set.registry)), "{said}");
    })
    .await;
}
