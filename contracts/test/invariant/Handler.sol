// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ballot, IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {IRollup} from "canon/interfaces/IRollup.sol";
import {ListPayload} from "../mocks/ListPayload.sol";
import {SetLib} from "../Set.sol";
import {Rule} from "./Rules.sol";
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

    /// @notice Compares the contracts with the model; `breaches` returns what differs.
    function compare() external {
        _compareBalance();
        _compareRollups();
        _comparePower();
        _compareBallots();
        _compareRounds();
        _compareProposals();
        _compareRegistry();
        _compareOwners();
        _compareWithdrawals();
        _compareConfiguration();
        _compareSets();
        _compareRewards();
    }

    /// @dev Governance has the total power, unclaimed withdrawals, and what was sent to it without a deposit.
    function _compareBalance() private {
        uint256 due;
        for (uint256 i; i < exits.length; ++i) {
            if (!governance.getWithdrawal(i).claimed) due += governance.getWithdrawal(i).amount;
        }
        _check(due == owed, Rule.GovernanceSolvency, "unclaimed withdrawals");
        uint256 expected = governance.totalPowerAt(_now()) + due + gifts[address(governance)];
        _check(asset.balanceOf(address(governance)) == expected, Rule.GovernanceSolvency, "balance");
    }

    /// @dev A rollup has its stakes and exits, what was slashed, and what was sent to it without a deposit.
    function _compareRollups() private {
        for (uint256 i; i < rollups.length; ++i) {
            Model storage m = models[rollups[i]];
            uint256 staked;
            for (uint256 j; j < ATTESTERS; ++j) {
                (uint256 amount,,,) = rollups[i].getInfo(address(uint160(0xA77E57E0 + j)));
                staked += amount;
            }
            uint256 rest = m.slashed + gifts[address(rollups[i])];
            _check(staked == m.stakes, Rule.RollupSolvency, "stakes");
            _check(asset.balanceOf(address(rollups[i])) == staked + rest, Rule.RollupSolvency, "balance");
            _check(rollups[i].blockNumber() == m.blocks, Rule.Blocks, "number of blocks");
        }
    }

    /// @dev Power at some second, of all and of every holder.
    function _comparePower() private {
        uint256 random = uint256(keccak256(abi.encode(steps)));
        uint256 time = _now();
        // Around a second in which something changed, or anywhere.
        if (steps % 3 == 0) time = totals[random % totals.length].time;
        if (steps % 3 == 1) time = totals[random % totals.length].time - 1;
        if (steps % 3 == 2) time -= random % (time - totals[0].time + 1);
        uint256 sum;
        for (uint256 i; i < HOLDERS; ++i) {
            uint256 power = governance.powerAt(holders[i], time);
            sum += power;
            _check(power == _powerAt(holders[i], time), Rule.PastPower, "a holder's power");
        }
        uint256 total = governance.totalPowerAt(time);
        _check(sum == total, Rule.TotalPower, "another sum");
        _check(governance.powerAt(address(governance), time) == 0, Rule.TotalPower, "Governance has power");
        _check(total == _totalAt(time), Rule.PastPower, "the total power");
    }

    /// @dev Ballots and nonces of the newest proposals.
    function _compareBallots() private {
        for (uint256 id = items.length > 8 ? items.length - 8 : 0; id < items.length; ++id) {
            for (uint256 i; i < HOLDERS; ++i) {
                bool agrees = governance.ballotNonce(id, holders[i]) == nonceOf[id][holders[i]];
                _check(agrees, Rule.Signatures, "another nonce");
            }
            if (_now() > _lastPending(id)) _compareTally(id);
        }
    }

    function _compareTally(uint256 id) private {
        uint256 yeas;
        uint256 neas;
        for (uint256 i; i < HOLDERS; ++i) {
            (uint256 yea, uint256 nea) = governance.ballots(id, holders[i]);
            yeas += yea;
            neas += nea;
            _check(yea == yeaOf[id][holders[i]] && nea == neaOf[id][holders[i]], Rule.Tallies, "another ballot");
            uint256 power = governance.powerAt(holders[i], _lastPending(id));
            _check(yea + nea <= power, Rule.Ballots, "more than the power");
        }
        Ballot memory tally = governance.getProposal(id).summedBallot;
        _check(tally.yea == yeas && tally.nea == neas, Rule.Tallies, "another sum");
        _check(yeas + neas <= governance.totalPowerAt(_lastPending(id)), Rule.TallyLimit, "more than the total");
    }

    /// @dev The newest rounds.
    function _compareRounds() private {
        for (uint256 i = roundKeys.length > 4 ? roundKeys.length - 4 : 0; i < roundKeys.length; ++i) {
            Round storage round = rounds[roundKeys[i]];
            uint256 sum;
            uint256 winners;
            for (uint256 j; j < round.payloads.length; ++j) {
                uint256 count = round.proposals.yeaCount(round.instance, round.number, round.payloads[j]);
                sum += count;
                _check(count == countOf[roundKeys[i]][round.payloads[j]], Rule.Signals, "another count");
                if (count >= SetLib.N) ++winners;
            }
            _check(sum <= SetLib.M && sum == round.signals, Rule.SignalLimit, "another number of signals");
            _check(winners <= 1, Rule.OneWinner, "two payloads reached the quorum");
            _compareRound(round);
        }
    }

    /// @dev Last slot and leader; a pushed round had a winner whose proposal exists.
    function _compareRound(Round storage round) private {
        (uint256 last, address leader, bool executed) = round.proposals.rounds(round.instance, round.number);
        _check(last == round.lastSlot && leader == round.leader, Rule.Signals, "another last slot or leader");
        _check(executed == (round.nextId != 0), Rule.Pushes, "pushed, or not, unlike the model");
        if (!executed) return;
        uint256 count = round.proposals.yeaCount(round.instance, round.number, leader);
        (bool exists, uint256 id) = round.proposals.proposalOf(round.instance, round.number);
        bool known = exists && id + 1 == round.nextId;
        _check(count >= SetLib.N && known, Rule.Pushes, "pushed without a winner, or as another proposal");
        if (known) _check(governance.getProposal(id).payload == leader, Rule.Pushes, "another payload");
    }

    function _compareProposals() private {
        _check(governance.proposalCount() == items.length, Rule.OneExecution, "another number of proposals");
        uint256 last;
        for (uint256 id = _recent(); id < items.length; ++id) {
            uint256 creation = governance.getProposal(id).creation;
            _check(creation >= last && creation == items[id].created, Rule.CreationTimes, "another creation time");
            last = creation;
            bool executed = governance.getProposalState(id) == ProposalState.Executed;
            _check(items[id].executions == (executed ? 1 : 0), Rule.OneExecution, "executed twice, or unnoticed");
            if (executed) _check(_accepted(id), Rule.Acceptance, "executed though not accepted");
            bool sameActions = governance.actionsHash(id) == items[id].actionsHash;
            _check(sameActions, Rule.PublishedActions, "another hash than that of the published actions");
        }
    }

    /// @dev The Registry's versions against all that it ever had.
    function _compareRegistry() private {
        uint256 count = versions.length;
        _check(registry.numberOfVersions() == count, Rule.Registry, "another number of versions");
        _check(registry.getRollup() == versions[count - 1], Rule.Registry, "another canonical rollup");
        for (uint256 i; i < count; ++i) {
            (address rollup,) = registry.getSnapshot(i);
            bool agrees = rollup == versions[i] && registry.getVersionFor(rollup) == i;
            _check(agrees, Rule.Registry, "a version that changed");
        }
        (address none,) = registry.getSnapshot(count);
        _check(none == address(0), Rule.Registry, "a version after the last");
    }

    function _compareOwners() private {
        for (uint256 i; i < rollups.length; ++i) {
            _compareOwner(address(rollups[i]), address(governance));
        }
        _compareOwner(address(registry), address(governance));
        _compareOwner(address(set.issuer), address(governance));
        _compareOwner(address(asset), address(set.issuer));
        _compareOwner(address(distributor), distributorOwner);
    }

    function _compareOwner(address owned, address owner) private {
        _check(Ownable(owned).owner() == owner, Rule.Ownership, "another owner");
    }

    /// @dev The newest withdrawals.
    function _compareWithdrawals() private {
        _check(governance.withdrawalCount() == exits.length, Rule.Withdrawals, "another number of withdrawals");
        for (uint256 i = exits.length > 20 ? exits.length - 20 : 0; i < exits.length; ++i) {
            Exit storage e = exits[i];
            bytes32 expected = keccak256(abi.encode(e.amount, e.unlocksAt, e.recipient, e.claimed));
            bool agrees = keccak256(abi.encode(governance.getWithdrawal(i))) == expected;
            _check(agrees, Rule.Withdrawals, "a withdrawal that changed");
        }
    }

    function _compareConfiguration() private {
        bool agrees = keccak256(abi.encode(governance.getConfiguration())) == keccak256(abi.encode(present))
            && governance.numberOfConfigurations() == configurations;
        _check(agrees, Rule.Configuration, "another configuration");
        (uint256 delay, uint256 until) = governance.exitFloor();
        _check(delay == floorDelay && until == floorUntil, Rule.Configuration, "another exit floor");
    }

    /// @dev The supply, and what the distributor has left.
    function _compareRewards() private {
        _check(asset.totalSupply() == supply && supply <= asset.MAX_SUPPLY(), Rule.Rewards, "another supply");
        uint256 left = asset.balanceOf(address(distributor));
        _check(left == gifts[address(distributor)], Rule.Rewards, "another balance of the distributor");
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
