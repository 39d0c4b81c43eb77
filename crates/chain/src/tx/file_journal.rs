//! A journal in a file.

use super::journal::{
    CompletedIntent, Journal, JournalContents, JournalError, JournaledTransaction, MemoryJournal,
    SeenBlock,
};
use alloy_primitives::B256;
use serde::{Deserialize, Serialize};
use std::{
    borrow::Cow,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, BufRead, BufReader, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// A journal in a file with one JSON document per line. Lines are only appended, and are synced to disk
/// before a method returns. The file is locked while the journal is open, so that no other process sends
/// for the same account.
///
/// An incomplete last line was cut off when the process or the machine stopped. Its transaction wasn't
/// sent, because sending waits for the line, so the line is removed.
#[derive(Debug)]
pub struct FileJournal {
    path: PathBuf,
    file: File,
    /// The length of the complete lines, in bytes.
    length: u64,
    contents: MemoryJournal,
}

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    Recorded(JournaledTransaction),
    Mined { transaction: B256, block: SeenBlock },
    Completed(CompletedIntent),
    Forgotten { transaction: B256 },
}

impl FileJournal {
    /// Opens the journal at `path`. If the file doesn't exist, it is created with its folders, accessible
    /// only to its owner.
    ///
    /// # Errors
    ///
    /// [`JournalError::InUse`] if another process has it open, [`JournalError::BadLine`] if a line isn't
    /// part of a journal, and other variants if the file can't be read or written.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(storage)?;
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(storage)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(JournalError::InUse { path: path.to_owned() });
            }
            Err(TryLockError::Error(error)) => return Err(storage(error)),
        }
        // The folder is synced too. Otherwise a new file could be missing from it after a power cut.
        #[cfg(unix)]
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(storage)?;
        }
        let mut contents = MemoryJournal::default();
        let length = read(path, &file, &mut contents)?;
        Ok(Self { path: path.to_owned(), file, length, contents })
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn add(&mut self, line: &Line) -> Result<(), JournalError> {
        let mut text = serde_json::to_vec(line).map_err(|error| storage(error.into()))?;
        text.push(b'\n');
        self.remove_partial_line()?;
        let written = self.file.write_all(&text).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            self.remove_partial_line()?;
            return Err(storage(error));
        }
        self.length += text.len() as u64;
        Ok(())
    }

    /// Removes the part of a failed line that was written. The next line would be appended to it, and the
    /// file would be unreadable.
    fn remove_partial_line(&mut self) -> Result<(), JournalError> {
        let end = SeekFrom::Start(self.length);
        let removed = self.file.set_len(self.length).and_then(|()| self.file.seek(end));
        removed.map(drop).map_err(|source| JournalError::PartialLine {
            path: self.path.clone(),
            length: self.length,
            source,
        })
    }
}

/// Reads the lines of a file. Returns the length of the complete ones, in bytes.
fn read(path: &Path, file: &File, contents: &mut MemoryJournal) -> Result<u64, JournalError> {
    let (mut reader, mut whole, mut number) = (BufReader::new(file), 0, 0);
    loop {
        let mut text = Vec::new();
        let length = reader.read_until(b'\n', &mut text).map_err(storage)?;
        if text.pop() != Some(b'\n') {
            return Ok(whole);
        }
        number += 1;
        let line = serde_json::from_slice(&text)
            .map_err(|_| JournalError::BadLine { path: path.to_owned(), number })?;
        match line {
            Line::Recorded(transaction) => contents.record(&transaction)?,
            Line::Mined { transaction, block } => contents.mined(transaction, block)?,
            Line::Completed(completed) => contents.completed(&completed)?,
            Line::Forgotten { transaction } => contents.forgotten(transaction)?,
        }
        whole += length as u64;
    }
}

fn storage(error: io::Error) -> JournalError {
    JournalError::Storage(error.into())
}

impl Journal for FileJournal {
    fn name(&self) -> Cow<'_, str> {
        self.path.to_string_lossy()
    }

    fn load(&self) -> Result<JournalContents, JournalError> {
        self.contents.load()
    }

    fn record(&mut self, transaction: &JournaledTransaction) -> Result<(), JournalError> {
        self.add(&Line::Recorded(transaction.clone()))?;
        self.contents.record(transaction)
    }

    fn mined(&mut self, transaction: B256, block: SeenBlock) -> Result<(), JournalError> {
        self.add(&Line::Mined { transaction, block })?;
        self.contents.mined(transaction, block)
    }

    fn completed(&mut self, completed: &CompletedIntent) -> Result<(), JournalError> {
        self.add(&Line::Completed(*completed))?;
        self.contents.completed(completed)
    }

    fn forgotten(&mut self, transaction: B256) -> Result<(), JournalError> {
        self.add(&Line::Forgotten { transaction })?;
        self.contents.forgotten(transaction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use canon_protocol::{BlockNumber, ProposalId};
    use canon_testkit::TestFolder;
    use canon_views::{IntendedAction, IntentId, SetId};

    fn id(number: u64) -> IntentId {
        let subject = IntendedAction::Drop { id: ProposalId::of(number) }.subject();
        IntentId { set: SetId { chain_id: 1, governance: Default::default() }, subject }
    }

    fn transaction(number: u8) -> JournaledTransaction {
        let raw = vec![number; 100].into();
        let (since, since_hash) = (BlockNumber::of(number.into()), Some(B256::repeat_byte(number)));
        JournaledTransaction { raw, intent: None, since, since_hash, mined_in: None }
    }

    fn completed(number: u8) -> CompletedIntent {
        let block = SeenBlock { number: BlockNumber::of(8), hash: B256::repeat_byte(number) };
        let (intent, transaction) = (id(number.into()), transaction(number - 1).hash());
        CompletedIntent { intent, transaction, block: Some(block) }
    }

    /// Makes the first `steps` changes to a journal, the same ones on every call.
    fn write(journal: &mut impl Journal, steps: usize) {
        for step in 0..steps {
            let number = step as u8;
            match step % 5 {
                0 | 1 => journal.record(&transaction(number)).unwrap(),
                4 => {
                    let block = SeenBlock { number: BlockNumber::of(9), hash: B256::ZERO };
                    journal.mined(transaction(number - 3).hash(), block).unwrap();
                }
                2 => journal.completed(&completed(number)).unwrap(),
                _ => journal.forgotten(transaction(number - 2).hash()).unwrap(),
            }
        }
    }

    fn after(steps: usize) -> JournalContents {
        let mut journal = MemoryJournal::default();
        write(&mut journal, steps);
        journal.load().unwrap()
    }

    #[test]
    fn a_file_cut_off_anywhere_has_all_whole_lines_and_goes_on() {
        const STEPS: usize = 11;
        let folder = TestFolder::new("cut-off");
        let path = folder.file("state/journal");
        write(&mut FileJournal::open(&path).unwrap(), STEPS);
        let text = fs::read(&path).unwrap();
        for length in 0..=text.len() {
            fs::write(&path, &text[..length]).unwrap();
            let lines = text[..length].iter().filter(|byte| **byte == b'\n').count();
            let mut journal = FileJournal::open(&path).unwrap();
            assert_eq!(journal.load().unwrap(), after(lines), "cut off at {length}");
            journal.record(&transaction(200)).unwrap();
            drop(journal);
            let mut expected = after(lines);
            expected.transactions.push(transaction(200));
            assert_eq!(FileJournal::open(&path).unwrap().load().unwrap(), expected);
        }
    }

    #[test]
    fn a_part_of_a_line_that_cannot_be_removed_is_an_error_and_never_stays_before_another_line() {
        let folder = TestFolder::new("partial-line");
        let path = folder.file("journal");
        let mut journal = FileJournal::open(&path).unwrap();
        journal.record(&transaction(1)).unwrap();
        // Simulates a disk that refuses a write.
        let whole = std::mem::replace(&mut journal.file, File::open(&path).unwrap());
        let error = journal.record(&transaction(2)).unwrap_err();
        assert!(matches!(error, JournalError::PartialLine { .. }), "{error}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"reco").unwrap();
        journal.file = whole;
        journal.record(&transaction(3)).unwrap();
        drop(journal);
        let read = FileJournal::open(&path).unwrap().load().unwrap();
        assert_eq!(read.transactions, [transaction(1), transaction(3)]);
    }

    #[test]
    fn the_lines_of_an_older_journal_are_read_and_belong_to_no_chain() {
        let folder = TestFolder::new("older");
        let path = folder.file("journal");
        let mut done = serde_json::to_value(Line::Completed(completed(2))).unwrap();
        done["completed"].as_object_mut().unwrap().remove("block").unwrap();
        let line = r#"{"recorded":{"raw":"0x01","intent":null,"since":"7"}}"#;
        fs::write(&path, format!("{line}\n{done}\n")).unwrap();
        let contents = FileJournal::open(&path).unwrap().load().unwrap();
        assert_eq!(contents.transactions[0].since, BlockNumber::of(7));
        assert_eq!(contents.transactions[0].block(), None);
        assert_eq!(contents.completed, [CompletedIntent { block: None, ..completed(2) }]);
    }

    #[test]
    fn two_processes_never_send_for_one_account() {
        let folder = TestFolder::new("in-use");
        let path = folder.file("journal");
        let first = FileJournal::open(&path).unwrap();
        assert!(matches!(FileJournal::open(&path), Err(JournalError::InUse { .. })));
        drop(first);
        assert!(FileJournal::open(&path).is_ok());
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        let folder = TestFolder::new("bad-line");
        let path = folder.file("journal");
        write(&mut FileJournal::open(&path).unwrap(), 3);
        for garbage in ["{}", "", "\u{fffd}", "{\"recorded\":null}"] {
            let mut text = fs::read_to_string(&path).unwrap();
            let lines = text.lines().count();
            text.push_str(garbage);
            text.push('\n');
            let damaged = folder.file("damaged");
            fs::write(&damaged, text).unwrap();
            match FileJournal::open(&damaged) {
                Err(JournalError::BadLine { number, .. }) => assert_eq!(number, lines + 1),
                other => panic!("{garbage:?}: {other:?}"),
            }
        }
    }
}
