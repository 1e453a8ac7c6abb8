//! Memory: packed encodings, eviction, freeing, expiry, defragmentation.

use super::super::fields::MaxmemoryPolicy;
use super::super::row::{DEBUG, Hook, Row, at, inert, int, live, one_of, refused, ubytes, uint, yes_no};
use super::{INT_MAX, LONG_MAX, ULONG_MAX};

pub(in super::super) const ROWS: &[Row] = &[
    live(
        "hash-max-listpack-entries",
        uint(0, LONG_MAX, 512),
        at!(limits.hash_max_listpack_entries),
        "Fields of a packed hash.",
    )
    .alias("hash-max-ziplist-entries"),
    live(
        "hash-max-listpack-value",
        ubytes(0, LONG_MAX, 64),
        at!(limits.hash_max_listpack_value),
        "Bytes of a field or value of a packed hash.",
    )
    .alias("hash-max-ziplist-value"),
    live(
        "set-max-intset-entries",
        uint(0, LONG_MAX, 512),
        at!(limits.set_max_intset_entries),
        "Members of a packed set of integers.",
    ),
    live(
        "set-max-listpack-entries",
        uint(0, LONG_MAX, 128),
        at!(limits.set_max_listpack_entries),
        "Members of a packed set.",
    ),
    live(
        "set-max-listpack-value",
        uint(0, LONG_MAX, 64),
        at!(limits.set_max_listpack_value),
        "Bytes of a member of a packed set.",
    ),
    live(
        "zset-max-listpack-entries",
        uint(0, LONG_MAX, 128),
        at!(limits.zset_max_listpack_entries),
        "Members of a packed sorted set.",
    )
    .alias("zset-max-ziplist-entries"),
    live(
        "zset-max-listpack-value",
        ubytes(0, LONG_MAX, 64),
        at!(limits.zset_max_listpack_value),
        "Bytes of a member of a packed sorted set.",
    )
    .alias("zset-max-ziplist-value"),
    live(
        "list-max-listpack-size",
        int(-INT_MAX - 1, INT_MAX, -2),
        at!(limits.list_max_listpack_size),
        "Entries of a list's node; -1 to -5: 4, 8, 16, 32, 64 KiB.",
    )
    .alias("list-max-ziplist-size"),
    live(
        "list-compress-depth",
        int(0, INT_MAX, 0),
        at!(limits.list_compress_depth),
        "Nodes at both ends of a list that stay uncompressed. 0: all.",
    )
    .flags(DEBUG),
    live(
        "stream-node-max-bytes",
        ubytes(0, LONG_MAX, 4096),
        at!(limits.stream_node_max_bytes),
        "Bytes of a stream's node. 0: no limit.",
    ),
    live(
        "stream-node-max-entries",
        int(0, LONG_MAX, 100),
        at!(limits.stream_node_max_entries),
        "Entries of a stream's node. 0: no limit.",
    ),
    live(
        "hll-sparse-max-bytes",
        ubytes(0, LONG_MAX, 3000),
        at!(hll_sparse_max_bytes),
        "Bytes up to which a HyperLogLog stays sparse.",
    ),
    live("maxmemory", ubytes(0, ULONG_MAX, 0), at!(maxmemory), "Bytes of memory to use. 0: no limit.")
        .hook(Hook::MaxMemory),
    live(
        "maxmemory-policy",
        one_of(MaxmemoryPolicy::NAMES, MaxmemoryPolicy::NoEviction as u32),
        at!(maxmemory_policy),
        "What is evicted when memory is full.",
    ),
    live("maxmemory-samples", int(1, 64, 5), at!(maxmemory_samples), "Keys looked at to evict one."),
    live(
        "maxmemory-eviction-tenacity",
        int(0, 100, 10),
        at!(maxmemory_eviction_tenacity),
        "How long evicting may hold up a command.",
    ),
    live("lfu-log-factor", int(0, INT_MAX, 10), at!(lfu_log_factor), "How slowly the access counter grows."),
    live(
        "lfu-decay-time",
        int(0, INT_MAX, 1),
        at!(lfu_decay_time),
        "Minutes after which the access counter drops by one.",
    ),
    live(
        "lazyfree-lazy-eviction",
        yes_no(false),
        at!(lazyfree_lazy_eviction),
        "Free evicted values in a thread.",
    )
    .flags(DEBUG),
    live(
        "lazyfree-lazy-expire",
        yes_no(false),
        at!(lazyfree_lazy_expire),
        "Free expired values in a thread.",
    )
    .flags(DEBUG),
    live(
        "lazyfree-lazy-server-del",
        yes_no(false),
        at!(lazyfree_lazy_server_del),
        "Free overwritten values in a thread.",
    )
    .flags(DEBUG),
    live("lazyfree-lazy-user-del", yes_no(false), at!(lazyfree_lazy_user_del), "DEL works like UNLINK.")
        .flags(DEBUG),
    live(
        "lazyfree-lazy-user-flush",
        yes_no(false),
        at!(lazyfree_lazy_user_flush),
        "FLUSHDB and FLUSHALL work in a thread unless told otherwise.",
    )
    .flags(DEBUG),
    live(
        "active-expire-effort",
        int(1, 10, 1),
        at!(active_expire_effort),
        "How much time goes into finding expired keys.",
    ),
    live("activerehashing", yes_no(true), at!(activerehashing), "Use idle time to move growing tables."),
    refused(
        "activedefrag",
        yes_no(false),
        "Active defragmentation cannot be enabled: it requires an allocator that tells what is worth moving",
        "Move values to where memory is dense.",
    )
    .flags(DEBUG),
    inert("active-defrag-cycle-min", int(1, 99, 1), "Percent of processor time at least."),
    inert("active-defrag-cycle-max", int(1, 99, 25), "Percent of processor time at most."),
    inert("active-defrag-threshold-lower", int(0, 1000, 10), "Percent of waste at which it begins."),
    inert("active-defrag-threshold-upper", int(0, 1000, 100), "Percent of waste at which it does its most."),
    inert("active-defrag-ignore-bytes", ubytes(1, LONG_MAX, 100 << 20), "Bytes of waste that do not matter."),
    inert(
        "active-defrag-max-scan-fields",
        int(1, LONG_MAX, 1000),
        "Fields of values that are moved in one go.",
    ),
];
