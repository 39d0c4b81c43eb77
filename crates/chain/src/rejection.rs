//! The reason why a node refused a transaction, recognized by its message.

use crate::{execution::ExecutionFailure, severity::Severity};
use alloy_transport::{RpcError, TransportError};
use core::fmt;

/// The reason why a node refused a transaction. It never depends on the contract's execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rejection {
    /// The sender can't pay the value plus the maximum cost of the gas.
    InsufficientFunds,
    /// The chain already has a transaction with this nonce.
    NonceTooLow,
    /// Transactions with lower nonces are missing.
    NonceTooHigh,
    /// The fees are below the node's minimum, or below the block's base fee.
    Underpriced,
    /// The fees don't sufficiently exceed those of the transaction with the same nonce in the pool.
    ReplacementUnderpriced,
    /// The pool already has this transaction.
    AlreadyKnown,
    /// The gas needed or requested exceeds the limit of a transaction or a block.
    GasCap,
    /// The transaction is signed for another chain.
    OtherChain,
    /// The node doesn't accept such transactions, for example because of their size or type.
    Unacceptable,
}

/// The messages of nodes, in lower case. The first entry that occurs in a message, at the beginning of a word, counts.
/// Whatever says that a transaction is known passes for success, so refusals of its type come first.
///
/// Sources: geth `core/txpool/errors.go`, `core/error.go`; reth `rpc-eth-types/src/error`; Nethermind
/// `AcceptTxResult.cs` (names before 1.33, geth's words since); Erigon `txpoolcfg.go`; Besu
/// `RpcErrorType.java`; anvil `eth/error.rs`. The devchain has geth's words.
const TEXTS: &[(&str, Rejection)] = &[
    ("transaction type", Rejection::Unacceptable),
    ("tx type", Rejection::Unacceptable),
    ("type not supported", Rejection::Unacceptable),
    ("replacement transaction underpriced", Rejection::ReplacementUnderpriced),
    ("replacementnotallowed", Rejection::ReplacementUnderpriced),
    ("could not replace existing tx", Rejection::ReplacementUnderpriced),
    ("gas price to replace existing", Rejection::ReplacementUnderpriced),
    ("already known", Rejection::AlreadyKnown),
    ("alreadyknown", Rejection::AlreadyKnown),
    ("already imported", Rejection::AlreadyKnown),
    ("known transaction", Rejection::AlreadyKnown),
    ("existing txn with same hash", Rejection::AlreadyKnown),
    ("nonce too low", Rejection::NonceTooLow),
    ("oldnonce", Rejection::NonceTooLow),
    ("nonce too high", Rejection::NonceTooHigh),
    ("nonce too far in future", Rejection::NonceTooHigh),
    ("noncetoofarinfuture", Rejection::NonceTooHigh),
    ("noncegap", Rejection::NonceTooHigh),
    ("nonce is too distant", Rejection::NonceTooHigh),
    ("transaction with a lower nonce exists", Rejection::NonceTooHigh),
    ("insufficient funds", Rejection::InsufficientFunds),
    ("insufficientfunds", Rejection::InsufficientFunds),
    ("upfront cost exceeds account balance", Rejection::InsufficientFunds),
    ("exceeds block gas limit", Rejection::GasCap),
    ("exceeds max transaction gas limit", Rejection::GasCap),
    ("gas limit too high", Rejection::GasCap),
    ("gas limit is too high", Rejection::GasCap),
    ("gas limit is greater than", Rejection::GasCap),
    ("gas limit reached", Rejection::GasCap),
    ("gaslimitexceeded", Rejection::GasCap),
    ("intrinsic gas too high", Rejection::GasCap),
    ("gas required exceeds", Rejection::GasCap),
    ("gas spent exceeded", Rejection::GasCap),
    ("underpriced", Rejection::Underpriced),
    ("fee too low", Rejection::Underpriced),
    ("feetoolow", Rejection::Underpriced),
    ("less than block base fee", Rejection::Underpriced),
    ("gas price below", Rejection::Underpriced),
    ("priority fee below minimum", Rejection::Underpriced),
    ("invalid chain id", Rejection::OtherChain),
    ("wrong chainid", Rejection::OtherChain),
    ("oversized data", Rejection::Unacceptable),
    ("initcode", Rejection::Unacceptable),
    ("intrinsic gas", Rejection::Unacceptable),
    ("intrinsicgas", Rejection::Unacceptable),
    ("floor data gas", Rejection::Unacceptable),
    ("exceeds the configured cap", Rejection::Unacceptable),
    ("fee cap exceeded", Rejection::Unacceptable),
    ("not an eoa", Rejection::Unacceptable),
    ("senderiscontract", Rejection::Unacceptable),
];

impl Rejection {
    /// The rejection behind a node's message; `None` if the error has no known one.
    pub fn of(error: &TransportError) -> Option<Self> {
        let RpcError::ErrorResp(payload) = error else { return None };
        Self::of_message(&payload.message)
    }

    fn of_message(message: &str) -> Option<Self> {
        if ExecutionFailure::of_message(message) == Some(ExecutionFailure::OutOfGas) {
            return Some(Self::GasCap);
        }
        let message = message.to_lowercase();
        TEXTS.iter().find(|(text, _)| has_words(&message, text)).map(|(_, rejection)| *rejection)
    }

    /// The severity, which determines the reaction of a program.
    pub const fn severity(self) -> Severity {
        match self {
            Self::NonceTooLow
            | Self::NonceTooHigh
            | Self::Underpriced
            | Self::ReplacementUnderpriced
            | Self::AlreadyKnown => Severity::Retry,
            Self::InsufficientFunds | Self::GasCap | Self::Unacceptable => Severity::Skip,
            Self::OtherChain => Severity::Stop,
        }
    }

    /// The advice to the user.
    pub(crate) const fn advice(self) -> &'static str {
        match self {
            Self::InsufficientFunds => "send ether to the account",
            Self::NonceTooLow => {
                "run the command again: it reads the nonce anew, which something else used"
            }
            Self::NonceTooHigh => {
                "wait until the account's earlier transactions are mined, then run the command again"
            }
            Self::Underpriced | Self::ReplacementUnderpriced => {
                "run the command again: it offers more by itself"
            }
            Self::AlreadyKnown => "wait until it is mined",
            Self::GasCap => {
                "check the contract that it calls, or use an endpoint that allows more gas"
            }
            Self::OtherChain => "check the chain id",
            Self::Unacceptable => "use another endpoint",
        }
    }
}

/// Whether a message has a text that begins at the beginning of a word: "unknown transaction" doesn't say that it is
/// a known one.
fn has_words(message: &str, text: &str) -> bool {
    message.match_indices(text).any(|(start, _)| {
        let before = message.get(..start).and_then(|before| before.chars().next_back());
        before.is_none_or(|before| !before.is_alphanumeric())
    })
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InsufficientFunds => "the account has too little ether",
            Self::NonceTooLow => "its nonce is used already",
            Self::NonceTooHigh => "transactions with lower nonces are missing",
            Self::Underpriced => "it offers too low a fee",
            Self::ReplacementUnderpriced => {
                "it offers too little more than the transaction that it replaces"
            }
            Self::AlreadyKnown => "it was sent before",
            Self::GasCap => "it needs more gas than it may have",
            Self::OtherChain => "it is signed for another chain",
            Self::Unacceptable => "the endpoint takes no such transaction",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_transport::TransportErrorKind;

    #[test]
    fn what_nodes_say_is_understood() {
        use Rejection::{
            AlreadyKnown, GasCap, InsufficientFunds, NonceTooHigh, NonceTooLow, OtherChain,
            ReplacementUnderpriced, Unacceptable, Underpriced,
        };
        for (node, message, expected) in [
            ("geth", "already known", AlreadyKnown),
            ("geth", "known transaction: 5c4d", AlreadyKnown),
            ("geth", "nonce too low: address 0x00, tx: 3 state: 5", NonceTooLow),
            ("geth", "nonce too high: address 0x00, tx: 9 state: 5", NonceTooHigh),
            ("geth", "transaction underpriced", Underpriced),
            ("geth", "transaction underpriced: gas tip cap 0, minimum needed 1", Underpriced),
            ("geth", "max fee per gas less than block base fee: address 0x00", Underpriced),
            ("geth", "replacement transaction underpriced", ReplacementUnderpriced),
            (
                "geth",
                "insufficient funds for gas * price + value: balance 0, tx cost 1, overshot 1",
                InsufficientFunds,
            ),
            ("geth", "insufficient funds for transfer", InsufficientFunds),
            ("geth", "exceeds block gas limit", GasCap),
            ("geth", "transaction gas limit too high (cap: 16777216, tx: 16777217)", GasCap),
            ("geth", "gas required exceeds allowance (16777216)", GasCap),
            ("geth", "out of gas", GasCap),
            ("geth", "invalid sender: invalid chain id for signer: have 1 want 2", OtherChain),
            ("geth", "oversized data: transaction size 131073, limit 131072", Unacceptable),
            ("geth", "max initcode size exceeded: code size 49153, limit 49152", Unacceptable),
            ("geth", "intrinsic gas too low: gas 20999, minimum needed 21000", Unacceptable),
            ("geth", "tx fee (1.01 ether) exceeds the configured cap (1.00 ether)", Unacceptable),
            ("geth", "transaction type not supported", Unacceptable),
            ("geth", "transaction type not valid in this context", Unacceptable),
            ("another", "unknown transaction type", Unacceptable),
            ("another", "not a known transaction type", Unacceptable),
            ("another", "unsupported transaction type: 2", Unacceptable),
            ("another", "unknown tx type 2", Unacceptable),
            ("Besu", "Invalid transaction type", Unacceptable),
            ("reth", "already known", AlreadyKnown),
            ("reth", "nonce too low: next nonce 5, tx nonce 3", NonceTooLow),
            ("reth", "nonce too high", NonceTooHigh),
            ("reth", "transaction underpriced", Underpriced),
            ("reth", "transaction priority fee below minimum required priority fee 1", Underpriced),
            ("reth", "replacement transaction underpriced", ReplacementUnderpriced),
            (
                "reth",
                "insufficient funds for gas * price + value: have 0 want 1",
                InsufficientFunds,
            ),
            ("reth", "exceeds block gas limit", GasCap),
            ("reth", "exceeds max transaction gas limit", GasCap),
            ("reth", "gas limit too high", GasCap),
            ("reth", "intrinsic gas too high", GasCap),
            ("reth", "out of gas: gas required exceeds: 16777216", GasCap),
            ("reth", "invalid chain ID", OtherChain),
            ("reth", "sender is not an EOA", Unacceptable),
            ("Nethermind", "already known", AlreadyKnown),
            ("Nethermind", "AlreadyKnown", AlreadyKnown),
            ("Nethermind", "OldNonce, Current nonce: 5, nonce of rejected tx: 3.", NonceTooLow),
            ("Nethermind", "nonce too low", NonceTooLow),
            ("Nethermind", "NonceGap, Future nonce. Expected nonce: 5", NonceTooHigh),
            ("Nethermind", "NonceTooFarInFuture", NonceTooHigh),
            ("Nethermind", "nonce too far in future", NonceTooHigh),
            ("Nethermind", "FeeTooLow, MaxFeePerGas too low", Underpriced),
            ("Nethermind", "FeeTooLowToCompete", Underpriced),
            ("Nethermind", "ReplacementNotAllowed", ReplacementUnderpriced),
            ("Nethermind", "replacement transaction underpriced", ReplacementUnderpriced),
            ("Nethermind", "InsufficientFunds, Account balance: 0", InsufficientFunds),
            ("Nethermind", "insufficient funds for gas * price + value", InsufficientFunds),
            ("Nethermind", "GasLimitExceeded, Gas limit: 1", GasCap),
            ("Nethermind", "gas limit reached", GasCap),
            ("Erigon", "already known", AlreadyKnown),
            ("Erigon", "existing txn with same hash", AlreadyKnown),
            ("Erigon", "nonce too low", NonceTooLow),
            ("Erigon", "underpriced", Underpriced),
            ("Erigon", "fee too low", Underpriced),
            ("Erigon", "replacement transaction underpriced", ReplacementUnderpriced),
            ("Erigon", "could not replace existing tx", ReplacementUnderpriced),
            ("Erigon", "insufficient funds", InsufficientFunds),
            ("Erigon", "gas limit is too high", GasCap),
            ("Erigon", "IntrinsicGas", Unacceptable),
            ("Besu", "Known transaction", AlreadyKnown),
            ("Besu", "Nonce too low", NonceTooLow),
            ("Besu", "Nonce too high", NonceTooHigh),
            ("Besu", "Transaction nonce is too distant from current sender nonce", NonceTooHigh),
            ("Besu", "An invalid transaction with a lower nonce exists", NonceTooHigh),
            ("Besu", "Gas price below configured minimum gas price", Underpriced),
            ("Besu", "Gas price below current base fee", Underpriced),
            ("Besu", "Replacement transaction underpriced", ReplacementUnderpriced),
            ("Besu", "Upfront cost exceeds account balance", InsufficientFunds),
            ("Besu", "Transaction gas limit exceeds block gas limit", GasCap),
            ("Besu", "Wrong chainId", OtherChain),
            ("Besu", "Intrinsic gas exceeds gas limit", Unacceptable),
            ("Besu", "Transaction fee cap exceeded", Unacceptable),
            ("anvil", "transaction already imported", AlreadyKnown),
            ("anvil", "nonce too low", NonceTooLow),
            ("anvil", "Nonce too high", NonceTooHigh),
            ("anvil", "max fee per gas less than block base fee", Underpriced),
            ("anvil", "replacement transaction underpriced", ReplacementUnderpriced),
            (
                "anvil",
                "Tx: [0x00] insufficient gas price to replace existing transaction",
                ReplacementUnderpriced,
            ),
            ("anvil", "Insufficient funds for gas * price + value", InsufficientFunds),
            ("anvil", "intrinsic gas too high -- tx.gas_limit > env.cfg.tx_gas_limit_cap", GasCap),
            ("anvil", "Out of gas: gas required exceeds allowance: 16777216", GasCap),
            ("anvil", "invalid chain id for signer", OtherChain),
        ] {
            assert_eq!(Rejection::of_message(message), Some(expected), "{node}: {message}");
        }
        for message in [
            "",
            "internal error",
            "txpool is full",
            "header not found",
            "spammer",
            "unknown transaction",
            "unknown transaction: 5c4d",
        ] {
            assert_eq!(Rejection::of_message(message), None, "{message}");
        }
    }

    #[test]
    fn only_answers_are_read() {
        let error = TransportErrorKind::custom_str("nonce too low");
        assert_eq!(Rejection::of(&error), None);
    }
}
