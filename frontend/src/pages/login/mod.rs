//! Sign-in: by the one-time link that `lmms-dash up` prints, by address and password, or with an invitation.

use leptos::{ev::SubmitEvent, prelude::*, task::spawn_local};
use types::PublicConfig;

use crate::{
    api::endpoints,
    components::{
        button::{Button, Look, Size, SubmitButton},
        field::{Kind, TextField},
        icon::{Glyph, Icon},
        panel::Fault,
        words::{Alert, Weight},
    },
    session::{Session, use_session},
    shell::theme::use_theme,
};

/// The shortest password.
const SHORTEST: usize = 8;

/// The secret in the fragment of a sign-in link: `#link=<secret>`, or the fragment as a whole.
pub fn link_secret(fragment: &str) -> Option<&str> {
    let fragment = fragment.trim_start_matches('#');
    let named = fragment
        .split('&')
        .find_map(|part| part.split_once('=').filter(|(name, _)| *name == "link"));
    let secret = match named {
        Some((_, secret)) => secret,
        None if fragment.contains('=') => return None,
        None => fragment,
    };
    let is_secret = secret.len() >= 16
        && secret
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.~".contains(c));
    is_secret.then_some(secret)
}

/// Takes the secret out of the address, so that it stays in no history, no screenshot and no bookmark.
fn take_secret() -> Option<String> {
    let location = window().location();
    let secret = link_secret(&location.hash().ok()?)?.to_owned();
    let path = format!("{}{}", location.pathname().ok()?, location.search().ok()?);
    let history = window().history().ok()?;
    // A secret works once, so one that stays in the address is ugly but harmless.
    let _ = history.replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(&path));
    Some(secret)
}

/// The sign-in page.
#[component]
pub fn Login() -> impl IntoView {
    let session = use_session();
    let config = RwSignal::new(None::<PublicConfig>);
    let link = RwSignal::new(LinkState::None);
    document().set_title("Sign in · LMMS-Eval Dashboard");
    spawn_local(async move {
        // Without an answer the page still offers the password; the next click will say what is wrong.
        if let Ok(answer) = endpoints::public_config().await {
            let _ = config.try_set(Some(answer));
        }
    });
    if let Some(secret) = take_secret() {
        link.set(LinkState::Busy);
        spawn_local(async move {
            if let Err(fault) = session.sign_in_by_link(&secret).await {
                let _ = link.try_set(LinkState::Refused(fault));
            }
        });
    }
    let body = move || match link.get() {
        LinkState::Busy => {
            view! { <p class="muted" role="status">"Signing in with the link…"</p> }.into_any()
        }
        LinkState::Refused(fault) => view! { <LinkRefused fault/><PasswordForm session config/> }.into_any(),
        LinkState::None => view! { <PasswordForm session config/> }.into_any(),
    };
    view! {
        <main class="login" id="main">
            <div class="login__box">
                <div class="nav__brand"><Icon glyph=Glyph::Brand/>"LMMS-Eval"</div>
                <h1>"Sign in"</h1>
                <div class="login__body stack stack--4">{body}</div>
                <p class="login__help small muted">
                    "First start on this machine? Open the one-time link that " <code>"lmms-dash up"</code> " printed."
                </p>
            </div>
            <LoginFoot config/>
        </main>
    }
    .into_any()
}

#[derive(Debug, Clone, PartialEq)]
enum LinkState {
    None,
    Busy,
    Refused(Fault),
}

#[component]
fn LinkRefused(fault: Fault) -> impl IntoView {
    let detail = format!(
        "{} A link works once, for 15 minutes; restart lmms-dash to get a new one, or sign in with your password.",
        fault.detail
    );
    view! { <Alert weight=Weight::Bad cause="This sign-in link does not work." live=true>{detail}</Alert> }
}

#[component]
fn LoginFoot(config: RwSignal<Option<PublicConfig>>) -> impl IntoView {
    let theme = use_theme();
    let version = move || {
        config.with(|config| {
            config
                .as_ref()
                .map(|config| format!("lmms-dash {}", config.version))
        })
    };
    view! {
        <footer class="login__foot small dim">
            <span>{version}</span>
            <Button look=Look::Quiet size=Size::Small icon=Glyph::Sun on_click=move |_| theme.toggle()>"Light or dark"</Button>
        </footer>
    }
}

/// What keeps the form from being sent, per field.
fn check(email: &str, password: &str, creating: bool) -> (Option<String>, Option<String>) {
    let email_fault =
        (!email.contains('@') || email.trim().len() < 3).then(|| "Enter your e-mail address".to_owned());
    let password_fault = if password.is_empty() {
        Some("Enter your password".to_owned())
    } else if creating && password.chars().count() < SHORTEST {
        Some(format!("Use {SHORTEST} characters or more"))
    } else {
        None
    };
    (email_fault, password_fault)
}

/// The form for address and password.
#[component]
fn PasswordForm(session: Session, config: RwSignal<Option<PublicConfig>>) -> impl IntoView {
    let (email, password) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let (email_error, password_error) = (RwSignal::new(None::<String>), RwSignal::new(None::<String>));
    let (busy, creating) = (RwSignal::new(false), RwSignal::new(false));
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        let (address, secret, create) = (
            email.get_untracked(),
            password.get_untracked(),
            creating.get_untracked(),
        );
        let (email_fault, password_fault) = check(&address, &secret, create);
        let sound = email_fault.is_none() && password_fault.is_none();
        email_error.set(email_fault);
        password_error.set(password_fault);
        if !sound {
            return;
        }
        busy.set(true);
        spawn_local(async move {
            let result = match create {
                true => session.sign_up(address.trim(), &secret).await,
                false => session.sign_in(address.trim(), &secret).await,
            };
            let _ = busy.try_set(false);
            if let Err(fault) = result {
                let _ = password_error.try_set(Some(refusal(&fault)));
            }
        });
    };
    let may_create = move || config.with(|config| config.as_ref().is_some_and(|config| config.open_sign_up));
    let switch = move || {
        let words = if creating.get() {
            "I have an account"
        } else {
            "Create an account"
        };
        may_create().then(|| {
            view! { <button type="button" class="link small" on:click=move |_| creating.update(|on| *on = !*on)>{words}</button> }
        })
    };
    view! {
        <form class="stack stack--4" novalidate=true on:submit=send>
            <TextField label="E-mail" value=email kind=Kind::Email autocomplete="username" required=true error=email_error/>
            <TextField label="Password" value=password kind=Kind::Password autocomplete="current-password" required=true
                error=password_error/>
            <SubmitButton size=Size::Large busy>{move || if creating.get() { "Create account" } else { "Sign in" }}</SubmitButton>
            {switch}
        </form>
    }
    .into_any()
}

/// Why the server refused, beside the password.
fn refusal(fault: &Fault) -> String {
    let refused = matches!(fault.status, 400 | 401 | 422);
    // The Auth API says this in its own words, which its other clients look for.
    let mismatch = fault.detail.is_empty() || fault.detail.eq_ignore_ascii_case("invalid login credentials.");
    match (refused, mismatch) {
        (true, true) => "E-mail and password do not match".to_owned(),
        (true, false) => fault.detail.clone(),
        (false, _) => fault.line(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_of_a_link_is_found() {
        let secret = "q3Zk0n-_x7Yb2Lw9Vd4TqA";
        assert_eq!(link_secret(&format!("#link={secret}")), Some(secret));
        assert_eq!(link_secret(&format!("#{secret}")), Some(secret));
        assert_eq!(link_secret(&format!("#a=b&link={secret}")), Some(secret));
        for none in [
            "",
            "#",
            "#main",
            "#link=",
            "#other=q3Zk0n-_x7Yb2Lw9Vd4TqA",
            "#link=<script>alert(1)</script>",
        ] {
            assert_eq!(link_secret(none), None, "{none}");
        }
    }

    #[test]
    fn the_form_says_what_is_missing() {
        assert_eq!(check("a@b.example", "secret-1", true), (None, None));
        assert_eq!(check("a@b.example", "short", false), (None, None));
        assert_eq!(
            check("a@b.example", "short", true).1.as_deref(),
            Some("Use 8 characters or more")
        );
        assert_eq!(
            check("nobody", "", false).0.as_deref(),
            Some("Enter your e-mail address")
        );
    }

    #[test]
    fn a_refusal_is_told_in_words() {
        let fault = Fault {
            status: 401,
            ..Fault::default()
        };
        assert_eq!(refusal(&fault), "E-mail and password do not match");
        let fault = Fault {
            status: 400,
            detail: "Invalid login credentials.".into(),
            ..Fault::default()
        };
        assert_eq!(refusal(&fault), "E-mail and password do not match");
        let fault = Fault {
            cause: "The server is not ready.".into(),
            status: 503,
            ..Fault::default()
        };
        assert_eq!(refusal(&fault), "The server is not ready.");
    }
}
