//! A deployment in words, before it is sent.

use alloy_primitives::U256;
use canon_chain::deploy::{DeployRecord, SET_GAS, SetParameters, SetPlan, Step};
use canon_protocol::{
    Seconds,
    text::{Duration, Percent, Time, Tokens, ether, grouped},
    withdrawal_delay,
};

use crate::{
    judgement::Judgement,
    page::{Page, line},
};

/// The contents of a preview.
pub(super) struct Preview<'a> {
    pub(super) record: &'a DeployRecord,
    pub(super) plan: &'a SetPlan,
    pub(super) judgement: &'a Judgement,
    pub(super) balance: U256,
    pub(super) most: U256,
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
        line!(page, "\nContracts, in this order");
        for step in Step::ALL {
            let Some(planned) = plan.contract(step) else { continue };
            let state = if record.is_done(step) { "  done" } else { "" };
            line!(page, "  {:<17}  {}{state}", planned.contract().name(), planned.address());
        }
        line!(
            page,
            "  then the rollup becomes canonical, the Issuer gets the Asset, and Governance the"
        );
        line!(page, "  Registry: the deployer owns nothing");
        parameters(&mut page, &record.parameters, plan);
        line!(page, "  slot 0             {}", Time(record.genesis.unwrap_or_default()));
        if !self.judgement.broken.is_empty() {
            line!(page, "\nRules that these parameters break");
            self.judgement.render(&mut page);
        }
        line!(page, "\nCost");
        line!(
            page,
            "  gas                about {}",
            grouped(u128::from(SET_GAS - record.gas_used().min(SET_GAS)))
        );
        line!(page, "  fee                at most {} ether", ether(self.most));
        line!(page, "  the deployer has   {} ether", ether(self.balance));
        page.into_text()
    }
}

/// The parameters with their meaning.
pub(crate) fn parameters(page: &mut Page, parameters: &SetParameters, plan: &SetPlan) {
    let SetParameters { asset, governance, .. } = parameters;
    line!(page, "\nParameters");
    line!(page, "  token              {} ({})", asset.name, asset.symbol);
    line!(page, "  initial supply     {} tokens", Tokens(asset.initial_supply));
    line!(page, "  goes to            {}", asset.initial_holder.unwrap_or(plan.deployer));
    let _ = governance;
    meaning(page, parameters);
}

/// The parameters as their consequences for people.
pub(crate) fn meaning(page: &mut Page, parameters: &SetParameters) {
    let SetParameters { asset, signaling, governance, rollup, .. } = parameters;
    let times = |duration: Seconds, count: u64| {
        Duration(duration.checked_mul(count).unwrap_or(Seconds::MAX))
    };
    line!(
        page,
        "  can be minted      {} tokens a second, by vote",
        Tokens(asset.issued_per_second)
    );
    line!(page, "  reward             {} tokens a block", Tokens(asset.block_reward));
    let (n, m) = (signaling.n, signaling.m);
    let round = times(rollup.slot_duration, m.into());
    line!(page, "  signals            {n} of the {m} slots of a round, which lasts {round}");
    line!(page, "  voting starts      after {}", Duration(governance.voting_delay));
    line!(page, "  voting lasts       {}", Duration(governance.voting_duration));
    let half = Seconds::new(governance.execution_delay.get() / 2).unwrap_or_default();
    line!(page, "  objections         for another {}", Duration(half));
    line!(
        page,
        "  execution          from {} after the vote, for {}",
        Duration(governance.execution_delay),
        Duration(governance.grace_period)
    );
    line!(page, "  quorum             {} of all power", Percent::of(governance.quorum));
    line!(
        page,
        "  margin             {} of the power cast",
        Percent::of(governance.vote_differential)
    );
    line!(page, "  minimum power      {} tokens", Tokens(governance.minimum_votes));
    let leave = withdrawal_delay(&governance.configuration());
    line!(page, "  a withdrawal takes {}", Duration(leave));
    line!(
        page,
        "  lock               {} tokens for {}",
        Tokens(governance.lock_amount),
        Duration(governance.lock_delay.max(leave))
    );
    let epoch = times(rollup.slot_duration, rollup.epoch_slots);
    line!(
        page,
        "  slots              {}, {} in an epoch of {epoch}",
        Duration(rollup.slot_duration),
        rollup.epoch_slots
    );
    line!(
        page,
        "  stake              at least {} tokens, paid {} after leaving",
        Tokens(rollup.minimum_stake),
        Duration(rollup.exit_delay)
    );
}
