//! The result of a dry run as JSON.

use alloy_primitives::Address;
use canon_chain::deploy::{PROXY_CREATOR, Step};
use serde::Serialize;

use super::{prepare::Prepared, proxy::ProxyCreation};
use crate::judgement::Judgement;

/// The result of a dry run as JSON.
#[derive(Serialize)]
pub(super) struct PreparedDocument<'a> {
    #[serde(with = "canon_protocol::text::decimal")]
    chain_id: u64,
    #[serde(with = "canon_protocol::text::address")]
    deployer: Address,
    contracts: Vec<PlannedDocument>,
    /// The steps whose effects the chain has.
    done: Vec<Step>,
    rules: &'a Judgement,
    gas: u64,
    /// The fee in wei.
    most_fee: String,
    /// The creation of the deployment proxy that comes first; `None` if it isn't needed.
    proxy: Option<ProxyDocument>,
}

#[derive(Serialize)]
struct ProxyDocument {
    #[serde(with = "canon_protocol::text::address")]
    creator: Address,
    /// The wei that the deployer pays to the creator.
    payment: String,
}

#[derive(Serialize)]
struct PlannedDocument {
    contract: &'static str,
    #[serde(with = "canon_protocol::text::address")]
    address: Address,
}

impl<'a> PreparedDocument<'a> {
    pub(super) fn of(prepared: &'a Prepared) -> Self {
        let Prepared { session, record, on_chain, plan, proxy, most_fee, .. } = prepared;
        let planned = Step::ALL.into_iter().filter_map(|step| plan.contract(step));
        let contracts = planned.map(|planned| PlannedDocument {
            contract: planned.contract().name(),
            address: planned.address(),
        });
        Self {
            chain_id: record.chain_id,
            deployer: record.deployer,
            contracts: contracts.collect(),
            done: on_chain.done.iter().map(|done| done.step).collect(),
            rules: &session.judgement,
            gas: prepared.most_gas(),
            most_fee: most_fee.to_string(),
            proxy: proxy.map(|ProxyCreation { payment }| ProxyDocument {
                creator: PROXY_CREATOR,
                payment: payment.to_string(),
            }),
        }
    }
}
