//! `canon propose`: makes a payload a proposal without signals.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::Address;
use canon_follow::OpenedSet;
use canon_protocol::{
    ProposalId, ProposalState, ProposeConfiguration, actions_hash,
    text::{Duration, Time, Tokens},
};
use canon_views::{IntendedAction, Intent, Present, Question};
use clap::Args;
use eyre::eyre;

use crate::{
    answer,
    chain::{Chain, ChainArgs},
    command_help::CommandHelp,
    commands::{
        proposal::{coming_vote, in_words_or_data},
        recipient::require_account,
    },
    exit::{Exit, Failure},
    input::nonzero_address,
    send::{Consent, Extent, Planned, SendArgs, Step, run},
};

/// Make a payload a proposal without signals, for power that is given up
///
/// Calls Governance.proposeWithLock: the power is given up at once, and its tokens are withheld for a time,
/// then paid to an account, whatever becomes of the proposal. The preview shows how much and for how long.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Propose {
    /// Contract that lists the actions
    #[arg(value_name = "PAYLOAD", value_parser = nonzero_address)]
    payload: Address,

    /// Account that gets the tokens later
    #[arg(long, value_name = "ADDRESS", value_parser = nonzero_address)]
    to: Address,

    #[command(flatten)]
    send: SendArgs,

    #[command(flatten)]
    chain: ChainArgs,
}

const HELP: CommandHelp = CommandHelp::sending()
    .failed(&[
        "the payload lists no actions or one that can't be executed",
        "it froze other actions than were shown",
        "the account lacks power or ether",
        "the payload is an open proposal and --yes was given",
    ])
    .after(
        "\
Examples:
  canon propose 0x… --to 0x… --account holder",
    );

impl Propose {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let (payload, to) = (self.payload, self.to);
        let command = format!("canon propose {payload} --to {to}");
        let extent = self.send.extent();
        run(&self.send, &self.chain, &command, async |chain, planned| {
            step(chain, planned, payload, to, extent).await.map(|step| vec![step])
        })
    }
}

async fn step(
    chain: &Chain,
    planned: Planned,
    payload: Address,
    to: Address,
    extent: Extent,
) -> Result<Step, Failure> {
    let Planned { account: holder, request, .. } = planned;
    let question =
        Question { holders: BTreeMap::from([(holder, BTreeSet::new())]), ..Question::default() };
    let OpenedSet { view, .. } = chain.history(question).await?;
    let present = &view.present;
    let rollups: Vec<_> =
        view.history.iter().flat_map(|history| history.rollups()).map(|(at, _)| at).collect();
    require_account(present, &rollups, "--to", to)?;
    if to == payload {
        let report =
            eyre!("--to: expected an account that can use its tokens, found the payload, {to}");
        return Err(Failure::bad_input(report, "name an account that somebody has the key of"));
    }
    let ProposeConfiguration { lock_amount, .. } = present.governance.configuration.propose_config;
    let power = answer::holder(present, holder)?.power;
    if power < lock_amount {
        let report = eyre!(
            "a proposal without signals costs {} power, and {holder} has {}: {} missing",
            Tokens(lock_amount),
            Tokens(power),
            Tokens(lock_amount.saturating_sub(power))
        );
        return Err(Failure::refused(report, "`canon lock` makes power of tokens"));
    }
    let open = open_proposals(present, payload);
    if let (Extent::Send(Consent::Given), Some((id, state))) = (extent, open.last()) {
        let report = eyre!("{payload} is open proposal {id} already, which is {state}");
        return Err(Failure::refused(
            report,
            "vote on that proposal; to make another one of the same payload, omit --yes",
        ));
    }
    let actions =
        chain.payload_actions(present.block.hash, present.addresses.governance, payload).await?;
    let hash = actions_hash(&actions);
    let shown = in_words_or_data(chain, &view, &actions).await?;
    shown
        .require_possible("check the payload's address: the power would be given up for nothing")?;
    let action = IntendedAction::Propose { holder, request, payload, to, actions_hash: Some(hash) };
    let intent = Intent { set: present.set_id(), action, until: None };
    let mut words = vec![
        "Make a payload a proposal without signals".to_owned(),
        format!("payload     {payload}"),
        format!("Governance  {}", present.addresses.governance),
        format!("costs       {} power, given up at once", Tokens(lock_amount)),
        format!("due to      {to}"),
    ];
    words.extend(open.iter().map(|(id, _)| {
        format!("warning: it is open proposal {id} already: this makes another one")
    }));
    words.extend(["actions, which are frozen with hash".to_owned(), format!("{hash}:")]);
    words.extend(shown.lines.iter().map(|action| format!("  {action}")));
    let mut step = Step::new(intent, words);
    step.details = open.iter().map(|(id, state)| format!("proposal {id} is {state}")).collect();
    step.details.extend(shown.failing_now(chain, present.addresses.governance).await);
    step.details.extend(due(present));
    step.details.extend(coming_vote(present));
    Ok(step)
}

/// The open proposals of a payload with their states, oldest first.
fn open_proposals(present: &Present, payload: Address) -> Vec<(ProposalId, ProposalState)> {
    let proposals = present.governance.proposals.iter();
    let own = proposals.filter(|proposal| proposal.payload == payload);
    let states = own.map(|proposal| (proposal.id, proposal.state_at(present.next)));
    states.filter(|(_, state)| state.is_live()).collect()
}

/// The time at which the tokens of the power are due, if it is given up in the next block.
fn due(present: &Present) -> Vec<String> {
    let governance = &present.governance;
    let configuration = &governance.configuration;
    let withdrawal = governance.exit_floor.delay_at(present.next, configuration);
    let delay = withdrawal.max(configuration.propose_config.lock_delay);
    vec![format!(
        "the tokens are due about {}, {} later",
        Time(present.next + delay),
        Duration(delay).rounded()
    )]
}
