//! `cargo xtask seed`: an organization after two years, in the product's own database, the same for the same number.
//!
//! Everything goes in by COPY in one transaction, without triggers and foreign keys (`session_replication_role`), and
//! indexes of samples are made anew behind many rows. What triggers would have kept is then asked for from the same
//! function that they call, so that the outcome is theirs.

mod random;
mod tables;
mod world;

use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process::{read, say, which};
use tables::Tables;
use world::{Size, World};

/// Samples above which their indexes are made anew.
const MANY: u64 = 500_000;
/// Samples between two lines of progress.
const STEP: u64 = 500_000;
/// Metrics that the leaderboard takes at a time.
const PIECE: u32 = 20_000;

#[derive(clap::Args, Clone, Debug)]
pub(crate) struct SeedOptions {
    #[command(flatten)]
    amount: Amount,
    /// The organization, by name or id; the first one when absent
    #[arg(long)]
    organization: Option<String>,
    /// Data directory of a product that is running
    #[arg(long, value_name = "DIR", default_value = "data")]
    data_dir: PathBuf,
    /// Database to fill instead, as a superuser (triggers and foreign keys are left out)
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

/// How much of what.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(crate) struct Amount {
    /// Runs
    #[arg(long, default_value_t = 100_000)]
    pub(crate) runs: u64,
    /// Samples of them
    #[arg(long, default_value_t = 10_000_000)]
    pub(crate) samples: u64,
    /// Models; a few hundred when absent
    #[arg(long)]
    pub(crate) models: Option<u64>,
    /// Benchmarks
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u64).range(1..=200))]
    pub(crate) benchmarks: u64,
    /// The same number makes the same organization
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(0..=255))]
    pub(crate) seed: u64,
}

impl Amount {
    fn size(&self) -> Result<Size> {
        if self.runs == 0 || self.runs >= 1 << 27 || self.samples >= 1 << 40 {
            bail!(
                "`--runs {} --samples {}`; expected 1 to 134 217 727 runs",
                self.runs,
                self.samples
            );
        }
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .context("the clock is before 1970")?;
        Ok(Size {
            seed: self.seed,
            runs: self.runs,
            samples: self.samples,
            models: self
                .models
                .unwrap_or_else(|| (8 + self.runs / 300).min(300))
                .max(1),
            benchmarks: self.benchmarks,
            // A day's start, so that the same day makes the same organization.
            now: (now.as_millis() as u64) / 86_400_000 * 86_400_000,
        })
    }
}

/// Fills a database.
pub(crate) fn seed(options: &SeedOptions) -> Result<()> {
    let url = match &options.database {
        Some(url) => url.clone(),
        None => superuser_of(&options.data_dir)?,
    };
    fill(&url, options.organization.as_deref(), &options.amount).map(drop)
}

/// The address of a running product's database, as the owner of the cluster.
fn superuser_of(data: &Path) -> Result<String> {
    let file = data.join("database.json");
    let text = fs::read_to_string(&file).with_context(|| {
        format!(
            "cannot read `{}`: start the product first, or pass `--database`",
            file.display()
        )
    })?;
    let note: Value = serde_json::from_str(&text)?;
    let url = note["url"].as_str().context("`database.json` names no `url`")?;
    Ok(url.replace("lmms_api@", "supabase_admin@"))
}

/// Fills the database at `url` and returns how many samples it has got.
pub(crate) fn fill(url: &str, organization: Option<&str>, amount: &Amount) -> Result<u64> {
    let size = amount.size()?;
    let organization = organization_of(url, organization)?;
    let world = World::new(size);
    let start = Instant::now();
    say(format_args!(
        "seeding {} runs and {} samples (number {})",
        size.runs, size.samples, size.seed
    ));
    let tables = Tables {
        world: &world,
        organization: &organization,
    };
    let mut session = Session::open(url)?;
    let stored = session.write(&tables, start);
    // What psql says is the reason when it takes no more.
    session.end()?;
    let stored = stored?;
    say(format_args!(
        "collecting statistics after {:.0} s",
        start.elapsed().as_secs_f64()
    ));
    ask(
        url,
        "vacuum (analyze) run_samples, run_metrics, runs, run_benchmarks, board_scores, models, benchmarks",
    )?;
    say(format_args!(
        "{stored} samples in {:.0} s",
        start.elapsed().as_secs_f64()
    ));
    Ok(stored)
}

fn organization_of(url: &str, wanted: Option<&str>) -> Result<String> {
    let wanted = wanted.unwrap_or_default().replace('\'', "''");
    let found = ask(
        url,
        &format!(
            "select id from organizations where '{wanted}' in ('', name, id::text) order by created_at limit 1"
        ),
    )?;
    if found.is_empty() {
        bail!("there is no organization `{wanted}`");
    }
    Ok(found)
}

fn psql(url: &str) -> Result<Command> {
    let program = which("psql").context("`psql` is missing: install PostgreSQL's client package")?;
    let mut command = Command::new(program);
    command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url]);
    Ok(command)
}

fn ask(url: &str, sql: &str) -> Result<String> {
    read(psql(url)?.args(["-c", sql]))
}

/// One transaction, written to psql.
struct Session {
    child: Child,
    to: BufWriter<ChildStdin>,
}

impl Session {
    fn open(url: &str) -> Result<Self> {
        let mut child = psql(url)?
            .args(["-f", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .context("cannot start `psql`")?;
        let to = child.stdin.take().context("`psql` has no stdin")?;
        Ok(Self {
            child,
            to: BufWriter::with_capacity(1 << 20, to),
        })
    }

    fn write(&mut self, tables: &Tables<'_>, start: Instant) -> Result<u64> {
        let to = &mut self.to;
        writeln!(
            to,
            "begin; set local session_replication_role = replica; set local maintenance_work_mem = '512MB';"
        )?;
        tables.models(to)?;
        tables.benchmarks(to)?;
        tables.run_rows(to)?;
        let many = tables.world.size.samples >= MANY;
        if many {
            writeln!(to, "{FORGET_INDEXES}")?;
        }
        let tallies = tables.samples(to, |stored| {
            if stored % STEP == 0 {
                say(format_args!(
                    "{stored} samples after {:.0} s",
                    start.elapsed().as_secs_f64()
                ));
            }
        })?;
        if many {
            writeln!(to, "{MAKE_INDEXES}")?;
        }
        tables.pick_rows(to, &tallies)?;
        tables.metrics(to, &tallies)?;
        writeln!(to, "{}", kept(tables.organization))?;
        writeln!(to, "commit;")?;
        to.flush()?;
        Ok(tallies.iter().map(|tally| tally.samples).sum())
    }

    fn end(mut self) -> Result<()> {
        drop(self.to);
        let status = self.child.wait()?;
        if !status.success() {
            bail!("`psql` ended with {status}; nothing has been stored");
        }
        Ok(())
    }
}

/// Those that back no constraint; what they were is remembered in the transaction.
const FORGET_INDEXES: &str = "create temporary table forgotten on commit drop as \
    select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as made \
    from pg_index i where i.indrelid = 'public.run_samples'::regclass \
      and not exists (select from pg_constraint c where c.conindid = i.indexrelid); \
    do $$ declare gone text; begin for gone in select name from forgotten loop execute 'drop index ' || gone; end loop; end $$;";
const MAKE_INDEXES: &str = "do $$ declare kept text; begin for kept in select made from forgotten loop execute kept; end loop; end $$;";

/// What triggers would have kept, by the function that they call.
fn kept(organization: &str) -> String {
    format!(
        "analyze run_metrics; analyze runs; \
         select app.board_take(array_agg(id)) from (select id, row_number() over () / {PIECE} as piece \
           from run_metrics where organization_id = '{organization}') m group by piece; \
         select app.board_note(array['{organization}']::uuid[]); \
         select app.agreement_note('{organization}', array(select distinct benchmark_id from run_metrics \
           where organization_id = '{organization}'));"
    )
}
