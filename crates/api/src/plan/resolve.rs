//! Which weights and arguments a run gets: the checkpoint names the weights, the run overrides key by key.

use lmms::command::weights_key;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use types::{ArgList, ArgValue, RunConfig};

/// What is needed of a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model {
    /// lmms-eval's model id.
    pub backend: String,
    /// Its arguments, in order.
    pub model_args: ArgList,
    /// Where its weights are.
    pub source: Option<String>,
    /// Its checkpoints.
    pub checkpoints: Vec<Checkpoint>,
}

/// What is needed of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Its name.
    pub variant: String,
    /// Its place in training.
    pub index: i32,
    /// Where its weights are.
    pub source: Option<String>,
}

/// What was resolved when a run was created; kept with the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Resolved {
    /// lmms-eval's model id.
    pub backend: String,
    /// Arguments of the model, in order.
    pub model_args: ArgList,
    /// Where the weights are.
    pub source: Option<String>,
    /// The variant; `latest` only where the model has no checkpoints.
    pub checkpoint_variant: String,
    /// Folders of task files that the picked benchmarks need.
    #[serde(default)]
    pub include_paths: Vec<String>,
}

impl Resolved {
    /// Takes the address of the model's endpoint as it is now, unless the run itself names one:
    /// that of the demo moves with this server's port.
    pub fn follow(&mut self, model: &ArgList, config: &RunConfig) {
        let own = config.model_args.as_ref().and_then(|args| args.get(ADDRESS));
        if let (None, Some(now)) = (own, model.get(ADDRESS)) {
            self.model_args.set(ADDRESS, now.clone());
        }
    }
}

/// The argument of an endpoint's address.
const ADDRESS: &str = "base_url";

/// The model has no such checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("is `{variant}`; expected {}", expected(.known))]
pub struct UnknownCheckpoint {
    /// The variant asked for.
    pub variant: String,
    /// Those there are.
    pub known: Vec<String>,
}

fn expected(known: &[String]) -> String {
    match known {
        [] => "`latest`, as the model has no checkpoints".to_owned(),
        known => format!("`latest` or one of {}", known.join(", ")),
    }
}

/// Resolves the checkpoint and merges the arguments: the model's own, the checkpoint's source
/// under the key that names the weights, and the run's, key by key.
///
/// # Errors
///
/// When the model has no such checkpoint.
pub fn resolve(
    model: &Model,
    variant: &str,
    config: &RunConfig,
    include_paths: Vec<String>,
) -> Result<Resolved, UnknownCheckpoint> {
    let checkpoint = find(&model.checkpoints, variant)?;
    let own = checkpoint.and_then(|c| c.source.clone());
    let mut model_args = model.model_args.clone();
    if let Some(key) = weights_key(&model.backend) {
        let weights = own.clone().or_else(|| fallback(model, key));
        if let Some(source) = weights {
            model_args.set(key, ArgValue::Text(weights_of(&source)));
        }
    }
    if let Some(over) = &config.model_args {
        model_args = model_args.overridden_by(over);
    }
    Ok(Resolved {
        backend: model.backend.clone(),
        model_args,
        source: own.or_else(|| model.source.clone()),
        checkpoint_variant: checkpoint.map_or_else(|| "latest".to_owned(), |c| c.variant.clone()),
        include_paths,
    })
}

/// The model's own source speaks only where its arguments don't.
fn fallback(model: &Model, key: &str) -> Option<String> {
    match model.model_args.get(key) {
        Some(_) => None,
        None => model.source.clone(),
    }
}

/// `huggingface://org/name` is how people write what lmms-eval calls `org/name`.
fn weights_of(source: &str) -> String {
    ["huggingface://", "hf://"]
        .iter()
        .find_map(|scheme| source.strip_prefix(scheme))
        .unwrap_or(source)
        .to_owned()
}

fn find<'a>(
    checkpoints: &'a [Checkpoint],
    variant: &str,
) -> Result<Option<&'a Checkpoint>, UnknownCheckpoint> {
    if variant == "latest" {
        return Ok(checkpoints.iter().max_by_key(|c| c.index));
    }
    match checkpoints.iter().find(|c| c.variant == variant) {
        Some(found) => Ok(Some(found)),
        None => Err(UnknownCheckpoint {
            variant: variant.to_owned(),
            known: checkpoints.iter().map(|c| c.variant.clone()).collect(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> ArgValue {
        ArgValue::Text(value.to_owned())
    }

    fn model() -> Model {
        let checkpoint = |variant: &str, index, source: Option<&str>| Checkpoint {
            variant: variant.into(),
            index,
            source: source.map(str::to_owned),
        };
        Model {
            backend: "qwen2_5_vl".into(),
            model_args: ArgList(vec![
                ("pretrained".into(), text("base")),
                ("max_pixels".into(), ArgValue::Int(9)),
            ]),
            source: Some("huggingface://org/base".into()),
            checkpoints: vec![checkpoint("c2", 2, Some("/ckpt/2")), checkpoint("c1", 1, None)],
        }
    }

    #[test]
    fn latest_is_the_highest_index() {
        let r = resolve(&model(), "latest", &RunConfig::default(), vec![]).unwrap();
        assert_eq!(r.checkpoint_variant, "c2");
        assert_eq!(r.model_args.0[0], ("pretrained".into(), text("/ckpt/2")));
        assert_eq!(r.source.as_deref(), Some("/ckpt/2"));
    }

    #[test]
    fn without_checkpoints_the_model_speaks() {
        let model = Model {
            checkpoints: vec![],
            model_args: ArgList::default(),
            ..model()
        };
        let r = resolve(&model, "latest", &RunConfig::default(), vec![]).unwrap();
        assert_eq!(r.checkpoint_variant, "latest");
        assert_eq!(r.model_args.get("pretrained"), Some(&text("org/base")));
    }

    #[test]
    fn the_run_overrides_key_by_key() {
        let config = RunConfig {
            model_args: Some(ArgList(vec![
                ("max_pixels".into(), ArgValue::Int(5)),
                ("new".into(), ArgValue::Bool(true)),
            ])),
            ..RunConfig::default()
        };
        let r = resolve(&model(), "c1", &config, vec![]).unwrap();
        let keys: Vec<_> = r.model_args.0.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(keys, ["pretrained=base", "max_pixels=5", "new=True"]);
    }

    #[test]
    fn the_address_of_today_counts_unless_the_run_names_one() {
        let at = |port: &str| ArgList(vec![(ADDRESS.into(), text(port))]);
        let created = Resolved {
            model_args: at("1"),
            ..Resolved::default()
        };
        let mut waited = created.clone();
        waited.follow(&at("2"), &RunConfig::default());
        assert_eq!(waited.model_args, at("2"));
        let own = RunConfig {
            model_args: Some(at("1")),
            ..RunConfig::default()
        };
        let mut told = created;
        told.follow(&at("2"), &own);
        assert_eq!(told.model_args, at("1"));
    }

    #[test]
    fn an_unknown_checkpoint_names_the_known() {
        let error = resolve(&model(), "c9", &RunConfig::default(), vec![]).unwrap_err();
        assert_eq!(error.to_string(), "is `c9`; expected `latest` or one of c2, c1");
    }
}
