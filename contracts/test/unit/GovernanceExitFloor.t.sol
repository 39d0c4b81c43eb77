// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Configuration, IGovernance} from "canon/interfaces/IGovernance.sol";
import {SetLib} from "../Set.sol";
import {GovernanceFixture} from "./GovernanceFixture.t.sol";

/// @notice What a withdrawal takes when configurations change, against the rule written down once more.
contract GovernanceExitFloorTest is GovernanceFixture {
    address internal alice;

    /// @dev The model.
    uint256 private _delay;
    uint256 private _until;
    Configuration private _present;

    function setUp() public override {
        super.setUp();
        alice = addressOf("alice");
        _present = SetLib.configuration();
        _lock(alice, 1_000_000);
    }

    function _replace(Configuration memory c) private {
        uint256 time = vm.getBlockTimestamp();
        Configuration memory old = _present;
        if (time > _until) _delay = 0;
        uint256 exit = old.votingDelay / 5 + old.votingDuration + old.executionDelay;
        if (exit > _delay) _delay = exit;
        uint256 end = time + old.votingDelay + old.votingDuration + old.executionDelay;
        if (end > _until) _until = end;
        _present = c;
        _configure(c);
    }

    function _expectedUnlock() private view returns (uint256) {
        uint256 time = vm.getBlockTimestamp();
        uint256 delay = _exitDelay(_present);
        if (time <= _until && _delay > delay) delay = _delay;
        return time + delay;
    }

    function _withdraw() private returns (uint256 unlocksAt) {
        vm.prank(alice);
        return governance.getWithdrawal(governance.initiateWithdraw(alice, 1)).unlocksAt;
    }

    function _agree() private {
        (uint256 delay, uint256 until) = governance.exitFloor();
        vm.assertEq(delay, _delay, "delay");
        vm.assertEq(until, _until, "until");
        vm.assertEq(_withdraw(), _expectedUnlock(), "unlocksAt");
    }

    /// @dev Delays of minutes or of months, so that slow and fast configurations follow each other.
    function _some(uint256 seed) private pure returns (Configuration memory c) {
        c = SetLib.configuration();
        uint256 max = seed & 1 == 0 ? 600 : 90 days;
        c.votingDelay = 60 + (seed >> 8) % (max - 59);
        c.votingDuration = 60 + (seed >> 40) % (max - 59);
        c.executionDelay = 60 + (seed >> 72) % (max - 59);
    }

    /// @dev To a moment where the rule may turn.
    function _wait(uint256 seed) private {
        uint256 time = vm.getBlockTimestamp();
        uint256 kind = seed % 6;
        if (kind == 1) skip((seed >> 8) % 1000);
        else if (kind == 2) skip((seed >> 8) % 100 days);
        else if (kind == 3 && _until >= time) vm.warp(_until);
        else if (kind == 4 && _until >= time) vm.warp(_until + 1);
        else if (kind == 5 && _until > time) skip((seed >> 8) % (_until - time));
    }

    function testFuzz_exitFloor_isZeroAtFirst(Configuration memory c, uint32 gap) public {
        _deploy(_allowed(c));
        skip(gap);
        (uint256 delay, uint256 until) = governance.exitFloor();
        vm.assertEq(delay, 0);
        vm.assertEq(until, 0);
    }

    function testFuzz_exitFloor_agreesWithTheRuleWhateverChanges(uint256[] memory seeds) public {
        vm.assume(seeds.length != 0);
        _agree();
        for (uint256 i; i < seeds.length && i < 16; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(seeds[i], i)));
            _wait(seed);
            _agree();
            if (seed >> 254 != 0) {
                _replace(_some(seed >> 100));
                _agree();
            }
        }
    }

    function testFuzz_exitFloor_isTheReplacedConfigurations(Configuration memory a, Configuration memory b, uint32 gap)
        public
    {
        a = _allowed(a);
        b = _allowed(b);
        _deploy(a);
        skip(gap % 10_000 days);
        _configure(_changeable(b));
        (uint256 delay, uint256 until) = governance.exitFloor();
        vm.assertEq(delay, a.votingDelay / 5 + a.votingDuration + a.executionDelay);
        vm.assertEq(until, vm.getBlockTimestamp() + a.votingDelay + a.votingDuration + a.executionDelay);
    }

    function testFuzz_exitFloor_holdsForWithdrawalsUntilItsLastSecond(Configuration memory slow, Configuration memory fast)
        public
    {
        slow = _allowed(slow);
        fast = _allowed(fast);
        vm.assume(_exitDelay(slow) > _exitDelay(fast));
        _deploy(slow);
        _lock(alice, 10);
        _configure(_changeable(fast));
        (, uint256 until) = governance.exitFloor();
        vm.warp(until);
        vm.assertEq(_withdraw(), until + _exitDelay(slow));
        vm.warp(until + 1);
        vm.assertEq(_withdraw(), until + 1 + _exitDelay(fast));
        // The view returns it as it is stored, also when it doesn't bind any more.
        (uint256 delay, uint256 stillUntil) = governance.exitFloor();
        vm.assertEq(delay, _exitDelay(slow));
        vm.assertEq(stillUntil, until);
    }

    function testFuzz_exitFloor_neverShortensASlowerConfiguration(Configuration memory fast, Configuration memory slow)
        public
    {
        fast = _allowed(fast);
        slow = _allowed(slow);
        vm.assume(_exitDelay(slow) >= _exitDelay(fast));
        _deploy(fast);
        _lock(alice, 10);
        _configure(_changeable(slow));
        vm.assertEq(_withdraw(), START + _exitDelay(slow));
    }

    /// @dev In the last second of the floor a replacement adds to it, one second later it begins anew.
    function testFuzz_exitFloor_isForgottenAfterItsLastSecond(
        Configuration memory a,
        Configuration memory b,
        Configuration memory c,
        bool late
    ) public {
        a = _allowed(a);
        b = _allowed(b);
        c = _allowed(c);
        _deploy(a);
        _configure(_changeable(b));
        (uint256 delay, uint256 until) = governance.exitFloor();
        uint256 time = late ? until + 1 : until;
        vm.warp(time);
        _configure(_changeable(c));
        uint256 exitOfB = _exitDelay(b);
        uint256 expected = late || exitOfB > delay ? exitOfB : delay;
        (delay, until) = governance.exitFloor();
        vm.assertEq(delay, expected);
        vm.assertEq(until, time + b.votingDelay + b.votingDuration + b.executionDelay);
    }

    function testFuzz_exitFloor_untilNeverDecreases(uint256[] memory seeds) public {
        vm.assume(seeds.length != 0);
        uint256 last;
        for (uint256 i; i < seeds.length && i < 12; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(seeds[i], i)));
            _wait(seed);
            _replace(_some(seed >> 100));
            (, uint256 until) = governance.exitFloor();
            vm.assertGe(until, last);
            last = until;
        }
    }

    /// @dev A configuration that is never in force at the end of a second still was in force.
    function testFuzz_exitFloor_countsAConfigurationOfNoSeconds(Configuration memory brief, Configuration memory last)
        public
    {
        brief = _allowed(brief);
        last = _allowed(last);
        _replace(_changeable(brief));
        _replace(_changeable(last));
        _agree();
        uint256 first = _exitDelay(SetLib.configuration());
        (uint256 delay,) = governance.exitFloor();
        vm.assertEq(delay, _exitDelay(brief) > first ? _exitDelay(brief) : first);
    }

    function testFuzz_exitFloor_aWithdrawalIsFixedAtItsStart(uint256[] memory seeds) public {
        vm.assume(seeds.length != 0);
        uint256 id = governance.withdrawalCount();
        uint256 unlocksAt = _withdraw();
        vm.assertEq(unlocksAt, START + _exitDelay(SetLib.configuration()));
        for (uint256 i; i < seeds.length && i < 6; ++i) {
            _replace(_some(uint256(keccak256(abi.encode(seeds[i])))));
            vm.assertEq(governance.getWithdrawal(id).unlocksAt, unlocksAt);
        }
        vm.warp(unlocksAt - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IGovernance.Governance__NotUnlocked.selector, unlocksAt - 1, unlocksAt)
        );
        governance.finaliseWithdraw(id);
        vm.warp(unlocksAt);
        governance.finaliseWithdraw(id);
        vm.assertEq(asset.balanceOf(alice), 1);
    }
}
