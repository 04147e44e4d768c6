//! The part of a log that is in memory: pages that were fetched and lines that came live, as one list by seq.

use std::collections::VecDeque;

use types::{LogLevel, LogLine, LogPage};

/// Lines kept in memory; beyond it the far end is let go, and asked for again when someone scrolls there.
pub const KEPT: usize = 20_000;

/// Which lines are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// This loud and louder; all when none.
    pub level: Option<LogLevel>,
    /// Text in the line, ignoring case.
    pub text: String,
}

impl Wanted {
    /// Whether a line is wanted.
    pub fn has(&self, line: &LogLine) -> bool {
        self.level.is_none_or(|level| line.line.level >= level)
            && (self.text.is_empty()
                || line
                    .line
                    .message
                    .to_lowercase()
                    .contains(&self.text.to_lowercase()))
    }

    /// Whether some lines are left out.
    pub fn any(&self) -> bool {
        *self != Self::default()
    }
}

/// What is in memory.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Window {
    lines: VecDeque<LogLine>,
    /// The number of the first line among all that are wanted, from 1; none when it is not known.
    first: Option<u64>,
    total: u64,
    at_start: bool,
    at_end: bool,
    truncated_at: Option<i64>,
}

impl Window {
    /// The last lines.
    pub fn tail(page: LogPage) -> Self {
        let first = page.total.saturating_sub(page.lines.len() as u64) + 1;
        Self {
            first: Some(first),
            at_end: true,
            at_start: page.previous_cursor.is_none(),
            ..Self::of(page)
        }
    }

    /// The first lines.
    pub fn head(page: LogPage) -> Self {
        Self {
            first: Some(1),
            at_start: true,
            at_end: page.next_cursor.is_none(),
            ..Self::of(page)
        }
    }

    /// Lines around one: up to it, and after it.
    pub fn around(before: LogPage, after: LogPage) -> Self {
        let at_start = before.previous_cursor.is_none();
        let mut window = Self {
            first: at_start.then_some(1),
            at_start,
            ..Self::of(before)
        };
        window.later(after);
        if window.first.is_none() && window.at_end {
            window.first = Some(window.total.saturating_sub(window.lines.len() as u64) + 1);
        }
        window
    }

    fn of(page: LogPage) -> Self {
        Self {
            total: page.total,
            truncated_at: page.truncated_at,
            lines: page.lines.into(),
            ..Self::default()
        }
    }

    /// How many lines are in memory.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// How many lines are wanted in all.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Whether the last line is in memory.
    pub fn at_end(&self) -> bool {
        self.at_end
    }

    /// Whether the first line is in memory.
    pub fn at_start(&self) -> bool {
        self.at_start
    }

    /// Set when only the raw bytes are kept beyond this many lines.
    pub fn truncated_at(&self) -> Option<i64> {
        self.truncated_at
    }

    /// The line at a place in memory.
    pub fn line(&self, index: usize) -> Option<&LogLine> {
        self.lines.get(index)
    }

    /// Its number among all that are wanted.
    pub fn number(&self, index: usize) -> Option<u64> {
        self.first.map(|first| first + index as u64)
    }

    /// Where a line is in memory.
    pub fn place(&self, seq: i64) -> Option<usize> {
        self.lines.binary_search_by_key(&seq, |line| line.seq).ok()
    }

    /// Where the lines before begin to be asked for.
    pub fn before(&self) -> Option<i64> {
        if self.at_start {
            None
        } else {
            self.lines.front().map(|line| line.seq)
        }
    }

    /// Where the lines after begin to be asked for.
    pub fn after(&self) -> Option<i64> {
        if self.at_end {
            None
        } else {
            self.lines.back().map(|line| line.seq)
        }
    }

    /// Puts earlier lines in front; gives how many there were.
    pub fn earlier(&mut self, page: LogPage) -> usize {
        let known = self.lines.front().map_or(i64::MAX, |line| line.seq);
        let new: Vec<LogLine> = page.lines.into_iter().filter(|line| line.seq < known).collect();
        let count = new.len();
        self.at_start = page.previous_cursor.is_none();
        self.total = self.total.max(page.total);
        for line in new.into_iter().rev() {
            self.lines.push_front(line);
        }
        self.first = if self.at_start {
            Some(1)
        } else {
            self.first.map(|first| first.saturating_sub(count as u64).max(1))
        };
        while self.lines.len() > KEPT {
            self.lines.pop_back();
            self.at_end = false;
        }
        count
    }

    /// Puts later lines behind; gives how many lines in front were let go.
    pub fn later(&mut self, page: LogPage) -> usize {
        let known = self.lines.back().map_or(i64::MIN, |line| line.seq);
        self.at_end = page.next_cursor.is_none();
        self.total = self.total.max(page.total);
        self.lines
            .extend(page.lines.into_iter().filter(|line| line.seq > known));
        self.let_go()
    }

    /// Takes lines that came live; gives how many lines in front were let go. When the end is not in memory they
    /// are only counted: they will be fetched when someone scrolls there.
    pub fn live<'a>(&mut self, lines: impl Iterator<Item = &'a LogLine>, wanted: &Wanted) -> usize {
        let known = self.lines.back().map_or(i64::MIN, |line| line.seq);
        for line in lines.filter(|line| wanted.has(line)) {
            if !self.at_end {
                self.total += 1;
            } else if line.seq > known {
                self.total += 1;
                self.lines.push_back(line.clone());
            }
        }
        if self.first.is_none() && self.at_end {
            self.first = Some(self.total.saturating_sub(self.lines.len() as u64) + 1);
        }
        self.let_go()
    }

    fn let_go(&mut self) -> usize {
        let extra = self.lines.len().saturating_sub(KEPT);
        self.lines.drain(..extra);
        if extra > 0 {
            self.at_start = false;
            self.first = self.first.map(|first| first + extra as u64);
        }
        extra
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn line(seq: i64) -> LogLine {
        let level = if seq % 10 == 0 { "ERROR" } else { "INFO" };
        serde_json::from_value(json!({
            "seq": seq, "timestamp": "2026-11-20T13:00:00Z", "level": level, "message": format!("Line {seq}"),
            "stream": "stderr", "attempt": 1, "byte_offset": seq
        }))
        .unwrap()
    }

    fn page(range: std::ops::RangeInclusive<i64>, total: u64, more: (bool, bool)) -> LogPage {
        LogPage {
            lines: range.map(line).collect(),
            total,
            previous_cursor: more.0.then(|| "x".to_owned()),
            next_cursor: more.1.then(|| "x".to_owned()),
            truncated_at: None,
        }
    }

    fn seqs(window: &Window) -> Vec<i64> {
        (0..window.len())
            .filter_map(|index| Some(window.line(index)?.seq))
            .collect()
    }

    #[test]
    fn a_reload_and_the_socket_are_one_list() {
        let mut window = Window::tail(page(5..=8, 8, (true, false)));
        window.live([7, 8, 9, 10].map(line).iter(), &Wanted::default());
        assert_eq!(seqs(&window), [5, 6, 7, 8, 9, 10]);
        assert_eq!(
            (window.number(0), window.number(5), window.total()),
            (Some(5), Some(10), 10)
        );
        assert_eq!(window.earlier(page(3..=5, 10, (true, true))), 2);
        assert_eq!((seqs(&window)[0], window.number(0)), (3, Some(3)));
        assert_eq!(window.earlier(page(1..=2, 10, (false, true))), 2);
        assert!(window.at_start() && window.before().is_none());
    }

    #[test]
    fn live_lines_that_are_not_wanted_stay_out() {
        let wanted = Wanted {
            level: Some(LogLevel::Error),
            text: "line 2".into(),
        };
        let mut window = Window::tail(page(std::ops::RangeInclusive::new(1, 0), 0, (false, false)));
        window.live((1..=30).map(line).collect::<Vec<_>>().iter(), &wanted);
        assert_eq!((seqs(&window), window.total()), (vec![20], 1));
        assert!(wanted.any() && !Wanted::default().any());
    }

    #[test]
    fn the_far_end_is_let_go() {
        let many = KEPT as i64;
        let mut window = Window::tail(page(1..=many, KEPT as u64, (false, false)));
        assert_eq!(
            window.live([many + 1, many + 2].map(line).iter(), &Wanted::default()),
            2
        );
        assert_eq!(
            (window.len(), window.number(0), window.before()),
            (KEPT, Some(3), Some(3))
        );
        window.earlier(page(1..=2, KEPT as u64 + 2, (false, true)));
        assert_eq!((window.at_end(), window.after()), (false, Some(many)));
        assert_eq!(window.live([line(many + 3)].iter(), &Wanted::default()), 0);
        assert_eq!(window.total(), KEPT as u64 + 3);
        window.later(page(many + 1..=many + 3, KEPT as u64 + 3, (true, false)));
        assert!(window.at_end());
        assert_eq!(seqs(&window).last(), Some(&(many + 3)));
    }

    #[test]
    fn around_a_line_numbers_are_known_where_an_end_is() {
        let window = Window::around(page(40..=50, 100, (true, true)), page(51..=60, 100, (true, true)));
        assert_eq!((window.number(0), window.place(50)), (None, Some(10)));
        let window = Window::around(
            page(90..=95, 100, (true, true)),
            page(96..=100, 100, (true, false)),
        );
        assert_eq!(window.number(0), Some(90));
    }
}
