//! The rows of a world, table by table, as text for COPY.

use std::io::{self, Write};

use super::random::Random;
use super::world::{CATEGORIES, End, Pick, Run, Sample, World};

/// Words that questions and answers are made of.
const WORDS: [&str; 32] = [
    "which", "colour", "is", "the", "largest", "object", "left", "of", "a", "red", "car", "near", "building",
    "how", "many", "people", "are", "shown", "in", "chart", "value", "for", "year", "answer", "with",
    "letter", "from", "options", "given", "behind", "second", "row",
];
/// Bytes of a question, so that a sample comes to about 700.
const QUESTION: usize = 330;

/// Answers of a pick, and how many of them are right.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) samples: u64,
    pub(super) right: u64,
}

/// Ids that sort as their things were made: the time, the kind and a number.
pub(super) fn id(milliseconds: u64, kind: u8, number: u64) -> String {
    let high = (milliseconds << 16) | 0x7000 | u64::from(kind);
    let low = 0x8000_0000_0000_0000 | number;
    let hex = format!("{high:016x}{low:016x}");
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

/// Writes the tables of one organization.
pub(super) struct Tables<'a> {
    pub(super) world: &'a World,
    pub(super) organization: &'a str,
}

impl Tables<'_> {
    fn past(&self) -> u64 {
        self.world.size.now - 3 * 365 * 86_400_000
    }

    fn model_id(&self, number: u64) -> String {
        id(self.past(), 1, number ^ (self.world.size.seed << 32))
    }

    pub(super) fn benchmark_id(&self, number: u64) -> String {
        id(self.past(), 2, number ^ (self.world.size.seed << 32))
    }

    fn run_id(&self, run: &Run, number: u64) -> String {
        id(run.started, 3, number ^ (self.world.size.seed << 32))
    }

    fn pick_id(&self, run: &Run, number: u64, order: usize) -> String {
        id(
            run.started,
            4,
            ((number << 5) | order as u64) ^ (self.world.size.seed << 40),
        )
    }

    fn variant(&self, model: u64, checkpoint: u64) -> String {
        if self.world.models[model as usize].checkpoints == 1 {
            "latest".to_owned()
        } else {
            format!("step-{}", (checkpoint + 1) * 2_000)
        }
    }

    pub(super) fn models(&self, to: &mut impl Write) -> io::Result<()> {
        writeln!(
            to,
            "copy models (id, organization_id, name, family, num_parameters, backend, model_args) from stdin;"
        )?;
        for (number, model) in (0..).zip(&self.world.models) {
            let id = self.model_id(number);
            let (name, family, parameters) = (&model.name, model.family, model.parameters);
            writeln!(
                to,
                "{id}\t{}\t{name}\t{family}\t{parameters}\topenai\t[[\"model_version\", \"{name}\"]]",
                self.organization
            )?;
        }
        writeln!(to, "\\.")?;
        writeln!(
            to,
            "copy model_checkpoints (id, organization_id, model_id, checkpoint_variant, checkpoint_index) from stdin;"
        )?;
        for (number, model) in (0..).zip(&self.world.models).filter(|(_, m)| m.checkpoints > 1) {
            for checkpoint in 0..model.checkpoints {
                let own = id(
                    self.past(),
                    5,
                    ((number << 8) | checkpoint) ^ (self.world.size.seed << 32),
                );
                let variant = self.variant(number, checkpoint);
                writeln!(
                    to,
                    "{own}\t{}\t{}\t{variant}\t{checkpoint}",
                    self.organization,
                    self.model_id(number)
                )?;
            }
        }
        writeln!(to, "\\.")
    }

    pub(super) fn benchmarks(&self, to: &mut impl Write) -> io::Result<()> {
        writeln!(
            to,
            "copy benchmarks (id, organization_id, name, kind, modality, category, primary_metrics, num_samples, leaf_tasks) from stdin;"
        )?;
        for (number, benchmark) in (0..).zip(&self.world.benchmarks) {
            let (id, name) = (self.benchmark_id(number), &benchmark.name);
            writeln!(
                to,
                "{id}\t{}\t{name}\ttask\tVision\tOther\t[\"acc\"]\t{}\t{{{name}}}",
                self.organization, benchmark.documents
            )?;
        }
        writeln!(to, "\\.")
    }

    /// Every run with its number.
    fn runs(&self) -> impl Iterator<Item = (u64, Run)> + '_ {
        (0..self.world.size.runs).map(|number| (number, self.world.run(number)))
    }

    pub(super) fn run_rows(&self, to: &mut impl Write) -> io::Result<()> {
        writeln!(
            to,
            "copy runs (id, organization_id, name, model_id, checkpoint_variant, status, outcome, total_tasks, completed_tasks, \
             created_at, queued_at, started_at, completed_at, progress_percent) from stdin;"
        )?;
        for (number, run) in self.runs() {
            let (id, model) = (self.run_id(&run, number), self.model_id(run.model));
            let (status, outcome) = words(run.end);
            let (all, variant) = (run.picks.len(), self.variant(run.model, run.checkpoint));
            let done = if run.end == End::Completed { all } else { 0 };
            let (start, end) = (time(run.started), time(run.started + run.seconds * 1_000));
            writeln!(
                to,
                "{id}\t{}\tseed run {number}\t{model}\t{variant}\t{status}\t{outcome}\t{all}\t{done}\t{start}\t{start}\t{start}\t{end}\t{}",
                self.organization,
                if run.end == End::Completed { 100 } else { 0 }
            )?;
        }
        writeln!(to, "\\.")
    }

    pub(super) fn pick_rows(&self, to: &mut impl Write, tallies: &[Tally]) -> io::Result<()> {
        writeln!(
            to,
            "copy run_benchmarks (id, organization_id, run_id, benchmark_id, name, \"order\", status, outcome, leaf_tasks, \
             started_at, completed_at, ingested_at, sample_count) from stdin;"
        )?;
        let mut tallies = tallies.iter();
        for (number, run) in self.runs() {
            let (start, end) = (time(run.started), time(run.started + run.seconds * 1_000));
            let (status, outcome) = words(run.end);
            for (order, pick) in run.picks.iter().enumerate() {
                let name = &self.world.benchmarks[pick.benchmark as usize].name;
                let samples = match run.end {
                    End::Completed => tallies.next().map_or(0, |tally| tally.samples),
                    _ => 0,
                };
                writeln!(
                    to,
                    "{}\t{}\t{}\t{}\t{name}\t{order}\t{status}\t{outcome}\t{{{name}}}\t{start}\t{end}\t{end}\t{samples}",
                    self.pick_id(&run, number, order),
                    self.organization,
                    self.run_id(&run, number),
                    self.benchmark_id(pick.benchmark),
                )?;
            }
        }
        writeln!(to, "\\.")
    }

    /// The samples of all completed runs, and what each pick comes to, in order. Tells how many there are.
    pub(super) fn samples(&self, to: &mut impl Write, mut told: impl FnMut(u64)) -> io::Result<Vec<Tally>> {
        writeln!(
            to,
            "copy run_samples (id, organization_id, run_id, run_benchmark_id, benchmark_id, sample_index, doc_id, \
             input_data, ground_truth, prediction, metrics, doc, score, error, flags, content_hash, prompt_hash) from stdin;"
        )?;
        let (mut tallies, mut all) = (Vec::new(), 0);
        for (number, run) in self.runs().filter(|(_, run)| run.end == End::Completed) {
            for (order, pick) in run.picks.iter().enumerate() {
                let wanted = pick.samples.min(self.world.size.samples - all);
                let mut tally = Tally {
                    samples: wanted,
                    right: 0,
                };
                let ids = format!(
                    "{}\t{}\t{}\t{}",
                    self.organization,
                    self.run_id(&run, number),
                    self.pick_id(&run, number, order),
                    self.benchmark_id(pick.benchmark)
                );
                for document in 0..wanted {
                    let sample = self.world.sample(number, order as u64, pick, document);
                    tally.right += u64::from(sample.is_right);
                    let own = id(
                        run.started + run.seconds * 1_000,
                        6,
                        all ^ (self.world.size.seed << 48),
                    );
                    sample_row(to, &own, &ids, document, pick, sample)?;
                    all += 1;
                    told(all);
                }
                tallies.push(tally);
            }
        }
        writeln!(to, "\\.")?;
        Ok(tallies)
    }

    pub(super) fn metrics(&self, to: &mut impl Write, tallies: &[Tally]) -> io::Result<()> {
        writeln!(
            to,
            "copy run_metrics (id, organization_id, run_id, run_benchmark_id, benchmark_id, metric_name, metric_value, stderr, \
             higher_is_better, sample_count, conditions) from stdin;"
        )?;
        let (mut tallies, mut made) = (tallies.iter(), 0_u64);
        for (number, run) in self.runs().filter(|(_, run)| run.end == End::Completed) {
            for (order, pick) in run.picks.iter().enumerate() {
                let tally = *tallies.next().unwrap_or(&Tally::default());
                let (n, right) = match tally.samples {
                    0 => (
                        pick.documents,
                        self.world.right_of(number, order as u64, pick, pick.documents),
                    ),
                    n => (n, tally.right),
                };
                let n = n.max(1);
                let value = right as f64 / n as f64;
                let stderr = (value * (1.0 - value) / (n as f64 - 1.0).max(1.0)).sqrt();
                let conditions = if pick.is_limited {
                    format!("{{\"limit\": {n}}}")
                } else {
                    "{}".to_owned()
                };
                let ids = format!(
                    "{}\t{}\t{}\t{}",
                    self.organization,
                    self.run_id(&run, number),
                    self.pick_id(&run, number, order),
                    self.benchmark_id(pick.benchmark)
                );
                for (metric, value, up) in [("acc", value, true), ("length", 20.0 + 80.0 * value, false)] {
                    let own = id(
                        run.started + run.seconds * 1_000,
                        7,
                        made ^ (self.world.size.seed << 48),
                    );
                    made += 1;
                    writeln!(
                        to,
                        "{own}\t{ids}\t{metric}\t{value}\t{stderr}\t{up}\t{n}\t{conditions}"
                    )?;
                }
            }
        }
        writeln!(to, "\\.")
    }
}

fn words(end: End) -> (&'static str, &'static str) {
    match end {
        End::Completed => ("completed", "completed"),
        End::Failed => ("failed", "crashed"),
        End::Cancelled => ("cancelled", "cancelled"),
    }
}

/// PostgreSQL reads seconds since 1970 from a text of its own only; an interval it does not take.
fn time(milliseconds: u64) -> String {
    let (days, rest) = (milliseconds / 86_400_000, milliseconds % 86_400_000);
    let (year, month, day) = civil(days as i64);
    let (hours, minutes) = (rest / 3_600_000, rest / 60_000 % 60);
    format!(
        "{year}-{month:02}-{day:02} {hours:02}:{minutes:02}:{:06.3}+00",
        (rest % 60_000) as f64 / 1e3
    )
}

/// The date of a day since 1970 (Hinnant's algorithm).
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (
        yoe + era * 400 + i64::from(month <= 2),
        month,
        doy - (153 * mp + 2) / 5 + 1,
    )
}

fn sample_row(
    to: &mut impl Write,
    id: &str,
    ids: &str,
    document: u64,
    pick: &Pick,
    sample: Sample,
) -> io::Result<()> {
    let mut question = Random::of(pick.benchmark, 9, document);
    let mut random = sample.random;
    let (letter, other) = (
        question.pick(&["A", "B", "C", "D"]),
        question.pick(&["E", "F", "G"]),
    );
    let category = question.pick(&CATEGORIES);
    write!(
        to,
        "{id}\t{ids}\t{document}\t{document}\t{{\"text\": \"question {document}: "
    )?;
    let mut written = 0;
    while written < QUESTION {
        let word = question.pick(&WORDS);
        write!(to, "{word} ")?;
        written += word.len() + 1;
    }
    let answer = if sample.is_right { letter } else { other };
    let (score, error) = if sample.is_right { (1, 0) } else { (0, 1) };
    let flags = if sample.is_truncated { "{truncated}" } else { "{}" };
    let (word, hash) = (random.pick(&WORDS), question.next());
    writeln!(
        to,
        "\"}}\t\"{letter}\"\t\"the answer is {answer}, for the {word} shows it\"\t{{\"acc\": {score}.0}}\t\
         {{\"category\": \"{category}\", \"options\": [\"A\", \"B\", \"C\", \"D\"], \"id\": {document}}}\t{score}\t{error}\t{flags}\t\
         \\\\x{hash:016x}{hash:016x}{hash:016x}{hash:016x}\t\\\\x{hash:016x}{hash:016x}{hash:016x}{hash:016x}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_ids_are_written_as_postgresql_reads_them() {
        assert_eq!(time(0), "1970-01-01 00:00:00.000+00");
        assert_eq!(time(1_709_210_096_789), "2024-02-29 12:34:56.789+00");
        let (a, b) = (id(1_700_000_000_000, 6, 1), id(1_700_000_000_000, 6, 256));
        assert!(
            a < b && a.len() == 36 && a.as_bytes()[14] == b'7' && a.as_bytes()[19] == b'8',
            "{a}"
        );
    }
}
