//! Ballots that are sent again: none counts twice.

use crate::{
    test_chain::newest_view,
    tx_chain::{TxChain, confirmed, failures, sent, sent_once_final, transactions},
};
use alloy_consensus::Transaction;
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, Bytes, bytes};
use alloy_provider::Provider;
use alloy_rpc_types_eth::Filter;
use alloy_sol_types::{SolCall, SolEvent};
use canon_abi::{Governance, UpgradePayload};
use canon_chain::{Checks, NoWait, Sender, calls, tx::MemoryJournal};
use canon_devchain::Mining;
use canon_protocol::{Action, Amount, ProposalId, Support};
use canon_views::{IntendedAction, Intent, Question};
use core::slice::from_ref;

const ID: ProposalId = ProposalId::ZERO;
const PAYLOAD: Address = Address::repeat_byte(0xf1);
const POWER: u128 = 10_000 * Amount::TOKEN.get();

/// A payload with one action.
fn payload() -> Bytes {
    let action = Action { target: Address::repeat_byte(9), data: Bytes::new() };
    let list = vec![action.into()];
    let data = UpgradePayload::getActionsCall::abi_encode_returns(&list);
    let length = u16::try_from(data.len()).unwrap().to_be_bytes();
    let copy = [&[0x61][..], &length, &bytes!("600c5f3961"), &length, &bytes!("5ff3")].concat();
    [&copy[..], &data].concat().into()
}

/// A proposal on which the account can cast [`POWER`] in the next block.
async fn active(chain: &TxChain) {
    chain.devchain.set_code(PAYLOAD, payload()).unwrap();
    chain.devchain.set_mining(Mining::Auto);
    let mut sender = Sender::new(chain.client.clone(), chain.key.clone());
    let (governance, holder) = (chain.set.governance, chain.account());
    // The lock of a proposal isn't among the power that can be cast on it.
    for call in [
        calls::approve(chain.set.asset, governance, Amount::of(2 * POWER)),
        calls::lock(governance, holder, Amount::of(2 * POWER)),
        calls::propose_with_lock(governance, PAYLOAD, holder),
    ] {
        sender.send(call, &mut NoWait).await.unwrap();
    }
    let view = newest_view(&chain.client, chain.set.registry, &Question::default()).await.unwrap();
    let deadlines = view.proposal(ID).unwrap().deadlines();
    chain.devchain.set_next_timestamp(deadlines.voting_starts().get()).unwrap();
    let power = chain.power().await;
    chain.mine(1);
    assert!(power >= Amount::of(POWER), "{power}");
    chain.devchain.set_mining(Mining::Manual);
}

fn vote(chain: &TxChain, amount: Amount) -> Intent {
    let (holder, support) = (chain.account(), Support::Yea);
    chain.intent(IntendedAction::Vote { holder, id: ID, support, amount })
}

/// The amounts of the ballots that were cast.
async fn cast(chain: &TxChain) -> Vec<Amount> {
    let filter = Filter::new().from_block(0).address(chain.set.governance);
    let filter = filter.event_signature(Governance::VoteCast::SIGNATURE_HASH);
    let logs = chain.client.provider().get_logs(&filter).await.unwrap();
    let events = logs.iter().map(|log| Governance::VoteCast::decode_log(&log.inner).unwrap());
    events.map(|event| Amount::try_from(event.amount).unwrap()).collect()
}

/// A ballot's nonce is used by a wallet with the same key, and the ballot is wanted again; then the blocks since are
/// replaced, and in the first one of them the first transaction is mined after all. What was sent since is mined as
/// well.
#[tokio::test]
async fn a_ballot_that_was_superseded_counts_once_whatever_is_reorganized() {
    for (is_whole, is_restarted) in [(false, false), (false, true), (true, false)] {
        let chain = TxChain::new().await;
        active(&chain).await;
        let power = chain.power().await;
        let amount = if is_whole { power } else { Amount::of(7) };
        let journal = MemoryJournal::default();
        let mut sender = chain.sender(&journal);
        let ballot = vote(&chain, amount);
        let before = chain.devchain.snapshot();
        assert_eq!(sent(&chain.pursue(&mut sender, from_ref(&ballot)).await).len(), 1);
        let first = transactions(&journal).pop().unwrap();
        chain.devchain.revert(before).unwrap();
        let call = calls::approve(chain.set.asset, Address::with_last_byte(9), Amount::of(1));
        let mut wallet =
            Sender::new(chain.client.clone(), chain.key.clone()).with_nonce(first.nonce());
        let next = chain.client.next_block().await.unwrap();
        let _ = wallet.submit(call, Checks::Full, next).await.unwrap();
        chain.mine(1);
        if is_restarted {
            sender = chain.sender(&journal);
        }
        let reports = chain.pursue_and_mine(&mut sender, from_ref(&ballot)).await;
        // Twice the whole power can't be cast, so that is sent at once.
        assert_eq!(sent(&reports).len(), usize::from(is_whole), "{reports:?}");
        assert_eq!(failures(&reports).len(), usize::from(!is_whole), "{reports:?}");
        let newer = transactions(&journal).into_iter().filter(|tx| tx.nonce() > first.nonce());
        let newer = newer.map(|tx| tx.encoded_2718().into()).collect();
        chain.reorganize(2, vec![vec![first.encoded_2718().into()], newer]);
        for _ in 0..3 {
            // The state shows that it is cast.
            chain.pursue_and_mine(&mut sender, &[]).await;
        }
        assert_eq!(cast(&chain).await, [amount], "{is_whole}, {is_restarted}");
    }
}

#[tokio::test]
async fn a_part_of_the_power_is_cast_again_once_another_use_of_its_nonce_is_final() {
    let chain = TxChain::new().await;
    active(&chain).await;
    let journal = MemoryJournal::default();
    let mut sender = chain.sender(&journal);
    let ballot = [vote(&chain, Amount::of(7))];
    chain.pursue(&mut sender, &ballot).await;
    // It is given up, and wanted again.
    chain.pursue_and_mine(&mut sender, &[]).await;
    sent_once_final(&chain, &mut sender, &ballot).await;
    assert_eq!(confirmed(&chain.pursue(&mut sender, &ballot).await), [ballot[0].id()]);
    assert_eq!(cast(&chain).await, [Amount::of(7)]);
}
