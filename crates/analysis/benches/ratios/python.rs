//! The references in Python, on one core.

use std::env;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::data::SliceData;

/// The same steps as ours: replicates of the mean, jackknife, BCa limits. The replicates in the
/// two ways in which numpy is used: one at a time, which stays in the caches and is the leanest
/// there is, and by the matrix of all their indices, which is how it is mostly written (and what
/// scipy does), here 500 replicates at a time because the whole takes 3.2 GB.
const BOOTSTRAP: &str = r#"
import sys, time
import numpy as np
from statistics import NormalDist
n, b = map(int, sys.stdin.read().split())
x = np.random.default_rng(1).random(n)
def one_at_a_time(rng):
    reps = np.empty(b)
    for i in range(b):
        reps[i] = x[rng.integers(0, n, n)].mean()
    return reps
def matrix(rng):
    batches = [min(500, b - i) for i in range(0, b, 500)]
    return np.concatenate([x[rng.integers(0, n, (k, n))].mean(axis=1) for k in batches])
def seconds(replicates):
    rng = np.random.default_rng(2)
    start = time.perf_counter()
    theta = x.mean()
    reps = replicates(rng)
    jack = (x.sum() - x) / (n - 1)
    d = jack.mean() - jack
    a = (d ** 3).sum() / (6 * (d ** 2).sum() ** 1.5)
    normal = NormalDist()
    z0 = normal.inv_cdf(((reps < theta).sum() + (reps <= theta).sum()) / (2 * b))
    limits = [normal.cdf(z0 + (z0 + z) / (1 - a * (z0 + z))) for z in (normal.inv_cdf(.025), normal.inv_cdf(.975))]
    np.quantile(reps, limits)
    return time.perf_counter() - start
times = [(seconds(one_at_a_time), seconds(matrix)) for _ in range(2)]
print(*map(min, zip(*times)))
"#;

const SLICELINE: &str = r#"
import sys, time, warnings
warnings.filterwarnings("ignore")
import numpy as np
from sliceline.slicefinder import Slicefinder
data = np.loadtxt(sys.stdin, delimiter=",")
x, errors = data[:, :-1].astype(int), data[:, -1]
support = max(20, -(-len(x) // 100))
best = None
for _ in range(2):
    finder = Slicefinder(alpha=0.95, k=10, max_l=3, min_sup=support, verbose=False)
    start = time.perf_counter()
    finder.fit(x, errors)
    seconds = time.perf_counter() - start
    best = seconds if best is None else min(best, seconds)
print(best)
print(finder.top_slices_statistics_[0]["slice_score"])
"#;

/// Bytes up to which glibc keeps freed memory.
const KEPT: &str = "1000000000";

/// How long numpy takes for a bootstrap, in seconds.
#[derive(Clone, Copy)]
pub(crate) struct Numpy {
    /// With the indices of one replicate at a time.
    pub(crate) one_at_a_time: f64,
    /// With a matrix of the indices of many.
    pub(crate) matrix: f64,
}

impl Numpy {
    /// The less disturbed of two measurements.
    pub(crate) fn shorter(self, other: Self) -> Self {
        Self {
            one_at_a_time: self.one_at_a_time.min(other.one_at_a_time),
            matrix: self.matrix.min(other.matrix),
        }
    }
}

/// A Python interpreter.
pub(crate) struct Python(String);

impl Python {
    /// The one that `ANALYSIS_BENCH_PYTHON` names.
    pub(crate) fn from_env() -> Option<Self> {
        env::var("ANALYSIS_BENCH_PYTHON").ok().map(Self)
    }

    /// Seconds for the bootstrap of a mean of `n` numbers with `b` replicates.
    pub(crate) fn bootstrap(&self, n: usize, b: usize) -> Numpy {
        let took = self.numbers(BOOTSTRAP, &format!("{n} {b}"));
        Numpy {
            one_at_a_time: took[0],
            matrix: took[1],
        }
    }

    /// Seconds for the search, and the best score.
    pub(crate) fn sliceline(&self, data: &SliceData) -> (f64, f64) {
        let mut csv = String::new();
        for (row, error) in data.codes.iter().zip(&data.errors) {
            for code in row {
                write!(csv, "{code},").expect("a string takes everything");
            }
            writeln!(csv, "{error}").expect("a string takes everything");
        }
        let found = self.numbers(SLICELINE, &csv);
        (found[0], found[1])
    }

    /// Runs a script and reads the numbers that it prints. glibc is told to keep what is freed:
    /// else it may return every replicate's arrays to the kernel and fault them in again, which
    /// more than doubles numpy's time and depends on what else was allocated.
    fn numbers(&self, script: &str, input: &str) -> Vec<f64> {
        let mut child = Command::new(&self.0)
            .args(["-c", script])
            .env("OPENBLAS_NUM_THREADS", "1")
            .env("OMP_NUM_THREADS", "1")
            .env("MALLOC_MMAP_THRESHOLD_", KEPT)
            .env("MALLOC_TRIM_THRESHOLD_", KEPT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("`ANALYSIS_BENCH_PYTHON` is an interpreter");
        let mut stdin = child.stdin.take().expect("standard input is piped");
        stdin
            .write_all(input.as_bytes())
            .expect("the script reads its input");
        drop(stdin);
        let output = child.wait_with_output().expect("the script ends");
        assert!(output.status.success(), "the reference failed: {}", output.status);
        let text = String::from_utf8_lossy(&output.stdout);
        text.split_whitespace()
            .filter_map(|word| word.parse().ok())
            .collect()
    }
}
