//! The attempt directory: every path in it, and how its files are written.
//!
//! A file that another process waits for is written aside, synced and renamed, so that whoever
//! sees it sees all of it. The few files that must be written even on a full disk have their
//! room reserved beforehand.
//!
//! What says how something ended (`done.json`, `exit.json`) and what others wait for (`cancel`) is
//! synced. What only matters as long as this machine runs is not: an attempt never goes on after a
//! restart of its machine, so its job, its token and the name of its keeper are of no use then. One
//! sync of the folder, before the first process starts, keeps the claim, and with it the rule that
//! nobody starts those processes again.

use crate::job::{Job, JobError};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    ffi::CString,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    mem::MaybeUninit,
    os::{
        fd::AsRawFd,
        unix::{
            ffi::OsStrExt,
            fs::{DirBuilderExt, OpenOptionsExt},
        },
    },
    path::{Path, PathBuf},
};
use types::{AttemptExit, BenchmarkDone, RunId};

/// The most that is read of a small file of our own.
const SMALL_FILE: u64 = 16 << 20;

/// The directory of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptDir {
    root: PathBuf,
}

impl AttemptDir {
    /// The attempt that lives in `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where the attempt `epoch` of a run lives below the data directory.
    #[must_use]
    pub fn of(data_dir: &Path, run: RunId, epoch: i32) -> Self {
        let attempts = data_dir.join("attempts");
        Self::new(attempts.join(run.to_string()).join(epoch.to_string()))
    }

    /// Makes the directory with its job and token. Doing it again with the same job is harmless,
    /// also for somebody who was asleep meanwhile: the first token stays. Returns it. Nothing is
    /// synced; see [`Self::is_whole`].
    ///
    /// # Errors
    ///
    /// When the job cannot be executed, or the directory cannot be written.
    pub fn prepare(&self, job: &Job, token: &str) -> Result<String, JobError> {
        job.check()?;
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(&self.root)?;
        self.write_once("token", token.as_bytes())?;
        self.write_volatile("job.json", &serde_json::to_vec(job).map_err(io::Error::from)?)?;
        Ok(self.token()?)
    }

    /// Whether job and token are there: a crash of the machine may have left them empty.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.job().is_ok() && self.token().is_ok_and(|token| !token.is_empty())
    }

    /// Makes whatever files are in the directory now outlive a crash of the machine, by name.
    ///
    /// # Errors
    ///
    /// When it cannot be synced.
    pub(crate) fn sync_names(&self) -> io::Result<()> {
        File::open(&self.root)?.sync_all()
    }

    /// The directory itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A file by its name relative to the directory.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Where a benchmark's files appear.
    #[must_use]
    pub fn out(&self, order: u32) -> PathBuf {
        self.root.join("out").join(order.to_string())
    }

    /// The job.
    ///
    /// # Errors
    ///
    /// When it is missing or cannot be executed.
    pub fn job(&self) -> Result<Job, JobError> {
        Job::parse(&read_capped(&self.path("job.json"), SMALL_FILE)?)
    }

    /// The token that authorises the reporter.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn token(&self) -> io::Result<String> {
        let bytes = read_capped(&self.path("token"), 4096)?;
        Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
    }

    /// How a benchmark ended; `None` while it has not.
    ///
    /// # Errors
    ///
    /// When the file is there but cannot be read.
    pub fn done(&self, order: u32) -> io::Result<Option<BenchmarkDone>> {
        self.read_json(&format!("out/{order}/done.json"))
    }

    /// How the attempt ended; `None` while it has not.
    ///
    /// # Errors
    ///
    /// When the file is there but cannot be read.
    pub fn exit(&self) -> io::Result<Option<AttemptExit>> {
        self.read_json("exit.json")
    }

    /// A small JSON file; `None` when it is not there.
    ///
    /// # Errors
    ///
    /// When it is there but cannot be read.
    pub fn read_json<T: DeserializeOwned>(&self, name: &str) -> io::Result<Option<T>> {
        match read_capped(&self.path(name), SMALL_FILE) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes a JSON file so that it appears whole or not at all.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn write_json(&self, name: &str, value: &impl Serialize) -> io::Result<()> {
        self.write_atomic(name, &serde_json::to_vec(value)?)
    }

    /// Writes a file so that it appears whole or not at all, also after a crash of the machine.
    /// On a full disk the room set aside by [`Self::reserve`] is used.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn write_atomic(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.path(name);
        // Two workers may prepare the same attempt for a moment: neither takes the other's file away.
        let aside = beside(&path, &format!("tmp-{}", std::process::id()));
        let written = write_synced(&aside, bytes);
        if let Err(error) = written {
            let _ = fs::remove_file(&aside);
            return self.write_reserved(&path, bytes).map_err(|_| error);
        }
        fs::rename(&aside, &path)?;
        sync_parent(&path)
    }

    /// Writes a file so that it appears whole or not at all, as long as the machine does not crash:
    /// for what nobody reads after that.
    pub(crate) fn write_volatile(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.path(name);
        let aside = beside(&path, &format!("tmp-{}", std::process::id()));
        create_private(&aside)?.write_all(bytes)?;
        fs::rename(&aside, &path)
    }

    /// Writes a file whole, unless it is there. An empty one is what a crash of the machine leaves.
    fn write_once(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.path(name);
        let aside = beside(&path, &std::process::id().to_string());
        create_private(&aside)?.write_all(bytes)?;
        if fs::symlink_metadata(&path).is_ok_and(|file| file.len() == 0) {
            return fs::rename(&aside, &path);
        }
        let linked = fs::hard_link(&aside, &path);
        fs::remove_file(&aside)?;
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    }

    /// Sets room aside for a file that must be written even on a full disk.
    ///
    /// # Errors
    ///
    /// When there is no room now.
    pub fn reserve(&self, name: &str, bytes: u64) -> io::Result<()> {
        let path = self.path(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        // The blocks belong to the file as soon as the call returns, synced or not.
        allocate(&create_private(&beside(&path, "reserve"))?, bytes)
    }

    /// Gives reserved room back once it is not needed any more.
    pub fn release(&self, name: &str) {
        let _ = fs::remove_file(beside(&self.path(name), "reserve"));
    }

    /// Whether nothing more can be written here.
    pub(crate) fn is_disk_full(&self) -> bool {
        let Ok(path) = CString::new(self.root.as_os_str().as_bytes()) else {
            return false;
        };
        let mut stat = MaybeUninit::<libc::statvfs>::zeroed();
        // SAFETY: the path ends with a NUL, and the structure may be written to.
        let looked = unsafe { libc::statvfs(path.as_ptr(), stat.as_mut_ptr()) } == 0;
        // SAFETY: all zeroes is a valid `statvfs`, whether or not the call has filled it.
        looked && unsafe { stat.assume_init() }.f_bavail == 0
    }

    /// Overwriting allocated blocks needs no free ones.
    fn write_reserved(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let reserve = beside(path, "reserve");
        let mut file = OpenOptions::new().write(true).open(&reserve)?;
        if file.metadata()?.len() < bytes.len() as u64 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        file.write_all(bytes)?;
        file.set_len(bytes.len() as u64)?;
        file.sync_all()?;
        fs::rename(&reserve, path)?;
        sync_parent(path)
    }
}

/// `out/0/done.json` becomes `out/0/.done.json.tmp`.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{suffix}"))
}

fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.custom_flags(libc::O_NOFOLLOW).open(path)
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = create_private(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

fn allocate(file: &File, bytes: u64) -> io::Result<()> {
    let length = libc::off_t::try_from(bytes).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the descriptor is open for the whole call.
    match unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, length) } {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}

/// Reads a regular file, following no link, and refuses one that is larger than the cap.
pub(crate) fn read_capped(path: &Path, cap: u64) -> io::Result<Vec<u8>> {
    let file = open_regular(path)?;
    // Asked first, so that of a huge file nothing is read.
    if file.metadata()?.len() > cap {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut bytes = Vec::new();
    file.take(cap + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > cap {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

/// Opens a regular file: no link is followed, and a FIFO or device never blocks or answers.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let file = options.open(path)?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "is no regular file"))
}
