//! Which runs are shown, as the address says it: a view, a search, statuses, a model, an order.

use chrono::{DateTime, SecondsFormat, TimeDelta};
use types::{RunStatus, RunSummary};

/// The columns that can be hidden, by the name in the address.
pub const COLUMNS: [(&str, &str); 6] = [
    ("run", "Run"),
    ("benchmarks", "Benchmarks"),
    ("gpus", "GPUs"),
    ("why", "When and why"),
    ("took", "Took"),
    ("by", "By"),
];

/// A view that is always there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Its name in the address.
    pub id: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// The statuses it shows; all when empty.
    pub statuses: &'static [RunStatus],
}

/// The views that are always there.
pub const VIEWS: [View; 5] = [
    View {
        id: "",
        name: "All",
        statuses: &[],
    },
    View {
        id: "running",
        name: "Running",
        statuses: &[RunStatus::Running],
    },
    View {
        id: "queued",
        name: "Queued",
        statuses: &[RunStatus::Queued, RunStatus::Pending],
    },
    View {
        id: "attention",
        name: "Needs you",
        statuses: &[RunStatus::Failed],
    },
    View {
        id: "done",
        name: "Completed",
        statuses: &[RunStatus::Completed],
    },
];

/// The view of this name; the first one for any other.
pub fn view(id: &str) -> View {
    VIEWS.into_iter().find(|view| view.id == id).unwrap_or(VIEWS[0])
}

/// What the table is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortBy {
    /// When it was created; the order in which the server answers.
    #[default]
    Created,
    /// The model's name.
    Model,
    /// The share that is done.
    Progress,
    /// How long it took.
    Took,
}

impl SortBy {
    /// Its name in the address.
    pub fn id(self) -> &'static str {
        match self {
            Self::Created => "",
            Self::Model => "model",
            Self::Progress => "progress",
            Self::Took => "took",
        }
    }

    fn parse(id: &str) -> Self {
        [Self::Model, Self::Progress, Self::Took]
            .into_iter()
            .find(|sort| sort.id() == id)
            .unwrap_or_default()
    }
}

/// The order of the table: `took` is largest first, `-took` smallest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sorting {
    /// The column.
    pub by: SortBy,
    /// Smallest first.
    pub up: bool,
}

impl Sorting {
    /// Reads it from the address.
    pub fn parse(text: &str) -> Self {
        let (up, id) = text.strip_prefix('-').map_or((false, text), |id| (true, id));
        Self {
            by: SortBy::parse(id),
            up,
        }
    }

    /// As the address says it.
    pub fn param(self) -> String {
        format!("{}{}", if self.up { "-" } else { "" }, self.by.id())
    }

    /// The server's own order, newest first.
    pub fn is_default(self) -> bool {
        self == Self::default()
    }

    /// Puts rows in this order; equal rows stay in the order of the server.
    pub fn apply(self, rows: &mut [RunSummary], now: f64) {
        match self.by {
            SortBy::Created => rows.sort_by_key(|run| std::cmp::Reverse(run.created_at)),
            SortBy::Model => rows.sort_by_key(|run| std::cmp::Reverse(run.model_name.to_lowercase())),
            SortBy::Progress => rows.sort_by(|a, b| b.progress_percent.total_cmp(&a.progress_percent)),
            SortBy::Took => rows.sort_by(|a, b| took(b, now).total_cmp(&took(a, now))),
        }
        if self.up {
            rows.reverse();
        }
    }
}

fn took(run: &RunSummary, now: f64) -> f64 {
    super::words::took(run, now).unwrap_or(-1.0)
}

/// How old a run may be to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// A day at most.
    Day,
    /// Seven days.
    Week,
    /// Thirty days.
    Month,
}

impl Age {
    /// All ages.
    pub const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// Its name in the address.
    pub fn id(self) -> &'static str {
        match self {
            Self::Day => "1d",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }

    /// Its name for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Day => "in the last 24 hours",
            Self::Week => "in the last 7 days",
            Self::Month => "in the last 30 days",
        }
    }

    /// The age of this name.
    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|age| age.id() == id)
    }

    /// The earliest time that fits, as RFC 3339, from the time now in milliseconds.
    pub fn since(self, now: f64) -> String {
        let days: i64 = match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 30,
        };
        let then = DateTime::from_timestamp_millis(now as i64).unwrap_or_default() - TimeDelta::days(days);
        then.to_rfc3339_opts(SecondsFormat::Secs, true)
    }
}

/// The statuses that the address names.
pub fn parse_statuses(text: &str) -> Vec<RunStatus> {
    text.split(',').filter_map(|name| name.parse().ok()).collect()
}

/// Statuses as the address says them.
pub fn statuses_param(statuses: &[RunStatus]) -> String {
    statuses
        .iter()
        .map(|status| status.as_str())
        .collect::<Vec<_>>()
        .join(",")
}

/// What is asked of the server: the view's statuses, narrowed by those chosen one by one.
pub fn asked(view: View, chosen: &[RunStatus]) -> Vec<RunStatus> {
    match (view.statuses.is_empty(), chosen.is_empty()) {
        (true, _) => chosen.to_vec(),
        (false, true) => view.statuses.to_vec(),
        (false, false) => chosen
            .iter()
            .copied()
            .filter(|status| view.statuses.contains(status))
            .collect(),
    }
}

/// A status more or less.
pub fn toggled(mut statuses: Vec<RunStatus>, status: RunStatus) -> Vec<RunStatus> {
    match statuses.iter().position(|known| *known == status) {
        Some(at) => drop(statuses.remove(at)),
        None => statuses.push(status),
    }
    statuses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_and_written() {
        for text in ["", "took", "-took", "model", "-progress", "-"] {
            assert_eq!(Sorting::parse(text).param(), text);
        }
        assert_eq!(Sorting::parse("nonsense").by, SortBy::Created);
        assert_eq!(
            parse_statuses("failed,nonsense,running"),
            [RunStatus::Failed, RunStatus::Running]
        );
        assert_eq!(
            statuses_param(&[RunStatus::Failed, RunStatus::Running]),
            "failed,running"
        );
        assert_eq!(view("nonsense").name, "All");
    }

    #[test]
    fn an_age_is_counted_back_from_now() {
        for age in Age::ALL {
            assert_eq!(Age::parse(age.id()), Some(age));
        }
        assert_eq!(Age::parse("for ever"), None);
        assert_eq!(Age::Week.since(1_763_600_000_000.0), "2025-11-13T00:53:20Z");
    }

    #[test]
    fn a_view_is_narrowed_by_the_filter() {
        assert_eq!(
            asked(view("queued"), &[]),
            [RunStatus::Queued, RunStatus::Pending]
        );
        assert_eq!(
            asked(view("queued"), &[RunStatus::Queued, RunStatus::Failed]),
            [RunStatus::Queued]
        );
        assert_eq!(asked(view(""), &[RunStatus::Failed]), [RunStatus::Failed]);
        assert_eq!(toggled(vec![RunStatus::Failed], RunStatus::Failed), []);
        assert_eq!(toggled(vec![], RunStatus::Failed), [RunStatus::Failed]);
    }
}
