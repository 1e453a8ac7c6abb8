//! All files of `fixtures/rdb`, and whatever the single files of the room don't test themselves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::*;
use crate::value::Limits;

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rdb");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "rdb"));
    files.sort();
    files
}

#[test]
fn every_file_is_skipped_or_refused() {
    for path in fixtures() {
        let bytes = std::fs::read(&path).unwrap();
        let mut n = 0;
        let result = (|| {
            let mut reader = Reader::new(SliceSource::new(&bytes))?;
            while let Some(item) = reader.next_item()? {
                if let Item::Key(pending) = item {
                    pending.skip()?;
                    n += 1;
                }
            }
            Ok::<_, LoadError>(())
        })();
        match result {
            Ok(()) => println!("{} {n}", path.file_name().unwrap().display()),
            Err(e) => println!("{} {n} {e}", path.file_name().unwrap().display()),
        }
    }
}
