//! The past values of a quantity.

use serde::{Deserialize, Serialize};

/// The values of a quantity, sorted by the keys from which they hold. Each holds until the next.
///
/// Looking up a value takes a binary search.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    try_from = "Vec<(K, V)>",
    bound(deserialize = "K: Deserialize<'de> + Ord, V: Deserialize<'de>")
)]
pub struct Checkpoints<K, V>(Vec<(K, V)>);

impl<K, V> Default for Checkpoints<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// Checks that the keys ascend.
impl<K: Ord, V> TryFrom<Vec<(K, V)>> for Checkpoints<K, V> {
    type Error = &'static str;

    fn try_from(values: Vec<(K, V)>) -> Result<Self, &'static str> {
        if values.is_sorted_by(|(earlier, _), (later, _)| earlier < later) {
            Ok(Self(values))
        } else {
            Err("the keys of values over time don't ascend")
        }
    }
}

impl<K: Copy + Ord, V> Checkpoints<K, V> {
    /// The latest value, or `None` if there is none.
    pub fn latest(&self) -> Option<&V> {
        self.0.last().map(|(_, value)| value)
    }

    /// The key from which the latest value holds.
    pub fn latest_key(&self) -> Option<K> {
        self.0.last().map(|(key, _)| *key)
    }

    /// The value at the end of `key`, or `None` if there was none yet.
    pub fn at(&self, key: K) -> Option<&V> {
        let after = match self.0.last() {
            Some((newest, _)) if *newest <= key => self.0.len(),
            _ => self.0.partition_point(|(since, _)| *since <= key),
        };
        self.0.get(after.checked_sub(1)?).map(|(_, value)| value)
    }

    /// Sets the value from `key` on, which must not be before the latest key. Several changes under one key
    /// count as one.
    pub(crate) fn set(&mut self, key: K, value: V) {
        match self.0.last_mut() {
            Some(latest) if latest.0 >= key => latest.1 = value,
            _ => self.0.push((key, value)),
        }
    }

    /// All values with the keys from which they hold, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        self.0.iter().map(|(key, value)| (*key, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_ascend_when_read() {
        type Values = Checkpoints<u64, char>;
        for (values, fits) in [
            (vec![], true),
            (vec![(3, 'a'), (4, 'b')], true),
            (vec![(3, 'a'), (3, 'b')], false),
            (vec![(4, 'a'), (3, 'b')], false),
        ] {
            assert_eq!(Values::try_from(values.clone()).is_ok(), fits, "{values:?}");
        }
    }

    #[test]
    fn a_value_holds_until_the_next() {
        let mut values = Checkpoints::default();
        assert_eq!(values.at(9), None);
        values.set(3, 'a');
        values.set(5, 'b');
        values.set(5, 'c');
        values.set(9, 'd');
        for (key, value) in [
            (2, None),
            (3, Some('a')),
            (4, Some('a')),
            (5, Some('c')),
            (8, Some('c')),
            (9, Some('d')),
            (99, Some('d')),
        ] {
            assert_eq!(values.at(key).copied(), value, "at {key}");
        }
        let all: Vec<_> = values.iter().map(|(key, value)| (key, *value)).collect();
        assert_eq!(all, [(3, 'a'), (5, 'c'), (9, 'd')], "one value for each key");
        assert_eq!(values.latest(), Some(&'d'));
        assert_eq!(values.latest_key(), Some(9));
    }
}
