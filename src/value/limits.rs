//! The thresholds at which a packed encoding becomes a big one.

/// Limits of the packed encodings, as `CONFIG GET *-max-*` shows them.
///
/// Handed to every mutation that may change an encoding. Defaults are those of Redis 8.0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Fields up to which a hash stays a listpack.
    pub hash_max_listpack_entries: usize,
    /// Bytes of the longest field or value of a hash in a listpack.
    pub hash_max_listpack_value: usize,
    /// Members up to which a set of integers stays an intset.
    pub set_max_intset_entries: usize,
    /// Members up to which another set stays a listpack.
    pub set_max_listpack_entries: usize,
    /// Bytes of the longest member of a set in a listpack.
    pub set_max_listpack_value: usize,
    /// Members up to which a sorted set stays a listpack.
    pub zset_max_listpack_entries: usize,
    /// Bytes of the longest member of a sorted set in a listpack.
    pub zset_max_listpack_value: usize,
    /// Positive: entries per list node; -1 to -5: 4, 8, 16, 32, 64 KiB per node.
    pub list_max_listpack_size: i64,
    /// Bytes from which an element of a list gets a node of its own; 0: by the size of a node, as usual. For
    /// `DEBUG QUICKLIST-PACKED-THRESHOLD` only.
    pub list_packed_threshold: usize,
    /// Nodes at each end of a list that stay uncompressed; 0: none is compressed.
    pub list_compress_depth: u32,
    /// Bytes per stream node; 0: no limit.
    pub stream_node_max_bytes: usize,
    /// Entries per stream node; 0: no limit.
    pub stream_node_max_entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            hash_max_listpack_entries: 512,
            hash_max_listpack_value: 64,
            set_max_intset_entries: 512,
            set_max_listpack_entries: 128,
            set_max_listpack_value: 64,
            zset_max_listpack_entries: 128,
            zset_max_listpack_value: 64,
            list_max_listpack_size: -2,
            list_packed_threshold: 0,
            list_compress_depth: 0,
            stream_node_max_bytes: 4096,
            stream_node_max_entries: 100,
        }
    }
}
