//! Files cut short and with bytes changed: whatever comes of them, it is an answer.

use super::*;

/// Loads what there is, to the end or to an error.
fn poke(bytes: &[u8], strict: bool) -> Result<u64, LoadError> {
    let limits = Limits::default();
    let options = LoadOptions { limits: &limits, strict, salvage: false };
    let (mut keys, mut reader) = (0, Reader::new(StreamSource::new(bytes, None))?);
    while let Some(item) = reader.next_item()? {
        if let Item::Key(pending) = item {
            drop(pending.load(&options)?);
            keys += 1;
        }
    }
    Ok(keys)
}

/// Every position in a short file, some in a long one.
fn positions(len: usize) -> impl Iterator<Item = usize> {
    let step = if len > 4000 { len / 40 } else { (len / 300).max(1) };
    (0..len).step_by(step)
}

#[test]
fn a_cut_is_told_from_damage() {
    for path in fixtures() {
        let bytes = std::fs::read(&path).unwrap();
        let sound = poke(&bytes, false).is_ok();
        for cut in positions(if sound { end(&bytes) } else { bytes.len() }) {
            let (loaded, _) = (poke(&bytes[..cut], false), skip_all(&bytes[..cut]));
            if sound {
                let error = loaded.expect_err("cut before its end");
                assert!(matches!(error.kind, LoadErrorKind::Truncated), "{}: {error}", path.display());
                assert!(error.offset <= cut as u64);
            }
        }
    }
}

/// Where a sound file ends: trailing bytes are no part of it.
fn end(bytes: &[u8]) -> usize {
    let mut reader = Reader::new(SliceSource::new(bytes)).unwrap();
    while reader.next_item().unwrap().is_some() {}
    reader.offset() as usize
}

#[test]
fn no_changed_byte_is_fatal() {
    for path in fixtures() {
        let mut bytes = std::fs::read(&path).unwrap();
        for at in positions(bytes.len()) {
            for with in [0x80, at as u8 | 1] {
                bytes[at] ^= with;
                let _ = (poke(&bytes, at % 2 == 0), skip_all(&bytes));
                bytes[at] ^= with;
            }
        }
    }
}
