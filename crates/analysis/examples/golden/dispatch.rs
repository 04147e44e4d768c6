//! From a golden case to the public function that answers it.

use std::collections::HashMap;
use std::sync::LazyLock;

use analysis::bayes::{PairedTally, Tally};
use analysis::bootstrap::{Resampling, Statistic};
use analysis::eta::{PastRun, Progress};
use analysis::gate::{GateRow, GateRules, Policy};
use analysis::leaderboard::Column;
use analysis::permutation::SignFlips;
use analysis::power::{Plan, RepeatPlan};
use analysis::rank_ci::RankRules;
use analysis::simpson::Stratum;
use analysis::sliceline::{SearchRules, Table};
use analysis::slices::SliceRules;
use analysis::unpaired::Aggregates;
use analysis::{
    Clusters, InputError, adaptive, anomaly, bayes, bootstrap, bradley_terry, changepoint, display, forecast,
    gate, leaderboard, mcnemar, mean, multiplicity, noninferiority, odds, ordinal, paired, permutation,
    power, proportion, rank_ci, repeats, scale, selection, similarity, simpson, sliceline, slices, special,
    sweep, trend, unpaired,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

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
        ("special", of_special),
        ("mean_ci", of_mean_ci),
        ("clustered_se", of_clustered_se),
        ("binom_ci", of_binom_ci),
        ("two_prop", of_two_prop),
        ("bootstrap", of_bootstrap),
        ("bootstrap_paired", of_bootstrap_paired),
        ("repeats", of_repeats),
        ("power", of_power),
        ("bayes_binary", of_bayes_binary),
        ("paired_diff", of_paired_diff),
        ("mcnemar", of_mcnemar),
        ("sign_wilcoxon", of_sign_wilcoxon),
        ("permutation", of_permutation),
        ("p_adjust", of_p_adjust),
        ("unpaired_se", of_unpaired_se),
        ("noninferiority", of_noninferiority),
        ("gate", of_gate),
        ("scale_reconcile", of_scale_reconcile),
        ("leaderboard", of_leaderboard),
        ("bradley_terry", of_bradley_terry),
        ("rank_ci", of_rank_ci),
        ("slices", of_slices),
        ("equalized_odds", of_equalized_odds),
        ("simpson", of_simpson),
        ("sliceline", of_sliceline),
        ("trend", of_trend),
        ("changepoint_pelt", of_changepoint_pelt),
        ("edivisive_candidate", of_edivisive_candidate),
        ("ols_forecast", of_ols_forecast),
        ("powerlaw_forecast", of_powerlaw_forecast),
        ("robust", of_robust),
        ("conformal", of_conformal),
        ("eta", of_eta),
        ("correlation", of_correlation),
        ("linkage", of_linkage),
        ("greedy_select", of_greedy_select),
        ("items", of_items),
        ("anchors", of_anchors),
        ("conf_seq", of_conf_seq),
        ("eprocess", of_eprocess),
        ("asha", of_asha),
        ("beeswarm", of_beeswarm),
        ("lttb", of_lttb),
        ("distribution", of_distribution),
        ("bin2d", of_bin2d),
        ("colormap", of_colormap),
    ];
    HashMap::from(groups)
});

/// Points of a density in the golden files.
const KDE_POINTS: usize = 7;

/// The level of intervals whose input names none.
const LEVEL: f64 = 0.95;

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

/// Yes or no, written as a number or a truth value.
fn flags(values: &[Value]) -> Vec<bool> {
    values
        .iter()
        .map(|v| v.as_bool().unwrap_or_else(|| v.as_f64() == Some(1.0)))
        .collect()
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

fn of_special(case: &Value) -> Output {
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

fn of_mean_ci(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        scores: Scores,
        level: f64,
    }
    let input: Input = read(case)?;
    write(mean::mean_ci(&input.scores.0, input.level))
}

fn of_clustered_se(case: &Value) -> Output {
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

fn of_binom_ci(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        k: u64,
        n: u64,
        level: f64,
    }
    let input: Input = read(case)?;
    write(proportion::binom_ci(input.k, input.n, input.level))
}

fn of_two_prop(case: &Value) -> Output {
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

fn of_bootstrap(case: &Value) -> Output {
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

fn of_bootstrap_paired(case: &Value) -> Output {
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

fn of_repeats(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        scores: Vec<Scores>,
    }
    let input: Input = read(case)?;
    write(repeats::repeats(&rows(input.scores)))
}

fn of_power(case: &Value) -> Output {
    if case["input"]["kind"] == "miller_eq9" {
        let plan: RepeatPlan = read(case)?;
        return write(power::repeat_power(&plan));
    }
    let plan: Plan = read(case)?;
    write(power::power(&plan))
}

fn of_bayes_binary(case: &Value) -> Output {
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

fn of_paired_diff(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        a: Scores,
        b: Scores,
        clusters: Option<Vec<Value>>,
        level: f64,
    }
    let input: Input = read(case)?;
    let clusters = clusters(input.clusters.as_ref());
    write(paired::paired_diff(
        &input.a.0,
        &input.b.0,
        clusters.as_ref(),
        input.level,
    ))
}

fn of_mcnemar(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        #[serde(flatten)]
        tally: PairedTally,
        level: f64,
    }
    let input: Input = read(case)?;
    write(mcnemar::mcnemar(input.tally, input.level))
}

fn of_sign_wilcoxon(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        d: Scores,
    }
    let input: Input = read(case)?;
    write(ordinal::sign_wilcoxon(&input.d.0))
}

fn of_permutation(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        d: Scores,
        clusters: Option<Vec<Value>>,
        #[serde(flatten)]
        how: SignFlips,
    }
    let input: Input = read(case)?;
    write(permutation::permutation(
        &input.d.0,
        clusters(input.clusters.as_ref()).as_ref(),
        &input.how,
    ))
}

fn of_p_adjust(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        p: Vec<Option<f64>>,
    }
    let input: Input = read(case)?;
    write(multiplicity::p_adjust(&input.p))
}

fn of_unpaired_se(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        #[serde(flatten)]
        of: Aggregates,
        level: f64,
    }
    let input: Input = read(case)?;
    write(unpaired::unpaired_se(&input.of, input.level))
}

fn of_noninferiority(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        d: Scores,
        margin: f64,
        alpha: f64,
    }
    let input: Input = read(case)?;
    write(noninferiority::noninferiority(
        &input.d.0,
        input.margin,
        input.alpha,
    ))
}

fn of_gate(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        rows: Vec<GateRow>,
        alpha: f64,
        q: f64,
        policy: Policy,
    }
    let Input {
        rows,
        alpha,
        q,
        policy,
    } = read(case)?;
    write(gate::gate(&rows, &GateRules { alpha, q, policy }))
}

fn of_scale_reconcile(case: &Value) -> Output {
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

fn of_leaderboard(case: &Value) -> Output {
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

fn of_bradley_terry(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        wins: Vec<Scores>,
        lambda_: f64,
    }
    let input: Input = read(case)?;
    write(bradley_terry::bradley_terry(&rows(input.wins), input.lambda_))
}

fn of_rank_ci(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        scores: Vec<Scores>,
        #[serde(flatten)]
        rules: RankRules,
    }
    let input: Input = read(case)?;
    write(rank_ci::rank_ci(&rows(input.scores), &input.rules))
}

fn of_slices(case: &Value) -> Output {
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

fn of_equalized_odds(case: &Value) -> Output {
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

fn of_simpson(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        strata: Vec<Stratum>,
    }
    let input: Input = read(case)?;
    write(simpson::simpson(&input.strata))
}

fn of_sliceline(case: &Value) -> Output {
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

fn of_trend(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        t: Scores,
        y: Scores,
        level: f64,
    }
    let input: Input = read(case)?;
    write(trend::trend(&input.t.0, &input.y.0, input.level))
}

fn of_changepoint_pelt(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        y: Scores,
        min_size: usize,
    }
    let input: Input = read(case)?;
    write(changepoint::changepoint_pelt(&input.y.0, input.min_size))
}

fn of_edivisive_candidate(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        y: Scores,
    }
    let input: Input = read(case)?;
    write(changepoint::edivisive_candidate(&input.y.0))
}

fn of_ols_forecast(case: &Value) -> Output {
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

fn of_powerlaw_forecast(case: &Value) -> Output {
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

fn of_robust(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        y: Scores,
    }
    let input: Input = read(case)?;
    write(anomaly::robust(&input.y.0))
}

fn of_conformal(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        scores: Scores,
        level: f64,
        new_score: f64,
    }
    let input: Input = read(case)?;
    write(anomaly::conformal(&input.scores.0, input.level, input.new_score))
}

fn of_eta(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        history: Vec<PastRun>,
        #[serde(flatten)]
        progress: Progress,
    }
    let input: Input = read(case)?;
    write(analysis::eta::eta(&input.history, &input.progress))
}

fn of_correlation(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        x: Scores,
        y: Scores,
        level: f64,
    }
    let input: Input = read(case)?;
    write(similarity::correlation(&input.x.0, &input.y.0, input.level))
}

fn of_linkage(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        distance: Vec<Scores>,
        cut: f64,
    }
    let input: Input = read(case)?;
    write(similarity::linkage(&rows(input.distance), input.cut))
}

fn of_greedy_select(case: &Value) -> Output {
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

fn of_items(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        matrix: Vec<Scores>,
    }
    let input: Input = read(case)?;
    write(selection::items(&rows(input.matrix)))
}

fn of_anchors(case: &Value) -> Output {
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

fn of_conf_seq(case: &Value) -> Output {
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

fn of_eprocess(case: &Value) -> Output {
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

fn of_asha(case: &Value) -> Output {
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

fn of_beeswarm(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        x: Scores,
        diameter: f64,
    }
    let input: Input = read(case)?;
    write(display::beeswarm(&input.x.0, input.diameter))
}

fn of_lttb(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        x: Scores,
        y: Scores,
        k: usize,
    }
    let input: Input = read(case)?;
    write(display::lttb(&input.x.0, &input.y.0, input.k))
}

fn of_distribution(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        y: Scores,
    }
    let input: Input = read(case)?;
    write(display::distribution(&input.y.0, KDE_POINTS))
}

fn of_bin2d(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        x: Scores,
        y: Scores,
        nx: usize,
        ny: usize,
        range: [[f64; 2]; 2],
    }
    let i: Input = read(case)?;
    write(display::bin2d(&i.x.0, &i.y.0, i.nx, i.ny, i.range))
}

fn of_colormap(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        name: String,
        stops: Scores,
    }
    let input: Input = read(case)?;
    write(display::colormap(&input.name, &input.stops.0))
}
