//! `canon signal`: sends, signs or submits a signal.

mod direct;
mod signed;
mod subject;
mod wait;

use std::path::PathBuf;

use alloy_primitives::{Address, B256};
use canon_protocol::Slot;
use canon_views::StatusRule;
use clap::Args;
use eyre::eyre;

use crate::{
    chain::{self, ChainArgs},
    exit::{Exit, Failure},
    input::{hash, nonzero_address, whole},
    send::SendArgs,
    typed_data::{SignalMessage, SignedMessage},
};

/// Signal for a payload in one's own slot, or sign a signal that somebody else submits
///
/// Shows the actions that the payload lists. A slot has one signal, by its proposer, in an L1 block of
/// the slot.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Signal {
    /// Contract that lists the actions
    #[arg(value_name = "PAYLOAD", value_parser = nonzero_address, required_unless_present = "signature")]
    payload: Option<Address>,

    /// Wait until one's next slot, by the draw; if that is missed, until the one after it, and so on
    #[arg(long, conflicts_with_all = ["sign", "dry_run", "unsigned"])]
    wait: bool,

    /// Hash of the actions to expect: a payload that lists others is refused
    #[arg(long, value_name = "HASH", value_parser = hash)]
    actions_hash: Option<B256>,

    /// Signal although it can't help: the payload has its quorum, a proposal that is open or executed,
    /// or an action that can't be executed
    #[arg(long)]
    force: bool,

    /// Sign the signal instead of sending it, and print it as JSON: no ether is needed
    #[arg(long, conflicts_with_all = ["dry_run", "unsigned", "json", "confirmations"])]
    sign: bool,

    /// Slot to sign for [default: one's next slot, by the draw]
    #[arg(long, value_name = "N", requires = "sign", value_parser = whole(0..=u64::MAX))]
    slot: Option<u64>,

    /// Submit a signal that --sign printed, from a file or from stdin (-); anyone can, in its slot
    #[arg(long, value_name = "FILE", conflicts_with = "sign")]
    signature: Option<PathBuf>,

    #[command(flatten)]
    send: SendArgs,

    #[command(flatten)]
    chain: ChainArgs,
}

const AFTER_HELP: &str = "\
Examples:
  canon signal 0x… --wait --yes --account operator
  canon signal 0x… --sign --account operator > signal.json
  canon signal --signature signal.json --wait --yes --account anybody

Exit codes:
  0  it was done or signed, or with --dry-run, can be
  1  the contracts refuse it, the actions have another hash, a signal can't help, the slot is
     over, the account can't pay for it, or the answer was no
  2  bad input: flags, files, no key, or no Canon deployment at the given address
  3  no endpoint answers, or the outcome isn't known: run it again
  4  the slot is another proposer's, or hasn't begun; says when one's own begins";

/// The signal to make.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    payload: Address,
    expected: Expected,
    status: StatusRule,
}

/// The signal that is expected.
#[derive(Clone, Copy, Debug)]
enum Expected {
    /// One for any actions.
    Any,
    /// One for the actions with the hash in --actions-hash.
    Typed(B256),
    /// The one that the user was shown before the wait for its slot.
    Shown(ShownSignal),
}

/// What a user consents to, apart from payload and slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ShownSignal {
    /// The hash of the actions that the payload lists.
    actions_hash: B256,
    rollup: Address,
    proposals: Address,
}

/// Whether to wait for the slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Patience {
    Wait,
    GiveUp,
}

/// What to do, as the flags say it.
#[derive(Debug)]
enum Mode {
    /// Send a signal.
    Send(Wanted),
    /// Sign a signal that somebody else submits, for this slot or the next own one.
    Sign(Wanted, Option<Slot>),
    /// Submit a signal that somebody signed.
    Submit(Wanted, Box<SignedMessage<SignalMessage>>),
}

impl Signal {
    /// What to do.
    ///
    /// # Errors
    ///
    /// If the flags contradict each other, which clap refuses already, or the signed signal can't be read.
    fn mode(&self) -> Result<Mode, Failure> {
        let status = match self.force {
            true => StatusRule::Force,
            false => StatusRule::Respect,
        };
        let expected = self.actions_hash.map_or(Expected::Any, Expected::Typed);
        let wanted = |payload| Wanted { payload, expected, status };
        match (self.payload, self.sign, &self.signature) {
            (Some(payload), false, None) => Ok(Mode::Send(wanted(payload))),
            (Some(payload), true, None) => Ok(Mode::Sign(wanted(payload), self.slot.map(Slot::of))),
            (payload, false, Some(file)) => {
                let document: SignedMessage<SignalMessage> = SignedMessage::read(file)?;
                let payload = payload.unwrap_or(document.message.payload);
                Ok(Mode::Submit(wanted(payload), Box::new(document)))
            }
            (None, _, None) | (_, true, Some(_)) => {
                let report = eyre!(
                    "expected a payload, with or without --sign, or --signature; found none of these, or --sign and \
                     --signature"
                );
                Err(Failure::bad_input(report, "`canon signal --help` shows examples"))
            }
        }
    }

    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let settings = self.chain.settings()?;
        let patience = match self.wait {
            true => Patience::Wait,
            false => Patience::GiveUp,
        };
        let mode = self.mode()?;
        let opened = self.send.open()?;
        chain::run(async {
            let chain = settings.connect().await?;
            match mode {
                Mode::Send(wanted) => {
                    direct::signal(self.send, opened, &chain, wanted, patience).await
                }
                Mode::Sign(wanted, slot) => {
                    signed::sign(&self.send, opened, &chain, &wanted, slot).await
                }
                Mode::Submit(wanted, document) => {
                    signed::submit(self.send, opened, &chain, wanted, patience, &document).await
                }
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
        signal: Signal,
    }

    fn signal(arguments: &str) -> Signal {
        let payload = Address::repeat_byte(0xf1);
        let words = format!("signal {payload} {arguments}");
        Line::try_parse_from(words.split_whitespace()).unwrap().signal
    }

    #[test]
    fn each_mode_is_asked_for_by_its_own_flag() {
        let payload = Address::repeat_byte(0xf1);
        let send = signal("").mode().unwrap();
        assert!(matches!(send, Mode::Send(wanted) if wanted.payload == payload), "{send:?}");
        let sign = signal("--sign --slot 7").mode().unwrap();
        assert!(matches!(sign, Mode::Sign(_, Some(slot)) if slot == Slot::of(7)), "{sign:?}");
        let submit = signal("--signature no-such-signal.json").mode().unwrap_err();
        assert!(format!("{:#}", submit.report).contains("no-such-signal.json"), "{submit:?}");
    }

    #[test]
    fn contradictory_flags_are_refused_and_no_payload_is_made_up() {
        let file = Some(PathBuf::from("signal.json"));
        for flags in [
            Signal { payload: None, ..signal("") },
            Signal { payload: None, ..signal("--sign") },
            Signal { signature: file, ..signal("--sign") },
        ] {
            let failure = flags.mode().unwrap_err();
            assert_eq!(failure.exit, Exit::BadInput, "{flags:?}");
        }
    }
}
