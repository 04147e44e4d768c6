//! A product whose database holds an organization after two years.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::Effort;
use super::product::{Folder, Product, Running, serve};
use super::script::said;
use super::statements::{Statement, capture};
use crate::seed::{Amount, fill};
use crate::web;

/// The name under which the second server's statements are found in the log.
const CAPTURED: &str = "capture";

/// A product with a full database, and a second server whose statements are read.
pub(super) struct Filled {
    second: (Running, String),
    pub(super) product: Product,
    pub(super) samples: u64,
    /// Goes last.
    pub(super) folder: Folder,
}

impl Filled {
    pub(super) fn new(effort: &Effort) -> Result<Self> {
        let folder = Folder::new("filled")?;
        let dist = match &effort.pages {
            Some(dist) => dist.clone(),
            None => web::build(&web::WebOptions {
                release: true,
                force: false,
            })?,
        };
        let settings = [("LMMS_SPA_DIR".to_owned(), dist.display().to_string())];
        let product = Product::start(&folder.path().join("data"), &settings)?;
        let amount = Amount {
            runs: effort.seed_runs,
            samples: effort.seed_samples,
            // As many as are compared sample by sample.
            models: Some(80),
            benchmarks: 40,
            seed: 1,
        };
        let url = product.database()?.replace("lmms_api@", "supabase_admin@");
        let samples = fill(&url, None, &amount)?;
        let second = serve(&product, CAPTURED, &[("LMMS_DB_POOL", "1")])?;
        Ok(Self {
            second,
            product,
            samples,
            folder,
        })
    }

    /// `host:port` of the server whose statements are read.
    pub(super) fn captured_address(&self) -> &str {
        &self.second.1
    }

    pub(super) fn bearer(&self) -> String {
        format!("Bearer {}", self.product.token)
    }

    /// What each request says to the database, once types and names are known.
    pub(super) fn statements(&self, paths: &[String]) -> Result<Vec<Vec<Statement>>> {
        let bearer = self.bearer();
        let headers = [("authorization", bearer.as_str())];
        let ask =
            |path: &String| super::http::json(self.captured_address(), "GET", path, &headers, "").map(drop);
        paths.iter().take(2).try_for_each(ask)?;
        let said = capture(&self.product, CAPTURED, || paths.iter().try_for_each(ask))?;
        let transactions = by_transaction(said);
        let each = transactions.len() / paths.len();
        if each == 0 || each * paths.len() != transactions.len() {
            bail!(
                "{} requests made {} transactions, expected as many for each",
                paths.len(),
                transactions.len()
            );
        }
        Ok(transactions.chunks(each).map(<[_]>::concat).collect())
    }

    /// Refuses a plan that reads a whole table of those that grow with runs.
    pub(super) fn check_plans(&self, request: &[Statement]) -> Result<()> {
        let mut begin = "";
        for statement in request {
            if statement.is_batch {
                begin = &statement.text;
            }
            if statement.is_batch || !statement.text.contains("from ") {
                continue;
            }
            let text = said(statement);
            let told = self
                .product
                .sql(&format!("{begin}; explain (format json) {text}; rollback;"))?;
            let at = told.find("[\n").with_context(|| format!("no plan in {told}"))?;
            let mut whole = Vec::new();
            whole_tables(&serde_json::from_str(&told[at..])?, &mut whole);
            if !whole.is_empty() {
                bail!("{} is read as a whole: {text}", whole.join(", "));
            }
        }
        Ok(())
    }

    /// Where a script may lie.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Tables that grow with the number of runs; the leaderboard's own grows with models alone.
const GROWING: [&str; 5] = [
    "runs",
    "run_benchmarks",
    "run_metrics",
    "run_samples",
    "run_events",
];

/// A transaction begins with a message of several statements.
fn by_transaction(said: Vec<Statement>) -> Vec<Vec<Statement>> {
    let mut found: Vec<Vec<Statement>> = Vec::new();
    for statement in said {
        match found.last_mut() {
            Some(request) if !statement.is_batch => request.push(statement),
            _ => found.push(vec![statement]),
        }
    }
    found
}

fn whole_tables(plan: &Value, found: &mut Vec<String>) {
    if let Some(fields) = plan.as_object() {
        let table = fields
            .get("Relation Name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let is_whole = fields
            .get("Node Type")
            .and_then(Value::as_str)
            .is_some_and(|node| node.ends_with("Seq Scan"));
        if is_whole && GROWING.contains(&table) {
            found.push(table.to_owned());
        }
    }
    let inner: Vec<&Value> = match plan {
        Value::Array(items) => items.iter().collect(),
        Value::Object(fields) => fields.values().collect(),
        _ => Vec::new(),
    };
    inner.into_iter().for_each(|plan| whole_tables(plan, found));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_table_that_is_read_as_a_whole_is_found() {
        let plan = json!([{"Plan": {"Node Type": "Limit", "Plans": [
            {"Node Type": "Parallel Seq Scan", "Relation Name": "runs"},
            {"Node Type": "Seq Scan", "Relation Name": "organizations"},
            {"Node Type": "Index Scan", "Relation Name": "run_samples"}]}}]);
        let mut found = Vec::new();
        whole_tables(&plan, &mut found);
        assert_eq!(found, ["runs"]);
    }
}
