//! May this evaluation stop early?
//!
//! Both analyses hold at every sample at once, so one may look after each and stop when the
//! answer is clear. They need samples in random order: lmms-eval's own order is sorted by
//! category, and its prefixes are biased.

mod conf_seq;
mod eprocess;

pub use conf_seq::{Bound, ConfSeq, ConfidenceSequence, conf_seq};
pub use eprocess::{Decision, Eprocess, EprocessResult, Evidence, eprocess};

/// The predictable mean and variance that both analyses bet by.
#[derive(Debug, Clone, Default)]
struct Bets {
    t: f64,
    sum: f64,
    squares: f64,
}

impl Bets {
    /// `(½ + S)/(t + 1)` from the samples so far.
    fn mean(&self) -> f64 {
        (0.5 + self.sum) / (self.t + 1.0)
    }

    /// `√(2 log/(s² t ln(1+t)))` for the coming sample.
    fn lambda(&self, log: f64) -> f64 {
        let t = self.t + 1.0;
        let variance = (0.25 + self.squares) / t;
        (2.0 * log / (variance * t * t.ln_1p())).sqrt()
    }

    fn push(&mut self, x: f64) {
        self.t += 1.0;
        self.sum += x;
        self.squares += (x - self.mean()).powi(2);
    }
}
