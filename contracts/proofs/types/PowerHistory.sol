// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {NewestCheckpoint, PowerHistory, PowerHistoryLibrary} from "canon/types/PowerHistory.sol";
import {Proof} from "../Proof.sol";

/// @title An amount now and at any time in the past
/// @notice Two steps lead from these proofs to histories of up to 36 changes: a push appends the checkpoint that was the
/// newest to the archive and leaves the others, and a search finds the right one in any archive in order. A direct
/// proof about the first pushes repeats it without the steps.
contract PowerHistoryProof is Proof {
    PowerHistory private history;

    /*//////////////////////////////////////////////////////////////
                                PUSHES
    //////////////////////////////////////////////////////////////*/

    /// @notice After up to four pushes at any times in order, the amount at any time is that of the last push not after it;
    /// and the companion, another one at each push, is the last one.
    function check_fourPushesAgreeWithAList(
        uint96[4] memory amounts,
        uint32[4] memory times,
        uint96[4] memory companions,
        uint32 time
    ) external {
        uint256 expected;
        for (uint256 i; i < 4; ++i) {
            vm.assume(i == 0 || times[i] >= times[i - 1]);
            history.push(history.newest.withCompanion(companions[i]), amounts[i], times[i]);
            expected = choose(times[i] <= time, amounts[i], expected);
            assert(history.newest.companion() == companions[i]);
            assert(history.newest.amount() == amounts[i] && history.newest.since() == times[i]);
            assert(history.at(time) == expected);
        }
    }

    /// @notice A push in a later second archives the newest checkpoint, whatever the number of those before it, and a push
    /// in the same second archives nothing. The other half of the word stays.
    function check_pushAppendsTheNewest(NewestCheckpoint newest, uint256 word, uint96 amount, uint32 time) external {
        uint256 older = newest.archived();
        vm.assume(time >= newest.since() && older < type(uint32).max);
        // The halves behind the last checkpoint are empty.
        vm.assume(older & 1 == 0 ? word == 0 : fits(word, 128));
        history.newest = newest;
        history.archive[older >> 1] = word;
        history.push(newest, amount, time);

        uint256 checkpoint = uint128(NewestCheckpoint.unwrap(newest) >> 32);
        bool isArchived = time != newest.since() && checkpoint != 0;
        if (isArchived) word |= checkpoint << (older & 1) * 128;
        assert(history.archive[older >> 1] == word);
        assert(history.newest.archived() == older + (isArchived ? 1 : 0));
        assert(history.newest.amount() == amount && history.newest.since() == time);
        assert(history.newest.companion() == newest.companion());
    }

    /// @notice A push touches no other word of the archive.
    function check_pushTouchesNoOtherWord(NewestCheckpoint newest, uint96 amount, uint32 time, uint256 index, uint256 word)
        external
    {
        vm.assume(index != newest.archived() >> 1);
        history.newest = newest;
        history.archive[index] = word;
        history.push(newest, amount, time);
        assert(history.archive[index] == word);
    }

    /*//////////////////////////////////////////////////////////////
                               SEARCHES
    //////////////////////////////////////////////////////////////*/

    /// @notice In an archive of 1 to 6 checkpoints in order, the amount at any time is that of the last one not after it.
    function check_atFindsTheLastNotAfterInShortArchives(uint128[7] memory checkpoints, uint256 time) external {
        for (uint256 n = 1; n <= 6; ++n) {
            uint128[] memory list = new uint128[](n + 1);
            for (uint256 i; i <= n; ++i) list[i] = checkpoints[i];
            searched(list, time);
        }
    }

    /// @notice The same with 34 checkpoints, where the first probe is 16 words before the end.
    /// @custom:slow
    function check_atFindsTheLastNotAfterInALongArchive(uint128[35] memory checkpoints, uint256 time) external {
        uint128[] memory list = new uint128[](35);
        for (uint256 i; i < 35; ++i) list[i] = checkpoints[i];
        searched(list, time);
    }

    /// @notice The same with 35 checkpoints, where the last word of the archive is half empty.
    /// @custom:slow
    function check_atFindsTheLastNotAfterInALongOddArchive(uint128[36] memory checkpoints, uint256 time) external {
        uint128[] memory list = new uint128[](36);
        for (uint256 i; i < 36; ++i) list[i] = checkpoints[i];
        searched(list, time);
    }

    /*//////////////////////////////////////////////////////////////
                                FIELDS
    //////////////////////////////////////////////////////////////*/

    /// @notice Another companion changes nothing else.
    function check_withCompanionChangesOnlyTheCompanion(NewestCheckpoint newest, uint96 companion) external pure {
        NewestCheckpoint after_ = newest.withCompanion(companion);
        assert(after_.companion() == companion);
        assert(uint160(NewestCheckpoint.unwrap(after_)) == uint160(NewestCheckpoint.unwrap(newest)));
    }

    /// @notice An amount above 96 bits or a time above 32 is refused, anything else isn't.
    function check_requireFitsRefusesWhatDoesNotFit(uint256 amount, uint256 time) external view {
        try this.requireFits(amount, time) {
            assert(fits(amount, 96) && fits(time, 32));
        } catch (bytes memory reason) {
            if (!fits(amount, 96)) assert(isTooLarge(reason, amount, type(uint96).max));
            else assert(!fits(time, 32) && isTooLarge(reason, time, type(uint32).max));
        }
    }

    /*//////////////////////////////////////////////////////////////
                               REFUTED
    //////////////////////////////////////////////////////////////*/

    /// @notice Wrong: the amount in the second of a push is the one before it.
    function refute_aPushCountsFromTheNextSecond(uint96[2] memory amounts, uint32[2] memory times) external {
        vm.assume(times[1] > times[0]);
        history.push(history.newest, amounts[0], times[0]);
        history.push(history.newest, amounts[1], times[1]);
        assert(history.at(times[1]) == amounts[0]);
    }

    /// @notice Wrong: the second before a checkpoint has its amount.
    function refute_aSearchFindsTheNextCheckpoint(uint128[5] memory checkpoints) external {
        uint128[] memory list = new uint128[](5);
        for (uint256 i; i < 5; ++i) list[i] = checkpoints[i];
        archive(list);
        vm.assume(uint32(list[2]) != 0);
        assert(history.at(uint32(list[2]) - 1) == list[2] >> 32);
    }

    /*//////////////////////////////////////////////////////////////
                               HELPERS
    //////////////////////////////////////////////////////////////*/

    function requireFits(uint256 amount, uint256 time) external pure {
        PowerHistoryLibrary.requireFits(amount, time);
    }

    /// @dev Stores checkpoints, each an amount and a time in its low 32 bits, as pushes at these times do. The last one is
    /// the newest.
    function archive(uint128[] memory list) private {
        uint256 n = list.length - 1;
        bool ascending = list[0] != 0;
        for (uint256 i = 1; i <= n; ++i) {
            ascending = both(ascending, uint32(list[i - 1]) < uint32(list[i]));
        }
        vm.assume(ascending);
        for (uint256 i; i < n; i += 2) {
            history.archive[i / 2] = list[i] | (i + 1 < n ? uint256(list[i + 1]) << 128 : 0);
        }
        history.newest = NewestCheckpoint.wrap((uint256(list[n]) << 32) | n);
    }

    /// @dev Whichever checkpoint is the last one not after `time`, its amount is found; before the first one it is 0.
    function searched(uint128[] memory list, uint256 time) private {
        archive(list);
        uint256 k;
        while (k < list.length && uint32(list[k]) <= time) ++k;
        assert(history.at(time) == (k == 0 ? 0 : list[k - 1] >> 32));
    }

    function both(bool a, bool b) private pure returns (bool result) {
        assembly ("memory-safe") {
            result := and(a, b)
        }
    }
}
