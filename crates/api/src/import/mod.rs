//! Brings output of lmms-eval in from outside: files, folders and archives.
//!
//! Everything here is untrusted. Links are not followed, names never become paths of ours, and
//! archives are measured while they inflate before anything of them is read.

pub mod archive;
pub mod check;
mod course;
mod dry;
mod mapping;
mod matching;
mod media;
mod plan;
mod registry;
mod report;
mod run;
mod session;
pub mod source;
mod stage;

pub use archive::Limits;
pub use check::check;
pub use course::{Course, Holder, Stopped};
pub use dry::look_through;
pub use mapping::{MappingError, parse_mapping};
pub use report::FileReport;
pub use session::{ImportError, Report, Request, import, import_claimed};
