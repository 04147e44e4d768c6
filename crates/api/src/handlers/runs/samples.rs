//! `GET /runs/{run_id}/samples`, its buckets, and one sample

use super::shown::add_media;
use super::{access, list::page_size};
use crate::auth::{Principal, Scope};
use crate::db::explore::{self, Cursor, Filter, Mark, Sort};
use crate::db::{Conn, agreement, models};
use crate::error::{AppError, AppResult};
use crate::state::AppState;
use actix_web::web;
use serde::Deserialize;
use types::{
    BenchmarkId, ModelId, OrganizationId, Problem, Role, RunBenchmarkId, RunId, SampleBuckets, SampleDetail,
    SampleId, SamplePage, SliceId,
};

/// Answers of others that are shown with a sample.
const SHOWN_OTHERS: i64 = 40;
/// The longest text that is searched for.
const MAX_SEARCH: usize = 500;

/// Which samples, and in which order.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GetSamples {
    /// Only of this task, or of this picked group.
    benchmark_id: Option<BenchmarkId>,
    /// Only of this picked row.
    run_benchmark_id: Option<RunBenchmarkId>,
    /// Only of this filter of the task.
    filter: Option<String>,
    /// Only of this slice.
    slice_id: Option<SliceId>,
    /// Only those that went so.
    mark: Option<SampleMark>,
    /// Only with this flag: `failed_request`, `budget`, `empty`, `truncated`, `unparsed`.
    flag: Option<String>,
    /// Only of this category of their documents.
    category: Option<String>,
    /// Only with at least this score.
    score_min: Option<f64>,
    /// Only with at most this score.
    score_max: Option<f64>,
    /// Text in input, target or answer, among the first 200 000 samples of the run.
    search: Option<String>,
    /// Where the last page ended.
    cursor: Option<String>,
    /// Samples of a page, at most 200.
    limit: Option<u32>,
    /// `index` (as stored: benchmark by benchmark, each in the order of its file), `error` (largest first), `confidence` (least first) or `disagreement` (where the
    /// organization's runs agree least first).
    sort_by: Option<SortBy>,
}

/// What samples are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SortBy {
    /// As in the file.
    #[default]
    Index,
    /// Largest error first.
    Error,
    /// Least confidence first.
    Confidence,
    /// Where runs agree least first.
    Disagreement,
}

impl From<SortBy> for Sort {
    fn from(by: SortBy) -> Self {
        match by {
            SortBy::Index => Self::Index,
            SortBy::Error => Self::Error,
            SortBy::Confidence => Self::Confidence,
            SortBy::Disagreement => Self::Disagreement,
        }
    }
}

/// How a sample went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SampleMark {
    /// It has an error.
    Wrong,
    /// It has none.
    Right,
    /// The metric does not say.
    Unscored,
}

impl GetSamples {
    fn wanted(&self) -> AppResult<Filter> {
        let finite = |name: &str, value: Option<f64>| match value {
            Some(x) if !x.is_finite() => {
                Err(AppError::field(name, format!("is {x}; expected a finite number")))
            }
            other => Ok(other),
        };
        let text = |text: &Option<String>| {
            let cleaned = text.as_ref().map(|t| t.trim().replace('\0', ""));
            cleaned.filter(|t| !t.is_empty())
        };
        let search = text(&self.search);
        if let Some(long) = search.as_ref().filter(|s| s.len() > MAX_SEARCH) {
            return Err(AppError::field(
                "search",
                format!("has {} bytes; expected at most {MAX_SEARCH}", long.len()),
            ));
        }
        Ok(Filter {
            benchmark: self.benchmark_id,
            pick: self.run_benchmark_id,
            filter: text(&self.filter),
            slice: self.slice_id,
            mark: self.mark.map(|mark| match mark {
                SampleMark::Wrong => Mark::Wrong,
                SampleMark::Right => Mark::Right,
                SampleMark::Unscored => Mark::Unscored,
            }),
            flag: text(&self.flag),
            category: text(&self.category),
            score_min: finite("score_min", self.score_min)?,
            score_max: finite("score_max", self.score_max)?,
            search,
        })
    }
}

/// A page of samples.
#[utoipa::path(
    get, path = "/api/v1/runs/{run_id}/samples",
    tag = "runs", operation_id = "get_run_samples",
    params(("run_id" = String, Path), GetSamples),
    responses((status = 200, body = SamplePage))
)]
pub async fn get_run_samples(
    state: web::Data<AppState>,
    principal: Principal,
    path: web::Path<String>,
    query: web::Query<GetSamples>,
) -> AppResult<web::Json<SamplePage>> {
    let id = access::run_id(&path)?;
    let limit = page_size(query.limit, 20)?;
    let cursor = query.cursor.as_deref().map(cursor_of).transpose()?;
    let filter = query.wanted()?;
    let sort = Sort::from(query.sort_by.unwrap_or_default());
    state
        .db
        .user(&principal, async |conn: &mut Conn| -> AppResult<_> {
            access::visible(conn, id).await?;
            let mut page = explore::page(conn, id, &filter, sort, cursor, limit).await?;
            add_media(conn, &state, &mut page.samples).await?;
            Ok(web::Json(SamplePage {
                samples: page.samples,
                total: page.total,
                next_cursor: page.next.map(|cursor| cursor.to_string()),
            }))
        })
        .await
}

/// What the samples of a run fall into; filters hold, order and cursor do not matter.
#[utoipa::path(
    get, path = "/api/v1/runs/{run_id}/samples/buckets",
    tag = "runs", operation_id = "get_sample_buckets",
    params(("run_id" = String, Path), GetSamples),
    responses((status = 200, body = SampleBuckets))
)]
pub async fn get_sample_buckets(
    state: web::Data<AppState>,
    principal: Principal,
    path: web::Path<String>,
    query: web::Query<GetSamples>,
) -> AppResult<web::Json<SampleBuckets>> {
    let id = access::run_id(&path)?;
    // It holds for pages alone, but what is no limit is refused here as well.
    page_size(query.limit, 20)?;
    let filter = query.wanted()?;
    state
        .db
        .user(&principal, async |conn: &mut Conn| -> AppResult<_> {
            access::visible(conn, id).await?;
            let buckets = explore::buckets(conn, id, &filter).await?;
            Ok(web::Json(SampleBuckets { buckets }))
        })
        .await
}

/// One sample with its document, and what others answered to it.
#[utoipa::path(
    get, path = "/api/v1/samples/{sample_id}",
    tag = "runs", operation_id = "get_sample",
    params(("sample_id" = SampleId, Path)),
    responses((status = 200, body = SampleDetail), (status = 404, body = Problem))
)]
pub async fn get_sample(
    state: web::Data<AppState>,
    principal: Principal,
    id: web::Path<SampleId>,
) -> AppResult<web::Json<SampleDetail>> {
    state
        .db
        .user(&principal, async |conn: &mut Conn| -> AppResult<_> {
            let mut found = explore::find(conn, id.0)
                .await?
                .ok_or_else(|| AppError::not_found("sample", *id))?;
            principal.require_in(OrganizationId(found.organization), Role::Viewer, Scope::Read)?;
            let run = access::visible(conn, RunId(found.run)).await?;
            let model = models::find(conn, ModelId(run.model_id)).await?;
            add_media(conn, &state, std::slice::from_mut(&mut found.sample)).await?;
            let others = explore::others(conn, &found, SHOWN_OTHERS).await?;
            let agreement = agreement::of_document(conn, &found).await?;
            Ok(web::Json(SampleDetail {
                sample: found.sample,
                doc: found.doc,
                run_id: found.run.into(),
                run_name: run.name,
                model_name: model.map(|(_, m)| m.name).unwrap_or_default(),
                checkpoint: run.checkpoint_variant,
                agreement,
                others,
            }))
        })
        .await
}

/// A cursor as a page has returned it.
fn cursor_of(text: &str) -> AppResult<Cursor> {
    text.parse().map_err(|()| {
        AppError::field(
            "cursor",
            format!("is `{text}`; expected one that a page returned"),
        )
    })
}
