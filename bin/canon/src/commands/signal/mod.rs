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
    command_help::{CommandHelp, SIGNED},
    exit::{Exit, Failure},
    input::{hash, nonzero_address, whole},
    send::SendArgs,
    typed_data::{SignalMessage, SignedMessage},
};

/// Signal for a payload in your slot, or sign a signal that somebody else submits
///
/// Shows the actions that the payload lists. A slot has one signal, by its proposer, in an L1 block of
/// the slot.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Signal {
    /// Contract that lists the actions
    #[arg(value_name = "PAYLOAD", value_parser = nonzero_address, required_unless_present = "signature")]
    payload: Option<Address>,

    /// Wait until your next slot, by the draw; if that is missed, until the one after it, and so on
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

    /// Slot to sign for [default: your next slot, by the draw]
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

const HELP: CommandHelp = CommandHelp::sending()
    .success(SIGNED)
    .failed(&[
        "the actions have another hash",
        "a signal can't help",
        "the slot is over",
        "the account can't pay for it",
    ])
    .input(&["files"])
    .later("the slot is another proposer's, or hasn't begun; says when yours begins")
    .after(
        "\
Examples:
  canon signal 0x… --wait --yes --account operator
  canon signal 0x… --sign --account operator > signal.json
  canon signal --signature signal.json --wait --yes --account anybody",
    );

/// The signal to make.
#[derive(Clone, Copy, Debug)]
struct WantedSignal {
    payload: Address,
    expected: ExpectedSignal,
    status: StatusRule,
}

impl WantedSignal {
    /// The command as it is typed, with its conditions: a command with others is another one, which checks them before
    /// it does anything.
    fn typed(&self) -> String {
        let Self { payload, expected, status } = *self;
        let mut command = format!("canon signal {payload}");
        if let ExpectedSignal::Typed(hash) = expected {
            command.push_str(&format!(" --actions-hash {hash}"));
        }
        if status == StatusRule::Force {
            command.push_str(" --force");
        }
        command
    }
}

/// The signal that is expected.
#[derive(Clone, Copy, Debug)]
enum ExpectedSignal {
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
enum SlotWait {
    Wait,
    GiveUp,
}

/// What to do, as the flags say it.
#[derive(Debug)]
enum SignalMode {
    /// Send a signal.
    Send(WantedSignal),
    /// Sign a signal that somebody else submits, for this slot or the signer's next one.
    Sign(WantedSignal, Option<Slot>),
    /// Submit a signal that somebody signed.
    Submit(WantedSignal, Box<SignedMessage<SignalMessage>>),
}

impl Signal {
    /// What to do.
    ///
    /// # Errors
    ///
    /// If the flags contradict each other, which clap refuses already, or the signed signal can't be read.
    fn mode(&self) -> Result<SignalMode, Failure> {
        let status = match self.force {
            true => StatusRule::Force,
            false => StatusRule::Respect,
        };
        let expected = self.actions_hash.map_or(ExpectedSignal::Any, ExpectedSignal::Typed);
        let wanted = |payload| WantedSignal { payload, expected, status };
        match (self.payload, self.sign, &self.signature) {
            (Some(payload), false, None) => Ok(SignalMode::Send(wanted(payload))),
            (Some(payload), true, None) => {
                Ok(SignalMode::Sign(wanted(payload), self.slot.map(Slot::of)))
            }
            (payload, false, Some(file)) => {
                let document: SignedMessage<SignalMessage> = SignedMessage::read(file)?;
                let payload = payload.unwrap_or(document.message.payload);
                Ok(SignalMode::Submit(wanted(payload), Box::new(document)))
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
        let slot_wait = match self.wait {
            true => SlotWait::Wait,
            false => SlotWait::GiveUp,
        };
        let mode = self.mode()?;
        let opened = self.send.open()?;
        chain::run(async {
            let chain = settings.connect().await?;
            match mode {
                SignalMode::Send(wanted) => {
                    direct::signal(self.send, opened, &chain, wanted, slot_wait).await
                }
                SignalMode::Sign(wanted, slot) => {
                    signed::sign(&self.send, opened, &chain, &wanted, slot).await
                }
                SignalMode::Submit(wanted, document) => {
                    signed::submit(self.send, opened, &chain, wanted, slot_wait, &document).await
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
        assert!(matches!(send, SignalMode::Send(wanted) if wanted.payload == payload), "{send:?}");
        let sign = signal("--sign --slot 7").mode().unwrap();
        assert!(matches!(sign, SignalMode::Sign(_, Some(slot)) if slot == Slot::of(7)), "{sign:?}");
        let submit = signal("--signature no-such-signal.json").mode().unwrap_err();
        assert!(format!("{:#}", submit.report).contains("no-such-signal.json"), "{submit:?}");
    }

    #[test]
    fn a_command_with_other_conditions_is_another_command() {
        let hash = alloy_primitives::B256::repeat_byte(0xa1);
        let typed = |arguments: &str| match signal(arguments).mode().unwrap() {
            SignalMode::Send(wanted) => wanted.typed(),
            other => panic!("{other:?}"),
        };
        let plain = format!("canon signal {}", Address::repeat_byte(0xf1));
        assert_eq!(typed("--wait"), plain);
        let flags = format!("--actions-hash {hash} --force");
        assert_eq!(typed(&flags), format!("{plain} {flags}"));
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
