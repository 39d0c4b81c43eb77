// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {IRegistry} from "canon/interfaces/IRegistry.sol";

/// @notice As much of Governance as Proposals sees, with every answer for a test to choose.
contract ScriptedGovernance {
    address[] public payloads;
    address public lastCaller;
    mapping(uint256 id => ProposalState) public getProposalState;

    address private _listensTo;
    bool private _declines;
    bool private _refuses;
    bytes private _reason;
    bytes private _callback;

    /// @notice How the callback went.
    bool public callbackSucceeded;
    bytes public callbackAnswer;

    function propose(address payload) external returns (bool) {
        if (_refuses) {
            bytes memory reason = _reason;
            assembly ("memory-safe") {
                revert(add(reason, 32), mload(reason))
            }
        }
        if (_callback.length != 0) (callbackSucceeded, callbackAnswer) = msg.sender.call(_callback);
        lastCaller = msg.sender;
        emit IGovernance.Proposed(payloads.length, payload);
        payloads.push(payload);
        return !_declines;
    }

    /// @notice A proposal that came another way, for instance through the lock.
    function proposeElsewhere(address payload) external {
        payloads.push(payload);
    }

    function proposalCount() external view returns (uint256) {
        return payloads.length;
    }

    /// @notice The caller, unless a test chose another Proposals contract.
    function governanceProposer() external view returns (address) {
        return _listensTo == address(0) ? msg.sender : _listensTo;
    }

    function listenTo(address proposals) external {
        _listensTo = proposals;
    }

    function setState(uint256 id, ProposalState state) external {
        getProposalState[id] = state;
    }

    /// @notice From now on `propose` returns false.
    function decline() external {
        _declines = true;
    }

    /// @notice From now on `propose` reverts with `reason`.
    function refuse(bytes calldata reason) external {
        _refuses = true;
        _reason = reason;
    }

    /// @notice From now on `propose` accepts again.
    function acceptAgain() external {
        _refuses = _declines = false;
    }

    /// @notice From now on `propose` calls its caller back with `data`.
    function callBack(bytes calldata data) external {
        _callback = data;
    }

    function acceptOwnership(address target) external {
        Ownable2Step(target).acceptOwnership();
    }

    function transferOwnership(address target, address newOwner) external {
        Ownable2Step(target).transferOwnership(newOwner);
    }

    function upgrade(IRegistry registry, address rollup) external {
        registry.upgrade(rollup);
    }
}
