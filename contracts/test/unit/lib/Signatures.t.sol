// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Signatures} from "canon/libraries/Signatures.sol";
import {Test} from "../../Test.sol";
import {Box} from "../../mocks/Box.sol";
import {ConstantPayload} from "../../mocks/ConstantPayload.sol";
import {Delegation} from "../../mocks/Delegation.sol";
import {RawAnswer} from "../../mocks/RawAnswer.sol";
import {SignerWallet} from "../../mocks/SignerWallet.sol";

contract SignaturesHarness {
    function isValid(address signer, bytes32 digest, bytes calldata signature) external view returns (bool) {
        return Signatures.isValid(signer, digest, signature);
    }
}

contract SignaturesTest is Test {
    uint256 private constant CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    SignaturesHarness internal signatures;

    function setUp() public {
        signatures = new SignaturesHarness();
    }

    function _key(uint256 seed) private pure returns (uint256) {
        return bound(seed, 1, CURVE_ORDER - 1);
    }

    function _sign(uint256 key, bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function testFuzz_isValid_theKeysSignatureIs(uint256 key, bytes32 digest) public view {
        key = _key(key);
        vm.assertTrue(signatures.isValid(vm.addr(key), digest, _sign(key, digest)));
    }

    function testFuzz_isValid_anotherKeysIsNot(uint256 key, uint256 other, bytes32 digest) public view {
        key = _key(key);
        other = _key(other);
        vm.assume(key != other);
        vm.assertFalse(signatures.isValid(vm.addr(key), digest, _sign(other, digest)));
    }

    function testFuzz_isValid_overAnotherDigestIsNot(uint256 key, bytes32 digest, bytes32 other) public view {
        key = _key(key);
        vm.assume(digest != other);
        vm.assertFalse(signatures.isValid(vm.addr(key), other, _sign(key, digest)));
    }

    function testFuzz_isValid_highSIsNot(uint256 key, bytes32 digest) public view {
        key = _key(key);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        bytes32 twin = bytes32(CURVE_ORDER - uint256(s));
        uint8 other = v == 27 ? 28 : 27;
        // The precompile would take it.
        vm.assertEq(ecrecover(digest, other, r, twin), vm.addr(key));
        vm.assertFalse(signatures.isValid(vm.addr(key), digest, abi.encodePacked(r, twin, other)));
    }

    function testFuzz_isValid_anyOtherLengthIsNot(uint256 key, bytes32 digest, uint256 length) public view {
        key = _key(key);
        length = bound(length, 0, 200);
        vm.assume(length != 65);
        bytes memory whole = bytes.concat(_sign(key, digest), new bytes(200));
        assembly ("memory-safe") {
            mstore(whole, length)
        }
        vm.assertFalse(signatures.isValid(vm.addr(key), digest, whole));
    }

    function testFuzz_isValid_anyOtherParityIsNot(uint256 key, bytes32 digest, uint8 parity) public view {
        key = _key(key);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        vm.assume(parity != v);
        vm.assertFalse(signatures.isValid(vm.addr(key), digest, abi.encodePacked(r, s, parity)));
    }

    function testFuzz_isValid_neverForAddressZero(bytes32 digest, bytes32 r, bytes32 s, uint8 v) public view {
        vm.assertFalse(signatures.isValid(address(0), digest, abi.encodePacked(r, s, v)));
        vm.assertFalse(signatures.isValid(address(0), digest, abi.encodePacked(r, uint256(s) >> 1, uint8(27))));
    }

    function testFuzz_isValid_garbageIsNot(address signer, bytes32 digest, bytes memory garbage) public view {
        vm.assume(signer.code.length == 0 && uint160(signer) > 0x1ff);
        vm.assertFalse(signatures.isValid(signer, digest, garbage));
    }

    function testFuzz_isValid_theWalletDecides(uint256 key, uint256 other, bytes32 digest) public {
        key = _key(key);
        other = _key(other);
        vm.assume(key != other);
        address wallet = address(new SignerWallet(vm.addr(key), SignerWallet.Yes.Magic));
        vm.assertTrue(signatures.isValid(wallet, digest, _forWallet(key, digest)));
        vm.assertFalse(signatures.isValid(wallet, digest, _forWallet(other, digest)));
        vm.assertFalse(signatures.isValid(wallet, ~digest, _forWallet(key, digest)));
    }

    function _forWallet(uint256 key, bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encode(v, r, s);
    }

    function testFuzz_isValid_theWalletIsAskedWithAnySignature(bytes32 digest, bytes memory signature) public {
        bytes memory yes = abi.encode(bytes4(0x1626ba7e));
        address wallet = address(new RawAnswer(yes, false));
        vm.assertTrue(signatures.isValid(wallet, digest, signature));
        vm.assertFalse(signatures.isValid(address(new RawAnswer(yes, true)), digest, signature), "it reverts");
    }

    function testFuzz_isValid_theWalletsAnswerIsTheMagicWord(bytes32 answer, bytes32 digest) public {
        vm.assume(answer != bytes32(bytes4(0x1626ba7e)));
        address wallet = address(new RawAnswer(abi.encode(answer), false));
        vm.assertFalse(signatures.isValid(wallet, digest, ""));
    }

    function testFuzz_isValid_noWordIsNoAnswer(uint256 length, bytes32 digest) public {
        bytes memory answer = abi.encode(bytes4(0x1626ba7e));
        length = bound(length, 0, 31);
        assembly ("memory-safe") {
            mstore(answer, length)
        }
        vm.assertFalse(signatures.isValid(address(new RawAnswer(answer, false)), digest, ""));
    }

    function test_isValid_aWalletCannotWrite() public {
        (address signer, uint256 key) = account("signer");
        address wallet = address(new SignerWallet(signer, SignerWallet.Yes.Writing));
        bytes memory signature = _forWallet(key, "digest");
        vm.assertFalse(signatures.isValid{gas: 500_000}(wallet, "digest", signature));
    }

    function test_isValid_everyAnswerButTheMagicWordIsNo() public {
        (address signer, uint256 key) = account("signer");
        bytes memory signature = _forWallet(key, "digest");
        for (uint256 i; i <= uint256(type(SignerWallet.Yes).max); ++i) {
            address wallet = address(new SignerWallet(signer, SignerWallet.Yes(i)));
            bool isMagic = i == uint256(SignerWallet.Yes.Magic);
            vm.assertEq(signatures.isValid{gas: 5_000_000}(wallet, "digest", signature), isMagic, vm.toString(i));
        }
    }

    /// @dev Whoever answers a megabyte pays for it; at most one word is copied. Two copies, as a decoder makes them, would
    /// cost more than twice as much again.
    function test_isValid_aHugeAnswerIsNotCopied() public {
        address wallet = ConstantPayload.create(ConstantPayload.zeros(1_000_000));
        uint256 before = gasleft();
        (bool success,) = wallet.staticcall{gas: 4_000_000}("");
        uint256 own = before - gasleft();
        vm.assertTrue(success);
        before = gasleft();
        vm.assertFalse(signatures.isValid(wallet, "digest", ""));
        // The call above copied what it got: half of its own cost is the copy.
        vm.assertLt(before - gasleft(), own);
    }

    /// @dev The key of an account signs for it even if what it delegated to knows nothing of signatures.
    function testFuzz_isValid_aDelegationStillSignsAsItself(uint256 key, bytes32 digest) public {
        key = _key(key);
        Delegation.set(vm.addr(key), address(new Box()));
        vm.assertTrue(signatures.isValid(vm.addr(key), digest, _sign(key, digest)));
        vm.assertFalse(signatures.isValid(vm.addr(key), ~digest, _sign(key, digest)));
    }

    /// @dev What it delegated to isn't the account's own code and is never asked.
    function testFuzz_isValid_aDelegationIsNeverAsked(address account, uint256 key, bytes32 digest) public {
        vm.assume(account.code.length == 0 && uint160(account) > 0x1ff);
        key = _key(key);
        vm.assume(vm.addr(key) != account);
        Delegation.set(account, address(new SignerWallet(vm.addr(key), SignerWallet.Yes.Magic)));
        vm.assertFalse(signatures.isValid(account, digest, _forWallet(key, digest)));
        Delegation.set(account, address(new RawAnswer(abi.encode(bytes4(0x1626ba7e)), false)));
        vm.assertFalse(signatures.isValid(account, digest, _sign(key, digest)));
    }

    /// @dev ECDSA comes first: a contract at the key's address signs by the key whatever it would say itself.
    function testFuzz_isValid_theKeyComesBeforeTheWallet(uint256 key, bytes32 digest) public {
        key = _key(key);
        vm.etch(vm.addr(key), address(new SignerWallet(address(1), SignerWallet.Yes.Reverting)).code);
        vm.assertTrue(signatures.isValid(vm.addr(key), digest, _sign(key, digest)));
    }
}
