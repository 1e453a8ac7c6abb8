//! Packed forms that today's servers only read: what Redis 2 to 6 wrote into snapshots.
//!
//! Decoders only, over bytes that are checked from end to end before the first element comes out; nothing
//! here is kept in memory or written. Source of truth: the integrity checks of Redis 8.0's loader, which
//! these repeat: what it takes we take, what it refuses we refuse.

pub mod ziplist;
pub mod zipmap;

/// A little-endian u32 at `at`.
fn u32_le(b: &[u8], at: usize) -> Option<usize> {
    let bytes = b.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*bytes) as usize)
}
