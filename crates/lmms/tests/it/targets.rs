//! What must hold for any bytes: shared by the fuzz targets and by the test that replays their corpora.

use lmms::catalogue::{Source, TaskRoot, index};
use lmms::command::arguments::pairs;
use lmms::command::{ArgValue, Plan, PlanBenchmark, PlanInput, plan, shell_line};
use lmms::driver_event::DriverEvent;
use lmms::log::{Item, LogParser, Stream};
use lmms::results::parse_json;
use lmms::samples::{SampleReader, of_dump, of_old, score};
use lmms::{config_file, document, results};
use serde_json::{Value, json};

/// What is found does not depend on how the bytes were cut; the first byte says how.
pub(crate) fn log(data: &[u8]) {
    let (size, bytes) = data.split_first().map_or((1, data), |(n, rest)| (*n, rest));
    for stream in [Stream::Stdout, Stream::Stderr] {
        let whole = parsed(stream, [bytes].into_iter());
        let pieces = parsed(stream, bytes.chunks(usize::from(size).max(1)));
        assert_eq!(whole, pieces);
    }
    for line in String::from_utf8_lossy(bytes).lines() {
        let _ = DriverEvent::parse(line);
    }
}

fn parsed<'a>(stream: Stream, chunks: impl Iterator<Item = &'a [u8]>) -> Vec<Item> {
    let mut parser = LogParser::new(stream);
    let mut items = Vec::new();
    for chunk in chunks {
        items.extend(parser.push(chunk));
        let _ = parser.peek();
    }
    items.extend(parser.finish());
    items
}

/// Every number that is taken out is one that JSON and the database can hold.
pub(crate) fn results(data: &[u8]) {
    let _ = document::kind_of(data, "x_results.json", true);
    let Ok(results) = results::parse(data) else { return };
    for metric in &results.metrics {
        assert!(metric.value.is_none_or(f64::is_finite), "{metric:?}");
        let _ = results.primary_metric(&metric.task);
    }
    for row in results.rows() {
        let _ = results.task(row);
    }
}

pub(crate) fn samples(data: &[u8]) {
    let _ = document::kind_of(data, "x_samples_y.jsonl", true);
    for sample in SampleReader::new(data).flatten() {
        for metric in ["acc", "exact_match", ""] {
            if let Ok(score) = score(&sample, metric) {
                assert!(score.is_finite(), "{score}");
            }
        }
    }
    if let Ok(value) = parse_json(data) {
        let _ = of_old(value.clone());
        let _ = of_dump(value);
    }
}

/// Whatever plan is accepted can be executed, and its model arguments are what was asked for.
pub(crate) fn argv(data: &[u8]) {
    let input = match serde_json::from_slice(data) {
        Ok(input) => input,
        Err(_) => input_of(&String::from_utf8_lossy(data)),
    };
    let Ok(plan) = plan(&input) else { return };
    let words = plan.processes.iter().flat_map(|p| p.argv.iter());
    for word in words {
        assert!(!word.contains('\0'), "{word:?}");
    }
    for process in &plan.processes {
        let _ = shell_line(&process.argv);
    }
    same_arguments(&input, &plan);
}

fn input_of(text: &str) -> PlanInput {
    let pair = |line: &str| {
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        (key.to_owned(), ArgValue::Text(value.to_owned()))
    };
    let mut input: PlanInput =
        serde_json::from_value(json!({"python": "python", "backend": "vllm", "benchmarks": []}))
            .expect("a plan without choices");
    input.benchmarks = vec![PlanBenchmark {
        order: 0,
        name: "mmmu".to_owned(),
    }];
    input.model_args = text.lines().map(pair).collect();
    input
}

fn same_arguments(input: &PlanInput, plan: &Plan) {
    let mut wanted: Vec<(String, String)> = input
        .model_args
        .iter()
        .map(|(key, value)| (key.clone(), value.text()))
        .collect();
    wanted.sort();
    for benchmark in plan.processes.iter().flat_map(|p| &p.benchmarks) {
        let mut given = pairs(option(&benchmark.argv, "--model_args").unwrap_or_default());
        given.sort();
        assert_eq!(given, wanted);
    }
}

/// The value of an option, as argparse reads it.
fn option<'a>(argv: &'a [String], name: &str) -> Option<&'a str> {
    let place = argv.iter().position(|word| word.starts_with(name))?;
    let rest = &argv[place][name.len()..];
    match rest.strip_prefix('=') {
        Some(value) => Some(value),
        None => argv.get(place + 1).map(String::as_str),
    }
}

pub(crate) fn yaml(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = config_file::parse_config(text);
    }
    let folder = tempfile::tempdir().expect("a folder for one file");
    std::fs::write(folder.path().join("task.yaml"), data).expect("a small file");
    let root = TaskRoot {
        path: folder.path().to_owned(),
        source: Source::Include,
    };
    let catalogue = index(&[root]);
    for entry in &catalogue.entries {
        let _ = catalogue.leaves(&entry.name);
        let value: Value = serde_json::to_value(entry).expect("an entry is plain data");
        assert!(value.is_object());
    }
}
