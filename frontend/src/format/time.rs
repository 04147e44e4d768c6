//! Moments and durations. A moment is milliseconds since the epoch; the viewer's zone is passed in.

use chrono::{DateTime, Datelike, FixedOffset, Utc};

/// The viewer's offset from UTC, in minutes east. A moment is formatted with the offset of now, which is
/// an hour off for moments on the other side of a clock change; the exact time names its offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Zone(pub i32);

impl Zone {
    fn at(self, millis: f64) -> Option<DateTime<FixedOffset>> {
        let offset = FixedOffset::east_opt(self.0 * 60)?;
        let moment =
            DateTime::<Utc>::from_timestamp_millis(Some(millis).filter(|at| at.is_finite())? as i64)?;
        Some(moment.with_timezone(&offset))
    }
}

/// `14:37`, in the viewer's zone.
pub fn clock(millis: f64, zone: Zone) -> String {
    zone.at(millis)
        .map_or_else(missing, |at| at.format("%H:%M").to_string())
}

/// `14:37:05`, in the viewer's zone.
pub fn clock_seconds(millis: f64, zone: Zone) -> String {
    zone.at(millis)
        .map_or_else(missing, |at| at.format("%H:%M:%S").to_string())
}

/// `2026-11-20 14:02:11 UTC+01:00`, for the title of a relative time.
pub fn exact(millis: f64, zone: Zone) -> String {
    zone.at(millis)
        .map_or_else(missing, |at| at.format("%Y-%m-%d %H:%M:%S UTC%:z").to_string())
}

/// `about 14:37` on the same day, `about Sat 09:20` within a week, else with the date.
pub fn about(millis: f64, now: f64, zone: Zone) -> String {
    let (Some(at), Some(today)) = (zone.at(millis), zone.at(now)) else {
        return missing();
    };
    let days = (at.date_naive() - today.date_naive()).num_days();
    match days {
        0 => at.format("about %H:%M").to_string(),
        -6..=6 => at.format("about %a %H:%M").to_string(),
        _ => at.format("about %-d %b %H:%M").to_string(),
    }
}

/// How long ago: `just now`, `27 min ago`, `3 h ago`, `yesterday`, `Wed`, `12 Nov`, `12 Nov 2025`.
/// A moment in the future reads `in 5 min`.
pub fn relative(millis: f64, now: f64, zone: Zone) -> String {
    let (Some(at), Some(today)) = (zone.at(millis), zone.at(now)) else {
        return missing();
    };
    let seconds = (now - millis) / 1000.0;
    let days = (today.date_naive() - at.date_naive()).num_days();
    match seconds {
        s if s < -45.0 => format!("in {}", coarse(-s)),
        s if s < 45.0 => "just now".to_owned(),
        s if s < 12.0 * 3600.0 => format!("{} ago", coarse(s)),
        _ => day(at, today, days),
    }
}

fn day(at: DateTime<FixedOffset>, today: DateTime<FixedOffset>, days: i64) -> String {
    match days {
        0 => at.format("%H:%M").to_string(),
        1 => "yesterday".to_owned(),
        2..=6 => at.format("%a").to_string(),
        _ if at.year() == today.year() => at.format("%-d %b").to_string(),
        _ => at.format("%-d %b %Y").to_string(),
    }
}

fn coarse(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round().max(1.0);
    if minutes < 60.0 {
        format!("{minutes} min")
    } else {
        format!("{} h", (minutes / 60.0).round())
    }
}

/// A duration in the two units that matter: `47 s`, `2 min 28 s`, `3 h 12 min`, `2 d 4 h`.
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return missing();
    }
    if seconds < 10.0 && seconds.fract() > 0.05 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => two(whole / 60, "min", whole % 60, "s"),
        3600..86_400 => two(whole / 3600, "h", whole % 3600 / 60, "min"),
        _ => two(whole / 86_400, "d", whole % 86_400 / 3600, "h"),
    }
}

fn two(major: u64, unit: &str, minor: u64, small: &str) -> String {
    if minor == 0 {
        format!("{major} {unit}")
    } else {
        format!("{major} {unit} {minor} {small}")
    }
}

/// `4:07` or `1:02:09`, for media and running clocks.
pub fn stopwatch(seconds: f64) -> String {
    let whole = if seconds.is_finite() {
        seconds.max(0.0) as u64
    } else {
        0
    };
    let (hours, minutes, seconds) = (whole / 3600, whole % 3600 / 60, whole % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

fn missing() -> String {
    super::MISSING.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZONE: Zone = Zone(60);

    fn at(text: &str) -> f64 {
        DateTime::parse_from_rfc3339(text)
            .expect("a date in the test")
            .timestamp_millis() as f64
    }

    #[test]
    fn relative_time_gets_coarser() {
        let now = at("2026-11-20T14:29:22+01:00");
        let cases = [
            ("2026-11-20T14:29:02+01:00", "just now"),
            ("2026-11-20T14:02:22+01:00", "27 min ago"),
            ("2026-11-20T11:29:22+01:00", "3 h ago"),
            ("2026-11-20T00:10:00+01:00", "00:10"),
            ("2026-11-19T01:00:00+01:00", "yesterday"),
            ("2026-11-18T12:00:00+01:00", "Wed"),
            ("2026-11-01T12:00:00+01:00", "1 Nov"),
            ("2025-11-01T12:00:00+01:00", "1 Nov 2025"),
            ("2026-11-20T14:37:22+01:00", "in 8 min"),
        ];
        for (then, expected) in cases {
            assert_eq!(relative(at(then), now, ZONE), expected, "{then}");
        }
    }

    #[test]
    fn moments_are_in_the_viewers_zone() {
        let then = at("2026-11-20T13:02:11Z");
        assert_eq!(clock(then, ZONE), "14:02");
        assert_eq!(clock_seconds(then, ZONE), "14:02:11");
        assert_eq!(exact(then, ZONE), "2026-11-20 14:02:11 UTC+01:00");
        assert_eq!(about(then, then, ZONE), "about 14:02");
        assert_eq!(about(then + 86_400_000.0, then, ZONE), "about Sat 14:02");
    }

    #[test]
    fn durations_show_two_units() {
        let cases = [
            (0.0, "0 s"),
            (3.94, "3.9 s"),
            (47.0, "47 s"),
            (120.0, "2 min"),
            (148.0, "2 min 28 s"),
            (11_520.0, "3 h 12 min"),
            (187_200.0, "2 d 4 h"),
            (f64::NAN, "–"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(duration(seconds), expected);
        }
        assert_eq!(stopwatch(3729.4), "1:02:09");
        assert_eq!(stopwatch(7.0), "0:07");
    }

    #[test]
    fn an_absurd_moment_is_missing() {
        assert_eq!(clock(f64::MAX, ZONE), "–");
        assert_eq!(clock_seconds(f64::NAN, ZONE), "–");
        assert_eq!(relative(f64::NAN, 0.0, Zone(100_000)), "–");
    }
}
