//! A running cluster, as its owner sees it.

use std::path::{Path, PathBuf};

use crate::account;
use crate::conf;
use crate::error::Error;
use crate::find::{self, Binaries};
use crate::home::Home;
use crate::init;
use crate::lock::Lock;
use crate::log::Log;
use crate::options::Options;
use crate::postmaster::Launch;
use crate::socket;
use crate::state::Health;
use crate::supervise::Handle;

/// The superuser of every cluster, named as on Supabase.
pub const SUPERUSER: &str = "supabase_admin";
const DEFAULT_PORT: u16 = 5432;

/// A private PostgreSQL server that runs as long as this value lives, and no longer.
#[derive(Debug)]
pub struct Cluster {
    handle: Handle,
    home: Home,
    socket_dir: PathBuf,
    port: u16,
    binaries: Binaries,
    log: PathBuf,
    /// Declared last, so that it is released after everything else.
    _lock: Lock,
}

impl Cluster {
    /// Creates the cluster when there is none, starts its server and waits until it accepts
    /// connections.
    ///
    /// # Errors
    ///
    /// When another process uses the cluster, no fitting server can be found or installed, or
    /// the server does not start; the message says what to do.
    pub fn start(options: Options) -> Result<Self, Error> {
        let home = Home::open(&options.dir)?;
        let lock = Lock::take(&home)?;
        init::remove_leftovers(&home)?;
        let data = home.data();
        let account = account::choose(&data)?;
        let binaries = find::find(&options, &home, account.as_ref())?;
        if init::cluster_major(&data)?.is_none() {
            let version = &binaries.version;
            options.report(&format!("creating a PostgreSQL {version} cluster"));
            init::create(&home, &binaries, account.as_ref(), options.durable)?;
        }
        if let Some(account) = &account {
            account.own(&data)?;
        }
        let port = options.tcp_port.unwrap_or(DEFAULT_PORT);
        let socket_dir = socket::prepare(&home, port, account.as_ref())?;
        conf::write(&data, &options, &socket_dir, port, account.as_ref())?;
        home.remember(&binaries)?;
        let log = Log { path: home.log() };
        let launch = Launch {
            home: home.clone(),
            binaries: binaries.clone(),
            account,
            log: log.clone(),
            tcp_port: options.tcp_port,
        };
        let handle =
            Handle::start(launch, options.progress).inspect_err(|_| socket::clean_up(&home, &socket_dir))?;
        Ok(Self {
            handle,
            home,
            socket_dir,
            port,
            binaries,
            log: log.path,
            _lock: lock,
        })
    }

    /// The folder of the server's Unix socket.
    pub fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    /// The port, which is part of the socket's name even without TCP.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The role that may do everything.
    pub fn superuser(&self) -> &str {
        SUPERUSER
    }

    /// The address of a database for libpq and tokio-postgres, over the Unix socket.
    pub fn url(&self, user: &str, database: &str) -> String {
        let host = self.socket_dir.to_string_lossy();
        format!(
            "postgres://{}@{}:{}/{}",
            percent(user),
            percent(&host),
            self.port,
            percent(database)
        )
    }

    /// The server's major version.
    pub fn major(&self) -> u32 {
        self.binaries.major
    }

    /// The server's programs.
    pub fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    /// The server's log.
    pub fn log_path(&self) -> &Path {
        &self.log
    }

    /// The process id of the server, or of the last one while none runs.
    pub fn pid(&self) -> u32 {
        self.handle.state.pid()
    }

    /// Whether the server runs and accepts connections.
    pub fn is_alive(&self) -> bool {
        self.handle.state.is_up()
    }

    /// How the server is doing.
    pub fn health(&self) -> Health {
        self.handle.state.health()
    }

    /// Stops the server and waits for its end: open connections are closed, what was committed
    /// is kept.
    ///
    /// # Errors
    ///
    /// When the server outlives every signal.
    pub fn stop(mut self) -> Result<(), Error> {
        self.end()
    }

    fn end(&mut self) -> Result<(), Error> {
        self.handle.stop()?;
        socket::clean_up(&self.home, &self.socket_dir);
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::error!(%error, "the cluster did not stop");
        }
    }
}

/// Escapes everything but unreserved characters, so that a path can stand where a host does.
fn percent(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_may_be_shared_between_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<Cluster>();
    }

    #[test]
    fn a_path_becomes_a_host() {
        assert_eq!(percent("/srv/a b/ü"), "%2Fsrv%2Fa%20b%2F%C3%BC");
        assert_eq!(percent("supabase_admin"), "supabase_admin");
    }
}
