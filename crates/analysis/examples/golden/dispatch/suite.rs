//! Benchmarks and their items.

use analysis::{selection, similarity};
use serde::Deserialize;
use serde_json::Value;

use super::{Output, Scores, read, rows, write};

pub(super) fn correlation(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        x: Scores,
        y: Scores,
        level: f64,
    }
    let input: Input = read(case)?;
    write(similarity::correlation(&input.x.0, &input.y.0, input.level))
}

pub(super) fn linkage(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        distance: Vec<Scores>,
        cut: f64,
    }
    let input: Input = read(case)?;
    write(similarity::linkage(&rows(input.distance), input.cut))
}

pub(super) fn greedy_select(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        similarity: Vec<Scores>,
        cost: Scores,
        k: usize,
    }
    let input: Input = read(case)?;
    write(selection::greedy_select(
        &rows(input.similarity),
        &input.cost.0,
        input.k,
        &[],
    ))
}

pub(super) fn items(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        matrix: Vec<Scores>,
    }
    let input: Input = read(case)?;
    write(selection::items(&rows(input.matrix)))
}

pub(super) fn anchors(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        matrix: Vec<Scores>,
        k: usize,
        new_model: Scores,
    }
    let input: Input = read(case)?;
    write(selection::anchors(
        &rows(input.matrix),
        input.k,
        &input.new_model.0,
    ))
}
