//! The actions that a proposal was voted on with.

use std::sync::Arc;

use canon_protocol::{Action, actions_hash};
use canon_views::{ProposalView, SetView};
use eyre::eyre;

use super::UNKNOWN;
use crate::{
    chain::Chain,
    exit::{Exit, Failure},
};

/// The actions of a proposal.
#[derive(Debug)]
pub(crate) enum VotedActions {
    /// Those that were voted on: they have the hash that Governance has.
    Known(Arc<[Action]>),
    /// They aren't known, since the set's history isn't: the payload returns these now, which have another hash.
    Others(Vec<Action>),
    /// They aren't known, and the payload returns none.
    Unknown,
}

impl VotedActions {
    /// The actions, if they are known.
    pub(crate) fn known(self) -> Option<Arc<[Action]>> {
        match self {
            Self::Known(actions) => Some(actions),
            Self::Others(_) | Self::Unknown => None,
        }
    }

    /// The words for actions that aren't known, before those that the payload returns instead.
    pub(crate) fn unknown_words(&self) -> Vec<String> {
        match self {
            Self::Known(_) => Vec::new(),
            Self::Others(actions) => vec![
                UNKNOWN.to_owned(),
                "warning: the payload returns others now, with hash".to_owned(),
                format!("{}:", actions_hash(actions)),
            ],
            Self::Unknown => vec![UNKNOWN.to_owned(), "the payload returns none now".to_owned()],
        }
    }
}

/// The actions of a proposal: from the set's history, otherwise those that its payload returns, if their hash proves
/// that they were voted on.
///
/// # Errors
///
/// If those of the history don't have the hash that Governance has, or the endpoint doesn't answer.
pub(crate) async fn voted_actions(
    chain: &Chain,
    view: &SetView,
    proposal: &ProposalView,
) -> Result<VotedActions, Failure> {
    if let Some(actions) = frozen_actions(view, proposal)? {
        return Ok(VotedActions::Known(actions));
    }
    let (at, governance) = (view.present.block.hash, view.present.addresses.governance);
    match chain.payload_actions(at, governance, proposal.payload).await {
        Ok(listed) if actions_hash(&listed) == proposal.actions_hash => {
            Ok(VotedActions::Known(listed.into()))
        }
        Ok(listed) => Ok(VotedActions::Others(listed)),
        Err(failure) if failure.exit == Exit::CheckFailed => Ok(VotedActions::Unknown),
        Err(failure) => Err(failure),
    }
}

/// The actions that were frozen with a proposal; `None` if the history isn't known.
///
/// # Errors
///
/// If they don't have the hash that Governance has.
pub(super) fn frozen_actions(
    view: &SetView,
    proposal: &ProposalView,
) -> Result<Option<Arc<[Action]>>, Failure> {
    let Some(actions) = view.frozen_actions(proposal.id) else { return Ok(None) };
    let (expected, found) = (proposal.actions_hash, actions_hash(actions));
    if found != expected {
        let report = eyre!(
            "the actions of proposal {} in the set's events have the hash {found}, and Governance has \
             {expected}",
            proposal.id
        );
        return Err(Failure::refused(report, "use another endpoint"));
    }
    Ok(Some(Arc::clone(actions)))
}
