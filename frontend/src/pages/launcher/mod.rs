//! The launcher: choose, see exactly what will run, launch. The whole form is in the address.

pub mod address;
pub mod args;
pub mod benchmarks;
pub mod catalogue;
pub mod desk;
pub mod fields;
pub mod form;
pub mod hardware;
pub mod hints;
pub mod import;
pub mod launch;
pub mod model;
pub mod new_model;
pub mod picks;
pub mod presets;
pub mod reading;
pub mod settings;
pub mod shelf;
pub mod side;
pub mod table;

use leptos::prelude::*;

use self::{
    benchmarks::BenchmarkTree,
    desk::Desk,
    fields::Fields,
    import::{ImportDialog, SameAs, take_from, take_ids},
    model::ModelPicker,
    presets::Presets,
    settings::ConfigGrid,
    side::Side,
};
use crate::{
    components::{
        button::{Button, Look},
        tabs::Crumb,
        words::{Alert, Weight},
    },
    shell::page::{PageHead, describe_page},
    url::use_carry,
};

/// The page.
#[component]
pub fn Launcher() -> impl IntoView {
    let carry = use_carry();
    describe_page(
        || "Launch a run".to_owned(),
        move || vec![Crumb::link("Runs", carry("/runs"))],
    );
    let desk = Desk::open(Fields::of_address());
    provide_context(desk);
    take_ids(desk);
    let taken = take_from(desk);
    let importing = RwSignal::new(false);
    let actions = move || {
        view! {
            <SameAs/>
            <Button look=Look::Quiet on_click=move |_| importing.set(true)>"Import YAML…"</Button>
            <Presets desk/>
        }
        .into_any()
    };
    let note = move || {
        taken.get().map(|taken| match taken {
            Ok(cause) => view! { <Alert weight=Weight::Plain cause live=true/> },
            Err(cause) => view! { <Alert weight=Weight::Bad cause live=true/> },
        })
    };
    view! {
        <PageHead title=|| "Launch a run".into_any() actions=actions/>
        {note}
        <div class="cols launch">
            <div><ModelPicker/><BenchmarkTree/><ConfigGrid/></div>
            <Side/>
        </div>
        <ImportDialog open=importing/>
    }
    .into_any()
}
