//! Media, and the documents that show them.

use super::Conn;
use super::schema::{document_media, media};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Double, Integer, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use std::collections::HashMap;
use types::SampleView;
use uuid::Uuid;

/// A medium to store.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = media)]
pub struct NewMedium {
    /// Its organization.
    pub organization_id: Uuid,
    /// Hex SHA-256.
    pub sha256: String,
    /// What it is, by its content.
    pub kind: &'static str,
    /// Its type, by its content.
    pub mime: &'static str,
    /// Bytes.
    pub bytes: i64,
    /// Pixels.
    pub width: Option<i32>,
    /// Pixels.
    pub height: Option<i32>,
    /// Seconds.
    pub duration: Option<f64>,
    /// Why it is not shown.
    pub problem: Option<String>,
    /// Its key in the object store.
    pub object_key: String,
}

/// A medium as it is served.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = media)]
pub struct MediumRow {
    /// What it is.
    pub kind: String,
    /// Its type.
    pub mime: String,
    /// Bytes.
    pub bytes: i64,
    /// Why it is not shown.
    pub problem: Option<String>,
    /// Its key in the object store.
    pub object_key: String,
    /// The key of its small picture.
    pub thumbnail_key: Option<String>,
    /// Why it has none.
    pub thumbnail_problem: Option<String>,
}

/// Stores a medium; the same content again changes nothing.
pub async fn insert(conn: &mut Conn, medium: &NewMedium) -> QueryResult<()> {
    diesel::insert_into(media::table)
        .values(medium)
        .on_conflict_do_nothing()
        .execute(conn)
        .await
        .map(|_| ())
}

/// Which of these an organization lacks, in their order.
pub async fn missing(conn: &mut Conn, organization: Uuid, hashes: Vec<String>) -> QueryResult<Vec<String>> {
    let known: Vec<String> = media::table
        .filter(media::organization_id.eq(organization))
        .filter(media::sha256.eq_any(&hashes))
        .select(media::sha256)
        .load(conn)
        .await?;
    Ok(hashes.into_iter().filter(|hash| !known.contains(hash)).collect())
}

/// The medium with this content.
pub async fn find(conn: &mut Conn, organization: Uuid, sha256: &str) -> QueryResult<Option<MediumRow>> {
    media::table
        .find((organization, sha256))
        .select(MediumRow::as_select())
        .first(conn)
        .await
        .optional()
}

/// Notes where the small picture of a medium is, or why there is none.
pub async fn set_thumbnail(
    conn: &mut Conn,
    organization: Uuid,
    sha256: &str,
    made: Result<String, String>,
) -> QueryResult<()> {
    let (key, problem) = match made {
        Ok(key) => (Some(key), None),
        Err(problem) => (None, Some(problem)),
    };
    diesel::update(media::table.find((organization, sha256)))
        .set((media::thumbnail_key.eq(key), media::thumbnail_problem.eq(problem)))
        .execute(conn)
        .await
        .map(|_| ())
}

/// What a document shows at one place, or why it does not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shown {
    /// The document.
    pub doc_id: i64,
    /// The place.
    pub position: i32,
    /// What it is said to be.
    pub claimed: Option<String>,
    /// How it was called.
    pub name: Option<String>,
    /// Its content.
    pub sha256: Option<String>,
    /// Seconds, as whoever kept it says.
    pub duration: Option<f64>,
    /// Why there is none, by name.
    pub problem: Option<String>,
    /// Why there is none, in words.
    pub reason: Option<String>,
}

/// A leaf task in a picked benchmark.
#[derive(Clone, Copy, Debug)]
pub struct Leaf {
    /// The organization.
    pub organization: Uuid,
    /// The picked row.
    pub pick: Uuid,
    /// The leaf task.
    pub benchmark: Uuid,
}

/// Forgets what the documents of a picked benchmark show.
pub async fn clear_pick(conn: &mut Conn, pick: Uuid) -> QueryResult<()> {
    diesel::delete(document_media::table.filter(document_media::run_benchmark_id.eq(pick)))
        .execute(conn)
        .await
        .map(|_| ())
}

/// Forgets what the documents of a leaf task show.
pub async fn clear(conn: &mut Conn, leaf: Leaf) -> QueryResult<()> {
    diesel::delete(
        document_media::table
            .filter(document_media::run_benchmark_id.eq(leaf.pick))
            .filter(document_media::benchmark_id.eq(leaf.benchmark)),
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// Notes what documents show, in one statement; a place that is taken stays as it is. A content
/// that the organization does not have is noted as missing.
pub async fn show(conn: &mut Conn, leaf: Leaf, shown: Vec<Shown>) -> QueryResult<usize> {
    let column = |of: fn(&Shown) -> &Option<String>| shown.iter().map(|s| of(s).clone()).collect::<Vec<_>>();
    diesel::sql_query(
        "with c as (select * from unnest($4::bigint[], $5::integer[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::float8[]) \
           c(doc_id, position, claimed, name, sha256, problem, reason, duration)), \
         lasting as (update media m set duration = c.duration from c where m.organization_id = $1 and m.sha256 = c.sha256 \
           and m.duration is null and c.duration is not null and m.kind in ('audio', 'video')) \
         insert into document_media (organization_id, run_benchmark_id, benchmark_id, doc_id, position, claimed, name, sha256, problem, reason) \
         select $1, $2, $3, c.doc_id, c.position, c.claimed, c.name, m.sha256, \
           case when m.sha256 is null then coalesce(c.problem, 'missing') end, \
           case when m.sha256 is null then coalesce(c.reason, 'its file did not arrive') end \
         from c left join media m on m.organization_id = $1 and m.sha256 = c.sha256 \
         on conflict do nothing",
    )
    .bind::<SqlUuid, _>(leaf.organization)
    .bind::<SqlUuid, _>(leaf.pick)
    .bind::<SqlUuid, _>(leaf.benchmark)
    .bind::<Array<BigInt>, _>(shown.iter().map(|s| s.doc_id).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(shown.iter().map(|s| s.position).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(column(|s| &s.claimed))
    .bind::<Array<Nullable<Text>>, _>(column(|s| &s.name))
    .bind::<Array<Nullable<Text>>, _>(column(|s| &s.sha256))
    .bind::<Array<Nullable<Text>>, _>(column(|s| &s.problem))
    .bind::<Array<Nullable<Text>>, _>(column(|s| &s.reason))
    .bind::<Array<Nullable<Double>>, _>(shown.iter().map(|s| s.duration).collect::<Vec<_>>())
    .execute(conn)
    .await
}

/// What a sample's document shows, joined with what is known of the content.
#[derive(Clone, Debug, QueryableByName)]
pub struct ShownRow {
    #[diesel(sql_type = SqlUuid)]
    run_benchmark_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    benchmark_id: Uuid,
    #[diesel(sql_type = BigInt)]
    doc_id: i64,
    /// The organization.
    #[diesel(sql_type = SqlUuid)]
    pub organization_id: Uuid,
    /// The place.
    #[diesel(sql_type = Integer)]
    pub position: i32,
    /// What it is said to be.
    #[diesel(sql_type = Nullable<Text>)]
    pub claimed: Option<String>,
    /// How it was called.
    #[diesel(sql_type = Nullable<Text>)]
    pub name: Option<String>,
    /// Its content.
    #[diesel(sql_type = Nullable<Text>)]
    pub sha256: Option<String>,
    /// Why there is none, by name.
    #[diesel(sql_type = Nullable<Text>)]
    pub problem: Option<String>,
    /// Why there is none, in words.
    #[diesel(sql_type = Nullable<Text>)]
    pub reason: Option<String>,
    /// What it is, by its content.
    #[diesel(sql_type = Nullable<Text>)]
    pub kind: Option<String>,
    /// Its type.
    #[diesel(sql_type = Nullable<Text>)]
    pub mime: Option<String>,
    /// Bytes.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub bytes: Option<i64>,
    /// Pixels.
    #[diesel(sql_type = Nullable<Integer>)]
    pub width: Option<i32>,
    /// Pixels.
    #[diesel(sql_type = Nullable<Integer>)]
    pub height: Option<i32>,
    /// Seconds.
    #[diesel(sql_type = Nullable<Double>)]
    pub duration: Option<f64>,
    /// Why the content is not shown.
    #[diesel(sql_type = Nullable<Text>)]
    pub content_problem: Option<String>,
    /// Why it has no small picture.
    #[diesel(sql_type = Nullable<Text>)]
    pub thumbnail_problem: Option<String>,
}

/// A document of a leaf task in a picked benchmark.
pub type Document = (Uuid, Uuid, i64);

/// The document of a sample.
pub fn document_of(sample: &SampleView) -> Document {
    (sample.run_benchmark_id.0, sample.benchmark_id.0, sample.doc_id)
}

/// What documents show, by document and in order, as row-level security shows it.
pub async fn of_documents(
    conn: &mut Conn,
    documents: &[Document],
) -> QueryResult<HashMap<Document, Vec<ShownRow>>> {
    let rows: Vec<ShownRow> = diesel::sql_query(
        "select d.run_benchmark_id, d.benchmark_id, d.doc_id, d.organization_id, d.position, d.claimed, d.name, d.sha256, \
           d.problem, d.reason, m.kind, m.mime, m.bytes, m.width, m.height, m.duration, m.problem as content_problem, \
           m.thumbnail_problem \
         from (select distinct * from unnest($1::uuid[], $2::uuid[], $3::bigint[]) x(pick, benchmark, doc)) x \
         join document_media d on d.run_benchmark_id = x.pick and d.benchmark_id = x.benchmark and d.doc_id = x.doc \
         left join media m on m.organization_id = d.organization_id and m.sha256 = d.sha256 \
         order by d.position",
    )
    .bind::<Array<SqlUuid>, _>(documents.iter().map(|d| d.0).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(documents.iter().map(|d| d.1).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(documents.iter().map(|d| d.2).collect::<Vec<_>>())
    .load(conn)
    .await?;
    let mut found: HashMap<Document, Vec<ShownRow>> = HashMap::new();
    for row in rows {
        let document = (row.run_benchmark_id, row.benchmark_id, row.doc_id);
        found.entry(document).or_default().push(row);
    }
    Ok(found)
}
