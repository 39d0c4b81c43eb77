//! The steps of a command, shown before they are sent.

use std::collections::BTreeSet;

use alloy_primitives::{Address, U256};
use canon_chain::tx::{FeePolicy, Fees, Preview};
use canon_protocol::text::{self, Rounding, Time, ether, grouped, gwei};
use canon_views::{IntendedAction, Intent, PermitTerms};
use serde::Serialize;
use serde_json::Value;

use super::{Simulation, Step, unsigned::UNSIMULATED_GAS};
use crate::page::{Page, line, tokens};

/// A step, and its transaction if that can be simulated before the steps before it are mined.
#[derive(Clone, Debug)]
pub(super) struct Previewed {
    pub(super) step: Step,
    pub(super) preview: Option<Preview>,
}

impl Previewed {
    /// The highest gas limit.
    pub(super) fn most_gas(&self) -> u64 {
        self.preview.as_ref().map_or(UNSIMULATED_GAS, |preview| preview.gas_limit)
    }

    /// The highest cost in wei with these fees: all of the gas, and the value.
    fn most_cost(&self, fees: Fees) -> U256 {
        let value = self.preview.as_ref().map_or(U256::ZERO, |preview| preview.value);
        U256::from(self.most_gas()) * U256::from(fees.max_fee) + value
    }
}

/// The fees that the transactions of steps offer; `None` if none was simulated.
fn fees(steps: &[Previewed]) -> Option<Fees> {
    steps.iter().find_map(|one| one.preview.as_ref()).map(|preview| preview.fees)
}

/// The highest cost in wei at the present price of all steps together, also of those that can't be simulated yet.
pub(super) fn most_cost(steps: &[Previewed]) -> U256 {
    most_cost_at(steps, fees(steps).unwrap_or_default())
}

fn most_cost_at(steps: &[Previewed], fees: Fees) -> U256 {
    let costs = steps.iter().map(|one| one.most_cost(fees));
    costs.fold(U256::ZERO, U256::saturating_add)
}

/// The steps in words, with their costs.
pub(super) fn text(account: Address, steps: &[Previewed]) -> String {
    text_at(account, steps, fees(steps))
}

/// The steps in words, with their costs at these fees; without costs if the fees aren't known.
pub(super) fn text_at(account: Address, steps: &[Previewed], fees: Option<Fees>) -> String {
    let mut page = Page::default();
    if steps.is_empty() {
        line!(page, "Nothing is left to send.");
        return page.into_text();
    }
    line!(page, "From {account}:");
    for (number, one) in (1_usize..).zip(steps) {
        let Previewed { step, preview } = one;
        line!(page, "");
        match steps.len() {
            1 => line!(page, "{}", step.title()),
            _ => line!(page, "{number}. {}", step.title()),
        }
        for words in step.words.iter().skip(1).chain(&step.details) {
            line!(page, "   {words}");
        }
        match (preview, step.simulation) {
            (Some(preview), _) => match function(step, preview) {
                Some(function) => line!(page, "   calls {function} at {}", preview.to),
                None => line!(page, "   created with CREATE2 by {}", preview.to),
            },
            (None, Simulation::InItsSlot) => line!(page, "   is simulated once the slot begins"),
            (None, Simulation::OnceSigned) => line!(page, "   is simulated once that is signed"),
            (None, _) => line!(page, "   is simulated once the step before is done"),
        }
        if let Some(fees) = fees {
            let (most_gas, cost) = (one.most_gas(), one.most_cost(fees));
            let price = gwei(at_most(fees.max_fee));
            let (cost, gas) = (ether(cost, Rounding::Up), grouped(most_gas));
            line!(page, "   costs up to {cost} ether: {gas} gas at {price} gwei");
        }
    }
    if let Some(cap) = FeePolicy::default().cap {
        let fees = Fees { max_fee: cap, tip: 0 };
        let most = ether(most_cost_at(steps, fees), Rounding::Up);
        line!(
            page,
            "\nIf the price of gas rises meanwhile, more is offered, up to {} gwei:",
            gwei(cap)
        );
        line!(page, "at most {most} ether in all.");
    }
    page.into_text()
}

/// The lines of a preview that an earlier one didn't have.
pub(super) fn changes(earlier: &str, preview: &str) -> String {
    let known: BTreeSet<_> = earlier.lines().collect();
    let mut page = Page::default();
    for line in preview.lines().filter(|line| !known.contains(line)) {
        match page.is_empty() {
            true => line!(page, "Changed since it was shown:\n{line}"),
            false => line!(page, "{line}"),
        }
    }
    page.into_text()
}

/// An upper limit of a price of gas, for people: rounded up to three digits.
fn at_most(wei: u128) -> u128 {
    let digits = wei.checked_ilog10().unwrap_or(0) + 1;
    let unit = 10_u128.pow(digits.saturating_sub(3));
    wei.div_ceil(unit).saturating_mul(unit)
}

/// How to take back the allowance that a step gave, for a command that didn't use it.
pub(super) fn taking_back(intent: &Intent) -> Option<String> {
    let (asset, spender, amount) = match intent.action {
        IntendedAction::Approve { asset, amount, .. } => (asset, intent.set.governance, amount),
        IntendedAction::ApproveStake { asset, rollup, amount, .. } => (asset, rollup, amount),
        _ => return None,
    };
    Some(format!(
        "{spender} may still take {} of asset {asset}. To take that back, with the same key: cast send {asset} \
         'approve(address,uint256)' {spender} 0",
        tokens(amount)
    ))
}

/// The name of the function that a transaction calls; `None` for the creation of a contract.
fn function(step: &Step, preview: &Preview) -> Option<&'static str> {
    match step.intent.action {
        IntendedAction::Create { .. } => None,
        _ => preview.what.split('(').next(),
    }
}

/// The steps that a command would take, as JSON.
#[derive(Debug, Serialize)]
pub(super) struct PreviewDocument<'a> {
    #[serde(with = "text::address")]
    account: Address,
    steps: Vec<StepDocument>,
    #[serde(flatten)]
    result: Option<&'a Value>,
}

/// A step that isn't sent yet.
#[derive(Debug, Serialize)]
struct StepDocument {
    words: Vec<String>,
    #[serde(with = "text::address::option")]
    to: Option<Address>,
    /// `None`, like `to`, if the step depends on the step before it.
    function: Option<&'static str>,
    /// The highest gas limit.
    gas: u64,
    /// The highest cost in wei at the present price: all of the gas, and the value. `None` while no step can be
    /// simulated.
    max_cost: Option<String>,
}

impl<'a> PreviewDocument<'a> {
    pub(super) fn new(account: Address, steps: &[Previewed], result: Option<&'a Value>) -> Self {
        let fees = fees(steps);
        let document = |one: &Previewed| {
            let Previewed { step, preview } = one;
            StepDocument {
                words: step.words.iter().chain(&step.details).cloned().collect(),
                to: preview.as_ref().map(|preview| preview.to),
                function: preview.as_ref().and_then(|preview| function(step, preview)),
                gas: one.most_gas(),
                max_cost: fees.map(|fees| one.most_cost(fees).to_string()),
            }
        };
        let steps = steps.iter().map(document);
        Self { account, steps: steps.collect(), result }
    }
}

/// The steps in words, before anything is signed that they contain.
pub(super) fn text_before_signature(account: Address, steps: &[Step]) -> String {
    let steps = steps.iter().map(|step| Previewed { step: step.clone(), preview: None });
    text_at(account, &steps.collect::<Vec<_>>(), None)
}

/// A note on the signature that the transaction of a step contains, if it does.
pub(super) fn signature_note(intent: &Intent) -> Option<String> {
    let IntendedAction::Lock { amount, permit: Some(PermitTerms { deadline, .. }), .. } =
        intent.action
    else {
        return None;
    };
    Some(format!(
        "what is printed contains a signed permit: whoever has it can let Governance {} take {} of the account, until \
         {}, inclusive",
        intent.set.governance,
        tokens(amount),
        Time(deadline)
    ))
}

/// Whether a step can be simulated before the steps before it are mined.
pub(super) const fn is_simulated_at_once(number: usize, step: &Step) -> bool {
    match step.simulation {
        Simulation::OnceSigned => false,
        Simulation::AtOnce => true,
        Simulation::AfterPrevious | Simulation::InItsSlot => number == 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_that_was_shown_is_not_shown_again() {
        let earlier = "From 0x1:\n\nSignal in slot 3\n   payload  0x2\n   it has 1 signal\n";
        assert_eq!(changes(earlier, earlier), "");
        assert_eq!(
            changes(earlier, &earlier.replace("slot 3", "slot 5").replace("1 signal", "2 signals")),
            "Changed since it was shown:\nSignal in slot 5\n   it has 2 signals\n"
        );
    }

    #[test]
    fn a_limit_of_a_price_has_three_digits_and_is_never_too_low() {
        for (wei, shown) in [
            (1_015_000_001, "1.02"),
            (55_923_412_345, "56"),
            (999_999, "0.001"),
            (123, "0.000000123"),
            (0, "0"),
        ] {
            assert!(at_most(wei) >= wei);
            assert_eq!(gwei(at_most(wei)).to_string(), shown);
        }
        assert_eq!(at_most(u128::MAX), u128::MAX);
    }
}
