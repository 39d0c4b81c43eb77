//! Comparison of the state folded from the events of whole rehearsals with the contracts' own
//! answers.

use alloy_primitives::keccak256;
use alloy_provider::ProviderBuilder;
use canon_chain::{Client, deploy::Create2Origin};
use canon_follow::{ChainSource, ComparisonScope, Follower, SetIdentity};
use canon_protocol::{AttesterStatus, BlockNumber, ProposalState, Seconds};
use canon_rehearsal::{Rehearsal, scenario::Scenario};
use canon_views::Question;

use crate::{
    scenarios::TESTED,
    support::{scenario, with},
};

async fn client(rehearsal: &Rehearsal<'_>) -> Client {
    let provider = ProviderBuilder::default().connect_client(rehearsal.chain().client());
    Client::connect(provider).await.unwrap()
}

/// A new follower for the chain of a rehearsal.
async fn follower(rehearsal: &Rehearsal<'_>, scenario: &Scenario) -> Follower<ChainSource> {
    let addresses = *rehearsal.state().addresses();
    // The salt of a document's Proposals contract is the hash of the document's name.
    let salts = scenario.proposals.iter().map(|proposal| keccak256(&proposal.azip));
    let further = salts.map(|salt| Create2Origin { salt, ..Create2Origin::default() });
    let origins = [Create2Origin::default()].into_iter().chain(further).collect();
    let identity = SetIdentity { addresses, first_block: BlockNumber::ZERO, origins };
    let mut follower = Follower::new(
        ChainSource::new(client(rehearsal).await, ComparisonScope::Everything),
        identity,
    );
    follower.catch_up().await.unwrap();
    follower
}

#[test]
fn at_the_end_the_fold_is_what_the_contracts_answer() {
    for name in TESTED.iter().filter(|name| **name != "large") {
        let scenario = scenario(name);
        with(&scenario, async |rehearsal| {
            let follower = follower(rehearsal, &scenario).await;
            assert_eq!(follower.state(), rehearsal.state(), "{name}");
            let question = Question::everything(follower.state());
            let chain = rehearsal.chain();
            let block_time = Seconds::of(chain.next_timestamp() - chain.timestamp());
            let folded = follower.view(&question, block_time).await.unwrap().present;
            let (client, at) = (client(rehearsal).await, folded.block.hash.into());
            let answered =
                client.view(rehearsal.registry(), &question, at, block_time).await.unwrap();
            assert_eq!(folded, answered, "{name}");
        });
    }
}

#[test]
fn the_state_shows_an_upgrade() {
    with(&scenario("upgrade"), async |rehearsal| {
        let state = rehearsal.state();
        let governance = state.governance();
        let [proposal] = governance.proposals() else { panic!("{:?}", governance.proposals()) };
        assert_eq!(governance.state(proposal, state.block().timestamp), ProposalState::Executed);
        assert_eq!(state.rollups().count(), 2);
        let (_, rollup) = state.canonical_rollup().unwrap();
        let validating = |status| status == AttesterStatus::Validating;
        let moved = rollup.set().filter(|member| validating(member.status())).count();
        assert_eq!(moved, 23, "20 stakes that moved, and those of 3 pioneers");
    });
}
