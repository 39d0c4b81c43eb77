// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {Configuration, IGovernance} from "canon/interfaces/IGovernance.sol";
import {IIssuer} from "canon/interfaces/IIssuer.sol";
import {Action} from "canon/interfaces/IPayload.sol";
import {IRewardDistributor} from "canon/interfaces/IRewardDistributor.sol";
import {IRollup} from "canon/interfaces/IRollup.sol";
import {Box} from "../mocks/Box.sol";
import {ChangeablePayload} from "../mocks/ChangeablePayload.sol";
import {HostileRollup} from "../mocks/HostileRollup.sol";
import {ListPayload} from "../mocks/ListPayload.sol";
import {ProxyPayload} from "../mocks/ProxyPayload.sol";
import {Reentrant} from "../mocks/Reentrant.sol";
import {SetLib} from "../Set.sol";
import {GovernanceModel} from "./GovernanceModel.sol";

/// @notice Payloads of every kind, honest and hostile.
abstract contract Payloads is GovernanceModel {
    uint256 internal constant KINDS = 19;
    uint256 internal constant MOST_ROLLUPS = 16;

    address[] internal payloads;
    mapping(address payload => uint256) internal kindOf;
    Box internal box = new Box();
    Box internal refusingBox = new Box();
    FloodingProposals internal flooder;

    function makePayload(uint256 seed) external step(seed) {
        _makePayload(_draw(KINDS));
    }

    function _payload() internal returns (address) {
        if (payloads.length == 0) return _makePayload(0);
        // Mostly a recent one.
        uint256 last = payloads.length > 4 && !_chance(3) ? 4 : payloads.length;
        return payloads[payloads.length - 1 - _draw(last)];
    }

    function _makePayload(uint256 kind) internal returns (address payload) {
        if (kind == 4) payload = _fickle(_one(address(box), abi.encodeCall(Box.set, (_draw(1000)))));
        else if (kind == 5) payload = address(new ProxyPayload(_list(_boxCall())));
        else if (kind == 6) payload = _fickle(new Action[](0));
        else if (kind == 10 || kind == 11) payload = _upgrade(kind == 11);
        else payload = _list(_actions(kind));
        payloads.push(payload);
        kindOf[payload] = kind;
        _did("makePayload");
    }

    function _list(Action[] memory actions) private returns (address) {
        return address(new ListPayload(actions));
    }

    function _fickle(Action[] memory actions) private returns (address) {
        ChangeablePayload changeable = new ChangeablePayload();
        changeable.set(actions);
        return address(changeable);
    }

    function _one(address target, bytes memory data) internal pure returns (Action[] memory actions) {
        actions = new Action[](1);
        actions[0] = Action(target, data);
    }

    function _boxCall() private returns (Action[] memory) {
        return _one(address(box), abi.encodeCall(Box.set, (_draw(1000))));
    }

    function _actions(uint256 kind) private returns (Action[] memory actions) {
        if (kind == 1) {
            actions = new Action[](2);
            actions[0] = _boxCall()[0];
            actions[1] = _boxCall()[0];
            return actions;
        }
        if (kind == 2) return _one(address(refusingBox), abi.encodeCall(Box.set, (_draw(1000))));
        if (kind == 3) return _one(address(_reentrant()), "poke");
        if (kind == 7) return _one(address(asset), abi.encodeCall(asset.transfer, (stranger, 1)));
        if (kind == 8) return _one(_chance(2) ? address(0xC0DE1E55) : holders[7], "anything");
        if (kind == 9) {
            return _one(address(governance), abi.encodeCall(IGovernance.updateConfiguration, (_configuration())));
        }
        if (kind == 12) return _setProposer(address(proposalsList[_draw(2)]));
        if (kind == 13) {
            // Away and back again within one proposal.
            actions = new Action[](2);
            actions[0] = _setProposer(address(_otherProposals()))[0];
            actions[1] = _setProposer(address(_proposals()))[0];
            return actions;
        }
        if (kind == 14) return _one(address(set.issuer), abi.encodeCall(IIssuer.mint, (_holder(), 1 + _draw(1000e18))));
        if (kind == 15) {
            IRollup rollup = _rollup();
            return _one(address(rollup), abi.encodeCall(IRollup.slash, (_staked(rollup), 1 + _draw(150e18))));
        }
        if (kind == 16) {
            return _one(address(distributor), abi.encodeCall(Ownable2Step.transferOwnership, (_holder())));
        }
        if (kind == 17) {
            return _one(
                address(distributor), abi.encodeCall(IRewardDistributor.updateRegistry, (address(registry)))
            );
        }
        if (kind == 18) return _setProposer(address(_flooder()));
        return _boxCall();
    }

    function _setProposer(address proposals) private view returns (Action[] memory) {
        return _one(address(governance), abi.encodeCall(IGovernance.updateGovernanceProposer, (proposals)));
    }

    function _otherProposals() private view returns (address) {
        return address(proposalsList[address(_proposals()) == address(proposalsList[0]) ? 1 : 0]);
    }

    function _flooder() private returns (FloodingProposals) {
        if (address(flooder) == address(0)) flooder = new FloodingProposals(governance);
        return flooder;
    }

    /// @dev Calls back into Governance when it is executed.
    function _reentrant() private returns (Reentrant reentrant) {
        reentrant = new Reentrant();
        uint256 next = governance.proposalCount();
        reentrant.add(address(governance), abi.encodeCall(IGovernance.execute, (next)));
        reentrant.add(address(governance), abi.encodeCall(IGovernance.execute, (next + 1)));
        if (next != 0) reentrant.add(address(governance), abi.encodeCall(IGovernance.execute, (next - 1)));
        reentrant.add(address(governance), abi.encodeCall(IGovernance.dropProposal, (next)));
        reentrant.add(
            address(governance), abi.encodeCall(IGovernance.updateGovernanceProposer, (address(reentrant)))
        );
    }

    function _upgrade(bool hostile) private returns (address) {
        if (hostile) {
            bytes memory arguments = abi.encode(address(governance), _draw(1000), _holder());
            bytes memory initCode = bytes.concat(type(HostileRollup).creationCode, arguments);
            address instance = SetLib.create(initCode);
            hostiles.push(HostileRollup(instance));
            return SetLib.upgradePayload(set, instance, initCode);
        }
        IRollup next = rollups[rollups.length - 1];
        bool used = registry.isRollupRegistered(address(next));
        if (used && rollups.length < MOST_ROLLUPS) next = _newRollup();
        return SetLib.upgradePayload(set, address(next));
    }

    /// @dev Any configuration that leaves time for something to happen; now and then one that is refused, or just not.
    function _configuration() private returns (Configuration memory c) {
        c = present;
        c.proposeConfig.lockDelay = 60 + _draw(2 hours);
        c.proposeConfig.lockAmount = 2 + _draw(1000e18);
        c.votingDelay = 60 + _draw(30 minutes);
        c.votingDuration = 60 + _draw(30 minutes);
        c.executionDelay = 60 + _draw(30 minutes);
        c.gracePeriod = 10 minutes + _draw(40 minutes);
        c.quorum = 1 + _draw(0.5e18);
        c.voteDifferential = _draw(0.5e18);
        c.minimumVotes = 1 + _draw(20_000e18);
        if (_chance(8)) c.quorum = 0.9e18 + 1;
        if (_chance(8)) c.proposeConfig.lockAmount = _totalAt(_now()) / 10 + _draw(2);
        if (_chance(8)) c.minimumVotes = _totalAt(_now()) / 2 + _draw(2);
    }

    /*//////////////////////////////////////////////////////////////
                                HOSTILITY
    //////////////////////////////////////////////////////////////*/

    /// @dev The newest payload that can be changed, or one of the newest.
    function _changeable(uint256 kind) private returns (address) {
        for (uint256 i = payloads.length; i != 0 && i + 40 > payloads.length; --i) {
            if (kindOf[payloads[i - 1]] == kind && !_chance(3)) return payloads[i - 1];
        }
        return _makePayload(kind);
    }

    function changePayload(uint256 seed) external step(seed) {
        address payload = _changeable([2, 4, 4, 5][_draw(4)]);
        uint256 kind = kindOf[payload];
        if (kind == 4) {
            uint256 way = _draw(4);
            if (way == 0) ChangeablePayload(payload).set(_boxCall());
            if (way == 1) ChangeablePayload(payload).setFor(address(governance), _boxCall());
            if (way == 2) ChangeablePayload(payload).withhold(true);
            if (way == 3) ChangeablePayload(payload).withhold(false);
        } else if (kind == 5) {
            ProxyPayload(payload).upgradeTo(_list(_boxCall()));
        } else {
            refusingBox.setRefuses(_chance(2));
        }
        _did("changePayload");
    }

    /// @dev Other code at the same address: another honest payload, nothing, or a delegation.
    function replacePayload(uint256 seed) external step(seed) {
        _replace(_changeable(4));
    }

    function _replace(address payload) internal {
        uint256 way = _draw(3);
        if (way == 0) vm.etch(payload, "");
        if (way == 1) vm.etch(payload, abi.encodePacked(hex"ef0100", address(box)));
        if (way == 2) vm.etch(payload, address(new ListPayload(_boxCall())).code);
        kindOf[payload] = 100 + way;
        _did("replacePayload");
    }
}

/// @notice A Proposals contract that proposes what anybody wants.
contract FloodingProposals {
    IGovernance private immutable GOVERNANCE;

    constructor(IGovernance governance) {
        GOVERNANCE = governance;
    }

    function flood(address payload) external {
        GOVERNANCE.propose(payload);
    }
}
