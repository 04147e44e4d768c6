//! A configuration file of lmms-eval as a form: what its `--config` reads, as far as this form has a field for it.

use serde_yaml_ng::{Mapping, Value};

use super::{
    address::tasks,
    args::{ArgRow, split},
    form::{EnvRow, Form},
};

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Imported {
    /// The fields it sets; model and checkpoint are left to the caller.
    pub form: Form,
    /// The backend it names.
    pub backend: Option<String>,
    /// Keys that this form has no field for, with their values.
    pub ignored: Vec<String>,
}

/// The largest file that is read.
pub const MAX_YAML: usize = 1024 * 1024;

/// Keys that the server sets by itself for every run.
const OURS: [&str; 10] = [
    "output_path",
    "log_samples",
    "timezone",
    "verbosity",
    "include_path",
    "show_config",
    "log_samples_suffix",
    "write_out",
    "tui",
    "config",
];

/// Reads a file: one run, or a list of runs that differ in their tasks only.
///
/// # Errors
/// Why it is no configuration of lmms-eval, in one sentence.
pub fn read(text: &str) -> Result<Imported, String> {
    if text.len() > MAX_YAML {
        return Err("The file is larger than 1 MB.".into());
    }
    let value: Value = serde_yaml_ng::from_str(text).map_err(|error| format!("This is no YAML: {error}."))?;
    let runs: Vec<Mapping> = match value {
        Value::Mapping(one) => vec![one],
        Value::Sequence(many) => many.into_iter().map(mapping).collect::<Result<_, _>>()?,
        _ => {
            return Err(
                "A configuration is a list of keys with values; this file holds something else.".into(),
            );
        }
    };
    let mut read = runs.iter().map(one).collect::<Result<Vec<_>, _>>()?.into_iter();
    let Some(mut first) = read.next() else {
        return Err("The file is empty.".into());
    };
    for other in read {
        merge(&mut first, other)?;
    }
    Ok(first)
}

fn mapping(value: Value) -> Result<Mapping, String> {
    match value {
        Value::Mapping(mapping) => Ok(mapping),
        _ => Err("A list of runs holds something that is no run.".into()),
    }
}

/// Several entries are one run here when only their tasks differ.
fn merge(first: &mut Imported, other: Imported) -> Result<(), String> {
    let same = Form {
        tasks: Vec::new(),
        ..first.form.clone()
    } == Form {
        tasks: Vec::new(),
        ..other.form.clone()
    };
    if !same || first.backend != other.backend {
        return Err("The file holds runs with different settings; import them one by one.".into());
    }
    let new = other
        .form
        .tasks
        .into_iter()
        .filter(|task| !first.form.tasks.contains(task))
        .collect::<Vec<_>>();
    first.form.tasks.extend(new);
    let ignored = other
        .ignored
        .into_iter()
        .filter(|key| !first.ignored.contains(key))
        .collect::<Vec<_>>();
    first.ignored.extend(ignored);
    Ok(())
}

fn one(run: &Mapping) -> Result<Imported, String> {
    let mut found = Imported::default();
    for (key, value) in run {
        let Some(key) = key.as_str() else {
            return Err("A key of the file is no text.".into());
        };
        take(&mut found, key, value)?;
    }
    Ok(found)
}

fn take(found: &mut Imported, key: &str, value: &Value) -> Result<(), String> {
    let form = &mut found.form;
    let text =
        || scalar(value).ok_or_else(|| format!("`{key}` holds a list or an object; expected one value."));
    if value.is_null() {
        return Ok(());
    }
    match key {
        "model" => found.backend = Some(text()?),
        "model_args" => form.model_args = arguments(key, value)?,
        "tasks" => form.tasks = task_names(value),
        "num_fewshot" => form.shots = text()?,
        "batch_size" => form.batch_size = text()?,
        "limit" => {
            form.limit = Some(text()?)
                .filter(|limit| limit.parse::<f64>().ok() != Some(-1.0))
                .unwrap_or_default()
        }
        "offset" => form.offset = Some(text()?).filter(|offset| offset != "0").unwrap_or_default(),
        "seed" => form.seed = seed_text(value).ok_or("`seed` is no number and no four numbers.")?,
        "repeats" => form.repeats = Some(text()?).filter(|repeats| repeats != "1").unwrap_or_default(),
        "gen_kwargs" => {
            let (temperature, rest) = arguments(key, value)?
                .into_iter()
                .partition(|row: &ArgRow| row.key == "temperature");
            let temperature: Vec<ArgRow> = temperature;
            form.temperature = temperature
                .into_iter()
                .next_back()
                .map(|row| row.value)
                .unwrap_or_default();
            form.gen_kwargs = rest;
            form.sort_generation();
        }
        "env" => form.environment = environment(value)?,
        known if OURS.contains(&known) => {}
        _ => found
            .ignored
            .push(format!("{key}: {}", scalar(value).unwrap_or_else(|| "…".into()))),
    }
    Ok(())
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Bool(true) => Some("True".into()),
        Value::Bool(false) => Some("False".into()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        _ => None,
    }
}

fn task_names(value: &Value) -> Vec<String> {
    match value {
        Value::Sequence(names) => names
            .iter()
            .filter_map(scalar)
            .flat_map(|name| tasks(&name))
            .collect(),
        other => tasks(&scalar(other).unwrap_or_default()),
    }
}

fn seed_text(value: &Value) -> Option<String> {
    match value {
        Value::Sequence(seeds) => {
            let one = |seed: &Value| {
                if seed.is_null() {
                    Some("None".to_owned())
                } else {
                    scalar(seed)
                }
            };
            Some(seeds.iter().map(one).collect::<Option<Vec<_>>>()?.join(","))
        }
        other => scalar(other),
    }
}

/// `k=v,k=v`, or an object.
fn arguments(key: &str, value: &Value) -> Result<Vec<ArgRow>, String> {
    match value {
        Value::Mapping(map) => map.iter().map(|(k, v)| pair(key, k, v)).collect(),
        other => {
            Ok(split(&scalar(other).ok_or_else(|| {
                format!("`{key}` holds a list; expected `k=v,k=v`.")
            })?))
        }
    }
}

fn pair(field: &str, key: &Value, value: &Value) -> Result<ArgRow, String> {
    let key = scalar(key).ok_or_else(|| format!("a key of `{field}` is no text."))?;
    let value = match value {
        Value::Null => "None".to_owned(),
        Value::Mapping(_) | Value::Sequence(_) => {
            serde_json::to_string(value).map_err(|error| error.to_string())?
        }
        other => scalar(other).unwrap_or_default(),
    };
    Ok(ArgRow { key, value })
}

fn environment(value: &Value) -> Result<Vec<EnvRow>, String> {
    let Value::Mapping(map) = value else {
        return Err("`env` is no object.".into());
    };
    let row = |(key, value): (&Value, &Value)| {
        let key = scalar(key)?;
        Some(EnvRow {
            key,
            value: scalar(value).unwrap_or_default(),
            secret: false,
        })
    };
    Ok(map.iter().filter_map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_lmms_eval_fills_the_form() {
        let file = "model: openai\nmodel_args: pretrained=a/b,max_pixels=1003520\ntasks: [mme, 'mmmu_val,chartqa']\n\
            num_fewshot: 0\nlimit: 8\nseed: [0, 1234, null, 1234]\ngen_kwargs: temperature=0.7,top_p=0.9\n\
            batch_size: auto\nlog_samples: true\nwandb_args: project=x\nenv:\n  HF_HOME: /data\n";
        let read = read(file).unwrap();
        let form = &read.form;
        assert_eq!(read.backend.as_deref(), Some("openai"));
        assert_eq!(form.tasks, ["mme", "mmmu_val", "chartqa"]);
        assert_eq!(
            (form.limit.as_str(), form.seed.as_str()),
            ("8", "0,1234,None,1234")
        );
        assert_eq!(
            (
                form.temperature.as_str(),
                form.top_p.as_str(),
                form.gen_kwargs.len()
            ),
            ("0.7", "0.9", 0)
        );
        assert_eq!(
            form.model_args[1],
            ArgRow {
                key: "max_pixels".into(),
                value: "1003520".into()
            }
        );
        assert_eq!(form.environment[0].key, "HF_HOME");
        assert_eq!(read.ignored, ["wandb_args: project=x"]);
    }

    #[test]
    fn entries_that_differ_in_their_tasks_are_one_run() {
        let read_two =
            read("- {model: hf, tasks: a, limit: 8.0}\n- {model: hf, tasks: b, limit: 8.0}\n").unwrap();
        assert_eq!(read_two.form.tasks, ["a", "b"]);
        let refused = read("- {model: hf, tasks: a}\n- {model: hf, tasks: b, limit: 8}\n").unwrap_err();
        assert!(refused.contains("different settings"), "{refused}");
    }

    #[test]
    fn what_is_no_configuration_is_said() {
        assert!(read("[1, 2").unwrap_err().starts_with("This is no YAML"));
        assert!(read("just text").unwrap_err().contains("something else"));
        assert_eq!(read("[]").unwrap_err(), "The file is empty.");
        assert!(read("- 5").unwrap_err().contains("no run"));
        assert!(read(&"#".repeat(MAX_YAML + 1)).unwrap_err().contains("1 MB"));
        assert!(read("limit: {a: 1}").unwrap_err().starts_with("`limit`"));
    }

    #[test]
    fn defaults_of_lmms_eval_are_left_alone() {
        let read = read("limit: -1\noffset: 0\nrepeats: 1\nseed:\n").unwrap();
        assert_eq!(read, Imported::default());
    }
}
