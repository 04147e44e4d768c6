//! The benchmark catalogue, and what an organization knows better.

use super::Conn;
use super::runs::escape_like;
use super::schema::{benchmark_overrides, benchmarks};
use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, sql};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use types::{BenchmarkId, BenchmarkKind, BenchmarkView, Modality, OrganizationId, UpdateBenchmark};
use uuid::Uuid;

/// A benchmark.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = benchmarks)]
pub struct BenchmarkRow {
    id: Uuid,
    name: String,
    kind: String,
    modality: String,
    category: String,
    task_type: Option<String>,
    primary_metrics: Value,
    secondary_metrics: Value,
    metrics: Value,
    num_samples: Option<i64>,
    description: Option<String>,
    tags: Vec<String>,
    leaf_tasks: Vec<String>,
    dataset: Option<String>,
    supports_fewshot: bool,
    num_fewshot: Option<i32>,
    generation_kwargs: Value,
    needs_judge: bool,
    needs_download: bool,
    origin: String,
    missing_since: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

/// What an organization knows better.
#[derive(Debug, Default, Queryable, Selectable)]
#[diesel(table_name = benchmark_overrides)]
pub struct OverrideRow {
    modality: Option<String>,
    category: Option<String>,
    description: Option<String>,
}

/// A benchmark as it was indexed.
#[derive(Clone, Debug, PartialEq, Insertable)]
#[diesel(table_name = benchmarks)]
pub struct Indexed {
    /// Used when it is new.
    pub id: Uuid,
    /// None for the installed catalogue.
    pub organization_id: Option<Uuid>,
    /// lmms-eval's name.
    pub name: String,
    /// Task, group or tag.
    pub kind: String,
    /// What the model is given.
    pub modality: String,
    /// E.g. `VQA`.
    pub category: String,
    /// lmms-eval's output type.
    pub task_type: Option<String>,
    /// Metrics that decide.
    pub primary_metrics: Value,
    /// Metrics beside them.
    pub secondary_metrics: Value,
    /// Every metric with its direction.
    pub metrics: Value,
    /// Names of the filters.
    pub filters: Value,
    /// In words.
    pub description: Option<String>,
    /// Labels.
    pub tags: Vec<String>,
    /// Distinct leaf tasks inside.
    pub leaf_tasks: Vec<String>,
    /// Where the data come from.
    pub dataset: Option<String>,
    /// Whether few-shot examples work.
    pub supports_fewshot: bool,
    /// The task's own number of them.
    pub num_fewshot: Option<i32>,
    /// The task's own generation arguments.
    pub generation_kwargs: Value,
    /// Whether an LLM judge scores it.
    pub needs_judge: bool,
    /// Whether the data must be fetched.
    pub needs_download: bool,
    /// `installed`, or the task folder.
    pub origin: String,
    /// The file.
    pub yaml_path: Option<String>,
    /// The task's version.
    pub version: Option<String>,
}

/// What is listed.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Whose own tasks are shown beside the installed ones.
    pub organization: Option<OrganizationId>,
    /// Only these.
    pub category: Option<String>,
    /// Only these.
    pub modality: Option<Modality>,
    /// Only these.
    pub kind: Option<BenchmarkKind>,
    /// Text in name or description.
    pub search: Option<String>,
    /// Only with this label.
    pub tag: Option<String>,
}

type Boxed<'a> = benchmarks::BoxedQuery<'a, Pg>;

/// The organization's word on a column, else the catalogue's; both columns are constants here.
fn corrected(column: &str, organization: Uuid) -> String {
    format!(
        "coalesce((select o.{column} from public.benchmark_overrides o where o.benchmark_id = benchmarks.id \
         and o.organization_id = '{organization}'), benchmarks.{column})"
    )
}

fn filtered<'a>(filter: &Filter) -> Boxed<'a> {
    let organization = filter.organization.map_or(Uuid::nil(), |o| o.0);
    let own = benchmarks::organization_id
        .is_null()
        .or(benchmarks::organization_id.eq(organization));
    let mut query = benchmarks::table.filter(own).into_boxed();
    if let Some(category) = &filter.category {
        let clause = format!("{} = ", corrected("category", organization));
        query = query.filter(sql::<Bool>(&clause).bind::<Text, _>(category.clone()));
    }
    if let Some(modality) = filter.modality {
        let clause = format!("{} = ", corrected("modality", organization));
        query = query.filter(sql::<Bool>(&clause).bind::<Text, _>(modality.as_str()));
    }
    if let Some(kind) = filter.kind {
        query = query.filter(benchmarks::kind.eq(kind.as_str()));
    }
    if let Some(text) = &filter.search {
        let pattern = format!("%{}%", escape_like(text));
        query = query.filter(
            benchmarks::name
                .ilike(pattern.clone())
                .or(benchmarks::description.ilike(pattern)),
        );
    }
    if let Some(tag) = &filter.tag {
        query = query.filter(benchmarks::tags.contains(vec![tag.clone()]));
    }
    query
}

/// A page of the catalogue, by name.
pub async fn list(
    conn: &mut Conn,
    filter: &Filter,
    limit: i64,
    offset: i64,
) -> QueryResult<Vec<BenchmarkView>> {
    let rows: Vec<BenchmarkRow> = filtered(filter)
        .order((benchmarks::name, benchmarks::id))
        .limit(limit)
        .offset(offset)
        .select(BenchmarkRow::as_select())
        .load(conn)
        .await?;
    with_overrides(conn, rows, filter.organization).await
}

/// How many match.
pub async fn count(conn: &mut Conn, filter: &Filter) -> QueryResult<u64> {
    let n: i64 = filtered(filter).select(count_star()).first(conn).await?;
    Ok(u64::try_from(n).unwrap_or(0))
}

/// The benchmark, as far as the caller may see it.
pub async fn find(
    conn: &mut Conn,
    id: BenchmarkId,
    organization: OrganizationId,
) -> QueryResult<Option<BenchmarkView>> {
    let row: Option<BenchmarkRow> = benchmarks::table
        .find(id.0)
        .select(BenchmarkRow::as_select())
        .first(conn)
        .await
        .optional()?;
    Ok(
        with_overrides(conn, row.into_iter().collect(), Some(organization))
            .await?
            .pop(),
    )
}

async fn with_overrides(
    conn: &mut Conn,
    rows: Vec<BenchmarkRow>,
    organization: Option<OrganizationId>,
) -> QueryResult<Vec<BenchmarkView>> {
    let mut corrections = std::collections::HashMap::new();
    if let Some(organization) = organization {
        let ids: Vec<Uuid> = rows.iter().map(|r| r.id).collect();
        let found: Vec<(Uuid, OverrideRow)> = benchmark_overrides::table
            .filter(benchmark_overrides::organization_id.eq(organization.0))
            .filter(benchmark_overrides::benchmark_id.eq_any(ids))
            .select((benchmark_overrides::benchmark_id, OverrideRow::as_select()))
            .load(conn)
            .await?;
        corrections.extend(found);
    }
    let shown = rows.into_iter().map(|row| {
        let correction = corrections.remove(&row.id).unwrap_or_default();
        view(row, correction)
    });
    Ok(shown.collect())
}

fn view(row: BenchmarkRow, correction: OverrideRow) -> BenchmarkView {
    let BenchmarkRow {
        id,
        name,
        kind,
        modality,
        category,
        task_type,
        primary_metrics,
        secondary_metrics,
        metrics,
        num_samples,
        description,
        tags,
        leaf_tasks,
        dataset,
        supports_fewshot,
        num_fewshot,
        generation_kwargs,
        needs_judge,
        needs_download,
        origin,
        missing_since,
        created_at,
    } = row;
    BenchmarkView {
        id: BenchmarkId(id),
        name,
        kind: kind.parse().unwrap_or(BenchmarkKind::Task),
        modality: correction
            .modality
            .unwrap_or(modality)
            .parse()
            .unwrap_or(Modality::Text),
        category: correction.category.unwrap_or(category),
        task_type,
        primary_metrics: serde_json::from_value(primary_metrics).unwrap_or_default(),
        secondary_metrics: serde_json::from_value(secondary_metrics).unwrap_or_default(),
        metrics: serde_json::from_value(metrics).unwrap_or_default(),
        num_samples,
        description: correction.description.or(description),
        tags,
        leaf_tasks,
        dataset,
        supports_fewshot,
        num_fewshot: num_fewshot.and_then(|n| u32::try_from(n).ok()),
        generation_kwargs,
        needs_judge,
        needs_download,
        origin,
        missing: missing_since.is_some(),
        created_at,
    }
}

/// Stores what an organization knows better; absent fields stay.
pub async fn correct(
    conn: &mut Conn,
    id: BenchmarkId,
    organization: OrganizationId,
    change: &UpdateBenchmark,
) -> QueryResult<()> {
    #[derive(AsChangeset)]
    #[diesel(table_name = benchmark_overrides)]
    struct Change<'a> {
        modality: Option<&'a str>,
        category: Option<&'a str>,
        description: Option<&'a str>,
        updated_at: DateTime<Utc>,
    }
    let modality = change.modality.map(Modality::as_str);
    let (category, description) = (change.category.as_deref(), change.description.as_deref());
    diesel::insert_into(benchmark_overrides::table)
        .values((
            benchmark_overrides::organization_id.eq(organization.0),
            benchmark_overrides::benchmark_id.eq(id.0),
            benchmark_overrides::modality.eq(modality),
            benchmark_overrides::category.eq(category),
            benchmark_overrides::description.eq(description),
        ))
        .on_conflict((
            benchmark_overrides::organization_id,
            benchmark_overrides::benchmark_id,
        ))
        .do_update()
        .set(Change {
            modality,
            category,
            description,
            updated_at: Utc::now(),
        })
        .execute(conn)
        .await?;
    Ok(())
}

/// Stores what was indexed under one owner; what is gone keeps its row, because results refer to it.
pub async fn sync(conn: &mut Conn, owner: Option<Uuid>, entries: &[Indexed]) -> QueryResult<()> {
    let owned = |e: &Indexed| Indexed {
        organization_id: owner,
        ..e.clone()
    };
    let rows: Vec<Indexed> = entries.iter().map(owned).collect();
    for chunk in rows.chunks(500) {
        upsert(conn, chunk).await?;
    }
    let names: Vec<&str> = entries.iter().map(|e| e.name.as_str()).collect();
    let own = benchmarks::organization_id.is_not_distinct_from(owner);
    diesel::update(
        benchmarks::table
            .filter(own)
            .filter(benchmarks::missing_since.is_null()),
    )
    .filter(benchmarks::name.ne_all(names))
    // What only results know is in no folder and does not vanish from one.
    .filter(benchmarks::origin.ne("results"))
    .set(benchmarks::missing_since.eq(Utc::now()))
    .execute(conn)
    .await?;
    Ok(())
}

/// Marks what organizations without any folder had from one.
pub async fn forget_folders_of_others(conn: &mut Conn, owners: &[Uuid]) -> QueryResult<()> {
    diesel::update(benchmarks::table)
        .filter(benchmarks::organization_id.is_not_null())
        .filter(benchmarks::organization_id.ne_all(owners))
        .filter(benchmarks::missing_since.is_null())
        .filter(benchmarks::origin.ne("results"))
        .set(benchmarks::missing_since.eq(Utc::now()))
        .execute(conn)
        .await?;
    Ok(())
}

async fn upsert(conn: &mut Conn, entries: &[Indexed]) -> QueryResult<()> {
    use diesel::upsert::excluded;
    diesel::insert_into(benchmarks::table)
        .values(entries)
        .on_conflict((benchmarks::organization_id, benchmarks::name))
        .do_update()
        .set((
            benchmarks::kind.eq(excluded(benchmarks::kind)),
            benchmarks::modality.eq(excluded(benchmarks::modality)),
            benchmarks::category.eq(excluded(benchmarks::category)),
            benchmarks::task_type.eq(excluded(benchmarks::task_type)),
            benchmarks::primary_metrics.eq(excluded(benchmarks::primary_metrics)),
            benchmarks::secondary_metrics.eq(excluded(benchmarks::secondary_metrics)),
            benchmarks::metrics.eq(excluded(benchmarks::metrics)),
            benchmarks::filters.eq(excluded(benchmarks::filters)),
            benchmarks::description.eq(excluded(benchmarks::description)),
            benchmarks::tags.eq(excluded(benchmarks::tags)),
            benchmarks::leaf_tasks.eq(excluded(benchmarks::leaf_tasks)),
            benchmarks::dataset.eq(excluded(benchmarks::dataset)),
            benchmarks::supports_fewshot.eq(excluded(benchmarks::supports_fewshot)),
            benchmarks::num_fewshot.eq(excluded(benchmarks::num_fewshot)),
            benchmarks::generation_kwargs.eq(excluded(benchmarks::generation_kwargs)),
            benchmarks::needs_judge.eq(excluded(benchmarks::needs_judge)),
            benchmarks::needs_download.eq(excluded(benchmarks::needs_download)),
            benchmarks::origin.eq(excluded(benchmarks::origin)),
            benchmarks::yaml_path.eq(excluded(benchmarks::yaml_path)),
            benchmarks::version.eq(excluded(benchmarks::version)),
            benchmarks::missing_since.eq(None::<DateTime<Utc>>),
        ))
        .execute(conn)
        .await?;
    Ok(())
}
