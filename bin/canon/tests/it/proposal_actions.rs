//! The actions of proposals in words, for voters.

use alloy_primitives::{Address, U256};
use canon_chain::deploy::SetParameters;
use canon_devchain::UnsignedCall;
use canon_protocol::{
    Action, Amount, AssetCall, Call, ExpectCall, GovernanceCall, IssuerCall, RawConfiguration,
    RawProposeConfiguration, RegistryCall,
};
use snapbox::{assert_data_eq, file};

use crate::{
    chain::{Chain, tokens},
    live::about,
    sending::{by, fails, shown},
    sending_anyone::harmless,
    servers::Folder,
    support::{stdout, while_served, without_hashes},
    voting,
};

fn action(target: Address, call: impl Into<Call>) -> Action {
    Action { target, data: call.into().abi_encode() }
}

fn mint(tokens_minted: Amount) -> Call {
    let (to, amount) = (Address::repeat_byte(0x70), U256::from(tokens_minted.get()));
    IssuerCall::Mint { to, amount }.into()
}

/// A text on one line.
fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A configuration whose quorum differs from the one in force.
fn configuration() -> Call {
    let configuration = RawConfiguration {
        propose_config: RawProposeConfiguration {
            lock_delay: U256::from(86_400),
            lock_amount: U256::from(tokens(100).get()),
        },
        quorum: U256::from(200_000_000_000_000_000_u64),
        vote_differential: U256::ZERO,
        minimum_votes: U256::from(tokens(100).get()),
        // The delays are unchanged.
        ..SetParameters::tests().governance.configuration().into()
    };
    GovernanceCall::UpdateConfiguration { configuration: Box::new(configuration) }.into()
}

/// The actions as voters see them.
#[tokio::test(flavor = "multi_thread")]
async fn actions_are_shown_with_units_and_names_and_what_is_unknown_is_said_to_be() {
    let folder = Folder::new("effects");
    let mut chain = Chain::new().await;
    let set = chain.set;
    let payload = chain.payload_of(vec![
        action(set.issuer, mint(tokens(1000))),
        action(set.governance, configuration()),
        // This is a function of the Issuer, but on another contract.
        action(chain.payload, mint(tokens(1000))),
        Action { target: set.registry, data: vec![1, 2, 3, 4, 5].into() },
    ]);
    chain.propose(payload, 1).await;
    while_served(move || {
        let text = without_hashes(&stdout(about(&chain, &folder, "proposal 0")));
        let (actions, _) = text.split_once("\nVote, with").unwrap();
        assert_data_eq!(actions.to_owned(), file!["proposal-actions.txt"].raw());
    })
    .await;
}

/// Governance refuses these actions. Voters and the accounts that push should know from the first
/// day.
#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_that_cannot_be_executed_is_marked_before_it_is_pushed_and_voted_on() {
    let folder = Folder::new("obstacles");
    let mut chain = Chain::new().await;
    let set = chain.set;
    let (to, amount) = (Address::repeat_byte(0x70), U256::from(tokens(5).get()));
    let payload = chain.payload_of(vec![
        action(set.asset, AssetCall::Transfer { to, amount }),
        Action { target: Address::repeat_byte(0x71), data: vec![1, 2, 3, 4].into() },
    ]);
    for slot in 10..16 {
        chain.signal(slot, payload).await;
    }
    chain.pass(20);
    let marks = [
        "CAN'T BE EXECUTED: Governance refuses every action on the Asset",
        "NO CODE at the target now: Governance refuses it unless an earlier action deploys it",
        "warning: the proposal can't be executed: action 1 fails",
    ];
    while_served(move || {
        let (_, said) = shown(by(&chain, &folder, "push --yes"));
        assert_data_eq!(said.clone(), file!["push-refused-actions.txt"].raw());
        let text = stdout(about(&chain, &folder, "proposal 0"));
        for mark in marks {
            assert!(unwrapped(&said).contains(mark), "{said}");
            assert!(unwrapped(&text).contains(mark), "{text}");
        }
        chain.go_to(200);
        let (_, said) =
            shown(voting::by(&chain, &folder, 0, "vote 0 for --amount 5000 --allow-unfinal --yes"));
        for mark in marks {
            assert!(unwrapped(&said).contains(mark), "{said}");
        }
        chain.pass(480);
        // The simulation fails, so the command doesn't ask.
        let said = fails(by(&chain, &folder, "execute 0 --yes"), 1);
        assert!(said.contains("Governance__ActionOnAsset"), "{said}");
    })
    .await;
}

/// The Registry takes each rollup once, so an upgrade that was executed can't be executed again.
#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_to_a_listed_rollup_is_refused_and_voters_are_warned() {
    let folder = Folder::new("listed");
    let mut chain = Chain::new().await;
    let set = chain.set;
    let upgrade = RegistryCall::Upgrade { rollup: set.rollup };
    let payload = chain.payload_of(vec![action(set.registry, upgrade)]);
    let lock = chain.lock_amount().await;
    chain.lock(lock).await;
    for slot in 10..16 {
        chain.signal(slot, payload).await;
    }
    chain.record_seed_of(16).await;
    chain.pass(16);
    while_served(move || {
        let to = chain.account(0);
        let by = |arguments: &str| voting::by(&chain, &folder, 0, &format!("{arguments} --yes"));
        let said = fails(by(&format!("propose {payload} --to {to}")), 1);
        assert_eq!(
            said,
            "error: a proposal of this payload can't be executed: action 1, Registry.upgrade(rollup 1), fails\n  \
             because the Registry lists this rollup already, and takes each rollup once\n\n\
             next: check the payload's address: the power would be given up for nothing\n"
        );
        let said = fails(by(&format!("signal {payload}")), 1);
        assert!(said.contains("action 1, Registry.upgrade(rollup 1), fails"), "{said}");
        assert!(said.contains("next: don't signal for it") && !said.contains("--force"), "{said}");
        let mark = "CAN'T BE EXECUTED: the Registry lists this rollup already";
        let (_, said) = shown(by(&format!("signal {payload} --force")));
        assert!(said.contains(mark), "{said}");
        chain.pass(20);
        let (_, said) = shown(by("push 1"));
        assert!(said.contains(mark), "{said}");
        chain.go_to(200);
        let (_, said) = shown(by("vote 0 against --amount 5000 --allow-unfinal"));
        assert!(said.contains(mark), "{said}");
        assert!(said.contains("warning: the proposal can't be executed: action 1 fails"), "{said}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_that_asserts_that_a_replaced_rollup_is_canonical_is_refused() {
    let folder = Folder::new("replaced");
    let mut chain = Chain::new().await;
    let set = chain.set;
    let (rollup, payload) = chain.next_rollup().await;
    let lock = chain.lock_amount().await;
    chain.lock(lock).await;
    while_served(move || {
        let to = chain.account(0);
        let propose = || {
            let arguments = format!("propose {payload} --to {to} --dry-run");
            voting::by(&chain, &folder, 0, &arguments)
        };
        let text = stdout(propose());
        assert!(!text.contains("CAN'T BE EXECUTED"), "{text}");
        let input = RegistryCall::Upgrade { rollup }.abi_encode();
        let call = UnsignedCall { from: set.governance, to: Some(set.registry), input };
        let (_, executed) = chain.chain.mine_unsigned(&[call]).unwrap();
        assert!(executed[0].end.is_success(), "{:?}", executed[0]);
        let said = fails(propose(), 1);
        assert!(said.contains("action 1, Expect.canonicalIs(Registry, rollup 1), fails"), "{said}");
        assert!(said.contains("because this rollup was replaced"), "{said}");
    })
    .await;
}

/// The error repeats the whole call, though it has several lines where actions are listed.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_call_that_can_never_be_executed_is_refused_in_full() {
    let folder = Folder::new("long-call");
    let mut chain = Chain::new().await;
    let set = chain.set;
    let (to, amount) = (Address::repeat_byte(0x70), U256::from(tokens(5).get()));
    let payload = chain.payload_of(vec![action(set.asset, AssetCall::Transfer { to, amount })]);
    let lock = chain.lock_amount().await;
    chain.lock(lock).await;
    while_served(move || {
        let propose = format!("propose {payload} --to {to} --yes");
        let said = fails(voting::by(&chain, &folder, 0, &propose), 1);
        let call = format!("Asset.transfer({to}, 5000000000000000000)");
        assert!(said.contains(&format!("can't be executed: action 1, {call}, fails\n")), "{said}");
    })
    .await;
}

/// Actions can depend on a later state, so the warning refuses nothing.
#[tokio::test(flavor = "multi_thread")]
async fn an_action_that_would_fail_now_is_named_before_its_payload_is_a_proposal() {
    let folder = Folder::new("failing-now");
    let mut chain = Chain::new().await;
    let set = chain.set;
    let (registry, expected) = (set.registry, set.governance);
    let failing = action(chain.expect, ExpectCall::CanonicalIs { registry, expected });
    let payload = chain.payload_of(vec![harmless(&chain), failing]);
    let good = chain.payload_of(vec![harmless(&chain)]);
    let lock = chain.lock_amount().await;
    chain.lock(lock).await;
    for slot in 10..16 {
        chain.signal(slot, payload).await;
    }
    chain.pass(20);
    while_served(move || {
        let words = |arguments: &str| {
            let command = format!("{arguments} --dry-run");
            unwrapped(&stdout(voting::by(&chain, &folder, 0, &command)))
        };
        let warning = format!(
            "warning: action 2, Expect.canonicalIs(Registry, Governance), would fail if it were executed now, by \
             itself: Expect__Canonical(expected: {expected}, found: {}); another upgrade came first: this payload \
             was made for another canonical rollup. This can be intended: it may need an earlier action, or a \
             later state",
            set.rollup
        );
        let to = chain.account(0);
        for command in [format!("propose {payload} --to {to}"), "push".to_owned()] {
            let said = words(&command);
            assert!(said.contains(&warning), "{said}");
        }
        let said = words(&format!("propose {good} --to {to}"));
        assert!(!said.contains("warning: "), "{said}");
    })
    .await;
}
