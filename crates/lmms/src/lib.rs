//! What we know about the `lmms-eval` command line, as pure code: bytes in, values out.
//!
//! No runtime, no process, no network and none of our wire types. The one exception is
//! [`catalogue`], which reads the YAML files of the task library from disk.
//!
//! | module | knows |
//! |---|---|
//! | [`command`] | every command line that is ever started, and its copyable form |
//! | [`log`] | the bytes of stdout and stderr: lines, progress bars, phases |
//! | [`driver_event`] | the JSON lines that the driver leaves in `events.jsonl` |
//! | [`results`] | `*_results.json` in all the shapes that were ever written |
//! | [`samples`] | `*_samples_*.jsonl` in all the shapes that were ever written |
//! | [`outcome`] | why a benchmark ended, judged from all the evidence (exit codes lie) |
//! | [`document`] | what a file is, judged by its content |
//! | [`survey`] | what is in a file of unknown kind, and which files belong together |
//! | [`catalogue`] | the tasks, groups, tags and model backends of an installation |
//! | [`hash`] | the hashes by which documents and prompts of two runs are compared |
//! | [`secrets`] | what looks like a credential, and how it is blotted out |

pub mod catalogue;
pub mod command;
pub mod config_file;
pub mod document;
pub mod driver_event;
pub mod hash;
pub mod log;
pub mod outcome;
mod python;
pub mod results;
pub mod samples;
pub mod secrets;
pub mod survey;
