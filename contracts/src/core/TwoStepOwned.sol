// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {ICommon} from "../interfaces/ICommon.sol";

/// @title Ownership that is transferred in two steps and can't be renounced
abstract contract TwoStepOwned is ICommon, Ownable2Step {
    /// @param initialOwner The first owner; not 0.
    constructor(address initialOwner) Ownable(initialOwner) {}

    /// @notice Always reverts: a contract without an owner could never be upgraded again.
    function renounceOwnership() public pure override {
        revert OwnershipCannotBeRenounced();
    }
}
