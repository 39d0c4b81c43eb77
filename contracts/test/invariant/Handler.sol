// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {IRollup} from "canon/interfaces/IRollup.sol";
import {ListPayload} from "../mocks/ListPayload.sol";
import {SetLib} from "../Set.sol";
import {SignalHandler} from "./SignalHandler.sol";

/// @notice All that actors do, and time.
contract Handler is SignalHandler {
    constructor() {
        present = governance.getConfiguration();
        configurations = 1;
        versions.push(address(0xdEaD));
        versions.push(address(set.rollup));
        distributorOwner = address(governance);
        supply = asset.totalSupply();
        _addRollup(set.rollup);
        // A beginning, so that short sequences reach something.
        for (uint256 i; i < 4; ++i) _stake(set.rollup, _attester());
        for (uint256 i; i < HOLDERS; ++i) {
            vm.prank(holders[i]);
            governance.deposit(holders[i], BALANCE / 2);
            _gains(holders[i], BALANCE / 2);
        }
        _warpTo(_now() + 2 * SetLib.EPOCH * SetLib.SLOT);
        _makePayload(0);
    }

    function _observe() internal override {
        _observeStates();
        _observeRollups();
    }

    /// @notice Aimed at the seconds where something ends.
    function wait(uint256 seed) external step(seed) {
        uint256 target = _target();
        // Around the boundary.
        target = target + _draw(3) - 1;
        if (target <= _now() || target > _now() + 6 hours) target = _now() + 1 + _draw(60);
        _warpTo(target);
        _did("wait");
    }

    function _target() private returns (uint256) {
        uint256 kind = _draw(7);
        if (kind == 0 && items.length != 0) {
            uint256 id = _proposal();
            uint256 boundary = _draw(4);
            if (boundary == 0) return _lastPending(id);
            if (boundary == 1) return _lastActive(id);
            if (boundary == 2) return _lastQueued(id);
            return _lastExecutable(id);
        }
        if (kind == 1 && exits.length != 0) return exits[_draw(exits.length)].unlocksAt;
        if (kind == 2) return floorUntil + 1;
        IRollup rollup = rollups[rollups.length - 1];
        uint256 slot = rollup.getCurrentSlot();
        if (kind == 3) return rollup.getTimestampForSlot(slot + 1);
        if (kind == 4) return rollup.getTimestampForSlot((slot / SetLib.EPOCH + 1) * SetLib.EPOCH);
        if (kind == 5) return rollup.getTimestampForSlot((slot / SetLib.M + 1) * SetLib.M);
        // Nobody touches anything for a while.
        return _now() + _draw(100) * SetLib.EPOCH * SetLib.SLOT;
    }

    function dump(uint256 seed) external step(seed) {
        address from = _holder();
        uint256 amount = _amount(asset.balanceOf(from) / 4);
        (bool success,) = _call(from, address(asset), abi.encodeCall(asset.transfer, (_holder(), amount)));
        if (success) _did("dump");
    }

    /*//////////////////////////////////////////////////////////////
                                  CHECKS
    //////////////////////////////////////////////////////////////*/

    /// @notice Asset balance of Governance, all power, unpaid withdrawals by the contract and by the model, and what was
    /// sent without a deposit.
    function solvency()
        external
        view
        returns (uint256 balance, uint256 power, uint256 due, uint256 modelDue, uint256 gift_)
    {
        for (uint256 i; i < exits.length; ++i) {
            if (!governance.getWithdrawal(i).claimed) due += governance.getWithdrawal(i).amount;
        }
        balance = asset.balanceOf(address(governance));
        return (balance, governance.totalPowerAt(_now()), due, owed, gifts[address(governance)]);
    }

    /// @notice Where stakes and exits of a rollup don't add up to its balance; 0 if nowhere.
    function insolventRollup() external view returns (address) {
        for (uint256 i; i < rollups.length; ++i) {
            uint256 staked;
            for (uint256 j; j < ATTESTERS; ++j) {
                (uint256 amount,,,) = rollups[i].getInfo(address(uint160(0xA77E57E0 + j)));
                staked += amount;
            }
            uint256 balance = asset.balanceOf(address(rollups[i]));
            uint256 rest = models[rollups[i]].slashed + gifts[address(rollups[i])];
            if (staked != models[rollups[i]].stakes || balance != staked + rest) return address(rollups[i]);
        }
        return address(0);
    }

    /// @notice Power at some second, of all and of every holder, against the model; false if anything differs.
    function powerAgrees(uint256 seed) external view returns (bool sum, bool model) {
        uint256 time = _now();
        uint256 length = totals.length;
        // Around a second in which something changed, or anywhere.
        if (seed % 3 == 0) time = totals[uint256(keccak256(abi.encode(seed))) % length].time;
        if (seed % 3 == 1) time = totals[uint256(keccak256(abi.encode(seed))) % length].time - 1;
        if (seed % 3 == 2) time -= uint256(keccak256(abi.encode(seed))) % (time - totals[0].time + 1);
        uint256 total;
        model = true;
        for (uint256 i; i < HOLDERS; ++i) {
            uint256 power = governance.powerAt(holders[i], time);
            total += power;
            if (power != _powerAt(holders[i], time)) model = false;
        }
        uint256 all = governance.totalPowerAt(time);
        sum = total == all && governance.powerAt(address(governance), time) == 0;
        if (all != _totalAt(time)) model = false;
    }

    /// @notice Of the newest proposals: ballots within power, sums of ballots, sums within the total.
    function ballotsAgree() external view returns (bool within, bool sums, bool total) {
        (within, sums, total) = (true, true, true);
        for (uint256 id = items.length > 8 ? items.length - 8 : 0; id < items.length; ++id) {
            if (_now() <= _lastPending(id)) continue;
            uint256 yeas;
            uint256 neas;
            for (uint256 i; i < HOLDERS; ++i) {
                (uint256 yea, uint256 nea) = governance.ballots(id, holders[i]);
                yeas += yea;
                neas += nea;
                if (yea != yeaOf[id][holders[i]] || nea != neaOf[id][holders[i]]) sums = false;
                if (yea + nea > governance.powerAt(holders[i], _lastPending(id))) within = false;
            }
            (uint256 yea_, uint256 nea_) =
                (governance.getProposal(id).summedBallot.yea, governance.getProposal(id).summedBallot.nea);
            if (yea_ != yeas || nea_ != neas) sums = false;
            if (yeas + neas > governance.totalPowerAt(_lastPending(id))) total = false;
        }
    }

    /// @notice Of the newest rounds: signals within slots; counts and leader as in the model; at most one winner; a pushed
    /// one had a winner whose proposal exists.
    function roundsAgree() external view returns (bool within, bool counts, bool winner, bool pushed) {
        (within, counts, winner, pushed) = (true, true, true, true);
        for (uint256 i = roundKeys.length > 4 ? roundKeys.length - 4 : 0; i < roundKeys.length; ++i) {
            Round storage round = rounds[roundKeys[i]];
            uint256 sum;
            uint256 winners;
            for (uint256 j; j < round.payloads.length; ++j) {
                uint256 count = round.proposals.yeaCount(round.instance, round.number, round.payloads[j]);
                sum += count;
                if (count != countOf[roundKeys[i]][round.payloads[j]]) counts = false;
                if (count >= SetLib.N) ++winners;
            }
            (uint256 last, address leader, bool executed) = round.proposals.rounds(round.instance, round.number);
            if (sum > SetLib.M || sum != round.signals) within = false;
            if (last != round.lastSlot || leader != round.leader) counts = false;
            if (winners > 1) winner = false;
            if (executed != (round.nextId != 0)) pushed = false;
            if (executed) {
                uint256 count = round.proposals.yeaCount(round.instance, round.number, leader);
                (bool exists, uint256 id) = round.proposals.proposalOf(round.instance, round.number);
                if (count < SetLib.N || !exists || id + 1 != round.nextId) pushed = false;
                if (pushed && governance.getProposal(id).payload != leader) pushed = false;
            }
        }
    }

    /// @notice Of all proposals: executed at most once, and those accepted; creation times that never decrease.
    function proposalsAgree() external view returns (bool once, bool accepted, bool hashes, bool times) {
        (once, accepted, hashes, times) = (governance.proposalCount() == items.length, true, true, true);
        uint256 last;
        for (uint256 id = _recent(); id < items.length; ++id) {
            uint256 creation = governance.getProposal(id).creation;
            if (creation < last || creation != items[id].created) times = false;
            last = creation;
            bool executed = governance.getProposalState(id) == ProposalState.Executed;
            if (items[id].executions != (executed ? 1 : 0)) once = false;
            if (executed && !_accepted(id)) accepted = false;
            if (governance.actionsHash(id) != items[id].actionsHash) hashes = false;
        }
    }

    /// @notice The Registry's versions against all that it ever had.
    function registryAgrees() external view returns (bool) {
        uint256 count = versions.length;
        if (registry.numberOfVersions() != count || registry.getRollup() != versions[count - 1]) return false;
        for (uint256 i; i < count; ++i) {
            (address rollup,) = registry.getSnapshot(i);
            if (rollup != versions[i] || registry.getVersionFor(rollup) != i) return false;
        }
        (address none,) = registry.getSnapshot(count);
        return none == address(0);
    }

    function ownersAgree() external view returns (bool) {
        for (uint256 i; i < rollups.length; ++i) {
            if (Ownable(address(rollups[i])).owner() != address(governance)) return false;
        }
        return Ownable(address(registry)).owner() == address(governance)
            && Ownable(address(set.issuer)).owner() == address(governance)
            && Ownable(address(asset)).owner() == address(set.issuer)
            && Ownable(address(distributor)).owner() == distributorOwner;
    }

    function withdrawalsAgree() external view returns (bool) {
        if (governance.withdrawalCount() != exits.length) return false;
        for (uint256 i = exits.length > 20 ? exits.length - 20 : 0; i < exits.length; ++i) {
            Exit storage e = exits[i];
            bytes32 expected = keccak256(abi.encode(e.amount, e.unlocksAt, e.recipient, e.claimed));
            if (keccak256(abi.encode(governance.getWithdrawal(i))) != expected) return false;
        }
        return true;
    }

    function configurationAgrees() external view returns (bool configuration, bool floor) {
        configuration = keccak256(abi.encode(governance.getConfiguration())) == keccak256(abi.encode(present))
            && governance.numberOfConfigurations() == configurations;
        (uint256 delay, uint256 until) = governance.exitFloor();
        floor = delay == floorDelay && until == floorUntil;
    }

    function noncesAgree() external view returns (bool) {
        for (uint256 id = items.length > 8 ? items.length - 8 : 0; id < items.length; ++id) {
            for (uint256 i; i < HOLDERS; ++i) {
                if (governance.ballotNonce(id, holders[i]) != nonceOf[id][holders[i]]) return false;
            }
        }
        return true;
    }

    function blocksAgree() external view returns (bool) {
        for (uint256 i; i < rollups.length; ++i) {
            if (rollups[i].blockNumber() != models[rollups[i]].blocks) return false;
        }
        return true;
    }

    /// @notice Supply and what the distributor has left.
    function moneyAgrees() external view returns (bool) {
        return asset.totalSupply() == supply && supply <= asset.MAX_SUPPLY()
            && asset.balanceOf(address(distributor)) == gifts[address(distributor)];
    }

    /// @notice The way out: through the lock, with all that holders can lock, to an execution.
    /// @dev Changes everything; the caller undoes it.
    function lockPathActs() external returns (string memory obstacle) {
        uint256 needed = present.proposeConfig.lockAmount;
        for (uint256 i; i < HOLDERS; ++i) {
            uint256 amount = asset.balanceOf(holders[i]);
            if (amount == 0) continue;
            vm.prank(holders[i]);
            governance.deposit(holders[i], amount);
            _gains(holders[i], amount);
        }
        address rich;
        for (uint256 i; i < HOLDERS; ++i) {
            if (_powerAt(holders[i], _now()) >= needed) rich = holders[i];
        }
        if (rich == address(0)) return "";
        if (!_lock(rich, address(new ListPayload(_one(address(this), abi.encodeCall(this.steps, ())))))) {
            return "can't propose";
        }
        uint256 id = items.length - 1;
        vm.warp(_lastPending(id) + 1);
        if (_totalAt(_lastPending(id)) < items[id].c.minimumVotes) return "";
        _acceptByAll(id);
        vm.warp(_lastQueued(id) + 1);
        vm.prank(stranger);
        try governance.execute(id) {}
        catch {
            return "can't execute";
        }
        if (governance.getProposalState(id) != ProposalState.Executed) return "not executed";
        return "";
    }

    /*//////////////////////////////////////////////////////////////
                              WHAT TO CALL
    //////////////////////////////////////////////////////////////*/

    /// @notice All steps; some twice, so that they come more often.
    function actions() external pure returns (bytes4[] memory list) {
        list = new bytes4[](43);
        list[0] = this.stake.selector;
        list[1] = this.exit.selector;
        list[2] = this.finaliseExit.selector;
        list[3] = this.announceMove.selector;
        list[4] = this.finaliseMove.selector;
        list[5] = this.setCoinbase.selector;
        list[6] = this.setupEpoch.selector;
        list[7] = this.proposeBlock.selector;
        list[8] = this.claimDirectly.selector;
        list[9] = this.gift.selector;
        list[10] = this.tweakHostileRollup.selector;
        list[11] = this.makePayload.selector;
        list[12] = this.changePayload.selector;
        list[13] = this.replacePayload.selector;
        list[14] = this.passOwnership.selector;
        list[15] = this.trespass.selector;
        list[16] = this.deposit.selector;
        list[17] = this.depositWithPermit.selector;
        list[18] = this.withdraw.selector;
        list[19] = this.finaliseWithdrawal.selector;
        list[20] = this.vote.selector;
        list[21] = this.voteWithSig.selector;
        list[22] = this.invalidateBallots.selector;
        list[23] = this.lock.selector;
        list[24] = this.flood.selector;
        list[25] = this.execute.selector;
        list[26] = this.drop.selector;
        list[27] = this.enact.selector;
        list[28] = this.signal.selector;
        list[29] = this.signalRound.selector;
        list[30] = this.push.selector;
        list[31] = this.campaign.selector;
        list[32] = this.wait.selector;
        list[33] = this.dump.selector;
        list[34] = this.push.selector;
        list[35] = this.signalRound.selector;
        list[36] = this.vote.selector;
        list[37] = this.wait.selector;
        list[38] = this.campaignAgain.selector;
        list[39] = this.enactRare.selector;
        list[40] = this.finaliseMove.selector;
        list[41] = this.contest.selector;
        list[42] = this.contest.selector;
    }

    /// @notice What a long run must have reached at least once.
    function wanted() external pure returns (string[] memory list) {
        list = new string[](75);
        list[0] = "Active";
        list[1] = "Queued";
        list[2] = "Executable";
        list[3] = "Rejected";
        list[4] = "Executed";
        list[5] = "Dropped";
        list[6] = "Expired";
        list[7] = "stake";
        list[8] = "exit";
        list[9] = "finaliseExit";
        list[10] = "announceMove";
        list[11] = "finaliseMove";
        list[12] = "setCoinbase";
        list[13] = "setupEpoch";
        list[14] = "proposeBlock";
        list[15] = "reward";
        list[16] = "claimAsHostile";
        list[17] = "gift";
        list[18] = "tweakHostileRollup";
        list[19] = "slash";
        list[20] = "makePayload";
        list[21] = "changePayload";
        list[22] = "replacePayload";
        list[23] = "acceptOwnership";
        list[24] = "trespass";
        list[25] = "mint";
        list[26] = "updateConfiguration";
        list[27] = "updateGovernanceProposer";
        list[28] = "upgrade";
        list[29] = "upgradeToHostile";
        list[30] = "deposit";
        list[31] = "depositWithPermit";
        list[32] = "withdraw";
        list[33] = "finaliseWithdrawal";
        list[34] = "vote";
        list[35] = "voteWithSig";
        list[36] = "invalidateBallots";
        list[37] = "proposeWithLock";
        list[38] = "flood";
        list[39] = "execute";
        list[40] = "executeWith";
        list[41] = "drop";
        list[42] = "enact";
        list[43] = "signal";
        list[44] = "signalWithSig";
        list[45] = "signalRound";
        list[46] = "quorum";
        list[47] = "push";
        list[48] = "campaign";
        list[49] = "wait";
        list[50] = "dump";
        list[51] = "executed kind 0";
        list[52] = "executed kind 1";
        list[53] = "executed kind 2";
        list[54] = "executed kind 3";
        list[55] = "executed kind 4";
        list[56] = "executed kind 5";
        list[57] = "executed kind 9";
        list[58] = "executed kind 10";
        list[59] = "executed kind 11";
        list[60] = "executed kind 12";
        list[61] = "executed kind 13";
        list[62] = "executed kind 14";
        list[63] = "executed kind 15";
        list[64] = "executed kind 16";
        list[65] = "executed kind 17";
        list[66] = "executed kind 18";
        list[67] = "campaignAgain";
        list[68] = "enactRare";
        list[69] = "contest";
        list[70] = "object";
        list[71] = "tipped";
        list[72] = "finaliseMoveRenamed";
        list[73] = "seeded";
        list[74] = "silent";
    }
}
