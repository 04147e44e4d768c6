//! A list of moments with what happened then.

use leptos::prelude::*;

use super::{
    time::use_zone,
    words::{Tone, Untrusted},
};
use crate::format::{clock, exact};

/// One moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// Milliseconds since the epoch.
    pub at: f64,
    /// How its dot is drawn.
    pub tone: Tone,
    /// What happened.
    pub title: String,
    /// Why.
    pub reason: String,
}

/// The moments, newest first.
#[component]
pub fn Timeline(
    /// The moments, in the order of display.
    #[prop(into)]
    moments: Signal<Vec<Moment>>,
) -> impl IntoView {
    let zone = use_zone();
    let entry = move |moment: Moment| {
        let tone = match moment.tone {
            Tone::Bad => " time__e--bad",
            Tone::Running => " time__e--run",
            Tone::Ok => " time__e--ok",
            _ => "",
        };
        view! {
            <li class=format!("time__e{tone}")>
                <time title=exact(moment.at, zone)>{clock(moment.at, zone)}</time>
                <span class="time__dot"></span>
                <div>
                    <span class="mid">{moment.title}</span>
                    <p class="small muted"><Untrusted text=moment.reason/></p>
                </div>
            </li>
        }
    };
    view! { <ol class="time">{move || moments.get().into_iter().map(entry).collect_view()}</ol> }
}
