//! The crate's integration tests: captures of real runs, files of our own for each known trap,
//! the corpus of real files where it is present, and properties.

mod catalogue;
mod command;
mod corpora;
mod corpus;
mod document;
mod driver_event;
mod fixtures;
mod log_captures;
mod log_properties;
mod log_rules;
mod outcome;
mod python;
mod results;
mod samples;
mod secrets;
mod survey;
mod targets;
