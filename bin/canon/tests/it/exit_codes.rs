//! The exit codes that the helps list: each is reached by a command here.

use std::{
    collections::BTreeSet,
    fs::{self, OpenOptions},
    path::Path,
    process::Stdio,
};

use alloy_primitives::{Address, Bytes, U256};
use canon_protocol::{GovernanceCall, Support};
use snapbox::cmd::Command;

use crate::{
    chain::{Chain, tokens},
    deploy::{EmptyChain, folder_with},
    devchain, keeper,
    live::about,
    sending_anyone::{action, harmless},
    servers::{Folder, closed_port},
    staking::upgraded,
    support::{canon, process, said, stdout},
    transcript::{command_of, listed},
};

/// The commands with the codes that they ended with.
struct Table {
    folder: Folder,
    reached: BTreeSet<(String, i32)>,
}

impl Table {
    /// Runs a command, which must end with this code.
    fn add(&mut self, arguments: &str, code: i32, command: Command) {
        let output = tokio::task::block_in_place(|| command.output().unwrap());
        let said = said(output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments}: {said}");
        self.reached.insert((command_of(arguments), code));
    }

    /// Runs a command about a set with the key of one of the chain's accounts.
    fn by(&mut self, chain: &Chain, account: usize, arguments: &str, code: i32) {
        let command = about(chain, &self.folder, arguments);
        self.add(arguments, code, command.env("CANON_PRIVATE_KEY", chain.key(account)));
    }

    /// Runs a command whose output can't be written.
    fn on_a_full_disk(&mut self, arguments: &str) {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = process();
        let command = command.args(arguments.split(' ')).stdout(full).stderr(Stdio::null());
        let status = tokio::task::block_in_place(|| command.status().unwrap());
        assert_eq!(status.code(), Some(3), "{arguments}");
        self.reached.insert((command_of(arguments), 3));
    }
}

/// All commands, as `docs/commands.md` lists them.
fn commands() -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/commands.md");
    let page = fs::read_to_string(page).unwrap();
    page.lines().filter_map(|line| line.strip_prefix("## canon ")).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_exit_code_that_a_help_lists_is_reached() {
    let mut table = Table { folder: Folder::new("exit-codes"), reached: BTreeSet::new() };
    of_all(&mut table);
    without_a_chain(&mut table);
    of_deployments(&mut table).await;
    on_a_set(&mut table).await;
    let (chain, _) = upgraded(&Folder::new("exit-codes-upgraded")).await;
    table.by(&chain, 0, &format!("stake finish {} --yes", Address::repeat_byte(1)), 0);
    let listed: BTreeSet<_> = commands()
        .into_iter()
        .flat_map(|name| listed(&name).into_iter().map(move |code| (name.clone(), code)))
        .collect();
    let unlisted: Vec<_> = table.reached.difference(&listed).collect();
    let unreached: Vec<_> = listed.difference(&table.reached).collect();
    assert!(unlisted.is_empty() && unreached.is_empty(), "{unlisted:?} {unreached:?}");
}

/// A wrong flag, and an endpoint that doesn't answer.
fn of_all(table: &mut Table) {
    let (one, two) = (Address::repeat_byte(1), Address::repeat_byte(2));
    let rollup = table.folder.write("rollup.toml", ROLLUP);
    let set = folder_with("exit-codes-set", "tests", str::to_owned);
    let arguments = |name: &str| match name {
        "deploy" => set.file("deployment.toml").display().to_string(),
        "rollup deploy" => rollup.display().to_string(),
        "payload upgrade" => format!("{one} --uri x"),
        "power" | "stake claim" | "stake finish" | "signal" => one.to_string(),
        "lock" | "unlock" => "5".to_owned(),
        "vote" => "0 for".to_owned(),
        "propose" | "stake exit" | "stake move" => format!("{one} --to {two}"),
        "stake coinbase" => format!("{one} {two}"),
        "stake deposit" => format!("100 --attester {one} --proposer {one} --withdrawer {one}"),
        _ => String::new(),
    };
    let dead = format!("http://{}", closed_port());
    for name in commands() {
        table.add(&name, 2, canon().args(name.split(' ')).arg("--no-such-flag"));
        // A keeper waits until its endpoint answers.
        if ["rehearse", "devchain", "config", "completions", "man", "keeper"].contains(&&*name) {
            continue;
        }
        let sends = stdout(canon().args(name.split(' ')).arg("--help")).contains("\n      --yes");
        let yes = if sends { "--yes" } else { "" };
        let registry = if name == "deploy" { String::new() } else { format!("--registry {one}") };
        let typed = format!("{name} {} {yes} {registry} --rpc-url {dead}", arguments(&name));
        let command = canon().args(typed.split_whitespace());
        let command = command.env("CANON_PRIVATE_KEY", "11".repeat(32)).current_dir("/");
        table.add(&typed, 3, command);
    }
}

const ROLLUP: &str = "[rollup]\ngenesis = 1767225600\nslot_duration = \"24 s\"\nepoch_slots = 16\n\
                      minimum_stake = \"100\"\nexit_delay = \"2 h\"\n";

fn without_a_chain(table: &mut Table) {
    let add = |table: &mut Table, arguments: &str, code| {
        table.add(arguments, code, canon().args(arguments.split(' ')));
    };
    for (arguments, code) in [
        ("rehearse", 0),
        ("forecast", 0),
        ("config", 0),
        ("completions bash", 0),
        ("completions cmd", 2),
        ("man", 0),
        ("deploy --print-config", 0),
    ] {
        add(table, arguments, code);
    }
    let writing =
        ["rehearse", "devchain --listen 127.0.0.1:0", "config", "completions bash", "man"];
    for arguments in writing {
        table.on_a_full_disk(arguments);
    }
    table.reached.insert(("devchain".to_owned(), devchain::stopped()));
    // A scenario whose proposal is rejected, and that expects it to expire.
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/below-quorum.toml");
    let text = fs::read_to_string(scenario).unwrap();
    let text = text.replace("expect = \"rejected\"", "expect = \"expired\"");
    let text: String = text
        .lines()
        .filter(|line| !line.starts_with("because"))
        .map(|line| format!("{line}\n"))
        .collect();
    let scenario = table.folder.write("scenario.toml", text);
    add(table, &format!("rehearse --scenario {}", scenario.display()), 1);
}

async fn of_deployments(table: &mut Table) {
    let chain = EmptyChain::new().await;
    let folder = folder_with("exit-codes-deploy", "tests", str::to_owned);
    let deployer = chain.chain.dev_accounts()[0].address();
    let rich = chain.chain.balance(deployer);
    chain.chain.set_balance(deployer, U256::from(1));
    table.add("deploy", 1, chain.deploy(&folder, "--yes"));
    chain.chain.set_balance(deployer, rich);
    table.add("deploy", 0, chain.deploy(&folder, "--yes"));
    let manifest = folder.file("deployment.manifest.json");
    let manifest: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(manifest).unwrap()).unwrap();
    let registry = manifest["contracts"][1]["address"].as_str().unwrap();
    let rollup = table.folder.file("rollup.toml").display().to_string();
    let ask = |arguments: &str| chain.about(&folder, registry, arguments);
    let add = |table: &mut Table, arguments: &str, code| table.add(arguments, code, ask(arguments));
    let deploy = format!("rollup deploy {rollup}");
    chain.chain.set_balance(deployer, U256::from(1));
    add(table, &format!("{deploy} --yes"), 1);
    chain.chain.set_balance(deployer, rich);
    let deployed = stdout(ask(&format!("{deploy} --yes --json")));
    add(table, &format!("{deploy} --dry-run"), 0);
    add(table, &format!("{deploy} --unsigned"), 4);
    let deployed: serde_json::Value = serde_json::from_str(&deployed).unwrap();
    let upgrade = format!("payload upgrade {} --uri x", deployed["rollup"].as_str().unwrap());
    add(table, &format!("payload upgrade {registry} --uri x --yes"), 1);
    add(table, &format!("{upgrade} --yes"), 0);
    add(table, &format!("{upgrade} --unsigned"), 4);
    add(table, "audit", 0);
    add(table, "audit --fail-on warning", 1);
}

async fn on_a_set(table: &mut Table) {
    let mut chain = Chain::new().await;
    chain.give(1, tokens(300)).await;
    let (rollup, _) = chain.next_rollup().await;
    let (one, two, registry) =
        (Address::repeat_byte(1), Address::repeat_byte(2), chain.set.registry);
    let (to, account) = (Address::repeat_byte(0xaa), chain.account(1));
    let deposit = |amount: &str| {
        let new = Address::repeat_byte(9);
        format!(
            "stake deposit {amount} --attester {new} --proposer {account} --withdrawer {account}"
        )
    };
    let successor = Address::repeat_byte(0x77);
    chain.replace(successor, Bytes::from_static(&[0x00]));
    let replace = GovernanceCall::UpdateGovernanceProposer { new_governance_proposer: successor };
    let payload = chain.payload_of(vec![action(chain.set.governance, replace)]);
    let other = chain.payload_of(vec![harmless(&chain)]);
    let stopped = tokio::task::block_in_place(|| keeper::stopped(&chain, &table.folder));
    table.reached.insert(("keeper".to_owned(), stopped));
    table.by(&chain, 3, "keeper --listen 192.0.2.1:1", 3);
    for command in ["status", "round", "proposal", "calendar", "stake status"] {
        table.by(&chain, 0, command, 0);
    }
    table.by(&chain, 0, &format!("power {account}"), 0);
    table.by(&chain, 0, &format!("stake status {to}"), 1);
    for command in ["push", "execute", "drop", "withdraw"] {
        table.by(&chain, 1, &format!("{command} --yes"), 4);
    }
    table.by(&chain, 0, &format!("signal {payload} --yes"), 4);
    for (account, arguments, code) in [
        (1, "lock 5 --dry-run".to_owned(), 0),
        (1, "lock 500 --yes".to_owned(), 1),
        (0, "unlock 5 --yes".to_owned(), 0),
        (1, "unlock 5 --yes".to_owned(), 1),
        (0, format!("propose {payload} --to {to} --dry-run"), 0),
        (1, format!("propose {payload} --to {to} --yes"), 1),
        (1, format!("{} --dry-run", deposit("100")), 0),
        (1, format!("{} --yes", deposit("99")), 1),
        (0, format!("stake coinbase {one} {to} --yes"), 0),
        (1, format!("stake coinbase {one} {to} --yes"), 1),
        (0, format!("stake claim {one} --yes"), 1),
        (0, format!("stake finish {one} --yes"), 1),
        (1, format!("stake exit {one} --to {to} --yes"), 1),
        (0, format!("stake exit {one} --to {to} --yes"), 0),
        (0, format!("stake exit {one} --to {to} --yes"), 4),
        (0, format!("stake claim {one} --yes"), 4),
        (0, format!("stake move {two} --to {registry} --yes"), 1),
        (1, format!("stake move {two} --to {rollup} --yes"), 1),
        (0, format!("stake move {two} --to {rollup} --yes"), 0),
        (0, format!("stake move {two} --to {rollup} --yes"), 4),
        (0, format!("stake finish {two} --yes"), 4),
        (1, "withdraw 0 --yes".to_owned(), 1),
        (0, "withdraw 0 --yes".to_owned(), 4),
    ] {
        table.by(&chain, account, &arguments, code);
    }
    chain.renew_sender();
    for (payload, round) in [(payload, 1), (other, 3)] {
        for slot in round * 10..round * 10 + 6 {
            chain.signal(slot, payload).await;
        }
        if round == 3 {
            break;
        }
        chain.pass(20);
        table.by(&chain, 1, "push 0 --yes", 1);
        table.by(&chain, 1, "push --yes", 0);
    }
    table.by(&chain, 1, &format!("signal {payload} --yes"), 1);
    chain.record_seed_of(36).await;
    chain.pass(36);
    table.by(&chain, 0, &format!("signal {other} --force --yes"), 0);
    chain.renew_sender();
    chain.pass(41);
    chain.push(3).await;
    chain.chain.set_balance(chain.account(5), U256::from(1));
    table.by(&chain, 5, "setup-epoch --yes", 1);
    table.by(&chain, 1, "setup-epoch --yes", 0);
    table.by(&chain, 1, "setup-epoch --yes", 4);
    table.by(&chain, 0, "vote 0 for --yes", 4);
    for _ in 0..70 {
        chain.chain.mine().unwrap();
    }
    chain.pass(200);
    table.by(&chain, 2, "vote 0 for --yes", 1);
    table.by(&chain, 0, "vote 0 for --amount 5000 --yes", 0);
    chain.renew_sender();
    chain.vote(1, tokens(5_000), Support::Yea).await;
    chain.pass(500);
    table.by(&chain, 1, "execute 0 --yes", 0);
    table.by(&chain, 1, "execute 0 --yes", 1);
    table.by(&chain, 1, "drop 0 --yes", 1);
    table.by(&chain, 1, "drop --yes", 0);
    // The new Proposals contract doesn't answer.
    table.by(&chain, 1, "round", 1);
    table.by(&chain, 0, "withdraw --yes", 0);
    table.by(&chain, 1, &format!("stake claim {one} --yes"), 0);
}
