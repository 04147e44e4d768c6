//! On which scale is this score, and which way is better?

use std::sync::LazyLock;

use regex_lite::Regex;
use serde::{Deserialize, Serialize};

use crate::input::{InputError, check_number, check_size, present};
use crate::moments::Moments;

/// The committed table of metric rules.
const TABLE: &str = include_str!("../data/metric-table.json");

/// Which way a metric is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Higher is better.
    Up,
    /// Lower is better.
    Down,
    /// Neither: a column to show and to leave out of every aggregate.
    None,
}

/// What is known about the metrics that a rule matches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricRule {
    /// Regular expression that is searched for in the metric's name.
    pub metric: String,
    /// Regular expression that is searched for in the task's name; empty matches any.
    pub task: String,
    /// Which way is better.
    pub direction: Direction,
    /// Smallest possible value; `None` when unbounded.
    pub min: Option<f64>,
    /// Largest possible value; `None` when unbounded.
    pub max: Option<f64>,
    /// Unit: `fraction`, `percent`, `points`, ...
    pub unit: String,
    /// How samples make up the score: `mean`, `ratio`, `corpus`, `sum`, `group_sum`, ...
    pub kind: String,
    /// What to know about it.
    pub note: String,
}

#[derive(Deserialize)]
struct Table {
    rules: Vec<MetricRule>,
}

struct Compiled {
    metric: Regex,
    task: Regex,
}

static RULES: LazyLock<(Vec<MetricRule>, Vec<Compiled>)> = LazyLock::new(|| {
    let table: Table = serde_json::from_str(TABLE).expect("the committed table is valid JSON");
    let regex = |text: &str| Regex::new(text).expect("the committed expressions compile");
    let compiled = table.rules.iter();
    let compiled = compiled
        .map(|rule| Compiled {
            metric: regex(&rule.metric),
            task: regex(&rule.task),
        })
        .collect();
    (table.rules, compiled)
});

/// The table of direction, range, unit and kind by metric name, in order of precedence.
#[must_use]
pub fn metric_rules() -> &'static [MetricRule] {
    &RULES.0
}

/// What is known about a metric of a task: the first rule that matches both names.
///
/// Scale and direction belong to the task as much as to the metric: word error rate is in percent
/// for one corpus and a fraction for another. `None` means that the direction is unknown, unless
/// the results file itself declares it.
///
/// ```
/// use analysis::scale::{Direction, metric_rule};
///
/// assert_eq!(metric_rule("librispeech_test", "wer").expect("a rule").max, Some(100.0));
/// assert_eq!(metric_rule("voxpopuli_en", "wer").expect("a rule").direction, Direction::Down);
/// assert!(metric_rule("mmmu_val", "some_new_metric").is_none());
/// ```
#[must_use]
pub fn metric_rule(task: &str, metric: &str) -> Option<&'static MetricRule> {
    let (rules, compiled) = &*RULES;
    let matches = |of: &&Compiled| of.task.is_match(task) && of.metric.is_match(metric);
    let at = compiled.iter().position(|of| matches(&of))?;
    rules.get(at)
}

/// How a reported score relates to the scores of its samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreKind {
    /// The mean of the samples, times a factor.
    Mean,
    /// Something else: only a bootstrap standard error applies.
    NonMean,
    /// There are no samples, or no score.
    Unknown,
}

/// A reported score with the standard error that belongs to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScaleReconcile {
    /// How the score relates to its samples.
    pub kind: ScoreKind,
    /// Reported score over sample mean: 1, 100, 0.01 or 1000.
    pub factor: Option<f64>,
    /// Mean of the samples, on their own scale.
    pub mean: Option<f64>,
    /// Standard error on the scale of the reported score.
    pub stderr: Option<f64>,
    /// Whether there is a standard error to work with.
    pub usable: bool,
}

/// Finds the factor between a reported score and the mean of its samples.
///
/// The factors 1, 100, 0.01 and 1000 are tried in this order, each with a tolerance for rounding
/// (`5e-5`, for factors above 1 `5e-5` times the factor). If none fits, the score is not a mean:
/// then the standard error of the mean is that of another number, and only a bootstrap standard
/// error that came with the score is used.
///
/// ```
/// use analysis::scale::{ScoreKind, scale_reconcile};
///
/// let of = scale_reconcile(&[1.0, 0.0, 1.0, 1.0], Some(75.0), None)?;
/// assert_eq!((of.kind, of.factor), (ScoreKind::Mean, Some(100.0)));
/// assert_eq!(of.stderr, Some(25.0));
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When a number is infinite or the standard error negative. NaN is missing and left out.
pub fn scale_reconcile(
    sample_scores: &[f64],
    reported: Option<f64>,
    reported_bootstrap_stderr: Option<f64>,
) -> Result<ScaleReconcile, InputError> {
    let there = present("sample_scores", sample_scores)?;
    reported.map_or(Ok(()), |x| check_number("reported", x))?;
    reported_bootstrap_stderr.map_or(Ok(()), |x| check_size("reported_bootstrap_stderr", x))?;
    let of = Moments::of(&there);
    let (Some(reported), Some(mean)) = (reported, of.mean()) else {
        return Ok(ScaleReconcile {
            kind: ScoreKind::Unknown,
            factor: None,
            mean: None,
            stderr: None,
            usable: false,
        });
    };
    let factor = FACTORS.into_iter().find(|f| fits(mean * f, reported, *f));
    let stderr = match factor {
        Some(factor) => of.se().map(|se| factor * se),
        None => reported_bootstrap_stderr,
    };
    Ok(ScaleReconcile {
        kind: if factor.is_some() {
            ScoreKind::Mean
        } else {
            ScoreKind::NonMean
        },
        factor,
        mean: Some(mean),
        stderr,
        usable: stderr.is_some(),
    })
}

const FACTORS: [f64; 4] = [1.0, 100.0, 0.01, 1000.0];

fn fits(scaled: f64, reported: f64, factor: f64) -> bool {
    let tolerance = if factor >= 1.0 {
        5e-3 * factor / 100.0
    } else {
        5e-5
    };
    (scaled - reported).abs() <= tolerance.max(1e-6 * reported.abs())
}
