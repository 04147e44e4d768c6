//! A product whose lmms-eval is a script of ours: what is measured is the product, not an evaluation.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;

use super::product::{Folder, Product};
use super::seed::{MODEL, seed};

/// A product whose lmms-eval is a script of ours.
pub(super) struct Stage {
    pub(super) product: Product,
    settings: Vec<(String, String)>,
    /// The benchmark that every run picks.
    pick: String,
    /// Goes last.
    pub(super) folder: Folder,
}

impl Stage {
    pub(super) fn new(name: &str, settings: &[(&str, &str)]) -> Result<Self> {
        let folder = Folder::new(name)?;
        let child = folder.path().join("python");
        fs::write(
            &child,
            format!(
                "#!/bin/sh\n[ \"$1\" = -m ] && . {}/child\n",
                folder.path().display()
            ),
        )?;
        fs::set_permissions(&child, fs::Permissions::from_mode(0o755))?;
        let python = ("LMMS_EVAL_PYTHON".to_owned(), child.display().to_string());
        let more = settings
            .iter()
            .map(|&(variable, value)| (variable.to_owned(), value.to_owned()));
        let settings: Vec<_> = std::iter::once(python).chain(more).collect();
        let product = Product::start(&folder.path().join("data"), &settings)?;
        seed(&product)?;
        Ok(Self {
            pick: product.sql("select id from benchmarks where name = 'bench_1'")?,
            product,
            settings,
            folder,
        })
    }

    /// Starts the product once more in the same folder.
    pub(super) fn start(&mut self) -> Result<()> {
        self.product = Product::start(&self.product.data, &self.settings)?;
        Ok(())
    }

    /// What the next child does, in shell.
    pub(super) fn child(&self, script: &str) -> Result<()> {
        Ok(fs::write(
            self.folder.path().join("child"),
            format!("{script}\n"),
        )?)
    }

    pub(super) fn go(&self) -> PathBuf {
        self.folder.path().join("go")
    }

    /// Creates a run of one benchmark and returns its id.
    pub(super) fn create(&self) -> Result<String> {
        let config = json!({"isolation": "process_per_benchmark"});
        let body = json!({"model_id": MODEL, "benchmark_ids": [self.pick], "config": config});
        let created = self.product.api("POST", "/runs/create", &body.to_string())?;
        Ok(created["run_id"]
            .as_str()
            .context("a created run has an id")?
            .to_owned())
    }

    /// Stops a run and waits until it is over.
    pub(super) fn cancel(&self, id: &str) -> Result<()> {
        self.product.api("POST", &format!("/runs/{id}/cancel"), "{}")?;
        self.until_over(id)
    }

    /// Waits until a run is over. The database is asked, for many requests would take the time of what is measured.
    pub(super) fn until_over(&self, id: &str) -> Result<()> {
        let over = format!("select status not in ('queued', 'running') from runs where id = '{id}'");
        self.product
            .until(&over, Duration::from_secs(300))
            .context("the end of a run")
    }
}
