//! `canon payload`: deploys contracts that list the actions of a proposal.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256};
use canon_chain::{
    Sender,
    deploy::{
        ContractPlan, StepReceipt, Upgrade, deploy_upgrade_payload, plan_upgrade_payload,
        rehearse_actions,
    },
};
use canon_payload::{Hashes, describe};
use canon_protocol::{Action, ForeignText, actions_hash};
use canon_views::Present;
use clap::{Args, Subcommand};
use eyre::eyre;
use serde::Serialize;

use crate::{
    chain::{self, ChainArgs},
    deployer::{PreparedCreation, ShownCreation, carry_out, receipt, undeployed, wait_for},
    examined::{self, examine},
    exit::{Exit, Failure},
    input::nonzero_address,
    output,
    page::{Page, line},
    send::{Format, SendArgs},
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
#[command(name = "upgrade", after_help = AFTER_HELP)]
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

const AFTER_HELP: &str = "\
Examples:
  canon payload upgrade 0x… --uri https://azip.example/7 --account deployer

Exit codes:
  0  the payload was deployed; with --dry-run, it can be
  1  the set or the rollup isn't genuine, the rollup can't take over, or the chain refuses
  2  bad input: flags, canon.toml, a key, or no Canon deployment at the given address
  3  no endpoint answers, or an internal error";

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
    /// `None` if the chain had the payload already, or nothing was sent.
    receipt: Option<StepReceipt>,
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
            let found = set.rollup(client, self.rollup).await;
            let found = found.map_err(|error| examined::not_genuine("the new rollup", error))?;
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
            let rehearsed = rehearse_actions(client, addresses.governance, &actions).await;
            rehearsed
                .map_err(|error| undeployed(error, "the rollup can't take over: choose another"))?;
            let planned = plan_upgrade_payload(set.origin(), addresses.registry, &upgrade);
            let names = names(&set.present, expect, self.rollup);
            let plan = Plan { upgrade, planned, actions, names };
            let creation = PreparedCreation::new(client, signer, &plan.planned).await?;
            let words = plan.words(&set.present, &creation);
            let shown = ShownCreation {
                plan: &plan.planned,
                words: &words,
                document: plan.document(None),
                texts: ("canon payload upgrade", "Deploy the payload of an upgrade"),
                question: "Deploy this payload?",
            };
            let Some(mut sender) = creation.agreed(&self.send, shown).await? else {
                return Ok(Exit::Success);
            };
            let create = async |sender: &mut Sender| {
                let (origin, upgrade, mut wait) = (set.origin(), &plan.upgrade, wait_for);
                deploy_upgrade_payload(sender, origin, &addresses, upgrade, &mut wait).await
            };
            let deployed = carry_out(&mut sender, self.send.confirmations(), create).await?;
            let head = client.head().await.map_err(chain::unreached)?;
            let (governance, at) = (addresses.governance, head.hash.into());
            let listed = client.payload_actions(governance, at, deployed.address()).await;
            if listed.map_err(chain::unreached)? != plan.actions {
                return Err(other_list(deployed.address()));
            }
            match self.send.format() {
                Format::Json => output::json(&plan.document(deployed.receipt))?,
                Format::Text => {
                    let mut page = Page::default();
                    line!(page, "The payload is deployed, and Governance could execute it now");
                    line!(page, "  payload            {}", deployed.address());
                    line!(page, "  hash of actions    {}", actions_hash(&plan.actions));
                    receipt(&mut page, client, &deployed).await?;
                    line!(page, "\nNext");
                    line!(page, "  canon signal {}", deployed.address());
                    line!(page, "  canon propose {} --to ADDRESS", deployed.address());
                    output::result(&page.into_text())?;
                }
            }
            Ok(Exit::Success)
        })
    }
}

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
        next: "ask another endpoint what it lists",
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

    fn document(&self, receipt: Option<StepReceipt>) -> PayloadDocument<'_> {
        let actions = self.actions.iter();
        let actions =
            actions.map(|action| ActionDocument { words: self.action_words(action), action });
        PayloadDocument {
            payload: self.planned.address(),
            rollup: self.upgrade.new_rollup.address(),
            uri: &self.upgrade.uri,
            actions_hash: actions_hash(&self.actions),
            actions: actions.collect(),
            receipt,
        }
    }

    fn words(&self, present: &Present, creation: &PreparedCreation) -> String {
        let mut page = Page::default();
        let set = &present.addresses;
        line!(
            page,
            "Deploy the payload of an upgrade on chain {} for the set with",
            present.chain_id
        );
        line!(page, "  Registry           {}", set.registry);
        line!(page, "  account            {}", creation.sender.address());
        line!(page, "  payload            {}", self.planned.address());
        line!(page, "  new rollup         {}", self.upgrade.new_rollup.address());
        line!(page, "  present rollup     {}", set.rollup);
        line!(page, "  Expect             {}", self.upgrade.expect);
        line!(page, "  document           {}", ForeignText::new(&self.upgrade.uri));
        line!(page, "\nActions, which Governance could execute now");
        for (number, action) in (1..).zip(&self.actions) {
            line!(page, "  {number}. {}", self.action_words(action));
        }
        creation.render(&mut page);
        page.into_text()
    }
}
