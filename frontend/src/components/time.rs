//! Time as the viewer reads it: relative, with the exact moment on hover.

use gloo_timers::callback::Interval;
use leptos::prelude::*;
use send_wrapper::SendWrapper;

use crate::{
    format::{Zone, exact, relative},
    lasting::forget_reader,
};

/// The clock of the page: one signal for all, so that a table of times costs one timer.
#[derive(Clone, Copy)]
struct Clock {
    slow: Signal<f64>,
    fast: Signal<f64>,
    zone: Zone,
}

/// Milliseconds since the epoch.
pub fn now_ms() -> f64 {
    js_sys::Date::now()
}

/// Starts the clock; called once, by the application.
pub fn provide_clock() {
    let (slow, set_slow) = signal(now_ms());
    let (fast, set_fast) = signal(now_ms());
    let zone = Zone(-(js_sys::Date::new_0().get_timezone_offset() as i32));
    let slow_timer = SendWrapper::new(Interval::new(10_000, move || set_slow.set(now_ms())));
    let fast_timer = SendWrapper::new(Interval::new(1000, move || set_fast.set(now_ms())));
    on_cleanup(move || drop((slow_timer, fast_timer)));
    let read = |clock: ReadSignal<f64>| {
        Signal::derive(move || {
            forget_reader(clock);
            clock.get()
        })
    };
    provide_context(Clock {
        slow: read(slow),
        fast: read(fast),
        zone,
    });
}

/// Now, renewed every ten seconds: for "27 min ago".
pub fn use_now() -> Signal<f64> {
    expect_context::<Clock>().slow
}

/// Now, renewed every second: for a running duration.
pub fn use_seconds() -> Signal<f64> {
    expect_context::<Clock>().fast
}

/// The viewer's zone.
pub fn use_zone() -> Zone {
    expect_context::<Clock>().zone
}

/// A moment: relative, exact on hover.
#[component]
pub fn Ago(
    /// Milliseconds since the epoch.
    #[prop(into)]
    at: Signal<f64>,
) -> impl IntoView {
    let (now, zone) = (use_now(), use_zone());
    view! {
        <time title=move || exact(at.get(), zone) datetime=move || iso(at.get())>
            {move || relative(at.get(), now.get(), zone)}
        </time>
    }
}

fn iso(millis: f64) -> Option<String> {
    let date = js_sys::Date::new(&millis.into());
    (!date.get_time().is_nan()).then(|| date.to_iso_string().into())
}
