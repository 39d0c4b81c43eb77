//! Attacks: each test says what should hold, and fails.

use crate::{process::Process, test_chain::TestChain, views::Maker};
use alloy_primitives::{Address, Bytes, U256, bytes};
use alloy_sol_types::SolCall;
use canon_abi::UpgradePayload;
use canon_agents::VettedPayload;
use canon_protocol::{Action, actions_hash};
use canon_views::BlockDuty;

/// The payload's code answers what is at the address in its slot 0: its code hash stays, its list changes.
#[tokio::test]
async fn a_payload_that_changes_its_list_after_it_was_vetted_is_not_signaled_for() {
    const PAYLOAD: Address = Address::repeat_byte(0xf1);
    let lists = |actions: &[Action]| -> Bytes {
        let actions = actions.iter().cloned().map(Into::into).collect();
        UpgradePayload::getActionsCall::abi_encode_returns(&actions).into()
    };
    for maker in Maker::ALL {
        let mut chain = TestChain::new().await;
        let rollup = chain.addresses().rollup;
        chain.stake(rollup, 1).await;
        let good = [Action { target: chain.addresses().registry, data: bytes!("01020304") }];
        let evil = [Action { target: chain.addresses().governance, data: bytes!("deadbeef") }];
        let (one, two) = (Address::repeat_byte(0x11), Address::repeat_byte(0x12));
        chain.devchain.set_code(one, lists(&good)).unwrap();
        chain.devchain.set_code(two, lists(&evil)).unwrap();
        chain.devchain.set_code(PAYLOAD, bytes!("5f54803b9081905f905f903c5ff3")).unwrap();
        chain.devchain.set_storage(PAYLOAD, U256::ZERO, U256::from_be_slice(one.as_slice()));
        let vetted = VettedPayload::vet(&chain.client, PAYLOAD, None).await.unwrap();
        assert_eq!(vetted.actions(), good);
        let plan = vetted.signal_plan();
        chain.devchain.set_storage(PAYLOAD, U256::ZERO, U256::from_be_slice(two.as_slice()));
        chain.mine();
        let now =
            VettedPayload::vet(&chain.client, PAYLOAD, Some(vetted.code_hash())).await.unwrap();
        assert_ne!(actions_hash(now.actions()), actions_hash(vetted.actions()));
        let mut process = Process::new(&chain, maker).await;
        process.add_sequencer(0, rollup, BlockDuty::Propose, Some(plan));
        process.run_blocks(&chain, 20).await;
        let signaled = process.signaled();
        println!("{signaled:?}");
        assert!(
            signaled.is_empty(),
            "{maker:?}: {} signals for a list that nobody vetted",
            signaled.len()
        );
    }
}
