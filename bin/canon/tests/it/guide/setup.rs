//! The chain, the accounts and the folder for a page's commands.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
};

use alloy_primitives::Address;
use alloy_signer::k256::elliptic_curve::rand_core::{CryptoRng, Error as RngError, RngCore};
use canon_devchain::Devchain;
use canon_protocol::{Support, text::duration};
use rustix::process::{Pid, Signal, kill_process};
use snapbox::cmd::cargo_bin;

use crate::{
    chain::{Chain, tokens},
    deploy::EmptyChain,
    servers::Folder,
    support::{COLUMNS, said, without_variables},
};

/// The keystore names of the guide's accounts, in the order of the chain's accounts. The operator is the
/// proposer of the set's eight seats, and has all tokens that the others don't have.
const ACCOUNTS: [&str; 4] = ["operator", "holder", "author", "deployer"];

const PASSWORD: &str = "correct horse";

/// A number of blocks after which a block is final.
const FINAL: usize = 70;

/// The chain of a page.
enum L1 {
    Empty(EmptyChain),
    Set(Box<Chain>),
}

/// The chain and the files with which the commands of a page run.
pub(super) struct GuideSetup {
    l1: L1,
    folder: Folder,
    /// The environment variables of the commands.
    variables: BTreeMap<String, String>,
}

/// The output of a command as a terminal shows it, and its exit code.
pub(super) struct Printed {
    pub(super) text: String,
    pub(super) code: Option<i32>,
}

impl GuideSetup {
    /// Creates a chain without a set. The deployer is its first account.
    pub(super) async fn empty(name: &str) -> Self {
        let chain = EmptyChain::new().await;
        let url = chain.url();
        let mut setup = Self::with(L1::Empty(chain), name, &["deployer"]);
        setup.set("ETH_RPC_URL", url);
        setup
    }

    /// Creates a chain with a set of eight seats, and a payload that can be pushed.
    pub(super) async fn with_set(name: &str) -> Self {
        let mut chain = Chain::new().await;
        for account in [1, 2] {
            chain.give(account, tokens(2_000)).await;
        }
        let (registry, payload, url) = (chain.set.registry, chain.payload, chain.url());
        let mut setup = Self::with(L1::Set(Box::new(chain)), name, &ACCOUNTS);
        setup.set("ETH_RPC_URL", url);
        setup.set("CANON_REGISTRY", registry.to_string());
        setup.set("PAYLOAD", payload.to_string());
        // The attesters registered so far have other addresses.
        setup.set("ATTESTER", Address::repeat_byte(0xa1).to_string());
        setup
    }

    fn with(l1: L1, name: &str, accounts: &[&str]) -> Self {
        let folder = Folder::new(&format!("guide-{name}"));
        let password = folder.write("password", PASSWORD);
        let mut setup = Self { l1, folder, variables: BTreeMap::new() };
        setup.set("ETH_PASSWORD", password.display().to_string());
        private(&password);
        let keystores = setup.folder.file(".foundry/keystores");
        fs::create_dir_all(&keystores).unwrap();
        for (number, name) in accounts.iter().enumerate() {
            let key = setup.chain().dev_accounts()[number].clone();
            eth_keystore::encrypt_key(
                &keystores,
                &mut Counter(1),
                key.to_bytes(),
                PASSWORD,
                Some(name),
            )
            .unwrap();
            private(&keystores.join(name));
            setup.set(&name.to_uppercase(), key.address().to_string());
        }
        setup
    }

    const fn chain(&self) -> &Devchain {
        match &self.l1 {
            L1::Empty(chain) => &chain.chain,
            L1::Set(chain) => &chain.chain,
        }
    }

    fn set_chain(&mut self) -> &mut Chain {
        match &mut self.l1 {
            L1::Empty(_) => panic!("the chain has no set"),
            L1::Set(chain) => chain,
        }
    }

    /// The address in the page's variable `$PAYLOAD`.
    fn payload(&self) -> Address {
        self.variables["PAYLOAD"].parse().unwrap()
    }

    pub(super) fn set(&mut self, name: &str, value: String) {
        self.variables.insert(name.to_owned(), value);
    }

    /// Replaces a text in a file, as a reader of the guide does.
    pub(super) fn edit(&self, name: &str, from: &str, to: &str) {
        let file = self.folder.file(name);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{name} doesn't contain {from}:\n{text}");
        fs::write(&file, text.replace(from, to)).unwrap();
    }

    /// Runs a command with the shell until it prints a line, then interrupts it, which a terminal shows as `^C`.
    pub(super) fn run_until(&self, command: &str, is_last: impl Fn(&str) -> bool) -> Printed {
        let mut shell = self.shell(&format!("exec {command}"));
        let mut child = shell.stdout(Stdio::piped()).spawn().unwrap();
        let mut text = String::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap() + "\n";
            let is_last = is_last(line.trim_end());
            text += &line;
            if is_last {
                kill_process(Pid::from_child(&child), Signal::INT).unwrap();
                text += "^C\n";
            }
        }
        Printed { text, code: child.wait().unwrap().code() }
    }

    /// Runs a command with the shell.
    pub(super) fn run(&self, command: &str) -> Printed {
        let output = self.shell(command).output().unwrap();
        Printed { text: said(output.stdout), code: output.status.code() }
    }

    /// The shell that runs a command, whose errors are part of its output.
    fn shell(&self, command: &str) -> Command {
        let program = cargo_bin!("canon");
        let path =
            env::join_paths([program.parent().unwrap(), "/usr/bin".as_ref(), "/bin".as_ref()]);
        let mut shell = Command::new("sh");
        without_variables(&mut shell)
            .args(["-c", &format!("exec 2>&1\n{command}")])
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path())
            .env("COLUMNS", COLUMNS)
            .env("PATH", path.unwrap())
            .envs(&self.variables)
            .stdin(Stdio::null());
        shell
    }

    /// Executes a directive, apart from those about the page itself.
    pub(super) async fn prepare(&mut self, directive: &str) {
        if let L1::Set(chain) = &mut self.l1 {
            chain.renew_sender();
        }
        let words: Vec<_> = directive.split(' ').collect();
        match *words {
            // Moves to the first second of a slot that has a proposer.
            ["slot", slot] => {
                let slot = slot.parse().unwrap();
                let chain = self.set_chain();
                chain.record_seed_of(slot).await;
                chain.pass(slot);
            }
            // The page's payload gets six signals, and the round ends.
            ["round", round, "is", "won"] => {
                let (round, payload): (u64, _) = (round.parse().unwrap(), self.payload());
                for slot in round * 10..round * 10 + 6 {
                    self.set_chain().signal(slot, payload).await;
                }
                self.set_chain().pass(round * 10 + 10);
            }
            // The page's payload wins the next round and becomes a proposal, which is final.
            ["proposal"] => {
                let payload = self.payload();
                let chain = self.set_chain();
                let round = chain.slot() / 10 + 1;
                chain.propose(payload, round).await;
                self.pass(FINAL as u64);
            }
            // Deploys a rollup that isn't canonical.
            ["a", "new", "rollup"] => {
                let (rollup, payload) = self.set_chain().next_rollup().await;
                self.set("NEW_ROLLUP", rollup.to_string());
                self.set("NEW_PAYLOAD", payload.to_string());
            }
            // The payload for it becomes proposal 0, passes and is executed. Each delay is one hour.
            ["the", "new", "rollup", "becomes", "canonical"] => {
                let payload = self.variables["NEW_PAYLOAD"].parse().unwrap();
                let chain = self.set_chain();
                let round = chain.slot() / 10 + 1;
                chain.propose(payload, round).await;
                self.pass(3_601);
                self.set_chain().vote(0, tokens(5_000), Support::Yea).await;
                self.pass(2 * 3_600);
                let execute = "canon execute 0 --account operator --yes";
                let executed = tokio::task::block_in_place(|| self.run(execute));
                assert_eq!(executed.code, Some(0), "{}", executed.text);
            }
            // The ballots reach the quorum and the majority.
            ["holders", "vote"] => {
                self.set_chain().vote(0, tokens(5_000), Support::Yea).await;
            }
            ["pass", ..] => {
                let time = duration::parse(&words[1..].join(" ")).unwrap();
                self.pass(time.get());
            }
            _ => panic!("unknown directive: {directive}"),
        }
    }

    /// Lets time pass, with enough blocks to make the earlier ones final.
    fn pass(&self, seconds: u64) {
        let chain = self.chain();
        let end = chain.timestamp() + seconds;
        for _ in 1..FINAL {
            chain.mine().unwrap();
        }
        chain.set_next_timestamp(end.max(chain.timestamp() + 1)).unwrap();
        chain.mine().unwrap();
    }
}

/// Makes a file readable by its owner only.
fn private(file: &std::path::Path) {
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
}

/// A counter instead of random numbers, for keystores.
struct Counter(u64);

impl RngCore for Counter {
    fn next_u32(&mut self) -> u32 {
        self.next_u64() as u32
    }

    fn next_u64(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.iter_mut().for_each(|byte| *byte = self.next_u64() as u8);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), RngError> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Counter {}
