//! `canon proposal`: shows one proposal in full, or all of them.

mod actions;
mod render;
mod rules;
mod voted;

use std::cmp::Reverse;

use alloy_primitives::{Address, B256};
use canon_follow::OpenedSet;
use canon_protocol::{
    L1Block, ProposalId, Tabulation, Tally, actions_hash,
    text::{self, grouped},
};
use canon_views::{Present, ProposalView, Question, SetView};
use clap::Args;
use eyre::eyre;
use serde::Serialize;

use self::actions::ShownActions;
pub(crate) use self::{
    actions::in_words_or_data,
    rules::{coming_vote, rules},
    voted::{VotedActions, voted_actions},
};
use crate::{
    chain::{self, Chain, ChainArgs},
    command_help::CommandHelp,
    exit::{Exit, Failure},
    input::whole,
    output,
};

/// Show a proposal in full: its frozen actions, its vote and its dates; without an id, all proposals
///
/// The actions and the ballots are from the events of the set. They are read once, and kept in the
/// folder for caches; a later command reads only what is new.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Proposal {
    /// Number of the proposal
    #[arg(value_name = "ID", value_parser = whole(0..=u64::MAX))]
    id: Option<u64>,

    /// Print JSON: times in Unix seconds, amounts in base units; numbers that can exceed 2^53 are strings
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    chain: ChainArgs,
}

const HELP: CommandHelp =
    CommandHelp::reading("the proposal was printed").input(&["an id that doesn't exist"]).after(
        "\
Examples:
  canon proposal
  canon proposal 5",
    );

/// The text in place of a fact that only the history has.
pub(crate) const UNKNOWN: &str = "not known, since the set's history isn't";

/// A proposal, and the parts that come from its events.
#[derive(Debug, Serialize)]
struct ProposalDocument<'a> {
    #[serde(flatten)]
    proposal: &'a ProposalView,
    /// The result of the vote if no more ballots are cast.
    result: Tabulation,
    /// The block in which it was executed; `None` if it wasn't, or the history isn't known.
    execution: Option<L1Block>,
    /// The actions that were published when the proposal was made. `None` if the history isn't known, and the payload
    /// returns others, or none.
    actions: Option<ShownActions>,
    /// What the payload returns now, if that isn't known to be voted on.
    payload_now: Option<PayloadNow>,
    #[serde(skip)]
    unknown: Vec<String>,
    /// The power that each holder cast, largest first, then by address; `None` if the history isn't known.
    ballots: Option<Vec<ShownBallot>>,
}

/// The actions that a payload returns.
#[derive(Debug, Serialize)]
struct PayloadNow {
    actions_hash: B256,
    actions: ShownActions,
}

/// The power that a holder cast.
#[derive(Debug, Serialize)]
struct ShownBallot {
    #[serde(with = "text::address")]
    holder: Address,
    #[serde(flatten)]
    cast: Tally,
}

impl Proposal {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let settings = self.chain.settings()?;
        chain::run(async {
            let chain = settings.connect().await?;
            let Some(id) = self.id else {
                let present = chain.present(Question::default()).await?;
                match self.json {
                    true => output::json(&present.governance.proposals)?,
                    false => output::report(&render::list(&present))?,
                }
                return Ok(Exit::Success);
            };
            let OpenedSet { view, .. } = chain.history(Question::default()).await?;
            let document = document(&chain, &view, find(&view.present, id)?).await?;
            match self.json {
                true => output::json(&document)?,
                false => output::report(&render::proposal(&view.present, &document))?,
            }
            Ok(Exit::Success)
        })
    }
}

/// The proposal with a number.
///
/// # Errors
///
/// If it doesn't exist.
pub(crate) fn find(present: &Present, id: u64) -> Result<&ProposalView, Failure> {
    let found = ProposalId::new(id).and_then(|id| present.proposal(id));
    found.ok_or_else(|| {
        let id = grouped(id);
        let report = match present.governance.proposals.last() {
            None => eyre!("proposal {id} doesn't exist: there are no proposals yet"),
            Some(last) => {
                eyre!("proposal {id} doesn't exist: expected an id from 0 to {}", last.id)
            }
        };
        Failure::bad_input(report, "`canon proposal` lists all proposals")
    })
}

async fn document<'a>(
    chain: &Chain,
    view: &SetView,
    proposal: &'a ProposalView,
) -> Result<ProposalDocument<'a>, Failure> {
    let folded = view.history.as_ref().and_then(|history| {
        let (_, folded) = history.governance().proposal(proposal.id.to_word()).ok()?;
        Some(folded)
    });
    let voted = voted_actions(chain, view, proposal).await?;
    let unknown = voted.unknown_words();
    let payload_now = match &voted {
        VotedActions::Others(actions) => Some(PayloadNow {
            actions_hash: actions_hash(actions),
            actions: ShownActions::of_view(view, actions),
        }),
        VotedActions::Known(_) | VotedActions::Unknown => None,
    };
    let actions = match voted.known().map(|actions| ShownActions::of_view(view, &actions)) {
        Some(actions) if proposal.state.is_live() => Some(actions.examined(chain, view).await?),
        actions => actions,
    };
    Ok(ProposalDocument {
        proposal,
        result: proposal.tabulation(),
        execution: folded.and_then(canon_protocol::Proposal::execution),
        actions,
        payload_now,
        unknown,
        ballots: folded.map(|folded| by_power(folded.ballots())),
    })
}

/// Sorts ballots by power, largest first, then by address. The state has them in no order.
fn by_power(ballots: impl Iterator<Item = (Address, Tally)>) -> Vec<ShownBallot> {
    let mut ballots: Vec<_> = ballots.map(|(holder, cast)| ShownBallot { holder, cast }).collect();
    ballots.sort_by_key(|one| (Reverse(one.cast.cast()), one.holder));
    ballots
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use alloy_primitives::Bytes;
    use canon_protocol::{
        Action, Addresses, Amount, Code, ConfigurationId, ExternalContracts, GovernanceEvent,
        L1Block, Log, Reaction, Seconds, SetState,
    };
    use canon_views::BlockView;

    use super::{voted::frozen_actions, *};

    /// A chain without contracts.
    struct Nothing;

    impl ExternalContracts for Nothing {
        fn code(&self, _account: Address) -> Code {
            Code::default()
        }

        fn ask(&self, _target: Address, _data: &[u8]) -> Result<Bytes, Bytes> {
            Err(Bytes::new())
        }

        fn call(&self, _caller: Address, _target: Address, _data: &Bytes) -> Reaction {
            Reaction::Calls(Vec::new())
        }
    }

    /// A set with a proposal of this action.
    fn view_of(action: Action) -> SetView {
        let governance = Address::with_last_byte(1);
        let mut state = SetState::new(Addresses { governance, ..Addresses::default() });
        let (id, payload) = (ProposalId::ZERO, Address::with_last_byte(2));
        for event in [
            GovernanceEvent::Proposed { proposal_id: id, payload },
            GovernanceEvent::ProposalFrozen {
                proposal_id: id,
                proposer: governance,
                configuration_id: ConfigurationId::ZERO,
                actions_hash: actions_hash(std::slice::from_ref(&action)),
                actions: vec![action],
            },
        ] {
            let log = Log { emitter: governance, event: event.into() };
            state.evolve(&log, L1Block::default()).unwrap();
        }
        let (block, question) = (BlockView::default(), Question::default());
        SetView::of_state(Arc::new(state), &Nothing, block, &question, Seconds::SECOND)
    }

    #[test]
    fn actions_are_those_whose_hash_governance_has() {
        let action = Action { target: Address::with_last_byte(3), data: Bytes::from_static(&[7]) };
        let view = view_of(action.clone());
        let mut proposal = view.present.governance.proposals[0];
        let frozen = frozen_actions(&view, &proposal).unwrap();
        assert_eq!(frozen.as_deref(), Some(&[action][..]));
        proposal.actions_hash = B256::repeat_byte(9);
        let failure = frozen_actions(&view, &proposal).unwrap_err();
        let text = format!("{failure:?}");
        assert!(text.contains("and Governance has 0x0909"), "{text}");
        let view = SetView { history: None, ..view };
        assert_eq!(frozen_actions(&view, &proposal).unwrap(), None);
    }

    #[test]
    fn ballots_of_a_block_have_one_order() {
        let ballot = |holder, yea, nea| {
            let cast = Tally { yea: Amount::of(yea), nea: Amount::of(nea) };
            (Address::with_last_byte(holder), cast)
        };
        let ballots = [ballot(4, 1, 0), ballot(3, 2, 5), ballot(2, 8, 0), ballot(1, 0, 7)];
        for turn in 0..ballots.len() {
            let mut turned = ballots;
            turned.rotate_left(turn);
            let shown = by_power(turned.into_iter());
            let shown: Vec<_> = shown.iter().map(|one| one.holder.0[19]).collect();
            assert_eq!(shown, [2, 1, 3, 4]);
        }
    }
}
