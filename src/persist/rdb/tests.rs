//! All files of `fixtures/rdb`, and whatever the single files of the room don't test themselves.

use std::path::{Path, PathBuf};

use super::*;

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rdb");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "rdb"));
    files.sort();
    files
}

/// Files that end in an error even when nothing is loaded, and the offset of what is wrong.
const UNREADABLE: &[(&str, u64)] = &[
    ("bad_crc_wrong", 209),
    ("bad_empty_file", 0),
    ("bad_header_only", 9),
    ("bad_magic", 0),
    ("bad_no_crc", 209),
    ("bad_quicklist2_container3", 16),
    ("bad_quicklist2_count_2p60", 26),
    ("bad_set_count_2p60", 26),
    ("bad_strenc_4", 15),
    ("bad_strlen_4g", 19),
    ("bad_trunc_25pct", 53),
    ("bad_trunc_70pct", 149),
    ("bad_type_unknown_100", 16),
    ("bad_version_0", 0),
    ("found_librdb_future_v19", 184),
    ("found_librdb_invalid_chksum_v8", 201),
    ("found_librdb_redis_ent_opcode_ram_lru", 280),
    ("found_librdb_stream_v13_idmp_old", 90),
    ("found_replicator_module", 1262),
    ("found_valkey_encodings-rdb75-unknown-types", 91),
    ("found_xpipe_dump6379_old", 220),
    ("hostile_30_v9", 27),
    ("hostile_33_v9", 49),
    ("hostile_39_v9", 35),
    ("hostile_45_v9", 32),
    ("hostile_48_v9", 44),
    ("hostile_57_v9", 27),
    ("hostile_66_v10", 146),
];

fn skip_all(bytes: &[u8]) -> Result<u64, LoadError> {
    let mut keys = 0;
    let mut reader = Reader::new(SliceSource::new(bytes))?;
    while let Some(item) = reader.next_item()? {
        keys += u64::from(matches!(item, Item::Key(_)));
    }
    Ok(keys)
}

#[test]
fn every_file_can_be_stepped_through_or_names_the_offset() {
    for path in fixtures() {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let wrong = UNREADABLE.iter().find(|(unreadable, _)| *unreadable == name);
        match skip_all(&std::fs::read(&path).unwrap()) {
            Ok(_) => assert!(wrong.is_none(), "{name} is no longer refused"),
            Err(e) => assert_eq!(wrong.map(|w| w.1), Some(e.offset), "{name}: {e}"),
        }
    }
}
