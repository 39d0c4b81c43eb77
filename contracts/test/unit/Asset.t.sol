// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IAsset} from "canon/interfaces/IAsset.sol";
import {ICommon} from "canon/interfaces/ICommon.sol";
import {SetLib} from "../Set.sol";
import {Test} from "../Test.sol";
import {PermitMessage, TypedData} from "../TypedData.sol";
import {Deployer} from "../mocks/Deployer.sol";

contract AssetTest is Test {
    uint256 internal constant MAX = type(uint96).max;

    address internal owner = address(0x0133);
    IAsset internal asset;

    function setUp() public {
        vm.warp(1_750_000_000);
        asset = _deploy(address(this), 0);
    }

    function _deploy(address holder, uint256 supply) internal returns (IAsset) {
        return IAsset(vm.deployCode(SetLib.artifact("Asset"), abi.encode("Asset", "AST", owner, holder, supply)));
    }

    function _permitDigest(address from, address spender, uint256 value, uint256 nonce, uint256 deadline)
        internal
        view
        returns (bytes32)
    {
        PermitMessage memory permit = PermitMessage(from, spender, value, nonce, deadline);
        return TypedData.digestOf(permit, block.chainid, address(asset));
    }

    function testFuzz_constructor_givesTheInitialSupplyToTheHolder(address holder, uint256 supply) public {
        vm.assume(holder != address(0));
        supply = bound(supply, 0, MAX);
        IAsset token = _deploy(holder, supply);
        vm.assertEq(token.totalSupply(), supply);
        vm.assertEq(token.balanceOf(holder), supply);
        vm.assertEq(Ownable(address(token)).owner(), owner);
        vm.assertEq(IERC20Metadata(address(token)).decimals(), 18);
        vm.assertEq(IERC20Metadata(address(token)).name(), "Asset");
        vm.assertEq(IERC20Metadata(address(token)).symbol(), "AST");
        vm.assertEq(token.MAX_SUPPLY(), MAX);
    }

    function testFuzz_constructor_refusesMoreThanTheMaximum(uint256 supply) public {
        supply = bound(supply, MAX + 1, type(uint256).max);
        Deployer deployer = new Deployer();
        bytes memory code = vm.getCode(SetLib.artifact("Asset"));
        vm.expectRevert(abi.encodeWithSelector(IAsset.Asset__SupplyExceeded.selector, 0, supply, MAX));
        deployer.deploy(code, abi.encode("Asset", "AST", owner, address(this), supply));
    }

    function testFuzz_constructor_emitsItsArguments(uint256 supply) public {
        supply = bound(supply, 0, MAX);
        Deployer deployer = new Deployer();
        bytes memory code = vm.getCode(SetLib.artifact("Asset"));
        vm.expectEmit();
        emit IAsset.AssetDeployed("Name", "SYM", supply);
        deployer.deploy(code, abi.encode("Name", "SYM", owner, address(this), supply));
    }

    function testFuzz_mint_onlyByTheOwner(address caller, uint256 amount) public {
        vm.assume(caller != owner);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, caller));
        asset.mint(caller, amount);
    }

    function testFuzz_mint_createsForTheReceiver(address to, uint256 first, uint256 second) public {
        vm.assume(to != address(0));
        first = bound(first, 0, MAX);
        second = bound(second, 0, MAX - first);
        vm.startPrank(owner);
        vm.expectEmit(address(asset));
        emit IERC20.Transfer(address(0), to, first);
        asset.mint(to, first);
        asset.mint(to, second);
        vm.assertEq(asset.balanceOf(to), first + second);
        vm.assertEq(asset.totalSupply(), first + second);
    }

    function test_mint_atTheMaximumSupply() public {
        Deployer deployer = new Deployer();
        bytes memory code = vm.getCode(SetLib.artifact("Asset"));
        vm.expectRevert(abi.encodeWithSelector(IAsset.Asset__SupplyExceeded.selector, 0, MAX + 1, MAX));
        deployer.deploy(code, abi.encode("Asset", "AST", owner, address(this), MAX + 1));
        IAsset token = _deploy(address(this), MAX - 1);
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(IAsset.Asset__SupplyExceeded.selector, MAX - 1, 2, MAX));
        token.mint(address(this), 2);
        token.mint(address(this), 1);
        vm.expectRevert(abi.encodeWithSelector(IAsset.Asset__SupplyExceeded.selector, MAX, 1, MAX));
        token.mint(address(this), 1);
        vm.assertEq(token.totalSupply(), MAX);
    }

    function testFuzz_mint_refusesMoreThanTheMaximumSupply(uint256 supply, uint256 amount) public {
        supply = bound(supply, 0, MAX);
        amount = bound(amount, MAX - supply + 1, type(uint256).max);
        IAsset token = _deploy(address(this), supply);
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(IAsset.Asset__SupplyExceeded.selector, supply, amount, MAX));
        token.mint(address(this), amount);

        vm.prank(owner);
        token.mint(address(this), MAX - supply);
        vm.assertEq(token.totalSupply(), MAX);
    }

    function testFuzz_permit_allowsOnceAndSaysSo(uint256 key, address spender, uint256 value, uint256 deadline)
        public
    {
        key = bound(key, 1, type(uint128).max);
        vm.assume(spender != address(0));
        deadline = bound(deadline, block.timestamp, type(uint256).max);
        address from = vm.addr(key);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _permitDigest(from, spender, value, 0, deadline));

        vm.expectEmit(address(asset));
        emit IAsset.PermitUsed(from, 0);
        vm.expectEmit(address(asset));
        emit IERC20.Approval(from, spender, value);
        asset.permit(from, spender, value, deadline, v, r, s);
        vm.assertEq(asset.allowance(from, spender), value);
        vm.assertEq(asset.nonces(from), 1);

        address recovered = ecrecover(_permitDigest(from, spender, value, 1, deadline), v, r, s);
        vm.expectRevert(abi.encodeWithSelector(ERC20Permit.ERC2612InvalidSigner.selector, recovered, from));
        asset.permit(from, spender, value, deadline, v, r, s);
    }

    function testFuzz_permit_expiresAfterItsDeadline(uint256 deadline, uint256 late) public {
        (address from, uint256 key) = account("holder");
        deadline = bound(deadline, 0, type(uint40).max);
        late = bound(late, 1, type(uint40).max);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _permitDigest(from, address(this), 1, 0, deadline));
        vm.warp(deadline + late);
        vm.expectRevert(abi.encodeWithSelector(ERC20Permit.ERC2612ExpiredSignature.selector, deadline));
        asset.permit(from, address(this), 1, deadline, v, r, s);

        vm.warp(deadline);
        asset.permit(from, address(this), 1, deadline, v, r, s);
        vm.assertEq(asset.allowance(from, address(this)), 1);
    }

    function testFuzz_permit_isBoundToTheChain(uint64 otherChain) public {
        vm.assume(otherChain != block.chainid && otherChain != 0);
        (address from, uint256 key) = account("holder");
        bytes32 digest = _permitDigest(from, address(this), 1, 0, type(uint256).max);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        uint256 home = block.chainid;
        vm.chainId(otherChain);
        address recovered = ecrecover(_permitDigest(from, address(this), 1, 0, type(uint256).max), v, r, s);
        vm.expectRevert(abi.encodeWithSelector(ERC20Permit.ERC2612InvalidSigner.selector, recovered, from));
        asset.permit(from, address(this), 1, type(uint256).max, v, r, s);
        vm.chainId(home);
        asset.permit(from, address(this), 1, type(uint256).max, v, r, s);
    }

    /// @dev Allowances are rebuilt from events alone, so spending one has to be visible too.
    function testFuzz_transferFrom_announcesTheAllowanceThatIsLeft(uint256 allowed, uint256 spent) public {
        allowed = bound(allowed, 1, MAX);
        spent = bound(spent, 0, allowed);
        IAsset token = _deploy(address(this), MAX);
        address spender = address(0x5e4d);
        token.approve(spender, allowed);
        vm.expectEmit(address(token));
        emit IERC20.Approval(address(this), spender, allowed - spent);
        vm.prank(spender);
        token.transferFrom(address(this), address(0xbeef), spent);
        vm.assertEq(token.allowance(address(this), spender), allowed - spent);
        vm.assertEq(token.balanceOf(address(0xbeef)), spent);
    }

    function testFuzz_transfer_refusesMoreThanTheBalance(uint256 balance, uint256 amount) public {
        balance = bound(balance, 0, MAX);
        amount = bound(amount, balance + 1, type(uint256).max);
        IAsset token = _deploy(address(this), balance);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, address(this), balance, amount)
        );
        token.transfer(address(0xbeef), amount);
    }

    function testFuzz_ownership_changesHandsInTwoSteps(address newOwner, address stranger) public {
        vm.assume(newOwner != owner && newOwner != address(0) && stranger != newOwner);
        Ownable2Step token = Ownable2Step(address(asset));
        vm.prank(owner);
        token.transferOwnership(newOwner);
        vm.assertEq(token.owner(), owner);
        vm.assertEq(token.pendingOwner(), newOwner);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, stranger));
        token.acceptOwnership();
        vm.prank(newOwner);
        token.acceptOwnership();
        vm.assertEq(token.owner(), newOwner);
        vm.assertEq(token.pendingOwner(), address(0));
    }

    function test_ownership_cannotBeRenounced() public {
        vm.prank(owner);
        vm.expectRevert(ICommon.OwnershipCannotBeRenounced.selector);
        Ownable(address(asset)).renounceOwnership();
        vm.assertEq(Ownable(address(asset)).owner(), owner);
    }
}
