//! The settings as lmms-eval's `--config` takes them.

use lmms::command::{BenchmarkCommand, Plan};
use std::fmt::Write;

/// One document per benchmark, in order: the flags of its command line as YAML keys. Strings
/// are written in JSON, which is YAML.
pub fn config_yaml(plan: &Plan) -> String {
    let benchmarks: Vec<&BenchmarkCommand> = plan.processes.iter().flat_map(|p| &p.benchmarks).collect();
    let mut yaml = String::new();
    for benchmark in benchmarks {
        let mut head = "- ";
        for (key, value) in flags(&benchmark.argv) {
            // Writing to a string does not fail.
            let _ = writeln!(yaml, "{head}{key}: {}", scalar(value));
            head = "  ";
        }
    }
    yaml
}

fn flags(argv: &[String]) -> Vec<(&str, Option<&str>)> {
    let mut found: Vec<(&str, Option<&str>)> = Vec::new();
    for word in argv {
        match (word.strip_prefix("--"), found.last_mut()) {
            (Some(flag), _) => found.push(match flag.split_once('=') {
                Some((key, value)) => (key, Some(value)),
                None => (flag, None),
            }),
            (None, Some((_, value @ None))) => *value = Some(word),
            (None, _) => {}
        }
    }
    found
}

fn scalar(value: Option<&str>) -> String {
    match value {
        None => "true".to_owned(),
        Some(number) if number.parse::<f64>().is_ok_and(f64::is_finite) => number.to_owned(),
        Some(text) => serde_json::Value::from(text).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_become_keys() {
        let argv: Vec<String> = [
            "--model",
            "openai",
            "--limit",
            "8",
            "--log_samples",
            "--gen_kwargs=-a=\"b\"",
        ]
        .iter()
        .map(|&w| w.to_owned())
        .collect();
        let plan = Plan {
            processes: vec![lmms::command::Process {
                argv: vec![],
                benchmarks: vec![BenchmarkCommand {
                    order: 0,
                    name: "a".into(),
                    argv,
                    output_path: "out/0".into(),
                }],
            }],
        };
        let expected =
            "- model: \"openai\"\n  limit: 8\n  log_samples: true\n  gen_kwargs: \"-a=\\\"b\\\"\"\n";
        assert_eq!(config_yaml(&plan), expected);
    }
}
