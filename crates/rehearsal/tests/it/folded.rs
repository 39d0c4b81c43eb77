//! The state folded from the events of a whole upgrade, beside the contracts' own answers.

use alloy_provider::ProviderBuilder;
use canon_chain::{Client, Deployment, deploy::Create2Origin};
use canon_follow::{ChainSource, Follower, SetIdentity, self_check};
use canon_protocol::{AttesterStatus, BlockNumber, ProposalState};
use canon_rehearsal::Rehearsal;

use crate::support::{scenario, with};

/// Follows the chain of a rehearsal from its first block to its last.
async fn folded(rehearsal: &Rehearsal<'_>) -> Follower<ChainSource> {
    let provider = ProviderBuilder::default().connect_client(rehearsal.chain().client());
    let client = Client::connect(provider).await.unwrap();
    let set = Deployment::from_registry(&client, rehearsal.registry()).await.unwrap();
    let (chain_id, origin) = (client.chain_id(), Create2Origin::default());
    let identity = SetIdentity::of(chain_id, &set, origin, BlockNumber::ZERO).unwrap();
    let mut follower = Follower::new(ChainSource::new(client), identity);
    follower.catch_up().await.unwrap();
    follower
}

#[test]
fn it_is_that_of_the_chain() {
    for name in ["upgrade", "forged-rollup", "squatted-move", "dropped", "shifting-payload"] {
        with(&scenario(name), async |rehearsal| {
            let mut follower = folded(rehearsal).await;
            let client = follower.source_mut().client().clone();
            let (block, state) = (follower.block().unwrap(), follower.state());
            let checked = self_check(&client, state, &block).await;
            let checked = checked.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(checked.block.get(), rehearsal.chain().block_number(), "{name}");
            assert!(checked.answers > 1_000, "{name}: {}", checked.answers);
        });
    }
}

#[test]
fn it_shows_an_upgrade() {
    with(&scenario("upgrade"), async |rehearsal| {
        let follower = folded(rehearsal).await;
        let state = follower.state();
        let governance = state.governance();
        let [proposal] = governance.proposals() else { panic!("{:?}", governance.proposals()) };
        assert_eq!(governance.state(proposal, state.block().timestamp), ProposalState::Executed);
        assert_eq!(state.rollups().count(), 2);
        let (_, rollup) = state.canonical_rollup().unwrap();
        let validating = |status| status == AttesterStatus::Validating;
        let moved = rollup.set().filter(|member| validating(member.status())).count();
        assert!(moved > 0, "no stake moved");
    });
}
