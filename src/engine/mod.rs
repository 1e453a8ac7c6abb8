//! The nouns of a running server: settings, and with time sessions, users, channels, statistics.
//!
//! Plain state, each noun in its own file. Never here: files, sockets, the clock, replies.

pub mod config;
