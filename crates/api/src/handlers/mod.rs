//! One file per resource; a handler is `<verb>_<resource>`.

pub mod runs;
