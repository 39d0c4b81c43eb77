//! The accounts that roles need.

use crate::{
    process::AnyRole,
    test_chain::{BLOCK_HASH, TestChain, connect, key},
};
use alloy_primitives::Address;
use alloy_rpc_client::RpcClient;
use alloy_signer_local::PrivateKeySigner;
use canon_agents::{Agent, Holder, Keeper, Mover, Sequencer};
use canon_chain::{
    Error, IntentSender,
    tx::{FeePolicy, MemoryJournal},
};
use canon_views::{BlockDuty, MovePlan, SequencerIdentity};

#[tokio::test]
async fn an_agent_has_the_key_of_the_account_that_its_role_needs() {
    let chain = TestChain::new().await;
    let client = connect(RpcClient::new(chain.devchain.transport(), true)).await;
    let sender = |key: &PrivateKeySigner| {
        let journal = MemoryJournal::default();
        IntentSender::new(client.clone(), key.clone(), FeePolicy::default(), journal).unwrap()
    };
    let [own, other] = [0, 1].map(|number| key("agent", number));
    let (account, found) = (own.address(), other.address());
    let rollup = chain.addresses().rollup;
    let blocks = BlockDuty::Propose(BLOCK_HASH);
    let identity = SequencerIdentity { proposer: account, rollup, blocks };
    let plan = MovePlan {
        withdrawer: account,
        attester: found,
        from: rollup,
        to: Address::ZERO,
        spare: found,
    };
    for role in [
        AnyRole::Sequencer(Sequencer { identity, plan: None }),
        AnyRole::Holder(Holder::new(account)),
        AnyRole::Mover(Mover { plan }),
    ] {
        Agent::new(role.clone(), sender(&own)).unwrap();
        match Agent::new(role.clone(), sender(&other)).unwrap_err() {
            Error::OtherAccount { expected, found: of_key } => {
                assert_eq!((expected, of_key), (account, found), "{role:?}");
            }
            error => panic!("{role:?}: {error}"),
        }
    }
    for key in [&own, &other] {
        Agent::new(AnyRole::Keeper(Keeper::default()), sender(key)).unwrap();
    }
}
