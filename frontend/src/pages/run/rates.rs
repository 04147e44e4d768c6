//! Throughput and GPUs over time, as plots.

use std::collections::BTreeMap;

use types::{BenchmarkStatus, RunBenchmarkView, RunDetail};

use super::facts::mean_rate;
use crate::{
    charts::plot::{Across, Mark, MarkKind, Plot, Series},
    format::Zone,
    live::state::GpuPoint,
    status::outcome_words,
};

/// Documents per second over time. Where no readings are kept, as for a finished run, the mean of each benchmark.
pub fn throughput(run: &RunDetail, readings: &[(f64, f64)], zone: Zone) -> Plot {
    let points = if readings.iter().any(|point| point.1.is_finite()) {
        readings.to_vec()
    } else {
        means(run)
    };
    Plot {
        across: Across::Time(zone),
        series: vec![Series {
            name: "Throughput".into(),
            points,
            ..Series::default()
        }],
        marks: marks(run),
        ..Plot::default()
    }
}

/// Whether [`throughput`] shows readings; else it shows means.
pub fn has_readings(readings: &[(f64, f64)]) -> bool {
    readings.iter().any(|point| point.1.is_finite())
}

fn means(run: &RunDetail) -> Vec<(f64, f64)> {
    let step = |row: &RunBenchmarkView| {
        let (from, to) = (
            row.started_at?.timestamp_millis() as f64,
            row.completed_at?.timestamp_millis() as f64,
        );
        let rate = mean_rate(row)?;
        Some([(from, rate), (to, rate), (to + 1.0, f64::NAN)])
    };
    let mut points: Vec<(f64, f64)> = run.benchmarks.iter().filter_map(step).flatten().collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points
}

fn marks(run: &RunDetail) -> Vec<Mark> {
    let begun = run.benchmarks.iter().filter_map(|row| {
        let x = row.started_at?.timestamp_millis() as f64;
        Some(Mark {
            x,
            words: row.name.clone(),
            kind: MarkKind::Step,
        })
    });
    let failed = run
        .benchmarks
        .iter()
        .filter(|row| row.status == BenchmarkStatus::Failed)
        .filter_map(|row| {
            let x = row.completed_at?.timestamp_millis() as f64;
            let words = format!("{} {}", row.name, row.outcome.map_or("failed", outcome_words));
            Some(Mark {
                x,
                words,
                kind: MarkKind::Failure,
            })
        });
    let mut all: Vec<Mark> = begun.chain(failed).collect();
    all.sort_by(|a, b| a.x.total_cmp(&b.x));
    all
}

/// What is plotted of a GPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// GiB of memory in use.
    Memory,
    /// Percent of time in which a kernel ran.
    Utilisation,
}

const GIB: f64 = (1_u64 << 30) as f64;

/// One reading of one GPU over time.
pub fn gpu(points: &[GpuPoint], reading: Reading, zone: Zone) -> Plot {
    let value = |point: &GpuPoint| match reading {
        Reading::Memory => point.sample.memory_used as f64 / GIB,
        Reading::Utilisation => f64::from(point.sample.utilization),
    };
    let total = points
        .last()
        .map(|point| point.sample.memory_total as f64 / GIB)
        .filter(|total| *total > 0.0);
    let references = match (reading, total) {
        (Reading::Memory, Some(total)) => vec![(total, format!("{total:.1} GiB"))],
        _ => Vec::new(),
    };
    Plot {
        across: Across::Time(zone),
        series: vec![Series {
            points: points.iter().map(|point| (point.at, value(point))).collect(),
            ..Series::default()
        }],
        references,
        // Room above the line of the whole memory for its words.
        at_least: match reading {
            Reading::Memory => total.map(|total| total * 1.25),
            Reading::Utilisation => Some(100.0),
        },
        ..Plot::default()
    }
}

/// Memory of the fullest GPU now: in use, in all.
pub fn fullest(gpus: &BTreeMap<String, Vec<GpuPoint>>) -> Option<(u64, u64)> {
    let latest = gpus.values().filter_map(|points| points.last());
    latest
        .map(|point| (point.sample.memory_used, point.sample.memory_total))
        .max_by_key(|memory| memory.0)
}

/// The short form of a GPU's uuid: `GPU-4e1f`.
pub fn short_uuid(uuid: &str) -> String {
    uuid.chars().take(8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::run::facts::tests::{benchmark, run};
    use types::GpuSample;

    fn at(second: u32) -> Option<chrono::DateTime<chrono::Utc>> {
        format!("2026-11-20T13:00:{second:02}Z").parse().ok()
    }

    #[test]
    fn a_finished_run_shows_the_mean_of_each_benchmark() {
        let mut done = benchmark(0, "a", "completed");
        (done.started_at, done.completed_at, done.total) = (at(0), at(10), Some(50));
        let mut failed = benchmark(1, "b", "failed");
        (failed.started_at, failed.completed_at, failed.done) = (at(20), at(24), Some(8));
        failed.outcome = Some(types::Outcome::OutOfMemory);
        let run = run("failed", vec![done, failed]);
        let plot = throughput(&run, &[], Zone(0));
        let rates: Vec<f64> = plot.series[0]
            .points
            .iter()
            .map(|p| p.1)
            .filter(|y| y.is_finite())
            .collect();
        assert_eq!(rates, [5.0, 5.0, 2.0, 2.0]);
        let words: Vec<_> = plot
            .marks
            .iter()
            .map(|mark| (mark.words.as_str(), mark.kind))
            .collect();
        assert_eq!(
            words,
            [
                ("a", MarkKind::Step),
                ("b", MarkKind::Step),
                ("b ran out of memory", MarkKind::Failure)
            ]
        );
        assert_eq!(
            throughput(&run, &[(1.0, 9.0)], Zone(0)).series[0].points,
            [(1.0, 9.0)]
        );
    }

    #[test]
    fn gpus_are_read_against_their_memory() {
        let sample = GpuSample {
            uuid: "GPU-4e1f77".into(),
            utilization: 90,
            memory_used: 3 << 30,
            memory_total: 4 << 30,
        };
        let points = vec![GpuPoint { at: 5.0, sample }];
        assert_eq!(
            gpu(&points, Reading::Memory, Zone(0)).series[0].points,
            [(5.0, 3.0)]
        );
        assert_eq!(
            gpu(&points, Reading::Memory, Zone(0)).references,
            [(4.0, "4.0 GiB".to_owned())]
        );
        assert_eq!(gpu(&points, Reading::Utilisation, Zone(0)).at_least, Some(100.0));
        assert_eq!(
            fullest(&[("x".to_owned(), points)].into()),
            Some((3 << 30, 4 << 30))
        );
        assert_eq!(short_uuid("GPU-4e1f77"), "GPU-4e1f");
    }
}
