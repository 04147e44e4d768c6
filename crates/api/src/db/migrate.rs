//! Brings a database up to date: bootstrap (embedded only), migrations, replaceable SQL.
//!
//! Migrations are the only history; functions, triggers and policies are one readable file that is
//! applied again whenever it has changed.

use super::{Conn, Db, Error};
use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::sql_query;
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use sha2::{Digest, Sha256};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio_postgres::{Client, error::SqlState};

/// The history of the schema.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

const BOOTSTRAP: &str = include_str!("../../../../supabase/bootstrap.sql");

/// Applied after the migrations, in this order, when changed.
const REPLACEABLE: &[(&str, &str)] = &[
    ("policies", include_str!("../../../../supabase/policies.sql")),
    ("storage", include_str!("../../../../supabase/storage.sql")),
    ("versions", include_str!("../../../../supabase/versions.sql")),
];

/// Any number; taken while a database is being changed, so that two processes do not do it at once.
const ADVISORY_LOCK: i64 = 0x6c6d_6d73;

/// How often a policy change waits for a lock before giving up.
const LOCK_TRIES: u32 = 20;

type SyncConnection = AsyncConnectionWrapper<AsyncPgConnection>;

/// Makes the embedded cluster's database look like Supabase; `url` is the superuser's.
///
/// # Errors
/// [`Error`] when a statement fails.
pub async fn bootstrap(url: &str) -> Result<(), Error> {
    let mut client = connect(url).await?;
    let transaction = client.transaction().await.map_err(raw)?;
    transaction.batch_execute(BOOTSTRAP).await.map_err(raw)?;
    transaction.commit().await.map_err(raw)
}

/// Runs what is pending, then the replaceable SQL; `url` is that of the schema's owner.
///
/// # Errors
/// [`Error`] when a statement fails.
pub async fn migrate(url: &str) -> Result<(), Error> {
    let owned = url.to_owned();
    tokio::task::spawn_blocking(move || run_pending(&owned))
        .await
        .map_err(|e| Error::Migration(e.to_string()))??;
    let mut client = connect(url).await?;
    for (name, sql) in REPLACEABLE {
        replace(&mut client, name, sql).await?;
    }
    Ok(())
}

/// That the database has exactly the schema of this binary.
///
/// # Errors
/// [`Error::Schema`] says what to do.
pub async fn check(db: &Db) -> Result<(), Error> {
    let rows: Vec<Version> = db
        .service(async |conn: &mut Conn| -> Result<_, Error> {
            Ok(
                diesel_async::RunQueryDsl::load(sql_query("select app.schema_versions() as version"), conn)
                    .await?,
            )
        })
        .await
        .map_err(|_| Error::Schema("it has none".to_owned()))?;
    let applied: Vec<_> = rows.into_iter().map(|r| r.version).collect();
    let known = known_versions()?;
    let missing = known.iter().filter(|v| !applied.contains(v)).count();
    let foreign = applied.iter().filter(|v| !known.contains(v)).count();
    match (missing, foreign) {
        (0, 0) => Ok(()),
        (_, 0) => Err(Error::Schema(format!("{missing} migrations are missing"))),
        _ => Err(Error::Schema(format!(
            "{foreign} migrations are newer than this binary"
        ))),
    }
}

#[derive(diesel::QueryableByName)]
struct Version {
    #[diesel(sql_type = diesel::sql_types::Text)]
    version: String,
}

fn known_versions() -> Result<Vec<String>, Error> {
    let all: Vec<Box<dyn Migration<Pg>>> = MIGRATIONS
        .migrations()
        .map_err(|e| Error::Migration(e.to_string()))?;
    Ok(all.iter().map(|m| m.name().version().to_string()).collect())
}

/// From a thread that may block.
fn establish(url: &str) -> diesel::ConnectionResult<SyncConnection> {
    let made = Handle::current().block_on(super::connect::establish(url));
    made.map(|conn| SyncConnection::from(conn.into_plain()))
}

fn run_pending(url: &str) -> Result<(), Error> {
    let mut conn = establish(url).map_err(|e| Error::Migration(e.to_string()))?;
    conn.batch_execute(&format!("select pg_advisory_lock({ADVISORY_LOCK})"))?;
    conn.run_pending_migrations(MIGRATIONS)
        .map(|_| ())
        .map_err(|e| Error::Migration(crate::error::chain(e.as_ref())))
}

/// Takes back every migration; for the test that up, down and up lead to the same schema.
///
/// # Errors
/// [`Error`] when a statement fails.
pub async fn revert_all(url: &str) -> Result<(), Error> {
    let url = url.to_owned();
    tokio::task::spawn_blocking(move || {
        let mut conn = establish(&url).map_err(|e| Error::Migration(e.to_string()))?;
        conn.revert_all_migrations(MIGRATIONS)
            .map(|_| ())
            .map_err(|e| Error::Migration(crate::error::chain(e.as_ref())))
    })
    .await
    .map_err(|e| Error::Migration(e.to_string()))?
}

/// On a hosted project a change of policies takes locks on tables of Auth and Storage: it waits
/// briefly and tries again, rather than making everyone else wait.
async fn replace(client: &mut Client, name: &str, sql: &str) -> Result<(), Error> {
    let hash = hex::encode(Sha256::digest(sql.as_bytes()));
    let applied = client
        .query_opt("select sha256 from app.applied where name = $1", &[&name])
        .await
        .map_err(raw)?;
    if applied.is_some_and(|row| row.get::<_, String>(0) == hash) {
        return Ok(());
    }
    for attempt in 1.. {
        match replace_once(client, name, sql, &hash).await {
            Err(e) if e.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) && attempt < LOCK_TRIES => {
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
            other => return other.map_err(raw),
        }
    }
    Ok(())
}

async fn replace_once(
    client: &mut Client,
    name: &str,
    sql: &str,
    hash: &str,
) -> Result<(), tokio_postgres::Error> {
    let transaction = client.transaction().await?;
    transaction
        .batch_execute(&format!(
            "set local lock_timeout = '500ms'; select pg_advisory_xact_lock({ADVISORY_LOCK});"
        ))
        .await?;
    transaction.batch_execute(sql).await?;
    transaction
        .execute(
            "insert into app.applied (name, sha256) values ($1, $2)
             on conflict (name) do update set sha256 = excluded.sha256, applied_at = now()",
            &[&name, &hash],
        )
        .await?;
    transaction.commit().await
}

async fn connect(url: &str) -> Result<Client, Error> {
    let (client, connection) = tokio_postgres::connect(url, super::tls::connector())
        .await
        .map_err(raw)?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "the connection of a migration ended");
        }
    });
    // `drop policy if exists` says so for each that did not exist.
    client
        .batch_execute("set client_min_messages = warning")
        .await
        .map_err(raw)?;
    Ok(client)
}

fn raw(error: tokio_postgres::Error) -> Error {
    Error::Raw(Box::new(error))
}
