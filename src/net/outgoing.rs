//! Links to other servers, for MIGRATE: kept for a while after use, as whoever moves one key moves many.
//!
//! They are used while everybody else waits, as in the real server: what is being moved must not change meanwhile.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::command::{Break, Delivery, Errand};

/// Links that are kept.
const MOST: usize = 64;
/// So long a link is kept without use.
const KEPT: Duration = Duration::from_secs(10);
/// An answer's line is no longer than this.
const LONGEST_LINE: u64 = 64 << 10;

struct Link {
    stream: BufReader<TcpStream>,
    /// The database that was selected; `None`: unknown.
    db: Option<i64>,
    used: Instant,
}

/// Links to other servers.
#[derive(Default)]
pub(super) struct Links(Mutex<HashMap<(String, u16), Link>>);

impl Links {
    fn all(&self) -> MutexGuard<'_, HashMap<(String, u16), Link>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Closes links that were not used for a while; how many are left.
    pub fn tidy(&self) -> usize {
        let mut links = self.all();
        links.retain(|_, link| link.used.elapsed() <= KEPT);
        links.len()
    }

    /// Runs an errand. A link that turns out to be dead before it has given any answer is tried anew, once.
    pub fn run(&self, errand: &Errand<'_>) -> Delivery {
        let first = self.try_once(errand);
        match first.broken {
            Some(Break::Writing | Break::Reading) if first.answers.is_empty() && !first.timed_out => {
                self.try_once(errand)
            }
            _ => first,
        }
    }

    fn try_once(&self, errand: &Errand<'_>) -> Delivery {
        let mut links = self.all();
        let name = (errand.host.to_owned(), errand.port);
        let link = match links.remove(&name) {
            Some(link) => link,
            None => match connect(errand) {
                Ok(link) => link,
                Err(_) => return Delivery { broken: Some(Break::Connecting), ..Delivery::default() },
            },
        };
        let (delivery, link) = talk(link, errand);
        if let Some(link) = link {
            if links.len() >= MOST
                && let Some(any) = links.keys().next().cloned()
            {
                links.remove(&any);
            }
            links.insert(name, link);
        }
        delivery
    }
}

fn connect(errand: &Errand<'_>) -> io::Result<Link> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in (errand.host, errand.port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, errand.timeout) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(Link { stream: BufReader::new(stream), db: None, used: Instant::now() });
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Sends everything, and reads an answer to each request. Gives the link back if it is still good.
fn talk(mut link: Link, errand: &Errand<'_>) -> (Delivery, Option<Link>) {
    let mut delivery = Delivery::default();
    if let Err(error) = send(&mut link, errand) {
        (delivery.broken, delivery.timed_out) = (Some(Break::Writing), timed_out(&error));
        return (delivery, None);
    }
    let selects = link.db != Some(errand.db);
    let preliminaries = usize::from(!errand.auth.is_empty()) + usize::from(selects);
    for number in 0..preliminaries + errand.requests.len() {
        match read_line(&mut link.stream) {
            Ok(line) if number < preliminaries => {
                if line.starts_with(b"-") && delivery.refused.is_none() {
                    delivery.refused = Some(line);
                }
            }
            Ok(line) => delivery.answers.push(line),
            Err(error) => {
                (delivery.broken, delivery.timed_out) = (Some(Break::Reading), timed_out(&error));
                return (delivery, None);
            }
        }
    }
    let refused = delivery.refused.is_some() || delivery.answers.iter().any(|line| line.starts_with(b"-"));
    link.db = (!refused).then_some(errand.db);
    link.used = Instant::now();
    (delivery, Some(link))
}

fn send(link: &mut Link, errand: &Errand<'_>) -> io::Result<()> {
    let mut bytes = errand.auth.clone();
    if link.db != Some(errand.db) {
        let db = errand.db.to_string();
        bytes.extend_from_slice(format!("*2\r\n$6\r\nSELECT\r\n${}\r\n{db}\r\n", db.len()).as_bytes());
    }
    let mut stream = link.stream.get_ref();
    stream.set_write_timeout(Some(errand.timeout))?;
    stream.set_read_timeout(Some(errand.timeout))?;
    stream.write_all(&bytes)?;
    errand.requests.iter().try_for_each(|request| stream.write_all(request))
}

fn timed_out(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}

/// A line without its end.
fn read_line(stream: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    io::Read::take(stream, LONGEST_LINE).read_until(b'\n', &mut line)?;
    match line.strip_suffix(b"\r\n").or(line.strip_suffix(b"\n")) {
        Some(text) => Ok(text.to_vec()),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}
