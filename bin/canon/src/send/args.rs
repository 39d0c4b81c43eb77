//! Arguments of every command that sends.

use clap::{Args, ValueEnum};

use crate::{input::whole, signing::SignerArgs};

/// The flags of a command that sends.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Sending")]
pub(crate) struct SendArgs {
    /// Send without asking
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,

    /// Stop after the simulation; with --from, no key is needed
    #[arg(long, conflicts_with = "unsigned")]
    dry_run: bool,

    /// Print the transaction as JSON instead of sending it (a list if there are several): as it is, or as a batch for
    /// Safe's Transaction Builder; with --from, no key is needed
    #[arg(long, value_name = "FORM", num_args = 0..=1, default_missing_value = "transaction")]
    unsigned: Option<UnsignedForm>,

    /// Blocks to wait for, with the one that has the transaction
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = whole(1..=MAX_CONFIRMATIONS))]
    confirmations: u64,

    /// Print the outcome as JSON: numbers that can exceed 2^53 are strings, amounts are in base units and wei
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    pub(crate) signer: SignerArgs,

    /// The preview that the user has consented to before a wait; `None` before that.
    #[arg(skip)]
    shown: Option<String>,
}

/// The maximum number of blocks to wait for. A deeper block is final, so waiting longer adds nothing.
const MAX_CONFIRMATIONS: u64 = canon_chain::FINALITY;

/// The form of a transaction that somebody else signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum UnsignedForm {
    /// Its recipient, data, value, chain id and gas
    Transaction,
    /// A batch for Safe's Transaction Builder
    Safe,
}

/// The last step that a command takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// The simulation.
    Simulate,
    /// Printing the transactions for somebody else to sign.
    Print(UnsignedForm),
    /// Sending the transactions.
    Send(Consent),
}

/// Whether the user is asked before something is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consent {
    /// No: consent was given with the command.
    Given,
    /// Yes.
    Ask,
}

/// The format of the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Text.
    Text,
    /// One JSON document.
    Json,
}

impl SendArgs {
    /// The last step that the command takes.
    pub(crate) const fn extent(&self) -> Extent {
        match (self.unsigned, self.dry_run, self.yes) {
            (Some(form), ..) => Extent::Print(form),
            (None, true, _) => Extent::Simulate,
            (None, false, true) => Extent::Send(Consent::Given),
            (None, false, false) => Extent::Send(Consent::Ask),
        }
    }

    /// Whether the user is asked before a message is signed that what is printed contains.
    pub(super) const fn consent_to_sign(&self) -> Consent {
        match self.yes {
            true => Consent::Given,
            false => Consent::Ask,
        }
    }

    /// The same arguments after the user has consented to a preview.
    pub(super) fn after_consent(self, shown: String) -> Self {
        Self { yes: true, shown: Some(shown), ..self }
    }

    /// The preview that the user has consented to before a wait; `None` before that.
    pub(super) fn shown(&self) -> Option<&str> {
        self.shown.as_deref()
    }

    /// The number of blocks to wait for.
    pub(crate) const fn confirmations(&self) -> u64 {
        self.confirmations
    }

    /// The format of the outcome.
    pub(crate) const fn format(&self) -> Format {
        match self.json {
            true => Format::Json,
            false => Format::Text,
        }
    }
}
