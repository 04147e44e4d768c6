//! The client: adds the token and the organization, renews the token once when it is refused, and stops when the
//! view that asked is gone.

use gloo_net::http::{Method, Response};
use leptos::prelude::*;
use send_wrapper::SendWrapper;
use serde::{Serialize, de::DeserializeOwned};
use types::MembershipView;
use web_sys::AbortSignal;

use super::http::{Call, send, text, value};
use crate::{
    components::panel::Fault,
    session::{Session, use_session},
    url::use_organization,
};

/// The header that names the organization of a request.
const ORGANIZATION: &str = "Lmms-Organization";

/// The client; cheap to clone.
#[derive(Clone)]
pub struct Client {
    session: Session,
    organization: Signal<Option<String>>,
    memberships: Signal<Vec<MembershipView>>,
    abort: Option<SendWrapper<AbortSignal>>,
}

/// The client of this page.
pub fn use_client() -> Client {
    let session = use_session();
    Client {
        session,
        organization: use_organization(),
        memberships: session.memberships(),
        abort: None,
    }
}

impl Client {
    /// The same, with requests that end when the signal says so.
    #[must_use]
    pub fn until(&self, abort: AbortSignal) -> Self {
        Self {
            abort: Some(SendWrapper::new(abort)),
            ..self.clone()
        }
    }

    /// Whether requests can say for which organization they are: one is named, or there is only one. Reactive; a
    /// moment after the start the shell has named one.
    pub fn is_ready(&self) -> bool {
        self.organization.with(Option::is_some) || self.memberships.with(|all| all.len() < 2)
    }

    /// Sends a request as the one who is signed in.
    ///
    /// # Errors
    /// No answer, or nobody is signed in.
    pub async fn send(&self, call: Call) -> Result<Response, Fault> {
        let call = match self.organization.try_get_untracked().flatten() {
            Some(id) => call.header(ORGANIZATION, id),
            None => call,
        };
        let answer = self.attempt(&call, self.session.token().await?).await?;
        if answer.status() != 401 {
            return Ok(answer);
        }
        let renewed = self.session.renew().await?;
        drop(renewed);
        self.attempt(&call, self.session.token().await?).await
    }

    async fn attempt(&self, call: &Call, token: String) -> Result<Response, Fault> {
        let call = call.clone().header("Authorization", format!("Bearer {token}"));
        send(&call, self.abort.as_deref()).await
    }

    /// GET.
    ///
    /// # Errors
    /// Whatever keeps the value from coming.
    pub async fn get<T: DeserializeOwned>(&self, path: impl Into<String>) -> Result<T, Fault> {
        value(self.send(Call::new(Method::GET, path)).await?).await
    }

    /// GET of a text.
    ///
    /// # Errors
    /// Whatever keeps the text from coming.
    pub async fn get_text(&self, path: impl Into<String>) -> Result<String, Fault> {
        text(self.send(Call::new(Method::GET, path)).await?).await
    }

    /// POST with a body.
    ///
    /// # Errors
    /// Whatever keeps the value from coming; a problem names the fields.
    pub async fn post<B: Serialize, T: DeserializeOwned>(
        &self,
        path: impl Into<String>,
        body: &B,
    ) -> Result<T, Fault> {
        value(self.send(Call::new(Method::POST, path).json(body)?).await?).await
    }

    /// POST with a body and a key that makes a repeated request harmless.
    ///
    /// # Errors
    /// Whatever keeps the value from coming; a problem names the fields.
    pub async fn post_once<B: Serialize, T: DeserializeOwned>(
        &self,
        path: impl Into<String>,
        body: &B,
        key: &str,
    ) -> Result<T, Fault> {
        let call = Call::new(Method::POST, path)
            .json(body)?
            .header("Idempotency-Key", key);
        value(self.send(call).await?).await
    }

    /// PUT of a file.
    ///
    /// # Errors
    /// Whatever keeps the file from arriving.
    pub async fn put_file<T: DeserializeOwned>(
        &self,
        path: impl Into<String>,
        file: web_sys::File,
    ) -> Result<T, Fault> {
        value(self.send(Call::new(Method::PUT, path).file(file)).await?).await
    }

    /// PATCH with a body.
    ///
    /// # Errors
    /// Whatever keeps the value from coming; a problem names the fields.
    pub async fn patch<B: Serialize, T: DeserializeOwned>(
        &self,
        path: impl Into<String>,
        body: &B,
    ) -> Result<T, Fault> {
        value(self.send(Call::new(Method::PATCH, path).json(body)?).await?).await
    }

    /// DELETE.
    ///
    /// # Errors
    /// Whatever keeps it from being deleted.
    pub async fn delete<T: DeserializeOwned>(&self, path: impl Into<String>) -> Result<T, Fault> {
        value(self.send(Call::new(Method::DELETE, path)).await?).await
    }
}
