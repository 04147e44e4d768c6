//! Which results document a samples file belongs to.
//!
//! All files of one process share folder and stamp. Files that somebody has moved or renamed are
//! found by the stamp alone, by the task, or by what their names have in common; where two
//! documents fit, none is taken, and the user's mapping decides.

use crate::document::file_name;

/// A results document that samples may belong to.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Its path.
    pub path: &'a str,
    /// Its `date`.
    pub date: Option<&'a str>,
    /// Its leaf tasks.
    pub tasks: &'a [&'a str],
}

/// What samples belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paired {
    /// Index of the document.
    pub results: usize,
    /// The leaf task.
    pub task: String,
}

/// The leaf task that the name of a samples file tells.
pub(super) fn task_of(name: &str) -> Option<String> {
    if let Some(parts) = file_name(name) {
        return parts.task;
    }
    let stem = name.strip_suffix(".jsonl")?;
    let task = stem
        .strip_prefix("samples_")
        .or_else(|| stem.split_once("_samples_").map(|(_, task)| task))?;
    (!task.is_empty()).then(|| task.to_owned())
}

/// Finds the document that samples belong to.
///
/// # Errors
///
/// One sentence on why there is none.
pub fn pair(path: &str, task: Option<&str>, candidates: &[Candidate<'_>]) -> Result<Paired, String> {
    let place = Place::of(path);
    let fitting = match place.stamp {
        Some(stamp) => by_stamp(&place, stamp, task, candidates),
        None => by_name(&place, task, candidates),
    };
    let found = match fitting.as_slice() {
        [] => Err("samples without their results document: a mapping has to name it".to_owned()),
        [one] => Ok(*one),
        several => {
            let names: Vec<String> = several
                .iter()
                .take(3)
                .map(|at| format!("`{}`", candidates[*at].path))
                .collect();
            Err(format!(
                "{} results documents fit these samples ({}): a mapping has to name one",
                several.len(),
                names.join(", ")
            ))
        }
    }?;
    let document = &candidates[found];
    let task = task
        .filter(|task| document.tasks.contains(task))
        .or_else(|| named_task(place.name, document.tasks))
        .or_else(|| match document.tasks {
            [only] if task.is_none() => Some(*only),
            _ => None,
        });
    match task {
        Some(task) => Ok(Paired {
            results: found,
            task: task.to_owned(),
        }),
        None => Err(format!(
            "the results document `{}` has no task that these samples belong to",
            document.path
        )),
    }
}

/// Folder, name and stamp of a path.
struct Place<'a> {
    folder: &'a str,
    name: &'a str,
    prefix: String,
    stamp: Option<&'a str>,
}

impl<'a> Place<'a> {
    fn of(path: &'a str) -> Self {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parts = file_name(name);
        let prefix = parts.map_or_else(String::new, |parts| parts.prefix);
        Self {
            folder,
            name,
            stamp: file_name(name).and_then(|_| name.get(prefix.len()..prefix.len() + 15)),
            prefix,
        }
    }
}

/// The first rule that any document fits wins: folder, prefix and stamp; folder and stamp; the
/// stamp with the task anywhere.
fn by_stamp(place: &Place<'_>, stamp: &str, task: Option<&str>, candidates: &[Candidate<'_>]) -> Vec<usize> {
    let same: Vec<(usize, Place<'_>)> = candidates
        .iter()
        .enumerate()
        .map(|(at, candidate)| (at, Place::of(candidate.path)))
        .filter(|(at, own)| own.stamp.or(candidates[*at].date) == Some(stamp))
        .collect();
    let indices = |rule: &dyn Fn(usize, &Place<'_>) -> bool| -> Vec<usize> {
        let fits = same.iter().filter(|(at, own)| rule(*at, own));
        fits.map(|(at, _)| *at).collect()
    };
    let in_folder = |own: &Place<'_>| own.folder == place.folder;
    let mut fitting = indices(&|_, own| in_folder(own) && own.prefix == place.prefix && own.stamp.is_some());
    if fitting.is_empty() {
        fitting = indices(&|_, own| in_folder(own));
    }
    if fitting.is_empty() {
        fitting = indices(&|at, _| task.is_some_and(|task| candidates[at].tasks.contains(&task)));
    }
    fitting
}

/// Without a stamp: the documents of the folder with the task; of several the one whose name has
/// most in common with this one.
fn by_name(place: &Place<'_>, task: Option<&str>, candidates: &[Candidate<'_>]) -> Vec<usize> {
    let mut fitting: Vec<(usize, usize)> = candidates
        .iter()
        .enumerate()
        .map(|(at, candidate)| (at, candidate, Place::of(candidate.path)))
        .filter(|(_, _, own)| own.folder == place.folder)
        .filter(|(_, candidate, _)| match task {
            Some(task) => candidate.tasks.contains(&task),
            None => candidate.tasks.len() == 1 || named_task(place.name, candidate.tasks).is_some(),
        })
        .map(|(at, _, own)| (at, common(place.name, own.name)))
        .collect();
    let most = fitting.iter().map(|(_, length)| *length).max().unwrap_or(0);
    fitting.retain(|(_, length)| *length == most);
    fitting.into_iter().map(|(at, _)| at).collect()
}

/// How many bytes two names have in common at the beginning.
fn common(one: &str, other: &str) -> usize {
    one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count()
}

/// The longest task that stands in a name as a word of its own.
fn named_task<'a>(name: &str, tasks: &[&'a str]) -> Option<&'a str> {
    let is_edge = |character: Option<char>| character.is_none_or(|c| !c.is_alphanumeric());
    let stands = |task: &&&str| {
        !task.is_empty()
            && name.match_indices(**task).any(|(at, _)| {
                is_edge(name[..at].chars().next_back()) && is_edge(name[at + task.len()..].chars().next())
            })
    };
    tasks.iter().filter(stands).max_by_key(|task| task.len()).copied()
}
