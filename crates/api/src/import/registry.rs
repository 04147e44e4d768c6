//! Which model and checkpoint a planned run belongs to: as the user says, else by name or source, else new.

use super::plan::{PlannedRun, short_name};
use super::run::Target;
use crate::db::Conn;
use crate::db::models::{self, NewCheckpoint, NewModel};
use crate::ingest::IngestError;
use lmms::results::Results;
use serde_json::json;
use types::{ArgList, ArgValue, ModelId, ModelView};
use uuid::Uuid;

/// What a run says of its model.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted<'a> {
    /// What the file calls it, or the backend that ran it.
    pub(super) label: &'a str,
    /// What it is called here.
    pub(super) name: String,
    /// Whether the user chose that name.
    by_user: bool,
}

impl<'a> Wanted<'a> {
    /// Of a planned run.
    pub(super) fn of(plan: &'a PlannedRun, results: &'a Results) -> Self {
        let told = plan.label.as_deref().or(results.model_backend.as_deref());
        let label = told.unwrap_or_default();
        let name: String = plan.model.clone().unwrap_or_else(|| short_name(label));
        Self {
            label,
            name: name.replace('\0', "\u{FFFD}").chars().take(200).collect(),
            by_user: plan.model.is_some(),
        }
    }

    /// The model among those that are there.
    pub(super) fn find<'m>(&self, all: &'m [ModelView]) -> Option<&'m ModelView> {
        let by_checkpoint = |model: &&ModelView| {
            let mut sources = model.checkpoints.iter().map(|c| c.source.as_deref());
            sources.any(|source| source == Some(self.label))
        };
        let named = all.iter().find(|model| model.name == self.name);
        if self.by_user {
            return named;
        }
        named
            .or_else(|| {
                all.iter()
                    .find(|model| model.source.as_deref() == Some(self.label))
            })
            .or_else(|| all.iter().find(by_checkpoint))
    }

    /// The checkpoint of a known model that comes from there.
    pub(super) fn checkpoint(&self, model: &ModelView) -> String {
        let from_there = model
            .checkpoints
            .iter()
            .find(|checkpoint| checkpoint.source.as_deref() == Some(self.label));
        from_there.map_or_else(|| "latest".to_owned(), |known| known.checkpoint_variant.clone())
    }
}

/// The model of a run and its checkpoint, which are made where they are missing.
pub(super) async fn model(
    conn: &mut Conn,
    target: &Target<'_>,
    plan: &PlannedRun,
    results: &Results,
) -> Result<(ModelView, String), IngestError> {
    let wanted = Wanted::of(plan, results);
    let all = models::list(conn, target.organization.into()).await?;
    let model = match wanted.find(&all) {
        Some(model) => model.clone(),
        None => create_model(conn, target, &wanted, results).await?,
    };
    let variant = match &plan.checkpoint {
        Some(named) => checkpoint(conn, target, &model, named, wanted.label).await?,
        None => wanted.checkpoint(&model),
    };
    Ok((model, variant))
}

async fn create_model(
    conn: &mut Conn,
    target: &Target<'_>,
    wanted: &Wanted<'_>,
    results: &Results,
) -> Result<ModelView, IngestError> {
    let id = ModelId(Uuid::now_v7());
    let backend = results.model_backend.as_deref().unwrap_or("unknown");
    let weights = lmms::command::weights_key(backend);
    let pairs = results.model_arg_pairs.iter();
    let args = pairs.filter(|(key, _)| Some(key.as_str()) != weights);
    let args = ArgList(
        args.map(|(key, value)| (key.clone(), ArgValue::Text(value.clone())))
            .collect(),
    );
    let source = wanted.label.replace('\0', "\u{FFFD}");
    let model = NewModel {
        id: id.0,
        organization_id: target.organization,
        name: wanted.name.clone(),
        family: None,
        source: Some(source).filter(|source| !source.is_empty()),
        dtype: None,
        num_parameters: None,
        notes: None,
        backend: backend.replace('\0', "\u{FFFD}"),
        model_args: crate::db::events::without_nul(json!(args)),
        metadata: json!({ "imported": true }),
        created_by: target.created_by,
    };
    models::insert(conn, &model).await?;
    let found = models::find(conn, id).await?;
    found.map(|(_, model)| model).ok_or(IngestError::Reader)
}

/// The checkpoint of this name.
async fn checkpoint(
    conn: &mut Conn,
    target: &Target<'_>,
    model: &ModelView,
    named: &str,
    label: &str,
) -> Result<String, IngestError> {
    let is_known = model.checkpoints.iter().any(|c| c.checkpoint_variant == named);
    if !is_known && named != "latest" {
        let checkpoint = NewCheckpoint {
            id: Uuid::now_v7(),
            organization_id: target.organization,
            model_id: model.id.0,
            checkpoint_variant: named.to_owned(),
            checkpoint_index: models::next_index(conn, model.id).await?,
            source: Some(label.to_owned()),
            metadata: json!({ "imported": true }),
        };
        models::insert_checkpoint(conn, &checkpoint).await?;
    }
    Ok(named.to_owned())
}
