// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Configuration, IGovernance, Proposal, ProposalState, Withdrawal} from "canon/interfaces/IGovernance.sol";
import {Action} from "canon/interfaces/IPayload.sol";
import {Reference, Vector} from "../unit/lib/TabulationReference.sol";
import {Vm} from "../Vm.sol";

/// @notice Governance's state as somebody rebuilds it who sees its events and the time of their blocks, nothing else.
contract GovernanceFold {
    struct Change {
        uint256 time;
        uint256 power;
    }

    struct Folded {
        Proposal proposal;
        uint256 term;
        bytes32 actionsHash;
        bytes32 publishedHash;
    }

    address private immutable GOVERNANCE;

    mapping(address holder => uint256) public power;
    mapping(uint256 id => mapping(address holder => uint256)) public ballotNonce;
    mapping(uint256 id => mapping(address voter => uint256[2])) private _ballots;
    Change[] private _total;
    Folded[] private _proposals;
    Withdrawal[] private _withdrawals;
    Configuration[] private _configurations;
    address public asset;
    address public governanceProposer;
    uint256 public exitDelay;
    uint256 public exitUntil;

    /// @dev How many Proposals contracts there were.
    uint256 private _term;

    constructor(address governance) {
        GOVERNANCE = governance;
    }

    function fold(Vm.Log[] calldata logs, uint256 time) external {
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].emitter == GOVERNANCE) _fold(logs[i], time);
        }
    }

    function _fold(Vm.Log calldata log, uint256 time) private {
        bytes32 kind = log.topics[0];
        if (kind == IGovernance.GovernanceDeployed.selector) {
            asset = _address(log.topics[1]);
        } else if (kind == IGovernance.Deposit.selector) {
            _add(_address(log.topics[2]), abi.decode(log.data, (uint256)), time);
        } else if (kind == IGovernance.WithdrawInitiated.selector) {
            require(uint256(log.topics[1]) == _withdrawals.length, "ids count");
            uint256 amount = abi.decode(log.data, (uint256));
            _withdrawals.push(Withdrawal(amount, 0, _address(log.topics[2]), false));
        } else if (kind == IGovernance.WithdrawalQueued.selector) {
            Withdrawal storage withdrawal = _withdrawals[uint256(log.topics[1])];
            withdrawal.unlocksAt = abi.decode(log.data, (uint256));
            address holder = _address(log.topics[2]);
            power[holder] -= withdrawal.amount;
            _total.push(Change(time, totalPower() - withdrawal.amount));
        } else if (kind == IGovernance.WithdrawFinalised.selector) {
            _withdrawals[uint256(log.topics[1])].claimed = true;
        } else if (kind == IGovernance.GovernanceProposerUpdated.selector) {
            governanceProposer = _address(log.topics[1]);
            ++_term;
        } else if (kind == IGovernance.ConfigurationSet.selector) {
            _configure(uint256(log.topics[1]), abi.decode(log.data, (Configuration)), time);
        } else if (kind == IGovernance.NonceUsed.selector) {
            (uint256 id, uint256 nonce) = abi.decode(log.data, (uint256, uint256));
            require(ballotNonce[id][_address(log.topics[1])] == nonce, "nonces count");
            ballotNonce[id][_address(log.topics[1])] = nonce + 1;
        } else if (kind == IGovernance.BallotsInvalidated.selector) {
            (uint256 id, uint256 nextNonce) = abi.decode(log.data, (uint256, uint256));
            ballotNonce[id][_address(log.topics[1])] = nextNonce;
        } else {
            _foldOfProposal(kind, log, time);
        }
    }

    function _foldOfProposal(bytes32 kind, Vm.Log calldata log, uint256 time) private {
        if (kind == IGovernance.ConfigurationUpdated.selector) return;
        uint256 id = uint256(log.topics[1]);
        if (kind == IGovernance.Proposed.selector) {
            require(id == _proposals.length, "ids count");
            Folded storage folded = _proposals.push();
            folded.proposal.payload = _address(log.topics[2]);
            folded.proposal.creation = time;
            folded.term = _term;
        } else if (kind == IGovernance.ProposalFrozen.selector) {
            Folded storage folded = _proposals[id];
            folded.proposal.governanceProposer = _address(log.topics[2]);
            (uint256 configurationId, bytes32 hash, Action[] memory actions) =
                abi.decode(log.data, (uint256, bytes32, Action[]));
            folded.proposal.config = _configurations[configurationId];
            folded.actionsHash = hash;
            folded.publishedHash = keccak256(abi.encode(actions));
        } else if (kind == IGovernance.VoteCast.selector) {
            (bool support, uint256 amount) = abi.decode(log.data, (bool, uint256));
            _ballots[id][_address(log.topics[2])][support ? 0 : 1] += amount;
            if (support) _proposals[id].proposal.summedBallot.yea += amount;
            else _proposals[id].proposal.summedBallot.nea += amount;
        } else if (kind == IGovernance.ProposalExecuted.selector) {
            _proposals[id].proposal.state = ProposalState.Executed;
        } else if (kind == IGovernance.ProposalDropped.selector) {
            _proposals[id].proposal.state = ProposalState.Dropped;
        } else {
            revert("an unknown event");
        }
    }

    function _address(bytes32 topic) private pure returns (address) {
        return address(uint160(uint256(topic)));
    }

    function _add(address holder, uint256 amount, uint256 time) private {
        power[holder] += amount;
        _total.push(Change(time, totalPower() + amount));
    }

    function _configure(uint256 id, Configuration memory c, uint256 time) private {
        require(id == _configurations.length, "ids count");
        if (id != 0) {
            Configuration memory old = _configurations[id - 1];
            if (time > exitUntil) exitDelay = 0;
            uint256 delay = old.votingDelay / 5 + old.votingDuration + old.executionDelay;
            if (delay > exitDelay) exitDelay = delay;
            uint256 until = time + old.votingDelay + old.votingDuration + old.executionDelay;
            if (until > exitUntil) exitUntil = until;
        }
        _configurations.push(c);
    }

    function totalPower() public view returns (uint256) {
        return _total.length == 0 ? 0 : _total[_total.length - 1].power;
    }

    function totalPowerAt(uint256 time) public view returns (uint256 amount) {
        for (uint256 i; i < _total.length && _total[i].time <= time; ++i) {
            amount = _total[i].power;
        }
    }

    function numberOfConfigurations() external view returns (uint256) {
        return _configurations.length;
    }

    function configurationAt(uint256 id) external view returns (Configuration memory) {
        return _configurations[id];
    }

    function withdrawalCount() external view returns (uint256) {
        return _withdrawals.length;
    }

    function getWithdrawal(uint256 id) external view returns (Withdrawal memory) {
        return _withdrawals[id];
    }

    function proposalCount() external view returns (uint256) {
        return _proposals.length;
    }

    function getProposal(uint256 id) external view returns (Proposal memory) {
        return _proposals[id].proposal;
    }

    function actionsHash(uint256 id) external view returns (bytes32) {
        require(_proposals[id].actionsHash == _proposals[id].publishedHash, "what is published is what is frozen");
        return _proposals[id].actionsHash;
    }

    function ballots(uint256 id, address voter) external view returns (uint256 yea, uint256 nea) {
        return (_ballots[id][voter][0], _ballots[id][voter][1]);
    }

    function getProposalState(uint256 id, uint256 time) external view returns (ProposalState) {
        Proposal memory p = _proposals[id].proposal;
        if (p.state != ProposalState.Pending) return p.state;
        if (p.governanceProposer != GOVERNANCE && _proposals[id].term != _term) return ProposalState.Dropped;
        uint256 end = p.creation + p.config.votingDelay;
        uint256 total = totalPowerAt(end);
        if (time <= end) return ProposalState.Pending;
        if (time <= (end += p.config.votingDuration)) return ProposalState.Active;
        if (!_isAccepted(p, total)) return ProposalState.Rejected;
        if (time <= (end += p.config.executionDelay)) return ProposalState.Queued;
        return time <= end + p.config.gracePeriod ? ProposalState.Executable : ProposalState.Expired;
    }

    function _isAccepted(Proposal memory p, uint256 total) private pure returns (bool) {
        return Reference.isAccepted(
            Vector({
                total: total,
                minimumVotes: p.config.minimumVotes,
                quorum: p.config.quorum,
                differential: p.config.voteDifferential,
                yea: p.summedBallot.yea,
                nea: p.summedBallot.nea,
                accepted: false
            })
        );
    }
}
