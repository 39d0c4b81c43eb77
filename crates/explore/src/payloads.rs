//! The payloads of the small scopes, which are all code outside the set.

use crate::{
    accounts::{GOVERNANCE, ISSUER, PROPOSALS, REGISTRY, ROLLUPS},
    scope::SHORT,
};
use alloy_primitives::{Address, Bytes, keccak256};
use alloy_sol_types::{SolCall, SolValue, sol};
use canon_protocol::{
    Action, Call, Code, CodeKind, ExpectCall, ExternalContracts, GovernanceCall, Reaction,
    RegistryCall,
};
use std::fmt;

sol! {
    function getActions();
}

/// A payload contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Makes the second rollup canonical if the first one is.
    Upgrade,
    /// Replaces the configuration by one with shorter delays.
    Shorten,
    /// Makes Governance use the second Proposals contract.
    Replace,
    /// Makes Governance use the first Proposals contract again.
    Restore,
    /// Asserts something true, and so changes nothing.
    Harmless,
}

impl Payload {
    /// All payloads.
    pub const ALL: [Self; 5] =
        [Self::Upgrade, Self::Shorten, Self::Replace, Self::Restore, Self::Harmless];

    /// The address of the payload.
    pub const fn address(self) -> Address {
        Address::with_last_byte(0x11 + self as u8)
    }

    /// The payload at `contract`.
    pub fn at(contract: Address) -> Option<Self> {
        Self::ALL.into_iter().find(|payload| payload.address() == contract)
    }

    /// The calls that it lists.
    pub(crate) fn actions(self) -> Vec<Action> {
        let appoint = |proposals| {
            let call =
                GovernanceCall::UpdateGovernanceProposer { new_governance_proposer: proposals };
            vec![action(GOVERNANCE, call)]
        };
        match self {
            Self::Upgrade => {
                let [expected, rollup] = ROLLUPS;
                let expect = ExpectCall::CanonicalIs { registry: REGISTRY, expected };
                vec![
                    action(crate::accounts::ADDRESSES.expect, expect),
                    action(REGISTRY, RegistryCall::Upgrade { rollup }),
                ]
            }
            Self::Shorten => {
                let configuration = Box::new(SHORT.into());
                vec![action(GOVERNANCE, GovernanceCall::UpdateConfiguration { configuration })]
            }
            Self::Replace => appoint(PROPOSALS[1]),
            Self::Restore => appoint(PROPOSALS[0]),
            Self::Harmless => {
                let call = ExpectCall::OwnerIs { target: ISSUER, expected: GOVERNANCE };
                vec![action(crate::accounts::ADDRESSES.expect, call)]
            }
        }
    }
}

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Upgrade => "the upgrade",
            Self::Shorten => "the shorter configuration",
            Self::Replace => "the replacement of Proposals",
            Self::Restore => "the return of Proposals",
            Self::Harmless => "the harmless payload",
        })
    }
}

fn action(target: Address, call: impl Into<Call>) -> Action {
    Action { target, data: call.into().abi_encode() }
}

/// The answers of all payloads, which never change.
#[derive(Debug)]
pub(crate) struct Payloads([Bytes; Payload::ALL.len()]);

impl Payloads {
    pub(crate) fn new() -> Self {
        Self(Payload::ALL.map(|payload| {
            let list = payload.actions().into_iter();
            list.map(|action| (action.target, action.data)).collect::<Vec<_>>().abi_encode().into()
        }))
    }
}

impl ExternalContracts for Payloads {
    fn code(&self, account: Address) -> Code {
        match Payload::at(account) {
            Some(_) => Code { kind: CodeKind::Contract, hash: keccak256(account) },
            None => Code::default(),
        }
    }

    fn ask(&self, target: Address, data: &[u8]) -> Result<Bytes, Bytes> {
        match Payload::at(target) {
            Some(payload) if data == getActionsCall::SELECTOR => {
                Ok(self.0[payload as usize].clone())
            }
            _ => Err(Bytes::new()),
        }
    }

    fn call(&self, _: Address, _: Address, _: &Bytes) -> Reaction {
        Reaction::Calls(Vec::new())
    }
}
