//! Sending transactions for intents.
//!
//! An [`IntentSender`] gets the intents of each block, and sends one transaction for each, despite
//! restarts, reorganizations and failing endpoints. [`IntentSender::settle`] determines which transactions
//! are mined, and [`IntentSender::pursue`] sends the others. They rely on these principles:
//!
//! - **An intent has one nonce at a time.** From its first transaction on, an intent keeps its nonce until
//!   the chain has used it, even while the intent isn't wanted. If only the journal can show that the intent
//!   is done, or if its ballot could count twice, it keeps the nonce until that use is final. So two of its
//!   transactions are never both mined, whatever is reorganized.
//! - **A nonce has many versions**, with increasing fees, of which at most one is mined. All are kept until
//!   then, replaced and abandoned ones included, and the one with the receipt determines what was done.
//! - **A recorded transaction may be in a pool.** A transaction is in the [`Journal`] before it is sent, and
//!   the same bytes are sent again until a node has it. A refusal doesn't undo that: a provider can pass a
//!   transaction to several nodes and return one answer.
//! - **Unknown transactions are waited for.** While a pool has transactions of the account that the journal
//!   doesn't have, nothing new is sent. They may be its own, from before the journal was lost.
//! - **Nothing is sent for an older block** than one seen before.
//! - **A transaction belongs to one chain**, not to a chain id, because a fork has the same id. A journaled
//!   transaction is sent again only once the endpoint's chain has the blocks that its sender saw, or a node
//!   already has the transaction. A completed intent is done on the chain that has the block of its
//!   transaction.
//! - **A mined transaction can be taken back** for 64 blocks, and is then in flight again. This also holds if
//!   another transaction used the nonce: the versions of the nonce are kept until that use is final.
//! - **An intent that may be done isn't sent again.** Locked tokens look the same whichever order locked them.
//!   So such an order stays unconfirmed while a used nonce has no receipt, or a receipt lacks its logs, until
//!   the transaction that used the nonce is found.

pub(crate) mod account;
pub(crate) mod fees;
mod file_journal;
pub(crate) mod head;
pub(crate) mod intended;
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
