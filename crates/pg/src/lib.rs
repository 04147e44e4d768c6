//! A private PostgreSQL cluster for one application: find or install the server, create the
//! cluster, start it, guard it, stop it.
//!
//! The rule this crate keeps: whatever was killed, and in whichever order, the next
//! [`Cluster::start`] either brings the same data back or says what is wrong and what to do. The
//! server is a child of this process, reached over a Unix socket in a directory that only its own
//! user may enter, and it shuts itself down when this process dies.
//!
//! The crate knows nothing of the application that uses it, is synchronous, and needs no runtime.

mod account;
mod cluster;
mod conf;
mod error;
mod find;
mod home;
mod init;
mod install;
mod lock;
mod log;
mod options;
mod postmaster;
mod process;
mod restarts;
mod socket;
mod state;
mod supervise;

pub use cluster::{Cluster, SUPERUSER};
pub use error::{Error, Holder, Rejected};
pub use find::{Binaries, OLDEST_MAJOR, find_binaries};
pub use options::{Options, Progress};
pub use state::Health;
