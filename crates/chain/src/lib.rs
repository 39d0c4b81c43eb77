//! Access to Canon's contracts on an L1.

mod actions;
pub mod audit;
mod call;
pub mod calls;
mod client;
mod confirm;
mod departures;
pub mod deploy;
mod endpoint;
mod error;
mod execution;
mod files;
mod line_file;
mod logs;
mod range_refusal;
mod rejection;
mod request_length;
mod sender;
mod severity;
mod signals;
mod signer;
pub mod tx;
mod vetted_payload;
mod view;

#[doc(no_inline)]
pub use alloy_eips::BlockId;
pub use call::ContractCall;
pub use calls::PermitRequest;
pub use client::{BlockTime, Client, L1_SLOT, NextBlock, block_view};
pub use confirm::{Confirmed, Inclusion, NoWait, Pending, Wait, Waited, wait_until};
pub use departures::{Departure, Destination};
pub use endpoint::{
    DEVELOPMENT_CHAINS, Endpoint, EndpointChecks, EndpointNote, EndpointProblem, Endpoints,
    NoEndpoint, ParseEndpointError, Timeouts, without_secrets,
};
pub use error::{Error, Result, revert_data};
pub use files::{lock_file, read_file, read_stdin, read_text, write_file};
pub use line_file::PartialLine;
pub use range_refusal::is_range_refusal;
pub use rejection::Rejection;
pub use request_length::RequestLength;
pub use sender::{Checks, Nonces, Sender};
pub use severity::Severity;
pub use signals::SlotSignal;
pub use signer::{
    AccountSigner, Expected, FoundryKeystores, KeyError, KeySource, Secret, UnlockedAccount,
};
pub use tx::{FINALITY, IntentSender, account::Key};
pub use vetted_payload::{PayloadError, VettedPayload};
pub use view::{Answers, BatchedRequest, Query, RelatedFamily, Reply, decode_reply};
