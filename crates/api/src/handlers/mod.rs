//! One file per resource; a handler is `<verb>_<resource>`.
//!
//! A handler reads: authorize, find, act, answer. Handlers never call each other, the worker or the runner.

pub mod attempts;
pub mod auth;
pub mod benchmarks;
pub mod config;
pub mod docs;
pub mod drafts;
pub mod health;
pub mod home;
pub mod imports;
pub mod invitations;
pub mod leaderboard;
pub mod me;
pub mod media;
pub mod models;
pub mod organizations;
pub mod runs;
pub mod secrets;
pub mod slices;
pub mod spa;
pub mod system;
pub mod task_folders;
pub mod tokens;
pub mod views;
pub mod ws;
