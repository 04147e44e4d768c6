//! Brings output of lmms-eval in from outside: files, folders and archives.
//!
//! Everything here is untrusted. Links are not followed, names never become paths of ours, and
//! archives are measured while they inflate before anything of them is read.

pub mod archive;
pub mod check;
mod mapping;
mod matching;
mod plan;
mod run;
mod session;
pub mod source;
mod stage;

pub use archive::Limits;
pub use check::check;
pub use mapping::{Mapping, MappingError};
pub use session::{FileReport, ImportError, Report, Request, import};
