//! Actions in words, and the obstacles to their execution.

use std::collections::BTreeMap;

use alloy_primitives::Address;
use canon_payload::{Hashes, KnownSet, describe, explain};
use canon_protocol::{Action, Addresses, ExpectCall, RegistryCall, Role};
use canon_views::SetView;
use eyre::eyre;
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
    /// The Registry lists the rollup to upgrade to already, and takes each rollup once.
    AlreadyListed,
    /// The rollup that has to be canonical was replaced, and can't become canonical again.
    Replaced,
    /// The target has no code at the newest block. An earlier action can still deploy it.
    WithoutCode,
}

impl Obstacle {
    /// The reason why the action fails whatever happens before it; `None` if it may succeed.
    const fn reason(self) -> Option<&'static str> {
        match self {
            Self::NoneKnown | Self::WithoutCode => None,
            Self::OnAsset => Some("Governance refuses every action on the Asset"),
            Self::AlreadyListed => {
                Some("the Registry lists this rollup already, and takes each rollup once")
            }
            Self::Replaced => Some("this rollup was replaced, and can't become canonical again"),
        }
    }

    fn words(self) -> Option<String> {
        match self {
            Self::WithoutCode => {
                let words = "NO CODE at the target now: Governance refuses it unless an earlier action deploys it";
                Some(words.to_owned())
            }
            _ => self.reason().map(|reason| format!("CAN'T BE EXECUTED: {reason}")),
        }
    }

    /// Whether the action always fails.
    const fn is_for_good(self) -> bool {
        self.reason().is_some()
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

    /// The obstacles to the actions.
    fn obstacles(&self) -> Vec<Obstacle> {
        self.0.iter().map(|shown| shown.obstacle).collect()
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
        lines.chain(warning(&self.obstacles())).collect()
    }
}

/// The obstacles to the actions at the block of the view.
async fn obstacles(
    chain: &Chain,
    view: &SetView,
    actions: &[Action],
) -> Result<Vec<Obstacle>, Failure> {
    let mut with_code = BTreeMap::new();
    let mut found = Vec::new();
    for action in actions {
        let target = action.target;
        if target == view.present.addresses.asset {
            found.push(Obstacle::OnAsset);
            continue;
        }
        let has_code = match with_code.get(&target) {
            Some(has_code) => *has_code,
            None => chain.has_code(target).await?,
        };
        with_code.insert(target, has_code);
        found.push(match has_code {
            true => obstacle_of_listed(chain, view, action).await?,
            false => Obstacle::WithoutCode,
        });
    }
    Ok(found)
}

/// The obstacle to an action that depends on the rollups that the Registry lists: it lists them for good.
async fn obstacle_of_listed(
    chain: &Chain,
    view: &SetView,
    action: &Action,
) -> Result<Obstacle, Failure> {
    let (present, target) = (&view.present, action.target);
    let set = &present.addresses;
    let expect = view.history.as_ref().map(|history| history.addresses().expect);
    let (rollup, obstacle) = if target == set.registry
        && let Some(RegistryCall::Upgrade { rollup }) = RegistryCall::abi_decode(&action.data)
    {
        (rollup, Obstacle::AlreadyListed)
    } else if Some(target) == expect
        && let Some(ExpectCall::CanonicalIs { registry, expected }) =
            ExpectCall::abi_decode(&action.data)
        && (registry, expected) != (set.registry, set.rollup)
        && registry == set.registry
    {
        (expected, Obstacle::Replaced)
    } else {
        return Ok(Obstacle::NoneKnown);
    };
    Ok(match chain.is_listed(present.block.hash, set.registry, rollup).await? {
        true => obstacle,
        false => Obstacle::NoneKnown,
    })
}

/// The number of the first action with an obstacle of a kind.
fn first(obstacles: &[Obstacle], is_meant: impl Fn(Obstacle) -> bool) -> Option<usize> {
    obstacles.iter().position(|obstacle| is_meant(*obstacle)).map(|position| position + 1)
}

/// A warning about all actions, if one of them has an obstacle.
fn warning(obstacles: &[Obstacle]) -> Option<String> {
    if let Some(number) = first(obstacles, Obstacle::is_for_good) {
        return Some(format!("warning: the proposal can't be executed: action {number} fails"));
    }
    let number = first(obstacles, |obstacle| obstacle == Obstacle::WithoutCode)?;
    Some(format!(
        "warning: the proposal can't be executed as long as action {number} has no target"
    ))
}

/// Actions in words, with their obstacles.
#[derive(Debug)]
pub(crate) struct ActionsInWords {
    pub(crate) lines: Vec<String>,
    obstacles: Vec<Obstacle>,
}

impl ActionsInWords {
    /// Refuses actions of which one can never be executed.
    ///
    /// # Errors
    ///
    /// If there is such an action. `next` says what to do about it.
    pub(crate) fn require_possible(&self, next: &'static str) -> Result<(), Failure> {
        let Some(number) = first(&self.obstacles, Obstacle::is_for_good) else { return Ok(()) };
        let reason = self.obstacles.get(number - 1).and_then(|obstacle| obstacle.reason());
        let reason = reason.unwrap_or_default();
        let action = self.lines.iter().find_map(|line| line.strip_prefix(&format!("{number}. ")));
        let action = action.unwrap_or_default();
        let title = format!(
            "a proposal of this payload can't be executed: action {number}, {action}, fails"
        );
        Err(Failure::refused(eyre!(reason).wrap_err(title), next))
    }
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
) -> Result<Option<ActionsInWords>, Failure> {
    let Some(shown) = ShownActions::examined(chain, view, actions).await? else { return Ok(None) };
    let names = names(view);
    let is_used = |name: &str| shown.0.iter().any(|shown| shown.words.contains(name));
    let used = names.iter().filter(|(_, name)| is_used(name));
    let used = used.map(|(address, name)| format!("{name} is {address}"));
    let lines = shown.lines().into_iter().chain(used).collect();
    Ok(Some(ActionsInWords { lines, obstacles: shown.obstacles() }))
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
) -> Result<ActionsInWords, Failure> {
    if let Some(words) = in_words(chain, view, actions).await? {
        return Ok(words);
    }
    let obstacles = obstacles(chain, view, actions).await?;
    let lines = (1..).zip(actions).zip(&obstacles).flat_map(|((number, action), obstacle)| {
        let Action { target, data } = action;
        let obstacle = obstacle.words().map(|words| format!("   {words}"));
        [format!("{number}. {target}: {data}")].into_iter().chain(obstacle)
    });
    let lines = lines.chain(warning(&obstacles)).collect();
    Ok(ActionsInWords { lines, obstacles })
}

/// The names of the set's contracts, by address.
fn names(view: &SetView) -> BTreeMap<Address, String> {
    contracts(view).into_iter().map(|(address, _, name)| (address, name)).collect()
}

/// The roles of the set's contracts, which determine their functions, by address.
fn roles(view: &SetView) -> BTreeMap<Address, Role> {
    contracts(view).into_iter().map(|(address, role, _)| (address, role)).collect()
}

/// The set's contracts with their roles and names. Rollups are those that the Registry lists.
fn contracts(view: &SetView) -> Vec<(Address, Role, String)> {
    let set = &view.present.addresses;
    let mut contracts = vec![
        (set.registry, Role::Registry, "Registry".to_owned()),
        (set.governance, Role::Governance, "Governance".to_owned()),
        (set.proposals, Role::Proposals, "Proposals".to_owned()),
        (set.asset, Role::Asset, "Asset".to_owned()),
        (set.issuer, Role::Issuer, "Issuer".to_owned()),
    ];
    if let Some(history) = &view.history {
        let Addresses { reward_distributor, expect, .. } = *history.addresses();
        contracts.push((reward_distributor, Role::Distributor, "RewardDistributor".to_owned()));
        contracts.push((expect, Role::Expect, "Expect".to_owned()));
        // Version 0 isn't a rollup.
        for (version, one) in (0_u64..).zip(history.registry().snapshots()).skip(1) {
            contracts.push((one.rollup, Role::Rollup, format!("rollup {version}")));
        }
    }
    contracts
}
