//! The database: how connections are got, and one module of functions per table.
//!
//! The rule it keeps: a handler gets a connection only inside [`Db::user`] (row-level security as
//! the caller) or [`Db::service`]; the functions take the connection, and the caller owns the transaction.

pub mod agreement;
pub mod artifacts;
pub mod attempts;
pub mod audit;
pub mod benchmarks;
pub mod board;
pub mod board_pairs;
pub mod catalogue;
mod connect;
pub mod copy;
pub mod coverage;
pub mod drafts;
pub mod events;
pub mod explore;
pub mod home;
pub mod idempotency;
pub mod imports;
pub mod indexed;
pub mod links;
pub mod logs;
pub mod machines;
pub mod media;
pub mod metrics;
pub mod migrate;
pub mod models;
pub mod organizations;
pub mod planning;
mod pool;
pub mod progress;
pub mod queue;
pub mod rules;
pub mod run_benchmarks;
pub mod runs;
pub mod samples;
#[allow(missing_docs)]
pub mod schema;
pub mod secrets;
pub mod sessions;
pub mod slices;
mod statement;
pub mod system;
mod tap;
pub mod tickets;
pub mod tls;
pub mod tokens;
pub mod turns;
pub mod uploads;
pub mod users;
pub mod views;

pub use connect::Conn;
pub use pool::{Db, Error, act_as_service};
pub use statement::statement;
