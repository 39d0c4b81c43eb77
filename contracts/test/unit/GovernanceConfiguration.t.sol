// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IAsset} from "canon/interfaces/IAsset.sol";
import {Configuration, IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {SetLib} from "../Set.sol";
import {Deployer} from "../mocks/Deployer.sol";
import {GovernanceFixture} from "./GovernanceFixture.t.sol";

/// @notice What a configuration may be, and how it changes.
contract GovernanceConfigurationTest is GovernanceFixture {
    uint256 private constant FIELDS = 9;

    /// @dev The name of field number `field` and its bounds, with `supply` of the asset.
    function _bounds(uint256 field, uint256 supply) private pure returns (bytes32 name, uint256 min, uint256 max) {
        if (field == 0) return ("lockDelay", 60, type(uint32).max);
        if (field == 1) return ("lockAmount", 2, supply);
        if (field == 2) return ("votingDelay", 60, 90 days);
        if (field == 3) return ("votingDuration", 60, 90 days);
        if (field == 4) return ("executionDelay", 60, 90 days);
        if (field == 5) return ("gracePeriod", 60, 90 days);
        if (field == 6) return ("quorum", 1, 1e18);
        if (field == 7) return ("voteDifferential", 0, 1e18);
        return ("minimumVotes", 1, supply);
    }

    function _set(Configuration memory c, uint256 field, uint256 value) private pure {
        if (field == 0) c.proposeConfig.lockDelay = value;
        else if (field == 1) c.proposeConfig.lockAmount = value;
        else if (field == 2) c.votingDelay = value;
        else if (field == 3) c.votingDuration = value;
        else if (field == 4) c.executionDelay = value;
        else if (field == 5) c.gracePeriod = value;
        else if (field == 6) c.quorum = value;
        else if (field == 7) c.voteDifferential = value;
        else c.minimumVotes = value;
    }

    function _outOfBounds(bytes32 name, uint256 value, uint256 min, uint256 max) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IGovernance.Governance__OutOfBounds.selector, name, value, min, max);
    }

    /// @dev Beyond one of the bounds; voteDifferential has no lower one.
    function _outside(uint256 seed, bool above, uint256 min, uint256 max) private pure returns (uint256) {
        return above || min == 0 ? bound(seed, max + 1, type(uint256).max) : bound(seed, 0, min - 1);
    }

    function _refuseOutside(uint256 field, uint256 seed, bool above, Configuration memory c) private {
        (bytes32 name, uint256 min, uint256 max) = _bounds(field, SUPPLY);
        uint256 value = _outside(seed, above, min, max);
        _set(c, field, value);
        vm.expectRevert(_outOfBounds(name, value, min, max));
        vm.prank(address(governance));
        governance.updateConfiguration(c);
        _same(governance.getConfiguration(), SetLib.configuration());
    }

    function testFuzz_updateConfiguration_takesWhateverIsAllowed(Configuration memory c, uint24 gap) public {
        c = _allowed(c);
        skip(gap);
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

    function test_updateConfiguration_takesEveryBound() public {
        for (uint256 field; field < FIELDS; ++field) {
            (, uint256 min, uint256 max) = _bounds(field, SUPPLY);
            Configuration memory c = SetLib.configuration();
            _set(c, field, min);
            _configure(c);
            _same(governance.getConfiguration(), c);
            _set(c, field, max);
            _configure(c);
            _same(governance.getConfiguration(), c);
        }
    }

    function test_updateConfiguration_refusesOneBeyondEveryBound() public {
        for (uint256 field; field < FIELDS; ++field) {
            (bytes32 name, uint256 min, uint256 max) = _bounds(field, SUPPLY);
            Configuration memory c = SetLib.configuration();
            if (min != 0) {
                _set(c, field, min - 1);
                vm.expectRevert(_outOfBounds(name, min - 1, min, max));
                vm.prank(address(governance));
                governance.updateConfiguration(c);
            }
            _set(c, field, max + 1);
            vm.expectRevert(_outOfBounds(name, max + 1, min, max));
            vm.prank(address(governance));
            governance.updateConfiguration(c);
        }
        vm.assertEq(governance.numberOfConfigurations(), 1);
    }

    function testFuzz_updateConfiguration_lockDelayBounds(uint256 value, bool above) public {
        _refuseOutside(0, value, above, SetLib.configuration());
    }

    function testFuzz_updateConfiguration_lockAmountBounds(uint256 value, bool above) public {
        _refuseOutside(1, value, above, SetLib.configuration());
    }

    function testFuzz_updateConfiguration_votingDelayBounds(uint256 value, bool above) public {
        _refuseOutside(2, value, above, SetLib.configuration());
    }

    function testFuzz_updateConfiguration_votingDurationBounds(uint256 value, bool above) public {
        _refuseOutside(3, value, above, SetLib.configuration());
    }

    function testFuzz_updateConfiguration_executionDelayBounds(uint256 value, bool above) public {
        _refuseOutside(4, value, above, SetLib.configuration());
    }

    function testFuzz_updateConfiguration_gracePeriodBounds(uint256 value, bool above) public {
        _refuseOutside(5, value, above, SetLib.configuration());
    }

    function testFuzz_updateConfiguration_quorumBounds(uint256 value, bool above) public {
        _refuseOutside(6, value, above, SetLib.configuration());
    }

    function testFuzz_updateConfiguration_voteDifferentialBounds(uint256 value) public {
        _refuseOutside(7, value, true, SetLib.configuration());
    }

    function testFuzz_updateConfiguration_minimumVotesBounds(uint256 value, bool above) public {
        _refuseOutside(8, value, above, SetLib.configuration());
    }

    /// @dev Whatever the other fields are.
    function testFuzz_updateConfiguration_refusesAnyFieldOutside(
        Configuration memory c,
        uint256 field,
        uint256 value,
        bool above
    ) public {
        _refuseOutside(field % FIELDS, value, above, _allowed(c));
    }

    function testFuzz_updateConfiguration_boundsAmountsByTheSupplyOfTheMoment(
        uint256 supply,
        uint256 minted,
        uint256 value,
        bool lock
    ) public {
        supply = bound(supply, 1000e18, SUPPLY / 2);
        minted = bound(minted, 1, SUPPLY / 2);
        value = bound(value, supply + 1, supply + minted);
        asset = IAsset(
            vm.deployCode(
                SetLib.artifact("Asset"), abi.encode("Asset", "AST", address(this), address(this), supply)
            )
        );
        Configuration memory c = SetLib.configuration();
        governance = IGovernance(vm.deployCode(SetLib.artifact("Governance"), abi.encode(asset, proposals, c)));
        _set(c, lock ? 1 : 8, value);
        bytes memory refusal =
            lock ? _outOfBounds("lockAmount", value, 2, supply) : _outOfBounds("minimumVotes", value, 1, supply);
        vm.expectRevert(refusal);
        vm.prank(address(governance));
        governance.updateConfiguration(c);
        asset.mint(address(this), minted);
        _configure(c);
        _same(governance.getConfiguration(), c);
    }

    function testFuzz_updateConfiguration_isForGovernanceOnly(address caller, Configuration memory c) public {
        vm.assume(caller != address(governance));
        vm.expectRevert(abi.encodeWithSelector(IGovernance.Governance__NotSelf.selector, caller));
        vm.prank(caller);
        governance.updateConfiguration(c);
    }

    function testFuzz_updateConfiguration_byAProposal(Configuration memory c) public {
        c = _allowed(c);
        bytes memory data = abi.encodeCall(IGovernance.updateConfiguration, (c));
        uint256 id = _passed(_list(_one(address(governance), data)));
        governance.execute(id);
        _same(governance.getConfiguration(), c);
        _same(governance.getProposal(id).config, SetLib.configuration());
        _state(id, ProposalState.Executed);
    }

    function testFuzz_updateConfiguration_aRefusalIsTheActionsReason(uint256 field, uint256 value, bool above) public {
        field %= FIELDS;
        (bytes32 name, uint256 min, uint256 max) = _bounds(field, SUPPLY);
        Configuration memory c = SetLib.configuration();
        value = _outside(value, above, min, max);
        _set(c, field, value);
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

    function testFuzz_configurationAt_keepsAll(Configuration[] memory list) public {
        uint256 count = list.length > 8 ? 8 : list.length;
        for (uint256 i; i < count; ++i) {
            list[i] = _allowed(list[i]);
            _configure(list[i]);
        }
        vm.assertEq(governance.numberOfConfigurations(), count + 1);
        _same(governance.configurationAt(0), SetLib.configuration());
        for (uint256 i; i < count; ++i) {
            _same(governance.configurationAt(i + 1), list[i]);
        }
    }

    function testFuzz_configurationAt_refusesUnknownIds(uint256 id, uint8 changes) public {
        uint256 count = 1 + changes % 4;
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
        uint256 field,
        uint256 value,
        bool above
    ) public {
        c = _allowed(c);
        field %= FIELDS;
        (bytes32 name, uint256 min, uint256 max) = _bounds(field, SUPPLY);
        value = _outside(value, above, min, max);
        _set(c, field, value);
        Deployer deployer = new Deployer();
        bytes memory code = vm.getCode(SetLib.artifact("Governance"));
        vm.expectRevert(_outOfBounds(name, value, min, max));
        deployer.deploy(code, abi.encode(asset, proposals, c));
    }
}
