//! Actions of payloads by the names of a rehearsal.

use canon_payload::Hashes;
use canon_protocol::Action;

use crate::followed_set::FollowedSet;

/// An action in words, with the names of the set.
pub(crate) fn describe(action: &Action, set: &FollowedSet) -> String {
    canon_payload::describe(action, set.addresses().expect, &set.names, Hashes::Shortened)
}
