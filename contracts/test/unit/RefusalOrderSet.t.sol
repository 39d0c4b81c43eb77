// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IAsset} from "canon/interfaces/IAsset.sol";
import {IExpect} from "canon/interfaces/IExpect.sol";
import {IIssuer} from "canon/interfaces/IIssuer.sol";
import {IRegistry} from "canon/interfaces/IRegistry.sol";
import {IRewardDistributor} from "canon/interfaces/IRewardDistributor.sol";
import {IRollup} from "canon/interfaces/IRollup.sol";
import {Set, SetLib} from "../Set.sol";
import {PermitMessage, TypedData} from "../TypedData.sol";
import {MeasuredAnswer} from "../mocks/MeasuredAnswer.sol";
import {ScriptedRollup} from "../mocks/ScriptedRollup.sol";
import {RefusalOrderBase} from "./RefusalOrderBase.t.sol";

/// @notice The order of refusals of Asset, Issuer, Registry, RewardDistributor and UpgradePayload. Expect checks one
/// thing at a time.
contract RefusalOrderSetTest is RefusalOrderBase {
    uint256 private constant START = 1_750_000_000;
    bytes4 private constant SLOT = IRollup.getCurrentSlot.selector;
    bytes4 private constant WHO = IRollup.getCurrentProposer.selector;
    address private constant OTHER_CODELESS = address(0xDEFEC8);
    address private constant HOLDER = address(0xA11CE);

    Set internal set;

    function setUp() public {
        vm.warp(START);
        set = SetLib.deploy(address(this));
    }

    function _badReceiver() private pure returns (bytes memory) {
        return abi.encodeWithSelector(IERC20Errors.ERC20InvalidReceiver.selector, address(0));
    }

    function _noBalance(address holder, uint256 needed) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, holder, 0, needed);
    }

    /*//////////////////////////////////////////////////////////////
                                 ASSET
    //////////////////////////////////////////////////////////////*/

    function test_asset_constructor_refusesInOrder() public {
        uint256 max = type(uint96).max;
        _refusedConstruction("Asset", abi.encode("Asset", "AST", address(0), address(0), max + 1), _noOwner());
        _refusedConstruction("Asset", abi.encode("Asset", "AST", HOLDER, address(0), max + 1), _badReceiver());
        _refusedConstruction(
            "Asset",
            abi.encode("Asset", "AST", HOLDER, HOLDER, max + 1),
            abi.encodeWithSelector(IAsset.Asset__SupplyExceeded.selector, 0, max + 1, max)
        );
        _acceptedConstruction("Asset", abi.encode("Asset", "AST", HOLDER, HOLDER, max));
    }

    function test_asset_transfer_refusesInOrder() public {
        address target = address(set.asset);
        _refused(HOLDER, target, abi.encodeCall(IERC20.transfer, (address(0), 1)), _badReceiver());
        _refused(HOLDER, target, abi.encodeCall(IERC20.transfer, (STRANGER, 1)), _noBalance(HOLDER, 1));
        set.asset.transfer(HOLDER, 1);
        _accepted(HOLDER, target, abi.encodeCall(IERC20.transfer, (STRANGER, 1)));
    }

    function test_asset_transferFrom_refusesInOrder() public {
        address target = address(set.asset);
        bytes memory call_ = abi.encodeCall(IERC20.transferFrom, (HOLDER, address(0), 1));
        _refused(
            STRANGER,
            target,
            call_,
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, STRANGER, 0, 1)
        );
        _accepted(HOLDER, target, abi.encodeCall(IERC20.approve, (STRANGER, 1)));
        _refused(STRANGER, target, call_, _badReceiver());
        call_ = abi.encodeCall(IERC20.transferFrom, (HOLDER, STRANGER, 1));
        _refused(STRANGER, target, call_, _noBalance(HOLDER, 1));
        set.asset.transfer(HOLDER, 1);
        _accepted(STRANGER, target, call_);
    }

    function test_asset_mint_refusesInOrder() public {
        address target = address(set.asset);
        address owner = address(set.issuer);
        uint256 max = type(uint96).max;
        uint256 tooMuch = max - SetLib.SUPPLY + 1;
        _refused(STRANGER, target, abi.encodeCall(IAsset.mint, (address(0), tooMuch)), _notOwner(STRANGER));
        _refused(owner, target, abi.encodeCall(IAsset.mint, (address(0), tooMuch)), _badReceiver());
        _refused(
            owner,
            target,
            abi.encodeCall(IAsset.mint, (HOLDER, tooMuch)),
            abi.encodeWithSelector(IAsset.Asset__SupplyExceeded.selector, SetLib.SUPPLY, tooMuch, max)
        );
        _accepted(owner, target, abi.encodeCall(IAsset.mint, (HOLDER, tooMuch - 1)));
    }

    /// @dev A signature that recovers no address isn't another account's, so those two are never wrong together.
    function test_asset_permit_refusesInOrder() public {
        (address owner, uint256 key) = account("owner");
        address target = address(set.asset);
        bytes memory expired = abi.encodeWithSelector(IAsset.ERC2612ExpiredSignature.selector, START - 1);
        _refused(STRANGER, target, _permit(owner, address(0), START - 1, 0), expired);
        _refused(STRANGER, target, _permit(owner, address(0), START - 1, uint256(keccak256("other"))), expired);
        _refused(
            STRANGER,
            target,
            _permit(owner, address(0), START, 0),
            abi.encodeWithSelector(ECDSA.ECDSAInvalidSignature.selector)
        );
        uint256 otherKey = uint256(keccak256("other"));
        _refused(
            STRANGER,
            target,
            _permit(owner, address(0), START, otherKey),
            abi.encodeWithSelector(IAsset.ERC2612InvalidSigner.selector, vm.addr(otherKey), owner)
        );
        _refused(
            STRANGER,
            target,
            _permit(owner, address(0), START, key),
            abi.encodeWithSelector(IERC20Errors.ERC20InvalidSpender.selector, address(0))
        );
        _accepted(STRANGER, target, _permit(owner, STRANGER, START, key));
    }

    /// @dev A permit of one unit signed with `key`; with a signature that recovers no address if that is 0.
    function _permit(address owner, address spender, uint256 deadline, uint256 key)
        private
        view
        returns (bytes memory)
    {
        PermitMessage memory permit = PermitMessage(owner, spender, 1, 0, deadline);
        (uint8 v, bytes32 r, bytes32 s) = (0, bytes32(0), bytes32(0));
        if (key != 0) (v, r, s) = vm.sign(key, TypedData.digestOf(permit, block.chainid, address(set.asset)));
        return abi.encodeCall(IERC20Permit.permit, (owner, spender, 1, deadline, v, r, s));
    }

    /*//////////////////////////////////////////////////////////////
                                ISSUER
    //////////////////////////////////////////////////////////////*/

    function test_issuer_constructor_refusesInOrder() public {
        uint256 max = type(uint96).max;
        _refusedConstruction("Issuer", abi.encode(CODELESS, max + 1, address(0)), _noOwner());
        _refusedConstruction("Issuer", abi.encode(CODELESS, max + 1, HOLDER), _noCode(CODELESS));
        _refusedConstruction("Issuer", abi.encode(set.asset, max + 1, HOLDER), _tooLarge(max + 1, max));
        _acceptedConstruction("Issuer", abi.encode(set.asset, max, HOLDER));
    }

    /// @dev Nothing is never more than what is available. What the asset refuses comes last.
    function test_issuer_mint_refusesInOrder() public {
        address target = address(set.issuer);
        address owner = address(set.governance);
        bytes memory nothing = abi.encodeCall(IIssuer.mint, (address(0), 0));
        bytes memory one = abi.encodeCall(IIssuer.mint, (address(0), 1));
        _refused(STRANGER, target, nothing, _notOwner(STRANGER));
        _refused(STRANGER, target, one, _notOwner(STRANGER));
        _refused(owner, target, nothing, abi.encodeWithSelector(IIssuer.Issuer__ZeroAmount.selector));
        _refused(owner, target, one, abi.encodeWithSelector(IIssuer.Issuer__InsufficientMintAvailable.selector, 0, 1));
        skip(1);
        _refused(owner, target, one, _badReceiver());
        _accepted(owner, target, abi.encodeCall(IIssuer.mint, (HOLDER, 1)));
    }

    /*//////////////////////////////////////////////////////////////
                               REGISTRY
    //////////////////////////////////////////////////////////////*/

    function test_registry_upgrade_refusesInOrder() public {
        address target = address(set.registry);
        address owner = address(set.governance);
        // The sentinel has a version, but no code.
        bytes memory call_ = abi.encodeCall(IRegistry.upgrade, (address(0xdEaD)));
        _refused(STRANGER, target, call_, _notOwner(STRANGER));
        _refused(
            owner,
            target,
            call_,
            abi.encodeWithSelector(IRegistry.Registry__AlreadyRegistered.selector, address(0xdEaD), 0)
        );
        // An account without code doesn't answer either.
        _refused(owner, target, abi.encodeCall(IRegistry.upgrade, (CODELESS)), _noCode(CODELESS));
        ScriptedRollup rollup = new ScriptedRollup();
        call_ = abi.encodeCall(IRegistry.upgrade, (address(rollup)));
        _refused(owner, target, call_, _noAnswer(address(rollup), SLOT));
        rollup.answer(SLOT, abi.encode(0));
        _refused(owner, target, call_, _noAnswer(address(rollup), WHO));
        rollup.answer(WHO, abi.encode(0));
        _accepted(owner, target, call_);

        // Registered, and silent since then.
        rollup.answer(SLOT, "");
        _refused(
            owner,
            target,
            call_,
            abi.encodeWithSelector(IRegistry.Registry__AlreadyRegistered.selector, address(rollup), 2)
        );
    }

    /*//////////////////////////////////////////////////////////////
                          REWARD DISTRIBUTOR
    //////////////////////////////////////////////////////////////*/

    function test_rewardDistributor_constructor_refusesInOrder() public {
        string memory name = "RewardDistributor";
        uint256 max = type(uint96).max;
        _refusedConstruction(name, abi.encode(CODELESS, OTHER_CODELESS, max + 1, address(0)), _noOwner());
        _refusedConstruction(name, abi.encode(CODELESS, OTHER_CODELESS, max + 1, HOLDER), _noCode(CODELESS));
        _refusedConstruction(name, abi.encode(set.asset, OTHER_CODELESS, max + 1, HOLDER), _tooLarge(max + 1, max));
        _refusedConstruction(name, abi.encode(set.asset, OTHER_CODELESS, max, HOLDER), _noCode(OTHER_CODELESS));
        _acceptedConstruction(name, abi.encode(set.asset, set.registry, max, HOLDER));
    }

    /// @dev A slot that was paid is never in the future. What the asset refuses comes last.
    function test_rewardDistributor_claim_refusesInOrder() public {
        address target = address(set.rewardDistributor);
        address rollup = address(new ScriptedRollup());
        bytes memory call_ = abi.encodeCall(IRewardDistributor.claim, (address(0)));
        _refused(
            rollup,
            target,
            call_,
            abi.encodeWithSelector(
                IRewardDistributor.RewardDistributor__NotCanonical.selector, rollup, address(set.rollup)
            )
        );

        ScriptedRollup(rollup).set(5, address(0));
        _accepted(address(set.governance), address(set.registry), abi.encodeCall(IRegistry.upgrade, (rollup)));
        _accepted(rollup, target, abi.encodeCall(IRewardDistributor.claim, (HOLDER)));
        set.asset.transfer(target, 1);
        ScriptedRollup(rollup).answer(SLOT, "");
        _refused(rollup, target, call_, _noAnswer(rollup, SLOT));
        ScriptedRollup(rollup).answer(SLOT, abi.encode(START + 1));
        _refused(
            rollup,
            target,
            call_,
            abi.encodeWithSelector(IRewardDistributor.RewardDistributor__SlotInFuture.selector, START + 1, START)
        );
        ScriptedRollup(rollup).answer(SLOT, abi.encode(5));
        _refused(
            rollup,
            target,
            call_,
            abi.encodeWithSelector(IRewardDistributor.RewardDistributor__SlotAlreadyPaid.selector, 5, 5)
        );
        ScriptedRollup(rollup).answer(SLOT, abi.encode(6));
        _refused(
            rollup,
            target,
            call_,
            abi.encodeWithSelector(IRewardDistributor.RewardDistributor__AlreadyPaidNow.selector, START)
        );
        skip(1);
        _refused(rollup, target, call_, _badReceiver());
        _accepted(rollup, target, abi.encodeCall(IRewardDistributor.claim, (HOLDER)));
    }

    function test_rewardDistributor_updateRegistry_refusesInOrder() public {
        address target = address(set.rewardDistributor);
        address owner = address(set.governance);
        bytes memory call_ = abi.encodeCall(IRewardDistributor.updateRegistry, (CODELESS));
        _refused(STRANGER, target, call_, _notOwner(STRANGER));
        _refused(owner, target, call_, _noCode(CODELESS));
        _accepted(owner, target, abi.encodeCall(IRewardDistributor.updateRegistry, (address(set.registry))));
    }

    /*//////////////////////////////////////////////////////////////
                            UPGRADE PAYLOAD
    //////////////////////////////////////////////////////////////*/

    function test_upgradePayload_constructor_refusesInOrder() public {
        MeasuredAnswer registry = new MeasuredAnswer();
        registry.distort(IRegistry.getGovernance.selector, 31, false);
        bytes32 hash = keccak256("init code");
        address created = SetLib.addressOf(0, hash);

        _refusedPayload(CODELESS, OTHER_CODELESS, STRANGER, hash, _noCode(CODELESS));
        _refusedPayload(address(set.expect), OTHER_CODELESS, STRANGER, hash, _noCode(OTHER_CODELESS));
        _refusedPayload(address(set.expect), address(registry), STRANGER, hash, _noCode(STRANGER));
        _refusedPayload(
            address(set.expect),
            address(registry),
            address(set.rollup),
            hash,
            abi.encodeWithSelector(IExpect.Expect__Creation.selector, created, address(set.rollup))
        );
        vm.etch(created, hex"c0de");
        _refusedPayload(
            address(set.expect),
            address(registry),
            created,
            hash,
            _noAnswer(address(registry), IRegistry.getGovernance.selector)
        );
        _acceptedConstruction(
            "UpgradePayload", _payloadArguments(address(set.expect), address(set.registry), created, hash)
        );
    }

    function _refusedPayload(
        address expect,
        address registry,
        address newRollup,
        bytes32 initCodeHash,
        bytes memory refusal
    ) private {
        _refusedConstruction("UpgradePayload", _payloadArguments(expect, registry, newRollup, initCodeHash), refusal);
    }

    function _payloadArguments(address expect, address registry, address newRollup, bytes32 initCodeHash)
        private
        pure
        returns (bytes memory)
    {
        return abi.encode(
            expect, registry, newRollup, address(0), SetLib.FACTORY, bytes32(0), initCodeHash, "https://example.org"
        );
    }
}
