// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IExpect} from "../interfaces/IExpect.sol";
import {Action, IPayload} from "../interfaces/IPayload.sol";
import {IRegistry} from "../interfaces/IRegistry.sol";
import {Outside} from "../libraries/Outside.sol";

/// @title Makes a rollup canonical, if everything is still as it was when this payload was written
/// @notice Of several passed upgrades that expect the same canonical rollup, the first executed wins. One that is
/// meant to follow another expects that other's rollup.
contract UpgradePayload is IPayload {
    IExpect public immutable EXPECT;
    IRegistry public immutable REGISTRY;

    /// @notice The rollup that becomes canonical.
    address public immutable NEW_ROLLUP;

    /// @notice The code hash that it had at construction.
    bytes32 public immutable NEW_ROLLUP_CODE_HASH;

    /// @notice The owner that it must have: the Registry's at construction.
    address public immutable OWNER;

    /// @notice The rollup that it replaces.
    address public immutable EXPECTED_CANONICAL;

    string private _uri;

    constructor(
        IExpect expect,
        IRegistry registry,
        address newRollup,
        address expectedCanonical,
        string memory uri
    ) {
        Outside.requireCode(newRollup);
        EXPECT = expect;
        REGISTRY = registry;
        NEW_ROLLUP = newRollup;
        NEW_ROLLUP_CODE_HASH = newRollup.codehash;
        OWNER = registry.getGovernance();
        EXPECTED_CANONICAL = expectedCanonical;
        _uri = uri;
    }

    /// @inheritdoc IPayload
    function getActions() external view returns (Action[] memory actions) {
        actions = new Action[](4);
        actions[0] = Action(
            address(EXPECT), abi.encodeCall(IExpect.canonicalIs, (address(REGISTRY), EXPECTED_CANONICAL))
        );
        actions[1] = Action(address(EXPECT), abi.encodeCall(IExpect.codeHashIs, (NEW_ROLLUP, NEW_ROLLUP_CODE_HASH)));
        actions[2] = Action(address(EXPECT), abi.encodeCall(IExpect.ownerIs, (NEW_ROLLUP, OWNER)));
        actions[3] = Action(address(REGISTRY), abi.encodeCall(IRegistry.upgrade, (NEW_ROLLUP)));
    }

    /// @inheritdoc IPayload
    function getURI() external view returns (string memory) {
        return _uri;
    }
}
