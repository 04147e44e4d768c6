//! Rules in Rust and in PostgreSQL: the same meaning, and nothing but the sample within reach.

use super::board::Commit;
use super::runs_stage::{Org, Stage};
use analysis::streams::Stream;
use api::db::rules::Condition;
use api::db::{Conn, Error};
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Bool, Jsonb, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use types::rule::{Field, Literal, Order, Part, Place, Rule, Subject, Test};
use uuid::Uuid;

const DOCUMENTS: i64 = 150;
const RULES: u64 = 500;
const TEXTS: u64 = 1500;

/// Things by chance, the same ones in each run of the test.
struct Chance(Stream);

impl Chance {
    fn of(seed: u64) -> Self {
        Self(Stream::new(seed, 0))
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.0.below(from.len())]
    }

    fn text(&mut self) -> String {
        let texts = [
            "",
            "x",
            "X",
            "left",
            "Left hand",
            "ÄÖ",
            "äö",
            "é",
            "3",
            "true",
            "a\"b",
            "\\",
            "\n",
            "日本",
            "İI",
            "ſs",
            " x ",
            "%",
            "_",
            "'",
        ];
        (*self.pick(&texts)).to_owned()
    }

    fn number(&mut self) -> f64 {
        *self.pick(&[
            0.0,
            -0.0,
            1.0,
            3.0,
            -2.5,
            0.1,
            1e300,
            9_007_199_254_740_992.0,
            5e-324,
            12.0,
        ])
    }

    fn name(&mut self) -> String {
        (*self.pick(&["a", "b", "c d", "in", "ä", "`", "0"])).to_owned()
    }

    fn scalar(&mut self) -> Value {
        match self.0.below(6) {
            0 => Value::Null,
            1 => json!(self.0.flip()),
            2 => json!(self.number()),
            3 => self
                .pick(&[
                    json!(3),
                    json!(-7),
                    json!(u64::MAX),
                    json!(i64::MIN),
                    json!(9_007_199_254_740_993_u64),
                ])
                .clone(),
            _ => json!(self.text()),
        }
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.0.below(if depth == 0 { 4 } else { 8 }) {
            0..5 => self.scalar(),
            5 => (0..self.0.below(4)).map(|_| self.value(depth - 1)).collect(),
            _ => Value::Object(
                (0..self.0.below(4))
                    .map(|_| (self.name(), self.value(depth - 1)))
                    .collect(),
            ),
        }
    }

    fn place(&mut self) -> Place {
        match self.0.below(12) {
            0 => Place::Target,
            1 => Place::Input,
            2 => Place::InputLength,
            3 => Place::DocId,
            n => Place::Doc((0..1 + n % 2).map(|_| self.name()).collect()),
        }
    }

    fn literal(&mut self) -> Literal {
        match self.0.below(5) {
            0 => Literal::Bool(self.0.flip()),
            1 | 2 => Literal::Number(self.number()),
            _ => Literal::Text(self.text()),
        }
    }

    fn test(&mut self) -> Test {
        let part = *self.pick(&[Part::Anywhere, Part::Start, Part::End]);
        let order = *self.pick(&[Order::Less, Order::AtMost, Order::More, Order::AtLeast]);
        match self.0.below(8) {
            0 | 1 => Test::In((0..=self.0.below(3)).map(|_| self.literal()).collect()),
            2 => Test::NotIn((0..=self.0.below(3)).map(|_| self.literal()).collect()),
            3 => Test::Number(order, self.number()),
            4 => {
                let (one, two) = (self.number(), self.number());
                Test::Between(one.min(two), one.max(two))
            }
            5 => Test::Exists,
            6 => Test::IsNull,
            _ => Test::Holds(part, self.text() + "x"),
        }
    }

    fn rule(&mut self, depth: usize) -> Rule {
        match self.0.below(if depth == 0 { 1 } else { 5 }) {
            0 | 1 => {
                let places = (0..=self.0.below(2)).map(|_| self.place()).collect();
                Rule::Test(Field(places), self.test())
            }
            2 => Rule::Not(Box::new(self.rule(depth - 1))),
            3 => Rule::all(vec![self.rule(depth - 1), self.rule(depth - 1)]),
            _ => Rule::any((0..3).map(|_| self.rule(depth - 1)).collect()),
        }
    }

    /// A text that looks like a rule: pieces of some, in any order, sometimes with other characters.
    fn nonsense(&mut self) -> String {
        const PIECES: [&str; 30] = [
            "a",
            "`c d`",
            " = ",
            " != ",
            "\"x\"",
            "'",
            "\"",
            "(",
            ")",
            " and ",
            " or ",
            "not ",
            " in (",
            "1",
            "-2.5e3",
            ",",
            ".",
            "|",
            "@target",
            "@",
            " contains ",
            " is null",
            " exists",
            " between ",
            "; drop table runs; --",
            "/*",
            "$1",
            "\u{202e}",
            "\0",
            "s.organization_id",
        ];
        (0..=self.0.below(12)).map(|_| *self.pick(&PIECES)).collect()
    }
}

#[derive(diesel::QueryableByName)]
struct Judged {
    #[diesel(sql_type = BigInt)]
    doc_id: i64,
    #[diesel(sql_type = Nullable<Bool>)]
    fits: Option<bool>,
}

/// What the database says of the samples of an organization, by document.
async fn judged(stage: &Stage, organization: Uuid, rule: &Rule) -> Vec<Judged> {
    let condition = Condition::of(rule, 2);
    let sql = format!(
        "select s.doc_id, {} as fits from run_samples s where s.organization_id = $1 order by s.doc_id",
        condition.text
    );
    let query = diesel::sql_query(sql)
        .into_boxed::<Pg>()
        .bind::<SqlUuid, _>(organization);
    let query = condition.bind(query);
    let found = stage
        .state
        .db
        .service(async |conn: &mut Conn| query.load(conn).await.map_err(Error::from))
        .await;
    found.unwrap_or_else(|e| panic!("`{rule}`: {}", api::error::chain(&e)))
}

/// A run with so many samples.
async fn samples(stage: &Stage, org: &Org, benchmark: Uuid, n: i64) {
    let model = stage.board_model(org, "m").await;
    let commit = Commit {
        model,
        checkpoint: "latest",
        benchmark,
        right: 1,
        of: n,
        conditions: json!({}),
    };
    stage.commit(org, &commit).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rust_and_postgresql_agree_on_every_rule() {
    let stage = Stage::new().await;
    let org = stage.org("A").await;
    let bench = stage.benchmark("bench").await;
    samples(&stage, &org, bench, DOCUMENTS).await;
    let mut chance = Chance::of(5);
    let rows: Vec<Value> = (0..DOCUMENTS)
        .map(|id| {
            let doc = Value::Object((0..5).map(|_| (chance.name(), chance.value(2))).collect());
            let input = if chance.0.flip() {
                json!(chance.text())
            } else {
                Value::Null
            };
            json!({"id": id, "doc": doc, "target": chance.value(1), "input": input})
        })
        .collect();
    let given = json!(rows);
    let set = "update run_samples s set doc = r.value -> 'doc', ground_truth = nullif(r.value -> 'target', 'null'), \
        input_data = jsonb_build_object('text', r.value -> 'input') from jsonb_array_elements($1) r where s.doc_id = (r.value ->> 'id')::bigint";
    stage
        .state
        .db
        .service(async |conn: &mut Conn| {
            diesel::sql_query(set)
                .bind::<Jsonb, _>(&given)
                .execute(conn)
                .await
                .map_err(Error::from)
        })
        .await
        .unwrap();
    let mut both = [0_u64; 2];
    for seed in 0..RULES {
        let rule = Chance::of(1000 + seed).rule(3);
        assert_eq!(rule.to_string().parse::<Rule>().unwrap(), rule, "{rule}");
        for (judged, row) in judged(&stage, org.id, &rule).await.iter().zip(&rows) {
            let subject = Subject {
                doc: Some(&row["doc"]),
                target: Some(&row["target"]).filter(|v| !v.is_null()),
                input: row["input"].as_str(),
                doc_id: judged.doc_id,
            };
            let fits = rule.fits(&subject);
            assert_eq!(judged.fits, Some(fits), "`{rule}` of {row}");
            both[usize::from(fits)] += 1;
        }
    }
    // Neither answer is rare, or the agreement would say little.
    assert!(
        both.iter().all(|n| *n > RULES * DOCUMENTS.unsigned_abs() / 10),
        "{both:?}"
    );
}

/// The words of SQL that a condition is made of, besides placeholders.
const WORDS: &str = "and any array as between bool boolean c case char_length coalesce collate doc doc_id e else end exists false \
    float8 from ground_truth in input_data is item jsonb jsonb_array_elements jsonb_typeof lower not null nullif number or right s \
    select starts_with string strpos text then to_jsonb when where";

/// The words of a text, without placeholders.
fn words(sql: &str) -> Vec<String> {
    let mut found = Vec::new();
    for word in sql.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$'))) {
        if !word.is_empty() && !word.starts_with('$') && word.parse::<u32>().is_err() {
            found.push(word.to_lowercase());
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_reaches_nothing_but_its_sample() {
    let stage = Stage::new().await;
    let (org, other) = (stage.org("A").await, stage.org("B").await);
    let bench = stage.benchmark("bench").await;
    samples(&stage, &org, bench, 3).await;
    samples(&stage, &other, bench, 5).await;
    let known: Vec<&str> = WORDS.split_whitespace().collect();
    let (mut read, mut refused) = (0, 0);
    for seed in 0..TEXTS {
        let mut chance = Chance::of(90_000 + seed);
        let text = if seed % 3 == 0 {
            chance.rule(2).to_string()
        } else {
            chance.nonsense()
        };
        match text.parse::<Rule>() {
            Err(error) => {
                refused += 1;
                assert!(
                    (1..=text.chars().count() + 1).contains(&error.column),
                    "`{text}`: {error}"
                );
            }
            Ok(rule) => {
                read += 1;
                let sql = Condition::of(&rule, 2).text;
                let unknown: Vec<String> = words(&sql)
                    .into_iter()
                    .filter(|w| !known.contains(&w.as_str()))
                    .collect();
                assert!(
                    unknown.is_empty() && !sql.contains(';'),
                    "`{text}`: {unknown:?} in {sql}"
                );
                // It runs, it is never null, and it says something of its organization's samples alone.
                let all = judged(&stage, org.id, &rule).await;
                assert!(all.len() == 3 && all.iter().all(|j| j.fits.is_some()), "`{text}`");
            }
        }
    }
    assert!(
        read >= TEXTS / 3 && refused > TEXTS / 4,
        "{read} read, {refused} refused"
    );
    // Through the API, with row-level security: what is counted and shown is the caller's own.
    for rule in [
        "@doc_id >= 0",
        "not missing exists",
        "a exists or a is null",
        "`s`.organization_id is null",
    ] {
        let (status, found) = stage
            .post("/slices/preview", &org.viewer, &json!({"rule": rule}))
            .await;
        assert_eq!((status.as_u16(), &found["samples"]), (200, &json!(3)), "{found}");
    }
    let tables: Vec<Word> = stage
        .state
        .db
        .service(async |conn: &mut Conn| {
            diesel::sql_query("select tablename::text as word from pg_tables where schemaname = 'public' and tablename = 'runs'")
                .load(conn)
                .await
                .map_err(Error::from)
        })
        .await
        .unwrap();
    assert_eq!(
        tables.iter().map(|t| t.word.as_str()).collect::<Vec<_>>(),
        ["runs"]
    );
}

#[derive(diesel::QueryableByName)]
struct Word {
    #[diesel(sql_type = Text)]
    word: String,
}
