//! Is B better than A?

use analysis::bayes::PairedTally;
use analysis::gate::{GateRow, GateRules, Policy};
use analysis::permutation::SignFlips;
use analysis::unpaired::Aggregates;
use analysis::{gate, mcnemar, multiplicity, noninferiority, ordinal, paired, permutation, unpaired};
use serde::Deserialize;
use serde_json::Value;

use super::{Output, Scores, clusters, read, write};

pub(super) fn paired_diff(case: &Value) -> Output {
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

pub(super) fn mcnemar(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        #[serde(flatten)]
        tally: PairedTally,
        level: f64,
    }
    let input: Input = read(case)?;
    write(mcnemar::mcnemar(input.tally, input.level))
}

pub(super) fn sign_wilcoxon(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        d: Scores,
    }
    let input: Input = read(case)?;
    write(ordinal::sign_wilcoxon(&input.d.0))
}

pub(super) fn permutation(case: &Value) -> Output {
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

pub(super) fn p_adjust(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        p: Vec<Option<f64>>,
    }
    let input: Input = read(case)?;
    write(multiplicity::p_adjust(&input.p))
}

pub(super) fn unpaired_se(case: &Value) -> Output {
    #[derive(Deserialize)]
    struct Input {
        #[serde(flatten)]
        of: Aggregates,
        level: f64,
    }
    let input: Input = read(case)?;
    write(unpaired::unpaired_se(&input.of, input.level))
}

pub(super) fn noninferiority(case: &Value) -> Output {
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

pub(super) fn gate(case: &Value) -> Output {
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
