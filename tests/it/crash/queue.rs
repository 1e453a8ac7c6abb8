//! A queue: one client pushes numbers, another one waits for them and takes or moves them, each a little ahead of what
//! the other knows. What is left after a crash must be without gaps: nothing lost, nothing twice, in order.

use std::sync::Mutex;

use super::load::try_connect;
use crate::client::{Client, Value};
use crate::node::Node;

/// The database that the queue is in.
const DB: usize = 9;

/// What both know, in counts of numbers from 0.
#[derive(Clone, Default)]
pub struct Queue {
    sent: u64,
    pub pushed: u64,
    pub taken: u64,
    /// Those that were moved, not taken.
    moved: Vec<u64>,
    /// The request under way moves.
    moving: bool,
}

/// How much of it must be there.
#[derive(Clone, Copy, Default)]
pub struct Floor {
    pub pushed: u64,
    pub taken: u64,
}

impl Queue {
    pub fn floor(&self) -> Floor {
        Floor { pushed: self.pushed, taken: self.taken }
    }

    /// Whether what is left can be.
    pub fn settle(&self, floor: Floor, left: &[u64], done: &[u64]) -> Result<(), String> {
        let fail = |what: &str| {
            let (sent, pushed, taken) = (self.sent, self.pushed, self.taken);
            let tail = &self.moved[self.moved.len().saturating_sub(20)..];
            Err(format!(
                "queue: {what}: sent {sent}, pushed {pushed}, taken {taken}, moved ..{tail:?} (moving: {}); at least \
                 {} pushed and {} taken; left {left:?}, done {done:?}",
                self.moving, floor.pushed, floor.taken
            ))
        };
        if left.windows(2).any(|two| two[1] != two[0] + 1) {
            return fail("out of order");
        }
        // Where it is empty, the next to be taken is not to be seen.
        let begins = |next: u64| match (left.first(), left.last()) {
            (Some(first), Some(last)) => *first == next && (floor.pushed..=self.sent).contains(&(last + 1)),
            _ => (floor.pushed..=self.sent).contains(&next),
        };
        let done_then = |next: u64| {
            let under_way = (next > self.taken && self.moving).then_some(self.taken);
            let moved = self.moved.iter().copied().filter(|n| *n < next).chain(under_way);
            moved.eq(done.iter().copied())
        };
        match (floor.taken..=self.taken + 1).any(|next| begins(next) && done_then(next)) {
            true => Ok(()),
            false => fail("not what was answered"),
        }
    }
}

fn selected(node: &Node) -> Option<Client> {
    let mut client = try_connect(node)?;
    client.line(&format!("SELECT {DB}")).is_ok().then_some(client)
}

/// Pushes until the connection ends.
pub fn push(node: &Node, queue: &Mutex<Queue>, seed: u64) -> Result<(), String> {
    let Some(mut client) = selected(node) else { return Ok(()) };
    let mut rng = fastrand::Rng::with_seed(seed);
    loop {
        let first = queue.lock().expect("nobody panics with it").sent;
        let numbers: Vec<String> = (first..first + rng.u64(1..4)).map(|n| n.to_string()).collect();
        queue.lock().expect("nobody panics with it").sent += numbers.len() as u64;
        match client.line(&format!("RPUSH q {}", numbers.join(" "))) {
            Ok(Value::Int(_)) => {
                queue.lock().expect("nobody panics with it").pushed += numbers.len() as u64;
            }
            Ok(other) => return Err(format!("RPUSH: {other:?}")),
            Err(_) => return Ok(()),
        }
        std::thread::sleep(std::time::Duration::from_micros(rng.u64(..1500)));
    }
}

/// Takes until the connection ends.
pub fn take(node: &Node, queue: &Mutex<Queue>, seed: u64) -> Result<(), String> {
    let Some(mut client) = selected(node) else { return Ok(()) };
    let mut rng = fastrand::Rng::with_seed(seed);
    loop {
        let moves = rng.bool();
        queue.lock().expect("nobody panics with it").moving = moves;
        let line = if moves { "BLMOVE q done LEFT RIGHT 0.2" } else { "BLPOP q 0.2" };
        let Ok(answer) = client.line(line) else { return Ok(()) };
        let number = match &answer {
            Value::NilBulk | Value::NilArray => continue,
            Value::Array(pair) if pair.len() == 2 => pair[1].bytes(),
            other => other.bytes().filter(|_| !other.is_error()),
        };
        let number = number.and_then(|text| String::from_utf8(text).ok()?.parse::<u64>().ok());
        let Some(number) = number else { return Err(format!("{line}: {answer:?}")) };
        let mut queue = queue.lock().expect("nobody panics with it");
        if number != queue.taken {
            return Err(format!("{line} gave {number}, not {}", queue.taken));
        }
        queue.taken += 1;
        if moves {
            queue.moved.push(number);
        }
    }
}

/// What is left, and what was moved.
pub fn look(client: &mut Client) -> (Vec<u64>, Vec<u64>) {
    let mut list = |name: &str| {
        let items = client.line(&format!("LRANGE {name} 0 -1")).expect("it answers");
        let items = items.items().expect("an array").iter().map(|item| item.bytes().expect("text"));
        items.map(|text| String::from_utf8(text).expect("a number").parse().expect("a number")).collect()
    };
    (list("q"), list("done"))
}

/// Begins anew.
pub fn clear(client: &mut Client) {
    client.line("DEL q done").expect("it answers");
}

/// Goes to the queue's database.
pub fn select(client: &mut Client) {
    client.line(&format!("SELECT {DB}")).expect("it answers");
}
