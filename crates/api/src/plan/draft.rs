//! From a file of lmms-eval's `--config` to a launch form.

use lmms::config_file::ConfigEntry;
use std::collections::BTreeMap;
use types::{ArgList, ArgValue, BatchSize, EnvValue, FieldError, RunConfig, Seed};

/// What a file asks for, before anybody has looked at the catalogue.
#[derive(Debug, Default, PartialEq)]
pub struct Draft {
    /// The backend.
    pub backend: Option<String>,
    /// Arguments of the model.
    pub model_args: ArgList,
    /// Names of tasks, groups and tags, each once.
    pub tasks: Vec<String>,
    /// The settings.
    pub config: RunConfig,
    /// What was not taken over, and why.
    pub problems: Vec<FieldError>,
}

/// One form for the runs of a file: their tasks together, the settings of the first.
pub fn draft(entries: &[ConfigEntry]) -> Draft {
    let Some(first) = entries.first() else {
        return Draft::default();
    };
    let mut draft = Draft {
        backend: first.model.clone(),
        model_args: arguments(&first.model_args),
        config: settings(first),
        ..Draft::default()
    };
    for (index, entry) in entries.iter().enumerate() {
        add_tasks(&mut draft, entry);
        draft.problems.extend(left_out(index, first, entry));
    }
    draft.problems.extend(draft.config.problems());
    draft
}

fn add_tasks(draft: &mut Draft, entry: &ConfigEntry) {
    for task in &entry.tasks {
        if !draft.tasks.contains(task) {
            draft.tasks.push(task.clone());
        }
    }
}

fn left_out(index: usize, first: &ConfigEntry, entry: &ConfigEntry) -> Vec<FieldError> {
    let at = |field: &str| format!("[{index}].{field}");
    let mut problems: Vec<FieldError> = entry
        .ignored
        .iter()
        .map(|key| FieldError::new(at(key), "has no place in a launch form and is left out"))
        .collect();
    if entry.model != first.model || entry.model_args != first.model_args {
        problems.push(FieldError::new(
            at("model"),
            "differs from the first entry; a run has one model",
        ));
    }
    if settings(entry) != settings(first) {
        problems.push(FieldError::new(
            at("settings"),
            "differ from the first entry; those of the first are taken",
        ));
    }
    if first.seed.is_some() && index == 0 && seed(first).is_none() {
        let shown = first.seed.as_deref().unwrap_or_default();
        problems.push(FieldError::new(
            at("seed"),
            format!("is `{shown}`; expected one or four whole numbers"),
        ));
    }
    problems
}

fn settings(entry: &ConfigEntry) -> RunConfig {
    let environment: BTreeMap<_, _> = entry
        .env
        .iter()
        .map(|(k, v)| (k.clone(), EnvValue::Plain(v.clone())))
        .collect();
    let mut generation = arguments(&entry.gen_kwargs);
    let temperature = match generation.get("temperature") {
        Some(ArgValue::Float(t)) => Some(*t),
        Some(ArgValue::Int(t)) => Some(*t as f64),
        _ => None,
    };
    if temperature.is_some() {
        generation.0.retain(|(key, _)| key != "temperature");
    }
    RunConfig {
        seed: seed(entry),
        shots: entry.num_fewshot,
        temperature,
        gen_kwargs: Some(generation).filter(|g| !g.is_empty()),
        limit: entry.limit,
        offset: entry.offset,
        batch_size: entry.batch_size.as_ref().map(|b| match b.parse() {
            Ok(n) => BatchSize::Fixed(n),
            Err(_) => BatchSize::Auto(b.clone()),
        }),
        repeats: entry.repeats,
        environment: Some(environment).filter(|e| !e.is_empty()),
        ..RunConfig::default()
    }
}

fn seed(entry: &ConfigEntry) -> Option<Seed> {
    let parts: Vec<Option<u32>> = entry
        .seed
        .as_deref()?
        .split(',')
        .map(|p| match p.trim() {
            "None" | "null" => Some(None),
            p => p.parse().ok().map(Some),
        })
        .collect::<Option<_>>()?;
    match parts[..] {
        [Some(one)] => Some(Seed::One(one)),
        [a, b, c, d] => Some(Seed::Four([a, b, c, d])),
        _ => None,
    }
}

fn arguments(pairs: &[(String, String)]) -> ArgList {
    ArgList(pairs.iter().map(|(k, v)| (k.clone(), value(v))).collect())
}

/// lmms-eval reads arguments the same way: booleans and numbers by their looks.
fn value(text: &str) -> ArgValue {
    match text {
        "True" | "true" => ArgValue::Bool(true),
        "False" | "false" => ArgValue::Bool(false),
        _ => text
            .parse()
            .map(ArgValue::Int)
            .or_else(|_| text.parse().map(ArgValue::Float))
            .unwrap_or_else(|_: std::num::ParseFloatError| ArgValue::Text(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lmms::config_file::parse_config;

    #[test]
    fn a_file_becomes_a_form() {
        let yaml = "- model: openai\n  model_args: model=x,timeout=20\n  tasks: [a, b]\n  limit: 8\n  seed: 0,1,2,None\n  \
                    gen_kwargs: temperature=0.7,top_p=0.9\n  device: cuda\n- model: hf\n  tasks: b,c\n  limit: 8";
        let draft = draft(&parse_config(yaml).unwrap());
        assert_eq!(draft.tasks, ["a", "b", "c"]);
        assert_eq!(
            draft.config.seed,
            Some(Seed::Four([Some(0), Some(1), Some(2), None]))
        );
        assert_eq!(
            (draft.config.temperature, draft.config.limit),
            (Some(0.7), Some(8.0))
        );
        assert_eq!(draft.model_args.get("timeout"), Some(&ArgValue::Int(20)));
        let fields: Vec<_> = draft.problems.iter().map(|p| p.field.as_str()).collect();
        assert_eq!(fields, ["[0].device", "[1].model", "[1].settings"]);
    }
}
