//! What stands in place of runs for somebody who has none: the first launch, results of elsewhere, the way into the
//! demo.

use leptos::prelude::*;
use types::MembershipView;

use crate::{
    api::{endpoints, remote::remote},
    components::{
        button::{Button, ButtonLink, Look},
        icon::Glyph,
        panel::Empty,
    },
    session::use_session,
    shell::account::current,
    url::{Step, use_carry, use_organization, use_set_params},
};

/// A first run in the demo: an image, a text, a sound and a film, and one task that fails on purpose.
const DEMO_TASKS: &str = "demo_colour,demo_arithmetic,demo_tone,demo_motion,demo_broken";

/// No run in this organization yet.
#[component]
pub fn FirstRun() -> impl IntoView {
    let memberships = use_session().memberships();
    let organization = use_organization();
    let here = Memo::new(move |_| {
        memberships.with(|all| current(all, organization.get().as_deref()).is_some_and(|here| here.demo))
    });
    move || {
        if here.get() {
            view! { <FirstDemoRun/> }.into_any()
        } else {
            view! { <FirstOwnRun memberships/> }.into_any()
        }
    }
}

#[component]
fn FirstOwnRun(memberships: Signal<Vec<MembershipView>>) -> impl IntoView {
    let carry = use_carry();
    let set = use_set_params();
    let demo = move || memberships.with(|all| demo_of(all).map(|demo| demo.organization_id.to_string()));
    view! {
        <Empty title="No runs yet">
            <span>"A run evaluates one model checkpoint on a list of benchmarks. Its progress, log and scores will be here."</span>
            <div class="row">
                <ButtonLink look=Look::Primary icon=Glyph::Launch href=Signal::derive(move || carry("/launcher"))>"Launch a run"</ButtonLink>
                <ButtonLink icon=Glyph::Up href=Signal::derive(move || carry("/import"))>"Import results"</ButtonLink>
            </div>
            {move || demo().map(|id| view! {
                <span>"No model at hand? The demo organization has three, with a small task set of its own."</span>
                <Button on_click=move |_| set(&[("org", &id)], Step::Push)>"Go to the demo"</Button>
            })}
        </Empty>
    }
    .into_any()
}

#[component]
fn FirstDemoRun() -> impl IntoView {
    let carry = use_carry();
    let models = remote(|| Some(()), async |client, ()| endpoints::models(&client).await).value();
    let launch = Signal::derive(move || {
        let first = models.with(|list| {
            let first = list.as_ref().and_then(|list| list.models.first());
            first.map(|model| model.id.to_string())
        });
        carry(&format!(
            "/launcher?tasks={DEMO_TASKS}&model={}",
            first.unwrap_or_default()
        ))
    });
    view! {
        <Empty title="No runs in the demo yet">
            <span>"The models here are stand-ins that answer right with a given probability; what runs on them is a true lmms-eval, from launch to result in about a minute. One of the five tasks fails on purpose."</span>
            <div class="row">
                <ButtonLink look=Look::Primary icon=Glyph::Launch href=launch>"Set up a demo run"</ButtonLink>
                <ButtonLink icon=Glyph::Up href=Signal::derive(move || carry("/import"))>"Import results"</ButtonLink>
            </div>
        </Empty>
    }
    .into_any()
}

/// The demo among the organizations of this person.
fn demo_of(all: &[MembershipView]) -> Option<&MembershipView> {
    all.iter().find(|membership| membership.demo)
}
