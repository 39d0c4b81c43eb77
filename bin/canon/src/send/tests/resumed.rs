//! Tests of what commands that were killed leave to the next ones.

use super::{
    forks::{SEVEN, refused},
    *,
};
use canon_devchain::ReorgOptions;

impl SendSetup {
    /// Runs a command that is killed once it has sent its second transaction.
    async fn killed_after_its_lock_is_sent(&self) {
        let mut sends = 0;
        self.faults.set(FaultPlan::by(move |packet| {
            let is_send =
                packet.as_single().is_some_and(|one| one.method() == "eth_sendRawTransaction");
            sends += u32::from(is_send);
            (is_send && sends == 2).then_some(Fault::KilledAfter)
        }));
        let ran = self.run(COMMAND, FIVE, &Shown::default()).await;
        assert!(matches!(ran, Ran::Killed), "{ran:?}");
        self.faults.end();
    }
}

/// The approval is mined, the command is killed, and the lock reverts.
#[tokio::test]
async fn a_resumed_command_reports_what_it_did_before_the_step_that_failed() {
    for format in [Format::Text, Format::Json] {
        let setup = SendSetup::new("resumed-failed").await;
        let governance = setup.set.governance;
        setup.killed_after_its_lock_is_sent().await;
        setup.chain.set_code(governance, vec![0x5f, 0x5f, 0xfd]).unwrap();
        let shown = Shown::default();
        let tell = |text: &str| shown.told.borrow_mut().push(text.to_owned());
        let result = |text: &str| {
            shown.results.borrow_mut().push(text.to_owned());
            Ok(())
        };
        let (consent, sending) = (Consent::Given, setup.asking(&no));
        let sending = Sending { consent, format, tell: &tell, result: &result, ..sending };
        let plan = async |planned| setup.plan(planned, FIVE).await;
        let ran = sending.run(setup.mining(), std::future::pending(), &plan).await;
        let said = format!("{:#}", ran.unwrap_err().report);
        assert!(said.starts_with(&format!("only a part is done: approve {FIVE} (0x")), "{said}");
        assert!(said.contains(": the transaction failed: deposit"), "{said}");
        let results = shown.results.take();
        let [result] = &results[..] else { panic!("{results:?}") };
        match format {
            Format::Text => assert!(result.starts_with("Governance may take "), "{result}"),
            Format::Json => {
                let document: serde_json::Value = serde_json::from_str(result).unwrap();
                let done = document["transactions"].as_array().unwrap();
                assert_eq!(done.len(), 1, "{document}");
                assert_eq!(done[0]["changed"]["kind"], "allowed", "{document}");
            }
        }
        let undo = format!("'approve(address,uint256)' {governance} 0");
        let told = shown.told.take();
        assert!(told.iter().any(|line| line.ends_with(&undo)), "{told:?}");
    }
}

/// A reorganization returns the transactions of an earlier command to the pool, and then a later one is resumed.
#[tokio::test]
async fn a_resumed_command_waits_for_transactions_of_an_earlier_one_and_replaces_none() {
    let setup = SendSetup::new("taken-back").await;
    let _keeps_history = setup.chain.snapshot();
    let earlier = Shown::default();
    ended_well(setup.run("canon lock 7", SEVEN, &earlier).await, "the earlier one");
    setup.killed_before_it_sends().await;
    setup.chain.reorg(ReorgOptions { depth: 2, ..ReorgOptions::default() }).unwrap();
    assert_eq!((setup.power().await, setup.chain.pool_size()), (Amount::ZERO, 2));
    let told = RefCell::new(Vec::new());
    let tell = |text: &str| told.borrow_mut().push(text.to_owned());
    let sending = Sending { consent: Consent::Given, tell: &tell, ..setup.asking(&no) };
    let plan = async |planned| setup.plan(planned, FIVE).await;
    let (chain, mut blocks) = (setup.chain.clone(), 0);
    let wait = move |_| {
        blocks += 1;
        match blocks <= 10 {
            // The pool isn't mined for so long that a transaction would be replaced.
            true => drop(chain.mine_unsigned(&[]).unwrap()),
            false => drop(chain.mine().unwrap()),
        }
        std::future::ready(Waited::Again)
    };
    sending.run(wait, std::future::pending(), &plan).await.unwrap();
    assert_eq!(setup.power().await, Amount::of(12));
    let told = told.take();
    let sent = earlier.told.take();
    let hashes: Vec<_> = sent.iter().filter_map(|line| line.strip_prefix("sent ")).collect();
    assert_eq!(hashes.len(), 2, "{sent:?}");
    for hash in hashes {
        let is_mined = setup.chain.gas_used(hash.parse().unwrap()).is_some();
        assert!(is_mined, "{hash} was replaced: {told:?}");
    }
    let waits = " is still in flight: this command waits for it (allow Governance to take ";
    assert!(told.iter().any(|line| line.contains(waits)), "{told:?}");
}

/// `--confirmations 5`: an earlier command was killed, and its lock is in the newest block.
#[tokio::test]
async fn an_earlier_command_is_reported_with_as_many_confirmations_as_were_asked_for() {
    let setup = SendSetup::new("other-confirmations").await;
    setup.killed_after_its_lock_is_sent().await;
    let told = RefCell::new(Vec::new());
    let tell = |text: &str| told.borrow_mut().push((text.to_owned(), setup.chain.block_number()));
    let sending = setup.asking(&yes);
    let sending = Sending { command: "canon lock 7", confirmations: 5, tell: &tell, ..sending };
    let plan = async |planned| setup.plan(planned, SEVEN).await;
    sending.run(setup.mining(), std::future::pending(), &plan).await.unwrap();
    let told = told.take();
    let lock = format!(": lock {FIVE}");
    let done = told.iter().find(|(text, _)| text.starts_with("done in") && text.ends_with(&lock));
    let (text, at) = done.unwrap_or_else(|| panic!("{told:?}"));
    let mined = text.split_once(", block ").unwrap().1.split_once(':').unwrap().0;
    assert_eq!(at - mined.parse::<u64>().unwrap() + 1, 5, "{told:?}");
}

/// The lock of a killed command reverts, which the next one reports. That one is given up at its question, and then the
/// block of the lock is replaced.
#[tokio::test]
async fn a_failure_of_an_earlier_command_is_remembered_until_another_one_begins() {
    use alloy_provider::Provider as _;
    let setup = SendSetup::new("other-failed").await;
    let governance = setup.set.governance;
    setup.killed_after_its_lock_is_sent().await;
    let code = setup.client.provider().get_code_at(governance).await.unwrap();
    let before = setup.chain.snapshot();
    let chain = setup.chain.clone();
    let wait = |_| {
        let is_pending = chain.pool_size() > 0;
        if is_pending {
            chain.set_code(governance, vec![0x5f, 0x5f, 0xfd]).unwrap();
        }
        chain.mine().unwrap();
        if is_pending {
            chain.set_code(governance, code.clone()).unwrap();
        }
        std::future::ready(Waited::Again)
    };
    let told = RefCell::new(Vec::new());
    let tell = |text: &str| told.borrow_mut().push(text.to_owned());
    let plan = async |planned| setup.plan(planned, SEVEN).await;
    let sending = Sending { command: "canon lock 7", tell: &tell, ..setup.asking(&no) };
    let ran = sending.run(wait, std::future::pending(), &plan).await;
    assert_eq!(refused(Ran::Ended(ran)), "the answer was no: nothing was sent");
    let told = told.take().join("\n");
    assert!(told.contains(&format!("failed: lock {FIVE} (the transaction failed")), "{told}");
    setup.chain.revert(before).unwrap();
    setup.chain.mine().unwrap();
    assert_eq!(setup.power().await, FIVE);
    let shown = Shown::default();
    ended_well(setup.run("canon lock 7", SEVEN, &shown).await, "once more");
    let told = shown.told.take().join("\n");
    assert!(told.starts_with("the block in which 0x"), "{told}");
    assert!(told.contains("done in 0x") && told.contains(&format!(": lock {FIVE}")), "{told}");
    assert!(setup.begun_files().is_empty());
}
