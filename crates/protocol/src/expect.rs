//! Expect: stateless assertions for payloads. An assertion that doesn't hold reverts with the expected and
//! the found value.

use crate::{
    abi::{Abi, abi_enum},
    call_frame::{CallFrame, Decision},
    create2::Create2,
    governance::RawConfiguration,
    messages::Role,
    questions,
    refusal::CommonRefusal,
};
use alloy_primitives::{Address, B256};
use alloy_sol_types::SolType;

abi_enum! {
    /// Calls of Expect.
    pub enum ExpectCall {
        /// Asserts that `expected` is the canonical rollup of `registry`.
        CanonicalIs { registry: Address, expected: Address } = "canonicalIs",
        /// Asserts that `target` is the CREATE2 address for these arguments, so its init code has this
        /// hash.
        CreatedBy { target: Address, factory: Address, salt: B256, init_code_hash: B256 } = "createdBy",
        /// Asserts that the code hash of `target` is `expected`.
        CodeHashIs { target: Address, expected: B256 } = "codeHashIs",
        /// Asserts that the owner of `target` is `expected`.
        OwnerIs { target: Address, expected: Address } = "ownerIs",
        /// Asserts that the configuration of `governance` is `expected`.
        ConfigurationIs { governance: Address, expected: Box<RawConfiguration> } = "configurationIs",
        /// Asserts that the Proposals contract of `governance` is `expected`.
        ProposalsIs { governance: Address, expected: Address } = "proposalsIs",
    }
}

abi_enum! {
    /// Refusals of Expect.
    #[derive(thiserror::Error)]
    pub enum ExpectRefusal {
        /// Another rollup is canonical.
        #[error("{found} is canonical, not {expected}")]
        Canonical { expected: Address, found: Address } = "Expect__Canonical",
        /// `target` isn't the CREATE2 address for the given arguments.
        #[error("{found} was not created so: that contract is at {expected}")]
        Creation { expected: Address, found: Address } = "Expect__Creation",
        /// `target` has another code hash.
        #[error("the code hash of {target} is {found}, not {expected}")]
        CodeHash { target: Address, expected: B256, found: B256 } = "Expect__CodeHash",
        /// `target` has another owner.
        #[error("the owner of {target} is {found}, not {expected}")]
        Owner { target: Address, expected: Address, found: Address } = "Expect__Owner",
        /// Another configuration is in force.
        #[error("the configuration in force is another")]
        Configuration { expected: Box<RawConfiguration>, found: Box<RawConfiguration> } =
            "Expect__Configuration",
        /// Another Proposals contract is in force.
        #[error("{found} is the Proposals contract, not {expected}")]
        Proposals { expected: Address, found: Address } = "Expect__Proposals",
    }
}

pub(crate) fn decide(frame: CallFrame<'_>, call: &ExpectCall) -> Decision {
    match call.clone() {
        ExpectCall::CanonicalIs { registry, expected } => {
            let found = frame.address_word(registry, questions::ROLLUP)?;
            require(found == expected, ExpectRefusal::Canonical { expected, found })
        }
        ExpectCall::CreatedBy { target: found, factory, salt, init_code_hash } => {
            let expected = Create2 { factory, salt, init_code_hash }.address();
            require(found == expected, ExpectRefusal::Creation { expected, found })
        }
        ExpectCall::CodeHashIs { target, expected } => {
            let found = frame.code(target).hash;
            require(found == expected, ExpectRefusal::CodeHash { target, expected, found })
        }
        ExpectCall::OwnerIs { target, expected } => {
            let found = frame.address_word(target, questions::OWNER)?;
            require(found == expected, ExpectRefusal::Owner { target, expected, found })
        }
        ExpectCall::ConfigurationIs { governance, expected } => {
            let found = Box::new(configuration_of(frame, governance)?);
            require(found == expected, ExpectRefusal::Configuration { expected, found })
        }
        ExpectCall::ProposalsIs { governance, expected } => {
            let found = frame.address_word(governance, questions::GOVERNANCE_PROPOSER)?;
            require(found == expected, ExpectRefusal::Proposals { expected, found })
        }
    }
}

/// The length in bytes of an encoded configuration: nine words.
const CONFIGURATION_LENGTH: usize = 9 * 32;

/// The configuration that `governance` reports.
fn configuration_of(
    frame: CallFrame<'_>,
    governance: Address,
) -> Result<RawConfiguration, CommonRefusal> {
    type Sol = <RawConfiguration as Abi>::Sol;
    if frame.set.role_of(governance) == Some(Role::Governance) {
        return Ok(frame.set.governance.configuration().into());
    }
    let answer = frame.ask(governance, questions::CONFIGURATION.as_slice()).ok();
    answer
        .filter(|answer| answer.len() == CONFIGURATION_LENGTH)
        .and_then(|answer| RawConfiguration::from_sol(Sol::abi_decode(&answer).ok()?))
        .ok_or(CommonRefusal::NoAnswer { target: governance, selector: questions::CONFIGURATION })
}

fn require(holds: bool, otherwise: ExpectRefusal) -> Decision {
    if holds { Ok(Vec::new()) } else { Err(otherwise.into()) }
}
