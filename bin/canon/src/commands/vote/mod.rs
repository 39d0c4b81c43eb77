//! `canon vote`: casts, signs or submits a ballot, or voids signed ballots.

mod direct;
mod signed;
mod subject;

use std::path::PathBuf;

use alloy_primitives::B256;
use canon_protocol::Support;
use canon_views::OrderAmount;
use clap::{Args, ValueEnum};
use eyre::eyre;

use crate::{
    chain::{self, ChainArgs},
    command_help::{CommandHelp, SIGNED},
    exit::{Exit, Failure},
    input::{amount_or_all, hash, whole},
    send::SendArgs,
    typed_data::{BallotMessage, SignedMessage},
};

/// Vote for or against a proposal, or sign a ballot that somebody else submits
///
/// Shows the actions that were frozen with the proposal, the power that counts, and how the vote stands
/// with this ballot. Ballots can't be taken back. They are taken while the proposal is Active; against
/// it also in the first half of the execution delay.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
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
    #[arg(long, value_name = "HASH", value_parser = hash)]
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

const HELP: CommandHelp = CommandHelp::sending()
    .success(SIGNED)
    .failed(&["the actions have another hash", "the account lacks power or ether"])
    .input(&["files", "an id that doesn't exist"])
    .later("voting hasn't started, or the block of the proposal isn't final; run it again later")
    .after(
        "\
Examples:
  canon vote 5 for --account holder
  canon vote 5 against --amount 1500 --account holder
  canon vote 5 for --sign --account holder > ballot.json
  canon vote 5 --signature ballot.json --account anybody",
    );

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
struct WantedBallot {
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

/// What to do, as the flags say it.
#[derive(Debug)]
enum VoteMode {
    /// Cast a ballot.
    Cast(WantedBallot),
    /// Sign a ballot that somebody else submits.
    Sign(WantedBallot),
    /// Submit a ballot that somebody signed.
    Submit(signed::BallotExpectation, Box<SignedMessage<BallotMessage>>),
    /// Void the ballots that the account has signed.
    Invalidate,
}

impl Vote {
    /// What to do. Nothing follows from the absence of a flag alone: ballots are voided only on request.
    ///
    /// # Errors
    ///
    /// If the flags contradict each other, which clap refuses already, or the signed ballot can't be read.
    fn mode(&self) -> Result<VoteMode, Failure> {
        let side = self.side.map(Support::from);
        let wanted = |support| WantedBallot {
            id: self.id,
            support,
            amount: self.amount.unwrap_or(OrderAmount::All),
            actions_hash: self.actions_hash,
            finality: match self.allow_unfinal {
                true => FinalityRule::Ignored,
                false => FinalityRule::Required,
            },
        };
        match (side, self.sign, &self.signature, self.invalidate) {
            (Some(support), false, None, false) => Ok(VoteMode::Cast(wanted(support))),
            (Some(support), true, None, false) => Ok(VoteMode::Sign(wanted(support))),
            (side, false, Some(file), false) => {
                let expected = signed::BallotExpectation {
                    id: self.id,
                    side,
                    actions_hash: self.actions_hash,
                };
                Ok(VoteMode::Submit(expected, Box::new(SignedMessage::read(file)?)))
            }
            (None, false, None, true) => Ok(VoteMode::Invalidate),
            (None, _, None, false)
            | (Some(_), _, _, true)
            | (_, true, Some(_), _)
            | (None, true, None, true)
            | (None, false, Some(_), true) => {
                let report = eyre!(
                    "expected a side, with or without --sign, or one of --signature and --invalidate; found none of \
                     these, or several"
                );
                Err(Failure::bad_input(report, "`canon vote --help` shows examples"))
            }
        }
    }

    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let settings = self.chain.settings()?;
        let mode = self.mode()?;
        let (id, send, opened) = (self.id, &self.send, self.send.open()?);
        chain::run(async {
            let chain = settings.connect().await?;
            match mode {
                VoteMode::Cast(wanted) => direct::vote(send, opened, &chain, &wanted).await,
                VoteMode::Sign(wanted) => signed::sign(send, opened, &chain, &wanted).await,
                VoteMode::Submit(expected, document) => {
                    signed::submit(send, opened, &chain, expected, &document).await
                }
                VoteMode::Invalidate => signed::invalidate(send, opened, &chain, id).await,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    /// The arguments of the command alone.
    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        vote: Vote,
    }

    fn vote(arguments: &str) -> Vote {
        let words = format!("vote {arguments}");
        Line::try_parse_from(words.split_whitespace()).unwrap().vote
    }

    #[test]
    fn each_mode_is_asked_for_by_its_own_flag() {
        let cast = vote("5 against --amount 7").mode().unwrap();
        assert!(
            matches!(cast, VoteMode::Cast(WantedBallot { id: 5, support: Support::Nea, .. })),
            "{cast:?}"
        );
        let sign = vote("5 for --sign").mode().unwrap();
        assert!(
            matches!(sign, VoteMode::Sign(WantedBallot { support: Support::Yea, .. })),
            "{sign:?}"
        );
        let void = vote("5 --invalidate").mode().unwrap();
        assert!(matches!(void, VoteMode::Invalidate), "{void:?}");
        let submit = vote("5 --signature no-such-ballot.json").mode().unwrap_err();
        assert!(format!("{:#}", submit.report).contains("no-such-ballot.json"), "{submit:?}");
    }

    #[test]
    fn a_command_with_other_conditions_is_another_command() {
        let hash = B256::repeat_byte(0xa1);
        let typed = |arguments: &str| match vote(arguments).mode().unwrap() {
            VoteMode::Cast(wanted) => direct::typed(&wanted),
            other => panic!("{other:?}"),
        };
        assert_eq!(typed("5 for"), "canon vote 5 for --amount all");
        let flags = format!("--amount 7 --actions-hash {hash} --allow-unfinal");
        assert_eq!(typed(&format!("5 against {flags}")), format!("canon vote 5 against {flags}"));
    }

    #[test]
    fn contradictory_flags_are_refused_and_void_no_ballots() {
        let without_side = Vote { side: None, ..vote("5 for") };
        let sign_without_side = Vote { side: None, ..vote("5 for --sign") };
        let void_with_side = Vote { invalidate: true, ..vote("5 for") };
        let void_and_sign = Vote { sign: true, ..vote("5 --invalidate") };
        let file = || Some(PathBuf::from("ballot.json"));
        let void_and_submit = Vote { signature: file(), ..vote("5 --invalidate") };
        let sign_and_submit = Vote { signature: file(), ..vote("5 for --sign") };
        for flags in [
            without_side,
            sign_without_side,
            void_with_side,
            void_and_sign,
            void_and_submit,
            sign_and_submit,
        ] {
            let failure = flags.mode().unwrap_err();
            assert_eq!(failure.exit, Exit::BadInput, "{flags:?}");
        }
    }
}
