//! Numbers, counts, sizes.

use analysis::mean::reported_ci;

/// Narrow no-break space, between thousands.
const THIN: char = '\u{202f}';
/// No-break space, before a unit.
const NBSP: char = '\u{a0}';
/// The real minus sign.
const MINUS: char = '\u{2212}';

/// A count with thin spaces between thousands: `12 431`.
pub fn count(value: impl Into<i128>) -> String {
    let value = value.into();
    let digits = value.unsigned_abs().to_string();
    let grouped = grouped(&digits);
    if value < 0 {
        format!("{MINUS}{grouped}")
    } else {
        grouped
    }
}

fn grouped(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() * 2);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(THIN);
        }
        out.push(digit);
    }
    out
}

/// A number with a fixed count of decimals and a real minus; no minus before a rounded zero.
pub fn real(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return super::MISSING.to_owned();
    }
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text
        .split_once('.')
        .map_or((text.as_str(), None), |(w, f)| (w, Some(f)));
    let mut out = String::new();
    if value < 0.0 && text.chars().any(|c| ('1'..='9').contains(&c)) {
        out.push(MINUS);
    }
    out.push_str(&grouped(whole));
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// A difference: `+2.4`, `−3.3`, `±0.0`.
pub fn signed(value: f64, decimals: usize) -> String {
    let text = real(value, decimals);
    let zero = !text.chars().any(|c| ('1'..='9').contains(&c));
    match text.chars().next() {
        Some(MINUS) => text,
        _ if !value.is_finite() => text,
        _ if zero => format!("±{text}"),
        _ => format!("+{text}"),
    }
}

/// A number with about three significant digits: `0.034`, `12.4`, `1 250`.
pub fn significant(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let magnitude = value.abs().log10().floor();
    let decimals = (2.0 - magnitude).clamp(0.0, 6.0) as usize;
    let text = real(value, decimals);
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// The 95 % interval of a score as results files tell it; none where it has no width.
pub fn interval(value: f64, stderr: Option<f64>, n: Option<i64>) -> Option<(f64, f64)> {
    let n = n.and_then(|n| u64::try_from(n).ok());
    let of = reported_ci(value, stderr?, n)?;
    (of.lo < of.hi).then_some((of.lo, of.hi))
}

/// Half the width of an interval, which is the margin of an even one.
pub fn half_width(range: Option<(f64, f64)>) -> Option<f64> {
    range.map(|(low, high)| (high - low) / 2.0)
}

/// A score and its half width, both rounded to two digits of the half width: (`86.0`, `2.2`).
pub fn scored(value: f64, half_width: Option<f64>) -> (String, Option<String>) {
    match half_width.filter(|half| half.is_finite() && *half > 0.0) {
        None => (significant_decimals(value, 4), None),
        Some(half) => {
            let decimals = (1.0 - half.log10().floor()).clamp(0.0, 6.0) as usize;
            (real(value, decimals), Some(real(half, decimals)))
        }
    }
}

fn significant_decimals(value: f64, most: usize) -> String {
    let text = real(value, most);
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A share of one as `62 %`.
pub fn percent(share: f64) -> String {
    if !share.is_finite() {
        return super::MISSING.to_owned();
    }
    let shown = share * 100.0;
    let decimals = usize::from(shown > 0.0 && shown < 1.0 || shown > 99.0 && shown < 100.0);
    // Almost done is not done: never round up to 100.
    let floored = if shown < 100.0 { shown.min(99.9) } else { shown };
    format!("{}{NBSP}%", real(floored, decimals))
}

/// Bytes in decimal units, as disks and networks count: `1.2 MB`.
pub fn bytes(value: u64) -> String {
    scaled(value as f64, 1000.0, &["B", "kB", "MB", "GB", "TB", "PB"])
}

/// Bytes in binary gibibytes, as GPU memory is counted: `79.1 GiB`.
pub fn gibibytes(value: u64) -> String {
    format!("{}{NBSP}GiB", real(value as f64 / f64::from(1 << 30), 1))
}

/// The parameters of a model: `7.6 B`, `380 M`.
pub fn parameters(value: u64) -> String {
    scaled(value as f64, 1000.0, &["", "k", "M", "B", "T"])
}

fn scaled(value: f64, base: f64, units: &[&str]) -> String {
    let mut amount = value;
    let mut unit = 0;
    while amount >= base && unit + 1 < units.len() {
        amount /= base;
        unit += 1;
    }
    let decimals = usize::from(unit > 0 && amount < 100.0);
    let text = real(amount, decimals);
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if units[unit].is_empty() {
        text.to_owned()
    } else {
        format!("{text}{NBSP}{}", units[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_in_threes() {
        assert_eq!(count(7u32), "7");
        assert_eq!(count(12_431u32), "12\u{202f}431");
        assert_eq!(count(-1_000_000i64), "\u{2212}1\u{202f}000\u{202f}000");
    }

    #[test]
    fn a_rounded_zero_has_no_sign() {
        assert_eq!(real(-0.04, 1), "0.0");
        assert_eq!(real(-0.05001, 1), "\u{2212}0.1");
        assert_eq!(real(f64::NAN, 1), "–");
        assert_eq!(signed(0.0, 1), "±0.0");
        assert_eq!(signed(2.44, 1), "+2.4");
        assert_eq!(signed(-3.3, 1), "\u{2212}3.3");
    }

    #[test]
    fn digits_end_where_the_error_begins() {
        assert_eq!(scored(86.0421, Some(2.21)), ("86.0".into(), Some("2.2".into())));
        assert_eq!(
            scored(0.93412, Some(0.0071)),
            ("0.9341".into(), Some("0.0071".into()))
        );
        assert_eq!(scored(0.5, None), ("0.5".into(), None));
        assert_eq!(scored(10.0, Some(0.0)), ("10".into(), None));
        assert_eq!(significant(1250.4), "1\u{202f}250");
        assert_eq!(significant(0.0341), "0.0341");
        assert_eq!(significant(12.0), "12");
    }

    #[test]
    fn almost_done_is_not_done() {
        assert_eq!(percent(0.9999), "99.9\u{a0}%");
        assert_eq!(percent(1.0), "100\u{a0}%");
        assert_eq!(percent(0.623), "62\u{a0}%");
        assert_eq!(percent(0.0), "0\u{a0}%");
        assert_eq!(percent(0.004), "0.4\u{a0}%");
    }

    #[test]
    fn sizes_have_human_units() {
        assert_eq!(bytes(12), "12\u{a0}B");
        assert_eq!(bytes(1_200_000), "1.2\u{a0}MB");
        assert_eq!(bytes(94_000_000_000), "94\u{a0}GB");
        assert_eq!(gibibytes(80 << 30), "80.0\u{a0}GiB");
        assert_eq!(parameters(7_600_000_000), "7.6\u{a0}B");
        assert_eq!(parameters(900), "900");
    }
}
