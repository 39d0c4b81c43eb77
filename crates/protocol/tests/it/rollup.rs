//! Staking, slots, moves, blocks.

mod blocks;
mod draws;
mod moves;
mod staking;

use crate::chain::{Chain, GOVERNANCE, ROLLUP, STAKE, named, tokens};
use alloy_primitives::{Address, B256, U256};
use canon_protocol::{Event, Refusal, Rollup, RollupCall};

const NEXT: Address = Address::with_last_byte(0xc1);

fn rollup(chain: &Chain) -> &Rollup {
    chain.set.rollup(ROLLUP).unwrap()
}

fn attester(number: usize) -> Address {
    named(&format!("attester {number}"))
}

fn deposit(number: usize) -> RollupCall {
    RollupCall::Deposit {
        attester: attester(number),
        proposer: named(&format!("proposer {number}")),
        withdrawer: named(&format!("withdrawer {number}")),
        amount: U256::from(STAKE),
    }
}

fn withdraw(number: usize) -> RollupCall {
    RollupCall::InitiateWithdraw { attester: attester(number), recipient: named("recipient") }
}

fn finalize(number: usize) -> RollupCall {
    RollupCall::FinaliseWithdraw { attester: attester(number) }
}

fn start_move(number: usize, new_rollup: Address) -> RollupCall {
    RollupCall::InitiateMove { attester: attester(number), new_rollup }
}

fn finalize_move(number: usize) -> RollupCall {
    RollupCall::FinaliseMove { attester: attester(number) }
}

fn slash(number: usize, amount: u128) -> RollupCall {
    RollupCall::Slash { attester: attester(number), amount: tokens(amount) }
}

/// Makes a call as the owner, without a proposal.
fn as_owner(chain: &mut Chain, call: RollupCall) -> Result<Vec<Event>, Refusal> {
    chain.send(GOVERNANCE, ROLLUP, call)
}

const fn block(number: u8) -> RollupCall {
    RollupCall::ProposeBlock { block_hash: B256::repeat_byte(number) }
}
