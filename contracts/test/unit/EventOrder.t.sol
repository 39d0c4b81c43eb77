// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IAsset} from "canon/interfaces/IAsset.sol";
import {IGovernance} from "canon/interfaces/IGovernance.sol";
import {Action} from "canon/interfaces/IPayload.sol";
import {IIssuer} from "canon/interfaces/IIssuer.sol";
import {IProposals} from "canon/interfaces/IProposals.sol";
import {IRegistry} from "canon/interfaces/IRegistry.sol";
import {IRewardDistributor} from "canon/interfaces/IRewardDistributor.sol";
import {IRollup} from "canon/interfaces/IRollup.sol";
import {SetLib} from "../Set.sol";
import {BallotMessage, PermitMessage, TypedData} from "../TypedData.sol";
import {Vm} from "../Vm.sol";
import {Deployer} from "../mocks/Deployer.sol";
import {ListPayload} from "../mocks/ListPayload.sol";
import {RollupBase} from "./RollupBase.t.sol";

/// @notice All events of every function and constructor that emits any, in their order. What is in them is tested with
/// each function.
contract EventOrderTest is RollupBase {
    mapping(address emitter => string) internal emitterNames;
    mapping(bytes32 topic => string) internal eventNames;

    function setUp() public override {
        super.setUp();
        _makeCanonical(address(rollup));
        set.asset.approve(address(set.governance), type(uint256).max);
        set.asset.approve(address(rollup), 1000 * STAKE);

        emitterNames[address(set.asset)] = "Asset";
        emitterNames[address(set.registry)] = "Registry";
        emitterNames[address(set.proposals)] = "Proposals";
        emitterNames[address(set.governance)] = "Governance";
        emitterNames[address(set.issuer)] = "Issuer";
        emitterNames[address(set.rewardDistributor)] = "RewardDistributor";
        emitterNames[address(rollup)] = "Rollup";

        eventNames[Ownable.OwnershipTransferred.selector] = "OwnershipTransferred";
        eventNames[Ownable2Step.OwnershipTransferStarted.selector] = "OwnershipTransferStarted";
        eventNames[IERC20.Approval.selector] = "Approval";
        eventNames[IERC20.Transfer.selector] = "Transfer";
        eventNames[IAsset.AssetDeployed.selector] = "AssetDeployed";
        eventNames[IAsset.PermitUsed.selector] = "PermitUsed";
        eventNames[IRegistry.InstanceAdded.selector] = "InstanceAdded";
        eventNames[IIssuer.IssuerDeployed.selector] = "IssuerDeployed";
        eventNames[IIssuer.Minted.selector] = "Minted";
        eventNames[IRewardDistributor.RewardDistributorDeployed.selector] = "RewardDistributorDeployed";
        eventNames[IRewardDistributor.RegistryUpdated.selector] = "RegistryUpdated";
        eventNames[IRewardDistributor.RewardPaid.selector] = "RewardPaid";
        eventNames[IRollup.RollupDeployed.selector] = "RollupDeployed";
        eventNames[IRollup.Deposit.selector] = "Deposit";
        eventNames[IRollup.WithdrawInitiated.selector] = "WithdrawInitiated";
        eventNames[IRollup.WithdrawFinalised.selector] = "WithdrawFinalised";
        eventNames[IRollup.Slashed.selector] = "Slashed";
        eventNames[IRollup.MoveInitiated.selector] = "MoveInitiated";
        eventNames[IRollup.MoveFinalised.selector] = "MoveFinalised";
        eventNames[IRollup.SeedRecorded.selector] = "SeedRecorded";
        eventNames[IRollup.CoinbaseSet.selector] = "CoinbaseSet";
        eventNames[IRollup.BlockProposed.selector] = "BlockProposed";
        eventNames[IProposals.ProposalsDeployed.selector] = "ProposalsDeployed";
        eventNames[IProposals.VoteCast.selector] = "VoteCast";
        eventNames[IProposals.SlotUsed.selector] = "SlotUsed";
        eventNames[IProposals.PayloadSeen.selector] = "PayloadSeen";
        eventNames[IProposals.QuorumReached.selector] = "QuorumReached";
        eventNames[IProposals.ProposalPushed.selector] = "ProposalPushed";
        eventNames[IGovernance.GovernanceDeployed.selector] = "GovernanceDeployed";
        eventNames[IGovernance.Deposit.selector] = "Deposit";
        eventNames[IGovernance.WithdrawInitiated.selector] = "WithdrawInitiated";
        eventNames[IGovernance.WithdrawalQueued.selector] = "WithdrawalQueued";
        eventNames[IGovernance.WithdrawFinalised.selector] = "WithdrawFinalised";
        eventNames[IGovernance.Proposed.selector] = "Proposed";
        eventNames[IGovernance.ProposalFrozen.selector] = "ProposalFrozen";
        eventNames[IGovernance.VoteCast.selector] = "VoteCast";
        eventNames[IGovernance.NonceUsed.selector] = "NonceUsed";
        eventNames[IGovernance.BallotsInvalidated.selector] = "BallotsInvalidated";
        eventNames[IGovernance.ProposalExecuted.selector] = "ProposalExecuted";
        eventNames[IGovernance.ProposalDropped.selector] = "ProposalDropped";
        eventNames[IGovernance.GovernanceProposerUpdated.selector] = "GovernanceProposerUpdated";
        eventNames[IGovernance.ConfigurationUpdated.selector] = "ConfigurationUpdated";
        eventNames[IGovernance.ConfigurationSet.selector] = "ConfigurationSet";
    }

    /// @dev The call succeeds and emits exactly these events, in this order.
    function _emits(address caller, address target, bytes memory call_, string memory expected) private {
        vm.recordLogs();
        vm.prank(caller);
        (bool success,) = target.call(call_);
        vm.assertTrue(success, expected);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        string memory found;
        for (uint256 i; i < logs.length; ++i) {
            if (i != 0) found = string.concat(found, ", ");
            found = string.concat(found, emitterNames[logs[i].emitter], ".", eventNames[logs[i].topics[0]]);
        }
        vm.assertEq(found, expected);
    }

    /// @dev The same of the constructor of artifact `name`, which is the emitter.
    function _constructorEmits(string memory name, bytes memory arguments, string memory expected) private {
        bytes memory code = vm.getCode(SetLib.artifact(name));
        address deployer = address(new Deployer());
        // A contract's first creation has nonce 1.
        emitterNames[address(uint160(uint256(keccak256(abi.encodePacked(hex"d694", deployer, hex"01")))))] = name;
        _emits(address(this), deployer, abi.encodeCall(Deployer.deploy, (code, arguments)), expected);
    }

    function test_constructors_emitInOrder() public {
        _constructorEmits(
            "Asset",
            abi.encode("Asset", "AST", address(this), address(this), 1),
            "Asset.OwnershipTransferred, Asset.AssetDeployed, Asset.Transfer"
        );
        _constructorEmits(
            "Registry", abi.encode(address(this)), "Registry.OwnershipTransferred, Registry.InstanceAdded"
        );
        _constructorEmits("Proposals", abi.encode(set.registry, SetLib.N, SetLib.M), "Proposals.ProposalsDeployed");
        _constructorEmits(
            "Governance",
            abi.encode(set.asset, set.proposals, SetLib.configuration()),
            "Governance.GovernanceDeployed, Governance.GovernanceProposerUpdated, Governance.ConfigurationSet"
        );
        _constructorEmits(
            "Issuer", abi.encode(set.asset, 1, address(this)), "Issuer.OwnershipTransferred, Issuer.IssuerDeployed"
        );
        _constructorEmits(
            "RewardDistributor",
            abi.encode(set.asset, set.registry, 1, address(this)),
            "RewardDistributor.OwnershipTransferred, RewardDistributor.RewardDistributorDeployed, "
            "RewardDistributor.RegistryUpdated"
        );
        _constructorEmits("Expect", "", "");
        _constructorEmits("Rollup", abi.encode(_parameters()), "Rollup.OwnershipTransferred, Rollup.RollupDeployed");
    }

    function test_asset_emitsInOrder() public {
        (address owner, uint256 key) = account("owner");
        address target = address(set.asset);
        _emits(address(this), target, abi.encodeCall(IERC20.transfer, (owner, 2)), "Asset.Transfer");
        _emits(owner, target, abi.encodeCall(IERC20.approve, (address(this), 1)), "Asset.Approval");
        _emits(
            address(this),
            target,
            abi.encodeCall(IERC20.transferFrom, (owner, address(this), 1)),
            "Asset.Approval, Asset.Transfer"
        );
        bytes memory permit = _permit(owner, address(this), key);
        _emits(owner, target, permit, "Asset.PermitUsed, Asset.Approval");
        // The greatest allowance doesn't change.
        _emits(address(this), target, abi.encodeCall(IERC20.transferFrom, (owner, address(this), 1)), "Asset.Transfer");
        _emits(address(set.issuer), target, abi.encodeCall(IAsset.mint, (owner, 1)), "Asset.Transfer");
    }

    /// @dev Of the greatest allowance.
    function _permit(address owner, address spender, uint256 key) private view returns (bytes memory) {
        PermitMessage memory permit = PermitMessage(owner, spender, type(uint256).max, 0, type(uint256).max);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, TypedData.digestOf(permit, block.chainid, address(set.asset)));
        return abi.encodeCall(IERC20Permit.permit, (owner, spender, permit.value, permit.deadline, v, r, s));
    }

    function test_ownedContracts_emitInOrder() public {
        address governance = address(set.governance);
        skip(1);
        _emits(
            governance,
            address(set.issuer),
            abi.encodeCall(IIssuer.mint, (address(1), 1)),
            "Issuer.Minted, Asset.Transfer"
        );
        _emits(
            governance,
            address(set.registry),
            abi.encodeCall(IRegistry.upgrade, (address(SetLib.rollup(set)))),
            "Registry.InstanceAdded"
        );
        _emits(
            governance,
            address(set.rewardDistributor),
            abi.encodeCall(IRewardDistributor.updateRegistry, (address(set.registry))),
            "RewardDistributor.RegistryUpdated"
        );
        _emits(
            address(set.issuer),
            address(set.asset),
            abi.encodeCall(Ownable2Step.transferOwnership, (governance)),
            "Asset.OwnershipTransferStarted"
        );
        _emits(
            address(this),
            governance,
            abi.encodeCall(IGovernance.acceptOwnership, (address(set.asset))),
            "Asset.OwnershipTransferred"
        );
    }

    /*//////////////////////////////////////////////////////////////
                                ROLLUP
    //////////////////////////////////////////////////////////////*/

    /// @dev In every epoch the first call records a seed before it does anything else.
    function test_rollup_emitsInOrder() public {
        address target = address(rollup);
        address owner = address(set.governance);
        IRollup next = SetLib.rollup(_parameters());
        emitterNames[address(next)] = "Next";
        _join(2);
        _join(3);

        _toSecondSlot(1);
        _emits(
            address(this),
            target,
            abi.encodeCall(IRollup.deposit, (_attester(1), _proposer(1), _withdrawer(1), STAKE)),
            "Rollup.SeedRecorded, Rollup.Deposit, Asset.Approval, Asset.Transfer"
        );
        _emits(address(this), target, abi.encodeCall(IRollup.setupEpoch, ()), "");
        _toSecondSlot(2);
        _emits(address(this), target, abi.encodeCall(IRollup.setupEpoch, ()), "Rollup.SeedRecorded");
        _toSecondSlot(3);
        _emits(
            _withdrawer(1),
            target,
            abi.encodeCall(IRollup.setCoinbase, (_attester(1), _recipient(1))),
            "Rollup.SeedRecorded, Rollup.CoinbaseSet"
        );
        _toSecondSlot(4);
        _emits(
            _withdrawer(1),
            target,
            abi.encodeCall(IRollup.initiateMove, (_attester(1), address(next))),
            "Rollup.SeedRecorded, Rollup.MoveInitiated"
        );
        _toSecondSlot(5);
        _emits(
            _withdrawer(2),
            target,
            abi.encodeCall(IRollup.initiateWithdraw, (_attester(2), _recipient(2))),
            "Rollup.SeedRecorded, Rollup.WithdrawInitiated"
        );
        _toSecondSlot(6);
        _emits(owner, target, abi.encodeCall(IRollup.slash, (_attester(3), 1)), "Rollup.SeedRecorded, Rollup.Slashed");
        _makeCanonical(address(next));
        _toSecondSlot(7);
        _emits(
            address(this),
            target,
            _moveCall(_attester(1)),
            "Rollup.SeedRecorded, Rollup.MoveFinalised, Asset.Approval, "
            "Next.SeedRecorded, Next.Deposit, Asset.Approval, Asset.Transfer"
        );
        _toSecondSlot(8);
        _emits(
            address(this),
            target,
            abi.encodeCall(IRollup.finaliseWithdraw, (_attester(2))),
            "Rollup.SeedRecorded, Rollup.WithdrawFinalised, Asset.Transfer"
        );
        _toSecondSlot(9);
        _emits(
            owner,
            target,
            abi.encodeCall(Ownable2Step.transferOwnership, (address(this))),
            "Rollup.SeedRecorded, Rollup.OwnershipTransferStarted"
        );
        _toSecondSlot(10);
        _emits(
            address(this),
            target,
            abi.encodeCall(Ownable2Step.acceptOwnership, ()),
            "Rollup.SeedRecorded, Rollup.OwnershipTransferred"
        );
    }

    function test_rollup_aBlockAndItsRewardEmitInOrder() public {
        set.asset.transfer(address(set.rewardDistributor), SetLib.REWARD);
        _join(1);
        _toSeededEpoch(2);
        _toSecondSlot(2);
        _emits(
            _proposer(1),
            address(rollup),
            abi.encodeCall(IRollup.proposeBlock, ("block")),
            "Rollup.SeedRecorded, Rollup.BlockProposed, RewardDistributor.RewardPaid, Asset.Transfer"
        );
    }

    /*//////////////////////////////////////////////////////////////
                        PROPOSALS AND GOVERNANCE
    //////////////////////////////////////////////////////////////*/

    /// @dev A payload that mints one unit.
    function _payload() private returns (address) {
        Action[] memory actions = new Action[](1);
        actions[0] = Action(address(set.issuer), abi.encodeCall(IIssuer.mint, (address(1), 1)));
        return address(new ListPayload(actions));
    }

    /// @dev From the first signal to the execution.
    function test_upgrade_emitsInOrder() public {
        address payload = _payload();
        uint256 first = 2 * SetLib.M;
        _join(1);
        set.governance.deposit(address(this), SetLib.SUPPLY / 2);
        for (uint256 i; i < SetLib.N; ++i) {
            _toSlot(first + i);
            string memory expected = "Proposals.SlotUsed, Proposals.VoteCast";
            if (i == 0) expected = string.concat("Proposals.PayloadSeen, ", expected);
            if (i == SetLib.N - 1) expected = string.concat(expected, ", Proposals.QuorumReached");
            _emits(_proposer(1), address(set.proposals), abi.encodeCall(IProposals.vote, (payload)), expected);
        }
        vm.warp(START + (first + SetLib.M) * SetLib.SLOT);
        _emits(
            address(this),
            address(set.proposals),
            abi.encodeCall(IProposals.pushProposal, (2)),
            "Proposals.ProposalPushed, Governance.Proposed, Governance.ProposalFrozen"
        );

        (address voter, uint256 key) = account("voter");
        set.governance.deposit(voter, 1);
        skip(1 hours + 1);
        address target = address(set.governance);
        _emits(
            address(this), target, abi.encodeCall(IGovernance.vote, (0, SetLib.SUPPLY / 2, true)), "Governance.VoteCast"
        );
        BallotMessage memory b = BallotMessage(0, set.governance.actionsHash(0), 1, false, voter, 0, type(uint256).max);
        _emits(
            address(this),
            target,
            abi.encodeCall(IGovernance.voteWithSig, (0, 1, false, voter, b.deadline, TypedData.sign(key, b, target))),
            "Governance.NonceUsed, Governance.VoteCast"
        );
        _emits(voter, target, abi.encodeCall(IGovernance.invalidateBallots, (0)), "Governance.BallotsInvalidated");
        skip(2 hours);
        _emits(
            address(this),
            target,
            abi.encodeCall(IGovernance.execute, (0)),
            "Governance.ProposalExecuted, Issuer.Minted, Asset.Transfer"
        );
    }

    function test_governance_emitsInOrder() public {
        (address holder, uint256 key) = account("holder");
        address target = address(set.governance);
        // The allowance isn't the greatest one, so it changes.
        set.asset.approve(target, SetLib.SUPPLY);
        _emits(
            address(this),
            target,
            abi.encodeCall(IGovernance.deposit, (holder, 2000e18)),
            "Asset.Approval, Asset.Transfer, Governance.Deposit"
        );
        set.asset.transfer(holder, 1);
        PermitMessage memory permit = PermitMessage(holder, target, 1, 0, type(uint256).max);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, TypedData.digestOf(permit, block.chainid, address(set.asset)));
        _emits(
            holder,
            target,
            abi.encodeCall(IGovernance.depositWithPermit, (holder, 1, permit.deadline, v, r, s)),
            "Asset.PermitUsed, Asset.Approval, Asset.Approval, Asset.Transfer, Governance.Deposit"
        );
        _emits(
            holder,
            target,
            abi.encodeCall(IGovernance.initiateWithdraw, (holder, 1)),
            "Governance.WithdrawInitiated, Governance.WithdrawalQueued"
        );
        _emits(
            holder,
            target,
            abi.encodeCall(IGovernance.proposeWithLock, (_payload(), holder)),
            "Governance.WithdrawInitiated, Governance.WithdrawalQueued, Governance.Proposed, Governance.ProposalFrozen"
        );
        _emits(
            address(set.proposals),
            target,
            abi.encodeCall(IGovernance.propose, (_payload())),
            "Governance.Proposed, Governance.ProposalFrozen"
        );
        _emits(
            target,
            target,
            abi.encodeCall(IGovernance.updateGovernanceProposer, (address(rollup))),
            "Governance.GovernanceProposerUpdated"
        );
        _emits(address(this), target, abi.encodeCall(IGovernance.dropProposal, (1)), "Governance.ProposalDropped");
        _emits(
            target,
            target,
            abi.encodeCall(IGovernance.updateConfiguration, (SetLib.configuration())),
            "Governance.ConfigurationUpdated, Governance.ConfigurationSet"
        );
        skip(3 hours);
        _emits(
            address(this),
            target,
            abi.encodeCall(IGovernance.finaliseWithdraw, (0)),
            "Governance.WithdrawFinalised, Asset.Transfer"
        );
    }
}
