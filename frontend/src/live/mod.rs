//! Runs as they happen: the socket, the pure merge of messages into what is known, and the store for a page.

pub mod socket;
pub mod state;
pub mod store;
