//! Checks must be able to fail. Here the chain is changed after the rehearsal.

use alloy_network::TransactionBuilder;
use alloy_primitives::{Address, Bytes, U256};
use alloy_provider::{Provider, ProviderBuilder};
use alloy_rpc_types_eth::TransactionRequest;
use alloy_sol_types::{SolCall, sol};
use canon_rehearsal::{Check, Rehearsal};

use crate::support::{scenario, with};

sol! {
    function transfer(address to, uint256 amount) external returns (bool);
    function transferOwnership(address newOwner) external;
    function upgrade(address rollup) external returns (uint256);
    function getGovernance() external view returns (address);
    function getRollup() external view returns (address);
    function ASSET() external view returns (address);
}

struct Tamper<'r, 'a> {
    rehearsal: &'r Rehearsal<'a>,
}

impl Tamper<'_, '_> {
    async fn ask(&self, to: Address, call: impl SolCall) -> Address {
        let provider = ProviderBuilder::new().connect_client(self.rehearsal.chain().client());
        let request = TransactionRequest::default().with_to(to).with_input(call.abi_encode());
        Address::from_word(alloy_primitives::B256::from_slice(
            &provider.call(request).await.unwrap(),
        ))
    }

    /// Sends a transaction from an account without a known key.
    async fn send(&self, from: Address, to: Address, call: impl SolCall) {
        let chain = self.rehearsal.chain();
        chain.impersonate(from);
        chain.set_balance(from, U256::from(10).pow(U256::from(18)));
        let provider =
            ProviderBuilder::new().disable_recommended_fillers().connect_client(chain.client());
        let request = TransactionRequest::default()
            .with_from(from)
            .with_to(to)
            .with_gas_limit(1_000_000)
            .with_input(Bytes::from(call.abi_encode()));
        let sent = provider.send_transaction(request).await.unwrap();
        let hash = *sent.tx_hash();
        chain.mine().unwrap();
        let receipt = provider.get_transaction_receipt(hash).await.unwrap().unwrap();
        assert!(receipt.status());
    }

    async fn failed(&self) -> Vec<String> {
        let name = |check: Check| format!("{}: {}", check.area, check.subject);
        let checks = self.rehearsal.checks().await.unwrap();
        checks.into_iter().filter(|check| !check.holds).map(name).collect()
    }
}

#[test]
fn missing_tokens_are_found() {
    with(&scenario("upgrade"), async |rehearsal| {
        let tamper = Tamper { rehearsal };
        assert_eq!(tamper.failed().await, [""; 0]);
        let governance = tamper.ask(rehearsal.registry(), getGovernanceCall {}).await;
        let asset = tamper.ask(governance, ASSETCall {}).await;
        let theft = transferCall { to: Address::repeat_byte(1), amount: U256::ONE };
        tamper.send(governance, asset, theft).await;
        assert_eq!(tamper.failed().await, ["Always: Governance has what it owes"]);
        let rollup = tamper.ask(rehearsal.registry(), getRollupCall {}).await;
        let theft = transferCall { to: Address::repeat_byte(1), amount: U256::ONE };
        tamper.send(rollup, asset, theft).await;
        assert_eq!(
            tamper.failed().await,
            ["Always: Governance has what it owes", "Always: rollup 2 has its stakes"]
        );
    });
}

#[test]
fn an_offered_ownership_is_found() {
    with(&scenario("upgrade"), async |rehearsal| {
        let tamper = Tamper { rehearsal };
        let registry = rehearsal.registry();
        let governance = tamper.ask(registry, getGovernanceCall {}).await;
        let offer = transferOwnershipCall { newOwner: Address::repeat_byte(1) };
        tamper.send(governance, registry, offer).await;
        assert_eq!(tamper.failed().await, ["Ownership: of Registry"]);
    });
}

#[test]
fn another_canonical_rollup_is_found() {
    with(&scenario("expired"), async |rehearsal| {
        let tamper = Tamper { rehearsal };
        let registry = rehearsal.registry();
        let governance = tamper.ask(registry, getGovernanceCall {}).await;
        let report = rehearsal.report().await.unwrap();
        let deployed = report.timeline.entries().iter().find_map(|entry| match entry.what {
            canon_rehearsal::TimelineEvent::RollupDeployed { address, .. } => Some(address),
            _ => None,
        });
        tamper.send(governance, registry, upgradeCall { rollup: deployed.unwrap() }).await;
        assert_eq!(tamper.failed().await, ["Registry: versions", "Registry: canonical"]);
    });
}

#[test]
fn another_end_than_expected_is_found() {
    // The two scenarios differ only in the expected end.
    let mut expecting = scenario("tie");
    expecting.proposals[0].expect = canon_rehearsal::scenario::End::Executed;
    expecting.proposals[0].because = None;
    with(&expecting, async |rehearsal| {
        let report = rehearsal.report().await.unwrap();
        assert!(!report.passed);
        let failed: Vec<_> = report.checks.iter().filter(|check| !check.holds).collect();
        assert_eq!(failed[0].subject, "AZIP-6");
        assert_eq!((&*failed[0].expected, &*failed[0].found), ("executed", "rejected"));
        assert!(report.to_text().contains("✗"));
    });
}
