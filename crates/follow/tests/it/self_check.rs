//! States beside the contracts' own answers.

use crate::support::{Recording, run, source};
use alloy_primitives::Address;
use canon_abi::{Voters, expected_answers};
use canon_follow::{ExternalAnswers, Follower, SelfCheckError, self_check};
use canon_protocol::{ExternalContracts, SetState, Timestamp};
use core::convert::Infallible;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The calls that the answers in a state are of.
fn questions(
    state: &SetState,
    external: &dyn ExternalContracts,
    now: Timestamp,
    voters: Voters,
) -> BTreeSet<(Address, Vec<u8>)> {
    let mut questions = BTreeSet::new();
    let Ok(()) = expected_answers(state, external, now, voters, |answer| {
        questions.insert((answer.contract, answer.calldata.to_vec()));
        Ok::<_, Infallible>(())
    });
    questions
}

/// The first value of some holder in a list by holders that is called `name` and isn't empty.
fn first_entry<'a>(state: &'a mut Value, name: &str) -> Option<&'a mut Value> {
    match state {
        Value::Object(fields) => fields.iter_mut().find_map(|(field, value)| {
            let is_wanted = field == name && value.get(0).is_some();
            if is_wanted { value[0].get_mut(1) } else { first_entry(value, name) }
        }),
        Value::Array(values) => values.iter_mut().find_map(|value| first_entry(value, name)),
        _ => None,
    }
}

#[test]
fn a_wrong_nonce_or_ballot_of_one_holder_is_found() {
    let recording = Recording::shared();
    run(async {
        let source = source(&recording.newest()).await;
        let client = source.client().clone();
        let mut follower = Follower::new(source, recording.identity.clone());
        follower.catch_up().await.unwrap();
        let (state, block) = (follower.state(), follower.block().unwrap());
        let checked = self_check(&client, state, &block).await.unwrap();

        let mut external = ExternalAnswers::at(block.hash);
        let [known, everyone] = external
            .resolve(&client, |external| {
                [Voters::Known, Voters::Everyone]
                    .map(|voters| questions(state, external, block.timestamp, voters))
            })
            .await
            .unwrap();
        assert!(known.len() < everyone.len() && known.len() <= checked.answers, "{checked:?}");
        let governance = state.governance();
        for proposal in governance.proposals() {
            let voters = proposal.ballots().map(|(voter, _)| voter);
            assert!(voters.count() <= governance.holders().count());
        }

        let proposals = "/governance/proposals";
        let written = serde_json::to_value(state).unwrap();
        for (list, wrong) in [("nonces", json!("77")), ("ballots", json!({"yea": "1", "nea": "1"}))]
        {
            let mut written = written.clone();
            let found = first_entry(written.pointer_mut(proposals).unwrap(), list).unwrap();
            *found = wrong;
            let wrong: SetState = serde_json::from_value(written).unwrap();
            assert_ne!(wrong, *state, "{list}");
            let outcome = self_check(&client, &wrong, &block).await;
            assert!(matches!(outcome, Err(SelfCheckError::Differs { .. })), "{list}: {outcome:?}");
        }
    });
}
