//! A child that prints lines at a rate, whatever becomes of them.

use std::io::{self, Write};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long to wait for the file that says go.
const PATIENCE: Duration = Duration::from_secs(600);

/// Prints `lines` lines of `size` bytes, `rate` a second; all at once when that is 0. Begins when the file `go` is
/// there. The schedule is fixed: a line that is late does not delay the next.
pub(crate) fn emit(lines: u64, rate: f64, size: usize, go: Option<&str>) -> io::Result<()> {
    wait_for(go)?;
    let mut out = io::stdout().lock();
    let start = Instant::now();
    let fill = "x".repeat(size);
    let mut block = String::new();
    for number in 0..lines {
        if rate > 0.0 {
            let due = Duration::from_secs_f64(number as f64 / rate);
            sleep(due.saturating_sub(start.elapsed()));
        }
        let line = format!("t={:019} {number} ", super::now());
        block += &line;
        block += &fill[..size.saturating_sub(line.len() + 1)];
        block.push('\n');
        if rate > 0.0 || block.len() > 60_000 || number + 1 == lines {
            out.write_all(block.as_bytes())?;
            out.flush()?;
            block.clear();
        }
    }
    Ok(())
}

fn wait_for(go: Option<&str>) -> io::Result<()> {
    let Some(go) = go.map(Path::new) else {
        return Ok(());
    };
    let start = Instant::now();
    while !go.exists() {
        if start.elapsed() > PATIENCE {
            return Err(io::Error::other(format!("`{}` did not come", go.display())));
        }
        sleep(Duration::from_millis(2));
    }
    Ok(())
}
