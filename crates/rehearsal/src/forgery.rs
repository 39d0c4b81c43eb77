//! A forged rollup: genuine runtime code over storage that no constructor wrote.
//!
//! The deployer of a contract chooses the init code, which may write any storage and return any code. So
//! neither the hash of the code nor the contract's answers prove anything. Only the address does, if it
//! follows from genuine init code.

use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::{SolCall, SolEvent};
use canon_abi::Rollup;
use canon_payload::{Assembler, op};
use canon_protocol::RawRollupParameters;

const DELEGATECALL: u8 = 0xf4;
const LOG1: u8 = 0xa1;

/// The storage slot of OpenZeppelin's `_owner` in a Rollup: its first base contract with storage is
/// `Ownable`. (In the Asset, `_owner` comes after two variables of `EIP712`.)
const OWNER_SLOT: U256 = U256::ZERO;

/// A staker in the forged storage, who paid nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ForgedStake {
    pub(crate) attester: Address,
    pub(crate) proposer: Address,
    pub(crate) withdrawer: Address,
    /// The stake in the forged storage.
    pub(crate) stake: U256,
}

/// Creation code of a token without balances, which answers `true` to every transfer.
pub(crate) fn worthless_token() -> Bytes {
    let mut code = Assembler::new();
    code.answer(U256::ONE.to_be_bytes::<32>().as_slice());
    code.creation()
}

/// Creation code of a contract with a rollup's runtime code, in which `token` replaces `asset`. Called by
/// `DELEGATECALL`, it writes the same storage for a stake of `token` as a rollup does for a stake of `asset`.
pub(crate) fn stake_writer(runtime: &[u8], asset: Address, token: Address) -> Bytes {
    let (asset, token) = (asset.into_word(), token.into_word());
    let mut forged = runtime.to_vec();
    let mut position = 0;
    while let Some(word) = forged.get_mut(position..position + 32) {
        if word == asset.as_slice() {
            word.copy_from_slice(token.as_slice());
        }
        position += 1;
    }
    let mut code = Assembler::new();
    code.answer(&forged);
    code.runtime()
}

/// Init code that writes the owner, makes `stake_writer` write the forged stake, emits the event of the
/// genuine constructor, and returns the genuine runtime code.
pub(crate) fn forged_rollup(
    runtime: &[u8],
    parameters: &RawRollupParameters,
    stake_writer: Address,
    forged_stake: ForgedStake,
) -> Bytes {
    let deployed = Rollup::RollupDeployed { parameters: (*parameters).into() };
    let deposit = Rollup::depositCall {
        attester: forged_stake.attester,
        proposer: forged_stake.proposer,
        withdrawer: forged_stake.withdrawer,
        amount: forged_stake.stake,
    };
    let (event, deposit) = (deployed.encode_data(), deposit.abi_encode());
    let address = |address: Address| U256::from_be_bytes(address.into_word().0);
    let mut code = Assembler::new();
    code.push(address(parameters.owner)).push(OWNER_SLOT).ops(&[op::SSTORE]);
    code.in_memory(&event).push(Rollup::RollupDeployed::SIGNATURE_HASH.into());
    code.push(U256::from(event.len())).ops(&[op::PUSH0, LOG1]);
    code.in_memory(&deposit).ops(&[op::PUSH0, op::PUSH0]).push(U256::from(deposit.len()));
    code.ops(&[op::PUSH0]).push(address(stake_writer)).ops(&[op::GAS, DELEGATECALL]);
    code.jump_if("staked").fail(&[]);
    code.label("staked").answer(runtime);
    code.runtime()
}

#[cfg(test)]
mod tests;
