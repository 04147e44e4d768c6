//! What can this benchmark detect, and how many questions would it take?

use serde::{Deserialize, Serialize};

use crate::input::{InputError, check_level, check_number, check_size, defined, domain};
use crate::special::{norm_cdf, norm_ppf};

/// A planned comparison of two runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The difference that matters, in units of the score; its sign is ignored.
    pub effect: f64,
    /// Standard deviation of the baseline's scores.
    pub sd_a: f64,
    /// Standard deviation of the candidate's scores.
    pub sd_b: f64,
    /// Correlation of the two runs' scores over questions.
    pub rho: f64,
    /// Two-sided significance level.
    pub alpha: f64,
    /// Power aimed at.
    pub power: f64,
    /// Questions at hand.
    pub n: u64,
    /// Design effect of clustered questions; 1 when they are independent.
    #[serde(default = "one")]
    pub deff: f64,
    /// Share of questions on which exactly one run is right, for McNemar's test.
    pub psi: f64,
}

fn one() -> f64 {
    1.0
}

/// What a design of a comparison can do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Design {
    /// Questions needed for the power aimed at; undefined for an effect of zero.
    pub min_n: Option<u64>,
    /// Probability of finding the effect with the questions at hand, in its own direction.
    pub power: Option<f64>,
    /// The same with the other tail added.
    pub power_two_sided: Option<f64>,
    /// Minimum detectable effect with the questions at hand, at the power aimed at.
    pub mde: Option<f64>,
}

/// The power of a comparison, paired and not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Power {
    /// Both runs answer the same questions.
    pub paired: Design,
    /// The runs answer different questions: `rho` counts as zero.
    pub unpaired: Design,
    /// Questions needed by McNemar's test (Connor 1987); undefined when `psi` cannot produce the
    /// effect.
    pub mcnemar_n: Option<u64>,
}

/// Sample size, power and minimum detectable effect of a comparison of two runs.
///
/// With `v = sa² + sb² - 2ρ sa sb` the variance of a question's difference,
/// `min_n = ⌈(z_{α/2} + z_β)² v deff/effect²⌉`, `mde = (z_{α/2} + z_β) √(v deff/n)` and
/// `power = Φ(effect/√(v deff/n) - z_{α/2})`. Runs that agree everywhere (`v` = 0) detect any
/// effect with one question.
///
/// ```
/// use analysis::power::{Plan, power};
///
/// let plan = Plan {
///     effect: 0.03, sd_a: 0.5, sd_b: 0.5, rho: 0.5, alpha: 0.05, power: 0.8,
///     n: 1000, deff: 1.0, psi: 0.12,
/// };
/// let of = power(&plan)?;
/// assert_eq!((of.paired.min_n, of.unpaired.min_n), (Some(2181), Some(4361)));
/// // "This benchmark can detect ±4.4 points."
/// assert!((of.paired.mde.expect("n > 0") - 0.044).abs() < 0.001);
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When α or the power is not between 0 and 1, a spread is negative, `rho` is not in [-1, 1], or
/// a number is not finite.
pub fn power(plan: &Plan) -> Result<Power, InputError> {
    check_plan(plan)?;
    let (za, zb) = critical(plan.alpha, plan.power);
    Ok(Power {
        paired: design(plan, plan.rho),
        unpaired: design(plan, 0.0),
        mcnemar_n: mcnemar_n(plan.effect.abs(), plan.psi, za, zb),
    })
}

fn check_plan(plan: &Plan) -> Result<(), InputError> {
    check_level("alpha", plan.alpha)?;
    check_level("power", plan.power)?;
    check_number("effect", plan.effect)?;
    check_size("sd_a", plan.sd_a)?;
    check_size("sd_b", plan.sd_b)?;
    check_size("deff", plan.deff)?;
    domain("rho", plan.rho, plan.rho.abs() <= 1.0, "a correlation")?;
    domain("psi", plan.psi, (0.0..=1.0).contains(&plan.psi), "a share")
}

fn critical(alpha: f64, power: f64) -> (f64, f64) {
    (-norm_ppf(alpha / 2.0), norm_ppf(power))
}

fn design(plan: &Plan, rho: f64) -> Design {
    let (za, zb) = critical(plan.alpha, plan.power);
    let effect = plan.effect.abs();
    let v = (plan.sd_a.powi(2) + plan.sd_b.powi(2) - 2.0 * rho * plan.sd_a * plan.sd_b).max(0.0);
    if v <= 1e-18 {
        return Design {
            min_n: Some(1),
            power: Some(1.0),
            power_two_sided: Some(1.0),
            mde: Some(0.0),
        };
    }
    let se = (v * plan.deff / plan.n as f64).sqrt();
    let shift = effect / se;
    let known = |x: f64| defined(x).filter(|_| plan.n > 0);
    Design {
        min_n: whole((za + zb).powi(2) * v * plan.deff / effect.powi(2)),
        power: known(norm_cdf(shift - za)),
        power_two_sided: known(norm_cdf(shift - za) + norm_cdf(-shift - za)),
        mde: known((za + zb) * se),
    }
}

fn mcnemar_n(effect: f64, psi: f64, za: f64, zb: f64) -> Option<u64> {
    let rest = psi - effect * effect;
    if rest < 0.0 {
        return None;
    }
    whole(((za * psi.sqrt() + zb * rest.sqrt()) / effect).powi(2))
}

/// Rounded up to a whole number of questions, at least one.
fn whole(n: f64) -> Option<u64> {
    (n.is_finite() && n < 1e18).then(|| (n.ceil() as u64).max(1))
}

/// A planned comparison in which every question is answered several times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RepeatPlan {
    /// Variance over questions of the difference of the runs' expected scores.
    pub omega2: f64,
    /// Variance of the baseline's answers to one question.
    pub sigma2_a: f64,
    /// Variance of the candidate's answers to one question.
    pub sigma2_b: f64,
    /// Answers per question of the baseline.
    pub k_a: u64,
    /// Answers per question of the candidate.
    pub k_b: u64,
    /// The difference that matters.
    pub effect: f64,
    /// Two-sided significance level.
    pub alpha: f64,
    /// Power aimed at.
    pub power: f64,
}

/// Questions needed when each is answered several times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RepeatPower {
    /// Not rounded; undefined for an effect of zero or without answers.
    pub n: Option<f64>,
}

/// Questions needed with `k_a` and `k_b` answers to each:
/// `(z_{α/2} + z_β)² (ω² + σ²_a/k_a + σ²_b/k_b)/effect²` (Miller 2024, equation 9).
///
/// ```
/// use analysis::power::{RepeatPlan, repeat_power};
///
/// let plan = |k| RepeatPlan {
///     omega2: 0.12, sigma2_a: 0.08, sigma2_b: 0.09, k_a: k, k_b: k,
///     effect: 0.03, alpha: 0.05, power: 0.8,
/// };
/// let (once, five) = (repeat_power(&plan(1))?, repeat_power(&plan(5))?);
/// assert!(five.n < once.n);
/// # Ok::<(), analysis::InputError>(())
/// ```
///
/// # Errors
/// When α or the power is not between 0 and 1, a variance is negative, or a number not finite.
pub fn repeat_power(plan: &RepeatPlan) -> Result<RepeatPower, InputError> {
    check_level("alpha", plan.alpha)?;
    check_level("power", plan.power)?;
    check_number("effect", plan.effect)?;
    check_size("omega2", plan.omega2)?;
    check_size("sigma2_a", plan.sigma2_a)?;
    check_size("sigma2_b", plan.sigma2_b)?;
    let (za, zb) = critical(plan.alpha, plan.power);
    let per_question = plan.omega2 + plan.sigma2_a / plan.k_a as f64 + plan.sigma2_b / plan.k_b as f64;
    Ok(RepeatPower {
        n: defined((za + zb).powi(2) * per_question / plan.effect.powi(2)),
    })
}
