//! Ticks at round values: three to six for numbers, round clock times for time.

use crate::format::{Zone, clock, clock_seconds, exact, real};

/// Steps of 1, 2, 2.5 or 5 times a power of ten; about `wanted` of them.
pub fn number_step(span: f64, wanted: usize) -> f64 {
    if !(span.is_finite() && span > 0.0) {
        return 1.0;
    }
    let rough = span / wanted.max(1) as f64;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .find(|step| step * power >= rough * 0.999)
        .unwrap_or(10.0);
    step * power
}

/// The ticks inside `from..=to`.
pub fn number_ticks(from: f64, to: f64, wanted: usize) -> Vec<f64> {
    let step = number_step(to - from, wanted);
    every(step, from, to)
}

fn every(step: f64, from: f64, to: f64) -> Vec<f64> {
    let first = (from / step - 1e-9).ceil() as i64;
    let last = (to / step + 1e-9).floor() as i64;
    // A range far larger than its step is no axis: draw nothing rather than a million ticks.
    if last - first > 100 {
        Vec::new()
    } else {
        (first..=last).map(|k| k as f64 * step).collect()
    }
}

/// The decimals that tell ticks of this step apart.
pub fn decimals(step: f64) -> usize {
    (0..6)
        .find(|&digits| (step * 10f64.powi(digits)).fract().abs() < 1e-9)
        .unwrap_or(6) as usize
}

/// A tick's number.
pub fn number_label(value: f64, step: f64) -> String {
    real(value, decimals(step))
}

const SECOND: f64 = 1000.0;
const MINUTE: f64 = 60.0 * SECOND;
const HOUR: f64 = 60.0 * MINUTE;
const STEPS: [f64; 17] = [
    SECOND,
    2.0 * SECOND,
    5.0 * SECOND,
    10.0 * SECOND,
    15.0 * SECOND,
    30.0 * SECOND,
    MINUTE,
    2.0 * MINUTE,
    5.0 * MINUTE,
    10.0 * MINUTE,
    15.0 * MINUTE,
    30.0 * MINUTE,
    HOUR,
    2.0 * HOUR,
    6.0 * HOUR,
    12.0 * HOUR,
    24.0 * HOUR,
];

/// Round clock times of the viewer's zone inside `from..=to` (milliseconds), at most `most`, with their words.
pub fn time_ticks(from: f64, to: f64, most: usize, zone: Zone) -> Vec<(f64, String)> {
    let span = to - from;
    let fits = |step: &&f64| span / **step <= most.max(1) as f64;
    let step = STEPS
        .iter()
        .find(fits)
        .copied()
        .unwrap_or_else(|| (span / most.max(1) as f64 / 24.0 / HOUR).ceil() * 24.0 * HOUR);
    let shift = f64::from(zone.0) * MINUTE;
    let label = |at: f64| match step {
        s if s < MINUTE => clock_seconds(at, zone),
        s if s < 24.0 * HOUR => clock(at, zone),
        _ => exact(at, zone).get(5..10).unwrap_or_default().to_owned(),
    };
    every(step, from + shift, to + shift)
        .into_iter()
        .map(|at| (at - shift, label(at - shift)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_ticks_are_round_and_few() {
        assert_eq!(number_ticks(0.0, 16.0, 4), [0.0, 5.0, 10.0, 15.0]);
        assert_eq!(number_ticks(46.0, 72.0, 3), [50.0, 60.0, 70.0]);
        assert_eq!(number_ticks(0.0, 0.9, 4), [0.0, 0.25, 0.5, 0.75]);
        for (from, to) in [(0.0, 1e-6), (-3.0, 1e9), (0.1, 0.13)] {
            let ticks = number_ticks(from, to, 4);
            assert!((2..=6).contains(&ticks.len()), "{from}..{to}: {ticks:?}");
        }
        assert_eq!(number_label(0.25, 0.25), "0.25");
        assert_eq!(number_label(10.0, 5.0), "10");
        assert_eq!(number_ticks(1.0, 1.0, 4), [1.0]);
    }

    #[test]
    fn time_ticks_are_round_in_the_viewers_zone() {
        // 2026-11-20T13:02:11Z, half an hour long.
        let from =
            1_795_180_000_000.0_f64 - 1_795_180_000_000.0_f64.rem_euclid(HOUR) + 2.0 * MINUTE + 11.0 * SECOND;
        let ticks = time_ticks(from, from + 27.0 * MINUTE, 6, Zone(330));
        let words: Vec<&str> = ticks.iter().map(|(_, words)| words.as_str()).collect();
        assert_eq!(words.len(), 5);
        assert!(
            words
                .iter()
                .all(|words| words.ends_with('0') || words.ends_with('5')),
            "{words:?}"
        );
        assert!(time_ticks(from, from, 6, Zone(0)).len() <= 1);
    }
}
