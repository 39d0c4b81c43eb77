//! A set with many proposals.

use crate::test_chain::{TestChain, deployed};
use alloy_sol_types::SolCall;
use canon_abi::Governance;
use canon_chain::{calls, deploy::DeployedSet};
use canon_devchain::UnsignedCall;
use canon_payload::constant_payload;
use canon_protocol::Amount;

/// The number of calls that fit in a block, each with the maximum gas of a transaction.
const CALLS_PER_BLOCK: u64 = 3;

/// A set with `count` proposals by account 0, which has a little power left.
pub(crate) async fn many_proposals(count: u64) -> (TestChain, DeployedSet) {
    let (chain, set) = deployed().await;
    let found = set.deployment;
    let holder = chain.accounts[0].address();
    let target = found.governance;
    let code =
        constant_payload(&[Governance::Action { target, data: [1, 2, 3].into() }], "about:blank");
    let deploy = UnsignedCall { from: holder, to: None, input: code };
    let (_, created) = chain.devchain.mine_unsigned(&[deploy]).unwrap();
    let payload = created[0].contract.unwrap();
    let lock_amount = Amount::TOKEN.get() * 1_000;
    let amount = Amount::of(lock_amount * (u128::from(count) + 1));
    chain.send(0, calls::approve(found.asset, found.governance, amount)).await.unwrap();
    chain.send(0, calls::lock(found.governance, holder, amount)).await.unwrap();
    let propose = Governance::proposeWithLockCall { payload, to: holder };
    let call = UnsignedCall { from: holder, to: Some(target), input: propose.abi_encode().into() };
    let mut left = count;
    while left > 0 {
        let some = left.min(CALLS_PER_BLOCK);
        let calls = vec![call.clone(); usize::try_from(some).unwrap()];
        let (_, executed) = chain.devchain.mine_unsigned(&calls).unwrap();
        assert!(executed.iter().all(|executed| executed.end.is_success()));
        left -= some;
    }
    (chain, set)
}
