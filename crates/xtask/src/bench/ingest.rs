//! P6: samples from a file into the database, against COPY of the same rows by the server alone.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Result, bail};
use serde_json::json;

use super::Effort;
use super::comparison::{Comparison, Target, alternate};
use super::machine::{Core, pinned};
use super::product::{Folder, Product};
use super::timed;
use crate::process::{read, say};
use crate::up;

/// The columns that an ingest fills.
const COLUMNS: &str = "id, organization_id, run_id, run_benchmark_id, benchmark_id, sample_index, doc_id, filter, input_data, \
    ground_truth, prediction, raw_prediction, metrics, doc, score, score_reason, error, confidence, flags, content_hash, prompt_hash";

/// A product, and what has been parsed once.
struct Ground {
    product: Product,
    organization: String,
    /// Rows in the binary format, which the server reads itself.
    rows: PathBuf,
    samples: usize,
    folder: Folder,
}

/// Rows per second on both sides, of the same samples into the same table.
pub(super) fn ingest(effort: &Effort) -> Result<Vec<Comparison>> {
    let ground = Ground::new(effort.ingest_samples)?;
    let mut number = 0;
    let rounds = alternate(
        effort.rounds,
        || ground.copied(),
        || {
            number += 1;
            ground.imported(number)
        },
    )?;
    Ok(vec![Comparison {
        id: "P6",
        name: format!(
            "import of {} samples, from the command to its end",
            ground.samples
        ),
        unit: "/s",
        reference: "COPY, same rows",
        target: Target::RatioAtLeast(0.5),
        rounds,
        notes: vec![format!(
            "{:.0} bytes a line; indexes and foreign keys are the same on both sides",
            ground.line_bytes()?
        )],
    }])
}

impl Ground {
    fn new(samples: usize) -> Result<Self> {
        let folder = Folder::new("ingest")?;
        let product = Product::start(&folder.path().join("data"), &[])?;
        let rows = folder.path().join("rows");
        let organization = product.sql("select id from organizations order by created_at limit 1")?;
        let ground = Self {
            product,
            organization,
            rows,
            samples,
            folder,
        };
        say(format_args!("parsing {samples} samples once"));
        ground.imported(0)?;
        ground.export()?;
        Ok(ground)
    }

    fn line_bytes(&self) -> Result<f64> {
        let file = samples_file(&self.folder.path().join("run-0"));
        Ok(fs::metadata(file)?.len() as f64 / self.samples as f64)
    }

    /// Keeps the rows of the first import for the reference.
    fn export(&self) -> Result<()> {
        let rows = self.rows.display();
        self.product.sql(&format!(
            "\\copy (select {COLUMNS} from run_samples) to '{rows}' (format binary)"
        ))?;
        Ok(fs::set_permissions(
            &self.rows,
            fs::Permissions::from_mode(0o644),
        )?)
    }

    /// An empty table with clean indexes before each side.
    fn clear(&self) -> Result<()> {
        self.product.sql("delete from run_samples")?;
        self.product.sql("vacuum run_samples")?;
        self.product.sql("checkpoint").map(drop)
    }

    fn check(&self) -> Result<()> {
        let count = self.product.sql("select count(*) from run_samples")?;
        match count.parse::<usize>()? {
            count if count == self.samples => Ok(()),
            count => bail!("{count} samples are stored, expected {}", self.samples),
        }
    }

    fn copied(&self) -> Result<f64> {
        self.clear()?;
        let copy = format!(
            "copy run_samples ({COLUMNS}) from '{}' (format binary)",
            self.rows.display()
        );
        let seconds = timed(|| self.product.sql(&copy))?.1;
        self.check()?;
        Ok(self.samples as f64 / seconds)
    }

    /// Imports a run that the product has not seen.
    fn imported(&self, number: usize) -> Result<f64> {
        let folder = self.folder.path().join(format!("run-{number}"));
        write_run(&folder, number, self.samples)?;
        self.clear()?;
        let mut command = pinned(Core::Load, &self.product.program);
        up::forget_cargo(&mut command);
        command
            .arg("import")
            .arg(&folder)
            .arg("--data-dir")
            .arg(&self.product.data)
            .args(["--organization", &self.organization]);
        let seconds = timed(|| read(command.stdin(Stdio::null())))?.1;
        self.check()?;
        Ok(self.samples as f64 / seconds)
    }
}

fn samples_file(folder: &Path) -> PathBuf {
    folder.join("bench-model/20260101_000000_samples_bench_ingest.jsonl")
}

/// What lmms-eval leaves behind after one task with so many documents.
fn write_run(folder: &Path, number: usize, samples: usize) -> Result<()> {
    let file = samples_file(folder);
    if let Some(parent) = file.parent() {
        fs::create_dir_all(parent)?;
    }
    let task = "bench_ingest";
    let results = json!({
        "results": {task: {"alias": task, "acc,none": 0.5, "acc_stderr,none": 0.001}},
        "group_subtasks": {task: []},
        "configs": {task: {"task": task, "metric_list": [{"metric": "acc", "higher_is_better": true}], "output_type": "generate_until"}},
        "versions": {task: 1}, "n-shot": {task: 0}, "higher_is_better": {task: {"acc": true}},
        "n-samples": {task: {"original": samples, "effective": samples}},
        "config": {"model": "openai", "model_args": format!("model_version=bench-{number}"), "batch_size": 1},
        "date": 1_767_225_600.0 + number as f64, "model_name": format!("bench-{number}"), "total_evaluation_time_seconds": "60",
    });
    fs::write(
        file.with_file_name("20260101_000000_results.json"),
        results.to_string(),
    )?;
    let mut out = BufWriter::new(File::create(&file)?);
    let mut question = String::new();
    for document in 0..samples {
        question.clear();
        for word in 0..52 {
            write!(question, "word{} ", (document * 31 + word * 17) % 997)?;
        }
        let line = json!({
            "doc_id": document, "target": format!("target {document}"), "filtered_resps": format!("the answer is {}", document % 7),
            "doc_hash": "74234e98afe7498fb5daf1f36ac2d78acc339464f950703b8c019892f982b90b", "acc": (document % 2) as f64,
            "token_counts": [{"input_tokens": 300, "output_tokens": 12}], "input": question,
        });
        writeln!(out, "{line}")?;
    }
    Ok(out.flush()?)
}
