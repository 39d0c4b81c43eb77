//! The next steps that a command's transactions make possible, as the state after them says.

use canon_chain::BlockId;
use canon_protocol::{BlockNumber, ProposalId, Seconds, text::Time};
use canon_views::{Present, Question, SeedStatus, SetAddresses};
use serde_json::Value;

use super::{Conclusion, outcome::Change};
use crate::{
    chain::Chain,
    commands::stake::draws_later,
    exit::Failure,
    page::{Page, lasts, until, wrapped_line},
};

/// The conclusion of a command whose transactions are its whole result: the next steps.
pub(super) struct NextSteps<'a> {
    pub(super) chain: &'a Chain,
}

impl Conclusion for NextSteps<'_> {
    fn document(&self) -> Option<&Value> {
        None
    }

    async fn conclude(
        &self,
        block: Option<BlockNumber>,
        changes: &[&Change],
    ) -> Result<String, Failure> {
        let mut page = Page::default();
        for change in changes {
            match change {
                Change::Pushed { proposal, .. } | Change::Proposed { proposal, .. } => {
                    // The outcome is known without the state, so a state that can't be read is no failure.
                    if let Ok(present) = self.chain.present(Question::default()).await {
                        vote(&mut page, &present, *proposal);
                    }
                }
                Change::Unlocked { withdrawal, unlocks_at, .. } => {
                    let from = Time(*unlocks_at);
                    wrapped_line!(
                        page,
                        "  ",
                        "`canon withdraw {withdrawal}` pays it, from {from} on"
                    );
                }
                Change::StakeExited { attester } => {
                    wrapped_line!(
                        page,
                        "  ",
                        "`canon stake claim {attester}` pays the stake once it is due"
                    );
                }
                Change::MoveAnnounced { attester, .. } => {
                    wrapped_line!(
                        page,
                        "  ",
                        "`canon stake finish {attester}` completes it, once the delay is over and that rollup is \
                         canonical"
                    );
                }
                _ => {}
            }
        }
        let has_executed = changes.iter().any(|change| matches!(change, Change::Executed { .. }));
        if let Some(block) = block.filter(|_| has_executed)
            && let Some(before) = self.addresses_before(block).await
            && let Ok(present) = self.chain.present(Question::default()).await
        {
            upgrade(&mut page, &before, &present);
        }
        let steps = page.into_text();
        Ok(if steps.is_empty() { steps } else { format!("\nNext\n{steps}") })
    }
}

impl NextSteps<'_> {
    /// The addresses of the set before a block; `None` if the endpoint doesn't have them.
    async fn addresses_before(&self, block: BlockNumber) -> Option<SetAddresses> {
        let at = BlockId::from(block.get().checked_sub(1)?);
        let (client, registry) = (self.chain.client(), self.chain.registry());
        let view = client.view(registry, &Question::default(), at, Seconds::ZERO).await;
        view.ok().map(|present| present.addresses)
    }
}

/// The steps before and during the vote on a new proposal.
fn vote(page: &mut Page, present: &Present, id: ProposalId) {
    let Some(proposal) = present.proposal(id) else { return };
    let (now, dates) = (present.block.timestamp, proposal.dates());
    let (start, left) = (Time(dates.voting_starts), until(now, dates.voting_starts));
    wrapped_line!(page, "  ", "voting on proposal {id} starts at {start} ({left})");
    wrapped_line!(
        page,
        "  ",
        "`canon lock` before then: only tokens locked before voting starts count"
    );
    let voting = lasts(now, proposal.deadlines().active);
    wrapped_line!(page, "  ", "`canon vote {id}` from then on, {voting}");
}

/// The steps after an execution that replaced the canonical rollup or the Proposals contract.
fn upgrade(page: &mut Page, before: &SetAddresses, present: &Present) {
    let after = &present.addresses;
    if after.proposals != before.proposals {
        wrapped_line!(page, "  ", "Proposals is {} now: signals count there", after.proposals);
    }
    if after.rollup == before.rollup {
        return;
    }
    let (new, former) = (after.rollup, before.rollup);
    wrapped_line!(page, "  ", "the canonical rollup is {new} now; it was {former}");
    wrapped_line!(
        page,
        "  ",
        "`canon stake finish ATTESTER` for each stake whose move to it was announced"
    );
    wrapped_line!(page, "  ", "`canon stake move ATTESTER` for the other stakes");
    let Some(rollup) = present.canonical_rollup() else { return };
    match (rollup.set_size, rollup.next_set_size, rollup.seed) {
        (Some(0), Some(0), _) => {
            if let Some((epoch, start)) = draws_later(&rollup.clock, present.next) {
                let start = Time(start);
                wrapped_line!(
                    page,
                    "  ",
                    "nobody has a seat there yet: stakes of now have one from epoch {epoch} on, {start}"
                );
            }
        }
        (_, Some(1..), SeedStatus::Missing(epoch)) => {
            wrapped_line!(page, "  ", "`canon setup-epoch` records the seed of its epoch {epoch}");
        }
        _ => {}
    }
}
