//! Actions in words, and the obstacles to their execution.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::Address;
use canon_payload::{Hashes, KnownSet, describe, explain};
use canon_protocol::{Action, Role};
use canon_views::SetView;
use serde::Serialize;

use crate::{chain::Chain, exit::Failure, page::wrapped};

/// The width of an action, which is shown with an indentation of up to 5 columns; further lines have 3 more.
const WIDTH: usize = 72;

/// Actions in the form in which they are shown.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct ShownActions(Vec<ShownAction>);

#[derive(Debug, Serialize)]
struct ShownAction {
    #[serde(flatten)]
    action: Action,
    /// The exact call.
    words: String,
    /// The effect of the call, in lines.
    effect: Vec<String>,
    obstacle: Obstacle,
}

/// The reason why Governance refuses an action, and with it the whole proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Obstacle {
    /// None is known.
    NoneKnown,
    /// Governance refuses every action on the Asset.
    OnAsset,
    /// The target has no code at the newest block. An earlier action can still deploy it.
    WithoutCode,
}

impl Obstacle {
    const fn words(self) -> Option<&'static str> {
        match self {
            Self::NoneKnown => None,
            Self::OnAsset => {
                Some("CAN'T BE EXECUTED: Governance refuses every action on the Asset")
            }
            Self::WithoutCode => Some(
                "NO CODE at the target now: Governance refuses it unless an earlier action deploys it",
            ),
        }
    }
}

impl ShownActions {
    /// The actions of a decided proposal, without obstacles; `None` if the history isn't known.
    pub(super) fn of(view: &SetView, actions: &[Action]) -> Option<Self> {
        let expect = view.history.as_ref()?.addresses().expect;
        let (names, roles) = (names(view), roles(view));
        let configuration = Some(&view.present.governance.configuration);
        let set = KnownSet { roles: &roles, names: &names, configuration };
        let shown = actions.iter().map(|action| ShownAction {
            words: describe(action, expect, &names, Hashes::Full),
            effect: explain(action, &set),
            action: action.clone(),
            obstacle: Obstacle::NoneKnown,
        });
        Some(Self(shown.collect()))
    }

    /// Returns the actions with the obstacles to their execution.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer.
    pub(super) async fn examined(
        chain: &Chain,
        view: &SetView,
        actions: &[Action],
    ) -> Result<Option<Self>, Failure> {
        let Some(mut shown) = Self::of(view, actions) else { return Ok(None) };
        let obstacles = obstacles(chain, view, actions).await?;
        for (shown, obstacle) in shown.0.iter_mut().zip(obstacles) {
            shown.obstacle = obstacle;
        }
        Ok(Some(shown))
    }

    /// The actions in lines, numbered, each with its effect.
    pub(super) fn lines(&self) -> Vec<String> {
        let lines = (1..).zip(&self.0).flat_map(|(number, shown)| {
            let ShownAction { words, effect, obstacle, .. } = shown;
            let effect = effect.iter().map(|line| format!("   {line}"));
            let obstacle = obstacle.words().map(|words| format!("   {words}"));
            // Long calls break between arguments, since addresses and hashes have no spaces.
            let words = wrapped(words, WIDTH).into_iter().enumerate();
            let words = words.map(move |(position, line)| match position {
                0 => format!("{number}. {line}"),
                _ => format!("   {line}"),
            });
            words.chain(effect).chain(obstacle)
        });
        let obstacles: Vec<_> = self.0.iter().map(|shown| shown.obstacle).collect();
        lines.chain(warning(&obstacles)).collect()
    }
}

/// The obstacles to the actions at the newest block.
async fn obstacles(
    chain: &Chain,
    view: &SetView,
    actions: &[Action],
) -> Result<Vec<Obstacle>, Failure> {
    let asset = view.present.addresses.asset;
    let targets: BTreeSet<_> = actions.iter().map(|action| action.target).collect();
    let mut found = BTreeMap::new();
    for target in targets {
        let obstacle = match target == asset {
            true => Obstacle::OnAsset,
            false if chain.has_code(target).await? => Obstacle::NoneKnown,
            false => Obstacle::WithoutCode,
        };
        found.insert(target, obstacle);
    }
    Ok(actions.iter().filter_map(|action| found.get(&action.target).copied()).collect())
}

/// A warning about all actions, if one of them has an obstacle.
fn warning(obstacles: &[Obstacle]) -> Option<String> {
    let first = |wanted| (1..).zip(obstacles).find(|(_, one)| **one == wanted);
    if let Some((number, _)) = first(Obstacle::OnAsset) {
        return Some(format!(
            "warning: the proposal can't be executed: Governance refuses action {number}"
        ));
    }
    let (number, _) = first(Obstacle::WithoutCode)?;
    Some(format!(
        "warning: the proposal can't be executed as long as action {number} has no target"
    ))
}

/// The actions in words with their obstacles, followed by the addresses of all names in them; `None` if the
/// history isn't known.
///
/// # Errors
///
/// If the endpoint doesn't answer.
pub(crate) async fn in_words(
    chain: &Chain,
    view: &SetView,
    actions: &[Action],
) -> Result<Option<Vec<String>>, Failure> {
    let Some(shown) = ShownActions::examined(chain, view, actions).await? else { return Ok(None) };
    let names = names(view);
    let is_used = |name: &str| shown.0.iter().any(|shown| shown.words.contains(name));
    let used = names.iter().filter(|(_, name)| is_used(name));
    let used = used.map(|(address, name)| format!("{name} is {address}"));
    Ok(Some(shown.lines().into_iter().chain(used).collect()))
}

/// The actions in words as from [`in_words`], or as data if the history isn't known.
///
/// # Errors
///
/// If the endpoint doesn't answer.
pub(crate) async fn in_words_or_data(
    chain: &Chain,
    view: &SetView,
    actions: &[Action],
) -> Result<Vec<String>, Failure> {
    if let Some(words) = in_words(chain, view, actions).await? {
        return Ok(words);
    }
    let obstacles = obstacles(chain, view, actions).await?;
    let lines = (1..).zip(actions).zip(&obstacles).flat_map(|((number, action), obstacle)| {
        let Action { target, data } = action;
        let obstacle = obstacle.words().map(|words| format!("   {words}"));
        [format!("{number}. {target}: {data}")].into_iter().chain(obstacle)
    });
    Ok(lines.chain(warning(&obstacles)).collect())
}

/// The names of the set's contracts, by address.
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
        // Version 0 isn't a rollup.
        let listed = (0_u64..).zip(history.registry().snapshots()).skip(1);
        let listed = listed.map(|(version, one)| (one.rollup, format!("rollup {version}")));
        names.extend(listed);
    }
    names
}

/// The roles of the set's contracts, which determine their functions. Rollups are those that the Registry
/// lists.
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
