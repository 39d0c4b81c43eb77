//! Descriptions of actions with the names of a rehearsal.

use canon_payload::Hashes;
use canon_protocol::Action;

use crate::followed_set::FollowedSet;

/// A description of an action, with the names of the set.
pub(crate) fn describe(action: &Action, set: &FollowedSet) -> String {
    canon_payload::describe(action, set.addresses().expect, &set.names, Hashes::Shortened)
}
