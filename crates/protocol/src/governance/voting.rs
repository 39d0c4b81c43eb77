//! Ballots: partial, in either direction, and for good.

use super::{GovernanceEvent, GovernanceRefusal, Support};
use crate::{
    messages::Log,
    refusal::Refusal,
    scene::{Decision, Scene},
    signature::Ballot,
    units::Amount,
};
use alloy::{
    primitives::{Address, U256},
    sol_types::SolStruct,
};

pub(super) fn vote(scene: Scene<'_>, id: U256, amount: U256, support: Support) -> Decision {
    Ok(vec![cast(scene, id, amount, support, scene.caller, U256::MAX)?])
}

/// A ballot of `voter`, which can be cast up to `deadline`.
fn cast(
    scene: Scene<'_>,
    id: U256,
    amount: U256,
    support: Support,
    voter: Address,
    deadline: U256,
) -> Result<Log, Refusal> {
    let governance = &scene.world.governance;
    let (proposal_id, _) = governance.proposal(id)?;
    let available = governance.ballot_left(id, voter, scene.now())?;
    let timestamp = scene.now().to_word();
    if timestamp > deadline {
        return Err(GovernanceRefusal::SignatureExpired { timestamp, deadline }.into());
    }
    if amount.is_zero() {
        return Err(GovernanceRefusal::ZeroAmount.into());
    }
    match Amount::try_from(amount) {
        Ok(amount) if amount <= available => {
            Ok(scene.log(GovernanceEvent::VoteCast { proposal_id, voter, support, amount }))
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
    scene: Scene<'_>,
    id: U256,
    amount: U256,
    support: Support,
    voter: Address,
    deadline: U256,
    signature: &[u8],
) -> Decision {
    let nonce = scene.world.governance.nonce(voter).to_word();
    let message =
        Ballot { proposalId: id, amount, support: support == Support::Yea, voter, nonce, deadline };
    let digest = message.eip712_signing_hash(&scene.domain("Governance"));
    if !scene.is_signed(voter, digest, signature) {
        return Err(GovernanceRefusal::InvalidSignature { voter, nonce }.into());
    }
    Ok(vec![use_nonce(scene, voter), cast(scene, id, amount, support, voter, deadline)?])
}

/// `holder`'s next nonce is used up.
pub(super) fn use_nonce(scene: Scene<'_>, holder: Address) -> Log {
    let nonce = scene.world.governance.nonce(holder);
    scene.log(GovernanceEvent::NonceUsed { holder, nonce })
}
