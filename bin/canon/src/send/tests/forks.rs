//! Tests with one user and several chains with the same id.

use super::*;
use canon_chain::{Checks, calls};

pub(super) const SEVEN: Amount = Amount::of(7);

/// The message of a refused command.
pub(super) fn refused(ran: Ran) -> String {
    let Ran::Ended(Err(failure)) = ran else { panic!("{ran:?}") };
    assert_eq!(failure.exit, Exit::CheckFailed, "{failure:?}");
    format!("{:#}", failure.report)
}

impl SendSetup {
    /// Whether the account has sent nothing since it had this nonce.
    fn has_sent_nothing(&self, nonce: u64) -> bool {
        self.chain.nonce(self.account()) == nonce && self.chain.pool_size() == 0
    }

    /// Runs a command that is killed just before it sends.
    pub(super) async fn killed_before_it_sends(&self) {
        self.faults.set(FaultPlan::Method("eth_sendRawTransaction", Fault::KilledBefore));
        let ran = self.run(COMMAND, FIVE, &Shown::default()).await;
        assert!(matches!(ran, Ran::Killed), "{ran:?}");
        self.faults.end();
    }
}

#[tokio::test]
async fn what_a_fork_has_mined_is_not_sent_to_the_chain_that_it_began_with() {
    let real = SendSetup::new("fork-mined").await;
    let nonce = real.chain.nonce(real.account());
    let fork = real.fork().await;
    ended_well(fork.run(COMMAND, FIVE, &Shown::default()).await, "on the fork");
    let shown = Shown::default();
    ended_well(real.run("canon lock 7", SEVEN, &shown).await, "on the real chain");
    let told = shown.told.borrow().join("\n");
    assert!(told.contains("(lock 0.000000000000000005 tokens) was mined in block "), "{told}");
    assert!(told.contains("it isn't sent here") && !told.contains("in flight"), "{told}");
    assert_eq!((real.power().await, real.chain.nonce(real.account())), (SEVEN, nonce + 2));
    // Transactions that the real chain has mined aren't sent to the fork either.
    ended_well(fork.run("canon lock 7", SEVEN, &Shown::default()).await, "on the fork again");
    assert_eq!((fork.power().await, fork.chain.nonce(fork.account())), (Amount::of(12), nonce + 4));
}

#[tokio::test]
async fn what_was_signed_on_a_fork_at_its_first_block_is_not_sent_without_a_question() {
    let real = SendSetup::new("fork-signed").await;
    let nonce = real.chain.nonce(real.account());
    // Both chains have all blocks that the command reads.
    let fork = real.fork().await;
    fork.killed_before_it_sends().await;
    let said = refused(real.run("canon lock 7", SEVEN, &Shown::default()).await);
    assert!(said.contains("no node here has it: approve 5"), "{said}");
    assert!(said.contains(&format!("--value 0 --nonce {nonce}")), "{said}");
    assert!(real.has_sent_nothing(nonce));
    let asked = RefCell::new(Vec::new());
    let ask = async |text: &str, question: &str| {
        asked.borrow_mut().push(format!("{text} {question}"));
        Ok(Answer::No)
    };
    // The same command asks too, since the user may mean a new one.
    for command in ["canon lock 7", COMMAND] {
        let sending = Sending { command, ..real.asking(&ask) };
        let plan = async |planned| real.plan(planned, FIVE).await;
        let ran = sending.run(real.mining(), std::future::pending(), &plan).await;
        assert_eq!(refused(Ran::Ended(ran)), "the answer was no: nothing was sent");
        let asked = asked.take();
        assert!(asked.len() == 1 && asked[0].ends_with("Send it again?"), "{asked:?}");
    }
    real.chain.mine().unwrap();
    assert!(real.has_sent_nothing(nonce));
    // Consent that is given with the command covers an earlier run of it.
    ended_well(real.run(COMMAND, FIVE, &Shown::default()).await, "the same command");
    assert_eq!((real.power().await, real.chain.nonce(real.account())), (FIVE, nonce + 2));
}

#[tokio::test]
async fn what_was_signed_on_another_chain_is_left_alone_only_if_a_person_says_so() {
    let real = SendSetup::new("fork-later").await;
    let nonce = real.chain.nonce(real.account());
    let fork = real.fork().await;
    fork.chain.mine().unwrap();
    fork.killed_before_it_sends().await;
    let said = refused(real.run("canon lock 7", SEVEN, &Shown::default()).await);
    assert!(said.contains(" tokens) was signed after block "), "{said}");
    assert!(real.has_sent_nothing(nonce));
    ended_well(real.run_asking("canon lock 7", SEVEN, &Shown::default()).await, "asked");
    assert_eq!((real.power().await, real.chain.nonce(real.account())), (SEVEN, nonce + 2));
}

#[tokio::test]
async fn a_chain_of_the_same_id_that_begins_otherwise_has_nothing_to_do_with_another_one() {
    let config = DevchainConfig { genesis_timestamp: 1_900_000_000, ..DevchainConfig::default() };
    let (first, mut second) =
        (SendSetup::new("first").await, SendSetup::on(config, "second").await);
    second.folder = first.folder.clone();
    first.killed_before_it_sends().await;
    let shown = Shown::default();
    ended_well(second.run("canon lock 7", SEVEN, &shown).await, "on a new chain");
    let told = shown.told.take();
    assert!(told.iter().all(|line| line.starts_with("sent 0x")) && told.len() == 2, "{told:?}");
    ended_well(first.run(COMMAND, FIVE, &Shown::default()).await, "back on the first one");
    assert_eq!((first.power().await, second.power().await), (FIVE, SEVEN));
}

#[tokio::test]
async fn waiting_has_an_end_and_says_how_to_give_up() {
    let setup = SendSetup::new("patience").await;
    let nonce = setup.chain.nonce(setup.account());
    setup.faults.set(FaultPlan::Method("eth_sendRawTransaction", Fault::KilledAfter));
    let first = setup.run(COMMAND, FIVE, &Shown::default()).await;
    assert!(matches!(first, Ran::Killed), "{first:?}");
    setup.faults.end();
    let start = setup.chain.block_number();
    for command in ["canon lock 7", COMMAND] {
        let told = RefCell::new(Vec::new());
        let tell = |text: &str| told.borrow_mut().push(text.to_owned());
        let sending = Sending { command, tell: &tell, ..setup.asking(&yes) };
        let plan = async |planned| setup.plan(planned, FIVE).await;
        let chain = setup.chain.clone();
        let wait = move |_| {
            // The pool isn't mined.
            chain.mine_unsigned(&[]).unwrap();
            std::future::ready(Waited::Again)
        };
        let failure = sending.run(wait, std::future::pending(), &plan).await.unwrap_err();
        let said = format!("{:#}", failure.report);
        assert!(said.ends_with("it isn't mined after 64 blocks"), "{said}");
        let hint = format!("--value 0 --nonce {nonce} --gas-price ");
        let told = told.borrow();
        let fees = told.iter().find_map(|line| line.split_once(&hint)).unwrap().1;
        let fees = fees.strip_suffix(" --rpc-url URL").unwrap();
        let (price, tip) = fees.split_once(" --priority-gas-price ").unwrap();
        let [price, tip] = [price, tip].map(|fee| fee.parse::<u128>().unwrap());
        // Pools want a tenth more than what is offered: twice the base fee and a tip of 1 gwei.
        let base_fee = u128::from(setup.chain.next_base_fee());
        assert!(tip >= 1_100_000_000 && price >= 2 * base_fee + tip, "{told:?}");
        assert_eq!(failure.exit, Exit::Internal);
    }
    assert_eq!(setup.chain.block_number() - start, 128);
}

/// A wallet with the same key allows a spender to take an amount, in a block of its own.
async fn approve_by_wallet(setup: &SendSetup, spender: Address, amount: Amount) {
    let mut wallet = Sender::new(setup.client.clone(), setup.chain.dev_accounts().remove(0));
    let next = setup.client.next_block().await.unwrap();
    let call = calls::approve(setup.set.asset, spender, amount);
    let _ = wallet.submit(call, Checks::Full, next).await.unwrap();
    setup.chain.mine().unwrap();
}

/// A wallet with the same key uses the nonce of the lock. After that is final, the lock is sent again, and the next
/// block doesn't include it.
#[tokio::test]
async fn an_order_whose_nonce_something_else_used_is_sent_again_and_waited_for() {
    let setup = SendSetup::new("superseded").await;
    approve_by_wallet(&setup, setup.set.governance, FIVE).await;
    setup.killed_before_it_sends().await;
    approve_by_wallet(&setup, Address::with_last_byte(9), FIVE).await;
    let told = RefCell::new(Vec::new());
    let tell = |text: &str| told.borrow_mut().push(text.to_owned());
    let sending = Sending { tell: &tell, ..setup.asking(&yes) };
    let plan = async |planned| setup.plan(planned, FIVE).await;
    let (chain, mut is_left_out) = (setup.chain.clone(), false);
    let wait = move |_| {
        match chain.pool_size() > 0 && !std::mem::replace(&mut is_left_out, true) {
            true => drop(chain.mine_unsigned(&[]).unwrap()),
            false => drop(chain.mine().unwrap()),
        }
        std::future::ready(Waited::Again)
    };
    sending.run(wait, std::future::pending(), &plan).await.unwrap();
    assert_eq!(setup.power().await, FIVE);
    let told = told.borrow();
    assert!(
        told.iter().any(|line| line.contains("nothing is sent for the same before")),
        "{told:?}"
    );
}

/// A person gives a lock up by using its nonce for something else, before another command, and while it waits.
#[tokio::test]
async fn what_was_given_up_by_its_nonce_is_sent_again_only_by_its_command_and_with_consent() {
    let setup = SendSetup::new("given-up").await;
    approve_by_wallet(&setup, setup.set.governance, SEVEN).await;
    setup.killed_before_it_sends().await;
    approve_by_wallet(&setup, Address::with_last_byte(9), SEVEN).await;
    let shown = Shown::default();
    ended_well(setup.run("canon lock 7", SEVEN, &shown).await, "another command");
    let told = shown.told.borrow().join("\n");
    assert!(told.contains("not done, since 0x") && told.contains(": lock "), "{told}");
    assert_eq!(setup.power().await, SEVEN, "{told}");

    // The same while the command waits for its block.
    let (chain, account) = (setup.chain.clone(), setup.account());
    let wait = move |_| {
        let chain = chain.clone();
        async move {
            if chain.pool_size() > 0 {
                let nothing = serde_json::json!({
                    "from": account, "to": account, "nonce": format!("{:#x}", chain.nonce(account)),
                    "maxFeePerGas": "0x174876e800", "maxPriorityFeePerGas": "0x174876e800",
                });
                let sent: B256 =
                    chain.client().request("eth_sendTransaction", (nothing,)).await.unwrap();
                assert!(!sent.is_zero());
            }
            chain.mine().unwrap();
            Waited::Again
        }
    };
    let plan = async |planned| setup.plan(planned, FIVE).await;
    let sending = setup.asking(&yes);
    let failure = sending.run(wait, std::future::pending(), &plan).await.unwrap_err();
    let said = format!("{:#}", failure.report);
    assert!(
        said.starts_with("approve 5 wasn't done: 0x") && said.contains(" used its nonce, "),
        "{said}"
    );
    assert_eq!((failure.exit, setup.power().await), (Exit::CheckFailed, SEVEN));
    // Somebody who wants it all the same runs the command again.
    ended_well(setup.run_asking(COMMAND, FIVE, &Shown::default()).await, "the same command again");
    assert_eq!(setup.power().await, Amount::of(12));
}

/// An endpoint whose history is pruned: `earliest` is the first block that it has, as in geth
/// (`EthAPIBackend.HeaderByNumber`: `HistoryPruningCutoff()`) and in reth.
fn prune(setup: &SendSetup) {
    setup.faults.answer(|request| {
        let params = canon_faults::params(request);
        match request.method() == "eth_getBlockByNumber" && params[0] == "earliest" {
            true => canon_faults::Answer::Asked(serde_json::json!(["0x1", params[1]])),
            false => canon_faults::Answer::Node,
        }
    });
}

/// The first run is killed once the lock is sent, at an archive node. The second goes to a node without old history.
#[tokio::test]
async fn an_endpoint_with_pruned_history_does_not_make_a_killed_command_send_twice() {
    let setup = SendSetup::new("pruned").await;
    let mut sends = 0;
    setup.faults.set(FaultPlan::by(move |packet| {
        let is_send =
            packet.as_single().is_some_and(|one| one.method() == "eth_sendRawTransaction");
        sends += u32::from(is_send);
        (is_send && sends == 2).then_some(Fault::KilledAfter)
    }));
    let first = setup.run(COMMAND, FIVE, &Shown::default()).await;
    assert!(matches!(first, Ran::Killed), "{first:?}");
    setup.faults.end();
    setup.chain.mine().unwrap();
    assert_eq!(setup.power().await, FIVE);
    prune(&setup);
    let shown = Shown::default();
    ended_well(setup.run(COMMAND, FIVE, &shown).await, "the same command again");
    let files: Vec<_> =
        fs::read_dir(&setup.folder).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert_eq!(setup.power().await, FIVE, "it locked twice; {:?}; {files:?}", shown.told.borrow());
}

/// Without the hash of block 0, it isn't known what was sent before.
#[tokio::test]
async fn an_endpoint_without_block_0_is_refused_before_anything_is_sent() {
    let setup = SendSetup::new("no-genesis").await;
    let nonce = setup.chain.nonce(setup.account());
    let cases = [("0x1", "expected block 0, found block 1"), ("0xffff", "null response")];
    for (answered, expected) in cases {
        setup.faults.answer(move |request| {
            let params = canon_faults::params(request);
            match request.method() == "eth_getBlockByNumber" && params[0] == "0x0" {
                true => canon_faults::Answer::Asked(serde_json::json!([answered, params[1]])),
                false => canon_faults::Answer::Node,
            }
        });
        let ran = setup.run(COMMAND, FIVE, &Shown::default()).await;
        let Ran::Ended(Err(failure)) = ran else { panic!("{ran:?}") };
        let said = format!("{:#}", failure.report);
        assert!(said.starts_with("nothing was sent: ") && said.contains(expected), "{said}");
        assert_eq!(failure.exit, Exit::Internal);
        assert!(failure.next.contains("a node that has block 0"), "{}", failure.next);
    }
    assert!(setup.has_sent_nothing(nonce));
}

/// Two processes for one account: one at a pruned endpoint, one at an archive. Both name its files by block 0, although
/// `earliest` is another block at the pruned one.
#[tokio::test]
async fn two_endpoints_of_one_chain_share_the_files_and_the_lock_of_an_account() {
    let setup = SendSetup::new("pruned-lock").await;
    let earliest = async || setup.client.block(alloy_eips::BlockId::earliest()).await.unwrap().hash;
    let at_archive = (record::genesis(&setup.client).await.unwrap(), earliest().await);
    prune(&setup);
    let at_pruned = (record::genesis(&setup.client).await.unwrap(), earliest().await);
    assert_eq!(at_archive.0, at_pruned.0);
    assert_ne!(at_archive.1, at_pruned.1, "the second endpoint has no old blocks");
    let files = |genesis| {
        AccountFiles::new(&setup.folder, setup.client.chain_id(), genesis, setup.account())
    };
    let first = files(at_archive.0).lock("canon lock 5").unwrap();
    let refused = files(at_pruned.0).lock("canon lock 5");
    assert!(refused.is_err(), "both would send for the account");
    let journal = files(at_archive.0).journal(&first).unwrap();
    assert!(files(at_pruned.0).journal(&first).is_err(), "one journal: {:?}", journal.path());
    // The lock is that of all chains with this id.
    let other = files(B256::repeat_byte(0xa1)).lock("canon lock 5");
    assert!(other.is_err(), "a fork would send with the same nonces");
}
