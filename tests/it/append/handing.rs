//! A log's directory handed to a real server and back, several times, under writes: what one wrote the other loads.
//!
//! Where real servers are: see `neighbours`.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::writing::{WRITES, differences};
use crate::canon;
use crate::client::Client;
use crate::node::{Home, parallel};
use crate::server::Server;

struct Neighbour {
    variable: &'static str,
    /// Its digest is ours: 7.0 writes scores otherwise into it, Valkey leaves field expiry out.
    counts_alike: bool,
    /// The newest version of the format that it reads, as `rdb-save-version` calls it.
    version: &'static str,
    /// Commands that it does not know, or as what the log has them (HINCRBYFLOAT: HSETEX, as in Redis 8).
    unknown: &'static [&'static str],
}

const NEIGHBOURS: &[Neighbour] = &[
    Neighbour {
        variable: "RESNAP_REDIS7",
        counts_alike: false,
        version: "10",
        unknown: &["HEXPIRE", "HGETDEL", "HINCRBYFLOAT"],
    },
    Neighbour { variable: "RESNAP_REDIS8", counts_alike: true, version: "12", unknown: &[] },
    Neighbour { variable: "RESNAP_VALKEY9", counts_alike: false, version: "valkey", unknown: &["HGETDEL"] },
];

/// Its content, and its digest, once what is past its time has gone.
fn state(client: &mut Client) -> (Json, String) {
    std::thread::sleep(std::time::Duration::from_millis(300));
    let digest = client.line("DEBUG DIGEST").expect("answered").bytes().expect("a digest");
    (canon::dump(client).expect("readable"), String::from_utf8_lossy(&digest).into_owned())
}

fn write(client: &mut Client, round: usize, unknown: &[&str]) {
    for line in WRITES.iter().filter(|line| !unknown.iter().any(|word| line.starts_with(word))) {
        client.line(line).expect("answered");
    }
    client.line(&format!("RPUSH rounds {round}")).expect("answered");
}

fn rewrite(client: &mut Client) {
    assert!(!client.line("BGREWRITEAOF").expect("answered").is_error());
    crate::node::wait("the rewrite's end", || {
        let info = client.line("INFO persistence").expect("answered").bytes().expect("text");
        String::from_utf8_lossy(&info).contains("aof_rewrite_in_progress:0").then_some(())
    });
}

fn there_and_back(neighbour: &Neighbour, program: &Path, base: &str, ends_in_order: bool) {
    let home = Home::new();
    let data = home.data();
    let shared = ["--appendonly", "yes", "--aof-use-rdb-preamble", base, "--appendfsync", "always"];
    let mut last: Option<(Json, String)> = None;
    let same = |last: &Option<(Json, String)>, now: &(Json, String), who: &str| {
        let Some(last) = last else { return };
        let mut found = differences(&last.0, &now.0);
        // Redis 7.0 does not log how many entries a group has read, and has forgotten it after a replay itself.
        found.retain(|line| neighbour.version != "10" || !line.contains("entries_read"));
        assert_eq!(found, Vec::<String>::new(), "{who} {}", neighbour.variable);
        assert!(last.1 == now.1 || !neighbour.counts_alike, "{who}");
    };
    for round in 0..3 {
        let node = home.start(&[&shared[..], &["--rdb-save-version", neighbour.version]].concat());
        let mut client = node.client();
        same(&last, &state(&mut client), "ours");
        write(&mut client, round, neighbour.unknown);
        if round != 1 {
            rewrite(&mut client);
            write(&mut client, round, neighbour.unknown);
        }
        last = Some(state(&mut client));
        if ends_in_order {
            client.line("SHUTDOWN").expect_err("it leaves");
            drop(node);
        } else {
            node.kill();
        }

        let dir = data.to_str().expect("text");
        let options = [&shared[..], &["--dir", dir, "--enable-debug-command", "yes"]].concat();
        let real = Server::real(program, &options).unwrap_or_else(|error| panic!("{error}"));
        let mut client = real.connect().expect("it accepts");
        same(&last, &state(&mut client), "theirs");
        write(&mut client, round, neighbour.unknown);
        if round != 2 {
            rewrite(&mut client);
            write(&mut client, round, neighbour.unknown);
        }
        last = Some(state(&mut client));
        drop(real);
    }
}

#[test]
fn a_directory_is_handed_to_real_servers_and_back() {
    let mut rows = Vec::new();
    for neighbour in NEIGHBOURS {
        let Some(program) = std::env::var_os(neighbour.variable).map(PathBuf::from) else {
            println!("not run: {} does not name the real server", neighbour.variable);
            continue;
        };
        rows.extend([(neighbour, program.clone(), "yes", true), (neighbour, program, "no", false)]);
    }
    parallel(&rows, |(neighbour, program, base, ends_in_order)| {
        there_and_back(neighbour, program, base, *ends_in_order);
    });
}
