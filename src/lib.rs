//! resnap: a Redis-compatible server that keeps its state and opens any snapshot.
pub mod cli;
pub mod command;
pub mod engine;
pub mod keyspace;
pub mod net;
pub mod persist;
pub mod resp;
pub mod serve;
pub mod text;
pub mod value;
