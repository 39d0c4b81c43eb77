// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {Configuration, IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {IIssuer} from "canon/interfaces/IIssuer.sol";
import {Action} from "canon/interfaces/IPayload.sol";
import {IRegistry} from "canon/interfaces/IRegistry.sol";
import {IRollup} from "canon/interfaces/IRollup.sol";
import {Vm} from "../Vm.sol";
import {Payloads} from "./Payloads.sol";
import {Rule} from "./Rules.sol";

/// @notice What recorded events and calls show: what was published, what was executed, and its consequences.
abstract contract Recorder is Payloads {
    /// @dev Versions of the Registry, the sentinel first.
    address[] internal versions;
    /// @dev Who may own the RewardDistributor; governance may give it away.
    address internal distributorOwner;
    address internal distributorPendingOwner;
    uint256 internal supply;

    /// @dev The executions of the last call that weren't undone: recorded events include those of failed inner calls.
    uint256[] private _executions;
    bool private _undone;

    function _record() internal {
        vm.recordLogs();
        vm.startStateDiffRecording();
    }

    /// @dev The actions of the last `ProposalFrozen`.
    function _publishedActions() internal returns (Action[] memory actions) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].emitter != address(governance)) continue;
            if (logs[i].topics[0] != IGovernance.ProposalFrozen.selector) continue;
            bytes32 actionsHash;
            (, actionsHash, actions) = abi.decode(logs[i].data, (uint256, bytes32, Action[]));
            _check(keccak256(abi.encode(actions)) == actionsHash, Rule.PublishedActions, "published with another hash");
        }
    }

    /// @dev The calls that Governance made itself, without those of anything that its targets called.
    function _checkCalls(uint256 id, bool success) internal {
        Vm.AccountAccess[] memory accesses = vm.stopAndReturnStateDiff();
        delete _executions;
        if (!success) return;
        uint256 made;
        uint256 depth;
        for (uint256 i; i < accesses.length; ++i) {
            Vm.AccountAccess memory a = accesses[i];
            if (a.kind != Vm.AccessKind.Call) continue;
            if (a.account == address(governance) && !a.reverted) _noteExecution(a.data);
            if (depth == 0) {
                if (a.account == address(governance)) depth = a.depth + 1;
                continue;
            }
            if (a.accessor != address(governance) || a.depth != depth) continue;
            bool planned = made < published[id].length && a.value == 0 && !a.reverted;
            if (planned) {
                Action storage action = published[id][made];
                planned = a.account == action.target && keccak256(a.data) == keccak256(action.data);
            }
            _check(planned, Rule.PublishedActions, "made a call that wasn't published");
            ++made;
        }
        _check(made == published[id].length, Rule.PublishedActions, "left out a published call");
    }

    function _noteExecution(bytes memory data) private {
        bytes4 selector = bytes4(data);
        if (selector != IGovernance.execute.selector && selector != IGovernance.executeWith.selector) return;
        uint256 id;
        assembly ("memory-safe") {
            id := mload(add(data, 36))
        }
        _executions.push(id);
    }

    /// @dev Whether the execution of `id` that an event reports wasn't undone; each counts once.
    function _happened(uint256 id) private returns (bool) {
        for (uint256 i; i < _executions.length; ++i) {
            if (_executions[i] != id) continue;
            _executions[i] = _executions[_executions.length - 1];
            _executions.pop();
            return true;
        }
        return false;
    }

    /// @dev What followed from an execution, in the order of its events.
    function _learn() internal {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            Vm.Log memory log = logs[i];
            bytes32 topic = log.topics[0];
            if (log.emitter == address(governance) && topic == IGovernance.ProposalExecuted.selector) {
                _undone = !_happened(uint256(log.topics[1]));
            }
            // What an inner execution did before it failed: nothing else follows in our payloads.
            if (_undone) continue;
            if (log.emitter == address(governance)) _learnFromGovernance(log, topic);
            else if (isHonest[log.emitter] && topic == IRollup.Slashed.selector) {
                _slashed(
                    IRollup(log.emitter), address(uint160(uint256(log.topics[1]))), abi.decode(log.data, (uint256))
                );
            } else if (log.emitter == address(registry) && topic == IRegistry.InstanceAdded.selector) {
                _check(uint256(log.topics[2]) == versions.length, Rule.Registry, "another version");
                versions.push(address(uint160(uint256(log.topics[1]))));
                _did(isHonest[versions[versions.length - 1]] ? "upgrade" : "upgradeToHostile");
            } else if (log.emitter == address(set.issuer) && topic == IIssuer.Minted.selector) {
                supply += abi.decode(log.data, (uint256));
                _did("mint");
            } else if (log.emitter == address(distributor) && topic == keccak256("OwnershipTransferStarted(address,address)")) {
                distributorPendingOwner = address(uint160(uint256(log.topics[2])));
            }
        }
        _check(_executions.length == 0, Rule.Execution, "executed without an event");
    }

    function _learnFromGovernance(Vm.Log memory log, bytes32 topic) private {
        if (topic == IGovernance.ProposalExecuted.selector) {
            uint256 id = uint256(log.topics[1]);
            bool executable = _state(id) == ProposalState.Executable;
            _check(executable, Rule.Execution, "executed outside its window, or not accepted");
            _check(items[id].yea > items[id].nea, Rule.Majorities, "executed against a majority that objected in time");
            ++items[id].executions;
            _did(string.concat("executed kind ", vm.toString(kindOf[items[id].payload] % 100)));
        } else if (topic == IGovernance.ConfigurationSet.selector) {
            _check(uint256(log.topics[1]) == configurations, Rule.States, "another configuration id");
            _configured(abi.decode(log.data, (Configuration)));
        } else if (topic == IGovernance.GovernanceProposerUpdated.selector) {
            ++proposerChanges;
            _did("updateGovernanceProposer");
        }
    }

    /*//////////////////////////////////////////////////////////////
                                OWNERSHIP
    //////////////////////////////////////////////////////////////*/

    /// @dev Who was offered the RewardDistributor takes it, or gives it back.
    function passOwnership(uint256 seed) external step(seed) {
        address target = address(distributor);
        if (distributorPendingOwner != address(0) && _chance(2)) {
            bool success;
            if (distributorPendingOwner == address(governance)) {
                (success,) = _call(_holder(), address(governance), abi.encodeCall(IGovernance.acceptOwnership, (target)));
            } else {
                (success,) = _call(distributorPendingOwner, target, abi.encodeCall(Ownable2Step.acceptOwnership, ()));
            }
            _check(success, Rule.Ownership, "the pending owner is refused");
            (distributorOwner, distributorPendingOwner) = (distributorPendingOwner, address(0));
            _did("acceptOwnership");
        } else if (distributorOwner != address(governance)) {
            (bool success,) =
                _call(distributorOwner, target, abi.encodeCall(Ownable2Step.transferOwnership, (address(governance))));
            _check(success, Rule.Ownership, "the owner is refused");
            distributorPendingOwner = address(governance);
        }
    }

    /// @dev Whoever isn't Governance tries what only Governance may do.
    function trespass(uint256 seed) external step(seed) {
        address who = _chance(2) ? stranger : _holder();
        if (_chance(3)) who = address(_proposals());
        address[5] memory owned = [
            address(registry),
            address(set.issuer),
            address(distributor),
            address(_rollup()),
            address(asset)
        ];
        address target = owned[_draw(5)];
        bytes memory data;
        uint256 way = _draw(13);
        if (way == 0) data = abi.encodeCall(Ownable2Step.transferOwnership, (who));
        if (way == 1) data = abi.encodeCall(Ownable2Step.acceptOwnership, ());
        if (way == 2) data = abi.encodeWithSignature("renounceOwnership()");
        if (way == 3) (target, data) = (address(registry), abi.encodeCall(IRegistry.upgrade, (address(_rollup()))));
        if (way == 4) (target, data) = (address(set.issuer), abi.encodeCall(IIssuer.mint, (who, 1)));
        if (way == 5) (target, data) = (address(asset), abi.encodeCall(asset.mint, (who, 1)));
        if (way == 6) (target, data) = (address(_rollup()), abi.encodeCall(IRollup.slash, (_attester(), 1)));
        if (way == 7) (target, data) = (address(distributor), abi.encodeCall(distributor.updateRegistry, (target)));
        if (way == 8) {
            (target, data) =
                (address(governance), abi.encodeCall(IGovernance.updateConfiguration, (present)));
        }
        if (way == 9) {
            (target, data) = (address(governance), abi.encodeCall(IGovernance.updateGovernanceProposer, (address(box))));
        }
        if (way == 10) (target, data) = (address(governance), abi.encodeCall(IGovernance.acceptOwnership, (target)));
        if (way == 11) {
            (target, data) = (address(governance), abi.encodeCall(IGovernance.propose, (_payload())));
            if (who == governance.governanceProposer()) who = stranger;
        }
        if (way == 12) (target, data) = (address(set.issuer), abi.encodeCall(IIssuer.acceptAsset, ()));
        // Those who may: the owner of the distributor, and its pending owner.
        if (target == address(distributor) && (who == distributorOwner || who == distributorPendingOwner)) return;
        if (way == 10 && distributorPendingOwner == address(governance)) return;
        (bool success,) = _call(who, target, data);
        _check(!success, Rule.Strangers, string.concat("succeeded: way ", vm.toString(way)));
        _did("trespass");
    }
}
