//! The pages, one folder each. They know components, charts, the API, the live store and the session, and never
//! each other.

pub mod launcher;
pub mod login;
pub mod run;
pub mod runs;
