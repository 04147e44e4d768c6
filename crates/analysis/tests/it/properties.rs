//! Properties that hold for every input; ten thousand cases each, from a fixed seed.

use analysis::bayes::PairedTally;
use analysis::sliceline::{SearchRules, Table};
use analysis::streams::Stream;
use analysis::{
    Clusters, Interval, adaptive, anomaly, display, mcnemar, mean, multiplicity, ordinal, paired,
    permutation, proportion, similarity, sliceline, special, unpaired,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, RngSeed};

fn ten_thousand() -> Config {
    Config {
        cases: 10_000,
        failure_persistence: None,
        rng_algorithm: RngAlgorithm::XorShift,
        rng_seed: RngSeed::Fixed(20_261_120),
        ..Config::default()
    }
}

/// Scores of a benchmark: right or wrong, or anything in between.
fn scores(n: impl Into<proptest::collection::SizeRange>) -> impl Strategy<Value = Vec<f64>> {
    let score = prop_oneof![Just(0.0), Just(1.0), 0.0..1.0_f64, -50.0..50.0_f64];
    proptest::collection::vec(score, n)
}

fn pairs() -> impl Strategy<Value = Vec<(f64, f64)>> {
    let score = || prop_oneof![Just(0.0), Just(1.0), 0.0..1.0_f64];
    proptest::collection::vec((score(), score()), 0..40)
}

fn close(x: Option<f64>, y: Option<f64>) -> bool {
    match (x, y) {
        (Some(x), Some(y)) => x == y || (x - y).abs() <= 1e-9 * (1.0 + x.abs().max(y.abs())),
        (None, None) => true,
        _ => false,
    }
}

/// The same values in another order.
fn shuffled<T: Clone>(items: &[T], seed: u64) -> Vec<T> {
    let mut items = items.to_vec();
    Stream::new(seed, 0).shuffle(&mut items);
    items
}

proptest! {
    #![proptest_config(ten_thousand())]

    #[test]
    fn swapping_the_runs_turns_the_sign(pairs in pairs()) {
        let (a, b): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        let of = paired::paired_diff(&a, &b, None, 0.95)?;
        let turned = paired::paired_diff(&b, &a, None, 0.95)?;
        prop_assert!(close(of.diff, turned.diff.map(|x| -x)));
        prop_assert!(close(of.t, turned.t.map(|x| -x)));
        prop_assert!(close(of.p_t, turned.p_t) && close(of.se, turned.se));
        prop_assert!(close(of.ci_t.map(|ci| ci.lo), turned.ci_t.map(|ci| -ci.hi)));
        let d: Vec<f64> = a.iter().zip(&b).map(|(a, b)| b - a).collect();
        let minus: Vec<f64> = d.iter().map(|x| -x).collect();
        let (up, down) = (ordinal::sign_wilcoxon(&d)?, ordinal::sign_wilcoxon(&minus)?);
        prop_assert!(close(up.z_pratt, down.z_pratt.map(|x| -x)));
        prop_assert!(close(Some(up.p_wilcox), Some(down.p_wilcox)) && close(up.p_exact, down.p_exact));
        prop_assert!(close(up.hodges_lehmann, down.hodges_lehmann.map(|x| -x)));
        let flips = permutation::SignFlips { b: 20, seed: 1, exact_max_n: 8 };
        let (up, down) = (permutation::permutation(&d, None, &flips)?, permutation::permutation(&minus, None, &flips)?);
        prop_assert_eq!(up, down);
    }

    #[test]
    fn swapping_right_and_wrong_answers_turns_the_sign(
        n11 in 0_u64..200, n10 in 0_u64..80, n01 in 0_u64..80, n00 in 0_u64..200,
    ) {
        let of = mcnemar::mcnemar(PairedTally { n11, n10, n01, n00 }, 0.95)?;
        let turned = mcnemar::mcnemar(PairedTally { n11, n10: n01, n01: n10, n00 }, 0.95)?;
        prop_assert!(close(of.diff, turned.diff.map(|x| -x)));
        prop_assert!(close(Some(of.p_mid), Some(turned.p_mid)));
        let (better, worse) = (of.p_candidate_better_bayes, turned.p_candidate_better_bayes);
        prop_assert!(close(Some(better), Some(1.0 - worse)));
        prop_assert!(of.p_mid <= of.p_exact && of.p_exact <= 1.0 && of.p_mid > 0.0);
    }

    #[test]
    fn swapping_reported_scores_turns_the_sign(
        mean_a in 0.0..1.0_f64, mean_b in 0.0..1.0_f64, se_a in 0.0..0.1_f64, se_b in 0.0..0.1_f64,
        rho in -0.9..0.9_f64,
    ) {
        let compare = |mean_a, se_a, mean_b, se_b| unpaired::unpaired_se(&unpaired::Aggregates {
            mean_a, se_a, n_a: Some(100), mean_b, se_b, n_b: Some(100),
            higher_is_better: true, margin: 0.0, rho,
        }, 0.95);
        let (of, turned) = (compare(mean_a, se_a, mean_b, se_b)?, compare(mean_b, se_b, mean_a, se_a)?);
        prop_assert!(close(Some(of.gain), Some(-turned.gain)));
        prop_assert!(close(Some(of.p_two), Some(turned.p_two)));
        prop_assert!(close(Some(of.p_regression), Some(1.0 - turned.p_regression)));
    }

    #[test]
    fn the_order_of_samples_does_not_matter(
        rows in proptest::collection::vec((scores(1..2), scores(1..2), 0_u8..6), 1..40),
        seed in any::<u64>(),
    ) {
        let measure = |rows: &[(Vec<f64>, Vec<f64>, u8)]| -> Result<Vec<Option<f64>>, analysis::InputError> {
            let a: Vec<f64> = rows.iter().map(|row| row.0[0]).collect();
            let b: Vec<f64> = rows.iter().map(|row| row.1[0]).collect();
            let groups = Clusters::new(&rows.iter().map(|row| row.2).collect::<Vec<_>>());
            let d: Vec<f64> = a.iter().zip(&b).map(|(a, b)| b - a).collect();
            let (mean, robust) = (mean::mean_ci(&a, 0.9)?, anomaly::robust(&a)?);
            let clustered = mean::clustered_se(&a, &groups, 0.9)?;
            let diff = paired::paired_diff(&a, &b, Some(&groups), 0.9)?;
            let (rank, shape) = (ordinal::sign_wilcoxon(&d)?, display::distribution(&a, 3)?);
            let of_pair = similarity::correlation(&a, &b, 0.9)?;
            let robust_diff = diff.clustered.as_ref();
            Ok(vec![
                mean.mean, mean.sd, mean.ci_t.map(|ci| ci.lo), robust.median, robust.scale,
                clustered.se_cr1, clustered.se_lmms, clustered.icc, diff.se, diff.p_t, diff.corr,
                robust_diff.and_then(|of| of.se), robust_diff.and_then(|of| of.p),
                rank.z_pratt, rank.hodges_lehmann, shape.kde.map(|kde| kde.density[1]),
                of_pair.pearson, of_pair.spearman, of_pair.kendall_b, of_pair.p_kendall,
            ])
        };
        let (of, again) = (measure(&rows)?, measure(&shuffled(&rows, seed))?);
        for (i, (x, y)) in of.into_iter().zip(again).enumerate() {
            prop_assert!(close(x, y), "measure {} is {:?} and {:?}", i, x, y);
        }
    }

    #[test]
    fn a_hundredfold_score_has_hundredfold_errors(
        rows in proptest::collection::vec((0.0..1.0_f64, 0.0..1.0_f64, 0_u8..6), 2..40),
    ) {
        let groups = Clusters::new(&rows.iter().map(|row| row.2).collect::<Vec<_>>());
        let at = |factor: f64| {
            let a: Vec<f64> = rows.iter().map(|row| factor * row.0).collect();
            let b: Vec<f64> = rows.iter().map(|row| factor * row.1).collect();
            let diff = paired::paired_diff(&a, &b, Some(&groups), 0.95)?;
            Ok::<_, analysis::InputError>((mean::clustered_se(&a, &groups, 0.95)?, diff))
        };
        let ((mean, diff), (mean_100, diff_100)) = (at(1.0)?, at(100.0)?);
        let times = |x: Option<f64>| x.map(|x| 100.0 * x);
        prop_assert!(close(times(mean.mean), mean_100.mean));
        prop_assert!(close(times(mean.se_cr1), mean_100.se_cr1));
        prop_assert!(close(mean.deff, mean_100.deff) && close(mean.icc, mean_100.icc));
        prop_assert!(close(times(diff.se), diff_100.se) && close(diff.t, diff_100.t));
        prop_assert!(close(diff.p_t, diff_100.p_t) && close(diff.corr, diff_100.corr));
        let p = |of: &paired::PairedDiff| of.clustered.as_ref().and_then(|of| of.p);
        prop_assert!(close(p(&diff), p(&diff_100)));
    }

    #[test]
    fn what_is_told_of_scores_gives_the_interval_of_the_scores(
        answers in proptest::collection::vec(any::<bool>(), 2..200),
        parts in proptest::collection::vec(0.02..0.98_f64, 2..60),
        factor in prop_oneof![Just(1.0), Just(100.0)],
    ) {
        let told = |scores: &[f64]| {
            let scores: Vec<f64> = scores.iter().map(|score| factor * score).collect();
            let of = mean::mean_ci(&scores, 0.95)?;
            let ends = of.mean.zip(of.se).and_then(|(mean, se)| mean::reported_ci(mean, se, Some(of.n as u64)));
            Ok::<_, analysis::InputError>(ends)
        };
        let same = |told: Option<Interval>, own: Option<Interval>| {
            close(told.map(|ci| ci.lo), own.map(|ci| factor * ci.lo)) && close(told.map(|ci| ci.hi), own.map(|ci| factor * ci.hi))
        };
        let right: Vec<f64> = answers.iter().map(|&right| f64::from(u8::from(right))).collect();
        let hits = answers.iter().filter(|right| **right).count() as u64;
        let wilson = proportion::binom_ci(hits, answers.len() as u64, 0.95)?.wilson;
        prop_assert!(hits == 0 || same(told(&right)?, wilson));
        prop_assert!(same(told(&parts)?, mean::mean_ci(&parts, 0.95)?.ci_t));
    }

    #[test]
    fn clusters_of_one_sample_change_nothing(scores in scores(2..60)) {
        let alone = Clusters::new(&(0..scores.len()).collect::<Vec<_>>());
        let of = mean::clustered_se(&scores, &alone, 0.95)?;
        let naive = mean::mean_ci(&scores, 0.95)?;
        prop_assert!(close(of.se_cr1, naive.se) && close(of.se_lmms, naive.se));
        prop_assert!(close(of.ci_cr1.map(|ci| ci.hi), naive.ci_t.map(|ci| ci.hi)));
        prop_assert_eq!(of.icc, None);
    }

    #[test]
    fn holm_is_at_least_benjamini_hochberg_is_at_least_raw(
        p in proptest::collection::vec(proptest::option::weighted(0.9, 0.0..=1.0_f64), 0..40),
        seed in any::<u64>(),
    ) {
        let of = multiplicity::p_adjust(&p)?;
        for (i, p) in p.iter().enumerate() {
            let [Some(raw), Some(bonferroni), Some(holm), Some(hochberg), Some(bh), Some(by)] =
                [*p, of.bonferroni[i], of.holm[i], of.hochberg[i], of.bh[i], of.by[i]]
            else {
                prop_assert_eq!(of.holm[i], None);
                continue;
            };
            prop_assert!(bonferroni >= holm && holm >= hochberg && hochberg >= bh - 1e-15);
            prop_assert!(bh >= raw && by >= bh - 1e-15);
        }
        let at: Vec<usize> = shuffled(&(0..p.len()).collect::<Vec<_>>(), seed);
        let moved = multiplicity::p_adjust(&at.iter().map(|&i| p[i]).collect::<Vec<_>>())?;
        prop_assert_eq!(moved.bh, at.iter().map(|&i| of.bh[i]).collect::<Vec<_>>());
    }

    #[test]
    fn dots_do_not_overlap_and_stay_where_they_are(
        x in proptest::collection::vec(prop_oneof![0.0..40.0_f64, (0_u8..40).prop_map(f64::from)], 0..24),
        diameter in 1.0..9.0_f64,
        seed in any::<u64>(),
    ) {
        let y = display::beeswarm(&x, diameter)?.y;
        for i in 0..x.len() {
            for j in 0..i {
                let distance = (x[i] - x[j]).hypot(y[i] - y[j]);
                prop_assert!(distance >= diameter - 1e-6, "dots {} and {} at {}", i, j, distance);
            }
        }
        for (i, (ours, literal)) in y.iter().zip(literal_swarm(&x, diameter)).enumerate() {
            prop_assert!((ours - literal).abs() < 1e-6, "dot {} at {} and {}", i, ours, literal);
        }
        let mut distinct = x.clone();
        distinct.sort_by(f64::total_cmp);
        distinct.dedup();
        if distinct.len() == x.len() {
            let at = shuffled(&(0..x.len()).collect::<Vec<_>>(), seed);
            let moved: Vec<f64> = at.iter().map(|&i| x[i]).collect();
            let expected: Vec<f64> = at.iter().map(|&i| y[i]).collect();
            prop_assert_eq!(display::beeswarm(&moved, diameter)?.y, expected);
        }
    }

    #[test]
    fn the_pruned_search_finds_what_an_exhaustive_one_finds(
        seed in any::<u64>(), n in 1_usize..60, columns in 1_usize..=6, values in 1_usize..=3,
        min_support in 1_usize..12, max_level in 1_usize..=3, k in 1_usize..8, binary in any::<bool>(),
    ) {
        let mut dice = Stream::new(seed, 0);
        let rows: Vec<Vec<String>> = (0..n)
            .map(|_| (0..columns).map(|_| dice.below(values).to_string()).collect())
            .collect();
        let errors: Vec<f64> =
            (0..n).map(|_| if binary { dice.below(2) as f64 } else { dice.below(1000) as f64 / 1e3 }).collect();
        let rules = SearchRules { alpha: 0.95, k, min_support, max_level, max_work: u64::MAX };
        let found = sliceline::sliceline(&Table::from_rows(&rows)?, &errors, &rules)?;
        let found: Vec<_> = found.slices.into_iter().map(|of| (of.predicates, of.size)).collect();
        prop_assert_eq!(found, exhaustive(&rows, &errors, &rules));
    }

    #[test]
    fn quantiles_invert_their_distributions(
        p in prop_oneof![0.001..0.999_f64, 1e-12..1e-6_f64], a in 0.3..400.0_f64, b in 0.3..400.0_f64,
        df in 1.0..1e5_f64,
    ) {
        let near = |x: f64| (x - p).abs() < 1e-8 * p;
        prop_assert!(near(special::norm_cdf(special::norm_ppf(p))));
        prop_assert!(near(special::t_cdf(special::t_ppf(p, df), df)));
        let x = special::beta_ppf(a, b, p);
        // Where the next double already has another probability, nothing closer exists.
        let step = special::beta_cdf(a, b, x * (1.0 + 2e-16)) - special::beta_cdf(a, b, x * (1.0 - 2e-16));
        prop_assert!((special::beta_cdf(a, b, x) - p).abs() < 1e-8 * p + 2.0 * step);
    }
}

/// A fixed interval that is looked at once lies inside the running one that may be looked at
/// always, for scores that are independent draws. It is no theorem: the running intersection keeps
/// what it once excluded, and a path whose mean moves late can leave the fixed interval sticking
/// out. Of these ten thousand paths, each looked at after every one of up to sixty samples, fewer
/// than one in a hundred has that at any time, and none by more than a tenth.
#[test]
fn a_fixed_interval_lies_inside_the_running_one() {
    let mut sticking_out = 0;
    for path in 0..10_000 {
        let mut dice = Stream::new(20_261_120, path);
        let (n, rate, binary) = (2 + dice.below(59), dice.below(1000) as f64 / 999.0, dice.flip());
        let mut running = adaptive::ConfidenceSequence::new(None, 0.05).expect("a level");
        let (mut seen, mut worst) = (Vec::new(), 0.0_f64);
        for _ in 0..n {
            let u = dice.bits() as f64 / u64::MAX as f64;
            seen.push(if binary {
                f64::from(u8::from(u < rate))
            } else {
                rate * u + (1.0 - rate) / 2.0
            });
            running.push(seen[seen.len() - 1]).expect("a score from 0 to 1");
            let bound = running.bound().expect("at least one score");
            if let Some((lo, hi)) = t_interval(&seen) {
                worst = worst.max(bound.lo - lo.max(0.0)).max(hi.min(1.0) - bound.hi);
            }
        }
        assert!(worst < 0.1, "path {path} sticks out by {worst}");
        sticking_out += usize::from(worst > 1e-12);
    }
    assert!(sticking_out < 100, "{sticking_out} paths stick out");
}

/// The 95 % t interval of the scores so far, by hand.
fn t_interval(xs: &[f64]) -> Option<(f64, f64)> {
    static QUANTILES: std::sync::LazyLock<Vec<f64>> =
        std::sync::LazyLock::new(|| (0..60).map(|df| special::t_ppf(0.975, f64::from(df))).collect());
    let n = xs.len() as f64;
    if xs.len() < 2 {
        return None;
    }
    let mean = xs.iter().sum::<f64>() / n;
    let variance = xs.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let half = QUANTILES[xs.len() - 1] * (variance / n).sqrt();
    Some((mean - half, mean + half))
}

/// The swarm by its definition: every candidate height against every dot.
fn literal_swarm(x: &[f64], diameter: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..x.len()).collect();
    order.sort_by(|&i, &j| x[i].total_cmp(&x[j]).then(i.cmp(&j)));
    let mut y = vec![0.0; x.len()];
    let mut placed: Vec<usize> = Vec::new();
    for i in order {
        let near = placed.iter().filter(|&&j| x[i] - x[j] < diameter);
        let reach = |&j: &usize| (diameter.powi(2) - (x[i] - x[j]).powi(2)).sqrt();
        let mut candidates = vec![0.0];
        candidates.extend(near.flat_map(|j| [y[*j] + reach(j), y[*j] - reach(j)]));
        let free = |height: &f64| {
            placed
                .iter()
                .all(|&j| (x[i] - x[j]).powi(2) + (height - y[j]).powi(2) >= diameter.powi(2) - 1e-7)
        };
        let key = |height: &f64| ((height.abs() * 1e9).round(), u8::from(*height < 0.0));
        y[i] = candidates
            .into_iter()
            .filter(free)
            .min_by(|a, b| key(a).partial_cmp(&key(b)).expect("heights are numbers"))
            .expect("the highest candidate is free");
        placed.push(i);
    }
    y
}

/// Column and value of each predicate.
type Predicates = Vec<(usize, String)>;

/// The best slices by looking at every conjunction of at most `max_level` predicates.
fn exhaustive(rows: &[Vec<String>], errors: &[f64], rules: &SearchRules) -> Vec<(Predicates, usize)> {
    let n = rows.len() as f64;
    let overall = errors.iter().sum::<f64>() / n;
    let mut all: Vec<(f64, Predicates, usize)> = Vec::new();
    let mut open: Vec<Predicates> = vec![Vec::new()];
    while let Some(predicates) = open.pop() {
        let inside: Vec<usize> = (0..rows.len())
            .filter(|&r| predicates.iter().all(|(c, value)| rows[r][*c] == *value))
            .collect();
        let sum: f64 = inside.iter().map(|&r| errors[r]).sum();
        let size = inside.len() as f64;
        let score = rules.alpha * (sum / size / overall - 1.0) - (1.0 - rules.alpha) * (n / size - 1.0);
        if !predicates.is_empty()
            && inside.len() >= rules.min_support
            && (score * 1e12).round() > 0.0
            && sum > 0.0
        {
            all.push(((score * 1e12).round(), predicates.clone(), inside.len()));
        }
        if predicates.len() < rules.max_level && !inside.is_empty() {
            let next = predicates.last().map_or(0, |(c, _)| c + 1);
            let width = rows.first().map_or(0, Vec::len);
            for column in next..width {
                for value in values_of(rows, &inside, column) {
                    open.push([predicates.as_slice(), &[(column, value.to_owned())]].concat());
                }
            }
        }
    }
    all.sort_by(|x, y| {
        y.0.total_cmp(&x.0)
            .then(x.1.len().cmp(&y.1.len()))
            .then_with(|| x.1.cmp(&y.1))
    });
    all.into_iter()
        .take(rules.k)
        .map(|(_, predicates, size)| (predicates, size))
        .collect()
}

fn values_of<'a>(rows: &'a [Vec<String>], inside: &[usize], column: usize) -> Vec<&'a str> {
    let mut values: Vec<&str> = inside.iter().map(|&row| rows[row][column].as_str()).collect();
    values.sort_unstable();
    values.dedup();
    values
}
