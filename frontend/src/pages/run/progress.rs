//! How far the run is.

use leptos::prelude::*;
use types::{BenchmarkStatus, RunBenchmarkView, RunDetail, RunStatus};

use super::{
    facts::{documents, size, tally},
    rates::fullest,
    use_run, use_store,
};
use crate::{
    components::{
        figure::{Figure, Figures},
        progress::{Segment, SegmentedProgress},
        time::{use_now, use_seconds, use_zone},
    },
    format::{MISSING, about, count, duration, gibibytes, plural, significant},
    live::socket::Link,
    status::{benchmark_tone, benchmark_word},
};

/// The figures and the bar of the whole run.
#[component]
pub fn ProgressCard() -> impl IntoView {
    let (store, run) = (use_store(), use_run());
    let stale = Signal::derive(move || matches!(store.link().get(), Link::Lost(_)));
    let percent = Signal::derive(move || {
        run.read(|run| format!("{}\u{a0}%", run.summary.progress_percent.floor()))
            .unwrap_or_default()
    });
    let samples = Signal::derive(move || run.read(answered));
    let benchmarks = Signal::derive(move || {
        run.read(|run| format!("{} of {}", tally(run).0, tally(run).2))
            .unwrap_or_default()
    });
    let failed = Signal::derive(move || {
        run.read(|run| {
            Some(tally(run).1)
                .filter(|n| *n > 0)
                .map(|n| format!("{n} failed"))
        })
        .flatten()
    });
    let doing = Signal::derive(move || run.read(phase).flatten());
    let rate = Signal::derive(move || {
        run.read(speed)
            .flatten()
            .map_or_else(|| MISSING.to_owned(), significant)
    });
    let segments = Memo::new(move |_| run.read(|run| segments_of(&run.benchmarks)).unwrap_or_default());
    let names = move || {
        segments
            .get()
            .into_iter()
            .map(|part| {
                let grow = format!("{} 0 0", part.weight);
                view! { <span style=("flex", grow)>{part.name}</span> }
            })
            .collect_view()
    };
    let titled = Signal::derive(move || {
        segments
            .get()
            .into_iter()
            .map(|mut part| {
                part.name = run.read(|run| title_of(run, &part.name)).unwrap_or_default();
                part
            })
            .collect::<Vec<_>>()
    });
    view! {
        <section class="run__progress" aria-label="Progress">
            <Figures stale>
                <Figure name="Samples" value=percent unit=samples/>
                <Figure name="Throughput" value=rate unit="items/s" note=doing/>
                <Ends/>
                <Figure name="Benchmarks" value=benchmarks unit="done" bad=failed/>
                <GpuMemory/>
            </Figures>
            <SegmentedProgress label="Samples done, all benchmarks" segments=titled/>
            <div class="segbar__names hide-s" aria-hidden="true">{names}</div>
        </section>
    }
    .into_any()
}

/// `13 267 of 19 602`, or tasks while some sizes are not known.
fn answered(run: &RunDetail) -> String {
    match documents(run) {
        Some((done, total)) => format!("{} of {}", count(done), count(total)),
        None => format!(
            "{} of {}",
            run.summary.completed_tasks,
            plural(u64::from(run.summary.total_tasks), "task", "tasks")
        ),
    }
}

/// Documents per second: now, or, of a run that is over, on average.
fn speed(run: &RunDetail) -> Option<f64> {
    if !run.summary.status.is_terminal() {
        return run.summary.items_per_second;
    }
    let (from, to) = (run.summary.started_at?, run.summary.completed_at?);
    let seconds = (to - from).num_milliseconds() as f64 / 1000.0;
    let (done, _) = documents(run)?;
    (done > 0 && seconds > 0.0).then(|| done as f64 / seconds)
}

/// What it is doing: `mme: loading the model`. Between the start of the process and its first
/// benchmark it is the one that will be the next.
fn phase(run: &RunDetail) -> Option<String> {
    if run.summary.status != RunStatus::Running {
        return speed(run).map(|_| "mean of the run".to_owned());
    }
    let is_running = |row: &&RunBenchmarkView| row.status == BenchmarkStatus::Running;
    let is_next = |row: &&RunBenchmarkView| row.status == BenchmarkStatus::Pending && row.phase.is_some();
    let mut rows = run.benchmarks.iter();
    let Some(row) = rows.clone().find(is_running).or_else(|| rows.find(is_next)) else {
        return Some("starting the executor".to_owned());
    };
    Some(match &row.phase {
        Some(phase) => format!("{}: {}", row.name, phase_words(phase)),
        None => row.name.clone(),
    })
}

/// A phase as people read it; one of another version as it is.
fn phase_words(phase: &str) -> &str {
    match phase {
        "importing" => "starting Python, importing lmms-eval",
        "indexing" => "reading the task library",
        "loading_model" => "loading the model",
        "building" => "building the requests",
        "inferring" => "the model answers",
        "scoring" => "scoring the answers",
        "aggregating" => "computing the metrics",
        "saving" => "writing the results",
        "done" => "finishing",
        other => other,
    }
}

/// The parts of the bar, each as wide as its benchmark is long; one of unknown length is as wide as the others are
/// on average.
fn segments_of(rows: &[RunBenchmarkView]) -> Vec<Segment> {
    let known: Vec<u64> = rows.iter().filter_map(size).collect();
    let mean = known.iter().sum::<u64>() as f64 / known.len().max(1) as f64;
    rows.iter().map(|row| segment(row, mean.max(1.0))).collect()
}

fn segment(row: &RunBenchmarkView, otherwise: f64) -> Segment {
    let total = size(row);
    let share = match (row.done, total) {
        (Some(done), Some(total)) if total > 0 => done as f64 / total as f64,
        _ => 0.0,
    };
    let weight = total.map_or(otherwise, |total| total as f64).max(1.0);
    Segment {
        name: row.name.clone(),
        tone: benchmark_tone(row),
        weight,
        share,
    }
}

fn title_of(run: &RunDetail, name: &str) -> String {
    let row = run.benchmarks.iter().find(|row| row.name == name);
    row.map_or_else(String::new, |row| {
        let amount = match (row.done, size(row)) {
            (Some(done), Some(total)) => format!(", {} of {}", count(done), count(total)),
            (None, Some(total)) => format!(", {}", count(total)),
            _ => String::new(),
        };
        format!("{}: {}{amount}", row.name, benchmark_word(row).to_lowercase())
    })
}

/// When it ends, or how long it took.
#[component]
fn Ends() -> impl IntoView {
    let store = use_store();
    let (now, seconds, zone) = (use_now(), use_seconds(), use_zone());
    let over = Memo::new(move |_| store.status().is_terminal());
    let span = Memo::new(move |_| {
        store
            .detail(|run| {
                let from = run.summary.started_at?.timestamp_millis() as f64;
                Some((
                    from,
                    run.summary.completed_at.map(|at| at.timestamp_millis() as f64),
                ))
            })
            .flatten()
    });
    let took = move || match span.get() {
        Some((from, Some(to))) => duration((to - from) / 1000.0),
        Some((from, None)) => duration((seconds.get() - from).max(0.0) / 1000.0),
        None => MISSING.to_owned(),
    };
    let eta = Memo::new(move |_| store.detail(|run| run.summary.eta_seconds).flatten());
    let ends = Signal::derive(move || match eta.get() {
        Some(left) => about(now.get() + left as f64 * 1000.0, now.get(), zone),
        None => MISSING.to_owned(),
    });
    let left = Signal::derive(move || eta.get().map(|left| format!("in {}", duration(left as f64))));
    let so_far = Signal::derive(move || span.get().map(|_| format!("running for {}", took())));
    let name = move || if over.get() { "Took" } else { "Ends" };
    move || match over.get() {
        true => view! { <Figure name=name() value=Signal::derive(took)/> }.into_any(),
        false => view! { <Figure name=name() value=ends unit=left note=so_far/> }.into_any(),
    }
}

#[component]
fn GpuMemory() -> impl IntoView {
    let store = use_store();
    let memory = Memo::new(move |_| store.points(|state| fullest(&state.gpus)));
    let any = Memo::new(move |_| memory.with(Option::is_some));
    let used = Signal::derive(move || memory.get().map(|(used, _)| gibibytes(used)).unwrap_or_default());
    let of = Signal::derive(move || memory.get().map(|(_, total)| format!("of {}", gibibytes(total))));
    move || {
        any.get()
            .then(|| view! { <Figure name="GPU memory, fullest device" value=used unit=of/> })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::run::facts::tests::{benchmark, run};

    #[test]
    fn progress_is_said_in_documents_or_tasks() {
        let mut going = benchmark(0, "mme", "running");
        (going.done, going.total, going.phase) = (Some(5), Some(20), Some("inferring".into()));
        let one = run("running", vec![going.clone()]);
        assert_eq!(answered(&one), "5 of 20");
        assert_eq!(phase(&one).as_deref(), Some("mme: the model answers"));
        assert_eq!(title_of(&one, "mme"), "mme: running, 5 of 20");
        let parts = segments_of(&[going.clone(), benchmark(1, "b", "pending")]);
        assert_eq!(
            (parts[0].weight, parts[0].share, parts[1].weight),
            (20.0, 0.25, 20.0)
        );
        let two = run("running", vec![going, benchmark(1, "b", "pending")]);
        assert_eq!(answered(&two), "0 of 1 task");
        assert_eq!(phase(&run("completed", vec![])), None);
    }

    #[test]
    fn the_start_is_said_before_anything_has_begun() {
        let waiting = benchmark(0, "mme", "pending");
        let submitted = run("running", vec![waiting.clone()]);
        assert_eq!(phase(&submitted).as_deref(), Some("starting the executor"));
        let importing = RunBenchmarkView {
            phase: Some("importing".into()),
            ..waiting
        };
        assert_eq!(
            phase(&run("running", vec![importing])).as_deref(),
            Some("mme: starting Python, importing lmms-eval")
        );
        let mut loading = benchmark(0, "mme", "running");
        loading.phase = Some("loading_model".into());
        let going = run("running", vec![loading, benchmark(1, "b", "pending")]);
        assert_eq!(phase(&going).as_deref(), Some("mme: loading the model"));
        assert_eq!(phase_words("brewing"), "brewing");
    }
}
