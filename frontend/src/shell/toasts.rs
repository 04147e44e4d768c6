//! Toasts: for what finished or failed elsewhere, never for what the viewer just did on the same screen.

use gloo_timers::future::TimeoutFuture;
use leptos::{prelude::*, task::spawn_local};

use crate::components::{
    toast::{Note, Toast},
    words::Weight,
};

/// How long a toast stays that is no failure.
const STAYS: u32 = 7000;

/// The toasts of the page.
#[derive(Clone, Copy)]
pub struct Toasts {
    notes: RwSignal<Vec<Note>>,
    next: StoredValue<usize>,
}

/// Provides the toasts.
pub fn provide_toasts() {
    provide_context(Toasts {
        notes: RwSignal::new(Vec::new()),
        next: StoredValue::new(0),
    });
}

/// The toasts of the page.
pub fn use_toasts() -> Toasts {
    expect_context()
}

impl Toasts {
    /// Shows a toast.
    pub fn push(
        self,
        weight: Weight,
        title: impl Into<String>,
        detail: impl Into<String>,
        link: Option<(String, String)>,
    ) {
        let id = self
            .next
            .try_update_value(|next| {
                *next += 1;
                *next
            })
            .unwrap_or(0);
        let note = Note {
            id,
            weight,
            title: title.into(),
            detail: detail.into(),
            link,
        };
        let _ = self.notes.try_update(|notes| notes.push(note));
        if weight != Weight::Bad {
            spawn_local(async move {
                TimeoutFuture::new(STAYS).await;
                self.dismiss(id);
            });
        }
    }

    /// Takes a toast away.
    pub fn dismiss(self, id: usize) {
        let _ = self.notes.try_update(|notes| notes.retain(|note| note.id != id));
    }
}

/// Where the toasts stand.
#[component]
pub fn ToastStack() -> impl IntoView {
    let toasts = use_toasts();
    view! {
        <div class="toasts" role="region" aria-label="Notifications">
            <For
                each=move || toasts.notes.get()
                key=|note| note.id
                children=move |note| view! { <Toast note on_dismiss=move |id| toasts.dismiss(id)/> }
            />
        </div>
    }
}
