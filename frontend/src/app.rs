//! The table of contents: every page and its address.
//!
//! How a page is made. One folder under `pages/`, one component without properties, which ends in `.into_any()`.
//! In it:
//! - `shell::page::describe_page(title, way)` says what it is; `PageHead` and `Section` give it its form.
//! - `api::remote::remote(key, fetch)` loads something: again when its key changes, aborted when nobody waits.
//!   `components::panel::Panel` shows its four states. `api::endpoints` names what can be asked.
//! - The URL is the state: `url::use_param` reads a parameter, `url::use_set_params` changes some,
//!   `url::use_param_field` ties a text field to one, `url::use_carry` keeps organization and slice in a link.
//! - `live::store::RunStore::open(id)` is a run that is fetched and followed; its parts are read separately, so
//!   that a log line does not redraw the scores.
//! - `shell::keys::bind(..)` binds keys for as long as the page lives, and `?` shows them.
//! - Logic stands in plain functions with native tests; a view only calls them.
//! - No `style` attribute: data reaches the stylesheet as a custom property, `style=("--v", value)`.

use leptos::prelude::*;
use leptos_router::{
    components::{FlatRoutes, Redirect, Route, Router},
    path,
};

use crate::{
    components::{
        button::{Button, Look},
        icon::{Glyph, Icon},
        panel::{Empty, Fault},
        time::provide_clock,
    },
    pages::{
        benchmarks::Benchmarks,
        failures::Failures,
        home::Home,
        import::{Import, Imports},
        launcher::Launcher,
        leaderboard::Leaderboard,
        login::Login,
        model::Model,
        models::Models,
        run::Run,
        runs::Runs,
        slices::Slices,
    },
    session::{Session, State},
    shell::{Shell, theme::provide_theme},
};

/// The application.
#[component]
pub fn App() -> impl IntoView {
    provide_clock();
    provide_theme();
    let session = Session::start();
    view! { <Router><Gate session/></Router> }
}

/// Lets in who is signed in; the address stays, so that a link that was sent works after signing in.
#[component]
fn Gate(session: Session) -> impl IntoView {
    let state = session.state();
    let kind = Memo::new(move |_| match state.get() {
        State::Starting => Door::Wait,
        State::Out => Door::SignIn,
        State::Unknown(fault) => Door::Failed(fault),
        State::In(_) => Door::Inside,
    });
    move || match kind.get() {
        Door::Wait => ().into_any(),
        Door::SignIn => view! { <Login/> }.into_any(),
        Door::Failed(fault) => view! { <NoServer session fault/> }.into_any(),
        Door::Inside => view! { <Shell><Pages/></Shell> }.into_any(),
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Door {
    Wait,
    SignIn,
    Failed(Fault),
    Inside,
}

/// The pages.
#[component]
fn Pages() -> impl IntoView {
    view! {
        <FlatRoutes fallback=|| view! { <NotFound/> }>
            <Route path=path!("/") view=Home/>
            <Route path=path!("/home") view=|| view! { <Redirect path="/"/> }/>
            <Route path=path!("/login") view=|| view! { <Redirect path="/"/> }/>
            <Route path=path!("/import") view=Imports/>
            <Route path=path!("/import/:id") view=Import/>
            <Route path=path!("/runs") view=Runs/>
            <Route path=path!("/runs/:id") view=Run/>
            <Route path=path!("/launcher") view=Launcher/>
            <Route path=path!("/models") view=Models/>
            <Route path=path!("/models/:id") view=Model/>
            <Route path=path!("/benchmarks") view=Benchmarks/>
            <Route path=path!("/failures") view=Failures/>
            <Route path=path!("/leaderboard") view=Leaderboard/>
            <Route path=path!("/slices") view=Slices/>
        </FlatRoutes>
    }
    .into_any()
}

/// An address that is none of ours.
#[component]
fn NotFound() -> impl IntoView {
    crate::shell::page::describe_page(|| "Not found".to_owned(), Vec::new);
    let carry = crate::url::use_carry();
    view! {
        <Empty title="There is no such page">
            <span>"The address may be mistyped, or of a newer version."</span>
            <a class="btn" href=move || carry("/runs")>"Go to the runs"</a>
        </Empty>
    }
    .into_any()
}

/// The server does not answer, so it is not even known who is there.
#[component]
fn NoServer(session: Session, fault: Fault) -> impl IntoView {
    view! {
        <main class="login" id="main">
            <div class="login__box stack">
                <div class="nav__brand"><Icon glyph=Glyph::Brand/>"LMMS-Eval"</div>
                <h1>{fault.cause}</h1>
                <p class="muted">{fault.detail}</p>
                <div><Button look=Look::Primary on_click=move |_| session.resume()>"Try again"</Button></div>
            </div>
        </main>
    }
    .into_any()
}
