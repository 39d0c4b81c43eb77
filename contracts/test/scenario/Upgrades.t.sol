// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {ICommon} from "canon/interfaces/ICommon.sol";
import {IExpect} from "canon/interfaces/IExpect.sol";
import {IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {IRegistry} from "canon/interfaces/IRegistry.sol";
import {IRollup, RollupParameters} from "canon/interfaces/IRollup.sol";
import {HostileRollup} from "../mocks/HostileRollup.sol";
import {SetLib} from "../Set.sol";
import {Scenario} from "./Scenario.sol";

/// @notice Upgrades that meet another upgrade, or a rollup that isn't what was voted for.
contract UpgradesTest is Scenario {
    function _upgrade(address newRollup, address expected) internal returns (address) {
        bytes memory arguments = abi.encode(SetLib.parameters(IRollup(newRollup)));
        return _upgrade(newRollup, expected, SetLib.initCode("Rollup", arguments));
    }

    function _upgrade(address newRollup, address expected, bytes memory initCode) internal returns (address) {
        bytes32 hash = keccak256(initCode);
        return SetLib.create(
            "UpgradePayload",
            abi.encode(
                set.expect,
                registry,
                newRollup,
                expected,
                SetLib.FACTORY,
                SetLib.saltOf(newRollup, hash),
                hash,
                "https://example.org/azip"
            )
        );
    }

    /// @dev A hostile rollup with the given owner, and an upgrade to it that names its true creation.
    function _hostile(address owner) internal returns (HostileRollup next, address payload) {
        bytes memory initCode = bytes.concat(type(HostileRollup).creationCode, abi.encode(owner, 1, address(1)));
        next = HostileRollup(SetLib.create(initCode));
        payload = _upgrade(address(next), address(rollup), initCode);
    }

    function _expectFailure(uint256 index, address target, bytes memory reason) internal {
        _expectRevert(abi.encodeWithSelector(IGovernance.Governance__ActionFailed.selector, index, target, reason));
    }

    /// @dev Both passed; the present one executable, the other too.
    function _twoUpgrades(address first, address second) internal returns (uint256 a, uint256 b) {
        uint256 roundA = _win(first);
        a = _push(roundA);
        b = _push(_win(second));
        _accept(a);
        _accept(b);
        _to(_lastQueued(b) + 1);
        _assertState(a, ProposalState.Executable);
        _assertState(b, ProposalState.Executable);
    }

    function test_upgrades_theSecondOfTwoWithTheSameExpectationIsRefused() public {
        IRollup next = SetLib.rollup(set);
        IRollup other = SetLib.rollup(set);
        (uint256 a, uint256 b) =
            _twoUpgrades(_upgrade(address(next), address(rollup)), _upgrade(address(other), address(rollup)));

        governance.execute(a);
        _expectFailure(
            0,
            address(set.expect),
            abi.encodeWithSelector(IExpect.Expect__Canonical.selector, address(rollup), address(next))
        );
        governance.execute(b);
        vm.assertEq(registry.getRollup(), address(next));
        vm.assertEq(registry.numberOfVersions(), 3);
    }

    function test_upgrades_executedInTheOppositeOrderTheFirstExecutedWins() public {
        IRollup next = SetLib.rollup(set);
        IRollup other = SetLib.rollup(set);
        (uint256 a, uint256 b) =
            _twoUpgrades(_upgrade(address(next), address(rollup)), _upgrade(address(other), address(rollup)));

        governance.execute(b);
        _expectFailure(
            0,
            address(set.expect),
            abi.encodeWithSelector(IExpect.Expect__Canonical.selector, address(rollup), address(other))
        );
        governance.execute(a);
        vm.assertEq(registry.getRollup(), address(other));
        _to(_lastExecutable(a) + 1);
        _assertState(a, ProposalState.Expired);
    }

    function test_upgrades_aChainedExpectationWorksOnlyInItsOrder() public {
        IRollup next = SetLib.rollup(set);
        IRollup afterNext = SetLib.rollup(set);
        (uint256 a, uint256 b) =
            _twoUpgrades(_upgrade(address(next), address(rollup)), _upgrade(address(afterNext), address(next)));

        _expectFailure(
            0,
            address(set.expect),
            abi.encodeWithSelector(IExpect.Expect__Canonical.selector, address(next), address(rollup))
        );
        governance.execute(b);
        governance.execute(a);
        governance.execute(b);
        vm.assertEq(registry.getRollup(), address(afterNext));
        vm.assertEq(registry.getVersionFor(address(next)), 2);
        vm.assertEq(registry.getVersionFor(address(afterNext)), 3);
    }

    function test_upgrades_backToAnEarlierRollupIsRefused() public {
        IRollup next = SetLib.rollup(set);
        _stakeAll(next);
        _enact(_upgrade(address(next), address(rollup)));
        _toEpoch(next, 2);
        uint256 id = _propose(_upgrade(address(rollup), address(next)));
        _toExecutable(id);
        _expectFailure(
            3,
            address(registry),
            abi.encodeWithSelector(IRegistry.Registry__AlreadyRegistered.selector, address(rollup), 1)
        );
        governance.execute(id);
    }

    function testFuzz_upgrades_aRollupOwnedByAnotherIsRefusedAtExecution(address owner) public {
        vm.assume(owner != address(0) && owner != address(governance));
        RollupParameters memory p = SetLib.parameters(set);
        p.owner = owner;
        IRollup next = SetLib.rollup(p);
        uint256 id = _propose(_upgrade(address(next), address(rollup)));
        _toExecutable(id);
        _expectFailure(
            2,
            address(set.expect),
            abi.encodeWithSelector(IExpect.Expect__Owner.selector, address(next), address(governance), owner)
        );
        governance.execute(id);
        vm.assertEq(registry.getRollup(), address(rollup));
    }

    function test_upgrades_aRollupThatRenouncedItsOwnershipIsRefusedAtExecution() public {
        (HostileRollup next, address payload) = _hostile(address(0));
        uint256 id = _propose(payload);
        _toExecutable(id);
        _expectFailure(
            2,
            address(set.expect),
            abi.encodeWithSelector(IExpect.Expect__Owner.selector, address(next), address(governance), address(0))
        );
        governance.execute(id);
    }

    function test_upgrades_aWrongOwnerMayRepairWithinTheGracePeriod() public {
        RollupParameters memory p = SetLib.parameters(set);
        address stranger = address(0x57A6);
        p.owner = stranger;
        IRollup next = SetLib.rollup(p);
        uint256 id = _propose(_upgrade(address(next), address(rollup)));
        _toExecutable(id);
        vm.prank(stranger);
        Ownable2Step(address(next)).transferOwnership(address(governance));
        _to(_lastExecutable(id));
        _expectFailure(
            2,
            address(set.expect),
            abi.encodeWithSelector(IExpect.Expect__Owner.selector, address(next), address(governance), stranger)
        );
        governance.execute(id);
        governance.acceptOwnership(address(next));
        governance.execute(id);
        vm.assertEq(registry.getRollup(), address(next));
    }

    function test_upgrades_aRollupGoneAtExecutionIsRefused() public {
        IRollup next = SetLib.rollup(set);
        uint256 id = _propose(_upgrade(address(next), address(rollup)));
        _toExecutable(id);
        vm.etch(address(next), "");
        _expectFailure(
            2,
            address(set.expect),
            abi.encodeWithSelector(ICommon.NoAnswer.selector, address(next), Ownable.owner.selector)
        );
        governance.execute(id);
        vm.assertEq(registry.getRollup(), address(rollup));
    }

    function testFuzz_upgrades_aRollupThatDoesNotAnswerCleanlyIsRefused(uint256 slotMode, uint256 proposerMode)
        public
    {
        (HostileRollup next, address payload) = _hostile(address(governance));
        HostileRollup.Mode a = HostileRollup.Mode(bound(slotMode, 0, 3));
        HostileRollup.Mode b = HostileRollup.Mode(bound(proposerMode, 0, 4));
        uint256 id = _propose(payload);
        _toExecutable(id);
        next.setModes(a, b);
        bool clean = a == HostileRollup.Mode.Answer && b == HostileRollup.Mode.Answer;
        if (!clean) {
            bytes4 selector = a != HostileRollup.Mode.Answer
                ? IRollup.getCurrentSlot.selector
                : IRollup.getCurrentProposer.selector;
            _expectFailure(
                3, address(registry), abi.encodeWithSelector(ICommon.NoAnswer.selector, address(next), selector)
            );
        }
        governance.execute(id);
        vm.assertEq(registry.getRollup(), clean ? address(next) : address(rollup));
    }

    function test_upgrades_onlyGovernanceUpgrades() public {
        IRollup next = SetLib.rollup(set);
        address[4] memory strangers = [treasury, alice, address(proposals), rollup.getCurrentProposer()];
        for (uint256 i; i < strangers.length; ++i) {
            _expectRevert(abi.encodeWithSignature("OwnableUnauthorizedAccount(address)", strangers[i]));
            vm.prank(strangers[i]);
            registry.upgrade(address(next));
        }
    }
}
