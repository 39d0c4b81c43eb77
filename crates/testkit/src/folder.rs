//! Folders for the files of tests.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process,
};

/// A folder for the files of one test. It is removed when it is dropped.
///
/// # Panics
///
/// Every method panics if the file system returns an error.
#[derive(Debug)]
pub struct TestFolder(PathBuf);

impl TestFolder {
    /// Creates an empty folder. Tests that run at the same time in one process must use different
    /// names.
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("canon-{}-{name}", process::id()));
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => panic!("{error}"),
            _ => {}
        }
        fs::create_dir_all(&path).expect("the folder for temporary files can be written to");
        Self(path)
    }

    /// The path of the folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file, and creates the folders in its path.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let file = self.file(name);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).expect("the test's folder can be written to");
        }
        fs::write(&file, text).expect("the test's folder can be written to");
        file
    }
}

impl Drop for TestFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
