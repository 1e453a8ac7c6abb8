//! The log on a disk that forgets what was not synced (`disk`): a session is run once to count what it does there, then
//! once for every operation with a crash or an error just there; what is left is loaded by the product's own start.
//!
//! A crash by `kill -9` leaves everything that was written, one by power what was synced, and a bit more with luck. All
//! must load, and hold a state that the session went through, not older than what its policy promised by then.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use resnap::engine::config::{Config, Loader};
use resnap::engine::session::Peer;
use resnap::engine::{Process, SessionId};
use resnap::persist::aof::RealDisk;
use resnap::resp::{Batch, Out, Parser, ParserLimits};
use resnap::serve::{self, Server};
use resnap::text::clock::Clock;
use resnap::text::log::{self, Level};

use super::disk::{Fault, Files, SimDisk};

/// A step of a session: requests, several of them divided by `;`, which the server must answer without an error.
type Step = &'static str;

/// Syncs as the timer would, once a second.
const SYNC: Step = "sync";
/// Waits until no rewrite is under way or wanted.
const SETTLE: Step = "settle";
/// From here on the log is whole again, after it had been turned off.
const WHOLE: Step = "whole";

const SESSION: [Step; 46] = [
    "SET a 1",
    "RPUSH l 1 2 3",
    SYNC,
    "MULTI;INCR a;SADD s x y z;EXEC",
    "HSET h f v g w",
    "HPEXPIREAT h 1900000000000 FIELDS 1 f",
    "BGREWRITEAOF",
    "SET a 10",
    "ZADD z 1 a 2 b",
    "SELECT 3;SET other 1;SELECT 0",
    SETTLE,
    "INCRBYFLOAT a 0.5",
    "MULTI;LPOP l;RPUSH l2 1;EXEC",
    SYNC,
    "XADD x 1-1 f v",
    "BGREWRITEAOF",
    SETTLE,
    "BGREWRITEAOF",
    "SET b 1 PXAT 1900000000000",
    SETTLE,
    "APPEND b more",
    "CONFIG SET appendonly no",
    "SET gap 1",
    "RPUSH l gap",
    "CONFIG SET appendonly yes",
    "RPUSH l waiting",
    "MULTI;SET gap 2;SADD s gap;EXEC",
    SETTLE,
    WHOLE,
    "RPUSH l after",
    SYNC,
    "DEL s",
    "CONFIG SET aof-use-rdb-preamble no",
    "BGREWRITEAOF",
    "SADD s again",
    SETTLE,
    "XADD x 2-1 f v",
    "CONFIG SET appendonly no",
    "SET gap 3",
    "BGREWRITEAOF",
    SETTLE,
    "SET gap 4",
    "CONFIG SET appendonly yes",
    SETTLE,
    WHOLE,
    "SET end 1",
];

/// A server and its one client, without sockets.
struct Rig {
    server: Arc<Server>,
    client: SessionId,
    disk: SimDisk,
    /// The process would have ended.
    dead: Arc<AtomicBool>,
}

fn config(dir: &Path, policy: &str) -> Config {
    log::set_level(Level::Nothing);
    let mut loader = Loader::default();
    let policy = format!("appendfsync {policy}");
    let dir = format!("dir {}", dir.display());
    let lines = [r#"save """#, "appendonly yes", "enable-debug-command yes", "auto-aof-rewrite-percentage 0"];
    for line in lines.into_iter().chain([policy.as_str(), dir.as_str()]) {
        loader.line(line.as_bytes()).expect("a directive");
    }
    loader.finish();
    loader.config
}

impl Rig {
    /// Starts on a disk; what is there is loaded from `dir`, where the same files lie. `None`: it did not come up.
    fn start(disk: SimDisk, dir: &Path, policy: &str) -> Option<Rig> {
        let dead = Arc::new(AtomicBool::new(false));
        let died = dead.clone();
        let die = move || died.store(true, Ordering::SeqCst);
        let clock = Clock::frozen(1_750_000_000_000);
        let server =
            Server::on_disk(config(dir, policy), clock, Process::default(), Arc::new(disk.clone()), die);
        serve::begin_loading(&server);
        serve::load_at_start(&server).ok()?;
        let client = server.lock().state.clients.open(Peer::Internal, 0);
        Some(Rig { server, client, disk, dead })
    }

    /// Runs requests; their answers.
    fn ask(&self, step: &str) -> String {
        let mut bytes = Vec::new();
        for line in step.split(';') {
            crate::client::encode(&line.split(' ').collect::<Vec<_>>(), &mut bytes);
        }
        let (mut parser, mut batch, mut out) = (Parser::new(), Batch::new(), Out::new());
        parser.parse(&bytes, &ParserLimits { max_bulk: 1 << 20, authenticated: true }, &mut batch);
        let mut engine = self.server.lock();
        let engine = &mut *engine;
        let mut session = engine.state.clients.take(self.client).expect("it is there");
        serve::run_batch(&self.server, engine, &mut session, &batch, &bytes, &mut out, 16 << 20);
        engine.state.clients.put_back(session);
        String::from_utf8_lossy(&out.take()).into_owned()
    }

    /// Lets the log be written as a worker does at the end of its turn; whether replies may leave.
    fn reach(&self) -> bool {
        let lsn = self.server.lock().state.log.lsn();
        self.server.tail().flush();
        self.server.tail().released() >= lsn && !self.is_over()
    }

    fn is_over(&self) -> bool {
        self.disk.is_off() || self.dead.load(Ordering::SeqCst)
    }

    /// Until no rewrite is under way or wanted.
    fn settle(&self) {
        for _ in 0..20_000 {
            serve::cron(&self.server);
            let engine = self.server.lock();
            let wanted = engine.state.log.rewriting.scheduled && !self.is_over();
            if engine.state.saving.running.is_none() && !wanted {
                return;
            }
            drop(engine);
            std::thread::sleep(std::time::Duration::from_micros(200));
        }
        panic!("rewrites without end; the disk:\n{}", self.disk.history());
    }

    fn digest(&self) -> String {
        self.ask("DEBUG DIGEST")
    }
}

/// What the session's states look like: after no step, one, two, ...
fn digests(session: &[Step]) -> Vec<String> {
    let mut config = config(Path::new("/nonexistent"), "no");
    config.appendonly = false;
    let clock = Clock::frozen(1_750_000_000_000);
    let server = Server::new(config, clock, Process::default());
    let client = server.lock().state.clients.open(Peer::Internal, 0);
    let rig = Rig { server, client, disk: SimDisk::default(), dead: Arc::default() };
    let mut digests = vec![rig.digest()];
    for step in session {
        if !is_about_log(step) {
            let answer = rig.ask(step);
            assert!(!answer.contains("\r\n-") && !answer.starts_with('-'), "{step}: {answer}");
        }
        digests.push(rig.digest());
    }
    digests
}

fn is_about_log(step: &str) -> bool {
    [SYNC, SETTLE, WHOLE, "BGREWRITEAOF"].contains(&step) || step.starts_with("CONFIG")
}

/// How far a session came: so many steps were begun, and of so many the effects must be there after a kill, or when
/// the power was gone.
#[derive(Clone, Copy, Debug, Default)]
struct Reached {
    begun: usize,
    kill: usize,
    power: usize,
}

/// Runs a session until it ends or the machine does. What fails is tried again, as long as the machine lives.
fn run(rig: &Rig, session: &[Step], policy: &str) -> Reached {
    let mut reached = Reached::default();
    let mut ends = Vec::new();
    let mut off = false;
    for (n, step) in session.iter().enumerate() {
        reached.begun = n + 1;
        if off && *step == WHOLE {
            off = false;
        }
        if *step == "CONFIG SET appendonly no" {
            off = true;
        }
        let released = attempt(rig, step);
        if rig.is_over() {
            return reached;
        }
        ends.push(rig.server.lock().state.log.lsn());
        let tail = rig.server.tail();
        if off {
            continue;
        }
        if released && !tail.is_syncing() {
            reached.kill = n + 1;
        }
        let synced = tail.synced();
        let safe =
            if policy == "always" { reached.kill } else { ends.iter().filter(|end| **end <= synced).count() };
        if !rig.is_over() {
            reached.power = reached.power.max(safe);
        }
    }
    reached
}

/// Runs a step until it is not refused; whether its replies may leave.
fn attempt(rig: &Rig, step: &str) -> bool {
    match step {
        SYNC => drop(rig.server.tail().finish()),
        SETTLE => rig.settle(),
        WHOLE => {}
        _ => {
            for _ in 0..20 {
                let answer = rig.ask(step);
                let released = rig.reach();
                let refused = answer.starts_with('-') || answer.contains("\r\n-");
                if !refused || rig.is_over() {
                    return released;
                }
                // There may be a rewrite already, which the failure has brought about.
                rig.settle();
            }
            panic!("{step} is refused for ever; the disk:\n{}", rig.disk.history());
        }
    }
    rig.reach()
}

/// What is tried.
struct Trial<'a> {
    session: &'a [Step],
    policy: &'a str,
    digests: Vec<String>,
    /// Images that were looked at already, with what must be in them.
    seen: HashSet<u64>,
    rng: fastrand::Rng,
}

impl Trial<'_> {
    fn new<'a>(session: &'a [Step], policy: &'a str) -> Trial<'a> {
        let (digests, seen) = (digests(session), HashSet::new());
        Trial { session, policy, digests, seen, rng: fastrand::Rng::with_seed(1) }
    }

    /// Loads what is left, which must be a state from `floor` on. `what` is for the message.
    fn reopen(&mut self, files: &Files, dir: &Path, floor: usize, begun: usize, what: impl Fn() -> String) {
        let mut hasher = DefaultHasher::new();
        (files, floor, begun).hash(&mut hasher);
        if !self.seen.insert(hasher.finish()) {
            return;
        }
        let home = scratch();
        for (path, bytes) in files {
            let path = home.path().join(path.strip_prefix(dir).expect("below"));
            std::fs::create_dir_all(path.parent().expect("below")).expect("a directory");
            std::fs::write(path, bytes).expect("written");
        }
        let names = || {
            let shown = |(path, bytes): (&PathBuf, &Vec<u8>)| {
                format!("{} ({}): {:?}\n", path.display(), bytes.len(), String::from_utf8_lossy(bytes))
            };
            files.iter().map(shown).collect::<String>()
        };
        let clock = Clock::frozen(1_750_000_000_000);
        let config = config(home.path(), self.policy);
        let die = || panic!("no errors on this disk");
        let server = Server::on_disk(config, clock, Process::default(), Arc::new(RealDisk), die);
        serve::begin_loading(&server);
        if let Err(error) = serve::load_at_start(&server) {
            panic!("{}: it does not load: {error}\n{}", what(), names());
        }
        let client = server.lock().state.clients.open(Peer::Internal, 0);
        let rig = Rig { server, client, disk: SimDisk::default(), dead: Arc::default() };
        let digest = rig.digest();
        if !self.digests[floor..=begun].contains(&digest) {
            let which = self.digests.iter().position(|other| *other == digest);
            panic!(
                "{}: {floor} steps must be there, up to {begun} may; what is there is the state after \
                 {which:?}\n{}",
                what(),
                names()
            );
        }
    }

    fn reopen_all(&mut self, rig: &Rig, dir: &Path, reached: Reached, what: &str) {
        let policy = self.policy;
        let what =
            |image: &str| format!("{policy} {what}, {image}, {reached:?}; the disk:\n{}", rig.disk.history());
        let begun = reached.begun;
        self.reopen(&rig.disk.after_kill(), dir, reached.kill, begun, || what("killed"));
        self.reopen(&rig.disk.after_power_loss(), dir, reached.power, begun, || what("without power"));
        let torn = rig.disk.after_torn_power_loss(&mut self.rng);
        self.reopen(&torn, dir, reached.power, begun, || what("without power, torn"));
    }

    /// Runs the session with a fault, on a disk with these files.
    fn run(
        &mut self,
        files: &[(PathBuf, Vec<u8>, usize)],
        dir: &Path,
        fault: Option<(usize, Fault)>,
    ) -> (SimDisk, Option<Rig>, Reached) {
        let disk = SimDisk::with(fault);
        files.iter().for_each(|(path, bytes, durable)| disk.put(path, bytes, *durable));
        let Some(rig) = Rig::start(disk.clone(), dir, self.policy) else {
            return (disk, None, Reached::default());
        };
        let reached = run(&rig, self.session, self.policy);
        (disk, Some(rig), reached)
    }

    /// A crash at every operation.
    fn cut_everywhere(&mut self, files: &[(PathBuf, Vec<u8>, usize)], dir: &Path) -> usize {
        let (disk, rig, reached) = self.run(files, dir, None);
        let rig = rig.expect("it starts");
        assert_eq!(reached.begun, self.session.len());
        assert_eq!(reached.kill, self.session.len(), "{}", disk.history());
        let operations = disk.operations();
        self.reopen_all(&rig, dir, reached, "at the end");
        for at in 0..operations {
            let (disk, rig, reached) = self.run(files, dir, Some((at, Fault::Cut)));
            let what = format!("cut at {at}");
            match rig {
                Some(rig) => {
                    rig.settle();
                    self.reopen_all(&rig, dir, reached, &what);
                }
                None => {
                    for image in [disk.after_kill(), disk.after_power_loss()] {
                        self.reopen(&image, dir, 0, 0, || {
                            format!("{what} at the start:\n{}", disk.history())
                        });
                    }
                }
            }
        }
        operations
    }
}

/// A directory for what is looked at once: in memory, if there is such a place, as its syncs mean nothing.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a directory")
}

/// A directory that is not there: all that is in it is on a disk in memory.
fn nowhere() -> PathBuf {
    PathBuf::from("/nonexistent/resnap")
}

#[test]
fn a_crash_at_any_operation_loses_nothing_that_was_promised() {
    for policy in ["always", "everysec", "no"] {
        let mut trial = Trial::new(&SESSION, policy);
        let operations = trial.cut_everywhere(&[], &nowhere());
        println!("{policy}: {operations} operations, {} images", trial.seen.len());
        assert!(operations > 100, "{operations}");
    }
}

#[test]
fn the_latency_monitor_hears_of_a_slow_disk() {
    let rig = Rig::start(SimDisk::default(), &nowhere(), "always").expect("it starts");
    let step = |step| assert!(attempt(&rig, step), "{step}");
    step("CONFIG SET latency-monitor-threshold 3");
    step("SET a 1");
    assert_eq!(rig.ask("LATENCY LATEST"), "*0\r\n");
    rig.disk.slow_down(Duration::from_millis(4));
    step("SET a 2");
    step("BGREWRITEAOF");
    rig.settle();
    let latest = rig.ask("LATENCY LATEST");
    for event in ["aof-write", "aof-write-alone", "aof-fsync-always", "aof-rename"] {
        assert!(latest.contains(&format!("\r\n{event}\r\n")), "{event}: {latest}");
    }
    assert!(!latest.contains("aof-write-pending-fsync"), "nobody syncs beside: {latest}");
    let spent = rig.ask("INFO debug");
    let spent = spent.lines().find_map(|line| line.strip_prefix("eventloop_duration_aof_sum:"));
    assert!(spent.is_some_and(|us| us.trim().parse::<u64>().expect("a number") >= 8_000), "{spent:?}");
}

/// After a `kill -9` what was written need not be durable, and an increment that others follow must be whole.
#[test]
fn what_an_earlier_process_did_not_sync_is_synced_before_others_follow_it() {
    let session = ["BGREWRITEAOF", SETTLE];
    let home = tempfile::tempdir().expect("a directory");
    let log_dir = home.path().join("appendonlydir");
    std::fs::create_dir(&log_dir).expect("a directory");
    let frame = b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n".repeat(3);
    let manifest = b"file appendonly.aof.1.incr.aof seq 1 type i\n".to_vec();
    let files = [
        (log_dir.join("appendonly.aof.1.incr.aof"), frame.clone(), frame.len() / 2),
        (log_dir.join("appendonly.aof.manifest"), manifest.clone(), manifest.len()),
    ];
    files.iter().for_each(|(path, bytes, _)| std::fs::write(path, bytes).expect("written"));
    let mut trial = Trial::new(&session, "everysec");
    // Both states are right: what was not synced by then may be gone.
    let with = {
        let mut other = Trial::new(&["SET a 1"], "no");
        other.digests.pop().expect("two")
    };
    trial.digests = vec![with; 3];
    trial.cut_everywhere(&files, home.path());
}

const FAULTS: [Fault; 3] = [
    Fault::Error { errno: libc::ENOSPC, times: 1 },
    Fault::Error { errno: libc::EIO, times: 2 },
    Fault::Short,
];

#[test]
fn an_error_at_any_operation_ends_the_process_or_is_overcome() {
    for (turn, policy) in ["always", "everysec", "no"].into_iter().enumerate() {
        let mut trial = Trial::new(&SESSION, policy);
        let (disk, ..) = trial.run(&[], &nowhere(), None);
        let (mut deaths, mut refusals) = (0, 0);
        for at in 0..disk.operations() {
            for (number, fault) in FAULTS.into_iter().enumerate() {
                // All at all of them is for the long mode.
                if super::setting("RESNAP_KILLS").is_none() && (at + turn) % FAULTS.len() != number {
                    continue;
                }
                match trial.overcome(at, fault) {
                    Overcome::Died => deaths += 1,
                    Overcome::NeverStarted => refusals += 1,
                    Overcome::Yes => {}
                }
            }
        }
        println!("{policy}: {deaths} ends, {refusals} starts refused, {} images", trial.seen.len());
        assert_eq!(deaths > 0, policy == "always");
    }
}

enum Overcome {
    Yes,
    /// With `always`, by a write or a sync.
    Died,
    NeverStarted,
}

impl Trial<'_> {
    /// Runs the session with an error at an operation.
    fn overcome(&mut self, at: usize, fault: Fault) -> Overcome {
        let (what, dir) = (format!("{fault:?} at {at}"), nowhere());
        let (disk, rig, mut reached) = self.run(&[], &dir, Some((at, fault)));
        let Some(rig) = rig else { return Overcome::NeverStarted };
        let died = rig.dead.load(Ordering::SeqCst);
        if died {
            assert_eq!(self.policy, "always", "{what}");
        } else {
            disk.heal();
            rig.settle();
            assert!(rig.server.tail().finish(), "{what}:\n{}", disk.history());
            assert_eq!(rig.server.tail().trouble().error(), None, "{what}");
            assert_eq!(reached.begun, self.session.len());
            (reached.kill, reached.power) = (reached.begun, reached.begun);
        }
        self.reopen_all(&rig, &dir, reached, &what);
        if died { Overcome::Died } else { Overcome::Yes }
    }
}
