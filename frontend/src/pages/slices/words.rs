//! What the page of slices says and shows, without a view.

use serde_json::json;
use types::{SliceReport, SliceRow, SliceView};

use crate::format::{MISSING, Sheet, half_width, percent, real, scored, signed};

/// A slice with what it scores in the chosen task, where it has samples there.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The slice.
    pub slice: SliceView,
    /// Its row in the report.
    pub row: Option<SliceRow>,
}

/// What the table is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum By {
    /// The name.
    #[default]
    Name,
    /// Samples.
    Size,
    /// The score.
    Score,
    /// The difference to the rest.
    Delta,
}

impl By {
    /// Every order, with its name in the address.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Name, "name"),
        (Self::Size, "n"),
        (Self::Score, "score"),
        (Self::Delta, "delta"),
    ];
}

/// `score` is smallest first, `-score` largest first; nothing is by name.
pub fn sorting(text: &str) -> (By, bool) {
    let (down, id) = text.strip_prefix('-').map_or((false, text), |id| (true, id));
    let by = By::ALL.into_iter().find(|(_, name)| *name == id);
    (by.map(|(by, _)| by).unwrap_or_default(), down)
}

/// Slices in order, with their rows; those without a number last.
pub fn lines(
    slices: &[SliceView],
    report: Option<&SliceReport>,
    order: (By, bool),
    small: bool,
) -> Vec<Line> {
    let row_of = |slice: &SliceView| report?.slices.iter().find(|row| row.id == slice.id).cloned();
    let mut lines: Vec<Line> = slices
        .iter()
        .map(|slice| Line {
            slice: slice.clone(),
            row: row_of(slice),
        })
        .filter(|line| small || report.is_none() || line.row.as_ref().is_some_and(|row| !row.small))
        .collect();
    let (by, down) = order;
    let number = |line: &Line| match by {
        By::Name => None,
        By::Size => line.row.as_ref().map(|row| row.n as f64),
        By::Score => line.row.as_ref().and_then(|row| row.value),
        By::Delta => line.row.as_ref().and_then(|row| row.delta),
    };
    if by == By::Name {
        if down {
            lines.reverse();
        }
        return lines;
    }
    lines.sort_by(|a, b| match (number(a), number(b)) {
        (Some(a), Some(b)) if down => b.total_cmp(&a),
        (Some(a), Some(b)) => a.total_cmp(&b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
    lines
}

/// The common scale of scores and their intervals.
pub fn scale(report: &SliceReport) -> (f64, f64) {
    let ends = report
        .slices
        .iter()
        .flat_map(|row| [row.low, row.high, row.value]);
    let all: Vec<f64> = ends.chain([report.value]).flatten().collect();
    let low = all.iter().copied().fold(f64::INFINITY, f64::min);
    let high = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if low < high { (low, high) } else { (0.0, 1.0) }
}

/// The largest difference or interval end on either side of zero.
pub fn span(report: &SliceReport) -> f64 {
    let ends = report
        .slices
        .iter()
        .flat_map(|row| [row.delta, row.delta_low, row.delta_high]);
    ends.flatten().map(f64::abs).fold(0.0, f64::max).max(1e-9)
}

/// Whether a difference is for the better; none while its interval holds zero.
pub fn better(row: &SliceRow, up: bool) -> Option<bool> {
    let (low, high) = row.delta_low.zip(row.delta_high)?;
    if low > 0.0 {
        Some(up)
    } else if high < 0.0 {
        Some(!up)
    } else {
        None
    }
}

/// A p-value as people read it.
pub fn p_words(p: Option<f64>) -> String {
    match p {
        None => MISSING.to_owned(),
        Some(p) if p < 0.001 => "< 0.001".to_owned(),
        Some(p) if p < 0.1 => real(p, 3),
        Some(p) => real(p, 2),
    }
}

/// How many decimals the differences of a report have: those of the overall interval.
pub fn decimals(report: &SliceReport) -> usize {
    let half = half_width(report.low.zip(report.high)).filter(|half| *half > 0.0);
    half.map_or(3, |half| (1.0 - half.log10().floor()).clamp(0.0, 6.0) as usize)
}

/// What the page is about, in one sentence.
pub fn lede(report: &SliceReport) -> String {
    let filter = if report.filter == "none" {
        String::new()
    } else {
        format!(", {}", report.filter)
    };
    let arrow = if report.higher_is_better { "↑" } else { "↓" };
    let score = report.value.map(|value| {
        let (value, half) = scored(value, half_width(report.low.zip(report.high)));
        half.map_or_else(|| value.clone(), |half| format!("{value} ± {half}"))
    });
    let n = crate::format::plural(report.n, "scored sample", "scored samples");
    format!(
        "{}{filter}, {} {arrow}: {} over {n}",
        report.benchmark,
        report.metric_name,
        score.unwrap_or_else(|| "no value".to_owned())
    )
}

/// How much of the samples is in any slice.
pub fn coverage(report: &SliceReport, total: u64) -> (String, String) {
    let covered = total.saturating_sub(report.uncovered);
    let share = if total == 0 {
        0.0
    } else {
        covered as f64 / total as f64
    };
    let rest = match report.uncovered {
        0 => "every sample is in one".to_owned(),
        n => crate::format::plural(n, "is in none", "are in none"),
    };
    (percent(share), rest)
}

/// The table as a file.
pub fn sheet(lines: &[Line], report: Option<&SliceReport>) -> Sheet {
    let mut sheet = Sheet::new([
        "slice",
        "type",
        "rule",
        "samples in all runs",
        "run",
        "benchmark",
        "metric",
        "filter",
        "n",
        "score",
        "low",
        "high",
        "difference to the rest",
        "difference low",
        "difference high",
        "p",
        "p adjusted",
        "note",
    ]);
    for line in lines {
        let row = line.row.as_ref();
        let of = |read: fn(&SliceRow) -> Option<f64>| json!(row.and_then(read));
        let note = match (row, report.and_then(|report| report.reason.as_ref())) {
            (None, _) => "no samples in this task".to_owned(),
            (_, Some(reason)) => reason.clone(),
            (Some(row), _) if row.small => "too few samples to judge".to_owned(),
            _ => String::new(),
        };
        sheet.rows.push(vec![
            json!(line.slice.name),
            json!(line.slice.slice_type),
            json!(line.slice.rule),
            json!(line.slice.samples),
            json!(report.map(|report| report.run_id)),
            json!(report.map(|report| report.benchmark.clone())),
            json!(report.map(|report| report.metric_name.clone())),
            json!(report.map(|report| report.filter.clone())),
            json!(row.map(|row| row.n)),
            of(|row| row.value),
            of(|row| row.low),
            of(|row| row.high),
            of(|row| row.delta),
            of(|row| row.delta_low),
            of(|row| row.delta_high),
            of(|row| row.p),
            of(|row| row.p_adjusted),
            json!(note),
        ]);
    }
    sheet
}

/// A difference with its interval, in words.
pub fn delta_label(row: &SliceRow, decimals: usize) -> String {
    let say = |x: Option<f64>| x.map_or_else(|| MISSING.to_owned(), |x| signed(x, decimals));
    format!(
        "difference {}, 95 % interval {} to {}",
        say(row.delta),
        say(row.delta_low),
        say(row.delta_high)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(n: u64, value: Option<f64>, delta: Option<(f64, f64, f64)>) -> serde_json::Value {
        json!({
            "id": uuid::Uuid::from_u128(n.into()), "name": format!("s{n}"), "rule": "a exists", "n": n, "small": value.is_none(),
            "value": value, "low": value.map(|v| v - 0.05), "high": value.map(|v| v + 0.05), "delta": delta.map(|d| d.0),
            "delta_low": delta.map(|d| d.1), "delta_high": delta.map(|d| d.2), "p": value.map(|_| 0.01), "p_adjusted": value.map(|_| 0.02)
        })
    }

    fn report() -> SliceReport {
        serde_json::from_value(json!({
            "run_id": uuid::Uuid::nil(), "benchmark_id": uuid::Uuid::nil(), "benchmark": "chartqa", "filter": "none",
            "metric_name": "acc", "higher_is_better": true, "value": 0.8, "reason": null, "n": 200, "low": 0.75, "high": 0.85,
            "uncovered": 7, "gap": null,
            "slices": [row(90, Some(0.6), Some((-0.3, -0.4, -0.2))), row(30, Some(0.9), Some((0.1, -0.1, 0.3))), row(5, None, None)]
        }))
        .unwrap()
    }

    fn slices() -> Vec<SliceView> {
        let slice = |n: u128| {
            serde_json::from_value(json!({
                "id": uuid::Uuid::from_u128(n), "name": format!("s{n}"), "slice_type": "custom", "slice_value": null,
                "rule": "a exists", "own_rule": true, "associated_benchmarks": [], "description": null, "state": "done",
                "error": null, "seen": 1, "to_see": 1, "samples": 9, "updated_at": "2026-11-20T13:00:00Z"
            }))
            .unwrap()
        };
        [5, 30, 77, 90].map(slice).to_vec()
    }

    #[test]
    fn lines_are_sorted_and_small_groups_can_be_left_out() {
        let (report, slices) = (report(), slices());
        let order = |text: &str, small| {
            let all = lines(&slices, Some(&report), sorting(text), small);
            all.iter()
                .map(|line| line.slice.name.clone())
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(order("", true), "s5 s30 s77 s90");
        assert_eq!(order("-n", true), "s90 s30 s5 s77");
        assert_eq!(order("score", true), "s90 s30 s5 s77");
        assert_eq!(order("-delta", false), "s30 s90");
        assert_eq!(lines(&slices, None, sorting(""), false).len(), 4);
    }

    #[test]
    fn numbers_have_words() {
        let report = report();
        assert!(
            lede(&report).starts_with("chartqa, acc ↑: 0.800 ± 0.050 over"),
            "{}",
            lede(&report)
        );
        assert_eq!(scale(&report), (0.6 - 0.05, 0.9 + 0.05));
        assert_eq!((span(&report), decimals(&report)), (0.4, 3));
        assert_eq!(better(&report.slices[0], true), Some(false));
        assert_eq!(better(&report.slices[0], false), Some(true));
        assert_eq!(better(&report.slices[1], true), None);
        assert_eq!(
            [
                p_words(None),
                p_words(Some(1e-9)),
                p_words(Some(0.04)),
                p_words(Some(0.5))
            ],
            ["–", "< 0.001", "0.040", "0.50"]
        );
        assert_eq!(coverage(&report, 100).0, percent(0.93));
        let sheet = sheet(&lines(&slices(), Some(&report), sorting(""), true), Some(&report));
        assert_eq!(sheet.rows.len(), 4);
        assert_eq!(sheet.rows[0].last(), Some(&json!("too few samples to judge")));
        assert_eq!(sheet.rows[2].last(), Some(&json!("no samples in this task")));
    }
}
