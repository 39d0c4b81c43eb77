// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @notice One call that Governance makes when it executes a proposal, without value.
struct Action {
    /// The contract that is called. It needs code, and can't be the asset.
    address target;
    /// The calldata: a selector and the encoded arguments.
    bytes data;
}

/// @title Payload: a list of calls that Governance makes if the holders accept it
interface IPayload {
    /// @notice Returns the calls, in the order of their execution.
    /// @dev Governance reads the list by static call when a proposal is created, and executes that very list or none.
    /// It refuses an empty list, and one whose answer or canonical encoding (`abi.encode(actions)`) exceeds 100,000
    /// bytes.
    /// @return The calls; at least one.
    function getActions() external view returns (Action[] memory);

    /// @notice Returns where the document that explains the payload is found.
    /// @return The document's URI. No contract reads it.
    function getURI() external view returns (string memory);
}
