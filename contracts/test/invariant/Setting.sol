// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IAsset} from "canon/interfaces/IAsset.sol";
import {Configuration, IGovernance} from "canon/interfaces/IGovernance.sol";
import {IProposals} from "canon/interfaces/IProposals.sol";
import {IRegistry} from "canon/interfaces/IRegistry.sol";
import {IRewardDistributor} from "canon/interfaces/IRewardDistributor.sol";
import {IRollup} from "canon/interfaces/IRollup.sol";
import {HostileRollup} from "../mocks/HostileRollup.sol";
import {Wallet} from "../mocks/Wallet.sol";
import {Set, SetLib} from "../Set.sol";
import {Test} from "../Test.sol";
import {Rule} from "./Rules.sol";

/// @notice The set, its actors, and how a step of the handler is drawn, tried and counted.
abstract contract Setting is Test {
    uint256 internal constant HOLDERS = 10;
    uint256 internal constant ATTESTERS = 10;
    uint256 internal constant BALANCE = 60_000e18;
    /// @dev No call needs more; what burns gas for ever ends here.
    uint256 internal constant CALL_GAS = 12_000_000;

    Set internal set;
    IAsset internal asset;
    IRegistry internal registry;
    IGovernance internal governance;
    IRewardDistributor internal distributor;

    /// @dev Eight accounts with keys (the last one with an EIP-7702 delegation), a wallet, and a wallet that says yes
    /// to every signature. They are holders, stakers, withdrawers, keepers and relayers at once.
    address[] internal holders;
    Wallet internal wallet;
    AcceptingWallet internal acceptingWallet;
    address internal stranger = address(0x57A6E);
    mapping(address who => uint256) internal keyOf;

    IRollup[] internal rollups;
    HostileRollup[] internal hostiles;
    mapping(address => bool) internal isHonest;
    IProposals[] internal proposalsList;

    /// @dev Tokens that were sent to a contract of the set without a deposit.
    mapping(address => uint256) internal gifts;

    uint256 private _random;
    uint256 public steps;
    mapping(string action => uint256) public successes;
    /// @notice The number of times that a rule was checked.
    mapping(Rule => uint256) public checks;
    /// @dev How a rule was broken first; empty if it held so far.
    mapping(Rule => string) private _breachOf;

    constructor() {
        Configuration memory c = SetLib.configuration();
        c.proposeConfig.lockDelay = 30 minutes;
        c.proposeConfig.lockAmount = 500e18;
        (c.votingDelay, c.votingDuration) = (10 minutes, 10 minutes);
        (c.executionDelay, c.gracePeriod) = (10 minutes, 40 minutes);
        set = SetLib.deploy(address(this), c);
        (asset, registry, governance, distributor) = (set.asset, set.registry, set.governance, set.rewardDistributor);
        proposalsList.push(set.proposals);
        proposalsList.push(
            IProposals(vm.deployCode(SetLib.artifact("Proposals"), abi.encode(registry, SetLib.N, SetLib.M)))
        );
        _addActors();
        gifts[address(distributor)] = 1000e18;
        asset.transfer(address(distributor), 1000e18);
    }

    function _addActors() private {
        for (uint256 i; i < 8; ++i) {
            (address who, uint256 key) = account(string.concat("holder ", vm.toString(i)));
            keyOf[who] = key;
            holders.push(who);
        }
        wallet = new Wallet(holders[0]);
        keyOf[address(wallet)] = keyOf[holders[0]];
        acceptingWallet = new AcceptingWallet();
        vm.etch(holders[7], abi.encodePacked(hex"ef0100", address(wallet)));
        holders.push(address(wallet));
        holders.push(address(acceptingWallet));
        for (uint256 i; i < HOLDERS; ++i) {
            asset.transfer(holders[i], BALANCE);
            _approve(holders[i], address(governance));
        }
    }

    function _approve(address from, address spender) internal {
        vm.prank(from);
        asset.approve(spender, type(uint256).max);
    }

    /*//////////////////////////////////////////////////////////////
                              DRAWING A STEP
    //////////////////////////////////////////////////////////////*/

    /// @dev One step of the handler: everything it draws follows from `seed`.
    modifier step(uint256 seed) {
        _random = uint256(keccak256(abi.encode(seed, msg.sig, steps)));
        ++steps;
        _;
        _observe();
    }

    /// @dev Looks at what must not change whatever the step did.
    function _observe() internal virtual;

    /// @dev A number below `limit`.
    function _draw(uint256 limit) internal returns (uint256) {
        _random = uint256(keccak256(abi.encode(_random)));
        return _random % limit;
    }

    function _chance(uint256 oneIn) internal returns (bool) {
        return _draw(oneIn) == 0;
    }

    function _holder() internal returns (address) {
        return holders[_draw(HOLDERS)];
    }

    /// @dev From 1 to `limit`, and often all of it; 0 if that is.
    function _amount(uint256 limit) internal returns (uint256) {
        if (limit == 0 || _chance(4)) return limit;
        return 1 + _draw(limit);
    }

    /// @dev Calls as `from`, with enough gas for anything honest.
    function _call(address from, address target, bytes memory data)
        internal
        returns (bool success, bytes memory answer)
    {
        vm.prank(from);
        return target.call{gas: CALL_GAS}(data);
    }

    function _did(string memory action) internal {
        ++successes[action];
    }

    /// @dev `how` describes the breach if `holds` is false; the first one of a rule is kept.
    function _check(bool holds, Rule rule, string memory how) internal {
        ++checks[rule];
        if (holds || bytes(_breachOf[rule]).length != 0) return;
        _breachOf[rule] = string.concat(how, " (step ", vm.toString(steps), ")");
    }

    /// @notice Returns the broken rules and how each was broken, one per line; empty if all held so far.
    function breaches() external view returns (string memory all) {
        for (uint256 i; i <= uint256(type(Rule).max); ++i) {
            string memory breach = _breachOf[Rule(i)];
            if (bytes(breach).length != 0) all = string.concat(all, "not so: ", Rule(i).name(), ": ", breach, "\n");
        }
    }

    function _now() internal view returns (uint256) {
        return vm.getBlockTimestamp();
    }

    /// @dev The governance proposer, if it is one of ours; the first one otherwise.
    function _proposals() internal view returns (IProposals) {
        address present = governance.governanceProposer();
        for (uint256 i; i < proposalsList.length; ++i) {
            if (address(proposalsList[i]) == present) return proposalsList[i];
        }
        return proposalsList[0];
    }
}

/// @notice A wallet that says yes to every signature, or answers nonsense. Only its own power is at risk.
contract AcceptingWallet {
    bool public accepting = true;

    function setAccepting(bool value) external {
        accepting = value;
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        if (!accepting) {
            assembly ("memory-safe") {
                mstore(0, not(0))
                return(0, 64)
            }
        }
        return 0x1626ba7e;
    }
}
