//! The checks of a payload before the first signal for it.

use crate::{client::Client, error::Error, severity::Severity};
use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, keccak256};
use canon_protocol::{Action, actions_hash};

/// A defect of a payload, which prevents signals for it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// There is no code at the address, or it lists no actions that decode.
    #[error(transparent)]
    Unreadable(#[from] Error),
    /// It lists no actions: Governance would refuse it.
    #[error("{payload} lists no actions; Governance would refuse it")]
    Empty {
        /// The address that was given for the payload.
        payload: Address,
    },
    /// Its code hash isn't the one that the proposal's document pins.
    #[error(
        "{payload} has the code hash {found} and not {expected}; it isn't the payload of that document"
    )]
    CodeHash {
        /// The address that was given for the payload.
        payload: Address,
        /// The pinned hash.
        expected: B256,
        /// The hash found.
        found: B256,
    },
}

impl PayloadError {
    /// The severity: what a program does about it.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Unreadable(error) => error.severity(),
            Self::Empty { .. } | Self::CodeHash { .. } => Severity::Skip,
        }
    }
}

/// A payload that may be signaled for.
#[derive(Clone, Debug)]
pub struct VettedPayload {
    address: Address,
    code_hash: B256,
    actions: Vec<Action>,
}

impl VettedPayload {
    /// Checks, at a block, that there is code, that it is the pinned one, and that it lists actions when Governance
    /// asks.
    ///
    /// # Errors
    ///
    /// [`PayloadError`].
    pub async fn vet_at(
        client: &Client,
        at: BlockId,
        governance: Address,
        payload: Address,
        pinned: Option<B256>,
    ) -> Result<Self, PayloadError> {
        let found = keccak256(client.expect_code(at, "the payload", payload).await?);
        if let Some(expected) = pinned.filter(|pinned| *pinned != found) {
            return Err(PayloadError::CodeHash { payload, expected, found });
        }
        let actions = client.listed_actions(governance, at, payload).await?;
        if actions.is_empty() {
            return Err(PayloadError::Empty { payload });
        }
        Ok(Self { address: payload, code_hash: found, actions })
    }

    /// Its address.
    pub const fn address(&self) -> Address {
        self.address
    }

    /// Its code hash.
    pub const fn code_hash(&self) -> B256 {
        self.code_hash
    }

    /// keccak256 of `abi.encode(actions)` of its list, as in `ProposalFrozen`.
    pub fn actions_hash(&self) -> B256 {
        actions_hash(&self.actions)
    }

    /// The actions that it lists, to be shown to the operator.
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// The actions that it lists, by value.
    pub fn into_actions(self) -> Vec<Action> {
        self.actions
    }
}
