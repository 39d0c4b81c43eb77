//! Tests of what transactions may cost.

use super::*;

/// The base fee rises while the user reads: more is offered, and no more than what was shown for that case.
#[tokio::test]
async fn a_risen_price_costs_no_more_than_what_was_shown_for_it() {
    let setup = SendSetup::new("risen").await;
    let plan = async |planned| setup.plan(planned, FIVE).await;
    let shown = RefCell::new(String::new());
    let ask = async |text: &str, _: &str| {
        shown.borrow_mut().push_str(text);
        setup.chain.set_base_fee_next(100_000_000_000);
        Ok(Answer::Yes)
    };
    let before = setup.chain.balance(setup.account());
    let sending = setup.asking(&ask);
    sending.run(setup.mining(), std::future::pending(), &plan).await.unwrap();
    let paid = before - setup.chain.balance(setup.account());
    let ether = |before: &str, after: &str| -> f64 {
        let shown = shown.borrow();
        let rest = shown.split_once(before).unwrap_or_else(|| panic!("{shown}")).1;
        rest.split_once(after).unwrap().0.parse().unwrap()
    };
    let paid = paid.to::<u128>() as f64 / 1e18;
    let (now, most) = (ether("costs up to ", " ether"), ether("at most ", " ether in all"));
    assert!(2.0 * now < paid && paid <= most, "{now} {paid} {most}");
}

/// What was agreed to is `costs up to`; a contract that is called uses more gas in the next block.
#[tokio::test]
async fn a_contract_that_uses_more_gas_meanwhile_costs_no_more_than_was_shown() {
    let setup = SendSetup::new("cost").await;
    let governance = setup.set.governance;
    // Allowed beforehand, so that the lock is simulated before the question.
    let mut wallet = Sender::new(setup.client.clone(), setup.chain.dev_accounts().remove(0));
    let next = setup.client.next_block().await.unwrap();
    let call = canon_chain::calls::approve(setup.set.asset, governance, FIVE);
    let _ = wallet.submit(call, canon_chain::Checks::Full, next).await.unwrap();
    setup.chain.mine().unwrap();
    let code = {
        use alloy_provider::Provider as _;
        setup.client.provider().get_code_at(governance).await.unwrap()
    };
    let plan = async |planned| setup.plan(planned, FIVE).await;
    let shown = RefCell::new(String::new());
    let chain = setup.chain.clone();
    let ask = async |text: &str, _: &str| {
        shown.borrow_mut().push_str(text);
        // The front-runner's turn: 400,000 rounds of 26 gas, then the genuine code.
        let genuine = Address::repeat_byte(0x77);
        chain.set_code(genuine, code.clone()).unwrap();
        // Only where there is more gas than views have.
        let mut burner = vec![0x62, 0x2d, 0xc6, 0xc0, 0x5a, 0x10, 0x60, 23, 0x57];
        burner.extend([0x62, 0x06, 0x1a, 0x80]);
        burner.extend([0x5b, 0x60, 1, 0x90, 0x03, 0x80, 0x60, 13, 0x57, 0x50, 0x5b]);
        burner.extend([0x36, 0x5f, 0x5f, 0x37, 0x5f, 0x5f, 0x36, 0x5f, 0x73]);
        burner.extend(genuine.as_slice());
        burner.extend([0x5a, 0xf4, 0x3d, 0x5f, 0x5f, 0x3e, 0x60]);
        burner.push(burner.len() as u8 + 5);
        burner.extend([0x57, 0x3d, 0x5f, 0xfd, 0x5b, 0x3d, 0x5f, 0xf3]);
        chain.set_code(governance, burner).unwrap();
        chain.mine().unwrap();
        Ok(Answer::Yes)
    };
    let result = RefCell::new(String::new());
    let sending = Sending {
        result: &|text| {
            result.borrow_mut().push_str(text);
            Ok(())
        },
        ..setup.asking(&ask)
    };
    let ran = sending.run(setup.mining(), std::future::pending(), &plan).await;
    let line = |text: &str, word: &str| {
        text.lines().find(|line| line.contains(word)).unwrap_or_default().trim().to_owned()
    };
    let number = |line: String| -> f64 {
        line.split_whitespace().find_map(|word| word.parse().ok()).unwrap_or(f64::NAN)
    };
    let most = line(&shown.borrow(), "costs up to");
    let fee = line(&result.borrow(), "fee");
    let gas = line(&result.borrow(), "gas");
    assert!(
        number(fee.clone()) <= number(most.clone()),
        "agreed to: {most}\npaid: {fee}; {gas}; {ran:?}"
    );
}

/// The contract that is called needs more gas than was shown, also at the limit that was shown.
#[tokio::test]
async fn a_transaction_that_needs_more_gas_than_was_shown_is_not_sent() {
    // 26 gas in each of 40,000 rounds: more than is shown for the lock, simulated or not.
    let burner =
        [&[0x62, 0x00, 0x9c, 0x40, 0x5b][..], &[0x60, 1, 0x90, 0x03, 0x80, 0x60, 4, 0x57, 0]];
    for is_allowed in [true, false] {
        let setup = SendSetup::new("more-gas").await;
        let governance = setup.set.governance;
        if is_allowed {
            let mut wallet =
                Sender::new(setup.client.clone(), setup.chain.dev_accounts().remove(0));
            let next = setup.client.next_block().await.unwrap();
            let call = canon_chain::calls::approve(setup.set.asset, governance, FIVE);
            let _ = wallet.submit(call, canon_chain::Checks::Full, next).await.unwrap();
            setup.chain.mine().unwrap();
        }
        let nonce = setup.chain.nonce(setup.account());
        // The plan doesn't read the set again.
        let steps = RefCell::new(None::<Vec<Step>>);
        let plan = async |planned: Planned| {
            let known = steps.borrow().clone();
            if let Some(steps) = known {
                return Ok(steps);
            }
            let planned = setup.plan(planned, FIVE).await?;
            *steps.borrow_mut() = Some(planned.clone());
            Ok(planned)
        };
        let shown = RefCell::new(String::new());
        let ask = async |text: &str, _: &str| {
            shown.borrow_mut().push_str(text);
            setup.chain.set_code(governance, burner.concat()).unwrap();
            setup.chain.mine().unwrap();
            Ok(Answer::Yes)
        };
        let sending = setup.asking(&ask);
        let ran = sending.run(setup.mining(), std::future::pending(), &plan).await;
        let failure = ran.unwrap_err();
        let said = format!("{:#}", failure.report);
        assert!(said.contains(" gas by now, and at most "), "{said}");
        assert_eq!(failure.next, "run the command again to see what it costs now");
        assert_eq!(shown.borrow().matches("costs up to").count(), if is_allowed { 1 } else { 2 });
        let approvals = u64::from(!is_allowed);
        assert_eq!(setup.chain.nonce(setup.account()), nonce + approvals, "{said}");
        assert_eq!(said.contains("500,000"), !is_allowed, "{said}");
    }
}
