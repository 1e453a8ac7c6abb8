//! kill -9 under load: several clients write, each with its own record of what it asked and heard; the server is killed
//! at random moments, also while it rewrites, saves, starts or turns its log off and on; started again on the same
//! directory it must hold everything that was answered, in order, transactions whole.
//!
//! `RESNAP_KILLS=3000 cargo test --test it crash::` goes on for so many kills; `RESNAP_SEED` repeats a run's choices
//! (not the scheduler's). Without, it is some dozens of kills, which differ from run to run.

mod disk;
mod load;
mod model;
mod power;
mod queue;

use std::sync::Mutex;
use std::time::Duration;

use self::load::{Journal, connect, look};
use self::model::{GROUP, Model};
use self::queue::{Floor, Queue};
use crate::client::{Client, Value};
use crate::node::{Home, Node, wait};

/// Clients that write.
const WRITERS: usize = 3;

/// How often the server is killed when nobody says.
const KILLS: u64 = 12;

pub fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

#[test]
fn always_keeps_what_was_answered() {
    Lane::new("always", false).run(1);
}

#[test]
fn everysec_keeps_what_was_answered() {
    Lane::new("everysec", false).run(2);
}

#[test]
fn no_syncs_keep_what_was_answered() {
    Lane::new("no", false).run(3);
}

#[test]
fn switches_keep_what_was_answered() {
    Lane::new("always", true).run(4);
}

/// A directory, and servers that live and die there.
struct Lane {
    home: Home,
    rng: fastrand::Rng,
    policy: &'static str,
    /// The log is turned off and on, and the policy changed, too.
    switches: bool,
    /// What each writer's database holds.
    models: Vec<Model>,
    /// Kills, and those after which writes were missing that a running sync had put off.
    kills: u64,
    put_off: u64,
}

/// What the clients of one server's life know.
struct Life {
    journals: Vec<Mutex<Journal>>,
    queue: Mutex<Queue>,
    /// While the log is off, and until it is whole again: what had been answered before.
    gap: Option<(Vec<usize>, Floor)>,
    /// `everysec` was in force.
    puts_off: bool,
}

impl Lane {
    fn new(policy: &'static str, switches: bool) -> Lane {
        let rng = fastrand::Rng::new();
        let models = vec![Model::default(); WRITERS];
        Lane { home: Home::new(), rng, policy, switches, models, kills: 0, put_off: 0 }
    }

    fn run(mut self, number: u64) {
        let seed = setting("RESNAP_SEED").unwrap_or_else(|| fastrand::u64(..1 << 32));
        let wanted = setting("RESNAP_KILLS").map_or(KILLS, |kills| kills.div_ceil(4));
        let what = format!("{} (switches: {}), RESNAP_SEED={seed}", self.policy, self.switches);
        println!("{what}: {wanted} kills");
        self.rng = fastrand::Rng::with_seed(seed ^ (number << 40));
        let mut life: Option<Life> = None;
        while self.kills < wanted {
            if self.rng.u8(..6) == 0 {
                self.die_young();
            }
            let node = self.start();
            if let Err(why) = self.check(&node, life.take()) {
                let log = node.log();
                panic!("{what}: after {} kills: {why}\nthe log:\n{log}", self.kills);
            }
            life = Some(self.live(node).unwrap_or_else(|why| panic!("{what}: {why}")));
            self.kills += 1;
            if self.kills.is_multiple_of(100) {
                println!("{what}: {} kills so far", self.kills);
            }
        }
        let node = self.start();
        self.check(&node, life.take()).unwrap_or_else(|why| panic!("{what}: at the end: {why}"));
        println!("{what}: survived {} kills, {} with writes put off", self.kills, self.put_off);
        assert!(self.put_off <= 1 + self.kills / 20, "too often something was missing: {}", self.put_off);
    }

    fn options(&mut self) -> Vec<&'static str> {
        let mut options = vec!["--appendonly", "yes", "--appendfsync", self.policy];
        let rng = &mut self.rng;
        let mut maybe =
            |name, values: &[&'static str]| options.extend([name, values[rng.usize(..values.len())]]);
        maybe("--aof-use-rdb-preamble", &["yes", "yes", "no"]);
        maybe("--aof-timestamp-enabled", &["yes", "no"]);
        maybe("--no-appendfsync-on-rewrite", &["yes", "no"]);
        maybe("--io-threads", &["1", "2"]);
        maybe("--auto-aof-rewrite-percentage", &["100", "20"]);
        maybe("--auto-aof-rewrite-min-size", &["64kb", "16kb"]);
        options
    }

    fn start(&mut self) -> Node {
        let options = self.options();
        let node = self.home.start(&options);
        let mut client = connect(&node);
        wait("the end of loading", || (!client.line("PING").ok()?.is_error()).then_some(()));
        node
    }

    /// A server that is killed before it serves.
    fn die_young(&mut self) {
        let options = self.options();
        let node = self.home.launch(&options);
        std::thread::sleep(Duration::from_millis(self.rng.u64(..40)));
        drop(node);
        self.kills += 1;
    }

    /// Compares what is there with what the clients of the last life know.
    fn check(&mut self, node: &Node, life: Option<Life>) -> Result<(), String> {
        let mut client = connect(node);
        for db in 0..WRITERS {
            let (found, looked) = look(&mut client, db).map_err(|error| format!("looking: {error}"))?;
            if let Some(life) = &life {
                self.put_off += u64::from(life.settle(db, &self.models[db], &found, looked)?);
            }
            self.models[db] = found;
        }
        queue::select(&mut client);
        let (left, done) = queue::look(&mut client);
        if let Some(life) = &life {
            self.put_off += u64::from(life.settle_queue(&left, &done)?);
        }
        queue::clear(&mut client);
        Ok(())
    }

    /// A server's life under load, to its death.
    fn live(&mut self, node: Node) -> Result<Life, String> {
        self.prepare(&node);
        let mut life = Life {
            journals: (0..WRITERS).map(|_| Mutex::default()).collect(),
            queue: Mutex::default(),
            gap: None,
            puts_off: self.policy == "everysec",
        };
        let seed = self.rng.u64(..);
        let (journals, queue) = (&life.journals, &life.queue);
        let (node_ref, mut failures) = (&node, Vec::new());
        let (mut gap, mut puts_off) = (None, life.puts_off);
        std::thread::scope(|scope| {
            let killer = Killer(node_ref.pid());
            let mut threads = Vec::new();
            for (db, journal) in journals.iter().enumerate() {
                threads.push(scope.spawn(move || load::write(node_ref, db, seed ^ db as u64, journal)));
            }
            threads.push(scope.spawn(move || queue::push(node_ref, queue, seed)));
            threads.push(scope.spawn(move || queue::take(node_ref, queue, seed)));
            let mut trouble = Trouble {
                node: node_ref,
                journals,
                queue,
                gap: &mut gap,
                puts_off: &mut puts_off,
                killed: 0,
            };
            self.trouble(&mut trouble);
            let early = threads.iter().any(|thread| thread.is_finished());
            drop(killer);
            failures.extend(threads.into_iter().filter_map(|thread| thread.join().expect("no panic").err()));
            if early && failures.is_empty() {
                failures.push("the server ended by itself, or a connection".to_owned());
            }
        });
        if let Some(why) = failures.first() {
            return Err(format!("{why}\nthe log:\n{}", node.log()));
        }
        (life.gap, life.puts_off) = (gap, puts_off);
        Ok(life)
    }

    /// Every writer's group is there.
    fn prepare(&mut self, node: &Node) {
        let mut client = connect(node);
        for (db, model) in self.models.iter_mut().enumerate() {
            client.line(&format!("SELECT {db}")).expect("it answers");
            if !model.0.contains_key("x0") {
                client.line(GROUP).expect("it answers");
                model.apply(GROUP, model::Window::at(0), None);
            }
        }
    }

    /// What goes on beside the load, until it is time to die.
    fn trouble(&mut self, trouble: &mut Trouble<'_>) {
        let mut client = connect(trouble.node);
        std::thread::sleep(Duration::from_micros(self.rng.u64(..60_000)));
        for _ in 0..self.rng.usize(..5) {
            trouble.one(&mut client, &mut self.rng, self.switches);
            // Now and then the end comes while it is still at it.
            let most = if self.rng.bool() { 3_000 } else { 80_000 };
            std::thread::sleep(Duration::from_micros(self.rng.u64(..most)));
        }
    }
}

/// Kills as it goes, also where a test fails: the clients stop at nothing else.
struct Killer(u32);

impl Drop for Killer {
    fn drop(&mut self) {
        crate::node::signal(self.0, "KILL");
    }
}

/// What an operator does meanwhile.
struct Trouble<'a> {
    node: &'a Node,
    journals: &'a [Mutex<Journal>],
    queue: &'a Mutex<Queue>,
    gap: &'a mut Option<(Vec<usize>, Floor)>,
    puts_off: &'a mut bool,
    /// Children that were killed: after three failures a server would wait for a minute.
    killed: u32,
}

impl Trouble<'_> {
    fn one(&mut self, client: &mut Client, rng: &mut fastrand::Rng, switches: bool) {
        match rng.u8(..if switches { 10 } else { 5 }) {
            0..3 => self.ask(client, "BGREWRITEAOF"),
            3 => self.ask(client, "BGSAVE"),
            4 if self.killed < 2 => self.kill_child(),
            4 => {}
            5 => {
                let policy = ["always", "everysec", "no"][rng.usize(..3)];
                *self.puts_off |= policy == "everysec";
                self.ask(client, &format!("CONFIG SET appendfsync {policy}"));
            }
            6 => self.ask(
                client,
                ["CONFIG SET aof-use-rdb-preamble no", "CONFIG SET aof-use-rdb-preamble yes"][rng.usize(..2)],
            ),
            _ => self.turn(client, rng),
        }
    }

    /// Says what the answer is no matter for: there may be a child already.
    fn ask(&self, client: &mut Client, line: &str) {
        client.line(line).unwrap_or_else(|error| panic!("{line}: {error}\n{}", self.node.log()));
    }

    fn kill_child(&mut self) {
        self.killed += 1;
        let tasks =
            std::fs::read_dir(format!("/proc/{}/task", self.node.pid())).into_iter().flatten().flatten();
        let lists = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
        let pids: Vec<String> =
            lists.flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect();
        // Gone by now: as good.
        pids.iter().for_each(|pid| {
            drop(
                std::process::Command::new("kill")
                    .args(["-9", pid])
                    .stderr(std::process::Stdio::null())
                    .status(),
            )
        });
    }

    /// Turns the log off, or on again; what is written between is promised from when the log is whole.
    fn turn(&mut self, client: &mut Client, rng: &mut fastrand::Rng) {
        if self.gap.is_none() {
            let queue = self.queue.lock().expect("nobody panics with it").floor();
            let answered = |journal: &Mutex<Journal>| journal.lock().expect("nobody panics with it").answered;
            *self.gap = Some((self.journals.iter().map(answered).collect(), queue));
            self.ask(client, "CONFIG SET appendonly no");
            std::thread::sleep(Duration::from_micros(rng.u64(..20_000)));
        }
        self.ask(client, "CONFIG SET appendonly yes");
        if rng.u8(..3) > 0 {
            wait("the log to be whole", || self.is_whole(client).then_some(()));
            *self.gap = None;
        }
    }

    fn is_whole(&self, client: &mut Client) -> bool {
        let Ok(Value::Bulk(info)) = client.line("INFO persistence") else { return false };
        let info = String::from_utf8_lossy(&info).into_owned();
        let lines = ["aof_enabled:1", "aof_rewrite_in_progress:0", "aof_rewrite_scheduled:0"];
        lines.iter().all(|line| info.lines().any(|other| other == *line))
    }
}

impl Life {
    /// Whether a writer's database holds what it must; true if it does but for what a running sync had put off.
    fn settle(&self, db: usize, start: &Model, found: &Model, looked: model::Window) -> Result<bool, String> {
        let journal = self.journals[db].lock().expect("nobody panics with it");
        let floor = self.gap.as_ref().map_or(journal.answered, |(floors, _)| floors[db]);
        match journal.settle(start, floor, found, looked) {
            Ok(_) => Ok(false),
            Err(_) if self.puts_off && journal.settle(start, 0, found, looked).is_ok() => Ok(true),
            Err(why) => Err(format!("database {db}: {why}")),
        }
    }

    fn settle_queue(&self, left: &[u64], done: &[u64]) -> Result<bool, String> {
        let queue = self.queue.lock().expect("nobody panics with it");
        let floor = self.gap.as_ref().map_or(queue.floor(), |(_, floor)| *floor);
        match queue.settle(floor, left, done) {
            Ok(()) => Ok(false),
            Err(_) if self.puts_off && queue.settle(Floor::default(), left, done).is_ok() => Ok(true),
            Err(why) => Err(why),
        }
    }
}

/// A key that takes the place of one that is past its time: the log tells of the old one's end first.
#[test]
fn what_took_a_lapsed_keys_place_survives() {
    let home = Home::new();
    let node = home.start(&["--appendonly", "yes"]);
    node.ok("DEBUG SET-ACTIVE-EXPIRE 0");
    for line in ["SET k old PX 1", "SET k new PX 100000", "SET l old PX 1", "SETEX l 100 new"] {
        node.ok(line);
        std::thread::sleep(Duration::from_millis(20));
    }
    node.ok("SET m old PX 1");
    std::thread::sleep(Duration::from_millis(20));
    let new = node.ask("DUMP k").bytes().expect("a payload");
    let restored =
        node.client().call(&[&b"RESTORE"[..], b"m", b"100000", &new, b"REPLACE"]).expect("answered");
    assert_eq!(restored, Value::Simple(b"OK".to_vec()));
    node.kill();
    let node = home.start(&["--appendonly", "yes"]);
    assert_eq!(node.ask("GET m"), Value::Bulk(b"new".to_vec()), "{}", node.log());
    assert_eq!(node.ask("GET k"), Value::Bulk(b"new".to_vec()), "{}", node.log());
    assert_eq!(node.ask("GET l"), Value::Bulk(b"new".to_vec()), "{}", node.log());
}
