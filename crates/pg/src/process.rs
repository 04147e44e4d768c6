//! Child processes that end with this one, and a look at processes that are not children.

use std::io::{self, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal};

use crate::account::Account;

/// The environment that the server needs; the rest, with its secrets, is none of its business.
const ENVIRONMENT: [&str; 4] = ["PATH", "LD_LIBRARY_PATH", "TMPDIR", "TZ"];
const MOST_OUTPUT: u64 = 1 << 20;

/// What a finished child left.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    /// Standard output and error, together.
    pub(crate) output: String,
}

/// A command of the server, as `account` when given: English messages, a process group of its own
/// (so that Ctrl-C reaches this process first), and SIGINT when the calling thread ends.
pub(crate) fn command(program: &Path, account: Option<&Account>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C").current_dir("/");
    for name in ENVIRONMENT {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    if let Some(account) = account {
        command.uid(account.uid).gid(account.gid);
    }
    tie(&mut command);
    command
}

/// Makes a command's child end with the thread that spawns it.
pub(crate) fn tie(command: &mut Command) {
    command.stdin(Stdio::null()).process_group(0);
    let parent = rustix::process::getpid();
    // SAFETY: between fork and exec this only makes two system calls that are safe there and
    // allocates nothing.
    unsafe { command.pre_exec(move || die_with(parent)) };
}

/// Runs after the change of user, which would clear the death signal.
#[cfg(target_os = "linux")]
fn die_with(parent: Pid) -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::INT))?;
    if rustix::process::getppid() == Some(parent) {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(libc::ECANCELED))
    }
}

#[cfg(not(target_os = "linux"))]
fn die_with(_parent: Pid) -> io::Result<()> {
    Ok(())
}

/// Runs a command to its end and collects its output; after `limit` it is killed.
pub(crate) fn run(mut command: Command, limit: Duration) -> io::Result<Finished> {
    let (mut reader, writer) = io::pipe()?;
    command.stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn()?;
    // The command still holds the pipe's other end, so that the output would never end.
    drop(command);
    let (sender, output) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = reader.by_ref().take(MOST_OUTPUT).read_to_end(&mut bytes);
        // The rest is read and dropped: a full pipe would block the child for ever.
        let drained = read.and_then(|_| io::copy(&mut reader, &mut io::sink()));
        sender.send(drained.map(|_| bytes)).ok();
    });
    let Ok(bytes) = output.recv_timeout(limit) else {
        signal_group(child.id(), Signal::KILL);
        child.wait()?;
        let text = format!("gave no result within {} s", limit.as_secs());
        return Err(io::Error::new(io::ErrorKind::TimedOut, text));
    };
    Ok(Finished {
        status: child.wait()?,
        output: String::from_utf8_lossy(&bytes?).into_owned(),
    })
}

/// Sends a signal; `false` when there is no such process or it is not ours to signal.
pub(crate) fn signal(pid: u32, signal: Signal) -> bool {
    raw(pid).is_some_and(|pid| rustix::process::kill_process(pid, signal).is_ok())
}

fn signal_group(leader: u32, signal: Signal) {
    if let Some(pid) = raw(leader) {
        rustix::process::kill_process_group(pid, signal).ok();
    }
}

/// Blocks until a child has ended, and leaves it to be reaped, so that its id stays taken.
pub(crate) fn wait_for_end(pid: u32) {
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    let Some(pid) = raw(pid) else { return };
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(pid), options) {}
}

/// Whether a process exists at all, dead but not yet reaped ones included.
pub(crate) fn exists(pid: u32) -> bool {
    use rustix::io::Errno;
    raw(pid).is_some_and(|pid| !matches!(rustix::process::test_kill_process(pid), Err(Errno::SRCH)))
}

fn raw(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

/// Whether a process runs, which a zombie does not.
#[cfg(target_os = "linux")]
pub(crate) fn runs(pid: u32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return false;
    };
    // The name in parentheses may hold anything, so the state is what follows the last one.
    let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
    !matches!(state.chars().next(), None | Some('Z' | 'X'))
}

/// The words of a process's command line.
#[cfg(target_os = "linux")]
pub(crate) fn command_line(pid: u32) -> Option<Vec<String>> {
    let bytes = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let words = text.trim_end_matches('\0').split('\0');
    Some(words.map(str::to_owned).collect())
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn runs(pid: u32) -> bool {
    ps(pid, "state=").is_some_and(|state| !state.starts_with('Z'))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn command_line(pid: u32) -> Option<Vec<String>> {
    ps(pid, "command=").map(|line| line.split(' ').map(str::to_owned).collect())
}

#[cfg(not(target_os = "linux"))]
fn ps(pid: u32, column: &str) -> Option<String> {
    let mut command = Command::new("ps");
    command.args(["-o", column, "-p", &pid.to_string()]);
    let finished = run(command, Duration::from_secs(5)).ok()?;
    let line = finished.output.trim().to_owned();
    (finished.status.success() && !line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn both_streams_and_the_status_come_back() {
        let mut shell = command(Path::new("/bin/sh"), None);
        shell.args(["-c", "echo out; echo err >&2; exit 3"]);
        let finished = run(shell, Duration::from_secs(20)).expect("it runs");
        assert_eq!(finished.status.code(), Some(3));
        assert_eq!(finished.output, "out\nerr\n");
    }

    #[test]
    fn a_silent_program_is_killed_with_its_children() {
        let started = Instant::now();
        let mut shell = command(Path::new("/bin/sh"), None);
        shell.args(["-c", "sleep 100; true"]);
        let error = run(shell, Duration::from_millis(50)).expect_err("it is too slow");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(started.elapsed() < Duration::from_secs(50));
    }

    #[test]
    fn secrets_do_not_reach_the_server() {
        let shell = command(Path::new("/usr/bin/env"), None);
        let finished = run(shell, Duration::from_secs(20)).expect("it runs");
        let names = finished.output.lines().filter_map(|line| line.split_once('='));
        for (name, _) in names {
            assert!(name == "LC_ALL" || ENVIRONMENT.contains(&name), "{name}");
        }
    }

    #[test]
    fn a_zombie_exists_but_does_not_run() {
        let mut child = Command::new("/bin/true").spawn().expect("it runs");
        wait_for_end(child.id());
        assert!(exists(child.id()));
        assert!(!runs(child.id()));
        child.wait().expect("reaped");
        assert!(runs(std::process::id()));
        let words = command_line(std::process::id()).expect("a command line");
        assert!(!words[0].is_empty());
    }
}
