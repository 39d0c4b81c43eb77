// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @notice One call that a passed proposal makes, without value.
struct Action {
    address target;
    bytes data;
}

/// @title Payload: a list of calls that Governance makes if the holders accept it
interface IPayload {
    /// @notice The calls, in order. Frozen by Governance when the proposal is created.
    function getActions() external view returns (Action[] memory);

    /// @notice Where the document that explains the payload (the AZIP) is found.
    function getURI() external view returns (string memory);
}
