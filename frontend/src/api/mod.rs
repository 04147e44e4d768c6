//! The API as the browser sees it: one client, named endpoints, loaded values as signals.

pub mod client;
pub mod endpoints;
pub mod http;
pub mod query;
pub mod remote;
