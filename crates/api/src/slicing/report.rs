//! The slices of one task in one run, against each other.

use super::scores::{NOT_KNOWN, mean_scale};
use crate::db::slices::report::{Scored, Task};
use crate::db::slices::scores::Committed;
use analysis::Interval;
use analysis::overlap::{Group, Overlap, overlap};
use analysis::slices::SliceRules;
use types::{RunId, SMALL_SLICE, SliceGap, SliceReport, SliceRow, SliceView};

/// Shuffles, as many as the time for an answer allows.
const MOST_SHUFFLES: usize = 1000;
const FEWEST_SHUFFLES: usize = 100;
/// Scores that are added up for one answer.
const ADDITIONS: usize = 40_000_000;

/// The samples of a task with the slices they may be in.
#[derive(Clone, Debug)]
pub struct Labelled {
    /// The run.
    pub run: RunId,
    /// The task.
    pub task: Task,
    /// The metric that the scores belong to.
    pub metric: Option<Committed>,
    /// The samples.
    pub samples: Vec<Scored>,
    /// All slices.
    pub slices: Vec<SliceView>,
}

/// What the slices of a task score, how far they are apart, and how far they would be by chance.
///
/// # Errors
/// When a score is not finite.
pub fn report(of: &Labelled) -> Result<SliceReport, analysis::InputError> {
    let scored: Vec<&Scored> = of.samples.iter().filter(|s| s.score.is_some()).collect();
    let scores: Vec<f64> = scored.iter().filter_map(|s| s.score).collect();
    let present: Vec<(&SliceView, Vec<usize>)> = of
        .slices
        .iter()
        .filter(|slice| {
            of.samples
                .iter()
                .any(|s| s.slice_assignments.contains(&slice.id.0))
        })
        .map(|slice| (slice, places(&scored, slice)))
        .collect();
    let groups: Vec<Vec<usize>> = present.iter().map(|(_, places)| places.clone()).collect();
    let up = of
        .metric
        .as_ref()
        .and_then(|m| m.higher_is_better)
        .unwrap_or(true);
    let found = overlap(&scores, &groups, &rules(scores.len(), &groups, up))?;
    let scale = scale(&found, of.metric.as_ref());
    let rows = present.iter().zip(&found.groups);
    Ok(SliceReport {
        run_id: of.run,
        benchmark_id: of.task.benchmark_id.into(),
        benchmark: of.task.benchmark.clone(),
        filter: of.task.filter.clone(),
        metric_name: of
            .metric
            .as_ref()
            .map_or_else(String::new, |m| m.metric_name.clone()),
        higher_is_better: up,
        value: of.metric.as_ref().and_then(|m| m.metric_value),
        reason: scale.clone().err(),
        n: scores.len() as u64,
        low: end(found.overall_ci, scale.as_ref().ok(), |ci| ci.lo),
        high: end(found.overall_ci, scale.as_ref().ok(), |ci| ci.hi),
        uncovered: uncovered(of, &present),
        slices: rows
            .map(|((slice, _), group)| row(slice, group, scale.as_ref().ok()))
            .collect(),
        gap: scale
            .as_ref()
            .ok()
            .and_then(|scale| gap(&found, &present, *scale)),
    })
}

/// Where among the scored samples those of a slice are.
fn places(scored: &[&Scored], slice: &SliceView) -> Vec<usize> {
    let is_in = |(_, sample): &(usize, &&Scored)| sample.slice_assignments.contains(&slice.id.0);
    scored
        .iter()
        .enumerate()
        .filter(is_in)
        .map(|(at, _)| at)
        .collect()
}

fn uncovered(of: &Labelled, present: &[(&SliceView, Vec<usize>)]) -> u64 {
    let known = |sample: &&Scored| {
        !present
            .iter()
            .any(|(s, _)| sample.slice_assignments.contains(&s.id.0))
    };
    of.samples.iter().filter(known).count() as u64
}

fn rules(n: usize, groups: &[Vec<usize>], higher_is_better: bool) -> SliceRules {
    let work = n + groups.iter().map(Vec::len).sum::<usize>();
    SliceRules {
        min_n: SMALL_SLICE as usize,
        higher_is_better,
        b: (ADDITIONS / work.max(1)).clamp(FEWEST_SHUFFLES, MOST_SHUFFLES),
        seed: 0,
        protect: false,
    }
}

fn scale(found: &Overlap, metric: Option<&Committed>) -> Result<f64, String> {
    let metric = metric.ok_or_else(|| NOT_KNOWN.to_owned())?;
    let name = &metric.metric_name;
    let both = found.overall.zip(metric.metric_value);
    let (mean, value) = both.ok_or_else(|| format!("`{name}` has no samples with a score, or no value"))?;
    mean_scale(mean, value).ok_or_else(|| {
        format!("`{name}` is not the mean of its samples' scores, so that a part of them does not tell it")
    })
}

fn end(ci: Option<Interval>, scale: Option<&f64>, of: fn(Interval) -> f64) -> Option<f64> {
    Some(of(ci?) * scale?)
}

fn row(slice: &SliceView, group: &Group, scale: Option<&f64>) -> SliceRow {
    let scaled = |x: Option<f64>| Some(x? * scale?);
    SliceRow {
        id: slice.id,
        name: slice.name.clone(),
        rule: slice.rule.clone(),
        n: group.n as u64,
        small: group.suppressed,
        value: scaled(group.mean),
        low: end(group.ci, scale, |ci| ci.lo),
        high: end(group.ci, scale, |ci| ci.hi),
        delta: scaled(group.delta_rest),
        delta_low: end(group.delta_ci, scale, |ci| ci.lo),
        delta_high: end(group.delta_ci, scale, |ci| ci.hi),
        p: group.p.filter(|_| scale.is_some()),
        p_adjusted: group.p_bh.filter(|_| scale.is_some()),
    }
}

fn gap(found: &Overlap, present: &[(&SliceView, Vec<usize>)], scale: f64) -> Option<SliceGap> {
    let gap = found.gap.as_ref()?;
    let (worst, _) = present.get(gap.worst)?;
    Some(SliceGap {
        gap: gap.max_min_gap * scale,
        expected: gap.perm_gap_mean * scale,
        p: gap.perm_gap_p,
        replicates: gap.b as u64,
        worst: worst.id,
        worst_name: worst.name.clone(),
        worst_gap: gap.worst_gap * scale,
    })
}
