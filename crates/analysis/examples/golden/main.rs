//! Runs golden cases through the public API: `golden <golden directory> <output directory>`.
//!
//! For every `<group>.json` of the first directory a file of that name is written to the second,
//! `{"cases": [{"id", "output"}]}`. A group that is not known, or a case that cannot be read, is
//! reported and fails the run.

mod dispatch;

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

use serde_json::{Value, json};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [golden, out] = arguments.as_slice() else {
        eprintln!(
            "`golden` got {} arguments, expected two directories",
            arguments.len()
        );
        return ExitCode::FAILURE;
    };
    match run(Path::new(golden), Path::new(out)) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(failures) => {
            eprintln!("{failures} cases could not be run");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The number of cases that could not be run.
fn run(golden: &Path, out: &Path) -> io::Result<usize> {
    fs::create_dir_all(out)?;
    let mut files: Vec<_> = fs::read_dir(golden)?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<_>>()?;
    files.retain(|path| path.extension().is_some_and(|ext| ext == "json"));
    files.retain(|path| path.file_name().is_some_and(|name| name != "index.json"));
    files.sort();
    let mut failures = 0;
    for path in files {
        let file: Value = serde_json::from_slice(&fs::read(&path)?)?;
        let (cases, failed) = outputs(&file);
        failures += failed;
        if let Some(name) = path.file_name() {
            fs::write(
                out.join(name),
                serde_json::to_vec_pretty(&json!({ "cases": cases }))?,
            )?;
        }
    }
    Ok(failures)
}

fn outputs(file: &Value) -> (Vec<Value>, usize) {
    let group = file["group"].as_str().unwrap_or_default();
    let mut failures = 0;
    let cases = file["cases"].as_array().map(Vec::as_slice).unwrap_or_default();
    let outputs = cases
        .iter()
        .map(|case| {
            let output = dispatch::run(group, case).unwrap_or_else(|error| {
                eprintln!("{group} {}: {error}", case["id"]);
                failures += 1;
                json!({ "error": error })
            });
            json!({ "id": case["id"], "output": output })
        })
        .collect();
    (outputs, failures)
}
