//! What a test runner said at its end, as numbers.

use std::ops::AddAssign;

/// How many tests ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }
}

impl Counts {
    pub(crate) fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// Sums the closing lines of libtest, nextest and Playwright in an output.
    pub(crate) fn read(output: &str) -> Self {
        let mut counts = Self::default();
        for line in output.lines().map(plain) {
            // What nextest repeats of a failed test is indented, and counted by its summary.
            if let Some(rest) = line.strip_prefix("test result: ") {
                counts += words(rest);
            }
            let line = line.trim();
            if line.starts_with("Summary [") {
                counts += words(
                    line.split_once(" tests run:")
                        .or(line.split_once(" test run:"))
                        .unwrap_or_default()
                        .1,
                );
            } else if is_playwright(line) {
                counts += words(&line.replace("flaky", "passed"));
            }
        }
        counts
    }
}

/// `12 passed (9.5s)`, `1 failed`, `2 skipped`, each on a line of its own.
fn is_playwright(line: &str) -> bool {
    let mut parts = line.split(' ');
    let number = parts.next().is_some_and(|n| n.parse::<u64>().is_ok());
    let word = parts
        .next()
        .is_some_and(|w| matches!(w, "passed" | "failed" | "skipped" | "flaky"));
    number && word && parts.all(|rest| rest.starts_with('('))
}

/// Each number that stands before a known word.
fn words(text: &str) -> Counts {
    let parts: Vec<&str> = text
        .split([' ', ';', ',', '(', ')'])
        .filter(|part| !part.is_empty())
        .collect();
    let mut counts = Counts::default();
    for pair in parts.windows(2) {
        let Ok(number) = pair[0].parse::<u64>() else {
            continue;
        };
        match pair[1].trim_end_matches('.') {
            "passed" => counts.passed += number,
            "failed" => counts.failed += number,
            "ignored" | "skipped" => counts.ignored += number,
            _ => {}
        }
    }
    counts
}

/// The line without colours.
fn plain(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            chars.by_ref().find(char::is_ascii_alphabetic);
        } else {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::Counts;

    fn counts(passed: u64, failed: u64, ignored: u64) -> Counts {
        Counts {
            passed,
            failed,
            ignored,
        }
    }

    #[test]
    fn libtest_lines_are_summed() {
        let output = "test a ... ok\ntest result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n\
                      test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 7 filtered out";
        assert_eq!(Counts::read(output), counts(4, 2, 1));
    }

    #[test]
    fn nextest_with_colours() {
        let output = "\u{1b}[32;1m     Summary\u{1b}[0m [   1.204s] \u{1b}[1m12\u{1b}[0m tests run: 11 passed (1 slow), 1 failed, 3 skipped";
        assert_eq!(Counts::read(output), counts(11, 1, 3));
        assert_eq!(
            Counts::read("Summary [ 0.1s] 1 test run: 1 passed, 0 skipped"),
            counts(1, 0, 0)
        );
    }

    #[test]
    fn what_nextest_repeats_of_a_failed_test_is_not_counted() {
        let output = "    test result: FAILED. 0 passed; 1 failed; 0 ignored\n  Summary [ 0.1s] 3 tests run: 2 passed, 1 failed";
        assert_eq!(Counts::read(output), counts(2, 1, 0));
    }

    #[test]
    fn nextest_flaky_is_part_of_passed() {
        assert_eq!(
            Counts::read("Summary [ 0.1s] 5 tests run: 5 passed (1 flaky), 0 skipped"),
            counts(5, 0, 0)
        );
    }

    #[test]
    fn playwright_lines_alone_count() {
        let output = "Running 4 tests using 1 worker\n  1 failed\n    [x] › a.spec.ts:3:1 › 2 passed things\n  1 skipped\n  2 passed (9.5s)";
        assert_eq!(Counts::read(output), counts(2, 1, 1));
    }
}
