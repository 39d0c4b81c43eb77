//! A journal in a file.

use super::journal::{
    CompletedIntent, Journal, JournalContents, JournalError, JournaledTransaction, MemoryJournal,
    SeenBlock,
};
use crate::line_file::{LineFile, LineFileError};
use alloy_primitives::B256;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, path::Path};

/// The number of lines up to which a file isn't rewritten.
const FEW_LINES: usize = 256;

/// A journal in a file with one JSON document per line. Lines are only appended, and are synced to disk
/// before a method returns. The file is locked while the journal is open, so that no other process sends
/// for the same account.
///
/// An incomplete last line was cut off when the process or the machine stopped. Its transaction wasn't
/// sent, because sending waits for the line, so the line is removed. If most transactions in a file were
/// forgotten, the file is rewritten when it is opened.
#[derive(Debug)]
pub struct FileJournal {
    file: LineFile,
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
        let (mut contents, mut lines) = (MemoryJournal::default(), 0);
        let bad_line = |number| JournalError::BadLine { path: path.to_owned(), number };
        let file = LineFile::open(path, |text, number| {
            lines = number;
            let line = serde_json::from_slice(&text);
            let line = line.map_err(|_| OpenError::Journal(bad_line(number)))?;
            apply(line, &mut contents).map_err(OpenError::Journal)
        });
        let file = file.map_err(|error| match error {
            OpenError::Journal(error) => error,
            OpenError::File(error) => JournalError::of_file(path, error),
        });
        let mut journal = Self { file: file?, contents };
        let JournalContents { transactions, completed } = journal.contents.load()?;
        if lines > FEW_LINES && lines > 4 * (transactions.len() + completed.len()) {
            let transactions = transactions.into_iter().map(Line::Recorded);
            let all = transactions.chain(completed.into_iter().map(Line::Completed));
            let replaced = journal.file.replace(all);
            replaced.map_err(|error| JournalError::of_file(path, error))?;
        }
        Ok(journal)
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    fn add(&mut self, line: Line) -> Result<(), JournalError> {
        let added = self.file.add(&line);
        added.map_err(|error| JournalError::of_file(self.file.path(), error))?;
        apply(line, &mut self.contents)
    }
}

/// The reason why a journal can't be opened.
enum OpenError {
    Journal(JournalError),
    File(LineFileError),
}

impl From<LineFileError> for OpenError {
    fn from(error: LineFileError) -> Self {
        Self::File(error)
    }
}

impl JournalError {
    fn of_file(path: &Path, error: LineFileError) -> Self {
        let path = path.to_owned();
        match error {
            LineFileError::Io(error) => Self::Storage(error.into()),
            LineFileError::InUse => Self::InUse { path },
            LineFileError::PartialLine(partial) => Self::PartialLine(partial),
            LineFileError::TooLong { line } => Self::BadLine { path, number: line },
        }
    }
}

fn apply(line: Line, contents: &mut MemoryJournal) -> Result<(), JournalError> {
    match line {
        Line::Recorded(transaction) => contents.record(&transaction),
        Line::Mined { transaction, block } => contents.mined(transaction, block),
        Line::Completed(completed) => contents.completed(&completed),
        Line::Forgotten { transaction } => contents.forgotten(transaction),
    }
}

impl Journal for FileJournal {
    fn name(&self) -> Cow<'_, str> {
        self.path().to_string_lossy()
    }

    fn load(&self) -> Result<JournalContents, JournalError> {
        self.contents.load()
    }

    fn record(&mut self, transaction: &JournaledTransaction) -> Result<(), JournalError> {
        self.add(Line::Recorded(transaction.clone()))
    }

    fn mined(&mut self, transaction: B256, block: SeenBlock) -> Result<(), JournalError> {
        self.add(Line::Mined { transaction, block })
    }

    fn completed(&mut self, completed: &CompletedIntent) -> Result<(), JournalError> {
        self.add(Line::Completed(*completed))
    }

    fn forgotten(&mut self, transaction: B256) -> Result<(), JournalError> {
        self.add(Line::Forgotten { transaction })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use canon_protocol::{BlockNumber, ProposalId};
    use canon_testkit::TestFolder;
    use canon_views::{IntendedAction, IntentId, SetId};
    use std::{fs, io::Write};

    fn id(number: u64) -> IntentId {
        let subject = IntendedAction::Drop { id: ProposalId::of(number) }.subject();
        IntentId { set: SetId { chain_id: 1, governance: Default::default() }, subject }
    }

    fn transaction(number: u8) -> JournaledTransaction {
        let raw = vec![number; 100].into();
        let (since, since_hash) = (BlockNumber::of(number.into()), B256::repeat_byte(number));
        JournaledTransaction { raw, intent: None, since, since_hash, mined_in: None }
    }

    fn completed(number: u8) -> CompletedIntent {
        let block = SeenBlock { number: BlockNumber::of(8), hash: B256::repeat_byte(number) };
        let (intent, transaction) = (id(number.into()), transaction(number - 1).hash());
        CompletedIntent { intent, transaction, block }
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
    fn a_file_most_of_which_is_forgotten_is_rewritten_when_it_is_opened() {
        let folder = TestFolder::new("rewritten");
        let path = folder.file("journal");
        write(&mut FileJournal::open(&path).unwrap(), 11);
        let forgotten = Line::Forgotten { transaction: transaction(99).hash() };
        let lines = [Line::Recorded(transaction(99)), forgotten];
        let text = lines.map(|line| serde_json::to_string(&line).unwrap() + "\n").concat();
        let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(text.repeat(200).as_bytes()).unwrap();
        let lines = || fs::read_to_string(&path).unwrap().lines().count();
        assert_eq!(lines(), 411);
        let live = after(11).transactions.len() + after(11).completed.len();
        for _ in 0..2 {
            let journal = FileJournal::open(&path).unwrap();
            assert_eq!((journal.load().unwrap(), lines()), (after(11), live));
        }
        // What is added to the rewritten file is in it.
        FileJournal::open(&path).unwrap().record(&transaction(100)).unwrap();
        let read = FileJournal::open(&path).unwrap().load().unwrap();
        assert_eq!(read.transactions.last(), Some(&transaction(100)));
    }

    #[test]
    fn a_transaction_that_is_recorded_again_is_one_and_keeps_its_block() {
        let mut journal = MemoryJournal::default();
        let block = SeenBlock { number: BlockNumber::of(9), hash: B256::ZERO };
        journal.record(&transaction(1)).unwrap();
        journal.mined(transaction(1).hash(), block).unwrap();
        journal.record(&transaction(2)).unwrap();
        let again = JournaledTransaction { since: BlockNumber::of(7), ..transaction(1) };
        journal.record(&again).unwrap();
        let again = JournaledTransaction { mined_in: Some(block), ..again };
        assert_eq!(journal.load().unwrap().transactions, [transaction(2), again]);
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
