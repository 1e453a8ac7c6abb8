//! A server process for a test: ours or a real one, in a directory of its own, gone when the test is.

use std::io::{self, BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;

use crate::client::Client;

/// How long a server may take until it says that it is ready.
const START: Duration = Duration::from_secs(30);

/// A running server; dropped, it is killed by its pid and its directory removed.
pub struct Server {
    child: Child,
    pub port: u16,
    dir: TempDir,
    log: Log,
}

/// What a server has written to its standard output so far.
type Log = Arc<Mutex<String>>;

impl Server {
    /// Starts our binary with `options` (in the manner of `--save 900 1`) on a port that it chooses.
    pub fn ours(options: &[&str]) -> io::Result<Server> {
        let dir = tempfile::tempdir()?;
        let port_file = dir.path().join("port");
        let mut command = Command::new(env!("CARGO_BIN_EXE_resnap"));
        command.args(["--port", "0", "--save", "", "--port-file"]).arg(&port_file);
        let (child, log) = start(command, dir.path(), options)?;
        let mut server = Server { child, port: 0, dir, log };
        let text = std::fs::read_to_string(&port_file)?;
        server.port = text.trim().parse().map_err(|_| failed(&format!("a port file with {text:?}")))?;
        Ok(server)
    }

    /// Starts the real server at `path`. It cannot choose its port, so one that was free a moment ago is given;
    /// who loses that race tries again.
    pub fn real(path: &Path, options: &[&str]) -> io::Result<Server> {
        let mut last = failed("never tried");
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            let dir = tempfile::tempdir()?;
            let mut command = Command::new(path);
            command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
            match start(command, dir.path(), options) {
                Ok((child, log)) => return Ok(Server { child, port, dir, log }),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    pub fn connect(&self) -> io::Result<Client> {
        Client::connect(("127.0.0.1", self.port))
    }

    /// The process's number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        self.log.lock().expect("nobody panics with it").clone()
    }

    /// Waits until it ends by itself.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait()
    }

    /// The server's working directory.
    pub fn dir(&self) -> PathBuf {
        self.dir.path().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only when the process is gone already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start(mut command: Command, dir: &Path, options: &[&str]) -> io::Result<(Child, Log)> {
    command.arg("--dir").arg(dir).args(options);
    command.current_dir(dir).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child = command.spawn()?;
    let log = Log::default();
    let ready = watch(&mut child, log.clone());
    match ready.recv_timeout(START) {
        Ok(true) => Ok((child, log)),
        Ok(false) => {
            let status = child.wait()?;
            let log = log.lock().expect("nobody panics with it");
            Err(failed(&format!("the server ended with {status} before it was ready; its log:\n{log}")))
        }
        Err(_) => {
            child.kill()?;
            child.wait()?;
            Err(failed("the server was not ready in time"))
        }
    }
}

/// Reads the log on a thread of its own until the server ends (a full pipe would stop it), and tells once whether
/// it became ready or ended before.
fn watch(child: &mut Child, log: Log) -> Receiver<bool> {
    let (tell, ready) = channel();
    let stdout = child.stdout.take().expect("stdout was piped by start");
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            log.lock().expect("nobody panics with it").push_str(&format!("{line}\n"));
            if line.contains("Ready to accept connections") {
                // The receiver has gone when the test gave up or has heard it: nobody to tell.
                let _ = tell.send(true);
            }
        }
        let _ = tell.send(false);
    });
    ready
}

fn failed(what: &str) -> io::Error {
    io::Error::other(what.to_owned())
}
