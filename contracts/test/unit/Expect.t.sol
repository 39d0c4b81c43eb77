// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ICommon} from "canon/interfaces/ICommon.sol";
import {IExpect} from "canon/interfaces/IExpect.sol";
import {Configuration, IGovernance} from "canon/interfaces/IGovernance.sol";
import {IRegistry} from "canon/interfaces/IRegistry.sol";
import {FieldLibrary} from "../ConfigurationField.sol";
import {Set, SetLib} from "../Set.sol";
import {Test} from "../Test.sol";
import {MeasuredAnswer} from "../mocks/MeasuredAnswer.sol";
import {RawAnswer} from "../mocks/RawAnswer.sol";

contract ExpectTest is Test {
    Set internal set;
    IExpect internal expect;

    function setUp() public {
        vm.warp(1_750_000_000);
        set = SetLib.deploy(address(this));
        expect = set.expect;
    }

    function testFuzz_canonicalIs_comparesWithTheRegistry(address expected) public {
        address found = address(set.rollup);
        expect.canonicalIs(address(set.registry), found);
        vm.assume(expected != found);
        vm.expectRevert(abi.encodeWithSelector(IExpect.Expect__Canonical.selector, expected, found));
        expect.canonicalIs(address(set.registry), expected);
    }

    function test_canonicalIs_followsAnUpgrade() public {
        address old = address(set.rollup);
        address rollup = address(SetLib.rollup(set));
        vm.prank(address(set.governance));
        set.registry.upgrade(rollup);
        expect.canonicalIs(address(set.registry), rollup);
        vm.expectRevert(abi.encodeWithSelector(IExpect.Expect__Canonical.selector, old, rollup));
        expect.canonicalIs(address(set.registry), old);
    }

    function testFuzz_codeHashIs_comparesWithTheCode(address target, bytes memory code, bytes32 other) public {
        target = address(uint160(bound(uint160(target), 0x10000, type(uint160).max)));
        vm.assume(target.code.length == 0);
        if (code.length == 0 || code[0] == 0xef) code = hex"00";
        vm.etch(target, code);
        bytes32 found = keccak256(code);
        expect.codeHashIs(target, found);
        vm.assume(other != found);
        vm.expectRevert(abi.encodeWithSelector(IExpect.Expect__CodeHash.selector, target, other, found));
        expect.codeHashIs(target, other);
    }

    function testFuzz_codeHashIs_refusesWhatIsNotThere(address target, bytes32 expected) public {
        vm.assume(target.code.length == 0 && target.codehash == 0 && expected != 0);
        vm.expectRevert(abi.encodeWithSelector(IExpect.Expect__CodeHash.selector, target, expected, bytes32(0)));
        expect.codeHashIs(target, expected);
    }

    /// @dev EIP-1014's own examples: factory, salt, init code, address.
    function test_createdBy_theVectorsOfTheStandard() public {
        bytes32 beef = 0x00000000000000000000000000000000000000000000000000000000cafebabe;
        bytes32 feed = 0x000000000000000000000000feed000000000000000000000000000000000000;
        bytes memory long;
        for (uint256 i; i < 11; ++i) {
            long = bytes.concat(long, hex"deadbeef");
        }
        _created(address(0), 0, hex"00", 0x4D1A2e2bB4F88F0250f26Ffff098B0b30B26BF38);
        address factory = address(bytes20(hex"deadbeef00000000000000000000000000000000"));
        _created(factory, 0, hex"00", 0xB928f69Bb1D91Cd65274e3c79d8986362984fDA3);
        _created(factory, feed, hex"00", 0xD04116cDd17beBE565EB2422F2497E06cC1C9833);
        _created(address(0), 0, hex"deadbeef", 0x70f2b2914A2a4b783FaEFb75f459A580616Fcb5e);
        factory = address(0xdeadbeef);
        _created(factory, beef, hex"deadbeef", 0x60f3f640a8508fC6a86d45DF051962668E1e8AC7);
        _created(factory, beef, long, 0x1d8bfDC5D46DC4f61D6b6115972536eBE6A8854C);
        _created(address(0), 0, "", 0xE33C0C7F7df4809055C3ebA6c09CFe4BaF1BD9e0);
    }

    function _created(address factory, bytes32 salt, bytes memory initCode, address target) internal {
        expect.createdBy(target, factory, salt, keccak256(initCode));
        address other = address(uint160(target) ^ 1);
        vm.expectRevert(abi.encodeWithSelector(IExpect.Expect__Creation.selector, target, other));
        expect.createdBy(other, factory, salt, keccak256(initCode));
    }

    /// @dev Every contract of the set, as it was created and in no other way.
    function testFuzz_createdBy_knowsTheSet(uint256 which, uint256 field, uint256 change) public {
        string[4] memory names = ["Registry", "Proposals", "Issuer", "Rollup"];
        bytes[4] memory arguments = [
            abi.encode(address(this)),
            abi.encode(set.registry, SetLib.N, SetLib.M),
            abi.encode(set.asset, SetLib.RATE, set.governance),
            abi.encode(SetLib.parameters(set))
        ];
        address[4] memory created =
            [address(set.registry), address(set.proposals), address(set.issuer), address(set.rollup)];
        which %= 4;
        address target = created[which];
        bytes32 hash = keccak256(SetLib.initCode(names[which], arguments[which]));
        expect.createdBy(target, SetLib.FACTORY, 0, hash);

        address factory = SetLib.FACTORY;
        bytes32 salt;
        field %= 4;
        change = bound(change, 1, type(uint160).max);
        if (field == 0) target = address(uint160(target) ^ uint160(change));
        if (field == 1) factory = address(uint160(factory) ^ uint160(change));
        if (field == 2) salt = bytes32(change);
        if (field == 3) hash ^= bytes32(change);
        address expected =
            address(uint160(uint256(keccak256(abi.encodePacked(bytes1(0xff), factory, salt, hash)))));
        vm.expectRevert(abi.encodeWithSelector(IExpect.Expect__Creation.selector, expected, target));
        expect.createdBy(target, factory, salt, hash);
    }

    /// @dev Pure: whether there is anything at the address makes no difference.
    function testFuzz_createdBy_asksNobody(address factory, bytes32 salt, bytes32 hash, bytes memory code) public {
        address target =
            address(uint160(uint256(keccak256(abi.encodePacked(bytes1(0xff), factory, salt, hash)))));
        expect.createdBy(target, factory, salt, hash);
        if (code.length != 0 && code[0] == 0xef) code[0] = 0x00;
        vm.etch(target, code);
        expect.createdBy(target, factory, salt, hash);
    }

    function testFuzz_ownerIs_comparesWithTheOwner(address expected, uint256 which) public {
        address[4] memory owned = [
            address(set.registry), address(set.issuer), address(set.rewardDistributor), address(set.rollup)
        ];
        address target = owned[which % 4];
        expect.ownerIs(target, address(set.governance));
        vm.assume(expected != address(set.governance));
        vm.expectRevert(
            abi.encodeWithSelector(IExpect.Expect__Owner.selector, target, expected, address(set.governance))
        );
        expect.ownerIs(target, expected);
    }

    function testFuzz_proposalsIs_comparesWithGovernance(address expected) public {
        address found = address(set.proposals);
        expect.proposalsIs(address(set.governance), found);
        vm.assume(expected != found);
        vm.expectRevert(abi.encodeWithSelector(IExpect.Expect__Proposals.selector, expected, found));
        expect.proposalsIs(address(set.governance), expected);
    }

    /// @dev Any one field that differs, by any amount, is refused.
    function testFuzz_configurationIs_comparesEveryField(uint256 field, uint256 value) public {
        Configuration memory found = SetLib.configuration();
        expect.configurationIs(address(set.governance), found);

        Configuration memory expected = SetLib.configuration();
        FieldLibrary.draw(field).set(expected, value);
        vm.assume(keccak256(abi.encode(expected)) != keccak256(abi.encode(found)));
        vm.expectRevert(abi.encodeWithSelector(IExpect.Expect__Configuration.selector, expected, found));
        expect.configurationIs(address(set.governance), expected);
    }

    function testFuzz_configurationIs_readsTheConfigurationInForce(uint256 quorum) public {
        Configuration memory updated = SetLib.configuration();
        updated.quorum = bound(quorum, 1, 0.9e18);
        vm.prank(address(set.governance));
        set.governance.updateConfiguration(updated);
        expect.configurationIs(address(set.governance), updated);
    }

    /*//////////////////////////////////////////////////////////////
                      TARGETS THAT DON'T ANSWER
    //////////////////////////////////////////////////////////////*/

    bytes4[3] private _questions =
        [IRegistry.getRollup.selector, Ownable.owner.selector, IGovernance.governanceProposer.selector];

    /// @dev The check that asks `target` for the word `_questions[which]`.
    function _wordCheck(uint256 which, address target, address expected) internal pure returns (bytes memory) {
        if (which == 0) return abi.encodeCall(IExpect.canonicalIs, (target, expected));
        if (which == 1) return abi.encodeCall(IExpect.ownerIs, (target, expected));
        return abi.encodeCall(IExpect.proposalsIs, (target, expected));
    }

    function _configurationCheck(address target) internal pure returns (bytes memory) {
        return abi.encodeCall(IExpect.configurationIs, (target, SetLib.configuration()));
    }

    function _noAnswer(bytes memory check, address target, bytes4 selector) internal view {
        (bool success, bytes memory reason) = address(expect).staticcall(check);
        vm.assertFalse(success, "the check passed");
        vm.assertEq(reason, abi.encodeWithSelector(ICommon.NoAnswer.selector, target, selector));
    }

    /// @dev A target that can't answer must fail the proposal, not pass the check; and the reason says who didn't
    /// answer what.
    function testFuzz_allChecks_refuseATargetWithoutCode(address codeless, address expected) public {
        codeless = address(uint160(bound(uint160(codeless), 0x10000, type(uint160).max)));
        vm.assume(codeless.code.length == 0);
        for (uint256 i; i < 2; ++i) {
            for (uint256 which; which < 3; ++which) {
                _noAnswer(_wordCheck(which, codeless, expected), codeless, _questions[which]);
            }
            _noAnswer(_configurationCheck(codeless), codeless, IGovernance.getConfiguration.selector);
            // With code that answers nothing it is the same.
            vm.etch(codeless, hex"00");
        }
    }

    /// @dev One word is an answer, whatever surrounds it is none: neither fewer bytes nor more, nor a revert with a
    /// word.
    function test_wordChecks_refuseEveryOtherLengthAndReverts() public {
        uint256[7] memory lengths = [uint256(0), 1, 31, 32, 33, 64, 1 << 20];
        address expected = address(0xBEEF);
        MeasuredAnswer target = new MeasuredAnswer();
        for (uint256 which; which < 3; ++which) {
            target.set(_questions[which], uint160(expected));
            (bool success,) = address(expect).staticcall(_wordCheck(which, address(target), expected));
            vm.assertTrue(success);
            for (uint256 i; i < 2 * lengths.length; ++i) {
                uint256 length = lengths[i / 2];
                bool fails = i % 2 == 1;
                if (length == 32 && !fails) continue;
                target.distort(_questions[which], length, fails);
                uint256 gas = gasleft();
                _noAnswer(_wordCheck(which, address(target), expected), address(target), _questions[which]);
                gas -= gasleft();
                // The target pays 2.2 million for a megabyte; whoever copied it would pay as much again.
                vm.assertLt(gas, 3_000_000, "the answer was copied");
            }
        }
    }

    function testFuzz_wordChecks_refuseDirtyAddresses(uint256 which, address expected, uint256 dirt) public {
        which %= 3;
        dirt = bound(dirt, 1, type(uint96).max) << 160;
        MeasuredAnswer target = new MeasuredAnswer();
        target.set(_questions[which], dirt | uint160(expected));
        _noAnswer(_wordCheck(which, address(target), expected), address(target), _questions[which]);
    }

    /// @dev Nine words, exactly, and no revert with nine words.
    function test_configurationIs_refusesEveryOtherLength() public {
        bytes4 selector = IGovernance.getConfiguration.selector;
        bytes memory words = abi.encode(SetLib.configuration());
        vm.assertEq(words.length, 288);
        uint256[7] memory lengths = [uint256(0), 32, 287, 288, 289, 320, 10_000];
        for (uint256 i; i < 2 * lengths.length; ++i) {
            uint256 length = lengths[i / 2];
            bool fails = i % 2 == 1;
            bytes memory answer = new bytes(length);
            for (uint256 j; j < length && j < 288; ++j) {
                answer[j] = words[j];
            }
            address target = address(new RawAnswer(answer, fails));
            if (length == 288 && !fails) expect.configurationIs(target, SetLib.configuration());
            else _noAnswer(_configurationCheck(target), target, selector);
        }
        MeasuredAnswer megabyte = new MeasuredAnswer();
        megabyte.distort(selector, 1 << 20, false);
        uint256 gas = gasleft();
        _noAnswer(_configurationCheck(address(megabyte)), address(megabyte), selector);
        vm.assertLt(gas - gasleft(), 3_000_000, "the answer was copied");
    }

    /// @dev Whatever nine words are answered, they are compared, and reported as they are.
    function testFuzz_configurationIs_reportsAnyNineWords(uint256[9] memory words) public {
        Configuration memory found = abi.decode(abi.encode(words), (Configuration));
        Configuration memory expected = SetLib.configuration();
        vm.assume(keccak256(abi.encode(found)) != keccak256(abi.encode(expected)));
        address target = address(new RawAnswer(abi.encode(words), false));
        vm.expectRevert(abi.encodeWithSelector(IExpect.Expect__Configuration.selector, expected, found));
        expect.configurationIs(target, expected);
        expect.configurationIs(target, found);
    }

    /// @dev Checks are views: nothing is written, so they can be asked by anyone at any time.
    function testFuzz_allChecks_writeNothing(address caller) public {
        vm.record();
        vm.startPrank(caller);
        expect.canonicalIs(address(set.registry), address(set.rollup));
        bytes32 hash = keccak256(SetLib.initCode("Rollup", abi.encode(SetLib.parameters(set))));
        expect.createdBy(address(set.rollup), SetLib.FACTORY, 0, hash);
        expect.codeHashIs(address(set.rollup), address(set.rollup).codehash);
        expect.ownerIs(address(set.rollup), address(set.governance));
        expect.configurationIs(address(set.governance), SetLib.configuration());
        expect.proposalsIs(address(set.governance), address(set.proposals));
        (bytes32[] memory reads, bytes32[] memory writes) = vm.accesses(address(expect));
        vm.assertEq(reads.length, 0);
        vm.assertEq(writes.length, 0);
    }
}
