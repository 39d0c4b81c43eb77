// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IProposals} from "canon/interfaces/IProposals.sol";

/// @notice A rollup that, asked who proposes, looks at Proposals and tries to signal once more before it answers.
/// @dev It names `proposer` only if it found its slot used and the second signal refused.
contract ReenteringRollup {
    IProposals private immutable PROPOSALS;
    address private immutable PAYLOAD;
    address private immutable PROPOSER;
    uint256 public immutable getCurrentSlot;

    constructor(IProposals proposals, address payload, address proposer, uint256 slot) {
        PROPOSALS = proposals;
        PAYLOAD = payload;
        PROPOSER = proposer;
        getCurrentSlot = slot;
    }

    function getCurrentProposer() external returns (address) {
        (bool exists, uint256 slot) = PROPOSALS.newestSlot(address(this));
        (bool signaled,) = address(PROPOSALS).call{gas: 500_000}(abi.encodeCall(IProposals.vote, (PAYLOAD)));
        return exists && slot == getCurrentSlot && !signaled ? PROPOSER : address(0);
    }
}
