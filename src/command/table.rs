//! The command table: every row, found by name without regard to case.

use std::sync::LazyLock;

use super::Command;
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
}

const LONGEST_NAME: usize = 64;

fn hash(name: &[u8], container: usize) -> usize {
    let seed = 0xcbf2_9ce4_8422_2325_u64 ^ container as u64;
    let folded =
        name.iter().fold(seed, |h, b| (h ^ u64::from(b.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3));
    (folded ^ (folded >> 29)) as usize
}

impl Table {
    fn build() -> Table {
        let mut table = Table { rows: Vec::new(), index: vec![0; 2048] };
        for command in FAMILIES.iter().flat_map(|family| family.iter()) {
            table.add(command, None);
            for sub in command.subcommands {
                table.add(sub, Some(command));
            }
        }
        table
    }

    fn add(&mut self, command: &'static Command, container: Option<&'static Command>) {
        let id = RowId(u16::try_from(self.rows.len()).expect("some hundreds of rows"));
        let full_name = match container {
            Some(container) => format!("{}|{}", container.name, command.name),
            None => command.name.to_owned(),
        };
        assert!(full_name.len() <= LONGEST_NAME && self.rows.len() < self.index.len() / 2);
        let container_id =
            container.map_or(0, |c| self.find(c.name.as_bytes()).expect("added before").id.0 + 1);
        let mut at = hash(command.name.as_bytes(), usize::from(container_id)) % self.index.len();
        while self.index[at] != 0 {
            at = (at + 1) % self.index.len();
        }
        self.index[at] = id.0 + 1;
        self.rows.push(Row { id, command, container, full_name });
    }

    fn lookup(&self, name: &[u8], container: Option<&Row>) -> Option<&Row> {
        if name.len() > LONGEST_NAME {
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
            if same_container && row.command.name.as_bytes().eq_ignore_ascii_case(name) {
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

    /// All rows, subcommands behind their containers.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }
}

static TABLE: LazyLock<Table> = LazyLock::new(Table::build);

/// The table.
#[inline]
pub fn table() -> &'static Table {
    &TABLE
}
