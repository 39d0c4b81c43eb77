//! What `--unsigned` prints, for every command that sends: it does the same when somebody else executes it.

use alloy_primitives::{Address, Bytes};
use canon_chain::calls;
use canon_protocol::{GovernanceCall, Support};
use serde_json::{Value, json};

use crate::{
    chain::{Chain, tokens},
    live::{about, fails, json as document},
    sending_anyone::{action, harmless},
    servers::Folder,
    support::{stdout, while_served},
};

/// A contract that holds tokens, power and stakes, and has no key.
const SAFE: Address = Address::repeat_byte(0x5a);

/// The account that gets what the Safe gives away.
const RECEIVER: Address = Address::repeat_byte(0x33);

/// A command, and what another command shows once its transactions are executed.
struct Case {
    arguments: String,
    /// The number of transactions.
    transactions: usize,
    effect: Effect,
}

/// A value in the JSON of a command.
struct Effect {
    command: String,
    place: String,
    value: Value,
}

fn case(
    arguments: impl Into<String>,
    transactions: usize,
    (command, place): (&str, &str),
    value: impl Into<Value>,
) -> Case {
    let (command, place, value) = (command.to_owned(), place.to_owned(), value.into());
    Case { arguments: arguments.into(), transactions, effect: Effect { command, place, value } }
}

fn base_units(count: u128) -> String {
    tokens(count).get().to_string()
}

/// A chain on which the Safe has 1,000 tokens, 2,000 of power, and the stakes of attesters 0x11… to 0x13….
async fn with_safe() -> Chain {
    let mut chain = Chain::new().await;
    chain.replace(SAFE, Bytes::from_static(&[0]));
    let set = chain.set;
    chain.send(calls::transfer(set.asset, SAFE, tokens(1_000))).await;
    chain.send(calls::lock(set.governance, SAFE, tokens(2_000))).await;
    for attester in [0x11, 0x12, 0x13].map(Address::repeat_byte) {
        let owner = chain.account(0);
        chain.send(calls::stake(set.rollup, attester, owner, SAFE, tokens(100))).await;
    }
    chain
}

/// The value that a command shows at a place; null if it fails or has no such place.
fn shown(chain: &Chain, folder: &Folder, effect: &Effect) -> Value {
    let output = about(chain, folder, &effect.command).arg("--json").output().unwrap();
    let found = serde_json::from_slice::<Value>(&output.stdout).unwrap_or_default();
    found.pointer(&effect.place).cloned().unwrap_or_default()
}

/// What a command prints for the Safe.
fn printed(chain: &Chain, folder: &Folder, form: &str, arguments: &str) -> Value {
    let command = about(chain, folder, arguments);
    let command = command.arg(form).args(["--from", &SAFE.to_string()]);
    serde_json::from_str(&stdout(command)).unwrap()
}

/// The transactions that a command prints for the Safe.
fn transactions(chain: &Chain, folder: &Folder, arguments: &str) -> Vec<Value> {
    match printed(chain, folder, "--unsigned", arguments) {
        Value::Array(several) => several,
        one => vec![one],
    }
}

/// Checks that a batch is one as Safe's Transaction Builder takes it, with the calls of these transactions.
fn is_batch_of(chain: &Chain, batch: &Value, transactions: &[Value]) {
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(batch), ["chainId", "createdAt", "meta", "transactions", "version"]);
    let created_at = chain.chain.timestamp() * 1_000;
    assert_eq!(
        (&batch["version"], &batch["chainId"], &batch["createdAt"]),
        (&"1.0".into(), &"31337".into(), &created_at.into())
    );
    let meta = &batch["meta"];
    assert_eq!(keys(meta), ["createdFromSafeAddress", "description", "name"]);
    assert_eq!(meta["createdFromSafeAddress"], SAFE.to_string());
    assert!(meta["name"].as_str().unwrap().starts_with("canon "), "{meta}");
    assert!(!meta["description"].as_str().unwrap().is_empty(), "{meta}");
    let calls = transactions.iter().map(|transaction| {
        json!({ "to": transaction["to"], "value": transaction["value"], "data": transaction["data"] })
    });
    assert_eq!(batch["transactions"], calls.collect::<Value>());
}

/// Executes what each command prints, and what it prints as a batch, on the same state, which stays.
fn all_have_their_effect(chain: &Chain, folder: &Folder, cases: &[Case]) {
    for Case { arguments, transactions: count, effect } in cases {
        let before = shown(chain, folder, effect);
        assert_ne!(before, effect.value, "{arguments}");
        let snapshot = chain.chain.snapshot();
        let transactions = transactions(chain, folder, arguments);
        assert_eq!(transactions.len(), *count, "{arguments}");
        let batch = printed(chain, folder, "--unsigned=safe", arguments);
        is_batch_of(chain, &batch, &transactions);
        assert_eq!(shown(chain, folder, effect), before, "{arguments}: nothing was sent");
        transactions.iter().for_each(|transaction| chain.execute_as(SAFE, transaction));
        assert_eq!(shown(chain, folder, effect), effect.value, "{arguments}");
        chain.chain.revert(snapshot).unwrap();

        let snapshot = chain.chain.snapshot();
        chain.execute_batch(SAFE, &batch);
        assert_eq!(shown(chain, folder, effect), effect.value, "{arguments}, as a batch");
        chain.chain.revert(snapshot).unwrap();
    }
    assert!(!folder.file("state").exists(), "no command has sent anything");
}

/// Executes what a command prints.
fn execute(chain: &Chain, folder: &Folder, arguments: &str) {
    for transaction in transactions(chain, folder, arguments) {
        chain.execute_as(SAFE, &transaction);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_safe_locks_stakes_and_proposes_by_what_is_printed() {
    let folder = Folder::new("unsigned-holder");
    let mut chain = with_safe().await;
    let (new_rollup, _) = chain.next_rollup().await;
    while_served(move || {
        chain.pass(41);
        let payload = chain.payload;
        let attester = Address::repeat_byte(0x11);
        let rollup = chain.set.rollup;
        let power = (&*format!("power {SAFE}"), "/power");
        let stake = format!("stake status {attester}");
        let new = Address::repeat_byte(0x21);
        let deposit =
            format!("stake deposit --attester {new} --proposer {SAFE} --withdrawer {SAFE} 100");
        all_have_their_effect(
            &chain,
            &folder,
            &[
                case("lock 5", 2, power, base_units(2_005)),
                case("lock all", 2, power, base_units(3_000)),
                case(
                    format!("lock 7 --for {RECEIVER}"),
                    2,
                    (&format!("power {RECEIVER}"), "/power"),
                    base_units(7),
                ),
                case("unlock 20", 1, power, base_units(1_980)),
                case(
                    format!("unlock all --to {RECEIVER}"),
                    1,
                    (&format!("power {SAFE}"), "/withdrawals/0/recipient"),
                    RECEIVER.to_string(),
                ),
                case(
                    deposit,
                    2,
                    (&format!("stake status {new}"), "/attesters/0/status"),
                    "Validating",
                ),
                case(
                    format!("stake exit {attester} --to {RECEIVER}"),
                    1,
                    (&stake, "/attesters/0/exit/recipient"),
                    RECEIVER.to_string(),
                ),
                case(
                    format!("stake move {attester} --to {new_rollup}"),
                    1,
                    (&stake, "/attesters/0/moving/new_rollup"),
                    new_rollup.to_string(),
                ),
                case(
                    format!("propose {payload} --to {RECEIVER}"),
                    1,
                    ("proposal", "/0/payload"),
                    payload.to_string(),
                ),
                case(
                    "setup-epoch",
                    1,
                    ("status", &format!("/present/rollups/{rollup}/seed")),
                    "recorded",
                ),
            ],
        );
        // No command shows the recipient of rewards.
        let coinbase = format!("stake coinbase {attester} {RECEIVER}");
        let get =
            [&alloy_primitives::keccak256("getCoinbase(address)")[..4], &attester.into_word()[..]];
        let get = || chain.chain.read(rollup, get.concat()).unwrap().success().unwrap();
        assert_ne!(get()[12..], RECEIVER[..]);
        execute(&chain, &folder, &coinbase);
        assert_eq!(get()[12..], RECEIVER[..]);
        // A permit can't be left to somebody else.
        let permit = about(&chain, &folder, &format!("lock 5 --permit --unsigned --from {SAFE}"));
        let said = fails(permit, 2);
        assert!(said.contains("the permit couldn't be signed"), "{said}");
    })
    .await;
}

/// Moves to the first second of the next slot of which an account is the proposer, and returns the slot.
async fn to_slot_of(chain: &mut Chain, folder: &Folder, proposer: Address) -> u64 {
    let place = format!("/present/rollups/{}/proposer", chain.set.rollup);
    for slot in chain.slot() + 1..60 {
        chain.record_seed_of(slot).await;
        chain.pass(slot);
        let status = about(chain, folder, "status");
        let status = while_served(move || document(status)).await;
        if status.pointer(&place) == Some(&proposer.to_string().into()) {
            return slot;
        }
    }
    panic!("{proposer} is drawn for no slot");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_safe_signals_by_what_is_printed_for_itself_and_for_others() {
    let folder = Folder::new("unsigned-signal");
    let mut chain = with_safe().await;
    for attester in (0x31..0x39).map(Address::repeat_byte) {
        chain.send(calls::stake(chain.set.rollup, attester, SAFE, SAFE, tokens(100))).await;
    }
    chain.pass(11);
    let place = |slot: u64| format!("/slots/{}/state", slot % 10);
    let slot = to_slot_of(&mut chain, &folder, SAFE).await;
    let (mut chain, folder) = while_served(move || {
        let arguments = format!("signal {}", chain.payload);
        let effect = (&*format!("round {}", slot / 10), &*place(slot));
        all_have_their_effect(&chain, &folder, &[case(arguments, 1, effect, "signaled")]);
        (chain, folder)
    })
    .await;
    let holder = chain.account(0);
    let slot = to_slot_of(&mut chain, &folder, holder).await;
    while_served(move || {
        let sign = about(&chain, &folder, &format!("signal {} --sign --yes", chain.payload));
        let signed = stdout(sign.env("CANON_PRIVATE_KEY", chain.key(0)));
        let file = folder.write("signal.json", &signed);
        let arguments = format!("signal --signature {}", file.display());
        let effect = (&*format!("round {}", slot / 10), &*place(slot));
        all_have_their_effect(&chain, &folder, &[case(arguments, 1, effect, "signaled")]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_safe_pushes_votes_executes_drops_and_is_paid_by_what_is_printed() {
    let folder = Folder::new("unsigned-upgrade");
    let mut chain = with_safe().await;
    let (rollup, upgrade) = chain.next_rollup().await;
    let successor = Address::repeat_byte(0x77);
    chain.replace(successor, Bytes::from_static(&[0]));
    let replace = GovernanceCall::UpdateGovernanceProposer { new_governance_proposer: successor };
    let replacement = chain.payload_of(vec![action(chain.set.governance, replace)]);
    let to_drop = [1, 2].map(|_| chain.payload_of(vec![harmless(&chain)]));
    chain.win(upgrade, 1).await;
    chain.win(replacement, 2).await;
    chain.pass(30);
    let leaving = Address::repeat_byte(0x11);
    let moving = Address::repeat_byte(0x12);
    let (chain, folder) = while_served(move || {
        all_have_their_effect(
            &chain,
            &folder,
            &[
                case("push", 2, ("proposal", "/1/payload"), replacement.to_string()),
                case("push 1", 1, ("proposal", "/0/payload"), upgrade.to_string()),
            ],
        );
        for arguments in [
            "push",
            "unlock 20",
            "unlock 30",
            &format!("stake exit {leaving} --to {RECEIVER}"),
            &format!("stake move {moving} --to {rollup}"),
        ] {
            execute(&chain, &folder, arguments);
        }
        (chain, folder)
    })
    .await;
    for _ in 0..64 {
        chain.chain.mine().unwrap();
    }
    chain.pass(205);
    let (mut chain, folder) = while_served(move || {
        let sign = about(&chain, &folder, "vote 1 for --amount 9 --sign --yes");
        let signed = stdout(sign.env("CANON_PRIVATE_KEY", chain.key(0)));
        let ballot = folder.write("ballot.json", &signed);
        let power = &*format!("power {SAFE}");
        all_have_their_effect(
            &chain,
            &folder,
            &[
                case("vote 0 for", 1, (power, "/ballots/0/cast/yea"), base_units(1_950)),
                case("vote 1 against --amount 3", 1, (power, "/ballots/1/cast/nea"), base_units(3)),
                case(
                    "vote 0 --invalidate",
                    1,
                    (power, "/ballots/0/nonce"),
                    (1_u64 << 32).to_string(),
                ),
                case(
                    format!("vote 1 --signature {}", ballot.display()),
                    1,
                    ("proposal 1", "/tally/yea"),
                    base_units(9),
                ),
            ],
        );
        (chain, folder)
    })
    .await;
    for id in [0, 1] {
        chain.vote(id, tokens(5_000), Support::Yea).await;
    }
    chain.propose(to_drop[0], 41).await;
    chain.propose(to_drop[1], 43).await;
    chain.pass(490);
    while_served(move || {
        all_have_their_effect(
            &chain,
            &folder,
            &[
                case("execute", 2, ("proposal", "/1/state"), "Executed"),
                case("execute 0", 1, ("proposal", "/0/state"), "Executed"),
                case("withdraw", 2, (&format!("power {SAFE}"), "/paid_withdrawals"), 2),
                case("withdraw 1", 1, (&format!("power {SAFE}"), "/paid_withdrawals"), 1),
                case(
                    format!("stake claim {leaving}"),
                    1,
                    (&format!("power {RECEIVER}"), "/balance"),
                    base_units(100),
                ),
            ],
        );
        execute(&chain, &folder, "execute");
        let new = Address::repeat_byte(0x21);
        all_have_their_effect(
            &chain,
            &folder,
            &[
                case("drop", 2, ("proposal", "/3/ending"), "Dropped"),
                case("drop 2", 1, ("proposal", "/2/ending"), "Dropped"),
                case(
                    format!("stake finish {moving}"),
                    1,
                    (&format!("stake status {moving}"), "/attesters/0/rollup"),
                    rollup.to_string(),
                ),
                case(
                    format!("stake finish {moving} --as {new}"),
                    1,
                    (&format!("stake status {new}"), "/attesters/0/rollup"),
                    rollup.to_string(),
                ),
            ],
        );
    })
    .await;
}
