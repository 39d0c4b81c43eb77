// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IRegistry} from "canon/interfaces/IRegistry.sol";
import {IRewardDistributor} from "canon/interfaces/IRewardDistributor.sol";
import {IRollup, RollupParameters, Status} from "canon/interfaces/IRollup.sol";
import {SetLib} from "../Set.sol";
import {MeasuredAnswer} from "../mocks/MeasuredAnswer.sol";
import {RefusalOrderBase} from "./RefusalOrderBase.t.sol";
import {RollupBase} from "./RollupBase.t.sol";

/// @notice The order of a rollup's refusals.
contract RefusalOrderRollupTest is RollupBase, RefusalOrderBase {
    bytes4 private constant CANONICAL = IRegistry.getRollup.selector;

    function _notWithdrawer(address caller, address withdrawer) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRollup.Rollup__NotWithdrawer.selector, caller, withdrawer);
    }

    function _notRegistered(address attester) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRollup.Rollup__NotRegistered.selector, attester);
    }

    function _notValidating(address attester, Status status) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRollup.Rollup__NotValidating.selector, attester, status);
    }

    /// @dev Every number differs from the others, so that the refusal shows which field it is about. A number that was
    /// zero is mended to one that doesn't fit.
    function test_constructor_refusesInOrder() public {
        vm.warp(2 ** 41);
        RollupParameters memory p = RollupParameters({
            owner: address(0),
            rewardDistributor: IRewardDistributor(address(0)),
            asset: IERC20(CODELESS),
            registry: IRegistry(STRANGER),
            genesisTime: 2 ** 41 + 1,
            slotDuration: 2 ** 40 + 2,
            epochDuration: 0,
            minimumStake: 0,
            exitDelay: 2 ** 40 + 4
        });
        _refusedConstruction("Rollup", abi.encode(p), _noOwner());
        p.owner = address(this);
        _refusedConstruction("Rollup", abi.encode(p), _zeroAddress());
        p.rewardDistributor = set.rewardDistributor;
        _refusedConstruction("Rollup", abi.encode(p), _noCode(CODELESS));
        p.asset = IERC20(address(set.asset));
        _refusedConstruction("Rollup", abi.encode(p), _noCode(STRANGER));
        p.registry = set.registry;
        _refusedConstruction(
            "Rollup",
            abi.encode(p),
            abi.encodeWithSelector(IRollup.Rollup__GenesisInFuture.selector, 2 ** 41 + 1, 2 ** 41)
        );
        p.genesisTime = 2 ** 40 + 1;
        _refusedConstruction(
            "Rollup", abi.encode(p), abi.encodeWithSelector(IRollup.Rollup__ZeroDuration.selector, 2 ** 40 + 2, 0)
        );
        p.epochDuration = 2 ** 40 + 3;
        _refusedConstruction("Rollup", abi.encode(p), abi.encodeWithSelector(IRollup.Rollup__ZeroMinimumStake.selector));
        p.minimumStake = 2 ** 96;
        _refusedConstruction("Rollup", abi.encode(p), _tooLarge(2 ** 40 + 1, type(uint40).max));
        p.genesisTime = START;
        _refusedConstruction("Rollup", abi.encode(p), _tooLarge(2 ** 40 + 2, type(uint40).max));
        p.slotDuration = SetLib.SLOT;
        _refusedConstruction("Rollup", abi.encode(p), _tooLarge(2 ** 40 + 3, type(uint40).max));
        p.epochDuration = 1;
        _refusedConstruction("Rollup", abi.encode(p), _tooLarge(2 ** 96, type(uint96).max));
        p.minimumStake = STAKE;
        _refusedConstruction("Rollup", abi.encode(p), _tooLarge(2 ** 40 + 4, type(uint40).max));
        p.exitDelay = 0;
        _refusedConstruction(
            "Rollup", abi.encode(p), abi.encodeWithSelector(IRollup.Rollup__EpochTooShort.selector, 0, 24)
        );
        p.epochDuration = SetLib.EPOCH;
        _refusedConstruction(
            "Rollup",
            abi.encode(p),
            abi.encodeWithSelector(IRollup.Rollup__ExitDelayOutOfBounds.selector, 0, 2 * EPOCH_SECONDS, 365 days)
        );
        p.exitDelay = 2 * EPOCH_SECONDS;
        _acceptedConstruction("Rollup", abi.encode(p));
    }

    /// @dev A stake that is too low fits, so those two are never wrong together.
    function test_deposit_refusesInOrder() public {
        _join(1);
        address target = address(rollup);
        bytes memory allowance =
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, target, 0, STAKE);
        bytes memory call_ = abi.encodeCall(IRollup.deposit, (_attester(1), address(0), _withdrawer(2), 2 ** 96));
        _refused(STRANGER, target, call_, _zeroAddress());
        bytes memory registered = abi.encodeWithSelector(IRollup.Rollup__AlreadyRegistered.selector, _attester(1));
        call_ = abi.encodeCall(IRollup.deposit, (_attester(1), _proposer(2), _withdrawer(2), 2 ** 96));
        _refused(STRANGER, target, call_, registered);
        call_ = abi.encodeCall(IRollup.deposit, (_attester(1), _proposer(2), _withdrawer(2), 0));
        _refused(STRANGER, target, call_, registered);
        call_ = abi.encodeCall(IRollup.deposit, (_attester(2), _proposer(2), _withdrawer(2), 2 ** 96));
        _refused(STRANGER, target, call_, _tooLarge(2 ** 96, type(uint96).max));
        call_ = abi.encodeCall(IRollup.deposit, (_attester(2), _proposer(2), _withdrawer(2), STAKE - 1));
        _refused(
            STRANGER, target, call_, abi.encodeWithSelector(IRollup.Rollup__StakeTooLow.selector, STAKE - 1, STAKE)
        );
        call_ = abi.encodeCall(IRollup.deposit, (_attester(2), _proposer(2), _withdrawer(2), STAKE));
        _refused(STRANGER, target, call_, allowance);
        _accepted(address(this), target, call_);
    }

    function test_initiateWithdraw_refusesInOrder() public {
        _join(1);
        _join(2);
        _leave(1);
        address target = address(rollup);
        bytes memory call_ = abi.encodeCall(IRollup.initiateWithdraw, (_attester(1), address(0)));
        _refused(STRANGER, target, call_, _notWithdrawer(STRANGER, _withdrawer(1)));
        _refused(
            _withdrawer(1), target, call_, abi.encodeWithSelector(IRollup.Rollup__AlreadyExiting.selector, _attester(1))
        );
        call_ = abi.encodeCall(IRollup.initiateWithdraw, (_attester(2), address(0)));
        _refused(_withdrawer(2), target, call_, _zeroAddress());
        call_ = abi.encodeCall(IRollup.initiateWithdraw, (_attester(2), _recipient(2)));
        _accepted(_withdrawer(2), target, call_);
    }

    /// @dev Who isn't exiting has no time from which it can exit, so the last two are never wrong together.
    function test_finaliseWithdraw_refusesInOrder() public {
        address target = address(rollup);
        bytes memory call_ = abi.encodeCall(IRollup.finaliseWithdraw, (_attester(1)));
        _refused(STRANGER, target, call_, _notRegistered(_attester(1)));
        _join(1);
        _refused(
            STRANGER,
            target,
            call_,
            abi.encodeWithSelector(IRollup.Rollup__NotExiting.selector, _attester(1), Status.Validating)
        );
        _leave(1);
        _refused(
            STRANGER,
            target,
            call_,
            abi.encodeWithSelector(IRollup.Rollup__ExitNotReady.selector, START, START + EXIT_DELAY)
        );
        vm.warp(START + EXIT_DELAY);
        _accepted(STRANGER, target, call_);
    }

    function test_setCoinbase_refusesInOrder() public {
        _join(1);
        address target = address(rollup);
        bytes memory call_ = abi.encodeCall(IRollup.setCoinbase, (_attester(1), address(0)));
        _refused(STRANGER, target, call_, _notWithdrawer(STRANGER, _withdrawer(1)));
        _refused(_withdrawer(1), target, call_, _zeroAddress());
        _accepted(_withdrawer(1), target, abi.encodeCall(IRollup.setCoinbase, (_attester(1), _recipient(1))));
    }

    function test_slash_refusesInOrder() public {
        address target = address(rollup);
        address owner = address(set.governance);
        bytes memory call_ = abi.encodeCall(IRollup.slash, (_attester(1), 0));
        _refused(STRANGER, target, call_, _notOwner(STRANGER));
        _refused(owner, target, call_, _notRegistered(_attester(1)));
        _join(1);
        _refused(owner, target, call_, abi.encodeWithSelector(IRollup.Rollup__NothingToSlash.selector, _attester(1)));
        _accepted(owner, target, abi.encodeCall(IRollup.slash, (_attester(1), 1)));
    }

    /// @dev The last two are about one argument, and never wrong together.
    function test_initiateMove_refusesInOrder() public {
        _join(1);
        _join(2);
        _leave(1);
        address target = address(rollup);
        address[2] memory wrong = [address(0), target];
        for (uint256 i; i < 2; ++i) {
            bytes memory call_ = abi.encodeCall(IRollup.initiateMove, (_attester(1), wrong[i]));
            _refused(STRANGER, target, call_, _notWithdrawer(STRANGER, _withdrawer(1)));
            _refused(_withdrawer(1), target, call_, _notValidating(_attester(1), Status.Exiting));
            call_ = abi.encodeCall(IRollup.initiateMove, (_attester(2), wrong[i]));
            bytes memory refusal = i == 0 ? _zeroAddress() : abi.encodeWithSelector(IRollup.Rollup__MoveToSelf.selector);
            _refused(_withdrawer(2), target, call_, refusal);
        }
        _accepted(_withdrawer(2), target, abi.encodeCall(IRollup.initiateMove, (_attester(2), address(set.rollup))));
    }

    /// @dev A rollup whose Registry answers what a test wants, in place of the tests' one.
    function _useScriptedRegistry() private returns (MeasuredAnswer registry) {
        registry = new MeasuredAnswer();
        RollupParameters memory p = _parameters();
        p.registry = IRegistry(address(registry));
        _use(p);
    }

    /// @dev Never wrong together are no move and its time, no answer and another rollup than the answered one, and the
    /// new rollup's refusal of the deposit and a wrong amount.
    function test_finaliseMove_refusesInOrder() public {
        MeasuredAnswer registry = _useScriptedRegistry();
        registry.distort(CANONICAL, 31, false);
        address target = address(rollup);
        bytes memory call_ = _moveCall(_attester(1));
        _refused(STRANGER, target, call_, _notRegistered(_attester(1)));

        // Out of the set, and the move that was announced is over.
        _join(1);
        _move(1, CODELESS);
        _slash(1, 1);
        _refused(STRANGER, target, call_, _notValidating(_attester(1), Status.Living));

        _join(2);
        call_ = _moveCall(_attester(2));
        _refused(STRANGER, target, call_, abi.encodeWithSelector(IRollup.Rollup__NoMove.selector, _attester(2)));
        _move(2, CODELESS);
        _refused(STRANGER, target, call_, _moveNotReady());
        vm.warp(START + EXIT_DELAY);
        _refused(STRANGER, target, call_, _noAnswer(address(registry), CANONICAL));
        registry.set(CANONICAL, uint160(address(set.rollup)));
        _refused(STRANGER, target, call_, _moveNotTo(CODELESS));
        registry.set(CANONICAL, uint160(CODELESS));
        _refused(STRANGER, target, call_, _noCode(CODELESS));
        _move(2, address(set.rollup));
        registry.set(CANONICAL, uint160(address(set.rollup)));
        _accepted(STRANGER, target, call_);
    }

    /// @dev Also while the canonical rollup answers, and is another one.
    function test_finaliseMove_refusesAnotherTargetLast() public {
        address target = address(rollup);
        bytes memory call_ = _moveCall(_attester(1));
        _join(1);
        _refused(STRANGER, target, call_, abi.encodeWithSelector(IRollup.Rollup__NoMove.selector, _attester(1)));
        _move(1, CODELESS);
        _refused(STRANGER, target, call_, _moveNotReady());
        vm.warp(START + EXIT_DELAY);
        _refused(STRANGER, target, call_, _moveNotTo(CODELESS));
    }

    function _moveNotReady() private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRollup.Rollup__MoveNotReady.selector, START, START + EXIT_DELAY);
    }

    function _moveNotTo(address target) private view returns (bytes memory) {
        return abi.encodeWithSelector(IRollup.Rollup__MoveNotToCanonical.selector, target, address(set.rollup));
    }

    /// @dev From the status on as without another attester.
    function test_finaliseMoveAs_refusesInOrder() public {
        _join(1);
        _join(2);
        _leave(1);
        address target = address(rollup);
        bytes memory call_ = _moveCall(_attester(1), address(0));
        _refused(STRANGER, target, call_, _notWithdrawer(STRANGER, _withdrawer(1)));
        _refused(_withdrawer(1), target, call_, _zeroAddress());
        call_ = _moveCall(_attester(1), _attester(3));
        _refused(_withdrawer(1), target, call_, _notValidating(_attester(1), Status.Exiting));
        call_ = _moveCall(_attester(2), _attester(3));
        _refused(_withdrawer(2), target, call_, abi.encodeWithSelector(IRollup.Rollup__NoMove.selector, _attester(2)));
        _move(2, address(set.rollup));
        _refused(_withdrawer(2), target, call_, _moveNotReady());
        vm.warp(START + EXIT_DELAY);
        _accepted(_withdrawer(2), target, call_);
    }

    /// @dev A slot without a proposer never has a block, so those two are never wrong together.
    function test_proposeBlock_refusesInOrder() public {
        _join(1);
        _toSeededEpoch(2);
        address target = address(rollup);
        bytes memory call_ = abi.encodeCall(IRollup.proposeBlock, ("block"));
        uint256 slot = rollup.getCurrentSlot();
        _accepted(_proposer(1), target, call_);

        bytes memory reason = _refusedWithLittleGas(STRANGER);
        bytes memory notProposer = abi.encodeWithSelector(IRollup.Rollup__NotProposer.selector, STRANGER, _proposer(1));
        vm.assertEq(reason, notProposer);
        reason = _refusedWithLittleGas(_proposer(1));
        vm.assertEq(reason, abi.encodeWithSelector(IRollup.Rollup__SlotAlreadyProposed.selector, slot));
        _toSlot(slot + 1);
        reason = _refusedWithLittleGas(_proposer(1));
        vm.assertEq(bytes32(bytes4(reason)), bytes32(IRollup.Rollup__NotEnoughGasForReward.selector));
        _accepted(_proposer(1), target, call_);

        // Without a seed nobody proposes, whatever the gas.
        _toEpoch(5);
        reason = _refusedWithLittleGas(STRANGER);
        vm.assertEq(reason, abi.encodeWithSelector(IRollup.Rollup__NotProposer.selector, STRANGER, address(0)));
    }

    /// @dev Enough for everything but the reward.
    function _refusedWithLittleGas(address caller) private returns (bytes memory reason) {
        bool success;
        vm.prank(caller);
        (success, reason) = address(rollup).call{gas: 200_000}(abi.encodeCall(IRollup.proposeBlock, ("block")));
        vm.assertFalse(success, "the block was accepted");
    }

    function test_getMember_refusesInOrder() public {
        _join(1);
        address target = address(rollup);
        _refused(
            STRANGER,
            target,
            abi.encodeCall(IRollup.getMember, (2, 1)),
            abi.encodeWithSelector(IRollup.Rollup__EpochOutOfRange.selector, 2, 0)
        );
        _refused(
            STRANGER,
            target,
            abi.encodeCall(IRollup.getMember, (1, 1)),
            abi.encodeWithSelector(IRollup.Rollup__IndexOutOfRange.selector, 1, 0)
        );
        _toEpoch(1);
        _accepted(STRANGER, target, abi.encodeCall(IRollup.getMember, (2, 0)));
    }
}
