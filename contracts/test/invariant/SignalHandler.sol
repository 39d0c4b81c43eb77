// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ProposalState} from "canon/interfaces/IGovernance.sol";
import {IProposals} from "canon/interfaces/IProposals.sol";
import {IRollup} from "canon/interfaces/IRollup.sol";
import {HostileRollup} from "../mocks/HostileRollup.sol";
import {SetLib} from "../Set.sol";
import {TypedData} from "../TypedData.sol";
import {GovernanceHandler} from "./GovernanceHandler.sol";
import {Rule} from "./Rules.sol";

/// @notice Proposers who signal, relayers and pushers, and a model of every round.
abstract contract SignalHandler is GovernanceHandler {
    struct Round {
        IProposals proposals;
        address instance;
        uint256 number;
        uint256 signals;
        uint256 lastSlot;
        address leader;
        address[] payloads;
        /// The proposal that it became plus one.
        uint256 nextId;
    }

    bytes32[] internal roundKeys;
    mapping(bytes32 key => Round) internal rounds;
    mapping(bytes32 key => mapping(address payload => uint256)) internal countOf;
    mapping(bytes32 key => mapping(address payload => bytes32)) internal pinOf;
    /// @dev The newest slot used plus one.
    mapping(IProposals => mapping(address instance => uint256)) internal nextSlotOf;
    /// @dev The newest proposal plus one that a Proposals contract pushed for a payload.
    mapping(IProposals => mapping(address payload => uint256)) internal latestOf;

    function _key(IProposals p, address instance, uint256 number) internal pure returns (bytes32) {
        return keccak256(abi.encode(p, instance, number));
    }

    /// @dev The present slot as the canonical rollup reports it, and who may signal in it.
    function _present(address instance) internal returns (bool answers, uint256 slot, address proposer) {
        (bool success, bytes memory a) = _call(stranger, instance, abi.encodeCall(IRollup.getCurrentSlot, ()));
        (bool success2, bytes memory b) = _call(stranger, instance, abi.encodeCall(IRollup.getCurrentProposer, ()));
        if (!success || !success2 || a.length != 32 || b.length != 32) return (false, 0, address(0));
        uint256 word = abi.decode(b, (uint256));
        if (word > type(uint160).max) return (false, 0, address(0));
        return (true, abi.decode(a, (uint256)), address(uint160(word)));
    }

    function signal(uint256 seed) external step(seed) {
        IProposals p = _chance(6) ? proposalsList[_draw(2)] : _proposals();
        _signal(p, _payload());
    }

    /// @dev A signal as it is drawn, by call or signature, now and then not the proposer's.
    struct Attempt {
        address caller;
        bytes data;
        bool sealed_;
        bool authentic;
    }

    function _signal(IProposals p, address payload) internal returns (bool success) {
        address instance = registry.getRollup();
        (bool answers, uint256 slot, address proposer) = _present(instance);
        Attempt memory a = _chance(3) && keyOf[proposer] != 0
            ? _bySignature(p, payload, instance, slot, proposer)
            : _byCall(payload, proposer);
        bool code = payload.code.length != 0 && bytes3(payload.code) != 0xef0100;
        bool allowed = answers && code && a.authentic && proposer != address(0) && slot <= _now()
            && slot >= nextSlotOf[p][instance];
        (success,) = _call(a.caller, address(p), a.data);
        // What a hostile rollup answers may depend on the gas left, so its refusals prove nothing.
        _check(
            success ? allowed : !allowed || !isHonest[instance],
            Rule.Signals,
            success ? "a signal that isn't its proposer's" : "a proposer refused"
        );
        if (!success) return false;
        _counted(p, instance, slot, payload);
        _did(a.sealed_ ? "signalWithSig" : "signal");
    }

    function _byCall(address payload, address proposer) private returns (Attempt memory a) {
        a.caller = _chance(8) ? _holder() : proposer;
        a.data = abi.encodeCall(IProposals.vote, (payload));
        a.authentic = a.caller == proposer;
    }

    /// @dev Bound to its payload, its slot and its rollup; sometimes to others, or by another's key.
    function _bySignature(IProposals p, address payload, address instance, uint256 slot, address proposer)
        private
        returns (Attempt memory a)
    {
        uint256 fault = _draw(10);
        address signer = fault == 3 ? holders[_draw(8)] : proposer;
        bytes memory signature = TypedData.signSignal(
            keyOf[signer],
            fault == 0 ? address(box) : payload,
            fault == 1 ? slot + 1 : slot,
            fault == 2 ? address(this) : instance,
            address(p)
        );
        a.caller = stranger;
        a.data = abi.encodeCall(IProposals.voteWithSig, (payload, signature));
        a.sealed_ = true;
        a.authentic = fault > 2 && keyOf[signer] == keyOf[proposer];
    }

    function _counted(IProposals p, address instance, uint256 slot, address payload) private {
        nextSlotOf[p][instance] = slot + 1;
        bytes32 key = _key(p, instance, slot / SetLib.M);
        Round storage round = rounds[key];
        if (round.signals == 0) {
            (round.proposals, round.instance, round.number) = (p, instance, slot / SetLib.M);
            roundKeys.push(key);
        }
        ++round.signals;
        round.lastSlot = slot;
        if (countOf[key][payload] == 0) {
            round.payloads.push(payload);
            pinOf[key][payload] = payload.codehash;
        }
        if (++countOf[key][payload] > countOf[key][round.leader]) round.leader = payload;
        if (countOf[key][payload] == SetLib.N) {
            _did("quorum");
            for (uint256 i; i < round.payloads.length; ++i) {
                address other = round.payloads[i];
                _check(other == payload || countOf[key][other] < SetLib.N, Rule.OneWinner, "two payloads won a round");
            }
        }
    }

    /// @dev A round in which one payload gets most signals, another some; ends in the next round.
    function signalRound(uint256 seed) external step(seed) {
        _signalRound(_proposals(), _payload());
    }

    function _signalRound(IProposals p, address payload) internal {
        address instance = registry.getRollup();
        address other = _payload();
        bool strong = !_chance(5);
        if (isHonest[instance]) {
            IRollup rollup = IRollup(instance);
            if (rollup.getSetSize(rollup.getCurrentEpoch() + 1) == 0) _populate(rollup);
            uint256 first = (rollup.getCurrentSlot() / SetLib.M + 1) * SetLib.M;
            for (uint256 i; i < SetLib.M; ++i) {
                _warpTo(rollup.getTimestampForSlot(first + i) + _draw(SetLib.SLOT));
                _signal(p, strong && !_chance(5) ? payload : other);
                if (i % 3 == 0) _observe();
            }
            _warpTo(rollup.getTimestampForSlot(first + SetLib.M));
        } else {
            HostileRollup hostile = HostileRollup(instance);
            if (instance.code.length == 0) return;
            hostile.setModes(HostileRollup.Mode.Answer, HostileRollup.Mode.Answer);
            hostile.setProposer(_holder());
            uint256 first = (nextSlotOf[p][instance] / SetLib.M + 1) * SetLib.M;
            for (uint256 i; i < SetLib.M; ++i) {
                hostile.setSlot(first + i - (_chance(6) ? 1 : 0));
                _signal(p, payload);
                _warpTo(_now() + 1);
            }
            hostile.setSlot(first + SetLib.M);
        }
        _did("signalRound");
    }

    /// @dev Stakers for a rollup that has none, in time.
    function _populate(IRollup rollup) private {
        for (uint256 i; i < 4; ++i) _stake(rollup, _attester());
        _warpTo(_now() + 2 * SetLib.EPOCH * SetLib.SLOT);
    }

    function push(uint256 seed) external step(seed) {
        IProposals p = _chance(6) ? proposalsList[_draw(2)] : _proposals();
        address instance = registry.getRollup();
        uint256 number = _draw(6);
        (bool answers, uint256 slot,) = _present(instance);
        if (answers && slot <= _now() && slot / SetLib.M > number) number = slot / SetLib.M - number;
        if (isHonest[instance] && !_chance(3)) {
            uint256[] memory pushable = p.pushableRounds();
            _checkOffer(p, instance, slot, pushable);
            if (pushable.length != 0) number = pushable[_draw(pushable.length)];
        }
        _push(p, number);
    }

    /// @dev Exactly the rounds that may be pushed are offered, the oldest first, if Governance listens.
    function _checkOffer(IProposals p, address instance, uint256 slot, uint256[] memory pushable) private {
        uint256 current = slot / SetLib.M;
        uint256 at;
        for (uint256 number = current < 7 ? 0 : current - 7; number < current; ++number) {
            if (governance.governanceProposer() != address(p) || !_mayPush(p, instance, number, slot)) continue;
            bool offered = at < pushable.length && pushable[at] == number;
            _check(offered, Rule.Pushes, "didn't offer a round that can be pushed");
            ++at;
        }
        _check(at == pushable.length, Rule.Pushes, "offered a round that can't be pushed");
    }

    /// @dev The winner of a round is known before the push.
    function _checkWinner(IProposals p, address instance, uint256 number, bool allowed) private {
        (bool wins, bytes memory answer) = _call(stranger, address(p), abi.encodeCall(IProposals.winnerOf, (number)));
        string memory how = wins ? "a winner that can't be pushed" : "no winner of a round that can be pushed";
        _check(wins == allowed, Rule.Pushes, how);
        if (!wins) return;
        address leader = rounds[_key(p, instance, number)].leader;
        _check(abi.decode(answer, (address)) == leader, Rule.Pushes, "another winner");
        _did("winner");
    }

    /// @dev What the specification asks before a push, but that Governance takes it.
    function _mayPush(IProposals p, address instance, uint256 number, uint256 slot) private view returns (bool) {
        if (nextSlotOf[p][instance] > slot) slot = nextSlotOf[p][instance] - 1;
        bytes32 key = _key(p, instance, number);
        Round storage round = rounds[key];
        uint256 current = slot / SetLib.M;
        if (number >= current || current > number + 5 || round.nextId != 0) return false;
        if (round.leader == address(0) || countOf[key][round.leader] < SetLib.N) return false;
        if (bytes29(pinOf[key][round.leader]) != bytes29(round.leader.codehash)) return false;
        uint256 latest = latestOf[p][round.leader];
        return latest == 0 || _state(latest - 1) > ProposalState.Executable;
    }

    function _push(IProposals p, uint256 number) internal returns (bool success) {
        address instance = registry.getRollup();
        (bool answers, uint256 slot,) = _present(instance);
        bool allowed = answers && _mayPush(p, instance, number, slot);
        // What a hostile rollup answers may depend on the gas left.
        if (isHonest[instance]) _checkWinner(p, instance, number, allowed);
        allowed = allowed && governance.governanceProposer() == address(p);
        vm.recordLogs();
        (success,) = _call(_holder(), address(p), abi.encodeCall(IProposals.pushProposal, (number)));
        if (!success) return false;
        _check(allowed, Rule.Pushes, "pushed what can't be pushed");
        Round storage round = rounds[_key(p, instance, number)];
        _freeze(round.leader, false);
        round.nextId = items.length;
        latestOf[p][round.leader] = items.length;
        _did("push");
    }

    /// @dev The ordinary way, from signals to execution, of whatever payload.
    function campaign(uint256 seed) external step(seed) {
        IProposals p = _proposals();
        address payload = _chance(2) ? _makePayload(_draw(KINDS)) : _payload();
        _signalRound(p, payload);
        // Sometimes the winner is replaced at its address before anybody pushes it.
        if (_chance(5)) _replace(payload);
        (bool answers, uint256 slot,) = _present(registry.getRollup());
        if (!answers || slot < SetLib.M || !_push(p, slot / SetLib.M - 1)) return;
        _did("campaign");
        if (_chance(2)) _decide(items.length - 1);
    }

    /// @dev The payload of a proposal in flight wins once more, in whatever state the first one is.
    function campaignAgain(uint256 seed) external step(seed) {
        IProposals p = _proposals();
        for (uint256 id = items.length; id != 0 && id + 12 > items.length; --id) {
            address payload = items[id - 1].payload;
            if (latestOf[p][payload] != id || _state(id - 1) > ProposalState.Executable) continue;
            if (_chance(2)) {
                _warpTo(_lastPending(id - 1) + 1);
                if (_state(id - 1) == ProposalState.Active) _acceptByAll(id - 1);
                _warpTo(_chance(2) ? _lastActive(id - 1) + 1 : _lastQueued(id - 1) + 1);
            }
            _signalRound(p, payload);
            (bool answers, uint256 slot,) = _present(registry.getRollup());
            if (answers && slot >= SetLib.M) _push(p, slot / SetLib.M - 1);
            _did("campaignAgain");
            return;
        }
    }
}
