//! A check of uploaded files: the report of the import before anything is stored.

use super::course::{Course, Holder, Stopped};
use super::plan::{Planned, PlannedRun, plan};
use super::registry::Wanted;
use super::report::{reports, rows};
use super::run::{StoredRun, is_there, wanted};
use super::session::{ImportError, Request, held, staged};
use super::stage::Staged;
use crate::db::{Conn, Db, artifacts, imports, models, uploads};
use std::collections::{BTreeMap, BTreeSet};
use types::{ImportPlan, ModelView, PlannedModel, PlannedTask};
use uuid::Uuid;

/// How many files without a model are named.
const FILES: usize = 100;
/// How many models and tasks are named.
const NAMES: usize = 500;

/// Looks at the files of an import that this holder has, and notes what an import of them would do.
///
/// # Errors
/// When the database fails or it was told to stop; the import is then ended, unless another goes on with it.
pub async fn look_through(
    db: &Db,
    request: &Request,
    id: Uuid,
    holder: Holder,
    course: &Course,
) -> Result<(), ImportError> {
    held(db, id, holder, course, look(db, request, id, holder, course)).await
}

async fn look(
    db: &Db,
    request: &Request,
    id: Uuid,
    holder: Holder,
    course: &Course,
) -> Result<(), ImportError> {
    let (files, _) = staged(None, request, course).await?;
    let planned = plan(&files, &request.mapping);
    db.service(async |conn: &mut Conn| -> Result<(), ImportError> {
        let done = foreseen(conn, request.organization, &files, &planned).await?;
        let needs = needs(conn, request, &files, &planned, &done).await?;
        let reports = reports(&files, &planned, &done);
        imports::replace_files(conn, id, &rows(id, request.organization, &files, &reports)).await?;
        let all = i32::try_from(files.len()).unwrap_or(i32::MAX);
        match uploads::checked(conn, id, holder.owner, &needs, all).await? {
            true => Ok(()),
            false => Err(ImportError::Stopped(Stopped::Lost)),
        }
    })
    .await
}

/// What would become of the runs.
async fn foreseen(
    conn: &mut Conn,
    organization: Uuid,
    files: &[Staged],
    planned: &Planned,
) -> Result<Vec<StoredRun>, ImportError> {
    let mut done = Vec::with_capacity(planned.runs.len());
    for run in &planned.runs {
        let hash = files[run.file].sha256.unwrap_or_default();
        let known = imports::run_of(conn, organization, &hash).await?;
        let nothing_new = match known {
            Some((id, _)) => {
                let there = artifacts::of_run(conn, id.into()).await?;
                wanted(files, run).iter().all(|file| is_there(file, &there))
            }
            None => false,
        };
        done.push(StoredRun {
            id: known.map(|(run, _)| run),
            known: nothing_new,
            samples: 0,
            problems: Vec::new(),
        });
    }
    Ok(done)
}

async fn needs(
    conn: &mut Conn,
    request: &Request,
    files: &[Staged],
    planned: &Planned,
    done: &[StoredRun],
) -> Result<ImportPlan, ImportError> {
    let all = models::list(conn, request.organization.into()).await?;
    let labels: BTreeSet<&str> = planned
        .runs
        .iter()
        .flat_map(|run| run.picks.iter().map(|pick| pick.name.as_str()))
        .collect();
    let task = |label: &&str| PlannedTask {
        label: (*label).to_owned(),
        name: request.mapping.task(label).to_owned(),
        known: false,
    };
    let mut tasks: Vec<PlannedTask> = labels.iter().take(NAMES).map(task).collect();
    let names: Vec<String> = tasks.iter().map(|task| task.name.clone()).collect();
    let known = uploads::known_tasks(conn, request.organization, &names).await?;
    for task in &mut tasks {
        task.known = known.contains(&task.name);
    }
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(ImportPlan {
        runs: count(done.len()),
        known: count(done.iter().filter(|run| run.known).count()),
        models: models_of(files, planned, &all),
        tasks,
    })
}

/// The models of the runs, by what the files call them.
fn models_of(files: &[Staged], planned: &Planned, all: &[ModelView]) -> Vec<PlannedModel> {
    let mut found: BTreeMap<(Option<String>, String), PlannedModel> = BTreeMap::new();
    for run in &planned.runs {
        let Some(results) = &files[run.file].survey.results else {
            continue;
        };
        let wanted = Wanted::of(run, results);
        let entry = found.entry((run.label.clone(), wanted.name.clone()));
        let model = entry.or_insert_with(|| planned_model(run, &wanted, all));
        model.runs += 1;
        if run.label.is_none() && model.files.len() < FILES {
            model.files.push(files[run.file].path.clone());
        }
    }
    found.into_values().take(NAMES).collect()
}

fn planned_model(run: &PlannedRun, wanted: &Wanted<'_>, all: &[ModelView]) -> PlannedModel {
    let known = wanted.find(all);
    let by_source = known.map(|model| wanted.checkpoint(model));
    PlannedModel {
        label: run.label.clone(),
        files: Vec::new(),
        name: known.map_or_else(|| wanted.name.clone(), |model| model.name.clone()),
        checkpoint: run
            .checkpoint
            .clone()
            .or(by_source)
            .unwrap_or_else(|| "latest".to_owned()),
        model_id: known.map(|model| model.id),
        runs: 0,
    }
}
