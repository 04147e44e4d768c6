//! The runs of the filter as a table, all of them, whatever is in sight.

use serde_json::json;
use types::{MAX_PAGE, RunSummary};

use super::filter::Sorting;
use crate::{
    api::{
        client::Client,
        endpoints::{self, RunQuery},
    },
    components::time::now_ms,
    format::Sheet,
    shell::export::{Gathered, MOST_ROWS},
};

/// Asks for the runs page by page, in the order of the table.
pub async fn gather(client: Client, query: RunQuery, sorting: Sorting) -> Gathered {
    let mut runs: Vec<RunSummary> = Vec::new();
    loop {
        let page = RunQuery {
            limit: MAX_PAGE,
            offset: runs.len() as u64,
            ..query.clone()
        };
        let list = endpoints::runs(&client, &page).await?;
        let (last, total) = (list.runs.len() < MAX_PAGE as usize, list.total);
        runs.extend(list.runs);
        if last || runs.len() >= MOST_ROWS {
            // A run that was created meanwhile has moved another onto the next page.
            let mut seen = std::collections::HashSet::new();
            runs.retain(|run| seen.insert(run.id));
            if !sorting.is_default() {
                sorting.apply(&mut runs, now_ms());
            }
            let all = total.max(runs.len() as u64);
            return Ok((sheet(&runs), if last { runs.len() as u64 } else { all }));
        }
    }
}

fn sheet(runs: &[RunSummary]) -> Sheet {
    let mut sheet = Sheet::new([
        "run_id",
        "name",
        "model",
        "model_id",
        "checkpoint",
        "status",
        "outcome",
        "degraded",
        "error_message",
        "benchmarks",
        "completed_tasks",
        "total_tasks",
        "progress_percent",
        "created_at",
        "started_at",
        "completed_at",
        "created_by",
    ]);
    for run in runs {
        sheet.rows.push(vec![
            json!(run.id),
            json!(run.name),
            json!(run.model_name),
            json!(run.model_id),
            json!(run.checkpoint_variant),
            json!(run.status),
            json!(run.outcome),
            json!(run.degraded),
            json!(run.error_message),
            json!(run.benchmark_names.join(", ")),
            json!(run.completed_tasks),
            json!(run.total_tasks),
            json!(run.progress_percent),
            json!(run.created_at),
            json!(run.started_at),
            json!(run.completed_at),
            json!(run.created_by_name),
        ]);
    }
    sheet
}
