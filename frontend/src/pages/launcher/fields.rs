//! The form as signals, one per field, tied to the address both ways.

use std::time::Duration;

use gloo_timers::callback::Timeout;
use leptos::prelude::*;

use super::{
    address::{of_params, to_params},
    args::ArgRow,
    form::{EnvRow, Form},
};
use crate::url::{Step, use_query, use_set_params};

/// How long the address waits for the next key.
const SETTLED: Duration = Duration::from_millis(250);

/// A row of a table of keys and values that is being typed.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// What tells it apart.
    pub id: usize,
    /// The key.
    pub key: RwSignal<String>,
    /// The value.
    pub value: RwSignal<String>,
    /// The value is the name of a secret.
    pub secret: RwSignal<bool>,
}

/// The rows of a table.
#[derive(Debug, Clone, Copy)]
pub struct Rows(pub RwSignal<Vec<Row>>);

impl Rows {
    fn new() -> Self {
        Self(RwSignal::new(Vec::new()))
    }

    /// Adds a row.
    pub fn add(self, key: &str, value: &str, secret: bool) {
        let row = Row {
            id: next_id(),
            key: RwSignal::new(key.to_owned()),
            value: RwSignal::new(value.to_owned()),
            secret: RwSignal::new(secret),
        };
        self.0.update(|rows| rows.push(row));
    }

    /// Removes a row.
    pub fn remove(self, id: usize) {
        self.0.update(|rows| rows.retain(|row| row.id != id));
    }

    fn read(self) -> Vec<EnvRow> {
        let one = |row: &Row| EnvRow {
            key: row.key.get(),
            value: row.value.get(),
            secret: row.secret.get(),
        };
        self.0.with(|rows| rows.iter().map(one).collect())
    }

    fn write(self, rows: &[EnvRow]) {
        let blank = |row: &&EnvRow| !row.key.is_empty() || !row.value.is_empty();
        if untrack(|| self.read())
            .iter()
            .filter(blank)
            .eq(rows.iter().filter(blank))
        {
            return;
        }
        self.0.set(Vec::new());
        for row in rows {
            self.add(&row.key, &row.value, row.secret);
        }
    }

    fn args(self) -> Vec<ArgRow> {
        self.read()
            .into_iter()
            .map(|row| ArgRow {
                key: row.key,
                value: row.value,
            })
            .collect()
    }

    fn write_args(self, rows: &[ArgRow]) {
        let row = |row: &ArgRow| EnvRow {
            key: row.key.clone(),
            value: row.value.clone(),
            secret: false,
        };
        self.write(&rows.iter().map(row).collect::<Vec<_>>());
    }
}

fn next_id() -> usize {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

macro_rules! fields {
    ($($(#[$doc:meta])* $field:ident: $kind:ty),+ $(,)?) => {
        /// The form as signals.
        #[derive(Debug, Clone, Copy)]
        pub struct Fields {
            $($(#[$doc])* pub $field: RwSignal<$kind>,)+
            /// Further generation arguments.
            pub gen_kwargs: Rows,
            /// Arguments of the model.
            pub model_args: Rows,
            /// Environment of the processes.
            pub environment: Rows,
        }

        impl Fields {
            fn new() -> Self {
                Self {
                    $($field: RwSignal::default(),)+
                    gen_kwargs: Rows::new(),
                    model_args: Rows::new(),
                    environment: Rows::new(),
                }
            }

            /// What is typed now.
            pub fn read(self) -> Form {
                Form {
                    $($field: self.$field.get(),)+
                    gen_kwargs: self.gen_kwargs.args(),
                    model_args: self.model_args.args(),
                    environment: self.environment.read(),
                }
            }

            /// Sets every field; those that hold their value already are left alone.
            pub fn write(self, form: &Form) {
                $(if self.$field.with_untracked(|now| *now != form.$field) {
                    self.$field.set(form.$field.clone());
                })+
                self.gen_kwargs.write_args(&form.gen_kwargs);
                self.model_args.write_args(&form.model_args);
                self.environment.write(&form.environment);
            }
        }
    };
}

fields! {
    /// A name for people.
    name: String,
    /// The model's id.
    model: String,
    /// The checkpoint; empty for the latest.
    checkpoint: String,
    /// Names of the picked benchmarks.
    tasks: Vec<String>,
    /// Seed.
    seed: String,
    /// Few-shot examples.
    shots: String,
    /// Temperature.
    temperature: String,
    /// Limit.
    limit: String,
    /// Offset.
    offset: String,
    /// Batch size.
    batch_size: String,
    /// Repeats.
    repeats: String,
    /// Compute profile.
    compute: String,
    /// One process per GPU.
    data_parallel: bool,
    /// One process per benchmark.
    separate: bool,
    /// Restarts of a benchmark.
    retry_benchmark: String,
    /// New attempts.
    retry_attempt: String,
    /// Longest duration.
    wall_clock: String,
    /// Longest answer.
    max_new_tokens: String,
    /// Nucleus sampling.
    top_p: String,
}

impl Fields {
    /// The fields of this page, filled from the address and written back to it.
    pub fn of_address() -> Self {
        let fields = Self::new();
        let query = use_query();
        let set = use_set_params();
        let in_address = Memo::new(move |_| query.with(|query| of_params(|name| query.get(name))));
        let written = StoredValue::new(Form::default());
        // The address changed by itself: a link, back, forward.
        Effect::new(move || {
            let form = in_address.get();
            if written.with_value(|written| *written != form) {
                written.set_value(form.clone());
                fields.write(&form);
            }
        });
        let pending = StoredValue::new_local(None::<Timeout>);
        Effect::new(move |first: Option<()>| {
            let form = fields.read();
            if first.is_none() {
                return;
            }
            let write = move || {
                // What the address can hold, blank rows left out, is what comes back from it.
                let params = to_params(&form);
                let kept = of_params(|name| {
                    params
                        .iter()
                        .find(|(known, _)| *known == name)
                        .map(|(_, value)| value.clone())
                });
                if written.try_with_value(|written| *written == kept) != Some(false) {
                    return;
                }
                written.set_value(kept);
                let changes: Vec<(&str, &str)> = params
                    .iter()
                    .map(|(name, value)| (*name, value.as_str()))
                    .collect();
                set(&changes, Step::Replace);
            };
            pending.set_value(Some(Timeout::new(SETTLED.as_millis() as u32, write)));
        });
        on_cleanup(move || drop(pending.try_update_value(Option::take)));
        fields
    }
}
