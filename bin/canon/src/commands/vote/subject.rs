//! The proposal that a ballot is for, at the newest block, and whether it takes the ballot.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256};
use canon_follow::OpenedSet;
use canon_protocol::{
    Amount, ProposalId, ProposalState, Support, Tabulation, Timestamp,
    text::{Time, Tokens, count, grouped},
};
use canon_views::{BallotView, OrderAmount, Present, ProposalView, Question, SetView};
use eyre::eyre;

use super::FinalityRule;
use crate::{
    answer,
    chain::Chain,
    commands::proposal::{find, in_words_or_data, rules, voted_actions},
    exit::Failure,
    page::{self, DETAILS_WIDTH, hanging, lasts, share, tokens, until},
};

pub(super) const ANOTHER_BALLOT: &str = "ask the voter for another one";
const SEE_PROPOSAL: &str = "`canon proposal` shows each proposal and its dates";

/// A value of a ballot, and where it is from.
#[derive(Clone, Copy, Debug)]
pub(super) enum BallotValue<T> {
    /// A flag, or its default.
    Typed(T),
    /// A signed ballot.
    Signed(T),
}

impl<T> BallotValue<T> {
    /// The value, wherever it is from.
    const fn get(&self) -> &T {
        match self {
            Self::Typed(value) | Self::Signed(value) => value,
        }
    }

    /// The name of the value in errors: of the flag, or of the field of the signed ballot.
    const fn name(&self, flag: &'static str, field: &'static str) -> &'static str {
        match self {
            Self::Typed(_) => flag,
            Self::Signed(_) => field,
        }
    }
}

/// A proposal at the newest block, and the power that a holder can cast on it.
#[derive(Debug)]
pub(super) struct BallotSubject {
    pub(super) view: SetView,
    pub(super) proposal: ProposalView,
    pub(super) holder: Address,
    pub(super) ballot: BallotView,
    /// The frozen actions in words.
    actions: Vec<String>,
}

impl BallotSubject {
    /// Reads proposal `id` and the power that `holder` can cast on it. Without the set's history the actions are read
    /// from the payload. If it doesn't list them, they are accepted if their hash is the expected one.
    ///
    /// # Errors
    ///
    /// If the proposal doesn't exist, its actions have another hash than expected, or they aren't known and
    /// no hash is expected.
    pub(super) async fn read(
        chain: &Chain,
        id: u64,
        holder: Address,
        expects: Option<BallotValue<B256>>,
    ) -> Result<Self, Failure> {
        let asked: BTreeSet<_> = ProposalId::new(id).into_iter().collect();
        let question =
            Question { holders: BTreeMap::from([(holder, asked)]), ..Question::default() };
        let OpenedSet { view, no_history, .. } = chain.history(question).await?;
        let proposal = *find(&view.present, id)?;
        require_hash(&proposal, expects)?;
        let frozen = voted_actions(chain, &view, &proposal).await?.known();
        let actions = match (frozen, expects) {
            (Some(frozen), _) => in_words_or_data(chain, &view, &frozen).await?.lines,
            (None, Some(hash)) => {
                let source = hash.name("--actions-hash", "the signed ballot");
                vec![format!(
                    "those of {source}: neither the set's history nor the payload has them"
                )]
            }
            (None, None) => {
                let report = eyre!("the actions of proposal {id} aren't known");
                let report = match no_history {
                    Some(reason) => eyre!("{reason}").wrap_err(report),
                    None => report,
                };
                let next = "use an endpoint that has the set's logs, or name the actions with --actions-hash";
                return Err(Failure::internal(report, next));
            }
        };
        let ballot = answer::ballot(&view.present, holder, proposal.id)?;
        Ok(Self { view, proposal, holder, ballot, actions })
    }

    pub(super) const fn present(&self) -> &Present {
        &self.view.present
    }

    /// Refuses a ballot that the next block can't take.
    ///
    /// # Errors
    ///
    /// If ballots for this side aren't taken. The error says why, and when voting starts.
    pub(super) fn require_taken(&self, support: Support) -> Result<(), Failure> {
        let (proposal, now, next) =
            (&self.proposal, self.present().block.timestamp, self.present().next);
        if proposal.takes_ballots(support, next) {
            return Ok(());
        }
        let (id, dates) = (proposal.id, proposal.dates());
        let state = proposal.state_at(next);
        let report = match (state, support) {
            (ProposalState::Pending, _) => {
                let start = dates.voting_starts;
                let left = until(now, start);
                let report = eyre!("voting on proposal {id} starts at {} ({left})", Time(start));
                return Err(Failure::nothing_to_do(report, "run it again then"));
            }
            (ProposalState::Queued, Support::Yea) => eyre!(
                "proposal {id} takes only ballots against it: voting ended at {}",
                Time(dates.voting_ends)
            ),
            (ProposalState::Queued, Support::Nea) => eyre!(
                "proposal {id} takes no ballots any more: objections ended at {}",
                Time(dates.objections_end)
            ),
            (state, _) => eyre!("proposal {id} takes no ballots: it is {state}"),
        };
        Err(Failure::refused(report, SEE_PROPOSAL))
    }

    /// Refuses a proposal whose block isn't final, unless `rule` allows it.
    ///
    /// # Errors
    ///
    /// If the block isn't final, or the final block can't be read.
    pub(super) async fn require_final(
        &self,
        chain: &Chain,
        rule: FinalityRule,
    ) -> Result<(), Failure> {
        if rule == FinalityRule::Ignored {
            return Ok(());
        }
        let last = chain.final_block().await?;
        let ProposalView { id, creation, .. } = self.proposal;
        if last.is_some_and(|last| creation <= last.timestamp) {
            return Ok(());
        }
        let head = self.present().block.number;
        let last = last.map(|last| last.number);
        let block = chain.first_block_at(creation, last.unwrap_or_default(), head).await?;
        let so_far = match last {
            None => "no block is final yet".to_owned(),
            Some(last) => {
                let missing = block.get().saturating_sub(last.get());
                format!(
                    "blocks are final up to {}, {} before it",
                    grouped(last.get()),
                    count(missing, "block")
                )
            }
        };
        let report = eyre!(
            "the block of proposal {id}, {}, isn't final: another proposal can still take its place",
            grouped(block.get())
        );
        let report = eyre!(so_far).wrap_err(report);
        Err(Failure::nothing_to_do(report, "run it again once it is final, or add --allow-unfinal"))
    }

    /// The power of the ballot.
    ///
    /// # Errors
    ///
    /// If the holder can't cast as much.
    pub(super) fn amount(&self, wanted: BallotValue<OrderAmount>) -> Result<Amount, Failure> {
        let (holder, BallotView { power, .. }, left) =
            (self.holder, self.ballot, self.ballot.left());
        let snapshot = Time(self.proposal.deadlines().pending);
        if power.is_zero() {
            let report = eyre!("{holder} had no power at the snapshot, {snapshot}");
            return Err(Failure::refused(report, "`canon power` shows what a holder can cast"));
        }
        let cast = power.saturating_sub(left);
        match *wanted.get() {
            OrderAmount::All if left.is_zero() => {
                let report = eyre!("{holder} has cast all of its power, {}", tokens(cast));
                Err(Failure::refused(
                    report,
                    "there is nothing left to cast: ballots can't be taken back",
                ))
            }
            OrderAmount::All => Ok(left),
            OrderAmount::Exactly(amount) if amount <= left => Ok(amount),
            OrderAmount::Exactly(amount) => {
                let report = eyre!(
                    "{}: expected at most {}, found {}: {holder} had {} at the snapshot and has \
                     cast {}",
                    wanted.name("--amount", "--signature: amount"),
                    tokens(left),
                    Tokens(amount),
                    Tokens(power),
                    Tokens(cast)
                );
                let next =
                    wanted.name("leave --amount out to cast all that is left", ANOTHER_BALLOT);
                Err(Failure::refused(report, next))
            }
        }
    }

    /// The description of the proposal, which must be the same when it is shown and when the ballot is sent
    /// or signed.
    pub(super) fn words(&self) -> Vec<String> {
        let ProposalView { payload, actions_hash, .. } = self.proposal;
        let mut words = vec![
            format!("payload     {payload}"),
            format!("Governance  {}", self.present().addresses.governance),
            "actions, frozen with hash".to_owned(),
            format!("{actions_hash}:"),
        ];
        words.extend(self.actions.iter().map(|action| format!("  {action}")));
        words
    }

    /// The state of the vote with the ballot. After the vote, a ballot that rejects the proposal ends it.
    fn standing_after(&self, after: &ProposalView, support: Support) -> String {
        let Present { block, next, .. } = self.present();
        let is_passed = self.proposal.state_at(*next) == ProposalState::Queued;
        match is_passed && support == Support::Nea && !after.tabulation().is_accepted() {
            true => {
                format!("{}: THIS BALLOT REJECTS the proposal at once and for good", shares(after))
            }
            false => standing(after, block.timestamp),
        }
    }

    /// The state of the vote now and with the ballot. It may change with the next block.
    pub(super) fn details(&self, support: Support, amount: Amount) -> Vec<String> {
        let proposal = &self.proposal;
        let Some(after) = proposal.tally.checked_add(support, amount) else { return Vec::new() };
        let after = ProposalView { tally: after, ..*proposal };
        let left = self.ballot.left().saturating_sub(amount);
        let now = self.present().block.timestamp;
        let power = format!(
            "{} at the snapshot, {} left after this ballot, which can't be taken back",
            tokens(self.ballot.power),
            Tokens(left)
        );
        let rows = [
            ("power    ", power),
            ("now      ", standing(proposal, now)),
            ("after    ", self.standing_after(&after, support)),
        ];
        let lines = rows.iter().flat_map(|(label, text)| hanging(label, text, DETAILS_WIDTH));
        let mut details: Vec<_> = lines.collect();
        details.extend(rules(&proposal.configuration, proposal.total_power, "at the snapshot"));
        details.extend(warning(proposal, &after, support).iter().map(ToString::to_string));
        let last = proposal.deadlines().ballots_until(support);
        let taken = format!("{} it {}", page::side(support), lasts(now, last));
        details.extend(hanging("ballots  ", &taken, DETAILS_WIDTH));
        details
    }
}

/// The tally of a proposal, and its result as it stands.
fn standing(proposal: &ProposalView, now: Timestamp) -> String {
    format!("{}: {}", shares(proposal), page::verdict(proposal, now))
}

/// The tally of a proposal.
fn shares(proposal: &ProposalView) -> String {
    let part = |amount| share(amount, proposal.total_power);
    let (yea, nea) = (part(proposal.tally.yea), part(proposal.tally.nea));
    format!("for {yea}, against {nea} of all power")
}

/// The warning to voters against a proposal that their ballot makes the quorum, for which both sides count.
fn warning(
    before: &ProposalView,
    after: &ProposalView,
    support: Support,
) -> &'static [&'static str] {
    let misses =
        |proposal: &ProposalView| matches!(proposal.tabulation(), Tabulation::QuorumMissed { .. });
    if support == Support::Yea || !misses(before) || misses(after) {
        return &[];
    }
    match after.tabulation().is_accepted() {
        true => &[
            "warning: this ballot makes the quorum, which is missed without it:",
            "         WITH IT THE PROPOSAL PASSES as it stands",
        ],
        false => &[
            "warning: this ballot makes the quorum, which is missed without it:",
            "         ballots for it can then make it pass",
        ],
    }
}

/// Refuses a proposal whose actions aren't the expected ones.
fn require_hash(
    proposal: &ProposalView,
    expects: Option<BallotValue<B256>>,
) -> Result<(), Failure> {
    let (id, found) = (proposal.id, proposal.actions_hash);
    match expects {
        Some(BallotValue::Typed(expected)) if expected != found => {
            let report = eyre!(
                "--actions-hash: expected {expected}, found {found}: proposal {id} does something else"
            );
            Err(Failure::refused(report, SEE_PROPOSAL))
        }
        Some(BallotValue::Signed(signed)) if signed != found => {
            let report = eyre!(
                "--signature: actionsHash: expected {found}, found {signed}: the ballot is about other actions than \
                 those of proposal {id}"
            );
            Err(Failure::refused(report, ANOTHER_BALLOT))
        }
        _ => Ok(()),
    }
}

/// The last second in which a ballot counts.
pub(super) fn last_second(proposal: &ProposalView, support: Support) -> Timestamp {
    proposal.deadlines().ballots_until(support)
}

/// Reads the ballot of a holder on proposal `id`, only from the contracts' own views.
pub(super) async fn ballot_of(
    chain: &Chain,
    id: u64,
    holder: Address,
) -> Result<(Present, ProposalId, BallotView), Failure> {
    let asked: BTreeSet<_> = ProposalId::new(id).into_iter().collect();
    let question = Question { holders: BTreeMap::from([(holder, asked)]), ..Question::default() };
    let present = chain.present(question).await?;
    let proposal = find(&present, id)?.id;
    let ballot = answer::ballot(&present, holder, proposal)?;
    Ok((present, proposal, ballot))
}
