// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Configuration, IGovernance} from "../interfaces/IGovernance.sol";
import {Code} from "../libraries/Code.sol";
import {SafeCast} from "../libraries/SafeCast.sol";
import {ExitFloor} from "../types/ExitFloor.sol";
import {NewestCheckpoint} from "../types/PowerHistory.sol";
import {ProposerTerm} from "../types/ProposerTerm.sol";
import {LockRules, VotingRules, VotingRulesLibrary} from "../types/VotingRules.sol";
import {GovernanceStorage} from "./GovernanceStorage.sol";

/// @title The part of Governance that it can change itself: its configuration and its Proposals contract
abstract contract GovernanceConfiguration is GovernanceStorage {
    uint256 private constant MIN_DELAY = 60 seconds;
    uint256 private constant MAX_DELAY = 90 days;
    uint256 private constant MAX_LOCK_DELAY = 365 days;

    /// @dev Below 1e18, so that a single unit that abstains or votes against can't block every proposal.
    uint256 private constant MAX_FRACTION = 0.9e18;

    /// @param proposals The first Proposals contract; has code.
    /// @param configuration The first configuration, bounded by the Asset's total supply.
    constructor(address proposals, Configuration memory configuration) {
        _setProposer(proposals);
        uint256 supply = ASSET.totalSupply();
        _checkConfiguration(configuration, supply / 10, supply / 2);
        _storeConfiguration(0, configuration, 0);
    }

    modifier onlySelf() {
        if (msg.sender != address(this)) revert Governance__NotSelf(msg.sender);
        _;
    }

    /*//////////////////////////////////////////////////////////////
                                CHANGES
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IGovernance
    function updateConfiguration(Configuration calldata configuration) external onlySelf {
        ProposerTerm term = _term;
        uint256 oldId = term.configurationId();
        (VotingRules oldRules, LockRules memory oldLockRules) = _rulesOf(oldId);

        // A value that isn't raised stays allowed even if power has fallen since it was set.
        NewestCheckpoint newest = _totalPower.newest;
        uint256 total = newest.amount();
        Configuration memory c = configuration;
        _checkConfiguration(
            c, Math.max(oldLockRules.lockAmount, total / 10), Math.max(oldRules.minimumVotes(), total / 2)
        );

        uint256 time = _sinceOrigin();
        uint256 until =
            time + oldRules.votingDelay() + oldRules.votingDuration() + oldRules.executionDelay();
        _totalPower.newest =
            _withFloor(newest, _floorIn(newest).withReplaced(time, oldRules.exitDelay(), until));

        term = term.withConfiguration();
        _term = term;
        emit ConfigurationUpdated(block.timestamp);
        uint256 age = oldRules.lockRulesAge() + 1;
        bool keepsLockRules = age <= VotingRulesLibrary.MAX_LOCK_RULES_AGE
            && c.voteDifferential == oldLockRules.voteDifferential
            && c.proposeConfig.lockDelay == oldLockRules.lockDelay
            && c.proposeConfig.lockAmount == oldLockRules.lockAmount;
        _storeConfiguration(oldId + 1, c, keepsLockRules ? age : 0);
    }

    /// @inheritdoc IGovernance
    function updateGovernanceProposer(address newGovernanceProposer) external onlySelf {
        _setProposer(newGovernanceProposer);
    }

    /// @inheritdoc IGovernance
    function acceptOwnership(address target) external {
        Code.requireAt(target);
        Ownable2Step(target).acceptOwnership();
    }

    function _setProposer(address proposer) private {
        ProposerTerm term = _term;
        if (proposer == address(this) || proposer == term.proposer()) {
            revert Governance__InvalidGovernanceProposer(proposer);
        }
        Code.requireAt(proposer);
        _term = term.withProposer(proposer);
        emit GovernanceProposerUpdated(proposer);
    }

    /*//////////////////////////////////////////////////////////////
                          BOUNDS AND STORAGE
    //////////////////////////////////////////////////////////////*/

    function _checkConfiguration(Configuration memory c, uint256 maxLockAmount, uint256 maxMinimumVotes) private pure {
        _checkBounds("lockDelay", c.proposeConfig.lockDelay, MIN_DELAY, MAX_LOCK_DELAY);
        _checkBounds("lockAmount", c.proposeConfig.lockAmount, 2, maxLockAmount);
        _checkBounds("votingDelay", c.votingDelay, MIN_DELAY, MAX_DELAY);
        _checkBounds("votingDuration", c.votingDuration, MIN_DELAY, MAX_DELAY);
        _checkBounds("executionDelay", c.executionDelay, MIN_DELAY, MAX_DELAY);
        _checkBounds("gracePeriod", c.gracePeriod, MIN_DELAY, MAX_DELAY);
        _checkBounds("quorum", c.quorum, 1, MAX_FRACTION);
        _checkBounds("voteDifferential", c.voteDifferential, 0, MAX_FRACTION);
        _checkBounds("minimumVotes", c.minimumVotes, 1, maxMinimumVotes);
    }

    function _checkBounds(bytes32 field, uint256 value, uint256 min, uint256 max) private pure {
        if (value < min || value > max) revert Governance__OutOfBounds(field, value, min, max);
    }

    /// @dev Stores configuration `id`, whose lock rules are stored with it (`lockRulesAge` 0) or were `lockRulesAge`
    /// configurations ago. The bounds make all fields fit except for the amounts: at construction those are bounded by a
    /// supply that the Asset reports, which may exceed 96 bits.
    function _storeConfiguration(uint256 id, Configuration memory c, uint256 lockRulesAge) private {
        SafeCast.requireAtMost(c.minimumVotes, type(uint96).max);
        _votingRules[id] = VotingRulesLibrary.pack(c, lockRulesAge);
        if (lockRulesAge == 0) {
            _lockRules[id] = LockRules({
                voteDifferential: uint64(c.voteDifferential),
                lockDelay: uint32(c.proposeConfig.lockDelay),
                lockAmount: SafeCast.toUint96(c.proposeConfig.lockAmount)
            });
        }
        emit ConfigurationSet(id, c);
    }

    /// @dev The two words of configuration `id`.
    function _rulesOf(uint256 id) internal view returns (VotingRules rules, LockRules storage lockRules) {
        rules = _votingRules[id];
        lockRules = _lockRulesOf(id, rules);
    }

    /// @dev The second word of configuration `id`, whose first one is `rules`.
    function _lockRulesOf(uint256 id, VotingRules rules) internal view returns (LockRules storage) {
        unchecked {
            return _lockRules[id - rules.lockRulesAge()];
        }
    }

    /// @dev The exit floor beside `total`, the newest checkpoint of all power.
    function _floorIn(NewestCheckpoint total) internal pure returns (ExitFloor) {
        return ExitFloor.wrap(uint96(total.companion()));
    }

    function _withFloor(NewestCheckpoint total, ExitFloor floor) internal pure returns (NewestCheckpoint) {
        return total.withCompanion(ExitFloor.unwrap(floor));
    }

    /*//////////////////////////////////////////////////////////////
                                 VIEWS
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IGovernance
    function getConfiguration() external view returns (Configuration memory) {
        return _configuration(_term.configurationId());
    }

    /// @inheritdoc IGovernance
    function configurationAt(uint256 id) external view returns (Configuration memory) {
        if (id >= numberOfConfigurations()) revert Governance__UnknownConfiguration(id, numberOfConfigurations());
        return _configuration(id);
    }

    /// @inheritdoc IGovernance
    function numberOfConfigurations() public view returns (uint256) {
        return _term.configurationId() + 1;
    }

    /// @inheritdoc IGovernance
    function governanceProposer() external view returns (address) {
        return _term.proposer();
    }

    /// @inheritdoc IGovernance
    function exitFloor() external view returns (uint256 delay, uint256 until) {
        ExitFloor floor = _floorIn(_totalPower.newest);
        delay = floor.delay();
        if (delay != 0) until = ORIGIN + floor.until();
    }

    function _configuration(uint256 id) internal view returns (Configuration memory) {
        (VotingRules rules, LockRules memory lockRules) = _rulesOf(id);
        return rules.unpack(lockRules);
    }
}
