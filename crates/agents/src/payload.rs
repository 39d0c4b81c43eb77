//! The payload that a sequencer signals for: the operator's setting, and what is checked before
//! the first signal.

use crate::view::{PayloadStatus, View};
use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, keccak256};
use canon_abi::Contract;
use canon_chain::{Client, Error};
use canon_protocol::{
    Action, RollupBlock,
    text::{ParseQuantityError, address},
};
use std::sync::Arc;

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
        /// The one.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// There is no code at the address, or it lists no actions that decode.
    #[error(transparent)]
    Unreadable(#[from] Error),
    /// It lists no actions: Governance would refuse it.
    #[error("{payload} lists no actions; Governance would refuse it")]
    Empty {
        /// The payload.
        payload: Address,
    },
    /// Its code isn't what the proposal's document pins.
    #[error(
        "{payload} has the code hash {found} and not {expected}; it isn't the payload of that document"
    )]
    CodeHash {
        /// The payload.
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

/// A payload that may be signaled for. Cheap to clone: one check serves all sequencers.
#[derive(Clone, Debug)]
pub struct VettedPayload {
    address: Address,
    code_hash: B256,
    actions: Arc<[Action]>,
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
        Ok(Self { address: payload, code_hash: found, actions: actions.into() })
    }

    /// Where it is.
    pub const fn address(&self) -> Address {
        self.address
    }

    /// Its code hash.
    pub const fn code_hash(&self) -> B256 {
        self.code_hash
    }

    /// What it lists: to be shown to the operator.
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// Those of its actions that are assertions, if `expect` is the set's Expect.
    pub fn assertions(&self, expect: Address) -> impl Iterator<Item = &Action> {
        self.actions.iter().filter(move |action| is_assertion(action, expect))
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

/// What a sequencer signals for, and when.
#[derive(Clone, Debug)]
pub struct SignalPlan {
    /// The payload.
    pub payload: VettedPayload,
    /// Not before its rollup has this block.
    pub from_block: RollupBlock,
    /// Whether the payload's status matters.
    pub status: StatusRule,
    /// Whether a round that can't be won any more matters.
    pub hopeless: HopelessRule,
}

/// Whether the payload's status matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusRule {
    /// Signals only while a signal can help. The default.
    Respect,
    /// Signals whatever the status is, as long as the rollup is canonical: the operator insists.
    Force,
}

/// Whether a round that can't be won any more matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HopelessRule {
    /// Signals all the same: others see who is for it. The default.
    Signal,
    /// Saves the gas.
    Skip,
}

impl SignalPlan {
    /// Signals at once, by the default rules.
    pub const fn new(payload: VettedPayload) -> Self {
        Self {
            payload,
            from_block: RollupBlock::ZERO,
            status: StatusRule::Respect,
            hopeless: HopelessRule::Signal,
        }
    }

    /// Not before the rollup has this block: the height that operators agreed on.
    #[must_use]
    pub const fn from_block(mut self, block: RollupBlock) -> Self {
        self.from_block = block;
        self
    }
}

/// Whether to signal in the next slot, and why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignalDecision {
    /// It is the time.
    Signal,
    /// Nothing is set.
    NoPayload,
    /// The own rollup isn't the canonical one: its signals count nothing.
    NotCanonical,
    /// The count, or the payload's status, isn't known: the canonical rollup doesn't answer.
    Unknown,
    /// The agreed block isn't there yet.
    TooEarly {
        /// The newest block.
        block: RollupBlock,
        /// The agreed one.
        from: RollupBlock,
    },
    /// The slot has its signal.
    SlotUsed,
    /// A signal can't help.
    Status(PayloadStatus),
    /// The round can't be won any more.
    Hopeless,
}

/// Whether a sequencer of `rollup` signals in the slot of the next block, if that is its own.
pub fn decide_signal(plan: Option<&SignalPlan>, rollup: Address, view: &View) -> SignalDecision {
    let Some(plan) = plan else { return SignalDecision::NoPayload };
    if view.canonical() != rollup {
        return SignalDecision::NotCanonical;
    }
    let (Some(own), Some(signaling)) = (view.rollup(rollup), view.signaling()) else {
        return SignalDecision::Unknown;
    };
    let (Some(slot), Some(status)) = (own.slot, view.payload(plan.payload.address())) else {
        return SignalDecision::Unknown;
    };
    if own.block < plan.from_block {
        return SignalDecision::TooEarly { block: own.block, from: plan.from_block };
    }
    if slot < signaling.status.first_free_slot {
        return SignalDecision::SlotUsed;
    }
    let round = signaling.rules.round_of(slot);
    let count = match status {
        PayloadStatus::Signaling { round: of, count } if of == round => count,
        PayloadStatus::None
        | PayloadStatus::Signaling { .. }
        | PayloadStatus::Rejected { .. }
        | PayloadStatus::Expired { .. }
        | PayloadStatus::Dropped { .. } => 0,
        PayloadStatus::QuorumReached { .. }
        | PayloadStatus::Live { .. }
        | PayloadStatus::Executed { .. } => match plan.status {
            StatusRule::Respect => return SignalDecision::Status(status),
            StatusRule::Force => 0,
        },
    };
    let winnable = signaling.rules.can_win(count, round, slot);
    if !winnable && plan.hopeless == HopelessRule::Skip {
        return SignalDecision::Hopeless;
    }
    SignalDecision::Signal
}

#[cfg(test)]
mod tests;
