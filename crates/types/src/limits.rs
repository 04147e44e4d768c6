//! Limits that server, browser and executor share.

/// Longest text a user gives a thing, in characters.
pub const MAX_NAME: usize = 200;
/// Most benchmarks in one run.
pub const MAX_BENCHMARKS: usize = 500;
/// Most rows of one page.
pub const MAX_PAGE: u32 = 200;
/// Largest body of an ordinary request, in bytes.
pub const MAX_BODY: usize = 1024 * 1024;
/// Largest chunk of a raw log, in bytes.
pub const MAX_LOG_CHUNK: usize = 256 * 1024;
/// Log lines kept per run; beyond it only the bytes are kept.
pub const MAX_LOG_LINES: i64 = 1_000_000;
/// Longest log message kept in the index, in bytes.
pub const MAX_LOG_MESSAGE: usize = 16 * 1024;
