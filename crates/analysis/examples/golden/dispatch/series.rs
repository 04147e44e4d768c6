//! Series and single runs.

use analysis::eta::{PastRun, Progress};
use analysis::{anomaly, changepoint, forecast, trend};
use serde::Deserialize;
use serde_json::Value;

use super::{Output, Scores, read, write};

pub(super) fn trend(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        t: Scores,
        y: Scores,
        level: f64,
    }
    let input: Input = read(case)?;
    write(trend::trend(&input.t.0, &input.y.0, input.level))
}

pub(super) fn changepoint_pelt(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        y: Scores,
        min_size: usize,
    }
    let input: Input = read(case)?;
    write(changepoint::changepoint_pelt(&input.y.0, input.min_size))
}

pub(super) fn edivisive_candidate(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        y: Scores,
    }
    let input: Input = read(case)?;
    write(changepoint::edivisive_candidate(&input.y.0))
}

pub(super) fn ols_forecast(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        x: Scores,
        y: Scores,
        transform: forecast::Transform,
        x_new: Scores,
        level: f64,
    }
    let i: Input = read(case)?;
    write(forecast::ols_forecast(
        &i.x.0,
        &i.y.0,
        i.transform,
        &i.x_new.0,
        i.level,
    ))
}

pub(super) fn powerlaw_forecast(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        x: Scores,
        y: Scores,
        x_new: Scores,
        level: f64,
    }
    let i: Input = read(case)?;
    write(forecast::powerlaw_forecast(&i.x.0, &i.y.0, &i.x_new.0, i.level))
}

pub(super) fn robust(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        y: Scores,
    }
    let input: Input = read(case)?;
    write(anomaly::robust(&input.y.0))
}

pub(super) fn conformal(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        scores: Scores,
        level: f64,
        new_score: f64,
    }
    let input: Input = read(case)?;
    write(anomaly::conformal(&input.scores.0, input.level, input.new_score))
}

pub(super) fn eta(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        history: Vec<PastRun>,
        #[serde(flatten)]
        progress: Progress,
    }
    let input: Input = read(case)?;
    write(analysis::eta::eta(&input.history, &input.progress))
}
