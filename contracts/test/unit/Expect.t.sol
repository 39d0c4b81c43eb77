// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IExpect} from "canon/interfaces/IExpect.sol";
import {Configuration} from "canon/interfaces/IGovernance.sol";
import {Set, SetLib} from "../Set.sol";
import {Test} from "../Test.sol";

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
        field %= 9;
        if (field == 0) expected.proposeConfig.lockDelay = value;
        if (field == 1) expected.proposeConfig.lockAmount = value;
        if (field == 2) expected.votingDelay = value;
        if (field == 3) expected.votingDuration = value;
        if (field == 4) expected.executionDelay = value;
        if (field == 5) expected.gracePeriod = value;
        if (field == 6) expected.quorum = value;
        if (field == 7) expected.voteDifferential = value;
        if (field == 8) expected.minimumVotes = value;
        vm.assume(keccak256(abi.encode(expected)) != keccak256(abi.encode(found)));
        vm.expectRevert(abi.encodeWithSelector(IExpect.Expect__Configuration.selector, expected, found));
        expect.configurationIs(address(set.governance), expected);
    }

    function testFuzz_configurationIs_readsTheConfigurationInForce(uint256 quorum) public {
        Configuration memory updated = SetLib.configuration();
        updated.quorum = bound(quorum, 1, 1e18);
        vm.prank(address(set.governance));
        set.governance.updateConfiguration(updated);
        expect.configurationIs(address(set.governance), updated);
    }

    /// @dev A target that cannot answer must fail the proposal, not pass the check.
    function testFuzz_allChecks_refuseATargetThatDoesNotAnswer(address nobody) public {
        nobody = address(uint160(bound(uint160(nobody), 0x10000, type(uint160).max)));
        vm.assume(nobody.code.length == 0);
        _mustRevert(abi.encodeCall(IExpect.canonicalIs, (nobody, address(0))));
        _mustRevert(abi.encodeCall(IExpect.ownerIs, (nobody, address(0))));
        _mustRevert(abi.encodeCall(IExpect.proposalsIs, (nobody, address(0))));
        Configuration memory zero;
        _mustRevert(abi.encodeCall(IExpect.configurationIs, (nobody, zero)));
        vm.etch(nobody, hex"00");
        _mustRevert(abi.encodeCall(IExpect.canonicalIs, (nobody, address(0))));
        _mustRevert(abi.encodeCall(IExpect.ownerIs, (nobody, address(0))));
        _mustRevert(abi.encodeCall(IExpect.proposalsIs, (nobody, address(0))));
        _mustRevert(abi.encodeCall(IExpect.configurationIs, (nobody, zero)));
    }

    /// @dev Checks are views: nothing is written, so they can be asked by anyone at any time.
    function testFuzz_allChecks_writeNothing(address caller) public {
        vm.record();
        vm.startPrank(caller);
        expect.canonicalIs(address(set.registry), address(set.rollup));
        expect.codeHashIs(address(set.rollup), address(set.rollup).codehash);
        expect.ownerIs(address(set.rollup), address(set.governance));
        expect.configurationIs(address(set.governance), SetLib.configuration());
        expect.proposalsIs(address(set.governance), address(set.proposals));
        (bytes32[] memory reads, bytes32[] memory writes) = vm.accesses(address(expect));
        vm.assertEq(reads.length, 0);
        vm.assertEq(writes.length, 0);
    }

    function _mustRevert(bytes memory data) internal view {
        (bool success,) = address(expect).staticcall(data);
        vm.assertFalse(success, "the check passed");
    }
}
