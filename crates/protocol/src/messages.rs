//! Calls of the contracts, their events, and the roles of the contracts.

use crate::{
    asset::{AssetCall, AssetEvent},
    distributor::{DistributorCall, DistributorEvent},
    expect::ExpectCall,
    governance::{GovernanceCall, GovernanceEvent},
    issuer::{IssuerCall, IssuerEvent},
    ownership::{OwnershipCall, OwnershipEvent},
    proposals::{ProposalsCall, ProposalsEvent},
    registry::{RegistryCall, RegistryEvent},
    rollup::{RollupCall, RollupEvent},
};
use alloy_primitives::{Address, Bytes, LogData, U256};
use serde::{Deserialize, Serialize};

/// Implements the names of messages, as `Contract.Name`, for an enum with a variant for each contract.
macro_rules! message_names {
    ($target:ident: $($variant:ident($message:ident)),* $(,)?) => {
        impl $target {
            /// The contract and the name in Solidity, such as `Governance.VoteCast`.
            ///
            /// Empty if no contract of the set declares it.
            pub fn name(&self) -> String {
                match self {
                    $(Self::$variant(message) => {
                        format!("{}.{}", stringify!($variant), message.name())
                    })*
                    #[allow(unreachable_patterns, reason = "of refusals only")]
                    _ => String::new(),
                }
            }

            /// The names of all messages that the contracts of the set declare.
            pub fn names() -> impl Iterator<Item = String> {
                let all = [$((stringify!($variant), $message::NAMES)),*];
                all.into_iter().flat_map(|(contract, names)| {
                    names.iter().map(move |name| format!("{contract}.{name}"))
                })
            }
        }
    };
}
pub(crate) use message_names;

message_names!(Event:
    Asset(AssetEvent), Issuer(IssuerEvent), Registry(RegistryEvent),
    Distributor(DistributorEvent), Rollup(RollupEvent), Proposals(ProposalsEvent),
    Governance(GovernanceEvent), Ownership(OwnershipEvent),
);

/// The return value `true`.
const TRUE: U256 = U256::ONE;

/// The role of a contract in the set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names of the contracts")]
pub enum Role {
    Asset,
    Issuer,
    Registry,
    Distributor,
    Rollup,
    Proposals,
    Governance,
    Expect,
}

impl Role {
    /// Whether the contract has an owner.
    pub(crate) const fn is_owned(self) -> bool {
        matches!(
            self,
            Self::Asset | Self::Issuer | Self::Registry | Self::Distributor | Self::Rollup
        )
    }
}

/// A call of a contract of the set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names of the contracts")]
pub enum Call {
    Asset(AssetCall),
    Issuer(IssuerCall),
    Registry(RegistryCall),
    Distributor(DistributorCall),
    Rollup(RollupCall),
    Proposals(ProposalsCall),
    Governance(GovernanceCall),
    Expect(ExpectCall),
    /// A call of any contract with an owner.
    Ownership(OwnershipCall),
}

/// An event of a contract of the set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names of the contracts")]
pub enum Event {
    Asset(AssetEvent),
    Issuer(IssuerEvent),
    Registry(RegistryEvent),
    Distributor(DistributorEvent),
    Rollup(RollupEvent),
    Proposals(ProposalsEvent),
    Governance(GovernanceEvent),
    /// An event of any contract with an owner.
    Ownership(OwnershipEvent),
}

macro_rules! from_messages {
    ($target:ident: $($variant:ident($message:ident)),* $(,)?) => {$(
        impl From<$message> for $target {
            fn from(message: $message) -> Self {
                Self::$variant(message)
            }
        }
    )*};
}

from_messages!(Call:
    Asset(AssetCall), Issuer(IssuerCall), Registry(RegistryCall), Distributor(DistributorCall),
    Rollup(RollupCall), Proposals(ProposalsCall), Governance(GovernanceCall), Expect(ExpectCall),
    Ownership(OwnershipCall),
);
from_messages!(Event:
    Asset(AssetEvent), Issuer(IssuerEvent), Registry(RegistryEvent),
    Distributor(DistributorEvent), Rollup(RollupEvent), Proposals(ProposalsEvent),
    Governance(GovernanceEvent), Ownership(OwnershipEvent),
);

impl Call {
    /// Selector and encoded arguments.
    pub fn abi_encode(&self) -> Bytes {
        match self {
            Self::Asset(call) => call.abi_encode(),
            Self::Issuer(call) => call.abi_encode(),
            Self::Registry(call) => call.abi_encode(),
            Self::Distributor(call) => call.abi_encode(),
            Self::Rollup(call) => call.abi_encode(),
            Self::Proposals(call) => call.abi_encode(),
            Self::Governance(call) => call.abi_encode(),
            Self::Expect(call) => call.abi_encode(),
            Self::Ownership(call) => call.abi_encode(),
        }
    }

    /// Decodes `data` for the contract with this role. `None` if it has no such function that changes
    /// state.
    pub fn abi_decode(role: Role, data: &[u8]) -> Option<Self> {
        let own = match role {
            Role::Asset => AssetCall::abi_decode(data).map(Self::from),
            Role::Issuer => IssuerCall::abi_decode(data).map(Self::from),
            Role::Registry => RegistryCall::abi_decode(data).map(Self::from),
            Role::Distributor => DistributorCall::abi_decode(data).map(Self::from),
            Role::Rollup => RollupCall::abi_decode(data).map(Self::from),
            Role::Proposals => ProposalsCall::abi_decode(data).map(Self::from),
            Role::Governance => GovernanceCall::abi_decode(data).map(Self::from),
            Role::Expect => ExpectCall::abi_decode(data).map(Self::from),
        };
        if own.is_none() && role.is_owned() {
            return OwnershipCall::abi_decode(data).map(Self::from);
        }
        own
    }
}

impl Call {
    /// The return value of the call if it succeeds with these logs, or `None` if it returns nothing.
    pub fn returns(&self, logs: &[Log]) -> Option<U256> {
        let mut events = logs.iter().map(|log| &log.event);
        match self {
            Self::Asset(AssetCall::Mint { .. } | AssetCall::Permit { .. }) => None,
            Self::Registry(RegistryCall::Upgrade { .. }) => events.find_map(|event| match event {
                Event::Registry(RegistryEvent::InstanceAdded { version, .. }) => {
                    Some(version.to_word())
                }
                _ => None,
            }),
            Self::Distributor(DistributorCall::Claim { .. }) => {
                events.find_map(|event| match event {
                    Event::Distributor(DistributorEvent::RewardPaid { amount, .. }) => {
                        Some(amount.to_word())
                    }
                    _ => None,
                })
            }
            Self::Governance(GovernanceCall::InitiateWithdraw { .. }) => {
                events.find_map(|event| match event {
                    Event::Governance(GovernanceEvent::WithdrawInitiated {
                        withdrawal_id, ..
                    }) => Some(withdrawal_id.to_word()),
                    _ => None,
                })
            }
            Self::Governance(
                GovernanceCall::Propose { .. }
                | GovernanceCall::ProposeWithLock { .. }
                | GovernanceCall::Vote { .. }
                | GovernanceCall::VoteWithSig { .. }
                | GovernanceCall::Execute { .. }
                | GovernanceCall::ExecuteWith { .. }
                | GovernanceCall::DropProposal { .. },
            )
            | Self::Rollup(RollupCall::InitiateWithdraw { .. })
            | Self::Proposals(_)
            | Self::Asset(_) => Some(TRUE),
            Self::Governance(_)
            | Self::Issuer(_)
            | Self::Distributor(_)
            | Self::Rollup(_)
            | Self::Expect(_)
            | Self::Ownership(_) => None,
        }
    }
}

impl Event {
    /// Topics and data of the log.
    pub fn to_log_data(&self) -> LogData {
        match self {
            Self::Asset(event) => event.to_log_data(),
            Self::Issuer(event) => event.to_log_data(),
            Self::Registry(event) => event.to_log_data(),
            Self::Distributor(event) => event.to_log_data(),
            Self::Rollup(event) => event.to_log_data(),
            Self::Proposals(event) => event.to_log_data(),
            Self::Governance(event) => event.to_log_data(),
            Self::Ownership(event) => event.to_log_data(),
        }
    }

    /// Decodes a log of the contract with this role, or returns `None` if it has no such event.
    pub fn from_log_data(role: Role, log: &LogData) -> Option<Self> {
        let own = match role {
            Role::Asset => AssetEvent::from_log_data(log).map(Self::from),
            Role::Issuer => IssuerEvent::from_log_data(log).map(Self::from),
            Role::Registry => RegistryEvent::from_log_data(log).map(Self::from),
            Role::Distributor => DistributorEvent::from_log_data(log).map(Self::from),
            Role::Rollup => RollupEvent::from_log_data(log).map(Self::from),
            Role::Proposals => ProposalsEvent::from_log_data(log).map(Self::from),
            Role::Governance => GovernanceEvent::from_log_data(log).map(Self::from),
            Role::Expect => None,
        };
        if own.is_none() && role.is_owned() {
            return OwnershipEvent::from_log_data(log).map(Self::from);
        }
        own
    }
}

/// An event and the contract that emitted it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    /// The contract.
    pub emitter: Address,
    /// The event.
    pub event: Event,
}
