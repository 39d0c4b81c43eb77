//! The steps that are left, for an account whose key is elsewhere: their order, and their simulation.

use super::{
    error::DeployError,
    plan::{ContractPlan, SetPlan},
    record::DeployRecord,
    step::Step,
};
use crate::{Client, ContractCall, Sender, error::Error, execution::ExecutionFailure};
use alloy_eips::{BlockId, eip7825::MAX_TX_GAS_LIMIT_OSAKA};
use alloy_primitives::{Address, Bytes, TxKind, U256, bytes};
use alloy_provider::Provider;
use alloy_rpc_types_eth::{
    TransactionRequest,
    state::{AccountOverride, StateOverride},
};
use alloy_transport::RpcError;
use canon_abi::decode_revert;

/// Code that makes all calls of its calldata in order, which has the target (20 bytes), the length (32 bytes) and the
/// data of each. It returns their number. If one fails, it reverts with the position of that one, counted from 0, and
/// the data of its revert.
const CALLS_IN_ORDER: Bytes = bytes!(
    // The position and the offset of the next call.
    "5f5f"
    // Is there another one?
    "5b803611601057"
    "505f5260205ff3"
    // Its data to the memory, and the call.
    "5b8060140135"
    "80826034015f37"
    "5f5f825f5f863560601c5af1"
    "15603957"
    "01603401"
    "9060010190"
    "600256"
    "5b5050"
    "5f52"
    "3d5f60203e"
    "3d6020015ffd"
);

/// The part of the steps that could be simulated.
#[derive(Debug)]
pub enum SimulatedSteps {
    /// All of them, in order.
    All,
    /// The first one alone: the endpoint can't simulate one after another.
    First(Error),
}

impl Step {
    /// The steps without whose effect this one fails, or has no effect. The rollup must be canonical before the
    /// Registry is offered: then anyone can complete the handover, and only the deployer can add the first rollup.
    pub const fn requires(self) -> &'static [Self] {
        match self {
            Self::Asset | Self::Registry | Self::Expect => &[],
            Self::Proposals => &[Self::Registry],
            Self::Governance => &[Self::Asset, Self::Proposals],
            Self::Issuer | Self::OfferAsset => &[Self::Asset],
            Self::RewardDistributor | Self::Rollup => &[Self::Asset, Self::Registry],
            Self::Upgrade => &[Self::Registry, Self::Rollup],
            Self::OfferRegistry => &[Self::Upgrade],
            Self::AcceptAsset => &[Self::Issuer, Self::OfferAsset],
            Self::AcceptRegistry => &[Self::Governance, Self::OfferRegistry],
        }
    }
}

impl DeployRecord {
    /// The steps that aren't done and can be mined in any order without making the set unfinishable: those that
    /// are out of order fail or have no effect, and can be sent again. The others have to wait until the
    /// rollup is canonical.
    pub fn steps_in_any_order(&self) -> impl Iterator<Item = Step> {
        let is_canonical = self.is_done(Step::Upgrade);
        let hands_over = |step: &Step| matches!(step, Step::OfferRegistry | Step::AcceptRegistry);
        self.steps_left().filter(move |step| is_canonical || !hands_over(step))
    }
}

/// Simulates steps of a plan in order, from the first one that isn't done on, for an account whose key is elsewhere.
///
/// # Errors
///
/// [`DeployError::NoProxy`] if the chain lacks the deployment proxy; [`DeployError::Step`] for the first step that
/// would fail.
pub async fn simulate_steps(
    sender: &Sender,
    plan: &SetPlan,
    record: &DeployRecord,
    steps: &[Step],
) -> Result<SimulatedSteps, DeployError> {
    let Some(&first) = steps.first() else { return Ok(SimulatedSteps::All) };
    let client = sender.client();
    record.parameters.origin.expect_code(client).await?;
    // The factory hides why a constructor refuses.
    let call = plan.contract(first).map_or_else(|| plan.call(first), ContractPlan::direct_call);
    let simulated = sender.simulate(&call, client.next_block().await?).await;
    simulated.map_err(|source| DeployError::Step { step: first, source })?;
    let calls: Vec<_> = steps.iter().map(|step| plan.call(*step)).collect();
    match simulate_in_order(client, sender.address(), &calls).await? {
        InOrder::Succeed => Ok(SimulatedSteps::All),
        InOrder::Unknown(error) => Ok(SimulatedSteps::First(error)),
        InOrder::Fail { position, data } => {
            let failed = steps.iter().zip(&calls).nth(position);
            let (step, what) =
                failed.map_or_else(|| (first, call.what()), |(step, call)| (*step, call.what()));
            let source = Error::Refused { what, revert: decode_revert(&data) };
            Err(DeployError::Step { step, source })
        }
    }
}

/// The outcome of calls, one after another.
enum InOrder {
    Succeed,
    Fail {
        position: usize,
        data: Bytes,
    },
    /// The endpoint can't say.
    Unknown(Error),
}

/// Simulates calls of an account one after another, by code in its place. Nodes can simulate a call of an account with
/// other code since long before they could simulate several calls.
async fn simulate_in_order(
    client: &Client,
    account: Address,
    calls: &[ContractCall],
) -> Result<InOrder, DeployError> {
    const WHAT: &str = "all steps in order";
    let mut input = Vec::new();
    for call in calls {
        let TxKind::Call(to) = call.to() else { continue };
        input.extend(to);
        input.extend(U256::from(call.input().len()).to_be_bytes::<32>());
        input.extend(call.input());
    }
    let code = AccountOverride { code: Some(CALLS_IN_ORDER), ..AccountOverride::default() };
    let request = TransactionRequest {
        to: Some(TxKind::Call(account)),
        input: Bytes::from(input).into(),
        gas: Some(MAX_TX_GAS_LIMIT_OSAKA),
        ..TransactionRequest::default()
    };
    let call = client.provider().call(request).block(BlockId::pending());
    let answer = call.overrides(StateOverride::from_iter([(account, code)])).await;
    let source = match answer {
        Ok(answer) if **answer == U256::from(calls.len()).to_be_bytes::<32>() => {
            return Ok(InOrder::Succeed);
        }
        // The endpoint ignores the other code.
        Ok(_) => return Ok(InOrder::Unknown(Error::BadAnswer { what: WHAT, address: account })),
        Err(source) => source,
    };
    if let Some(ExecutionFailure::Reverted(data)) = ExecutionFailure::of(&source)
        && let Some((position, data)) = data.split_first_chunk::<32>()
        && let Ok(position) = usize::try_from(U256::from_be_bytes(*position))
    {
        return Ok(InOrder::Fail { position, data: Bytes::copy_from_slice(data) });
    }
    let has_answered = matches!(source, RpcError::ErrorResp(_));
    let error = Error::from_rpc(WHAT, source);
    match has_answered && !error.is_rate_limit() {
        true => Ok(InOrder::Unknown(error)),
        false => Err(error.into()),
    }
}
