// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IRegistry} from "../interfaces/IRegistry.sol";
import {IRollup} from "../interfaces/IRollup.sol";
import {Code} from "../libraries/Code.sol";
import {StaticCall} from "../libraries/StaticCall.sol";
import {TwoStepOwned} from "./TwoStepOwned.sol";

/// @title Registry: the append-only list of rollups, the newest of which is canonical
contract Registry is IRegistry, TwoStepOwned {
    /// @dev The rollup of version 0: none was deployed yet.
    address private constant SENTINEL = address(0xdEaD);

    /// @dev The newest version in one word, so that the question for the canonical rollup reads one slot.
    struct NewestVersion {
        address rollup;
        uint48 blockNumber;
        uint48 version;
    }

    struct Snapshot {
        address rollup;
        uint96 blockNumber;
    }

    NewestVersion private _newest;

    mapping(uint256 version => Snapshot) private _snapshots;

    /// @dev 0 also for unknown addresses, which `_snapshots` distinguishes from the sentinel.
    mapping(address rollup => uint256 version) private _versionOf;

    /// @param initialOwner The account that may upgrade.
    constructor(address initialOwner) TwoStepOwned(initialOwner) {
        _add(SENTINEL, 0);
    }

    /// @inheritdoc IRegistry
    function upgrade(address rollup) external onlyOwner returns (uint256 version) {
        if (isRollupRegistered(rollup)) revert Registry__AlreadyRegistered(rollup, _versionOf[rollup]);
        Code.requireAt(rollup);
        StaticCall.word(rollup, IRollup.getCurrentSlot.selector);
        StaticCall.addressWord(rollup, IRollup.getCurrentProposer.selector);
        version = numberOfVersions();
        _add(rollup, version);
    }

    /// @inheritdoc IRegistry
    function getRollup() external view returns (address) {
        return _newest.rollup;
    }

    /// @inheritdoc IRegistry
    function getSnapshot(uint256 version) external view returns (address rollup, uint256 blockNumber) {
        Snapshot memory snapshot = _snapshots[version];
        return (snapshot.rollup, snapshot.blockNumber);
    }

    /// @inheritdoc IRegistry
    function getCurrentSnapshot() external view returns (address rollup, uint256 blockNumber) {
        return (_newest.rollup, _newest.blockNumber);
    }

    /// @inheritdoc IRegistry
    function getVersionFor(address rollup) external view returns (uint256) {
        if (!isRollupRegistered(rollup)) revert Registry__NotRegistered(rollup);
        return _versionOf[rollup];
    }

    /// @inheritdoc IRegistry
    function isRollupRegistered(address rollup) public view returns (bool) {
        return _snapshots[_versionOf[rollup]].rollup == rollup;
    }

    /// @inheritdoc IRegistry
    function numberOfVersions() public view returns (uint256) {
        return uint256(_newest.version) + 1;
    }

    /// @inheritdoc IRegistry
    function getGovernance() external view returns (address) {
        return owner();
    }

    /// @dev Block numbers and versions can't reach 2^48 within the life of the chain.
    function _add(address rollup, uint256 version) private {
        _newest = NewestVersion({rollup: rollup, blockNumber: uint48(block.number), version: uint48(version)});
        _snapshots[version] = Snapshot({rollup: rollup, blockNumber: uint96(block.number)});
        _versionOf[rollup] = version;
        emit InstanceAdded(rollup, version);
    }
}
