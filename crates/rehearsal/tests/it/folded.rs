//! The state folded from the events of a whole upgrade.

use alloy_provider::ProviderBuilder;
use canon_chain::{Client, deploy::Create2Origin};
use canon_follow::{ChainSource, Follower, SetIdentity};
use canon_protocol::{AttesterStatus, BlockNumber, ProposalState, SetState};
use canon_rehearsal::Rehearsal;

use crate::support::{scenario, with};

/// The state that somebody reaches who sees the chain of a rehearsal for the first time.
async fn folded(rehearsal: &Rehearsal<'_>) -> SetState {
    let provider = ProviderBuilder::default().connect_client(rehearsal.chain().client());
    let client = Client::connect(provider).await.unwrap();
    let addresses = *rehearsal.state().addresses();
    let origins = vec![Create2Origin::default()];
    let identity = SetIdentity { addresses, first_block: BlockNumber::ZERO, origins };
    let mut follower = Follower::new(ChainSource::new(client), identity);
    follower.catch_up().await.unwrap();
    follower.state().clone()
}

#[test]
fn who_comes_late_reaches_the_same_state() {
    for name in ["upgrade", "forged-rollup", "squatted-move", "shifting-payload"] {
        with(&scenario(name), async |rehearsal| {
            assert_eq!(&folded(rehearsal).await, rehearsal.state(), "{name}");
        });
    }
}

#[test]
fn it_shows_an_upgrade() {
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
