//! The reporter: follows the files of an attempt and tells the API.
//!
//! Nothing depends on it but what others see. It reads what the keeper and the processes write,
//! remembers how far it came in `reporter.json`, and may be killed and started again at any
//! point. It never touches a process: an order to cancel becomes a file that the keeper finds.

mod bell;
mod client;
mod compose;
mod cursor;
mod lines;
mod media;
mod tail;
mod upload;

use crate::{dir::AttemptDir, engine::CancelReason, exec::chain, gpu, job::Job, keeper::events, media::Kept};
pub use lines::Unreported;
pub use upload::part;

use bell::Bell;
use client::{Client, Refusal};
use compose::Composer;
use cursor::{Cursor, Pending};
use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{self, Write},
    os::{
        fd::AsRawFd,
        unix::{fs::OpenOptionsExt, process::parent_id},
    },
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    process,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};
use tokio::{sync::Notify, task::JoinHandle};
use types::{GpuSample, Order};
use upload::{LogsUp, Sent};

/// How often the files are looked at when nothing says that they have changed, because nothing can.
const ROUND: Duration = Duration::from_millis(200);
/// How often when something would say so: for what no file tells.
const QUIET_ROUND: Duration = Duration::from_millis(500);
/// A sign of life when there is no news.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// How long bytes of a log wait for more to go up with. Their lines are told at once; each part is an object to store,
/// and a run may take days.
const UPLOAD: Duration = Duration::from_secs(5);
/// A batch that is taken within this time shows a server with little to do.
const QUICK: Duration = Duration::from_millis(10);
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
/// How long a reporter without its keeper goes on.
const ORPHANED: Duration = Duration::from_secs(20);
const GPU_INTERVAL: Duration = Duration::from_secs(1);

/// Reports until everything is told, in a process of its own. Ends with 0 when there is nothing
/// left to do; the keeper starts it again after every other end.
pub(crate) fn main(
    dir: &AttemptDir,
    job: &Job,
    secrets: &BTreeMap<String, String>,
    pipe: File,
    keeper: u32,
) -> ! {
    let code = catch_unwind(AssertUnwindSafe(|| {
        match report(dir, job, secrets, pipe, keeper) {
            Ok(()) => 0,
            Err(error) => {
                note!("reporter: {}", chain(&error));
                1
            }
        }
    }));
    process::exit(code.unwrap_or(101))
}

fn report(
    dir: &AttemptDir,
    job: &Job,
    secrets: &BTreeMap<String, String>,
    pipe: File,
    keeper: u32,
) -> io::Result<()> {
    write_to_own_log(dir)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let client = Client::new(dir, job)?;
        let secrets = hand_over_secrets(&client, job, secrets, pipe, keeper).await?;
        let mut reporter = Reporter::new(dir, job, client, secrets, keeper)?;
        reporter.run().await
    })
}

fn write_to_own_log(dir: &AttemptDir) -> io::Result<()> {
    let mut log = OpenOptions::new();
    let log = log
        .create(true)
        .append(true)
        .mode(0o600)
        .open(dir.path("reporter.log"))?;
    for stream in [libc::STDOUT_FILENO, libc::STDERR_FILENO] {
        // SAFETY: both descriptors are open, and nothing here holds on to the old ones.
        unsafe { libc::dup2(log.as_raw_fd(), stream) };
    }
    Ok(())
}

/// Fetches the secrets for the keeper, unless an earlier reporter has.
async fn hand_over_secrets(
    client: &Client,
    job: &Job,
    known: &BTreeMap<String, String>,
    mut pipe: File,
    keeper: u32,
) -> io::Result<BTreeMap<String, String>> {
    if job.secret_env.is_empty() || !known.is_empty() {
        return Ok(known.clone());
    }
    let mut pause = PAUSE;
    while parent_id() == keeper {
        match client.secrets().await {
            Ok(mut secrets) => {
                secrets
                    .environment
                    .retain(|name, _| job.secret_env.contains(name));
                pipe.write_all(&serde_json::to_vec(&secrets)?)?;
                return Ok(secrets.environment);
            }
            Err(refusal) => note!("reporter: the secrets cannot be fetched: {}", chain(&refusal)),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    Err(io::Error::other("the keeper is gone"))
}

struct Reporter<'a> {
    dir: &'a AttemptDir,
    job: &'a Job,
    client: Client,
    secrets: BTreeMap<String, String>,
    cursor: Cursor,
    composer: Composer,
    gpus: Arc<Mutex<Vec<GpuSample>>>,
    upload: Option<(Upload, JoinHandle<Vec<String>>)>,
    logs: Logs,
    /// Rings when something that went up beside everything else is up.
    up: Arc<Notify>,
    keeper: u32,
    last_post: Instant,
    /// Whether the batch on its way was full, so that more waits.
    is_full: bool,
    bell: Bell,
    /// Whether the bell would tell of whatever comes after the last look.
    is_armed: bool,
    /// Rings when a server has written its address.
    back: Bell,
    /// Whether a server that is back waits for a sign of life.
    is_asked: bool,
    pause: Duration,
    complaint: String,
}

/// The parts of the logs on their way.
struct Logs {
    /// What is on its way, and whether nothing was written any more when it was read.
    task: Option<(bool, JoinHandle<LogsUp>)>,
    last: Instant,
    /// Whether more of a log waits than one upload takes.
    behind: bool,
    /// Whether all is up, and nothing more will come.
    complete: bool,
}

/// What is on its way of a benchmark.
#[derive(Clone, Copy)]
enum Upload {
    Files(u32),
    Media(u32),
}

/// What a round came to.
#[derive(PartialEq, Eq)]
enum Round {
    /// There is more to do at once.
    Busy,
    /// Wait for news.
    Idle,
    /// A batch was taken, after this time: let lines gather for a while.
    Told(Duration),
    /// Wait for the API.
    Away,
    /// Nothing is left to tell, or nobody wants to hear it.
    Over,
}

impl<'a> Reporter<'a> {
    fn new(
        dir: &'a AttemptDir,
        job: &'a Job,
        client: Client,
        secrets: BTreeMap<String, String>,
        keeper: u32,
    ) -> io::Result<Self> {
        let cursor = Cursor::load(dir);
        let state = cursor
            .pending
            .as_ref()
            .map_or(&cursor.state, |pending| &pending.after);
        Ok(Self {
            composer: Composer::from(job, state),
            gpus: watch_gpus(&job.gpus)?,
            dir,
            job,
            client,
            secrets,
            cursor,
            upload: None,
            logs: Logs {
                task: None,
                last: Instant::now(),
                behind: false,
                complete: false,
            },
            up: Arc::default(),
            keeper,
            last_post: Instant::now(),
            is_full: false,
            bell: Bell::new(),
            is_armed: false,
            back: Bell::new(),
            is_asked: false,
            pause: PAUSE,
            complaint: String::new(),
        })
    }

    async fn run(&mut self) -> io::Result<()> {
        self.listen_for_the_api();
        let mut orphaned = None;
        loop {
            let over = self.dir.exit()?;
            if over.is_none() && parent_id() != self.keeper {
                let since: &mut Instant = orphaned.get_or_insert_with(Instant::now);
                if since.elapsed() > ORPHANED {
                    return Ok(());
                }
            }
            let round = match self.round(over.is_some()).await {
                Err(error) => return Err(error),
                Ok(Round::Idle) if orphaned.is_some() => Round::Over,
                Ok(round) => round,
            };
            match round {
                Round::Over => return Ok(()),
                Round::Busy => tokio::task::yield_now().await,
                Round::Told(took) => tokio::time::sleep(rest(took)).await,
                Round::Idle => self.wait_for_news().await,
                Round::Away => self.wait_for_the_api().await,
            }
        }
    }

    /// The first time only arms the bell: what came between the look and now is found by the next look.
    async fn wait_for_news(&mut self) {
        if !self.is_armed {
            self.is_armed = true;
            let current = self
                .cursor
                .state
                .current
                .map(|current| self.dir.out(current.order));
            for log in ["stdout.log", "stderr.log", events::FILE] {
                self.bell.arm_file(&self.dir.path(log));
            }
            current.iter().for_each(|out| self.bell.arm_folder(out));
            return self.bell.arm_folder(self.dir.root());
        }
        let round = if self.bell.is_deaf() { ROUND } else { QUIET_ROUND };
        tokio::select! {
            () = self.bell.rung() => self.is_armed = false,
            () = self.up.notified() => {}
            () = self.back.rung() => {
                self.is_asked = true;
                self.listen_for_the_api();
            }
            () = tokio::time::sleep(round) => {}
        }
    }

    /// A server that comes back writes its address, which ends the wait.
    async fn wait_for_the_api(&mut self) {
        tokio::select! {
            () = self.back.rung() => {
                self.pause = PAUSE;
                self.listen_for_the_api();
            }
            () = tokio::time::sleep(self.pause) => self.pause = (self.pause * 2).min(LONGEST_PAUSE),
        }
    }

    fn listen_for_the_api(&self) {
        let file = self.job.endpoint_file.as_deref().map(Path::new);
        let folder = file.and_then(Path::parent);
        folder.into_iter().for_each(|folder| self.back.arm_folder(folder));
    }

    async fn round(&mut self, over: bool) -> io::Result<Round> {
        if self.cursor.pending.is_some() {
            return self.post().await;
        }
        if self.cursor.state.exited {
            return Ok(Round::Over);
        }
        let uploading = self.upload_benchmarks().await?;
        let logs = self.upload_logs(over).await?;
        let (pending, more) = self.composer.next(
            self.dir,
            self.job,
            &mut self.cursor,
            &self.secrets,
            &self.gpus.lock().map(|gpus| gpus.clone()).unwrap_or_default(),
        )?;
        self.is_full = more;
        let is_news = !pending.batch.news.is_empty() || !pending.batch.lines.is_empty();
        if is_news || self.is_asked || self.last_post.elapsed() >= HEARTBEAT {
            self.is_asked = false;
            self.stage(pending)?;
            return Ok(Round::Busy);
        }
        match logs {
            Err(refusal) => Ok(self.away(&refusal)),
            Ok(Sent::Whole) => Ok(Round::Busy),
            Ok(Sent::Rest) if over => Ok(Round::Busy),
            Ok(Sent::Nothing) if over && !uploading && !more => self.stage_last(),
            Ok(_) => Ok(Round::Idle),
        }
    }

    /// Writes a batch down before it is posted.
    fn stage(&mut self, pending: Pending) -> io::Result<()> {
        self.cursor.pending = Some(pending);
        self.cursor.save(self.dir)
    }

    fn stage_last(&mut self) -> io::Result<Round> {
        if let Some(exit) = self.dir.exit()? {
            let last = self.composer.last(self.job, &self.cursor, exit, &self.secrets);
            self.stage(last)?;
        }
        Ok(Round::Busy)
    }

    async fn post(&mut self) -> io::Result<Round> {
        let Some(pending) = &self.cursor.pending else {
            return Ok(Round::Busy);
        };
        let begin = Instant::now();
        let answer = match self.client.post(&pending.batch).await {
            Ok(answer) => answer,
            Err(refusal) => return Ok(self.refused(&refusal)),
        };
        self.pause = PAUSE;
        self.last_post = Instant::now();
        self.complaint.clear();
        match answer.order {
            Order::Continue => {}
            Order::Cancel => self.order_stop(CancelReason::User)?,
            Order::Fenced => {
                self.order_stop(CancelReason::Fenced)?;
                return Ok(Round::Over);
            }
        }
        if self.cursor.is_answered(&answer) {
            self.cursor.accepted();
        } else if self.cursor.resync(answer.next_batch_no, &answer.offsets) {
            self.composer = Composer::from(self.job, &self.cursor.state);
        }
        self.cursor.save(self.dir)?;
        Ok(if self.is_full {
            Round::Busy
        } else {
            Round::Told(begin.elapsed())
        })
    }

    /// A batch that will never be taken loses its lines, so that the news gets through.
    fn refused(&mut self, refusal: &Refusal) -> Round {
        if let (Refusal::Never(_), Some(pending)) = (refusal, &mut self.cursor.pending) {
            pending.batch.lines.clear();
        }
        self.away(refusal)
    }

    /// Says once, not on every try, what is wrong.
    fn away(&mut self, refusal: &Refusal) -> Round {
        let complaint = chain(refusal);
        if complaint != self.complaint {
            note!("reporter: {complaint}");
            self.complaint = complaint;
        }
        Round::Away
    }

    fn order_stop(&self, reason: CancelReason) -> io::Result<()> {
        if self.dir.path("cancel").exists() {
            return Ok(());
        }
        self.dir.write_atomic("cancel", reason.as_str().as_bytes())
    }

    /// Few bytes wait for more to go up with, many do not. They go beside everything else, since a line that is
    /// being told must not wait for a store.
    async fn upload_logs(&mut self, over: bool) -> io::Result<Result<Sent, Refusal>> {
        let done = self.logs.task.take_if(|(_, task)| task.is_finished());
        if let Some((was_over, task)) = done {
            let LogsUp { uploaded, sent } = task.await.map_err(io::Error::other)?;
            self.cursor.uploaded = uploaded;
            self.logs.last = Instant::now();
            self.logs.behind = matches!(sent, Ok(Sent::Whole));
            // What was written after it was read is not up.
            self.logs.complete = was_over && matches!(sent, Ok(Sent::Nothing));
            return Ok(sent.map(|sent| if was_over { sent } else { sent.max(Sent::Rest) }));
        }
        if self.logs.complete {
            return Ok(Ok(Sent::Nothing));
        }
        if self.logs.task.is_none() && (over || self.logs.behind || self.logs.last.elapsed() >= UPLOAD) {
            let (client, dir) = (self.client.clone(), self.dir.clone());
            let task = upload::logs(
                client,
                dir,
                self.cursor.uploaded.clone(),
                self.secrets.clone(),
                over,
            );
            self.logs.task = Some((over, self.beside(task)));
        }
        Ok(Ok(Sent::Waiting))
    }

    /// Lets something go on while lines are told, and rings when it is done.
    fn beside<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        let up = Arc::clone(&self.up);
        tokio::spawn(async move {
            let done = work.await;
            up.notify_one();
            done
        })
    }

    /// One benchmark at a time goes up beside everything else. True while some have to.
    async fn upload_benchmarks(&mut self) -> io::Result<bool> {
        if let Some((upload, task)) = self.upload.take_if(|(_, task)| task.is_finished()) {
            let left_out = task.await.map_err(io::Error::other)?;
            self.cursor.notices.extend(left_out);
            match upload {
                Upload::Files(order) => self.cursor.uploaded_benchmarks.insert(order),
                Upload::Media(order) => self.cursor.uploaded_media.insert(order),
            };
            self.cursor.save(self.dir)?;
        }
        if self.upload.is_none() {
            self.upload = self.next_upload()?;
        }
        Ok(self.upload.is_some() || self.cursor.has_untold())
    }

    /// Scores go before media.
    fn next_upload(&self) -> io::Result<Option<(Upload, JoinHandle<Vec<String>>)>> {
        let orders = || self.job.benchmarks().map(|benchmark| benchmark.order);
        for order in orders().filter(|order| !self.cursor.uploaded_benchmarks.contains(order)) {
            if let Some(done) = self.dir.done(order)? {
                let task = upload::benchmark(self.client.clone(), self.dir.clone(), done);
                return Ok(Some((Upload::Files(order), self.beside(task))));
            }
        }
        for order in orders().filter(|order| !self.cursor.uploaded_media.contains(order)) {
            let told = self.cursor.state.finished.contains(&order);
            if told && Kept::is_whole(self.dir, order) {
                let task = media::benchmark(self.client.clone(), self.dir.clone(), order);
                return Ok(Some((Upload::Media(order), self.beside(task))));
            }
        }
        Ok(None)
    }
}

/// How long lines gather after a batch that took so long to be taken. A server with much to do is asked less often, by
/// each reporter, of its own accord; one that answers quickly is not waited for.
fn rest(took: Duration) -> Duration {
    (took.saturating_sub(QUICK) / 2).min(ROUND)
}

/// Reads the attempt's GPUs in a thread of its own, because NVML blocks.
fn watch_gpus(uuids: &[String]) -> io::Result<Arc<Mutex<Vec<GpuSample>>>> {
    let latest = Arc::new(Mutex::new(Vec::new()));
    if uuids.is_empty() {
        return Ok(latest);
    }
    let (uuids, shared) = (uuids.to_vec(), Arc::clone(&latest));
    thread::Builder::new().name("gpus".to_owned()).spawn(move || {
        let reader = gpu::Reader::default();
        loop {
            let samples = reader.samples(&uuids);
            if let Ok(mut latest) = shared.lock() {
                *latest = samples;
            }
            thread::sleep(GPU_INTERVAL);
        }
    })?;
    Ok(latest)
}
