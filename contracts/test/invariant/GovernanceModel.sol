// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Configuration, ProposalState} from "canon/interfaces/IGovernance.sol";
import {Action} from "canon/interfaces/IPayload.sol";
import {RollupHandler} from "./RollupHandler.sol";
import {Rule} from "./Rules.sol";

/// @notice What Governance should know, kept from what the actors did: power, proposals, withdrawals, the exit floor.
abstract contract GovernanceModel is RollupHandler {
    struct Point {
        uint256 time;
        uint256 value;
    }

    struct Item {
        Configuration c;
        uint256 created;
        address payload;
        bool byLock;
        /// The number of changes of the governance proposer before its creation.
        uint256 proposerChange;
        bytes32 actionsHash;
        uint256 yea;
        uint256 nea;
        uint256 executions;
        bool dropped;
        uint256 lastState;
        /// What was cast in time when the last objection had to be, as Governance said then; 0 before.
        bytes32 settled;
    }

    struct Exit {
        address holder;
        address recipient;
        uint256 amount;
        uint256 start;
        uint256 unlocksAt;
        bool claimed;
    }

    mapping(address holder => Point[]) internal powers;
    Point[] internal totals;
    Item[] internal items;
    mapping(uint256 id => Action[]) internal published;
    Exit[] internal exits;
    mapping(uint256 id => mapping(address voter => uint256)) internal yeaOf;
    mapping(uint256 id => mapping(address voter => uint256)) internal neaOf;
    mapping(uint256 id => mapping(address voter => uint256)) internal nonceOf;

    uint256 internal proposerChanges;
    Configuration internal present;
    uint256 internal configurations;
    uint256 internal floorDelay;
    uint256 internal floorUntil;
    /// @dev Due to withdrawals that weren't paid yet.
    uint256 internal owed;

    /*//////////////////////////////////////////////////////////////
                                  POWER
    //////////////////////////////////////////////////////////////*/

    function _record(Point[] storage points, uint256 value) private {
        uint256 length = points.length;
        if (length != 0 && points[length - 1].time == _now()) points[length - 1].value = value;
        else points.push(Point(_now(), value));
    }

    function _valueAt(Point[] storage points, uint256 time) private view returns (uint256) {
        for (uint256 i = points.length; i != 0; --i) {
            if (points[i - 1].time <= time) return points[i - 1].value;
        }
        return 0;
    }

    function _powerAt(address holder, uint256 time) internal view returns (uint256) {
        return _valueAt(powers[holder], time);
    }

    function _totalAt(uint256 time) internal view returns (uint256) {
        return _valueAt(totals, time);
    }

    function _gains(address holder, uint256 amount) internal {
        _record(powers[holder], _powerAt(holder, _now()) + amount);
        _record(totals, _totalAt(_now()) + amount);
    }

    /// @dev `holder` gives power up for withdrawal number `id`.
    function _withdraws(uint256 id, address holder, address recipient, uint256 amount, uint256 delay) internal {
        _check(id == exits.length, Rule.Withdrawals, "ids aren't sequential");
        _check(amount <= _powerAt(holder, _now()), Rule.Withdrawals, "more than the power");
        _record(powers[holder], _powerAt(holder, _now()) - amount);
        _record(totals, _totalAt(_now()) - amount);
        exits.push(Exit(holder, recipient, amount, _now(), _now() + delay, false));
        owed += amount;
        _check(
            governance.getWithdrawal(id).unlocksAt == _now() + delay, Rule.Withdrawals, "unlocks at another time"
        );
        for (uint256 i = _recent(); i < items.length; ++i) {
            if (yeaOf[i][holder] + neaOf[i][holder] != 0) _checkExit(i, id);
        }
    }

    /// @dev Who has a ballot on `proposal` doesn't get out with `exit` before that can be executed, unless it left
    /// before power was counted.
    function _checkExit(uint256 proposal, uint256 exit_) internal {
        if (exits[exit_].start <= _lastPending(proposal)) return;
        _check(exits[exit_].unlocksAt > _lastQueued(proposal), Rule.EarlyExit, "a voter is out before the execution");
    }

    /*//////////////////////////////////////////////////////////////
                              CONFIGURATIONS
    //////////////////////////////////////////////////////////////*/

    /// @dev D(c) of the specification.
    function _exitDelay(Configuration memory c) internal pure returns (uint256) {
        return c.votingDelay / 5 + c.votingDuration + c.executionDelay;
    }

    function _withdrawalDelay() internal view returns (uint256 delay) {
        delay = _exitDelay(present);
        if (_now() <= floorUntil && floorDelay > delay) delay = floorDelay;
    }

    function _greater(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a : b;
    }

    /// @dev What isn't raised is always allowed, and what is raised can be reached by many.
    function _withinBounds(Configuration memory c) private view returns (bool) {
        uint256 total = _totalAt(_now());
        uint256 lockAmount = c.proposeConfig.lockAmount;
        return c.quorum != 0 && c.quorum <= 0.9e18 && c.voteDifferential <= 0.9e18 && c.minimumVotes != 0
            && c.minimumVotes <= _greater(present.minimumVotes, total / 2) && lockAmount >= 2
            && lockAmount <= _greater(present.proposeConfig.lockAmount, total / 10);
    }

    /// @dev `c` comes in force now.
    function _configured(Configuration memory c) internal {
        _check(_withinBounds(c), Rule.Bounds, "a configuration out of bounds");
        if (_now() > floorUntil) floorDelay = 0;
        uint256 old = _exitDelay(present);
        if (old > floorDelay) floorDelay = old;
        uint256 until = _now() + present.votingDelay + present.votingDuration + present.executionDelay;
        if (until > floorUntil) floorUntil = until;
        present = c;
        ++configurations;
        _did("updateConfiguration");
    }

    /*//////////////////////////////////////////////////////////////
                                PROPOSALS
    //////////////////////////////////////////////////////////////*/

    /// @dev To bound the time, proposals older than the last 24 aren't looked at again.
    function _recent() internal view returns (uint256) {
        return items.length > 24 ? items.length - 24 : 0;
    }

    function _proposed(address payload, bool byLock, Action[] memory actions) internal {
        uint256 id = items.length;
        Item storage item = items.push();
        item.c = present;
        item.created = _now();
        item.payload = payload;
        item.byLock = byLock;
        item.proposerChange = proposerChanges;
        item.actionsHash = keccak256(abi.encode(actions));
        for (uint256 i; i < actions.length; ++i) {
            published[id].push(actions[i]);
        }
    }

    function _lastPending(uint256 id) internal view returns (uint256) {
        return items[id].created + items[id].c.votingDelay;
    }

    function _lastActive(uint256 id) internal view returns (uint256) {
        return _lastPending(id) + items[id].c.votingDuration;
    }

    function _lastObjection(uint256 id) internal view returns (uint256) {
        return _lastActive(id) + items[id].c.executionDelay / 2;
    }

    function _lastQueued(uint256 id) internal view returns (uint256) {
        return _lastActive(id) + items[id].c.executionDelay;
    }

    function _lastExecutable(uint256 id) internal view returns (uint256) {
        return _lastQueued(id) + items[id].c.gracePeriod;
    }

    function _ceil(uint256 a, uint256 b) private pure returns (uint256) {
        return a / b + (a % b == 0 ? 0 : 1);
    }

    /// @dev The tabulation of the specification.
    function _accepted(uint256 id) internal view returns (bool) {
        Item storage item = items[id];
        uint256 total = _totalAt(_lastPending(id));
        if (total < item.c.minimumVotes) return false;
        uint256 cast = item.yea + item.nea;
        if (cast < _ceil(total * item.c.quorum, 1e18)) return false;
        if (item.yea == cast) return true;
        return item.yea > _ceil(cast * _ceil(1e18 + item.c.voteDifferential, 2), 1e18);
    }

    /// @dev The state that the specification gives.
    function _state(uint256 id) internal view returns (ProposalState) {
        Item storage item = items[id];
        if (item.executions != 0) return ProposalState.Executed;
        if (item.dropped || (!item.byLock && item.proposerChange != proposerChanges)) return ProposalState.Dropped;
        if (_now() <= _lastPending(id)) return ProposalState.Pending;
        if (_now() <= _lastActive(id)) return ProposalState.Active;
        if (!_accepted(id)) return ProposalState.Rejected;
        if (_now() <= _lastQueued(id)) return ProposalState.Queued;
        return _now() <= _lastExecutable(id) ? ProposalState.Executable : ProposalState.Expired;
    }

    /// @dev Whether a ballot for or against is taken now.
    function _takesBallots(uint256 id, bool support) internal view returns (bool) {
        if (id >= items.length) return false;
        ProposalState state = _state(id);
        return state == ProposalState.Active
            || (state == ProposalState.Queued && !support && _now() <= _lastObjection(id));
    }

    /// @dev After the last objection a proposal's ballots stay as they are.
    function _observeFinality(uint256 id) private {
        Item storage item = items[id];
        if (_now() <= _lastObjection(id)) return;
        bytes32 ballots = keccak256(abi.encode(governance.getProposal(id).summedBallot));
        if (item.settled == 0) item.settled = ballots;
        else _check(item.settled == ballots, Rule.Finality, "a ballot after the last objection");
    }

    /// @dev Counts the states met, and checks that none leads back.
    function _observeStates() internal {
        string[8] memory names =
            ["Pending", "Active", "Queued", "Executable", "Rejected", "Executed", "Dropped", "Expired"];
        for (uint256 i = _recent(); i < items.length; ++i) {
            ProposalState state = governance.getProposalState(i);
            _check(state == _state(i), Rule.States, string.concat("not ", names[uint256(_state(i))]));
            uint256 last = items[i].lastState;
            uint256 next = uint256(state);
            if (i + 8 >= items.length) _observeFinality(i);
            if (next == last) continue;
            _check(
                last != uint256(ProposalState.Rejected) || next == uint256(ProposalState.Dropped),
                Rule.Rejections,
                "a refusal that became something else"
            );
            _check(
                last != uint256(ProposalState.Executable) || next != uint256(ProposalState.Rejected),
                Rule.Finality,
                "a refusal of what could be executed"
            );
            if (last == uint256(ProposalState.Queued) && next == uint256(ProposalState.Rejected)) _did("tipped");
            // Pending 0 < Active 1 < Queued 2 < Executable 3; the rest are ends, which only a drop follows.
            bool forward = last < 4 ? next > last : next == uint256(ProposalState.Dropped);
            _check(forward && last != 5 && last != 6, Rule.States, "a state that led back");
            items[i].lastState = next;
            _did(names[next]);
        }
    }
}
