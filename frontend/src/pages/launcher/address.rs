//! The form in the address, so that a launch can be sent to someone else before it is launched.

use super::{
    args::ArgRow,
    form::{EnvRow, Form},
};

/// The form as parameters; an empty value means the parameter is absent.
pub fn to_params(form: &Form) -> Vec<(&'static str, String)> {
    vec![
        ("name", form.name.clone()),
        ("model", form.model.clone()),
        ("checkpoint", form.checkpoint.clone()),
        ("tasks", form.tasks.join(",")),
        ("seed", form.seed.clone()),
        ("shots", form.shots.clone()),
        ("temperature", form.temperature.clone()),
        ("limit", form.limit.clone()),
        ("offset", form.offset.clone()),
        ("batch", form.batch_size.clone()),
        ("repeats", form.repeats.clone()),
        ("compute", form.compute.clone()),
        (
            "launch",
            if form.data_parallel {
                "parallel".into()
            } else {
                String::new()
            },
        ),
        (
            "isolation",
            if form.separate {
                "separate".into()
            } else {
                String::new()
            },
        ),
        ("retry", form.retry_benchmark.clone()),
        ("attempts", form.retry_attempt.clone()),
        ("wall", form.wall_clock.clone()),
        ("tokens", form.max_new_tokens.clone()),
        ("top_p", form.top_p.clone()),
        ("gen", args_text(&form.gen_kwargs)),
        ("args", args_text(&form.model_args)),
        ("env", env_text(&form.environment)),
    ]
}

/// The form of an address. What cannot be read is left empty: an address is typed by hand, too.
pub fn of_params(get: impl Fn(&str) -> Option<String>) -> Form {
    let text = |name: &str| get(name).unwrap_or_default();
    Form {
        name: text("name"),
        model: text("model"),
        checkpoint: text("checkpoint"),
        tasks: tasks(&text("tasks")),
        seed: text("seed"),
        shots: text("shots"),
        temperature: text("temperature"),
        limit: text("limit"),
        offset: text("offset"),
        batch_size: text("batch"),
        repeats: text("repeats"),
        compute: text("compute"),
        data_parallel: text("launch") == "parallel",
        separate: text("isolation") == "separate",
        retry_benchmark: text("retry"),
        retry_attempt: text("attempts"),
        wall_clock: text("wall"),
        max_new_tokens: text("tokens"),
        top_p: text("top_p"),
        gen_kwargs: args_rows(&text("gen")),
        model_args: args_rows(&text("args")),
        environment: env_rows(&text("env")),
    }
}

/// Names separated by commas, each once.
pub fn tasks(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        if !found.iter().any(|known| known == name) {
            found.push(name.to_owned());
        }
    }
    found
}

fn args_text(rows: &[ArgRow]) -> String {
    let pairs: Vec<(&str, &str)> = rows
        .iter()
        .filter(|row| !row.is_blank())
        .map(|row| (row.key.as_str(), row.value.as_str()))
        .collect();
    json(&pairs)
}

fn args_rows(text: &str) -> Vec<ArgRow> {
    let pairs: Vec<(String, String)> = serde_json::from_str(text).unwrap_or_default();
    pairs
        .into_iter()
        .map(|(key, value)| ArgRow { key, value })
        .collect()
}

fn env_text(rows: &[EnvRow]) -> String {
    let triples: Vec<(&str, &str, bool)> = rows
        .iter()
        .filter(|row| !row.key.is_empty() || !row.value.is_empty())
        .map(|row| (row.key.as_str(), row.value.as_str(), row.secret))
        .collect();
    json(&triples)
}

fn env_rows(text: &str) -> Vec<EnvRow> {
    let triples: Vec<(String, String, bool)> = serde_json::from_str(text).unwrap_or_default();
    triples
        .into_iter()
        .map(|(key, value, secret)| EnvRow { key, value, secret })
        .collect()
}

/// Nothing for an empty list, so that its parameter is absent.
fn json<T: serde::Serialize>(rows: &[T]) -> String {
    if rows.is_empty() {
        String::new()
    } else {
        serde_json::to_string(rows).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn around(form: &Form) -> Form {
        let map: BTreeMap<_, _> = to_params(form).into_iter().collect();
        of_params(|name| map.get(name).filter(|text| !text.is_empty()).cloned())
    }

    #[test]
    fn an_address_holds_the_whole_form() {
        let form = Form {
            name: "a & b".into(),
            model: "m".into(),
            checkpoint: "rl-400".into(),
            tasks: vec!["mme".into(), "mmmu_val".into()],
            seed: "42".into(),
            shots: "0".into(),
            temperature: "0.7".into(),
            limit: "8".into(),
            offset: "1".into(),
            batch_size: "auto".into(),
            repeats: "2".into(),
            compute: "2×A100".into(),
            data_parallel: true,
            separate: true,
            retry_benchmark: "1".into(),
            retry_attempt: "2".into(),
            wall_clock: "2 h".into(),
            max_new_tokens: "64".into(),
            top_p: "0.9".into(),
            gen_kwargs: vec![ArgRow {
                key: "top_k".into(),
                value: "\"=,\n".into(),
            }],
            model_args: vec![ArgRow {
                key: "é".into(),
                value: "-1".into(),
            }],
            environment: vec![EnvRow {
                key: "K".into(),
                value: "v".into(),
                secret: true,
            }],
        };
        assert_eq!(around(&form), form);
        assert_eq!(around(&Form::default()), Form::default());
        assert!(
            to_params(&Form::default())
                .iter()
                .all(|(_, value)| value.is_empty())
        );
    }

    #[test]
    fn an_address_that_cannot_be_read_is_an_empty_form() {
        let form = of_params(|name| {
            Some(if name == "args" {
                "[[1]".into()
            } else {
                String::new()
            })
        });
        assert_eq!(form, Form::default());
        assert_eq!(tasks("a, b,,a"), ["a", "b"]);
    }
}
