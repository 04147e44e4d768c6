//! Progress: one bar, or one segment per benchmark as wide as the benchmark is long.

use leptos::prelude::*;

use super::words::Tone;

/// A bar.
#[component]
pub fn Progress(
    /// What progresses, as the accessible name.
    #[prop(into)]
    label: Signal<String>,
    /// The share that is done, 0 to 1; `None` while it is unknown.
    #[prop(into)]
    share: Signal<Option<f64>>,
    /// Its colour follows a status.
    #[prop(default = Signal::stored(Tone::Running), into)]
    tone: Signal<Tone>,
) -> impl IntoView {
    let class = move || {
        let unknown = if share.get().is_none() { " prog--ind" } else { "" };
        format!("prog prog--{}{unknown}", tone.get().segment())
    };
    let width = move || {
        share
            .get()
            .map(|share| format!("{:.2}%", share.clamp(0.0, 1.0) * 100.0))
            .unwrap_or_default()
    };
    view! {
        <div
            class=class
            role="progressbar"
            aria-label=move || label.get()
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow=move || share.get().map(|share| whole_percent(share).to_string())
        >
            <div class="prog__v" style=("width", width)></div>
        </div>
    }
}

/// One part of a segmented bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// The name, for the title.
    pub name: String,
    /// Its status.
    pub tone: Tone,
    /// Its relative length; at least 1 is drawn.
    pub weight: f64,
    /// The share of it that is done, 0 to 1; only drawn while it runs.
    pub share: f64,
}

/// A bar of segments.
#[component]
pub fn SegmentedProgress(
    /// What progresses, as the accessible name.
    #[prop(into)]
    label: Signal<String>,
    /// The parts.
    #[prop(into)]
    segments: Signal<Vec<Segment>>,
    /// 5 px high, for a table cell.
    #[prop(optional)]
    small: bool,
) -> impl IntoView {
    move || segmented(label.get(), segments.get(), small)
}

/// The same, for parts that do not change where they are.
pub fn segmented(label: String, segments: Vec<Segment>, small: bool) -> impl IntoView {
    let done = whole_percent(done_share(&segments)).to_string();
    view! {
        <div
            class=if small { "segbar segbar--sm" } else { "segbar" }
            role="progressbar"
            aria-label=label
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow=done
        >
            {segments.into_iter().map(segment).collect_view()}
        </div>
    }
}

fn segment(part: Segment) -> impl IntoView {
    let class = format!("segbar__s segbar__s--{}", part.tone.segment());
    let done = format!("{:.1}%", part.share.clamp(0.0, 1.0) * 100.0);
    let grow = format!("{} 0 0", part.weight.max(1.0));
    view! { <span class=class title=part.name style=("flex", grow) style=("--v", done)></span> }
}

/// The share of all segments that is done, by weight.
pub fn done_share(segments: &[Segment]) -> f64 {
    let all: f64 = segments.iter().map(|part| part.weight.max(1.0)).sum();
    let done: f64 = segments
        .iter()
        .map(|part| part.weight.max(1.0) * own_share(part))
        .sum();
    if all > 0.0 { done / all } else { 0.0 }
}

fn own_share(part: &Segment) -> f64 {
    match part.tone {
        Tone::Ok | Tone::Degraded => 1.0,
        Tone::Queued => 0.0,
        _ => part.share.clamp(0.0, 1.0),
    }
}

/// A share as a whole percentage that reaches 100 only when all is done.
fn whole_percent(share: f64) -> u8 {
    (share.clamp(0.0, 1.0) * 100.0).floor() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(tone: Tone, weight: f64, share: f64) -> Segment {
        Segment {
            name: String::new(),
            tone,
            weight,
            share,
        }
    }

    #[test]
    fn progress_is_weighted_by_length() {
        let all = [
            part(Tone::Ok, 30.0, 0.0),
            part(Tone::Running, 60.0, 0.5),
            part(Tone::Queued, 10.0, 1.0),
        ];
        assert!((done_share(&all) - 0.6).abs() < 1e-9);
        assert_eq!(done_share(&[]), 0.0);
        assert_eq!(whole_percent(0.999), 99);
    }
}
