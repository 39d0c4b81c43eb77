// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @notice A rollup that reports the slot and proposer that were set, in the way that was set.
contract HostileRollup {
    enum Mode {
        Answer,
        Revert,
        /// More than a word.
        Long,
        /// Less than a word.
        Short,
        /// A word that is no address.
        Dirty,
        /// All the gas it gets.
        Burn,
        /// Calls Proposals before it answers.
        Reenter
    }

    uint256 public slot;
    address public proposer;
    address public immutable owner;
    Mode public slotMode;
    Mode public proposerMode;
    address public reentered;
    bytes public callback;

    constructor(address owner_, uint256 slot_, address proposer_) {
        owner = owner_;
        slot = slot_;
        proposer = proposer_;
    }

    function setSlot(uint256 slot_) external {
        slot = slot_;
    }

    function setProposer(address proposer_) external {
        proposer = proposer_;
    }

    function setModes(Mode slotMode_, Mode proposerMode_) external {
        slotMode = slotMode_;
        proposerMode = proposerMode_;
    }

    function setCallback(address target, bytes calldata data) external {
        reentered = target;
        callback = data;
    }

    /// @notice Calls `target` as the rollup.
    function call(address target, bytes calldata data) external returns (bytes memory) {
        (bool success, bytes memory answer) = target.call(data);
        require(success, "call failed");
        return answer;
    }

    function getCurrentSlot() external returns (uint256) {
        _answer(slotMode, slot);
    }

    function getCurrentProposer() external returns (address) {
        _answer(proposerMode, uint160(proposer));
    }

    function _answer(Mode mode, uint256 value) private {
        if (mode == Mode.Revert) revert("hostile");
        if (mode == Mode.Dirty) value |= 1 << 255;
        uint256 size = mode == Mode.Long ? 64 : mode == Mode.Short ? 31 : 32;
        if (mode == Mode.Reenter) {
            // Asked by static call, so this can at most read.
            (bool success,) = reentered.call(callback);
            require(!success, "re-entered");
        }
        if (mode == Mode.Burn) {
            while (true) {}
        }
        assembly {
            mstore(0, value)
            mstore(32, 0)
            return(0, size)
        }
    }
}
