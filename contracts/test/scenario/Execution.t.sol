// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {Action} from "canon/interfaces/IPayload.sol";
import {Box} from "../mocks/Box.sol";
import {ListPayload} from "../mocks/ListPayload.sol";
import {Reentrant} from "../mocks/Reentrant.sol";
import {Scenario} from "./Scenario.sol";

/// @notice Passed proposals whose execution goes wrong, or that use it to do more than was voted on.
contract ExecutionTest is Scenario {
    function _accepted(Action[] memory actions) internal returns (uint256 id) {
        id = _propose(address(new ListPayload(actions)));
        _toExecutable(id);
    }

    function _expectFailure(uint256 index, address target, bytes memory reason) internal {
        _expectRevert(abi.encodeWithSelector(IGovernance.Governance__ActionFailed.selector, index, target, reason));
    }

    /// @dev A payload made for another chain: its target has no code here.
    function testFuzz_execution_aTargetWithoutCodeIsRefused(address target, bytes memory data) public {
        vm.assume(target.code.length == 0);
        uint256 id = _accepted(_action(target, data));
        _expectRevert(abi.encodeWithSelector(IGovernance.Governance__ActionWithoutCode.selector, 0, target));
        governance.execute(id);
        _assertState(id, ProposalState.Executable);
    }

    function test_execution_aTargetThatIsADelegationIsRefused() public {
        address eoa = addressOf("delegating");
        vm.etch(eoa, abi.encodePacked(hex"ef0100", address(box)));
        uint256 id = _accepted(_action(eoa, abi.encodeCall(Box.set, (1))));
        _expectRevert(abi.encodeWithSelector(IGovernance.Governance__ActionWithoutCode.selector, 0, eoa));
        governance.execute(id);
    }

    /// @dev A target that an earlier action deploys has code when its turn comes.
    function test_execution_aTargetMayBeDeployedByAnEarlierAction() public {
        Factory factory = new Factory();
        address made = factory.next();
        Action[] memory actions = new Action[](2);
        actions[0] = Action(address(factory), abi.encodeCall(Factory.make, ()));
        actions[1] = Action(made, abi.encodeCall(Box.set, (5)));
        uint256 id = _accepted(actions);
        governance.execute(id);
        vm.assertEq(Box(made).value(), 5);
    }

    function test_execution_aTargetGoneSinceTheVoteIsRefusedAndBackAgainExecuted() public {
        uint256 id = _accepted(_setBox(1));
        bytes memory code = address(box).code;
        vm.etch(address(box), "");
        _expectRevert(abi.encodeWithSelector(IGovernance.Governance__ActionWithoutCode.selector, 0, address(box)));
        governance.execute(id);
        vm.etch(address(box), code);
        governance.execute(id);
    }

    function testFuzz_execution_theAssetIsNoTarget(bytes memory data, uint256 index) public {
        index = bound(index, 0, 2);
        Action[] memory actions = new Action[](3);
        for (uint256 i; i < 3; ++i) actions[i] = _setBox(i)[0];
        actions[index] = Action(address(asset), data);
        uint256 id = _accepted(actions);
        _expectRevert(abi.encodeWithSelector(IGovernance.Governance__ActionOnAsset.selector, index));
        governance.execute(id);
        vm.assertEq(box.calls(), 0);
    }

    function test_execution_holdersTokensCannotBeTakenByAnyRoute() public {
        // Approving or transferring needs a call on the Asset; a rollup's deposit needs an allowance that isn't there.
        bytes memory data =
            abi.encodeWithSignature("deposit(address,address,address,uint256)", alice, alice, alice, 2 * POWER);
        uint256 id = _accepted(_action(address(rollup), data));
        _expectFailure(
            0,
            address(rollup),
            abi.encodeWithSignature(
                "ERC20InsufficientAllowance(address,uint256,uint256)", address(rollup), 0, 2 * POWER
            )
        );
        governance.execute(id);
        vm.assertEq(asset.balanceOf(address(governance)), 2 * POWER);
    }

    function test_execution_aRevertIsReportedWithIndexTargetAndReasonAndUndoesAll() public {
        Box other = new Box();
        other.setRefuses(true);
        Action[] memory actions = new Action[](2);
        actions[0] = _setBox(1)[0];
        actions[1] = Action(address(other), abi.encodeCall(Box.set, (9)));
        uint256 id = _accepted(actions);
        _expectFailure(1, address(other), abi.encodeWithSelector(Box.Refused.selector, 9));
        governance.execute(id);
        vm.assertEq(box.calls(), 0);
        _assertState(id, ProposalState.Executable);
    }

    function testFuzz_execution_aRevertedOneIsRetriedWithinTheGracePeriod(uint256 wait) public {
        uint256 id = _accepted(_setBox(1));
        box.setRefuses(true);
        _expectFailure(0, address(box), abi.encodeWithSelector(Box.Refused.selector, 1));
        governance.execute(id);
        box.setRefuses(false);
        _to(_now() + bound(wait, 0, 2 hours));
        if (_now() > _lastExecutable(id)) {
            _expectRevert(
                abi.encodeWithSelector(IGovernance.Governance__NotExecutable.selector, id, ProposalState.Expired)
            );
        }
        governance.execute(id);
        vm.assertEq(box.calls(), _now() <= _lastExecutable(id) ? 1 : 0);
    }

    function test_execution_theLastSecondOfTheGracePeriodCounts() public {
        uint256 id = _accepted(_setBox(1));
        _to(_lastExecutable(id));
        uint256 snapshot = vm.snapshotState();
        governance.execute(id);
        vm.revertToState(snapshot);
        _to(_lastExecutable(id) + 1);
        _expectRevert(
            abi.encodeWithSelector(IGovernance.Governance__NotExecutable.selector, id, ProposalState.Expired)
        );
        governance.execute(id);
    }

    function test_execution_reenteringExecutesNothingTwice() public {
        Reentrant reentrant = new Reentrant();
        Action[] memory actions = new Action[](2);
        actions[0] = Action(address(reentrant), "poke");
        actions[1] = _setBox(1)[0];
        uint256 id = _propose(address(new ListPayload(actions)));
        reentrant.add(address(governance), abi.encodeCall(IGovernance.execute, (id)));
        reentrant.add(address(governance), abi.encodeCall(IGovernance.executeWith, (id, actions)));
        reentrant.add(address(governance), abi.encodeCall(IGovernance.dropProposal, (id)));
        reentrant.add(address(governance), abi.encodeCall(IGovernance.vote, (id, 1, true)));
        reentrant.add(
            address(governance), abi.encodeCall(IGovernance.updateConfiguration, (governance.getConfiguration()))
        );
        reentrant.add(
            address(governance), abi.encodeCall(IGovernance.updateGovernanceProposer, (address(reentrant)))
        );
        _toExecutable(id);
        governance.execute(id);

        bytes memory executed =
            abi.encodeWithSelector(IGovernance.Governance__NotExecutable.selector, id, ProposalState.Executed);
        bytes[6] memory expected = [
            executed,
            executed,
            abi.encodeWithSelector(IGovernance.Governance__NotDropped.selector, id, ProposalState.Executed),
            abi.encodeWithSelector(IGovernance.Governance__NotActive.selector, id, ProposalState.Executed),
            abi.encodeWithSelector(IGovernance.Governance__NotSelf.selector, address(reentrant)),
            abi.encodeWithSelector(IGovernance.Governance__NotSelf.selector, address(reentrant))
        ];
        vm.assertEq(reentrant.outcomes(), expected.length);
        for (uint256 i; i < expected.length; ++i) {
            (bool success, bytes memory answer) = reentrant.outcome(i);
            vm.assertFalse(success);
            vm.assertEq(answer, expected[i]);
        }
        vm.assertEq(box.calls(), 1);
    }

    function test_execution_ofAnotherProposalFromWithinCountsForBothOnce() public {
        uint256 inner = _propose(_boxPayload(1));
        Reentrant reentrant = new Reentrant();
        reentrant.add(address(governance), abi.encodeCall(IGovernance.execute, (inner)));
        uint256 outer = _propose(_payload(address(reentrant), "poke"));
        _accept(inner);
        _accept(outer);
        _to(_lastQueued(outer) + 1);
        governance.execute(outer);
        _assertState(inner, ProposalState.Executed);
        _assertState(outer, ProposalState.Executed);
        vm.assertEq(box.calls(), 1);
    }

    function test_execution_aProposalCannotExecuteItself() public {
        // Its own action on Governance: by then it is Executed, so the inner call fails and with it the whole.
        uint256 id = governance.proposalCount();
        id = _accepted(_action(address(governance), abi.encodeCall(IGovernance.execute, (id))));
        _expectFailure(
            0,
            address(governance),
            abi.encodeWithSelector(IGovernance.Governance__NotExecutable.selector, id, ProposalState.Executed)
        );
        governance.execute(id);
        _assertState(id, ProposalState.Executable);
    }

    function test_execution_carriesNoValue() public {
        Reentrant payable_ = new Reentrant();
        vm.deal(address(governance), 1 ether);
        uint256 id = _accepted(_action(address(payable_), "poke"));
        governance.execute(id);
        vm.assertEq(address(payable_).balance, 0);
        vm.assertEq(address(governance).balance, 1 ether);
    }

    function test_execution_governanceCanHandEverythingOverButNothingIsLostOnTheWay() public {
        // Two steps: until the new owner accepts, Governance stays in charge.
        address newOwner = address(0x4E1);
        address[2] memory owned = [address(registry), address(set.rewardDistributor)];
        Action[] memory actions = new Action[](2);
        for (uint256 i; i < 2; ++i) {
            actions[i] = Action(owned[i], abi.encodeCall(Ownable2Step.transferOwnership, (newOwner)));
        }
        governance.execute(_accepted(actions));
        for (uint256 i; i < 2; ++i) {
            vm.assertEq(Ownable2Step(owned[i]).owner(), address(governance));
            vm.assertEq(Ownable2Step(owned[i]).pendingOwner(), newOwner);
        }
        vm.assertEq(proposals.getGovernance(), address(governance));
    }

    function test_execution_renouncingIsRefused() public {
        address[4] memory owned =
            [address(registry), address(set.rewardDistributor), address(set.issuer), address(rollup)];
        for (uint256 i; i < owned.length; ++i) {
            uint256 id = _accepted(_action(owned[i], abi.encodeWithSignature("renounceOwnership()")));
            _expectFailure(0, owned[i], abi.encodeWithSignature("OwnershipCannotBeRenounced()"));
            governance.execute(id);
            vm.assertEq(Ownable2Step(owned[i]).owner(), address(governance));
        }
    }

    function test_execution_mintsAtTheBoundedRateOnly() public {
        uint256 id = _propose(_payload(address(set.issuer), abi.encodeWithSignature("mint(address,uint256)", bob, 1e24)));
        _toExecutable(id);
        uint256 available = set.issuer.mintAvailable();
        vm.assertLt(available, 1e24);
        _expectFailure(
            0,
            address(set.issuer),
            abi.encodeWithSignature("Issuer__InsufficientMintAvailable(uint256,uint256)", available, 1e24)
        );
        governance.execute(id);
        vm.assertEq(IERC20(address(asset)).totalSupply(), 1_000_000e18);
    }
}

/// @notice Deploys boxes at addresses known beforehand.
contract Factory {
    function next() external view returns (address) {
        bytes32 code = keccak256(type(Box).creationCode);
        return address(uint160(uint256(keccak256(abi.encodePacked(hex"ff", address(this), bytes32(0), code)))));
    }

    function make() external {
        new Box{salt: 0}();
    }
}
