//! `POST /attempts/{attempt_id}/batches`

use super::news::{self, Changes, Note, Progress};
use super::{progress, token};
use crate::db::attempts::{self, BatchChanges, ExecutorRow};
use crate::db::events::{Frame, NewEvent, append, append_told};
use crate::db::run_benchmarks::PickRow;
use crate::db::{Conn, queue, run_benchmarks, runs};
use crate::error::AppResult;
use crate::events::Hub;
use crate::ingest::lines::{kept, notice};
use crate::json;
use crate::state::AppState;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;
use serde_json::json;
use types::{AttemptState, Batch, BatchAnswer, BenchmarkStatus, LiveEvent, Order, StatusEvent};
use uuid::Uuid;

/// Take a batch of news. A number that was taken before changes nothing; a gap is a conflict.
#[utoipa::path(
    post, path = "/api/v1/attempts/{attempt_id}/batches",
    tag = "executors", operation_id = "post_batch",
    params(("attempt_id" = String, Path)), request_body = Batch,
    responses((status = 200, body = BatchAnswer), (status = 409, body = BatchAnswer), (status = 401, body = types::Problem))
)]
pub async fn post_batch(
    state: web::Data<AppState>,
    request: HttpRequest,
    path: web::Path<String>,
    body: web::Payload,
) -> AppResult<HttpResponse> {
    let caller = token::Caller::of(request.headers(), &path)?;
    let batch = match json::read(body).await {
        Ok(batch) => batch,
        // Only an executor is told what is wrong with it.
        Err(error) => return Err(token::executor(&state, &caller).await.err().unwrap_or(error)),
    };
    let hub = &state.events;
    let taken = state
        .db
        .service(async |conn: &mut Conn| take(conn, &caller, batch, hub).await)
        .await?;
    let mut response = if taken.is_gap {
        HttpResponse::Conflict()
    } else {
        HttpResponse::Ok()
    };
    hub.offer(taken.run, taken.frames);
    Ok(response.json(taken.answer))
}

/// What became of a batch.
struct Taken {
    run: Uuid,
    answer: BatchAnswer,
    is_gap: bool,
    /// What is to be told of it, if anybody listens here.
    frames: Vec<Frame>,
}

/// Writes a batch in one transaction. The locks are taken in the order run, attempt, as everywhere.
async fn take(conn: &mut Conn, caller: &token::Caller<'_>, batch: Batch, hub: &Hub) -> AppResult<Taken> {
    let found = attempts::lock_with_run(conn, caller.attempt).await?;
    let (run, executor) = caller.check(found, |(_, executor)| executor)?;
    let order = order_for(&executor, &run, batch.epoch);
    let expected = executor.next_batch_no;
    let is_fenced = order == Order::Fenced;
    let mut taken = Taken {
        run: run.id,
        answer: answer(&executor, order),
        is_gap: !is_fenced && batch.batch_no > expected,
        frames: Vec::new(),
    };
    if !is_fenced && batch.batch_no == expected {
        let (executor, events) = write(conn, executor, &run, batch).await?;
        taken.answer = answer(&executor, order);
        taken.frames = tell(conn, run.id, events, hub).await?;
    }
    Ok(taken)
}

async fn tell(conn: &mut Conn, run: Uuid, events: Vec<NewEvent>, hub: &Hub) -> AppResult<Vec<Frame>> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    if hub.is_followed(run) {
        return Ok(append_told(conn, run, events).await?);
    }
    append(conn, run, events).await?;
    Ok(Vec::new())
}

fn order_for(executor: &ExecutorRow, run: &runs::RunRow, epoch: i32) -> Order {
    if executor.state().is_terminal() || run.epoch != executor.epoch || epoch != executor.epoch {
        return Order::Fenced;
    }
    match run.cancel_requested_at {
        Some(_) => Order::Cancel,
        None => Order::Continue,
    }
}

fn answer(executor: &ExecutorRow, order: Order) -> BatchAnswer {
    BatchAnswer {
        order,
        next_batch_no: executor.next_batch_no,
        offsets: executor.offsets(),
    }
}

async fn write(
    conn: &mut Conn,
    mut executor: ExecutorRow,
    run: &runs::RunRow,
    batch: Batch,
) -> AppResult<(ExecutorRow, Vec<NewEvent>)> {
    let mut offsets = executor.offsets();
    offsets.extend(batch.offsets);
    executor.offsets = json!(offsets);
    executor.next_batch_no += 1;
    let Changes {
        attempt,
        notes,
        progress,
        wakes_worker,
    } = news::changes(batch.news, executor.state());
    let attempt = BatchChanges {
        next_batch_no: Some(executor.next_batch_no),
        offsets: Some(executor.offsets.clone()),
        ..attempt
    };
    attempts::apply_batch(conn, executor.id, executor.epoch, &attempt).await?;
    let mut events = kept(run.log_lines, batch.lines, executor.epoch);
    let picks = picks_of(conn, run, &notes).await?;
    for note in notes {
        events.extend(write_note(conn, &executor, &picks, note).await?);
    }
    if let Some(progress) = progress {
        events.extend(write_progress(conn, run, progress).await?);
    }
    if wakes_worker {
        runs::notify_work(conn).await?;
    }
    Ok((executor, events))
}

async fn picks_of(conn: &mut Conn, run: &runs::RunRow, notes: &[Note]) -> AppResult<Vec<PickRow>> {
    if notes.is_empty() {
        return Ok(Vec::new());
    }
    Ok(run_benchmarks::of_run(conn, run.id).await?)
}

/// Writes one piece of news and says what is to be told of it.
async fn write_note(
    conn: &mut Conn,
    executor: &ExecutorRow,
    picks: &[PickRow],
    note: Note,
) -> AppResult<Option<NewEvent>> {
    let (run, attempt) = (executor.run_id, executor.id);
    Ok(match note {
        Note::Started { pid, at } => {
            queue::set_process(conn, run, i32::try_from(pid).ok()).await?;
            Some(attempt_event(executor.epoch, AttemptState::Starting, at))
        }
        Note::Begun { pick, at } => {
            let begun = run_benchmarks::begin(conn, run, pick.0, attempt, at).await?;
            let pick = picks.iter().find(|p| begun && p.id == pick.0);
            pick.map(|p| begun_event(p, at))
        }
        Note::Done { pick, done } => {
            run_benchmarks::report_done(conn, run, pick.0, attempt, &done).await?;
            None
        }
        Note::Media { pick } => {
            run_benchmarks::report_media(conn, run, pick.0, attempt).await?;
            None
        }
        Note::Notice { message, .. } => Some(notice(message, executor.epoch)),
        Note::Exited { .. } => None,
    })
}

async fn write_progress(
    conn: &mut Conn,
    run: &runs::RunRow,
    progress: Progress,
) -> AppResult<Option<NewEvent>> {
    let picks = run_benchmarks::of_run(conn, run.id).await?;
    let Some((changes, event)) = progress::of_run(progress, &picks, run) else {
        return Ok(None);
    };
    queue::set_live(conn, run.id, &changes).await?;
    Ok(Some(LiveEvent::Progress(event).into()))
}

fn attempt_event(epoch: i32, state: AttemptState, at: chrono::DateTime<Utc>) -> NewEvent {
    LiveEvent::Status(StatusEvent {
        at: Some(at),
        attempt: Some(epoch),
        attempt_state: Some(state),
        ..StatusEvent::default()
    })
    .into()
}

fn begun_event(pick: &PickRow, at: chrono::DateTime<Utc>) -> NewEvent {
    LiveEvent::Status(StatusEvent {
        at: Some(at),
        run_benchmark_id: Some(pick.id.into()),
        benchmark: Some(pick.name.clone()),
        benchmark_status: Some(BenchmarkStatus::Running),
        ..StatusEvent::default()
    })
    .into()
}
