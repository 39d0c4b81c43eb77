// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IGovernance} from "canon/interfaces/IGovernance.sol";
import {Action} from "canon/interfaces/IPayload.sol";
import {Actions} from "canon/libraries/Actions.sol";
import {Proof} from "../Proof.sol";

/// @title Lists of actions, read as they are encoded
/// @notice Targets and data are arbitrary. Offsets and lengths are numbers in each proof, since the solver has no memory at
/// an arbitrary place.
contract ActionsProof is Proof {
    address private constant PAYLOAD = address(0x9a71);

    /// @notice For one action with 0, 1, 31, 32, 33 or 64 bytes of data: the canonical encoding of what `abi.encode` gives is
    /// the same bytes; the commitment is its hash; the event's data are `abi.encode` of all three; and the list walked is
    /// the list.
    function check_oneActionIsReadAsItIsEncoded(address target, bytes32[2] memory data, uint256 configurationId)
        external
        pure
    {
        uint8[6] memory lengths = [0, 1, 31, 32, 33, 64];
        for (uint256 i; i < 6; ++i) {
            Action[] memory list = new Action[](1);
            list[0] = Action(target, first(data, lengths[i]));
            readsAsEncoded(list, configurationId);
        }
    }

    /// @notice The same for two actions, with 0 and 33, 32 and 1, or 64 and 64 bytes of data.
    function check_twoActionsAreReadAsTheyAreEncoded(
        address[2] memory targets,
        bytes32[2] memory one,
        bytes32[2] memory two,
        uint256 configurationId
    ) external pure {
        uint8[6] memory lengths = [0, 33, 32, 1, 64, 64];
        for (uint256 i; i < 6; i += 2) {
            Action[] memory list = new Action[](2);
            list[0] = Action(targets[0], first(one, lengths[i]));
            list[1] = Action(targets[1], first(two, lengths[i + 1]));
            readsAsEncoded(list, configurationId);
        }
    }

    /// @notice In the encoding of one action with 32 bytes of data: a target above 160 bits, and a length of the data above
    /// 32, are refused, whatever they are.
    function check_badWordsAreRefused(uint256 target, uint256 length, bytes32 data, bool isTarget) external view {
        vm.assume(isTarget ? !fits(target, 160) : length > 32 && fits(target, 160));
        bytes memory answer =
            abi.encode(uint256(32), uint256(1), uint256(32), target, uint256(64), isTarget ? 32 : length, data);
        try this.canonical(answer) {
            assert(false);
        } catch (bytes memory reason) {
            assert(same(reason, abi.encodeWithSelector(IGovernance.Governance__UnreadableActions.selector, PAYLOAD)));
        }
    }

    /// @notice In the encoding of one action with 32 bytes of data: an offset of the list, of the action or of its data beyond
    /// the answer is refused, whatever it is.
    function check_offsetsBeyondTheAnswerAreRefused(uint256 offset, uint8 which, address target, bytes32 data)
        external
        view
    {
        vm.assume(offset > 224 && which < 3);
        uint256[3] memory offsets = [uint256(32), 32, 64];
        if (which == 0) offsets[0] = offset;
        else if (which == 1) offsets[1] = offset;
        else offsets[2] = offset;
        bytes memory answer =
            abi.encode(offsets[0], uint256(1), offsets[1], target, offsets[2], uint256(32), data);
        try this.canonical(answer) {
            assert(false);
        } catch (bytes memory reason) {
            assert(same(reason, abi.encodeWithSelector(IGovernance.Governance__UnreadableActions.selector, PAYLOAD)));
        }
    }

    /// @notice Wrong: what follows the list belongs to its canonical encoding.
    function refute_trailingBytesAreKept(address target, bytes32[2] memory data, bytes32 tail) external pure {
        Action[] memory list = new Action[](1);
        list[0] = Action(target, first(data, 32));
        bytes memory answer = bytes.concat(abi.encode(list), tail);
        assert(Actions.canonical(PAYLOAD, answer).length == answer.length);
    }

    function canonical(bytes calldata answer) external pure returns (bytes memory) {
        return Actions.canonical(PAYLOAD, answer);
    }

    function readsAsEncoded(Action[] memory list, uint256 configurationId) private pure {
        bytes memory answer = abi.encode(list);
        bytes memory found = Actions.canonical(PAYLOAD, answer);
        assert(same(found, answer));
        (bytes32 commitment, bytes memory data) = Actions.publish(PAYLOAD, answer, configurationId);
        assert(commitment == keccak256(answer));
        assert(same(data, abi.encode(configurationId, commitment, list)));
        assert(Actions.size(found) == list.length);
        for (uint256 i; i < list.length; ++i) {
            (address target, bytes memory read) = Actions.at(found, i);
            assert(target == list[i].target && same(read, list[i].data));
        }
    }

    /// @dev The first `length` bytes of `data`.
    function first(bytes32[2] memory data, uint256 length) private pure returns (bytes memory some) {
        some = new bytes(length);
        for (uint256 i; i < length; ++i) some[i] = data[i / 32][i % 32];
    }
}
