//! Payloads that fuzzing found: each was taken once, and what it made could not be dumped and taken again, or worse.

use super::*;
use crate::text::crc::crc64;

fn payload(hex: &str, version: u16) -> Vec<u8> {
    let body = crate::text::hex::decode(hex.as_bytes()).expect("hex");
    let mut payload = [&body[..], &version.to_le_bytes()].concat();
    payload.extend_from_slice(&crc64(0, &payload).to_le_bytes());
    payload
}

/// Takes a payload as strictly as can be, and what is dumped of that.
fn twice(hex: &str, version: u16) -> Result<Value, RestoreError> {
    let limits = Limits::default();
    let options = LoadOptions { limits: &limits, strict: true, salvage: false };
    let once = restore(&payload(hex, version), &options, true)?;
    let again = restore(&dump(&once, true), &options, true);
    Ok(again.unwrap_or_else(|error| panic!("taken once, but not twice: {error}")))
}

/// Valkey lets a field expire later than Redis can, and in 1970 as well.
#[test]
fn expiries_that_only_valkey_has() {
    let value = twice(
        "16030166 0176 ffffffffffffffff 0167 0177 00d8c32c3abb0300 0170 0178 0000000000000000"
            .replace(' ', "")
            .as_str(),
        80,
    );
    let Ok(Value::Hash(hash)) = value else { panic!("a hash") };
    let mut expiries: Vec<_> = hash.iter().map(|item| item.deadline).collect();
    expiries.sort();
    assert_eq!(expiries, [None, Some(1), Some((1 << 48) - 1)]);
}
