//! `canon payload`: deploys contracts that list the actions of a proposal.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256};
use canon_chain::{
    BlockId,
    deploy::{
        ContractPlan, ExamineError, NotGenuine, Upgrade, plan_upgrade_payload, simulate_actions,
        verify_upgrade_payload,
    },
};
use canon_payload::{Hashes, describe};
use canon_protocol::{
    Action, ForeignText, actions_hash,
    text::{Tokens, grouped},
};
use canon_views::{Present, SignalingView};
use clap::{Args, Subcommand};
use eyre::eyre;
use serde::Serialize;

use crate::{
    chain::{self, ChainArgs},
    command_help::CommandHelp,
    creation::Creation,
    deployer::{no_takeover, undeployed},
    examined::{self, AUDIT_IT, examine},
    exit::{Exit, Failure},
    input::nonzero_address,
    page::{DETAILS_WIDTH, Page, hanging, line},
    send::SendArgs,
};

/// Deploy a payload contract, which lists the actions of a proposal
#[derive(Debug, Args)]
pub(crate) struct Payload {
    #[command(subcommand)]
    command: PayloadCommand,
}

#[derive(Debug, Subcommand)]
enum PayloadCommand {
    Upgrade(Box<UpgradeCommand>),
}

/// Deploy the payload that makes a rollup canonical
///
/// The rollup has to be genuine: created from this program's artifact for this set's Governance. The payload
/// asserts that, and that the present rollup is still canonical. Its actions are shown in words and executed
/// as Governance would, before anybody signals for it.
#[derive(Debug, Args)]
#[command(name = "upgrade", after_help = HELP)]
pub(crate) struct UpgradeCommand {
    /// The rollup that becomes canonical
    #[arg(value_name = "NEW_ROLLUP", value_parser = nonzero_address)]
    rollup: Address,

    /// Address of the document that explains the upgrade; the payload keeps it
    #[arg(long, value_name = "URI")]
    uri: String,

    #[command(flatten)]
    send: SendArgs,

    #[command(flatten)]
    chain: ChainArgs,
}

const HELP: CommandHelp =
    CommandHelp::creating("the payload was deployed; with --dry-run, it can be")
        .failed(&["the set or the rollup isn't genuine", "the rollup can't take over"])
        .later("with --unsigned: the chain has the payload already")
        .after(
            "\
Examples:
  canon payload upgrade 0x… --uri https://azip.example/7 --account deployer",
        );

/// The result as JSON.
#[derive(Debug, Serialize)]
struct PayloadDocument<'a> {
    #[serde(with = "canon_protocol::text::address")]
    payload: Address,
    #[serde(with = "canon_protocol::text::address")]
    rollup: Address,
    uri: &'a str,
    /// The keccak256 hash of the ABI-encoded actions, which ballots name.
    actions_hash: B256,
    actions: Vec<ActionDocument<'a>>,
}

#[derive(Debug, Serialize)]
struct ActionDocument<'a> {
    #[serde(flatten)]
    action: &'a Action,
    words: String,
}

/// The payload to deploy.
struct Plan {
    upgrade: Upgrade,
    planned: ContractPlan,
    actions: Vec<Action>,
    names: BTreeMap<Address, String>,
}

impl Payload {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self.command {
            PayloadCommand::Upgrade(command) => command.run(),
        }
    }
}

impl UpgradeCommand {
    fn run(self) -> Result<Exit, Failure> {
        let settings = self.chain.settings()?;
        let signer = self.send.open()?;
        chain::run(async {
            let chain = settings.connect().await?;
            let client = chain.client();
            let set = examine(&chain).await?;
            let addresses = set.present.addresses;
            if self.rollup == addresses.rollup {
                return Err(already_canonical(self.rollup));
            }
            let found = set.rollup(client, self.rollup).await;
            let found = found.map_err(|error| self.not_genuine(error))?;
            let expect = set.set.expect.ok_or_else(without_expect)?;
            let upgrade = Upgrade {
                expect,
                new_rollup: found.create2,
                expected_canonical: addresses.rollup,
                uri: self.uri.clone(),
            };
            let actions = upgrade.actions(&addresses);
            // This is simulated before anybody signals: a list that fails now would fail after the vote,
            // too.
            let simulated = simulate_actions(client, addresses.governance, &actions).await;
            simulated.map_err(no_takeover)?;
            let planned = plan_upgrade_payload(set.origin(), addresses.registry, &upgrade);
            let names = names(&set.present, expect, self.rollup);
            let plan = Plan { upgrade, planned, actions, names };
            let address = plan.planned.address();
            let verify = async |at: BlockId| {
                let registry = addresses.registry;
                let verified = verify_upgrade_payload(client, &plan.planned, registry, at);
                verified.await.map_err(|error| undeployed(error, OTHER_ENDPOINT))?;
                let listed = client.payload_actions(addresses.governance, at, address).await;
                match listed.map_err(chain::unreached)? == plan.actions {
                    true => Ok(plan.deployed(&set.present)),
                    false => Err(other_list(address)),
                }
            };
            let creation = Creation {
                set: set.present.set_id(),
                plan: &plan.planned,
                words: plan.words(&set.present),
            };
            let command = format!("canon payload upgrade {} at {address}", self.rollup);
            let sending = (&self.send, signer);
            creation.carry_out(sending, &chain, &command, &plan.document(), verify).await
        })
    }
}

impl UpgradeCommand {
    /// The failure for a new rollup that isn't genuine. An address without code is most likely a mistake.
    fn not_genuine(&self, error: ExamineError) -> Failure {
        match error {
            ExamineError::NotGenuine(NotGenuine::NoCode { address, .. })
                if address == self.rollup =>
            {
                Failure::refused(eyre!("there is no contract at {address}"), "check the address")
            }
            error => examined::not_genuine("the new rollup", error, AUDIT_IT),
        }
    }
}

fn already_canonical(rollup: Address) -> Failure {
    Failure::refused(eyre!("the rollup {rollup} is canonical already"), "name a new one")
}

const OTHER_ENDPOINT: &str = "ask another endpoint what it lists";

fn without_expect() -> Failure {
    Failure::refused(
        eyre!("the set has no Expect, with which the payload asserts what it needs"),
        "deploy Expect with the set's factory and salt",
    )
}

fn other_list(payload: Address) -> Failure {
    Failure {
        exit: Exit::CheckFailed,
        report: eyre!(
            "the payload at {payload} lists other actions than those shown; don't signal for it"
        ),
        next: OTHER_ENDPOINT,
    }
}

/// The names of the addresses in the payload's actions.
fn names(present: &Present, expect: Address, rollup: Address) -> BTreeMap<Address, String> {
    let set = &present.addresses;
    BTreeMap::from([
        (set.registry, "Registry".to_owned()),
        (set.governance, "Governance".to_owned()),
        (expect, "Expect".to_owned()),
        (set.rollup, "present rollup".to_owned()),
        (rollup, "new rollup".to_owned()),
    ])
}

impl Plan {
    fn action_words(&self, action: &Action) -> String {
        describe(action, self.upgrade.expect, &self.names, Hashes::Full)
    }

    fn document(&self) -> PayloadDocument<'_> {
        let actions = self.actions.iter();
        let actions =
            actions.map(|action| ActionDocument { words: self.action_words(action), action });
        PayloadDocument {
            payload: self.planned.address(),
            rollup: self.upgrade.new_rollup.address(),
            uri: &self.upgrade.uri,
            actions_hash: actions_hash(&self.actions),
            actions: actions.collect(),
        }
    }

    /// The description of the creation. The first line is its title.
    fn words(&self, present: &Present) -> Vec<String> {
        let mut page = Page::default();
        let set = &present.addresses;
        line!(page, "Deploy the payload of an upgrade at {}", self.planned.address());
        line!(page, "for the set on chain {} with", present.chain_id);
        line!(page, "  Registry           {}", set.registry);
        line!(page, "  new rollup         {}", self.upgrade.new_rollup.address());
        line!(page, "  present rollup     {}", set.rollup);
        line!(page, "  Expect             {}", self.upgrade.expect);
        line!(page, "  document           {}", ForeignText::new(&self.upgrade.uri));
        line!(page, "\nActions, of which none would fail now");
        for (number, action) in (1..).zip(&self.actions) {
            let prefix = format!("  {number}. ");
            for text in hanging(&prefix, &self.action_words(action), DETAILS_WIDTH) {
                line!(page, "{text}");
            }
        }
        page.into_lines()
    }

    /// The description of the payload after it is deployed.
    fn deployed(&self, present: &Present) -> String {
        let (mut page, payload) = (Page::default(), self.planned.address());
        line!(page, "The payload is deployed, and none of its actions would fail now");
        line!(page, "  payload          {payload}");
        line!(page, "  hash of actions  {}", actions_hash(&self.actions));
        line!(page, "\nNext");
        line!(page, "  canon signal {payload}");
        if let Some(SignalingView { rules, .. }) = &present.signaling {
            let (n, m) = (grouped(rules.n()), grouped(rules.m()));
            line!(page, "    signals in {n} of the {m} slots of a round make it a proposal");
        }
        let power = Tokens(present.governance.configuration.propose_config.lock_amount);
        line!(page, "  canon propose {payload} --to ADDRESS");
        line!(page, "    makes it a proposal without signals, for {power} power");
        page.into_text()
    }
}
