//! Tests of commands that go on after they were killed, and don't succeed.

use super::*;

impl World {
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
        let world = World::new("resumed-failed").await;
        let governance = world.set.governance;
        world.killed_after_its_lock_is_sent().await;
        world.chain.set_code(governance, vec![0x5f, 0x5f, 0xfd]).unwrap();
        let shown = Shown::default();
        let tell = |text: &str| shown.told.borrow_mut().push(text.to_owned());
        let result = |text: &str| {
            shown.results.borrow_mut().push(text.to_owned());
            Ok(())
        };
        let (consent, sending) = (Consent::Given, world.asking(&no));
        let sending = Sending { consent, format, tell: &tell, result: &result, ..sending };
        let plan = async |planned| world.plan(planned, FIVE).await;
        let ran = sending.run(world.mining(), std::future::pending(), &plan).await;
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
