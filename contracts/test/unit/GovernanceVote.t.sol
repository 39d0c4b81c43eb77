// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ballot, IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {GovernanceFixture} from "./GovernanceFixture.t.sol";

/// @notice Ballots by call.
contract GovernanceVoteTest is GovernanceFixture {
    address internal alice;
    address internal bob;

    function setUp() public override {
        super.setUp();
        alice = addressOf("alice");
        bob = addressOf("bob");
    }

    /// @dev A proposal in its first active second, on which `alice` has `power`.
    function _activeFor(uint256 power) private returns (uint256 id) {
        _lock(alice, power);
        id = _push(_payload());
        vm.warp(_lastPending(id) + 1);
    }

    function _vote(address voter, uint256 id, uint256 amount, bool support) private {
        vm.prank(voter);
        vm.assertTrue(governance.vote(id, amount, support));
    }

    function _ballot(uint256 id, address voter, uint256 yea, uint256 nea) private view {
        (uint256 y, uint256 n) = governance.ballots(id, voter);
        vm.assertEq(y, yea, "yea");
        vm.assertEq(n, nea, "nea");
    }

    function _sums(uint256 id, uint256 yea, uint256 nea) private view {
        Ballot memory sums = governance.getProposal(id).summedBallot;
        vm.assertEq(sums.yea, yea, "sum of yea");
        vm.assertEq(sums.nea, nea, "sum of nea");
    }

    function testFuzz_vote_isCountedAndAnnounced(uint256 power, uint256 amount, bool support) public {
        power = bound(power, 1, SUPPLY);
        amount = bound(amount, 1, power);
        uint256 id = _activeFor(power);
        vm.expectEmit(address(governance));
        emit IGovernance.VoteCast(id, alice, support, amount);
        _vote(alice, id, amount, support);
        _ballot(id, alice, support ? amount : 0, support ? 0 : amount);
        _sums(id, support ? amount : 0, support ? 0 : amount);
    }

    function testFuzz_vote_ballotsArePartialGoBothWaysAndAddUp(uint256[] memory amounts, uint256 sides) public {
        vm.assume(amounts.length != 0);
        uint256 left = SUPPLY;
        uint256 id = _activeFor(SUPPLY);
        uint256[2] memory cast;
        for (uint256 i; i < amounts.length && i < 16 && left != 0; ++i) {
            uint256 amount = bound(amounts[i], 1, left);
            bool support = (sides >> i) & 1 == 1;
            _vote(alice, id, amount, support);
            left -= amount;
            cast[support ? 0 : 1] += amount;
            _ballot(id, alice, cast[0], cast[1]);
            _sums(id, cast[0], cast[1]);
        }
        _refusePower(alice, left, left + 1);
        vm.prank(alice);
        governance.vote(id, left + 1, true);
    }

    function testFuzz_vote_sumsAreThoseOfAllBallots(uint96[5] memory powers, uint256 seed) public {
        for (uint256 i; i < 5; ++i) {
            powers[i] = uint96(bound(powers[i], 1, SUPPLY / 5));
            _lock(address(uint160(0xFF00 + i)), powers[i]);
        }
        uint256 id = _push(_payload());
        vm.warp(_lastPending(id) + 1);
        uint256[2][5] memory cast;
        for (uint256 i; i < 12; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 voter = seed % 5;
            uint256 left = powers[voter] - cast[voter][0] - cast[voter][1];
            if (left == 0) continue;
            uint256 amount = bound(uint96(seed >> 8), 1, left);
            bool support = seed >> 255 == 1;
            _vote(address(uint160(0xFF00 + voter)), id, amount, support);
            cast[voter][support ? 0 : 1] += amount;
        }
        uint256[2] memory sums;
        for (uint256 i; i < 5; ++i) {
            _ballot(id, address(uint160(0xFF00 + i)), cast[i][0], cast[i][1]);
            sums[0] += cast[i][0];
            sums[1] += cast[i][1];
        }
        _sums(id, sums[0], sums[1]);
        vm.assertLe(sums[0] + sums[1], governance.totalPowerAt(_lastPending(id)));
    }

    function testFuzz_vote_refusesNothing(uint256 power, bool support) public {
        uint256 id = _activeFor(bound(power, 1, SUPPLY));
        _refuse(IGovernance.Governance__ZeroAmount.selector);
        vm.prank(alice);
        governance.vote(id, 0, support);
    }

    function testFuzz_vote_refusesMoreThanThePower(uint256 power, uint256 amount, bool support) public {
        power = bound(power, 1, SUPPLY);
        amount = bound(amount, power + 1, type(uint256).max);
        uint256 id = _activeFor(power);
        _refusePower(alice, power, amount);
        vm.prank(alice);
        governance.vote(id, amount, support);
    }

    /// @dev Amounts that would wrap around to something small, or into the neighbor's bits, if they were narrowed.
    function testFuzz_vote_refusesAmountsThatWouldWrap(uint256 power, uint256 first, uint256 wrap, bool support) public {
        power = bound(power, 2, SUPPLY);
        first = bound(first, 1, power - 1);
        uint256 id = _activeFor(power);
        _vote(alice, id, first, !support);
        uint256 left = power - first;
        uint256[5] memory huge = [
            uint256(1) << 96,
            (uint256(1) << 96) + bound(wrap, 1, left),
            (uint256(1) << 192) + bound(wrap, 1, left),
            type(uint256).max - first + 1,
            type(uint256).max
        ];
        for (uint256 i; i < huge.length; ++i) {
            _refusePower(alice, left, huge[i]);
            vm.prank(alice);
            governance.vote(id, huge[i], support);
        }
        _sums(id, support ? 0 : first, support ? first : 0);
    }

    function testFuzz_vote_refusesWhoHasNoPower(address voter, uint256 amount, bool support) public {
        vm.assume(voter != alice);
        amount = bound(amount, 1, type(uint256).max);
        uint256 id = _activeFor(SUPPLY);
        _refusePower(voter, 0, amount);
        vm.prank(voter);
        governance.vote(id, amount, support);
    }

    function testFuzz_vote_fromTheFirstToTheLastActiveSecond(uint256 power, uint256 time) public {
        power = bound(power, 4, SUPPLY);
        _lock(alice, power);
        uint256 id = _push(_payload());
        uint256[4] memory ends = _ends(id);
        vm.warp(ends[0]);
        _refuseState(IGovernance.Governance__NotActive.selector, id, ProposalState.Pending);
        vm.prank(alice);
        governance.vote(id, 1, true);
        vm.warp(ends[0] + 1);
        _vote(alice, id, 1, true);
        vm.warp(bound(time, ends[0] + 1, ends[1]));
        _vote(alice, id, 1, true);
        vm.warp(ends[1]);
        _vote(alice, id, 1, true);
        vm.warp(ends[1] + 1);
        ProposalState state = governance.getProposalState(id);
        _refuseState(IGovernance.Governance__NotActive.selector, id, state);
        vm.prank(alice);
        governance.vote(id, 1, true);
        _ballot(id, alice, 3, 0);
    }

    function testFuzz_vote_refusesOutsideOfActive(uint256 time, bool accepted) public {
        _arm();
        uint256 id = _push(_payload());
        uint256[4] memory ends = _ends(id);
        if (accepted) {
            vm.warp(ends[0] + 1);
            _vote(majority, id, MAJORITY / 2, true);
        }
        // All seconds but the active ones.
        time = bound(time, 0, 2 * (ends[3] - ends[0]));
        vm.warp(time <= ends[0] - START ? START + time : ends[1] + 1 + time);
        ProposalState state = governance.getProposalState(id);
        vm.assertTrue(state != ProposalState.Active);
        _refuseState(IGovernance.Governance__NotActive.selector, id, state);
        vm.prank(majority);
        governance.vote(id, 1, true);
    }

    function testFuzz_vote_refusesWhatWasExecuted(uint256 amount, bool support) public {
        uint256 id = _passed(_payload());
        governance.execute(id);
        _refuseState(IGovernance.Governance__NotActive.selector, id, ProposalState.Executed);
        vm.prank(majority);
        governance.vote(id, amount, support);
    }

    function testFuzz_vote_refusesUnknownIds(uint256 id, uint256 amount, bool support) public {
        uint256 known = _activeFor(SUPPLY);
        id = bound(id, known + 1, type(uint256).max);
        _refuseUnknown(id);
        vm.prank(alice);
        governance.vote(id, amount, support);
    }

    /// @dev Existence before state before amounts.
    function testFuzz_vote_asksForTheStateBeforeTheAmount(uint256 amount, bool support) public {
        uint256 id = _push(_payload());
        _refuseState(IGovernance.Governance__NotActive.selector, id, ProposalState.Pending);
        vm.prank(alice);
        governance.vote(id, amount, support);
        _refuseState(IGovernance.Governance__NotActive.selector, id, ProposalState.Pending);
        vm.prank(alice);
        governance.vote(id, 0, support);
    }

    function testFuzz_vote_powerOfTheLastSecondOfPendingCounts(uint256 early, uint256 late) public {
        early = bound(early, 1, SUPPLY / 4);
        late = bound(late, 1, SUPPLY / 4);
        _lock(alice, early);
        uint256 id = _push(_payload());
        vm.warp(_lastPending(id));
        _lock(alice, late);
        vm.warp(_lastPending(id) + 1);
        _vote(alice, id, early + late, true);
        _ballot(id, alice, early + late, 0);
    }

    /// @dev Borrowed power has no ballot: it would have had to be there before the voting began.
    function testFuzz_vote_laterPowerDoesNotCount(uint256 power, uint256 loan, uint256 wait) public {
        power = bound(power, 1, SUPPLY / 2);
        loan = bound(loan, 1, SUPPLY / 4);
        uint256 id = _activeFor(power);
        vm.warp(bound(wait, _ends(id)[0] + 1, _ends(id)[1]));
        _lock(alice, loan);
        _lock(bob, loan);
        _refusePower(alice, power, power + 1);
        vm.prank(alice);
        governance.vote(id, power + 1, true);
        _refusePower(bob, 0, 1);
        vm.prank(bob);
        governance.vote(id, 1, true);
    }

    function testFuzz_vote_powerGivenUpLaterStillCounts(uint256 power, uint256 left, uint256 wait) public {
        power = bound(power, 1, SUPPLY);
        left = bound(left, 1, power);
        uint256 id = _activeFor(power);
        vm.warp(bound(wait, _ends(id)[0] + 1, _ends(id)[1]));
        vm.prank(alice);
        governance.initiateWithdraw(alice, left);
        _vote(alice, id, power, true);
        _ballot(id, alice, power, 0);
    }

    /// @dev The same power votes on every proposal of its time.
    function testFuzz_vote_proposalsAreIndependent(uint256 power, uint256 first, uint256 second) public {
        power = bound(power, 1, SUPPLY);
        first = bound(first, 1, power);
        second = bound(second, 1, power);
        _lock(alice, power);
        uint256 a = _push(_payload());
        uint256 b = _push(_payload());
        vm.warp(_lastPending(b) + 1);
        _vote(alice, a, first, true);
        _vote(alice, b, second, false);
        _ballot(a, alice, first, 0);
        _ballot(b, alice, 0, second);
        _sums(a, first, 0);
        _sums(b, 0, second);
    }

    /// @dev On behalf of somebody means that it is theirs.
    function testFuzz_vote_isTheBeneficiarysNotTheDepositors(uint256 amount) public {
        amount = bound(amount, 1, SUPPLY);
        uint256 id = _activeFor(amount);
        _refusePower(address(this), 0, amount);
        governance.vote(id, amount, true);
        _vote(alice, id, amount, true);
    }

    function testFuzz_ballots_ofUnknownProposalsAndVotersAreZero(uint256 id, address voter) public {
        uint256 known = _activeFor(SUPPLY);
        _vote(alice, known, SUPPLY, true);
        vm.assume(id != known || voter != alice);
        _ballot(id, voter, 0, 0);
    }
}
