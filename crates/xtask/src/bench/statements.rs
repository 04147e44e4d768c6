//! What a request says to the database, taken from PostgreSQL's own log.

use std::fs;

use anyhow::{Context, Result, bail};

use super::product::Product;

/// What every entry of the log begins with while we listen; the name tells our server from others.
const PREFIX: &str = "\u{1}%a\u{1}";

/// One message to the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(super) text: String,
    /// Without quotes; none is null.
    pub(super) parameters: Vec<Option<String>>,
    /// Several statements in one message.
    pub(super) is_batch: bool,
}

/// What the server called `name` says while `work` runs.
pub(crate) fn capture(
    product: &Product,
    name: &str,
    work: impl FnOnce() -> Result<()>,
) -> Result<Vec<Statement>> {
    let log = product.data.join("pg/postgres.log");
    product.sql(&format!(
        "alter system set log_line_prefix = '{PREFIX}'; alter system set log_statement = 'all'; select pg_reload_conf()"
    ))?;
    settle(product)?;
    let before = fs::metadata(&log)?.len();
    let outcome = work();
    let after = fs::metadata(&log)?.len();
    product.sql(
        "alter system reset log_line_prefix; alter system reset log_statement; select pg_reload_conf()",
    )?;
    outcome?;
    let bytes = fs::read(&log)?;
    let from = usize::try_from(before)?;
    let written = bytes
        .get(from..usize::try_from(after)?)
        .context("the log of PostgreSQL was cut")?;
    let found = parse(&String::from_utf8_lossy(written), name);
    if found.is_empty() {
        bail!("the log of PostgreSQL holds no statement of `{name}`");
    }
    Ok(found)
}

/// A new session sees the new settings; old ones see them before their next statement.
fn settle(product: &Product) -> Result<()> {
    super::comparison::wait_for("the log of statements", std::time::Duration::from_secs(5), || {
        product.sql("show log_statement").is_ok_and(|now| now == "all")
    })
}

pub(super) fn parse(log: &str, name: &str) -> Vec<Statement> {
    let mut found: Vec<Statement> = Vec::new();
    let mut parts = log.split('\u{1}').skip(1);
    while let (Some(who), Some(entry)) = (parts.next(), parts.next()) {
        if who != name {
            continue;
        }
        let entry = whole(entry);
        if let Some(detail) = entry.strip_prefix("DETAIL:  ") {
            if let (Some(last), Some((_, list))) = (found.last_mut(), detail.split_once("arameters: ")) {
                last.parameters = parameters(list);
            }
        } else if let Some((_, text)) = entry.split_once("statement: ") {
            found.push(statement(text, true));
        } else if let Some((_, text)) = entry
            .split_once("execute ")
            .and_then(|(_, rest)| rest.split_once(": "))
        {
            found.push(statement(text, false));
        }
    }
    found
}

/// An entry's own lines: the next ones begin with a tab, and what a process without a name says does not.
fn whole(entry: &str) -> String {
    let own = |(number, line): (usize, &str)| match number {
        0 => Some(line.to_owned()),
        _ => line.strip_prefix('\t').map(|line| format!("\n{line}")),
    };
    entry.lines().enumerate().map_while(own).collect()
}

fn statement(text: &str, simple: bool) -> Statement {
    let text = text.trim().trim_end_matches(';').replace('\n', " ");
    Statement {
        is_batch: simple && text.contains("; "),
        text,
        parameters: Vec::new(),
    }
}

/// `$1 = 'it''s', $2 = NULL`.
fn parameters(list: &str) -> Vec<Option<String>> {
    let mut values = Vec::new();
    let mut rest = list;
    while let Some((_, after)) = rest.split_once(" = ") {
        if let Some(quoted) = after.strip_prefix('\'') {
            let (value, left) = unquote(quoted);
            values.push(Some(value));
            rest = left;
        } else {
            values.push(None);
            rest = after;
        }
    }
    values
}

fn unquote(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let (piece, after) = rest.split_once('\'').unwrap_or((rest, ""));
        value += piece;
        match after.strip_prefix('\'') {
            Some(more) => {
                value.push('\'');
                rest = more;
            }
            None => return (value, after),
        }
    }
}
