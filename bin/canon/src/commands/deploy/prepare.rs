//! The preparation of a deployment: all that is read and checked before anything is sent.

use std::path::PathBuf;

use alloy_primitives::{Address, U256};
use canon_chain::{
    AccountSigner, Client, Sender,
    deploy::{
        CheckedParameters, DeployError, DeployRecord, RecordFile, SetPlan, Step,
        ensure_can_be_finished, find_done,
    },
};
use canon_views::BlockView;
use eyre::eyre;

use super::{
    earlier_run::ensure_of,
    failures::{GoOn, RecordState},
    proxy::ProxyCreation,
    render::{self, GenesisSource, PreviewOrigin},
};
use crate::{chain::unreached, deployer::ensure_funds, exit::Failure, judgement::Judgement};

/// A deployment to carry out: its set, its chain and its files.
pub(super) struct Session {
    pub(super) client: Client,
    pub(super) checked: CheckedParameters,
    pub(super) manifest: PathBuf,
    pub(super) record: PathBuf,
    pub(super) judgement: Judgement,
}

/// A deployment that can be sent.
pub(super) struct Prepared {
    pub(super) session: Session,
    pub(super) sender: Sender,
    /// The content of the record's file; `None` if there is none.
    pub(super) found: Option<DeployRecord>,
    pub(super) beginning: Beginning,
    /// The record of this run, or that of an earlier run.
    pub(super) record: DeployRecord,
    /// The record, with the steps that the chain has.
    pub(super) on_chain: DeployRecord,
    pub(super) plan: SetPlan,
    /// The creation of the deployment proxy that comes first; `None` if it isn't needed.
    pub(super) proxy: Option<ProxyCreation>,
    pub(super) balance: U256,
    /// The highest possible fee as fees are offered now, in wei, without the steps that are done.
    pub(super) most_fee: U256,
}

/// The way in which a deployment begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    /// Nothing of it is there.
    New,
    /// It goes on with an earlier run, and takes over contracts that the chain has.
    Resumed,
    /// Somebody else signs its transactions, as many as the chain lacks.
    Unsigned,
}

impl Session {
    /// Whether the record is on disk.
    pub(super) fn record_state(&self) -> RecordState {
        match self.record.exists() {
            true => RecordState::Kept,
            false => RecordState::Missing,
        }
    }

    /// Reads what the preview shows, and runs all checks that are possible before anything is sent.
    pub(super) async fn prepare(
        self,
        signer: AccountSigner,
        beginning: Beginning,
    ) -> Result<Prepared, Failure> {
        let (client, deployer) = (&self.client, signer.address());
        let head = client.head().await.map_err(unreached)?;
        let parameters = self.checked.raw().clone();
        let found = match self.record.exists() {
            true => {
                let opened = RecordFile::open(&self.record);
                opened.map_err(|error| GoOn::Resume.unrecorded(error))?.1
            }
            false => None,
        };
        let go_on = GoOn::after(beginning, self.record_state());
        let new = || DeployRecord::new(client.chain_id(), deployer, parameters);
        let mut record = found.clone().unwrap_or_else(new);
        ensure_of(&record, &self.record, client, deployer, &self.checked).await?;
        // Fixes the genesis: the rollup's address follows from it, so the preview and the
        // deployment need the same one.
        let given = record.parameters.rollup.genesis;
        let genesis = *record.genesis.get_or_insert_with(|| given.unwrap_or(head.timestamp));
        let plan = SetPlan::new(&record.parameters, deployer, genesis);
        let finishable = ensure_can_be_finished(client, &plan).await;
        finishable.map_err(|error| go_on.unfinishable(error))?;
        match (begun_on_chain(client, &plan, &head).await?, beginning) {
            (Some((contract, address)), Beginning::New) => {
                return Err(Failure::bad_input(
                    eyre!("the chain has {contract} at {address} already, with the same arguments"),
                    "to take it over, add --resume; for another set, choose another salt in [origin]",
                ));
            }
            (None, Beginning::Resumed) if !self.record.exists() => {
                return Err(Failure::bad_input(
                    eyre!(
                        "--resume: expected a deployment that has begun, found neither its record {} nor a \
                         contract of it on the chain",
                        self.record.display()
                    ),
                    "leave --resume out to begin; for another deployment, name its file and --manifest",
                ));
            }
            _ => {}
        }
        if let Some((contract, refusal)) = plan.refusals(head.timestamp).into_iter().next() {
            return Err(go_on.undeployed(DeployError::Constructor { contract, refusal }));
        }
        let mut on_chain = record.read_again(client).await.map_err(unreached)?;
        let found_done = find_done(client, &plan, &mut on_chain).await;
        found_done.map_err(|error| go_on.undeployed(error))?;
        if beginning == Beginning::Unsigned {
            record = on_chain.clone();
        }
        let sender = Sender::new(client.clone(), signer);
        let balance = client.balance(deployer).await.map_err(unreached)?;
        let next = client.next_block().await.map_err(unreached)?;
        let fees = sender.fees(next).map_err(|error| go_on.undeployed(error.into()))?;
        // Whoever signs elsewhere is told to create it first; and all that is left may not need it.
        let proxy = match (beginning, on_chain.next()) {
            (Beginning::Unsigned, _) | (_, None) => None,
            (Beginning::New | Beginning::Resumed, Some(_)) => {
                let origin = &record.parameters.origin;
                ProxyCreation::needed(client, head.hash, origin).await?
            }
        };
        let gas = most_gas(&on_chain, proxy);
        let most_fee = U256::from(gas) * U256::from(fees.max_fee);
        let session = self;
        Ok(Prepared {
            session,
            sender,
            found,
            beginning,
            record,
            on_chain,
            plan,
            proxy,
            balance,
            most_fee,
        })
    }
}

/// The most gas that the deployer pays for: the steps that aren't done, and the payment for the deployment proxy.
fn most_gas(on_chain: &DeployRecord, proxy: Option<ProxyCreation>) -> u64 {
    on_chain.most_gas_left() + proxy.map_or(0, |proxy| proxy.gas())
}

/// The name and the address of a contract of the plan that the chain has already.
async fn begun_on_chain(
    client: &Client,
    plan: &SetPlan,
    head: &BlockView,
) -> Result<Option<(&'static str, Address)>, Failure> {
    // Expect takes no arguments, so sets share one contract.
    for step in Step::ALL.into_iter().filter(|step| *step != Step::Expect) {
        let Some(planned) = plan.contract(step) else { continue };
        if client.code(head.hash.into(), planned.address()).await.map_err(unreached)?.is_some() {
            return Ok(Some((planned.contract().name(), planned.address())));
        }
    }
    Ok(None)
}

impl Prepared {
    /// The text that a user should read before anything is sent.
    pub(super) fn words(&self) -> String {
        let is_kept = self.found.is_some() || self.record.parameters.rollup.genesis.is_some();
        let preview = render::Preview {
            record: &self.on_chain,
            genesis: if is_kept { GenesisSource::Kept } else { GenesisSource::NewestBlock },
            plan: &self.plan,
            judgement: &self.session.judgement,
            origin: self.origin(),
            proxy: self.proxy,
            balance: self.balance,
            most_gas: self.most_gas(),
            most_fee: self.most_fee,
        };
        preview.render()
    }

    /// Whose work the contracts are that the chain has.
    fn origin(&self) -> PreviewOrigin {
        // Sets with the same factory and salt share Expect.
        let mut done = self.on_chain.done.iter().filter(|done| done.step != Step::Expect);
        match self.beginning == Beginning::Resumed && self.found.is_none() && done.next().is_some()
        {
            true => PreviewOrigin::Unrecorded,
            false => PreviewOrigin::Own,
        }
    }

    /// The question for consent.
    pub(super) fn question(&self) -> &'static str {
        match self.origin() {
            PreviewOrigin::Own => "Deploy this set?",
            PreviewOrigin::Unrecorded => "Take over what is there, and deploy the rest?",
        }
    }

    /// The most gas that the deployer pays for.
    pub(super) fn most_gas(&self) -> u64 {
        most_gas(&self.on_chain, self.proxy)
    }

    /// Refuses a deployment that the deployer can't pay for.
    pub(super) fn ensure_funds(&self) -> Result<(), Failure> {
        let payment = self.proxy.map_or(U256::ZERO, |proxy| proxy.payment);
        ensure_funds(self.balance, self.most_fee.saturating_add(payment))
    }

    /// Whether the chain has the effects of all steps.
    pub(super) fn is_on_chain(&self) -> bool {
        self.on_chain.next().is_none()
    }
}
