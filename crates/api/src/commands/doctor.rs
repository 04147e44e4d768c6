//! Checks a set-up and says how to mend what is wrong.

use super::database;
use crate::auth::Keys;
use crate::catalogue::locate;
use crate::config::Config;
use crate::db::{Db, migrate};
use crate::error::chain;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

/// What a check found.
enum Finding {
    /// It works.
    Fine(String),
    /// It is not there, and not always needed.
    Missing(String, String),
    /// It is wrong, and how to mend it.
    Wrong(String, String),
}

use Finding::{Fine, Missing, Wrong};

/// Runs every check; fails when one finds something wrong.
pub(super) fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let mut findings = vec![
        ("data directory", folder(config)),
        ("lmms-eval", lmms_eval(config)),
        ("GPU", gpu(config)),
    ];
    super::runtime(config)?.block_on(async {
        findings.push(("database", database(config).await));
        findings.push(("sign-in", sign_in(config).await));
        #[cfg(feature = "postgrest")]
        findings.push(("Supabase REST", rest(config).await));
    });
    let mut healthy = true;
    for (name, finding) in findings {
        match finding {
            Fine(text) => println!("ok       {name}: {text}"),
            Missing(text, mend) => println!("missing  {name}: {text}\n         {mend}"),
            Wrong(text, mend) => {
                healthy = false;
                println!("WRONG    {name}: {text}\n         {mend}");
            }
        }
    }
    Ok(if healthy {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn folder(config: &Config) -> Finding {
    match database::prepare_folder(config) {
        Ok(()) => Fine(config.data_dir().display().to_string()),
        Err(error) => Wrong(
            chain(error.as_ref()),
            "choose another with `--data-dir`, or free some space".to_owned(),
        ),
    }
}

fn lmms_eval(config: &Config) -> Finding {
    let mend =
        "`cargo xtask python` installs one; or set `LMMS_EVAL_PYTHON` to a Python that has it".to_owned();
    let Some(python) = &config.eval.python else {
        return Missing(
            "`LMMS_EVAL_PYTHON` is not set, so nothing can be evaluated here".to_owned(),
            mend,
        );
    };
    let Some(package) = locate(Some(python)) else {
        return Wrong(format!("`{}` has no lmms-eval", python.display()), mend);
    };
    let import = Command::new(python)
        .args(["-c", "import lmms_eval"])
        .stdin(Stdio::null())
        .output();
    match import {
        Ok(output) if output.status.success() => Fine(format!(
            "{} in {}",
            package.version.unwrap_or_default(),
            package.dir.display()
        )),
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stderr);
            let last = text
                .lines()
                .rfind(|l| !l.trim().is_empty())
                .unwrap_or("no message")
                .to_owned();
            Wrong(format!("lmms-eval cannot be imported: {last}"), mend)
        }
        Err(error) => Wrong(format!("`{}` cannot be started: {error}", python.display()), mend),
    }
}

fn gpu(config: &Config) -> Finding {
    let library = config.worker.nvml_lib.clone();
    match runner::gpu::Monitor::start(library, Duration::from_secs(60)) {
        Err(error) => Wrong(
            format!("the GPUs cannot be read: {error}"),
            "check the NVIDIA driver with `nvidia-smi`".to_owned(),
        ),
        Ok(monitor) => {
            let seen = monitor.latest();
            match seen.gpus.first() {
                Some(first) => Fine(format!("{} found, the first is {}", seen.gpus.len(), first.name)),
                None => Missing(
                    seen.reason.unwrap_or_else(|| "there is none".to_owned()),
                    "models behind an API need none; for local models install the NVIDIA driver".to_owned(),
                ),
            }
        }
    }
}

async fn database(config: &Config) -> Finding {
    let Some(url) = database::running(config) else {
        let finding = pg::find_binaries(&pg::Options {
            bin: config.database.pg_bin.clone(),
            ..pg::Options::new(config.data_dir().join("pg"))
        });
        return match finding {
            Ok(found) => Fine(format!("embedded PostgreSQL {} (not running now)", found.major)),
            Err(error) => Wrong(chain(&error), "install PostgreSQL 15 or newer, set `LMMS_PG_BIN`, or use another server with `DATABASE_URL`".to_owned()),
        };
    };
    let checked = async {
        let db = Db::connect(&url, &config.database).await?;
        migrate::check(&db).await
    };
    match checked.await {
        Ok(()) => Fine("it answers and has this version's schema".to_owned()),
        Err(error) => Wrong(
            chain(&error),
            "check `DATABASE_URL`, then run `lmms-dash migrate`".to_owned(),
        ),
    }
}

async fn sign_in(config: &Config) -> Finding {
    let Some(project) = &config.auth.supabase_url else {
        return match Keys::load(config) {
            Ok(_) => Fine("embedded; its keys can be read".to_owned()),
            Err(error) => Wrong(
                chain(&error),
                "check the rights of the key files in the data directory".to_owned(),
            ),
        };
    };
    let url = format!("{}/auth/v1/.well-known/jwks.json", project.trim_end_matches('/'));
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(10))
        .build();
    let answer = match client {
        Ok(client) => client
            .get(&url)
            .send()
            .await
            .and_then(reqwest::Response::error_for_status),
        Err(error) => Err(error),
    };
    match answer {
        Ok(_) => Fine(format!("hosted by {project}")),
        Err(error) => Wrong(chain(&error), "check `SUPABASE_URL` and the network".to_owned()),
    }
}

/// That the project's REST API answers and shows an anonymous caller nothing.
#[cfg(feature = "postgrest")]
async fn rest(config: &Config) -> Finding {
    let (Some(project), Some(key)) = (&config.auth.supabase_url, &config.auth.supabase_anon_key) else {
        return Missing(
            "there is no project".to_owned(),
            "set `SUPABASE_URL` and `SUPABASE_ANON_KEY`".to_owned(),
        );
    };
    let client = postgrest::Postgrest::new(format!("{}/rest/v1", project.trim_end_matches('/')));
    let client = client.insert_header("apikey", key.expose());
    let answer = client.from("runs").select("id").limit(1).execute().await;
    match answer {
        Ok(answer) => match (answer.status().as_u16(), answer.text().await.as_deref()) {
            (200, Ok("[]")) | (401 | 403, _) => {
                Fine("it answers and shows an anonymous caller nothing".to_owned())
            }
            (200, _) => Wrong(
                "an anonymous caller can read runs".to_owned(),
                "run `lmms-dash migrate`, which sets the policies".to_owned(),
            ),
            (status, _) => Wrong(
                format!("it answers {status}"),
                "check `SUPABASE_URL` and `SUPABASE_ANON_KEY`".to_owned(),
            ),
        },
        Err(error) => Wrong(
            error.to_string(),
            "check `SUPABASE_URL` and the network".to_owned(),
        ),
    }
}
