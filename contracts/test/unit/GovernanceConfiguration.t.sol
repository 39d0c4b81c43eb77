// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IAsset} from "canon/interfaces/IAsset.sol";
import {ICommon} from "canon/interfaces/ICommon.sol";
import {Configuration, IGovernance, ProposalState, ProposeConfiguration} from "canon/interfaces/IGovernance.sol";
import {Field, FieldLibrary} from "../ConfigurationField.sol";
import {SetLib} from "../Set.sol";
import {Deployer} from "../mocks/Deployer.sol";
import {GovernanceFixture} from "./GovernanceFixture.t.sol";

/// @notice What a configuration may be, and how it changes.
contract GovernanceConfigurationTest is GovernanceFixture {
    address private constant DUST = address(0xD057);

    /// @dev At construction, by the supply.
    function _boundsOf(Field field, uint256 supply) private pure returns (bytes32 name, uint256 min, uint256 max) {
        return field.bounds(supply / 10, supply / 2);
    }

    /// @dev At a change now.
    function _boundsNow(Field field) private view returns (bytes32 name, uint256 min, uint256 max) {
        return field.bounds(_maxLockAmount(), _maxMinimumVotes());
    }

    function _outOfBounds(bytes32 name, uint256 value, uint256 min, uint256 max) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IGovernance.Governance__OutOfBounds.selector, name, value, min, max);
    }

    /// @dev Beyond one of the bounds; voteDifferential has no lower one.
    function _outside(uint256 seed, bool above, uint256 min, uint256 max) private pure returns (uint256) {
        return above || min == 0 ? bound(seed, max + 1, type(uint256).max) : bound(seed, 0, min - 1);
    }

    function _refuseOutside(Field field, uint256 seed, bool above, Configuration memory c) private {
        (bytes32 name, uint256 min, uint256 max) = _boundsNow(field);
        uint256 value = _outside(seed, above, min, max);
        field.set(c, value);
        vm.expectRevert(_outOfBounds(name, value, min, max));
        vm.prank(address(governance));
        governance.updateConfiguration(c);
        _same(governance.getConfiguration(), SetLib.configuration());
    }

    function testFuzz_updateConfiguration_takesWhateverIsAllowed(Configuration memory c, uint256 power, uint24 gap)
        public
    {
        power = bound(power, 0, SUPPLY);
        if (power != 0) _lock(majority, power);
        skip(gap);
        c = _changeable(c);
        vm.expectEmit(address(governance));
        emit IGovernance.ConfigurationUpdated(START + gap);
        vm.expectEmit(address(governance));
        emit IGovernance.ConfigurationSet(1, c);
        _configure(c);
        _same(governance.getConfiguration(), c);
        _same(governance.configurationAt(1), c);
        _same(governance.configurationAt(0), SetLib.configuration());
        vm.assertEq(governance.numberOfConfigurations(), 2);
    }

    /// @dev The least and the greatest value of every field are allowed, one less and one more are not: with no power, with
    /// a power whose tenth and half are around the amounts in force, and with all that there can be.
    function test_updateConfiguration_boundsAreExact() public {
        Configuration memory c = SetLib.configuration();
        uint256 lockAmount = c.proposeConfig.lockAmount;
        uint256[8] memory powers = [
            uint256(0),
            2 * c.minimumVotes - 1,
            2 * c.minimumVotes + 1,
            2 * c.minimumVotes + 2,
            10 * lockAmount - 1,
            10 * lockAmount + 9,
            10 * lockAmount + 10,
            SUPPLY
        ];
        uint256 state = vm.snapshotState();
        for (uint256 i; i < powers.length; ++i) {
            if (powers[i] != 0) _lock(majority, powers[i]);
            for (uint256 field; field < FieldLibrary.COUNT; ++field) {
                _boundsAreExact(Field(field));
            }
            vm.revertToState(state);
        }
    }

    function _boundsAreExact(Field field) private {
        (bytes32 name, uint256 min, uint256 max) = _boundsNow(field);
        Configuration memory c = SetLib.configuration();
        if (min != 0) {
            field.set(c, min - 1);
            vm.expectRevert(_outOfBounds(name, min - 1, min, max));
            vm.prank(address(governance));
            governance.updateConfiguration(c);
        }
        field.set(c, max + 1);
        vm.expectRevert(_outOfBounds(name, max + 1, min, max));
        vm.prank(address(governance));
        governance.updateConfiguration(c);

        uint256 state = vm.snapshotState();
        field.set(c, max);
        _configure(c);
        _same(governance.getConfiguration(), c);
        // The other amount of the first configuration, if it was lowered meanwhile, isn't asked for.
        field.set(c, min);
        _configure(c);
        _same(governance.getConfiguration(), c);
        vm.revertToState(state);
    }

    function testFuzz_updateConfiguration_lockDelayBounds(uint256 value, bool above) public {
        _refuseOutside(Field.LockDelay, value, above, SetLib.configuration());
    }

    function testFuzz_updateConfiguration_lockAmountBounds(uint256 value, bool above) public {
        _refuseOutside(Field.LockAmount, value, above, SetLib.configuration());
    }

    function testFuzz_updateConfiguration_votingDelayBounds(uint256 value, bool above) public {
        _refuseOutside(Field.VotingDelay, value, above, SetLib.configuration());
    }

    function testFuzz_updateConfiguration_votingDurationBounds(uint256 value, bool above) public {
        _refuseOutside(Field.VotingDuration, value, above, SetLib.configuration());
    }

    function testFuzz_updateConfiguration_executionDelayBounds(uint256 value, bool above) public {
        _refuseOutside(Field.ExecutionDelay, value, above, SetLib.configuration());
    }

    function testFuzz_updateConfiguration_gracePeriodBounds(uint256 value, bool above) public {
        _refuseOutside(Field.GracePeriod, value, above, SetLib.configuration());
    }

    function testFuzz_updateConfiguration_quorumBounds(uint256 value, bool above) public {
        _refuseOutside(Field.Quorum, value, above, SetLib.configuration());
    }

    function testFuzz_updateConfiguration_voteDifferentialBounds(uint256 value) public {
        _refuseOutside(Field.VoteDifferential, value, true, SetLib.configuration());
    }

    function testFuzz_updateConfiguration_minimumVotesBounds(uint256 value, bool above) public {
        _refuseOutside(Field.MinimumVotes, value, above, SetLib.configuration());
    }

    /// @dev Whatever the other fields are.
    function testFuzz_updateConfiguration_refusesAnyFieldOutside(
        Configuration memory c,
        uint256 seed,
        uint256 value,
        bool above
    ) public {
        _refuseOutside(FieldLibrary.draw(seed), value, above, _changeable(c));
    }

    /// @dev Amounts may be raised to a part of what is locked now, whatever the asset would say; they are measured at the
    /// change, not when it was proposed.
    function testFuzz_updateConfiguration_boundsAmountsByThePowerOfTheMoment(uint256 power, uint256 left, bool lock)
        public
    {
        power = bound(power, 100_000e18, SUPPLY);
        uint256 divisor = lock ? 10 : 2;
        Configuration memory c = SetLib.configuration();
        _lock(majority, power);
        uint256 value = power / divisor;
        (lock ? Field.LockAmount : Field.MinimumVotes).set(c, value);
        // More than the remainder of the division, so that the bound falls by one at least.
        left = bound(left, power % divisor + 1, power);
        skip(100);
        uint256 state = vm.snapshotState();
        vm.prank(majority);
        governance.initiateWithdraw(majority, left);
        uint256 max = (power - left) / divisor > 1000e18 ? (power - left) / divisor : 1000e18;
        vm.assertLt(max, value);
        vm.expectRevert(_outOfBounds(lock ? bytes32("lockAmount") : bytes32("minimumVotes"), value, lock ? 2 : 1, max));
        vm.prank(address(governance));
        governance.updateConfiguration(c);

        vm.revertToState(state);
        // One unit less would be a part less.
        if (power % divisor != 0) {
            vm.prank(majority);
            governance.initiateWithdraw(majority, power % divisor);
        }
        vm.mockCallRevert(address(asset), abi.encodeCall(asset.totalSupply, ()), "");
        _configure(c);
        _same(governance.getConfiguration(), c);
    }

    /// @dev Amounts in force may stay, or become less, when all power has gone.
    function testFuzz_updateConfiguration_aLeaverVetoesNothing(Configuration memory next, uint256 power, uint256 left)
        public
    {
        power = bound(power, 10, SUPPLY);
        _lock(majority, power);
        Configuration memory strict = SetLib.configuration();
        strict.proposeConfig.lockAmount = _maxLockAmount();
        strict.minimumVotes = _maxMinimumVotes();
        _configure(strict);
        vm.prank(majority);
        governance.initiateWithdraw(majority, bound(left, 1, power));
        next = _allowed(next);
        next.proposeConfig.lockAmount = bound(next.proposeConfig.lockAmount, 2, strict.proposeConfig.lockAmount);
        next.minimumVotes = bound(next.minimumVotes, 1, strict.minimumVotes);
        _configure(next);
        _same(governance.getConfiguration(), next);
    }

    /*//////////////////////////////////////////////////////////////
                              CHANGED AGAIN
    //////////////////////////////////////////////////////////////*/

    /// @dev `next` by a proposal: `leaver` gives up `leaves` before power is counted, one unit is against, and the rest is
    /// for it.
    function _change(Configuration memory next, address leaver, uint256 leaves, bool byLock) private {
        address payload = _list(_one(address(governance), abi.encodeCall(IGovernance.updateConfiguration, (next))));
        uint256 id = governance.proposalCount();
        vm.prank(byLock ? majority : proposals);
        if (byLock) governance.proposeWithLock(payload, majority);
        else governance.propose(payload);
        vm.prank(leaver);
        governance.initiateWithdraw(leaver, leaves);
        uint256 last = _lastPending(id);
        vm.warp(last + 1);
        vm.prank(DUST);
        governance.vote(id, 1, false);
        uint256 power = governance.powerAt(majority, last);
        vm.prank(majority);
        governance.vote(id, power, true);
        power = governance.powerAt(leaver, last);
        vm.prank(leaver);
        governance.vote(id, power, true);
        vm.warp(_ends(id)[2] + 1);
        governance.execute(id);
        _same(governance.getConfiguration(), next);
    }

    /// @dev The greatest amounts that `_change` may set: of the power that is left when it is executed.
    function _afterwards(Configuration memory c, uint256 leaves, bool byLock) private view returns (Configuration memory) {
        Configuration memory present = governance.getConfiguration();
        uint256 total = _totalPower() - leaves - (byLock ? present.proposeConfig.lockAmount : 0);
        uint256 inForce = present.proposeConfig.lockAmount;
        c = _allowed(c);
        c.proposeConfig.lockAmount = bound(c.proposeConfig.lockAmount, 2, inForce > total / 10 ? inForce : total / 10);
        inForce = present.minimumVotes;
        c.minimumVotes = bound(c.minimumVotes, 1, inForce > total / 2 ? inForce : total / 2);
        return c;
    }

    /// @dev From any configuration that is allowed at construction, to any that is allowed at a change, and back: with
    /// a holder of one unit against it, and another holder leaving before each of them.
    function testFuzz_updateConfiguration_whateverIsAllowedCanBeChangedAgain(
        Configuration memory first,
        Configuration memory second,
        uint256[2] memory leaves,
        bool byLock
    ) public {
        address leaver = addressOf("leaver");
        _deploy(_allowed(first));
        _lock(DUST, 1);
        _lock(leaver, SUPPLY / 5);
        _lock(majority, SUPPLY - SUPPLY / 5 - 1);
        for (uint256 i; i < 2; ++i) {
            leaves[i] = bound(leaves[i], 1, SUPPLY / 10);
        }
        second = _afterwards(second, leaves[0], byLock);
        _change(second, leaver, leaves[0], byLock);
        _change(_afterwards(SetLib.configuration(), leaves[1], byLock), leaver, leaves[1], byLock);
    }

    function test_updateConfiguration_theStrictestCanBeChangedAgain() public {
        Configuration memory c = Configuration({
            proposeConfig: ProposeConfiguration({lockDelay: 365 days, lockAmount: SUPPLY / 10}),
            votingDelay: 90 days,
            votingDuration: 90 days,
            executionDelay: 90 days,
            gracePeriod: 90 days,
            quorum: 0.9e18,
            voteDifferential: 0.9e18,
            minimumVotes: SUPPLY / 2
        });
        for (uint256 i; i < 2; ++i) {
            uint256[2] memory leaves = [SUPPLY / 10, SUPPLY / 10];
            testFuzz_updateConfiguration_whateverIsAllowedCanBeChangedAgain(c, c, leaves, i == 0);
        }
    }

    function testFuzz_updateConfiguration_isForGovernanceOnly(address caller, Configuration memory c) public {
        vm.assume(caller != address(governance));
        vm.expectRevert(abi.encodeWithSelector(IGovernance.Governance__NotSelf.selector, caller));
        vm.prank(caller);
        governance.updateConfiguration(c);
    }

    function testFuzz_updateConfiguration_byAProposal(Configuration memory c) public {
        _arm();
        c = _changeable(c);
        bytes memory data = abi.encodeCall(IGovernance.updateConfiguration, (c));
        uint256 id = _passed(_list(_one(address(governance), data)));
        governance.execute(id);
        _same(governance.getConfiguration(), c);
        _same(governance.getProposal(id).config, SetLib.configuration());
        _state(id, ProposalState.Executed);
    }

    function testFuzz_updateConfiguration_aRefusalIsTheActionsReason(uint256 seed, uint256 value, bool above) public {
        _arm();
        Field field = FieldLibrary.draw(seed);
        (bytes32 name, uint256 min, uint256 max) = _boundsNow(field);
        Configuration memory c = SetLib.configuration();
        value = _outside(value, above, min, max);
        field.set(c, value);
        bytes memory data = abi.encodeCall(IGovernance.updateConfiguration, (c));
        uint256 id = _passed(_list(_one(address(governance), data)));
        vm.expectRevert(
            abi.encodeWithSelector(
                IGovernance.Governance__ActionFailed.selector,
                uint256(0),
                address(governance),
                _outOfBounds(name, value, min, max)
            )
        );
        governance.execute(id);
    }

    /*//////////////////////////////////////////////////////////////
                           ALL CONFIGURATIONS
    //////////////////////////////////////////////////////////////*/

    function testFuzz_configurationAt_keepsAll(Configuration[] memory list) public {
        _lock(majority, SUPPLY);
        vm.assume(list.length != 0);
        uint256 count = list.length > 8 ? 8 : list.length;
        for (uint256 i; i < count; ++i) {
            _configure(_changeable(list[i]));
        }
        vm.assertEq(governance.numberOfConfigurations(), count + 1);
        _same(governance.configurationAt(0), SetLib.configuration());
        for (uint256 i; i < count; ++i) {
            _same(governance.configurationAt(i + 1), list[i]);
        }
    }

    /// @dev Of a configuration that changes nothing, something of the first word only, one field of the second only, or all.
    function _next(Configuration memory last, Configuration memory other, uint256 kind)
        private
        view
        returns (Configuration memory c)
    {
        c = abi.decode(abi.encode(last), (Configuration));
        other = _changeable(other);
        kind %= 8;
        if (kind == 1) c.votingDelay = other.votingDelay;
        if (kind == 2) (c.quorum, c.minimumVotes, c.gracePeriod) = (other.quorum, other.minimumVotes, other.gracePeriod);
        if (kind == 3) (c.votingDuration, c.executionDelay) = (other.votingDuration, other.executionDelay);
        if (kind == 4) c.voteDifferential = other.voteDifferential;
        if (kind == 5) c.proposeConfig.lockDelay = other.proposeConfig.lockDelay;
        if (kind == 6) c.proposeConfig.lockAmount = other.proposeConfig.lockAmount;
        if (kind == 7) c = other;
    }

    /// @dev However configurations share what they have in common.
    function testFuzz_configurationAt_keepsAllThatDifferInLittle(Configuration[3] memory others, uint256[20] memory kinds)
        public
    {
        _lock(majority, SUPPLY);
        Configuration[] memory list = new Configuration[](kinds.length + 1);
        list[0] = governance.getConfiguration();
        for (uint256 i; i < kinds.length; ++i) {
            list[i + 1] = _next(list[i], others[(kinds[i] >> 8) % 3], kinds[i]);
            _configure(list[i + 1]);
            _same(governance.getConfiguration(), list[i + 1]);
        }
        for (uint256 i; i < list.length; ++i) {
            _same(governance.configurationAt(i), list[i]);
        }
    }

    /// @dev The second word is shared by up to 256 configurations in a row that agree on it, and then stored anew.
    function test_configurationAt_limitsAreStoredAnewEvery256Configurations() public {
        Configuration memory c = SetLib.configuration();
        for (uint256 i = 1; i <= 600; ++i) {
            c.votingDelay = 1 hours + i;
            vm.record();
            _configure(c);
            (, bytes32[] memory writes) = vm.accesses(address(governance));
            // The term, the exit floor, and one or both words.
            vm.assertEq(writes.length, i % 256 == 0 ? 4 : 3, vm.toString(i));
        }
        // What differs in the second word is stored at once, and shared from there.
        for (uint256 field; field < 3; ++field) {
            if (field == 0) ++c.voteDifferential;
            if (field == 1) ++c.proposeConfig.lockDelay;
            if (field == 2) --c.proposeConfig.lockAmount;
            for (uint256 i; i < 2; ++i) {
                vm.record();
                _configure(c);
                (, bytes32[] memory writes) = vm.accesses(address(governance));
                vm.assertEq(writes.length, 4 - i, vm.toString(field));
            }
        }
        Configuration memory expected = SetLib.configuration();
        for (uint256 i = 1; i <= 600; ++i) {
            expected.votingDelay = 1 hours + i;
            _same(governance.configurationAt(i), expected);
        }
        _same(governance.configurationAt(606), c);
    }

    /// @dev A proposal is decided by the second word of its own configuration, wherever that is stored.
    function testFuzz_configurationAt_aProposalFindsItsOwnDifferential(uint256 before, uint256 later, bool enough) public {
        _lock(majority, SUPPLY / 2);
        address other = addressOf("other");
        _lock(other, SUPPLY / 2);
        Configuration memory c = SetLib.configuration();
        c.voteDifferential = 0.5e18;
        before = bound(before, 1, 8);
        for (uint256 i; i < before; ++i) {
            c.votingDelay = 1 hours + i;
            _configure(c);
        }
        uint256 id = _push(_payload());
        c.voteDifferential = 0;
        later = bound(later, 1, 4);
        for (uint256 i; i < later; ++i) {
            c.votingDelay = 2 hours + i;
            _configure(c);
        }
        vm.warp(_lastPending(id) + 1);
        vm.prank(majority);
        governance.vote(id, 30e27, true);
        vm.prank(other);
        // Three quarters of what is cast aren't more than three quarters of it.
        governance.vote(id, enough ? 10e27 - 2 : 10e27, false);
        vm.warp(_ends(id)[1] + 1);
        _state(id, enough ? ProposalState.Queued : ProposalState.Rejected);
    }

    function testFuzz_configurationAt_refusesUnknownIds(uint256 id, uint256 count) public {
        count = bound(count, 1, 4);
        for (uint256 i = 1; i < count; ++i) {
            _configure(SetLib.configuration());
        }
        id = bound(id, count, type(uint256).max);
        vm.expectRevert(
            abi.encodeWithSelector(IGovernance.Governance__UnknownConfiguration.selector, id, count)
        );
        governance.configurationAt(id);
    }

    function testFuzz_constructor_takesWhateverIsAllowedAndAnnouncesIt(Configuration memory c) public {
        c = _allowed(c);
        vm.expectEmit();
        emit IGovernance.GovernanceDeployed(address(asset));
        vm.expectEmit();
        emit IGovernance.GovernanceProposerUpdated(proposals);
        vm.expectEmit();
        emit IGovernance.ConfigurationSet(0, c);
        governance = IGovernance(vm.deployCode(SetLib.artifact("Governance"), abi.encode(asset, proposals, c)));
        _same(governance.getConfiguration(), c);
        _same(governance.configurationAt(0), c);
        vm.assertEq(governance.numberOfConfigurations(), 1);
        vm.assertEq(address(governance.ASSET()), address(asset));
        vm.assertEq(governance.governanceProposer(), proposals);
        vm.assertEq(governance.proposalCount(), 0);
        vm.assertEq(governance.withdrawalCount(), 0);
        vm.assertEq(governance.totalPowerAt(vm.getBlockTimestamp()), 0);
    }

    function testFuzz_constructor_refusesAnyFieldOutside(
        Configuration memory c,
        uint256 seed,
        uint256 value,
        bool above
    ) public {
        c = _allowed(c);
        Field field = FieldLibrary.draw(seed);
        (bytes32 name, uint256 min, uint256 max) = _boundsOf(field, SUPPLY);
        value = _outside(value, above, min, max);
        field.set(c, value);
        _refuseConstruction(c, _outOfBounds(name, value, min, max));
    }

    function _refuseConstruction(Configuration memory c, bytes memory refusal) private {
        Deployer deployer = new Deployer();
        bytes memory code = vm.getCode(SetLib.artifact("Governance"));
        vm.expectRevert(refusal);
        deployer.deploy(code, abi.encode(asset, proposals, c));
    }

    /// @dev Amounts of 2 and 1, which every supply of 20 or more allows.
    function _least() private pure returns (Configuration memory c) {
        c = SetLib.configuration();
        c.proposeConfig.lockAmount = 2;
        c.minimumVotes = 1;
    }

    function _newAsset(uint256 supply) private {
        bytes memory arguments = abi.encode("Asset", "AST", address(this), address(this), supply);
        asset = IAsset(vm.deployCode(SetLib.artifact("Asset"), arguments));
    }

    function _construct(Configuration memory c) private {
        governance = IGovernance(vm.deployCode(SetLib.artifact("Governance"), abi.encode(asset, proposals, c)));
        _same(governance.getConfiguration(), c);
    }

    /// @dev A tenth and half of the supply, rounded down; the least and the greatest of every field, one less and one more.
    function test_constructor_boundsAreExact() public {
        uint256[8] memory supplies = [uint256(20), 21, 29, 30, 31, 1e18 + 19, SUPPLY - 1, SUPPLY];
        for (uint256 i; i < supplies.length; ++i) {
            _newAsset(supplies[i]);
            for (uint256 j; j < FieldLibrary.COUNT; ++j) {
                Field field = Field(j);
                (bytes32 name, uint256 min, uint256 max) = _boundsOf(field, supplies[i]);
                Configuration memory c = _least();
                field.set(c, min);
                _construct(c);
                field.set(c, max);
                _construct(c);
                field.set(c, max + 1);
                _refuseConstruction(c, _outOfBounds(name, max + 1, min, max));
                if (min == 0) continue;
                field.set(c, min - 1);
                _refuseConstruction(c, _outOfBounds(name, min - 1, min, max));
            }
        }
    }

    /// @dev Whatever supply an asset reports, amounts fit 96 bits.
    function test_constructor_amountsAtTheirBounds() public {
        vm.mockCall(address(asset), abi.encodeCall(asset.totalSupply, ()), abi.encode(type(uint256).max));
        uint256 max = type(uint96).max;
        Configuration memory c = SetLib.configuration();
        c.proposeConfig.lockAmount = c.minimumVotes = max;
        _construct(c);
        bytes memory refusal = abi.encodeWithSelector(ICommon.ValueTooLarge.selector, max + 1, max);
        c.proposeConfig.lockAmount = max + 1;
        _refuseConstruction(c, refusal);
        (c.proposeConfig.lockAmount, c.minimumVotes) = (max, max + 1);
        _refuseConstruction(c, refusal);
    }

    /// @dev Below 20 units no lockAmount is within bounds.
    function testFuzz_constructor_refusesATinySupply(uint256 supply, uint256 lockAmount) public {
        supply = bound(supply, 1, 19);
        _newAsset(supply);
        Configuration memory c = _least();
        c.proposeConfig.lockAmount = lockAmount;
        _refuseConstruction(c, _outOfBounds("lockAmount", lockAmount, 2, supply / 10));
    }

    /// @dev Of several fields out of bounds the first is reported.
    function test_constructor_asksInTheOrderOfTheFields() public {
        for (uint256 first; first < FieldLibrary.COUNT; ++first) {
            Configuration memory c = SetLib.configuration();
            for (uint256 field = first; field < FieldLibrary.COUNT; ++field) {
                Field(field).set(c, type(uint256).max);
            }
            (bytes32 name, uint256 min, uint256 max) = _boundsOf(Field(first), SUPPLY);
            _refuseConstruction(c, _outOfBounds(name, type(uint256).max, min, max));
        }
    }
}
