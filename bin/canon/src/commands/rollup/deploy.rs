//! `canon rollup deploy`: deploys a new rollup for an existing set.

use std::path::{Path, PathBuf};

use alloy_primitives::{Address, B256};
use canon_chain::{
    BlockId,
    audit::rollup_settings,
    deploy::{
        ContractPlan, Create2Origin, ExamineError, ManifestArgument, RollupSettings, SetFacts,
        SetParameters, plan_rollup, rules_broken_by_rollup, simulate_takeover, verify_rollup,
    },
};
use canon_protocol::{Create2, Timestamp};
use canon_views::Present;
use clap::Args;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::{
    chain::{self, ChainArgs},
    command_help::CommandHelp,
    commands::deploy::{named_genesis, template},
    creation::Creation,
    deployer::undeployed,
    examined::{self, AUDIT_IT, examine, parameters_in_force},
    exit::{Exit, Failure},
    judgement::Judgement,
    output,
    page::{Page, line},
    send::SendArgs,
    toml_file::TomlFile,
};

const CORRECT_IT: &str =
    "correct the file; `canon rollup deploy --print-config` prints one for this set";

/// Deploy a rollup that can become canonical, and check that it can take over
///
/// Its parameters are shown beside those of the present rollup. It is wired to the set's Asset, Registry
/// and RewardDistributor and belongs to Governance; it becomes canonical by a vote.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct DeployRollup {
    /// File with the parameters
    #[arg(value_name = "FILE", required_unless_present = "print_config")]
    file: Option<PathBuf>,

    /// Print a file with the parameters of the present rollup, every field explained, and exit
    #[arg(long, conflicts_with_all = ["file", "yes", "dry_run", "unsigned", "json"])]
    print_config: bool,

    #[command(flatten)]
    send: SendArgs,

    #[command(flatten)]
    chain: ChainArgs,
}

const HELP: CommandHelp = CommandHelp::creating(
    "the rollup was deployed and can take over; with --dry-run, it can be deployed",
)
.failed(&["the set or the rollup isn't genuine", "the parameters hurt"])
.input(&["the file"])
.later("with --unsigned: the chain has the rollup already")
.after(
    "\
Examples:
  canon rollup deploy --print-config > rollup.toml
  canon rollup deploy rollup.toml --account deployer",
);

/// The fields of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RollupFile {
    #[serde(default)]
    accept: Vec<Spanned<String>>,
    #[serde(default, with = "canon_protocol::text::address::option")]
    reward_distributor: Option<Address>,
    rollup: RollupSettings,
    #[serde(default)]
    origin: Create2Origin,
}

/// The result as JSON.
#[derive(Debug, Serialize)]
struct RollupDocument<'a> {
    #[serde(with = "canon_protocol::text::address")]
    rollup: Address,
    #[serde(with = "canon_protocol::text::address")]
    factory: Address,
    salt: B256,
    init_code_hash: B256,
    /// The arguments of its constructor: amounts in base units, times in seconds.
    arguments: Vec<ManifestArgument>,
    rules: &'a Judgement,
}

/// The rollup to deploy, and the set that it joins.
struct Plan {
    settings: RollupSettings,
    present: RollupSettings,
    /// The RewardDistributor that the rollup will use.
    distributor: Address,
    planned: ContractPlan,
    judgement: Judgement,
}

impl DeployRollup {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let settings = self.chain.settings()?;
        let Some(path) = &self.file else {
            let text = chain::run(async {
                let chain = settings.connect().await?;
                let present = chain.present(canon_views::Question::default()).await?;
                let settings = present_settings(&present)?;
                let genesis = Some(present.block.timestamp);
                let text = template::rollup(&RollupSettings { genesis, ..settings });
                text.map_err(|error| Failure::internal(error.into(), "please report this"))
            })?;
            output::result(&text)?;
            return Ok(Exit::Success);
        };
        let (file, accepted, genesis) = read(path)?;
        let signer = self.send.open()?;
        chain::run(async {
            let chain = settings.connect().await?;
            let client = chain.client();
            let set = examine(&chain).await?;
            let addresses = set.present.addresses;
            let present_distributor =
                addresses.reward_distributor.ok_or_else(examined::unanswered)?;
            let distributor = file.reward_distributor.unwrap_or(present_distributor);
            if distributor != present_distributor {
                let found = set.reward_distributor(client, distributor).await;
                found.map_err(other_distributor)?;
            }
            let present = present_settings(&set.present)?;
            let in_force = parameters_in_force(&chain).await?;
            let parameters = SetParameters { rollup: file.rollup, ..in_force };
            let facts = SetFacts { parameters: &parameters, initial_holder_has: None };
            let broken = rules_broken_by_rollup(&facts, client.chain_id());
            let judgement = Judgement::new(broken, accepted);
            for rule in judgement.unneeded() {
                output::note(&format_args!("accept names {rule}, which isn't broken"));
            }
            judgement.ensure_accepted()?;
            let planned = plan_rollup(file.origin, &addresses, distributor, &file.rollup, genesis);
            let plan = Plan { settings: file.rollup, present, distributor, planned, judgement };
            let address = plan.planned.address();
            let verify = async |at: BlockId| {
                let failed = |error| undeployed(error, AUDIT_IT);
                let verified = verify_rollup(client, &plan.planned, addresses.governance, at);
                verified.await.map_err(failed)?;
                let found = set.rollup(client, address).await;
                found.map_err(|error| examined::not_genuine("the new rollup", error, AUDIT_IT))?;
                simulate_takeover(client, &addresses, address).await.map_err(failed)?;
                Ok(deployed(address))
            };
            let creation = Creation {
                set: set.present.set_id(),
                plan: &plan.planned,
                words: plan.words(&set.present),
            };
            let command = format!("canon rollup deploy {} at {address}", path.display());
            let sending = (&self.send, signer);
            creation.carry_out(sending, &chain, &command, &plan.document(), verify).await
        })
    }
}

/// The description of a rollup that is deployed.
fn deployed(rollup: Address) -> String {
    let mut page = Page::default();
    line!(page, "The rollup is deployed and genuine, belongs to Governance, and can take over");
    line!(page, "  rollup           {rollup}");
    line!(page, "\nNext");
    line!(page, "  canon payload upgrade {rollup} --uri URI");
    line!(page, "  canon stake deposit --rollup {rollup} …");
    line!(page, "  canon stake move ATTESTER --to {rollup}");
    page.into_text()
}

/// Reads a file. The genesis is required: without it, another run would deploy another rollup.
fn read(path: &Path) -> Result<(RollupFile, Vec<&'static str>, Timestamp), Failure> {
    let file =
        TomlFile::read(path, "name a file that `canon rollup deploy --print-config` printed")?;
    let content: RollupFile = file.parse(CORRECT_IT)?;
    let accepted = file.accepted(&content.accept, CORRECT_IT)?;
    let checked = content.rollup.check();
    checked.map_err(|error| file.undeployable(&error, CORRECT_IT))?;
    let genesis = named_genesis(&content.rollup)?;
    Ok((content, accepted, genesis))
}

/// The failure for a RewardDistributor that a rollup of the set can't use.
fn other_distributor(error: ExamineError) -> Failure {
    let next = "name a RewardDistributor of this set, or leave the field out";
    examined::not_genuine("the contract in reward_distributor", error, next)
}

fn present_settings(present: &Present) -> Result<RollupSettings, Failure> {
    present.canonical_rollup().and_then(rollup_settings).ok_or_else(examined::unanswered)
}

impl Plan {
    fn document(&self) -> RollupDocument<'_> {
        let contract = self.planned.contract();
        let arguments = contract.constructor_arguments(self.planned.init_code());
        let Create2 { factory, salt, init_code_hash } = self.planned.create2();
        RollupDocument {
            rollup: self.planned.address(),
            factory,
            salt,
            init_code_hash,
            arguments: arguments.into_iter().flatten().map(Into::into).collect(),
            rules: &self.judgement,
        }
    }

    /// The description of the creation. The first line is its title.
    fn words(&self, present: &Present) -> Vec<String> {
        let mut page = Page::default();
        let set = &present.addresses;
        line!(page, "Deploy a rollup at {}", self.planned.address());
        line!(page, "for the set on chain {} with", present.chain_id);
        line!(page, "  Registry           {}", set.registry);
        line!(page, "  present rollup     {}", set.rollup);
        line!(page, "It is wired to");
        line!(page, "  Asset              {}", set.asset);
        match set.reward_distributor.filter(|present| *present != self.distributor) {
            None => line!(page, "  RewardDistributor  {}", self.distributor),
            Some(present) => {
                line!(page, "  RewardDistributor  {}  (changed)", self.distributor);
                line!(page, "     present one     {present}");
            }
        }
        line!(page, "  owner, Governance  {}", set.governance);
        line!(page, "\n  {:<17}  {:<24}  new", "parameter", "present");
        for (name, present, new) in differences(&self.present, &self.settings) {
            let changed = if present == new { "" } else { "  (changed)" };
            line!(page, "  {name:<17}  {present:<24}  {new}{changed}");
        }
        if !self.judgement.broken.is_empty() {
            line!(page, "\nRules that these parameters break in this set");
            self.judgement.render(&mut page);
        }
        page.into_lines()
    }
}

/// Each field with its values in both settings, as they are written in files.
fn differences(present: &RollupSettings, new: &RollupSettings) -> Vec<(String, String, String)> {
    let table = |settings| toml::Table::try_from(settings).unwrap_or_default();
    let (present, new) = (table(present), table(new));
    let text = |table: &toml::Table, name: &str| {
        let value = table.get(name).map(ToString::to_string).unwrap_or_default();
        value.trim_matches('"').to_owned()
    };
    let names = new.keys().filter(|name| *name != "genesis");
    names.map(|name| (name.clone(), text(&present, name), text(&new, name))).collect()
}
