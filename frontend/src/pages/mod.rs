//! The pages, one folder each. They know components, charts, the API, the live store and the session, and never
//! each other.

pub mod benchmarks;
pub mod failures;
pub mod home;
pub mod import;
pub mod launcher;
pub mod leaderboard;
pub mod login;
pub mod model;
pub mod models;
pub mod run;
pub mod runs;
pub mod slices;
