//! Actions of proposals in words, for those who vote on them.

use alloy_primitives::{Address, U256};
use canon_protocol::{
    Action, Amount, AssetCall, Call, GovernanceCall, IssuerCall, RawConfiguration,
    RawProposeConfiguration,
};
use snapbox::{assert_data_eq, file};

use crate::{
    chain::{Chain, tokens},
    live::about,
    sending::{by, shown},
    servers::Folder,
    support::{stdout, while_served, without_hashes},
};

fn action(target: Address, call: impl Into<Call>) -> Action {
    Action { target, data: call.into().abi_encode() }
}

fn mint(tokens_minted: Amount) -> Call {
    let (to, amount) = (Address::repeat_byte(0x70), U256::from(tokens_minted.get()));
    IssuerCall::Mint { to, amount }.into()
}

/// A configuration with another quorum than the one in force.
fn configuration() -> Call {
    let configuration = RawConfiguration {
        propose_config: RawProposeConfiguration {
            lock_delay: U256::from(86_400),
            lock_amount: U256::from(tokens(100).get()),
        },
        voting_delay: U256::from(3600),
        voting_duration: U256::from(3600),
        execution_delay: U256::from(3600),
        grace_period: U256::from(3600),
        quorum: U256::from(200_000_000_000_000_000_u64),
        vote_differential: U256::ZERO,
        minimum_votes: U256::from(tokens(100).get()),
    };
    GovernanceCall::UpdateConfiguration { configuration: Box::new(configuration) }.into()
}

/// The screen of voters.
#[tokio::test(flavor = "multi_thread")]
async fn actions_are_shown_with_units_and_names_and_what_is_unknown_is_said_to_be() {
    let folder = Folder::new("effects");
    let mut chain = Chain::new().await;
    let set = chain.set;
    let payload = chain.payload_of(vec![
        action(set.issuer, mint(tokens(1000))),
        action(set.governance, configuration()),
        // A function of the Issuer on another contract.
        action(chain.payload, mint(tokens(1000))),
        Action { target: set.registry, data: vec![1, 2, 3, 4, 5].into() },
    ]);
    chain.propose(payload, 1).await;
    while_served(move || {
        let text = without_hashes(&stdout(about(&chain, &folder, "proposal 0")));
        let (actions, _) = text.split_once("\nVote, with").unwrap();
        assert_data_eq!(actions.to_owned(), file!["proposal-actions.txt"].raw());
    })
    .await;
}
