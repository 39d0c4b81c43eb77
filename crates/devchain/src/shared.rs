//! A map that can be kept as it is while it goes on changing.

use std::{
    hash::{BuildHasher, Hash},
    sync::Arc,
};

use alloy_primitives::map::{FbBuildHasher, HashMap};

/// A map by addresses.
pub(crate) type SharedAddressMap<V> = SharedMap<alloy_primitives::Address, V, FbBuildHasher<20>>;

/// A map by words of the EVM.
pub(crate) type SharedWordMap<V> = SharedMap<alloy_primitives::U256, V, FbBuildHasher<32>>;

/// The number of parts into which a part that is too large is divided. A power of two.
const PARTS: usize = 16;

/// The bits of a hash that choose one of them.
const PART_BITS: u32 = PARTS.trailing_zeros();

/// The number of entries from which on a part is divided.
const MAX_ENTRIES: usize = 128;

/// The divisions above the smallest parts, which may then become larger. The lowest bits of a hash are left
/// for the maps, and so are the highest ones.
const MAX_DEPTH: u32 = 11;

/// The lowest of the bits of a hash that choose the first part.
const FIRST_BIT: u32 = 52;

/// A hash map whose clones share all entries. A change copies only the parts around the changed entry, and only
/// if a clone shares them: it takes the same time however large the map is.
#[derive(Clone, Debug)]
pub(crate) struct SharedMap<K, V, S> {
    root: Part<K, V, S>,
    len: usize,
    hasher: S,
}

#[derive(Debug)]
enum Part<K, V, S> {
    Entries(Arc<HashMap<K, V, S>>),
    Divided(Arc<[Self; PARTS]>),
}

impl<K, V, S> Clone for Part<K, V, S> {
    fn clone(&self) -> Self {
        match self {
            Self::Entries(entries) => Self::Entries(Arc::clone(entries)),
            Self::Divided(parts) => Self::Divided(Arc::clone(parts)),
        }
    }
}

impl<K, V, S: BuildHasher + Clone + Default> Default for SharedMap<K, V, S> {
    fn default() -> Self {
        let hasher = S::default();
        let entries = HashMap::with_hasher(hasher.clone());
        Self { root: Part::Entries(Arc::new(entries)), len: 0, hasher }
    }
}

impl<K, V, S> SharedMap<K, V, S> {
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All entries, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let mut parts = vec![&self.root];
        std::iter::from_fn(move || {
            loop {
                match parts.pop()? {
                    Part::Entries(entries) => return Some(entries.iter()),
                    Part::Divided(divided) => parts.extend(divided.iter()),
                }
            }
        })
        .flatten()
    }
}

impl<K, V, S> SharedMap<K, V, S>
where
    K: Clone + Eq + Hash,
    V: Clone,
    S: BuildHasher + Clone,
{
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        let mut part = &self.root;
        let mut choice = Choice::default();
        loop {
            match part {
                Part::Entries(entries) => return entries.get(key),
                Part::Divided(parts) => part = &parts[choice.next(&self.hasher, key)],
            }
        }
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries_mut(key, false).get_mut(key)
    }

    /// The value of a key, which gets this one if it has none.
    pub(crate) fn get_or_insert_with(&mut self, key: &K, value: impl FnOnce() -> V) -> &mut V {
        if self.get(key).is_none() {
            self.insert(key.clone(), value());
        }
        self.get_mut(key).expect("the key has a value")
    }

    /// Sets the value of a key, and returns the one that it had.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let before = self.entries_mut(&key, true).insert(key, value);
        self.len += usize::from(before.is_none());
        before
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let removed = self.entries_mut(key, false).remove(key);
        self.len -= usize::from(removed.is_some());
        removed
    }

    /// The entries among which this key belongs, copied if they were shared. With `grows`, there is room for a
    /// further one.
    fn entries_mut(&mut self, key: &K, grows: bool) -> &mut HashMap<K, V, S> {
        let Self { root, hasher, .. } = self;
        let mut part = root;
        let mut choice = Choice::default();
        loop {
            if let Part::Entries(entries) = part
                && grows
                && entries.len() >= MAX_ENTRIES
                && choice.depth < MAX_DEPTH
            {
                *part = divide(entries, hasher, choice);
            }
            match part {
                Part::Entries(entries) => return Arc::make_mut(entries),
                Part::Divided(parts) => {
                    part = &mut Arc::make_mut(parts)[choice.next(hasher, key)];
                }
            }
        }
    }
}

/// Distributes entries over parts.
fn divide<K, V, S>(entries: &mut Arc<HashMap<K, V, S>>, hasher: &S, choice: Choice) -> Part<K, V, S>
where
    K: Clone + Eq + Hash,
    V: Clone,
    S: BuildHasher + Clone,
{
    let mut parts: [HashMap<K, V, S>; PARTS] =
        std::array::from_fn(|_| HashMap::with_hasher(hasher.clone()));
    for (key, value) in Arc::make_mut(entries).drain() {
        let mut choice = choice;
        parts[choice.next(hasher, &key)].insert(key, value);
    }
    Part::Divided(Arc::new(parts.map(|entries| Part::Entries(Arc::new(entries)))))
}

/// The way of a key through the parts. Its hash is needed only if there are any.
#[derive(Clone, Copy, Default)]
struct Choice {
    hash: Option<u64>,
    depth: u32,
}

impl Choice {
    fn next<K: Hash>(&mut self, hasher: &impl BuildHasher, key: &K) -> usize {
        let hash = *self.hash.get_or_insert_with(|| hasher.hash_one(key));
        let bits = hash >> (FIRST_BIT - PART_BITS * self.depth);
        self.depth += 1;
        bits as usize % PARTS
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        hash::{BuildHasherDefault, DefaultHasher, Hasher},
    };

    use canon_testkit::properties;
    use proptest::prelude::*;

    use super::*;

    /// Gives all keys the same hash.
    #[derive(Default)]
    struct Same;

    impl Hasher for Same {
        fn finish(&self) -> u64 {
            7
        }

        fn write(&mut self, _: &[u8]) {}
    }

    type Map<H> = SharedMap<u16, u32, BuildHasherDefault<H>>;

    /// Makes changes, each with a copy of what was there before, and compares all with plain maps.
    fn compare<H: Hasher + Default>(changes: &[(u16, Option<u32>)], keep: usize) {
        let (mut map, mut model) = (Map::<H>::default(), BTreeMap::new());
        let mut kept = Vec::new();
        for (index, (key, value)) in changes.iter().enumerate() {
            if index.is_multiple_of(keep) {
                kept.push((map.clone(), model.clone()));
            }
            match value {
                Some(value) => {
                    assert_eq!(map.insert(*key, *value), model.insert(*key, *value));
                    *map.get_mut(key).unwrap() += 1;
                    *map.get_or_insert_with(key, || 0) += 1;
                    *model.get_mut(key).unwrap() += 2;
                }
                None => assert_eq!(map.remove(key), model.remove(key)),
            }
            assert_eq!(map.get(key), model.get(key));
        }
        kept.push((map, model));
        for (map, model) in kept {
            let found: BTreeMap<u16, u32> = map.iter().map(|(key, value)| (*key, *value)).collect();
            assert_eq!((map.len(), map.is_empty()), (model.len(), model.is_empty()));
            assert!(model.iter().all(|(key, value)| map.get(key) == Some(value)));
            assert_eq!(found, model);
        }
    }

    /// The number of entries that the first map doesn't share with the second one.
    fn own<H: Hasher + Default>(first: &Map<H>, second: &Map<H>) -> usize {
        fn own<K, V, S>(first: &Part<K, V, S>, second: &Part<K, V, S>) -> usize {
            match (first, second) {
                (Part::Entries(first), Part::Entries(second)) if Arc::ptr_eq(first, second) => 0,
                (Part::Entries(first), _) => first.len(),
                (Part::Divided(first), Part::Divided(second)) => {
                    first.iter().zip(second.iter()).map(|(first, second)| own(first, second)).sum()
                }
                (Part::Divided(first), Part::Entries(_)) => {
                    first.iter().map(|first| own(first, second)).sum()
                }
            }
        }
        own(&first.root, &second.root)
    }

    #[test]
    fn a_change_copies_few_entries_of_a_large_map() {
        let mut map = Map::<DefaultHasher>::default();
        (0..u16::MAX).for_each(|key| drop(map.insert(key, 0)));
        let kept = map.clone();
        assert_eq!(own(&map, &kept), 0);
        map.insert(u16::MAX, 0);
        map.remove(&7);
        *map.get_mut(&8).unwrap() = 1;
        let copied = own(&map, &kept);
        assert!(copied <= 3 * MAX_ENTRIES, "{copied}");
    }

    proptest! {
        #![proptest_config(properties(16))]

        #[test]
        fn clones_keep_their_entries_whatever_changes(
            changes in prop::collection::vec(
                (0..2_000_u16, prop::option::weighted(0.8, 0..9_u32)),
                0..5_000,
            ),
            keep in 1..900_usize,
        ) {
            compare::<DefaultHasher>(&changes, keep);
            compare::<Same>(&changes, keep);
        }
    }
}
