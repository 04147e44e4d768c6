//! Beside the form, always current: the dry run, what it can detect, what to know, the exact command.

use std::sync::Arc;

use leptos::prelude::*;
use types::{BenchmarkPreview, RunPreview, Warning};

use super::{
    desk::{sentence, use_desk},
    launch::LaunchButton,
};
use crate::{
    components::{
        code::{CodeBlock, CopyButton},
        figure::{Figure, Figures},
        panel::{Empty, Panel, Skeleton},
        words::{Alert, Weight},
    },
    format::{MISSING, count, duration, plural, significant},
    shell::page::Section,
};

/// What will run.
#[component]
pub fn Side() -> impl IntoView {
    let desk = use_desk();
    let ready = Memo::new(move |_| desk.request.with(Result::is_ok));
    // Before the catalogue is there nothing can be said about the picks.
    let early = Memo::new(move |_| {
        let waiting = desk
            .benchmarks
            .load
            .with(|load| load.value.is_none() && load.fault.is_none());
        waiting
            && desk
                .form
                .with(|form| !form.model.is_empty() && !form.tasks.is_empty())
    });
    let body = move || match ready.get() {
        _ if early.get() => view! { <Skeleton lines=10/> }.into_any(),
        true => view! {
            <Panel load=desk.preview.load on_retry=desk.preview.retry() lines=10
                children=|preview| view! { <Preview preview/> }.into_any()
            />
        }
        .into_any(),
        false => view! { <Missing/> }.into_any(),
    };
    view! {
        <aside class="launch__side stack" aria-label="What will run">
            {body}
            <LaunchButton/>
        </aside>
    }
    .into_any()
}

/// What is needed before anything can be said.
#[component]
fn Missing() -> impl IntoView {
    let desk = use_desk();
    let todo = move || {
        desk.form
            .with(|form| match (form.model.is_empty(), form.tasks.is_empty()) {
                (true, true) => "Choose a model and benchmarks",
                (true, false) => "Choose a model",
                (false, true) => "Choose benchmarks",
                (false, false) => "Some fields cannot be read",
            })
    };
    move || {
        view! {
            <Empty title=todo()>
                <span>"Samples, duration, the smallest difference that can be seen and the exact command appear here."</span>
            </Empty>
        }
    }
}

#[component]
fn Preview(preview: Signal<Arc<RunPreview>>) -> impl IntoView {
    let desk = use_desk();
    let busy = Signal::derive(move || desk.preview.load.with(|load| load.busy));
    let refused = Signal::derive(move || desk.preview.load.with(|load| load.fault.is_some()));
    let stale = Signal::derive(move || busy.get() || refused.get());
    let note = Signal::derive(move || {
        let words = match (busy.get(), refused.get()) {
            (true, _) => "updating",
            (false, true) => "of the form before the last change",
            (false, false) => "current",
        };
        Some(words.to_owned())
    });
    view! {
        <Section title="Dry run" note><Numbers preview stale/></Section>
        <Detectable preview/>
        <Warnings preview/>
        <Commands preview/>
    }
    .into_any()
}

#[component]
fn Numbers(preview: Signal<Arc<RunPreview>>, stale: Signal<bool>) -> impl IntoView {
    let samples =
        Signal::derive(move || preview.with(|p| p.total_samples.map_or_else(|| MISSING.to_owned(), count)));
    let tasks = Signal::derive(move || {
        preview.with(|p| {
            let tasks = plural(u64::from(p.total_tasks), "task", "tasks");
            Some(if p.total_samples.is_some() {
                tasks
            } else {
                format!("{tasks}; sizes are known after a first run")
            })
        })
    });
    let takes = Signal::derive(move || {
        preview.with(|p| {
            p.eta_seconds
                .map_or_else(|| MISSING.to_owned(), |s| duration(s as f64))
        })
    });
    let source = Signal::derive(move || {
        Some(
            preview
                .with(|p| {
                    if p.eta_seconds.is_some() {
                        "from earlier runs"
                    } else {
                        "no earlier run to learn from"
                    }
                })
                .to_owned(),
        )
    });
    let gpus = Signal::derive(move || {
        preview.with(|p| {
            if p.compute.gpus == 0 {
                "none".to_owned()
            } else {
                p.compute.gpus.to_string()
            }
        })
    });
    let of = Signal::derive(move || {
        preview.with(|p| {
            (p.compute.gpus > 0).then(|| format!("{} of {} free", p.compute.free, p.compute.matching))
        })
    });
    let compute =
        Signal::derive(move || Some(preview.with(|p| p.compute.message.clone())).filter(|m| !m.is_empty()));
    let checkpoint = Signal::derive(move || preview.with(|p| p.checkpoint_variant.clone()));
    view! {
        <div class="launch__figs">
            <Figures stale>
                <Figure name="Samples" value=samples note=tasks/>
                <Figure name="Takes about" value=takes note=source/>
                <Figure name="GPUs" value=gpus unit=of note=compute/>
                <Figure name="Checkpoint" value=checkpoint/>
            </Figures>
        </div>
    }
    .into_any()
}

/// The differences in percentage points, largest first, with those that are not known counted.
fn detectable(rows: &[BenchmarkPreview]) -> (Vec<(String, f64)>, usize) {
    let mut known: Vec<(String, f64)> = rows
        .iter()
        .filter_map(|row| Some((row.name.clone(), row.detectable_difference? * 100.0)))
        .collect();
    known.sort_by(|a, b| b.1.total_cmp(&a.1));
    let unknown = rows.len() - known.len();
    (known, unknown)
}

#[component]
fn Detectable(preview: Signal<Arc<RunPreview>>) -> impl IntoView {
    const SHOWN: usize = 12;
    let rows = Memo::new(move |_| preview.with(|p| detectable(&p.benchmarks)));
    let row = |(name, points): (String, f64), widest: f64| {
        let width = format!("{:.1}%", points / widest * 100.0);
        view! {
            <tr>
                <td><span class="trunc">{name}</span></td>
                <td class="launch__bar" aria-hidden="true"><span class="minibar" style=("width", width)></span></td>
                <td class="r">{format!("±\u{2009}{}", significant(points))}</td>
            </tr>
        }
    };
    let body = move || {
        let (known, unknown) = rows.get();
        let widest = known.first().map_or(1.0, |row| row.1.max(f64::MIN_POSITIVE));
        let none = known.is_empty();
        let hidden = known.len().saturating_sub(SHOWN);
        let notes = [
            (hidden > 0).then(|| format!("{hidden} with smaller differences are not shown.")),
            (unknown > 0).then(|| {
                format!(
                    "{} of unknown size.",
                    plural(unknown as u64, "benchmark", "benchmarks")
                )
            }),
        ];
        let notes: Vec<String> = notes.into_iter().flatten().collect();
        let rows = known
            .into_iter()
            .take(SHOWN)
            .map(|r| row(r, widest))
            .collect_view();
        view! {
            <table class="table table--tight" hidden=none>
                <thead class="vh"><tr><th scope="col">"Benchmark"</th><th scope="col">"Bar"</th><th scope="col">"Difference"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
            {(!notes.is_empty()).then(|| view! { <p class="small muted">{notes.join(" ")}</p> })}
        }
    };
    view! { <Section title="Smallest difference it can detect" note="points, against another run, 80 % power">{body}</Section> }.into_any()
}

/// A warning as a sentence that says what it is about.
fn warning_words(warning: &Warning) -> String {
    let named = |benchmark: &&String| !warning.message.contains(benchmark.as_str());
    match warning.benchmark.as_ref().filter(named) {
        Some(benchmark) => format!("{benchmark}: {}", warning.message),
        None if warning
            .benchmark
            .as_ref()
            .is_some_and(|name| warning.message.starts_with(name.as_str())) =>
        {
            warning.message.clone()
        }
        None => sentence(&warning.message),
    }
}

#[component]
fn Warnings(preview: Signal<Arc<RunPreview>>) -> impl IntoView {
    let one = |warning: Warning| {
        let cause = warning_words(&warning);
        view! { <Alert weight=Weight::Warn cause/> }
    };
    let satisfiable = move || preview.with(|p| p.compute.satisfiable || p.compute.gpus == 0);
    let never = move || {
        (!satisfiable()).then(|| {
            let cause = "No machine here can ever satisfy this compute profile.";
            view! { <Alert weight=Weight::Bad cause>{preview.with(|p| p.compute.message.clone())}</Alert> }
        })
    };
    view! { <div class="stack">{never}{move || preview.with(|p| p.warnings.clone()).into_iter().map(one).collect_view()}</div> }
}

/// The command lines, one paragraph per process.
fn command_text(preview: &RunPreview) -> String {
    let folded = preview
        .commands
        .iter()
        .map(|command| fold(&command.argv, &command.shell));
    folded.collect::<Vec<_>>().join("\n\n")
}

/// A quoted command with one flag per line. The words stay byte for byte; only blanks between them become breaks.
fn fold(argv: &[String], shell: &str) -> String {
    let mut out = String::with_capacity(shell.len() + 64);
    let mut rest = shell;
    for (index, word) in argv.iter().enumerate() {
        // A flag is never quoted, so it stands in the text as it is.
        let flag = format!(" {word}");
        if index > 0
            && word.starts_with("--")
            && let Some(at) = rest.find(&flag)
        {
            out.push_str(&rest[..at]);
            out.push_str(" \\\n  ");
            rest = &rest[at + 1..];
            out.push_str(&rest[..word.len()]);
            rest = &rest[word.len()..];
        }
    }
    out + rest
}

fn benchmark_text(preview: &RunPreview) -> String {
    let all = preview.commands.iter().flat_map(|command| &command.benchmarks);
    all.map(|benchmark| benchmark.shell.clone())
        .collect::<Vec<_>>()
        .join("\n\n")
}

#[component]
fn Commands(preview: Signal<Arc<RunPreview>>) -> impl IntoView {
    let text = Signal::derive(move || preview.with(|p| command_text(p)));
    let flat = Signal::derive(move || {
        preview.with(|p| {
            p.commands
                .iter()
                .map(|c| c.shell.clone())
                .collect::<Vec<_>>()
                .join("\n")
        })
    });
    let each = Signal::derive(move || preview.with(|p| benchmark_text(p)));
    let amount = Signal::derive(move || {
        preview.with(|p| p.commands.iter().map(|c| c.benchmarks.len()).sum::<usize>())
    });
    let tools = move || view! { <CopyButton label="Copy the command" text=flat/> }.into_any();
    view! {
        <Section title="Command" note="exactly what will run" tools=tools>
            <CodeBlock label="Command line" text wrap=true/>
            <details class="launch__each">
                <summary class="small">{move || format!("lmms-eval's own command line of each of {}", plural(amount.get() as u64, "benchmark", "benchmarks"))}</summary>
                <div class="row launch__copy"><CopyButton label="Copy the command lines" text=each/></div>
                <CodeBlock label="Command line of each benchmark" text=each wrap=true/>
            </details>
        </Section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn folding_changes_blanks_only() {
        let shell =
            "/usr/bin/python -m lmms_eval --model hf --model_args 'a= --model b' --tasks x --log_samples";
        let mut argv = words("/usr/bin/python -m lmms_eval --model hf --model_args");
        argv.push("a= --model b".into());
        argv.extend(words("--tasks x --log_samples"));
        let folded = fold(&argv, shell);
        assert_eq!(folded.replace(" \\\n  ", " "), shell);
        assert_eq!(folded.lines().count(), 5);
        assert_eq!(
            fold(&words("python driver.py job.json"), "python driver.py job.json"),
            "python driver.py job.json"
        );
    }

    #[test]
    fn a_warning_names_its_benchmark_once() {
        let warning = |message: &str, benchmark: Option<&str>| Warning {
            code: "x".into(),
            message: message.into(),
            benchmark: benchmark.map(str::to_owned),
        };
        assert_eq!(warning_words(&warning("a limit", None)), "A limit");
        assert_eq!(
            warning_words(&warning("needs a judge", Some("mme"))),
            "mme: needs a judge"
        );
        assert_eq!(
            warning_words(&warning("mme needs a judge", Some("mme"))),
            "mme needs a judge"
        );
    }

    #[test]
    fn the_widest_difference_comes_first() {
        let row = |name: &str, difference: Option<f64>| -> BenchmarkPreview {
            serde_json::from_value(
                json!({"benchmark_id": uuid::Uuid::nil(), "name": name, "leaf_tasks": [], "samples": null,
                "eta_seconds": null, "detectable_difference": difference}),
            )
            .unwrap()
        };
        let (known, unknown) = detectable(&[row("a", Some(0.01)), row("b", None), row("c", Some(0.03))]);
        assert_eq!(known, [("c".to_owned(), 3.0), ("a".to_owned(), 1.0)]);
        assert_eq!(unknown, 1);
    }
}
