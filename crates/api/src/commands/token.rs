//! API tokens from the command line, for scripts on the machine of the server.

use super::database;
use crate::auth::{Scope, tokens as secrets};
use crate::cli::TokenCreateArgs;
use crate::config::Config;
use crate::db::{Conn, Db, organizations, tokens};
use crate::error::AppResult;
use anyhow::{Context, bail};
use std::process::ExitCode;
use types::ApiTokenId;
use uuid::Uuid;

/// Creates a token and prints it; the embedded cluster is started for that alone when nobody runs it.
pub(super) fn run(config: &Config, args: &TokenCreateArgs) -> anyhow::Result<ExitCode> {
    for scope in &args.scopes {
        scope.parse::<Scope>().map_err(anyhow::Error::msg)?;
    }
    let runtime = super::runtime(config)?;
    if let Some(url) = database::running(config) {
        return runtime.block_on(create(config, &url, args));
    }
    if !config.data_dir().join("pg").exists() {
        bail!(
            "there is no database in `{}`; start the product once with `lmms-dash up`, or name its data directory with `--data-dir`",
            config.data_dir().display()
        );
    }
    let database = database::open(config)?;
    let outcome = runtime.block_on(create(config, database.url(), args));
    database.close();
    outcome
}

async fn create(config: &Config, url: &str, args: &TokenCreateArgs) -> anyhow::Result<ExitCode> {
    let db = Db::connect(url, &config.database)
        .await
        .context("the database cannot be used")?;
    let id = ApiTokenId(Uuid::now_v7());
    let (text, secret_hash) = secrets::mint(id);
    let stored = db
        .service(async |conn: &mut Conn| -> AppResult<bool> {
            let Some(organization) = organizations::find(conn, &args.organization).await? else {
                return Ok(false);
            };
            let token = tokens::NewToken {
                id: id.0,
                organization_id: organization.0,
                name: args.name.clone(),
                role: args.role.to_string(),
                scopes: args.scopes.clone(),
                secret_hash,
                created_by: None,
                expires_at: None,
            };
            tokens::insert(conn, &token).await?;
            Ok(true)
        })
        .await?;
    if !stored {
        bail!("there is no organization `{}`", args.organization);
    }
    println!("{text}");
    Ok(ExitCode::SUCCESS)
}
