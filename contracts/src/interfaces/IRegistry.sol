// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "./ICommon.sol";

/// @title The append-only list of rollups; the newest is canonical
/// @notice Version 0 is a sentinel at `0x…dEaD`; the first rollup is version 1.
interface IRegistry is ICommon {
    /// @notice `instance` became canonical as `version`.
    event InstanceAdded(address indexed instance, uint256 indexed version);

    /// @notice `rollup` is listed already, as `version`.
    error Registry__AlreadyRegistered(address rollup, uint256 version);

    /// @notice `rollup` is not listed.
    error Registry__NotRegistered(address rollup);

    /// @notice Makes `rollup` canonical and returns its version. Only the owner (Governance).
    /// @dev Refuses an address that is listed, has no code, or doesn't answer `getCurrentSlot()` and
    /// `getCurrentProposer()` with one clean word each.
    function upgrade(address rollup) external returns (uint256 version);

    /// @notice The canonical rollup; the sentinel before the first upgrade.
    function getRollup() external view returns (address);

    /// @notice Rollup and block number of its upgrade, for `version`; all zero if unknown.
    function getSnapshot(uint256 version) external view returns (address rollup, uint256 blockNumber);

    /// @notice The snapshot of the canonical rollup.
    function getCurrentSnapshot() external view returns (address rollup, uint256 blockNumber);

    /// @notice The version of `rollup`; reverts if it is not listed.
    function getVersionFor(address rollup) external view returns (uint256);

    /// @notice Whether `rollup` is or was canonical.
    function isRollupRegistered(address rollup) external view returns (bool);

    /// @notice How many versions there are, the sentinel included.
    function numberOfVersions() external view returns (uint256);

    /// @notice The owner: Governance, once the set is deployed.
    function getGovernance() external view returns (address);
}
