// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IGovernance, ProposalState} from "canon/interfaces/IGovernance.sol";
import {Action} from "canon/interfaces/IPayload.sol";
import {BallotMessage, PermitMessage, TypedData} from "../TypedData.sol";
import {Recorder} from "./Recorder.sol";
import {Rule} from "./Rules.sol";

/// @notice Holders, relayers and keepers of Governance.
abstract contract GovernanceHandler is Recorder {
    function _governance(address from, bytes memory data) internal returns (bool success) {
        (success,) = _call(from, address(governance), data);
    }

    /*//////////////////////////////////////////////////////////////
                           LOCKING AND LEAVING
    //////////////////////////////////////////////////////////////*/

    function deposit(uint256 seed) external step(seed) {
        address from = _holder();
        address onBehalfOf = _chance(3) ? _holder() : from;
        uint256 amount = _amount(asset.balanceOf(from));
        if (_chance(20)) onBehalfOf = address(0);
        if (_chance(20)) onBehalfOf = address(governance);
        if (_chance(20)) from = address(governance);
        bool allowed =
            onBehalfOf != address(0) && onBehalfOf != address(governance) && from != address(governance) && amount != 0;
        bool success = _governance(from, abi.encodeCall(IGovernance.deposit, (onBehalfOf, amount)));
        _check(success == allowed, Rule.Withdrawals, "deposit");
        if (!success) return;
        _gains(onBehalfOf, amount);
        _did("deposit");
    }

    function depositWithPermit(uint256 seed) external step(seed) {
        address from = holders[_draw(8)];
        uint256 amount = _amount(asset.balanceOf(from));
        PermitMessage memory permit =
            PermitMessage(from, address(governance), amount, asset.nonces(from), type(uint256).max);
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(keyOf[from], TypedData.digestOf(permit, block.chainid, address(asset)));
        // Somebody else may have used the permit up.
        if (_chance(3)) asset.permit(from, address(governance), amount, type(uint256).max, v, r, s);
        bool success = _governance(
            from,
            abi.encodeCall(IGovernance.depositWithPermit, (from, amount, type(uint256).max, v, r, s))
        );
        _approve(from, address(governance));
        _check(success == (amount != 0), Rule.Withdrawals, "depositWithPermit");
        if (!success) return;
        _gains(from, amount);
        _did("depositWithPermit");
    }

    function withdraw(uint256 seed) external step(seed) {
        address holder = _holder();
        address to = _chance(4) ? _holder() : holder;
        if (_chance(15)) to = address(0);
        uint256 power = _powerAt(holder, _now());
        // Not too much too often, so that enough power stays to decide.
        uint256 amount = _amount(_chance(4) ? power : power / 10);
        if (_chance(15)) amount = power + 1 + _draw(1e18);
        uint256 id = governance.withdrawalCount();
        bool success = _governance(holder, abi.encodeCall(IGovernance.initiateWithdraw, (to, amount)));
        _check(success == (to != address(0) && amount != 0 && amount <= power), Rule.Withdrawals, "initiateWithdraw");
        if (!success) return;
        _withdraws(id, holder, to, amount, _withdrawalDelay());
        _did("withdraw");
    }

    function finaliseWithdrawal(uint256 seed) external step(seed) {
        if (exits.length == 0) return;
        uint256 id = _draw(exits.length);
        for (uint256 i; i < 3 && exits[id].claimed; ++i) id = _draw(exits.length);
        Exit storage exit_ = exits[id];
        uint256 balance = asset.balanceOf(exit_.recipient);
        bool success = _governance(_holder(), abi.encodeCall(IGovernance.finaliseWithdraw, (id)));
        _check(success == (!exit_.claimed && _now() >= exit_.unlocksAt), Rule.Withdrawals, "finaliseWithdraw");
        if (!success) return;
        _check(asset.balanceOf(exit_.recipient) == balance + exit_.amount, Rule.Withdrawals, "paid another amount");
        exit_.claimed = true;
        owed -= exit_.amount;
        _did("finaliseWithdrawal");
    }

    /*//////////////////////////////////////////////////////////////
                                 VOTING
    //////////////////////////////////////////////////////////////*/

    /// @dev A proposal, mostly a recent one.
    function _proposal() internal returns (uint256) {
        if (items.length == 0) return 0;
        uint256 last = items.length > 5 && !_chance(5) ? 5 : items.length;
        return items.length - 1 - _draw(last);
    }

    /// @dev A proposal that takes ballots, if time may bring one there.
    function _votable() private returns (uint256 id) {
        for (uint256 i = _recent(); i < items.length; ++i) {
            if (_state(i) == ProposalState.Active && !_chance(4)) return i;
        }
        id = _proposal();
        for (uint256 i; i < 6 && id < items.length && _state(id) != ProposalState.Pending; ++i) id = _proposal();
        // A new one if none is pending.
        bool pending = id < items.length && _state(id) == ProposalState.Pending;
        if (!pending && _chance(2) && _lockByRich(_payload())) (id, pending) = (items.length - 1, true);
        if (pending) _warpTo(_lastPending(id) + _draw(4));
    }

    function _unused(uint256 id, address voter) internal view returns (uint256) {
        return _powerAt(voter, _lastPending(id)) - yeaOf[id][voter] - neaOf[id][voter];
    }

    /// @dev Mostly one who has power left for it.
    function _voter(uint256 id) private returns (address voter) {
        voter = _holder();
        if (id >= items.length || _now() <= _lastPending(id)) return voter;
        for (uint256 i; i < 4 && _unused(id, voter) == 0; ++i) voter = _holder();
    }

    function _cast(uint256 id, address voter, uint256 amount, bool support) internal {
        if (support) {
            yeaOf[id][voter] += amount;
            items[id].yea += amount;
        } else {
            neaOf[id][voter] += amount;
            items[id].nea += amount;
        }
        // Who left already must not be out too early either.
        for (uint256 i = exits.length > 30 ? exits.length - 30 : 0; i < exits.length; ++i) {
            if (exits[i].holder == voter) _checkExit(id, i);
        }
    }

    function vote(uint256 seed) external step(seed) {
        uint256 id = _votable();
        _vote(id, _voter(id), !_chance(3));
    }

    function _vote(uint256 id, address voter, bool support) internal {
        bool open = _takesBallots(id, support);
        bool active = open && _state(id) == ProposalState.Active;
        uint256 unused = open ? _unused(id, voter) : 0;
        uint256 amount = _amount(unused);
        if (_chance(12)) amount = unused + 1 + _draw(1e18);
        bool success = _governance(voter, abi.encodeCall(IGovernance.vote, (id, amount, support)));
        _check(success == (open && amount != 0 && amount <= unused), Rule.Ballots, "vote");
        if (!success) return;
        _cast(id, voter, amount, support);
        _did(active ? "vote" : "object");
    }

    /// @dev Few accept, in the last second if it comes to that, and the others answer around the last second in which they
    /// can.
    function contest(uint256 seed) external step(seed) {
        uint256 id = _votable();
        if (!_takesBallots(id, true)) return;
        if (_chance(3)) _warpTo(_lastActive(id));
        uint256 first = _draw(HOLDERS);
        for (uint256 i; i < 4; ++i) _vote(id, holders[(first + i) % HOLDERS], true);
        _passBoundary(_lastActive(id));
        if (_chance(2)) _warpTo(_lastObjection(id) + _draw(2));
        for (uint256 i = 4; i < HOLDERS; ++i) {
            _vote(id, holders[(first + i) % HOLDERS], _chance(6));
            _observe();
        }
        _did("contest");
    }

    /// @dev A signed ballot as it is drawn: sometimes a replay, another's key, or too late.
    struct Signed {
        uint256 id;
        uint256 amount;
        bool support;
        address voter;
        uint256 deadline;
        bytes signature;
        bool authentic;
    }

    function voteWithSig(uint256 seed) external step(seed) {
        uint256 id = _votable();
        address voter = _voter(id);
        bool support = !_chance(3);
        if (!support && _chance(3) && id < items.length) _warpTo(_lastObjection(id) + _draw(2));
        bool open = _takesBallots(id, support);
        uint256 amount = _amount(open ? _unused(id, voter) : 0);
        Signed memory ballot = _signed(id, voter, amount, support);
        bool success = _governance(
            stranger,
            abi.encodeCall(
                IGovernance.voteWithSig,
                (ballot.id, ballot.amount, ballot.support, ballot.voter, ballot.deadline, ballot.signature)
            )
        );
        bool allowed = ballot.authentic && ballot.deadline >= _now() && open && amount != 0;
        _check(success == allowed, Rule.Signatures, success ? "a ballot nobody signed" : "a signed ballot refused");
        if (!success) return;
        ++nonceOf[id][voter];
        _cast(id, voter, amount, support);
        _did("voteWithSig");
    }

    function _signed(uint256 id, address voter, uint256 amount, bool support) private returns (Signed memory ballot) {
        uint256 nonce = nonceOf[id][voter];
        ballot = Signed(id, amount, support, voter, _now() + _draw(100), "", false);
        bytes32 actionsHash = id < items.length ? items[id].actionsHash : bytes32(0);
        uint256 fault = _draw(14);
        if (fault == 0) nonce = nonce == 0 ? 1 : nonce - 1;
        if (fault == 1) ballot.deadline = _now() - 1;
        if (fault == 3) actionsHash = items.length == 0 ? bytes32("other") : items[_draw(items.length)].actionsHash;
        address signer = fault == 2 ? holders[_draw(8)] : voter;
        uint256 key = keyOf[signer] == 0 ? 1 : keyOf[signer];
        ballot.signature = TypedData.sign(
            key,
            BallotMessage(id, actionsHash, amount, support, voter, nonce, ballot.deadline),
            address(governance)
        );
        ballot.authentic = nonce == nonceOf[id][voter] && keyOf[signer] == keyOf[voter] && id < items.length
            && actionsHash == items[id].actionsHash;
        if (voter == address(acceptingWallet)) ballot.authentic = acceptingWallet.accepting();
    }

    function invalidateBallots(uint256 seed) external step(seed) {
        address holder = _holder();
        uint256 id = _chance(10) ? items.length + _draw(3) : _proposal();
        bool success = _governance(holder, abi.encodeCall(IGovernance.invalidateBallots, (id)));
        _check(success == (id < items.length), Rule.Signatures, "invalidateBallots");
        acceptingWallet.setAccepting(_chance(2));
        if (!success) return;
        nonceOf[id][holder] += 2 ** 32;
        _did("invalidateBallots");
    }

    /// @dev All who can accept a proposal do.
    function _acceptByAll(uint256 id) internal {
        for (uint256 i; i < HOLDERS; ++i) {
            uint256 amount = _unused(id, holders[i]);
            if (amount == 0) continue;
            bool success = _governance(holders[i], abi.encodeCall(IGovernance.vote, (id, amount, true)));
            _check(success, Rule.Ballots, "unused power that can't vote");
            if (success) _cast(id, holders[i], amount, true);
        }
    }

    /*//////////////////////////////////////////////////////////////
                         PROPOSING AND EXECUTING
    //////////////////////////////////////////////////////////////*/

    function lock(uint256 seed) external step(seed) {
        _lock(_holder(), _payload());
    }

    function _lock(address holder, address payload) internal returns (bool success) {
        address to = _chance(4) ? _holder() : holder;
        uint256 delay = _withdrawalDelay();
        if (present.proposeConfig.lockDelay > delay) delay = present.proposeConfig.lockDelay;
        uint256 amount = present.proposeConfig.lockAmount;
        uint256 power = _powerAt(holder, _now());
        uint256 id = governance.withdrawalCount();
        vm.recordLogs();
        success = _governance(holder, abi.encodeCall(IGovernance.proposeWithLock, (payload, to)));
        if (!success) return false;
        _check(power >= amount, Rule.Withdrawals, "a lock without the power");
        _withdraws(id, holder, to, amount, delay);
        _freeze(payload, true);
        _did("proposeWithLock");
    }

    /// @dev Reads the published actions of the newest proposal from the recorded events.
    function _freeze(address payload, bool byLock) internal {
        Action[] memory actions = _publishedActions();
        _proposed(payload, byLock, actions);
        uint256 id = items.length - 1;
        _check(governance.proposalCount() == items.length, Rule.Execution, "ids aren't sequential");
        _check(
            actions.length != 0 && governance.actionsHash(id) == items[id].actionsHash,
            Rule.PublishedActions,
            "another hash than that of the published actions"
        );
    }

    function flood(uint256 seed) external step(seed) {
        if (address(flooder) == address(0)) return;
        address payload = _payload();
        vm.recordLogs();
        (bool success,) = _call(stranger, address(flooder), abi.encodeCall(flooder.flood, (payload)));
        if (!success) return;
        bool allowed = governance.governanceProposer() == address(flooder);
        _check(allowed, Rule.Strangers, "proposed without being the governance proposer");
        _freeze(payload, false);
        _did("flood");
    }

    function execute(uint256 seed) external step(seed) {
        _execute(_executable());
    }

    /// @dev An executable proposal if there is one.
    function _executable() private returns (uint256) {
        for (uint256 i = _recent(); i < items.length; ++i) {
            if (_state(i) == ProposalState.Executable && !_chance(4)) return i;
        }
        return _proposal();
    }

    function _execute(uint256 id) internal returns (bool success) {
        bool executable = id < items.length && _state(id) == ProposalState.Executable;
        bytes memory data = abi.encodeCall(IGovernance.execute, (id));
        bool withList = _chance(3);
        if (withList && id < items.length) {
            data = abi.encodeCall(IGovernance.executeWith, (id, published[_chance(3) ? _draw(items.length) : id]));
        }
        _record();
        success = _governance(_holder(), data);
        _checkCalls(id, success);
        if (!success) return false;
        _check(executable, Rule.Execution, "executed outside its window, or not accepted");
        _learn();
        _did(withList ? "executeWith" : "execute");
    }

    function drop(uint256 seed) external step(seed) {
        uint256 id = _proposal();
        for (uint256 i = _recent(); i < items.length; ++i) {
            if (_state(i) == ProposalState.Dropped && !_chance(3)) id = i;
        }
        bool allowed = id < items.length && _state(id) == ProposalState.Dropped && !items[id].dropped;
        bool success = _governance(_holder(), abi.encodeCall(IGovernance.dropProposal, (id)));
        _check(success == allowed, Rule.States, "dropProposal");
        if (!success) return;
        items[id].dropped = true;
        _did("drop");
    }

    /// @dev Through the lock to the execution, whatever the payload is.
    function enact(uint256 seed) external step(seed) {
        _enact(_chance(2) ? _makePayload(_draw(KINDS)) : _payload());
    }

    /// @dev What is rare otherwise; and a hostile rollup is followed by an honest one.
    function enactRare(uint256 seed) external step(seed) {
        bool heal = !isHonest[registry.getRollup()] && _chance(2);
        _enact(_makePayload(heal ? 10 : [15, 9, 9, 16, 12, 13, 14, 17, 5, 11, 0, 1, 2, 4, 18][_draw(15)]));
        _did("enactRare");
    }

    function _enact(address payload) internal {
        if (_lockByRich(payload)) _decide(items.length - 1);
    }

    /// @dev Through the lock, if anybody has its amount.
    function _lockByRich(address payload) private returns (bool) {
        address rich;
        for (uint256 i; i < HOLDERS; ++i) {
            if (_powerAt(holders[i], _now()) >= present.proposeConfig.lockAmount) rich = holders[i];
        }
        return rich != address(0) && _lock(rich, payload);
    }

    function _decide(uint256 id) internal {
        _passBoundary(_lastPending(id));
        if (_state(id) != ProposalState.Active) return;
        _acceptByAll(id);
        _passBoundary(_lastActive(id));
        _passBoundary(_lastQueued(id));
        if (_chance(10)) _passBoundary(_lastExecutable(id));
        if (_execute(id)) _did("enact");
    }

    /// @dev Looks at the last second of a state and at the first of the next.
    function _passBoundary(uint256 last) private {
        _warpTo(last);
        _observe();
        _warpTo(last + 1);
        _observe();
    }
}
