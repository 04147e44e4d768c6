//! Sequential looks and sweeps.

use analysis::{adaptive, sweep};
use serde::Deserialize;
use serde_json::Value;

use super::{Output, Scores, read, write};

pub(super) fn conf_seq(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        x: Scores,
        population: Option<u64>,
        alpha: f64,
    }
    let input: Input = read(case)?;
    write(adaptive::conf_seq(
        &input.x.0,
        input.population,
        input.alpha,
        &looks(case),
    ))
}

pub(super) fn eprocess(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        d: Scores,
        margin: f64,
        population: Option<u64>,
        alpha: f64,
    }
    let i: Input = read(case)?;
    write(adaptive::eprocess(
        &i.d.0,
        i.margin,
        i.population,
        i.alpha,
        &looks(case),
    ))
}

pub(super) fn asha(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        scores: Scores,
        eta: u64,
        r_min: u64,
        n_rungs: usize,
    }
    let input: Input = read(case)?;
    write(sweep::asha(
        &input.scores.0,
        input.eta,
        input.r_min,
        input.n_rungs,
    ))
}

/// The sample counts at which a sequence is reported. The inputs do not name them: they are those
/// of the expected output.
fn looks(case: &Value) -> Vec<usize> {
    let at = case["expected"]["at"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    at.iter()
        .filter_map(|look| usize::try_from(look["t"].as_u64()?).ok())
        .collect()
}
