// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ICommon} from "canon/interfaces/ICommon.sol";
import {BallotRecord} from "canon/types/BallotRecord.sol";
import {Test} from "../../Test.sol";

contract BallotRecordHarness {
    function withNonceRaisedBy(BallotRecord record, uint256 nonces) external pure returns (BallotRecord) {
        return record.withNonceRaisedBy(nonces);
    }
}

contract BallotRecordTest is Test {
    BallotRecordHarness internal records;

    function setUp() public {
        records = new BallotRecordHarness();
    }

    function _pack(uint256 yea, uint256 nea, uint256 nextNonce) private pure returns (BallotRecord) {
        return BallotRecord.wrap(nextNonce << 192 | nea << 96 | yea);
    }

    function _is(BallotRecord record, uint256 yea, uint256 nea, uint256 nextNonce) private pure {
        vm.assertEq(record.yea(), yea, "yea");
        vm.assertEq(record.nea(), nea, "nea");
        vm.assertEq(record.nextNonce(), nextNonce, "next nonce");
    }

    function testFuzz_withBallot_addsUpAndTouchesNothingElse(uint64 nonce, uint96[] memory amounts, uint256 sides)
        public
        pure
    {
        vm.assume(amounts.length != 0);
        BallotRecord record = _pack(0, 0, nonce);
        uint256 left = type(uint96).max;
        uint256[2] memory sums;
        for (uint256 i; i < amounts.length && i < 32; ++i) {
            uint256 amount = bound(amounts[i], 0, left);
            bool support = (sides >> i) & 1 == 1;
            record = record.withBallot(support, amount);
            left -= amount;
            sums[support ? 0 : 1] += amount;
            _is(record, sums[0], sums[1], nonce);
        }
    }

    function testFuzz_withBallot_allPowerOnOneSide(uint64 nonce, bool support) public pure {
        BallotRecord record = _pack(0, 0, nonce).withBallot(support, type(uint96).max);
        _is(record, support ? type(uint96).max : 0, support ? 0 : type(uint96).max, nonce);
    }

    function testFuzz_withNonceRaisedBy_raisesTheNonceOnly(uint96 yea, uint96 nea, uint64 nonce, uint256 more) public pure {
        more = bound(more, 0, type(uint64).max - nonce);
        _is(_pack(yea, nea, nonce).withNonceRaisedBy(more), yea, nea, uint256(nonce) + more);
    }

    function testFuzz_withNonceRaisedBy_refusesANonceThatDoesNotFit(uint96 yea, uint96 nea, uint64 nonce, uint256 more) public {
        more = bound(more, uint256(type(uint64).max) - nonce + 1, type(uint256).max - nonce);
        vm.expectRevert(
            abi.encodeWithSelector(ICommon.ValueTooLarge.selector, nonce + more, uint256(type(uint64).max))
        );
        records.withNonceRaisedBy(_pack(yea, nea, nonce), more);
    }
}
