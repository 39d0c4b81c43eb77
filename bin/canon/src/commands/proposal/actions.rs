//! Actions in words, and the obstacles to their execution.

use std::collections::BTreeMap;

use alloy_primitives::Address;
use canon_chain::deploy::{DeployError, simulate_actions};
use canon_payload::{Hashes, KnownSet, describe, explain};
use canon_protocol::{Action, Addresses, ExpectCall, RegistryCall, Role};
use canon_views::SetView;
use eyre::eyre;
use serde::Serialize;

use crate::{chain::Chain, exit::Failure, page::hanging};

/// The width of all lines, which are shown with an indentation of up to 5 columns.
const WIDTH: usize = 75;

/// The indentation of the lines below the first of an action.
const INDENT: &str = "   ";

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
                let words = "NO CODE at the target now: Governance refuses it unless an earlier \
                             action deploys it";
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
    /// The actions of a decided proposal, without obstacles: in words, or as data if the history isn't known.
    pub(super) fn of_view(view: &SetView, actions: &[Action]) -> Self {
        Self::of(view, actions).unwrap_or_else(|| Self::of_data(actions))
    }

    /// The actions in words; `None` if the history isn't known.
    fn of(view: &SetView, actions: &[Action]) -> Option<Self> {
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

    /// The actions as data, without obstacles.
    fn of_data(actions: &[Action]) -> Self {
        let shown = actions.iter().map(|action| ShownAction {
            words: format!("{}: {}", action.target, action.data),
            effect: Vec::new(),
            action: action.clone(),
            obstacle: Obstacle::NoneKnown,
        });
        Self(shown.collect())
    }

    /// Returns the actions with the obstacles to their execution.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer.
    pub(super) async fn examined(self, chain: &Chain, view: &SetView) -> Result<Self, Failure> {
        let mut with_code = BTreeMap::new();
        let mut examined = Vec::new();
        for shown in self.0 {
            let obstacle = obstacle(chain, view, &shown.action, &mut with_code).await?;
            examined.push(ShownAction { obstacle, ..shown });
        }
        Ok(Self(examined))
    }

    /// The number of the first action with an obstacle of a kind, and the action.
    fn first(&self, is_meant: impl Fn(Obstacle) -> bool) -> Option<(usize, &ShownAction)> {
        (1..).zip(&self.0).find(|(_, shown)| is_meant(shown.obstacle))
    }

    /// A warning about all actions, if one of them has an obstacle.
    fn warning(&self) -> Option<String> {
        if let Some((number, _)) = self.first(Obstacle::is_for_good) {
            return Some(format!("warning: the proposal can't be executed: action {number} fails"));
        }
        let (number, _) = self.first(|obstacle| obstacle == Obstacle::WithoutCode)?;
        Some(format!(
            "warning: the proposal can't be executed as long as action {number} has no target"
        ))
    }

    /// The actions in lines, numbered, each with its effect.
    pub(super) fn lines(&self) -> Vec<String> {
        let lines = (1..).zip(&self.0).flat_map(|(number, shown)| {
            let ShownAction { words, effect, obstacle, .. } = shown;
            // Long calls break between arguments, since addresses and hashes have no spaces.
            let words = hanging(&format!("{number}. "), words, WIDTH).into_iter();
            let effect = effect.iter().flat_map(|line| effect_lines(line));
            let obstacle = obstacle.words().into_iter();
            words.chain(effect).chain(obstacle.flat_map(|words| hanging(INDENT, &words, WIDTH)))
        });
        lines.chain(self.warning()).collect()
    }
}

/// A line of an effect, wrapped. A line keeps its columns if it fits, or has a word that doesn't fit anyway.
fn effect_lines(line: &str) -> Vec<String> {
    let line = format!("{INDENT}{line}");
    let blanks: String = line.chars().take_while(|one| *one == ' ').collect();
    let fits = |text: &str| blanks.len() + text.chars().count() <= WIDTH;
    match fits(line.trim_start()) || !line.split_whitespace().all(fits) {
        true => vec![line],
        false => hanging(&blanks, &line, WIDTH),
    }
}

/// The obstacle to an action at the block of the view. `with_code` has the targets that were asked for, and whether
/// they have code.
async fn obstacle(
    chain: &Chain,
    view: &SetView,
    action: &Action,
    with_code: &mut BTreeMap<Address, bool>,
) -> Result<Obstacle, Failure> {
    let target = action.target;
    if target == view.present.addresses.asset {
        return Ok(Obstacle::OnAsset);
    }
    let has_code = match with_code.get(&target) {
        Some(has_code) => *has_code,
        None => chain.has_code(target).await?,
    };
    with_code.insert(target, has_code);
    match has_code {
        true => obstacle_of_listed(chain, view, action).await,
        false => Ok(Obstacle::WithoutCode),
    }
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

/// Actions in words, with their obstacles.
#[derive(Debug)]
pub(crate) struct ActionsInWords {
    pub(crate) lines: Vec<String>,
    shown: ShownActions,
}

impl ActionsInWords {
    /// Refuses actions of which one can never be executed.
    ///
    /// # Errors
    ///
    /// If there is such an action. `next` says what to do about it.
    pub(crate) fn require_possible(&self, next: &'static str) -> Result<(), Failure> {
        let Some((number, shown)) = self.shown.first(Obstacle::is_for_good) else { return Ok(()) };
        let action = &shown.words;
        let title = format!(
            "a proposal of this payload can't be executed: action {number}, {action}, fails"
        );
        let reason = shown.obstacle.reason().unwrap_or_default();
        Err(Failure::refused(eyre!(reason).wrap_err(title), next))
    }

    /// A warning in lines if an action would fail now, executed by Governance on the newest block without the other
    /// actions. It can change with the next block. There is none if an action always fails, which the lines say
    /// already.
    pub(crate) async fn failing_now(&self, chain: &Chain, governance: Address) -> Vec<String> {
        if self.shown.first(Obstacle::is_for_good).is_some() {
            return Vec::new();
        }
        let actions: Vec<_> = self.shown.0.iter().map(|shown| shown.action.clone()).collect();
        let (label, text) = match simulate_actions(chain.client(), governance, &actions).await {
            Ok(()) => return Vec::new(),
            Err(DeployError::Action { number, source }) => {
                let action = self.shown.0.get(number - 1).map(|shown| &*shown.words);
                let reason = source.as_revert().map(|revert| match revert.hint() {
                    Some(hint) => format!("{revert}; {hint}"),
                    None => revert.to_string(),
                });
                let text = format!(
                    "action {number}, {}, would fail if it were executed now, by itself: {}. This can be \
                     intended: it may need an earlier action, or a later state",
                    action.unwrap_or_default(),
                    reason.unwrap_or_else(|| source.to_string())
                );
                ("warning: ", text)
            }
            // The transaction itself can still be simulated and sent.
            Err(error) => {
                ("note: ", format!("whether the actions would fail now isn't known: {error}"))
            }
        };
        hanging(label, &text, WIDTH)
    }
}

/// The actions in words with their obstacles, followed by the addresses of all names in them. They are shown as
/// data if the history isn't known.
///
/// # Errors
///
/// If the endpoint doesn't answer.
pub(crate) async fn in_words_or_data(
    chain: &Chain,
    view: &SetView,
    actions: &[Action],
) -> Result<ActionsInWords, Failure> {
    let shown = ShownActions::of_view(view, actions);
    let shown = shown.examined(chain, view).await?;
    let names = names(view);
    let is_used = |name: &str| shown.0.iter().any(|shown| has_name(&shown.words, name));
    let used = names.iter().filter(|(_, name)| is_used(name));
    let used = used.map(|(address, name)| format!("{name} is {address}"));
    let lines = shown.lines().into_iter().chain(used).collect();
    Ok(ActionsInWords { lines, shown })
}

/// Whether a text has a name as a whole: "rollup 1" isn't in "rollup 12".
fn has_name(text: &str, name: &str) -> bool {
    let goes_on = |next: Option<char>| next.is_some_and(char::is_alphanumeric);
    text.match_indices(name).any(|(start, found)| {
        let (before, after) = text.split_at(start);
        !goes_on(before.chars().next_back()) && !goes_on(after.chars().nth(found.chars().count()))
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_only_as_a_whole() {
        for (text, name, is_used) in [
            ("Registry.addRollup(rollup 12)", "rollup 12", true),
            ("Registry.addRollup(rollup 12)", "rollup 1", false),
            ("Expect.canonicalIs(rollup 12, rollup 1)", "rollup 1", true),
            ("Registry.addRollup(rollup 12)", "Registry", true),
            ("Issuer.acceptAsset()", "Asset", false),
            ("rollup 1", "rollup 1", true),
        ] {
            assert_eq!(has_name(text, name), is_used, "{name} in {text}");
        }
    }
}
