//! The compiled contracts, as committed in `contracts/artifacts`.

use alloy_json_abi::JsonAbi;
use alloy_primitives::{Bytes, hex};
use alloy_sol_types::SolConstructor;
use canon_protocol::text::grouped;
use core::{fmt, ops::Range};
use serde_json::Value;
use std::sync::LazyLock;

/// A contract that has an artifact: one of the set, a payload, or the lens that reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Contract {
    /// The ERC-20 token that is locked and staked.
    Asset,
    /// Mints the asset at a bounded rate.
    Issuer,
    /// The list of rollups, from which all other contracts of the set are found.
    Registry,
    /// Pays the canonical rollup for its blocks.
    RewardDistributor,
    /// A rollup: staking, slots, proposer selection.
    Rollup,
    /// Counts signals.
    Proposals,
    /// Locks power, takes votes, and executes after a delay.
    Governance,
    /// Assertions for payloads.
    Expect,
    /// The payload that makes another rollup canonical.
    UpgradePayload,
    /// Reads a set in one call. It is never deployed.
    SetLens,
}

macro_rules! artifacts {
    ($($name:ident),* $(,)?) => {
        impl Contract {
            /// Every contract that has an artifact.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The contract's name in Solidity.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),* }
            }

            /// The output of the compiler. It is parsed at the first use.
            pub fn artifact(self) -> &'static Artifact {
                match self {$(
                    Self::$name => {
                        static ARTIFACT: LazyLock<Artifact> = LazyLock::new(|| {
                            Artifact::read(include_str!(concat!(
                                env!("CARGO_MANIFEST_DIR"),
                                "/../../contracts/artifacts/",
                                stringify!($name),
                                ".json"
                            )))
                        });
                        &ARTIFACT
                    }
                )*}
            }
        }
    };
}

artifacts! {
    Asset, Issuer, Registry, RewardDistributor, Rollup, Proposals, Governance, Expect,
    UpgradePayload, SetLens,
}

impl Contract {
    /// The creation transaction's input: creation code, then `arguments` ABI-encoded.
    pub fn init_code<C: SolConstructor>(self, arguments: &C) -> Bytes {
        let mut code = self.artifact().creation_code.to_vec();
        code.extend(arguments.abi_encode());
        code.into()
    }
}

impl fmt::Display for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A compiled contract.
#[derive(Clone, Debug)]
pub struct Artifact {
    abi: JsonAbi,
    creation_code: Bytes,
    runtime_code: Bytes,
    /// The positions at which constructors write immutables. They are zero in the artifact.
    immutables: Vec<Range<usize>>,
}

/// A difference between the code at an address and the artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodeMismatch {
    /// There is no code at the address.
    #[error("there is no code")]
    Empty,
    /// The code has another length.
    #[error(
        "its code has {} bytes where the artifact has {}",
        grouped(*.found as u64), grouped(*.expected as u64)
    )]
    Length {
        /// Bytes of the artifact's runtime code.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// The code differs outside of the immutables.
    #[error("its code differs from the artifact's at byte {offset}")]
    Content {
        /// The offset of the first byte that differs.
        offset: usize,
    },
}

impl Artifact {
    /// The ABI: functions, events, errors and the constructor.
    pub const fn abi(&self) -> &JsonAbi {
        &self.abi
    }

    /// The creation code, without constructor arguments.
    pub const fn creation_code(&self) -> &Bytes {
        &self.creation_code
    }

    /// The runtime code, with immutables set to zero.
    pub const fn runtime_code(&self) -> &Bytes {
        &self.runtime_code
    }

    /// Checks that `code`, read from the chain, is this contract's, with any values of its
    /// immutables.
    ///
    /// # Errors
    ///
    /// The first difference.
    pub fn check_code(&self, code: &[u8]) -> Result<(), CodeMismatch> {
        if code.is_empty() {
            return Err(CodeMismatch::Empty);
        }
        let (expected, found) = (self.runtime_code.len(), code.len());
        if expected != found {
            return Err(CodeMismatch::Length { expected, found });
        }
        let differs = |offset: &usize| {
            self.runtime_code[*offset] != code[*offset]
                && !self.immutables.iter().any(|range| range.contains(offset))
        };
        (0..expected).find(differs).map_or(Ok(()), |offset| Err(CodeMismatch::Content { offset }))
    }

    /// # Panics
    ///
    /// If `json` isn't an artifact: it is part of this crate, and a test reads every one.
    fn read(json: &str) -> Self {
        let mut json: Value = serde_json::from_str(json).expect("artifacts are JSON");
        let code = |object: &Value| {
            let text = object["object"].as_str().expect("artifacts have code");
            Bytes::from(hex::decode(text).expect("code is hexadecimal and fully linked"))
        };
        let immutables = json["deployedBytecode"]["immutableReferences"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|reference| {
                let number = |key: &str| {
                    let value = reference[key].as_u64().expect("references are numbers");
                    usize::try_from(value).expect("code is short")
                };
                number("start")..number("start") + number("length")
            })
            .collect();
        Self {
            creation_code: code(&json["bytecode"]),
            runtime_code: code(&json["deployedBytecode"]),
            immutables,
            abi: serde_json::from_value(json["abi"].take()).expect("artifacts have an ABI"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_artifact_is_deployable_and_recognizes_itself() {
        for contract in Contract::ALL {
            let artifact = contract.artifact();
            assert!(
                artifact.creation_code().len() > artifact.runtime_code().len() / 2,
                "{contract}"
            );
            assert_eq!(artifact.check_code(artifact.runtime_code()), Ok(()), "{contract}");
        }
    }

    #[test]
    fn immutables_may_differ_and_nothing_else() {
        let artifact = Contract::Issuer.artifact();
        let mut code = artifact.runtime_code().to_vec();
        let immutable = artifact.immutables[0].clone();
        code[immutable].fill(0xff);
        assert_eq!(artifact.check_code(&code), Ok(()));
        code[0] ^= 1;
        assert_eq!(artifact.check_code(&code), Err(CodeMismatch::Content { offset: 0 }));
        assert_eq!(artifact.check_code(&[]), Err(CodeMismatch::Empty));
        assert!(matches!(artifact.check_code(&code[1..]), Err(CodeMismatch::Length { .. })));
    }
}
