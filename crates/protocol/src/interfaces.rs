//! A comparison of this crate's messages with the interfaces of the contracts: neither may have a message
//! that the other lacks.

use crate::{
    asset::{AssetCall, AssetEvent, AssetRefusal},
    distributor::{DistributorCall, DistributorEvent, DistributorRefusal},
    expect::{ExpectCall, ExpectRefusal},
    governance::{GovernanceCall, GovernanceEvent, GovernanceRefusal},
    issuer::{IssuerCall, IssuerEvent, IssuerRefusal},
    ownership::{OwnershipCall, OwnershipEvent, OwnershipRefusal},
    proposals::{ProposalsCall, ProposalsEvent, ProposalsRefusal},
    refusal::CommonRefusal,
    registry::{RegistryCall, RegistryEvent, RegistryRefusal},
    rollup::{RollupCall, RollupEvent, RollupRefusal},
};
use std::collections::BTreeSet;

/// Declarations of one kind in an interface, as `name(type,type indexed)`.
fn declared(source: &str, keyword: &str) -> BTreeSet<String> {
    let code: String = source
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default().trim())
        .collect::<Vec<_>>()
        .join(" ");
    let prefix = format!("{keyword} ");
    let statements = code.split([';', '{', '}']).map(str::trim);
    statements
        .filter_map(|statement| statement.strip_prefix(&prefix))
        .filter(|rest| !rest.contains(" view") && !rest.contains(" pure"))
        .map(|rest| {
            let (name, rest) = rest.split_once('(').unwrap();
            let (arguments, _) = rest.split_once(')').unwrap();
            let types: Vec<String> = arguments
                .split(',')
                .filter(|argument| !argument.trim().is_empty())
                .map(|argument| {
                    let mut words = argument.split_whitespace();
                    let ty = canonical(words.next().unwrap());
                    if words.any(|word| word == "indexed") { format!("{ty} indexed") } else { ty }
                })
                .collect();
            format!("{name}({})", types.join(","))
        })
        .collect()
}

/// The canonical type, as it is written in signatures.
fn canonical(ty: &str) -> String {
    const CONFIGURATION: &str = "((uint256,uint256),uint256,uint256,uint256,uint256,uint256,\
        uint256,uint256)";
    const PARAMETERS: &str = "(address,address,address,address,uint256,uint256,uint256,uint256,\
        uint256)";
    match ty {
        "Configuration" => CONFIGURATION.to_owned(),
        "RollupParameters" => PARAMETERS.to_owned(),
        "Action[]" => "(address,bytes)[]".to_owned(),
        "Status" | "ProposalState" => "uint8".to_owned(),
        other => other.to_owned(),
    }
}

fn set(declarations: impl IntoIterator<Item = String>) -> BTreeSet<String> {
    declarations.into_iter().collect()
}

/// Compares an interface with the messages of this crate, except those that the contract inherits.
macro_rules! same {
    ($file:literal: $call:ident, $event:ident, $refusal:ident, inherited $inherited:expr) => {
        let source = include_str!(concat!("../../../contracts/src/interfaces/", $file));
        let inherited: BTreeSet<String> = set($inherited.map(|name: &str| name.to_owned()));
        let ours = |declarations| &set(declarations) - &inherited;
        assert_eq!(ours($call::declarations()), declared(source, "function"), $file);
        assert_eq!(ours($event::declarations()), declared(source, "event"), $file);
        assert_eq!(ours($refusal::declarations()), declared(source, "error"), $file);
    };
}

#[test]
fn messages_are_those_of_the_interfaces() {
    same!("IAsset.sol": AssetCall, AssetEvent, AssetRefusal, inherited [
        "transfer(address,uint256)",
        "approve(address,uint256)",
        "transferFrom(address,address,uint256)",
        "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)",
        "Transfer(address indexed,address indexed,uint256)",
        "Approval(address indexed,address indexed,uint256)",
        "ERC20InsufficientBalance(address,uint256,uint256)",
        "ERC20InsufficientAllowance(address,uint256,uint256)",
        "ERC20InvalidSender(address)",
        "ERC20InvalidReceiver(address)",
        "ERC20InvalidApprover(address)",
        "ERC20InvalidSpender(address)",
        "ECDSAInvalidSignature()",
        "ECDSAInvalidSignatureS(bytes32)",
    ]);
    same!("IIssuer.sol": IssuerCall, IssuerEvent, IssuerRefusal, inherited []);
    same!("IRegistry.sol": RegistryCall, RegistryEvent, RegistryRefusal, inherited []);
    same!("IRewardDistributor.sol":
        DistributorCall, DistributorEvent, DistributorRefusal, inherited []);
    same!("IRollup.sol": RollupCall, RollupEvent, RollupRefusal, inherited []);
    same!("IProposals.sol": ProposalsCall, ProposalsEvent, ProposalsRefusal, inherited []);
    same!("IGovernance.sol": GovernanceCall, GovernanceEvent, GovernanceRefusal, inherited []);
}

#[test]
fn common_refusals_are_those_of_the_interface() {
    let source = include_str!("../../../contracts/src/interfaces/ICommon.sol");
    let mut common = set(CommonRefusal::declarations());
    assert!(common.remove("ReentrancyGuardReentrantCall()"));
    assert_eq!(common, declared(source, "error"));
}

/// Assertions don't change state, so their functions are `view` or `pure`.
#[test]
fn assertions_are_those_of_the_interface() {
    let source = include_str!("../../../contracts/src/interfaces/IExpect.sol");
    assert_eq!(set(ExpectRefusal::declarations()), declared(source, "error"));
    let source = source.replace(" view", "").replace(" pure", "");
    assert_eq!(set(ExpectCall::declarations()), declared(&source, "function"));
}

#[test]
fn ownership_is_that_of_openzeppelin() {
    assert_eq!(
        OwnershipCall::declarations(),
        ["transferOwnership(address)", "acceptOwnership()", "renounceOwnership()"]
    );
    assert_eq!(
        OwnershipEvent::declarations(),
        [
            "OwnershipTransferStarted(address indexed,address indexed)",
            "OwnershipTransferred(address indexed,address indexed)"
        ]
    );
    assert_eq!(
        OwnershipRefusal::declarations(),
        ["OwnableUnauthorizedAccount(address)", "OwnableInvalidOwner(address)"]
    );
}
