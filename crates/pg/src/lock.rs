//! One application per cluster: an advisory lock that the kernel releases with its process.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};

use crate::error::{Error, Holder};
use crate::home::Home;
use crate::process;

/// The held lock; the file stays behind, because deleting it would let two processes in.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "closing the file releases the lock")] File);

impl Lock {
    /// Takes the lock and writes this process's id into it for the message of a second instance.
    pub(crate) fn take(home: &Home) -> Result<Self, Error> {
        let path = home.lock();
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(Error::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::InUse {
                    dir: home.dir.clone(),
                    holder: holder(&mut file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", &path)(error)),
        }
        sign(&mut file).map_err(Error::io("write", &path))?;
        Ok(Self(file))
    }
}

fn sign(file: &mut fs::File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn holder(file: &mut File) -> Holder {
    let mut text = String::new();
    let pid = match file.take(32).read_to_string(&mut text) {
        Ok(_) => text.trim().parse().ok(),
        Err(_) => None,
    };
    let command = pid.and_then(process::command_line).map(|words| {
        let line: String = words.join(" ").chars().take(120).collect();
        line.replace(char::is_control, " ")
    });
    Holder {
        pid,
        command: command.filter(|line| !line.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_told_of_the_first() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let home = Home::open(dir.path()).expect("a home");
        let first = Lock::take(&home).expect("free");
        let Err(Error::InUse { holder, .. }) = Lock::take(&home) else {
            panic!("the lock was given twice");
        };
        assert_eq!(holder.pid, Some(std::process::id()));
        assert!(holder.command.is_some_and(|line| line.contains("pg")));
        drop(first);
        Lock::take(&home).expect("free again");
    }
}
