//! Expect: assertions for payloads. Stateless; what doesn't hold reverts with what was expected and
//! what was found.

use crate::{
    abi::abi_enum,
    governance::RawConfiguration,
    messages::Role,
    questions,
    refusal::Refusal,
    scene::{Decision, Scene},
};
use alloy::primitives::{Address, B256, Selector};

abi_enum! {
    /// Calls of Expect.
    pub enum ExpectCall {
        /// `expected` is the canonical rollup of `registry`.
        CanonicalIs { registry: Address, expected: Address } = "canonicalIs",
        /// The code hash of `target` is `expected`.
        CodeHashIs { target: Address, expected: B256 } = "codeHashIs",
        /// The owner of `target` is `expected`.
        OwnerIs { target: Address, expected: Address } = "ownerIs",
        /// The configuration of `governance` is `expected`.
        ConfigurationIs { governance: Address, expected: Box<RawConfiguration> } = "configurationIs",
        /// The Proposals contract of `governance` is `expected`.
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
        /// `target` has other code.
        #[error("the code hash of {target} is {found}, not {expected}")]
        CodeHash { target: Address, expected: B256, found: B256 } = "Expect__CodeHash",
        /// `target` has another owner.
        #[error("the owner of {target} is {found}, not {expected}")]
        Owner { target: Address, expected: Address, found: Address } = "Expect__Owner",
        /// The configuration in force is another.
        #[error("the configuration in force is another")]
        Configuration { expected: Box<RawConfiguration>, found: Box<RawConfiguration> } =
            "Expect__Configuration",
        /// Another Proposals contract is in force.
        #[error("{found} is the Proposals contract, not {expected}")]
        Proposals { expected: Address, found: Address } = "Expect__Proposals",
    }
}

pub(crate) fn decide(scene: Scene<'_>, call: &ExpectCall) -> Decision {
    match call.clone() {
        ExpectCall::CanonicalIs { registry, expected } => {
            let found = ask(scene, registry, questions::ROLLUP)?;
            require(found == expected, ExpectRefusal::Canonical { expected, found })
        }
        ExpectCall::CodeHashIs { target, expected } => {
            let found = scene.code(target).hash;
            require(found == expected, ExpectRefusal::CodeHash { target, expected, found })
        }
        ExpectCall::OwnerIs { target, expected } => {
            let found = ask(scene, target, questions::OWNER)?;
            require(found == expected, ExpectRefusal::Owner { target, expected, found })
        }
        ExpectCall::ConfigurationIs { governance, expected } => {
            if scene.world.role_of(governance) != Some(Role::Governance) {
                return Err(Refusal::OutsideTheSet(governance));
            }
            let found = Box::new(scene.world.governance.configuration().into());
            require(found == expected, ExpectRefusal::Configuration { expected, found })
        }
        ExpectCall::ProposalsIs { governance, expected } => {
            let found = ask(scene, governance, questions::GOVERNANCE_PROPOSER)?;
            require(found == expected, ExpectRefusal::Proposals { expected, found })
        }
    }
}

/// An ordinary call of Solidity: it reverts without a reason if there is no answer.
fn ask(scene: Scene<'_>, target: Address, selector: Selector) -> Result<Address, Refusal> {
    scene.address_word(target, selector).map_err(|_| Refusal::Empty)
}

fn require(holds: bool, otherwise: ExpectRefusal) -> Decision {
    if holds { Ok(Vec::new()) } else { Err(otherwise.into()) }
}
