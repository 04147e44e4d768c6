//! A list of moments with what happened then.

use leptos::prelude::*;

use super::{
    time::{Ago, use_zone},
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
    /// How long ago they were, for moments of many days; else the time of day.
    #[prop(optional)]
    ago: bool,
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
                {if ago {
                    view! { <Ago at=moment.at/> }.into_any()
                } else {
                    view! { <time title=exact(moment.at, zone)>{clock(moment.at, zone)}</time> }.into_any()
                }}
                <span class="time__dot"></span>
                <div>
                    <span class="mid">{moment.title}</span>
                    <p class="small muted"><Untrusted text=moment.reason/></p>
                </div>
            </li>
        }
    };
    view! { <ol class=if ago { "time time--ago" } else { "time" }>{move || moments.get().into_iter().map(entry).collect_view()}</ol> }
}
