//! Progress bars: tqdm's, those of `datasets`, vllm's variant, and the lines that lmms-eval logs
//! instead of a bar where there is no terminal.

use super::Progress;

/// A bar at the start of a text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bar {
    /// What it says; its byte offset is left at 0.
    pub(super) progress: Progress,
    /// Where the text goes on after it. Tracebacks and log lines often follow without a break.
    pub(super) end: usize,
}

/// Finds tqdm's `desc:  43%|████▎     | 43/102 [00:02<00:03, 19.59it/s, tokens=9,693]`, with or
/// without description, total, and postfix.
pub(super) fn parse(text: &str) -> Option<Bar> {
    let mut from = 0;
    while let Some(open) = text[from..].find('[').map(|at| from + at) {
        let close = open + text[open..].find(']')?;
        if let Some(progress) = bar(text[..open].trim_end(), &text[open + 1..close]) {
            return Some(Bar {
                progress,
                end: close + 1,
            });
        }
        from = open + 1;
    }
    None
}

fn bar(before: &str, inside: &str) -> Option<Progress> {
    let clock = Clock::parse(inside)?;
    let counted = with_total(before).or_else(|| without_total(before))?;
    Some(Progress {
        byte_offset: 0,
        desc: counted.desc,
        rank: None,
        n: counted.n,
        total: counted.total,
        elapsed_s: Some(clock.elapsed_s),
        rate_per_s: clock.rate_per_s,
        eta_s: clock.eta_s,
        postfix: clock.postfix,
    })
}

struct Counted {
    desc: Option<String>,
    n: u64,
    total: Option<u64>,
}

/// `desc:  43%|████▎     | 43/102`, or vllm's `desc:  43% Completed | 43/102`.
fn with_total(before: &str) -> Option<Counted> {
    let (head, count) = before.rsplit_once([' ', '|'])?;
    let (n, total) = count.split_once('/')?;
    let head = &head[..head.rfind('%')?];
    let digits = head.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    if digits.len() == head.len() {
        return None;
    }
    Some(Counted {
        desc: description(digits),
        n: quantity(n)?,
        total: quantity(total),
    })
}

/// `Generating test split: 24 examples`, `12it`.
fn without_total(before: &str) -> Option<Counted> {
    let (desc, count) = match before.rsplit_once(": ") {
        Some((desc, count)) => (desc, count),
        None => ("", before),
    };
    let count = count.trim();
    let unit = count.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
    let (number, unit) = count.split_at(unit);
    let unit = unit.trim_start();
    // One word, or the whole may be prose: `took 3 tries to answer [00:10, ...]`.
    if unit.is_empty() || unit.contains(char::is_whitespace) {
        return None;
    }
    Some(Counted {
        desc: description(desc),
        n: quantity(&format!("{number}{}", multiplier_of(unit)))?,
        total: None,
    })
}

fn description(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_suffix(':').unwrap_or(text).trim_end();
    (!text.is_empty()).then(|| text.to_owned())
}

struct Clock {
    elapsed_s: f64,
    eta_s: Option<f64>,
    rate_per_s: Option<f64>,
    postfix: Option<String>,
}

impl Clock {
    /// `00:02<00:03, 19.59it/s, tokens=9,693`, or without total `00:00, 1840.25 examples/s`.
    fn parse(inside: &str) -> Option<Self> {
        let (times, rest) = inside.split_once(',')?;
        let (elapsed, eta) = match times.split_once('<') {
            Some((elapsed, eta)) => (elapsed, clock(eta)),
            None => (times, None),
        };
        let rest = rest.trim_start();
        let (rate, postfix) = match rest.split_once(", ") {
            Some((rate, postfix)) => (rate, Some(postfix.trim().to_owned())),
            None => (rest, None),
        };
        Some(Self {
            elapsed_s: clock(elapsed)?,
            eta_s: eta,
            rate_per_s: per_second(rate)?,
            postfix: postfix.filter(|text| !text.is_empty()),
        })
    }
}

/// `02:03`, `1:02:03`; `?` and everything else is `None`.
fn clock(text: &str) -> Option<f64> {
    let mut seconds = 0.0;
    let parts = text.trim().split(':');
    for part in parts {
        if part.is_empty() || part.len() > 9 || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        seconds = seconds * 60.0 + part.parse::<f64>().ok()?;
    }
    text.contains(':').then_some(seconds)
}

/// `19.59it/s`, `1.02s/it`, `1840.25 examples/s`; `Some(None)` for `?it/s`, `None` for no rate.
fn per_second(text: &str) -> Option<Option<f64>> {
    let (amount, unit) = text.trim().split_once('/')?;
    if unit.contains(char::is_whitespace) {
        return None;
    }
    if amount.starts_with('?') {
        return Some(None);
    }
    let digits = amount
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(amount.len());
    let number: f64 = amount[..digits].parse().ok()?;
    let rate = if unit == "s" {
        number * factor(multiplier_of(amount[digits..].trim_start()))
    } else if amount.ends_with('s') && number > 0.0 {
        1.0 / number
    } else {
        return Some(None);
    };
    Some(rate.is_finite().then_some(rate))
}

/// The `M` of `MB` or `Mit`; a unit of its own like `Magic` has none.
fn multiplier_of(unit: &str) -> &str {
    let scaled = ["B", "it", ""].contains(&unit.get(1..).unwrap_or("?"));
    if scaled && unit.starts_with(['k', 'K', 'M', 'G', 'T', 'P']) {
        &unit[..1]
    } else {
        ""
    }
}

fn factor(multiplier: &str) -> f64 {
    match multiplier {
        "k" | "K" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        _ => 1.0,
    }
}

/// `102`, `2.22G`; a fraction is cut off.
fn quantity(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let known = unit.is_empty() || !multiplier_of(unit).is_empty();
    if !known || !number.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if unit.is_empty() && !number.contains('.') {
        return number.parse().ok();
    }
    let value = number.parse::<f64>().ok()? * factor(multiplier_of(unit));
    // At most 999 P by the grammar above; beyond that the cast saturates.
    Some(value as u64)
}

/// `[rank 0] Model Responding: 104/2837 (3.7%) | 1.52 it/s | elapsed 1m08s | ETA 30m02s`, and at
/// the end `[rank 0] Model Responding: done 2837/2837 in 31m (1.52 it/s)`.
pub(super) fn parse_logged(message: &str) -> Option<Progress> {
    let (rank, rest) = message.strip_prefix("[rank ")?.split_once("] ")?;
    let (desc, rest) = rest.split_once(": ")?;
    let done = rest.strip_prefix("done ");
    let (count, rest) = done.unwrap_or(rest).split_once(' ')?;
    let (n, total) = count.split_once('/')?;
    let mut progress = Progress {
        byte_offset: 0,
        desc: description(desc),
        rank: rank.parse().ok(),
        n: n.parse().ok()?,
        total: Some(total.parse().ok()?),
        elapsed_s: None,
        rate_per_s: None,
        eta_s: done.map(|_| 0.0),
        postfix: None,
    };
    for part in rest.split(['|', '(', ')']).map(str::trim) {
        if let Some(time) = part.strip_prefix("elapsed ").or_else(|| part.strip_prefix("in ")) {
            progress.elapsed_s = duration(time);
        } else if let Some(time) = part.strip_prefix("ETA ") {
            progress.eta_s = duration(time);
        } else if let Some(rate) = part.strip_suffix(" it/s") {
            progress.rate_per_s = rate.parse().ok().filter(|rate: &f64| rate.is_finite());
        }
    }
    Some(progress)
}

/// `58s`, `1m08s`, `2h05m`; `?` is `None`.
fn duration(text: &str) -> Option<f64> {
    let mut seconds = 0.0;
    let mut number = String::new();
    for character in text.trim().chars() {
        let unit = match character {
            '0'..='9' if number.len() < 9 => {
                number.push(character);
                continue;
            }
            's' => 1.0,
            'm' => 60.0,
            'h' => 3600.0,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * unit;
        number.clear();
    }
    (number.is_empty() && !text.trim().is_empty()).then_some(seconds)
}
