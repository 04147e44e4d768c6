//! Real servers: every test creates, breaks and recovers a cluster of its own.

mod binaries;
mod crashes;
mod disk;
mod lifecycle;
mod scene;
mod users;
