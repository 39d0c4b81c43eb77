//! The JSON of a view.

use crate::chain::{Chain, GOVERNANCE, PAYLOAD, ROLLUP, ViewedChain as _, harmless, named};
use alloy_primitives::B256;
use canon_protocol::{Amount, Epoch, Nonce, ProposalId, Round, Support, Timestamp, WithdrawalId};
use canon_views::{
    IntendedAction, Intent, LockMethod, Order, OrderAmount, OrderStatus, PermitTerms, Present,
    Question, RequestId, SetId, WaitsFor, available_actions, calendar,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[test]
fn a_view_is_the_same_after_json() {
    let mut chain = Chain::voting(2000, 10);
    chain.propose(PAYLOAD, &harmless());
    let deadlines = chain.set.governance().proposals()[0].deadlines();
    chain.jump(deadlines.voting_starts());
    chain.signal(PAYLOAD);
    let mut view = chain.view_in(12);
    let text = serde_json::to_string(&view.present).unwrap();
    assert_eq!(serde_json::from_str::<Present>(&text).unwrap(), view.present);
    view = chain.view_of(view.present.next, &Question::default());
    let text = serde_json::to_string(&view.present).unwrap();
    assert_eq!(serde_json::from_str::<Present>(&text).unwrap(), view.present);
}

#[test]
fn addresses_have_checksums_and_amounts_are_strings() {
    let mut chain = Chain::voting(2000, 10);
    chain.propose(PAYLOAD, &harmless());
    chain.signal(PAYLOAD);
    let view = serde_json::to_value(&chain.view_in(12).present).unwrap();
    let alice = named("alice").to_checksum(None);
    assert_ne!(alice, alice.to_lowercase());
    let holder = &view["holders"][&alice];
    assert_eq!(holder["power"], json!("2000000000000000000000"));
    assert_eq!(holder["allowance"], json!("0"));
    assert_eq!(holder["ballots"]["0"]["cast"], json!({ "yea": "0", "nea": "0" }));
    assert_eq!(view["addresses"]["governance"], json!(GOVERNANCE.to_checksum(None)));
    let rollup = &view["rollups"][ROLLUP.to_checksum(None)];
    let attester = &rollup["attesters"][named("attester 1").to_checksum(None)];
    assert_eq!(attester["withdrawer"], json!(named("withdrawer 1").to_checksum(None)));
    assert_eq!(view["block"]["timestamp"], json!(chain.now().get()));
    assert_eq!(
        view["signaling"]["rounds"][0]["leader"]["payload"],
        json!(PAYLOAD.to_checksum(None))
    );
}

/// The JSON pointers of all numbers in `json`.
fn numbers(json: &Value, pointer: &str, found: &mut Vec<String>) {
    match json {
        Value::Number(_) => found.push(pointer.to_owned()),
        Value::Array(all) => {
            let numbered = all.iter().enumerate();
            numbered.for_each(|(index, one)| numbers(one, &format!("{pointer}/{index}"), found));
        }
        Value::Object(all) => {
            all.iter().for_each(|(key, one)| numbers(one, &format!("{pointer}/{key}"), found));
        }
        _ => {}
    }
}

/// The numbers in the JSON of `value` whose types have values that many readers of JSON round.
fn rounded<T: Serialize + DeserializeOwned>(value: &T) -> Vec<String> {
    let json = serde_json::to_value(value).unwrap();
    let mut found = Vec::new();
    numbers(&json, "", &mut found);
    found.retain(|pointer| {
        let mut large = json.clone();
        *large.pointer_mut(pointer).unwrap() = json!(1_u64 << 53);
        serde_json::from_value::<T>(large).is_ok()
    });
    found
}

#[test]
fn no_number_has_a_type_that_json_readers_round() {
    assert_eq!(rounded(&json!({ "a": [1, "2"] })), ["/a/0"], "the check itself");
    let mut chain = Chain::voting(2000, 10);
    chain.propose(PAYLOAD, &harmless());
    let starts = chain.set.governance().proposals()[0].deadlines().voting_starts();
    chain.jump(starts);
    chain.signal(PAYLOAD);
    let view = chain.view_in(12);
    // The durations of a rollup's clock are documented as integers.
    let durations = ["epoch_duration", "slot_duration"];
    let durations = durations.map(|name| format!("/rollups/{ROLLUP:?}/clock/{name}"));
    let found = rounded(&view.present);
    assert!(found.iter().all(|pointer| durations.contains(pointer)), "{found:?}");
    assert_eq!(rounded(&calendar(&view)), [""; 0]);
    assert_eq!(rounded(&available_actions(&view)), [""; 0]);

    let (holder, id, request) = (named("alice"), ProposalId::MAX, RequestId::of(u64::MAX));
    let (amount, time) = (Amount::MAX, Timestamp::MAX);
    let (actions_hash, all) = (B256::ZERO, OrderAmount::Exactly(amount));
    let orders = BTreeMap::from([
        (request, Order::Vote { id, actions_hash, support: Support::Yea, amount: all }),
        (RequestId::of(1), Order::Lock { amount, method: LockMethod::Permit }),
        (RequestId::of(2), Order::Withdraw { amount: OrderAmount::Exactly(amount), to: holder }),
    ]);
    assert_eq!(rounded(&orders), [""; 0]);
    let statuses = [
        OrderStatus::Waiting(WaitsFor::Order(request)),
        OrderStatus::Waiting(WaitsFor::Voting(time)),
        OrderStatus::Short { needed: amount, available: amount },
    ];
    assert_eq!(rounded(&statuses.to_vec()), [""; 0]);
    let permit = Some(PermitTerms { nonce: Nonce::MAX, deadline: time });
    let actions = [
        IntendedAction::Lock { holder, request, beneficiary: None, amount, permit },
        IntendedAction::Withdraw { holder, request, to: holder, amount },
        IntendedAction::Push {
            proposals: holder,
            rollup: holder,
            round: Round::MAX,
            payload: PAYLOAD,
            actions_hash: None,
        },
        IntendedAction::RecordSeed { rollup: holder, epoch: Epoch::MAX },
        IntendedAction::PayWithdrawal { id: WithdrawalId::MAX },
        IntendedAction::PayExit { rollup: holder, attester: holder, exitable_at: time },
    ];
    let set = SetId { chain_id: u64::MAX, governance: GOVERNANCE };
    let intents = actions.map(|action| Intent { set, action, until: Some(time) });
    assert_eq!(rounded(&intents.to_vec()), [""; 0]);
    let subjects: Vec<_> = intents.iter().map(Intent::id).collect();
    assert_eq!(rounded(&subjects), [""; 0]);
}
