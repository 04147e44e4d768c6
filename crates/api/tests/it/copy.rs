//! COPY in the session of a pooled connection: what arrives, what is refused, and what a failure leaves behind.

use super::board::Commit;
use super::runs_stage::{Stage, until};
use api::db::copy::{self, Rows};
use api::db::samples::{self, NewSample, Owner, TARGET};
use api::db::{Conn, Db, Error};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Double, Jsonb, Nullable, Text};
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use uuid::Uuid;

#[derive(Debug, PartialEq, QueryableByName)]
struct Stored {
    #[diesel(sql_type = BigInt)]
    doc_id: i64,
    #[diesel(sql_type = Text)]
    filter: String,
    #[diesel(sql_type = Jsonb)]
    input_data: Value,
    #[diesel(sql_type = Nullable<Jsonb>)]
    prediction: Option<Value>,
    #[diesel(sql_type = Nullable<Double>)]
    score: Option<f64>,
    #[diesel(sql_type = Array<Text>)]
    flags: Vec<String>,
}

/// Copies rows that are in memory.
async fn few(conn: &mut Conn, mut rows: Rows) -> QueryResult<()> {
    let (sender, receiver) = copy::channel();
    // A statement that is refused takes none of them.
    let sending = tokio::task::spawn_blocking(move || sender.send(&mut rows).and_then(|()| sender.end()));
    let copied = copy::rows(conn, &TARGET, receiver).await;
    let sent = sending.await.unwrap();
    assert!(copied.is_err() || sent.is_ok());
    copied
}

/// A stage with a pick whose samples are gone.
async fn prepared() -> (Stage, Owner, Uuid) {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let benchmark = stage.benchmark("bench").await;
    let commit = Commit {
        model: stage.board_model(&org, "one").await,
        checkpoint: "latest",
        benchmark,
        right: 1,
        of: 2,
        conditions: json!({}),
    };
    let run = stage.commit(&org, &commit).await;
    let pick = stage
        .state
        .db
        .service(async |conn: &mut Conn| -> Result<Uuid, Error> {
            let pick = api::db::schema::run_benchmarks::table
                .filter(api::db::schema::run_benchmarks::run_id.eq(run))
                .select(api::db::schema::run_benchmarks::id)
                .first(conn)
                .await?;
            samples::clear(conn, pick).await?;
            Ok(pick)
        });
    let owner = Owner {
        organization: org.id,
        run,
        pick: pick.await.unwrap(),
    };
    (stage, owner, benchmark)
}

fn sample(benchmark: Uuid, index: i64) -> NewSample {
    NewSample {
        benchmark_id: benchmark,
        sample_index: index,
        doc_id: index,
        filter: "none".to_owned(),
        input_data: json!({"text": "x".repeat(600)}),
        metrics: json!({}),
        ..NewSample::default()
    }
}

async fn stored(db: &Db) -> Vec<Stored> {
    db.service(async |conn: &mut Conn| -> Result<_, Error> {
        let all =
            "select doc_id, filter, input_data, prediction, score, flags from run_samples order by doc_id";
        Ok(diesel::sql_query(all).load(conn).await?)
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_copied_is_what_was_meant() {
    let (stage, owner, benchmark) = prepared().await;
    let odd = NewSample {
        filter: "a\0b".to_owned(),
        input_data: json!({"te\0xt": "nul \0 and \\u0000, \u{1F600}"}),
        prediction: Some(json!("\0")),
        score: Some(0.1 + 0.2),
        flags: vec!["empty", "truncated"],
        content_hash: Some(vec![0, 255]),
        target_hash: Some(vec![1]),
        ..sample(benchmark, 0)
    };
    let mut rows = Rows::default();
    odd.encode(owner, &mut rows);
    sample(benchmark, 1).encode(owner, &mut rows);
    let db = &stage.state.db;
    db.service(async |conn: &mut Conn| Ok::<_, Error>(few(conn, rows).await?))
        .await
        .unwrap();
    let all = stored(db).await;
    let first = Stored {
        doc_id: 0,
        filter: "a\u{FFFD}b".to_owned(),
        input_data: json!({"te\u{FFFD}xt": "nul \u{FFFD} and \\u0000, \u{1F600}"}),
        prediction: Some(json!("\u{FFFD}")),
        score: Some(0.1 + 0.2),
        flags: vec!["empty".to_owned(), "truncated".to_owned()],
    };
    assert_eq!((all.len(), &all[0]), (2, &first));
    assert_eq!((all[1].score, all[1].flags.len()), (None, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_stream_and_the_time_limit_of_statements_stays() {
    let (stage, owner, benchmark) = prepared().await;
    let (sender, receiver) = copy::channel();
    let producer = tokio::task::spawn_blocking(move || {
        let mut rows = Rows::default();
        for index in 0..5_000 {
            sample(benchmark, index).encode(owner, &mut rows);
            if rows.is_full() {
                sender.send(&mut rows).unwrap();
            }
        }
        sender.send(&mut rows).unwrap();
        sender.end().unwrap();
        rows.count()
    });
    let limit = stage
        .state
        .db
        .service(async |conn: &mut Conn| -> Result<String, Error> {
            copy::rows(conn, &TARGET, receiver).await?;
            let shown = diesel::select(diesel::dsl::sql::<Text>("current_setting('statement_timeout')"));
            Ok(shown.get_result(conn).await?)
        });
    assert_eq!(limit.await.unwrap(), "15s");
    assert_eq!(producer.await.unwrap(), 5_000);
    assert_eq!(stored(&stage.state.db).await.len(), 5_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_fails_leaves_nothing_and_its_connection_works() {
    let (stage, owner, benchmark) = prepared().await;
    let db = &stage.state.db;
    // The same place twice, in the midst of many rows.
    let mut rows = Rows::default();
    for index in (0..3_000).chain([7]).chain(3_000..6_000) {
        sample(benchmark, index).encode(owner, &mut rows);
    }
    let twice = db.service(async |conn: &mut Conn| Ok::<_, Error>(few(conn, rows).await?));
    assert!(twice.await.unwrap_err().is_duplicate());

    // A producer that dies.
    let (sender, receiver) = copy::channel();
    let producer = tokio::task::spawn_blocking(move || {
        let mut rows = Rows::default();
        sample(benchmark, 0).encode(owner, &mut rows);
        sender.send(&mut rows).unwrap();
    });
    let died = db.service(async |conn: &mut Conn| Ok::<_, Error>(copy::rows(conn, &TARGET, receiver).await?));
    let error = died.await.unwrap_err();
    producer.await.unwrap();
    assert!(
        api::error::chain(&error).contains("the producer of the rows ended early"),
        "{error:?}"
    );

    // What is no row at all, and a statement that is refused before it takes the rows.
    let (sender, receiver) = copy::channel();
    let wrong = copy::Target {
        table: "no_such_table",
        columns: &["id"],
    };
    let none = db.service(async |conn: &mut Conn| Ok::<_, Error>(copy::rows(conn, &wrong, receiver).await?));
    none.await.unwrap_err();
    drop(sender);
    assert_eq!(stored(db).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_nobody_awaits_any_more_stores_nothing() {
    let (stage, owner, benchmark) = prepared().await;
    let db = stage.state.db.clone();
    let (sender, receiver) = copy::channel();
    let copying = tokio::spawn(async move {
        db.service(async |conn: &mut Conn| Ok::<_, Error>(copy::rows(conn, &TARGET, receiver).await?))
            .await
    });
    let (sent, is_sent) = tokio::sync::oneshot::channel();
    let producer = tokio::task::spawn_blocking(move || {
        let mut rows = Rows::default();
        // More than the channel holds: the server has taken some.
        for index in 0..3_000 {
            sample(benchmark, index).encode(owner, &mut rows);
            if rows.is_full() && sender.send(&mut rows).is_err() {
                return;
            }
        }
        let _ = sent.send(());
        let _ = sender.end();
    });
    is_sent.await.unwrap();
    copying.abort();
    let _ = copying.await;
    producer.await.unwrap();
    let sessions = async || {
        let held = stage.state.db.service(async |conn: &mut Conn| -> Result<i64, Error> {
            let copies = "(select count(*) from pg_stat_activity where query like 'copy %' and state = 'active' \
                and datname = current_database())";
            Ok(diesel::select(diesel::dsl::sql::<BigInt>(copies)).get_result(conn).await?)
        });
        (held.await.unwrap() == 0).then_some(())
    };
    until("the copy to be over", sessions).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_under_row_level_security_cannot_copy() {
    let (stage, owner, benchmark) = prepared().await;
    let mut rows = Rows::default();
    sample(benchmark, 0).encode(owner, &mut rows);
    let asked = stage
        .state
        .db
        .service(async |conn: &mut Conn| -> Result<(), Error> {
            diesel::sql_query("select set_config('role', 'authenticated', true), $1::text")
                .bind::<Text, _>("x")
                .execute(conn)
                .await?;
            Ok(few(conn, rows).await?)
        });
    asked.await.unwrap_err();
    assert_eq!(stored(&stage.state.db).await, []);
}
