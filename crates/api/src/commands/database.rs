//! Which database a command works on: the embedded cluster, or the one that was configured.

use crate::config::Config;
use crate::db::{Db, migrate, tls};
use anyhow::{Context, bail};
use pg::Cluster;
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// What the API signs in as, in the embedded cluster.
const API_ROLE: &str = "lmms_api";
/// What owns the schema, as on a hosted project.
const OWNER_ROLE: &str = "postgres";
const DATABASE: &str = "postgres";

/// The database of a command.
pub(super) struct Database {
    cluster: Option<Cluster>,
    url: String,
    admin_url: String,
    superuser_url: Option<String>,
    note: PathBuf,
}

/// Where a running embedded cluster is, for other commands.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    url: String,
    pid: u32,
}

/// The configured database, or the embedded cluster, which is started.
pub(super) fn open(config: &Config) -> anyhow::Result<Database> {
    if config.database.url.is_some() {
        return external(config);
    }
    let mut options = pg::Options::new(config.data_dir().join("pg"));
    options.bin = config.database.pg_bin.clone();
    options.allow_install = config.database.pg_install;
    options.settings = vec![(
        "max_connections".to_owned(),
        (config.database.pool + 44).to_string(),
    )];
    let cluster = Cluster::start(options)
        .context("the embedded PostgreSQL does not start; another one can be used with `DATABASE_URL`")?;
    let url = cluster.url(API_ROLE, DATABASE);
    let note = config.data_dir().join("database.json");
    let text = serde_json::to_string(&Note {
        url: url.clone(),
        pid: std::process::id(),
    })?;
    super::ready::write_atomically(&note, &text)?;
    Ok(Database {
        admin_url: cluster.url(OWNER_ROLE, DATABASE),
        superuser_url: Some(cluster.url(cluster.superuser(), DATABASE)),
        url,
        cluster: Some(cluster),
        note,
    })
}

/// The configured database.
pub(super) fn external(config: &Config) -> anyhow::Result<Database> {
    let Some(url) = &config.database.url else {
        bail!(
            "`DATABASE_URL` is not set; expected a PostgreSQL address (`lmms-dash up` brings its own database)"
        );
    };
    if let Some(file) = &config.database.ca {
        tls::trust(file)?;
    }
    let admin = config.database.admin_url.as_ref().unwrap_or(url);
    Ok(Database {
        cluster: None,
        url: url.expose().to_owned(),
        admin_url: admin.expose().to_owned(),
        superuser_url: None,
        note: PathBuf::new(),
    })
}

/// The address of the database in use: the configured one, or that of the embedded cluster while it runs.
pub(super) fn running(config: &Config) -> Option<String> {
    if let Some(url) = &config.database.url {
        return Some(url.expose().to_owned());
    }
    let text = fs::read_to_string(config.data_dir().join("database.json")).ok()?;
    let note: Note = serde_json::from_str(&text).ok()?;
    Path::new(&format!("/proc/{}", note.pid))
        .exists()
        .then_some(note.url)
}

impl Database {
    /// Brings the schema up to date.
    pub(super) async fn migrate(&self) -> anyhow::Result<()> {
        if let Some(url) = &self.superuser_url {
            migrate::bootstrap(url)
                .await
                .context("the embedded database cannot be set up")?;
        }
        migrate::migrate(&self.admin_url)
            .await
            .context("the database cannot be brought up to date")
    }

    /// The address for the API's own role.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// A pool on it.
    pub(super) async fn connect(&self, config: &Config) -> anyhow::Result<Db> {
        Ok(Db::connect(&self.url, &config.database).await?)
    }

    /// Stops the embedded cluster.
    pub(super) fn close(mut self) {
        if let Some(cluster) = self.cluster.take() {
            let _ = fs::remove_file(&self.note);
            if let Err(error) = cluster.stop() {
                tracing::error!(error = %crate::error::chain(&error), "the embedded PostgreSQL does not stop");
            }
        }
    }
}

/// Makes the data directory, and refuses a full disk before anything is half written.
pub(super) fn prepare_folder(config: &Config) -> anyhow::Result<()> {
    let dir = config.data_dir();
    // The embedded server of root's runs as somebody else, who must be able to pass through.
    let mode = if rustix::process::geteuid().is_root() {
        0o711
    } else {
        0o700
    };
    DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(&dir)
        .with_context(|| {
            format!(
                "the data directory `{}` cannot be made; choose another with `--data-dir`",
                dir.display()
            )
        })?;
    let stat = rustix::fs::statvfs(&dir)
        .with_context(|| format!("the disk of `{}` cannot be looked at", dir.display()))?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize) / (1024 * 1024);
    if free < config.storage.min_free_mb {
        bail!(
            "the disk of `{}` has {free} MB left; expected at least {} MB (free some, or choose another disk with `--data-dir`)",
            dir.display(),
            config.storage.min_free_mb
        );
    }
    Ok(())
}
