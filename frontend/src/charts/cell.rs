//! Marks inside table cells, drawn as SVG: an interval, a small trend.

use leptos::prelude::*;

use crate::format::{half_width, scored};

/// Half the width of an interval, beside its estimate.
pub fn margin(half: Option<String>) -> impl IntoView {
    half.map(|half| view! { " " <span class="pm">{format!("±\u{2009}{half}")}</span> })
}

/// A soft bar for the 95 % interval and a tick for the estimate. All cells of a column share one scale, which the
/// head of the column names.
#[component]
pub fn IntervalCell(
    /// The estimate.
    value: f64,
    /// Its interval, which need not be even on both sides.
    range: (f64, f64),
    /// The scale of the column.
    scale: (f64, f64),
    /// CSS pixels.
    #[prop(default = 72.0)]
    width: f64,
    /// Not to be compared with the others of its column.
    #[prop(optional)]
    dim: bool,
) -> impl IntoView {
    let (shown, margin) = scored(value, half_width(Some(range)));
    let label = format!("{shown}, 95 % interval ± {}", margin.unwrap_or_default());
    view! { <RangeCell value range scale width dim label/> }
}

/// The same with words of its own.
#[component]
pub fn RangeCell(
    /// The estimate.
    value: f64,
    /// Its interval.
    range: (f64, f64),
    /// The scale of the column.
    scale: (f64, f64),
    /// CSS pixels.
    #[prop(default = 72.0)]
    width: f64,
    /// Not to be compared with the others of its column.
    #[prop(optional)]
    dim: bool,
    /// What it says, for those who do not see it.
    label: String,
) -> impl IntoView {
    let at = move |x: f64| spot(x, scale, width);
    view! {
        <svg class=if dim { "ci ci--dim" } else { "ci" } width=width.to_string() height="16" role="img" aria-label=label>
            <path class="ci__axis" d=format!("M0 15.5H{width}")></path>
            <path class="ci__w" d=format!("M{:.1} 8H{:.1}", at(range.0), at(range.1))></path>
            <path class="ci__p" d=format!("M{:.1} 4.5v7", at(value))></path>
        </svg>
    }
}

/// A difference about zero with its interval; coloured only where the interval leaves zero out.
#[component]
pub fn DifferenceCell(
    /// The difference.
    value: f64,
    /// Its interval.
    range: (f64, f64),
    /// The largest difference that the column shows on either side.
    span: f64,
    /// Whether it is for the better; none while it is not decided.
    better: Option<bool>,
    /// What it says, for those who do not see it.
    label: String,
    /// CSS pixels.
    #[prop(default = 120.0)]
    width: f64,
) -> impl IntoView {
    let at = move |x: f64| spot(x, (-span, span), width);
    let class = match better {
        Some(true) => "ci ci--up",
        Some(false) => "ci ci--down",
        None => "ci",
    };
    view! {
        <svg class=class width=width.to_string() height="18" role="img" aria-label=label>
            <path class="ci__zero" d=format!("M{:.1} 0V18", at(0.0))></path>
            <path class="ci__w" d=format!("M{:.1} 9H{:.1}", at(range.0), at(range.1))></path>
            <path class="ci__p" d=format!("M{:.1} 4.5v9", at(value))></path>
        </svg>
    }
}

/// A bar over the places that a rank may have, on a rail of all ranks; the words beside it say the same.
#[component]
pub fn RankCell(
    /// The best place.
    lo: u32,
    /// The worst.
    hi: u32,
    /// How many are ranked.
    all: u32,
    /// One's own.
    #[prop(optional)]
    pick: bool,
) -> impl IntoView {
    let at = move |place: u32| 4.0 + 36.0 * f64::from(place.min(all)) / f64::from(all.max(1));
    view! {
        <svg class=if pick { "rank rank--pick" } else { "rank" } width="44" height="12" aria-hidden="true">
            <path class="rank__rail" d="M4 6.5H40"></path>
            <path class="rank__w" d=format!("M{:.1} 6.5H{:.1}", at(lo.saturating_sub(1)), at(hi))></path>
        </svg>
    }
}

/// Where a value lies in a cell, in pixels.
fn spot(value: f64, (from, to): (f64, f64), width: f64) -> f64 {
    let share = if to > from {
        (value - from) / (to - from)
    } else {
        0.5
    };
    3.0 + (width - 6.0) * share.clamp(0.0, 1.0)
}

/// A trend without axes; the latest point is a dot.
#[component]
pub fn Sparkline(
    /// The values, oldest first.
    #[prop(into)]
    values: Signal<Vec<f64>>,
    /// CSS pixels.
    #[prop(default = 120.0)]
    width: f64,
    /// CSS pixels.
    #[prop(default = 24.0)]
    height: f64,
) -> impl IntoView {
    let points = Memo::new(move |_| values.with(|values| trend(values, width, height)));
    let path = move || {
        points.with(|points| {
            let steps: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
            if steps.is_empty() {
                String::new()
            } else {
                format!("M{}", steps.join("L"))
            }
        })
    };
    let dot = move || {
        points.with(|points| {
            points.last().map(|&(x, y)| view! { <circle class="ch-dot" cx=format!("{x:.1}") cy=format!("{y:.1}") r="2.5"></circle> })
        })
    };
    view! {
        <svg class="spark" width=width.to_string() height=height.to_string() aria-hidden="true">
            <path class="ch-line" d=path></path>
            {dot}
        </svg>
    }
}

fn trend(values: &[f64], width: f64, height: f64) -> Vec<(f64, f64)> {
    let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    let low = finite.iter().copied().fold(f64::INFINITY, f64::min);
    let high = finite.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let span = if high > low { high - low } else { 1.0 };
    let step = (width - 6.0) / (finite.len().max(2) - 1) as f64;
    let point = |(index, value): (usize, &f64)| {
        (
            2.0 + step * index as f64,
            height - 3.0 - (height - 6.0) * (value - low) / span,
        )
    };
    finite.iter().enumerate().map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stay_inside_their_cell() {
        assert_eq!(spot(50.0, (0.0, 100.0), 106.0), 53.0);
        assert_eq!(spot(-9.0, (0.0, 100.0), 106.0), 3.0);
        assert_eq!(spot(1.0, (1.0, 1.0), 106.0), 53.0);
    }

    #[test]
    fn a_trend_fills_its_box() {
        assert_eq!(
            trend(&[1.0, f64::NAN, 2.0], 106.0, 26.0),
            [(2.0, 23.0), (102.0, 3.0)]
        );
        assert_eq!(trend(&[5.0], 106.0, 26.0).len(), 1);
        assert!(trend(&[], 106.0, 26.0).is_empty());
    }
}
