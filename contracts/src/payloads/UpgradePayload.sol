// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";
import {IExpect} from "../interfaces/IExpect.sol";
import {Action, IPayload} from "../interfaces/IPayload.sol";
import {IRegistry} from "../interfaces/IRegistry.sol";
import {Code} from "../libraries/Code.sol";
import {StaticCall} from "../libraries/StaticCall.sol";

/// @title UpgradePayload: makes a rollup canonical, if everything is still as it was when this payload was deployed
/// @notice Of several passed upgrades that expect the same canonical rollup, the first executed wins. One that is
/// meant to follow another expects that other's rollup.
contract UpgradePayload is IPayload {
    /// @notice The contract that makes the assertions. They are worth what it is worth: it has to be the set's own.
    IExpect public immutable EXPECT;

    /// @notice The Registry that is upgraded.
    IRegistry public immutable REGISTRY;

    /// @notice The rollup that becomes canonical.
    address public immutable NEW_ROLLUP;

    /// @notice The rollup that it replaces.
    address public immutable EXPECTED_CANONICAL;

    /// @notice The owner that it must have: the Registry's at construction.
    address public immutable OWNER;

    /// @notice The contract that created it with CREATE2.
    address public immutable FACTORY;

    /// @notice The salt with which it was created.
    bytes32 public immutable SALT;

    /// @notice The hash of its init code: of the constructor's code and arguments, and so of its first storage.
    bytes32 public immutable INIT_CODE_HASH;

    string private _uri;

    /// @param expect The set's Expect.
    /// @param registry The set's Registry.
    /// @param newRollup The rollup that becomes canonical, created by `factory`.
    /// @param expectedCanonical The rollup that it replaces.
    /// @param factory The contract that created it with CREATE2.
    /// @param salt The salt with which it was created.
    /// @param initCodeHash The hash of its init code.
    /// @param uri Where the document that explains the payload is found.
    constructor(
        IExpect expect,
        IRegistry registry,
        address newRollup,
        address expectedCanonical,
        address factory,
        bytes32 salt,
        bytes32 initCodeHash,
        string memory uri
    ) {
        Code.requireAt(address(expect));
        Code.requireAt(address(registry));
        Code.requireAt(newRollup);
        address created = Create2.computeAddress(salt, initCodeHash, factory);
        if (newRollup != created) revert IExpect.Expect__Creation(created, newRollup);
        EXPECT = expect;
        REGISTRY = registry;
        NEW_ROLLUP = newRollup;
        EXPECTED_CANONICAL = expectedCanonical;
        OWNER = StaticCall.addressWord(address(registry), IRegistry.getGovernance.selector);
        FACTORY = factory;
        SALT = salt;
        INIT_CODE_HASH = initCodeHash;
        _uri = uri;
    }

    /// @inheritdoc IPayload
    function getActions() external view returns (Action[] memory actions) {
        actions = new Action[](4);
        actions[0] =
            Action(address(EXPECT), abi.encodeCall(IExpect.canonicalIs, (address(REGISTRY), EXPECTED_CANONICAL)));
        actions[1] =
            Action(address(EXPECT), abi.encodeCall(IExpect.createdBy, (NEW_ROLLUP, FACTORY, SALT, INIT_CODE_HASH)));
        actions[2] = Action(address(EXPECT), abi.encodeCall(IExpect.ownerIs, (NEW_ROLLUP, OWNER)));
        actions[3] = Action(address(REGISTRY), abi.encodeCall(IRegistry.upgrade, (NEW_ROLLUP)));
    }

    /// @inheritdoc IPayload
    function getURI() external view returns (string memory) {
        return _uri;
    }
}
