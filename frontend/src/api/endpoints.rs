//! The endpoints that the pages use, by name.

use types::{
    ArtifactList, BackendList, BenchmarkId, BenchmarkList, CancelAnswer, CheckpointView, CoverageList,
    CreateCheckpoint, CreateModel, CreateRun, CreateSlice, CreatedRun, HomeView, ImportConfig, LaunchDraft,
    LeaderboardView, LogPage, LogStream, MAX_PAGE, MetricList, ModelDetail, ModelList, ModelView,
    PreviewSlice, PublicConfig, RequeueAnswer, RunBenchmarkId, RunDetail, RunId, RunList, RunPreview,
    RunStatus, SampleBuckets, SampleDetail, SamplePage, SaveView, SavedView, SavedViewList, SecretList,
    SliceId, SliceList, SliceMetricList, SlicePreview, SliceReport, SliceView, SystemStatus, Ticket,
    UpdateSlice,
};

use super::{
    client::Client,
    http::{Call, blob, send, value},
    query::Path,
};
use crate::components::panel::Fault;

type Answer<T> = Result<T, Fault>;

const ROOT: &str = "/api/v1";
/// Runs to choose one from.
const FINISHED: u32 = 100;

/// What may be known before anyone has signed in.
///
/// # Errors
/// The server cannot be reached.
pub async fn public_config() -> Answer<PublicConfig> {
    value(
        send(
            &Call::new(gloo_net::http::Method::GET, format!("{ROOT}/config")),
            None,
        )
        .await?,
    )
    .await
}

/// Which runs are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunQuery {
    /// Any of these; all when empty.
    pub statuses: Vec<RunStatus>,
    /// Text in name, model, benchmark or id.
    pub search: String,
    /// Of one model.
    pub model: String,
    /// Only the viewer's own.
    pub mine: bool,
    /// Only created at this time or later, as RFC 3339.
    pub since: String,
    /// Rows of this page.
    pub limit: u32,
    /// Rows before it.
    pub offset: u64,
}

impl RunQuery {
    fn path(&self) -> Path {
        let statuses: Vec<&str> = self.statuses.iter().map(|status| status.as_str()).collect();
        Path::new(format!("{ROOT}/runs"))
            .with("status", statuses.join(","))
            .with("search", &self.search)
            .with("model_id", &self.model)
            .maybe("mine", self.mine.then_some(true))
            .with("since", &self.since)
            .with("limit", self.limit)
            .maybe("offset", (self.offset > 0).then_some(self.offset))
    }
}

macro_rules! endpoints {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $kind:ty),*) -> $answer:ty = $method:ident $path:expr $(, $body:expr)?;)+) => {
        $(
            $(#[$doc])*
            ///
            /// # Errors
            /// Whatever keeps the answer from coming.
            pub async fn $name(client: &Client, $($argument: $kind),*) -> Answer<$answer> {
                client.$method($path $(, $body)?).await
            }
        )+
    };
}

endpoints! {
    /// A page of runs.
    runs(query: &RunQuery) -> RunList = get query.path();
    /// Everything about a run.
    run(id: RunId) -> RunDetail = get format!("{ROOT}/runs/{id}");
    /// What would run.
    preview(run: &CreateRun) -> RunPreview = post format!("{ROOT}/runs/preview"), run;
    /// Stops a run.
    cancel(id: RunId) -> CancelAnswer = post format!("{ROOT}/runs/{id}/cancel"), &serde_json::json!({});
    /// Queues again what is not completed.
    requeue(id: RunId) -> RequeueAnswer = post format!("{ROOT}/runs/{id}/requeue"), &serde_json::json!({});
    /// The committed scores of a run.
    metrics(id: RunId) -> MetricList = get format!("{ROOT}/runs/{id}/metrics");
    /// The files of a run.
    artifacts(id: RunId) -> ArtifactList = get format!("{ROOT}/runs/{id}/artifacts");
    /// A ticket for the live socket of a run.
    ticket(id: RunId) -> Ticket = post format!("{ROOT}/runs/{id}/ticket"), &serde_json::json!({});
    /// A page of a run's log.
    logs(id: RunId, query: &LogQuery) -> LogPage = get query.path(id);
    /// A page of a run's samples.
    samples(id: RunId, query: &SampleQuery) -> SamplePage = get query.path(id);
    /// All models.
    models() -> ModelList = get format!("{ROOT}/models");
    /// A model with its runs and scores.
    model(id: types::ModelId, slice: &str) -> ModelDetail = get Path::new(format!("{ROOT}/models/{id}")).with("slice_id", slice);
    /// What happened lately.
    home(days: u32) -> HomeView = get Path::new(format!("{ROOT}/home")).with("days", days);
    /// Begins an import.
    create_import(import: &types::CreateImport) -> types::ImportView = post format!("{ROOT}/imports"), import;
    /// Imports, newest first.
    imports(limit: u32, offset: u64) -> types::ImportList
        = get Path::new(format!("{ROOT}/imports")).with("limit", limit).maybe("offset", (offset > 0).then_some(offset));
    /// An import.
    import(id: uuid::Uuid) -> types::ImportDetail = get format!("{ROOT}/imports/{id}");
    /// What became of the files of an import.
    import_files(id: uuid::Uuid, limit: u32, offset: u64) -> types::ImportFileList
        = get Path::new(format!("{ROOT}/imports/{id}/files")).with("limit", limit).maybe("offset", (offset > 0).then_some(offset));
    /// Sends a file of an import.
    put_import_file(id: uuid::Uuid, path: &str, file: web_sys::File) -> types::UploadedFile
        = put_file Path::new(format!("{ROOT}/imports/{id}/files")).with("path", path), file;
    /// Looks at the files of an import.
    check_import(id: uuid::Uuid, how: &types::StartImport) -> types::ImportView
        = post format!("{ROOT}/imports/{id}/check"), how;
    /// Imports the files.
    start_import(id: uuid::Uuid, how: &types::StartImport) -> types::ImportView
        = post format!("{ROOT}/imports/{id}/start"), how;
    /// Stops an import.
    cancel_import(id: uuid::Uuid) -> types::ImportView
        = post format!("{ROOT}/imports/{id}/cancel"), &serde_json::json!({});
    /// Adds a model.
    create_model(model: &CreateModel) -> ModelView = post format!("{ROOT}/models"), model;
    /// Adds a checkpoint to a model.
    create_checkpoint(model: types::ModelId, checkpoint: &CreateCheckpoint) -> CheckpointView
        = post format!("{ROOT}/models/{model}/checkpoints"), checkpoint;
    /// All backends of the installed lmms-eval.
    backends() -> BackendList = get format!("{ROOT}/backends");
    /// A page of the catalogue.
    benchmark_page(limit: u32, offset: u64) -> BenchmarkList = get Path::new(format!("{ROOT}/benchmarks"))
        .with("limit", limit).maybe("offset", (offset > 0).then_some(offset));
    /// The first benchmarks whose name holds a text.
    find_benchmarks(search: &str, limit: u32) -> BenchmarkList = get Path::new(format!("{ROOT}/benchmarks"))
        .with("search", search).with("limit", limit);
    /// The names of the organization's secrets.
    secrets() -> SecretList = get format!("{ROOT}/secrets");
    /// The caller's kept views.
    views() -> SavedViewList = get format!("{ROOT}/views");
    /// Keeps a view, over an older one of the same name.
    save_view(view: &SaveView) -> SavedView = post format!("{ROOT}/views"), view;
    /// Forgets a view.
    delete_view(id: uuid::Uuid) -> () = delete format!("{ROOT}/views/{id}");
    /// Reads a file of lmms-eval's `--config` into a launch form.
    draft(file: &ImportConfig) -> LaunchDraft = post format!("{ROOT}/drafts"), file;
    /// Gives a run another name.
    rename(id: RunId, name: &str) -> serde_json::Value = patch format!("{ROOT}/runs/{id}"), &serde_json::json!({ "name": name });
    /// What the samples of a run fall into.
    sample_buckets(id: RunId, query: &SampleQuery) -> SampleBuckets = get query.path_of(id, "/buckets");
    /// One sample.
    sample(id: types::SampleId) -> SampleDetail = get format!("{ROOT}/samples/{id}");
    /// Where each model stands.
    leaderboard(query: &BoardQuery) -> LeaderboardView = get query.path();
    /// What has been measured.
    coverage() -> CoverageList = get format!("{ROOT}/coverage");
    /// All slices.
    slices() -> SliceList = get format!("{ROOT}/slices");
    /// Makes a slice.
    create_slice(slice: &CreateSlice) -> SliceView = post format!("{ROOT}/slices"), slice;
    /// Changes a slice.
    update_slice(id: SliceId, change: &UpdateSlice) -> SliceView = patch format!("{ROOT}/slices/{id}"), change;
    /// Removes a slice.
    delete_slice(id: SliceId) -> () = delete format!("{ROOT}/slices/{id}");
    /// What a rule would find.
    preview_slice(rule: &PreviewSlice) -> SlicePreview = post format!("{ROOT}/slices/preview"), rule;
    /// What runs score on a slice, in one task.
    slice_metrics(id: SliceId, benchmark: BenchmarkId) -> SliceMetricList = get Path::new(format!("{ROOT}/slices/{id}/metrics"))
        .with("benchmark_id", benchmark);
    /// The slices of one task of a run against each other.
    run_slices(run: RunId, benchmark: &str, filter: &str) -> SliceReport = get Path::new(format!("{ROOT}/runs/{run}/slices"))
        .with("benchmark_id", benchmark).with("filter", filter);
    /// Machines, GPUs, queue.
    system() -> SystemStatus = get format!("{ROOT}/system");
}

/// Creates a run; the key makes a second click harmless.
///
/// # Errors
/// Whatever keeps the run from being created; a problem names the fields.
pub async fn create_run(client: &Client, run: &CreateRun, key: &str) -> Answer<CreatedRun> {
    client.post_once(format!("{ROOT}/runs/create"), run, key).await
}

/// The newest runs that have ended by themselves: those whose samples can be looked at.
///
/// # Errors
/// Whatever keeps the answer from coming.
pub async fn finished_runs(client: &Client) -> Answer<RunList> {
    let query = RunQuery {
        statuses: vec![RunStatus::Completed, RunStatus::Failed],
        limit: FINISHED,
        ..RunQuery::default()
    };
    runs(client, &query).await
}

/// The whole catalogue, page by page.
///
/// # Errors
/// Whatever keeps a page from coming.
pub async fn benchmarks(client: &Client) -> Answer<BenchmarkList> {
    let mut list = benchmark_page(client, MAX_PAGE, 0).await?;
    while (list.benchmarks.len() as u64) < list.total {
        let next = benchmark_page(client, MAX_PAGE, list.benchmarks.len() as u64).await?;
        if next.benchmarks.is_empty() {
            break;
        }
        list.benchmarks.extend(next.benchmarks);
    }
    Ok(list)
}

/// An output of an attempt, byte for byte; of the last attempt when none is named.
///
/// # Errors
/// Whatever keeps the bytes from coming.
pub async fn raw_log(
    client: &Client,
    id: RunId,
    stream: LogStream,
    attempt: Option<i32>,
) -> Answer<web_sys::Blob> {
    let path = Path::new(format!("{ROOT}/runs/{id}/logs"))
        .with("raw", stream)
        .maybe("attempt", attempt);
    blob(client.send(Call::new(gloo_net::http::Method::GET, path)).await?).await
}

/// What is compared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BoardQuery {
    /// Benchmarks or groups, by id, separated by commas.
    pub benchmarks: String,
    /// `best`, `all` or `specific`.
    pub mode: String,
    /// The checkpoint of `specific`.
    pub checkpoint: String,
    /// Only samples of this slice.
    pub slice: String,
    /// Scores under other conditions count as well.
    pub lenient: bool,
    /// Every metric.
    pub all_metrics: bool,
}

impl BoardQuery {
    fn path(&self) -> Path {
        Path::new(format!("{ROOT}/leaderboard"))
            .with("benchmarks", &self.benchmarks)
            .with("checkpoint_mode", &self.mode)
            .with("checkpoint", &self.checkpoint)
            .with("slice_id", &self.slice)
            .maybe("lenient", self.lenient.then_some(true))
            .maybe("metrics", self.all_metrics.then_some("all"))
    }
}

/// Which lines of a log are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogQuery {
    /// This level and louder; all when empty.
    pub level: String,
    /// Text in the line.
    pub search: String,
    /// The lines after this one.
    pub cursor: String,
    /// The lines before this one.
    pub before: String,
    /// The last lines.
    pub tail: bool,
    /// Lines of this page.
    pub limit: u32,
}

impl LogQuery {
    fn path(&self, id: RunId) -> Path {
        Path::new(format!("{ROOT}/runs/{id}/logs"))
            .with("level", &self.level)
            .with("search", &self.search)
            .with("cursor", &self.cursor)
            .with("before", &self.before)
            .maybe("tail", self.tail.then_some(true))
            .maybe("limit", (self.limit > 0).then_some(self.limit))
    }
}

/// Which samples are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SampleQuery {
    /// Of one leaf task.
    pub benchmark: Option<BenchmarkId>,
    /// Of one picked row.
    pub run_benchmark: Option<RunBenchmarkId>,
    /// That went so: `wrong`, `right`, `unscored`.
    pub mark: String,
    /// With this flag.
    pub flag: String,
    /// Of this category of their documents.
    pub category: String,
    /// Of this slice.
    pub slice: String,
    /// Text in input, target or answer.
    pub search: String,
    /// The samples after this one.
    pub cursor: String,
    /// The order.
    pub sort_by: String,
    /// Samples of this page.
    pub limit: u32,
}

impl SampleQuery {
    fn path(&self, id: RunId) -> Path {
        self.path_of(id, "")
    }

    fn path_of(&self, id: RunId, part: &str) -> Path {
        Path::new(format!("{ROOT}/runs/{id}/samples{part}"))
            .maybe("benchmark_id", self.benchmark)
            .maybe("run_benchmark_id", self.run_benchmark)
            .with("mark", &self.mark)
            .with("flag", &self.flag)
            .with("category", &self.category)
            .with("slice_id", &self.slice)
            .with("search", &self.search)
            .with("cursor", &self.cursor)
            .with("sort_by", &self.sort_by)
            .maybe("limit", (self.limit > 0).then_some(self.limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_of_runs_names_what_is_set() {
        let all = RunQuery {
            limit: 100,
            ..RunQuery::default()
        };
        assert_eq!(String::from(all.path()), "/api/v1/runs?limit=100");
        let some = RunQuery {
            statuses: vec![RunStatus::Failed, RunStatus::Running],
            search: "kestrel".into(),
            mine: true,
            since: "2026-11-20T00:00:00Z".into(),
            offset: 100,
            ..all
        };
        let expected = "/api/v1/runs?status=failed%2Crunning&search=kestrel&mine=true&since=2026-11-20T00%3A00%3A00Z&limit=100&offset=100";
        assert_eq!(String::from(some.path()), expected);
    }
}
