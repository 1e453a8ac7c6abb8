#![allow(unsafe_code)] // raise
//! Supervisors: systemd hears by datagram when the server is ready and when it stops, Upstart by a stop signal.

use crate::engine::config::Supervised;
use crate::{notice, verbose, warning};
use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Finds out who supervises, and tells systemd that the server loads. `None`: nobody does.
pub fn begin(configured: Supervised) -> Option<Supervised> {
    let who = match configured {
        Supervised::Auto if env::var_os("UPSTART_JOB").is_some() => {
            verbose!("Upstart supervision detected.");
            Supervised::Upstart
        }
        Supervised::Auto if env::var_os("NOTIFY_SOCKET").is_some() => {
            verbose!("Systemd supervision detected.");
            Supervised::Systemd
        }
        who => who,
    };
    let supervised = match who {
        Supervised::Systemd => begin_systemd(),
        Supervised::Upstart => begin_upstart(),
        Supervised::Auto | Supervised::No => false,
    };
    supervised.then_some(who)
}

fn begin_systemd() -> bool {
    let told = tell("STATUS=Redis is loading...\n");
    if told {
        notice!(
            "Supervised by systemd. Please make sure you set appropriate values for TimeoutStartSec and TimeoutStopSec in your service unit."
        );
    }
    told
}

fn begin_upstart() -> bool {
    if env::var_os("UPSTART_JOB").is_none() {
        warning!("upstart supervision requested, but UPSTART_JOB not found!");
        return false;
    }
    notice!("supervised by upstart, will stop to signal readiness.");
    // SAFETY: plain number. The process goes on when Upstart continues it.
    unsafe { libc::raise(libc::SIGSTOP) };
    true
}

/// The server answers clients.
pub fn ready() {
    tell("STATUS=Ready to accept connections\n");
    tell("READY=1\n");
}

/// The server is about to end.
pub fn stopping() {
    tell("STOPPING=1\n");
}

/// A line for people, shown by `systemctl status`.
pub fn status(text: &str) {
    tell(&format!("STATUS={text}\n"));
}

/// Sends one message; whether it went is in the log, too.
fn tell(message: &str) -> bool {
    let Some(address) = env::var_os("NOTIFY_SOCKET").filter(|address| !address.is_empty()) else {
        warning!("systemd supervision error: NOTIFY_SOCKET not found!");
        return false;
    };
    let sent = send(&address, message);
    if let Err(error) = &sent {
        warning!("systemd supervision error: sd_notify: {}", -error.raw_os_error().unwrap_or(libc::EINVAL));
    }
    sent.is_ok()
}

/// Shape of the address: a path, or `@` and a name without a file.
fn send(address: &OsStr, message: &str) -> io::Result<()> {
    let address = match address.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(address)?,
    };
    UnixDatagram::unbound()?.send_to_addr(message.as_bytes(), &address).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_arrive_at_a_path_and_at_a_name() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("notify");
        let by_path = UnixDatagram::bind(&path).expect("bound");
        send(path.as_os_str(), "READY=1\n").expect("sent");
        let name = format!("resnap-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).expect("short");
        let by_name = UnixDatagram::bind_addr(&address).expect("bound");
        send(OsStr::new(&format!("@{name}")), "READY=1\n").expect("sent");
        for socket in [by_path, by_name] {
            let mut message = [0; 64];
            let len = socket.recv(&mut message).expect("received");
            assert_eq!(&message[..len], b"READY=1\n");
        }
        assert!(send(OsStr::new("/nonexistent/notify"), "x").is_err());
    }
}
