//! What the reporter remembers over its own death: `reporter.json`.
//!
//! A batch is written here before it is posted, together with the state that holds once it is
//! accepted. A reporter that finds one posts that very batch again, so that the API, which knows
//! its number, takes it once.

use crate::dir::AttemptDir;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, OpenOptions},
    io::{self, Write},
};
use types::{Batch, BatchAnswer};

const FILE: &str = "reporter.json";

/// How far the telling has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// Bytes read of each file: `stdout`, `stderr`, `events`.
    pub(super) offsets: BTreeMap<String, u64>,
    /// Whether the start was told.
    pub(super) started: bool,
    /// Whether the driver under way has imported lmms-eval; a plain process says nothing of it.
    #[serde(default)]
    pub(super) imported: bool,
    /// The benchmark under way.
    pub(super) current: Option<Current>,
    /// Benchmarks whose end was told.
    pub(super) finished: BTreeSet<u32>,
    /// Benchmarks whose media were told.
    #[serde(default)]
    pub(super) media: BTreeSet<u32>,
    /// Whether the end was told.
    pub(super) exited: bool,
}

/// The benchmark under way, and where its output begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Current {
    pub(super) order: u32,
    pub(super) stdout: u64,
    pub(super) stderr: u64,
}

/// A batch on its way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Pending {
    pub(super) batch: Batch,
    /// The state once it is accepted.
    pub(super) after: State,
}

/// All that is remembered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Cursor {
    pub(super) next_batch_no: i64,
    pub(super) state: State,
    pub(super) pending: Option<Pending>,
    /// Bytes uploaded of each log.
    #[serde(default)]
    pub(super) uploaded: BTreeMap<String, u64>,
    /// Benchmarks whose files are up.
    #[serde(default)]
    pub(super) uploaded_benchmarks: BTreeSet<u32>,
    /// Benchmarks whose media are up.
    #[serde(default)]
    pub(super) uploaded_media: BTreeSet<u32>,
    /// Whether nothing was remembered, be it the beginning or a loss.
    #[serde(skip)]
    pub(super) is_fresh: bool,
    /// What could not be uploaded, not yet told.
    #[serde(default)]
    pub(super) notices: Vec<String>,
}

impl Default for Cursor {
    fn default() -> Self {
        Self {
            next_batch_no: 1,
            state: State::default(),
            pending: None,
            uploaded: BTreeMap::new(),
            uploaded_benchmarks: BTreeSet::new(),
            uploaded_media: BTreeSet::new(),
            is_fresh: true,
            notices: Vec::new(),
        }
    }
}

impl Cursor {
    /// What the last reporter left; a new beginning when it cannot be read, since the API knows
    /// where to go on.
    pub(super) fn load(dir: &AttemptDir) -> Self {
        dir.read_json(FILE).ok().flatten().unwrap_or_default()
    }

    /// Not synced to the disk: it only has to outlive this process, not the machine. The two files change places,
    /// because a rename that replaces a file makes file systems write it out at once, as does emptying it.
    pub(super) fn save(&self, dir: &AttemptDir) -> io::Result<()> {
        let (aside, file) = (dir.path(".reporter.json.tmp"), dir.path(FILE));
        let bytes = serde_json::to_vec(self)?;
        let mut out = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&aside)?;
        out.write_all(&bytes)?;
        out.set_len(bytes.len() as u64)?;
        match renameat_with(CWD, &aside, CWD, &file, RenameFlags::EXCHANGE) {
            Ok(()) => Ok(()),
            // The first time there is nothing to change places with.
            Err(_) => fs::rename(aside, file),
        }
    }

    /// Whether something is up that was not told.
    pub(super) fn has_untold(&self) -> bool {
        !self.uploaded_benchmarks.is_subset(&self.state.finished)
            || !self.uploaded_media.is_subset(&self.state.media)
    }

    /// Whether an answer speaks of the pending batch. A reporter without a memory begins at 1,
    /// which the API may know with other content.
    pub(super) fn is_answered(&self, answer: &BatchAnswer) -> bool {
        self.pending.as_ref().is_some_and(|pending| {
            let theirs = |name: &String| answer.offsets.get(name).copied();
            let mut ours = pending.batch.offsets.iter();
            let same = ours.all(|(name, at)| theirs(name).is_none_or(|known| known == *at));
            answer.next_batch_no == pending.batch.batch_no + 1 && (same || !self.is_fresh)
        })
    }

    /// The pending batch was accepted.
    pub(super) fn accepted(&mut self) {
        self.is_fresh = false;
        if let Some(pending) = self.pending.take() {
            self.next_batch_no = pending.batch.batch_no + 1;
            self.state = pending.after;
        }
    }

    /// The API expects another number than the pending batch has. True when the files must be
    /// read from other offsets now.
    pub(super) fn resync(&mut self, expected: i64, known: &BTreeMap<String, u64>) -> bool {
        let Some(pending) = &mut self.pending else {
            return false;
        };
        if expected <= pending.batch.batch_no {
            pending.batch.batch_no = expected;
            self.next_batch_no = expected;
            return false;
        }
        self.is_fresh = false;
        // The API knows more than we do: this file was lost. What it has read is not told again.
        self.pending = None;
        self.next_batch_no = expected;
        for file in ["stdout", "stderr", "events"] {
            let ours = self.state.offsets.entry(file.to_owned()).or_default();
            *ours = known.get(file).copied().unwrap_or(0).max(*ours);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(batch_no: i64) -> Cursor {
        let batch = Batch {
            batch_no,
            ..Batch::default()
        };
        let after = State {
            started: true,
            ..State::default()
        };
        Cursor {
            next_batch_no: batch_no,
            pending: Some(Pending { batch, after }),
            ..Cursor::default()
        }
    }

    #[test]
    fn what_is_remembered_is_whole_and_the_last() {
        let folder = tempfile::tempdir().unwrap();
        let dir = AttemptDir::new(folder.path());
        assert!(Cursor::load(&dir).is_fresh);
        for batch_no in [1_000_000, 20, 3] {
            let cursor = Cursor {
                is_fresh: false,
                ..pending(batch_no)
            };
            cursor.save(&dir).unwrap();
            assert_eq!(Cursor::load(&dir), cursor);
        }
    }

    #[test]
    fn an_accepted_batch_makes_its_state_hold() {
        let mut cursor = pending(4);
        cursor.accepted();
        assert_eq!((cursor.next_batch_no, cursor.state.started), (5, true));
        assert_eq!(cursor.pending, None);
    }

    #[test]
    fn an_api_that_lost_batches_gets_the_pending_one_under_its_number() {
        let mut cursor = pending(4);
        assert!(!cursor.resync(2, &BTreeMap::new()));
        assert_eq!(cursor.pending.unwrap().batch.batch_no, 2);
    }

    #[test]
    fn an_api_that_knows_more_decides_where_to_go_on() {
        let mut cursor = pending(1);
        let known = BTreeMap::from([("stdout".to_owned(), 70)]);
        assert!(cursor.resync(9, &known));
        assert_eq!((cursor.next_batch_no, cursor.pending), (9, None));
        assert_eq!(cursor.state.offsets["stdout"], 70);
    }
}
