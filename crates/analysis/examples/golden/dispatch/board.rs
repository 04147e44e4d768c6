//! Boards and slices.

use analysis::leaderboard::Column;
use analysis::rank_ci::RankRules;
use analysis::simpson::Stratum;
use analysis::sliceline::{SearchRules, Table};
use analysis::slices::SliceRules;
use analysis::{bradley_terry, leaderboard, odds, rank_ci, scale, simpson, sliceline, slices};
use serde::Deserialize;
use serde_json::Value;

use super::{Output, Scores, label, read, rows, write};

pub(super) fn scale_reconcile(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        sample_scores: Scores,
        reported: Option<f64>,
        reported_bootstrap_stderr: Option<f64>,
    }
    let i: Input = read(case)?;
    write(scale::scale_reconcile(
        &i.sample_scores.0,
        i.reported,
        i.reported_bootstrap_stderr,
    ))
}

pub(super) fn leaderboard(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        scores: Vec<Scores>,
        higher_is_better: Vec<bool>,
        min: Vec<Option<f64>>,
        max: Vec<Option<f64>>,
        min_coverage: f64,
    }
    let input: Input = read(case)?;
    let columns: Vec<Column> = input
        .higher_is_better
        .into_iter()
        .zip(input.min.into_iter().zip(input.max))
        .map(|(higher_is_better, (min, max))| Column {
            higher_is_better,
            min,
            max,
        })
        .collect();
    write(leaderboard::leaderboard(
        &rows(input.scores),
        &columns,
        input.min_coverage,
    ))
}

pub(super) fn bradley_terry(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        wins: Vec<Scores>,
        lambda_: f64,
    }
    let input: Input = read(case)?;
    write(bradley_terry::bradley_terry(&rows(input.wins), input.lambda_))
}

pub(super) fn rank_ci(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        scores: Vec<Scores>,
        #[serde(flatten)]
        rules: RankRules,
    }
    let input: Input = read(case)?;
    write(rank_ci::rank_ci(&rows(input.scores), &input.rules))
}

pub(super) fn slices(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        scores: Scores,
        slices: Vec<Value>,
        #[serde(flatten)]
        rules: SliceRules,
    }
    let input: Input = read(case)?;
    let labels: Vec<String> = input.slices.iter().map(label).collect();
    write(slices::slices(&input.scores.0, &labels, &input.rules))
}

pub(super) fn equalized_odds(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        y_true: Vec<Value>,
        y_pred: Vec<Value>,
        groups: Vec<Value>,
    }
    let input: Input = read(case)?;
    let groups: Vec<String> = input.groups.iter().map(label).collect();
    write(odds::equalized_odds(
        &flags(&input.y_true),
        &flags(&input.y_pred),
        &groups,
    ))
}

pub(super) fn simpson(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        strata: Vec<Stratum>,
    }
    let input: Input = read(case)?;
    write(simpson::simpson(&input.strata))
}

pub(super) fn sliceline(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        features: Vec<Vec<Value>>,
        errors: Scores,
        #[serde(flatten)]
        rules: SearchRules,
    }
    let input: Input = read(case)?;
    let names = |row: &Vec<Value>| row.iter().map(label).collect::<Vec<String>>();
    let features: Vec<Vec<String>> = input.features.iter().map(names).collect();
    let table = Table::from_rows(&features).map_err(|error| error.to_string())?;
    write(sliceline::sliceline(&table, &input.errors.0, &input.rules))
}

/// Yes or no, written as a number or a truth value.
fn flags(values: &[Value]) -> Vec<bool> {
    values
        .iter()
        .map(|v| v.as_bool().unwrap_or_else(|| v.as_f64() == Some(1.0)))
        .collect()
}
