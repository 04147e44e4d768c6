//! What holds for every table, and that the history of the schema goes both ways.

use super::runs_stage::{new_database, server};
use api::db::{migrate, planning};
use std::process::Command;
use tokio_postgres::{Client, NoTls};

/// The schema's owner, who may look at everything.
async fn owner_of(database: &str) -> Client {
    let url = server().cluster.url("postgres", database);
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// The name of a fresh database.
async fn fresh() -> String {
    let url = new_database().await;
    let config: tokio_postgres::Config = url.parse().unwrap();
    config.get_dbname().unwrap().to_owned()
}

async fn names(client: &Client, sql: &str) -> Vec<String> {
    client
        .query(sql, &[])
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_is_under_row_level_security() {
    let client = owner_of(&fresh().await).await;
    let open = names(
        &client,
        "select relname::text from pg_class where relnamespace in ('public'::regnamespace, 'app'::regnamespace)
         and relkind in ('r', 'p') and not relrowsecurity",
    )
    .await;
    assert_eq!(open, [""; 0]);
    let tables = names(
        &client,
        "select tablename::text from pg_tables where schemaname = 'public'",
    )
    .await;
    assert!(tables.len() > 25, "{tables:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn anonymous_callers_have_no_rights_on_any_table() {
    let client = owner_of(&fresh().await).await;
    let granted = names(
        &client,
        "select table_name || ' ' || privilege_type from information_schema.role_table_grants
         where table_schema in ('public', 'app') and grantee in ('anon', 'PUBLIC', 'lmms_api')",
    )
    .await;
    assert_eq!(granted, [""; 0]);
}

/// A function that is called for every row costs more than the rows; where only administrators read, there are few.
#[tokio::test(flavor = "multi_thread")]
async fn reading_asks_for_the_callers_organizations_once_per_statement() {
    let client = owner_of(&fresh().await).await;
    let each_row = names(
        &client,
        "select tablename::text from pg_policies where schemaname = 'public' and cmd = 'SELECT'
         and qual like '%org_role%' and tablename not in ('invitations', 'api_tokens', 'audit_log')",
    )
    .await;
    assert_eq!(each_row, [""; 0]);
    client.batch_execute("set role authenticated").await.unwrap();
    let plan = names(
        &client,
        "explain select status, count(*) from public.runs group by status",
    )
    .await;
    assert!(plan.iter().any(|line| line.contains("InitPlan")), "{plan:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_of_a_benchmark_is_read_by_its_index() {
    let client = owner_of(&fresh().await).await;
    // A table of nothing is best read as a whole, and sorted.
    let prepare = format!(
        "set role authenticated; set enable_seqscan = off; set enable_sort = off; \
         prepare past (uuid, uuid, uuid[], bigint) as {}",
        planning::PAST
    );
    client.batch_execute(&prepare).await.unwrap();
    let id = uuid::Uuid::now_v7();
    let explain = format!("explain execute past ('{id}', '{id}', '{{{id}}}', 100)");
    let plan = names(&client, &explain).await;
    assert!(
        plan.iter().any(|line| line.contains("run_benchmarks_past")),
        "{plan:#?}"
    );
    assert!(!plan.iter().any(|line| line.contains("Sort")), "{plan:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_foreign_key_has_a_delete_rule_and_an_index() {
    let client = owner_of(&fresh().await).await;
    let without_rule = names(
        &client,
        "select conrelid::regclass || ' ' || conname from pg_constraint
         where contype = 'f' and connamespace = 'public'::regnamespace and confdeltype = 'a'",
    )
    .await;
    assert_eq!(without_rule, [""; 0]);
    let without_index = names(
        &client,
        "select c.conrelid::regclass || ' ' || c.conname from pg_constraint c
         where c.contype = 'f' and c.connamespace = 'public'::regnamespace and not exists (
           select from pg_index i where i.indrelid = c.conrelid and i.indpred is null
             and (string_to_array(i.indkey::text, ' ')::smallint[])[1:cardinality(c.conkey)] @> c.conkey
             and (string_to_array(i.indkey::text, ' ')::smallint[])[1:cardinality(c.conkey)] <@ c.conkey)",
    )
    .await;
    assert_eq!(without_index, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn up_down_and_up_lead_to_the_same_schema() {
    let (cluster, database) = (&server().cluster, fresh().await);
    // A copied database belongs to whoever copied it; the schema's owner needs its rights on it.
    let superuser = cluster.url(cluster.superuser(), &database);
    migrate::bootstrap(&superuser).await.unwrap();
    goes_both_ways(cluster, &database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_goes_both_ways_on_a_newer_postgresql_too() {
    let Some(bin) = std::env::var_os("LMMS_NEWER_PG_BIN") else {
        eprintln!("skipped: `LMMS_NEWER_PG_BIN` names no folder with a newer PostgreSQL");
        return;
    };
    let oldest = server().cluster.binaries().major;
    let folder = tempfile::Builder::new().prefix("lmms-newer").tempdir().unwrap();
    let mut options = pg::Options::for_tests(folder.path().join("pg"));
    options.bin = Some(bin.into());
    options.progress = Box::new(|_| {});
    let cluster = tokio::task::spawn_blocking(|| pg::Cluster::start(options).unwrap())
        .await
        .unwrap();
    assert!(cluster.binaries().major > oldest, "{:?}", cluster.binaries());
    let superuser = cluster.url(cluster.superuser(), "postgres");
    migrate::bootstrap(&superuser).await.unwrap();
    migrate::migrate(&cluster.url("postgres", "postgres"))
        .await
        .unwrap();
    goes_both_ways(&cluster, "postgres").await;
    tokio::task::spawn_blocking(|| drop(cluster)).await.unwrap();
}

/// That the way down leaves nothing, and that a second way up leads to the same schema.
async fn goes_both_ways(cluster: &pg::Cluster, database: &str) {
    let url = cluster.url("postgres", database);
    let first = dump(cluster, database);
    assert!(first.contains("CREATE TABLE public.runs"), "{first}");
    migrate::revert_all(&url).await.unwrap();
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let left = names(
        &client,
        "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'v', 'S')
         and relname not like '\\_\\_diesel%'",
    )
    .await;
    assert_eq!(left, [""; 0]);
    migrate::migrate(&url).await.unwrap();
    assert_eq!(dump(cluster, database), first);
}

#[tokio::test(flavor = "multi_thread")]
async fn migrating_again_changes_nothing() {
    let database = fresh().await;
    let client = owner_of(&database).await;
    let applied = "select name || ' ' || applied_at from app.applied order by name";
    let before = names(&client, applied).await;
    migrate::migrate(&server().cluster.url("postgres", &database))
        .await
        .unwrap();
    assert_eq!(names(&client, applied).await, before);
    let superuser = server().cluster.url(server().cluster.superuser(), &database);
    migrate::bootstrap(&superuser).await.unwrap();
}

/// The schema as text; newer versions of pg_dump put a random word into it.
fn dump(cluster: &pg::Cluster, database: &str) -> String {
    let output = Command::new(cluster.binaries().program("pg_dump"))
        .args(["--schema-only", "--schema=public", "--schema=app", "--dbname"])
        .arg(cluster.url("postgres", database))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .filter(|l| !l.starts_with('\\'))
        .collect::<Vec<_>>()
        .join("\n")
}
