// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @notice An ERC-1271 wallet with one key, which says yes (or something else) to what that key signed.
/// @dev Without storage, so that it works behind an EIP-7702 delegation too.
contract SignerWallet {
    /// @notice What the wallet answers to a signature of its key.
    enum Yes {
        Magic,
        WrongMagic,
        DirtyMagic,
        Short,
        TwoWords,
        /// The magic value and as much as the gas allows behind it, up to a megabyte.
        Huge,
        Nothing,
        Reverting,
        Writing
    }

    address private immutable KEY;
    Yes private immutable YES;

    constructor(address key, Yes yes) {
        KEY = key;
        YES = yes;
    }

    /// @dev The signature is `KEY`'s `(v, r, s)` after ABI encoding: 96 bytes, which no ECDSA signature has.
    function isValidSignature(bytes32 digest, bytes calldata signature) external returns (bytes4) {
        if (signature.length != 96) return 0xffffffff;
        (uint8 v, bytes32 r, bytes32 s) = abi.decode(signature, (uint8, bytes32, bytes32));
        if (ecrecover(digest, v, r, s) != KEY) return 0xffffffff;

        bytes4 magic = IERC1271.isValidSignature.selector;
        if (YES == Yes.WrongMagic) return bytes4(uint32(magic) ^ 1);
        if (YES == Yes.DirtyMagic) _return(abi.encode(uint256(bytes32(magic)) | 1), 32);
        if (YES == Yes.Short) _return(abi.encode(magic), 4);
        if (YES == Yes.TwoWords) _return(abi.encode(magic, magic), 64);
        if (YES == Yes.Huge) _return(abi.encode(magic), 1_000_000);
        if (YES == Yes.Nothing) _return("", 0);
        if (YES == Yes.Reverting) revert("no");
        if (YES == Yes.Writing) {
            assembly {
                sstore(0, 1)
            }
        }
        return magic;
    }

    function _return(bytes memory data, uint256 length) private pure {
        assembly {
            return(add(data, 32), length)
        }
    }
}
