//! The process as shells, service managers and harnesses see it: arguments, exit codes, log, title, background.

use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::client::Client;

fn resnap() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_resnap"));
    command.stdin(Stdio::null());
    command
}

fn output(args: &[&str]) -> Output {
    resnap().args(args).output().expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Waits for a file with content, and returns it.
fn wait_for(path: &Path) -> String {
    let end = Instant::now() + Duration::from_secs(20);
    while Instant::now() < end {
        match std::fs::read_to_string(path) {
            Ok(content) if !content.is_empty() => return content,
            _ => std::thread::sleep(Duration::from_millis(10)),
        }
    }
    panic!("{} does not appear", path.display());
}

/// A server that is killed when the test is over.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts in `home`, where `log` and `port` appear, and waits until it serves.
fn start(home: &Path, command: &mut Command, args: &[&str]) -> Running {
    let fixed = ["--port", "0", "--port-file", "port", "--logfile", "log", "--save", ""];
    let child = command.current_dir(home).args(fixed).args(args).spawn().expect("the binary runs");
    let running = Running(child);
    wait_for(&home.join("port"));
    running
}

#[test]
fn version_and_help() {
    let version = output(&["--version"]);
    let line = text(&version.stdout);
    assert!(
        version.status.success()
            && line.starts_with("Redis server v=8.0.6 sha=")
            && line.contains(" resnap=")
    );
    assert_eq!(text(&output(&["-v"]).stdout), line);
    let help = output(&["-h"]);
    assert!(help.status.success() && text(&help.stdout).contains("--directive"));
    assert_eq!(output(&["--test-memory"]).status.code(), Some(1));
    assert_eq!(output(&["--test-memory", "1"]).status.code(), Some(0));
    assert_eq!(output(&["x.conf", "--sentinel"]).status.code(), Some(1));
}

#[test]
fn a_bad_line_is_shown_and_ends_the_start() {
    let bad = output(&["--port", "6379", "6380"]);
    assert_eq!(bad.status.code(), Some(1));
    assert_eq!(
        text(&bad.stderr),
        "\n*** FATAL CONFIG FILE ERROR (Redis 8.0.6) ***\nReading the configuration file, at line 2\n>>> 'port \
         \"6379\" \"6380\"'\nwrong number of arguments\n"
    );
    let missing = output(&["/nonexistent.conf"]);
    assert_eq!(missing.status.code(), Some(1));
    let log = text(&missing.stdout);
    assert!(
        log.contains(":C ")
            && log.ends_with(
                "# Fatal error, can't open config file '/nonexistent.conf': No such file or directory\n"
            )
    );
    let unknown = output(&["--some.option", "1"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(text(&unknown.stdout).contains("# >>> 'some.option 1'\n"));
}

#[test]
fn what_would_lose_data_or_open_the_server_is_refused() {
    for args in [
        &["--aclfile", "x"][..],
        &["--user", "alice on >x ~* +@all"],
        &["--tls-port", "6380"],
        &["--tls-cert-file", "x"],
        &["--replicaof", "127.0.0.1", "6379"],
        &["--slaveof", "127.0.0.1", "6379"],
        &["--cluster-enabled", "yes"],
        &["--min-replicas-to-write", "1"],
        &["--loadmodule", "x.so"],
    ] {
        let refused = output(args);
        assert_eq!(refused.status.code(), Some(1), "{args:?}");
        assert!(text(&refused.stderr).contains("FATAL CONFIG FILE ERROR"), "{args:?}");
    }
}

#[test]
fn lines_from_standard_input() {
    let mut child = resnap()
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    child.stdin.take().expect("piped").write_all(b"port 1\nport x\n").expect("written");
    let output = child.wait_with_output().expect("it ends");
    assert!(text(&output.stderr).contains("at line 2\n>>> 'port x'\n"));
}

#[test]
fn the_log_has_the_lines_that_harnesses_wait_for() {
    let home = tempfile::tempdir().expect("a directory");
    let server = start(home.path(), &mut resnap(), &["--always-show-logo", "yes"]);
    let pid = server.0.id();
    let log = wait_for(&home.path().join("log"));
    let at = |part: &str| log.find(part).unwrap_or_else(|| panic!("no {part:?} in\n{log}"));
    let order = [
        format!("{pid}:C "),
        "Redis is starting".to_owned(),
        "Redis version=8.0.6, bits=64,".to_owned(),
        format!(" PID: {pid}\n"),
        format!("{pid}:M "),
        "Running mode=standalone, port=0.".to_owned(),
        " * Server initialized\n".to_owned(),
    ];
    let places: Vec<usize> = order.iter().map(|part| at(part)).collect();
    assert!(places[..4].is_sorted() && places[3] < places[6] && places[5] < places[6], "{log}");
    let line = log.lines().find(|line| line.ends_with("Server initialized")).expect("found above");
    // PID:ROLE DD Mon YYYY HH:MM:SS.mmm LEVEL message
    let shape: String = line[pid.to_string().len()..]
        .chars()
        .map(|c| if c.is_ascii_digit() { '9' } else { c })
        .take(29)
        .collect();
    assert!(shape.starts_with(":M 99 ") && shape[9..].starts_with(" 9999 99:99:99.999 *"), "{line:?}");
}

#[test]
fn the_title_and_the_environment() {
    let home = tempfile::tempdir().expect("a directory");
    let server = start(home.path(), &mut resnap(), &["--bind", "127.0.0.1"]);
    let port = wait_for(&home.path().join("port"));
    let title = std::fs::read(format!("/proc/{}/cmdline", server.0.id())).expect("readable");
    let title = text(&title);
    let title = title.trim_end_matches('\0');
    assert_eq!(title, format!("{} 127.0.0.1:{}", env!("CARGO_BIN_EXE_resnap"), port.trim()));
}

#[test]
fn in_the_background() {
    let home = tempfile::tempdir().expect("a directory");
    let args = ["--daemonize", "yes", "--pidfile", "pid"];
    let mut started = start(home.path(), &mut resnap(), &args);
    assert!(started.0.wait().expect("the first process ends at once").success());
    let pid: u32 = wait_for(&home.path().join("pid")).trim().parse().expect("a number");
    assert_ne!(pid, started.0.id());
    let port: u16 = wait_for(&home.path().join("port")).trim().parse().expect("a number");
    let mut client = Client::connect(("127.0.0.1", port)).expect("it serves");
    client.call(&["PING"]).expect("it answers");
    let input = std::fs::read_link(format!("/proc/{pid}/fd/0")).expect("readable");
    assert_eq!(input, Path::new("/dev/null"));
    // Nobody is left to be its parent: it is ended by its number.
    let killed = Command::new("kill").args(["-9", &pid.to_string()]).status().expect("kill runs");
    assert!(killed.success());
}

#[test]
fn systemd_hears_when_it_is_ready() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("bound");
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("settable");
    let mut command = resnap();
    command.env("NOTIFY_SOCKET", &path);
    // Supervised, it stays in the foreground.
    let server = start(home.path(), &mut command, &["--supervised", "auto", "--daemonize", "yes"]);
    let messages: Vec<String> = (0..3)
        .map(|_| {
            let mut message = [0; 256];
            let len = socket.recv(&mut message).expect("a message");
            text(&message[..len])
        })
        .collect();
    assert_eq!(
        messages,
        ["STATUS=Redis is loading...\n", "STATUS=Ready to accept connections\n", "READY=1\n"]
    );
    assert!(Path::new(&format!("/proc/{}", server.0.id())).exists());
}

/// What a second process in `home` says, which does not come up.
fn refused_beside(home: &Path, args: &[&str]) -> String {
    let output =
        resnap().current_dir(home).args(["--port", "0"]).args(args).output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    text(&output.stdout)
}

#[test]
fn a_data_set_belongs_to_one_process() {
    let home = tempfile::tempdir().expect("a directory");
    let args = ["--save", "3600 1", "--appendonly", "yes"];
    let first = start(home.path(), &mut resnap(), &args);
    let pid = first.0.id();
    let line = format!("belongs to another process (pid {pid}). Exiting.");
    for other in [&args[..2], &["--save", "", "--appendonly", "yes"]] {
        let said = refused_beside(home.path(), other);
        assert!(said.contains(&line), "{said}");
    }
    // Names of one's own are a data set of one's own, and one who keeps nothing takes nothing away.
    let own = ["--dbfilename", "own.rdb", "--appendfilename", "own.aof"];
    let beside: Vec<&str> =
        ["--logfile", "log2", "--port-file", "port2"].into_iter().chain(args).chain(own).collect();
    let second = start_beside(home.path(), &beside, "port2");
    let third =
        start_beside(home.path(), &["--logfile", "log3", "--port-file", "port3", "--save", ""], "port3");
    let mut client = client_of(home.path(), "port3");
    // Whichever directive asks for it is the one that the refusal names.
    for request in ["CONFIG SET appendonly yes", "CONFIG SET maxmemory 0 appendonly yes hz 10"] {
        let refusal = client.line(request).expect("an answer");
        let said = text(&refusal.bytes().unwrap_or_default());
        assert!(refusal.is_error() && said.contains("belongs to another process"), "{said}");
        assert!(said.contains("(possibly related to argument 'appendonly')"), "{said}");
    }
    drop((first, second));
    // Killed, they hold nothing any more.
    assert!(!client.line("CONFIG SET appendonly yes").expect("an answer").is_error());
    drop(third);
    std::fs::remove_file(home.path().join("port")).expect("it was there");
    drop(start(home.path(), &mut resnap(), &args));
}

fn client_of(home: &Path, port_file: &str) -> Client {
    let port: u16 = wait_for(&home.join(port_file)).trim().parse().expect("a port");
    Client::connect(("127.0.0.1", port)).expect("it serves")
}

fn start_beside(home: &Path, args: &[&str], port_file: &str) -> Running {
    let child = resnap().current_dir(home).args(["--port", "0"]).args(args).spawn().expect("the binary runs");
    let running = Running(child);
    wait_for(&home.join(port_file));
    running
}

/// The child of a save has closed what it inherited, so that nobody waits for it who starts after its parent's end.
#[test]
fn a_child_that_outlives_its_parent_does_not_keep_the_data_set() {
    let home = tempfile::tempdir().expect("a directory");
    let args = ["--save", "3600 1", "--rdb-key-save-delay", "1000000", "--enable-debug-command", "yes"];
    let first = start(home.path(), &mut resnap(), &args);
    let mut client = client_of(home.path(), "port");
    for line in ["DEBUG POPULATE 100", "BGSAVE"] {
        assert!(!client.line(line).expect("an answer").is_error());
    }
    let children = format!("/proc/{0}/task/{0}/children", first.0.id());
    let child = wait_for(Path::new(&children));
    drop(first);
    let child = child.trim().to_owned();
    assert!(Path::new(&format!("/proc/{child}")).exists(), "it goes on");
    std::fs::remove_file(home.path().join("port")).expect("it was there");
    drop(start(home.path(), &mut resnap(), &args));
    let killed = Command::new("kill").args(["-9", &child]).status().expect("it can be asked");
    assert!(killed.success(), "it was there until now");
}
