//! The product under test: what `cargo xtask up` runs, on a database of its own in a temporary folder.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::comparison::wait_for;
use super::http;
use super::machine::{Core, family, pinned, processes_of, tool};
use crate::process::read;
use crate::up;

/// How long a first start may take: it makes a database.
const START: Duration = Duration::from_secs(120);
/// A folder that goes when the measurement is over. PostgreSQL gives up root's rights and must reach what is in it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Result<Self> {
        let path = std::env::temp_dir().join(format!("lmms-bench-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).with_context(|| format!("cannot make `{}`", path.display()))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o711))?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Executors outlive their server.
        let left = processes_of(&self.0);
        if !left.is_empty() {
            let _ = Command::new("kill")
                .arg("-KILL")
                .args(left)
                .stderr(Stdio::null())
                .status();
        }
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A child that ends with the measurement.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(Some(_))) {
            return;
        }
        // Asked first, for a database closes its files.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let gone = |child: &mut Child| matches!(child.try_wait(), Ok(Some(_)));
        if wait_for("the end", Duration::from_secs(10), || gone(&mut self.0)).is_err() {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

/// A started `lmms-dash`.
pub(crate) struct Product {
    running: Running,
    pub(crate) program: PathBuf,
    pub(crate) data: PathBuf,
    /// `host:port`.
    pub(crate) address: String,
    /// Of the first organization's owner.
    pub(crate) token: String,
    /// The link that opens the first owner's account, after a first start.
    pub(crate) sign_in: Option<String>,
}

impl Product {
    /// Starts `lmms-dash up` in `data` and waits until it is ready.
    pub(crate) fn start(data: &Path, settings: &[(String, String)]) -> Result<Self> {
        let (program, data) = (up::program()?, data.to_owned());
        let ready = data.with_extension("ready");
        let running = Running(spawn(&program, &data, "127.0.0.1:0", &ready, settings)?);
        let mut product = Self {
            running,
            program,
            data: data.clone(),
            address: String::new(),
            token: String::new(),
            sign_in: None,
        };
        let gone = |running: &mut Running| matches!(running.0.try_wait(), Ok(Some(_)));
        wait_for("lmms-dash", START, || {
            ready.exists() || gone(&mut product.running)
        })?;
        if !ready.exists() {
            bail!(
                "lmms-dash ends:\n{}",
                fs::read_to_string(data.with_extension("log"))?
            );
        }
        let told: Value = serde_json::from_str(&fs::read_to_string(&ready)?)?;
        fs::remove_file(&ready)?;
        let url = told["url"].as_str().context("the ready file names no `url`")?;
        url.trim_start_matches("http://").clone_into(&mut product.address);
        product.sign_in = told["sign_in_url"].as_str().map(str::to_owned);
        product.token = product.new_token()?;
        Ok(product)
    }

    /// Starts the program and waits for nothing.
    pub(crate) fn bare(data: &Path, address: &str) -> Result<Running> {
        Ok(Running(spawn(
            &up::program()?,
            data,
            address,
            &data.with_extension("ready"),
            &[],
        )?))
    }

    fn new_token(&self) -> Result<String> {
        let organization = self.sql("select id from organizations order by created_at limit 1")?;
        let mut command = up::clean_command(&self.program);
        command.args([
            "token",
            "create",
            "--role",
            "owner",
            "--organization",
            &organization,
        ]);
        read(command.arg("--data-dir").arg(&self.data))
    }

    /// The address of the database, as the API's own role.
    pub(crate) fn database(&self) -> Result<String> {
        let note: Value = serde_json::from_str(&fs::read_to_string(self.data.join("database.json"))?)?;
        Ok(note["url"]
            .as_str()
            .context("`database.json` names no `url`")?
            .to_owned())
    }

    /// Runs statements as the owner of the cluster and returns what they print.
    pub(crate) fn sql(&self, text: &str) -> Result<String> {
        let url = self.database()?.replace("lmms_api@", "supabase_admin@");
        let psql = tool("psql", "postgresql-client")?;
        let file = self.data.with_extension("sql");
        fs::write(&file, text)?;
        read(
            Command::new(psql)
                .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", &url, "-f"])
                .arg(&file),
        )
    }

    /// Waits until a condition holds, in one session: a new one for each look would take the server's core.
    pub(crate) fn until(&self, condition: &str, limit: Duration) -> Result<()> {
        self.sql(&format!(
            "do $$ declare until timestamptz := clock_timestamp() + interval '{} seconds'; begin \
               while not coalesce(({condition}), false) loop \
                 if clock_timestamp() > until then raise exception 'not in time'; end if; \
                 perform pg_sleep(0.005); \
               end loop; \
             end $$",
            limit.as_secs()
        ))
        .map(drop)
    }

    /// A request with the owner's rights.
    pub(crate) fn api(&self, method: &str, path: &str, body: &str) -> Result<Value> {
        let bearer = format!("Bearer {}", self.token);
        http::json(
            &self.address,
            method,
            &format!("/api/v1{path}"),
            &[("authorization", &bearer)],
            body,
        )
    }

    pub(crate) fn pid(&self) -> u32 {
        self.running.0.id()
    }

    /// The server with its database, without executors, which have left the family.
    pub(crate) fn family(&self) -> Vec<u32> {
        family(self.pid())
    }

    /// Ends the server as a power cut would, but leaves its executors.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.running.0.kill()?;
        self.running.0.wait()?;
        Ok(())
    }
}

fn spawn(
    program: &Path,
    data: &Path,
    address: &str,
    ready: &Path,
    settings: &[(String, String)],
) -> Result<Child> {
    let log = fs::File::create(data.with_extension("log"))?;
    let mut command = pinned(Core::Server, program);
    up::forget_cargo(&mut command);
    command
        .env_remove("LMMS_EVAL_PYTHON")
        .arg("up")
        .arg("--data-dir")
        .arg(data);
    command.args(["--listen", address, "--ready-file"]).arg(ready);
    for (variable, value) in settings {
        command.arg("--set").arg(format!("{variable}={value}"));
    }
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    command
        .spawn()
        .with_context(|| format!("cannot start `{}`", program.display()))
}

/// A second server on the same database, with one connection, so that its statements come in order.
pub(crate) fn serve(product: &Product, name: &str, settings: &[(&str, &str)]) -> Result<(Running, String)> {
    let data = product.data.with_extension(name);
    let (ready, database) = (data.with_extension("ready"), product.database()?);
    let mut command = up::clean_command(&product.program);
    command
        .env_remove("LMMS_EVAL_PYTHON")
        .args(["serve", "--listen", "127.0.0.1:0"])
        .arg("--data-dir")
        .arg(&data)
        .arg("--ready-file")
        .arg(&ready);
    command.env("DATABASE_URL", format!("{database}?application_name={name}"));
    for (variable, value) in settings {
        command.arg("--set").arg(format!("{variable}={value}"));
    }
    let child = Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
    wait_for("the second server", START, || ready.exists())?;
    let told: Value = serde_json::from_str(&fs::read_to_string(&ready)?)?;
    fs::remove_file(&ready)?;
    let url = told["url"].as_str().context("the ready file names no `url`")?;
    Ok((child, url.trim_start_matches("http://").to_owned()))
}
