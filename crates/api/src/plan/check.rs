//! What must not be launched.

use lmms::secrets::looks_secret;
use std::collections::BTreeSet;
use types::{ArgList, ArgValue, EnvValue, FieldError, RunConfig};

/// Everything about the settings that can be said without the database.
pub fn settings_problems(config: &RunConfig) -> Vec<FieldError> {
    let mut found = config.problems();
    let arguments = [
        ("model_args", &config.model_args),
        ("gen_kwargs", &config.gen_kwargs),
    ];
    for (field, list) in arguments {
        found.extend(list.iter().flat_map(|list| argument_problems(field, list)));
    }
    found.extend(config.environment.iter().flatten().filter_map(plain_secret));
    found
}

fn argument_problems(field: &str, list: &ArgList) -> Vec<FieldError> {
    let mut seen = BTreeSet::new();
    let problem = |(key, value): &(String, ArgValue)| {
        let name = format!("config.{field}.{key}");
        let text = value.to_string();
        if looks_secret(key, &text) {
            let message =
                "looks like a secret; expected it in `config.environment` as the name of a stored secret";
            return Some(FieldError::new(name, message));
        }
        if looks_like_a_flag(key) || looks_like_a_flag(&text) {
            return Some(FieldError::new(
                name,
                format!("is `{text}`, which looks like a flag; expected a value"),
            ));
        }
        (!seen.insert(key.clone())).then(|| FieldError::new(name, "is given twice; expected it once"))
    };
    list.0.iter().filter_map(problem).collect()
}

/// `--tui` is a flag, `-1` and `- x` are values.
fn looks_like_a_flag(text: &str) -> bool {
    text.strip_prefix("--")
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()))
}

fn plain_secret((key, value): (&String, &EnvValue)) -> Option<FieldError> {
    let EnvValue::Plain(text) = value else {
        return None;
    };
    if key.starts_with("LMMS_RUN_") || matches!(key.as_str(), "LD_PRELOAD" | "CUDA_VISIBLE_DEVICES") {
        return Some(FieldError::new(
            format!("config.environment.{key}"),
            "is set by the executor; expected another variable",
        ));
    }
    (lmms::secrets::redact(text) != *text).then(|| {
        FieldError::new(
            format!("config.environment.{key}"),
            "looks like a secret; expected `{\"secret\": \"<name>\"}` with the name of a stored secret",
        )
    })
}

/// Picks that another pick already contains: index of the inner one, index of the outer one.
/// The leaves decide; of two equal ones the later is the inner.
pub fn contained_picks(leaves: &[Vec<String>]) -> Vec<(usize, usize)> {
    let sets: Vec<BTreeSet<&String>> = leaves.iter().map(|l| l.iter().collect()).collect();
    let outer_of = |inner: usize| {
        (0..sets.len()).find(|&outer| {
            outer != inner
                && sets[inner].is_subset(&sets[outer])
                && (sets[inner].len() < sets[outer].len() || outer < inner)
        })
    };
    (0..sets.len())
        .filter(|&inner| !sets[inner].is_empty())
        .filter_map(|inner| outer_of(inner).map(|outer| (inner, outer)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(names: &[&str]) -> Vec<String> {
        names.iter().map(|&n| n.to_owned()).collect()
    }

    #[test]
    fn a_pick_inside_another_is_found() {
        let picks = [
            leaves(&["a", "b"]),
            leaves(&["b"]),
            leaves(&["c"]),
            leaves(&["c"]),
            leaves(&[]),
        ];
        assert_eq!(contained_picks(&picks), [(1, 0), (3, 2)]);
    }

    #[test]
    fn overlapping_picks_are_no_problem() {
        assert_eq!(contained_picks(&[leaves(&["a", "b"]), leaves(&["b", "c"])]), []);
    }

    #[test]
    fn flags_and_repeated_keys_are_named() {
        let text = |t: &str| ArgValue::Text(t.to_owned());
        let config = RunConfig {
            model_args: Some(ArgList(vec![
                ("prompt".into(), text("--predict_only")),
                ("shift".into(), text("-1")),
                ("shift".into(), text("2")),
            ])),
            ..RunConfig::default()
        };
        let fields: Vec<_> = settings_problems(&config).into_iter().map(|p| p.field).collect();
        assert_eq!(fields, ["config.model_args.prompt", "config.model_args.shift"]);
    }
}
