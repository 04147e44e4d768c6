//! Connections, each inside one transaction with a role.
//!
//! The login role can do nothing by itself; `begin` and the settings that give a transaction its role
//! and caller go out as one message, through the transaction manager, so that a dropped future
//! leaves a connection that the pool throws away.

use super::connect::{Conn, establish};
use crate::auth::Principal;
use crate::config::DatabaseConfig;
use deadpool::managed::QueueMode;
use diesel::result::{ConnectionError, ConnectionResult, DatabaseErrorKind};
use diesel_async::pooled_connection::deadpool::{Object, Pool, PoolError};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{AnsiTransactionManager, RunQueryDsl, TransactionManager};
use futures_util::future::BoxFuture;
use std::time::Duration;
use thiserror::Error;
use tokio::runtime::Handle;

/// Why the database did not answer.
#[derive(Debug, Error)]
pub enum Error {
    /// No connection in time, or none at all.
    #[error("the database cannot be reached")]
    Pool(#[source] Box<PoolError>),
    /// A statement failed.
    #[error("a statement failed")]
    Query(#[from] diesel::result::Error),
    /// The address cannot be used.
    #[error("{0}")]
    Address(String),
    /// A migration failed.
    #[error("a migration failed: {0}")]
    Migration(String),
    /// The schema is not this binary's.
    #[error(
        "the database's schema is not this version's: {0}; run `lmms-dash migrate` with the version you want to use"
    )]
    Schema(String),
    /// A statement outside the pool failed.
    #[error("a statement failed")]
    Raw(#[source] Box<tokio_postgres::Error>),
    /// The login role is too powerful.
    #[error(
        "the database role `{0}` bypasses row-level security; expected a role without SUPERUSER and BYPASSRLS, such as `lmms_api`"
    )]
    TooPowerful(String),
}

impl Error {
    /// The constraint that a statement violated.
    pub fn constraint(&self) -> Option<(DatabaseErrorKindName, &str)> {
        match self {
            Self::Query(diesel::result::Error::DatabaseError(kind, info)) => {
                Some((kind.into(), info.constraint_name().unwrap_or_default()))
            }
            _ => None,
        }
    }

    /// Whether the database was not there, as opposed to having refused something: trying again helps.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Pool(_) => true,
            Self::Query(diesel::result::Error::DatabaseError(kind, info)) => is_lost(kind, info.message()),
            _ => false,
        }
    }

    /// Whether a unique constraint stood in the way.
    pub fn is_duplicate(&self) -> bool {
        matches!(self.constraint(), Some((DatabaseErrorKindName::Unique, _)))
    }
}

/// Whether an error is the end of the connection, or a server that starts, stops or recovers.
fn is_lost(kind: &DatabaseErrorKind, message: &str) -> bool {
    matches!(
        kind,
        DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::ClosedConnection
    ) || message.starts_with("terminating connection")
        || message.starts_with("the database system is ")
}

/// The kinds of violation that handlers tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseErrorKindName {
    /// A unique constraint.
    Unique,
    /// A foreign key.
    ForeignKey,
    /// A check.
    Check,
    /// Anything else.
    Other,
}

impl From<&DatabaseErrorKind> for DatabaseErrorKindName {
    fn from(kind: &DatabaseErrorKind) -> Self {
        match kind {
            DatabaseErrorKind::UniqueViolation => Self::Unique,
            DatabaseErrorKind::ForeignKeyViolation => Self::ForeignKey,
            DatabaseErrorKind::CheckViolation => Self::Check,
            _ => Self::Other,
        }
    }
}

/// The database.
#[derive(Clone)]
pub struct Db {
    pool: Pool<Conn>,
    url: String,
    statement_timeout: Duration,
    idle_timeout: Duration,
}

/// Who a transaction acts as.
enum Actor<'a> {
    User(&'a Principal),
    Service,
    Auth,
}

impl Db {
    /// A pool on `url`, after a check that its role is harmless.
    ///
    /// # Errors
    /// [`enum@Error`] when the address cannot be used or nobody answers.
    pub async fn connect(url: &str, config: &DatabaseConfig) -> Result<Self, Error> {
        refuse_transaction_pooler(url)?;
        let mut manager = ManagerConfig::default();
        manager.recycling_method = RecyclingMethod::Fast;
        manager.custom_setup = Box::new(establish_on(Handle::current()));
        let manager = AsyncDieselConnectionManager::new_with_config(url, manager);
        let pool = Pool::builder(manager)
            .max_size(config.pool)
            // The one that was used last knows the statements and the tables best.
            .queue_mode(QueueMode::Lifo)
            .wait_timeout(Some(config.pool_wait))
            .create_timeout(Some(config.pool_wait))
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .map_err(|e| Error::Address(e.to_string()))?;
        let db = Self {
            pool,
            url: url.to_owned(),
            statement_timeout: config.statement_timeout,
            idle_timeout: config.idle_timeout,
        };
        db.refuse_powerful_role().await?;
        Ok(db)
    }

    /// The address, for a connection of one's own that listens for notifications.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs `work` in one transaction as the caller: row-level security decides what it sees.
    ///
    /// # Errors
    /// What `work` returns, or that the database does not answer.
    pub async fn user<R, E, F>(&self, principal: &Principal, work: F) -> Result<R, E>
    where
        F: AsyncFnOnce(&mut Conn) -> Result<R, E>,
        E: From<Error>,
    {
        self.transaction(Actor::User(principal), work).await
    }

    /// Runs `work` in one transaction as the service role: for what a handler has checked itself,
    /// for the executor's endpoints and for the worker.
    ///
    /// # Errors
    /// What `work` returns, or that the database does not answer.
    pub async fn service<R, E, F>(&self, work: F) -> Result<R, E>
    where
        F: AsyncFnOnce(&mut Conn) -> Result<R, E>,
        E: From<Error>,
    {
        self.transaction(Actor::Service, work).await
    }

    /// Runs `work` in one transaction as the owner of the embedded accounts.
    ///
    /// # Errors
    /// What `work` returns, or that the database does not answer.
    pub(crate) async fn auth<R, E, F>(&self, work: F) -> Result<R, E>
    where
        F: AsyncFnOnce(&mut Conn) -> Result<R, E>,
        E: From<Error>,
    {
        self.transaction(Actor::Auth, work).await
    }

    async fn transaction<R, E, F>(&self, actor: Actor<'_>, work: F) -> Result<R, E>
    where
        F: AsyncFnOnce(&mut Conn) -> Result<R, E>,
        E: From<Error>,
    {
        let mut conn = self.begin(&actor).await?;
        match work(&mut conn).await {
            Ok(value) => {
                AnsiTransactionManager::commit_transaction(&mut **conn)
                    .await
                    .map_err(Error::from)?;
                Ok(value)
            }
            Err(error) => {
                // A failed rollback leaves a broken connection, which the pool drops; the caller's error is the news.
                let _ = AnsiTransactionManager::rollback_transaction(&mut **conn).await;
                Err(error)
            }
        }
    }

    /// A connection inside a transaction. One that broke while it was idle is replaced by the next:
    /// nothing has been done on it.
    async fn begin(&self, actor: &Actor<'_>) -> Result<Object<Conn>, Error> {
        let begin = self.begin_sql(actor);
        let mut left = self.pool.status().max_size;
        loop {
            let mut conn = self.get().await?;
            match AnsiTransactionManager::begin_transaction_sql(&mut **conn, &begin).await {
                Ok(()) => return Ok(conn),
                Err(error) => {
                    let error = Error::from(error);
                    if !error.is_unavailable() || left == 0 {
                        return Err(error);
                    }
                    left -= 1;
                }
            }
        }
    }

    async fn get(&self) -> Result<Object<Conn>, Error> {
        self.pool.get().await.map_err(|e| Error::Pool(Box::new(e)))
    }

    fn begin_sql(&self, actor: &Actor<'_>) -> String {
        let (role, claims, principal) = match actor {
            Actor::User(p) => ("authenticated", p.claims_json(), p.database_json()),
            Actor::Service => (
                "service_role",
                r#"{"role":"service_role"}"#.to_owned(),
                String::new(),
            ),
            Actor::Auth => ("supabase_auth_admin", String::new(), String::new()),
        };
        let (timeout, idle) = (self.statement_timeout.as_millis(), self.idle_timeout.as_millis());
        format!(
            "begin; select set_config('role', '{role}', true), set_config('request.jwt.claims', {}, true), \
             set_config('app.principal', {}, true), set_config('statement_timeout', '{timeout}', true), \
             set_config('idle_in_transaction_session_timeout', '{idle}', true)",
            literal(&claims),
            literal(&principal)
        )
    }

    async fn refuse_powerful_role(&self) -> Result<(), Error> {
        let mut conn = self.get().await?;
        let row: LoginRole = diesel::sql_query(
            "select rolname::text as name, rolsuper or rolbypassrls as powerful from pg_roles where rolname = current_user",
        )
        .get_result(&mut *conn)
        .await?;
        if row.powerful {
            return Err(Error::TooPowerful(row.name));
        }
        Ok(())
    }
}

/// A connection lives on the runtime that made the pool, not on that of the request that needed it first:
/// request runtimes end before the worker does.
fn establish_on(runtime: Handle) -> impl Fn(&str) -> BoxFuture<'_, ConnectionResult<Conn>> {
    move |url| {
        let url = url.to_owned();
        let made = runtime.spawn(async move { establish(&url).await });
        Box::pin(async move {
            made.await
                .map_err(|e| ConnectionError::BadConnection(e.to_string()))?
        })
    }
}

/// Lets a transaction of the embedded accounts write our own tables too.
///
/// # Errors
/// When the database does not answer.
pub async fn act_as_service(conn: &mut Conn) -> diesel::QueryResult<()> {
    diesel::sql_query("select set_config('role', 'service_role', true)")
        .execute(conn)
        .await?;
    Ok(())
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db")
            .field("pool", &self.pool.status())
            .finish_non_exhaustive()
    }
}

#[derive(diesel::QueryableByName)]
struct LoginRole {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    powerful: bool,
}

/// `text` as an SQL literal; `standard_conforming_strings` is on by default and never turned off here.
/// JSON has no NUL: serde writes it as `\u0000`.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\0', "").replace('\'', "''"))
}

/// A transaction-mode pooler breaks prepared statements and swallows notifications.
fn refuse_transaction_pooler(url: &str) -> Result<(), Error> {
    let config: tokio_postgres::Config = url.parse().map_err(|_| {
        Error::Address(
            "`DATABASE_URL` is no PostgreSQL address; expected `postgres://user:password@host:5432/database`"
                .to_owned(),
        )
    })?;
    if config.get_ports().contains(&6543) {
        return Err(Error::Address(
            "`DATABASE_URL` names port 6543, a transaction-mode pooler, which loses prepared statements and notifications; \
             expected the direct connection or the session pooler on port 5432"
                .to_owned(),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_cannot_be_left() {
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("a\0'; drop table x; --"), "'a''; drop table x; --'");
    }

    #[test]
    fn a_lost_connection_is_told_from_a_refusal() {
        let failed = |kind, text: &str| {
            Error::from(diesel::result::Error::DatabaseError(
                kind,
                Box::new(text.to_owned()),
            ))
        };
        let lost = failed(DatabaseErrorKind::UnableToSendCommand, "connection closed");
        assert!(lost.is_unavailable());
        for text in [
            "terminating connection due to administrator command",
            "the database system is in recovery mode",
        ] {
            assert!(
                failed(DatabaseErrorKind::Unknown, text).is_unavailable(),
                "{text}"
            );
        }
        assert!(!failed(DatabaseErrorKind::Unknown, "column `x` does not exist").is_unavailable());
        assert!(!failed(DatabaseErrorKind::UniqueViolation, "duplicate key").is_unavailable());
    }

    #[test]
    fn the_transaction_pooler_is_refused() {
        let refused =
            refuse_transaction_pooler("postgres://u@h.pooler.supabase.com:6543/postgres").unwrap_err();
        assert!(refused.to_string().contains("6543"), "{refused}");
        refuse_transaction_pooler("postgres://u@h:5432/postgres").unwrap();
    }
}
