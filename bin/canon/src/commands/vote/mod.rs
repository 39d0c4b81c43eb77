//! `canon vote`: casts, signs or submits a ballot, or voids signed ballots.

mod direct;
mod signed;
mod subject;

use std::path::PathBuf;

use alloy_primitives::B256;
use canon_protocol::Support;
use canon_views::OrderAmount;
use clap::{Args, ValueEnum};

use crate::{
    chain::{self, ChainArgs},
    exit::{Exit, Failure},
    input::{amount_or_all, whole},
    send::SendArgs,
};

/// Vote for or against a proposal, or sign a ballot that somebody else submits
///
/// Shows the actions that were frozen with the proposal, the power that counts, and how the vote stands
/// with this ballot. Ballots can't be taken back. They are taken while the proposal is Active; against
/// it also in the first half of the execution delay.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Vote {
    /// Number of the proposal
    #[arg(value_name = "ID", value_parser = id)]
    id: u64,

    /// The side
    #[arg(value_name = "for|against", required_unless_present_any = ["signature", "invalidate"])]
    side: Option<Side>,

    /// Power to cast, in tokens such as 1500 or 0.25, or "all" that is left [default: all]
    #[arg(long, value_name = "AMOUNT", value_parser = amount_or_all)]
    amount: Option<OrderAmount>,

    /// Hash of the actions to expect: a proposal with others is refused
    #[arg(long, value_name = "HASH")]
    actions_hash: Option<B256>,

    /// Vote although a reorganization can still put another proposal in the place of this one
    #[arg(long)]
    allow_unfinal: bool,

    /// Sign the ballot instead of sending it, and print it as JSON: no ether is needed
    #[arg(long, conflicts_with_all = ["dry_run", "unsigned", "json", "confirmations"])]
    sign: bool,

    /// Submit a ballot that --sign printed, from a file or from stdin (-); anyone can
    #[arg(long, value_name = "FILE", conflicts_with_all = ["sign", "amount", "allow_unfinal"])]
    signature: Option<PathBuf>,

    /// Void all ballots on the proposal that the account has signed so far
    #[arg(long, conflicts_with_all = ["side", "sign", "signature", "amount", "actions_hash", "allow_unfinal"])]
    invalidate: bool,

    #[command(flatten)]
    send: SendArgs,

    #[command(flatten)]
    chain: ChainArgs,
}

const AFTER_HELP: &str = "\
Examples:
  canon vote 5 for --account holder
  canon vote 5 against --amount 1500 --account holder
  canon vote 5 for --sign --account holder > ballot.json
  canon vote 5 --signature ballot.json --account anybody

Exit codes:
  0  it was done or signed, or with --dry-run, can be
  1  the contracts refuse it, the actions have another hash, the account lacks power or ether, or
     the answer was no
  2  bad input: flags, files, an id that doesn't exist, no key, or no Canon deployment there
  3  no endpoint answers, or the outcome isn't known: run it again
  4  voting hasn't started, or the block of the proposal isn't final; run it again later";

/// Parses the id of a proposal for clap. A side in its place is told from a number that is wrong.
fn id(text: &str) -> Result<u64, String> {
    match Side::from_str(text, false) {
        Ok(_) => Err(format!("expected the id of the proposal first: canon vote 5 {text}")),
        Err(_) => whole(0..=u64::MAX)(text),
    }
}

/// A side of a vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Side {
    For,
    Against,
}

impl From<Side> for Support {
    fn from(side: Side) -> Self {
        match side {
            Side::For => Self::Yea,
            Side::Against => Self::Nea,
        }
    }
}

/// The ballot to cast.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    id: u64,
    support: Support,
    amount: OrderAmount,
    /// `None` if no hash was given.
    actions_hash: Option<B256>,
    finality: FinalityRule,
}

/// Whether the block of the proposal has to be final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FinalityRule {
    Required,
    Ignored,
}

impl Vote {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let settings = self.chain.settings()?;
        let side = self.side.map(Support::from);
        if let Some(file) = &self.signature {
            let document = crate::typed_data::SignedMessage::read(file)?;
            let expected = signed::Expected { id: self.id, side, actions_hash: self.actions_hash };
            let opened = self.send.open()?;
            return chain::run(async {
                let chain = settings.connect().await?;
                signed::submit(&self.send, opened, &chain, expected, &document).await
            });
        }
        let opened = self.send.open()?;
        let Some(support) = side else {
            // clap allows no side only with --invalidate.
            return chain::run(async {
                let chain = settings.connect().await?;
                signed::invalidate(&self.send, opened, &chain, self.id).await
            });
        };
        let wanted = Wanted {
            id: self.id,
            support,
            amount: self.amount.unwrap_or(OrderAmount::All),
            actions_hash: self.actions_hash,
            finality: match self.allow_unfinal {
                true => FinalityRule::Ignored,
                false => FinalityRule::Required,
            },
        };
        chain::run(async {
            let chain = settings.connect().await?;
            match self.sign {
                true => signed::sign(&self.send, opened, &chain, &wanted).await,
                false => direct::vote(&self.send, opened, &chain, &wanted).await,
            }
        })
    }
}
