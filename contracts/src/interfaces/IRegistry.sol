// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "./ICommon.sol";

/// @title Registry: the append-only list of rollups, the newest of which is canonical
/// @notice Version 0 is a sentinel at `0x…dEaD`, which stands for no rollup; the first rollup is version 1.
interface IRegistry is ICommon {
    /// @notice A rollup was added to the list and became canonical. The constructor emits it for the sentinel.
    /// @param instance The rollup.
    /// @param version The rollup's place in the list: 0 for the sentinel, from 1 for rollups.
    event InstanceAdded(address indexed instance, uint256 indexed version);

    /// @notice The rollup is in the list already.
    /// @param rollup The rollup that was to be added.
    /// @param version The version that it has.
    error Registry__AlreadyRegistered(address rollup, uint256 version);

    /// @notice The rollup isn't in the list.
    /// @param rollup The address that was asked for.
    error Registry__NotRegistered(address rollup);

    /// @notice Adds a rollup to the list and makes it canonical. Only the owner (Governance) may call.
    /// @dev Reverts with `Registry__AlreadyRegistered` if it is in the list, with `NoCode` if it has no code, and with
    /// `NoAnswer` unless it answers `getCurrentSlot()` with one word and `getCurrentProposer()` with one clean address,
    /// which may be 0.
    /// @param rollup The rollup that becomes canonical.
    /// @return version The version that it gets: one above that of the rollup it replaces.
    function upgrade(address rollup) external returns (uint256 version);

    /// @notice Returns the canonical rollup.
    /// @return The newest rollup; the sentinel before the first upgrade.
    function getRollup() external view returns (address);

    /// @notice Returns the rollup of a version, and when it became canonical.
    /// @param version The rollup's place in the list; 0 is the sentinel.
    /// @return rollup The rollup; 0 for an unknown version.
    /// @return blockNumber The number of the L1 block in which it was added; 0 for an unknown version.
    function getSnapshot(uint256 version) external view returns (address rollup, uint256 blockNumber);

    /// @notice Returns the canonical rollup, and when it became canonical.
    /// @return rollup The newest rollup; the sentinel before the first upgrade.
    /// @return blockNumber The number of the L1 block in which it was added.
    function getCurrentSnapshot() external view returns (address rollup, uint256 blockNumber);

    /// @notice Returns the version of a rollup. Reverts with `Registry__NotRegistered` if it isn't in the list.
    /// @param rollup The rollup that is looked up.
    /// @return The rollup's place in the list: 0 for the sentinel, from 1 for rollups.
    function getVersionFor(address rollup) external view returns (uint256);

    /// @notice Returns whether a rollup is in the list.
    /// @param rollup The address that is looked up.
    /// @return Whether it is or was canonical; true also for the sentinel.
    function isRollupRegistered(address rollup) external view returns (bool);

    /// @notice Returns the number of versions.
    /// @return The number of rollups in the list plus one, for the sentinel.
    function numberOfVersions() external view returns (uint256);

    /// @notice Returns the Governance contract that decides about the list.
    /// @return The Registry's owner: Governance, once the set is deployed.
    function getGovernance() external view returns (address);
}
