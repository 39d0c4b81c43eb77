// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {Code} from "./Code.sol";
import {StaticCall} from "./StaticCall.sol";

/// @title Signature checks for accounts (ECDSA) and contracts (ERC-1271)
library Signatures {
    /// @notice Returns whether `signature` is `signer`'s over `digest`.
    /// @dev ECDSA first (65 bytes, low s), whether or not `signer` has code: an account with an EIP-7702
    /// delegation still signs as itself. Otherwise ERC-1271, if the signer is a contract.
    function isValid(address signer, bytes32 digest, bytes calldata signature) internal view returns (bool) {
        (address recovered, ECDSA.RecoverError err,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (err == ECDSA.RecoverError.NoError && recovered == signer) return true;
        if (!Code.exists(signer)) return false;
        bytes memory question = abi.encodeCall(IERC1271.isValidSignature, (digest, signature));
        return StaticCall.answers(signer, question, IERC1271.isValidSignature.selector);
    }
}
