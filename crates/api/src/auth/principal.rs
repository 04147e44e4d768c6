//! The caller of a request.

use super::embedded::session_of;
use super::{bearer, tokens};
use crate::db::{Conn, organizations, sessions};
use crate::error::{AppError, AppResult};
use crate::state::AppState;
use actix_web::http::header::HeaderMap;
use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Data};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::future::Future;
use std::pin::Pin;
use std::str::FromStr;
use types::{ApiTokenId, OrganizationId, Role, UserId};
use uuid::Uuid;

/// The header that names the organization a request is about.
pub const ORGANIZATION_HEADER: &str = "Lmms-Organization";

/// What a token may be allowed to do; people may do all that their role allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Read; every other scope includes it.
    Read,
    /// Create, cancel and requeue runs.
    Runs,
    /// Edit models, benchmarks and slices.
    Models,
    /// Manage members, tokens, secrets and task folders.
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::Read, Self::Runs, Self::Models, Self::Admin];

    /// The text in tokens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Runs => "runs",
            Self::Models => "models",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|s| s.as_str() == text)
            .ok_or_else(|| format!("`{text}` is no scope; expected read, runs, models or admin"))
    }
}

/// Who it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Identity {
    /// A person.
    User {
        /// As in `auth.users`.
        id: UserId,
        /// Their address.
        email: Option<String>,
        /// The verified claims.
        claims: Value,
    },
    /// A machine.
    Token {
        /// The token.
        id: ApiTokenId,
        /// Its organization.
        organization_id: OrganizationId,
        /// What it may do at most.
        role: Role,
        /// What it may do; all of the role's when empty.
        scopes: Vec<Scope>,
    },
}

/// A role in an organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The organization.
    pub organization_id: OrganizationId,
    /// Its name.
    pub name: String,
    /// What the caller may do there.
    pub role: Role,
    /// Whether it is the demo.
    pub demo: bool,
}

/// The caller, with the organizations they belong to as of this request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Principal {
    /// Who it is.
    pub identity: Identity,
    /// Where they are a member.
    pub memberships: Vec<Membership>,
    /// The organization that the request names.
    pub organization: Option<OrganizationId>,
}

impl Principal {
    /// The organization of this request, when the caller may do `scope` there with at least `role`.
    ///
    /// # Errors
    /// 400 when it is not clear which organization is meant, 404 when it is none of the caller's, 403 else.
    pub fn require(&self, role: Role, scope: Scope) -> AppResult<OrganizationId> {
        let membership = self.current()?;
        self.check(membership.role, role, scope)?;
        Ok(membership.organization_id)
    }

    /// That the caller may do `scope` in `organization` with at least `role`: for things with an organization of their own.
    ///
    /// # Errors
    /// 404 for strangers, 403 when the role or the scope is not enough.
    pub fn require_in(&self, organization: OrganizationId, role: Role, scope: Scope) -> AppResult<()> {
        let own = self
            .role_in(organization)
            .ok_or_else(|| AppError::not_found("organization", organization))?;
        self.check(own, role, scope)
    }

    /// The caller's role in `organization`.
    pub fn role_in(&self, organization: OrganizationId) -> Option<Role> {
        let found = self
            .memberships
            .iter()
            .find(|m| m.organization_id == organization);
        found.map(|m| m.role)
    }

    /// The person, unless it is a token.
    pub fn user_id(&self) -> Option<UserId> {
        match self.identity {
            Identity::User { id, .. } => Some(id),
            Identity::Token { .. } => None,
        }
    }

    /// The token, unless it is a person.
    pub fn token_id(&self) -> Option<ApiTokenId> {
        match self.identity {
            Identity::User { .. } => None,
            Identity::Token { id, .. } => Some(id),
        }
    }

    /// Whether the caller may do `scope` at all.
    pub fn has_scope(&self, scope: Scope) -> bool {
        match &self.identity {
            Identity::User { .. } => true,
            Identity::Token { scopes, .. } => covers(scopes, scope),
        }
    }

    /// Whether no scope narrows the caller's role.
    pub fn has_every_scope(&self) -> bool {
        Scope::ALL.into_iter().all(|scope| self.has_scope(scope))
    }

    /// A stable name, e.g. for idempotency keys.
    pub fn key(&self) -> String {
        match self.identity {
            Identity::User { id, .. } => format!("user:{id}"),
            Identity::Token { id, .. } => format!("token:{id}"),
        }
    }

    /// Who did it, for records.
    pub fn actor(&self) -> Value {
        match &self.identity {
            Identity::User { id, email, .. } => json!({"kind": "user", "id": id, "email": email}),
            Identity::Token { id, .. } => json!({"kind": "token", "id": id}),
        }
    }

    /// `request.jwt.claims` of this caller's transactions.
    pub(crate) fn claims_json(&self) -> String {
        match &self.identity {
            Identity::User { claims, .. } => claims.to_string(),
            Identity::Token { .. } => r#"{"role":"authenticated"}"#.to_owned(),
        }
    }

    /// `app.principal` of this caller's transactions, which the policies read.
    pub(crate) fn database_json(&self) -> String {
        let value = match &self.identity {
            Identity::User { id, .. } => json!({"kind": "user", "id": id}),
            Identity::Token { .. } => json!(self.identity),
        };
        value.to_string()
    }

    /// The membership of the organization that this request is about.
    fn current(&self) -> AppResult<&Membership> {
        match (self.organization, self.memberships.as_slice()) {
            (Some(id), all) => all
                .iter()
                .find(|m| m.organization_id == id)
                .ok_or_else(|| AppError::not_found("organization", id)),
            (None, [only]) => Ok(only),
            (None, []) => Err(AppError::Forbidden(
                "you are not a member of any organization".to_owned(),
            )),
            (None, all) => {
                let names: Vec<_> = all
                    .iter()
                    .map(|m| format!("`{}` ({})", m.name, m.organization_id))
                    .collect();
                Err(AppError::OrganizationRequired(format!(
                    "the header `{ORGANIZATION_HEADER}` is missing; expected one of {}",
                    names.join(", ")
                )))
            }
        }
    }

    fn check(&self, own: Role, needed: Role, scope: Scope) -> AppResult<()> {
        if own < needed {
            return Err(AppError::Forbidden(format!(
                "your role is `{own}`; expected at least `{needed}`"
            )));
        }
        if self.has_scope(scope) {
            return Ok(());
        }
        Err(AppError::Forbidden(format!(
            "the token lacks the scope `{}`",
            scope.as_str()
        )))
    }

    /// The caller whose `Authorization` header this is.
    ///
    /// # Errors
    /// 401 when there is none or it is not valid.
    pub async fn from_headers(state: &AppState, headers: &HeaderMap) -> AppResult<Self> {
        let credential = bearer(headers)?;
        let organization = named_organization(headers)?;
        if credential.starts_with(tokens::PREFIX) {
            let (identity, membership) = tokens::identify(state, credential).await?;
            return Ok(Self {
                identity,
                memberships: vec![membership],
                organization,
            });
        }
        let nobody = Self {
            identity: state.keys.verify(credential).await?,
            memberships: Vec::new(),
            organization,
        };
        nobody.with_memberships(state).await
    }

    /// The same caller with today's memberships.
    ///
    /// # Errors
    /// 401 when their session or token is over, or when the database does not answer.
    pub async fn with_memberships(mut self, state: &AppState) -> AppResult<Self> {
        self.memberships = match &self.identity {
            Identity::Token { id, .. } => vec![tokens::membership(state, *id).await?],
            Identity::User { id, claims, .. } => {
                let asked = async |conn: &mut Conn| memberships_of(conn, state, *id, claims).await;
                state.db.user(&self, asked).await?
            }
        };
        Ok(self)
    }
}

async fn memberships_of(
    conn: &mut Conn,
    state: &AppState,
    user: UserId,
    claims: &Value,
) -> AppResult<Vec<Membership>> {
    if state.keys.is_embedded() && !is_session_open(conn, user, claims).await? {
        return Err(AppError::Unauthorized("the session is over".to_owned()));
    }
    Ok(organizations::memberships_of(conn, user).await?)
}

/// Our own access tokens always name the session they belong to.
async fn is_session_open(conn: &mut Conn, user: UserId, claims: &Value) -> AppResult<bool> {
    match session_of(claims) {
        Some(session) => Ok(sessions::is_open(conn, session, user).await?),
        None => Ok(false),
    }
}

fn covers(scopes: &[Scope], needed: Scope) -> bool {
    scopes.is_empty() || needed == Scope::Read || scopes.contains(&needed)
}

fn named_organization(headers: &HeaderMap) -> AppResult<Option<OrganizationId>> {
    let Some(value) = headers.get(ORGANIZATION_HEADER) else {
        return Ok(None);
    };
    let id = value.to_str().ok().and_then(|v| Uuid::parse_str(v.trim()).ok());
    id.map(|id| Some(OrganizationId(id))).ok_or_else(|| {
        AppError::Malformed(format!(
            "the header `{ORGANIZATION_HEADER}` is no id; expected a UUID"
        ))
    })
}

impl FromRequest for Principal {
    type Error = AppError;
    type Future = Pin<Box<dyn Future<Output = AppResult<Self>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let state = request
                .app_data::<Data<AppState>>()
                .ok_or_else(|| AppError::internal("the application has no state"))?;
            Self::from_headers(state, request.headers()).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(role: Role, scopes: Vec<Scope>) -> Principal {
        let organization_id = OrganizationId(Uuid::now_v7());
        Principal {
            identity: Identity::Token {
                id: ApiTokenId(Uuid::now_v7()),
                organization_id,
                role,
                scopes,
            },
            memberships: vec![Membership {
                organization_id,
                name: "A".into(),
                role,
                demo: false,
            }],
            organization: None,
        }
    }

    #[test]
    fn a_token_does_no_more_than_role_and_scopes() {
        let reader = token(Role::Editor, vec![Scope::Read]);
        reader.require(Role::Viewer, Scope::Read).unwrap();
        assert!(matches!(
            reader.require(Role::Editor, Scope::Runs),
            Err(AppError::Forbidden(_))
        ));
        let all = token(Role::Editor, vec![]);
        all.require(Role::Editor, Scope::Runs).unwrap();
        assert!(matches!(
            all.require(Role::Admin, Scope::Admin),
            Err(AppError::Forbidden(_))
        ));
    }

    #[test]
    fn several_organizations_must_be_told_apart() {
        let mut p = token(Role::Owner, vec![]);
        let second = Membership {
            organization_id: OrganizationId(Uuid::now_v7()),
            name: "B".into(),
            role: Role::Viewer,
            demo: false,
        };
        p.memberships.push(second.clone());
        let error = p.require(Role::Viewer, Scope::Read).unwrap_err();
        assert!(
            error.to_string().contains("`A`") && error.to_string().contains("`B`"),
            "{error}"
        );
        p.organization = Some(second.organization_id);
        assert_eq!(
            p.require(Role::Viewer, Scope::Read).unwrap(),
            second.organization_id
        );
        p.organization = Some(OrganizationId(Uuid::now_v7()));
        assert!(matches!(
            p.require(Role::Viewer, Scope::Read),
            Err(AppError::NotFound { .. })
        ));
    }
}
