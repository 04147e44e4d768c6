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
/// How the look at a caller's token is told from other statements.
const TOKEN: &str = "FROM \"api_tokens\"";

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
        let requests = by_request(said);
        match requests.len() == paths.len() {
            true => Ok(requests),
            false => bail!(
                "{} requests look like {} to the database",
                paths.len(),
                requests.len()
            ),
        }
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

/// A request begins with the transaction, a message of several statements, in which its token is looked up. How many
/// follow differs: once in a while it is noted that the token was used.
fn by_request(said: Vec<Statement>) -> Vec<Vec<Statement>> {
    let mut found: Vec<Vec<Statement>> = Vec::new();
    let mut said = said.into_iter().peekable();
    while let Some(statement) = said.next() {
        let begins = statement.is_batch && said.peek().is_some_and(|next| next.text.contains(TOKEN));
        match found.last_mut() {
            Some(request) if !begins => request.push(statement),
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

    fn statement(text: &str) -> Statement {
        Statement {
            text: text.to_owned(),
            parameters: Vec::new(),
            is_batch: text.starts_with("begin"),
        }
    }

    #[test]
    fn a_request_has_as_many_transactions_as_it_needs() {
        let look = "SELECT \"id\" FROM \"api_tokens\"";
        let said = [
            "begin; a", look, "commit", "begin; b", "select 1", "begin; a", look, "begin; c", "update",
        ];
        let requests = by_request(said.into_iter().map(statement).collect());
        let sizes: Vec<usize> = requests.iter().map(Vec::len).collect();
        assert_eq!(sizes, [5, 4]);
    }

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
