//! The line chart as a component: painted on a canvas, read by pointer, by keys, or as a table.

use leptos::{
    ev::{KeyboardEvent, PointerEvent},
    html,
    prelude::*,
};
use send_wrapper::SendWrapper;
use wasm_bindgen::{JsCast, prelude::Closure};
use web_sys::ResizeObserver;

use super::{
    canvas::{Canvas, palette},
    decimate::nearest,
    plot::{Across, Frame, Plot, draw},
    theme::use_repaint,
};
use crate::{
    components::{button::Look, button::Size, icon::Glyph, words::Untrusted},
    format::{clock_seconds, significant},
};

/// The most rows that the table of a chart shows; the rest is said.
const ROWS: usize = 200;

/// A line chart.
#[component]
pub fn LineChart(
    /// What it shows, in one sentence.
    #[prop(into)]
    label: Signal<String>,
    /// The values.
    #[prop(into)]
    plot: Signal<Plot>,
    /// The unit of y, for hover and table.
    #[prop(into)]
    unit: String,
    /// CSS pixels.
    #[prop(default = 176.0)]
    height: f64,
    /// Called with the x of the point that is clicked or entered.
    #[prop(optional, into)]
    on_open: Option<Callback<f64>>,
    /// Without the button that shows the values as a table: for small charts whose table is elsewhere.
    #[prop(optional)]
    bare: bool,
) -> impl IntoView {
    let canvas = NodeRef::<html::Canvas>::new();
    let width = RwSignal::new(0.0_f64);
    let frame = RwSignal::new(None::<Frame>);
    let hot = RwSignal::new(None::<f64>);
    let as_table = RwSignal::new(false);
    let unit = StoredValue::new(unit);
    let repaint = use_repaint();
    follow_width(canvas, width);
    Effect::new(move || {
        repaint.track();
        let (Some(element), wide) = (canvas.get(), width.get()) else {
            return;
        };
        if wide < 40.0 {
            return;
        }
        let Some(mut surface) = Canvas::prepare(&element, wide, height) else {
            return;
        };
        let colours = palette(&element);
        frame.set(plot.with(|plot| draw(plot, &mut surface, wide, height, &colours)));
    });
    let snap = move |x: f64| plot.with_untracked(|plot| snapped(plot, x));
    let pointer = move |event: PointerEvent| {
        let Some(element) = canvas.get_untracked() else {
            return;
        };
        let x = f64::from(event.client_x()) - element.get_bounding_client_rect().left();
        let inside = frame
            .get_untracked()
            .filter(|frame| x >= frame.left - 4.0 && x <= frame.right + 4.0);
        hot.set(inside.and_then(|frame| snap(frame.x_at(x))));
    };
    let open = move || {
        if let (Some(on_open), Some(x)) = (on_open, hot.get_untracked()) {
            on_open.run(x);
        }
    };
    let keys = move |event: KeyboardEvent| {
        let step = match event.key().as_str() {
            "ArrowRight" => 1,
            "ArrowLeft" => -1,
            "Home" => isize::MIN,
            "End" => isize::MAX,
            "Enter" => return open(),
            "Escape" if hot.get_untracked().is_some() => {
                event.stop_propagation();
                return hot.set(None);
            }
            _ => return,
        };
        event.prevent_default();
        hot.update(|hot| *hot = plot.with_untracked(|plot| stepped(plot, *hot, step)));
    };
    let reading = Memo::new(move |_| {
        let at = hot.get()?;
        plot.with(|plot| unit.with_value(|unit| Some(read(plot, at, unit))))
    });
    let marks = move || {
        let (Some(frame), Some(at), Some((head, lines))) = (frame.get(), hot.get(), reading.get()) else {
            return ().into_any();
        };
        let x = frame.across(at);
        let dots = plot.with(|plot| heights(plot, at)).into_iter().map(move |y| {
            view! {
                <span class="chart__dot" style=("left", px(x)) style=("top", px(frame.down(y)))></span>
            }
        });
        let right = x > (frame.left + frame.right) / 2.0;
        let place = if right {
            "chart__tip chart__tip--left"
        } else {
            "chart__tip"
        };
        view! {
            <span class="chart__hair" style=("left", px(x)) style=("top", px(frame.top)) style=("height", px(frame.bottom - frame.top))></span>
            {dots.collect_view()}
            <span class=place style=("left", px(x)) style=("top", px(frame.top + 6.0))>
                <span class="tip">
                    {lines.into_iter().map(|line| view! { <b><Untrusted text=line/></b><br/> }).collect_view()}
                    {head}
                </span>
            </span>
        }
        .into_any()
    };
    let spoken = move || {
        reading
            .get()
            .map(|(head, lines)| format!("{}, {head}", lines.join(", ")))
    };
    let button = move || {
        let words = if as_table.get() { "Chart" } else { "Table" };
        view! {
            <crate::components::button::Button look=Look::Quiet size=Size::Small icon=Glyph::Columns
                on_click=move |_| as_table.update(|on| *on = !*on)>{words}</crate::components::button::Button>
        }
    };
    let empty = move || plot.with(|plot| plot.ranges().is_none());
    view! {
        <div class="chart-box">
            <div
                class="chart-stage"
                role="group"
                tabindex="0"
                aria-label=move || format!("{} Arrow keys read the values.", label.get())
                hidden=move || as_table.get()
                on:pointermove=pointer
                on:pointerleave=move |_| hot.set(None)
                on:blur=move |_| hot.set(None)
                on:click=move |_| open()
                on:keydown=keys
            >
                <canvas class="chart-canvas" role="img" aria-label=move || label.get() node_ref=canvas
                    style=("height", px(height))></canvas>
                {marks}
                <span class="chart__none" hidden=move || !empty()>"No values yet"</span>
                <span class="vh" aria-live="polite">{spoken}</span>
            </div>
            {move || as_table.get().then(|| view! { <ValueTable plot unit=unit.get_value() label/> })}
            {(!bare).then(|| view! { <div class="chart-tools">{button}</div> })}
        </div>
    }
    .into_any()
}

fn px(value: f64) -> String {
    format!("{value:.1}px")
}

/// The x of the point that is nearest to `x` in any series.
fn snapped(plot: &Plot, x: f64) -> Option<f64> {
    let near = plot
        .series
        .iter()
        .filter_map(|series| Some(series.points[nearest(&series.points, x)?].0));
    near.min_by(|a, b| (a - x).abs().total_cmp(&(b - x).abs()))
}

/// The x that is `step` points away; from nothing, the latest.
fn stepped(plot: &Plot, from: Option<f64>, step: isize) -> Option<f64> {
    let points = &plot.series.first()?.points;
    let last = points.len().checked_sub(1)?;
    let at = match from.and_then(|x| nearest(points, x)) {
        None => last,
        Some(at) => at.saturating_add_signed(step).min(last),
    };
    Some(points[at].0)
}

/// The y of each series at `x`, where it has a point there.
fn heights(plot: &Plot, x: f64) -> Vec<f64> {
    let at = |series: &super::plot::Series| {
        let point = series.points[nearest(&series.points, x)?];
        (point.1.is_finite() && (point.0 - x).abs() < f64::EPSILON.max(x.abs() * 1e-12)).then_some(point.1)
    };
    plot.series.iter().filter_map(at).collect()
}

/// What the hover says: where, and one line per series, and the words of a mark that is near.
fn read(plot: &Plot, x: f64, unit: &str) -> (String, Vec<String>) {
    let several = plot.series.len() > 1;
    let line = |series: &super::plot::Series| {
        let point = series.points[nearest(&series.points, x)?];
        let value = if point.1.is_finite() {
            significant(point.1)
        } else {
            "no value".to_owned()
        };
        let name = if several {
            format!("{} ", series.name)
        } else {
            String::new()
        };
        let band = series
            .band
            .iter()
            .find(|band| (band.0 - point.0).abs() < f64::EPSILON);
        let band = band
            .map(|b| format!(" [{}, {}]", significant(b.1), significant(b.2)))
            .unwrap_or_default();
        Some(format!("{name}{value} {unit}{band}"))
    };
    let mut lines: Vec<String> = plot.series.iter().filter_map(line).collect();
    let current = plot
        .marks
        .iter()
        .rfind(|mark| mark.x <= x && !mark.words.is_empty());
    lines.extend(current.map(|mark| mark.words.clone()));
    (place(plot, x), lines)
}

fn place(plot: &Plot, x: f64) -> String {
    match plot.across {
        Across::Time(zone) => clock_seconds(x, zone),
        Across::Number => significant(x),
    }
}

/// Follows the width that the page gives the canvas.
fn follow_width(canvas: NodeRef<html::Canvas>, width: RwSignal<f64>) {
    Effect::new(move || {
        let Some(element) = canvas.get() else { return };
        let watched = element.clone();
        let measure = move || {
            let wide = watched.get_bounding_client_rect().width();
            if width
                .try_get_untracked()
                .is_some_and(|before| (before - wide).abs() > 0.5)
            {
                let _ = width.try_set(wide);
            }
        };
        measure();
        let callback = Closure::<dyn FnMut()>::new(measure);
        let Ok(observer) = ResizeObserver::new(callback.as_ref().unchecked_ref()) else {
            return;
        };
        observer.observe(&element);
        let held = SendWrapper::new((observer, callback));
        on_cleanup(move || held.0.disconnect());
    });
}

/// The values of a chart as a table.
#[component]
fn ValueTable(
    /// What it shows.
    label: Signal<String>,
    /// The values.
    plot: Signal<Plot>,
    /// The unit of y.
    unit: String,
) -> impl IntoView {
    let rows = move || {
        plot.with(|plot| {
            let all: Vec<f64> = plot
                .series
                .first()
                .map(|s| s.points.iter().map(|p| p.0).collect())
                .unwrap_or_default();
            let every = all.len().div_ceil(ROWS).max(1);
            let note = (every > 1).then(|| format!("Showing every {every}th of {} values", all.len()));
            let rows: Vec<_> = all.iter().step_by(every).map(|&x| table_row(plot, x)).collect();
            (rows, note)
        })
    };
    let names = move || {
        plot.with(|plot| {
            plot.series
                .iter()
                .map(|series| series.name.clone())
                .collect::<Vec<_>>()
        })
    };
    let head =
        move |name: String| view! { <th scope="col" class="r">{name}<small>{unit.clone()}</small></th> };
    let body = move || {
        let (rows, note) = rows();
        let row = |(place, values): (String, Vec<String>)| {
            let cells = values
                .into_iter()
                .map(|value| view! { <td class="r">{value}</td> })
                .collect_view();
            view! { <tr><th scope="row">{place}</th>{cells}</tr> }
        };
        view! {
            {rows.into_iter().map(row).collect_view()}
            {note.map(|note| view! { <tr class="is-dim"><td colspan="8">{note}</td></tr> })}
        }
    };
    view! {
        <div class="scroll chart-table" tabindex="0" role="region" aria-label=move || format!("Values: {}", label.get())>
            <table class="table table--tight">
                <thead><tr><th scope="col">"At"</th>{move || names().into_iter().map(head.clone()).collect_view()}</tr></thead>
                <tbody>{body}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn table_row(plot: &Plot, x: f64) -> (String, Vec<String>) {
    let value = |series: &super::plot::Series| {
        let point = nearest(&series.points, x).map(|index| series.points[index]);
        point
            .filter(|point| point.1.is_finite())
            .map_or_else(|| "–".to_owned(), |point| significant(point.1))
    };
    (place(plot, x), plot.series.iter().map(value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::plot::Series;

    fn two() -> Plot {
        let series = |name: &str, points| Series {
            name: name.into(),
            points,
            ..Series::default()
        };
        Plot {
            series: vec![
                series("a", vec![(0.0, 1.0), (10.0, 2.5)]),
                series("b", vec![(0.0, 4.0), (9.0, f64::NAN)]),
            ],
            ..Plot::default()
        }
    }

    #[test]
    fn the_hover_reads_every_series() {
        assert_eq!(snapped(&two(), 9.4), Some(9.0));
        assert_eq!(snapped(&two(), 2.0), Some(0.0));
        assert_eq!(
            read(&two(), 10.0, "items/s"),
            (
                "10".into(),
                vec!["a 2.5 items/s".into(), "b no value items/s".into()]
            )
        );
        assert_eq!(heights(&two(), 10.0), [2.5]);
        assert_eq!(table_row(&two(), 0.0), ("0".into(), vec!["1".into(), "4".into()]));
    }

    #[test]
    fn keys_walk_the_points() {
        assert_eq!(stepped(&two(), None, 1), Some(10.0));
        assert_eq!(stepped(&two(), Some(10.0), -1), Some(0.0));
        assert_eq!(stepped(&two(), Some(0.0), isize::MIN), Some(0.0));
        assert_eq!(stepped(&two(), Some(0.0), isize::MAX), Some(10.0));
        assert_eq!(stepped(&Plot::default(), None, 1), None);
    }
}
