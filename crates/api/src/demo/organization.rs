//! The demo's organization: made at the first start, brought up to date at every other.

use super::endpoint::KEY;
use super::tasks;
use crate::db::models::{ModelChange, NewCheckpoint, NewModel};
use crate::db::{self, Conn, Db, indexed, models, organizations};
use serde_json::json;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;
use types::{ArgList, ArgValue, ModelId, ModelView, OrganizationId, Role, UserId};
use uuid::Uuid;

/// What the organization is called, unless another one has the name.
pub const NAME: &str = "Demo";
/// Requests that lmms-eval has in flight.
const CONCURRENT: i64 = 4;
/// Attempts at a request, a second apart: a restart of this server costs an evaluation nothing.
const RETRIES: i64 = 60;

/// Why there is no demo.
#[derive(Debug, Error)]
pub enum DemoError {
    /// The database failed.
    #[error("the demo cannot be stored")]
    Db(#[from] db::Error),
    /// The tasks cannot be written.
    #[error("the demo's `{path}` cannot be written")]
    Files {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The writing thread is gone.
    #[error("the demo's tasks cannot be written")]
    Writer(#[from] tokio::task::JoinError),
}

impl From<diesel::result::Error> for DemoError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

/// A model of the demo as it is stored.
struct Listed {
    /// Also what the endpoint calls it.
    name: &'static str,
    notes: &'static str,
    /// Variants and what the endpoint calls them, oldest first.
    checkpoints: &'static [(&'static str, &'static str)],
}

const LISTED: [Listed; 3] = [
    Listed {
        name: "demo-large",
        notes: "Not a real model (demo): this server answers, right 90 % of the time.",
        checkpoints: &[],
    },
    Listed {
        name: "demo-base",
        notes: "Not a real model (demo): this server answers, right 75 % of the time at its last checkpoint.",
        checkpoints: &[
            ("step-1000", "demo-base-step-1000"),
            ("step-2000", "demo-base-step-2000"),
            ("step-3000", "demo-base"),
        ],
    },
    Listed {
        name: "demo-small",
        notes: "Not a real model (demo): this server answers, right 55 % of the time.",
        checkpoints: &[],
    },
];

/// Writes the task set below `data_dir`, and makes the organization with its folder of tasks and its
/// models, which ask the endpoint at `base_url`. What is there already stays as people have left it,
/// but for that address. `owner` becomes its owner.
///
/// # Errors
/// [`DemoError`] when a file cannot be written or the database does not answer.
pub async fn prepare(
    db: &Db,
    data_dir: &Path,
    base_url: &str,
    owner: Option<UserId>,
) -> Result<OrganizationId, DemoError> {
    let folder = std::path::absolute(data_dir.join("demo/tasks")).map_err(|source| DemoError::Files {
        path: data_dir.to_owned(),
        source,
    })?;
    let target = folder.clone();
    tokio::task::spawn_blocking(move || tasks::write(&target))
        .await?
        .map_err(|(path, source)| DemoError::Files { path, source })?;
    db.service(async |conn: &mut Conn| -> Result<_, DemoError> {
        let organization = ensure_organization(conn).await?;
        if let Some(owner) = owner {
            organizations::add_member(conn, organization, owner, Role::Owner).await?;
        }
        ensure_folder(conn, organization, &folder).await?;
        let known = models::list(conn, organization).await?;
        for listed in &LISTED {
            match known.iter().find(|m| m.name == listed.name) {
                Some(model) => point_at(conn, model, base_url).await?,
                None => insert(conn, organization, listed, base_url).await?,
            }
        }
        Ok(organization)
    })
    .await
}

async fn ensure_organization(conn: &mut Conn) -> Result<OrganizationId, DemoError> {
    if let Some(known) = organizations::demo(conn).await? {
        return Ok(known);
    }
    let taken = organizations::find(conn, NAME).await?.is_some();
    let name = if taken { "Demo (built in)" } else { NAME };
    Ok(organizations::insert(conn, name, true).await?)
}

/// The data directory may have moved since the last start.
async fn ensure_folder(
    conn: &mut Conn,
    organization: OrganizationId,
    folder: &Path,
) -> Result<(), DemoError> {
    let path = folder.display().to_string();
    let known = indexed::folders(conn, Some(organization)).await?;
    for old in known
        .iter()
        .filter(|f| f.path.ends_with("/demo/tasks") && f.path != path)
    {
        indexed::delete_folder(conn, organization, old.id).await?;
    }
    if !known.iter().any(|f| f.path == path) {
        indexed::insert_folder(conn, organization, &path, None).await?;
    }
    Ok(())
}

/// The port may have changed since the last start.
async fn point_at(conn: &mut Conn, model: &ModelView, base_url: &str) -> Result<(), DemoError> {
    let wanted = ArgValue::Text(base_url.to_owned());
    if model.model_args.get("base_url") == Some(&wanted) {
        return Ok(());
    }
    let mut arguments = model.model_args.clone();
    arguments.set("base_url", wanted);
    let change = ModelChange {
        model_args: Some(json!(arguments)),
        ..ModelChange::default()
    };
    models::update(conn, model.id, &change).await?;
    Ok(())
}

async fn insert(
    conn: &mut Conn,
    organization: OrganizationId,
    listed: &Listed,
    base_url: &str,
) -> Result<(), DemoError> {
    let id = Uuid::now_v7();
    let model = NewModel {
        id,
        organization_id: organization.0,
        name: listed.name.to_owned(),
        family: Some("Demo".to_owned()),
        source: None,
        dtype: None,
        num_parameters: None,
        notes: Some(listed.notes.to_owned()),
        backend: "openai".to_owned(),
        model_args: json!(arguments(listed.name, base_url)),
        metadata: json!({"demo": true}),
        created_by: None,
    };
    models::insert(conn, &model).await?;
    models::mark_demo(conn, ModelId(id)).await?;
    for (index, (variant, source)) in (1..).zip(listed.checkpoints) {
        let checkpoint = NewCheckpoint {
            id: Uuid::now_v7(),
            organization_id: organization.0,
            model_id: id,
            checkpoint_variant: (*variant).to_owned(),
            checkpoint_index: index,
            source: Some((*source).to_owned()),
            metadata: json!({"demo": true}),
        };
        models::insert_checkpoint(conn, &checkpoint).await?;
    }
    Ok(())
}

/// What lmms-eval's `openai` backend is told of a model, which is called so by the endpoint.
pub fn arguments(model: &str, base_url: &str) -> ArgList {
    let text = |value: &str| ArgValue::Text(value.to_owned());
    ArgList(vec![
        ("model".to_owned(), text(model)),
        ("base_url".to_owned(), text(base_url)),
        ("api_key".to_owned(), text(KEY)),
        ("num_concurrent".to_owned(), ArgValue::Int(CONCURRENT)),
        ("max_retries".to_owned(), ArgValue::Int(RETRIES)),
        // A proxy of the environment cannot reach this machine's own address.
        ("httpx_trust_env".to_owned(), ArgValue::Bool(false)),
    ])
}

#[cfg(test)]
mod tests {
    use super::super::MODELS;
    use super::*;

    #[test]
    fn the_endpoint_knows_every_model_and_checkpoint() {
        let known = |id: &str| MODELS.iter().any(|m| m.id == id);
        for listed in &LISTED {
            assert!(known(listed.name), "{}", listed.name);
            assert!(listed.checkpoints.iter().all(|(_, id)| known(id)));
            assert_eq!(
                listed.checkpoints.last().map_or(listed.name, |(_, id)| id),
                listed.name
            );
        }
    }

    #[test]
    fn no_argument_looks_like_a_secret() {
        for (key, value) in arguments("demo-base", "http://127.0.0.1:8000/demo/v1").0 {
            assert!(
                !lmms::secrets::looks_secret(&key, &value.to_string()),
                "{key}={value}"
            );
        }
    }
}
