//! What this server calls itself, to clients that branch on it and to people.

/// The Redis whose behaviour this is.
pub const REDIS: &str = "8.0.6";
/// Our own version.
pub const RESNAP: &str = env!("CARGO_PKG_VERSION");
/// The commit and whether the tree was changed, as INFO and the start of the log show them.
pub const COMMIT: &str = "00000000";
/// The allocator, as INFO shows it.
pub const ALLOCATOR: &str = "jemalloc-5.3.0";

/// A number that tells builds apart: FNV-1a of what we are.
pub fn build_id() -> u64 {
    let identity = [RESNAP, REDIS, std::env::consts::ARCH, ALLOCATOR];
    let bytes = identity.iter().flat_map(|part| part.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
