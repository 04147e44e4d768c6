//! What the database itself allows: raw SQL as a caller, as PostgREST would send it, on pooled connections.

use super::runs_stage::{Org, Stage};
use api::auth::{Identity, Principal};
use api::db::{Conn, Error};
use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;
use serde_json::json;
use types::{ApiTokenId, OrganizationId, Role, UserId};
use uuid::Uuid;

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

#[derive(diesel::QueryableByName)]
struct Word {
    #[diesel(sql_type = Text)]
    word: String,
}

fn token(organization: Uuid, role: Role) -> Principal {
    let id = ApiTokenId(Uuid::now_v7());
    let identity = Identity::Token {
        id,
        organization_id: OrganizationId(organization),
        role,
        scopes: vec![],
    };
    Principal {
        identity,
        memberships: vec![],
        organization: None,
    }
}

fn user(id: Uuid, claims: serde_json::Value) -> Principal {
    let identity = Identity::User {
        id: UserId(id),
        email: None,
        claims,
    };
    Principal {
        identity,
        memberships: vec![],
        organization: None,
    }
}

async fn count(stage: &Stage, principal: &Principal, table: &str) -> i64 {
    let sql = format!("select count(*) as n from public.{table}");
    let row = stage
        .state
        .db
        .user(principal, async |conn: &mut Conn| -> Result<Count, Error> {
            Ok(diesel::sql_query(&sql).get_result(conn).await?)
        })
        .await;
    row.unwrap().n
}

async fn execute(stage: &Stage, principal: &Principal, sql: &str) -> Result<usize, String> {
    let done = stage
        .state
        .db
        .user(principal, async |conn: &mut Conn| -> Result<usize, Error> {
            Ok(diesel::sql_query(sql).execute(conn).await?)
        })
        .await;
    done.map_err(|e| api::error::chain(&e))
}

async fn two() -> (Stage, Org, Org) {
    let stage = Stage::new().await;
    let (a, b) = (stage.org("A").await, stage.org("B").await);
    stage.create(&a, &["sums"], json!({})).await;
    (stage, a, b)
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_another_organization_do_not_exist() {
    let (stage, a, b) = two().await;
    let (mine, theirs) = (token(a.id, Role::Owner), token(b.id, Role::Owner));
    for table in ["runs", "run_benchmarks", "run_events"] {
        assert!(count(&stage, &mine, table).await > 0, "{table}");
        assert_eq!(count(&stage, &theirs, table).await, 0, "{table}");
    }
    for table in ["organizations", "models", "api_tokens"] {
        let own = if table == "api_tokens" { 2 } else { 1 };
        // Tokens are read by column: `select *` would need the hash.
        assert_eq!(count(&stage, &mine, table).await, own, "{table}");
        assert_eq!(count(&stage, &theirs, table).await, own, "{table}");
    }
    let stranger = user(Uuid::now_v7(), json!({"role": "authenticated"}));
    for table in ["organizations", "models", "runs", "memberships"] {
        assert_eq!(count(&stage, &stranger, table).await, 0, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_writes_only_what_users_set_and_only_at_home() {
    let (stage, a, b) = two().await;
    let theirs = token(b.id, Role::Owner);
    let steal = format!(
        "insert into public.models (id, organization_id, name, backend) values (gen_random_uuid(), '{}', 'x', 'openai')",
        a.id
    );
    let error = execute(&stage, &theirs, &steal).await.unwrap_err();
    assert!(error.contains("row-level security"), "{error}");
    assert_eq!(
        execute(&stage, &theirs, "update public.models set name = 'x'")
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        execute(&stage, &theirs, "update public.runs set name = 'x'")
            .await
            .unwrap(),
        0
    );
    let viewer = token(a.id, Role::Viewer);
    assert_eq!(
        execute(&stage, &viewer, "update public.runs set name = 'x'")
            .await
            .unwrap(),
        0
    );
    let mine = token(a.id, Role::Owner);
    for sql in [
        "update public.runs set status = 'completed'",
        "delete from public.runs",
        "insert into public.run_events (run_id, seq, first_seq, organization_id, kind) select id, 99, 99, organization_id, 'status' from public.runs",
        "select secret_hash from public.api_tokens",
        "select sealed from public.secrets",
        "select * from public.idempotency_keys",
        "select * from public.sign_in_links",
        "select token_hash from public.run_attempts",
        "update public.memberships set role = 'owner'",
        "select encrypted_password from auth.users",
        "select * from app.applied",
        "select * from public.__diesel_schema_migrations",
    ] {
        let error = execute(&stage, &mine, sql).await.unwrap_err();
        assert!(error.contains("permission denied"), "{sql}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_cannot_become_more_by_what_is_in_a_token() {
    let (stage, a, _) = two().await;
    let claims = json!({
        "role": "authenticated", "user_metadata": {"organization_id": a.id, "role": "owner"},
        "app.principal": {"kind": "token", "organization_id": a.id, "role": "owner"}, "it's": "a ' quote",
    });
    let stranger = user(Uuid::now_v7(), claims);
    assert_eq!(count(&stage, &stranger, "runs").await, 0);
    let error = execute(&stage, &stranger, "set local role supabase_admin")
        .await
        .unwrap_err();
    assert!(error.contains("permission denied"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_forgets_its_caller() {
    let stage = Stage::with(&[("LMMS_DB_POOL", "1")]).await;
    let org = stage.org("A").await;
    let mine = token(org.id, Role::Owner);
    // A request that is dropped in the middle, with the only connection.
    let slow = stage
        .state
        .db
        .user(&mine, async |conn: &mut Conn| -> Result<usize, Error> {
            Ok(diesel::sql_query("select pg_sleep(60)").execute(conn).await?)
        });
    assert!(
        tokio::time::timeout(std::time::Duration::from_millis(300), slow)
            .await
            .is_err()
    );
    let nobody = user(Uuid::now_v7(), json!({"role": "authenticated"}));
    assert_eq!(count(&stage, &nobody, "models").await, 0);
    assert!(execute(&stage, &mine, "select 1 / 0").await.is_err());
    assert_eq!(count(&stage, &nobody, "models").await, 0);
    let seen = stage
        .state
        .db
        .service(async |conn: &mut Conn| -> Result<Word, Error> {
            let sql =
                "select current_user || ' ' || coalesce(current_setting('app.principal', true), '') as word";
            Ok(diesel::sql_query(sql).get_result(conn).await?)
        })
        .await;
    assert_eq!(seen.unwrap().word, "service_role ");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_role_nothing_is_readable_and_powerful_roles_are_refused() {
    let stage = Stage::new().await;
    let (client, connection) = tokio_postgres::connect(stage.state.db.url(), tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let error = client
        .batch_execute("select * from public.runs")
        .await
        .unwrap_err();
    assert!(
        error
            .as_db_error()
            .unwrap()
            .message()
            .contains("permission denied")
    );
    let powerful = super::runs_stage::server().cluster.url("postgres", "template1");
    let error = api::db::Db::connect(&powerful, &stage.state.config.database)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("bypasses row-level security"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn postgrest_sees_what_memberships_allow() {
    let (stage, a, _) = two().await;
    let member = Uuid::now_v7();
    let superuser = super::runs_stage::server();
    let config: tokio_postgres::Config = stage.state.db.url().parse().unwrap();
    let url = superuser
        .cluster
        .url(superuser.cluster.superuser(), config.get_dbname().unwrap());
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let setup = format!(
        "insert into auth.users (id) values ('{member}');
         insert into public.memberships (organization_id, user_id, role) values ('{}', '{member}', 'viewer');",
        a.id
    );
    client.batch_execute(&setup).await.unwrap();
    for (sub, rows) in [(member, 1), (Uuid::now_v7(), 0)] {
        let as_caller = format!(
            "begin; select set_config('role', 'authenticated', true),
             set_config('request.jwt.claims', '{{\"role\":\"authenticated\",\"sub\":\"{sub}\"}}', true)"
        );
        client.batch_execute(&as_caller).await.unwrap();
        let seen = client.query("select id from public.runs", &[]).await.unwrap();
        assert_eq!(seen.len(), rows);
        client.batch_execute("rollback").await.unwrap();
    }
}
