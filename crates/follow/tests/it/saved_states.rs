//! Sets that are opened with a file that is wrong.

use crate::{
    opening::{Deployed, folder},
    support::{client, run},
};
use canon_chain::Client;
use canon_follow::{CheckpointError, OpenNote, OpenedSet};
use std::{fs, path::Path};

/// Opens the shared set with its file, which can't be used. It is the set as `fresh`, and the next time there is
/// nothing to note.
async fn open_anew(client: &Client, cache: &Path, fresh: &OpenedSet) -> CheckpointError {
    let deployed = Deployed::shared();
    let mut opened = deployed.open(client, cache).await;
    assert!(opened.no_history.is_none() && opened.view == fresh.view, "{opened:?}");
    let Some(OpenNote::NotRead(error)) = opened.notes.pop() else { panic!("it used the file") };
    assert!(opened.notes.is_empty(), "{:?}", opened.notes);
    let again = deployed.open(client, cache).await;
    assert!(again.no_history.is_none() && again.notes.is_empty(), "{again:?}");
    error
}

#[test]
fn a_file_of_a_longer_chain_is_replaced() {
    let deployed = Deployed::shared();
    let [old, new] = [(400, 1), (150, 2)].map(|(blocks, fork)| deployed.chain(blocks, fork));
    let cache = folder("longer");
    run(async {
        deployed.open(&client(old.client()).await, &cache).await;
        let client = client(new.client()).await;
        let fresh = deployed.open(&client, &folder("longer-fresh")).await;
        let error = open_anew(&client, &cache, &fresh).await;
        assert!(matches!(error, CheckpointError::NotOnChain { .. }), "{error}");
    });
    fs::remove_dir_all(&cache).unwrap();
}
