//! The pulse of the service: what runs, what waits, which GPUs are free; and word of what ended elsewhere.

use std::collections::BTreeMap;

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use types::{RunId, RunList, RunStatus, RunSummary, SystemStatus};

use super::toasts::use_toasts;
use crate::{
    api::{
        endpoints::{self, RunQuery},
        remote::{Remote, poll, remote},
    },
    components::words::Weight,
    url::use_carry,
};

/// How often the pulse is taken.
const EVERY: u32 = 5000;

/// The pulse.
#[derive(Clone, Copy)]
pub struct Pulse {
    /// The newest runs, with the counts of all.
    pub runs: Remote<RunList>,
    /// Machines, GPUs, queue.
    pub system: Remote<SystemStatus>,
}

/// Takes the pulse for as long as the shell stands.
pub fn provide_pulse() -> Pulse {
    let query = RunQuery {
        limit: 20,
        ..RunQuery::default()
    };
    let runs = remote(
        move || Some(query.clone()),
        async |client, query| endpoints::runs(&client, &query).await,
    );
    let system = remote(|| Some(()), async |client, ()| endpoints::system(&client).await);
    poll(runs, EVERY, || true);
    poll(system, EVERY, || true);
    tell_ends(runs);
    let pulse = Pulse { runs, system };
    provide_context(pulse);
    pulse
}

/// The pulse.
pub fn use_pulse() -> Pulse {
    expect_context()
}

impl Pulse {
    /// How many runs have this status.
    pub fn count(self, status: RunStatus) -> u64 {
        self.runs.load.with(|load| {
            load.value
                .as_ref()
                .and_then(|list| list.counts.get(&status).copied())
                .unwrap_or(0)
        })
    }
}

/// Tells of runs that ended while the viewer was on another page.
fn tell_ends(runs: Remote<RunList>) {
    let (toasts, carry, path) = (use_toasts(), use_carry(), use_location().pathname);
    let value = runs.value();
    Effect::new(move |before: Option<BTreeMap<RunId, RunStatus>>| {
        let Some(list) = value.get() else {
            return before.unwrap_or_default();
        };
        for run in ended(&before.unwrap_or_default(), &list.runs) {
            let here = path.with_untracked(|path| path.contains(&run.id.to_string()));
            if !here {
                let (weight, title, detail) = words(run);
                let link = (
                    "See the run".to_owned(),
                    untrack(|| carry(&format!("/runs/{}", run.id))),
                );
                toasts.push(weight, title, detail, Some(link));
            }
        }
        list.runs.iter().map(|run| (run.id, run.status)).collect()
    });
}

/// The runs that were under way before and are over now.
fn ended<'a>(before: &BTreeMap<RunId, RunStatus>, now: &'a [RunSummary]) -> Vec<&'a RunSummary> {
    let was_running =
        |run: &&RunSummary| before.get(&run.id) == Some(&RunStatus::Running) && run.status.is_terminal();
    now.iter().filter(was_running).collect()
}

fn words(run: &RunSummary) -> (Weight, String, String) {
    let done = format!("{} of {} tasks completed.", run.completed_tasks, run.total_tasks);
    match run.status {
        RunStatus::Completed => (Weight::Ok, format!("{} finished", run.name), done),
        RunStatus::Cancelled => (Weight::Plain, format!("{} was cancelled", run.name), done),
        _ => {
            let cause = run.error_message.clone().unwrap_or_default();
            (
                Weight::Bad,
                format!("{} failed", run.name),
                format!("{done} {cause}"),
            )
        }
    }
}
