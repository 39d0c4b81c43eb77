//! Commands of Foundry's `cast` that people are advised to run.

use alloy_primitives::Address;
use canon_chain::tx::Fees;

/// The command that uses a nonce of an account for an empty transfer. The fees are those with which every pool lets it
/// replace the transaction that it has; `None` if they aren't known.
pub(crate) fn use_up(account: Address, nonce: u64, fees: Option<Fees>) -> String {
    let transfer = format!("cast send {account} --value 0 --nonce {nonce}");
    match fees {
        Some(Fees { max_fee, tip }) => {
            format!("{transfer} --gas-price {max_fee} --priority-gas-price {tip} --rpc-url URL")
        }
        None => format!(
            "{transfer} --gas-price FEE --priority-gas-price TIP --rpc-url URL, where each fee is more than a tenth \
             above the one that it replaces"
        ),
    }
}
