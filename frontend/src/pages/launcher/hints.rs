//! What holds when a field is left alone: the picked tasks' own values, as placeholders and hints.

use serde_json::Value;
use types::BenchmarkView;

use crate::format::{plural, real};

/// What the picked tasks say by themselves.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Hints {
    /// Their temperature, or the range of them.
    pub temperature: Option<String>,
    /// Their longest answers.
    pub max_new_tokens: Option<String>,
    /// Their nucleus sampling.
    pub top_p: Option<String>,
    /// Their number of few-shot examples.
    pub shots: Option<String>,
    /// How many of them take few-shot examples.
    pub take_shots: usize,
    /// How many are picked.
    pub picked: usize,
}

impl Hints {
    /// What these tasks say.
    pub fn of(rows: &[&BenchmarkView]) -> Self {
        let own = |key: &str| {
            range(
                rows.iter()
                    .filter_map(|row| number(row.generation_kwargs.get(key)?)),
            )
        };
        Self {
            temperature: own("temperature"),
            max_new_tokens: own("max_new_tokens"),
            top_p: own("top_p"),
            shots: range(rows.iter().filter_map(|row| row.num_fewshot).map(f64::from)),
            take_shots: rows.iter().filter(|row| row.supports_fewshot).count(),
            picked: rows.len(),
        }
    }

    /// Whether few-shot examples can be asked for: every picked task must take them, because lmms-eval ends the
    /// whole run at the first that does not.
    pub fn shots_usable(&self) -> bool {
        self.picked > 0 && self.take_shots == self.picked
    }

    /// Why few-shot examples can or cannot be asked for.
    pub fn shots_words(&self) -> String {
        match (self.picked, self.take_shots) {
            (0, _) => "choose benchmarks first".into(),
            (_, 0) => "no chosen task takes shots".into(),
            (all, some) if some < all => format!(
                "only {some} of {} take shots",
                plural(all as u64, "task", "tasks")
            ),
            _ => "per question".into(),
        }
    }
}

fn number(value: &Value) -> Option<f64> {
    value
        .as_f64()
        .or_else(|| value.as_str()?.trim().parse().ok())
        .filter(|number| number.is_finite())
}

/// One value, or `16–1 024`.
fn range(values: impl Iterator<Item = f64>) -> Option<String> {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values {
        low = low.min(value);
        high = high.max(value);
    }
    match low <= high {
        true if low == high => Some(plain(low)),
        true => Some(format!("{}–{}", plain(low), plain(high))),
        false => None,
    }
}

/// Whole numbers without decimals, others as they are.
fn plain(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        real(value, 0)
    } else {
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::launcher::form::tests::benchmark;
    use serde_json::json;

    #[test]
    fn the_tasks_own_values_are_shown() {
        let a = benchmark(
            "a",
            json!({"generation_kwargs": {"temperature": 0, "max_new_tokens": 16}, "num_fewshot": 0}),
        );
        let b = benchmark(
            "b",
            json!({"generation_kwargs": {"temperature": "0.7", "max_new_tokens": 512}, "supports_fewshot": true}),
        );
        let hints = Hints::of(&[&a, &b]);
        assert_eq!(hints.temperature.as_deref(), Some("0–0.7"));
        assert_eq!(hints.max_new_tokens.as_deref(), Some("16–512"));
        assert_eq!((hints.top_p.clone(), hints.shots.as_deref()), (None, Some("0")));
        assert!(!hints.shots_usable());
        assert_eq!(hints.shots_words(), "only 1 of 2 tasks take shots");
        assert!(Hints::of(&[&b]).shots_usable());
        assert!(!Hints::of(&[]).shots_usable());
    }
}
