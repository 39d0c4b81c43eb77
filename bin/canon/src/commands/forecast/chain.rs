//! A deployed set at one block.

use alloy_primitives::{Address, ChainId};
use canon_chain::{Endpoint, Error, Timeouts};
use canon_forecast::{
    campaign::{CampaignStart, Terms},
    plan::{Baseline, BaselineOrigin, DeployedState, LiveProposal},
};
use canon_protocol::{
    Amount, BlockNumber, CodeKind, Epoch, PushableRound, SignalingStatus, Timestamp, text,
};
use canon_views::{Present, ProposalView, Question, SetAddresses};
use eyre::{Report, eyre};
use serde::Serialize;

use crate::exit::Failure;

const OTHER_ENDPOINT: &str = "check --rpc-url (ETH_RPC_URL), or name another endpoint";
const OTHER_REGISTRY: &str = "check --registry (CANON_REGISTRY), and that --rpc-url is its chain";
const OTHER_PAYLOAD: &str = "check --payload, and that --rpc-url is its chain";

/// The state of a set at a block, as it is printed.
#[derive(Debug, Serialize)]
pub(super) struct SetSnapshot {
    pub(super) chain_id: ChainId,
    pub(super) block: BlockNumber,
    /// The time of the block: now.
    pub(super) time: Timestamp,
    #[serde(flatten)]
    pub(super) addresses: SetAddresses,
    pub(super) status: SignalingStatus,
    pub(super) epoch: Epoch,
    /// Seats that draw the slots of this epoch: the set as it was when the epoch before began.
    pub(super) seats: u32,
    /// Seats that draw the slots of the next epoch.
    pub(super) next_seats: u32,
    pub(super) payload: Option<Standing>,
    #[serde(skip)]
    terms: Terms,
    #[serde(skip)]
    minimum_stake: Amount,
    #[serde(skip)]
    total_power: Amount,
}

/// The signals, rounds and proposal of a payload.
#[derive(Debug, Serialize)]
pub(super) struct Standing {
    #[serde(with = "text::address")]
    pub(super) address: Address,
    /// Its signals in the present round.
    pub(super) signals: u32,
    /// Rounds that it has won and that can be pushed now, oldest first.
    pub(super) pushable: Vec<PushableRound>,
    /// Its newest proposal that was pushed.
    pub(super) proposal: Option<ProposalView>,
}

impl SetSnapshot {
    /// Reads the state at the head of the chain.
    pub(super) fn take(
        endpoint: &Endpoint,
        registry: Address,
        payload: Option<Address>,
    ) -> Result<Self, Failure> {
        let internal =
            |error: std::io::Error| Failure::internal(error.into(), "please report this");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let present = runtime.map_err(internal)?.block_on(read(endpoint, registry, payload));
        let present = present.map_err(|error| unread(endpoint, registry, error))?;
        Self::of(&present, payload)
    }

    fn of(present: &Present, payload: Option<Address>) -> Result<Self, Failure> {
        let at = present.addresses;
        let no_set = |reason| unreadable_set(at.registry, reason);
        let rollup = present.canonical_rollup().ok_or_else(|| {
            let reason = "doesn't answer as Canon's rollups do, so no signals can be forecast";
            no_set(eyre!("the canonical rollup {} {reason}", at.rollup))
        })?;
        let signaling = present.signaling.as_ref().ok_or_else(|| {
            let reason = "doesn't answer as Canon's Proposals does, so no signals can be counted";
            no_set(eyre!("Proposals at {} {reason}", at.proposals))
        })?;
        // Dates are computed with the rollup's clock, so its slots have to follow that clock.
        let status = signaling.status;
        let sizes = rollup.set_size.zip(rollup.next_set_size);
        let (seats, next_seats) =
            sizes.filter(|_| rollup.slot == Some(status.slot)).ok_or_else(|| {
                no_set(eyre!(
                    "the canonical rollup {} reports slot {} at second {}, which its own GENESIS_TIME \
                     and SLOT_DURATION contradict, so no date can be computed",
                    at.rollup,
                    status.slot,
                    present.block.timestamp,
                ))
            })?;
        let standing = payload.map(|payload| Standing::of(present, payload)).transpose()?;
        Ok(Self {
            chain_id: present.chain_id,
            block: present.block.number,
            time: present.block.timestamp,
            addresses: at,
            status,
            epoch: rollup.clock.epoch_of(status.slot),
            seats,
            next_seats,
            payload: standing,
            terms: Terms {
                rules: signaling.rules,
                clock: rollup.clock,
                configuration: present.governance.configuration,
            },
            minimum_stake: rollup.minimum_stake,
            total_power: present.governance.total_power,
        })
    }

    /// The baseline of a campaign that goes on from here.
    pub(super) fn baseline(&self) -> Baseline {
        let payload = self.payload.as_ref();
        let proposal = payload.and_then(|payload| payload.proposal.as_ref());
        let live = proposal.filter(|proposal| proposal.state.is_live());
        let live_proposal = live.map(|proposal| LiveProposal {
            creation: proposal.creation,
            configuration: proposal.configuration,
        });
        let oldest = payload.and_then(|payload| payload.pushable.first());
        Baseline {
            terms: self.terms,
            minimum_stake: self.minimum_stake,
            total_power: self.total_power,
            start: CampaignStart {
                slot: self.status.first_free_slot,
                round: self.status.round,
                counted: payload.map_or(0, |payload| payload.signals),
            },
            now: self.time,
            origin: BaselineOrigin::Deployed(DeployedState {
                epoch: self.epoch,
                seats: self.seats,
                pushable: oldest.map(|pushable| pushable.round),
                live_proposal,
            }),
        }
    }
}

impl Standing {
    fn of(present: &Present, payload: Address) -> Result<Self, Failure> {
        let view = present.payloads.get(&payload);
        let view = view.filter(|view| view.code.kind == CodeKind::Contract).ok_or_else(|| {
            let error = Error::NoCode { what: "the payload", address: payload };
            let title = format!("no payload can be read from --payload {payload}");
            Failure::bad_input(eyre!("{error}").wrap_err(title), OTHER_PAYLOAD)
        })?;
        let rounds = present.pushable_at(present.block.timestamp).into_iter();
        let won = rounds.filter(|pushable| pushable.winner.payload == payload);
        Ok(Self {
            address: payload,
            signals: view.signals,
            pushable: won.collect(),
            proposal: present.newest_pushed(payload).copied(),
        })
    }
}

/// The set at the head of the chain. Its slots and sets are those of that block's own time.
async fn read(
    endpoint: &Endpoint,
    registry: Address,
    payload: Option<Address>,
) -> Result<Present, Error> {
    let client = endpoint.connect(Timeouts::default()).await?;
    let head = client.head().await?;
    let payloads = payload.into_iter().collect();
    let question = Question { payloads, ..Question::new(head.timestamp) };
    Ok(client.view_at(registry, &question, head.hash.into()).await?.present)
}

/// The failure if the set can't be read.
fn unread(endpoint: &Endpoint, registry: Address, error: Error) -> Failure {
    match error {
        Error::NoCode { .. }
        | Error::NoAnswer { .. }
        | Error::BadAnswer { .. }
        | Error::OutOfRange { .. }
        | Error::Refused { .. }
        | Error::Inconsistent { .. } => unreadable_set(registry, eyre!("{error}")),
        Error::Rpc { what, source } => {
            // Transports wrap the reason several times without adding to it.
            let mut reason: &dyn std::error::Error = &source;
            while let Some(deeper) = reason.source() {
                reason = deeper;
            }
            let title = format!("--rpc-url {endpoint} doesn't answer {what}");
            Failure::internal(eyre!("{reason}").wrap_err(title), OTHER_ENDPOINT)
        }
        error => {
            let title = format!("--rpc-url {endpoint} can't be read from");
            Failure::internal(eyre!("{error}").wrap_err(title), OTHER_ENDPOINT)
        }
    }
}

/// The failure for contracts that aren't a set that a forecast can be about.
fn unreadable_set(registry: Address, reason: Report) -> Failure {
    let title = format!("no set can be read from --registry {registry}");
    Failure::bad_input(reason.wrap_err(title), OTHER_REGISTRY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn what_a_contract_answers_is_blamed_on_the_registry_and_all_else_on_the_endpoint() {
        let endpoint: Endpoint = "http://localhost:1".parse().unwrap();
        let (what, address, found) = ("Governance", Address::ZERO, Address::ZERO);
        for (error, exit, flag) in [
            (Error::NoCode { what, address }, Exit::BadInput, "--registry"),
            (Error::NoAnswer { what, address }, Exit::BadInput, "--registry"),
            (Error::BadAnswer { what, address }, Exit::BadInput, "--registry"),
            (Error::Inconsistent { what, expected: address, found }, Exit::BadInput, "--registry"),
            (Error::OtherChain { expected: 1, found: 2 }, Exit::Internal, "--rpc-url"),
        ] {
            let said = error.to_string();
            let failure = unread(&endpoint, Address::ZERO, error);
            assert_eq!(failure.exit, exit, "{said}");
            let title = failure.report.to_string();
            assert!(title.contains(flag) && failure.next.contains(flag), "{title}: {said}");
        }
    }
}
