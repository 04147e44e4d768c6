//! Starting one process of the job.

use super::signals;
use std::{
    collections::BTreeMap,
    fs::File,
    io,
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
};

/// What a process gets.
pub(super) struct Spawn<'a> {
    pub(super) argv: &'a [String],
    pub(super) env: &'a BTreeMap<String, String>,
    pub(super) cwd: &'a Path,
    pub(super) stdout: &'a File,
    pub(super) stderr: &'a File,
}

/// Starts a process: no shell, its own group, nothing inherited but its three streams, and dead
/// as soon as this process is.
pub(super) fn spawn(what: &Spawn<'_>) -> io::Result<u32> {
    let (program, arguments) = what.argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let keeper = std::process::id();
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(what.env)
        .current_dir(what.cwd)
        .stdin(Stdio::null())
        .stdout(what.stdout.try_clone()?)
        .stderr(what.stderr.try_clone()?)
        .process_group(0);
    // SAFETY: between fork and exec only calls that are safe after a fork are made, and nothing
    // is allocated.
    unsafe {
        command.pre_exec(move || prepare(keeper));
    }
    command.spawn().map(|child| child.id())
}

fn prepare(keeper: u32) -> io::Result<()> {
    signals::reset();
    // SAFETY: plain numbers only. The descriptors are not closed but marked, because the one
    // that reports a failed exec to the parent must live until then.
    let alone = unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0);
        libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, libc::CLOSE_RANGE_CLOEXEC);
        u32::try_from(libc::getppid()) != Ok(keeper)
    };
    if alone {
        // The keeper died before the wish above was heard.
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(())
}
