//! Making a batch of what the files say.

use super::{
    cursor::{Current, Cursor, Pending, State},
    lines::log_line,
    tail::Tail,
};
use crate::{
    dir::AttemptDir,
    exec::claim::PidRecord,
    gpu,
    job::Job,
    keeper::{events::Events, run::time},
};
use chrono::Utc;
use lmms::{
    driver_event::{BenchmarkStarted, DriverEventKind, Environment},
    log::{Item, Phase, Progress, Stream},
};
use std::{
    collections::BTreeMap,
    io,
    time::{Duration, Instant},
};
use types::{AttemptExit, Batch, GpuSample, LogLineEvent, News};

/// About how many bytes of JSON a batch may have before it is closed; one more chunk of a log
/// still stays below the limit of the API.
const ENOUGH: usize = 400 * 1024;
/// What a line costs beside its text.
const LINE: usize = 200;
/// Progress is told at most this often.
const PROGRESS: Duration = Duration::from_millis(500);
/// The bar over the documents of a benchmark.
const DOCUMENTS: &str = "Model Responding";
/// The phases that no log shows, because nothing is said in them.
const IMPORTING: &str = Phase::Importing.as_str();
const INDEXING: &str = Phase::Indexing.as_str();

/// Follows the files and makes batches of them.
pub(super) struct Composer {
    stdout: Tail,
    stderr: Tail,
    events: Events,
    ranks: u64,
    bar: Option<Progress>,
    phase: Option<&'static str>,
    told: Option<(Instant, Told)>,
}

/// The last progress that was told, to tell it only when it changes.
type Told = (u32, Option<u64>, Option<&'static str>);

impl Composer {
    /// Goes on where a state ends.
    pub(super) fn from(job: &Job, state: &State) -> Self {
        let offset = |name: &str| state.offsets.get(name).copied().unwrap_or(0);
        Self {
            stdout: Tail::from(Stream::Stdout, offset("stdout")),
            stderr: Tail::from(Stream::Stderr, offset("stderr")),
            events: Events::from(offset("events")),
            ranks: ranks(job),
            bar: None,
            phase: None,
            told: None,
        }
    }

    /// The next batch, even when it holds no news. True when there is more to read at once.
    pub(super) fn next(
        &mut self,
        dir: &AttemptDir,
        job: &Job,
        cursor: &mut Cursor,
        secrets: &BTreeMap<String, String>,
        gpus: &[GpuSample],
    ) -> io::Result<(Pending, bool)> {
        let mut after = cursor.state.clone();
        let mut batch = Batch {
            batch_no: cursor.next_batch_no,
            epoch: job.epoch,
            ..Batch::default()
        };
        if !after.started
            && let Some(record) = dir.read_json::<PidRecord>("pid.json")?
        {
            after.started = true;
            batch.news.push(started(record));
        }
        for message in cursor.notices.drain(..) {
            batch.news.push(notice(message));
        }
        self.take_events(dir, job, &mut after, &mut batch)?;
        let done = next_done(dir, job, cursor, &mut after)?;
        // The verdict of a benchmark with many files leaves no room for lines.
        let room = if done.is_some() { 0 } else { ENOUGH };
        let more = self.take_lines(dir, job, &after, &mut batch, secrets, room)?;
        batch.news.extend(self.progress(job, &after, gpus));
        batch.news.extend(done);
        batch.news.extend(next_media(job, cursor, &mut after));
        self.note_offsets(&mut after, &mut batch);
        Ok((Pending { batch, after }, more))
    }

    /// The last batch.
    pub(super) fn last(
        &mut self,
        job: &Job,
        cursor: &Cursor,
        exit: AttemptExit,
        secrets: &BTreeMap<String, String>,
    ) -> Pending {
        let mut after = cursor.state.clone();
        let mut batch = Batch {
            batch_no: cursor.next_batch_no,
            epoch: job.epoch,
            ..Batch::default()
        };
        for stream in [Stream::Stdout, Stream::Stderr] {
            for item in self.tail(stream).finish() {
                self.take_item(job, &after, stream, item, &mut batch.lines, secrets);
            }
        }
        batch.news.push(News::Exited { exit });
        after.exited = true;
        self.note_offsets(&mut after, &mut batch);
        Pending { batch, after }
    }

    fn tail(&mut self, stream: Stream) -> &mut Tail {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }

    fn note_offsets(&self, after: &mut State, batch: &mut Batch) {
        let offsets = [
            ("stdout", self.stdout.offset()),
            ("stderr", self.stderr.offset()),
            ("events", self.events.offset()),
        ];
        after.offsets = offsets.map(|(name, offset)| (name.to_owned(), offset)).into();
        batch.offsets = after.offsets.clone();
    }

    fn take_events(
        &mut self,
        dir: &AttemptDir,
        job: &Job,
        after: &mut State,
        batch: &mut Batch,
    ) -> io::Result<()> {
        for event in self.events.read(dir)? {
            match event.kind {
                DriverEventKind::Environment(record) => {
                    after.imported = false;
                    self.phase = Some(IMPORTING);
                    batch.news.push(environment(&record));
                }
                DriverEventKind::Imported { .. } => after.imported = true,
                DriverEventKind::BenchmarkStarted(said) => {
                    batch.news.extend(self.benchmark_started(job, after, &said));
                }
                DriverEventKind::Unknown(fields) if fields.get("event").is_some_and(|e| e == "notice") => {
                    let text = fields.get("message").and_then(|m| m.as_str());
                    batch.news.extend(text.map(|text| notice(text.to_owned())));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn benchmark_started(&mut self, job: &Job, after: &mut State, said: &BenchmarkStarted) -> Option<News> {
        let benchmark = job.benchmark(said.order)?;
        let at = |name: &str| said.more.get(name).and_then(serde_json::Value::as_u64);
        after.current = Some(Current {
            order: said.order,
            stdout: at("stdout_offset").unwrap_or_else(|| self.stdout.offset()),
            stderr: at("stderr_offset").unwrap_or_else(|| self.stderr.offset()),
        });
        self.bar = None;
        // A process of its own says nothing before it has imported everything.
        self.phase = Some(if after.imported { INDEXING } else { IMPORTING });
        Some(News::BenchmarkStarted {
            run_benchmark_id: benchmark.run_benchmark_id,
            at: time(&said.more),
        })
    }

    /// Reads both logs in turn until the batch is full or nothing is left.
    fn take_lines(
        &mut self,
        dir: &AttemptDir,
        job: &Job,
        after: &State,
        batch: &mut Batch,
        secrets: &BTreeMap<String, String>,
        mut room: usize,
    ) -> io::Result<bool> {
        while room > 0 {
            let mut idle = true;
            for stream in [Stream::Stdout, Stream::Stderr] {
                let Some(items) = self.tail(stream).step(dir)? else {
                    continue;
                };
                idle = false;
                for item in items {
                    let cost = self.take_item(job, after, stream, item, &mut batch.lines, secrets);
                    room = room.saturating_sub(cost);
                }
            }
            if idle {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Takes one item; returns about how many bytes of the batch it costs.
    fn take_item(
        &mut self,
        job: &Job,
        after: &State,
        stream: Stream,
        item: Item,
        lines: &mut Vec<LogLineEvent>,
        secrets: &BTreeMap<String, String>,
    ) -> usize {
        match item {
            Item::Line(line) => {
                let line = log_line(job.epoch, stream, line, secrets);
                let cost = LINE + line.message.len();
                lines.push(line);
                return cost;
            }
            Item::Progress(bar) if is_current(after, stream, bar.byte_offset) => self.take_bar(bar),
            Item::Phase(mark) if is_current(after, stream, mark.byte_offset) => {
                self.phase = Some(mark.phase.as_str());
            }
            Item::Progress(_) | Item::Phase(_) => {}
        }
        0
    }

    fn take_bar(&mut self, bar: Progress) {
        if bar.desc.as_deref() == Some(DOCUMENTS) {
            self.bar = Some(bar);
        }
    }

    fn progress(&mut self, job: &Job, after: &State, gpus: &[GpuSample]) -> Option<News> {
        let Some(current) = after.current.filter(|c| !after.finished.contains(&c.order)) else {
            return self.before_the_first(job, after, gpus);
        };
        let benchmark = job.benchmark(current.order)?;
        for (tail, from) in [(&self.stdout, current.stdout), (&self.stderr, current.stderr)] {
            let drawn = tail.peek().filter(|bar| bar.byte_offset >= from);
            if let Some(bar) = drawn.filter(|bar| bar.desc.as_deref() == Some(DOCUMENTS)) {
                self.bar = Some(bar);
            }
        }
        let told = (current.order, self.bar.as_ref().map(|bar| bar.n), self.phase);
        if !self.is_news(told, gpus) {
            return None;
        }
        let bar = self.bar.as_ref();
        let total = bar.and_then(|bar| bar.total).map(|total| total * self.ranks);
        let done = bar.map(|bar| bar.n.saturating_mul(self.ranks));
        Some(News::Progress {
            run_benchmark_id: benchmark.run_benchmark_id,
            // Some backends count past the total.
            done: done.map(|done| total.map_or(done, |total| done.min(total))),
            total,
            #[expect(clippy::cast_precision_loss, reason = "a handful of ranks")]
            items_per_second: bar
                .and_then(|bar| bar.rate_per_s)
                .map(|rate| rate * self.ranks as f64),
            eta_seconds: bar.and_then(|bar| bar.eta_s),
            phase: self.phase.map(str::to_owned),
            at: Utc::now(),
            gpus: gpus.to_vec(),
        })
    }

    /// A new driver imports lmms-eval, which takes many seconds, before it begins a benchmark:
    /// that is told of the one that will be the next.
    fn before_the_first(&mut self, job: &Job, after: &State, gpus: &[GpuSample]) -> Option<News> {
        self.phase
            .filter(|&phase| phase == IMPORTING && !after.imported)?;
        let next = job.benchmarks().find(|b| !after.finished.contains(&b.order))?;
        let told = (next.order, None, self.phase);
        if !self.is_news(told, gpus) {
            return None;
        }
        Some(News::Progress {
            run_benchmark_id: next.run_benchmark_id,
            done: None,
            total: None,
            items_per_second: None,
            eta_seconds: None,
            phase: self.phase.map(str::to_owned),
            at: Utc::now(),
            gpus: gpus.to_vec(),
        })
    }

    /// Whether there is something to tell that was not; it is then taken as told.
    fn is_news(&mut self, told: Told, gpus: &[GpuSample]) -> bool {
        let is_news = match &self.told {
            Some((at, before)) => at.elapsed() >= PROGRESS && (*before != told || !gpus.is_empty()),
            None => told.1.is_some() || told.2.is_some() || !gpus.is_empty(),
        };
        if is_news {
            self.told = Some((Instant::now(), told));
        }
        is_news
    }
}

/// A benchmark that is over and whose files are up, but which was not told yet.
fn next_done(dir: &AttemptDir, job: &Job, cursor: &Cursor, after: &mut State) -> io::Result<Option<News>> {
    let mut untold = cursor
        .uploaded_benchmarks
        .iter()
        .filter(|order| !after.finished.contains(order));
    let Some(benchmark) = untold.find_map(|&order| job.benchmark(order)) else {
        return Ok(None);
    };
    let done = dir.done(benchmark.order)?;
    after.finished.insert(benchmark.order);
    Ok(done.map(|done| News::BenchmarkFinished {
        run_benchmark_id: benchmark.run_benchmark_id,
        done,
    }))
}

/// A benchmark whose media are up, but which was not told yet.
fn next_media(job: &Job, cursor: &Cursor, after: &mut State) -> Option<News> {
    let mut untold = cursor.uploaded_media.difference(&after.media);
    let benchmark = untold.find_map(|&order| job.benchmark(order))?;
    after.media.insert(benchmark.order);
    Some(News::MediaUploaded {
        run_benchmark_id: benchmark.run_benchmark_id,
    })
}

/// Whether a place in a log belongs to the benchmark under way.
fn is_current(state: &State, stream: Stream, offset: u64) -> bool {
    state.current.is_some_and(|current| match stream {
        Stream::Stdout => offset >= current.stdout,
        Stream::Stderr => offset >= current.stderr,
    })
}

/// Only rank 0 draws a bar, over its own share of the documents.
fn ranks(job: &Job) -> u64 {
    let argv = job.processes.first().map_or(&[][..], |process| &process.argv);
    let mut rest = argv.iter().skip_while(|argument| *argument != "--num_processes");
    rest.nth(1)
        .and_then(|n| n.parse().ok())
        .filter(|&n| n > 0)
        .unwrap_or(1)
}

fn started(record: PidRecord) -> News {
    News::Started {
        host: record.host,
        pid: record.keeper.pid,
        at: record.started_at,
    }
}

fn notice(message: String) -> News {
    News::Notice {
        message,
        at: Utc::now(),
    }
}

/// The driver must not wake the GPUs before the model does, so their names come from here.
fn environment(record: &Environment) -> News {
    let mut record = record.clone();
    if record.gpus.is_empty() {
        let found = gpu::Reader::default().read().gpus;
        record.gpus = found.into_iter().map(|gpu| gpu.name).collect();
    }
    News::Environment {
        record: serde_json::to_value(record).unwrap_or_default(),
    }
}
