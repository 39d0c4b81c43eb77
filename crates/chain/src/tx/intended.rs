//! The transaction of an intent.

use crate::{call::ContractCall, calls};
use alloy_primitives::{Signature, U256};
use canon_abi::{Governance, Revert};
use canon_views::{IntendedAction, Intent, PermitTerms};

/// The call that does what an intent asks for, with the events that prove it. `permit` is the
/// signature over the intent's [terms](PermitTerms), if it has some.
pub(crate) fn contract_call(intent: &Intent, permit: Option<&Signature>) -> ContractCall {
    let governance = intent.set.governance;
    match intent.action {
        IntendedAction::Signal { proposals, payload, .. } => calls::signal(proposals, payload),
        IntendedAction::ProposeBlock { rollup, block_hash, .. } => {
            calls::propose_block(rollup, block_hash)
        }
        IntendedAction::RecordSeed { rollup, .. } => calls::setup_epoch(rollup),
        IntendedAction::Push { proposals, round, .. } => calls::push(proposals, governance, round),
        IntendedAction::Execute { id, .. } => calls::execute(governance, id),
        IntendedAction::Drop { id } => calls::drop_proposal(governance, id),
        IntendedAction::PayWithdrawal { id } => calls::finalise_withdrawal(governance, id),
        IntendedAction::PayExit { rollup, attester, .. } => {
            calls::finalise_unstake(rollup, attester)
        }
        IntendedAction::Approve { asset, amount, .. } => calls::approve(asset, governance, amount),
        IntendedAction::Lock { holder, amount, permit: None, .. } => {
            calls::lock(governance, holder, amount)
        }
        IntendedAction::Lock {
            holder, amount, permit: Some(PermitTerms { deadline, .. }), ..
        } => {
            let unsigned = Signature::new(U256::ZERO, U256::ZERO, false);
            let permit = permit.unwrap_or(&unsigned);
            calls::lock_with_permit(governance, holder, amount, deadline, permit)
        }
        IntendedAction::Vote { id, support, amount, .. } => {
            calls::vote(governance, id, amount, support)
        }
        IntendedAction::Withdraw { to, amount, .. } => calls::withdraw(governance, to, amount),
        IntendedAction::AnnounceMove { rollup, attester, to, .. } => {
            calls::announce_move(rollup, attester, to)
        }
        IntendedAction::FinaliseMove { rollup, attester, new_attester: None, .. } => {
            calls::finalise_move(rollup, attester)
        }
        IntendedAction::FinaliseMove { rollup, attester, new_attester: Some(there), .. } => {
            calls::finalise_move_as(rollup, attester, there.attester)
        }
    }
}

/// The call that executes a proposal with the actions that were published when it was made, if the
/// intent has them.
pub(crate) fn fallback_call(intent: &Intent) -> Option<ContractCall> {
    let IntendedAction::Execute { id, frozen_actions: Some(actions) } = &intent.action else {
        return None;
    };
    Some(calls::execute_with(intent.set.governance, *id, actions.to_vec()))
}

/// Whether a transaction for `sent` does what `wanted` asks for. A permit is signed anew for every
/// block, and any does. The actions that were frozen may be known to one view and not to another.
pub(crate) fn does_the_same(sent: &IntendedAction, wanted: &IntendedAction) -> bool {
    let essence = |action: &IntendedAction| {
        let mut action = action.clone();
        match &mut action {
            IntendedAction::Lock { permit, .. } => *permit = None,
            IntendedAction::Execute { frozen_actions, .. } => *frozen_actions = None,
            _ => {}
        }
        action
    };
    essence(sent) == essence(wanted)
}

/// Whether an execution was refused since the payload returns something else than what was voted on,
/// or nothing.
pub(crate) fn withholds(revert: &Revert) -> bool {
    revert.is::<Governance::Governance__ActionsChanged>()
        || revert.is::<Governance::Governance__UnreadableActions>()
        || revert.is::<Governance::Governance__NoActions>()
        || revert.is::<Governance::NoCode>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{Address, B256};
    use canon_protocol::{
        Action, Amount, Epoch, Nonce, ProposalId, Round, Slot, Support, Timestamp, WithdrawalId,
    };
    use canon_views::{NewAttester, OrderId, SetId};

    const fn address(number: u8) -> Address {
        Address::repeat_byte(number)
    }

    /// One of each.
    fn actions() -> Vec<IntendedAction> {
        let (holder, order, amount) = (address(1), OrderId(7), Amount::of(5));
        let (proposals, rollup, payload) = (address(2), address(3), address(4));
        let (attester, time) = (address(5), Timestamp::of(9));
        let terms = PermitTerms { nonce: Nonce::try_from(U256::from(3)).unwrap(), deadline: time };
        let finalise = |new_attester| IntendedAction::FinaliseMove {
            rollup,
            attester,
            new_attester,
            ready_at: time,
        };
        let vote =
            |support| IntendedAction::Vote { holder, id: ProposalId::of(2), support, amount };
        vec![
            IntendedAction::Signal {
                proposals,
                rollup,
                slot: Slot::of(1),
                payload,
                proposer: holder,
            },
            IntendedAction::ProposeBlock {
                rollup,
                slot: Slot::of(1),
                block_hash: B256::repeat_byte(6),
                proposer: holder,
            },
            IntendedAction::RecordSeed { rollup, epoch: Epoch::of(2) },
            IntendedAction::Push { proposals, rollup, round: Round::of(3), payload },
            IntendedAction::Execute { id: ProposalId::of(2), frozen_actions: None },
            IntendedAction::Execute {
                id: ProposalId::of(2),
                frozen_actions: Some(
                    [Action { target: address(13), data: vec![1, 2].into() }].into(),
                ),
            },
            IntendedAction::Drop { id: ProposalId::of(2) },
            IntendedAction::PayWithdrawal { id: WithdrawalId::of(4) },
            IntendedAction::PayExit { rollup, attester, exitable_at: time },
            IntendedAction::Approve { holder, order, asset: address(8), amount },
            IntendedAction::Lock { holder, order, amount, permit: None },
            IntendedAction::Lock { holder, order, amount, permit: Some(terms) },
            vote(Support::Yea),
            vote(Support::Nea),
            IntendedAction::Withdraw { holder, order, to: address(9), amount },
            IntendedAction::AnnounceMove { rollup, attester, to: address(10), withdrawer: holder },
            finalise(None),
            finalise(Some(NewAttester { attester: address(11), withdrawer: holder })),
        ]
    }

    fn intent(action: IntendedAction) -> Intent {
        let set = SetId { chain_id: 1, governance: address(12) };
        Intent { set, action, until: None }
    }

    #[test]
    fn a_transaction_is_the_call_that_the_intent_has() {
        let permit = Signature::new(U256::from(21), U256::from(22), true);
        for action in actions() {
            let intent = intent(action.clone());
            let (v, r, s) = (28, permit.r().into(), permit.s().into());
            let expected = intent.call(Some((v, r, s))).unwrap();
            let call = contract_call(&intent, Some(&permit));
            assert_eq!(call.to().to(), Some(&expected.contract), "{action:?}");
            assert_eq!(*call.input(), expected.call.abi_encode(), "{action:?}");
            let fallback = fallback_call(&intent).map(|call| call.input().clone());
            let expected = intent.fallback_call().map(|fallback| fallback.call.abi_encode());
            assert_eq!(fallback, expected, "{action:?}");
        }
    }

    #[test]
    fn only_a_permit_and_what_is_known_of_the_frozen_actions_may_differ() {
        let all = actions();
        for (index, one) in all.iter().enumerate() {
            for (other_index, other) in all.iter().enumerate() {
                let are = |same: [usize; 2]| {
                    [index, other_index].iter().all(|index| same.contains(index))
                };
                let (executions, locks) = ([4, 5], [10, 11]);
                let expected = index == other_index || are(executions) || are(locks);
                assert_eq!(does_the_same(one, other), expected, "{one:?} {other:?}");
            }
        }
    }
}
