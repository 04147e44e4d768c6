//! The keeper: starts the processes of an attempt, watches them, and writes down how they end.

pub(crate) mod tree;
