//! The database: how connections are got, and one module of functions per table.
//!
//! The rule it keeps: a handler gets a connection only inside [`Db::user`] (row-level security as
//! the caller) or [`Db::service`]; the functions take the connection, and the caller owns the transaction.

pub mod events;
pub mod organizations;
mod pool;
pub mod run_benchmarks;
pub mod runs;

#[allow(missing_docs, clippy::wildcard_imports)]
pub mod schema;

pub mod tokens;

pub use pool::{Conn, Db, Error};
