//! A server whose directory outlives it: started, killed, started again, watched from outside by its log, its
//! process and its exit code.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::client::{Client, Value};

/// How long anything may take that is waited for here: two busy cores must be enough.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until `ready` gives something.
pub fn wait<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if let Some(found) = ready() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("waited in vain: {what}");
}

/// Runs `work` over all items, a few at a time.
pub fn parallel<T: Sync>(items: &[T], work: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    work(item);
                }
            });
        }
    });
}

/// A server's directory (`data`), with room beside it for its log and its port file.
pub struct Home {
    root: TempDir,
}

impl Home {
    pub fn new() -> Home {
        let root = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(root.path().join("data")).expect("a directory");
        Home { root }
    }

    /// A home whose snapshot is a copy of `file`.
    pub fn with(file: &Path) -> Home {
        let home = Home::new();
        std::fs::copy(file, home.snapshot()).expect("copied");
        home
    }

    pub fn data(&self) -> PathBuf {
        self.root.path().join("data")
    }

    pub fn snapshot(&self) -> PathBuf {
        self.data().join("dump.rdb")
    }

    /// The snapshot's bytes; none if there is no snapshot.
    pub fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.snapshot()).unwrap_or_default()
    }

    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.root.path().join("log")).unwrap_or_default()).into_owned()
    }

    /// The names in the data directory that are neither the snapshot nor its lock.
    pub fn strays(&self) -> Vec<String> {
        let names = std::fs::read_dir(self.data()).expect("readable").flatten();
        let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| name != "dump.rdb" && name != ".dump.rdb.lock").collect()
    }

    /// Starts our binary and waits for nothing. The log goes on where the last run's ended.
    pub fn launch(&self, options: &[&str]) -> Node {
        self.run(Command::new(env!("CARGO_BIN_EXE_resnap")), options)
    }

    /// `launch` behind a shell's `limits`, such as `ulimit -v 100000`.
    pub fn launch_limited(&self, limits: &str, options: &[&str]) -> Node {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{limits}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_resnap")]);
        self.run(command, options)
    }

    fn run(&self, mut command: Command, options: &[&str]) -> Node {
        let port_file = self.root.path().join("port");
        // Of the last run, if there was one.
        let _ = std::fs::remove_file(&port_file);
        command.args(["--port", "0", "--save", "", "--bind", "127.0.0.1", "--enable-debug-command", "yes"]);
        command.arg("--port-file").arg(&port_file).arg("--dir").arg(self.data());
        command.arg("--logfile").arg(self.root.path().join("log")).args(options);
        command.current_dir(self.root.path()).stdin(Stdio::null()).stdout(Stdio::null());
        let seen = self.log().len();
        let child = command.spawn().expect("the binary runs");
        Node { child, root: self.root.path().to_owned(), seen }
    }

    /// Starts our binary and waits until it serves.
    pub fn start(&self, options: &[&str]) -> Node {
        let mut node = self.launch(options);
        node.wait_until_it_serves();
        node
    }
}

/// A running server; dropped, it is killed by its pid.
pub struct Node {
    child: Child,
    root: PathBuf,
    /// Length of the log when this run began.
    seen: usize,
}

impl Node {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What this run has logged.
    pub fn log(&self) -> String {
        let log = std::fs::read(self.root.join("log")).unwrap_or_default();
        String::from_utf8_lossy(log.get(self.seen..).unwrap_or_default()).into_owned()
    }

    /// Waits for a line with `part`, and gives it from `part` on.
    pub fn wait_for_line(&self, part: &str) -> String {
        wait(&format!("the log line {part:?} in:\n{}", self.log()), || {
            let log = self.log();
            // Only whole lines.
            let line = log.split_inclusive('\n').find(|line| line.contains(part) && line.ends_with('\n'))?;
            Some(line[line.find(part)?..].trim_end().to_owned())
        })
    }

    pub fn wait_until_it_serves(&mut self) {
        let file = self.root.join("port");
        let end = Instant::now() + PATIENCE;
        while std::fs::read_to_string(&file).unwrap_or_default().is_empty() {
            let ended = self.child.try_wait().expect("it can be asked");
            assert_eq!(ended, None, "it ended instead of serving; its log:\n{}", self.log());
            assert!(Instant::now() < end, "it does not serve; its log:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The port, which is in the log as soon as it is bound.
    pub fn port(&self) -> u16 {
        let line = self.wait_for_line("Listening on port ");
        let number: String = line.chars().filter(char::is_ascii_digit).collect();
        number.parse().expect("a port")
    }

    pub fn client(&self) -> Client {
        Client::connect(("127.0.0.1", self.port())).expect("it accepts")
    }

    /// One request by a client of its own.
    pub fn ask(&self, line: &str) -> Value {
        self.client().line(line).unwrap_or_else(|error| panic!("{line}: {error}; log:\n{}", self.log()))
    }

    /// `ask`, for what must be answered OK.
    pub fn ok(&self, line: &str) {
        assert_eq!(self.ask(line), Value::Simple(b"OK".to_vec()), "{line}");
    }

    /// The error that a request gets.
    pub fn error(&self, line: &str) -> String {
        match self.ask(line) {
            Value::Error(text) => String::from_utf8_lossy(&text).into_owned(),
            other => panic!("{line}: {other:?}"),
        }
    }

    /// A section of INFO.
    pub fn info(&self, section: &str) -> BTreeMap<String, String> {
        let text = self.ask(&format!("INFO {section}")).bytes().expect("INFO answers text");
        let text = String::from_utf8_lossy(&text).into_owned();
        let pairs = text.lines().filter_map(|line| line.split_once(':'));
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// A field of INFO persistence.
    pub fn persistence(&self, field: &str) -> String {
        let info = self.info("persistence");
        info.get(field).unwrap_or_else(|| panic!("no {field} in {info:?}")).clone()
    }

    /// Waits until a field of INFO persistence has this value.
    pub fn wait_for(&self, field: &str, value: &str) {
        wait(&format!("{field}:{value}"), || (self.persistence(field) == value).then_some(()));
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        signal(self.pid(), name);
    }

    /// The child that saves.
    pub fn saver(&self) -> u32 {
        let path = format!("/proc/{0}/task/{0}/children", self.pid());
        wait("a child", || {
            // fork by another thread puts the child below that thread
            let tasks = std::fs::read_dir(format!("/proc/{}/task", self.pid())).ok()?;
            let lists = tasks.flatten().map(|task| task.path().join("children"));
            let lists: String =
                lists.chain([PathBuf::from(&path)]).filter_map(|p| std::fs::read_to_string(p).ok()).collect();
            lists.split_ascii_whitespace().next()?.parse().ok()
        })
    }

    /// Waits for its end.
    pub fn wait_for_end(&mut self) -> ExitStatus {
        let pid = self.pid();
        let child = &mut self.child;
        wait(&format!("the end of {pid}"), || child.try_wait().expect("it can be asked"))
    }

    /// `wait_for_end`, for one that ends with an exit code.
    pub fn exit_code(&mut self) -> i32 {
        let status = self.wait_for_end();
        status.code().unwrap_or_else(|| panic!("{status}; log:\n{}", self.log()))
    }

    pub fn runs(&mut self) -> bool {
        self.child.try_wait().expect("it can be asked").is_none()
    }

    /// kill -9, and waits until it is gone.
    pub fn kill(mut self) {
        self.signal("KILL");
        self.wait_for_end();
    }

    /// The most resident memory that it had so far, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("it lives");
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("the kernel tells");
        line.split_ascii_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("a number") << 10
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Both fail only when the process is gone already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status();
    assert!(status.expect("kill runs").success(), "kill -{name} {pid}");
}
