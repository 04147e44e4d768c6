//! What an organization looks like after two years: models that get better, benchmarks of different weight, runs of
//! which some fail, and many small sets of samples beside a few large ones.
//!
//! Everything is a function of the seed and its own number, so that tables can be written one after the other
//! without holding the one before.

use super::random::Random;

const MODEL: u64 = 1;
const BENCHMARK: u64 = 2;
const RUN: u64 = 3;
const SAMPLE: u64 = 4;
/// Two years, in milliseconds.
const PAST: u64 = 2 * 365 * 86_400_000;
/// The most benchmarks of a run.
const MOST_PICKS: usize = 12;

const FAMILIES: [&str; 8] = [
    "Qwen-VL",
    "LLaVA",
    "InternVL",
    "Gemma",
    "Phi-Vision",
    "Pixtral",
    "SmolVLM",
    "Molmo",
];
const TOPICS: [&str; 20] = [
    "charts",
    "documents",
    "diagrams",
    "ocr",
    "counting",
    "spatial",
    "science",
    "math",
    "maps",
    "receipts",
    "screens",
    "video_qa",
    "captions",
    "speech",
    "music",
    "grounding",
    "memes",
    "medicine",
    "code",
    "safety",
];
pub(super) const CATEGORIES: [&str; 8] = [
    "counting", "colour", "position", "text", "relation", "number", "action", "other",
];

/// How much is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) seed: u64,
    pub(super) runs: u64,
    pub(super) samples: u64,
    pub(super) models: u64,
    pub(super) benchmarks: u64,
    /// Milliseconds since 1970 at which the two years end.
    pub(super) now: u64,
}

/// A model with its checkpoints.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) name: String,
    pub(super) family: &'static str,
    pub(super) parameters: u64,
    pub(super) checkpoints: u64,
    skill: f64,
}

/// A benchmark with how hard it is.
#[derive(Clone, Debug)]
pub(super) struct Benchmark {
    pub(super) name: String,
    pub(super) documents: u64,
    difficulty: f64,
    /// How much the difficulty differs from document to document.
    spread: f64,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Completed,
    Failed,
    Cancelled,
}

/// A benchmark of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pick {
    pub(super) benchmark: u64,
    /// Documents that were answered, all or the first few.
    pub(super) documents: u64,
    pub(super) is_limited: bool,
    /// Of which so many are stored as samples.
    pub(super) samples: u64,
    /// How well the model does here, in logits.
    level: f64,
}

/// A run.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) model: u64,
    pub(super) checkpoint: u64,
    pub(super) end: End,
    /// Milliseconds since 1970.
    pub(super) started: u64,
    pub(super) seconds: u64,
    pub(super) picks: Vec<Pick>,
}

/// A sample, as far as it is drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) random: Random,
    pub(super) is_right: bool,
    pub(super) is_truncated: bool,
}

/// An organization.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) size: Size,
    pub(super) models: Vec<Model>,
    pub(super) benchmarks: Vec<Benchmark>,
}

impl Size {
    fn model(&self, number: u64) -> Model {
        let mut random = Random::of(self.seed, MODEL, number);
        let family = *random.pick(&FAMILIES);
        let billions = *random.pick(&[1, 2, 4, 7, 8, 13, 34, 72]);
        Model {
            name: format!("{family}-{billions}B-{}.{number:03}", self.seed),
            family,
            parameters: billions * 1_000_000_000,
            checkpoints: 1 + random.below(6),
            skill: random.normal() * 0.7 + (billions as f64).ln() * 0.25,
        }
    }

    fn benchmark(&self, number: u64) -> Benchmark {
        let mut random = Random::of(self.seed, BENCHMARK, number);
        let topic = TOPICS[(number as usize) % TOPICS.len()];
        let documents = (500.0 * (random.normal() * 0.8).exp()).clamp(50.0, 12_000.0);
        Benchmark {
            name: format!("seed{}_{topic}_{number:02}", self.seed),
            documents: documents as u64,
            difficulty: random.normal() * 0.8,
            spread: 0.8 + random.unit(),
        }
    }
}

impl World {
    pub(super) fn new(size: Size) -> Self {
        Self {
            models: (0..size.models).map(|n| size.model(n)).collect(),
            benchmarks: (0..size.benchmarks).map(|n| size.benchmark(n)).collect(),
            size,
        }
    }

    pub(super) fn run(&self, number: u64) -> Run {
        let mut random = Random::of(self.size.seed, RUN, number);
        // More of them lately.
        let age = (random.unit() * random.unit() * PAST as f64) as u64;
        let at = random.below(self.size.models);
        let model = &self.models[at as usize];
        let checkpoint = random.below(model.checkpoints);
        let end = match random.unit() {
            x if number == 0 || x < 0.88 => End::Completed,
            x if x < 0.95 => End::Failed,
            _ => End::Cancelled,
        };
        let skill = model.skill + 0.3 * (checkpoint as f64 - 2.0) + random.normal() * 0.05;
        Run {
            model: at,
            checkpoint,
            end,
            started: self.size.now - age - 60_000,
            seconds: 60 + (600.0 * (random.normal() * 0.9).exp()) as u64,
            picks: self.picks(number, skill, &mut random),
        }
    }

    /// Few benchmarks mostly, a suite at times; popular ones more often.
    fn picks(&self, number: u64, skill: f64, random: &mut Random) -> Vec<Pick> {
        let most = self.benchmarks.len().min(MOST_PICKS);
        let wanted = match random.unit() {
            _ if number == 0 => 1,
            x if x < 0.6 => 1,
            x if x < 0.9 => 2 + random.below(2) as usize,
            _ => most,
        };
        let mut chosen: Vec<u64> = Vec::new();
        while chosen.len() < wanted.min(most) {
            let at = (random.unit() * random.unit() * self.benchmarks.len() as f64) as u64;
            if !chosen.contains(&at) {
                chosen.push(at);
            }
        }
        let pick = |(order, benchmark)| self.pick(number, order as u64, benchmark, skill, random);
        chosen.into_iter().enumerate().map(pick).collect()
    }

    fn pick(&self, number: u64, order: u64, benchmark: u64, skill: f64, random: &mut Random) -> Pick {
        let of = &self.benchmarks[benchmark as usize];
        let is_limited = random.chance(0.2);
        let documents = if is_limited {
            of.documents.min(50)
        } else {
            of.documents
        };
        let share = (random.normal() * 1.1).exp() / 1.83;
        let samples = match (number, order) {
            (0, 0) => self.largest(),
            _ => (self.average() * share).round() as u64,
        };
        Pick {
            benchmark,
            documents: documents.max(samples),
            is_limited,
            samples,
            level: skill - of.difficulty,
        }
    }

    /// Samples of the largest run, for a page that is scrolled far.
    pub(super) fn largest(&self) -> u64 {
        (self.size.samples / 10).min(100_000)
    }

    /// Samples of a pick, on average, so that all of them come to what is wanted.
    fn average(&self) -> f64 {
        // The mean number of picks of a run, and the share of runs that complete.
        let most = self.benchmarks.len().min(MOST_PICKS) as f64;
        let picks = self.size.runs as f64 * (0.6 + 0.3 * 2.5 + 0.1 * most) * 0.88;
        // A little too much: what is too much is cut at the end.
        1.05 * self.size.samples.saturating_sub(self.largest()) as f64 / picks.max(1.0)
    }

    /// Whether the model knew this document.
    pub(super) fn sample(&self, run: u64, order: u64, pick: &Pick, document: u64) -> Sample {
        let spread = self.benchmarks[pick.benchmark as usize].spread;
        let seed = self.size.seed;
        let hardness = spread * Random::of(seed, SAMPLE ^ (pick.benchmark << 8), document).normal();
        let mut random = Random::of(seed, SAMPLE ^ (order << 8) ^ (1 << 41), (run << 24) ^ document);
        let p = 1.0 / (1.0 + (hardness - pick.level).exp());
        Sample {
            is_right: random.chance(p),
            is_truncated: random.chance(0.02),
            random,
        }
    }

    /// How many of the documents without samples are answered rightly.
    pub(super) fn right_of(&self, run: u64, order: u64, pick: &Pick, documents: u64) -> u64 {
        let mut random = Random::of(self.size.seed, SAMPLE ^ (order << 8) ^ (1 << 40), run);
        let p = 1.0 / (1.0 + (-pick.level).exp());
        let n = documents as f64;
        (n * p + random.normal() * (n * p * (1.0 - p)).sqrt())
            .round()
            .clamp(0.0, n) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(runs: u64, samples: u64) -> World {
        World::new(Size {
            seed: 3,
            runs,
            samples,
            models: 12,
            benchmarks: 20,
            now: 1_800_000_000_000,
        })
    }

    #[test]
    fn sizes_are_what_was_asked_for() {
        let world = world(5_000, 200_000);
        let completed = (0..5_000)
            .map(|n| world.run(n))
            .filter(|run| run.end == End::Completed);
        let samples: u64 = completed.flat_map(|run| run.picks).map(|pick| pick.samples).sum();
        assert!((190_000..260_000).contains(&samples), "{samples}");
        assert_eq!(world.run(0).picks[0].samples, 20_000);
    }

    #[test]
    fn a_run_is_the_same_again_and_names_a_benchmark_once() {
        let world = world(300, 3_000);
        for number in 0..300 {
            let (once, again) = (world.run(number), world.run(number));
            assert_eq!(
                (once.started, once.picks.len()),
                (again.started, again.picks.len())
            );
            let mut named: Vec<u64> = once.picks.iter().map(|pick| pick.benchmark).collect();
            named.sort_unstable();
            named.dedup();
            assert_eq!(named.len(), once.picks.len());
        }
    }

    #[test]
    fn better_models_are_right_more_often() {
        let world = world(10, 100);
        let right = |level: f64| {
            let pick = Pick {
                level,
                ..world.run(0).picks[0]
            };
            (0..2_000)
                .filter(|&document| world.sample(0, 0, &pick, document).is_right)
                .count()
        };
        assert!(right(1.5) > right(0.0) + 300);
    }
}
