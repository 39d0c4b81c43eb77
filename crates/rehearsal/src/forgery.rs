//! A forged rollup: genuine runtime code over storage that no constructor wrote.
//!
//! Whoever deploys a contract chooses the init code, and that may write any storage before it returns
//! whatever code it likes. So neither the code's hash nor what the contract answers proves anything; its
//! address does, if it follows from genuine init code.

use alloy::{
    primitives::{Address, Bytes, U256},
    sol_types::{SolCall, SolEvent},
};
use canon_bindings::Rollup;
use canon_payload::{Assembler, op};
use canon_protocol::RawRollupParameters;

const DELEGATECALL: u8 = 0xf4;
const LOG1: u8 = 0xa1;

/// The slot of OpenZeppelin's `_owner`, the first variable of every owned contract.
const OWNER_SLOT: U256 = U256::ZERO;

/// A staker who staked nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ghost {
    pub(crate) attester: Address,
    pub(crate) proposer: Address,
    pub(crate) withdrawer: Address,
    /// What the forged storage says it staked.
    pub(crate) stake: U256,
}

/// Creation code of a token that lets everybody move everything, and moves nothing.
pub(crate) fn dupe_token() -> Bytes {
    let mut code = Assembler::new();
    code.answer(U256::ONE.to_be_bytes::<32>().as_slice());
    code.creation()
}

/// Creation code of a rollup's runtime code with another asset: called by `DELEGATECALL`, it writes
/// genuine storage for stakes of that asset.
pub(crate) fn accomplice(runtime: &[u8], asset: Address, dupe: Address) -> Bytes {
    let (asset, dupe) = (asset.into_word(), dupe.into_word());
    let mut forged = runtime.to_vec();
    let mut position = 0;
    while let Some(word) = forged.get_mut(position..position + 32) {
        if word == asset.as_slice() {
            word.copy_from_slice(dupe.as_slice());
        }
        position += 1;
    }
    let mut code = Assembler::new();
    code.answer(&forged);
    code.runtime()
}

/// Init code that writes the owner, has the accomplice write the ghost's stake, emits the event of the
/// genuine constructor, and returns the genuine runtime code.
pub(crate) fn forged_rollup(
    runtime: &[u8],
    parameters: &RawRollupParameters,
    accomplice: Address,
    ghost: Ghost,
) -> Bytes {
    let deployed = Rollup::RollupDeployed { parameters: (*parameters).into() };
    let deposit = Rollup::depositCall {
        attester: ghost.attester,
        proposer: ghost.proposer,
        withdrawer: ghost.withdrawer,
        amount: ghost.stake,
    };
    let (event, deposit) = (deployed.encode_data(), deposit.abi_encode());
    let address = |address: Address| U256::from_be_bytes(address.into_word().0);
    let mut code = Assembler::new();
    code.push(address(parameters.owner)).push(OWNER_SLOT).ops(&[op::SSTORE]);
    code.in_memory(&event).push(Rollup::RollupDeployed::SIGNATURE_HASH.into());
    code.push(U256::from(event.len())).ops(&[op::PUSH0, LOG1]);
    code.in_memory(&deposit).ops(&[op::PUSH0, op::PUSH0]).push(U256::from(deposit.len()));
    code.ops(&[op::PUSH0]).push(address(accomplice)).ops(&[op::GAS, DELEGATECALL]);
    code.jump_if("staked").fail(&[]);
    code.label("staked").answer(runtime);
    code.runtime()
}

#[cfg(test)]
mod tests;
