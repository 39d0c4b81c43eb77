//! `canon proposal`: one proposal in full, or all of them.

mod render;

use std::{collections::BTreeMap, sync::Arc};

use alloy_primitives::Address;
use canon_follow::OpenedSet;
use canon_payload::{Hashes, KnownSet, describe, explain};
use canon_protocol::{Action, ProposalId, Role, Tabulation, Tally, text};
use canon_views::{Present, ProposalView, Question, SetView};
use clap::Args;
use eyre::eyre;
use serde::Serialize;

use crate::{
    chain::{self, ChainArgs},
    exit::{Exit, Failure},
    input::whole,
    output,
};

/// Show a proposal in full: its frozen actions, its vote and its dates; without an id, all proposals
///
/// The actions and the ballots are from the events of the set. They are read once, and kept in the
/// folder for caches; a later command reads only what is new.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
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

const AFTER_HELP: &str = "\
Examples:
  canon proposal
  canon proposal 5

Exit codes:
  0  the proposal was printed
  2  bad input: flags, canon.toml, an id that doesn't exist, or no Canon deployment at the given address
  3  no endpoint answers, or an internal error";

/// A proposal, and what its events say.
#[derive(Debug, Serialize)]
struct ProposalDocument<'a> {
    #[serde(flatten)]
    proposal: &'a ProposalView,
    /// The result of its vote if no more ballots are cast.
    result: Tabulation,
    /// The actions that were published at its creation; `None` if the history isn't known.
    actions: Option<Vec<ShownAction>>,
    /// The power that each holder cast; `None` if the history isn't known.
    ballots: Option<Vec<ShownBallot>>,
}

/// A frozen action.
#[derive(Debug, Serialize)]
struct ShownAction {
    #[serde(flatten)]
    action: Action,
    /// The exact call.
    words: String,
    /// Its effect.
    effect: Vec<String>,
}

/// The ballot of a holder.
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
        let view = chain::run(async {
            let chain = settings.connect().await?;
            match self.id {
                None => {
                    let present = chain.present(Question::default()).await?;
                    Ok(SetView { present, history: None })
                }
                Some(_) => {
                    chain.history(Question::default()).await.map(|OpenedSet { view, .. }| view)
                }
            }
        })?;
        match self.id {
            None if self.json => output::json(&view.present.governance.proposals)?,
            None => output::result(&render::list(&view.present))?,
            Some(id) => {
                let document = document(&view, find(&view.present, id)?);
                match self.json {
                    true => output::json(&document)?,
                    false => output::result(&render::proposal(&view.present, &document))?,
                }
            }
        }
        Ok(Exit::Success)
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
        let report = match present.governance.proposals.len() {
            0 => eyre!("proposal {id} doesn't exist: there are no proposals yet"),
            count => eyre!("proposal {id} doesn't exist: expected an id from 0 to {}", count - 1),
        };
        Failure::bad_input(report, "`canon proposal` lists all proposals")
    })
}

fn document<'a>(view: &SetView, proposal: &'a ProposalView) -> ProposalDocument<'a> {
    let history = view.history.as_ref();
    let folded = history.and_then(|history| {
        let (_, folded) = history.governance().proposal(proposal.id.to_word()).ok()?;
        Some((history, folded))
    });
    let actions = folded.and_then(|(_, folded)| shown(view, folded.actions()));
    let ballots = folded.map(|(_, folded)| {
        folded.ballots().map(|(holder, cast)| ShownBallot { holder, cast }).collect()
    });
    ProposalDocument { proposal, result: proposal.tabulation(), actions, ballots }
}

/// Actions in words; `None` if the history isn't known.
fn shown(view: &SetView, actions: &[Action]) -> Option<Vec<ShownAction>> {
    let expect = view.history.as_ref()?.addresses().expect;
    let (names, roles) = (names(view), roles(view));
    let configuration = Some(&view.present.governance.configuration);
    let set = KnownSet { roles: &roles, names: &names, configuration };
    let shown = actions.iter().map(|action| ShownAction {
        words: describe(action, expect, &names, Hashes::Full),
        effect: explain(action, &set),
        action: action.clone(),
    });
    Some(shown.collect())
}

/// Actions in words, numbered, each with its effect, and then the addresses of all names in them; `None` if the
/// history isn't known.
pub(crate) fn in_words(view: &SetView, actions: &[Action]) -> Option<Vec<String>> {
    let described = shown(view, actions)?;
    let names = names(view);
    let is_used = |name: &str| described.iter().any(|shown| shown.words.contains(name));
    let used = names.iter().filter(|(_, name)| is_used(name));
    let used: Vec<_> = used.map(|(address, name)| format!("{name} is {address}")).collect();
    Some(numbered(&described).into_iter().chain(used).collect())
}

/// The lines of actions.
fn numbered(actions: &[ShownAction]) -> Vec<String> {
    let lines = (1..).zip(actions).flat_map(|(number, ShownAction { words, effect, .. })| {
        let effect = effect.iter().map(|line| format!("   {line}"));
        [format!("{number}. {words}")].into_iter().chain(effect)
    });
    lines.collect()
}

/// The actions that were frozen with a proposal; `None` if the history isn't known.
pub(crate) fn frozen_actions(view: &SetView, proposal: &ProposalView) -> Option<Arc<[Action]>> {
    let governance = view.history.as_ref()?.governance();
    let (_, folded) = governance.proposal(proposal.id.to_word()).ok()?;
    Some(Arc::clone(folded.actions()))
}

/// Actions in words as [`in_words`] has them; as data if the history isn't known.
pub(crate) fn in_words_or_data(view: &SetView, actions: &[Action]) -> Vec<String> {
    in_words(view, actions).unwrap_or_else(|| {
        let numbered = (1..).zip(actions);
        numbered
            .map(|(number, Action { target, data })| format!("{number}. {target}: {data}"))
            .collect()
    })
}

/// The names of the set's contracts.
fn names(view: &SetView) -> BTreeMap<Address, String> {
    let set = &view.present.addresses;
    let mut names = BTreeMap::from([
        (set.registry, "Registry".to_owned()),
        (set.governance, "Governance".to_owned()),
        (set.proposals, "Proposals".to_owned()),
        (set.asset, "Asset".to_owned()),
        (set.issuer, "Issuer".to_owned()),
    ]);
    if let Some(history) = &view.history {
        names.insert(history.addresses().distributor, "RewardDistributor".to_owned());
        names.insert(history.addresses().expect, "Expect".to_owned());
        // Version 0 is none.
        let listed = (0_u64..).zip(history.registry().snapshots()).skip(1);
        let listed = listed.map(|(version, one)| (one.rollup, format!("rollup {version}")));
        names.extend(listed);
    }
    names
}

/// The roles of the set's contracts, whose functions are known. Rollups are taken as the Registry lists them.
fn roles(view: &SetView) -> BTreeMap<Address, Role> {
    let set = &view.present.addresses;
    let mut roles = BTreeMap::from([
        (set.registry, Role::Registry),
        (set.governance, Role::Governance),
        (set.proposals, Role::Proposals),
        (set.asset, Role::Asset),
        (set.issuer, Role::Issuer),
    ]);
    if let Some(history) = &view.history {
        roles.insert(history.addresses().distributor, Role::Distributor);
        roles.insert(history.addresses().expect, Role::Expect);
        let listed = history.registry().snapshots().iter().skip(1);
        roles.extend(listed.map(|one| (one.rollup, Role::Rollup)));
    }
    roles
}
