//! The golden files, inside the binary so that they are there under WebAssembly too.

use serde_json::Value;

macro_rules! golden {
    ($($group:literal)*) => {
        &[$(include_bytes!(concat!("../golden/", $group, ".json")).as_slice()),*]
    };
}

const FILES: &[&[u8]] = golden![
    "anchors"
    "asha"
    "bayes_binary"
    "beeswarm"
    "bin2d"
    "binom_ci"
    "bootstrap"
    "bootstrap_paired"
    "bradley_terry"
    "changepoint_pelt"
    "clustered_se"
    "colormap"
    "conf_seq"
    "conformal"
    "correlation"
    "distribution"
    "edivisive_candidate"
    "eprocess"
    "equalized_odds"
    "eta"
    "gate"
    "greedy_select"
    "items"
    "leaderboard"
    "linkage"
    "lttb"
    "mcnemar"
    "mean_ci"
    "noninferiority"
    "ols_forecast"
    "p_adjust"
    "paired_diff"
    "permutation"
    "power"
    "powerlaw_forecast"
    "rank_ci"
    "repeats"
    "robust"
    "scale_reconcile"
    "sign_wilcoxon"
    "simpson"
    "sliceline"
    "slices"
    "special"
    "trend"
    "two_prop"
    "unpaired_se"
];

/// Every golden file.
pub(crate) fn all() -> Vec<Value> {
    let read = |bytes: &&[u8]| serde_json::from_slice(bytes).expect("a golden file is JSON");
    FILES.iter().map(read).collect()
}
