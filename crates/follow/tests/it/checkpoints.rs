//! States saved on disk.

use crate::support::{Recording, file_content, forge_file, fresh, insist, run, source};
use canon_follow::{Advance, Checkpoint, CheckpointError, Follower};
use core::time::Duration;
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A file that only this test uses.
fn file(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("canon-follow-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder.join("checkpoint.json")
}

fn remove(file: &Path) {
    fs::remove_dir_all(file.parent().unwrap()).unwrap();
}

#[test]
fn a_follower_killed_after_any_step_goes_on_from_its_checkpoint() {
    let (recording, path) = (Recording::shared(), file("killed"));
    run(async {
        let identity = &recording.identity;
        for (height, _) in recording.heights.iter().enumerate() {
            let chain = recording.chain(height);
            // Each round is a new process, which knows only the file.
            let mut follower = match Checkpoint::read(&path, |found| found == identity).unwrap() {
                Some(checkpoint) => Follower::resume(source(&chain).await, checkpoint),
                None => Follower::new(source(&chain).await, identity.clone()),
            };
            insist(&mut follower).await;
            assert_eq!(*follower.state(), fresh(&chain, identity).await, "height {height}");
            if let Some(checkpoint) = follower.checkpoint() {
                checkpoint.write(&path).unwrap();
            }
        }
        let last = Checkpoint::read(&path, |found| found == identity).unwrap().unwrap();
        let newest = recording.newest().block_number();
        assert_eq!(last.block().number.get(), newest - canon_chain::FINALITY);
    });
    remove(&path);
}

#[test]
fn a_checkpoint_of_a_block_that_was_replaced_is_left() {
    let recording = Recording::shared();
    run(async {
        let old = recording.fork(3, 2 * canon_chain::FINALITY, 1);
        let mut follower = Follower::new(source(&old).await, recording.identity.clone());
        follower.catch_up().await.unwrap();
        let checkpoint = follower.checkpoint().unwrap();
        let chain = recording.newest();
        let mut follower = Follower::resume(source(&chain).await, checkpoint);
        insist(&mut follower).await;
        assert_eq!(*follower.state(), fresh(&chain, &recording.identity).await);
    });
}

#[test]
fn a_follower_that_begins_anew_after_every_step_arrives() {
    let recording = Recording::shared();
    run(async {
        let chain = recording.newest();
        let mut follower = Follower::new(source(&chain).await, recording.identity.clone());
        let mut steps = 0;
        while follower.step().await.unwrap() != Advance::UpToDate {
            steps += 1;
            assert!(steps < 1_000, "it never arrives");
            let at_end = follower.block().is_some_and(|block| block.hash == chain.block_hash());
            if let Some(checkpoint) = follower.checkpoint().filter(|_| !at_end) {
                follower = Follower::resume(source(&chain).await, checkpoint);
            }
        }
        assert!(steps > 1, "{steps}");
        assert_eq!(*follower.state(), fresh(&chain, &recording.identity).await);
    });
}

#[test]
fn damaged_and_foreign_files_are_refused() {
    let (recording, path) = (Recording::shared(), file("damaged"));
    let identity = &recording.identity;
    assert!(Checkpoint::read(&path, |found| found == identity).unwrap().is_none());
    run(async {
        let chain = recording.newest();
        let mut follower = Follower::new(source(&chain).await, identity.clone());
        follower.catch_up().await.unwrap();
        follower.checkpoint().unwrap().write(&path).unwrap();
    });
    let mut other = identity.clone();
    other.addresses.chain_id += 1;
    let read = Checkpoint::read(&path, |found| found == &other);
    assert!(matches!(read, Err(CheckpointError::OtherSet { .. })), "{read:?}");
    let written = fs::read_to_string(&path).unwrap();
    for end in [0, 1, written.len() / 2, written.len() - 1] {
        fs::write(&path, &written[..end]).unwrap();
        let read = Checkpoint::read(&path, |found| found == identity);
        assert!(matches!(read, Err(CheckpointError::Damaged { .. })), "{end}: {read:?}");
    }
    fs::write(&path, written.replacen("\"version\":4", "\"version\":3", 1)).unwrap();
    let read = Checkpoint::read(&path, |found| found == identity);
    assert!(matches!(read, Err(CheckpointError::Version { found: 3, .. })), "{read:?}");
    fs::write(&path, &written).unwrap();
    let mut content = file_content(&path);
    content["block"]["number"] = json!("1");
    forge_file(&path, &content);
    let read = Checkpoint::read(&path, |found| found == identity);
    assert!(matches!(read, Err(CheckpointError::Contradictory { .. })), "{read:?}");
    remove(&path);
}

#[test]
fn any_damaged_byte_is_found() {
    let (recording, path) = (Recording::shared(), file("any-byte"));
    let identity = &recording.identity;
    run(async {
        let chain = recording.newest();
        let mut follower = Follower::new(source(&chain).await, identity.clone());
        follower.catch_up().await.unwrap();
        follower.checkpoint().unwrap().write(&path).unwrap();
    });
    let written = fs::read(&path).unwrap();
    let bytes = written.len();
    for index in (0..bytes).step_by(bytes / 100).chain(bytes - 70..bytes) {
        for bit in [0, 5] {
            let mut damaged = written.clone();
            damaged[index] ^= 1 << bit;
            fs::write(&path, damaged).unwrap();
            let read = Checkpoint::read(&path, |found| found == identity);
            assert!(read.is_err(), "bit {bit} of byte {index}");
        }
    }
    remove(&path);
}

#[test]
fn files_of_killed_writers_are_removed_after_an_hour() {
    let (recording, path) = (Recording::shared(), file("stale"));
    run(async {
        let mut follower =
            Follower::new(source(&recording.newest()).await, recording.identity.clone());
        insist(&mut follower).await;
        let checkpoint = follower.checkpoint().unwrap();
        checkpoint.write(&path).unwrap();
        let now = fs::metadata(&path).unwrap().modified().unwrap();
        let beside = |name: &str| path.with_file_name(name);
        let [stale, fresh, other] =
            ["checkpoint.json.0.new", "checkpoint.json.1.new", "other.0.new"].map(beside);
        for (file, minutes) in [(&stale, 61), (&fresh, 59), (&other, 61)] {
            let file = fs::File::create_new(file).unwrap();
            file.set_modified(now - Duration::from_secs(60 * minutes)).unwrap();
        }
        checkpoint.write(&path).unwrap();
        assert!(!stale.exists() && fresh.exists() && other.exists());
        assert_eq!(Checkpoint::read(&path, |_| true).unwrap(), Some(checkpoint));
        assert_eq!(path.parent().unwrap().read_dir().unwrap().count(), 3);
    });
    remove(&path);
}
