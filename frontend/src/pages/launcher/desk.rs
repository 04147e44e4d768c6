//! What the parts of the launcher share: the fields, what they can choose from, the run they ask for, and what the
//! server says to it.

use std::{collections::HashMap, sync::Arc};

use gloo_timers::callback::Timeout;
use leptos::prelude::*;
use types::{
    BenchmarkList, BenchmarkView, CreateRun, FieldError, ModelList, ModelView, RunPreview, SystemStatus,
};

use super::{catalogue::Catalogue, fields::Fields, form::Form, hints::Hints};
use crate::{
    api::{
        endpoints,
        remote::{Remote, poll, remote},
    },
    components::panel::Fault,
};

/// How long the preview waits for the next key, in milliseconds.
const SETTLED: u32 = 250;

/// What the parts share.
#[derive(Clone, Copy)]
pub struct Desk {
    /// The form.
    pub fields: Fields,
    /// The form as it is typed now.
    pub form: Memo<Form>,
    /// All models.
    pub models: Remote<ModelList>,
    /// The catalogue as it was fetched.
    pub benchmarks: Remote<BenchmarkList>,
    /// The catalogue by name.
    pub catalogue: Memo<Arc<Catalogue>>,
    /// Machines and GPUs.
    pub system: Remote<SystemStatus>,
    /// The run that the form asks for, or what is wrong with it.
    pub request: Memo<Result<CreateRun, Vec<FieldError>>>,
    /// What would run.
    pub preview: Remote<RunPreview>,
    /// What the server said to the last launch.
    pub refused: RwSignal<Option<Fault>>,
    /// Someone has tried to launch, so that empty fields are named too.
    pub tried: RwSignal<bool>,
    faults: Memo<HashMap<String, String>>,
}

impl Desk {
    /// Opens the desk over the fields.
    pub fn open(fields: Fields) -> Self {
        let form = Memo::new(move |_| fields.read());
        let models = remote(
            move || Some(()),
            async |client, ()| endpoints::models(&client).await,
        );
        let benchmarks = remote(
            move || Some(()),
            async |client, ()| endpoints::benchmarks(&client).await,
        );
        let system = remote(
            move || Some(()),
            async |client, ()| endpoints::system(&client).await,
        );
        poll(system, 10_000, || true);
        let catalogue = Memo::new_with_compare(
            move |_| {
                let list = benchmarks.load.with(|load| load.value.clone());
                Arc::new(
                    list.map(|list| Catalogue::new(list.benchmarks.clone()))
                        .unwrap_or_default(),
                )
            },
            |a, b| match (a, b) {
                (Some(a), Some(b)) => !Arc::ptr_eq(a, b),
                _ => true,
            },
        );
        let request =
            Memo::new(move |_| form.with(|form| catalogue.with(|catalogue| form.request(catalogue))));
        let settled = settle(request);
        let preview = remote(
            move || settled.get().ok(),
            async |client, run: CreateRun| endpoints::preview(&client, &run).await,
        );
        let refused = RwSignal::new(None::<Fault>);
        let tried = RwSignal::new(false);
        let faults = Memo::new(move |_| {
            let local = request.with(|request| request.clone().err().unwrap_or_default());
            let previewed = preview
                .load
                .with(|load| load.fault.as_ref().map(|fault| fault.fields.clone()));
            let launched = refused.with(|fault| fault.as_ref().map(|fault| fault.fields.clone()));
            let show_empty = tried.get();
            let of_server = previewed
                .into_iter()
                .chain(launched)
                .flatten()
                .filter(|_| local.is_empty());
            let shown = local
                .iter()
                .filter(|fault| show_empty || fault.field.starts_with("config"))
                .cloned();
            let mut map = HashMap::new();
            for fault in shown.chain(of_server) {
                map.entry(place(&fault.field).to_owned()).or_insert(fault.message);
            }
            map
        });
        // A change of the form answers the last refusal.
        Effect::new(move |before: Option<()>| {
            form.track();
            if before.is_some() {
                refused.set(None);
            }
        });
        Self {
            fields,
            form,
            models,
            benchmarks,
            catalogue,
            system,
            request,
            preview,
            refused,
            tried,
            faults,
        }
    }

    /// What is wrong with a field, as the server names it.
    pub fn fault(self, field: &'static str) -> Signal<Option<String>> {
        Signal::derive(move || {
            self.faults
                .with(|faults| faults.get(field).map(|message| sentence(message)))
        })
    }

    /// What is wrong with one row of a table of keys and values.
    pub fn row_fault(self, table: &'static str, key: RwSignal<String>) -> Signal<Option<String>> {
        Signal::derive(move || {
            let field = key.with(|key| format!("config.{table}.{}", key.trim()));
            self.faults
                .with(|faults| faults.get(&field).map(|message| sentence(message)))
        })
    }

    /// The chosen model.
    pub fn model(self) -> Memo<Option<ModelView>> {
        let models = self.models;
        let chosen = self.fields.model;
        Memo::new(move |_| {
            let list = models.load.with(|load| load.value.clone())?;
            let id = chosen.get();
            list.models
                .iter()
                .find(|model| model.id.to_string() == id)
                .cloned()
        })
    }

    /// What the picked tasks say by themselves.
    pub fn hints(self) -> Memo<Hints> {
        Memo::new(move |_| {
            self.fields.tasks.with(|tasks| {
                self.catalogue.with(|catalogue| {
                    let rows: Vec<&BenchmarkView> =
                        tasks.iter().filter_map(|name| catalogue.find(name)).collect();
                    Hints::of(&rows)
                })
            })
        })
    }
}

/// The field of the form that a field of the request belongs to: `benchmark_ids[2]` is one of the picks.
fn place(field: &str) -> &str {
    if field.starts_with("benchmark_ids[") {
        "benchmark_ids"
    } else {
        field
    }
}

/// A fragment of a problem as a sentence: "is 2.5; expected …" becomes "Is 2.5; expected …".
pub fn sentence(fragment: &str) -> String {
    let mut characters = fragment.chars();
    characters
        .next()
        .map(|first| first.to_uppercase().chain(characters).collect())
        .unwrap_or_default()
}

/// Follows a value once it has rested for a moment.
pub fn settle<T: Clone + PartialEq + Send + Sync + 'static>(value: Memo<T>) -> ReadSignal<T> {
    let (settled, set) = signal(value.get_untracked());
    let pending = StoredValue::new_local(None::<Timeout>);
    Effect::new(move |first: Option<()>| {
        let now = value.get();
        if first.is_none() {
            return;
        }
        let timer = Timeout::new(SETTLED, move || {
            let _ = set.try_set(now);
        });
        pending.set_value(Some(timer));
    });
    on_cleanup(move || drop(pending.try_update_value(Option::take)));
    settled
}

/// The desk of this page.
pub fn use_desk() -> Desk {
    expect_context()
}

#[cfg(test)]
mod tests {
    #[test]
    fn fragments_become_sentences() {
        assert_eq!(super::sentence("is 2; expected 1"), "Is 2; expected 1");
        assert_eq!(super::sentence(""), "");
    }
}
