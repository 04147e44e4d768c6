//! The launch: once per form, and why it was refused.

use leptos::{prelude::*, task::spawn_local};
use types::CreateRun;
use uuid::Uuid;

use super::desk::{Desk, use_desk};
use crate::{
    api::{client::use_client, endpoints},
    components::{
        button::{Button, Look, Size},
        icon::Glyph,
        panel::Fault,
        words::{Alert, Weight},
    },
    format::{count, plural},
    url::{Step, use_carry, use_go},
};

/// A key per form: the same form launched twice by a double click or a lost answer is one run.
#[derive(Debug, Clone, PartialEq)]
struct Once {
    run: CreateRun,
    key: String,
}

fn key_for(held: &mut Option<Once>, run: &CreateRun) -> String {
    match held {
        Some(once) if once.run == *run => once.key.clone(),
        _ => {
            let key = Uuid::new_v4().to_string();
            *held = Some(Once {
                run: run.clone(),
                key: key.clone(),
            });
            key
        }
    }
}

/// Launches what the form asks for.
#[component]
pub fn LaunchButton() -> impl IntoView {
    let desk = use_desk();
    let client = StoredValue::new_local(use_client());
    let busy = RwSignal::new(false);
    let once = StoredValue::new(None::<Once>);
    let (go, carry) = (use_go(), use_carry());
    let launch = move || {
        desk.tried.set(true);
        let Ok(run) = desk.request.get_untracked() else {
            return reveal_fault();
        };
        let Some(key) = once.try_update_value(|held| key_for(held, &run)) else {
            return;
        };
        let client = client.get_value();
        busy.set(true);
        desk.refused.set(None);
        spawn_local(async move {
            let answer = endpoints::create_run(&client, &run, &key).await;
            let _ = busy.try_set(false);
            match answer {
                Ok(created) => {
                    once.try_set_value(None);
                    go(
                        &untrack(|| carry(&format!("/runs/{}", created.run_id))),
                        Step::Push,
                    );
                }
                Err(fault) => {
                    let _ = desk.refused.try_set(Some(fault));
                    reveal_fault();
                }
            }
        });
    };
    let words = move || match desk.form.with(|form| form.tasks.len()) {
        0 => "Launch".to_owned(),
        1 => "Launch 1 benchmark".to_owned(),
        n => format!("Launch {} benchmarks", count(n as i64)),
    };
    view! {
        <div class="launch__go stack">
            <Refusal desk/>
            <div class="row">
                <Button look=Look::Primary size=Size::Large icon=Glyph::Launch grow=true busy on_click=move |_| launch()>{words}</Button>
                <Export/>
            </div>
        </div>
    }
    .into_any()
}

/// Why the launch did not happen: what is not shown beside a field.
#[component]
fn Refusal(desk: Desk) -> impl IntoView {
    let local = move || {
        let wrong = desk
            .request
            .with(|request| request.as_ref().err().map(Vec::len))
            .filter(|_| desk.tried.get());
        wrong.map(|n| {
            format!(
                "{} to be mended first.",
                plural(n as u64, "field has", "fields have")
            )
        })
    };
    let shown = move || {
        let local = local().map(|cause| Fault {
            cause,
            ..Fault::default()
        });
        local.or_else(|| desk.refused.get())
    };
    move || {
        shown().map(|fault| {
            // What is wrong with a field stands at the field.
            let detail = fault.detail.clone();
            view! { <Alert weight=Weight::Bad cause=fault.cause live=true>{detail}</Alert> }
        })
    }
}

/// Brings the first field that is wrong into sight, once it is marked.
fn reveal_fault() {
    request_animation_frame(|| {
        let found = document()
            .query_selector("[aria-invalid=true], .launch .alert--bad")
            .ok()
            .flatten();
        if let Some(field) = found {
            let options = web_sys::ScrollIntoViewOptions::new();
            options.set_block(web_sys::ScrollLogicalPosition::Center);
            field.scroll_into_view_with_scroll_into_view_options(&options);
        }
    });
}

/// The settings as lmms-eval's own `--config` takes them.
#[component]
fn Export() -> impl IntoView {
    let desk = use_desk();
    let yaml = move || {
        desk.preview
            .load
            .with(|load| load.value.as_ref().map(|p| p.config_yaml.clone()))
    };
    let disabled = Signal::derive(move || yaml().is_none() || desk.request.with(Result::is_err));
    let save = move |_| {
        if let Some(text) = yaml() {
            crate::components::download::save("lmms-eval.yaml", "application/yaml", &text);
        }
    };
    view! {
        <Button size=Size::Large icon=Glyph::Download disabled on_click=save title="For lmms-eval --config">"YAML"</Button>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_key_lasts_as_long_as_the_form() {
        let run: CreateRun =
            serde_json::from_value(json!({"model_id": Uuid::nil(), "benchmark_ids": []})).unwrap();
        let mut held = None;
        let first = key_for(&mut held, &run);
        assert_eq!(key_for(&mut held, &run), first);
        assert_ne!(
            key_for(
                &mut held,
                &CreateRun {
                    name: Some("x".into()),
                    ..run
                }
            ),
            first
        );
    }
}
