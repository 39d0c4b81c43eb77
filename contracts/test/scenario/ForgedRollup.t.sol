// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IExpect} from "canon/interfaces/IExpect.sol";
import {IGovernance} from "canon/interfaces/IGovernance.sol";
import {Action} from "canon/interfaces/IPayload.sol";
import {IRegistry} from "canon/interfaces/IRegistry.sol";
import {IRollup, RollupParameters} from "canon/interfaces/IRollup.sol";
import {UpgradePayload} from "canon/payloads/UpgradePayload.sol";
import {Deployer} from "../mocks/Deployer.sol";
import {ListPayload} from "../mocks/ListPayload.sol";
import {SetLib} from "../Set.sol";
import {Scenario} from "./Scenario.sol";

/// @notice A rollup with the genuine code and forged storage: its init code writes a staker that never paid, and
/// returns what the genuine init code would have returned. Its code and its owner are right; only how it was created
/// isn't.
contract ForgedRollupTest is Scenario {
    uint256 private constant FORGED_STAKE = ATTESTERS * SetLib.STAKE;

    address internal attacker = address(0x6057);
    bytes internal genuineInitCode;
    bytes internal forgedInitCode;
    IRollup internal genuine;
    IRollup internal forged;

    function setUp() public override {
        super.setUp();
        RollupParameters memory p = SetLib.parameters(set);
        genuineInitCode = SetLib.initCode("Rollup", abi.encode(p));
        forgedInitCode = _forge(p);
        genuine = SetLib.rollup(p);
        forged = IRollup(SetLib.create(forgedInitCode));
        _assertForgedStake(forged);
    }

    /// @dev Init code that writes the storage of a rollup on which the attacker stakes `FORGED_STAKE` and leaves, and
    /// returns its code.
    function _forge(RollupParameters memory p) private returns (bytes memory initCode) {
        uint256 snapshot = vm.snapshotState();
        vm.record();
        IRollup model = SetLib.rollup(p);
        vm.startPrank(treasury);
        asset.approve(address(model), FORGED_STAKE);
        model.deposit(attacker, attacker, attacker, FORGED_STAKE);
        vm.stopPrank();
        vm.prank(attacker);
        model.initiateWithdraw(attacker, attacker);
        (, bytes32[] memory slots) = vm.accesses(address(model));
        for (uint256 i; i < slots.length; ++i) {
            // PUSH32 value, PUSH32 slot, SSTORE.
            bytes32 value = vm.load(address(model), slots[i]);
            initCode = abi.encodePacked(initCode, hex"7f", value, hex"7f", slots[i], hex"55");
        }
        bytes memory code = address(model).code;
        // PUSH2 length, DUP1, PUSH2 offset, PUSH0, CODECOPY, PUSH0, RETURN: 11 bytes, and then the code.
        initCode = abi.encodePacked(
            initCode, hex"61", uint16(code.length), hex"8061", uint16(initCode.length + 11), hex"5f395ff3", code
        );
        vm.revertToState(snapshot);
    }

    function _assertForgedStake(IRollup instance) private view {
        (uint256 stake,,,) = instance.getInfo(attacker);
        (uint256 exitableAt, address recipient) = instance.getExit(attacker);
        vm.assertEq(stake, FORGED_STAKE);
        vm.assertEq(recipient, attacker);
        vm.assertEq(exitableAt, _now() + SetLib.EXIT_DELAY);
        vm.assertEq(asset.balanceOf(address(instance)), 0, "the attacker never paid");
    }

    function _hash(bytes memory initCode) private pure returns (bytes32) {
        return keccak256(initCode);
    }

    /// @dev An upgrade to the forged rollup with every check but that of its creation.
    function _payloadByCode() private returns (address) {
        Action[] memory actions = new Action[](4);
        address expect = address(set.expect);
        actions[0] = Action(expect, abi.encodeCall(IExpect.canonicalIs, (address(registry), address(rollup))));
        actions[1] = Action(expect, abi.encodeCall(IExpect.codeHashIs, (address(forged), address(genuine).codehash)));
        actions[2] = Action(expect, abi.encodeCall(IExpect.ownerIs, (address(forged), address(governance))));
        actions[3] = Action(address(registry), abi.encodeCall(IRegistry.upgrade, (address(forged))));
        return address(new ListPayload(actions));
    }

    function test_forged_hasTheGenuineCodeAndOwner() public {
        vm.assertEq(address(forged).codehash, address(genuine).codehash);
        set.expect.codeHashIs(address(forged), address(genuine).codehash);
        set.expect.ownerIs(address(forged), address(governance));
        set.expect.createdBy(address(genuine), SetLib.FACTORY, 0, _hash(genuineInitCode));
        _expectRevert(
            abi.encodeWithSelector(IExpect.Expect__Creation.selector, address(genuine), address(forged))
        );
        set.expect.createdBy(address(forged), SetLib.FACTORY, 0, _hash(genuineInitCode));
    }

    /// @dev What the check of the creation prevents: voted in by code and owner, it takes the stakes of all who move.
    function test_forged_checkedByCodeAloneTakesTheMovedStakes() public {
        _enact(_payloadByCode());
        vm.assertEq(registry.getRollup(), address(forged));
        for (uint256 i; i < ATTESTERS; ++i) {
            vm.prank(_withdrawer(i));
            rollup.initiateMove(_attester(i), address(forged));
        }
        _to(_now() + SetLib.EXIT_DELAY);
        for (uint256 i; i < ATTESTERS; ++i) {
            rollup.finaliseMove(_attester(i));
        }
        vm.assertEq(asset.balanceOf(address(forged)), FORGED_STAKE);
        forged.finaliseWithdraw(attacker);
        vm.assertEq(asset.balanceOf(attacker), FORGED_STAKE);

        vm.prank(_withdrawer(0));
        forged.initiateWithdraw(_attester(0), treasury);
        _to(_now() + SetLib.EXIT_DELAY);
        _expectRevert(
            abi.encodeWithSignature(
                "ERC20InsufficientBalance(address,uint256,uint256)", address(forged), 0, SetLib.STAKE
            )
        );
        forged.finaliseWithdraw(_attester(0));
    }

    /// @dev An upgrade to the forged rollup that claims the genuine creation can't even be deployed.
    function test_forged_isRefusedByUpgradePayload() public {
        Deployer deployer = new Deployer();
        bytes memory code = vm.getCode(SetLib.artifact("UpgradePayload"));
        bytes memory arguments = abi.encode(
            set.expect, registry, forged, rollup, SetLib.FACTORY, bytes32(0), _hash(genuineInitCode), "uri"
        );
        _expectRevert(
            abi.encodeWithSelector(IExpect.Expect__Creation.selector, address(genuine), address(forged))
        );
        deployer.deploy(code, arguments);
    }

    /// @dev Nor is one that passed executed.
    function test_forged_isRefusedAtExecution() public {
        Action[] memory actions = new Action[](2);
        actions[0] = Action(
            address(set.expect),
            abi.encodeCall(
                IExpect.createdBy, (address(forged), SetLib.FACTORY, bytes32(0), _hash(genuineInitCode))
            )
        );
        actions[1] = Action(address(registry), abi.encodeCall(IRegistry.upgrade, (address(forged))));
        uint256 id = _propose(address(new ListPayload(actions)));
        _toExecutable(id);
        _expectRevert(
            abi.encodeWithSelector(
                IGovernance.Governance__ActionFailed.selector,
                0,
                address(set.expect),
                abi.encodeWithSelector(IExpect.Expect__Creation.selector, address(genuine), address(forged))
            )
        );
        governance.execute(id);
        vm.assertEq(registry.getRollup(), address(rollup));
    }

    /// @dev An upgrade that names the true creation of the forged rollup names init code that nobody knows.
    function test_forged_isRecognizedByItsInitCode() public {
        UpgradePayload payload = UpgradePayload(SetLib.upgradePayload(set, address(forged), forgedInitCode));
        vm.assertEq(payload.INIT_CODE_HASH(), _hash(forgedInitCode));
        vm.assertNotEq(payload.INIT_CODE_HASH(), _hash(genuineInitCode));
        // The genuine one names what follows from the artifact and the arguments.
        payload = UpgradePayload(SetLib.upgradePayload(set, address(genuine)));
        vm.assertEq(payload.INIT_CODE_HASH(), _hash(genuineInitCode));
        _enact(address(payload));
        vm.assertEq(registry.getRollup(), address(genuine));
    }
}
