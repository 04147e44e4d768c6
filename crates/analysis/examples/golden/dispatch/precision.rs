//! How precise is it?

use analysis::bayes::{PairedTally, Tally};
use analysis::bootstrap::{Resampling, Statistic};
use analysis::power::{Plan, RepeatPlan};
use analysis::{bayes, bootstrap, mean, power, proportion, repeats, special};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Output, Scores, clusters, read, rows, write};

/// The level of intervals whose input names none.
const LEVEL: f64 = 0.95;

pub(super) fn special(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        #[serde(rename = "fn")]
        name: String,
        args: Vec<f64>,
    }
    let Input { name, args } = read(case)?;
    let value = match (name.as_str(), args.as_slice()) {
        ("norm_cdf", &[x]) => special::norm_cdf(x),
        ("norm_sf", &[x]) => special::norm_sf(x),
        ("norm_ppf", &[p]) => special::norm_ppf(p),
        ("t_cdf", &[t, df]) => special::t_cdf(t, df),
        ("t_sf", &[t, df]) => special::t_sf(t, df),
        ("t_ppf", &[p, df]) => special::t_ppf(p, df),
        ("beta_cdf", &[a, b, x]) => special::beta_cdf(a, b, x),
        ("beta_ppf", &[a, b, p]) => special::beta_ppf(a, b, p),
        ("binom_cdf", &[k, n, p]) => special::binom_cdf(k, n, p),
        ("chi2_sf", &[x, df]) => special::chi2_sf(x, df),
        ("f_sf", &[x, d1, d2]) => special::f_sf(x, d1, d2),
        ("ln_gamma", &[x]) => special::ln_gamma(x),
        _ => {
            return Err(format!(
                "function `{name}` of {} arguments is not known",
                args.len()
            ));
        }
    };
    Ok(json!({ "value": value }))
}

pub(super) fn mean_ci(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        scores: Scores,
        level: f64,
    }
    let input: Input = read(case)?;
    write(mean::mean_ci(&input.scores.0, input.level))
}

pub(super) fn clustered_se(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        scores: Scores,
        clusters: Vec<Value>,
        level: f64,
    }
    let input: Input = read(case)?;
    let clusters = clusters(Some(&input.clusters)).ok_or("no clusters")?;
    write(mean::clustered_se(&input.scores.0, &clusters, input.level))
}

pub(super) fn binom_ci(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        k: u64,
        n: u64,
        level: f64,
    }
    let input: Input = read(case)?;
    write(proportion::binom_ci(input.k, input.n, input.level))
}

pub(super) fn two_prop(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        k_a: u64,
        n_a: u64,
        k_b: u64,
        n_b: u64,
        level: f64,
    }
    let i: Input = read(case)?;
    write(proportion::two_prop(i.k_a, i.n_a, i.k_b, i.n_b, i.level))
}

pub(super) fn bootstrap(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        rows: Vec<Scores>,
        stat: Statistic,
        clusters: Option<Vec<Value>>,
        #[serde(flatten)]
        how: Resampling,
    }
    let input: Input = read(case)?;
    let clusters = clusters(input.clusters.as_ref());
    let rows = rows(input.rows).concat();
    write(bootstrap::bootstrap(
        &rows,
        input.stat,
        clusters.as_ref(),
        &input.how,
    ))
}

pub(super) fn bootstrap_paired(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        rows_a: Vec<Scores>,
        rows_b: Vec<Scores>,
        stat: Statistic,
        clusters: Option<Vec<Value>>,
        #[serde(flatten)]
        how: Resampling,
    }
    let input: Input = read(case)?;
    let clusters = clusters(input.clusters.as_ref());
    let (a, b) = (rows(input.rows_a).concat(), rows(input.rows_b).concat());
    write(bootstrap::bootstrap_paired(
        &a,
        &b,
        input.stat,
        clusters.as_ref(),
        &input.how,
    ))
}

pub(super) fn repeats(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        scores: Vec<Scores>,
    }
    let input: Input = read(case)?;
    write(repeats::repeats(&rows(input.scores)))
}

pub(super) fn power(case: &Value) -> Output {
    if case["input"]["kind"] == "miller_eq9" {
        let plan: RepeatPlan = read(case)?;
        return write(power::repeat_power(&plan));
    }
    let plan: Plan = read(case)?;
    write(power::power(&plan))
}

pub(super) fn bayes_binary(case: &Value) -> Output {
    #[derive(Deserialize)]
    #[serde(tag = "kind", rename_all = "lowercase")]
    enum Input {
        Independent {
            k_a: u64,
            n_a: u64,
            k_b: u64,
            n_b: u64,
            prior: f64,
        },
        Paired {
            n11: u64,
            n10: u64,
            n01: u64,
            n00: u64,
            prior: f64,
        },
    }
    match read(case)? {
        Input::Independent {
            k_a,
            n_a,
            k_b,
            n_b,
            prior,
        } => {
            let (a, b) = (Tally { k: k_a, n: n_a }, Tally { k: k_b, n: n_b });
            write(bayes::independent(a, b, prior, LEVEL))
        }
        Input::Paired {
            n11,
            n10,
            n01,
            n00,
            prior,
        } => write(bayes::paired(PairedTally { n11, n10, n01, n00 }, prior, LEVEL)),
    }
}
