//! The command line. Flags are settings too: they win over the environment and the file.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use types::Role;

/// Runs lmms-eval evaluations, shows them live and keeps every result.
#[derive(Debug, Parser)]
#[command(name = "lmms-dash", version, about, after_long_help = crate::config::settings_help())]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the whole product on this machine: database, API, pages and worker.
    Up(UpArgs),
    /// Serve the API and the pages; workers run elsewhere.
    Serve(ServeArgs),
    /// Run a worker: claims queued runs, starts them and stores their results.
    Work(CommonArgs),
    /// Execute one attempt; started by a worker, never by hand.
    Exec(ExecArgs),
    /// Bring in output of lmms-eval from files, folders, zip and tar archives.
    Import(ImportArgs),
    /// Bring the database's schema and policies up to date.
    Migrate(CommonArgs),
    /// Check GPU, lmms-eval, database and Supabase, and say how to mend what is wrong.
    Doctor(CommonArgs),
    /// Print the OpenAPI document.
    Openapi,
    /// Manage API tokens.
    #[command(subcommand)]
    Token(TokenCommand),
}

/// What every command that needs a configuration takes.
#[derive(Debug, Clone, Default, Args)]
pub struct CommonArgs {
    /// A TOML file with settings.
    #[arg(long, value_name = "FILE", env = "LMMS_CONFIG")]
    pub config: Option<PathBuf>,
    /// Where everything is kept (`LMMS_DATA_DIR`).
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Any other setting by its variable, e.g. `--set LMMS_LOG=debug`; may be repeated.
    #[arg(long = "set", value_name = "VARIABLE=VALUE")]
    pub set: Vec<String>,
}

/// What a server takes.
#[derive(Debug, Clone, Default, Args)]
pub struct ServeArgs {
    /// Settings.
    #[command(flatten)]
    pub common: CommonArgs,
    /// The address to listen on (`LMMS_LISTEN`).
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// Allow an address other than loopback with the embedded sign-in (`LMMS_UNSAFE_LISTEN`).
    #[arg(long)]
    pub unsafe_listen: bool,
    /// The folder with the built pages (`LMMS_SPA_DIR`).
    #[arg(long, value_name = "DIR")]
    pub spa_dir: Option<PathBuf>,
    /// Once ready, write JSON here: `url`, `sign_in_url`, `pid`, `version`.
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
}

/// What `up` takes.
#[derive(Debug, Clone, Default, Args)]
pub struct UpArgs {
    /// What a server takes.
    #[command(flatten)]
    pub serve: ServeArgs,
    /// Add a demo organization that needs no GPU, key or hub (`LMMS_DEMO`).
    #[arg(long)]
    pub demo: bool,
}

/// What `exec` takes.
#[derive(Debug, Clone, Args)]
pub struct ExecArgs {
    /// The attempt directory.
    #[arg(long, value_name = "DIR")]
    pub attempt_dir: PathBuf,
    /// Further arguments of the executor itself.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    pub rest: Vec<String>,
}

/// What `import` takes.
#[derive(Debug, Clone, Args)]
pub struct ImportArgs {
    /// Settings.
    #[command(flatten)]
    pub common: CommonArgs,
    /// Only read, and print one JSON line per file; needs no database.
    #[arg(long)]
    pub check: bool,
    /// The organization, by name or id.
    #[arg(long, value_name = "NAME", required_unless_present = "check")]
    pub organization: Option<String>,
    /// Models, checkpoints and tasks of files that do not name them: TOML, JSON or YAML.
    #[arg(long, value_name = "FILE")]
    pub mapping: Option<PathBuf>,
    /// When runs ended whose documents have no full date, e.g. `2025-05-11T16:35:00Z`; now when absent.
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<chrono::DateTime<chrono::Utc>>,
    /// Files, folders, zip and tar archives.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

/// What can be done with API tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Create an API token and print its secret.
    Create(TokenCreateArgs),
}

/// What `token create` takes.
#[derive(Debug, Clone, Args)]
pub struct TokenCreateArgs {
    /// Settings.
    #[command(flatten)]
    pub common: CommonArgs,
    /// The organization, by name or id.
    #[arg(long, value_name = "NAME")]
    pub organization: String,
    /// What the token may do at most: viewer, editor, admin or owner.
    #[arg(long)]
    pub role: Role,
    /// What it may do, separated by commas: read, runs, models, admin; all when absent.
    #[arg(long, value_delimiter = ',')]
    pub scopes: Vec<String>,
    /// A name for people.
    #[arg(long, default_value = "command line")]
    pub name: String,
}

impl CommonArgs {
    /// These flags as settings: variable and value.
    pub fn settings(&self) -> Vec<(String, String)> {
        let mut settings: Vec<_> = self
            .set
            .iter()
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect();
        settings.extend(path_setting("LMMS_DATA_DIR", self.data_dir.as_ref()));
        settings
    }
}

impl ServeArgs {
    /// These flags as settings: variable and value.
    pub fn settings(&self) -> Vec<(String, String)> {
        let mut settings = self.common.settings();
        settings.extend(self.listen.clone().map(|v| ("LMMS_LISTEN".to_owned(), v)));
        settings.extend(path_setting("LMMS_SPA_DIR", self.spa_dir.as_ref()));
        if self.unsafe_listen {
            settings.push(("LMMS_UNSAFE_LISTEN".to_owned(), "true".to_owned()));
        }
        settings
    }
}

impl UpArgs {
    /// These flags as settings: variable and value.
    pub fn settings(&self) -> Vec<(String, String)> {
        let mut settings = self.serve.settings();
        if self.demo {
            settings.push(("LMMS_DEMO".to_owned(), "true".to_owned()));
        }
        settings
    }
}

fn path_setting(variable: &str, path: Option<&PathBuf>) -> Option<(String, String)> {
    path.map(|p| (variable.to_owned(), p.display().to_string()))
}
