//! Sends files to an import, a few at a time; what fails can be sent again, and the same file twice is the same.

use std::collections::VecDeque;

use leptos::{prelude::*, task::spawn_local};
use types::{CreateImport, ImportMapping, MAX_NAME, StartImport};
use uuid::Uuid;

use super::{mapping::tidy, picked::Picked};
use crate::{
    api::{
        client::{Client, use_client},
        endpoints,
    },
    components::panel::Fault,
    format::{bytes, count, plural},
};

/// Files on their way at a time.
const AT_ONCE: usize = 4;

/// How far the sending is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sending {
    /// Files of this round.
    pub files: u64,
    /// Their bytes.
    pub bytes: f64,
    /// Files that have arrived or failed.
    pub done: u64,
    /// Their bytes.
    pub sent: f64,
    /// Files that did not arrive, each with its reason.
    pub failed: Vec<(String, String)>,
    /// Whether files are on their way.
    pub busy: bool,
}

impl Sending {
    /// In words: `12 of 40 files, 3 MB of 20 MB`.
    pub fn words(&self) -> String {
        format!(
            "{} of {}, {} of {}",
            count(self.done),
            plural(self.files, "file", "files"),
            bytes(self.sent as u64),
            bytes(self.bytes as u64)
        )
    }

    /// The share that has arrived, by bytes.
    pub fn share(&self) -> f64 {
        if self.bytes > 0.0 {
            self.sent / self.bytes
        } else {
            0.0
        }
    }
}

/// Sends files.
#[derive(Clone, Copy)]
pub struct Sender {
    /// How far it is.
    pub state: RwSignal<Sending>,
    /// Why nothing could be begun.
    pub fault: RwSignal<Option<Fault>>,
    import: RwSignal<Option<Uuid>>,
    mapping: RwSignal<ImportMapping>,
    queue: StoredValue<VecDeque<Picked>, LocalStorage>,
    again: StoredValue<Vec<Picked>, LocalStorage>,
    working: StoredValue<usize>,
    client: StoredValue<Client>,
    /// Called with the import when all files have arrived and it is being checked.
    finished: Callback<Uuid>,
}

impl Sender {
    /// A sender for an import of which this is known, or for a new one.
    pub fn new(import: Option<Uuid>, mapping: RwSignal<ImportMapping>, finished: Callback<Uuid>) -> Self {
        Self {
            state: RwSignal::new(Sending::default()),
            fault: RwSignal::new(None),
            import: RwSignal::new(import),
            mapping,
            queue: StoredValue::new_local(VecDeque::new()),
            again: StoredValue::new_local(Vec::new()),
            working: StoredValue::new(0),
            client: StoredValue::new(use_client()),
            finished,
        }
    }

    /// Sends these files, behind those that are on their way.
    pub fn send(self, files: Vec<Picked>) {
        if files.is_empty() {
            return;
        }
        self.fault.set(None);
        self.state.update(|state| {
            if !state.busy {
                *state = Sending::default();
            }
            state.busy = true;
            state.files += files.len() as u64;
            state.bytes += files.iter().map(|picked| picked.file.size()).sum::<f64>();
        });
        let name = name_of(&files);
        self.queue.update_value(|queue| queue.extend(files));
        spawn_local(async move { self.begin(name).await });
    }

    /// Sends again what did not arrive.
    pub fn retry(self) {
        let failed = self.again.try_update_value(std::mem::take).unwrap_or_default();
        self.send(failed);
    }

    /// Goes on without what did not arrive.
    pub fn go_on(self) {
        self.again.set_value(Vec::new());
        spawn_local(async move { self.check().await });
    }

    async fn begin(self, name: String) {
        if self.import.get_untracked().is_none() {
            let made = endpoints::create_import(&self.client.get_value(), &CreateImport { name }).await;
            match made {
                Ok(import) => drop(self.import.try_set(Some(import.id))),
                Err(fault) => return self.give_up(fault),
            }
        }
        let started = self.working.try_get_value().unwrap_or(AT_ONCE);
        for _ in started..AT_ONCE {
            self.working.update_value(|n| *n += 1);
            spawn_local(async move { self.work().await });
        }
    }

    fn give_up(self, fault: Fault) {
        self.queue.update_value(VecDeque::clear);
        let _ = self.state.try_set(Sending::default());
        let _ = self.fault.try_set(Some(fault));
    }

    async fn work(self) {
        let next = || self.queue.try_update_value(VecDeque::pop_front).flatten();
        while let Some(picked) = next() {
            self.put(picked).await;
        }
        let left = self.working.try_update_value(|n| {
            *n -= 1;
            *n
        });
        if left != Some(0) {
            return;
        }
        let all_here = self.state.try_update(|state| {
            state.busy = false;
            state.failed.is_empty()
        });
        if all_here == Some(true) {
            self.check().await;
        }
    }

    async fn put(self, picked: Picked) {
        let (Some(Some(import)), Some(client)) =
            (self.import.try_get_untracked(), self.client.try_get_value())
        else {
            return;
        };
        let size = picked.file.size();
        let sent = endpoints::put_import_file(&client, import, &picked.path, picked.file.clone()).await;
        let _ = self.state.try_update(|state| {
            state.done += 1;
            state.sent += size;
            if let Err(fault) = &sent {
                state.failed.push((picked.path.clone(), fault.line()));
            }
        });
        if sent.is_err() {
            self.again.update_value(|again| again.push(picked));
        }
    }

    /// Asks for a check: the next step is to look at what was found.
    async fn check(self) {
        let (Some(Some(import)), Some(client)) =
            (self.import.try_get_untracked(), self.client.try_get_value())
        else {
            return;
        };
        let mapping = self.mapping.try_with_untracked(tidy).unwrap_or_default();
        match endpoints::check_import(&client, import, &StartImport { mapping }).await {
            Ok(_) => self.finished.run(import),
            Err(fault) => drop(self.fault.try_set(Some(fault))),
        }
    }
}

/// What an import of these files is called: the first folder or file, and how many more there are.
fn name_of(files: &[Picked]) -> String {
    let tops: std::collections::BTreeSet<&str> = files
        .iter()
        .map(|picked| picked.path.split('/').next().unwrap_or_default())
        .collect();
    let paths: Vec<&str> = tops.into_iter().collect();
    named(&paths)
}

fn named(tops: &[&str]) -> String {
    let first: String = tops
        .first()
        .map_or("files", |first| *first)
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_NAME - 40)
        .collect();
    match tops.len() {
        0 | 1 => first,
        all => format!("{first} and {} more", all - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_is_called_after_its_first_file() {
        assert_eq!(named(&["logs"]), "logs");
        assert_eq!(named(&["a.json", "b.json", "c"]), "a.json and 2 more");
        assert!(named(&["x".repeat(900).as_str()]).len() < MAX_NAME);
    }

    #[test]
    fn sending_is_told_in_files_and_bytes() {
        let sending = Sending {
            files: 4,
            bytes: 2000.0,
            done: 1,
            sent: 500.0,
            ..Sending::default()
        };
        assert!(
            sending.words().starts_with("1 of 4 files, "),
            "{}",
            sending.words()
        );
        assert!((sending.share() - 0.25).abs() < 1e-9);
    }
}
