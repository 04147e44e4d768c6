//! How long the heavy analyses take, each as a ratio to a reference measured in the same run.
//!
//! `ANALYSIS_BENCH_PYTHON=<python> cargo bench -p analysis --bench ratios --features parallel`, where
//! the Python has numpy and the package `sliceline`; without it the ratios to Python are left out,
//! and the output says so. With the feature `parallel` the bootstrap is measured on one and on two
//! cores, else on one. A ratio above its limit makes the run fail.

mod data;
mod python;

use std::cell::Cell;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use analysis::bootstrap::{Resampling, Statistic, bootstrap};
use analysis::display::beeswarm;
use analysis::paired::paired_diff;
use analysis::sliceline::sliceline;
use criterion::{BatchSize, Criterion};

use data::{SliceData, swarm, uniform};
use python::{Numpy, Python};

fn main() -> ExitCode {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let python = Python::from_env();
    let mut report = Report::default();
    paired_to_sum(&mut criterion, &mut report);
    swarm_to_sort(&mut criterion, &mut report);
    slices_to_python(&mut criterion, &mut report, python.as_ref());
    bootstrap_to_numpy(&mut criterion, &mut report, python.as_ref());
    criterion.final_summary();
    report.print()
}

/// The shortest time of one call while criterion ran it: the least disturbed one.
fn best(criterion: &mut Criterion, name: &str, mut call: impl FnMut()) -> f64 {
    let shortest = Cell::new(f64::INFINITY);
    criterion.bench_function(name, |bencher| {
        bencher.iter(|| {
            let start = Instant::now();
            call();
            shortest.set(shortest.get().min(start.elapsed().as_secs_f64()));
        });
    });
    shortest.get()
}

/// Paired difference of 2 x 20 000 scores against adding them up one by one.
fn paired_to_sum(criterion: &mut Criterion, report: &mut Report) {
    let (a, b) = (uniform(20_000, 1), uniform(20_000, 2));
    let ours = best(criterion, "paired_diff/2x20000", || {
        black_box(paired_diff(black_box(&a), black_box(&b), None, 0.95).expect("sound input"));
    });
    let reference = best(criterion, "sequential sum/2x20000", || {
        let sum = black_box(&a).iter().sum::<f64>() + black_box(&b).iter().sum::<f64>();
        black_box(sum);
    });
    report.add("paired difference to sequential sum", ours, Some(reference), 4.0);
}

/// A swarm of 2 000 dots against sorting them.
fn swarm_to_sort(criterion: &mut Criterion, report: &mut Report) {
    let x = swarm(2000);
    let ours = best(criterion, "beeswarm/2000", || {
        black_box(beeswarm(black_box(&x), 4.0).expect("sound input"));
    });
    let shortest = Cell::new(f64::INFINITY);
    criterion.bench_function("sort_unstable_by/2000", |bencher| {
        let timed = |mut points: Vec<f64>| {
            let start = Instant::now();
            points.sort_unstable_by(f64::total_cmp);
            shortest.set(shortest.get().min(start.elapsed().as_secs_f64()));
            points
        };
        bencher.iter_batched(|| x.clone(), timed, BatchSize::SmallInput);
    });
    report.add("beeswarm to sort", ours, Some(shortest.get()), 20.0);
}

/// A search over 20 000 samples of 12 properties against the Python package.
fn slices_to_python(criterion: &mut Criterion, report: &mut Report, python: Option<&Python>) {
    let data = SliceData::new(20_000, 12);
    let (table, rules) = (data.table(), data.rules());
    let find = || sliceline(&table, &data.errors, &rules).expect("sound input");
    let ours = best(criterion, "sliceline/20000x12", || {
        black_box(find());
    });
    let reference = python.map(|python| {
        let (seconds, top) = python.sliceline(&data);
        let score = find().slices[0].score;
        assert!(
            (score - top).abs() < 1e-6,
            "ours {score} and the package's {top} differ"
        );
        seconds
    });
    report.add("sliceline to the Python package", ours, reference, 1.0 / 20.0);
}

/// BCa of a mean of 100 000 scores with 2 000 replicates against numpy, which is measured before,
/// between and after ours: a disturbance of the machine should meet both sides.
fn bootstrap_to_numpy(criterion: &mut Criterion, report: &mut Report, python: Option<&Python>) {
    let x = uniform(100_000, 3);
    let how = Resampling::default();
    let run = || {
        black_box(bootstrap(&x, Statistic::Mean, None, &how).expect("sound input"));
    };
    let numpy = || python.map(|python| python.bootstrap(x.len(), how.b));
    let mut references = vec![numpy()];
    let mut ours = vec![(
        1.0 / 5.0,
        best(criterion, "bootstrap/100000x2000/1 core", || on_cores(1, run)),
    )];
    references.push(numpy());
    if cfg!(feature = "parallel") {
        let two = best(criterion, "bootstrap/100000x2000/2 cores", || on_cores(2, run));
        ours.push((1.0 / 9.0, two));
        references.push(numpy());
    } else {
        println!("two cores: skipped, build with the feature `parallel`");
    }
    let reference = references.into_iter().flatten().reduce(Numpy::shorter);
    for (cores, (limit, seconds)) in (1..).zip(ours) {
        let name = |of: &str| format!("bootstrap, {cores} core(s), to numpy {of}");
        let lean = reference.map(|of| of.one_at_a_time);
        report.add(&name("by replicate"), seconds, lean, limit);
        report.add(&name("by matrix"), seconds, reference.map(|of| of.matrix), limit);
    }
}

#[cfg(feature = "parallel")]
fn on_cores(cores: usize, run: impl FnOnce() + Send) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(cores).build();
    pool.expect("threads can be started").install(run);
}

#[cfg(not(feature = "parallel"))]
fn on_cores(_cores: usize, run: impl FnOnce()) {
    run();
}

/// The ratios with their limits.
#[derive(Default)]
struct Report(Vec<Line>);

struct Line {
    name: String,
    ours: f64,
    reference: Option<f64>,
    limit: f64,
}

impl Report {
    fn add(&mut self, name: &str, ours: f64, reference: Option<f64>, limit: f64) {
        self.0.push(Line {
            name: name.to_owned(),
            ours,
            reference,
            limit,
        });
    }

    /// Fails when a ratio exceeds its limit.
    fn print(&self) -> ExitCode {
        let mut code = ExitCode::SUCCESS;
        println!(
            "\n{:<48} {:>12} {:>12} {:>9} {:>9}",
            "ratio", "ours, ms", "reference", "ratio", "limit"
        );
        for Line {
            name,
            ours,
            reference,
            limit,
        } in &self.0
        {
            let ms = ours * 1e3;
            let Some(reference) = reference else {
                println!("{name:<48} {ms:>12.3} skipped: `ANALYSIS_BENCH_PYTHON` is not set");
                continue;
            };
            let ratio = ours / reference;
            let verdict = if ratio <= *limit { "met" } else { "NOT MET" };
            println!(
                "{name:<48} {ms:>12.3} {:>12.3} {ratio:>9.4} {limit:>9.4} {verdict}",
                reference * 1e3
            );
            if ratio > *limit {
                code = ExitCode::FAILURE;
            }
        }
        code
    }
}
