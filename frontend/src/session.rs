//! Who is signed in. The access token lives in memory only; the refresh token is in a cookie that scripts cannot
//! read, so a reload asks `/auth/v1` for a new access token.

use std::{cell::RefCell, rc::Rc};

use futures_util::future::{FutureExt, LocalBoxFuture, Shared};
use gloo_net::http::Method;
use js_sys::Reflect;
use leptos::{prelude::*, task::spawn_local};
use serde::Deserialize;
use serde_json::json;
use types::{Me, MembershipView};

use crate::{
    api::http::{Call, send, text, value},
    components::{panel::Fault, time::now_ms},
};

/// Whether someone is signed in.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum State {
    /// Not known yet.
    #[default]
    Starting,
    /// Nobody.
    Out,
    /// The server could not say.
    Unknown(Fault),
    /// Someone.
    In(Grant),
}

/// What a sign-in gives.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Grant {
    token: String,
    /// When the token must be renewed, in milliseconds since the epoch.
    renew_at: f64,
}

/// The answer of `/auth/v1`.
#[derive(Debug, Deserialize)]
struct Issued {
    access_token: String,
    #[serde(default)]
    expires_in: Option<f64>,
}

impl From<Issued> for Grant {
    fn from(issued: Issued) -> Self {
        // Renewed half a minute early, or at half time when the token lives for less than a minute.
        let seconds = issued.expires_in.unwrap_or(3600.0).max(1.0);
        let renew_at = now_ms() + (seconds - 30.0).max(seconds / 2.0) * 1000.0;
        Self {
            token: issued.access_token,
            renew_at,
        }
    }
}

type Flight = Shared<LocalBoxFuture<'static, Result<Grant, Fault>>>;

/// The session; one per page, copied around.
#[derive(Clone, Copy)]
pub struct Session {
    state: RwSignal<State>,
    me: RwSignal<Option<Me>>,
    flight: StoredValue<Rc<RefCell<Option<Flight>>>, LocalStorage>,
}

impl Session {
    /// A session that asks the server whether someone is signed in.
    pub fn start() -> Self {
        let session = Self {
            state: RwSignal::new(State::Starting),
            me: RwSignal::new(None),
            flight: StoredValue::new_local(Rc::default()),
        };
        provide_context(session);
        session.resume();
        session
    }

    /// Whether someone is signed in.
    pub fn state(self) -> Signal<State> {
        self.state.into()
    }

    /// Who is signed in, once known.
    pub fn me(self) -> Signal<Option<Me>> {
        self.me.into()
    }

    /// Where the caller is a member.
    pub fn memberships(self) -> Signal<Vec<MembershipView>> {
        let me = self.me;
        Signal::derive(move || {
            me.with(|me| me.as_ref().map(|me| me.organizations.clone()).unwrap_or_default())
        })
    }

    /// Asks the server whether someone is signed in, unless this browser knows that nobody is.
    pub fn resume(self) {
        if !has_mark() {
            self.forget();
            return;
        }
        spawn_local(async move {
            if let Err(fault) = self.renew().await {
                self.settle_failed(fault);
            }
        });
    }

    fn settle_failed(self, fault: Fault) {
        let refused = (400..500).contains(&fault.status) && fault.status != 429;
        let state = if refused {
            State::Out
        } else {
            State::Unknown(fault)
        };
        let _ = self.state.try_set(state);
    }

    /// Signs in by address and password.
    ///
    /// # Errors
    /// Why the server refused.
    pub async fn sign_in(self, email: &str, password: &str) -> Result<(), Fault> {
        let call = Call::new(Method::POST, "/auth/v1/token?grant_type=password");
        let call = call.json(&json!({ "email": email, "password": password }))?;
        self.take(value::<Issued>(send(&call, None).await?).await?.into())
            .await
    }

    /// Signs in by the secret of a one-time link.
    ///
    /// # Errors
    /// Why the server refused: the link was used, or it is older than 15 minutes.
    pub async fn sign_in_by_link(self, secret: &str) -> Result<(), Fault> {
        let call = Call::new(Method::POST, "/auth/v1/link").json(&json!({ "secret": secret }))?;
        self.take(value::<Issued>(send(&call, None).await?).await?.into())
            .await
    }

    /// Creates an account and signs in; only where sign-up is open or the address is invited.
    ///
    /// # Errors
    /// Why the server refused.
    pub async fn sign_up(self, email: &str, password: &str) -> Result<(), Fault> {
        let call = Call::new(Method::POST, "/auth/v1/signup");
        let call = call.json(&json!({ "email": email, "password": password }))?;
        self.take(value::<Issued>(send(&call, None).await?).await?.into())
            .await
    }

    /// Sets the address and the password of the one who is signed in.
    ///
    /// # Errors
    /// Why the server refused.
    pub async fn set_credentials(self, email: &str, password: &str) -> Result<(), Fault> {
        let call =
            Call::new(Method::PUT, "/auth/v1/user").json(&json!({ "email": email, "password": password }))?;
        let call = call.header("Authorization", format!("Bearer {}", self.token().await?));
        text(send(&call, None).await?).await?;
        self.identify().await
    }

    /// Signs out, here and on the server.
    pub async fn sign_out(self) {
        if let Ok(token) = self.token().await {
            let call = Call::new(Method::POST, "/auth/v1/logout?scope=local");
            let call = call.header("Authorization", format!("Bearer {token}"));
            // Without an answer the cookie stays, and the next start would sign in again: say so by staying in.
            if let Err(fault) = send(&call, None).await {
                let _ = self.state.try_set(State::Unknown(fault));
                return;
            }
        }
        self.forget();
    }

    /// Forgets who was signed in; the shell then shows the sign-in page.
    pub fn forget(self) {
        set_mark(false);
        let _ = self.me.try_set(None);
        let _ = self.state.try_set(State::Out);
    }

    /// An access token that is good now.
    ///
    /// # Errors
    /// Nobody is signed in, or the server cannot be reached.
    pub async fn token(self) -> Result<String, Fault> {
        match self.state.try_get_untracked() {
            Some(State::In(grant)) if grant.renew_at > now_ms() => Ok(grant.token),
            // A request that was on its way when someone signed out must not sign in again.
            Some(State::Out) => Err(Fault {
                cause: "You are signed out.".to_owned(),
                status: 401,
                ..Fault::default()
            }),
            _ => Ok(self.renew().await?.token),
        }
    }

    /// A new access token, by the cookie. Several callers share one request: a refresh token works once.
    ///
    /// # Errors
    /// Nobody is signed in, or the server cannot be reached.
    pub async fn renew(self) -> Result<Grant, Fault> {
        let Some(slot) = self.flight.try_get_value() else {
            return Err(Fault::default());
        };
        let running = slot.borrow().clone();
        let flight = running.unwrap_or_else(|| {
            let flight = async move { self.fetch_grant().await }.boxed_local().shared();
            *slot.borrow_mut() = Some(flight.clone());
            flight
        });
        let result = flight.await;
        *slot.borrow_mut() = None;
        result
    }

    async fn fetch_grant(self) -> Result<Grant, Fault> {
        let call = Call::new(Method::POST, "/auth/v1/token?grant_type=refresh_token").json(&json!({}))?;
        let grant = match send(&call, None).await {
            Ok(response) => value::<Issued>(response).await.map(Grant::from),
            Err(fault) => Err(fault),
        };
        match &grant {
            Ok(grant) => self.take(grant.clone()).await?,
            Err(fault) if (400..500).contains(&fault.status) && fault.status != 429 => self.forget(),
            Err(_) => {}
        }
        grant
    }

    async fn take(self, grant: Grant) -> Result<(), Fault> {
        set_mark(true);
        let known = self.me.try_with_untracked(Option::is_some).unwrap_or(true);
        if known {
            let _ = self.state.try_set(State::In(grant));
            return Ok(());
        }
        // The pages need to know who is there and in which organizations, so that comes first.
        let me = who(&grant.token).await?;
        let _ = self.me.try_set(Some(me));
        let _ = self.state.try_set(State::In(grant));
        Ok(())
    }

    /// Asks again who is signed in.
    ///
    /// # Errors
    /// The server cannot be reached.
    pub async fn identify(self) -> Result<(), Fault> {
        let token = self.token().await?;
        let _ = self.me.try_set(Some(who(&token).await?));
        Ok(())
    }
}

/// Scripts cannot see the cookie of the session, so a second one, which says nothing, stands beside it: whoever has
/// it may ask for a new access token. It lives and is cleared with the other.
const MARK: &str = "signed-in=yes";

/// Whether someone may be signed in; also true where the browser does not say.
fn has_mark() -> bool {
    let cookies = Reflect::get(&document(), &"cookie".into())
        .ok()
        .and_then(|cookies| cookies.as_string());
    cookies.is_none_or(|cookies| cookies.contains(MARK))
}

fn set_mark(on: bool) {
    let age = if on { 400 * 24 * 3600 } else { 0 };
    let cookie = format!("{MARK}; Path=/; SameSite=Strict; Max-Age={age}");
    // Where cookies are forbidden nobody stays signed in anyway.
    let _ = Reflect::set(&document(), &"cookie".into(), &cookie.into());
}

async fn who(token: &str) -> Result<Me, Fault> {
    let call = Call::new(Method::GET, "/api/v1/me").header("Authorization", format!("Bearer {token}"));
    value(send(&call, None).await?).await
}

/// The session of this page.
pub fn use_session() -> Session {
    expect_context()
}
