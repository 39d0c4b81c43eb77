// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Governance} from "canon/core/Governance.sol";
import {Configuration, ProposeConfiguration} from "canon/interfaces/IGovernance.sol";
import {BallotRecord} from "canon/types/BallotRecord.sol";
import {ExitFloor} from "canon/types/ExitFloor.sol";
import {NewestCheckpoint} from "canon/types/PowerHistory.sol";
import {ProposalTally} from "canon/types/ProposalTally.sol";
import {ProposerTerm} from "canon/types/ProposerTerm.sol";
import {LockRules, VotingRules} from "canon/types/VotingRules.sol";
import {Proof} from "../Proof.sol";

/// @notice An asset of which only the supply is asked.
contract Supply {
    uint256 public constant totalSupply = 1_000_000;
}

/// @notice Governance whose storage a proof sets.
contract OpenGovernance is Governance {
    constructor(IERC20 asset, address proposals, Configuration memory c) Governance(asset, proposals, c) {}

    function setProposal(uint256 id, ProposerTerm term, ProposalTally tally, VotingRules rules, LockRules calldata lockRules)
        external
    {
        _term = term;
        _proposals[id].tally = tally;
        _votingRules[tally.configurationId()] = rules;
        _lockRules[tally.configurationId() - rules.lockRulesAge()] = lockRules;
    }

    function setRules(ProposerTerm term, VotingRules rules) external {
        _term = term;
        _votingRules[term.configurationId()] = rules;
    }

    function setPower(address holder, NewestCheckpoint power, NewestCheckpoint total) external {
        _powers[holder].newest = power;
        _totalPower.newest = total;
    }

    function setRecord(uint256 id, address holder, BallotRecord record) external {
        _ballots[id][holder] = record;
    }

    function newest(address holder) external view returns (NewestCheckpoint) {
        return _powers[holder].newest;
    }

    function newestTotal() external view returns (NewestCheckpoint) {
        return _totalPower.newest;
    }

    function recordOf(uint256 id, address holder) external view returns (BallotRecord) {
        return _ballots[id][holder];
    }

    function tallyOf(uint256 id) external view returns (ProposalTally) {
        return _proposals[id].tally;
    }
}

/// @title Single calls of Governance, whatever its storage says
/// @notice Governance is constructed at time 1,000,000. What a call reads is arbitrary, except that powers have no archived
/// checkpoints, and that ballots are on a proposal that is neither executed nor dropped by the holder of a power that it has
/// had since then.
contract GovernanceProof is Proof {
    uint256 private constant ORIGIN = 1_000_000;
    address private constant HOLDER = address(0x401de2);

    OpenGovernance private governance;

    constructor() {
        vm.warp(ORIGIN);
        governance = new OpenGovernance(
            IERC20(address(new Supply())),
            address(new Supply()),
            Configuration({
                proposeConfig: ProposeConfiguration({lockDelay: 60, lockAmount: 2}),
                votingDelay: 60,
                votingDuration: 60,
                executionDelay: 60,
                gracePeriod: 60,
                quorum: 1,
                voteDifferential: 0,
                minimumVotes: 1
            })
        );
    }

    /*//////////////////////////////////////////////////////////////
                                BALLOTS
    //////////////////////////////////////////////////////////////*/

    struct Case {
        ProposerTerm term;
        ProposalTally tally;
        VotingRules rules;
        LockRules lockRules;
        BallotRecord record;
        uint96 power;
        uint96 total;
        uint32 time;
    }

    /// @notice A ballot that is taken until the end of Active adds its amount to one side of the holder's record and of the
    /// tally, and nothing else; the record stays at most the holder's power at the snapshot; and Pending is over.
    /// @custom:slow
    function check_voteWhileActiveAddsAtMostThePower(Case memory c, uint256 id, uint256 amount, bool support) external {
        vm.assume(c.time <= endOfActive(c));
        voted(c, id, amount, support);
        assert(c.time > c.tally.creation() + c.rules.votingDelay());
    }

    /// @notice The same of a ballot that is taken later: it is against, and in the first half of the execution delay.
    /// @custom:slow
    function check_lateBallotIsAnObjection(Case memory c, uint256 id, uint256 amount, bool support) external {
        vm.assume(c.time > endOfActive(c));
        voted(c, id, amount, support);
        assert(!support && c.time <= endOfActive(c) + c.rules.executionDelay() / 2);
    }

    /// @notice Invalidating raises the holder's next nonce by 2^32 and changes nothing else; it is refused for unknown
    /// proposals and above 64 bits.
    function check_invalidateBallotsRaisesTheNonce(ProposerTerm term, BallotRecord record, uint256 id, address other)
        external
    {
        vm.assume(other != HOLDER);
        LockRules memory none;
        governance.setProposal(id, term, ProposalTally.wrap(0), VotingRules.wrap(0), none);
        governance.setRecord(id, HOLDER, record);
        governance.setRecord(id, other, record);
        uint256 raised = record.nextNonce() + 2 ** 32;
        vm.prank(HOLDER);
        try governance.invalidateBallots(id) {
            assert(id < term.proposalCount() && fits(raised, 64));
            BallotRecord after_ = governance.recordOf(id, HOLDER);
            assert(after_.nextNonce() == raised);
            assert(after_.yea() == record.yea() && after_.nea() == record.nea());
            assert(BallotRecord.unwrap(governance.recordOf(id, other)) == BallotRecord.unwrap(record));
        } catch {
            assert(id >= term.proposalCount() || !fits(raised, 64));
        }
    }

    /*//////////////////////////////////////////////////////////////
                                LEAVING
    //////////////////////////////////////////////////////////////*/

    /// @notice A withdrawal that is taken unlocks after the present configuration's delay, or the exit floor's if that is
    /// greater and in force; holder and total lose its amount; the floor keeps all but its counter.
    /// @custom:slow
    function check_initiateWithdrawUnlocksAfterTheDelay(
        ProposerTerm term,
        VotingRules rules,
        NewestCheckpoint power,
        NewestCheckpoint total,
        uint96 amount,
        uint32 time
    ) external {
        uint256 id = withdrawn(term, rules, power, total, amount, time);
        ExitFloor floor = ExitFloor.wrap(uint96(total.companion()));
        uint256 unlocksAt = governance.getWithdrawal(id).unlocksAt;
        assert(unlocksAt == ORIGIN + time + greatest(rules.exitDelay(), choose(time <= floor.until(), floor.delay(), 0)));
        assert(id == floor.withdrawals() && governance.getWithdrawal(id).amount == amount);
        assert(governance.newest(HOLDER).amount() == power.amount() - amount);
        assert(governance.newestTotal().amount() == total.amount() - amount);
        ExitFloor after_ = ExitFloor.wrap(uint96(governance.newestTotal().companion()));
        assert(after_.withdrawals() == id + 1 && after_.delay() == floor.delay() && after_.until() == floor.until());
    }

    /*//////////////////////////////////////////////////////////////
                               REFUTED
    //////////////////////////////////////////////////////////////*/

    /// @notice Wrong: a ballot leaves power for another one.
    function refute_powerIsNeverUsedUp(Case memory c, uint256 amount) external {
        vm.assume(c.time <= endOfActive(c));
        uint256 powerThen = prepare(c, 0);
        vm.prank(HOLDER);
        governance.vote(0, amount, true);
        assert(governance.recordOf(0, HOLDER).yea() < powerThen);
    }

    /// @notice Wrong: no late ballot is taken. (With a quorum of 10 % and a total power of 1000.)
    function refute_noLateBallotIsTaken(Case memory c, uint256 amount) external {
        vm.assume(c.time > endOfActive(c) && c.rules.quorum() == 0.1e18);
        c.total = 1000;
        prepare(c, 0);
        vm.prank(HOLDER);
        governance.vote(0, amount, false);
        assert(false);
    }

    /// @notice Wrong: a late ballot is taken only if nobody was against before. (With a differential of 4 %, and 700 for
    /// and 100 against.)
    function refute_lateBallotIsTheFirstAgainst(Case memory c, uint256 amount) external {
        c.total = 1000;
        c.tally = ProposalTally.wrap((uint256(100) << 96) | 700);
        c.lockRules.voteDifferential = 0.04e18;
        vm.assume(c.time > endOfActive(c) && c.rules.quorum() == 0.1e18);
        prepare(c, 0);
        vm.prank(HOLDER);
        governance.vote(0, amount, false);
        assert(false);
    }

    /// @notice Wrong: ballots are never invalidated.
    function refute_noBallotIsInvalidated(ProposerTerm term, BallotRecord record, uint256 id) external {
        LockRules memory none;
        governance.setProposal(id, term, ProposalTally.wrap(0), VotingRules.wrap(0), none);
        governance.setRecord(id, HOLDER, record);
        vm.prank(HOLDER);
        governance.invalidateBallots(id);
        assert(false);
    }

    /// @notice Wrong: the exit floor delays no withdrawal.
    function refute_floorDelaysNoWithdrawal(
        ProposerTerm term,
        VotingRules rules,
        NewestCheckpoint power,
        NewestCheckpoint total,
        uint96 amount,
        uint32 time
    ) external {
        uint256 id = withdrawn(term, rules, power, total, amount, time);
        assert(governance.getWithdrawal(id).unlocksAt == ORIGIN + time + rules.exitDelay());
    }

    /// @notice Wrong: the exit floor delays every withdrawal.
    function refute_floorDelaysEveryWithdrawal(
        ProposerTerm term,
        VotingRules rules,
        NewestCheckpoint power,
        NewestCheckpoint total,
        uint96 amount,
        uint32 time
    ) external {
        uint256 id = withdrawn(term, rules, power, total, amount, time);
        assert(governance.getWithdrawal(id).unlocksAt > ORIGIN + time + rules.exitDelay());
    }

    /*//////////////////////////////////////////////////////////////
                               HELPERS
    //////////////////////////////////////////////////////////////*/

    /// @return id The number of a withdrawal by the holder.
    function withdrawn(
        ProposerTerm term,
        VotingRules rules,
        NewestCheckpoint power,
        NewestCheckpoint total,
        uint96 amount,
        uint32 time
    ) private returns (uint256 id) {
        vm.assume(power.archived() == 0 && total.archived() == 0);
        vm.assume(power.since() <= total.since() && total.since() <= time);
        vm.assume(power.amount() <= total.amount());
        governance.setRules(term, rules);
        governance.setPower(HOLDER, power, total);
        vm.warp(ORIGIN + time);
        vm.prank(HOLDER);
        return governance.initiateWithdraw(address(1), amount);
    }

    function voted(Case memory c, uint256 id, uint256 amount, bool support) private {
        uint256 powerThen = prepare(c, id);
        vm.prank(HOLDER);
        governance.vote(id, amount, support);

        BallotRecord record = governance.recordOf(id, HOLDER);
        ProposalTally tally = governance.tallyOf(id);
        assert(id < c.term.proposalCount() && amount != 0);
        assert(record.yea() + record.nea() <= powerThen);
        assert(record.yea() == c.record.yea() + choose(support, amount, 0));
        assert(record.nea() == c.record.nea() + choose(support, 0, amount));
        assert(record.nextNonce() == c.record.nextNonce());
        assert(tally.yea() == c.tally.yea() + choose(support, amount, 0));
        assert(tally.nea() == c.tally.nea() + choose(support, 0, amount));
        assert(ProposalTally.unwrap(tally) >> 192 == ProposalTally.unwrap(c.tally) >> 192);
    }

    function endOfActive(Case memory c) private pure returns (uint256) {
        return c.tally.creation() + c.rules.votingDelay() + c.rules.votingDuration();
    }

    /// @return powerThen The holder's power at the snapshot.
    function prepare(Case memory c, uint256 id) private returns (uint256 powerThen) {
        // Neither executed nor dropped.
        vm.assume(uint8(ProposalTally.unwrap(c.tally) >> 240) == 0);
        vm.assume(c.rules.lockRulesAge() <= c.tally.configurationId());
        powerThen = c.power;
        // What every call so far has kept.
        vm.assume(c.record.yea() + c.record.nea() <= powerThen);
        vm.assume(fits(c.tally.yea() + c.tally.nea() + powerThen, 96));
        governance.setProposal(id, c.term, c.tally, c.rules, c.lockRules);
        governance.setPower(HOLDER, NewestCheckpoint.wrap(uint256(c.power) << 64), NewestCheckpoint.wrap(uint256(c.total) << 64));
        governance.setRecord(id, HOLDER, c.record);
        vm.warp(ORIGIN + c.time);
    }
}
