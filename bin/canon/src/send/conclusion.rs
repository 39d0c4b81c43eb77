//! The part of a command's outcome that isn't about its transactions.

use canon_protocol::BlockNumber;
use serde_json::Value;

use super::outcome::Change;
use crate::exit::Failure;

/// The result of a command: what it shows besides its transactions, and what it checks after them.
pub(crate) trait Conclusion {
    /// Further keys of the JSON documents of the command; `None` if there are none.
    fn document(&self) -> Option<&Value>;

    /// Checks the result after the last transaction, and describes it for people. `block` is the newest block with a
    /// transaction of the command; `None` if it sent none. `changes` are those of its steps.
    ///
    /// # Errors
    ///
    /// If the transactions didn't have the expected result, or the chain can't be read.
    async fn conclude(
        &self,
        block: Option<BlockNumber>,
        changes: &[&Change],
    ) -> Result<String, Failure>;
}

/// The conclusion of a command in tests, whose transactions are its whole result.
#[cfg(test)]
#[derive(Clone, Copy, Debug)]
pub(super) struct OnlyTransactions;

#[cfg(test)]
impl Conclusion for OnlyTransactions {
    fn document(&self) -> Option<&Value> {
        None
    }

    async fn conclude(&self, _: Option<BlockNumber>, _: &[&Change]) -> Result<String, Failure> {
        Ok(String::new())
    }
}
