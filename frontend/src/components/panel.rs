//! The four states of everything that is loaded: loading, empty, error, stale.

use std::sync::Arc;

use leptos::prelude::*;
use types::FieldError;

use super::{
    button::{Button, Size},
    icon::{Glyph, Icon},
    time::use_zone,
    words::{Alert, Weight},
};
use crate::{format::clock_seconds, lasting::lasting};

/// What went wrong, in words for people.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fault {
    /// One sentence of cause.
    pub cause: String,
    /// The evidence, or what to do.
    pub detail: String,
    /// What is wrong with which field of the request.
    pub fields: Vec<FieldError>,
    /// The HTTP status; 0 when there was no answer.
    pub status: u16,
}

impl Fault {
    /// What is wrong with one field.
    pub fn field(&self, name: &str) -> Option<String> {
        self.fields
            .iter()
            .find(|error| error.field == name)
            .map(|error| error.message.clone())
    }

    /// Cause, detail and fields in one line: for a toast or beside a form.
    pub fn line(&self) -> String {
        let fields = self
            .fields
            .iter()
            .map(|error| format!("{}: {}", error.field, error.message));
        let parts = [self.cause.clone(), self.detail.clone()]
            .into_iter()
            .chain(fields);
        parts
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// Something that is loaded, and perhaps loaded again.
#[derive(Debug)]
pub struct Load<T> {
    /// The last good value; kept while it is loaded again.
    pub value: Option<Arc<T>>,
    /// Why the last attempt failed.
    pub fault: Option<Fault>,
    /// An attempt is under way.
    pub busy: bool,
    /// When the value arrived, in milliseconds since the epoch.
    pub at: f64,
}

impl<T> Clone for Load<T> {
    fn clone(&self) -> Self {
        Self {
            value: self.value.clone(),
            fault: self.fault.clone(),
            busy: self.busy,
            at: self.at,
        }
    }
}

impl<T> Default for Load<T> {
    fn default() -> Self {
        Self {
            value: None,
            fault: None,
            busy: true,
            at: 0.0,
        }
    }
}

impl<T> Load<T> {
    /// A value that has just arrived.
    pub fn ready(value: T, at: f64) -> Self {
        Self {
            value: Some(Arc::new(value)),
            fault: None,
            busy: false,
            at,
        }
    }

    /// Keeps the value and notes the fault: the value is stale from now on.
    pub fn fail(&mut self, fault: Fault) {
        self.fault = Some(fault);
        self.busy = false;
    }

    /// What a panel shows.
    pub fn phase(&self, empty: impl Fn(&T) -> bool) -> Phase {
        match (&self.value, &self.fault) {
            (Some(value), _) if empty(value) => Phase::Empty,
            (Some(_), _) => Phase::Ready,
            (None, Some(_)) => Phase::Failed,
            (None, None) => Phase::Waiting,
        }
    }
}

/// What a panel shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Nothing is there yet.
    Waiting,
    /// There is nothing.
    Empty,
    /// Nothing is there, and this is why.
    Failed,
    /// There is something.
    Ready,
}

/// A panel over something that is loaded. `children` builds the view once, from a signal of the value, when the
/// first value has arrived; a reload changes the signal and never rebuilds the view.
#[component]
pub fn Panel<T>(
    /// What is loaded.
    #[prop(into)]
    load: Signal<Load<T>>,
    /// Called by "Try again".
    #[prop(into)]
    on_retry: Callback<()>,
    /// The number of lines that the skeleton has: the size of what will come.
    #[prop(default = 4)]
    lines: usize,
    /// Says whether a value is nothing.
    #[prop(optional, into)]
    is_empty: Option<Callback<Arc<T>, bool>>,
    /// What an empty panel says; needed with `is_empty`.
    #[prop(optional, into)]
    empty: ViewFn,
    /// The content.
    children: impl Fn(Signal<Arc<T>>) -> AnyView + Send + Sync + 'static,
) -> impl IntoView
where
    T: Send + Sync + 'static,
{
    let phase = Memo::new(move |_| {
        load.with(|load| {
            load.phase(|_| {
                load.value
                    .clone()
                    .is_some_and(|v| is_empty.is_some_and(|f| f.run(v)))
            })
        })
    });
    let children = Arc::new(children);
    let body = move || match phase.get() {
        Phase::Waiting => view! { <Skeleton lines/> }.into_any(),
        Phase::Failed => view! { <FaultAlert load on_retry/> }.into_any(),
        Phase::Empty => empty.run(),
        Phase::Ready => {
            let Some(first) = load.with_untracked(|load| load.value.clone()) else {
                return ().into_any();
            };
            let value = Memo::new_with_compare(
                move |last: Option<&Arc<T>>| {
                    let now = load.with(|load| load.value.clone());
                    now.or_else(|| last.cloned()).unwrap_or_else(|| first.clone())
                },
                |a, b| match (a, b) {
                    (Some(a), Some(b)) => !Arc::ptr_eq(a, b),
                    _ => true,
                },
            );
            let children = children.clone();
            view! { <StaleNote load on_retry/> {children(lasting(value))} }.into_any()
        }
    };
    view! { <div class="panel" aria-busy=move || (phase.get() == Phase::Waiting).then_some("true")>{body}</div> }
}

/// Grey lines in the size of what will come; seen after 150 ms.
#[component]
pub fn Skeleton(
    /// The number of lines.
    #[prop(default = 4)]
    lines: usize,
) -> impl IntoView {
    let line = |index: usize| view! { <span class=format!("skel skel--{}", index % 4)></span> };
    view! {
        <div class="stack skels" role="status" aria-label="Loading">
            {(0..lines).map(line).collect_view()}
        </div>
    }
}

/// A panel with nothing in it: what that means, and what to do.
#[component]
pub fn Empty(
    /// What it means.
    #[prop(into)]
    title: String,
    /// What to do: words and at most one button.
    children: Children,
) -> impl IntoView {
    view! { <div class="empty"><strong>{title}</strong>{children()}</div> }.into_any()
}

/// Why a panel has nothing to show, with another try.
#[component]
pub fn FaultAlert<T: Send + Sync + 'static>(
    /// What could not be loaded.
    load: Signal<Load<T>>,
    /// Called by "Try again".
    on_retry: Callback<()>,
) -> impl IntoView {
    let fault = move || load.with(|load| load.fault.clone()).unwrap_or_default();
    let cause = Signal::derive(move || fault().cause);
    let busy = Signal::derive(move || load.with(|load| load.busy));
    let actions = move || {
        view! { <Button size=Size::Small busy on_click=move |_| on_retry.run(())>"Try again"</Button> }
            .into_any()
    };
    view! { <Alert weight=Weight::Bad cause actions live=true>{move || fault().detail}</Alert> }
}

/// Says that what is shown is not the newest, and since when.
#[component]
pub fn StaleNote<T: Send + Sync + 'static>(
    /// What could not be loaded again.
    load: Signal<Load<T>>,
    /// Called by "Try again".
    on_retry: Callback<()>,
) -> impl IntoView {
    let zone = use_zone();
    move || {
        let (fault, at) = load.with(|load| (load.fault.clone(), load.at));
        fault.map(|fault| {
            let since = clock_seconds(at, zone);
            view! {
                <p class="stale" role="status">
                    <Icon glyph=Glyph::Stall/>
                    <span>{format!("{}; state as of {since}", fault.cause.trim_end_matches('.'))}</span>
                    <button type="button" class="link" on:click=move |_| on_retry.run(())>"Try again"</button>
                </p>
            }
        })
    }
}

/// The amber line of a live view that has lost its connection.
#[component]
pub fn Reconnecting(
    /// When the last message came, in milliseconds since the epoch; `None` while connected.
    #[prop(into)]
    since: Signal<Option<f64>>,
) -> impl IntoView {
    let zone = use_zone();
    move || {
        since.get().map(|at| {
            let words = if at > 0.0 {
                format!("Reconnecting; state as of {}", clock_seconds(at, zone))
            } else {
                "Connecting".to_owned()
            };
            view! { <p class="stale" role="status"><Icon glyph=Glyph::Stall/>{words}</p> }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_outlives_a_failed_reload() {
        let mut load = Load::default();
        assert_eq!(load.phase(Vec::<u8>::is_empty), Phase::Waiting);
        load.fail(Fault::default());
        assert_eq!(load.phase(Vec::is_empty), Phase::Failed);
        let mut load = Load::ready(vec![1], 5.0);
        load.fail(Fault::default());
        assert_eq!(load.phase(Vec::is_empty), Phase::Ready);
        assert_eq!(
            Load::ready(Vec::<u8>::new(), 0.0).phase(Vec::is_empty),
            Phase::Empty
        );
    }
}
