//! The transaction of an intent.

use crate::{call::ContractCall, calls, deploy::Create2Origin};
use alloy_primitives::{Address, Bytes, Signature, TxKind};
use alloy_sol_types::SolCall;
use canon_abi::{Governance, Revert};
use canon_protocol::Refusal;
use canon_views::{IntendedAction, IntendedCall, Intent};

/// The call that carries out an intent, with the events that prove it. A lock that needs a permit uses the
/// signature over the intent's [terms](canon_views::PermitTerms); without a signature the result is `None`.
pub(crate) fn contract_call(intent: &Intent, permit: Option<&Signature>) -> Option<ContractCall> {
    if let Some(creation) = creation(&intent.action) {
        return Some(creation);
    }
    let permit =
        permit.map(|permit| (27 + u8::from(permit.v()), permit.r().into(), permit.s().into()));
    of_intended(intent, &intent.call(permit)?)
}

/// The call that executes a proposal with the actions published when it was created; `None` if the intent
/// doesn't have them.
pub(crate) fn fallback_call(intent: &Intent) -> Option<ContractCall> {
    of_intended(intent, &intent.fallback_call()?)
}

fn of_intended(intent: &Intent, call: &IntendedCall) -> Option<ContractCall> {
    sent_call(intent, call.contract, call.call.abi_encode())
}

/// The call of a transaction to `to` for an intent, with the events that prove it; `None` if no intent
/// makes such a call.
pub(crate) fn sent_call(intent: &Intent, to: Address, input: Bytes) -> Option<ContractCall> {
    if let Some(call) = creation(&intent.action) {
        return (call.to() == TxKind::Call(to) && *call.input() == input).then_some(call);
    }
    let call = calls::by_selector(to, input)?;
    Some(match intent.action {
        IntendedAction::Push { .. } => calls::freezing(call, intent.set.governance),
        _ => call,
    })
}

/// The call of the factory that creates a contract; `None` for other actions.
fn creation(action: &IntendedAction) -> Option<ContractCall> {
    let IntendedAction::Create { factory, salt, ref init_code, .. } = *action else { return None };
    Some(ContractCall::create2("the creation", Create2Origin { factory, salt }, init_code))
}

/// Whether a call carries out an intent, with any signature for its permit.
pub(crate) fn is_call_for(intent: &Intent, to: Address, input: &Bytes) -> bool {
    if matches!(intent.action, IntendedAction::Create { .. }) {
        return sent_call(intent, to, input.clone()).is_some();
    }
    let permit = Governance::depositWithPermitCall::abi_decode_validate(input).ok();
    let permit = permit.map(|call| (call.v, call.r, call.s));
    let calls = [intent.call(permit), intent.fallback_call()];
    calls
        .into_iter()
        .flatten()
        .any(|call| (call.contract, call.call.abi_encode()) == (to, input.clone()))
}

/// Whether an execution was refused because the payload no longer returns the actions that were voted on.
pub(crate) fn withholds(revert: &Revert) -> bool {
    matches!(revert.refusal(), Refusal::Governance(refusal) if refusal.is_withheld_list())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{B256, U256};
    use canon_abi::{Asset, Proposals, Rollup};
    use canon_protocol::{
        Action, Amount, Epoch, Nonce, ProposalId, Round, Slot, Support, Timestamp, WithdrawalId,
    };
    use canon_views::{NewAttester, PermitTerms, RequestId, SetId};

    const fn address(number: u8) -> Address {
        Address::repeat_byte(number)
    }

    /// One action of each kind.
    fn actions() -> Vec<IntendedAction> {
        let (holder, request, amount) = (address(1), RequestId::of(7), Amount::of(5));
        let (proposals, rollup, payload) = (address(2), address(3), address(4));
        let (attester, time) = (address(5), Timestamp::of(9));
        let terms = PermitTerms { nonce: Nonce::try_from(U256::from(3)).unwrap(), deadline: time };
        let finalize = |new_attester| IntendedAction::FinalizeMove {
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
            IntendedAction::Push {
                proposals,
                rollup,
                round: Round::of(3),
                payload,
                actions_hash: None,
            },
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
            IntendedAction::Approve { holder, request, asset: address(8), amount },
            IntendedAction::Lock { holder, request, beneficiary: None, amount, permit: None },
            IntendedAction::Lock {
                holder,
                request,
                beneficiary: None,
                amount,
                permit: Some(terms),
            },
            IntendedAction::Lock {
                holder,
                request,
                beneficiary: Some(address(14)),
                amount,
                permit: None,
            },
            vote(Support::Yea),
            vote(Support::Nea),
            IntendedAction::Withdraw { holder, request, to: address(9), amount },
            IntendedAction::AnnounceMove { rollup, attester, to: address(10), withdrawer: holder },
            finalize(None),
            finalize(Some(NewAttester { attester: address(11), withdrawer: holder })),
            IntendedAction::SignalSigned {
                proposals,
                rollup,
                slot: Slot::of(1),
                payload,
                signature: vec![7].into(),
            },
            IntendedAction::VoteSigned {
                holder,
                id: ProposalId::of(2),
                nonce: Nonce::of(3),
                support: Support::Nea,
                amount,
                deadline: time,
                signature: vec![8].into(),
            },
            IntendedAction::InvalidateBallots {
                holder,
                id: ProposalId::of(2),
                nonce: Nonce::of(3),
            },
            IntendedAction::Propose {
                holder,
                request,
                payload,
                to: address(9),
                actions_hash: None,
            },
            IntendedAction::ApproveStake { holder, request, asset: address(8), rollup, amount },
            IntendedAction::Stake {
                rollup,
                attester,
                request,
                holder,
                proposer: address(6),
                withdrawer: address(7),
                amount,
            },
            IntendedAction::ExitStake {
                rollup,
                attester,
                withdrawer: holder,
                recipient: address(9),
            },
            IntendedAction::SetCoinbase {
                rollup,
                attester,
                withdrawer: holder,
                coinbase: address(9),
            },
            IntendedAction::Create {
                contract: address(17),
                factory: address(15),
                salt: B256::repeat_byte(16),
                init_code: vec![0xfe].into(),
            },
        ]
    }

    fn intent(action: IntendedAction) -> Intent {
        let set = SetId { chain_id: 1, governance: address(12) };
        Intent { set, action, until: None }
    }

    /// A call as the contract's interface encodes it, with its proof.
    fn encoded(to: Address, call: &impl SolCall) -> ContractCall {
        calls::by_selector(to, call.abi_encode().into()).unwrap()
    }

    /// The expected calls of [`actions`].
    fn expected(permit: &Signature) -> Vec<ContractCall> {
        let (holder, governance, amount) = (address(1), address(12), U256::from(5));
        let (proposals, rollup, payload) = (address(2), address(3), address(4));
        let (attester, deadline, id) = (address(5), U256::from(9), U256::from(2));
        let (asset, to) = (address(8), address(9));
        let lock = |holder| Governance::depositCall { onBehalfOf: holder, amount };
        let vote = |support| Governance::voteCall { id, amount, support };
        let approve = |spender| Asset::approveCall::new((spender, amount));
        let push = Proposals::pushProposalCall { round: U256::from(3) };
        vec![
            encoded(proposals, &Proposals::voteCall { payload }),
            encoded(rollup, &Rollup::proposeBlockCall { blockHash: B256::repeat_byte(6) }),
            encoded(rollup, &Rollup::setupEpochCall {}),
            calls::freezing(encoded(proposals, &push), governance),
            encoded(governance, &Governance::executeCall { id }),
            encoded(governance, &Governance::executeCall { id }),
            encoded(governance, &Governance::dropProposalCall { id }),
            encoded(governance, &Governance::finaliseWithdrawCall { id: U256::from(4) }),
            encoded(rollup, &Rollup::finaliseWithdrawCall { attester }),
            encoded(asset, &approve(governance)),
            encoded(governance, &lock(holder)),
            encoded(
                governance,
                &Governance::depositWithPermitCall {
                    onBehalfOf: holder,
                    amount,
                    deadline,
                    v: 28,
                    r: permit.r().into(),
                    s: permit.s().into(),
                },
            ),
            encoded(governance, &lock(address(14))),
            encoded(governance, &vote(true)),
            encoded(governance, &vote(false)),
            encoded(governance, &Governance::initiateWithdrawCall { to, amount }),
            encoded(rollup, &Rollup::initiateMoveCall { attester, newRollup: address(10) }),
            encoded(rollup, &Rollup::finaliseMove_1Call { attester }),
            encoded(rollup, &Rollup::finaliseMove_0Call { attester, newAttester: address(11) }),
            encoded(proposals, &Proposals::voteWithSigCall { payload, signature: vec![7].into() }),
            encoded(
                governance,
                &Governance::voteWithSigCall {
                    proposalId: id,
                    amount,
                    support: false,
                    voter: holder,
                    deadline,
                    signature: vec![8].into(),
                },
            ),
            encoded(governance, &Governance::invalidateBallotsCall { id }),
            encoded(governance, &Governance::proposeWithLockCall { payload, to }),
            encoded(asset, &approve(rollup)),
            encoded(
                rollup,
                &Rollup::depositCall {
                    attester,
                    proposer: address(6),
                    withdrawer: address(7),
                    amount,
                },
            ),
            encoded(rollup, &Rollup::initiateWithdrawCall { attester, recipient: to }),
            encoded(rollup, &Rollup::setCoinbaseCall { attester, coinbase: to }),
            ContractCall::create2(
                "the creation",
                Create2Origin { factory: address(15), salt: B256::repeat_byte(16) },
                &[0xfe],
            ),
        ]
    }

    #[test]
    fn a_transaction_is_the_call_that_the_intent_has_and_has_its_proof() {
        let permit = Signature::new(U256::from(21), U256::from(22), true);
        let expected = expected(&permit);
        assert_eq!(expected.len(), actions().len());
        for (action, expected) in actions().into_iter().zip(expected) {
            let intent = intent(action);
            let call = contract_call(&intent, Some(&permit)).unwrap();
            assert!(call.is_same(&expected), "{intent:?}: {call:?}, not {expected:?}");
            let needs_permit =
                matches!(intent.action, IntendedAction::Lock { permit: Some(_), .. });
            assert_eq!(contract_call(&intent, None).is_none(), needs_permit, "{intent:?}");
        }
        for (index, one) in actions().into_iter().map(intent).enumerate() {
            for (other, call) in self::expected(&permit).iter().enumerate() {
                let TxKind::Call(to) = call.to() else { panic!("{call:?}") };
                // Executions differ only in whether the frozen actions are known.
                let expected =
                    index == other || [index, other] == [4, 5] || [index, other] == [5, 4];
                assert_eq!(is_call_for(&one, to, call.input()), expected, "{one:?}: {call:?}");
            }
        }
        let with_actions = intent(actions().remove(5));
        let frozen = Governance::Action { target: address(13), data: vec![1, 2].into() };
        let call = Governance::executeWithCall { id: U256::from(2), actions: vec![frozen] };
        let expected = encoded(address(12), &call);
        assert!(fallback_call(&with_actions).unwrap().is_same(&expected));
        assert!(is_call_for(&with_actions, address(12), expected.input()));
        assert!(!is_call_for(&intent(actions().remove(4)), address(12), expected.input()));
        for other in [0, 4] {
            assert!(fallback_call(&intent(actions().remove(other))).is_none());
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
                assert_eq!(one.does_the_same(other), expected, "{one:?} {other:?}");
            }
        }
    }
}
