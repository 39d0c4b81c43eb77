// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IAsset} from "canon/interfaces/IAsset.sol";
import {ICommon} from "canon/interfaces/ICommon.sol";
import {IIssuer} from "canon/interfaces/IIssuer.sol";
import {Set, SetLib} from "../Set.sol";
import {Test} from "../Test.sol";
import {Deployer} from "../mocks/Deployer.sol";

contract IssuerTest is Test {
    uint256 internal constant START = 1_750_000_000;
    uint256 internal constant YEAR = 365 days;

    Set internal set;
    IIssuer internal issuer;
    address internal governance;

    function setUp() public {
        vm.warp(START);
        set = SetLib.deploy(address(this));
        issuer = set.issuer;
        governance = address(set.governance);
    }

    function _deploy(uint256 rate) internal returns (IIssuer) {
        return IIssuer(vm.deployCode(SetLib.artifact("Issuer"), abi.encode(set.asset, rate, governance)));
    }

    function testFuzz_constructor_keepsItsArguments(uint256 rate, uint256 time) public {
        rate = bound(rate, 0, type(uint96).max);
        time = bound(time, START, type(uint40).max);
        vm.warp(time);
        Deployer deployer = new Deployer();
        bytes memory code = vm.getCode(SetLib.artifact("Issuer"));
        vm.expectEmit();
        emit IIssuer.IssuerDeployed(address(set.asset), rate);
        IIssuer deployed = IIssuer(deployer.deploy(code, abi.encode(set.asset, rate, governance)));
        vm.assertEq(deployed.RATE(), rate);
        vm.assertEq(address(deployed.ASSET()), address(set.asset));
        vm.assertEq(deployed.timeOfLastMint(), time);
        vm.assertEq(deployed.mintAvailable(), 0);
        vm.assertEq(Ownable(address(deployed)).owner(), governance);
    }

    function testFuzz_constructor_refusesARateThatDoesNotFit(uint256 rate) public {
        rate = bound(rate, uint256(type(uint96).max) + 1, type(uint256).max);
        Deployer deployer = new Deployer();
        bytes memory code = vm.getCode(SetLib.artifact("Issuer"));
        vm.expectRevert(abi.encodeWithSelector(ICommon.ValueTooLarge.selector, rate, type(uint96).max));
        deployer.deploy(code, abi.encode(set.asset, rate, governance));
    }

    /// @dev Seconds that count: those since the last mint, a year at most.
    function _counted(uint256 elapsed) internal pure returns (uint256) {
        return elapsed < YEAR ? elapsed : YEAR;
    }

    function testFuzz_mintAvailable_isRateTimesSecondsSinceTheLastMint(uint256 rate, uint256 first, uint256 second)
        public
    {
        rate = bound(rate, 1, 1e20);
        first = bound(first, 1, 1000 days);
        second = bound(second, 0, 1000 days);
        IIssuer fresh = _deploy(rate);
        _handAssetTo(fresh);
        vm.warp(START + first);
        vm.assertEq(fresh.mintAvailable(), rate * _counted(first));
        vm.prank(governance);
        fresh.mint(address(1), 1);
        vm.assertEq(fresh.mintAvailable(), 0);
        vm.warp(START + first + second);
        vm.assertEq(fresh.mintAvailable(), rate * _counted(second));
    }

    /// @dev To the second: what wasn't minted in a year doesn't add up, so a quiet decade doesn't make one mint a
    /// decade's.
    function test_mintAvailable_growsForAYear() public {
        vm.assertEq(issuer.ACCRUAL_LIMIT(), YEAR);
        uint256[6] memory elapsed = [uint256(0), 1, YEAR - 1, YEAR, YEAR + 1, 10 * YEAR];
        for (uint256 i; i < elapsed.length; ++i) {
            uint256 snapshot = vm.snapshotState();
            uint256 available = SetLib.RATE * (elapsed[i] < YEAR ? elapsed[i] : YEAR);
            vm.warp(START + elapsed[i]);
            vm.assertEq(issuer.mintAvailable(), available);
            vm.startPrank(governance);
            vm.expectRevert(
                abi.encodeWithSelector(
                    IIssuer.Issuer__InsufficientMintAvailable.selector, available, available + 1
                )
            );
            issuer.mint(address(this), available + 1);
            if (available != 0) issuer.mint(address(this), available);
            vm.assertEq(issuer.mintAvailable(), 0);
            // The mint begins another year.
            vm.warp(vm.getBlockTimestamp() + YEAR - 1);
            if (available != 0) vm.assertEq(issuer.mintAvailable(), SetLib.RATE * (YEAR - 1));
            vm.warp(vm.getBlockTimestamp() + 2);
            vm.assertEq(issuer.mintAvailable(), SetLib.RATE * YEAR);
            vm.stopPrank();
            vm.revertToState(snapshot);
        }
    }

    /// @dev The greatest rate times a year fits; it is the supply that doesn't bear it.
    function test_mintAvailable_atTheGreatestRate() public {
        IIssuer fresh = _deploy(type(uint96).max);
        vm.warp(START + 100 * YEAR);
        vm.assertEq(fresh.mintAvailable(), uint256(type(uint96).max) * YEAR);
        Deployer deployer = new Deployer();
        bytes memory code = vm.getCode(SetLib.artifact("Issuer"));
        vm.expectRevert(abi.encodeWithSelector(ICommon.ValueTooLarge.selector, 2 ** 96, type(uint96).max));
        deployer.deploy(code, abi.encode(set.asset, 2 ** 96, governance));
    }

    function testFuzz_mint_onlyByGovernance(address caller, uint256 amount) public {
        vm.assume(caller != governance);
        skip(1 days);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, caller));
        issuer.mint(caller, amount);
    }

    function testFuzz_mint_upToTheAllowance(address to, uint256 elapsed, uint256 amount) public {
        vm.assume(to != address(0) && to != address(this));
        elapsed = bound(elapsed, 1, 10_000 days);
        amount = bound(amount, 1, SetLib.RATE * _counted(elapsed));
        vm.warp(START + elapsed);
        vm.expectEmit(address(issuer));
        emit IIssuer.Minted(to, amount);
        vm.prank(governance);
        issuer.mint(to, amount);
        vm.assertEq(set.asset.balanceOf(to), amount);
        vm.assertEq(set.asset.totalSupply(), SetLib.SUPPLY + amount);
        vm.assertEq(issuer.timeOfLastMint(), START + elapsed);
    }

    function testFuzz_mint_refusesMoreThanTheAllowance(uint256 elapsed, uint256 amount) public {
        elapsed = bound(elapsed, 0, 10_000 days);
        uint256 available = SetLib.RATE * _counted(elapsed);
        amount = bound(amount, available + 1, type(uint256).max);
        vm.warp(START + elapsed);
        vm.prank(governance);
        vm.expectRevert(
            abi.encodeWithSelector(IIssuer.Issuer__InsufficientMintAvailable.selector, available, amount)
        );
        issuer.mint(address(this), amount);
    }

    function testFuzz_mint_losesTheUnusedAllowance(uint256 elapsed, uint256 amount) public {
        elapsed = bound(elapsed, 2, 10_000 days);
        amount = bound(amount, 1, SetLib.RATE * _counted(elapsed) - 1);
        vm.warp(START + elapsed);
        vm.startPrank(governance);
        issuer.mint(address(this), amount);
        vm.expectRevert(abi.encodeWithSelector(IIssuer.Issuer__InsufficientMintAvailable.selector, 0, 1));
        issuer.mint(address(this), 1);
    }

    function testFuzz_mint_refusesNothing(uint256 elapsed) public {
        elapsed = bound(elapsed, 0, 10_000 days);
        vm.warp(START + elapsed);
        vm.prank(governance);
        vm.expectRevert(IIssuer.Issuer__ZeroAmount.selector);
        issuer.mint(address(this), 0);
        vm.assertEq(issuer.timeOfLastMint(), START);
    }

    function testFuzz_mint_neverExceedsRateTimesTime(uint256 seed) public {
        uint256 minted;
        for (uint256 i; i < 12; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            skip(seed % (seed >> 64 & 3 == 0 ? 3 * YEAR : 30 days));
            uint256 available = issuer.mintAvailable();
            uint256 amount = (seed >> 128) % (available + 1);
            if (amount == 0) continue;
            vm.prank(governance);
            issuer.mint(address(this), amount);
            minted += amount;
            vm.assertLe(amount, SetLib.RATE * YEAR);
            vm.assertLe(minted, SetLib.RATE * (vm.getBlockTimestamp() - START));
        }
        vm.assertEq(set.asset.totalSupply(), SetLib.SUPPLY + minted);
    }

    /// @dev The allowance may be more than the supply can bear; a smaller mint still works.
    function test_mint_staysBelowTheMaximumSupply() public {
        IIssuer fresh = _deploy(type(uint96).max);
        _handAssetTo(fresh);
        vm.warp(START + 10);
        uint256 room = set.asset.MAX_SUPPLY() - SetLib.SUPPLY;
        vm.startPrank(governance);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAsset.Asset__SupplyExceeded.selector, SetLib.SUPPLY, room + 1, set.asset.MAX_SUPPLY()
            )
        );
        fresh.mint(address(this), room + 1);
        fresh.mint(address(this), room);
        vm.assertEq(set.asset.totalSupply(), set.asset.MAX_SUPPLY());
    }

    function testFuzz_acceptAsset_byAnyone(address caller) public {
        IAsset asset =
            IAsset(vm.deployCode(SetLib.artifact("Asset"), abi.encode("A", "A", address(this), address(this), 1)));
        IIssuer fresh = IIssuer(vm.deployCode(SetLib.artifact("Issuer"), abi.encode(asset, 1, governance)));
        Ownable2Step(address(asset)).transferOwnership(address(fresh));
        vm.prank(caller);
        fresh.acceptAsset();
        vm.assertEq(Ownable(address(asset)).owner(), address(fresh));
    }

    function testFuzz_acceptAsset_refusesWithoutAnOffer(address caller) public {
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, address(issuer)));
        issuer.acceptAsset();
    }

    function test_ownership_cannotBeRenounced() public {
        vm.prank(governance);
        vm.expectRevert(ICommon.OwnershipCannotBeRenounced.selector);
        Ownable(address(issuer)).renounceOwnership();
    }

    /// @dev Makes `fresh` the asset's owner, as a new Issuer would become by a proposal.
    function _handAssetTo(IIssuer fresh) internal {
        vm.prank(address(issuer));
        Ownable2Step(address(set.asset)).transferOwnership(address(fresh));
        fresh.acceptAsset();
    }
}
