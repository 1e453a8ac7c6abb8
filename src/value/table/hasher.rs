//! The hash of keys, fields and members: keyed once per process, so that nobody outside can aim at a bucket.

use foldhash::SharedSeed;
use foldhash::fast::FoldHasher;
use std::hash::Hasher;
use std::sync::OnceLock;

static KEY: OnceLock<(u64, SharedSeed)> = OnceLock::new();

/// Hashes bytes under the process's key. Never stored on disk, never shown to a client.
#[inline]
pub fn hash_bytes(bytes: &[u8]) -> u64 {
    let (seed, shared) = KEY.get_or_init(|| key(fastrand::u64(..)));
    let mut hasher = FoldHasher::with_seed(*seed, shared);
    hasher.write(bytes);
    hasher.finish()
}

/// Fixes the key of [`hash_bytes`] for repeatable runs. False when something was hashed before: too late.
pub fn seed_hasher(seed: u64) -> bool {
    KEY.set(key(seed)).is_ok()
}

fn key(seed: u64) -> (u64, SharedSeed) {
    (seed.rotate_left(29) ^ 0x9e37_79b9_7f4a_7c15, SharedSeed::from_u64(seed))
}
