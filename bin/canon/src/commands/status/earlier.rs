//! The rollups that were canonical before.

use std::collections::BTreeSet;

use canon_protocol::ProposalState;
use canon_views::{Present, ProposalView, Question};

use crate::{chain::Chain, exit::Failure};

/// The maximum number of earlier rollups that are shown.
const SHOWN_ROLLUPS: usize = 3;

/// The set with the rollups that were canonical before: stakes may be left in them. A set whose proposals were never
/// executed has none, and isn't read again.
pub(super) async fn with_earlier_rollups(
    chain: &Chain,
    present: Present,
) -> Result<Present, Failure> {
    let is_executed = |proposal: &ProposalView| proposal.state == ProposalState::Executed;
    if !present.governance.proposals.iter().any(is_executed) {
        return Ok(present);
    }
    let earlier = chain.earlier_rollups(present.block.hash, SHOWN_ROLLUPS).await?;
    if earlier.is_empty() {
        return Ok(present);
    }
    let rollups = earlier.into_iter().map(|rollup| (rollup, BTreeSet::new())).collect();
    let again = chain.present_after(None, Question { rollups, ..Question::default() }).await?;
    Ok(again.unwrap_or(present))
}
