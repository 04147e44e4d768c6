//! The load of `cargo xtask bench`: viewers of live messages, a child that prints, and the bare relay between the two
//! that marks what is possible.
//!
//! `load emit LINES RATE SIZE [GO]` prints lines with the time in them, `load relay PORT_FILE [LOG]` hands what it reads
//! to everyone who is connected, when it is safe in `LOG`, `load viewers ADDRESS PATH TOKEN COUNT LINES SECONDS` counts
//! what arrives, and when, `load tail FOLDER` reads a log as a reporter does.

mod emit;
mod frames;
mod relay;
mod tail;
mod viewers;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *words.as_slice() {
        ["emit", lines, rate, size] => emit::emit(lines.parse()?, rate.parse()?, size.parse()?, None)?,
        ["emit", lines, rate, size, go] => {
            emit::emit(lines.parse()?, rate.parse()?, size.parse()?, Some(go))?;
        }
        ["tail", folder] => tail::tail(folder)?,
        ["relay", port_file] => runtime()?.block_on(relay::relay(port_file, None))?,
        ["relay", port_file, log] => runtime()?.block_on(relay::relay(port_file, Some(log)))?,
        ["viewers", address, path, token, count, lines, seconds] => {
            let plan = viewers::Plan {
                address: address.to_owned(),
                request: frames::request(address, path, token),
                viewers: count.parse()?,
                lines: lines.parse()?,
                limit: Duration::from_secs(seconds.parse()?),
            };
            runtime()?.block_on(viewers::watch(plan))?;
        }
        _ => return Err("expected `emit`, `relay`, `viewers` or `tail` with their arguments".into()),
    }
    Ok(())
}

/// One thread: it has one core.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Nanoseconds since 1970, which processes of one machine agree on.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
