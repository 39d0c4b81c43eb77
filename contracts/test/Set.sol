// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IAsset} from "canon/interfaces/IAsset.sol";
import {IExpect} from "canon/interfaces/IExpect.sol";
import {Configuration, IGovernance, ProposeConfiguration} from "canon/interfaces/IGovernance.sol";
import {IIssuer} from "canon/interfaces/IIssuer.sol";
import {IProposals} from "canon/interfaces/IProposals.sol";
import {IRegistry} from "canon/interfaces/IRegistry.sol";
import {IRewardDistributor} from "canon/interfaces/IRewardDistributor.sol";
import {IRollup, RollupParameters} from "canon/interfaces/IRollup.sol";
import {CHEATCODES as vm} from "./Vm.sol";

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

    /// @notice The deterministic deployment proxy: calldata is a salt and init code.
    address internal constant FACTORY = 0x4e59b44847b379578588920cA78FbF26c0B4956C;

    bytes private constant FACTORY_CODE =
        hex"7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3";

    function deploy(address holder) internal returns (Set memory set) {
        return deploy(holder, configuration());
    }

    /// @notice The whole set; `holder` gets the initial supply. The caller keeps nothing.
    function deploy(address holder, Configuration memory c) internal returns (Set memory set) {
        set.asset = IAsset(create("Asset", abi.encode("Asset", "AST", address(this), holder, SUPPLY)));
        set.registry = IRegistry(create("Registry", abi.encode(address(this))));
        set.proposals = IProposals(create("Proposals", abi.encode(set.registry, N, M)));
        set.governance = IGovernance(create("Governance", abi.encode(set.asset, set.proposals, c)));
        set.issuer = IIssuer(create("Issuer", abi.encode(set.asset, RATE, set.governance)));
        set.rewardDistributor = IRewardDistributor(
            create("RewardDistributor", abi.encode(set.asset, set.registry, REWARD, set.governance))
        );
        set.expect = IExpect(create("Expect", ""));
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
        return IRollup(create("Rollup", abi.encode(p)));
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

    /// @notice What `instance`, created as `rollup` does, was deployed with, if it still has its first owner.
    function parameters(IRollup instance) internal view returns (RollupParameters memory) {
        return RollupParameters({
            asset: instance.ASSET(),
            registry: instance.REGISTRY(),
            rewardDistributor: instance.REWARD_DISTRIBUTOR(),
            owner: Ownable2Step(address(instance)).owner(),
            genesisTime: instance.GENESIS_TIME(),
            slotDuration: instance.SLOT_DURATION(),
            epochDuration: instance.EPOCH_DURATION(),
            minimumStake: instance.MINIMUM_STAKE(),
            exitDelay: instance.EXIT_DELAY()
        });
    }

    /// @notice An upgrade of the set to `newRollup`, created as `rollup` does, from what is canonical now.
    function upgradePayload(Set memory set, address newRollup) internal returns (address) {
        return upgradePayload(set, newRollup, initCode("Rollup", abi.encode(parameters(IRollup(newRollup)))));
    }

    /// @notice The same to a rollup created from `initCode_`, whatever that is.
    function upgradePayload(Set memory set, address newRollup, bytes memory initCode_) internal returns (address) {
        bytes32 hash = keccak256(initCode_);
        return create(
            "UpgradePayload",
            abi.encode(
                set.expect,
                set.registry,
                newRollup,
                set.registry.getRollup(),
                FACTORY,
                saltOf(newRollup, hash),
                hash,
                "https://example.org/azip"
            )
        );
    }

    /*//////////////////////////////////////////////////////////////
                                 CREATION
    //////////////////////////////////////////////////////////////*/

    function create(string memory name, bytes memory arguments) internal returns (address) {
        return create(initCode(name, arguments));
    }

    /// @notice A contract created through the factory, with the least salt that nobody used for this init code.
    function create(bytes memory initCode_) internal returns (address created) {
        if (FACTORY.code.length == 0) vm.etch(FACTORY, FACTORY_CODE);
        bytes32 hash = keccak256(initCode_);
        uint256 salt;
        while ((created = addressOf(bytes32(salt), hash)).code.length != 0) ++salt;
        (bool success, bytes memory answer) = FACTORY.call(bytes.concat(bytes32(salt), initCode_));
        require(success && address(bytes20(answer)) == created, "the constructor refused");
    }

    /// @notice The salt with which `create` created `created`.
    function saltOf(address created, bytes32 initCodeHash) internal view returns (bytes32 salt) {
        while (addressOf(salt, initCodeHash) != created) {
            require(addressOf(salt, initCodeHash).code.length != 0, "created in another way");
            salt = bytes32(uint256(salt) + 1);
        }
    }

    /// @notice Where the factory creates what has this salt and init code.
    function addressOf(bytes32 salt, bytes32 initCodeHash) internal pure returns (address) {
        return Create2.computeAddress(salt, initCodeHash, FACTORY);
    }

    function initCode(string memory name, bytes memory arguments) internal view returns (bytes memory) {
        return bytes.concat(vm.getCode(artifact(name)), arguments);
    }

    function artifact(string memory name) internal pure returns (string memory) {
        return string.concat("artifacts/", name, ".json");
    }
}
