//! The figures over the table: worst slice, largest gap beside chance, coverage.

use std::sync::Arc;

use leptos::prelude::*;
use types::{SliceList, SliceReport};

use super::words::{coverage, decimals, p_words};
use crate::format::{MISSING, count, plural, real};

/// The figures.
#[component]
pub fn Figures(
    /// The report.
    report: Signal<Option<Arc<SliceReport>>>,
    /// All slices.
    slices: Signal<Option<Arc<SliceList>>>,
) -> impl IntoView {
    let figure = |name: &'static str, value: String, unit: String, more: String| {
        view! {
            <div>
                <div class="fig__k">{name}</div>
                <div class="fig__v">{value}" "<small>{unit}</small></div>
                <div class="fig__s">{more}</div>
            </div>
        }
    };
    move || {
        report.get().map(|report| {
            let digits = decimals(&report);
            let worst = report.gap.as_ref().map(|gap| {
                let row = report.slices.iter().find(|row| row.id == gap.worst);
                let value = row
                    .and_then(|row| row.value)
                    .map_or_else(|| MISSING.to_owned(), |value| real(value, digits));
                (value, gap.worst_name.clone(), against_all(gap.worst_gap, digits))
            });
            let (value, name, more) = worst.unwrap_or_else(|| none("needs two slices that are large enough"));
            let gap = report.gap.as_ref().map(|gap| {
                let chance = format!(
                    "{} expected by chance, p {}",
                    real(gap.expected, digits),
                    equals(&p_words(Some(gap.p)))
                );
                (real(gap.gap, digits), "largest minus smallest".to_owned(), chance)
            });
            let (far, unit, chance) = gap.unwrap_or_else(|| none("nothing to compare"));
            // Samples without a score are in no row, and so in no share.
            let total = report.n;
            let (share, rest) = coverage(&report, total.max(report.uncovered));
            let small = report.slices.iter().filter(|row| row.small).count() as u64;
            let all = slices.with(|list| list.as_ref().map_or(0, |list| list.slices.len())) as u64;
            let here = report.slices.len() as u64;
            view! {
                <div class="figs slices__figs">
                    {figure("Worst slice", value, name, more)}
                    {figure("Largest gap between slices", far, unit, chance)}
                    {figure("Samples in any slice", share, format!("of {}", count(total)), rest)}
                    {figure("Slices with samples here", count(here), format!("of {}", count(all)),
                        format!("{}; they may overlap", plural(small, "is too small", "are too small")))}
                </div>
            }
        })
    }
}

fn none(why: &str) -> (String, String, String) {
    (MISSING.to_owned(), String::new(), why.to_owned())
}

/// `= 0.04`, but `< 0.001`.
fn equals(p: &str) -> String {
    if p.starts_with('<') {
        p.to_owned()
    } else {
        format!("= {p}")
    }
}

/// Slices may overlap and leave samples out, so that even the worst can be above the whole.
fn against_all(gap: f64, digits: usize) -> String {
    let word = match gap {
        gap if gap < 0.0 => "better",
        gap if gap > 0.0 => "worse",
        _ => return "the same as all samples".to_owned(),
    };
    format!("{} {word} than all samples", real(gap.abs(), digits))
}

#[cfg(test)]
mod tests {
    use super::{against_all, equals};

    #[test]
    fn a_small_p_is_a_bound() {
        assert_eq!([equals("< 0.001"), equals("0.04")], ["< 0.001", "= 0.04"]);
    }

    #[test]
    fn the_worst_slice_may_be_better_than_all() {
        assert_eq!(against_all(0.13, 2), "0.13 worse than all samples");
        assert_eq!(against_all(-0.04, 2), "0.04 better than all samples");
        assert_eq!(against_all(0.0, 1), "the same as all samples");
    }
}
