//! Transactions by intent.
//!
//! An [`IntentSender`] is given the intents of each block, and makes one transaction of each
//! intent, whatever happens in between: [`IntentSender::settle`] finds out what is mined,
//! [`IntentSender::pursue`] sends the rest. They rely on this:
//!
//! - **An intent has one nonce at a time.** From its first transaction on it keeps the nonce until the
//!   chain has used it, also when it isn't wanted for a while; one that only the journal knows to be done
//!   until that use is final. So two of its transactions are never both mined, whatever is reorganized.
//! - **A nonce has many versions**, with rising fees, and at most one is mined. All are kept until then,
//!   and whichever has the receipt decides what was done: also one that was replaced or given up.
//! - **What was recorded may be out.** A transaction is in the [`Journal`] before it is sent, and the same
//!   bytes are sent again until a node has it. A refusal takes nothing back: a provider can hand a
//!   transaction to several nodes and return the answer of one.
//! - **What isn't known here is waited for.** While a pool has transactions of the account that the journal
//!   doesn't have, nothing new is sent: its own from before the journal was lost may be among them.
//! - **Nothing is done for an older block** than one that was seen.
//! - **A transaction belongs to one chain**, not to a chain id: a fork has the same id. What a journal has is
//!   sent again only once the endpoint's chain has the blocks that its sender saw, or a node has it already.
//!   What it says is done is done on the chain that has the block with its transaction.
//! - **What is mined can be taken back** for 64 blocks, and then is in flight again. That holds for what
//!   something else mined under the nonce as well: the transactions of the nonce are kept until it is final.
//! - **What may be done isn't done again.** Tokens that were locked look the same whichever order did it. So
//!   such an order stays unconfirmed while a used nonce has no receipt, or a receipt lacks its logs, until the
//!   transaction that used the nonce is found.

pub(crate) mod account;
pub(crate) mod fees;
mod file_journal;
pub(crate) mod head;
mod intended;
mod intent_sender;
pub(crate) mod journal;
mod nonce_use;
mod report;
mod reported;

pub use fees::{AboveCap, FeePolicy, Fees};
pub use file_journal::FileJournal;
pub use head::HeadError;
pub use intent_sender::{InFlight, IntentSender, Preview, UnprovenTransaction};
pub use journal::{
    CompletedIntent, Journal, JournalContents, JournalError, JournaledTransaction, MemoryJournal,
    SeenBlock,
};
pub use nonce_use::FINALITY;
pub use report::{TxEvent, TxReport};
pub use reported::ReportedFailures;
