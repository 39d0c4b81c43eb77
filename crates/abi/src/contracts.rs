//! The `sol!` modules, one per contract.
//!
//! `sol!` of a JSON ABI can't share types between two contracts, so [`Governance`], [`Expect`] and
//! [`UpgradePayload`] each have their own `Configuration` or `Action`. Only this crate uses these
//! copies: the rest of the workspace uses the types of `canon-protocol`, and [`crate::convert`]
//! converts between the two.
#![allow(missing_docs, missing_debug_implementations, unreachable_pub, clippy::all)]

use alloy_sol_types::sol;

sol!(
    #[sol(extra_derives(Debug, PartialEq, Eq))]
    Asset,
    "../../contracts/artifacts/Asset.json"
);
sol!(
    #[sol(extra_derives(Debug, PartialEq, Eq))]
    Issuer,
    "../../contracts/artifacts/Issuer.json"
);
sol!(
    #[sol(extra_derives(Debug, PartialEq, Eq))]
    Registry,
    "../../contracts/artifacts/Registry.json"
);
sol!(
    #[sol(extra_derives(Debug, PartialEq, Eq))]
    RewardDistributor,
    "../../contracts/artifacts/RewardDistributor.json"
);
sol!(
    #[sol(extra_derives(Debug, PartialEq, Eq))]
    Rollup,
    "../../contracts/artifacts/Rollup.json"
);
sol!(
    #[sol(extra_derives(Debug, PartialEq, Eq))]
    Proposals,
    "../../contracts/artifacts/Proposals.json"
);
sol!(
    #[sol(extra_derives(Debug, PartialEq, Eq))]
    Governance,
    "../../contracts/artifacts/Governance.json"
);
sol!(
    #[sol(extra_derives(Debug, PartialEq, Eq))]
    Expect,
    "../../contracts/artifacts/Expect.json"
);
sol!(
    #[sol(extra_derives(Debug, PartialEq, Eq))]
    UpgradePayload,
    "../../contracts/artifacts/UpgradePayload.json"
);
sol!(
    #[sol(extra_derives(Debug, PartialEq, Eq))]
    SetLens,
    "../../contracts/artifacts/SetLens.json"
);
