//! Ballots. They may be partial and for both sides, and can't be taken back. Ballots against a proposal are
//! taken for longer, so that nobody can decide it in the last second without an answer.

use super::{Governance, GovernanceEvent, GovernanceRefusal, Support};
use crate::{
    call_frame::{CallFrame, Decision},
    messages::Log,
    refusal::Refusal,
    units::{Amount, Nonce, TooLarge},
};
use alloy_primitives::{Address, U256};

pub(super) fn vote(
    frame: CallFrame<'_>,
    governance: &Governance,
    id: U256,
    amount: U256,
    support: Support,
) -> Decision {
    Ok(vec![cast(frame, governance, id, amount, support, frame.caller, U256::MAX)?])
}

/// Decides a ballot of `voter`, which can be cast up to `deadline`.
fn cast(
    frame: CallFrame<'_>,
    governance: &Governance,
    id: U256,
    amount: U256,
    support: Support,
    voter: Address,
    deadline: U256,
) -> Result<Log, Refusal> {
    let (proposal_id, _) = governance.proposal(id)?;
    let available = governance.ballot_left(id, voter, support, frame.now())?;
    let timestamp = frame.now().to_word();
    if timestamp > deadline {
        return Err(GovernanceRefusal::SignatureExpired { timestamp, deadline }.into());
    }
    if amount.is_zero() {
        return Err(GovernanceRefusal::ZeroAmount.into());
    }
    match Amount::try_from(amount) {
        Ok(amount) if amount <= available => {
            Ok(frame.log(GovernanceEvent::VoteCast { proposal_id, voter, support, amount }))
        }
        _ => Err(GovernanceRefusal::InsufficientPower {
            holder: voter,
            available: available.to_word(),
            needed: amount,
        }
        .into()),
    }
}

pub(super) fn vote_with_sig(
    frame: CallFrame<'_>,
    governance: &Governance,
    id: U256,
    amount: U256,
    support: Support,
    voter: Address,
    (deadline, signature): (U256, &[u8]),
) -> Decision {
    let (proposal_id, proposal) = governance.proposal(id)?;
    let nonce = proposal.ballot_nonce(voter);
    let message = proposal.ballot_message(proposal_id, voter, amount, support, deadline);
    let digest = message.signing_hash(frame.set.addresses().chain_id, frame.this);
    if !frame.is_signed(voter, digest, signature) {
        return Err(GovernanceRefusal::InvalidSignature { voter, nonce: nonce.to_word() }.into());
    }
    raised(nonce, 1)?;
    Ok(vec![
        frame.log(GovernanceEvent::NonceUsed { proposal_id, holder: voter, nonce }),
        cast(frame, governance, id, amount, support, voter, deadline)?,
    ])
}

/// The number by which an invalidation raises the next nonce. It is larger than the number of ballots that
/// anybody signs.
const INVALIDATED_NONCES: u64 = 1 << 32;

/// Invalidates all that the caller has signed on proposal `id` so far, whether or not ballots are taken.
pub(super) fn invalidate_ballots(
    frame: CallFrame<'_>,
    governance: &Governance,
    id: U256,
) -> Decision {
    let (proposal_id, proposal) = governance.proposal(id)?;
    let holder = frame.caller;
    let next_nonce = raised(proposal.ballot_nonce(holder), INVALIDATED_NONCES)?;
    Ok(vec![frame.log(GovernanceEvent::BallotsInvalidated { proposal_id, holder, next_nonce })])
}

/// Returns `nonce` plus `count`, or an error if that doesn't fit 64 bits.
fn raised(nonce: Nonce, count: u64) -> Result<Nonce, TooLarge> {
    Nonce::try_from(nonce.to_word() + U256::from(count))
}
