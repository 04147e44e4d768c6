//! Every file of the corpus of real outputs, read in place where it is present.

use std::fs;
use std::io::BufReader;

use lmms::document::{Kind, file_name, kind_of};
use lmms::log::{Item, Stream};
use lmms::results::parse;
use lmms::samples::{SampleReader, of_dump};

use crate::fixtures::{corpus, files, items};

#[test]
fn every_file_has_the_kind_that_its_name_says() {
    let Some(corpus) = corpus() else {
        return;
    };
    for path in files(&corpus, "") {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let expected = if name.ends_with("results_summary.json") {
            Kind::ApiDump
        } else if name.ends_with(".json") {
            Kind::Results
        } else if name.ends_with(".jsonl") {
            Kind::Samples
        } else if name.ends_with(".md") {
            continue;
        } else if name.starts_with("momofodr__") {
            // The output of another script, kept inside of a copy of lmms-eval.
            Kind::NotLmmsEval
        } else {
            Kind::Log
        };
        let bytes = fs::read(&path).expect("a file");
        assert_eq!(kind_of(&bytes, "x", true), expected, "{name}");
    }
}

#[test]
fn every_results_document_is_read() {
    let Some(corpus) = corpus() else {
        return;
    };
    for path in files(&corpus, ".json") {
        let name = path.display().to_string();
        let results =
            parse(&fs::read(&path).expect("a file")).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!results.tasks.is_empty(), "{name} has no task");
        assert!(results.model_label.is_some(), "{name} has no model");
        assert!(results.model_backend.is_some(), "{name} has no backend");
        for metric in &results.metrics {
            assert!(metric.value.is_none_or(f64::is_finite), "{name}: {metric:?}");
            assert!(!metric.name.contains("_stderr"), "{name}: {metric:?}");
        }
    }
}

#[test]
fn every_sample_is_read() {
    let Some(corpus) = corpus() else {
        return;
    };
    for path in files(&corpus, ".jsonl") {
        let name = path.display().to_string();
        assert!(
            file_name(&path.file_name().expect("a name").to_string_lossy()).is_some(),
            "{name}"
        );
        let mut count = 0;
        for sample in SampleReader::new(BufReader::new(fs::File::open(&path).expect("a file"))) {
            let sample = sample.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(
                !sample.metrics.is_empty(),
                "{name}: no metric on {}",
                sample.doc_id
            );
            count += 1;
        }
        assert!(count > 0, "{name} is empty");
    }
}

#[test]
fn the_samples_of_the_api_dump_are_read() {
    let Some(corpus) = corpus() else {
        return;
    };
    for path in files(&corpus, "results_summary.json") {
        let document = lmms::results::parse_json(&fs::read(&path).expect("a file")).expect("JSON");
        let tasks = of_dump(document);
        assert!(!tasks.is_empty());
        for (task, samples) in tasks {
            assert!(!samples.is_empty(), "{task}");
            assert!(samples.iter().all(Result::is_ok), "{task}");
        }
    }
}

#[test]
fn every_log_is_read() {
    let Some(corpus) = corpus() else {
        return;
    };
    let mut telling = 0;
    for path in files(&corpus, "")
        .iter()
        .filter(|path| path.extension().is_some_and(|e| e == "log" || e == "out"))
    {
        let bytes = fs::read(path).expect("a file");
        let found = items(Stream::Stdout, &bytes);
        let stamped = found
            .iter()
            .filter(|item| matches!(item, Item::Line(line) if line.timestamp.is_some()))
            .count();
        let bars = found
            .iter()
            .filter(|item| matches!(item, Item::Progress(_)))
            .count();
        assert!(!found.is_empty(), "{}", path.display());
        telling += usize::from(stamped > 0 && bars > 0);
    }
    assert!(telling >= 3, "only {telling} logs have stamped lines and bars");
}
