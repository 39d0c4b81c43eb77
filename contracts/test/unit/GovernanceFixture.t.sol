// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IAsset} from "canon/interfaces/IAsset.sol";
import {Configuration, IGovernance, Proposal, ProposalState} from "canon/interfaces/IGovernance.sol";
import {Action} from "canon/interfaces/IPayload.sol";
import {SetLib} from "../Set.sol";
import {Test} from "../Test.sol";
import {Box} from "../mocks/Box.sol";
import {ListPayload} from "../mocks/ListPayload.sol";

/// @notice Governance with its asset and a Proposals contract, without rollups. All of the asset's possible supply
/// exists and belongs to the test.
abstract contract GovernanceFixture is Test {
    uint256 internal constant START = 1_750_000_000;
    uint256 internal constant SUPPLY = type(uint96).max;
    /// @dev Enough for the quorum, whatever the others lock in a test.
    uint256 internal constant MAJORITY = 100_000_000e18;

    IAsset internal asset;
    IGovernance internal governance;
    address internal proposals;
    Box internal box;

    address internal majority;

    function setUp() public virtual {
        vm.warp(START);
        majority = addressOf("majority");
        box = new Box();
        _deploy(SetLib.configuration());
    }

    function _deploy(Configuration memory c) internal {
        asset = IAsset(
            vm.deployCode(
                SetLib.artifact("Asset"), abi.encode("Asset", "AST", address(this), address(this), SUPPLY)
            )
        );
        proposals = _newProposals();
        governance = IGovernance(vm.deployCode(SetLib.artifact("Governance"), abi.encode(asset, proposals, c)));
        asset.approve(address(governance), type(uint256).max);
    }

    /// @notice A Proposals contract of its own address.
    function _newProposals() internal returns (address) {
        address registry = vm.deployCode(SetLib.artifact("Registry"), abi.encode(address(this)));
        return vm.deployCode(SetLib.artifact("Proposals"), abi.encode(registry, SetLib.N, SetLib.M));
    }

    /*//////////////////////////////////////////////////////////////
                            CONFIGURATIONS
    //////////////////////////////////////////////////////////////*/

    /// @notice Any configuration that is allowed at construction.
    function _allowed(Configuration memory c) internal pure returns (Configuration memory) {
        c.proposeConfig.lockDelay = bound(c.proposeConfig.lockDelay, 60, 365 days);
        c.proposeConfig.lockAmount = bound(c.proposeConfig.lockAmount, 2, SUPPLY / 10);
        c.votingDelay = bound(c.votingDelay, 60, 90 days);
        c.votingDuration = bound(c.votingDuration, 60, 90 days);
        c.executionDelay = bound(c.executionDelay, 60, 90 days);
        c.gracePeriod = bound(c.gracePeriod, 60, 90 days);
        c.quorum = bound(c.quorum, 1, 0.9e18);
        c.voteDifferential = bound(c.voteDifferential, 0, 0.9e18);
        c.minimumVotes = bound(c.minimumVotes, 1, SUPPLY / 2);
        return c;
    }

    /// @notice Any configuration that is allowed at a change now. `c` itself is changed.
    function _changeable(Configuration memory c) internal view returns (Configuration memory) {
        c = _allowed(c);
        c.proposeConfig.lockAmount = bound(c.proposeConfig.lockAmount, 2, _maxLockAmount());
        c.minimumVotes = bound(c.minimumVotes, 1, _maxMinimumVotes());
        return c;
    }

    /// @notice The greatest lockAmount that a change may set now: what is in force, or a tenth of all power.
    function _maxLockAmount() internal view returns (uint256) {
        uint256 inForce = governance.getConfiguration().proposeConfig.lockAmount;
        return inForce > _totalPower() / 10 ? inForce : _totalPower() / 10;
    }

    /// @notice The greatest minimumVotes that a change may set now: what is in force, or half of all power.
    function _maxMinimumVotes() internal view returns (uint256) {
        uint256 inForce = governance.getConfiguration().minimumVotes;
        return inForce > _totalPower() / 2 ? inForce : _totalPower() / 2;
    }

    /// @notice Any allowed delays with conditions that `MAJORITY` meets.
    function _passable(Configuration memory c) internal pure returns (Configuration memory) {
        c = _allowed(c);
        c.proposeConfig.lockAmount = bound(c.proposeConfig.lockAmount, 2, 1000e18);
        c.minimumVotes = bound(c.minimumVotes, 1, 1000e18);
        return c;
    }

    /// @notice The delay between giving power up and holding the asset again, without a floor.
    function _exitDelay(Configuration memory c) internal pure returns (uint256) {
        return c.votingDelay / 5 + c.votingDuration + c.executionDelay;
    }

    /// @notice Configures as a passed proposal would.
    function _configure(Configuration memory c) internal {
        vm.prank(address(governance));
        governance.updateConfiguration(c);
    }

    /// @notice Makes `newProposals` the governance proposer, as a passed proposal would.
    function _setProposer(address newProposals) internal {
        vm.prank(address(governance));
        governance.updateGovernanceProposer(newProposals);
        proposals = newProposals;
    }

    function _same(Configuration memory left, Configuration memory right) internal pure {
        vm.assertEq(abi.encode(left), abi.encode(right), "configuration");
    }

    /*//////////////////////////////////////////////////////////////
                                POWER
    //////////////////////////////////////////////////////////////*/

    /// @notice `who` gets and locks `amount`.
    function _lock(address who, uint256 amount) internal {
        governance.deposit(who, amount);
    }

    function _power(address who) internal view returns (uint256) {
        return governance.powerAt(who, vm.getBlockTimestamp());
    }

    function _totalPower() internal view returns (uint256) {
        return governance.totalPowerAt(vm.getBlockTimestamp());
    }

    /// @notice A fuzzed account that has no other role.
    function _stranger(address who) internal view {
        vm.assume(who != address(0) && who.code.length == 0 && uint160(who) > 0x1ff);
        vm.assume(who != address(this) && who != majority && who != address(vm));
    }

    /*//////////////////////////////////////////////////////////////
                               PROPOSALS
    //////////////////////////////////////////////////////////////*/

    function _one(address target, bytes memory data) internal pure returns (Action[] memory actions) {
        actions = new Action[](1);
        actions[0] = Action(target, data);
    }

    /// @notice The first few of a fuzzed list, which may be long.
    function _few(Action[] memory actions) internal pure returns (Action[] memory) {
        assembly ("memory-safe") {
            if gt(mload(actions), 6) { mstore(actions, 6) }
        }
        return actions;
    }

    /// @notice An action that sets the box.
    function _boxAction(uint256 value) internal view returns (Action[] memory) {
        return _one(address(box), abi.encodeCall(Box.set, (value)));
    }

    function _list(Action[] memory actions) internal returns (address) {
        return address(new ListPayload(actions));
    }

    /// @notice A payload that sets the box.
    function _payload() internal returns (address) {
        return _list(_boxAction(1));
    }

    /// @notice `payload` pushed by the governance proposer.
    function _push(address payload) internal returns (uint256 id) {
        id = governance.proposalCount();
        _pushOnly(payload);
    }

    /// @notice The bare push, for a refusal to be expected of it.
    function _pushOnly(address payload) internal {
        vm.prank(proposals);
        governance.propose(payload);
    }

    /// @notice `payload` through the lock, for an account that exists for this only.
    function _pushByLock(address payload) internal returns (uint256 id) {
        id = governance.proposalCount();
        address locker = address(uint160(uint256(keccak256(abi.encode("locker", id)))));
        _lock(locker, governance.getConfiguration().proposeConfig.lockAmount);
        vm.prank(locker);
        governance.proposeWithLock(payload, locker);
    }

    /// @notice The last seconds of Pending, Active, Queued and Executable.
    function _ends(uint256 id) internal view returns (uint256[4] memory ends) {
        Proposal memory p = governance.getProposal(id);
        ends[0] = p.creation + p.config.votingDelay;
        ends[1] = ends[0] + p.config.votingDuration;
        ends[2] = ends[1] + p.config.executionDelay;
        ends[3] = ends[2] + p.config.gracePeriod;
    }

    function _lastPending(uint256 id) internal view returns (uint256) {
        return _ends(id)[0];
    }

    /// @notice Makes the majority exist, if it doesn't, to vote on what is proposed now.
    function _arm() internal {
        if (_power(majority) < MAJORITY) _lock(majority, MAJORITY);
    }

    function _approve(uint256 id) internal {
        vm.warp(_lastPending(id) + 1);
        vm.prank(majority);
        governance.vote(id, MAJORITY, true);
    }

    /// @notice A pushed proposal, accepted, in its first executable second.
    function _passed(address payload) internal returns (uint256 id) {
        _arm();
        id = _push(payload);
        _approve(id);
        vm.warp(_ends(id)[2] + 1);
    }

    function _state(uint256 id, ProposalState expected) internal view {
        vm.assertEq(uint256(governance.getProposalState(id)), uint256(expected), "state");
    }

    function _state(uint256 id, ProposalState expected, string memory what) internal view {
        vm.assertEq(uint256(governance.getProposalState(id)), uint256(expected), what);
    }

    /*//////////////////////////////////////////////////////////////
                                REFUSALS
    //////////////////////////////////////////////////////////////*/

    function _refuse(bytes4 selector) internal {
        vm.expectRevert(abi.encodeWithSelector(selector));
    }

    function _refuseState(bytes4 selector, uint256 id, ProposalState state) internal {
        vm.expectRevert(abi.encodeWithSelector(selector, id, state));
    }

    function _refusePower(address who, uint256 available, uint256 needed) internal {
        vm.expectRevert(
            abi.encodeWithSelector(IGovernance.Governance__InsufficientPower.selector, who, available, needed)
        );
    }

    function _refuseUnknown(uint256 id) internal {
        vm.expectRevert(
            abi.encodeWithSelector(
                IGovernance.Governance__UnknownProposal.selector, id, governance.proposalCount()
            )
        );
    }
}
