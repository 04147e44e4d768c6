//! The server against real PostgreSQL, real HTTP and real executors.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]

mod runs_create;
mod runs_executor;
mod runs_flow;
mod runs_socket;
mod runs_stage;
mod runs_tenancy;
