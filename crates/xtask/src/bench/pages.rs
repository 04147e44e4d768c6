//! The pages: what the first visit loads, and when something is seen.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Effort;
use super::comparison::{Comparison, Round, Target};
use super::product::{Folder, Product};
use crate::node::{Node, chromium};
use crate::playwright::install_packages;
use crate::process::{read, say};
use crate::web;
use crate::workspace::root;

/// Opens an empty page and the sign-in page in turn; prints a list of pairs of milliseconds to the first content.
const PAINT: &str = r#"
import { chromium } from "playwright-core";
import { createServer } from "node:http";
const [url, rounds] = process.argv.slice(2);
const server = createServer((_, answer) => answer.end("<!doctype html><title>x</title><p>x</p>"));
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
const paint = async (address) => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(address);
  await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length > 0);
  const first = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime);
  const form = address === url ? await page.locator("input").first().waitFor() : null;
  const ready = await page.evaluate(() => performance.now());
  await context.close();
  return [first, ready];
};
const pairs = [];
for (let round = 0; round < Number(rounds); round += 1) {
  const [empty] = await paint(`http://127.0.0.1:${server.address().port}/`);
  pairs.push([empty, ...(await paint(url))]);
}
console.log(JSON.stringify(pairs));
await browser.close();
server.close();
"#;

/// Sizes and first paint of the optimised pages.
pub(super) fn pages(effort: &Effort) -> Result<Vec<Comparison>> {
    let dist = match &effort.pages {
        Some(dist) => dist.clone(),
        None => web::build(&web::WebOptions {
            release: true,
            force: false,
        })?,
    };
    let mut rows = vec![size(&dist)?];
    rows.extend(paint(effort, &dist)?);
    Ok(rows)
}

/// Everything that shrinks, before and after; fonts do not.
fn size(dist: &Path) -> Result<Comparison> {
    let (mut raw, mut small) = (0, 0);
    for entry in walkdir::WalkDir::new(dist) {
        let entry = entry?;
        let packed = PathBuf::from(format!("{}.br", entry.path().display()));
        if let Ok(meta) = fs::metadata(&packed) {
            raw += entry.metadata()?.len();
            small += meta.len();
        }
    }
    Ok(row(
        "first visit, compressed",
        "kB",
        "as built",
        Target::Open,
        vec![Round {
            reference: raw as f64 / 1e3,
            ours: small as f64 / 1e3,
        }],
    ))
}

fn paint(effort: &Effort, dist: &Path) -> Result<Vec<Comparison>> {
    let folder = Folder::new("pages")?;
    let settings = [("LMMS_SPA_DIR".to_owned(), dist.display().to_string())];
    let product = Product::start(&folder.path().join("data"), &settings)?;
    let (node, chromium) = (Node::find()?, chromium()?);
    let tests = root().join("frontend/e2e");
    install_packages(&node, &tests)?;
    // Modules are looked for from where the script lies.
    let script = tests.join("node_modules/.paint.mjs");
    fs::write(&script, PAINT)?;
    let mut command = Command::new(node.bin.join("node"));
    command.current_dir(&tests).env("CHROMIUM", chromium).arg(&script);
    let text = read(
        command
            .arg(format!("http://{}/login", product.address))
            .arg(effort.rounds.to_string()),
    );
    fs::remove_file(&script)?;
    let told: Value = serde_json::from_str(&text?).context("the browser says what is no JSON")?;
    let rounds = |at: usize| -> Vec<Round> {
        let pairs = told.as_array().into_iter().flatten();
        let number = |pair: &Value, at: usize| pair[at].as_f64().unwrap_or(f64::NAN);
        pairs
            .map(|pair| Round {
                reference: number(pair, 0),
                ours: number(pair, at),
            })
            .collect()
    };
    say(format_args!(
        "milliseconds of empty page, first content, form: {told}"
    ));
    Ok(vec![
        row(
            "first contentful paint",
            "ms",
            "empty page",
            Target::Open,
            rounds(1),
        ),
        row(
            "sign-in form to be typed into",
            "ms",
            "empty page",
            Target::Open,
            rounds(2),
        ),
    ])
}

fn row(
    name: &str,
    unit: &'static str,
    reference: &'static str,
    target: Target,
    rounds: Vec<Round>,
) -> Comparison {
    Comparison {
        id: "SPA",
        name: name.to_owned(),
        unit,
        reference,
        target,
        rounds,
        notes: Vec::new(),
    }
}
