//! One trap after the other: each has its named outcome, and costs nothing beside itself.

use super::imports::imported;
use super::runs_stage::Stage;
use api::db::{Conn, Error};
use api::import::FileReport;
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::Path;
use types::ImportMapping;

/// A results document of one task.
fn document(task: &str, metrics: &Value) -> String {
    json!({
        "results": {task: metrics}, "configs": {task: {}}, "config": {"model": "vllm", "model_args": "pretrained=org/m"},
        "model_name": "org/m", "higher_is_better": {task: {"acc": true}},
        "n-samples": {task: {"original": 2, "effective": 2}}, "date": "20260101_080000"
    })
    .to_string()
}

fn line(doc_id: i64, target: &str, acc: f64) -> String {
    json!({"doc_id": doc_id, "doc_hash": "74234e98", "target": target, "filtered_resps": ["a"], "acc": acc})
        .to_string()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::best());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A file, and what must become of it.
struct Trap {
    path: &'static str,
    bytes: Vec<u8>,
    status: &'static str,
    kind: &'static str,
    /// Scores, values that are none, samples, broken lines.
    counts: [u64; 4],
    /// What one of its problems says.
    says: &'static str,
}

fn trap(
    path: &'static str,
    bytes: impl Into<Vec<u8>>,
    (status, kind): (&'static str, &'static str),
    counts: [u64; 4],
    says: &'static str,
) -> Trap {
    Trap {
        path,
        bytes: bytes.into(),
        status,
        kind,
        counts,
        says,
    }
}

/// A pair of results and samples in a folder of its own.
fn pair(
    folder: [&'static str; 2],
    task: &str,
    samples: impl Into<Vec<u8>>,
    counts: [u64; 2],
    says: &'static str,
) -> [Trap; 2] {
    let results = document(task, &json!({"acc,none": 0.5, "acc_stderr,none": "N/A"}));
    // The same document twice would be one run: the folder's name makes each its own.
    let results = results.replace("org/m", &format!("org/{}", folder[0].len()));
    let results = format!("{results}{}", " ".repeat(folder[1].len()));
    [
        trap(folder[0], results, ("taken", "results"), [1, 0, 0, 0], ""),
        trap(
            folder[1],
            samples,
            ("taken", "samples"),
            [0, 0, counts[0], counts[1]],
            says,
        ),
    ]
}

fn of_results() -> Vec<Trap> {
    let cut = document("t", &json!({"acc,none": 0.5}));
    let odd = "{\"results\": {\"t\": {\"acc,none\": NaN, \"b,none\": Infinity, \"c,none\": [], \"d,none\": null, \
        \"c@5 x,flexible-extract\": 1e-3, \"o,none\": {\"a b\": 2, \"alias\": \"x\"}}}, \"configs\": {\"t\": {}}, \
        \"config\": {}, \"model_name\": \"\"}";
    let twice = "{\"results\": {\"t\": {\"acc,none\": 0.25, \"acc,none\": 0.75}}, \"configs\": {\"t\": {}}, \"config\": {}}";
    let group = json!({
        "results": {"g": {" ": " ", "alias": "g"}, "a-b+c.d": {"alias": " - a", "acc,none": 0.5}},
        "group_subtasks": {"g": ["a-b+c.d"], "a-b+c.d": []}, "configs": {"a-b+c.d": {}}, "config": {}
    });
    vec![
        trap(
            "f14/cut.json",
            &cut.as_bytes()[..cut.len() / 2],
            ("left_out", "unreadable"),
            [0; 4],
            "no JSON",
        ),
        trap("f14/empty.json", "", ("left_out", "unreadable"), [0; 4], "empty"),
        trap(
            "f14/odd.json",
            odd,
            ("taken", "results"),
            [2, 4, 0, 0],
            "no score",
        ),
        trap(
            "f14/twice.json",
            twice,
            ("taken", "results"),
            [1, 0, 0, 0],
            "more than once",
        ),
        trap(
            "groups/r.json",
            group.to_string(),
            ("taken", "results"),
            [1, 0, 0, 0],
            "",
        ),
        trap(
            "own/captions_val_alg_results.json",
            "[{\"a\": 1}]",
            ("left_out", "not_lmms_eval"),
            [0; 4],
            "nothing that",
        ),
        trap(
            "own/other.json",
            "{\"results\": [1]}",
            ("left_out", "not_lmms_eval"),
            [0; 4],
            "expected an object",
        ),
    ]
}

fn of_samples() -> Vec<Trap> {
    let good = [line(0, "a", 1.0), line(1, "b", 0.0)];
    let mut huge = format!("{}\n{{\"doc_id\": 9, \"target\": \"", good[0]).into_bytes();
    huge.resize(huge.len() + 50_000_000, b'x');
    huge.extend(format!("\"}}\n{}\n", good[1]).into_bytes());
    let broken = format!("{}\nnonsense\n[1]\n{}\n{{\"doc_id\": 2, \"tar", good[0], good[1]);
    let again = format!("{0}\n{1}\n{0}\n{1}\n", good[0], good[1]);
    let named = [line(0, "answer", 1.0), line(1, "answer", 0.0)].join("\n");
    let mut all = Vec::new();
    all.extend(pair(
        [
            "huge/20260101_080000_results.json",
            "huge/20260101_080000_samples_t.jsonl",
        ],
        "t",
        huge,
        [2, 1],
        "line 2 ",
    ));
    all.extend(pair(
        [
            "broken_/20260101_080000_results.json",
            "broken_/20260101_080000_samples_t.jsonl",
        ],
        "t",
        broken,
        [2, 3],
        "line 2 ",
    ));
    all.extend(pair(
        [
            "appended__/20260101_080000_results.json",
            "appended__/20260101_080000_samples_t.jsonl",
        ],
        "t",
        again,
        [4, 0],
        "more than one run in one file",
    ));
    all.extend(pair(
        [
            "named_column_/20260101_080000_results.json",
            "named_column_/20260101_080000_samples_r+c_A.b.jsonl",
        ],
        "r+c_A.b",
        named,
        [2, 0],
        "",
    ));
    all.push(trap(
        "alone/20260202_090000_samples_zz.jsonl",
        good.join("\n"),
        ("left_out", "samples"),
        [0, 0, 2, 0],
        "without their results document",
    ));
    all
}

fn of_archives() -> Vec<Trap> {
    let bomb = gzip(&vec![b' '; 120 << 20]);
    assert!(bomb.len() < 1 << 20);
    let inner = zip(&[("a.json", b"{}")]);
    vec![
        trap(
            "bomb/20260101_080000_samples_t.jsonl.gz",
            bomb,
            ("left_out", "unreadable"),
            [0; 4],
            "unpacks to more",
        ),
        trap(
            "nested/x.zip",
            zip(&[("inner.zip", &inner)]),
            ("left_out", "unreadable"),
            [0; 4],
            "archive inside of an archive",
        ),
        trap(
            "up/x.zip",
            zip(&[("../../r.json", b"{}")]),
            ("left_out", "unreadable"),
            [0; 4],
            "leads out of the archive",
        ),
    ]
}

fn judge(trap: &Trap, report: &FileReport) {
    let found = &report.found;
    let told = (report.status, report.kind.as_str());
    assert_eq!(told, (trap.status, trap.kind), "{}: {report:#?}", trap.path);
    let counts = [found.metrics, found.not_numeric, found.samples, found.broken];
    assert_eq!(counts, trap.counts, "{}: {report:#?}", trap.path);
    let says = found.problems.iter().any(|problem| problem.contains(trap.says));
    assert!(
        says || trap.says.is_empty(),
        "{}: {:?}",
        trap.path,
        found.problems
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_trap_has_its_outcome_and_costs_nothing_else() {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let folder = tempfile::tempdir().unwrap();
    let traps: Vec<Trap> = [of_results(), of_samples(), of_archives()]
        .into_iter()
        .flatten()
        .collect();
    for trap in &traps {
        let at = folder.path().join(trap.path);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        fs::write(at, &trap.bytes).unwrap();
    }
    let report = imported(&stage, &org, folder.path(), ImportMapping::default()).await;
    for trap in &traps {
        let of_trap = |file: &&FileReport| below(folder.path(), &file.file).starts_with(trap.path);
        let found: Vec<&FileReport> = report.files.iter().filter(of_trap).collect();
        assert_eq!(found.len(), 1, "{}: {found:?}", trap.path);
        judge(trap, found[0]);
    }
    assert_eq!(report.files.len(), traps.len());
    let again = imported(&stage, &org, folder.path(), ImportMapping::default()).await;
    assert_eq!((again.stored, again.known), (0, report.stored), "twice is once");
    // Two samples of the file with the long line, two of the one with broken lines, two of the one whose target is the
    // name of a column. A second run in the same file is known by its documents and stays out.
    assert_eq!(
        stored(&stage).await,
        json!({"huge": 2, "broken_": 2, "appended__": 2, "named_column_": 2})
    );
    // What all documents share tells none apart.
    let hashes = count(
        &stage,
        "select count(target_hash) as n from run_samples s join runs r on r.id = s.run_id \
        where r.metadata #>> '{imported,file}' like '%/named_column_/%'",
    )
    .await;
    assert_eq!(hashes, 0);
}

fn below<'a>(folder: &Path, path: &'a str) -> &'a str {
    path.strip_prefix(folder.to_str().unwrap())
        .map_or(path, |rest| rest.trim_start_matches('/'))
}

async fn count(stage: &Stage, sql: &'static str) -> i64 {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    let find = async |conn: &mut Conn| diesel::sql_query(sql).get_result(conn).await.map_err(Error::from);
    stage
        .state
        .db
        .service(find)
        .await
        .map(|count: Count| count.n)
        .unwrap()
}

/// Samples by the folder of their document.
async fn stored(stage: &Stage) -> Value {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Text)]
        found: String,
    }
    let sql = "select jsonb_object_agg(f, n)::text as found from (select split_part(reverse(r.metadata #>> '{imported,file}'), '/', 2) g, \
        reverse(split_part(reverse(r.metadata #>> '{imported,file}'), '/', 2)) f, count(*) n \
        from run_samples s join runs r on r.id = s.run_id group by 1, 2) x";
    let find = async |conn: &mut Conn| diesel::sql_query(sql).get_result(conn).await.map_err(Error::from);
    let found: Found = stage.state.db.service(find).await.unwrap();
    serde_json::from_str(&found.found).unwrap()
}
