//! Who is signed in, in which organization; and the first owner's address and password.

use leptos::{prelude::*, task::spawn_local};
use types::MembershipView;

use crate::{
    components::{
        button::{Button, SubmitButton},
        field::{Kind, TextField},
        overlay::{Dialog, Item, Menu, MenuLook},
        panel::Fault,
        words::{Alert, Weight},
    },
    session::use_session,
    shell::theme::use_theme,
    url::{Step, use_organization, use_param, use_set_params},
};

/// Whether the dialog for address and password is open; shared with the command palette.
#[derive(Clone, Copy)]
pub struct CredentialsOpen(pub RwSignal<bool>);

/// The account at the foot of the navigation.
#[component]
pub fn AccountMenu() -> impl IntoView {
    let session = use_session();
    let organization = use_organization();
    let memberships = session.memberships();
    let credentials = expect_context::<CredentialsOpen>().0;
    let set = use_set_params();
    let theme = use_theme();
    let here =
        move || memberships.with(|all| current(all, organization.get().as_deref()).map(|m| m.name.clone()));
    let who = move || {
        let email = session
            .me()
            .with(|me| me.as_ref().and_then(|me| me.email.clone()));
        email.unwrap_or_else(|| "first owner".to_owned())
    };
    let label = Signal::derive(move || here().unwrap_or_else(who));
    let items = move |()| {
        let chosen = organization.get_untracked();
        let all = memberships.get_untracked();
        let now = current(&all, chosen.as_deref()).map(|m| m.organization_id);
        let mut items: Vec<Item> = Vec::new();
        if all.len() > 1 {
            items.extend(all.into_iter().map(|membership| {
                let id = membership.organization_id.to_string();
                Item::new(membership.name, move || set(&[("org", &id)], Step::Push))
                    .meta(membership.role.to_string())
                    .chosen(now == Some(membership.organization_id))
            }));
        }
        items.push(Item::new("Address and password…", move || {
            credentials.set(true);
        }));
        let other = if untrack(|| theme.is_dark()) {
            "Light theme"
        } else {
            "Dark theme"
        };
        items.push(Item::new(other, move || theme.toggle()));
        items.push(Item::new("Sign out", move || spawn_local(session.sign_out())).meta(who()));
        items
    };
    view! {
        <div class="nav__account">
            <Menu label look=MenuLook::Quiet items/>
        </div>
    }
}

/// The membership that holds: the one the address names, else the only one.
pub fn current<'a>(all: &'a [MembershipView], named: Option<&str>) -> Option<&'a MembershipView> {
    match named {
        Some(id) => all
            .iter()
            .find(|membership| membership.organization_id.to_string() == id),
        None => all.first().filter(|_| all.len() == 1),
    }
}

/// Keeps an organization in the address when there are several: the one used last, else the first that is no demo.
pub fn keep_organization() {
    let memberships = use_session().memberships();
    let named = use_param("org");
    let set = use_set_params();
    let last = StoredValue::new(String::new());
    Effect::new(move || {
        let named = named.get();
        let all = memberships.get();
        if !named.is_empty() {
            last.set_value(named);
        } else if all.len() > 1 {
            let used = last.get_value();
            let preferred = current(&all, Some(&used))
                .or_else(|| all.iter().find(|membership| !membership.demo))
                .or_else(|| all.first());
            if let Some(membership) = preferred {
                set(&[("org", &membership.organization_id.to_string())], Step::Replace);
            }
        }
    });
}

/// Remembers, for this tab, that address and password can wait.
const POSTPONED: &str = "lmms-credentials-later";

fn is_postponed() -> bool {
    let storage = window().session_storage().ok().flatten();
    storage.is_some_and(|storage| matches!(storage.get_item(POSTPONED), Ok(Some(_))))
}

fn postpone() {
    if let Ok(Some(storage)) = window().session_storage() {
        // Without room the dialog opens once more; nothing is lost.
        let _ = storage.set_item(POSTPONED, "1");
    }
}

/// The dialog in which the first owner sets address and password. It opens by itself while they are missing,
/// until they are put off.
#[component]
pub fn CredentialsDialog() -> impl IntoView {
    let session = use_session();
    let open = expect_context::<CredentialsOpen>().0;
    Effect::new(move || {
        if session
            .me()
            .with(|me| me.as_ref().is_some_and(|me| me.needs_password))
            && !is_postponed()
        {
            open.set(true);
        }
    });
    view! {
        <Dialog open title="Address and password">
            <CredentialsForm open/>
        </Dialog>
    }
}

#[component]
fn CredentialsForm(open: RwSignal<bool>) -> impl IntoView {
    let session = use_session();
    let known = session
        .me()
        .with_untracked(|me| me.as_ref().and_then(|me| me.email.clone()))
        .unwrap_or_default();
    let (email, password) = (RwSignal::new(known), RwSignal::new(String::new()));
    let (busy, fault) = (RwSignal::new(false), RwSignal::new(None::<Fault>));
    let short = Memo::new(move |_| password.with(|text| !text.is_empty() && text.chars().count() < 8));
    let error = Signal::derive(move || short.get().then(|| "Use 8 characters or more".to_owned()));
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() || short.get_untracked() {
            return;
        }
        busy.set(true);
        spawn_local(async move {
            let result = session
                .set_credentials(&email.get_untracked(), &password.get_untracked())
                .await;
            let _ = busy.try_set(false);
            let done = result.is_ok();
            let _ = fault.try_set(result.err());
            if done {
                let _ = open.try_set(false);
            }
        });
    };
    let later = move |_| {
        postpone();
        open.set(false);
    };
    view! {
        <form on:submit=submit>
            <div class="dialog__body">
                <p>"The one-time link signs in once. With an address and a password you can come back."</p>
                <TextField label="E-mail" value=email kind=Kind::Email autocomplete="username" required=true/>
                <TextField label="New password" value=password kind=Kind::Password autocomplete="new-password" required=true
                    hint="8 characters or more" error/>
                {move || fault.get().map(|fault| view! { <Alert weight=Weight::Bad cause=fault.cause.clone() live=true>{fault.detail}</Alert> })}
            </div>
            <div class="dialog__foot">
                <Button on_click=later>"Later"</Button>
                <SubmitButton busy>"Save"</SubmitButton>
            </div>
        </form>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::current;
    use types::{MembershipView, OrganizationId, Role};
    use uuid::Uuid;

    fn member(number: u128) -> MembershipView {
        MembershipView {
            organization_id: OrganizationId(Uuid::from_u128(number)),
            name: format!("o{number}"),
            role: Role::Viewer,
            demo: false,
        }
    }

    #[test]
    fn one_of_several_must_be_named() {
        let all = [member(1), member(2)];
        assert_eq!(current(&all, None), None);
        assert_eq!(
            current(&all, Some(&all[1].organization_id.to_string())),
            Some(&all[1])
        );
        assert_eq!(current(&all[..1], None), Some(&all[0]));
        assert_eq!(current(&all, Some("nonsense")), None);
    }
}
