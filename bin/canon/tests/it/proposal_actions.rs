//! The actions of proposals in words, for voters.

use alloy_primitives::{Address, U256};
use canon_chain::deploy::SetParameters;
use canon_protocol::{
    Action, Amount, AssetCall, Call, GovernanceCall, IssuerCall, RawConfiguration,
    RawProposeConfiguration,
};
use snapbox::{assert_data_eq, file};

use crate::{
    chain::{Chain, tokens},
    live::about,
    sending::{by, fails, shown},
    servers::Folder,
    support::{stdout, while_served, without_hashes},
    voting,
};

fn action(target: Address, call: impl Into<Call>) -> Action {
    Action { target, data: call.into().abi_encode() }
}

fn mint(tokens_minted: Amount) -> Call {
    let (to, amount) = (Address::repeat_byte(0x70), U256::from(tokens_minted.get()));
    IssuerCall::Mint { to, amount }.into()
}

/// A configuration whose quorum differs from the one in force.
fn configuration() -> Call {
    let configuration = RawConfiguration {
        propose_config: RawProposeConfiguration {
            lock_delay: U256::from(86_400),
            lock_amount: U256::from(tokens(100).get()),
        },
        quorum: U256::from(200_000_000_000_000_000_u64),
        vote_differential: U256::ZERO,
        minimum_votes: U256::from(tokens(100).get()),
        // The delays are unchanged.
        ..SetParameters::tests().governance.configuration().into()
    };
    GovernanceCall::UpdateConfiguration { configuration: Box::new(configuration) }.into()
}

/// The actions as voters see them.
#[tokio::test(flavor = "multi_thread")]
async fn actions_are_shown_with_units_and_names_and_what_is_unknown_is_said_to_be() {
    let folder = Folder::new("effects");
    let mut chain = Chain::new().await;
    let set = chain.set;
    let payload = chain.payload_of(vec![
        action(set.issuer, mint(tokens(1000))),
        action(set.governance, configuration()),
        // This is a function of the Issuer, but on another contract.
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

/// Governance refuses these actions. Voters and the accounts that push should know from the first
/// day.
#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_that_cannot_be_executed_is_marked_before_it_is_pushed_and_voted_on() {
    let folder = Folder::new("obstacles");
    let mut chain = Chain::new().await;
    let set = chain.set;
    let (to, amount) = (Address::repeat_byte(0x70), U256::from(tokens(5).get()));
    let payload = chain.payload_of(vec![
        action(set.asset, AssetCall::Transfer { to, amount }),
        Action { target: Address::repeat_byte(0x71), data: vec![1, 2, 3, 4].into() },
    ]);
    for slot in 10..16 {
        chain.signal(slot, payload).await;
    }
    chain.pass(20);
    let marks = [
        "CAN'T BE EXECUTED: Governance refuses every action on the Asset",
        "NO CODE at the target now: Governance refuses it unless an earlier action deploys it",
        "warning: the proposal can't be executed: Governance refuses action 1",
    ];
    while_served(move || {
        let (_, said) = shown(by(&chain, &folder, "push --yes"));
        assert_data_eq!(said.clone(), file!["push-refused-actions.txt"].raw());
        let text = stdout(about(&chain, &folder, "proposal 0"));
        for mark in marks {
            assert!(said.contains(mark), "{said}");
            assert!(text.contains(mark), "{text}");
        }
        chain.go_to(200);
        let (_, said) =
            shown(voting::by(&chain, &folder, 0, "vote 0 for --amount 5000 --allow-unfinal --yes"));
        for mark in marks {
            assert!(said.contains(mark), "{said}");
        }
        chain.pass(480);
        // The simulation fails, so the command doesn't ask.
        let said = fails(by(&chain, &folder, "execute 0 --yes"), 1);
        assert!(said.contains("Governance__ActionOnAsset"), "{said}");
    })
    .await;
}
