//! The server: HTTP and WebSocket API, sign-in, worker, and the commands of `lmms-dash`.
//!
//! Handlers never see the worker or the runner, the worker never sees HTTP; both meet in the
//! database and the object store.

pub mod app;
pub mod auth;
pub mod board;
pub mod catalogue;
pub mod cli;
pub mod commands;
pub mod config;
pub mod db;
pub mod demo;
pub mod error;
pub mod events;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod guard;
pub mod handlers;
pub mod import;
pub mod ingest;
pub mod json;
pub mod media;
pub mod openapi;
pub mod plan;
pub mod request_id;
pub mod routes;
pub mod serving;
pub mod slicing;
pub mod state;
pub mod store;
pub mod worker;
