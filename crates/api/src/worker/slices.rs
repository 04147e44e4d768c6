//! Looking at samples with the rules of new and changed slices, a batch at a time.
//!
//! The rule it keeps: whatever is known is in the slice's row. Each step is one transaction that moves the row's
//! cursor together with the memberships and scores, so that a worker which dies is taken over where it was.

use crate::db::slices::assign::{self, Job};
use crate::db::slices::rule_of;
use crate::db::{self, Conn, Db};
use crate::ingest::rescore;

/// What one step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// There is nothing to do now.
    Idle,
    /// Something was done; there may be more.
    Moved,
}

/// Does what can be done, step by step.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn refresh(db: &Db) -> Result<(), db::Error> {
    while db.service(async |conn: &mut Conn| step(conn).await).await? == Step::Moved {}
    db.service(async |conn: &mut Conn| -> Result<_, db::Error> { Ok(assign::recount(conn).await?) })
        .await?;
    Ok(())
}

/// One step of one slice.
async fn step(conn: &mut Conn) -> Result<Step, db::Error> {
    let Some(job) = assign::take(conn).await? else {
        return Ok(Step::Idle);
    };
    match job.state.as_str() {
        _ if job.fence.is_none() => assign::set_fence(conn, job.id).await?,
        "deleting" => drop(assign::remove_some(conn, job.id).await?),
        "pending" => assign::begin(conn, job.id).await?,
        _ => look(conn, &job).await?,
    }
    Ok(Step::Moved)
}

/// Looks at the next samples.
async fn look(conn: &mut Conn, job: &Job) -> Result<(), db::Error> {
    let rule = match rule_of(&job.slice_type, job.slice_value.as_deref(), job.rule.as_deref()) {
        Ok(rule) => rule,
        Err(why) => return Ok(assign::fail(conn, job.id, &why).await?),
    };
    let picks = assign::next_picks(conn, job).await?;
    if picks.is_empty() {
        return Ok(assign::finish(conn, job.id).await?);
    }
    assign::look_at(conn, job, &rule, &picks).await?;
    Ok(rescore(conn, &picks, &[job.id]).await?)
}
