//! Comparisons of states with every view of every contract.

use crate::support::{Recording, run, source};
use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;
use canon_abi::{ExpectedAnswer, Governance, Voters, expected_answers, viewed_contracts};
use canon_follow::{EveryViewError, ExternalAnswers, Follower, check_every_view};
use canon_protocol::{ExternalContracts, SetState, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The expected calls of all contracts in a state.
fn questions(
    state: &SetState,
    external: &dyn ExternalContracts,
    now: Timestamp,
    voters: Voters,
) -> Vec<(Address, Vec<u8>)> {
    let answers = |contract| expected_answers(state, external, contract, now, voters);
    let question = |answer: ExpectedAnswer| (answer.contract, answer.calldata.to_vec());
    viewed_contracts(state).flat_map(answers).map(question).collect()
}

/// The first value of any holder in a non-empty list by holders with this name.
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
        let checked = check_every_view(&client, state, &block).await.unwrap();

        let mut external = ExternalAnswers::at(block.hash);
        let [known, everyone] = external
            .resolve(&client, |external| {
                [Voters::Known, Voters::Everyone]
                    .map(|voters| questions(state, external, block.timestamp, voters))
            })
            .await
            .unwrap();
        assert_eq!(checked.answers, known.len());
        assert!(known.len() < everyone.len(), "{} and {}", known.len(), everyone.len());
        let governance = state.governance();
        let holders = state.asset().balances().map(|(holder, _)| holder);
        let holders = holders.chain(governance.holders().map(|(holder, _)| holder));
        let accounts: BTreeSet<_> = holders.chain([Address::ZERO]).collect();
        let at = state.addresses().governance;
        let mut with_ballots = 0;
        for (id, proposal) in governance.proposals().iter().enumerate() {
            let id = U256::from(id);
            let voters = proposal.ballots().map(|(voter, _)| voter);
            let signers = proposal.ballot_nonces().map(|(voter, _)| voter);
            let mut expected: BTreeSet<_> = voters.chain(signers).collect();
            with_ballots += usize::from(!expected.is_empty());
            // One of the accounts has no ballot: the last one.
            expected.extend(accounts.iter().rfind(|account| !expected.contains(*account)).copied());
            let asked = known.iter().filter(|(contract, _)| *contract == at);
            let asked =
                asked.filter_map(|(_, call)| Governance::ballotsCall::abi_decode(call).ok());
            let asked: BTreeSet<_> =
                asked.filter(|call| call.id == id).map(|call| call.user).collect();
            assert_eq!(asked, expected, "proposal {id}");
        }
        assert!(with_ballots > 0, "no proposal has ballots");

        let proposals = "/governance/proposals";
        let written = serde_json::to_value(state).unwrap();
        for (list, wrong, function, shown) in [
            ("nonces", json!("77"), "ballotNonce(uint256,address)", "(77)"),
            ("ballots", json!({"yea": "1", "nea": "1"}), "getProposal(uint256)", "Ballot: {yea: "),
        ] {
            let mut written = written.clone();
            let found = first_entry(written.pointer_mut(proposals).unwrap(), list).unwrap();
            *found = wrong;
            let wrong: SetState = serde_json::from_value(written).unwrap();
            assert_ne!(wrong, *state, "{list}");
            let outcome = check_every_view(&client, &wrong, &block).await;
            let Err(EveryViewError::Differs { difference, .. }) = outcome else {
                panic!("{list}: {outcome:?}");
            };
            assert_eq!(difference.function, function);
            assert!(difference.expected.to_string().contains(shown), "{difference}");
            assert!(difference.found.to_string().starts_with('('), "{difference}");
            assert!(difference.arguments.starts_with("(id: "), "{difference}");
        }
    });
}
