// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {CHEATCODES as vm} from "./Vm.sol";

/// @notice What a holder signs for Governance.
struct BallotMessage {
    uint256 proposalId;
    bytes32 actionsHash;
    uint256 amount;
    bool support;
    address voter;
    uint256 nonce;
    uint256 deadline;
}

/// @notice What a holder signs for the asset.
struct PermitMessage {
    address owner;
    address spender;
    uint256 value;
    uint256 nonce;
    uint256 deadline;
}

/// @title Typed data (EIP-712) that the contracts accept signatures of
/// @notice Written out once for all tests, independently of the sources.
library TypedData {
    bytes32 private constant DOMAIN =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant BALLOT = keccak256(
        "Ballot(uint256 proposalId,bytes32 actionsHash,uint256 amount,bool support,address voter,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant SIGNAL = keccak256("Signal(address payload,uint256 slot,address instance)");
    bytes32 private constant PERMIT =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");

    /// @notice The digest of `ballot` for `governance` on the chain with id `chain`.
    function digestOf(BallotMessage memory ballot, uint256 chain, address governance) internal pure returns (bytes32) {
        // All fields are words, so a struct in memory is encoded like its fields.
        return _digest("Governance", chain, governance, keccak256(abi.encode(BALLOT, ballot)));
    }

    /// @notice The digest of `permit` for `asset`, which is called "Asset", on the chain with id `chain`.
    function digestOf(PermitMessage memory permit, uint256 chain, address asset) internal pure returns (bytes32) {
        return _digest("Asset", chain, asset, keccak256(abi.encode(PERMIT, permit)));
    }

    /// @notice The digest of a signal for `payload` in `slot` of `instance`, for `proposals` on the chain with id `chain`.
    function digestOfSignal(address payload, uint256 slot, address instance, uint256 chain, address proposals)
        internal
        pure
        returns (bytes32)
    {
        return _digest("Proposals", chain, proposals, keccak256(abi.encode(SIGNAL, payload, slot, instance)));
    }

    /// @notice The signature of 65 bytes that `key` makes over `digest`.
    function sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @notice The signature of `key` over `ballot` for `governance` on this chain.
    function sign(uint256 key, BallotMessage memory ballot, address governance) internal view returns (bytes memory) {
        return sign(key, digestOf(ballot, block.chainid, governance));
    }

    /// @notice The signature of `key` over a signal for `proposals` on this chain.
    function signSignal(uint256 key, address payload, uint256 slot, address instance, address proposals)
        internal
        view
        returns (bytes memory)
    {
        return sign(key, digestOfSignal(payload, slot, instance, block.chainid, proposals));
    }

    /// @dev Every contract's version is "1".
    function _digest(string memory name, uint256 chain, address verifier, bytes32 structHash)
        private
        pure
        returns (bytes32)
    {
        bytes32 domain =
            keccak256(abi.encode(DOMAIN, keccak256(bytes(name)), keccak256("1"), chain, verifier));
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }
}
