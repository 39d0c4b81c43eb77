// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {RoundTally, RoundTallyLibrary} from "canon/types/RoundTally.sol";
import {Test} from "../../Test.sol";

contract RoundTallyTest is Test {
    function _is(RoundTally tally, address leader, uint256 count, uint256 slotPlusOne, uint256 idPlusOne)
        internal
        pure
    {
        vm.assertEq(tally.leader(), leader, "leader");
        vm.assertEq(tally.count(), count, "count");
        vm.assertEq(tally.slotPlusOne(), slotPlusOne, "slotPlusOne");
        vm.assertEq(tally.idPlusOne(), idPlusOne, "idPlusOne");
    }

    function test_empty_isARoundWithoutSignals() public pure {
        _is(RoundTally.wrap(0), address(0), 0, 0, 0);
    }

    function testFuzz_pack_keepsWhatItIsGiven(address leader, uint24 count, uint40 slotPlusOne, uint32 idPlusOne)
        public
        pure
    {
        RoundTally tally = RoundTallyLibrary.pack(leader, count, slotPlusOne, idPlusOne);
        _is(tally, leader, count, slotPlusOne, idPlusOne);
        // The documented place of every field.
        vm.assertEq(
            RoundTally.unwrap(tally),
            uint256(bytes32(abi.encodePacked(idPlusOne, slotPlusOne, count, leader)))
        );
    }

    function testFuzz_withProposal_changesNothingElse(
        address leader,
        uint24 count,
        uint40 slotPlusOne,
        uint32 idPlusOne
    ) public pure {
        RoundTally tally = RoundTallyLibrary.pack(leader, count, slotPlusOne, 0).withProposal(idPlusOne);
        _is(tally, leader, count, slotPlusOne, idPlusOne);
    }

    function test_pack_atTheGreatestValues() public pure {
        address leader = address(type(uint160).max);
        vm.assertEq(
            RoundTally.unwrap(
                RoundTallyLibrary.pack(leader, type(uint24).max, type(uint40).max, type(uint32).max)
            ),
            type(uint256).max
        );
        _is(RoundTallyLibrary.pack(address(0), type(uint24).max, 0, 0), address(0), type(uint24).max, 0, 0);
        _is(RoundTallyLibrary.pack(address(0), 0, type(uint40).max, 0), address(0), 0, type(uint40).max, 0);
        _is(RoundTallyLibrary.pack(address(0), 0, 0, type(uint32).max), address(0), 0, 0, type(uint32).max);
    }
}
