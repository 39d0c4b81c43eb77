//! The payload that a sequencer signals for: the operator's setting, and what is checked before
//! the first signal.

use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, keccak256};
use canon_abi::Contract;
use canon_chain::{Client, Error};
use canon_protocol::{
    Action,
    text::{ParseQuantityError, address},
};
use canon_views::SignalPlan;

/// The setting's name.
pub const PROPOSAL_PAYLOAD: &str = "PROPOSAL_PAYLOAD";

/// Other names of it that are met in the wild.
pub const ALIASES: [&str; 2] =
    ["GOVERNANCE_PROPOSER_PAYLOAD_ADDRESS", "GOVERNANCE_PROPOSER_PAYLOAD"];

/// What is wrong with a payload. Nothing is signaled until it is right.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// The text isn't an address, or its letters aren't the checksum (EIP-55).
    #[error("{setting}: {source}; copy the address again from the proposal's own page")]
    NotAnAddress {
        /// The setting's name.
        setting: &'static str,
        /// What is wrong with the text.
        source: ParseQuantityError,
    },
    /// Several names of the setting have values, and not the same.
    #[error("{first} and {second} are set to different addresses; keep one of them")]
    Contradiction {
        /// The name of the first setting that is given.
        first: &'static str,
        /// The name of the second one.
        second: &'static str,
    },
    /// There is no code at the address, or it lists no actions that decode.
    #[error(transparent)]
    Unreadable(#[from] Error),
    /// It lists no actions: Governance would refuse it.
    #[error("{payload} lists no actions; Governance would refuse it")]
    Empty {
        /// The address that was given for the payload.
        payload: Address,
    },
    /// Its code isn't what the proposal's document pins.
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

/// The setting among the variables of an environment, and the names that look like a mistyped one.
///
/// # Errors
///
/// [`PayloadError`], if it is set and can't be meant.
pub fn payload_setting(
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<(Option<Address>, Vec<String>), PayloadError> {
    let parse = |setting, value: &str| {
        address::parse(value).map_err(|source| PayloadError::NotAnAddress { setting, source })
    };
    let (mut found, mut near): (Option<(&'static str, Address)>, _) = (None, Vec::new());
    for (name, value) in variables {
        let known = [PROPOSAL_PAYLOAD].into_iter().chain(ALIASES).find(|known| *known == name);
        match (known, found) {
            (Some(_), _) if value.trim().is_empty() => {}
            (Some(known), None) => found = Some((known, parse(known, &value)?)),
            (Some(second), Some((first, address))) => {
                if parse(second, &value)? != address {
                    return Err(PayloadError::Contradiction { first, second });
                }
            }
            (None, _) if is_near(&name) => near.push(name),
            (None, _) => {}
        }
    }
    Ok((found.map(|(_, address)| address), near))
}

/// Names a payload and something that governance has: the other words differ from guide to guide.
fn is_near(name: &str) -> bool {
    let name = name.to_uppercase();
    name.contains("PAYLOAD")
        && ["PROPOS", "GOVERN", "VOTE", "SIGNAL"].iter().any(|w| name.contains(w))
}

/// A payload that may be signaled for.
#[derive(Clone, Debug)]
pub struct VettedPayload {
    address: Address,
    code_hash: B256,
    actions: Vec<Action>,
}

impl VettedPayload {
    /// Checks that there is code, that it is the pinned one, and that it lists actions.
    ///
    /// # Errors
    ///
    /// [`PayloadError`].
    pub async fn vet(
        client: &Client,
        payload: Address,
        pinned: Option<B256>,
    ) -> Result<Self, PayloadError> {
        let at = BlockId::from(client.head().await?.hash);
        let found = keccak256(client.expect_code(at, "the payload", payload).await?);
        if let Some(expected) = pinned.filter(|pinned| *pinned != found) {
            return Err(PayloadError::CodeHash { payload, expected, found });
        }
        let actions = client.payload_actions(at, payload).await?;
        if actions.is_empty() {
            return Err(PayloadError::Empty { payload });
        }
        Ok(Self { address: payload, code_hash: found, actions })
    }

    /// Where it is.
    pub const fn address(&self) -> Address {
        self.address
    }

    /// Its code hash.
    pub const fn code_hash(&self) -> B256 {
        self.code_hash
    }

    /// Signals for it at once, by the default rules, as long as its code stays the same.
    pub fn signal_plan(&self) -> SignalPlan {
        SignalPlan::new(self.address, self.code_hash)
    }

    /// What it lists: to be shown to the operator.
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }
}

/// Whether an action is an assertion: a call of one of Expect's functions, on the set's own Expect.
/// The same call on another target asserts nothing, since that may do anything or nothing.
pub fn is_assertion(action: &Action, expect: Address) -> bool {
    let functions = Contract::Expect.artifact().abi().functions();
    let is_expects = |selector: &[u8]| {
        functions.into_iter().any(|function| function.selector().as_slice() == selector)
    };
    action.target == expect && action.data.get(..4).is_some_and(is_expects)
}

#[cfg(test)]
mod tests;
