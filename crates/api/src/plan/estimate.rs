//! How many documents, and how long.

/// Documents of a benchmark under a limit, from the number of each of its leaves; lmms-eval
/// counts limit and offset per leaf. Unknown when one leaf's number is.
pub fn samples_of(leaves: &[Option<u64>], limit: Option<f64>, offset: Option<u64>) -> Option<u64> {
    let of_leaf = |all: &Option<u64>| {
        let all = (*all)?;
        let rest = all.saturating_sub(offset.unwrap_or(0));
        Some(match limit {
            Some(limit) if limit >= 1.0 => rest.min(limit as u64),
            Some(fraction) if fraction > 0.0 => rest.min((all as f64 * fraction).ceil() as u64),
            _ => rest,
        })
    };
    leaves.iter().map(of_leaf).sum()
}

/// A finished benchmark of the past.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Past {
    /// Whether it was the same model.
    pub same_model: bool,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Its documents.
    pub samples: u64,
}

/// Expected seconds from the past of a benchmark: the median over the same model's runs, else
/// over all, each scaled to the number of documents where both are known.
pub fn expected_seconds(past: &[Past], samples: Option<u64>) -> Option<f64> {
    let scaled = |p: &Past| match samples {
        Some(n) if p.samples > 0 => p.seconds * n as f64 / p.samples as f64,
        _ => p.seconds,
    };
    let own: Vec<f64> = past.iter().filter(|p| p.same_model).map(scaled).collect();
    let all: Vec<f64> = past.iter().map(scaled).collect();
    median(if own.is_empty() { all } else { own })
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_counts_per_leaf() {
        let leaves = [Some(100), Some(5)];
        assert_eq!(samples_of(&leaves, Some(8.0), None), Some(13));
        assert_eq!(samples_of(&leaves, Some(0.1), None), Some(11));
        assert_eq!(samples_of(&leaves, None, Some(30)), Some(70));
        assert_eq!(samples_of(&leaves, None, None), Some(105));
        assert_eq!(samples_of(&[Some(3), None], Some(8.0), None), None);
    }

    #[test]
    fn the_same_model_counts_first() {
        let past = |same_model, seconds, samples| Past {
            same_model,
            seconds,
            samples,
        };
        let all = [past(false, 100.0, 10), past(true, 20.0, 10)];
        assert_eq!(expected_seconds(&all, Some(5)), Some(10.0));
        assert_eq!(expected_seconds(&all[..1], None), Some(100.0));
        assert_eq!(expected_seconds(&[], Some(5)), None);
    }
}
