//! `import`: output of lmms-eval from elsewhere.

use super::database;
use crate::cli::ImportArgs;
use crate::config::Config;
use crate::db::{Conn, Db, organizations};
use crate::error::AppResult;
use crate::import::source::{Files, Walk};
use crate::import::{self, Report, Request, parse_mapping};
use crate::store::Store;
use anyhow::{Context, bail};
use std::fs;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::process::ExitCode;
use types::ImportMapping as Mapping;

/// Checks the files of the paths.
pub(super) fn check(args: &ImportArgs) -> anyhow::Result<ExitCode> {
    let mut out = BufWriter::new(io::stdout().lock());
    let checked = import::check(&args.paths, &mut out).and_then(|found| out.flush().map(|()| found));
    match checked {
        Ok(true) => Ok(ExitCode::SUCCESS),
        Ok(false) => Ok(ExitCode::FAILURE),
        // Whoever reads has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error).context("the lines cannot be written"),
    }
}

/// Imports the files of the paths; the embedded cluster is started for that when nobody runs it.
pub(super) fn run(config: &Config, args: &ImportArgs) -> anyhow::Result<ExitCode> {
    if let Some(gone) = args.paths.iter().find(|path| path.symlink_metadata().is_err()) {
        bail!("there is no `{}`", gone.display());
    }
    let mapping = mapping(args)?;
    let runtime = super::runtime(config)?;
    let report = if let Some(url) = database::running(config) {
        runtime.block_on(store(config, &url, args, mapping))?
    } else {
        database::prepare_folder(config)?;
        let database = database::open(config)?;
        let outcome = runtime.block_on(async {
            database.migrate().await?;
            store(config, database.url(), args, mapping).await
        });
        database.close();
        outcome?
    };
    print(&report)?;
    Ok(ExitCode::SUCCESS)
}

fn mapping(args: &ImportArgs) -> anyhow::Result<Mapping> {
    let Some(path) = &args.mapping else {
        return Ok(Mapping::default());
    };
    let text = fs::read_to_string(path)
        .with_context(|| format!("the mapping `{}` cannot be read", path.display()))?;
    Ok(parse_mapping(&text, path)?)
}

async fn store(config: &Config, url: &str, args: &ImportArgs, mapping: Mapping) -> anyhow::Result<Report> {
    let db = Db::connect(url, &config.database)
        .await
        .context("the database cannot be used")?;
    let name = args.organization.clone().unwrap_or_default();
    let found = db
        .service(async |conn: &mut Conn| -> AppResult<_> { Ok(organizations::find(conn, &name).await?) })
        .await?;
    let Some(organization) = found else {
        bail!("there is no organization `{name}`");
    };
    let names: Vec<String> = args.paths.iter().map(|path| path.display().to_string()).collect();
    let request = Request {
        organization: organization.0,
        files: Files::Paths(args.paths.clone()),
        name: names.join(", "),
        mapping,
        as_of: args.as_of,
        created_by: None,
        created_by_token: None,
        walk: Walk::default(),
    };
    let store = Store::local(&config.object_dir())?;
    let tell = &mut |done: usize, all: usize| eprintln!("{done} of {all} runs");
    Ok(import::import(&db, &store, &request, tell).await?)
}

/// One JSON line per file, and what it came to for people.
fn print(report: &Report) -> anyhow::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    for file in &report.files {
        serde_json::to_writer(&mut out, file)?;
        writeln!(out)?;
    }
    out.flush()?;
    eprintln!(
        "{} files: {} runs stored, {} known already (import {})",
        report.files.len(),
        report.stored,
        report.known,
        report.id
    );
    Ok(())
}
