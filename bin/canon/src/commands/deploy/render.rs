//! The preview of a deployment.

use alloy_primitives::U256;
use canon_chain::{
    deploy::{
        DEPLOYMENT_PROXY, DeployRecord, PROXY_CREATOR, SetParameters, SetPlan, Step, whole_way,
    },
    tx::FeePolicy,
};
use canon_protocol::{
    ForeignText, Seconds,
    text::{Duration, Percent, Rounding, Time, count, ether, grouped, gwei},
    withdrawal_delay,
};

use super::proxy::ProxyCreation;
use crate::{
    judgement::Judgement,
    page::{Page, line, tokens, wrapped},
};

/// The source of the first second of slot 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GenesisSource {
    /// The file of parameters, or the record of an earlier run. Another run shows the same addresses.
    Kept,
    /// The newest block. Another run shows another address of the Rollup.
    NewestBlock,
}

/// The origin of what the chain has of the set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PreviewOrigin {
    /// This deployment, by its record, or there is nothing.
    Own,
    /// It was begun without a record here, perhaps by somebody else.
    Unrecorded,
}

/// The contents of a preview.
pub(super) struct Preview<'a> {
    /// The record, with the steps that the chain has.
    pub(super) record: &'a DeployRecord,
    pub(super) genesis: GenesisSource,
    pub(super) plan: &'a SetPlan,
    pub(super) judgement: &'a Judgement,
    pub(super) origin: PreviewOrigin,
    /// The creation of the deployment proxy that comes first; `None` if it isn't needed.
    pub(super) proxy: Option<ProxyCreation>,
    pub(super) balance: U256,
    pub(super) most_gas: u64,
    /// The highest possible fee, in wei.
    pub(super) most_fee: U256,
}

impl Preview<'_> {
    pub(super) fn render(&self) -> String {
        let mut page = Page::default();
        let Self { record, plan, .. } = self;
        line!(page, "Deploy a set on chain {}", record.chain_id);
        line!(page, "  deployer           {}", record.deployer);
        let origin = &record.parameters.origin;
        line!(page, "  factory (CREATE2)  {}", origin.factory);
        line!(page, "  salt               {}", origin.salt);
        if let Some(proxy) = &self.proxy {
            line!(page, "\nFirst, since this chain lacks the deterministic deployment proxy");
            match proxy.payment.is_zero() {
                true => line!(page, "  its creator has the ether for it"),
                false => {
                    let payment = ether(proxy.payment, Rounding::Up);
                    line!(page, "  pays {payment} ether to its creator");
                }
            }
            line!(page, "                     {PROXY_CREATOR}");
            line!(page, "  sends its creator's transaction, which creates it at");
            line!(page, "                     {DEPLOYMENT_PROXY}");
        }
        line!(page, "\nContracts, in this order");
        for step in Step::ALL {
            let Some(planned) = plan.contract(step) else { continue };
            let state = if record.is_done(step) { "  done" } else { "" };
            line!(page, "  {:<17}  {}{state}", planned.contract().name(), planned.address());
        }
        line!(page, "  Then the rollup becomes canonical, the Issuer gets the Asset, and");
        line!(page, "  Governance the Registry: no contract stays the deployer's.");
        if self.origin == PreviewOrigin::Unrecorded {
            let done: Vec<_> = record.done.iter().map(|done| done.step.to_string()).collect();
            let (done, left) = (done.join(", "), record.steps_left().count() as u64);
            line!(page, "\nBegun without a record here, by an earlier command or by somebody else");
            for text in wrapped(&format!("{done}."), 76) {
                line!(page, "  {text}");
            }
            line!(page, "  The addresses prove the code and its arguments. {} left.", steps(left));
        }
        let asset = &record.parameters.asset;
        line!(page, "\nParameters");
        line!(
            page,
            "  token              {} ({})",
            ForeignText::new(&asset.name),
            ForeignText::new(&asset.symbol)
        );
        line!(page, "  initial supply     {}", tokens(asset.initial_supply));
        line!(page, "  goes to            {}", asset.initial_holder.unwrap_or(plan.deployer));
        for (what, value) in meaning(&record.parameters) {
            line!(page, "  {what:<17}  {value}");
        }
        let slot_0 = Time(record.genesis.unwrap_or_default());
        match self.genesis {
            GenesisSource::Kept => line!(page, "  slot 0             {slot_0}"),
            GenesisSource::NewestBlock => {
                line!(page, "  slot 0             {slot_0}, the time of the newest block;");
                line!(
                    page,
                    "                     `genesis` in the file keeps the Rollup's address"
                );
            }
        }
        if !self.judgement.broken.is_empty() {
            line!(page, "\nRules that these parameters break");
            self.judgement.render(&mut page);
        }
        line!(page, "\nCost");
        let gas = grouped(u128::from(self.most_gas));
        line!(page, "  gas                at most {gas}");
        let most_fee = ether(self.most_fee, Rounding::Up);
        line!(page, "  fee                at most {most_fee} ether at the present price");
        if let Some(cap) = FeePolicy::default().cap {
            let most_fee = U256::from(self.most_gas) * U256::from(cap);
            let most_fee = ether(most_fee, Rounding::Up);
            line!(page, "                     and {most_fee} if that rises to {} gwei", gwei(cap));
        }
        if let Some(ProxyCreation { payment }) = self.proxy.filter(|proxy| proxy.gas() > 0) {
            line!(page, "  proxy's creator    {} ether", ether(payment, Rounding::Up));
        }
        line!(page, "  the deployer has   {} ether", ether(self.balance, Rounding::Down));
        page.into_text()
    }
}

fn steps(left: u64) -> String {
    let verb = if left == 1 { "is" } else { "are" };
    format!("{} {verb}", count(left, "step"))
}

/// The consequences of the parameters for people.
pub(crate) fn meaning(parameters: &SetParameters) -> Vec<(&'static str, String)> {
    let SetParameters { asset, signaling, governance, rollup, .. } = parameters;
    let times = |duration: Seconds, count: u64| {
        Duration(duration.checked_mul(count).unwrap_or(Seconds::MAX))
    };
    let round = times(rollup.slot_duration, signaling.m.into());
    let epoch = times(rollup.slot_duration, rollup.epoch_slots);
    let objections = Seconds::new(governance.execution_delay.get() / 2).unwrap_or_default();
    let leaving = withdrawal_delay(&governance.configuration());
    let locked = Duration(governance.lock_delay.max(leaving));
    let like = if governance.lock_delay < leaving { ", like a withdrawal" } else { "" };
    vec![
        ("can be minted", format!("{} a second, by vote", tokens(asset.issued_per_second))),
        ("reward", format!("{} a block", tokens(asset.block_reward))),
        (
            "signals",
            format!(
                "{} of the {} of a round, which lasts {round}",
                grouped(signaling.n),
                count(signaling.m.into(), "slot")
            ),
        ),
        ("voting starts", format!("after {}", Duration(governance.voting_delay))),
        ("voting lasts", Duration(governance.voting_duration).to_string()),
        ("objections", format!("for another {}", Duration(objections))),
        (
            "execution",
            format!(
                "from {} after the vote, for {}",
                Duration(governance.execution_delay),
                Duration(governance.grace_period)
            ),
        ),
        ("whole way", format!("at most {}", Duration(whole_way(parameters)))),
        ("quorum", format!("{} of all power", Percent::of(governance.quorum))),
        ("margin", format!("{} of the power cast", Percent::of(governance.vote_differential))),
        ("minimum power", tokens(governance.minimum_votes)),
        ("withdrawals", format!("paid after {}", Duration(leaving))),
        (
            "canon propose",
            format!("gives up {} for {locked}{like}", tokens(governance.lock_amount)),
        ),
        (
            "slots",
            format!(
                "{}, {} in an epoch of {epoch}",
                Duration(rollup.slot_duration),
                grouped(rollup.epoch_slots)
            ),
        ),
        (
            "stake",
            format!(
                "at least {}, paid {} after leaving",
                tokens(rollup.minimum_stake),
                Duration(rollup.exit_delay)
            ),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_have_groups_and_what_a_proposal_costs_names_its_command() {
        let mut parameters = SetParameters::mainnet_like();
        (parameters.signaling.n, parameters.signaling.m) = (600, 1_000);
        parameters.rollup.epoch_slots = 1_024;
        let said = |parameters: &SetParameters, what: &str| {
            let mut rows = meaning(parameters).into_iter();
            rows.find(|(label, _)| *label == what).unwrap().1
        };
        let signals = said(&parameters, "signals");
        assert!(signals.starts_with("600 of the 1,000 slots of a round"), "{signals}");
        let slots = said(&parameters, "slots");
        assert!(slots.contains(", 1,024 in an epoch of "), "{slots}");
        assert_eq!(
            said(&SetParameters::tests(), "canon propose"),
            "gives up 1,000 tokens for 2 h 12 min, like a withdrawal"
        );
        assert!(!said(&parameters, "canon propose").contains("withdrawal"));
    }
}
