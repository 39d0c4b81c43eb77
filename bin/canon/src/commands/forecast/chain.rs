//! The state of a deployed set, read at one block.

use alloy_primitives::{Address, ChainId};
use canon_chain::{Client, Deployment, Endpoint, Error, ProposalSnapshot, SignalStatus, Timeouts};
use canon_forecast::{
    campaign::{Start, Terms},
    plan::{Baseline, DeployedSet, LiveProposal, Origin},
};
use canon_protocol::{Amount, BlockNumber, Epoch, Round, Timestamp};
use eyre::eyre;
use serde::Serialize;

use super::bad;
use crate::exit::Failure;

const OTHER_ENDPOINT: &str = "check --rpc-url (ETH_RPC_URL), or name another endpoint";

/// The state of the set at a block.
#[derive(Debug, Serialize)]
pub(super) struct Snapshot {
    pub(super) chain_id: ChainId,
    pub(super) block: BlockNumber,
    /// The time of the block: now.
    pub(super) time: Timestamp,
    #[serde(flatten)]
    pub(super) deployment: Deployment,
    pub(super) status: SignalStatus,
    pub(super) epoch: Epoch,
    /// Seats that draw the slots of this epoch: the set as it was when the epoch before began.
    pub(super) seats: u32,
    /// Seats that draw the slots of the next epoch.
    pub(super) next_seats: u32,
    pub(super) payload: Option<Standing>,
    #[serde(skip)]
    pub(super) terms: Terms,
    #[serde(skip)]
    pub(super) minimum_stake: Amount,
    #[serde(skip)]
    pub(super) total_power: Amount,
}

/// The signals, rounds and proposal of a payload.
#[derive(Debug, Serialize)]
pub(super) struct Standing {
    pub(super) address: Address,
    /// Its signals in the running round.
    pub(super) signals: u32,
    /// Rounds that it has won and that can be pushed now, oldest first.
    pub(super) pushable: Vec<Pushable>,
    /// Its newest proposal.
    pub(super) proposal: Option<ProposalSnapshot>,
}

/// A round that can be pushed.
#[derive(Debug, Serialize)]
pub(super) struct Pushable {
    pub(super) round: Round,
    /// The last second in which it can be pushed.
    pub(super) until: Option<Timestamp>,
}

impl Snapshot {
    /// Reads the state at the head of the chain.
    pub(super) fn take(
        endpoint: &Endpoint,
        registry: Address,
        payload: Option<Address>,
    ) -> Result<Self, Failure> {
        let internal =
            |error: std::io::Error| Failure::internal(error.into(), "please report this");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(internal)?;
        runtime.block_on(Self::ask(endpoint, registry, payload))
    }

    async fn ask(
        endpoint: &Endpoint,
        registry: Address,
        payload: Option<Address>,
    ) -> Result<Self, Failure> {
        let asked = |error| unread(endpoint, registry, &error);
        let client = endpoint.connect(Timeouts::default()).await.map_err(asked)?;
        let head = client.head().await.map_err(asked)?;
        let at = head.hash.into();
        let set = Deployment::at(&client, registry, at).await.map_err(asked)?;
        let rules = client.round_rules(at, set.proposals).await.map_err(asked)?;
        let rollup = client.rollup_rules(at, set.rollup).await.map_err(asked)?;
        let configuration = client.configuration(at, set.governance).await.map_err(asked)?;
        let total_power = client.total_power(at, set.governance, head.timestamp);
        let total_power = total_power.await.map_err(asked)?;
        let status = client.signal_status(at, set.proposals).await.map_err(asked)?;
        // Dates are computed with the rollup's clock, so its slots have to follow that clock.
        if rollup.clock.slot_at(head.timestamp) != Some(status.slot) {
            return Err(bad(eyre!(
                "the canonical rollup {} says that slot {} runs, which at second {} isn't so by its own \
                 GENESIS_TIME and SLOT_DURATION: no date can be told",
                set.rollup,
                status.slot,
                head.timestamp,
            )));
        }
        let epoch = rollup.clock.epoch_of(status.slot);
        let seats = client.set_size(at, set.rollup, epoch).await.map_err(asked)?;
        let next_seats = client.set_size(at, set.rollup, epoch.next()).await.map_err(asked)?;
        let mut snapshot = Self {
            chain_id: client.chain_id(),
            block: head.number,
            time: head.timestamp,
            deployment: set,
            status,
            epoch,
            seats,
            next_seats,
            payload: None,
            terms: Terms { rules, clock: rollup.clock, configuration },
            minimum_stake: rollup.minimum_stake,
            total_power,
        };
        if let Some(payload) = payload {
            let standing = Standing::ask(&client, &snapshot, head, payload).await;
            let asked = |error| without_payload(endpoint, registry, payload, &error);
            snapshot.payload = Some(standing.map_err(asked)?);
        }
        Ok(snapshot)
    }

    /// The baseline of a campaign that goes on from here.
    pub(super) fn baseline(&self) -> Baseline {
        let payload = self.payload.as_ref();
        let live = payload
            .and_then(|payload| payload.proposal)
            .filter(|proposal| proposal.state.is_live());
        let live_proposal = live.map(|proposal| LiveProposal {
            creation: proposal.creation,
            configuration: proposal.configuration,
        });
        let oldest = payload.and_then(|payload| payload.pushable.first());
        Baseline {
            terms: self.terms,
            minimum_stake: self.minimum_stake,
            total_power: self.total_power,
            start: Start {
                slot: self.status.first_free_slot,
                round: self.status.round,
                counted: payload.map_or(0, |payload| payload.signals),
            },
            now: self.time,
            origin: Origin::Deployed(DeployedSet {
                epoch: self.epoch,
                seats: self.seats,
                pushable: oldest.map(|pushable| pushable.round),
                live_proposal,
            }),
        }
    }
}

impl Standing {
    async fn ask(
        client: &Client,
        snapshot: &Snapshot,
        head: canon_views::BlockView,
        payload: Address,
    ) -> Result<Self, Error> {
        let at = head.hash.into();
        let (set, terms) = (snapshot.deployment, &snapshot.terms);
        client.expect_code(at, "the payload", payload).await?;
        let round = snapshot.status.round;
        let signals = client.signals(at, set.proposals, set.rollup, round, payload).await?;
        let mut pushable = Vec::new();
        for round in client.pushable_rounds(at, set.proposals).await? {
            let won = client.round(at, set.proposals, set.rollup, round).await?;
            if won.leader == Some(payload) {
                let (_, last) = terms.rules.push_slots(round);
                pushable.push(Pushable { round, until: terms.clock.slot_end(last) });
            }
        }
        let proposal = match client.latest_proposal_of(at, set.proposals, payload).await? {
            Some(id) => Some(client.proposal(at, set.governance, id).await?),
            None => None,
        };
        Ok(Self { address: payload, signals, pushable, proposal })
    }
}

/// The failure if the standing of a payload can't be read.
fn without_payload(
    endpoint: &Endpoint,
    registry: Address,
    payload: Address,
    error: &Error,
) -> Failure {
    match error {
        Error::NoCode { address, .. } if *address == payload => Failure::bad_input(
            eyre!("{error}").wrap_err(format!("no payload can be read from --payload {payload}")),
            "check --payload, and that --rpc-endpoint is its chain",
        ),
        _ => unread(endpoint, registry, error),
    }
}

/// The failure if the set can't be read.
fn unread(endpoint: &Endpoint, registry: Address, error: &Error) -> Failure {
    if let Error::Rpc { what, source } = error {
        // Transports wrap the reason several times without adding to it.
        let mut reason: &dyn std::error::Error = source;
        while let Some(deeper) = reason.source() {
            reason = deeper;
        }
        let report =
            eyre!("{reason}").wrap_err(format!("--rpc-url {endpoint} doesn't answer {what}"));
        return Failure::internal(report, OTHER_ENDPOINT);
    }
    let report =
        eyre!("{error}").wrap_err(format!("no set can be read from --registry {registry}"));
    Failure::bad_input(report, "check --registry (CANON_REGISTRY), and that --rpc-url is its chain")
}
