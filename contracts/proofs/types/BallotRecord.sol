// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {BallotRecord} from "canon/types/BallotRecord.sol";
import {Proof} from "../Proof.sol";

/// @title A holder's ballots on a proposal
contract BallotRecordProof is Proof {
    /// @notice The three fields make up the word.
    function check_fieldsMakeTheWord(BallotRecord record) external pure {
        assert(BallotRecord.unwrap(record) == (record.nextNonce() << 192) | (record.nea() << 96) | record.yea());
    }

    /// @notice A ballot adds its amount to its side and changes nothing else, if the sums fit 96 bits.
    function check_withBallotChangesOneSide(BallotRecord record, bool support, uint96 amount) external pure {
        vm.assume(fits(record.yea() + record.nea() + amount, 96));
        BallotRecord after_ = record.withBallot(support, amount);
        assert(after_.yea() == record.yea() + choose(support, amount, 0));
        assert(after_.nea() == record.nea() + choose(support, 0, amount));
        assert(after_.nextNonce() == record.nextNonce());
    }

    /// @notice Raising the nonce changes only the nonce; a nonce above 64 bits is refused.
    function check_withNonceRaisedByRaisesOrReverts(BallotRecord record, uint128 nonces) external view {
        uint256 raised = record.nextNonce() + nonces;
        try this.withNonceRaisedBy(record, nonces) returns (BallotRecord after_) {
            assert(after_.nextNonce() == raised);
            assert(after_.yea() == record.yea() && after_.nea() == record.nea());
        } catch (bytes memory reason) {
            assert(!fits(raised, 64) && isTooLarge(reason, raised, type(uint64).max));
        }
    }

    /// @notice Wrong: any two amounts of 96 bits fit together.
    function refute_anySumFits(BallotRecord record, uint96 amount) external pure {
        assert(record.withBallot(true, amount).nea() == record.nea());
    }

    function withNonceRaisedBy(BallotRecord record, uint256 nonces) external pure returns (BallotRecord) {
        return record.withNonceRaisedBy(nonces);
    }
}
