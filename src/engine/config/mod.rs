//! The server's settings: one table of rows, one struct of values.
//!
//! Every directive of Redis 8.0.6 is one [`Row`] in `rows/`: name, alias, type and range, default, flags, what it
//! means here ([`Status`]), and the [`Hook`] that whoever applies it has to run. The values that the server reads
//! while it works are plain fields of [`Config`]; the rest lie aside, by row. A default is written once, in the row.
//!
//! Never here: files, sockets, directories, the process. A config line that needs one of them comes back as a
//! [`Step`], a changed setting as a [`Hook`]; `cli` and `serve` do the deed.
//!
//! Source: `src/config.c` of Redis 8.0.6 for names, types, ranges, defaults and error texts, `CONFIG GET *` of the
//! running server (recorded in `fixtures/config-8.0.6.txt`). Our own directives are in `rows/own.rs`; what is accepted
//! without a meaning yet and what is refused is listed in `OPTIONS.md` beside this file, written from the table.

mod check;
mod fields;
mod load;
mod rewrite;
mod row;
mod rows;
mod special;
mod table;
mod value;

pub use check::expand_title;
pub use fields::{
    Config, Fields, Fsync, LogLevel, MaxmemoryPolicy, Notify, OomScoreAdj, OutputLimit, Protected, Sanitize,
    SavePoint, SaveVersion, ShutdownFlags, Supervised,
};
pub use load::{Loader, Step};
pub use rewrite::rewrite;
pub use row::{Hook, Row, Status};
pub use table::{Change, SetError, all_rows, is_sensitive, lookup};

#[cfg(test)]
mod tests;
