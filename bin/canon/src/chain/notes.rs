//! Notes for the user while a chain is read.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
};

use alloy_primitives::ChainId;
use canon_chain::DEVELOPMENT_CHAINS;
use canon_protocol::{Seconds, text::Duration};

use crate::output;

/// The age above which a development chain's newest block gets a note. On other chains, an endpoint with an older
/// block isn't used.
const MAX_UNNOTED_AGE: Seconds = Seconds::of(300);

/// The notes of a command. Each is shown once, however often the chain is read.
#[derive(Debug, Default)]
pub(super) struct Notes {
    told: RefCell<BTreeSet<String>>,
    /// Whether the age of a block was checked.
    is_age_seen: Cell<bool>,
}

impl Notes {
    /// Shows a note, unless it was shown before.
    pub(super) fn once(&self, text: String) {
        if !self.told.borrow().contains(&text) {
            output::note(&text);
            self.told.borrow_mut().insert(text);
        }
    }

    /// Shows a note if the newest block of a development chain is old: unlike on other chains, it is accepted. Only
    /// the first block that is read counts.
    pub(super) fn age(&self, chain_id: ChainId, age: Seconds) {
        let is_development = DEVELOPMENT_CHAINS.contains(&chain_id);
        if !self.is_age_seen.replace(true) && is_development && age > MAX_UNNOTED_AGE {
            self.once(format!(
                "the newest block is {} old: this shows the set as it was then; the node may be stopped or mine on demand",
                Duration(age).rounded()
            ));
        }
    }
}
