//! From a golden case to the public function that answers it.

mod board;
mod comparison;
mod drawing;
mod looks;
mod precision;
mod series;
mod suite;

use std::collections::HashMap;
use std::sync::LazyLock;

use analysis::{Clusters, InputError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// The output of one case, or why there is none.
type Output = Result<Value, String>;

/// What runs the cases of a group.
type Analyse = fn(&Value) -> Output;

/// Runs a case `{input, expected}` of a group.
///
/// # Errors
/// When the group is not known, the input has another shape, or the analysis refuses it.
pub(crate) fn run(group: &str, case: &Value) -> Output {
    match GROUPS.get(group) {
        Some(analyse) => analyse(case),
        None => Err(format!("group `{group}` is not known")),
    }
}

/// The names of all groups.
#[allow(dead_code, reason = "the example runs what it finds, the tests run all")]
pub(crate) fn groups() -> Vec<&'static str> {
    let mut names: Vec<&str> = GROUPS.keys().copied().collect();
    names.sort_unstable();
    names
}

static GROUPS: LazyLock<HashMap<&'static str, Analyse>> = LazyLock::new(|| {
    let groups: [(&str, Analyse); 47] = [
        ("special", precision::special),
        ("mean_ci", precision::mean_ci),
        ("clustered_se", precision::clustered_se),
        ("binom_ci", precision::binom_ci),
        ("two_prop", precision::two_prop),
        ("bootstrap", precision::bootstrap),
        ("bootstrap_paired", precision::bootstrap_paired),
        ("repeats", precision::repeats),
        ("power", precision::power),
        ("bayes_binary", precision::bayes_binary),
        ("paired_diff", comparison::paired_diff),
        ("mcnemar", comparison::mcnemar),
        ("sign_wilcoxon", comparison::sign_wilcoxon),
        ("permutation", comparison::permutation),
        ("p_adjust", comparison::p_adjust),
        ("unpaired_se", comparison::unpaired_se),
        ("noninferiority", comparison::noninferiority),
        ("gate", comparison::gate),
        ("scale_reconcile", board::scale_reconcile),
        ("leaderboard", board::leaderboard),
        ("bradley_terry", board::bradley_terry),
        ("rank_ci", board::rank_ci),
        ("slices", board::slices),
        ("equalized_odds", board::equalized_odds),
        ("simpson", board::simpson),
        ("sliceline", board::sliceline),
        ("trend", series::trend),
        ("changepoint_pelt", series::changepoint_pelt),
        ("edivisive_candidate", series::edivisive_candidate),
        ("ols_forecast", series::ols_forecast),
        ("powerlaw_forecast", series::powerlaw_forecast),
        ("robust", series::robust),
        ("conformal", series::conformal),
        ("eta", series::eta),
        ("correlation", suite::correlation),
        ("linkage", suite::linkage),
        ("greedy_select", suite::greedy_select),
        ("items", suite::items),
        ("anchors", suite::anchors),
        ("conf_seq", looks::conf_seq),
        ("eprocess", looks::eprocess),
        ("asha", looks::asha),
        ("beeswarm", drawing::beeswarm),
        ("lttb", drawing::lttb),
        ("distribution", drawing::distribution),
        ("bin2d", drawing::bin2d),
        ("colormap", drawing::colormap),
    ];
    HashMap::from(groups)
});

fn read<Input: DeserializeOwned>(case: &Value) -> Result<Input, String> {
    Input::deserialize(&case["input"]).map_err(|error| error.to_string())
}

/// The error of a result that holds NaN, or an infinity where none belongs: JSON would lose it.
pub(crate) const NOT_JSON: &str = "the result does not survive JSON";

fn write<Of: Serialize + DeserializeOwned + PartialEq>(result: Result<Of, InputError>) -> Output {
    let result = result.map_err(|error| error.to_string())?;
    let written = serde_json::to_value(&result).map_err(|error| error.to_string())?;
    match Of::deserialize(&written) {
        Ok(again) if again == result => Ok(written),
        _ => Err(NOT_JSON.into()),
    }
}

/// Numbers of which some are missing.
struct Scores(Vec<f64>);

impl<'de> Deserialize<'de> for Scores {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self(analysis::with_missing(&Vec::deserialize(from)?)))
    }
}

fn rows(scores: Vec<Scores>) -> Vec<Vec<f64>> {
    scores.into_iter().map(|row| row.0).collect()
}

/// A label of whatever JSON type.
fn label(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn clusters(ids: Option<&Vec<Value>>) -> Option<Clusters> {
    ids.map(|ids| Clusters::new(&ids.iter().map(label).collect::<Vec<_>>()))
}
