//! The reasons why a transaction can't be part of a block.

use revm::context::result::{EVMError, InvalidTransaction};

/// The reason why a transaction can't be part of a block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct Invalid {
    reason: String,
    pub(crate) kind: InvalidKind,
}

/// The kind of a reason why a transaction can't be part of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InvalidKind {
    /// The gas limit is below the intrinsic cost, so that a larger one may make the transaction
    /// valid.
    TooLittleGas,
    NonceTooLow,
    NonceTooHigh,
    BelowBaseFee,
    Funds,
    BlockGasLimit,
    SenderHasCode,
    InitCodeSize,
    /// The execution was stopped before its end.
    Stopped,
    Other,
}

impl<E> From<&EVMError<E>> for InvalidKind {
    fn from(error: &EVMError<E>) -> Self {
        let error = match error {
            EVMError::Transaction(error) => error,
            EVMError::Custom(_) => return Self::Stopped,
            _ => return Self::Other,
        };
        match error {
            InvalidTransaction::CallGasCostMoreThanGasLimit { .. }
            | InvalidTransaction::GasFloorMoreThanGasLimit { .. } => Self::TooLittleGas,
            InvalidTransaction::NonceTooLow { .. } => Self::NonceTooLow,
            InvalidTransaction::NonceTooHigh { .. } => Self::NonceTooHigh,
            InvalidTransaction::GasPriceLessThanBasefee => Self::BelowBaseFee,
            InvalidTransaction::LackOfFundForMaxFee { .. }
            | InvalidTransaction::OverflowPaymentInTransaction => Self::Funds,
            InvalidTransaction::CallerGasLimitMoreThanBlock => Self::BlockGasLimit,
            InvalidTransaction::RejectCallerWithCode => Self::SenderHasCode,
            InvalidTransaction::CreateInitCodeSizeLimit => Self::InitCodeSize,
            _ => Self::Other,
        }
    }
}

impl<E> From<EVMError<E>> for Invalid {
    fn from(error: EVMError<E>) -> Self {
        let kind = InvalidKind::from(&error);
        let reason = match error {
            EVMError::Transaction(error) => describe_invalid(&error),
            EVMError::Header(error) => error.to_string(),
            EVMError::Database(_) => "the state can't be read".to_owned(),
            EVMError::Custom(error) => error,
            EVMError::CustomAny(error) => error.to_string(),
        };
        Self { reason, kind }
    }
}

/// The reason in words. Messages that clients are known to search for are geth's.
fn describe_invalid(error: &InvalidTransaction) -> String {
    match error {
        InvalidTransaction::LackOfFundForMaxFee { fee, balance } => {
            format!("insufficient funds for gas * price + value: balance {balance}, tx cost {fee}")
        }
        InvalidTransaction::CallGasCostMoreThanGasLimit { initial_gas, gas_limit } => {
            format!("intrinsic gas too low: have {gas_limit}, want {initial_gas}")
        }
        InvalidTransaction::GasFloorMoreThanGasLimit { gas_floor, gas_limit } => {
            format!("insufficient gas for floor data gas cost: have {gas_limit}, want {gas_floor}")
        }
        InvalidTransaction::NonceTooLow { tx, state } => {
            format!("nonce too low: next nonce {state}, tx nonce {tx}")
        }
        InvalidTransaction::NonceTooHigh { tx, state } => {
            format!("nonce too high: next nonce {state}, tx nonce {tx}")
        }
        InvalidTransaction::RejectCallerWithCode => "sender not an eoa".to_owned(),
        other => other.to_string(),
    }
}
