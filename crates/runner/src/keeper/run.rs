//! One process from start to end.

use super::{
    Keeper, TICK,
    child::{self, Spawn},
    events::{self, Events},
    schedule::Ended,
    signals::Reaped,
    stall::Stall,
    stop::{Send, Stop, Why},
    tree,
    verdict::{self, Ending},
};
use crate::{
    environment,
    job::{JobBenchmark, JobProcess},
    memory::oom_kills,
};
use chrono::{DateTime, Utc};
use lmms::{
    driver_event::{BenchmarkFinished, BenchmarkStarted, DriverEvent, DriverEventKind},
    outcome::{DriverEnd, Exit},
};
use serde_json::{Map, Value, json};
use std::{fs, io, time::Instant};
use types::{BenchmarkDone, Outcome, ProcessExit};

/// A process that runs.
struct Live {
    pid: u32,
    begin: Instant,
    stall: Stall,
    by_driver: bool,
    imported: bool,
    began: bool,
    hook_missing: bool,
    /// How much output there was before it.
    before: (u64, u64),
    /// How many processes had been killed for want of memory before it.
    oom_kills: u64,
    current: Option<Current>,
}

/// The benchmark that is under way.
struct Current {
    order: u32,
    started_at: DateTime<Utc>,
    stdout: u64,
    stderr: u64,
}

impl Keeper {
    /// Runs one process and gives the verdicts that its end asks for.
    pub(super) fn run_process(&mut self, process: JobProcess) {
        let env = environment::of_process(&self.job, &process, &self.inherited, &self.secrets);
        let mut events = Events::from(fs::metadata(self.dir.path(events::FILE)).map_or(0, |m| m.len()));
        if !process.is_driver() {
            self.announce(&process);
        }
        let spawned = child::spawn(&Spawn {
            argv: &process.argv,
            env: &env,
            cwd: self.dir.root(),
            stdout: &self.stdout,
            stderr: &self.stderr,
        });
        match spawned {
            Ok(pid) => self.attend(process, pid, &mut events),
            Err(error) => self.not_started(&process, &error),
        }
    }

    /// Tells the reporter what only a driver would: that a plain process starts its benchmark.
    fn announce(&self, process: &JobProcess) {
        for benchmark in &process.benchmarks {
            self.say(json!({
                "event": "benchmark_started",
                "order": benchmark.order,
                "name": benchmark.name,
                "argv": benchmark.argv,
            }));
        }
    }

    /// Appends an event of our own; it is a courtesy to the reporter and may be lost.
    fn say(&self, mut event: Value) {
        if let Some(fields) = event.as_object_mut() {
            fields.insert("at".to_owned(), json!(now_s()));
            fields.insert("t".to_owned(), json!(self.begin.elapsed().as_secs_f64()));
        }
        if let Err(error) = events::append(&self.dir, &event) {
            note!("`{}` cannot be written: {error}", events::FILE);
        }
    }

    fn not_started(&mut self, process: &JobProcess, error: &io::Error) {
        let program = process.argv.first().map_or("", String::as_str);
        let reason = format!("`{program}` cannot be started: {error}");
        let ending = Ending {
            start_error: Some(reason.clone()),
            by_driver: process.is_driver(),
            ..Ending::default()
        };
        for benchmark in &process.benchmarks {
            self.conclude(benchmark, &ending, Utc::now());
        }
        self.start_failed = Some(reason);
    }

    fn attend(&mut self, process: JobProcess, pid: u32, events: &mut Events) {
        self.start_failed = None;
        let mut live = Live {
            pid,
            begin: Instant::now(),
            stall: Stall::new(&self.job.limits, Instant::now()),
            by_driver: process.is_driver(),
            imported: false,
            began: false,
            hook_missing: false,
            before: self.sizes(),
            oom_kills: oom_kills(),
            current: None,
        };
        if !live.by_driver
            && let Some(benchmark) = process.benchmarks.first()
        {
            self.begin(&mut live, benchmark.order, Utc::now(), self.sizes());
        }
        let end = loop {
            let reaped = self.tick();
            self.take_events(&process, &mut live, events);
            if let Some(end) = reaped.iter().find(|r| r.pid == pid) {
                break *end;
            }
            self.watch_limits(&mut live);
            self.press(pid);
        };
        self.killed_leftovers += self.kill_leftovers();
        // What it said last may have come after the look above.
        self.take_events(&process, &mut live, events);
        self.ended(process, &live, end);
    }

    fn begin(
        &mut self,
        live: &mut Live,
        order: u32,
        started_at: DateTime<Utc>,
        (stdout, stderr): (u64, u64),
    ) {
        self.schedule.started(order);
        live.began = true;
        live.current = Some(Current {
            order,
            started_at,
            stdout,
            stderr,
        });
    }

    fn take_events(&mut self, process: &JobProcess, live: &mut Live, events: &mut Events) {
        if !live.by_driver {
            return;
        }
        // The file is in the hands of the process too: what cannot be read was not said.
        let said = events.read(&self.dir).unwrap_or_default();
        if !said.is_empty() {
            self.pause = TICK;
        }
        for DriverEvent { kind, .. } in said {
            match kind {
                DriverEventKind::Imported { .. } => live.imported = true,
                DriverEventKind::HookMissing { .. } => live.hook_missing = true,
                DriverEventKind::BenchmarkStarted(said) => self.take_start(process, live, &said),
                DriverEventKind::BenchmarkFinished(said) => self.take_finish(process, live, &said),
                _ => {}
            }
        }
    }

    fn take_start(&mut self, process: &JobProcess, live: &mut Live, said: &BenchmarkStarted) {
        let known = process.benchmarks.iter().any(|b| b.order == said.order);
        if known && !self.schedule.is_done(said.order) {
            let sizes = offsets(&said.more).unwrap_or_else(|| self.sizes());
            self.begin(live, said.order, time(&said.more), sizes);
        }
    }

    fn take_finish(&mut self, process: &JobProcess, live: &mut Live, said: &BenchmarkFinished) {
        let Some(current) = live.current.take_if(|current| current.order == said.order) else {
            return;
        };
        let Some(benchmark) = process.benchmarks.iter().find(|b| b.order == said.order) else {
            return;
        };
        let (stdout, stderr) = offsets(&said.more).unwrap_or_else(|| self.sizes());
        let ending = Ending {
            alive: true,
            by_driver: true,
            imported: true,
            driver: Some(DriverEnd {
                error: said.error.clone(),
                error_type: said.error_type.clone(),
                exit: said.exit.clone(),
                poisoned: said.poisoned,
            }),
            why: self.stop.as_ref().map(|stop| stop.why),
            stdout: current.stdout..stdout,
            stderr: current.stderr..stderr,
            ..Ending::default()
        };
        self.conclude(benchmark, &ending, current.started_at);
    }

    /// Gives the verdict on a benchmark; the driver waits for its file.
    fn conclude(&mut self, benchmark: &JobBenchmark, ending: &Ending, started_at: DateTime<Utc>) {
        let done = verdict::reach(
            &self.dir,
            benchmark,
            &self.job.limits,
            ending,
            started_at,
            &self.secrets,
        );
        self.schedule.done(benchmark.order);
        self.interrupted |= self.is_over() && done.outcome != Outcome::Completed;
        let name = format!("out/{}/done.json", benchmark.order);
        let written = self.dir.write_json(&name, &done);
        // On a full disk only the reserved room is left, and the verdict matters most.
        let written = written.or_else(|_| self.dir.write_json(&name, &brief(&done)));
        if let Err(error) = written {
            note!("`{name}` cannot be written: {error}");
        }
        self.dir.release(&name);
    }

    fn watch_limits(&mut self, live: &mut Live) {
        if self.stop.is_some() {
            return;
        }
        let (stdout, stderr) = self.sizes();
        let events = fs::metadata(self.dir.path(events::FILE)).map_or(0, |m| m.len());
        if stdout + stderr > self.job.limits.max_log_bytes {
            self.ask_to_stop(Why::LogLimit);
        } else if live.stall.step(Instant::now(), stdout + stderr + events) {
            self.ask_to_stop(Why::Stalled);
        }
    }

    /// Goes on with a stop that is under way.
    fn press(&mut self, pid: u32) {
        let send = self
            .stop
            .as_mut()
            .and_then(|stop| stop.step(Instant::now(), &self.job.limits));
        match send {
            Some(Send::Int) => tree::kill_group(pid, libc::SIGINT),
            Some(Send::Term) => tree::kill_group(pid, libc::SIGTERM),
            Some(Send::Kill) => {
                let reporter = self.watcher.pid();
                tree::kill_all(reporter);
            }
            None => {}
        }
    }

    fn ended(&mut self, process: JobProcess, live: &Live, end: Reaped) {
        let exit = exit_of(end.status);
        self.exits.push(record(&process, live, exit, end.max_rss));
        let stopped = self.stop.as_ref().map(|stop| stop.why);
        let how = Ended {
            current: live.current.as_ref().map(|current| current.order),
            began: live.began,
            hook_missing: live.hook_missing,
            stopped: stopped.is_some(),
            died: stopped.is_none() && (live.by_driver || matches!(exit, Exit::Signal(_))),
        };
        let benchmarks = process.benchmarks.clone();
        let follow = self.schedule.ended(process, &how);
        if follow.fell_back {
            let message = "the driver does not fit this lmms-eval; each benchmark gets a process of its own";
            self.say(json!({"event": "notice", "message": message}));
        }
        for order in follow.judge {
            let benchmark = benchmarks.iter().find(|b| b.order == order);
            let ending = self.ending(live, exit, stopped);
            let started_at = live.current.as_ref().map_or_else(Utc::now, |c| c.started_at);
            benchmark
                .into_iter()
                .for_each(|b| self.conclude(b, &ending, started_at));
        }
        if let Some(order) = follow.retry {
            self.set_aside(order);
        }
        // A stalled benchmark has been dealt with; the next ones go on.
        self.stop.take_if(|stop: &mut Stop| !stop.why.is_final());
    }

    fn ending(&self, live: &Live, exit: Exit, why: Option<Why>) -> Ending {
        let (stdout, stderr) = self.sizes();
        let (from_stdout, from_stderr) = live
            .current
            .as_ref()
            .map_or(live.before, |c| (c.stdout, c.stderr));
        Ending {
            exit: Some(exit),
            by_driver: live.by_driver,
            imported: live.imported,
            out_of_memory: exit == Exit::Signal(libc::SIGKILL) && oom_kills() > live.oom_kills,
            why,
            stdout: from_stdout..stdout,
            stderr: from_stderr..stderr,
            ..Ending::default()
        }
    }

    /// Files of a try that will be repeated must not be taken for those of the next one.
    fn set_aside(&self, order: u32) {
        let message = format!("benchmark {order} ended its process and is started again");
        self.say(json!({"event": "notice", "message": message}));
        let aside = format!("out/{order}.try{}", self.schedule.starts(order));
        let moved = fs::rename(self.dir.out(order), self.dir.path(&aside));
        let reserved = self.dir.reserve(&format!("out/{order}/done.json"), 4096);
        if let Err(error) = moved.and(reserved) {
            note!("`out/{order}` cannot be set aside: {error}");
        }
    }

    /// How much output there is, stdout and stderr.
    fn sizes(&self) -> (u64, u64) {
        let size = |file: &fs::File| file.metadata().map_or(0, |m| m.len());
        (size(&self.stdout), size(&self.stderr))
    }
}

fn now_s() -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit a double")]
    let ms = Utc::now().timestamp_millis() as f64;
    ms / 1000.0
}

fn offsets(more: &Map<String, Value>) -> Option<(u64, u64)> {
    let at = |name: &str| more.get(name).and_then(Value::as_u64);
    Some((at("stdout_offset")?, at("stderr_offset")?))
}

/// When an event happened, by its own word.
pub(crate) fn time(more: &Map<String, Value>) -> DateTime<Utc> {
    let at = more.get("at").and_then(Value::as_f64);
    #[expect(clippy::cast_possible_truncation, reason = "the cast saturates")]
    let ms = at.map(|s| (s * 1000.0) as i64);
    ms.and_then(DateTime::from_timestamp_millis)
        .unwrap_or_else(Utc::now)
}

fn exit_of(status: i32) -> Exit {
    if libc::WIFSIGNALED(status) {
        Exit::Signal(libc::WTERMSIG(status))
    } else {
        Exit::Code(libc::WEXITSTATUS(status))
    }
}

fn record(process: &JobProcess, live: &Live, exit: Exit, max_rss: u64) -> ProcessExit {
    let (code, signal) = match exit {
        Exit::Code(code) => (Some(code), None),
        Exit::Signal(signal) => (None, Some(signal)),
    };
    ProcessExit {
        pid: live.pid,
        benchmarks: process.benchmarks.iter().map(|b| b.order).collect(),
        code,
        signal,
        max_rss: Some(max_rss),
        elapsed_ms: u64::try_from(live.begin.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}

fn brief(done: &BenchmarkDone) -> BenchmarkDone {
    BenchmarkDone {
        evidence: Vec::new(),
        files: Vec::new(),
        cause: done.cause.as_ref().map(|cause| cause.chars().take(512).collect()),
        ..done.clone()
    }
}
