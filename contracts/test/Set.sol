// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IAsset} from "canon/interfaces/IAsset.sol";
import {IExpect} from "canon/interfaces/IExpect.sol";
import {Configuration, IGovernance, ProposeConfiguration} from "canon/interfaces/IGovernance.sol";
import {IIssuer} from "canon/interfaces/IIssuer.sol";
import {IProposals} from "canon/interfaces/IProposals.sol";
import {IRegistry} from "canon/interfaces/IRegistry.sol";
import {IRewardDistributor} from "canon/interfaces/IRewardDistributor.sol";
import {IRollup, RollupParameters} from "canon/interfaces/IRollup.sol";
import {Vm} from "./Vm.sol";

/// @notice The set of contracts, deployed from the committed artifacts as a deployer would.
struct Set {
    IAsset asset;
    IRegistry registry;
    IProposals proposals;
    IGovernance governance;
    IIssuer issuer;
    IRewardDistributor rewardDistributor;
    IExpect expect;
    IRollup rollup;
}

/// @notice What the set is deployed with in tests, and how.
library SetLib {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint256 internal constant SLOT = 24;
    uint256 internal constant EPOCH = 4;
    uint256 internal constant N = 6;
    uint256 internal constant M = 10;
    uint256 internal constant STAKE = 100e18;
    uint256 internal constant REWARD = 5e18;
    uint256 internal constant RATE = 1e18;
    uint256 internal constant EXIT_DELAY = 2 hours;
    uint256 internal constant SUPPLY = 1_000_000e18;

    /// @notice The configuration of the family's own tests: an hour for everything, 10 % quorum, 4 % ahead.
    function configuration() internal pure returns (Configuration memory) {
        return Configuration({
            proposeConfig: ProposeConfiguration({lockDelay: 30 days, lockAmount: 1000e18}),
            votingDelay: 1 hours,
            votingDuration: 1 hours,
            executionDelay: 1 hours,
            gracePeriod: 1 hours,
            quorum: 0.1e18,
            voteDifferential: 0.04e18,
            minimumVotes: 1000e18
        });
    }

    function deploy(address holder) internal returns (Set memory set) {
        return deploy(holder, configuration());
    }

    /// @notice The whole set; `holder` gets the initial supply. The caller keeps nothing.
    function deploy(address holder, Configuration memory c) internal returns (Set memory set) {
        set.asset = IAsset(vm.deployCode(artifact("Asset"), abi.encode("Asset", "AST", address(this), holder, SUPPLY)));
        set.registry = IRegistry(vm.deployCode(artifact("Registry"), abi.encode(address(this))));
        set.proposals = IProposals(vm.deployCode(artifact("Proposals"), abi.encode(set.registry, N, M)));
        set.governance = IGovernance(vm.deployCode(artifact("Governance"), abi.encode(set.asset, set.proposals, c)));
        set.issuer = IIssuer(vm.deployCode(artifact("Issuer"), abi.encode(set.asset, RATE, set.governance)));
        set.rewardDistributor = IRewardDistributor(
            vm.deployCode(artifact("RewardDistributor"), abi.encode(set.asset, set.registry, REWARD, set.governance))
        );
        set.expect = IExpect(vm.deployCode(artifact("Expect")));
        set.rollup = rollup(set);
        set.registry.upgrade(address(set.rollup));
        Ownable2Step(address(set.registry)).transferOwnership(address(set.governance));
        set.governance.acceptOwnership(address(set.registry));
        Ownable2Step(address(set.asset)).transferOwnership(address(set.issuer));
        set.issuer.acceptAsset();
    }

    /// @notice A further rollup of the set, its slots beginning now.
    function rollup(Set memory set) internal returns (IRollup) {
        return rollup(parameters(set));
    }

    function rollup(RollupParameters memory p) internal returns (IRollup) {
        return IRollup(vm.deployCode(artifact("Rollup"), abi.encode(p)));
    }

    function parameters(Set memory set) internal view returns (RollupParameters memory) {
        return RollupParameters({
            asset: IERC20(address(set.asset)),
            registry: set.registry,
            rewardDistributor: set.rewardDistributor,
            owner: address(set.governance),
            genesisTime: block.timestamp,
            slotDuration: SLOT,
            epochDuration: EPOCH,
            minimumStake: STAKE,
            exitDelay: EXIT_DELAY
        });
    }

    /// @notice An upgrade of the set to `newRollup`, from what is canonical now.
    function upgradePayload(Set memory set, address newRollup) internal returns (address) {
        return vm.deployCode(
            artifact("UpgradePayload"),
            abi.encode(set.expect, set.registry, newRollup, set.registry.getRollup(), "https://example.org/azip")
        );
    }

    function artifact(string memory name) internal pure returns (string memory) {
        return string.concat("artifacts/", name, ".json");
    }
}
