//! Files of tests.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process,
};

/// A folder for the files of one test, which is removed in the end.
///
/// # Panics
///
/// Every method, if the file system refuses.
#[derive(Debug)]
pub struct TestFolder(PathBuf);

impl TestFolder {
    /// An empty folder. No two tests of a program use the same name at once.
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("canon-{}-{name}", process::id()));
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => panic!("{error}"),
            _ => {}
        }
        fs::create_dir_all(&path).expect("the folder for temporary files can be written to");
        Self(path)
    }

    /// Its address.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file, with the folders that it is in.
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
