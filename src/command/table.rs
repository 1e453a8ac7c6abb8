//! The command table: every row, found by name without regard to case.

use std::sync::{LazyLock, Mutex, PoisonError};

use super::{
    ADMIN, BLOCKING, Command, Flags, MAY_REPLICATE, MOVABLE_KEYS, NO_MULTI, NOSCRIPT, PROTECTED, PUBSUB,
    READONLY, SKIP_MONITOR, TOUCHES_ARBITRARY_KEYS, WRITE,
};
use super::{bitmap, connection, generic, geo, hash, hyperloglog, list, server, set, stream, string, zset};
use super::{pubsub, scripting, transaction};

/// A command's place in the table: what sessions and counters keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowId(pub u16);

/// One row, its container's (of a subcommand) and its full name.
pub struct Row {
    /// The row's number.
    pub id: RowId,
    /// What was declared.
    pub command: &'static Command,
    /// Of a subcommand.
    pub container: Option<&'static Command>,
    /// `config|get` for a subcommand, else the name.
    pub full_name: String,
    /// What clients call it: its name, unless `rename-command` says otherwise.
    pub called: Box<[u8]>,
    /// Clients can't call it, nor its container: `rename-command` took the name away.
    pub hidden: bool,
    /// It is about its keys and nothing else: it never waits, nor changes what a client or the server is set to.
    pub plain: bool,
    /// What clients call it, as it is compared.
    word: Option<u64>,
}

fn is_plain(command: &Command) -> bool {
    const DATA: Flags = WRITE.or(READONLY);
    const MORE: Flags =
        ADMIN.or(PUBSUB).or(NOSCRIPT).or(BLOCKING).or(SKIP_MONITOR).or(MAY_REPLICATE).or(NO_MULTI);
    const OTHERS: Flags = PROTECTED.or(TOUCHES_ARBITRARY_KEYS).or(MOVABLE_KEYS);
    command.flags.has(DATA)
        && !command.flags.has(MORE.or(OTHERS))
        && !command.keys.is_empty()
        && !command.is_container()
}

impl Row {
    /// Whether `name` calls it. Not for subcommands.
    #[inline]
    pub fn is_called(&self, name: &[u8]) -> bool {
        match (self.word, word(name)) {
            (Some(own), Some(word)) => own == word && self.called.len() == name.len(),
            _ => self.container.is_none() && self.called.eq_ignore_ascii_case(name),
        }
    }
}

const FAMILIES: &[&[&Command]] = &[
    bitmap::COMMANDS,
    connection::COMMANDS,
    generic::COMMANDS,
    geo::COMMANDS,
    hash::COMMANDS,
    hyperloglog::COMMANDS,
    list::COMMANDS,
    pubsub::COMMANDS,
    scripting::COMMANDS,
    server::COMMANDS,
    set::COMMANDS,
    stream::COMMANDS,
    string::COMMANDS,
    transaction::COMMANDS,
    zset::COMMANDS,
];

/// All rows, and a way to find them.
pub struct Table {
    rows: Vec<Row>,
    /// Open addressing: row numbers plus one by the hash of their name; 0 is empty.
    index: Vec<u16>,
    longest_name: usize,
}

/// A command and what it is called instead of its name.
type Renamed = (&'static Command, Box<[u8]>);

/// Other names than their own for commands, of `rename-command`; read when the table is built.
static RENAMED: Mutex<Vec<Renamed>> = Mutex::new(Vec::new());

/// `rename-command`, before the table is used for the first time: the command that is called `name` is called `to` from
/// now on, and cannot be called if that is empty. Errors: the real server's words.
pub fn rename(name: &[u8], to: &[u8]) -> Result<(), &'static str> {
    let mut renamed = RENAMED.lock().unwrap_or_else(PoisonError::into_inner);
    let all = || FAMILIES.iter().flat_map(|family| family.iter().copied());
    let by_name = |name: &[u8]| {
        all().find(|command| called(command, &renamed).eq_ignore_ascii_case(name) && !name.is_empty())
    };
    let command = by_name(name).ok_or("No such command in rename-command")?;
    let taken = by_name(to).is_some_and(|other| !std::ptr::eq(other, command));
    renamed.retain(|(other, _)| !std::ptr::eq(*other, command));
    renamed.push((command, to.into()));
    if taken { Err("Target command name already exists") } else { Ok(()) }
}

fn called<'n>(command: &'n Command, renamed: &'n [Renamed]) -> &'n [u8] {
    let other = renamed.iter().find(|(other, _)| std::ptr::eq(*other, command));
    other.map_or(command.name.as_bytes(), |(_, name)| name)
}

/// A name of three to eight bytes in one number, without regard to case: equal numbers are equal names, if their lengths
/// are equal and one of both is made of letters only: a letter and what is none never differ in that bit alone.
#[inline]
fn word(name: &[u8]) -> Option<u64> {
    let number = match name {
        [a, b, c] => u64::from(u32::from_le_bytes([*a, *b, *c, 0])),
        [a, b, c, d, ..] if name.len() <= 8 => {
            let first = u32::from_le_bytes([*a, *b, *c, *d]);
            u64::from(first) | u64::from(u32::from_le_bytes(*name.last_chunk()?)) << 32
        }
        _ => return None,
    };
    Some(number | 0x2020_2020_2020_2020)
}

fn hash(name: &[u8], container: usize) -> usize {
    let seed = 0xcbf2_9ce4_8422_2325_u64 ^ container as u64;
    let folded =
        name.iter().fold(seed, |h, b| (h ^ u64::from(b.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3));
    (folded ^ (folded >> 29)) as usize
}

impl Table {
    fn build() -> Table {
        let count =
            FAMILIES.iter().flat_map(|family| family.iter()).map(|command| 1 + command.subcommands.len());
        let rows = Vec::with_capacity(count.sum()); // growing it would be a tenth of a millisecond of the start
        let mut table = Table { rows, index: vec![0; 2048], longest_name: 0 };
        let renamed = RENAMED.lock().unwrap_or_else(PoisonError::into_inner);
        for command in FAMILIES.iter().flat_map(|family| family.iter()) {
            let name = called(command, &renamed);
            let container = table.add(command, None, name, name.is_empty());
            for sub in command.subcommands {
                table.add(sub, Some((command, container)), sub.name.as_bytes(), name.is_empty());
            }
        }
        table
    }

    fn add(
        &mut self,
        command: &'static Command,
        container: Option<(&'static Command, RowId)>,
        called: &[u8],
        hidden: bool,
    ) -> RowId {
        let id = RowId(u16::try_from(self.rows.len()).expect("some hundreds of rows"));
        let full_name = match container {
            Some((container, _)) => format!("{}|{}", container.name, command.name),
            None => command.name.to_owned(),
        };
        assert!(self.rows.len() < self.index.len() / 2);
        if !called.is_empty() {
            let container_id = container.map_or(0, |(_, id)| id.0 + 1);
            let mut at = hash(called, usize::from(container_id)) % self.index.len();
            while self.index[at] != 0 {
                at = (at + 1) % self.index.len();
            }
            self.index[at] = id.0 + 1;
            self.longest_name = self.longest_name.max(called.len());
        }
        let container = container.map(|(container, _)| container);
        let word = word(called).filter(|_| container.is_none() && called.iter().all(u8::is_ascii_alphabetic));
        let plain = container.is_none() && is_plain(command);
        let called = called.into();
        self.rows.push(Row { id, command, container, full_name, called, hidden, plain, word });
        id
    }

    fn lookup(&self, name: &[u8], container: Option<&Row>) -> Option<&Row> {
        if name.len() > self.longest_name {
            return None;
        }
        let mut at = hash(name, container.map_or(0, |row| usize::from(row.id.0) + 1)) % self.index.len();
        while self.index[at] != 0 {
            let row = &self.rows[usize::from(self.index[at]) - 1];
            let same_container = match (row.container, container) {
                (None, None) => true,
                (Some(a), Some(b)) => std::ptr::eq(a, b.command),
                _ => false,
            };
            if same_container && row.called.eq_ignore_ascii_case(name) {
                return Some(row);
            }
            at = (at + 1) % self.index.len();
        }
        None
    }

    /// Finds a command (not a subcommand).
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<&Row> {
        self.lookup(name, None)
    }

    /// Finds a command by its own name, whatever clients call it: what the server itself writes into logs.
    pub fn find_own(&self, name: &[u8]) -> Option<&Row> {
        let is_it =
            |row: &&Row| row.container.is_none() && row.command.name.as_bytes().eq_ignore_ascii_case(name);
        self.rows.iter().find(is_it)
    }

    /// Finds a subcommand of a container.
    pub fn find_sub(&self, container: &Row, name: &[u8]) -> Option<&Row> {
        self.lookup(name, Some(container))
    }

    /// Finds `name` or `container|name`.
    pub fn find_full(&self, name: &[u8]) -> Option<&Row> {
        match name.iter().position(|b| *b == b'|') {
            Some(bar) => self.find_sub(self.find(&name[..bar])?, &name[bar + 1..]),
            None => self.find(name),
        }
    }

    /// A row by its number.
    #[inline]
    pub fn row(&self, id: RowId) -> &Row {
        &self.rows[usize::from(id.0)]
    }

    /// How many rows there are, those included that cannot be called.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none, which is never so.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// All rows that can be called, subcommands behind their containers.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| !row.hidden)
    }
}

static TABLE: LazyLock<Table> = LazyLock::new(Table::build);

/// The table.
#[inline]
pub fn table() -> &'static Table {
    &TABLE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_called_by_its_own_name_in_any_case_and_by_nothing_near_it() {
        for row in table().rows().filter(|row| row.container.is_none()) {
            let name = &*row.called;
            assert!(row.is_called(name) && row.is_called(&name.to_ascii_uppercase()));
            for (at, bit) in (0..name.len()).flat_map(|at| (0..8).map(move |bit| (at, 1 << bit))) {
                let mut near = name.to_vec();
                near[at] ^= bit;
                assert_eq!(row.is_called(&near), near.eq_ignore_ascii_case(name), "{near:?}");
            }
            assert!(!row.is_called(&name[1..]) && !row.is_called(&[name, b"x"].concat()));
            assert!(!row.is_called(b""));
        }
    }
}
