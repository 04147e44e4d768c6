//! `GET /runs/{run_id}/metrics`

use super::access;
use crate::auth::Principal;
use crate::db::events::{Frame, Kind};
use crate::db::{Conn, metrics};
use crate::error::AppResult;
use crate::state::AppState;
use actix_web::HttpResponse;
use actix_web::web::{self, Bytes};
use futures_util::stream::{self, Stream};
use serde::Deserialize;
use std::collections::VecDeque;
use tokio::time::{Interval, MissedTickBehavior, interval};
use types::{BenchmarkId, LiveEvent, LiveMessage, MetricList, RunId};
use uuid::Uuid;

/// Which scores, and how.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GetMetrics {
    /// Only of this task, or of this picked group.
    benchmark_id: Option<BenchmarkId>,
    /// As NDJSON: first what is committed, then what comes, until the run is over.
    #[serde(default)]
    stream: bool,
}

/// The scores of a run; with `stream=true` as they come.
#[utoipa::path(
    get, path = "/api/v1/runs/{run_id}/metrics",
    tag = "runs", operation_id = "get_run_metrics",
    params(("run_id" = String, Path), GetMetrics),
    responses((status = 200, content((MetricList = "application/json"), (LiveMessage = "application/x-ndjson"))))
)]
pub async fn get_run_metrics(
    state: web::Data<AppState>,
    principal: Principal,
    path: web::Path<String>,
    query: web::Query<GetMetrics>,
) -> AppResult<HttpResponse> {
    let id = access::run_id(&path)?;
    let list = state
        .db
        .user(&principal, async |conn: &mut Conn| -> AppResult<_> {
            access::visible(conn, id).await?;
            Ok(MetricList {
                metrics: metrics::of_run(conn, id, query.benchmark_id).await?,
            })
        })
        .await?;
    if !query.stream {
        return Ok(HttpResponse::Ok().json(list));
    }
    let benchmarks = list.metrics.iter().map(|m| m.run_benchmark_id.0).collect();
    let wanted = Wanted::new(query.benchmark_id, benchmarks);
    let feed = Feed::new(state.get_ref().clone(), principal, id, wanted);
    Ok(HttpResponse::Ok()
        .content_type("application/x-ndjson")
        .streaming(feed.lines()))
}

/// Which metric updates pass.
struct Wanted {
    benchmark: Option<BenchmarkId>,
    picks: Vec<Uuid>,
}

impl Wanted {
    fn new(benchmark: Option<BenchmarkId>, picks: Vec<Uuid>) -> Self {
        Self { benchmark, picks }
    }

    fn takes(&self, message: &LiveMessage) -> bool {
        let LiveEvent::MetricUpdate(update) = &message.event else {
            return false;
        };
        match self.benchmark {
            None => true,
            Some(id) => update.benchmark_id == id || self.picks.contains(&update.run_benchmark_id.0),
        }
    }
}

/// The run's sequence from its beginning, as a stream of lines.
struct Feed {
    state: AppState,
    principal: Principal,
    recheck: Interval,
    run: RunId,
    wanted: Wanted,
    after: i64,
    live: Option<crate::events::Subscription>,
    ready: VecDeque<Bytes>,
    is_over: bool,
}

impl Feed {
    fn new(state: AppState, principal: Principal, run: RunId, wanted: Wanted) -> Self {
        let mut recheck = interval(state.config.server.recheck);
        recheck.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            state,
            principal,
            recheck,
            run,
            wanted,
            after: 0,
            live: None,
            ready: VecDeque::new(),
            is_over: false,
        }
    }

    fn lines(self) -> impl Stream<Item = Result<Bytes, actix_web::Error>> {
        stream::unfold(self, |mut feed| async move {
            while feed.ready.is_empty() && !feed.is_over {
                feed.read().await?;
            }
            Some((Ok(feed.ready.pop_front()?), feed))
        })
    }

    /// Reads on; `None` ends the stream, and the client comes again.
    async fn read(&mut self) -> Option<()> {
        match &mut self.live {
            Some(live) => {
                let group = tokio::select! {
                    group = live.next() => Some(group.ok()?),
                    _ = self.recheck.tick() => None,
                };
                match group {
                    Some(group) => self.take(&group),
                    None if self.is_shut_out().await => return None,
                    None => {}
                }
            }
            None => {
                let page = self.state.events.read_after(self.run.0, self.after).await.ok()?;
                self.take(&page.frames);
                if !page.more && !self.is_over {
                    self.follow().await?;
                }
            }
        }
        Some(())
    }

    /// Whether the reader may no longer see the run. While the database does not answer nobody's rights have changed.
    async fn is_shut_out(&self) -> bool {
        let may = access::may_still_see(&self.state, &self.principal, self.run).await;
        matches!(may, Ok(false))
    }

    /// From here on live. What was written in between is read once more.
    async fn follow(&mut self) -> Option<()> {
        let live = self.state.events.subscribe(self.run.0, self.after);
        while self.after < live.position {
            let page = self.state.events.read_after(self.run.0, self.after).await.ok()?;
            if page.frames.is_empty() {
                break;
            }
            self.take(&page.frames);
        }
        self.live = Some(live);
        Some(())
    }

    fn take(&mut self, frames: &[Frame]) {
        for frame in frames.iter().filter(|f| f.seq > self.after) {
            if !matches!(frame.kind, Kind::MetricUpdate | Kind::Status) {
                continue;
            }
            let Ok(message) = serde_json::from_slice::<LiveMessage>(&frame.text) else {
                continue;
            };
            if self.wanted.takes(&message) {
                let line = [frame.text.as_ref(), b"\n"].concat();
                self.ready.push_back(line.into());
            }
            if let LiveEvent::Status(status) = &message.event
                && let Some(status) = status.status
            {
                self.is_over = status.is_terminal();
            }
        }
        self.after = frames.last().map_or(self.after, |f| f.seq.max(self.after));
    }
}
