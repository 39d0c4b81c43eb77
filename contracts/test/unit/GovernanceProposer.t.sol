// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {ICommon} from "canon/interfaces/ICommon.sol";
import {Configuration, IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {SetLib} from "../Set.sol";
import {Delegation} from "../mocks/Delegation.sol";
import {Deployer} from "../mocks/Deployer.sol";
import {Reentrant} from "../mocks/Reentrant.sol";
import {GovernanceFixture} from "./GovernanceFixture.t.sol";

/// @notice The governance proposer (the Proposals contract whose pushes Governance takes), and what Governance owns.
contract GovernanceProposerTest is GovernanceFixture {
    function _refuseProposer(address proposer) private {
        vm.expectRevert(
            abi.encodeWithSelector(IGovernance.Governance__InvalidGovernanceProposer.selector, proposer)
        );
    }

    function _refuseNoCode(address account) private {
        vm.expectRevert(abi.encodeWithSelector(ICommon.NoCode.selector, account));
    }

    function testFuzz_updateGovernanceProposer_takesAnyOtherContract(uint256 times) public {
        times = bound(times, 1, 5);
        for (uint256 i; i < times; ++i) {
            address next = _newProposals();
            vm.expectEmit(address(governance));
            emit IGovernance.GovernanceProposerUpdated(next);
            _setProposer(next);
            vm.assertEq(governance.governanceProposer(), next);
            vm.assertEq(_push(_payload()), i);
        }
    }

    function testFuzz_updateGovernanceProposer_isForGovernanceOnly(address caller, address next) public {
        vm.assume(caller != address(governance));
        vm.expectRevert(abi.encodeWithSelector(IGovernance.Governance__NotSelf.selector, caller));
        vm.prank(caller);
        governance.updateGovernanceProposer(next);
    }

    function test_updateGovernanceProposer_isNotForTheProposalsContract() public {
        address next = _newProposals();
        vm.expectRevert(abi.encodeWithSelector(IGovernance.Governance__NotSelf.selector, proposals));
        vm.prank(proposals);
        governance.updateGovernanceProposer(next);
    }

    function testFuzz_updateGovernanceProposer_refusesThePresentOne(uint256 times) public {
        // Also the one of the construction.
        times = bound(times, 0, 3);
        for (uint256 i; i < times; ++i) {
            _setProposer(_newProposals());
        }
        _refuseProposer(proposals);
        vm.prank(address(governance));
        governance.updateGovernanceProposer(proposals);
    }

    function test_updateGovernanceProposer_refusesGovernanceItself() public {
        _refuseProposer(address(governance));
        vm.prank(address(governance));
        governance.updateGovernanceProposer(address(governance));
    }

    function testFuzz_updateGovernanceProposer_refusesAnAddressWithoutCode(address next) public {
        _stranger(next);
        _refuseNoCode(next);
        vm.prank(address(governance));
        governance.updateGovernanceProposer(next);
    }

    function testFuzz_updateGovernanceProposer_refusesADelegation(address next) public {
        _stranger(next);
        Delegation.set(next, proposals);
        _refuseNoCode(next);
        vm.prank(address(governance));
        governance.updateGovernanceProposer(next);
    }

    function testFuzz_updateGovernanceProposer_byAProposal(bool byLock) public {
        address next = _newProposals();
        _arm();
        bytes memory data = abi.encodeCall(IGovernance.updateGovernanceProposer, (next));
        address payload = _list(_one(address(governance), data));
        uint256 id = byLock ? _pushByLock(payload) : _push(payload);
        _approve(id);
        vm.warp(_ends(id)[2] + 1);
        governance.execute(id);
        vm.assertEq(governance.governanceProposer(), next);
        _state(id, ProposalState.Executed);
    }

    function testFuzz_constructor_refusesAProposalsContractWithoutCode(address account, bool delegated) public {
        _stranger(account);
        if (delegated) Delegation.set(account, proposals);
        Deployer deployer = new Deployer();
        bytes memory code = vm.getCode(SetLib.artifact("Governance"));
        _refuseNoCode(account);
        deployer.deploy(code, abi.encode(asset, account, SetLib.configuration()));
    }

    function testFuzz_constructor_refusesAnAssetWithoutCode(address account, bool delegated) public {
        _stranger(account);
        if (delegated) Delegation.set(account, address(asset));
        Deployer deployer = new Deployer();
        bytes memory code = vm.getCode(SetLib.artifact("Governance"));
        _refuseNoCode(account);
        deployer.deploy(code, abi.encode(account, proposals, SetLib.configuration()));
    }

    /// @dev Its own address is known before it exists.
    function test_constructor_refusesItselfAsProposals() public {
        Deployer deployer = new Deployer();
        bytes memory code = vm.getCode(SetLib.artifact("Governance"));
        // The address of a contract's first creation (nonce 1).
        address itself =
            address(uint160(uint256(keccak256(abi.encodePacked(hex"d694", address(deployer), hex"01")))));
        _refuseProposer(itself);
        deployer.deploy(code, abi.encode(asset, itself, SetLib.configuration()));
    }

    /*//////////////////////////////////////////////////////////////
                               OWNERSHIP
    //////////////////////////////////////////////////////////////*/

    /// @dev Something to be owned, offered to `to` by this contract.
    function _offered(address to) private returns (address target) {
        target = vm.deployCode(SetLib.artifact("Registry"), abi.encode(address(this)));
        Ownable2Step(target).transferOwnership(to);
    }

    function testFuzz_acceptOwnership_byAnyone(address anyone) public {
        address target = _offered(address(governance));
        vm.expectEmit(target);
        emit Ownable.OwnershipTransferred(address(this), address(governance));
        vm.prank(anyone);
        governance.acceptOwnership(target);
        vm.assertEq(Ownable2Step(target).owner(), address(governance));
        vm.assertEq(Ownable2Step(target).pendingOwner(), address(0));
    }

    function testFuzz_acceptOwnership_ofWhatWasOfferedToSomebodyElse(address anyone, address other) public {
        vm.assume(other != address(governance));
        address target = _offered(other);
        vm.expectRevert(
            abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, address(governance))
        );
        vm.prank(anyone);
        governance.acceptOwnership(target);
        vm.assertEq(Ownable2Step(target).owner(), address(this));
    }

    function testFuzz_acceptOwnership_refusesAnAddressWithoutCode(address target) public {
        _stranger(target);
        _refuseNoCode(target);
        governance.acceptOwnership(target);
    }

    function testFuzz_acceptOwnership_doesNothingElse(address anyone) public {
        Reentrant target = new Reentrant();
        vm.expectCall(address(target), abi.encodeCall(Ownable2Step.acceptOwnership, ()), 1);
        vm.prank(anyone);
        governance.acceptOwnership(address(target));
    }

    /// @dev A hostile target is called by Governance and gets no rights by that.
    function testFuzz_acceptOwnership_aHostileTargetGainsNothing(address next, Configuration memory c) public {
        Reentrant target = new Reentrant();
        target.add(address(governance), abi.encodeCall(IGovernance.updateGovernanceProposer, (next)));
        target.add(address(governance), abi.encodeCall(IGovernance.updateConfiguration, (c)));
        target.add(address(governance), abi.encodeCall(IGovernance.propose, (_payload())));
        governance.acceptOwnership(address(target));
        bytes memory notSelf = abi.encodeWithSelector(IGovernance.Governance__NotSelf.selector, target);
        bytes memory notProposer = abi.encodeWithSelector(
            IGovernance.Governance__NotGovernanceProposer.selector, target, proposals
        );
        for (uint256 i; i < 3; ++i) {
            (bool success, bytes memory answer) = target.outcome(i);
            vm.assertFalse(success);
            vm.assertEq(answer, i < 2 ? notSelf : notProposer);
        }
        vm.assertEq(governance.governanceProposer(), proposals);
    }
}
