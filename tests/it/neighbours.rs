//! Snapshots to and from real servers: what one wrote the other loads, with the same DEBUG DIGEST.
//!
//! Real servers are not part of a build, so these tests run where the environment names them, and else say so and pass:
//! `RESNAP_REDIS7` (7.0.15: `/usr/bin/redis-server` of Debian 12), `RESNAP_REDIS8` (8.0.6), `RESNAP_VALKEY9` (9.1.2).
//! What real servers' files look like to us is tested without them, by `snapshots`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value as Json;

use crate::canon;
use crate::client::{Client, Value};
use crate::node::{Home, parallel};
use crate::server::Server;

struct Neighbour {
    variable: &'static str,
    /// The newest version of the format that it reads, as `rdb-save-version` calls it.
    version: &'static str,
    /// Its digest is ours: 7.0 writes scores otherwise into it, Valkey leaves field expiry out.
    counts_alike: bool,
    /// Snapshots of the fixtures that it reads.
    files: &'static [&'static str],
}

const REDIS7: Neighbour = Neighbour {
    variable: "RESNAP_REDIS7",
    version: "10",
    counts_alike: false,
    files: &["made_r7.0.15_alltypes", "made_r7.0.15_bigenc", "made_r7.0.15_streams", "made_r7.0.15_16dbs"],
};
const REDIS8: Neighbour = Neighbour {
    variable: "RESNAP_REDIS8",
    version: "12",
    counts_alike: true,
    files: &[
        "made_r7.0.15_alltypes",
        "made_r8.0.6_alltypes",
        "made_r8.0.6_fieldttl",
        "made_r8.0.6_bigenc",
        "made_r8.0.6_streams",
        "made_r8.0.6_functions",
    ],
};
const VALKEY9: Neighbour = Neighbour {
    variable: "RESNAP_VALKEY9",
    version: "valkey",
    counts_alike: false,
    files: &[
        "made_r7.0.15_alltypes",
        "made_v9.1.2_alltypes",
        "made_v9.1.2_fieldttl",
        "made_v9.1.2_bigenc",
        "made_v9.1.2_streams",
        "made_v9.1.2_functions",
    ],
};

impl Neighbour {
    /// Its program, if the environment names it.
    fn program(&self) -> Option<PathBuf> {
        let path = std::env::var_os(self.variable).map(PathBuf::from);
        if path.is_none() {
            println!("not run: {} does not name the real server", self.variable);
        }
        path
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rdb").join(format!("{name}.rdb"))
}

/// Starts a real server over a copy of a snapshot.
fn neighbour_over(program: &Path, snapshot: &Path, aside: &Path) -> Server {
    std::fs::copy(snapshot, aside.join("dump.rdb")).expect("copied");
    let dir = aside.to_str().expect("text");
    let options = ["--dir", dir, "--enable-debug-command", "yes", "--appendonly", "no"];
    let real = Server::real(program, &options);
    real.unwrap_or_else(|error| panic!("{} over {}: {error}", program.display(), snapshot.display()))
}

fn digest(client: &mut Client) -> String {
    let reply = client.line("DEBUG DIGEST").expect("answered");
    assert!(!reply.is_error(), "{reply:?}");
    String::from_utf8_lossy(&reply.bytes().expect("a digest")).into_owned()
}

/// Changes of ours on top of what the file held, in every type.
const CHANGES: &[&str] = &[
    "SELECT 9",
    "SET more 12345",
    "SET text some-text-that-is-no-number",
    "PEXPIREAT text 4102444800000",
    "RPUSH list:ours a b 3 -70000 9999999999",
    "SADD set:ints 1 2 300000",
    "SADD set:words a b c",
    "ZADD zset:ours 1.5 a -inf b 3 c 1e100 d",
    "HSET hash:ours f v g 1 h -1.5",
    "XADD stream:ours 5-1 f v g w",
    "XADD stream:ours 5-2 f v g w",
    "XADD stream:ours 6-1 other 1",
    "XDEL stream:ours 5-2",
];

fn change(client: &mut Client) {
    for line in CHANGES {
        assert!(!client.line(line).expect("answered").is_error(), "{line}");
    }
}

fn save(client: &mut Client) {
    assert_eq!(client.line("SAVE").expect("answered"), Value::Simple(b"OK".to_vec()));
}

/// Digest and content once what is past its time has gone: active expiry needs its rounds.
fn settled(client: &mut Client) -> (String, Json) {
    std::thread::sleep(Duration::from_millis(1500));
    (digest(client), canon::dump(client).expect("readable"))
}

/// A file and some changes, in the neighbour and in ours. Ours saves, the neighbour reads that and saves, and ours
/// reads that: content and digest are the same all the way.
fn there_and_back(neighbour: &Neighbour, options: &[&str]) {
    let Some(program) = neighbour.program() else { return };
    parallel(neighbour.files, |file| {
        let aside = tempfile::tempdir().expect("a directory");
        let real = neighbour_over(&program, &fixture(file), aside.path());
        let mut client = real.connect().expect("it accepts");
        change(&mut client);
        let (theirs, _) = settled(&mut client);
        drop(real);

        let home = Home::with(&fixture(file));
        let node = home.start(options);
        let mut client = node.client();
        change(&mut client);
        let (ours, content) = settled(&mut client);
        assert!(ours == theirs || !neighbour.counts_alike, "{file}: {ours} is not {theirs}");
        save(&mut client);

        let real = neighbour_over(&program, &home.snapshot(), aside.path());
        let mut client = real.connect().expect("it accepts");
        let (reread, seen) = settled(&mut client);
        let mut differences = canon::compare(&content, &seen);
        // Not every version has a place for when a consumer was active.
        differences.retain(|line| !line.contains(".active_ms: "));
        assert_eq!(differences, [""; 0], "{file}");
        assert_eq!(reread, theirs, "{file}: the neighbour's digest of our file");
        save(&mut client);
        drop(real);

        let back = Home::with(&aside.path().join("dump.rdb"));
        let node = back.start(&[]);
        assert_eq!(digest(&mut node.client()), ours, "{file}: our digest of the neighbour's file");
    });
}

#[test]
fn redis_7_reads_what_we_write_and_the_other_way_round() {
    there_and_back(&REDIS7, &[]);
}

#[test]
fn redis_8_reads_what_we_write_and_the_other_way_round() {
    there_and_back(&REDIS8, &[]);
}

#[test]
fn valkey_9_reads_what_we_write_and_the_other_way_round() {
    // Hashes with field expiry have another form there than in Redis.
    there_and_back(&VALKEY9, &["--rdb-save-version", "valkey"]);
}

/// Every neighbour reads its newest version as well, uncompressed and without a checksum.
#[test]
fn neighbours_read_the_version_that_is_asked_for() {
    for neighbour in [REDIS7, REDIS8, VALKEY9] {
        let plain =
            ["--rdb-save-version", neighbour.version, "--rdbcompression", "no", "--rdbchecksum", "no"];
        there_and_back(&neighbour, &plain);
    }
}

/// Without field expiry all of them read what is written by default.
#[test]
fn all_read_the_default() {
    for neighbour in [&REDIS7, &REDIS8, &VALKEY9] {
        let everybodys = Neighbour {
            files: &["made_r7.0.15_alltypes", "made_r7.0.15_lru", "found_hdt_example"],
            counts_alike: neighbour.variable != REDIS7.variable,
            ..*neighbour
        };
        there_and_back(&everybodys, &[]);
    }
}
