//! The peer of P4, P5 and P12: MLflow's tracking server, from PyPI, in an environment of its own.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::comparison::wait_for;
use super::http;
use super::machine::{Core, family, pinned};
use super::product::Folder;
use crate::process::{read, run, say};
use crate::{python, workspace};

const PACKAGE: &str = "mlflow==3.17.2";
/// Python imports a great deal before it answers.
const START: Duration = Duration::from_secs(180);
/// The same runs as ours: a model, a variant and a handful of benchmarks with a value each.
const SEED: &str = r#"
import sys, time, uuid
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.store.tracking.dbmodels.models import SqlRun, SqlLatestMetric, SqlParam

store = SqlAlchemyStore(f"sqlite:///{sys.argv[1]}", sys.argv[2])
now = int(time.time() * 1000)
with store.ManagedSessionMaker() as session:
    for i in range(int(sys.argv[3])):
        run = uuid.uuid4().hex
        session.add(SqlRun(run_uuid=run, name=f"bench {i}", source_type="LOCAL", source_name="", entry_point_name="",
            user_id="bench", status="FINISHED", start_time=now - 60000 * i, end_time=now - 60000 * i + 1000,
            source_version="", lifecycle_stage="active", artifact_uri=f"{sys.argv[2]}/{run}", experiment_id=0))
        for key in ("model", "checkpoint_variant", "benchmarks"):
            session.add(SqlParam(run_uuid=run, key=key, value="bench"))
        for key in range(3):
            session.add(SqlLatestMetric(run_uuid=run, key=f"acc_{key}", value=0.5, timestamp=now, step=0, is_nan=False))
        if i % 1000 == 999:
            session.commit()
"#;

/// A tracking server on SQLite, which is what it starts with.
pub(crate) struct Mlflow {
    folder: Folder,
    programs: PathBuf,
    child: Option<Child>,
    pub(crate) address: String,
}

impl Mlflow {
    /// Installs it when it is not there, and fills its database.
    pub(crate) fn prepare(runs: usize) -> Result<Self> {
        let packages = python::tool(&workspace::scratch()?, PACKAGE)?;
        let programs = packages
            .ancestors()
            .nth(3)
            .context("packages lie in an environment")?
            .join("bin");
        let mlflow = Self {
            folder: Folder::new("mlflow")?,
            programs,
            child: None,
            address: String::new(),
        };
        say(format_args!("filling MLflow with {runs} runs"));
        let script = mlflow.folder.path().join("seed.py");
        fs::write(&script, SEED)?;
        let mut command = mlflow.python();
        command
            .arg(script)
            .arg(mlflow.database())
            .arg(mlflow.artifacts())
            .arg(runs.to_string());
        read(&mut command)?;
        Ok(mlflow)
    }

    fn python(&self) -> Command {
        Command::new(self.programs.join("python"))
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("mlflow.db")
    }

    fn artifacts(&self) -> PathBuf {
        self.folder.path().join("artifacts")
    }

    /// Starts the server with one worker and waits until it is healthy.
    pub(crate) fn start(&mut self) -> Result<()> {
        let port = http::free_port()?.to_string();
        self.address = format!("127.0.0.1:{port}");
        let mut command = pinned(Core::Server, &self.programs.join("mlflow"));
        command.args(["server", "--host", "127.0.0.1", "--workers", "1", "--port", &port]);
        command
            .arg("--backend-store-uri")
            .arg(format!("sqlite:///{}", self.database().display()));
        command.arg("--default-artifact-root").arg(self.artifacts());
        command.env("PATH", crate::process::path_with(&self.programs)?);
        command.current_dir(self.folder.path());
        let log = fs::File::create(self.folder.path().join("server.log"))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.child = Some(command.spawn().context("cannot start MLflow")?);
        let healthy = || http::request(&self.address, "GET", "/health", &[], "").is_ok_and(|(s, _)| s == 200);
        wait_for("MLflow", START, healthy)
    }

    /// The server and its workers.
    pub(crate) fn family(&self) -> Vec<u32> {
        self.child
            .as_ref()
            .map(|child| family(child.id()))
            .unwrap_or_default()
    }

    /// Lets something go on while the server and its workers stand still: at rest they take a good part of a core.
    pub(crate) fn while_still<T>(&self, work: impl FnOnce() -> T) -> T {
        let all: Vec<_> = self.family().into_iter().map(|pid| pid.to_string()).collect();
        let tell = |signal: &str| run(Command::new("kill").arg(signal).args(&all).stderr(Stdio::null()));
        // One that is gone is found out by whoever asks it next.
        let _ = tell("-STOP");
        let done = work();
        let _ = tell("-CONT");
        done
    }

    /// Ends the server and its workers.
    pub(crate) fn stop(&mut self) -> Result<()> {
        let Some(mut child) = self.child.take() else {
            return Ok(());
        };
        let all = family(child.id()).into_iter().map(|pid| pid.to_string());
        // One that is gone already is no failure.
        let _ = run(Command::new("kill").arg("-KILL").args(all).stderr(Stdio::null()));
        child.wait()?;
        Ok(())
    }
}

impl Drop for Mlflow {
    fn drop(&mut self) {
        let _ = self.stop();
    }
}

/// The body of `runs/search` that corresponds to a page of ours.
pub(crate) fn search(limit: usize) -> Value {
    json!({"experiment_ids": ["0"], "max_results": limit, "order_by": ["start_time DESC"]})
}

/// A script for wrk that creates runs and logs a batch to each: two requests for what is one of ours.
pub(crate) const CREATE: &str = r#"
local runs = {}
local headers = {["content-type"] = "application/json"}
request = function()
  local run = table.remove(runs)
  if run == nil then
    return wrk.format("POST", "/api/2.0/mlflow/runs/create", headers, '{"experiment_id": "0", "start_time": 1}')
  end
  local body = '{"run_id": "' .. run .. '", "params": [{"key": "model", "value": "bench"},' ..
    '{"key": "variant", "value": "latest"}, {"key": "benchmarks", "value": "bench"}],' ..
    '"tags": [{"key": "status", "value": "queued"}]}'
  return wrk.format("POST", "/api/2.0/mlflow/runs/log-batch", headers, body)
end
response = function(status, headers, body)
  local run = string.match(body, '"run_id": *"(%w+)"')
  if run ~= nil then table.insert(runs, run) end
end
"#;
