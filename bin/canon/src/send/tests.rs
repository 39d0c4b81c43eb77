//! Tests of commands that are killed or lose their endpoint at any point, and are run again.

mod blocks;
mod changes;
mod cost;
mod forks;
mod resumed;
mod wallets;

use std::{
    cell::RefCell,
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use alloy_provider::ProviderBuilder;
use alloy_rpc_client::RpcClient;
use canon_chain::{
    AccountSigner, Client, L1_SLOT, NoWait, Sender, Wait,
    deploy::{DeployRecord, SetParameters, deploy},
};
use canon_devchain::{Devchain, DevchainConfig, Mining};
use canon_faults::{Fault, FaultPlan, Faults};
use canon_protocol::{Amount, Timestamp};
use canon_views::{HolderView, IntendedAction, Question, SetAddresses, SetId};
use tower::Layer as _;

use super::{record::AccountFiles, *};

const COMMAND: &str = "canon lock 5";
const FIVE: Amount = Amount::of(5);

/// A set on a chain that only mines when a command waits, and an endpoint with faults.
struct SendSetup {
    chain: Devchain,
    set: SetAddresses,
    faults: Faults,
    client: Client,
    folder: PathBuf,
}

/// The texts shown by a run of a command.
#[derive(Debug, Default)]
struct Shown {
    told: RefCell<Vec<String>>,
    results: RefCell<Vec<String>>,
}

/// The end of a run.
#[derive(Debug)]
enum Ran {
    Killed,
    Ended(Result<Exit, Failure>),
}

impl SendSetup {
    async fn new(name: &str) -> Self {
        Self::on(DevchainConfig::default(), name).await
    }

    async fn on(config: DevchainConfig, name: &str) -> Self {
        let chain = Devchain::new(config);
        let client = ProviderBuilder::default().connect_client(chain.client());
        let client = Client::connect(client).await.unwrap();
        let mut sender = Sender::new(client.clone(), chain.dev_accounts().remove(0));
        let mut parameters = SetParameters::tests();
        parameters.rollup.genesis = Some(Timestamp::of(chain.timestamp()));
        let checked = parameters.clone().check().unwrap();
        let mut record = DeployRecord::new(client.chain_id(), sender.address(), parameters);
        let go_on = |_: &DeployRecord, _| ControlFlow::Continue(());
        let set = deploy(&mut sender, &checked, &mut record, &mut NoWait, go_on).await.unwrap();
        let folder = std::env::temp_dir().join(format!("canon-send-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        Self::of(chain, set.deployment, folder).await
    }

    async fn of(chain: Devchain, set: SetAddresses, folder: PathBuf) -> Self {
        chain.set_mining(Mining::Manual);
        let faults = Faults::default();
        let rpc = RpcClient::new(faults.layer(chain.transport()), true);
        let client = ProviderBuilder::default().connect_client(rpc);
        let client = Client::connect(client).await.unwrap();
        Self { chain, set, faults, client, folder }
    }

    /// A second chain for the same user, which begins with the blocks of this one.
    async fn fork(&self) -> Self {
        let chain = Devchain::from_bytes(&self.chain.to_bytes()).unwrap();
        chain.increase_time(1);
        Self::of(chain, self.set, self.folder.clone()).await
    }

    fn account(&self) -> Address {
        self.chain.dev_accounts()[0].address()
    }

    /// The steps for locking `amount`: an approval, if it is needed, and the lock.
    async fn plan(&self, planned: Planned, amount: Amount) -> Result<Vec<Step>, Failure> {
        let unread = |error| failures::refused(error);
        let head = self.client.head().await.map_err(unread)?;
        let mut question = Question::default();
        question.holders.insert(planned.account, Default::default());
        let view = self.client.view(self.set.registry, &question, head.hash.into(), L1_SLOT).await;
        let present = view.map_err(unread)?;
        let Planned { account: holder, request, .. } = planned;
        let set = SetId { chain_id: present.chain_id, governance: self.set.governance };
        let step =
            |action, title: String| Step::new(Intent { set, action, until: None }, vec![title]);
        let mut steps = Vec::new();
        if present.holders[&holder].allowance < amount.to_word() {
            let asset = self.set.asset;
            let approve = IntendedAction::Approve { holder, request, asset, amount };
            steps.push(step(approve, format!("approve {amount}")));
        }
        let lock =
            IntendedAction::Lock { holder, request, beneficiary: None, amount, permit: None };
        let mut lock = step(lock, format!("lock {amount}"));
        lock.simulation = Simulation::AfterPrevious;
        steps.push(lock);
        Ok(steps)
    }

    async fn run(&self, command: &str, amount: Amount, shown: &Shown) -> Ran {
        let tell = |text: &str| shown.told.borrow_mut().push(text.to_owned());
        let result = |text: &str| {
            shown.results.borrow_mut().push(text.to_owned());
            Ok(())
        };
        self.run_with(command, amount, &tell, &result).await
    }

    /// Runs a command with a user who answers yes to every question.
    async fn run_asking(&self, command: &str, amount: Amount, shown: &Shown) -> Ran {
        let tell = |text: &str| shown.told.borrow_mut().push(text.to_owned());
        let sending = Sending { command, tell: &tell, ..self.asking(&yes) };
        let plan = async |planned| self.plan(planned, amount).await;
        Ran::Ended(sending.run(self.mining(), std::future::pending(), &plan).await)
    }

    async fn run_with(
        &self,
        command: &str,
        amount: Amount,
        tell: &dyn Fn(&str),
        result: &dyn Fn(&str) -> Result<(), Failure>,
    ) -> Ran {
        let sending = Sending {
            client: &self.client,
            signer: AccountSigner::Local(self.chain.dev_accounts().remove(0)),
            folder: &self.folder,
            registry: self.set.registry,
            command,
            confirmations: 1,
            block_time: L1_SLOT,
            consent: Consent::Given,
            shown: None,
            format: Format::Text,
            tell,
            progress: &|_| {},
            show: &|_| {},
            ask: &async |_: &str, _: &str| Ok(Answer::No),
            result,
            conclusion: &OnlyTransactions,
        };
        let chain = self.chain.clone();
        let wait = move |_| {
            chain.mine().unwrap();
            std::future::ready(Waited::Again)
        };
        let plan = async |planned| self.plan(planned, amount).await;
        tokio::select! {
            biased;
            ended = sending.run(wait, std::future::pending(), &plan) => Ran::Ended(ended),
            () = self.faults.killed() => Ran::Killed,
        }
    }

    /// The power of the account.
    async fn power(&self) -> Amount {
        self.holding().await.power
    }

    /// What the account holds.
    async fn holding(&self) -> HolderView {
        let head = self.client.head().await.unwrap();
        let mut question = Question::default();
        question.holders.insert(self.account(), Default::default());
        let view = self.client.view(self.set.registry, &question, head.hash.into(), L1_SLOT).await;
        view.unwrap().holders[&self.account()].clone()
    }

    /// Restores the state after the deployment of the set.
    fn reset(&self, snapshot: canon_devchain::SnapshotId) -> canon_devchain::SnapshotId {
        self.faults.end();
        self.chain.revert(snapshot).unwrap();
        let _ = fs::remove_dir_all(&self.folder);
        self.chain.snapshot()
    }

    fn begun_files(&self) -> Vec<PathBuf> {
        // A run that was killed early hasn't created the folder.
        let files = fs::read_dir(&self.folder).into_iter().flatten();
        let files = files.map(|file| file.unwrap().path());
        files.filter(|file| file.extension().is_some_and(|kind| kind == "begun")).collect()
    }
}

impl Drop for SendSetup {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn ended_well(ran: Ran, what: &str) {
    assert!(matches!(ran, Ran::Ended(Ok(Exit::Success))), "{what}: {ran:?}");
}

#[tokio::test]
async fn a_command_that_is_killed_at_any_request_goes_on_and_sends_nothing_twice() {
    let setup = SendSetup::new("killed").await;
    let mut snapshot = setup.chain.snapshot();
    let nonce = setup.chain.nonce(setup.account());
    for kill in [Fault::KilledBefore, Fault::KilledAfter] {
        for at in 0.. {
            snapshot = setup.reset(snapshot);
            setup.faults.set(FaultPlan::At(at, kill.clone()));
            let first = Shown::default();
            if let Ran::Ended(ended) = setup.run(COMMAND, FIVE, &first).await {
                assert!(ended.is_ok() && at > 20, "{at} {ended:?}");
                break;
            }
            assert!(first.results.borrow().is_empty(), "{at}");
            setup.faults.end();
            let second = Shown::default();
            ended_well(setup.run(COMMAND, FIVE, &second).await, &format!("{kill:?} {at}"));
            assert_eq!(setup.power().await, FIVE, "{kill:?} {at}");
            assert_eq!(setup.chain.nonce(setup.account()), nonce + 2, "{kill:?} {at}");
            let results = second.results.borrow();
            assert!(results[0].contains("as power of"), "{kill:?} {at}: {results:?}");
            assert!(setup.begun_files().is_empty(), "{kill:?} {at}");
        }
    }
    // After the command has ended, the same command is a new one.
    setup.faults.end();
    ended_well(setup.run(COMMAND, FIVE, &Shown::default()).await, "once more");
    assert_eq!(setup.power().await, Amount::of(10));
}

#[tokio::test]
async fn another_command_is_told_what_became_of_the_one_that_was_killed() {
    let setup = SendSetup::new("other").await;
    let mut snapshot = setup.chain.snapshot();
    for kill in [Fault::KilledBefore, Fault::KilledAfter] {
        for at in 0.. {
            snapshot = setup.reset(snapshot);
            setup.faults.set(FaultPlan::At(at, kill.clone()));
            if let Ran::Ended(ended) = setup.run(COMMAND, FIVE, &Shown::default()).await {
                assert!(ended.is_ok(), "{at} {ended:?}");
                break;
            }
            setup.faults.end();
            let was_begun = !setup.begun_files().is_empty();
            let shown = Shown::default();
            let seven = Amount::of(7);
            let case = format!("{kill:?} {at}");
            // A transaction that no node has is only sent with consent.
            let (nonce, pool) = (setup.chain.nonce(setup.account()), setup.chain.pool_size());
            match setup.run("canon lock 7", seven, &shown).await {
                Ran::Ended(Err(failure)) => {
                    let said = format!("{:#}", failure.report);
                    assert!(said.contains("no node here has it: "), "{case}: {said}");
                    assert_eq!(failure.exit, Exit::CheckFailed);
                    let now = (setup.chain.nonce(setup.account()), setup.chain.pool_size());
                    assert_eq!((now, was_begun), ((nonce, pool), true), "{case}");
                    shown.told.borrow_mut().clear();
                    ended_well(setup.run_asking("canon lock 7", seven, &shown).await, &case);
                }
                ran => ended_well(ran, &case),
            }
            let told = shown.told.borrow().join("\n");
            let locked = told.contains(&format!(": lock {FIVE}")) && told.contains("done in 0x");
            let is_locked = told
                .lines()
                .any(|line| line.starts_with("done in") && line.ends_with(&format!("lock {FIVE}")));
            assert!(is_locked <= locked);
            let expected = if is_locked { Amount::of(12) } else { seven };
            assert_eq!(setup.power().await, expected, "{kill:?} {at}: {told}");
            assert_eq!(told.contains("`canon lock 5` was interrupted"), was_begun, "{told}");
            assert!(setup.begun_files().is_empty(), "{kill:?} {at}");
        }
    }
}

#[tokio::test]
async fn a_transaction_whose_command_is_not_known_any_more_is_waited_for_and_never_replaced() {
    let setup = SendSetup::new("unknown").await;
    let nonce = setup.chain.nonce(setup.account());
    setup.faults.set(FaultPlan::Method("eth_sendRawTransaction", Fault::KilledAfter));
    let first = setup.run(COMMAND, FIVE, &Shown::default()).await;
    assert!(matches!(first, Ran::Killed), "{first:?}");
    setup.faults.end();
    for file in setup.begun_files() {
        fs::remove_file(file).unwrap();
    }
    let shown = Shown::default();
    ended_well(setup.run("canon lock 7", Amount::of(7), &shown).await, "second");
    let told = shown.told.take();
    let waits = told.iter().find_map(|line| line.split_once(" is still in flight: this command"));
    let hash = waits.map(|(hash, _)| hash).unwrap_or_else(|| panic!("{told:?}")).parse().unwrap();
    assert!(setup.chain.gas_used(hash).is_some(), "the first approval was mined");
    assert_eq!(setup.chain.nonce(setup.account()), nonce + 3);
    assert_eq!(setup.power().await, Amount::of(7));
}

#[tokio::test]
async fn an_endpoint_that_dies_at_any_request_leaves_nothing_that_is_sent_twice() {
    let setup = SendSetup::new("dies").await;
    let mut snapshot = setup.chain.snapshot();
    for at in 0_u64.. {
        snapshot = setup.reset(snapshot);
        let mut packets = 0;
        setup.faults.set(FaultPlan::by(move |_| {
            packets += 1;
            (packets > at).then_some(Fault::AnswerLost)
        }));
        let shown = Shown::default();
        let Ran::Ended(ended) = setup.run(COMMAND, FIVE, &shown).await else { panic!() };
        if ended.is_ok() {
            assert!(at > 20, "{at}");
            break;
        }
        assert_eq!(ended.unwrap_err().exit, Exit::Internal, "{at}");
        setup.faults.end();
        ended_well(setup.run(COMMAND, FIVE, &Shown::default()).await, &format!("{at}"));
        assert_eq!(setup.power().await, FIVE, "{at}");
    }
}

#[tokio::test]
async fn an_outcome_that_may_not_have_been_seen_is_shown_again_and_nothing_is_sent() {
    let setup = SendSetup::new("shown").await;
    let nonce = setup.chain.nonce(setup.account());
    // The run is killed after the outcome was shown, and before the record is removed.
    let kept = RefCell::new(Vec::new());
    let first = RefCell::new(String::new());
    let result = |text: &str| {
        let file = setup.begun_files().remove(0);
        kept.borrow_mut().push((file.clone(), fs::read(file).unwrap()));
        first.borrow_mut().push_str(text);
        Ok(())
    };
    ended_well(setup.run_with(COMMAND, FIVE, &|_| {}, &result).await, "first");
    for (file, text) in kept.borrow().iter() {
        fs::write(file, text).unwrap();
    }
    let second = Shown::default();
    ended_well(setup.run(COMMAND, FIVE, &second).await, "second");
    assert_eq!(second.results.borrow().concat(), *first.borrow());
    assert_eq!(setup.chain.nonce(setup.account()), nonce + 2);
    assert_eq!(setup.power().await, FIVE);
}

impl SendSetup {
    /// A command that asks questions with `ask`.
    fn asking<'a, A>(&'a self, ask: &'a A) -> Sending<'a, A, OnlyTransactions> {
        Sending {
            client: &self.client,
            signer: AccountSigner::Local(self.chain.dev_accounts().remove(0)),
            folder: &self.folder,
            registry: self.set.registry,
            command: COMMAND,
            confirmations: 1,
            block_time: L1_SLOT,
            consent: Consent::Ask,
            shown: None,
            format: Format::Text,
            tell: &|_| {},
            progress: &|_| {},
            show: &|_| {},
            ask,
            result: &|_| Ok(()),
            conclusion: &OnlyTransactions,
        }
    }

    /// Mines a block whenever a command waits.
    fn mining(&self) -> impl Wait + use<> {
        let chain = self.chain.clone();
        move |_| {
            chain.mine().unwrap();
            std::future::ready(Waited::Again)
        }
    }
}

async fn yes(_: &str, _: &str) -> Result<Answer, Failure> {
    Ok(Answer::Yes)
}

async fn no(_: &str, _: &str) -> Result<Answer, Failure> {
    Ok(Answer::No)
}

#[tokio::test]
async fn ctrl_c_names_what_is_in_flight_and_how_to_go_on() {
    let setup = SendSetup::new("ctrl-c").await;
    // Nothing is mined, so the command waits until Ctrl-C is pressed.
    let pressed = tokio::sync::Notify::new();
    let wait = |_| {
        pressed.notify_one();
        std::future::pending::<Waited>()
    };
    let plan = async |planned| setup.plan(planned, FIVE).await;
    let failure = setup.asking(&yes).run(wait, pressed.notified(), &plan).await.unwrap_err();
    let said = format!("{:#}", failure.report);
    assert!(said.starts_with("0x") && said.contains("may still be mined: Ctrl-C"), "{said}");
    assert_eq!(failure.exit, Exit::Internal);
    assert!(failure.next.starts_with("run the same command again"));
}

#[tokio::test]
async fn a_command_that_cannot_send_for_long_ends() {
    let setup = SendSetup::new("dear").await;
    let mine_dear = || {
        setup.chain.set_base_fee_next(600_000_000_000);
        setup.chain.mine().unwrap();
    };
    let ask = async |_: &str, _: &str| {
        mine_dear();
        Ok(Answer::Yes)
    };
    let mut blocks = 0;
    let wait = |_| {
        mine_dear();
        blocks += 1;
        let waited = if blocks < 200 { Waited::Again } else { Waited::GiveUp };
        std::future::ready(waited)
    };
    let plan = async |planned| setup.plan(planned, FIVE).await;
    let ran = setup.asking(&ask).run(wait, std::future::pending(), &plan).await;
    let failure = ran.unwrap_err();
    let said = format!("{:#}", failure.report);
    assert!(said.contains("it couldn't be sent in 64 blocks: a gas price of "), "{said}");
    assert!(said.ends_with("wait until the base fee is lower"), "{said}");
    assert_eq!((failure.exit, blocks), (Exit::Internal, 64));
    // Once it is, the same command sends.
    setup.chain.set_base_fee_next(1_000_000_000);
    setup.chain.mine().unwrap();
    ended_well(setup.run(COMMAND, FIVE, &Shown::default()).await, "once more");
    assert_eq!(setup.power().await, FIVE);
}

#[tokio::test]
async fn ctrl_c_before_anything_is_sent_says_so() {
    let setup = SendSetup::new("ctrl-c-early").await;
    let pressed = tokio::sync::Notify::new();
    let ask = async |_: &str, _: &str| {
        pressed.notify_one();
        std::future::pending().await
    };
    let plan = async |planned| setup.plan(planned, FIVE).await;
    let ran = setup.asking(&ask).run(setup.mining(), pressed.notified(), &plan).await;
    assert_eq!(format!("{:#}", ran.unwrap_err().report), "nothing was sent: Ctrl-C was pressed");
}

#[tokio::test]
async fn answering_no_sends_nothing() {
    let setup = SendSetup::new("no").await;
    let nonce = setup.chain.nonce(setup.account());
    let plan = async |planned| setup.plan(planned, FIVE).await;
    let ran = setup.asking(&no).run(setup.mining(), std::future::pending(), &plan).await;
    let failure = ran.unwrap_err();
    let said = failure.report.to_string();
    assert_eq!((failure.exit, &*said), (Exit::CheckFailed, "the answer was no: nothing was sent"));
    assert!(setup.begun_files().is_empty());
    setup.chain.mine().unwrap();
    assert_eq!(setup.chain.nonce(setup.account()), nonce);
}

#[tokio::test]
async fn a_plan_that_changed_after_it_was_shown_is_not_sent() {
    let setup = SendSetup::new("changed").await;
    let nonce = setup.chain.nonce(setup.account());
    // The amount changes while the user thinks.
    let amount = std::cell::Cell::new(FIVE);
    let plan = async |planned| setup.plan(planned, amount.get()).await;
    let ask = async |_: &str, _: &str| {
        amount.set(Amount::of(6));
        Ok(Answer::Yes)
    };
    let ran = setup.asking(&ask).run(setup.mining(), std::future::pending(), &plan).await;
    let failure = ran.unwrap_err();
    assert!(failure.report.to_string().starts_with("the chain has changed since this was shown"));
    assert_eq!(failure.exit, Exit::CheckFailed);
    setup.chain.mine().unwrap();
    assert_eq!(setup.chain.nonce(setup.account()), nonce);
}

#[tokio::test]
async fn steps_that_become_due_after_the_question_are_not_sent_and_stop_nothing() {
    let setup = SendSetup::new("more").await;
    let nonce = setup.chain.nonce(setup.account());
    let has_thought = std::cell::Cell::new(false);
    let plan = async |planned: Planned| {
        let mut steps = setup.plan(planned, FIVE).await?;
        if has_thought.get() {
            let request = RequestId::of(100);
            steps.extend(setup.plan(Planned { request, ..planned }, Amount::of(1)).await?);
        }
        Ok(steps)
    };
    let ask = async |_: &str, _: &str| {
        has_thought.set(true);
        Ok(Answer::Yes)
    };
    setup.asking(&ask).run(setup.mining(), std::future::pending(), &plan).await.unwrap();
    assert_eq!(setup.chain.nonce(setup.account()), nonce + 2);
    assert_eq!(setup.power().await, FIVE);
}

#[tokio::test]
async fn a_step_whose_time_is_over_ends_the_command_without_being_sent() {
    let setup = SendSetup::new("late").await;
    let nonce = setup.chain.nonce(setup.account());
    let start = setup.chain.timestamp();
    // The first intent is useful for 100 seconds, the second one never.
    for (validity, transactions) in [(100, 1), (0, 0)] {
        let until = Timestamp::of(start + validity);
        let plan = async |planned: Planned| {
            let mut steps = setup.plan(planned, FIVE).await?;
            steps.truncate(1);
            steps.iter_mut().for_each(|step| step.intent.until = Some(until));
            Ok(steps)
        };
        let told = RefCell::new(Vec::new());
        let tell = |text: &str| told.borrow_mut().push(text.to_owned());
        let sending = Sending { tell: &tell, ..setup.asking(&yes) };
        let chain = setup.chain.clone();
        let wait = move |_| {
            if chain.timestamp() < until.get() {
                // The pool isn't mined until the time is over.
                chain.set_next_timestamp(until.get() + 1).unwrap();
                chain.mine_unsigned(&[]).unwrap();
            } else {
                chain.mine().unwrap();
            }
            std::future::ready(Waited::Again)
        };
        let failure = sending.run(wait, std::future::pending(), &plan).await.unwrap_err();
        assert_eq!(failure.exit, Exit::CheckFailed);
        assert_eq!(
            format!("{:#}", failure.report),
            format!("too late: approve {FIVE}: its time was over before it was mined")
        );
        let gave_way =
            told.borrow().iter().any(|line| line.contains("an empty transfer replaces it"));
        assert_eq!(gave_way, transactions > 0, "{told:?}");
        assert!(setup.begun_files().is_empty());
    }
    assert_eq!(setup.chain.nonce(setup.account()), nonce + 1, "one empty transfer");
}

#[tokio::test]
async fn a_command_waits_for_as_many_blocks_as_it_was_asked_to() {
    let setup = SendSetup::new("confirmations").await;
    let plan = async |planned| setup.plan(planned, FIVE).await;
    let before = setup.chain.block_number();
    for confirmations in [1, 5] {
        let said = RefCell::new(Vec::new());
        let progress = |waiting: Option<&str>| said.borrow_mut().extend(waiting.map(str::to_owned));
        let sending = Sending { confirmations, progress: &progress, ..setup.asking(&yes) };
        let start = setup.chain.block_number();
        sending.run(setup.mining(), std::future::pending(), &plan).await.unwrap();
        assert_eq!(setup.chain.block_number() - start, 2 * confirmations, "two transactions");
        let of = |block: u64| {
            (1..confirmations).rev().map(move |missing| {
                let noun = if missing == 1 { "block" } else { "blocks" };
                format!("waiting for {missing} more {noun} on top of block {block}")
            })
        };
        let expected: Vec<_> = of(start + 1).chain(of(start + 1 + confirmations)).collect();
        assert_eq!(said.into_inner(), expected);
    }
    assert!(setup.chain.block_number() > before);
}

#[test]
fn a_folder_for_state_is_its_owners_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = std::env::temp_dir().join(format!("canon-send-{}-private", std::process::id()));
    let files =
        AccountFiles::new(&folder.join("canon"), 1, B256::repeat_byte(2), Address::repeat_byte(1));
    let lock = files.lock("canon push").unwrap();
    let journal = files.journal(&lock).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder.join("canon")), mode(journal.path())), (0o700, 0o600));
    let said = |expected: &str| {
        let said = files.lock("canon drop").unwrap_err();
        let report = format!("{:#}", said.report);
        assert!(report.ends_with(expected), "{report}");
        assert_eq!(said.exit, Exit::Internal);
    };
    let user = folder.join("canon/1-0x0101010101010101010101010101010101010101.user");
    let own = format!(
        "is locked; the last holder to write its name is process {}: canon push",
        std::process::id()
    );
    said(&own);
    // Between the lock and the name, there is none, or that of a process that was killed.
    fs::remove_file(&user).unwrap();
    said("is locked; the process that holds it hasn't written its name yet");
    fs::write(&user, "process 4711: canon vote 1\n").unwrap();
    said("is locked; the last holder to write its name is process 4711: canon vote 1");
    drop((lock, journal));
    assert!(!user.exists(), "nobody uses the account any more");
    fs::write(
        folder.join("canon/1-0x0202020202020202-0x0101010101010101010101010101010101010101.begun"),
        "{",
    )
    .unwrap();
    assert!(files.begun().is_err(), "what isn't known isn't taken for nothing");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_long_wait_is_noted_each_minute() {
    let noted: Vec<_> = (1..=180).filter(|polls| super::still_waiting(*polls).is_some()).collect();
    assert_eq!(noted, [60, 120, 180]);
    let note = super::still_waiting(120).unwrap();
    assert!(note.starts_with("still waiting for blocks, for 2 min so far; "), "{note}");
}
