// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {Set, SetLib} from "../Set.sol";
import {Test} from "../Test.sol";

contract SetTest is Test {
    Set internal set;

    function setUp() public {
        vm.warp(1_750_000_000);
        set = SetLib.deploy(address(0xA11CE));
    }

    function test_theDeployerKeepsNothing() public view {
        address[5] memory owned = [
            address(set.registry),
            address(set.issuer),
            address(set.rewardDistributor),
            address(set.rollup),
            address(set.asset)
        ];
        for (uint256 i; i < owned.length; ++i) {
            address owner = owned[i] == address(set.asset) ? address(set.issuer) : address(set.governance);
            vm.assertEq(Ownable2Step(owned[i]).owner(), owner);
            vm.assertEq(Ownable2Step(owned[i]).pendingOwner(), address(0));
        }
        vm.assertEq(set.proposals.getGovernance(), address(set.governance));
        vm.assertEq(set.governance.governanceProposer(), address(set.proposals));
        vm.assertEq(set.registry.getRollup(), address(set.rollup));
    }
}
