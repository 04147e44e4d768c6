//! What the document says about each leaf task beside its scores.

use serde_json::{Map, Value};

use super::TaskSummary;
use super::document::{is_given, plain_text, section, text};
use super::metrics::count_of;

/// One summary for each leaf task.
pub(super) fn tasks(document: &Value, leaves: &[String]) -> Vec<TaskSummary> {
    leaves.iter().map(|name| summary(document, name)).collect()
}

fn summary(document: &Value, name: &str) -> TaskSummary {
    let empty = Map::new();
    let config = section(document, "configs")
        .get(name)
        .and_then(Value::as_object)
        .unwrap_or(&empty);
    let counts = section(document, "n-samples").get(name);
    let count = |key: &str| counts.and_then(|counts| counts.get(key)).and_then(count_of);
    let given = |key: &str| config.get(key).filter(|value| is_given(value)).cloned();
    let shots = section(document, "n-shot")
        .get(name)
        .or_else(|| config.get("num_fewshot"));
    TaskSummary {
        name: name.to_owned(),
        version: version(section(document, "versions").get(name)),
        num_fewshot: shots.and_then(small),
        n: count("effective"),
        original_n: count("original"),
        output_type: text(config.get("output_type")),
        filters: filters(config),
        generation_kwargs: given("generation_kwargs"),
        dataset_path: text(config.get("dataset_path")),
        dataset_name: text(config.get("dataset_name")),
        split: ["test_split", "validation_split"]
            .iter()
            .find_map(|key| text(config.get(*key))),
        prompt_kwargs: given("lmms_eval_specific_kwargs"),
        repeats: config.get("repeats").and_then(small),
    }
}

fn small(value: &Value) -> Option<u32> {
    count_of(value).and_then(|count| u32::try_from(count).ok())
}

/// `"Yaml"` and `"N/A"` stand for a version that was never set.
fn version(value: Option<&Value>) -> Option<String> {
    plain_text(value?).filter(|version| version != "Yaml" && version != "N/A")
}

/// The names in the order in which the blocks of the samples file come.
fn filters(config: &Map<String, Value>) -> Vec<String> {
    let list = config.get("filter_list").and_then(Value::as_array);
    let name = |filter: &Value| text(filter.get("name"));
    list.map(|list| list.iter().filter_map(name).collect())
        .unwrap_or_default()
}
