// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "canon/interfaces/ICommon.sol";
import {TwoStepOwned} from "canon/core/TwoStepOwned.sol";
import {Proof} from "../Proof.sol";

contract Owned is TwoStepOwned {
    constructor(address initialOwner) TwoStepOwned(initialOwner) {}
}

/// @title Ownership that is transferred in two steps and can't be renounced
contract TwoStepOwnedProof is Proof {
    /// @notice Whoever calls whatever with whatever argument: the owner changes only if the pending one accepts, and then to
    /// it; the pending owner changes only if the owner names another, or by that acceptance.
    function check_onlyThePendingOwnerBecomesOwner(address owner, address pending, address caller, bytes4 selector, address argument)
        external
    {
        Owned owned = prepare(owner, pending);
        vm.prank(caller);
        (bool success,) = address(owned).call(abi.encodeWithSelector(selector, argument));
        if (owned.owner() != owner) {
            assert(success && selector == owned.acceptOwnership.selector);
            assert(caller == pending && owned.owner() == pending && owned.pendingOwner() == address(0));
        } else if (owned.pendingOwner() != pending) {
            assert(success && caller == owner);
            assert(selector == owned.transferOwnership.selector && owned.pendingOwner() == argument
                || selector == owned.acceptOwnership.selector && owner == pending);
        }
    }

    /// @notice Nobody can renounce ownership.
    function check_renouncingAlwaysReverts(address owner, address pending, address caller) external {
        Owned owned = prepare(owner, pending);
        vm.prank(caller);
        try owned.renounceOwnership() {
            assert(false);
        } catch (bytes memory reason) {
            assert(same(reason, abi.encodeWithSelector(ICommon.OwnershipCannotBeRenounced.selector)));
        }
        assert(owned.owner() == owner && owned.pendingOwner() == pending);
    }

    /// @notice Wrong: the owner can't change.
    function refute_theOwnerStays(address owner, address pending, address caller) external {
        Owned owned = prepare(owner, pending);
        vm.prank(caller);
        try owned.acceptOwnership() {} catch {}
        assert(owned.owner() == owner);
    }

    function prepare(address owner, address pending) private returns (Owned owned) {
        vm.assume(owner != address(0));
        owned = new Owned(owner);
        vm.prank(owner);
        owned.transferOwnership(pending);
    }
}
