//! What is wrong with a model or a checkpoint that somebody wants, field by field.

use serde_json::Value;
use types::{ArgList, ArgValue, CreateCheckpoint, CreateModel, FieldError, UpdateModel, check_name};

/// Longest free text, in bytes.
const MAX_TEXT: usize = 4000;
/// Largest `metadata`, in bytes of JSON.
const MAX_METADATA: usize = 64 * 1024;
/// Most arguments of a model.
const MAX_ARGS: usize = 200;

pub(super) fn create_problems(wanted: &CreateModel) -> Vec<FieldError> {
    let mut found = Vec::new();
    name_problem(&mut found, "name", &wanted.name);
    name_problem(&mut found, "backend", &wanted.backend);
    for (field, text) in [
        ("family", &wanted.family),
        ("source", &wanted.source),
        ("dtype", &wanted.dtype),
        ("notes", &wanted.notes),
    ] {
        text_problem(&mut found, field, text.as_deref());
    }
    number_problem(&mut found, wanted.num_parameters);
    found.extend(args_problems(&wanted.model_args));
    metadata_problem(&mut found, "metadata", wanted.metadata.as_ref());
    for (i, checkpoint) in wanted.checkpoints.iter().enumerate() {
        found.extend(checkpoint_problems(&format!("checkpoints[{i}]."), checkpoint));
    }
    found
}

pub(super) fn update_problems(wanted: &UpdateModel) -> Vec<FieldError> {
    let mut found = Vec::new();
    if let Some(name) = &wanted.name {
        name_problem(&mut found, "name", name);
    }
    if let Some(backend) = &wanted.backend {
        name_problem(&mut found, "backend", backend);
    }
    for (field, text) in [
        ("family", &wanted.family),
        ("source", &wanted.source),
        ("dtype", &wanted.dtype),
        ("notes", &wanted.notes),
    ] {
        text_problem(&mut found, field, text.as_deref());
    }
    number_problem(&mut found, wanted.num_parameters);
    found.extend(wanted.model_args.iter().flat_map(args_problems));
    metadata_problem(&mut found, "metadata", wanted.metadata.as_ref());
    found
}

pub(super) fn checkpoint_problems(prefix: &str, wanted: &CreateCheckpoint) -> Vec<FieldError> {
    let mut found = Vec::new();
    let field = |name: &str| format!("{prefix}{name}");
    name_problem(
        &mut found,
        &field("checkpoint_variant"),
        &wanted.checkpoint_variant,
    );
    if wanted.checkpoint_variant.trim() == "latest" {
        let message = "is `latest`, which always means the newest one; expected another name";
        found.push(FieldError::new(field("checkpoint_variant"), message));
    }
    text_problem(&mut found, &field("source"), wanted.source.as_deref());
    metadata_problem(&mut found, &field("metadata"), wanted.metadata.as_ref());
    found
}

fn name_problem(found: &mut Vec<FieldError>, field: &str, text: &str) {
    if let Err(error) = check_name(text) {
        found.push(FieldError::new(field, error.to_string()));
    } else if text.trim().starts_with('-') {
        found.push(FieldError::new(
            field,
            format!("`{}` begins with `-` like a flag; expected a name", text.trim()),
        ));
    }
}

pub(super) fn text_problem(found: &mut Vec<FieldError>, field: &str, text: Option<&str>) {
    let Some(text) = text else { return };
    if text.len() > MAX_TEXT {
        found.push(FieldError::new(
            field,
            format!("has {} bytes; expected at most {MAX_TEXT}", text.len()),
        ));
    } else if text.contains('\0') {
        found.push(FieldError::new(field, "holds a NUL; expected text"));
    } else if field.ends_with("source") && text.trim_start().starts_with('-') {
        found.push(FieldError::new(
            field,
            format!("`{text}` begins with `-` like a flag; expected a path or a name on a hub"),
        ));
    }
}

fn number_problem(found: &mut Vec<FieldError>, number: Option<i64>) {
    if let Some(n) = number.filter(|n| *n < 0) {
        found.push(FieldError::new(
            "num_parameters",
            format!("is {n}; expected 0 or more"),
        ));
    }
}

pub(super) fn metadata_problem(found: &mut Vec<FieldError>, field: &str, metadata: Option<&Value>) {
    match metadata {
        None | Some(Value::Null) => {}
        Some(Value::Object(_)) if metadata.is_some_and(|m| m.to_string().len() <= MAX_METADATA) => {}
        Some(Value::Object(_)) => found.push(FieldError::new(
            field,
            format!("has more than {MAX_METADATA} bytes"),
        )),
        Some(_) => found.push(FieldError::new(field, "is no object; expected one")),
    }
}

fn args_problems(args: &ArgList) -> Vec<FieldError> {
    let mut found = Vec::new();
    if args.0.len() > MAX_ARGS {
        found.push(FieldError::new(
            "model_args",
            format!("has {} entries; expected at most {MAX_ARGS}", args.0.len()),
        ));
    }
    for (key, value) in &args.0 {
        let field = format!("model_args.{key}");
        let text = value.to_string();
        if lmms::secrets::looks_secret(key, &text) {
            found.push(FieldError::new(field, "looks like a secret, and arguments are shown to everyone; expected the run's `environment` with a secret by name"));
        } else if text.len() > MAX_TEXT || text.contains('\0') {
            found.push(FieldError::new(
                field,
                format!("holds a NUL or more than {MAX_TEXT} bytes"),
            ));
        }
    }
    let pairs: Vec<_> = args.0.iter().map(|(k, v)| (k.clone(), argument(v))).collect();
    if let Err(error) = lmms::command::arguments::join("model_args", &pairs) {
        found.push(FieldError::new("model_args", error.to_string()));
    }
    found
}

fn argument(value: &ArgValue) -> lmms::command::ArgValue {
    match value {
        ArgValue::Bool(b) => lmms::command::ArgValue::Bool(*b),
        ArgValue::Int(n) => lmms::command::ArgValue::Int(*n),
        ArgValue::Float(x) => lmms::command::ArgValue::Float(*x),
        ArgValue::Text(text) => lmms::command::ArgValue::Text(text.clone()),
    }
}
